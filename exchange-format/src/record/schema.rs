//! What a kind of record consists of, as data.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::civil::Date;

use super::{Kind, RecordId};
use crate::{answer::Text, position::Digest, snils::Snils};

/// Whose a record is, for ever (FORMAT.md §Ownership).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The hub publishes it; at a centre it is locked.
    Hub,
    /// The centre claims it, or it is the centre's business.
    Centre,
    /// The hub tells it to itself only.
    HubOnly,
    /// Either side writes such records; each is its author's.
    Author,
}

impl Owner {
    /// Whether a centre may write records of such kinds to the hub.
    pub fn centre_writes(self) -> bool {
        matches!(self, Self::Centre | Self::Author)
    }

    /// Whether the hub may publish records of such kinds to a centre.
    pub fn hub_publishes(self) -> bool {
        matches!(self, Self::Hub | Self::Author)
    }
}

/// The schema of a kind. Fields are flat; what repeats stands in `lines`.
#[derive(Debug)]
pub struct KindSchema {
    /// The kind.
    pub kind: Kind,
    /// Its name on the wire: the element of a body, and the member `records/<name>.xml`.
    pub name: &'static str,
    /// Who writes it.
    pub owner: Owner,
    /// The table of `centre.db` whose rows it is about; a claim and its publication share one.
    pub table: Option<&'static str>,
    /// Its fields, in canonical order.
    pub fields: &'static [Field],
    /// Its repeated part, after the fields.
    pub lines: Option<Lines>,
}

/// The repeated part of a kind: `<line>` elements, ordered by their field `no`.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    /// The child table of `centre.db`: `programme_line`.
    pub table: Option<&'static str>,
    /// The fields of a line; the first is `no`.
    pub fields: &'static [Field],
}

/// A field: an element on the wire, a column in `centre.db`.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The element's name. The column has the same, but `<name>_id` for a reference.
    pub name: &'static str,
    /// What may stand in it.
    pub ty: Type,
    /// Whether it must be stated.
    pub required: bool,
}

/// What may stand in a field. Everything is text; the type says which.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// Any text up to so many characters.
    Text(usize),
    /// `[a-z0-9_.-]`, 1–60 characters.
    Token,
    /// One of a closed list.
    Code(&'static [&'static str]),
    /// Some of a closed list, in its order, none twice, separated by single spaces.
    Codes(&'static [&'static str]),
    /// `YYYY-MM-DD`.
    Date,
    /// An instant in UTC, RFC 3339 with `Z`.
    Instant,
    /// A whole number from 0 to the limit, without leading zeros.
    Whole(u64),
    /// `0` or `1`.
    Flag,
    /// 11 digits with a good check number.
    Snils,
    /// A SHA-256 in 64 lower-case hexadecimal digits.
    Digest,
    /// Bytes, up to so many, in base64 with padding (RFC 4648 §4).
    Base64(usize),
    /// A record id that need not be known to the receiver.
    Id,
    /// Up to so many of them, separated by single spaces.
    Ids(usize),
    /// The id of a record of one of these kinds. In `centre.db` it is the row of that record.
    Reference(&'static [Kind]),
}

impl Field {
    /// A field that must be stated.
    pub const fn required(name: &'static str, ty: Type) -> Self {
        Self { name, ty, required: true }
    }

    /// A field that may be absent.
    pub const fn optional(name: &'static str, ty: Type) -> Self {
        Self { name, ty, required: false }
    }

    /// The column of `centre.db`.
    pub fn column(&self) -> String {
        match self.ty {
            Type::Reference(_) => format!("{}_id", self.name),
            _ => self.name.to_owned(),
        }
    }

    /// What is wrong with `value` in this field, if anything.
    pub fn problem(&self, value: Option<&str>) -> Option<FieldProblem> {
        match value {
            None => self.required.then_some(FieldProblem::Missing),
            Some(text) => self.ty.problem(text),
        }
    }
}

