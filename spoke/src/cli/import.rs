//! `import TABLE FILE`: rows of another program into the centre's tables.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use exchange_endpoint::{
    messages::{self, Lang},
    output::{CommonArgs, Exit, Failure},
    tables::{self as files, progress},
};
use exchange_format::participant::ParticipantCode;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    database::import::Target,
    decisions::tables::{self, Table},
    edges::{
        SpokeError,
        bring::{Brought, Order},
        station,
    },
};

/// An import.
#[derive(Debug, Args)]
pub struct Import {
    /// The table, or a table of lines
    table: String,
    /// The file: CSV in UTF-8 or Windows-1251, or XLSX; with a heading line
    file: PathBuf,
    /// The column of the table that tells rows apart: its values become `id`. Without it: id
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// Which heading of the file is which column of the table
    #[arg(long, value_name = "MAP.toml")]
    columns: Option<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Take nothing if one line is refused
    #[arg(long)]
    all_or_nothing: bool,
    /// Propose what a locked row says otherwise to the hub's staff, for this reason
    #[arg(long, value_name = "REASON")]
    propose: Option<String>,
    /// Write every refused line into this table, .csv or .xlsx
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Import {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        files::apart(
            [self.file.as_path()].into_iter().chain(self.columns.as_deref()),
            self.report.as_deref(),
        )?;
        let config = super::config(common)?;
        let target = Target::of(table_or_line(&self.table)?, &self.table);
        let mut connection = station::open_database(&config)?;
        let progress = progress(common);
        let order = Order {
            target: &target,
            file: &self.file,
            key: self.key.as_deref(),
            map: self.columns.as_deref(),
            dry_run: self.dry_run,
            all_or_nothing: self.all_or_nothing,
            propose: self.propose.as_deref(),
            report: self.report.as_deref(),
            lang: common.lang,
            progress: &progress,
        };
        let brought = order.carry_out(&mut connection, config.code)?;
        common.print(&answer(&order, &brought), |lang| text(lang, &order, &brought))?;
        Ok(exit(&brought))
    }
}

fn exit(brought: &Brought) -> Exit {
    if brought.report.refused() == 0 { Exit::Done } else { Exit::Refused }
}

fn answer(order: &Order<'_>, brought: &Brought) -> Value {
    let mut answer = json!({
        "table": order.target.name, "file": order.file, "dry_run": order.dry_run, "kept": brought.kept,
        "passed_over": brought.passed_over,
    });
    let told = brought.report.json();
    if let (Value::Object(answer), Value::Object(told)) = (&mut answer, told) {
        answer.extend(told);
    }
    answer
}

fn text(lang: Lang, order: &Order<'_>, brought: &Brought) -> String {
    let sum = match (order.dry_run, brought.kept) {
        (true, _) => "spoke-import-would",
        (false, true) => "spoke-import-done",
        (false, false) => "spoke-import-none",
    };
    let told = brought.report.text(lang, sum);
    if brought.passed_over.is_empty() {
        return told;
    }
    let columns = [("columns", brought.passed_over.join(", ").into())];
    format!("{}\n{told}", messages::text(lang, "spoke-import-passed-over", &columns))
}

/// Imports each table of which a file lies in `dir`, referents first: `TABLE.csv` or `TABLE.xlsx` in letters of any case,
/// with the map `TABLE.toml` if there is one. Refused lines are also written into `TABLE.csv` in `reports`. A file that cannot
/// be taken in, or is called as no table, is told as such, and stops neither the others nor the exchange.
pub(super) fn directory(
    dir: &Path,
    reports: Option<&Path>,
    connection: &mut Connection,
    own: ParticipantCode,
    common: &CommonArgs,
) -> Vec<(Value, String, Exit)> {
    let progress = progress(common);
    let mut files = match files_in(dir) {
        Ok(files) => files,
        Err(error) => return vec![not_taken(None, dir, &SpokeError::io(dir)(error).into(), common.lang)],
    };
    let mut done = Vec::new();
    let names = tables::tables().iter().flat_map(|table| {
        [Some(table.name), table.lines.as_ref().map(|lines| lines.name)].map(|n| (table, n))
    });
    for (table, name) in names.filter_map(|(table, name)| name.map(|name| (table, name))) {
        let target = Target::of(table, name);
        let map = Some(dir.join(format!("{name}.toml"))).filter(|map| map.exists());
        let (its, others) = files.into_iter().partition(|file: &PathBuf| is_called(file, name));
        files = others;
        for file in &its {
            let report = reports.map(|reports| reports.join(format!("{name}.csv")));
            let order = Order {
                target: &target,
                file,
                key: None,
                map: map.as_deref(),
                dry_run: false,
                all_or_nothing: false,
                propose: None,
                report: report.as_deref(),
                lang: common.lang,
                progress: &progress,
            };
            done.push(match order.carry_out(connection, own) {
                Ok(brought) => {
                    let told = format!("{}: {}", file.display(), text(common.lang, &order, &brought));
                    (answer(&order, &brought), told, exit(&brought))
                }
                Err(error) => {
                    // no report of this file: what stands there is of another run
                    let _ = report.as_deref().map(fs::remove_file);
                    not_taken(Some(name), file, &error.into(), common.lang)
                }
            });
        }
    }
    let strange = files.iter().map(|file| {
        let length = file.file_stem().map_or(0, |stem| stem.to_string_lossy().chars().count());
        not_taken(None, file, &no_table(length), common.lang)
    });
    done.extend(strange);
    done
}

/// The tables in `dir`, by name. What Excel and others keep beside a file that is open is none.
fn files_in(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_table = path.extension().is_some_and(|ending| {
            ["csv", "xlsx", "xls"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        });
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_table && !name.starts_with(['.', '~']) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_called(file: &Path, name: &str) -> bool {
    file.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case(name))
}

fn not_taken(table: Option<&str>, file: &Path, failure: &Failure, lang: Lang) -> (Value, String, Exit) {
    let (message, next) = (failure.message(lang), failure.next(lang));
    let error = json!({"code": failure.code(), "message": message, "next": next});
    let answer = json!({"table": table, "file": file, "kept": false, "error": error});
    (answer, format!("{}: {message}\n→ {next}", file.display()), failure.exit())
}

/// What it means that of the files of a directory these were the ends: theirs that failed, if they all failed so.
pub(super) fn end(done: &[(Value, String, Exit)]) -> Exit {
    let mut bad = done.iter().map(|(.., end)| *end).filter(|end| *end != Exit::Done);
    let first = bad.next().unwrap_or(Exit::Done);
    if bad.all(|end| end == first) { first } else { Exit::Refused }
}

/// The table called `name`, or the table whose lines are called so.
pub(super) fn table_or_line(name: &str) -> Result<&'static Table, Failure> {
    let found = tables::tables()
        .iter()
        .find(|table| table.name == name || table.lines.as_ref().is_some_and(|lines| lines.name == name));
    found.ok_or_else(|| no_table(name.chars().count()))
}

/// A name of so many characters is no table's.
fn no_table(length: usize) -> Failure {
    let known: Vec<&str> = tables::tables()
        .iter()
        .flat_map(|table| [Some(table.name), table.lines.as_ref().map(|lines| lines.name)])
        .flatten()
        .collect();
    Failure::new(Exit::Refused, "spoke-no-table").with("length", length).with("known", known.join(", "))
}
