//! One history: what a seed lets happen to a city, until everything has come to rest, and what must be true then.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use exchange_endpoint::chance;
use exchange_format::position::Digest;
use fixtures::dice::Dice;

use super::{
    centre::{Centre, Turn},
    checks,
    clerk::{Clerk, Rows},
    fate::{Backup, Fate},
    hub::HubSide,
    line::{Line, Server},
    mishap::Mishap,
    people::{Person, people},
    rebuilt,
    template::Template,
    time::Time,
    trace::Trace,
};
use crate::world::copy_dir;

/// Of so many histories one ends with a hub made again out of its archive.
const REBUILT: u64 = 4;
/// Milliseconds of ten years.
const TEN_YEARS: i64 = 10 * 365 * 86_400_000;
/// Longer than a heartbeat, in milliseconds.
const HEARTBEAT: i64 = 7_500_000;

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
}

/// How much happens.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    /// Turns while things go wrong.
    pub turns: u32,
    /// Rounds at most until rest.
    pub rounds: u32,
}

/// What may happen besides mishaps and the weather, by the seed.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is chosen for itself")]
struct Kinds {
    restores: bool,
    clones: bool,
    tampering: bool,
    revocation: bool,
    clocks: bool,
    keys: bool,
}

impl Kinds {
    /// A twelfth of all histories have nothing of it, a twelfth nearly everything.
    fn of(seed: u64) -> Self {
        let is = |rest: &[u64]| rest.contains(&(seed % 12));
        Self {
            restores: is(&[1, 2, 11]),
            clones: is(&[3, 11]),
            tampering: is(&[4, 5, 11]),
            revocation: is(&[6, 11]),
            clocks: is(&[7, 8, 11]),
            keys: is(&[0, 6, 9]),
        }
    }
}

/// A machine that runs beside its original, with somebody who works at it.
struct Twin {
    centre: Centre,
    clerk: Clerk,
}

/// A city in the course of its history.
pub struct City {
    dir: PathBuf,
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
    twins: Vec<Twin>,
    copies: Vec<Option<Backup>>,
    server: Arc<Mutex<Server>>,
    dice: Dice,
    kinds: Kinds,
    people: Vec<Person>,
    pub(super) trace: Trace,
}

