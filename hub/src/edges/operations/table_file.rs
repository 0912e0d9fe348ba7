//! Tables of questions and answers as office programs write and read them: CSV or XLSX ([`tables`]), held as a whole,
//! since staff answer all of it or nothing.

use std::{collections::BTreeMap, fs, path::Path};

use exchange_endpoint::{
    messages,
    output::{Exit, Failure, Lang},
    tables::{self, Cell, Encoding, Files, Form, Grid, Sink, TableError, headings},
};

use crate::edges::failure::{self, file};

/// A table that staff filled in is never larger.
const LARGEST: u64 = 256 << 20;

/// A table that was read. Personal data.
pub struct Table {
    columns: BTreeMap<String, usize>,
    rows: Vec<(u64, Vec<String>)>,
}

/// A row of a [`Table`].
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
    record: &'a [String],
    /// Its line in the file, from 1.
    pub line: u64,
}

/// Why a table is not read.
struct Unread(Failure);

impl From<TableError> for Unread {
    fn from(error: TableError) -> Self {
        Self(failure::table(error))
    }
}

impl Table {
    /// Reads `path`; `required` columns must be in its heading, in any order and case. What is wrong is
    /// told in `lang`.
    pub fn read(path: &Path, required: &[&str], lang: Lang) -> Result<Self, Failure> {
        if fs::metadata(path).map_err(file(path))?.len() > LARGEST {
            return Err(bad(path, 1, &messages::text(lang, "table-too-large", &[])));
        }
        let mut grid = Grid::open(path).map_err(failure::table)?;
        let headings = grid.headings();
        let width = headings.len();
        let columns: BTreeMap<String, usize> =
            headings.into_iter().enumerate().map(|(at, name)| (column_of(name), at)).collect();
        if let Some(missing) = required.iter().find(|name| !columns.contains_key(**name)) {
            let problem =
                messages::text(lang, "table-no-column", &[("column", heading_of(lang, missing).into())]);
            return Err(bad(path, 1, &problem));
        }
        let mut rows = Vec::new();
        let each = |line, cells: Result<Vec<Cell>, &'static str>| {
            let refused =
                |rule| Unread(bad(path, line, &messages::text(lang, &format!("refused-{rule}"), &[])));
            let cells = cells.map_err(refused)?;
            let text = |cell| match cell {
                Cell::Text(text) => Some(text).filter(|text| !tables::has_control(text)),
                Cell::Unfit(_) => None,
            };
            let record = cells.into_iter().map(text).collect::<Option<Vec<String>>>();
            let no_text = || Unread(bad(path, line, &messages::text(lang, "table-no-text", &[])));
            let record = record.ok_or_else(no_text)?;
            if record.len() != width {
                let numbers = [("cells", record.len().into()), ("heading", width.into())];
                return Err(Unread(bad(path, line, &messages::text(lang, "table-cells", &numbers))));
            }
            rows.push((line, record));
            Ok(())
        };
        grid.for_each(each).map_err(|Unread(failure)| failure)?;
        Ok(Self { columns, rows })
    }

    /// Its rows, without the heading.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row { table: self, record, line: *line })
    }
}

impl<'a> Row<'a> {
    /// Whether the table has `column`.
    pub fn has(&self, column: &str) -> bool {
        self.table.columns.contains_key(column)
    }

    /// The trimmed text in `column`; empty if the table has no such column.
    pub fn text(&self, column: &str) -> &'a str {
        let text = self.table.columns.get(column).and_then(|at| self.record.get(*at));
        text.map(String::as_str).unwrap_or_default().trim()
    }
}

/// Columns of a question's own; those of its two records with `_1` and `_2`.
const OF_QUESTION: [&str; 17] = [
    "review",
    "kind",
    "why",
    "centre",
    "key",
    "version",
    "person",
    "case_number",
    "differences",
    "centre_reason",
    "signature",
    "resolution",
    "others",
    "against",
    "answers",
    "decision",
    "reason",
];

/// Fields of two records that staff see, if either states one, in the order of the register.
pub const SHOWN: [&str; 15] = [
    "surname",
    "given",
    "patronymic",
    "birth_date",
    "sex",
    "snils",
    "identity_doc_series",
    "identity_doc_number",
    "address_reg",
    "address_live",
    "phone",
    "email",
    "number",
    "date",
    "valid_until",
];

/// What the columns of staff's tables are called.
fn columns() -> impl Iterator<Item = &'static str> {
    OF_QUESTION.into_iter().chain(SHOWN)
}

/// The column's name and the number of its record.
fn parted(column: &str) -> (&str, &str) {
    match column.strip_suffix("_1").or_else(|| column.strip_suffix("_2")) {
        Some(name) => (name, &column[column.len() - 1..]),
        None => (column, ""),
    }
}

/// The heading of `column` for staff. In English it is the column's name, as scripts know it.
pub fn heading_of(lang: Lang, column: &str) -> String {
    let (name, no) = parted(column);
    match (lang, messages::find(lang, &format!("column-{name}"), &[])) {
        (Lang::Ru, Some(label)) => format!("{label} {no}").trim_end().to_owned(),
        _ => headings::field(lang, column),
    }
}

/// A value of `field` as staff read it: in Russian a day as DD.MM.YYYY; in English as it is kept, for scripts.
pub fn shown(lang: Lang, field: &str, value: &str) -> String {
    let (_, of_line) = field.rsplit_once('.').unwrap_or_default();
    let field = if of_line.is_empty() { field } else { of_line };
    match lang {
        Lang::Ru => Form::of(field).written(value, lang).into_owned(),
        Lang::En => value.to_owned(),
    }
}

