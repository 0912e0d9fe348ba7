//! What was sent of each record, and what the hub made of it.

use exchange_format::{
    answer::{RecordLine, RecordOutcome, Words},
    packet::lot,
    position::{Digest, Position},
    record::{Form, Kind, Record, RecordId},
};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::decisions::{picture::State, tables};

use super::{DatabaseError, own_records::told_state};

/// Where the body of what was sent is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// By itself.
    Alone,
    /// In this lot of a snapshot, which is [kept](keep_lot) when it is full.
    InLot(i64),
}

/// Keeps `record`, whose body has the hash `sha256` (hexadecimal), as what was last sent, in the packet at `position`.
///
/// # Errors
/// SQLite's.
pub fn keep(
    connection: &Connection,
    record: &Record,
    sha256: &str,
    position: Position,
    kept: Kept,
) -> Result<(), DatabaseError> {
    let (lot, body) = match kept {
        Kept::Alone => (None, Some(&record.body)),
        Kept::InLot(n) => (Some(n), None),
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO svod_sent (kind, key, version, form, sha256, epoch, seq, lot, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            record.kind.name(),
            record.key.to_string(),
            record.version,
            record.form.name(),
            sha256,
            position.epoch.get(),
            position.seq.get(),
            lot,
            body,
        ])?;
    Ok(())
}

/// The number of the next lot.
///
/// # Errors
/// SQLite's.
pub fn next_lot(connection: &Connection) -> Result<i64, DatabaseError> {
    Ok(connection.query_row("SELECT coalesce(max(n), 0) + 1 FROM svod_lot", [], |row| row.get(0))?)
}

/// Keeps the lot `n`.
///
/// # Errors
/// SQLite's.
pub fn keep_lot(connection: &Connection, n: i64, packed: &[u8]) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO svod_lot (n, packed) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![n, packed])?;
    Ok(())
}

/// Drops the lots older than `first` in which nothing is any more that was sent last.
///
/// # Errors
/// SQLite's.
pub fn drop_lots_before(connection: &Connection, first: i64) -> Result<(), DatabaseError> {
    let sql = "DELETE FROM svod_lot WHERE n < ?1 AND n NOT IN (SELECT lot FROM svod_sent WHERE lot < ?1)";
    connection.execute(sql, [first])?;
    Ok(())
}

/// What was last sent of a record, but for its body.
#[derive(Debug, Clone)]
pub struct Last {
    /// Its version.
    pub version: u32,
    /// Its form.
    pub form: Form,
    /// The hash of its body.
    pub hash: Digest,
    /// The packet that carried it.
    pub packet: String,
    /// Whether it is part of the current epoch of our stream: what is lost goes into no later snapshot.
    pub is_of_epoch: bool,
}

const CORRUPT: fn(&'static str) -> DatabaseError = |what| DatabaseError::Corrupt { table: "svod_sent", what };

/// What was last sent of the record `key`.
///
/// # Errors
/// SQLite's.
pub fn last(connection: &Connection, kind: Kind, key: RecordId) -> Result<Option<Last>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT version, form, sha256, (SELECT name FROM svod_packet p WHERE p.direction = 'out' AND p.answers IS NULL \
         AND p.peer = (SELECT value FROM svod_meta WHERE name = 'hub') AND p.epoch = s.epoch AND p.seq = s.seq), \
         s.epoch IS (SELECT epoch FROM svod_stream WHERE direction = 'out') \
         FROM svod_sent s WHERE kind = ?1 AND key = ?2",
    )?;
    let found = statement.query_row(params![kind.name(), key.to_string()], |row| {
        Ok((
            row.get(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            row.get(4)?,
        ))
    });
    let Some((version, form, hash, packet, is_of_epoch)) = found.optional()? else { return Ok(None) };
    let form = form.parse().map_err(|_| CORRUPT("a form"))?;
    let hash = hash.parse().map_err(|_| CORRUPT("a hash"))?;
    Ok(Some(Last { version, form, hash, packet, is_of_epoch }))
}

