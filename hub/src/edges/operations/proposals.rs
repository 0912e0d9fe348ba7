//! What staff accept of what centres want: a newer claim is gone by, a proposal's wished values become entries of the hub's own, until that
//! is taken back.

use std::collections::BTreeSet;

use exchange_endpoint::output::Failure;
use exchange_format::{
    answer::RecordOutcome,
    record::{Body, Kind, RecordId},
    rules,
};
use serde::Serialize;

use super::{
    questions::{CLAIMS, target, wishes},
    reviews::Answer,
    word::{Problem, Word, problem},
};
use crate::{
    database::{
        Tx,
        linking::{Act, ClaimName},
        received::Standing,
        reviews::Review,
    },
    decisions::golden,
    edges::register::{Input, Register},
};

/// Entries of the hub's own: whose, and each field with its value.
pub(super) type Entries = (RecordId, Vec<(&'static str, String)>);

/// The hub's own entries that the wishes of a proposal become.
pub(super) fn wished(tx: &Tx<'_>, proposal: &Body) -> Result<Result<Entries, Problem>, Failure> {
    let person = target(proposal).map(|asked| tx.person(asked)).transpose()?.flatten();
    let Some(person) = person else { return Ok(problem("table-proposal-target")) };
    let mut entries = Vec::new();
    for (name, value) in wishes(proposal) {
        let fields = Kind::Person.schema().fields;
        let field = fields.iter().find(|field| field.name == name && name != "case_number");
        let value = match field {
            Some(field) if value.is_empty() && !field.required => Some(String::new()),
            Some(field) => golden::published(field, &value),
            None => None,
        };
        let (Some(field), Some(value)) = (field, value) else {
            return Ok(Err(("table-proposal-value", vec![("field", name.into())])));
        };
        entries.push((field.name, value));
    }
    Ok(Ok((person.merged_into.unwrap_or(person.uid), entries)))
}

/// What an accepted proposal leaves without a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Emptied {
    /// The question.
    pub review: i64,
    /// The parts of a fact whose first part is entered: those that stood are of another.
    pub fields: Vec<&'static str>,
}

/// What `answer` will leave without a value.
pub(super) fn emptied_by(register: &Register<'_>, answer: &Answer<'_>) -> Result<Option<Emptied>, Failure> {
    let review = &answer.review;
    if answer.word != Word::Accept {
        return Ok(None);
    }
    let Some(found) = register.tx.received_by_key(review.one.0, Kind::Proposal, review.one.1)? else {
        return Ok(None);
    };
    let fields = emptied(register, &found.claim.body)?;
    Ok((!fields.is_empty()).then_some(Emptied { review: review.n, fields }))
}

/// The parts of facts that stand and would be left without a value if the hub entered what `proposal` wishes.
pub(super) fn emptied(register: &Register<'_>, proposal: &Body) -> Result<Vec<&'static str>, Failure> {
    let Ok((uid, wished)) = wished(register.tx, proposal)? else { return Ok(Vec::new()) };
    let Some(file) = register.file(uid)? else { return Ok(Vec::new()) };
    Ok(golden::emptied(&file.claims, &file.entries, &wished, file.today))
}

/// What a centre's newer claim or its proposal says becomes what the hub goes by.
pub(super) fn accept(
    register: &Register<'_>,
    name: ClaimName,
    act: Act<'_>,
    unfit: &dyn Fn(Problem) -> Failure,
) -> Result<BTreeSet<RecordId>, Failure> {
    let tx = register.tx;
    if let Some(found) = tx.received_by_key(name.0, Kind::Proposal, name.1)? {
        return enter_all(register, &found.claim.body, act, unfit);
    }
    let merged = tx.centre(name.0)?.is_some_and(|centre| centre.merged);
    let mut persons = BTreeSet::new();
    for kind in CLAIMS {
        let Some(known) = tx.known(name.0, kind, name.1)? else { continue };
        let newest = tx.newest_body(known.id)?;
        if let Some(finding) = newest.as_ref().and_then(rules::unpublished_document) {
            return Err(unfit(("table-unpublished", vec![("rule", finding.word().into())])));
        }
        tx.accept_newest(known.id)?;
        if !merged {
            tx.set_standing(known.id, Standing::Waiting, RecordOutcome::Changed.word())?;
        } else if kind == Kind::RecipientClaim {
            persons.extend(register.take_in(&[known.id], &[])?);
        } else {
            persons.extend(register.take_in(&[], &[known.id])?);
        }
    }
    Ok(persons)
}

/// The wished values become the hub's own entries about the person.
fn enter_all(
    register: &Register<'_>,
    proposal: &Body,
    act: Act<'_>,
    unfit: &dyn Fn(Problem) -> Failure,
) -> Result<BTreeSet<RecordId>, Failure> {
    let (uid, entries) = wished(register.tx, proposal)?.map_err(unfit)?;
    for (field, value) in entries {
        enter(register, uid, field, Some(&value), act)?;
    }
    register.republish(uid)?;
    Ok(BTreeSet::from([uid]))
}

/// The hub's own entry of a field is `value` from now on; `None`: there is none.
fn enter(
    register: &Register<'_>,
    uid: RecordId,
    field: &str,
    value: Option<&str>,
    act: Act<'_>,
) -> Result<(), Failure> {
    match value {
        Some(value) => register.tx.set_entry(uid, field, value, act)?,
        None => register.tx.remove_entry(uid, field)?,
    }
    register.note(&Input {
        action: if value.is_some() { "entry" } else { "entry.removed" },
        subject: Some((Kind::Person.name(), uid)),
        field: Some(field),
        value,
        reason: Some(act.reason),
        ..Input::default()
    })?;
    Ok(())
}

/// What the acceptance of a proposal entered is taken back, as far as it still stands; what it replaced stands again.
pub(super) fn take_back(
    register: &Register<'_>,
    review: &Review,
    act: Act<'_>,
) -> Result<BTreeSet<RecordId>, Failure> {
    let tx = register.tx;
    let found = tx.received_by_key(review.one.0, Kind::Proposal, review.one.1)?;
    let Some(Ok((uid, entries))) = found.map(|found| wished(tx, &found.claim.body)).transpose()? else {
        return Ok(BTreeSet::new());
    };
    let (standing, inputs) = (tx.entries(uid)?, tx.inputs_of(&["entry", "entry.removed"])?);
    for (field, value) in entries {
        let stands = standing.get(field).filter(|entry| entry.value == value);
        let Some(stands) = stands.filter(|entry| Some(&entry.at) == review.closed_at.as_ref()) else {
            continue;
        };
        let mut before = None;
        for input in &inputs {
            let of_field =
                input.text("field") == Some(field) && input.text("subject") == Some(uid.to_string().as_str());
            if !of_field {
                continue;
            }
            let entered = input.text("action") == Some("entry");
            let entered = entered.then(|| input.text("value").unwrap_or_default().to_owned());
            if input.text("at") == Some(stands.at.as_str()) && entered.as_ref() == Some(&value) {
                break;
            }
            before = entered;
        }
        enter(register, uid, field, before.as_deref(), act)?;
    }
    register.republish(uid)?;
    Ok(BTreeSet::from([uid]))
}
