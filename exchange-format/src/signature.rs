//! Ed25519 keys of participants and what they sign: the manifest of a packet, a card, a published record.
//!
//! Manifests and cards bear a [C2SP signed note](https://c2sp.org/signed-note). The key's name is
//! `svod.exchange/<participant code>`, the key's number is the one that C2SP recommends: the first four
//! bytes of SHA-256(name, LF, 0x01, public key). Keys are written as C2SP verifier and signer keys.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::Signer as _;
use signed_note::Note;

use crate::{
    participant::{ParticipantCode, ParticipantCodeError},
    position::Digest,
    record::{Form, Kind, Record, RecordId, SignatureBytes},
};

/// What stands before the participant code in a key's name.
pub const KEY_NAME_PREFIX: &str = "svod.exchange/";

/// The first line of what `manifest.sig` is signed over.
pub const MANIFEST_CONTEXT: &str = "svod.exchange/manifest/v1";

/// The first line of what a record's signature is made over.
pub const RECORD_CONTEXT: &str = "svod.exchange/record/v1";

/// A signature with its key's number and name takes far less.
const NOTE_BYTES: usize = 16 * 1024;
const ED25519: u8 = 1;

/// A participant's private signing key. It is wiped from memory when dropped, and prints `[redacted]`.
#[derive(Clone)]
pub struct SigningKey {
    code: ParticipantCode,
    name: String,
    key: ed25519_dalek::SigningKey,
}

/// A participant's public signing key.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    code: ParticipantCode,
    key: ed25519_dalek::VerifyingKey,
}

/// Why a text is not a key. The text itself is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form `[PRIVATE+KEY+]svod.exchange/<code>+<number>+<base64>`.
    #[error("not a C2SP key of the form {form}")]
    Form {
        /// The form expected.
        form: &'static str,
    },
    /// The participant code in the key's name.
    #[error("the key's name: {0}")]
    Participant(#[from] ParticipantCodeError),
    /// The key's number is not that of its name and bytes.
    #[error("the key's number {found} should be {expected}: a character was mistyped or lost")]
    Number {
        /// As it stands.
        found: String,
        /// As computed.
        expected: String,
    },
    /// Not an Ed25519 public key, or one of small order.
    #[error("not a usable Ed25519 key")]
    Unusable,
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a signed note with one signature.
    #[error("not a signed note with exactly one signature")]
    NotANote,
    /// The signed text is another one: another packet's signature, or another name or manifest.
    #[error("it signs another text (line {line} differs)")]
    OtherText {
        /// The first line that differs, from 1.
        line: usize,
    },
    /// Made by another key than the one known of the participant.
    #[error("made by key {found}, known is {expected}")]
    OtherKey {
        /// Name and number in the note.
        found: String,
        /// Name and number of the key known.
        expected: String,
    },
    /// The right key's name and number, but the signature is not its.
    #[error("the signature does not hold")]
    Wrong,
}

impl SigningKey {
    /// The key of `code` made from 32 random bytes.
    pub fn from_seed(code: ParticipantCode, seed: &[u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        Self { code, name: key_name(code), key }
    }

    /// Whose it is.
    pub fn participant(&self) -> ParticipantCode {
        self.code
    }

    /// Its public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { code: self.code, key: self.key.verifying_key() }
    }

    /// The text of a key file: `PRIVATE+KEY+<name>+<number>+<base64>`. Secret.
    pub fn to_secret_text(&self) -> String {
        let secret = [&[ED25519][..], &self.key.to_bytes()].concat();
        format!("PRIVATE+KEY+{}+{:08x}+{}", self.name, self.verifying_key().number(), BASE64.encode(secret))
    }

