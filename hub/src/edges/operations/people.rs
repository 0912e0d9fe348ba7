//! What staff see and say of one person: values with their provenance, the hub's own entries, and which centre
//! serves whom. What is said is published in the same transaction.

use std::collections::BTreeMap;

use exchange_endpoint::{
    config::Config,
    journal_table::Event,
    messages::{self, Lang},
    output::{Exit, Failure},
};
use exchange_format::{
    participant::ParticipantCode,
    record::{Field, FieldProblem, Form, Kind, RecordId, Type},
    rules,
};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{
    decided::{Decided, Decision},
    documents::{DocumentView, document_view, unpublished_view},
    enrol::unknown,
    table_file::heading_of,
};
use crate::{
    database::{
        Tx,
        linking::Act,
        people::{Entry, PersonRow},
        publications::Told,
    },
    decisions::{
        golden::{self, Candidate, Claim, Source},
        normalise::is_no_snils,
    },
    edges::{
        config::HubConfig,
        hub::{Hub, open},
        register::{Input, Register},
    },
};

/// A person as staff see it. Personal data.
#[derive(Serialize)]
pub struct PersonView {
    /// The person's id.
    pub uid: String,
    /// The case number.
    pub case_number: String,
    /// The person that was asked for, if it turned out to be this one.
    pub asked: Option<String>,
    /// The claims that are this person.
    pub claims: Vec<ClaimView>,
    /// Stated fields, in the order of the schema.
    pub fields: Vec<FieldView>,
    /// Programmes and supplements.
    pub documents: Vec<DocumentView>,
    /// Centres that are confirmed to serve the person.
    pub served_by: Vec<String>,
    /// Those of them who are not told of the person yet.
    pub withheld: Vec<Withheld>,
    /// Who is told of the person.
    #[serde(flatten)]
    pub told: ToldView,
}

/// Which centres are told of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ToldView {
    /// To these it is published.
    pub published_to: Vec<String>,
    /// From these it was withdrawn: what they keep of it is as of then.
    pub withdrawn_from: Vec<String>,
}

impl ToldView {
    pub(super) fn of(told: &[Told], key: RecordId) -> Self {
        let centres = |live: bool| {
            let of = told.iter().filter(|one| one.key == key && (one.form == Form::Live) == live);
            of.map(|one| one.centre.to_string()).collect()
        };
        Self { published_to: centres(true), withdrawn_from: centres(false) }
    }
}

/// A claim in the cross-reference.
#[derive(Serialize)]
pub struct ClaimView {
    /// Whose it is.
    pub centre: String,
    /// Its key.
    pub key: String,
    /// The rule by which it is this person.
    pub rule: String,
}

/// A field, its value, and where it comes from.
#[derive(Serialize)]
pub struct FieldView {
    /// The field.
    pub field: &'static str,
    /// What stands; `None`: nothing, as the hub's own entry has it or because no value is good.
    pub value: Option<String>,
    /// `hub` or `centre`; `None` without a value.
    pub source: Option<&'static str>,
    /// The centre and its claim.
    pub centre: Option<String>,
    /// The claim.
    pub key: Option<String>,
    /// Whether a document that the claim names confirms it (docs/adr/0028).
    pub documented: bool,
    /// The hub's own entry.
    pub entry: Option<EntryView>,
    /// Values that lost.
    pub losing: Vec<LosingView>,
}

/// The hub's own entry.
#[derive(Serialize)]
pub struct EntryView {
    /// Why.
    pub reason: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub at: String,
}

/// A value that lost.
#[derive(Serialize)]
pub struct LosingView {
    /// The value.
    pub value: String,
    /// Whose it is.
    pub centre: Option<String>,
    /// Its claim.
    pub key: Option<String>,
    /// Whether a document that the claim names confirms it.
    pub documented: bool,
    /// The hub's own entry that it was, of one of two persons who were joined.
    pub entry: Option<EntryView>,
}

impl EntryView {
    fn of(entry: &Entry) -> Self {
        Self { reason: entry.reason.clone(), actor: entry.actor.clone(), at: entry.at.clone() }
    }
}

impl LosingView {
    fn of_entry(entry: &Entry) -> Self {
        let (value, entry) = (entry.value.clone(), Some(EntryView::of(entry)));
        Self { value, centre: None, key: None, documented: false, entry }
    }
}

