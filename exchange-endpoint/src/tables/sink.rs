//! A file that is written: CSV or XLSX, row by row, under its name only when it is whole.

use std::{
    any::Any,
    borrow::Cow,
    io::{self, BufWriter, Write as _},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use encoding_rs::WINDOWS_1251;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use serde::{Deserialize, Serialize};

use super::{Form, TableError, headings, lost, marks};
use crate::{
    durable_file::{self, PartFile},
    messages::{self, Lang, Told},
    output::Exit,
};

/// So many cells are told; all are counted.
const TOLD: usize = 1_000;
/// What an export that was killed has left is removed by the next one of the same name; where nothing tells whether another is
/// writing it, after so long.
const LEFT: Duration = Duration::from_hours(1);
/// The rows of a sheet, its heading among them.
const SHEET_ROWS: u32 = 1_048_576;

/// How the letters of a CSV file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Encoding {
    /// UTF-8 with a byte order mark, by which Excel knows it.
    #[default]
    #[value(name = "utf-8")]
    Utf8,
    /// Windows-1251, for programs that know no other; a letter that it does not have is written as ¤ and told.
    #[value(name = "windows-1251")]
    Windows1251,
}

/// What the files of all tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Files {
    /// Comma-separated values, with semicolons.
    #[default]
    Csv,
    /// Workbooks of Excel.
    Xlsx,
}

impl Files {
    /// The ending of their names.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The table.
    pub table: String,
    /// The file.
    pub file: PathBuf,
    /// How many rows.
    pub rows: u32,
    /// The cells of which the encoding lacks a letter: at most so many as a report tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unencodable: Vec<Lacking>,
    /// How many there are.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unencodable_count: u64,
}

/// A cell that lost a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacking {
    /// The row of the file, from 1, its heading.
    pub row: u32,
    /// The column of the table.
    pub column: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Written {
    /// How a command that wrote these `files` ends: with 3 if cells lost letters.
    pub fn exit(files: &[Self]) -> Exit {
        if files.iter().all(|file| file.unencodable_count == 0) { Exit::Done } else { Exit::Refused }
    }

    /// For people.
    pub fn text(&self, lang: Lang) -> String {
        let args = [("file", self.file.display().to_string().into()), ("n", self.rows.into())];
        let file = messages::text(lang, "table-file", &args);
        let lacking = self.unencodable.iter().map(|one| {
            let column = headings::field(lang, &one.column);
            messages::text(lang, "table-letter", &[("row", one.row.into()), ("column", column.into())])
        });
        let more = self.unencodable_count - self.unencodable.len() as u64;
        let more = (more > 0).then(|| messages::text(lang, "table-more", &[("n", more.into())]));
        [file].into_iter().chain(lacking).chain(more).collect::<Vec<_>>().join("\n")
    }
}

/// The places of the `columns` that go into the file at `path`, and what their values are. A cell of Excel has no room
/// for the content of a file.
pub fn kept(path: &Path, columns: &[String]) -> Vec<(usize, Form)> {
    let is_book = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"));
    let kept = |name: &str| !(is_book && name == "content");
    columns.iter().enumerate().filter(|(_, name)| kept(name)).map(|(n, name)| (n, Form::of(name))).collect()
}

enum Kind {
    Csv(BufWriter<PartFile>, Encoding),
    Xlsx(Box<Workbook>, Format, PartFile),
}

/// A table that is being written. Personal data: the file is its owner's, as `mode` says.
pub struct Sink {
    path: PathBuf,
    kind: Kind,
    rows: u32,
    columns: usize,
    /// The columns of our tables, if it is one of ours.
    names: Vec<String>,
    lacking: Vec<Lacking>,
    lacking_count: u64,
}

