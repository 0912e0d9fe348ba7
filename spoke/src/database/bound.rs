//! Which record each row is that shows what the hub published. No signature says so: the hub knows no ids of rows. The
//! journal does, by sums over what every load has bound and let go (exchange §8, D10).

use std::collections::BTreeMap;

use exchange_endpoint::journal_table::CENTRE_TABLE;
use exchange_format::{position::Digest, record::Kind, state_digest::StateDigest};
use rusqlite::{Connection, params};

use crate::decisions::tables::{Table, tables};

use super::{
    DatabaseError,
    row_id::RowId,
    verify::{Damage, Fault},
};

/// The event of the journal whose digest is what a sum of [`term`]s has grown by.
pub const BOUND: &str = "rows.bound";

/// What one row adds: SHA-256 of `table LF id LF key LF`. A row that the hub put here is its own record, and adds nothing.
pub(super) fn term(table: &str, id: &str, key: &str) -> Option<Digest> {
    (id != key).then(|| Digest::of(format!("{table}\n{id}\n{key}\n").as_bytes()))
}

fn sum_of_rows(connection: &Connection) -> Result<StateDigest, DatabaseError> {
    let mut statement = connection
        .prepare("SELECT kind, id, key FROM svod_record WHERE state NOT IN ('own', 'provisional')")?;
    let mut found = statement.query([])?;
    let mut sum = StateDigest::default();
    while let Some(row) = found.next()? {
        let [table, id, key] = [0, 1, 2].map(|at| row.get::<_, RowId>(at).map(|text| text.to_string()));
        if let Some(term) = term(&table?, &id?, &key?) {
            sum.add(&term);
        }
    }
    Ok(sum)
}

fn sum_of_journal(connection: &Connection) -> Result<StateDigest, DatabaseError> {
    let sql = format!("SELECT digests FROM {CENTRE_TABLE} WHERE event = ?1");
    let mut statement = connection.prepare(&sql)?;
    let mut found = statement.query([BOUND])?;
    let mut sum = StateDigest::default();
    while let Some(row) = found.next()? {
        if let Ok(grown) = row.get::<_, RowId>(0)?.to_string().parse() {
            sum.add(&grown);
        }
    }
    Ok(sum)
}

/// What the rows have bound and the journal does not say; `None` if it says all of it.
///
/// # Errors
/// SQLite's.
pub fn untold(connection: &Connection) -> Result<Option<Digest>, DatabaseError> {
    let mut sum = sum_of_rows(connection)?;
    let told = sum_of_journal(connection)?;
    sum.remove(&digest(&told));
    Ok(grown(&sum))
}

/// The digest of a sum that is not nothing.
pub fn grown(sum: &StateDigest) -> Option<Digest> {
    (*sum != StateDigest::default()).then(|| digest(sum))
}

fn digest(sum: &StateDigest) -> Digest {
    sum.to_string().parse().expect("a sum is written as a digest is")
}

/// Whether a row has another key than it was given. Of which one, nothing tells.
pub(super) fn check(connection: &Connection, damages: &mut Vec<Damage>) -> Result<(), DatabaseError> {
    if untold(connection)?.is_some() {
        damages.push(Damage::new(Fault::RecordAltered, "svod_record", "").of_columns(vec!["key".to_owned()]));
    }
    Ok(())
}

/// Whether by `damage` no key of a row can be believed.
pub fn is_unbound(damage: &Damage) -> bool {
    damage.table == CENTRE_TABLE || damage.fault == Fault::RecordAltered && damage.table == "svod_record"
}

/// A row whose key is not one of the person or programme that it shows.
struct Wrong {
    id: RowId,
    uid: String,
    is_primary: bool,
    key: String,
}

