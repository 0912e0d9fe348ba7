//! Persons, their documents, the cross-reference from claims, the hub's entries, and who serves whom.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Kind, RecordId},
};
use rusqlite::params;
use serde_json::{Value, json};

use super::{
    Result, Tx,
    linking::{Act, ClaimName},
    parsed, parsed_optional,
    received::ClaimId,
};
use crate::decisions::{document_key::DocumentKey, golden::Source};

/// Where a claim is in the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What it is called.
    pub name: ClaimName,
    /// The person that it is.
    pub uid: RecordId,
    /// The person that it was before that one turned out to be another.
    pub home: RecordId,
}

/// A person's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The person's id.
    pub uid: RecordId,
    /// The case number.
    pub case_number: String,
    /// The serial inside it: persons are as old as it is low.
    pub serial: u64,
    /// The person that this one turned out to be.
    pub merged_into: Option<RecordId>,
}

/// A hub's own value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value; empty: there is none.
    pub value: String,
    /// Why it was entered.
    pub reason: String,
    /// By whom.
    pub actor: String,
    /// When, RFC 3339.
    pub at: String,
}

impl Tx<'_> {
    /// The highest serial of a case number given out; 0 if none.
    pub fn last_serial(&self) -> Result<u64> {
        Ok(self.value("SELECT coalesce(max(serial), 0) FROM person", [])?.unwrap_or(0))
    }

    /// Adds a person.
    pub fn add_person(&self, uid: RecordId, case_number: &str, serial: u64) -> Result<()> {
        self.run(
            "INSERT INTO person(uid, case_number, serial) VALUES(?1, ?2, ?3)",
            params![uid.to_string(), case_number, serial],
        )?;
        Ok(())
    }

    /// The person `uid`.
    pub fn person(&self, uid: RecordId) -> Result<Option<PersonRow>> {
        self.row("SELECT * FROM person WHERE uid = ?1", [uid.to_string()], read_person)
    }

    /// The person that `uid` turned out to be: mostly itself.
    pub fn person_meant(&self, uid: RecordId) -> Result<RecordId> {
        Ok(self.person(uid)?.and_then(|person| person.merged_into).unwrap_or(uid))
    }

    /// The persons who turned out to be `uid`.
    pub fn merged_into(&self, uid: RecordId) -> Result<Vec<RecordId>> {
        let sql = "SELECT uid FROM person WHERE merged_into = ?1 ORDER BY serial";
        self.rows(sql, [uid.to_string()], |row| parsed(row, "person", "uid"))
    }

    /// The person with this case number.
    pub fn person_by_case(&self, case_number: &str) -> Result<Option<PersonRow>> {
        self.row("SELECT * FROM person WHERE case_number = ?1", [case_number], read_person)
    }

    /// Says that `uid` turned out to be `into`, or (`None`) stands for itself. Flat: what pointed to `uid`
    /// points to `into` as well. Entries, documents and confirmations of service stay with the person that they were
    /// made for, and count for `into` as long as it is that: so that nothing is lost if the two are parted again.
    pub fn set_merged_into(&self, uid: RecordId, into: Option<RecordId>) -> Result<()> {
        let (from, to) = (uid.to_string(), into.map(|into| into.to_string()));
        self.run("UPDATE person SET merged_into = ?2 WHERE uid = ?1 OR merged_into = ?1", params![from, to])?;
        Ok(())
    }

    /// Whether `uid` is known beyond the hub, or staff have worked on it.
    pub fn stands(&self, uid: RecordId) -> Result<bool> {
        let sql = "SELECT EXISTS(SELECT 1 FROM publication WHERE person = ?1)
                     OR EXISTS(SELECT 1 FROM hub_entry WHERE uid = ?1) OR EXISTS(SELECT 1 FROM service WHERE uid = ?1)";
        Ok(self.value(sql, [uid.to_string()])?.unwrap_or(false))
    }

    /// Whether any centre is told of `uid`, or was.
    pub fn was_published(&self, uid: RecordId) -> Result<bool> {
        let sql = "SELECT EXISTS(SELECT 1 FROM publication WHERE person = ?1)";
        Ok(self.value(sql, [uid.to_string()])?.unwrap_or(false))
    }

    /// The claims of each person that any centre is told of, or was: by their persons.
    pub fn published_claims(&self) -> Result<BTreeMap<RecordId, Vec<ClaimId>>> {
        let mut claims: BTreeMap<RecordId, Vec<ClaimId>> = BTreeMap::new();
        let sql = "SELECT uid, claim FROM person_record WHERE kind = 'recipient_claim'
                     AND uid IN (SELECT person FROM publication) ORDER BY uid, claim";
        for (uid, claim) in
            self.rows(sql, [], |row| Ok((parsed(row, "person_record", "uid")?, row.get(1)?)))?
        {
            claims.entry(uid).or_default().push(claim);
        }
        Ok(claims)
    }

    /// The person that a claim was of before that one turned out to be another.
    pub fn home_of(&self, claim: ClaimId) -> Result<Option<RecordId>> {
        self.row("SELECT home FROM person_record WHERE claim = ?1", [claim], |row| {
            parsed(row, "person_record", "home")
        })
    }

    /// Where a claim is in the register, whether or not the hub still goes by it.
    pub fn place_of(&self, claim: ClaimId) -> Result<Option<Place>> {
        self.row("SELECT origin, key, uid, home FROM person_record WHERE claim = ?1", [claim], |row| {
            let name = (parsed(row, "person_record", "origin")?, parsed(row, "person_record", "key")?);
            let (uid, home) = (parsed(row, "person_record", "uid")?, parsed(row, "person_record", "home")?);
            Ok(Place { name, uid, home })
        })
    }

    /// Says where a claim goes back to, if its person turns out to be none.
    pub fn set_home(&self, claim: ClaimId, home: RecordId) -> Result<()> {
        self.run("UPDATE person_record SET home = ?2 WHERE claim = ?1", params![claim, home.to_string()])?;
        Ok(())
    }

    /// Says which person or document a claim is, by which rule.
    pub fn set_person_record(
        &self,
        origin: ParticipantCode,
        kind: Kind,
        key: RecordId,
        claim: ClaimId,
        uid: RecordId,
        rule: &str,
    ) -> Result<()> {
        self.run(
            "INSERT INTO person_record(origin, kind, key, uid, rule, claim, home) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?4)
             ON CONFLICT DO UPDATE SET uid = excluded.uid, rule = excluded.rule",
            params![origin.as_str(), kind.name(), key.to_string(), uid.to_string(), rule, claim],
        )?;
        Ok(())
    }

    /// Takes a claim out of the cross-reference.
    pub fn remove_person_record(&self, claim: ClaimId) -> Result<()> {
        self.run("DELETE FROM person_record WHERE claim = ?1", [claim])?;
        Ok(())
    }

    /// Which person or document the claim in row `claim` is.
    pub fn uid_of(&self, claim: ClaimId) -> Result<Option<RecordId>> {
        self.row("SELECT uid FROM person_record WHERE claim = ?1", [claim], |row| {
            parsed(row, "person_record", "uid")
        })
    }

    /// Which person or document the claim of `origin` with `kind` and `key` is.
    pub fn uid_of_key(&self, origin: ParticipantCode, kind: Kind, key: RecordId) -> Result<Option<RecordId>> {
        self.row(
            "SELECT uid FROM person_record WHERE origin = ?1 AND kind = ?2 AND key = ?3",
            params![origin.as_str(), kind.name(), key.to_string()],
            |row| parsed(row, "person_record", "uid"),
        )
    }

    /// The rows of the claims that are `uid`.
    pub fn claims_of(&self, uid: RecordId) -> Result<Vec<ClaimId>> {
        self.rows("SELECT claim FROM person_record WHERE uid = ?1 ORDER BY claim", [uid.to_string()], |row| {
            Ok(row.get(0)?)
        })
    }

    /// Claims of `uid` with their rule, for staff.
    pub fn rules_of(&self, uid: RecordId) -> Result<Vec<(ParticipantCode, RecordId, String)>> {
        self.rows(
            "SELECT origin, key, rule FROM person_record WHERE uid = ?1 ORDER BY origin, key",
            [uid.to_string()],
            |row| {
                let origin = parsed(row, "person_record", "origin")?;
                Ok((origin, parsed(row, "person_record", "key")?, row.get(2)?))
            },
        )
    }

    /// How many recipient claims each rule linked.
    pub fn links_by_rule(&self) -> Result<BTreeMap<String, u64>> {
        let rows = self.rows(
            "SELECT rule, count(*) FROM person_record WHERE kind = 'recipient_claim' GROUP BY rule",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// The persons that have a claim.
    pub fn people(&self) -> Result<BTreeSet<RecordId>> {
        let sql = "SELECT DISTINCT uid FROM person_record WHERE kind = 'recipient_claim'";
        Ok(self.rows(sql, [], |row| parsed(row, "person_record", "uid"))?.into_iter().collect())
    }

    /// Persons that stand for themselves and have a claim.
    pub fn person_count(&self) -> Result<u64> {
        let sql = "SELECT count(DISTINCT uid) FROM person_record WHERE kind = 'recipient_claim'";
        Ok(self.value(sql, [])?.unwrap_or(0))
    }

    /// The document that staff say `uid` is: mostly itself.
    pub fn document_meant(&self, uid: RecordId) -> Result<RecordId> {
        let into = self.row("SELECT joined_into FROM document WHERE uid = ?1", [uid.to_string()], |row| {
            parsed_optional(row, "document", "joined_into")
        })?;
        Ok(into.flatten().unwrap_or(uid))
    }

    /// The documents of `person`, also those that stand apart of the first of their number: each with the one that staff say it is,
    /// and the key under which it is stored.
    pub fn documents_as_stored(
        &self,
        person: RecordId,
        kind: Kind,
    ) -> Result<Vec<(RecordId, RecordId, String)>> {
        self.rows(
            "SELECT uid, coalesce(joined_into, uid) AS meant, number_date FROM document
             WHERE person IN (SELECT ?1 UNION ALL SELECT uid FROM person WHERE merged_into = ?1) AND kind = ?2
             ORDER BY length(number_date), person <> ?1, person, uid",
            params![person.to_string(), kind.name()],
            |row| Ok((parsed(row, "document", "uid")?, parsed(row, "document", "meant")?, row.get(2)?)),
        )
    }

    /// The document of `person` that stands apart under `key`; the one that staff say it is.
    pub fn document_apart(
        &self,
        person: RecordId,
        kind: Kind,
        key: &DocumentKey,
    ) -> Result<Option<RecordId>> {
        self.row(
            "SELECT coalesce(joined_into, uid) AS uid FROM document
             WHERE person IN (SELECT ?1 UNION ALL SELECT uid FROM person WHERE merged_into = ?1)
               AND kind = ?2 AND number_date = ?3 ORDER BY person <> ?1, person LIMIT 1",
            params![person.to_string(), kind.name(), key.as_str()],
            |row| parsed(row, "document", "uid"),
        )
    }

    /// The key of the document `uid`, as stored.
    pub fn number_of(&self, uid: RecordId) -> Result<Option<String>> {
        self.row("SELECT number_date FROM document WHERE uid = ?1", [uid.to_string()], |row| Ok(row.get(0)?))
    }

    /// Stores the document `uid` under `number_date`, unless another of its person has that.
    pub fn renumber_document(&self, uid: RecordId, number_date: &str) -> Result<()> {
        self.run(
            "UPDATE OR IGNORE document SET number_date = ?2 WHERE uid = ?1",
            params![uid.to_string(), number_date],
        )?;
        Ok(())
    }

    /// Says that the document `uid` is `into`, or (`None`) itself.
    pub fn join_document(&self, uid: RecordId, into: Option<RecordId>) -> Result<()> {
        let into = into.map(|into| into.to_string());
        self.run("UPDATE document SET joined_into = ?2 WHERE uid = ?1", params![uid.to_string(), into])?;
        Ok(())
    }

    /// All documents of `person`, each with the one that staff say it is, if that is another; the lesser first.
    pub fn all_documents_of(&self, person: RecordId) -> Result<Vec<(RecordId, Option<RecordId>)>> {
        self.rows(
            "SELECT uid, joined_into FROM document
             WHERE person IN (SELECT ?1 UNION ALL SELECT uid FROM person WHERE merged_into = ?1) ORDER BY uid",
            [person.to_string()],
            |row| {
                Ok((parsed(row, "document", "uid")?, parsed_optional(row, "document", "joined_into")?))
            },
        )
    }

    /// Adds a document.
    pub fn add_document(&self, uid: RecordId, kind: Kind, person: RecordId, number_date: &str) -> Result<()> {
        self.run(
            "INSERT INTO document(uid, kind, person, number_date) VALUES(?1, ?2, ?3, ?4)",
            params![uid.to_string(), kind.name(), person.to_string(), number_date],
        )?;
        Ok(())
    }

    /// The documents of `person`.
    pub fn documents_of(&self, person: RecordId) -> Result<Vec<(RecordId, Kind)>> {
        self.rows(
            "SELECT uid, kind FROM document
             WHERE person IN (SELECT ?1 UNION ALL SELECT uid FROM person WHERE merged_into = ?1)
               AND joined_into IS NULL ORDER BY kind, uid",
            [person.to_string()],
            |row| Ok((parsed(row, "document", "uid")?, parsed(row, "document", "kind")?)),
        )
    }

    /// Whose document `uid` is.
    pub fn person_of_document(&self, uid: RecordId) -> Result<Option<RecordId>> {
        self.row(
            "SELECT coalesce(p.merged_into, d.person) AS person FROM document d LEFT JOIN person p ON p.uid = d.person
             WHERE d.uid = ?1",
            [uid.to_string()],
            |row| parsed(row, "document", "person"),
        )
    }

    /// Whose the document or other record that staff drew up `key` is.
    pub fn person_of_paper(&self, key: RecordId) -> Result<Option<RecordId>> {
        if let Some(person) = self.person_of_document(key)? {
            return Ok(Some(person));
        }
        let drawn = self.drawn(key)?.and_then(|drawn| drawn.person);
        drawn.map(|person| self.person_meant(person)).transpose()
    }

    /// Replaces where the values of a person come from; `hub` is the origin of the hub's own entries.
    pub fn set_field_sources(
        &self,
        uid: RecordId,
        hub: ParticipantCode,
        sources: &BTreeMap<&'static str, Source>,
    ) -> Result<()> {
        let mut of: BTreeMap<(ParticipantCode, RecordId), Vec<&str>> = BTreeMap::new();
        for (field, source) in sources {
            let source = match source {
                Source::Hub => (hub, uid),
                Source::Claim { origin, key } => (*origin, *key),
            };
            of.entry(source).or_default().push(field);
        }
        let of: Value = of.into_iter().map(|((origin, key), fields)| {
            json!({ "origin": origin.as_str(), "key": key.to_string(), "fields": fields })
        }).collect();
        // a row that would stay as it is is not written again
        self.run(
            "INSERT INTO person_source(uid, sources) VALUES(?1, ?2)
             ON CONFLICT DO UPDATE SET sources = excluded.sources WHERE sources <> excluded.sources",
            params![uid.to_string(), of.to_string()],
        )?;
        Ok(())
    }

    /// The hub's own entries about `uid`, and about persons who turned out to be it: its own first, then the newest.
    pub fn entries(&self, uid: RecordId) -> Result<BTreeMap<String, Entry>> {
        Ok(self.all_entries(uid)?.into_iter().collect())
    }

    /// Those too that do not stand: of a person that is two who were joined each may have one of a field. The last of a field
    /// stands.
    pub fn all_entries(&self, uid: RecordId) -> Result<Vec<(String, Entry)>> {
        self.rows(
            "SELECT field, value, reason, actor, at FROM hub_entry
             WHERE uid IN (SELECT ?1 UNION ALL SELECT uid FROM person WHERE merged_into = ?1) ORDER BY uid = ?1, at, uid",
            [uid.to_string()],
            |row| {
                let entry =
                    Entry { value: row.get(1)?, reason: row.get(2)?, actor: row.get(3)?, at: row.get(4)? };
                Ok((row.get(0)?, entry))
            },
        )
    }

    /// Enters the hub's own value of a field.
    pub fn set_entry(&self, uid: RecordId, field: &str, value: &str, act: Act<'_>) -> Result<()> {
        self.run(
            "INSERT INTO hub_entry(uid, field, value, reason, actor, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET value = excluded.value, reason = excluded.reason,
               actor = excluded.actor, at = excluded.at",
            params![uid.to_string(), field, value, act.reason, act.actor, act.at],
        )?;
        Ok(())
    }

    /// Takes the hub's own value of a field back.
    pub fn remove_entry(&self, uid: RecordId, field: &str) -> Result<()> {
        self.run(
            "DELETE FROM hub_entry WHERE field = ?2
               AND uid IN (SELECT ?1 UNION ALL SELECT uid FROM person WHERE merged_into = ?1)",
            params![uid.to_string(), field],
        )?;
        Ok(())
    }

    /// Confirms that `centre` serves `uid`; whether that is new.
    pub fn confirm_service(&self, centre: ParticipantCode, uid: RecordId, act: Act<'_>) -> Result<bool> {
        let added = self.run(
            "INSERT OR IGNORE INTO service(centre, uid, reason, actor, at) VALUES(?1, ?2, ?3, ?4, ?5)",
            params![centre.as_str(), uid.to_string(), act.reason, act.actor, act.at],
        )?;
        Ok(added == 1)
    }

    /// `centre` no longer counts as serving `uid`; whether it did.
    pub fn end_service(&self, centre: ParticipantCode, uid: RecordId) -> Result<bool> {
        let sql = "DELETE FROM service WHERE centre = ?1 AND uid = ?2";
        Ok(self.run(sql, params![centre.as_str(), uid.to_string()])? > 0)
    }

    /// Whether staff confirmed that `centre` serves `uid`, or a person who turned out to be it.
    pub fn serves(&self, centre: ParticipantCode, uid: RecordId) -> Result<bool> {
        let found: Option<i64> = self.value(
            "SELECT 1 FROM service WHERE centre = ?1
               AND uid IN (SELECT ?2 UNION ALL SELECT uid FROM person WHERE merged_into = ?2)",
            params![centre.as_str(), uid.to_string()],
        )?;
        Ok(found.is_some())
    }
}

fn read_person(row: &rusqlite::Row<'_>) -> Result<PersonRow> {
    Ok(PersonRow {
        uid: parsed(row, "person", "uid")?,
        case_number: row.get("case_number")?,
        serial: row.get("serial")?,
        merged_into: parsed_optional(row, "person", "merged_into")?,
    })
}
