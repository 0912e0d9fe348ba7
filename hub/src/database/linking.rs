//! How claims are linked: the model and what was counted for it, the index of keys, what pairs of claims are to each
//! other, and staff's decisions about them.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{participant::ParticipantCode, record::RecordId};
use rusqlite::{Row, params};

use super::{DatabaseError, Result, Tx, parsed, received::ClaimId};
use crate::decisions::merge::{clusters::Doubtful, staff::Decision};

/// A claim named beyond this database.
pub type ClaimName = (ParticipantCode, RecordId);

/// A recipient claim for the engine. Personal data.
pub struct ClaimToLink {
    /// Its row.
    pub id: ClaimId,
    /// What it is called.
    pub name: ClaimName,
    /// Its body as the hub goes by it.
    pub bytes: Vec<u8>,
}

/// What a claim is to another one that it is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// The other claim.
    pub other: ClaimId,
    /// Whether it is beyond doubt that they are one person.
    pub link: bool,
    /// Why staff are asked, if they are two.
    pub doubt: Doubtful,
    /// log2 of the odds that they are one.
    pub bits: f64,
}

/// A decision of staff about two claims or two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffDecision {
    /// The lesser of the two.
    pub one: ClaimName,
    /// The greater.
    pub other: ClaimName,
    /// What they said.
    pub decision: Decision,
}

/// Who decided, and why.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// The operator.
    pub actor: &'a str,
    /// The reason given.
    pub reason: &'a str,
    /// When, RFC 3339.
    pub at: &'a str,
}

/// A model that is or was in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ModelRow {
    /// Its number.
    pub n: i64,
    /// What it is called.
    pub name: String,
    /// The file's text.
    #[serde(skip)]
    pub text: String,
    /// Why it was put in force.
    pub reason: String,
    /// By whom.
    pub actor: String,
    /// When, RFC 3339.
    pub at: String,
}

