//! What an arrival is: duplicate, fork, gap, stale, incomplete, ready (FORMAT.md §Streams).

use super::epoch::Part;
use crate::position::{Digest, Epoch, Mark, Position};

/// The state of one incoming stream. Columns of its row: `peer` (key), `epoch`, `seq`, `digest` (of `last`),
/// `stopped_epoch`, `closed_epoch`. Beside it stands a row for every packet ever verified, kept for ever:
/// `epoch`, `seq`, `digest` (key with the peer), `previous`, `part`, `parts`, and its state `HELD` (gap, or
/// part of an incomplete snapshot), `APPLIED`, `REFUSED` (consumed), `QUARANTINED` (fork, stale, superseded).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incoming {
    /// The last packet whose number was consumed, by applying it or by refusing it whole: the control
    /// block's ack. `None` before the first snapshot.
    pub last: Option<Mark>,
    /// A fork stops every epoch up to this one.
    pub stopped: Option<Epoch>,
    /// Epochs up to this one are closed to packets not yet received (R10, R11).
    pub closed: Option<Epoch>,
}

/// A verified numbered packet (DT, SN, KY), as far as numbering is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its place and the full digest of its manifest.
    pub mark: Mark,
    /// The digest of the packet before it, by its manifest.
    pub previous: Option<Digest>,
    /// For a snapshot, which part. Part k has number k: [`Arrival::is_well_formed`].
    pub part: Option<Part>,
}

impl Arrival {
    /// False if a snapshot's part bears another number than its own: reason SCHEMA, nothing is consumed.
    pub fn is_well_formed(&self) -> bool {
        self.part.is_none_or(|part| part.k() == self.mark.position.seq.get())
    }
}

/// What the receiver's history says about an arrival.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// This very mark was verified before, whatever became of it.
    pub known: bool,
    /// A packet held, applied or consumed under the same number with another digest.
    pub other: Option<Digest>,
    /// The held parts of the snapshot that opens the arrival's epoch, in any order.
    pub parts: &'a [Arrival],
}

impl<'a> Facts<'a> {
    /// The facts from the rows at the arrival's position: each digest, and whether it counts (`HELD`,
    /// `APPLIED`, `REFUSED`) or lies in quarantine; and from the held parts of its epoch.
    pub fn of(arrival: &Arrival, at: &[(Digest, bool)], parts: &'a [Arrival]) -> Self {
        let is_same = |digest: &Digest| *digest == arrival.mark.digest;
        let known = at.iter().any(|(digest, _)| is_same(digest));
        let other = at.iter().find(|(digest, counts)| *counts && !is_same(digest)).map(|(digest, _)| *digest);
        Self { known, other, parts }
    }
}

/// What an arrival is, and so what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Seen before: place the same stored answers (KV, PR) again.
    Duplicate,
    /// It contradicts what came before: quarantine, PR REFUSED FORK, [`Incoming::fork`], incident.
    Fork(Breach),
    /// Of an epoch that has ended: quarantine, PR REFUSED STALE_EPOCH, tell.
    StaleEpoch,
    /// Something before it is missing: hold it, answer KV. The position is the first missing one; `None`
    /// when a whole snapshot is missing.
    Gap(Option<Position>),
    /// A part of a snapshot, held (KV) until the others come.
    Incomplete {
        /// Parts held, with this one.
        held: usize,
        /// Parts in all.
        of: u32,
    },
    /// Apply this, in the same transaction [`Incoming::consume`], then drain what was held.
    Ready(Ready),
}

/// What can be applied now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// The next DT or KY.
    Data(Mark),
    /// A whole snapshot: its parts in order, applied together; each gets its own PR. The epoch switches.
    Snapshot(Vec<Mark>),
}

/// How a stream contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Two packets under one number.
    #[error("another packet was received under the same number: {0}")]
    SameNumber(Digest),
    /// The next number, but made after another packet than the last one received.
    #[error("it follows a packet that was never received, not {0}")]
    Chain(Digest),
    /// A snapshot part where its epoch's opening leaves no place for one.
    #[error("it belongs to another opening of the same epoch")]
    OtherOpening,
    /// The stream is stopped by an earlier fork until its sender opens a new epoch.
    #[error("the stream is stopped by an earlier fork, until a new epoch")]
    Stopped,
}

impl Incoming {
    /// Judges a verified, well-formed arrival. Its control block is judged before, apart.
    pub fn judge(&self, arrival: &Arrival, facts: &Facts<'_>) -> Verdict {
        let Position { epoch, .. } = arrival.mark.position;
        let current = self.last.map(|last| last.position.epoch);
        if facts.known {
            Verdict::Duplicate
        } else if Some(epoch) < current || Some(epoch) <= self.closed {
            Verdict::StaleEpoch
        } else if let Some(other) = facts.other {
            Verdict::Fork(Breach::SameNumber(other))
        } else if Some(epoch) <= self.stopped {
            Verdict::Fork(Breach::Stopped)
        } else if let Some(last) = self.last.filter(|last| last.position.epoch == epoch) {
            Self::judge_current(&last, arrival)
        } else if let Some(part) = arrival.part {
            judge_part(part, arrival, facts.parts)
        } else {
            Verdict::Gap(None)
        }
    }

