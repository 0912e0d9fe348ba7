//! What happened, a line an event. The same seed gives the same lines.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use exchange_format::{file_name::FileName, position::Digest};

use super::time::Time;

/// The trace of one history.
#[derive(Debug, Clone)]
pub struct Trace {
    time: Time,
    text: Arc<Mutex<String>>,
}

impl Trace {
    /// An empty one.
    pub fn new(time: Time) -> Self {
        Self { time, text: Arc::default() }
    }

    /// `who` did `what`.
    pub fn tell(&self, who: &str, what: &str) {
        let passed = self.time.passed();
        let (hours, minutes) = (passed / 3_600_000, passed / 60_000 % 60);
        let seconds = passed / 1000 % 60;
        let line = format!("{hours:03}:{minutes:02}:{seconds:02}.{:03} {who:<4} {what}", passed % 1000);
        writeln!(self.lock(), "{line}").expect("a String takes any text");
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.lock().clone()
    }

    /// Its digest.
    pub fn digest(&self) -> Digest {
        Digest::of(self.lock().as_bytes())
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file's name without its digest.
pub fn short(name: &str) -> String {
    match name.parse::<FileName>() {
        Ok(name) => format!("{}({},{})", name.kind.letters(), name.position.epoch, name.position.seq),
        Err(_) => "?".to_owned(),
    }
}