const ONE_OF: Text = Text { ru: "нужно одно из:", en: "is not one of" };

/// What is wrong with lines of one number.
pub(super) const SAME_NUMBER: Text =
    Text { ru: "у двух строк один номер", en: "two lines have the same number" };

/// What is wrong with a record of too many bytes.
pub(super) const TOO_MUCH: Text = Text {
    ru: "запись со всеми строками больше 1 МиБ",
    en: "the record with all its lines is longer than 1 MiB",
};

impl FieldProblem {
    /// What `kept` says, the English words of a problem that a database keeps, in the language that `choose` takes.
    /// `None` for the words of rules, which have codes.
    pub fn told_again(kept: &str, choose: impl Fn(Text) -> &'static str) -> Option<String> {
        if let Some(list) = kept.strip_prefix("is not one of [").and_then(|rest| rest.strip_suffix(']')) {
            let list: Vec<&str> = list.split(", ").map(|code| code.trim_matches('"')).collect();
            return Some(format!("{} {}", choose(ONE_OF), list.join(", ")));
        }
        Self::known(kept).map(|problem| problem.words(choose))
    }

    /// The problem whose English words are `words`, of those that bear no list and no code.
    fn known(words: &str) -> Option<Self> {
        let types = [
            Type::Token,
            Type::Code(&[]),
            Type::Date,
            Type::Instant,
            Type::Whole(0),
            Type::Flag,
            Type::Snils,
            Type::Digest,
            Type::Base64(0),
            Type::Id,
            Type::Ids(0),
        ];
        let of_type = types.map(|ty| Self::NotOfType { expected: ty.words() });
        let of_lines = [SAME_NUMBER, TOO_MUCH].map(Self::Rule);
        let mut all = [Self::Missing, Self::IllegalCharacter].into_iter().chain(of_type).chain(of_lines);
        let too_long = || {
            let max = words.strip_prefix("is longer than ")?.strip_suffix(" characters")?.parse().ok()?;
            Some(Self::TooLong { max })
        };
        all.find(|problem| problem.to_string() == words).or_else(too_long)
    }

    /// What is wrong, for staff.
    pub fn words(&self, choose: impl Fn(Text) -> &'static str) -> String {
        let say = |ru, en| choose(Text { ru, en });
        match self {
            Self::Missing => say("не указано", "must be stated").to_owned(),
            Self::TooLong { max } => {
                say("знаков больше, чем допускается: {}", "is longer than the format allows: {}")
                    .replace("{}", &max.to_string())
            }
            Self::NotInList { list } => {
                format!("{} {}", choose(ONE_OF), list.join(", "))
            }
            Self::NotOfType { expected } => format!("{} {}", say("нужно:", "is not"), choose(*expected)),
            Self::IllegalCharacter => {
                say("есть управляющий знак", "has a control character that cannot be carried").to_owned()
            }
            Self::Rule(sentence) => choose(*sentence).to_owned(),
            Self::Broken { code, sentence } => format!("{code}: {}", choose(*sentence)),
        }
    }
}

