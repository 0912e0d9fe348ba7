//! Ten changed rows in a centre at rest: seconds until the hub has them, and CPU of the centre's daemon.

use std::{path::Path, thread, time::Duration, time::Instant};

use super::{Measured, measure::cpu, stage::settled};
use crate::world::{
    Programs, World, WorldError,
    bring_up::{Way, centre_name},
    fill,
    read::Reader,
    wait::{Look, until},
};

/// Measures `runs` deltas, one after another.
///
/// # Errors
/// Those of [`World`].
pub fn measure(
    dir: &Path,
    programs: Programs,
    recipients: usize,
    runs: usize,
) -> Result<Measured, WorldError> {
    let world = settled(dir, programs, 1, recipients, Way::Directory)?;
    // the acknowledgements of the publications are still on their way
    thread::sleep(Duration::from_secs(3));
    let pid = world.daemons.pid(&centre_name(1)).unwrap_or_default();
    let before = cpu(pid).unwrap_or_default();
    let mut ours = Vec::new();
    for run in 0..runs {
        ours.push(delta(&world, run)?);
    }
    let spent = cpu(pid).unwrap_or_default().saturating_sub(before);
    let mut measured = Measured::new("delta", recipients, ours, Vec::new());
    measured.cpu_s = Some(spent.as_secs_f64() / f64::from(u32::try_from(runs.max(1)).unwrap_or(u32::MAX)));
    measured.peak_rss_kb = super::measure::peak_rss_kb(pid);
    Ok(measured)
}

/// Changes the note of ten contacts and waits until the hub has the last.
fn delta(world: &World, run: usize) -> Result<f64, WorldError> {
    let (db, hub_db) = (world.layout.centre_db(1), world.layout.hub_db());
    let begun = Instant::now();
    let sql = "UPDATE contact SET note = ?1 WHERE id IN (SELECT id FROM contact ORDER BY id LIMIT 10)";
    let note = format!("замер {run}");
    fill::open(&db)?.execute(sql, [&note]).map_err(WorldError::sql(&db))?;
    until("ten changed contacts at the hub", world.patience, || {
        world.daemons.check()?;
        let sql = "SELECT count(*) FROM received WHERE kind = 'contact' AND instr(body, CAST(?1 AS BLOB)) > 0 \
                   AND packet = (SELECT packet FROM received WHERE kind = 'contact' ORDER BY packet DESC LIMIT 1)";
        let arrived = Reader::open(&hub_db)?.count(sql, [format!("<note>{note}</note>")])?;
        Ok(if arrived == 10 { Look::Reached(()) } else { Look::NotYet(format!("{arrived} of 10")) })
    })?;
    Ok(begun.elapsed().as_secs_f64())
}
