//! What the spool has lost is sealed again: an answer by itself; of a packet everything that this centre has said, as the snapshot of a new epoch: when a packet that is not
//! answered yet is gone from the spool, its number can never be filled (exchange §5, S2, F7); when what was sent
//! cannot be proven any more, only the whole can be told.

use std::{fs::File, io::BufWriter};

use exchange_endpoint::durable_file;
use exchange_format::{
    file_name::PacketKind,
    packet::{
        MemberName, PacketWriter,
        manifest::{Purpose, SnapshotBasis, SnapshotPart},
    },
    position::{Epoch, Position, Seq},
    record::{Kind, Record, RecordId},
    state_digest::StateDigest,
    stream::{Control, Opening, SentPacket},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError, answers,
    export::{BYTES, Exported, RECORDS, control, enter, member},
    packet_file::{self, Desk, Heading, SealedFile},
    place::Lost,
    station::{Station, journal, keep_out_stream},
};
use crate::database::{
    book, lost, own_records, publications,
    sent::{self, Kept},
    sums,
    write::{self, Scope},
};

/// Opens a new epoch because the packets `lost` are not in the spool any more, and tells it. Of a centre that is recovering
/// they are an unconfirmed snapshot: that is given up, and stays an incident.
///
/// # Errors
/// The database or the spool; then nothing is sealed.
pub(super) fn reopen(station: &mut Station, lost: &[&Lost], now: Timestamp) -> Result<(), SpokeError> {
    if book::out_stream(&station.connection, station.hub())?.machine.stop.is_some() {
        let (connection, desk) = packet_file::apart(station);
        return write::write(connection, Scope::Book, |transaction| {
            lost.iter().try_for_each(|one| {
                book::give_up_answer(transaction, &one.name)?;
                tell_lost(transaction, &desk, one, None, now)
            })
        });
    }
    anew(station, SnapshotBasis::Initial, now, |transaction, desk, opened| {
        let how = format!("all is sent again in epoch {opened}");
        lost.iter().try_for_each(|one| tell_lost(transaction, desk, one, Some(&how), now))
    })
}

/// Seals the answers `lost` again. One that nobody can say any more is an incident that stays open, and is not tried
/// for ever.
///
/// # Errors
/// The database or the spool; then nothing is sealed.
pub(super) fn answer_again(station: &mut Station, lost: &[&Lost], now: Timestamp) -> Result<(), SpokeError> {
    let spool = station.spool();
    durable_file::make_directories(&spool).map_err(SpokeError::io(&spool))?;
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        for one in lost {
            let how = answers::give_again(transaction, &desk, &one.name, now)?;
            tell_lost(transaction, &desk, one, how.as_deref(), now)?;
        }
        Ok::<_, SpokeError>(())
    })
}

/// An incident, which ends at once if something was done: `how`.
fn tell_lost(
    connection: &Connection,
    desk: &Desk<'_>,
    lost: &Lost,
    how: Option<&str>,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let name = &lost.name;
    let what = if lost.is_damaged { "damaged in" } else { "gone from" };
    tracing::error!(packet = name, done = how, "{what} the spool before it was answered or placed");
    let (code, detail) = ("SPOOL_LOST", format!("{what} the spool before it was answered or placed"));
    book::open_incident(connection, code, name, &detail, now)?;
    journal(connection, desk.own, now, "packet.lost", name, code, &[])?;
    if let Some(how) = how {
        book::close_incident(connection, code, name, &detail, how, now)?;
    }
    Ok(())
}

/// Opens a new epoch because what is kept of what was sent is not what was sent. Not where data stop: the whole is
/// told when they go again.
///
/// # Errors
/// The database or the spool; then nothing is sealed.
pub(super) fn say_all_again(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    let machine = book::out_stream(&station.connection, station.hub())?.machine;
    if machine.stop.is_some() || machine.last.is_none() {
        return Ok(());
    }
    anew(station, SnapshotBasis::Initial, now, |transaction, desk, opened| {
        tracing::error!(epoch = opened.get(), "what was sent cannot be proven; a new epoch begins");
        journal(transaction, desk.own, now, "stream.reopened", desk.hub.as_str(), "sent-differs", &[])
    })
}

