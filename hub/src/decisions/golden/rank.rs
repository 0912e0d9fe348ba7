//! Which of several values of a field, or of several facts, is the best.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Field, Kind},
    rules,
};
use jiff::civil::Date;

use super::{
    super::{
        given_names,
        normalise::{address_key, display, document_key, name_key},
    },
    Candidate, Claim, candidate,
    facts::{DAYS, DOCUMENTS, contradict, day_of, group_of, is_sound},
    published,
};

/// What the identity document says of a person.
const IDENTITY: [&str; 6] = ["surname", "given", "patronymic", "birth_date", "birth_place", "sex"];

/// Whether `value` breaks no rule of form in `field`. Of a name the merge's readers judge: rules know Russian letters only.
pub(super) fn fits(field: &str, value: &str, today: Date) -> bool {
    matches!(field, "surname" | "given" | "patronymic")
        || rules::form_fault(Kind::Person, field, value, today).is_none()
}

/// What makes two values of a field the same statement, and whether its check digit or form holds, where it has one.
pub(super) fn comparison_key(field: &str, value: &str, today: Date) -> (String, bool) {
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
pub(super) fn ranked(field: &'static Field, claims: &[Claim], today: Date) -> Vec<Candidate> {
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

/// Indexes of `(same statement, claim, check holds)` of a `field`, or of the group that begins with it, best first.
pub(super) fn rank<'a>(
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

/// Whether the identity document has the form of its code; code 21 (or none) is a Russian passport of four
/// and six digits (domain.md §2.1).
pub(super) fn document_holds(body: &Body) -> bool {
    let series = body.text("identity_doc_series").unwrap_or_default();
    let number = body.text("identity_doc_number").unwrap_or_default();
    let Some(key) = document_key(series, number) else { return false };
    match body.text("identity_doc_code").map(str::trim) {
        None | Some("21" | "") => key.len() == 10 && key.bytes().all(|b| b.is_ascii_digit()),
        Some(_) => !rules::document_is_malformed(body),
    }
}
