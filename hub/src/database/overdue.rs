//! What waits for a centre, and since when.

use exchange_endpoint::overdue::Waiting;
use exchange_format::{
    participant::ParticipantCode,
    stream::{Stop, Wait},
};
use rusqlite::params;

use super::{Result, Tx};

impl Tx<'_> {
    /// What waits for `centre`.
    pub fn waits_for(&self, centre: ParticipantCode) -> Result<Vec<Waiting>> {
        let recovering = self.streams(centre)?.outgoing.stop == Some(Stop::Restored);
        let compared = self.requests().compared_with(centre)?.is_some();
        let mut all = Vec::new();
        let out = "SELECT min(at), min(name), count(*) FROM packet WHERE peer = ?1 AND direction = 'out'
                   AND kind IN ('DT', 'SN', 'KY') AND state = ?2";
        let held = "SELECT min(at), min(name), count(*) FROM packet WHERE peer = ?1 AND direction = 'in' AND state = ?2";
        let asked = "SELECT min(at), min(packet), count(*) FROM request WHERE peer = ?1 AND direction = 'out'
                     AND next_at IS NOT NULL AND asks <> ?2";
        let incident = "SELECT min(at), NULL, count(*) FROM incident WHERE peer = ?1 AND code = ?2 AND closed_at IS NULL";
        let silence =
            "SELECT max(at), NULL, 1 FROM packet WHERE peer = ?1 AND direction = 'in' AND digest IS NOT NULL
                       AND ?2 IS NOT NULL";
        let stopped = match compared {
            false => Wait::Comparison,
            true if self.confirmed_resync(centre)?.is_some() => Wait::Decided,
            true => Wait::Recovery,
        };
        for (what, sql, word, holds) in [
            (Wait::Placing, out, "SEALED", !recovering),
            (Wait::Receipt, out, "PLACED", !recovering),
            (Wait::Protocol, out, "RECEIVED", !recovering),
            (Wait::Held, held, "HELD", !recovering),
            (Wait::Asked, asked, "range_reply", !recovering),
            (stopped, incident, "RESTORED", recovering),
            (Wait::PeerRecovery, incident, "PEER_RESTORED", true),
            (Wait::Silence, silence, "", true),
        ] {
            let found = self.row(sql, params![centre.as_str(), word], |row| {
                let since: Option<String> = row.get(0)?;
                Ok((since, row.get::<_, Option<String>>(1)?, row.get::<_, u64>(2)?))
            })?;
            if let Some((Some(since), packet, count)) = found.filter(|_| holds) {
                all.push(Waiting { what, packet, count, since });
            }
        }
        Ok(all)
    }
}
