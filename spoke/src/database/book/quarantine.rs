//! Files in quarantine.

use exchange_endpoint::quarantine::Aside;
use rusqlite::{Connection, Row, params};

use super::columns::{bad, parsed};
use crate::database::DatabaseError;

const PACKET: &str = "svod_packet";

/// The files in quarantine, the oldest first.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn quarantine(connection: &Connection) -> Result<Vec<Aside>, DatabaseError> {
    asides(connection, "state = 'QUARANTINED' ORDER BY at, name")
}

/// Those of them that are to be judged again.
///
/// # Errors
/// As [`quarantine`].
pub fn to_replay(connection: &Connection) -> Result<Vec<Aside>, DatabaseError> {
    asides(connection, "replay = 1 AND state = 'QUARANTINED' ORDER BY epoch, seq, kind, name")
}

fn asides(connection: &Connection, which: &str) -> Result<Vec<Aside>, DatabaseError> {
    let sql = format!("SELECT * FROM svod_packet WHERE direction = 'in' AND {which}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(aside(row)?);
    }
    Ok(found)
}

fn aside(row: &Row<'_>) -> Result<Aside, DatabaseError> {
    let (name, since): (String, String) = (row.get("name")?, row.get("at")?);
    let file: String = row.get::<_, Option<String>>("file")?.unwrap_or_default();
    let kept = file.rsplit('/').next().filter(|kept| !kept.is_empty());
    Ok(Aside {
        peer: parsed(row, "peer", PACKET, "a participant")?.ok_or_else(|| bad(PACKET, "no peer"))?,
        file: kept.unwrap_or(name.trim_start_matches("in/")).to_owned(),
        kind: row.get("kind")?,
        reason: row.get::<_, Option<String>>("reason")?.unwrap_or_default(),
        last: since.clone(),
        since,
        times: 1,
        answered: row.get::<_, Option<String>>("digest")?.is_some(),
        // a packet that is taken after all takes over the row of its name
        taken: false,
        replay: row.get("replay")?,
        row: name,
    })
}

/// Lets the file of the row `row` be judged again, or no more.
///
/// # Errors
/// SQLite's.
pub fn set_replay(connection: &Connection, row: &str, replay: bool) -> Result<(), DatabaseError> {
    let sql = "UPDATE svod_packet SET replay = ?2 WHERE name = ?1 AND direction = 'in' \
               AND state = 'QUARANTINED' AND digest IS NULL";
    connection.prepare_cached(sql)?.execute(params![row, replay])?;
    Ok(())
}

/// What was set aside for its key is to be judged again: the hub has another.
///
/// # Errors
/// SQLite's.
pub fn replay_unknown_keys(connection: &Connection) -> Result<(), DatabaseError> {
    let sql = "UPDATE svod_packet SET replay = 1 WHERE direction = 'in' AND state = 'QUARANTINED' \
               AND digest IS NULL AND reason = 'UNKNOWN_KEY'";
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
