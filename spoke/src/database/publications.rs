//! What the hub has published, as received (exchange §1, §6).
//!
//! Everything is kept in `svod_publication`; rows and `svod_record` follow from it, and can be made again from
//! it. Taking in and showing (`super::showing`) are two steps, because a link comes after what it links to.

use std::collections::BTreeSet;

use exchange_format::{
    answer::{RecordOutcome, RecordReason},
    position::{Digest, Epoch},
    record::{Body, Form, Kind, Record, RecordId},
    state_digest::StateDigest,
    stream::{Edition, VersionVerdict},
};
use rusqlite::{Connection, Row, params};

use crate::decisions::tables::{self, Table};

use super::{DatabaseError, rows, sent};

/// A publication as it is kept.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The record as received, with the hub's signature.
    pub record: Record,
    /// The packet that brought it.
    pub packet: String,
    /// The epoch of that packet.
    pub epoch: u16,
    /// What became of it.
    pub outcome: RecordOutcome,
    /// By which rule, if not plainly applied.
    pub rule: Option<String>,
    /// The reason, if not plainly applied.
    pub reason: Option<RecordReason>,
}

/// What became of a record that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The outcome.
    pub outcome: RecordOutcome,
    /// The last word of the rule (FORMAT.md, Answers) and the reason, if it was not plainly applied.
    pub why: Option<(&'static str, RecordReason)>,
}

impl Told {
    const fn plain(outcome: RecordOutcome) -> Self {
        Self { outcome, why: None }
    }

    const fn refused(word: &'static str, reason: RecordReason) -> Self {
        Self { outcome: RecordOutcome::Refused, why: Some((word, reason)) }
    }
}

/// The rule by which a record of `kind` was not plainly applied: `word` says what is wrong.
pub fn rule(kind: Kind, word: &str) -> String {
    format!("{kind}.{word}")
}

pub(super) const COLUMNS: &str =
    "kind, key, version, form, bytes, signature, packet, epoch, outcome, rule, reason";

pub(super) fn read(row: &Row<'_>) -> Result<Publication, DatabaseError> {
    let bad = |what| DatabaseError::Corrupt { table: "svod_publication", what };
    let text = |at: usize| row.get::<_, String>(at);
    let signature: Option<Vec<u8>> = row.get(5)?;
    Ok(Publication {
        record: Record {
            kind: text(0)?.parse().map_err(|_| bad("a kind"))?,
            key: rows::record_id("svod_publication", &text(1)?)?,
            version: row.get(2)?,
            form: text(3)?.parse().map_err(|_| bad("a form"))?,
            body: row.get(4)?,
            signature: signature.map(TryInto::try_into).transpose().map_err(|_| bad("a signature"))?,
        },
        packet: row.get(6)?,
        epoch: row.get(7)?,
        outcome: RecordOutcome::from_word(&text(8)?).ok_or_else(|| bad("an outcome"))?,
        rule: row.get(9)?,
        reason: row
            .get::<_, Option<String>>(10)?
            .map(|code| code.parse().map_err(|_| bad("a reason")))
            .transpose()?,
    })
}

/// The publication `key`, if one came.
///
/// # Errors
/// SQLite's, or a row that this program cannot have written.
pub fn find(
    connection: &Connection,
    kind: Kind,
    key: RecordId,
) -> Result<Option<Publication>, DatabaseError> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM svod_publication WHERE kind = ?1 AND key = ?2"))?;
    let mut found = statement.query([kind.name(), &key.to_string()])?;
    found.next()?.map(read).transpose()
}

/// A publication as no program of ours can have kept it: its kind and key, such as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What stands for the kind.
    pub kind: String,
    /// What stands for the key.
    pub key: String,
}

/// Hands every publication to `each`.
///
/// # Errors
/// SQLite's, or `each`'s.
pub fn for_each<E: From<DatabaseError>>(
    connection: &Connection,
    mut each: impl FnMut(Result<Publication, Unreadable>) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = connection
        .prepare(&format!(
            "SELECT {COLUMNS}, CAST(kind AS TEXT), CAST(key AS TEXT) FROM svod_publication ORDER BY kind, key"
        ))
        .map_err(DatabaseError::from)?;
    let mut found = statement.query([]).map_err(DatabaseError::from)?;
    while let Some(row) = found.next().map_err(DatabaseError::from)? {
        let text = |at| row.get::<_, String>(at).unwrap_or_default();
        each(read(row).map_err(|_| Unreadable { kind: text(11), key: text(12) }))?;
    }
    Ok(())
}

