//! What the centre's own rows say against the rules of the domain: everything, not the first fault only.

use exchange_format::rules::{self, Around, Severity};
use jiff::civil::Date;
use rusqlite::Connection;

use crate::decisions::{
    mapping,
    tables::{Table, tables},
};

use super::{DatabaseError, rows};

/// A fault of a row. Bears no value: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub id: String,
    /// The rule (docs/RULES.md), or the field whose value is not of its type.
    pub rule: &'static str,
    /// Whether the row is not sent because of it.
    pub refused: bool,
    /// The field.
    pub field: &'static str,
    /// Which line, counted from 1, if it is a line's field.
    pub line: Option<usize>,
}

/// Gives every fault of the centre's own rows, of `only` one table if that is named, to `each`; returns how many rows
/// were looked at. A row is checked by itself: rules that need other records are not.
///
/// # Errors
/// SQLite's.
pub fn faults(
    connection: &Connection,
    only: Option<&Table>,
    today: Date,
    mut each: impl FnMut(Fault),
) -> Result<u64, DatabaseError> {
    let around = Around { today: Some(today), ..Around::nothing() };
    let mut rows_seen = 0;
    let chosen = |table: &&'static Table| only.is_none_or(|only| only.name == table.name);
    for table in tables().iter().filter(chosen) {
        let Some(kind) = table.own else { continue };
        let mut statement = connection.prepare(
            "SELECT id FROM svod_record WHERE kind = ?1 AND state IN ('own', 'provisional') ORDER BY id",
        )?;
        let mut found = statement.query([table.name])?;
        while let Some(row) = found.next()? {
            let id: String = row.get(0)?;
            let Some(row) = rows::by_keys(connection, table, &id)? else { continue };
            rows_seen += 1;
            let mut tell = |rule, refused, field, line| {
                each(Fault { table: table.name, id: id.clone(), rule, refused, field, line });
            };
            let body = mapping::as_typed(table, kind, &row);
            let mut told: Vec<(&str, Option<usize>)> = Vec::new();
            for finding in mapping::body(table, kind, &row).err().into_iter().chain(body.findings()) {
                let place = (finding.word(), finding.line);
                if !told.contains(&place) {
                    tell(finding.word(), true, finding.field, finding.line);
                    told.push(place);
                }
            }
            for breach in rules::check(&body, &around) {
                let (code, place) = (breach.rule.code, breach.place);
                if told.iter().all(|(word, _)| *word != code) {
                    tell(code, breach.severity == Severity::Refuse, place.field, place.line);
                }
            }
        }
    }
    Ok(rows_seen)
}
