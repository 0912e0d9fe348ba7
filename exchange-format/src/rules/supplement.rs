//! Rules on supplements of long-term care (дополнение к ИППСУ, СДУ): hours, the weekly grid, the list of services.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Case, Place, Rule, Severity, any, at, need, number, programme, text, values};
use crate::{
    lists::Variant,
    record::{Kind, Line},
};

use Severity::{Refuse, Warn};

const STRICT: &[(Kind, Severity)] = &[(Kind::SupplementClaim, Warn), (Kind::Supplement, Refuse)];
const WARN: &[(Kind, Severity)] = &[(Kind::SupplementClaim, Warn), (Kind::Supplement, Warn)];

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WEEKS: [&str; 5] = ["week_1", "week_2", "week_3", "week_4", "week_5"];
/// The days (from Monday) of each week of the calculated month: 30 days, 5 + 7 + 7 + 7 + 4, read as a month that begins
/// on a Wednesday.
const MONTH: [std::ops::Range<usize>; 5] = [2..7, 0..7, 0..7, 0..7, 0..4];

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "S01",
        applies: STRICT,
        sentence: text(
            "Недельный объём или самая полная неделя месяца больше предела уровня: 840, 1260, 1680 минут.",
            "The weekly volume or the month's fullest week exceeds the level's ceiling: 840, 1260, 1680 minutes.",
        ),
        source: "модель СДУ: 14, 21, 28 часов в неделю",
        check: |c| {
            let ceiling = need::hours(c.text("care_level")?)?.1;
            let fullest = (0..5).map(|week| in_week(c, week, |line| minutes(line, &(0..7)))).max()?;
            at("weekly_minutes", volume(c)?.max(fullest) > ceiling)
        },
    },
    Rule {
        code: "S02",
        applies: WARN,
        sentence: text(
            "Недельный объём меньше начала уровня: 420, 840, 1260 минут.",
            "The weekly volume is below the level's floor: 420, 840, 1260 minutes.",
        ),
        source: "модель СДУ: 7, 14, 21 час в неделю",
        check: |c| at("weekly_minutes", volume(c)? < need::hours(c.text("care_level")?)?.0),
    },
    Rule {
        code: "S03",
        applies: STRICT,
        sentence: text(
            "Услуга стоит и среди назначенных, и среди гарантированных или ненужных (разделы 4, 5, 6).",
            "A service stands in more than one of the sections 4, 5, 6.",
        ),
        source: "форма дополнения к ИППСУ",
        check: |c| {
            let mut section: BTreeMap<&str, &str> = BTreeMap::new();
            let clash = c.lines().iter().position(|line| {
                let (Some(code), Some(of)) = (line.text("service_code"), line.text("section")) else {
                    return false;
                };
                *section.entry(code).or_insert(of) != of
            });
            clash.map(|at| Place { field: "section", line: Some(at + 1) })
        },
    },
    Rule {
        code: "S04",
        applies: STRICT,
        sentence: text(
            "Число дней в неделю не равно числу дней, на которые назначены услуги.",
            "The days per week are not the days on which services are assigned.",
        ),
        source: "форма дополнения к ИППСУ, 4.1",
        check: |c| at("days_per_week", c.whole("days_per_week")? != grid_days(c.lines())),
    },
    Rule {
        code: "S05",
        applies: STRICT,
        sentence: text(
            "Минуты недель или итог расчётного месяца (5+7+7+7+4 дней) не равны сумме по сетке.",
            "The minutes of the weeks or of the calculated month (5+7+7+7+4 days) are not the grid's sum.",
        ),
        source: "форма дополнения к ИППСУ, 4.3, 4.5",
        check: calculated_month,
    },
    Rule {
        code: "S06",
        applies: STRICT,
        sentence: text(
            "Срок дополнения кончается раньше начала.",
            "The supplement's term ends before it begins.",
        ),
        source: "own",
        check: |c| at("valid_until", c.date("valid_until")? < c.date("valid_from")?),
    },
    Rule {
        code: "S07",
        applies: WARN,
        sentence: text(
            "Срок дополнения выходит за срок программы (без последнего дня — три года от её даты), а без программы — за три года.",
            "The supplement's term lies outside its programme's (without a last day three years from its date), or without one is longer than three years.",
        ),
        source: "own",
        check: |c| {
            let of = |field| c.around.programme?.text(field).and_then(values::paper_date);
            let beyond = |(date, until): (Date, Date)| date > until;
            let unbound = c.text("programme").is_none();
            let from = c.date("valid_from").or_else(|| c.date("date")).filter(|_| unbound);
            let last = of("valid_until").or_else(|| programme::longest(of("date").or(from)?));
            at("valid_until", c.date("valid_until").zip(last).is_some_and(beyond))
                .or_else(|| at("valid_from", of("date").zip(c.date("valid_from")).is_some_and(beyond)))
        },
    },
    Rule {
        code: "S08",
        applies: STRICT,
        sentence: text(
            "Назначенной услуге нужны минуты и хотя бы один день; гарантированной и ненужной дни не ставятся.",
            "An assigned service needs minutes and a day; a guaranteed or needless one has no days.",
        ),
        source: "форма дополнения к ИППСУ, 4.4",
        check: |c| {
            let days = |line: &Line| DAYS.iter().any(|day| number(line, day).unwrap_or(0) > 0);
            c.line("unit_minutes", |line| match line.text("section") {
                Some("4") => !days(line) || number(line, "unit_minutes").unwrap_or(0) == 0,
                Some("5" | "6") => days(line),
                _ => false,
            })
        },
    },
    Rule {
        code: "S09",
        applies: STRICT,
        sentence: text(
            "Не указаны уровень, модель или, при сетке услуг, недельный объём и число дней в неделю.",
            "The level, the model or, where there is a grid, the weekly volume and the days per week are missing.",
        ),
        source: "форма дополнения к ИППСУ, 1, 3, 4.1",
        check: |c| {
            let gridded = section(c, "4").next().is_some();
            let fields = ["care_level", "model", "weekly_minutes", "days_per_week"];
            any(&fields[..if gridded { 4 } else { 2 }], |field| c.text(field).is_none())
        },
    },
    Rule {
        code: "S10",
        applies: STRICT,
        sentence: text(
            "Перечня услуг этой модели нет в списках региона: разделы нечем проверить.",
            "The region's lists have no list of services of this model: nothing to check the sections by.",
        ),
        source: "own",
        check: |c| at("model", c.is_unlisted(|lists, model| lists.care(model).is_some())),
    },
    Rule {
        code: "S11",
        applies: STRICT,
        sentence: text(
            "Услуга не каждой недели стоит по одному разу: дважды в месяц — на неделях 2 и 4, раз в месяц — на неделе 3.",
            "A service not of each week stands once a week: twice a month in weeks 2 and 4, once a month in week 3.",
        ),
        source: "форма дополнения к ИППСУ, 4.3",
        check: |c| {
            c.line("weeks", |line| {
                let Some(weeks) = line.text("weeks") else { return false };
                let weeks: BTreeSet<&str> = weeks.split_whitespace().collect();
                let stand = weeks == BTreeSet::from(["3"]) || weeks == BTreeSet::from(["2", "4"]);
                line.text("section") == Some("4") && !(stand && times(line) == 1)
            })
        },
    },
    Rule {
        code: "S12",
        applies: WARN,
        sentence: text(
            "Дополнение подписывает орган или уполномоченная организация, которая не является поставщиком.",
            "A supplement is signed by the body or an authorised organisation that is not a provider.",
        ),
        source: "форма дополнения к ИППСУ, 7",
        check: |c| at("issuer", bare(c.text("issuer")?) == bare(c.text("provider")?)),
    },
    Rule {
        code: "S13",
        applies: WARN,
        sentence: text(
            "Под этим кодом в перечне модели стоит услуга с другим названием.",
            "The model's list has a service of another name under this code.",
        ),
        source: "own",
        check: |c| {
            let list = c.around.lists?.care(c.text("model")?)?;
            c.line("name", |line| {
                let service = line.text("service_code").and_then(|code| list.service(code));
                service
                    .zip(line.text("name"))
                    .is_some_and(|(service, name)| bare(&service.name) != bare(name))
            })
        },
    },
    Rule {
        code: "S14",
        applies: WARN,
        sentence: text(
            "Услуга стоит в сетке дважды: это верно, только если она в разные дни длится по-разному.",
            "A service stands in the grid twice: right only if it takes another time on other days.",
        ),
        source: "форма дополнения к ИППСУ, 4.4",
        check: |c| {
            let mut seen = BTreeSet::new();
            let again = |line: &Line| {
                line.text("section") == Some("4")
                    && line.text("service_code").is_some_and(|code| !seen.insert(code.to_owned()))
            };
            c.lines().iter().position(again).map(|at| Place { field: "service_code", line: Some(at + 1) })
        },
    },
    Rule {
        code: "S15",
        applies: STRICT,
        sentence: text(
            "Часы уровня (раздел 2) больше предела уровня: 14, 21, 28 часов в неделю.",
            "The hours of the level (section 2) exceed its ceiling: 14, 21, 28 hours a week.",
        ),
        source: "форма дополнения к ИППСУ, 2; модель СДУ",
        check: |c| level_minutes(c).and_then(|(hours, _, ceiling)| at("level_hours", hours > ceiling)),
    },
    Rule {
        code: "S16",
        applies: WARN,
        sentence: text(
            "Часы уровня (раздел 2) меньше начала уровня: 7, 14, 21 час в неделю.",
            "The hours of the level (section 2) are below its floor: 7, 14, 21 hours a week.",
        ),
        source: "форма дополнения к ИППСУ, 2; модель СДУ",
        check: |c| level_minutes(c).and_then(|(hours, floor, _)| at("level_hours", hours < floor)),
    },
    Rule {
        code: "S17",
        applies: WARN,
        sentence: text(
            "При сетке услуг не указаны минуты недель или итоги расчётного месяца: проверить их нечем.",
            "There is a grid, but minutes of the weeks or the totals of the calculated month are missing: nothing to check.",
        ),
        source: "форма дополнения к ИППСУ, 4.3, 4.5",
        check: |c| {
            section(c, "4").next()?;
            let months = ["month_minutes", "month_services"];
            any(&WEEKS, |field| c.text(field).is_none())
                .or_else(|| any(&months, |field| c.text(field).is_none()))
        },
    },
    Rule {
        code: "S18",
        applies: WARN,
        sentence: text(
            "Дополнение не относится ни к одной программе.",
            "The supplement belongs to no programme.",
        ),
        source: "форма дополнения к ИППСУ",
        check: |c| at("programme", c.text("programme").is_none()),
    },
    Rule {
        code: "S19",
        applies: WARN,
        sentence: text(
            "Не указаны часы уровня (раздел 2).",
            "The hours of the level (section 2) are missing.",
        ),
        source: "форма дополнения к ИППСУ, 2",
        check: |c| at("level_hours", c.text("level_hours").is_none()),
    },
    Rule {
        code: "C06",
        applies: STRICT,
        sentence: text(
            "Разделы 4, 5 и 6 вместе не составляют перечня услуг модели, либо услуга в них без кода.",
            "The sections 4, 5 and 6 together are not the model's list of services, or a service has no code.",
        ),
        source: "форма дополнения к ИППСУ",
        check: |c| {
            let list = c.around.lists?.care(c.text("model")?)?;
            let shared = |line: &&Line| matches!(line.text("section"), Some("4" | "5" | "6"));
            let named: BTreeSet<Option<&str>> =
                c.lines().iter().filter(shared).map(|line| line.text("service_code")).collect();
            let listed = list.service.iter().map(|service| Some(service.code.as_str())).collect();
            at("service_code", named != listed)
        },
    },
    Rule {
        code: "C07",
        applies: STRICT,
        sentence: text(
            "Недельный объём не равен сумме сетки: минуты услуги × число раз.",
            "The weekly volume is not the grid's sum: minutes of a service × times.",
        ),
        source: "форма дополнения к ИППСУ, 3 и 4.4",
        check: |c| at("weekly_minutes", c.whole("weekly_minutes")? != grid_minutes(c.lines())),
    },
    Rule {
        code: "C08",
        applies: STRICT,
        sentence: text(
            "Посещений в день больше трёх, либо в день с услугами нет посещения, либо наоборот.",
            "More than three visits a day, or a day with services and no visit, or the reverse.",
        ),
        source: "форма дополнения к ИППСУ, 4.2",
        check: |c| {
            let count = |day: &str, line: &Line| number(line, day).unwrap_or(0);
            let visits = |day: &str, week: usize| -> u64 {
                let come = section(c, "4.2").filter(|line| stands_in(line, week));
                come.map(|line| count(day, line)).fold(0, u64::saturating_add)
            };
            let served = |day: &str, week: usize| {
                section(c, "4").any(|line| stands_in(line, week) && count(day, line) > 0)
            };
            // a visit of every week may serve what stands in some
            let in_vain = |day: &str, line: &Line| {
                let mut weeks = (0..5).filter(|week| stands_in(line, *week));
                count(day, line) > 0
                    && match line.text("weeks") {
                        None => !weeks.any(|week| served(day, week)),
                        Some(_) => !weeks.all(|week| served(day, week)),
                    }
            };
            any(&DAYS, |day| {
                (0..5).any(|week| {
                    let visits = visits(day, week);
                    visits > 3 || visits == 0 && served(day, week)
                }) || section(c, "4.2").any(|line| in_vain(day, line))
            })
        },
    },
    Rule {
        code: "C09",
        applies: STRICT,
        sentence: text(
            "Замещающая и ассистирующая услуги одного действия назначены на один день.",
            "The replacing and the assisting service of one action are assigned on the same day.",
        ),
        source: "own",
        check: replaced_and_assisted,
    },
    Rule {
        code: "C10",
        applies: STRICT,
        sentence: text(
            "Для услуги, которую гарантирует ближайшее окружение, не назван ни один человек.",
            "Nobody is named for a service that informal carers guarantee.",
        ),
        source: "форма дополнения к ИППСУ, 5",
        check: |c| {
            c.line("guarantor", |line| line.text("section") == Some("5") && line.text("guarantor").is_none())
        },
    },
];

