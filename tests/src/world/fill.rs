//! A centre's rows, put into its database as any program would: by plain SQL.

use std::{path::Path, time::Duration};

use fixtures::{city::Centre, table::Table};
use rusqlite::{Connection, params_from_iter};

use super::WorldError;

/// Opens a database as some program beside the daemon would.
///
/// # Errors
/// [`WorldError::Sql`].
pub fn open(path: &Path) -> Result<Connection, WorldError> {
    let open = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        Ok(connection)
    };
    open().map_err(WorldError::sql(path))
}

/// Inserts every row of `centre` in one transaction.
///
/// # Errors
/// [`WorldError::Sql`].
pub fn fill(path: &Path, centre: &Centre) -> Result<(), WorldError> {
    let insert = || {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        let transaction = connection.transaction()?;
        for table in &centre.tables {
            let mut statement = transaction.prepare(&insert_sql(table))?;
            for row in &table.rows {
                statement.execute(params_from_iter(row))?;
            }
        }
        transaction.commit()
    };
    insert().map_err(WorldError::sql(path))
}

fn insert_sql(table: &Table) -> String {
    let columns = table.columns.join(", ");
    let marks = vec!["?"; table.columns.len()].join(", ");
    format!("INSERT INTO {} ({columns}) VALUES ({marks})", table.name)
}
