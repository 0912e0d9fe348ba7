//! What our protocols (PR) said of the records of centres' packets, for the revisions to come.

use exchange_format::{
    answer::{Counts, RecordLine, RecordOutcome},
    file_name::FileName,
    participant::ParticipantCode,
    position::Mark,
};
use rusqlite::params;

use super::{DatabaseError, Result, Tx, parsed};

/// What the last PR of a packet said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its revision, from 1.
    pub revision: u32,
    /// How many records had each outcome.
    pub counts: Counts,
    /// Those that were not plainly applied, or may come to be refused: a proposal.
    pub lines: Vec<RecordLine>,
}

const PLAIN: [RecordOutcome; 3] = [RecordOutcome::New, RecordOutcome::Changed, RecordOutcome::Unchanged];

impl Tx<'_> {
    /// Keeps what our PR of the packet `packet` says, in place of what an earlier revision said.
    pub fn keep_answer(&self, packet: &str, answer: &Answer) -> Result<()> {
        let [new, changed, unchanged] = PLAIN.map(|outcome| {
            let own = answer.lines.iter().filter(|line| line.outcome == outcome).count() as u64;
            answer.counts.get(outcome).saturating_sub(own)
        });
        self.run(
            "INSERT OR REPLACE INTO answer(packet, revision, new, changed, unchanged) VALUES(?1, ?2, ?3, ?4, ?5)",
            params![packet, answer.revision, new, changed, unchanged],
        )?;
        self.run("DELETE FROM answer_line WHERE packet = ?1", [packet])?;
        for line in &answer.lines {
            self.run(
                "INSERT OR REPLACE INTO answer_line(packet, kind, key, version, outcome, rule, reason)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    packet,
                    line.kind.name(),
                    line.key.to_string(),
                    line.version,
                    line.outcome.word(),
                    line.rule.as_str(),
                    line.reason.code(),
                ],
            )?;
        }
        Ok(())
    }

    /// What our last PR of the packet `packet` said; `None` if nothing of it can have changed since.
    pub fn answer(&self, packet: &str) -> Result<Option<Answer>> {
        let head = self.row(
            "SELECT revision, new, changed, unchanged FROM answer WHERE packet = ?1",
            [packet],
            |row| Ok((row.get(0)?, [row.get::<_, u64>(1)?, row.get(2)?, row.get(3)?])),
        )?;
        let Some((revision, plain)) = head else { return Ok(None) };
        let lines = self.rows(
            "SELECT kind, key, version, outcome, rule, reason FROM answer_line WHERE packet = ?1 ORDER BY kind, key",
            [packet],
            |row| {
                let word: String = row.get("outcome")?;
                let outcome = RecordOutcome::from_word(&word);
                Ok(RecordLine {
                    kind: parsed(row, "answer_line", "kind")?,
                    key: parsed(row, "answer_line", "key")?,
                    version: row.get("version")?,
                    outcome: outcome
                        .ok_or(DatabaseError::Damaged { table: "answer_line", column: "outcome" })?,
                    rule: parsed(row, "answer_line", "rule")?,
                    reason: parsed(row, "answer_line", "reason")?,
                })
            },
        )?;
        let mut counts = Counts::default();
        for (outcome, count) in PLAIN.into_iter().zip(plain) {
            counts.set(outcome, count);
        }
        for line in &lines {
            counts.add(line.outcome);
        }
        Ok(Some(Answer { revision, counts, lines }))
    }

    /// The position and digest of the packet `name` of a centre.
    pub fn mark_of(&self, name: &str) -> Result<Option<Mark>> {
        let digest =
            self.row("SELECT digest FROM packet WHERE name = ?1 AND digest IS NOT NULL", [name], |row| {
                parsed(row, "packet", "digest")
            })?;
        let position = name.parse::<FileName>().ok().map(|name| name.position);
        Ok(position.zip(digest).map(|(position, digest)| Mark { position, digest }))
    }

    /// Whether `name` is a PR to `peer` that took the place of an earlier one.
    pub fn is_revision(&self, peer: ParticipantCode, name: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM packet WHERE name = ?1 AND peer = ?2 AND direction = 'out' AND kind = 'PR' AND revision > 1";
        Ok(self.value::<i64>(sql, params![name, peer.as_str()])?.is_some())
    }
}
