//! A record with its envelope, as it stands on a line of a packet's member (FORMAT.md §Members).
//!
//! `<record key="…" version="3" form="live" sig="…">BODY</record>`; a member has one record a line, so that
//! reading needs memory for one record, and the hash of a body is that of the bytes between the tags.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Body, BodyError, Kind, RecordId};
use crate::{position::Digest, state_digest::StateDigest};

/// The form in which a record's version is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// It stands.
    Live,
    /// It has left the receiver's scope; what it last said stays, frozen. May become live again.
    Withdrawn,
    /// It is gone for ever; only its owner may say so. Bears no body.
    Tombstone,
}

impl Form {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Withdrawn => "withdrawn",
            Self::Tombstone => "tombstone",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Form {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        [Self::Live, Self::Withdrawn, Self::Tombstone]
            .into_iter()
            .find(|form| form.name() == text)
            .ok_or(LineError::Attribute("form"))
    }
}

/// The 64 bytes of the hub's Ed25519 signature over one publication.
pub type SignatureBytes = [u8; 64];

/// One version of a record. The bytes of the body are kept as received: its hash is over them.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is about.
    pub kind: Kind,
    /// Its id, with the kind and the sender's code its key.
    pub key: RecordId,
    /// Counts from 1 in its stream.
    pub version: u32,
    /// Its form.
    pub form: Form,
    /// The bytes of the body; empty for a tombstone.
    pub body: Vec<u8>,
    /// The hub's signature, on publications.
    pub signature: Option<SignatureBytes>,
}

/// Why a line is not a record. Never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not `<record …>…</record>`.
    #[error("the line is not <record …>…</record>")]
    Envelope,
    /// An attribute is absent, out of order or malformed.
    #[error("the attribute {0} is absent, out of order or malformed")]
    Attribute(&'static str),
    /// A tombstone with a body, or another form without.
    #[error("a tombstone has no body, and everything else has one")]
    BodyAndForm,
    /// The body.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl Record {
    /// A live record that says `body`.
    pub fn live(key: RecordId, version: u32, body: &Body) -> Self {
        let (kind, body) = (body.kind(), body.to_xml());
        Self { kind, key, version, form: Form::Live, body, signature: None }
    }

    /// The end of a record.
    pub fn tombstone(kind: Kind, key: RecordId, version: u32) -> Self {
        Self { kind, key, version, form: Form::Tombstone, body: Vec::new(), signature: None }
    }

    /// SHA-256 of the body's bytes.
    pub fn hash(&self) -> Digest {
        Digest::of(&self.body)
    }

    /// What this record, with `hash` of its body, contributes to the state digest; nothing if a tombstone.
    pub fn term(&self, hash: &Digest) -> Option<Digest> {
        (self.form != Form::Tombstone)
            .then(|| StateDigest::term(self.kind, self.key, self.version, self.form, hash))
    }

    /// The values of the body.
    ///
    /// # Errors
    /// The bytes are not a canonical body. A tombstone has none: [`BodyError::Syntax`].
    pub fn read_body(&self) -> Result<Body, BodyError> {
        Body::from_xml(self.kind, &self.body)
    }

    /// Appends the line, without its line end.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        let Self { key, version, form, .. } = self;
        out.extend_from_slice(
            format!("<record key=\"{key}\" version=\"{version}\" form=\"{form}\"").as_bytes(),
        );
        if let Some(signature) = &self.signature {
            out.extend_from_slice(format!(" sig=\"{}\"", STANDARD.encode(signature)).as_bytes());
        }
        out.push(b'>');
        out.extend_from_slice(&self.body);
        out.extend_from_slice(b"</record>");
    }

    /// Reads a line of the member of `kind`, without its line end. The body is not looked into.
    ///
    /// # Errors
    /// Anything but a line as [`Record::write_line`] writes it; a body that is not UTF-8 is the body's fault.
    pub fn parse_line(kind: Kind, line: &[u8]) -> Result<Self, LineError> {
        match Self::read_line(kind, line)? {
            (record, None) => Ok(record),
            (_, Some(flaw)) => Err(flaw),
        }
    }

    /// Reads a line for one who must answer for each of a packet's records: a line whose key, version and form
    /// can be read is a record, and is refused alone for the flaw told beside it. A signature that cannot be
    /// read is none.
    ///
    /// # Errors
    /// No record can be told: the packet that has the line is malformed.
    pub fn read_line(kind: Kind, line: &[u8]) -> Result<(Self, Option<LineError>), LineError> {
        let inner = line
            .strip_prefix(b"<record ")
            .and_then(|rest| rest.strip_suffix(b"</record>"))
            .ok_or(LineError::Envelope)?;
        let end = inner.iter().position(|byte| *byte == b'>').ok_or(LineError::Envelope)?;
        let tag = std::str::from_utf8(&inner[..end]).map_err(|_| LineError::Envelope)?;
        let body = inner[end + 1..].to_vec();
        let mut attributes = Attributes(tag);
        let key = attributes.take("key")?.parse().map_err(|_| LineError::Attribute("key"))?;
        let version = parse_version(attributes.take("version")?)?;
        let form = attributes.take("form")?.parse()?;
        let (signature, mut flaw) = match attributes.signature() {
            Ok(signature) => (signature, None),
            Err(flaw) => (None, Some(flaw)),
        };
        if (form == Form::Tombstone) != body.is_empty() {
            flaw = flaw.or(Some(LineError::BodyAndForm));
        }
        Ok((Self { kind, key, version, form, body, signature }, flaw))
    }
}

impl LineError {
    /// The last word of the rule by which a record is refused alone for this flaw of its line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::BodyAndForm => "body",
            Self::Envelope | Self::Attribute(_) | Self::Body(_) => "sig",
        }
    }
}

/// What is left of a tag: `name="value" name="value"`.
struct Attributes<'a>(&'a str);

impl<'a> Attributes<'a> {
    fn take(&mut self, name: &'static str) -> Result<&'a str, LineError> {
        let value = self.0.strip_prefix(name).and_then(|rest| rest.strip_prefix("=\""));
        let (value, rest) = value.and_then(|rest| rest.split_once('"')).ok_or(LineError::Attribute(name))?;
        self.0 = rest.strip_prefix(' ').unwrap_or(rest);
        Ok(value)
    }

    /// What may follow the form, and nothing after it.
    fn signature(&mut self) -> Result<Option<SignatureBytes>, LineError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let signature = parse_signature(self.take("sig")?)?;
        if self.0.is_empty() { Ok(Some(signature)) } else { Err(LineError::Envelope) }
    }
}

fn parse_version(text: &str) -> Result<u32, LineError> {
    let plain = !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| plain).ok_or(LineError::Attribute("version"))
}

fn parse_signature(text: &str) -> Result<SignatureBytes, LineError> {
    let bytes = STANDARD.decode(text).map_err(|_| LineError::Attribute("sig"))?;
    bytes.try_into().map_err(|_| LineError::Attribute("sig"))
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} v{} {} [{} bytes]", self.kind, self.key, self.version, self.form, self.body.len())
    }
}
