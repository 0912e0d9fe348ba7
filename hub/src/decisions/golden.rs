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
//! Longer than 500 lines because each rule is tested where it stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Field, Kind, RecordId, Type},
    rules,
    snils::Snils,
    typed,
};
use jiff::civil::Date;

use super::{
    given_names,
    normalise::{address_key, display, document_key, name_key},
};

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

/// Fields that are one fact and come from one claim; the first ones identify it.
const GROUPS: [&[&str]; 10] = [
    &[
        "identity_doc_number",
        "identity_doc_series",
        "identity_doc_code",
        "identity_doc_issued",
        "identity_doc_issuer",
        "identity_doc_department",
    ],
    &[
        "address_reg",
        "address_reg_postcode",
        "address_reg_region",
        "address_reg_district",
        "address_reg_settlement",
        "address_reg_place",
        "address_reg_planning",
        "address_reg_street",
        "address_reg_house",
        "address_reg_building",
        "address_reg_room",
        "address_reg_gar",
        "address_reg_kladr",
        "address_reg_oktmo",
    ],
    &[
        "address_live",
        "address_live_postcode",
        "address_live_region",
        "address_live_district",
        "address_live_settlement",
        "address_live_place",
        "address_live_planning",
        "address_live_street",
        "address_live_house",
        "address_live_building",
        "address_live_room",
        "address_live_gar",
        "address_live_kladr",
        "address_live_oktmo",
    ],
    &["citizenship", "citizenship_country"],
    &["disability_group", "disability_from", "disability_until", "disability_reason", "disability_document"],
    &["income_amount", "income_as_of", "income_threshold"],
    &["representative", "representative_kind", "representative_document", "representative_phone"],
    &["representative_2", "representative_2_kind", "representative_2_document", "representative_2_phone"],
    &["representative_3", "representative_3_kind", "representative_3_document", "representative_3_phone"],
    &["status", "status_date"],
];

/// Of the groups that bear a day its field.
const DAYS: [&str; 4] = ["identity_doc_issued", "disability_from", "income_as_of", "status_date"];

/// Of facts that have a document of their own the field that names it.
const DOCUMENTS: [(&str, &str); 4] = [
    ("disability_group", "disability_document"),
    ("representative", "representative_document"),
    ("representative_2", "representative_2_document"),
    ("representative_3", "representative_3_document"),
];
/// What the identity document says of a person.
const IDENTITY: [&str; 6] = ["surname", "given", "patronymic", "birth_date", "birth_place", "sex"];

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

fn group_of(field: &str) -> Option<&'static [&'static str]> {
    GROUPS.into_iter().find(|group| group.contains(&field))
}

/// Whether `value` breaks no rule of form in `field`. Of a name the merge's readers judge: rules know Russian letters only.
fn fits(field: &str, value: &str, today: Date) -> bool {
    matches!(field, "surname" | "given" | "patronymic")
        || rules::form_fault(Kind::Person, field, value, today).is_none()
}

/// What makes two values of a field the same statement, and whether its check digit or form holds, where it has one.
fn comparison_key(field: &str, value: &str, today: Date) -> (String, bool) {
    let (key, holds) = match field {
        "surname" | "given" | "patronymic" => {
            // an initial is less of the same name, and never stands before it
            let is_whole = value.chars().filter(|c| c.is_alphabetic()).count() > 1;
            (name_key(value), is_whole && !value.chars().any(|c| c.is_ascii_alphabetic()))
        }
        "address_reg" | "address_live" => {
            let key = address_key(value);
            let holds = key.is_some();
            (key, holds)
        }
        _ => (None, fits(field, value, today)),
    };
    (key.unwrap_or_else(|| value.to_lowercase()), holds)
}

/// Good values of `field`, best first.
fn ranked(field: &'static Field, claims: &[Claim], today: Date) -> Vec<Candidate> {
    if let [claim] = claims {
        let value = claim.body.text(field.name).and_then(|text| published(field, text));
        return value.map(|value| candidate(claim, value)).into_iter().collect();
    }
    let stated = claims.iter().filter_map(|claim| Some((claim, claim.body.text(field.name)?)));
    let mut good: Vec<(&Claim, String)> =
        stated.filter_map(|(claim, text)| Some((claim, published(field, text)?))).collect();
    if good.iter().all(|(_, value)| *value == good[0].1) {
        // one statement: nothing is to be compared
        good.sort_by_key(|(claim, _)| (!is_documented(field.name, &claim.body), claim.origin, claim.key));
        return good.into_iter().map(|(claim, value)| candidate(claim, value)).collect();
    }
    let mut keyed: Vec<(String, bool)> =
        good.iter().map(|(_, value)| comparison_key(field.name, value, today)).collect();
    if field.name == "given" {
        // nor does what somebody is called every day stand before the name
        let names: Vec<String> = keyed.iter().map(|(key, _)| key.clone()).collect();
        for (key, holds) in &mut keyed {
            *holds = *holds && !names.iter().any(|name| given_names::is_everyday(key, name));
        }
    }
    let said = keyed.iter().zip(&good);
    let order =
        rank(field.name, said.map(|((key, holds), (claim, _))| (key.as_str(), *claim, *holds)), today);
    order.into_iter().map(|at| candidate(good[at].0, good[at].1.clone())).collect()
}

