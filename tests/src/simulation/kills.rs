//! Real crashes: hub and centres as processes, each ended by SIGKILL at a failpoint or at a random moment and started again
//! at once, while clerks and staff work; afterwards everything comes to rest in virtual time, and everything must be true
//! that is true of any history.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use exchange_endpoint::{
    messages::{self, Value},
    output::{Exit, Failure},
};
use fixtures::dice::Dice;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    SimArgs, checks,
    history::City,
    life::{LIFE, Point, STEPS},
    mishap::Mishap,
    scratch,
    template::{Template, centre_code, centre_dir},
    time::Time,
};
use crate::world::{WorldError, toml_edit::set_key};

/// Centres of a city whose programs are killed.
const CENTRES: u16 = 2;
/// So many kills befall one city.
const OF_A_CITY: u64 = 150;
/// A life ends after so long at the latest, in milliseconds.
const LONGEST: i32 = 700;
/// From so many kills on each failpoint must have been met.
const ALL_MET: u64 = 300;
/// The most rounds until rest.
const ROUNDS: u32 = 400;

/// What came of it (docs/CLI_JSON.md §Simulation).
#[derive(Debug, Default, Serialize)]
pub struct Killed {
    /// Whether everything held.
    pub ok: bool,
    /// How many processes were killed.
    pub kills: u64,
    /// How many cities they were of.
    pub cities: u64,
    /// How many at which point of whose.
    pub at: BTreeMap<String, u64>,
    /// What did not hold, by seed.
    pub broken: BTreeMap<u64, Vec<String>>,
    /// Where the cities are that did not hold.
    pub left: Option<PathBuf>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Kills `kills` daemons, at least.
///
/// # Errors
/// There is no room for the cities.
pub fn run(args: &SimArgs, kills: u64) -> Result<Exit, Failure> {
    let began = Instant::now();
    let mut dir = scratch()?;
    let template = Template::make(&dir.path().join("template"), CENTRES)?;
    let mut killed = Killed::default();
    let mut seed = args.from;
    while killed.kills < kills {
        let mut broken = Vec::new();
        let wanted = (kills - killed.kills).min(OF_A_CITY);
        match suffer(&template, &dir.path().join(seed.to_string()), seed, wanted) {
            Ok((at, found)) => {
                broken.extend(found);
                killed.kills += at.values().sum::<u64>();
                for (at, n) in at {
                    *killed.at.entry(at).or_default() += n;
                }
            }
            Err(error) => {
                killed.broken.insert(seed, vec![error]);
                break;
            }
        }
        if !broken.is_empty() {
            killed.broken.insert(seed, broken);
        }
        killed.cities += 1;
        seed += 1;
    }
    if kills >= ALL_MET {
        let unmet: Vec<String> = points().filter(|point| !killed.at.contains_key(point)).collect();
        if !unmet.is_empty() {
            killed.broken.entry(0).or_default().push(format!("nobody was killed at: {}", unmet.join(", ")));
        }
    }
    killed.ok = killed.broken.is_empty();
    if !killed.ok {
        // no seed brings it again: what there is to look at is here
        dir.disable_cleanup(true);
        killed.left = Some(dir.path().to_owned());
    }
    killed.seconds = began.elapsed().as_secs_f64();
    args.common.print(&killed, |lang| {
        let mut lines: Vec<String> = killed.at.iter().map(|(at, n)| format!("  {at}: {n}")).collect();
        lines.extend(killed.broken.iter().map(|(seed, broken)| format!("{seed}: {}", broken.join("\n  "))));
        lines.extend(killed.left.iter().map(|left| format!("  → {}", left.display())));
        let seconds = format!("{:.1}", killed.seconds);
        let count = |n: usize| -> Value<'static> { n.into() };
        let pairs = [
            ("kills", killed.kills.into()),
            ("cities", killed.cities.into()),
            ("broken", count(killed.broken.len())),
            ("seconds", seconds.into()),
        ];
        lines.push(messages::text(lang, "sim-killed", &pairs));
        lines.join("\n")
    })?;
    Ok(if killed.ok { Exit::Done } else { Exit::False })
}

/// Every failpoint of each program. A centre's removes only what has long been answered.
fn points() -> impl Iterator<Item = String> {
    let of = |who: &'static str| {
        let steps = STEPS.iter().filter(move |step| (who, **step) != ("spoke", "remove"));
        steps.flat_map(move |step| ["before", "after"].map(|side| format!("{who} {side} {step}")))
    };
    ["hub", "spoke"].into_iter().flat_map(of)
}

/// What the keepers of a city share.
struct Shared {
    wanted: u64,
    at: Mutex<BTreeMap<String, u64>>,
    broken: Mutex<Vec<String>>,
    over: AtomicBool,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn note(&self, at: String) {
        let mut all = lock(&self.at);
        *all.entry(at).or_default() += 1;
        if all.values().sum::<u64>() >= self.wanted {
            self.over.store(true, Relaxed);
        }
    }

    fn fail(&self, what: String) {
        lock(&self.broken).push(what);
        self.over.store(true, Relaxed);
    }
}

