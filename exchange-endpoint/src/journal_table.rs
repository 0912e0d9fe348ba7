//! The journal in a participant's database: append-only, one row an entry of
//! [`exchange_format::journal`], with its RFC 6962 leaf hash.
//!
//! The hub's table is `journal`, a centre's `svod_journal`. Rows hold codes, ids and digests, never personal
//! data. An entry is written in the transaction of what it tells about, so that either both are there or
//! neither.

use exchange_format::{
    journal::{Entry, EntryError, Tree},
    position::Digest,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};

/// The hub's table.
pub const HUB_TABLE: &str = "journal";
/// A centre's table.
pub const CENTRE_TABLE: &str = "svod_journal";

/// What is to be entered; its number and leaf are given by [`append`].
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// When.
    pub at: Timestamp,
    /// Who: a participant's code or an operator's account.
    pub actor: &'a str,
    /// What: a word such as `packet.applied`.
    pub event: &'a str,
    /// About what: a packet's name, a record's id.
    pub subject: &'a str,
    /// By which rule; may be empty.
    pub rule: &'a str,
    /// Digests of what it is about.
    pub digests: &'a [Digest],
}

/// Why an entry was not written or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The database.
    #[error("journal: {0}")]
    Database(#[from] rusqlite::Error),
    /// A field is too long or has a control character.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A stored entry does not have the leaf hash stored with it, or cannot be read.
    #[error("journal entry {n} was altered")]
    Altered {
        /// Its number.
        n: u64,
    },
    /// Numbers are missing.
    #[error("journal entry {n} is missing")]
    Missing {
        /// The first that is missing.
        n: u64,
    },
}

/// The SQL script that makes `table` with its guards. For a fresh database; runs on SQLite 3.26 and later.
pub fn schema(table: &str) -> String {
    format!(
        "CREATE TABLE {table} (
  n INTEGER PRIMARY KEY CHECK (n >= 0),
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  event TEXT NOT NULL,
  subject TEXT NOT NULL,
  rule TEXT NOT NULL,
  digests TEXT NOT NULL,
  leaf TEXT NOT NULL CHECK (length(leaf) = 64)
);
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, 'журнал только дополняется / the journal is append-only: UPDATE {table}'); END;
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, 'журнал только дополняется / the journal is append-only: DELETE {table}'); END;
CREATE TRIGGER {table}_in_order BEFORE INSERT ON {table}
WHEN NEW.n IS NOT (SELECT coalesce(max(n) + 1, 0) FROM {table})
BEGIN SELECT RAISE(ABORT, 'журнал только дополняется / the journal is append-only: INSERT {table}'); END;
"
    )
}

