//! Answers: the receipt (KV) and the protocol (PR) that a receiver sends back (FORMAT.md §Answers).
//!
//! An answer is a packet whose one member is `answer.xml`. It names the full digest of what it answers:
//! another digest clears nothing. `reason` the closed list of reasons · `kv` · `pr`.

mod reason;

pub use reason::{PacketReason, RecordReason, Severity, Text, UnknownReason};

/// What became of a packet as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PacketOutcome {
    /// Every record was applied (new, changed, unchanged).
    Applied,
    /// All but the records that the PR lists.
    AppliedPartial,
    /// Nothing was applied.
    Refused(PacketReason),
}
