//! Applying the hub's packets: data, watermark row, journal and answers in one transaction (exchange §6).

mod mirror;
mod shown;

pub(super) use mirror::mirrored;

use std::collections::BTreeMap;

use exchange_endpoint::protocol::{Kind as ProtocolKind, Line, Protocol};
use exchange_format::{
    answer::{Counts, PacketOutcome, PacketReason, RecordLine, RecordOutcome, RecordReason},
    error::PacketError,
    file_name::{FileName, PacketKind},
    packet::{
        MemberName,
        manifest::{SnapshotBasis, SnapshotPart},
    },
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark},
    record::{Kind, LineError, Record, RecordId},
    state_digest::StateDigest,
    stream::{Evidence, Ready, StateCheck, check_state},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError, answers,
    export::in_language,
    packet_file::{self, Desk},
    requests, resync,
    station::{Station, is_signed, journal, new_key, put_protocol},
};
use crate::database::{
    book::{self, InStream, Received},
    bound, exported, lost, publications, ranges,
    showing::{self, Held},
    write::{self, Scope},
};

/// The incident that the hub was restored, while it recovers.
pub(super) const HUB_RECOVERING: &str = "PEER_RESTORED";

/// What became of the records of one packet.
#[derive(Debug, Default)]
struct Tally {
    counts: Counts,
    lines: Vec<RecordLine>,
    totals: BTreeMap<(Kind, RecordOutcome), u64>,
    /// What the mirror of our own records shows, if it is ahead of us.
    ahead: Option<Evidence>,
    /// Records of our own whose bodies the mirror has given back.
    taken_back: Vec<RecordId>,
}

impl Tally {
    fn add(&mut self, record: &Record, told: &publications::Told) {
        self.counts.add(told.outcome);
        *self.totals.entry((record.kind, told.outcome)).or_default() += 1;
        if let Some((word, reason)) = told.why {
            self.list(record.kind, record.key, record.version, told.outcome, word, reason);
        }
    }

    fn list(
        &mut self,
        kind: Kind,
        key: exchange_format::record::RecordId,
        version: u32,
        outcome: RecordOutcome,
        word: &str,
        reason: RecordReason,
    ) {
        let rule = publications::rule(kind, word).parse().expect("rules of this program are rule codes");
        self.lines.push(RecordLine { outcome, kind, key, version, rule, reason, words: None });
    }

    /// What was counted as applied turned out to wait for another record.
    fn hold(&mut self, held: &Held) {
        let before = self.counts.get(held.instead_of);
        self.counts.set(held.instead_of, before.saturating_sub(1));
        self.counts.add(RecordOutcome::Held);
        if let Some(n) = self.totals.get_mut(&(held.kind, held.instead_of)) {
            *n = n.saturating_sub(1);
        }
        *self.totals.entry((held.kind, RecordOutcome::Held)).or_default() += 1;
        let (word, reason) = held.why.why();
        self.list(held.kind, held.key, held.version, RecordOutcome::Held, word, reason);
    }
}

/// Why a packet was not applied.
#[derive(Debug)]
enum Stopped {
    /// It is authentic and is refused whole.
    Refused(PacketReason),
    /// This machine could not.
    Failed(SpokeError),
}

impl<E: Into<SpokeError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        let error = error.into();
        match &error {
            SpokeError::Packet(packet) => packet.reason().map_or(Self::Failed(error), Self::Refused),
            _ => Self::Failed(error),
        }
    }
}

/// What loading did, for the log and the loop.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Packets applied.
    pub applied: Vec<String>,
    /// Records, whatever their outcome.
    pub records: u64,
}

/// Applies what is `ready`, and then whatever was held and has become ready by that; nothing into a copy put back this moment.
///
/// # Errors
/// The database or the disk; then nothing of the packet in hand has happened.
pub fn load(station: &mut Station, first: Ready, now: Timestamp) -> Result<Loaded, SpokeError> {
    let mut loaded = Loaded::default();
    let mut next = Some(first);
    while let (Some(ready), None) = (next, super::event_loop::is_older(station)?) {
        let files = files_of(station, &ready)?;
        let applied = match mirror::snapshot_of(station, &ready, &files).map_err(Stopped::from) {
            // it was admitted, and nothing here opens it any more
            Err(stopped) => Err(stopped),
            Ok(Some(part)) if part.unconfirmed => {
                mirror::look_at_mirror(station, &files, part.basis, now)?;
                next = next_held(station, now)?;
                continue;
            }
            Ok(Some(SnapshotPart { basis: SnapshotBasis::Recovered { compared }, .. }))
                if !accepts(station, compared)? =>
            {
                Err(Stopped::Refused(PacketReason::StaleEpoch))
            }
            Ok(part) => apply(station, &ready, &files, part.map(|part| part.basis), now),
        };
        match applied {
            Ok(records) => {
                loaded.records += records;
                loaded.applied.extend(files.iter().map(|file| file.name.clone()));
                station.raise_watermark()?;
            }
            Err(Stopped::Refused(reason)) => {
                for file in &files {
                    tracing::error!(packet = file.name, reason = reason.code(), "refused whole");
                }
                refuse(station, &ready, &files, reason, now)?;
                station.raise_watermark()?;
            }
            Err(Stopped::Failed(error)) => return Err(error),
        }
        next = next_held(station, now)?;
    }
    Ok(loaded)
}

