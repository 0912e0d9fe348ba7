//! Rules on individual programmes (ИППСУ): of the hub, and as a centre knows them.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date};

use super::{Case, Place, Rule, Severity, at, code_of, day, need, number, supplement, text, values};
use crate::{
    invisible,
    record::{Body, Field, FieldProblem, Finding, Kind, Line},
    typed, typed_date, vocabulary,
};

use Severity::{Refuse, Warn};

const WARN: &[(Kind, Severity)] = &[(Kind::ProgrammeClaim, Warn), (Kind::Programme, Warn)];
const STRICT: &[(Kind, Severity)] = &[(Kind::ProgrammeClaim, Warn), (Kind::Programme, Refuse)];

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "P01",
        applies: STRICT,
        sentence: text(
            "Программа действует дольше трёх лет.",
            "The programme's term is longer than three years.",
        ),
        source: "442-ФЗ ст. 16",
        check: |c| at("valid_until", c.date("valid_until")? > longest(c.date("date")?)?),
    },
    Rule {
        code: "P02",
        applies: STRICT,
        sentence: text("Программа кончается раньше, чем начинается.", "The programme ends before it begins."),
        source: "own",
        check: |c| at("valid_until", c.date("valid_until")? < c.date("date")?),
    },
    Rule {
        code: "P03",
        applies: STRICT,
        sentence: text(
            "Срок услуги выходит за срок программы или кончается раньше, чем начинается.",
            "A service's term lies outside the programme's, or ends before it begins.",
        ),
        source: "442-ФЗ ст. 16",
        check: |c| {
            let from = c.date("date");
            let until = c.date("valid_until").or_else(|| longest(from?));
            let is_reversed = |line: &Line| Some(day(line, "valid_until")? < day(line, "valid_from")?);
            let outside = |at: Option<Date>| {
                at.is_some_and(|at| {
                    from.is_some_and(|from| at < from) || until.is_some_and(|until| at > until)
                })
            };
            c.line("valid_from", |line| outside(day(line, "valid_from")))
                .or_else(|| c.line("valid_until", |line| outside(day(line, "valid_until"))))
                .or_else(|| c.line("valid_until", |line| is_reversed(line).unwrap_or(false)))
        },
    },
    Rule {
        code: "P04",
        applies: WARN,
        sentence: text(
            "В программе нет ни одной услуги и ни одного отказа.",
            "The programme has neither a service nor a refusal.",
        ),
        source: "442-ФЗ ст. 16",
        check: |c| {
            let counts =
                |line: &Line| matches!(code_of(line, "part"), None | Some("service" | "care" | "refusal"));
            at("no", !c.lines().iter().any(counts))
        },
    },
    Rule {
        code: "P05",
        applies: STRICT,
        sentence: text(
            "У человека уже есть действующая программа на этот срок.",
            "The person has another programme in force in this term.",
        ),
        source: "own",
        check: second_active,
    },
    Rule {
        code: "P06",
        applies: STRICT,
        sentence: text(
            "В программе бывают только виды услуг 1–7; срочные услуги оформляются актом.",
            "A programme has service kinds 1–7 only; urgent services are recorded by an act.",
        ),
        source: "442-ФЗ ст. 16, 20; ст. 21 (to be checked)",
        check: |c| c.line("service_kind", |line| code_of(line, "service_kind") == Some("8")),
    },
    Rule {
        code: "P07",
        applies: STRICT,
        sentence: text(
            "Периодичность разобрана не до конца: число раз и за какой срок указываются вместе («по потребности» — без числа).",
            "The structured frequency is incomplete: count and period go together (on demand has no count).",
        ),
        source: "own",
        check: |c| {
            c.line("frequency_count", |line| {
                let counted = line.text("frequency_count").is_some();
                match code_of(line, "frequency_per").or_else(|| line.text("frequency_per")) {
                    None | Some("on_demand") => counted,
                    Some(_) => !counted,
                }
            })
        },
    },
    Rule {
        code: "P08",
        applies: WARN,
        sentence: text(
            "Программа составлена позже десяти рабочих дней после заявления (праздники не учтены).",
            "The programme was drawn up more than ten working days after the application (holidays not counted).",
        ),
        source: "442-ФЗ ст. 16",
        check: |c| need::late(c, "date", 10),
    },
    Rule {
        code: "P09",
        applies: WARN,
        sentence: text(
            "Отказ от услуги без причины или даты.",
            "A refusal of a service without reason or date.",
        ),
        source: "форма индивидуальной программы",
        check: |c| {
            let refusal = |line: &Line| code_of(line, "part") == Some("refusal");
            c.line("reason", |line| refusal(line) && line.text("reason").is_none())
                .or_else(|| c.line("date", |line| refusal(line) && line.text("date").is_none()))
        },
    },
    Rule {
        code: "P10",
        applies: STRICT,
        sentence: text(
            "Заключение «частично» или «не выполнена» требует причины.",
            "The conclusions partly and not done need a reason.",
        ),
        source: "форма индивидуальной программы",
        check: |c| {
            let short = matches!(code_of(c.body.head(), "conclusion"), Some("partly" | "not_done"));
            at("conclusion_reason", short && c.text("conclusion_reason").is_none())
        },
    },
    Rule {
        code: "P11",
        applies: &[
            (Kind::ProgrammeClaim, Warn),
            (Kind::Programme, Warn),
            (Kind::SupplementClaim, Warn),
            (Kind::Supplement, Warn),
        ],
        sentence: text(
            "Услуга назначена чаще, чем допускает справочник услуг.",
            "A service is assigned more often than the directory of services allows.",
        ),
        source: "перечень услуг региона (442-ФЗ ст. 8)",
        check: too_often,
    },
    Rule {
        code: "P12",
        applies: &[
            (Kind::ProgrammeClaim, Warn),
            (Kind::Programme, Warn),
            (Kind::SupplementClaim, Warn),
            (Kind::Supplement, Warn),
        ],
        sentence: text(
            "Последний день действия не указан или нечитаем: сроки услуг проверяются по трём годам.",
            "The last day is missing or cannot be read: terms of services are checked by three years.",
        ),
        source: "форма индивидуальной программы и дополнения",
        check: |c| at("valid_until", c.date("valid_until").is_none()),
    },
    Rule {
        code: "P13",
        applies: &[(Kind::ProgrammeClaim, Warn)],
        sentence: text(
            "Срок услуги не читается как дата: координационный центр его не опубликует.",
            "A service's term is no date that can be read: the coordination centre will not publish it.",
        ),
        source: "форма индивидуальной программы",
        check: |c| {
            let unread = |line: &Line, field: &str| line.text(field).is_some() && day(line, field).is_none();
            c.line("valid_from", |line| unread(line, "valid_from"))
                .or_else(|| c.line("valid_until", |line| unread(line, "valid_until")))
        },
    },
    Rule {
        code: "P14",
        applies: &[(Kind::ProgrammeClaim, Warn), (Kind::SupplementClaim, Warn)],
        sentence: text(
            "Номер или дата документа не указаны либо не читаются: координационный центр его не опубликует.",
            "The document's number or date is missing or cannot be read: the coordination centre will not publish it.",
        ),
        source: "форма индивидуальной программы и дополнения; own",
        check: |c| at(nameless(c.body)?, true),
    },
    Rule {
        code: "P15",
        applies: WARN,
        sentence: text(
            "Состояние программы не из известных слов: программа считается действующей.",
            "The programme's status is no known word: the programme counts as in force.",
        ),
        source: "own",
        check: |c| at("status", vocabulary::code("programme_status", c.text("status")?).is_none()),
    },
    Rule {
        code: "P16",
        applies: &[(Kind::ProgrammeClaim, Warn), (Kind::SupplementClaim, Warn)],
        sentence: text(
            "Значение не читается, либо у строки нет названия или раздела: координационный центр этого не опубликует.",
            "A value cannot be read, or a line has no name or section: the coordination centre will not publish it.",
        ),
        source: "own",
        // of the other dates P12, P13 and P14 tell, of what means something else when it is absent P17
        check: |c| {
            let of_line: &[&str] = match c.body.kind() {
                Kind::ProgrammeClaim => &["valid_from", "valid_until", "part"],
                _ => &MISTAKABLE,
            };
            let of_head: Vec<&str> = ["date", "valid_until"].into_iter().chain(VOLUME).collect();
            c.unread(&of_head, of_line)
        },
    },
    Rule {
        code: "P17",
        applies: &[(Kind::ProgrammeClaim, Warn), (Kind::SupplementClaim, Warn)],
        sentence: text(
            "Не читается, что это за строка программы, когда и сколько минут оказывается услуга дополнения либо его объём: координационный центр документ не опубликует.",
            "What a programme's line is, when and for how many minutes a supplement's service is given, or its volume, cannot be read: the coordination centre will not publish the document.",
        ),
        source: "own",
        check: |c| mistakable(c.typed),
    },
];

