//! Rows of an imported file, by plain SQL as any program would write them: locks hold, changes are captured.
//!
//! Which ids the file has named is kept in a temporary table, not in memory: a file may be long.

use exchange_endpoint::tables::{Form, codes, lost};
use exchange_format::record::{Field, FieldProblem, Finding, Kind};
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::decisions::mapping::NO_SUCH_ROW;

use super::{
    DatabaseError, own_records, rows,
    tables::{Column, Table},
};

/// Where rows go: a table, or its lines.
#[derive(Debug, Clone)]
pub struct Target {
    /// The table.
    pub table: &'static Table,
    /// What is written: the table's name, or its lines'.
    pub name: &'static str,
    /// Of lines: the column that names the parent.
    pub parent: Option<&'static str>,
}

impl Target {
    /// The table called `name`, or the lines called so.
    pub fn of(table: &'static Table, name: &str) -> Self {
        let lines = table.lines.as_ref().filter(|lines| lines.name == name);
        Self {
            table,
            name: lines.map_or(table.name, |lines| lines.name),
            parent: lines.map(|lines| lines.parent.as_str()),
        }
    }

    /// Its columns besides `id` and the parent.
    pub fn fields(&self) -> &'static [Column] {
        let lines = self.table.lines.as_ref().filter(|_| self.parent.is_some());
        lines.map_or(&self.table.columns, |lines| &lines.columns)
    }

    /// The field of `kind` that the column shows.
    pub fn field(&self, kind: Kind, column: &str) -> Option<&'static Field> {
        let schema = kind.schema();
        let of_lines = || schema.lines.map_or(&[][..], |lines| lines.fields);
        let fields = if self.parent.is_some() { of_lines() } else { schema.fields };
        fields.iter().find(|field| field.name == column)
    }

    /// Columns that name a row of another table, and which table; the parent first.
    fn references(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let parent = self.parent.map(|parent| (parent, self.table.name));
        let of = |column: &'static Column| Some((column.name.as_str(), column.refers_to?));
        parent.into_iter().chain(self.fields().iter().filter_map(of))
    }
}

/// A value of a row: the column, what the file says in the form in which it is kept; nothing if the cell is empty.
pub type Pair<'a> = (&'a str, Option<&'a str>);

/// What putting a row did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It was not there.
    New,
    /// It said something else.
    Changed,
    /// It said the same.
    Unchanged,
    /// It is the hub's and says something else, in these columns. Nothing was done.
    Locked(Vec<String>),
    /// It is a line of the centre's own that the file puts under a row of the hub's. Nothing was done.
    MovedUnderLock,
    /// It is a row that only the hub could bring, and has not, or a line under one. Nothing was done.
    Foreign,
    /// Letters of this column were lost in a file of Windows-1251, and it is not as it was written of what stands. Nothing was done.
    Lost(String),
}

/// Begins an import on this connection: no id was named yet.
///
/// # Errors
/// SQLite's.
pub fn begin(connection: &Connection) -> Result<(), DatabaseError> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS svod_named (id TEXT PRIMARY KEY NOT NULL, line INTEGER NOT NULL, \
         taken INTEGER NOT NULL) WITHOUT ROWID; DELETE FROM svod_named;",
    )?;
    Ok(())
}

/// Notes that `line` names the row `id`; false if another line did.
///
/// # Errors
/// SQLite's.
pub fn name(connection: &Connection, id: &str, line: u64) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO temp.svod_named (id, line, taken) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING";
    Ok(connection.prepare_cached(sql)?.execute((id, line))? == 1)
}

