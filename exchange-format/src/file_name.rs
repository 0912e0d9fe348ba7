//! A packet's file name (FORMAT.md §Names):
//! `SVOD1_<kind>_<to>_<from>_<epoch>_<seq>_<date>_<digest>.zip[.age]`.
//!
//! A name is a claim about the content; the manifest inside decides.

use std::{fmt, str::FromStr};

use jiff::civil::Date;

use crate::{
    participant::{ParticipantCode, ParticipantCodeError},
    position::{Digest, Epoch, Position, Seq},
};

/// What a packet is for; the second part of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketKind {
    /// `DT`: changed records; numbered.
    Data,
    /// `SN`: one part of a snapshot; numbered; opens an epoch.
    Snapshot,
    /// `KY`: new keys; numbered.
    Keys,
    /// `KV`: receipt; bears the numbers of what it answers.
    Receipt,
    /// `PR`: protocol, the outcome of each record; bears the numbers of what it answers.
    Protocol,
    /// `RQ`: re-request; bears the numbers of what it asks for.
    Request,
}

impl PacketKind {
    /// All kinds with their two letters.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Data, "DT"),
        (Self::Snapshot, "SN"),
        (Self::Keys, "KY"),
        (Self::Receipt, "KV"),
        (Self::Protocol, "PR"),
        (Self::Request, "RQ"),
    ];

    /// The two letters.
    pub fn letters(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).expect("ALL lists every kind").1
    }

    /// Whether it takes a number of its own stream; otherwise it is an answer or a request.
    pub fn is_numbered(self) -> bool {
        matches!(self, Self::Data | Self::Snapshot | Self::Keys)
    }
}

impl fmt::Display for PacketKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letters())
    }
}

impl FromStr for PacketKind {
    type Err = FileNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .find(|(_, letters)| *letters == text)
            .map(|(kind, _)| *kind)
            .ok_or_else(|| FileNameError::Kind(text.chars().take(20).collect()))
    }
}

/// A well-formed packet name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    /// What it is for.
    pub kind: PacketKind,
    /// The receiver.
    pub to: ParticipantCode,
    /// The sender.
    pub from: ParticipantCode,
    /// Its own position, or for answers that of what is answered.
    pub position: Position,
    /// UTC date of sealing; advisory.
    pub date: Date,
    /// The first 16 upper-case hexadecimal digits of the manifest's SHA-256.
    pub digest_prefix: DigestPrefix,
    /// Whether the age envelope is around it (`.age`).
    pub sealed: bool,
}

/// The 16 digits of a manifest digest that a name bears.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestPrefix([u8; 16]);

impl DigestPrefix {
    /// The prefix of `digest`.
    pub fn of(digest: &Digest) -> Self {
        Self(digest.prefix().into_bytes().try_into().expect("16 digits"))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII")
    }
}

impl fmt::Debug for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not a packet name. No variant repeats more than the offending part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileNameError {
    /// Too long, or characters other than `A–Z 0–9 _ .` and the two suffixes.
    #[error("a packet name has only A–Z, 0–9, _ and the ending .zip or .zip.age, at most 80 characters")]
    Characters,
    /// The ending is not `.zip` or `.zip.age`.
    #[error("a packet name ends in .zip or .zip.age")]
    Ending,
    /// Not eight parts between underscores.
    #[error("a packet name has 8 parts between underscores, this has {0}")]
    Parts(usize),
    /// The first part is not `SVOD1`.
    #[error("the name begins with {0:?}, not SVOD1: not a packet of this exchange, or of a newer format")]
    Prefix(String),
    /// Unknown kind.
    #[error("{0:?} is no kind of packet (DT SN KY KV PR RQ)")]
    Kind(String),
    /// A bad participant code.
    #[error("{part}: {source}")]
    Participant {
        /// `to` or `from`.
        part: &'static str,
        /// What is wrong with it.
        source: ParticipantCodeError,
    },
    /// A number that is not of the fixed width, or out of range.
    #[error("{part} {value:?} is not {width} digits within 1 and the largest number")]
    Number {
        /// `epoch` or `seq`.
        part: &'static str,
        /// What stands there.
        value: String,
        /// Digits expected.
        width: usize,
    },
    /// Not a date `YYYYMMDD`.
    #[error("{0:?} is not a date YYYYMMDD")]
    Date(String),
    /// Not 16 upper-case hexadecimal digits.
    #[error("{0:?} is not 16 upper-case hexadecimal digits")]
    Digest(String),
}