impl Type {
    fn problem(self, text: &str) -> Option<FieldProblem> {
        let token = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"_.-".contains(&c);
        let good = match self {
            Self::Text(max) => {
                return (text.len() > max && text.chars().count() > max)
                    .then_some(FieldProblem::TooLong { max });
            }
            Self::Token => (1..=60).contains(&text.len()) && text.bytes().all(token),
            Self::Code(list) => list.contains(&text),
            Self::Codes(list) => {
                let at = |code: &str| list.iter().position(|one| *one == code);
                let said: Option<Vec<usize>> = text.split(' ').map(at).collect();
                said.is_some_and(|said| said.is_sorted_by(|one, next| one < next))
            }
            Self::Date => text.len() == 10 && text.parse::<Date>().is_ok(),
            Self::Instant => text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok(),
            Self::Whole(max) => {
                (text == "0" || !text.starts_with(['0', '+'])) && text.parse::<u64>().is_ok_and(|n| n <= max)
            }
            Self::Flag => matches!(text, "0" | "1"),
            Self::Snils => text.parse::<Snils>().is_ok_and(|snils| snils.digits() == text),
            Self::Digest => text.parse::<Digest>().is_ok(),
            Self::Base64(max) => STANDARD.decode(text).is_ok_and(|bytes| bytes.len() <= max),
            Self::Id | Self::Reference(_) => text.parse::<RecordId>().is_ok(),
            Self::Ids(max) => {
                text.split(' ').count() <= max && text.split(' ').all(|id| id.parse::<RecordId>().is_ok())
            }
        };
        (!good).then_some(match self {
            Self::Code(list) | Self::Codes(list) => FieldProblem::NotInList { list },
            other => FieldProblem::NotOfType { expected: other.words() },
        })
    }

    /// The type in words, for messages.
    pub const fn words(self) -> Text {
        const fn text(ru: &'static str, en: &'static str) -> Text {
            Text { ru, en }
        }
        match self {
            Self::Text(_) => text("текст", "text"),
            Self::Token => text("слово из знаков a–z, 0–9, _ . -", "a token of a–z, 0–9, _ . -"),
            Self::Code(_) | Self::Codes(_) => text("код из перечня", "a code of the list"),
            Self::Date => text("дата вида ГГГГ-ММ-ДД", "a date YYYY-MM-DD"),
            Self::Instant => text("момент времени UTC", "an instant in UTC"),
            Self::Whole(_) => text("целое число в допустимых пределах", "a whole number within its limit"),
            Self::Flag => text("0 или 1", "0 or 1"),
            Self::Snils => text(
                "СНИЛС из 11 цифр с верным контрольным числом",
                "an СНИЛС of 11 digits with a good check number",
            ),
            Self::Digest => text(
                "SHA-256 строчными шестнадцатеричными цифрами",
                "a SHA-256 in lower-case hexadecimal digits",
            ),
            Self::Base64(_) => text("base64 не больше предела", "base64 of few enough bytes"),
            Self::Id | Self::Reference(_) => text("номер записи", "a record id"),
            Self::Ids(_) => text("номера записей через пробел", "record ids with single spaces between"),
        }
    }
}

/// What is wrong with one value. Never repeats the value: it may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    /// A required field is absent.
    #[error("must be stated")]
    Missing,
    /// Longer than the format allows.
    #[error("is longer than {max} characters")]
    TooLong {
        /// Characters allowed.
        max: usize,
    },
    /// Not one of the closed list.
    #[error("is not one of {list:?}")]
    NotInList {
        /// What is allowed.
        list: &'static [&'static str],
    },
    /// Not of the field's type.
    #[error("is not {}", expected.en)]
    NotOfType {
        /// The type in words.
        expected: Text,
    },
    /// A character that XML 1.0 cannot carry.
    #[error("has a control character that cannot be carried")]
    IllegalCharacter,
    /// A rule over several fields does not hold.
    #[error("{}", .0.en)]
    Rule(Text),
    /// A rule of the domain does not hold (docs/RULES.md).
    #[error("{code}: {}", sentence.en)]
    Broken {
        /// Its code.
        code: &'static str,
        /// What is wrong.
        sentence: Text,
    },
}

/// A problem and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field {field}{}: {problem}", .line.map(|n| format!(" of line {n}")).unwrap_or_default())]
pub struct Finding {
    /// The field.
    pub field: &'static str,
    /// Which line, counted from 1, if it is a line's field.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: FieldProblem,
}

impl Finding {
    /// What stands after the kind in the code of a PR or protocol: the rule that is broken, else the field.
    pub fn word(&self) -> &'static str {
        match self.problem {
            FieldProblem::Broken { code, .. } => code,
            _ => self.field,
        }
    }
}
