//! Reading and writing the rows of domain tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::LazyLock,
};

use exchange_format::record::RecordId;
use rusqlite::{
    Connection, OptionalExtension as _, ToSql, params_from_iter,
    types::{Value, ValueRef},
};

use crate::decisions::{
    mapping::{DANGLING, NOT_TEXT, Row},
    tables::{Column, LineTable, Table, tables},
};

use super::{DatabaseError, row_id::RowId};

/// The columns of `alias`, references as the keys of the records of the rows that they name.
pub(super) fn select_list(columns: &[Column], alias: &str, by_key: bool) -> String {
    let mut sql = String::new();
    for column in columns {
        let name = format!("{alias}.\"{}\"", column.name);
        match column.refers_to.filter(|_| by_key) {
            None => {
                let _ = write!(sql, ", {name}");
            }
            Some(table) => {
                let _ = write!(
                    sql,
                    ", CASE WHEN {name} IS NULL THEN NULL ELSE coalesce((SELECT key FROM svod_record WHERE kind = \
                     '{table}' AND id = {name}), '{DANGLING}') END"
                );
            }
        }
    }
    sql
}

/// The texts that read a table: for the head and for the lines.
struct Reading {
    head: String,
    lines: String,
}

/// Made once: they are long, and asked for with every row.
fn reading(table: &Table, by_key: bool) -> Option<&'static Reading> {
    static ALL: LazyLock<BTreeMap<(&str, bool), Reading>> = LazyLock::new(|| {
        let both = |table: &'static Table| [(table, true), (table, false)];
        tables()
            .iter()
            .flat_map(both)
            .map(|(table, by_key)| ((table.name, by_key), reading_of(table, by_key)))
            .collect()
    });
    ALL.get(&(table.name, by_key))
}

fn reading_of(table: &Table, by_key: bool) -> Reading {
    let head =
        format!("SELECT 1{} FROM {} t WHERE t.id = ?1", select_list(&table.columns, "t", by_key), table.name);
    let lines = table.lines.as_ref().map_or_else(String::new, |line| {
        format!(
            "SELECT 1{} FROM {} t WHERE t.{} = ?1 ORDER BY CAST(t.no AS INTEGER), t.no, t.id",
            select_list(&line.columns, "t", by_key),
            line.name,
            line.parent
        )
    });
    Reading { head, lines }
}

fn read(
    connection: &Connection,
    table: &Table,
    id: &str,
    by_key: bool,
    text_of: TextOf,
) -> Result<Option<Row>, DatabaseError> {
    let reading = reading(table, by_key).expect("made of all tables");
    let mut statement = connection.prepare_cached(&reading.head)?;
    let head = statement.query_row([id], |row| texts(row, 1, table.columns.len(), text_of)).optional()?;
    let Some(values) = head else { return Ok(None) };
    let mut lines = Vec::new();
    if let Some(line) = &table.lines {
        let mut statement = connection.prepare_cached(&reading.lines)?;
        let rows = statement.query_map([id], |row| texts(row, 1, line.columns.len(), text_of))?;
        lines = rows.collect::<Result<_, _>>()?;
    }
    Ok(Some(Row { values, lines }))
}

/// How a value of the database becomes the text of a row.
type TextOf = fn(ValueRef<'_>) -> Option<String>;

fn texts(
    row: &rusqlite::Row<'_>,
    first: usize,
    count: usize,
    text_of: TextOf,
) -> Result<Vec<Option<String>>, rusqlite::Error> {
    (first..first + count).map(|at| Ok(text_of(row.get_ref(at)?))).collect()
}

/// The texts of `count` columns of `row` from the column `first`, counted from 0.
///
/// # Panics
/// If the statement has no such columns: a mistake in the program.
pub(super) fn texts_of<'a>(
    row: &'a rusqlite::Row<'_>,
    first: usize,
    count: usize,
) -> impl Iterator<Item = Option<&'a str>> {
    (first..first + count).map(|at| text(row.get_ref_unwrap(at)))
}

fn text(value: ValueRef<'_>) -> Option<&str> {
    match value {
        ValueRef::Null => None,
        ValueRef::Text(bytes) => Some(std::str::from_utf8(bytes).unwrap_or(NOT_TEXT)),
        ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => Some(NOT_TEXT),
    }
}

fn strictly(value: ValueRef<'_>) -> Option<String> {
    text(value).map(str::to_owned)
}

