//! A participant's card: who it is and which keys it uses, signed by itself (FORMAT.md §Cards).
//!
//! A card is a C2SP signed note with lines `name: value` in a fixed order:
//! ```text
//! svod.exchange/card/v1
//! code: 4200018
//! name: ЦСОН Ленинского района
//! signing_key: svod.exchange/4200018+0123abcd+AQ…
//! age_recipient: age1…
//! archive_recipient: age1…
//! valid_from: 2026-01-01
//! valid_until: 2027-12-31
//! tls_ca:
//! -----BEGIN CERTIFICATE-----
//! …
//! -----END CERTIFICATE-----
//!
//! — svod.exchange/4200018 ASNFZ…
//! ```
//! `tls_ca` is the hub's only. Whom a card belongs to is proved by its [`fingerprint`](Card::fingerprint),
//! told on another way; its own signature proves that the holder of the key made it.

use std::fmt::Write as _;

use jiff::civil::Date;

use crate::{
    answer::Text,
    participant::{ParticipantCode, ParticipantCodeError},
    position::Digest,
    seal::Recipient,
    signature::{self, KeyError, SignatureError, SigningKey, VerifyingKey},
};

const CONTEXT: &str = "svod.exchange/card/v1";
/// A card with a certificate takes about 3 KiB.
pub(crate) const CARD_BYTES: usize = 64 * 1024;
const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const PEM_END: &str = "-----END CERTIFICATE-----";

/// A participant's public data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// What it says.
    pub content: CardContent,
    bytes: Vec<u8>,
}

/// What a card says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardContent {
    /// The participant.
    pub code: ParticipantCode,
    /// Its name for people: 1–200 characters, one line.
    pub name: String,
    /// What its packets are signed with.
    pub signing_key: VerifyingKey,
    /// What packets for it are sealed to.
    pub age_recipient: Recipient,
    /// What it seals its own packets to as well; the private half is kept off-line.
    pub archive_recipient: Recipient,
    /// First day of validity.
    pub valid_from: Date,
    /// Last day of validity.
    pub valid_until: Date,
    /// The hub's certificate authority, PEM; line ends LF, the last included.
    pub tls_ca: Option<String>,
}

/// Why a card is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// Not a signed note, or larger than 64 KiB.
    #[error("not a participant card: not a signed text of at most 64 KiB")]
    NotACard,
    /// A line is missing or stands in another order.
    #[error("line {line}: expected {expected:?}")]
    Line {
        /// From 1.
        line: usize,
        /// What the line begins with.
        expected: &'static str,
    },
    /// The participant code.
    #[error("code: {0}")]
    Code(#[from] ParticipantCodeError),
    /// The signing key.
    #[error("signing_key: {0}")]
    Key(#[from] KeyError),
    /// The signing key bears another participant's code.
    #[error("the card is of {code}, its signing key of {key}")]
    OtherKey {
        /// By the card.
        code: ParticipantCode,
        /// By the key.
        key: ParticipantCode,
    },
    /// Another value that its field cannot have.
    #[error("{field}: {}", problem.en)]
    Value {
        /// The field.
        field: &'static str,
        /// What it should be.
        problem: Text,
    },
    /// Its own signature does not hold.
    #[error("its signature: {0}")]
    Signature(#[from] SignatureError),
    /// The day is outside its validity.
    #[error("valid from {from} to {until}, not on {on}")]
    NotValidOn {
        /// The day asked for.
        on: Date,
        /// First day of validity.
        from: Date,
        /// Last day of validity.
        until: Date,
    },
    /// It is not the card that was told of.
    #[error("its fingerprint is {found}, told was {expected}")]
    Fingerprint {
        /// As told.
        expected: String,
        /// As computed.
        found: String,
    },
}

impl CardContent {
    /// What a participant is called to whom nobody has given a name.
    pub fn nameless(code: ParticipantCode) -> String {
        format!("Центр {code}")
    }

    /// Its name, if somebody has given it one.
    pub fn given_name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| *name != Self::nameless(self.code))
    }
}

impl Card {
    /// Signs `content` with the key that it names.
    pub fn sign(content: CardContent, key: &SigningKey) -> Result<Self, CardError> {
        check(&content)?;
        if key.verifying_key() != content.signing_key {
            return Err(CardError::OtherKey { code: content.code, key: key.participant() });
        }
        let bytes = key.sign_text(&to_text(&content));
        Ok(Self { content, bytes })
    }

