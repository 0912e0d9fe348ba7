//! One person: what is known, what stands, the hub's own entries, who serves it.

use std::collections::BTreeMap;

use exchange_endpoint::{
    journal_table::Event,
    output::{Exit, Failure},
};
use exchange_format::{
    participant::ParticipantCode,
    record::{Kind, RecordId},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{OperationError, operator};
use crate::{
    database::{Tx, linking::Act},
    decisions::golden::{self, Source},
    edges::{
        hub::{Context, Hub},
        register::Input,
    },
};

/// A value and where it comes from.
#[derive(Debug, Clone, Serialize)]
pub struct ValueTold {
    /// The field.
    pub field: String,
    /// The value that stands; `None` if only others are known.
    pub value: Option<String>,
    /// Whose it is: the hub's code for its own entries.
    pub origin: Option<String>,
    /// The claim's key.
    pub key: Option<String>,
    /// Values that lost, with their centres.
    pub others: Vec<(String, String)>,
}

/// A person, told to the hub's staff.
#[derive(Debug, Clone, Serialize)]
pub struct PersonTold {
    /// Its id.
    pub uid: String,
    /// Its case number.
    pub case_number: String,
    /// The person that it turned out to be.
    pub merged_into: Option<String>,
    /// Values.
    pub fields: Vec<ValueTold>,
    /// Claims: centre, key, rule.
    pub claims: Vec<(String, String, String)>,
    /// Centres of which staff confirmed that they serve the person.
    pub served_by: Vec<String>,
    /// Programmes and supplements: kind, id, number, date.
    pub documents: Vec<(String, String, String, String)>,
}

/// The person with this uid or case number.
fn find(tx: &Tx<'_>, name: &str) -> Result<RecordId, OperationError> {
    let found = match name.parse::<RecordId>() {
        Ok(uid) => tx.person(uid)?,
        Err(_) => tx.person_by_case(name)?,
    };
    let person =
        found.ok_or_else(|| Failure::new(Exit::Refused, "person-unknown").with("name", name.to_owned()))?;
    Ok(person.uid)
}

/// Shows a person.
pub fn show(hub: &mut Hub, name: &str, now: Timestamp) -> Result<PersonTold, OperationError> {
    let Hub { store, context, .. } = hub;
    store.read(|tx| {
        let uid = find(tx, name)?;
        let row = tx.person(uid)?.ok_or_else(|| Failure::bug(&"a person just found is gone"))?;
        let register = context.register(tx, context.code.as_str(), now);
        let mut told = PersonTold {
            uid: uid.to_string(),
            case_number: row.case_number,
            merged_into: row.merged_into.map(|uid| uid.to_string()),
            fields: Vec::new(),
            claims: Vec::new(),
            served_by: Vec::new(),
            documents: Vec::new(),
        };
        let Some(file) = register.file(uid)? else { return Ok(told) };
        let golden = golden::person(&file.case_number, &file.claims, &file.entries);
        told.fields = values(context, &golden);
        for (origin, key, rule) in tx.rules_of(uid)? {
            told.claims.push((origin.to_string(), key.to_string(), rule));
        }
        for centre in tx.centres()? {
            if tx.serves(centre.code, uid)? {
                told.served_by.push(centre.code.to_string());
            }
        }
        for document in &file.documents {
            let first = document.claims.first().map(|claim| &claim.body);
            let text = |field: &str| first.and_then(|body| body.text(field)).unwrap_or_default().to_owned();
            let (number, date) = (text("number"), text("date"));
            told.documents.push((document.kind.name().to_owned(), document.uid.to_string(), number, date));
        }
        Ok(told)
    })
}

fn values(context: &Context, golden: &golden::Golden) -> Vec<ValueTold> {
    let mut told = Vec::new();
    for field in Kind::Person.schema().fields {
        let source = golden.sources.get(field.name);
        let losers = golden.losers.get(field.name).map(Vec::as_slice).unwrap_or_default();
        if source.is_none() && losers.is_empty() {
            continue;
        }
        let origin_of = |source: &Source| match source {
            Source::Hub => context.code.to_string(),
            Source::Claim { origin, .. } => origin.to_string(),
        };
        told.push(ValueTold {
            field: field.name.to_owned(),
            value: golden.body.text(field.name).map(str::to_owned),
            origin: source.map(origin_of),
            key: source.and_then(|source| match source {
                Source::Hub => None,
                Source::Claim { key, .. } => Some(key.to_string()),
            }),
            others: losers.iter().map(|lost| (lost.value.clone(), origin_of(&lost.source))).collect(),
        });
    }
    told
}

/// What an entry or confirmation has done.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    /// The person.
    pub uid: String,
    /// Whether anything is new.
    pub changed: bool,
    /// The value as it stands now.
    pub value: Option<String>,
}

