//! Wishes that a locked value be changed, and what became of them (exchange §8).

use exchange_format::{
    answer::{RecordLine, RecordReason, Words},
    record::{Body, Finding, Form, Kind, Record, RecordId},
};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::decisions::wishes::{self, Decision};

use super::{
    DatabaseError,
    own_records::{self, PROPOSALS},
    publications, rows,
};

/// A proposal to be kept.
#[derive(Debug)]
pub struct New<'a> {
    /// Its key.
    pub key: RecordId,
    /// The table of the row.
    pub table: &'a str,
    /// The row.
    pub id: &'a str,
    /// The publication that it is about, in the edition that was seen.
    pub about: &'a Record,
    /// The claim and its version whose unsent edit it was.
    pub claim: Option<(RecordId, u32)>,
    /// What it says.
    pub body: &'a Body,
    /// Why it cannot be sent.
    pub problem: Option<&'a Finding>,
}

/// Keeps a proposal, and queues it to be sent unless it is unfit.
///
/// # Errors
/// SQLite's.
pub fn add(connection: &Connection, new: &New<'_>, now: Timestamp) -> Result<(), DatabaseError> {
    let key = new.key.to_string();
    connection
        .prepare_cached(
            "INSERT INTO svod_proposal (key, kind, id, target_kind, target, seen_version, seen, claim, claim_version, \
             at, body, problem, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            key,
            new.table,
            new.id,
            new.about.kind.name(),
            new.about.key.to_string(),
            new.about.version,
            new.about.body,
            new.claim.map(|(claim, _)| claim.to_string()),
            new.claim.map(|(_, version)| version),
            now.to_string(),
            new.body.to_xml(),
            new.problem.map(Finding::to_string),
            if new.problem.is_some() { "unfit" } else { "open" }
        ])?;
    if new.problem.is_none() { own_records::queue(connection, PROPOSALS, &key) } else { Ok(()) }
}

/// A proposal that the hub may still accept.
#[derive(Debug)]
pub struct Undecided {
    /// Its key.
    pub key: RecordId,
    /// What it says.
    pub body: Body,
    /// It was declined, which is no last word.
    pub is_declined: bool,
}

/// The proposals about the publication `target` that the hub may still accept, the oldest first.
///
/// # Errors
/// SQLite's, or a row that this program cannot have written.
pub fn undecided(connection: &Connection, target: RecordId) -> Result<Vec<Undecided>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, body, state = 'declined' FROM svod_proposal WHERE target = ?1 AND state IN ('open', 'sent', 'declined') \
         ORDER BY at, key",
    )?;
    let found = statement
        .query_map([target.to_string()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)))?;
    found
        .map(|row| {
            let (key, body, is_declined) = row?;
            let key = rows::record_id(PROPOSALS, &key)?;
            let body = publications::read_body(&live(Kind::Proposal, key, body))?;
            Ok(Undecided { key, body, is_declined })
        })
        .collect()
}

fn live(kind: Kind, key: RecordId, body: Vec<u8>) -> Record {
    Record { kind, key, version: 1, form: Form::Live, body, signature: None }
}

/// The undecided proposal `key` says `body` now, in view of the publication `about`; its next version is sent.
///
/// # Errors
/// SQLite's.
pub fn replace(
    connection: &Connection,
    key: RecordId,
    body: &Body,
    about: &Record,
) -> Result<(), DatabaseError> {
    let key = key.to_string();
    connection
        .prepare_cached(
            "UPDATE svod_proposal SET body = ?2, seen_version = ?3, seen = ?4, state = 'open' WHERE key = ?1",
        )?
        .execute(params![key, body.to_xml(), about.version, about.body])?;
    own_records::queue(connection, PROPOSALS, &key)
}

