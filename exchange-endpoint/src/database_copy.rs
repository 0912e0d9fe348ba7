//! The pages of a SQLite database, copied while others work with it, and looked at.

use std::{fs, path::Path, time::Duration};

use rusqlite::{
    Connection, ErrorCode, OpenFlags,
    backup::{Backup, StepResult},
};

use crate::backup::BackupError;

/// How long a command of another program may last.
const OTHERS_END: Duration = Duration::from_secs(2);
/// Pages copied at a time.
const PAGES: i32 = 4096;

/// All pages of one state of `database`: a reader holds that state, so that nobody's writing begins the copy anew.
pub(crate) fn copy_pages(
    database: &Path,
    to: &Path,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<(), BackupError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let source = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    source.busy_timeout(Duration::from_secs(30))?;
    source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_master;")?;
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    made.map_err(|source| BackupError::Io { path: to.to_owned(), source })?;
    let mut target = Connection::open(to)?;
    {
        let backup = Backup::new(&source, &mut target)?;
        loop {
            let step = backup.step(PAGES)?;
            let progress = backup.progress();
            let pages = |n: i32| u64::try_from(n).unwrap_or_default();
            tell(pages(progress.pagecount - progress.remaining), pages(progress.pagecount));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
    // one file, without a log beside it
    target.execute_batch("PRAGMA journal_mode = DELETE;")?;
    Ok(())
}

/// Whether every page and index of the database at `path` is as SQLite writes it.
pub(crate) fn check(path: &Path) -> Result<(), BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags)?;
    let told: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if told == "ok" { Ok(()) } else { Err(BackupError::Damaged(told)) }
}

/// Folds the log of the database into its file, which SQLite does for its only user, and keeps others out while the result lives.
/// Nothing where there is no database, or one that SQLite cannot read: nobody can write to that either.
pub(crate) fn alone(database: &Path) -> Result<Option<Connection>, BackupError> {
    if !database.exists() {
        return Ok(None);
    }
    let taken = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|alone| {
        alone.busy_timeout(OTHERS_END)?;
        alone.execute_batch("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;")?;
        Ok(alone)
    });
    match taken.map_err(|error| (error.sqlite_error_code(), error)) {
        Ok(alone) => Ok(Some(alone)),
        Err((Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _)) => {
            Err(BackupError::InUse(database.to_owned()))
        }
        Err((_, error)) => {
            tracing::warn!("the log of the former database is not folded in: {error}");
            Ok(None)
        }
    }
}