/// Fields of a line that mean something else when they are absent: a line of a programme without a part is a service, one of a
/// supplement without weeks is of every week, without a day of none.
const MISTAKABLE: [&str; 10] =
    ["part", "weeks", "unit_minutes", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What a supplement states of its volume, by which the rules judge its grid: left out, the rules would be silent.
const VOLUME: [&str; 10] = [
    "level_hours",
    "weekly_minutes",
    "days_per_week",
    "week_1",
    "week_2",
    "week_3",
    "week_4",
    "week_5",
    "month_minutes",
    "month_services",
];

/// The first of them that nobody can read. But for a dash and «нет» nothing is «nothing» there: neither a tick nor a question mark.
fn mistakable(body: &Body) -> Option<Place> {
    let (of_head, of_lines) = typed::fields(body.kind());
    let unread = |field: &Field, line: &Line| {
        typed::is_unread(field, line) || line.text(field.name).is_some_and(|text| !is_left_out(text))
    };
    let volume = of_head.iter().find(|field| VOLUME.contains(&field.name) && unread(field, body.head()));
    let volume = volume.map(|field| Place { field: field.name, line: None });
    let fields = || of_lines.iter().filter(|field| MISTAKABLE.contains(&field.name));
    volume.or_else(|| {
        (1..).zip(body.lines()).find_map(|(n, line)| {
            let field = fields().find(|field| unread(field, line))?;
            Some(Place { field: field.name, line: Some(n) })
        })
    })
}

/// Whether `text` can be read, or says by a dash or «нет» that there is nothing.
fn is_left_out(text: &str) -> bool {
    let text = text.trim();
    typed::plain(text).is_some()
        || ["нет", "no", "none"].contains(&text.to_lowercase().as_str())
        || text.chars().all(|c| matches!(c, '-' | '‐'..='―' | '−') || invisible::is_mark(c))
}

fn too_often<'a>(c: &Case<'a>) -> Option<Place> {
    let of_week = matches!(c.body.kind(), Kind::Supplement | Kind::SupplementClaim);
    let mut assigned: BTreeMap<&str, u64> = BTreeMap::new();
    let mut often = |line: &'a Line| {
        let code = line.text("service_code")?;
        let service = c.around.directory.iter().find(|service| service.text("code") == Some(code))?;
        let most = values::whole(service.text("frequency_count")?)?
            .saturating_mul(in_a_year(service.text("frequency_per")?)?.1);
        let times = if of_week {
            supplement::times_a_year(line)?
        } else {
            number(line, "frequency_count")?.saturating_mul(in_a_year(code_of(line, "frequency_per")?)?.0)
        };
        let sum = assigned.entry(code).or_default();
        *sum = sum.saturating_add(times);
        Some(*sum > most)
    };
    let field = if of_week { "service_code" } else { "frequency_count" };
    let at = c.lines().iter().position(|line| often(line).unwrap_or(false))?;
    Some(Place { field, line: Some(at + 1) })
}

