//! The end of a recovery (FORMAT.md §Streams, «Recovery»; R8, R10, R11): what becomes of own records, and which snapshot ends it.

use super::{Edition, Incoming};
use crate::position::{Digest, Epoch};

/// What becomes of a record of one's own when the peer's copy of it is compared with what was sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Return {
    /// The peer has what was sent last, or something older: it is told what stands here.
    Stands,
    /// The peer is merely ahead: its copy is taken back.
    TakenBack,
    /// Here and in what was lost the record has moved apart: a person chooses.
    BothMoved,
}

/// Judges a record of one's own. `mirror` is the peer's copy, `sent` what this database sent last, and `moved` whether something
/// was done here that the peer has never confirmed: what stands here says something else than was sent, or nobody has
/// answered for what was sent.
pub fn judge_return(mirror: &Edition, sent: Option<&Edition>, moved: bool) -> Return {
    match sent {
        Some(sent) if sent == mirror => Return::Stands,
        _ if moved => Return::BothMoved,
        Some(sent) if sent.version > mirror.version => Return::Stands,
        Some(sent) if sent.version == mirror.version => Return::BothMoved,
        _ => Return::TakenBack,
    }
}

impl Incoming {
    /// The sender asks for a snapshot because it was restored: of the epoch that has been applied nothing more counts. Which
    /// was closed.
    pub fn close_for_recovery(&mut self) -> Option<Epoch> {
        let applied = self.last.map(|last| last.position.epoch);
        if let Some(epoch) = applied {
            self.close(epoch);
        }
        applied
    }

    /// Whether a snapshot that ends its sender's recovery may be applied: it was compared with the last snapshot that answered
    /// such a request, and nothing of its sender was applied since.
    pub fn accepts_recovered(&self, compared: Digest, answered: Option<Digest>) -> bool {
        let applied = self.last.map(|last| last.position.epoch);
        answered == Some(compared) && applied <= self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        position::{Mark, Position, Seq},
        record::Form,
    };

    fn edition(version: u32, body: &str) -> Edition {
        Edition { version, form: Form::Live, hash: Digest::of(body.as_bytes()) }
    }

    #[test]
    fn what_the_peer_alone_has_is_taken_back_and_what_moved_twice_is_asked() {
        let (old, new) = (edition(2, "b"), edition(3, "c"));
        for (mirror, sent, moved, expected) in [
            (new, None, false, Return::TakenBack),
            (new, Some(old), false, Return::TakenBack),
            (new, Some(old), true, Return::BothMoved),
            (new, Some(new), true, Return::Stands),
            (old, Some(new), false, Return::Stands),
            (old, Some(new), true, Return::BothMoved),
            (new, Some(edition(3, "x")), false, Return::BothMoved),
        ] {
            assert_eq!(judge_return(&mirror, sent.as_ref(), moved), expected, "{mirror:?} {sent:?} {moved}");
        }
    }

    #[test]
    fn f16_a_recovery_ends_by_the_last_comparison_and_only_if_nothing_came_since() {
        let position = Position { epoch: Epoch::FIRST, seq: Seq::FIRST };
        let mut incoming =
            Incoming { last: Some(Mark { position, digest: Digest::of(b"applied") }), ..Incoming::default() };
        let (told, older) = (Digest::of(b"the snapshot"), Digest::of(b"one before"));
        assert!(!incoming.accepts_recovered(told, Some(told)), "nobody has asked");
        assert_eq!(incoming.close_for_recovery(), Some(Epoch::FIRST));
        assert!(incoming.accepts_recovered(told, Some(told)));
        assert!(!incoming.accepts_recovered(older, Some(told)));
        assert!(!incoming.accepts_recovered(older, None));
        let next = Position { epoch: Epoch::new(2).expect("small"), seq: Seq::FIRST };
        incoming.last = Some(Mark { position: next, digest: Digest::of(b"of a twin") });
        assert!(!incoming.accepts_recovered(told, Some(told)), "something was applied since");
    }
}