/// The record that `last` tells of, body and all.
///
/// # Errors
/// SQLite's; [`DatabaseError::Corrupt`] if what is kept is not what was sent.
pub fn record(
    connection: &Connection,
    kind: Kind,
    key: RecordId,
    last: &Last,
) -> Result<Record, DatabaseError> {
    let sql = "SELECT s.body, l.packed FROM svod_sent s LEFT JOIN svod_lot l ON l.n = s.lot WHERE kind = ?1 AND key = ?2";
    let (body, packed): (Option<Vec<u8>>, Option<Vec<u8>>) = connection
        .prepare_cached(sql)?
        .query_row(params![kind.name(), key.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let body = match (body, packed) {
        (Some(body), _) => body,
        (None, Some(packed)) => {
            let found = lot::find(kind, key, &packed).map_err(|_| CORRUPT("a lot"))?;
            found.ok_or(CORRUPT("a record in its lot"))?.body
        }
        (None, None) => return Err(CORRUPT("a body")),
    };
    let record = Record { kind, key, version: last.version, form: last.form, body, signature: None };
    if record.hash() == last.hash { Ok(record) } else { Err(CORRUPT("the body that was sent")) }
}

/// A PR says what became of the records that the packet at `position` carried: all plainly applied but those that follow.
///
/// # Errors
/// SQLite's.
pub fn clear_outcomes(connection: &Connection, position: Position) -> Result<(), DatabaseError> {
    let mut held = connection.prepare_cached(
        "SELECT kind, key FROM svod_sent WHERE epoch = ?1 AND seq = ?2 AND outcome = 'held'",
    )?;
    let held: Vec<(String, String)> = held
        .query_map(params![position.epoch.get(), position.seq.get()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (kind, key) in held {
        // what was held and is the centre's own business is just that again
        let table = kind.parse().ok().and_then(tables::table_of).map(|table| table.name);
        if let Some(table) = table.filter(|table| told_state(table) == State::Own) {
            connection
                .prepare_cached(
                    "UPDATE svod_record SET state = 'own' WHERE kind = ?1 AND key = ?2 AND state = 'provisional'",
                )?
                .execute([table, &key])?;
        }
    }
    connection
        .prepare_cached(
            "UPDATE svod_sent SET outcome = NULL, rule = NULL, reason = NULL, words = NULL WHERE epoch = ?1 AND seq = ?2 \
             AND outcome IS NOT NULL",
        )?
        .execute(params![position.epoch.get(), position.seq.get()])?;
    Ok(())
}

/// What became of one record that the packet at `position` carried; a newer version sent since is not touched (D5).
///
/// # Errors
/// SQLite's.
pub fn set_outcome(
    connection: &Connection,
    position: Position,
    line: &RecordLine,
) -> Result<(), DatabaseError> {
    let key = line.key.to_string();
    let changed = connection
        .prepare_cached(
            "UPDATE svod_sent SET outcome = ?6, rule = ?7, reason = ?8, words = ?9 \
             WHERE kind = ?1 AND key = ?2 AND version = ?3 AND epoch = ?4 AND seq = ?5",
        )?
        .execute(params![
            line.kind.name(),
            key,
            line.version,
            position.epoch.get(),
            position.seq.get(),
            line.outcome.word(),
            line.rule.as_str(),
            line.reason.code(),
            line.words.as_ref().map(Words::as_str)
        ])?;
    if changed > 0
        && line.outcome == RecordOutcome::Held
        && let Some(table) = tables::table_of(line.kind)
    {
        connection
            .prepare_cached(
                "UPDATE svod_record SET state = 'provisional' WHERE kind = ?1 AND key = ?2 AND state = 'own'",
            )?
            .execute([table.name, &key])?;
    }
    Ok(())
}

/// The hub has linked a claim, and says on which version of it: neither that version nor an older one waits for
/// its staff any more.
///
/// # Errors
/// SQLite's.
pub(super) fn linked(connection: &Connection, claim: &str) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "UPDATE svod_sent SET outcome = NULL, rule = NULL, reason = NULL, words = NULL \
             WHERE kind = (SELECT claim_kind FROM svod_link WHERE claim = ?1) AND key = ?1 \
             AND outcome IN ('held', 'proposed') AND version <= (SELECT based_on FROM svod_link WHERE claim = ?1)",
        )?
        .execute([claim])?;
    Ok(())
}
