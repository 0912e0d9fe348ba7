//! Packets of ours on their way, answers among them.

use exchange_format::{
    file_name::PacketKind,
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark, Position},
    stream::{PacketState, SentPacket},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::columns::{bad, mark, parsed};
use crate::database::DatabaseError;

pub(super) const PACKET: &str = "svod_packet";

/// A packet of ours on its way, with its file.
#[derive(Debug, Clone)]
pub struct OutPacket {
    /// Its file name.
    pub name: String,
    /// DT, SN, or an answer.
    pub kind: PacketKind,
    /// Where it stands. Answers have the mark of what they answer.
    pub sent: SentPacket,
    /// Its file, relative to the centre's directory.
    pub file: String,
    /// The SHA-256 of that file.
    pub sha256: Option<Digest>,
    /// Records in it.
    pub records: u64,
}

/// Keeps a packet that is being sealed. `answers` is the digest of what it answers and what it says, for an answer.
///
/// # Errors
/// SQLite's.
pub fn add_out_packet(
    connection: &Connection,
    peer: ParticipantCode,
    packet: &OutPacket,
    answers: Option<(Digest, &[u8])>,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let Mark { position, digest } = packet.sent.mark;
    connection
        .prepare_cached(
            "INSERT INTO svod_packet (name, direction, peer, kind, epoch, seq, digest, state, at, answers, \
             unconfirmed, attempts, next_at, records, file, sha256, body) \
             VALUES (?1, 'out', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            packet.name,
            peer.as_str(),
            packet.kind.letters(),
            position.epoch.get(),
            position.seq.get(),
            digest.to_string(),
            packet.sent.state.as_str(),
            now.to_string(),
            answers.map(|(digest, _)| digest.to_string()),
            packet.sent.unconfirmed,
            packet.sent.next_at.to_string(),
            packet.records,
            packet.file,
            packet.sha256.map(|sha256| sha256.to_string()),
            answers.map(|(_, body)| body)
        ])?;
    Ok(())
}

/// What an answer of ours says.
#[derive(Debug)]
pub struct Answer {
    /// KV or PR.
    pub kind: PacketKind,
    /// What it answers.
    pub answered: Mark,
    /// Its text.
    pub body: Vec<u8>,
}

/// What the answer `name` says, if that is kept.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn answer(connection: &Connection, name: &str) -> Result<Option<Answer>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM svod_packet WHERE name = ?1 AND answers IS NOT NULL AND body IS NOT NULL",
    )?;
    let mut found = statement.query([name])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let kind = parsed(row, "kind", PACKET, "a kind")?.ok_or_else(|| bad(PACKET, "no kind"))?;
    let digest = parsed(row, "answers", PACKET, "a digest")?.ok_or_else(|| bad(PACKET, "no digest"))?;
    let Mark { position, .. } = mark(row, "", PACKET)?.ok_or_else(|| bad(PACKET, "no position"))?;
    Ok(Some(Answer { kind, answered: Mark { position, digest }, body: row.get("body")? }))
}

/// The answer `name` is placed no more: another stands in its place, or nobody can say it.
///
/// # Errors
/// SQLite's.
pub fn give_up_answer(connection: &Connection, name: &str) -> Result<(), DatabaseError> {
    connection
        .prepare_cached("UPDATE svod_packet SET state = ?2, next_at = NULL WHERE name = ?1")?
        .execute([name, PacketState::Superseded.as_str()])?;
    Ok(())
}

/// Keeps where a packet of ours stands now.
///
/// # Errors
/// SQLite's.
pub fn update_out_packet(
    connection: &Connection,
    name: &str,
    sent: &SentPacket,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let open = sent.state.is_open();
    let answered = matches!(
        sent.state,
        PacketState::Applied | PacketState::AppliedPartial | PacketState::Refused | PacketState::Superseded
    );
    connection
        .prepare_cached(
            "UPDATE svod_packet SET state = ?2, attempts = ?3, next_at = ?4, revision = ?5, \
             placed_at = CASE WHEN ?2 = 'PLACED' THEN coalesce(placed_at, ?6) ELSE placed_at END, \
             received_at = CASE WHEN ?2 = 'RECEIVED' THEN coalesce(received_at, ?6) ELSE received_at END, \
             answered_at = CASE WHEN ?7 THEN coalesce(answered_at, ?6) ELSE answered_at END WHERE name = ?1",
        )?
        .execute(params![
            name,
            sent.state.as_str(),
            sent.attempts,
            open.then(|| sent.next_at.to_string()),
            sent.revision,
            now.to_string(),
            answered
        ])?;
    Ok(())
}

