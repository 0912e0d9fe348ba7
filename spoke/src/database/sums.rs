//! Sums over what was sent: what a damaged or edited database is found out by (exchange §4, D10).
//!
//! The stream states one of them to the hub; both stand in the journal after every packet.

use exchange_format::{
    position::Digest,
    record::{Form, Kind, Record, RecordId},
    state_digest::StateDigest,
};
use rusqlite::{Connection, Row};

use crate::decisions::tables;

use super::{DatabaseError, book::OutStream, sent};

/// The event of the journal whose digests are [`Sums::digests`].
pub const SUMMED: &str = "sent.summed";
/// The event of the journal that names a file that was sealed, and its digest.
pub const SEALED: &str = "packet.sealed";

/// The sums over everything that is kept as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Of what the current epoch has carried and has not ended: the state digest of our stream.
    pub state: StateDigest,
    /// Of every record that was ever sent, tombstones too, whatever its epoch.
    pub kept: StateDigest,
}

impl Sums {
    /// As `stream` has them.
    pub fn of(stream: &OutStream) -> Self {
        Self { state: stream.state, kept: stream.kept }
    }

    /// As they stand in the journal.
    pub fn digests(&self) -> [Digest; 2] {
        [self.state, self.kept].map(|sum| sum.to_string().parse().expect("a sum is written as a digest is"))
    }

    /// As an entry of the journal has them.
    pub fn from_digests(digests: &[Digest]) -> Option<Self> {
        let [state, kept] = digests else { return None };
        Some(Self { state: state.to_string().parse().ok()?, kept: kept.to_string().parse().ok()? })
    }

    fn add(&mut self, (kind, key, version, form, hash): &Said, is_of_epoch: bool) {
        let term = StateDigest::term(*kind, *key, *version, *form, hash);
        self.kept.add(&term);
        if is_of_epoch && *form != Form::Tombstone {
            self.state.add(&term);
        }
    }
}

type Said = (Kind, RecordId, u32, Form, Digest);

/// Columns kind, key, version, form, sha256; none if this program cannot have written them.
fn said(row: &Row<'_>) -> Option<Said> {
    let text = |at| row.get::<_, String>(at).ok();
    Some((
        text(0)?.parse().ok()?,
        text(1)?.parse().ok()?,
        row.get(2).ok()?,
        text(3)?.parse().ok()?,
        text(4)?.parse().ok()?,
    ))
}

/// The sums as they follow from what is kept. What cannot be read counts for nothing.
///
/// # Errors
/// SQLite's.
pub fn of_sent(connection: &Connection) -> Result<Sums, DatabaseError> {
    let mut statement = connection.prepare(
        "SELECT kind, key, version, form, sha256, epoch IS (SELECT epoch FROM svod_stream WHERE direction = 'out') \
         FROM svod_sent",
    )?;
    let mut found = statement.query([])?;
    let mut sums = Sums::default();
    while let Some(row) = found.next()? {
        if let Some(said) = said(row) {
            sums.add(&said, row.get(5)?);
        }
    }
    Ok(sums)
}

/// `sums` with those records of which only `svod_record` still tells what was sent.
///
/// # Errors
/// SQLite's.
pub fn with_told(connection: &Connection, mut sums: Sums) -> Result<Sums, DatabaseError> {
    for table in tables::tables() {
        let Some(kind) = table.own else { continue };
        let mut statement = connection.prepare(
            "SELECT ?2, key, version, form, sha256 FROM svod_record r WHERE kind = ?1 AND state IN ('own', 'provisional') \
             AND version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM svod_sent s WHERE s.kind = ?2 AND s.key = r.key)",
        )?;
        let mut found = statement.query([table.name, kind.name()])?;
        while let Some(row) = found.next()? {
            if let Some(said) = said(row) {
                sums.add(&said, true);
            }
        }
    }
    Ok(sums)
}

/// Adds a record's contribution to the sums of our stream, and takes its former one out.
///
/// # Errors
/// SQLite's.
pub fn account(
    connection: &Connection,
    stream: &mut OutStream,
    record: &Record,
    hash: &Digest,
) -> Result<(), DatabaseError> {
    if let Some(last) = sent::last(connection, record.kind, record.key)? {
        let term = StateDigest::term(record.kind, record.key, last.version, last.form, &last.hash);
        stream.kept.remove(&term);
        if last.form != Form::Tombstone && last.is_of_epoch {
            stream.state.remove(&term);
        }
    }
    stream.kept.add(&StateDigest::term(record.kind, record.key, record.version, record.form, hash));
    if let Some(term) = record.term(hash) {
        stream.state.add(&term);
    }
    Ok(())
}
