//! Requests of both sides, what is held before a gap, and the mirror of what a centre sent.

use exchange_endpoint::{
    difference_table::{self, Differences},
    key_table::{self, KeysTellings},
    request_table::{HUB_TABLE, Requests},
};
use exchange_format::{
    answer::{KeyPrefix, Listed, Missing},
    file_name::FileName,
    participant::ParticipantCode,
    position::{Epoch, Position},
    record::{Form, Kind, Record, RecordId},
    stream::{Part, first_gap},
};
use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{DatabaseError, Result, Tx, answers::Place, parsed};

impl Tx<'_> {
    /// Requests made and honoured.
    pub fn requests(&self) -> Requests<'_> {
        Requests::new(&self.db, HUB_TABLE)
    }

    /// Where pictures were found to differ.
    pub fn differences(&self) -> Differences<'_> {
        Differences::new(&self.db, difference_table::HUB_TABLE)
    }

    /// Hands over the live and withdrawn records that the stream of `origin` has carried, of a kind and a beginning of
    /// keys.
    pub fn received_range(
        &self,
        origin: ParticipantCode,
        kind: Kind,
        prefix: &KeyPrefix,
        each: &mut dyn FnMut(Listed),
    ) -> Result<()> {
        let sql = "SELECT key, version, form, sha256 FROM received WHERE origin = ?1 AND kind = ?2
                   AND key BETWEEN ?3 AND ?4 AND in_digest = 1 AND form <> 'tombstone' ORDER BY key";
        self.listed(sql, (origin, kind, prefix), each)
    }

    /// The same of our stream to `centre`.
    pub fn published_range(
        &self,
        centre: ParticipantCode,
        kind: Kind,
        prefix: &KeyPrefix,
        each: &mut dyn FnMut(Listed),
    ) -> Result<()> {
        let sql =
            "SELECT key, version, sealed_form, sealed_sha256 FROM publication WHERE centre = ?1 AND kind = ?2
                   AND key BETWEEN ?3 AND ?4 AND sealed_form <> 'tombstone' ORDER BY key";
        self.listed(sql, (centre, kind, prefix), each)
    }

    fn listed(
        &self,
        sql: &str,
        (peer, kind, prefix): (ParticipantCode, Kind, &KeyPrefix),
        each: &mut dyn FnMut(Listed),
    ) -> Result<()> {
        let (first, last) = prefix.bounds();
        let of = params![peer.as_str(), kind.name(), first.to_string(), last.to_string()];
        for listed in self.rows(sql, of, read_listed)? {
            each(listed);
        }
        Ok(())
    }

    /// Who was told our next keys.
    pub fn keys(&self) -> KeysTellings<'_> {
        KeysTellings::new(&self.db, key_table::HUB_TABLE)
    }

    /// What is missing before the packets of `peer` that are held, and when the last of these came.
    pub fn gap(&self, peer: ParticipantCode) -> Result<Option<(Missing, Timestamp)>> {
        let sql = "SELECT DISTINCT epoch FROM packet WHERE direction = 'in' AND peer = ?1 AND state = 'HELD'";
        let epochs: Vec<u64> = self.rows(sql, [peer.as_str()], |row| Ok(row.get(0)?))?;
        let mut held: Vec<(Position, Option<Part>)> = Vec::new();
        for epoch in epochs {
            let damaged = |_| DatabaseError::Damaged { table: "packet", column: "epoch" };
            let rows = self.held(peer, Epoch::new(epoch).map_err(damaged)?)?;
            held.extend(rows.iter().map(|row| (row.arrival.mark.position, row.arrival.part)));
        }
        let last = self.streams(peer)?.incoming.last.map(|mark| mark.position);
        let Some(missing) = first_gap(last, &held) else { return Ok(None) };
        let sql = "SELECT at FROM packet WHERE direction = 'in' AND peer = ?1 AND state = 'HELD'";
        let came = self.rows(sql, [peer.as_str()], |row| parsed::<Timestamp>(row, "packet", "at"))?;
        Ok(Some((missing, came.into_iter().max().unwrap_or(Timestamp::MIN))))
    }

    /// What the RQ `name` of ours is: to stay in `out` while its request is in force.
    pub fn place_of_request(&self, name: &str) -> Result<Place> {
        Ok(if self.requests().is_in_force(name)? { Place::Revision } else { Place::Superseded })
    }

    /// Kinds, keys and lengths of all that was ever received of `origin`, in the order of a packet's members.
    pub fn mirrored(&self, origin: ParticipantCode) -> Result<Vec<(Kind, RecordId, u64)>> {
        let mut found = Vec::new();
        for kind in Kind::ALL.into_iter().filter(|kind| kind.owner().centre_writes()) {
            found.extend(self.rows(
                "SELECT key, length(body) FROM received WHERE origin = ?1 AND kind = ?2 ORDER BY key",
                params![origin.as_str(), kind.name()],
                |row| Ok((kind, parsed(row, "received", "key")?, row.get(1)?)),
            )?);
        }
        Ok(found)
    }

    /// The record of `origin` as it was last received.
    pub fn mirror(&self, origin: ParticipantCode, kind: Kind, key: RecordId) -> Result<Option<Record>> {
        self.row(
            "SELECT version, form, body FROM received WHERE origin = ?1 AND kind = ?2 AND key = ?3",
            params![origin.as_str(), kind.name(), key.to_string()],
            |row| {
                let form = parsed(row, "received", "form")?;
                let body = if form == Form::Tombstone { Vec::new() } else { row.get("body")? };
                Ok(Record { kind, key, version: row.get("version")?, form, body, signature: None })
            },
        )
    }

    /// Whether such an incident of `peer` is open.
    pub fn has_incident(&self, peer: ParticipantCode, code: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM incident WHERE peer = ?1 AND code = ?2 AND closed_at IS NULL";
        Ok(self.value::<i64>(sql, params![peer.as_str(), code])?.is_some())
    }

    /// How many times the open incident `code` of `peer` has been told of; none if it is not open.
    pub fn times_told(&self, peer: ParticipantCode, code: &str) -> Result<u32> {
        let sql = "SELECT sum(times) FROM incident WHERE peer = ?1 AND code = ?2 AND closed_at IS NULL";
        Ok(self.value::<Option<u32>>(sql, params![peer.as_str(), code])?.flatten().unwrap_or(0))
    }

    /// Whether an incident of `peer` has ended since the time `at`.
    pub fn has_ended_since(&self, peer: ParticipantCode, code: &str, at: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM incident WHERE peer = ?1 AND code = ?2 AND closed_at > ?3 LIMIT 1";
        Ok(self.value::<i64>(sql, params![peer.as_str(), code, at])?.is_some())
    }

    /// Incidents of `peer` that have not been told of again since `since` have ended.
    pub fn close_incidents_before(
        &self,
        peer: ParticipantCode,
        code: &str,
        since: &str,
        at: &str,
    ) -> Result<()> {
        let sql = "UPDATE incident SET closed_at = ?4 WHERE peer = ?1 AND code = ?2 AND last_at < ?3 AND closed_at IS NULL";
        self.run(sql, params![peer.as_str(), code, since, at])?;
        Ok(())
    }

    /// Whether the incident `code` of `peer` about `packet` is open.
    pub fn is_incident_open(&self, peer: ParticipantCode, code: &str, packet: &str) -> Result<bool> {
        let sql =
            "SELECT 1 FROM incident WHERE peer = ?1 AND code = ?2 AND packet = ?3 AND closed_at IS NULL";
        Ok(self.value::<i64>(sql, params![peer.as_str(), code, packet])?.is_some())
    }

    /// The incident `code` of `peer` about `packet` has ended.
    pub fn close_incident_of(&self, peer: ParticipantCode, code: &str, packet: &str, at: &str) -> Result<()> {
        let sql = "UPDATE incident SET closed_at = ?4 WHERE peer = ?1 AND code = ?2 AND packet = ?3 AND closed_at IS NULL";
        self.run(sql, params![peer.as_str(), code, packet, at])?;
        Ok(())
    }

    /// Incidents of `peer` about the file `packet`, which was taken after all, have ended.
    pub fn close_incidents_about(&self, peer: ParticipantCode, packet: &str, at: &str) -> Result<()> {
        let sql = "UPDATE incident SET closed_at = ?3 WHERE peer = ?1 AND packet = ?2 AND closed_at IS NULL";
        self.run(sql, params![peer.as_str(), packet, at])?;
        Ok(())
    }

    /// Incidents about packets of `peer` before `epoch` have ended, if a snapshot says what these said: not of what came from
    /// another, was forged, or does not follow the format.
    pub fn close_incidents_of_former(&self, peer: ParticipantCode, epoch: Epoch, at: &str) -> Result<()> {
        let sql =
            "SELECT n, packet FROM incident WHERE peer = ?1 AND closed_at IS NULL AND packet IS NOT NULL
                   AND code IN ('UNKNOWN_KEY', 'CANNOT_OPEN', 'BAD_DIGEST', 'OVERSIZE', 'FORK', 'FOUND_ASIDE')";
        let open: Vec<(i64, String)> =
            self.rows(sql, [peer.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (n, packet) in open {
            let name = packet.parse::<FileName>().ok();
            if name.is_some_and(|name| {
                name.kind.is_numbered() && name.from == peer && name.position.epoch < epoch
            }) {
                self.close_incident(n, at)?;
            }
        }
        Ok(())
    }

    /// Whether a snapshot of `peer` was asked for because the sums of a stream differ, or rows are damaged, since the open incident
    /// `code` of it began.
    pub fn has_asked_since(&self, peer: ParticipantCode, code: &str) -> Result<bool> {
        let found = self.value(
            "SELECT EXISTS (SELECT 1 FROM request q JOIN incident i ON i.peer = q.peer WHERE q.peer = ?1 AND q.direction = 'out'
               AND q.cause = 'divergence' AND q.at >= i.at AND i.code = ?2 AND i.closed_at IS NULL)",
            [peer.as_str(), code],
        )?;
        Ok(found.unwrap_or(false))
    }

    /// The incident `n` was looked into.
    pub fn close_incident(&self, n: i64, at: &str) -> Result<()> {
        self.run("UPDATE incident SET closed_at = ?2 WHERE n = ?1 AND closed_at IS NULL", params![n, at])?;
        Ok(())
    }

    /// Incidents of `peer` have ended; how many.
    pub fn close_incidents(&self, peer: ParticipantCode, code: &str, at: &str) -> Result<usize> {
        self.run(
            "UPDATE incident SET closed_at = ?3 WHERE peer = ?1 AND code = ?2 AND closed_at IS NULL",
            params![peer.as_str(), code, at],
        )
    }
}

/// Columns key, version, form, hash.
fn read_listed(row: &Row<'_>) -> Result<Listed> {
    let text = |at: usize| row.get::<_, String>(at);
    let damaged = |column| DatabaseError::Damaged { table: "received, publication", column };
    Ok(Listed {
        key: text(0)?.parse().map_err(|_| damaged("key"))?,
        version: row.get(1)?,
        form: text(2)?.parse().map_err(|_| damaged("form"))?,
        hash: text(3)?.parse().map_err(|_| damaged("sha256"))?,
    })
}