fn section<'a>(c: &Case<'a>, name: &'static str) -> impl Iterator<Item = &'a Line> + use<'a> {
    c.lines().iter().filter(move |line| line.text("section") == Some(name))
}

/// The lines of the grid among `lines` that stand in every week.
fn weekly(lines: &[Line]) -> impl Iterator<Item = &Line> {
    lines.iter().filter(|line| line.text("section") == Some("4") && line.text("weeks").is_none())
}

/// Minutes a week by the grid among the `lines` of a supplement: time a time × times.
pub fn grid_minutes(lines: &[Line]) -> u64 {
    weekly(lines).map(|line| minutes(line, &(0..7))).fold(0, u64::saturating_add)
}

/// Days a week on which the grid among the `lines` of a supplement has a service.
pub fn grid_days(lines: &[Line]) -> u64 {
    let served = |day: &&&str| weekly(lines).any(|line| number(line, day).unwrap_or(0) > 0);
    DAYS.iter().filter(served).map(|_| 1).sum()
}

/// The sum of `what` over the grid's lines that stand in `week` of the month, counted from 0.
fn in_week(c: &Case<'_>, week: usize, what: impl Fn(&Line) -> u64) -> u64 {
    section(c, "4").filter(|line| stands_in(line, week)).map(what).fold(0, u64::saturating_add)
}

