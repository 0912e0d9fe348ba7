//! A row of a domain table and the body of the record it stands for.
//!
//! In a [`Row`] references are record ids; whoever reads or writes the table puts row ids in their place.

use std::fmt;

use exchange_format::{
    record::{Body, Field, FieldProblem, Finding, Kind, Line},
    rules,
};

use super::tables::{Column, Table};

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

/// The body of `kind` that `row` of `table` stands for.
///
/// # Errors
/// The first value that no body can carry, or the first rule that the body breaks.
pub fn body(table: &Table, kind: Kind, row: &Row) -> Result<Body, Finding> {
    let mut body = Body::new(kind);
    let schema = kind.schema();
    fill(body.head_mut(), &table.columns, &row.values, |name| schema.fields.iter().any(|f| f.name == name))?;
    if let (Some(lines), Some(schema)) = (&table.lines, schema.lines) {
        for (n, values) in row.lines.iter().enumerate() {
            let known = |name: &str| schema.fields.iter().any(|f| f.name == name);
            fill(body.add_line(), &lines.columns, values, known)
                .map_err(|finding| Finding { line: Some(n + 1), ..finding })?;
        }
    }
    body.sort_lines();
    match rules::first_fault(&body) {
        Some(finding) => Err(finding),
        None => Ok(body),
    }
}

fn fill(
    line: &mut Line,
    columns: &[Column],
    values: &[Option<String>],
    known: impl Fn(&str) -> bool,
) -> Result<(), Finding> {
    for (column, value) in columns.iter().zip(values) {
        let Some(text) = value.as_deref().filter(|_| known(column.field)) else { continue };
        if text == DANGLING && column.refers_to.is_some() {
            let problem = FieldProblem::Rule("names a row that is not there");
            return Err(Finding { field: column.field, line: None, problem });
        }
        line.set(column.field, text)?;
    }
    Ok(())
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
        assert_eq!(
            (finding.field, finding.problem),
            ("recipient", FieldProblem::Rule("names a row that is not there"))
        );
    }
}
