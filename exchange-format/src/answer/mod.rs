//! Answers: the receipt (KV) and the protocol (PR) that a receiver sends back, and its requests (RQ) (FORMAT.md §Answers,
//! §Requests).
//!
//! Each is a packet whose one member is `answer.xml`: lines of ASCII, one element a line, its
//! attributes in fixed order, nothing to escape. An answer names the full digest of what it answers: another
//! digest clears nothing. `reason` the closed list of reasons · `kv` · `pr` · `rq` · `outcome` of packets and
//! records · `ranges` how two pictures of a stream are compared · `line` the grammar they share.

mod kv;
mod line;
mod outcome;
mod pr;
mod ranges;
mod reason;
mod rq;

#[cfg(test)]
mod tests;

pub use self::{
    kv::Receipt,
    line::AnswerError,
    outcome::{Counts, PacketOutcome, RecordOutcome, Rule, RuleError},
    pr::{Protocol, ProtocolReader, ProtocolWriter, RecordLine},
    ranges::{Difference, KeyPrefix, Listed, Range, RangeDigests, Refined},
    reason::{PacketReason, RecordReason, Severity, Text, UnknownReason},
    rq::{Missing, Request, SnapshotCause},
};

/// The name of the one member of an answer.
pub const MEMBER: &str = "answer.xml";