/// Opens a new epoch with all that this centre has said, and, if the hub asked for it, with what the hub has said.
///
/// # Errors
/// The database or the spool; then nothing is sealed.
pub(super) fn anew(
    station: &mut Station,
    basis: SnapshotBasis,
    now: Timestamp,
    tell: impl FnOnce(&Connection, &Desk<'_>, Epoch) -> Result<(), SpokeError>,
) -> Result<(), SpokeError> {
    let spool = station.spool();
    durable_file::make_directories(&spool).map_err(SpokeError::io(&spool))?;
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        let opened = seal(transaction, &desk, basis, now)?;
        tell(transaction, &desk, opened)
    })?;
    station.raise_watermark()
}

/// Seals the snapshot and returns its epoch. One that is not confirmed holds the mirror alone, and changes nothing of what
/// was sent. The caller raises the watermark when the transaction is committed.
///
/// # Errors
/// The database or the spool.
pub(super) fn seal(
    connection: &Connection,
    desk: &Desk<'_>,
    basis: SnapshotBasis,
    now: Timestamp,
) -> Result<Epoch, SpokeError> {
    let mut stream = book::out_stream(connection, desk.hub)?;
    let unconfirmed = stream.machine.is_unconfirmed(basis.reason());
    let mut parts = if unconfirmed { Vec::new() } else { plan(connection)? };
    let mirror = match basis {
        SnapshotBasis::Requested { .. } => in_parts(publications::mirrored(connection)?),
        SnapshotBasis::Initial | SnapshotBasis::Recovered { .. } => Vec::new(),
    };
    let mirror: Vec<_> = mirror.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() && mirror.is_empty() {
        parts.push(Vec::new());
    }
    let count = u32::try_from(parts.len() + mirror.len()).expect("parts are counted in thousands");
    let mut opening = stream.machine.open_epoch(count, basis.reason())?;
    let begins = Position { epoch: opening.epoch(), seq: Seq::FIRST };
    let mut exported = Exported::default();
    let entered = |sealed: SealedFile, mark, records: u64, exported: &mut Exported| {
        let packet = SentPacket::new(mark, true, unconfirmed, now);
        enter(connection, desk, PacketKind::Snapshot, &sealed, packet, records, now)?;
        exported.packets.push((sealed.name, sealed.digest, records));
        Ok::<_, SpokeError>(())
    };
    let (mut state, mut anew) = (StateDigest::default(), Vec::new());
    for (part, records) in parts.iter_mut().enumerate() {
        for (kind, key) in std::mem::take(records) {
            // what is lost and cannot be said now goes when its row changes
            let Some(record) = lost::said(connection, kind, key)? else { continue };
            let hash = record.hash();
            if let Some(term) = record.term(&hash) {
                state.add(&term);
            }
            if own_records::sent(connection, kind, key)?.is_none() {
                sent::keep(connection, &record, &hash.to_string(), begins, Kept::Alone)?;
                anew.push((part, record));
            }
            records.push((kind, key));
        }
    }
    for (n, records) in parts.iter().enumerate() {
        let heading = heading(&opening, basis, control(connection, desk, &stream)?, state);
        let sealed = desk.seal(heading, now, |writer| write_own(connection, writer, records))?;
        let mark = opening.sealed(sealed.digest).expect("the part was there to be sealed");
        for (_, record) in anew.iter().filter(|(part, _): &&(usize, Record)| *part == n) {
            let change = lost::change_of(record.kind, record.key);
            let hash = record.hash();
            own_records::remember(connection, &change, record, &hash, mark.position, &sealed.name)?;
        }
        for (kind, key) in records {
            own_records::carried(connection, *kind, *key, mark.position)?;
            exported.count_as(*kind, "sent");
        }
        entered(sealed, mark, records.len() as u64, &mut exported)?;
    }
    for records in &mirror {
        let heading = heading(&opening, basis, control(connection, desk, &stream)?, state);
        let sealed = desk.seal(heading, now, |writer| write_mirror(connection, writer, records))?;
        let mark = opening.sealed(sealed.digest).expect("the part was there to be sealed");
        for (kind, _) in records {
            exported.count_as(*kind, "mirrored");
        }
        entered(sealed, mark, records.len() as u64, &mut exported)?;
    }
    exported.put_protocol(connection, desk, now)?;
    let opened = opening.epoch();
    stream.machine = opening.finish(now).expect("every part was sealed");
    (stream.state, stream.kept) = (state, sums::of_sent(connection)?.kept);
    if !unconfirmed {
        book::supersede_before(connection, opened, now)?;
    }
    keep_out_stream(connection, desk.own, desk.hub, &stream, now)?;
    Ok(opened)
}

