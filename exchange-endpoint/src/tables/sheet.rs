//! A file that is read: its heading is understood, its rows are handed on one by one.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use exchange_format::invisible;

use super::{
    Form, Layout, Map, Refused, TableError,
    csv::CsvFile,
    headings::{self, Headings},
    marks,
    xlsx::{Cell, Workbook},
};
use crate::{messages::Told, output::Exit};

/// A row, or a line that is none.
#[derive(Debug)]
pub enum Item {
    /// Its line, and its values in the order of [`Sheet::columns`], each in the form in which it is kept. Personal data.
    Row(u64, Vec<String>),
    /// Why it is none, and its key as far as it can be read.
    Refused(Refused, Option<String>),
}

/// The rows of a file, whatever they mean.
pub struct Grid {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Csv(CsvFile),
    Xlsx(Box<Workbook>),
}

impl Grid {
    /// Opens the file at `path`: XLSX if it begins as one, else CSV.
    ///
    /// # Errors
    /// [`TableError::File`].
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let kind = if is_zip(path)? {
            Kind::Xlsx(Box::new(Workbook::open(path)?))
        } else {
            Kind::Csv(CsvFile::open(path)?)
        };
        Ok(Self { path: path.to_owned(), kind })
    }

    /// The headings, as they stand but for blanks around them.
    pub fn headings(&self) -> Vec<&str> {
        let headings = match &self.kind {
            Kind::Csv(file) => &file.heading.1,
            Kind::Xlsx(book) => &book.heading,
        };
        headings.iter().map(|heading| heading.trim()).collect()
    }

    /// Hands every row after the heading that is not blank to `each`: its line and its cells, marks taken off, or the
    /// rule by which they are none.
    ///
    /// # Errors
    /// The file cannot be read any more, or those of `each`.
    pub fn for_each<E: From<TableError>>(
        &mut self,
        mut each: impl FnMut(u64, Result<Vec<Cell>, &'static str>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { path, kind } = self;
        match kind {
            Kind::Csv(file) => file.for_each(
                |line, values| each(line, values.map(|values| values.into_iter().map(from_csv).collect())),
                |error| {
                    let exit = Exit::of_io(&error);
                    TableError::File { file: path.clone(), exit, cause: error.into() }.into()
                },
            ),
            Kind::Xlsx(book) => book.for_each(|line, cells| each(line, Ok(cells))),
        }
    }
}

/// A table in a file.
pub struct Sheet {
    grid: Grid,
    layout: Layout,
    passed_over: Vec<String>,
    /// The columns of the table, in the order of the values; `None` for one that is passed over.
    pub columns: Vec<Option<String>>,
    /// Where in a row the key stands; 0 in another's table.
    pub key: usize,
}

impl Sheet {
    /// Opens the table in `path`: XLSX if it begins as one, else CSV. `map` says what other headings mean; `key`
    /// is the column or heading that tells rows apart (else what the map says, else `default_key`), and one that is
    /// no column is the `id`.
    ///
    /// # Errors
    /// The file is no table, or its heading is not that of one with this `layout`.
    pub fn open(
        path: &Path,
        layout: Layout,
        map: &Map,
        key: Option<&str>,
        default_key: &str,
    ) -> Result<Self, TableError> {
        let grid = Grid::open(path)?;
        let headings = grid.headings();
        if headings.is_empty() {
            let cause = Told::of("import-empty", &[]);
            return Err(TableError::File { file: path.to_owned(), exit: Exit::Refused, cause });
        }
        let key = key.or(map.key()).unwrap_or(default_key);
        let (columns, passed_over) = columns(path, &headings, &layout, map, Some(key))?;
        let by_column = columns.iter().position(|column| column.as_deref() == Some(key));
        let place = by_column.or_else(|| headings.iter().position(|heading| *heading == key));
        let no_key =
            || TableError::Key { file: path.to_owned(), length: key.chars().count(), known: layout.known() };
        let key = place.ok_or_else(no_key)?;
        Ok(Self { grid, layout, passed_over, columns, key })
    }