pub(super) fn leniently(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(n) => Some(n.to_string()),
        ValueRef::Real(n) => Some(n.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// The row `id` of `table` as somebody typed it, whatever its values are: references as record keys, or as
/// they stand where they name nothing.
///
/// # Errors
/// SQLite's.
pub fn as_typed(connection: &Connection, table: &Table, id: &str) -> Result<Option<Row>, DatabaseError> {
    let (keys, ids) =
        (read(connection, table, id, true, leniently)?, read(connection, table, id, false, leniently)?);
    Ok(keys.zip(ids).map(|(mut row, ids)| {
        for ((column, value), id) in table.columns.iter().zip(&mut row.values).zip(ids.values) {
            if column.refers_to.is_some() && value.as_deref() == Some(DANGLING) {
                *value = id;
            }
        }
        row
    }))
}

/// The row `id` of `table`, references as record keys: what a body is made of.
///
/// # Errors
/// SQLite's.
pub fn by_keys(connection: &Connection, table: &Table, id: &str) -> Result<Option<Row>, DatabaseError> {
    read(connection, table, id, true, strictly)
}

/// The row `id` of `table` as it stands, references as row ids: what a publication is compared with.
///
/// # Errors
/// SQLite's.
pub fn as_it_stands(connection: &Connection, table: &Table, id: &str) -> Result<Option<Row>, DatabaseError> {
    read(connection, table, id, false, strictly)
}

/// Whether `table` has the row `id`.
pub(super) fn is_there(connection: &Connection, table: &Table, id: &RowId) -> Result<bool, DatabaseError> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE id = ?1)", table.name);
    Ok(connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0))?)
}

/// The value of the column `uid` of row `id`, where `table` has it.
///
/// # Errors
/// SQLite's.
pub fn uid(connection: &Connection, table: &Table, id: &str) -> Result<Option<String>, DatabaseError> {
    if !table.has_uid {
        return Ok(None);
    }
    let mut statement =
        connection.prepare_cached(&format!("SELECT uid FROM {} WHERE id = ?1", table.name))?;
    Ok(statement.query_row([id], |row| Ok(strictly(row.get_ref(0)?))).optional()?.flatten())
}

/// `row`, whose references are record ids, with row ids in their place. `None` if a referent is not here.
///
/// A published reference is a uid and means the row to look at; a claim's is a key or a uid.
///
/// # Errors
/// SQLite's.
pub fn resolve(connection: &Connection, table: &Table, row: &Row) -> Result<Option<Row>, DatabaseError> {
    let mut resolved = row.clone();
    Ok(unresolved(connection, table, &mut resolved)?.is_empty().then_some(resolved))
}

/// As [`resolve`]; where a referent is not here, what row `id` names now stands. And whether there was such a one.
///
/// # Errors
/// SQLite's.
pub fn resolve_over(
    connection: &Connection,
    table: &Table,
    id: &str,
    row: &Row,
) -> Result<(Row, bool), DatabaseError> {
    let mut resolved = row.clone();
    let missing = unresolved(connection, table, &mut resolved)?;
    for at in &missing {
        let sql = format!("SELECT \"{}\" FROM {} WHERE id = ?1", table.columns[*at].name, table.name);
        let named = connection
            .prepare_cached(&sql)?
            .query_row([id], |row| row.get::<_, Option<RowId>>(0))
            .optional()?;
        resolved.values[*at] = named.flatten().and_then(RowId::into_text);
    }
    Ok((resolved, !missing.is_empty()))
}

/// Puts row ids into the place of record ids. Gives back the columns whose referent is not here.
fn unresolved(connection: &Connection, table: &Table, row: &mut Row) -> Result<Vec<usize>, DatabaseError> {
    let mut missing = Vec::new();
    for (at, (column, value)) in table.columns.iter().zip(&mut row.values).enumerate() {
        if let (Some(referred), Some(key)) = (column.refers_to, value.as_deref()) {
            match row_of(connection, referred, key)? {
                None => missing.push(at),
                id => *value = id,
            }
        }
    }
    Ok(missing)
}

