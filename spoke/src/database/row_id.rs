//! The id of a row as any program may have put it: this one reads text, and tells what is none by its bytes.

use std::fmt::{self, Write as _};

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};

use super::rows;

/// An id, or another short text of the database, whatever its bytes are. Reading one never fails.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowId {
    // orders as SQLite does: text before blobs
    is_blob: bool,
    bytes: Vec<u8>,
}

impl RowId {
    /// The id that `Display` tells as `told`, if it is told by its bytes: as text, and as a blob.
    pub fn by_bytes(told: &str) -> Option<[Self; 2]> {
        let hex = told.strip_prefix("x'")?.strip_suffix('\'')?;
        let byte = |at| hex.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect::<Option<_>>()?;
        Some([false, true].map(|is_blob| Self { is_blob, bytes: bytes.clone() }))
    }

    /// The text that it is; `None` if it cannot be read as one.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok().filter(|_| !self.is_blob)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As [`text`](Self::text).
    pub fn into_text(self) -> Option<String> {
        String::from_utf8(self.bytes).ok().filter(|_| !self.is_blob)
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.text() {
            return f.write_str(text);
        }
        f.write_str("x'")?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
        f.write_char('\'')
    }
}

impl FromSql for RowId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let (is_blob, bytes) = match value {
            ValueRef::Text(bytes) => (false, bytes.to_owned()),
            ValueRef::Blob(bytes) => (true, bytes.to_owned()),
            other => (false, rows::leniently(other).unwrap_or_default().into_bytes()),
        };
        Ok(Self { is_blob, bytes })
    }
}

impl ToSql for RowId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bytes = &self.bytes[..];
        Ok(ToSqlOutput::Borrowed(if self.is_blob { ValueRef::Blob(bytes) } else { ValueRef::Text(bytes) }))
    }
}
