//! A row of a domain table and the body of the record it stands for.
//!
//! In a [`Row`] references are record ids; whoever reads or writes the table puts row ids in their place.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use exchange_format::{
    answer::Text,
    record::{Body, Field, FieldProblem, Finding, Kind, Line},
    rules,
};

use super::tables::{Column, Table, table_of};

/// A reference without its row.
pub const NO_SUCH_ROW: Text =
    Text { ru: "указана строка, которой нет", en: "names a row that is not there" };

/// A value that is no text in UTF-8.
pub const UNREADABLE: Text = Text {
    ru: "не читается: это не текст в кодировке UTF-8",
    en: "cannot be read: it is no text in UTF-8",
};

/// What stands in the place of a value that is not text: no record can carry it, so it is found and told.
pub const NOT_TEXT: &str = "\u{0}";
/// What stands in the place of a reference to a row that is not there.
pub const DANGLING: &str = "?";

/// The values of a row in the order of the table's columns, and those of its lines. Personal data.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The head's values.
    pub values: Vec<Option<String>>,
    /// The lines', each in the order of the line table's columns.
    pub lines: Vec<Vec<Option<String>>>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} values, {} lines [redacted])", self.values.len(), self.lines.len())
    }
}

/// Which field of a kind, by its place in the schema, each column of a table states.
struct Places {
    head: Vec<Place>,
    line: Vec<Place>,
}

/// The field, if the kind has it, and whether it is a reference.
type Place = (Option<usize>, bool);

/// Made once: they are asked for with every row.
fn places(table: &Table, kind: Kind) -> &'static Places {
    static ALL: LazyLock<BTreeMap<Kind, Places>> = LazyLock::new(|| {
        let of = |columns: &[Column], fields: &[Field]| {
            let place = |column: &Column| {
                (fields.iter().position(|field| field.name == column.field), column.refers_to.is_some())
            };
            columns.iter().map(place).collect()
        };
        let of_kind = |kind: Kind| {
            let (table, schema) = (table_of(kind)?, kind.schema());
            let head = of(&table.columns, schema.fields);
            let line = table.lines.as_ref().zip(schema.lines);
            let line = line.map_or_else(Vec::new, |(table, schema)| of(&table.columns, schema.fields));
            Some((kind, Places { head, line }))
        };
        Kind::ALL.into_iter().filter_map(of_kind).collect()
    });
    debug_assert_eq!(table_of(kind).map(|of_kind| of_kind.name), Some(table.name));
    &ALL[&kind]
}

/// A body that is being made of a row.
pub struct Draft {
    body: Body,
    places: &'static Places,
}

impl Draft {
    /// Of a row of `table` that stands for a record of `kind`.
    pub fn new(table: &Table, kind: Kind) -> Self {
        Self { body: Body::new(kind), places: places(table, kind) }
    }

    /// States the head: its values in the order of the table's columns.
    ///
    /// # Errors
    /// The first value that no body can carry.
    pub fn head<'a>(&mut self, values: impl Iterator<Item = Option<&'a str>>) -> Result<(), Finding> {
        fill(self.body.head_mut(), &self.places.head, values)
    }

    /// Adds a line: its values in the order of the line table's columns.
    ///
    /// # Errors
    /// The first value that no body can carry.
    pub fn line<'a>(&mut self, values: impl Iterator<Item = Option<&'a str>>) -> Result<(), Finding> {
        if self.body.kind().schema().lines.is_none() {
            return Ok(());
        }
        fill(self.body.add_line(), &self.places.line, values)
            .map_err(|finding| Finding { line: Some(self.body.lines().len()), ..finding })
    }

    /// The body.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn finish(mut self) -> Result<Body, Finding> {
        self.body.sort_lines();
        match rules::first_fault(&self.body) {
            Some(finding) => Err(finding),
            None => Ok(self.body),
        }
    }
}

fn fill<'a>(
    line: &mut Line,
    places: &[Place],
    values: impl Iterator<Item = Option<&'a str>>,
) -> Result<(), Finding> {
    for (&(field, refers), value) in places.iter().zip(values) {
        let (Some(field), Some(text)) = (field, value) else { continue };
        let rule = match text {
            NOT_TEXT => Some(UNREADABLE),
            DANGLING if refers => Some(NO_SUCH_ROW),
            _ => None,
        };
        if let Some(problem) = rule.map(FieldProblem::Rule) {
            return Err(Finding { field: line.name_at(field), line: None, problem });
        }
        line.set_at(field, text)?;
    }
    Ok(())
}

