//! Whether the database still says what the hub signed, and putting it right (exchange §8, D10).

use exchange_endpoint::journal_table::{self, CENTRE_TABLE};
use exchange_format::{
    answer::RecordOutcome,
    file_name::FileName,
    journal::{Entry, Tree},
    position::Mark,
    record::{Form, Kind, Record, RecordId},
    state_digest::StateDigest,
};
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use crate::decisions::{
    mapping,
    picture::{Picture, State},
    tables::{self, Table},
};

use super::{
    DatabaseError, bound, foreign, links,
    publications::{self, Publication, Unreadable},
    row_id::RowId,
    rows,
    showing::{self, superseded},
    standing::{ShownRow, standing, with_as_typed},
    sums::{SEALED, SUMMED, Sums},
    write,
};

/// What is wrong in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A trigger of ours is gone.
    TriggerMissing,
    /// A trigger of ours has another text.
    TriggerAltered,
    /// The bytes kept of a publication are not those that the hub signed.
    PublicationForged,
    /// A published row is not there.
    RowMissing,
    /// A published row, or one of its lines, says something else than the hub does.
    RowAltered,
    /// `svod_record` or `svod_link` says something else than follows from what the hub published.
    RecordAltered,
    /// `svod_record` calls a row the hub's that the hub never published.
    RecordForged,
    /// A row of the centre's that no trigger has seen.
    NotCaptured,
    /// Not the sum of everything that the hub has published: something is missing, or an older state is back.
    DigestDiffers,
    /// The database is behind the watermark file: an older copy was put back.
    BehindWatermark,
    /// What the centre keeps of what it sent, or of packets of either direction, is gone.
    EvidenceMissing,
    /// What the centre keeps of what it sent, or the sums over it, is not what the journal says.
    SentDiffers,
    /// Pages of the file are damaged.
    DatabaseDamaged,
    /// The journal is not as it was written.
    JournalAltered,
    /// The journal is shorter than the watermark file says.
    JournalCut,
    /// A table is gone or has another name.
    TableMissing,
    /// Columns of a table are gone or have other names.
    ColumnMissing,
    /// A table was made anew with another key, other types or conditions, or with a rowid.
    TableAltered,
    /// An index or a view is gone or another.
    IndexAltered,
    /// A unique index or constraint that is none of ours: a REPLACE by it would pass the locks.
    IndexForeign,
    /// An index by a collation or a function that only another program has: nobody else can write the table.
    IndexUnusable,
}

/// A fault and where it is. Ids only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Damage {
    /// What is wrong.
    pub fault: Fault,
    /// The table, the kind, or the trigger.
    pub table: String,
    /// The row, or the record's key; empty where it is about the whole.
    pub id: String,
    /// The columns, or the table of lines, that are not as they should be; empty where it is about the row.
    pub columns: Vec<String>,
}

impl Damage {
    /// A damage in one place.
    pub fn new(fault: Fault, table: impl Into<String>, id: impl Into<String>) -> Self {
        Self { fault, table: table.into(), id: id.into(), columns: Vec::new() }
    }

    /// The same, in these columns.
    #[must_use]
    pub fn of_columns(self, columns: Vec<String>) -> Self {
        Self { columns, ..self }
    }
}

/// What a look at the whole database found.
#[derive(Debug, Default)]
pub struct Look {
    /// What is wrong.
    pub damages: Vec<Damage>,
    /// Publications checked.
    pub publications: u64,
    /// The sum over them, to be compared with what the hub last said.
    pub digest: StateDigest,
    /// The sums over what was sent that the journal was told last, if it is sound in itself.
    pub sums: Option<Sums>,
    /// The last packet of our stream that the journal tells of, as far as it is sound.
    pub sealed: Option<Mark>,
    /// Its tree, cut to the length that the watermark knows; none if it is not sound.
    pub journal: Option<Tree>,
    /// The tables are such that nothing else could be looked at.
    pub blind: bool,
}

