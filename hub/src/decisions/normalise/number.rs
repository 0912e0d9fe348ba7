//! Phones and document numbers.

use std::collections::BTreeSet;

use super::{
    is_placeholder,
    word::{fold_look_alikes, upper},
};

/// So many digits one after another, each by one more or less than that before, are typed for want of a number.
const RUN: usize = 8;

/// So many of a document's number, which has six, are.
const NUMBER: usize = 6;

/// A phone for comparing: `7` and ten digits; shorter local numbers as they are. `None` for fewer than
/// five digits, one digit repeated, or digits as they stand on the keys; of a whole number the last seven are neither that nor of two
/// digits alone, nor three groups of one digit each (111-22-33).
pub fn phone_key(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let key = match digits.len() {
        11 if digits.starts_with(['7', '8']) => format!("7{}", &digits[1..]),
        10 => format!("7{digits}"),
        5..=11 => digits,
        _ => return None,
    };
    (!one_repeated(&key[key.len().saturating_sub(5)..]) && !has_run(&key) && !is_no_subscriber(&key))
        .then_some(key)
}

/// Whether the last seven digits of a whole telephone number are those that are typed for want of one.
fn is_no_subscriber(key: &str) -> bool {
    let Some(last) = key.get(4..).filter(|_| key.len() == 11) else { return false };
    let kinds: BTreeSet<char> = last.chars().collect();
    kinds.len() < 3 || runs(last, last.len()) || is_of_groups(last)
}

/// Whether seven digits are one three times, another twice, a third twice: 111-22-33. There are such, but more are typed for want of
/// one than are borne.
fn is_of_groups(last: &str) -> bool {
    let groups = [last.get(..3), last.get(3..5), last.get(5..)];
    groups.into_iter().flatten().filter(|group| one_repeated(group)).count() == groups.len()
}

/// A document's series and number for comparing: letters and digits only, upper case, look-alikes in
/// Cyrillic, words such as «серия» and «№» dropped; a passport has the zero again that a spreadsheet took for none. `None` for
/// placeholders, digits as they stand on the keys, and fewer than four digits.
pub fn document_key(series: &str, number: &str) -> Option<String> {
    // digits alone need no reading
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if [series, number].iter().all(|text| text.is_ascii() && !text.contains(|c: char| c.is_alphabetic())) {
        let key = digits(series) + &digits(number);
        return (key.len() >= 4 && !is_no_document(&key)).then(|| with_zero(key));
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
    (digits.len() >= 4 && !is_no_document(&digits)).then(|| with_zero(key))
}

/// Series and number of a passport are ten digits, and regions begin with 01.
fn with_zero(key: String) -> String {
    if key.len() == 9 && key.bytes().all(|digit| digit.is_ascii_digit()) { format!("0{key}") } else { key }
}

/// Whether the number of a passport, by its [`document_key`], is as it stands on the keys (123456). There are such, and they are
/// published; but more are typed for want of one than are borne, and so they say nothing of who somebody is.
pub fn is_typed_passport(key: &str) -> bool {
    let digits = key.len() == 10 && key.bytes().all(|byte| byte.is_ascii_digit());
    digits && runs(&key[4..], NUMBER)
}

fn is_no_document(digits: &str) -> bool {
    let number = digits.get(4..).filter(|number| number.len() == 6);
    one_repeated(digits) || has_run(digits) || number.is_some_and(one_repeated)
}

/// Whether the eleven digits of a СНИЛС are those that are typed for want of one: one digit nine times, digits as they stand on
/// the keys, or the example that the rules for the check number give.
pub fn is_no_snils(digits: &str) -> bool {
    let nine = digits.get(..9).unwrap_or(digits);
    one_repeated(nine) || has_run(nine) || nine == "112233445"
}

/// Whether [`RUN`] digits stand there one after another as they do on the keys, 0 after 9.
fn has_run(digits: &str) -> bool {
    runs(digits, RUN)
}

fn runs(digits: &str, so_many: usize) -> bool {
    let next = |by: u8| {
        let mut n = 1;
        digits.as_bytes().windows(2).any(|two| {
            let follows = (two[0] - b'0' + by) % 10 == two[1] - b'0';
            n = if follows { n + 1 } else { 1 };
            n >= so_many
        })
    };
    next(1) || next(9)
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
        for text in ["+79061284567", "8 (906) 128-45-67", "9061284567", "8-906-128-45-67"] {
            assert_eq!(phone_key(text).as_deref(), Some("79061284567"), "{text}");
        }
        assert_eq!(phone_key("36-12-45").as_deref(), Some("361245"));
        let typed = [
            "89991234567",
            "+79051234567",
            "8 900 765-43-21",
            "+79999999990",
            "+79009009090",
            "+79000000001",
            "+79001112233",
            "8 (905) 777-88-00",
        ];
        for text in typed {
            assert_eq!(phone_key(text), None, "{text}");
        }
        for text in ["+79001112234", "+79001122333", "+79001112322", "22-33-22", "111-22-33"] {
            assert!(phone_key(text).is_some(), "{text}");
        }
        let on_keys = ["+71234567890", "89001234567", "+79123456789", "8 987 654 32 10"];
        for text in ["", "нет", "0", "000000", "8 (000) 000-00-00"].into_iter().chain(on_keys) {
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
        assert_eq!(document_key("412", "123456"), document_key("04 12", "123456"));
        let is_typed = |text| document_key("", text).is_some_and(|key| is_typed_passport(&key));
        assert!(is_typed("3204 123456") && is_typed("1234 654321") && is_typed("412 123456"));
        assert!(!is_typed("3204 123457") && !is_typed("I-БЖ 123456") && !is_typed("123456"));
        let on_keys = [("1234", "567890"), ("3200", "000000"), ("", "серия 32 04 № 111111")];
        let none = [("0000", "000000"), ("", "нет"), ("", ""), ("-", "12"), ("", "выдан 2004")];
        for (series, number) in none.into_iter().chain(on_keys) {
            assert_eq!(document_key(series, number), None);
        }
    }
}
