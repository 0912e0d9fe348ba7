//! Reading the databases of a running world, as an outsider would.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, Params, Row};

use super::WorldError;

/// A database opened for reading only, with its path for errors.
#[derive(Debug)]
pub struct Reader<'a> {
    path: &'a Path,
    connection: Connection,
}

impl<'a> Reader<'a> {
    /// Opens `path`; a writer may be at work on it.
    ///
    /// # Errors
    /// [`WorldError::Sql`].
    pub fn open(path: &'a Path) -> Result<Self, WorldError> {
        let open = || {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(Duration::from_secs(30))?;
            Ok(connection)
        };
        Ok(Self { path, connection: open().map_err(WorldError::sql(path))? })
    }

    /// The one number that `sql` gives.
    ///
    /// # Errors
    /// [`WorldError::Sql`].
    pub fn count(&self, sql: &str, params: impl Params) -> Result<u64, WorldError> {
        let number = self.one(sql, params, |row| row.get::<_, i64>(0))?;
        Ok(number.and_then(|number| number.try_into().ok()).unwrap_or_default())
    }

    /// The first row that `sql` gives.
    ///
    /// # Errors
    /// [`WorldError::Sql`].
    pub fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, WorldError> {
        Ok(self.all(sql, params, read)?.into_iter().next())
    }

    /// Every row that `sql` gives.
    ///
    /// # Errors
    /// [`WorldError::Sql`].
    pub fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, WorldError> {
        let all = || {
            let mut statement = self.connection.prepare(sql)?;
            statement.query_map(params, read)?.collect::<rusqlite::Result<Vec<T>>>()
        };
        all().map_err(WorldError::sql(self.path))
    }
}

/// The record's name on the wire for a table of the centre.
pub fn kind_of(table: &str) -> String {
    match table {
        "recipient" | "programme" | "supplement" => format!("{table}_claim"),
        own => own.to_owned(),
    }
}
