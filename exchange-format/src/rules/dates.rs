//! Rules on the dates of papers: none is of a day that has not come.

use jiff::{ToSpan as _, civil::Date};

use super::{Case, Place, Rule, Severity, at, text};
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
        ],
        sentence: text("Дата документа позже сегодняшней.", "The paper's date is after today."),
        source: "own",
        check: |c| at("date", c.date("date")? > c.around.today? && beyond(c)?.is_none()),
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
        check: |c| beyond(c)?,
    },
];

/// Where the date stands, if it is one for which G02 is broken: of the papers of which some lie ahead.
fn beyond(c: &Case<'_>) -> Option<Option<Place>> {
    let papers = [Kind::Programme, Kind::Supplement, Kind::ProgrammeClaim, Kind::SupplementClaim];
    let limit: Date = c.around.today?.checked_add(1.year()).ok()?;
    Some(at("date", papers.contains(&c.body.kind()) && c.date("date")? > limit))
}
