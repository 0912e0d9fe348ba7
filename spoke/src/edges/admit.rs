//! What a file of the hub's is: checked five ways before anything is read into the database (exchange §3, §6).

use std::{fs::File, path::Path};

use exchange_endpoint::{
    archive,
    protocol::{Kind as ProtocolKind, Protocol},
    stray::Stray,
    trust::Trust,
};
use exchange_format::{
    answer::{Counts, PacketOutcome, PacketReason},
    card::Card,
    error::PacketError,
    file_name::{FileName, PacketKind},
    packet::{Header, MemberName, manifest::Purpose},
    position::{Digest, Mark},
    stream::{Arrival, Breach, Facts, OwnHistory, Verdict, judge_control},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError, answers, load,
    packet_file::{self, Desk},
    requests::{self, Came},
    station::{Station, journal, put_protocol},
};
use crate::database::{
    book::{self, InPacket},
    write::{self, Scope},
};

/// What an incident about a file in quarantine says.
pub(super) const ASIDE: &str = "a file in quarantine";

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// Applied, with this many records in this and what it released.
    Applied(u64),
    /// It waits for what comes before it, or for its other parts.
    Held,
    /// It came before.
    Duplicate,
    /// An answer to one of ours, or a request.
    Answer,
    /// Not accepted; kept whole in the quarantine.
    Quarantined(PacketReason),
}

/// Admits the file `name` that was fetched to `path`.
///
/// # Errors
/// The database or the disk; then nothing has happened, and the file can be admitted again.
pub fn admit(station: &mut Station, name: &str, path: &Path, now: Timestamp) -> Result<Admitted, SpokeError> {
    let Ok(parsed) = name.parse::<FileName>() else {
        // nothing of such a name is kept or told: it may be a person's
        let stray = Stray::of(name, path).map_err(SpokeError::io(path))?;
        let told = stray.to_string();
        return put_aside(station, &stray.name, &told, path, None, PacketReason::BadName, now);
    };
    if parsed.to != station.own() || parsed.from != station.hub() {
        return quarantine(station, name, path, None, PacketReason::Foreign, now);
    }
    let (_, desk) = packet_file::apart(station);
    let Opened { header, mark, body, card } = match open(&desk, path, &parsed) {
        Ok(opened) => opened,
        Err(error) => match error.reason() {
            Some(reason) => {
                tracing::warn!(packet = name, %error, "not accepted");
                return quarantine(station, name, path, None, reason, now);
            }
            None => return Err(error.into()),
        },
    };
    judge_restore(station, &header, now)?;
    match header.purpose {
        Purpose::Data | Purpose::Snapshot(_) | Purpose::Keys => {
            numbered(station, name, path, &header, (mark, card), now)
        }
        Purpose::Receipt { .. } | Purpose::Protocol { .. } => {
            answer(station, name, path, &header, &body, now)
        }
        Purpose::Request => request(station, name, path, &header, &body, now),
    }
}

/// What a file of the hub was proved to be.
struct Opened {
    header: Header,
    mark: Mark,
    /// Of an answer or request.
    body: Vec<u8>,
    /// That a KY tells.
    card: Option<Card>,
}

/// Opens and proves the packet whole; the body of an answer with it.
fn open(desk: &Desk<'_>, path: &Path, name: &FileName) -> Result<Opened, PacketError> {
    let mut verified = desk.open(path, name)?;
    let mark = verified.mark();
    if name.kind.is_numbered() {
        let header = verified.manifest().header.clone();
        let is_ky = header.purpose == Purpose::Keys;
        let checked = verified
            .check_members()
            .and_then(|mut checked| is_ky.then(|| desk.hub_keys.read_new(&mut checked)).transpose());
        return match checked {
            // authentic all the same: loading comes upon it again, and refuses the packet whole with an answer
            Err(error) if error.reason().is_none() => Err(error),
            checked => Ok(Opened { header, mark, body: Vec::new(), card: checked.unwrap_or_default() }),
        };
    }
    let mut checked = verified.check_members()?;
    let header = checked.manifest().header.clone();
    let mut body = Vec::new();
    if !name.kind.is_numbered() {
        checked.for_each_line::<PacketError>(&MemberName::Answer, |line| {
            body.extend_from_slice(line);
            body.push(b'\n');
            Ok(())
        })?;
    }
    Ok(Opened { header, mark, body, card: None })
}