/// A city whose programs are killed: how many where, and what is broken afterwards.
fn suffer(
    template: &Template,
    dir: &Path,
    seed: u64,
    wanted: u64,
) -> Result<(BTreeMap<String, u64>, Vec<String>), String> {
    let mut city = City::begin_at(template, dir, seed, Time::beginning_at(Timestamp::now()))?;
    city.server().calm_down().map_err(|error| error.to_string())?;
    hasten(dir).map_err(|error| error.to_string())?;
    let mut keepers = vec![Keeper::new("hub", dir.join("hub"), Dice::new(seed, 10))];
    keepers.extend(
        (1..=CENTRES).map(|n| Keeper::new("spoke", centre_dir(dir, n), Dice::new(seed, 10 + u64::from(n)))),
    );
    let (at, broken) = (Mutex::default(), Mutex::default());
    let shared = Shared { wanted, at, broken, over: AtomicBool::new(false) };
    let worked = thread::scope(|scope| {
        for keeper in &mut keepers {
            scope.spawn(|| keeper.keep(&shared));
        }
        let worked = work(&mut city, &shared);
        shared.over.store(true, Relaxed);
        worked
    });
    worked?;
    let mut broken = std::mem::take(&mut *lock(&shared.broken));
    if broken.is_empty() {
        follow(&city);
        city.rest(ROUNDS)?;
        broken = checks::check(&mut city);
    }
    if broken.is_empty() {
        let _ = fs::remove_dir_all(dir);
    }
    Ok((std::mem::take(&mut *lock(&shared.at)), broken))
}

/// Deadlines of tenths of seconds, and folders for mailboxes.
fn hasten(dir: &Path) -> Result<(), WorldError> {
    let hub = dir.join("hub").join(svod_hub::edges::operations::init::FILE);
    set_key(&hub, "ftps", "enabled", "false")?;
    let mut files = vec![hub];
    for n in 1..=CENTRES {
        let file = centre_dir(dir, n).join(svod_spoke::edges::init::FILE);
        set_key(&file, "mailbox", "path", &format!("\"../hub/ftp/{}\"", centre_code(n)))?;
        set_key(&file, "exchange", "settle_s", "0")?;
        files.push(file);
    }
    set_key(&files[0], "exchange", "scan_ms", "100")?;
    for file in &files {
        set_key(file, "exchange", "watch_ms", "10")?;
        for (key, value) in [("receipt_s", "1"), ("protocol_s", "2"), ("retry_s", "1")] {
            set_key(file, "exchange", key, value)?;
        }
    }
    Ok(())
}

/// The city's time is that of the processes.
fn follow(city: &City) {
    let behind = Timestamp::now().duration_since(city.time.now()).as_millis();
    city.time.pass(i64::try_from(behind).unwrap_or(0).max(0));
}

/// Clerks and staff work until the kills are done.
fn work(city: &mut City, shared: &Shared) -> Result<(), String> {
    while !shared.over.load(Relaxed) {
        let n = city.dice.below(city.clerks.len());
        city.clerks[n].act(&mut city.dice, &city.people)?;
        if city.dice.chance(150) {
            city.hub.staff(&mut city.dice, CENTRES, Mishap::Nothing, None)?;
        }
        thread::sleep(Duration::from_millis(20));
        follow(city);
    }
    Ok(())
}

/// Starts a daemon again and again.
struct Keeper {
    who: &'static str,
    dir: PathBuf,
    dice: Dice,
}

impl Keeper {
    fn new(who: &'static str, dir: PathBuf, dice: Dice) -> Self {
        Self { who, dir, dice }
    }

    fn keep(&mut self, shared: &Shared) {
        while !shared.over.load(Relaxed) {
            match self.live(shared) {
                Ok(at) => shared.note(format!("{} {at}", self.who)),
                Err(error) => shared.fail(error),
            }
        }
    }

    /// One life; where it ended.
    fn live(&mut self, shared: &Shared) -> Result<String, String> {
        let at_point = self.dice.chance(800);
        let point = Point {
            step: self.dice.below(STEPS.len()),
            before: self.dice.chance(500),
            nth: 1 + u32::try_from(self.dice.below(8)).expect("small"),
        };
        let longest = if at_point { LONGEST } else { self.dice.between(1, LONGEST) };
        let mut child =
            self.start(at_point.then_some(point)).map_err(|error| format!("{}: {error}", self.who))?;
        let until = Instant::now() + Duration::from_millis(u64::try_from(longest).expect("positive"));
        while Instant::now() < until && !shared.over.load(Relaxed) {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                return self.ended(status, at_point.then_some(point));
            }
            thread::sleep(Duration::from_millis(3));
        }
        let _ = child.kill();
        let status = child.wait().map_err(|error| error.to_string())?;
        // it may have come to its point, or have failed, in this very moment
        if status.signal().is_none() { self.ended(status, None) } else { Ok("at random".to_owned()) }
    }

    fn ended(&self, status: ExitStatus, point: Option<Point>) -> Result<String, String> {
        if let (Some(9), Some(point)) = (status.signal(), point) {
            return Ok(point.name());
        }
        let said = fs::read_to_string(self.dir.join("said")).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(3).collect();
        Err(format!("{} has ended by itself: {status}: {}", self.who, last.join(" | ")))
    }

    fn start(&self, point: Option<Point>) -> io::Result<Child> {
        let config = if self.who == "hub" {
            svod_hub::edges::operations::init::FILE
        } else {
            svod_spoke::edges::init::FILE
        };
        let said = fs::File::options().create(true).append(true).open(self.dir.join("said"))?;
        let life = point.map_or_else(|| self.who.to_owned(), |point| format!("{} {point}", self.who));
        Command::new(std::env::current_exe()?)
            .args(["run".as_ref(), "--config".as_ref(), self.dir.join(config).as_os_str()])
            .env(LIFE, life)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
    }
}
