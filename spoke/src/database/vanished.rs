//! A table that is gone: whether another is it under another name, and rows that stand beside their table.
//!
//! A copy that somebody has made of a table has its columns, too, but not what it says now: taken for the table, it
//! would tell the hub old values as new ones.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::decisions::tables::{Table, tables};

use super::{
    DatabaseError,
    own_records::{self, Change, Sealable},
    rows,
    shape::{self, Part, quoted},
    triggers::stands_on,
    write,
};

/// What of ours stands on tables that are none of ours: of which table of ours they are, for SQLite takes triggers and
/// indexes along when a table gets another name.
pub(super) type Signs = BTreeMap<String, BTreeSet<String>>;

/// The signs there are. Look before the triggers are dropped.
pub(super) fn signs(connection: &Connection) -> Result<Signs, DatabaseError> {
    let mut ours: BTreeMap<String, String> = BTreeMap::new();
    for trigger in write::expected() {
        ours.insert(trigger.name.clone(), trigger.table().to_owned());
    }
    for part in shape::expected().iter().filter(|part| part.kind == "index") {
        ours.insert(part.name.clone(), stands_on(&part.sql).to_owned());
    }
    let mut signs = Signs::new();
    let mut statement =
        connection.prepare("SELECT name, tbl_name FROM sqlite_master WHERE type IN ('trigger', 'index')")?;
    let there = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for row in there {
        let (name, table) = row?;
        if let Some(of) = ours.get(&name).filter(|of| **of != table) {
            signs.entry(table).or_default().insert(of.clone());
        }
    }
    Ok(signs)
}

/// Gives the table of `part` its name again, if it is gone and another is it: by the `signs` it bears, or, if there are
/// none, because it is the only one with its columns and, of a table of the centre's rows, holds all that was sent last.
/// Returns tables that may be it and are not proven to, while something waits to be sent: whoever keeps them knows.
pub(super) fn take_back_name(
    connection: &Connection,
    part: &Part,
    signs: Option<&Signs>,
) -> Result<Vec<String>, DatabaseError> {
    let there = shape::parts(connection)?;
    match there.iter().find(|found| found.name == part.name) {
        Some(found) if found.kind == "table" => return Ok(Vec::new()),
        Some(found) => connection.execute_batch(&format!("DROP {} {}", found.kind, part.name))?,
        None => {}
    }
    let mut alike = Vec::new();
    for other in there.iter().filter(|other| other.kind == "table" && !shape::is_own(&other.name)) {
        if shape::has_columns_of(connection, part, &other.name)? {
            alike.push(&other.name);
        }
    }
    if let Some(signs) = signs {
        let bears = |other: &&&String| signs.get(**other).is_some_and(|of| of.contains(&part.name));
        if let Some(other) = alike.iter().find(bears) {
            rename(connection, other, &part.name)?;
        }
        return Ok(Vec::new());
    }
    let table = shape::table_of(&part.name);
    if let [other] = alike[..] {
        let Some(table) = table else {
            rename(connection, other, &part.name)?;
            return Ok(Vec::new());
        };
        connection.execute_batch("SAVEPOINT vanished")?;
        rename(connection, other, &part.name)?;
        let is_it = says_all_that_was_sent(connection, table, &part.name);
        if !matches!(is_it, Ok(true)) {
            connection.execute_batch("ROLLBACK TO vanished")?;
        }
        connection.execute_batch("RELEASE vanished")?;
        if matches!(is_it, Ok(true)) {
            return Ok(Vec::new());
        }
    }
    let waits = match table {
        Some(table) => connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM svod_change WHERE kind = ?1)",
            [table.name],
            |row| row.get(0),
        )?,
        None => false,
    };
    Ok(if waits { alike.into_iter().cloned().collect() } else { Vec::new() })
}

/// Whether `table`, which now bears its name or that of its lines, `name`, has the rows that it had, and these say what
/// was last sent of them.
fn says_all_that_was_sent(connection: &Connection, table: &Table, name: &str) -> Result<bool, DatabaseError> {
    if name == table.name {
        let sql = format!(
            "SELECT NOT EXISTS (SELECT 1 FROM {name} t WHERE NOT EXISTS (SELECT 1 FROM svod_record r WHERE r.kind = '{name}' \
             AND r.id = t.id)) AND NOT EXISTS (SELECT 1 FROM svod_record r WHERE r.kind = '{name}' AND NOT EXISTS \
             (SELECT 1 FROM {name} t WHERE t.id = r.id))"
        );
        if !connection.query_row(&sql, [], |row| row.get(0))? {
            return Ok(false);
        }
    }
    // of what waits to be sent nobody knows what it said: a copy may say something older
    let mut statement = connection
        .prepare("SELECT key FROM svod_record WHERE kind = ?1 AND state IN ('own', 'provisional')")?;
    let mut keys = statement.query([table.name])?;
    while let Some(row) = keys.next()? {
        let key = rows::record_id("svod_record", &row.get::<_, String>(0)?)?;
        let change = Change { kind: table.name.to_owned(), key, problem: None };
        if !matches!(own_records::look_at(connection, &change)?, Sealable::Nothing) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn rename(connection: &Connection, other: &str, name: &str) -> Result<(), DatabaseError> {
    let rename = format!("ALTER TABLE {} RENAME TO {name}", quoted(other));
    let Err(error) = connection.execute_batch(&rename) else { return Ok(()) };
    // SQLite also renames what views say of it, and will not while one of the centre's own is broken
    tracing::warn!(table = name, %error, "renamed without its views");
    let legacy = |on| format!("PRAGMA legacy_alter_table = {on}");
    connection.execute_batch(&legacy("ON"))?;
    let renamed = connection.execute_batch(&rename);
    connection.execute_batch(&legacy("OFF"))?;
    Ok(renamed?)
}

/// The name of a table for rows of `table` that do not fit it.
pub(super) fn beside(connection: &Connection, table: &str) -> Result<String, DatabaseError> {
    let mut former = format!("former_{table}");
    while connection.table_exists(None, former.as_str())? {
        former.push('_');
    }
    Ok(former)
}

/// Tables made by [`beside`] that are still there.
///
/// # Errors
/// SQLite's.
pub(super) fn still_beside(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'former_*'")?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let is_of_ours = |name: &String| {
        let of = name.trim_start_matches("former_").trim_end_matches('_');
        tables()
            .iter()
            .any(|table| table.name == of || table.lines.as_ref().is_some_and(|lines| lines.name == of))
    };
    Ok(names.into_iter().filter(is_of_ours).collect())
}
