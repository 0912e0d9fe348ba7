//! What was held when the program last ended: applied if its turn has come, forgotten if its file is gone
//! (exchange §6).

use exchange_format::{
    participant::ParticipantCode,
    stream::{Arrival, Facts, Ready, Verdict},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError, load, packet_file,
    station::{Station, journal},
};
use crate::database::{
    book,
    write::{self, Scope},
};

/// What was held when the program last ended and is ready: the packet was archived, not yet applied. Returns
/// how many records were applied.
///
/// # Errors
/// The database or the disk.
pub fn resume(station: &mut Station, now: Timestamp) -> Result<u64, SpokeError> {
    forget_lost(station, now)?;
    let mut records = 0;
    // Each load consumes what was ready, so this ends.
    while let Some(ready) = ready_held(&station.connection, station.hub())? {
        records += load::load(station, ready, now)?.records;
    }
    let hub = station.hub();
    if let Some(last) = book::in_stream(&station.connection, hub)?.machine.last
        && !book::held_before(&station.connection, hub, last.position.epoch)?.is_empty()
    {
        let (connection, desk) = packet_file::apart(station);
        write::write(connection, Scope::Book, |transaction| {
            load::put_aside(transaction, &desk, last.position.epoch, now)
        })?;
    }
    Ok(records)
}

/// The first of the held packets that is ready, of whatever epoch.
fn ready_held(connection: &Connection, hub: ParticipantCode) -> Result<Option<Ready>, SpokeError> {
    let machine = book::in_stream(connection, hub)?.machine;
    for epoch in book::held_epochs(connection, hub)? {
        let held = book::received(connection, hub, epoch, None)?;
        let held: Vec<Arrival> =
            held.iter().filter(|file| file.state == "HELD").map(|file| file.arrival).collect();
        for (n, arrival) in held.iter().enumerate() {
            let parts: Vec<Arrival> = held
                .iter()
                .enumerate()
                .filter(|(m, other)| *m != n && other.part.is_some())
                .map(|(_, other)| *other)
                .collect();
            let facts = Facts { known: false, other: None, parts: &parts };
            if let Verdict::Ready(ready) = machine.judge(arrival, &facts) {
                return Ok(Some(ready));
            }
        }
    }
    Ok(None)
}

/// A held packet whose file is gone from the archive is forgotten: the hub keeps it in `out` until it is
/// applied, so it is brought again.
fn forget_lost(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    let (own, hub) = (station.own(), station.hub());
    let mut lost = Vec::new();
    for epoch in book::held_epochs(&station.connection, hub)? {
        let files = book::received(&station.connection, hub, epoch, None)?;
        lost.extend(
            files.into_iter().filter(|file| file.state == "HELD" && !station.file(&file.file).exists()),
        );
    }
    if lost.is_empty() {
        return Ok(());
    }
    write::write(&mut station.connection, Scope::Book, |transaction| {
        for file in &lost {
            tracing::error!(
                packet = file.name,
                "a held packet is gone from the archive; it is brought again"
            );
            book::forget_in(transaction, &file.name)?;
            journal(transaction, own, now, "packet.lost", &file.name, "", &[file.arrival.mark.digest])?;
        }
        Ok::<_, SpokeError>(())
    })
}
