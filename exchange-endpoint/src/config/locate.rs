//! From an error of the TOML reader to line, key and fault.
//!
//! The reader knows the byte range of what it refused but not the key it stands under, so the key is found
//! by walking the document again.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::Fault;
use crate::messages::{self, Lang, Told};

/// So many letters of what a reader says are told.
const SAID: usize = 300;

/// Line (from 1), dotted key and fault of `error` in `text`.
pub(super) fn fault(text: &str, error: &toml::de::Error) -> (usize, String, Fault) {
    let span = error.span().unwrap_or(0..0);
    let mut line = line_at(text, span.start);
    let Ok(document) = DeTable::parse(text) else {
        let column = column_at(text, span.start);
        return (line, String::new(), Fault::Syntax { column, said: one_line(error.message()) });
    };
    let mut path = key_at(document.get_ref(), &span);
    let message = error.message();
    let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
    let fault = if message.starts_with("unknown field") {
        let unknown = quoted.next().unwrap_or_default();
        let known: Vec<String> = quoted.collect();
        // The span is of the key itself, whose value the walk may or may not have entered.
        if path.last() != Some(&unknown) {
            path.push(unknown.clone());
        }
        // Inside a tagged table serde knows the table's place only.
        if let Some(exact) = exact_line(document.get_ref(), text, &path) {
            line = exact;
        }
        Fault::UnknownKey { nearest: nearest(&unknown, &known), known }
    } else if message.starts_with("missing field") {
        path.extend(quoted.next());
        Fault::Missing
    } else {
        Fault::Value(value(&one_line(message)))
    };
    (line, path.join("."), fault)
}

/// What serde says of a value that cannot be: of the wrong type, or none of the known ones.
fn value(message: &str) -> Told {
    let quoted = || message.split('`').skip(1).step_by(2);
    if let Some((_, expected)) = message.split_once(", expected ") {
        if message.starts_with("unknown variant") {
            let known = quoted().skip(1).collect::<Vec<_>>().join(", ");
            return Told::new(|lang| match lang {
                Lang::Ru => messages::text(lang, "config-variant", &[("known", known.as_str().into())]),
                Lang::En => message.to_owned(),
            });
        }
        let id = match expected.split(' ').next().unwrap_or_default() {
            "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => "config-type-number",
            "f32" | "f64" => "config-type-fraction",
            "a" if expected.contains("boolean") => "config-type-boolean",
            "a" | "path" if expected.contains("string") => "config-type-text",
            _ => "config-type-other",
        };
        return Told::new(|lang| match lang {
            Lang::Ru => messages::text(lang, id, &[]),
            Lang::En => message.to_owned(),
        });
    }
    message.to_owned().into()
}

/// What is wrong in a TOML file that is filled in with names of others: line and column, and of what is no TOML the
/// reader's words; never a word of the file.
pub fn toml_fault(text: &str, error: &toml::de::Error) -> Told {
    let at = error.span().unwrap_or(0..0).start;
    let place = [("line", line_at(text, at).into()), ("column", column_at(text, at).into())];
    if DeTable::parse(text).is_ok() {
        return Told::of("toml-not-this", &place);
    }
    let [line, column] = place;
    Told::of("toml-syntax", &[line, column, ("said", one_line(error.message()).into())])
}

/// What is wrong in a TOML file of which nothing is secret: line and column, the key, and what is wrong with it.
pub fn toml_told(text: &str, error: &toml::de::Error) -> Told {
    let (line, key, fault) = fault(text, error);
    let column = column_at(text, error.span().unwrap_or(0..0).start);
    let args = |detail: String| {
        let place = [("line", line.into()), ("column", column.into())];
        let of_key = [("key", cut(&key).into()), ("detail", cut(&detail).into())];
        place.into_iter().chain(of_key).collect::<Vec<_>>()
    };
    match fault {
        Fault::Syntax { said, .. } => Told::of(
            "toml-syntax",
            &[("line", line.into()), ("column", column.into()), ("said", cut(&said).into())],
        ),
        Fault::UnknownKey { known, .. } => Told::of("toml-unknown-key", &args(known.join(", "))),
        Fault::Missing => Told::of("toml-missing-key", &args(String::new())),
        Fault::Value(value) => {
            Told::new(|lang| messages::text(lang, "toml-value", &args(value.in_lang(lang).to_owned())))
        }
    }
}

