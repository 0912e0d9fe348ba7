//! Keys that change: ours, told to the hub by a KY; and what the hub's KY lets out of quarantine (FORMAT.md §New keys).

use exchange_endpoint::{
    durable_file,
    key_table::{CENTRE_TABLE, KeysTellings, KyState},
    rotation,
    trust::Trust,
};
use exchange_format::{
    answer::PacketOutcome,
    file_name::PacketKind,
    keys::{check_successor, lines},
    packet::{MemberName, SnapshotBasis, manifest::Purpose},
    position::{Digest, Mark},
    stream::SentPacket,
};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::Connection;

use super::{
    SpokeError, admit,
    export::{control, enter},
    packet_file::{self, Heading},
    reopen,
    station::{Station, journal, keep_out_stream},
};
use crate::database::{
    book,
    write::{self, Scope},
};

/// Who was told our next keys.
pub fn tellings(connection: &Connection) -> KeysTellings<'_> {
    KeysTellings::new(connection, CENTRE_TABLE)
}

/// What became of the KY of our next keys.
pub(super) fn told(station: &Station) -> Result<Option<KyState>, SpokeError> {
    let Some(next) = &station.keys.next else { return Ok(None) };
    let told = tellings(&station.connection).told(station.hub(), &next.card.fingerprint())?;
    Ok(told.map(|(state, _)| state))
}

/// Does the next step of a change of keys: tells it, or ends it when the hub has taken the new ones. Where the hub has
/// refused them, what was signed by them is told anew.
pub(super) fn step(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    if station.keys.next.is_none() {
        return Ok(());
    }
    let (before, state) = (station.told, told(station)?);
    station.told = state;
    match state {
        None => tell(station, now),
        Some(KyState::Taken) => end(station, now),
        Some(KyState::Refused) if before == Some(KyState::Open) => {
            let stopped = book::out_stream(&station.connection, station.hub())?.machine.stop.is_some();
            if stopped {
                Ok(())
            } else {
                reopen::anew(station, SnapshotBasis::Initial, now, |_, _, _| Ok(()))
            }
        }
        Some(KyState::Open | KyState::Refused) => Ok(()),
    }
}

fn tell(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    let Some(card) = station.keys.next.as_ref().map(|next| next.card.clone()) else { return Ok(()) };
    let machine = book::out_stream(&station.connection, station.hub())?.machine;
    if machine.stop.is_some() || machine.last.is_none() {
        return Ok(());
    }
    if let Err(error) = check_successor(&station.keys.card, &card, now.to_zoned(TimeZone::UTC).date()) {
        tracing::error!(%error, "the new keys cannot be told");
        return Ok(());
    }
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        let mut stream = book::out_stream(transaction, desk.hub)?;
        let slot = stream.machine.next_slot()?;
        let heading = Heading {
            purpose: Purpose::Keys,
            position: slot.position,
            previous: slot.previous,
            control: control(transaction, &desk, &stream)?,
            state_digest: Some(stream.state),
        };
        let sealed = desk.seal(heading, now, |writer| {
            writer.begin_member(MemberName::Card)?;
            lines(&card).try_for_each(|line| writer.write_line(line).map_err(SpokeError::from))
        })?;
        let mark = Mark { position: slot.position, digest: sealed.digest };
        stream.machine.sealed(mark, now);
        let sent = SentPacket::new(mark, false, false, now);
        enter(transaction, &desk, PacketKind::Keys, &sealed, sent, 0, now)?;
        tellings(transaction).tell(desk.hub, &card.fingerprint(), &sealed.name, now)?;
        keep_out_stream(transaction, desk.own, desk.hub, &stream, now)?;
        let digests = [Digest::of(card.to_bytes())];
        tracing::info!(packet = sealed.name, "the new keys are told");
        journal(transaction, desk.own, now, "keys.told", desk.hub.as_str(), "", &digests)
    })?;
    station.told = told(station)?;
    station.raise_watermark()
}

/// The new keys take the place of the old ones.
fn end(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    let Some(next) = &station.keys.next else { return Ok(()) };
    let own = station.own();
    Trust::open(&station.config.path(&station.config.trust))?.follow(&station.keys.card, &next.card)?;
    let card_file = station.file(&format!("{own}.card"));
    durable_file::replace(&card_file, next.card.to_bytes(), 0o644).map_err(SpokeError::io(&card_file))?;
    let directory = station.config.path(&station.config.keys);
    write::write(&mut station.connection, Scope::Book, |transaction| {
        // within the transaction: a command that makes new keys waits
        let keys = rotation::finish(&directory, own)?;
        let digests = [Digest::of(keys.card.to_bytes())];
        journal(transaction, own, now, "keys.changed", own.as_str(), "", &digests)
    })?;
    tracing::info!("the new keys are in force");
    station.reload()
}

/// The PR of our KY has come.
pub(super) fn answered(
    connection: &Connection,
    packet: &str,
    outcome: PacketOutcome,
) -> Result<(), SpokeError> {
    let state = if outcome.reason().is_none() { KyState::Taken } else { KyState::Refused };
    Ok(tellings(connection).answered(packet, state)?)
}

/// Judges again the files of the quarantine that are to be.
pub(super) fn replay(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    loop {
        // a KY among them lets more out
        let due = book::to_replay(&station.connection)?;
        if due.is_empty() {
            return Ok(());
        }
        for one in due {
            write::write(&mut station.connection, Scope::Book, |transaction| {
                book::set_replay(transaction, &one.row, false).map_err(SpokeError::from)
            })?;
            let path = station.config.path(&station.config.quarantine).join(&one.file);
            let Some(name) = one.original().filter(|_| path.is_file()) else {
                tracing::error!(file = one.file, "gone from the quarantine: not judged again");
                continue;
            };
            let admitted = admit::admit(station, name, &path, now)?;
            tracing::info!(file = name, ?admitted, "judged again");
            if !matches!(admitted, admit::Admitted::Quarantined(_)) {
                // its bytes are in the archive
                exchange_endpoint::durable_file::remove(&path).map_err(SpokeError::io(&path))?;
                write::write(&mut station.connection, Scope::Book, |transaction| {
                    book::close_incident(transaction, &one.reason, name, admit::ASIDE, "taken", now)
                        .map_err(SpokeError::from)
                })?;
            }
        }
    }
}
