//! Whatever a centre types into a paper: what the hub does not publish for a rule, the centre is told of by that rule, and what
//! the centre is told will not be published is not. What staff are told of a person, its centre is told.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    lists::Lists,
    record::{Body, Field, Kind, Type},
    rules::{self, Around, Severity},
};
use fixtures::examples;
use jiff::civil::{Date, date};
use svod_hub::decisions::{
    document_key::DocumentKey,
    golden::{self, Claim},
    programme,
};

/// What people, other programs and slips of the hand leave in a field.
const ODD: [&str; 27] = [
    "-",
    "нет",
    "нет данных",
    "0",
    "00",
    " 2",
    "2 ",
    "+2",
    "2.0",
    "2,0",
    "два",
    "II",
    "-5",
    "99999",
    "\u{200b}",
    "x",
    "да",
    "2 раза",
    "1 2",
    "3",
    "2026-03-10",
    "10.03.26",
    "10.03.2020",
    "01.01.2031",
    "10.03.2026 - 11.03.2026",
    "10 марта 2026г.",
    "весной",
];

/// Rules of values that are left out, the rest being published, and of sums that the hub states itself.
const LEFT_OUT: [&str; 3] = ["P16", "I01", "S09"];

const TODAY: Date = date(2026, 11, 22);

fn around() -> Around<'static> {
    Around { today: Some(TODAY), lists: Some(Lists::shipped()), ..Around::nothing() }
}

/// The rules that the centre is told of, and whether one of them refuses the document.
fn told(claim: &Body, kind: Kind) -> (BTreeSet<&'static str>, bool) {
    let codes: BTreeSet<_> = rules::check(claim, &around()).iter().map(|breach| breach.rule.code).collect();
    let refuses =
        |code: &&str| rules::find(code).and_then(|rule| rule.severity(kind)) == Some(Severity::Refuse);
    let any = codes.iter().any(refuses);
    (codes, any)
}

/// The rule for which the hub does not publish the claim; none if it does.
fn unpublished(claim: &Body, kind: Kind) -> Option<&'static str> {
    if DocumentKey::of(claim).is_none() {
        return Some("no document");
    }
    let origin = "4200018".parse().expect("a code");
    let claim = Claim { origin, key: examples::key(claim.kind()), version: 1, body: claim.clone() };
    match programme::published(kind, &[claim], examples::key(Kind::Person), None) {
        None => Some("no body"),
        Some((body, ..)) => rules::fault_within(&body, &around()).map(|finding| finding.word()),
    }
}

/// The first line of each section or part.
fn one_of_each(body: &Body) -> Vec<usize> {
    let what = if body.kind() == Kind::SupplementClaim { "section" } else { "part" };
    let mut seen = BTreeSet::new();
    (0..body.lines().len()).filter(|n| seen.insert(body.lines()[*n].text(what))).collect()
}

