//! Programmes and supplements: which claims are one document, what of it is published, and which
//! programmes of one person collide.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Field, Finding, Kind, Line, RecordId, Type},
    rules::{self, Around},
    typed,
};
use jiff::civil::Date;

use super::{golden::Claim, merge::staff::Decision};

/// The document to publish out of the claims that are one: of those that break no rule that refuses, that have lines and of which
/// nothing was left out, before others, the content that most centres state, then what has services that the other lacks, then of
/// the lowest centre code. What was left out weighs nothing against one that lacks services. `recipient` and `programme` are the
/// hub's ids.
pub fn published(
    kind: Kind,
    claims: &[Claim],
    recipient: RecordId,
    programme: Option<RecordId>,
) -> Option<(Body, ParticipantCode, RecordId)> {
    published_beside(kind, claims, recipient, programme, &Around::nothing())
}

/// [`published`], the rules being judged beside what stands `around`.
pub fn published_beside(
    kind: Kind,
    claims: &[Claim],
    recipient: RecordId,
    programme: Option<RecordId>,
    around: &Around<'_>,
) -> Option<(Body, ParticipantCode, RecordId)> {
    type Stated<'a> = (BTreeSet<ParticipantCode>, (ParticipantCode, RecordId), Vec<&'a Claim>, Body);
    let mut stated: BTreeMap<Vec<u8>, Stated<'_>> = BTreeMap::new();
    for claim in claims {
        let Some(body) = strict(kind, &claim.body, recipient, programme) else { continue };
        let by = (claim.origin, claim.key);
        let (centres, lowest, all, _) =
            stated.entry(body.to_xml()).or_insert_with(|| (BTreeSet::new(), by, Vec::new(), body));
        centres.insert(claim.origin);
        *lowest = (*lowest).min(by);
        all.push(claim);
    }
    let stated: Vec<Stated<'_>> = stated.into_values().collect();
    let [_, _, ..] = stated[..] else {
        return stated.into_iter().next().map(|(_, (origin, key), _, body)| (body, origin, key));
    };
    let judged: Vec<_> = stated
        .iter()
        .map(|(_, _, claims, body)| {
            let is_whole = claims.iter().any(|claim| unreadable(kind, &claim.body).is_empty());
            (rules::fault_within(body, around).is_some(), is_whole, services(body))
        })
        .collect();
    let best = (0..stated.len()).min_by_key(|at| {
        let (is_faulty, is_whole, services) = &judged[*at];
        let mut right = judged.iter().filter(|(is_faulty, ..)| !is_faulty);
        // a word that nobody can read does not make the poorer one the better
        let is_poor = !is_whole
            && right.clone().any(|(_, is_whole, other)| {
                *is_whole && !(other.len() < services.len() && other.is_subset(services))
            });
        let lacks = right.any(|(_, _, other)| services.len() < other.len() && services.is_subset(other));
        let (centres, lowest, ..) = &stated[*at];
        (*is_faulty, services.is_empty(), is_poor, std::cmp::Reverse(centres.len()), lacks, *lowest)
    });
    let best = best.and_then(|at| stated.into_iter().nth(at));
    best.map(|(_, (origin, key), _, body)| (body, origin, key))
}

/// What the lines of `body` are of: of each its part and what no line can be without, but its number.
fn services(body: &Body) -> BTreeSet<Vec<String>> {
    let fields = body.kind().schema().lines.map_or(&[][..], |lines| lines.fields).iter();
    let naming = fields.filter(|field| field.name == "part" || field.required && field.name != "no");
    let named: Vec<&str> = naming.map(|field| field.name).collect();
    let of = |line: &Line| -> Vec<String> {
        named.iter().map(|field| line.text(field).unwrap_or_default().to_lowercase()).collect()
    };
    body.lines().iter().map(of).collect()
}

/// Whether two claims of one number and date, however these are written, would be published as two different documents.
pub fn says_other(kind: Kind, one: &Body, other: &Body) -> bool {
    let said = |claim: &Body| {
        let mut body = strict(kind, claim, RecordId::from_random([0; 16]), None)?;
        for field in ["number", "date"] {
            body.head_mut().clear(field);
        }
        Some(body)
    };
    said(one) != said(other)
}

