//! What was sent of each record, and what the hub made of it.

use exchange_format::{
    answer::{RecordLine, RecordOutcome},
    position::Position,
    record::Record,
};
use rusqlite::{Connection, params};

use crate::decisions::tables;

use super::DatabaseError;

/// Keeps `record`, whose body has the hash `sha256` (hexadecimal), as what was last sent, in the packet at `position`.
///
/// # Errors
/// SQLite's.
pub fn keep(
    connection: &Connection,
    record: &Record,
    sha256: &str,
    position: Position,
) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO svod_sent (kind, key, version, form, sha256, epoch, seq, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            record.kind.name(),
            record.key.to_string(),
            record.version,
            record.form.name(),
            sha256,
            position.epoch.get(),
            position.seq.get(),
            record.body,
        ])?;
    Ok(())
}

/// A PR says what became of the records that the packet at `position` carried: all plainly applied but those that follow.
///
/// # Errors
/// SQLite's.
pub fn clear_outcomes(connection: &Connection, position: Position) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "UPDATE svod_sent SET outcome = NULL, rule = NULL, reason = NULL WHERE epoch = ?1 AND seq = ?2 \
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
            "UPDATE svod_sent SET outcome = ?6, rule = ?7, reason = ?8 \
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

/// The hub has linked a claim, and says on which version of it: neither that version nor an older one waits for
/// its staff any more.
///
/// # Errors
/// SQLite's.
pub(super) fn linked(connection: &Connection, claim: &str) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "UPDATE svod_sent SET outcome = NULL, rule = NULL, reason = NULL \
             WHERE kind = (SELECT claim_kind FROM svod_link WHERE claim = ?1) AND key = ?1 \
             AND outcome IN ('held', 'proposed') AND version <= (SELECT based_on FROM svod_link WHERE claim = ?1)",
        )?
        .execute([claim])?;
    Ok(())
}
