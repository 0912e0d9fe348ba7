//! Requests: ours for what has not come from the hub, and the hub's for what it lacks of our stream (FORMAT.md
//! §Requests).

use exchange_endpoint::{
    durable_file,
    request_table::{CENTRE_TABLE, InForce, Requests},
};
use exchange_format::{
    answer::{AnswerError, Missing, PacketReason, Request, SnapshotCause},
    file_name::{FileName, PacketKind},
    packet::{Header, Nonce, SnapshotBasis, manifest::Purpose},
    position::{Epoch, Mark, Position, Seq},
    stream::{Ask, Asked, Lack, Part, SentPacket, Timing, first_gap, judge_gap},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError, export,
    load::HUB_RECOVERING,
    packet_file,
    packet_file::{Desk, Heading, write_answer},
    ranges, reopen,
    station::{Station, journal, random_u32},
};
use crate::database::{
    book::{self, InPacket, OutPacket},
    write::{self, Scope},
};

/// The requests of a centre's database.
pub fn of(connection: &Connection) -> Requests<'_> {
    Requests::new(connection, CENTRE_TABLE)
}

/// Asks the hub for what has not come, if that is due; ends what is over. When it is to be looked at again.
pub(super) fn ask(station: &mut Station, now: Timestamp) -> Result<Option<Timestamp>, SpokeError> {
    let (hub, timing) = (station.hub(), station.config.exchange.timing());
    let in_force = of(&station.connection).in_force(hub)?;
    let of_gap = in_force.iter().find(|one| matches!(one.asked.lack, Lack::Packets(_)));
    let judged = judge_gap(gap(&station.connection, hub)?, of_gap.map(|one| &one.asked), now, &timing);
    let others = || in_force.iter().filter(|one| !matches!(one.asked.lack, Lack::Packets(_)));
    let is_due = |one: &InForce| one.asked.due(now, &timing) <= now;
    let again = others().any(is_due);
    if again || matches!(judged, Ask::End | Ask::Now(_)) {
        let spool = station.spool();
        durable_file::make_directories(&spool).map_err(SpokeError::io(&spool))?;
        let (connection, desk) = packet_file::apart(station);
        write::write(connection, Scope::Book, |transaction| {
            if let (Ask::End | Ask::Now(_), Some(before)) = (judged, of_gap) {
                end(transaction, &desk, before.asked.id, now)?;
            }
            if let Ask::Now(missing) = judged {
                let attempts = of_gap.map_or(0, |one| one.asked.attempts);
                let lack = (Lack::Packets(missing), attempts);
                send(transaction, &desk, &timing, lack, &Request::Packets(missing), now)?;
            }
            others()
                .filter(|one| is_due(one))
                .try_for_each(|one| again_or_over(transaction, &desk, &timing, one, now))
        })?;
    }
    let in_force = of(&station.connection).in_force(hub)?;
    let waits = if let Ask::At(due) = judged { Some(due) } else { None };
    Ok(in_force.iter().map(|one| one.asked.due(now, &timing)).chain(waits).min())
}

/// A request is due that is not for packets.
fn again_or_over(
    connection: &Connection,
    desk: &Desk<'_>,
    timing: &Timing,
    one: &InForce,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let mut asked = one.asked;
    match asked.lack {
        Lack::Packets(_) => Ok(()),
        Lack::Snapshot(cause) if asked.is_in_vain() => {
            end(connection, desk, asked.id, now)?;
            let seen = book::in_stream(connection, desk.hub)?.machine.last;
            let lack = (asked.lack, asked.attempts);
            send(connection, desk, timing, lack, &Request::Snapshot { cause, seen }, now)
        }
        Lack::Snapshot(_) => {
            book::place_again(connection, &one.packet, now)?;
            asked.placed(now, timing, random_u32());
            Ok(of(connection).keep(desk.hub, &asked, &one.packet, now)?)
        }
        // no reply: the whole is asked for
        Lack::Ranges(_) => {
            end(connection, desk, asked.id, now)?;
            want_snapshot(connection, desk, timing, SnapshotCause::Divergence, now)
        }
        Lack::Nothing(_) => Ok(of(connection).end(asked.id)?),
    }
}

/// What is missing before the packets that are held, and when the last of these came.
fn gap(
    connection: &Connection,
    hub: exchange_format::participant::ParticipantCode,
) -> Result<Option<(Missing, Timestamp)>, SpokeError> {
    let mut held: Vec<(Position, Option<Part>)> = Vec::new();
    for epoch in book::held_epochs(connection, hub)? {
        let files = book::received(connection, hub, epoch, None)?;
        let waiting = files.iter().filter(|file| file.state == "HELD");
        held.extend(waiting.map(|file| (file.arrival.mark.position, file.arrival.part)));
    }
    let last = book::in_stream(connection, hub)?.machine.last.map(|mark| mark.position);
    let Some(missing) = first_gap(last, &held) else { return Ok(None) };
    Ok(Some((missing, book::last_held(connection, hub)?.unwrap_or(Timestamp::MIN))))
}

