//! What linking looks at in a claim of a recipient, normalised.

use std::{collections::BTreeSet, fmt};

use exchange_format::{record::Body, snils::Snils};
use jiff::civil::Date;

use crate::decisions::normalise::{address_key, document_key, name_key, parse_date, phone_key};

/// The comparable facts of one claim. Personal data: prints redacted.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Surname key.
    pub surname: Option<String>,
    /// Given name key.
    pub given: Option<String>,
    /// Patronymic key.
    pub patronymic: Option<String>,
    /// Birth date, placeholders left out.
    pub birth_date: Option<Date>,
    /// СНИЛС, only if its check number holds.
    pub snils: Option<Snils>,
    /// Series and number of the identity document.
    pub document: Option<String>,
    /// Phones.
    pub phones: BTreeSet<String>,
    /// Registration address and where the person lives.
    pub addresses: BTreeSet<String>,
}

impl Features {
    /// The features of a `recipient_claim` (or of a `person`: the fields have the same names).
    pub fn of(body: &Body) -> Self {
        let key = |field: &str| body.text(field).and_then(name_key);
        Self {
            surname: key("surname"),
            given: key("given"),
            patronymic: key("patronymic"),
            birth_date: body.text("birth_date").and_then(parse_date),
            snils: body.text("snils").and_then(|text| text.parse().ok()),
            document: document_key(
                body.text("identity_doc_series").unwrap_or_default(),
                body.text("identity_doc_number").unwrap_or_default(),
            ),
            phones: body
                .text("phone")
                .into_iter()
                .flat_map(|text| text.split([',', ';']))
                .filter_map(phone_key)
                .collect(),
            addresses: ["address_reg", "address_live"]
                .into_iter()
                .filter_map(|field| body.text(field).and_then(address_key))
                .collect(),
        }
    }

    /// Surname, given name and patronymic, if all three are stated.
    pub fn full_name(&self) -> Option<[&str; 3]> {
        Some([self.surname.as_deref()?, self.given.as_deref()?, self.patronymic.as_deref()?])
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
