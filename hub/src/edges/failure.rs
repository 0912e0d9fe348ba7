//! What the hub's errors mean to the one who gave a command: code, exit, next step.

use std::{io, path::Path};

use exchange_endpoint::{
    messages::{self, Told},
    output::{Exit, Failure},
    tables::TableError,
};

use super::{
    event_loop::RunError, ftps_server::FtpsServerError, hub::HubError, pki::PkiError, register::RegisterError,
};
use crate::{
    database::{DatabaseError, SCHEMA_VERSION},
    decisions::case_number::CaseNumberError,
};

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        let of = |code, path: &Path| Self::new(Exit::Usage, code).told("file", path.display());
        match &error {
            DatabaseError::Absent(path) => of("hub-no-database", path),
            DatabaseError::Exists(path) => {
                Self::new(Exit::Refused, "hub-exists").told("file", path.display())
            }
            DatabaseError::Foreign(path) => of("hub-database-foreign", path),
            DatabaseError::Newer { path, found } => {
                of("hub-newer", path).told("found", found).told("known", SCHEMA_VERSION)
            }
            DatabaseError::Older { path, found } => {
                of("hub-older", path).told("found", found).told("known", SCHEMA_VERSION)
            }
            DatabaseError::ReadOnly => Self::new(Exit::Usage, "hub-read-only"),
            DatabaseError::Busy => Self::new(Exit::Temporary, "hub-busy"),
            DatabaseError::Unlooked => Self::new(Exit::Temporary, "hub-unlooked"),
            error if error.is_damage() => damaged(Told::of("sqlite-damaged-met", &[])),
            DatabaseError::Sqlite(error) => Self::new(Exit::Temporary, "hub-step").because("detail", error),
            DatabaseError::Damaged { table, column } => {
                let place =
                    Told::of("hub-place", &[("table", (*table).into()), ("column", (*column).into())]);
                Self::new(Exit::Refused, "hub-damaged").because("detail", place)
            }
            DatabaseError::Journal(error) => Self::new(Exit::Refused, "hub-damaged").because("detail", error),
        }
    }
}

/// The file of the database is damaged: where that is known, where.
pub fn damaged(place: impl Into<Told>) -> Failure {
    Failure::new(Exit::Refused, "hub-database-damaged").because("detail", place)
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Database(error) => error.into(),
            RegisterError::CaseNumber(error) => {
                Self::new(Exit::Refused, "hub-case-numbers").because("detail", &error)
            }
            RegisterError::Random(_) => {
                Self::new(Exit::Temporary, "hub-step").because("detail", Told::of("hub-no-chance", &[]))
            }
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
            HubError::Keys(error) => error.into(),
            HubError::Trust(error) => error.into(),
            HubError::Io { path, source } => file(&path)(source),
            HubError::NoCard(code) => Self::new(Exit::Usage, "hub-no-card").told("code", code),
            HubError::Packet(error) => step(&error),
            HubError::Write(error) => step(&error),
            HubError::Answer(error) => step(&error),
            HubError::CannotSeal(error) => step(&error),
            HubError::Keep(error) => step(&error),
            HubError::Refused(reason) => step(Told::new(|lang| lang.of(reason.sentence()).to_owned())),
        }
    }
}

/// A step of the exchange that was not done.
fn step(cause: impl Into<Told>) -> Failure {
    Failure::new(Exit::Temporary, "hub-step").because("detail", cause)
}

impl From<&CaseNumberError> for Told {
    fn from(error: &CaseNumberError) -> Self {
        match error {
            CaseNumberError::Region(_) => Self::of("config-region", &[]),
            CaseNumberError::Oktmo(_) => Self::of("config-oktmo", &[]),
            CaseNumberError::UsedUp(_) => Self::of("hub-case-numbers-used-up", &[]),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let cause = match error {
            RunError::Hub(error) => return error.into(),
            RunError::Pki(error) => return error.into(),
            RunError::Ftps(FtpsServerError::Listen { address, source }) => {
                let why = Told::at(&address, source);
                Told::new(|lang| messages::text(lang, "hub-no-port", &[("why", why.in_lang(lang).into())]))
            }
            RunError::Ftps(FtpsServerError::Certificate(error)) => {
                let why = Told::from(&error);
                Told::new(|lang| {
                    messages::text(lang, "hub-server-certificate", &[("said", why.in_lang(lang).into())])
                })
            }
            RunError::Runtime(source) => source.into(),
        };
        Self::new(Exit::Temporary, "hub-start").because("detail", cause)
    }
}

impl From<PkiError> for Failure {
    fn from(error: PkiError) -> Self {
        match error {
            PkiError::Lost { path } => {
                Self::new(Exit::Usage, "hub-authority-lost").told("file", path.display())
            }
            PkiError::File { path, source } => file(&path)(source),
            PkiError::Content { path, reason } => Self::new(Exit::Usage, "hub-certificates")
                .because("detail", Told::at(&path.display(), reason)),
            PkiError::Make(error) => {
                let said = Told::of("pki-not-made", &[("said", error.to_string().into())]);
                Self::new(Exit::Usage, "hub-certificates").because("detail", said)
            }
        }
    }
}

/// The error for a file or directory that cannot be read or written.
pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.display().to_string();
    |source| Failure::new(Exit::of_io(&source), "hub-file").with("file", path).because("detail", source)
}

/// A column that is not known, and those that are.
fn strange(id: &str, n: Option<usize>, length: usize, known: &Told) -> Told {
    Told::new(|lang| {
        let known = known.in_lang(lang).to_owned();
        let args = [("n", n.unwrap_or_default().into()), ("length", length.into()), ("known", known.into())];
        messages::text(lang, id, &args)
    })
}

/// The error for a table that cannot be used: file, line and what is wrong.
pub fn table(error: TableError) -> Failure {
    let (exit, problem) = match &error {
        TableError::File { exit, .. } | TableError::Map { exit, .. } => (*exit, None),
        TableError::Column { n, length, known, .. } => {
            (Exit::Refused, Some(strange("table-strange-column", Some(*n), *length, known)))
        }
        TableError::Key { length, known, .. } => {
            (Exit::Refused, Some(strange("table-no-key", None, *length, known)))
        }
        TableError::MapColumn { length, known, .. } => {
            (Exit::Refused, Some(strange("table-strange-map", None, *length, known)))
        }
    };
    let (place, cause) = match error {
        TableError::File { file, cause, .. } | TableError::Map { file, cause, .. } => {
            (file.display().to_string(), cause)
        }
        TableError::Column { file, .. } | TableError::Key { file, .. } => {
            (format!("{}:1", file.display()), problem.expect("made above"))
        }
        TableError::MapColumn { file, line, .. } => {
            (format!("{}:{line}", file.display()), problem.expect("made above"))
        }
    };
    if exit != Exit::Refused {
        return Failure::new(exit, "hub-file").with("file", place).because("detail", cause);
    }
    let told = Told::at(&place, cause);
    Failure::new(exit, "table-line").because("problems", told)
}
