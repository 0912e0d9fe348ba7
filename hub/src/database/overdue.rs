//! What waits for a centre, and since when.

use exchange_endpoint::overdue::Waiting;
use exchange_format::{
    participant::ParticipantCode,
    stream::{Stop, Wait},
};
use jiff::Timestamp;
use rusqlite::params;

use super::{Result, Tx};

impl Tx<'_> {
    /// What waits for `centre` at `now`. What came at a time that lies ahead came while the clock was wrong, and proves nothing.
    pub fn waits_for(&self, centre: ParticipantCode, now: Timestamp) -> Result<Vec<Waiting>> {
        let recovering = self.streams(centre)?.outgoing.stop == Some(Stop::Restored);
        let compared = self.requests().compared_with(centre)?.is_some();
        let mut all = Vec::new();
        let out = "SELECT min(at), min(name), count(*) FROM packet WHERE peer = ?1 AND direction = 'out'
                   AND kind IN ('DT', 'SN', 'KY') AND state = ?2";
        let held = "SELECT min(at), min(name), count(*) FROM packet WHERE peer = ?1 AND direction = 'in' AND state = ?2";
        let asked = "SELECT min(at), min(packet), count(*) FROM request WHERE peer = ?1 AND direction = 'out'
                     AND next_at IS NOT NULL AND asks <> ?2";
        let incident = "SELECT min(at), NULL, count(*) FROM incident WHERE peer = ?1 AND code = ?2 AND closed_at IS NULL";
        let silence = "SELECT coalesce(max(at) FILTER (WHERE at <= ?2), min(at)), NULL, 1 FROM packet
             WHERE peer = ?1 AND direction = 'in' AND digest IS NOT NULL";
        let now = now.to_string();
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
            (Wait::Silence, silence, &now, true),
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

    /// How many records of initial loads wait for `merge`, and since when.
    pub fn waits_for_merge(&self) -> Result<(u64, Option<String>)> {
        let sql = "SELECT count(*), (SELECT min(at) FROM packet WHERE name IN
                     (SELECT packet FROM received WHERE state = 'waiting')) FROM received WHERE state = 'waiting'";
        self.count_since(sql)
    }

    /// How many questions to staff are open, and since when.
    pub fn waits_for_answers(&self) -> Result<(u64, Option<String>)> {
        self.count_since("SELECT count(*), min(opened_at) FROM review WHERE state = 'open'")
    }

    /// How many files in quarantine nobody has looked into, and since when: those with an open incident.
    pub fn waits_in_quarantine(&self) -> Result<(u64, Option<String>)> {
        self.count_since(
            "SELECT count(*), min(i.at) FROM incident i WHERE i.closed_at IS NULL AND EXISTS
               (SELECT 1 FROM packet p WHERE p.name IN (i.packet, 'quarantine/' || i.peer || '/' || i.packet)
                AND p.peer = i.peer AND p.direction = 'in' AND p.state = 'QUARANTINED')",
        )
    }

    fn count_since(&self, sql: &str) -> Result<(u64, Option<String>)> {
        Ok(self.row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default())
    }

    /// When the daemon did something last that is known by its moment.
    pub fn last_at_work(&self, now: Timestamp) -> Result<Option<String>> {
        let sql = "SELECT max(at) FROM packet WHERE at <= ?1";
        Ok(self.value::<Option<String>>(sql, [now.to_string()])?.flatten())
    }
}
