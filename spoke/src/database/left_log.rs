//! A log that lies beside another file than the one that it was written for. SQLite lays the log of a program that was killed
//! over whatever stands under the name of the database: over an older copy, too, that somebody has put there alone. Of some
//! tables there would be the newest pages then, of others old ones, and nobody is told.
//!
//! So the file counts how often it was noted (`PRAGMA user_version`, in its first page), and a file beside it has the last count
//! that is folded into it, with the number (the first salt) that its log then had: a log that was begun anew since, beside a file
//! that counts less, is not its own. A copy that came with its own log has an older one; one that was put into the open
//! database has its count in the log.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use exchange_endpoint::{durable_file, failpoint};
use rusqlite::{Connection, TransactionBehavior};

use super::DatabaseError;

/// The upper byte of `PRAGMA user_version` where it is this program's count; 0 as long as nobody has set it. Any other value is
/// another program's, and stays.
const OURS: u32 = 0x5300_0000;
/// The bits of the count.
const COUNT: u32 = 0x00ff_ffff;
/// Where the first page has it.
const PLACE: usize = 60;
/// How often a log may have been begun anew since it was noted. One of another file has a random number.
const BEGUN_ANEW: u32 = 1 << 16;

/// What the file beside the database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Noted {
    count: u32,
    log: u32,
}

/// Whether the log beside `database` was written for a later state of it than the file has. Call it before this process has
/// opened the database: to close a file takes the locks of SQLite away.
///
/// # Errors
/// A file that is there cannot be read.
pub fn is_of_another(database: &Path) -> io::Result<bool> {
    let database = real(database);
    let Some(noted) = noted(&database)? else { return Ok(false) };
    let Some(mut log) = open(&beside(&database, "-wal"))? else { return Ok(false) };
    let Some(number) = number_of(&mut log)? else { return Ok(false) };
    if !(1..=BEGUN_ANEW).contains(&number.wrapping_sub(noted.log)) {
        return Ok(false);
    }
    let mut header = [0; 64];
    let Some(mut file) = open(&database)? else { return Ok(false) };
    if file.read_exact(&mut header).is_err() {
        return Ok(false);
    }
    let is_older = |page: &[u8]| count_in(word(page, PLACE)).is_some_and(|count| count < noted.count);
    Ok(is_older(&header) && !last_first_page(&mut log)?.is_some_and(|page| is_older(&page)))
}

/// The database at `path`, which is open, counts once more, and that is noted beside it. The count; none where another program
/// has a use for its place, or somebody reads what is not folded into the file yet.
///
/// # Errors
/// SQLite's, or the file's.
pub fn note(connection: &mut Connection, path: &Path) -> Result<Option<u32>, DatabaseError> {
    let path = real(path);
    let failed = |source| DatabaseError::NotMade { path: beside(&path, NOTE), source };
    let Some(found) = count(connection)? else { return Ok(None) };
    let last = noted(&path).map_err(failed)?.map_or(0, |noted| noted.count);
    let next = found.max(last) % COUNT + 1;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "user_version", OURS | next)?;
    failpoint::commit(transaction)?;
    let folded = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? == row.get::<_, i64>(2)?);
    if !connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], folded)? {
        return Ok(None);
    }
    let Some(mut log) = open(&beside(&path, "-wal")).map_err(failed)? else { return Ok(None) };
    let Some(number) = number_of(&mut log).map_err(failed)? else { return Ok(None) };
    durable_file::replace(&beside(&path, NOTE), format!("{next} {number}\n").as_bytes(), 0o640)
        .map_err(failed)?;
    Ok(Some(next))
}

/// How often the open database was noted; none if its place is another program's.
///
/// # Errors
/// SQLite's.
pub fn count(connection: &Connection) -> Result<Option<u32>, DatabaseError> {
    let value: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(count_in(value.cast_unsigned()))
}

fn count_in(value: u32) -> Option<u32> {
    (value == 0 || value & !COUNT == OURS).then_some(value & COUNT)
}

/// The ending of the file with the note.
const NOTE: &str = ".opened";

fn noted(database: &Path) -> io::Result<Option<Noted>> {
    let mut text = String::new();
    let Some(mut file) = open(&beside(database, NOTE))? else { return Ok(None) };
    file.read_to_string(&mut text)?;
    let mut words = text.split_whitespace().map(str::parse);
    // what cannot be read is no note
    let (Some(Ok(count)), Some(Ok(log))) = (words.next(), words.next()) else { return Ok(None) };
    Ok(Some(Noted { count, log }))
}

