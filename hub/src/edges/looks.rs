//! Looking at what is kept: some of the archive and of the journal, and the rows of the streams with one centre, beside everything
//! else and each once an [`AUDIT`]; the rows of all streams at once, before anything else is done, after a start and whenever a
//! stranger has written into the database (ADR 31).

use std::time::Duration;

use exchange_endpoint::clock::Clock;
use exchange_format::participant::ParticipantCode;

use super::{
    file_damage::FileDamage,
    hub::{Hub, HubError},
    journal_look::JournalLook,
    scrub::Scrub,
};
use crate::database::DatabaseError;

/// How often what is kept of each centre's streams is looked at.
const AUDIT: Duration = Duration::from_hours(1);
/// After a look at everything, the next one waits so many times as long as that took: whoever goes on writing does not have this
/// program look for ever.
const REST: u32 = 9;

/// How far that is. Times are of the clock's [`running`](Clock::running).
#[derive(Default)]
pub struct Looks {
    /// The centres whose streams are looked at next, one a time, and when the first of them was.
    to_audit: Vec<ParticipantCode>,
    audited: Option<Duration>,
    scrub: Scrub,
    journal: Option<JournalLook>,
    /// Everything is looked at before anything else is done, and from when on that may be.
    is_first: bool,
    not_before: Duration,
}

impl Looks {
    /// The next thing that is done is to look at everything.
    pub fn begin(&mut self) {
        (self.is_first, self.not_before) = (true, Duration::ZERO);
    }

    /// Looks at the rows of all streams if that has to be done before anything else.
    ///
    /// # Errors
    /// [`DatabaseError::Unlooked`]: it has to, and is not done yet; nothing else may be. The database.
    pub fn first(
        &mut self,
        hub: &mut Hub,
        clock: &dyn Clock,
        damage: &mut FileDamage,
    ) -> Result<(), HubError> {
        let began = clock.running();
        if hub.store.is_strange()? && !self.is_first {
            self.is_first = true;
            tracing::warn!(
                "somebody who is not Svod has written into the database; all that is kept of the exchange is looked at before anything is taken or sent. Next: find out who it was"
            );
        }
        if !self.is_first {
            return Ok(());
        }
        if began < self.not_before {
            return Err(DatabaseError::Unlooked.into());
        }
        hub.store.trust();
        let looked = look_at_all(hub, clock, damage);
        let ended = clock.running();
        self.not_before = ended + ended.saturating_sub(began) * REST;
        looked?;
        self.is_first = false;
        (self.to_audit, self.audited) = (Vec::new(), Some(ended));
        self.journal = Some(JournalLook::begin(hub));
        Ok(())
    }

    /// Does the next step of what is looked at beside everything else; whether anything was wrong with a stream.
    pub fn step(&mut self, hub: &mut Hub, clock: &dyn Clock, damage: &mut FileDamage) -> bool {
        let running = clock.running();
        if let Err(error) = self.scrub.step(hub, running, clock.now()) {
            damage.unless(&error, |error| tracing::warn!("the archive could not be looked through: {error}"));
        }
        if std::mem::take(&mut hub.is_to_audit) {
            self.audited = None;
        }
        if self.to_audit.is_empty() && self.audited.is_none_or(|at| running.saturating_sub(at) >= AUDIT) {
            match hub.store.read(|tx| tx.centres()) {
                Ok(centres) => self.to_audit = centres.iter().map(|centre| centre.code).collect(),
                Err(error) => {
                    damage.unless(&error.into(), |error| {
                        tracing::warn!("the centres could not be read: {error}");
                    });
                }
            }
            self.audited = Some(running);
            self.journal = Some(JournalLook::begin(hub));
        }
        if let Some(look) = &mut self.journal {
            match look.step(hub, clock.now()) {
                Ok(false) => {}
                Ok(true) => self.journal = None,
                Err(error) => {
                    if error.is_damage() {
                        self.journal = None;
                    }
                    damage.unless(&error, |error| {
                        tracing::warn!("the journal could not be looked through: {error}");
                    });
                }
            }
        }
        let Some(centre) = self.to_audit.pop() else { return false };
        hub.audit(centre, clock.now()).unwrap_or_else(|error| {
            untold(centre, &error, damage);
            false
        })
    }
}

fn look_at_all(hub: &mut Hub, clock: &dyn Clock, damage: &mut FileDamage) -> Result<(), HubError> {
    for centre in hub.store.read(|tx| tx.centres())? {
        match hub.audit(centre.code, clock.now()) {
            Ok(_) => {}
            Err(error) if error.has_to_wait() => return Err(error),
            // most centres are served by other rows
            Err(error) => untold(centre.code, &error, damage),
        }
    }
    match hub.draw_again(clock.now()) {
        Err(error) if !error.has_to_wait() => {
            damage.unless(&error, |error| {
                tracing::error!("what is to be sealed could not be worked out anew: {error}");
            });
            Ok(())
        }
        other => other,
    }
}

fn untold(centre: ParticipantCode, error: &HubError, damage: &mut FileDamage) {
    damage.unless(error, |error| {
        tracing::error!(centre = %centre, "what is kept of its streams could not be looked at: {error}");
    });
}