    /// Reads a card and checks its own signature. Validity and fingerprint are further questions.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CardError> {
        if bytes.len() > CARD_BYTES {
            return Err(CardError::NotACard);
        }
        let (text, _) = signature::split_note(bytes).map_err(|_| CardError::NotACard)?;
        let content = parse(text)?;
        check(&content)?;
        content.signing_key.verify_text(text, bytes)?;
        Ok(Self { content, bytes: bytes.to_owned() })
    }

    /// The bytes of the card file.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the card file, 64 lower-case hexadecimal digits: what is told on another way.
    pub fn fingerprint(&self) -> String {
        Digest::of(&self.bytes).to_string()
    }

    /// An error unless the card is the one told of; `told` may have blanks, colons and capitals.
    pub fn check_fingerprint(&self, told: &str) -> Result<(), CardError> {
        let expected: String =
            told.chars().filter(|c| !c.is_whitespace() && *c != ':').flat_map(char::to_lowercase).collect();
        let found = self.fingerprint();
        if expected == found { Ok(()) } else { Err(CardError::Fingerprint { expected, found }) }
    }

    /// An error unless it is valid on this day.
    pub fn check_valid_on(&self, on: Date) -> Result<(), CardError> {
        let (from, until) = (self.content.valid_from, self.content.valid_until);
        if (from..=until).contains(&on) { Ok(()) } else { Err(CardError::NotValidOn { on, from, until }) }
    }
}

fn to_text(content: &CardContent) -> String {
    let CardContent { code, name, signing_key, age_recipient, archive_recipient, .. } = content;
    let CardContent { valid_from, valid_until, tls_ca, .. } = content;
    let mut text = format!(
        "{CONTEXT}\ncode: {code}\nname: {name}\nsigning_key: {signing_key}\nage_recipient: {age_recipient}\n\
         archive_recipient: {archive_recipient}\nvalid_from: {valid_from}\nvalid_until: {valid_until}\n"
    );
    if let Some(pem) = tls_ca {
        let _ = write!(text, "tls_ca:\n{pem}");
    }
    text
}

fn parse(text: &str) -> Result<CardContent, CardError> {
    let mut lines = text.split_inclusive('\n').enumerate();
    let mut next = |expected: &'static str| -> Result<&str, CardError> {
        let (at, line) = lines.next().unwrap_or((text.lines().count(), ""));
        let value = line.strip_suffix('\n').and_then(|line| line.strip_prefix(expected));
        value.ok_or(CardError::Line { line: at + 1, expected })
    };
    if !next(CONTEXT)?.is_empty() {
        return Err(CardError::Line { line: 1, expected: CONTEXT });
    }
    let code = next("code: ")?.parse()?;
    let name = next("name: ")?.to_owned();
    let signing_key = next("signing_key: ")?.parse()?;
    let age_recipient = recipient("age_recipient", next("age_recipient: ")?)?;
    let archive_recipient = recipient("archive_recipient", next("archive_recipient: ")?)?;
    let valid_from = date("valid_from", next("valid_from: ")?)?;
    let valid_until = date("valid_until", next("valid_until: ")?)?;
    let rest: String = lines.map(|(_, line)| line).collect();
    let tls_ca = match (rest.as_str(), rest.strip_prefix("tls_ca:\n")) {
        ("", _) => None,
        (_, Some(pem)) => Some(pem.to_owned()),
        _ => return Err(CardError::Line { line: 9, expected: "tls_ca:" }),
    };
    let content = CardContent {
        code,
        name,
        signing_key,
        age_recipient,
        archive_recipient,
        valid_from,
        valid_until,
        tls_ca,
    };
    Ok(content)
}

fn recipient(field: &'static str, text: &str) -> Result<Recipient, CardError> {
    let parsed = text.parse::<Recipient>().ok().filter(|recipient| recipient.to_string() == text);
    parsed.ok_or(CardError::Value {
        field,
        problem: Text { ru: "открытый ключ age вида age1…", en: "an age key age1…" },
    })
}

fn date(field: &'static str, text: &str) -> Result<Date, CardError> {
    let parsed = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    parsed.ok_or(CardError::Value {
        field,
        problem: Text { ru: "дата вида ГГГГ-ММ-ДД", en: "a date YYYY-MM-DD" },
    })
}

fn check(content: &CardContent) -> Result<(), CardError> {
    let name = &content.name;
    let good = (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !good || name.trim() != name {
        return Err(CardError::Value {
            field: "name",
            problem: Text {
                ru: "от 1 до 200 знаков в одну строку", en: "1–200 characters in one line"
            },
        });
    }
    if content.signing_key.participant() != content.code {
        let key = content.signing_key.participant();
        return Err(CardError::OtherKey { code: content.code, key });
    }
    if content.valid_from > content.valid_until {
        return Err(CardError::Value {
            field: "valid_until",
            problem: Text { ru: "дата не раньше valid_from", en: "not before valid_from" },
        });
    }
    if content.tls_ca.as_deref().is_some_and(|pem| !is_pem(pem)) {
        return Err(CardError::Value {
            field: "tls_ca",
            problem: Text {
                ru: "сертификаты в формате PEM, концы строк LF",
                en: "certificates in PEM, line ends LF",
            },
        });
    }
    Ok(())
}

/// One or more certificate blocks of base64 lines; what the certificate says is for TLS to judge.
fn is_pem(text: &str) -> bool {
    let base64 = |line: &str| {
        (1..=76).contains(&line.len())
            && line.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    };
    let mut inside = false;
    let lines_good = text.split_terminator('\n').all(|line| match (inside, line) {
        (false, PEM_BEGIN) | (true, PEM_END) => {
            inside = !inside;
            true
        }
        (true, line) => base64(line),
        (false, _) => false,
    });
    lines_good && !inside && text.ends_with('\n')
}
