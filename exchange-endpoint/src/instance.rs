//! One daemon a database: an exclusive lock on `<database>.lock`, held by the kernel for as long as the
//! process lives, so that a crash never leaves it behind.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    messages::Told,
    output::{Exit, Failure},
};

/// Held while this process owns the database.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

/// Why the database is not ours.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Another process owns it.
    #[error("{database} is owned by another process (pid {pid})")]
    Owned {
        /// The database.
        database: PathBuf,
        /// What the other wrote into the lock file; `?` where it has not yet.
        pid: String,
    },
    /// The lock file cannot be made or locked.
    #[error("cannot lock {path}: {source}")]
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl InstanceLock {
    /// Takes the database for this process, at once or not at all.
    ///
    /// The lock is that of the file itself, by whatever symbolic link it is named.
    pub fn acquire(database: &Path) -> Result<Self, InstanceError> {
        let file = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let mut path = file.into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let io = |source| InstanceError::Io { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Only for the message: the lock itself is the kernel's.
                let _ = file.take(20).read_to_string(&mut pid);
                let pid = if pid.trim().is_empty() { "?".to_owned() } else { pid.trim().to_owned() };
                return Err(InstanceError::Owned { database: database.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(io)?;
        Ok(Self { _file: file })
    }
}

impl From<InstanceError> for Failure {
    fn from(error: InstanceError) -> Self {
        match error {
            InstanceError::Owned { database, pid } => Self::new(Exit::Owned, "instance-owned")
                .told("database", database.display())
                .with("pid", pid)
                .because("todo", Told::of("instance-next", &[])),
            InstanceError::Io { path, source } => {
                let exit = Exit::of_io(&source);
                Self::new(exit, "instance-lock").told("file", path.display()).because("detail", source)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_owns_it_and_may_have_it_afterwards() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("hub.db");
        let first = InstanceLock::acquire(&database).expect("free");
        let error = InstanceLock::acquire(&database).expect_err("owned");
        let failure = Failure::from(error);
        assert_eq!(failure.exit(), Exit::Owned);
        assert!(failure.to_string().contains(&std::process::id().to_string()), "{failure}");
        drop(first);
        InstanceLock::acquire(&database).expect("free again");
    }

    #[test]
    fn a_link_to_a_database_is_that_database() {
        let dir = tempfile::tempdir().expect("a directory");
        let (database, link) = (dir.path().join("hub.db"), dir.path().join("link.db"));
        std::fs::write(&database, "").expect("written");
        std::os::unix::fs::symlink(&database, &link).expect("linked");
        let _first = InstanceLock::acquire(&link).expect("free");
        assert!(matches!(InstanceLock::acquire(&database), Err(InstanceError::Owned { .. })));
    }

    #[test]
    fn an_unwritable_place_is_a_configuration_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let error = InstanceLock::acquire(&dir.path().join("no/hub.db")).expect_err("no directory");
        assert_eq!(Failure::from(error).exit(), Exit::Usage);
    }
}
