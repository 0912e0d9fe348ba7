//! Answers: what we say of the hub's packets, and what the hub says of ours (exchange §6).

use exchange_format::{
    answer::{
        Counts, PacketOutcome, PacketReason, Protocol, ProtocolReader, ProtocolWriter, Receipt, RecordLine,
        RecordOutcome,
    },
    file_name::PacketKind,
    packet::manifest::{Purpose, SnapshotBasis},
    participant::ParticipantCode,
    position::Mark,
    record::Kind,
    stream::{AnswerEffect, Control, Evidence, Named, SentPacket, Stop, Timing, judge_own_mark},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError,
    packet_file::{Desk, Heading, write_answer},
    reopen, requests, rotation,
    station::{journal, random_u32},
};
use crate::database::{
    book::{self, OutPacket, OutStream},
    proposals, sent,
    sums::SEALED,
};

/// Of every PR of a centre: what it says of a packet is its last word.
const REVISION: u32 = 1;

/// The most records that one PR may list.
const LINES: u64 = 2_000_000;

/// Seals a KV for `answered`, to be placed after this transaction.
pub(super) fn give_receipt(
    connection: &Connection,
    desk: &Desk<'_>,
    answered: Mark,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let mut body = Vec::new();
    Receipt { answered, received_at: now }.write(&mut body)?;
    let purpose = Purpose::Receipt { answered: answered.digest };
    give(connection, desk, PacketKind::Receipt, purpose, answered, &body, now).map(|_| ())
}

/// Seals a PR for `answered`, to be placed after this transaction.
pub(super) fn give_protocol(
    connection: &Connection,
    desk: &Desk<'_>,
    answered: Mark,
    outcome: PacketOutcome,
    counts: Counts,
    lines: &[RecordLine],
    now: Timestamp,
) -> Result<(), SpokeError> {
    let head = Protocol { answered, revision: REVISION, outcome, counts };
    let mut writer = ProtocolWriter::new(Vec::new(), &head)?;
    for line in lines {
        writer.line(line)?;
    }
    let body = writer.finish()?;
    let purpose = Purpose::Protocol { answered: answered.digest, revision: REVISION };
    give(connection, desk, PacketKind::Protocol, purpose, answered, &body, now).map(|_| ())
}

/// Seals the answer `name` once more in the place of its lost file; says how. `None` if what it says is lost, too.
pub(super) fn give_again(
    connection: &Connection,
    desk: &Desk<'_>,
    name: &str,
    now: Timestamp,
) -> Result<Option<String>, SpokeError> {
    let given = book::answer(connection, name)?;
    book::give_up_answer(connection, name)?;
    let Some(book::Answer { kind, answered, body }) = given else { return Ok(None) };
    if kind == PacketKind::Request {
        requests::of(connection).end_of(name)?;
        return Ok(Some("asked anew if it is still missing".to_owned()));
    }
    let answers = answered.digest;
    let purpose = match kind {
        PacketKind::Receipt => Purpose::Receipt { answered: answers },
        _ => Purpose::Protocol { answered: answers, revision: REVISION },
    };
    let again = give(connection, desk, kind, purpose, answered, &body, now)?;
    Ok(Some(format!("sealed again as {again}")))
}

/// Seals an answer and returns its name.
fn give(
    connection: &Connection,
    desk: &Desk<'_>,
    kind: PacketKind,
    purpose: Purpose,
    answered: Mark,
    body: &[u8],
    now: Timestamp,
) -> Result<String, SpokeError> {
    let control = Control {
        ack: book::in_stream(connection, desk.hub)?.machine.last,
        echo: book::out_stream(connection, desk.hub)?.machine.echo,
    };
    let heading =
        Heading { purpose, position: answered.position, previous: None, control, state_digest: None };
    let sealed = desk.seal(heading, now, |writer| write_answer(writer, body))?;
    let mark = Mark { position: answered.position, digest: sealed.digest };
    let packet = OutPacket {
        name: sealed.name.clone(),
        kind,
        sent: SentPacket::new(mark, false, false, now),
        file: sealed.file,
        sha256: Some(sealed.sha256),
        records: 0,
    };
    book::add_out_packet(connection, desk.hub, &packet, Some((answered.digest, body)), now)?;
    let digests = [sealed.digest, answered.digest];
    journal(connection, desk.own, now, SEALED, &sealed.name, "", &digests)?;
    Ok(sealed.name)
}

/// Places our answers to `answered` once more: the packet came again.
pub(super) fn repeat(connection: &Connection, answered: Mark, now: Timestamp) -> Result<(), SpokeError> {
    for name in book::answers_to(connection, answered.digest)? {
        book::place_again(connection, &name, now)?;
    }
    Ok(())
}

/// Our packet that `answered` names, if it is one; evidence if it should be and is not.
fn find(
    connection: &Connection,
    desk: &Desk<'_>,
    answered: Mark,
    now: Timestamp,
) -> Result<Option<OutPacket>, SpokeError> {
    let mut stream = book::out_stream(connection, desk.hub)?;
    stream.machine.told_epoch(answered.position.epoch);
    let packet = book::sent_at(connection, desk.hub, answered.position)?;
    let sealed = packet.as_ref().map(|packet| packet.sent.mark.digest);
    let named = judge_own_mark(&answered, sealed, stream.machine.epoch());
    book::set_out_stream(connection, desk.hub, &stream)?;
    Ok(match named {
        Named::Ours => packet,
        Named::FormerLife => None,
        Named::Unknown => {
            restored(connection, desk, &Evidence::Answered(answered), now)?;
            None
        }
    })
}

