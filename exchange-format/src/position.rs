//! Where a packet stands in its stream: epoch, number, digest (FORMAT.md §Streams).

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

/// A life of one direction of a stream: 1–9999. Every snapshot (SN) opens a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u16);

/// A packet's number inside its epoch: 1–99 999 999, contiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u32);

/// Epoch and number together. Positions of one stream are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The epoch.
    pub epoch: Epoch,
    /// The number inside it.
    pub seq: Seq,
}

/// A number outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value} is outside 1–{max}")]
pub struct OutOfRange {
    what: &'static str,
    value: u64,
    max: u64,
}

macro_rules! counter {
    ($name:ident, $inner:ty, $max:literal, $what:literal) => {
        impl $name {
            /// The first.
            pub const FIRST: Self = Self(1);
            /// The last that can be written in a name.
            pub const LAST: Self = Self($max);

            /// `value`, if it can be written in a name.
            pub fn new(value: u64) -> Result<Self, OutOfRange> {
                match <$inner>::try_from(value) {
                    Ok(inner) if (1..=$max).contains(&inner) => Ok(Self(inner)),
                    _ => Err(OutOfRange { what: $what, value, max: $max }),
                }
            }

            /// The plain number.
            pub fn get(self) -> $inner {
                self.0
            }

            /// The one after it; an error only when the range is used up.
            pub fn next(self) -> Result<Self, OutOfRange> {
                Self::new(u64::from(self.0) + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter!(Epoch, u16, 9_999, "epoch");
counter!(Seq, u32, 99_999_999, "packet number");

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.epoch, self.seq)
    }
}

/// A SHA-256 digest. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest (64 lower-case hexadecimal digits)")]
pub struct DigestError;

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 8 bytes as 16 upper-case hexadecimal digits: what a file name bears.
    pub fn prefix(&self) -> String {
        hex::encode_upper(&self.0[..8])
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(DigestError);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        hex::encode_to_slice(self.0, &mut text).expect("two digits a byte");
        f.write_str(str::from_utf8(&text).expect("digits"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A packet named beyond doubt: its position and the full digest of its manifest.
/// Two lives of a restored participant may share a position, never a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Where it stands.
    pub position: Position,
    /// SHA-256 of its `manifest.xml`.
    pub digest: Digest,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.position, self.digest.prefix())
    }
}