/// What an entry or a confirmation has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The person.
    pub uid: String,
    /// The case number.
    pub case_number: String,
    /// Whether anything is other than before.
    pub changed: bool,
    /// The centres that serve the person and are told.
    pub centres: Vec<String>,
    /// The centres that serve it and are not told yet.
    pub withheld: Vec<Withheld>,
    /// The parts of the fact whose first part was entered that are left without a value: those that stood are of another.
    pub emptied: Vec<&'static str>,
    /// The number of the protocol, if anything is other than before.
    pub protocol: Option<u32>,
}

/// A centre that is not told of a person whom it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// The centre.
    pub centre: String,
    /// The open questions whether its claim is another person; none: what it would be told has faults.
    pub reviews: Vec<i64>,
}

/// The person `who` (uid or case number) with provenance.
pub fn show(config: &Config<HubConfig>, who: &str, now: Timestamp) -> Result<PersonView, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| {
        let register = context.register(tx, context.code.as_str(), now);
        let (person, asked) = find(tx, who)?;
        let file = register.file(person.uid)?.ok_or_else(no_person)?;
        let all_entries = tx.all_entries(person.uid)?;
        let entries: BTreeMap<&str, &Entry> =
            all_entries.iter().map(|(field, entry)| (&**field, entry)).collect();
        let whole = golden::person(&file.case_number, &file.claims, &file.entries, file.today);
        let mut fields = Vec::new();
        for (field, value) in whole.body.head().iter() {
            let losers = whole.losers.get(field.name).map_or(&[][..], Vec::as_slice);
            let entry = entries.get(field.name).copied();
            let of_field = all_entries.iter().filter(|(name, _)| name == field.name).map(|(_, lost)| lost);
            let lost = of_field.filter(|lost| entry.is_some_and(|entry| entry.value != lost.value));
            if value.is_some() || entry.is_some() || !losers.is_empty() {
                let source = whole.sources.get(field.name).copied();
                let mut view = field_view(field, value, source, entry, losers, &file.claims);
                view.losing.splice(0..0, lost.map(LosingView::of_entry));
                fields.push(view);
            }
        }
        let claims = tx.rules_of(person.uid)?.into_iter();
        let told = tx.told_of(person.uid)?;
        let (mut documents, faults) = (Vec::new(), tx.faults_of(person.uid)?);
        for document in &file.documents {
            let asked = !tx.open_reviews_of("programme", document.uid)?.is_empty();
            let fault = faults.iter().find(|fault| fault.key == document.uid);
            documents.push(document_view(document, asked, fault.map(|fault| fault.rule.clone()), &told));
        }
        for (claim, finding) in register.unpublished(&file)? {
            documents.push(unpublished_view(&claim, finding.word()));
        }
        let (_, withheld) = reached(&register, person.uid)?;
        Ok(PersonView {
            uid: person.uid.to_string(),
            case_number: person.case_number,
            asked: asked.map(|uid| uid.to_string()),
            fields,
            documents,
            told: ToldView::of(&told, person.uid),
            served_by: serving(tx, person.uid)?,
            withheld,
            claims: claims
                .map(|(centre, key, rule)| ClaimView {
                    centre: centre.to_string(),
                    key: key.to_string(),
                    rule,
                })
                .collect(),
        })
    })
}

fn field_view(
    field: &Field,
    value: Option<&str>,
    source: Option<Source>,
    entry: Option<&Entry>,
    losers: &[Candidate],
    claims: &[Claim],
) -> FieldView {
    let documented = |source| match source {
        Source::Claim { origin, key } => claims.iter().any(|claim| {
            (claim.origin, claim.key) == (origin, key) && golden::is_documented(field.name, &claim.body)
        }),
        Source::Hub => false,
    };
    let (centre, key) = match source {
        Some(Source::Claim { origin, key }) => (Some(origin.to_string()), Some(key.to_string())),
        Some(Source::Hub) | None => (None, None),
    };
    FieldView {
        field: field.name,
        value: value.map(str::to_owned),
        source: value.map(|_| if centre.is_some() { "centre" } else { "hub" }),
        centre,
        key,
        documented: source.is_some_and(documented),
        entry: entry.map(EntryView::of),
        losing: losers
            .iter()
            .map(|loser| {
                let (centre, key) = match loser.source {
                    Source::Claim { origin, key } => (Some(origin.to_string()), Some(key.to_string())),
                    Source::Hub => (None, None),
                };
                LosingView {
                    value: loser.value.clone(),
                    centre,
                    key,
                    documented: documented(loser.source),
                    entry: None,
                }
            })
            .collect(),
    }
}

