//! What staff may say to a question, and what may be wrong with it.

use exchange_endpoint::messages::{self, Lang, Value};

use super::{others, signing, table_file};

/// What is wrong with a line: a message of the catalogue and its arguments.
pub(super) type Problem = (&'static str, Vec<(&'static str, Value<'static>)>);

pub(super) fn problem<T>(id: &'static str) -> Result<T, Problem> {
    Err((id, Vec::new()))
}

/// A problem in `lang`.
pub(super) fn say(lang: Lang, (id, args): &Problem) -> String {
    messages::text(lang, id, &spoken(lang, args))
}

/// The arguments of a problem in `lang`: a column by its heading there, changes and moments in words.
pub(super) fn spoken(
    lang: Lang,
    args: &[(&'static str, Value<'static>)],
) -> Vec<(&'static str, Value<'static>)> {
    let one = |(name, value): &(&'static str, Value<'static>)| {
        let value = match (*name, value) {
            ("column", Value::String(column)) => table_file::heading_of(lang, column).into(),
            ("changes", Value::String(codes)) => signing::changes_in(lang, codes).into(),
            ("bar", Value::String(code)) => others::bar(lang, code).into(),
            ("at", Value::String(at)) => messages::stored_moment(lang, at).into(),
            (_, other) => other.clone(),
        };
        (*name, value)
    };
    args.iter().map(one).collect()
}

/// What staff say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Same,
    Different,
    Accept,
    Decline,
    Keep,
    /// The second signature under «один».
    Sign,
}

impl Word {
    /// As stored and told.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Same | Self::Sign => "same",
            Self::Different => "different",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Keep => "keep",
        }
    }

    /// Whether it says that two are one.
    pub(super) fn joins(self) -> bool {
        matches!(self, Self::Same | Self::Sign)
    }

    /// The decision that a cell names for a question of `kind`; an error for staff.
    pub(super) fn read(cell: &str, kind: &str) -> Result<Self, Problem> {
        let word = match cell.to_lowercase().as_str() {
            "один" | "one" | "same" => Self::Same,
            "разные" | "different" => Self::Different,
            "принять" | "accept" => Self::Accept,
            "отклонить" | "decline" => Self::Decline,
            "оставить" | "keep" => Self::Keep,
            "подписать" | "sign" => Self::Sign,
            _ => return problem("table-decision"),
        };
        match (kind, word) {
            ("pair" | "programme", Self::Same | Self::Different)
            | ("pair", Self::Sign)
            | ("held" | "proposal", Self::Accept | Self::Decline)
            | ("value", Self::Keep) => Ok(word),
            ("held", Self::Same) => Ok(Self::Accept),
            ("held", Self::Different) => Ok(Self::Decline),
            ("programme", _) => problem("table-decision-programme"),
            ("pair", _) => problem("table-decision-pair"),
            ("value", _) => problem("table-decision-value"),
            _ => problem("table-decision-change"),
        }
    }
}
