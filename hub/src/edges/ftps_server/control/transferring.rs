//! A transfer beside its control connection: ABOR works in the middle of it.

use std::time::Duration;

use tokio::time::{Instant, interval_at};

use super::super::command::{Command, parse};
use super::super::data::Owner;
use super::super::reply::Reply;
use super::super::session::Transfer;
use super::super::transfer::{Mover, Outcome};
use super::{Control, Over, stopping};

/// How often a transfer that goes on is asked whether its login still counts.
const RECHECK: Duration = Duration::from_secs(2);

/// What happened first while a transfer runs.
enum Turn {
    Done(Outcome),
    Line(Option<Vec<u8>>),
    Recheck,
    Stopping,
}

/// What a line means while a transfer runs.
enum Meanwhile {
    Abort,
    Noop,
    Later,
}

impl Meanwhile {
    fn of(line: &[u8]) -> Self {
        match parse(line) {
            Ok(Command::Abor) => Self::Abort,
            Ok(Command::Noop) => Self::Noop,
            _ => Self::Later,
        }
    }
}

impl Control {
    /// One transfer, from its command to its last reply. Its port is used up, whatever comes of it.
    pub(super) async fn transfer(&mut self, transfer: Transfer) -> Result<(), Over> {
        let Some(login) = &self.login else { return Err(Over) };
        let Some(gate) = self.gate.take() else {
            return self.say(&Reply::new(425, "PASV or EPSV first")).await;
        };
        let Ok(owner) = Owner::new(&login.account, self.peer.ip(), &self.tls) else { return Err(Over) };
        let mover = Mover {
            jail: login.jail.clone(),
            centre: login.seat.0.clone(),
            owner,
            stall: self.shared.config.stall(),
            max_bytes: self.shared.config.max_bytes_per_centre,
            max_files: self.shared.config.max_files_per_centre,
        };
        let job = match mover.prepare(transfer).await {
            Ok(job) => job,
            Err(reply) => return self.say(&reply).await,
        };
        self.say(&Reply::new(150, "Ready for data")).await?;
        let mut recheck = interval_at(Instant::now() + RECHECK, RECHECK);
        let mut work = std::pin::pin!(mover.carry(job, gate));
        let outcome = loop {
            let turn = tokio::select! {
                biased;
                outcome = &mut work => Turn::Done(outcome),
                line = self.wire.next_line(), if self.held.is_none() => Turn::Line(line.ok().flatten()),
                _ = recheck.tick() => Turn::Recheck,
                () = stopping(&mut self.closing) => Turn::Stopping,
            };
            match turn {
                Turn::Done(outcome) => break outcome,
                Turn::Line(Some(line)) => match Meanwhile::of(&line) {
                    // RFC 959: one reply for the transfer, one for ABOR.
                    Meanwhile::Abort => {
                        self.say(&Reply::new(426, "Aborted")).await?;
                        break Outcome::from(Reply::new(226, "Abort done"));
                    }
                    Meanwhile::Noop => self.say(&Reply::new(200, "OK")).await?,
                    Meanwhile::Later => self.held = Some(line),
                },
                // The client is gone; what it has sent is still kept for its next attempt.
                Turn::Line(None) => {
                    work.await;
                    return Err(Over);
                }
                Turn::Recheck if self.is_still_welcome().await? => {}
                Turn::Recheck => return self.no_longer_welcome().await,
                Turn::Stopping => return self.end(Reply::new(421, "The server stops")).await,
            }
        };
        self.conclude(outcome).await
    }

    async fn conclude(&mut self, outcome: Outcome) -> Result<(), Over> {
        if let Some(name) = outcome.published {
            self.announce(name);
        }
        self.say(&outcome.reply).await
    }
}
