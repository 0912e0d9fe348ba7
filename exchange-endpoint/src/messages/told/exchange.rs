//! Causes that come from the exchange format and from what both daemons keep.

use std::fmt;

use exchange_format::{
    answer::AnswerError,
    error::PacketError,
    file_name::FileNameError,
    packet::WriteError,
    seal::OpenError,
    stream::{CannotSeal, Stop},
};

use super::{Lang, Told, text};
use crate::{archive::KeepError, journal_table::JournalError};

/// Words of ours, and in brackets what `error` says: the evidence, for who helps.
fn wrapped(id: &str, error: &dyn fmt::Display) -> Told {
    Told::of(id, &[("said", error.to_string().into())])
}

impl From<&PacketError> for Told {
    fn from(error: &PacketError) -> Self {
        match (error, error.reason()) {
            (PacketError::Io(source) | PacketError::Open(OpenError::Io(source)), _) => source.into(),
            (_, Some(reason)) => Self::new(|lang| match lang {
                super::Lang::Ru => {
                    let said = evidence(error, lang);
                    let [sentence, said] =
                        [lang.of(reason.sentence()), said.as_str()].map(|words| words.trim_end_matches('.'));
                    format!("{sentence} ({said})")
                }
                Lang::En => error.to_string(),
            }),
            (_, None) => error.to_string().into(),
        }
    }
}

/// What was found of the envelope, in `lang`; else what `error` says, for who helps.
fn evidence(error: &PacketError, lang: Lang) -> String {
    let PacketError::Open(envelope) = error else { return error.to_string() };
    let (id, n) = match envelope {
        OpenError::NotAge => ("envelope-none", 0),
        OpenError::NoIdentityMatches { tried } => ("envelope-other-keys", *tried as u64),
        OpenError::Truncated { opened } => ("envelope-cut", *opened),
        OpenError::Damaged { opened } => ("envelope-damaged", *opened),
        OpenError::TooLarge { limit } => ("envelope-large", *limit),
        OpenError::Io(_) => return error.to_string(),
    };
    text(lang, id, &[("n", n.into())])
}

/// [`evidence`] in both languages, where what it bears witness to is told before.
pub fn found_in(error: &PacketError) -> Told {
    Told::new(|lang| {
        let said = evidence(error, lang);
        if matches!(error, PacketError::Open(_)) {
            return said;
        }
        text(lang, "packet-detail", &[("detail", said.into())])
    })
}

impl From<&FileNameError> for Told {
    fn from(error: &FileNameError) -> Self {
        match error {
            FileNameError::Characters => Self::of("name-characters", &[]),
            FileNameError::Ending => Self::of("name-ending", &[]),
            FileNameError::Parts(n) => Self::of("name-parts", &[("n", (*n).into())]),
            FileNameError::Prefix(said) => Self::of("name-prefix", &[("said", said.clone().into())]),
            FileNameError::Kind(said) => Self::of("name-kind", &[("said", said.clone().into())]),
            FileNameError::Participant { part, source } => Self::at(part, source),
            FileNameError::Number { part, value, width } => {
                let args =
                    [("part", (*part).into()), ("said", value.clone().into()), ("width", (*width).into())];
                Self::of("name-number", &args)
            }
            FileNameError::Date(said) => Self::of("name-date", &[("said", said.clone().into())]),
            FileNameError::Digest(said) => Self::of("name-digest", &[("said", said.clone().into())]),
        }
    }
}

impl From<&WriteError> for Told {
    fn from(error: &WriteError) -> Self {
        match error {
            WriteError::Io(source) => source.into(),
            other => wrapped("exchange-not-written", other),
        }
    }
}

impl From<&AnswerError> for Told {
    fn from(error: &AnswerError) -> Self {
        match error {
            AnswerError::Io(source) => source.into(),
            other => wrapped("exchange-no-answer", other),
        }
    }
}

impl From<&CannotSeal> for Told {
    fn from(error: &CannotSeal) -> Self {
        let id = match error {
            CannotSeal::NotBegun => "seal-not-begun",
            CannotSeal::Stopped(Stop::Restored) => "seal-restored",
            CannotSeal::Stopped(Stop::Clone) => "seal-clone",
            CannotSeal::NoParts => "seal-no-parts",
            CannotSeal::UsedUp(_) => "seal-used-up",
        };
        Self::of(id, &[])
    }
}

impl From<&KeepError> for Told {
    fn from(error: &KeepError) -> Self {
        match error {
            KeepError::Conflict { path } => {
                Self::of("exchange-other-file", &[("file", path.display().to_string().into())])
            }
            KeepError::Io { path, source } => Self::at(&path.display(), source),
        }
    }
}

impl From<&JournalError> for Told {
    fn from(error: &JournalError) -> Self {
        match error {
            JournalError::Database(source) => source.into(),
            JournalError::Entry(source) => wrapped("journal-entry", source),
            JournalError::Altered { n } => Self::of("journal-altered", &[("n", (*n).into())]),
            JournalError::Missing { n } => Self::of("journal-missing", &[("n", (*n).into())]),
        }
    }
}

#[cfg(test)]
mod tests {
    use exchange_format::{answer::PacketReason, file_name::FileName};

    use super::*;

    #[test]
    fn each_cause_is_told_in_russian_first() {
        let packet = PacketError::NoMember("records/person.xml".to_owned());
        let envelopes = [
            OpenError::NotAge,
            OpenError::NoIdentityMatches { tried: 2 },
            OpenError::Truncated { opened: 0 },
            OpenError::Damaged { opened: 7 },
            OpenError::TooLarge { limit: 9 },
        ]
        .map(PacketError::from);
        for envelope in &envelopes {
            for told in [Told::from(envelope), found_in(envelope)] {
                assert!(!told.in_lang(Lang::Ru).contains(|c: char| c.is_ascii_alphabetic()), "{told}");
            }
        }
        let answer = AnswerError::Counts;
        let write = WriteError::TooLarge;
        let keep = KeepError::Conflict { path: "a".into() };
        let named = |name: &str| Told::from(&name.parse::<FileName>().expect_err("no name"));
        let causes = [
            named("справка.pdf"),
            named("SVOD1.PDF"),
            named("A_B.zip"),
            Told::from(&packet),
            (&answer).into(),
            (&write).into(),
            (&keep).into(),
            (&CannotSeal::NotBegun).into(),
            (&CannotSeal::Stopped(Stop::Clone)).into(),
            (&CannotSeal::NoParts).into(),
            (&JournalError::Altered { n: 7 }).into(),
            (&JournalError::Missing { n: 8 }).into(),
        ];
        for cause in causes {
            let (before, said) =
                cause.in_lang(Lang::Ru).split_once('(').unwrap_or((cause.in_lang(Lang::Ru), ""));
            assert!(before.chars().any(|c| ('а'..='я').contains(&c)), "{before} ({said}");
            // names of forms stand as they are
            let words = ["SVOD", ".zip", ".age", "A–Z"]
                .iter()
                .fold(before.to_owned(), |words, name| words.replace(name, ""));
            assert!(!words.contains(|c: char| c.is_ascii_alphabetic() && !"a".contains(c)), "{before}");
            assert!(cause.in_lang(Lang::En).is_ascii(), "{cause}");
        }
        assert_eq!(packet.reason(), Some(PacketReason::Schema));
    }
}
