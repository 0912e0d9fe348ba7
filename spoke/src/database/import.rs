//! One row of an imported file, by plain SQL as any program would write it: locks hold, changes are captured.

use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

/// What putting a row did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was not there.
    New,
    /// It said something else.
    Changed,
    /// It said the same.
    Unchanged,
}

/// Inserts or updates row `id` of `table`; columns that are not among `pairs` stay as they are. The names of
/// table and columns are ours, never the file's.
///
/// # Errors
/// SQLite's; a lock's refusal among them.
pub fn put(
    connection: &Connection,
    table: &str,
    id: &str,
    pairs: &[(&str, Option<&str>)],
) -> Result<Done, rusqlite::Error> {
    let bound = || [Some(id)].into_iter().chain(pairs.iter().map(|(_, value)| *value));
    let same: Vec<String> =
        pairs.iter().enumerate().map(|(n, (column, _))| format!("\"{column}\" IS ?{}", n + 2)).collect();
    let condition = if same.is_empty() { "1".to_owned() } else { same.join(" AND ") };
    let sql = format!("SELECT {condition} FROM {table} WHERE id = ?1");
    let known: Option<bool> =
        connection.prepare_cached(&sql)?.query_row(params_from_iter(bound()), |row| row.get(0)).optional()?;
    match known {
        Some(true) => return Ok(Done::Unchanged),
        Some(false) => {
            let sets: Vec<String> = pairs
                .iter()
                .enumerate()
                .map(|(n, (column, _))| format!("\"{column}\" = ?{}", n + 2))
                .collect();
            let sql = format!("UPDATE {} SET {} WHERE id = ?1", table, sets.join(", "));
            connection.prepare_cached(&sql)?.execute(params_from_iter(bound()))?;
            return Ok(Done::Changed);
        }
        None => {}
    }
    let names: Vec<String> = pairs.iter().map(|(column, _)| format!(", \"{column}\"")).collect();
    let marks: Vec<String> = (0..pairs.len()).map(|n| format!(", ?{}", n + 2)).collect();
    let sql = format!("INSERT INTO {} (id{}) VALUES (?1{})", table, names.concat(), marks.concat());
    connection.prepare_cached(&sql)?.execute(params_from_iter(bound()))?;
    Ok(Done::New)
}

/// Whether `table` has a row `id`.
///
/// # Errors
/// SQLite's.
pub fn is_there(connection: &Connection, table: &str, id: &str) -> Result<bool, rusqlite::Error> {
    connection.prepare_cached(&format!("SELECT 1 FROM {table} WHERE id = ?1"))?.exists([id])
}

/// The ids of the rows of `table` that name `parent` in `column`.
///
/// # Errors
/// SQLite's.
pub fn lines_of(
    connection: &Connection,
    table: &str,
    column: &str,
    parent: &str,
) -> Result<Vec<String>, rusqlite::Error> {
    let sql = format!("SELECT id FROM {table} WHERE \"{column}\" = ?1");
    connection.prepare_cached(&sql)?.query_map([parent], |row| row.get(0))?.collect()
}
