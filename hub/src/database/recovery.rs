//! Recovery after a restore: what a person has confirmed of it, and what comes back of what was published.

use exchange_format::{
    participant::ParticipantCode,
    position::{Digest, Epoch},
    record::{Record, RecordId},
};
use rusqlite::params;

use super::{Result, Tx, linking::Act, parsed, parsed_optional};

impl Tx<'_> {
    /// A person has seen how this hub differs from the snapshot `snapshot` of `centre`, and lets the exchange go on.
    pub fn confirm_resync(&self, centre: ParticipantCode, snapshot: Digest, act: Act<'_>) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO resync(centre, snapshot, actor, reason, at) VALUES(?1, ?2, ?3, ?4, ?5)",
            params![centre.as_str(), snapshot.to_string(), act.actor, act.reason, act.at],
        )?;
        Ok(())
    }

    /// The snapshot of `centre` that a person has confirmed, and who.
    pub fn confirmed_resync(&self, centre: ParticipantCode) -> Result<Option<(Digest, String)>> {
        self.row("SELECT snapshot, actor FROM resync WHERE centre = ?1", [centre.as_str()], |row| {
            Ok((parsed(row, "resync", "snapshot")?, row.get("actor")?))
        })
    }

    /// What was confirmed is done, or void.
    pub fn forget_resync(&self, centre: ParticipantCode) -> Result<()> {
        self.run("DELETE FROM resync WHERE centre = ?1", [centre.as_str()])?;
        Ok(())
    }

    /// The digest of the last part of our snapshot to `centre` that opened `epoch`.
    pub fn last_part(&self, centre: ParticipantCode, epoch: Epoch) -> Result<Option<Digest>> {
        let found = self.row(
            "SELECT digest FROM packet WHERE direction = 'out' AND peer = ?1 AND kind = 'SN' AND epoch = ?2
             ORDER BY seq DESC LIMIT 1",
            params![centre.as_str(), epoch.get()],
            |row| parsed_optional(row, "packet", "digest"),
        )?;
        Ok(found.flatten())
    }

    /// `centre` holds `record` as this hub has published it: that version was told. What should be told now stays; where there
    /// is nothing, it is the record as it was told, of the file of `person`.
    pub fn told_before(&self, centre: ParticipantCode, record: &Record, person: RecordId) -> Result<()> {
        self.run(
            "INSERT INTO publication(centre, kind, key, version, sha256, state, form, body, sealed_form, sealed_sha256, person)
             VALUES(?1, ?2, ?3, ?4, ?5, 'applied', ?6, ?7, ?6, ?5, ?8)
             ON CONFLICT DO UPDATE SET version = excluded.version, sealed_form = excluded.form,
               sealed_sha256 = excluded.sha256,
               state = CASE WHEN sha256 = excluded.sha256 AND form = excluded.form THEN 'applied' ELSE 'pending' END",
            params![
                centre.as_str(),
                record.kind.name(),
                record.key.to_string(),
                record.version,
                record.hash().to_string(),
                record.form.name(),
                record.body,
                person.to_string(),
            ],
        )?;
        Ok(())
    }

    /// The epochs of which packets of `peer` are held, the oldest first.
    pub fn held_epochs(&self, peer: ParticipantCode) -> Result<Vec<Epoch>> {
        let sql = "SELECT DISTINCT epoch FROM packet WHERE direction = 'in' AND peer = ?1 AND state = 'HELD' ORDER BY epoch";
        let damaged = |_| super::DatabaseError::Damaged { table: "packet", column: "epoch" };
        self.rows(sql, [peer.as_str()], |row| Epoch::new(row.get::<_, u64>(0)?).map_err(damaged))
    }

    /// All inputs, sealed or not, after the number `after`, in the order in which they were made, with their numbers.
    pub fn inputs_after(&self, after: i64, limit: u32) -> Result<Vec<(i64, Record)>> {
        self.rows(
            "SELECT n, key, body FROM hub_input WHERE n > ?1 ORDER BY n LIMIT ?2",
            params![after, limit],
            |row| {
                let record = Record {
                    kind: exchange_format::record::Kind::HubInput,
                    key: parsed(row, "hub_input", "key")?,
                    version: 1,
                    form: exchange_format::record::Form::Live,
                    body: row.get("body")?,
                    signature: None,
                };
                Ok((row.get("n")?, record))
            },
        )
    }
}