/// The beginning of words that a file may have made long.
fn cut(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID).collect()
}

/// The line (from 1) where `key` (as `ftps.port`) stands; of the nearest table around it if it is not there.
pub(super) fn line_of_key(text: &str, key: &str) -> usize {
    let Ok(document) = DeTable::parse(text) else { return 1 };
    let parts: Vec<String> = key.split('.').map(str::to_owned).collect();
    let around = (1..=parts.len()).rev().find_map(|n| exact_line(document.get_ref(), text, &parts[..n]));
    around.unwrap_or(1)
}

/// The line (from 1) of the key that `path` leads to through tables and elements of arrays, if it is there.
fn exact_line(document: &DeTable<'_>, text: &str, path: &[String]) -> Option<usize> {
    let (part, rest) = path.split_first()?;
    let (name, place) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
        Some((name, n)) => (name, Some(n.parse::<usize>().ok()?)),
        None => (part.as_str(), None),
    };
    let (key, value) = document.iter().find(|(key, _)| key.get_ref() == name)?;
    let (start, value) = match (place, value.get_ref()) {
        (None, _) => (key.span().start, value),
        (Some(n), DeValue::Array(items)) => {
            let item = items.get(n.checked_sub(1)?)?;
            (item.span().start, item)
        }
        _ => return None,
    };
    match value.get_ref() {
        _ if rest.is_empty() => Some(line_at(text, start)),
        DeValue::Table(inner) => exact_line(inner, text, rest),
        _ => None,
    }
}

/// The keys that lead to the value (or the name) at `span`. An element of an array is told by its place
/// from 1, as `centre[2]`.
fn key_at(table: &DeTable<'_>, span: &Range<usize>) -> Vec<String> {
    for (name, value) in table {
        if within(&name.span(), span) {
            return vec![name.get_ref().to_string()];
        }
        let mut inner = below(value.get_ref(), span, name.get_ref());
        if inner.is_empty() && within(&value.span(), span) {
            inner.push(name.get_ref().to_string());
        }
        if !inner.is_empty() {
            return inner;
        }
    }
    Vec::new()
}

fn below(value: &DeValue<'_>, span: &Range<usize>, name: &str) -> Vec<String> {
    match value {
        DeValue::Table(table) => {
            let inner = key_at(table, span);
            if inner.is_empty() { inner } else { [vec![name.to_owned()], inner].concat() }
        }
        DeValue::Array(items) => {
            let found = items.iter().enumerate().find_map(|(i, item)| {
                let name = format!("{name}[{}]", i + 1);
                let inner = below(item.get_ref(), span, &name);
                if inner.is_empty() { within(&item.span(), span).then(|| vec![name]) } else { Some(inner) }
            });
            found.unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn within(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    !inner.is_empty() && outer.start <= inner.start && inner.end <= outer.end
}

fn line_at(text: &str, byte: usize) -> usize {
    text.as_bytes().iter().take(byte).filter(|b| **b == b'\n').count() + 1
}

/// The place in its line of the character at `byte`, from 1.
fn column_at(text: &str, byte: usize) -> usize {
    let above = text.get(..byte).unwrap_or(text);
    above.chars().rev().take_while(|c| *c != '\n').count() + 1
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name of `known` that `unknown` was probably meant to be.
fn nearest(unknown: &str, known: &[String]) -> Option<String> {
    known
        .iter()
        .map(|name| (strsim::osa_distance(unknown, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().max(3) / 3)
        .map(|(_, name)| name.clone())
}
