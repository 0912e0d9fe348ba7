//! The lines of records in a table of their own, read whole: a line that is none keeps its record out, and no other.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    messages,
    output::{Failure, Lang},
    tables::{
        Column, Item, Layout, Map, Refused, Sheet, TableError,
        codes::{self, Read},
        lost,
    },
};
use exchange_format::record::{Body, Field, Finding, Kind, Line};

use super::{drawn, table_file::bad};
use crate::edges::failure;

/// All lines of a file are held: at most so many bytes of text.
const LARGEST: usize = 256 << 20;

/// The table of lines of `kind`: what an export of it bears besides is passed over.
pub fn layout(kind: Kind) -> Layout {
    let columns = [drawn::parent(kind)].into_iter().chain(fields(kind).iter().map(Field::column));
    let passed_over = ["id", "origin", "key"].map(str::to_owned).into();
    Layout { columns: columns.map(Column::of).collect(), passed_over }
}

fn fields(kind: Kind) -> &'static [Field] {
    kind.schema().lines.map_or(&[], |lines| lines.fields)
}

/// The lines of one record.
#[derive(Default)]
pub struct Lines {
    /// Of each its line in the file, and its fields.
    rows: Vec<(u64, Vec<(&'static str, String)>)>,
    /// Those that are none.
    refused: Vec<Refused>,
}

/// A table of lines.
pub struct LineTable {
    /// The file.
    pub path: PathBuf,
    kind: Kind,
    /// Words of it that were read as codes.
    pub read: Read,
    records: BTreeMap<String, Lines>,
    /// Lines that are none, of which nobody can say whose they are.
    anybody: Vec<Refused>,
}

/// Why lines are not read.
struct Unread(Failure);

impl From<TableError> for Unread {
    fn from(error: TableError) -> Self {
        Self(failure::table(error))
    }
}

impl LineTable {
    /// Reads the table of lines of `kind` at `path`.
    pub fn read(kind: Kind, path: &Path, map: &Map, lang: Lang) -> Result<Self, Failure> {
        let mut sheet =
            Sheet::open(path, layout(kind), map, None, &drawn::parent(kind)).map_err(failure::table)?;
        let (columns, key, mut bytes) = (sheet.columns.clone(), sheet.key, 0);
        let mut this = Self {
            path: path.to_owned(),
            kind,
            read: Read::new(),
            records: BTreeMap::new(),
            anybody: Vec::new(),
        };
        let mut read = Read::new();
        let each = |item| {
            let (line, values) = match item {
                Item::Row(line, values) => (line, values),
                Item::Refused(refused, Some(of)) => {
                    this.of(&of).refused.push(refused);
                    return Ok(());
                }
                Item::Refused(refused, None) => {
                    this.anybody.push(refused);
                    return Ok(());
                }
            };
            if lost::is_lost(&values[key]) {
                this.anybody.push(Refused::by(line, columns[key].clone(), "letters-lost"));
                return Ok(());
            }
            bytes += values.iter().map(String::len).sum::<usize>();
            if bytes > LARGEST {
                return Err(Unread(bad(path, line, &messages::text(lang, "table-too-large", &[]))));
            }
            let stated = columns.iter().zip(&values).filter_map(|(column, text)| {
                let field = fields(kind).iter().find(|field| Some(field.column()) == *column)?;
                let code = codes::coded(field, text);
                if let Some(code) = &code {
                    *read.entry((field.name.to_owned(), code.clone())).or_default() += 1;
                }
                Some((field.name, code.unwrap_or_else(|| text.trim().to_owned())))
            });
            let stated = stated.collect();
            this.of(&values[key]).rows.push((line, stated));
            Ok(())
        };
        sheet.for_each(each).map_err(|Unread(failure)| failure)?;
        this.read = read;
        Ok(this)
    }

    fn of(&mut self, record: &str) -> &mut Lines {
        self.records.entry(record.trim().to_owned()).or_default()
    }

    /// Takes out the lines of the record that files call `id`: none if the table has none of it. In their place the lines
    /// that are none, if the record cannot be taken for them.
    pub fn take(&mut self, id: &str) -> Result<Option<Lines>, Vec<Refused>> {
        let Some(lines) = self.records.remove(id) else { return Ok(None) };
        if lines.refused.is_empty() && self.anybody.is_empty() { Ok(Some(lines)) } else { Err(lines.refused) }
    }

    /// What is left: lines that are none, and those of records that the other table did not have.
    pub fn left(&mut self) -> Vec<Refused> {
        let parent = drawn::parent(self.kind);
        let unknown = |lines: Lines| {
            let line = lines.rows.first().map(|(line, _)| *line);
            let unknown = line.map(|line| Refused::by(line, Some(parent.clone()), "record-unknown"));
            lines.refused.into_iter().chain(unknown).collect::<Vec<_>>()
        };
        let left = std::mem::take(&mut self.records).into_values().flat_map(unknown);
        std::mem::take(&mut self.anybody).into_iter().chain(left).collect()
    }
}

impl Lines {
    /// Puts the lines in the place of those that `body` has; of each, in its order there, the line of the file. A value of which
    /// letters were lost when the table was written is that of the line of the same number which stood.
    pub fn put(&self, body: &mut Body) -> Result<Vec<u64>, Vec<Refused>> {
        let stood = body.lines().to_vec();
        body.clear_lines();
        let mut lost = Vec::new();
        for (at, values) in &self.rows {
            let no = values.iter().find(|(field, _)| *field == "no").map(|(_, no)| no.as_str());
            let stood = stood.iter().find(|line| no.is_some() && line.text("no") == no);
            let line = body.add_line();
            for (field, value) in values {
                let former = stood.and_then(|line| line.text(field));
                let former = former.filter(|former| lost::is_written_of(value, former));
                if former.is_none() && lost::is_lost(value) {
                    lost.push(Refused::by(*at, Some((*field).to_owned()), "letters-lost"));
                    continue;
                }
                line.set(field, former.unwrap_or(value)).map_err(|finding| vec![refused(*at, &finding)])?;
            }
        }
        if !lost.is_empty() {
            return Err(lost);
        }
        let mut placed: Vec<(Line, u64)> =
            body.lines().iter().cloned().zip(self.rows.iter().map(|(at, _)| *at)).collect();
        placed.sort_by(|(one, _), (other, _)| one.order(other));
        body.sort_lines();
        Ok(placed.into_iter().map(|(_, at)| at).collect())
    }
}

/// The line `at` of the file, which is refused for what was found.
pub fn refused(at: u64, finding: &Finding) -> Refused {
    let column = Some(finding.field.to_owned());
    Refused { line: at, column, rule: finding.word(), why: (&finding.problem).into() }
}