/// The control block is judged before anything is applied, in whatever file it stands (F6, F9, F10).
fn judge_restore(station: &mut Station, header: &Header, now: Timestamp) -> Result<(), SpokeError> {
    let hub = station.hub();
    let connection = &station.connection;
    let (ours, theirs) = (book::out_stream(connection, hub)?, book::in_stream(connection, hub)?);
    let sealed_at_ack = match header.control.ack {
        Some(ack) => book::sent_at(connection, hub, ack.position)?.map(|packet| packet.sent.mark.digest),
        None => None,
    };
    let consumed_at_echo = match header.control.echo {
        Some(echo) => book::received(connection, hub, echo.position.epoch, Some(echo.position.seq))?
            .into_iter()
            .find(|file| file.arrival.mark.digest == echo.digest && is_consumed(&file.state))
            .map(|file| file.arrival.mark.digest),
        None => None,
    };
    let own = OwnHistory {
        sending: ours.machine.epoch(),
        sealed_at_ack,
        receiving: theirs.machine.last.map(|mark| mark.position.epoch),
        consumed_at_echo,
    };
    let Some(evidence) = judge_control(&header.control, &own) else { return Ok(()) };
    if ours.machine.stop.is_some() {
        return Ok(());
    }
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| answers::restored(transaction, &desk, &evidence, now))
}

fn is_consumed(state: &str) -> bool {
    matches!(state, "APPLIED" | "REFUSED")
}

fn numbered(
    station: &mut Station,
    name: &str,
    path: &Path,
    header: &Header,
    (mark, card): (Mark, Option<Card>),
    now: Timestamp,
) -> Result<Admitted, SpokeError> {
    let part = match &header.purpose {
        Purpose::Snapshot(part) => Some(part.part),
        _ => None,
    };
    let arrival = Arrival { mark, previous: header.previous, part };
    if !arrival.is_well_formed() {
        return quarantine(station, name, path, Some(&arrival), PacketReason::Schema, now);
    }
    let hub = station.hub();
    let verdict = judge(&station.connection, hub, &arrival)?;
    let ready = match verdict {
        Verdict::Duplicate => {
            write::write(&mut station.connection, Scope::Book, |transaction| {
                answers::repeat(transaction, mark, now)
            })?;
            return Ok(Admitted::Duplicate);
        }
        Verdict::Fork(breach) => {
            keep_in(station, name, path, &station.config.quarantine.clone())?;
            fork(station, name, &arrival, breach, now)?;
            return Ok(Admitted::Quarantined(PacketReason::Fork));
        }
        Verdict::StaleEpoch => {
            return refuse_number(station, name, path, &arrival, PacketReason::StaleEpoch, now);
        }
        Verdict::Gap(_) | Verdict::Incomplete { .. } => None,
        Verdict::Ready(ready) => Some(ready),
    };
    let file = keep(station, name, path)?;
    if let Some(card) = &card {
        // as soon as it is verified, also if it waits; in trust/ before the packet is in the database
        let directory = station.config.path(&station.config.trust);
        Trust::open(&directory)?.succeed(card.clone(), mark.position)?;
        station.reload()?;
    }
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        hold(transaction, &desk, name, header, &arrival, &file, now)?;
        if let Some(card) = &card {
            book::replay_unknown_keys(transaction)?;
            let digests = [Digest::of(card.to_bytes())];
            journal(transaction, desk.own, now, "keys.taken", desk.hub.as_str(), "", &digests)?;
        }
        if ready.is_none() {
            answers::give_receipt(transaction, &desk, mark, now)?;
        }
        Ok::<_, SpokeError>(())
    })?;
    match ready {
        None => Ok(Admitted::Held),
        Some(ready) => Ok(Admitted::Applied(load::load(station, ready, now)?.records)),
    }
}

