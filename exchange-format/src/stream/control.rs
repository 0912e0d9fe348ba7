//! Who was restored: the control block and answers judged against one's own history
//! (FORMAT.md §Streams; R1, R2, R18).

use crate::{
    answer::{PacketReason, RecordReason},
    position::{Digest, Epoch, Mark, Position},
    record::{Form, Kind, Record, RecordId},
};

/// The control block of every file, answers too. It is judged as soon as the file is verified, before
/// anything is applied, also in a duplicate, held, stale or refused file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Control {
    /// The receiver's last packet whose number the file's sender consumed ([`super::Incoming::last`]).
    pub ack: Option<Mark>,
    /// The file's sender's own last packet for which it holds a PR ([`super::Outgoing::echo`]).
    pub echo: Option<Mark>,
}

impl Control {
    /// Whether the file's sender has consumed the packet at `position` of our stream: the hub deletes it
    /// from `out`.
    pub fn acknowledges(&self, position: Position) -> bool {
        self.ack.is_some_and(|ack| position <= ack.position)
    }
}

/// What shows that this participant's database was restored or copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Evidence {
    /// The peer applied a packet of ours that we never sealed.
    #[error("the peer has applied our packet {0}, which this database never sealed")]
    Acked(Mark),
    /// The peer answers a packet of ours that we never sealed.
    #[error("the peer answers our packet {0}, which this database never sealed")]
    Answered(Mark),
    /// The peer holds our PR for a packet that we have not applied.
    #[error("the peer holds our protocol for its packet {0}, which this database never applied")]
    Echoed(Mark),
    /// Our packet contradicts what the peer had from us before.
    #[error("the peer refused our packet {packet}: {reason}")]
    Refused {
        /// The packet.
        packet: Mark,
        /// FORK or STALE_EPOCH.
        reason: PacketReason,
    },
    /// The peer knows a newer version of our record, or the same with other content (R12): a line of a
    /// PR with a reason for which [`RecordReason::proves_restore`].
    #[error("the peer knows a newer or other version of a record in our packet {packet}: {reason}")]
    RecordBehind {
        /// The packet that carried ours.
        packet: Mark,
        /// OLDER or COLLISION.
        reason: RecordReason,
    },
    /// Something is gone of what we have sent, and nothing here says what: tables that are older than the journal beside them.
    #[error("of what was sent something is gone, and nothing in this database says what it was")]
    SentGone,
    /// A mirror holds a newer version of our record than we have ever sent, or the same with other content.
    #[error(
        "the peer holds {kind} {key} of ours in version {version}, this database sent {sent:?} or other bytes"
    )]
    Mirrored {
        /// The kind of the record.
        kind: Kind,
        /// Its id.
        key: RecordId,
        /// Its version in the mirror.
        version: u32,
        /// The version that was sent last, if any.
        sent: Option<u32>,
    },
    /// The database was put back from a copy, and there is no watermark file to tell how old it is.
    #[error("the database was put back from a copy, and the watermark file is gone")]
    NoWatermark,
    /// The watermark file beside the keys is ahead of the database.
    #[error("the watermark file has {what} {file}, the database is behind it")]
    BehindWatermark {
        /// `sealed` or `applied`.
        what: &'static str,
        /// What the file says.
        file: Position,
    },
}

/// What this participant's own history says of the two marks of a control block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnHistory {
    /// The epoch of our own stream to that peer; `None` if nothing was ever sealed.
    pub sending: Option<Epoch>,
    /// The digest that we sealed at `ack`'s position.
    pub sealed_at_ack: Option<Digest>,
    /// The epoch of the peer's stream to us; `None` if nothing was ever applied.
    pub receiving: Option<Epoch>,
    /// The digest of the peer's packet consumed (applied, or refused whole) at `echo`'s position.
    pub consumed_at_echo: Option<Digest>,
}

/// What a mark naming a packet of our own stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// We sealed it, with that digest.
    Ours,
    /// Of an older epoch and unknown: of a former life. It clears and proves nothing.
    FormerLife,
    /// Of the current or a newer epoch and unknown: we were restored.
    Unknown,
}

/// Whether an answer (or ack) that names `mark` is about a packet of ours. `sealed` is the digest that we
/// sealed at that position, `epoch` that of our stream. An answer to an unknown packet is
/// [`Evidence::Answered`]. Call [`super::Outgoing::told_epoch`] in any case.
pub fn judge_own_mark(mark: &Mark, sealed: Option<Digest>, epoch: Option<Epoch>) -> Named {
    if sealed == Some(mark.digest) {
        Named::Ours
    } else if Some(mark.position.epoch) < epoch {
        Named::FormerLife
    } else {
        Named::Unknown
    }
}

/// Judges a control block: the evidence that this participant was restored, if there is any.
/// Older epochs prove nothing.
pub fn judge_control(control: &Control, own: &OwnHistory) -> Option<Evidence> {
    if let Some(ack) = control.ack
        && judge_own_mark(&ack, own.sealed_at_ack, own.sending) == Named::Unknown
    {
        return Some(Evidence::Acked(ack));
    }
    control
        .echo
        .filter(|echo| judge_own_mark(echo, own.consumed_at_echo, own.receiving) == Named::Unknown)
        .map(Evidence::Echoed)
}

/// Judges a record of a mirror against the version that we sent last: evidence if it is newer, or another under the
/// same number.
pub fn judge_mirror(mirror: &Record, sent: Option<(u32, Form, Digest)>) -> Option<Evidence> {
    let Record { kind, key, version, form, .. } = mirror;
    let genuine = match sent {
        Some((ours, _, _)) if ours != *version => ours > *version,
        Some((_, ours, hash)) => ours == *form && hash == mirror.hash(),
        None => false,
    };
    let sent = sent.map(|(version, _, _)| version);
    (!genuine).then_some(Evidence::Mirrored { kind: *kind, key: *key, version: *version, sent })
}

/// The highest positions of one stream pair that the watermark file knows. The file is written and
/// fsynced after the commit and before placing or answering, so the database is never behind it in peace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watermark {
    /// The last packet sealed to the peer.
    pub sealed: Option<Position>,
    /// The peer's last packet consumed.
    pub applied: Option<Position>,
}

impl Watermark {
    /// Compares the file (`self`) with the database, at every start: evidence if the database is behind (F21).
    pub fn judge(&self, database: &Self) -> Option<Evidence> {
        let behind = |what, file: Option<Position>, database| {
            file.filter(|_| database < file).map(|file| Evidence::BehindWatermark { what, file })
        };
        behind("sealed", self.sealed, database.sealed)
            .or_else(|| behind("applied", self.applied, database.applied))
    }
}
