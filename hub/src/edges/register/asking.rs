//! What staff are asked about persons: of each two who may be one, one question, by the pair of claims that speaks
//! most for it.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::record::{Kind, RecordId};

use super::{Affected, Register, RegisterError};
use crate::{
    database::{linking::ClaimName, received::ClaimId},
    decisions::merge::{clusters::Doubtful, staff::Decision},
};

/// Why there is a question that no likeness asks: a member of staff says that the two are one.
pub const STAFF: &str = "STAFF";

/// Why staff are asked about two claims of one person: one had died before the other first applied.
pub(super) const DEATH: &str = "DEATH";

/// The pair that speaks most for two persons being one.
#[derive(Clone, Copy)]
struct Best {
    pair: (ClaimName, ClaimName),
    bits: f64,
    doubt: Doubtful,
}

/// What is known of one person and others.
#[derive(Default)]
struct Around {
    likest: BTreeMap<RecordId, Best>,
    /// Whom each of its claims is like.
    alike: BTreeMap<ClaimName, BTreeSet<RecordId>>,
    /// Whom staff keep apart from it.
    apart: BTreeSet<RecordId>,
    /// What staff are asked as of now.
    open: BTreeSet<(ClaimName, ClaimName)>,
}

impl Best {
    /// Whether it says more than `other`.
    fn is_more(&self, other: &Self) -> bool {
        self.bits.total_cmp(&other.bits).then(other.pair.cmp(&self.pair)).is_gt()
    }
}

/// Of pairs of a crowd the one that says most.
fn first_of_crowd<'a>(likest: impl Iterator<Item = &'a Best>) -> Option<(ClaimName, ClaimName)> {
    let of_crowd = likest.filter(|best| best.doubt == Doubtful::Oversize);
    of_crowd.reduce(|one, other| if other.is_more(one) { other } else { one }).map(|best| best.pair)
}

impl Register<'_> {
    /// Asks staff about likenesses between `people` and others, and takes back what has answered itself. Gives back
    /// whose publications may have waited for the answer.
    pub(super) fn ask(&self, people: &Affected) -> Result<Affected, RegisterError> {
        let (at, mut freed) = (self.at(), Affected::new());
        // the likest of a crowd, by person
        let mut firsts = BTreeMap::new();
        for uid in people {
            let Around { mut likest, apart, open, .. } = self.around(*uid)?;
            likest.retain(|other, _| !apart.contains(other));
            // of a crowd each is asked about with whom it is likest: fifty records are fifty questions, not a thousand
            let own = first_of_crowd(likest.values());
            let mut passed_over = Vec::new();
            for (other, best) in likest.iter().filter(|(_, best)| best.doubt == Doubtful::Oversize) {
                if !firsts.contains_key(other) {
                    let Around { mut likest, apart, .. } = self.around(*other)?;
                    likest.retain(|other, _| !apart.contains(other));
                    firsts.insert(*other, first_of_crowd(likest.values()));
                }
                if own != Some(best.pair) && firsts[other] != Some(best.pair) {
                    passed_over.push(*other);
                }
            }
            likest.retain(|other, _| !passed_over.contains(other));
            let contradicting = self.contradicting(*uid)?;
            let mut asked: BTreeSet<_> = likest.values().map(|best| best.pair).collect();
            asked.extend(&contradicting);
            for (one, other) in open.difference(&asked) {
                if self.tx.close_review("pair", *one, *other, &at)? {
                    for name in [one, other] {
                        freed.extend(self.uid_of_claim(*name)?);
                    }
                }
            }
            for Best { pair, doubt, .. } in likest.into_values() {
                self.tx.open_review("pair", doubt.code(), pair.0, pair.1, &at)?;
            }
            for (one, other) in contradicting {
                self.tx.open_review("pair", DEATH, one, other, &at)?;
            }
        }
        Ok(freed)
    }

    /// The claims of one person that cannot all be of one: one had died before another first applied. What is published
    /// stands; staff say which of it is wrong.
    fn contradicting(&self, uid: RecordId) -> Result<Vec<(ClaimName, ClaimName)>, RegisterError> {
        let claims: BTreeSet<ClaimId> = self.tx.claims_of(uid)?.into_iter().collect();
        if claims.len() < 2 || !self.tx.is_ended(uid)? {
            return Ok(Vec::new());
        }
        Ok(self.weighing_groups(&[claims])?.contradicting())
    }

    /// The claims of `uid` that may be another person as far as staff have not said otherwise.
    pub(super) fn in_doubt(&self, uid: RecordId) -> Result<BTreeSet<ClaimName>, RegisterError> {
        let Around { alike, apart, .. } = self.around(uid)?;
        let doubted = alike.into_iter().filter(|(_, others)| !others.is_subset(&apart));
        Ok(doubted.map(|(name, _)| name).collect())
    }

    fn around(&self, uid: RecordId) -> Result<Around, RegisterError> {
        let mut around = Around::default();
        for claim in self.tx.claims_of(uid)? {
            self.look_around(uid, claim, &mut around)?;
        }
        Ok(around)
    }

    fn look_around(&self, uid: RecordId, claim: ClaimId, around: &mut Around) -> Result<(), RegisterError> {
        let Some(name) = self.tx.linkable(claim)? else { return Ok(()) };
        for likeness in self.tx.likenesses(claim)? {
            let (Some(other), Some(whose)) =
                (self.tx.linkable(likeness.other)?, self.tx.uid_of(likeness.other)?)
            else {
                continue;
            };
            let pair = (name.min(other), name.max(other));
            let best = Best { pair, bits: likeness.bits, doubt: likeness.doubt };
            if whose == uid {
                continue;
            }
            around.alike.entry(name).or_default().insert(whose);
            if around.likest.get(&whose).is_none_or(|known| best.is_more(known)) {
                around.likest.insert(whose, best);
            }
        }
        let last = self.tx.last_words("pair", name)?;
        for (other, _) in last.into_iter().filter(|(_, decision)| *decision == Decision::Different) {
            around.apart.extend(self.uid_of_claim(other)?);
        }
        for review in self.tx.open_reviews_of("pair", name.1)? {
            let pair = (review.one, review.other);
            if (pair.0 == name || pair.1 == name) && !(review.reason == STAFF && self.are_two(pair)?) {
                around.open.insert(pair);
            }
        }
        Ok(())
    }

    /// Whether two claims are two persons as of now.
    fn are_two(&self, pair: (ClaimName, ClaimName)) -> Result<bool, RegisterError> {
        let (one, other) = (self.uid_of_claim(pair.0)?, self.uid_of_claim(pair.1)?);
        Ok(one.is_some() && other.is_some() && one != other)
    }

    pub(super) fn uid_of_claim(&self, name: ClaimName) -> Result<Option<RecordId>, RegisterError> {
        Ok(self.tx.uid_of_key(name.0, Kind::RecipientClaim, name.1)?)
    }
}