impl FileName {
    /// The name without `.zip` and `.age`: what `manifest.sig` is signed over.
    pub fn stem(&self) -> String {
        format!(
            "SVOD1_{}_{}_{}_{:04}_{:08}_{:04}{:02}{:02}_{}",
            self.kind,
            self.to,
            self.from,
            self.position.epoch.get(),
            self.position.seq.get(),
            self.date.year(),
            self.date.month(),
            self.date.day(),
            self.digest_prefix.as_str(),
        )
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.zip{}", self.stem(), if self.sealed { ".age" } else { "" })
    }
}

impl FromStr for FileName {
    type Err = FileNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > 80 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.') {
            return Err(FileNameError::Characters);
        }
        let (stem, sealed) = match (text.strip_suffix(".zip.age"), text.strip_suffix(".zip")) {
            (Some(stem), _) => (stem, true),
            (None, Some(stem)) => (stem, false),
            (None, None) => return Err(FileNameError::Ending),
        };
        let parts: Vec<&str> = stem.split('_').collect();
        let [prefix, kind, to, from, epoch, seq, date, digest] = parts[..] else {
            return Err(FileNameError::Parts(parts.len()));
        };
        if prefix != "SVOD1" {
            return Err(FileNameError::Prefix(prefix.to_owned()));
        }
        Ok(Self {
            kind: kind.parse()?,
            to: participant("to", to)?,
            from: participant("from", from)?,
            position: Position {
                epoch: number("epoch", epoch, 4)
                    .and_then(|(value, error)| Epoch::new(value).or(Err(error)))?,
                seq: number("seq", seq, 8).and_then(|(value, error)| Seq::new(value).or(Err(error)))?,
            },
            date: parse_date(date)?,
            digest_prefix: parse_prefix(digest)?,
            sealed,
        })
    }
}

fn participant(part: &'static str, text: &str) -> Result<ParticipantCode, FileNameError> {
    text.parse().map_err(|source| FileNameError::Participant { part, source })
}

fn number(part: &'static str, text: &str, width: usize) -> Result<(u64, FileNameError), FileNameError> {
    let error = FileNameError::Number { part, value: text.to_owned(), width };
    if text.len() != width || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error);
    }
    text.parse().map(|value| (value, error.clone())).or(Err(error))
}

fn parse_date(text: &str) -> Result<Date, FileNameError> {
    let error = || FileNameError::Date(text.to_owned());
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error());
    }
    let part = |range: std::ops::Range<usize>| text[range].parse::<i16>().map_err(|_| error());
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let small = |value: i16| i8::try_from(value).map_err(|_| error());
    Date::new(year, small(month)?, small(day)?).map_err(|_| error())
}

fn parse_prefix(text: &str) -> Result<DigestPrefix, FileNameError> {
    let ok = |b: &u8| b.is_ascii_digit() || (b'A'..=b'F').contains(b);
    text.as_bytes()
        .try_into()
        .ok()
        .filter(|bytes: &[u8; 16]| bytes.iter().all(ok))
        .map(DigestPrefix)
        .ok_or_else(|| FileNameError::Digest(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "SVOD1_DT_4200007_4200015_0001_00000001_20261121_0123456789ABCDEF.zip.age";

    fn good() -> String {
        let (to, from) = (ParticipantCode::new(42, 0), ParticipantCode::new(42, 1));
        GOOD.replace("4200007", to.as_str()).replace("4200015", from.as_str())
    }

    #[test]
    fn a_name_reads_back() {
        for text in [good(), good().replace(".age", "")] {
            let name: FileName = text.parse().expect("a good name");
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn each_way_to_fail_is_told_apart() {
        let check = |from: &str, to: &str| good().replace(from, to).parse::<FileName>().expect_err(to);
        assert_eq!(check("SVOD1", "svod 1"), FileNameError::Characters);
        assert_eq!(check("SVOD1", "../SVOD1"), FileNameError::Characters);
        assert_eq!(check(".zip.age", ".rar"), FileNameError::Ending);
        assert_eq!(check("_DT", ""), FileNameError::Parts(7));
        assert_eq!(check("SVOD1", "SVOD2"), FileNameError::Prefix("SVOD2".into()));
        assert_eq!(check("DT", "dt"), FileNameError::Kind("dt".into()));
        assert!(matches!(check("_DT_42", "_DT_43"), FileNameError::Participant { part: "to", .. }));
        assert!(matches!(check("0001_", "0000_"), FileNameError::Number { part: "epoch", .. }));
        assert!(matches!(check("_00000001", "_0000001"), FileNameError::Number { part: "seq", .. }));
        assert_eq!(check("20261121", "20261131"), FileNameError::Date("20261131".into()));
        assert!(matches!(check("ABCDEF", "abcdef"), FileNameError::Digest(_)));
        assert!(matches!(check("ABCDEF", "ABCDE"), FileNameError::Digest(_)));
    }
}
