//! The exchange's own rows. `streams` · `sent`, `came` packets · `quarantine` · `columns` reading their values · incidents.

mod came;
mod columns;
mod quarantine;
mod sent;
mod streams;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::DatabaseError;

pub use self::{
    came::{
        InPacket, Received, forget_in, held_before, held_epochs, in_state, last_held, received,
        set_in_packet, set_in_state,
    },
    quarantine::{quarantine, replay_unknown_keys, set_replay, to_replay},
    sent::{
        Answer, OutPacket, add_out_packet, answer, answer_placed, answers_to, due, give_up_answer,
        is_out_packet, is_superseded, last_part, next_due, place_again, sent_at, supersede_before, try_now,
        update_out_packet,
    },
    streams::{InStream, OutStream, in_stream, out_stream, set_in_stream, set_out_stream},
};

/// Opens an incident, unless the same one is open already. True if it is new.
///
/// # Errors
/// SQLite's.
pub fn open_incident(
    connection: &Connection,
    code: &str,
    subject: &str,
    detail: &str,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let inserted = connection.execute(
        "INSERT INTO svod_incident (at, code, subject, detail) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS \
         (SELECT 1 FROM svod_incident WHERE code = ?2 AND subject = ?3 AND detail = ?4 AND closed_at IS NULL)",
        params![now.to_string(), code, subject, detail],
    )?;
    Ok(inserted > 0)
}

/// Closes the incident that [`open_incident`] has opened with these words, and says how it ended. True if one was open.
///
/// # Errors
/// SQLite's.
pub fn close_incident(
    connection: &Connection,
    code: &str,
    subject: &str,
    detail: &str,
    how: &str,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let closed = connection.execute(
        "UPDATE svod_incident SET closed_at = ?5, closed_how = ?4 WHERE code = ?1 AND subject = ?2 AND detail = ?3 \
         AND closed_at IS NULL",
        params![code, subject, detail, how, now.to_string()],
    )?;
    Ok(closed > 0)
}

/// Numbers and subjects of the incidents `code` that are open, oldest first.
///
/// # Errors
/// SQLite's.
pub fn open_incidents(connection: &Connection, code: &str) -> Result<Vec<(i64, String)>, DatabaseError> {
    let sql = "SELECT n, subject FROM svod_incident WHERE code = ?1 AND closed_at IS NULL ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map([code], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The incident `n` is over.
///
/// # Errors
/// SQLite's.
pub fn end_incident(connection: &Connection, n: i64, how: &str, now: Timestamp) -> Result<(), DatabaseError> {
    let sql = "UPDATE svod_incident SET closed_at = ?3, closed_how = ?2 WHERE n = ?1 AND closed_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![n, how, now.to_string()])?;
    Ok(())
}

/// Closes all incidents of `code`. How many were open.
///
/// # Errors
/// SQLite's.
pub fn close_incidents(
    connection: &Connection,
    code: &str,
    how: &str,
    now: Timestamp,
) -> Result<usize, DatabaseError> {
    let sql =
        "UPDATE svod_incident SET closed_at = ?3, closed_how = ?2 WHERE code = ?1 AND closed_at IS NULL";
    Ok(connection.execute(sql, params![code, how, now.to_string()])?)
}

/// The fact `name` of `svod_meta` is `value` from now on; none any more if there is no value.
///
/// # Errors
/// SQLite's.
pub fn set_fact(connection: &Connection, name: &str, value: Option<&str>) -> Result<(), DatabaseError> {
    connection.execute("DELETE FROM svod_meta WHERE name = ?1", [name])?;
    if let Some(value) = value {
        connection.execute("INSERT INTO svod_meta (name, value) VALUES (?1, ?2)", [name, value])?;
    }
    Ok(())
}
