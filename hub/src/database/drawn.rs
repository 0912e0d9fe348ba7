//! What the hub's staff draw up, and the documents that are not published because of a rule.

use std::collections::BTreeMap;

use exchange_format::{
    record::{Body, Finding, Kind, RecordId},
    rules,
};
use rusqlite::{Row, params};

use super::{DatabaseError, Result, Tx, linking::Act, parsed, parsed_optional};

/// A record that staff drew up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its key, for ever; of a programme or supplement the document's id.
    pub key: RecordId,
    /// What staff's files call it.
    pub id: String,
    /// Whose it is, as it was said; none of the directory.
    pub person: Option<RecordId>,
    /// What it says.
    pub body: Body,
}

/// A document that is not published as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The document.
    pub key: RecordId,
    /// The rule that it breaks first, or the field.
    pub rule: String,
}

impl Tx<'_> {
    /// The record `key`, if staff drew it up.
    pub fn drawn(&self, key: RecordId) -> Result<Option<Drawn>> {
        self.row("SELECT * FROM drawn WHERE key = ?1", [key.to_string()], read)
    }

    /// The record of `kind` that staff's files call `id`.
    pub fn drawn_by_id(&self, kind: Kind, id: &str) -> Result<Option<Drawn>> {
        self.row("SELECT * FROM drawn WHERE kind = ?1 AND id = ?2", [kind.name(), id], read)
    }

    /// Records of `kind` with this mark.
    pub fn drawn_by_mark(&self, kind: Kind, mark: &str) -> Result<Vec<Drawn>> {
        self.rows("SELECT * FROM drawn WHERE kind = ?1 AND mark = ?2 ORDER BY key", [kind.name(), mark], read)
    }

    /// What was drawn up about `person`, and about those who turned out to be it.
    pub fn drawn_of(&self, person: RecordId) -> Result<Vec<Drawn>> {
        self.rows(
            "SELECT * FROM drawn WHERE person = ?1
             UNION ALL
             SELECT d.* FROM person p JOIN drawn d ON d.person = p.uid WHERE p.merged_into = ?1 ORDER BY key",
            [person.to_string()],
            read,
        )
    }

    /// Records of `kind`, above `after` by what files call them, at most `limit`.
    pub fn drawn_after(&self, kind: Kind, after: &str, limit: u32) -> Result<Vec<Drawn>> {
        self.rows(
            "SELECT * FROM drawn WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            params![kind.name(), after, limit],
            read,
        )
    }

    /// Keeps a record that staff drew up, in place of what it was.
    pub fn put_drawn(&self, drawn: &Drawn, mark: Option<&str>, act: Act<'_>) -> Result<()> {
        self.run(
            "INSERT INTO drawn(key, kind, id, person, mark, body, reason, actor, at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT(key) DO UPDATE SET id = excluded.id, person = excluded.person, mark = excluded.mark,
               body = excluded.body, reason = excluded.reason, actor = excluded.actor, at = excluded.at",
            params![
                drawn.key.to_string(),
                drawn.body.kind().name(),
                drawn.id,
                drawn.person.map(|person| person.to_string()),
                mark,
                drawn.body.to_xml(),
                act.reason,
                act.actor,
                act.at
            ],
        )?;
        Ok(())
    }

    /// Forgets a record that staff drew up.
    pub fn remove_drawn(&self, key: RecordId) -> Result<()> {
        self.run("DELETE FROM drawn WHERE key = ?1", [key.to_string()])?;
        Ok(())
    }

    /// Replaces what is known of the documents of `person` that are not published because of a rule.
    pub fn set_faults(&self, person: RecordId, faults: &BTreeMap<RecordId, Finding>) -> Result<()> {
        let person = person.to_string();
        self.run("DELETE FROM fault WHERE person = ?1", [&person])?;
        for (key, finding) in faults {
            self.run(
                "INSERT INTO fault(person, key, rule, field, line) VALUES(?1, ?2, ?3, ?4, ?5)",
                params![person, key.to_string(), finding.word(), finding.field, finding.line],
            )?;
        }
        Ok(())
    }

    /// The documents of `person` that are not published because of a rule.
    pub fn faults_of(&self, person: RecordId) -> Result<Vec<Fault>> {
        self.rows("SELECT * FROM fault WHERE person = ?1 ORDER BY key", [person.to_string()], |row| {
            Ok(Fault { key: parsed(row, "fault", "key")?, rule: row.get("rule")? })
        })
    }

    /// How many documents are not published because of each rule.
    pub fn fault_counts(&self) -> Result<Vec<(String, u64)>> {
        self.rows(
            "SELECT rule, count(*) FROM (SELECT rule FROM fault
               UNION ALL SELECT substr(rule, -3) FROM received
               WHERE outcome = 'held' AND kind IN ('programme_claim', 'supplement_claim') AND substr(rule, -3) IN (?1, ?2))
             GROUP BY 1 ORDER BY 1",
            rules::UNPUBLISHED,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}

fn read(row: &Row<'_>) -> Result<Drawn> {
    let kind: Kind = parsed(row, "drawn", "kind")?;
    let bytes: Vec<u8> = row.get("body")?;
    let damaged = |_| DatabaseError::Damaged { table: "drawn", column: "body" };
    Ok(Drawn {
        key: parsed(row, "drawn", "key")?,
        id: row.get("id")?,
        person: parsed_optional(row, "drawn", "person")?,
        body: Body::from_xml(kind, &bytes).map_err(damaged)?,
    })
}
