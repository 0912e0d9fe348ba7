//! What a snapshot is made of: every row of the centre's own, read in the order in which they lie, and what is
//! remembered of each once it is on its way.

use exchange_format::record::{Finding, Kind, RecordId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::decisions::{
    mapping::{self, Row},
    tables::{Table, table_of},
};

use super::{
    DatabaseError,
    own_records::{PROPOSALS, told_state},
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
    let name = table.name;
    let head = format!(
        "SELECT t.id, r.key{} FROM {name} t CROSS JOIN svod_record r ON r.kind = '{name}' AND r.id = t.id \
         WHERE r.state IN ('own', 'provisional') ORDER BY t.id",
        rows::select_list(&table.columns, "t", true)
    );
    let mut head = connection.prepare(&head).map_err(DatabaseError::from)?;
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
        let read = || -> Result<_, DatabaseError> {
            let key = rows::record_id("svod_record", row.get_ref(1)?.as_str().unwrap_or_default())?;
            Ok((row.get::<_, String>(0)?, key, rows::texts_from(row, 2, table.columns.len())?))
        };
        let (id, key, values) = read()?;
        let lines = match &mut lines {
            Some((statement, columns)) => lines_of(statement, &id, *columns)?,
            None => Vec::new(),
        };
        let body = mapping::body(table, kind, &Row { values, lines }).map(|body| body.to_xml());
        each(OwnRow { kind, id, key, body })?;
    }
    Ok(())
}

fn lines_of(
    statement: &mut rusqlite::Statement<'_>,
    id: &str,
    columns: usize,
) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
    let mut found = statement.query([id])?;
    let mut lines = Vec::new();
    while let Some(row) = found.next()? {
        lines.push(rows::texts_from(row, 1, columns)?);
    }
    Ok(lines)
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

/// Keeps with row `id` the hash (hexadecimal) of what is sent of it for the first time. The packet that will carry it has no name yet:
/// `place`, as long as a name, stands for it, so that no row has to move for the name.
///
/// # Errors
/// SQLite's.
pub fn told(
    connection: &Connection,
    kind: Kind,
    id: &str,
    sha256: &str,
    place: &str,
) -> Result<(), DatabaseError> {
    let Some(table) = table_of(kind) else { return Ok(()) };
    connection
        .prepare_cached(
            "UPDATE svod_record SET version = 1, form = 'live', sha256 = ?3, packet = ?4, state = ?5 \
             WHERE kind = ?1 AND id = ?2",
        )?
        .execute(params![table.name, id, sha256, place, told_state(table.name).word()])?;
    Ok(())
}

/// Rows of one kind, from one id to another, both included, in one part of a snapshot.
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

/// The rows of `run`, for which `place` stands in, are sent in `packet`.
///
/// # Errors
/// SQLite's.
pub fn carried_by(
    connection: &Connection,
    run: &Run,
    place: &str,
    packet: &str,
) -> Result<(), DatabaseError> {
    if let Some(table) = table_of(run.kind) {
        let sql =
            "UPDATE svod_record SET packet = ?4 WHERE kind = ?1 AND id BETWEEN ?2 AND ?3 AND packet = ?5";
        connection.prepare_cached(sql)?.execute([table.name, &run.first, &run.last, packet, place])?;
    } else {
        let sql = "UPDATE svod_proposal SET state = 'sent', packet = ?3 WHERE key BETWEEN ?1 AND ?2 AND state = 'open'";
        connection.prepare_cached(sql)?.execute([&run.first, &run.last, packet])?;
    }
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
