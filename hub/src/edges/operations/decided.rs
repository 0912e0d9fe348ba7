//! The protocol of what staff decide: who, when, what by uid or claim, and why in their own words. It is committed
//! with the decision, so that there is neither without the other.

use exchange_endpoint::{
    messages,
    output::{Failure, Lang},
    protocol::{Kind as ProtocolKind, Line, Protocol},
};

use crate::{
    database::Tx,
    edges::{hub::Context, register::Register},
};

/// What one command decides.
pub(super) struct Decided {
    protocol: Protocol,
}

/// One decision.
pub(super) struct Decision<'a> {
    /// What it is about: a kind of record or of question.
    pub kind: &'a str,
    /// Which: uids, or centres with their claims.
    pub key: String,
    /// The decision: a word of the catalogue (`outcome-<word>`).
    pub outcome: &'a str,
    /// Why it was asked, or which field.
    pub rule: &'a str,
    /// What it means.
    pub sentence: String,
    /// Why, in their words.
    pub reason: &'a str,
}

impl Decided {
    /// Nothing yet, by whoever acts in `register`.
    pub fn by(context: &Context, register: &Register<'_>) -> Self {
        let (kind, now) = (ProtocolKind::Decision, register.now);
        let mut protocol = Protocol::begin(kind, context.lang, context.code, None, now);
        protocol.actor = Some(register.actor.to_owned());
        Self { protocol }
    }

    /// The language of the protocol.
    pub fn lang(&self) -> Lang {
        self.protocol.lang
    }

    /// Tells of a decision.
    pub fn tell(&mut self, decision: Decision<'_>) {
        self.protocol.tell(Line {
            kind: decision.kind.to_owned(),
            key: decision.key,
            outcome: decision.outcome.to_owned(),
            rule: decision.rule.to_owned(),
            reason: String::new(),
            sentence: decision.sentence,
            next: String::new(),
            words: Some(decision.reason.to_owned()),
        });
    }

    /// Keeps the protocol; its number, or none if nothing was decided.
    pub fn keep(mut self, tx: &Tx<'_>) -> Result<Option<u32>, Failure> {
        if self.protocol.lines.is_empty() {
            return Ok(None);
        }
        Ok(Some(tx.put_protocol(&mut self.protocol)?))
    }
}

/// The sentence that tells staff of the protocol.
pub fn told(lang: Lang, number: Option<u32>) -> Option<String> {
    number.map(|n| messages::text(lang, "hub-decision-protocol", &[("number", n.to_string().into())]))
}
