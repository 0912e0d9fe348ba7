//! Reading positions, digests and instants from columns.

use std::str::FromStr;

use exchange_format::position::{Epoch, Mark, Position, Seq};
use rusqlite::Row;

use crate::database::DatabaseError;

pub(super) fn bad(table: &'static str, what: &'static str) -> DatabaseError {
    DatabaseError::Corrupt { table, what }
}

pub(super) fn parsed<T: FromStr>(
    row: &Row<'_>,
    column: &str,
    table: &'static str,
    what: &'static str,
) -> Result<Option<T>, DatabaseError> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| bad(table, what))).transpose()
}

pub(super) fn epoch(
    row: &Row<'_>,
    column: &str,
    table: &'static str,
) -> Result<Option<Epoch>, DatabaseError> {
    let number: Option<u64> = row.get(column)?;
    number.map(|number| Epoch::new(number).map_err(|_| bad(table, "an epoch"))).transpose()
}

pub(super) fn mark(row: &Row<'_>, prefix: &str, table: &'static str) -> Result<Option<Mark>, DatabaseError> {
    let Some(epoch) = epoch(row, &format!("{prefix}epoch"), table)? else { return Ok(None) };
    let seq: Option<u64> = row.get(format!("{prefix}seq").as_str())?;
    let digest = parsed(row, &format!("{prefix}digest"), table, "a digest")?;
    match (seq, digest) {
        (Some(seq), Some(digest)) => {
            let seq = Seq::new(seq).map_err(|_| bad(table, "a number"))?;
            Ok(Some(Mark { position: Position { epoch, seq }, digest }))
        }
        _ => Err(bad(table, "half a position")),
    }
}
