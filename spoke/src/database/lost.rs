//! What the centre has lost of what it sent: found by what else tells of it, and said again (exchange §5, D10).
//!
//! A claim whose body is gone is said again as its row stands; of a locked row, as the hub publishes it: the hub goes on
//! having a claim of this centre, and none that wishes anything otherwise. Where the row shows what the centre typed and
//! the hub does not publish, the hub is asked for its copy; if not even a note of what was sent is left to compare that
//! with, the claim goes again with what the row shows there.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    packet::lot,
    position::Digest,
    record::{Body, Finding, Form, Kind, Record, RecordId},
};
use rusqlite::{Connection, OptionalExtension as _, params, types::ValueRef};

use crate::decisions::{
    mapping,
    tables::{self, Column, Table},
};

use super::{
    DatabaseError,
    own_records::{self, Change, PROPOSALS, Sealable},
    publications,
    row_id::RowId,
    rows, sent,
};

/// A claim that the hub has linked: it was sent, whether that is noted or not. Of `?1` the kind on the wire, `?2` the table.
const LINKED_UNNOTED: &str = "SELECT r.key FROM svod_link l JOIN svod_record r ON r.kind = ?2 AND r.key = l.claim \
     WHERE l.claim_kind = ?1 AND NOT EXISTS (SELECT 1 FROM svod_sent s WHERE s.kind = ?1 AND s.key = l.claim)";

