//! The centre's own records: what has changed, what was sent last, what became of it.

use std::sync::LazyLock;

use exchange_format::{
    position::{Digest, Position},
    record::{Body, Finding, Form, Kind, Record, RecordId},
};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::decisions::{mapping, picture::State, tables};

use super::{
    DatabaseError, lost,
    removals::{self, IS_HELD},
    row_id::RowId,
    rows,
    sent::{self, Kept},
};

/// The `kind` under which proposals stand in `svod_change`.
pub const PROPOSALS: &str = "svod_proposal";

/// A record of ours as it was last sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The record, its version and its bytes.
    pub record: Record,
    /// The packet that carried it.
    pub packet: String,
}

/// A record that has changed since it was last sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The table, or [`PROPOSALS`].
    pub kind: String,
    /// The record.
    pub key: RecordId,
    /// Why it could not be sent when it was last looked at.
    pub problem: Option<String>,
}

impl Change {
    /// The kind on the wire.
    pub fn wire_kind(&self) -> Option<Kind> {
        if self.kind == PROPOSALS {
            return Some(Kind::Proposal);
        }
        tables::table(&self.kind)?.own
    }
}

/// What a change comes to.
#[derive(Debug)]
pub enum Sealable {
    /// A new version to send.
    Version(Record),
    /// Nothing to send: it says what was sent already, or it came and went unsent.
    Nothing,
    /// It cannot be sent as it is; it stays in the queue until its row changes.
    Problem(Finding),
}

/// The next `limit` changes after `after` in the order of the queue.
///
/// # Errors
/// SQLite's.
pub fn changes(
    connection: &Connection,
    after: Option<&Change>,
    limit: usize,
) -> Result<Vec<Change>, DatabaseError> {
    let (kind, key) =
        after.map_or((String::new(), String::new()), |change| (change.kind.clone(), change.key.to_string()));
    let mut statement = connection.prepare_cached(&format!(
        "SELECT kind, key, problem FROM svod_change c WHERE (kind, key) > (?1, ?2) AND NOT ({IS_HELD}) AND NOT ({}) \
         ORDER BY kind, key LIMIT ?3",
        settling()
    ))?;
    let rows = statement.query_map(params![kind, key, limit], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?))
    })?;
    rows.map(|row| {
        let (kind, key, problem) = row?;
        Ok(Change { kind, key: rows::record_id("svod_change", &key)?, problem })
    })
    .collect()
}

/// Whether something is to be sent now that is not known to be unfit.
///
/// # Errors
/// SQLite's.
pub fn has_fresh_changes(connection: &Connection) -> Result<bool, DatabaseError> {
    let sql =
        format!("SELECT EXISTS (SELECT 1 FROM svod_change c WHERE problem IS NULL AND NOT ({}))", settling());
    Ok(connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
}

/// Whether something is to be sent, now or when it has settled, that is not known to be unfit.
///
/// # Errors
/// SQLite's.
pub fn is_anything_queued(connection: &Connection) -> Result<bool, DatabaseError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM svod_change WHERE problem IS NULL)";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// From now on, on this connection, a record of a kind with lines is sent only when it and its lines have said
/// the same for so many seconds: a program may write them one by one. One that has no line yet waits
/// five times as long, none ten times as long since it first changed. Nothing waits on other connections.
///
/// # Errors
/// SQLite's.
pub fn settle(connection: &Connection, seconds: u32) -> Result<(), DatabaseError> {
    connection.execute("UPDATE temp.svod_settle SET seconds = ?1", [seconds])?;
    Ok(())
}

/// How many seconds [`settle`] has set on this connection.
///
/// # Errors
/// SQLite's.
pub fn settles(connection: &Connection) -> Result<u32, DatabaseError> {
    Ok(connection.query_row("SELECT seconds FROM temp.svod_settle", [], |row| row.get(0))?)
}