/// A KV has come.
pub(super) fn take_receipt(
    connection: &Connection,
    desk: &Desk<'_>,
    timing: &Timing,
    answered: Mark,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SpokeError> {
    if Receipt::read(body)?.answered != answered {
        return Ok(());
    }
    if let Some(mut packet) = find(connection, desk, answered, now)?
        && packet.sent.receipt(&answered, now, timing, random_u32())
    {
        book::update_out_packet(connection, &packet.name, &packet.sent, now)?;
    }
    Ok(())
}

/// The PR `name` has come, by which the hub has acknowledged `ack` of our stream.
pub(super) fn take_protocol(
    connection: &Connection,
    desk: &Desk<'_>,
    (name, answered, ack): (&str, Mark, Option<Mark>),
    body: &[u8],
    now: Timestamp,
) -> Result<(), SpokeError> {
    let mut reader = ProtocolReader::new(body, LINES)?;
    let head = *reader.head();
    let Some(mut packet) = find(connection, desk, answered, now)?.filter(|_| head.answered == answered)
    else {
        return Ok(());
    };
    let mut stream = book::out_stream(connection, desk.hub)?;
    let effect = stream.machine.protocol(&mut packet.sent, &answered, head.revision, head.outcome);
    book::set_out_stream(connection, desk.hub, &stream)?;
    match effect {
        AnswerEffect::Nothing => return Ok(()),
        AnswerEffect::Close => {
            sent::clear_outcomes(connection, answered.position)?;
            let mut behind = None;
            while let Some(line) = reader.next_line()? {
                sent::set_outcome(connection, answered.position, &line)?;
                if line.kind == Kind::Proposal && line.outcome == RecordOutcome::Refused {
                    proposals::refused(connection, &line, name)?;
                }
                behind = behind.or(Some(line.reason).filter(|reason| reason.proves_restore()));
            }
            if let Some(reason) = behind {
                // the hub has a newer version of what is ours (R12)
                restored(connection, desk, &Evidence::RecordBehind { packet: answered, reason }, now)?;
            }
        }
        AnswerEffect::Refused { reason, .. } => {
            book::open_incident(connection, reason.code(), &packet.name, "our packet was refused", now)?;
        }
        AnswerEffect::Restored(Evidence::Refused { reason: PacketReason::StaleEpoch, .. })
            if packet.sent.snapshot && is_new(&stream, ack) =>
        {
            let opened = reopen::seal(connection, desk, SnapshotBasis::Initial, now)?;
            tracing::warn!(epoch = opened.get(), "another machine had this code before; a new epoch begins");
            journal(connection, desk.own, now, "stream.reopened", desk.hub.as_str(), "STALE_EPOCH", &[])?;
        }
        AnswerEffect::Restored(evidence) => restored(connection, desk, &evidence, now)?,
    }
    book::update_out_packet(connection, &packet.name, &packet.sent, now)?;
    if packet.kind == PacketKind::Keys {
        rotation::answered(connection, &packet.name, head.outcome)?;
    }
    let reason = head.outcome.reason().map_or("", |reason| reason.code());
    journal(connection, desk.own, now, "packet.answered", &packet.name, reason, &[answered.digest])
}

/// Whether nothing proves that this installation was ever heard: the hub says with the refusal that it has consumed nothing
/// of this stream (`ack`), nor has it ever answered that it did. It has closed an epoch of which it acknowledges nothing,
/// so that one was the former machine's, which had the code with other keys (exchange §7, Keys). Of a database put back from a
/// copy it would acknowledge what that never sealed, or find another packet under the same number. What the hub has sent
/// proves nothing: it may be here before anything of ours is there.
fn is_new(stream: &OutStream, ack: Option<Mark>) -> bool {
    let machine = &stream.machine;
    machine.stop.is_none() && machine.echo.is_none() && ack.is_none()
}

/// Something shows that this database was restored or copied: data stop, an incident is open.
pub(super) fn restored(
    connection: &Connection,
    desk: &Desk<'_>,
    evidence: &Evidence,
    now: Timestamp,
) -> Result<(), SpokeError> {
    stop_restored(connection, (desk.own, desk.hub), evidence, now)
}

/// [`restored`], without a desk.
pub(super) fn stop_restored(
    connection: &Connection,
    (own, hub): (ParticipantCode, ParticipantCode),
    evidence: &Evidence,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let mut stream = book::out_stream(connection, hub)?;
    // more evidence of the same says nothing new
    if stream.machine.stop.replace(Stop::Restored) == Some(Stop::Restored) {
        return Ok(());
    }
    book::set_out_stream(connection, hub, &stream)?;
    if book::open_incident(connection, "RESTORED", hub.as_str(), &evidence.to_string(), now)? {
        tracing::error!(%evidence, "this database was restored or copied; data stop");
        journal(connection, own, now, "incident.restored", hub.as_str(), "RESTORED", &[])?;
    }
    Ok(())
}
