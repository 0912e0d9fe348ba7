//! Where something becomes durable: a commit, a file that gets its name, a file that goes. A test may end the program
//! there, by unwinding, before or after the step, or let the disk refuse it. Without a watcher these are nothing.
//!
//! Steps: `commit` of a database · `file` of a file that is put in its place · `remove` of one that goes · `sync` of a file
//! or of the names in a directory · what a mailbox does.

use std::{cell::RefCell, fs::File, io};

use rusqlite::{Connection, Error, Transaction, ffi};

use crate::no_room::NoRoom as _;

/// A durable step.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// What it is.
    pub name: &'static str,
    /// What is synced by a `sync`: a file, or a directory for the names in it.
    pub file: Option<&'a File>,
    /// Whose transaction is about to be committed by a `commit`.
    pub database: Option<&'a Connection>,
}

/// Is told of each step before it is done (`true`) and after it; before it, it may refuse.
pub type Watcher = Box<dyn FnMut(Step<'_>, bool) -> io::Result<()>>;

thread_local! {
    static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
}

/// Does a durable step.
///
/// # Errors
/// Those of `work`, or the watcher's.
pub fn step<T, E: From<io::Error>>(name: &'static str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    take(Step { name, file: None, database: None }, work)
}

fn take<T, E: From<io::Error>>(step: Step<'_>, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    tell(step, true)?;
    let done = work()?;
    // what is done is done: only an end of the program can follow
    let _ = tell(step, false);
    Ok(done)
}

/// Syncs `file`: a durable step.
///
/// # Errors
/// The disk's, or the watcher's.
pub fn sync(file: &File) -> io::Result<()> {
    take(Step { name: "sync", file: Some(file), database: None }, || file.sync_all())
}

/// Commits: a durable step.
///
/// # Errors
/// SQLite's. A watcher's refusal is that of a full disk, or of one that does not sync.
pub fn commit(transaction: Transaction<'_>) -> rusqlite::Result<()> {
    let refused = |error: io::Error| {
        let full = error.is_no_room();
        let code = if full { ffi::SQLITE_FULL } else { ffi::SQLITE_IOERR_FSYNC };
        Error::SqliteFailure(ffi::Error::new(code), Some(error.to_string()))
    };
    let step = Step { name: "commit", file: None, database: None };
    tell(Step { database: Some(&transaction), ..step }, true).map_err(refused)?;
    transaction.commit()?;
    let _ = tell(step, false);
    Ok(())
}

fn tell(step: Step<'_>, before: bool) -> io::Result<()> {
    // taken out meanwhile, so that one that unwinds leaves nothing borrowed
    let Some(mut watcher) = WATCHER.take() else { return Ok(()) };
    let told = watcher(step, before);
    WATCHER.set(Some(watcher));
    told
}

/// Lets `watcher` be told of this thread's steps until it unwinds or the value is dropped.
pub fn watch(watcher: Watcher) -> Watched {
    WATCHER.set(Some(watcher));
    Watched(())
}

/// While it lives, this thread's steps are watched.
#[derive(Debug)]
#[must_use]
pub struct Watched(());

impl Drop for Watched {
    fn drop(&mut self) {
        WATCHER.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_refuses_a_step_and_hears_of_one_that_is_done() {
        let mut seen = 0;
        let _watched = watch(Box::new(move |step, before| {
            assert_eq!(step.name, "file");
            seen += 1;
            if before && seen == 3 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }));
        assert_eq!(step("file", || Ok::<_, io::Error>(1)).expect("done"), 1);
        step("file", || -> io::Result<()> { panic!("not done") }).expect_err("refused");
    }
}
