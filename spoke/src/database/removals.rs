//! Records that end many at once, most of a table: dropped and made again by a reload, or deleted by mistake. Nothing
//! of it is sent until the rows are back or a person confirms it (docs/adr/0013).
//!
//! Rows that no trigger saw go, whoever took them away, are put back as they were sent; if they are most of a table, or cannot
//! be, their end is held: absence is no deletion.
//!
//! Rows that come back by their ids are their records still; of rows that were deleted by statement and inserted again,
//! those are that say exactly what was sent. Lines that are gone from most rows of a table are held in the same way.

use std::collections::BTreeMap;

use exchange_format::{
    position::Digest,
    record::{Form, RecordId},
};
use rusqlite::{Connection, params};

use crate::decisions::{
    mapping,
    tables::{Table, tables},
};

use super::{
    DatabaseError,
    own_records::{self, Change},
    publications::read_body,
    row_id::RowId,
    rows,
};

/// Fewer than these are taken for what somebody meant.
const MANY: u64 = 10;
/// Removals that were sent so long ago, and later, count with those that wait: a program may delete row by row.
const LATELY: &str = "-10 minutes";
/// The problem of a change that is held.
pub(super) const HELD: &str = "gone with many others";

/// The problem of a record whose row went past the triggers: its end waits for a person's word.
pub(super) const UNSEEN: &str = "gone past the triggers";
/// Of `svod_change` as it stands alone: what is held.
pub(super) const IS_HELD: &str =
    "problem IS NOT NULL AND problem IN ('gone with many others', 'gone past the triggers')";

/// What [`weigh`] came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Weighed {
    /// The tables of which something is held.
    pub held: Vec<&'static str>,
    /// The queue is another now.
    pub changed: bool,
}

/// Looks at what waits to be sent and is a removal; holds what is most of a table, lets go what is no more.
///
/// # Errors
/// SQLite's.
pub fn weigh(connection: &Connection) -> Result<Weighed, DatabaseError> {
    let mut weighed = Weighed::default();
    for table in tables().iter().filter(|table| table.own.is_some()) {
        let waiting = "SELECT EXISTS (SELECT 1 FROM svod_change WHERE kind = ?1)";
        if connection.prepare_cached(waiting)?.query_row([table.name], |row| row.get(0))? {
            let (is_held, changed) = hold(connection, table)?;
            weighed.held.extend(is_held.then_some(table.name));
            weighed.changed |= changed;
        }
    }
    Ok(weighed)
}

/// How many records of `table` were ended by packets of the last minutes, those of a snapshot apart.
fn ended_lately(connection: &Connection, table: &Table) -> Result<u64, DatabaseError> {
    let Some(kind) = table.own else { return Ok(0) };
    let sql = format!(
        "SELECT count(*) FROM svod_sent s WHERE kind = ?1 AND form = 'tombstone' AND (epoch, seq) IN (SELECT epoch, seq \
         FROM svod_packet WHERE direction = 'out' AND answers IS NULL AND kind = 'DT' AND \
         julianday(at) > julianday('now', '{LATELY}'))"
    );
    Ok(connection.prepare_cached(&sql)?.query_row([kind.name()], |row| row.get(0))?)
}

/// Whether `n` records of `table` that end now are many, and most of it. What was sent is counted only if they may be: a
/// change costs what it is, and not what the table is.
fn is_most(connection: &Connection, table: &Table, n: usize) -> Result<bool, DatabaseError> {
    let Some(kind) = table.own.filter(|_| n > 0) else { return Ok(false) };
    let ended = n as u64 + ended_lately(connection, table)?;
    if ended < MANY {
        return Ok(false);
    }
    let sql = "SELECT count(*) FROM svod_sent WHERE kind = ?1 AND form = 'live'";
    let live: u64 = connection.prepare_cached(sql)?.query_row([kind.name()], |row| row.get(0))?;
    Ok(ended * 2 >= live + ended - n as u64)
}

