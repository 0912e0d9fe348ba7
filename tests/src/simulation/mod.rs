//! `svod-sim`: whole histories of a city in one thread, from a seed: the real programs of hub and centres over real
//! files, a virtual clock and a virtual FTP, and everything that goes wrong. The same seed gives the same trace.
//!
//! [`template`] a city just set up, or with a [`past`], [`secrets`] its keys · [`history`] what a seed lets happen · [`centre`], [`hub`] the machines · [`clerk`]
//! rows by plain SQL, of [`people`] · [`strikes`] behind the programs' backs, [`fate`] copies put back, machines run twice, [`recovery`] what people do about it ·
//! [`line`](mod@line) the FTP · [`mishap`] ends and disks at durable steps, [`power`] cuts and [`disk`]s that forget · [`time`] ·
//! [`kills`] of real programs, each a [`life`] · [`checks`] what must be true at rest · [`trace`].

pub mod centre;
pub mod checks;
pub mod clerk;
pub mod disk;
pub mod fate;
pub mod history;
pub mod hub;
pub mod kills;
pub mod life;
pub mod line;
pub mod mishap;
pub mod past;
pub mod people;
pub mod power;
pub mod rebuilt;
pub mod recovery;
pub mod scenario;
pub mod secrets;
pub mod strikes;
pub mod template;
pub mod time;
pub mod trace;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use exchange_endpoint::{
    messages, open_files,
    output::{CommandLine, CommonArgs, Exit, Failure, note, run_main},
};
use exchange_format::position::Digest;
use serde::Serialize;

use self::{
    history::{Ended, Length},
    template::{Template, Templates},
    trace::Counts,
};
use crate::world::WorldError;

/// Runs the histories of some seeds.
#[derive(Debug, Clone, Parser)]
#[command(name = "svod-sim", version)]
pub struct SimArgs {
    /// What every program takes.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    pub from: u64,
    /// How many seeds
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
    /// How many centres each city has
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=999))]
    pub centres: u16,
    /// How many turns go wrong for each centre
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub turns: u32,
    /// Run this seed alone and tell its trace
    #[arg(long)]
    pub replay: Option<u64>,
    /// Play directed histories instead: those of a mark of the rules (F4), one by its name, or all
    #[arg(long, conflicts_with_all = ["replay", "from", "seeds"])]
    pub scenario: Option<String>,
    /// Leave the machines of the history here
    #[arg(long, requires = "replay", value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// End real daemons so many times by SIGKILL instead, at failpoints and at random moments
    #[arg(long, conflicts_with_all = ["replay", "seeds", "scenario"],
        value_parser = clap::value_parser!(u64).range(1..))]
    pub kills: Option<u64>,
    /// How many histories run beside each other; as many as there are cores if it is not said
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

impl SimArgs {
    /// What tells how a history is run again.
    fn again(&self, seed: u64) -> [(&'static str, messages::Value<'static>); 3] {
        [("seed", seed.into()), ("centres", self.centres.into()), ("turns", self.turns.into())]
    }
}

impl CommandLine for SimArgs {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

/// What came of it (docs/CLI_JSON.md §Simulation).
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether everything held.
    pub ok: bool,
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// Centres of each city.
    pub centres: u16,
    /// The digest of all traces, in the order of seeds.
    pub digest: String,
    /// What did not hold, by seed.
    pub broken: BTreeMap<u64, Vec<String>>,
    /// In how many histories each incident was met.
    pub met: BTreeMap<String, u64>,
    /// How much has happened in all of them.
    pub happened: Counts,
    /// Seconds that it took.
    pub seconds: f64,
}

/// What came of directed histories.
#[derive(Debug, Serialize)]
pub struct Marks {
    /// Whether everything held.
    pub ok: bool,
    /// What did not hold, by name.
    pub scenarios: BTreeMap<&'static str, Vec<String>>,
}