/// Inserts or updates row `id` of `target`; columns that are not among `pairs` stay as they are, and so does a value
/// that says the same in another form. The names of table and columns are ours, never the file's.
///
/// # Errors
/// SQLite's; a trigger's refusal among them.
pub fn put(
    connection: &Connection,
    target: &Target,
    id: &str,
    pairs: &[Pair<'_>],
) -> Result<Done, rusqlite::Error> {
    let stands = stands(connection, target.name, id, pairs)?;
    let owner = match target.parent {
        None => Some(id.to_owned()),
        Some(parent) => owner(connection, target, parent, id, pairs)?,
    };
    let locked = match &owner {
        Some(owner) => is_locked(connection, target.table, owner)?,
        None => false,
    };
    let differ: Vec<Pair<'_>> = match &stands {
        None => pairs.iter().copied().filter(|(_, value)| value.is_some()).collect(),
        Some(stands) => pairs
            .iter()
            .zip(stands)
            .filter(|(pair, stands)| !same(target, locked, pair, stands.as_deref()))
            .map(|(pair, _)| *pair)
            .collect(),
    };
    let is_lost = |(_, value): &&Pair<'_>| value.is_some_and(lost::is_lost);
    if let Some((column, _)) = differ.iter().find(is_lost) {
        return Ok(Done::Lost((*column).to_owned()));
    }
    if locked {
        // that the file says nothing is no wish that nothing stand there
        let differ = differ.iter().filter(|(_, value)| value.is_some());
        let columns: Vec<String> = differ.map(|(column, _)| (*column).to_owned()).collect();
        let same = columns.is_empty() && stands.is_some();
        return Ok(if same { Done::Unchanged } else { Done::Locked(columns) });
    }
    if let Some(parent) = target.parent
        && let Some((_, Some(said))) = differ.iter().find(|(column, _)| *column == parent)
        && is_locked(connection, target.table, said)?
    {
        return Ok(Done::MovedUnderLock);
    }
    if target.table.own.is_none() && (target.parent.is_some() || stands.is_none()) {
        return Ok(Done::Foreign);
    }
    let done = match stands {
        None => insert(connection, target.name, id, &differ).map(|()| Done::New)?,
        Some(_) if differ.is_empty() => Done::Unchanged,
        Some(_) => update(connection, target.name, id, &differ).map(|()| Done::Changed)?,
    };
    let taken = if done == Done::Unchanged { 1 } else { 2 };
    connection.prepare_cached("UPDATE temp.svod_named SET taken = ?2 WHERE id = ?1")?.execute((id, taken))?;
    Ok(done)
}

/// What stands in the columns of `pairs` in row `id`, if it is there.
fn stands(
    connection: &Connection,
    table: &str,
    id: &str,
    pairs: &[Pair<'_>],
) -> Result<Option<Vec<Option<String>>>, rusqlite::Error> {
    let columns: Vec<String> = pairs.iter().map(|(column, _)| format!(", \"{column}\"")).collect();
    let columns = columns.concat();
    let sql = format!("SELECT id{columns} FROM {table} WHERE id = ?1");
    let read = |row: &rusqlite::Row<'_>| {
        (0..pairs.len()).map(|n| Ok(rows::leniently(row.get_ref(n + 1)?))).collect()
    };
    connection.prepare_cached(&sql)?.query_row([id], read).optional()
}

/// Whether the file says what stands there, in whatever form; of a row of the hub's also the word for its code.
fn same(target: &Target, is_locked: bool, (column, value): &Pair<'_>, stands: Option<&str>) -> bool {
    let (stands, value) = (stands.unwrap_or_default(), value.unwrap_or_default());
    let means = |kind| target.field(kind, column).and_then(|field| codes::coded(field, value));
    let kept = Form::of(column).kept(stands);
    kept == value
        || lost::is_written_of(value, &kept)
        || is_locked && target.table.published.and_then(means).is_some_and(|code| code == stands)
}

