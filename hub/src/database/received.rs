//! What centres sent: the last version of every record, what became of it, and what the hub goes by.
//!
//! Longer than 500 lines because what was received is one table, and what is asked of it stands together.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    position::Digest,
    record::{Body, Form, Kind, Record, RecordId},
    stream::Edition,
};
use rusqlite::{Row, params};
use serde_json::Value;

use super::{DatabaseError, Result, Tx, noted::MERGED, parsed};
use crate::decisions::golden::Claim;

/// Names a received record inside this database.
pub type ClaimId = i64;

/// Where a received record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The hub goes by it.
    Applied,
    /// Of an initial load, until a person's command merges it.
    Waiting,
    /// Kept aside, for staff or until its referent comes; the hub goes by what it had before.
    Held,
    /// Refused; kept because the state digest covers it.
    Refused,
    /// Its owner ended it.
    Gone,
}

impl Standing {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Applied, "applied"),
        (Self::Waiting, "waiting"),
        (Self::Held, "held"),
        (Self::Refused, "refused"),
        (Self::Gone, "gone"),
    ];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(one, _)| *one == self).expect("all are listed").1
    }
}

impl std::str::FromStr for Standing {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::WORDS.iter().find(|(_, word)| *word == text).map(|(one, _)| *one).ok_or(())
    }
}

/// A record known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its row.
    pub id: ClaimId,
    /// The version received last.
    pub version: u32,
    /// Its form.
    pub form: Form,
    /// The hash of its body.
    pub hash: Digest,
    /// Where it stands.
    pub standing: Standing,
    /// What became of it, as its PR said.
    pub outcome: String,
    /// By which rule.
    pub rule: Option<String>,
    /// Whether the state digest counts it.
    pub in_digest: bool,
    /// The version that the hub goes by, if it is not `version`.
    pub basis_version: Option<u32>,
    /// The packet that brought it last.
    pub packet: String,
}

impl Known {
    /// The version of it that came last.
    pub const fn edition(&self) -> Edition {
        Edition { version: self.version, form: self.form, hash: self.hash }
    }
}

/// A record to store.
#[derive(Debug, Clone)]
pub struct Arrived<'a> {
    /// Whose it is.
    pub origin: ParticipantCode,
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: RecordId,
    /// Its version.
    pub version: u32,
    /// Its form.
    pub form: Form,
    /// The hash of its body.
    pub hash: Digest,
    /// Its body as received.
    pub body: &'a [u8],
    /// What became of it, as the PR says.
    pub outcome: &'a str,
    /// The rule that decided, if any.
    pub rule: Option<&'a str>,
    /// The packet that brought it.
    pub packet: &'a str,
    /// Where it stands now.
    pub standing: Standing,
    /// Go on by what the hub went by before: keep that version and body as the basis.
    pub keep_basis: bool,
}

/// A received record with what the hub goes by.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its row.
    pub id: ClaimId,
    /// Where it stands.
    pub standing: Standing,
    /// The claim as the hub goes by it.
    pub claim: Claim,
}

