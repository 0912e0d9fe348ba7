//! Case numbers: `RR-OKTMO8-NNNNNN-K` (contract.md; K = ISO 7064 MOD 11,10 over all digits before it).

use exchange_format::check_digit::mod_11_10;

/// The largest serial number that a case number can bear.
pub const LAST_SERIAL: u32 = 999_999;

/// Where the numbers are given out: two digits of the region and eight of the municipality (ОКТМО).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseNumbering {
    region: String,
    oktmo: String,
}

/// Why case numbers cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseNumberError {
    /// The region is not two digits.
    #[error("the region {0:?} of case numbers is not 2 digits")]
    Region(String),
    /// The municipality is not eight digits, or all of them are zero: no municipality's.
    #[error("the ОКТМО {0:?} of case numbers is not 8 digits of a municipality")]
    Oktmo(String),
    /// All 999 999 numbers of this municipality are used.
    #[error("case number {0} does not fit into six digits")]
    UsedUp(u64),
}

impl CaseNumbering {
    /// Numbering for `region` and `oktmo`.
    pub fn new(region: &str, oktmo: &str) -> Result<Self, CaseNumberError> {
        let digits =
            |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(region, 2) {
            return Err(CaseNumberError::Region(region.to_owned()));
        }
        if !digits(oktmo, 8) || oktmo.bytes().all(|b| b == b'0') {
            return Err(CaseNumberError::Oktmo(oktmo.to_owned()));
        }
        Ok(Self { region: region.to_owned(), oktmo: oktmo.to_owned() })
    }

    /// The case number with serial `serial` (1–999 999).
    pub fn number(&self, serial: u64) -> Result<String, CaseNumberError> {
        if !(1..=u64::from(LAST_SERIAL)).contains(&serial) {
            return Err(CaseNumberError::UsedUp(serial));
        }
        let stem = format!("{}-{}-{serial:06}", self.region, self.oktmo);
        let check = char::from(mod_11_10(&stem));
        Ok(format!("{stem}-{check}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_check_digit() {
        let numbering = CaseNumbering::new("42", "32701000").expect("good");
        let number = numbering.number(123).expect("fits");
        assert!(number.starts_with("42-32701000-000123-"), "{number}");
        let stem = number.rsplit_once('-').expect("four parts").0;
        assert_eq!(number.as_bytes()[number.len() - 1], mod_11_10(stem));
    }

    #[test]
    fn what_cannot_be_numbered_is_told() {
        assert_eq!(CaseNumbering::new("4", "32701000"), Err(CaseNumberError::Region("4".into())));
        assert_eq!(CaseNumbering::new("42", "32701"), Err(CaseNumberError::Oktmo("32701".into())));
        let numbering = CaseNumbering::new("42", "32701000").expect("good");
        assert_eq!(numbering.number(1_000_000), Err(CaseNumberError::UsedUp(1_000_000)));
        assert_eq!(numbering.number(0), Err(CaseNumberError::UsedUp(0)));
    }
}
