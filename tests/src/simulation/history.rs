//! One history: what a seed lets happen to a city, until everything has come to rest, and what must be true then.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use exchange_endpoint::chance;
use exchange_format::position::Digest;
use fixtures::dice::Dice;

use super::{
    centre::{Centre, Turn},
    checks,
    clerk::Clerk,
    fate::{Backup, Fate},
    hub::HubSide,
    line::{Line, Server},
    mishap::Mishap,
    people::{Person, people},
    power::Synced,
    rebuilt,
    strikes::{Kinds, Twin},
    template::Template,
    time::Time,
    trace::{Counts, Trace},
};

/// Of so many histories one ends with a hub made again out of its archive, and each with power cuts.
const REBUILT: u64 = 4;
/// Longer than a heartbeat, in milliseconds.
pub(super) const HEARTBEAT: i64 = 7_500_000;

/// What a history came to.
#[derive(Debug)]
pub struct Ended {
    /// Its seed.
    pub seed: u64,
    /// What happened.
    pub trace: String,
    /// The digest of the trace.
    pub digest: Digest,
    /// What was not as it must be.
    pub broken: Vec<String>,
    /// The codes of the incidents that it has met.
    pub met: BTreeSet<String>,
    /// How much has happened.
    pub counts: Counts,
}

/// How much happens.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    /// Turns while things go wrong.
    pub turns: u32,
    /// Rounds at most until rest.
    pub rounds: u32,
}

/// A city in the course of its history.
pub struct City {
    pub(super) dir: PathBuf,
    pub(super) time: Time,
    pub(super) hub: HubSide,
    pub(super) hub_fate: Fate,
    pub(super) centres: Vec<Centre>,
    pub(super) clerks: Vec<Clerk>,
    pub(super) fates: Vec<Fate>,
    /// How many times each centre's rows were altered behind the locks.
    pub(super) tampered: Vec<u32>,
    /// What the hub had of a centre when it was shut out.
    pub(super) had: Vec<Option<String>>,
    pub(super) twins: Vec<Twin>,
    pub(super) copies: Vec<Option<Backup>>,
    /// What of each centre's machine, and of the hub's, survives a power cut; none where there are no power cuts.
    pub(super) synced: Vec<Synced>,
    server: Arc<Mutex<Server>>,
    pub(super) dice: Dice,
    pub(super) kinds: Kinds,
    pub(super) people: Vec<Person>,
    pub(super) trace: Trace,
}

/// Runs the history of `seed` in a copy of `template` at `dir`.
pub fn run(template: &Template, dir: &Path, seed: u64, length: Length) -> Ended {
    let _given = chance_of(seed);
    let (trace, broken, met, counts) = match City::begin(template, dir, seed) {
        Ok(mut city) => {
            let broken = match city.live(length) {
                Ok(()) => city.look(seed),
                Err(error) => vec![error],
            };
            let met = checks::incidents(&city).unwrap_or_default();
            let packets = checks::packets(&city).unwrap_or_default();
            let counts = Counts { packets, ..city.trace.counts() };
            (city.trace, broken, met, counts)
        }
        Err(error) => (Trace::new(Time::default()), vec![error], BTreeSet::new(), Counts::default()),
    };
    for one in &broken {
        trace.tell("!!", one);
    }
    Ended { seed, digest: trace.digest(), trace: trace.text(), broken, met, counts }
}

/// This thread's chance, while it lives, is that of `seed`.
pub(super) fn chance_of(seed: u64) -> chance::Given {
    let mut source = Dice::new(seed, 1);
    chance::given(Box::new(move |bytes| {
        for byte in bytes {
            *byte = u8::try_from(source.below(256)).expect("a byte");
        }
    }))
}

impl City {
    /// What is broken at the end.
    fn look(&mut self, seed: u64) -> Vec<String> {
        let mut broken = checks::check(self);
        if seed.is_multiple_of(REBUILT) || self.kinds.power {
            broken.extend(rebuilt::check(self));
        }
        broken
    }

    /// A city in a copy of `template` at `dir`.
    pub(super) fn begin(template: &Template, dir: &Path, seed: u64) -> Result<Self, String> {
        Self::begin_at(template, dir, seed, Time::default())
    }

    /// As [`Self::begin`], in `time`.
    pub(super) fn begin_at(template: &Template, dir: &Path, seed: u64, time: Time) -> Result<Self, String> {
        template.copy(dir).map_err(|error| format!("the city is not copied: {error}"))?;
        let trace = Trace::new(time.clone());
        let mut dice = Dice::new(seed, 0);
        let mut people = people(&mut dice, 3 + 2 * usize::from(template.centres));
        let ftp = dir.join("hub/ftp");
        let server = Server::new(ftp, template.centres, Dice::new(seed, 2), time.clone(), trace.clone());
        let server = Arc::new(Mutex::new(server));
        let centre = |n| Centre::new(dir, n, Line::new(n, Arc::clone(&server)), &time, trace.clone());
        let centres: Vec<Centre> = (1..=template.centres).map(centre).collect();
        let clerk = |centre: &Centre| Clerk::new(&centre.database(), centre.n, trace.clone());
        let mut clerks: Vec<Clerk> =
            centres.iter().map(clerk).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        if let Some(past) = &template.past {
            time.pass(past.passed);
            people.clone_from(&past.people);
            clerks.iter_mut().zip(&past.memories).for_each(|(clerk, memory)| clerk.memory = memory.clone());
        }
        let hub = HubSide::new(dir, &time, trace.clone());
        let count = centres.len();
        Ok(Self {
            dir: dir.to_owned(),
            time,
            hub,
            hub_fate: Fate::Plain,
            centres,
            clerks,
            fates: vec![Fate::Plain; count],
            tampered: vec![0; count],
            had: vec![None; count],
            twins: Vec::new(),
            synced: Vec::new(),
            copies: (0..=count).map(|_| None).collect(),
            server,
            dice,
            kinds: Kinds::of(seed),
            people,
            trace,
        })
    }