fn out_packet(row: &Row<'_>) -> Result<OutPacket, DatabaseError> {
    let kind: PacketKind = parsed(row, "kind", PACKET, "a kind")?.ok_or_else(|| bad(PACKET, "no kind"))?;
    let state = parsed(row, "state", PACKET, "a state")?.ok_or_else(|| bad(PACKET, "no state"))?;
    Ok(OutPacket {
        name: row.get("name")?,
        kind,
        sent: SentPacket {
            mark: mark(row, "", PACKET)?.ok_or_else(|| bad(PACKET, "no position"))?,
            snapshot: kind == PacketKind::Snapshot,
            unconfirmed: row.get("unconfirmed")?,
            state,
            attempts: row.get("attempts")?,
            next_at: parsed(row, "next_at", PACKET, "an instant")?.unwrap_or(Timestamp::MAX),
            revision: row.get("revision")?,
        },
        file: row.get::<_, Option<String>>("file")?.unwrap_or_default(),
        sha256: parsed(row, "sha256", PACKET, "a digest")?,
        records: row.get("records")?,
    })
}

/// Packets of ours that are to be placed, or placed again, as `is_due` says of when: in order of position, answers
/// first.
///
/// # Errors
/// SQLite's.
pub fn due(
    connection: &Connection,
    is_due: &dyn Fn(Timestamp) -> bool,
) -> Result<Vec<OutPacket>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM svod_packet WHERE direction = 'out' AND next_at IS NOT NULL \
         ORDER BY answers IS NULL, epoch, seq LIMIT 1000",
    )?;
    let mut found = statement.query([])?;
    let mut due = Vec::new();
    while let Some(row) = found.next()? {
        let packet = out_packet(row)?;
        if is_due(packet.sent.next_at) {
            due.push(packet);
        }
    }
    Ok(due)
}

/// Makes due now what a failed try has put off: packets and answers that are not in the mailbox yet.
///
/// # Errors
/// SQLite's.
pub fn try_now(connection: &Connection, now: Timestamp) -> Result<(), DatabaseError> {
    let sql = "UPDATE svod_packet SET next_at = ?1 WHERE direction = 'out' AND next_at IS NOT NULL \
               AND (answers IS NOT NULL OR state = 'SEALED')";
    connection.prepare_cached(sql)?.execute([now.to_string()])?;
    Ok(())
}

/// When the next packet of ours is to be placed, again or for the first time; `due` says when that is of an instant kept.
/// While data are `stopped`, of answers and unconfirmed snapshots alone.
///
/// # Errors
/// SQLite's.
pub fn next_due(
    connection: &Connection,
    stopped: bool,
    due: &dyn Fn(Timestamp) -> Timestamp,
) -> Result<Option<Timestamp>, DatabaseError> {
    // Instants differ in the length of their fractions, so they are compared as values, not as text.
    let mut statement = connection.prepare_cached(
        "SELECT next_at FROM svod_packet WHERE next_at IS NOT NULL \
         AND (NOT ?1 OR unconfirmed OR answers IS NOT NULL)",
    )?;
    let found = statement.query_map([stopped], |row| row.get::<_, String>(0))?;
    let mut earliest = None;
    for text in found {
        let at = due(text?.parse().map_err(|_| bad(PACKET, "an instant"))?);
        earliest = Some(earliest.map_or(at, |known: Timestamp| known.min(at)));
    }
    Ok(earliest)
}