/// Looks at everything. `is_signed` says whether the hub's signature of a record holds, `epoch` is that of
/// the hub's stream, `journal_length` how long the journal is at least.
///
/// # Errors
/// SQLite's. What is found is no error.
pub fn look(
    connection: &Connection,
    epoch: Option<u16>,
    journal_length: u64,
    is_signed: &dyn Fn(&Record) -> bool,
) -> Result<Look, DatabaseError> {
    let mut look = Look { damages: super::shape::check(connection)?, ..Look::default() };
    for altered in write::altered_triggers(connection)? {
        let fault = if altered.missing { Fault::TriggerMissing } else { Fault::TriggerAltered };
        look.damages.push(Damage::new(fault, altered.name, ""));
    }
    if look.damages.iter().any(super::shape::blinds) {
        look.blind = true;
        return Ok(look);
    }
    publications::for_each::<DatabaseError>(connection, |publication| {
        look.publications += 1;
        let publication = match publication {
            Ok(publication) => publication,
            Err(Unreadable { kind, key }) => {
                look.damages.push(Damage::new(Fault::PublicationForged, kind, key));
                return Ok(());
            }
        };
        let record = &publication.record;
        let hash = record.hash();
        if Some(publication.epoch) == epoch
            && let Some(term) = record.term(&hash)
        {
            look.digest.add(&term);
        }
        // What was refused for its signature was never taken for the hub's.
        let refused = publication.outcome == RecordOutcome::Refused;
        if !refused && (!has_hash(connection, record)? || !is_signed(record)) {
            let damage = Damage::new(Fault::PublicationForged, record.kind.name(), record.key.to_string());
            look.damages.push(damage);
        } else if publication.outcome.is_plain() {
            check_shown(connection, &publication, &mut look.damages)?;
        }
        Ok(())
    })?;
    links::check(connection, &mut look.damages)?;
    foreign::check(connection, &mut look.damages)?;
    check_captured(connection, &mut look.damages)?;
    super::unseen::check(connection, &mut look.damages)?;
    bound::check(connection, &mut look.damages)?;
    read_journal(connection, journal_length, &mut look);
    look.damages.sort();
    look.damages.dedup();
    Ok(look)
}

fn read_journal(connection: &Connection, known: u64, look: &mut Look) {
    let (mut sums, mut tree) = (None, Tree::default());
    let sealed = &mut look.sealed;
    let read = journal_table::verify(connection, CENTRE_TABLE, |entry, leaf| {
        if entry.event == SUMMED {
            sums = Sums::from_digests(&entry.digests);
        } else if let Some(mark) = sealed_by(entry) {
            *sealed = Some(mark);
        }
        if tree.size() < known {
            tree.push(leaf);
        }
    });
    match read {
        Ok(_) => (look.sums, look.journal) = (sums, Some(tree)),
        Err(_) => look.damages.push(Damage::new(Fault::JournalAltered, CENTRE_TABLE, "")),
    }
}

/// The packet of our stream of whose sealing `entry` tells; of an answer or a request it names what that is about, too.
fn sealed_by(entry: &Entry) -> Option<Mark> {
    let [digest] = entry.digests.as_slice() else { return None };
    let name = (entry.event == SEALED).then(|| entry.subject.parse::<FileName>().ok()).flatten()?;
    name.kind.is_numbered().then_some(Mark { position: name.position, digest: *digest })
}

fn has_hash(connection: &Connection, record: &Record) -> Result<bool, DatabaseError> {
    let mut statement = connection
        .prepare_cached("SELECT sha256 IS ?3 FROM svod_publication WHERE kind = ?1 AND key = ?2")?;
    let (key, hash) = (record.key.to_string(), record.hash().to_string());
    Ok(statement.query_row([record.kind.name(), &key, &hash], |row| row.get(0))?)
}

/// What follows from `publication` for its rows, against what stands there.
fn check_shown(
    connection: &Connection,
    publication: &Publication,
    damages: &mut Vec<Damage>,
) -> Result<(), DatabaseError> {
    let record = &publication.record;
    let Some(table) = tables::table_of(record.kind).filter(|_| record.form != Form::Tombstone) else {
        return Ok(());
    };
    let uid = record.key.to_string();
    let there = is_known(connection, table, &uid)?;
    let Picture::Shown { primary, state, aliases } = standing(connection, table, publication, there)?.picture
    else {
        return Ok(());
    };
    if !there && primary == uid && superseded::is_superseded(connection, publication)? {
        return Ok(());
    }
    let Ok(body) = record.read_body() else {
        damages.push(Damage::new(Fault::PublicationForged, record.kind.name(), uid));
        return Ok(());
    };
    let Some(expected) = rows::resolve(connection, table, &mapping::row(table, &body))? else {
        damages.push(Damage::new(Fault::RecordAltered, table.name, primary));
        return Ok(());
    };
    let row = ShownRow { table, id: &primary, state, alias_of: None, publication };
    check_row(connection, &row, &expected, damages)?;
    for id in &aliases {
        let alias_of = Some(primary.as_str());
        let row = ShownRow { table, id, state: State::Alias, alias_of, publication };
        check_row(connection, &row, &expected, damages)?;
    }
    Ok(())
}