/// What is published in `field` of a `group` that stands as `claim` says it: its own value, or, if that breaks a rule of form or
/// cannot be read, the best one of the `ranked` that is right and is of another claim of the same fact.
fn part<'r>(
    (group, field): (&[&str], &Field),
    claim: &Claim,
    claims: &[Claim],
    ranked: &'r [Candidate],
    today: Date,
) -> Option<&'r Candidate> {
    let own = ranked.iter().find(|one| one.source == source(claim));
    claim.body.text(field.name).and_then(display::text)?;
    let differ = ranked.iter().any(|one| own.is_none_or(|own| one.value != own.value));
    if !differ || own.is_some_and(|own| fits(field.name, &own.value, today)) {
        return own;
    }
    let fact = |claim: &Claim| statement(group, &claim.body, today).map(|(key, _)| key);
    let said = |claim: &Claim| Some((fact(claim)?, day_of(group, &claim.body, today)));
    let (of, on) = said(claim)?;
    let is_of_it = |other: &Claim| {
        let days = said(other).filter(|(fact, _)| *fact == of).map(|(_, day)| (day, on));
        days.is_some_and(|days| !matches!(days, (Some(one), Some(other)) if one != other))
            && !contradict(group, [&claim.body, &other.body], today)
    };
    let right = ranked.iter().find(|one| {
        let by = claims.iter().find(|claim| source(claim) == one.source);
        fits(field.name, &one.value, today) && by.is_some_and(is_of_it)
    });
    right.or(own)
}

/// The day that `body` states of `group`, if that can be: of what is said to be ahead nobody knows since when it is.
fn day_of(group: &[&str], body: &Body, today: Date) -> Option<Date> {
    let day = DAYS.into_iter().find(|day| group.contains(day))?;
    let date = typed::of_person_date(day, body.text(day)?)?;
    fits(day, &date.to_string(), today).then_some(date)
}

/// Whether two that state a fact alike state a part of it differently, each rightly: then it is not one fact.
fn contradict(group: &[&str], bodies: [&Body; 2], today: Date) -> bool {
    let mut parts = claimed().filter(|field| group[1..].contains(&field.name));
    parts.any(|field| {
        let [one, other] = bodies.map(|body| {
            let value = published(field, &body.text(field.name).and_then(display::text)?)?;
            fits(field.name, &value, today).then(|| comparison_key(field.name, &value, today).0)
        });
        one.zip(other).is_some_and(|(one, other)| one != other)
    })
}

/// Whether nothing that `body` states of `group` breaks a rule of form or cannot be read.
fn is_sound(group: &[&str], body: &Body, today: Date) -> bool {
    let fields = claimed().filter(|field| group.contains(&field.name));
    let stated = fields.filter_map(|field| Some((field, body.text(field.name).and_then(display::text)?)));
    let mut stated = stated.filter(|(field, text)| !stands_for_none(field, text));
    stated.all(|(field, text)| published(field, &text).is_some_and(|value| fits(field.name, &value, today)))
}

/// The fields of `claim`, one of the `claims` that `golden` is made of, that its row goes on showing as its centre
/// typed them: neither `golden` nor the hub's `entries` say anything there, and no other claim's statement stands in
/// place of what the field is part of (docs/adr/0011).
pub fn as_typed(
    golden: &Body,
    claims: &[Claim],
    claim: &Claim,
    entries: &BTreeMap<String, String>,
    today: Date,
) -> Vec<&'static str> {
    let is_said = |field: &str| golden.text(field).is_some() || entries.contains_key(field);
    let mut winners = Winners::of_all(claims, entries, today);
    let mut stands = |field: &str| {
        let Some(group) = group_of(field) else { return true };
        let key = |claim: &Claim| statement(group, &claim.body, today).map(|(key, _)| key);
        // of one document the number says that it is one
        let differs = |winner: &Claim| {
            group[0] != "identity_doc_number" && contradict(group, [&winner.body, &claim.body], today)
        };
        let is_of =
            |winner: &Claim| std::ptr::eq(winner, claim) || key(winner) == key(claim) && !differs(winner);
        winners.of(group).map_or(!entries.contains_key(group[0]), is_of)
    };
    let stated = stated(&claim.body).map(|(field, _)| field.name);
    stated.filter(|field| !is_said(field) && stands(field)).collect()
}

/// The fields of a `claim` of a recipient in which something stands that is no value there and nobody can read. What
/// says that there is none, as «нет данных» or 01.01.1900, is none.
pub fn unreadable(claim: &Body) -> impl Iterator<Item = &'static str> {
    let is_unread = |field: &Field, text: &str| {
        let text = display::text(text);
        text.is_some_and(|text| !stands_for_none(field, &text) && published(field, &text).is_none())
    };
    stated(claim).filter(move |(field, text)| is_unread(field, text)).map(|(field, _)| field.name)
}

/// The fields of a person that a claim states: both kinds have the same, in one order.
fn stated(claim: &Body) -> impl Iterator<Item = (&'static Field, &str)> {
    let both = claimed().zip(claim.head().iter());
    both.filter_map(|(field, (of_claim, text))| {
        debug_assert_eq!(field.name, of_claim.name);
        Some((field, text?))
    })
}

