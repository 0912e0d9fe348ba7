//! The hub's copy of our own records: compared, never applied.

use std::fs::File;

use exchange_format::{
    error::PacketError,
    packet::{
        CheckedPacket, MemberName,
        manifest::{Purpose, SnapshotBasis, SnapshotPart},
    },
    record::{Kind, Record},
    stream::{Ready, judge_mirror},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{Tally, conclude};
use crate::{
    database::{
        DatabaseError,
        book::Received,
        lost, sent,
        write::{self, Scope},
    },
    edges::{
        SpokeError, packet_file, resync,
        station::{Station, journal},
    },
};

/// What a snapshot says it is; that it is unconfirmed, if the hub was recovering when it sealed it: what it says of its own is
/// not certain.
pub(super) fn snapshot_of(
    station: &mut Station,
    ready: &Ready,
    files: &[Received],
) -> Result<Option<SnapshotPart>, SpokeError> {
    let (Ready::Snapshot(_), Some(first)) = (ready, files.first()) else { return Ok(None) };
    let (path, name) = (station.file(&first.file), first.name.parse().map_err(PacketError::Name)?);
    let (_, desk) = packet_file::apart(station);
    let opened = desk.open(&path, &name)?;
    Ok(match &opened.manifest().header.purpose {
        Purpose::Snapshot(part) => Some(*part),
        _ => None,
    })
}

/// Takes nothing but the mirror from a snapshot: the stream stays where it is, its epoch does not begin.
pub(super) fn look_at_mirror(
    station: &mut Station,
    files: &[Received],
    basis: SnapshotBasis,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let paths: Vec<_> = files.iter().map(|file| station.file(&file.file)).collect();
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        for (file, path) in files.iter().zip(&paths) {
            let mut verified = desk.open(path, &file.name.parse().map_err(PacketError::Name)?)?;
            let mut tally = Tally::default();
            for member in verified.manifest().members.clone() {
                let Some(kind) = mirrored(&member.name) else { continue };
                compare::<SpokeError>(
                    transaction,
                    &mut verified.check_while_reading(),
                    (&member.name, kind, false),
                    &mut tally,
                )?;
            }
            let digests = [file.arrival.mark.digest];
            journal(transaction, desk.own, now, "snapshot.unconfirmed", &file.name, "", &digests)?;
            conclude(transaction, &desk, file, &tally, now)?;
        }
        match files.last() {
            Some(last) => resync::note_answer(transaction, basis, last.arrival.mark.position.epoch),
            None => Ok(()),
        }
    })
}

pub(in crate::edges) fn mirrored(member: &MemberName) -> Option<Kind> {
    member.mirrored().and_then(|kind| kind.parse().ok())
}

/// The hub's copy of our own records: compared, not applied; what of them is lost here is taken back if it `takes_back`.
pub(super) fn compare<E: From<PacketError> + From<DatabaseError>>(
    connection: &Connection,
    packet: &mut CheckedPacket<'_, File>,
    (member, kind, takes_back): (&MemberName, Kind, bool),
    tally: &mut Tally,
) -> Result<(), E> {
    packet.for_each_line::<E>(member, |line| {
        if let Ok(mirror) = Record::parse_line(kind, line) {
            let sent = sent::last(connection, kind, mirror.key)?;
            let sent = sent.map(|edition| (edition.version, edition.form, edition.hash));
            tally.ahead = tally.ahead.or(judge_mirror(&mirror, sent));
            if takes_back && lost::take_back(connection, &mirror)? {
                tally.taken_back.push(mirror.key);
            }
        }
        Ok(())
    })
}
