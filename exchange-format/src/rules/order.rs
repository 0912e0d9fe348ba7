//! Rules on the dates of a paper besides its own: in which order they come, and that none is ahead.

use super::{Rule, Severity, any, at, day, text};
use crate::record::{Field, Kind, Line};

use Severity::Warn;

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "G04",
        applies: &[
            (Kind::Programme, Warn),
            (Kind::ProgrammeClaim, Warn),
            (Kind::Supplement, Warn),
            (Kind::SupplementClaim, Warn),
            (Kind::ServiceAct, Warn),
            (Kind::UrgentAct, Warn),
        ],
        sentence: text(
            "Дата подписи, отказа, оказания услуги или заключения позже сегодняшней.",
            "The date of a signature, refusal, rendered service or conclusion is after today.",
        ),
        source: "own",
        check: |c| {
            let today = c.around.today?;
            let ahead = |line: &Line, field: &str| day(line, field).is_some_and(|date| date > today);
            let schema = c.body.kind().schema();
            let of_head = stated(schema.fields, &["recipient_signed", "conclusion_date"]);
            let of_line =
                stated(schema.lines.map_or(&[], |lines| lines.fields), &["date", "recipient_signed"]);
            any(&of_head, |field| ahead(c.body.head(), field))
                .or_else(|| of_line.into_iter().find_map(|field| c.line(field, |line| ahead(line, field))))
        },
    },
    Rule {
        code: "G05",
        applies: &[(Kind::Programme, Warn), (Kind::ProgrammeClaim, Warn)],
        sentence: text(
            "Программа составлена раньше заявления, либо заключение о выполнении раньше программы.",
            "The programme is before the application, or the conclusion on it is before the programme.",
        ),
        source: "own",
        check: |c| {
            let date = c.date("date")?;
            let before = c.date("application_date").is_some_and(|application| date < application);
            let concluded = c.date("conclusion_date").is_some_and(|conclusion| conclusion < date);
            at("application_date", before).or_else(|| at("conclusion_date", concluded))
        },
    },
];

/// Those of `names` that are among `fields`.
fn stated(fields: &[Field], names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| fields.iter().any(|field| field.name == *name)).collect()
}