    /// Opens a table that is not one of ours, to look into: headings that mean no column of `layout` are passed over, and
    /// no column is the key.
    ///
    /// # Errors
    /// The file is no table, or two of its headings mean the same column.
    pub fn of_others(path: &Path, layout: Layout, map: &Map) -> Result<Self, TableError> {
        let grid = Grid::open(path)?;
        let (columns, passed_over) = columns(path, &grid.headings(), &layout, map, None)?;
        Ok(Self { grid, layout, passed_over, columns, key: 0 })
    }

    /// Tells whether the values of a line are the heading once more, as at the top of each page of a printed list.
    pub fn heading_test(&self) -> impl Fn(&[String]) -> bool + use<> {
        let headings = self.grid.headings().into_iter().map(str::to_owned);
        let read = self.columns.iter().map(Option::is_some);
        let headings: Vec<Option<String>> =
            headings.zip(read).map(|(heading, read)| read.then_some(heading)).collect();
        move |values| {
            headings
                .iter()
                .zip(values)
                .all(|(heading, value)| heading.as_ref().is_none_or(|heading| heading == value.trim()))
        }
    }

    /// Whether the file has the column `name`, which is not read.
    pub fn passes_over(&self, name: &str) -> bool {
        self.passed_over.iter().any(|passed| passed == name)
    }

    /// Hands every line after the heading to `each`, in the order of the file.
    ///
    /// # Errors
    /// The file cannot be read any more, or those of `each`.
    pub fn for_each<E: From<TableError>>(
        &mut self,
        mut each: impl FnMut(Item) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { grid, layout, columns, key, .. } = self;
        let form = |name: &String| layout.column(name).map(|column| column.form);
        let forms: Vec<Option<Form>> = columns.iter().map(|name| name.as_ref().and_then(form)).collect();
        grid.for_each(|line, cells| {
            each(match cells {
                Ok(cells) => row(&forms, columns, *key, line, cells),
                Err(rule) => Item::Refused(Refused::by(line, None, rule), None),
            })
        })
    }
}

fn from_csv(value: String) -> Cell {
    Cell::Text(if value.starts_with('\'') { marks::unmarked(&value).to_owned() } else { value })
}

fn is_zip(path: &Path) -> Result<bool, TableError> {
    let failure = |error: std::io::Error| TableError::File {
        file: path.to_owned(),
        exit: Exit::of_io(&error),
        cause: error.into(),
    };
    // a pipe would wait for its writer, and cannot be read twice
    let kind = fs::metadata(path).map_err(failure)?;
    if !kind.is_file() && !kind.is_dir() {
        let cause = Told::of("import-no-file", &[]);
        return Err(TableError::File { file: path.to_owned(), exit: Exit::Usage, cause });
    }
    let mut begin = Vec::new();
    File::open(path).map_err(failure)?.take(4).read_to_end(&mut begin).map_err(failure)?;
    Ok(begin == b"PK\x03\x04")
}

