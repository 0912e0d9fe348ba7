//! What is done to machines and databases behind the programs' backs: put back from a copy, run twice, altered past the
//! locks.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;

use super::clerk::Clerk;

/// What an installation has gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing that it must notice.
    Plain,
    /// Its database, or its whole machine, was put back from a copy.
    Restored,
    /// Its machine runs twice.
    Cloned,
    /// It was shut out.
    Disabled,
}

/// A copy of a database, perhaps with what lies beside it.
#[derive(Debug)]
pub struct Backup {
    dir: PathBuf,
    /// With the watermark file: of the whole machine.
    pub whole: bool,
    /// What the clerk had written.
    pub rows: Option<super::clerk::Rows>,
}

/// The files of a database and of the watermark, below the directory of their machine.
fn files(database: &str, whole: bool) -> Vec<PathBuf> {
    let database = ["", "-wal"].map(|end| PathBuf::from(format!("{database}{end}")));
    database.into_iter().chain(whole.then(|| PathBuf::from("keys/watermark"))).collect()
}

impl Backup {
    /// Copies the database of the machine in `machine` to `dir`. Nobody writes meanwhile.
    ///
    /// # Errors
    /// A file.
    pub fn take(machine: &Path, database: &str, dir: PathBuf, whole: bool) -> io::Result<Self> {
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("keys"))?;
        for file in files(database, whole) {
            if machine.join(&file).exists() {
                fs::copy(machine.join(&file), dir.join(&file))?;
            }
        }
        Ok(Self { dir, whole, rows: None })
    }

    /// The copy of a database that lies in `dir`.
    pub fn of(dir: PathBuf) -> Self {
        Self { dir, whole: false, rows: None }
    }

    /// Puts it into the database at `to` while that is open, as SQLite's own shell does by `.restore`.
    ///
    /// # Errors
    /// SQLite's.
    pub fn restore_into(&self, to: &Path, database: &str) -> rusqlite::Result<()> {
        let (from, mut into) = (Connection::open(self.dir.join(database))?, Connection::open(to)?);
        rusqlite::backup::Backup::new(&from, &mut into)?.run_to_completion(1000, Duration::ZERO, None)
    }

    /// Puts it in the place of the database at `to` by a rename, whoever has that open.
    ///
    /// # Errors
    /// A file, or SQLite's.
    pub fn rename_over(&self, to: &Path, database: &str) -> io::Result<()> {
        let from = self.dir.join(database);
        // whoever copies a database to another machine copies one file
        let fold = |one: &Connection| one.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Connection::open(&from).and_then(|one| fold(&one)).map_err(io::Error::other)?;
        let beside = to.with_extension("new");
        fs::copy(from, &beside)?;
        fs::rename(beside, to)
    }

    /// Puts it back. Nobody has the database open.
    ///
    /// # Errors
    /// A file.
    pub fn put_back(&self, machine: &Path, database: &str) -> io::Result<()> {
        for end in ["", "-wal", "-shm"] {
            match fs::remove_file(machine.join(format!("{database}{end}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for file in files(database, self.whole) {
            if self.dir.join(&file).exists() {
                fs::copy(self.dir.join(&file), machine.join(&file))?;
            }
        }
        Ok(())
    }
}

impl Clerk {
    /// Alters a locked row behind the locks; false if there is none.
    ///
    /// # Errors
    /// SQLite's.
    pub fn tamper(&mut self) -> rusqlite::Result<bool> {
        let connection: &Connection = self.connection();
        let locked =
            "SELECT id FROM svod_record WHERE kind = 'recipient' AND state = 'locked' ORDER BY id LIMIT 1";
        let mut select = connection.prepare(locked)?;
        let Some(id) = select.query_map([], |row| row.get::<_, String>(0))?.next().transpose()? else {
            return Ok(false);
        };
        let lock: String = connection.query_row(
            "SELECT sql FROM sqlite_master WHERE name = 'svod_lock_recipient_update'",
            [],
            |row| row.get(0),
        )?;
        connection.execute_batch("DROP TRIGGER svod_lock_recipient_update")?;
        connection.execute("UPDATE recipient SET given = 'Подмена' WHERE id = ?1", [id])?;
        connection.execute_batch(&lock)?;
        Ok(true)
    }
}