/// The column that a heading names, in either language and any case; the heading itself if it is none of ours.
fn column_of(heading: &str) -> String {
    let heading = heading.trim().to_lowercase();
    let numbered = columns().flat_map(|name| ["", "_1", "_2"].map(|no| format!("{name}{no}")));
    let known = numbered.into_iter().find(|column| heading_of(Lang::Ru, column).to_lowercase() == heading);
    known.unwrap_or(heading)
}

/// The error of one line of the file.
pub fn bad(path: &Path, line: u64, problem: &str) -> Failure {
    Failure::new(Exit::Refused, "table-line")
        .with("problems", format!("{}:{line}: {problem}", path.display()))
}

/// The error of several lines at once.
pub fn all_bad(path: &Path, problems: &[(u64, String)]) -> Failure {
    const SHOWN: usize = 20;
    let mut lines: Vec<String> = problems
        .iter()
        .take(SHOWN)
        .map(|(line, problem)| format!("{}:{line}: {problem}", path.display()))
        .collect();
    if problems.len() > SHOWN {
        lines.push(format!("… +{}", problems.len() - SHOWN));
    }
    Failure::new(Exit::Refused, "table-line").with("problems", lines.join("\n"))
}

/// Writes a table to `path`, in place of what was there: a workbook if its name says so, else CSV.
pub fn write(path: &Path, heading: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let is_book = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"));
    let files = if is_book { Files::Xlsx } else { Files::Csv };
    let heading: Vec<String> = heading.iter().map(|name| (*name).to_owned()).collect();
    let write = || {
        // staff's own copy of personal data
        let mut sink = Sink::begin(path, files, &heading, Encoding::Utf8, 0o600)?;
        rows.iter().try_for_each(|row| sink.write(row.iter().map(String::as_str)))?;
        sink.finish()
    };
    write().map_err(failure::table)
}

#[cfg(test)]
mod tests {
    use encoding_rs::WINDOWS_1251;

    use super::*;

    const BOM: &str = "\u{feff}";

    fn read(bytes: &[u8]) -> Result<Table, Failure> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("t.csv");
        fs::write(&path, bytes).expect("written");
        Table::read(&path, &["review", "decision"], Lang::En)
    }

    #[test]
    fn a_table_is_read_in_each_form_that_offices_write() {
        let texts = [
            "review;decision;why\r\n1;один;\"да; точно\"\r\n",
            "Decision,REVIEW,why\n один ,1,да; точно\n",
            "review\tdecision\twhy\n1\tодин\tда; точно\n",
            "Вопрос;РЕШЕНИЕ;Почему\r\n1;один;\"да; точно\"\r\n",
        ];
        for text in texts {
            let with_bom = format!("{BOM}{text}");
            let (in_1251, ..) = WINDOWS_1251.encode(text);
            for bytes in [text.as_bytes(), with_bom.as_bytes(), &in_1251] {
                let table = read(bytes).expect("read");
                let row = table.rows().next().expect("a row");
                let cells = ["review", "decision", "why", "none"].map(|column| row.text(column));
                assert_eq!((row.line, cells), (2, ["1", "один", "да; точно", ""]));
            }
        }
    }

    #[test]
    fn each_column_has_its_own_heading_in_russian() {
        let headings: std::collections::BTreeSet<String> =
            columns().map(|column| heading_of(Lang::Ru, column)).collect();
        assert_eq!(headings.len(), columns().count());
        for column in columns() {
            for column in [column.to_owned(), format!("{column}_2")] {
                let heading = heading_of(Lang::Ru, &column);
                assert!(!heading.is_ascii(), "{heading}");
                assert_eq!(column_of(&heading), column);
                assert_eq!(column_of(&column), column);
                assert_eq!(heading_of(Lang::En, &column), column);
            }
        }
    }

    #[test]
    fn what_is_no_table_is_told_with_its_line() {
        for (bytes, place) in [
            (&b"review;why\n1;x\n"[..], ":1: there is no column decision"),
            (b"review;decision\n1;\xd0\xbe\n1;2;3\n", ":3: 3 cells, the heading has 2"),
            (b"review;decision\n1;2\n\0\0", ":3: this is no text"),
            (b"", ":1: there is no column review"),
        ] {
            let failure = read(bytes).err().expect("no table");
            assert_eq!((failure.code(), failure.exit()), ("table-line", Exit::Refused));
            assert!(failure.to_string().contains(place), "{failure}");
        }
    }

    #[test]
    fn a_written_table_reads_back_and_holds_no_formula() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("t.csv");
        let rows = [vec!["1".to_owned(), "=1+1".to_owned()], vec!["2".to_owned(), "a;\"b\"\r\nc".to_owned()]];
        write(&path, &["review", "decision"], &rows).expect("written");
        let bytes = fs::read(&path).expect("there");
        assert!(bytes.starts_with("\u{feff}review;decision\r\n1;'=1+1\r\n".as_bytes()));
        let table = Table::read(&path, &["review"], Lang::En).expect("read");
        let cells: Vec<&str> = table.rows().map(|row| row.text("decision")).collect();
        assert_eq!(cells, ["=1+1", "a;\"b\"\r\nc"]);
        assert_eq!(table.rows().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
        let book = dir.path().join("t.xlsx");
        write(&book, &["review", "decision"], &rows).expect("written");
        let table = Table::read(&book, &["review"], Lang::En).expect("read");
        assert_eq!(table.rows().map(|row| row.text("decision")).collect::<Vec<_>>()[0], "=1+1");
    }
}