fn judge(
    connection: &Connection,
    hub: exchange_format::participant::ParticipantCode,
    arrival: &Arrival,
) -> Result<Verdict, SpokeError> {
    let position = arrival.mark.position;
    let same_place = book::received(connection, hub, position.epoch, Some(position.seq))?;
    let digest = arrival.mark.digest;
    let known = same_place.iter().any(|file| file.arrival.mark.digest == digest);
    let other = same_place
        .iter()
        .find(|file| file.arrival.mark.digest != digest && file.state != "QUARANTINED")
        .map(|file| file.arrival.mark.digest);
    let parts: Vec<Arrival> = book::received(connection, hub, position.epoch, None)?
        .into_iter()
        .filter(|file| file.state == "HELD" && file.arrival.part.is_some())
        .map(|file| file.arrival)
        .collect();
    let stream = book::in_stream(connection, hub)?;
    Ok(stream.machine.judge(arrival, &Facts { known, other, parts: &parts }))
}

fn hold(
    connection: &Connection,
    desk: &Desk<'_>,
    name: &str,
    header: &Header,
    arrival: &Arrival,
    file: &str,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let packet = InPacket {
        name,
        kind: header.kind().letters(),
        arrival: Some(*arrival),
        state: "HELD",
        reason: None,
        records: 0,
        ack: header.control.ack.map(|ack| ack.position),
        file,
    };
    book::set_in_packet(connection, desk.hub, &packet, now)?;
    journal(connection, desk.own, now, "packet.received", name, "", &[arrival.mark.digest])
}

fn answer(
    station: &mut Station,
    name: &str,
    path: &Path,
    header: &Header,
    body: &[u8],
    now: Timestamp,
) -> Result<Admitted, SpokeError> {
    let Some(answered) = header.answered() else {
        return quarantine(station, name, path, None, PacketReason::Schema, now);
    };
    let file = keep(station, name, path)?;
    let timing = station.config.exchange.timing();
    let kind = header.kind();
    let (connection, desk) = packet_file::apart(station);
    let taken = write::write(connection, Scope::Book, |transaction| {
        if kind == PacketKind::Receipt {
            answers::take_receipt(transaction, &desk, &timing, answered, body, now)?;
        } else {
            let told = (name, answered, header.control.ack);
            answers::take_protocol(transaction, &desk, told, body, now)?;
        }
        let packet = InPacket {
            name,
            kind: kind.letters(),
            arrival: None,
            state: "ANSWER",
            reason: None,
            records: 0,
            ack: None,
            file: &file,
        };
        book::set_in_packet(transaction, desk.hub, &packet, now)?;
        Ok::<_, SpokeError>(())
    });
    match taken {
        Err(SpokeError::Answer(error)) => {
            tracing::warn!(packet = name, %error, "not accepted");
            quarantine(station, name, path, None, PacketReason::Schema, now)
        }
        other => {
            other?;
            station.raise_watermark()?;
            Ok(Admitted::Answer)
        }
    }
}

/// The hub asks for something.
fn request(
    station: &mut Station,
    name: &str,
    path: &Path,
    header: &Header,
    body: &[u8],
    now: Timestamp,
) -> Result<Admitted, SpokeError> {
    let request = match requests::read(header, body) {
        Ok(request) => request,
        Err(error) => {
            tracing::warn!(packet = name, %error, "not accepted");
            return quarantine(station, name, path, None, PacketReason::Schema, now);
        }
    };
    let file = keep(station, name, path)?;
    let came = Came { name, file: &file, id: header.nonce, request: &request };
    Ok(if requests::honour(station, &came, now)? { Admitted::Answer } else { Admitted::Held })
}

/// The stream contradicts itself: it stops, the sender is told, an incident is open.
pub(super) fn fork(
    station: &mut Station,
    name: &str,
    arrival: &Arrival,
    breach: Breach,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let file = station.config.quarantine.join(name).to_string_lossy().into_owned();
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        let mut stream = book::in_stream(transaction, desk.hub)?;
        stream.machine.fork(arrival.mark.position.epoch);
        book::set_in_stream(transaction, desk.hub, &stream)?;
        refuse_in(transaction, &desk, name, arrival, PacketReason::Fork, &file, now)?;
        book::open_incident(transaction, "FORK", name, &breach.to_string(), now)?;
        Ok::<_, SpokeError>(())
    })
}

