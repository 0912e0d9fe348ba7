//! What a packet says of itself (FORMAT.md §Manifest). The manifest is what is signed; its SHA-256 is the
//! packet's identity.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};

use crate::{
    file_name::{DigestPrefix, FileName, PacketKind},
    participant::ParticipantCode,
    position::{Digest, Mark, Position},
    signature,
    state_digest::StateDigest,
    stream::{Control, Part, SnapshotReason},
};

pub use super::member_name::MemberName;
use super::{Limits, manifest_xml};

/// The signed description of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Everything but the members.
    pub header: Header,
    /// What the packet holds, in the order of the ZIP.
    pub members: Vec<Member>,
}

/// What the sender decides about a packet; the writer adds the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The version of the format that it is written in.
    pub format: u16,
    /// The highest version that its writer reads; a peer writes no higher one.
    pub reads: u16,
    /// What it is for; gives the kind.
    pub purpose: Purpose,
    /// The receiver.
    pub to: ParticipantCode,
    /// The sender.
    pub from: ParticipantCode,
    /// Its own position, or for KV and PR that of the packet answered, for RQ that of what is asked for.
    pub position: Position,
    /// UTC date of sealing; stands in the name; advisory.
    pub date: Date,
    /// SHA-256 of the previous manifest of this stream; `None` for a stream's first and for answers.
    pub previous: Option<Digest>,
    /// When it was made; whole seconds are kept.
    pub created_at: Timestamp,
    /// The program that made it, with version: 1–100 printable ASCII characters.
    pub producer: String,
    /// 16 random bytes: two packets made alike at two machines still differ.
    pub nonce: Nonce,
    /// What the sender holds of both streams.
    pub control: Control,
    /// Sum over the records this stream has carried (exchange §4); in a snapshot only part n bears it.
    pub state_digest: Option<StateDigest>,
    /// Evidence of the journals.
    pub log: LogEvidence,
}

/// What a packet is for, with what only that kind has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// DT.
    Data,
    /// SN.
    Snapshot(SnapshotPart),
    /// KY.
    Keys,
    /// KV: the packet at this position with this digest has been received.
    Receipt {
        /// Full digest of what is answered; another digest clears nothing.
        answered: Digest,
    },
    /// PR: what became of that packet.
    Protocol {
        /// Full digest of what is answered; another digest clears nothing.
        answered: Digest,
        /// From 1; of two the higher counts.
        revision: u32,
    },
    /// RQ.
    Request,
}

/// Which part of which snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPart {
    /// Why it is sent, and on what it rests.
    pub basis: SnapshotBasis,
    /// Sent while recovering: the receiver takes only the mirror from it.
    pub unconfirmed: bool,
    /// Part k of n.
    pub part: Part,
}

/// Why a snapshot is sent, and on what it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotBasis {
    /// It opens an epoch.
    Initial,
    /// It answers an RQ.
    Requested {
        /// The RQ's random id: the nonce of its manifest.
        request: Nonce,
    },
    /// It ends a recovery.
    Recovered {
        /// Digest of the peer's snapshot that it was compared with.
        compared: Digest,
    },
}

/// Journal evidence, carried as opaque text; line breaks but no other control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogEvidence {
    /// The sender's checkpoint.
    pub checkpoint: Option<String>,
    /// Proof that it extends the one the peer cosigned last.
    pub proof: Option<String>,
    /// Cosignature on the peer's checkpoint.
    pub cosignature: Option<String>,
}

/// 16 random bytes, written as 32 lower-case hexadecimal digits. That of an RQ is the id of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 16]);

/// One member of the ZIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name in the ZIP.
    pub name: MemberName,
    /// Records, or lines of an answer.
    pub count: u64,
    /// Bytes when unpacked.
    pub size: u64,
    /// SHA-256 of the unpacked bytes.
    pub sha256: Digest,
    /// SHA-256 of the bytes as packed in the ZIP. With it no byte of the ZIP is left unsigned (deflate can
    /// say one thing in many ways), and nothing is unpacked that is not the sender's.
    pub packed_sha256: Digest,
    /// ГОСТ Р 34.11-2012 (256 bits, RFC 6986) of the unpacked bytes, where the sender is configured so.
    pub streebog256: Option<Digest>,
}

