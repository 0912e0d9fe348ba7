//! Requests: ours for what has not come from a centre, and a centre's for what it lacks of our stream (FORMAT.md
//! §Requests).

use std::fs::File;

use exchange_endpoint::request_table::InForce;
use exchange_format::{
    answer::{AnswerError, Missing, PacketReason, Request, SnapshotCause},
    packet::{CheckedPacket, Header, MemberName, Nonce, SnapshotBasis},
    participant::ParticipantCode,
    position::{Position, Seq},
    record::{Kind, Record},
    stream::{Ask, Asked, Evidence, Lack, Stop, judge_gap, judge_mirror},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    hub::{Context, HubError},
    intake::{Beside, journal, random},
    placing::is_whole,
    ranges,
    sealing::{self, data::seal_anew},
};
use crate::database::Tx;

/// The incident that a centre was restored, while it recovers.
pub(super) const PEER_RESTORED: &str = "PEER_RESTORED";

/// Asks `centre` for what has not come, if that is due; ends what is over.
pub(super) fn ask(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    if wants_comparison(tx, centre)? {
        for one in tx.requests().in_force(centre)? {
            let whole = matches!(one.asked.lack, Lack::Snapshot(_) | Lack::Ranges(_));
            end(context, tx, centre, Some(one.asked.id).filter(|_| whole), now)?;
        }
        want_snapshot(context, tx, centre, SnapshotCause::Restored, now)?;
    }
    let in_force = tx.requests().in_force(centre)?;
    let of_gap = in_force.iter().find(|one| matches!(one.asked.lack, Lack::Packets(_)));
    match judge_gap(tx.gap(centre)?, of_gap.map(|one| &one.asked), now, &context.timing) {
        Ask::Nothing | Ask::At(_) => {}
        Ask::End => end(context, tx, centre, of_gap.map(|one| one.asked.id), now)?,
        Ask::Now(missing) => {
            end(context, tx, centre, of_gap.map(|one| one.asked.id), now)?;
            let attempts = of_gap.map_or(0, |one| one.asked.attempts);
            let lack = (Lack::Packets(missing), attempts);
            send(context, tx, centre, lack, &Request::Packets(missing), now)?;
        }
    }
    for one in in_force.iter().filter(|one| one.asked.due(now, &context.timing) <= now) {
        let mut asked = one.asked;
        match asked.lack {
            Lack::Packets(_) => {}
            Lack::Snapshot(cause) if asked.is_in_vain() => {
                end(context, tx, centre, Some(asked.id), now)?;
                let request = Request::Snapshot { cause, seen: tx.streams(centre)?.incoming.last };
                send(context, tx, centre, (asked.lack, asked.attempts), &request, now)?;
            }
            Lack::Snapshot(_) => {
                tx.set_packet_state(&one.packet, "SEALED", None)?;
                asked.placed(now, &context.timing, random());
                tx.requests().keep(centre, &asked, &one.packet, now)?;
            }
            // no reply: the whole is asked for
            Lack::Ranges(_) => {
                end(context, tx, centre, Some(asked.id), now)?;
                want_snapshot(context, tx, centre, SnapshotCause::Divergence, now)?;
            }
            Lack::Nothing(_) => tx.requests().end(asked.id)?,
        }
    }
    Ok(())
}

/// Whether a request for packets is in force, and nothing is missing any more.
pub(super) fn is_over(tx: &Tx<'_>, centre: ParticipantCode) -> Result<bool, HubError> {
    let in_force = tx.requests().in_force(centre)?;
    let of_gap = in_force.iter().any(|one| matches!(one.asked.lack, Lack::Packets(_)));
    Ok(of_gap && tx.gap(centre)?.is_none())
}