impl Sink {
    /// Begins the table at `path`, whose ending says what it is: `.csv` or `.xlsx`.
    ///
    /// # Errors
    /// Another ending, or the file cannot be made.
    pub fn create(
        path: &Path,
        headings: &[String],
        encoding: Encoding,
        mode: u32,
    ) -> Result<Self, TableError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let files = match ending.as_deref() {
            Some("csv") => Files::Csv,
            Some("xlsx") => Files::Xlsx,
            _ => return Err(refused(path, Told::of("table-ending", &[]))),
        };
        Self::begin(path, files, headings, encoding, mode)
    }

    /// Begins the table at `path`, whatever its ending.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn begin(
        path: &Path,
        files: Files,
        headings: &[String],
        encoding: Encoding,
        mode: u32,
    ) -> Result<Self, TableError> {
        // best effort: what stays is told by nobody, and keeps nothing back
        let _ = durable_file::remove_left_of(path, LEFT);
        let part = || PartFile::create(path, mode).map_err(failure(path));
        let kind = match files {
            Files::Csv => {
                let mut file = BufWriter::with_capacity(1 << 16, part()?);
                let bom: &[u8] = if encoding == Encoding::Utf8 { "\u{feff}".as_bytes() } else { &[] };
                file.write_all(bom).map_err(failure(path))?;
                Kind::Csv(file, encoding)
            }
            Files::Xlsx => {
                let mut book = Workbook::new();
                // unlinked as soon as it is made, and on the disk that the table goes to
                let beside = path.parent().filter(|dir| !dir.as_os_str().is_empty());
                book.set_tempdir(beside.unwrap_or(Path::new("."))).map_err(xlsx_error(path))?;
                let sheet = book.add_worksheet_with_constant_memory().map_err(xlsx_error(path))?;
                sheet.set_freeze_panes(1, 0).map_err(xlsx_error(path))?;
                Kind::Xlsx(Box::new(book), Format::new().set_num_format("@"), part()?)
            }
        };
        let mut sink = Self {
            path: path.to_owned(),
            kind,
            rows: 0,
            columns: headings.len(),
            names: Vec::new(),
            lacking: Vec::new(),
            lacking_count: 0,
        };
        sink.write(headings.iter().map(String::as_str))?;
        Ok(sink)
    }

    /// Writes a row.
    ///
    /// # Errors
    /// The disk's; a length that the format does not have; more rows than a sheet has.
    ///
    /// # Panics
    /// If the row has another number of cells than the heading: a mistake in the program.
    pub fn write<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> Result<(), TableError> {
        let mut written = 0;
        let path = &self.path;
        match &mut self.kind {
            Kind::Csv(file, encoding) => {
                let mut line = String::new();
                for cell in cells {
                    let lacking = if *encoding == Encoding::Windows1251 { lost::written(cell) } else { None };
                    if lacking.is_some() {
                        self.lacking_count += 1;
                        if self.lacking.len() < TOLD {
                            let column = self.names.get(written).cloned().unwrap_or_default();
                            self.lacking.push(Lacking { row: self.rows + 1, column });
                        }
                    }
                    push_cell(&mut line, &lacking.map_or(Cow::Borrowed(cell), Cow::Owned), written > 0);
                    written += 1;
                }
                line.push_str("\r\n");
                let bytes = match encoding {
                    Encoding::Utf8 => line.as_bytes().into(),
                    Encoding::Windows1251 => WINDOWS_1251.encode(&line).0,
                };
                file.write_all(&bytes).map_err(failure(path))?;
            }
            Kind::Xlsx(book, text, _) => {
                if self.rows == SHEET_ROWS {
                    return Err(refused(path, Told::of("table-sheet-full", &[])));
                }
                let sheet = book.worksheet_from_index(0).map_err(xlsx_error(path))?;
                for cell in cells {
                    let column = u16::try_from(written).expect("a table has fewer columns than a sheet");
                    if !cell.is_empty() {
                        let cell = marks::marked_text(cell);
                        let write =
                            || sheet.write_string_with_format(self.rows, column, cell, text).map(drop);
                        guarded(path, write)?.map_err(xlsx_error(path))?;
                    }
                    written += 1;
                }
            }
        }
        assert_eq!(written, self.columns, "a row has a cell of each column");
        self.rows += 1;
        Ok(())
    }

    /// Begins a table of the `columns` that it keeps ([`kept`]), with headings in `lang`.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn of_columns(
        path: &Path,
        columns: &[String],
        lang: Lang,
        encoding: Encoding,
        mode: u32,
    ) -> Result<Self, TableError> {
        let kept = kept(path, columns);
        let headings: Vec<String> =
            kept.iter().map(|(n, _)| headings::heading_of(lang, &columns[*n])).collect();
        let mut sink = Self::create(path, &headings, encoding, mode)?;
        sink.names = kept.iter().map(|(n, _)| columns[*n].clone()).collect();
        Ok(sink)
    }

    /// Writes a row of all columns: of those that are `kept`, as people who read `lang` write them.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn put(&mut self, kept: &[(usize, Form)], values: &[String], lang: Lang) -> Result<(), TableError> {
        let cells: Vec<_> = kept.iter().map(|(n, form)| form.written(&values[*n], lang)).collect();
        self.write(cells.iter().map(AsRef::as_ref))
    }

    /// How many rows were written, without the heading.
    pub fn rows(&self) -> u32 {
        self.rows - 1
    }

    /// Ends the file of `table` as [`Self::finish`] does, and says what it is.
    ///
    /// # Errors
    /// The disk's.
    pub fn written(mut self, table: String) -> Result<Written, TableError> {
        let (file, rows) = (self.path.clone(), self.rows());
        let (unencodable, unencodable_count) = (std::mem::take(&mut self.lacking), self.lacking_count);
        self.finish()?;
        Ok(Written { table, file, rows, unencodable, unencodable_count })
    }

    /// Puts the file under its name, in place of what was there.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(self) -> Result<(), TableError> {
        let path = &self.path;
        let part = match self.kind {
            Kind::Csv(file, _) => file.into_inner().map_err(|error| failure(path)(error.into_error()))?,
            Kind::Xlsx(mut book, _, mut part) => {
                guarded(path, || book.save_to_writer(&mut part))?.map_err(xlsx_error(path))?;
                part
            }
        };
        part.finish().map_err(failure(path))
    }
}

