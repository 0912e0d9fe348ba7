//! Outcomes of packets and records, and the rule code beside them (FORMAT.md §Answers).

use std::{fmt, str::FromStr};

use super::PacketReason;

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

impl PacketOutcome {
    /// The word on the wire and in databases.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "APPLIED",
            Self::AppliedPartial => "APPLIED_PARTIAL",
            Self::Refused(_) => "REFUSED",
        }
    }

    /// The reason of a refusal.
    pub fn reason(self) -> Option<PacketReason> {
        match self {
            Self::Refused(reason) => Some(reason),
            Self::Applied | Self::AppliedPartial => None,
        }
    }

    /// The outcome that a word and a reason stand for, if they go together.
    pub fn from_parts(word: &str, reason: Option<PacketReason>) -> Option<Self> {
        match (word, reason) {
            ("APPLIED", None) => Some(Self::Applied),
            ("APPLIED_PARTIAL", None) => Some(Self::AppliedPartial),
            ("REFUSED", Some(reason)) => Some(Self::Refused(reason)),
            _ => None,
        }
    }
}

/// What became of one record of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordOutcome {
    /// Applied; its key was not known.
    New,
    /// Applied; a higher version.
    Changed,
    /// The version known already.
    Unchanged,
    /// Not applied to what is published, but taken as a proposal, which gets its own answer.
    Proposed,
    /// Kept by the receiver, which applies it by itself later (DANGLING_REF) or after a person's decision.
    Held,
    /// Not applied. Stays in the sender's `status` until the record changes.
    Refused,
}

impl RecordOutcome {
    /// All outcomes with their words on the wire and in databases.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::New, "new"),
        (Self::Changed, "changed"),
        (Self::Unchanged, "unchanged"),
        (Self::Proposed, "proposed"),
        (Self::Held, "held"),
        (Self::Refused, "refused"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(outcome, _)| *outcome == self).expect("ALL lists every outcome").1
    }

    /// The outcome of that word.
    pub fn from_word(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, word)| *word == text).map(|(outcome, _)| *outcome)
    }

    /// Whether the record is plainly applied: counted in a PR, not listed.
    pub fn is_plain(self) -> bool {
        matches!(self, Self::New | Self::Changed | Self::Unchanged)
    }
}

impl fmt::Display for RecordOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How many records of a packet had each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; 6]);

impl Counts {
    /// Counts one record.
    pub fn add(&mut self, outcome: RecordOutcome) {
        self.0[Self::place(outcome)] += 1;
    }

    /// How many had `outcome`.
    pub fn get(&self, outcome: RecordOutcome) -> u64 {
        self.0[Self::place(outcome)]
    }

    /// Sets how many had `outcome`.
    pub fn set(&mut self, outcome: RecordOutcome, count: u64) {
        self.0[Self::place(outcome)] = count;
    }

    /// All records. Saturates: the counts of a received PR are only a claim.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The outcome of a packet that was not refused whole.
    pub fn packet_outcome(&self) -> PacketOutcome {
        let listed =
            RecordOutcome::ALL.iter().any(|(outcome, _)| !outcome.is_plain() && self.get(*outcome) > 0);
        if listed { PacketOutcome::AppliedPartial } else { PacketOutcome::Applied }
    }

    fn place(outcome: RecordOutcome) -> usize {
        RecordOutcome::ALL.iter().position(|(other, _)| *other == outcome).expect("ALL lists every outcome")
    }
}

/// The code of the rule by which a record was not plainly applied: `recipient_claim.birth_date.future`.
/// 1–64 characters `A–Z a–z 0–9 . _ -`: no room for personal data. It names a rule, never a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule(String);

/// The text is not a rule code. Does not repeat it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a rule code has 1 to 64 characters A–Z a–z 0–9 . _ -")]
pub struct RuleError;

impl Rule {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(ok);
        fits.then(|| Self(text.to_owned())).ok_or(RuleError)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
