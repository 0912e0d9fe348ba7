//! СНИЛС, the individual insurance account number, and its check number.

use std::{fmt, str::FromStr};

/// An СНИЛС whose check number holds: 11 digits. Personal data: prints redacted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snils([u8; 11]);

/// Why a text is not an СНИЛС. Never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnilsError {
    /// Not 11 digits besides spaces and hyphens.
    #[error("an СНИЛС has 11 digits")]
    NotElevenDigits,
    /// All zeros: a placeholder.
    #[error("an СНИЛС of zeros is a placeholder")]
    Zeros,
    /// The last two digits are not the check number of the first nine.
    #[error("the check number of the СНИЛС does not hold; a digit was probably mistyped")]
    CheckNumber,
}

impl Snils {
    /// The 11 digits without separators.
    pub fn digits(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }

    /// As printed on forms: `NNN-NNN-NNN KK`.
    pub fn to_form(self) -> String {
        let d = self.digits();
        format!("{}-{}-{} {}", &d[..3], &d[3..6], &d[6..9], &d[9..])
    }

    /// The number with `nine` first digits and their check number (for synthetic data).
    ///
    /// # Panics
    /// If `nine` ≥ 10⁹.
    pub fn from_number(nine: u32) -> Self {
        assert!(nine < 1_000_000_000, "nine digits");
        let stem = format!("{nine:09}");
        let text = format!("{stem}{:02}", check_number(stem.as_bytes()));
        Self(text.into_bytes().try_into().expect("11 digits"))
    }
}

/// The check number of nine digits: the sum weighted 9…1; 100 and 101 give 00; above, modulo 101, with 100
/// as 00 (rules of the Pension Fund; numbers up to 001-001-998 bear none).
fn check_number(nine: &[u8]) -> u32 {
    let sum: u32 =
        nine.iter().zip((1..=9).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    sum % 101 % 100
}

impl FromStr for Snils {
    type Err = SnilsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Vec<u8> = text.bytes().filter(|b| !matches!(b, b' ' | b'-')).collect();
        let digits: [u8; 11] = digits.try_into().map_err(|_| SnilsError::NotElevenDigits)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(SnilsError::NotElevenDigits);
        }
        if digits == [b'0'; 11] {
            return Err(SnilsError::Zeros);
        }
        let stated = u32::from(digits[9] - b'0') * 10 + u32::from(digits[10] - b'0');
        let unchecked = &digits[..9] <= b"001001998".as_slice();
        if !unchecked && stated != check_number(&digits[..9]) {
            return Err(SnilsError::CheckNumber);
        }
        Ok(Self(digits))
    }
}

impl fmt::Debug for Snils {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        for good in ["112-233-445 95", "087-654-303 00", "08765430300", "001-001-998 77"] {
            assert!(good.parse::<Snils>().is_ok(), "{good}");
        }
        assert_eq!("112-233-445 95".parse::<Snils>().map(Snils::to_form), Ok("112-233-445 95".into()));
    }

    #[test]
    fn bad_numbers_are_told_apart() {
        assert_eq!("112-233-445 96".parse::<Snils>(), Err(SnilsError::CheckNumber));
        assert_eq!("000-000-000 00".parse::<Snils>(), Err(SnilsError::Zeros));
        for bad in ["", "112-233-445", "112-233-445 9x", "1122334459512"] {
            assert_eq!(bad.parse::<Snils>(), Err(SnilsError::NotElevenDigits));
        }
    }

    #[test]
    fn a_sum_of_exactly_100_or_101_gives_00() {
        for nine in 1_002_000..1_200_000 {
            let snils = Snils::from_number(nine);
            assert!(snils.digits().parse::<Snils>().is_ok());
        }
    }

    #[test]
    fn it_prints_redacted() {
        assert_eq!(format!("{:?}", Snils::from_number(112_233_445)), "[redacted]");
    }
}
