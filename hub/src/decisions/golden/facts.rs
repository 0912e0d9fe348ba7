//! Facts of several parts: those of one fact are published together, as one claim says them.

use std::{collections::BTreeMap, sync::LazyLock};

use exchange_format::{
    record::{Body, Field},
    typed,
};
use jiff::civil::Date;

use super::{
    super::normalise::{display, document_key},
    Candidate, Claim, claimed, person, published,
    rank::{comparison_key, document_holds, fits, rank},
    set, source,
    unread::stands_for_none,
};

/// Fields that are one fact and come from one claim; the first ones identify it.
pub(super) const GROUPS: [&[&str]; 10] = [
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
pub(super) const DAYS: [&str; 4] = ["identity_doc_issued", "disability_from", "income_as_of", "status_date"];

/// Of facts that have a document of their own the field that names it.
pub(super) const DOCUMENTS: [(&str, &str); 4] = [
    ("disability_group", "disability_document"),
    ("representative", "representative_document"),
    ("representative_2", "representative_2_document"),
    ("representative_3", "representative_3_document"),
];

/// Each field that is part of a group: which of [`GROUPS`].
static OF_FIELD: LazyLock<BTreeMap<&str, usize>> = LazyLock::new(|| {
    let parts = (0..).zip(GROUPS).flat_map(|(at, group)| group.iter().map(move |field| (*field, at)));
    parts.collect()
});

/// The fields of each of [`GROUPS`], in the order of the schema.
static FIELDS: LazyLock<Vec<Vec<&Field>>> = LazyLock::new(|| {
    let fields = |group: &[&str]| claimed().filter(|field| group.contains(&field.name)).collect();
    GROUPS.into_iter().map(fields).collect()
});

pub(super) fn group_of(field: &str) -> Option<&'static [&'static str]> {
    OF_FIELD.get(field).map(|at| GROUPS[*at])
}

/// The fields of `group`, in the order of the schema.
fn fields_of(group: &[&str]) -> &'static [&'static Field] {
    OF_FIELD.get(group[0]).map_or(&[], |at| &FIELDS[*at])
}

/// Whether `field` is the first part of a fact of several, by which it is known.
pub fn begins_a_fact(field: &str) -> bool {
    group_of(field).is_some_and(|group| group[0] == field)
}

/// The parts of facts that stand of a person of `claims` and `entries` and, where `wished` are entries too, do not: those that stood are of
/// another fact. What is wished itself is none of them.
pub fn emptied(
    claims: &[Claim],
    entries: &BTreeMap<String, String>,
    wished: &[(&'static str, String)],
    today: Date,
) -> Vec<&'static str> {
    if !wished.iter().any(|(field, _)| begins_a_fact(field)) {
        return Vec::new();
    }
    let then = wished.iter().map(|(field, value)| ((*field).to_owned(), value.clone()));
    let then = entries.clone().into_iter().chain(then).collect();
    let [before, after] = [entries, &then].map(|entries| person("", claims, entries, today).body);
    let lost = wished.iter().flat_map(|(field, _)| lost_parts(field, &before, &after));
    lost.filter(|part| wished.iter().all(|(field, _)| field != part)).collect()
}

/// The parts of the fact that begins with `field` which stand in `before` and in `after` not.
pub fn lost_parts(field: &str, before: &Body, after: &Body) -> Vec<&'static str> {
    let group = group_of(field).filter(|group| group[0] == field).unwrap_or_default();
    let is_lost = |part: &&str| before.text(part).is_some() && after.text(part).is_none();
    group.iter().skip(1).copied().filter(is_lost).collect()
}

/// What is published in `field` of a `group` that stands as `claim` says it: its own value, or, if that breaks a rule of form or
/// cannot be read, the best one of the `ranked` that is right and is of another claim of the same fact.
pub(super) fn part<'r>(
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
pub(super) fn day_of(group: &[&str], body: &Body, today: Date) -> Option<Date> {
    let day = DAYS.into_iter().find(|day| group.contains(day))?;
    let date = typed::of_person_date(day, body.text(day)?)?;
    fits(day, &date.to_string(), today).then_some(date)
}

/// Whether two that state a fact alike state a part of it differently, each rightly: then it is not one fact.
pub(super) fn contradict(group: &[&str], bodies: [&Body; 2], today: Date) -> bool {
    let mut parts = fields_of(group).iter().filter(|field| field.name != group[0]);
    parts.any(|field| {
        let [one, other] = bodies.map(|body| {
            let value = published(field, &body.text(field.name).and_then(display::text)?)?;
            fits(field.name, &value, today).then(|| comparison_key(field.name, &value, today).0)
        });
        one.zip(other).is_some_and(|(one, other)| one != other)
    })
}

/// Whether nothing that `body` states of `group` breaks a rule of form or cannot be read.
pub(super) fn is_sound(group: &[&str], body: &Body, today: Date) -> bool {
    let stated = fields_of(group)
        .iter()
        .filter_map(|field| Some((field, body.text(field.name).and_then(display::text)?)));
    let mut stated = stated.filter(|(field, text)| !stands_for_none(field, text));
    stated.all(|(field, text)| published(field, &text).is_some_and(|value| fits(field.name, &value, today)))
}

/// What `body` states of `group` as a whole, to be compared, and whether its form holds.
pub(super) fn statement(group: &[&str], body: &Body, today: Date) -> Option<(String, bool)> {
    let text = |field: &str| body.text(field).and_then(display::text);
    let first = text(group[0])?;
    let field = fields_of(group).iter().find(|field| field.name == group[0]);
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
pub(super) struct Winners<'a> {
    today: Date,
    claims: Vec<&'a Claim>,
    entries: &'a BTreeMap<String, String>,
    found: BTreeMap<&'static str, Option<&'a Claim>>,
}

impl<'a> Winners<'a> {
    pub(super) fn of_all(claims: &'a [Claim], entries: &'a BTreeMap<String, String>, today: Date) -> Self {
        Self { today, claims: claims.iter().collect(), entries, found: BTreeMap::new() }
    }

    pub(super) fn of(&mut self, group: &[&'static str]) -> Option<&'a Claim> {
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
    for field in fields_of(group).iter().filter(|field| keys.contains(&field.name)) {
        if let Some(text) = entries.get(field.name) {
            set(&mut entered, field.name, text);
        }
    }
    let fact = |body: &Body| statement(group, body, today).map(|(key, _)| key);
    fact(&entered).is_some_and(|entered| fact(claim) == Some(entered))
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
