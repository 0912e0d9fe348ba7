//! `review`: questions to staff, and their answers.

use std::{iter, path::PathBuf};

use clap::{Args, Subcommand};
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Failure, Lang},
};
use jiff::Timestamp;
use serde_json::json;

use super::config;
use crate::edges::operations::{
    decided::told,
    operator, others,
    question_table::{answers, refuse_existing, signature, write},
    questions::{self, Question, Side},
    reviews::{self, Applied, Insist},
    shown::{self, Evidence, Shown},
    signing,
    single::{self, One},
    table_file::{SHOWN, heading_of, shown as readable},
};

/// What can be done with questions to staff.
#[derive(Debug, Subcommand)]
pub enum Review {
    /// What waits for a decision, the most urgent first (harm times doubt), what was put off last
    List {
        /// Write it as a table that Excel opens (UTF-8, ;), with empty columns decision and reason; personal data
        #[arg(long, value_name = "FILE.csv")]
        out: Option<PathBuf>,
        /// Leave out what is with a colleague
        #[arg(long)]
        mine: bool,
    },
    /// One question in full: both records side by side, what differs, what speaks for and against; personal data
    Show {
        /// The number of the question
        #[arg(value_name = "N")]
        n: i64,
    },
    /// The two records are one person, or the two programmes one
    ///
    /// Either record may be one person with others by now (review show names them). If two of these are never linked without
    /// asking (another valid СНИЛС, a generation apart, twins, another sex, a death before the other applied) and nobody has said
    /// that these two are one, nothing is joined: answer about these two first, take one out by `person split`, or say --all.
    Link {
        #[command(flatten)]
        why: Why,
        /// Change what was decided before
        #[arg(long)]
        revise: bool,
        /// All who become one person by it are one, also two who are never linked without asking; with --revise also two who were
        /// said to be two people
        #[arg(long)]
        all: bool,
    },
    /// The two records are two people, or both programmes stand
    Separate {
        #[command(flatten)]
        why: Why,
        /// Change what was decided before
        #[arg(long)]
        revise: bool,
    },
    /// Sign «one person» as the second: two persons of whom centres have been told become one when another account
    /// than the first has signed ([merge] second_signature)
    ///
    /// Look at the question first (review show). If the persons have changed since the first signature, the command says what has,
    /// and the question is to be answered anew (review link). With --refuse the first signature is taken away, by whoever; then
    /// the question waits as before.
    Sign {
        #[command(flatten)]
        why: Why,
        /// Do not sign: the first signature no longer counts
        #[arg(long)]
        refuse: bool,
        /// All who become one person by it are one, also two who are never linked without asking, and two who were said to be two
        /// people
        #[arg(long, conflicts_with = "refuse")]
        all: bool,
    },
    /// Put a question off: it stays open, after all others
    Defer {
        #[command(flatten)]
        why: Why,
    },
    /// Give a question to a colleague; one that was put off no longer is
    Assign {
        #[command(flatten)]
        why: Why,
        /// The colleague's account, as the system names it: letters a–z, digits, . _ -
        #[arg(long, value_name = "WHO")]
        to: String,
    },
    /// Take the decisions of a filled-in table, all of its lines or none: if one has a fault, or what it is about
    /// has changed since the table was written, nothing is decided
    ///
    /// decision: один or разные (one, different) of two records, or of two programmes (the same one entered twice,
    /// or both stand); подписать (sign) under one person that a colleague has signed; принять or отклонить (accept, decline) of a change or a proposal; оставить (keep) of a value that
    /// nobody can read. reason is required: auditors read it, and
    /// the centre whose wish is declined. Lines without a decision wait on.
    /// UTF-8 or Windows-1251; semicolons, commas or tabs. Applying the same file again changes nothing.
    Apply {
        /// The table
        #[arg(value_name = "FILE.csv")]
        file: PathBuf,
        /// Let this file change decisions taken before
        #[arg(long)]
        revise: bool,
        /// Where a line says that two are one, all who become one person by it are one, also two who are never linked without asking
        #[arg(long)]
        all: bool,
    },
}

