//! Own records as the hub has them, after this database was put back from a copy: what differs, and how it is taken back
//! (exchange §7). Absence ends nothing: a row goes only if the hub has the end of its record from this centre.

use std::{collections::BTreeSet, fmt};

use exchange_format::{
    position::{Epoch, Position, Seq},
    record::{Form, Kind, Record, RecordId},
    stream::{Edition, Return, judge_return},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;

use crate::decisions::{
    mapping::{self, Row},
    picture::State,
    tables::{self, Table},
};

use super::{
    DatabaseError, lost,
    own_records::{self, Change, Sealable},
    publications::read_body,
    removals,
    row_id::RowId,
    rows,
    sent::{self, Kept},
};

/// What becomes of a record that the hub has otherwise than it was sent from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Its row comes back.
    Back,
    /// Its row takes on what the hub has.
    Changed,
    /// Its row goes: this centre had ended it.
    Ended,
    /// No row changes: it is known again that it was sent.
    Noted,
    /// Here and in what was lost it has moved apart: a person chooses.
    Moved,
    /// The hub has nothing of it, or something older: it is sent again.
    SentAgain,
}

impl What {
    /// The word in JSON and in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Back => "back",
            Self::Changed => "changed",
            Self::Ended => "ended",
            Self::Noted => "noted",
            Self::Moved => "moved",
            Self::SentAgain => "sent_again",
        }
    }
}

/// A value of a row that is otherwise in the hub's copy of its record. Personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// The column; of a line `programme_line[1].name`.
    pub column: String,
    /// What stands here.
    pub here: Option<String>,
    /// What the hub has.
    pub there: Option<String>,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} [redacted])", self.column)
    }
}

/// A record that differs.
#[derive(Debug, Clone)]
pub struct Differs {
    /// What becomes of it.
    pub what: What,
    /// Its table, or its kind on the wire if it has none.
    pub table: &'static str,
    /// Its row, if there is one.
    pub id: Option<String>,
}

/// What stands here of a record.
struct Here {
    table: Option<&'static Table>,
    /// Its row and whether that is the centre's own.
    row: Option<(String, bool)>,
    /// Whether a link of the hub names it.
    linked: bool,
    sent: Option<Edition>,
    /// Something was done here that the hub has not confirmed.
    moved: bool,
    /// The row, or that there is none, says what the hub has, be it sent from here or not yet.
    same: bool,
}

fn here(connection: &Connection, mirror: &Record, ack: Option<Position>) -> Result<Here, DatabaseError> {
    let (kind, key) = (mirror.kind, mirror.key);
    let table = tables::table_of(kind);
    let last = sent::last(connection, kind, key)?;
    let sent = last.map(|last| Edition { version: last.version, form: last.form, hash: last.hash });
    let row = match table {
        Some(table) => connection
            .prepare_cached("SELECT id, state FROM svod_record WHERE kind = ?1 AND key = ?2")?
            .query_row([table.name, &key.to_string()], |row| {
                Ok((row.get::<_, RowId>(0)?, row.get::<_, String>(1)?))
            })
            .optional()?,
        None => None,
    };
    let is_own = |state: &str| State::from_word(state).is_some_and(State::is_open);
    let row = row.and_then(|(id, state)| Some((id.into_text()?, is_own(&state))));
    let linked = "SELECT EXISTS (SELECT 1 FROM svod_link WHERE claim = ?1)";
    let linked = connection.prepare_cached(linked)?.query_row([key.to_string()], |row| row.get(0))?;
    let hubs = row.as_ref().map_or(linked, |(_, own)| !own);
    let is_ours = table.is_some() && !hubs && sent != Some(Edition::of(mirror));
    let (waits, same) = if is_ours { says(connection, mirror, sent.as_ref())? } else { (false, false) };
    let moved = is_ours && !same && (waits || sent.is_some() && !is_confirmed(connection, kind, key, ack)?);
    Ok(Here { table, row, linked, sent, moved, same })
}

