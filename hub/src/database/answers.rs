//! What our protocols (PR) said of the records of centres' packets, for the revisions to come.

use exchange_format::{
    answer::{Counts, RecordLine, RecordOutcome, Words},
    file_name::FileName,
    participant::ParticipantCode,
    position::{Digest, Mark},
    record::{Kind, RecordId},
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
                "INSERT OR REPLACE INTO answer_line(packet, kind, key, version, outcome, rule, reason, words)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    packet,
                    line.kind.name(),
                    line.key.to_string(),
                    line.version,
                    line.outcome.word(),
                    line.rule.as_str(),
                    line.reason.code(),
                    line.words.as_ref().map(Words::as_str),
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
            "SELECT kind, key, version, outcome, rule, reason, words FROM answer_line WHERE packet = ?1 ORDER BY kind, key",
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
                    words: row.get::<_, Option<String>>("words")?.as_deref().and_then(Words::of),
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

    /// What was not placed yet of the protocols to `peer` of the packet `digest` before this revision waits no more.
    pub fn supersede_answers(&self, peer: ParticipantCode, digest: &Digest, revision: u32) -> Result<()> {
        self.run(
            "UPDATE packet SET state = 'SUPERSEDED' WHERE answered = ?1 AND peer = ?2 AND direction = 'out' AND kind = 'PR'
               AND state = 'SEALED' AND revision < ?3",
            params![digest.to_string(), peer.as_str(), revision],
        )?;
        Ok(())
    }

    /// What the answer `name` to `peer` is among the answers to the same packet; `None` if it is none of ours.
    pub fn place_of_answer(&self, peer: ParticipantCode, name: &str) -> Result<Option<Place>> {
        self.row(
            &format!("SELECT coalesce(revision, 1) > 1, {SUPERSEDED} FROM packet p WHERE name = ?1 AND peer = ?2 AND direction = 'out'"),
            params![name, peer.as_str()],
            |row| {
                Ok(match (row.get(0)?, row.get(1)?) {
                    (_, true) => Place::Superseded,
                    (true, false) => Place::Revision,
                    (false, false) => Place::First,
                })
            },
        )
    }

    /// Records of `centre` that our last PR of their packet calls held and that are applied now: packet, kind, key,
    /// version.
    pub fn held_no_more(&self, centre: ParticipantCode) -> Result<Vec<(String, Kind, RecordId, u32)>> {
        self.rows(
            "SELECT l.packet, l.kind, l.key, l.version FROM answer_line l INDEXED BY answer_line_held
               JOIN packet p ON p.name = l.packet
               JOIN received r ON r.origin = p.peer AND r.kind = l.kind AND r.key = l.key
             WHERE l.outcome = 'held' AND p.peer = ?1 AND r.packet = l.packet AND r.version = l.version
               AND r.outcome IN ('new', 'changed', 'unchanged')",
            [centre.as_str()],
            |row| {
                let kind = parsed(row, "answer_line", "kind")?;
                Ok((row.get("packet")?, kind, parsed(row, "answer_line", "key")?, row.get("version")?))
            },
        )
    }
}

/// What an answer is among those to the same packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The only one of its kind, or the first.
    First,
    /// A later one, and the newest.
    Revision,
    /// A newer one has taken its place.
    Superseded,
}

/// Whether a newer revision has taken the place of the packet `p`.
pub(super) const SUPERSEDED: &str =
    "(p.kind = 'PR' AND EXISTS (SELECT 1 FROM packet n WHERE n.answered = p.answered
    AND n.peer = p.peer AND n.direction = 'out' AND n.kind = 'PR' AND n.revision > p.revision))";