/// Whether `text` is what programs and people put where there is no such date or number.
fn stands_for_none(field: &Field, text: &str) -> bool {
    match field.ty {
        _ if typed::is_day(field) => typed::is_no_day(text),
        Type::Snils => !text.bytes().any(|byte| matches!(byte, b'1'..=b'9')),
        _ => false,
    }
}

/// What `body` states of `group` as a whole, to be compared, and whether its form holds.
fn statement(group: &[&str], body: &Body, today: Date) -> Option<(String, bool)> {
    let text = |field: &str| body.text(field).and_then(display::text);
    let first = text(group[0])?;
    let field = claimed().find(|field| field.name == group[0]);
    let value = field.and_then(|field| published(field, &first));
    Some(match group[0] {
        "identity_doc_number" => {
            let key = document_key(&text(group[1]).unwrap_or_default(), &first);
            (key.unwrap_or_else(|| first.to_lowercase()), document_holds(body))
        }
        field => {
            let (key, holds) = comparison_key(field, value.as_deref().unwrap_or(&first), today);
            (key, value.is_some() && holds)
        }
    })
}

/// The claims whose groups stand on a day, by the first fields of these: each found once.
struct Winners<'a> {
    today: Date,
    claims: Vec<&'a Claim>,
    entries: &'a BTreeMap<String, String>,
    found: BTreeMap<&'static str, Option<&'a Claim>>,
}

impl<'a> Winners<'a> {
    fn of_all(claims: &'a [Claim], entries: &'a BTreeMap<String, String>, today: Date) -> Self {
        Self { today, claims: claims.iter().collect(), entries, found: BTreeMap::new() }
    }

    fn of(&mut self, group: &[&'static str]) -> Option<&'a Claim> {
        let Self { today, claims, entries, found } = self;
        *found.entry(group[0]).or_insert_with(|| {
            if !entries.contains_key(group[0]) {
                return group_winner(group, claims, *today);
            }
            // of a fact that the hub has entered the parts are never those of another
            let alike = |claim: &&&Claim| is_as_entered(group, &claim.body, entries, *today);
            let claims: Vec<&Claim> = claims.iter().filter(alike).copied().collect();
            group_winner(group, &claims, *today)
        })
    }
}

/// Whether `claim` states the fact `group` that the hub has entered: of a document its number and series, of another the first part.
fn is_as_entered(group: &[&str], claim: &Body, entries: &BTreeMap<String, String>, today: Date) -> bool {
    let mut entered = claim.clone();
    let keys = if group[0] == "identity_doc_number" { &group[..2] } else { &group[..1] };
    for field in claimed().filter(|field| keys.contains(&field.name)) {
        if let Some(text) = entries.get(field.name) {
            set(&mut entered, field.name, text);
        }
    }
    let fact = |body: &Body| statement(group, body, today).map(|(key, _)| key);
    fact(&entered).is_some_and(|entered| fact(claim) == Some(entered))
}

/// Whether `field` is the first part of a fact of several, by which it is known.
pub fn begins_a_fact(field: &str) -> bool {
    group_of(field).is_some_and(|group| group[0] == field)
}

/// The parts of the fact that begins with `field` which stand in `before` and in `after` not.
pub fn lost_parts(field: &str, before: &Body, after: &Body) -> Vec<&'static str> {
    let group = group_of(field).filter(|group| group[0] == field).unwrap_or_default();
    let is_lost = |part: &&str| before.text(part).is_some() && after.text(part).is_none();
    group.iter().skip(1).copied().filter(is_lost).collect()
}

/// The claim whose document (or other group) stands.
fn group_winner<'a>(group: &[&str], claims: &[&'a Claim], today: Date) -> Option<&'a Claim> {
    // of one claim it is this one, if it states any
    if let [claim] = claims {
        return claim.body.text(group[0]).and_then(display::text).map(|_| *claim);
    }
    let stated: Vec<(String, &Claim, bool)> = claims
        .iter()
        .filter_map(|claim| statement(group, &claim.body, today).map(|(key, holds)| (key, *claim, holds)))
        .collect();
    let order =
        rank(group[0], stated.iter().map(|(key, claim, holds)| (key.as_str(), *claim, *holds)), today);
    order.first().map(|at| stated[*at].1)
}

/// Whether `claim` states `field` beside the document that says it: the identity document, by its form, or one that is
/// named with the fact.
pub fn is_documented(field: &str, claim: &Body) -> bool {
    if IDENTITY.contains(&field) {
        return document_holds(claim);
    }
    let fact = group_of(field).map_or(field, |group| group[0]);
    let document = DOCUMENTS.into_iter().find(|(of, _)| *of == fact);
    document.is_some_and(|(_, document)| claim.text(document).and_then(display::text).is_some())
}

