//! Looking through the archive, from which alone a lost database is made again: slowly, beside everything else, round and round.
//! What is gone from it or damaged there is told while a mirror of it may still have the file (`ARCHIVE_GAP`), and is over when the
//! file is there again.

use std::{fs, time::Duration};

use exchange_endpoint::{output::Failure, sum};
use jiff::Timestamp;

use super::{
    failure,
    hub::{Context, Hub, HubError},
    intake::journal,
    rebuild::archive::Archive,
};
use crate::database::filed::Filed;

/// A file that a rebuild needs is gone, or is not the one that it was.
const GAP: &str = "ARCHIVE_GAP";
/// Files that are looked at in a step, and bytes of them after which the step ends.
const STEP: (u32, u64) = (32, 8 << 20);
/// From one step to the next, and from one round to the next.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(24));
/// What is missing is looked for again after so long.
const AGAIN: Duration = Duration::from_mins(1);
/// So many of a participant are told one by one; a folder that is gone has thousands.
const TOLD: u64 = 20;

/// How far a round is. Times are of the clock's [`running`](exchange_endpoint::clock::Clock::running).
#[derive(Debug, Default)]
pub struct Scrub {
    after: String,
    began: Duration,
    next: Duration,
    again: Duration,
}

impl Scrub {
    /// Does the next step of `hub`'s, if it is due.
    ///
    /// # Errors
    /// The database.
    pub fn step(&mut self, hub: &mut Hub, running: Duration, now: Timestamp) -> Result<(), HubError> {
        if running >= self.again {
            self.again = running + AGAIN;
            if hub.look_for_missing(now)? {
                // some of it is back: what else is missing is told in the place of what was
                (self.after, self.next) = (String::new(), running);
            }
        }
        if running < self.next {
            return Ok(());
        }
        if self.after.is_empty() {
            self.began = running;
        }
        let after = hub.scrub(&self.after, now)?;
        self.next = running + PAUSES.0;
        if after.is_none() {
            self.next = self.next.max(self.began + PAUSES.1);
        }
        self.after = after.unwrap_or_default();
        Ok(())
    }
}

impl Hub {
    /// Looks at the files after `after`; where to go on, if there are more.
    fn scrub(&mut self, after: &str, now: Timestamp) -> Result<Option<String>, HubError> {
        let files = self.store.read(|tx| tx.filed_after(after, STEP.0))?;
        let (mut bytes, mut last, mut missing) = (0, None, Vec::new());
        let archive = archive_of(&self.context);
        for one in &files {
            let path = self.context.paths.archived(one.peer, &one.name);
            bytes += fs::metadata(&path).map_or(0, |found| found.len());
            missing.extend(fault(&archive, one).map(|failure| (one, failure)));
            last = Some(one.name.clone());
            if bytes > STEP.1 {
                break;
            }
        }
        if !missing.is_empty() {
            let Self { store, context, .. } = self;
            store.write(|tx| {
                for (one, failure) in missing {
                    tracing::error!(peer = %one.peer, file = one.name, "a rebuild would miss it: {failure}");
                    let told = tx.incident_count(one.peer, GAP)?;
                    if told < TOLD && !tx.is_incident_open(one.peer, GAP, &one.name)? {
                        tx.add_incident(one.peer, GAP, Some(&one.name), &now.to_string())?;
                        journal(tx, context.code, "archive.gap", &one.name, GAP, &[], now)?;
                    }
                }
                Ok::<_, HubError>(())
            })?;
        }
        Ok(last)
    }

    /// Looks whether what was missing is there again; whether any of it is.
    fn look_for_missing(&mut self, now: Timestamp) -> Result<bool, HubError> {
        let missing = self.store.read(|tx| tx.filed_missing(GAP))?;
        let archive = archive_of(&self.context);
        let back: Vec<Filed> = missing.into_iter().filter(|one| fault(&archive, one).is_none()).collect();
        if back.is_empty() {
            return Ok(false);
        }
        let Self { store, context, .. } = self;
        store.write(|tx| {
            for one in &back {
                tx.close_incident_of(one.peer, GAP, &one.name, &now.to_string())?;
                journal(tx, context.code, "archive.whole", &one.name, GAP, &[], now)?;
            }
            Ok::<_, HubError>(())
        })?;
        Ok(true)
    }
}

fn archive_of(context: &Context) -> Archive<'_> {
    Archive::new(context, &context.paths.archive, Vec::new(), context.paths.archive.clone())
}

/// Why a rebuild could not use the file `one`, if it could not: ours is as it was sealed, another's opens and is proven.
fn fault(archive: &Archive<'_>, one: &Filed) -> Option<Failure> {
    let path = archive.path(one.peer, &one.name);
    if !one.is_ours {
        return archive.open(one.peer, &one.name, one.digest).err();
    }
    match sum::of_file(&path) {
        Err(error) => Some(failure::file(&path)(error)),
        Ok((_, found)) if one.sha256.is_none_or(|sealed| sealed == found) => None,
        Ok(_) => Some(archive.damaged(one.peer, &one.name, "its SHA-256 is another".to_owned())),
    }
}