/// Which of `documents`, those of one person, is which other by what staff have said, in the order of their saying, each with
/// the least of those that it is one with. Their last word about two counts; «разные» over «один», and of these the later over
/// the earlier. What they have said of another person's document counts for nothing.
pub fn joined(
    documents: &[RecordId],
    said: &[((RecordId, RecordId), Decision)],
) -> BTreeMap<RecordId, RecordId> {
    let mut last = BTreeMap::new();
    for (at, ((one, other), decision)) in said.iter().enumerate() {
        if documents.contains(one) && documents.contains(other) {
            last.insert((one.min(other), one.max(other)), (at, *decision));
        }
    }
    let mut one: Vec<(usize, (RecordId, RecordId))> = Vec::new();
    let mut apart = Vec::new();
    for ((a, b), (at, decision)) in last {
        match decision {
            Decision::Same => one.push((at, (*a, *b))),
            Decision::Different => apart.push((*a, *b)),
        }
    }
    one.sort_unstable_by(|a, b| b.cmp(a));
    let mut root: BTreeMap<RecordId, RecordId> = documents.iter().map(|uid| (*uid, *uid)).collect();
    for (_, (a, b)) in one {
        let (a, b) = (root[&a], root[&b]);
        let would_join = |x: &RecordId, y: &RecordId| [(a, b), (b, a)].contains(&(root[x], root[y]));
        if !apart.iter().any(|(x, y)| would_join(x, y)) {
            root.values_mut().filter(|of| **of == a.max(b)).for_each(|of| *of = a.min(b));
        }
    }
    root.retain(|uid, of| uid != of);
    root
}

/// The fields of `claim` that its row goes on showing as its centre typed them, the document being published as
/// `body`: those of which `body` says nothing, and [`LINES`] if something in the lines that it has from this claim was left out.
pub fn as_typed(body: &Body, claim: &Body) -> Vec<&'static str> {
    let fields = body.kind().schema().fields.iter();
    let fields = fields.filter(|field| !matches!(field.ty, Type::Reference(_))).map(|field| field.name);
    let mut fields: Vec<&str> =
        fields.filter(|field| claim.text(field).is_some() && body.text(field).is_none()).collect();
    let id = |field: &str| {
        let stated = body.head().iter().find(|(of_kind, _)| of_kind.name == field);
        stated.and_then(|(_, text)| text?.parse().ok())
    };
    let taken = |recipient| strict(body.kind(), claim, recipient, id("programme"));
    if unreadable(body.kind(), claim).contains(&LINES)
        && id("recipient").and_then(taken).as_ref() == Some(body)
    {
        fields.push(LINES);
    }
    fields
}

/// What in a document `claim` nobody can read: fields of its head, and [`LINES`] if that is so of one of its lines.
pub fn unreadable(kind: Kind, claim: &Body) -> Vec<&'static str> {
    let fields = kind.schema().fields.iter().filter(|field| typed::is_unread(field, claim.head()));
    let mut fields: Vec<&str> = fields.map(|field| field.name).collect();
    if unreadable_lines(kind, claim).next().is_some() {
        fields.push(LINES);
    }
    fields
}

/// The lines of a document `claim` that cannot be taken whole.
pub fn unreadable_lines(kind: Kind, claim: &Body) -> impl Iterator<Item = &Line> {
    let fields = kind.schema().lines.map_or(&[][..], |lines| lines.fields);
    let is_left_out = |field: &Field, line: &Line| typed::is_unread(field, line) || typed::lacks(field, line);
    claim.lines().iter().filter(move |line| fields.iter().any(|field| is_left_out(field, line)))
}

/// What stands for all lines of a document among the names of its fields.
pub const LINES: &str = "lines";

