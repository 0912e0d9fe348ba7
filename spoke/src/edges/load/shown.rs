//! What came of showing the hub's publications in the centre's rows: told.

use exchange_format::{participant::ParticipantCode, record::Kind};
use jiff::Timestamp;
use rusqlite::Connection;

use crate::{
    database::{
        book,
        showing::{Shown, Waits},
    },
    decisions::wishes::Decision,
    edges::{SpokeError, station::journal},
};

/// Edits that raced a lock, and wishes that a publication decides.
pub(super) fn tell_of_proposals(
    connection: &Connection,
    own: ParticipantCode,
    shown: &Shown,
    now: Timestamp,
) -> Result<(), SpokeError> {
    for raced in &shown.raced {
        let subject = format!("{} {}", raced.kind, raced.key);
        journal(connection, own, now, "proposal.made", &subject, "edit raced a lock", &[])?;
    }
    for (key, decision) in &shown.decided {
        let event = match decision {
            Decision::Accepted => "proposal.accepted",
            Decision::Declined => "proposal.declined",
        };
        journal(connection, own, now, event, &key.to_string(), "", &[])?;
    }
    Ok(())
}

/// A publication waits for as long as a row of the centre's own bears its number as id.
pub(super) fn tell_of_taken_rows(
    connection: &Connection,
    own: ParticipantCode,
    shown: &Shown,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let (code, detail) =
        ("ROW_TAKEN", "a row of the centre's own has the id of a publication, which waits for it");
    let place = |kind: Kind, key| format!("{} {key}", kind.schema().table.unwrap_or(kind.name()));
    for held in shown.held.iter().filter(|held| held.why == Waits::Row) {
        let subject = place(held.kind, held.key);
        book::open_incident(connection, code, &subject, detail, now)?;
        journal(connection, own, now, "incident.opened", &subject, code, &[])?;
    }
    for (kind, key) in &shown.released {
        let subject = place(*kind, *key);
        if book::close_incident(connection, code, &subject, detail, "shown", now)? {
            journal(connection, own, now, "incident.closed", &subject, code, &[])?;
        }
    }
    Ok(())
}
