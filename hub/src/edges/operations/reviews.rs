//! What waits for staff: listed for them, and their answers carried out.

use exchange_endpoint::{
    journal_table::Event,
    output::{Exit, Failure},
};
use exchange_format::record::{Body, Kind};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    OperationError, operator, people,
    review_table::{Answer, Word},
};
use crate::{
    database::{
        Tx,
        linking::{Act, ClaimName, StaffDecision},
        reviews::Review,
    },
    decisions::linking::clusters::Decision,
    edges::{
        hub::Hub,
        register::{Input, Register},
    },
};

/// Reviews read at a time.
const PAGE: u32 = 500;

/// A question for staff.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewTold {
    /// Its number.
    pub number: i64,
    /// `pair`, `programme`, `held` or `proposal`.
    pub kind: String,
    /// Why staff are asked.
    pub question: String,
    /// The two (or the one, twice), each as centre, name, birth date, СНИЛС, document, address, phone.
    pub sides: [Vec<String>; 2],
    /// Of programmes: numbers and dates.
    pub detail: String,
}

impl ReviewTold {
    /// The cells under [`super::review_table::COLUMNS`].
    pub fn cells(&self) -> Vec<String> {
        let head = [self.number.to_string(), self.kind.clone(), self.question.clone()];
        let tail = [self.detail.clone(), String::new(), String::new()];
        head.into_iter().chain(self.sides.concat()).chain(tail).collect()
    }
}

/// All open questions.
pub fn list(hub: &mut Hub, now: Timestamp) -> Result<Vec<ReviewTold>, OperationError> {
    let Hub { store, context, .. } = hub;
    store.read(|tx| {
        let register = context.register(tx, context.code.as_str(), now);
        let mut told = Vec::new();
        let mut after = 0;
        loop {
            let page = tx.open_reviews(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(told) };
            after = last.n;
            for review in &page {
                told.push(tell(&register, review)?);
            }
        }
    })
}

fn tell(register: &Register<'_>, review: &Review) -> Result<ReviewTold, OperationError> {
    let mut detail: Vec<String> = Vec::new();
    let mut sides = [vec![String::new(); 7], vec![String::new(); 7]];
    if review.kind == "programme" {
        for key in [review.one.1, review.other.1] {
            let claims = register.tx.claims_of(key)?;
            if let Some(found) = claims.first().map(|id| register.tx.received(*id)).transpose()?.flatten() {
                let text = |field: &str| found.claim.body.text(field).unwrap_or_default().to_owned();
                detail.push(format!("№ {} от {}", text("number"), text("date")));
            }
        }
        if let Some(person) = register.tx.person_of_document(review.one.1)?
            && let Some(claim) = register.tx.claims_of(person)?.first()
            && let Some(found) = register.tx.received(*claim)?
        {
            sides[0] = side(&(found.claim.origin, found.claim.key), &found.claim.body);
        }
    } else {
        for (side_of, name) in sides.iter_mut().zip([&review.one, &review.other]) {
            if let Some(found) = register.tx.received_by_key(name.0, Kind::RecipientClaim, name.1)? {
                *side_of = side(name, &found.claim.body);
            }
        }
        if review.one == review.other
            && let Some(found) =
                register.tx.received_by_key(review.one.0, Kind::RecipientClaim, review.one.1)?
            && let Some(newest) = register.tx.newest_body(found.id)?
        {
            // what is said now beside what stands
            sides[1] = side(&review.other, &newest);
        }
    }
    Ok(ReviewTold {
        number: review.n,
        kind: review.kind.clone(),
        question: review.reason.clone(),
        sides,
        detail: detail.join("; "),
    })
}