    /// The signed note over `text`, which ends in a line break and has no other control characters.
    pub fn sign_text(&self, text: &str) -> Vec<u8> {
        let mut note = Note::new(text.as_bytes(), &[]).expect("the text ends in LF, no control characters");
        note.add_sigs(&[self]).expect("the key's name is valid");
        note.to_bytes()
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let form = KeyError::Form { form: "PRIVATE+KEY+svod.exchange/<code>+<number>+<base64>" };
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or_else(|| form.clone())?;
        let (code, number, bytes) = split_key(rest, form)?;
        let key = Self::from_seed(code, &bytes);
        check_number(&number, &key.verifying_key())?;
        Ok(key)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} [redacted])", self.name)
    }
}

impl signed_note::Signer for SigningKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.verifying_key().number()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        self.key.try_sign(message).map(|signature| signature.to_vec())
    }
}

impl VerifyingKey {
    /// Whose it is.
    pub fn participant(&self) -> ParticipantCode {
        self.code
    }

    /// Its number by C2SP: four bytes that tell a participant's keys apart.
    pub fn number(&self) -> u32 {
        signed_note::key_id(&key_name(self.code), &[&[ED25519][..], self.key.as_bytes()].concat())
    }

    /// Checks a signed note over exactly `text`, with exactly one signature, in its only encoding.
    pub fn verify_text(&self, text: &str, note: &[u8]) -> Result<(), SignatureError> {
        if note.len() > text.len() + NOTE_BYTES {
            return Err(SignatureError::NotANote);
        }
        let (signed, signature) = split_note(note)?;
        if signed != text {
            let line = signed.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
            return Err(SignatureError::OtherText { line });
        }
        let expected = format!("{}+{:08x}", key_name(self.code), self.number());
        let found = format!("{}+{:08x}", signature.name(), signature.id());
        if found != expected {
            return Err(SignatureError::OtherKey { found, expected });
        }
        self.verify(text.as_bytes(), signature.signature())
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| SignatureError::Wrong)?;
        self.key.verify_strict(text, &signature).map_err(|_| SignatureError::Wrong)
    }
}

/// As a C2SP verifier key: `<name>+<number>+<base64>`.
impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&signed_note::new_ed25519_verifier_key(&key_name(self.code), &self.key))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let form = KeyError::Form { form: "svod.exchange/<code>+<number>+<base64>" };
        let (code, number, bytes) = split_key(text, form)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Unusable)?;
        if key.is_weak() {
            return Err(KeyError::Unusable);
        }
        let key = Self { code, key };
        check_number(&number, &key)?;
        Ok(key)
    }
}

/// What `manifest.sig` is signed over: three lines.
pub fn manifest_text(stem: &str, digest: &Digest) -> String {
    format!("{MANIFEST_CONTEXT}\n{stem}\n{digest}\n")
}

/// `manifest.sig`: the signed note over the packet's stem and its manifest's digest.
pub fn sign_note(key: &SigningKey, stem: &str, digest: &Digest) -> Vec<u8> {
    key.sign_text(&manifest_text(stem, digest))
}

/// Checks `manifest.sig`.
pub fn verify_note(
    key: &VerifyingKey,
    stem: &str,
    digest: &Digest,
    note: &[u8],
) -> Result<(), SignatureError> {
    key.verify_text(&manifest_text(stem, digest), note)
}

/// A published record as the hub signs it, so that a centre's rows can be checked one by one (exchange §8).
#[derive(Debug, Clone, Copy)]
pub struct RecordText<'a> {
    /// The centre it is published to.
    pub to: ParticipantCode,
    /// The record kind.
    pub kind: Kind,
    /// The record's key.
    pub key: RecordId,
    /// Its version in this stream.
    pub version: u32,
    /// Its form.
    pub form: Form,
    /// SHA-256 of its body.
    pub hash: &'a Digest,
}

impl<'a> RecordText<'a> {
    /// Of `record`, published to `to`; `hash` is that of its body.
    pub fn of(to: ParticipantCode, record: &Record, hash: &'a Digest) -> Self {
        let &Record { kind, key, version, form, .. } = record;
        Self { to, kind, key, version, form, hash }
    }

