//! Tables as office programs write and read them: written as UTF-8 with BOM, `;`, CRLF, which a Russian Excel
//! opens as it is; read as UTF-8 or Windows-1251, `;` or `,` or tab.

use std::{collections::BTreeMap, fs, path::Path};

use encoding_rs::WINDOWS_1251;
use exchange_endpoint::{
    durable_file, messages,
    output::{Exit, Failure, Lang},
};

use crate::edges::failure::file;

const BOM: &str = "\u{feff}";
/// A table that staff filled in is never larger.
const LARGEST: u64 = 256 << 20;

/// A table that was read. Personal data.
pub struct Table {
    columns: BTreeMap<String, usize>,
    rows: Vec<(u64, csv::StringRecord)>,
}

/// A row of a [`Table`].
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
    record: &'a csv::StringRecord,
    /// Its line in the file, from 1.
    pub line: u64,
}

impl Table {
    /// Reads `path`; `required` columns must be in its heading, in any order and case. What is wrong is
    /// told in `lang`.
    pub fn read(path: &Path, required: &[&str], lang: Lang) -> Result<Self, Failure> {
        if fs::metadata(path).map_err(file(path))?.len() > LARGEST {
            return Err(bad(path, 1, &messages::text(lang, "table-too-large", &[])));
        }
        let bytes = fs::read(path).map_err(file(path))?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => WINDOWS_1251.decode_without_bom_handling(error.as_bytes()).0.into_owned(),
        };
        let text = text.strip_prefix(BOM).unwrap_or(&text);
        if let Some(at) = text.find('\0') {
            return Err(bad(path, line_of(text, at), &messages::text(lang, "table-no-text", &[])));
        }
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text.as_bytes());
        let heading = reader.headers().map_err(|error| csv_error(path, text, &error, lang))?;
        let columns: BTreeMap<String, usize> =
            heading.iter().enumerate().map(|(at, name)| (column_of(name), at)).collect();
        if let Some(missing) = required.iter().find(|name| !columns.contains_key(**name)) {
            let problem =
                messages::text(lang, "table-no-column", &[("column", heading_of(lang, missing).into())]);
            return Err(bad(path, 1, &problem));
        }
        let mut rows = Vec::new();
        let (mut line, mut counted) = (1, 0);
        for record in reader.records() {
            let record = record.map_err(|error| csv_error(path, text, &error, lang))?;
            let at = record.position().map_or(counted, |position| start(text, position));
            line += line_of(&text[counted..], at - counted) - 1;
            counted = at;
            rows.push((line, record));
        }
        Ok(Self { columns, rows })
    }

    /// Its rows, without the heading.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row { table: self, record, line: *line })
    }
}

impl<'a> Row<'a> {
    /// The trimmed text in `column`; empty if the table has no such column.
    pub fn text(&self, column: &str) -> &'a str {
        self.table.columns.get(column).and_then(|at| self.record.get(*at)).unwrap_or_default().trim()
    }
}

/// Columns of a question's own; those of its two records with `_1` and `_2`.
const OF_QUESTION: [&str; 13] = [
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
    "answers",
    "decision",
    "reason",
];

/// Fields of two records that staff see, if either states one.
pub const SHOWN: [&str; 15] = [
    "surname",
    "given",
    "patronymic",
    "birth_date",
    "sex",
    "snils",
    "identity_doc_series",
    "identity_doc_number",
    "phone",
    "email",
    "address_reg",
    "address_live",
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
        _ => column.to_owned(),
    }
}

/// The column that a heading names, in either language and any case; the heading itself if it is none of ours.
fn column_of(heading: &str) -> String {
    let heading = heading.trim().to_lowercase();
    let numbered = columns().flat_map(|name| ["", "_1", "_2"].map(|no| format!("{name}{no}")));
    let known = numbered.into_iter().find(|column| heading_of(Lang::Ru, column).to_lowercase() == heading);
    known.unwrap_or(heading)
}

/// The sign that the heading has most of.
fn delimiter(text: &str) -> u8 {
    let heading = text.lines().next().unwrap_or_default();
    let count = |sign: &u8| heading.bytes().filter(|byte| byte == sign).count();
    // of equal counts the last counts: a heading of one column has none of them
    b"\t,;".iter().copied().max_by_key(count).unwrap_or(b';')
}

/// Where a record begins: the reader's position may still stand before the end of the line above.
fn start(text: &str, position: &csv::Position) -> usize {
    let at = usize::try_from(position.byte()).unwrap_or(text.len()).min(text.len());
    at + text.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// The line of the byte `at`, from 1.
fn line_of(text: &str, at: usize) -> u64 {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() as u64 + 1
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

fn csv_error(path: &Path, text: &str, error: &csv::Error, lang: Lang) -> Failure {
    let line = error.position().map_or(1, |position| line_of(text, start(text, position)));
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let numbers = [("cells", (*len).into()), ("heading", (*expected_len).into())];
            messages::text(lang, "table-cells", &numbers)
        }
        // no other error can come from text in memory; the kind says enough and repeats no cell
        _ => messages::text(lang, "table-no-table", &[]),
    };
    bad(path, line, &problem)
}

/// Writes a table to `path`, in place of what was there.
pub fn write(path: &Path, heading: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(BOM.as_bytes().to_vec());
    writer.write_record(heading).map_err(|error| Failure::bug(&error))?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(|error| Failure::bug(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::bug(&error))?;
    // staff's own copy of personal data
    durable_file::replace(path, &bytes, 0o600).map_err(file(path))
}

/// A cell that a spreadsheet would take for a formula is marked as text.
fn harmless(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(cells, ["'=1+1", "a;\"b\"\r\nc"]);
        assert_eq!(table.rows().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
    }
}
