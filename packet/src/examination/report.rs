//! The result of an examination, as data for programs; `cli` puts it into words.

use exchange_endpoint::messages::Value;
use exchange_format::{answer::PacketReason, card::Card, error::PacketError};
use serde::Serialize;

use super::{AnswerWords, CHECKS, Records};
use crate::summary::Summary;

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Found {
    /// It holds.
    Proven,
    /// It does not hold.
    False,
    /// It could not be checked.
    Unknown,
}

/// The result of all checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Authentic and whole.
    Proven,
    /// Something does not hold.
    False,
    /// Nothing is known to be wrong, and not all could be checked.
    Unknown,
}

/// One check.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was checked: one of [`CHECKS`].
    pub check: &'static str,
    /// How it came out.
    pub result: Found,
    /// If false, the reason by which a receiver refuses; if unknown, why: `no-key`, `other-key`, `no-card`, `not-reached`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What was found, for specialists; English, no personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// For the sentence.
    #[serde(skip)]
    pub args: Vec<(&'static str, Value<'static>)>,
}

impl Check {
    fn new(check: &'static str, result: Found) -> Self {
        Self { check, result, reason: None, detail: None, args: Vec::new() }
    }

    /// It holds.
    pub fn proven(check: &'static str) -> Self {
        Self::new(check, Found::Proven)
    }

    /// It does not hold.
    pub fn wrong(check: &'static str, error: &PacketError) -> Self {
        let reason = error.reason().map(PacketReason::code);
        Self { reason, detail: Some(error.to_string()), ..Self::new(check, Found::False) }
    }

    /// It does not hold, and no rule of the reader says so.
    pub fn wrong_because(check: &'static str, detail: String) -> Self {
        Self { detail: Some(detail), ..Self::new(check, Found::False) }
    }

    /// It could not be checked.
    pub fn unknown(check: &'static str, why: &'static str) -> Self {
        Self { reason: Some(why), ..Self::new(check, Found::Unknown) }
    }

    /// Gives an argument of the sentence its value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.args.push((name, value.into()));
        self
    }
}

/// Who signed.
#[derive(Debug, Serialize)]
pub struct SignerWords {
    /// The participant.
    pub code: String,
    /// Its name by its card.
    pub name: String,
    /// SHA-256 of the card.
    pub fingerprint: String,
    /// First day of the card.
    pub valid_from: String,
    /// Last day of the card.
    pub valid_until: String,
}

impl SignerWords {
    /// Of `card`.
    pub fn of(card: &Card) -> Self {
        Self {
            code: card.content.code.to_string(),
            name: card.content.name.clone(),
            fingerprint: card.fingerprint(),
            valid_from: card.content.valid_from.to_string(),
            valid_until: card.content.valid_until.to_string(),
        }
    }
}

/// What an examination found.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: &'static str,
    /// The file's name, if it is a packet's.
    pub file: String,
    /// The result of all checks.
    pub verdict: Verdict,
    /// By which reason a receiver refuses the packet, or one of its records.
    pub reason: Option<&'static str>,
    /// What its manifest says.
    pub packet: Option<Summary>,
    /// Who signed it.
    pub signer: Option<SignerWords>,
    /// In the order of [`CHECKS`].
    pub checks: Vec<Check>,
    /// What was counted of its records.
    pub records: Option<Records>,
    /// The card that a KY tells.
    pub new_card: Option<SignerWords>,
    /// What it answers, or asks for.
    pub answer: Option<AnswerWords>,
    /// What this file alone cannot show (messages `packet-not-proven-<code>`).
    pub not_proven: Vec<&'static str>,
}

impl Report {
    /// Before the first check.
    pub(super) fn new(file: String) -> Self {
        Self {
            schema: "svod.packet.verify/1",
            file,
            verdict: Verdict::Unknown,
            reason: None,
            packet: None,
            signer: None,
            checks: Vec::new(),
            records: None,
            new_card: None,
            answer: None,
            not_proven: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Adds what was not reached, and draws the sum.
    pub(super) fn finished(mut self) -> Self {
        const NEEDED: [&str; 5] = ["name", "form", "signature", "card", "members"];
        for check in NEEDED {
            if !self.checks.iter().any(|done| done.check == check) {
                self.checks.push(Check::unknown(check, "not-reached"));
            }
        }
        self.checks.sort_by_key(|check| CHECKS.iter().position(|one| *one == check.check));
        let any = |found| self.checks.iter().any(|check| check.result == found);
        self.verdict = match (any(Found::False), any(Found::Unknown)) {
            (true, _) => Verdict::False,
            (false, true) => Verdict::Unknown,
            (false, false) => Verdict::Proven,
        };
        let wrong = self.checks.iter().find(|check| check.result == Found::False);
        self.reason = wrong.and_then(|check| check.reason);
        self
    }
}
