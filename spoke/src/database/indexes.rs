//! Indexes that others have given our tables.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::{
    DatabaseError,
    shape::{all, is_own, quoted},
    verify::{Damage, Fault},
};

/// Tables with an index that lets no two rows say the same, and that is none of ours.
pub(super) fn with_foreign_unique(connection: &Connection) -> Result<BTreeSet<String>, DatabaseError> {
    let made = "SELECT m.name, l.name FROM sqlite_master m JOIN pragma_index_list(m.name) l WHERE m.type = 'table' \
         AND l.\"unique\" = 1 AND l.origin = 'c' AND ?1 = ''";
    let made = all(connection, made, "", |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    Ok(made.into_iter().filter(|(_, index)| !is_own(index)).map(|(table, _)| table).collect())
}

/// Indexes that a centre has given our tables by a function or a collation of its own program.
pub(super) fn unusable(connection: &Connection) -> Result<Vec<Damage>, DatabaseError> {
    let indexes =
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND ?1 = ''";
    let indexes =
        all(connection, indexes, "", |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let foreign = indexes.into_iter().filter(|(table, index)| is_own(table) && !is_own(index));
    let is_unusable = |(_, index): &(String, String)| {
        connection.prepare(&format!("REINDEX main.{}", quoted(index))).is_err()
    };
    Ok(foreign
        .filter(is_unusable)
        .map(|(table, index)| Damage::new(Fault::IndexUnusable, table, index))
        .collect())
}
