//! Rules on a centre's own business: contracts, marks, events, plan-reports, acts, attachments. What contradicts
//! itself is refused: it is the centre's own to mend.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{ToSpan as _, civil::Date};

use super::{Case, Place, Rule, Severity, any, at, day, number, programme, supplement, text, values};
use crate::{
    position::Digest,
    record::{Kind, Line},
    vocabulary,
};

use Severity::{Refuse, Warn};

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "K01",
        applies: &[(Kind::Contract, Refuse)],
        sentence: text("Договор кончается раньше, чем начинается.", "The contract ends before it starts."),
        source: "own",
        check: |c| {
            let start = c.date("start_date")?;
            any(&["end_date", "termination_date"], |field| c.date(field).is_some_and(|end| end < start))
        },
    },
    Rule {
        code: "K02",
        applies: &[(Kind::Contract, Warn)],
        sentence: text("Расторжение без причины или даты.", "A termination without its reason or date."),
        source: "442-ФЗ ст. 17",
        check: |c| {
            let ended = c.text("termination_date").is_some();
            let status = c.text("status").map(str::to_lowercase).unwrap_or_default();
            let ends = |word: &str| word.starts_with("расторг") || word.starts_with("прекра");
            let words: Vec<&str> =
                status.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
            let said = (0..words.len()).any(|at| ends(words[at]) && (at == 0 || words[at - 1] != "не"));
            at("termination_reason", ended && c.text("termination_reason").is_none())
                .or_else(|| at("termination_date", said && !ended))
        },
    },
    Rule {
        code: "K03",
        applies: &[(Kind::Contract, Warn)],
        sentence: text(
            "Договор заключён позже суток после предъявления программы.",
            "The contract was concluded more than a day after the programme was presented.",
        ),
        source: "442-ФЗ ст. 17",
        check: |c| at("date", c.date("date")? > c.date("presented_date")?.tomorrow().ok()?),
    },
    Rule {
        code: "K04",
        applies: &[(Kind::Contract, Warn)],
        sentence: text("У договора нет ни одной услуги.", "The contract has no service."),
        source: "442-ФЗ ст. 17",
        check: |c| at("no", c.lines().is_empty()),
    },
    Rule {
        code: "K05",
        applies: &[(Kind::Contract, Warn)],
        sentence: text(
            "Срок договора выходит за срок программы; без последнего дня — три года от её даты.",
            "The contract's term lies outside its programme's; without a last day that is three years from its date.",
        ),
        source: "442-ФЗ ст. 17; own",
        check: |c| {
            let of = |field| c.around.programme?.text(field).and_then(values::paper_date);
            let from = of("date");
            let until = of("valid_until").or_else(|| programme::longest(from?));
            let outside =
                |at: Date| from.is_some_and(|from| at < from) || until.is_some_and(|until| at > until);
            any(&["start_date", "end_date"], |field| c.date(field).is_some_and(outside))
        },
    },
    Rule {
        code: "K06",
        applies: &[(Kind::Contract, Warn)],
        sentence: text(
            "Плата больше предельной: на дому и в полустационаре — половины дохода сверх предельной величины, в стационаре — 75 % дохода.",
            "The charge is above the limit: at home and semi-residential half of the income above the threshold, residential 75 % of the income.",
        ),
        source: "442-ФЗ ст. 31, 32 (to be checked)",
        check: |c| at("price", c.whole("price")? > most(c, c.text("form"))?),
    },
    Rule {
        code: "K07",
        applies: &[(Kind::Contract, Warn)],
        sentence: text(
            "За услугу по уходу из дополнения к программе взимается плата: социальный пакет бесплатен.",
            "A care service of the supplement is charged for: the care package is free.",
        ),
        source: "модель СДУ (to be checked)",
        check: |c| {
            let assigned = c.around.supplement?;
            let name = |line: &Line| line.text("name").map(supplement::bare);
            // by its code or by its name: a contract may have another list's codes
            let in_package = |line: &Line| {
                let mut package = assigned.lines().iter().filter(|one| one.text("section") == Some("4"));
                let code = line.text("service_code");
                package.any(|one| {
                    code.is_some() && one.text("service_code") == code
                        || name(line).is_some() && name(one) == name(line)
                })
            };
            let cost = |line: &Line| number(line, "price").or_else(|| number(line, "tariff")).unwrap_or(0);
            c.line("price", |line| cost(line) > 0 && in_package(line))
        },
    },
    Rule {
        code: "K08",
        applies: &[(Kind::Contract, Warn)],
        sentence: text(
            "Дата, форма или сумма договора не читается: координационный центр её не прочтёт, и по ней ничего не проверено.",
            "A date, the form or an amount cannot be read: the coordination centre cannot either, and nothing is checked by it.",
        ),
        source: "own",
        check: |c| c.unread(&[], &[]),
    },
    Rule {
        code: "K09",
        applies: &[(Kind::Contract, Warn)],
        sentence: text(
            "Не указаны номер, дата или начало договора.",
            "The contract's number, date or start is missing.",
        ),
        source: "442-ФЗ ст. 17; own",
        check: |c| any(&["number", "date", "start_date"], |field| c.text(field).is_none()),
    },
    Rule {
        code: "M01",
        applies: &[(Kind::CompletionMark, Refuse)],
        sentence: text(
            "Отметка «частично» или «не выполнена» требует причины.",
            "The marks partly and not done need a reason.",
        ),
        source: "форма индивидуальной программы",
        check: |c| {
            at("reason", matches!(c.text("mark"), Some("partly" | "not_done")) && c.text("reason").is_none())
        },
    },
    Rule {
        code: "M02",
        applies: &[(Kind::CompletionMark, Refuse), (Kind::ServiceAct, Refuse)],
        sentence: text("Период кончается раньше, чем начинается.", "The period ends before it begins."),
        source: "own",
        check: |c| at("period_until", c.date("period_until")? < c.date("period_from")?),
    },
    Rule {
        code: "E01",
        applies: &[(Kind::Event, Refuse)],
        sentence: text("Событие кончается раньше, чем начинается.", "The event ends before it begins."),
        source: "own",
        check: |c| at("until", c.date("until")? < c.date("date")?),
    },
    Rule {
        code: "E02",
        applies: &[(Kind::Event, Refuse)],
        sentence: text(
            "Отказ не называет услугу и причину.",
            "A refusal does not name its service and reason.",
        ),
        source: "442-ФЗ ст. 9, 18 (to be checked)",
        check: |c| {
            let refusal = c.text("type") == Some("refusal");
            any(&["name", "reason"], |field| refusal && c.text(field).is_none())
        },
    },
    Rule {
        code: "T01",
        applies: &[(Kind::PlanReport, Refuse)],
        sentence: text(
            "Месяц вне 1–12, либо заполнены дни, которых в месяце нет.",
            "The month is not 1–12, or days are filled that it does not have.",
        ),
        source: "own",
        check: |c| {
            let (year, month) =
                (i16::try_from(c.whole("year")?).ok()?, i8::try_from(c.whole("month")?).ok()?);
            let Ok(first) = Date::new(year, month, 1) else { return at("month", true) };
            let beyond = CELLS.into_iter().skip(usize::try_from(first.days_in_month()).ok()?);
            let mut beyond = beyond.flat_map(|(plan, fact)| [plan, fact]);
            beyond.find_map(|cell| c.line(cell, |line| number(line, cell).unwrap_or(0) > 0))
        },
    },
    Rule {
        code: "T02",
        applies: &[(Kind::PlanReport, Warn)],
        sentence: text("Отклонение от плана без причины.", "A deviation from the plan without its reason."),
        source: "форма плана-отчёта",
        check: |c| {
            let deviates = |line: &Line| {
                CELLS
                    .iter()
                    .any(|(plan, fact)| number(line, plan).unwrap_or(0) != number(line, fact).unwrap_or(0))
            };
            c.line("reason", |line| line.text("reason").is_none() && deviates(line))
        },
    },
    Rule {
        code: "T03",
        applies: &[(Kind::PlanReport, Refuse)],
        sentence: text(
            "Итог минут не равен сумме по факту: минуты услуги × число раз.",
            "The total minutes are not the sum of what was done: minutes of a service × times.",
        ),
        source: "форма плана-отчёта",
        check: |c| {
            let minutes = |line: &Line| {
                let times = CELLS
                    .iter()
                    .map(|(_, fact)| number(line, fact).unwrap_or(0))
                    .fold(0, u64::saturating_add);
                number(line, "unit_minutes").unwrap_or(0).saturating_mul(times)
            };
            at(
                "total_minutes",
                c.whole("total_minutes")? != c.lines().iter().map(minutes).fold(0, u64::saturating_add),
            )
        },
    },
    Rule {
        code: "T04",
        applies: &[(Kind::PlanReport, Refuse)],
        sentence: text(
            "Итог дней не равен числу дней, в которые были услуги.",
            "The total days are not the days on which something was done.",
        ),
        source: "форма плана-отчёта",
        check: |c| {
            let done = |fact: &str| c.lines().iter().any(|line| number(line, fact).unwrap_or(0) > 0);
            let days = CELLS.iter().filter(|(_, fact)| done(fact)).count();
            at("total_days", c.whole("total_days")? != u64::try_from(days).ok()?)
        },
    },
    Rule {
        code: "T05",
        applies: &[(Kind::PlanReport, Warn)],
        sentence: text("Заполнены дни вне срока договора.", "Days outside the contract's term are filled."),
        source: "форма плана-отчёта",
        check: outside_contract,
    },
    Rule {
        code: "T06",
        applies: &[(Kind::PlanReport, Warn)],
        sentence: text(
            "Месяц плана-отчёта больше чем на год впереди: вероятно, ошибка.",
            "The month of the plan-report is more than a year ahead; it was probably mistyped.",
        ),
        source: "own",
        check: |c| {
            let (year, month) =
                (i16::try_from(c.whole("year")?).ok()?, i8::try_from(c.whole("month")?).ok()?);
            let limit = c.around.today?.checked_add(1.year()).ok()?;
            at("year", Date::new(year, month, 1).ok()? > limit)
        },
    },
    Rule {
        code: "T07",
        applies: &[(Kind::PlanReport, Warn)],
        sentence: text(
            "Не указан итог минут или дней: факт нечем проверить.",
            "The total of minutes or of days is missing: nothing to check what was done by.",
        ),
        source: "форма плана-отчёта",
        check: |c| any(&["total_minutes", "total_days"], |field| c.text(field).is_none()),
    },
    Rule {
        code: "N01",
        applies: &[(Kind::ServiceAct, Refuse)],
        sentence: text("Итог акта не равен сумме строк.", "The act's total is not the sum of its lines."),
        source: "own",
        check: |c| at("total", c.whole("total")? != amounts(c)),
    },
    Rule {
        code: "N02",
        applies: &[(Kind::ServiceAct, Refuse)],
        sentence: text(
            "Сумма строки не равна количеству × тариф.",
            "A line's amount is not quantity × tariff.",
        ),
        source: "own",
        check: |c| {
            c.line("amount", |line| {
                product(line).zip(number(line, "amount")).is_some_and(|(product, amount)| product != amount)
            })
        },
    },
    Rule {
        code: "N06",
        applies: &[(Kind::ServiceAct, Warn)],
        sentence: text(
            "Сумма строки указана без количества или тарифа.",
            "A line has an amount without quantity or tariff.",
        ),
        source: "own",
        check: |c| {
            let lacks =
                |line: &Line, field: &str| number(line, "amount").is_some() && line.text(field).is_none();
            c.line("quantity", |line| lacks(line, "quantity"))
                .or_else(|| c.line("tariff", |line| lacks(line, "tariff")))
        },
    },
    Rule {
        code: "N07",
        applies: &[(Kind::ServiceAct, Warn)],
        sentence: text(
            "Не указан итог акта: стоимость услуг нечем проверить.",
            "The act's total is missing: nothing to check what the services cost by.",
        ),
        source: "own",
        check: |c| {
            let costs = c.text("charged").is_some() || c.lines().iter().any(|line| amount(line).is_some());
            at("total", costs && c.text("total").is_none())
        },
    },
    Rule {
        code: "N03",
        applies: &[(Kind::ServiceAct, Refuse)],
        sentence: text(
            "С получателя взято больше, чем стоят услуги.",
            "The recipient is charged more than the total.",
        ),
        source: "442-ФЗ ст. 32",
        check: |c| at("charged", c.whole("charged")? > c.whole("total").unwrap_or_else(|| amounts(c))),
    },
    Rule {
        code: "N05",
        applies: &[(Kind::ServiceAct, Warn)],
        sentence: text(
            "Взято больше предельной платы за месяцы акта: на дому и в полустационаре — половины дохода сверх предельной величины, в стационаре — 75 % дохода.",
            "More was charged than the limit for the act's months: at home and semi-residential half of the income above the threshold, residential 75 % of the income.",
        ),
        source: "442-ФЗ ст. 31, 32 (to be checked)",
        check: |c| {
            let form = c.around.contract.and_then(|contract| contract.text("form"));
            at("charged", c.whole("charged")? > most(c, form)?.saturating_mul(months(c)))
        },
    },
    Rule {
        code: "N04",
        applies: &[(Kind::ServiceAct, Refuse), (Kind::UrgentAct, Refuse)],
        sentence: text("В акте нет ни одной услуги.", "The act has no service."),
        source: "442-ФЗ ст. 17; ст. 21 (to be checked)",
        check: |c| at("no", c.lines().is_empty()),
    },
    Rule {
        code: "U01",
        applies: &[(Kind::UrgentAct, Refuse)],
        sentence: text(
            "Срочная услуга оказана раньше обращения.",
            "An urgent service was rendered before it was asked for.",
        ),
        source: "442-ФЗ ст. 21 (to be checked)",
        check: |c| {
            let request = c.date("request_date")?;
            c.line("date", |line| day(line, "date").is_some_and(|day| day < request))
                .or_else(|| at("date", c.date("date")? < request))
        },
    },
    Rule {
        code: "F01",
        applies: &[(Kind::Attachment, Refuse)],
        sentence: text(
            "Содержимое файла не соответствует его размеру или SHA-256.",
            "The content has not the size or the SHA-256 stated.",
        ),
        source: "own",
        check: |c| {
            let bytes = STANDARD.decode(c.text("content")?).ok()?;
            at("size", c.whole("size") != u64::try_from(bytes.len()).ok())
                .or_else(|| at("sha256", c.text("sha256") != Some(Digest::of(&bytes).to_string().as_str())))
        },
    },
    Rule {
        code: "F02",
        applies: &[(Kind::Attachment, Refuse)],
        sentence: text(
            "У файла нет ни содержимого, ни места хранения.",
            "The file has neither content nor a location.",
        ),
        source: "own",
        check: |c| at("content", c.text("content").is_none() && c.text("location").is_none()),
    },
    Rule {
        code: "F03",
        applies: &[(Kind::Attachment, Refuse)],
        sentence: text("Файл не относится ни к одной записи.", "The file belongs to no record."),
        source: "own",
        check: |c: &Case<'_>| {
            let owners = ["recipient", "programme", "supplement", "contract", "assessment", "service_act"];
            at("recipient", owners.iter().all(|field| c.text(field).is_none()))
        },
    },
];

