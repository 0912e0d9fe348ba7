//! Everything of one kind, page by page, for files.

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind, RecordId},
};
use rusqlite::params;

use super::{Result, Tx, parsed, received::ClaimId};

/// A record of a centre's, in the version that is in force: by which the hub goes.
#[derive(Debug)]
pub struct Stated {
    /// Its row.
    pub id: ClaimId,
    /// Whose it is.
    pub origin: ParticipantCode,
    /// Its key.
    pub key: RecordId,
    /// That version.
    pub version: u32,
    /// What became of the version that came last.
    pub outcome: String,
    /// What it says; `None` if it cannot be read.
    pub body: Option<Body>,
}

impl Tx<'_> {
    /// Persons that stand for themselves, above `after`, at most `limit`, by their ids.
    pub fn people_after(&self, after: &str, limit: u32) -> Result<Vec<RecordId>> {
        self.rows(
            "SELECT uid FROM person WHERE merged_into IS NULL AND uid > ?1 ORDER BY uid LIMIT ?2",
            params![after, limit],
            |row| parsed(row, "person", "uid"),
        )
    }

    /// Records of `kind` that their centres have not ended, above `after`, at most `limit`.
    pub fn stated_after(&self, kind: Kind, after: ClaimId, limit: u32) -> Result<Vec<Stated>> {
        self.rows(
            "SELECT id, origin, key, coalesce(basis_version, version) AS version, outcome, coalesce(basis, body) AS body
             FROM received WHERE kind = ?1 AND form = 'live' AND id > ?2 ORDER BY id LIMIT ?3",
            params![kind.name(), after, limit],
            |row| {
                let bytes: Vec<u8> = row.get("body")?;
                Ok(Stated {
                    id: row.get("id")?,
                    origin: parsed(row, "received", "origin")?,
                    key: parsed(row, "received", "key")?,
                    version: row.get("version")?,
                    outcome: row.get("outcome")?,
                    body: Body::from_xml(kind, &bytes).ok(),
                })
            },
        )
    }
}
