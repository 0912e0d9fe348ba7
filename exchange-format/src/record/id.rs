//! Record ids: 128 random bits given once and for ever, never a row's own key.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The id of a record, unique in the whole exchange. Written as a lower-case hyphenated UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(Uuid);

/// The text is not a record id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a record id (a lower-case UUID with hyphens)")]
pub struct RecordIdError;

impl RecordId {
    /// A new version 4 UUID of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl FromStr for RecordId {
    type Err = RecordIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 36 || text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(RecordIdError);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| RecordIdError)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