/// Whether anything of `table` is held now, and whether the queue is another now.
fn hold(connection: &Connection, table: &'static Table) -> Result<(bool, bool), DatabaseError> {
    let back = came_back_unseen(connection, table)?;
    let mut gone = gone(connection, table)?;
    let before = gone.len();
    if is_most(connection, table, before)? {
        reunite(connection, table, &mut gone)?;
    }
    let reunited = gone.len() < before;
    let mut held = if is_most(connection, table, gone.len())? { gone } else { Vec::new() };
    let emptied = emptied(connection, table)?;
    if is_most(connection, table, emptied.len())? {
        held.extend(emptied);
    }
    held.sort_unstable();
    let sql = "SELECT key FROM svod_change WHERE kind = ?1 AND problem = ?2 ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map([table.name, HELD], |row| row.get(0))?;
    let marked: Vec<String> = found.collect::<Result<_, _>>()?;
    let (is_held, reunited) = (!held.is_empty() || waits_unseen(connection, table)?, reunited || back);
    if held == marked {
        return Ok((is_held, reunited));
    }
    let sql = "UPDATE svod_change SET problem = NULL WHERE kind = ?1 AND problem = ?2";
    connection.prepare_cached(sql)?.execute([table.name, HELD])?;
    let sql = "UPDATE svod_change SET problem = ?3 WHERE kind = ?1 AND key = ?2";
    let mut mark = connection.prepare_cached(sql)?;
    for key in &held {
        mark.execute([table.name, key, HELD])?;
    }
    Ok((is_held, true))
}

/// Whether the end of a record of `table` that no trigger saw waits for a person's word.
///
/// # Errors
/// SQLite's.
pub fn waits_unseen(connection: &Connection, table: &Table) -> Result<bool, DatabaseError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM svod_change WHERE kind = ?1 AND problem = ?2)";
    Ok(connection.prepare_cached(sql)?.query_row([table.name, UNSEEN], |row| row.get(0))?)
}

/// Whether the end of any record that no trigger saw waits for a person's word.
///
/// # Errors
/// SQLite's.
pub fn waits_unseen_anywhere(connection: &Connection) -> Result<bool, DatabaseError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM svod_change WHERE problem = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([UNSEEN], |row| row.get(0))?)
}

/// Rows that no trigger saw go nor come back are gone no longer. Whether there are any.
fn came_back_unseen(connection: &Connection, table: &Table) -> Result<bool, DatabaseError> {
    let sql = format!(
        "UPDATE svod_change SET problem = NULL WHERE kind = ?1 AND problem = ?2 AND EXISTS (SELECT 1 FROM svod_record r \
         JOIN {} t ON t.id = r.id WHERE r.kind = svod_change.kind AND r.key = svod_change.key)",
        table.name
    );
    Ok(connection.prepare_cached(&sql)?.execute([table.name, UNSEEN])? > 0)
}

/// Rows of `table` that were sent, are gone and went past the triggers: they are put back as they were sent. What cannot be
/// waits for a person's word, and so do all if they are most of the table, which may be about to be loaded again. Returns how
/// many there are. Call it while the triggers are off.
///
/// # Errors
/// SQLite's.
pub(super) fn bring_back(connection: &Connection, table: &'static Table) -> Result<usize, DatabaseError> {
    let Some(kind) = table.own else { return Ok(0) };
    let name = table.name;
    let mut with_record = connection.prepare(&format!(
        "SELECT r.key FROM svod_record r JOIN svod_sent s ON s.kind = '{kind}' AND s.key = r.key AND s.form = 'live' \
         WHERE r.kind = '{name}' AND r.state IN ('own', 'provisional') AND NOT EXISTS (SELECT 1 FROM {name} t WHERE t.id = r.id) \
         AND NOT EXISTS (SELECT 1 FROM svod_change c WHERE c.kind = r.kind AND c.key = r.key)"
    ))?;
    let mut keys: Vec<String> = with_record.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    keys.extend(own_records::sent_without_record(connection, table)?);
    if keys.is_empty() {
        return Ok(0);
    }
    let waits = waits_unseen(connection, table)? || is_most(connection, table, keys.len())?;
    let mut hold =
        connection.prepare_cached("INSERT INTO svod_change (kind, key, problem) VALUES (?1, ?2, ?3)")?;
    for key in &keys {
        hold.execute([name, key, UNSEEN])?;
    }
    if !waits {
        put_back(connection, table)?;
    }
    Ok(keys.len())
}

