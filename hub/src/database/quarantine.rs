//! Files in quarantine: rows of `packet` in that state.

use exchange_endpoint::quarantine::{Aside, FOUND_ASIDE};
use exchange_format::{participant::ParticipantCode, position::Position};
use rusqlite::params;

use super::{Result, Tx, parsed};

impl Tx<'_> {
    /// The files in quarantine, the oldest first.
    pub fn quarantine(&self) -> Result<Vec<Aside>> {
        let mut found = self.asides("SELECT * FROM packet WHERE state = 'QUARANTINED' ORDER BY at, name")?;
        for one in &mut found {
            let Some(original) = one.original() else { continue };
            let sql = "SELECT 1 FROM packet
                       WHERE name = ?1 AND direction = 'in' AND peer = ?2 AND state <> 'QUARANTINED'";
            one.taken = self.value::<i64>(sql, params![original, one.peer.as_str()])?.is_some();
        }
        Ok(found)
    }

    /// Whether the file `one` in quarantine is known, or the packet that it is by its name was set aside or taken.
    pub fn knows_aside(&self, one: &Aside) -> Result<bool> {
        let sql = "SELECT 1 FROM packet WHERE name = ?1 OR name = ?2 AND peer = ?3 AND direction = 'in'";
        let original = one.original().unwrap_or(&one.file);
        Ok(self.value::<i64>(sql, params![one.row, original, one.peer.as_str()])?.is_some())
    }

    /// Enters a file in quarantine that no row knows.
    pub fn put_aside(&self, one: &Aside, position: Option<Position>, at: &str) -> Result<()> {
        self.run(
            "INSERT INTO packet(name, direction, peer, kind, epoch, seq, state, reason, next_at, at, attempts)
             VALUES(?1, 'in', ?2, ?3, ?4, ?5, 'QUARANTINED', ?6, ?7, ?7, 1)",
            params![
                one.row,
                one.peer.as_str(),
                one.kind,
                position.map(|at| at.epoch.get()),
                position.map(|at| at.seq.get()),
                one.reason,
                at,
            ],
        )?;
        Ok(())
    }

    /// The files of the quarantine that are to be judged again.
    pub fn to_replay(&self) -> Result<Vec<Aside>> {
        self.asides(
            "SELECT * FROM packet WHERE replay = 1 AND state = 'QUARANTINED' ORDER BY epoch, seq, kind, name",
        )
    }

    fn asides(&self, sql: &str) -> Result<Vec<Aside>> {
        self.rows(sql, [], |row| {
            let peer: ParticipantCode = parsed(row, "packet", "peer")?;
            let name: String = row.get("name")?;
            let (since, last): (String, Option<String>) = (row.get("at")?, row.get("next_at")?);
            let file = name.strip_prefix(&format!("quarantine/{peer}/")).unwrap_or(&name).to_owned();
            Ok(Aside {
                peer,
                file,
                kind: row.get::<_, String>("kind")?.replace("??", "?"),
                reason: row.get::<_, Option<String>>("reason")?.unwrap_or_default(),
                last: last.unwrap_or_else(|| since.clone()),
                since,
                times: row.get::<_, u64>("attempts")?.max(1),
                answered: row.get::<_, Option<String>>("digest")?.is_some(),
                taken: false,
                replay: row.get("replay")?,
                row: name,
            })
        })
    }

    /// Lets the file of the row `row` be judged again, or no more.
    pub fn set_replay(&self, row: &str, replay: bool) -> Result<()> {
        self.run(
            "UPDATE packet SET replay = ?2 WHERE name = ?1 AND state = 'QUARANTINED' AND digest IS NULL",
            params![row, replay],
        )?;
        Ok(())
    }

    /// What of `centre` was set aside for its key is to be judged again: another is known.
    pub fn replay_unknown_keys(&self, centre: ParticipantCode) -> Result<usize> {
        self.run(
            "UPDATE packet SET replay = 1 WHERE peer = ?1 AND direction = 'in' AND state = 'QUARANTINED'
               AND digest IS NULL AND reason = 'UNKNOWN_KEY'",
            [centre.as_str()],
        )
    }

    /// Why a file was set aside that was found there is known again, by another row; or the file is gone.
    pub fn aside_known(&self, one: &Aside, at: &str) -> Result<()> {
        self.run(
            "UPDATE packet SET state = 'REPLAYED', replay = 0 WHERE name = ?1 AND state = 'QUARANTINED'",
            [&one.row],
        )?;
        self.run(
            "UPDATE incident SET closed_at = ?4 WHERE peer = ?1 AND code = ?2 AND packet = ?3 AND closed_at IS NULL",
            params![one.peer.as_str(), FOUND_ASIDE, one.file, at],
        )?;
        Ok(())
    }

    /// A file that was set aside has been taken after all.
    pub fn aside_taken(&self, one: &Aside) -> Result<()> {
        let place = format!("quarantine/{}/{}", one.peer, one.file);
        self.run(
            "UPDATE packet SET state = 'REPLAYED', replay = 0
             WHERE name IN (?1, ?2) AND state = 'QUARANTINED' AND digest IS NULL",
            params![one.row, place],
        )?;
        Ok(())
    }
}
