//! Rules on need: the decision, and the conclusions of an assessment (C03–C05 of the questionnaire's error log).

use super::{Case, Place, Rule, Severity, any, at, number, programme, text};
use crate::{
    record::{Body, Kind},
    vocabulary,
};

use Severity::{Refuse, Warn};

/// Minutes a week of the three levels of care: the floor, and the ceiling that is the next level's floor
/// (14, 21, 28 hours).
pub(super) const HOURS: [(u64, u64); 3] = [(420, 840), (840, 1260), (1260, 1680)];

/// The floor and ceiling in minutes a week of level `1`, `2` or `3`; without a level, `0`, there is nothing to give.
pub(super) fn hours(level: &str) -> Option<(u64, u64)> {
    if level.trim() == "0" {
        return Some((0, 0));
    }
    match vocabulary::code("care_level", level)? {
        "1" => Some(HOURS[0]),
        "2" => Some(HOURS[1]),
        _ => Some(HOURS[2]),
    }
}

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "C03",
        applies: &[(Kind::NeedDecision, Refuse), (Kind::Assessment, Refuse)],
        sentence: text(
            "Признанному нуждающимся нужно хотя бы одно обстоятельство, непризнанному — ни одного.",
            "Recognition needs at least one ground; without recognition there is none.",
        ),
        source: "442-ФЗ ст. 15",
        check: |c| at("grounds", recognised(c)? != c.text("grounds").is_some()),
    },
    Rule {
        code: "C04",
        applies: &[(Kind::NeedDecision, Refuse), (Kind::Assessment, Refuse)],
        sentence: text(
            "Признанному нуждающимся определяется форма; социальный пакет (уровень I–III) даётся ему в форме, которую называет перечень услуг по уходу (на дому).",
            "Recognition concludes a form; the care package (level I–III) is given to the recognised, in a form that the list of care services names (at home).",
        ),
        source: "442-ФЗ ст. 19 (to be checked); own",
        check: |c| {
            let level = if c.body.kind() == Kind::Assessment { "level" } else { "care_level" };
            let packaged = c.text(level).is_some_and(|level| level != "0");
            let (recognised, form) = (recognised(c)?, c.text("form"));
            // in which forms it is given, the region's lists say
            let given = c.around.lists.is_none_or(|lists| {
                form.is_some_and(|forms| forms.split(' ').any(|form| lists.gives_package(form)))
            });
            at(level, packaged && !recognised)
                .or_else(|| at("form", recognised && form.is_none() || packaged && !given))
        },
    },
    Rule {
        code: "C05",
        applies: &[(Kind::Assessment, Refuse)],
        sentence: text(
            "Рекомендованные часы больше предела уровня.",
            "The recommended hours exceed the level's ceiling.",
        ),
        source: "модель СДУ: 14, 21, 28 часов в неделю",
        check: |c| at("weekly_minutes", c.whole("weekly_minutes")? > hours(c.text("level")?)?.1),
    },
    Rule {
        code: "D01",
        applies: &[(Kind::NeedDecision, Warn)],
        sentence: text(
            "Решение принято позже пяти рабочих дней после заявления (праздники не учтены).",
            "The decision was taken more than five working days after the application (holidays not counted).",
        ),
        source: "442-ФЗ ст. 15",
        check: |c| late(c, "date", 5),
    },
    Rule {
        code: "D02",
        applies: &[(Kind::NeedDecision, Refuse)],
        sentence: text("Отказ должен быть обоснован.", "A refusal states its reason."),
        source: "442-ФЗ ст. 15",
        check: |c| at("reason", c.text("outcome") == Some("refused") && c.text("reason").is_none()),
    },
    Rule {
        code: "D03",
        applies: &[(Kind::NeedDecision, Warn)],
        sentence: text(
            "Обстоятельство 15.1.8 («иные») требует регионального кода.",
            "Ground 15.1.8 (other) needs the region's code.",
        ),
        source: "442-ФЗ ст. 15 ч. 1 п. 8",
        check: |c| {
            let eighth = c.text("grounds").is_some_and(|codes| codes.split(' ').any(|code| code == "15.1.8"));
            at("grounds_regional", eighth && c.text("grounds_regional").is_none())
        },
    },
    Rule {
        code: "D04",
        applies: &[(Kind::NeedDecision, Refuse)],
        sentence: text("Решение раньше заявления.", "The decision is before the application."),
        source: "own",
        check: |c| at("date", c.date("date")? < c.date("application_date")?),
    },
    Rule {
        code: "D05",
        applies: &[(Kind::NeedDecision, Warn)],
        sentence: text(
            "Решение о срочных услугах принимается немедленно: в день заявления.",
            "A decision on urgent services is taken at once, on the day of the application.",
        ),
        source: "442-ФЗ ст. 15 (to be checked)",
        check: |c| {
            let late = c.date("date")? > c.date("application_date")?;
            at("date", c.text("urgent") == Some("1") && late)
        },
    },
    Rule {
        code: "D06",
        applies: &[
            (Kind::NeedDecision, Refuse),
            (Kind::Assessment, Refuse),
            (Kind::Programme, Refuse),
            (Kind::Supplement, Refuse),
        ],
        sentence: text(
            "У документа нет номера: «-», «б/н», «0» номером не считаются. Укажите номер, под которым он зарегистрирован.",
            "The document has no number: “-”, “б/н”, “0” are none. State the number that it is registered under.",
        ),
        source: "442-ФЗ ст. 15, 16 (to be checked); own",
        check: |c| {
            let stated = c.typed.text("number");
            at("number", stated.is_some_and(|number| number::number(number, None).is_none()))
        },
    },
    Rule {
        code: "D07",
        applies: &[(Kind::Programme, Refuse), (Kind::Supplement, Refuse)],
        sentence: text(
            "У строки нет названия: «-» и «нет» названием не считаются. Укажите услугу или удалите строку.",
            "A line has no name: “-” and “нет” are none. Name the service, or delete the line.",
        ),
        source: "форма индивидуальной программы и дополнения; own",
        check: |c| c.line("name", |line| line.text("name").is_none()),
    },
    Rule {
        code: "D08",
        applies: &[(Kind::NeedDecision, Warn), (Kind::Programme, Warn), (Kind::Supplement, Warn)],
        sentence: text(
            "У человека есть другой такой документ с теми же номером и датой. Если это один документ, пусть центр удалит лишний; если два, исправьте номер того, у которого он неверен.",
            "The person has another such document of the same number and date. If they are one, let the centre delete the one too many; if they are two, correct the number of the one that has it wrongly.",
        ),
        source: "own",
        check: |c| {
            let name = programme::named(c.body)?;
            // every programme has its first supplement
            let is_beside = |other: &Body| {
                c.body.kind() != Kind::Supplement || other.text("programme") == c.text("programme")
            };
            let same = |other: &Body| programme::named(other).as_ref() == Some(&name) && is_beside(other);
            at("number", c.around.others.iter().any(same))
        },
    },
];

fn recognised(c: &Case<'_>) -> Option<bool> {
    match c.body.kind() {
        Kind::NeedDecision => Some(c.text("outcome")? == "recognised"),
        _ => Some(c.text("recognised")? == "1"),
    }
}

/// `field`, if its date is more than so many working days (Monday to Friday) after the application.
pub(super) fn late(c: &Case<'_>, field: &'static str, days: usize) -> Option<Place> {
    let (from, to) = (c.date("application_date")?, c.date(field)?);
    let working = from.series(jiff::Span::new().days(1)).skip(1).take_while(|day| *day <= to).take(400);
    let working = working.filter(|day| {
        !matches!(day.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday)
    });
    any(&[field], |_| working.clone().count() > days)
}
