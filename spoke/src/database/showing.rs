//! Making the rows show what the hub has published (exchange §1, §8). [`superseded`]: what it took back as a mistake goes;
//! [`raced`]: an edit that came between stays, as a proposal.

mod raced;
pub(super) mod superseded;

use std::{collections::BTreeSet, iter};

use exchange_format::{
    answer::{RecordOutcome, RecordReason},
    record::{Form, Kind, Record, RecordId},
    state_digest::StateDigest,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::decisions::{
    mapping,
    picture::{Picture, State},
    tables,
    tables::Table,
    wishes::Decision,
};

use super::{
    DatabaseError, bound, exported, own_records, proposals,
    publications::{self, COLUMNS, Publication, find, read, read_body},
    row_id::RowId,
    rows,
    standing::{ShownRow, Standing, standing, with_as_typed},
};

pub use raced::Raced;

/// A record that waits for another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its kind on the wire.
    pub kind: Kind,
    /// Its key.
    pub key: RecordId,
    /// Its version.
    pub version: u32,
    /// The packet that brought it.
    pub packet: String,
    /// What it would have been had it been shown.
    pub instead_of: RecordOutcome,
    /// Why it waits.
    pub why: Waits,
}

/// Why a publication waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// For a record that it refers to.
    Referent,
    /// For a row of the centre's own, which bears its number as id, to go or to get another id: nobody's
    /// row is written over.
    Row,
}

impl Waits {
    /// The last word of the rule and the reason, as in a PR.
    pub const fn why(self) -> (&'static str, RecordReason) {
        match self {
            Self::Referent => ("reference", RecordReason::DanglingRef),
            Self::Row => ("row", RecordReason::Invalid),
        }
    }
}

/// What showing did besides.
#[derive(Debug, Default)]
pub struct Shown {
    /// Edits that raced a lock.
    pub raced: Vec<Raced>,
    /// Records that wait for another one.
    pub held: Vec<Held>,
    /// Records that had waited and are shown now.
    pub released: Vec<(Kind, RecordId)>,
    /// Proposals that the hub's publications decide.
    pub decided: Vec<(RecordId, Decision)>,
    /// What the sum of [`bound`]s has grown by.
    pub bound: StateDigest,
    /// What was withdrawn and stands in a row that none of the centre's claims is.
    left: Vec<(Kind, RecordId)>,
}

/// Makes the rows show everything that is pending, and whatever was held and can be shown now.
///
/// # Errors
/// SQLite's.
pub fn show_pending(
    connection: &Connection,
    now: Timestamp,
    new_key: &mut dyn FnMut() -> RecordId,
) -> Result<Shown, DatabaseError> {
    let mut shown = Shown::default();
    show_waiting(connection, "pending = 1", now, new_key, &mut shown)?;
    // Held ones may wait for one another: as long as one comes free, look again.
    loop {
        let before = shown.released.len();
        show_waiting(connection, "outcome = 'held'", now, new_key, &mut shown)?;
        // Showing a person may have made others wait to be shown anew.
        show_waiting(connection, "pending = 1", now, new_key, &mut shown)?;
        if shown.released.len() == before {
            superseded::sweep(connection, now, new_key, &mut shown)?;
            shown.decided = proposals::decide(connection)?;
            return Ok(shown);
        }
    }
}

fn show_waiting(
    connection: &Connection,
    which: &str,
    now: Timestamp,
    new_key: &mut dyn FnMut() -> RecordId,
    shown: &mut Shown,
) -> Result<(), DatabaseError> {
    // Without the name of the index SQLite walks the whole kind.
    let index =
        if which.starts_with("pending") { "svod_publication_pending" } else { "svod_publication_held" };
    let sql = format!(
        "SELECT {COLUMNS} FROM svod_publication INDEXED BY {index} WHERE kind = ?1 AND {which} AND key > ?2 \
         ORDER BY key LIMIT 500"
    );
    let kinds = Kind::ALL.into_iter().filter(|kind| kind.owner().hub_publishes());
    // in the format's order: referents before what refers to them
    for kind in kinds {
        let mut after = String::new();
        loop {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query([kind.name(), &after])?;
            let mut chunk = Vec::new();
            while let Some(row) = found.next()? {
                chunk.push(read(row)?);
            }
            let Some(last) = chunk.last() else { break };
            after = last.record.key.to_string();
            for publication in &chunk {
                show_one(connection, publication, now, new_key, shown)?;
            }
        }
    }
    Ok(())
}

