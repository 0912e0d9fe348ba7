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

/// A record that the hub keeps and does not go by: an orphan, or one that is held.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Whose it is.
    pub centre: String,
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// `orphan`: the centre's last snapshot did not name it; `held`.
    pub why: String,
    /// The rule by which it is held.
    pub rule: Option<String>,
    /// The packet that brought it.
    pub packet: String,
    /// The records of the centre that it names and that the hub does not have.
    pub waits_for: Vec<String>,
}

/// A key of the linking index that so many claims share that they were not compared by it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Crowd {
    /// How many claims share it.
    pub claims: u64,
    /// The first of them: centre and key.
    pub first: (String, String),
}

/// A person of whom a centre has a claim and is told its own values alone, until staff confirm that it serves the person.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unconfirmed {
    /// The centre.
    pub centre: String,
    /// The person.
    pub uid: String,
    /// Its case number.
    pub case_number: String,
}

/// Centres and persons `c` of which nobody has confirmed that the one serves the other, or a person who turned out to be it.
const UNCONFIRMED: &str =
    "FROM (SELECT DISTINCT origin, uid FROM person_record WHERE kind = 'recipient_claim') c
     WHERE NOT EXISTS (SELECT 1 FROM service s WHERE s.centre = c.origin AND s.uid = c.uid)
       AND NOT EXISTS (SELECT 1 FROM person p JOIN service s ON s.centre = c.origin AND s.uid = p.uid
                       WHERE p.merged_into = c.uid)";

impl Tx<'_> {
    /// What waits for `service confirm`, at most `limit`.
    pub fn unconfirmed(&self, limit: u32) -> Result<Vec<Unconfirmed>> {
        let sql = format!(
            "SELECT origin, uid, (SELECT case_number FROM person WHERE uid = c.uid) {UNCONFIRMED}
             ORDER BY origin, uid LIMIT ?1"
        );
        self.rows(&sql, [limit], |row| {
            Ok(Unconfirmed { centre: row.get(0)?, uid: row.get(1)?, case_number: row.get(2)? })
        })
    }

    /// How many persons of each centre wait for `service confirm`.
    pub fn unconfirmed_counts(&self) -> Result<Vec<(String, u64)>> {
        let sql = format!("SELECT origin, count(*) {UNCONFIRMED} GROUP BY origin");
        self.rows(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Since when the first of those who wait for `service confirm` has a claim as it stands.
    pub fn unconfirmed_since(&self) -> Result<Option<String>> {
        let sql = format!(
            "SELECT (SELECT min(p.at) FROM person_record r JOIN received v ON v.id = r.claim
               JOIN packet p ON p.name = v.packet
               WHERE r.kind = 'recipient_claim' AND r.uid = c.uid AND r.origin = c.origin) AS since
             {UNCONFIRMED} ORDER BY since LIMIT 1"
        );
        Ok(self.value::<Option<String>>(&sql, [])?.flatten())
    }

    /// Records that the hub keeps and does not go by, of all centres, at most `limit`.
    pub fn kept_aside(&self, limit: u32) -> Result<Vec<Kept>> {
        self.rows(
            "SELECT r.id, r.origin, r.kind, r.key, r.rule, r.packet, r.in_digest,
               (SELECT group_concat(f.referent, ' ') FROM reference f WHERE f.claim = r.id
                AND NOT EXISTS (SELECT 1 FROM received x WHERE x.origin = f.origin AND x.key = f.referent
                                AND x.kind IN ('recipient_claim', 'programme_claim', 'supplement_claim', 'contract')
                                AND x.form = 'live')
                AND NOT EXISTS (SELECT 1 FROM publication p WHERE p.centre = f.origin AND p.key = f.referent
                                AND p.kind IN ('person', 'need_decision', 'programme', 'supplement')))
             FROM (SELECT * FROM received WHERE in_digest = 0
                   UNION ALL
                   SELECT * FROM received WHERE outcome = 'held' AND in_digest <> 0) r
             ORDER BY r.origin, r.kind, r.key LIMIT ?1",
            [limit],
            |row| {
                let referents: Option<String> = row.get(7)?;
                let in_digest: bool = row.get("in_digest")?;
                Ok(Kept {
                    centre: row.get("origin")?,
                    kind: row.get("kind")?,
                    key: row.get("key")?,
                    why: if in_digest { "held" } else { "orphan" }.to_owned(),
                    rule: row.get("rule")?,
                    packet: row.get("packet")?,
                    waits_for: referents.iter().flat_map(|all| all.split(' ')).map(str::to_owned).collect(),
                })
            },
        )
    }

    /// How many records of each centre are orphans.
    pub fn orphan_counts(&self) -> Result<Vec<(String, u64)>> {
        self.rows(
            "SELECT origin, count(*) FROM received INDEXED BY received_orphan WHERE in_digest = 0 GROUP BY origin",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Keys of the linking index that more than `limit` claims share.
    pub fn crowds(&self, limit: usize) -> Result<Vec<Crowd>> {
        self.rows(
            // who is often in both is often in one of them: each is read in its order once
            "WITH often(key) AS MATERIALIZED (
               SELECT key FROM link_key GROUP BY key HAVING 2 * count(*) > ?1
               UNION SELECT key FROM link_key_late GROUP BY key HAVING 2 * count(*) > ?1)
             SELECT DISTINCT k.n, r.origin, r.key FROM (SELECT count(*) AS n, min(claim) AS first FROM (
                 SELECT key, claim FROM link_key WHERE key IN often
                 UNION ALL SELECT key, claim FROM link_key_late WHERE key IN often)
               GROUP BY key HAVING count(*) > ?1) k JOIN received r ON r.id = k.first ORDER BY k.n DESC",
            [limit],
            |row| Ok(Crowd { claims: row.get(0)?, first: (row.get(1)?, row.get(2)?) }),
        )
    }

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