    fn judge_current(last: &Mark, arrival: &Arrival) -> Verdict {
        let seq = arrival.mark.position.seq;
        if seq <= last.position.seq {
            return Verdict::Fork(Breach::SameNumber(last.digest));
        }
        if arrival.part.is_some() {
            return Verdict::Fork(Breach::OtherOpening);
        }
        match last.position.seq.next() {
            Ok(next) if next == seq && arrival.previous == Some(last.digest) => {
                Verdict::Ready(Ready::Data(arrival.mark))
            }
            Ok(next) if next == seq => Verdict::Fork(Breach::Chain(last.digest)),
            Ok(next) => Verdict::Gap(Some(Position { epoch: last.position.epoch, seq: next })),
            Err(_) => unreachable!("seq is above the last number, so there is a next one"),
        }
    }

    /// `ready` was applied, or refused whole: either way its number is consumed. Returns the epoch below
    /// which every packet still held goes to quarantine as superseded, if the epoch switched (R5).
    ///
    /// Do not call it for a snapshot refused whole: that opens nothing, and the stream waits, packets held,
    /// for its sender's next epoch.
    pub fn consume(&mut self, ready: &Ready) -> Option<Epoch> {
        let before = self.last.map(|last| last.position.epoch);
        self.last = match ready {
            Ready::Data(mark) => Some(*mark),
            Ready::Snapshot(parts) => parts.last().copied().or(self.last),
        };
        let now = self.last.map(|last| last.position.epoch);
        now.filter(|_| now != before)
    }

    /// The number after the last consumed: if a packet is held there, [`Incoming::judge_held`] it, and
    /// again after each one applied.
    pub fn next(&self) -> Option<Position> {
        let last = self.last?.position;
        last.seq.next().ok().map(|seq| Position { seq, ..last })
    }

    /// Judges a packet held at [`Incoming::next`]: ready, or a fork (R4, F8).
    pub fn judge_held(&self, held: &Arrival) -> Verdict {
        self.judge(held, &Facts::default())
    }

    /// A fork was found: nothing of this epoch or an older one is applied any more.
    pub fn fork(&mut self, epoch: Epoch) {
        self.stopped = self.stopped.max(Some(epoch));
    }

    /// The peer is another machine now, with other keys, of which nothing was received: what the former one sent is
    /// closed, and acknowledged to nobody.
    pub fn begin_anew(&mut self) {
        let known = self.last.map(|last| last.position.epoch).max(self.stopped).max(self.closed);
        *self = Self { closed: known, ..Self::default() };
    }

    /// Nothing more of `epoch` and older ones will be accepted: the receiver has answered a request that
    /// the sender made after a restore (R10), or refused the snapshot that ends a recovery (R11).
    pub fn close(&mut self, epoch: Epoch) {
        self.closed = self.closed.max(Some(epoch));
    }
}

/// A part of a snapshot that opens a newer epoch, with the parts held already.
fn judge_part(part: Part, arrival: &Arrival, held: &[Arrival]) -> Verdict {
    let mut parts: Vec<&Arrival> = held.iter().chain([arrival]).collect();
    if parts.iter().any(|other| other.part.is_none_or(|other| other.n() != part.n())) {
        return Verdict::Fork(Breach::OtherOpening);
    }
    parts.sort_by_key(|part| part.mark);
    if parts.len() < part.n() as usize {
        return Verdict::Incomplete { held: parts.len(), of: part.n() };
    }
    for pair in parts.windows(2) {
        if pair[1].previous != Some(pair[0].mark.digest) {
            return Verdict::Fork(Breach::Chain(pair[0].mark.digest));
        }
    }
    Verdict::Ready(Ready::Snapshot(parts.iter().map(|part| part.mark).collect()))
}

/// Whether the state digest told by a packet agrees with the receiver's own, after applying it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateCheck {
    /// It says nothing (all but the last part of a snapshot), or this participant is recovering.
    NotCompared,
    /// Both ends hold the same.
    Agrees,
    /// Incident DIVERGED: told, and mended by a snapshot request in force until its SN is applied.
    Diverged,
}

/// Compares the digest `told` by a packet with `own` after applying it (S1, R16).
pub fn check_state<T: PartialEq>(told: Option<&T>, own: &T, recovering: bool) -> StateCheck {
    match told {
        Some(told) if !recovering && told == own => StateCheck::Agrees,
        Some(_) if !recovering => StateCheck::Diverged,
        _ => StateCheck::NotCompared,
    }
}
