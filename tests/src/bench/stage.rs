//! Worlds to measure in, and the plain tools to compare with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use fixtures::city::{City, CityPlan};

use crate::world::{
    Programs, World, WorldError,
    bring_up::{Way, WorldPlan},
    daemon::Daemons,
    settle::Expected,
};

/// The tables that an initial load carries: what the peer dumps.
pub const TABLES: &str =
    "recipient programme programme_line supplement supplement_line contract contract_line contact";

const SEED: u64 = 442;
/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// A filled world of which nothing runs yet, and how much its centres will send.
///
/// # Errors
/// Those of [`World::make`].
pub fn filled(
    dir: &Path,
    programs: Programs,
    centres: usize,
    recipients: usize,
    way: Way,
) -> Result<(World, Expected), WorldError> {
    let city = CityPlan { seed: SEED, centres, recipients };
    let plan = WorldPlan { dir: dir.join("city"), city, way, patience: PATIENCE };
    let mut world = World::make(&plan, programs, Daemons::default())?;
    let city = City::generate(city);
    world.fill(&city)?;
    Ok((world, Expected::of(&city)))
}

/// A world at rest: everything loaded, merged, locked; its daemons run.
///
/// # Errors
/// Those of [`World`].
pub fn settled(
    dir: &Path,
    programs: Programs,
    centres: usize,
    recipients: usize,
    way: Way,
) -> Result<World, WorldError> {
    let (world, expected) = filled(dir, programs, centres, recipients, way)?;
    world.start()?;
    world.wait_loaded(&expected, &mut |_| ())?;
    world.hub(&["merge"])?;
    world.wait_settled(&mut |_| ())?;
    Ok(world)
}

/// Runs a line of shell in which `$1`, `$2`… are `args`, and says how long it took, in seconds.
///
/// # Errors
/// It did not end well.
pub fn shell(line: &str, args: &[&Path]) -> Result<f64, WorldError> {
    let begun = Instant::now();
    let mut command = Command::new("bash");
    command.args(["-o", "pipefail", "-ec", line, "peer"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = command.output().map_err(WorldError::file("bash"))?;
    let took = begun.elapsed().as_secs_f64();
    if output.status.success() {
        Ok(took)
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(WorldError::Command { command: line.to_owned(), exit: output.status.to_string(), stderr })
    }
}

/// The finished packets of a kind in a folder, or of all kinds if it is empty, by name.
pub fn packets(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let prefix = if kind.is_empty() { "SVOD1_".to_owned() } else { format!("SVOD1_{kind}_") };
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&prefix) && !name.ends_with(".part")
        })
        .collect();
    found.sort();
    found
}
