//! The two streams with the hub.

use exchange_format::{
    participant::ParticipantCode,
    position::{Digest, Epoch},
    state_digest::StateDigest,
    stream::{Incoming, Outgoing, Stop},
};
use rusqlite::{Connection, params};

use super::columns::{bad, epoch, mark, parsed};
use crate::database::DatabaseError;

const STREAM: &str = "svod_stream";

/// The hub's stream to us, as it stands here.
#[derive(Debug, Clone, Default)]
pub struct InStream {
    /// Numbering.
    pub machine: Incoming,
    /// The sum of what it has carried.
    pub state: StateDigest,
    /// The sum that the hub last told, and the packet that told it.
    pub told: Option<Digest>,
}

/// Our stream to the hub.
#[derive(Debug, Clone, Default)]
pub struct OutStream {
    /// Numbering, heartbeat, stop.
    pub machine: Outgoing,
    /// The sum of what its epoch has carried.
    pub state: StateDigest,
    /// The sum of all that was ever sent.
    pub kept: StateDigest,
}

/// Our stream to `peer`; a new one where none was begun.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn out_stream(connection: &Connection, peer: ParticipantCode) -> Result<OutStream, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM svod_stream WHERE peer = ?1 AND direction = 'out'")?;
    let mut found = statement.query([peer.as_str()])?;
    let Some(row) = found.next()? else { return Ok(OutStream::default()) };
    let stop: Option<String> = row.get("stop")?;
    let stop = stop
        .map(|word| Stop::ALL.iter().find(|(_, known)| *known == word).map(|(stop, _)| *stop))
        .map(|stop| stop.ok_or_else(|| bad(STREAM, "a stop")))
        .transpose()?;
    Ok(OutStream {
        machine: Outgoing {
            last: mark(row, "", STREAM)?,
            sealed_at: parsed(row, "sealed_at", STREAM, "an instant")?,
            highest_epoch: epoch(row, "highest_epoch", STREAM)?,
            echo: mark(row, "echo_", STREAM)?,
            stop,
        },
        state: parsed(row, "state_digest", STREAM, "a digest")?.unwrap_or_default(),
        kept: parsed(row, "kept_digest", STREAM, "a digest")?.unwrap_or_default(),
    })
}

/// Keeps our stream to `peer`.
///
/// # Errors
/// SQLite's.
pub fn set_out_stream(
    connection: &Connection,
    peer: ParticipantCode,
    stream: &OutStream,
) -> Result<(), DatabaseError> {
    let Outgoing { last, sealed_at, highest_epoch, echo, stop } = &stream.machine;
    let stop =
        stop.and_then(|stop| Stop::ALL.iter().find(|(known, _)| *known == stop)).map(|(_, word)| *word);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO svod_stream (peer, direction, epoch, seq, digest, state_digest, sealed_at, \
             highest_epoch, echo_epoch, echo_seq, echo_digest, stop, kept_digest) \
             VALUES (?1, 'out', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            peer.as_str(),
            last.map(|mark| mark.position.epoch.get()),
            last.map(|mark| mark.position.seq.get()),
            last.map(|mark| mark.digest.to_string()),
            stream.state.to_string(),
            sealed_at.map(|at| at.to_string()),
            highest_epoch.map(Epoch::get),
            echo.map(|mark| mark.position.epoch.get()),
            echo.map(|mark| mark.position.seq.get()),
            echo.map(|mark| mark.digest.to_string()),
            stop,
            stream.kept.to_string()
        ])?;
    Ok(())
}

/// The stream of `peer` to us; a new one where nothing came yet.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn in_stream(connection: &Connection, peer: ParticipantCode) -> Result<InStream, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM svod_stream WHERE peer = ?1 AND direction = 'in'")?;
    let mut found = statement.query([peer.as_str()])?;
    let Some(row) = found.next()? else { return Ok(InStream::default()) };
    Ok(InStream {
        machine: Incoming {
            last: mark(row, "", STREAM)?,
            stopped: epoch(row, "stopped_epoch", STREAM)?,
            closed: epoch(row, "closed_epoch", STREAM)?,
        },
        state: parsed(row, "state_digest", STREAM, "a digest")?.unwrap_or_default(),
        told: parsed(row, "told_digest", STREAM, "a digest")?,
    })
}

/// Keeps the stream of `peer` to us.
///
/// # Errors
/// SQLite's.
pub fn set_in_stream(
    connection: &Connection,
    peer: ParticipantCode,
    stream: &InStream,
) -> Result<(), DatabaseError> {
    let Incoming { last, stopped, closed } = &stream.machine;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO svod_stream (peer, direction, epoch, seq, digest, state_digest, stopped_epoch, \
             closed_epoch, told_digest) VALUES (?1, 'in', ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            peer.as_str(),
            last.map(|mark| mark.position.epoch.get()),
            last.map(|mark| mark.position.seq.get()),
            last.map(|mark| mark.digest.to_string()),
            stream.state.to_string(),
            stopped.map(Epoch::get),
            closed.map(Epoch::get),
            stream.told.map(|digest| digest.to_string())
        ])?;
    Ok(())
}
