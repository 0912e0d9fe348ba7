//! Phones and document numbers.

use super::{
    is_placeholder,
    word::{fold_look_alikes, upper},
};

/// A phone for comparing: `7` and ten digits; shorter local numbers as they are. `None` for fewer than
/// five digits or one digit repeated.
pub fn phone_key(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let key = match digits.len() {
        11 if digits.starts_with(['7', '8']) => format!("7{}", &digits[1..]),
        10 => format!("7{digits}"),
        5..=11 => digits,
        _ => return None,
    };
    (!one_repeated(&key[key.len().saturating_sub(5)..])).then_some(key)
}

/// A document's series and number for comparing: letters and digits only, upper case, look-alikes in
/// Cyrillic, words such as «серия» and «№» dropped. `None` for placeholders and fewer than four digits.
pub fn document_key(series: &str, number: &str) -> Option<String> {
    // digits alone need no reading
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if [series, number].iter().all(|text| text.is_ascii() && !text.contains(|c: char| c.is_alphabetic())) {
        let key = digits(series) + &digits(number);
        return (key.len() >= 4 && !one_repeated(&key)).then_some(key);
    }
    let joined = upper(&format!("{series} {number}"));
    // when and by whom it was issued is no number of it
    let joined = joined.split("ВЫДАН").next().unwrap_or_default().to_owned();
    if is_placeholder(&joined) {
        return None;
    }
    let joined =
        ["СЕРИЯ", "СЕР.", "НОМЕР", "ПАСПОРТ"].iter().fold(joined, |text, word| text.replace(word, " "));
    let key: String = fold_look_alikes(&joined).chars().filter(|c| c.is_alphanumeric()).collect();
    let digits = digits(&key);
    (digits.len() >= 4 && !one_repeated(&digits)).then_some(key)
}

fn one_repeated(digits: &str) -> bool {
    let first = digits.chars().next();
    digits.chars().all(|c| Some(c) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones() {
        for text in ["+79061234567", "8 (906) 123-45-67", "9061234567", "8-906-123-45-67"] {
            assert_eq!(phone_key(text).as_deref(), Some("79061234567"), "{text}");
        }
        assert_eq!(phone_key("36-12-45").as_deref(), Some("361245"));
        for text in ["", "нет", "0", "000000", "8 (000) 000-00-00"] {
            assert_eq!(phone_key(text), None, "{text}");
        }
    }

    #[test]
    fn documents() {
        for (series, number) in [("3204", "123456"), ("32 04", "123456"), ("", "серия 3204 № 123456")]
        {
            assert_eq!(document_key(series, number).as_deref(), Some("3204123456"));
        }
        assert_eq!(document_key("I-BЖ", "123456"), document_key("I-ВЖ", "123456"));
        assert_eq!(document_key("", "3204 123456 выдан 2004").as_deref(), Some("3204123456"));
        for (series, number) in [("0000", "000000"), ("", "нет"), ("", ""), ("-", "12"), ("", "выдан 2004")]
        {
            assert_eq!(document_key(series, number), None);
        }
    }
}