/// Adds a cell to a line of CSV: quoted where it must be.
fn push_cell(line: &mut String, cell: &str, after_another: bool) {
    if after_another {
        line.push(';');
    }
    let cell = marks::marked(cell);
    if cell.contains([';', '"', '\n', '\r']) {
        line.push('"');
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(&cell);
    }
}

fn refused(path: &Path, cause: Told) -> TableError {
    TableError::File { file: path.to_owned(), exit: Exit::Refused, cause }
}

fn failure(path: &Path) -> impl Fn(io::Error) -> TableError {
    move |error| TableError::File { file: path.to_owned(), exit: Exit::of_io(&error), cause: error.into() }
}

/// Runs what writes a workbook: where the library cannot write its own file beside the table it panics, and the system's
/// error is in the words of that alone.
fn guarded<T>(path: &Path, write: impl FnOnce() -> T) -> Result<T, TableError> {
    catch_unwind(AssertUnwindSafe(write)).map_err(|panic| match system_error(&*panic) {
        Some(error) => failure(path)(error),
        None => resume_unwind(panic),
    })
}

/// The error of the system that a panic tells of as `Os { code: 28, … }`.
fn system_error(panic: &(dyn Any + Send)) -> Option<io::Error> {
    let (_, code) = panic.downcast_ref::<String>()?.split_once("Os { code: ")?;
    let code = code.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some(io::Error::from_raw_os_error(code))
}

fn xlsx_error(path: &Path) -> impl Fn(XlsxError) -> TableError {
    move |error| match error {
        XlsxError::IoError(error) | XlsxError::TempFileError(_, error) => failure(path)(error),
        XlsxError::MaxStringLengthExceeded => refused(path, Told::of("table-cell-long", &[])),
        // the library's words may repeat a cell
        _ => refused(path, Told::of("table-xlsx", &[])),
    }
}
