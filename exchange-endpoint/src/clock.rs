//! What a daemon's loop goes by: the time of day, which may be wrong or be set, and how long it runs, which goes on.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A clock.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// How long since some moment before.
    fn running(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug)]
pub struct MachineClock(Instant);

impl Default for MachineClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn running(&self) -> Duration {
        self.0.elapsed()
    }
}
