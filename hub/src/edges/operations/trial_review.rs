//! What a trial would ask staff, as a table: each question with what speaks for and against.

use std::borrow::Cow;

use exchange_endpoint::{messages::Lang, tables::marks::marked};

use super::shown::{Evidence, Said};
use crate::decisions::merge::{Register, clusters::Doubt};

/// The longest value that the evidence repeats, in characters.
const LONGEST: usize = 60;

/// The questions with what speaks for and against each, as `review show` tells it, in words of `lang`.
pub(super) fn table<'a>(
    ids: &'a [String],
    register: &'a Register,
    doubts: &'a [Doubt],
    lang: Lang,
) -> impl Iterator<Item = [Cow<'a, str>; 7]> {
    // staff open it in a spreadsheet, which would run an id that begins so
    let id = |record: u32| match ids[record as usize].as_str() {
        text if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => marked(text),
        text => Cow::Borrowed(text),
    };
    let heading = ["record_id_1", "record_id_2", "score", "reason", "rival", "for", "against"];
    let row = move |doubt: &Doubt| {
        let evidence = Evidence::of(&register.model, register.explain(doubt.a, doubt.b));
        let [speaks_for, against] = for_and_against(&evidence, lang);
        let words = [format!("{:.2}", doubt.bits), speaks_for, against].map(Cow::Owned);
        let [score, speaks_for, against] = words;
        let [reason, rival] = [doubt.reason.code(), evidence.against].map(Cow::Borrowed);
        [id(doubt.a), id(doubt.b), score, reason, rival, speaks_for, against]
    };
    [heading.map(Cow::Borrowed)].into_iter().chain(doubts.iter().map(row))
}

/// What speaks for one person, and what against, the weightiest first, each with its bits; a field once, a value
/// no longer than [`LONGEST`].
fn for_and_against(evidence: &Evidence, lang: Lang) -> [String; 2] {
    let cut = |value: &str| match value.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    };
    let of_field = |said: &Said| {
        let said = Said { one: cut(&said.one), other: cut(&said.other), ..said.clone() };
        (said.bits, said.words(lang))
    };
    let mut all: Vec<(f64, String)> = evidence.said.iter().map(of_field).collect();
    all.push((evidence.before, evidence.before_words(lang)));
    let side = |is_for: bool| {
        // what says nothing stands among what speaks for it: staff see that it was compared
        let told = all.iter().filter(|(bits, _)| (*bits >= 0.0) == is_for);
        told.map(|(bits, words)| format!("{words} {:+.1}", bits + 0.0)).collect::<Vec<_>>().join(" | ")
    };
    [side(true), side(false)]
}
