//! One answer of staff's, carried out: noted as a word for ever, then the persons are what follows from it.

use std::collections::BTreeSet;

use exchange_endpoint::output::Failure;
use exchange_format::{
    answer::Words,
    record::{Kind, RecordId},
};

use super::{
    contradiction,
    others::{Against, Pair},
    proposals,
    questions::CHANGED,
    reviews::Answer,
    word::{Problem, Word},
};
use crate::{
    database::{
        Tx,
        linking::{Act, ClaimName, StaffDecision},
        received::{Received, Standing},
        reviews::Review,
    },
    decisions::{admission::declined, merge::staff::Decision},
    edges::{
        register::{DECIDED, Input, Register, SEPARATED},
        sealing::answers::{Now, Settled},
    },
};

/// What has come of one decision.
pub(super) struct Carried {
    /// Persons whose publications may have changed.
    pub(super) touched: BTreeSet<RecordId>,
    /// The other questions of which the answer was revised with it.
    pub(super) revised: Vec<Review>,
}

impl From<BTreeSet<RecordId>> for Carried {
    fn from(touched: BTreeSet<RecordId>) -> Self {
        Self { touched, revised: Vec::new() }
    }
}

/// Takes one decision: noted, and carried out at once unless an initial load still waits for its merge.
pub(super) fn decide(
    register: &Register<'_>,
    answer: &Answer<'_>,
    over: &[(Pair, Against)],
    unfit: &dyn Fn(Problem) -> Failure,
) -> Result<Carried, Failure> {
    let Answer { review, word, reason, insist, .. } = answer;
    let (tx, at) = (register.tx, register.now.to_string());
    let act = Act { actor: register.actor, reason, at: &at };
    if *word != Word::Sign {
        register.unsign(review.n, if word.joins() { DECIDED } else { SEPARATED })?;
    }
    tx.decide_review(review.n, word.code(), act)?;
    let subject = subject(tx, review)?;
    register.note(&Input {
        action: &format!("decide.{}", review.kind),
        subject: Some((subject.name(), review.one.1)),
        other: Some(review.other.1),
        centre: Some(review.one.0),
        value: Some(word.code()),
        reason: Some(reason),
        ..Input::default()
    })?;
    let rule = format!("{} {}", review.reason, word.code());
    register.journal_review("review.decided", review.n, &rule, &[])?;
    let decision = if word.joins() { Decision::Same } else { Decision::Different };
    let said = StaffDecision { one: review.one, other: review.other, decision };
    match (review.kind.as_str(), word) {
        ("pair", _) => {
            if decision == Decision::Different {
                if let Some(problem) = withdrawn(register, review)? {
                    return Err(unfit(problem));
                }
                register.take_join_back(review)?;
            }
            let against = contradiction::of(tx, (review.one, review.other), decision)?;
            if !against.is_empty() && !insist.overrides(decision) {
                return Err(unfit(contradiction::problem(decision, &against)));
            }
            // before what is said besides it: what is taken back with it comes after it
            tx.add_staff_decision("pair", &said, act)?;
            if decision == Decision::Same {
                register.take_split_back(review.one, review.other, reason)?;
            }
            // else a merge would take these apart again
            for (pair, against) in over.iter().filter(|(pair, _)| *pair != (review.one, review.other)) {
                register.say_same(*pair, against.barred.unwrap_or_default(), reason)?;
            }
            for review in &against {
                register.say_same((review.one, review.other), &review.reason, reason)?;
            }
            Ok(Carried { touched: decide_pair(register, review)?, revised: against })
        }
        ("programme", _) => {
            tx.add_staff_decision("programme", &said, act)?;
            Ok(register.decide_documents([review.one.1, review.other.1])?.into())
        }
        (_, Word::Accept) => Ok(proposals::accept(register, review.one, act, unfit)?.into()),
        (_, Word::Decline) if review.decision.as_deref() == Some(Word::Accept.code()) => {
            Ok(proposals::take_back(register, review, act)?.into())
        }
        // the hub goes on by what it had before
        _ => Ok(BTreeSet::new().into()),
    }
}

/// That «один» about two records cannot be taken back by them: one is withdrawn, and others have the word.
fn withdrawn(register: &Register<'_>, review: &Review) -> Result<Option<Problem>, Failure> {
    if review.decision.as_deref() != Some(Word::Same.code()) {
        return Ok(None);
    }
    let (mut left, mut is_gone) = (Vec::new(), false);
    for name in [review.one, review.other] {
        if register.is_claim_withdrawn(name)? {
            is_gone = true;
        } else {
            left.extend(register.carried_to(name)?);
        }
    }
    if !is_gone {
        return Ok(None);
    }
    let questions: Vec<String> = left.iter().map(i64::to_string).collect();
    let questions = if questions.is_empty() { "none".to_owned() } else { questions.join(", ") };
    let args = vec![("review", review.n.into()), ("questions", questions.into())];
    Ok(Some(("table-withdrawn", args)))
}

/// What a question is about.
pub(super) fn subject(tx: &Tx<'_>, review: &Review) -> Result<Kind, Failure> {
    match review.kind.as_str() {
        "programme" => return Ok(Kind::Programme),
        "pair" => return Ok(Kind::RecipientClaim),
        _ => {}
    }
    for kind in CHANGED {
        if tx.known(review.one.0, kind, review.one.1)?.is_some() {
            return Ok(kind);
        }
    }
    Ok(Kind::RecipientClaim)
}

/// What an answer about a change is the last word on: its centre is told.
pub(super) fn settle(tx: &Tx<'_>, answer: &Answer<'_>) -> Result<Vec<Settled>, Failure> {
    let (Word::Accept | Word::Decline, (centre, key)) = (answer.word, answer.review.one) else {
        return Ok(Vec::new());
    };
    let applied = answer.word == Word::Accept;
    let mut settled = Vec::new();
    for kind in CHANGED {
        let Some(known) = tx.known(centre, kind, key)? else { continue };
        if !applied {
            tx.decline_newest(known.id, declined(kind).as_str())?;
        } else if kind == Kind::Proposal {
            tx.accept_newest(known.id)?;
        }
        let now = if applied { Now::Applied } else { Now::Declined(Words::of(answer.reason)) };
        settled.push(Settled { packet: known.packet, kind, key, version: known.version, now });
    }
    Ok(settled)
}

fn decide_pair(register: &Register<'_>, review: &Review) -> Result<BTreeSet<RecordId>, Failure> {
    let find = |name: ClaimName| register.tx.received_by_key(name.0, Kind::RecipientClaim, name.1);
    let both: Vec<Received> = [find(review.one)?, find(review.other)?].into_iter().flatten().collect();
    if both.iter().any(|found| found.standing == Standing::Waiting) {
        return Ok(BTreeSet::new()); // the merge goes by the decision
    }
    let ids: Vec<_> = both.iter().map(|found| found.id).collect();
    Ok(register.take_in(&ids, &[])?)
}
