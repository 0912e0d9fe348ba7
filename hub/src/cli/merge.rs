//! `merge`: the initial loads; `merge trial`, `merge evaluate`: tables of others.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Exit, Failure, Format, Lang},
};
use jiff::Timestamp;

use super::{config, trial};
use crate::edges::{
    hub,
    operations::{
        merge::{self, MergeReport},
        question_table,
    },
};

/// Merge and publish the initial loads that wait
///
/// What the centres sent first is not published until this command says so; later packets are merged at once.
/// Every centre that has a person then counts as serving it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Merge {
    #[command(subcommand)]
    other: Option<Other>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the questions that staff would be asked as a table, to be read; answers are taken after the merge
    /// (review list). Personal data
    #[arg(long, value_name = "FILE.csv", requires = "dry_run")]
    out: Option<PathBuf>,
}

/// What else there is to merge.
#[derive(Debug, Subcommand)]
enum Other {
    Trial(trial::Trial),
    Evaluate(trial::Evaluate),
}

impl Merge {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        match &self.other {
            Some(Other::Trial(trial)) => trial.run(common),
            Some(Other::Evaluate(evaluate)) => evaluate.run(common).map(|()| Exit::Done),
            None => self.initial_loads(common).map(|()| Exit::Done),
        }
    }

    fn initial_loads(&self, common: &CommonArgs) -> Result<(), Failure> {
        if let Some(path) = &self.out {
            question_table::refuse_existing(path)?;
        }
        let (mut hub, now) = (hub::open(&config(common)?)?, Timestamp::now());
        let mut tell = |stage: &'static str, done: u64, all: u64| tell(common, stage, done, all);
        let report = if self.dry_run {
            let (report, questions) = merge::rehearse(&mut hub, now, &mut tell)?;
            if let Some(path) = &self.out {
                question_table::write(path, &questions, false, common.lang)?;
            }
            report
        } else {
            merge::merge(&mut hub, now, &mut tell)?
        };
        common.print(&report, |lang| text(lang, &report, self.out.as_deref()))
    }
}

/// Progress goes to standard error; a program that reads JSON needs none.
fn tell(common: &CommonArgs, stage: &str, done: u64, all: u64) {
    if common.format == Format::Text {
        let args = [("done", done.into()), ("all", all.into())];
        let words = messages::text(common.lang, &format!("hub-merge-stage-{stage}"), &args);
        // whoever closed standard error wants no progress
        let _ = writeln!(std::io::stderr(), "{words}");
    }
}

/// So many of the persons who were parted or joined are named; `--format json` names all.
const MOVED: usize = 20;

fn text(lang: Lang, report: &MergeReport, written: Option<&Path>) -> String {
    if report.nothing {
        return messages::text(lang, "hub-merge-nothing", &[("persons", report.persons.into())]);
    }
    let heading = if report.dry_run {
        messages::text(lang, "hub-merge-tried", &[])
    } else {
        let number = report.protocol.unwrap_or_default();
        messages::text(lang, "hub-merge-done", &[("protocol", number.into())])
    };
    let counts = [
        ("claims", report.claims.into()),
        ("created", report.created.into()),
        ("persons", report.persons.into()),
        ("documents", report.documents.into()),
        ("confirmed", report.confirmed.into()),
    ];
    let mut lines = vec![heading, messages::text(lang, "hub-merge-counts", &counts)];
    let unpublished: u64 = report.faults.values().sum();
    if unpublished > 0 {
        lines.push(messages::text(lang, "hub-merge-faults", &[("n", unpublished.into())]));
        lines.extend(
            report.faults.iter().map(|(rule, n)| format!("  {}: {n}", super::check::sentence(lang, rule))),
        );
    }
    for (id, moved) in [("hub-merge-parted", &report.parted), ("hub-merge-joined", &report.joined)] {
        if moved.is_empty() {
            continue;
        }
        lines.push(messages::text(lang, id, &[("n", (moved.len() as u64).into())]));
        let told = moved.iter().take(MOVED);
        lines.extend(told.map(|one| format!("  {}: {}", one.case_number, one.others.join(", "))));
        if moved.len() > MOVED {
            lines.push("  …".to_owned());
        }
    }
    lines.extend(report.by_rule.iter().map(|(rule, n)| format!("  {}: {n}", word(lang, "rule", rule))));
    if !report.reviews.is_empty() {
        lines.push(match (report.dry_run, written) {
            (true, Some(file)) => {
                let file = [("file", file.display().to_string().into())];
                messages::text(lang, "hub-reviews-written", &file)
            }
            (true, None) => messages::text(lang, "hub-reviews-would", &[]),
            (false, _) => messages::text(lang, "hub-reviews-open", &[]),
        });
        let reviews = report.reviews.iter();
        lines.extend(reviews.map(|(_, reason, n)| format!("  {}: {n}", word(lang, "review", reason))));
    }
    lines.join("\n")
}