/// Keys of what was sent of `table`, whose row is not there and of which nobody has confirmed that it has ended.
fn gone(connection: &Connection, table: &Table) -> Result<Vec<String>, DatabaseError> {
    let Some(kind) = table.own else { return Ok(Vec::new()) };
    let name = table.name;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT c.key FROM svod_change c JOIN svod_sent s ON s.kind = '{kind}' AND s.key = c.key AND s.form = 'live' \
         WHERE c.kind = '{name}' AND c.confirmed = 0 AND c.problem IS NOT '{UNSEEN}' AND NOT EXISTS (SELECT 1 FROM svod_record r JOIN {name} t ON t.id = r.id \
         WHERE r.kind = c.kind AND r.key = c.key)"
    ))?;
    let found = statement.query_map([], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Keys of the rows of `table` that have lost all the lines that were sent of them.
fn emptied(connection: &Connection, table: &Table) -> Result<Vec<String>, DatabaseError> {
    let (Some(kind), Some(lines)) = (table.own, &table.lines) else { return Ok(Vec::new()) };
    let name = table.name;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT c.key FROM svod_change c JOIN svod_record r ON r.kind = c.kind AND r.key = c.key JOIN {name} t ON t.id = r.id \
         WHERE c.kind = '{name}' AND c.confirmed = 0 AND r.state IN ('own', 'provisional') \
         AND NOT EXISTS (SELECT 1 FROM {} l WHERE l.{} = r.id)",
        lines.name, lines.parent
    ))?;
    let mut keys: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if (keys.len() as u64) < MANY {
        return Ok(Vec::new());
    }
    let mut had_lines = Vec::new();
    for key in keys.drain(..) {
        let sent = own_records::sent(connection, kind, rows::record_id("svod_change", &key)?)?;
        if let Some(sent) = sent.filter(|sent| sent.record.form == Form::Live)
            && !read_body(&sent.record)?.lines().is_empty()
        {
            had_lines.push(key);
        }
    }
    Ok(had_lines)
}

/// New rows that say what one of the records `gone` said are that record; those are gone no longer.
fn reunite(
    connection: &Connection,
    table: &'static Table,
    gone: &mut Vec<String>,
) -> Result<(), DatabaseError> {
    let Some(kind) = table.own else { return Ok(()) };
    let mut by_hash: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let sql = "SELECT sha256 FROM svod_sent WHERE kind = ?1 AND key = ?2 AND NOT EXISTS (SELECT 1 FROM svod_record r \
               WHERE r.kind = ?3 AND r.key = ?2)";
    let mut said = connection.prepare_cached(sql)?;
    for key in gone.iter() {
        let mut found = said.query([kind.name(), key, table.name])?;
        if let Some(row) = found.next()? {
            by_hash.entry(row.get(0)?).or_default().push(key.clone());
        }
    }
    let mut new = connection.prepare_cached(
        "SELECT r.id, r.key FROM svod_record r JOIN svod_change c ON c.kind = r.kind AND c.key = r.key WHERE r.kind = ?1 \
         AND r.state = 'own' AND NOT EXISTS (SELECT 1 FROM svod_sent s WHERE s.kind = ?2 AND s.key = r.key) ORDER BY r.id",
    )?;
    let new: Vec<(RowId, String)> = new
        .query_map([table.name, kind.name()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, key) in new {
        let Some(id) = id.into_text() else { continue };
        let Some(Ok(body)) = own_records::body_of_row(connection, table, &id)? else { continue };
        let hash = Digest::of(&body.to_xml()).to_string();
        let Some(former) = by_hash.get_mut(&hash).and_then(Vec::pop) else { continue };
        forget(connection, table, &key)?;
        forget(connection, table, &former)?;
        give(connection, table, &id, &former)?;
        gone.retain(|key| *key != former);
    }
    Ok(())
}

/// The row `id` is the record `key`, as it was sent.
pub(super) fn give(connection: &Connection, table: &Table, id: &str, key: &str) -> Result<(), DatabaseError> {
    let Some(kind) = table.own else { return Ok(()) };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO svod_record (kind, id, key, state, version, form, sha256, packet) \
             SELECT ?1, ?2, key, ?4, version, form, sha256, (SELECT name FROM svod_packet p WHERE p.direction = 'out' \
             AND p.answers IS NULL AND p.epoch = s.epoch AND p.seq = s.seq) FROM svod_sent s WHERE kind = ?5 AND key = ?3",
        )?
        .execute(params![table.name, id, key, own_records::told_state(table.name).word(), kind.name()])?;
    Ok(())
}