fn show_one(
    connection: &Connection,
    publication: &Publication,
    now: Timestamp,
    new_key: &mut dyn FnMut() -> RecordId,
    shown: &mut Shown,
) -> Result<(), DatabaseError> {
    let record = &publication.record;
    let was_held = publication.outcome == RecordOutcome::Held;
    let mut show = Show { connection, restoring: false, now, new_key, shown };
    let waits = match record.kind {
        Kind::Link => show.link(record)?,
        _ => show.publication(publication)?,
    };
    let word = match (waits, was_held) {
        (None, true) => {
            shown.released.push((record.kind, record.key));
            RecordOutcome::Changed
        }
        (None, false) => publication.outcome,
        (Some(why), _) => {
            if !was_held {
                shown.held.push(Held {
                    kind: record.kind,
                    key: record.key,
                    version: record.version,
                    packet: publication.packet.clone(),
                    instead_of: publication.outcome,
                    why,
                });
            }
            RecordOutcome::Held
        }
    };
    let why = waits.map(Waits::why);
    connection
        .prepare_cached(
            "UPDATE svod_publication SET pending = 0, outcome = ?3, rule = ?4, reason = ?5 WHERE kind = ?1 AND key = ?2",
        )?
        .execute(params![
            record.kind.name(),
            record.key.to_string(),
            word.word(),
            why.map(|(word, _)| publications::rule(record.kind, word)),
            why.map(|(_, reason)| reason.code())
        ])?;
    Ok(())
}

/// Makes the rows show the publication `key` of `kind` as it is kept: how verification restores them.
///
/// # Errors
/// SQLite's.
pub fn show_again(
    connection: &Connection,
    publication: &Publication,
    now: Timestamp,
    new_key: &mut dyn FnMut() -> RecordId,
) -> Result<(), DatabaseError> {
    let shown = &mut Shown::default();
    Show { connection, restoring: true, now, new_key, shown }.publication(publication)?;
    Ok(())
}

/// Makes row `id` say again what the centre last sent of it. False if nothing was sent, so that it is not the
/// centre's claim.
///
/// # Errors
/// SQLite's.
pub fn give_back(
    connection: &Connection,
    table: &'static Table,
    id: &str,
    now: Timestamp,
    new_key: &mut dyn FnMut() -> RecordId,
) -> Result<bool, DatabaseError> {
    let shown = &mut Shown::default();
    Show { connection, restoring: true, now, new_key, shown }.back_to_own(table, id)
}

/// The kind of claim that may be linked to a publication of `kind`.
fn claim_kind(kind: Kind) -> Option<Kind> {
    tables::table_of(kind)?.own
}

struct Show<'a> {
    connection: &'a Connection,
    /// What stands in the rows was put there past the locks: it is nobody's wish.
    restoring: bool,
    now: Timestamp,
    new_key: &'a mut dyn FnMut() -> RecordId,
    shown: &'a mut Shown,
}

