//! The hub's stream to itself: every input and every generated value, until it is sealed into a packet.

use std::collections::BTreeSet;

use exchange_format::record::{Body, Kind, Record, RecordId};
use rusqlite::params;

use super::{Result, Tx, parsed};

/// A record of a person that a packet brought or took: its last version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Whether it came from the centre; else it was published to it.
    pub received: bool,
    /// The centre.
    pub centre: String,
    /// The kind of record.
    pub kind: String,
    /// Its key.
    pub key: RecordId,
    /// Its version.
    pub version: u32,
    /// Whether it stands.
    pub live: bool,
    /// The packet.
    pub packet: String,
    /// When the packet was taken or sealed.
    pub at: Option<String>,
}

impl Tx<'_> {
    /// Notes an input: a `hub_input` record, version 1 for ever.
    pub fn add_input(&self, record: &Record, at: &str, action: &str) -> Result<()> {
        self.run(
            "INSERT INTO hub_input(key, at, action, body) VALUES(?1, ?2, ?3, ?4)",
            params![record.key.to_string(), at, action, record.body],
        )?;
        Ok(())
    }

    /// Whether there is an input with this key.
    pub fn knows_input(&self, key: RecordId) -> Result<bool> {
        let found: Option<i64> = self.value("SELECT 1 FROM hub_input WHERE key = ?1", [key.to_string()])?;
        Ok(found.is_some())
    }

    /// The inputs with one of these actions, in the order in which they were made.
    pub fn inputs_of(&self, actions: &[&str]) -> Result<Vec<Body>> {
        let mut inputs = Vec::new();
        for action in actions {
            inputs.extend(self.rows("SELECT n, body FROM hub_input WHERE action = ?1", [action], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })?);
        }
        inputs.sort_unstable();
        Ok(inputs.iter().filter_map(|(_, body)| Body::from_xml(Kind::HubInput, body).ok()).collect())
    }

    /// Inputs not sealed yet, at most `limit`, in the order in which they were made.
    pub fn unsealed_inputs(&self, limit: u32) -> Result<Vec<Record>> {
        self.rows(
            "SELECT key, body FROM hub_input WHERE packet IS NULL ORDER BY n LIMIT ?1",
            [limit],
            |row| {
                Ok(Record {
                    kind: Kind::HubInput,
                    key: parsed(row, "hub_input", "key")?,
                    version: 1,
                    form: exchange_format::record::Form::Live,
                    body: row.get(1)?,
                    signature: None,
                })
            },
        )
    }

    /// Notes that an input is sealed in `packet`.
    pub fn input_sealed(&self, key: RecordId, packet: &str) -> Result<()> {
        self.run("UPDATE hub_input SET packet = ?2 WHERE key = ?1", params![key.to_string(), packet])?;
        Ok(())
    }

    /// When the content's digest was told last, RFC 3339.
    pub fn content_told(&self) -> Result<Option<String>> {
        self.value("SELECT at FROM content_told", [])
    }

    /// The content's digest is told.
    pub fn set_content_told(&self, at: &str) -> Result<()> {
        self.run("INSERT OR REPLACE INTO content_told(one, at) VALUES(1, ?1)", [at])?;
        Ok(())
    }

    /// The inputs about one of `ids`, in the order in which they were made, each with the packet that has it. Reads all
    /// inputs: asked for by a person, of a person.
    pub fn inputs_about(&self, ids: &BTreeSet<RecordId>) -> Result<Vec<(Body, Option<String>)>> {
        let ids: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
        let is_about = |text: &str| {
            [("<subject>", "</subject>"), ("<other>", "</other>")].iter().any(|(begin, end)| {
                let id = text.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
                id.is_some_and(|(id, _)| ids.contains(id))
            })
        };
        let found = self.rows("SELECT body, packet FROM hub_input ORDER BY n", [], |row| {
            let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
            let body = std::str::from_utf8(bytes).ok().filter(|text| is_about(text));
            let body = body.and_then(|text| Body::from_xml(Kind::HubInput, text.as_bytes()).ok());
            Ok(body.map(|body| Ok::<_, rusqlite::Error>((body, row.get(1)?))).transpose()?)
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What centres sent and were told of the person or document `uid`: of each record the last version.
    pub fn carried_of(&self, uid: RecordId) -> Result<Vec<Carried>> {
        self.rows(
            "SELECT 1 AS received, r.origin AS centre, r.kind, r.key, r.version, r.form = 'live' AS live, r.packet, p.at
             FROM person_record x JOIN received r ON r.id = x.claim LEFT JOIN packet p ON p.name = r.packet
             WHERE x.uid = ?1
             UNION ALL
             SELECT 0, b.centre, b.kind, b.key, b.version, b.sealed_form = 'live', b.packet, p.at
             FROM publication b LEFT JOIN packet p ON p.name = b.packet WHERE b.person = ?1 AND b.packet IS NOT NULL",
            [uid.to_string()],
            |row| {
                Ok(Carried {
                    received: row.get("received")?,
                    centre: row.get("centre")?,
                    kind: row.get("kind")?,
                    key: parsed(row, "publication", "key")?,
                    version: row.get("version")?,
                    live: row.get("live")?,
                    packet: row.get("packet")?,
                    at: row.get("at")?,
                })
            },
        )
    }
}
