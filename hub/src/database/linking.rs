//! The linking index, what pairs of claims are to each other, and staff's decisions about them.

use std::collections::BTreeSet;

use exchange_format::{participant::ParticipantCode, record::RecordId};
use rusqlite::params;

use super::{DatabaseError, Result, Tx, parsed, received::ClaimId};
use crate::decisions::linking::{BlockingKey, Reason, Rule, Verdict, clusters::Decision};

/// A claim named beyond this database.
pub type ClaimName = (ParticipantCode, RecordId);

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

impl Tx<'_> {
    /// Replaces the index keys of a claim; without keys it is no longer found.
    pub fn set_link_keys(&self, claim: ClaimId, keys: &[BlockingKey]) -> Result<()> {
        self.run("DELETE FROM link_key WHERE claim = ?1", [claim])?;
        for key in keys {
            self.run("INSERT INTO link_key(key, claim) VALUES(?1, ?2)", params![key.get(), claim])?;
        }
        Ok(())
    }

    /// The other claims that share a key with `claim`, at most `limit` of a key. A key that more share is no
    /// fact about a person (a shared phone, a number typed to fill a field); it is passed over.
    pub fn candidates(
        &self,
        claim: ClaimId,
        keys: &[BlockingKey],
        limit: usize,
    ) -> Result<BTreeSet<ClaimId>> {
        let mut found = BTreeSet::new();
        for key in keys {
            // «0 +»: SQLite makes a new plan for each value of a bare parameter there
            let block: Vec<ClaimId> = self.rows(
                "SELECT claim FROM link_key WHERE key = ?1 LIMIT 0 + ?2",
                params![key.get(), limit + 1],
                |row| Ok(row.get(0)?),
            )?;
            if block.len() <= limit {
                found.extend(block);
            }
        }
        found.remove(&claim);
        Ok(found)
    }

    /// Forgets what `claim` is to others; gives back whom it was linked to.
    pub fn clear_pairs(&self, claim: ClaimId) -> Result<Vec<ClaimId>> {
        let others = self.linked(claim)?;
        self.run("DELETE FROM pair WHERE a = ?1", [claim])?;
        self.run("DELETE FROM pair WHERE b = ?1", [claim])?;
        Ok(others)
    }

    /// Stores what two claims are to each other; `Apart` is not stored.
    pub fn set_pair(&self, a: ClaimId, b: ClaimId, verdict: Verdict) -> Result<()> {
        let (link, code) = match verdict {
            Verdict::Link(rule) => (true, rule.code()),
            Verdict::Review(reason) => (false, reason.code()),
            Verdict::Apart => return Ok(()),
        };
        self.run(
            "INSERT OR REPLACE INTO pair(a, b, link, code) VALUES(?1, ?2, ?3, ?4)",
            params![a.min(b), a.max(b), link, code],
        )?;
        Ok(())
    }

    /// The claims that `claim` is linked to by a rule.
    pub fn linked(&self, claim: ClaimId) -> Result<Vec<ClaimId>> {
        self.rows(
            "SELECT b FROM pair WHERE a = ?1 AND link UNION ALL SELECT a FROM pair WHERE b = ?1 AND link",
            [claim],
            |row| Ok(row.get(0)?),
        )
    }

    /// Everything that `claim` is to others: the other claim and the verdict.
    pub fn pairs(&self, claim: ClaimId) -> Result<Vec<(ClaimId, Verdict)>> {
        self.rows(
            "SELECT b AS other, link, code FROM pair WHERE a = ?1
             UNION ALL SELECT a, link, code FROM pair WHERE b = ?1",
            [claim],
            |row| {
                let damaged = || DatabaseError::Damaged { table: "pair", column: "code" };
                let code: String = row.get("code")?;
                let verdict = if row.get("link")? {
                    Verdict::Link(Rule::from_code(&code).ok_or_else(damaged)?)
                } else {
                    Verdict::Review(Reason::from_code(&code).ok_or_else(damaged)?)
                };
                Ok((row.get("other")?, verdict))
            },
        )
    }

    /// Notes a decision of staff about two things of `kind` (`pair` or `programme`).
    pub fn add_staff_decision(&self, kind: &str, decision: &StaffDecision, act: Act<'_>) -> Result<()> {
        let word = match decision.decision {
            Decision::Same => "same",
            Decision::Different => "different",
        };
        self.run(
            "INSERT INTO staff_decision(kind, origin_1, key_1, origin_2, key_2, decision, reason, actor, at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                kind,
                decision.one.0.as_str(),
                decision.one.1.to_string(),
                decision.other.0.as_str(),
                decision.other.1.to_string(),
                word,
                act.reason,
                act.actor,
                act.at,
            ],
        )?;
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
                let decision = if word == "same" { Decision::Same } else { Decision::Different };
                let name = |origin, key| -> Result<ClaimName> {
                    Ok((parsed(row, "staff_decision", origin)?, parsed(row, "staff_decision", key)?))
                };
                let (one, other) = (name("origin_1", "key_1")?, name("origin_2", "key_2")?);
                Ok((row.get("n")?, StaffDecision { one, other, decision }))
            },
        )
    }
}
