//! `review list`, `review apply`.

use std::{iter, path::PathBuf};

use clap::Subcommand;
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Failure, Lang},
};
use jiff::Timestamp;
use serde_json::json;

use super::config;
use crate::edges::operations::{
    decided::told,
    operator,
    question_table::{answers, refuse_existing, write},
    questions::{self, Question, Side},
    reviews,
};

/// What can be done with questions to staff.
#[derive(Debug, Subcommand)]
pub enum Review {
    /// What waits for a decision: both records side by side
    List {
        /// Write it as a table that Excel opens (UTF-8, ;), with empty columns decision and reason; personal data
        #[arg(long, value_name = "FILE.csv")]
        out: Option<PathBuf>,
    },
    /// Take the decisions of a filled-in table, all of its lines or none: if one has a fault, or what it is about
    /// has changed since the table was written, nothing is decided
    ///
    /// decision: один or разные (one, different) of two records, or of two programmes (the same one entered twice,
    /// or both stand); принять or отклонить (accept, decline) of a change or a proposal; оставить (keep) of a value that
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
    },
}

impl Review {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let (config, now) = (config(common)?, Timestamp::now());
        match self {
            Self::List { out } => {
                if let Some(path) = out {
                    refuse_existing(path)?;
                }
                let questions = questions::list(&config, now)?;
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
            Self::Apply { file, revise } => {
                let done = reviews::apply(&config, file, *revise, common.lang, &operator(), now)?;
                common.print(&done, |lang| {
                    let args = [
                        ("decided", done.decided.into()),
                        ("unchanged", done.unchanged.into()),
                        ("left", done.left.into()),
                        ("gone", done.gone.into()),
                        ("persons", done.persons.into()),
                    ];
                    let done = (messages::text(lang, "hub-review-applied", &args), told(lang, done.protocol));
                    iter::once(done.0).chain(done.1).collect::<Vec<_>>().join("\n")
                })
            }
        }
    }
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
            _ => {
                let sides = [&question.one, &question.other];
                lines.extend(sides.map(|side| format!("    {}  {}", side.centre, values(side))));
            }
        }
        if question.only_decline {
            lines.push(format!("    {}", messages::text(lang, "hub-review-only-decline", &[])));
        }
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

fn values(side: &Side) -> String {
    side.values.values().cloned().collect::<Vec<_>>().join(", ")
}