/// The claim in the strict form of `kind`: values that the strict schema does not take are left out, and a
/// line without its required values too. `None` if the whole does not hold.
fn strict(kind: Kind, claim: &Body, recipient: RecordId, programme: Option<RecordId>) -> Option<Body> {
    let mut body = Body::new(kind);
    let mut head: Vec<(&str, String)> = vec![("recipient", recipient.to_string())];
    if kind == Kind::Supplement {
        head.extend(programme.map(|id| ("programme", id.to_string())));
    }
    for field in kind.schema().fields.iter().filter(|field| !matches!(field.ty, Type::Reference(_))) {
        head.extend(strict_value(field, claim.head()).map(|value| (field.name, value)));
    }
    for (field, value) in head {
        body.set(field, &value).ok()?;
    }
    let fields = kind.schema().lines.map_or(&[][..], |lines| lines.fields);
    for line in claim.lines() {
        let values: Vec<_> =
            fields.iter().filter_map(|field| Some((field, strict_value(field, line)?))).collect();
        let whole = fields
            .iter()
            .filter(|field| field.required)
            .all(|field| values.iter().any(|(stated, _)| stated.name == field.name));
        if whole {
            let to = body.add_line();
            for (field, value) in values {
                to.set(field.name, &value).ok()?;
            }
        }
    }
    if kind == Kind::Supplement && body.lines().iter().any(|line| line.text("section") == Some("4")) {
        state_sums(&mut body, claim).ok()?;
    }
    body.sort_lines();
    body.findings().is_empty().then_some(body)
}

/// States in a supplement what its grid itself says where its `claim` states nothing: minutes and days a week. What is stated and
/// cannot be read stays left out, and so does a sum that no supplement can have: the rules judge that.
fn state_sums(body: &mut Body, claim: &Body) -> Result<(), Finding> {
    let sums = [
        ("weekly_minutes", rules::grid_minutes(body.lines())),
        ("days_per_week", rules::grid_days(body.lines())),
    ];
    for (field, sum) in sums {
        if claim.text(field).and_then(typed::plain).is_some() {
            continue;
        }
        body.set(field, &sum.to_string())?;
        if body.findings().iter().any(|finding| finding.field == field) {
            body.head_mut().clear(field);
        }
    }
    Ok(())
}

fn strict_value(field: &Field, line: &Line) -> Option<String> {
    typed::value(field, line.text(field.name)?)
}

/// The pairs of `programmes` (published bodies by id) that collide on `today`: both in force, and their
/// terms overlap. One person has one active programme (rule P05).
pub fn collisions<'a>(
    programmes: impl IntoIterator<Item = (&'a RecordId, &'a Body)>,
    today: Date,
) -> Vec<(RecordId, RecordId)> {
    let terms: Vec<(RecordId, Date, Date)> = programmes
        .into_iter()
        .filter_map(|(id, body)| active_term(body, today).map(|(from, until)| (*id, from, until)))
        .collect();
    let mut pairs = Vec::new();
    for (at, (one, from, until)) in terms.iter().enumerate() {
        for (other, from2, until2) in &terms[at + 1..] {
            if from <= until2 && from2 <= until {
                pairs.push((*one, *other));
            }
        }
    }
    pairs
}