/// Every field of `fields` that people type, but the references and the number of a line.
fn typed(fields: &'static [Field]) -> impl Iterator<Item = &'static str> {
    fields
        .iter()
        .filter(|field| !matches!(field.ty, Type::Reference(_)) && field.name != "no")
        .map(|field| field.name)
}

#[test]
fn what_the_hub_does_not_publish_its_centre_is_told() {
    let (mut silent, mut in_vain, mut refused) = (BTreeMap::new(), BTreeMap::new(), 0);
    for (of, kind) in [(Kind::ProgrammeClaim, Kind::Programme), (Kind::SupplementClaim, Kind::Supplement)] {
        let sound = examples::body(of);
        assert_eq!((told(&sound, kind), unpublished(&sound, kind)), ((BTreeSet::new(), false), None));
        let schema = of.schema();
        let mut places: Vec<(Option<usize>, &str)> =
            typed(schema.fields).map(|field| (None, field)).collect();
        for n in one_of_each(&sound) {
            places.extend(typed(schema.lines.expect("lines").fields).map(|field| (Some(n), field)));
        }
        for (n, field) in places {
            for odd in ODD {
                let Some(claim) = with(&sound, n, field, odd) else { continue };
                let (codes, is_told) = told(&claim, kind);
                let fault = unpublished(&claim, kind);
                refused += usize::from(fault.is_some());
                match fault {
                    Some(fault) if codes.is_empty() => {
                        silent.entry((of, n, field, fault)).or_insert_with(Vec::new).push(odd);
                    }
                    None if is_told && codes.iter().all(|code| !LEFT_OUT.contains(code)) => {
                        in_vain.entry((of, n, field, codes)).or_insert_with(Vec::new).push(odd);
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(refused > 200, "{refused}");
    assert!(silent.is_empty(), "not published, and its centre is told nothing: {silent:#?}");
    assert!(in_vain.is_empty(), "told of a rule that refuses it, and published: {in_vain:#?}");
}

#[test]
fn what_the_hub_remarks_upon_in_a_person_its_centre_is_told() {
    let (sound, mut silent, mut remarked) = (examples::body(Kind::RecipientClaim), BTreeMap::new(), 0);
    let number = examples::body(Kind::Person);
    let number = number.text("case_number").expect("a number");
    for field in typed(Kind::RecipientClaim.schema().fields) {
        for odd in ODD {
            let Some(body) = with(&sound, None, field, odd) else { continue };
            let (codes, _) = told(&body, Kind::Person);
            let origin = "4200018".parse().expect("a code");
            let claim = Claim { origin, key: examples::key(Kind::RecipientClaim), version: 1, body };
            let person = golden::person(number, &[claim], &BTreeMap::new(), TODAY).body;
            let (remarks, _) = told(&person, Kind::Person);
            remarked += usize::from(!remarks.is_empty());
            if !remarks.is_empty() && codes.is_empty() {
                silent.entry((field, remarks)).or_insert_with(Vec::new).push(odd);
            }
        }
    }
    assert!(remarked > 100, "{remarked}");
    assert!(silent.is_empty(), "told to staff, and not to the centre: {silent:#?}");
}

#[test]
fn what_nobody_sees_changes_nothing_that_is_published_of_a_person() {
    let sound = examples::body(Kind::RecipientClaim);
    let number = examples::body(Kind::Person);
    let number = number.text("case_number").expect("a number");
    let published = |body: &Body| {
        let origin = "4200018".parse().expect("a code");
        let claim =
            Claim { origin, key: examples::key(Kind::RecipientClaim), version: 1, body: body.clone() };
        golden::person(number, &[claim], &BTreeMap::new(), TODAY).body
    };
    let (mut seen, mut lost) = (0, Vec::new());
    for field in typed(Kind::RecipientClaim.schema().fields) {
        let Some(text) = sound.text(field) else { continue };
        let blanks = text.replace(' ', "\u{a0}");
        let marks = ['\u{200b}', '\u{feff}', '\u{ad}', '\u{200e}', '\u{a0}'];
        let marked = marks.iter().flat_map(|mark| [format!("{text}{mark}"), format!("{mark}{text}")]);
        for odd in marked.chain([blanks, format!("\t{text}")]) {
            let Some(body) = with(&sound, None, field, &odd) else { continue };
            seen += 1;
            if published(&body) != published(&sound) {
                lost.push((field, odd));
            }
        }
    }
    assert!(seen > 300, "{seen}");
    assert!(lost.is_empty(), "published otherwise: {lost:#?}");
}

/// `body` with `text` in `field` of its head, or of its line `n`; none if no record carries that.
fn with(body: &Body, n: Option<usize>, field: &'static str, text: &str) -> Option<Body> {
    let mut changed = body.clone();
    let Some(n) = n else {
        changed.set(field, text).ok()?;
        return changed.findings().is_empty().then_some(changed);
    };
    let mut lines = body.lines().to_vec();
    lines[n].set(field, text).ok()?;
    changed.clear_lines();
    for line in lines {
        *changed.add_line() = line;
    }
    changed.findings().is_empty().then_some(changed)
}
