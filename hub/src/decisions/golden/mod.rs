//! The golden record: which of the values of several claims stands, and where each came from.
//!
//! Order: the hub's own entry; then a value that breaks no rule of form; then one that a document confirms; then the value
//! that most centres state; then a fact of which nothing breaks a rule or cannot be read; then, of facts that bear a day (when a
//! document was issued, since when a state is so), the newest; then that of the lowest centre code. Of a fact that several claims
//! state alike a part that breaks a rule or cannot be read is that of another of them, where it has a right one and says nothing
//! else otherwise; where it does, the claim stands whole of which nothing breaks a rule or cannot be read. What loses stays in its claim and is shown beside. No record says that
//! somebody has compared a value with a document: confirmed is what stands in a claim beside the document that says it
//! (docs/adr/0028).
//!
//! [`rank`] which of several values is the best · [`facts`] of several parts, which stand together · [`unread`] what no value is made of.

mod facts;
mod rank;
#[cfg(test)]
mod tests;
mod unread;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Field, Kind, RecordId, Type},
    snils::Snils,
    typed,
};
use jiff::civil::Date;

use super::normalise::display;
use facts::{Winners, group_of, part};
use rank::ranked;

pub use facts::{begins_a_fact, emptied, lost_parts};
pub use rank::is_documented;
pub use unread::{as_typed, unreadable};

/// A claim that a person or document is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose it is.
    pub origin: ParticipantCode,
    /// Its key.
    pub key: RecordId,
    /// The version that the hub goes by.
    pub version: u32,
    /// What it says.
    pub body: Body,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The hub's own entry.
    Hub,
    /// A claim.
    Claim {
        /// The centre.
        origin: ParticipantCode,
        /// The claim's key.
        key: RecordId,
    },
}

/// A value as it would be published, and its source. Personal data: prints redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The value in its published form.
    pub value: String,
    /// Whose it is.
    pub source: Source,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[redacted] from {:?}", self.source)
    }
}

/// A golden record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Golden {
    /// The body to publish, of kind `person`.
    pub body: Body,
    /// For each stated field the source of its value.
    pub sources: BTreeMap<&'static str, Source>,
    /// For each field the values that lost, each different spelling once.
    pub losers: BTreeMap<&'static str, Vec<Candidate>>,
}

/// The golden record on the day `today` of `claims` (recipient claims) and the hub's own `entries` (field → value).
pub fn person(
    case_number: &str,
    claims: &[Claim],
    entries: &BTreeMap<String, String>,
    today: Date,
) -> Golden {
    let mut golden =
        Golden { body: Body::new(Kind::Person), sources: BTreeMap::new(), losers: BTreeMap::new() };
    set(&mut golden.body, "case_number", case_number);
    let mut winners = Winners::of_all(claims, entries, today);
    for field in claimed() {
        let ranked = ranked(field, claims, today);
        let entry = entries.get(field.name).and_then(|text| published(field, text));
        let winner = match entry {
            Some(value) => Some(Candidate { value, source: Source::Hub }),
            // an empty entry: the hub says that there is no such value
            None if entries.contains_key(field.name) => None,
            None => match group_of(field.name) {
                Some(group) => {
                    let winner = winners.of(group);
                    winner.and_then(|claim| part((group, field), claim, claims, &ranked, today)).cloned()
                }
                None => ranked.first().cloned(),
            },
        };
        if let Some(winner) = &winner {
            set(&mut golden.body, field.name, &winner.value);
            golden.sources.insert(field.name, winner.source);
        }
        let mut seen = BTreeSet::new();
        seen.extend(winner.map(|winner| winner.value));
        let lost: Vec<Candidate> = ranked.into_iter().filter(|one| seen.insert(one.value.clone())).collect();
        if !lost.is_empty() {
            golden.losers.insert(field.name, lost);
        }
    }
    if golden.body.text("surname").is_none() {
        // required: better what was typed than nobody
        if let Some(claim) = claims.iter().min_by_key(|claim| (claim.origin, claim.key)) {
            let typed = claim.body.text("surname").unwrap_or("?");
            set(&mut golden.body, "surname", typed);
            golden.sources.insert("surname", source(claim));
        }
    }
    golden
}

/// The fields of a person that claims state: all but the number that the hub gives.
pub fn claimed() -> impl Iterator<Item = &'static Field> {
    Kind::Person.schema().fields.iter().filter(|field| field.name != "case_number")
}

/// `value` as the hub would publish it in `field` of a person; `None` if it is no good value there.
pub fn published(field: &Field, text: &str) -> Option<String> {
    // as the rules read it: without what nobody sees, and with plain spaces
    let text = &display::text(text)?;
    let value = match (field.name, field.ty) {
        ("surname" | "given" | "patronymic", _) => display::name(text),
        ("phone", _) => Some(phones(text)),
        (name, _) if typed::is_day(field) => {
            let day = typed::of_person_date(name, text).map(|date| date.to_string());
            // a disability may be without end
            let is_word = matches!(field.ty, Type::Text(_)) && !typed::is_no_day(text);
            day.or_else(|| is_word.then(|| text.clone()))
        }
        (_, Type::Snils) => text.parse::<Snils>().ok().map(|snils| snils.digits().to_owned()),
        ("sex", _) => display::sex(text).map(str::to_owned),
        (_, Type::Code(_) | Type::Whole(_)) => typed::value(field, text),
        _ => Some(text.clone()),
    }?;
    field.problem(Some(&value)).is_none().then_some(value)
}

/// Russian numbers in their one form; other text as it is, for an extension or a relative's name says
/// something too.
fn phones(text: &str) -> String {
    let parts: Option<Vec<String>> = text.split([',', ';']).map(display::phone).collect();
    parts.map_or_else(|| text.to_owned(), |parts| parts.join(", "))
}

fn set(body: &mut Body, field: &str, value: &str) {
    body.set(field, value).expect("a value of a body that was read has no illegal character");
}

fn candidate(claim: &Claim, value: String) -> Candidate {
    Candidate { value, source: source(claim) }
}

fn source(claim: &Claim) -> Source {
    Source::Claim { origin: claim.origin, key: claim.key }
}
