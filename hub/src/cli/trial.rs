//! `merge trial`, `merge evaluate`: who would be one person in tables of others, and how right that is.

use std::path::PathBuf;

use clap::Args;
use exchange_endpoint::{
    messages::{self, word},
    output::{self, CommonArgs, Exit, Failure, Format, Lang},
};

use jiff::Timestamp;

use crate::edges::operations::{
    evaluation::{self, Evaluated},
    trial::{self, FileReport, Order, Report},
};

/// Say who would be one person in tables as centres have them, before anything is installed
///
/// Needs no configuration and no database, and changes nothing. The tables are CSV or XLSX with a heading line; known are
/// record_id, surname, given (name), patronymic, birth_date, sex, snils, passport, address, phone and their Russian names.
/// A whole name and a whole passport may stand in one column. Other columns are not read; the answer tells their numbers. Personal data.
#[derive(Debug, Args)]
pub struct Trial {
    /// The tables, one for each centre
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Which heading of the files is which column
    #[arg(long, value_name = "MAP.toml")]
    columns: Option<PathBuf>,
    /// Another model than that for recipients of social services
    #[arg(long, value_name = "MODEL.toml")]
    model: Option<PathBuf>,
    /// Where to write the person of each record: `record_id`, `cluster_id` (doubts decided by weight), `auto_cluster_id` (only what
    /// is beyond doubt)
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
    /// Where to write what staff would be asked, with what speaks for and against each, field by field, and what was
    /// compared: personal data
    #[arg(long, value_name = "FILE.csv")]
    review: Option<PathBuf>,
    /// Where to write a page that a director can read and print: what came in, how many persons, who is there twice, how good the
    /// fields are; counts, no names
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// Compare the persons told by a trial with the true ones
#[derive(Debug, Args)]
pub struct Evaluate {
    /// What merge trial wrote
    clusters: PathBuf,
    /// The truth: a table with the columns record_id and entity_id
    #[arg(long, value_name = "FILE.csv")]
    truth: PathBuf,
    /// Which column of the clusters is compared
    #[arg(long, value_name = "COLUMN", default_value = "cluster_id")]
    column: String,
    /// The tables that the trial read: told is too which share of the true pairs was compared at all, in sum and by key
    #[arg(long, value_name = "FILE", num_args = 1..)]
    tables: Vec<PathBuf>,
    /// Which heading of the tables is which column
    #[arg(long, value_name = "MAP.toml", requires = "tables")]
    columns: Option<PathBuf>,
    /// Another model than that for recipients of social services
    #[arg(long, value_name = "MODEL.toml", requires = "tables")]
    model: Option<PathBuf>,
}

impl Trial {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let tell = |stage: &'static str, n: usize| {
            if common.format == Format::Text {
                let args = [("n", (n as u64).into())];
                output::note(&messages::text(common.lang, &format!("trial-stage-{stage}"), &args));
            }
        };
        let order = Order {
            files: &self.files,
            map: self.columns.as_deref(),
            model: self.model.as_deref(),
            out: &self.out,
            review: self.review.as_deref(),
            page: self.report.as_deref(),
            now: Timestamp::now(),
            lang: common.lang,
        };
        let report = trial::trial(&order, &tell)?;
        common.print(&report, |lang| text(lang, &report))?;
        Ok(if report.files.iter().all(|file| file.refused == 0) { Exit::Done } else { Exit::Refused })
    }
}

fn text(lang: Lang, report: &Report) -> String {
    let n = |n: usize| (n as u64).into();
    let mut lines: Vec<String> = report.files.iter().map(|file| of_file(lang, file)).collect();
    if report.named_by_file {
        lines.push(messages::text(lang, "trial-named-by-file", &[]));
    }
    let persons = [
        ("records", n(report.records)),
        ("persons", n(report.persons_auto)),
        ("linked", n(report.linked)),
        ("shared", n(report.shared)),
    ];
    lines.push(messages::text(lang, "trial-persons", &persons));
    let questions: usize = report.questions.values().sum();
    let args = [("questions", n(questions)), ("persons", n(report.persons))];
    lines.push(messages::text(lang, "trial-questions", &args));
    let reasons = report.questions.iter();
    lines.extend(reasons.map(|(reason, n)| format!("  {}: {n}", word(lang, "review", reason))));
    lines.push(messages::text(lang, "trial-model", &[("model", report.model.clone().into())]));
    lines.join("\n")
}

fn of_file(lang: Lang, file: &FileReport) -> String {
    let args = [
        ("file", file.file.display().to_string().into()),
        ("records", file.records.into()),
        ("fields", file.fields.join(", ").into()),
        ("refused", file.refused.into()),
        ("first", file.first_refused.unwrap_or_default().into()),
    ];
    let mut lines = vec![messages::text(lang, "trial-file", &args)];
    if let Some(why) = &file.first_why {
        let args: Vec<_> = args.into_iter().chain([("why", why.in_lang(lang).to_owned().into())]).collect();
        lines.push(messages::text(lang, "trial-refused", &args));
    }
    if file.beside > 0 {
        let args = [("file", file.file.display().to_string().into()), ("beside", file.beside.into())];
        lines.push(messages::text(lang, "trial-beside", &args));
    }
    if !file.passed_over.is_empty() {
        let columns: Vec<String> = file.passed_over.iter().map(usize::to_string).collect();
        let args = [("file", file.file.display().to_string().into()), ("columns", columns.join(", ").into())];
        lines.push(messages::text(lang, "trial-passed-over", &args));
    }
    lines.join("\n")
}

impl Evaluate {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let order = evaluation::Order {
            told: &self.clusters,
            column: &self.column,
            truth: &self.truth,
            tables: &self.tables,
            map: self.columns.as_deref(),
            model: self.model.as_deref(),
            now: Timestamp::now(),
        };
        let judged = evaluation::judge(&order)?;
        common.print(&judged, |lang| {
            let Evaluated { figures, candidates } = &judged;
            let share = |value: f64| format!("{:.2}", value * 100.0).into();
            let args = [
                ("records", (figures.records as u64).into()),
                ("true", (figures.entities_true as u64).into()),
                ("told", (figures.clusters_pred as u64).into()),
                ("precision", share(figures.pairwise_p)),
                ("recall", share(figures.pairwise_r)),
                ("f1", share(figures.pairwise_f1)),
                ("b3", share(figures.b3_f1)),
                ("mixed", figures.records_in_mixed_clusters.into()),
            ];
            let mut lines = vec![messages::text(lang, "trial-evaluation", &args)];
            let (absent, unknown) = (figures.records_absent_from_pred, figures.records_unknown_to_truth);
            if absent + unknown > 0 {
                let args = [("absent", (absent as u64).into()), ("unknown", (unknown as u64).into())];
                lines.push(messages::text(lang, "trial-not-judged", &args));
            }
            if let Some(candidates) = candidates {
                let args = [
                    ("true", (candidates.pairs_true as u64).into()),
                    ("found", (candidates.found as u64).into()),
                    ("recall", share(candidates.recall)),
                ];
                lines.push(messages::text(lang, "trial-candidates", &args));
                lines.extend(candidates.keys.iter().map(|key| {
                    let args = [
                        ("key", key.key.clone().into()),
                        ("recall", share(key.recall)),
                        ("alone", (key.alone as u64).into()),
                        ("pairs", (key.pairs as u64).into()),
                    ];
                    format!("  {}", messages::text(lang, "trial-key", &args))
                }));
            }
            lines.join("\n")
        })
    }
}
