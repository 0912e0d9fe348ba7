//! `export [TABLE] --out PATH`, `import person FILE`.

use std::path::PathBuf;

use clap::Args;
use exchange_endpoint::{
    output::{CommonArgs, Exit, Failure},
    tables::{Encoding, Files, Written, progress},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{config, reason};
use crate::edges::operations::{bring, decided::told, hand_out, operator};

/// Write the register and what the centres have sent into CSV or XLSX files; personal data
#[derive(Debug, Args)]
pub struct Export {
    /// One table: person, programme, supplement, what the centres send (recipient_claim, contract …), or lines
    /// (programme_line …); without it all of them
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

/// Read staff's own values of persons from a CSV or XLSX file: as person set of each that differs
#[derive(Debug, Args)]
pub struct Import {
    /// person: every other table is the centres' or follows from theirs
    table: String,
    /// The file: CSV in UTF-8 or Windows-1251, or XLSX; with a heading line
    file: PathBuf,
    /// The column that names the person, by uid or case number. Without it: uid, else case_number
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

impl Export {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
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
        })
    }
}

impl Import {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = config(common)?;
        if self.table != "person" {
            return Err(bring::not_ours(&self.table));
        }
        let (actor, progress) = (operator(), progress(common));
        let order = bring::Order {
            file: &self.file,
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
            let sum = match (self.dry_run, kept) {
                (true, _) => "hub-import-would",
                (false, true) => "hub-import-done",
                (false, false) => "hub-import-none",
            };
            let protocols = protocols.iter().filter_map(|number| told(lang, Some(*number)));
            [report.text(lang, sum)].into_iter().chain(protocols).collect::<Vec<_>>().join("\n")
        })?;
        Ok(if report.refused() == 0 { Exit::Done } else { Exit::Refused })
    }
}
