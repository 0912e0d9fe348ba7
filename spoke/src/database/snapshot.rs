//! What a snapshot is made of: every row of the centre's own, read in the order in which they lie, and what is
//! remembered of each once it is on its way.

use exchange_format::record::{Finding, Kind, RecordId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::decisions::{
    mapping::{self, Draft},
    tables::{Table, table_of},
};

use super::{
    DatabaseError,
    own_records::{PROPOSALS, told_state},
    row_id::RowId,
    rows,
};

/// A row of the centre's own, or an open proposal.
#[derive(Debug)]
pub struct OwnRow {
    /// The kind on the wire.
    pub kind: Kind,
    /// The row; of a proposal its key.
    pub id: String,
    /// The record that it is.
    pub key: RecordId,
    /// The canonical bytes of what it says, or why no record can say it.
    pub body: Result<Vec<u8>, Finding>,
}

/// Hands every row of the kind `own` to `each`.
///
/// # Errors
/// SQLite's, or `each`'s.
pub fn for_each_of<E: From<DatabaseError>>(
    connection: &Connection,
    own: Kind,
    each: impl FnMut(OwnRow) -> Result<(), E>,
) -> Result<(), E> {
    match table_of(own) {
        Some(table) => for_each_row(connection, table, own, each),
        None => for_each_proposal(connection, each),
    }
}

fn for_each_row<E: From<DatabaseError>>(
    connection: &Connection,
    table: &Table,
    kind: Kind,
    mut each: impl FnMut(OwnRow) -> Result<(), E>,
) -> Result<(), E> {
    let columns = rows::select_list(&table.columns, "t", true);
    let head = format!("SELECT t.id{columns} FROM {} t ORDER BY t.id", table.name);
    let mut head = connection.prepare(&head).map_err(DatabaseError::from)?;
    // Both lie in the order of their ids: each is read once from end to end, and nothing is looked up.
    let own =
        "SELECT id, key FROM svod_record WHERE kind = ?1 AND state IN ('own', 'provisional') ORDER BY id";
    let mut own = connection.prepare(own).map_err(DatabaseError::from)?;
    let mut own = own.query([table.name]).map_err(DatabaseError::from)?;
    let mut next_own = next_key(&mut own)?;
    let mut of_lines = table.lines.as_ref().map(|line| {
        // no ORDER BY: a body brings its lines into order
        let columns = rows::select_list(&line.columns, "t", true);
        (format!("SELECT 1{columns} FROM {} t WHERE t.{} = ?1", line.name, line.parent), line.columns.len())
    });
    let mut lines = match &mut of_lines {
        Some((sql, columns)) => Some((connection.prepare(sql).map_err(DatabaseError::from)?, *columns)),
        None => None,
    };
    let mut found = head.query([]).map_err(DatabaseError::from)?;
    while let Some(row) = found.next().map_err(DatabaseError::from)? {
        let id: RowId = row.get(0).map_err(DatabaseError::from)?;
        while next_own.as_ref().is_some_and(|(own, _)| *own < id) {
            next_own = next_key(&mut own)?;
        }
        let Some((_, key)) = next_own.take_if(|(own, _)| *own == id) else { continue };
        next_own = next_key(&mut own)?;
        let Some(id) = id.text().map(str::to_owned) else {
            each(OwnRow { kind, id: id.to_string(), key, body: Err(mapping::unreadable_id()) })?;
            continue;
        };
        let mut draft = Draft::new(table, kind);
        let mut said = draft.head(rows::texts_of(row, 1, table.columns.len()));
        if let (Some((statement, columns)), Ok(())) = (&mut lines, &said) {
            said = each_line(statement, &id, |line| draft.line(rows::texts_of(line, 1, *columns)))?;
        }
        let body = said.and_then(|()| draft.finish()).map(|body| body.to_xml());
        each(OwnRow { kind, id, key, body })?;
    }
    Ok(())
}

fn next_key(found: &mut rusqlite::Rows<'_>) -> Result<Option<(RowId, RecordId)>, DatabaseError> {
    let Some(row) = found.next()? else { return Ok(None) };
    let key = rows::record_id("svod_record", row.get_ref_unwrap(1).as_str().unwrap_or_default())?;
    Ok(Some((row.get(0)?, key)))
}

/// Hands the lines of row `id` to `each` until it finds something.
fn each_line(
    statement: &mut rusqlite::Statement<'_>,
    id: &str,
    mut each: impl FnMut(&rusqlite::Row<'_>) -> Result<(), Finding>,
) -> Result<Result<(), Finding>, DatabaseError> {
    let mut found = statement.query([id])?;
    while let Some(row) = found.next()? {
        if let Err(finding) = each(row) {
            return Ok(Err(finding));
        }
    }
    Ok(Ok(()))
}

fn for_each_proposal<E: From<DatabaseError>>(
    connection: &Connection,
    mut each: impl FnMut(OwnRow) -> Result<(), E>,
) -> Result<(), E> {
    let sql = "SELECT p.key, p.body FROM svod_change c JOIN svod_proposal p ON p.key = c.key \
               WHERE c.kind = ?1 ORDER BY p.key";
    let mut statement = connection.prepare(sql).map_err(DatabaseError::from)?;
    let mut found = statement.query([PROPOSALS]).map_err(DatabaseError::from)?;
    while let Some(row) = found.next().map_err(DatabaseError::from)? {
        let read = || -> Result<_, DatabaseError> { Ok((row.get::<_, String>(0)?, row.get(1)?)) };
        let (id, body) = read()?;
        let key = rows::record_id("svod_proposal", &id)?;
        each(OwnRow { kind: Kind::Proposal, id, key, body: Ok(body) })?;
    }
    Ok(())
}

/// Rows of one kind, from one id to another, both included: all of them that are the centre's were sent in one
/// part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The part, from 0.
    pub part: usize,
    /// The kind on the wire.
    pub kind: Kind,
    /// The first row.
    pub first: String,
    /// The last row.
    pub last: String,
}

/// The rows of `run` were sent for the first time, in `packet`, as [`sent::keep`](super::sent::keep) has it.
///
/// # Errors
/// SQLite's.
pub fn carried_by(connection: &Connection, run: &Run, packet: &str) -> Result<(), DatabaseError> {
    let Some(table) = table_of(run.kind) else {
        let sql = "UPDATE svod_proposal SET state = 'sent', packet = ?3 WHERE key BETWEEN ?1 AND ?2 AND state = 'open'";
        connection.prepare_cached(sql)?.execute([&run.first, &run.last, packet])?;
        return Ok(());
    };
    connection
        .prepare_cached(
            "UPDATE svod_record SET version = 1, form = 'live', packet = ?4, state = ?5, sha256 = (SELECT s.sha256 \
             FROM svod_sent s WHERE s.kind = ?6 AND s.key = svod_record.key) \
             WHERE kind = ?1 AND id BETWEEN ?2 AND ?3 AND state IN ('own', 'provisional')",
        )?
        .execute(params![
            table.name,
            run.first,
            run.last,
            packet,
            told_state(table.name).word(),
            run.kind.name()
        ])?;
    Ok(())
}

/// A row that no record can say yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The kind on the wire.
    pub kind: Kind,
    /// The record.
    pub key: RecordId,
    /// The field.
    pub field: &'static str,
    /// Why.
    pub problem: String,
}

/// Everything in the queue has been looked at: only what is `unfit` stays. Gives back those of which it was not
/// known yet.
///
/// # Errors
/// SQLite's.
pub fn leave_in_queue<'a>(
    connection: &Connection,
    unfit: &'a [Unfit],
) -> Result<Vec<&'a Unfit>, DatabaseError> {
    let table = |unfit: &Unfit| table_of(unfit.kind).map_or(PROPOSALS, |table| table.name);
    let mut known = connection.prepare("SELECT problem FROM svod_change WHERE kind = ?1 AND key = ?2")?;
    let mut news = Vec::new();
    for one in unfit {
        let before =
            known.query_row([table(one), &one.key.to_string()], |row| row.get::<_, Option<String>>(0));
        if before.optional()?.flatten().as_ref() != Some(&one.problem) {
            news.push(one);
        }
    }
    connection.execute("DELETE FROM svod_change", [])?;
    let mut put = connection.prepare("INSERT INTO svod_change (kind, key, problem) VALUES (?1, ?2, ?3)")?;
    for one in unfit {
        put.execute([table(one), &one.key.to_string(), &one.problem])?;
    }
    Ok(news)
}