    fn to_text(self) -> String {
        let Self { to, kind, key, version, form, hash } = self;
        format!("{RECORD_CONTEXT}\n{to}\n{kind}\n{key}\n{version}\n{form}\n{hash}\n")
    }
}

/// The signature of a published record.
pub fn sign_record(key: &SigningKey, record: &RecordText<'_>) -> SignatureBytes {
    key.key.sign(record.to_text().as_bytes()).to_bytes()
}

/// Checks a published record's signature.
pub fn verify_record(
    key: &VerifyingKey,
    record: &RecordText<'_>,
    signature: &SignatureBytes,
) -> Result<(), SignatureError> {
    key.verify(record.to_text().as_bytes(), signature)
}

/// The text of a note and its one signature, if `note` is exactly what they are encoded to.
pub(crate) fn split_note(note: &[u8]) -> Result<(&str, signed_note::Signature), SignatureError> {
    let parsed = Note::from_bytes(note).map_err(|_| SignatureError::NotANote)?;
    if parsed.to_bytes() != note {
        return Err(SignatureError::NotANote);
    }
    let text = std::str::from_utf8(&note[..parsed.text().len()]).map_err(|_| SignatureError::NotANote)?;
    let mut lines = note[text.len() + 1..].split_inclusive(|byte| *byte == b'\n');
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(SignatureError::NotANote);
    };
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    signed_note::Signature::from_bytes(line)
        .map(|signature| (text, signature))
        .map_err(|_| SignatureError::NotANote)
}

fn key_name(code: ParticipantCode) -> String {
    format!("{KEY_NAME_PREFIX}{code}")
}

fn split_key(text: &str, form: KeyError) -> Result<(ParticipantCode, String, [u8; 32]), KeyError> {
    let parts = text.strip_prefix(KEY_NAME_PREFIX).and_then(|rest| {
        let (code, rest) = rest.split_once('+')?;
        let (number, data) = rest.split_once('+')?;
        let bytes = BASE64.decode(data).ok()?;
        let (&[ED25519], bytes) = bytes.split_at_checked(1)? else { return None };
        Some((code, number.to_owned(), <[u8; 32]>::try_from(bytes).ok()?))
    });
    let (code, number, bytes) = parts.ok_or(form)?;
    Ok((code.parse()?, number, bytes))
}

