//! What can go wrong in a running centre.

use std::{
    io,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    archive::KeepError,
    config::ConfigError,
    database_pages,
    instance::InstanceError,
    journal_table::JournalError,
    keys::KeysError,
    mailbox::MailboxError,
    messages::Told,
    no_room::NoRoom as _,
    output::{Exit, Failure},
    protocol::ProtocolError,
    request_table::RequestError,
    tables::TableError,
    trust::TrustError,
    watermark::WatermarkError,
};
use exchange_format::{
    answer::AnswerError, error::PacketError, packet::WriteError, participant::ParticipantCode,
    seal::OpenError, stream::CannotSeal,
};

use crate::database::{self, DatabaseError};

/// Why a centre could not do what it was to do. Never repeats a value of a record.
#[derive(Debug, thiserror::Error)]
pub enum SpokeError {
    /// The database.
    #[error("centre.db: {0}")]
    Database(#[from] DatabaseError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process owns the database.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// Own keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Cards of others.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The watermark file.
    #[error(transparent)]
    Watermark(#[from] WatermarkError),
    /// The mailbox.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The protocols.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A file of ours could not be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// A packet could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// An answer could not be written.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// A packet could not be read.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The stream does not allow it.
    #[error(transparent)]
    Stream(#[from] CannotSeal),
    /// A table of rows for people, or the map of its columns.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A directory or file.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no card of the hub in `trust/`.
    #[error("no card of the hub {0} in trust/")]
    NoHubCard(ParticipantCode),
}

impl SpokeError {
    /// Whether the database says what this program cannot have written: somebody else has.
    pub fn is_of_content(&self) -> bool {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
        };
        match self {
            Self::Database(DatabaseError::Corrupt { .. } | DatabaseError::Stored { .. }) => true,
            Self::Database(DatabaseError::Sqlite(error)) => {
                matches!(
                    error,
                    FromSqlConversionFailure(..)
                        | IntegralValueOutOfRange(..)
                        | InvalidColumnType(..)
                        | Utf8Error(..)
                ) || is_of_schema(error)
            }
            _ => false,
        }
    }

    /// Whether there is no room on the disk.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Write(WriteError::Io(source))
            | Self::Answer(AnswerError::Io(source))
            | Self::Packet(PacketError::Io(source) | PacketError::Open(OpenError::Io(source)))
            | Self::Keep(KeepError::Io { source, .. })
            | Self::Io { source, .. } => source.is_no_room(),
            Self::Database(DatabaseError::Sqlite(error)) | Self::Journal(JournalError::Database(error)) => {
                error.is_no_room()
            }
            _ => false,
        }
    }

    /// What went wrong, without its step.
    fn detail(&self) -> Told {
        match self {
            Self::Write(error) => error.into(),
            Self::Answer(error) => error.into(),
            Self::Packet(error) => error.into(),
            Self::Journal(error) => error.into(),
            Self::Keep(error) => error.into(),
            Self::Database(error) => error.into(),
            Self::Io { path, source } => Told::at(&path.display(), source),
            other => other.to_string().into(),
        }
    }

    /// Whether the file of the database is damaged.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Database(error) => error.is_damage(),
            Self::Journal(JournalError::Database(error)) => database_pages::is_damage(error),
            _ => false,
        }
    }

    /// Whether another program holds the database: it has to be waited for.
    pub fn is_of_another_program(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_temporary())
    }

    /// An error of the file at `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }
}

/// No such table, column or collation, while the statements of this program are right; or a schema that nobody can read.
fn is_of_schema(error: &rusqlite::Error) -> bool {
    if database_pages::is_damage(error) {
        return false;
    }
    let code = error.sqlite_error().map(|error| error.extended_code & 0xff);
    matches!(code, Some(rusqlite::ffi::SQLITE_ERROR | rusqlite::ffi::SQLITE_SCHEMA))
        || database::malformed(error).is_some()
}

impl From<RequestError> for SpokeError {
    fn from(error: RequestError) -> Self {
        Self::Database(error.into())
    }
}

impl From<rusqlite::Error> for SpokeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

/// What the mailbox does not do, as an operator is told.
pub fn mailbox_failure(error: &MailboxError) -> Failure {
    let is_setting = matches!(error, MailboxError::Config { .. });
    let exit = if is_setting { Exit::Usage } else { Exit::Temporary };
    Failure::new(exit, "spoke-mailbox").because("detail", error).because("todo", error.next())
}