/// Whether a change waits here that is to be sent, and whether what the row says now is what `mirror` does.
fn says(
    connection: &Connection,
    mirror: &Record,
    sent: Option<&Edition>,
) -> Result<(bool, bool), DatabaseError> {
    let change = lost::change_of(mirror.kind, mirror.key);
    let waits = "SELECT EXISTS (SELECT 1 FROM svod_change WHERE kind = ?1 AND key = ?2)";
    let waits: bool = connection
        .prepare_cached(waits)?
        .query_row([&change.kind, &mirror.key.to_string()], |row| row.get(0))?;
    let (form, hash) = match own_records::look_at(connection, &change)? {
        Sealable::Version(record) => (record.form, record.hash()),
        Sealable::Problem(_) => return Ok((waits, false)),
        Sealable::Nothing => match sent {
            Some(sent) => return Ok((false, (sent.form, sent.hash) == (mirror.form, mirror.hash()))),
            None => return Ok((false, mirror.form == Form::Tombstone)),
        },
    };
    Ok((waits, (form, hash) == (mirror.form, mirror.hash())))
}

/// Whether the hub had applied what was last sent of a record, `ack` being our last packet that it applied.
fn is_confirmed(
    connection: &Connection,
    kind: Kind,
    key: RecordId,
    ack: Option<Position>,
) -> Result<bool, DatabaseError> {
    let Some(ack) = ack else { return Ok(false) };
    // a packet that it refused has never been part of what it has
    let sql = "SELECT (s.epoch, s.seq) <= (?3, ?4) AND (s.epoch < ?3 OR NOT EXISTS (SELECT 1 FROM svod_packet p \
               WHERE p.direction = 'out' AND p.answers IS NULL AND p.epoch = s.epoch AND p.seq <= s.seq \
               AND p.state = 'REFUSED')) FROM svod_sent s WHERE kind = ?1 AND key = ?2";
    let of = params![kind.name(), key.to_string(), ack.epoch.get(), ack.seq.get()];
    Ok(connection.prepare_cached(sql)?.query_row(of, |row| row.get(0)).optional()?.unwrap_or(false))
}

/// How the hub's copy `mirror` of a record of ours differs from what stands here; `ack` is our last packet that it had
/// applied. `None`: it does not.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn differs(
    connection: &Connection,
    mirror: &Record,
    ack: Option<Position>,
) -> Result<Option<Differs>, DatabaseError> {
    let here = here(connection, mirror, ack)?;
    Ok(here.what(mirror).map(|what| Differs {
        what,
        table: here.table.map_or(mirror.kind.name(), |table| table.name),
        id: here.row.map(|(id, _)| id),
    }))
}

/// The values of the row of `differs`, a record of ours of which `mirror` is the hub's copy, that are otherwise there; none
/// where no row changes. References are ids of rows, as far as what they name is here.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn values(
    connection: &Connection,
    mirror: &Record,
    differs: &Differs,
) -> Result<Vec<Value>, DatabaseError> {
    let Some(table) = tables::table_of(mirror.kind) else { return Ok(Vec::new()) };
    if matches!(differs.what, What::Noted | What::SentAgain) {
        return Ok(Vec::new());
    }
    let here = match &differs.id {
        Some(id) => rows::as_it_stands(connection, table, id)?,
        None => None,
    };
    let there = match mirror.form {
        Form::Live | Form::Withdrawn => {
            let said = mapping::row(table, &read_body(mirror)?);
            Some(rows::resolve(connection, table, &said)?.unwrap_or(said))
        }
        Form::Tombstone => None,
    };
    let cell = |row: &Option<Row>, line: Option<usize>, at: usize| {
        let row = row.as_ref()?;
        let values = line.map_or(Some(&row.values), |line| row.lines.get(line))?;
        values.get(at).cloned().flatten()
    };
    let mut found = Vec::new();
    let mut compare = |column: String, line, at| {
        let (here, there) = (cell(&here, line, at), cell(&there, line, at));
        if here != there {
            found.push(Value { column, here, there });
        }
    };
    for (at, column) in table.columns.iter().enumerate() {
        compare(column.name.clone(), None, at);
    }
    let count = |row: &Option<Row>| row.as_ref().map_or(0, |row| row.lines.len());
    for line in 0..count(&here).max(count(&there)) {
        for (lines, at, column) in table
            .lines
            .iter()
            .flat_map(|lines| lines.columns.iter().enumerate().map(move |(at, column)| (lines, at, column)))
        {
            compare(format!("{}[{}].{}", lines.name, line + 1, column.name), Some(line), at);
        }
    }
    Ok(found)
}

