//! Waiting for a world to come to rest: everything loaded, everything published and applied.

use std::collections::BTreeMap;

use exchange_format::participant::ParticipantCode;
use fixtures::city::City;

use super::{
    World, WorldError,
    read::{Reader, kind_of},
    wait::{Look, until},
};

/// How many records of each kind a centre will have sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected(BTreeMap<(ParticipantCode, String), u64>);

impl Expected {
    /// What the centres of `city` own.
    pub fn of(city: &City) -> Self {
        let mut expected = BTreeMap::new();
        for centre in &city.centres {
            for table in centre.tables.iter().filter(|table| !table.name.ends_with("_line")) {
                expected.insert((centre.code, kind_of(table.name)), table.rows.len() as u64);
            }
        }
        Self(expected)
    }
}

impl World {
    /// Waits until the hub has received everything that the centres own.
    ///
    /// # Errors
    /// [`WorldError::TimedOut`], [`WorldError::Died`].
    pub fn wait_loaded(&self, expected: &Expected, seen: &mut dyn FnMut(&str)) -> Result<(), WorldError> {
        let hub_db = self.layout.hub_db();
        let total: u64 = expected.0.values().sum();
        until("the initial loads at the hub", self.patience, || {
            self.daemons.check()?;
            let counts: BTreeMap<(String, String), u64> = Reader::open(&hub_db)?
                .all("SELECT origin, kind, count(*) FROM received GROUP BY origin, kind", [], |row| {
                    Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?.unsigned_abs()))
                })?
                .into_iter()
                .collect();
            let arrived = |(code, kind): &(ParticipantCode, String)| {
                counts.get(&(code.to_string(), kind.clone())).copied().unwrap_or(0)
            };
            let text = format!("{} / {total}", counts.values().sum::<u64>());
            seen(&text);
            let all = expected.0.iter().all(|(of, n)| arrived(of) == *n);
            Ok(if all { Look::Reached(()) } else { Look::NotYet(text) })
        })
    }

    /// Waits until every centre has applied everything published to it.
    ///
    /// # Errors
    /// [`WorldError::TimedOut`], [`WorldError::Died`].
    pub fn wait_settled(&self, seen: &mut dyn FnMut(&str)) -> Result<(), WorldError> {
        let hub_db = self.layout.hub_db();
        until("the centres to apply what is published", self.patience, || {
            self.daemons.check()?;
            let hub = Reader::open(&hub_db)?;
            let open =
                hub.count("SELECT count(*) FROM publication WHERE state IN ('pending', 'sealed')", [])?;
            let all = hub.count("SELECT count(*) FROM publication", [])?;
            let text = format!("{} / {all}", all - open);
            seen(&text);
            Ok(if open == 0 && all > 0 { Look::Reached(()) } else { Look::NotYet(text) })
        })
    }
}