fn active_term(body: &Body, today: Date) -> Option<(Date, Date)> {
    rules::programme_term(body).filter(|(_, until)| *until >= today)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{super::document_key::DocumentKey, *};

    fn claim(unit: u16, key: u8, number: &str, day: &str, service: &str) -> Claim {
        let mut body = Body::new(Kind::ProgrammeClaim);
        let recipient = RecordId::from_random([99; 16]).to_string();
        for (field, value) in [("recipient", recipient.as_str()), ("number", number), ("date", day)] {
            body.set(field, value).expect("plain");
        }
        let line = body.add_line();
        for (field, value) in [("no", "1"), ("service_kind", "Социально-бытовые"), ("name", service)]
        {
            line.set(field, value).expect("plain");
        }
        let key = RecordId::from_random([key; 16]);
        Claim { origin: ParticipantCode::new(42, unit), key, version: 1, body }
    }

    fn uid(n: u8) -> RecordId {
        RecordId::from_random([n; 16])
    }

    #[test]
    fn papers_are_one_as_far_as_staff_have_said_so_of_this_persons() {
        let pair = |a, b, decision| ((uid(a), uid(b)), decision);
        let (same, different) = (Decision::Same, Decision::Different);
        let said = [pair(2, 3, same), pair(1, 2, same), pair(4, 5, different), pair(4, 5, same)];
        let of = |documents: &[u8], said: &[_]| -> Vec<(RecordId, RecordId)> {
            joined(&documents.iter().map(|n| uid(*n)).collect::<Vec<_>>(), said).into_iter().collect()
        };
        assert_eq!(of(&[1, 2, 3], &said), [(uid(2), uid(1)), (uid(3), uid(1))]);
        assert_eq!(of(&[4, 5], &said), [(uid(5), uid(4))], "the last word");
        // 2 is another person's: nobody has said anything of 1 and 3
        assert_eq!(of(&[1, 3], &said), []);
        assert_eq!(of(&[2, 3], &said), [(uid(3), uid(2))]);
        let parted = [&said[..], &[pair(1, 3, different)]].concat();
        assert_eq!(of(&[1, 2, 3], &parted), [(uid(2), uid(1))], "the later «один»");
    }

    #[test]
    fn number_and_date_make_a_document() {
        let key = |number, day| DocumentKey::of(&claim(1, 1, number, day, "Уборка").body);
        assert_eq!(key("12/а", "01.02.2025"), key(" 12/А ", "2025-02-01"));
        assert_ne!(key("12", "01.02.2025"), key("12", "02.02.2025"));
        assert_eq!(key("б/н", "нет"), None);
        assert_eq!(key("-", "01.02.2025"), None);
        assert_eq!(key("12", "01.02.27"), key("12", "2027-02-01"));
    }

    #[test]
    fn the_content_that_most_centres_state_is_published() {
        let claims = [
            claim(1, 1, "12", "01.02.2025", "Уборка"),
            claim(2, 2, "12", "2025-02-01", "Стирка"),
            claim(3, 3, "12", "01.02.2025", "Стирка"),
        ];
        let (body, origin, key) = published(Kind::Programme, &claims, uid(9), None).expect("whole");
        assert_eq!(body.lines()[0].text("name"), Some("Стирка"));
        assert_eq!(body.lines()[0].text("service_kind"), Some("1"));
        assert_eq!((origin, key), (claims[1].origin, claims[1].key));
        assert_eq!(body.text("date"), Some("2025-02-01"));
        assert_eq!(body.findings(), []);
    }

    #[test]
    fn a_whole_paper_stands_before_one_of_which_something_is_left_out_or_that_breaks_a_rule() {
        let whole = claim(2, 2, "12", "01.02.2025", "Стирка");
        let line_left_out = || {
            let mut poor = claim(1, 1, "12", "01.02.2025", "Стирка");
            let line = poor.body.add_line();
            line.set("no", "2").expect("plain");
            line.set("name", "-").expect("plain");
            poor
        };
        let mut no_lines = claim(1, 1, "12", "01.02.2025", "Стирка");
        no_lines.body.clear_lines();
        let mut ended_before = claim(1, 1, "12", "01.02.2025", "Стирка");
        ended_before.body.set("valid_until", "01.02.2024").expect("plain");
        let mut unread = claim(1, 1, "12", "01.02.2025", "Стирка");
        unread.body.set("valid_until", "весной").expect("plain");
        unread.body.set("issuer", "МБУ").expect("plain");
        for poor in [no_lines, ended_before, unread.clone()] {
            let (_, origin, _) =
                published(Kind::Programme, &[poor, whole.clone()], uid(9), None).expect("one");
            assert_eq!(origin, whole.origin);
        }
        // more centres do not make it better; where all are poor, what most say; what says the same is the same
        let mut again = unread.clone();
        again.origin = ParticipantCode::new(42, 3);
        let claims = [unread.clone(), again.clone(), whole.clone()];
        assert_eq!(published(Kind::Programme, &claims, uid(9), None).expect("one").1, whole.origin);
        let claims = [line_left_out(), whole.clone()];
        assert_eq!(published(Kind::Programme, &claims, uid(9), None).expect("one").1, claims[0].origin);
        let mut other = line_left_out();
        other.origin = ParticipantCode::new(42, 0);
        let claims = [other, unread, again];
        assert_eq!(published(Kind::Programme, &claims, uid(9), None).expect("one").1, claims[1].origin);
    }

    #[test]
    fn one_word_that_nobody_can_read_loses_no_services() {
        let of = |unit: u16, services: &[&str], form: &str| {
            let mut claim = claim(unit, u8::try_from(unit).expect("small"), "12", "01.02.2025", services[0]);
            claim.body.set("form", form).expect("plain");
            for service in &services[1..] {
                let line = claim.body.add_line();
                for (field, value) in [("no", "2"), ("service_kind", "1"), ("name", service)] {
                    line.set(field, value).expect("plain");
                }
            }
            claim
        };
        let stands = |claims: &[Claim]| {
            let (body, origin, _) = published(Kind::Programme, claims, uid(9), None).expect("one");
            (origin, body.lines().len())
        };
        let unit = |unit| ParticipantCode::new(42, unit);
        let (both, moon, home) = (["Кормление", "Уборка"], "на луне", "на дому");
        let claims = [of(1, &both, moon), of(2, &both, moon), of(3, &both[..1], home)];
        assert_eq!(stands(&claims), (unit(1), 2));
        // what was published already, whichever code is the lower
        assert_eq!(stands(&[of(1, &both, moon), of(2, &both[..1], home)]), (unit(1), 2));
        assert_eq!(stands(&[of(2, &both, moon), of(1, &both[..1], home)]), (unit(2), 2));
        // nor does it make the richer one the better: most centres say otherwise
        let claims = [of(1, &both, moon), of(2, &both[..1], home), of(3, &both[..1], home)];
        assert_eq!(stands(&claims), (unit(2), 1));
        // of the same services the one stands of which all was read, however many say it not so
        let claims = [of(1, &both, moon), of(2, &both, moon), of(3, &both, home)];
        assert_eq!(stands(&claims), (unit(3), 2));
        assert_eq!(stands(&[of(1, &both[..1], moon), of(2, &both[1..], home)]), (unit(2), 1));
    }

    #[test]
    fn an_urgent_service_is_kept_for_the_rules_to_refuse_and_a_term_is_a_day_or_left_out() {
        for kind in ["8", "Срочные"] {
            let mut claim = claim(1, 1, "12", "01.02.2025", "Вещи");
            let line = claim.body.add_line();
            for (field, value) in [
                ("no", "2"),
                ("service_kind", kind),
                ("name", "Питание"),
                ("valid_from", "01.02.2025"),
                ("valid_until", "2090 год"),
            ] {
                line.set(field, value).expect("plain");
            }
            let (body, ..) = published(Kind::Programme, &[claim], uid(9), None).expect("whole");
            let line = &body.lines()[1];
            assert_eq!((line.text("valid_from"), line.text("valid_until")), (Some("2025-02-01"), None));
            assert_eq!(rules::first_fault(&body).map(|fault| fault.word()), Some("P06"), "{kind}");
        }
    }

    #[test]
    fn the_words_of_the_form_are_published_as_codes_and_what_cannot_be_read_is_left_out() {
        let mut stated = claim(1, 1, "12", "01.02.2025", "Уборка");
        for (field, value) in
            [("conclusion", "Выполнена частично"), ("drawn_up", "впервые"), ("form", "на луне")]
        {
            stated.body.set(field, value).expect("plain");
        }
        let line = stated.body.add_line();
        let refused = [("no", "2"), ("part", "Отказ"), ("service_kind", "02"), ("name", "Бритьё")];
        for (field, value) in refused.into_iter().chain([("volume_count", "тридцать")]) {
            line.set(field, value).expect("plain");
        }
        assert_eq!(unreadable(Kind::Programme, &stated.body), ["form", LINES]);
        let (body, ..) = published(Kind::Programme, &[stated], uid(9), None).expect("whole");
        let said = ["conclusion", "drawn_up", "form"].map(|field| body.text(field));
        assert_eq!(said, [Some("partly"), Some("first"), None]);
        let said = ["part", "service_kind", "volume_count"].map(|field| body.lines()[1].text(field));
        assert_eq!(said, [Some("refusal"), Some("2"), None]);
    }

    #[test]
    fn overlapping_active_programmes_collide() {
        let body = |day: &str, until: &str, status: &str| {
            let mut body = Body::new(Kind::Programme);
            for (field, value) in [("date", day), ("valid_until", until), ("status", status)] {
                body.set(field, value).expect("plain");
            }
            body
        };
        let today = date(2026, 11, 21);
        let programmes = BTreeMap::from([
            (uid(1), body("2025-02-01", "2027-02-01", "")),
            (uid(2), body("2026-02-01", "", "действует")),
            (uid(3), body("2026-03-01", "2027-02-01", "Прекращена")),
            (uid(4), body("2024-02-01", "2026-02-01", "")),
        ]);
        let pairs = collisions(&programmes, today);
        assert_eq!(pairs.len(), 1);
        assert!([uid(1), uid(2)].contains(&pairs[0].0) && [uid(1), uid(2)].contains(&pairs[0].1));
    }
}
