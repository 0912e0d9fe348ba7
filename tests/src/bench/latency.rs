//! Latencies of a city at rest: from a row to its lock, from a correction to two locks.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{Measured, stage::settled};
use crate::world::{Programs, World, WorldError, bring_up::Way, fill, read::Reader};

/// How often a database is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// From a row inserted at a centre by another program until it is locked there with its case number.
///
/// # Errors
/// Those of [`World`].
pub fn lock(
    dir: &Path,
    programs: Programs,
    recipients: usize,
    trials: usize,
    way: Way,
) -> Result<Measured, WorldError> {
    let world = settled(dir, programs, 2, recipients, way)?;
    let db = world.layout.centre_db(1);
    let mut ours = Vec::new();
    for trial in 0..trials {
        let id = format!("bench-{trial}");
        let begun = Instant::now();
        let sql = "INSERT INTO recipient (id, surname, given, patronymic, birth_date, sex, address_live) \
                   VALUES (?1, ?2, 'Замера', 'Замеровна', date('1930-01-01', ?3), 'Ж', 'с. Замерное, д. ' || ?1)";
        let born = format!("+{} days", trial * 97);
        fill::open(&db)?.execute(sql, [&id, &name(trial), &born]).map_err(WorldError::sql(&db))?;
        let locked = "SELECT count(*) FROM recipient r JOIN svod_record s ON s.kind = 'recipient' AND s.id = r.id \
                      WHERE r.id = ?1 AND s.state = 'locked' AND r.case_number IS NOT NULL";
        ours.push(reached(&world, begun, "a lock", || Ok(Reader::open(&db)?.count(locked, [&id])? == 1))?);
    }
    Ok(Measured::new("lock", recipients, ours, Vec::new()))
}

/// An invented name unlike those of other trials: who may be somebody known waits for staff.
pub(super) fn name(trial: usize) -> String {
    const SYLLABLES: [&str; 8] = ["ба", "ве", "ги", "до", "жу", "ка", "ле", "ми"];
    // multiplied by an odd number no two of 2^18 that follow each other are alike, and neighbours are far apart
    let mixed = trial.wrapping_mul(0x9E37_79B1);
    let syllables: [&str; 6] = std::array::from_fn(|n| SYLLABLES[(mixed >> (3 * n)) & 7]);
    format!("Я{}", syllables.concat())
}

/// From the start of the hub's command until the corrected value is locked at both centres of the person.
///
/// # Errors
/// Those of [`World`].
pub fn correction(
    dir: &Path,
    programs: Programs,
    recipients: usize,
    trials: usize,
    way: Way,
) -> Result<Measured, WorldError> {
    let world = settled(dir, programs, 2, recipients, way)?;
    let hub_db = world.layout.hub_db();
    // linked and shown: of whom an open question stands, or who has an unreadable date, nothing is published
    let people = "SELECT key FROM publication WHERE kind = 'person' AND form = 'live' GROUP BY key \
                  HAVING count(*) = 2 ORDER BY key";
    let people = Reader::open(&hub_db)?.all(people, [], |row| row.get::<_, String>(0))?;
    if people.is_empty() {
        return Err(WorldError::Lacking("person linked at two centres"));
    }
    let dbs = [world.layout.centre_db(1), world.layout.centre_db(2)];
    let mut ours = Vec::new();
    for trial in 0..trials {
        let uid = &people[trial % people.len()];
        let value = format!("с. Замерное-{trial}");
        let begun = Instant::now();
        world.correct(uid, "birth_place", &value)?;
        let locked = "SELECT count(*) FROM recipient r JOIN svod_record s ON s.kind = 'recipient' AND s.id = r.id \
                      WHERE r.uid = ?1 AND r.birth_place = ?2 AND s.state = 'locked'";
        ours.push(reached(&world, begun, "two locks", || {
            for db in &dbs {
                if Reader::open(db)?.count(locked, [uid, &value])? == 0 {
                    return Ok(false);
                }
            }
            Ok(true)
        })?);
    }
    Ok(Measured::new("correction", recipients, ours, Vec::new()))
}

/// Looks until it is so; seconds since `begun`.
fn reached(
    world: &World,
    begun: Instant,
    what: &str,
    mut so: impl FnMut() -> Result<bool, WorldError>,
) -> Result<f64, WorldError> {
    while !so()? {
        world.daemons.check()?;
        if begun.elapsed() > world.patience {
            let (what, seen) = (what.to_owned(), "nothing".to_owned());
            return Err(WorldError::TimedOut { what, after: world.patience, seen });
        }
        thread::sleep(LOOK);
    }
    Ok(begun.elapsed().as_secs_f64())
}
