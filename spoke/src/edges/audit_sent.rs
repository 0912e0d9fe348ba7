//! What is kept of what was sent, against what the journal tells of it; and what follows where the two are of different moments
//! (exchange §7, D10).

use exchange_format::position::Mark;
use rusqlite::Connection;

use super::SpokeError;
use crate::database::{
    book::OutStream,
    sums::{self, Sums},
    verify::{Damage, Fault},
};

/// The table of what was sent.
pub(super) const SENT: &str = "svod_sent";
/// The table of the two streams.
const STREAM: &str = "svod_stream";
/// The column of the stream's last packet.
const LAST: &str = "digest";

/// What the journal tells, if it is sound and whole.
pub(super) struct Told {
    /// The sums over what was sent.
    pub(super) sums: Option<Sums>,
    /// Our last packet.
    pub(super) sealed: Option<Mark>,
}

/// What is kept of what was sent, and how far our stream is, against the journal; without that, against what the stream says.
pub(super) fn check(
    connection: &Connection,
    out: &OutStream,
    journal: Option<&Told>,
) -> Result<Vec<Damage>, SpokeError> {
    let mut damages = Vec::new();
    let differs = |one: &Sums, other: &Sums| -> Vec<String> {
        let pairs = [("state_digest", one.state == other.state), ("kept_digest", one.kept == other.kept)];
        pairs.into_iter().filter(|(_, same)| !same).map(|(name, _)| name.to_owned()).collect()
    };
    let (stated, kept) = (Sums::of(out), sums::of_sent(connection)?);
    let proven = journal.and_then(|told| told.sums).unwrap_or(stated);
    let mut columns = differs(&stated, &proven);
    if journal.is_some_and(|told| told.sealed != out.machine.last) {
        columns.push(LAST.to_owned());
    }
    if !columns.is_empty() {
        damages.push(Damage::new(Fault::SentDiffers, STREAM, "").of_columns(columns));
    }
    // what svod_record still tells of is told row by row
    let columns = differs(&kept, &proven);
    if !columns.is_empty() && sums::with_told(connection, kept)? != proven {
        damages.push(Damage::new(Fault::SentDiffers, SENT, "").of_columns(columns));
    }
    Ok(damages)
}

fn has(damage: &Damage, table: &str, column: &str) -> bool {
    damage.fault == Fault::SentDiffers
        && damage.table == table
        && damage.columns.iter().any(|one| one == column)
}

/// Whether the stream and the journal end with different packets: they are written together, so these are tables of two moments.
fn is_of_two_moments(damage: &Damage) -> bool {
    has(damage, STREAM, LAST)
}

/// Whether by `damage` nobody can say what the hub has of us: only the whole can be told.
fn is_unprovable(damage: &Damage) -> bool {
    has(damage, SENT, "state_digest")
}

/// Whether `damage` names a record of which what was sent is lost or altered.
fn is_of_a_record(damage: &Damage) -> bool {
    match damage.fault {
        Fault::EvidenceMissing => damage.table == SENT,
        Fault::RecordAltered => true,
        _ => false,
    }
}

/// Whether `damage` is of what is only written on: whoever has altered a record has no part in it, an older copy has.
fn is_of_history(damage: &Damage) -> bool {
    match damage.fault {
        Fault::JournalAltered | Fault::JournalCut => true,
        Fault::EvidenceMissing => damage.table == "svod_packet",
        _ => false,
    }
}

/// What becomes of a centre that has `found` this of what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What is wrong is put right from what is proven.
    Proven,
    /// Everything is told anew: each record of which it cannot be said what was sent of it is still there.
    SayAllAgain,
    /// No row shows what is gone, or the tables are of two moments. To say all again without it would be to take it back,
    /// and the hub has it: the hub is asked.
    Gone,
}

/// What follows from `found`.
pub(super) fn judge(found: &[Damage]) -> Outcome {
    if found.iter().any(is_of_two_moments) {
        Outcome::Gone
    } else if !found.iter().any(is_unprovable) {
        Outcome::Proven
    } else if found.iter().any(is_of_a_record) && !found.iter().any(is_of_history) {
        Outcome::SayAllAgain
    } else {
        Outcome::Gone
    }
}
