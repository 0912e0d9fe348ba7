//! Names: Latin look-alikes, ё, letter case, spaces and hyphens.

use std::borrow::Cow;

pub(super) use exchange_format::vocabulary::upper;

use super::is_placeholder;

/// The Cyrillic letter that looks like the Latin `letter`, in the same case.
const fn cyrillic_twin(letter: char) -> Option<char> {
    Some(match letter {
        'A' => 'А',
        'B' => 'В',
        'C' => 'С',
        'E' => 'Е',
        'H' => 'Н',
        'K' => 'К',
        'M' => 'М',
        'O' => 'О',
        'P' => 'Р',
        'T' => 'Т',
        'X' => 'Х',
        'Y' => 'У',
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' => 'е',
        'h' => 'н',
        'k' => 'к',
        'm' => 'м',
        'o' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        _ => return None,
    })
}

/// `text` with Latin look-alikes written in Cyrillic, if that leaves no Latin letter; else unchanged: a name
/// that is really Latin is not half-translated.
pub fn repair_look_alikes(text: &str) -> Cow<'_, str> {
    let latin = |c: char| c.is_ascii_alphabetic();
    if !text.contains(latin) || text.contains(|c| latin(c) && cyrillic_twin(c).is_none()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(fold_look_alikes(text))
}

/// `text` with every look-alike in Cyrillic: for keys, where a mixture of alphabets is one more spelling.
pub(super) fn fold_look_alikes(text: &str) -> String {
    text.chars().map(|c| cyrillic_twin(c).unwrap_or(c)).collect()
}

/// A name for comparing: upper case, ё as е, look-alikes repaired, hyphens and any white space one space,
/// no other signs. `None` if nothing or a placeholder was typed.
pub fn name_key(text: &str) -> Option<String> {
    if is_placeholder(text) {
        return None;
    }
    let mut key = String::with_capacity(text.len());
    for c in upper(&repair_look_alikes(text)).chars() {
        match c {
            'Ё' => key.push('Е'),
            'А'..='Я' => key.push(c),
            c if c.is_alphabetic() => key.push(c),
            c if (c.is_whitespace() || is_hyphen(c)) && !key.is_empty() && !key.ends_with(' ') => {
                key.push(' ');
            }
            _ => {}
        }
    }
    key.truncate(key.trim_end().len());
    (!key.is_empty()).then_some(key)
}

/// Hyphen-minus, the hyphens and dashes of general punctuation, the minus sign.
pub(super) fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        for (a, b) in [
            ("Соловьёва", "СОЛОВЬЕВА"),
            ("Иванов", "ИBAHOB"), // B, A, H, O, B are Latin
            ("Мамин-Сибиряк", "Мамин  Сибиряк "),
            ("Мамин\u{a0}Сибиряк", "мамин – сибиряк"),
            ("О'Нил", "ОНил"),
        ] {
            assert_eq!(name_key(a), name_key(b), "{a} and {b}");
        }
    }

    #[test]
    fn placeholders_are_nothing() {
        for text in ["", " ", "-", "Нет данных", "нет  данных.", "н/д", "НЕ УКАЗАНО", "—", "?"]
        {
            assert_eq!(name_key(text), None, "{text:?}");
        }
        assert_eq!(name_key("Нетребко"), Some("НЕТРЕБКО".into()));
    }

    #[test]
    fn a_latin_name_stays_latin() {
        assert_eq!(repair_look_alikes("Smith"), "Smith");
        assert_eq!(repair_look_alikes("Cepгeй"), "Сергей");
    }
}