/// A question and why it is answered so.
#[derive(Debug, Args)]
pub struct Why {
    /// The number of the question
    #[arg(value_name = "N")]
    n: i64,
    /// Why: auditors read it; name nobody else
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Why {
    fn one<'a>(&'a self, actor: &'a str, now: Timestamp) -> One<'a> {
        One { n: self.n, reason: &self.reason, actor, now }
    }
}

impl Review {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let (config, now, actor, lang) = (config(common)?, Timestamp::now(), operator(), common.lang);
        match self {
            Self::Show { n } => {
                let shown = shown::show(&config, *n, now)?;
                common.print(&shown, |lang| in_full(lang, &shown))
            }
            Self::Link { why, revise, all } => {
                let insist = Insist { revise: *revise, all: *all };
                let done = single::decide(&config, why.one(&actor, now), true, insist, lang)?;
                common.print(&done, |lang| applied(lang, &done))
            }
            Self::Separate { why, revise } => {
                let insist = Insist { revise: *revise, all: false };
                let done = single::decide(&config, why.one(&actor, now), false, insist, lang)?;
                common.print(&done, |lang| applied(lang, &done))
            }
            Self::Sign { why, refuse: true, .. } => {
                let protocol = signing::refuse(&config, why.one(&actor, now))?;
                let done = json!({ "review": why.n, "refused": true, "protocol": protocol });
                common.print(&done, |lang| {
                    let args = [("review", why.n.to_string().into())];
                    let first = messages::text(lang, "hub-review-unsigned", &args);
                    iter::once(first).chain(told(lang, protocol)).collect::<Vec<_>>().join("\n")
                })
            }
            Self::Sign { why, refuse: false, all } => {
                let done = single::sign(&config, why.one(&actor, now), *all, lang)?;
                common.print(&done, |lang| applied(lang, &done))
            }
            Self::Defer { why } => {
                single::put_off(&config, why.one(&actor, now), lang)?;
                common.print(&json!({ "review": why.n, "deferred": true }), |lang| {
                    messages::text(lang, "hub-review-deferred", &[("review", why.n.to_string().into())])
                })
            }
            Self::Assign { why, to } => {
                let resumed = single::assign(&config, why.one(&actor, now), to, lang)?;
                common.print(&json!({ "review": why.n, "assigned": to, "resumed": resumed }), |lang| {
                    let args = [("review", why.n.to_string().into()), ("who", to.clone().into())];
                    let id = if resumed { "hub-review-resumed" } else { "hub-review-assigned" };
                    messages::text(lang, id, &args)
                })
            }
            Self::List { out, mine } => {
                if let Some(path) = out {
                    refuse_existing(path)?;
                }
                let mut questions = questions::list(&config, now)?;
                questions.retain(|question| !mine || question.is_with(&actor));
                let Some(path) = out else {
                    return common.print(&json!({ "reviews": questions }), |lang| text(lang, &questions));
                };
                write(path, &questions, true, common.lang)?;
                let count = questions.len();
                common.print(&json!({ "reviews": count, "file": path }), |lang| {
                    let file = path.display().to_string();
                    messages::text(lang, "hub-review-file", &[("count", count.into()), ("file", file.into())])
                })
            }
            Self::Apply { file, revise, all } => {
                let insist = Insist { revise: *revise, all: *all };
                let done = reviews::apply(&config, file, insist, lang, &actor, now)?;
                common.print(&done, |lang| applied(lang, &done))
            }
        }
    }
}

