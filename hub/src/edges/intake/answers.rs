//! A centre's answers about our packets.

use std::{fs::File, io::Cursor};

use exchange_format::{
    answer::{PacketOutcome, ProtocolReader, Receipt, RecordOutcome},
    error::PacketError,
    packet::{MemberName, VerifiedPacket, manifest::Purpose},
    participant::ParticipantCode,
    position::Mark,
    stream::{AnswerEffect, Evidence, Named, Stop, judge_own_mark},
};
use jiff::Timestamp;

use super::{Taken, asked, journal, keys};
use crate::{
    database::{Tx, streams::PacketRow},
    edges::{
        hub::{Context, Hub, HubError},
        requests,
        sealing::keys::is_ky,
    },
};

/// Takes a verified KV, PR or RQ.
pub(super) fn take(
    hub: &mut Hub,
    centre: ParticipantCode,
    name: &str,
    packet: &mut VerifiedPacket<File>,
    now: Timestamp,
) -> Result<Taken, HubError> {
    let (mark, header) = (packet.mark(), packet.manifest().header.clone());
    let body = match body(packet) {
        Ok(body) => body,
        Err(error) => {
            let reason = error.reason().and_then(|reason| reason.code().parse().ok());
            return Ok(Taken::Quarantined(reason.ok_or(error)?));
        }
    };
    let Hub { store, context, .. } = hub;
    let beside = asked::beside(context, centre, name, (&header, &body))?;
    let applied = store.write(|tx| {
        match &header.purpose {
            Purpose::Receipt { .. } => receipt(context, tx, centre, &body, now)?,
            Purpose::Protocol { .. } => protocol(context, tx, centre, &body, now)?,
            Purpose::Request => {
                let request = requests::read(&header, &body)?;
                requests::honour_one(context, tx, centre, ((header.nonce, &request), &beside), now)?;
            }
            Purpose::Data | Purpose::Snapshot(_) | Purpose::Keys => unreachable!("numbered, taken elsewhere"),
        }
        tx.put_packet(&PacketRow {
            name,
            direction: "in",
            peer: centre,
            kind: header.kind().letters(),
            mark: Some(mark),
            state: "APPLIED",
            reason: None,
            previous: None,
            part: None,
            answered: header.answered().map(|answered| (answered.digest, None)),
            unconfirmed: false,
            at: &now.to_string(),
            records: 0,
            sha256: None,
        })?;
        journal(tx, context.code, "answer.taken", name, "", &[mark.digest], now)
    });
    match applied {
        Ok(()) => Ok(Taken::Done(Vec::new())),
        Err(HubError::Answer(_)) => Ok(Taken::Quarantined(exchange_format::answer::PacketReason::Schema)),
        Err(error) => Err(error),
    }
}

/// The lines of an answer.
pub(super) fn body(packet: &mut VerifiedPacket<File>) -> Result<Vec<u8>, PacketError> {
    let mut body = Vec::new();
    packet.check_members()?.for_each_line(&MemberName::Answer, |line| {
        body.extend_from_slice(line);
        body.push(b'\n');
        Ok::<_, PacketError>(())
    })?;
    Ok(body)
}

fn receipt(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    body: &[u8],
    now: Timestamp,
) -> Result<(), HubError> {
    let receipt = Receipt::read(Cursor::new(body))?;
    if let Some((name, mut sent)) = tx.sent_packet(centre, &receipt.answered)?
        && sent.receipt(&receipt.answered, now, &context.timing, random())
    {
        tx.set_sent_packet(&name, &sent)?;
    }
    note_unknown(tx, centre, &receipt.answered, now)
}

fn protocol(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    body: &[u8],
    now: Timestamp,
) -> Result<(), HubError> {
    let mut reader = ProtocolReader::new(Cursor::new(body), context.limits.records)?;
    let head = *reader.head();
    note_unknown(tx, centre, &head.answered, now)?;
    let Some((name, mut sent)) = tx.sent_packet(centre, &head.answered)? else { return Ok(()) };
    let mut streams = tx.streams(centre)?;
    match streams.outgoing.protocol(&mut sent, &head.answered, head.revision, head.outcome) {
        AnswerEffect::Nothing => return Ok(()),
        AnswerEffect::Close => {
            let mut behind = None;
            while let Some(line) = reader.next_line()? {
                if line.outcome == RecordOutcome::Refused {
                    tx.publication_refused(centre, line.kind, line.key, line.version)?;
                    behind = behind.or(Some(line.reason).filter(|reason| reason.proves_restore()));
                }
            }
            tx.close_carried(&name)?;
            if let Some(reason) = behind {
                // the centre has a newer version of what is ours (R12)
                let evidence = Evidence::RecordBehind { packet: head.answered, reason };
                tracing::error!(centre = %centre, "this hub was restored: {evidence}");
                streams.outgoing.stop = Some(Stop::Restored);
                tx.add_incident(centre, "RESTORED", Some(&name), &now.to_string())?;
            }
        }
        AnswerEffect::Refused { reason, .. } => {
            tx.add_incident(centre, reason.code(), Some(&name), &now.to_string())?;
        }
        AnswerEffect::Restored(evidence) => {
            tracing::error!(centre = %centre, "this hub was restored: {evidence}");
            streams.outgoing.stop = Some(Stop::Restored);
            tx.add_incident(centre, "RESTORED", Some(&name), &now.to_string())?;
        }
    }
    debug_assert!(head.outcome != PacketOutcome::Applied || sent.state.as_str() == "APPLIED");
    tx.set_sent_packet(&name, &sent)?;
    tx.set_streams(centre, &streams)?;
    if is_ky(&name) { keys::answered(context, tx, centre, (&name, head.outcome), now) } else { Ok(()) }
}

/// An answer to a packet that we never sealed, in the current or a newer epoch: we were restored.
fn note_unknown(
    tx: &Tx<'_>,
    centre: ParticipantCode,
    answered: &Mark,
    now: Timestamp,
) -> Result<(), HubError> {
    let mut streams = tx.streams(centre)?;
    let sealed = tx.sent_packet(centre, answered)?.map(|(_, sent)| sent.mark.digest);
    if judge_own_mark(answered, sealed, streams.outgoing.epoch()) == Named::Unknown {
        streams.outgoing.told_epoch(answered.position.epoch);
        streams.outgoing.stop = Some(Stop::Restored);
        tx.add_incident(centre, "RESTORED", None, &now.to_string())?;
        tx.set_streams(centre, &streams)?;
    }
    Ok(())
}

/// For the jitter of waits; without randomness there is none.
pub(in crate::edges) fn random() -> u32 {
    exchange_endpoint::chance::number().unwrap_or(u32::MAX / 2)
}
