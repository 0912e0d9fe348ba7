//! A damaged file of the database: found by looking through its pages, or met at work. The daemon goes on with what is left, for
//! most centres are served by other pages; `status` and the log are told at once, the log not again with each step that fails by it.

use std::{sync::Arc, time::Duration};

use exchange_endpoint::{
    clock::Clock,
    database_pages::{Found, Soundness},
    instance::InstanceLock,
    messages::Told,
    output::{Failure, Lang},
};

use super::{failure::damaged, hub::HubError};

/// How long the log is not told again.
const SAID: Duration = Duration::from_hours(1);

/// What is known of the damage.
pub struct FileDamage {
    clock: Arc<dyn Clock>,
    failure: Option<Failure>,
    told: Option<Duration>,
}

impl FileDamage {
    /// None is known.
    pub fn none(clock: Arc<dyn Clock>) -> Self {
        Self { clock, failure: None, told: None }
    }

    /// What is to be told, if there is any.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Another file stands in the place of the database.
    pub fn forget(&mut self) {
        (self.failure, self.told) = (None, None);
    }

    /// Has `tell` log `error`, unless that is damage of the file.
    pub fn unless(&mut self, error: &HubError, tell: impl FnOnce(&HubError)) {
        if error.is_damage() {
            self.failure.get_or_insert_with(|| damaged(Told::of("sqlite-damaged-met", &[])));
            self.log();
        } else {
            tell(error);
        }
    }

    /// Looks on as `soundness` does; damage that was met at work stays, whatever it finds.
    pub fn look(&mut self, soundness: &mut Soundness, lock: &mut InstanceLock) {
        match soundness.step() {
            Some(Found::Damaged(damage)) => {
                (self.failure, self.told) = (Some(damaged(&damage)), None);
                self.log();
            }
            Some(Found::Sound) if self.failure.is_none() => lock.sound(),
            _ => {}
        }
    }

    fn log(&mut self) {
        let running = self.clock.running();
        let Some(failure) = &self.failure else { return };
        if self.told.is_none_or(|at| running.saturating_sub(at) >= SAID) {
            tracing::error!("{failure}. Next: {}", failure.next(Lang::En));
            self.told = Some(running);
        }
    }
}
