//! What people do about a restore or a copy: they see what differs, say that the exchange may go on, and switch one of two
//! machines off.

use svod_spoke::edges::resync::Keep;

use super::{
    fate::Fate,
    history::{City, HEARTBEAT},
};

/// How many times people look until everything goes on.
const LOOKS: u32 = 8;

impl City {
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
            for centre in std::iter::once(&self.centres[n]).chain(twins.map(|twin| &twin.centre)) {
                let keep = if self.dice.chance(500) { Keep::Mine } else { Keep::Theirs };
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
