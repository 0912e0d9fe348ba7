//! What `status` counts.

use exchange_format::participant::ParticipantCode;
use rusqlite::params;

use super::{Result, Tx};

/// The last packet of a direction.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LastPacket {
    /// Its file name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// When it was sealed or taken in, RFC 3339.
    pub at: String,
}

impl Tx<'_> {
    /// The last numbered packet exchanged with `peer` in `direction` (`in` or `out`).
    pub fn last_packet(&self, peer: ParticipantCode, direction: &str) -> Result<Option<LastPacket>> {
        self.row(
            "SELECT name, state, at FROM packet
             WHERE direction = ?1 AND peer = ?2 AND kind IN ('DT', 'SN', 'KY') AND digest IS NOT NULL
             ORDER BY epoch DESC, seq DESC LIMIT 1",
            params![direction, peer.as_str()],
            |row| Ok(LastPacket { name: row.get(0)?, state: row.get(1)?, at: row.get(2)? }),
        )
    }

    /// How many received records stand as `state` (`waiting`, `held`, `refused` …).
    pub fn standing_count(&self, state: &str) -> Result<u64> {
        Ok(self.value("SELECT count(*) FROM received WHERE state = ?1", [state])?.unwrap_or(0))
    }

    /// Inputs of the hub that are not sealed into its own stream.
    pub fn unsealed_input_count(&self) -> Result<u64> {
        Ok(self.value("SELECT count(*) FROM hub_input WHERE packet IS NULL", [])?.unwrap_or(0))
    }
}
