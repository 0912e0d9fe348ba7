//! What the day alone changes: a value that was ahead becomes right, a paper is no longer too far off, a term ends.

use std::collections::BTreeSet;

use exchange_format::{
    record::{Body, Kind},
    rules, typed,
};
use jiff::{Span, ToSpan as _, civil::Date};

use super::audience::PersonFile;

/// Nobody lives longer (rule R03): years.
const ELDEST: i32 = 116;

/// The first day after that of `file` on which something of it may be published otherwise than on that day, though nobody has
/// said anything. Every day counts that it states, and what rules reckon from it: the day after, a year before (what is further
/// ahead was probably mistyped), of a birth the years that nobody outlives.
pub fn ahead(file: &PersonFile) -> Option<Date> {
    let mut days = BTreeSet::new();
    for claim in &file.claims {
        add_days(&claim.body, &mut days);
    }
    for document in &file.documents {
        let bodies = document.claims.iter().map(|claim| &claim.body).chain(&document.drawn);
        bodies.for_each(|body| add_days(body, &mut days));
    }
    days.into_iter().find(|day| *day > file.today)
}

fn add_days(body: &Body, days: &mut BTreeSet<Date>) {
    let body = typed::read(body);
    for (field, text) in body.head().iter() {
        let Some(stated) = text.and_then(|text| text.parse::<Date>().ok()) else { continue };
        let mut spans = vec![Span::new(), -1.year()];
        if field.name == "birth_date" {
            spans.push(ELDEST.years());
        }
        days.extend(spans.into_iter().flat_map(|span| turning(stated, span)));
    }
    if matches!(body.kind(), Kind::Programme | Kind::ProgrammeClaim)
        && let Some((_, until)) = rules::programme_term(&body)
    {
        days.extend(turning(until, Span::new()));
    }
}

/// The day so far from `stated`, and the one after it, on which what is «until then» is over; so no leap year matters.
fn turning(stated: Date, span: Span) -> impl Iterator<Item = Date> {
    let day = stated.checked_add(span).ok();
    day.into_iter().chain(day.and_then(|day| day.tomorrow().ok()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn of(kind: Kind, fields: &[(&str, &str)]) -> Vec<String> {
        let mut body = Body::new(kind);
        for (field, text) in fields {
            body.set(field, text).expect("plain");
        }
        let mut days = BTreeSet::new();
        add_days(&body, &mut days);
        days.into_iter().map(|day| day.to_string()).collect()
    }

    #[test]
    fn the_days_on_which_rules_judge_otherwise_follow_from_those_that_are_stated() {
        let stated = [("status_date", "28.11.2026"), ("phone", "2026"), ("disability_until", "весной")];
        assert_eq!(
            of(Kind::RecipientClaim, &stated),
            ["2025-11-28", "2025-11-29", "2026-11-28", "2026-11-29"]
        );
        let birth = of(Kind::RecipientClaim, &[("birth_date", "12.03.1945")]);
        assert_eq!(birth[4..], ["2061-03-12", "2061-03-13"]);
        // a programme without a last day ends by its longest term
        let programme = of(Kind::ProgrammeClaim, &[("number", "7"), ("date", "2024-02-29")]);
        assert!(programme.contains(&"2023-03-01".to_owned()), "{programme:?}");
        let until = rules::programme_term(&{
            let mut body = Body::new(Kind::Programme);
            body.set("date", "2024-02-29").expect("plain");
            body
        });
        let (_, until) = until.expect("a term");
        assert!(until > date(2025, 1, 1));
        assert!(programme.contains(&until.tomorrow().expect("a day").to_string()), "{programme:?}");
    }
}
