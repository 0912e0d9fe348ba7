//! A centre's initial load: sealed and placed in a folder, against `sqlite3 .dump | gzip -6 | sha256sum` of the same tables;
//! and with Streebog-256 beside SHA-256, against itself without.

use std::{fs, path::Path};

use super::{
    Measured,
    measure::watch,
    stage::{TABLES, filled, packets, shell},
};
use crate::world::{Programs, World, WorldError, bring_up::Way, copy_dir, programs::Who, toml_edit::set_key};

/// Measures `runs` interleaved runs.
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
    let fresh = dir.join("fresh");
    copy_dir(&world.layout.centre(1), &fresh)?;
    let dump = format!("sqlite3 \"$1\" '.dump {TABLES}' | gzip -6 | sha256sum");
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        renew(&world, &fresh)?;
        ours.push(sync(&world)?);
        peer.push(shell(&dump, &[&fresh.join("centre.db")])?);
    }
    Ok(Measured::watched("export", recipients, &ours, peer))
}

/// Measures what Streebog-256 beside SHA-256 costs: `runs` times with it, the peer being the same without.
///
/// # Errors
/// Those of [`World`].
pub fn streebog(
    dir: &Path,
    programs: Programs,
    recipients: usize,
    runs: usize,
) -> Result<Measured, WorldError> {
    let (world, _) = filled(dir, programs, 1, recipients, Way::Directory)?;
    let fresh = dir.join("fresh");
    copy_dir(&world.layout.centre(1), &fresh)?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        renew(&world, &fresh)?;
        peer.push(sync(&world)?.0);
        renew(&world, &fresh)?;
        set_key(&world.layout.centre_config(1), "exchange", "streebog", "true")?;
        ours.push(sync(&world)?);
    }
    Ok(Measured::watched("streebog", recipients, &ours, peer))
}

/// Puts the centre back to where it was before its first packet.
pub(super) fn renew(world: &World, fresh: &Path) -> Result<(), WorldError> {
    let centre = world.layout.centre(1);
    fs::remove_dir_all(&centre).map_err(WorldError::file(&centre))?;
    copy_dir(fresh, &centre)?;
    for (_, code) in world.centres() {
        for packet in packets(&world.layout.mailbox(code, "in"), "SN") {
            fs::remove_file(&packet).map_err(WorldError::file(&packet))?;
        }
    }
    Ok(())
}

/// One round of the centre: seconds, its peak resident set, CPU seconds.
pub(super) fn sync(world: &World) -> Result<(f64, u64, f64), WorldError> {
    let mut command = world.programs.command(Who::Spoke);
    command.arg("sync").arg("--config").arg(world.layout.centre_config(1));
    let (watched, status) = watch(&mut command)?;
    let placed = world
        .centres()
        .map(|(_, code)| packets(&world.layout.mailbox(code, "in"), "SN").len())
        .sum::<usize>();
    if status.success() && placed > 0 {
        return Ok(watched);
    }
    let stderr = format!("{placed} parts placed");
    Err(WorldError::Command { command: "spoke sync".to_owned(), exit: status.to_string(), stderr })
}
