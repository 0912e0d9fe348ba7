//! What a receiver asks of a stream, and when it asks again (FORMAT.md §Requests).

use jiff::Timestamp;

use super::{Part, Timing};
use crate::{
    answer::{Missing, SnapshotCause},
    packet::Nonce,
    position::{Mark, Position, Seq},
};

/// What a receiver lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Packets before some that it holds.
    Packets(Missing),
    /// The whole, anew.
    Snapshot(SnapshotCause),
    /// Where its picture of the stream, as it was after this packet, differs from the sender's.
    Ranges(Mark),
    /// Nothing: it has replied with its own sums, and the reply is kept until it is read.
    Nothing(Mark),
}

/// A request in force. At most one for packets, and one for a snapshot or for ranges, of each stream. Columns of its row: `id` (key),
/// `peer`, `asks`, `epoch`, `first`, `last`, `cause`, `attempts`, `next_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The nonce of its RQ.
    pub id: Nonce,
    /// What it asks for.
    pub lack: Lack,
    /// How often it was placed.
    pub attempts: u32,
    /// When it is due again.
    pub next_at: Timestamp,
}

/// What to do about a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Nothing is missing and nothing was asked for.
    Nothing,
    /// What was asked for has come: the request is over.
    End,
    /// Not yet.
    At(Timestamp),
    /// Ask, with a new id, in place of what was asked before.
    Now(Missing),
}

/// The first run of numbers missing before what is `held` of the newest epoch, if one is. `last` is the last packet
/// consumed. Of a snapshot whose last parts have not come, these.
pub fn first_gap(last: Option<Position>, held: &[(Position, Option<Part>)]) -> Option<Missing> {
    let epoch = held.iter().map(|(position, _)| position.epoch).max()?;
    let mut of_epoch: Vec<_> = held.iter().filter(|(position, _)| position.epoch == epoch).collect();
    of_epoch.sort_by_key(|(position, _)| *position);
    let consumed = last.filter(|last| last.epoch == epoch).map(|last| last.seq);
    let mut next = consumed.map_or(Some(Seq::FIRST), |seq| seq.next().ok())?;
    for (position, _) in &of_epoch {
        if position.seq > next {
            return Missing::new(epoch, next, Seq::new(u64::from(position.seq.get()) - 1).ok()?);
        }
        next = position.seq.next().ok()?;
    }
    let parts =
        of_epoch.iter().filter_map(|(_, part)| *part).map(Part::n).max().filter(|_| consumed.is_none());
    Missing::new(epoch, next, Seq::new(u64::from(parts?)).ok()?)
}

/// Judges a gap: `missing`, and since when nothing more has come of that stream. It is asked for once when it has
/// lasted a while, for packets overtake each other; again only after waits that grow.
pub fn judge_gap(
    missing: Option<(Missing, Timestamp)>,
    asked: Option<&Asked>,
    now: Timestamp,
    timing: &Timing,
) -> Ask {
    let later = |since: Timestamp| since.saturating_add(timing.retry).unwrap_or(Timestamp::MAX);
    match (missing, asked) {
        (None, None) => Ask::Nothing,
        (None, Some(_)) => Ask::End,
        (Some((missing, since)), asked) => {
            let due = timing.due_again(asked.map_or_else(|| later(since), |asked| asked.next_at), now);
            if due <= now { Ask::Now(missing) } else { Ask::At(due) }
        }
    }
}

impl Asked {
    /// One that has not been placed yet.
    pub fn new(id: Nonce, lack: Lack, now: Timestamp) -> Self {
        Self { id, lack, attempts: 0, next_at: now }
    }

    /// When it is due again, seen at `now`.
    pub fn due(&self, now: Timestamp, timing: &Timing) -> Timestamp {
        timing.due_again(self.next_at, now)
    }

    /// Whether it is asked under a new id when it is due again: it was placed so often that who was asked may have answered it, to
    /// another life of this database or to another machine, and does nothing more about it. Again ever more rarely, for who
    /// was away so long honours each.
    pub fn is_in_vain(&self) -> bool {
        self.attempts >= 4
            && self.attempts.is_power_of_two()
            && self.attempts.trailing_zeros().is_multiple_of(2)
    }

