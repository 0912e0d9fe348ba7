//! `model`: by what the hub takes two records for one person.

use std::path::PathBuf;

use clap::Subcommand;
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Failure, Lang},
};
use jiff::Timestamp;

use super::{config, reason};
use crate::edges::operations::{
    decided, models,
    models::{Activated, Change, Comparison, LISTED, ModelView},
    operator,
    training::{self, Training, TrainingReport},
};

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// The model in force: its fields, what each agreement is worth, where it cuts; and those before it
    Show {
        /// A model file instead of the one in force
        #[arg(value_name = "MODEL.toml")]
        file: Option<PathBuf>,
        /// Write it as a file, to be changed
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// What another model would change: both weigh all records as if nothing had been decided; nothing is changed
    Compare {
        /// The other model
        #[arg(value_name = "MODEL.toml")]
        file: PathBuf,
        /// Write all pairs of which the two say something different as a table (keys of records, no names)
        #[arg(long, value_name = "FILE.csv")]
        out: Option<PathBuf>,
    },
    /// Put a model in force: from now on records are weighed by it. Who is one person stays as it is, and so does what
    /// staff have decided; see first what it would change (model compare)
    Activate {
        /// The model
        #[arg(value_name = "MODEL.toml")]
        file: PathBuf,
        /// Why; kept for ever
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
    },
    /// Make a model of the data themselves, nobody telling who is who (EM); it is written, not put in force
    ///
    /// Of the hub's register, or of tables as merge trial reads them. Without the truth such a model is not always better
    /// than the one that comes with the program: look at model compare and at the questions of a trial before you
    /// activate it.
    Train {
        /// Tables, one for each centre; without them the hub's register
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Which heading of the files is which column
        #[arg(long, value_name = "MAP.toml")]
        columns: Option<PathBuf>,
        /// The model to begin with; without it the one that comes with the program
        #[arg(long, value_name = "MODEL.toml")]
        model: Option<PathBuf>,
        /// What the new model is called
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Where to write it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

impl Model {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let now = Timestamp::now();
        match self {
            Self::Show { file, out } => {
                let view = match file {
                    Some(file) => models::of_file(file)?,
                    None => models::in_force(&config(common)?, now)?,
                };
                if let Some(out) = out {
                    models::write(out, &view.text)?;
                }
                common.print(&view, |lang| text(lang, &view))
            }
            Self::Compare { file, out } => {
                let told = models::compare(&config(common)?, file, out.as_deref(), now)?;
                common.print(&told, |lang| compared(lang, &told))
            }
            Self::Activate { file, reason } => {
                let done = models::activate(&config(common)?, file, (&operator(), reason), now)?;
                common.print(&done, |lang| activated(lang, &done))
            }
            Self::Train { files, columns, model, name, out } => {
                let order = Training { files, map: columns.as_deref(), base: model.as_deref(), name, out };
                let config = if files.is_empty() { Some(config(common)?) } else { None };
                let report = training::train(&order, config.as_ref(), now)?;
                common.print(&report, |lang| trained(lang, &report))
            }
        }
    }
}

fn text(lang: Lang, view: &ModelView) -> String {
    let args = [("model", view.name.clone().into()), ("digest", view.sha256[..16].to_owned().into())];
    let mut lines = vec![messages::text(lang, "model-named", &args), format!("  {}", view.source)];
    if let Some(row) = view.history.first() {
        let args = [
            ("at", messages::stored_moment(lang, &row.at).into()),
            ("who", row.actor.clone().into()),
            ("reason", row.reason.clone().into()),
        ];
        lines.push(format!("  {}", messages::text(lang, "model-since", &args)));
    }
    let [one, auto, ask] = view.cut.map(|bits| format!("{bits:+.1}").into());
    lines.push(format!(
        "  {}",
        messages::text(lang, "model-cuts", &[("auto", auto), ("ask", ask), ("one", one)])
    ));
    if !view.variants.is_empty() {
        let groups: Vec<String> = view.variants.iter().map(|group| group.join(" = ")).collect();
        let args = [("groups", groups.join("; ").into())];
        lines.push(format!("  {}", messages::text(lang, "model-variants", &args)));
    }
    lines.push(messages::text(lang, "model-worth", &[]));
    for field in &view.fields {
        let name = messages::find(lang, &format!("evidence-{}", field.kind), &[]);
        lines.push(format!("  {} ({})", name.unwrap_or_else(|| field.name.clone()), field.name));
        lines.extend(
            field
                .levels
                .iter()
                .map(|level| format!("    {:>+6.1}  {}", level.bits, word(lang, "level", level.level))),
        );
    }
    for row in view.history.iter().skip(1) {
        let args = [
            ("model", row.name.clone().into()),
            ("at", messages::stored_moment(lang, &row.at).into()),
            ("who", row.actor.clone().into()),
            ("reason", row.reason.clone().into()),
        ];
        lines.push(messages::text(lang, "model-before", &args));
    }
    lines.join("\n")
}

fn compared(lang: Lang, told: &Comparison) -> String {
    let side = |id: &str, side: &models::Weighed| {
        let args = [
            ("model", side.model.clone().into()),
            ("links", side.links.into()),
            ("questions", side.questions.into()),
            ("persons", side.persons.into()),
        ];
        messages::text(lang, id, &args)
    };
    let mut lines = vec![side("model-compare-now", &told.now), side("model-compare-then", &told.then)];
    if told.changes.is_empty() {
        lines.push(messages::text(lang, "model-compare-same", &[]));
        return lines.join("\n");
    }
    let verdict = |one: models::Verdict| word(lang, "verdict", one.word());
    let change = |one: &Change| {
        let args = [
            ("before", verdict(one.before).into()),
            ("after", verdict(one.after).into()),
            ("pairs", one.pairs.into()),
            ("decided", one.decided.into()),
        ];
        format!("  {}", messages::text(lang, "model-compare-change", &args))
    };
    lines.push(messages::text(lang, "model-compare-changes", &[]));
    lines.extend(told.changes.iter().map(change));
    let all: usize = told.changes.iter().map(|one| one.pairs).sum();
    let args = [("n", told.pairs.len().min(LISTED).into()), ("all", all.into())];
    lines.push(messages::text(lang, "model-compare-pairs", &args));
    lines.extend(told.pairs.iter().map(|pair| {
        let notes = pair.decided.map(|decided| word(lang, "decision", decided));
        let notes = notes
            .into_iter()
            .chain(pair.one_person.then(|| messages::text(lang, "model-compare-one-person", &[])));
        let notes = notes.fold(String::new(), |all, note| all + "  [" + &note + "]");
        let (before, after) = (verdict(pair.before), verdict(pair.after));
        format!(
            "  {}  {}  {before} {:+.1} → {after} {:+.1}{notes}",
            pair.one, pair.other, pair.bits_before, pair.bits_after
        )
    }));
    lines.push(messages::text(lang, "model-compare-stands", &[]));
    lines.join("\n")
}

fn activated(lang: Lang, done: &Activated) -> String {
    if !done.changed {
        return messages::text(lang, "model-already", &[("model", done.model.clone().into())]);
    }
    let args = [
        ("model", done.model.clone().into()),
        ("before", done.before.clone().into()),
        ("asked", done.questions[0].into()),
        ("asking", done.questions[1].into()),
    ];
    let lines = std::iter::once(messages::text(lang, "model-activated", &args));
    lines.chain(decided::told(lang, done.protocol)).collect::<Vec<_>>().join("\n")
}

fn trained(lang: Lang, report: &TrainingReport) -> String {
    let args = [
        ("model", report.model.clone().into()),
        ("file", report.file.display().to_string().into()),
        ("records", report.records.into()),
        ("pairs", report.pairs.into()),
        ("rounds", report.rounds.into()),
    ];
    messages::text(lang, "model-trained", &args)
}