/// Takes away every publication that cannot be read; from the archive they come back.
///
/// # Errors
/// SQLite's.
pub fn remove_unreadable(connection: &Connection) -> Result<(), DatabaseError> {
    let mut unreadable = Vec::new();
    for_each::<DatabaseError>(connection, |publication| {
        unreadable.extend(publication.err());
        Ok(())
    })?;
    for Unreadable { kind, key } in unreadable {
        connection.execute(
            "DELETE FROM svod_publication WHERE CAST(kind AS TEXT) = ?1 AND CAST(key AS TEXT) = ?2",
            [kind, key],
        )?;
    }
    Ok(())
}

/// Takes in a record of the hub that stands in `packet` of `epoch`, and keeps the digest of the stream.
///
/// `is_signed`: whether its signature holds. A record that is refused is kept and counted all the same, but
/// what is shown does not change; one that is older or collides leaves the known one in place.
///
/// # Errors
/// SQLite's.
pub fn take_in(
    connection: &Connection,
    state: &mut StateDigest,
    record: &Record,
    is_signed: bool,
    packet: &str,
    epoch: Epoch,
) -> Result<Told, DatabaseError> {
    let hash = record.hash();
    let before = find(connection, record.kind, record.key)?;
    let known = before.as_ref().map(|known| Edition::of(&known.record));
    let arrived = Edition { version: record.version, form: record.form, hash };
    let verdict = arrived.judge(known.as_ref());
    match verdict {
        VersionVerdict::Older => return Ok(Told::refused("version", RecordReason::Older)),
        VersionVerdict::Collision => return Ok(Told::refused("version", RecordReason::Collision)),
        VersionVerdict::New | VersionVerdict::Changed | VersionVerdict::Unchanged => {}
    }
    // A snapshot begins with an empty sum, and what it repeats is of its epoch again.
    if let Some(before) = before.as_ref().filter(|before| before.epoch == epoch.get())
        && let Some(term) = before.record.term(&before.record.hash())
    {
        state.remove(&term);
    }
    if let Some(term) = record.term(&hash) {
        state.add(&term);
    }
    let told = judge_content(record, verdict, is_signed);
    // signed by the hub's next key it is shown anew: its row keeps the signature
    let same =
        |before: &Publication| before.outcome.is_plain() && before.record.signature == record.signature;
    let again = verdict == VersionVerdict::Unchanged && before.as_ref().is_some_and(same);
    let pending = told.outcome != RecordOutcome::Refused && !again;
    store(connection, record, &hash, packet, epoch, &told, pending)?;
    if pending && record.kind == Kind::Link {
        index_link(connection, record)?;
    }
    Ok(told)
}

/// Puts `record`, as an archived packet has it, in the place of what is kept, to be shown anew.
///
/// # Errors
/// SQLite's.
pub fn replace(
    connection: &Connection,
    record: &Record,
    packet: &str,
    epoch: Epoch,
) -> Result<(), DatabaseError> {
    let told = judge_content(record, VersionVerdict::Changed, true);
    let pending = told.outcome != RecordOutcome::Refused;
    store(connection, record, &record.hash(), packet, epoch, &told, pending)?;
    if pending && record.kind == Kind::Link { index_link(connection, record) } else { Ok(()) }
}

fn judge_content(record: &Record, verdict: VersionVerdict, is_signed: bool) -> Told {
    if !record.kind.owner().hub_publishes() {
        return Told::refused("owner", RecordReason::NotOwner);
    }
    if !is_signed {
        return Told::refused("signature", RecordReason::Invalid);
    }
    if (record.form == Form::Tombstone) != record.body.is_empty() {
        return Told::refused("body", RecordReason::Invalid);
    }
    if record.form != Form::Tombstone {
        match record.read_body() {
            Err(_) => return Told::refused("canonical", RecordReason::Invalid),
            Ok(body) => {
                if let Some(finding) = body.findings().first() {
                    return Told::refused(finding.word(), RecordReason::Invalid);
                }
            }
        }
    }
    Told::plain(match verdict {
        VersionVerdict::New => RecordOutcome::New,
        VersionVerdict::Changed => RecordOutcome::Changed,
        _ => RecordOutcome::Unchanged,
    })
}

fn store(
    connection: &Connection,
    record: &Record,
    hash: &Digest,
    packet: &str,
    epoch: Epoch,
    told: &Told,
    pending: bool,
) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO svod_publication (kind, key, version, form, sha256, bytes, signature, packet, \
             epoch, outcome, rule, reason, pending) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            record.kind.name(),
            record.key.to_string(),
            record.version,
            record.form.name(),
            hash.to_string(),
            record.body,
            record.signature.map(|signature| signature.to_vec()),
            packet,
            epoch.get(),
            told.outcome.word(),
            told.why.map(|(word, _)| rule(record.kind, word)),
            told.why.map(|(_, reason)| reason.code()),
            pending
        ])?;
    Ok(())
}

