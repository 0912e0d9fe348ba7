//! Where something becomes durable: a commit, a file that gets its name, a file that goes. A test may end the program
//! there, by unwinding, before or after the step, or let the disk refuse it. Without a watcher these are nothing.
//!
//! Steps: `commit` of a database · `file` of a file that is put in its place · `remove` of one that goes · `sync` of a file
//! or of the names in a directory · what a mailbox does.

use std::{cell::RefCell, fs::File, io};

use rusqlite::{Error, Transaction, ffi};

/// Is told of each step before it is done (`true`) and after it; before it, it may refuse.
pub type Watcher = Box<dyn FnMut(&'static str, bool) -> io::Result<()>>;

thread_local! {
    static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
}

/// Does a durable step.
///
/// # Errors
/// Those of `work`, or the watcher's.
pub fn step<T, E: From<io::Error>>(name: &'static str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    tell(name, true)?;
    let done = work()?;
    // what is done is done: only an end of the program can follow
    let _ = tell(name, false);
    Ok(done)
}

/// Syncs `file`: a durable step.
///
/// # Errors
/// The disk's, or the watcher's.
pub fn sync(file: &File) -> io::Result<()> {
    step("sync", || file.sync_all())
}

/// Commits: a durable step.
///
/// # Errors
/// SQLite's. A watcher's refusal is that of a full disk, or of one that does not sync.
pub fn commit(transaction: Transaction<'_>) -> rusqlite::Result<()> {
    let refused = |error: io::Error| {
        let full = error.kind() == io::ErrorKind::StorageFull;
        let code = if full { ffi::SQLITE_FULL } else { ffi::SQLITE_IOERR_FSYNC };
        Error::SqliteFailure(ffi::Error::new(code), Some(error.to_string()))
    };
    tell("commit", true).map_err(refused)?;
    transaction.commit()?;
    let _ = tell("commit", false);
    Ok(())
}

fn tell(name: &'static str, before: bool) -> io::Result<()> {
    // taken out meanwhile, so that one that unwinds leaves nothing borrowed
    let Some(mut watcher) = WATCHER.take() else { return Ok(()) };
    let told = watcher(name, before);
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
        let _watched = watch(Box::new(move |name, before| {
            assert_eq!(name, "file");
            seen += 1;
            if before && seen == 3 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }));
        assert_eq!(step("file", || Ok::<_, io::Error>(1)).expect("done"), 1);
        step("file", || -> io::Result<()> { panic!("not done") }).expect_err("refused");
    }
}