/// What is wrong with a row whose id is no text.
pub const fn unreadable_id() -> Finding {
    Finding { field: "id", line: None, problem: FieldProblem::Rule(UNREADABLE) }
}

/// The body of `kind` that `row` of `table` stands for.
///
/// # Errors
/// The first value that no body can carry, or the first rule that the body breaks.
pub fn body(table: &Table, kind: Kind, row: &Row) -> Result<Body, Finding> {
    let mut draft = Draft::new(table, kind);
    draft.head(row.values.iter().map(Option::as_deref))?;
    for values in &row.lines {
        draft.line(values.iter().map(Option::as_deref))?;
    }
    draft.finish()
}

/// What `row` of `table` says as far as a body of `kind` can hold it, fit to be sent or not: characters that XML
/// cannot carry are replaced.
pub fn as_typed(table: &Table, kind: Kind, row: &Row) -> Body {
    let mut body = Body::new(kind);
    let schema = kind.schema();
    let put = |line: &mut Line, columns: &[Column], values: &[Option<String>], fields: &[Field]| {
        for (column, value) in columns.iter().zip(values) {
            let Some(text) = value.as_deref().filter(|_| fields.iter().any(|f| f.name == column.field))
            else {
                continue;
            };
            if line.set(column.field, text).is_err() {
                let text: String = text
                    .chars()
                    .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
                    .collect();
                // Nothing is left in it but U+FFFE and U+FFFF, which nobody types.
                let _ = line.set(column.field, &text);
            }
        }
    };
    put(body.head_mut(), &table.columns, &row.values, schema.fields);
    if let (Some(lines), Some(schema)) = (&table.lines, schema.lines) {
        for values in &row.lines {
            put(body.add_line(), &lines.columns, values, schema.fields);
        }
    }
    body
}

/// The row of `table` that shows `body`. Columns that the kind does not have are empty.
pub fn row(table: &Table, body: &Body) -> Row {
    let schema = body.kind().schema();
    let values = |line: &Line, columns: &[Column], known: &dyn Fn(&str) -> bool| -> Vec<Option<String>> {
        columns
            .iter()
            .map(|column| known(column.field).then(|| line.text(column.field)).flatten().map(str::to_owned))
            .collect()
    };
    let head = |name: &str| schema.fields.iter().any(|f| f.name == name);
    let in_line = |name: &str| schema.lines.is_some_and(|lines| lines.fields.iter().any(|f| f.name == name));
    let mut sorted = body.clone();
    sorted.sort_lines();
    Row {
        values: values(sorted.head(), &table.columns, &head),
        lines: table.lines.as_ref().map_or_else(Vec::new, |lines| {
            sorted.lines().iter().map(|line| values(line, &lines.columns, &in_line)).collect()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tables::table, *};

    fn recipient(surname: &str) -> Row {
        let table = table("recipient").expect("a table");
        let values =
            table.columns.iter().map(|c| (c.field == "surname").then(|| surname.to_owned())).collect();
        Row { values, lines: Vec::new() }
    }

    #[test]
    fn a_row_comes_back_from_its_body() {
        let table = table("recipient").expect("a table");
        let row_in = recipient("Кузнецова");
        let body = body(table, Kind::RecipientClaim, &row_in).expect("a body");
        assert_eq!(row(table, &body), row_in);
    }

    #[test]
    fn what_cannot_be_carried_is_told_by_field_and_never_by_value() {
        let table = table("recipient").expect("a table");
        for (surname, field) in [("", "surname"), (NOT_TEXT, "surname")] {
            let finding = body(table, Kind::RecipientClaim, &recipient(surname)).expect_err("refused");
            assert_eq!(finding.field, field);
        }
        assert!(!format!("{:?}", recipient("Кузнецова")).contains("Кузнецова"));
    }

    #[test]
    fn a_reference_to_nothing_is_told() {
        let table = table("contact").expect("a table");
        let values =
            table.columns.iter().map(|c| (c.field == "recipient").then(|| DANGLING.to_owned())).collect();
        let finding = body(table, Kind::Contact, &Row { values, lines: Vec::new() }).expect_err("refused");
        assert_eq!((finding.field, finding.problem), ("recipient", FieldProblem::Rule(NO_SUCH_ROW)));
    }
}
