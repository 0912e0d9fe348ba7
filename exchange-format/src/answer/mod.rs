//! Answers: the receipt (KV) and the protocol (PR) that a receiver sends back (FORMAT.md §Answers).
//!
//! An answer is a packet whose one member is `answer.xml`: lines of ASCII, one element a line, its
//! attributes in fixed order, nothing to escape. It names the full digest of what it answers: another
//! digest clears nothing. `reason` the closed list of reasons · `kv` · `pr` · `outcome` of packets and
//! records · `line` the grammar they share.

mod kv;
mod line;
mod outcome;
mod pr;
mod reason;

#[cfg(test)]
mod tests;

pub use self::{
    kv::Receipt,
    line::AnswerError,
    outcome::{Counts, PacketOutcome, RecordOutcome, Rule, RuleError},
    pr::{Protocol, ProtocolReader, ProtocolWriter, RecordLine},
    reason::{PacketReason, RecordReason, Severity, Text, UnknownReason},
};

/// The name of the one member of an answer.
pub const MEMBER: &str = "answer.xml";
