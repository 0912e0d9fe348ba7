//! What a seed lets happen behind the programs' backs: copies put back, machines that run twice, centres shut out, keys
//! changed, clocks set.

use std::path::PathBuf;

use super::{
    centre::{Centre, Turn},
    checks,
    clerk::{Clerk, Rows},
    fate::{Backup, Fate},
    history::City,
    hub,
    mishap::{End, Mishap, Noting, under},
};
use crate::world::copy_dir;

/// Milliseconds of ten years.
const TEN_YEARS: i64 = 10 * 365 * 86_400_000;

/// What may happen besides mishaps and the weather, by the seed.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is chosen for itself")]
pub(super) struct Kinds {
    restores: bool,
    clones: bool,
    tampering: bool,
    revocation: bool,
    clocks: bool,
    keys: bool,
    /// Power cuts: what was written and not synced is lost with an end.
    pub(super) power: bool,
}

impl Kinds {
    /// A sixteenth of all histories have nothing of it, a sixteenth nearly everything.
    pub(super) fn of(seed: u64) -> Self {
        let is = |rest: &[u64]| rest.contains(&(seed % 16));
        Self {
            restores: is(&[1, 2, 3, 15]),
            clones: is(&[4, 5, 15]),
            tampering: is(&[6, 7, 15]),
            revocation: is(&[8, 9, 15]),
            clocks: is(&[10, 11, 15]),
            keys: is(&[0, 8, 12]),
            power: is(&[11, 12, 13]),
        }
    }

    /// What is done behind the programs' backs.
    fn strikes(self) -> Vec<Strike> {
        use Strike::{
            ClockIsSet, Clones, ComesAgain, Copies, KeysChange, Recovers, Restores, ShutsOut, Tampers,
        };
        let of = |is: bool, strikes: &'static [Strike]| if is { strikes } else { &[] };
        [
            of(self.restores, &[Copies, Copies, Restores, Restores, Recovers]),
            of(self.clones, &[Clones, Recovers]),
            of(self.tampering, &[Tampers]),
            of(self.revocation, &[ShutsOut, ComesAgain]),
            of(self.clocks, &[ClockIsSet]),
            of(self.keys, &[KeysChange]),
        ]
        .concat()
    }
}

#[derive(Debug, Clone, Copy)]
enum Strike {
    Copies,
    Restores,
    Recovers,
    Clones,
    Tampers,
    ShutsOut,
    ComesAgain,
    ClockIsSet,
    KeysChange,
}

/// A machine that runs beside its original, with somebody who works at it.
pub struct Twin {
    pub(super) centre: Centre,
    pub(super) clerk: Clerk,
}

impl City {
    /// Somebody works at a machine that runs twice.
    pub(super) fn twin(&mut self) -> Result<(), String> {
        let at = self.dice.below(self.twins.len());
        let Twin { centre, clerk } = &mut self.twins[at];
        clerk.act(&mut self.dice, &self.people)?;
        centre.turn(Turn::Fetch, Mishap::Nothing)
    }

    /// Something is done behind the programs' backs.
    pub(super) fn strike(&mut self) -> Result<(), String> {
        let n = self.dice.below(self.centres.len());
        let failed = |error: std::io::Error| format!("strike: {error}");
        let strikes = self.kinds.strikes();
        if strikes.is_empty() {
            return Ok(());
        }
        match self.dice.pick(&strikes) {
            Strike::Copies => self.copy(n).map_err(failed),
            Strike::Restores => self.restore(n),
            Strike::Recovers => self.resync().map(drop),
            Strike::Clones if self.twins.is_empty() && self.fates[n] == Fate::Plain => self.clone_machine(n),
            Strike::Tampers => {
                if self.clerks[n].tamper().map_err(|error| format!("tampering: {error}"))? {
                    self.trace.tell(&self.centres[n].name(), "a locked row is altered");
                    self.tampered[n] += 1;
                }
                Ok(())
            }
            Strike::ShutsOut if self.fates[n] == Fate::Plain => self.shut_out(n),
            Strike::ComesAgain if self.fates[n] == Fate::Disabled => self.come_again(n),
            Strike::KeysChange => {
                let at_hub = self.dice.chance(300);
                let noting = self.noting(if at_hub { self.centres.len() } else { n });
                let done =
                    noted(noting, || if at_hub { self.hub.rotate() } else { self.centres[n].rotate() })?;
                // one change at a time
                let told = done.unwrap_or_else(|error| format!("refused: {}", error.code()));
                self.trace.tell("op", &told);
                Ok(())
            }
            Strike::ClockIsSet => {
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
            Backup::take(self.hub.dir(), hub::DATABASE, dir, whole)?
        } else {
            let mut copy =
                Backup::take(self.centres[n].dir(), svod_spoke::edges::init::DATABASE, dir, whole)?;
            copy.rows = Some(self.clerks[n].memory.rows.clone());
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
        // now and then into the open database; what the disk has of that is not known where there are power cuts
        let in_place = !copy.whole && !self.kinds.power && self.time.passed() % 2 == 0;
        if in_place {
            self.trace.tell("all", "while its program runs");
        }
        let written = |error: rusqlite::Error| format!("restore: {error}");
        if at == self.centres.len() {
            self.hub_fate = Fate::Restored;
            if in_place {
                return copy.restore_into(&self.hub.database(), hub::DATABASE).map_err(written);
            }
            self.hub.stop();
            return copy.put_back(self.hub.dir(), hub::DATABASE).map_err(failed);
        }
        self.clerks[n].leave().map_err(|error| error.to_string())?;
        let database = svod_spoke::edges::init::DATABASE;
        if in_place {
            copy.restore_into(&self.centres[n].database(), database).map_err(written)?;
        } else {
            self.centres[n].stop();
            copy.put_back(self.centres[n].dir(), database).map_err(failed)?;
        }
        let rows = copy.rows.unwrap_or_default();
        let lost = self.clerks[n].memory.rows.clone();
        self.clerks[n].former.push(lost);
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
    pub(super) fn come_again(&mut self, n: usize) -> Result<(), String> {
        let centre = &mut self.centres[n];
        centre.stop();
        let changes = centre.changes + 1;
        let dir = self.dir.join(format!("centre-{}-{changes}", centre.n));
        let told = self.hub.enrol_again(centre.n, &dir, changes).map_err(|error| format!("{error:?}"))?;
        self.trace.tell("op", &told);
        self.clerks[n].leave().map_err(|error| error.to_string())?;
        *centre = Centre::at(dir, centre.n, centre.line(), &self.time, self.trace.clone());
        (centre.changes, centre.returned) = (changes, true);
        self.clerks[n].former.clear();
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
        clerk.memory = self.clerks[n].memory.clone();
        self.trace.tell(&centre.name(), "runs twice");
        self.fates[n] = Fate::Cloned;
        self.twins.push(Twin { centre, clerk });
        Ok(())
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

/// Does `work`, of whose steps `noting` is told.
fn noted<T>(noting: Noting, work: impl FnOnce() -> T) -> Result<T, String> {
    match under(Mishap::Nothing, noting, work) {
        End::Done(done, _) => Ok(done),
        End::Crashed(at) | End::Panicked(at) => Err(format!("a command ended: {at}")),
    }
}