pub(super) fn applied(lang: Lang, done: &Applied) -> String {
    let args = [
        ("decided", done.decided.into()),
        ("unchanged", done.unchanged.into()),
        ("left", done.left.into()),
        ("gone", done.gone.into()),
        ("persons", done.persons.into()),
    ];
    let joined = done.joined.iter().map(|person| {
        let args =
            [("case", person.case_number.clone().into()), ("centres", person.centres.join(", ").into())];
        messages::text(lang, "hub-review-joined", &args)
    });
    let waiting = done.waiting.iter().map(|one| {
        let at = messages::stored_moment(lang, &one.first.at);
        let args = [
            ("review", one.review.to_string().into()),
            ("who", one.first.actor.clone().into()),
            ("at", at.into()),
        ];
        messages::text(lang, "hub-review-waits", &args)
    });
    let over = done.over.iter().map(|against| {
        let why = others::bar(lang, against.barred.unwrap_or_default());
        let args = [
            ("one", against.one.clone().into()),
            ("other", against.other.clone().into()),
            ("why", why.into()),
        ];
        messages::text(lang, "hub-review-over", &args)
    });
    let apart = done
        .apart
        .iter()
        .map(|record| messages::text(lang, "hub-review-apart", &[("record", record.clone().into())]));
    let revised = done
        .revised
        .iter()
        .map(|review| messages::text(lang, "hub-review-revised", &[("review", review.to_string().into())]));
    let emptied = done.emptied.iter().map(|one| {
        let fields: Vec<String> = one.fields.iter().map(|field| heading_of(lang, field)).collect();
        let args = [("review", one.review.to_string().into()), ("fields", fields.join(", ").into())];
        messages::text(lang, "hub-review-emptied", &args)
    });
    let first = iter::once(messages::text(lang, "hub-review-applied", &args));
    first
        .chain(emptied)
        .chain(waiting)
        .chain(joined)
        .chain(over)
        .chain(revised)
        .chain(apart)
        .chain(told(lang, done.protocol))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A question with all that helps to answer it.
fn in_full(lang: Lang, shown: &Shown) -> String {
    let Shown { question, last, .. } = shown;
    let mut lines = vec![text(lang, std::slice::from_ref(question))];
    lines.push(format!("    {}", word(lang, "review-state", &shown.state)));
    if let Some(last) = last {
        let args = [
            ("decision", word(lang, "outcome", &last.decision).into()),
            ("who", last.actor.clone().into()),
            ("reason", last.reason.clone().into()),
        ];
        lines.push(format!("    {}", messages::text(lang, "hub-review-last", &args)));
    }
    if let Some(who) = &shown.question.assigned {
        let args = [("review", question.review.to_string().into()), ("who", who.clone().into())];
        lines.push(format!("    {}", messages::text(lang, "hub-review-assigned", &args)));
    }
    lines.extend(shown.evidence.iter().flat_map(|evidence| weighed(lang, evidence)));
    lines.join("\n")
}

/// What speaks for and against.
fn weighed(lang: Lang, evidence: &Evidence) -> Vec<String> {
    let against = word(lang, "rival", evidence.against);
    let heading = messages::text(lang, "hub-evidence", &[("against", against.into())]);
    let mut lines = vec![heading];
    lines.extend(evidence.said.iter().map(|said| format!("  {:>+6.1}  {}", said.bits, said.words(lang))));
    lines.push(format!("  {:>+6.1}  {}", evidence.before, evidence.before_words(lang)));
    let chance = format!("{:.1}", evidence.chance * 100.0);
    let sum = [("bits", format!("{:+.1}", evidence.bits).into()), ("chance", chance.into())];
    // what is said of twins by number and name is no chance: the model itself does not go by it
    let id = if evidence.barred.is_some() || evidence.never.is_some() {
        "hub-evidence-sum-alone"
    } else {
        "hub-evidence-sum"
    };
    lines.push(messages::text(lang, id, &sum));
    lines.extend(evidence.never.map(|_| messages::text(lang, "hub-evidence-death", &[])));
    let barred = evidence.barred.map(|code| [("why", word(lang, "review", code).into())]);
    lines.extend(barred.map(|args| messages::text(lang, "hub-evidence-barred", &args)));
    lines
}

fn text(lang: Lang, questions: &[Question]) -> String {
    if questions.is_empty() {
        return messages::text(lang, "hub-no-reviews", &[]);
    }
    let mut lines = Vec::new();
    for question in questions {
        lines.push(format!("{}  {}", question.review, word(lang, "review", &question.why)));
        if let Some(person) = &question.person {
            lines.push(format!("    {}  {}  {}", person.case_number, person.name, person.uid));
        }
        match question.kind.as_str() {
            "held" | "proposal" | "value" => {
                lines.push(format!("    {}", question.one.centre));
                lines.extend(question.differences.iter().map(|one| format!("      {}", one.words(lang))));
            }
            _ => lines.extend(side_by_side(lang, &question.one, &question.other)),
        }
        for (id, side) in
            [("hub-review-others-one", &question.one), ("hub-review-others-other", &question.other)]
        {
            if !side.others.is_empty() {
                lines.push(format!("    {}", messages::text(lang, id, &[])));
                lines.extend(side.others.iter().map(|other| format!("      {}", other.words(lang))));
            }
        }
        lines.extend(question.against.as_ref().map(|against| format!("    {}", against.words(lang))));
        lines.extend(signature(question, lang).into_iter().map(|line| format!("    {line}")));
        if question.only_decline {
            lines.push(format!("    {}", messages::text(lang, "hub-review-only-decline", &[])));
        }
        lines.extend(question.resolution.as_ref().map(|proposed| {
            let args = [("resolution", proposed.words(lang).into())];
            format!("    {}", messages::text(lang, "hub-review-resolution", &args))
        }));
        let words = [("answers", answers(question, lang).into())];
        lines.push(format!("    {}", messages::text(lang, "hub-review-answers", &words)));
        if let Some(reason) = &question.centre_reason {
            lines.push(format!(
                "    {}",
                messages::text(lang, "hub-review-reason", &[("reason", reason.clone().into())])
            ));
        }
    }
    lines.join("\n")
}

/// The fields that either record states, in the order of the register, one beside the other; `≠` before those that
/// differ. Series and number of a document are one.
fn side_by_side(lang: Lang, one: &Side, other: &Side) -> Vec<String> {
    /// A longer value pushes its neighbour aside.
    const WIDEST: usize = 44;
    let value = |side: &Side, field: &str| match field {
        DOCUMENT => ["identity_doc_series", "identity_doc_number"]
            .iter()
            .filter_map(|field| side.values.get(field).map(String::as_str))
            .collect::<Vec<_>>()
            .join(" "),
        _ => side.values.get(field).map(|value| readable(lang, field, value)).unwrap_or_default(),
    };
    let mut rows = vec![(false, String::new(), one.centre.clone(), other.centre.clone())];
    for field in SHOWN.into_iter().filter(|field| *field != "identity_doc_series") {
        let field = if field == "identity_doc_number" { DOCUMENT } else { field };
        let (left, right) = (value(one, field), value(other, field));
        if left.is_empty() && right.is_empty() {
            continue;
        }
        let dash = |text: String| if text.is_empty() { "—".to_owned() } else { text };
        rows.push((left != right, heading_of(lang, field), dash(left), dash(right)));
    }
    let width = |of: fn(&(bool, String, String, String)) -> &String| {
        rows.iter().map(|row| of(row).chars().count()).max().unwrap_or_default().min(WIDEST)
    };
    let (labels, values) = (width(|row| &row.1), width(|row| &row.2));
    let line = |(differ, label, left, right): &(bool, String, String, String)| {
        let mark = if *differ { '≠' } else { ' ' };
        format!("  {mark} {label:labels$}  {left:values$}  {right}")
    };
    rows.iter().map(line).collect()
}

/// Series and number of an identity document, told together.
const DOCUMENT: &str = "identity_doc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_one_person_is_told_no_chance_of_it() {
        let told = |never| {
            let evidence = Evidence {
                bits: 20.0,
                chance: 1.0,
                against: "stranger",
                before: -3.0,
                barred: None,
                never,
                said: Vec::new(),
            };
            weighed(Lang::Ru, &evidence).join("\n")
        };
        assert!(told(None).contains("100.0 %"));
        let dead = told(Some("DEATH"));
        assert!(!dead.contains('%') && dead.contains("Это не один человек"), "{dead}");
    }

    #[test]
    fn two_records_stand_side_by_side_in_the_order_of_the_register() {
        let side = |centre: &str, values: &[(&'static str, &str)]| Side {
            centre: centre.to_owned(),
            key: String::new(),
            version: String::new(),
            values: values.iter().map(|(field, value)| (*field, (*value).to_owned())).collect(),
            others: Vec::new(),
        };
        let born = ("birth_date", "1941-05-07");
        let document = [("identity_doc_number", "123456"), ("identity_doc_series", "32 01")];
        let one = side("4200026", &[document[0], document[1], born, ("surname", "Иванов")]);
        let other = side("4200034", &[born, ("surname", "Ивонов")]);
        let expected = [
            "                           4200026       4200034",
            "  ≠ Фамилия                Иванов        Ивонов",
            "    Дата рождения          07.05.1941    07.05.1941",
            "  ≠ Серия и номер документа  32 01 123456  —",
        ];
        let told: Vec<String> = side_by_side(Lang::Ru, &one, &other);
        let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(told.iter().map(|l| squeezed(l)).collect::<Vec<_>>(), expected.map(squeezed));
        let at = |line: &String, value: &str| {
            line.find(value).map(|byte| line[..byte].chars().count()).expect("told")
        };
        assert_eq!(at(&told[1], "Ивонов"), at(&told[3], "—"), "one column");
    }
}