impl Tx<'_> {
    /// The text of the model in force; `None` before the first merge.
    pub fn model(&self) -> Result<Option<String>> {
        self.value("SELECT text FROM model ORDER BY n DESC LIMIT 1", [])
    }

    /// Puts a model in force.
    pub fn set_model(&self, name: &str, text: &str, act: Act<'_>) -> Result<()> {
        self.run(
            "INSERT INTO model(name, text, reason, actor, at) VALUES(?1, ?2, ?3, ?4, ?5)",
            params![name, text, act.reason, act.actor, act.at],
        )?;
        Ok(())
    }

    /// The models that were in force, the last one first: it is.
    pub fn models(&self) -> Result<Vec<ModelRow>> {
        self.rows("SELECT n, name, text, reason, actor, at FROM model ORDER BY n DESC", [], |row| {
            let (reason, actor, at) = (row.get(3)?, row.get(4)?, row.get(5)?);
            Ok(ModelRow { n: row.get(0)?, name: row.get(1)?, text: row.get(2)?, reason, actor, at })
        })
    }

    /// The recipient claim in row `id`, if the hub goes by it.
    pub fn claim_to_link(&self, id: ClaimId) -> Result<Option<ClaimToLink>> {
        self.row(
            "SELECT id, origin, key, coalesce(basis, body) FROM received WHERE id = ?1 AND kind = 'recipient_claim'
               AND state NOT IN ('gone', 'refused')",
            [id],
            read_claim_to_link,
        )
    }

    /// What the recipient claim in row `id` is called, and what it was read to say when it was last indexed; `None`: nobody knows.
    pub fn reading(&self, id: ClaimId) -> Result<Option<(ClaimName, Vec<u8>)>> {
        self.row("SELECT origin, key, reading FROM claim_reading WHERE claim = ?1", [id], |row| {
            let name = (parsed(row, "claim_reading", "origin")?, parsed(row, "claim_reading", "key")?);
            Ok((name, row.get(2)?))
        })
    }

    /// Keeps what a recipient claim was read to say.
    pub fn set_reading(&self, id: ClaimId, name: ClaimName, reading: &[u8]) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO claim_reading(claim, origin, key, reading) VALUES(?1, ?2, ?3, ?4)",
            params![id, name.0.as_str(), name.1.to_string(), reading],
        )?;
        Ok(())
    }

    /// Forgets what a claim was read to say.
    pub fn forget_reading(&self, id: ClaimId) -> Result<()> {
        self.run("DELETE FROM claim_reading WHERE claim = ?1", [id])?;
        Ok(())
    }

    /// Recipient claims of `origin` that the hub goes by, with keys above `after`, at most `limit`; with `waiting` those of an
    /// initial load too that waits for its merge.
    pub fn claims_to_link(
        &self,
        origin: ParticipantCode,
        after: Option<RecordId>,
        limit: u32,
        waiting: bool,
    ) -> Result<Vec<ClaimToLink>> {
        self.rows(
            "SELECT id, origin, key, coalesce(basis, body) FROM received WHERE origin = ?1 AND kind = 'recipient_claim'
               AND key > ?2 AND state NOT IN ('gone', 'refused') AND (?4 OR state <> 'waiting')
             ORDER BY key LIMIT ?3",
            params![origin.as_str(), after.map(|key| key.to_string()).unwrap_or_default(), limit, waiting],
            read_claim_to_link,
        )
    }

    /// The name of a recipient claim that the hub goes by.
    pub fn linkable(&self, claim: ClaimId) -> Result<Option<ClaimName>> {
        self.row(
            "SELECT origin, key FROM received WHERE id = ?1 AND kind = 'recipient_claim'
               AND state NOT IN ('gone', 'refused')",
            [claim],
            |row| Ok((parsed(row, "received", "origin")?, parsed(row, "received", "key")?)),
        )
    }

    /// Replaces the index keys of claims; one without keys is no longer found.
    pub fn set_link_keys(&self, claims: &BTreeMap<ClaimId, BTreeSet<i64>>) -> Result<()> {
        let (mut gone, mut new) = (BTreeSet::new(), BTreeSet::new());
        for (claim, keys) in claims {
            let known = self.value::<Vec<u8>>("SELECT keys FROM claim_keys WHERE claim = ?1", [claim])?;
            let known = read_keys(&known.unwrap_or_default());
            gone.extend(known.difference(keys).map(|key| (*key, *claim)));
            new.extend(keys.difference(&known).map(|key| (*key, *claim)));
            if keys.is_empty() {
                self.run("DELETE FROM claim_keys WHERE claim = ?1", [claim])?;
            } else if known != *keys {
                self.set_claim_keys(*claim, keys)?;
            }
        }
        // in order each page is found and written once
        for (key, claim) in gone {
            self.run("DELETE FROM link_key_late WHERE key = ?1 AND claim = ?2", [key, claim])?;
            self.run("DELETE FROM link_key WHERE key = ?1 AND claim = ?2", [key, claim])?;
        }
        for (key, claim) in new {
            self.run("INSERT INTO link_key_late(key, claim) VALUES(?1, ?2)", [key, claim])?;
        }
        Ok(())
    }

    fn set_claim_keys(&self, claim: ClaimId, keys: &BTreeSet<i64>) -> Result<()> {
        let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).collect();
        self.run("INSERT OR REPLACE INTO claim_keys(claim, keys) VALUES(?1, ?2)", params![claim, bytes])?;
        Ok(())
    }

    /// Replaces the whole index by the keys of `claims`, which is in the order of their rows, and forgets what all claims are to
    /// each other.
    pub fn set_all_link_keys<E: From<DatabaseError>>(
        &self,
        claims: impl Iterator<Item = Result<(ClaimId, BTreeSet<i64>), E>>,
    ) -> Result<(), E> {
        self.clear_links()?;
        let mut all = Vec::new();
        for one in claims {
            let (claim, keys) = one?;
            self.set_claim_keys(claim, &keys)?;
            all.extend(keys.into_iter().map(|key| (key, claim)));
        }
        // in order each page is written once
        all.sort_unstable();
        for (key, claim) in all {
            self.run("INSERT INTO link_key(key, claim) VALUES(?1, ?2)", [key, claim])?;
        }
        Ok(())
    }

    /// Forgets the index, and what all claims are to each other.
    pub fn clear_links(&self) -> Result<()> {
        for table in ["link_key", "link_key_late", "claim_keys", "claim_reading", "pair"] {
            self.run(&format!("DELETE FROM {table}"), [])?;
        }
        Ok(())
    }

    /// Each of `claims` with each other claim that shares a key with it, the lesser first, at most `limit` of a key. A key that
    /// more share is no fact about a person (a shared phone, a number typed to fill a field); it is passed over.
    pub fn candidates(
        &self,
        claims: &BTreeMap<ClaimId, BTreeSet<i64>>,
        limit: usize,
    ) -> Result<BTreeSet<(ClaimId, ClaimId)>> {
        // keys lie anywhere: in order each page is read once
        let mut wanted: Vec<(i64, ClaimId)> =
            claims.iter().flat_map(|(claim, keys)| keys.iter().map(|key| (*key, *claim))).collect();
        wanted.sort_unstable();
        let mut found = BTreeSet::new();
        for of_key in wanted.chunk_by(|one, other| one.0 == other.0) {
            // «0 +»: SQLite makes a new plan for each value of a bare parameter there
            let block: Vec<ClaimId> = self.rows(
                "SELECT claim FROM link_key WHERE key = ?1
                 UNION ALL SELECT claim FROM link_key_late WHERE key = ?1 LIMIT 0 + ?2",
                params![of_key[0].0, limit + 1],
                |row| Ok(row.get(0)?),
            )?;
            if block.len() > limit {
                continue;
            }
            for (_, claim) in of_key {
                let others = block.iter().filter(|other| *other != claim);
                found.extend(others.map(|other| (*claim.min(other), *claim.max(other))));
            }
        }
        Ok(found)
    }

    /// Forgets what `claim` is to others; gives back whom it was like.
    pub fn clear_pairs(&self, claim: ClaimId) -> Result<Vec<ClaimId>> {
        let others = self.likenesses(claim)?.into_iter().map(|one| one.other).collect();
        self.run("DELETE FROM pair WHERE a = ?1", [claim])?;
        self.run("DELETE FROM pair WHERE b = ?1", [claim])?;
        Ok(others)
    }

    /// Stores what `claim` is to another.
    pub fn set_likeness(&self, claim: ClaimId, likeness: &Likeness) -> Result<()> {
        let Likeness { other, link, doubt, bits } = likeness;
        self.run(
            "INSERT OR REPLACE INTO pair(a, b, link, code, bits) VALUES(?1, ?2, ?3, ?4, ?5)",
            params![claim.min(*other), claim.max(*other), link, doubt.code(), bits],
        )?;
        Ok(())
    }

    /// What `claim` is to others that it is like.
    pub fn likenesses(&self, claim: ClaimId) -> Result<Vec<Likeness>> {
        self.rows(
            "SELECT b AS other, link, code, bits FROM pair WHERE a = ?1
             UNION ALL SELECT a, link, code, bits FROM pair WHERE b = ?1",
            [claim],
            |row| {
                let code: String = row.get("code")?;
                let doubt = Doubtful::from_code(&code)
                    .ok_or(DatabaseError::Damaged { table: "pair", column: "code" })?;
                Ok(Likeness {
                    other: row.get("other")?,
                    link: row.get("link")?,
                    doubt,
                    bits: row.get("bits")?,
                })
            },
        )
    }

    /// Each two claims of two people that are alike, with these people.
    pub fn alike_people(&self) -> Result<BTreeMap<(ClaimId, ClaimId), [RecordId; 2]>> {
        let sql = "SELECT p.a, p.b, x.uid AS one, y.uid AS other FROM pair p
                     JOIN person_record x ON x.claim = p.a JOIN person_record y ON y.claim = p.b WHERE x.uid <> y.uid";
        let read = |row: &Row<'_>| {
            let people = [parsed(row, "person_record", "one")?, parsed(row, "person_record", "other")?];
            Ok(((row.get("a")?, row.get("b")?), people))
        };
        Ok(self.rows(sql, [], read)?.into_iter().collect())
    }

    /// The recipient claims that `document` refers to and that are like one with a state of which the date is told, as a
    /// death is, or of one person with it: when somebody applied may say that they are two.
    pub fn beside_the_ended(&self, document: ClaimId) -> Result<Vec<ClaimId>> {
        self.rows(
            "SELECT c.id FROM reference f
               JOIN received c ON c.origin = f.origin AND c.kind = 'recipient_claim' AND c.key = f.referent
             WHERE f.claim = ?1 AND EXISTS(
               SELECT 1 FROM (SELECT b AS other FROM pair WHERE a = c.id UNION ALL SELECT a FROM pair WHERE b = c.id
                   UNION ALL SELECT p.claim FROM person_record m JOIN person_record p ON p.uid = m.uid
                     WHERE m.claim = c.id AND p.claim <> c.id)
                 JOIN received o ON o.id = other WHERE instr(coalesce(o.basis, o.body), CAST('<status_date>' AS BLOB)))",
            [document],
            |row| Ok(row.get(0)?),
        )
    }

    /// Whether a claim of the person `uid` tells the date of a state, as of a death.
    pub fn is_ended(&self, uid: RecordId) -> Result<bool> {
        let sql = "SELECT EXISTS(SELECT 1 FROM person_record p JOIN received o ON o.id = p.claim
                     WHERE p.uid = ?1 AND instr(coalesce(o.basis, o.body), CAST('<status_date>' AS BLOB)))";
        Ok(self.value(sql, [uid.to_string()])?.unwrap_or(false))
    }

    /// Notes a decision of staff about two things of `kind` (`pair` or `programme`).
    pub fn add_staff_decision(&self, kind: &str, decision: &StaffDecision, act: Act<'_>) -> Result<()> {
        self.run(
            "INSERT INTO staff_decision(kind, origin_1, key_1, origin_2, key_2, decision, reason, actor, at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                kind,
                decision.one.0.as_str(),
                decision.one.1.to_string(),
                decision.other.0.as_str(),
                decision.other.1.to_string(),
                decision.decision.code(),
                act.reason,
                act.actor,
                act.at,
            ],
        )?;
        Ok(())
    }

    /// Staff's decision of number `n` counts for nothing any more.
    pub fn take_staff_decision_back(&self, n: i64) -> Result<()> {
        self.run("DELETE FROM staff_decision WHERE n = ?1", [n])?;
        Ok(())
    }

    /// Staff's decisions of `kind` that name `of`, in the order of their taking, each with its number.
    pub fn staff_decisions(&self, kind: &str, of: ClaimName) -> Result<Vec<(i64, StaffDecision)>> {
        self.rows(
            "SELECT * FROM staff_decision WHERE kind = ?1 AND origin_1 = ?2 AND key_1 = ?3
             UNION SELECT * FROM staff_decision WHERE kind = ?1 AND origin_2 = ?2 AND key_2 = ?3 ORDER BY n",
            params![kind, of.0.as_str(), of.1.to_string()],
            |row| {
                let word: String = row.get("decision")?;
                let decision =
                    if word == Decision::Same.code() { Decision::Same } else { Decision::Different };
                let name = |origin, key| -> Result<ClaimName> {
                    Ok((parsed(row, "staff_decision", origin)?, parsed(row, "staff_decision", key)?))
                };
                let (one, other) = (name("origin_1", "key_1")?, name("origin_2", "key_2")?);
                Ok((row.get("n")?, StaffDecision { one, other, decision }))
            },
        )
    }

    /// The last word of staff about `of` and each other.
    pub fn last_words(&self, kind: &str, of: ClaimName) -> Result<BTreeMap<ClaimName, Decision>> {
        let said = self.staff_decisions(kind, of)?.into_iter();
        Ok(said
            .map(|(_, said)| (if said.one == of { said.other } else { said.one }, said.decision))
            .collect())
    }
}

fn read_claim_to_link(row: &Row<'_>) -> Result<ClaimToLink> {
    let name = (parsed(row, "received", "origin")?, parsed(row, "received", "key")?);
    Ok(ClaimToLink { id: row.get(0)?, name, bytes: row.get(3)? })
}

/// Keys as a row of `claim_keys` has them.
fn read_keys(bytes: &[u8]) -> BTreeSet<i64> {
    bytes.as_chunks().0.iter().map(|key| i64::from_be_bytes(*key)).collect()
}
