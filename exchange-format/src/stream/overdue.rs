//! What of a stream waits for longer than it should, and so is told with the step to take (docs/RELIABILITY.md): each state of
//! the sending and of the receiving machine has a deadline.

use jiff::{SignedDuration, Timestamp};

use super::Timing;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// A packet of ours is SEALED and does not get into the mailbox.
    Placing,
    /// A packet of ours is PLACED, and the peer does not fetch it (no KV).
    Receipt,
    /// A packet of ours is RECEIVED, and the peer says nothing of it (no PR).
    Protocol,
    /// A packet of the peer is HELD: what comes before it has not come.
    Held,
    /// What was asked of the peer has not come.
    Asked,
    /// Nothing at all has come from the peer: not even its heartbeat.
    Silence,
    /// This participant was restored, and the snapshot that it is compared with has not come.
    Comparison,
    /// This participant was restored, and a person has to look at what differs.
    Recovery,
    /// This participant was restored, a person has decided, and the daemon has not carried it out.
    Decided,
    /// The peer was restored and has not recovered.
    PeerRecovery,
}

impl Wait {
    /// All, with their words in `status`.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Placing, "placing"),
        (Self::Receipt, "receipt"),
        (Self::Protocol, "protocol"),
        (Self::Held, "held"),
        (Self::Asked, "asked"),
        (Self::Silence, "silence"),
        (Self::Comparison, "comparison"),
        (Self::Recovery, "recovery"),
        (Self::Decided, "decided"),
        (Self::PeerRecovery, "peer_recovery"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(wait, _)| *wait == self).expect("ALL lists every one").1
    }

    /// How long it may last before it is told.
    pub fn deadline(self, timing: &Timing) -> SignedDuration {
        let twice = |one: SignedDuration| one.checked_mul(2).unwrap_or(SignedDuration::MAX);
        match self {
            Self::Recovery | Self::Decided => SignedDuration::ZERO,
            // the next try comes soon, if all is well
            Self::Placing => twice(timing.receipt),
            // twice the longest wait: it was placed again in vain
            Self::Receipt | Self::Held | Self::Asked | Self::Comparison => twice(timing.cap),
            Self::Protocol => twice(timing.cap.max(timing.protocol)),
            Self::Silence | Self::PeerRecovery => twice(timing.heartbeat),
        }
    }

    /// For how long it waits since `since`, if that is too long at `now`.
    pub fn overdue(self, since: Timestamp, now: Timestamp, timing: &Timing) -> Option<SignedDuration> {
        waits_beyond(since, now, self.deadline(timing))
    }
}

/// As much as a clock may be ahead of itself: a moment is noted beside the look at it.
const BESIDE: SignedDuration = SignedDuration::from_mins(1);

/// For how long something waits since `since`, if that is `deadline` or longer at `now`. A moment that lies ahead by more than that
/// was told by a clock that was wrong, then or now: how long it waits nobody knows, and that is no sign of health. It is told at
/// once, as having waited for no time.
pub fn waits_beyond(since: Timestamp, now: Timestamp, deadline: SignedDuration) -> Option<SignedDuration> {
    let age = now.duration_since(since);
    if age >= deadline {
        return Some(age);
    }
    (SignedDuration::ZERO.saturating_sub(age) > deadline.max(BESIDE)).then_some(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_told_once_its_deadline_has_passed() {
        let (timing, since) = (Timing::default(), Timestamp::UNIX_EPOCH);
        for (wait, word) in Wait::ALL {
            let deadline = wait.deadline(&timing);
            assert!(deadline <= SignedDuration::from_hours(48), "{word}");
            let early = since + deadline - SignedDuration::from_secs(1);
            assert_eq!(wait.overdue(since, early, &timing), None, "{word}");
            assert_eq!(wait.overdue(since, since + deadline, &timing), Some(deadline), "{word}");
            let beside = since - SignedDuration::from_secs(30);
            assert_eq!(wait.overdue(since, beside, &timing), None, "{word}: noted a moment later");
            let ahead = since - SignedDuration::from_hours(87_600);
            let told = wait.overdue(since, ahead, &timing);
            assert_eq!(told, Some(SignedDuration::ZERO), "{word}: a clock that was ahead proves nothing");
        }
    }
}
