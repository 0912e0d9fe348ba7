//! First signatures under «один» about two persons that are published, which wait for a second; and the second ones (ADR 26).

use rusqlite::{Row, params};

use super::{Result, Tx, linking::Act};

/// A signature that somebody gave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Signature {
    /// Who.
    pub actor: String,
    /// When, RFC 3339.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// The signatures under the answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The number of the question.
    pub review: i64,
    /// The first.
    pub first: Signature,
    /// What it was given to, as JSON.
    pub seen: String,
    /// The second; none while it is waited for.
    pub second: Option<Signature>,
}

impl Tx<'_> {
    /// What was signed of the question `n`.
    pub fn signed(&self, n: i64) -> Result<Option<Signed>> {
        self.row("SELECT * FROM signature WHERE review = ?1", [n], read)
    }

    /// The questions with a signature that waits for another one.
    pub fn half_signed(&self) -> Result<Vec<i64>> {
        self.rows("SELECT review FROM signature WHERE second IS NULL ORDER BY review", [], |row| {
            Ok(row.get(0)?)
        })
    }

    /// How many signatures wait for another one, and since when the first of them.
    pub fn half_signed_count(&self) -> Result<(u64, Option<String>)> {
        let sql = "SELECT count(*), min(at) FROM signature WHERE second IS NULL";
        Ok(self.row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default())
    }

    /// Keeps the first signature under the answer to the question `n`, in place of what was signed before.
    pub fn sign_first(&self, n: i64, act: Act<'_>, seen: &str) -> Result<()> {
        self.run(
            "INSERT INTO signature(review, actor, reason, at, seen) VALUES(?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET actor = excluded.actor, reason = excluded.reason, at = excluded.at,
               seen = excluded.seen, second = NULL, second_reason = NULL, second_at = NULL",
            params![n, act.actor, act.reason, act.at, seen],
        )?;
        Ok(())
    }

    /// Keeps the second.
    pub fn sign_second(&self, n: i64, act: Act<'_>) -> Result<()> {
        self.run(
            "UPDATE signature SET second = ?2, second_reason = ?3, second_at = ?4 WHERE review = ?1",
            params![n, act.actor, act.reason, act.at],
        )?;
        Ok(())
    }

    /// Nothing is signed of the question `n` any more.
    pub fn unsign(&self, n: i64) -> Result<()> {
        self.run("DELETE FROM signature WHERE review = ?1", [n])?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> Result<Signed> {
    let second: Option<String> = row.get("second")?;
    let second = match second {
        Some(actor) => {
            Some(Signature { actor, at: row.get("second_at")?, reason: row.get("second_reason")? })
        }
        None => None,
    };
    let first = Signature { actor: row.get("actor")?, at: row.get("at")?, reason: row.get("reason")? };
    Ok(Signed { review: row.get("review")?, first, seen: row.get("seen")?, second })
}
