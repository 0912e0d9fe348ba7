//! What of the centre's own was changed or deleted past the triggers, and what it has lost of what it sent
//! (exchange §8, D10).

use exchange_endpoint::database_pages::is_of_pages;
use exchange_format::record::RecordId;
use rusqlite::Connection;

use crate::decisions::tables::{Table, tables};

use super::{
    DatabaseError, lost,
    own_records::{self, Change, Sealable},
    row_id::RowId,
    verify::{Damage, Fault},
};

/// Own rows that say something else than was sent, or are gone, while the queue does not know.
pub(super) fn check(connection: &Connection, damages: &mut Vec<Damage>) -> Result<(), DatabaseError> {
    let mut lots = connection.prepare(
        "SELECT DISTINCT lot FROM svod_sent WHERE body IS NULL AND lot IS NOT NULL AND lot NOT IN (SELECT n FROM svod_lot)",
    )?;
    for lot in lots.query_map([], |row| row.get::<_, RowId>(0))? {
        damages.push(Damage::new(Fault::EvidenceMissing, "svod_lot", lot?.to_string()));
    }
    for lost in lost::bodiless(connection)?.into_iter().filter(|lost| !lost.with_lot) {
        let (change, key) = (lost.change(), lost.key.to_string());
        if !is_queued(connection, &change.kind, &key)? {
            damages.push(Damage::new(Fault::EvidenceMissing, "svod_sent", key));
        }
    }
    for table in tables() {
        let Some(kind) = table.own else { continue };
        let name = table.name;
        for key in own_records::sent_without_record(connection, table)? {
            damages.push(Damage::new(Fault::NotCaptured, name, key));
        }
        let unqueued = |key: &String| is_queued(connection, name, key).map(|queued| !queued);
        for key in lost::linked_unnoted(connection, table)? {
            if unqueued(&key)? {
                damages.push(Damage::new(Fault::EvidenceMissing, "svod_sent", key));
            }
        }
        let mut otherwise = connection.prepare(&format!(
            "SELECT id FROM svod_record r WHERE kind = '{name}' AND EXISTS (SELECT 1 {})",
            lost::differing("r", kind)
        ))?;
        for id in otherwise.query_map([], |row| row.get::<_, RowId>(0))? {
            damages.push(Damage::new(Fault::RecordAltered, name, id?.to_string()));
        }
        let mut statement = connection.prepare(&format!(
            "SELECT id, key, NOT EXISTS (SELECT 1 FROM {name} t WHERE t.id = r.id), version IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM svod_sent s WHERE s.kind = '{kind}' AND s.key = r.key) FROM svod_record r \
             WHERE kind = '{name}' AND state IN ('own', 'provisional') AND NOT EXISTS \
             (SELECT 1 FROM svod_change c WHERE c.kind = r.kind AND c.key = r.key)"
        ))?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let [id, key] = [0, 1].map(|at| row.get::<_, RowId>(at).map(|text| text.to_string()));
            let (id, key) = (id?, key?);
            let (is_gone, is_unproven): (bool, bool) = (row.get(2)?, row.get(3)?);
            let Ok(key) = key.parse() else { continue };
            if is_unproven {
                damages.push(Damage::new(Fault::EvidenceMissing, "svod_sent", &id));
            } else if is_gone || is_changed(connection, table, key)? {
                damages.push(Damage::new(Fault::NotCaptured, name, &id));
            }
        }
    }
    Ok(())
}

fn is_queued(connection: &Connection, table: &str, key: &str) -> Result<bool, DatabaseError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM svod_change WHERE kind = ?1 AND key = ?2)";
    Ok(connection.prepare_cached(sql)?.query_row([table, key], |row| row.get(0))?)
}

/// Whether the record `key` says something else than was sent, or names another record: triggers queue what names a row
/// whose key has ended.
fn is_changed(connection: &Connection, table: &Table, key: RecordId) -> Result<bool, DatabaseError> {
    let change = Change { kind: table.name.to_owned(), key, problem: None };
    Ok(matches!(own_records::look_at(connection, &change)?, Sealable::Version(_)))
}

/// Whether every packet of the current epochs is noted: ours up to `sealed`, the hub's up to `applied`.
///
/// # Errors
/// SQLite's.
pub fn check_packets(
    connection: &Connection,
    marks: [(&'static str, Option<(u16, u64)>); 2],
) -> Result<Vec<Damage>, DatabaseError> {
    let mut damages = Vec::new();
    for (direction, mark) in marks {
        let Some((epoch, seq)) = mark else { continue };
        let noted: u64 = connection
            .prepare_cached(
                "SELECT count(DISTINCT seq) FROM svod_packet WHERE direction = ?1 AND epoch = ?2 AND seq <= ?3 \
                 AND kind IN ('DT', 'SN', 'KY') AND answers IS NULL",
            )?
            .query_row((direction, epoch, seq), |row| row.get(0))?;
        if noted < seq {
            damages.push(Damage::new(Fault::EvidenceMissing, "svod_packet", direction));
        }
    }
    Ok(damages)
}

/// Whether the pages of the file are as SQLite writes them.
///
/// # Errors
/// SQLite's.
pub fn is_sound(connection: &Connection) -> Result<bool, DatabaseError> {
    let told = || -> rusqlite::Result<Vec<String>> {
        connection.prepare("PRAGMA quick_check")?.query_map([], |row| row.get(0))?.collect()
    };
    match told() {
        Ok(lines) => Ok(!lines.iter().any(|line| is_of_pages(line))),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => Ok(false),
        // an index by a function or a collation that only another program has
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
