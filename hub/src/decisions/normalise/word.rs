//! Names: Latin look-alikes, ё, letter case, spaces and hyphens, placeholders.

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

/// The Cyrillic letter that looks like the Latin `letter`, in the same case.
fn cyrillic_twin(letter: char) -> Option<char> {
    const LATIN: &str = "ABCEHKMOPTXYabcehkmoptxy";
    const CYRILLIC: &str = "АВСЕНКМОРТХУавсенкмортху";
    LATIN.chars().position(|c| c == letter).and_then(|at| CYRILLIC.chars().nth(at))
}

/// `text` with Latin look-alikes written in Cyrillic, if that leaves no Latin letter; else unchanged: a name
/// that is really Latin is not half-translated.
pub fn repair_look_alikes(text: &str) -> String {
    let repaired = fold_look_alikes(text);
    if repaired.chars().any(|c| c.is_ascii_alphabetic()) { text.to_owned() } else { repaired }
}

/// `text` with every look-alike in Cyrillic: for keys, where a mixture of alphabets is one more spelling.
pub(super) fn fold_look_alikes(text: &str) -> String {
    text.chars().map(|c| cyrillic_twin(c).unwrap_or(c)).collect()
}

/// Whether `text` says only that there is nothing to say.
pub fn is_placeholder(text: &str) -> bool {
    if !text.chars().any(char::is_alphanumeric) {
        return true;
    }
    let upper = text.to_uppercase().replace('Ё', "Е");
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
    for c in repair_look_alikes(text).chars().flat_map(char::to_uppercase) {
        match c {
            'Ё' => key.push('Е'),
            c if c.is_alphabetic() => key.push(c),
            c if (c.is_whitespace() || is_hyphen(c)) && !key.is_empty() && !key.ends_with(' ') => {
                key.push(' ');
            }
            _ => {}
        }
    }
    let key = key.trim_end().to_owned();
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
