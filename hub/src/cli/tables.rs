//! `export [TABLE] --out PATH`, `import TABLE FILE`, `withdraw TABLE ID`.

use std::path::PathBuf;

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
    tables::{Encoding, Files, Written, progress},
};
use exchange_format::record::Kind;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{config, reason};
use crate::edges::operations::{bring, decided::told, hand_out, operator, withdraw};

/// Write the register and what the centres have sent into CSV or XLSX files; personal data
#[derive(Debug, Args)]
pub struct Export {
    /// One table: person, programme, supplement, what staff draw up (service, need_decision …), what the centres send
    /// (recipient_claim, contract …), or lines (programme_line …); without it all of them
    table: Option<String>,
    /// The file, .csv or .xlsx; of all tables the directory
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Of all tables: what the files are
    #[arg(long = "as", value_enum, default_value_t)]
    files: Files,
    /// How the letters of CSV are written
    #[arg(long, value_enum, default_value_t)]
    encoding: Encoding,
}

/// Read from a CSV or XLSX file what staff say: their own values of persons (as person set of each that differs), or
/// records that they draw up, which are published at once to the centres whom they concern
#[derive(Debug, Args)]
pub struct Import {
    /// person; service, provider (to every centre); need_decision, assessment, programme, supplement, attachment (to the
    /// centres that serve the person). Every other table is the centres' or follows from theirs
    table: String,
    /// The file: CSV in UTF-8 or Windows-1251, or XLSX; with a heading line
    file: PathBuf,
    /// The lines of the records (answers of an assessment, services of a programme), a table with the column TABLE_id:
    /// they take the place of all lines that a record had
    #[arg(long, value_name = "FILE")]
    lines: Option<PathBuf>,
    /// The column that names the person, by uid or case number (without it: uid, else case_number), or the record as
    /// your files call it (without it: id, else uid)
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// Which heading of the file is which column of the table
    #[arg(long, value_name = "MAP.toml")]
    columns: Option<PathBuf>,
    /// Why; kept for ever
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Take nothing if one line is refused
    #[arg(long)]
    all_or_nothing: bool,
    /// Write every refused line into this table, .csv or .xlsx
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Take back a record that staff drew up by mistake: centres that were told of it see it withdrawn, or what they claim
#[derive(Debug, Args)]
pub struct Withdraw {
    /// need_decision, assessment, programme, supplement or attachment
    table: String,
    /// Its id in your files
    id: String,
    /// Why; kept for ever
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

impl Withdraw {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let kind = bring::kind_of(&self.table)?;
        let act = (&*operator(), self.reason.as_str());
        let done = withdraw::withdraw(&config(common)?, kind, &self.id, act, Timestamp::now())?;
        common.print(&done, |lang| {
            let said = messages::text(lang, "hub-withdrawn", &[("uid", done.uid.clone().into())]);
            let with = (!done.supplements.is_empty()).then(|| {
                let named = done.supplements.join(", ");
                messages::text(lang, "hub-withdrawn-with", &[("supplements", named.into())])
            });
            [said].into_iter().chain(with).chain(told(lang, done.protocol)).collect::<Vec<_>>().join("\n")
        })
    }
}

impl Export {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = config(common)?;
        let progress = progress(common);
        let order = hand_out::Order {
            table: self.table.as_deref().map(hand_out::table_of).transpose()?,
            to: &self.out,
            ending: self.files.ending(),
            encoding: self.encoding,
            lang: common.lang,
            progress: &progress,
        };
        let files = hand_out::export(&config, &order, Timestamp::now())?;
        common.print(&json!({ "files": files }), |lang| {
            files.iter().map(|file: &Written| file.text(lang)).collect::<Vec<_>>().join("\n")
        })?;
        Ok(Written::exit(&files))
    }
}

impl Import {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = config(common)?;
        let kind = bring::kind_of(&self.table)?;
        if self.lines.is_some() && kind.schema().lines.is_none() {
            return Err(Failure::new(Exit::Usage, "hub-no-lines").with("table", self.table.clone()));
        }
        let (actor, progress) = (operator(), progress(common));
        let order = bring::Order {
            kind,
            file: &self.file,
            lines: self.lines.as_deref(),
            key: self.key.as_deref(),
            map: self.columns.as_deref(),
            act: (&actor, &self.reason),
            dry_run: self.dry_run,
            all_or_nothing: self.all_or_nothing,
            report: self.report.as_deref(),
            lang: common.lang,
            progress: &progress,
        };
        let bring::Brought { report, protocols, kept } = bring::import(&config, &order, Timestamp::now())?;
        let mut answer = json!({"table": self.table, "file": self.file, "dry_run": self.dry_run, "kept": kept,
            "protocols": protocols});
        if let (Value::Object(answer), Value::Object(told)) = (&mut answer, report.json()) {
            answer.extend(told);
        }
        common.print(&answer, |lang| {
            let sum = match (kind, self.dry_run, kept) {
                (Kind::Person, true, _) => "hub-import-would",
                (Kind::Person, false, true) => "hub-import-done",
                (Kind::Person, false, false) => "hub-import-none",
                (_, true, _) => "hub-drawn-would",
                (_, false, true) => "hub-drawn-done",
                (_, false, false) => "hub-drawn-none",
            };
            let protocols = protocols.iter().filter_map(|number| told(lang, Some(*number)));
            [report.text(lang, sum)].into_iter().chain(protocols).collect::<Vec<_>>().join("\n")
        })?;
        Ok(if report.refused() == 0 { Exit::Done } else { Exit::Refused })
    }
}
