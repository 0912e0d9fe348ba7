//! Which errors mean that a disk has no room left, or that a quota is used up: what passes when somebody makes room.

use std::io;

use rusqlite::ErrorCode;

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
