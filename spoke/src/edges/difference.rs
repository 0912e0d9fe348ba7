//! What stands here otherwise than at the hub after a restore: record by record and value by value, for the people of the
//! centre on their own terminal and in a file of their own. Personal data, but for what is written as JSON.

use std::path::Path;

use exchange_endpoint::tables::{Encoding, Files, Sink, TableError};
use serde::Serialize;

use crate::database::returned::{Value, What};

/// A record that the hub has otherwise.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Its table, or its kind on the wire if it has none.
    pub table: &'static str,
    /// Its row; none if there is none here.
    pub id: Option<String>,
    /// Its record.
    pub key: String,
    /// What becomes of it.
    pub what: What,
    /// The columns of its row that are otherwise.
    pub fields: Vec<String>,
    /// What stands in them: never written as JSON.
    #[serde(skip)]
    pub values: Vec<Value>,
}

/// The columns of the table.
const COLUMNS: [&str; 7] = ["table", "id", "key", "what", "field", "here", "there"];

/// Differences as a table: a line a value, and one for a record of which no value is otherwise.
pub struct DifferenceTable(Sink);

impl DifferenceTable {
    /// Begins the table at `path`: CSV, or XLSX if it ends so. For its owner's eyes only.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn begin(path: &Path) -> Result<Self, TableError> {
        let is_book = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"));
        let files = if is_book { Files::Xlsx } else { Files::Csv };
        Ok(Self(Sink::begin(path, files, &COLUMNS.map(str::to_owned), Encoding::Utf8, 0o600)?))
    }

    /// Adds `one`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&mut self, one: &Difference) -> Result<(), TableError> {
        let id = one.id.as_deref().unwrap_or_default();
        let head = [one.table, id, one.key.as_str(), one.what.word()];
        if one.values.is_empty() {
            return self.0.write(head.into_iter().chain(["", "", ""]));
        }
        one.values.iter().try_for_each(|value| {
            let text = |side: &Option<String>| side.clone().unwrap_or_default();
            let (here, there) = (text(&value.here), text(&value.there));
            self.0.write(head.into_iter().chain([value.column.as_str(), &here, &there]))
        })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<(), TableError> {
        self.0.finish()
    }
}
