//! Packets and answers that came, and what became of them.

use exchange_format::{
    participant::ParticipantCode,
    position::{Epoch, Position, Seq},
    stream::{Arrival, Part},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    columns::{bad, mark, parsed},
    sent::{PACKET, is_out_packet},
};
use crate::database::DatabaseError;

/// A file that came.
#[derive(Debug, Clone)]
pub struct InPacket<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its two letters, `?` if it has no packet's name.
    pub kind: &'a str,
    /// Its place and digest, once verified.
    pub arrival: Option<Arrival>,
    /// `HELD`, `APPLIED`, `REFUSED`, `QUARANTINED`, `ANSWER`.
    pub state: &'a str,
    /// Why it was refused or quarantined.
    pub reason: Option<&'a str>,
    /// Records in it.
    pub records: u64,
    /// The last packet of ours that its sender had applied.
    pub ack: Option<Position>,
    /// Where its file is kept, relative to the centre's directory.
    pub file: &'a str,
}

/// The name under which a file that came stands in `svod_packet`: its own, unless a packet of ours bears it.
/// No file of a mailbox has a slash in its name.
fn in_name(connection: &Connection, name: &str) -> Result<String, DatabaseError> {
    Ok(if is_out_packet(connection, name)? { format!("in/{name}") } else { name.to_owned() })
}

/// Keeps what became of a file that came; a packet of ours with the same name stays as it is.
///
/// # Errors
/// SQLite's.
pub fn set_in_packet(
    connection: &Connection,
    peer: ParticipantCode,
    packet: &InPacket<'_>,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let arrival = packet.arrival.as_ref();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO svod_packet (name, direction, peer, kind, epoch, seq, digest, state, reason, at, \
             part, parts, previous, records, file, ack_epoch, ack_seq) \
             VALUES (?1, 'in', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            in_name(connection, packet.name)?,
            peer.as_str(),
            packet.kind,
            arrival.map(|arrival| arrival.mark.position.epoch.get()),
            arrival.map(|arrival| arrival.mark.position.seq.get()),
            arrival.map(|arrival| arrival.mark.digest.to_string()),
            packet.state,
            packet.reason,
            now.to_string(),
            arrival.and_then(|arrival| arrival.part).map(Part::k),
            arrival.and_then(|arrival| arrival.part).map(Part::n),
            arrival.and_then(|arrival| arrival.previous).map(|digest| digest.to_string()),
            packet.records,
            packet.file,
            packet.ack.map(|ack| ack.epoch.get()),
            packet.ack.map(|ack| ack.seq.get())
        ])?;
    Ok(())
}

/// The state of the file `name` that came before, if it did.
///
/// # Errors
/// SQLite's.
pub fn in_state(connection: &Connection, name: &str) -> Result<Option<String>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT state FROM svod_packet WHERE name = ?1 AND direction = 'in'")?;
    Ok(statement.query_row([in_name(connection, name)?], |row| row.get(0)).optional()?)
}

/// Epochs of which verified packets of `peer` are held, the oldest first.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn held_epochs(connection: &Connection, peer: ParticipantCode) -> Result<Vec<Epoch>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT epoch FROM svod_packet WHERE direction = 'in' AND peer = ?1 AND state = 'HELD' \
         AND epoch IS NOT NULL ORDER BY epoch",
    )?;
    let found = statement.query_map([peer.as_str()], |row| row.get::<_, u64>(0))?;
    found.map(|epoch| Epoch::new(epoch?).map_err(|_| bad(PACKET, "an epoch"))).collect()
}

/// When the last of the verified packets of `peer` that are held came.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn last_held(connection: &Connection, peer: ParticipantCode) -> Result<Option<Timestamp>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT at FROM svod_packet WHERE direction = 'in' AND peer = ?1 AND state = 'HELD' AND epoch IS NOT NULL",
    )?;
    let mut found = statement.query([peer.as_str()])?;
    let mut last = None;
    while let Some(row) = found.next()? {
        last = last.max(parsed(row, "at", PACKET, "an instant")?);
    }
    Ok(last)
}

/// Verified packets of `peer` that are held of epochs before `opened`.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn held_before(
    connection: &Connection,
    peer: ParticipantCode,
    opened: Epoch,
) -> Result<Vec<Received>, DatabaseError> {
    let mut held = Vec::new();
    for epoch in held_epochs(connection, peer)?.into_iter().filter(|epoch| *epoch < opened) {
        held.extend(received(connection, peer, epoch, None)?.into_iter().filter(|file| file.state == "HELD"));
    }
    Ok(held)
}

/// Forgets the file `name` that came: it can be brought again.
///
/// # Errors
/// SQLite's.
pub fn forget_in(connection: &Connection, name: &str) -> Result<(), DatabaseError> {
    connection
        .prepare_cached("DELETE FROM svod_packet WHERE name = ?1 AND direction = 'in'")?
        .execute([name])?;
    Ok(())
}

/// A numbered packet that came and was verified.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its name.
    pub name: String,
    /// Its place in its stream.
    pub arrival: Arrival,
    /// `HELD`, `APPLIED`, `REFUSED`, `QUARANTINED`.
    pub state: String,
    /// Its file.
    pub file: String,
}

/// Verified numbered packets of `peer` in `epoch`, at `seq` only if given.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn received(
    connection: &Connection,
    peer: ParticipantCode,
    epoch: Epoch,
    seq: Option<Seq>,
) -> Result<Vec<Received>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM svod_packet WHERE direction = 'in' AND peer = ?1 AND epoch = ?2 AND (?3 IS NULL OR seq = ?3) \
         AND kind IN ('DT', 'SN', 'KY') AND digest IS NOT NULL ORDER BY seq",
    )?;
    let mut found = statement.query(params![peer.as_str(), epoch.get(), seq.map(Seq::get)])?;
    let mut received = Vec::new();
    while let Some(row) = found.next()? {
        let parts: (Option<u32>, Option<u32>) = (row.get("part")?, row.get("parts")?);
        let part = match parts {
            (Some(k), Some(n)) => Some(Part::new(k, n).map_err(|_| bad(PACKET, "a part"))?),
            _ => None,
        };
        received.push(Received {
            name: row.get("name")?,
            arrival: Arrival {
                mark: mark(row, "", PACKET)?.ok_or_else(|| bad(PACKET, "no position"))?,
                previous: parsed(row, "previous", PACKET, "a digest")?,
                part,
            },
            state: row.get("state")?,
            file: row.get::<_, Option<String>>("file")?.unwrap_or_default(),
        });
    }
    Ok(received)
}

/// Changes the state of a packet that came.
///
/// # Errors
/// SQLite's.
pub fn set_in_state(
    connection: &Connection,
    name: &str,
    state: &str,
    reason: Option<&str>,
) -> Result<(), DatabaseError> {
    connection
        .prepare_cached("UPDATE svod_packet SET state = ?2, reason = ?3 WHERE name = ?1")?
        .execute(params![name, state, reason])?;
    Ok(())
}
