//! A CSV file as rows: encoding, delimiter, heading, and which column goes where.

use std::{collections::BTreeMap, fs, path::Path};

use exchange_endpoint::{
    messages::Told,
    output::{Exit, Failure},
};
use serde::Deserialize;

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
    pub refused: Vec<(u64, String)>,
}

/// `MAP.toml`: `[columns]`, heading of the file = column of the table; an empty text passes it over.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    #[serde(default)]
    columns: BTreeMap<String, String>,
}

impl Map {
    fn read(path: &Path) -> Result<Self, Failure> {
        let unreadable = |cause: Told| {
            let failure = Failure::new(Exit::Refused, "spoke-map-unreadable").told("file", path.display());
            failure.because("detail", cause)
        };
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.into()))?;
        // its first line says what and where; the rest would show the text again
        toml::from_str(&text).map_err(|error| {
            let words = error.to_string();
            unreadable(words.lines().next().unwrap_or_default().to_owned().into())
        })
    }

    /// Refuses a column that the table does not have: here, where the name stands, and not at the file's heading.
    fn check(&self, path: &Path, known: &[&str]) -> Result<(), Failure> {
        let strange = |column: &str| !column.is_empty() && !known.contains(&column);
        let Some((heading, column)) = self.columns.iter().find(|(_, column)| strange(column)) else {
            return Ok(());
        };
        Err(Failure::new(Exit::Refused, "spoke-map-column")
            .told("file", path.display())
            .with("heading", heading.clone())
            .with("column", column.clone())
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
        let unreadable = |error: &dyn std::fmt::Display, path: &Path| {
            Failure::new(Exit::Refused, "spoke-csv-unreadable")
                .told("file", path.display())
                .told("detail", error)
        };
        let bytes = fs::read(file).map_err(|error| {
            let failure = Failure::new(Exit::Refused, "spoke-csv-unreadable").told("file", file.display());
            failure.because("detail", error)
        })?;
        let text = match encoding::encoding(&bytes) {
            Encoding::Utf8 => String::from_utf8(bytes).map_err(|error| unreadable(&error, file))?,
            Encoding::Utf16 => return Err(unreadable(&"UTF-16; save it as UTF-8", file)),
            Encoding::Windows1251 => {
                encoding_rs::WINDOWS_1251.decode_without_bom_handling(&bytes).0.into_owned()
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let map: Map = match map {
            None => Map::default(),
            Some(path) => {
                let map = Map::read(path)?;
                map.check(path, known)?;
                map
            }
        };
        let delimiter = encoding::delimiter(text.lines().next().unwrap_or_default());
        if let Some(broken) = broken_quote(text, delimiter) {
            return Err(unreadable(&format_args!("line {}: {}", broken.line, broken.what), file));
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
        let headings = reader.headers().map_err(|error| unreadable(&error, file))?.clone();
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
            return Err(unreadable(&format_args!("heading: column {} is {name} again", n + 1), file));
        }
        let headings: Vec<String> = headings.iter().map(|heading| heading.trim().to_owned()).collect();
        let mut read = Self { columns, headings: headings.clone(), rows: Vec::new(), refused: Vec::new() };
        for record in reader.records() {
            match record {
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    read.refused.push((line, "not CSV".to_owned()));
                }
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    if let Some(n) = record.iter().position(has_control) {
                        read.refused.push((line, format!("a control character in column {}", n + 1)));
                    } else if record.len() == headings.len() {
                        read.rows.push((line, record.iter().map(str::to_owned).collect()));
                    } else {
                        read.refused
                            .push((line, format!("{} values, {} columns", record.len(), headings.len())));
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
    let name = map.columns.get(heading).map_or(heading, String::as_str);
    match name {
        "" => Some(None),
        name => known.contains(&name).then(|| Some(name.to_owned())),
    }
}

fn no_column(file: &Path, n: usize, heading: &str, known: &[&str]) -> Failure {
    // Without a heading line the first row's values would stand here: they are not repeated.
    let shown = if heading.chars().all(|c| c.is_alphanumeric() || "_ -.".contains(c)) && heading.len() <= 60 {
        heading.trim()
    } else {
        "?"
    };
    Failure::new(Exit::Refused, "spoke-csv-column")
        .told("file", file.display())
        .with("n", n + 1)
        .with("heading", shown.to_owned())
        .with("known", known.join(", "))
}