/// What the next part says besides its members.
fn heading(opening: &Opening, basis: SnapshotBasis, control: Control, state: StateDigest) -> Heading {
    let slot = opening.next_part().expect("as many parts as were planned");
    let part = slot.part.expect("a snapshot has parts");
    Heading {
        purpose: Purpose::Snapshot(SnapshotPart { basis, unconfirmed: opening.unconfirmed(), part }),
        position: slot.position,
        previous: slot.previous,
        control,
        state_digest: (part.k() == part.n()).then_some(state),
    }
}

/// Our records as they were last sent.
fn write_own(
    connection: &Connection,
    writer: &mut PacketWriter<BufWriter<File>>,
    records: &[(Kind, RecordId)],
) -> Result<(), SpokeError> {
    let (mut begun, mut line) = (None, Vec::new());
    for (kind, key) in records {
        if begun != Some(*kind) {
            writer.begin_member(member(*kind))?;
            begun = Some(*kind);
        }
        let sent = own_records::sent(connection, *kind, *key)?.expect("it was there before");
        line.clear();
        sent.record.write_line(&mut line);
        writer.write_line(&line)?;
    }
    Ok(())
}

/// The hub's records as they were last received.
fn write_mirror(
    connection: &Connection,
    writer: &mut PacketWriter<BufWriter<File>>,
    records: &[(Kind, RecordId)],
) -> Result<(), SpokeError> {
    let (mut begun, mut line) = (None, Vec::new());
    for (kind, key) in records {
        let Some(record) = publications::mirror(connection, *kind, *key)? else { continue };
        if begun != Some(*kind) {
            writer.begin_member(MemberName::mirror(kind.name()).expect("kinds have names of members"))?;
            begun = Some(*kind);
        }
        line.clear();
        record.write_line(&mut line);
        writer.write_line(&line)?;
    }
    Ok(())
}

/// Everything that was ever sent, in the version last sent, cut into parts, of which there is at least one.
fn plan(connection: &Connection) -> Result<Vec<Vec<(Kind, RecordId)>>, SpokeError> {
    let mut all = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.owner().centre_writes()) {
        all.extend(
            own_records::lengths(connection, kind)?.into_iter().map(|(key, length)| (kind, key, length)),
        );
    }
    Ok(in_parts(all))
}

fn in_parts(records: Vec<(Kind, RecordId, u64)>) -> Vec<Vec<(Kind, RecordId)>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for (kind, key, length) in records {
        let part: &mut Vec<_> = parts.last_mut().expect("never empty");
        if part.len() as u64 == RECORDS || (!part.is_empty() && bytes + length + 100 > BYTES) {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += length + 100;
        parts.last_mut().expect("never empty").push((kind, key));
    }
    parts
}