impl Here {
    fn what(&self, mirror: &Record) -> Option<What> {
        let edition = Edition::of(mirror);
        let said_after_its_end = mirror.form == Form::Tombstone
            && self.sent.as_ref().is_some_and(|sent| sent.form == Form::Live)
            && self.row.as_ref().is_some_and(|(_, own)| *own);
        match judge_return(&edition, self.sent.as_ref(), self.moved) {
            // its key was ended for good, whatever was sent of it since
            Return::Stands if said_after_its_end => Some(What::Moved),
            Return::Stands => (self.sent.as_ref() != Some(&edition)).then_some(What::SentAgain),
            Return::BothMoved | Return::TakenBack if self.same => Some(What::Noted),
            Return::BothMoved => Some(What::Moved),
            Return::TakenBack => Some(match (&self.row, mirror.form) {
                (Some((_, true)), Form::Tombstone) => What::Ended,
                (Some((_, true)), _) => What::Changed,
                (None, Form::Live | Form::Withdrawn) if self.table.is_some() && !self.linked => What::Back,
                _ => What::Noted,
            }),
        }
    }
}

/// Takes back what the hub has of a record of ours. Of one that has moved apart `keep_own` says which of the two stands; then
/// the other is gone from here. `new_key` makes keys for rows whose record the hub has ended.
///
/// # Errors
/// SQLite's, or a value that this program cannot have written.
pub fn take_back(
    connection: &Connection,
    mirror: &Record,
    ack: Option<Position>,
    keep_own: bool,
    new_key: &mut dyn FnMut() -> RecordId,
) -> Result<(), DatabaseError> {
    let here = here(connection, mirror, ack)?;
    let Some(what) = here.what(mirror).filter(|what| *what != What::SentAgain) else { return Ok(()) };
    let (key, hash) = (mirror.key.to_string(), mirror.hash().to_string());
    let said = match here.table.filter(|_| what == What::Back) {
        Some(table) => rows::resolve(connection, table, &mapping::row(table, &read_body(mirror)?))?,
        None => None,
    };
    if what == What::Back && said.is_none() {
        // it names a record that is not here; the hub keeps it, apart, and lists it for its staff
        return Ok(());
    }
    // the snapshot that follows carries it
    let position = Position { epoch: Epoch::FIRST, seq: Seq::FIRST };
    sent::keep(connection, mirror, &hash, position, Kept::Alone)?;
    let Some(table) = here.table else { return Ok(()) };
    let row = here.row.as_ref().filter(|(_, own)| *own).map(|(id, _)| id.as_str());
    match (what, row, mirror.form) {
        (What::Moved, Some(id), Form::Tombstone) if keep_own => {
            renew(connection, table, id, &key, &new_key())
        }
        (What::Moved, Some(id), _) if keep_own => {
            removals::give(connection, table, id, &key)?;
            own_records::queue(connection, table.name, &key)
        }
        (What::Moved, None, _) if keep_own => own_records::queue(connection, table.name, &key),
        (What::Moved | What::Ended, Some(id), Form::Tombstone) => {
            forget(connection, table, &key)?;
            if rows::is_referred_to(connection, table, id)? {
                return renew(connection, table, id, &key, &new_key());
            }
            rows::delete(connection, table, id)?;
            let sql = "DELETE FROM svod_record WHERE kind = ?1 AND id = ?2";
            connection.prepare_cached(sql)?.execute([table.name, id])?;
            Ok(())
        }
        (What::Moved | What::Changed | What::Back, _, Form::Live | Form::Withdrawn) => {
            show(connection, table, row, mirror)
        }
        _ => lost::show_again(connection, mirror.key),
    }
}

/// The row `id`, or a new one whose id is the record's key, says what `mirror` says, as far as what it names is here.
fn show(
    connection: &Connection,
    table: &'static Table,
    id: Option<&str>,
    mirror: &Record,
) -> Result<(), DatabaseError> {
    let key = mirror.key.to_string();
    let said = mapping::row(table, &read_body(mirror)?);
    let id = id.unwrap_or(&key);
    if let Some(said) = rows::resolve(connection, table, &said)? {
        rows::write(connection, table, id, None, &said)?;
    }
    removals::give(connection, table, id, &key)?;
    // what it names may be another record now
    own_records::queue(connection, table.name, &key)
}