/// In how many months the period of an act lies: of thirty-one days or less, one.
fn months(c: &Case<'_>) -> u64 {
    let Some((from, until)) = c.date("period_from").zip(c.date("period_until")) else { return 1 };
    if until <= from.saturating_add(30.days()) {
        return 1;
    }
    let month = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
    u64::try_from(month(until) - month(from) + 1).unwrap_or(1)
}

/// The sum of an act's lines.
fn amounts(c: &Case<'_>) -> u64 {
    c.lines().iter().filter_map(amount).fold(0, u64::saturating_add)
}

/// What a line of an act costs: as stated, else quantity × tariff.
fn amount(line: &Line) -> Option<u64> {
    number(line, "amount").or_else(|| product(line))
}

fn product(line: &Line) -> Option<u64> {
    Some(number(line, "quantity")?.saturating_mul(number(line, "tariff")?))
}

/// The most, in kopecks, that the person may be charged for a month of services in `form` (442-ФЗ art. 31, 32); where no form is
/// stated, in the one in which it is most. Without a threshold it is as if that were 0: whatever it is, more is never allowed.
fn most(c: &Case<'_>, form: Option<&str>) -> Option<u64> {
    let of = |field| c.around.person?.text(field).and_then(values::whole);
    let income = of("income_amount")?;
    let form = form.map_or(Some("residential"), |form| vocabulary::code("form", form))?;
    Some(match form {
        "residential" => income.saturating_mul(3) / 4,
        _ => income.saturating_sub(of("income_threshold").unwrap_or(0)) / 2,
    })
}