/// The condition that the change `c` has not settled. A clock that was set back keeps nothing waiting.
fn settling() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let of = |table: &tables::Table| {
            let (name, lines) = (table.name, table.lines.as_ref()?);
            Some(format!(
                " WHEN '{name}' THEN CASE WHEN EXISTS (SELECT 1 FROM svod_record r WHERE r.kind = '{name}' AND r.key = c.key \
                 AND NOT EXISTS (SELECT 1 FROM {} l WHERE l.{} = r.id)) THEN 5 ELSE 1 END",
                lines.name, lines.parent
            ))
        };
        let own = tables::tables().iter().filter(|table| table.own.is_some());
        let times: String = own.filter_map(of).collect();
        let age = "(julianday('now') - c.at) * 86400.0";
        let wait = format!("(SELECT seconds FROM temp.svod_settle) * CASE c.kind{times} ELSE 0 END");
        let whole = "(julianday('now') - c.since) * 86400.0 >= 10 * (SELECT seconds FROM temp.svod_settle)";
        format!("c.at IS NOT NULL AND {age} >= 0 AND {age} < {wait} AND NOT coalesce({whole}, 0)")
    });
    &TEXT
}

/// What was last sent of the record `key`, body and all; `None` too if the body is lost.
///
/// # Errors
/// SQLite's.
pub fn sent(connection: &Connection, kind: Kind, key: RecordId) -> Result<Option<Sent>, DatabaseError> {
    let Some(last) = sent::last(connection, kind, key)? else { return Ok(None) };
    match sent::record(connection, kind, key, &last) {
        Ok(record) => Ok(Some(Sent { record, packet: last.packet })),
        // somebody has taken the body or its lot away
        Err(DatabaseError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keys of what was sent of `table` and has not ended, of which no row, no record, no link and no change knows.
///
/// # Errors
/// SQLite's.
pub fn sent_without_record(
    connection: &Connection,
    table: &tables::Table,
) -> Result<Vec<String>, DatabaseError> {
    let Some(kind) = table.own else { return Ok(Vec::new()) };
    let mut statement = connection.prepare(
        "SELECT key FROM svod_sent s WHERE kind = ?1 AND form = 'live' AND NOT EXISTS (SELECT 1 FROM svod_record r \
         WHERE r.kind = ?2 AND r.key = s.key) AND NOT EXISTS (SELECT 1 FROM svod_link l WHERE l.claim = s.key) \
         AND NOT EXISTS (SELECT 1 FROM svod_change c WHERE c.kind = ?2 AND c.key = s.key)",
    )?;
    let keys = statement.query_map([kind.name(), table.name], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// The keys of everything that was ever sent of `kind`, in their order, with the lengths of the bodies as far as they
/// are known.
///
/// # Errors
/// SQLite's.
pub fn lengths(connection: &Connection, kind: Kind) -> Result<Vec<(RecordId, u64)>, DatabaseError> {
    let sql = "SELECT key, coalesce(length(body), 2000) FROM svod_sent WHERE kind = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map([kind.name()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut all: Vec<(String, u64)> = found.collect::<Result<_, _>>()?;
    if let Some(table) = tables::table_of(kind) {
        all.extend(lost::linked_unnoted(connection, table)?.into_iter().map(|key| (key, 2000)));
    }
    all.sort_unstable();
    all.into_iter().map(|(key, length)| Ok((rows::record_id("svod_sent", &key)?, length))).collect()
}

/// The packet at `position` carries what was last sent of `key` once more.
///
/// # Errors
/// SQLite's.
pub fn carried(
    connection: &Connection,
    kind: Kind,
    key: RecordId,
    position: Position,
) -> Result<(), DatabaseError> {
    connection
        .prepare_cached("UPDATE svod_sent SET epoch = ?3, seq = ?4 WHERE kind = ?1 AND key = ?2")?
        .execute(params![kind.name(), key.to_string(), position.epoch.get(), position.seq.get()])?;
    Ok(())
}

/// What the record of row `id` says now, in the centre's words.
///
/// # Errors
/// SQLite's; inside, what keeps it from being a record.
pub fn body_of_row(
    connection: &Connection,
    table: &tables::Table,
    id: &str,
) -> Result<Option<Result<Body, Finding>>, DatabaseError> {
    let Some(kind) = table.own else { return Ok(None) };
    Ok(rows::by_keys(connection, table, id)?.map(|row| mapping::body(table, kind, &row)))
}

/// What `change` comes to now.
///
/// # Errors
/// SQLite's.
pub fn look_at(connection: &Connection, change: &Change) -> Result<Sealable, DatabaseError> {
    let Some(kind) = change.wire_kind() else { return Ok(Sealable::Nothing) };
    let last = sent::last(connection, kind, change.key)?;
    let body = match current_body(connection, change)? {
        Current::Hubs(id) => return say_again(connection, change, kind, &id, last.as_ref()),
        Current::Gone => {
            let live = last.as_ref().is_some_and(|last| last.form == Form::Live);
            let version = last.map_or(0, |last| last.version) + 1;
            let end = Record::tombstone(kind, change.key, version);
            return Ok(if live { Sealable::Version(end) } else { Sealable::Nothing });
        }
        Current::Unfit(finding) => return Ok(Sealable::Problem(finding)),
        Current::Says(bytes) => bytes,
    };
    let version = match &last {
        Some(last) if last.form == Form::Live && last.hash == Digest::of(&body) => {
            return Ok(Sealable::Nothing);
        }
        Some(last) => last.version + 1,
        None => version_told(connection, change)? + 1,
    };
    Ok(Sealable::Version(Record { kind, key: change.key, version, form: Form::Live, body, signature: None }))
}

/// The claim of the locked row `id` once more, if what was sent of it is lost.
fn say_again(
    connection: &Connection,
    change: &Change,
    kind: Kind,
    id: &str,
    last: Option<&sent::Last>,
) -> Result<Sealable, DatabaseError> {
    let table = tables::table(&change.kind).filter(|table| table.own == Some(kind));
    let Some(table) = table else { return Ok(Sealable::Nothing) };
    if !lost::is_owed(connection, kind, change.key)? {
        return Ok(Sealable::Nothing);
    }
    let version = match last {
        Some(last) => last.version + 1,
        None => lost::version_above(connection, change.key)?,
    };
    Ok(match lost::as_published(connection, table, (id, change.key), last.is_none())? {
        None => Sealable::Nothing,
        Some(Err(finding)) => Sealable::Problem(finding),
        Some(Ok(body)) => {
            let (key, body) = (change.key, body.to_xml());
            Sealable::Version(Record { kind, key, version, form: Form::Live, body, signature: None })
        }
    })
}

/// The version of the record that `svod_record` says was sent; more than nothing only if what was sent is lost.
fn version_told(connection: &Connection, change: &Change) -> Result<u32, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT version FROM svod_record WHERE kind = ?1 AND key = ?2")?;
    let told = statement.query_row([&change.kind, &change.key.to_string()], |row| row.get(0)).optional()?;
    Ok(told.flatten().unwrap_or(0))
}

enum Current {
    Says(Vec<u8>),
    Unfit(Finding),
    Gone,
    /// The row of this id is locked.
    Hubs(String),
}

/// The bytes that the centre's own row of `change` stands for now, if it is fit.
pub(super) fn says(connection: &Connection, change: &Change) -> Result<Option<Vec<u8>>, DatabaseError> {
    Ok(match current_body(connection, change)? {
        Current::Says(bytes) => Some(bytes),
        Current::Unfit(_) | Current::Gone | Current::Hubs(_) => None,
    })
}

fn current_body(connection: &Connection, change: &Change) -> Result<Current, DatabaseError> {
    if change.kind == PROPOSALS {
        let mut statement = connection.prepare_cached("SELECT body FROM svod_proposal WHERE key = ?1")?;
        let body = statement.query_row([change.key.to_string()], |row| row.get(0)).optional()?;
        return Ok(body.map_or(Current::Gone, Current::Says));
    }
    let mut statement =
        connection.prepare_cached("SELECT id, state FROM svod_record WHERE kind = ?1 AND key = ?2")?;
    let place = statement
        .query_row([&change.kind, &change.key.to_string()], |row| {
            Ok((row.get::<_, RowId>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let (Some((id, state)), Some(table)) = (place, tables::table(&change.kind)) else {
        return Ok(Current::Gone);
    };
    let Some(id) = id.text() else {
        let is_there = rows::is_there(connection, table, &id)?;
        return Ok(if is_there { Current::Unfit(mapping::unreadable_id()) } else { Current::Gone });
    };
    if !State::from_word(&state).is_some_and(State::is_open) {
        return Ok(Current::Hubs(id.to_owned()));
    }
    Ok(match body_of_row(connection, table, id)? {
        None => Current::Gone,
        Some(Ok(body)) => Current::Says(body.to_xml()),
        Some(Err(finding)) => Current::Unfit(finding),
    })
}

/// `record` is being sent in `packet`, which stands at `position`: remembers it, and takes it out of the queue.
///
/// # Errors
/// SQLite's.
pub fn remember(
    connection: &Connection,
    change: &Change,
    record: &Record,
    hash: &Digest,
    position: Position,
    packet: &str,
) -> Result<(), DatabaseError> {
    let sha256 = hash.to_string();
    sent::keep(connection, record, &sha256, position, Kept::Alone)?;
    if record.form == Form::Tombstone {
        // of a row that went past the triggers; of any other it went with the row
        connection
            .prepare_cached(
                "DELETE FROM svod_record WHERE kind = ?1 AND key = ?2 AND state IN ('own', 'provisional')",
            )?
            .execute([&change.kind, &record.key.to_string()])?;
    } else if change.kind == PROPOSALS {
        connection
            .prepare_cached("UPDATE svod_proposal SET state = 'sent', packet = ?2 WHERE key = ?1")?
            .execute([&record.key.to_string(), packet])?;
    } else {
        connection
            .prepare_cached(
                "UPDATE svod_record SET version = ?3, form = ?4, sha256 = ?5, packet = ?6, state = ?7 \
                 WHERE kind = ?1 AND key = ?2 AND state IN ('own', 'provisional')",
            )?
            .execute(params![
                change.kind,
                record.key.to_string(),
                record.version,
                record.form.name(),
                sha256,
                packet,
                told_state(&change.kind).word()
            ])?;
    }
    forget(connection, change)
}

/// What was sent of `change` stands: a row that a REPLACE has put in the place of itself tells of it again.
///
/// # Errors
/// SQLite's.
pub fn note_sent(connection: &Connection, change: &Change) -> Result<(), DatabaseError> {
    let Some(kind) = change.wire_kind() else { return Ok(()) };
    let sql = "UPDATE svod_record SET (version, form, sha256, packet) = (SELECT version, form, sha256, (SELECT name FROM \
               svod_packet p WHERE p.direction = 'out' AND p.answers IS NULL AND p.epoch = s.epoch AND p.seq = s.seq) \
               FROM svod_sent s WHERE kind = ?3 AND key = ?2), state = ?4 \
               WHERE kind = ?1 AND key = ?2 AND state = 'own' AND version IS NULL \
               AND EXISTS (SELECT 1 FROM svod_sent WHERE kind = ?3 AND key = ?2 AND form = 'live')";
    let told = told_state(&change.kind).word();
    connection.prepare_cached(sql)?.execute([&change.kind, &change.key.to_string(), kind.name(), told])?;
    Ok(())
}

/// The state of a row of ours once the hub is told of it: a claim is provisional until the hub publishes what
/// it is (W3), the centre's own business is just that.
pub(super) fn told_state(table: &str) -> State {
    let claim =
        tables::table(table).is_some_and(|table| table.published.is_some() && table.published != table.own);
    if claim { State::Provisional } else { State::Own }
}

/// Takes `change` out of the queue.
///
/// # Errors
/// SQLite's.
pub fn forget(connection: &Connection, change: &Change) -> Result<(), DatabaseError> {
    connection
        .prepare_cached("DELETE FROM svod_change WHERE kind = ?1 AND key = ?2")?
        .execute([&change.kind, &change.key.to_string()])?;
    Ok(())
}

/// Says why `change` cannot be sent.
///
/// # Errors
/// SQLite's.
pub fn set_problem(connection: &Connection, change: &Change, problem: &str) -> Result<(), DatabaseError> {
    connection
        .prepare_cached("UPDATE svod_change SET problem = ?3 WHERE kind = ?1 AND key = ?2")?
        .execute([&change.kind, &change.key.to_string(), problem])?;
    Ok(())
}

/// Queues the record `key` of `table`, to be looked at before the next packet, unless it is queued.
pub(super) fn queue(connection: &Connection, table: &str, key: &str) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO svod_change (kind, key) SELECT ?1, ?2 WHERE NOT EXISTS \
               (SELECT 1 FROM svod_change WHERE kind = ?1 AND key = ?2)";
    connection.prepare_cached(sql)?.execute([table, key])?;
    Ok(())
}

/// Queues what the triggers cannot have seen while they were away: rows without a record, rows that say
/// something else than was sent; and claims of which what was sent is lost. Rows that are gone come back, or their end
/// is held ([`removals`]). Returns how many.
///
/// # Errors
/// SQLite's.
pub fn requeue_uncaptured(
    connection: &Connection,
    mut new_key: impl FnMut() -> RecordId,
) -> Result<usize, DatabaseError> {
    let mut queued = 0;
    for table in tables::tables().iter().filter(|table| table.own.is_some()) {
        let name = table.name;
        let mut orphans = connection.prepare(&format!(
            "SELECT id FROM {name} t WHERE NOT EXISTS (SELECT 1 FROM svod_record WHERE kind = '{name}' AND id = t.id)"
        ))?;
        let ids: Vec<RowId> = orphans.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for id in ids {
            connection.execute(
                "INSERT INTO svod_record (kind, id, key, state) VALUES (?1, ?2, ?3, 'own')",
                params![name, id, new_key().to_string()],
            )?;
        }
        queued += removals::bring_back(connection, table)?;
        // what was sent keeps its record until its end is sent, too: the row may be on its way back
        connection.execute(
            &format!(
                "DELETE FROM svod_record WHERE kind = ?1 AND state IN ('own', 'provisional') AND NOT EXISTS (SELECT 1 FROM \
                 {name} WHERE id = svod_record.id) AND NOT EXISTS (SELECT 1 FROM svod_sent s WHERE s.kind = ?2 \
                 AND s.key = svod_record.key AND s.form = 'live')"
            ),
            [name, table.own.map_or("", Kind::name)],
        )?;
        let mut open = connection
            .prepare("SELECT key FROM svod_record WHERE kind = ?1 AND state IN ('own', 'provisional')")?;
        let mut suspects: Vec<String> =
            open.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        suspects.extend(lost::linked_unnoted(connection, table)?);
        suspects.extend(lost::locked_bodiless(connection, table)?);
        for key in suspects {
            let change =
                Change { kind: name.to_owned(), key: rows::record_id("svod_record", &key)?, problem: None };
            if !matches!(look_at(connection, &change)?, Sealable::Nothing) {
                queue(connection, name, &key)?;
                queued += usize::from(connection.changes() > 0);
            }
        }
    }
    Ok(queued)
}
