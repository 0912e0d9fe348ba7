//! The rows of a sheet of an XLSX file. The workbook's shared strings are held, the sheet is not ([`super::xlsx_bounds`]).

use std::{
    fs::File,
    io::BufReader,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetVisible, Xlsx};

use super::{
    LARGEST_COLUMNS, LARGEST_ROW, TableError, marks,
    xlsx_bounds::{self, OutOfBounds},
};
use crate::{messages::Told, output::Exit};

/// A value of a row, or the rule by which it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// What it says.
    Text(String),
    /// It says nothing that can be relied on.
    Unfit(&'static str),
}

impl Cell {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

/// The first sheet of a workbook that is not hidden.
pub struct Workbook {
    path: PathBuf,
    book: Xlsx<BufReader<File>>,
    sheet: String,
    /// The texts of its first row that has any.
    pub heading: Vec<String>,
}

impl Workbook {
    /// Opens the workbook at `path`, which is within bounds.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let io = |error: std::io::Error| table_error(path, Exit::of_io(&error), error.into());
        let file = File::open(path).map_err(io)?;
        xlsx_bounds::check(&file).map_err(|out| match out {
            OutOfBounds::Io(error) => io(error),
            OutOfBounds::NoZip => damaged(path),
            OutOfBounds::TooLarge => refused(path, "import-xlsx-too-large"),
        })?;
        let open = || Xlsx::new(BufReader::new(file));
        let book = guarded(path, open)?.map_err(|_| damaged(path))?;
        let sheets = book.sheets_metadata();
        let shown = sheets.iter().find(|sheet| sheet.visible == SheetVisible::Visible);
        let sheet = match shown {
            Some(sheet) => sheet.name.clone(),
            None if sheets.is_empty() => return Err(damaged(path)),
            None => return Err(refused(path, "import-xlsx-hidden")),
        };
        let mut this = Self { path: path.to_owned(), book, sheet, heading: Vec::new() };
        let mut heading = None;
        this.rows(None, |_, cells| {
            heading = Some(cells);
            Err(Ended::Enough)
        })
        .or_else(|ended| match ended {
            Ended::Enough => Ok(()),
            Ended::Failed(error) => Err(error),
        })?;
        let text = |cell| if let Cell::Text(text) = cell { text } else { String::new() };
        this.heading = heading.unwrap_or_default().into_iter().map(text).collect();
        while this.heading.last().is_some_and(String::is_empty) {
            this.heading.pop();
        }
        Ok(this)
    }

    /// Hands every row after the heading that is not blank to `each`: its number, from 1, and as many cells as the
    /// heading has, or more.
    pub fn for_each<E: From<TableError>>(
        &mut self,
        mut each: impl FnMut(u64, Vec<Cell>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut is_heading = true;
        let width = self.heading.len();
        self.rows(
            Some(width),
            |line, cells| {
                if std::mem::take(&mut is_heading) { Ok(()) } else { each(line, cells) }
            },
        )
    }

    fn rows<E: From<TableError>>(
        &mut self,
        width: Option<usize>,
        mut each: impl FnMut(u64, Vec<Cell>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { path, book, sheet, .. } = self;
        let mut cells = guarded(path, || book.worksheet_cells_reader(sheet))?.map_err(|_| damaged(path))?;
        let (mut line, mut row, mut bytes): (u32, Vec<Cell>, usize) = (0, Vec::new(), 0);
        let mut hand_on = |line: u32, mut row: Vec<Cell>| {
            if row.iter().all(Cell::is_blank) {
                return Ok(());
            }
            // cells beyond the heading that are only formatted are none
            let least = width.unwrap_or(0);
            while row.len() > least && row.last().is_some_and(Cell::is_blank) {
                row.pop();
            }
            row.resize(row.len().max(least), Cell::Text(String::new()));
            each(u64::from(line) + 1, row)
        };
        while let Some(cell) = guarded(path, || cells.next_cell())?.map_err(|_| damaged(path))? {
            let (at, column) = cell.get_position();
            if at < line {
                return Err(damaged(path).into());
            }
            if at > line {
                hand_on(line, std::mem::take(&mut row))?;
                (line, bytes) = (at, 0);
            }
            let column = column as usize;
            let said = said(cell.get_value());
            bytes += if let Cell::Text(text) = &said { text.len() } else { 0 };
            if said.is_blank() {
                continue;
            }
            if column >= LARGEST_COLUMNS || bytes > LARGEST_ROW {
                return Err(refused(path, "import-xlsx-too-large").into());
            }
            if row.len() <= column {
                row.resize(column + 1, Cell::Text(String::new()));
            }
            row[column] = said;
        }
        hand_on(line, row)
    }
}

/// Why the rows of a sheet were not read to their end.
enum Ended {
    Enough,
    Failed(TableError),
}

impl From<TableError> for Ended {
    fn from(error: TableError) -> Self {
        Self::Failed(error)
    }
}

/// Runs what parses the file: a reference of a cell that no sheet can have makes it overflow.
fn guarded<T>(path: &Path, parse: impl FnOnce() -> T) -> Result<T, TableError> {
    catch_unwind(AssertUnwindSafe(parse)).map_err(|_| damaged(path))
}

fn table_error(path: &Path, exit: Exit, cause: Told) -> TableError {
    TableError::File { file: path.to_owned(), exit, cause }
}

fn refused(path: &Path, id: &str) -> TableError {
    table_error(path, Exit::Refused, Told::of(id, &[]))
}

fn damaged(path: &Path) -> TableError {
    refused(path, "import-not-xlsx")
}

/// The largest number up to which every whole number is one of its own: Excel itself keeps 15 digits.
const PRECISE: f64 = 1e15;

/// What a cell says as text. A number is written as Excel shows it unformatted; one with more digits than it keeps, as
/// a policy or an account, was rounded when it was typed and cannot be relied on.
fn said(value: &DataRef<'_>) -> Cell {
    let text = match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => marks::unmarked(text).to_owned(),
        DataRef::SharedString(text) => marks::unmarked(text).to_owned(),
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) if n.abs() >= PRECISE => return Cell::Unfit("number-rounded"),
        DataRef::Float(n) => n.to_string(),
        DataRef::Bool(yes) => u8::from(*yes).to_string(),
        DataRef::DateTime(at) => match day(at) {
            Some(text) => text,
            None => return Cell::Unfit("cell-time"),
        },
        DataRef::DateTimeIso(text) => text.clone(),
        DataRef::DurationIso(_) => return Cell::Unfit("cell-time"),
        DataRef::Error(_) => return Cell::Unfit("cell-error"),
    };
    Cell::Text(text)
}

/// The day that a cell with a date shows; with its time if it has one.
fn day(at: &ExcelDateTime) -> Option<String> {
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    let day = format!("{year:04}-{month:02}-{day:02}");
    match (at.is_duration(), at.as_f64() >= 1.0, (hour, minute, second)) {
        (true, ..) | (_, false, _) => None,
        (.., (0, 0, 0)) => Some(day),
        _ => Some(format!("{day}T{hour:02}:{minute:02}:{second:02}")),
    }
}
