//! Participants of the exchange and their seven-digit codes (FORMAT.md §Names).

use std::{fmt, str::FromStr};

use crate::check_digit;

/// The code of a participant: region (2 digits), unit (4 digits), check digit
/// (ISO 7064 MOD 11,10 over the first six). Always valid once constructed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantCode([u8; 7]);

/// Why a text is not a participant code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParticipantCodeError {
    /// Not exactly seven ASCII digits.
    #[error("a participant code is 7 digits, this is {0:?}")]
    NotSevenDigits(String),
    /// The last digit is not the check digit of the first six.
    #[error("participant code {code}: the check digit should be {expected}; it was probably mistyped")]
    CheckDigit {
        /// The code as given.
        code: String,
        /// The digit that the first six digits call for.
        expected: char,
    },
}

impl ParticipantCode {
    /// The code of `unit` (0–9999) in `region` (0–99), with its check digit.
    ///
    /// # Panics
    /// If `region` > 99 or `unit` > 9999.
    pub fn new(region: u8, unit: u16) -> Self {
        assert!(region <= 99 && unit <= 9999, "region has 2 digits and unit has 4");
        let stem = format!("{region:02}{unit:04}");
        let check = check_digit::mod_11_10(&stem);
        let mut digits = [0; 7];
        digits[..6].copy_from_slice(stem.as_bytes());
        digits[6] = check;
        Self(digits)
    }

    /// The code as seven ASCII digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }

    /// The two digits of the region.
    pub fn region(&self) -> &str {
        &self.as_str()[..2]
    }
}

impl FromStr for ParticipantCode {
    type Err = ParticipantCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: [u8; 7] = text
            .as_bytes()
            .try_into()
            .ok()
            .filter(|bytes: &[u8; 7]| bytes.iter().all(u8::is_ascii_digit))
            .ok_or_else(|| ParticipantCodeError::NotSevenDigits(text.chars().take(40).collect()))?;
        let expected = check_digit::mod_11_10(&text[..6]);
        if digits[6] != expected {
            return Err(ParticipantCodeError::CheckDigit {
                code: text.to_owned(),
                expected: char::from(expected),
            });
        }
        Ok(Self(digits))
    }
}

impl fmt::Display for ParticipantCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ParticipantCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_mistyped_digit_is_found() {
        let good = ParticipantCode::new(42, 17);
        for at in 0..7 {
            for digit in b'0'..=b'9' {
                let mut bytes = good.0;
                if bytes[at] == digit {
                    continue;
                }
                bytes[at] = digit;
                let text = String::from_utf8(bytes.to_vec()).expect("digits");
                assert!(text.parse::<ParticipantCode>().is_err(), "{text} should not be a code");
            }
        }
    }

    #[test]
    fn a_code_reads_back() {
        for unit in [0, 1, 17, 219, 9999] {
            let code = ParticipantCode::new(42, unit);
            assert_eq!(code.to_string().parse(), Ok(code));
        }
    }

    #[test]
    fn what_is_not_seven_digits_is_told() {
        for bad in ["", "420001", "42000171", "42 0017", "４２０００１７"] {
            assert!(matches!(bad.parse::<ParticipantCode>(), Err(ParticipantCodeError::NotSevenDigits(_))));
        }
    }
}
