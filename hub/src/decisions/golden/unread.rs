//! What a centre's row goes on showing as it was typed, and what nobody can read.

use std::collections::BTreeMap;

use exchange_format::{
    record::{Body, Field, Type},
    typed,
};
use jiff::civil::Date;

use super::{
    super::normalise::display,
    Claim, claimed,
    facts::{Winners, contradict, group_of, statement},
    published,
};

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
pub(super) fn stands_for_none(field: &Field, text: &str) -> bool {
    match field.ty {
        _ if typed::is_day(field) => typed::is_no_day(text),
        Type::Snils => !text.bytes().any(|byte| matches!(byte, b'1'..=b'9')),
        _ => false,
    }
}
