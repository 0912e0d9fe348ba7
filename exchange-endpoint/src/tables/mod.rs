//! Tables as office programs and 1C read and write them: CSV and XLSX, streams of rows in both directions.
//!
//! In: [`Grid`] a file, [`Sheet`] one of a known table, its heading understood by [`headings`] and a [`mapping`] file, row by row; a row that cannot be
//! read is handed on as [`Refused`] and stops nobody. Out: [`Sink`]. [`form`] what a value is besides text · [`codes`] words for codes · [`lost`] what an encoding lacks · [`marks`]
//! what keeps a spreadsheet from taking a text for a number, a date or a formula · `csv`, `xlsx` the two formats · [`apart`] no result over its source.
//! No SQL and no table of ours: what columns there are, the daemons say ([`Layout`]).

mod apart;
pub mod codes;
mod csv;
pub mod form;
pub mod headings;
pub mod lost;
pub mod mapping;
pub mod marks;
mod report;
mod sheet;
mod sink;
mod xlsx;
mod xlsx_bounds;

use std::{fmt, path::PathBuf};

pub use self::{
    apart::apart,
    form::Form,
    mapping::Map,
    report::{Report, Warned},
    sheet::{Grid, Item, Sheet, has_control},
    sink::{Encoding, Files, Sink, Written, kept},
    xlsx::Cell,
};
use crate::{
    messages::{self, Told},
    output::{CommonArgs, Exit, Format, note},
};

/// More columns than this no table of ours has, nor a heading that is read.
pub const LARGEST_COLUMNS: usize = 2_000;
/// The largest row that is read, in bytes: memory is bounded by it and not by the file.
pub const LARGEST_ROW: usize = 16 << 20;

/// Progress is told after so many rows.
pub const TOLD: u64 = 20_000;

/// Tells on standard error how many rows were read or written; a program that reads JSON needs none.
pub fn progress(common: &CommonArgs) -> impl Fn(u64) + use<> {
    let (format, lang) = (common.format, common.lang);
    move |n| {
        if format == Format::Text {
            note(&messages::text(lang, "table-progress", &[("n", n.into())]));
        }
    }
}

/// A column that a table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub form: Form,
}

impl Column {
    /// The column `name`, whose form follows from the name.
    pub fn of(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { form: Form::of(&name), name }
    }
}

/// The columns of a table.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Those that are read and written.
    pub columns: Vec<Column>,
    /// Those that an export writes and an import passes over: they are not the file's to say.
    pub passed_over: Vec<String>,
}

impl Layout {
    /// The column `name`, if it is read.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether `name` is of no column, nor empty.
    fn is_strange(&self, name: &str) -> bool {
        !name.is_empty()
            && self.column(name).is_none()
            && !self.passed_over.iter().any(|passed| passed == name)
    }

    /// The names of the columns that are read, for a message.
    pub fn known(&self) -> Told {
        Told::new(|lang| {
            let names = self.columns.iter().map(|column| headings::called(lang, &column.name));
            names.collect::<Vec<_>>().join(", ")
        })
    }
}

/// A line that was not taken. Never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The line of the file, from 1; the row of a sheet.
    pub line: u64,
    /// The column of the table, or the number of the column of the file.
    pub column: Option<String>,
    /// The code of the rule that it breaks.
    pub rule: &'static str,
    /// What is wrong, for people.
    pub why: Told,
}

impl Refused {
    /// A line that breaks `rule`, whose words are the message `refused-<rule>`.
    pub fn by(line: u64, column: Option<String>, rule: &'static str) -> Self {
        let id = format!("refused-{}", rule.to_lowercase());
        Self { line, column, rule, why: Told::of(&id, &[]) }
    }
}

/// Why a file cannot be used at all.
#[derive(Debug, Clone, PartialEq)]
pub enum TableError {
    /// It cannot be read or written, or is no table.
    File {
        /// The file.
        file: PathBuf,
        /// Whether somebody must put something right, or it will pass, or the content is refused.
        exit: Exit,
        /// What is wrong.
        cause: Told,
    },
    /// A heading that is no column of the table.
    Column {
        /// The file.
        file: PathBuf,
        /// Which, from 1.
        n: usize,
        /// How many characters it has: what it says may be a person's.
        length: usize,
        /// The columns that there are.
        known: Told,
    },
    /// No column is named as the key.
    Key {
        /// The file.
        file: PathBuf,
        /// How many characters the name has.
        length: usize,
        /// The columns that there are.
        known: Told,
    },
    /// The mapping file cannot be read.
    Map {
        /// The file.
        file: PathBuf,
        /// As of [`TableError::File`].
        exit: Exit,
        /// What is wrong, and where.
        cause: Told,
    },
    /// The mapping file names a column that the table does not have.
    MapColumn {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
        /// How many characters the name has.
        length: usize,
        /// The columns that there are.
        known: Told,
    },
}

/// For logs; commands tell it in words of their own.
impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, cause, .. } | Self::Map { file, cause, .. } => {
                write!(f, "{}: {cause}", file.display())
            }
            Self::Column { file, n, .. } => write!(f, "{}: column {n} is unknown", file.display()),
            Self::Key { file, .. } => write!(f, "{}: no column is the key", file.display()),
            Self::MapColumn { file, line, .. } => write!(f, "{}:{line}: no such column", file.display()),
        }
    }
}

impl std::error::Error for TableError {}
