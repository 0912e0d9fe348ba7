//! Records by kind and beginning of their keys, as their stream has carried them: what two pictures are compared by.

use exchange_format::{
    answer::{KeyPrefix, Listed, RangeDigests},
    position::Epoch,
    record::Kind,
    state_digest::StateDigest,
};
use rusqlite::{Connection, params};

use super::DatabaseError;

/// Hands over the live and withdrawn records that the hub's stream has carried in `epoch`.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn received(
    connection: &Connection,
    epoch: Epoch,
    kind: Kind,
    prefix: &KeyPrefix,
    each: &mut dyn FnMut(Listed),
) -> Result<(), DatabaseError> {
    listed(connection, "svod_publication", (epoch, kind, prefix), each)
}

/// The same of our stream to the hub.
///
/// # Errors
/// As [`received`].
pub fn sent(
    connection: &Connection,
    epoch: Epoch,
    kind: Kind,
    prefix: &KeyPrefix,
    each: &mut dyn FnMut(Listed),
) -> Result<(), DatabaseError> {
    listed(connection, "svod_sent", (epoch, kind, prefix), each)
}

/// The sum over what the hub's stream has carried in `epoch`, made anew.
///
/// # Errors
/// As [`received`].
pub fn sum_of_received(connection: &Connection, epoch: Epoch) -> Result<StateDigest, DatabaseError> {
    RangeDigests::sum(|kind, prefix, each| received(connection, epoch, kind, prefix, each))
}

fn listed(
    connection: &Connection,
    table: &'static str,
    (epoch, kind, prefix): (Epoch, Kind, &KeyPrefix),
    each: &mut dyn FnMut(Listed),
) -> Result<(), DatabaseError> {
    let (first, last) = prefix.bounds();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT key, version, form, sha256 FROM {table} WHERE kind = ?1 AND key BETWEEN ?2 AND ?3 AND epoch = ?4 \
         AND form <> 'tombstone' ORDER BY key"
    ))?;
    let mut rows = statement.query(params![kind.name(), first.to_string(), last.to_string(), epoch.get()])?;
    let bad = |what| DatabaseError::Corrupt { table, what };
    while let Some(row) = rows.next()? {
        let text = |at: usize| row.get::<_, String>(at);
        each(Listed {
            key: text(0)?.parse().map_err(|_| bad("a key"))?,
            version: row.get(1)?,
            form: text(2)?.parse().map_err(|_| bad("a form"))?,
            hash: text(3)?.parse().map_err(|_| bad("a digest"))?,
        });
    }
    Ok(())
}
