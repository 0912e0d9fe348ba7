//! Everything that this centre has said, once more, as the snapshot of a new epoch: when a packet that is not
//! answered yet is gone from the spool, its number can never be filled (exchange §5, S2, F7).

use exchange_format::{
    file_name::PacketKind,
    packet::manifest::{Purpose, SnapshotBasis, SnapshotPart},
    record::{Kind, RecordId},
    state_digest::StateDigest,
    stream::SentPacket,
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError,
    export::{BYTES, RECORDS, control, enter, member},
    packet_file::{self, Desk, Heading},
    station::{Station, journal},
};
use crate::database::{
    book, own_records,
    write::{self, Scope},
};

/// Opens a new epoch because the files of the packets `lost` are gone, and tells it.
///
/// # Errors
/// The database or the spool; then nothing is sealed.
pub(super) fn reopen(station: &mut Station, lost: &[String], now: Timestamp) -> Result<(), SpokeError> {
    let spool = station.spool();
    std::fs::create_dir_all(&spool).map_err(SpokeError::io(&spool))?;
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        let opened = seal(transaction, &desk, now)?;
        for name in lost {
            tracing::error!(
                packet = name,
                epoch = opened,
                "gone from the spool unanswered; a new epoch begins"
            );
            let (code, detail) = ("SPOOL_LOST", "the packet is gone from the spool before it was answered");
            book::open_incident(transaction, code, name, detail, now)?;
            journal(transaction, desk.own, now, "packet.lost", name, code, &[])?;
            let how = format!("all is sent again in epoch {opened}");
            book::close_incident(transaction, code, name, detail, &how, now)?;
        }
        Ok::<_, SpokeError>(())
    })?;
    station.raise_watermark()
}

/// Seals the snapshot and returns its epoch.
fn seal(connection: &Connection, desk: &Desk<'_>, now: Timestamp) -> Result<u16, SpokeError> {
    let mut stream = book::out_stream(connection, desk.hub)?;
    let mut parts = plan(connection)?;
    let count = u32::try_from(parts.len()).expect("parts are counted in thousands");
    let basis = SnapshotBasis::Initial;
    let mut opening = stream.machine.open_epoch(count, basis.reason())?;
    let mut state = StateDigest::default();
    for records in &mut parts {
        for (kind, key) in std::mem::take(records) {
            // what is lost goes when its row changes
            let Some(sent) = own_records::sent(connection, kind, key)? else { continue };
            if let Some(term) = sent.record.term(&sent.record.hash()) {
                state.add(&term);
            }
            records.push((kind, key));
        }
    }
    for records in &parts {
        let slot = opening.next_part().expect("as many parts as were planned");
        let part = slot.part.expect("a snapshot has parts");
        let heading = Heading {
            purpose: Purpose::Snapshot(SnapshotPart { basis, unconfirmed: opening.unconfirmed(), part }),
            position: slot.position,
            previous: slot.previous,
            control: control(connection, desk, &stream)?,
            state_digest: (part.k() == part.n()).then_some(state),
        };
        let sealed = desk.seal(heading, now, |writer| {
            let mut begun = None;
            for (kind, key) in records {
                if begun != Some(*kind) {
                    writer.begin_member(member(*kind))?;
                    begun = Some(*kind);
                }
                let sent = own_records::sent(connection, *kind, *key)?.expect("it was there before");
                let mut line = Vec::with_capacity(sent.record.body.len() + 128);
                sent.record.write_line(&mut line);
                writer.write_line(&line)?;
            }
            Ok(())
        })?;
        let mark = opening.sealed(sealed.digest).expect("the part was there to be sealed");
        for (kind, key) in records {
            own_records::carried(connection, *kind, *key, mark.position)?;
        }
        let packet = SentPacket::new(mark, true, false, now);
        enter(connection, desk, PacketKind::Snapshot, &sealed, packet, records.len() as u64, now)?;
    }
    let opened = opening.epoch();
    stream.machine = opening.finish(now).expect("every part was sealed");
    stream.state = state;
    book::supersede_before(connection, opened, now)?;
    book::set_out_stream(connection, desk.hub, &stream)?;
    Ok(opened.get())
}

/// Everything that was ever sent, in the version last sent, cut into parts, of which there is at least one.
fn plan(connection: &Connection) -> Result<Vec<Vec<(Kind, RecordId)>>, SpokeError> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for kind in Kind::ALL.into_iter().filter(|kind| kind.owner().centre_writes()) {
        for (key, length) in own_records::lengths(connection, kind)? {
            let part: &mut Vec<_> = parts.last_mut().expect("never empty");
            if part.len() as u64 == RECORDS || (!part.is_empty() && bytes + length + 100 > BYTES) {
                parts.push(Vec::new());
                bytes = 0;
            }
            bytes += length + 100;
            parts.last_mut().expect("never empty").push((kind, key));
        }
    }
    Ok(parts)
}
