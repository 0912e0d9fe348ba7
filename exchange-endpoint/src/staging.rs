//! A directory of many files, made whole or not at all: beside its place, and moved there at the end. What is there is
//! never overwritten.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use crate::{
    durable_file,
    output::{Exit, Failure},
};

/// What is to be made where.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The directory; made if it is not there.
    pub dir: &'a Path,
    /// What is made in it, in the order in which it is moved there: what makes the directory what it is comes last.
    pub names: &'a [&'a str],
    /// The code of the error if one of the names is there already.
    pub exists: &'static str,
    /// The error for a file that cannot be made or moved.
    pub failed: fn(&Path, io::Error) -> Failure,
}

impl Plan<'_> {
    /// Has `make` make everything in the directory that it is given, and moves that to its place.
    ///
    /// # Errors
    /// One of the names is there; what `make` says; a file cannot be moved. Then nothing of it is there.
    pub fn carry_out<T>(&self, make: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<T, Failure> {
        if let Some(there) = self.names.iter().map(|name| self.dir.join(name)).find(|path| path.exists()) {
            return Err(Failure::new(Exit::Refused, self.exists).told("file", there.display()));
        }
        fs::create_dir_all(self.dir).map_err(|error| (self.failed)(self.dir, error))?;
        let stage = self.dir.join(format!(".init-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&stage).map_err(|error| (self.failed)(&stage, error))?;
        let stage = Stage(stage);
        let done = make(&stage.0)?;
        let mut moved = Vec::new();
        for name in self.names {
            let (from, to) = (stage.0.join(name), self.dir.join(name));
            if let Err(error) = move_new(&from, &to) {
                for (from, to) in moved.iter().rev() {
                    // back into the stage, which goes as a whole
                    let _ = fs::rename(to, from);
                }
                return Err((self.failed)(&to, error));
            }
            moved.push((from, to));
        }
        durable_file::sync_directory(&stage.0).map_err(|error| (self.failed)(self.dir, error))?;
        Ok(done)
    }
}

fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

/// A directory that goes with its value.
struct Stage(PathBuf);

impl Drop for Stage {
    fn drop(&mut self) {
        // what cannot be removed lies under a name that nothing reads
        let _ = fs::remove_dir_all(&self.0);
    }
}
