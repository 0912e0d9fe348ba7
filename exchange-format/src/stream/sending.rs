//! The sender of one stream: numbers, chain, epochs, heartbeat, stop (FORMAT.md §Streams).

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use super::{
    AnswerEffect, SentPacket, Timing,
    epoch::{Opening, Slot, SnapshotReason},
};
use crate::{
    answer::PacketOutcome,
    position::{Epoch, Mark, OutOfRange, Position, Seq},
};

/// The state of one outgoing stream. Columns of its row: `peer` (key), `epoch`, `seq`, `digest` (of `last`),
/// `sealed_at`, `highest_epoch`, `echo_epoch`, `echo_seq`, `echo_digest`, `stop`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The last packet sealed; `None` before the first snapshot.
    pub last: Option<Mark>,
    /// When it was sealed; the heartbeat counts from here.
    pub sealed_at: Option<Timestamp>,
    /// The highest epoch of this stream ever known: own, or told by an ack or an answer of the peer (R7).
    pub highest_epoch: Option<Epoch>,
    /// The control block's echo: the highest own packet for which a PR that consumed it has come.
    pub echo: Option<Mark>,
    /// The incident that stops data; `None` in peace.
    pub stop: Option<Stop>,
}

/// Why data are neither sealed nor placed. Answers and requested snapshots always go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// This participant's database was restored or copied; ends with a snapshot `recovered`.
    Restored,
    /// Two machines act as one participant; ends when one of them is enrolled anew.
    Clone,
}

/// The text names no stop. To take it for "none" would let a stopped stream go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reason to stop a stream")]
pub struct UnknownStop(String);

impl Stop {
    /// All stops with their words in the database.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Restored, "RESTORED"), (Self::Clone, "CLONE")];
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(stop, _)| stop == self).expect("ALL lists every stop").1)
    }
}

impl FromStr for Stop {
    type Err = UnknownStop;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|(_, word)| *word == text);
        found.map(|(stop, _)| *stop).ok_or_else(|| UnknownStop(text.chars().take(20).collect()))
    }
}

/// Why a packet cannot be sealed now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotSeal {
    /// The stream has no epoch yet: it begins with a snapshot (F11).
    #[error("the stream has not begun: its first packet is a snapshot")]
    NotBegun,
    /// An incident stops the stream.
    #[error("the stream is stopped: {0}")]
    Stopped(Stop),
    /// A snapshot has at least one part.
    #[error("a snapshot has at least one part")]
    NoParts,
    /// The numbers of the epoch, or the epochs, are used up.
    #[error(transparent)]
    UsedUp(#[from] OutOfRange),
}

impl Outgoing {
    /// The current epoch; `None` before the first snapshot.
    pub fn epoch(&self) -> Option<Epoch> {
        self.last.map(|mark| mark.position.epoch)
    }

    /// The place of the next DT or KY. Seal it, then call [`Outgoing::sealed`] in the same transaction.
    pub fn next_slot(&self) -> Result<Slot, CannotSeal> {
        if let Some(stop) = self.stop {
            return Err(CannotSeal::Stopped(stop));
        }
        let last = self.last.ok_or(CannotSeal::NotBegun)?;
        let position = Position { epoch: last.position.epoch, seq: last.position.seq.next()? };
        Ok(Slot { position, previous: Some(last.digest), part: None })
    }

    /// A DT or KY was sealed at [`Outgoing::next_slot`].
    pub fn sealed(&mut self, mark: Mark, now: Timestamp) {
        self.last = Some(mark);
        self.sealed_at = Some(now);
    }

    /// Whether a snapshot sealed now for `reason` is unconfirmed: this participant is recovering.
    pub fn is_unconfirmed(&self, reason: SnapshotReason) -> bool {
        self.stop.is_some() && reason == SnapshotReason::Requested
    }

    /// Whether a request for a snapshot is honoured now: also while recovering, but not by one of two machines that act
    /// as one participant. Also of a stream that has not begun: who was restored waits for the snapshot that names its request.
    pub fn honours_requests(&self) -> bool {
        self.stop != Some(Stop::Clone)
    }

    /// Opens an epoch, one above the highest known, with a snapshot of `parts` parts, all sealed in this
    /// transaction. The caller supersedes what is unanswered ([`super::SentPacket::supersede`]).
    pub fn open_epoch(&self, parts: u32, reason: SnapshotReason) -> Result<Opening, CannotSeal> {
        if parts == 0 {
            return Err(CannotSeal::NoParts);
        }
        Seq::new(u64::from(parts))?;
        if let (Some(stop), SnapshotReason::Initial) = (self.stop, reason) {
            return Err(CannotSeal::Stopped(stop));
        }
        let epoch = self.highest_epoch.max(self.epoch()).map_or(Ok(Epoch::FIRST), Epoch::next)?;
        Ok(Opening { stream: self.clone(), epoch, parts, done: 0, reason })
    }

    /// The peer is another machine now, with other keys, that has received nothing: the next packet is a snapshot in a
    /// new epoch, and no incident of the former one stops it.
    pub fn begin_anew(&mut self) {
        *self = Self { highest_epoch: self.highest_epoch.max(self.epoch()), ..Self::default() };
    }

    /// An ack or an answer named this epoch of the stream. Call it whatever else the file proves.
    pub fn told_epoch(&mut self, epoch: Epoch) {
        self.highest_epoch = self.highest_epoch.max(Some(epoch));
    }

    /// A PR has come for `packet`. Only an equal full digest counts (F9) and only a higher revision; a
    /// refusal as FORK or STALE_EPOCH in an older epoch proves nothing. The row was found by
    /// [`super::judge_own_mark`]; a PR for an unknown packet never gets here.
    pub fn protocol(
        &mut self,
        packet: &mut SentPacket,
        answered: &Mark,
        revision: u32,
        outcome: PacketOutcome,
    ) -> AnswerEffect {
        let effect = packet.protocol(answered, revision, outcome, self.epoch());
        // A snapshot refused or not confirmed is never consumed, superseded or not: to echo it would accuse its receiver.
        let consumed = match effect {
            AnswerEffect::Close => !packet.unconfirmed,
            AnswerEffect::Refused { .. } => !packet.snapshot,
            _ => false,
        };
        if consumed && self.echo.is_none_or(|echo| echo.position < answered.position) {
            self.echo = Some(*answered);
        }
        effect
    }

    /// When an empty DT is due unless something else is sealed before (R3). `None` before the first
    /// snapshot and while stopped.
    pub fn heartbeat_at(&self, timing: &Timing, now: Timestamp) -> Option<Timestamp> {
        let sealed_at = self.sealed_at.filter(|_| self.stop.is_none())?;
        let at = sealed_at.saturating_add(timing.heartbeat).unwrap_or(Timestamp::MAX);
        Some(timing.due_beat(at, now))
    }
}
