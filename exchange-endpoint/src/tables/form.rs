//! What a value is besides text, and the one form in which it is kept: dates, СНИЛС and flags come in several.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use exchange_format::{
    record::{Kind, Type},
    snils::Snils,
};
use jiff::civil::Date;

use crate::messages::{self, Lang};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Nothing but text.
    Text,
    /// A day: kept as `YYYY-MM-DD`, written in Russian tables as `DD.MM.YYYY`, read in both forms, with a time of
    /// midnight behind it as 1C writes too.
    Date,
    /// An СНИЛС: kept as 11 digits, written as `NNN-NNN-NNN NN`, which no spreadsheet takes for a number.
    Snils,
    /// Yes or no: kept as `1` or `0`.
    Flag,
    /// How a row stands in the exchange: kept as a code, written in Russian tables as a word.
    State,
}

/// How an exported row may stand.
const STATES: [&str; 6] = ["own", "provisional", "locked", "alias", "withdrawn", "removed"];

/// The Russian word for the state `code`.
fn state(code: &str) -> Option<String> {
    messages::find(Lang::Ru, &format!("exported-{code}"), &[])
}

/// Of each field that any kind of record types so. A claim's fields are text, as typed; what they should be the
/// publication's say.
static FORMS: LazyLock<BTreeMap<&'static str, Form>> = LazyLock::new(|| {
    let schemas = Kind::ALL.into_iter().map(Kind::schema);
    let fields = schemas
        .flat_map(|schema| schema.fields.iter().chain(schema.lines.map_or(&[][..], |lines| lines.fields)));
    fields
        .filter_map(|field| {
            let form = match field.ty {
                Type::Date => Form::Date,
                Type::Snils => Form::Snils,
                Type::Flag => Form::Flag,
                _ => return None,
            };
            Some((field.name, form))
        })
        .collect()
});

impl Form {
    /// The form of the values of the column `name`.
    pub fn of(name: &str) -> Self {
        let by_name = || match name {
            "state" => Self::State,
            // which may also be a word
            "disability_until" => Self::Date,
            name if name.ends_with("_date") => Self::Date,
            _ => Self::Text,
        };
        FORMS.get(name).copied().unwrap_or_else(by_name)
    }

    /// `text` as it is kept; what is none of this form stays as it was typed.
    pub fn kept(self, text: &str) -> Cow<'_, str> {
        let kept = match self {
            Self::Text => None,
            Self::Date => day(text).map(|day| day.to_string()),
            Self::Snils => snils(text),
            Self::State => {
                let word = text.trim().to_lowercase();
                STATES
                    .iter()
                    .find(|code| state(code).is_some_and(|said| said == word))
                    .map(|c| (*c).to_owned())
            }
            Self::Flag => match text.trim().to_lowercase().as_str() {
                "да" | "yes" | "true" | "истина" => Some("1".to_owned()),
                "нет" | "no" | "false" | "ложь" => Some("0".to_owned()),
                _ => None,
            },
        };
        kept.map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// A kept value as it is written for people who read `lang`.
    pub fn written(self, text: &str, lang: Lang) -> Cow<'_, str> {
        match self {
            Self::Date if lang == Lang::Ru && text.len() == 10 => text
                .parse::<Date>()
                .map_or(Cow::Borrowed(text), |day| Cow::Owned(day.strftime("%d.%m.%Y").to_string())),
            Self::State if lang == Lang::Ru && STATES.contains(&text) => {
                state(text).map_or(Cow::Borrowed(text), Cow::Owned)
            }
            Self::Snils if text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit()) => {
                Cow::Owned(format!("{}-{}-{} {}", &text[..3], &text[3..6], &text[6..9], &text[9..]))
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// The day that `text` is, in either form.
fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    let text = ["T00:00:00", " 00:00:00", " 0:00:00"]
        .iter()
        .find_map(|midnight| text.strip_suffix(midnight))
        .unwrap_or(text);
    let parts: Vec<&str> = text.split(['.', '-']).collect();
    let [one, month, three] = parts[..] else { return None };
    let dotted = text.contains('.');
    let (year, day) = if dotted { (three, one) } else { (one, three) };
    let shaped = year.len() == 4
        && (if dotted { 1..=2 } else { 2..=2 }).contains(&day.len())
        && month.len() == 2
        && parts.concat().bytes().all(|byte| byte.is_ascii_digit());
    if !shaped || dotted && text.contains('-') {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// The digits of the СНИЛС that `text` is. One that lost its leading zeros because some program took it for a
/// number is known again by its check number.
fn snils(text: &str) -> Option<String> {
    if text.chars().any(|c| !(c.is_ascii_digit() || c.is_whitespace() || "-–—".contains(c))) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        11 => Some(digits),
        7..=10 => {
            let whole = format!("{digits:0>11}");
            whole.parse::<Snils>().is_ok().then_some(whole)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_day_is_kept_as_one() {
        for text in ["07.05.1941", "7.05.1941", "1941-05-07", " 07.05.1941 0:00:00", "1941-05-07T00:00:00"] {
            assert_eq!(Form::Date.kept(text), "1941-05-07", "{text}");
        }
        for text in ["31.02.1941", "07.05.41", "05-07-1941", "около 1941", "1941-05", "07-05.1941", "1.2.3"]
        {
            assert_eq!(Form::Date.kept(text), text);
        }
        assert_eq!(Form::Date.written("1941-05-07", Lang::Ru), "07.05.1941");
        assert_eq!(Form::Date.written("1941-05-07", Lang::En), "1941-05-07");
        assert_eq!(Form::Date.written("около 1941", Lang::Ru), "около 1941");
    }

    #[test]
    fn a_snils_is_text_and_its_lost_zeros_are_found_again() {
        let good = "08765430300";
        assert!(good.parse::<Snils>().is_ok(), "the test's own number is good");
        for text in ["087-654-303 00", "087 654 303 00", "08765430300", "8765430300", "087–654–303–00"]
        {
            assert_eq!(Form::Snils.kept(text), good, "{text}");
        }
        for text in ["8765430301", "1,12233E+10", "нет", "", "123"] {
            assert_eq!(Form::Snils.kept(text), text);
        }
        assert_eq!(Form::Snils.written(good, Lang::En), "087-654-303 00");
        assert_eq!(Form::Snils.kept(&Form::Snils.written(good, Lang::Ru)), good);
    }

    #[test]
    fn forms_follow_the_fields() {
        for (name, form) in [
            ("birth_date", Form::Date),
            ("start_date", Form::Date),
            ("disability_until", Form::Date),
            ("snils", Form::Snils),
            ("urgent", Form::Flag),
            ("state", Form::State),
            ("surname", Form::Text),
            ("id", Form::Text),
        ] {
            assert_eq!(Form::of(name), form, "{name}");
        }
        assert_eq!((Form::Flag.kept("Да"), Form::Flag.kept("0")), ("1".into(), "0".into()));
        for code in STATES {
            let word = Form::State.written(code, Lang::Ru);
            assert!(!word.is_ascii(), "{word}");
            assert_eq!((Form::State.kept(&word), Form::State.kept(code)), (code.into(), code.into()));
            assert_eq!(Form::State.written(code, Lang::En), code);
        }
    }
}
