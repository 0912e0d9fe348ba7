//! The files of the archive that a rebuild needs, as their rows say they are; and where they are not.

use exchange_format::{participant::ParticipantCode, position::Digest};
use rusqlite::{Row, params};

use super::{Result, Tx, parsed, parsed_optional};

/// A numbered packet of either direction, whose file lies in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Its name.
    pub name: String,
    /// In whose folder it lies.
    pub peer: ParticipantCode,
    /// Whether it is ours.
    pub is_ours: bool,
    /// Of its manifest.
    pub digest: Option<Digest>,
    /// Of the sealed file, if it is ours.
    pub sha256: Option<Digest>,
}

const FILED: &str =
    "SELECT name, peer, direction, digest, sha256 FROM packet WHERE kind IN ('DT', 'SN', 'KY')
  AND digest IS NOT NULL AND state NOT IN ('QUARANTINED', 'REPLAYED')";

impl Tx<'_> {
    /// The next of them by name, at most `limit`.
    pub fn filed_after(&self, name: &str, limit: u32) -> Result<Vec<Filed>> {
        self.rows(&format!("{FILED} AND name > ?1 ORDER BY name LIMIT ?2"), params![name, limit], read)
    }

    /// Those about which an incident `code` is open.
    pub fn filed_missing(&self, code: &str) -> Result<Vec<Filed>> {
        let sql = format!(
            "{FILED} AND name IN (SELECT packet FROM incident WHERE code = ?1 AND closed_at IS NULL)"
        );
        self.rows(&sql, [code], read)
    }

    /// How many incidents `code` of `peer` are open.
    pub fn incident_count(&self, peer: ParticipantCode, code: &str) -> Result<u64> {
        let sql = "SELECT count(*) FROM incident WHERE peer = ?1 AND code = ?2 AND closed_at IS NULL";
        Ok(self.value(sql, params![peer.as_str(), code])?.unwrap_or(0))
    }
}

fn read(row: &Row<'_>) -> Result<Filed> {
    Ok(Filed {
        name: row.get("name")?,
        peer: parsed(row, "packet", "peer")?,
        is_ours: row.get::<_, String>("direction")? == "out",
        digest: parsed_optional(row, "packet", "digest")?,
        sha256: parsed_optional(row, "packet", "sha256")?,
    })
}