/// Enters the hub's own `value` of a field of the person `who`; an empty one takes the entry back.
pub fn set(
    config: &Config<HubConfig>,
    who: &str,
    field: &str,
    value: &str,
    act: (&str, &str),
    now: Timestamp,
) -> Result<Said, Failure> {
    let (actor, reason) = act;
    let field = field_of(field)?;
    let value = good_value(field, value, crate::edges::register::day(now)).map_err(|unfit| {
        Failure::new(Exit::Refused, "value-unfit").with("field", field.name).because("problem", unfit.why)
    })?;
    open(config)?.carry_out(|context, tx| {
        let (person, _) = find(tx, who)?;
        let (mut protocol, mut emptied) = (None, Vec::new());
        let register = context.register(tx, actor, now);
        let mut decided = Decided::by(context, &register);
        let stands = || register.stands(person.uid)?.ok_or_else(no_person);
        let before = stands()?;
        let changed = enter(&register, &mut decided, person.uid, (field, value.as_deref()), reason)?;
        if changed {
            register.republish(person.uid)?;
            emptied = golden::lost_parts(field.name, &before, &stands()?);
            protocol = decided.keep(tx)?;
        }
        Ok(Said { emptied, protocol, ..said(&register, person, changed)? })
    })
}

/// Enters the hub's own value of a field, or takes it back; false if it stands so already. Publish the person then.
pub(super) fn enter(
    register: &Register<'_>,
    decided: &mut Decided,
    uid: RecordId,
    (field, value): (&Field, Option<&str>),
    reason: &str,
) -> Result<bool, Failure> {
    let (tx, actor, at) = (register.tx, register.actor, register.now.to_string());
    let stood = tx.entries(uid)?.remove(field.name).map(|entry| entry.value);
    if stood.as_deref() == value {
        return Ok(false);
    }
    match value {
        Some(value) => tx.set_entry(uid, field.name, value, Act { actor, reason, at: &at })?,
        None => tx.remove_entry(uid, field.name)?,
    }
    register.note(&Input {
        action: if value.is_some() { "entry" } else { "entry.removed" },
        subject: Some((Kind::Person.name(), uid)),
        field: Some(field.name),
        value,
        reason: Some(reason),
        ..Input::default()
    })?;
    journal(register, "person.entry", uid, field.name)?;
    let (outcome, id) = match value {
        Some(_) => ("entered", "decision-entered"),
        None => ("taken_back", "decision-taken-back"),
    };
    let label = heading_of(decided.lang(), field.name);
    let sentence = messages::text(decided.lang(), id, &[("field", label.into())]);
    let key = uid.to_string();
    decided.tell(Decision { kind: "person", key, outcome, rule: field.name, sentence, reason });
    Ok(true)
}

/// Confirms that `centre` serves the person `who`: from now on it is told everything that is published of it.
pub fn confirm(
    config: &Config<HubConfig>,
    centre: ParticipantCode,
    who: &str,
    act: (&str, &str),
    now: Timestamp,
) -> Result<Said, Failure> {
    let (actor, reason) = act;
    open(config)?.carry_out(|context, tx| {
        if tx.centre(centre)?.is_none() {
            return Err(unknown(centre));
        }
        let (person, _) = find(tx, who)?;
        if !tx.rules_of(person.uid)?.iter().any(|(origin, ..)| *origin == centre) {
            return Err(Failure::new(Exit::Refused, "centre-no-claim").told("code", centre));
        }
        let register = context.register(tx, actor, now);
        let (changed, mut protocol) = (register.confirm(centre, person.uid, reason)?, None);
        if changed {
            journal(&register, "service.confirmed", person.uid, centre.as_str())?;
            register.republish(person.uid)?;
            let mut decided = Decided::by(context, &register);
            let named = [("centre", centre.as_str().into())];
            decided.tell(Decision {
                kind: "person",
                key: format!("{centre} {}", person.uid),
                outcome: "confirmed",
                rule: "service",
                sentence: messages::text(decided.lang(), "decision-confirmed", &named),
                reason,
            });
            protocol = decided.keep(tx)?;
        }
        Ok(Said { protocol, ..said(&register, person, changed)? })
    })
}

fn journal(register: &Register<'_>, event: &str, uid: RecordId, rule: &str) -> Result<(), Failure> {
    register.tx.journal(&Event {
        at: register.now,
        actor: register.actor,
        event,
        subject: &uid.to_string(),
        rule,
        digests: &[],
    })?;
    Ok(())
}

