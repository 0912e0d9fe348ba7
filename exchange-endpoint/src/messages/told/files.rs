//! Causes that lie in files which people hand over: keys, cards, certificates, protocols.

use std::fmt;

use exchange_format::{
    card::CardError,
    seal::AgeKeyError,
    signature::{KeyError, SignatureError},
};
use rustls::{CertificateError, pki_types::pem};

use super::{Lang, Told, Value, text};

/// The message `id`; in English what the error itself says.
fn words(id: &str, args: &[(&str, Value<'_>)], error: &dyn fmt::Display) -> Told {
    Told::new(|lang| if lang == Lang::Ru { text(lang, id, args) } else { error.to_string() })
}

/// The message `id` about the cause `why`.
fn about(id: &str, why: impl Into<Told>, error: &dyn fmt::Display) -> Told {
    let why = why.into();
    words(id, &[("why", why.in_lang(Lang::Ru).into())], error)
}

impl From<&CardError> for Told {
    fn from(error: &CardError) -> Self {
        match error {
            CardError::NotACard => words("card-no-card", &[], error),
            CardError::Line { line, expected } => {
                words("card-line", &[("line", (*line).into()), ("expected", (*expected).into())], error)
            }
            CardError::Code(why) => about("card-code", why, error),
            CardError::Key(why) => about("card-key", why, error),
            CardError::OtherKey { code, key } => {
                let args = [("code", code.to_string().into()), ("key", key.to_string().into())];
                words("card-other-key", &args, error)
            }
            CardError::Value { field, problem } => {
                words("card-value", &[("field", (*field).into()), ("problem", problem.ru.into())], error)
            }
            CardError::Signature(why) => about("card-signature", why, error),
            // these have sentences of their own
            CardError::NotValidOn { .. } | CardError::Fingerprint { .. } => error.to_string().into(),
        }
    }
}

impl From<&KeyError> for Told {
    fn from(error: &KeyError) -> Self {
        match error {
            KeyError::Form { form } => words("key-form", &[("form", (*form).into())], error),
            KeyError::Participant(why) => about("key-name", why, error),
            KeyError::Number { found, expected } => {
                let args = [("found", found.clone().into()), ("expected", expected.clone().into())];
                words("key-number", &args, error)
            }
            KeyError::Unusable => words("key-unusable", &[], error),
        }
    }
}

impl From<&AgeKeyError> for Told {
    fn from(error: &AgeKeyError) -> Self {
        words("key-age", &[], error)
    }
}

impl From<&SignatureError> for Told {
    fn from(error: &SignatureError) -> Self {
        match error {
            SignatureError::NotANote => words("signature-none", &[], error),
            SignatureError::OtherText { line } => {
                words("signature-other-text", &[("line", (*line).into())], error)
            }
            SignatureError::OtherKey { found, expected } => {
                let args = [("found", found.clone().into()), ("expected", expected.clone().into())];
                words("signature-other-key", &args, error)
            }
            SignatureError::Wrong => words("signature-wrong", &[], error),
        }
    }
}

impl From<&pem::Error> for Told {
    fn from(error: &pem::Error) -> Self {
        let id = if matches!(error, pem::Error::NoItemsFound) { "pem-none" } else { "pem-damaged" };
        words(id, &[], error)
    }
}

impl From<&rustls::Error> for Told {
    fn from(error: &rustls::Error) -> Self {
        use CertificateError as Bad;
        let id = match error {
            rustls::Error::InvalidCertificate(bad) => match bad {
                Bad::Expired | Bad::ExpiredContext { .. } => "certificate-expired",
                Bad::NotValidYet | Bad::NotValidYetContext { .. } => "certificate-not-yet",
                Bad::BadEncoding => "pem-damaged",
                Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => "certificate-purpose",
                Bad::UnknownIssuer => "certificate-issuer",
                Bad::BadSignature => "signature-wrong",
                Bad::Revoked => "certificate-revoked",
                Bad::NotValidForName | Bad::NotValidForNameContext { .. } => "certificate-name",
                _ => "certificate-unfit",
            },
            rustls::Error::InconsistentKeys(_) => "certificate-key",
            _ => "certificate-unfit",
        };
        words(id, &[("said", error.to_string().into())], error)
    }
}

/// Where a JSON file is not what it should be, without what stands there.
impl From<&serde_json::Error> for Told {
    fn from(error: &serde_json::Error) -> Self {
        Self::of("json-place", &[("line", error.line().into()), ("column", error.column().into())])
    }
}

#[cfg(test)]
mod tests {
    use exchange_format::{card::Card, participant::ParticipantCode, signature::SigningKey};
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

    use super::*;

    /// A cause is told in Russian: English stands in brackets only, or is a name of the format.
    fn is_russian(cause: &Told) {
        let ru = cause.in_lang(Lang::Ru);
        let (before, _) = ru.split_once('(').unwrap_or((ru, ""));
        assert!(before.chars().any(|c| ('а'..='я').contains(&c)), "{ru}");
        for word in before.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 4) {
            assert!(["Ed25519", "signing", "valid", "until", "tls"].contains(&word), "{word}: {ru}");
        }
        assert!(!cause.to_string().contains(|c: char| ('а'..='я').contains(&c)), "{cause}");
    }

    #[test]
    fn what_is_wrong_with_a_card_or_a_key_is_told_in_russian() {
        for bad in ["", "svod.exchange/card/v1\n", "svod.exchange/card/v1\ncode: 4200019\n\n— a b\n"] {
            is_russian(&(&Card::from_bytes(bad.as_bytes()).expect_err("no card")).into());
        }
        let [code, key] = [1, 2].map(|unit| ParticipantCode::new(42, unit));
        let problem = exchange_format::answer::Text { ru: "дата", en: "a date" };
        for error in [
            CardError::Line { line: 2, expected: "code: " },
            CardError::OtherKey { code, key },
            CardError::Value { field: "valid_until", problem },
            CardError::Signature(SignatureError::Wrong),
            CardError::Signature(SignatureError::OtherText { line: 3 }),
            CardError::Signature(SignatureError::OtherKey { found: "a+1".into(), expected: "a+2".into() }),
            CardError::Key(KeyError::Unusable),
            CardError::Key(KeyError::Number { found: "1".into(), expected: "2".into() }),
        ] {
            is_russian(&(&error).into());
        }
        is_russian(&(&"nonsense".parse::<SigningKey>().expect_err("no key")).into());
        is_russian(&(&"nonsense".parse::<exchange_format::seal::Identity>().expect_err("no key")).into());
    }

    #[test]
    fn what_is_wrong_with_a_certificate_or_a_file_is_told_in_russian() {
        is_russian(&(&CertificateDer::from_pem_slice(b"nonsense").expect_err("none")).into());
        is_russian(
            &(&PrivateKeyDer::from_pem_slice(b"-----BEGIN PRIVATE KEY-----\n#").expect_err("none")).into(),
        );
        for bad in [
            CertificateError::Expired,
            CertificateError::NotValidYet,
            CertificateError::UnknownIssuer,
            CertificateError::InvalidPurpose,
            CertificateError::UnhandledCriticalExtension,
        ] {
            is_russian(&(&rustls::Error::InvalidCertificate(bad)).into());
        }
        let json = serde_json::from_str::<u8>("\"тайна\"").expect_err("no number");
        is_russian(&(&json).into());
        assert!(!Told::from(&json).to_string().contains("тайна"), "what stands there is not repeated");
    }
}
