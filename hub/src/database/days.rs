//! Whom a coming day touches.

use exchange_format::record::RecordId;
use jiff::civil::Date;
use rusqlite::params;

use super::{Result, Tx, parsed};

impl Tx<'_> {
    /// Says on which day something about `person` may be published otherwise by the day alone.
    pub fn set_day_ahead(&self, person: RecordId, day: Option<Date>) -> Result<()> {
        let person = person.to_string();
        match day {
            Some(day) => self.run(
                "INSERT INTO day_ahead(uid, day) VALUES(?1, ?2)
                 ON CONFLICT(uid) DO UPDATE SET day = excluded.day WHERE day <> excluded.day",
                params![person, day.to_string()],
            )?,
            None => self.run("DELETE FROM day_ahead WHERE uid = ?1", [person])?,
        };
        Ok(())
    }

    /// Persons whose day has come by `today`, at most `limit`.
    pub fn touched_by(&self, today: Date, limit: u32) -> Result<Vec<RecordId>> {
        let sql = "SELECT uid FROM day_ahead WHERE day <= ?1 ORDER BY day, uid LIMIT ?2";
        self.rows(sql, params![today.to_string(), limit], |row| parsed(row, "day_ahead", "uid"))
    }
}