fn check_number(found: &str, key: &VerifyingKey) -> Result<(), KeyError> {
    let expected = format!("{:08x}", key.number());
    if found == expected { Ok(()) } else { Err(KeyError::Number { found: found.to_owned(), expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(unit: u16, seed: u8) -> SigningKey {
        SigningKey::from_seed(ParticipantCode::new(42, unit), &[seed; 32])
    }

    const STEM: &str = "SVOD1_DT_4200007_4200015_0001_00000001_20261121_0123456789ABCDEF";

    #[test]
    fn a_note_is_checked_by_its_key_and_text_only() {
        let (mine, digest) = (key(1, 1), Digest::of(b"manifest"));
        let public = mine.verifying_key();
        let note = sign_note(&mine, STEM, &digest);
        assert_eq!(verify_note(&public, STEM, &digest, &note), Ok(()));
        let other_stem = STEM.replace("_DT_", "_SN_");
        assert_eq!(
            verify_note(&public, &other_stem, &digest, &note),
            Err(SignatureError::OtherText { line: 2 })
        );
        assert_eq!(
            verify_note(&public, STEM, &Digest::of(b"other"), &note),
            Err(SignatureError::OtherText { line: 3 })
        );
        for other in [key(1, 2), key(2, 1)] {
            let result = verify_note(&other.verifying_key(), STEM, &digest, &note);
            assert!(matches!(result, Err(SignatureError::OtherKey { .. })), "{result:?}");
        }
    }

    #[test]
    fn a_note_has_one_encoding_and_one_signature() {
        let (mine, digest) = (key(1, 1), Digest::of(b"manifest"));
        let note = sign_note(&mine, STEM, &digest);
        for end in 0..note.len() {
            assert!(verify_note(&mine.verifying_key(), STEM, &digest, &note[..end]).is_err(), "cut at {end}");
        }
        let line = String::from_utf8(note.clone()).expect("UTF-8").lines().last().expect("a line").to_owned();
        let twice = [&note[..], line.as_bytes(), b"\n"].concat();
        assert_eq!(verify_note(&mine.verifying_key(), STEM, &digest, &twice), Err(SignatureError::NotANote));
    }

    #[test]
    fn a_forged_signature_under_the_right_number_does_not_hold() {
        let (mine, digest) = (key(1, 1), Digest::of(b"manifest"));
        let text = manifest_text(STEM, &digest);
        let forged = key(1, 2).key.sign(text.as_bytes()).to_vec();
        let name = key_name(ParticipantCode::new(42, 1));
        let line = signed_note::Signature::new(name, mine.verifying_key().number(), forged).expect("a name");
        let note = Note::new(text.as_bytes(), &[line]).expect("a text").to_bytes();
        assert_eq!(mine.verifying_key().verify_text(&text, &note), Err(SignatureError::Wrong));
    }

    #[test]
    fn an_independent_verifier_of_the_same_standard_agrees() {
        let mine = key(1, 1);
        let note = Note::from_bytes(&sign_note(&mine, STEM, &Digest::of(b"manifest"))).expect("a note");
        let verifier = signed_note::StandardVerifier::new(&mine.verifying_key().to_string()).expect("a key");
        let (good, unknown) =
            note.verify(&signed_note::VerifierList::new(vec![Box::new(verifier)])).expect("verified");
        assert_eq!((good.len(), unknown.len()), (1, 0));
    }

    #[test]
    fn keys_read_back_and_a_mistyped_one_is_told() {
        let mine = key(1, 1);
        let again: SigningKey = mine.to_secret_text().parse().expect("a key");
        assert_eq!(again.verifying_key(), mine.verifying_key());
        let public = mine.verifying_key().to_string();
        assert_eq!(public.parse(), Ok(mine.verifying_key()));
        let mistyped = public.replace("svod.exchange/4200018", "svod.exchange/4200026");
        assert_ne!(public, mistyped, "the code of unit 1");
        assert!(matches!(mistyped.parse::<VerifyingKey>(), Err(KeyError::Number { .. })));
        assert!(matches!("x".parse::<VerifyingKey>(), Err(KeyError::Form { .. })));
        assert!(matches!(public.parse::<SigningKey>(), Err(KeyError::Form { .. })));
        assert!(!format!("{mine:?}").contains(&BASE64.encode([1; 8])[..8]));
    }

    #[test]
    fn each_field_of_a_record_is_under_its_signature() {
        let (mine, hash, other_hash) = (key(0, 1), Digest::of(b"a"), Digest::of(b"b"));
        let to = ParticipantCode::new(42, 1);
        let id = |byte| RecordId::from_random([byte; 16]);
        let record =
            RecordText { to, kind: Kind::Person, key: id(1), version: 1, form: Form::Live, hash: &hash };
        let signature = sign_record(&mine, &record);
        let public = mine.verifying_key();
        assert_eq!(verify_record(&public, &record, &signature), Ok(()));
        let changed = [
            RecordText { to: ParticipantCode::new(42, 2), ..record },
            RecordText { kind: Kind::Link, ..record },
            RecordText { key: id(2), ..record },
            RecordText { version: 2, ..record },
            RecordText { form: Form::Withdrawn, ..record },
            RecordText { hash: &other_hash, ..record },
        ];
        for other in changed {
            assert_eq!(verify_record(&public, &other, &signature), Err(SignatureError::Wrong), "{other:?}");
        }
        assert_eq!(
            verify_record(&key(0, 2).verifying_key(), &record, &signature),
            Err(SignatureError::Wrong)
        );
    }
}
