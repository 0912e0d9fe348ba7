//! The index of links: made of what the hub has signed, signed by nobody itself.

use exchange_format::{
    answer::RecordOutcome,
    record::{Form, Kind, Record},
};
use rusqlite::Connection;

use super::{
    DatabaseError, publications,
    verify::{Damage, Fault},
};

/// Its table.
pub const TABLE: &str = "svod_link";

/// Reads the index of links anew from the publications.
///
/// # Errors
/// SQLite's.
pub fn rebuild(connection: &Connection) -> Result<(), DatabaseError> {
    connection.execute("DELETE FROM svod_link", [])?;
    for_each_link(connection, |link| publications::index_link_quietly(connection, link))
}

/// Hands every link that the hub has published, and that holds, to `each`.
fn for_each_link(
    connection: &Connection,
    mut each: impl FnMut(&Record) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    publications::for_each::<DatabaseError>(connection, |publication| {
        let Ok(publication) = publication else { return Ok(()) };
        let record = &publication.record;
        let live = record.kind == Kind::Link && record.form != Form::Tombstone;
        if live && publication.outcome != RecordOutcome::Refused { each(record) } else { Ok(()) }
    })
}

/// Whether the index of links says what the hub has signed, and nothing else.
pub(super) fn check(connection: &Connection, damages: &mut Vec<Damage>) -> Result<(), DatabaseError> {
    let mut signed = 0_u64;
    for_each_link(connection, |link| {
        signed += 1;
        if !publications::is_indexed(connection, link)? {
            damages.push(Damage::new(Fault::RecordAltered, TABLE, link.key.to_string()));
        }
        Ok(())
    })?;
    let count = connection.query_row("SELECT count(*) FROM svod_link", [], |row| row.get::<_, u64>(0))?;
    if count > signed {
        damages.push(Damage::new(Fault::RecordForged, TABLE, ""));
    }
    Ok(())
}
