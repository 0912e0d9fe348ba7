//! Whom a coming day touches, and whom other lists.

use exchange_format::{position::Digest, record::RecordId};
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

    /// Says that `person` was judged by `lists`. If the daemon was started with others and a supplement of the person is judged by
    /// them, the person is among those whose day has come: the daemon judges by its own.
    pub fn was_judged_by(&self, person: RecordId, lists: &Digest) -> Result<()> {
        self.run(
            "INSERT INTO day_ahead(uid, day)
             SELECT ?1, '' FROM judged_by WHERE lists NOT IN ('', ?2) AND EXISTS(
               SELECT 1 FROM document WHERE kind = 'supplement'
               AND person IN (SELECT uid FROM person WHERE uid = ?1 OR merged_into = ?1))
             ON CONFLICT(uid) DO UPDATE SET day = excluded.day",
            params![person.to_string(), lists.to_string()],
        )?;
        Ok(())
    }

    /// Persons whose day has come by `today`, at most `limit`.
    pub fn touched_by(&self, today: Date, limit: u32) -> Result<Vec<RecordId>> {
        let sql = "SELECT uid FROM day_ahead WHERE day <= ?1 ORDER BY day, uid LIMIT ?2";
        self.rows(sql, params![today.to_string(), limit], |row| parsed(row, "day_ahead", "uid"))
    }

    /// Notes that it is `today` by the clock. If by what was noted before it had been later than tomorrow, a clock was ahead: then
    /// everybody is among those whose day has come, and gives back true.
    pub fn judge_on(&self, today: Date) -> Result<bool> {
        let before = self.judged_on()?;
        let was_ahead = before.is_some_and(|day| today.tomorrow().is_ok_and(|next| day > next));
        self.run(
            "INSERT INTO judged_by(one, lists, day) VALUES(1, '', ?1) ON CONFLICT(one) DO UPDATE SET day = excluded.day",
            [today.to_string()],
        )?;
        if was_ahead {
            self.run(
                "INSERT INTO day_ahead(uid, day) SELECT uid, '' FROM person WHERE merged_into IS NULL
                 ON CONFLICT(uid) DO UPDATE SET day = excluded.day",
                [],
            )?;
        }
        Ok(was_ahead)
    }

    /// The day that [`Tx::judge_on`] noted last.
    pub fn judged_on(&self) -> Result<Option<Date>> {
        let day = self.value::<Option<String>>("SELECT day FROM judged_by", [])?.flatten();
        Ok(day.and_then(|day| day.parse().ok()))
    }

    /// Notes by which `lists` papers are judged from now on; whether these are others than before. Then whoever has a supplement,
    /// which alone is judged by them, is among those whose day has come.
    pub fn judge_by(&self, lists: &Digest) -> Result<bool> {
        let changed = self.run(
            "INSERT INTO judged_by(one, lists) VALUES(1, ?1)
             ON CONFLICT(one) DO UPDATE SET lists = excluded.lists WHERE lists <> excluded.lists",
            [lists.to_string()],
        )? > 0;
        if changed {
            self.run(
                "INSERT INTO day_ahead(uid, day)
                 SELECT DISTINCT coalesce(p.merged_into, p.uid), '' FROM document d JOIN person p ON p.uid = d.person
                 WHERE d.kind = 'supplement'
                 ON CONFLICT(uid) DO UPDATE SET day = excluded.day",
                [],
            )?;
        }
        Ok(changed)
    }
}
