//! One sealed packet on its way: placing, back-off, KV, PR (FORMAT.md §Streams).

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};

use super::{Evidence, Stop};
use crate::{
    answer::{PacketOutcome, PacketReason},
    position::{Epoch, Mark},
};

/// Where a sealed packet stands with its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PacketState {
    /// Sealed and committed, not yet in the mailbox.
    Sealed,
    /// In the mailbox.
    Placed,
    /// The receiver has it (KV).
    Received,
    /// Applied whole (PR).
    Applied,
    /// Applied but for the records that the PR lists.
    AppliedPartial,
    /// Refused whole (PR). What it carried stays registered.
    Refused,
    /// Unanswered when a newer epoch was opened; the snapshot carries what it carried.
    Superseded,
}

/// The text names no state of a packet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state of a sent packet")]
pub struct UnknownState(String);

impl PacketState {
    /// All states with their words in databases and `--format json`.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Sealed, "SEALED"),
        (Self::Placed, "PLACED"),
        (Self::Received, "RECEIVED"),
        (Self::Applied, "APPLIED"),
        (Self::AppliedPartial, "APPLIED_PARTIAL"),
        (Self::Refused, "REFUSED"),
        (Self::Superseded, "SUPERSEDED"),
    ];

    /// Whether only a PR is missing: such packets are placed again and again.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Sealed | Self::Placed | Self::Received)
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).expect("ALL lists every state").1
    }
}

impl fmt::Display for PacketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PacketState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|(_, word)| *word == text);
        found.map(|(state, _)| *state).ok_or_else(|| UnknownState(text.chars().take(40).collect()))
    }
}

/// The deadlines of a stream. All are configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// From placing until the KV must have come.
    pub receipt: SignedDuration,
    /// From the KV until the PR must have come.
    pub protocol: SignedDuration,
    /// From a failed placing until the next try.
    pub retry: SignedDuration,
    /// No wait grows beyond this, but for its jitter of a quarter.
    pub cap: SignedDuration,
    /// The longest silence of a stream that has nothing to say.
    pub heartbeat: SignedDuration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            receipt: SignedDuration::from_mins(2),
            protocol: SignedDuration::from_mins(10),
            retry: SignedDuration::from_secs(1),
            cap: SignedDuration::from_hours(1),
            heartbeat: SignedDuration::from_hours(24),
        }
    }
}

impl Timing {
    /// When what waits until `at` is due, seen at `now`. No wait grows far beyond `longest`, so that an instant twice as far
    /// off was set by a clock that has been set back since: it is due at once.
    fn due(at: Timestamp, longest: SignedDuration, now: Timestamp) -> Timestamp {
        let reach = longest.checked_mul(2).and_then(|twice| now.checked_add(twice).ok());
        if reach.is_some_and(|reach| at > reach) { now } else { at }
    }

    /// [`Timing::due`] of what is tried again and again.
    pub fn due_again(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        Self::due(at, self.cap, now)
    }

    /// [`Timing::due`] of a heartbeat.
    pub(super) fn due_beat(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        Self::due(at, self.heartbeat, now)
    }

    /// [`Timing::due`] of whichever comes first of a stream.
    pub fn due_any(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        Self::due(at, self.cap.max(self.heartbeat), now)
    }

    /// `base` doubled for each attempt after the first, capped, and spread by ± a quarter by `random`
    /// (any value, uniformly chosen), so that a city does not come back in step after an outage.
    pub(super) fn wait(&self, base: SignedDuration, attempts: u32, random: u32) -> SignedDuration {
        let doubled = base.checked_mul(1 << attempts.saturating_sub(1).min(20)).unwrap_or(self.cap);
        let millis = doubled.min(self.cap).as_millis().clamp(0, i128::from(i64::MAX / 2));
        let spread = millis / 2 * i128::from(random) / i128::from(u32::MAX);
        SignedDuration::from_millis(i64::try_from(millis * 3 / 4 + spread).expect("clamped above"))
    }
}

/// A sealed packet. Columns: `epoch`, `seq` (key with the peer), `digest`, `snapshot`, `unconfirmed`,
/// `state`, `attempts`, `next_at`, `revision`. Kept for ever; only its spool file is pruned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPacket {
    /// Its place and manifest digest.
    pub mark: Mark,
    /// Whether it is a part of a snapshot.
    pub snapshot: bool,
    /// A snapshot sealed while recovering: placed in spite of a stop.
    pub unconfirmed: bool,
    /// Where it stands.
    pub state: PacketState,
    /// Placings (tried or done) since its last change of state.
    pub attempts: u32,
    /// When to place it (again) while it is open.
    pub next_at: Timestamp,
    /// The revision of the PR that counts; `None` before any.
    pub revision: Option<u32>,
}

/// Whether a packet is to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Now: the very same bytes. If the target exists with the same size, it is placed (S10).
    Now,
    /// Not before this.
    At(Timestamp),
    /// Not at all: it is answered, superseded, or the stream is stopped.
    Never,
}

