//! How the hub writes a value that it publishes: strict fields, whoever typed them and however.

pub use exchange_format::typed::plain as text;
use exchange_format::vocabulary;

use super::{is_placeholder, word::is_hyphen, word::repair_look_alikes};

/// A part of a name: look-alikes repaired, one space or one hyphen between parts, each part capitalised.
/// `None` for a placeholder or if no letter stays.
pub fn name(text: &str) -> Option<String> {
    if is_placeholder(text) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut gap: Option<char> = None;
    for c in repair_look_alikes(text).chars().map(|c| if "`´ʼ‘".contains(c) { '\'' } else { c }) {
        if is_hyphen(c) {
            gap = Some('-');
        } else if c.is_whitespace() || "()/\\,;|+&\"«»".contains(c) {
            // «Иванова(Петрова)»: what stands between two names parts them
            gap = gap.or(Some(' '));
        } else if c.is_alphabetic() || matches!(c, '\'' | '’' | '.') {
            if let (Some(sign), false) = (gap.take(), out.is_empty()) {
                out.push(sign);
            }
            let starts = out.chars().next_back().is_none_or(|last| !last.is_alphabetic());
            if starts { out.extend(c.to_uppercase()) } else { out.extend(c.to_lowercase()) }
        }
    }
    // «Сулейман-оглы», «Мамед кызы»: the second word of such patronymics is not capitalised
    for word in ["Оглы", "Кызы", "Улы", "Уулу"] {
        if let Some(at) = out.find(word).filter(|at| *at > 0 && out[*at..].len() == word.len()) {
            out.replace_range(at.., &word.to_lowercase());
        }
    }
    out.chars().any(char::is_alphabetic).then_some(out)
}

/// A phone as E.164, Russian numbers only; a local number is not published as a person's phone.
pub use exchange_format::typed::phone;

/// `М` or `Ж`, by the words that the rules know.
pub fn sex(typed: &str) -> Option<&'static str> {
    match typed {
        "М" | "м" => Some("М"),
        "Ж" | "ж" => Some("Ж"),
        _ => vocabulary::code("sex", &text(typed)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_published() {
        for (typed, shown) in [
            ("ИBAHOB", "Иванов"),
            ("мамин - сибиряк", "Мамин-Сибиряк"),
            ("  Анна   Мария ", "Анна Мария"),
            ("МАМЕД ОГЛЫ", "Мамед оглы"),
            ("соловьёва", "Соловьёва"),
            ("Иванова(Петрова)", "Иванова Петрова"),
            ("Иванова/Петрова", "Иванова Петрова"),
            ("О`Нил", "О'Нил"),
        ] {
            assert_eq!(name(typed).as_deref(), Some(shown), "{typed}");
        }
        assert_eq!(name("-"), None);
    }

    #[test]
    fn other_fields_as_published() {
        assert_eq!(phone("8 906 123-45-67").as_deref(), Some("+79061234567"));
        for typed in [
            "36-12-45",
            "+7 900 000 00 0",
            "7900000000",
            "8900000000",
            "0000000000",
            "+3752912345",
            "36-00-00 доб 12345",
            "9000000001 1",
            "12345678901",
            "+8 906 123-45-67",
        ] {
            assert_eq!(phone(typed), None, "{typed}");
        }
        for typed in ["9061234567", "+7 906 123-45-67", "8(906)1234567", "7 906 123 45 67"] {
            assert_eq!(phone(typed).as_deref(), Some("+79061234567"), "{typed}");
        }
        assert_eq!(phone("(812) 123-45-67").as_deref(), Some("+78121234567"));
        assert_eq!(sex("Муж."), Some("М"));
        for (typed, said) in
            [("Mуж", "М"), ("мужчина", "М"), ("Женщина", "Ж"), ("М.", "М"), ("2.", "Ж"), ("M", "М")]
        {
            assert_eq!(sex(typed), Some(said), "{typed}");
        }
        assert_eq!(
            (sex("Ж\u{200b}"), sex("\u{a0}жен."), sex("да"), sex("-")),
            (Some("Ж"), Some("Ж"), None, None)
        );
        assert_eq!(text("  ул.\u{a0} Ленина "), Some("ул. Ленина".into()));
    }
}
