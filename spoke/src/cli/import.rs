//! `import TABLE FILE.csv --key COLUMN`: rows of another program into the centre's tables.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;
use exchange_endpoint::{
    messages::{self, Lang, Told},
    output::{CommonArgs, Exit, Failure},
};
use rusqlite::{Connection, TransactionBehavior};
use serde::Serialize;
use serde_json::json;

use super::import_file::ImportFile;
use crate::{
    database::{
        DatabaseError,
        import::{self, Done, put},
    },
    decisions::tables::{self, Column, Table},
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
#[derive(Debug)]
struct Refused {
    line: u64,
    why: Told,
}

/// What is to be known of a line that was taken. Never repeats a value.
#[derive(Debug, Serialize)]
struct Warned {
    line: u64,
    column: String,
    /// `no-such-row` or `other-lines`.
    warning: &'static str,
    /// The table that the column refers to.
    table: &'static str,
    /// How many other lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<usize>,
}

#[derive(Debug, Default)]
struct Report {
    new: u64,
    changed: u64,
    unchanged: u64,
    refused: Vec<Refused>,
    warned: Vec<Warned>,
}

/// The line of a row in the file, its columns and values.
type Taken<'a> = (u64, Vec<(&'a str, Option<&'a str>)>);

/// Where rows go: a table, or its lines.
struct Target<'a> {
    name: &'a str,
    columns: Vec<&'a str>,
    /// Of a table of lines: the column that names the parent.
    parent: Option<&'a str>,
    /// Columns that name a row of another table, and which table; the parent first.
    references: Vec<(&'a str, &'static str)>,
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
        let refused: Vec<_> = report
            .refused
            .iter()
            .map(|one| json!({"line": one.line, "why": one.why.in_lang(Lang::En)}))
            .collect();
        let answer = json!({
            "table": target.name, "dry_run": self.dry_run, "new": report.new, "changed": report.changed,
            "unchanged": report.unchanged, "refused": refused, "warned": report.warned,
        });
        common.print(&answer, |lang| self.text(lang, &report))?;
        Ok(if report.refused.is_empty() { Exit::Done } else { Exit::Refused })
    }

    fn text(&self, lang: Lang, report: &Report) -> String {
        let refused = report.refused.iter().map(|one| {
            let args = [("line", one.line.into()), ("why", one.why.in_lang(lang).into())];
            messages::text(lang, "spoke-import-refused", &args)
        });
        let warned = report.warned.iter().map(|one| {
            let id = if one.n.is_some() { "spoke-import-other-lines" } else { "spoke-import-no-such-row" };
            let args = [
                ("file", self.file.display().to_string().into()),
                ("line", one.line.into()),
                ("column", one.column.clone().into()),
                ("table", one.table.into()),
                ("n", one.n.unwrap_or_default().into()),
            ];
            messages::text(lang, id, &args)
        });
        let id = if self.dry_run { "spoke-import-would" } else { "spoke-import-done" };
        let counts = [
            ("new", report.new.into()),
            ("changed", report.changed.into()),
            ("unchanged", report.unchanged.into()),
            ("refused", report.refused.len().into()),
        ];
        let lines: Vec<String> = refused.chain(warned).chain([messages::text(lang, id, &counts)]).collect();
        lines.join("\n")
    }

    /// Where in the file the key stands.
    fn key_place(&self, file: &ImportFile, target: &Target<'_>) -> Result<usize, Failure> {
        let by_column = file.columns.iter().position(|column| column.as_deref() == Some(self.key.as_str()));
        let place = by_column.or_else(|| file.headings.iter().position(|heading| *heading == self.key));
        place.ok_or_else(|| {
            Failure::new(Exit::Refused, "spoke-csv-key")
                .told("file", self.file.display())
                .with("length", self.key.chars().count())
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
        let (mut seen, mut taken) = (BTreeSet::new(), Vec::new());
        // As any program would: by plain SQL, with locks in place and changes captured.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (line, values) in &file.rows {
            let id = target.row_id(file, key, values);
            if id.is_empty() || !seen.insert(id.clone()) {
                let why = if id.is_empty() { "the key is empty" } else { "the key stands in the file twice" };
                report.refused.push(Refused { line: *line, why: word(why) });
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
            let count = match put(&transaction, target.name, &id, &pairs) {
                Ok(Done::New) => &mut report.new,
                Ok(Done::Changed) => &mut report.changed,
                Ok(Done::Unchanged) => &mut report.unchanged,
                Err(rusqlite::Error::SqliteFailure(_, Some(why))) => {
                    report.refused.push(Refused { line: *line, why: why.into() });
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            *count += 1;
            taken.push((*line, pairs));
        }
        report.warned = warnings(&transaction, target, &taken, &seen)?;
        if self.dry_run {
            transaction.rollback()?;
        } else {
            transaction.commit()?;
        }
        report.refused.sort_by_key(|refused| refused.line);
        Ok(report)
    }
}

/// What the lines `taken` lack now that all are in their table: rows that they name and that are not there; and of
/// each parent, lines that are not among the rows `seen` in the file.
fn warnings(
    connection: &Connection,
    target: &Target<'_>,
    taken: &[Taken<'_>],
    seen: &BTreeSet<String>,
) -> Result<Vec<Warned>, DatabaseError> {
    let (mut warned, mut parents) = (Vec::new(), BTreeSet::new());
    for (line, pairs) in taken {
        for (column, table) in &target.references {
            let value = pairs.iter().find(|(name, _)| name == column).and_then(|(_, value)| *value);
            let Some(value) = value else { continue };
            let warning =
                |warning, n| Warned { line: *line, column: (*column).to_owned(), warning, table, n };
            if !import::is_there(connection, table, value)? {
                warned.push(warning("no-such-row", None));
            }
            if target.parent == Some(*column) && parents.insert(value) {
                let lines = import::lines_of(connection, target.name, column, value)?;
                let others = lines.iter().filter(|id| !seen.contains(*id)).count();
                warned.extend((others > 0).then(|| warning("other-lines", Some(others))));
            }
        }
    }
    Ok(warned)
}

/// A reason that the catalogue has words for.
fn word(why: &str) -> Told {
    Told::new(|lang| messages::word(lang, "import", why))
}

fn target<'a>(table: &'a Table, name: &str) -> Target<'a> {
    let references = |columns: &'a [Column]| {
        columns.iter().filter_map(|column| Some((column.name.as_str(), column.refers_to?)))
    };
    match &table.lines {
        Some(lines) if lines.name == name => Target {
            name: lines.name,
            columns: lines.all_columns(),
            parent: Some(&lines.parent),
            references: [(lines.parent.as_str(), table.name)]
                .into_iter()
                .chain(references(&lines.columns))
                .collect(),
        },
        _ => Target {
            name: table.name,
            columns: table.all_columns(),
            parent: None,
            references: references(&table.columns).collect(),
        },
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
            .with("length", name.chars().count())
            .with("known", known.join(", "))
    })
}