/// The parent of line `id`: as it stands, else as the file says.
fn owner(
    connection: &Connection,
    target: &Target,
    parent: &str,
    id: &str,
    pairs: &[Pair<'_>],
) -> Result<Option<String>, rusqlite::Error> {
    let sql = format!("SELECT \"{parent}\" FROM {} WHERE id = ?1", target.name);
    let known = connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?;
    let said = || pairs.iter().find(|(column, _)| *column == parent).and_then(|(_, value)| *value);
    Ok(known.or_else(|| said().map(str::to_owned)))
}

fn is_locked(connection: &Connection, table: &Table, id: &str) -> Result<bool, rusqlite::Error> {
    let sql = "SELECT 1 FROM svod_record WHERE kind = ?1 AND id = ?2 AND state NOT IN ('own', 'provisional')";
    connection.prepare_cached(sql)?.exists([table.name, id])
}

fn insert(connection: &Connection, table: &str, id: &str, pairs: &[Pair<'_>]) -> Result<(), rusqlite::Error> {
    let names: Vec<String> = pairs.iter().map(|(column, _)| format!(", \"{column}\"")).collect();
    let marks: Vec<String> = (0..pairs.len()).map(|n| format!(", ?{}", n + 2)).collect();
    let (names, marks) = (names.concat(), marks.concat());
    execute(connection, &format!("INSERT INTO {table} (id{names}) VALUES (?1{marks})"), id, pairs)
}

fn update(connection: &Connection, table: &str, id: &str, pairs: &[Pair<'_>]) -> Result<(), rusqlite::Error> {
    let sets: Vec<String> =
        pairs.iter().enumerate().map(|(n, (column, _))| format!("\"{column}\" = ?{}", n + 2)).collect();
    execute(connection, &format!("UPDATE {table} SET {} WHERE id = ?1", sets.join(", ")), id, pairs)
}

fn execute(connection: &Connection, sql: &str, id: &str, pairs: &[Pair<'_>]) -> Result<(), rusqlite::Error> {
    let bound = [Some(id)].into_iter().chain(pairs.iter().map(|(_, value)| *value));
    connection.prepare_cached(sql)?.execute(params_from_iter(bound))?;
    Ok(())
}

/// The rule that row `id` breaks, so that it cannot be sent: its column and its code. That it names a row which is not there
/// is told otherwise ([`missing`]); what a row without its lines breaks may be put right by them, and is looked at when they
/// come ([`broken_by_lines`]).
///
/// # Errors
/// SQLite's.
pub fn unsendable(
    connection: &Connection,
    target: &Target,
    id: &str,
) -> Result<Option<(&'static str, &'static str)>, DatabaseError> {
    if target.parent.is_some() {
        return Ok(None);
    }
    let Some(finding) = fault(connection, target.table, id)? else { return Ok(None) };
    let is_rule = matches!(finding.problem, FieldProblem::Rule(_) | FieldProblem::Broken { .. });
    if is_rule && let Some(lines) = &target.table.lines {
        let sql = format!("SELECT 1 FROM {} WHERE \"{}\" = ?1", lines.name, lines.parent);
        if !connection.prepare_cached(&sql)?.exists([id])? {
            return Ok(None);
        }
    }
    Ok(Some((finding.field, finding.word())))
}

/// What keeps row `id` from being sent, but for a row that it names and that is not there.
fn fault(connection: &Connection, table: &Table, id: &str) -> Result<Option<Finding>, DatabaseError> {
    let finding = own_records::body_of_row(connection, table, id)?.and_then(Result::err);
    let dangling =
        |finding: &Finding| matches!(finding.problem, FieldProblem::Rule(rule) if rule == NO_SUCH_ROW);
    Ok(finding.filter(|finding| !dangling(finding)))
}

/// The line of the file that became the `n`th of the lines in `table` under the row `id`, if it was of this file.
fn line_of(
    connection: &Connection,
    table: &str,
    parent: &str,
    (id, n): (&str, usize),
) -> Result<Option<u64>, DatabaseError> {
    let sql = format!(
        "SELECT n.line FROM {table} t LEFT JOIN temp.svod_named n ON n.id = t.id WHERE t.\"{parent}\" = ?1 \
         ORDER BY CAST(t.no AS INTEGER), t.no, t.id LIMIT 1 OFFSET ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row((id, n.saturating_sub(1)), |row| row.get(0)).optional()?.flatten())
}

/// Of each row under which lines were put, the first of those and the rule that the row breaks with all its lines: its column
/// and its code.
///
/// # Errors
/// SQLite's, or those of `each`.
pub fn broken_by_lines<E: From<DatabaseError>>(
    connection: &Connection,
    target: &Target,
    mut each: impl FnMut(u64, &'static str, &'static str) -> Result<(), E>,
) -> Result<(), E> {
    let Some(parent) = target.parent else { return Ok(()) };
    let sql = format!(
        "SELECT min(n.line), t.\"{parent}\" FROM temp.svod_named n JOIN {} t ON t.id = n.id WHERE n.taken = 2 \
         AND t.\"{parent}\" IS NOT NULL GROUP BY t.\"{parent}\" ORDER BY 1",
        target.name
    );
    let mut statement = connection.prepare(&sql).map_err(DatabaseError::from)?;
    let mut found = statement.query([]).map_err(DatabaseError::from)?;
    while let Some(row) = found.next().map_err(DatabaseError::from)? {
        let line = row.get(0).map_err(DatabaseError::from)?;
        let id: String = row.get(1).map_err(DatabaseError::from)?;
        if let Some(finding) = fault(connection, target.table, &id)? {
            let its = finding.line.map(|n| line_of(connection, target.name, parent, (&id, n))).transpose()?;
            each(its.flatten().unwrap_or(line), finding.field, finding.word())?;
        }
    }
    Ok(())
}

/// A line that was taken, a column of it, the table that the column refers to, and of a parent how many other lines it
/// has.
pub type Lack = (u64, &'static str, &'static str, u64);

/// Lines that name, in one of `columns`, a row that is not there now that all are in.
///
/// # Errors
/// SQLite's, or those of `each`.
pub fn missing<E: From<DatabaseError>>(
    connection: &Connection,
    target: &Target,
    columns: &[&str],
    mut each: impl FnMut(Lack) -> Result<(), E>,
) -> Result<(), E> {
    for (column, table) in target.references().filter(|(column, _)| columns.contains(column)) {
        let sql = format!(
            "SELECT n.line FROM temp.svod_named n JOIN {} t ON t.id = n.id WHERE n.taken AND t.\"{column}\" IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.id = t.\"{column}\") ORDER BY n.line",
            target.name
        );
        for_each_line(connection, &sql, |line, _| each((line, column, table, 0)))?;
    }
    Ok(())
}

/// The first line of each parent that has lines which the file does not name.
///
/// # Errors
/// SQLite's, or those of `each`.
pub fn others<E: From<DatabaseError>>(
    connection: &Connection,
    target: &Target,
    mut each: impl FnMut(Lack) -> Result<(), E>,
) -> Result<(), E> {
    let Some(parent) = target.parent else { return Ok(()) };
    let name = target.name;
    let sql = format!(
        "SELECT line, others FROM (SELECT min(n.line) line, (SELECT count(*) FROM {name} o WHERE o.\"{parent}\" = \
         t.\"{parent}\" AND NOT EXISTS (SELECT 1 FROM temp.svod_named s WHERE s.id = o.id)) others FROM temp.svod_named n \
         JOIN {name} t ON t.id = n.id WHERE n.taken GROUP BY t.\"{parent}\") WHERE others > 0 ORDER BY line"
    );
    for_each_line(connection, &sql, |line, others| each((line, parent, target.table.name, others)))
}

fn for_each_line<E: From<DatabaseError>>(
    connection: &Connection,
    sql: &str,
    mut each: impl FnMut(u64, u64) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = connection.prepare(sql).map_err(DatabaseError::from)?;
    let mut found = statement.query([]).map_err(DatabaseError::from)?;
    while let Some(row) = found.next().map_err(DatabaseError::from)? {
        let line = row.get(0).map_err(DatabaseError::from)?;
        each(line, row.get::<_, Option<u64>>(1).ok().flatten().unwrap_or_default())?;
    }
    Ok(())
}

/// The number (`no`) of the locked line `id`, if it is one that stands there.
///
/// # Errors
/// SQLite's.
pub fn line_no(connection: &Connection, target: &Target, id: &str) -> Result<Option<String>, DatabaseError> {
    let sql = format!("SELECT no FROM {} WHERE id = ?1", target.name);
    Ok(connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?.flatten())
}