/// Keys of claims of `table` that the hub has linked and of which nothing is noted as sent.
pub(super) fn linked_unnoted(connection: &Connection, table: &Table) -> Result<Vec<String>, DatabaseError> {
    let Some(kind) = table.own else { return Ok(Vec::new()) };
    let mut statement = connection.prepare(LINKED_UNNOTED)?;
    let found = statement.query_map([kind.name(), table.name], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Keys of claims of locked rows of `table` that were sent, whose body is gone and that say nothing but what the hub
/// publishes: what the centre alone has said is the hub's to tell, which is asked for it.
pub(super) fn locked_bodiless(connection: &Connection, table: &Table) -> Result<Vec<String>, DatabaseError> {
    let Some(kind) = table.own else { return Ok(Vec::new()) };
    let mut statement = connection.prepare(
        "SELECT s.key FROM svod_sent s JOIN svod_record r ON r.kind = ?2 AND r.key = s.key WHERE s.kind = ?1 \
         AND s.form = 'live' AND s.body IS NULL AND (s.lot IS NULL OR s.lot NOT IN (SELECT n FROM svod_lot)) \
         AND r.state NOT IN ('own', 'provisional') AND NOT EXISTS (SELECT 1 FROM svod_link l WHERE l.claim = s.key \
         AND l.as_typed IS NOT NULL)",
    )?;
    let found = statement.query_map([kind.name(), table.name], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Whether the claim `key` of a locked row has to be said again: the hub knows it, and here nothing stands behind it.
pub(super) fn is_owed(connection: &Connection, kind: Kind, key: RecordId) -> Result<bool, DatabaseError> {
    if let Some(last) = sent::last(connection, kind, key)? {
        return Ok(last.form == Form::Live && own_records::sent(connection, kind, key)?.is_none());
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM svod_link WHERE claim = ?2 AND claim_kind = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([kind.name(), &key.to_string()], |row| row.get(0))?)
}

/// A version that the claim `key`, of which nothing is noted, cannot have had: it rises by one at most with each packet,
/// and the hub's link names one that it had.
pub(super) fn version_above(connection: &Connection, key: RecordId) -> Result<u32, DatabaseError> {
    let sql = "SELECT 1 + coalesce((SELECT based_on FROM svod_link WHERE claim = ?1), 0) + \
               (SELECT count(*) FROM svod_packet WHERE direction = 'out' AND answers IS NULL) + \
               (SELECT coalesce(max(seq), 0) FROM svod_stream WHERE direction = 'out')";
    Ok(connection.prepare_cached(sql)?.query_row([key.to_string()], |row| row.get(0))?)
}

/// The record `key` for a snapshot: as it was last sent, or anew where that is lost. `None` if nothing can be said.
///
/// # Errors
/// SQLite's.
pub fn said(connection: &Connection, kind: Kind, key: RecordId) -> Result<Option<Record>, DatabaseError> {
    if let Some(sent) = own_records::sent(connection, kind, key)? {
        return Ok(Some(sent.record));
    }
    let change = change_of(kind, key);
    if let Some(last) = sent::last(connection, kind, key)?
        && let Some(body) = own_records::says(connection, &change)?
        && Digest::of(&body) == last.hash
    {
        let (version, form) = (last.version, last.form);
        return Ok(Some(Record { kind, key, version, form, body, signature: None }));
    }
    Ok(match own_records::look_at(connection, &change)? {
        Sealable::Version(record) => Some(record),
        Sealable::Nothing | Sealable::Problem(_) => None,
    })
}

/// The record `key` as it stands in the queue.
pub fn change_of(kind: Kind, key: RecordId) -> Change {
    let table = tables::table_of(kind).map_or(PROPOSALS, |table| table.name);
    Change { kind: table.to_owned(), key, problem: None }
}

/// A record that is noted as sent and whose body is not there as it was sent.
pub(super) struct Bodiless {
    kind: Kind,
    /// Its key.
    pub key: RecordId,
    sha256: String,
    /// Its whole lot is gone.
    pub with_lot: bool,
}

impl Bodiless {
    /// As it stands in the queue.
    pub fn change(&self) -> Change {
        change_of(self.kind, self.key)
    }
}

/// Everything that is noted as sent and whose body is gone, or is not the one that was sent. Records of one lot follow
/// each other, so that each is read about once.
pub(super) fn bodiless(connection: &Connection) -> Result<Vec<Bodiless>, DatabaseError> {
    let mut statement = connection
        .prepare("SELECT kind, key, sha256, lot, body FROM svod_sent WHERE form = 'live' ORDER BY n")?;
    let mut packed = connection.prepare("SELECT packed FROM svod_lot WHERE n = ?1")?;
    let (mut lot, mut in_lot): (Option<RowId>, Option<BTreeMap<RecordId, Digest>>) = (None, None);
    let mut found = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let text = |at| row.get::<_, RowId>(at).map(|text| text.to_string());
        let (Ok(kind), Ok(key), sha256) = (text(0)?.parse::<Kind>(), text(1)?.parse(), text(2)?) else {
            continue;
        };
        let (hash, with_lot) = match (row.get_ref(4)?, row.get::<_, Option<RowId>>(3)?) {
            (ValueRef::Blob(body), _) => (Some(Digest::of(body)), false),
            (ValueRef::Null, Some(of)) => {
                if lot.as_ref() != Some(&of) {
                    let bytes = packed.query_row([&of], |row| row.get::<_, RowId>(0)).optional()?;
                    in_lot = bytes.map(|bytes| hashes(kind, bytes.as_bytes()));
                    lot = Some(of);
                }
                (in_lot.as_ref().and_then(|hashes| hashes.get(&key).copied()), in_lot.is_none())
            }
            _ => (None, false),
        };
        if hash.is_none_or(|hash| hash.to_string() != sha256) {
            all.push(Bodiless { kind, key, sha256, with_lot });
        }
    }
    Ok(all)
}

fn hashes(kind: Kind, packed: &[u8]) -> BTreeMap<RecordId, Digest> {
    let mut hashes = BTreeMap::new();
    // what cannot be read is not there
    let _ = lot::for_each(kind, packed, |record| {
        hashes.insert(record.key, Digest::of(&record.body));
    });
    hashes
}

/// A body that is gone is kept anew where the row still says it; else only its version is.
///
/// # Errors
/// SQLite's.
pub fn do_without_bodies(connection: &Connection) -> Result<(), DatabaseError> {
    for lost in bodiless(connection)? {
        let body = own_records::says(connection, &lost.change())?;
        let body = body.filter(|bytes| Digest::of(bytes).to_string() == lost.sha256);
        connection
            .prepare_cached("UPDATE svod_sent SET lot = NULL, body = ?3 WHERE kind = ?1 AND key = ?2")?
            .execute(params![lost.kind.name(), lost.key.to_string(), body])?;
    }
    Ok(())
}

/// The hub's copy `mirror` of what we sent: its body is kept again if ours is gone and it is the one that we noted. True
/// if it was.
///
/// # Errors
/// SQLite's.
pub fn take_back(connection: &Connection, mirror: &Record) -> Result<bool, DatabaseError> {
    let sql = "UPDATE svod_sent SET lot = NULL, body = ?4 WHERE kind = ?1 AND key = ?2 AND sha256 = ?3 AND form = 'live' \
               AND body IS NULL AND (lot IS NULL OR lot NOT IN (SELECT n FROM svod_lot))";
    let (key, hash) = (mirror.key.to_string(), Digest::of(&mirror.body).to_string());
    let kept =
        connection.prepare_cached(sql)?.execute(params![mirror.kind.name(), key, hash, mirror.body])?;
    Ok(kept > 0)
}

/// What the claim `key` is part of is shown again: what the centre typed is known again.
///
/// # Errors
/// SQLite's.
pub fn show_again(connection: &Connection, key: RecordId) -> Result<(), DatabaseError> {
    let sql = "UPDATE svod_publication SET pending = 1 WHERE outcome IN ('new', 'changed', 'unchanged') \
               AND kind IN ('person', 'programme', 'supplement') AND key = (SELECT target FROM svod_link WHERE claim = ?1)";
    connection.prepare_cached(sql)?.execute([key.to_string()])?;
    Ok(())
}

/// What the locked row `id`, the claim `key`, says by what the hub has signed: nothing is taken from where anybody may
/// have written, but whose rows it refers to. Where `nothing_noted` of the claim nobody else knows what the centre typed
/// and the hub cannot read, so that this stays as the row shows it.
pub(super) fn as_published(
    connection: &Connection,
    table: &Table,
    (id, key): (&str, RecordId),
    nothing_noted: bool,
) -> Result<Option<Result<Body, Finding>>, DatabaseError> {
    let (Some(own), Some(published)) = (table.own, table.published) else { return Ok(None) };
    let sql = "SELECT target, as_typed FROM svod_link WHERE claim = ?1 AND claim_kind = ?2";
    let link = connection
        .prepare_cached(sql)?
        .query_row([&key.to_string(), own.name()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?))
        })
        .optional()?;
    let (Some((target, as_typed)), Some(mut row)) = (link, rows::by_keys(connection, table, id)?) else {
        return Ok(None);
    };
    let as_typed = as_typed.filter(|_| nothing_noted).unwrap_or_default();
    let typed: Vec<&str> = as_typed.split(' ').collect();
    let target = rows::record_id("svod_link", &target)?;
    let Some(publication) = publications::find(connection, published, target)? else { return Ok(None) };
    if publication.record.form == Form::Tombstone {
        return Ok(None);
    }
    let said = mapping::row(table, &publications::read_body(&publication.record)?);
    let columns = table.columns.iter().zip(row.values.iter_mut().zip(said.values));
    let is_hubs = |column: &Column| column.refers_to.is_none() && !typed.contains(&column.field);
    for (_, (value, said)) in columns.filter(|(column, _)| is_hubs(column)) {
        *value = said;
    }
    if !typed.contains(&"lines") {
        row.lines = said.lines;
    }
    Ok(Some(mapping::body(table, own, &row)))
}

/// `svod_record` and `svod_sent` tell of the same what was sent of a row of the centre's own. If what is kept as sent is
/// `proven`, the former follows the latter; else neither is believed: the row goes again, in a version above both.
///
/// # Errors
/// SQLite's.
pub fn settle_notes(connection: &Connection, proven: bool) -> Result<(), DatabaseError> {
    for table in tables::tables() {
        let Some(kind) = table.own else { continue };
        let note =
            format!("(SELECT {{}} FROM svod_sent s WHERE s.kind = '{kind}' AND s.key = svod_record.key)");
        let differing =
            format!("kind = '{}' AND EXISTS (SELECT 1 {})", table.name, differing("svod_record", kind));
        if proven {
            let told = note.replace("{}", "version, form, sha256");
            let sql = format!("UPDATE svod_record SET (version, form, sha256) = {told} WHERE {differing}");
            connection.execute(&sql, [])?;
            continue;
        }
        let higher = note.replace("{}", "max(s.version, coalesce(svod_record.version, 0))");
        let sql = format!("UPDATE svod_record SET version = {higher}, sha256 = '' WHERE {differing}");
        connection.execute(&sql, [])?;
        connection.execute(
            &format!(
                "DELETE FROM svod_sent WHERE kind = '{kind}' AND EXISTS (SELECT 1 FROM svod_record r WHERE r.kind = '{}' \
                 AND r.key = svod_sent.key AND r.state IN ('own', 'provisional') AND r.sha256 = '') OR kind = '{kind}' \
                 AND EXISTS (SELECT 1 FROM svod_link l WHERE l.claim = svod_sent.key AND l.claim_kind = '{kind}' \
                 AND l.based_on > svod_sent.version)",
                table.name
            ),
            [],
        )?;
    }
    Ok(())
}

/// `FROM svod_sent …`: what is noted as sent of the open row that the record `record` tells of, and it tells otherwise. One
/// that was put by a REPLACE with the DELETE triggers on tells nothing yet.
pub(super) fn differing(record: &str, kind: Kind) -> String {
    format!(
        "FROM svod_sent n WHERE n.kind = '{kind}' AND n.key = {record}.key AND n.form = 'live' \
         AND {record}.state IN ('own', 'provisional') AND {record}.version IS NOT NULL AND (n.version, n.form, n.sha256) IS NOT \
         ({record}.version, {record}.form, {record}.sha256)"
    )
}

/// The centre's own rows say again in the columns that their table, or that of their lines, called `name`, has `lost`
/// what was last sent of them; those that are gone, which no trigger has seen, as a whole. If the one column lost was
/// `renamed`, what waits to be sent has kept its value.
///
/// # Errors
/// SQLite's.
pub(super) fn say_again(
    connection: &Connection,
    table: &Table,
    name: &str,
    lost: &BTreeSet<String>,
    renamed: bool,
) -> Result<(), DatabaseError> {
    let Some(kind) = table.own else { return Ok(()) };
    let mut statement = connection.prepare(
        "SELECT id, key, EXISTS (SELECT 1 FROM svod_change c WHERE c.kind = r.kind AND c.key = r.key) \
         FROM svod_record r WHERE kind = ?1 AND state IN ('own', 'provisional')",
    )?;
    let own: Vec<(RowId, String, bool)> = statement
        .query_map([table.name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (id, key, waits) in own {
        let key = rows::record_id("svod_record", &key)?;
        let Some(id) = id.into_text() else { continue };
        let Some(sent) = own_records::sent(connection, kind, key)? else { continue };
        if sent.record.form != Form::Live {
            continue;
        }
        let claim = mapping::row(table, &publications::read_body(&sent.record)?);
        let Some(said) = rows::resolve(connection, table, &claim)? else { continue };
        if rows::as_it_stands(connection, table, &id)?.is_none() {
            rows::write(connection, table, &id, None, &said)?;
        } else if !(lost.is_empty() || renamed && waits) {
            rows::fill(connection, table, name, &id, lost, &said)?;
        }
    }
    Ok(())
}