fn accepts(station: &mut Station, compared: Digest) -> Result<bool, SpokeError> {
    let (connection, desk) = packet_file::apart(station);
    resync::accepts_recovered(connection, &desk, compared)
}

fn files_of(station: &Station, ready: &Ready) -> Result<Vec<Received>, SpokeError> {
    let marks: Vec<Mark> = match ready {
        Ready::Data(mark) => vec![*mark],
        Ready::Snapshot(parts) => parts.clone(),
    };
    let mut files = Vec::new();
    for Mark { position, digest } in marks {
        let found = book::received(&station.connection, station.hub(), position.epoch, Some(position.seq))?;
        files.extend(found.into_iter().find(|file| file.arrival.mark.digest == digest));
    }
    Ok(files)
}

/// A packet that was held at the place that is next now.
fn next_held(station: &mut Station, now: Timestamp) -> Result<Option<Ready>, SpokeError> {
    let hub = station.hub();
    let stream = book::in_stream(&station.connection, hub)?;
    let Some(position) = stream.machine.next() else { return Ok(None) };
    let held = book::received(&station.connection, hub, position.epoch, Some(position.seq))?;
    let Some(held) = held.into_iter().find(|file| file.state == "HELD") else { return Ok(None) };
    match stream.machine.judge_held(&held.arrival) {
        exchange_format::stream::Verdict::Ready(ready) => Ok(Some(ready)),
        exchange_format::stream::Verdict::Fork(breach) => {
            super::admit::fork(station, &held.name, &held.arrival, breach, now)?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

fn apply(
    station: &mut Station,
    ready: &Ready,
    files: &[Received],
    basis: Option<SnapshotBasis>,
    now: Timestamp,
) -> Result<u64, Stopped> {
    let (lang, own, hub) = (station.config.lang, station.own(), station.hub());
    let (keys, timing) = (station.hub_keys.clone(), station.config.exchange.timing());
    let paths: Vec<_> = files.iter().map(|file| station.file(&file.file)).collect();
    let (connection, desk) = packet_file::apart(station);
    write::write::<_, Stopped>(connection, Scope::Everything, |transaction| {
        let mut protocol = Protocol::begin(ProtocolKind::Load, lang, own, Some(hub), now);
        let mut stream = book::in_stream(transaction, hub)?;
        if matches!(ready, Ready::Snapshot(_)) {
            stream.state = StateDigest::default();
        }
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        let mut told = None;
        for (file, path) in files.iter().zip(&paths) {
            let signed = |record: &Record| is_signed(&keys, own, record);
            let tally = tallies.entry(file.name.as_str()).or_default();
            told = take_in(transaction, &desk, file, path, &mut stream, &signed, tally)?.or(told);
        }
        show(transaction, (own, hub), files, &mut tallies, now)?;
        if let Some(opened) = stream.machine.consume(ready) {
            put_aside(transaction, &desk, opened, now)?;
        }
        stream.told = told.map(|state| as_digest(&state)).or(stream.told);
        if let (Some(told), Some(last)) = (told.filter(|told| *told != stream.state), stream.machine.last)
            && ranges::sum_of_received(transaction, last.position.epoch)? == told
        {
            tracing::error!("the sum of what was received was wrong, the records are right");
            stream.state = told;
            journal(transaction, own, now, "sum.mended", hub.as_str(), "", &[])?;
        }
        let (code, subject, detail) = ("DIVERGED", hub.as_str(), "state digest differs");
        let diverged = check_state(told.as_ref(), &stream.state, false) == StateCheck::Diverged;
        if diverged {
            book::open_incident(transaction, code, subject, detail, now)?;
            journal(transaction, own, now, "incident.diverged", subject, code, &[])?;
        } else if told.is_some() {
            agrees(transaction, (own, hub), detail, now)?;
        }
        book::set_in_stream(transaction, hub, &stream)?;
        if let (Some(basis), Some(last)) = (basis, stream.machine.last) {
            requests::snapshot_applied(transaction, &desk, last.position.epoch, now)?;
            resync::note_answer(transaction, basis, last.position.epoch)?;
        }
        if matches!(basis, Some(SnapshotBasis::Recovered { .. })) {
            book::close_incidents(transaction, HUB_RECOVERING, "resynced", now)?;
        }
        if let Some(at) = stream.machine.last.filter(|_| diverged) {
            super::ranges::look(transaction, &desk, &timing, at, now)?;
        }
        for file in files {
            let tally = tallies.remove(file.name.as_str()).unwrap_or_default();
            conclude(transaction, &desk, file, &tally, now)?;
            report(&mut protocol, file, &tally);
        }
        let records = protocol.records();
        if records > 0 {
            put_protocol(transaction, protocol)?;
        }
        Ok(records)
    })
}

/// The hub's sum is ours: what did not fit in what came before fits now.
fn agrees(
    connection: &Connection,
    (own, hub): (ParticipantCode, ParticipantCode),
    detail: &str,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let (code, subject) = ("DIVERGED", hub.as_str());
    if book::close_incident(connection, code, subject, detail, "agrees again", now)? {
        journal(connection, own, now, "incident.closed", subject, code, &[])?;
    }
    for reason in [RecordReason::Older, RecordReason::Collision] {
        if book::close_incidents(connection, reason.code(), "agrees again", now)? > 0 {
            journal(connection, own, now, "incident.closed", subject, reason.code(), &[])?;
        }
    }
    Ok(())
}

/// Makes the rows show what has come, and tells what became of that.
fn show(
    connection: &Connection,
    (own, hub): (ParticipantCode, ParticipantCode),
    files: &[Received],
    tallies: &mut BTreeMap<&str, Tally>,
    now: Timestamp,
) -> Result<(), SpokeError> {
    for key in tallies.values().flat_map(|tally| &tally.taken_back) {
        lost::show_again(connection, *key)?;
    }
    let done = showing::show_pending(connection, now, &mut new_key)?;
    if let Some(grown) = bound::grown(&done.bound) {
        journal(connection, own, now, bound::BOUND, hub.as_str(), "", &[grown])?;
    }
    if let Some(last) = files.last() {
        exported::stamp(connection, last.arrival.mark.position)?;
    }
    for held in &done.held {
        if let Some(tally) = tallies.get_mut(held.packet.as_str()) {
            tally.hold(held);
        }
    }
    shown::tell_of_taken_rows(connection, own, &done, now)?;
    shown::tell_of_proposals(connection, own, &done, now)
}

/// A new epoch has begun: what is still held of older ones will never be applied.
pub(super) fn put_aside(
    connection: &Connection,
    desk: &Desk<'_>,
    opened: Epoch,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let reason = PacketReason::StaleEpoch.code();
    for held in book::held_before(connection, desk.hub, opened)? {
        let is_ky = held.name.parse::<FileName>().is_ok_and(|name| name.kind == PacketKind::Keys);
        if is_ky && desk.hub_keys.told_at(held.arrival.mark.position) {
            // it has done its work, and its sender waits for the word
            conclude(connection, desk, &held, &Tally::default(), now)?;
            continue;
        }
        book::set_in_state(connection, &held.name, "QUARANTINED", Some(reason))?;
        let digest = held.arrival.mark.digest;
        journal(connection, desk.own, now, "packet.quarantined", &held.name, reason, &[digest])?;
    }
    Ok(())
}

pub(super) fn as_digest(state: &StateDigest) -> Digest {
    state.to_string().parse().expect("a sum is written as a digest is")
}

/// Takes in the records of one packet; returns the state digest that it tells.
fn take_in(
    connection: &Connection,
    desk: &Desk<'_>,
    file: &Received,
    path: &std::path::Path,
    stream: &mut InStream,
    signed: &dyn Fn(&Record) -> bool,
    tally: &mut Tally,
) -> Result<Option<StateDigest>, Stopped> {
    let name: FileName = file.name.parse().map_err(|error| Stopped::from(PacketError::Name(error)))?;
    let mut verified = desk.open(path, &name)?;
    // checked when it was admitted; an error now takes the transaction back
    let mut checked = verified.check_while_reading();
    let manifest = checked.manifest().clone();
    let epoch = file.arrival.mark.position.epoch;
    for member in &manifest.members {
        if member.name == MemberName::Card {
            // its keys hold since it was admitted, or it is refused
            desk.hub_keys.read_new(&mut checked)?;
            continue;
        }
        if let Some(kind) = mirror::mirrored(&member.name) {
            mirror::compare::<Stopped>(connection, &mut checked, (&member.name, kind, true), tally)?;
            continue;
        }
        let kind: Kind = member
            .name
            .kind()
            .and_then(|name| name.parse().ok())
            .ok_or(Stopped::Refused(PacketReason::Schema))?;
        checked.for_each_line::<Stopped>(&member.name, |line| {
            // what is wrong with a line whose key is read is a matter of that record: it is refused alone
            let (record, _) = Record::read_line(kind, line)
                .map_err(|_: LineError| Stopped::Refused(PacketReason::Schema))?;
            let told = publications::take_in(
                connection,
                &mut stream.state,
                &record,
                signed(&record),
                &file.name,
                epoch,
            )
            .map_err(Stopped::from)?;
            tally.add(&record, &told);
            Ok(())
        })?;
    }
    Ok(manifest.header.state_digest)
}

/// Marks one packet applied, answers it, and tells what is an incident.
fn conclude(
    connection: &Connection,
    desk: &Desk<'_>,
    file: &Received,
    tally: &Tally,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let mark = file.arrival.mark;
    if let Some(evidence) = &tally.ahead {
        answers::restored(connection, desk, evidence, now)?;
    }
    book::set_in_state(connection, &file.name, "APPLIED", None)?;
    let outcome = tally.counts.packet_outcome();
    journal(connection, desk.own, now, "packet.applied", &file.name, outcome.word(), &[mark.digest])?;
    for line in &tally.lines {
        if line.reason.severity() == exchange_format::answer::Severity::Incident {
            let subject = format!("{} {}", line.kind, line.key);
            book::open_incident(connection, line.reason.code(), &subject, line.rule.as_str(), now)?;
        }
    }
    answers::give_receipt(connection, desk, mark, now)?;
    answers::give_protocol(connection, desk, mark, outcome, tally.counts, &tally.lines, now)
}

fn report(protocol: &mut Protocol, file: &Received, tally: &Tally) {
    let state = tally.counts.packet_outcome().word().to_lowercase();
    protocol.packet(file.name.clone(), file.arrival.mark.digest, state, tally.counts.total());
    for ((kind, outcome), count) in &tally.totals {
        if outcome.is_plain() && *count > 0 {
            protocol.count(kind.name(), outcome.word(), *count);
        }
    }
    for line in &tally.lines {
        protocol.tell(Line {
            kind: line.kind.name().to_owned(),
            key: line.key.to_string(),
            outcome: line.outcome.word().to_owned(),
            rule: line.rule.to_string(),
            reason: line.reason.code().to_owned(),
            sentence: in_language(protocol.lang, line.reason.sentence()),
            next: in_language(protocol.lang, line.reason.next_action()),
            words: None,
        });
    }
}

/// An authentic packet is refused whole: its number is consumed all the same, but a snapshot opens nothing.
fn refuse(
    station: &mut Station,
    ready: &Ready,
    files: &[Received],
    reason: PacketReason,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let hub = station.hub();
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        let mut stream = book::in_stream(transaction, hub)?;
        match ready {
            Ready::Data(_) => drop(stream.machine.consume(ready)),
            // what its sender does next is compared anew
            Ready::Snapshot(parts) if reason == PacketReason::StaleEpoch => {
                for part in parts {
                    stream.machine.close(part.position.epoch);
                }
            }
            Ready::Snapshot(_) => {}
        }
        book::set_in_stream(transaction, hub, &stream)?;
        for file in files {
            let mark = file.arrival.mark;
            book::set_in_state(transaction, &file.name, "REFUSED", Some(reason.code()))?;
            let event = "packet.refused";
            journal(transaction, desk.own, now, event, &file.name, reason.code(), &[mark.digest])?;
            let outcome = PacketOutcome::Refused(reason);
            answers::give_protocol(transaction, &desk, mark, outcome, Counts::default(), &[], now)?;
        }
        book::open_incident(
            transaction,
            reason.code(),
            hub.as_str(),
            "a packet of the hub was refused",
            now,
        )?;
        Ok::<_, SpokeError>(())
    })
}