    /// It was placed: it is due again after a growing wait.
    pub fn placed(&mut self, now: Timestamp, timing: &Timing, random: u32) {
        self.attempts = self.attempts.saturating_add(1);
        let wait = timing.wait(timing.receipt, self.attempts, random);
        self.next_at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::position::Epoch;

    fn at(epoch: u64, seq: u64) -> Position {
        Position { epoch: Epoch::new(epoch).expect("small"), seq: Seq::new(seq).expect("small") }
    }

    fn gap(epoch: u64, first: u64, last: u64) -> Option<Missing> {
        Missing::new(at(epoch, first).epoch, at(epoch, first).seq, at(epoch, last).seq)
    }

    #[test]
    fn the_first_run_before_what_is_held_is_missing() {
        let data = |seq| (at(1, seq), None);
        let part = |epoch, k, n| (at(epoch, u64::from(k)), Some(Part::new(k, n).expect("a part")));
        for (last, held, expected) in [
            (Some(at(1, 3)), vec![], None),
            (Some(at(1, 3)), vec![data(6), data(5)], gap(1, 4, 4)),
            (Some(at(1, 3)), vec![data(4), data(7)], gap(1, 5, 6)),
            (Some(at(1, 3)), vec![data(4)], None),
            (None, vec![data(2)], gap(1, 1, 1)),
            (Some(at(1, 3)), vec![data(7), part(2, 2, 4)], gap(2, 1, 1)),
            (Some(at(1, 3)), vec![part(2, 1, 4), part(2, 2, 4)], gap(2, 3, 4)),
            (Some(at(1, 3)), vec![part(2, 1, 2), (at(2, 5), None)], gap(2, 2, 4)),
        ] {
            assert_eq!(first_gap(last, &held), expected, "{last:?} {held:?}");
        }
    }

    #[test]
    fn a_snapshot_is_asked_for_under_a_new_id_ever_more_rarely() {
        let mut asked =
            Asked::new(Nonce([1; 16]), Lack::Snapshot(SnapshotCause::Restored), Timestamp::UNIX_EPOCH);
        let mut renewed = Vec::new();
        for _ in 0..70 {
            asked.placed(asked.next_at, &Timing::default(), 0);
            renewed.extend(asked.is_in_vain().then_some(asked.attempts));
        }
        assert_eq!(renewed, [4, 16, 64]);
    }

    #[test]
    fn a_gap_is_asked_for_once_and_again_after_growing_waits() {
        let timing = Timing::default();
        let start = Timestamp::UNIX_EPOCH;
        let missing = gap(1, 4, 6).map(|missing| (missing, start));
        assert_eq!(judge_gap(None, None, start, &timing), Ask::Nothing);
        assert_eq!(judge_gap(missing, None, start, &timing), Ask::At(start + timing.retry));
        let mut now = start + timing.retry;
        let Ask::Now(asked_for) = judge_gap(missing, None, now, &timing) else { panic!("due") };
        let mut asked = Asked::new(Nonce([1; 16]), Lack::Packets(asked_for), now);
        let mut waits = Vec::new();
        for _ in 0..3 {
            asked.placed(now, &timing, u32::MAX / 2);
            assert_eq!(judge_gap(missing, Some(&asked), now, &timing), Ask::At(asked.next_at));
            waits.push(asked.next_at.duration_since(now));
            now = asked.next_at;
            assert_eq!(judge_gap(missing, Some(&asked), now, &timing), Ask::Now(asked_for));
        }
        assert!(waits.is_sorted() && waits[0] < waits[2], "{waits:?}");
        assert_eq!(judge_gap(None, Some(&asked), now, &timing), Ask::End);
        let back = start - SignedDuration::from_hours(24);
        assert_eq!(judge_gap(missing, None, back, &timing), Ask::Now(asked_for), "the clock was set back");
        assert_eq!(judge_gap(missing, Some(&asked), back, &timing), Ask::Now(asked_for));
    }
}