/// Enters `event` at the end of `table` and returns its number, from 0. Call it inside the transaction of
/// what happened.
pub fn append(db: &Connection, table: &str, event: &Event<'_>) -> Result<u64, JournalError> {
    let mut last = db.prepare_cached(&format!("SELECT coalesce(max(n) + 1, 0) FROM {table}"))?;
    let entry = Entry {
        n: last.query_one([], number)?,
        at: event.at,
        actor: event.actor.to_owned(),
        event: event.event.to_owned(),
        subject: event.subject.to_owned(),
        rule: event.rule.to_owned(),
        digests: event.digests.to_vec(),
    };
    let leaf = entry.leaf()?;
    let mut insert = db.prepare_cached(&format!(
        "INSERT INTO {table} (n, at, actor, event, subject, rule, digests, leaf) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    ))?;
    let digests = entry.digests.iter().map(Digest::to_string).collect::<Vec<_>>().join(" ");
    insert.execute((
        entry.n.cast_signed(),
        entry.at.to_string(),
        &entry.actor,
        &entry.event,
        &entry.subject,
        &entry.rule,
        digests,
        leaf.to_string(),
    ))?;
    Ok(entry.n)
}

/// The entry `n`, if there is one, with its leaf hash proved right.
pub fn read(db: &Connection, table: &str, n: u64) -> Result<Option<Entry>, JournalError> {
    let mut select = db.prepare_cached(&format!(
        "SELECT n, at, actor, event, subject, rule, digests, leaf FROM {table} WHERE n = ?1"
    ))?;
    select
        .query_row([n.cast_signed()], |row| Ok(stored(row)))
        .optional()?
        .map(|entry| entry.ok_or(JournalError::Altered { n }))
        .transpose()
}

/// Reads all entries of `table` in order and proves each leaf hash; `each` gets entry and leaf. Returns how
/// many there are.
pub fn verify(
    db: &Connection,
    table: &str,
    mut each: impl FnMut(&Entry, Digest),
) -> Result<u64, JournalError> {
    let mut select = db.prepare(&format!(
        "SELECT n, at, actor, event, subject, rule, digests, leaf FROM {table} ORDER BY n"
    ))?;
    let mut rows = select.query([])?;
    let mut n = 0;
    while let Some(row) = rows.next()? {
        if number(row)? != n {
            return Err(JournalError::Missing { n });
        }
        let entry = stored(row).ok_or(JournalError::Altered { n })?;
        each(&entry, entry.leaf()?);
        n += 1;
    }
    Ok(n)
}

/// Proves `limit` entries of `table` from the entry `from` on, and hands their leaves to `each`, up to the first that was altered, or
/// is missing before others; which.
///
/// # Errors
/// SQLite's.
pub fn altered(
    db: &Connection,
    table: &str,
    (from, limit): (u64, u32),
    mut each: impl FnMut(Digest),
) -> Result<Option<u64>, JournalError> {
    let mut select = db.prepare_cached(&format!(
        "SELECT n, at, actor, event, subject, rule, digests, leaf FROM {table} WHERE n >= ?1 ORDER BY n LIMIT ?2"
    ))?;
    let mut rows = select.query((from.cast_signed(), limit))?;
    let mut next = from;
    while let Some(row) = rows.next()? {
        let Some(entry) = stored(row).filter(|entry| entry.n == next) else { return Ok(Some(next)) };
        each(entry.leaf()?);
        next += 1;
    }
    Ok(None)
}

/// The leaves of `table` from the entry `from` on, up to the first that is missing or no leaf.
///
/// # Errors
/// SQLite's.
pub fn leaves_from(db: &Connection, table: &str, from: u64) -> Result<Vec<Digest>, JournalError> {
    let mut leaves = Vec::new();
    let end = for_each_leaf(db, table, from, |leaf| leaves.push(leaf))?;
    debug_assert_eq!(end, from + leaves.len() as u64);
    Ok(leaves)
}

/// Whether `table` begins with the entries of which `tree` is made; none of it was cut off or altered then.
///
/// # Errors
/// SQLite's.
pub fn begins_with(db: &Connection, table: &str, tree: &Tree) -> Result<bool, JournalError> {
    let mut found = Tree::default();
    for_each_leaf(db, table, 0, |leaf| {
        if found.size() < tree.size() {
            found.push(leaf);
        }
    })?;
    Ok(found == *tree)
}

/// The entry that a journal goes on with in a database that was put back from a copy: what the watermark knew until then is
/// another journal, whose subtrees its digests name.
pub const BEGUN_AGAIN: &str = "journal.begun_again";

/// Whether the journal `table`, which does not begin as `tree` does, has an entry that says so.
///
/// # Errors
/// SQLite's.
pub fn is_begun_again(db: &Connection, table: &str, tree: &Tree) -> Result<bool, JournalError> {
    let digests: Vec<String> = tree.frontier().iter().map(ToString::to_string).collect();
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE event = ?1 AND digests = ?2)");
    Ok(db.prepare_cached(&sql)?.query_row([BEGUN_AGAIN, &digests.join(" ")], |row| row.get(0))?)
}

fn for_each_leaf(
    db: &Connection,
    table: &str,
    from: u64,
    mut each: impl FnMut(Digest),
) -> Result<u64, JournalError> {
    let mut select = db.prepare_cached(&format!("SELECT n, leaf FROM {table} WHERE n >= ?1 ORDER BY n"))?;
    let mut rows = select.query([from.cast_signed()])?;
    let mut next = from;
    while let Some(row) = rows.next()? {
        let leaf = row.get::<_, String>(1).ok().and_then(|text| text.parse().ok());
        let Some(leaf) = leaf.filter(|_| number(row).is_ok_and(|n| n == next)) else { break };
        each(leaf);
        next += 1;
    }
    Ok(next)
}

/// Column `n`, which the schema keeps from being negative.
fn number(row: &Row<'_>) -> rusqlite::Result<u64> {
    row.get::<_, i64>(0).map(i64::cast_unsigned)
}

/// The entry in `row`; none if a column does not parse or the leaf is another entry's.
fn stored(row: &Row<'_>) -> Option<Entry> {
    let text = |column: usize| row.get::<_, String>(column).ok();
    let digests = text(6)?;
    let entry = Entry {
        n: number(row).ok()?,
        at: text(1)?.parse().ok()?,
        actor: text(2)?,
        event: text(3)?,
        subject: text(4)?,
        rule: text(5)?,
        digests: digests.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?,
    };
    (entry.leaf().ok()?.to_string() == text(7)?).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(subject: &str) -> Event<'_> {
        Event {
            at: "2026-11-21T08:00:00Z".parse().expect("a moment"),
            actor: "4200014",
            event: "packet.applied",
            subject,
            rule: "",
            digests: &[],
        }
    }

    fn journal() -> Connection {
        let db = Connection::open_in_memory().expect("memory");
        db.execute_batch(&schema(CENTRE_TABLE)).expect("the schema is SQL");
        for subject in ["one", "two", "three"] {
            append(&db, CENTRE_TABLE, &event(subject)).expect("appended");
        }
        db
    }

    #[test]
    fn entries_are_numbered_from_nought_and_proved() {
        let db = journal();
        let digests = [Digest::of(b"a"), Digest::of(b"b")];
        let n = append(&db, CENTRE_TABLE, &Event { digests: &digests, ..event("four") }).expect("appended");
        assert_eq!(n, 3);
        let entry = read(&db, CENTRE_TABLE, 3).expect("read").expect("there");
        assert_eq!((entry.subject.as_str(), entry.digests.as_slice()), ("four", &digests[..]));
        assert_eq!(read(&db, CENTRE_TABLE, 4).expect("read"), None);
        let mut leaves = Vec::new();
        let count = verify(&db, CENTRE_TABLE, |entry, leaf| leaves.push((entry.n, leaf))).expect("sound");
        assert_eq!((count, leaves.len()), (4, 4));
        assert_eq!(leaves[3], (3, entry.leaf().expect("a leaf")));
    }

    #[test]
    fn a_tree_of_the_leaves_tells_what_was_cut_off_or_altered() {
        let db = journal();
        let mut tree = Tree::default();
        for leaf in leaves_from(&db, CENTRE_TABLE, 0).expect("read") {
            tree.push(leaf);
        }
        append(&db, CENTRE_TABLE, &event("four")).expect("appended");
        assert_eq!(leaves_from(&db, CENTRE_TABLE, 3).expect("read").len(), 1);
        assert!(begins_with(&db, CENTRE_TABLE, &Tree::default()).expect("read"));
        assert!(begins_with(&db, CENTRE_TABLE, &tree).expect("read"), "more has come since");
        for trigger in ["no_update", "no_delete", "in_order"] {
            db.execute_batch(&format!("DROP TRIGGER svod_journal_{trigger}")).expect("dropped");
        }
        db.execute_batch("DELETE FROM svod_journal WHERE n >= 2").expect("cut");
        assert_eq!(verify(&db, CENTRE_TABLE, |_, _| ()).expect("sound in itself"), 2);
        assert!(!begins_with(&db, CENTRE_TABLE, &tree).expect("read"));
        append(&db, CENTRE_TABLE, &event("other")).expect("appended");
        assert!(!begins_with(&db, CENTRE_TABLE, &tree).expect("read"), "as long, and another");
        db.execute_batch("DELETE FROM svod_journal WHERE n = 1").expect("a hole");
        assert_eq!(leaves_from(&db, CENTRE_TABLE, 0).expect("read").len(), 1);
    }

    #[test]
    fn nothing_entered_can_be_changed_with_sql() {
        let db = journal();
        let leaf = "0".repeat(64);
        for sql in [
            "UPDATE svod_journal SET actor = 'x'".to_owned(),
            "DELETE FROM svod_journal WHERE n = 2".to_owned(),
            format!("INSERT OR REPLACE INTO svod_journal VALUES (1, '', '', '', '', '', '', '{leaf}')"),
            format!("INSERT INTO svod_journal VALUES (7, '', '', '', '', '', '', '{leaf}')"),
        ] {
            let error = db.execute_batch(&sql).expect_err("refused");
            assert!(error.to_string().contains("append-only"), "{sql}: {error}");
        }
        assert_eq!(verify(&db, CENTRE_TABLE, |_, _| ()).expect("sound"), 3);
    }

    #[test]
    fn what_was_changed_past_the_guards_is_found() {
        for (sql, found) in [
            ("UPDATE svod_journal SET subject = 'x' WHERE n = 1", "journal entry 1 was altered"),
            ("UPDATE svod_journal SET at = 'never' WHERE n = 2", "journal entry 2 was altered"),
            ("DELETE FROM svod_journal WHERE n = 1", "journal entry 1 is missing"),
        ] {
            let db = journal();
            for trigger in ["no_update", "no_delete"] {
                db.execute_batch(&format!("DROP TRIGGER svod_journal_{trigger}")).expect("dropped");
            }
            db.execute_batch(sql).expect("unguarded");
            let error = verify(&db, CENTRE_TABLE, |_, _| ()).expect_err("found");
            assert_eq!(error.to_string(), found);
            let mut right = 0;
            let n = altered(&db, CENTRE_TABLE, (0, 10), |_| right += 1).expect("read");
            assert_eq!(n, Some(right));
            assert!(found.contains(&format!("entry {right} ")), "{found}");
            assert_eq!(altered(&db, CENTRE_TABLE, (0, 1), |_| ()).expect("read"), None, "a step at a time");
        }
    }

    #[test]
    fn an_entry_goes_with_its_transaction() {
        let mut db = journal();
        let transaction = db.transaction().expect("begun");
        append(&transaction, CENTRE_TABLE, &event("four")).expect("appended");
        transaction.rollback().expect("rolled back");
        assert_eq!(verify(&db, CENTRE_TABLE, |_, _| ()).expect("sound"), 3);
    }

    #[test]
    fn a_line_break_cannot_be_smuggled_in() {
        let db = journal();
        let error = append(&db, CENTRE_TABLE, &event("one\ntwo")).expect_err("refused");
        assert!(matches!(error, JournalError::Entry(_)));
    }
}
