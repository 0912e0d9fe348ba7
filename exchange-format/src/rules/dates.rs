//! Rules on the dates of papers: none is of a day that has not come, nor of one before there were such papers.

use jiff::{
    ToSpan as _,
    civil::{Date, date},
};

use super::{Case, Rule, Severity, at, text};
use crate::record::Kind;

use Severity::{Refuse, Warn};

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "G01",
        applies: &[
            (Kind::NeedDecision, Refuse),
            (Kind::Programme, Warn),
            (Kind::Supplement, Warn),
            (Kind::ProgrammeClaim, Warn),
            (Kind::SupplementClaim, Warn),
            (Kind::Contract, Warn),
            (Kind::CompletionMark, Warn),
            (Kind::Event, Warn),
            (Kind::ServiceAct, Warn),
            (Kind::UrgentAct, Warn),
            (Kind::PlanReport, Warn),
            (Kind::FreePlaces, Warn),
        ],
        sentence: text("Дата документа позже сегодняшней.", "The paper's date is after today."),
        source: "own",
        check: |c| at("date", c.date("date")? > c.around.today? && !is_far(c)),
    },
    Rule {
        code: "G02",
        applies: &[
            (Kind::Programme, Refuse),
            (Kind::Supplement, Refuse),
            (Kind::ProgrammeClaim, Warn),
            (Kind::SupplementClaim, Warn),
        ],
        sentence: text(
            "Дата документа больше чем на год позже сегодняшней: вероятно, ошибка.",
            "The paper's date is more than a year after today; it was probably mistyped.",
        ),
        source: "own",
        check: |c| at("date", is_far(c)),
    },
    Rule {
        code: "G03",
        applies: &[
            (Kind::NeedDecision, Refuse),
            (Kind::Assessment, Refuse),
            (Kind::Programme, Refuse),
            (Kind::Supplement, Refuse),
            (Kind::ProgrammeClaim, Warn),
            (Kind::SupplementClaim, Warn),
            (Kind::Contract, Warn),
            (Kind::CompletionMark, Warn),
            (Kind::Event, Warn),
            (Kind::ServiceAct, Warn),
            (Kind::UrgentAct, Warn),
            (Kind::PlanReport, Warn),
            (Kind::FreePlaces, Warn),
        ],
        sentence: text(
            "Дата документа раньше 2015 года, когда вступил в силу 442-ФЗ: вероятно, ошибка.",
            "The paper's date is before 2015, when 442-ФЗ came into force; it was probably mistyped.",
        ),
        source: "442-ФЗ ст. 37 (to be checked)",
        check: |c| {
            let before = c.date("date").is_some_and(|date| date < IN_FORCE);
            let year = || c.whole("year").is_some_and(|year| year < YEAR_IN_FORCE);
            at("date", before).or_else(|| at("year", c.body.kind() == Kind::PlanReport && year()))
        },
    },
];

/// Since when there are papers of 442-ФЗ.
const IN_FORCE: Date = date(2015, 1, 1);
const YEAR_IN_FORCE: u64 = 2015;

/// Whether the date is one for which G02 is broken: of the papers of which some lie ahead.
fn is_far(c: &Case<'_>) -> bool {
    let papers = [Kind::Programme, Kind::Supplement, Kind::ProgrammeClaim, Kind::SupplementClaim];
    let limit = c.around.today.and_then(|today| today.checked_add(1.year()).ok());
    papers.contains(&c.body.kind()) && c.date("date").zip(limit).is_some_and(|(date, limit)| date > limit)
}
