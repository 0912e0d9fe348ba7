//! Ten changed rows in a centre at rest: seconds until the hub has them, and CPU of the centre's daemon.
//!
//! The initial load is received and answered, not merged: what a centre does to send a change does not depend on it.

use std::{path::Path, thread, time::Duration, time::Instant};

use super::{
    Measured,
    measure::cpu,
    stage::{filled, packets},
};
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
    let (world, expected) = filled(dir, programs, 1, recipients, Way::Directory)?;
    world.start()?;
    world.wait_loaded(&expected, &mut |_| ())?;
    wait_answered(&world)?;
    let pid = world.daemons.pid(&centre_name(1)).unwrap_or_default();
    // the first one warms both ends
    delta(&world, runs)?;
    wait_answered(&world)?;
    let before = cpu(pid).unwrap_or_default();
    let mut ours = Vec::new();
    for run in 0..runs {
        ours.push(delta(&world, run)?);
    }
    wait_answered(&world)?;
    let spent = cpu(pid).unwrap_or_default().saturating_sub(before);
    let mut measured = Measured::new("delta", recipients, ours, Vec::new());
    measured.cpu_s = Some(spent.as_secs_f64() / f64::from(u32::try_from(runs.max(1)).unwrap_or(u32::MAX)));
    measured.peak_rss_kb = super::measure::peak_rss_kb(pid);
    Ok(measured)
}

/// Waits until the centre holds the protocol of everything that it sent, and a moment longer.
fn wait_answered(world: &World) -> Result<(), WorldError> {
    let db = world.layout.centre_db(1);
    until("the answers to what the centre sent", world.patience, || {
        world.daemons.check()?;
        let sql = "SELECT count(*) FROM svod_packet WHERE direction = 'out' AND kind IN ('SN', 'DT') \
                   AND state IN ('SEALED', 'PLACED', 'RECEIVED')";
        let open = Reader::open(&db)?.count(sql, [])?;
        Ok(if open == 0 { Look::Reached(()) } else { Look::NotYet(format!("{open} open")) })
    })?;
    let inbox = packets(&world.layout.mailbox(fixtures::places::centre_code(1), "in"), "").len();
    thread::sleep(Duration::from_millis(if inbox == 0 { 200 } else { 1000 }));
    Ok(())
}

/// Changes the note of ten contacts and waits until the hub has the last.
fn delta(world: &World, run: usize) -> Result<f64, WorldError> {
    let (db, hub_db) = (world.layout.centre_db(1), world.layout.hub_db());
    let keys = Reader::open(&db)?.all(
        "SELECT key FROM svod_record WHERE kind = 'contact' AND id IN (SELECT id FROM contact ORDER BY id LIMIT 10)",
        [],
        |row| row.get::<_, String>(0),
    )?;
    let begun = Instant::now();
    let sql = "UPDATE contact SET note = ?1 WHERE id IN (SELECT id FROM contact ORDER BY id LIMIT 10)";
    let note = format!("замер {run}");
    fill::open(&db)?.execute(sql, [&note]).map_err(WorldError::sql(&db))?;
    let (origin, said) = (fixtures::places::centre_code(1).to_string(), format!("<note>{note}</note>"));
    let sql = "SELECT count(*) FROM received WHERE origin = ?1 AND kind = 'contact' AND key = ?2 \
               AND instr(body, CAST(?3 AS BLOB)) > 0";
    until("ten changed contacts at the hub", world.patience, || {
        world.daemons.check()?;
        let hub = Reader::open(&hub_db)?;
        let mut arrived = 0;
        for key in &keys {
            arrived += hub.count(sql, [&origin, key, &said])?;
        }
        Ok(if arrived == 10 { Look::Reached(()) } else { Look::NotYet(format!("{arrived} of 10")) })
    })?;
    Ok(begun.elapsed().as_secs_f64())
}
