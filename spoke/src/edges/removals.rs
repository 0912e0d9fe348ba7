//! Most of a table gone at once: held, and told until the rows are back or a person confirms it (docs/adr/0013).

use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError,
    audit::{TAMPERED, fault_code},
    station::journal,
};
use crate::database::{
    book,
    removals::{self, Weighed},
    report,
    verify::Fault,
};

const CODE: &str = "MANY_GONE";
const DETAIL: &str =
    "most of the table is gone; nothing of it is sent until the rows are back or a person confirms it";

/// Holds what is to be held before anything is sent, and opens and closes the incidents. True if that changes anything.
pub(super) fn hold(
    connection: &Connection,
    own: ParticipantCode,
    now: Timestamp,
) -> Result<bool, SpokeError> {
    let Weighed { held, mut changed } = removals::weigh(connection)?;
    for table in &held {
        if book::open_incident(connection, CODE, table, DETAIL, now)? {
            tracing::error!(table, "most of the table is gone; nothing of it is sent");
            journal(connection, own, now, "incident.opened", table, CODE, &[])?;
            changed = true;
        }
    }
    for one in report::incidents(connection)? {
        if one.code == CODE && !held.contains(&one.subject.as_str()) {
            book::close_incident(connection, CODE, &one.subject, DETAIL, "decided", now)?;
            journal(connection, own, now, "incident.closed", &one.subject, CODE, &[])?;
            changed = true;
        }
    }
    Ok(changed)
}

/// The same, if the end of a record that no trigger saw waits for a person's word.
pub(super) fn hold_unseen(
    connection: &Connection,
    own: ParticipantCode,
    now: Timestamp,
) -> Result<(), SpokeError> {
    if removals::waits_unseen_anywhere(connection)? {
        hold(connection, own, now)?;
    }
    Ok(())
}

/// What a person has decided of the removals of `table`.
///
/// # Errors
/// The database's.
pub fn decided(
    connection: &Connection,
    own: ParticipantCode,
    table: &str,
    event: &str,
    now: Timestamp,
) -> Result<(), SpokeError> {
    book::close_incident(connection, CODE, table, DETAIL, "decided", now)?;
    journal(connection, own, now, event, table, CODE, &[])?;
    // what a look has found of these rows waited for this word
    let unseen = fault_code(Fault::NotCaptured);
    for one in report::incidents(connection)? {
        if one.code == TAMPERED && one.detail == unseen && one.subject.split(' ').next() == Some(table) {
            book::close_incident(connection, TAMPERED, &one.subject, &unseen, "decided", now)?;
            journal(connection, own, now, "incident.closed", &one.subject, TAMPERED, &[])?;
        }
    }
    Ok(())
}