/// When something is to be asked of `centre` by itself.
pub(super) fn next_due(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<Option<Timestamp>, HubError> {
    if wants_comparison(tx, centre)? {
        return Ok(Some(now));
    }
    let in_force = tx.requests().in_force(centre)?;
    let of_gap = in_force.iter().find(|one| matches!(one.asked.lack, Lack::Packets(_)));
    let gap = match judge_gap(tx.gap(centre)?, of_gap.map(|one| &one.asked), now, &context.timing) {
        Ask::Now(_) => Some(now),
        Ask::At(due) => Some(due),
        Ask::Nothing | Ask::End => None,
    };
    let others = in_force.iter().filter(|one| !matches!(one.asked.lack, Lack::Packets(_)));
    Ok(others.map(|one| one.asked.due(now, &context.timing)).chain(gap).min())
}

/// Whether this hub was restored, and has neither the snapshot of `centre` that it is to be compared with nor asked for it.
fn wants_comparison(tx: &Tx<'_>, centre: ParticipantCode) -> Result<bool, HubError> {
    let is_asked = |one: &InForce| one.asked.lack == Lack::Snapshot(SnapshotCause::Restored);
    Ok(tx.streams(centre)?.outgoing.stop == Some(Stop::Restored)
        && tx.requests().compared_with(centre)?.is_none()
        && !tx.requests().in_force(centre)?.iter().any(is_asked))
}

/// Asks `centre` for a snapshot, unless one was asked for that has not been applied yet.
pub(super) fn want_snapshot(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    cause: SnapshotCause,
    now: Timestamp,
) -> Result<(), HubError> {
    let in_force = tx.requests().in_force(centre)?;
    if in_force.iter().any(|one| matches!(one.asked.lack, Lack::Snapshot(_))) {
        return Ok(());
    }
    let request = Request::Snapshot { cause, seen: tx.streams(centre)?.incoming.last };
    send(context, tx, centre, (Lack::Snapshot(cause), 0), &request, now)
}

/// A snapshot of `centre` was applied: what was asked of its stream is over.
pub(super) fn snapshot_applied(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    for one in tx.requests().in_force(centre)? {
        end(context, tx, centre, Some(one.asked.id), now)?;
    }
    Ok(())
}

pub(super) fn end(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    id: Option<Nonce>,
    now: Timestamp,
) -> Result<(), HubError> {
    let Some(id) = id else { return Ok(()) };
    tx.requests().end(id)?;
    journal(tx, context.code, "request.over", &format!("{centre} {id}"), "", &[], now)
}

/// Seals an RQ; it is placed with the answers.
pub(super) fn send(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (lack, attempts): (Lack, u32),
    request: &Request,
    now: Timestamp,
) -> Result<(), HubError> {
    let streams = tx.streams(centre)?;
    let rule = match lack {
        Lack::Packets(_) => "packets".to_owned(),
        Lack::Snapshot(cause) => format!("snapshot.{cause}"),
        Lack::Ranges(_) => "range_digests".to_owned(),
        Lack::Nothing(_) => "range_reply".to_owned(),
    };
    let (name, nonce, digest) = sealing::answers::request(context, tx, centre, &streams, request, now)?;
    let mut asked = Asked { attempts, ..Asked::new(nonce, lack, now) };
    asked.placed(now, &context.timing, random());
    tx.requests().keep(centre, &asked, &name, now)?;
    tracing::warn!(centre = %centre, what = rule, "asked for what has not come");
    journal(tx, context.code, "request.made", &name, &rule, &[digest], now)
}

/// Does what `centre` asks for, once. Of requests that are one asking, and stand together, only the newest is honoured: the centre
/// was put back once, however often it has asked.
pub(super) fn honour_one(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    ((id, request), beside): ((Nonce, &Request), &Beside),
    now: Timestamp,
) -> Result<(), HubError> {
    let pass_over = |passed: Nonce, newer: Nonce| {
        let (subject, rule) = (format!("{centre} {passed}"), newer.to_string());
        journal(tx, context.code, "request.passed_over", &subject, &rule, &[], now)
    };
    if let Some(newer) = beside.newer {
        return if tx.requests().honoured(centre, id)?.is_none() { pass_over(id, newer) } else { Ok(()) };
    }
    honour(context, tx, centre, (id, request), now)?;
    if let Some(opened) = tx.requests().honoured(centre, id)?.flatten() {
        for older in &beside.older {
            if tx.requests().honoured(centre, *older)?.is_none() {
                tx.requests().honour(centre, *older, "restored", Some(opened), now)?;
                pass_over(*older, id)?;
            }
        }
    }
    Ok(())
}

/// Does what `centre` asks for, once.
fn honour(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (id, request): (Nonce, &Request),
    now: Timestamp,
) -> Result<(), HubError> {
    let before = tx.requests().honoured(centre, id)?;
    let machine = tx.streams(centre)?.outgoing;
    let note = |asks, opened| tx.requests().honour(centre, id, asks, opened, now);
    match (request, before) {
        (Request::Packets(missing), None) => {
            if !place_again(context, tx, centre, missing, now)? && machine.stop.is_none() {
                seal_anew(context, tx, centre, SnapshotBasis::Initial, now)?;
            }
            note("packets", None)?;
        }
        (Request::Snapshot { .. }, Some(Some(opened)))
            if machine.honours_requests() && tx.is_superseded(centre, opened)? =>
        {
            // another request, perhaps of a life that is over, has got the next epoch before this one was answered
            let opened = seal_anew(context, tx, centre, SnapshotBasis::Requested { request: id }, now)?;
            note("snapshot", Some(opened))?;
        }
        (Request::Snapshot { .. }, Some(Some(opened))) => {
            for (name, mut sent) in tx.open_packets(centre)? {
                if sent.mark.position.epoch == opened && sent.asked_for(now) {
                    tx.set_sent_packet(&name, &sent)?;
                }
            }
        }
        (Request::Snapshot { cause: SnapshotCause::Divergence, .. }, None | Some(None))
            if machine.honours_requests() && machine.stop.is_none() =>
        {
            // what the centre holds of our stream shows first whether it is our own rows that have lost something; it is
            // honoured when that is here
            want_snapshot(context, tx, centre, SnapshotCause::Divergence, now)?;
            note("snapshot", None)?;
        }
        (Request::Snapshot { cause, .. }, None) if machine.honours_requests() => {
            let after_restore = *cause == SnapshotCause::Restored;
            if after_restore {
                close_for_recovery(context, tx, centre, now)?;
            }
            let basis = SnapshotBasis::Requested { request: id };
            let opened = seal_anew(context, tx, centre, basis, now)?;
            note(if after_restore { "restored" } else { "snapshot" }, Some(opened))?;
        }
        (Request::RangeDigests(theirs), None) => {
            ranges::take(context, tx, centre, (id, theirs), now)?;
            note("range_digests", None)?;
        }
        _ => {}
    }
    Ok(())
}

/// `centre` was restored: what it has said in the present epoch counts no more, until it has recovered.
fn close_for_recovery(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    let mut streams = tx.streams(centre)?;
    streams.incoming.close_for_recovery();
    tx.set_streams(centre, &streams)?;
    if has_recovered_lately(tx, centre, now)? || tx.times_told(centre, PEER_RESTORED)? + 1 >= ASKED {
        tell_of_twin(context, tx, centre, now)?;
    }
    tx.add_incident(centre, PEER_RESTORED, None, &now.to_string())?;
    journal(tx, context.code, "incident.peer_restored", centre.as_str(), "", &[], now)
}

/// A centre that recovers again within this time may be two machines.
const TWIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A centre that asks for so many recoveries before one has ended may be two machines.
const ASKED: u32 = 3;

/// Two machines of one centre recover by turns, each of what the other has sent, or end each other's recovery by asking for their
/// own, and none ever ends. Nothing is lost by it, and it may as well have been put back twice: it is told of, and goes on.
fn tell_of_twin(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    let clone = PacketReason::Clone.code();
    tx.add_incident(centre, clone, None, &now.to_string())?;
    journal(tx, context.code, "incident.clone", centre.as_str(), clone, &[], now)
}

fn has_recovered_lately(tx: &Tx<'_>, centre: ParticipantCode, now: Timestamp) -> Result<bool, HubError> {
    Ok(tx.has_ended_since(centre, PEER_RESTORED, &(now - TWIN).to_string())?)
}

/// `centre` has recovered.
pub(super) fn peer_recovered(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    if has_recovered_lately(tx, centre, now)? && !tx.has_incident(centre, PacketReason::Clone.code())? {
        tell_of_twin(context, tx, centre, now)?;
    }
    for code in [PEER_RESTORED, PacketReason::Fork.code()] {
        tx.close_incidents(centre, code, &now.to_string())?;
    }
    Ok(())
}

/// A packet of `centre` was applied: what was taken for a second machine long ago was none.
pub(super) fn no_twin(tx: &Tx<'_>, centre: ParticipantCode, now: Timestamp) -> Result<(), HubError> {
    let lately = (now - TWIN).to_string();
    Ok(tx.close_incidents_before(centre, PacketReason::Clone.code(), &lately, &now.to_string())?)
}

/// Lets the packets of `missing` be placed again; false if one is not there any more: then only the whole can be told.
/// What was never sealed is not missing, and what an older epoch had was told anew.
fn place_again(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    missing: &Missing,
    now: Timestamp,
) -> Result<bool, HubError> {
    let Some(last) = tx.streams(centre)?.outgoing.last.filter(|last| last.position.epoch == missing.epoch())
    else {
        return Ok(true);
    };
    let until = missing.last().min(last.position.seq).get();
    for seq in missing.first().get()..=until {
        let seq = Seq::new(u64::from(seq)).expect("between two numbers");
        let position = Position { epoch: missing.epoch(), seq };
        let row = tx.packets_at("out", centre, position)?.pop();
        let Some(mark) = row.map(|row| row.arrival.mark) else { return Ok(false) };
        let Some((name, mut sent)) = tx.sent_packet(centre, &mark)? else { return Ok(false) };
        if !sent.asked_for(now) || !is_whole(context, tx, centre, &name)? {
            return Ok(false);
        }
        tx.set_sent_packet(&name, &sent)?;
    }
    Ok(true)
}

/// Compares a centre's mirror of our publications with what we have published: one that is ahead of us shows that this
/// hub was restored, where `is_evidence` does not say otherwise of it.
pub(super) fn judge_mirror_of(
    tx: &Tx<'_>,
    centre: ParticipantCode,
    packet: &mut CheckedPacket<'_, File>,
    is_evidence: impl Fn(&Record) -> Result<bool, HubError>,
) -> Result<Option<Evidence>, HubError> {
    let members: Vec<MemberName> =
        packet.manifest().members.iter().map(|member| member.name.clone()).collect();
    let mut found = None;
    for member in members {
        let Some(kind) = member.mirrored().and_then(|kind| kind.parse::<Kind>().ok()) else { continue };
        packet.for_each_line::<HubError>(&member, |line| {
            let Ok(record) = Record::parse_line(kind, line) else { return Ok(()) };
            let told = tx.publication(centre, kind, record.key)?;
            let sent = told.and_then(|told| told.sealed.map(|(form, hash)| (told.version, form, hash)));
            if found.is_none()
                && let Some(evidence) = judge_mirror(&record, sent)
                && is_evidence(&record)?
            {
                found = Some(evidence);
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// Takes the RQ of a centre: what it asks for.
pub(super) fn read(header: &Header, body: &[u8]) -> Result<Request, AnswerError> {
    let request = Request::read(body)?;
    request.check_goes_with(header)?;
    Ok(request)
}
