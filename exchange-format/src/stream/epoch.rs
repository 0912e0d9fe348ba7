//! Opening an epoch: numbers, parts and chain of a snapshot (FORMAT.md §Streams).

use std::fmt;

use super::Outgoing;
use crate::position::{Digest, Epoch, Mark, Position, Seq};

/// Part `k` of `n` of a snapshot: 1 ≤ k ≤ n. Part k has number k in the epoch that it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    k: u32,
    n: u32,
}

/// The numbers are no part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("part {k} of {n} does not exist")]
pub struct PartError {
    k: u32,
    n: u32,
}

impl Part {
    /// Part `k` of `n`.
    pub fn new(k: u32, n: u32) -> Result<Self, PartError> {
        let exists = (1..=n).contains(&k) && Seq::new(u64::from(n)).is_ok();
        exists.then_some(Self { k, n }).ok_or(PartError { k, n })
    }

    /// Which part, from 1.
    pub fn k(self) -> u32 {
        self.k
    }

    /// How many there are.
    pub fn n(self) -> u32 {
        self.n
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.k, self.n)
    }
}

/// Why a snapshot is sealed; stands in its manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SnapshotReason {
    /// The stream begins, or its sender opens a new epoch of its own accord.
    Initial,
    /// The receiver asked for it. Sealed and placed even while its sender is recovering.
    Requested,
    /// Its sender has recovered from a restore: ends the stop of its stream.
    Recovered,
}

impl SnapshotReason {
    /// All reasons with their words in manifests and databases.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Initial, "initial"), (Self::Requested, "requested"), (Self::Recovered, "recovered")];
}

/// The place of the next packet of a stream: what its manifest must say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its epoch and number.
    pub position: Position,
    /// The digest of the packet sealed before it in this stream, in an older epoch if need be;
    /// `None` only for the very first packet of a stream.
    pub previous: Option<Digest>,
    /// For a snapshot, which part.
    pub part: Option<Part>,
}

/// A snapshot being sealed, part after part, in one transaction. The stream's state changes only by
/// [`Opening::finish`], which gives it back when all parts are sealed: a half-opened epoch cannot be stored.
#[derive(Debug, Clone)]
pub struct Opening {
    pub(super) stream: Outgoing,
    pub(super) epoch: Epoch,
    pub(super) parts: u32,
    pub(super) done: u32,
    pub(super) reason: SnapshotReason,
}

impl Opening {
    /// The epoch being opened. Every unanswered packet of an older one is superseded in this transaction.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether the snapshot is sealed by a participant that is recovering: its receiver takes only the mirror.
    pub fn unconfirmed(&self) -> bool {
        self.stream.is_unconfirmed(self.reason)
    }

    /// The place of the next part, `None` when all are sealed.
    pub fn next_part(&self) -> Option<Slot> {
        let k = self.done + 1;
        (k <= self.parts).then(|| Slot {
            position: Position {
                epoch: self.epoch,
                seq: Seq::new(u64::from(k)).expect("parts were counted in open_epoch"),
            },
            previous: self.stream.last.map(|mark| mark.digest),
            part: Some(Part { k, n: self.parts }),
        })
    }

    /// The next part was sealed with this manifest digest. Gives its mark, or `None` if no part is left.
    pub fn sealed(&mut self, digest: Digest) -> Option<Mark> {
        let mark = Mark { position: self.next_part()?.position, digest };
        self.stream.last = Some(mark);
        self.done += 1;
        Some(mark)
    }

    /// The stream's new state once every part is sealed; `None` while one is missing.
    pub fn finish(self, now: jiff::Timestamp) -> Option<Outgoing> {
        let stop = self.stream.stop.filter(|_| self.reason != SnapshotReason::Recovered);
        (self.done == self.parts).then_some(Outgoing {
            sealed_at: Some(now),
            highest_epoch: self.stream.highest_epoch.max(Some(self.epoch)),
            stop,
            ..self.stream
        })
    }
}