/// The whole of `svod-sim`.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    if let Some((who, point)) = life::told() {
        return life::live(&who, point, args);
    }
    run_main(args, |args: SimArgs| match (&args.scenario, args.kills) {
        (Some(asked), _) => directed(&args, asked),
        (None, Some(kills)) => kills::run(&args, kills),
        (None, None) => simulate(&args),
    })
}

fn directed(args: &SimArgs, asked: &str) -> Result<Exit, Failure> {
    let scenarios = scenario::asked_for(asked);
    if scenarios.is_empty() {
        return Err(Failure::new(Exit::Usage, "sim-scenario-unknown").told("name", asked));
    }
    let dir = scratch()?;
    let template = Template::make(&dir.path().join("template"), 2)?;
    let mut marks = BTreeMap::new();
    for scenario in &scenarios {
        let played = scenario::play(&template, &dir.path().join(scenario.name), scenario);
        if asked != "all" || !played.broken.is_empty() {
            // of a mark that has more than one: whose trace it is
            note(played.name);
            note(played.trace.trim_end());
        }
        marks.insert(played.name, played.broken);
    }
    let report = Marks { ok: marks.values().all(Vec::is_empty), scenarios: marks };
    args.common.print(&report, |lang| {
        let mut lines = Vec::new();
        for (name, broken) in &report.scenarios {
            let id = if broken.is_empty() { "sim-scenario-held" } else { "sim-scenario-broken" };
            lines.push(messages::text(lang, id, &[("name", (*name).into())]));
            lines.extend(broken.iter().map(|one| format!("  {one}")));
        }
        lines.join("\n")
    })?;
    Ok(if report.ok { Exit::Done } else { Exit::False })
}

/// A directory for cities: in memory, where there is a file system in it, for a history writes some thousand small files.
fn scratch() -> Result<tempfile::TempDir, Failure> {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    let dir = builder.prefix("svod-sim-");
    let dir = if memory.is_dir() { dir.tempdir_in(memory).or_else(|_| dir.tempdir()) } else { dir.tempdir() };
    Ok(dir.map_err(WorldError::file("a temporary directory"))?)
}

fn simulate(args: &SimArgs) -> Result<Exit, Failure> {
    let began = Instant::now();
    let (from, seeds) = args.replay.map_or((args.from, args.seeds), |seed| (seed, 1));
    let ended = histories(args, from, seeds)?;
    if args.replay.is_some() {
        for one in &ended {
            note(one.trace.trim_end());
        }
    }
    let digests: String = ended.iter().flat_map(|one| [one.digest.to_string(), "\n".to_owned()]).collect();
    let mut met: BTreeMap<String, u64> = BTreeMap::new();
    for code in ended.iter().flat_map(|one| &one.met) {
        *met.entry(code.clone()).or_default() += 1;
    }
    let happened = ended.iter().fold(Counts::default(), |all, one| all.and(&one.counts));
    let broken: BTreeMap<u64, Vec<String>> =
        ended.into_iter().filter(|one| !one.broken.is_empty()).map(|one| (one.seed, one.broken)).collect();
    let report = Report {
        ok: broken.is_empty(),
        from,
        seeds,
        centres: args.centres,
        digest: Digest::of(digests.as_bytes()).to_string(),
        broken,
        met,
        happened,
        seconds: began.elapsed().as_secs_f64(),
    };
    args.common.print(&report, |lang| {
        let told = |id, pairs: &[(&'static str, messages::Value<'static>)]| messages::text(lang, id, pairs);
        let mut lines = Vec::new();
        for (seed, broken) in &report.broken {
            lines.push(told("sim-broken", &args.again(*seed)));
            lines.extend(broken.iter().map(|one| format!("  {one}")));
        }
        let count = report.broken.len();
        let seconds = format!("{:.1}", report.seconds);
        lines.push(told(
            "sim-done",
            &[
                ("seeds", report.seeds.into()),
                ("centres", report.centres.into()),
                ("broken", count.into()),
                ("seconds", seconds.into()),
                ("digest", report.digest[..16].to_owned().into()),
            ],
        ));
        lines.join("\n")
    })?;
    Ok(if report.ok { Exit::Done } else { Exit::False })
}

