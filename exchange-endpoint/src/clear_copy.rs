//! A database in the clear while a copy of it is made or put back: one at a time, and none is left behind.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use crate::backup::BackupError;

/// A directory beside the database, where one copy at a time lies in the clear, and gone when this is. What a killed program
/// has left there goes with the next one, or with the daemon's next start.
pub(crate) struct Beside {
    directory: PathBuf,
    /// Locked while this lives.
    _lock: File,
}

impl Beside {
    pub(crate) fn new(database: &Path) -> Result<Self, BackupError> {
        let directory = beside(database, ".copying");
        let at = |source| BackupError::Io { path: directory.clone(), source };
        loop {
            match DirBuilder::new().mode(0o700).create(&directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(error)),
                _ => {}
            }
            let lock = match File::open(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(at)?,
            };
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(BackupError::Another(database.to_owned())),
                Err(TryLockError::Error(error)) => return Err(at(error)),
            }
            // its last owner may have removed it between the two
            if fs::metadata(&directory)
                .is_ok_and(|now| lock.metadata().is_ok_and(|own| own.ino() == now.ino()))
            {
                for left in fs::read_dir(&directory).map_err(at)? {
                    left.and_then(|left| fs::remove_file(left.path())).map_err(at)?;
                }
                return Ok(Self { directory, _lock: lock });
            }
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join("clear.db")
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // what cannot be removed now goes with the next copy
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Removes what a killed `backup` or `restore` has left in the clear beside `database`: at the start of a daemon.
pub fn remove_leftovers(database: &Path) {
    if !beside(database, ".copying").is_dir() {
        return;
    }
    match Beside::new(database) {
        Ok(_) | Err(BackupError::Another(_)) => {}
        Err(error) => tracing::warn!("what a copy has left is not removed: {error}"),
    }
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
