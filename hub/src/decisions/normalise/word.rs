//! Names: Latin look-alikes, ё, letter case, spaces and hyphens, placeholders.

use std::borrow::Cow;

/// What registrars type when a field is required and there is nothing to type (domain.md §7), upper case.
const PLACEHOLDERS: [&str; 18] = [
    "НЕТ",
    "НЕТ ДАННЫХ",
    "НЕ УКАЗАНО",
    "НЕ УКАЗАН",
    "НЕ УКАЗАНА",
    "НЕИЗВЕСТНО",
    "НЕИЗВЕСТЕН",
    "НЕИЗВЕСТНА",
    "ОТСУТСТВУЕТ",
    "НЕ ИМЕЕТСЯ",
    "НЕ ИМЕЕТ",
    "Н Д",
    "Н/Д",
    "Б/О",
    "Б О",
    "Б/А",
    "NULL",
    "NONE",
];

/// The 32 letters.
const LARGE: [char; 32] = [
    'А', 'Б', 'В', 'Г', 'Д', 'Е', 'Ж', 'З', 'И', 'Й', 'К', 'Л', 'М', 'Н', 'О', 'П', 'Р', 'С', 'Т', 'У', 'Ф',
    'Х', 'Ц', 'Ч', 'Ш', 'Щ', 'Ъ', 'Ы', 'Ь', 'Э', 'Ю', 'Я',
];

/// The most letters and digits that one of them has.
const LONGEST_PLACEHOLDER: usize = 12;

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

/// The letters of ASCII and the 32 of Russian have one large form each, which needs no table.
const fn large(c: char) -> Option<char> {
    Some(match c {
        '\0'..='`' | '{'..='\x7F' | 'А'..='Я' | 'Ё' => c,
        'a'..='z' => c.to_ascii_uppercase(),
        'а'..='я' => LARGE[c as usize - 'а' as usize],
        'ё' => 'Ё',
        _ => return None,
    })
}

/// `text` in capitals.
pub(super) fn upper(text: &str) -> String {
    let mut upper = String::with_capacity(text.len());
    for c in text.chars() {
        match large(c) {
            Some(large) => upper.push(large),
            None => upper.extend(c.to_uppercase()),
        }
    }
    upper
}

/// As [`char::is_alphanumeric`].
fn is_alphanumeric(c: char) -> bool {
    matches!(c, 'А'..='я') || if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() }
}

/// Whether `text` says only that there is nothing to say.
pub fn is_placeholder(text: &str) -> bool {
    let mut said = text.chars().filter(|c| is_alphanumeric(*c));
    match said.next() {
        None => return true,
        // none of them begins with any other Russian or Latin letter, nor with a digit
        Some(c) if large(c).is_some() && !PLACEHOLDERS.iter().any(|one| one.chars().next() == large(c)) => {
            return false;
        }
        Some(_) if said.count() >= LONGEST_PLACEHOLDER => return false,
        Some(_) => {}
    }
    let upper = upper(text).replace('Ё', "Е");
    let words: Vec<&str> = upper.split_whitespace().collect();
    let joined = words.join(" ");
    PLACEHOLDERS.contains(&joined.trim_matches(|c: char| !c.is_alphanumeric()))
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
