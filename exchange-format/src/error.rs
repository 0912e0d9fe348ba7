//! Why a packet is not accepted: the errors of reading, and how they map to the closed list of reasons
//! (FORMAT.md §Reasons). Their fields are the evidence; none repeats personal data.

use std::io;

use crate::{
    answer::{AnswerError, MEMBER, PacketReason},
    file_name::FileNameError,
    packet::manifest::ManifestError,
    packet::zip::ZipProblem,
    participant::ParticipantCode,
    position::Digest,
    seal::OpenError,
    signature::SignatureError,
};

/// Why a packet was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// The file name is malformed.
    #[error("the name: {0}")]
    Name(#[from] FileNameError),
    /// The name says one thing and the signed manifest another.
    #[error("the name says {field} {name}, the manifest {manifest}")]
    NameMismatch {
        /// Which part of the name.
        field: &'static str,
        /// What the name says.
        name: String,
        /// What the manifest says.
        manifest: String,
    },
    /// The envelope cannot be opened.
    #[error("the envelope: {0}")]
    Open(#[from] OpenError),
    /// The ZIP is not as the format says.
    #[error("the ZIP, at byte {at}: {problem}")]
    Zip {
        /// Byte offset in the ZIP.
        at: u64,
        /// What is wrong there.
        problem: ZipProblem,
    },
    /// `manifest.xml` is not as the format says.
    #[error("manifest.xml: {0}")]
    Manifest(#[from] ManifestError),
    /// `manifest.sig` does not hold.
    #[error("manifest.sig: {0}")]
    Signature(#[from] SignatureError),
    /// No key is known of the participant who is said to have sent it.
    #[error("no signing key of participant {from} is known")]
    UnknownKey {
        /// The sender.
        from: ParticipantCode,
    },
    /// The members are not those of the manifest, one for one, in its order.
    #[error("member {place} of the ZIP is {}, of the manifest {}", member(found.as_deref()), member(expected.as_deref()))]
    MemberList {
        /// From 1.
        place: usize,
        /// What the manifest calls for; `None` past its end.
        expected: Option<String>,
        /// What the ZIP has.
        found: Option<String>,
    },
    /// A member's size or number of lines is not that of the manifest.
    #[error("{member}: {what} is {found}, the manifest says {expected}")]
    MemberFigure {
        /// Its name.
        member: String,
        /// `size` in bytes or `count` in lines.
        what: &'static str,
        /// What the manifest says.
        expected: u64,
        /// What was found; where reading stopped early, at least this.
        found: u64,
    },
    /// A member's bytes are not those that the manifest gives the digest of.
    #[error("{member}: its {what} is {found}, the manifest says {expected}")]
    MemberDigest {
        /// Its name.
        member: String,
        /// Which hash: SHA-256 or Streebog-256 of the unpacked bytes, SHA-256 of the packed ones.
        what: &'static str,
        /// What the manifest says.
        expected: Digest,
        /// What was found.
        found: Digest,
    },
    /// A line is not as the format says.
    #[error("{member}, line {line}: {problem}")]
    Line {
        /// Name of the member.
        member: String,
        /// Line of the file, from 1.
        line: u64,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The card of a KY, or what it changes.
    #[error("{member}: {0}", member = crate::packet::MemberName::Card)]
    Keys(#[from] crate::keys::KeysError),
    /// The manifest lists no such member.
    #[error("the packet has no member {0}")]
    NoMember(String),
    /// A limit is exceeded.
    #[error("{what}: {found}, and the limit is {limit}")]
    Oversize {
        /// What is limited, and in which unit.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What was found; where reading stopped early, at least this.
        found: u64,
    },
    /// This machine's own reading or writing failed: nothing is said about the packet; try again.
    #[error("reading the packet: {0}")]
    Io(#[from] io::Error),
}

impl From<AnswerError> for PacketError {
    fn from(error: AnswerError) -> Self {
        let line = |line, problem| Self::Line { member: MEMBER.to_owned(), line, problem };
        match error {
            AnswerError::Io(error) => Self::Io(error),
            AnswerError::Line { line: at, what } => line(at, what),
            AnswerError::TooMany(limit) => {
                Self::Oversize { what: "lines of an answer", limit, found: limit + 1 }
            }
            AnswerError::Counts => line(2, "its counts, its records and its outcome disagree"),
        }
    }
}

impl PacketError {
    /// The reason of the closed list, or `None` if this machine and not the packet is at fault.
    pub fn reason(&self) -> Option<PacketReason> {
        Some(match self {
            Self::Name(_) => PacketReason::BadName,
            Self::NameMismatch { field, .. } => match *field {
                "to" | "from" => PacketReason::Foreign,
                "digest" => PacketReason::BadDigest,
                _ => PacketReason::BadName,
            },
            Self::Open(OpenError::Io(_)) | Self::Io(_) => return None,
            Self::Open(OpenError::TooLarge { .. }) | Self::Oversize { .. } => PacketReason::Oversize,
            Self::Open(_) | Self::Zip { .. } => PacketReason::CannotOpen,
            Self::Manifest(_)
            | Self::MemberList { .. }
            | Self::Line { .. }
            | Self::NoMember(_)
            | Self::Keys(_) => PacketReason::Schema,
            Self::Signature(SignatureError::OtherKey { .. }) | Self::UnknownKey { .. } => {
                PacketReason::UnknownKey
            }
            Self::Signature(_) => PacketReason::BadSignature,
            Self::MemberFigure { .. } | Self::MemberDigest { .. } => PacketReason::BadDigest,
        })
    }
}

/// The name of a member, if there is one.
fn member(name: Option<&str>) -> &str {
    name.unwrap_or("none")
}
