//! A word of staff outlives the record by which it was said: of a record that its centre withdraws, another of the same person has it.

use exchange_format::record::Kind;

use super::{Register, RegisterError};
use crate::{
    database::{
        linking::{Act, ClaimName},
        people::Place,
        received::ClaimId,
    },
    decisions::merge::staff::Decision,
};

/// Why there is an answer about two claims of which nobody was asked: it was given about one that is withdrawn.
const CARRIED: &str = "CARRIED";

/// Two claims.
type Pair = (ClaimName, ClaimName);

impl Register<'_> {
    /// Each «один» that names the claim `gone`, by which the hub goes no more, and one of the same person is said of another claim that
    /// was one with `gone` before it was said: by whom, when and why it was. The claim must be of its person still.
    pub(super) fn carry_words(&self, gone: ClaimId) -> Result<(), RegisterError> {
        let Some(place) = self.tx.place_of(gone)? else { return Ok(()) };
        let said = self.tx.last_words("pair", place.name)?;
        let mut partners = Vec::new();
        for (other, _) in said.into_iter().filter(|(_, decision)| *decision == Decision::Same) {
            let Some(known) = self.tx.known(other.0, Kind::RecipientClaim, other.1)? else { continue };
            let of = self.tx.place_of(known.id)?.filter(|of| of.uid == place.uid && of.home != place.home);
            if let Some(heir) = of.map(|of| self.heir(&of)).transpose()?.flatten() {
                partners.push((heir, other));
            }
        }
        // whom nothing but the claim that is gone held to each other are one all the same
        let heir = self.heir(&place)?.or(partners.first().map(|(heir, _)| *heir));
        for (partner, said_of) in partners {
            if let Some(heir) = heir.filter(|heir| *heir != partner) {
                let was = (place.name.min(said_of), place.name.max(said_of));
                self.carry(was, (heir.min(partner), heir.max(partner)))?;
            }
        }
        Ok(())
    }

    /// The claim at `place`, or if the hub goes by it no more the least of those that came as one with it.
    fn heir(&self, place: &Place) -> Result<Option<ClaimName>, RegisterError> {
        let claims = self.claims_named(place.uid)?;
        if claims.contains_key(&place.name) {
            return Ok(Some(place.name));
        }
        for (name, id) in claims {
            if self.tx.home_of(id)? == Some(place.home) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Says of `pair` what was said of `was`, unless staff have spoken about it.
    fn carry(&self, was: Pair, pair: Pair) -> Result<(), RegisterError> {
        if self.tx.last_words("pair", pair.0)?.contains_key(&pair.1) {
            return Ok(());
        }
        let last =
            self.tx.review_about("pair", was.0, was.1)?.and_then(|review| review.last).unwrap_or_default();
        let (at, said_at) = (self.at(), last.at);
        let act = Act { actor: &last.actor, reason: &last.reason, at: said_at.as_deref().unwrap_or(&at) };
        self.tx.open_review("pair", CARRIED, pair.0, pair.1, &at)?;
        let Some(review) = self.tx.review_about("pair", pair.0, pair.1)? else { return Ok(()) };
        self.say_as(review.n, pair, Decision::Same, act)?;
        self.journal_review("review.decided", review.n, &format!("{} same", review.reason), &[])
    }

    /// The questions by which «один» that was said of `name` holds now, as its centre has withdrawn the other record of it. In order.
    pub fn carried_to(&self, name: ClaimName) -> Result<Vec<i64>, RegisterError> {
        let mut carried = Vec::new();
        for (other, _) in
            self.tx.last_words("pair", name)?.into_iter().filter(|(_, said)| *said == Decision::Same)
        {
            let review = self.tx.review_about("pair", name.min(other), name.max(other))?;
            carried.extend(review.filter(|review| review.reason == CARRIED).map(|review| review.n));
        }
        carried.sort_unstable();
        Ok(carried)
    }

    /// Whether the hub goes by a claim no more.
    pub fn is_claim_withdrawn(&self, name: ClaimName) -> Result<bool, RegisterError> {
        let known = self.tx.known(name.0, Kind::RecipientClaim, name.1)?;
        Ok(match known {
            Some(known) => self.tx.linkable(known.id)?.is_none(),
            None => true,
        })
    }
}