fn outside_contract(c: &Case<'_>) -> Option<Place> {
    let of = |field| c.around.contract?.text(field).and_then(values::paper_date);
    let (from, until) = (of("start_date"), of("termination_date").or_else(|| of("end_date")));
    let (year, month) = (i16::try_from(c.whole("year")?).ok()?, i8::try_from(c.whole("month")?).ok()?);
    (1..).zip(CELLS).find_map(|(n, (plan, fact))| {
        let day = Date::new(year, month, n).ok()?;
        let outside = from.is_some_and(|from| day < from) || until.is_some_and(|until| day > until);
        let filled = |cell| c.line(cell, |line| number(line, cell).unwrap_or(0) > 0);
        outside.then(|| filled(plan).or_else(|| filled(fact))).flatten()
    })
}

/// The cells of a plan-report's line by day: plan and fact.
#[rustfmt::skip]
const CELLS: [(&str, &str); 31] = [
    ("plan_01", "fact_01"), ("plan_02", "fact_02"), ("plan_03", "fact_03"), ("plan_04", "fact_04"),
    ("plan_05", "fact_05"), ("plan_06", "fact_06"), ("plan_07", "fact_07"), ("plan_08", "fact_08"),
    ("plan_09", "fact_09"), ("plan_10", "fact_10"), ("plan_11", "fact_11"), ("plan_12", "fact_12"),
    ("plan_13", "fact_13"), ("plan_14", "fact_14"), ("plan_15", "fact_15"), ("plan_16", "fact_16"),
    ("plan_17", "fact_17"), ("plan_18", "fact_18"), ("plan_19", "fact_19"), ("plan_20", "fact_20"),
    ("plan_21", "fact_21"), ("plan_22", "fact_22"), ("plan_23", "fact_23"), ("plan_24", "fact_24"),
    ("plan_25", "fact_25"), ("plan_26", "fact_26"), ("plan_27", "fact_27"), ("plan_28", "fact_28"),
    ("plan_29", "fact_29"), ("plan_30", "fact_30"), ("plan_31", "fact_31"),
];
