//! What people do about a restore or a copy: they see what differs, say that the exchange may go on, and switch one of two
//! machines off.

use svod_spoke::edges::resync::Keep;

use super::{
    checks,
    fate::Fate,
    history::{City, HEARTBEAT},
};

/// How many times people look until everything goes on.
const LOOKS: u32 = 8;

impl City {
    /// Nobody knows yet of the machines that run twice: people let each of them go on whenever it has stopped, until the hub
    /// tells that it may be two. It has to.
    pub(super) fn recover_by_turns(&mut self, rounds: u32) -> Result<(), String> {
        for at in 0..self.twins.len() {
            let n = usize::from(self.twins[at].centre.n) - 1;
            for _ in 0..LOOKS {
                if checks::is_told_twice(self, n).map_err(|error| error.to_string())? {
                    break;
                }
                self.clerks[n].recipient(&mut self.dice, &self.people)?;
                self.twins[at].clerk.recipient(&mut self.dice, &self.people)?;
                self.until_rest(rounds)?;
                self.time.pass(HEARTBEAT);
                self.round()?;
                self.resync()?;
                self.until_rest(rounds)?;
            }
            if !checks::is_told_twice(self, n).map_err(|error| error.to_string())? {
                return Err(format!("nobody is told that {} runs twice", self.centres[n].name()));
            }
        }
        Ok(())
    }

    /// Everything goes on again, if people can let it.
    pub(super) fn recover(&mut self, rounds: u32) -> Result<(), String> {
        // of two machines one is switched off for good; what its clerk has written is another's life
        for twin in std::mem::take(&mut self.twins) {
            let n = usize::from(twin.centre.n) - 1;
            self.trace.tell(&twin.centre.name(), "runs once again");
            self.clerks[n].former.push(twin.clerk.memory.rows);
        }
        if self.hub_fate == Fate::Plain && self.fates.iter().all(|fate| *fate == Fate::Plain) {
            return Ok(());
        }
        // what nobody has said yet is said with the next heartbeat
        self.until_rest(rounds)?;
        self.time.pass(HEARTBEAT);
        self.round()?;
        self.until_rest(rounds)?;
        for _ in 0..LOOKS {
            if self.resync()? == 0 {
                return Ok(());
            }
            self.until_rest(rounds)?;
            self.time.pass(HEARTBEAT);
            self.round()?;
            self.until_rest(rounds)?;
        }
        Ok(())
    }

    /// People look at every stream that a restore has stopped, and let it go on where they can. How many there were.
    pub(super) fn resync(&mut self) -> Result<usize, String> {
        let (ready, others) = self.hub.resync().map_err(|error| format!("hub resync: {error:?}"))?;
        let mut stopped = ready + others;
        if stopped > 0 {
            self.trace.tell("op", &format!("hub resync: {ready} ready, {others} not yet"));
        }
        for n in 0..self.centres.len() {
            if self.fates[n] == Fate::Disabled {
                continue;
            }
            let twins = self.twins.iter().filter(|twin| usize::from(twin.centre.n) == n + 1);
            let twins = twins.map(|twin| (&twin.centre, &twin.clerk));
            for (centre, clerk) in std::iter::once((&self.centres[n], &self.clerks[n])).chain(twins) {
                let keep = if self.dice.chance(500) { Keep::Mine } else { Keep::Theirs };
                // they see in the database that nothing is stopped, and open no program for it
                if !clerk.is_stopped().map_err(|error| format!("{}: {error}", centre.name()))? {
                    continue;
                }
                let stage =
                    centre.resync(keep).map_err(|error| format!("{} resync: {error:?}", centre.name()))?;
                if stage != "none" {
                    self.trace.tell("op", &format!("{} resync: {stage}, {keep:?}", centre.name()));
                    stopped += 1;
                }
            }
        }
        Ok(stopped)
    }
}