fn check_row(
    connection: &Connection,
    row: &ShownRow<'_>,
    expected: &mapping::Row,
    damages: &mut Vec<Damage>,
) -> Result<(), DatabaseError> {
    let (table, id) = (row.table, row.id);
    if !row.is_kept(connection)? {
        damages.push(Damage::new(Fault::RecordAltered, table.name, id));
    }
    let Some(stands) = rows::as_it_stands(connection, table, id)? else {
        damages.push(Damage::new(Fault::RowMissing, table.name, id));
        return Ok(());
    };
    let mut columns = differing(table, &stands, &with_as_typed(connection, table, id, expected)?);
    let uid = row.publication.record.key.to_string();
    if table.has_uid && rows::uid(connection, table, id)?.as_deref() != Some(&uid) {
        columns.push("uid".to_owned());
    }
    if !columns.is_empty() {
        damages.push(Damage::new(Fault::RowAltered, table.name, id).of_columns(columns));
    }
    Ok(())
}

/// The columns in which `row` is not as `expected`, with the table of lines for any of its lines.
fn differing(table: &Table, row: &mapping::Row, expected: &mapping::Row) -> Vec<String> {
    let pairs = table.columns.iter().zip(row.values.iter().zip(&expected.values));
    let columns = pairs.filter(|(_, (is, should))| is != should).map(|(column, _)| column.name.clone());
    let lines = table.lines.as_ref().filter(|_| row.lines != expected.lines);
    columns.chain(lines.map(|lines| lines.name.to_owned())).collect()
}

fn is_known(connection: &Connection, table: &Table, id: &str) -> Result<bool, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM svod_record WHERE kind = ?1 AND id = ?2)")?;
    Ok(statement.query_row([table.name, id], |row| row.get(0))?)
}

/// Rows that have no record, or a record that is none of this table's.
fn check_captured(connection: &Connection, damages: &mut Vec<Damage>) -> Result<(), DatabaseError> {
    for table in tables::tables() {
        let name = table.name;
        let mut statement = connection.prepare(&format!(
            "SELECT id FROM {name} t WHERE NOT EXISTS (SELECT 1 FROM svod_record WHERE kind = '{name}' AND id = t.id)"
        ))?;
        let found = statement.query_map([], |row| row.get::<_, RowId>(0))?;
        for id in found {
            // In a table that only the hub writes, such a row is somebody's invention.
            let fault = if table.own.is_some() { Fault::NotCaptured } else { Fault::RecordForged };
            damages.push(Damage::new(fault, name, id?.to_string()));
        }
        for column in table.hub_columns().into_iter().filter(|_| table.published.is_some()) {
            let mut statement = connection.prepare(&format!(
                "SELECT id FROM {name} WHERE \"{column}\" IS NOT NULL AND {}",
                is_open(name)
            ))?;
            for id in statement.query_map([], |row| row.get::<_, RowId>(0))? {
                let damage = Damage::new(Fault::RowAltered, name, id?.to_string());
                damages.push(damage.of_columns(vec![column.to_owned()]));
            }
        }
    }
    Ok(())
}

/// That the row of `table` is the centre's own, with a record or without.
fn is_open(table: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM svod_record WHERE kind = '{table}' AND id = {table}.id \
         AND state NOT IN ('own', 'provisional'))"
    )
}