/// Enters the hub's own value of a field: it stands over all claims and is published again. An empty value
/// says that there is none.
pub fn set(
    hub: &mut Hub,
    name: &str,
    field: &str,
    value: &str,
    reason: &str,
    now: Timestamp,
) -> Result<Changed, OperationError> {
    let known = Kind::Person.schema().fields.iter().find(|one| one.name == field && field != "case_number");
    let Some(known) = known else {
        return Err(Failure::new(Exit::Refused, "field-unknown").with("field", field.to_owned()).into());
    };
    let value = match value.trim() {
        "" if known.required => None,
        "" => Some(String::new()),
        text => golden::published(known, text),
    };
    let Some(value) = value else {
        let expected = known.ty.words();
        return Err(Failure::new(Exit::Refused, "value-unfit")
            .with("field", field.to_owned())
            .with("expected", expected)
            .into());
    };
    let Hub { store, context, .. } = hub;
    let actor = operator();
    store.write(|tx| {
        let uid = find(tx, name)?;
        let at = now.to_string();
        let before = tx.entries(uid)?.remove(field).map(|entry| entry.value);
        tx.set_entry(uid, field, &value, Act { actor: &actor, reason, at: &at })?;
        let register = context.register(tx, &actor, now);
        register.note(&Input {
            action: "entry",
            subject: Some((Kind::Person.name(), uid)),
            field: Some(field),
            value: Some(&value),
            reason: Some(reason),
            ..Input::default()
        })?;
        register.republish(uid)?;
        let subject = uid.to_string();
        tx.journal(&Event {
            at: now,
            actor: &actor,
            event: "person.set",
            subject: &subject,
            rule: field,
            digests: &[],
        })?;
        let changed = before.as_deref() != Some(&value);
        Ok(Changed { uid: subject, changed, value: Some(value).filter(|value| !value.is_empty()) })
    })
}

/// Confirms that a centre serves a person: from now on it gets the whole person.
pub fn confirm_service(
    hub: &mut Hub,
    centre: ParticipantCode,
    name: &str,
    reason: &str,
    now: Timestamp,
) -> Result<Changed, OperationError> {
    let Hub { store, context, .. } = hub;
    let actor = operator();
    store.write(|tx| {
        if tx.centre(centre)?.is_none() {
            return Err(Failure::new(Exit::Refused, "centre-unknown").told("code", centre).into());
        }
        let uid = find(tx, name)?;
        let register = context.register(tx, &actor, now);
        let changed = register.confirm(centre, uid, reason)?;
        register.republish(uid)?;
        let subject = uid.to_string();
        let rule = centre.as_str();
        tx.journal(&Event {
            at: now,
            actor: &actor,
            event: "service.confirm",
            subject: &subject,
            rule,
            digests: &[],
        })?;
        Ok(Changed { uid: subject, changed, value: None })
    })
}

/// The entries of a proposal record: field → wished value.
pub(super) fn wishes(body: &exchange_format::record::Body) -> BTreeMap<String, String> {
    let lines = body.lines().iter();
    lines
        .filter_map(|line| {
            Some((line.text("field")?.to_owned(), line.text("value").unwrap_or_default().to_owned()))
        })
        .collect()
}