/// What a PR does to its packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerEffect {
    /// It says nothing new: an equal or higher revision is known, or it answers another packet.
    Nothing,
    /// The packet is applied: close exactly what it carried, each (kind, key, version) with its outcome
    /// ([`crate::answer`]), never a newer version (D5).
    Close,
    /// Refused whole: nothing is closed, what it carried stays registered and is listed in `status`.
    /// Its number is consumed, but a refused snapshot opened nothing: the stream waits for a new epoch.
    Refused {
        /// Why.
        reason: PacketReason,
        /// Whether a new epoch must be opened.
        reopen: bool,
    },
    /// Refused FORK or STALE_EPOCH in the current epoch: this participant was restored (R2).
    Restored(Evidence),
}

impl SentPacket {
    /// A packet just sealed, due at once.
    pub fn new(mark: Mark, snapshot: bool, unconfirmed: bool, now: Timestamp) -> Self {
        let state = PacketState::Sealed;
        Self { mark, snapshot, unconfirmed, state, attempts: 0, next_at: now, revision: None }
    }

    /// Whether to place it now, later or never. Which packets to ask comes from database rows in an open
    /// state, in order of position; never from a directory listing.
    pub fn placing(&self, stop: Option<Stop>, now: Timestamp, timing: &Timing) -> Placing {
        if !self.state.is_open() || (stop.is_some() && !self.unconfirmed) {
            return Placing::Never;
        }
        let due = timing.due_again(self.next_at, now);
        if due <= now { Placing::Now } else { Placing::At(due) }
    }

    /// It stands in the mailbox, now or already before. Placing never ends an open packet: without a KV
    /// or PR it is due again after a growing wait (F4).
    pub fn placed(&mut self, now: Timestamp, timing: &Timing, random: u32) {
        let base = if self.state == PacketState::Received { timing.protocol } else { timing.receipt };
        if self.state == PacketState::Sealed {
            (self.state, self.attempts) = (PacketState::Placed, 0);
        }
        self.wait(base, now, timing, random);
    }

    /// The receiver asks for it again: due at once. False if it is closed.
    pub fn asked_for(&mut self, now: Timestamp) -> bool {
        if self.state.is_open() {
            self.next_at = self.next_at.min(now);
        }
        self.state.is_open()
    }

    /// It could not be placed: try again after a growing wait, for ever.
    pub fn placing_failed(&mut self, now: Timestamp, timing: &Timing, random: u32) {
        self.wait(timing.retry, now, timing, random);
    }

    fn wait(&mut self, base: SignedDuration, now: Timestamp, timing: &Timing, random: u32) {
        self.attempts = self.attempts.saturating_add(1);
        self.next_at = now.saturating_add(timing.wait(base, self.attempts, random)).unwrap_or(Timestamp::MAX);
    }

    /// A KV has come. True if it changes the state; a KV of another digest or a repeated one does not, and
    /// never moves a deadline.
    pub fn receipt(&mut self, answered: &Mark, now: Timestamp, timing: &Timing, random: u32) -> bool {
        let fresh = *answered == self.mark && matches!(self.state, PacketState::Sealed | PacketState::Placed);
        if fresh {
            (self.state, self.attempts) = (PacketState::Received, 0);
            self.wait(timing.protocol, now, timing, random);
        }
        fresh
    }

    /// The packet's side of [`super::Outgoing::protocol`]: what a PR does to it, `current` being the
    /// epoch of its stream.
    pub(super) fn protocol(
        &mut self,
        answered: &Mark,
        revision: u32,
        outcome: PacketOutcome,
        current: Option<Epoch>,
    ) -> AnswerEffect {
        if *answered != self.mark || self.revision.is_some_and(|known| known >= revision) {
            return AnswerEffect::Nothing;
        }
        self.revision = Some(revision);
        let reason = match outcome {
            PacketOutcome::Applied => {
                self.state = PacketState::Applied;
                return AnswerEffect::Close;
            }
            PacketOutcome::AppliedPartial => {
                self.state = PacketState::AppliedPartial;
                return AnswerEffect::Close;
            }
            PacketOutcome::Refused(reason) => reason,
        };
        let superseded = self.state == PacketState::Superseded;
        if !superseded {
            self.state = PacketState::Refused;
        }
        if !reason.proves_restore() {
            AnswerEffect::Refused { reason, reopen: self.snapshot && !superseded }
        } else if Some(self.mark.position.epoch) < current {
            AnswerEffect::Nothing
        } else {
            AnswerEffect::Restored(Evidence::Refused { packet: self.mark, reason })
        }
    }

    /// An epoch was opened: true if this packet, unanswered, is superseded by it.
    pub fn supersede(&mut self, opened: Epoch) -> bool {
        let ends = self.state.is_open() && self.mark.position.epoch < opened;
        if ends {
            self.state = PacketState::Superseded;
        }
        ends
    }
}
