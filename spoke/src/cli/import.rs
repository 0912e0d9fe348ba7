//! `import TABLE FILE.csv --key COLUMN`: rows of another program into the centre's tables.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
};
use rusqlite::{Connection, TransactionBehavior};
use serde::Serialize;
use serde_json::json;

use super::import_file::ImportFile;
use crate::{
    database::{
        DatabaseError,
        import::{Done, put},
    },
    decisions::tables::{self, Table},
    edges::{SpokeError, station},
};

/// An import.
#[derive(Debug, Args)]
pub struct Import {
    /// The table, or a table of lines
    table: String,
    /// The file: UTF-8 or Windows-1251, with a heading line
    file: PathBuf,
    /// The column of the table that tells rows apart: its values become `id`
    #[arg(long, value_name = "COLUMN")]
    key: String,
    /// Which heading of the file is which column of the table
    #[arg(long, value_name = "MAP.toml")]
    columns: Option<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// A line that was not taken. Never repeats a value.
#[derive(Debug, Serialize)]
struct Refused {
    line: u64,
    why: String,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    new: u64,
    changed: u64,
    unchanged: u64,
    refused: Vec<Refused>,
}

/// Where rows go: a table, or its lines.
struct Target<'a> {
    name: &'a str,
    columns: Vec<&'a str>,
    /// Of a table of lines: the column that names the parent.
    parent: Option<&'a str>,
}

impl Target<'_> {
    /// The row's id: the key's value; for lines told apart by their parent, the parent's id and the number.
    fn row_id(&self, file: &ImportFile, key: usize, values: &[String]) -> String {
        let value = values[key].trim();
        let is_parent = file.columns[key].as_deref().is_some_and(|column| self.parent == Some(column));
        if !is_parent || value.is_empty() {
            return value.to_owned();
        }
        let no = file.columns.iter().position(|column| column.as_deref() == Some("no"));
        let no = no.map_or("", |no| values[no].trim());
        format!("{value}:{no}")
    }
}

impl Import {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let table = table_or_line(&self.table)?;
        let target = target(table, &self.table);
        let file = ImportFile::read(&self.file, self.columns.as_deref(), &target.columns, &self.key)?;
        let key = self.key_place(&file, &target)?;
        let mut connection = station::open_database(&config)?;
        let report = self.apply(&mut connection, &target, &file, key).map_err(SpokeError::from)?;
        let answer = json!({
            "table": target.name, "dry_run": self.dry_run, "new": report.new, "changed": report.changed,
            "unchanged": report.unchanged, "refused": report.refused,
        });
        common.print(&answer, |lang| {
            let line = |refused: &Refused| {
                messages::text(
                    lang,
                    "spoke-import-refused",
                    &[
                        ("line", refused.line.into()),
                        ("why", messages::word(lang, "import", &refused.why).into()),
                    ],
                )
            };
            let mut lines: Vec<String> = report.refused.iter().map(line).collect();
            let id = if self.dry_run { "spoke-import-would" } else { "spoke-import-done" };
            lines.push(messages::text(
                lang,
                id,
                &[
                    ("new", report.new.into()),
                    ("changed", report.changed.into()),
                    ("unchanged", report.unchanged.into()),
                    ("refused", report.refused.len().into()),
                ],
            ));
            lines.join("\n")
        })?;
        Ok(if report.refused.is_empty() { Exit::Done } else { Exit::Refused })
    }

    /// Where in the file the key stands.
    fn key_place(&self, file: &ImportFile, target: &Target<'_>) -> Result<usize, Failure> {
        let by_column = file.columns.iter().position(|column| column.as_deref() == Some(self.key.as_str()));
        let place = by_column.or_else(|| file.headings.iter().position(|heading| *heading == self.key));
        place.ok_or_else(|| {
            Failure::new(Exit::Refused, "spoke-csv-key")
                .told("file", self.file.display())
                .with("key", self.key.clone())
                .with("known", target.columns.join(", "))
        })
    }

    fn apply(
        &self,
        connection: &mut Connection,
        target: &Target<'_>,
        file: &ImportFile,
        key: usize,
    ) -> Result<Report, DatabaseError> {
        let mut report = Report::default();
        report
            .refused
            .extend(file.refused.iter().map(|(line, why)| Refused { line: *line, why: why.clone() }));
        let mut seen = BTreeSet::new();
        // As any program would: by plain SQL, with locks in place and changes captured.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (line, values) in &file.rows {
            let id = target.row_id(file, key, values);
            if id.is_empty() || !seen.insert(id.clone()) {
                let why = if id.is_empty() { "the key is empty" } else { "the key stands in the file twice" };
                report.refused.push(Refused { line: *line, why: why.to_owned() });
                continue;
            }
            let pairs: Vec<(&str, Option<&str>)> = file
                .columns
                .iter()
                .zip(values)
                .filter_map(|(column, value)| column.as_deref().map(|column| (column, value.as_str())))
                .filter(|(column, _)| *column != "id")
                .map(|(column, value)| (column, Some(value).filter(|value| !value.is_empty())))
                .collect();
            match put(&transaction, target.name, &id, &pairs) {
                Ok(Done::New) => report.new += 1,
                Ok(Done::Changed) => report.changed += 1,
                Ok(Done::Unchanged) => report.unchanged += 1,
                Err(rusqlite::Error::SqliteFailure(_, Some(why))) => {
                    report.refused.push(Refused { line: *line, why });
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.dry_run {
            transaction.rollback()?;
        } else {
            transaction.commit()?;
        }
        report.refused.sort_by_key(|refused| refused.line);
        Ok(report)
    }
}

fn target<'a>(table: &'a Table, name: &str) -> Target<'a> {
    match &table.lines {
        Some(lines) if lines.name == name => {
            Target { name: lines.name, columns: lines.all_columns(), parent: Some(&lines.parent) }
        }
        _ => Target { name: table.name, columns: table.all_columns(), parent: None },
    }
}

/// The table called `name`, or the table whose lines are called so.
pub(super) fn table_or_line(name: &str) -> Result<&'static Table, Failure> {
    let found = tables::tables()
        .iter()
        .find(|table| table.name == name || table.lines.as_ref().is_some_and(|lines| lines.name == name));
    found.ok_or_else(|| {
        let known: Vec<&str> = tables::tables()
            .iter()
            .flat_map(|table| [Some(table.name), table.lines.as_ref().map(|lines| lines.name)])
            .flatten()
            .collect();
        Failure::new(Exit::Refused, "spoke-no-table")
            .with("table", name.to_owned())
            .with("known", known.join(", "))
    })
}
