//! Names of members: what a packet may hold (FORMAT.md §Members).

use std::{fmt, str::FromStr};

use crate::record::Kind;

/// The name of a member: `records/<kind>.xml` in numbered packets, and `mirror/<kind>.xml` in a snapshot that was requested;
/// `new.card` in a KY; `answer.xml` in answers and requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberName {
    /// The records of one kind; 1–40 characters of `a–z _`.
    Records(String),
    /// What the sender holds of the receiver's own records of one kind; outside the stream and its sum.
    Mirror(String),
    /// The card of the keys that come.
    Card,
    /// The body of an answer or request.
    Answer,
}

const CARD: &str = "new.card";
const ANSWER: &str = "answer.xml";

impl MemberName {
    /// The member that holds the records of `kind`; `None` if that cannot be a kind's name.
    pub fn records(kind: &str) -> Option<Self> {
        is_kind(kind).then(|| Self::Records(kind.to_owned()))
    }

    /// The member that mirrors the receiver's records of `kind`; `None` if that cannot be a kind's name.
    pub fn mirror(kind: &str) -> Option<Self> {
        is_kind(kind).then(|| Self::Mirror(kind.to_owned()))
    }

    /// The record kind, if it holds records of the stream.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Self::Records(kind) => Some(kind),
            Self::Mirror(_) | Self::Card | Self::Answer => None,
        }
    }

    /// The record kind, if it holds the receiver's own records.
    pub fn mirrored(&self) -> Option<&str> {
        match self {
            Self::Mirror(kind) => Some(kind),
            Self::Records(_) | Self::Card | Self::Answer => None,
        }
    }

    /// The kind that its frame names, if it is a list of records.
    pub(super) fn framed(&self) -> Option<&str> {
        self.kind().or(self.mirrored())
    }

    /// Where it stands among the members: the records, the mirror, each in the order of the kinds; a kind that this
    /// version does not know may stand anywhere among its own.
    pub(super) fn place(&self) -> (u8, Option<usize>) {
        let of = |kind: &str| Kind::ALL.iter().position(|one| one.name() == kind);
        match self {
            Self::Records(kind) => (0, of(kind)),
            Self::Mirror(kind) => (1, of(kind)),
            Self::Card | Self::Answer => (2, None),
        }
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records(kind) => write!(f, "records/{kind}.xml"),
            Self::Mirror(kind) => write!(f, "mirror/{kind}.xml"),
            Self::Card => f.write_str(CARD),
            Self::Answer => f.write_str(ANSWER),
        }
    }
}

fn is_kind(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

impl FromStr for MemberName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let name = match text {
            CARD => Some(Self::Card),
            ANSWER => Some(Self::Answer),
            _ => text.strip_suffix(".xml").and_then(|path| match path.split_once('/')? {
                ("records", kind) => Self::records(kind),
                ("mirror", kind) => Self::mirror(kind),
                _ => None,
            }),
        };
        name.ok_or(())
    }
}
