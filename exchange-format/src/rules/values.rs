//! Values as rules read them: leniently, for claims say what was typed. And check digits.

use jiff::civil::Date;

use crate::{check_digit::mod_11_10, typed_date::parse_paper_date};

/// A date of a paper as the hub reads it, in all forms that people type: `10.03.26` is of this century.
pub(super) fn paper_date(text: &str) -> Option<Date> {
    parse_paper_date(text)
}

/// A whole number.
pub(super) fn whole(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// Whether `text` is of so many digits.
pub(super) fn digits(text: &str, counts: &[usize]) -> bool {
    counts.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The check digit of a code of the all-Russian classifiers (ПР 50.1.024-2005): weights 1…10 in turn, modulo 11;
/// if that gives 10, weights from 3; if again, 0. It is no part of the code. Other characters than digits: `None`.
pub(super) fn classifier_check(code: &str) -> Option<u8> {
    let sum = |from: u32| -> Option<u32> {
        let terms = code.chars().zip(0_u32..).map(|(c, n)| Some(c.to_digit(10)? * ((n + from - 1) % 10 + 1)));
        terms.sum::<Option<u32>>().map(|sum| sum % 11)
    };
    let check = match sum(1)? {
        10 => sum(3)?,
        check => check,
    };
    Some(if check == 10 { b'0' } else { b'0' + u8::try_from(check).ok()? })
}

/// Whether `text` is an ОКТМО code of 8 or 11 digits, or one with its check digit behind.
pub(super) fn is_oktmo(text: &str) -> bool {
    digits(text, &[8, 11])
        || digits(text, &[9, 12]) && classifier_check(&text[..text.len() - 1]) == text.bytes().last()
}

/// Whether `text` has the shape `RR-OKTMO8-NNNNNN-K` and its check digit holds.
pub(super) fn is_case_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    widths == [2, 8, 6, 1]
        && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
        && mod_11_10(&text[..text.len() - 1]) == text.as_bytes()[text.len() - 1]
}

/// Whether `text` is an ИНН of 10 or 12 digits whose check digits hold.
pub(super) fn is_inn(text: &str) -> bool {
    const WEIGHTS: [u32; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
    let holds = |length: usize| {
        let weights = &WEIGHTS[WEIGHTS.len() - length..];
        let sum: u32 =
            text.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        sum % 11 % 10 == u32::from(text.as_bytes()[length] - b'0')
    };
    digits(text, &[10]) && holds(9) || digits(text, &[12]) && holds(10) && holds(11)
}

/// Whether `text` is an ОГРН of 13 or an ОГРНИП of 15 digits whose check digit holds.
pub(super) fn is_ogrn(text: &str) -> bool {
    let holds = |modulus: u64| {
        let (number, check) = text.split_at(text.len() - 1);
        number.parse::<u64>().is_ok_and(|number| Some(number % modulus % 10) == whole(check))
    };
    digits(text, &[13]) && holds(11) || digits(text, &[15]) && holds(13)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_oktmo_codes() {
        for (code, check) in [
            ("03628000", b'6'),
            ("24613000", b'3'),
            ("67320000", b'4'),
            ("04631437126", b'3'),
            ("32701000", b'0'),
        ] {
            assert_eq!(classifier_check(code), Some(check), "{code}");
            assert!(is_oktmo(code) && is_oktmo(&format!("{code}{}", char::from(check))));
            assert!(!is_oktmo(&format!("{code}{}", char::from((check - b'0' + 1) % 10 + b'0'))));
        }
        assert_eq!(classifier_check("3270100x"), None);
    }

    #[test]
    fn numbers_of_organisations() {
        // the tax service itself, and a bank, as published
        for (inn, ogrn) in [("7707329152", "1047707030513"), ("7707083893", "1027700132195")] {
            assert!(is_inn(inn) && is_ogrn(ogrn), "{inn} {ogrn}");
        }
        assert!(is_inn("500100732259"), "the vector of a person");
        assert!(
            !is_inn("7707329153")
                && !is_inn("500100732258")
                && !is_inn("77073291")
                && !is_ogrn("1047707030514")
        );
    }
}
