//! What can go wrong with `centre.db`.

use std::{io, path::PathBuf};

use exchange_endpoint::{
    database_pages,
    messages::Told,
    request_table::{self, RequestError},
};
use exchange_format::record::BodyError;

/// Why the database did not do what was asked. Never repeats a value of a record.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite said so.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file is not there.
    #[error("{0} does not exist")]
    Missing(PathBuf),
    /// The file is a database, but not a centre's.
    #[error("{path} is not the database of a centre of this exchange")]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Made by another version of this program.
    #[error("{path} has table version {found}; this program writes version {expected}")]
    Version {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
        /// What this program writes.
        expected: &'static str,
    },
    /// `init` will not write over something.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// A new database could not be made.
    #[error("{path}: {source}")]
    NotMade {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Stored bytes of a record do not read back.
    #[error("the stored body of {kind} {key} cannot be read: {source}")]
    Stored {
        /// The kind or table.
        kind: String,
        /// The record's key.
        key: String,
        /// Why.
        source: Box<BodyError>,
    },
    /// A value in a table of ours that our own code cannot have written.
    #[error("{table} holds {what} that this program did not write; run svod-spoke verify")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column or value class.
        what: &'static str,
    },
}

impl From<&DatabaseError> for Told {
    fn from(error: &DatabaseError) -> Self {
        match error {
            DatabaseError::Sqlite(error) => error.into(),
            DatabaseError::Version { found, expected, .. } => {
                let args = [("found", found.clone().into()), ("expected", (*expected).into())];
                Self::of("spoke-database-versions", &args)
            }
            DatabaseError::Stored { kind, key, .. } => {
                let args = [("kind", kind.clone().into()), ("key", key.clone().into())];
                Self::of("spoke-database-stored", &args)
            }
            DatabaseError::Corrupt { table, .. } => {
                Self::of("spoke-database-corrupt", &[("table", (*table).into())])
            }
            other => other.to_string().into(),
        }
    }
}

impl DatabaseError {
    /// Whether it is a database of a newer program than this one.
    pub fn is_newer(&self) -> bool {
        let Self::Version { found, expected, .. } = self else { return false };
        let number = |version: &str| version.parse::<u32>().unwrap_or_default();
        number(found) > number(expected)
    }

    /// Whether the file of the database is damaged.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Sqlite(error) if database_pages::is_damage(error))
    }

    /// Whether trying again later may help: another program holds the database.
    pub fn is_temporary(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        match self {
            Self::Sqlite(error) => matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked)),
            _ => false,
        }
    }
}

impl From<RequestError> for DatabaseError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Database(error) => error.into(),
            RequestError::Damaged(what) => Self::Corrupt { table: request_table::CENTRE_TABLE, what },
        }
    }
}
