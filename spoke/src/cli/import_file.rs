//! A CSV file as rows: encoding, delimiter, heading, and which column goes where.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use exchange_endpoint::{
    config,
    messages::{self, Told},
    output::{Exit, Failure},
};
use serde::Deserialize;
use toml::Spanned;

use crate::decisions::{
    encoding::{self, Encoding},
    quotes::broken_quote,
};

/// A file, read.
pub struct ImportFile {
    /// The columns of the table, in the order of the values; `None` for one that is passed over.
    pub columns: Vec<Option<String>>,
    /// The headings as they stand.
    pub headings: Vec<String>,
    /// Line of the file and values of each row.
    pub rows: Vec<(u64, Vec<String>)>,
    /// Lines that are no rows, and why.
    pub refused: Vec<(u64, Told)>,
}

/// `MAP.toml`: `[columns]`, heading of the file = column of the table; an empty text passes it over.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    #[serde(default)]
    columns: BTreeMap<String, Spanned<String>>,
}

impl Map {
    /// Reads the map. Refuses a column that is not among `known`: here, where the name stands, and not at the file's
    /// heading.
    fn read(path: &Path, known: &[&str]) -> Result<Self, Failure> {
        let unreadable = |exit, cause: Told| {
            Failure::new(exit, "spoke-map-unreadable").told("file", path.display()).because("detail", cause)
        };
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => unreadable(Exit::Refused, Told::of("import-not-utf8", &[])),
            _ => unreadable(Exit::of_io(&error), error.into()),
        })?;
        let map: Self = toml::from_str(&text)
            .map_err(|error| unreadable(Exit::Refused, config::toml_fault(&text, &error)))?;
        let strange = |column: &str| !column.is_empty() && !known.contains(&column);
        let Some(column) = map.columns.values().find(|column| strange(column.get_ref())) else {
            return Ok(map);
        };
        let above = text.get(..column.span().start).unwrap_or_default();
        Err(Failure::new(Exit::Refused, "spoke-map-column")
            .told("file", path.display())
            .with("line", above.matches('\n').count() + 1)
            .with("length", column.get_ref().chars().count())
            .with("known", known.join(", ")))
    }
}

impl ImportFile {
    /// Reads `file`; `map` names the columns where the headings differ from the table's. A heading `key` that
    /// is no column of the table is its `id`.
    ///
    /// # Errors
    /// The file cannot be read, is in another encoding, its quotes do not go together, it has no heading, or a
    /// column that the table does not, or one twice.
    pub fn read(file: &Path, map: Option<&Path>, known: &[&str], key: &str) -> Result<Self, Failure> {
        let failure = |exit, cause: Told| {
            Failure::new(exit, "spoke-csv-unreadable").told("file", file.display()).because("detail", cause)
        };
        let unreadable = |cause: Told| failure(Exit::Refused, cause);
        let bytes = fs::read(file).map_err(|error| failure(Exit::of_io(&error), error.into()))?;
        let text = match encoding::encoding(&bytes) {
            Encoding::Utf8 => String::from_utf8(bytes).map_err(|error| Failure::bug(&error))?,
            Encoding::Utf16 => return Err(unreadable(Told::of("import-utf16", &[]))),
            Encoding::Windows1251 => {
                encoding_rs::WINDOWS_1251.decode_without_bom_handling(&bytes).0.into_owned()
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let map = map.map(|path| Map::read(path, known)).transpose()?.unwrap_or_default();
        let delimiter = encoding::delimiter(text.lines().next().unwrap_or_default());
        if let Some(broken) = broken_quote(text, delimiter) {
            return Err(unreadable(Told::new(|lang| {
                let what = messages::word(lang, "import", broken.what);
                messages::text(lang, "import-line", &[("line", broken.line.into()), ("what", what.into())])
            })));
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
        let headings = reader.headers().map_err(|_| unreadable(Told::of("import-not-csv", &[])))?.clone();
        let columns: Vec<Option<String>> = headings
            .iter()
            .enumerate()
            .map(|(n, heading)| {
                let key = Some("id".to_owned()).filter(|_| heading.trim() == key);
                let column = column(heading.trim(), &map, known).or_else(|| key.map(Some));
                column.ok_or_else(|| no_column(file, n, heading, known))
            })
            .collect::<Result<_, _>>()?;
        let twice = |n: usize| columns[n].is_some() && columns[..n].contains(&columns[n]);
        if let Some(n) = (0..columns.len()).find(|n| twice(*n)) {
            let name = columns[n].as_deref().unwrap_or_default();
            let args = [("n", (n + 1).into()), ("name", name.to_owned().into())];
            return Err(unreadable(Told::of("import-column-again", &args)));
        }
        let headings: Vec<String> = headings.iter().map(|heading| heading.trim().to_owned()).collect();
        let mut read = Self { columns, headings: headings.clone(), rows: Vec::new(), refused: Vec::new() };
        for record in reader.records() {
            match record {
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    read.refused.push((line, Told::of("import-not-csv", &[])));
                }
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    if let Some(n) = record.iter().position(has_control) {
                        read.refused.push((line, Told::of("import-control", &[("n", (n + 1).into())])));
                    } else if record.len() == headings.len() {
                        read.rows.push((line, record.iter().map(str::to_owned).collect()));
                    } else {
                        let cells = [("values", record.len().into()), ("columns", headings.len().into())];
                        read.refused.push((line, Told::of("import-cells", &cells)));
                    }
                }
            }
        }
        Ok(read)
    }
}

/// Whether `value` holds what no record can carry: NUL and other control characters but line breaks and tabs.
fn has_control(value: &str) -> bool {
    value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// The column that `heading` goes to: `Some(None)` if it is passed over, `None` if there is no such one.
#[expect(clippy::option_option, reason = "passed over on purpose, and unknown, are two things")]
fn column(heading: &str, map: &Map, known: &[&str]) -> Option<Option<String>> {
    let name = map.columns.get(heading).map_or(heading, |column| column.get_ref().as_str());
    match name {
        "" => Some(None),
        name => known.contains(&name).then(|| Some(name.to_owned())),
    }
}

fn no_column(file: &Path, n: usize, heading: &str, known: &[&str]) -> Failure {
    // Without a heading line the first row's values stand here.
    Failure::new(Exit::Refused, "spoke-csv-column")
        .told("file", file.display())
        .with("n", n + 1)
        .with("length", heading.trim().chars().count())
        .with("known", known.join(", "))
}
