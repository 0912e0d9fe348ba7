//! What was set aside is judged again, by the ordinary way: its file is put back where its centre had left it.

use std::fs::File;

use exchange_endpoint::{archive, quarantine::Aside};
use exchange_format::participant::ParticipantCode;
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
        if matches!(taken, Taken::Done(_)) {
            self.store.write(|tx| tx.aside_taken(one))?;
            // its bytes are in the archive
            exchange_endpoint::durable_file::remove(&kept).map_err(at(&kept))?;
        }
        Ok(taken)
    }
}
