//! The hub's stream to itself: every input and every generated value, until it is sealed into a packet.

use exchange_format::record::{Body, Kind, Record, RecordId};
use rusqlite::params;

use super::{Result, Tx, parsed};

impl Tx<'_> {
    /// Notes an input: a `hub_input` record, version 1 for ever.
    pub fn add_input(&self, record: &Record, at: &str, action: &str) -> Result<()> {
        self.run(
            "INSERT INTO hub_input(key, at, action, body) VALUES(?1, ?2, ?3, ?4)",
            params![record.key.to_string(), at, action, record.body],
        )?;
        Ok(())
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
}