/// Indexes of `(same statement, claim, check holds)` of a `field`, or of the group that begins with it, best first.
fn rank<'a>(
    field: &str,
    candidates: impl Iterator<Item = (&'a str, &'a Claim, bool)>,
    today: Date,
) -> Vec<usize> {
    let group = group_of(field).filter(|group| group[0] == field);
    let candidates: Vec<_> = candidates.collect();
    let documented: Vec<bool> =
        candidates.iter().map(|(_, claim, _)| is_documented(field, &claim.body)).collect();
    let mut centres: BTreeMap<&str, BTreeSet<ParticipantCode>> = BTreeMap::new();
    let mut newest: BTreeMap<&str, Option<Date>> = BTreeMap::new();
    let (mut confirmed, mut sound): (BTreeSet<&str>, BTreeSet<&str>) = Default::default();
    let differ = candidates.iter().any(|(key, ..)| *key != candidates[0].0);
    for ((key, claim, _), documented) in candidates.iter().zip(&documented) {
        centres.entry(key).or_default().insert(claim.origin);
        if *documented {
            confirmed.insert(key);
        }
        let Some(group) = group.filter(|_| differ) else { continue };
        if is_sound(group, &claim.body, today) {
            sound.insert(key);
        }
        let known = newest.entry(key).or_default();
        *known = day_of(group, &claim.body, today).max(*known);
    }
    // of one statement that two claims have of different days, or in which they differ otherwise, that of the right claim
    let poor = |at: usize| {
        let (key, claim, _) = candidates[at];
        let Some(group) = group else { return false };
        let day = DAYS.into_iter().find(|day| group.contains(day));
        let is_other = |by: &Claim| {
            day.is_some_and(|day| by.body.text(day) != claim.body.text(day))
                || contradict(group, [&claim.body, &by.body], today)
        };
        candidates.len() > 1
            && !is_sound(group, &claim.body, today)
            && candidates
                .iter()
                .filter(|(other, ..)| *other == key)
                .any(|(_, by, _)| is_sound(group, &by.body, today) && is_other(by))
    };
    let poor: Vec<bool> = (0..candidates.len()).map(poor).collect();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|at| {
        let (key, claim, holds) = candidates[*at];
        let stated_by = centres[key].len();
        let lowest = centres[key].first().copied();
        let best = (holds, confirmed.contains(key), stated_by, sound.contains(key), newest.get(key));
        (std::cmp::Reverse(best), lowest, key, poor[*at], !documented[*at], claim.origin, claim.key)
    });
    order
}