impl Show<'_> {
    /// A link is shown by what it links to; if that was shown without it, it is shown again.
    fn link(&mut self, record: &Record) -> Result<Option<Waits>, DatabaseError> {
        if record.form == Form::Tombstone {
            self.unlink(record.key)?;
            return Ok(None);
        }
        let body = read_body(record)?;
        let target = rows::record_id("svod_publication", body.text("target").unwrap_or_default())?;
        let kinds = [Kind::Person, Kind::Programme, Kind::Supplement];
        let claimed = body.text("claim_kind").unwrap_or_default();
        let Some(kind) =
            kinds.into_iter().find(|kind| claim_kind(*kind).is_some_and(|k| k.name() == claimed))
        else {
            return Ok(Some(Waits::Referent));
        };
        match find(self.connection, kind, target)? {
            Some(publication) if publication.outcome != RecordOutcome::Refused => {
                self.publication(&publication)
            }
            _ => Ok(Some(Waits::Referent)),
        }
    }

    /// The claim is no part of anything any more: its row says again what the centre last sent.
    fn unlink(&mut self, claim: RecordId) -> Result<(), DatabaseError> {
        for table in tables::tables().iter().filter(|table| table.published.is_some()) {
            let mut statement = self.connection.prepare_cached(
                "SELECT id FROM svod_record WHERE kind = ?1 AND key = ?2 AND state NOT IN ('own', 'provisional')",
            )?;
            let id: Option<RowId> =
                statement.query_row([table.name, &claim.to_string()], |row| row.get(0)).optional()?;
            if let Some(id) = id.and_then(RowId::into_text) {
                self.back_to_own(table, &id)?;
            }
        }
        Ok(())
    }

    /// Makes the rows show `publication`, or says what it waits for.
    fn publication(&mut self, publication: &Publication) -> Result<Option<Waits>, DatabaseError> {
        let record = &publication.record;
        let Some(table) = tables::table_of(record.kind) else { return Ok(None) };
        let uid = record.key.to_string();
        let there = rows::as_it_stands(self.connection, table, &uid)?.is_some();
        let before = self.showing(table, &uid)?;
        let Standing { picture, is_taken } = standing(self.connection, table, publication, there)?;
        let (primary, state, aliases) = match picture {
            Picture::Ended { back_to_own } => {
                for id in back_to_own {
                    self.back_to_own(table, &id)?;
                }
                if there && !is_taken {
                    self.end_uid_row(table, publication)?;
                }
                return Ok(None);
            }
            Picture::Shown { primary, state, aliases } => (primary, state, aliases),
        };
        // What was shown there before, and only that is restored, was the hub's.
        if is_taken && primary == uid && !self.restoring {
            return Ok(Some(Waits::Row));
        }
        let row = mapping::row(table, &read_body(record)?);
        let Some(row) = rows::resolve(self.connection, table, &row)? else {
            return Ok(Some(Waits::Referent));
        };
        let taken_over = self.taken_over(table, iter::once(&primary).chain(&aliases), &uid)?;
        self.put(table, &ShownRow { table, id: &primary, state, alias_of: None, publication }, &row)?;
        for id in &aliases {
            let (state, alias_of) = (State::Alias, Some(primary.as_str()));
            self.put(table, &ShownRow { table, id, state, alias_of, publication }, &row)?;
        }
        publications::show_referrers_again(self.connection, table, &taken_over)?;
        if state == State::Withdrawn && primary == uid {
            self.shown.left.push((record.kind, record.key));
        }
        let shown = |id: &String| *id == primary || aliases.contains(id);
        for (id, _) in before.iter().filter(|(id, _)| !shown(id)) {
            self.release(table, id, &uid)?;
        }
        // what named the person stands at the row that was the first; that may show somebody else already, and an alias alone be left
        let first = before.first().map(|(id, alias_of)| alias_of.as_ref().unwrap_or(id));
        if first.is_none_or(|former| *former == primary) {
            return Ok(None);
        }
        let named: BTreeSet<&str> =
            before.iter().flat_map(|(id, of)| [Some(&**id), of.as_deref()]).flatten().collect();
        publications::show_referrers_again(self.connection, table, &named)?;
        Ok(None)
    }

    /// Rows that show `uid` now, the primary one first, each with the row that it is an alias of.
    fn showing(&self, table: &Table, uid: &str) -> Result<Vec<(String, Option<String>)>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, alias_of FROM svod_record WHERE +kind = ?1 AND uid = ?2 ORDER BY state = 'alias', id",
        )?;
        let found = statement.query_map([table.name, uid], |row| {
            let of: Option<RowId> = row.get(1)?;
            Ok((row.get::<_, RowId>(0)?, of.and_then(RowId::into_text)))
        })?;
        let readable = |(id, of): (RowId, _)| Some((id.into_text()?, of));
        Ok(found.filter_map(|row| row.map(readable).transpose()).collect::<Result<_, _>>()?)
    }

    /// Makes the row `shown` say `row`; an edit of it that was never sent becomes a proposal.
    fn put(
        &mut self,
        table: &'static Table,
        shown: &ShownRow<'_>,
        row: &mapping::Row,
    ) -> Result<(), DatabaseError> {
        let (id, record) = (shown.id, &shown.publication.record);
        if let Some((key, true)) = self.key_and_openness(table, id)? {
            self.save_raced_edit(table, record, id, key)?;
            bound::term(table.name, id, &key.to_string()).inspect(|term| self.shown.bound.add(term));
        }
        let uid = record.key.to_string();
        let row = with_as_typed(self.connection, table, id, row)?;
        rows::write(self.connection, table, id, Some(&uid), &row)?;
        shown.keep(self.connection)?;
        self.note(table, id, &uid)
    }

    /// Row `id`, which shows or showed `uid`, has changed; what is only restored has not.
    fn note(&self, table: &Table, id: &str, uid: &str) -> Result<(), DatabaseError> {
        if self.restoring { Ok(()) } else { exported::note(self.connection, table.name, id, uid) }
    }

    fn key_and_openness(&self, table: &Table, id: &str) -> Result<Option<(RecordId, bool)>, DatabaseError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT key, state FROM svod_record WHERE kind = ?1 AND id = ?2")?;
        let found = statement
            .query_row([table.name, id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        found
            .map(|(key, state)| {
                let open = State::from_word(&state).is_some_and(State::is_open);
                Ok((rows::record_id("svod_record", &key)?, open))
            })
            .transpose()
    }

    /// Row `id` showed `uid` and does so no longer. If its claim is part of another publication, that one's
    /// turn comes or was; else it is the centre's again.
    fn release(&mut self, table: &'static Table, id: &str, uid: &str) -> Result<(), DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM svod_record r JOIN svod_link l ON l.claim = r.key WHERE r.kind = ?1 \
             AND r.id = ?2 AND l.target <> ?3)",
        )?;
        let moved: bool = statement.query_row([table.name, id, uid], |row| row.get(0))?;
        if !moved {
            self.back_to_own(table, id)?;
        }
        Ok(())
    }

    /// Row `id` says again what the centre last sent of it, which is queued where that names a row that is gone. False if it sent
    /// nothing.
    fn back_to_own(&mut self, table: &'static Table, id: &str) -> Result<bool, DatabaseError> {
        let (Some(kind), Some((key, false))) = (table.own, self.key_and_openness(table, id)?) else {
            return Ok(false);
        };
        let sent = own_records::sent(self.connection, kind, key)?;
        let Some(sent) = sent.filter(|sent| sent.record.form == Form::Live) else { return Ok(false) };
        if let Some(uid) = self.uid_of(table, id)? {
            self.note(table, id, &uid)?;
        }
        let claim = mapping::row(table, &read_body(&sent.record)?);
        let (row, names_gone) = rows::resolve_over(self.connection, table, id, &claim)?;
        rows::write(self.connection, table, id, None, &row)?;
        if names_gone {
            own_records::queue(self.connection, table.name, &key.to_string())?;
        }
        bound::term(table.name, id, &key.to_string()).inspect(|term| self.shown.bound.remove(term));
        self.connection
            .prepare_cached(
                "UPDATE svod_record SET state = 'own', alias_of = NULL, uid = NULL, version = ?3, form = ?4, \
                 sha256 = ?5, hub_bytes = NULL, hub_signature = NULL, packet = ?6, epoch = NULL \
                 WHERE kind = ?1 AND id = ?2",
            )?
            .execute(params![
                table.name,
                id,
                sent.record.version,
                sent.record.form.name(),
                sent.record.hash().to_string(),
                sent.packet
            ])?;
        Ok(true)
    }

    /// The published record that row `id` shows.
    fn uid_of(&self, table: &Table, id: &str) -> Result<Option<String>, DatabaseError> {
        let sql = "SELECT uid FROM svod_record WHERE kind = ?1 AND id = ?2";
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row([table.name, id], |row| row.get(0))
            .optional()?
            .flatten())
    }
}