fn said(register: &Register<'_>, person: PersonRow, changed: bool) -> Result<Said, Failure> {
    let (centres, withheld) = reached(register, person.uid)?;
    let (uid, case_number) = (person.uid.to_string(), person.case_number);
    Ok(Said { uid, case_number, changed, centres, withheld, emptied: Vec::new(), protocol: None })
}

/// The centres that serve `uid` and are told of it, and those that are not yet.
fn reached(register: &Register<'_>, uid: RecordId) -> Result<(Vec<String>, Vec<Withheld>), Failure> {
    let told = ToldView::of(&register.tx.told_of(uid)?, uid).published_to;
    let (centres, unreached): (Vec<_>, Vec<_>) =
        serving(register.tx, uid)?.into_iter().partition(|centre| told.contains(centre));
    let mut withheld = Vec::new();
    if !unreached.is_empty() {
        let reviews: Vec<i64> = register.questions_of(uid)?.into_iter().collect();
        withheld.extend(unreached.into_iter().map(|centre| Withheld { centre, reviews: reviews.clone() }));
    }
    Ok((centres, withheld))
}

/// The centres with a claim of `uid` that staff confirmed.
pub(super) fn serving(tx: &Tx<'_>, uid: RecordId) -> Result<Vec<String>, Failure> {
    let mut centres: Vec<ParticipantCode> =
        tx.rules_of(uid)?.into_iter().map(|(origin, ..)| origin).collect();
    centres.dedup();
    let mut serving = Vec::new();
    for centre in centres {
        if tx.serves(centre, uid)? {
            serving.push(centre.to_string());
        }
    }
    Ok(serving)
}

/// The person with this uid or case number, and the uid asked for if it turned out to be another person.
pub(super) fn find(tx: &Tx<'_>, who: &str) -> Result<(PersonRow, Option<RecordId>), Failure> {
    let who = who.trim();
    let found = match who.to_lowercase().parse::<RecordId>() {
        Ok(uid) => tx.person(uid)?,
        Err(_) => tx.person_by_case(who)?,
    };
    let person = found.ok_or_else(no_person)?;
    match person.merged_into {
        None => Ok((person, None)),
        Some(into) => Ok((tx.person(into)?.ok_or_else(no_person)?, Some(person.uid))),
    }
}

/// What was asked for is not repeated: it may be a name.
fn no_person() -> Failure {
    Failure::new(Exit::Refused, "person-unknown")
}

/// The field of that name, or of the name that staff see.
fn field_of(name: &str) -> Result<&'static Field, Failure> {
    let fields = golden::claimed;
    let is_it = |field: &&Field| {
        let label = || messages::find(Lang::Ru, &format!("column-{}", field.name), &[]);
        field.name == name || label().is_some_and(|label| label.to_lowercase() == name.to_lowercase())
    };
    fields().find(is_it).ok_or_else(|| {
        let known: Vec<&str> = fields().map(|field| field.name).collect();
        Failure::new(Exit::Usage, "field-unknown").with("known", known.join(", "))
    })
}

/// Why a value is not taken.
pub(super) struct Unfit {
    /// The code of the rule, or `type`.
    pub rule: &'static str,
    /// What is wrong.
    pub why: messages::Told,
}

/// The value as it would be published; `None` if it is empty. What breaks a rule of form is not taken from staff: they
/// can correct it now.
pub(super) fn good_value(field: &'static Field, text: &str, today: Date) -> Result<Option<String>, Unfit> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let broken = |value: &str| {
        let rule = rules::form_fault(Kind::Person, field.name, value, today);
        rule.map_or(Ok(()), |rule| Err(Unfit { rule: rule.code, why: rule.into() }))
    };
    let typed = text.trim();
    broken(typed)?;
    let value = golden::published(field, text).filter(|value| !value.chars().any(char::is_control));
    let Some(value) = value else {
        let expected = FieldProblem::NotOfType { expected: field.ty.words() };
        return Err(Unfit { rule: "type", why: (&field.problem(Some(typed)).unwrap_or(expected)).into() });
    };
    broken(&value)?;
    if matches!(field.ty, Type::Snils) && is_no_snils(&value) {
        return Err(Unfit { rule: "A04", why: messages::Told::of("value-for-want", &[]) });
    }
    Ok(Some(value))
}