/// The row that the record `key` of the table `kind` is, or that shows the publication `key` or that of the claim `key`.
fn row_of(connection: &Connection, kind: &str, key: &str) -> Result<Option<String>, DatabaseError> {
    let mut by_uid = connection.prepare_cached(
        "SELECT id FROM svod_record WHERE +kind = ?1 AND uid = ?2 AND state IN ('locked', 'withdrawn')",
    )?;
    if let Some(id) = by_uid.query_row([kind, key], |row| row.get::<_, RowId>(0)).optional()? {
        return Ok(id.into_text());
    }
    let mut by_key = connection.prepare_cached("SELECT id FROM svod_record WHERE kind = ?1 AND key = ?2")?;
    let mut found = by_key.query_row([kind, key], |row| row.get::<_, RowId>(0)).optional()?;
    if found.is_none() {
        // a claim whose own row is gone: its publication stands in a row of the hub's
        let linked = "SELECT target FROM svod_link WHERE claim = ?1";
        let target =
            connection.prepare_cached(linked)?.query_row([key], |row| row.get::<_, String>(0)).optional()?;
        if let Some(target) = target {
            found = by_uid.query_row([kind, &target], |row| row.get::<_, RowId>(0)).optional()?;
        }
    }
    Ok(found.and_then(RowId::into_text))
}

/// Writes `row`, whose references are row ids, over the row `id` of `table` or as a new one.
///
/// # Errors
/// SQLite's.
pub fn write(
    connection: &Connection,
    table: &Table,
    id: &str,
    uid: Option<&str>,
    row: &Row,
) -> Result<(), DatabaseError> {
    let mut columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let mut values: Vec<Option<&str>> = row.values.iter().map(Option::as_deref).collect();
    if table.has_uid {
        columns.push("uid");
        values.push(uid);
    }
    let sets: Vec<String> =
        columns.iter().enumerate().map(|(n, c)| format!("\"{c}\" = ?{}", n + 2)).collect();
    let bound = || [Some(id)].into_iter().chain(values.iter().copied());
    let sql = format!("UPDATE {} SET {} WHERE id = ?1", table.name, sets.join(", "));
    if connection.prepare_cached(&sql)?.execute(params_from_iter(bound()))? == 0 {
        let names: Vec<String> = columns.iter().map(|c| format!(", \"{c}\"")).collect();
        let marks: Vec<String> = (0..columns.len()).map(|n| format!(", ?{}", n + 2)).collect();
        let (names, marks) = (names.concat(), marks.concat());
        let sql = format!("INSERT INTO {} (id{names}) VALUES (?1{marks})", table.name);
        connection.prepare_cached(&sql)?.execute(params_from_iter(bound()))?;
    }
    write_lines(connection, table, id, row)
}

/// Makes `row`'s lines those of the row `id` of `table`. One that is there already, or has the same number, keeps its id and
/// what the centre has put into columns of its own.
///
/// # Errors
/// SQLite's.
pub(super) fn write_lines(
    connection: &Connection,
    table: &Table,
    id: &str,
    row: &Row,
) -> Result<(), DatabaseError> {
    let Some(lines) = &table.lines else { return Ok(()) };
    let mut former = lines_of(connection, lines, id)?;
    let mut kept: Vec<Option<Value>> = vec![None; row.lines.len()];
    let no = lines.columns.iter().position(|column| column.name == "no");
    let number = |line: &[Option<String>]| no.and_then(|no| line[no].clone());
    for by_number in [false, true] {
        let is_it = |former: &[Option<String>], line: &[Option<String>]| {
            former == line || by_number && number(line).is_some() && number(former) == number(line)
        };
        for (line, kept) in row.lines.iter().zip(&mut kept).filter(|(_, kept)| kept.is_none()) {
            if let Some(at) = former.iter().position(|(_, former)| is_it(former, line)) {
                *kept = Some(former.remove(at).0);
            }
        }
    }
    let mut delete = connection.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", lines.name))?;
    for (gone, _) in former {
        delete.execute([gone])?;
    }
    let sets: Vec<String> =
        lines.columns.iter().enumerate().map(|(n, c)| format!("\"{}\" = ?{}", c.name, n + 2)).collect();
    let sql = format!("UPDATE {} SET {} WHERE id = ?1", lines.name, sets.join(", "));
    for (line, line_id) in row.lines.iter().zip(&kept) {
        let Some(line_id) = line_id else { continue };
        let values = line.iter().map(|value| value as &dyn ToSql);
        let bound = [line_id as &dyn ToSql].into_iter().chain(values);
        connection.prepare_cached(&sql)?.execute(params_from_iter(bound))?;
    }
    let new = row.lines.iter().zip(kept).enumerate().filter(|(_, (_, kept))| kept.is_none());
    insert_lines(connection, lines, id, new.map(|(n, (line, _))| (n, line)))
}

/// The id of a line, whatever it is, and its values.
type FoundLine = (Value, Vec<Option<String>>);

