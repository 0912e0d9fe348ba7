//! What only a rebuild asks of the database.

use exchange_format::{
    participant::ParticipantCode,
    position::Position,
    record::{Record, RecordId},
};
use rusqlite::params;

use super::{
    Result, Tx, parsed,
    received::{ClaimId, read_record},
};

impl Tx<'_> {
    /// Keeps an entry that was noted by the hub that is rebuilt.
    pub fn put_change(&self, entry: &str) -> Result<()> {
        self.run("INSERT INTO change(entry) VALUES(?1)", [entry])?;
        Ok(())
    }

    /// Entries above the number `after`, at most `limit`.
    pub fn changes_after(&self, after: i64, limit: u32) -> Result<Vec<(i64, String)>> {
        let sql = "SELECT n, entry FROM change WHERE n > ?1 ORDER BY n LIMIT ?2";
        self.rows(sql, params![after, limit], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The number of the last entry of one of the kinds `what`, of any if there is none; 0 if there is no such entry.
    pub fn last_change(&self, what: &[&str]) -> Result<i64> {
        if what.is_empty() {
            return Ok(self.value("SELECT coalesce(max(n), 0) FROM change", [])?.unwrap_or(0));
        }
        let mut last = 0;
        for one in what {
            let sql = "SELECT coalesce(max(n), 0) FROM change WHERE entry LIKE ?1";
            last = last.max(self.value(sql, [format!("{{\"t\":\"{one}\"%")])?.unwrap_or(0));
        }
        Ok(last)
    }

    /// Version and body by which the hub goes.
    pub fn goes_by_bytes(&self, id: ClaimId) -> Result<Option<(u32, Vec<u8>)>> {
        let sql =
            "SELECT coalesce(basis_version, version), coalesce(basis, body) FROM received WHERE id = ?1";
        self.row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Received records above the row `after` that refer to others, as they do so: row, whose, and the record.
    pub fn records_as_referring(
        &self,
        after: ClaimId,
        limit: u32,
    ) -> Result<Vec<(ClaimId, ParticipantCode, Record)>> {
        self.rows(
            "SELECT id, origin, kind, key, version, form,
               CASE WHEN outcome = 'held' AND rule NOT LIKE '%.final' THEN body ELSE coalesce(basis, body) END AS said
             FROM received WHERE id > ?1 AND state NOT IN ('gone', 'refused') ORDER BY id LIMIT ?2",
            params![after, limit],
            |row| Ok((row.get("id")?, parsed(row, "received", "origin")?, read_record(row, "said")?)),
        )
    }

    /// A snapshot was sealed for `centre`: it tells everything that the stream carries.
    pub fn forget_publications(&self, centre: ParticipantCode) -> Result<()> {
        self.run("DELETE FROM publication WHERE centre = ?1", [centre.as_str()])?;
        Ok(())
    }

    /// `record` was sealed for `centre` in `packet`, of the file of `person`.
    pub fn publication_was_sealed(
        &self,
        centre: ParticipantCode,
        record: &Record,
        person: RecordId,
        packet: &str,
    ) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO publication(centre, kind, key, version, sha256, packet, state, form, body,
               sealed_form, sealed_sha256, person) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 'sealed', ?7, ?8, ?7, ?5, ?9)",
            params![
                centre.as_str(),
                record.kind.name(),
                record.key.to_string(),
                record.version,
                record.hash().to_string(),
                packet,
                record.form.name(),
                record.body,
                person.to_string(),
            ],
        )?;
        Ok(())
    }

    /// `centre` has what was sent to it up to `position`.
    pub fn acknowledged(&self, centre: ParticipantCode, position: Position) -> Result<()> {
        self.run(
            "UPDATE packet SET state = 'APPLIED' WHERE direction = 'out' AND peer = ?1 AND state = 'PLACED'
               AND kind IN ('DT', 'SN', 'KY') AND (epoch, seq) <= (?2, ?3)",
            params![centre.as_str(), position.epoch.get(), position.seq.get()],
        )?;
        Ok(())
    }

    /// Packets that told new keys, and were answered, are answered.
    pub fn settle_key_packets(&self) -> Result<()> {
        self.run(
            "UPDATE packet SET state = 'APPLIED' WHERE name IN (SELECT packet FROM key_told WHERE answer IS NOT NULL)",
            [],
        )?;
        Ok(())
    }

    /// Everybody, also who turned out to be another.
    pub fn all_people(&self) -> Result<Vec<RecordId>> {
        self.rows("SELECT uid FROM person ORDER BY serial", [], |row| parsed(row, "person", "uid"))
    }
}