/// Whether a line stands in `week` of the month, counted from 0.
fn stands_in(line: &Line, week: usize) -> bool {
    line.text("weeks").is_none_or(|weeks| weeks.split_whitespace().any(|no| no.parse() == Ok(week + 1)))
}

/// The hours of the level (section 2) in minutes, with the floor and ceiling of the level.
fn level_minutes(c: &Case<'_>) -> Option<(u64, u64, u64)> {
    let (floor, ceiling) = need::hours(c.text("care_level")?)?;
    Some((c.whole("level_hours")?.saturating_mul(60), floor, ceiling))
}

/// The letters and digits of a name.
pub(super) fn bare(text: &str) -> String {
    text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The weekly volume: as stated, else the grid's.
fn volume(c: &Case<'_>) -> Option<u64> {
    let gridded = || section(c, "4").next().is_some();
    c.whole("weekly_minutes").or_else(|| gridded().then(|| grid_minutes(c.lines())))
}

/// Times in a week in which it stands.
fn times(line: &Line) -> u64 {
    times_on(line, &(0..7))
}

/// Times a year at least of a line of the grid.
pub(super) fn times_a_year(line: &Line) -> Option<u64> {
    let weeks = line.text("weeks").map(|weeks| weeks.split_whitespace().count() as u64);
    (line.text("section") == Some("4"))
        .then(|| times(line).saturating_mul(weeks.map_or(52, |weeks| weeks.saturating_mul(12))))
}

/// Times on `days`.
fn times_on(line: &Line, days: &std::ops::Range<usize>) -> u64 {
    DAYS[days.clone()].iter().map(|day| number(line, day).unwrap_or(0)).fold(0, u64::saturating_add)
}

/// Minutes on `days`: time a time × times.
fn minutes(line: &Line, days: &std::ops::Range<usize>) -> u64 {
    number(line, "unit_minutes").unwrap_or(0).saturating_mul(times_on(line, days))
}

fn calculated_month(c: &Case<'_>) -> Option<Place> {
    let differs = |field: &'static str, sum: u64| c.whole(field).is_some_and(|stated| stated != sum);
    let weeks: Vec<u64> = (0..5).map(|week| in_week(c, week, |line| minutes(line, &MONTH[week]))).collect();
    let services =
        (0..5).map(|week| in_week(c, week, |line| times_on(line, &MONTH[week]))).fold(0, u64::saturating_add);
    (0..5)
        .find(|week| differs(WEEKS[*week], weeks[*week]))
        .map(|week| Place { field: WEEKS[week], line: None })
        .or_else(|| {
            at("month_minutes", differs("month_minutes", weeks.iter().copied().fold(0, u64::saturating_add)))
        })
        .or_else(|| at("month_services", differs("month_services", services)))
}

fn replaced_and_assisted(c: &Case<'_>) -> Option<Place> {
    let list = c.around.lists?.care(c.text("model")?)?;
    let mut seen: BTreeMap<(&str, &str, usize), Variant> = BTreeMap::new();
    for (n, line) in c.lines().iter().enumerate().filter(|(_, line)| line.text("section") == Some("4")) {
        let Some(service) = line.text("service_code").and_then(|code| list.service(code)) else { continue };
        let Some(variant) = service.variant else { continue };
        for day in DAYS.into_iter().filter(|day| number(line, day).unwrap_or(0) > 0) {
            for week in (0..5).filter(|week| stands_in(line, *week)) {
                if *seen.entry((&service.action, day, week)).or_insert(variant) != variant {
                    return Some(Place { field: day, line: Some(n + 1) });
                }
            }
        }
    }
    None
}
