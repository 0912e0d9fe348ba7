//! What waits for staff, and what they decided.

use exchange_format::{participant::ParticipantCode, record::RecordId};
use rusqlite::{Row, params};

use super::{
    Result, Tx,
    linking::{Act, ClaimName},
    parsed,
};

/// Something for staff to decide about two claims, two documents, or one twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its number.
    pub n: i64,
    /// `pair`, `programme`, `held`, `proposal` or `value`.
    pub kind: String,
    /// Why staff are asked.
    pub reason: String,
    /// The lesser of the two.
    pub one: ClaimName,
    /// The greater.
    pub other: ClaimName,
    /// `open`, `decided` or `gone`.
    pub state: String,
    /// What they decided.
    pub decision: Option<String>,
    /// When they did, or when it had answered itself.
    pub closed_at: Option<String>,
    /// Who took it on.
    pub assigned: Option<String>,
    /// Whether it is to be asked after all others.
    pub put_off: bool,
    /// What staff last did with it.
    pub last: Option<LastAct>,
}

/// What staff last did with a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LastAct {
    /// What they decided (`same`, `different` …); `defer` or `assign`, if they left it open.
    pub decision: String,
    /// Who.
    pub actor: String,
    /// When it was decided.
    pub at: Option<String>,
    /// Why.
    pub reason: String,
}

