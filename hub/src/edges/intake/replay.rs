//! What was set aside is judged again, by the ordinary way: its file is put back where its centre had left it. And what lies in
//! quarantine unknown to a database that was made again, or put back, is known again.

use std::fs::{self, File};

use exchange_endpoint::{
    archive,
    quarantine::{Aside, FOUND_ASIDE},
    stray::loggable,
};
use exchange_format::{file_name::FileName, participant::ParticipantCode};
use jiff::Timestamp;

use super::{Applied, Taken};
use crate::edges::hub::{Hub, HubError, at};

impl Hub {
    /// Judges again the files of the quarantine that are to be: what was applied, by centre. A file that cannot be
    /// taken now stays in `in`, and is taken by the next scan.
    pub fn replay(&mut self, now: Timestamp) -> Result<Vec<(ParticipantCode, Vec<Applied>)>, HubError> {
        let mut done = Vec::new();
        loop {
            // a KY among them lets more out
            let due = self.store.read(|tx| tx.to_replay())?;
            if due.is_empty() {
                return Ok(done);
            }
            for one in due {
                match self.replay_one(&one, now) {
                    Ok(Taken::Done(applied)) => done.push((one.peer, applied)),
                    Ok(Taken::Quarantined(_) | Taken::Nothing) => {}
                    Err(error) => {
                        tracing::error!(centre = %one.peer, file = one.file, "not judged again: {error}");
                    }
                }
            }
        }
    }

    fn replay_one(&mut self, one: &Aside, now: Timestamp) -> Result<Taken, HubError> {
        let kept = self.context.paths.quarantine.join(one.peer.as_str()).join(&one.file);
        let name = one.original().unwrap_or_default().to_owned();
        let put_back = match File::open(&kept) {
            Ok(mut file) => archive::keep(&self.context.paths.inbox(one.peer).join(&name), &mut file)
                .map(|_| ())
                .map_err(HubError::from),
            Err(error) => Err(at(&kept)(error)),
        };
        self.store.write(|tx| tx.set_replay(&one.row, false))?;
        put_back?;
        let taken = self.take(one.peer, &name, now)?;
        if matches!(taken, Taken::Quarantined(_)) && one.reason == FOUND_ASIDE {
            self.store.write(|tx| tx.aside_known(one, &now.to_string()))?;
        }
        if matches!(taken, Taken::Done(_)) {
            self.store.write(|tx| {
                tx.aside_taken(one)?;
                tx.close_incidents_about(one.peer, &one.file, &now.to_string())
            })?;
            // its bytes are in the archive
            exchange_endpoint::durable_file::remove(&kept).map_err(at(&kept))?;
        }
        Ok(taken)
    }

    /// Enters the files in quarantine of which the database knows nothing. Why they were set aside is known when staff have them
    /// judged again: in a database that is older than they are, one that was refused may be taken. What was never for us to take
    /// from its folder is judged again at once. Of a packet of an epoch that is over nobody need be told: a later snapshot says what it said; nor of a file
    /// that staff have taken away.
    ///
    /// # Errors
    /// A folder, or the database.
    pub(in crate::edges) fn know_quarantine(&mut self, now: Timestamp) -> Result<(), HubError> {
        let Self { store, context, .. } = self;
        let (unknown, gone) = store.read(|tx| {
            let found = tx.quarantine()?.into_iter().filter(|one| one.reason == FOUND_ASIDE);
            let folder = |one: &Aside| context.paths.quarantine.join(one.peer.as_str());
            let gone: Vec<Aside> = found.filter(|one| !folder(one).join(&one.file).exists()).collect();
            let mut unknown = Vec::new();
            for centre in tx.centres()? {
                let last = tx.streams(centre.code)?.incoming.last.map(|mark| mark.position.epoch);
                let folder = context.paths.quarantine.join(centre.code.as_str());
                let Ok(entries) = fs::read_dir(&folder) else { continue };
                let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
                for name in names.filter(|name| !name.starts_with('.')) {
                    let one = Aside::unknown(centre.code, &name);
                    if !tx.knows_aside(&one)? {
                        let parsed = one.original().and_then(|name| name.parse::<FileName>().ok());
                        let is_over = parsed.as_ref().is_some_and(|name| {
                            name.kind.is_numbered()
                                && name.from == centre.code
                                && Some(name.position.epoch) < last
                        });
                        unknown.push((one, parsed, is_over));
                    }
                }
            }
            Ok::<_, HubError>((unknown, gone))
        })?;
        if unknown.is_empty() && gone.is_empty() {
            return Ok(());
        }
        store.write(|tx| {
            gone.iter().try_for_each(|one| tx.aside_known(one, &now.to_string()))?;
            for (one, name, is_over) in &unknown {
                tracing::warn!(centre = %one.peer, file = loggable(&one.file), "in quarantine, and unknown to the database");
                tx.put_aside(one, name.as_ref().map(|name| name.position), &now.to_string())?;
                if !is_over {
                    tx.add_incident(one.peer, &one.reason, Some(&one.file), &now.to_string())?;
                }
                if name.as_ref().is_some_and(|name| is_foreign(name, one.peer, context.code)) {
                    tx.set_replay(&one.row, true)?;
                }
            }
            Ok(())
        })
    }
}

/// Whether a file of this name in the folder of `centre` is none of its packets to `own`.
pub(super) fn is_foreign(name: &FileName, centre: ParticipantCode, own: ParticipantCode) -> bool {
    name.from != centre || name.to != own
}
