//! What was sent: in which runs a snapshot takes it, and what the hub made of it.

use exchange_format::{
    answer::{RecordLine, RecordOutcome},
    position::Digest,
    record::{Kind, Record, RecordId},
    state_digest::StateDigest,
};
use rusqlite::{Connection, params};

use crate::decisions::tables;

use super::{DatabaseError, own_records::told_state, rows};

/// Keeps `record` as what was last sent, in `packet`.
///
/// # Errors
/// SQLite's.
pub fn keep(
    connection: &Connection,
    record: &Record,
    hash: &Digest,
    packet: &str,
) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO svod_sent (kind, key, version, form, sha256, body, packet) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            record.kind.name(),
            record.key.to_string(),
            record.version,
            record.form.name(),
            hash.to_string(),
            record.body,
            packet
        ])?;
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

/// A snapshot being cut into parts, record by record in the order of a packet. There is at least one part.
#[derive(Debug)]
pub struct Parts {
    parts: Vec<Vec<Run>>,
    state: StateDigest,
    most: (u64, u64),
    records: u64,
    bytes: u64,
}

impl Parts {
    /// Parts of at most `records` records and about `bytes` bytes.
    pub fn new(records: u64, bytes: u64) -> Self {
        let most = (records, bytes);
        Self { parts: vec![Vec::new()], state: StateDigest::default(), most, records: 0, bytes: 0 }
    }

    /// Puts `record`, whose body has `hash`, behind the others.
    pub fn add(&mut self, record: &Record, hash: &Digest) {
        if let Some(term) = record.term(hash) {
            self.state.add(&term);
        }
        // The envelope of a record takes about 100 bytes.
        let bytes = record.body.len() as u64 + 100;
        if self.records == self.most.0 || (self.records > 0 && self.bytes + bytes > self.most.1) {
            self.parts.push(Vec::new());
            (self.records, self.bytes) = (0, 0);
        }
        self.records += 1;
        self.bytes += bytes;
        let part = self.parts.last_mut().expect("never empty");
        match part.last_mut() {
            Some(run) if run.kind == record.kind => run.last = record.key,
            _ => part.push(Run { kind: record.kind, first: record.key, last: record.key }),
        }
    }

    /// The runs of each part, and the sum over all: the digest of a stream that begins with them.
    pub fn finish(self) -> (Vec<Vec<Run>>, StateDigest) {
        (self.parts, self.state)
    }
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

/// The records of `run`, kept as sent, are being sent in `packet`.
///
/// # Errors
/// SQLite's.
pub fn carried_by(connection: &Connection, run: &Run, packet: &str) -> Result<(), DatabaseError> {
    let (first, last) = (run.first.to_string(), run.last.to_string());
    connection
        .prepare_cached("UPDATE svod_sent SET packet = ?4 WHERE kind = ?1 AND key BETWEEN ?2 AND ?3")?
        .execute(params![run.kind.name(), first, last, packet])?;
    if run.kind == Kind::Proposal {
        connection
            .prepare_cached(
                "UPDATE svod_proposal SET state = 'sent', packet = ?3 WHERE key BETWEEN ?1 AND ?2 AND state = 'open'",
            )?
            .execute(params![first, last, packet])?;
    } else if let Some(table) = tables::table_of(run.kind) {
        connection
            .prepare_cached(
                "UPDATE svod_record SET version = s.version, form = s.form, sha256 = s.sha256, packet = s.packet, state = ?5 \
                 FROM svod_sent s WHERE s.kind = ?1 AND s.key BETWEEN ?2 AND ?3 AND svod_record.kind = ?4 \
                 AND svod_record.key = s.key AND svod_record.state IN ('own', 'provisional')",
            )?
            .execute(params![run.kind.name(), first, last, table.name, told_state(table.name).word()])?;
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

fn read_sent(kind: Kind, row: &rusqlite::Row<'_>) -> Result<Record, DatabaseError> {
    let key = rows::record_id("svod_sent", &row.get::<_, String>(0)?)?;
    let form = row
        .get::<_, String>(2)?
        .parse()
        .map_err(|_| DatabaseError::Corrupt { table: "svod_sent", what: "a form" })?;
    Ok(Record { kind, key, version: row.get(1)?, form, body: row.get(3)?, signature: None })
}