/// Runs the history of `seed` in a copy of `template` at `dir`.
pub fn run(template: &Template, dir: &Path, seed: u64, length: Length) -> Ended {
    let _given = chance_of(seed);
    let (trace, broken) = match City::begin(template, dir, seed) {
        Ok(mut city) => {
            let broken = match city.live(length) {
                Ok(()) => city.look(seed),
                Err(error) => vec![error],
            };
            (city.trace, broken)
        }
        Err(error) => (Trace::new(Time::default()), vec![error]),
    };
    for one in &broken {
        trace.tell("!!", one);
    }
    let _ = fs::remove_dir_all(dir);
    Ended { seed, digest: trace.digest(), trace: trace.text(), broken }
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
        if seed.is_multiple_of(REBUILT) {
            broken.extend(rebuilt::check(self));
        }
        broken
    }

    /// A city in a copy of `template` at `dir`.
    pub(super) fn begin(template: &Template, dir: &Path, seed: u64) -> Result<Self, String> {
        template.copy(dir).map_err(|error| format!("the city is not copied: {error}"))?;
        let time = Time::default();
        let trace = Trace::new(time.clone());
        let mut dice = Dice::new(seed, 0);
        let people = people(&mut dice, 3 + 2 * usize::from(template.centres));
        let ftp = dir.join("hub/ftp");
        let server = Server::new(ftp, template.centres, Dice::new(seed, 2), time.clone(), trace.clone());
        let server = Arc::new(Mutex::new(server));
        let centre = |n| Centre::new(dir, n, Line::new(n, Arc::clone(&server)), &time, trace.clone());
        let centres: Vec<Centre> = (1..=template.centres).map(centre).collect();
        let clerk = |centre: &Centre| Clerk::new(&centre.database(), centre.n, trace.clone());
        let clerks =
            centres.iter().map(clerk).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
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
        for at in 0..self.clerks.len() {
            for _ in 0..self.dice.below(3) {
                self.clerks[at].recipient(&mut self.dice, &self.people)?;
            }
        }
        for _ in 0..length.turns {
            let pause = [50, 700, 15_000, 200_000][self.dice.below(4)];
            self.time.pass(1 + i64::from(self.dice.between(0, pause)));
            self.server().turn().map_err(|error| format!("ftp: {error}"))?;
            self.turn()?;
            if self.dice.chance(60) {
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
            0..5 => self.hub.turn(mishap),
            5..7 => self.hub.staff(&mut self.dice, u16::try_from(self.centres.len()).expect("few"), mishap),
            7..11 => {
                self.clerks[n].act(&mut self.dice, &self.people)?;
                // the program is told of a write at once, or it comes later to it
                if self.dice.chance(500) { self.centres[n].turn(Turn::Look, mishap) } else { Ok(()) }
            }
            11 => {
                self.stop(n);
                Ok(())
            }
            12..14 => self.centres[n].turn(Turn::Due, mishap),
            14 if !self.twins.is_empty() => self.twin(),
            _ => self.centres[n].turn(Turn::Fetch, mishap),
        }
    }

    /// A machine is switched off, in order.
    fn stop(&mut self, n: usize) {
        if self.dice.chance(200) {
            self.trace.tell("hub", "is stopped");
            self.hub.stop();
        } else {
            self.trace.tell(&self.centres[n].name(), "is stopped");
            self.centres[n].stop();
        }
    }

    /// Somebody works at a machine that runs twice.
    fn twin(&mut self) -> Result<(), String> {
        let at = self.dice.below(self.twins.len());
        let Twin { centre, clerk } = &mut self.twins[at];
        clerk.act(&mut self.dice, &self.people)?;
        centre.turn(Turn::Fetch, Mishap::Nothing)
    }

    /// Something is done behind the programs' backs.
    fn strike(&mut self) -> Result<(), String> {
        let n = self.dice.below(self.centres.len());
        let failed = |error: std::io::Error| format!("strike: {error}");
        match self.dice.below(8) {
            0 | 1 if self.kinds.restores => self.copy(n).map_err(failed),
            2 if self.kinds.restores => self.restore(n),
            3 if self.kinds.clones && self.twins.is_empty() => self.clone_machine(n),
            4 if self.kinds.tampering => {
                if self.clerks[n].tamper().map_err(|error| format!("tampering: {error}"))? {
                    self.trace.tell(&self.centres[n].name(), "a locked row is altered");
                    self.tampered[n] += 1;
                }
                Ok(())
            }
            5 if self.kinds.revocation && self.fates[n] == Fate::Plain => self.shut_out(n),
            5 if self.fates[n] == Fate::Disabled => self.come_again(n),
            7 if self.kinds.keys => {
                let done = if self.dice.chance(300) { self.hub.rotate() } else { self.centres[n].rotate() };
                // one change at a time
                let told = done.unwrap_or_else(|error| format!("refused: {}", error.code()));
                self.trace.tell("op", &told);
                Ok(())
            }
            6 if self.kinds.clocks => {
                let wrong_by = [TEN_YEARS, -TEN_YEARS, 0, 3_600_000][self.dice.below(4)];
                let clock = if self.dice.chance(200) { &self.hub.clock } else { &self.centres[n].clock };
                clock.set_wrong_by(wrong_by);
                self.trace.tell("all", &format!("a clock is wrong by {} h", wrong_by / 3_600_000));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A copy of a database is made, or of the hub's.
    fn copy(&mut self, n: usize) -> std::io::Result<()> {
        let (of_hub, whole) = (self.dice.chance(200), self.dice.chance(300));
        let at = if of_hub { self.centres.len() } else { n };
        let dir = self.dir.join(format!("copy-{at}"));
        let copy = if of_hub {
            Backup::take(self.hub.dir(), "hub.db", dir, whole)?
        } else {
            let mut copy =
                Backup::take(self.centres[n].dir(), svod_spoke::edges::init::DATABASE, dir, whole)?;
            copy.rows = Some(self.clerks[n].rows.clone());
            copy
        };
        self.trace.tell("all", &format!("copy {at} is made, whole: {whole}"));
        self.copies[at] = Some(copy);
        Ok(())
    }

    /// A copy takes the place of what it was made of.
    fn restore(&mut self, n: usize) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("restore: {error}");
        let at = if self.copies[self.centres.len()].is_some() && self.dice.chance(300) {
            self.centres.len()
        } else {
            n
        };
        let Some(copy) = self.copies[at].take() else { return Ok(()) };
        self.trace.tell("all", &format!("copy {at} is put back, whole: {}", copy.whole));
        if at == self.centres.len() {
            self.hub.stop();
            self.hub_fate = Fate::Restored;
            return copy.put_back(self.hub.dir(), "hub.db").map_err(failed);
        }
        self.centres[n].stop();
        self.clerks[n].leave().map_err(|error| error.to_string())?;
        copy.put_back(self.centres[n].dir(), svod_spoke::edges::init::DATABASE).map_err(failed)?;
        let rows = copy.rows.unwrap_or_default();
        self.clerks[n].come_back(&self.centres[n].database(), rows).map_err(|error| error.to_string())?;
        if self.fates[n] == Fate::Plain {
            self.fates[n] = Fate::Restored;
        }
        Ok(())
    }

    /// The `n`th centre, from 0, is shut out.
    pub(super) fn shut_out(&mut self, n: usize) -> Result<(), String> {
        let told = self.hub.disable(self.centres[n].n).map_err(|error| format!("{error:?}"))?;
        self.trace.tell("op", &told);
        self.fates[n] = Fate::Disabled;
        self.had[n] = Some(checks::had(self, n).map_err(|error| error.to_string())?);
        Ok(())
    }

    /// The `n`th centre, from 0, which was shut out, returns on another machine, with other keys.
    fn come_again(&mut self, n: usize) -> Result<(), String> {
        let centre = &mut self.centres[n];
        centre.stop();
        let changes = centre.changes + 1;
        let dir = self.dir.join(format!("centre-{}-{changes}", centre.n));
        let told = self.hub.enrol_again(centre.n, &dir, changes).map_err(|error| format!("{error:?}"))?;
        self.trace.tell("op", &told);
        self.clerks[n].leave().map_err(|error| error.to_string())?;
        *centre = Centre::at(dir, centre.n, centre.line(), &self.time, self.trace.clone());
        centre.changes = changes;
        self.clerks[n].come_back(&centre.database(), Rows::new()).map_err(|error| error.to_string())?;
        (self.fates[n], self.had[n], self.tampered[n]) = (Fate::Plain, None, 0);
        Ok(())
    }

    /// A machine is copied whole, and both run.
    pub(super) fn clone_machine(&mut self, n: usize) -> Result<(), String> {
        let dir = self.dir.join(format!("twin-{n}"));
        self.centres[n].stop();
        copy_dir(self.centres[n].dir(), &dir).map_err(|error| format!("clone: {error}"))?;
        let (number, line) = (self.centres[n].n, self.centres[n].line());
        let centre = Centre::at(dir, number, line, &self.time, self.trace.clone());
        let mut clerk = Clerk::new(&centre.database(), number + 1000, self.trace.clone())
            .map_err(|error| error.to_string())?;
        (clerk.rows, clerk.ids) = (self.clerks[n].rows.clone(), self.clerks[n].ids);
        self.trace.tell(&centre.name(), "runs twice");
        self.fates[n] = Fate::Cloned;
        self.twins.push(Twin { centre, clerk });
        Ok(())
    }

    /// Nothing goes wrong any more; everybody goes on until nobody has anything to do.
    fn rest(&mut self, rounds: u32) -> Result<(), String> {
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
        if self.hub_fate != Fate::Plain || self.fates.iter().any(|fate| *fate != Fate::Plain) {
            // what nobody has said yet is said with the next heartbeat
            self.time.pass(HEARTBEAT);
            self.round()?;
            self.until_rest(rounds)?;
        }
        Ok(())
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
            centre.turn(Turn::Due, Mishap::Nothing)?;
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

    /// The clerk of the machine that runs beside another writes.
    pub(super) fn at_twin(&self, twin: usize, sql: &str) -> rusqlite::Result<()> {
        self.twins[twin].clerk.connection().execute_batch(sql)
    }

    /// The databases of the machines that run beside the `n`th centre's, from 0.
    pub(super) fn twins_of(&self, n: usize) -> impl Iterator<Item = PathBuf> {
        let number = self.centres[n].n;
        self.twins.iter().filter(move |twin| twin.centre.n == number).map(|twin| twin.centre.database())
    }
}