impl Tx<'_> {
    /// What is known of a record.
    pub fn known(&self, origin: ParticipantCode, kind: Kind, key: RecordId) -> Result<Option<Known>> {
        self.row(
            "SELECT id, version, form, sha256, state, in_digest, basis_version, outcome, rule, packet FROM received
             WHERE origin = ?1 AND kind = ?2 AND key = ?3",
            params![origin.as_str(), kind.name(), key.to_string()],
            |row| {
                Ok(Known {
                    id: row.get(0)?,
                    version: row.get(1)?,
                    form: parsed(row, "received", "form")?,
                    hash: parsed(row, "received", "sha256")?,
                    standing: parsed(row, "received", "state")?,
                    in_digest: row.get(5)?,
                    basis_version: row.get(6)?,
                    outcome: row.get(7)?,
                    rule: row.get(8)?,
                    packet: row.get(9)?,
                })
            },
        )
    }

    /// Whether anything was ever received from `origin`.
    pub fn has_received(&self, origin: ParticipantCode) -> Result<bool> {
        let sql = "SELECT 1 FROM received WHERE origin = ?1 LIMIT 1";
        Ok(self.value::<i64>(sql, [origin.as_str()])?.is_some())
    }

    /// Whether the hub goes by a record of `origin` with this kind and key.
    pub fn goes_by(&self, origin: ParticipantCode, kind: Kind, key: RecordId) -> Result<bool> {
        let sql = "SELECT 1 FROM received WHERE origin = ?1 AND kind = ?2 AND key = ?3
                   AND state IN ('applied', 'waiting')";
        let found = self.value::<i64>(sql, params![origin.as_str(), kind.name(), key.to_string()])?;
        Ok(found.is_some())
    }

    /// Stores a record, in place of its older version in row `known` or as a new one. `None`, and nothing is
    /// stored, if it is there without being known.
    pub fn store_received(&self, known: Option<ClaimId>, arrived: &Arrived<'_>) -> Result<Option<ClaimId>> {
        // The basis: what the hub went by so far stays where `keep_basis` says so, and is dropped otherwise.
        let stored = self.run(
            "INSERT INTO received(origin, kind, key, version, form, sha256, body, outcome, rule, packet, state)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT(origin, kind, key) DO UPDATE SET
               basis_version = CASE WHEN ?12 THEN coalesce(basis_version, version) END,
               basis = CASE WHEN ?12 THEN coalesce(basis, body) END,
               version = excluded.version, form = excluded.form, sha256 = excluded.sha256, body = excluded.body,
               outcome = excluded.outcome, rule = excluded.rule, packet = excluded.packet,
               state = excluded.state, in_digest = 1
             WHERE ?13",
            params![
                arrived.origin.as_str(),
                arrived.kind.name(),
                arrived.key.to_string(),
                arrived.version,
                arrived.form.name(),
                arrived.hash.to_string(),
                arrived.body,
                arrived.outcome,
                arrived.rule,
                arrived.packet,
                arrived.standing.word(),
                arrived.keep_basis,
                known.is_some(),
            ],
        )?;
        Ok(known.or_else(|| (stored > 0).then(|| self.db.last_insert_rowid())))
    }

    /// Sets where a record stands, and what the next PR of it would say.
    pub fn set_standing(&self, id: ClaimId, standing: Standing, outcome: &str) -> Result<()> {
        self.run(
            "UPDATE received SET state = ?2, outcome = ?3 WHERE id = ?1",
            params![id, standing.word(), outcome],
        )?;
        Ok(())
    }

    /// Takes the newest version of a claim as what the hub goes by.
    pub fn accept_newest(&self, id: ClaimId) -> Result<()> {
        self.run(
            "UPDATE received SET basis = NULL, basis_version = NULL, state = 'applied', outcome = 'changed', rule = NULL
             WHERE id = ?1",
            [id],
        )?;
        Ok(())
    }

    /// The newest version of a record is refused by `rule`; the hub goes on by what it had before.
    pub fn decline_newest(&self, id: ClaimId, rule: &str) -> Result<()> {
        self.run("UPDATE received SET outcome = 'refused', rule = ?2 WHERE id = ?1", params![id, rule])?;
        Ok(())
    }

    /// Claims of recipients that `origin` has sent, that were held because of a value that nobody could read and of which
    /// their centre is told the person now.
    pub fn understand(&self, origin: ParticipantCode) -> Result<()> {
        self.run(
            "UPDATE received SET outcome = 'changed', rule = NULL WHERE origin = ?1 AND kind = 'recipient_claim'
               AND outcome = 'held' AND rule LIKE '%.unreadable'
               AND EXISTS (SELECT 1 FROM publication l JOIN publication p
                           ON p.centre = l.centre AND p.kind = 'person' AND p.key = l.person
                           WHERE l.centre = origin AND l.kind = 'link' AND l.key = received.key
                             AND l.form = 'live' AND p.form = 'live')",
            [origin.as_str()],
        )?;
        Ok(())
    }

    /// The record with row `id` as the hub goes by it; `None` if there is none or it has no readable body.
    pub fn received(&self, id: ClaimId) -> Result<Option<Received>> {
        let found = self.row(&format!("{SELECT_RECEIVED} WHERE id = ?1"), [id], read_received)?;
        Ok(found.flatten())
    }

    /// The record of `origin` with `kind` and `key`.
    pub fn received_by_key(
        &self,
        origin: ParticipantCode,
        kind: Kind,
        key: RecordId,
    ) -> Result<Option<Received>> {
        let found = self.row(
            &format!("{SELECT_RECEIVED} WHERE origin = ?1 AND kind = ?2 AND key = ?3"),
            params![origin.as_str(), kind.name(), key.to_string()],
            read_received,
        )?;
        Ok(found.flatten())
    }

    /// What the record with row `id` is called beyond this database.
    pub fn name_of(&self, id: ClaimId) -> Result<Option<(ParticipantCode, Kind, RecordId)>> {
        self.row("SELECT origin, kind, key FROM received WHERE id = ?1", [id], |row| {
            let origin = parsed(row, "received", "origin")?;
            Ok((origin, parsed(row, "received", "kind")?, parsed(row, "received", "key")?))
        })
    }

    /// The newest body of a record, whatever the hub goes by.
    pub fn newest_body(&self, id: ClaimId) -> Result<Option<Body>> {
        let found = self.row("SELECT kind, body FROM received WHERE id = ?1", [id], |row| {
            let kind: Kind = parsed(row, "received", "kind")?;
            let bytes: Vec<u8> = row.get(1)?;
            Ok(Body::from_xml(kind, &bytes).ok())
        })?;
        Ok(found.flatten())
    }

    /// Rows of `kind` that wait for a merge, above `after`, at most `limit`.
    pub fn waiting(&self, kind: Kind, after: ClaimId, limit: u32) -> Result<Vec<ClaimId>> {
        self.rows(
            "SELECT id FROM received WHERE state = 'waiting' AND kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            params![kind.name(), after, limit],
            |row| Ok(row.get(0)?),
        )
    }

    /// Ends the waiting of all records.
    pub fn end_waiting(&self) -> Result<usize> {
        self.note_change(MERGED, &Value::Null)?;
        self.run("UPDATE received SET state = 'applied' WHERE state = 'waiting'", [])
    }

    /// Whether any record of `origin` is held.
    pub fn holds(&self, origin: ParticipantCode) -> Result<bool> {
        let sql =
            "SELECT 1 FROM received INDEXED BY received_held WHERE origin = ?1 AND outcome = 'held' LIMIT 1";
        Ok(self.value::<i64>(sql, [origin.as_str()])?.is_some())
    }

    /// Says what record `id` refers to; in place of what it said before, unless it is `new`.
    pub fn set_references(
        &self,
        origin: ParticipantCode,
        id: ClaimId,
        referents: &[RecordId],
        new: bool,
    ) -> Result<()> {
        if !new {
            self.run("DELETE FROM reference WHERE claim = ?1", [id])?;
        }
        for referent in referents {
            self.run(
                "INSERT OR IGNORE INTO reference(origin, referent, claim) VALUES(?1, ?2, ?3)",
                params![origin.as_str(), referent.to_string(), id],
            )?;
        }
        Ok(())
    }

    /// The records of `origin` that refer to `referent`.
    pub fn referring(&self, origin: ParticipantCode, referent: RecordId) -> Result<Vec<ClaimId>> {
        self.rows(
            "SELECT claim FROM reference WHERE origin = ?1 AND referent = ?2",
            params![origin.as_str(), referent.to_string()],
            |row| Ok(row.get(0)?),
        )
    }

    /// The programmes and supplements of `origin` that refer to `referent`; whether it is a supplement before each, for these
    /// follow programmes.
    pub fn papers_about(&self, origin: ParticipantCode, referent: RecordId) -> Result<Vec<(bool, ClaimId)>> {
        self.rows(
            "SELECT r.kind = 'supplement_claim' AS follows, f.claim FROM reference f JOIN received r ON r.id = f.claim
             WHERE f.origin = ?1 AND f.referent = ?2 AND r.kind IN ('programme_claim', 'supplement_claim')
             ORDER BY f.claim",
            params![origin.as_str(), referent.to_string()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// The supplements of the same centre that name the programme claim `id`.
    pub fn supplements_under(&self, id: ClaimId) -> Result<Vec<ClaimId>> {
        self.rows(
            "SELECT f.claim FROM received p JOIN reference f ON f.origin = p.origin AND f.referent = p.key
             JOIN received r ON r.id = f.claim
             WHERE p.id = ?1 AND p.kind = 'programme_claim' AND r.kind = 'supplement_claim' ORDER BY f.claim",
            [id],
            |row| Ok(row.get(0)?),
        )
    }

    /// The records of `origin` that are held until `referent` comes, as they came last, each with its packet.
    pub fn held_for(&self, origin: ParticipantCode, referent: RecordId) -> Result<Vec<(Record, String)>> {
        self.rows(
            "SELECT r.kind, r.key, r.version, r.form, r.body, r.packet FROM reference f JOIN received r
             ON r.id = f.claim WHERE f.origin = ?1 AND f.referent = ?2 AND r.outcome = 'held' AND r.in_digest
             AND r.rule NOT LIKE '%.identity_changed'",
            params![origin.as_str(), referent.to_string()],
            |row| Ok((read_record(row, "body")?, row.get("packet")?)),
        )
    }

    /// The papers of `origin` that wait to be another person's, as they came last, each with its packet.
    pub fn held_as_moved(&self, origin: ParticipantCode) -> Result<Vec<(Record, String)>> {
        self.rows(
            "SELECT kind, key, version, form, body, packet FROM received INDEXED BY received_held
             WHERE origin = ?1 AND outcome = 'held' AND in_digest AND rule LIKE '%.final' ORDER BY id",
            [origin.as_str()],
            |row| Ok((read_record(row, "body")?, row.get("packet")?)),
        )
    }

    /// Records have come again as they were: the state digest counts them, and what is said of them from now on
    /// answers `packet`.
    pub fn came_again(&self, ids: &BTreeSet<ClaimId>, packet: &str) -> Result<()> {
        let ids: Vec<String> = ids.iter().map(ClaimId::to_string).collect();
        self.run(
            "UPDATE received SET in_digest = 1, packet = ?2 WHERE id IN (SELECT value FROM json_each(?1))",
            params![format!("[{}]", ids.join(",")), packet],
        )?;
        Ok(())
    }

    /// The rows of `origin` whose body is not the one of their hash. Reads all of them.
    pub fn received_altered(&self, origin: ParticipantCode) -> Result<Vec<ClaimId>> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, sha256, body FROM received WHERE origin = ?1 AND form <> 'tombstone' ORDER BY id",
        )?;
        let (mut rows, mut altered) = (statement.query([origin.as_str()])?, Vec::new());
        while let Some(row) = rows.next()? {
            let hash = Digest::of(row.get_ref(2)?.as_bytes().unwrap_or_default());
            if row.get_ref(1)?.as_str() != Ok(&hash.to_string()) {
                altered.push(row.get(0)?);
            }
        }
        Ok(altered)
    }

    /// The rows of `origin` of which nobody can say where they stand: not where a record does of which that became.
    pub fn received_astray(&self, origin: ParticipantCode) -> Result<Vec<ClaimId>> {
        self.rows(
            "SELECT id FROM received WHERE origin = ?1 AND (state NOT IN ('applied', 'waiting', 'held', 'refused', 'gone')
               OR state NOT IN ('applied', 'waiting') AND form <> 'tombstone'
                 AND (basis_version IS NOT NULL OR outcome NOT IN ('held', 'refused'))) ORDER BY id",
            [origin.as_str()],
            |row| Ok(row.get(0)?),
        )
    }

    /// Forgets these rows, so that they come again; what no packet brings again stands as it can.
    pub fn remove_astray(&self, ids: &[ClaimId]) -> Result<()> {
        for id in ids {
            self.run(
                "UPDATE received SET state = CASE form WHEN 'tombstone' THEN 'gone' ELSE 'applied' END
                 WHERE id = ?1 AND (form = 'tombstone' OR in_digest = 0)",
                [id],
            )?;
            self.run("DELETE FROM received WHERE id = ?1 AND form <> 'tombstone' AND in_digest", [id])?;
        }
        Ok(())
    }

    /// What of the rows of `origin` is not as its stream has `carried` it: the records that are not there, or with their row, if
    /// its version, form or hash is another or it is among `altered`; and the rows that count and were never carried.
    #[expect(clippy::type_complexity, reason = "two lists, by record")]
    pub fn received_unlike<T>(
        &self,
        origin: ParticipantCode,
        altered: &[ClaimId],
        carried: &BTreeMap<(Kind, RecordId), (Edition, T)>,
    ) -> Result<(BTreeMap<(Kind, RecordId), Option<ClaimId>>, Vec<ClaimId>)> {
        let mut lost: BTreeMap<_, _> = carried.keys().map(|of| (*of, None)).collect();
        let mut foreign = Vec::new();
        let mut statement = self.db.prepare_cached(
            "SELECT id, kind, key, version, form, sha256, in_digest FROM received WHERE origin = ?1",
        )?;
        let mut rows = statement.query([origin.as_str()])?;
        while let Some(row) = rows.next()? {
            let (id, counts): (ClaimId, bool) = (row.get(0)?, row.get(6)?);
            let of = (parsed(row, "received", "kind")?, parsed(row, "received", "key")?);
            let Some((edition, _)) = carried.get(&of) else {
                foreign.extend(counts.then_some(id));
                continue;
            };
            let stands = (row.get::<_, i64>(3)?, row.get::<_, String>(4)?, row.get::<_, String>(5)?);
            let was = (i64::from(edition.version), edition.form.name().to_owned(), edition.hash.to_string());
            if stands == was && counts && !altered.contains(&id) {
                lost.remove(&of);
            } else {
                lost.insert(of, Some(id));
            }
        }
        Ok((lost, foreign))
    }

    /// In which packet the record of the row `id` came, as it says.
    pub fn came_in(&self, id: ClaimId) -> Result<Option<String>> {
        self.value("SELECT packet FROM received WHERE id = ?1", [id])
    }

    /// Puts `record`, which came in `packet`, back into its row, which stands where it stood.
    pub fn put_back_received(&self, id: ClaimId, record: &Record, packet: &str) -> Result<()> {
        self.run(
            "UPDATE received SET version = ?2, form = ?3, sha256 = ?4, body = ?5, packet = ?6, in_digest = 1 WHERE id = ?1",
            params![id, record.version, record.form.name(), record.hash().to_string(), record.body, packet],
        )?;
        Ok(())
    }

    /// The row `id` gets the number that its record had when it was linked last, which no other has.
    pub fn number_as_linked(&self, id: ClaimId) -> Result<ClaimId> {
        let sql =
            "SELECT x.claim FROM person_record x JOIN received r USING (origin, kind, key) WHERE r.id = ?1";
        let Some(former) = self.value(sql, [id])?.filter(|former| *former != id) else { return Ok(id) };
        self.run("UPDATE received SET id = ?2 WHERE id = ?1", [id, former])?;
        self.run("UPDATE OR REPLACE reference SET claim = ?2 WHERE claim = ?1", [id, former])?;
        Ok(former)
    }

    /// Puts these rows outside of the state digest.
    pub fn orphan(&self, ids: &[ClaimId]) -> Result<()> {
        for id in ids {
            self.run("UPDATE received SET in_digest = 0 WHERE id = ?1", [id])?;
        }
        Ok(())
    }

    /// Nobody goes by the version of these rows any more: whatever comes of them is newer.
    pub fn forget_versions(&self, ids: &[ClaimId]) -> Result<()> {
        for id in ids {
            self.run(
                "UPDATE received SET version = 0, sha256 = lower(hex(zeroblob(32))) WHERE id = ?1",
                [id],
            )?;
        }
        Ok(())
    }

    /// Notes what became of these rows, whatever follows from their records.
    pub fn note_outcomes(&self, ids: impl Iterator<Item = ClaimId>) -> Result<()> {
        for id in ids {
            self.run(
                "INSERT INTO change(entry) SELECT json_object('t', 'received', 'is', json_object('origin', origin,
                   'kind', kind, 'key', key, 'version', version, 'sha256', sha256, 'outcome', outcome, 'rule', rule,
                   'state', state, 'basis_version', basis_version)) FROM received WHERE id = ?1",
                [id],
            )?;
        }
        Ok(())
    }

    /// Puts every record of `origin` outside the state digest: a new epoch counts anew.
    pub fn orphan_all(&self, origin: ParticipantCode) -> Result<()> {
        self.run("UPDATE received SET in_digest = 0 WHERE origin = ?1", [origin.as_str()])?;
        Ok(())
    }

    /// Counts of received records by origin, kind and standing.
    pub fn received_counts(&self) -> Result<Vec<(String, String, String, u64)>> {
        self.rows(
            "SELECT origin, kind, state, count(*) FROM received GROUP BY origin, kind, state ORDER BY 1, 2, 3",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
    }

    /// How many records of `origin` are `outcome`: `refused` or `held`.
    pub fn outcome_count(&self, origin: ParticipantCode, outcome: &str) -> Result<u64> {
        let count = "SELECT count(*) FROM received WHERE origin = ?1 AND outcome = ?2";
        Ok(self.value(count, [origin.as_str(), outcome])?.unwrap_or(0))
    }
}

const SELECT_RECEIVED: &str = "SELECT id, origin, kind, key, state,
    coalesce(basis_version, version) AS version, coalesce(basis, body) AS body FROM received";

/// The record of a row with kind, key, version and form, whose bytes stand in the column `body`.
pub(super) fn read_record(row: &Row<'_>, body: &str) -> Result<Record> {
    Ok(Record {
        kind: parsed(row, "received", "kind")?,
        key: parsed(row, "received", "key")?,
        version: row.get("version")?,
        form: parsed(row, "received", "form")?,
        body: row.get(body)?,
        signature: None,
    })
}

fn read_received(row: &Row<'_>) -> Result<Option<Received>, DatabaseError> {
    let kind: Kind = parsed(row, "received", "kind")?;
    let bytes: Vec<u8> = row.get("body")?;
    let Ok(body) = Body::from_xml(kind, &bytes) else { return Ok(None) };
    Ok(Some(Received {
        id: row.get("id")?,
        standing: parsed(row, "received", "state")?,
        claim: Claim {
            origin: parsed(row, "received", "origin")?,
            key: parsed(row, "received", "key")?,
            version: row.get("version")?,
            body,
        },
    }))
}