/// Whether the identity document has the form of its code; code 21 (or none) is a Russian passport of four
/// and six digits (domain.md §2.1).
fn document_holds(body: &Body) -> bool {
    let series = body.text("identity_doc_series").unwrap_or_default();
    let number = body.text("identity_doc_number").unwrap_or_default();
    let Some(key) = document_key(series, number) else { return false };
    match body.text("identity_doc_code").map(str::trim) {
        None | Some("21" | "") => key.len() == 10 && key.bytes().all(|b| b.is_ascii_digit()),
        Some(_) => !rules::document_is_malformed(body),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::decisions::case_number::CaseNumbering;

    const TODAY: Date = date(2026, 11, 23);

    fn claim(unit: u16, key: u8, fields: &[(&str, &str)]) -> Claim {
        let mut body = Body::new(Kind::RecipientClaim);
        body.set("surname", "Белова").expect("plain");
        for (field, value) in fields {
            body.set(field, value).expect("plain");
        }
        Claim {
            origin: ParticipantCode::new(42, unit),
            key: RecordId::from_random([key; 16]),
            version: 1,
            body,
        }
    }

    fn origin(golden: &Golden, field: &str) -> Option<ParticipantCode> {
        match golden.sources.get(field)? {
            Source::Hub => None,
            Source::Claim { origin, .. } => Some(*origin),
        }
    }

    fn case() -> String {
        CaseNumbering::new("42", "32701000").and_then(|numbering| numbering.number(1)).expect("a number")
    }

    #[test]
    fn most_centres_then_lowest_code() {
        let claims = [
            claim(1, 1, &[("birth_date", "12.03.1945"), ("workplace", "Завод")]),
            claim(2, 2, &[("birth_date", "1945-03-21"), ("workplace", "Шахта")]),
            claim(3, 3, &[("birth_date", "21.03.1945")]),
        ];
        let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
        assert_eq!(golden.body.text("birth_date"), Some("1945-03-21"), "two centres against one");
        assert_eq!(origin(&golden, "birth_date"), Some(ParticipantCode::new(42, 2)));
        assert_eq!(golden.losers["birth_date"][0].value, "1945-03-12");
        assert_eq!(golden.body.text("workplace"), Some("Завод"), "one each: the lowest code");
    }

    #[test]
    fn an_initial_never_stands_before_a_name() {
        let claims = [
            claim(1, 1, &[("given", "П."), ("patronymic", "И.")]),
            claim(2, 2, &[("given", "Пантелей"), ("patronymic", "И")]),
            claim(3, 3, &[("given", "П."), ("patronymic", "Ильич")]),
        ];
        for claims in [claims.to_vec(), claims.iter().rev().cloned().collect()] {
            let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
            let name = ["given", "patronymic"].map(|field| golden.body.text(field));
            assert_eq!(
                name,
                [Some("Пантелей"), Some("Ильич")],
                "though two centres say no more than the letter"
            );
        }
        let golden = person(&case(), &claims[..1], &BTreeMap::new(), TODAY);
        assert_eq!(golden.body.text("given"), Some("П."), "better than nothing");
    }

    #[test]
    fn an_everyday_form_never_stands_before_the_name() {
        let called = |unit, given| claim(unit, 1, &[("given", given)]);
        let given = |claims: &[Claim]| {
            let golden = person(&case(), claims, &BTreeMap::new(), TODAY);
            (golden.body.text("given").map(str::to_owned), golden.losers.get("given").map_or(0, Vec::len))
        };
        let three = [called(1, "Маша"), called(2, "Маша"), called(3, "Мария")];
        assert_eq!(
            given(&three),
            (Some("Мария".into()), 1),
            "though most say otherwise, and the loser is shown"
        );
        assert_eq!(given(&three[..2]).0.as_deref(), Some("Маша"), "better than nothing");
        assert_eq!(
            given(&[called(1, "Саша"), called(2, "Мария")]).0.as_deref(),
            Some("Саша"),
            "another name"
        );
    }

    #[test]
    fn of_facts_that_bear_a_day_the_newest_stands_before_the_lowest_code() {
        let document = |unit, key, number, issued| {
            let fields = [
                ("identity_doc_number", number),
                ("identity_doc_series", "3204"),
                ("identity_doc_issued", issued),
            ];
            claim(unit, key, &fields)
        };
        let [old, new] = [document(1, 1, "111111", "01.02.2004"), document(2, 2, "222222", "2019-03-05")];
        let number = |claims: &[Claim]| {
            person(&case(), claims, &BTreeMap::new(), TODAY)
                .body
                .text("identity_doc_number")
                .map(str::to_owned)
        };
        assert_eq!(number(&[old.clone(), new.clone()]).as_deref(), Some("222222"));
        // most centres are more than the newest; one without a day is older than all
        let old_too = document(3, 3, "111111", "");
        assert_eq!(number(&[old, new.clone(), old_too.clone()]).as_deref(), Some("111111"));
        assert_eq!(number(&[document(1, 1, "333333", ""), new]).as_deref(), Some("222222"));
        let group = |unit, key, disabled, from| {
            claim(unit, key, &[("disability_group", disabled), ("disability_from", from)])
        };
        let golden = person(
            &case(),
            &[group(1, 1, "2", "2010-01-01"), group(2, 2, "1", "2021-01-01")],
            &BTreeMap::new(),
            TODAY,
        );
        assert_eq!(origin(&golden, "disability_group"), Some(ParticipantCode::new(42, 2)));
        assert_eq!(origin(&golden, "disability_from"), Some(ParticipantCode::new(42, 2)));
    }

    #[test]
    fn the_end_of_a_disability_is_published_as_read_and_a_word_as_typed() {
        let end = |typed| {
            let claim = claim(1, 1, &[("disability_group", "2"), ("disability_until", typed)]);
            assert_eq!(unreadable(&claim.body).count(), 0, "{typed}");
            person(&case(), &[claim], &BTreeMap::new(), TODAY)
                .body
                .text("disability_until")
                .map(str::to_owned)
        };
        for typed in ["31.12.28", "31.12.2028", "2028-12-31", "31 декабря 2028 г."] {
            assert_eq!(end(typed).as_deref(), Some("2028-12-31"), "{typed}");
        }
        assert_eq!(
            (end("бессрочно").as_deref(), end("01.01.1900"), end("-")),
            (Some("бессрочно"), None, None)
        );
        let entries = BTreeMap::from([("disability_until".to_owned(), "10.01.27".to_owned())]);
        let body = person(&case(), &[claim(1, 1, &[])], &entries, TODAY).body;
        assert_eq!(body.text("disability_until"), Some("2027-01-10"));
    }

    #[test]
    fn two_claims_of_one_centre_count_once() {
        let claims = [
            claim(1, 1, &[("workplace", "Завод")]),
            claim(2, 2, &[("workplace", "Шахта")]),
            claim(2, 3, &[("workplace", "Шахта")]),
        ];
        assert_eq!(person(&case(), &claims, &BTreeMap::new(), TODAY).body.text("workplace"), Some("Завод"));
    }

    #[test]
    fn a_holding_check_beats_a_majority() {
        let good = Snils::from_number(112_233_445).to_form();
        let claims = [
            claim(1, 1, &[("snils", "112-233-445 96"), ("identity_doc_number", "12345")]),
            claim(2, 2, &[("snils", "112-233-445 96"), ("identity_doc_number", "12345")]),
            claim(
                3,
                3,
                &[
                    ("snils", &good),
                    ("identity_doc_series", "3204"),
                    ("identity_doc_number", "123456"),
                    ("identity_doc_issued", "01.02.2004"),
                ],
            ),
        ];
        let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
        assert_eq!(golden.body.text("snils"), Some("11223344595"));
        assert_eq!(golden.body.text("identity_doc_number"), Some("123456"));
        assert_eq!(golden.body.text("identity_doc_issued"), Some("2004-02-01"), "the group is one fact");
    }

    #[test]
    fn what_a_document_confirms_stands_before_what_most_centres_say() {
        let passport = [("identity_doc_series", "3204"), ("identity_doc_number", "123456")];
        let of = |unit, key, fields: &[(&str, &str)], more: &[(&str, &str)]| {
            claim(unit, key, &[fields, more].concat())
        };
        let disabled = [("disability_group", "1"), ("disability_document", "МСЭ-2019 № 12")];
        let claims = [
            of(1, 1, &[("birth_date", "12.03.1945"), ("workplace", "Завод"), ("disability_group", "2")], &[]),
            of(2, 2, &[("birth_date", "12.03.1945"), ("workplace", "Завод"), ("disability_group", "2")], &[]),
            of(3, 3, &[("birth_date", "21.03.1945"), ("workplace", "Шахта")], &[passport, disabled].concat()),
        ];
        let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
        assert_eq!(golden.body.text("birth_date"), Some("1945-03-21"), "as the passport says");
        assert_eq!(golden.body.text("disability_group"), Some("1"), "by the certificate that is named");
        assert_eq!(golden.body.text("workplace"), Some("Завод"), "of which no document speaks");
        assert_eq!(golden.losers["birth_date"][0].value, "1945-03-12");
        for (field, documented) in [("birth_date", true), ("disability_group", true), ("workplace", false)] {
            assert_eq!(is_documented(field, &claims[2].body), documented, "{field}");
            assert!(!is_documented(field, &claims[0].body), "{field}");
        }
        // of two who say the same the value is that of the one with the document, though its code is higher
        let [_, _, third] = &claims;
        let mut same = of(1, 4, &[("birth_date", "1945-03-21")], &[]);
        let both = [same.clone(), third.clone()];
        assert_eq!(
            origin(&person(&case(), &both, &BTreeMap::new(), TODAY), "birth_date"),
            Some(third.origin)
        );
        // a document whose form does not hold confirms nothing
        same.body.set("identity_doc_number", "12").expect("plain");
        assert!(!is_documented("birth_date", &same.body));
    }

    #[test]
    fn the_hubs_entry_stands_and_an_empty_one_takes_away() {
        let claims = [claim(1, 1, &[("workplace", "Завод"), ("given", "ИBAH")])];
        let entries = BTreeMap::from([("given".into(), "Иоанн".into()), ("workplace".into(), String::new())]);
        let golden = person(&case(), &claims, &entries, TODAY);
        assert_eq!(golden.body.text("given"), Some("Иоанн"));
        assert_eq!(golden.sources["given"], Source::Hub);
        assert_eq!(golden.losers["given"][0].value, "Иван");
        assert_eq!(golden.body.text("workplace"), None);
    }

    #[test]
    fn beside_the_hubs_entry_stand_no_parts_of_another_fact() {
        // the first part that the hub enters, its value, and the parts that a claim states beside another one
        let facts: [(&str, &str, &str, &[Stated]); 7] = [
            (
                "representative",
                "Сидорова Мария",
                "Петров Иван",
                &[
                    ("representative_kind", "опекун"),
                    ("representative_document", "решение 1"),
                    ("representative_phone", "+79051110022"),
                ],
            ),
            ("status", "dead", "active", &[("status_date", "2026-01-01")]),
            (
                "disability_group",
                "1",
                "2",
                &[("disability_from", "2020-01-01"), ("disability_document", "МСЭ-1")],
            ),
            (
                "income_amount",
                "2000000",
                "1000000",
                &[("income_as_of", "2026-01-01"), ("income_threshold", "700000")],
            ),
            (
                "identity_doc_number",
                "999999",
                "123456",
                &[("identity_doc_series", "3204"), ("identity_doc_issued", "2004-02-01")],
            ),
            ("citizenship", "РФ", "иностранный гражданин", &[("citizenship_country", "Казахстан")]),
            (
                "address_live",
                "Кемерово, ул. Мира, д. 5",
                "Кемерово, Лесная 5",
                &[("address_live_house", "5")],
            ),
        ];
        let none = BTreeMap::new();
        for (first, entered, stated, parts) in facts {
            let of = |unit, value| claim(unit, 1, &[&[(first, value)], parts].concat());
            let entries = BTreeMap::from([(first.to_owned(), entered.to_owned())]);
            let stands = |claims: &[Claim], entries: &BTreeMap<String, String>| {
                person(&case(), claims, entries, TODAY).body
            };
            let beside = |body: &Body| parts.iter().filter(|(part, _)| body.text(part).is_some()).count();
            let others = [of(1, stated), of(2, stated)];
            let before = stands(&others, &none);
            assert_eq!(beside(&before), parts.len(), "{first}");
            let body = stands(&others, &entries);
            assert_eq!((body.text(first).is_some(), beside(&body)), (true, 0), "{first}");
            let names: Vec<&str> = parts.iter().map(|(part, _)| *part).collect();
            assert_eq!(lost_parts(first, &before, &body), names, "{first}");
            let typed = as_typed(&body, &others, &others[0], &entries, TODAY);
            assert!(typed.is_empty(), "{first}: {typed:?}");
            // a centre that states the same fact says its parts, though most state another
            let three = [others[0].clone(), others[1].clone(), of(3, entered)];
            let golden = person(&case(), &three, &entries, TODAY);
            for part in names {
                assert_eq!(origin(&golden, part), Some(ParticipantCode::new(42, 3)), "{first}");
            }
            // and what the hub enters itself stands
            let (part, value) = parts[0];
            let entries = entries.into_iter().chain([(part.to_owned(), value.to_owned())]).collect();
            let body = stands(&others, &entries);
            assert_eq!((body.text(part), beside(&body)), (before.text(part), 1), "{first}");
        }
    }

    #[test]
    fn what_nobody_can_read_is_left_as_typed_where_nothing_better_stands() {
        let typed = |claims: &[Claim], at: usize, entries: &BTreeMap<String, String>| {
            let golden = person(&case(), claims, entries, TODAY).body;
            as_typed(&golden, claims, &claims[at], entries, TODAY)
        };
        let none = BTreeMap::new();
        let bad = claim(
            1,
            1,
            &[("birth_date", "01.01.1900"), ("snils", "112-233-445 96"), ("identity_doc_issued", "весной")],
        );
        let alone = [bad.clone()];
        assert_eq!(typed(&alone, 0, &none), ["birth_date", "snils", "identity_doc_issued"]);
        assert_eq!(unreadable(&bad.body).collect::<Vec<_>>(), ["snils", "identity_doc_issued"]);
        // the hub says itself that there is none
        let said = BTreeMap::from([("snils".into(), String::new())]);
        assert_eq!(typed(&alone, 0, &said), ["birth_date", "identity_doc_issued"]);
        // another centre knows better, and its document is another one
        let good = Snils::from_number(112_233_445).to_form();
        let document = [("identity_doc_series", "3204"), ("identity_doc_number", "123456"), ("snils", &good)];
        let both = [bad.clone(), claim(2, 2, &document)];
        assert_eq!(typed(&both, 0, &none), ["birth_date"]);
        // of the same document each centre keeps what it alone knows
        let mut same = bad;
        for (field, value) in &document[..2] {
            same.body.set(field, value).expect("plain");
        }
        let both = [claim(2, 2, &document), same];
        assert_eq!(typed(&both, 1, &none), ["birth_date", "identity_doc_issued"]);
    }

    #[test]
    fn what_is_published_is_strict() {
        let claims = [claim(
            1,
            1,
            &[("sex", "жен"), ("birth_date", "1.2.1950"), ("phone", "8 906 1234567"), ("patronymic", "-")],
        )];
        let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
        assert_eq!(golden.body.findings(), []);
        assert_eq!(golden.body.text("sex"), Some("Ж"));
        assert_eq!(golden.body.text("phone"), Some("+79061234567"));
        assert_eq!(golden.body.text("patronymic"), None);
    }

    #[test]
    fn the_order_of_claims_does_not_matter() {
        let mut claims = vec![
            claim(3, 3, &[("given", "Анна"), ("address_live", "ул. Мира 5-7")]),
            claim(1, 1, &[("given", "Аня"), ("address_live", "ул. Мира, д. 5, кв. 7")]),
            claim(2, 2, &[("given", "Анна")]),
        ];
        let one = person(&case(), &claims, &BTreeMap::new(), TODAY);
        claims.reverse();
        assert_eq!(one, person(&case(), &claims, &BTreeMap::new(), TODAY));
        assert_eq!(one.body.text("given"), Some("Анна"));
        assert_eq!(one.body.text("address_live"), Some("ул. Мира, д. 5, кв. 7"));
    }

    type Stated = (&'static str, &'static str);

    /// Of one person a wrong value that the lower code states, and the right one of the other; what stands beside both.
    const WRONG: [(&str, &str, &str, &[Stated]); 18] = [
        ("email", "x", "a@b.ru", &[]),
        ("oktmo", "3270", "32701000", &[]),
        ("snils", "111-111-111 11", "112-233-445 95", &[]),
        ("birth_date", "12.03.2045", "12.03.1945", &[]),
        ("sex", "х", "Ж", &[]),
        ("phone", "7900000000", "8 900 000-00-00", &[]),
        ("oms_policy", "123", "1234567890123456", &[]),
        ("citizenship", "Марс", "РФ", &[]),
        ("capacity", "нечто", "дееспособен", &[]),
        ("identity_doc_code", "99", "21", &PASSPORT),
        ("identity_doc_department", "42", "420-001", &PASSPORT),
        ("identity_doc_issued", "12.03.2045", "12.03.2004", &PASSPORT),
        ("address_live_gar", "нечто", "aab9f4a5-0c2b-4f1a-9c3e-0c2b4f1a9c3e", &ADDRESS),
        ("address_live_kladr", "42", "4200000900000", &ADDRESS),
        ("representative_kind", "сосед", "опекун", &[("representative", "Белов Илья")]),
        ("disability_until", "когда-нибудь", "2027-01-01", &[("disability_group", "2")]),
        ("income_amount", "много", "1000000", &[]),
        ("status_date", "2031-01-01", "2026-01-01", &[("status", "left")]),
    ];
    const PASSPORT: [Stated; 2] = [("identity_doc_series", "3204"), ("identity_doc_number", "123456")];
    const ADDRESS: [Stated; 1] = [("address_live", "Кемерово, ул. Мира, д. 5")];

    #[test]
    fn a_value_that_breaks_a_rule_of_form_never_stands_before_a_right_one() {
        for (field, wrong, right, beside) in WRONG {
            let claim = |unit, text| {
                let beside = beside.iter().filter(|(name, _)| *name != field).copied();
                let fields: Vec<_> = beside.chain([(field, text), ("workplace", "Завод")]).collect();
                claim(unit, 1, &fields)
            };
            let expected = person(&case(), &[claim(1, right)], &BTreeMap::new(), TODAY).body;
            assert!(expected.text(field).is_some(), "{field}");
            for claims in [[claim(1, wrong), claim(2, right)], [claim(1, right), claim(2, wrong)]] {
                let golden = person(&case(), &claims, &BTreeMap::new(), TODAY).body;
                assert_eq!(golden, expected, "{field}");
            }
            // the centre of the wrong one is told
            let around = rules::Around { today: Some(TODAY), ..rules::Around::nothing() };
            let codes = |text| -> BTreeSet<&str> {
                rules::check(&claim(1, text).body, &around).iter().map(|breach| breach.rule.code).collect()
            };
            assert!(codes(wrong).difference(&codes(right)).next().is_some(), "{field}");
            // where nobody states a right one it stands, if it is a value at all
            let alone = person(&case(), &[claim(1, wrong)], &BTreeMap::new(), TODAY).body;
            let both = person(&case(), &[claim(1, wrong), claim(2, wrong)], &BTreeMap::new(), TODAY).body;
            assert_eq!(alone, both, "{field}");
        }
    }

    #[test]
    fn of_another_fact_a_part_is_never_taken_and_one_with_a_wrong_part_loses() {
        let of = |unit, group, from, until| {
            let fields =
                [("disability_group", group), ("disability_from", from), ("disability_until", until)];
            claim(unit, 1, &fields)
        };
        let until = |claims: &[Claim]| {
            let body = person(&case(), claims, &BTreeMap::new(), TODAY).body;
            ["disability_group", "disability_until"].map(|field| body.text(field).map(str::to_owned))
        };
        let said = |group: &str, until: &str| [Some(group.to_owned()), Some(until.to_owned())];
        let poor = of(1, "2", "2020-01-01", "весной");
        assert_eq!(until(&[poor.clone(), of(2, "3", "2019-01-01", "2027-01-01")]), said("3", "2027-01-01"));
        assert_eq!(until(&[poor.clone(), of(2, "2", "2020-01-01", "2027-01-01")]), said("2", "2027-01-01"));
        // of another year it is another fact: its end is not that of this one, and it is right
        let golden =
            person(&case(), &[poor, of(2, "2", "2024-01-01", "2027-01-01")], &BTreeMap::new(), TODAY);
        let parts = ["disability_from", "disability_until"].map(|field| origin(&golden, field));
        assert_eq!(parts, [Some(ParticipantCode::new(42, 2)); 2]);
    }

    #[test]
    fn no_fact_is_put_together_of_claims_that_state_it_differently() {
        let address = |unit, text, place, gar| {
            let fields = [("address_live", text), ("address_live_place", place), ("address_live_gar", gar)];
            claim(unit, 1, &fields)
        };
        let right = "6b7a2c3d-0000-4000-8000-000000000001";
        let stands = |claims: &[Claim], fields: [&str; 2]| {
            let body = person(&case(), claims, &BTreeMap::new(), TODAY).body;
            fields.map(|field| body.text(field).map(str::to_owned))
        };
        let said = |one: &str, other: &str| [Some(one.to_owned()), Some(other.to_owned())];
        let parts = ["address_live_place", "address_live_gar"];
        let poor = address(1, "Весенняя 1", "Топки", "нечто");
        let other = address(2, "Весенняя 1", "Кемерово", right);
        assert_eq!(stands(&[poor.clone(), other], parts), said("Кемерово", right));
        // where nothing contradicts, the right part is of the other
        let same = address(2, "Весенняя 1", "ТОПКИ", right);
        assert_eq!(stands(&[poor, same], parts), said("Топки", right));
        let representative = |unit, kind, document| {
            let fields = [
                ("representative", "Петров Иван"),
                ("representative_kind", kind),
                ("representative_document", document),
            ];
            claim(unit, 1, &fields)
        };
        let claims = [representative(1, "сосед", "д1"), representative(2, "опекун", "д2")];
        let [kind, document] = stands(&claims, ["representative_kind", "representative_document"]);
        assert_eq!((kind.is_some(), document.as_deref()), (true, Some("д2")));
    }

    #[test]
    fn a_row_shows_no_part_of_its_own_beside_another_fact_that_stands() {
        let of = |unit, from, until, document| {
            let fields = [
                ("disability_group", "2"),
                ("disability_from", from),
                ("disability_until", until),
                ("disability_document", document),
            ];
            let stated: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            claim(unit, 1, &stated)
        };
        let own = of(1, "2024-05-01", "весной", "М2");
        let shown = |other: Claim| {
            let claims = [own.clone(), other];
            let golden = person(&case(), &claims, &BTreeMap::new(), TODAY).body;
            let until = golden.text("disability_until").map(str::to_owned);
            (until, as_typed(&golden, &claims, &claims[0], &BTreeMap::new(), TODAY))
        };
        // another certificate stands: whole
        let until = |day: &str| Some(day.to_owned());
        assert_eq!(shown(of(2, "", "2024-02-01", "М1")), (until("2024-02-01"), vec![]));
        // the same one: what it lacks is shown
        let typed = vec!["disability_from", "disability_document"];
        assert_eq!(shown(of(2, "", "2027-02-01", "")), (until("2027-02-01"), typed));
    }
}