/// Asks the hub for a snapshot, unless one was asked for that has not been applied yet.
pub(super) fn want_snapshot(
    connection: &Connection,
    desk: &Desk<'_>,
    timing: &Timing,
    cause: SnapshotCause,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let in_force = of(connection).in_force(desk.hub)?;
    if in_force.iter().any(|one| matches!(one.asked.lack, Lack::Snapshot(_))) {
        return Ok(());
    }
    let request = Request::Snapshot { cause, seen: book::in_stream(connection, desk.hub)?.machine.last };
    send(connection, desk, timing, (Lack::Snapshot(cause), 0), &request, now)
}

/// A snapshot of the hub was applied, which opened `epoch`: what was asked of its stream is over, and so is every fork of a packet
/// of a former one.
pub(super) fn snapshot_applied(
    connection: &Connection,
    desk: &Desk<'_>,
    epoch: Epoch,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let fork = PacketReason::Fork.code();
    for (n, packet) in book::open_incidents(connection, fork)? {
        if packet.parse::<FileName>().is_ok_and(|name| name.position.epoch < epoch) {
            book::end_incident(connection, n, "told anew", now)?;
            journal(connection, desk.own, now, "incident.closed", &packet, fork, &[])?;
        }
    }
    for one in of(connection).in_force(desk.hub)? {
        end(connection, desk, one.asked.id, now)?;
    }
    Ok(())
}

pub(super) fn end(
    connection: &Connection,
    desk: &Desk<'_>,
    id: Nonce,
    now: Timestamp,
) -> Result<(), SpokeError> {
    of(connection).end(id)?;
    journal(connection, desk.own, now, "request.over", &id.to_string(), "", &[])
}

/// Seals an RQ; it is placed with the answers.
pub(super) fn send(
    connection: &Connection,
    desk: &Desk<'_>,
    timing: &Timing,
    (lack, attempts): (Lack, u32),
    request: &Request,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let rule = match lack {
        Lack::Packets(_) => "packets".to_owned(),
        Lack::Snapshot(cause) => format!("snapshot.{cause}"),
        Lack::Ranges(_) => "range_digests".to_owned(),
        Lack::Nothing(_) => "range_reply".to_owned(),
    };
    let mut body = Vec::new();
    request.write(&mut body)?;
    let position = request.position();
    let control = export::control(connection, desk, &book::out_stream(connection, desk.hub)?)?;
    let heading =
        Heading { purpose: Purpose::Request, position, previous: None, control, state_digest: None };
    let sealed = desk.seal(heading, now, |writer| write_answer(writer, &body))?;
    let digest = sealed.digest;
    let packet = OutPacket {
        name: sealed.name.clone(),
        kind: PacketKind::Request,
        sent: SentPacket::new(Mark { position, digest }, false, false, now),
        file: sealed.file,
        sha256: Some(sealed.sha256),
        records: 0,
    };
    book::add_out_packet(connection, desk.hub, &packet, Some((digest, &body)), now)?;
    let mut asked = Asked { attempts, ..Asked::new(sealed.nonce, lack, now) };
    asked.placed(now, timing, random_u32());
    of(connection).keep(desk.hub, &asked, &sealed.name, now)?;
    tracing::warn!(what = rule, packet = sealed.name, "asked for what has not come");
    journal(connection, desk.own, now, "request.made", &sealed.name, &rule, &[digest])
}

/// What the RQ of the hub asks for.
pub(super) fn read(header: &Header, body: &[u8]) -> Result<Request, AnswerError> {
    let request = Request::read(body)?;
    request.check_goes_with(header)?;
    Ok(request)
}

/// An RQ that came, kept.
pub(super) struct Came<'a> {
    pub name: &'a str,
    pub file: &'a str,
    pub id: Nonce,
    pub request: &'a Request,
}

impl Came<'_> {
    /// Whether the hub asks because it was restored.
    fn is_after_restore(&self) -> bool {
        matches!(self.request, Request::Snapshot { cause: SnapshotCause::Restored, .. })
    }
}

/// The hub was restored: what it has said in the present epoch counts no more, until it has recovered.
fn close_for_recovery(connection: &Connection, desk: &Desk<'_>, now: Timestamp) -> Result<(), SpokeError> {
    let mut stream = book::in_stream(connection, desk.hub)?;
    stream.machine.close_for_recovery();
    book::set_in_stream(connection, desk.hub, &stream)?;
    let subject = desk.hub.as_str();
    book::open_incident(connection, HUB_RECOVERING, subject, "it asks for what it has lost", now)?;
    journal(connection, desk.own, now, "incident.peer_restored", subject, "", &[])
}

