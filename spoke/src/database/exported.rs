//! Rows of the domain tables for files, and which of them the hub's packets have changed.

use exchange_format::position::Position;
use rusqlite::{Connection, ToSql, types::ValueRef};

use super::{
    DatabaseError, rows,
    tables::{Column, Table},
};

/// Row `id` of `table` shows or showed `uid` and has changed.
pub(super) fn note(connection: &Connection, table: &str, id: &str, uid: &str) -> Result<(), DatabaseError> {
    connection
        .prepare_cached(
            "INSERT INTO svod_shown (kind, id, uid) VALUES (?1, ?2, ?3) \
             ON CONFLICT (kind, id) DO UPDATE SET uid = excluded.uid, epoch = NULL, seq = NULL",
        )?
        .execute([table, id, uid])?;
    Ok(())
}

/// Everything that changed and was not stamped yet has changed by the packet at `position`.
///
/// # Errors
/// SQLite's.
pub fn stamp(connection: &Connection, position: Position) -> Result<(), DatabaseError> {
    connection
        .prepare_cached("UPDATE svod_shown SET epoch = ?1, seq = ?2 WHERE epoch IS NULL")?
        .execute((position.epoch.get(), position.seq.get()))?;
    Ok(())
}

/// What an export says of a row besides its columns: whose number it has at the hub, whose it is, which row to look at
/// instead.
pub const FIRST: [&str; 4] = ["id", "uid", "state", "alias_of"];

/// The rows of a table or of its lines.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// The table.
    pub table: &'static Table,
    /// Whether its lines are wanted.
    pub lines: bool,
    /// Only those that the hub's packets after this place have changed; the rows that are gone too, in the state
    /// `removed`.
    pub since: Option<(u16, u32)>,
}

impl Rows {
    /// What they are called.
    pub fn name(&self) -> &'static str {
        match &self.table.lines {
            Some(lines) if self.lines => lines.name,
            _ => self.table.name,
        }
    }

    /// The columns: [`FIRST`], of lines the parent, then the fields.
    pub fn columns(&self) -> Vec<String> {
        let parent = self.parent().map(str::to_owned);
        let fields = self.fields().iter().map(|column| column.name.clone());
        FIRST.map(str::to_owned).into_iter().chain(parent).chain(fields).collect()
    }

    fn parent(&self) -> Option<&'static str> {
        self.table.lines.as_ref().filter(|_| self.lines).map(|lines| lines.parent.as_str())
    }

    fn fields(&self) -> &'static [Column] {
        self.table.lines.as_ref().filter(|_| self.lines).map_or(&self.table.columns, |lines| &lines.columns)
    }

    fn sql(&self) -> String {
        let name = self.name();
        let parent = self.parent();
        // a row and its lines are in one state
        let owner = parent.unwrap_or("id");
        let fields: String = parent
            .iter()
            .copied()
            .chain(self.fields().iter().map(|column| column.name.as_str()))
            .map(|column| format!(", t.\"{column}\""))
            .collect::<Vec<_>>()
            .concat();
        let record =
            |id: &str| format!("LEFT JOIN svod_record r ON r.kind = '{}' AND r.id = {id}", self.table.name);
        match (self.since, parent) {
            (None, _) => format!(
                "SELECT t.id, r.uid, r.state, r.alias_of{fields} FROM {name} t {} ORDER BY t.id",
                record(&format!("t.\"{owner}\""))
            ),
            (Some(_), _) => format!(
                "SELECT {id}, coalesce(r.uid, s.uid), {state}, r.alias_of{fields} FROM svod_shown s {join} \
                 JOIN {name} t ON t.\"{owner}\" = s.id {record} WHERE s.kind = '{kind}' AND (s.epoch IS NULL \
                 OR s.epoch > ?1 OR s.epoch = ?1 AND s.seq > ?2) ORDER BY s.id, t.id",
                id = if self.lines { "t.id" } else { "s.id" },
                state = if self.lines {
                    "r.state"
                } else {
                    "CASE WHEN t.id IS NULL THEN 'removed' ELSE r.state END"
                },
                join = if self.lines { "" } else { "LEFT" },
                record = record("s.id"),
                kind = self.table.name,
            ),
        }
    }

    /// Hands every row to `each`, its values in the order of [`Self::columns`].
    ///
    /// # Errors
    /// SQLite's, or those of `each`.
    pub fn for_each<E: From<DatabaseError>>(
        &self,
        connection: &Connection,
        mut each: impl FnMut(&[String]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = connection.prepare(&self.sql()).map_err(DatabaseError::from)?;
        let (epoch, seq) = self.since.unwrap_or_default();
        let bound: [&dyn ToSql; 2] = [&epoch, &seq];
        let bound = if self.since.is_some() { &bound[..] } else { &[] };
        let mut found = statement.query(bound).map_err(DatabaseError::from)?;
        let mut values = vec![String::new(); self.columns().len()];
        while let Some(row) = found.next().map_err(DatabaseError::from)? {
            for (n, value) in values.iter_mut().enumerate() {
                value.clear();
                match row.get_ref(n).map_err(DatabaseError::from)? {
                    ValueRef::Text(bytes) => value.push_str(&String::from_utf8_lossy(bytes)),
                    other => value.push_str(&rows::leniently(other).unwrap_or_default()),
                }
            }
            each(&values)?;
        }
        Ok(())
    }
}