/// Quarantine with an answer: the packet is authentic, its place is not to be had.
fn refuse_number(
    station: &mut Station,
    name: &str,
    path: &Path,
    arrival: &Arrival,
    reason: PacketReason,
    now: Timestamp,
) -> Result<Admitted, SpokeError> {
    let file = keep_in(station, name, path, &station.config.quarantine.clone())?;
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        refuse_in(transaction, &desk, name, arrival, reason, &file, now)
    })?;
    Ok(Admitted::Quarantined(reason))
}

fn refuse_in(
    connection: &Connection,
    desk: &Desk<'_>,
    name: &str,
    arrival: &Arrival,
    reason: PacketReason,
    file: &str,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let kind = if arrival.part.is_some() { "SN" } else { "DT" };
    let packet = InPacket {
        name,
        kind,
        arrival: Some(*arrival),
        state: "QUARANTINED",
        reason: Some(reason.code()),
        records: 0,
        ack: None,
        file,
    };
    book::set_in_packet(connection, desk.hub, &packet, now)?;
    journal(connection, desk.own, now, "packet.quarantined", name, reason.code(), &[arrival.mark.digest])?;
    protocol_of_one(connection, desk, name, Some(arrival), reason, now)?;
    let outcome = PacketOutcome::Refused(reason);
    answers::give_protocol(connection, desk, arrival.mark, outcome, Counts::default(), &[], now)
}

/// The protocol of a file that was put aside.
fn protocol_of_one(
    connection: &Connection,
    desk: &Desk<'_>,
    name: &str,
    arrival: Option<&Arrival>,
    reason: PacketReason,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let mut protocol = Protocol::begin(ProtocolKind::Load, desk.lang, desk.own, Some(desk.hub), now);
    protocol.file(name, arrival.map(|arrival| arrival.mark.digest), reason.code());
    put_protocol(connection, protocol)
}

/// Puts a file aside that cannot be authenticated or opened, or that is not for us. It gets no answer.
fn quarantine(
    station: &mut Station,
    name: &str,
    path: &Path,
    arrival: Option<&Arrival>,
    reason: PacketReason,
    now: Timestamp,
) -> Result<Admitted, SpokeError> {
    put_aside(station, name, name, path, arrival, reason, now)
}

/// Keeps a file in quarantine as `name`; the journal says `told` of it.
fn put_aside(
    station: &mut Station,
    name: &str,
    told: &str,
    path: &Path,
    arrival: Option<&Arrival>,
    reason: PacketReason,
    now: Timestamp,
) -> Result<Admitted, SpokeError> {
    let file = keep_in(station, name, path, &station.config.quarantine.clone())?;
    let known = book::in_state(&station.connection, name)?.as_deref() == Some("QUARANTINED");
    if !known {
        let (connection, desk) = packet_file::apart(station);
        let kind = name.parse::<FileName>().map_or("?", |name| name.kind.letters());
        write::write(connection, Scope::Book, |transaction| {
            let packet = InPacket {
                name,
                kind,
                arrival: arrival.copied(),
                state: "QUARANTINED",
                reason: Some(reason.code()),
                records: 0,
                ack: None,
                file: &file,
            };
            book::set_in_packet(transaction, desk.hub, &packet, now)?;
            journal(transaction, desk.own, now, "packet.quarantined", told, reason.code(), &[])?;
            protocol_of_one(transaction, &desk, name, arrival, reason, now)?;
            if reason.severity() == exchange_format::answer::Severity::Incident {
                book::open_incident(transaction, reason.code(), name, ASIDE, now)?;
            }
            Ok::<_, SpokeError>(())
        })?;
    }
    Ok(Admitted::Quarantined(reason))
}

fn keep(station: &Station, name: &str, path: &Path) -> Result<String, SpokeError> {
    keep_in(station, name, path, &station.config.archive.join("in"))
}

/// Keeps a durable copy of `path` in `directory`; returns its place relative to the configuration. The same packet in
/// another envelope, or another file under a quarantined name, is kept beside what is there.
fn keep_in(station: &Station, name: &str, path: &Path, directory: &Path) -> Result<String, SpokeError> {
    let mut source = File::open(path).map_err(SpokeError::io(path))?;
    let kept = archive::keep_beside(&station.config.path(directory), name, &mut source)?;
    Ok(directory.join(kept).to_string_lossy().into_owned())
}
