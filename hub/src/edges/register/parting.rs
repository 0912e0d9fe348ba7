//! A person that is two: staff take claims out of it, and everything goes back to whose it was.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::journal_table::Event;
use exchange_format::{
    participant::ParticipantCode,
    record::{Kind, RecordId},
};

use super::{
    Affected, Input, Register, RegisterError,
    signing::{DECIDED, SEPARATED},
};
use crate::{
    database::{
        linking::{Act, ClaimName, StaffDecision},
        received::ClaimId,
        reviews::Review,
    },
    decisions::merge::{
        came::{open_to_either, taken_back_with},
        staff::{Component, Decision},
    },
};

/// Why staff were asked about two claims that they have taken apart: they were not, it is their own word.
const SPLIT: &str = "SPLIT";

/// Claims by their names.
type Claims = BTreeMap<ClaimName, ClaimId>;

/// Two claims.
type Pair = (ClaimName, ClaimName);

impl Register<'_> {
    /// The claims of `uid` that the hub goes by.
    pub fn claims_named(&self, uid: RecordId) -> Result<Claims, RegisterError> {
        let mut claims = Claims::new();
        for id in self.tx.claims_of(uid)? {
            claims.extend(self.tx.linkable(id)?.map(|name| (name, id)));
        }
        Ok(claims)
    }

    /// Takes the claims `out`, some and not all of those of `uid`, out of it, for ever: «разные люди» for each of them with
    /// each that stays. They become whom they were before they were joined, or a new person. Their programmes and
    /// supplements go with them, and whoever was confirmed by them serves the person that they now are.
    pub fn part(
        &self,
        uid: RecordId,
        out: &BTreeSet<ClaimName>,
        reason: &str,
    ) -> Result<Affected, RegisterError> {
        let (out, rest): (Claims, Claims) =
            self.claims_named(uid)?.into_iter().partition(|(name, _)| out.contains(name));
        let mut served = BTreeSet::new();
        for (centre, _) in out.keys().chain(rest.keys()) {
            if self.tx.serves(*centre, uid)? {
                served.insert(*centre);
            }
        }
        let parted_from = self.whom_split_parts(&out, &rest)?;
        for one in out.keys() {
            for other in &parted_from {
                self.say_different(*one.min(other), *one.max(other), reason)?;
            }
            self.tx.journal(&Event {
                at: self.now,
                actor: self.actor,
                event: "person.split",
                subject: &uid.to_string(),
                rule: &format!("{} {}", one.0, one.1),
                digests: &[],
            })?;
        }
        self.keep_number(uid, &out, &rest)?;
        let mut affected = self.settle(out.values().chain(rest.values()).copied(), None)?.affected;
        affected.extend(self.settle_documents_of(&affected.clone())?);
        self.part_services(&served, &out, &rest, reason)?;
        affected.iter().try_for_each(|uid| self.republish(*uid))?;
        Ok(affected)
    }

    /// Of the claims `rest` of a person out of which `out` are taken those whom that says to be others: not of whom nobody can tell,
    /// as they came while the two were one and may be either.
    fn whom_split_parts(&self, out: &Claims, rest: &Claims) -> Result<BTreeSet<ClaimName>, RegisterError> {
        let all: Claims = out.iter().chain(rest).map(|(name, id)| (*name, *id)).collect();
        let open = open_to_either(&self.words_within(&all)?.1);
        let is_open: BTreeMap<ClaimName, bool> =
            (0..).zip(all.into_keys()).map(|(at, name)| (name, open.contains(&at))).collect();
        let known: BTreeSet<ClaimName> = rest.keys().copied().filter(|name| !is_open[name]).collect();
        let is_clear = !known.is_empty() && out.keys().any(|name| !is_open[name]);
        Ok(if is_clear { known } else { rest.keys().copied().collect() })
    }

    /// «Один» about two claims whose persons `person split` has parted takes back all that the split said of these two, not
    /// of this pair alone: else the claim would be torn off those who are one with it.
    pub fn take_split_back(
        &self,
        one: ClaimName,
        other: ClaimName,
        reason: &str,
    ) -> Result<(), RegisterError> {
        let answered = (one.min(other), one.max(other));
        let person = |name: ClaimName| self.tx.uid_of_key(name.0, Kind::RecipientClaim, name.1);
        let (Some(first), Some(second)) = (person(one)?, person(other)?) else { return Ok(()) };
        if first == second {
            return Ok(());
        }
        let others = self.claims_named(second)?;
        for one in self.claims_named(first)?.into_keys() {
            let last = self.tx.last_words("pair", one)?;
            let parted = last.into_iter().filter(|(_, decision)| *decision == Decision::Different);
            for (other, _) in parted.filter(|(other, _)| others.contains_key(other)) {
                let pair = (one.min(other), one.max(other));
                let review = self.tx.review_about("pair", pair.0, pair.1)?;
                if let Some(review) = review.filter(|review| review.reason == SPLIT && pair != answered) {
                    self.say(review.n, pair, Decision::Same, reason)?;
                }
            }
        }
        Ok(())
    }

    /// «Разные» about two claims of which «один» was said takes back what was said besides of others ([`Self::say_same`]), of
    /// each pair who are not one without that answer: else a third would be held by a word that nobody means any more.
    pub fn take_join_back(&self, review: &Review) -> Result<(), RegisterError> {
        let Some(uid) = self.uid_of_claim(review.one)? else { return Ok(()) };
        let claims = self.claims_named(uid)?;
        if review.decision.as_deref() != Some(Decision::Same.code()) || !claims.contains_key(&review.other) {
            return Ok(());
        }
        let (words, component) = self.words_within(&claims)?;
        let place =
            |name: &ClaimName| claims.keys().position(|one| one == name).and_then(|at| at.try_into().ok());
        let (Some(one), Some(other)) = (place(&review.one), place(&review.other)) else { return Ok(()) };
        let back = taken_back_with(&component, (one, other), self.model()?.cut.auto);
        for (n, pair) in back.into_iter().map(|at| words[at]) {
            self.tx.take_staff_decision_back(n)?;
            if let Some(asked) = self.tx.review_about("pair", pair.0, pair.1)? {
                self.tx.take_review_back(asked.n, &self.at())?;
                let rule = format!("{} taken-back", asked.reason);
                self.journal_review("review.decided", asked.n, &rule, &[])?;
            }
        }
        Ok(())
    }

    /// What staff have said of claims of one person, each word by its number and its pair, and the same for the engine: with
    /// what ties them, and who they were before they were joined.
    fn words_within(&self, claims: &Claims) -> Result<(Vec<(i64, Pair)>, Component), RegisterError> {
        let numbers: BTreeMap<ClaimName, u32> = claims.keys().copied().zip(0..).collect();
        let (mut words, mut links) = (BTreeMap::new(), BTreeMap::new());
        let mut came: BTreeMap<RecordId, Vec<u32>> = BTreeMap::new();
        let mut new = BTreeSet::new();
        for (name, id) in claims {
            if let Some(home) = self.tx.home_of(*id)? {
                came.entry(home).or_default().push(numbers[name]);
                if !self.tx.stands(home)? {
                    new.insert(numbers[name]);
                }
            }
            for likeness in self.tx.likenesses(*id)?.into_iter().filter(|likeness| likeness.link) {
                let other = self.tx.linkable(likeness.other)?;
                if let Some(other) = other.and_then(|other| numbers.get(&other)) {
                    let one = numbers[name];
                    links.insert((one.min(*other), one.max(*other)), likeness.bits);
                }
            }
            words.extend(self.tx.staff_decisions("pair", *name)?);
        }
        let numbered = |said: &StaffDecision| Some((*numbers.get(&said.one)?, *numbers.get(&said.other)?));
        let within = words
            .into_iter()
            .filter_map(|(n, said)| Some(((n, (said.one, said.other)), (numbered(&said)?, said.decision))));
        let (words, decisions) = within.unzip();
        let component = Component {
            size: claims.len(),
            links: links.into_iter().collect(),
            decisions,
            standing: vec![numbers.into_values().collect()],
            came: came.into_values().collect(),
            new,
            ..Component::default()
        };
        Ok((words, component))
    }

    /// Staff's word that two claims are two people, as an answer to the question about them.
    fn say_different(&self, one: ClaimName, other: ClaimName, reason: &str) -> Result<(), RegisterError> {
        self.tx.open_review("pair", SPLIT, one, other, &self.at())?;
        let Some(n) = self.tx.review_of("pair", one, other)? else { return Ok(()) };
        self.unsign(n, SEPARATED)?;
        self.say(n, (one, other), Decision::Different, reason)
    }

    /// Staff's word that two claims are one person, of whom the bar `bar` would have staff asked: as an
    /// answer to the question about them.
    pub fn say_same(
        &self,
        (one, other): (ClaimName, ClaimName),
        bar: &str,
        reason: &str,
    ) -> Result<(), RegisterError> {
        self.tx.open_review("pair", bar, one, other, &self.at())?;
        let Some(n) = self.tx.review_of("pair", one, other)? else { return Ok(()) };
        self.unsign(n, DECIDED)?;
        self.say(n, (one, other), Decision::Same, reason)?;
        self.journal_review("review.decided", n, &format!("{bar} same"), &[])
    }

    /// Staff's word about two claims, as the answer to the question `n`.
    fn say(
        &self,
        n: i64,
        pair: (ClaimName, ClaimName),
        decision: Decision,
        reason: &str,
    ) -> Result<(), RegisterError> {
        self.say_as(n, pair, decision, Act { actor: self.actor, reason, at: &self.at() })
    }

    /// As [`say`](Self::say), by whom and when `act` says.
    pub(super) fn say_as(
        &self,
        n: i64,
        (one, other): (ClaimName, ClaimName),
        decision: Decision,
        act: Act<'_>,
    ) -> Result<(), RegisterError> {
        let word = decision.code();
        self.tx.decide_review(n, word, act)?;
        self.tx.add_staff_decision("pair", &StaffDecision { one, other, decision }, act)?;
        self.note(&Input {
            action: "decide.pair",
            subject: Some((Kind::RecipientClaim.name(), one.1)),
            other: Some(other.1),
            centre: Some(one.0),
            value: Some(word),
            reason: Some(act.reason),
            ..Input::default()
        })
    }

    /// The number stays with the claims that are left, if one of them came with it: those that are taken out, however
    /// many, get another.
    fn keep_number(&self, uid: RecordId, out: &Claims, rest: &Claims) -> Result<(), RegisterError> {
        let homes = |claims: &Claims| -> Result<Vec<(ClaimId, RecordId)>, RegisterError> {
            let mut homes = Vec::new();
            for id in claims.values() {
                homes.extend(self.tx.home_of(*id)?.map(|home| (*id, home)));
            }
            Ok(homes)
        };
        let (out, rest) = (homes(out)?, homes(rest)?);
        let came: Vec<ClaimId> = out.iter().filter(|(_, home)| *home == uid).map(|(id, _)| *id).collect();
        if came.is_empty() || rest.iter().all(|(_, home)| *home != uid) {
            return Ok(());
        }
        let other = match out.iter().map(|(_, home)| *home).find(|home| *home != uid) {
            Some(other) => other,
            None => self.new_person()?,
        };
        came.into_iter().try_for_each(|id| Ok(self.tx.set_home(id, other)?))
    }

    /// The centres `served`, which were confirmed for the person that was parted, serve whom their claims `out` are now, and
    /// nobody of the parts whom none of their claims is. Parts are judged as they are now: the person that was
    /// parted may be the one that was taken out, gone back to its own number.
    fn part_services(
        &self,
        served: &BTreeSet<ParticipantCode>,
        out: &Claims,
        rest: &Claims,
        reason: &str,
    ) -> Result<(), RegisterError> {
        let mut parts: BTreeMap<RecordId, BTreeSet<ParticipantCode>> = BTreeMap::new();
        for (name @ (centre, _), id) in out.iter().chain(rest) {
            let Some(now) = self.tx.uid_of(*id)? else { continue };
            parts.entry(now).or_default().insert(*centre);
            if out.contains_key(name) && served.contains(centre) {
                self.confirm(*centre, now, reason)?;
            }
        }
        for (part, centres) in &parts {
            served.difference(centres).try_for_each(|centre| self.end_service(*centre, *part, reason))?;
        }
        Ok(())
    }

    /// `centre` has no claim of `uid` any more: what it was confirmed for was another person.
    fn end_service(&self, centre: ParticipantCode, uid: RecordId, reason: &str) -> Result<(), RegisterError> {
        if !self.tx.end_service(centre, uid)? {
            return Ok(());
        }
        self.note(&Input {
            action: "confirm.ended",
            subject: Some((Kind::Person.name(), uid)),
            centre: Some(centre),
            reason: Some(reason),
            ..Input::default()
        })
    }
}