fn forget(connection: &Connection, table: &Table, key: &str) -> Result<(), DatabaseError> {
    let change =
        Change { kind: table.name.to_owned(), key: rows::record_id("svod_change", key)?, problem: None };
    own_records::forget(connection, &change)
}

/// How many records of `table` are held.
///
/// # Errors
/// SQLite's.
pub fn count(connection: &Connection, table: &Table) -> Result<u64, DatabaseError> {
    let sql = format!("SELECT count(*) FROM svod_change WHERE kind = ?1 AND {IS_HELD}");
    Ok(connection.prepare_cached(&sql)?.query_row([table.name], |row| row.get(0))?)
}

/// What is held of `table` is meant so: it is sent. Returns how much.
///
/// # Errors
/// SQLite's.
pub fn confirm(connection: &Connection, table: &Table) -> Result<usize, DatabaseError> {
    let sql = format!("UPDATE svod_change SET problem = NULL, confirmed = 1 WHERE kind = ?1 AND {IS_HELD}");
    Ok(connection.prepare_cached(&sql)?.execute([table.name])?)
}

/// What is held of `table` stands in its rows again, as it was sent last; a row whose id nobody knows any more has its
/// record's key as id. Returns how much; what names a row that is not there stays held.
///
/// # Errors
/// SQLite's.
pub fn put_back(connection: &Connection, table: &'static Table) -> Result<usize, DatabaseError> {
    let Some(kind) = table.own else { return Ok(0) };
    let sql = format!(
        "SELECT c.key, (SELECT id FROM svod_record r WHERE r.kind = c.kind AND r.key = c.key) FROM svod_change c \
         WHERE c.kind = ?1 AND {IS_HELD} ORDER BY c.key"
    );
    let held: Vec<(String, Option<RowId>)> = connection
        .prepare(&sql)?
        .query_map([table.name], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut done = 0;
    for (key, id) in held {
        let record: RecordId = rows::record_id("svod_change", &key)?;
        let Some(sent) = own_records::sent(connection, kind, record)? else { continue };
        let said = mapping::row(table, &read_body(&sent.record)?);
        let Some(said) = rows::resolve(connection, table, &said)? else { continue };
        let id = id.and_then(RowId::into_text).unwrap_or_else(|| key.clone());
        if rows::as_it_stands(connection, table, &id)?.is_some() {
            // what else of the row was changed meanwhile is sent as it stands
            rows::write_lines(connection, table, &id, &said)?;
        } else {
            rows::write(connection, table, &id, None, &said)?;
            give(connection, table, &id, &key)?;
        }
        let sql = "UPDATE svod_change SET problem = NULL WHERE kind = ?1 AND key = ?2";
        connection.prepare_cached(sql)?.execute([table.name, &key])?;
        done += 1;
    }
    Ok(done)
}