/// Gives rows whose keys contradict what they show a key of that again, as the hub's links say: a row stays the person
/// that it is. Call it where no sum proves the keys.
///
/// # Errors
/// SQLite's.
pub fn settle_keys(connection: &Connection) -> Result<(), DatabaseError> {
    for table in tables() {
        let (Some(own), Some(_)) = (table.own, table.published) else { continue };
        let wrong = wrong(connection, table, own)?;
        let mut given: BTreeMap<String, &Wrong> = BTreeMap::new();
        for row in &wrong {
            let free = free_keys(connection, table, own, row, &wrong)?;
            if let Some(key) = free.into_iter().find(|key| !given.contains_key(key)) {
                given.insert(key, row);
            }
        }
        give(connection, table, &wrong, &given)?;
    }
    Ok(())
}

/// The number that row `t` of `table` with the record `r` shows.
fn shown_uid(table: &Table) -> &'static str {
    if table.has_uid { "coalesce(t.uid, r.uid)" } else { "r.uid" }
}

fn wrong(connection: &Connection, table: &Table, own: Kind) -> Result<Vec<Wrong>, DatabaseError> {
    let (name, uid) = (table.name, shown_uid(table));
    let mut statement = connection.prepare(&format!(
        "SELECT r.id, {uid}, r.state <> 'alias', r.key FROM svod_record r LEFT JOIN {name} t ON t.id = r.id \
         WHERE r.kind = '{name}' AND r.state NOT IN ('own', 'provisional') AND {uid} IS NOT NULL \
         AND NOT (r.id = {uid} AND r.key = {uid}) AND NOT EXISTS (SELECT 1 FROM svod_link l WHERE l.claim = r.key \
         AND l.claim_kind = '{own}' AND l.target = {uid}) ORDER BY r.id"
    ))?;
    let found = statement.query_map([], |row| {
        let text = |at| row.get::<_, RowId>(at).map(|text| text.to_string());
        Ok(Wrong { id: row.get(0)?, uid: text(1)?, is_primary: row.get(2)?, key: text(3)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Keys that `row` may have had: of claims that are linked to what it shows and that no row has which is not `wrong`
/// itself, the likeliest first.
fn free_keys(
    connection: &Connection,
    table: &Table,
    own: Kind,
    row: &Wrong,
    wrong: &[Wrong],
) -> Result<Vec<String>, DatabaseError> {
    if row.id.text() == Some(&row.uid) {
        return Ok(vec![row.uid.clone()]);
    }
    let mut statement = connection.prepare_cached(
        "SELECT l.claim, EXISTS (SELECT 1 FROM svod_record r WHERE r.kind = ?1 AND r.key = l.claim) FROM svod_link l \
         WHERE l.target = ?2 AND l.claim_kind = ?3 ORDER BY l.is_primary <> ?4, l.claim",
    )?;
    let found = statement
        .query_map(params![table.name, row.uid, own.name(), row.is_primary], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let is_free = |(key, is_held): &(String, bool)| !is_held || wrong.iter().any(|other| other.key == *key);
    Ok(found.into_iter().filter(is_free).map(|(key, _)| key).collect())
}

fn give(
    connection: &Connection,
    table: &Table,
    wrong: &[Wrong],
    given: &BTreeMap<String, &Wrong>,
) -> Result<(), DatabaseError> {
    let is_given = |row: &Wrong| given.values().any(|one| one.id == row.id);
    for row in wrong.iter().filter(|row| given.contains_key(&row.key) && !is_given(row)) {
        // nothing tells any more which record this is
        let sql = "DELETE FROM svod_record WHERE kind = ?1 AND id = ?2";
        connection.prepare_cached(sql)?.execute(params![table.name, row.id])?;
    }
    let sql = "UPDATE svod_record SET key = ?3 WHERE kind = ?1 AND id = ?2";
    let mut set = connection.prepare_cached(sql)?;
    for (n, row) in given.values().enumerate() {
        // no two may have the same meanwhile
        set.execute(params![table.name, row.id, format!("~{n}")])?;
    }
    for (key, row) in given {
        set.execute(params![table.name, row.id, key])?;
    }
    Ok(())
}