/// SQLite, too, has the log beside the file that a link leads to.
fn real(database: &Path) -> PathBuf {
    std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned())
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(end);
    PathBuf::from(name)
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// The first salt of a log that has anything in it: it rises by one whenever the log is begun anew.
fn number_of(log: &mut File) -> io::Result<Option<u32>> {
    let mut header = [0; 32];
    log.rewind()?;
    match log.read_exact(&mut header) {
        Ok(()) => Ok(Some(word(&header, 16))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The beginning of the first page as `log` has it last.
fn last_first_page(log: &mut File) -> io::Result<Option<[u8; 64]>> {
    let mut header = [0; 32];
    log.rewind()?;
    log.read_exact(&mut header)?;
    let (size, salts) = (word(&header, 8), &header[16..24]);
    let (mut found, mut at, mut frame) = (None, 32_u64, [0; 24 + 64]);
    loop {
        log.seek(SeekFrom::Start(at))?;
        // the rest is of a former log, or cut
        if log.read_exact(&mut frame).is_err() || &frame[8..16] != salts {
            return Ok(found);
        }
        if word(&frame, 0) == 1 {
            found = frame[24..].try_into().ok();
        }
        at += 24 + u64::from(size);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn made(path: &Path) -> Connection {
        let connection = Connection::open(path).expect("opened");
        let sql =
            "PRAGMA journal_mode = WAL; CREATE TABLE a (b); CREATE TABLE c (d); INSERT INTO a VALUES (1)";
        connection.execute_batch(sql).expect("made");
        connection
    }

    /// A machine whose power goes: what stands on its disk is copied while the database is open.
    fn dies(from: &Path, to: &Path) {
        for end in ["", "-wal", NOTE] {
            fs::copy(beside(from, end), beside(to, end)).expect("copied");
        }
    }

    #[test]
    fn a_copy_put_alone_beside_the_log_of_the_dead_is_found() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let (path, dead, copy) = (at("a.db"), at("dead.db"), at("copy.db"));
        let mut running = made(&path);
        assert_eq!(note(&mut running, &path).expect("noted"), Some(1));
        fs::copy(&path, &copy).expect("copied");
        dies(&path, &at("pair.db"));
        assert_eq!(note(&mut running, &path).expect("noted"), Some(2));
        running.execute_batch("INSERT INTO a VALUES (2)").expect("written");
        dies(&path, &dead);
        assert!(!is_of_another(&dead).expect("read"), "its own log");
        fs::copy(&copy, &dead).expect("put in its place");
        assert!(is_of_another(&dead).expect("read"));
        fs::remove_file(beside(&dead, "-wal")).expect("moved away");
        assert!(!is_of_another(&dead).expect("read"), "no log");
        for end in ["", "-wal"] {
            fs::copy(beside(&at("pair.db"), end), beside(&dead, end)).expect("copied");
        }
        assert!(!is_of_another(&dead).expect("read"), "a copy with its own log");
    }

    #[test]
    fn a_copy_put_into_the_open_database_has_its_log() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, dead, copy) =
            (dir.path().join("a.db"), dir.path().join("dead.db"), dir.path().join("c.db"));
        let mut running = made(&path);
        note(&mut running, &path).expect("noted");
        running.execute("VACUUM INTO ?1", [copy.to_str()]).expect("copied");
        note(&mut running, &path).expect("noted");
        let from = Connection::open(&copy).expect("opened");
        let into = rusqlite::backup::Backup::new(&from, &mut running).expect("begun");
        into.run_to_completion(1000, std::time::Duration::ZERO, None).expect("put back");
        drop(into);
        running.execute_batch("INSERT INTO a VALUES (2)").expect("written");
        dies(&path, &dead);
        assert!(!is_of_another(&dead).expect("read"));
        assert_eq!(count(&running).expect("read"), Some(1));
        assert_eq!(note(&mut running, &path).expect("noted"), Some(3), "above every copy");
    }

    #[test]
    fn where_another_program_counts_nothing_is_noted() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.db");
        let mut running = made(&path);
        running.pragma_update(None, "user_version", 7).expect("set");
        assert_eq!(note(&mut running, &path).expect("looked"), None);
        let value: i32 = running.pragma_query_value(None, "user_version", |row| row.get(0)).expect("read");
        assert!(value == 7 && !beside(&path, NOTE).exists());
    }
}