/// Decides what newer publications decide; returns what is new. That the hub goes by another value than the
/// wished one is no last word: its staff may accept the wish later. It is no word at all if the packet that brought
/// it was sealed before the hub had the proposal as it is now: then that is what the proposal was made in view of.
///
/// # Errors
/// SQLite's, or a row that this program cannot have written.
pub fn decide(connection: &Connection) -> Result<Vec<(RecordId, Decision)>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.key, s.target_kind, s.body, s.seen, p.form, p.bytes, p.packet, s.state <> 'open' AND EXISTS \
         (SELECT 1 FROM svod_packet q JOIN svod_sent n ON n.kind = 'proposal' AND n.key = s.key WHERE q.name = p.packet \
         AND (n.epoch, n.seq) <= (q.ack_epoch, q.ack_seq)), p.version FROM svod_proposal s \
         INDEXED BY svod_proposal_undecided JOIN svod_publication p ON p.kind = s.target_kind AND p.key = s.target \
         WHERE s.state IN ('open', 'sent', 'declined') AND p.version > s.seen_version AND p.packet IS NOT s.decided_by \
         AND p.outcome IN ('new', 'changed', 'unchanged') ORDER BY s.key",
    )?;
    let mut found = statement.query([])?;
    let (mut decided, mut unheard) = (Vec::new(), Vec::new());
    while let Some(row) = found.next()? {
        let text = |at: usize| row.get::<_, String>(at);
        let bad = |what| DatabaseError::Corrupt { table: PROPOSALS, what };
        let key = rows::record_id(PROPOSALS, &text(0)?)?;
        let kind: Kind = text(1)?.parse().map_err(|_| bad("a kind"))?;
        let form: Form = text(4)?.parse().map_err(|_| bad("a form"))?;
        let body = |kind, body| publications::read_body(&live(kind, key, body));
        let verdict = if form == Form::Tombstone {
            Some(Decision::Declined)
        } else {
            let seen = body(kind, row.get(3)?)?;
            wishes::decision(&body(Kind::Proposal, row.get(2)?)?, &seen, &body(kind, row.get(5)?)?)
        };
        let heard: bool = row.get(7)?;
        if verdict == Some(Decision::Declined) && form != Form::Tombstone && !heard {
            unheard.push((key.to_string(), row.get::<_, u32>(8)?, row.get::<_, Vec<u8>>(5)?));
        } else {
            decided.extend(verdict.map(|decision| (key, decision, row.get::<_, String>(6))));
        }
    }
    let mut seen =
        connection.prepare_cached("UPDATE svod_proposal SET seen_version = ?2, seen = ?3 WHERE key = ?1")?;
    for about in unheard {
        seen.execute(about)?;
    }
    let mut told = Vec::new();
    for (key, decision, packet) in decided {
        let state = match decision {
            Decision::Accepted => "accepted",
            Decision::Declined => "declined",
        };
        let changed = connection
            .prepare_cached(
                "UPDATE svod_proposal SET state = ?2, decided_by = ?3, words = NULL WHERE key = ?1 AND state <> ?2",
            )?
            .execute(params![key.to_string(), state, packet?])?;
        if changed == 0 {
            continue;
        }
        connection
            .prepare_cached("DELETE FROM svod_change WHERE kind = ?1 AND key = ?2")?
            .execute([PROPOSALS, &key.to_string()])?;
        told.push((key, decision));
    }
    Ok(told)
}

/// The hub's answer `packet` refuses a proposal, or tells that its staff have declined it; what was proposed in
/// its place since is not touched.
///
/// # Errors
/// SQLite's.
pub fn refused(connection: &Connection, line: &RecordLine, packet: &str) -> Result<(), DatabaseError> {
    let state = if line.reason == RecordReason::Declined { "declined" } else { "refused" };
    connection
        .prepare_cached(
            "UPDATE svod_proposal SET state = ?3, decided_by = ?4, words = ?5 WHERE key = ?1 AND state IN ('sent', 'declined') \
             AND EXISTS (SELECT 1 FROM svod_sent WHERE kind = 'proposal' AND key = ?1 AND version = ?2)",
        )?
        .execute(params![
            line.key.to_string(),
            line.version,
            state,
            packet,
            line.words.as_ref().map(Words::as_str)
        ])?;
    Ok(())
}
