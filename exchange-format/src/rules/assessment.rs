//! Rules on filled-in questionnaires (протокол ошибок проверки анкеты-опросника): what is asked, which answers there are,
//! points and bands come from the model (`crate::lists`), never from here.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Place, Rule, Severity, any, at, number, text, values};
use crate::{
    lists::{Answer, Question, Questionnaire},
    record::{Body, Kind, Line},
};

use Severity::{Refuse, Warn};

const REFUSE: &[(Kind, Severity)] = &[(Kind::Assessment, Refuse)];
const WARN: &[(Kind, Severity)] = &[(Kind::Assessment, Warn)];
/// The rules of this file are proposals of the project after the form.
const FORM: &str = "анкета-опросник; own";

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "A01",
        applies: REFUSE,
        sentence: text(
            "Не заполнены литера, номер или год, либо такой номер в этом году уже есть.",
            "Letter, number or year is missing, or the number is taken in that year.",
        ),
        source: FORM,
        check: |c| {
            let fields = ["litera", "number", "year"];
            let own = name(c.body);
            let taken = own.is_some() && c.around.others.iter().any(|other| name(other) == own);
            any(&fields, |field| c.text(field).is_none() || field == "number" && taken)
        },
    },
    Rule {
        code: "A01a",
        applies: WARN,
        sentence: text(
            "Год номера не тот, в котором проведена оценка.",
            "The year of the number is not that of the assessment.",
        ),
        source: "own",
        check: |c| at("year", u64::try_from(c.date("date")?.year()).ok()? != whole_year(c.whole("year")?)),
    },
    Rule {
        code: "A02",
        applies: WARN,
        sentence: text("Литера не первая буква фамилии.", "The letter is not the first of the surname."),
        source: FORM,
        check: |c| {
            let first = |text: &str| text.chars().next().map(|c| c.to_uppercase().to_string());
            at("litera", first(c.text("litera")?) != first(c.around.person?.text("surname")?))
        },
    },
    Rule {
        code: "A09",
        applies: REFUSE,
        sentence: text(
            "У блока нет отметки об источнике сведений (документы или слова), либо их несколько.",
            "A block lacks its provenance mark (documents or words), or has several.",
        ),
        source: FORM,
        check: |c| {
            let mut marks: BTreeMap<&str, &str> = BTreeMap::new();
            c.line("provenance", |line| line.text("provenance").is_none()).or_else(|| {
                let clash = c.lines().iter().position(|line| {
                    let (Some(block), Some(mark)) = (line.text("block"), line.text("provenance")) else {
                        return false;
                    };
                    *marks.entry(block).or_insert(mark) != mark
                });
                clash.map(|at| Place { field: "provenance", line: Some(at + 1) })
            })
        },
    },
    Rule {
        code: "A10",
        applies: REFUSE,
        sentence: text(
            "Отмечено «на основании документов», но ни один документ блока не назван.",
            "Marked as from documents, but no document of the block is named.",
        ),
        source: FORM,
        check: |c| {
            let named: BTreeSet<_> = c
                .lines()
                .iter()
                .filter(|line| line.text("document").is_some())
                .map(|line| line.text("block"))
                .collect();
            c.line("document", |line| {
                line.text("provenance") == Some("documents") && !named.contains(&line.text("block"))
            })
        },
    },
    Rule {
        code: "B01",
        applies: REFUSE,
        sentence: text(
            "На обязательный вопрос нет ответа, на вопрос с одним ответом их несколько, либо один ответ дан дважды.",
            "A mandatory question has no answer, a question for one answer has several, or an answer is given twice.",
        ),
        source: FORM,
        check: answered_once,
    },
    Rule {
        code: "B02",
        applies: REFUSE,
        sentence: text(
            "Такого вопроса или ответа нет в этой версии анкеты.",
            "This version of the questionnaire has no such question or answer.",
        ),
        source: FORM,
        check: |c| {
            let model = model(c)?;
            c.line("answer", |line| answer(model, line).is_none())
        },
    },
    Rule {
        code: "B03",
        applies: REFUSE,
        sentence: text("Ответ «нет» стоит рядом с другими.", "The answer “none” stands beside others."),
        source: FORM,
        check: |c| {
            let model = model(c)?;
            c.line("answer", |line| {
                let alone = answer(model, line).is_some_and(|(_, answer)| answer.excludes);
                alone
                    && c.lines()
                        .iter()
                        .filter(|other| other.text("question") == line.text("question"))
                        .count()
                        > 1
            })
        },
    },
    Rule {
        code: "B04",
        applies: REFUSE,
        sentence: text("Ответ «иное» не пояснён.", "The answer “other” is not explained."),
        source: FORM,
        check: |c| {
            let model = model(c)?;
            c.line("text", |line| {
                line.text("text").is_none()
                    && answer(model, line).is_some_and(|(_, answer)| answer.needs_text)
            })
        },
    },
    Rule {
        code: "B05",
        applies: REFUSE,
        sentence: text(
            "Баллы ответа не те, что в анкете.",
            "The answer's points are not the questionnaire's.",
        ),
        source: FORM,
        check: |c| {
            let model = model(c)?;
            c.line("points", |line| {
                answer(model, line).is_some_and(|(_, answer)| number(line, "points") != answer.points())
            })
        },
    },
    Rule {
        code: "B06",
        applies: REFUSE,
        sentence: text("Сумма баллов не равна итогу.", "The total is not the sum of the points."),
        source: FORM,
        check: |c| {
            let sum: u64 =
                c.lines().iter().filter_map(|line| number(line, "points")).fold(0, u64::saturating_add);
            at("total", c.whole("total")? != sum)
        },
    },
    Rule {
        code: "B07",
        applies: REFUSE,
        sentence: text("Уровень не тот, что даёт сумма баллов.", "The level is not that of the total."),
        source: FORM,
        check: |c| at("level", model(c)?.level(c.whole("total")?) != c.text("level")),
    },
    Rule {
        code: "B08",
        applies: WARN,
        sentence: text(
            "Уровень изменился на два и больше против прошлой оценки.",
            "The level has changed by two or more since the previous assessment.",
        ),
        source: FORM,
        check: |c| {
            let earlier = c.around.others.iter().filter(|other| other.text("date") < c.text("date"));
            let previous = earlier.max_by_key(|other| other.text("date"))?;
            at("level", c.whole("level")?.abs_diff(values::whole(previous.text("level")?)?) >= 2)
        },
    },
    Rule {
        code: "B09",
        applies: REFUSE,
        sentence: text(
            "Ответы противоречат друг другу (лежачий гуляет и подобное).",
            "Answers contradict each other (bedridden, yet walks outside, and the like).",
        ),
        source: FORM,
        check: |c| {
            let said = |pair: &[String; 2]| c.lines().iter().any(|line| says(line, pair));
            at("answer", model(c)?.contradiction.iter().any(|pair| said(&pair.one) && said(&pair.other)))
        },
    },
    Rule {
        code: "B10",
        applies: WARN,
        sentence: text(
            "Выбрана услуга, которая при таком ответе не нужна (ест сам, но назначено кормление).",
            "A service is selected that the answer makes needless (eats alone, yet feeding is assigned).",
        ),
        source: FORM,
        check: |c| {
            let selected: BTreeSet<&str> = selected(c.text("care_services")?).collect();
            let needless = model(c)?.unneeded.iter().any(|one| {
                c.lines().iter().any(|line| says(line, &one.answer))
                    && one.services.iter().any(|code| selected.contains(code.as_str()))
            });
            at("care_services", needless)
        },
    },
    Rule {
        code: "B11",
        applies: REFUSE,
        sentence: text(
            "В жилье живёт хотя бы один человек; «проживает один» исключает проживающих совместно.",
            "At least one person lives in the dwelling; living alone excludes co-residents.",
        ),
        source: FORM,
        check: |c| {
            at("residents", c.whole("residents") == Some(0)).or_else(|| {
                let others =
                    c.whole("co_residents").max(c.whole("residents").map(|all| all.saturating_sub(1)));
                at("co_residents", c.text("lives_alone") == Some("1") && others.unwrap_or(0) > 0)
            })
        },
    },
    Rule {
        code: "B17",
        applies: WARN,
        sentence: text(
            "Проживающих совместно не меньше, чем всех живущих в жилье.",
            "There are as many co-residents as people in the dwelling, or more.",
        ),
        source: "own",
        // of one who lives alone, and of a dwelling without people, B11 tells
        check: |c| {
            let all = c.whole("residents").filter(|all| *all > 0 && c.text("lives_alone") != Some("1"))?;
            at("co_residents", c.whole("co_residents")? >= all)
        },
    },
    Rule {
        code: "B18",
        applies: WARN,
        sentence: text(
            "Среди выбранных услуг есть код, которого нет в перечнях услуг по уходу.",
            "Among the services selected is a code that no list of care services has.",
        ),
        source: "own",
        check: |c| {
            let lists = c.around.lists?;
            let unknown = |code: &str| lists.care.iter().all(|list| list.service(code).is_none());
            at("care_services", selected(c.text("care_services")?).any(unknown))
        },
    },
    Rule {
        code: "B13",
        applies: REFUSE,
        sentence: text(
            "Анкеты этой модели нет в списках региона: ответы нечем проверить.",
            "The region's lists have no questionnaire of this model: nothing to check the answers by.",
        ),
        source: "own",
        check: |c| at("model", c.is_unlisted(|lists, model| lists.questionnaire(model).is_some())),
    },
    Rule {
        code: "B14",
        applies: REFUSE,
        sentence: text(
            "Не указаны сумма баллов, уровень или вывод о нуждаемости.",
            "The total, the level or the conclusion on need is missing.",
        ),
        source: FORM,
        check: |c| {
            // a level that lacks beside a total is B07's
            let level = c.text("level").is_some() || c.text("total").is_some();
            any(&["total", "recognised", "level"], |field| {
                c.text(field).is_none() && (field != "level" || !level)
            })
        },
    },
    Rule {
        code: "B15",
        applies: REFUSE,
        sentence: text(
            "Вопрос стоит не в том блоке, что в анкете: отметка об источнике относится к чужому блоку.",
            "A question stands in another block than the questionnaire's: its provenance mark is of a foreign block.",
        ),
        source: FORM,
        check: |c| {
            let model = model(c)?;
            c.line("block", |line| {
                let question = line.text("question").and_then(|code| model.question(code));
                question.is_some_and(|question| line.text("block") != Some(question.block.as_str()))
            })
        },
    },
    Rule {
        code: "B16",
        applies: WARN,
        sentence: text(
            "Уровень определён, а рекомендованные часы в неделю не указаны.",
            "There is a level, but the recommended hours a week are missing.",
        ),
        source: FORM,
        check: |c| at("weekly_minutes", c.text("level")? != "0" && c.text("weekly_minutes").is_none()),
    },
    Rule {
        code: "C01",
        applies: REFUSE,
        sentence: text(
            "Дата оценки позже сегодняшней или решения, либо раньше заявления.",
            "The assessment is after today or the decision, or before the application.",
        ),
        source: FORM,
        check: |c| {
            let date = c.date("date")?;
            let wrong = c.around.today.is_some_and(|today| date > today)
                || c.date("application_date").is_some_and(|application| date < application)
                || c.date("decision_date").is_some_and(|decision| date > decision);
            at("date", wrong)
        },
    },
    Rule {
        code: "C02",
        applies: REFUSE,
        sentence: text(
            "Не названы эксперты, нет подписи гражданина (за недееспособного — представителя) или документа представителя.",
            "No assessor, no signature of the citizen (for an incapable one of the representative), or no document of the representative.",
        ),
        source: FORM,
        check: |c| {
            let by_representative = c.text("signed_by") == Some("representative");
            let capacity = c.around.person.and_then(|person| person.text("capacity"));
            let signs_in_vain = capacity == Some("недееспособен") && c.text("signed_by") == Some("citizen");
            any(&["assessors", "signed_by", "representative_document"], |field| {
                c.text(field).is_none() && (field != "representative_document" || by_representative)
            })
            .or_else(|| at("signed_by", signs_in_vain))
        },
    },
    Rule {
        code: "C11",
        applies: WARN,
        sentence: text(
            "Дата следующей оценки не указана или прошла.",
            "The next assessment has no date, or it has passed.",
        ),
        source: FORM,
        check: |c| {
            let (next, date) = (c.date("next_date"), c.date("date"));
            let past = |today| next.is_some_and(|next| next < today);
            // a later assessment of the person is the next one
            let later = |other: &Body| {
                let of = other.text("date").and_then(values::paper_date);
                other.text("recipient") == c.text("recipient") && of.is_some() && of > date
            };
            let followed = c.around.others.iter().any(later);
            at("next_date", !followed && (next.is_none() || c.around.today.is_some_and(past)))
        },
    },
];