/// A row that nobody has captured and that says, with its lines, no more than a locked one is that one under another id:
/// it goes. What only the hub gives stands in no row of the centre's own.
fn settle_own_rows(connection: &Connection) -> Result<(), DatabaseError> {
    for table in tables::tables().iter().filter(|table| table.own.is_some() && table.published.is_some()) {
        let name = table.name;
        let columns: Vec<&str> = table.all_columns().into_iter().filter(|column| *column != "id").collect();
        let same: Vec<String> = columns.iter().map(|c| format!("o.\"{c}\" IS {name}.\"{c}\"")).collect();
        let mut copies = connection.prepare(&format!(
            "SELECT {name}.id, o.id FROM {name} CROSS JOIN {name} o CROSS JOIN svod_record r WHERE NOT EXISTS (SELECT 1 FROM \
             svod_record WHERE kind = '{name}' AND id = {name}.id) AND {} AND r.kind = '{name}' AND r.id = o.id \
             AND r.state NOT IN ('own', 'provisional')",
            same.join(" AND ")
        ))?;
        let copies: Vec<(RowId, RowId)> =
            copies.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        for (id, of) in copies.iter().filter_map(|(id, of)| Some((id.text()?, of.text()?))) {
            let stands = |id: &str| rows::as_it_stands(connection, table, id);
            if let (Some(copy), Some(locked)) = (stands(id)?, stands(of)?)
                && copy.lines.iter().all(|line| locked.lines.contains(line))
            {
                rows::delete(connection, table, id)?;
            }
        }
        let hubs = table.hub_columns();
        if !hubs.is_empty() {
            let sets: Vec<String> = hubs.iter().map(|c| format!("\"{c}\" = NULL")).collect();
            let any: Vec<String> = hubs.iter().map(|c| format!("\"{c}\" IS NOT NULL")).collect();
            connection.execute(
                &format!(
                    "UPDATE {name} SET {} WHERE ({}) AND {}",
                    sets.join(", "),
                    any.join(" OR "),
                    is_open(name)
                ),
                [],
            )?;
        }
    }
    Ok(())
}

/// Puts right what can be put right from what the hub signed: triggers, rows, what `svod_record` says, rows
/// that nobody published. Call it inside a transaction with everything set aside; it creates no trigger,
/// the end of that transaction does.
///
/// # Errors
/// SQLite's.
pub fn restore(
    connection: &Connection,
    damages: &[Damage],
    now: Timestamp,
    new_key: &mut dyn FnMut() -> RecordId,
) -> Result<(), DatabaseError> {
    for damage in damages.iter().filter(|damage| damage.fault == Fault::RecordForged) {
        forget_forged(connection, damage, now, new_key)?;
    }
    links::rebuild(connection)?;
    foreign::give_back_keys(connection)?;
    connection
        .execute("UPDATE svod_publication SET pending = 0 WHERE pending = 1 AND outcome <> 'held'", [])?;
    let mut uids = std::collections::BTreeSet::new();
    for damage in damages {
        let Some(table) = tables::table(&damage.table).filter(|table| table.published.is_some()) else {
            continue;
        };
        uids.extend(uids_of(connection, table, &damage.id)?);
    }
    // Referents first: a programme is shown at the row of its person.
    for (kind, key) in uids {
        if let Some(publication) = publications::find(connection, kind, key)?
            && publication.outcome.is_plain()
        {
            showing::show_again(connection, &publication, now, new_key)?;
        }
    }
    showing::show_pending(connection, now, new_key)?;
    settle_own_rows(connection)?;
    let is_proven = |damage: &Damage| !(damage.fault == Fault::SentDiffers && damage.table == "svod_sent");
    super::lost::settle_notes(connection, damages.iter().all(is_proven))?;
    super::lost::do_without_bodies(connection)?;
    super::own_records::requeue_uncaptured(connection, new_key)?;
    Ok(())
}

/// Which publications row `id` of `table` may show: by its record, by its links, by its own id.
fn uids_of(connection: &Connection, table: &Table, id: &str) -> Result<Vec<(Kind, RecordId)>, DatabaseError> {
    let Some(kind) = table.published else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT uid FROM svod_record WHERE kind = ?1 AND id = ?2 AND uid IS NOT NULL UNION SELECT l.target FROM \
         svod_link l JOIN svod_record r ON r.key = l.claim WHERE r.kind = ?1 AND r.id = ?2 UNION SELECT key FROM \
         svod_publication WHERE kind = ?3 AND key = ?2",
    )?;
    let found = statement.query_map([table.name, id, kind.name()], |row| row.get::<_, String>(0))?;
    found.map(|uid| Ok((kind, rows::record_id("svod_record", &uid?)?))).collect()
}

/// Takes away what says, without the hub, that a row is the hub's. A row of which the centre has sent a claim
/// is the centre's again; one of a table that only the hub writes goes.
fn forget_forged(
    connection: &Connection,
    damage: &Damage,
    now: Timestamp,
    new_key: &mut dyn FnMut() -> RecordId,
) -> Result<(), DatabaseError> {
    let Some(table) = tables::table(&damage.table) else { return Ok(()) };
    if showing::give_back(connection, table, &damage.id, now, new_key)? {
        return Ok(());
    }
    connection.execute("DELETE FROM svod_record WHERE kind = ?1 AND id = ?2", [&damage.table, &damage.id])?;
    if table.own.is_none() {
        rows::delete(connection, table, &damage.id)?;
    }
    Ok(())
}