/// How many such periods a year has at least and at most, so that once a week and four times a month are one.
fn in_a_year(per: &str) -> Option<(u64, u64)> {
    match per {
        "day" => Some((364, 365)),
        "week" => Some((52, 52)),
        "month" => Some((12, 13)),
        "year" => Some((1, 1)),
        _ => None,
    }
}

/// The number and the date by which the document `body`, a programme or supplement, is told from others of the person.
/// `None` if one of them says nothing or cannot be read.
pub fn named(body: &Body) -> Option<(String, Date)> {
    let date = typed_date::parse_paper_date(body.text("date")?)?;
    Some((number::number(body.text("number")?, Some(date))?, date))
}

/// What keeps the claim `body` of a programme or supplement from being published whatever else it says: nobody can tell which
/// document it is (P14), or what a line of it means (P17).
pub fn unpublished(body: &Body) -> Option<Finding> {
    if !matches!(body.kind(), Kind::ProgrammeClaim | Kind::SupplementClaim) {
        return None;
    }
    let found = |code: &'static str, Place { field, line }| {
        let rule = super::find(code)?;
        Some(Finding { field, line, problem: FieldProblem::Broken { code, sentence: rule.sentence } })
    };
    let [unnamed, mistaken] = UNPUBLISHED;
    match nameless(body) {
        Some(field) => found(unnamed, Place { field, line: None }),
        None => found(mistaken, mistakable(body)?),
    }
}

/// The codes of the rules for which a claim is no document: without number or date, with a line that can be mistaken.
pub const UNPUBLISHED: [&str; 2] = ["P14", "P17"];

/// The field for which the document `body` has no name.
fn nameless(body: &Body) -> Option<&'static str> {
    if !matches!(body.kind(), Kind::ProgrammeClaim | Kind::SupplementClaim) || named(body).is_some() {
        return None;
    }
    let has_number = body.text("number").is_some_and(|typed| number::number(typed, None).is_some());
    Some(if has_number { "date" } else { "number" })
}

/// The first and the last day of the programme `body`, as written, unless it has ended by its status. Without a last day
/// the longest term that the law allows (442-ФЗ art. 16: revised at least every three years). A status that is no known
/// word ends nothing: P15 tells of it.
pub fn term(body: &Body) -> Option<(Date, Date)> {
    let status = body.text("status").and_then(|status| vocabulary::code("programme_status", status));
    if status == Some("closed") {
        return None;
    }
    let from = values::paper_date(body.text("date")?)?;
    let until = body.text("valid_until").and_then(values::paper_date);
    Some((from, until.or_else(|| longest(from))?))
}

/// The last day of the longest term of what begins on the day `from`.
pub(super) fn longest(from: Date) -> Option<Date> {
    from.checked_add(3.years()).ok()
}

fn second_active(c: &Case<'_>) -> Option<Place> {
    let (from, until) = term(c.body)?;
    let current = |until: Date| c.around.today.is_none_or(|today| until >= today);
    let overlaps = |other: &Body| {
        term(other).is_some_and(|(from2, until2)| {
            from <= until2 && from2 <= until && current(until) && current(until2)
        })
    };
    at("date", c.around.others.iter().any(overlaps))
}