/// What an assessment is told apart by: the year, of which two digits may be typed, and the number.
pub fn name(body: &Body) -> Option<(u64, String)> {
    let year = whole_year(values::whole(body.text("year")?)?);
    Some((year, bare_number(body.text("number")?)))
}

/// A year of which two digits may be typed.
const fn whole_year(year: u64) -> u64 {
    if year < 100 { 2000 + year } else { year }
}

/// A number as it is told apart: `№017` is `17`, and `17-2` is not `172`.
fn bare_number(text: &str) -> String {
    let letters: String =
        text.to_lowercase().chars().filter(|c| c.is_alphanumeric() || "-/".contains(*c)).collect();
    letters.trim_start_matches('0').to_owned()
}

/// The codes in a list of services.
fn selected(services: &str) -> impl Iterator<Item = &str> {
    services.split([' ', ',', ';']).filter(|code| !code.is_empty())
}

fn answered_once<'a>(c: &Case<'a>) -> Option<Place> {
    let answers = |question: &Question| {
        c.lines().iter().filter(|line| line.text("question") == Some(question.code.as_str())).count()
    };
    let wrong = |question: &Question| {
        let answers = answers(question);
        question.mandatory && answers == 0 || !question.many && answers > 1
    };
    let mut given = BTreeSet::new();
    let again = |line: &'a Line| !given.insert((line.text("question"), line.text("answer")));
    at("question", model(c)?.question.iter().any(wrong) || c.lines().iter().any(again))
}

fn model<'a>(c: &Case<'a>) -> Option<&'a Questionnaire> {
    c.around.lists?.questionnaire(c.text("model")?)
}

/// The question and answer of a line, if the model has them.
fn answer<'a>(model: &'a Questionnaire, line: &Line) -> Option<(&'a Question, &'a Answer)> {
    let question = model.question(line.text("question")?)?;
    Some((question, question.answer(line.text("answer")?)?))
}

fn says(line: &Line, [question, answer]: &[String; 2]) -> bool {
    line.text("question") == Some(question.as_str()) && line.text("answer") == Some(answer.as_str())
}
