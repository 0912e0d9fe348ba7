//! Whether the database is as the hub and we have left it, and putting it right (exchange §8, D10).

use exchange_format::{
    answer::RecordOutcome, file_name::FileName, participant::ParticipantCode, position::Digest,
    record::Record, signature::VerifyingKey, state_digest::StateDigest, stream,
};
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::{
    SpokeError, packet_file,
    station::{Station, is_signed, journal, new_key},
};
use crate::database::{
    book, publications, showing,
    verify::{self, Damage, Fault},
    write::{self, Scope},
};

/// What an audit found and did.
#[derive(Debug, Default, Serialize)]
pub struct Audit {
    /// Nothing was wrong.
    pub whole: bool,
    /// Publications checked.
    pub publications: u64,
    /// What was wrong when it was looked at.
    pub found: Vec<Damage>,
    /// What is still wrong, if it was to be put right.
    pub left: Vec<Damage>,
    /// Whether anything was put right.
    pub restored: bool,
}

/// Looks at the whole database. `marks` are those of the watermark file.
///
/// # Errors
/// SQLite's. What is found is no error.
pub fn look(
    connection: &Connection,
    own: ParticipantCode,
    hub: ParticipantCode,
    key: &VerifyingKey,
    marks: &stream::Watermark,
) -> Result<(Vec<Damage>, u64), SpokeError> {
    let stream = book::in_stream(connection, hub)?;
    let epoch = stream.machine.last.map(|mark| mark.position.epoch.get());
    let signed = |record: &Record| is_signed(key, own, record);
    let look = verify::look(connection, epoch, &signed)?;
    let mut damages = look.damages;
    let told: Option<StateDigest> = stream.told.and_then(|digest| digest.to_string().parse().ok());
    if told.is_some_and(|told| told != look.digest) {
        damages.push(Damage::new(Fault::DigestDiffers, "svod_publication", ""));
    }
    let database = stream::Watermark {
        sealed: book::out_stream(connection, hub)?.machine.last.map(|mark| mark.position),
        applied: stream.machine.last.map(|mark| mark.position),
    };
    if marks.judge(&database).is_some() {
        damages.push(Damage::new(Fault::BehindWatermark, "svod_stream", ""));
    }
    Ok((damages, look.publications))
}

/// Looks, and puts right what is wrong, with an entry in the journal and an incident.
///
/// # Errors
/// The database.
pub fn audit(station: &mut Station, restore: bool, now: Timestamp) -> Result<Audit, SpokeError> {
    let (own, hub, key, marks) = (station.own(), station.hub(), station.hub_key(), station.marks());
    let (found, publications) = look(&station.connection, own, hub, &key, &marks)?;
    let mut audit =
        Audit { whole: found.is_empty(), publications, left: found.clone(), found, restored: false };
    if audit.whole || !restore {
        return Ok(audit);
    }
    for damage in &audit.found {
        tracing::error!(fault = ?damage.fault, table = damage.table, "the database was altered");
    }
    let missing = |damage: &Damage| {
        matches!(damage.fault, Fault::DigestDiffers | Fault::PublicationForged | Fault::RecordForged)
    };
    let mut wrong = audit.found.clone();
    if wrong.iter().any(missing) {
        // What the hub has signed comes first: rows are then judged by it.
        read_again(station, now)?;
        wrong = look(&station.connection, own, hub, &key, &marks)?.0;
    }
    let (connection, _) = packet_file::apart(station);
    write::write(connection, Scope::Everything, |transaction| {
        verify::restore(transaction, &wrong, now, &mut new_key)?;
        write::restore_journal_triggers(transaction)?;
        for damage in &audit.found {
            let fault = fault_code(damage.fault);
            // A centre's own row ids may be anything; the journal takes a digest of them.
            let id = Digest::of(damage.id.as_bytes()).prefix();
            let place = format!("{} {id}", damage.table);
            journal(transaction, own, now, "database.restored", &place, &fault, &[])?;
            book::open_incident(transaction, "TAMPERED", &subject(damage), &fault, now)?;
        }
        Ok::<_, SpokeError>(())
    })?;
    audit.restored = true;
    audit.left = look(&station.connection, own, hub, &key, &marks)?.0;
    Ok(audit)
}

fn subject(damage: &Damage) -> String {
    format!("{} {}", damage.table, damage.id).trim_end().chars().take(90).collect()
}

/// The word of a fault, as in JSON.
pub fn fault_code(fault: Fault) -> String {
    serde_json::to_value(fault).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Takes what is missing, older or forged from the archived packets of the current epoch, which the hub has
/// signed. A packet that cannot be read is passed over: it is told when it is looked for.
fn read_again(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    let (own, hub, key) = (station.own(), station.hub(), station.hub_key());
    let Some(last) = book::in_stream(&station.connection, hub)?.machine.last else { return Ok(()) };
    let epoch = last.position.epoch;
    let files = book::received(&station.connection, hub, epoch, None)?;
    let paths: Vec<_> = files.iter().map(|file| station.file(&file.file)).collect();
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Everything, |transaction| {
        verify::rebuild_links(transaction)?;
        for (file, path) in files.iter().zip(&paths).filter(|(file, _)| file.state == "APPLIED") {
            let Ok(name) = file.name.parse::<FileName>() else { continue };
            let Ok(mut verified) = desk.open(path, &name) else { continue };
            let Ok(mut checked) = verified.check_members() else { continue };
            let manifest = checked.manifest().clone();
            for member in &manifest.members {
                let Some(kind) = member.name.kind().and_then(|name| name.parse().ok()) else { continue };
                checked.for_each_line::<SpokeError>(&member.name, |line| {
                    let Ok(record) = Record::parse_line(kind, line) else { return Ok(()) };
                    let known = publications::find(transaction, record.kind, record.key)?;
                    let good = known.as_ref().is_some_and(|known| {
                        known.record.version > record.version
                            || (known.record == record && known.outcome != RecordOutcome::Refused)
                    });
                    if !good && is_signed(&key, own, &record) {
                        publications::replace(transaction, &record, &file.name, epoch)?;
                    }
                    Ok(())
                })?;
            }
        }
        showing::show_pending(transaction, now, &mut new_key)?;
        Ok::<_, SpokeError>(())
    })
}
