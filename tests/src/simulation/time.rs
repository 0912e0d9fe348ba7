//! Virtual time: one that goes on for everybody, and each machine's clock, which may be wrong.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use exchange_endpoint::clock::Clock;
use jiff::{SignedDuration, Timestamp};

/// When every history begins.
pub const BEGINNING: &str = "2026-11-22T06:00:00Z";

/// The time that goes on, in milliseconds since the beginning.
#[derive(Debug, Clone)]
pub struct Time {
    from: Timestamp,
    passed: Arc<AtomicI64>,
}

impl Default for Time {
    fn default() -> Self {
        Self::beginning_at(beginning())
    }
}

impl Time {
    /// A time that begins at `from`.
    pub fn beginning_at(from: Timestamp) -> Self {
        Self { from, passed: Arc::default() }
    }

    /// Milliseconds since the beginning.
    pub fn passed(&self) -> i64 {
        self.passed.load(Relaxed)
    }

    /// Lets so many milliseconds pass.
    pub fn pass(&self, millis: i64) {
        self.passed.fetch_add(millis, Relaxed);
    }

    /// The right time of day.
    pub fn now(&self) -> Timestamp {
        self.from + SignedDuration::from_millis(self.passed())
    }

    /// A machine's clock, right as yet.
    pub fn clock(&self) -> Arc<LocalClock> {
        Arc::new(LocalClock { time: self.clone(), wrong_by: AtomicI64::new(0) })
    }
}

/// [`BEGINNING`].
pub fn beginning() -> Timestamp {
    BEGINNING.parse().expect("a time")
}

/// The clock of one machine.
#[derive(Debug)]
pub struct LocalClock {
    time: Time,
    wrong_by: AtomicI64,
}

impl LocalClock {
    /// Sets it wrong by so many milliseconds.
    pub fn set_wrong_by(&self, millis: i64) {
        self.wrong_by.store(millis, Relaxed);
    }
}

impl Clock for LocalClock {
    fn now(&self) -> Timestamp {
        self.time.now() + SignedDuration::from_millis(self.wrong_by.load(Relaxed))
    }

    fn running(&self) -> Duration {
        Duration::from_millis(self.time.passed().unsigned_abs())
    }
}