/// Keeps what a link says where it is found by its target; what the claim was part of before must be shown
/// anew, so that publication waits again.
fn index_link(connection: &Connection, record: &Record) -> Result<(), DatabaseError> {
    let claim = record.key.to_string();
    connection
        .prepare_cached(
            "UPDATE svod_publication SET pending = 1 WHERE pending = 0 AND outcome IN ('new', 'changed', 'unchanged') \
             AND kind IN ('person', 'programme', 'supplement') AND key = (SELECT target FROM svod_link WHERE claim = ?1)",
        )?
        .execute([&claim])?;
    connection.prepare_cached("DELETE FROM svod_link WHERE claim = ?1")?.execute([&claim])?;
    if record.form == Form::Tombstone {
        return Ok(());
    }
    index_link_quietly(connection, record)?;
    sent::linked(connection, &claim)
}

/// Keeps what a live link says where it is found by its target.
pub(super) fn index_link_quietly(connection: &Connection, record: &Record) -> Result<(), DatabaseError> {
    let said = link_said(record)?;
    connection
        .prepare_cached(
            "INSERT INTO svod_link (claim, claim_kind, target, is_primary, based_on, as_typed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(said)?;
    Ok(())
}

/// Whether that is kept of the live link `record`.
pub(super) fn is_indexed(connection: &Connection, record: &Record) -> Result<bool, DatabaseError> {
    // a body that cannot be read is told of as forged
    let Ok(said) = link_said(record) else { return Ok(true) };
    let sql = "SELECT EXISTS (SELECT 1 FROM svod_link WHERE claim = ?1 AND claim_kind IS ?2 AND target IS ?3 \
               AND is_primary IS ?4 AND based_on IS CAST(?5 AS INTEGER) AND as_typed IS ?6)";
    Ok(connection.prepare_cached(sql)?.query_row(said, |row| row.get(0))?)
}

type LinkSaid = (String, String, String, bool, String, Option<String>);

fn link_said(record: &Record) -> Result<LinkSaid, DatabaseError> {
    let body = read_body(record)?;
    let text = |field| body.text(field).unwrap_or_default().to_owned();
    let (is_primary, as_typed) = (text("primary") == "1", body.text("as_typed").map(str::to_owned));
    let key = record.key.to_string();
    Ok((key, text("claim_kind"), text("target"), is_primary, text("based_on"), as_typed))
}

/// The values of a record that is kept.
///
/// # Errors
/// A body that this program cannot have kept.
pub fn read_body(record: &Record) -> Result<Body, DatabaseError> {
    record.read_body().map_err(|source| DatabaseError::Stored {
        kind: record.kind.name().to_owned(),
        key: record.key.to_string(),
        source: Box::new(source),
    })
}

/// Publications that name one of `rows` of `table` are shown again: the row to look at is another now.
pub(super) fn show_referrers_again(
    connection: &Connection,
    table: &Table,
    rows: &BTreeSet<&str>,
) -> Result<(), DatabaseError> {
    for other in tables::tables() {
        let Some(kind) = other.published else { continue };
        for column in other.columns.iter().filter(|column| column.refers_to == Some(table.name)) {
            let mut statement = connection.prepare_cached(&format!(
                "UPDATE svod_publication SET pending = 1 WHERE kind = '{kind}' AND outcome IN ('new', 'changed', \
                 'unchanged') AND key IN (SELECT r.uid FROM {0} t JOIN svod_record r ON r.kind = '{0}' \
                 AND r.id = t.id WHERE t.\"{1}\" = ?1 AND r.uid IS NOT NULL)",
                other.name, column.name
            ))?;
            for id in rows {
                statement.execute([id])?;
            }
        }
    }
    Ok(())
}

/// Kinds, keys and lengths of all that the hub has published, in the order of a packet's members.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn mirrored(connection: &Connection) -> Result<Vec<(Kind, RecordId, u64)>, DatabaseError> {
    let sql = "SELECT key, length(bytes) FROM svod_publication WHERE kind = ?1 ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.owner().hub_publishes()) {
        let mut rows = statement.query([kind.name()])?;
        while let Some(row) = rows.next()? {
            let key = row
                .get::<_, String>(0)?
                .parse()
                .map_err(|_| DatabaseError::Corrupt { table: "svod_publication", what: "a key" })?;
            found.push((kind, key, row.get(1)?));
        }
    }
    Ok(found)
}

/// The record as the hub last published it, with its signature: by that the hub knows it for its own.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn mirror(connection: &Connection, kind: Kind, key: RecordId) -> Result<Option<Record>, DatabaseError> {
    let found = find(connection, kind, key)?;
    Ok(found.map(|found| found.record))
}