/// The column of each heading; and which columns that are not read there are. Without a `key` the table is another's,
/// and a strange heading is passed over.
fn columns(
    path: &Path,
    headings: &[&str],
    layout: &Layout,
    map: &Map,
    key: Option<&str>,
) -> Result<(Vec<Option<String>>, Vec<String>), TableError> {
    let known = Headings::of(layout);
    let (mut columns, mut passed_over): (Vec<Option<String>>, Vec<String>) = (Vec::new(), Vec::new());
    for (n, heading) in headings.iter().enumerate() {
        let meant = map.column(heading).or_else(|| known.column(heading));
        let name = match meant {
            Some(name) => name,
            None if Some(*heading) == key => "id",
            None if key.is_none() => whole(heading, headings, layout, &known),
            None if headings::several(heading).is_some() => {
                let id = headings::several(heading).expect("just asked");
                let cause = Told::of(id, &[("n", (n + 1).into())]);
                return Err(TableError::File { file: path.to_owned(), exit: Exit::Refused, cause });
            }
            None => {
                // Without a heading line the first row's values stand here.
                return Err(TableError::Column {
                    file: path.to_owned(),
                    n: n + 1,
                    length: heading.chars().count(),
                    known: layout.known(),
                });
            }
        };
        let column = layout.column(name).map(|column| column.name.clone());
        if column.is_none() && !name.is_empty() {
            passed_over.push(name.to_owned());
        }
        if column.is_some() && columns.contains(&column) {
            let args = [("n", (n + 1).into()), ("name", name.to_owned().into())];
            let cause = Told::of("import-column-again", &args);
            return Err(TableError::File { file: path.to_owned(), exit: Exit::Refused, cause });
        }
        columns.push(column);
    }
    Ok((columns, passed_over))
}

/// What a heading for several columns of ours means in another's table, which is looked into: names are read out of the
/// column for surnames if there is none of surnames, documents whole.
fn whole<'a>(heading: &str, headings: &[&str], layout: &'a Layout, known: &Headings) -> &'a str {
    let name = match headings::several(heading) {
        Some("import-full-name") if !headings.iter().any(|other| known.column(other) == Some("surname")) => {
            "surname"
        }
        Some("import-passport") => "passport",
        _ => return "",
    };
    layout.column(name).map_or("", |column| &column.name)
}

/// The row that `cells` are.
fn row(forms: &[Option<Form>], columns: &[Option<String>], key: usize, line: u64, cells: Vec<Cell>) -> Item {
    let of_row = match cells.get(key) {
        Some(Cell::Text(text)) if !has_control(text) => Some(text.clone()),
        _ => None,
    };
    let place = |n: usize| columns.get(n).cloned().flatten().unwrap_or_else(|| (n + 1).to_string());
    if cells.len() != columns.len() {
        let counts = [("values", cells.len().into()), ("columns", columns.len().into())];
        let why = Told::of("import-cells", &counts);
        return Item::Refused(Refused { line, column: None, rule: "cells", why }, of_row);
    }
    let mut values = Vec::with_capacity(cells.len());
    for (n, cell) in cells.into_iter().enumerate() {
        let Some(form) = forms[n] else {
            values.push(String::new());
            continue;
        };
        let text = match cell {
            Cell::Text(text) => text,
            Cell::Unfit(rule) => return Item::Refused(Refused::by(line, Some(place(n)), rule), of_row),
        };
        if has_control(&text) {
            let why = Told::of("import-control", &[("n", (n + 1).into())]);
            return Item::Refused(Refused { line, column: Some(place(n)), rule: "control", why }, of_row);
        }
        let names = n == key || columns[n].as_deref().is_some_and(is_id);
        if let Some(c) = invisible::find(text.trim()).filter(|_| names) {
            let why = Told::of("import-invisible", &[("sign", format!("U+{:04X}", u32::from(c)).into())]);
            return Item::Refused(
                Refused { line, column: Some(place(n)), rule: "id-invisible", why },
                of_row,
            );
        }
        let kept = match form.kept(&text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(kept) => Some(kept),
        };
        values.push(kept.unwrap_or(text));
    }
    Item::Row(line, values)
}

/// Whether the column names rows: two ids that differ by what nobody sees would be two rows.
fn is_id(column: &str) -> bool {
    matches!(column, "id" | "uid") || column.ends_with("_id")
}

/// Whether `value` holds what no record can carry: NUL and other control characters but line breaks and tabs.
pub fn has_control(value: &str) -> bool {
    // those above ASCII are all of two bytes, this one first
    let may_be = |byte: u8| byte < b' ' || matches!(byte, 0x7F | 0xC2);
    value.bytes().any(may_be) && value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}
