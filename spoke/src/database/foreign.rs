//! What `svod_record` and the tables beside it say that this program cannot have written, and keys that are not those
//! of their rows (exchange §8, D10).

use exchange_format::record::Kind;
use rusqlite::{Connection, params};

use crate::decisions::tables;

use super::{
    DatabaseError, publications,
    row_id::RowId,
    verify::{Damage, Fault},
};

/// That `column` is a record id.
fn is_id(column: &str) -> String {
    let digits = |n| "[0-9a-f]".repeat(n);
    let groups = [8, 4, 4, 4, 12].map(digits).join("-");
    format!("coalesce(typeof({column}) = 'text' AND {column} GLOB '{groups}', 0)")
}

/// Of `svod_record`: that no program of ours can have written it.
fn is_foreign() -> String {
    let kinds: Vec<String> = tables::tables().iter().map(|table| format!("'{}'", table.name)).collect();
    format!(
        "(NOT {} OR uid IS NOT NULL AND NOT {} OR typeof(state) <> 'text' OR kind NOT IN ({}))",
        is_id("key"),
        is_id("uid"),
        kinds.join(", ")
    )
}

/// Records of rows that are called the hub's and whose id is no text: the hub cannot have linked them.
fn unreadable_locks(connection: &Connection) -> Result<Vec<(String, RowId)>, DatabaseError> {
    let mut statement = connection.prepare(&format!(
        "SELECT kind, id FROM svod_record WHERE state NOT IN ('own', 'provisional') AND NOT {} \
         AND (typeof(id) <> 'text' OR id GLOB '*[^ -~]*')",
        is_foreign()
    ))?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, RowId>(1)?)))?;
    Ok(found
        .filter(|row| row.as_ref().map_or(true, |(_, id)| id.text().is_none()))
        .collect::<Result<_, _>>()?)
}

fn remove_unreadable_locks(connection: &Connection) -> Result<(), DatabaseError> {
    for (kind, id) in unreadable_locks(connection)? {
        connection.execute("DELETE FROM svod_record WHERE kind = ?1 AND id = ?2", params![kind, id])?;
    }
    Ok(())
}

/// Takes away what this program cannot have written and could not read: the rest is put right afterwards.
///
/// # Errors
/// SQLite's.
pub fn remove_unreadable(connection: &Connection) -> Result<(), DatabaseError> {
    connection.execute(&format!("DELETE FROM svod_record WHERE {}", is_foreign()), [])?;
    remove_unreadable_locks(connection)?;
    connection.execute(&format!("DELETE FROM svod_change WHERE NOT {}", is_id("key")), [])?;
    connection.execute(
        &format!(
            "DELETE FROM svod_sent WHERE NOT {} OR typeof(version) <> 'integer' OR form NOT IN ('live', 'tombstone') \
             OR length(sha256) <> 64 OR sha256 GLOB '*[^0-9a-f]*'",
            is_id("key")
        ),
        [],
    )?;
    publications::remove_unreadable(connection)
}

/// Records that this program cannot have written, and rows called the hub's that no publication explains.
pub(super) fn check(connection: &Connection, damages: &mut Vec<Damage>) -> Result<(), DatabaseError> {
    let foreign = format!("SELECT kind, id FROM svod_record WHERE {}", is_foreign());
    let mut statement = connection.prepare(&foreign)?;
    let found = statement.query_map([], |row| Ok((row.get::<_, RowId>(0)?.to_string(), row.get(1)?)))?;
    for (kind, id) in found.collect::<Result<Vec<_>, _>>()?.into_iter().chain(unreadable_locks(connection)?) {
        // what is no table of ours is no name to be told
        let table = tables::table(&kind).map_or("svod_record", |table| table.name);
        damages.push(Damage::new(Fault::RecordForged, table, id.to_string()));
    }
    for table in tables::tables() {
        let published = table.published.map_or("", Kind::name);
        let mut statement = connection.prepare(
            "SELECT id FROM svod_record r WHERE kind = ?1 AND state NOT IN ('own', 'provisional') AND NOT EXISTS \
             (SELECT 1 FROM svod_publication p WHERE p.kind = ?2 AND p.key = r.uid AND (r.id = r.uid OR EXISTS \
             (SELECT 1 FROM svod_link l WHERE l.claim = r.key AND l.target = r.uid)))",
        )?;
        let found = statement.query_map([table.name, published], |row| row.get::<_, RowId>(0))?;
        for id in found {
            damages.push(Damage::new(Fault::RecordForged, table.name, id?.to_string()));
        }
    }
    Ok(())
}

/// A row whose record was taken away gets its key again where the number that it shows tells which it was:
/// the one claim of that publication that has no row. Else it would begin a new record.
pub(super) fn give_back_keys(connection: &Connection) -> Result<(), DatabaseError> {
    for table in tables::tables().iter().filter(|table| table.has_uid) {
        let name = table.name;
        connection.execute(
            &format!(
                "INSERT INTO svod_record (kind, id, key, state, uid) SELECT '{name}', t.id, l.claim, 'locked', t.uid \
                 FROM {name} t JOIN svod_link l ON l.target = t.uid WHERE t.id <> t.uid AND NOT EXISTS (SELECT 1 FROM \
                 svod_record WHERE kind = '{name}' AND (id = t.id OR key = l.claim)) GROUP BY l.claim HAVING count(*) = 1"
            ),
            [],
        )?;
    }
    remove_unreadable_locks(connection)
}
