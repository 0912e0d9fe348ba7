//! The mark of text: an apostrophe before what a spreadsheet would take for something else (ADR 0012).
//!
//! A cell of CSV has no type. Excel runs what begins with `=`, `+`, `-` or `@` as a formula, and turns `004512` into
//! 4512, a policy of 16 digits into a rounded number, `2-3` into a day in March. So what it would take so is written
//! with an apostrophe before it, and an apostrophe before such a value is taken away when it is read. A value that has
//! apostrophes of its own there gets one more: what is read is what was written, whatever it is.

use std::borrow::Cow;

/// More digits than this are shown, and saved, rounded.
const DIGITS: usize = 11;

/// Whether a spreadsheet would take `text` for a formula, or for a number or day that it does not write back as it was.
fn is_mistaken(text: &str) -> bool {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return true;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits == text.len() {
        return digits > DIGITS || digits > 1 && text.starts_with('0');
    }
    let others: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let numeric =
        others.chars().all(|c| "-/.,:eEеЕ".contains(c)) && (1..=2).contains(&others.chars().count());
    numeric && text.starts_with(|c: char| c.is_ascii_digit()) && !is_day(text)
}

/// A whole day is shown and saved as a day, and read in both forms.
fn is_day(text: &str) -> bool {
    let is = |separator: char, lengths: [usize; 3]| {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len() == 3 && parts.iter().zip(lengths).all(|(part, length)| part.len() == length)
    };
    is('.', [2, 2, 4]) || is('-', [4, 2, 2])
}

/// `text` without the apostrophes before it.
fn core(text: &str) -> &str {
    text.trim_start_matches('\'')
}

/// `text` as a cell of CSV.
pub fn marked(text: &str) -> Cow<'_, str> {
    if is_mistaken(core(text)) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// `text` as a cell that has a type, as in XLSX: nothing is mistaken, but what looks marked is marked.
pub fn marked_text(text: &str) -> Cow<'_, str> {
    if text.starts_with('\'') { marked(text) } else { Cow::Borrowed(text) }
}

/// What the cell `text` says.
pub fn unmarked(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_mistaken(core(text)) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_or_change_is_marked_and_nothing_else() {
        for text in [
            "=1+1",
            "+79110000000",
            "-5",
            "@SUM(A1)",
            "\tx",
            "004512",
            "1234567890123456",
            "2-3",
            "5/1",
            "12.5",
            "15.1.1",
            "1e5",
            "12:30",
            "1-2-3",
        ] {
            assert_eq!(marked(text), format!("'{text}"));
        }
        for text in [
            "",
            "0",
            "45",
            "87654303",
            "112-233-445 95",
            "07.05.1941",
            "1941-05-07",
            "42-32701000-000001-7",
            "2-3 раза",
            "кв. 5",
            "8 (911) 000-00-00",
            "'д",
            "89110000000",
            "Иванова",
            "ул. Мира, 5-1",
        ] {
            assert_eq!(marked(text), text);
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(text in "('{0,3})([=+@-]?[0-9А-я./:eE -]{0,12}|\\PC{0,12})") {
            let (csv, xlsx) = (marked(&text), marked_text(&text));
            prop_assert_eq!(unmarked(&csv), text.as_str());
            prop_assert_eq!(unmarked(&xlsx), text.as_str());
            prop_assert!(!csv.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