/// Why `manifest.xml` is not accepted. Offsets are bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not UTF-8 (UTF-16, Windows-1251 …).
    #[error("not UTF-8 at byte {at}")]
    Encoding {
        /// Where.
        at: usize,
    },
    /// The first line is not the one XML declaration.
    #[error(r#"the first line is not <?xml version="1.0" encoding="UTF-8"?>"#)]
    Declaration,
    /// Not well-formed XML with one outermost element.
    #[error("not well-formed XML at byte {at}")]
    NotWellFormed {
        /// Where.
        at: usize,
    },
    /// XML that the format does not have.
    #[error("{what} at byte {at}: the format has none")]
    Forbidden {
        /// Which construct.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// A reference to an entity other than the five of XML.
    #[error("a reference at byte {at} to an entity other than the five of XML, or to no character")]
    Entity {
        /// Where.
        at: usize,
    },
    /// An attribute without quotes, or twice.
    #[error("an attribute at byte {at} is malformed or given twice")]
    Attribute {
        /// Where.
        at: usize,
    },
    /// Elements in too many levels.
    #[error("more than {limit} levels of elements at byte {at}")]
    Depth {
        /// Where.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// A text, or the list of attributes, is over the limit.
    #[error("a text or a list of attributes is over the limit at byte {at}")]
    TooLong {
        /// Where.
        at: usize,
    },
    /// Written in a newer version of the format than its reader reads.
    #[error("written in version {format} of the format, and {highest} is the highest that is read here")]
    TooNew {
        /// The version.
        format: u16,
        /// The reader's highest.
        highest: u16,
    },
    /// A required element or attribute is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An element or attribute that version 1 of the format does not have.
    #[error("{0:?} is unknown in this version of the format")]
    Unknown(String),
    /// A value that its field cannot have.
    #[error("{field} has a value that it cannot have")]
    Value {
        /// The field.
        field: &'static str,
    },
    /// A field that this kind of packet does not have, or lacks.
    #[error("{field} does not go with a packet of kind {kind}")]
    Kind {
        /// The field.
        field: &'static str,
        /// The kind.
        kind: PacketKind,
    },
    /// Well-formed, but not the canonical bytes of what it says.
    #[error("not in canonical form at byte {at}")]
    NotCanonical {
        /// The first byte that differs.
        at: usize,
    },
}

impl SnapshotBasis {
    /// The reason alone.
    pub fn reason(&self) -> SnapshotReason {
        match self {
            Self::Initial => SnapshotReason::Initial,
            Self::Requested { .. } => SnapshotReason::Requested,
            Self::Recovered { .. } => SnapshotReason::Recovered,
        }
    }
}

impl Purpose {
    /// The kind that stands in the name.
    pub fn kind(&self) -> PacketKind {
        match self {
            Self::Data => PacketKind::Data,
            Self::Snapshot(_) => PacketKind::Snapshot,
            Self::Keys => PacketKind::Keys,
            Self::Receipt { .. } => PacketKind::Receipt,
            Self::Protocol { .. } => PacketKind::Protocol,
            Self::Request => PacketKind::Request,
        }
    }
}

impl Header {
    /// The kind that stands in the name.
    pub fn kind(&self) -> PacketKind {
        self.purpose.kind()
    }

    /// For KV and PR: the packet answered, beyond doubt.
    pub fn answered(&self) -> Option<Mark> {
        match self.purpose {
            Purpose::Receipt { answered } | Purpose::Protocol { answered, .. } => {
                Some(Mark { position: self.position, digest: answered })
            }
            _ => None,
        }
    }

    /// The name of the packet whose manifest has `digest`.
    pub fn file_name(&self, digest: &Digest, sealed: bool) -> FileName {
        FileName {
            kind: self.kind(),
            to: self.to,
            from: self.from,
            position: self.position,
            date: self.date,
            digest_prefix: DigestPrefix::of(digest),
            sealed,
        }
    }

    /// What `manifest.sig` is signed over, for a manifest with `digest`.
    pub fn signed_text(&self, digest: &Digest) -> String {
        signature::manifest_text(&self.file_name(digest, false).stem(), digest)
    }
}

/// Whether what is written in version `format` can be read by somebody who reads up to `highest`: asked by a reader of
/// what it was sent. A writer of version 1 need not ask, as nobody's `reads` is less; one of a later version asks of what
/// its peer has said, before it writes.
pub fn check_readable_by(format: u16, highest: u16) -> Result<(), ManifestError> {
    if format > highest { Err(ManifestError::TooNew { format, highest }) } else { Ok(()) }
}

impl Manifest {
    /// The canonical bytes of `manifest.xml`.
    ///
    /// # Errors
    /// If a field has a value that cannot be written; the same checks as when reading.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        self.check()?;
        Ok(manifest_xml::write(self))
    }

    /// Reads `manifest.xml`. Bytes of this version must be canonical; of a newer version, what is unknown is
    /// passed over.
    pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<Self, ManifestError> {
        let manifest = manifest_xml::read(bytes, limits)?;
        manifest.check()?;
        if manifest.header.format <= super::FORMAT {
            let canonical = manifest_xml::write(&manifest);
            if canonical != bytes {
                let at = canonical.iter().zip(bytes).take_while(|(a, b)| a == b).count();
                return Err(ManifestError::NotCanonical { at });
            }
        }
        Ok(manifest)
    }

    /// The entry of a member.
    pub fn member(&self, name: &MemberName) -> Option<&Member> {
        self.members.iter().find(|member| member.name == *name)
    }

    /// What the types do not already forbid.
    fn check(&self) -> Result<(), ManifestError> {
        let header = &self.header;
        let kind = header.kind();
        let value = |good: bool, field| if good { Ok(()) } else { Err(ManifestError::Value { field }) };
        value(header.format >= 1, "format")?;
        value(header.reads >= header.format, "reads")?;
        let printable = header.producer.bytes().all(|b| (b' '..=b'~').contains(&b));
        value(printable && (1..=100).contains(&header.producer.len()), "producer")?;
        value((0..=9999).contains(&header.date.year()), "date")?;
        value(header.created_at.as_second() >= 0, "created_at")?;
        if let Purpose::Protocol { revision, .. } = header.purpose {
            value(revision >= 1, "revision")?;
        }
        if header.previous.is_some() && !kind.is_numbered() {
            return Err(ManifestError::Kind { field: "previous", kind });
        }
        if let Purpose::Snapshot(SnapshotPart { part, .. }) = &header.purpose {
            value(header.state_digest.is_none() || part.k() == part.n(), "state_digest")?;
        }
        let log = &header.log;
        for (text, field) in
            [(&log.checkpoint, "checkpoint"), (&log.proof, "proof"), (&log.cosignature, "cosignature")]
        {
            value(text.as_deref().is_none_or(is_log_text), field)?;
        }
        self.check_members(kind)
    }

    fn check_members(&self, kind: PacketKind) -> Result<(), ManifestError> {
        let one = matches!(kind, PacketKind::Keys) || !kind.is_numbered();
        if one && self.members.len() != 1 {
            return Err(ManifestError::Kind { field: "number of members", kind });
        }
        for (at, member) in self.members.iter().enumerate() {
            if !self.may_have(&member.name) {
                return Err(ManifestError::Kind { field: "member", kind });
            }
            if self.members[..at].iter().any(|earlier| earlier.name == member.name) {
                return Err(ManifestError::Value { field: "member name" });
            }
        }
        let places: Vec<(u8, Option<usize>)> =
            self.members.iter().map(|member| member.name.place()).collect();
        let known = places.iter().filter(|(_, place)| place.is_some());
        let in_order = places.is_sorted_by_key(|(part, _)| *part) && known.is_sorted();
        if in_order { Ok(()) } else { Err(ManifestError::Value { field: "order of the members" }) }
    }

    fn may_have(&self, member: &MemberName) -> bool {
        match (&self.header.purpose, member) {
            (Purpose::Keys, member) => *member == MemberName::Card,
            (Purpose::Data | Purpose::Snapshot(_), MemberName::Records(_)) => true,
            (Purpose::Snapshot(part), MemberName::Mirror(_)) => {
                matches!(part.basis, SnapshotBasis::Requested { .. })
            }
            (purpose, member) => !purpose.kind().is_numbered() && *member == MemberName::Answer,
        }
    }
}

/// Not empty, and no characters that XML 1.0 cannot carry unchanged.
fn is_log_text(text: &str) -> bool {
    let good = |c: char| c == '\n' || (!c.is_control() && c != '\u{fffe}' && c != '\u{ffff}');
    !text.is_empty() && text.chars().all(good)
}

impl FromStr for Nonce {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ())?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
