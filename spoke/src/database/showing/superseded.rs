//! What the hub withdrew because a claim of this centre had been taken for somebody else (`supersedes` of a link): it was
//! never this centre's, so no row of it stays, unless the centre has attached something to it.

use std::{collections::BTreeSet, mem};

use exchange_format::record::{Body, Form, Kind, RecordId, Type};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{Publication, Show, Shown, find, read_body};
use crate::{
    database::{DatabaseError, bound, rows},
    decisions::tables::{self, Table},
};

/// Takes the rows of what is superseded away, what refers to others first.
pub(super) fn sweep(
    connection: &Connection,
    now: Timestamp,
    new_key: &mut dyn FnMut() -> RecordId,
    shown: &mut Shown,
) -> Result<(), DatabaseError> {
    let mut left = mem::take(&mut shown.left);
    left.sort_unstable();
    left.dedup();
    for (kind, key) in left.into_iter().rev() {
        let (Some(table), Some(publication)) = (tables::table_of(kind), find(connection, kind, key)?) else {
            continue;
        };
        if is_superseded(connection, &publication)? {
            Show { connection, restoring: false, now, new_key, shown }.end_uid_row(table, &publication)?;
        }
    }
    Ok(())
}

/// Whether `publication` was withdrawn since a claim of this centre is another record, or because of whom it is about.
pub fn is_superseded(connection: &Connection, publication: &Publication) -> Result<bool, DatabaseError> {
    let record = &publication.record;
    if record.form != Form::Withdrawn {
        return Ok(false);
    }
    if is_named(connection, record.key)? {
        return Ok(true);
    }
    for (kinds, key) in references(&read_body(record)?) {
        for kind in kinds {
            let referent = find(connection, *kind, key)?;
            if let Some(referent) = referent
                && is_superseded(connection, &referent)?
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn references(body: &Body) -> Vec<(&'static [Kind], RecordId)> {
    let stated = body.head().iter().filter_map(|(field, text)| match field.ty {
        Type::Reference(kinds) => Some((kinds, text?.parse().ok()?)),
        _ => None,
    });
    stated.collect()
}

/// Whether a link of this centre says that it supersedes `key`.
fn is_named(connection: &Connection, key: RecordId) -> Result<bool, DatabaseError> {
    // it is the last field of a link: whatever stands after it is named by it
    let sql = "SELECT EXISTS (SELECT 1 FROM svod_publication WHERE kind = 'link' AND form = 'live'
                 AND instr(bytes, ?1) AND instr(substr(bytes, instr(bytes, ?1)), ?2))";
    let named = ("<supersedes>".as_bytes(), key.to_string().into_bytes());
    Ok(connection.prepare_cached(sql)?.query_row(named, |row| row.get(0))?)
}

impl Show<'_> {
    /// Which of `rows` show another record than `uid` by now: what names that one there is none of this one's.
    pub(super) fn taken_over<'a>(
        &self,
        table: &Table,
        rows: impl Iterator<Item = &'a String>,
        uid: &str,
    ) -> Result<BTreeSet<&'a str>, DatabaseError> {
        let mut taken = BTreeSet::new();
        for id in rows {
            if self.uid_of(table, id)?.is_some_and(|former| former != uid) {
                taken.insert(id.as_str());
            }
        }
        Ok(taken)
    }

    /// The hub has ended what row `id = uid` shows: it goes, unless something of the centre's points to it.
    pub(super) fn end_uid_row(
        &mut self,
        table: &'static Table,
        publication: &Publication,
    ) -> Result<(), DatabaseError> {
        let uid = publication.record.key.to_string();
        self.note(table, &uid, &uid)?;
        if rows::is_referred_to(self.connection, table, &uid)? {
            self.connection
                .prepare_cached("UPDATE svod_record SET state = 'withdrawn' WHERE kind = ?1 AND id = ?2")?
                .execute([table.name, &uid])?;
            return Ok(());
        }
        if let Some((key, false)) = self.key_and_openness(table, &uid)? {
            bound::term(table.name, &uid, &key.to_string()).inspect(|term| self.shown.bound.remove(term));
        }
        rows::delete(self.connection, table, &uid)?;
        self.connection
            .prepare_cached("DELETE FROM svod_record WHERE kind = ?1 AND id = ?2")?
            .execute([table.name, &uid])?;
        Ok(())
    }
}