fn side(name: &ClaimName, body: &Body) -> Vec<String> {
    let text = |field: &str| body.text(field).unwrap_or_default();
    let joined = |fields: &[&str]| {
        fields.iter().map(|field| text(field)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let address = if text("address_live").is_empty() { text("address_reg") } else { text("address_live") };
    vec![
        name.0.to_string(),
        joined(&["surname", "given", "patronymic"]),
        text("birth_date").to_owned(),
        text("snils").to_owned(),
        joined(&["identity_doc_series", "identity_doc_number"]),
        address.to_owned(),
        text("phone").to_owned(),
    ]
}

/// What applying answers has done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Decided {
    /// Answers carried out.
    pub decided: u64,
    /// Answers to questions that have answered themselves, or were answered before.
    pub passed_over: u64,
}

/// Carries staff's answers out, all or none.
pub fn apply(hub: &mut Hub, answers: &[Answer], now: Timestamp) -> Result<Decided, OperationError> {
    let Hub { store, context, .. } = hub;
    let actor = operator();
    store.write(|tx| {
        let register = context.register(tx, &actor, now);
        let mut decided = Decided::default();
        for answer in answers {
            let review = tx.review(answer.number)?.ok_or_else(|| refused(answer, "number"))?;
            if review.state != "open" {
                decided.passed_over += 1;
                continue;
            }
            carry_out(&register, tx, &review, answer)?;
            decided.decided += 1;
        }
        Ok(decided)
    })
}

fn refused(answer: &Answer, column: &'static str) -> Failure {
    Failure::new(Exit::Refused, "review-answer").told("line", answer.line).with("column", column)
}

fn carry_out(
    register: &Register<'_>,
    tx: &Tx<'_>,
    review: &Review,
    answer: &Answer,
) -> Result<(), OperationError> {
    let at = register.now.to_string();
    let act = Act { actor: register.actor, reason: &answer.reason, at: &at };
    let action = format!("decide.{}", review.kind);
    register.note(&Input {
        action: &action,
        subject: Some((
            if review.kind == "programme" { "programme" } else { "recipient_claim" },
            review.one.1,
        )),
        other: Some(review.other.1),
        centre: Some(review.one.0),
        value: Some(answer.decision.code()),
        reason: Some(&answer.reason),
        ..Input::default()
    })?;
    tx.decide_review(review.n, answer.decision.code(), act)?;
    match (review.kind.as_str(), answer.decision) {
        ("pair", Word::Same | Word::Different) => {
            tx.add_staff_decision("pair", &staff_decision(review, answer.decision), act)?;
            let mut rows = Vec::new();
            for name in [review.one, review.other] {
                let found = tx.received_by_key(name.0, Kind::RecipientClaim, name.1)?;
                rows.extend(found.map(|found| found.id));
            }
            register.take_in(&rows, &[])?;
        }
        ("programme", Word::Same | Word::Different) => decide_programmes(register, tx, review, answer, act)?,
        ("held" | "proposal", Word::Accept) => accept(register, tx, review, act)?,
        ("held" | "proposal", Word::Decline) => {}
        _ => return Err(refused(answer, "decision").into()),
    }
    let subject = review.n.to_string();
    let rule = answer.decision.code();
    tx.journal(&Event {
        at: register.now,
        actor: register.actor,
        event: "review.decided",
        subject: &subject,
        rule,
        digests: &[],
    })?;
    Ok(())
}

fn staff_decision(review: &Review, word: Word) -> StaffDecision {
    let decision = if word == Word::Same { Decision::Same } else { Decision::Different };
    StaffDecision { one: review.one, other: review.other, decision }
}

/// «разные»: both stand side by side. «один»: the claims of the second document go over to the first.
fn decide_programmes(
    register: &Register<'_>,
    tx: &Tx<'_>,
    review: &Review,
    answer: &Answer,
    act: Act<'_>,
) -> Result<(), OperationError> {
    tx.add_staff_decision("programme", &staff_decision(review, answer.decision), act)?;
    let person = tx.person_of_document(review.one.1)?;
    if answer.decision == Word::Same {
        for id in tx.claims_of(review.other.1)? {
            if let Some(found) = tx.received(id)? {
                let claim = &found.claim;
                tx.set_person_record(claim.origin, claim.body.kind(), claim.key, id, review.one.1, "STAFF")?;
            }
        }
    }
    if let Some(person) = person {
        register.republish(person)?;
    }
    Ok(())
}

/// What a centre's newer claim or proposal says becomes what the hub goes by.
fn accept(register: &Register<'_>, tx: &Tx<'_>, review: &Review, act: Act<'_>) -> Result<(), OperationError> {
    let (origin, key) = review.one;
    if let Some(found) = tx.received_by_key(origin, Kind::Proposal, key)? {
        let body = found.claim.body;
        if let (Some("person"), Some(target)) =
            (body.text("target_kind"), body.text("target").and_then(|text| text.parse().ok()))
        {
            for (field, value) in people::wishes(&body) {
                tx.set_entry(target, &field, &value, act)?;
            }
            register.republish(target)?;
        }
        return Ok(());
    }
    for kind in [Kind::RecipientClaim, Kind::ProgrammeClaim, Kind::SupplementClaim] {
        if let Some(found) = tx.received_by_key(origin, kind, key)? {
            tx.accept_newest(found.id)?;
            if kind == Kind::RecipientClaim {
                register.take_in(&[found.id], &[])?;
            } else {
                register.take_in(&[], &[found.id])?;
            }
        }
    }
    Ok(())
}
