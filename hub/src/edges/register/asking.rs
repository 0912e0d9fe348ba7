//! What staff are asked about persons: of each two who may be one, one question, by the pair of claims that speaks
//! most for it.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use exchange_format::record::{Kind, RecordId};

use super::{Affected, Register, RegisterError};
use crate::{
    database::{linking::ClaimName, received::ClaimId},
    decisions::merge::{
        clusters::{Doubtful, Question, waits},
        staff::Decision,
    },
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

impl Question for Best {
    fn reason(&self) -> Doubtful {
        self.doubt
    }

    fn bits(&self) -> f64 {
        self.bits
    }

    fn says_more(&self, other: &Self) -> bool {
        self.bits.total_cmp(&other.bits).then(other.pair.cmp(&self.pair)).is_gt()
    }
}

/// Of pairs of a crowd the one that says most.
fn first_of_crowd<'a>(likest: impl Iterator<Item = &'a Best>) -> Option<(ClaimName, ClaimName)> {
    let of_crowd = likest.filter(|best| best.doubt == Doubtful::Oversize);
    of_crowd.reduce(|one, other| if other.says_more(one) { other } else { one }).map(|best| best.pair)
}

impl Register<'_> {
    /// Asks staff about likenesses between `people` and others, and takes back what has answered itself. Gives back
    /// whose publications may have waited for the answer.
    pub(super) fn ask(&self, people: &Affected) -> Result<Affected, RegisterError> {
        let (at, mut freed) = (self.at(), Affected::new());
        let mut known = BTreeMap::new();
        for uid in people {
            self.know(*uid, &mut known)?;
        }
        // a question of theirs may be what one between two others waits for
        let mut asked_about = people.clone();
        for Around { likest, open, .. } in known.values() {
            asked_about.extend(likest.keys());
            for (one, other) in open {
                asked_about.extend(self.uid_of_claim(*one)?.into_iter().chain(self.uid_of_claim(*other)?));
            }
        }
        for uid in &asked_about {
            let likest = self.to_ask(*uid, &mut known)?;
            let contradicting = self.contradicting(*uid)?;
            let mut asked: BTreeSet<_> = likest.iter().map(|best| best.pair).collect();
            asked.extend(&contradicting);
            for (one, other) in known[uid].open.difference(&asked) {
                if self.tx.close_review("pair", *one, *other, &at)? {
                    for name in [one, other] {
                        freed.extend(self.uid_of_claim(*name)?);
                    }
                }
            }
            for Best { pair, doubt, .. } in likest {
                self.tx.open_review("pair", doubt.code(), pair.0, pair.1, &at)?;
                self.tx.set_reason(doubt.code(), pair.0, pair.1)?;
            }
            for (one, other) in contradicting {
                self.tx.open_review("pair", DEATH, one, other, &at)?;
            }
        }
        Ok(freed)
    }

    /// Of whom `uid` may be one with, those about whom staff are asked now.
    fn to_ask(
        &self,
        uid: RecordId,
        known: &mut BTreeMap<RecordId, Around>,
    ) -> Result<Vec<Best>, RegisterError> {
        self.know(uid, known)?;
        let others: Vec<RecordId> = known[&uid].likest.keys().copied().collect();
        for other in others {
            self.know(other, known)?;
        }
        let likest = &known[&uid].likest;
        // of a crowd each is asked about with whom it is likest: fifty records are fifty questions, not a thousand
        let own = first_of_crowd(likest.values());
        let is_put = |(other, best): &(&RecordId, &Best)| {
            let theirs = &known[other].likest;
            if best.doubt == Doubtful::Oversize {
                return own == Some(best.pair) || first_of_crowd(theirs.values()) == Some(best.pair);
            }
            !waits(*best, likest.iter().filter_map(|(third, one)| Some([one, theirs.get(third)?])))
        };
        Ok(likest.iter().filter(is_put).map(|(_, best)| *best).collect())
    }

    /// Looks around `uid`, unless that is `known`. Whom staff keep apart from it is nobody it may be one with.
    fn know(&self, uid: RecordId, known: &mut BTreeMap<RecordId, Around>) -> Result<(), RegisterError> {
        if let Entry::Vacant(place) = known.entry(uid) {
            let around = place.insert(self.around(uid)?);
            around.likest.retain(|other, _| !around.apart.contains(other));
        }
        Ok(())
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

    /// The open questions whether a claim of `uid` is another person, by number: those about its claims, and those about two whom it is
    /// like, for whose answers its own may wait.
    pub fn questions_of(&self, uid: RecordId) -> Result<BTreeSet<i64>, RegisterError> {
        let Around { likest, apart, .. } = self.around(uid)?;
        let people: BTreeSet<RecordId> =
            likest.into_keys().filter(|other| !apart.contains(other)).chain([uid]).collect();
        let mut questions = BTreeSet::new();
        for one in &people {
            for (origin, key, _) in self.tx.rules_of(*one)? {
                for review in self.tx.open_reviews_of("pair", key)? {
                    let name = (origin, key);
                    if review.one != name && review.other != name {
                        continue;
                    }
                    let is_own = *one == uid;
                    let other = if review.one == name { review.other } else { review.one };
                    if is_own || self.uid_of_claim(other)?.is_some_and(|whose| people.contains(&whose)) {
                        questions.insert(review.n);
                    }
                }
            }
        }
        Ok(questions)
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
            if around.likest.get(&whose).is_none_or(|known| best.says_more(known)) {
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