impl Tx<'_> {
    /// Asks staff, unless they are asked or have decided already; a question that had gone is asked again. What
    /// they decided about a centre's claim they decided about one version: about a newer one they are asked anew. What
    /// they said of two records before a death was known that contradicts it they are asked once more.
    pub fn open_review(
        &self,
        kind: &str,
        reason: &str,
        one: ClaimName,
        other: ClaimName,
        at: &str,
    ) -> Result<()> {
        let (one, other) = if one <= other { (one, other) } else { (other, one) };
        self.run(
            "INSERT INTO review(kind, reason, origin_1, key_1, origin_2, key_2, opened_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT(kind, origin_1, key_1, origin_2, key_2) DO UPDATE SET
               reason = excluded.reason, state = 'open', opened_at = excluded.opened_at, closed_at = NULL,
               decision = NULL, why = NULL, actor = NULL, put_off = 0
             WHERE state = 'gone' OR (state = 'decided' AND (kind IN ('held', 'proposal')
               OR reason <> excluded.reason AND excluded.reason = 'DEATH'))",
            params![
                kind,
                reason,
                one.0.as_str(),
                one.1.to_string(),
                other.0.as_str(),
                other.1.to_string(),
                at
            ],
        )?;
        Ok(())
    }

    /// The open question about two claims is asked for another reason by now. One that staff ask stays theirs.
    pub fn set_reason(&self, reason: &str, one: ClaimName, other: ClaimName) -> Result<()> {
        self.run(
            "UPDATE review SET reason = ?1 WHERE kind = 'pair' AND origin_1 = ?2 AND key_1 = ?3 AND origin_2 = ?4
               AND key_2 = ?5 AND state = 'open' AND reason <> ?1 AND reason NOT IN ('STAFF', 'SPLIT', 'DEATH')",
            [reason, one.0.as_str(), &one.1.to_string(), other.0.as_str(), &other.1.to_string()],
        )?;
        Ok(())
    }

    /// The question about these two has answered itself; whether there was one. One about a value is settled by the value alone: what staff
    /// said of an earlier one does not stand for the next.
    pub fn close_review(&self, kind: &str, one: ClaimName, other: ClaimName, at: &str) -> Result<bool> {
        let (one, other) = if one <= other { (one, other) } else { (other, one) };
        let closed = self.run(
            "UPDATE review SET state = 'gone', closed_at = ?6 WHERE kind = ?1 AND origin_1 = ?2 AND key_1 = ?3
               AND origin_2 = ?4 AND key_2 = ?5 AND (state = 'open' OR state = 'decided' AND kind = 'value')",
            params![kind, one.0.as_str(), one.1.to_string(), other.0.as_str(), other.1.to_string(), at],
        )?;
        Ok(closed > 0)
    }

    /// Notes what staff decided.
    pub fn decide_review(&self, n: i64, decision: &str, act: Act<'_>) -> Result<()> {
        self.run(
            "UPDATE review SET state = 'decided', decision = ?2, why = ?3, actor = ?4, closed_at = ?5 WHERE n = ?1",
            params![n, decision, act.reason, act.actor, act.at],
        )?;
        Ok(())
    }

    /// What was answered without being asked is answered no more: what staff had said before is the answer again; else it is asked
    /// if it comes up.
    pub fn take_review_back(&self, n: i64, at: &str) -> Result<()> {
        let before = self.row(
            "SELECT d.decision, d.reason, d.actor, d.at FROM review r JOIN staff_decision d
               ON d.kind = r.kind AND d.origin_1 = r.origin_1 AND d.key_1 = r.key_1
              AND d.origin_2 = r.origin_2 AND d.key_2 = r.key_2
             WHERE r.n = ?1 ORDER BY d.n DESC LIMIT 1",
            [n],
            |row| Ok::<[String; 4], _>([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]),
        )?;
        if let Some([decision, reason, actor, at]) = &before {
            return self.decide_review(n, decision, Act { actor, reason, at });
        }
        self.run(
            "UPDATE review SET state = 'gone', decision = NULL, why = NULL, actor = NULL, closed_at = ?2 WHERE n = ?1",
            params![n, at],
        )?;
        Ok(())
    }

    /// Puts an open question off: it comes after all others.
    pub fn put_review_off(&self, n: i64, act: Act<'_>) -> Result<()> {
        self.run(
            "UPDATE review SET put_off = 1, why = ?2, actor = ?3 WHERE n = ?1",
            params![n, act.reason, act.actor],
        )?;
        Ok(())
    }

    /// Gives an open question to `to`.
    pub fn assign_review(&self, n: i64, to: &str, act: Act<'_>) -> Result<()> {
        self.run(
            "UPDATE review SET assigned = ?2, put_off = 0, why = ?3, actor = ?4 WHERE n = ?1",
            params![n, to, act.reason, act.actor],
        )?;
        Ok(())
    }

    /// Why staff have declined what `origin` says under `key`.
    pub fn why_declined(&self, origin: ParticipantCode, key: RecordId) -> Result<Option<String>> {
        self.value(
            "SELECT why FROM review WHERE kind IN ('held', 'proposal') AND origin_1 = ?1 AND key_1 = ?2
               AND origin_2 = ?1 AND key_2 = ?2 AND state = 'decided' AND decision = 'decline'",
            params![origin.as_str(), key.to_string()],
        )
    }

    /// The review `n`.
    pub fn review(&self, n: i64) -> Result<Option<Review>> {
        self.row("SELECT * FROM review WHERE n = ?1", [n], read_review)
    }

    /// The number of the question about these two.
    pub fn review_of(&self, kind: &str, one: ClaimName, other: ClaimName) -> Result<Option<i64>> {
        self.value(
            "SELECT n FROM review WHERE kind = ?1 AND origin_1 = ?2 AND key_1 = ?3 AND origin_2 = ?4 AND key_2 = ?5",
            params![kind, one.0.as_str(), one.1.to_string(), other.0.as_str(), other.1.to_string()],
        )
    }

    /// The question about these two.
    pub fn review_about(&self, kind: &str, one: ClaimName, other: ClaimName) -> Result<Option<Review>> {
        Ok(self.review_of(kind, one, other)?.map(|n| self.review(n)).transpose()?.flatten())
    }

    /// Open reviews above number `after`, and decided ones of which another answer waits for a second signature, at most
    /// `limit`.
    pub fn open_reviews(&self, after: i64, limit: u32) -> Result<Vec<Review>> {
        self.rows(
            "SELECT * FROM review WHERE n IN (SELECT n FROM review WHERE state = 'open' AND n > ?1
               UNION SELECT review FROM signature WHERE second IS NULL AND review > ?1 ORDER BY 1 LIMIT ?2) ORDER BY n",
            params![after, limit],
            read_review,
        )
    }

    /// Open reviews that name the document or claim `key`, of `kind`.
    pub fn open_reviews_of(&self, kind: &str, key: RecordId) -> Result<Vec<Review>> {
        self.rows(
            // each half by its own index: an OR would look at every open question
            "SELECT * FROM review INDEXED BY review_one WHERE kind = ?1 AND state = 'open' AND key_1 = ?2
             UNION
             SELECT * FROM review INDEXED BY review_other WHERE kind = ?1 AND state = 'open' AND key_2 = ?2
             ORDER BY n",
            params![kind, key.to_string()],
            read_review,
        )
    }

    /// How many reviews are open, by kind and reason.
    pub fn review_counts(&self) -> Result<Vec<(String, String, u64)>> {
        self.rows(
            "SELECT kind, reason, count(*) FROM review WHERE state = 'open' GROUP BY 1, 2 ORDER BY 1, 2",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }
}

fn read_review(row: &Row<'_>) -> Result<Review> {
    let name = |origin, key| -> Result<(ParticipantCode, RecordId)> {
        Ok((parsed(row, "review", origin)?, parsed(row, "review", key)?))
    };
    let (decision, put_off): (Option<String>, bool) = (row.get("decision")?, row.get("put_off")?);
    let left_open = if put_off { "defer" } else { "assign" };
    let last = match row.get::<_, Option<String>>("actor")? {
        Some(actor) => Some(LastAct {
            decision: decision.clone().unwrap_or_else(|| left_open.to_owned()),
            actor,
            at: row.get("closed_at")?,
            reason: row.get::<_, Option<String>>("why")?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(Review {
        n: row.get("n")?,
        kind: row.get("kind")?,
        reason: row.get("reason")?,
        one: name("origin_1", "key_1")?,
        other: name("origin_2", "key_2")?,
        state: row.get("state")?,
        decision,
        closed_at: row.get("closed_at")?,
        assigned: row.get("assigned")?,
        put_off,
        last,
    })
}
