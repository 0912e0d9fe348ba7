//! `MAP.toml`: which heading of a file is which column of the table, and which column is the key.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use serde::Deserialize;
use toml::Spanned;

use super::{Layout, TableError};
use crate::{config, messages::Told, output::Exit};

/// `key`: the column or heading that tells rows apart. `[columns]`: heading of the file = column of the table; an empty
/// text passes it over. `[lines]`: the same of the table with the lines of records, where there is one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    key: Option<String>,
    #[serde(default)]
    columns: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    lines: BTreeMap<String, Spanned<String>>,
}

impl Map {
    /// Reads the map. A column that `layout` does not have is refused here, where the name stands, and not at the
    /// file's heading.
    ///
    /// # Errors
    /// [`TableError::Map`], [`TableError::MapColumn`].
    pub fn read(path: &Path, layout: &Layout) -> Result<Self, TableError> {
        Self::read_both(path, layout, None).map(|(map, _)| map)
    }

    /// Reads the map of a table, and of the table of its records' lines.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_both(
        path: &Path,
        layout: &Layout,
        lines: Option<&Layout>,
    ) -> Result<(Self, Self), TableError> {
        let unreadable = |exit, cause: Told| TableError::Map { file: path.to_owned(), exit, cause };
        let is_pipe = fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
        if is_pipe {
            return Err(unreadable(Exit::Usage, Told::of("import-no-file", &[])));
        }
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => unreadable(Exit::Refused, Told::of("import-not-utf8", &[])),
            _ => unreadable(Exit::of_io(&error), error.into()),
        })?;
        let mut map: Self = toml::from_str(&text)
            .map_err(|error| unreadable(Exit::Refused, config::toml_fault(&text, &error)))?;
        if let (None, Some(first)) = (lines, map.lines.values().next()) {
            let above = text.get(..first.span().start).unwrap_or_default();
            let args = [("line", (above.matches('\n').count() + 1).into())];
            return Err(unreadable(Exit::Refused, Told::of("import-map-lines", &args)));
        }
        let of_lines = Self { columns: std::mem::take(&mut map.lines), ..Self::default() };
        let both = [Some((&map, layout)), lines.map(|lines| (&of_lines, lines))].into_iter().flatten();
        let strange = both.into_iter().find_map(|(map, layout)| {
            Some((map.columns.values().find(|column| layout.is_strange(column.get_ref()))?, layout))
        });
        let Some((column, layout)) = strange else { return Ok((map, of_lines)) };
        let above = text.get(..column.span().start).unwrap_or_default();
        Err(TableError::MapColumn {
            file: path.to_owned(),
            line: above.matches('\n').count() + 1,
            length: column.get_ref().chars().count(),
            known: layout.known(),
        })
    }

    /// The column or heading that tells rows apart, if the map says so.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// What the map says of `heading`: a column, or an empty text.
    pub(super) fn column(&self, heading: &str) -> Option<&str> {
        self.columns.get(heading).map(|column| column.get_ref().as_str())
    }
}