impl From<SpokeError> for Failure {
    fn from(error: SpokeError) -> Self {
        match error {
            error if error.is_damage() => damaged(Told::of("sqlite-damaged-met", &[])),
            error if error.is_full() => {
                Self::new(Exit::Temporary, "spoke-no-room").because("detail", error.detail())
            }
            SpokeError::Database(error) => database_failure(&error),
            SpokeError::Config(error) => error.into(),
            SpokeError::Instance(error) => error.into(),
            SpokeError::Keys(error) => error.into(),
            SpokeError::Trust(error) => error.into(),
            SpokeError::Watermark(error) => error.into(),
            SpokeError::Protocol(error) => error.into(),
            SpokeError::Table(error) => table_failure(error),
            SpokeError::Mailbox(error) => mailbox_failure(&error),
            SpokeError::Keep(_) => Self::new(Exit::Temporary, "spoke-file").because("detail", error.detail()),
            SpokeError::Io { ref source, .. } => {
                Self::new(Exit::of_io(source), "spoke-file").because("detail", error.detail())
            }
            SpokeError::Write(_) | SpokeError::Answer(_) | SpokeError::Packet(_) | SpokeError::Journal(_) => {
                Self::new(Exit::Temporary, "spoke-packet").because("detail", error.detail())
            }
            SpokeError::Stream(error) => Self::new(Exit::Refused, "spoke-stream").because("detail", &error),
            SpokeError::NoHubCard(code) => Self::new(Exit::Usage, "spoke-no-hub-card").told("code", code),
        }
    }
}

/// The file of the database is damaged: where that is known, where.
pub fn damaged(place: impl Into<Told>) -> Failure {
    Failure::new(Exit::Refused, "spoke-database-damaged").because("detail", place)
}

fn table_failure(error: TableError) -> Failure {
    let known = |code, file: &Path, length: usize, known: Told| {
        let failure = Failure::new(Exit::Refused, code).told("file", file.display());
        failure.with("length", length).because("known", known)
    };
    match error {
        TableError::File { file, exit, cause } => {
            Failure::new(exit, "spoke-csv-unreadable").told("file", file.display()).because("detail", cause)
        }
        TableError::Map { file, exit, cause } => {
            Failure::new(exit, "spoke-map-unreadable").told("file", file.display()).because("detail", cause)
        }
        TableError::Column { file, n, length, known: all } => {
            known("spoke-csv-column", &file, length, all).with("n", n)
        }
        TableError::Key { file, length, known: all } => known("spoke-csv-key", &file, length, all),
        TableError::MapColumn { file, line, length, known: all } => {
            known("spoke-map-column", &file, length, all).with("line", line)
        }
    }
}

/// What to do about a database of another version than this program's.
fn version_todo(error: &DatabaseError) -> Told {
    Told::of(if error.is_newer() { "spoke-database-newer" } else { "spoke-database-older" }, &[])
}

fn database_failure(error: &DatabaseError) -> Failure {
    match error {
        DatabaseError::Missing(path) => {
            Failure::new(Exit::Usage, "spoke-database-missing").told("file", path.display())
        }
        DatabaseError::NotOurs { path } => {
            Failure::new(Exit::Usage, "spoke-database-foreign").told("file", path.display())
        }
        DatabaseError::Version { path, .. } => Failure::new(Exit::Usage, "spoke-database-version")
            .told("file", path.display())
            .because("detail", error)
            .because("todo", version_todo(error)),
        DatabaseError::Exists(path) => {
            Failure::new(Exit::Refused, "spoke-exists").told("file", path.display())
        }
        DatabaseError::NotMade { path, source } => Failure::new(Exit::of_io(source), "spoke-file")
            .because("detail", Told::at(&path.display(), source)),
        error if error.is_temporary() => {
            Failure::new(Exit::Temporary, "spoke-database-busy").because("detail", error)
        }
        DatabaseError::Sqlite(cause) if is_of_schema(cause) => {
            Failure::new(Exit::Temporary, "spoke-database-altered").because("detail", error)
        }
        DatabaseError::Sqlite(cause) if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly) => {
            Failure::new(Exit::Usage, "spoke-database").because("detail", error)
        }
        error => Failure::new(Exit::Temporary, "spoke-database").because("detail", error),
    }
}

#[cfg(test)]
mod tests {
    use exchange_endpoint::output::Lang;

    use super::*;

    #[test]
    fn on_a_full_disk_the_step_is_to_make_room() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let sqlite =
            || rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
        let path = || PathBuf::from("spool");
        for error in [
            SpokeError::Write(WriteError::Io(full())),
            SpokeError::Answer(AnswerError::Io(full())),
            SpokeError::Packet(PacketError::Io(full())),
            SpokeError::Keep(KeepError::Io { path: path(), source: full() }),
            SpokeError::Io { path: path(), source: full() },
            SpokeError::Database(DatabaseError::Sqlite(sqlite())),
            SpokeError::Journal(JournalError::Database(sqlite())),
        ] {
            let failure = Failure::from(error);
            assert_eq!((failure.exit(), failure.code()), (Exit::Temporary, "spoke-no-room"));
            assert!(failure.next(Lang::Ru).contains("Освободите место"), "{}", failure.next(Lang::Ru));
            assert!(failure.next(Lang::En).contains("Make room"), "{}", failure.next(Lang::En));
            assert!(failure.message(Lang::Ru).contains("на диске"), "{}", failure.message(Lang::Ru));
        }
        let other = SpokeError::Write(WriteError::Io(io::ErrorKind::TimedOut.into()));
        assert_eq!(Failure::from(other).code(), "spoke-packet");
    }
}
