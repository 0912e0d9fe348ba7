//! An initial load admitted at the hub, against `gunzip | sqlite3` of the same tables.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{
    Measured, export,
    measure::{cpu, peak_rss_kb},
    stage::{TABLES, filled, packets, shell},
};
use crate::world::{Programs, World, WorldError, bring_up::Way, copy_dir};

/// Measures `runs` interleaved runs: from the start of the hub, with the parts in its mailbox, to the last protocol.
///
/// # Errors
/// Those of [`World`].
pub fn measure(
    dir: &Path,
    programs: Programs,
    recipients: usize,
    runs: usize,
) -> Result<Measured, WorldError> {
    let (world, _) = filled(dir, programs, 1, recipients, Way::Directory)?;
    let dump = dir.join("dump.sql.gz");
    let line = format!("sqlite3 \"$1\" '.dump {TABLES}' | gzip -6 > \"$2\"");
    shell(&line, &[&world.layout.centre_db(1), &dump])?;
    export::sync(&world)?;
    let fresh = dir.join("fresh");
    copy_dir(&world.layout.hub(), &fresh)?;
    let copy = dir.join("peer.db");
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let hub = world.layout.hub();
        fs::remove_dir_all(&hub).map_err(WorldError::file(&hub))?;
        copy_dir(&fresh, &hub)?;
        ours.push(admit(&world)?);
        peer.push(shell("rm -f \"$2\"; gunzip -c \"$1\" | sqlite3 \"$2\"", &[&dump, &copy])?);
    }
    Ok(Measured::watched("admit", recipients, &ours, peer))
}

/// Starts the hub and waits for the protocols of all parts: seconds, peak resident set, CPU seconds.
fn admit(world: &World) -> Result<(f64, u64, f64), WorldError> {
    let code = fixtures::places::centre_code(1);
    let parts = packets(&world.layout.mailbox(code, "in"), "SN").len();
    let begun = Instant::now();
    world.start_hub()?;
    let out = world.layout.mailbox(code, "out");
    while packets(&out, "PR").len() < parts {
        world.daemons.check()?;
        if begun.elapsed() > world.patience {
            let seen = format!("{} of {parts}", packets(&out, "PR").len());
            let what = "the protocols of the initial load".to_owned();
            return Err(WorldError::TimedOut { what, after: world.patience, seen });
        }
        thread::sleep(Duration::from_millis(5));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let pid = world.daemons.pid("hub").unwrap_or_default();
    let (rss, cpu) = (peak_rss_kb(pid).unwrap_or_default(), cpu(pid).unwrap_or_default());
    world.daemons.kill_all();
    Ok((seconds, rss, cpu.as_secs_f64()))
}
