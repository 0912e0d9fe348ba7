//! What happened, a line an event. The same seed gives the same lines.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use exchange_format::{file_name::FileName, position::Digest};
use serde::Serialize;

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

    /// How much it tells of, but for packets.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for line in self.lock().lines() {
            let Some((who, what)) = line.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')) else {
                continue;
            };
            let has = |words: &[&str]| words.iter().any(|word| what.contains(word));
            let counted = match who {
                "ftp" => &mut counts.weather,
                _ if has(&[": crashed ", ", ended", ", and went on"]) => &mut counts.mishaps,
                "op" => &mut counts.acts,
                _ if who.starts_with('k') => &mut counts.acts,
                _ if has(&["is stopped", "has no power, and loses in"]) => &mut counts.stops,
                _ if has(&["is put back", "runs twice", "is altered", "a clock is wrong"]) => {
                    &mut counts.strikes
                }
                _ => continue,
            };
            *counted += 1;
        }
        counts
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much has happened.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Packets and answers that the hub knows, of either direction.
    pub packets: u64,
    /// What clerks have written, and what staff have done.
    pub acts: u64,
    /// What the FTP has done to files, and its outages.
    pub weather: u64,
    /// Programs that have ended at a durable step, or that a disk has refused something.
    pub mishaps: u64,
    /// Programs stopped in order, and power cuts.
    pub stops: u64,
    /// What was done behind the programs' backs: copies put back, machines run twice, rows altered, clocks set.
    pub strikes: u64,
}

impl Counts {
    /// The counts of two histories together.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            acts: self.acts + other.acts,
            weather: self.weather + other.weather,
            mishaps: self.mishaps + other.mishaps,
            stops: self.stops + other.stops,
            strikes: self.strikes + other.strikes,
        }
    }
}

/// A file's name without its digest.
pub fn short(name: &str) -> String {
    match name.parse::<FileName>() {
        Ok(name) => format!("{}({},{})", name.kind.letters(), name.position.epoch, name.position.seq),
        Err(_) => "?".to_owned(),
    }
}
