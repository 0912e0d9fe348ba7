//! Proposals that staff accept: the wished values become entries of the hub's own, until that is taken back.

use std::collections::BTreeSet;

use exchange_endpoint::output::Failure;
use exchange_format::record::{Body, Kind, RecordId};

use super::{
    questions::{target, wishes},
    word::{Problem, problem},
};
use crate::{
    database::{Tx, linking::Act, reviews::Review},
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

/// The wished values become the hub's own entries about the person.
pub(super) fn accept(
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
