//! What was sent: in which runs a snapshot takes it, and what the hub made of it.

use exchange_format::{
    answer::{RecordLine, RecordOutcome},
    record::{Kind, Record, RecordId},
    state_digest::StateDigest,
};
use rusqlite::{Connection, params};

use crate::decisions::tables;

use super::{DatabaseError, rows};

/// Hands every record of ours, as last sent, to `each`, in the order of a packet.
///
/// # Errors
/// SQLite's, or `each`'s.
pub fn for_each_sent<E: From<DatabaseError>>(
    connection: &Connection,
    mut each: impl FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    for kind in Kind::ALL {
        let mut statement = connection
            .prepare_cached("SELECT key, version, form, body FROM svod_sent WHERE kind = ?1 ORDER BY key")
            .map_err(DatabaseError::from)?;
        let mut found = statement.query([kind.name()]).map_err(DatabaseError::from)?;
        while let Some(row) = found.next().map_err(DatabaseError::from)? {
            each(read_sent(kind, row)?)?;
        }
    }
    Ok(())
}

/// A run of our own records in the order of a packet: of one kind, from one key to another, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The kind.
    pub kind: Kind,
    /// The first key.
    pub first: RecordId,
    /// The last key.
    pub last: RecordId,
}

/// Cuts all our records into parts of at most `records` records and about `bytes` bytes; one empty part if
/// there are none. Returns them with the sum over all, the digest of a stream that begins with them.
///
/// # Errors
/// SQLite's.
pub fn plan_parts(
    connection: &Connection,
    records: u64,
    bytes: u64,
) -> Result<(Vec<Vec<Run>>, StateDigest), DatabaseError> {
    let mut parts: Vec<Vec<Run>> = vec![Vec::new()];
    let mut state = StateDigest::default();
    let (mut count, mut size) = (0, 0);
    for_each_sent::<DatabaseError>(connection, |record| {
        if let Some(term) = record.term(&record.hash()) {
            state.add(&term);
        }
        // The envelope of a record takes about 100 bytes.
        let length = record.body.len() as u64 + 100;
        if count == records || (count > 0 && size + length > bytes) {
            parts.push(Vec::new());
            (count, size) = (0, 0);
        }
        count += 1;
        size += length;
        let part = parts.last_mut().expect("never empty");
        match part.last_mut() {
            Some(run) if run.kind == record.kind => run.last = record.key,
            _ => part.push(Run { kind: record.kind, first: record.key, last: record.key }),
        }
        Ok(())
    })?;
    Ok((parts, state))
}

/// Hands the records of `run` to `each`.
///
/// # Errors
/// SQLite's, or `each`'s.
pub fn for_each_of<E: From<DatabaseError>>(
    connection: &Connection,
    run: &Run,
    mut each: impl FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = connection
        .prepare_cached(
            "SELECT key, version, form, body FROM svod_sent WHERE kind = ?1 AND key BETWEEN ?2 AND ?3 ORDER BY key",
        )
        .map_err(DatabaseError::from)?;
    let bounds = [run.kind.name().to_owned(), run.first.to_string(), run.last.to_string()];
    let mut found = statement.query(bounds).map_err(DatabaseError::from)?;
    while let Some(row) = found.next().map_err(DatabaseError::from)? {
        each(read_sent(run.kind, row)?)?;
    }
    Ok(())
}

/// The records of `run` are being sent (again) in `packet`.
///
/// # Errors
/// SQLite's.
pub fn carried_by(connection: &Connection, run: &Run, packet: &str) -> Result<(), DatabaseError> {
    let (first, last) = (run.first.to_string(), run.last.to_string());
    connection
        .prepare_cached(
            "UPDATE svod_sent SET packet = ?4, outcome = NULL, rule = NULL, reason = NULL \
             WHERE kind = ?1 AND key BETWEEN ?2 AND ?3",
        )?
        .execute(params![run.kind.name(), first, last, packet])?;
    if let Some(table) = tables::table_of(run.kind) {
        connection
            .prepare_cached(
                "UPDATE svod_record SET packet = ?4 WHERE kind = ?1 AND key BETWEEN ?2 AND ?3 \
                 AND state IN ('own', 'provisional')",
            )?
            .execute(params![table.name, first, last, packet])?;
    }
    Ok(())
}

/// A PR says what became of the records that `packet` carried: all plainly applied but those that follow.
///
/// # Errors
/// SQLite's.
pub fn clear_outcomes(connection: &Connection, packet: &str) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "UPDATE svod_sent SET outcome = NULL, rule = NULL, reason = NULL WHERE packet = ?1 AND outcome IS NOT NULL",
        )?
        .execute([packet])?;
    Ok(())
}

/// What became of one record that `packet` carried; a newer version sent since is not touched (D5).
///
/// # Errors
/// SQLite's.
pub fn set_outcome(connection: &Connection, packet: &str, line: &RecordLine) -> Result<(), DatabaseError> {
    let key = line.key.to_string();
    let changed = connection
        .prepare_cached(
            "UPDATE svod_sent SET outcome = ?5, rule = ?6, reason = ?7 \
             WHERE kind = ?1 AND key = ?2 AND version = ?3 AND packet = ?4",
        )?
        .execute(params![
            line.kind.name(),
            key,
            line.version,
            packet,
            line.outcome.word(),
            line.rule.as_str(),
            line.reason.code()
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

fn read_sent(kind: Kind, row: &rusqlite::Row<'_>) -> Result<Record, DatabaseError> {
    let key = rows::record_id("svod_sent", &row.get::<_, String>(0)?)?;
    let form = row
        .get::<_, String>(2)?
        .parse()
        .map_err(|_| DatabaseError::Corrupt { table: "svod_sent", what: "a form" })?;
    Ok(Record { kind, key, version: row.get(1)?, form, body: row.get(3)?, signature: None })
}
