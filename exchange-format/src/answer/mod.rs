//! Answers: the receipt (KV) and the protocol (PR) that a receiver sends back, and its requests (RQ) (FORMAT.md §Answers,
//! §Requests).
//!
//! Each is a packet whose one member is `answer.xml`: one element a line, its attributes in fixed order, in ASCII with
//! nothing to escape; only a record of a PR may have a text. An answer names the full digest of what it answers: another
//! digest clears nothing. `reason` the closed list of reasons · `kv` · `pr` · `rq` · `outcome` of packets and
//! records · `ranges` how two pictures of a stream are compared · `line` the grammar they share · `words` of staff.

mod kv;
mod line;
mod outcome;
mod pr;
mod ranges;
mod reason;
mod rq;
mod words;

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
    words::Words,
};

/// The name of the one member of an answer.
pub const MEMBER: &str = "answer.xml";