/// Does what the hub asks for, once. False if that cannot be done now: the RQ is to be looked at again.
pub(super) fn honour(station: &mut Station, came: &Came<'_>, now: Timestamp) -> Result<bool, SpokeError> {
    let hub = station.hub();
    let before = of(&station.connection).honoured(hub, came.id)?;
    let machine = book::out_stream(&station.connection, hub)?.machine;
    let may_seal = machine.stop.is_none();
    let basis = match (came.request, before) {
        (Request::Packets(missing), None) => {
            let whole = place_again(station, missing, machine.last, now)?;
            (!whole && may_seal).then_some(SnapshotBasis::Initial)
        }
        (Request::Snapshot { .. }, Some(Some(opened)))
            if machine.honours_requests() && book::is_superseded(&station.connection, hub, opened)? =>
        {
            // another request, perhaps of a life that is over, has got the next epoch before this one was answered
            Some(SnapshotBasis::Requested { request: came.id })
        }
        (Request::Snapshot { .. }, Some(Some(opened))) => {
            place_parts_again(station, opened, machine.last, now)?;
            None
        }
        (Request::Snapshot { .. }, None) if machine.honours_requests() => {
            Some(SnapshotBasis::Requested { request: came.id })
        }
        (Request::Snapshot { .. }, None) => return Ok(false),
        _ => None,
    };
    if let Some(basis) = basis {
        let after_restore = came.is_after_restore();
        reopen::anew(station, basis, now, |transaction, desk, opened| {
            if after_restore {
                close_for_recovery(transaction, desk, now)?;
            }
            note(transaction, desk, came, Some(opened), now)
        })?;
    } else if before.is_none() {
        let timing = station.config.exchange.timing();
        let spool = station.spool();
        durable_file::make_directories(&spool).map_err(SpokeError::io(&spool))?;
        let (connection, desk) = packet_file::apart(station);
        write::write(connection, Scope::Book, |transaction| {
            if let Request::RangeDigests(theirs) = came.request {
                ranges::take(transaction, &desk, &timing, (came.id, theirs), now)?;
            }
            note(transaction, &desk, came, None, now)
        })?;
    }
    Ok(true)
}

fn note(
    connection: &Connection,
    desk: &Desk<'_>,
    came: &Came<'_>,
    opened: Option<Epoch>,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let asks = match came.request {
        Request::Packets(_) => "packets",
        Request::Snapshot { .. } if came.is_after_restore() => "restored",
        Request::Snapshot { .. } => "snapshot",
        Request::RangeDigests(_) => "range_digests",
    };
    of(connection).honour(desk.hub, came.id, asks, opened, now)?;
    let packet = InPacket {
        name: came.name,
        kind: PacketKind::Request.letters(),
        arrival: None,
        state: "ANSWER",
        reason: None,
        records: 0,
        ack: None,
        file: came.file,
    };
    book::set_in_packet(connection, desk.hub, &packet, now)?;
    journal(connection, desk.own, now, "request.taken", came.name, asks, &[])
}

/// Lets the packets of `missing` be placed again; false if one was closed and is not to be had again: then only the
/// whole can be told. One whose file is lost is found out when it is placed. What was never sealed is not missing, and
/// what an older epoch had was told anew.
fn place_again(
    station: &mut Station,
    missing: &Missing,
    last: Option<Mark>,
    now: Timestamp,
) -> Result<bool, SpokeError> {
    let Some(last) = last.filter(|last| last.position.epoch == missing.epoch()) else { return Ok(true) };
    let until = missing.last().min(last.position.seq).get();
    place_run(station, missing.epoch(), missing.first().get()..=until, now)
}

fn place_parts_again(
    station: &mut Station,
    opened: Epoch,
    last: Option<Mark>,
    now: Timestamp,
) -> Result<(), SpokeError> {
    if let Some(last) = last.filter(|last| last.position.epoch == opened) {
        place_run(station, opened, 1..=last.position.seq.get(), now)?;
    }
    Ok(())
}

/// Makes the open ones of these packets due; whether all are open.
fn place_run(
    station: &mut Station,
    epoch: Epoch,
    run: std::ops::RangeInclusive<u32>,
    now: Timestamp,
) -> Result<bool, SpokeError> {
    let hub = station.hub();
    write::write(&mut station.connection, Scope::Book, |transaction| {
        let mut whole = true;
        for seq in run {
            let position = Position { epoch, seq: Seq::new(u64::from(seq)).expect("between two numbers") };
            let Some(mut packet) = book::sent_at(transaction, hub, position)? else {
                whole = false;
                continue;
            };
            if packet.sent.asked_for(now) {
                book::update_out_packet(transaction, &packet.name, &packet.sent, now)?;
            } else {
                whole = false;
            }
        }
        Ok::<_, SpokeError>(whole)
    })
}
