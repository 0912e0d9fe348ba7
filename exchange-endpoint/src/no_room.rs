//! Which errors mean that a disk has no room left, or that a quota is used up: what passes when somebody makes room.

use std::{io, path::Path};

use rusqlite::ErrorCode;

/// With less than this free nothing that is exchanged finds a place.
const ROOM: u64 = 64 * 1024;

/// Whether the disk that `directory` is on has no room left for a file, or can take no more files. One that cannot be asked is
/// another matter.
#[cfg(unix)]
pub fn is_full(directory: &Path) -> bool {
    rustix::fs::statvfs(directory).is_ok_and(|disk| {
        disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM || disk.f_files > 0 && disk.f_favail == 0
    })
}

/// Other systems are not asked.
#[cfg(not(unix))]
pub fn is_full(_directory: &Path) -> bool {
    false
}

/// An error of which it can be asked whether the disk is full.
pub trait NoRoom {
    /// Whether there is no room: a full disk (`ENOSPC`) or a used-up quota (`EDQUOT`).
    fn is_no_room(&self) -> bool;
}

impl NoRoom for io::Error {
    fn is_no_room(&self) -> bool {
        matches!(self.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

impl NoRoom for rusqlite::Error {
    fn is_no_room(&self) -> bool {
        self.sqlite_error_code() == Some(ErrorCode::DiskFull)
    }
}
