//! Counts: what the databases hold at the end, and how the hub's links compare with the truth.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::world::{World, WorldError, read::Reader};

/// The `counts` of `svod.demo/1`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Recipient records in the centres.
    pub records: usize,
    /// People in the truth.
    pub people_true: usize,
    /// Persons at the hub.
    pub persons: u64,
    /// Pairs of records that the hub takes for one person and that are two.
    pub wrong_links: u64,
    /// Pairs of records of one person that the hub has not linked.
    pub missed_pairs: u64,
    /// Cases that wait for staff.
    pub review: u64,
    /// Rows locked in the centres.
    pub locked_rows: u64,
    /// Rows that are another row of their centre.
    pub aliases: u64,
}

/// The `packets` of `svod.demo/1`: numbered packets and answers in both directions, as the hub knows them.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct Packets {
    /// Parts of snapshots.
    pub sn: u64,
    /// Data.
    pub dt: u64,
    /// Receipts.
    pub kv: u64,
    /// Protocols.
    pub pr: u64,
    /// Files in quarantine.
    #[serde(rename = "quarantined")]
    pub quarantined: u64,
}

/// Counts everything again.
///
/// # Errors
/// A database cannot be read.
pub fn counts(world: &World) -> Result<Counts, WorldError> {
    let hub_db = world.layout.hub_db();
    let hub = Reader::open(&hub_db)?;
    let mut counts = Counts {
        records: world.truth.len(),
        persons: hub.count("SELECT count(*) FROM person WHERE merged_into IS NULL", [])?,
        review: hub.count("SELECT count(*) FROM review WHERE state = 'open'", [])?,
        ..Counts::default()
    };
    let persons: BTreeMap<(String, String), String> = hub
        .all(
            "SELECT r.origin, r.key, coalesce(p.merged_into, p.uid) FROM person_record r JOIN person p USING (uid) \
             WHERE r.kind = 'recipient_claim'",
            [],
            |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)),
        )?
        .into_iter()
        .collect();
    let mut entities = BTreeMap::<usize, Vec<Option<&String>>>::new();
    let mut linked = BTreeMap::<&String, Vec<usize>>::new();
    for (n, code) in world.centres() {
        let db = world.layout.centre_db(n);
        let centre = Reader::open(&db)?;
        counts.locked_rows += centre.count("SELECT count(*) FROM svod_record WHERE state = 'locked'", [])?;
        counts.aliases += centre.count("SELECT count(*) FROM svod_record WHERE state = 'alias'", [])?;
        let rows = centre.all("SELECT id, key FROM svod_record WHERE kind = 'recipient'", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        for (id, key) in rows {
            let Some(&entity) = world.truth.get(&(code, id)) else { continue };
            let person = persons.get(&(code.to_string(), key));
            entities.entry(entity).or_default().push(person);
            if let Some(person) = person {
                linked.entry(person).or_default().push(entity);
            }
        }
    }
    counts.people_true = entities.len();
    counts.wrong_links = linked.values().map(|entities| pairs(entities, |a, b| a != b)).sum();
    counts.missed_pairs = entities.values().map(|persons| pairs(persons, |a, b| a != b || a.is_none())).sum();
    Ok(counts)
}

/// How many pairs of `items` are `so`.
fn pairs<T>(items: &[T], so: impl Fn(&T, &T) -> bool) -> u64 {
    let later = |i: usize| items[i + 1..].iter().filter(|b| so(&items[i], b)).count() as u64;
    (0..items.len()).map(later).sum()
}

/// Packets by kind, from the hub's list.
///
/// # Errors
/// A database cannot be read.
pub fn packets(world: &World) -> Result<Packets, WorldError> {
    let hub_db = world.layout.hub_db();
    let hub = Reader::open(&hub_db)?;
    // the hub's stream to itself is none of the city's traffic
    let of = |kind: &str| {
        let sql = "SELECT count(*) FROM packet WHERE kind = ?1 AND peer <> ?2 AND state <> 'QUARANTINED'";
        hub.count(sql, [kind, fixtures::places::hub_code().as_str()])
    };
    Ok(Packets {
        sn: of("SN")?,
        dt: of("DT")?,
        kv: of("KV")?,
        pr: of("PR")?,
        quarantined: hub.count("SELECT count(*) FROM packet WHERE state = 'QUARANTINED'", [])?,
    })
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn pairs_are_counted_once() {
        assert_eq!(pairs(&[1, 1, 2], |a, b| a != b), 2);
        assert_eq!(pairs(&[1, 1, 1], |a, b| a != b), 0);
        assert_eq!(pairs::<u8>(&[], |_, _| true), 0);
    }
}