    /// Everything that happens, until rest.
    fn live(&mut self, length: Length) -> Result<(), String> {
        if self.kinds.power {
            self.watch_disks().map_err(|error| format!("power: {error}"))?;
        }
        for at in 0..self.clerks.len() {
            self.before_clerk(at)?;
            for _ in 0..self.dice.below(3) {
                self.clerks[at].recipient(&mut self.dice, &self.people)?;
            }
        }
        for _ in 0..length.turns {
            let pause = [50, 700, 15_000, 200_000][self.dice.below(4)];
            self.time.pass(1 + i64::from(self.dice.between(0, pause)));
            self.server().turn().map_err(|error| format!("ftp: {error}"))?;
            self.turn()?;
            if self.dice.chance(80) {
                self.strike()?;
            }
        }
        self.rest(length.rounds)
    }

    /// The FTP server.
    pub(super) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody does something.
    fn turn(&mut self) -> Result<(), String> {
        let mishap = if self.dice.chance(120) { Mishap::throw(&mut self.dice) } else { Mishap::Nothing };
        let n = self.dice.below(self.centres.len());
        match self.dice.below(20) {
            0..5 => self.hub_turn(mishap),
            5..7 => self.staff_turn(mishap),
            7..11 => {
                self.before_clerk(n)?;
                self.clerks[n].act(&mut self.dice, &self.people)?;
                // the program is told of a write at once, or it comes later to it
                if self.dice.chance(500) { self.centre_turn(n, Turn::Look, mishap) } else { Ok(()) }
            }
            11 => self.stop(n),
            12..14 => self.centre_turn(n, Turn::Due, mishap),
            14 if !self.twins.is_empty() => self.twin(),
            _ => self.centre_turn(n, Turn::Fetch, mishap),
        }
    }

    /// A program is stopped in order, or, where there are power cuts, its machine has no power.
    fn stop(&mut self, n: usize) -> Result<(), String> {
        let at_hub = self.dice.chance(200);
        if self.kinds.power && self.dice.chance(500) {
            return self.cut(if at_hub { self.centres.len() } else { n });
        }
        if at_hub {
            self.trace.tell("hub", "is stopped");
            self.hub.stop();
        } else {
            self.trace.tell(&self.centres[n].name(), "is stopped");
            self.centres[n].stop();
        }
        Ok(())
    }

    /// Nothing goes wrong any more; everybody goes on until nobody has anything to do.
    pub(super) fn rest(&mut self, rounds: u32) -> Result<(), String> {
        self.trace.tell("all", "calm");
        self.server().calm_down().map_err(|error| format!("ftp: {error}"))?;
        self.hub.clock.set_wrong_by(0);
        for centre in &self.centres {
            if self.dice.chance(500) {
                centre.clock.set_wrong_by(0);
            }
        }
        self.round()?;
        let merged = self.hub.merge().map_err(|error| format!("merge: {error:?}"))?;
        self.trace.tell("op", &merged);
        self.until_rest(rounds)?;
        if !self.twins.is_empty() && self.dice.chance(500) {
            self.recover_by_turns(rounds)?;
        }
        self.recover(rounds)
    }

    /// Everybody goes on for so many rounds, or until nobody has anything to do.
    pub(super) fn until_rest(&mut self, rounds: u32) -> Result<(), String> {
        for _ in 0..rounds {
            self.round()?;
            if checks::is_at_rest(self).map_err(|error| error.to_string())? {
                self.trace.tell("all", "at rest");
                return Ok(());
            }
            let due = self.centres.iter().filter_map(Centre::until_due).chain(self.hub.until_due()).min();
            self.time.pass(due.unwrap_or(1000).clamp(1000, 900_000));
        }
        self.trace.tell("all", "no rest");
        Ok(())
    }

    /// Everybody has a turn.
    pub(super) fn round(&mut self) -> Result<(), String> {
        for centre in &mut self.centres {
            if centre.is_due() {
                centre.turn(Turn::Due, Mishap::Nothing)?;
            }
            centre.turn(Turn::Look, Mishap::Nothing)?;
        }
        self.hub.turn(Mishap::Nothing)?;
        for twin in &mut self.twins {
            twin.centre.turn(Turn::Fetch, Mishap::Nothing)?;
            twin.centre.turn(Turn::Due, Mishap::Nothing)?;
        }
        for centre in &mut self.centres {
            centre.turn(Turn::Fetch, Mishap::Nothing)?;
        }
        self.hub.turn(Mishap::Nothing)
    }
}