/// The lines of the row `id`: their ids and their values.
fn lines_of(connection: &Connection, lines: &LineTable, id: &str) -> Result<Vec<FoundLine>, DatabaseError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT t.id{} FROM {} t WHERE t.{} = ?1 ORDER BY t.id",
        select_list(&lines.columns, "t", false),
        lines.name,
        lines.parent
    ))?;
    let found =
        statement.query_map([id], |row| Ok((row.get(0)?, texts(row, 1, lines.columns.len(), strictly)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Puts in new lines of the row `id`, each with its place among all.
fn insert_lines<'a>(
    connection: &Connection,
    lines: &LineTable,
    id: &str,
    new: impl Iterator<Item = (usize, &'a Vec<Option<String>>)>,
) -> Result<(), DatabaseError> {
    let names: Vec<String> = lines.columns.iter().map(|column| format!(", \"{}\"", column.name)).collect();
    let marks: Vec<String> = (0..lines.columns.len()).map(|n| format!(", ?{}", n + 3)).collect();
    let sql = format!(
        "INSERT INTO {} (id, {}{}) VALUES (?1, ?2{}) ON CONFLICT (id) DO NOTHING",
        lines.name,
        lines.parent,
        names.concat(),
        marks.concat()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    for (n, line) in new {
        let mut line_id =
            format!("{id}:{}", line.first().cloned().flatten().unwrap_or_else(|| format!("n{n}")));
        let mut insert = |line_id: &str| {
            let bound = [Some(line_id), Some(id)].into_iter().chain(line.iter().map(Option::as_deref));
            statement.execute(params_from_iter(bound))
        };
        // A line of another row of the centre's may bear that id: it stays as it is.
        while insert(&line_id)? == 0 {
            line_id.push('~');
        }
    }
    Ok(())
}

fn delete_lines(connection: &Connection, table: &Table, id: &str) -> Result<(), DatabaseError> {
    if let Some(lines) = &table.lines {
        let sql = format!("DELETE FROM {} WHERE {} = ?1", lines.name, lines.parent);
        connection.prepare_cached(&sql)?.execute([id])?;
    }
    Ok(())
}

/// Deletes the row `id` of `table` with its lines.
///
/// # Errors
/// SQLite's.
pub fn delete(connection: &Connection, table: &Table, id: &str) -> Result<(), DatabaseError> {
    delete_lines(connection, table, id)?;
    connection.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", table.name))?.execute([id])?;
    Ok(())
}

/// Whether any row of any table names the row `id` of `table`.
///
/// # Errors
/// SQLite's.
pub fn is_referred_to(connection: &Connection, table: &Table, id: &str) -> Result<bool, DatabaseError> {
    for other in crate::decisions::tables::tables() {
        for column in other.columns.iter().filter(|column| column.refers_to == Some(table.name)) {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {} = ?1)", other.name, column.name);
            if connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0))? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A record id of our own database.
pub(super) fn record_id(table: &'static str, text: &str) -> Result<RecordId, DatabaseError> {
    text.parse().map_err(|_| DatabaseError::Corrupt { table, what: "a record id" })
}

/// Puts into the `lost` columns of row `id`, or of its lines if those are the table `name`, what `said` says there.
pub(super) fn fill(
    connection: &Connection,
    table: &Table,
    name: &str,
    id: &str,
    lost: &BTreeSet<String>,
    said: &Row,
) -> Result<(), DatabaseError> {
    if name == table.name {
        for (column, value) in table.columns.iter().zip(&said.values) {
            if lost.contains(&column.name) {
                let sql = format!("UPDATE {name} SET \"{}\" = ?2 WHERE id = ?1", column.name);
                connection.prepare_cached(&sql)?.execute((id, value))?;
            }
        }
        return Ok(());
    }
    let Some(lines) = &table.lines else { return Ok(()) };
    if ["id", "no", &lines.parent].into_iter().any(|column| lost.contains(column)) {
        return write_lines(connection, table, id, said);
    }
    let no = lines.columns.iter().position(|column| column.name == "no");
    for line in &said.lines {
        for (column, value) in
            lines.columns.iter().zip(line).filter(|(column, _)| lost.contains(&column.name))
        {
            let sql = format!(
                "UPDATE {name} SET \"{}\" = ?3 WHERE {} = ?1 AND no IS ?2",
                column.name, lines.parent
            );
            connection.prepare_cached(&sql)?.execute((id, no.and_then(|no| line[no].as_ref()), value))?;
        }
    }
    Ok(())
}