/// The row `id` is a new record: its own was ended.
fn renew(
    connection: &Connection,
    table: &Table,
    id: &str,
    former: &str,
    key: &RecordId,
) -> Result<(), DatabaseError> {
    forget(connection, table, former)?;
    let sql = "UPDATE svod_record SET key = ?3, state = 'own', version = NULL, form = NULL, sha256 = NULL, packet = NULL \
               WHERE kind = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute([table.name, id, &key.to_string()])?;
    own_records::queue(connection, table.name, &key.to_string())?;
    // whatever names it names another record now
    for other in tables::tables().iter().filter(|other| other.own.is_some()) {
        for column in other.columns.iter().filter(|column| column.refers_to == Some(table.name)) {
            let sql = format!(
                "INSERT INTO svod_change (kind, key) SELECT r.kind, r.key FROM {0} t JOIN svod_record r ON r.kind = '{0}' \
                 AND r.id = t.id WHERE t.\"{1}\" = ?1 AND r.state IN ('own', 'provisional') AND NOT EXISTS \
                 (SELECT 1 FROM svod_change c WHERE c.kind = r.kind AND c.key = r.key)",
                other.name, column.name
            );
            connection.prepare_cached(&sql)?.execute([id])?;
        }
    }
    Ok(())
}

/// The row of `change`, to be sent as `record` under a key whose end was sent, becomes a new record, and true: an end is for good,
/// and what takes a deleted row's place is another record. Such a row can only have come back with its key past the triggers.
///
/// # Errors
/// SQLite's.
pub fn renew_if_ended(
    connection: &Connection,
    change: &Change,
    record: &Record,
    new_key: &mut dyn FnMut() -> RecordId,
) -> Result<bool, DatabaseError> {
    let (Form::Live, Some(table)) = (record.form, tables::table(&change.kind)) else { return Ok(false) };
    let last = if record.version > 1 { sent::last(connection, record.kind, record.key)? } else { None };
    if last.is_none_or(|last| last.form != Form::Tombstone) {
        return Ok(false);
    }
    let (key, sql) = (record.key.to_string(), "SELECT id FROM svod_record WHERE kind = ?1 AND key = ?2");
    let id = connection.prepare_cached(sql)?.query_row([table.name, &key], |row| row.get::<_, RowId>(0));
    let Some(id) = id.optional()?.and_then(RowId::into_text) else { return Ok(false) };
    tracing::error!(table = table.name, "a row whose end was sent is there again; it goes as a new record");
    renew(connection, table, &id, &key, &new_key())?;
    Ok(true)
}

fn forget(connection: &Connection, table: &Table, key: &str) -> Result<(), DatabaseError> {
    let sql = "DELETE FROM svod_change WHERE kind = ?1 AND key = ?2";
    connection.prepare_cached(sql)?.execute([table.name, key])?;
    Ok(())
}

/// Tables, rows and keys of the live records that were sent from here and that the hub has not, `known` being those that the hub has.
///
/// # Errors
/// SQLite's.
pub fn unknown_there(
    connection: &Connection,
    known: &BTreeSet<(Kind, RecordId)>,
) -> Result<Vec<(Differs, RecordId)>, DatabaseError> {
    let mut unknown = Vec::new();
    let mut statement =
        connection.prepare("SELECT kind, key FROM svod_sent WHERE form <> 'tombstone' ORDER BY kind, key")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let (Ok(kind), Ok(key)) =
            (row.get::<_, String>(0)?.parse::<Kind>(), row.get::<_, String>(1)?.parse())
        else {
            continue;
        };
        if !known.contains(&(kind, key)) {
            let table = tables::table_of(kind).map_or(kind.name(), |table| table.name);
            let sql = "SELECT id FROM svod_record WHERE kind = ?1 AND key = ?2";
            let id = connection
                .prepare_cached(sql)?
                .query_row([table, &key.to_string()], |row| row.get::<_, RowId>(0))
                .optional()?
                .and_then(RowId::into_text);
            unknown.push((Differs { what: What::SentAgain, table, id }, key));
        }
    }
    Ok(unknown)
}
