//! Whether the file of a database is as SQLite writes it. A page that the disk has lost is met by whoever reads it, which may be
//! in months; so a daemon has all of them looked through after its start and once a day, beside its work: a thread with a
//! connection of its own that only reads, table by table, so that the log beside the database is never held for long.

use std::{
    fmt,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

use crate::messages::Told;

/// How long after a look the next one begins; and after one that could not be done.
const DAY: Duration = Duration::from_hours(24);
const AGAIN: Duration = Duration::from_hours(1);
/// SQLite's cache of pages: each is read once.
const CACHE_KIB: u32 = 4_000;

/// Damage of a database's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The table in which it was found, itself or one of its indexes; none: all of them, for none can be told.
    pub table: Option<String>,
    /// What SQLite says of it: pages and cells, never values.
    pub said: String,
}

impl From<&Damage> for Told {
    fn from(damage: &Damage) -> Self {
        match &damage.table {
            Some(table) => {
                let args = [("table", table.clone().into()), ("said", damage.said.clone().into())];
                Self::of("sqlite-damaged-table", &args)
            }
            None => Self::of("sqlite-damaged-all", &[("said", damage.said.clone().into())]),
        }
    }
}

/// Whether `error` says that the file is damaged. A schema that somebody has written is another matter.
pub fn is_damage(error: &rusqlite::Error) -> bool {
    let text = error.to_string();
    let is_of_schema = text.contains("malformed database schema (") && !text.contains("schema (?)");
    !is_of_schema
        && matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether the file at `path`, which is no database to SQLite, is one whose first page was lost: a whole number of sectors, the first
/// of which is empty.
pub fn has_lost_its_head(path: &Path) -> bool {
    const SECTOR: usize = 512;
    let mut head = [1; SECTOR];
    let read = File::open(path).and_then(|mut file| {
        file.read_exact(&mut head)?;
        file.metadata()
    });
    read.is_ok_and(|file| file.len() % SECTOR as u64 == 0 && head.iter().all(|byte| *byte == 0))
}

/// Whether what `PRAGMA integrity_check` or `quick_check` says is of the file: that a row breaks a condition of its table is
/// somebody's harm to rows.
pub fn is_of_pages(line: &str) -> bool {
    line.starts_with("***")
        || line.to_lowercase().contains("page")
        || line.contains("in index")
        || line.contains("from index")
}

/// The first damage that is found in the pages of the database. Tables whose names begin with `compared` are compared with their
/// indexes, too: a copy put back beside the log of another life may be whole page by page. Of other programs' indexes nobody
/// here knows by which functions they were made; and where tables are large it reads the disk at random, for hours.
///
/// # Errors
/// SQLite's, of another kind.
pub fn first_damage(connection: &Connection, compared: Option<&str>) -> rusqlite::Result<Option<Damage>> {
    let names = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let damage = |table: Option<&str>, said: String| Some(Damage { table: table.map(str::to_owned), said });
    let names = match names() {
        Err(error) if is_damage(&error) => return Ok(damage(None, error.to_string())),
        names => names?,
    };
    for table in names {
        let is_compared = compared.is_some_and(|prefix| table.starts_with(prefix));
        let check = if is_compared { "integrity_check" } else { "quick_check" };
        let sql = format!("PRAGMA {check}('{}')", table.replace('\'', "''"));
        let look = || -> rusqlite::Result<Vec<String>> {
            connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
        };
        match look() {
            Ok(lines) => {
                if let Some(said) = lines.into_iter().find(|line| is_of_pages(line)) {
                    let said = said.lines().last().unwrap_or_default().to_owned();
                    return Ok(damage(Some(&table), said));
                }
            }
            Err(error) if is_damage(&error) => return Ok(damage(Some(&table), error.to_string())),
            // an index by a function or a collation that only another program has
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// What a look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// All pages are as SQLite writes them.
    Sound,
    /// Some are not.
    Damaged(Damage),
}

/// Looks through the pages of a database from time to time, beside other work. A look that is at work when this goes is ended: the
/// program's own connection is to be the last, which folds the log into the file.
#[derive(Debug)]
pub struct Soundness {
    path: PathBuf,
    /// How the names begin of tables that are compared with their indexes.
    compared: Option<&'static str>,
    at_work: Option<JoinHandle<rusqlite::Result<Option<Damage>>>>,
    /// What ends the look that is at work.
    end: Ending,
    next: Instant,
}

/// What ends a look, once it has opened the database.
#[derive(Clone, Default)]
struct Ending(Arc<Mutex<Option<InterruptHandle>>>);

impl Ending {
    fn handle(&self) -> MutexGuard<'_, Option<InterruptHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ending")
    }
}

impl Drop for Soundness {
    fn drop(&mut self) {
        let Some(look) = self.at_work.take() else { return };
        // between two statements there is nothing to be ended yet
        while !look.is_finished() {
            if let Some(end) = &*self.end.handle() {
                end.interrupt();
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Soundness {
    /// Of the database at `path`, in which tables whose names begin with `compared` are compared with their indexes; the first look
    /// begins with the first [`step`](Self::step).
    pub fn of(path: &Path, compared: Option<&'static str>) -> Self {
        Self { path: path.to_owned(), compared, at_work: None, end: Ending::default(), next: Instant::now() }
    }

    /// Begins a look if one is due; what the one that has just ended has found.
    pub fn step(&mut self) -> Option<Found> {
        match self.at_work.take_if(|look| look.is_finished()) {
            Some(look) => {
                let done = look.join().unwrap_or(Ok(None));
                let pause = if done.is_ok() { DAY } else { AGAIN };
                self.next = Instant::now() + pause;
                match done {
                    Ok(None) => Some(Found::Sound),
                    Ok(Some(damage)) => Some(Found::Damaged(damage)),
                    Err(error) => {
                        tracing::warn!("the pages of the database could not be looked through: {error}");
                        None
                    }
                }
            }
            None if self.at_work.is_none() && self.next <= Instant::now() => {
                let (path, compared, end) = (self.path.clone(), self.compared, self.end.clone());
                let spawned = thread::Builder::new()
                    .name("soundness".into())
                    .spawn(move || look(&path, compared, &end));
                self.next = Instant::now() + AGAIN;
                self.at_work = spawned
                    .inspect_err(|error| tracing::warn!("no look at the pages of the database: {error}"))
                    .ok();
                None
            }
            None => None,
        }
    }
}

fn look(path: &Path, compared: Option<&str>, end: &Ending) -> rusqlite::Result<Option<Damage>> {
    let began = Instant::now();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(30))?;
    *end.handle() = Some(connection.get_interrupt_handle());
    let read = connection
        .pragma_update(None, "cache_size", -i64::from(CACHE_KIB))
        .and_then(|()| first_damage(&connection, compared));
    let found = match read {
        // not even its first page
        Err(error) if is_damage(&error) => Some(Damage { table: None, said: error.to_string() }),
        other => other?,
    };
    tracing::info!(sound = found.is_none(), took_ms = began.elapsed().as_millis(), "pages looked through");
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::OpenOptions,
        io::{Seek as _, SeekFrom, Write as _},
    };

    use super::*;

    /// A database of many pages; `table` of it loses one.
    fn database(dir: &Path, table: Option<&str>) -> PathBuf {
        let path = dir.join("a.db");
        let db = Connection::open(&path).expect("made");
        db.execute_batch(
            "CREATE TABLE one(n INTEGER PRIMARY KEY, text TEXT NOT NULL);
             CREATE TABLE two(n INTEGER PRIMARY KEY, text TEXT CHECK (text <> 'bad'));
             CREATE INDEX two_text ON two(text);
             WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4000)
             INSERT INTO one SELECT n, 'abcdefghijklmnopqrstuvwxyz' || n FROM c;
             INSERT INTO two SELECT n, text FROM one;
             PRAGMA ignore_check_constraints = ON; UPDATE two SET text = 'bad' WHERE n = 7;",
        )
        .expect("filled");
        if let Some(table) = table {
            let sql = "SELECT pgoffset, pgsize FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 2";
            let (at, size): (u64, usize) =
                db.query_row(sql, [table], |row| Ok((row.get(0)?, row.get(1)?))).expect("a leaf");
            drop(db);
            let mut file = OpenOptions::new().write(true).open(&path).expect("opened");
            file.seek(SeekFrom::Start(at)).expect("there");
            file.write_all(&vec![0; size]).expect("lost");
        }
        path
    }

    fn found(path: &Path) -> Found {
        let mut soundness = Soundness::of(path, None);
        loop {
            if let Some(found) = soundness.step() {
                assert_eq!(soundness.step(), None, "the next one begins in a day");
                return found;
            }
            assert!(soundness.at_work.is_some(), "it was looked through");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_page_that_is_lost_is_found_with_its_table() {
        for (lost, table) in [("one", "one"), ("two", "two"), ("two_text", "two")] {
            let dir = tempfile::tempdir().expect("a directory");
            let Found::Damaged(damage) = found(&database(dir.path(), Some(lost))) else { panic!("{lost}") };
            assert_eq!(damage.table.as_deref(), Some(table), "{lost}: {}", damage.said);
        }
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(
            found(&database(dir.path(), None)),
            Found::Sound,
            "a row that breaks a condition is no page"
        );
    }

    #[test]
    fn an_index_of_another_moment_than_its_table_is_found_where_the_table_is_ours() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = database(dir.path(), None);
        let db = Connection::open(&path).expect("opened");
        let pages = "SELECT name, pgoffset, pgsize FROM dbstat WHERE name IN ('two', 'two_text')";
        let of = |name: &str| -> Vec<(u64, usize)> {
            let mut select = db.prepare(&format!("{pages} AND name = '{name}'")).expect("read");
            let found = select.query_map([], |row| Ok((row.get(1)?, row.get(2)?))).expect("read");
            found.collect::<Result<_, _>>().expect("read")
        };
        let index = of("two_text");
        let older: Vec<u8> = std::fs::read(&path).expect("read");
        db.execute_batch("UPDATE two SET text = 'another' WHERE n = 9").expect("written");
        assert_eq!(of("two_text"), index, "the same pages");
        drop(db);
        let mut file = OpenOptions::new().write(true).open(&path).expect("opened");
        for (at, size) in index {
            file.seek(SeekFrom::Start(at)).expect("there");
            let from = usize::try_from(at).expect("small");
            file.write_all(&older[from..from + size]).expect("put back");
        }
        drop(file);
        let db = Connection::open(&path).expect("opened");
        let damage = first_damage(&db, Some("two")).expect("looked").expect("found");
        assert_eq!(damage.table.as_deref(), Some("two"), "{}", damage.said);
        assert!(damage.said.contains("two_text"), "{}", damage.said);
        assert_eq!(first_damage(&db, None).expect("looked"), None, "of another program's index nobody knows");
    }

    #[test]
    fn a_look_that_is_at_work_ends_with_the_program_which_folds_the_log() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = database(dir.path(), None);
        let db = Connection::open(&path).expect("opened");
        db.execute_batch("PRAGMA journal_mode = WAL; UPDATE two SET text = 'good' WHERE n = 7")
            .expect("written");
        for _ in 0..20 {
            let mut soundness = Soundness::of(&path, None);
            assert_eq!(soundness.step(), None);
        }
        drop(db);
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 1, "the file alone");
    }

    #[test]
    fn a_database_without_its_first_page_is_told_from_another_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = database(dir.path(), None);
        assert!(!has_lost_its_head(&path));
        let mut file = OpenOptions::new().write(true).open(&path).expect("opened");
        file.write_all(&[0; 4096]).expect("lost");
        assert!(has_lost_its_head(&path));
        let Found::Damaged(damage) = found(&path) else { panic!("sound") };
        assert_eq!(damage.table, None);
        for other in ["", "a file of somebody", &"x".repeat(1024), &"\0".repeat(700)] {
            std::fs::write(&path, other).expect("written");
            assert!(!has_lost_its_head(&path), "{other:?}");
        }
    }
}
