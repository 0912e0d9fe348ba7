//! The machines of a stream: what is sealed and placed, what an arrival is, who was restored
//! (FORMAT.md §Streams).
//!
//! A stream is one direction between two participants. Its sender keeps an [`Outgoing`] and a [`SentPacket`]
//! for each packet, its receiver an [`Incoming`] and every mark it ever received. All of them are plain
//! values, stored and loaded by a database; the machines take `(state, event, now)` and say what to do.
//! What they must look up in a history that is kept for ever comes in as a small struct of facts.
//!
//! `epoch` opening an epoch with a snapshot · `sending` one stream's sender · `sent` one packet until its
//! PR · `receiving` what an arrival is · `asking` what is asked for · `control` who was restored · `recovery` how that ends · `overdue` what waits for too long · `version` what to do with a record.

mod asking;
mod control;
mod epoch;
mod overdue;
mod receiving;
mod recovery;
mod sending;
mod sent;
mod version;

#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod simulation;

pub use self::{
    asking::{Ask, Asked, Lack, first_gap, judge_gap},
    control::{Control, Evidence, Named, OwnHistory, Watermark, judge_control, judge_mirror, judge_own_mark},
    epoch::{Opening, Part, PartError, Slot, SnapshotReason},
    overdue::{Wait, waits_beyond},
    receiving::{Arrival, Breach, Facts, Incoming, Ready, StateCheck, Verdict, check_state},
    recovery::{Return, judge_return},
    sending::{CannotSeal, Outgoing, Stop, UnknownStop},
    sent::{AnswerEffect, PacketState, Placing, SentPacket, Timing, UnknownState},
    version::{Edition, VersionVerdict, clears},
};
