//! What an error bears besides its own sentence: causes, in both languages at once, because who reads it is known
//! only when it is printed.

mod exchange;
mod files;

pub use self::exchange::found_in;

use std::{fmt, io};

use exchange_format::{participant::ParticipantCodeError, record::FieldProblem, rules};

use super::{Lang, Value, find, text};
use crate::no_room::NoRoom as _;

/// Words in both languages. Prints itself in English, for logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    ru: String,
    en: String,
}

impl Told {
    /// What `words` says in each language.
    pub fn new(words: impl Fn(Lang) -> String) -> Self {
        Self { ru: words(Lang::Ru), en: words(Lang::En) }
    }

    /// The message `id` of the catalogue.
    pub fn of(id: &str, args: &[(&str, Value<'_>)]) -> Self {
        Self::new(|lang| text(lang, id, args))
    }

    /// `path: cause`.
    pub fn at(place: &dyn fmt::Display, cause: impl Into<Self>) -> Self {
        let cause = cause.into();
        Self::new(|lang| format!("{place}: {}", cause.in_lang(lang)))
    }

    /// In `lang`.
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ru => &self.ru,
            Lang::En => &self.en,
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// Words that are no sentence of ours: a number, a name, what another program said.
impl From<String> for Told {
    fn from(words: String) -> Self {
        Self { ru: words.clone(), en: words }
    }
}

impl From<&io::Error> for Told {
    fn from(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        let id = match error.kind() {
            _ if error.is_no_room() => "io-full",
            Kind::NotFound => "io-not-found",
            Kind::PermissionDenied => "io-permission",
            Kind::AlreadyExists => "io-exists",
            Kind::NotADirectory => "io-not-a-directory",
            Kind::IsADirectory => "io-is-a-directory",
            Kind::DirectoryNotEmpty => "io-not-empty",
            Kind::FileTooLarge => "io-too-large",
            Kind::ReadOnlyFilesystem => "io-read-only",
            Kind::AddrInUse => "io-address-in-use",
            Kind::AddrNotAvailable => "io-address-not-here",
            Kind::ConnectionRefused => "io-connection-refused",
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => "io-connection-lost",
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => "io-unreachable",
            Kind::TimedOut | Kind::WouldBlock => "io-timed-out",
            Kind::UnexpectedEof => "io-cut-off",
            Kind::InvalidData => "io-invalid-data",
            Kind::OutOfMemory => "io-memory",
            _ if error.raw_os_error() == Some(5) => "io-device",
            _ if matches!(error.raw_os_error(), Some(23 | 24)) => "io-too-many-files",
            _ => "",
        };
        Self::new(|lang| match (lang, find(lang, id, &[])) {
            (Lang::Ru, Some(words)) => words,
            _ => error.to_string(),
        })
    }
}

impl From<io::Error> for Told {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&rusqlite::Error> for Told {
    fn from(error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let words = error.to_string();
        let id = match error.sqlite_error_code() {
            _ if error.is_no_room() => "io-full",
            Some(Code::ReadOnly) => "io-read-only",
            Some(Code::PermissionDenied) => "io-permission",
            Some(Code::CannotOpen) => "sqlite-cannot-open",
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => "sqlite-busy",
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => "sqlite-damaged",
            Some(Code::SystemIoFailure) => "io-device",
            Some(Code::OutOfMemory) => "io-memory",
            _ if words.contains("no such table") || words.contains("no such column") => "sqlite-altered",
            _ => "",
        };
        Self::new(|lang| match (lang, find(lang, id, &[])) {
            (Lang::Ru, Some(known)) => known,
            (Lang::Ru, None) => text(lang, "sqlite-said", &[("said", words.clone().into())]),
            (Lang::En, _) => words.clone(),
        })
    }
}

impl From<&FieldProblem> for Told {
    fn from(problem: &FieldProblem) -> Self {
        Self::new(|lang| problem.words(|text| lang.of(text)))
    }
}

impl From<&'static rules::Rule> for Told {
    fn from(rule: &'static rules::Rule) -> Self {
        Self::new(|lang| format!("{}: {}", rule.code, lang.of(rule.sentence)))
    }
}

impl From<&ParticipantCodeError> for Told {
    fn from(error: &ParticipantCodeError) -> Self {
        match error {
            ParticipantCodeError::CheckDigit { code, expected } => {
                let args = [("code", code.clone().into()), ("expected", expected.to_string().into())];
                Self::of("participant-check", &args)
            }
            ParticipantCodeError::NotSevenDigits(_) => Self::of("participant-digits", &[]),
        }
    }
}