/// Of so many histories the traces are kept.
const TRACES: u64 = 16;
/// How a long set stands is told so often.
const TELL: Duration = Duration::from_secs(30);

/// What whoever waits is told.
struct Progress {
    began: Instant,
    said: Instant,
    broken: usize,
}

impl Progress {
    /// Tells of a history that did not hold, and from time to time how many are done.
    fn tell(&mut self, args: &SimArgs, ended: &Ended, (done, seeds): (usize, u64)) {
        let lang = args.common.lang;
        if !ended.broken.is_empty() {
            self.broken += 1;
            note(&messages::text(lang, "sim-broken", &args.again(ended.seed)));
            ended.broken.iter().for_each(|one| note(&format!("  {one}")));
        }
        if self.said.elapsed() >= TELL {
            self.said = Instant::now();
            let seconds = format!("{:.0}", self.began.elapsed().as_secs_f64());
            let pairs = [
                ("done", done.into()),
                ("seeds", seeds.into()),
                ("broken", self.broken.into()),
                ("seconds", seconds.into()),
            ];
            note(&messages::text(lang, "sim-on-the-way", &pairs));
        }
    }
}

/// Runs the histories of `seeds` seeds from `from`, in their order.
///
/// # Errors
/// There is no room for them.
pub fn histories(args: &SimArgs, from: u64, seeds: u64) -> Result<Vec<Ended>, Failure> {
    if from.checked_add(seeds).is_none() {
        return Err(Failure::new(Exit::Usage, "sim-seeds-beyond").told("last", u64::MAX));
    }
    // each centre of a history has some eight
    let _ = open_files::raise_limit();
    let dir = scratch()?;
    let templates = Templates::make(&dir.path().join("templates"), args.centres)?;
    let length = Length { turns: args.turns * u32::from(args.centres), rounds: 400 };
    let threads =
        args.threads.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let (next, done) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let told = Mutex::new(Progress { began: Instant::now(), said: Instant::now(), broken: 0 });
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    if n >= seeds {
                        return;
                    }
                    let seed = from + n;
                    let place = args.keep.clone().unwrap_or_else(|| dir.path().join(seed.to_string()));
                    let mut ended = history::run(templates.of(seed), &place, seed, length);
                    if args.keep.is_none() {
                        let _ = fs::remove_dir_all(place);
                    }
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    told.lock().unwrap_or_else(PoisonError::into_inner).tell(
                        args,
                        &ended,
                        (done.len() + 1, seeds),
                    );
                    if seeds > TRACES {
                        ended.trace = String::new();
                    }
                    done.push(ended);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|one| one.seed);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(centres: u16) -> SimArgs {
        let words = ["svod-sim", "--centres", &centres.to_string(), "--turns", "8", "--threads", "1"]
            .map(str::to_owned);
        SimArgs::parse_from(words)
    }

    #[test]
    fn what_would_run_nothing_or_never_end_is_refused() {
        for words in [["--threads", "0"], ["--kills", "0"], ["--seeds", "0"], ["--turns", "4294967295"]] {
            let told = SimArgs::try_parse_from(["svod-sim"].iter().chain(&words)).map(|_| ());
            assert!(told.is_err(), "{words:?}");
        }
        let refused = histories(&args(1), u64::MAX, 2).expect_err("there are no such seeds");
        assert_eq!((refused.code(), refused.exit()), ("sim-seeds-beyond", Exit::Usage));
    }

    #[test]
    fn a_seed_leaves_the_same_trace_each_time() {
        let traces = |from| histories(&args(3), from, 2).expect("run");
        let (one, again) = (traces(1), traces(1));
        for (one, again) in one.iter().zip(&again) {
            assert_eq!((&one.trace, &one.broken), (&again.trace, &again.broken));
            assert_eq!(one.broken, [] as [String; 0], "{}", one.trace);
        }
        assert_ne!(one[0].digest, one[1].digest);
    }
}
