//! What somebody signed and a second has not: it ends with what it was given to, so that no signature is left hanging.

use exchange_endpoint::journal_table::Event;
use exchange_format::{position::Digest, record::Kind};

use super::{Input, Register, RegisterError};
use crate::database::{
    linking::{Act, ClaimName},
    reviews::Review,
};

/// Why a signature ends: staff say that the two are two people.
pub const SEPARATED: &str = "separated";
/// The second does not sign, or the first takes the signature back.
pub const REFUSED: &str = "refused";
/// No second is needed any more: one has decided.
pub const DECIDED: &str = "decided";
/// The persons had changed, and it was signed anew.
pub const REPLACED: &str = "replaced";
/// The question is none any more, or one of its records has gone.
pub const GONE: &str = "gone";
/// The two have become one person otherwise.
pub const JOINED: &str = "joined";

impl Register<'_> {
    /// Keeps a first signature of the actor under «один» to `review`, given to what `seen` says (JSON).
    pub fn sign_first(&self, review: &Review, reason: &str, seen: &str) -> Result<(), RegisterError> {
        let at = self.at();
        let act = Act { actor: self.actor, reason, at: &at };
        self.tx.sign_first(review.n, act, seen)?;
        self.note_signature("sign.pair", review, "same", Some(reason))?;
        let digests = [Digest::of(seen.as_bytes())];
        self.journal_review("review.signed", review.n, &format!("{} same", review.reason), &digests)
    }

    /// Keeps the second, of the actor, under what `first` has signed: it was given to the same, `seen`.
    pub fn sign_second(
        &self,
        review: &Review,
        (first, seen): (&str, &str),
        reason: &str,
    ) -> Result<(), RegisterError> {
        let at = self.at();
        let act = Act { actor: self.actor, reason, at: &at };
        self.tx.sign_second(review.n, act)?;
        let digests = [Digest::of(seen.as_bytes())];
        self.journal_review("review.countersigned", review.n, first, &digests)
    }

    /// Nothing is signed of the question `n` any more, for the cause `why`; whether a signature had waited.
    pub fn unsign(&self, n: i64, why: &str) -> Result<bool, RegisterError> {
        self.unsign_because(n, why, None)
    }

    /// The same, by somebody who gives a `reason`.
    pub fn unsign_because(&self, n: i64, why: &str, reason: Option<&str>) -> Result<bool, RegisterError> {
        let Some(signed) = self.tx.signed(n)? else { return Ok(false) };
        self.tx.unsign(n)?;
        if signed.second.is_some() {
            return Ok(false);
        }
        if let Some(review) = self.tx.review(n)? {
            self.note_signature("unsign.pair", &review, why, reason)?;
        }
        self.journal_review("review.unsigned", n, why, &[])?;
        Ok(true)
    }

    /// Ends the signatures under answers to what is no question any more. They are few; each is looked at.
    pub fn end_signatures(&self) -> Result<(), RegisterError> {
        for n in self.tx.half_signed()? {
            let why = match self.tx.review(n)? {
                Some(review) if review.state != "gone" => {
                    let person = |name: ClaimName| self.tx.uid_of_key(name.0, Kind::RecipientClaim, name.1);
                    match (person(review.one)?, person(review.other)?) {
                        (Some(one), Some(other)) if one == other => JOINED,
                        (Some(_), Some(_)) => continue,
                        _ => GONE,
                    }
                }
                _ => GONE,
            };
            self.unsign(n, why)?;
        }
        Ok(())
    }

    fn note_signature(
        &self,
        action: &str,
        review: &Review,
        value: &str,
        reason: Option<&str>,
    ) -> Result<(), RegisterError> {
        self.note(&Input {
            action,
            subject: Some((Kind::RecipientClaim.name(), review.one.1)),
            other: Some(review.other.1),
            centre: Some(review.one.0),
            value: Some(value),
            reason,
            ..Input::default()
        })
    }

    /// Enters into the journal what became of the question `n`, by whoever acts now.
    pub fn journal_review(
        &self,
        event: &str,
        n: i64,
        rule: &str,
        digests: &[Digest],
    ) -> Result<(), RegisterError> {
        let (at, actor, subject) = (self.now, self.actor, n.to_string());
        self.tx.journal(&Event { at, actor, event, subject: &subject, rule, digests })?;
        Ok(())
    }
}
