//! Whether the database that a program has open is the one that stands under its name. A copy that was put there by a rename,
//! as rsync, sftp and most backup programs do it, is another file: who had the former one open goes on with that one, which has
//! no name any more, and nobody sees what is written into it.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// A file, whatever it is called: its device and its number there.
type Identity = (u64, u64);

/// What stands under the name of an opened database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The opened one.
    Same,
    /// Another file.
    Other,
    /// Nothing.
    Gone,
}

/// A database that is open in WAL mode, by the file that it was when it was opened.
#[derive(Debug)]
pub struct OpenedFile {
    path: PathBuf,
    database: Option<Identity>,
    /// Its log, and the index of that.
    beside: [Option<Identity>; 2],
}

impl OpenedFile {
    /// The database at `path`, which has just been opened and read.
    pub fn of(path: &Path) -> Self {
        let file = |path: &Path| identity(path).ok().flatten();
        Self { path: path.to_owned(), database: file(path), beside: beside(path).map(|path| file(&path)) }
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands there now; who may not look there is told of nothing else.
    pub fn standing(&self) -> Standing {
        match (self.database, identity(&self.path)) {
            (Some(_), Ok(None)) => Standing::Gone,
            (Some(former), Ok(Some(found))) if found != former => Standing::Other,
            _ => Standing::Same,
        }
    }

    /// What stands there now; if it is not the opened one, that has no log any more. `fold` folds the log into the opened one, and
    /// says whether it could.
    ///
    /// # Errors
    /// The log cannot be removed.
    pub fn leave(&self, fold: impl FnOnce() -> bool) -> io::Result<Standing> {
        let standing = self.standing();
        // the former one may have another name now
        if standing != Standing::Same && (fold() || standing == Standing::Other) {
            self.remove_log()?;
        }
        Ok(standing)
    }

    /// Removes the log of the former database, whose content is folded into it: SQLite would take it for that of the database which
    /// stands there now. A log that came with the new one stays.
    fn remove_log(&self) -> io::Result<()> {
        for (path, former) in beside(&self.path).iter().zip(self.beside) {
            if former.is_some() && identity(path)? == former {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

fn beside(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|end| {
        let mut name = OsString::from(path);
        name.push(end);
        PathBuf::from(name)
    })
}

fn identity(path: &Path) -> io::Result<Option<Identity>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_takes_the_name_of_an_opened_one_is_another() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        for name in ["a.db", "a.db-wal", "a.db-shm", "copy.db"] {
            fs::write(at(name), name).expect("written");
        }
        let opened = OpenedFile::of(&at("a.db"));
        fs::write(at("a.db"), "changed in place").expect("written");
        assert_eq!(opened.standing(), Standing::Same);
        fs::rename(at("copy.db"), at("a.db")).expect("renamed");
        assert_eq!(opened.standing(), Standing::Other);
        // that of the copy
        fs::write(at("new"), "").expect("written");
        fs::rename(at("new"), at("a.db-shm")).expect("renamed");
        opened.remove_log().expect("removed");
        assert!(!at("a.db-wal").exists() && at("a.db-shm").exists());
        fs::remove_file(at("a.db")).expect("removed");
        assert_eq!(opened.standing(), Standing::Gone);
    }
}