/// Whether `name` is a packet or an answer of ours.
///
/// # Errors
/// SQLite's.
pub fn is_out_packet(connection: &Connection, name: &str) -> Result<bool, DatabaseError> {
    let mut statement = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM svod_packet WHERE name = ?1 AND direction = 'out')")?;
    Ok(statement.query_row([name], |row| row.get(0))?)
}

/// Whether a part of the snapshot that opened `epoch` was never answered, and never will be.
///
/// # Errors
/// SQLite's.
pub fn is_superseded(
    connection: &Connection,
    hub: ParticipantCode,
    epoch: Epoch,
) -> Result<bool, DatabaseError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM svod_packet WHERE direction = 'out' AND peer = ?1 AND epoch = ?2
               AND kind = 'SN' AND state = 'SUPERSEDED')";
    Ok(connection.prepare_cached(sql)?.query_row((hub.as_str(), epoch.get()), |row| row.get(0))?)
}

/// Our numbered packet at `position`.
///
/// # Errors
/// SQLite's.
pub fn sent_at(
    connection: &Connection,
    peer: ParticipantCode,
    position: Position,
) -> Result<Option<OutPacket>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM svod_packet WHERE direction = 'out' AND peer = ?1 AND epoch = ?2 AND seq = ?3 \
         AND answers IS NULL",
    )?;
    let mut found = statement.query(params![peer.as_str(), position.epoch.get(), position.seq.get()])?;
    found.next()?.map(out_packet).transpose()
}

/// Our packets of older epochs than `opened` that are still open need no answer any more; but nothing else tells what a
/// KY does.
///
/// # Errors
/// SQLite's.
pub fn supersede_before(connection: &Connection, opened: Epoch, now: Timestamp) -> Result<(), DatabaseError> {
    for mut old in open_before(connection, opened)? {
        if old.sent.supersede(opened) {
            update_out_packet(connection, &old.name, &old.sent, now)?;
        }
    }
    Ok(())
}

fn open_before(connection: &Connection, opened: Epoch) -> Result<Vec<OutPacket>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM svod_packet WHERE direction = 'out' AND answers IS NULL AND kind <> 'KY' AND epoch < ?1 \
         AND state IN ('SEALED', 'PLACED', 'RECEIVED')",
    )?;
    let mut found = statement.query([opened.get()])?;
    let mut open = Vec::new();
    while let Some(row) = found.next()? {
        open.push(out_packet(row)?);
    }
    Ok(open)
}

/// Our answers to the packet whose manifest has `digest`.
///
/// # Errors
/// SQLite's.
pub fn answers_to(connection: &Connection, digest: Digest) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection
        .prepare_cached("SELECT name FROM svod_packet WHERE answers = ?1 AND state <> ?2 ORDER BY kind")?;
    let given_up = PacketState::Superseded.as_str();
    let found = statement.query_map([&digest.to_string(), given_up], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Lets the answer `name` be placed once more.
///
/// # Errors
/// SQLite's.
pub fn place_again(connection: &Connection, name: &str, now: Timestamp) -> Result<(), DatabaseError> {
    connection
        .prepare_cached("UPDATE svod_packet SET state = 'SEALED', next_at = ?2 WHERE name = ?1")?
        .execute([name, &now.to_string()])?;
    Ok(())
}

/// An answer of ours stands in the mailbox; nobody answers it, so that is its end.
///
/// # Errors
/// SQLite's.
pub fn answer_placed(connection: &Connection, name: &str, now: Timestamp) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "UPDATE svod_packet SET state = 'PLACED', next_at = NULL, placed_at = ?2 WHERE name = ?1",
        )?
        .execute([name, &now.to_string()])?;
    Ok(())
}

/// The digest of the last part of our snapshot that opened `epoch`.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn last_part(
    connection: &Connection,
    peer: ParticipantCode,
    epoch: Epoch,
) -> Result<Option<Digest>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM svod_packet WHERE direction = 'out' AND peer = ?1 AND epoch = ?2 AND kind = 'SN' AND answers IS NULL \
         ORDER BY seq DESC LIMIT 1",
    )?;
    let mut found = statement.query(params![peer.as_str(), epoch.get()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    Ok(mark(row, "", PACKET)?.map(|mark| mark.digest))
}
