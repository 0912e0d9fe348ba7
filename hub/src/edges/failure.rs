//! What the hub's errors mean to the one who gave a command: code, exit, next step.

use std::{io, path::Path};

use exchange_endpoint::output::{Exit, Failure};

use super::{hub::HubError, pki::PkiError, register::RegisterError};
use crate::database::DatabaseError;

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        let of = |code, path: &Path| Self::new(Exit::Usage, code).told("file", path.display());
        match &error {
            DatabaseError::Absent(path) => of("hub-no-database", path),
            DatabaseError::Exists(path) => {
                Self::new(Exit::Refused, "hub-exists").told("file", path.display())
            }
            DatabaseError::Foreign(path) => of("hub-database-foreign", path),
            DatabaseError::Newer { path, found } => of("hub-newer", path).told("detail", found),
            DatabaseError::Older { path, found } => of("hub-older", path).told("detail", found),
            DatabaseError::ReadOnly => Self::new(Exit::Usage, "hub-read-only"),
            DatabaseError::Busy => Self::new(Exit::Temporary, "hub-busy"),
            DatabaseError::Sqlite(error) => Self::new(Exit::Temporary, "hub-step").because("detail", error),
            DatabaseError::Damaged { .. } | DatabaseError::Journal(_) => {
                Self::new(Exit::Refused, "hub-damaged").told("detail", error)
            }
        }
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Database(error) => error.into(),
            RegisterError::CaseNumber(error) => {
                Self::new(Exit::Refused, "hub-case-numbers").told("detail", error)
            }
            RegisterError::Random(_) => Self::new(Exit::Temporary, "hub-step").told("detail", error),
        }
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Database(error) => error.into(),
            HubError::Register(error) => error.into(),
            HubError::Watermark(error) => error.into(),
            HubError::Protocol(error) => error.into(),
            HubError::Io { path, source } => file(&path)(source),
            HubError::NoCard(code) => Self::new(Exit::Usage, "hub-no-card").told("code", code),
            HubError::Packet(_)
            | HubError::Write(_)
            | HubError::Answer(_)
            | HubError::CannotSeal(_)
            | HubError::Keep(_)
            | HubError::Refused(_) => Self::new(Exit::Temporary, "hub-step").told("detail", error),
        }
    }
}

impl From<PkiError> for Failure {
    fn from(error: PkiError) -> Self {
        match error {
            PkiError::File { path, source } => file(&path)(source),
            other => Self::new(Exit::Usage, "hub-certificates").told("detail", other),
        }
    }
}

/// The error for a file or directory that cannot be read or written.
pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.display().to_string();
    |source| Failure::new(Exit::of_io(&source), "hub-file").with("file", path).because("detail", source)
}
