//! KV, PR and RQ: sealed in the transaction of what they answer; a PR again, one revision higher, in that of what
//! makes it untrue.

use std::collections::BTreeMap;

use exchange_format::{
    answer::{
        Protocol, ProtocolWriter, Receipt, RecordLine, RecordOutcome, RecordReason, Request, Rule, Words,
    },
    packet::{MemberName, Nonce, manifest::Purpose},
    participant::ParticipantCode,
    position::{Digest, Mark, Position},
    record::{Kind, RecordId},
};
use jiff::Timestamp;

use super::{Outline, Sealed, begin, control, finish};
use crate::{
    database::{
        Tx,
        answers::Answer,
        streams::{PacketRow, Streams},
    },
    decisions::admission::declined,
    edges::hub::{Context, HubError},
};

/// Seals a KV for `answered`.
pub(in crate::edges) fn receipt(
    context: &Context,
    tx: &Tx<'_>,
    peer: ParticipantCode,
    streams: &Streams,
    answered: Mark,
    now: Timestamp,
) -> Result<(), HubError> {
    let mut body = Vec::new();
    Receipt { answered, received_at: now }.write(&mut body)?;
    let purpose = Purpose::Receipt { answered: answered.digest };
    seal_answer(context, tx, peer, streams, (answered, None), purpose, &body, now)
}

/// Seals a PR: `lines` without those that are plainly applied.
pub(in crate::edges) fn protocol(
    context: &Context,
    tx: &Tx<'_>,
    peer: ParticipantCode,
    streams: &Streams,
    head: &Protocol,
    lines: &[RecordLine],
    now: Timestamp,
) -> Result<(), HubError> {
    let mut writer = ProtocolWriter::new(Vec::new(), head)?;
    for line in lines.iter().filter(|line| !line.outcome.is_plain()) {
        writer.line(line)?;
    }
    let body = writer.finish()?;
    let purpose = Purpose::Protocol { answered: head.answered.digest, revision: head.revision };
    seal_answer(context, tx, peer, streams, (head.answered, Some(head.revision)), purpose, &body, now)
}

/// A record of a packet that was answered before, of which something else is true now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edges) struct Settled {
    /// The packet that brought it.
    pub packet: String,
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: RecordId,
    /// Its version.
    pub version: u32,
    /// What is true of it now.
    pub now: Now,
}

/// What has become of a record that was answered before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edges) enum Now {
    /// It is applied.
    Applied,
    /// Staff have declined it, and why in their words.
    Declined(Option<Words>),
    /// It is held or refused for another reason than before.
    Listed(RecordOutcome, RecordReason, Rule),
}

/// Answers again the packets of `centre` with records that were held and are applied now, and with those of `judged`.
pub(in crate::edges) fn tell_released(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    judged: Vec<Settled>,
    now: Timestamp,
) -> Result<(), HubError> {
    tx.understand(centre)?;
    let released = tx.held_no_more(centre)?.into_iter();
    let settled: Vec<Settled> = released
        .map(|(packet, kind, key, version)| Settled { packet, kind, key, version, now: Now::Applied })
        .chain(judged)
        .collect();
    revise(context, tx, centre, &settled, now)
}

/// Answers the packets of `settled` again; those of which the last answer said just that already are left out.
pub(in crate::edges) fn revise(
    context: &Context,
    tx: &Tx<'_>,
    peer: ParticipantCode,
    settled: &[Settled],
    now: Timestamp,
) -> Result<(), HubError> {
    let mut by_packet: BTreeMap<&str, Vec<&Settled>> = BTreeMap::new();
    for one in settled {
        by_packet.entry(&one.packet).or_default().push(one);
    }
    for (packet, settled) in by_packet {
        let (Some(mut answer), Some(mark)) = (tx.answer(packet)?, tx.mark_of(packet)?) else { continue };
        let before = answer.clone();
        for one in settled {
            restate(&mut answer, one);
        }
        if answer == before {
            continue;
        }
        answer.revision += 1;
        let counts = answer.counts;
        let head =
            Protocol { answered: mark, revision: answer.revision, outcome: counts.packet_outcome(), counts };
        protocol(context, tx, peer, &tx.streams(peer)?, &head, &answer.lines, now)?;
        tx.supersede_answers(peer, &mark.digest, answer.revision)?;
        tx.keep_answer(packet, &answer)?;
    }
    Ok(())
}

/// `answer` with what is true of `one` now. A line that is plainly applied now is kept: it may be declined again.
fn restate(answer: &mut Answer, one: &Settled) {
    let is_it =
        |line: &&mut RecordLine| (line.kind, line.key, line.version) == (one.kind, one.key, one.version);
    let Some(line) = answer.lines.iter_mut().find(is_it) else { return };
    let said = line.outcome;
    match &one.now {
        Now::Applied if said.is_plain() => return,
        Now::Applied => {
            line.outcome = RecordOutcome::Changed;
            line.words = None;
        }
        Now::Declined(words) => {
            let refused = refusable(one.kind, one.key, one.version, RecordOutcome::Refused);
            *line = RecordLine { words: words.clone(), ..refused };
        }
        Now::Listed(outcome, reason, rule) => {
            let (outcome, reason, rule) = (*outcome, *reason, rule.clone());
            *line = RecordLine { outcome, reason, rule, words: None, ..line.clone() };
        }
    }
    answer.counts.set(said, answer.counts.get(said).saturating_sub(1));
    answer.counts.add(line.outcome);
}

/// The line of a record that staff may decline, or have.
pub(in crate::edges) fn refusable(
    kind: Kind,
    key: RecordId,
    version: u32,
    outcome: RecordOutcome,
) -> RecordLine {
    let (rule, reason) = (declined(kind), RecordReason::Declined);
    RecordLine { outcome, kind, key, version, rule, reason, words: None }
}

/// Seals an RQ: its name, its id, its digest.
pub(in crate::edges) fn request(
    context: &Context,
    tx: &Tx<'_>,
    peer: ParticipantCode,
    streams: &Streams,
    request: &Request,
    now: Timestamp,
) -> Result<(String, Nonce, Digest), HubError> {
    let mut body = Vec::new();
    request.write(&mut body)?;
    let (position, purpose) = (request.position(), Purpose::Request);
    let sealed = seal_body(context, tx, peer, streams, (position, None), purpose, &body, now)?;
    Ok((sealed.name, sealed.nonce, sealed.mark.digest))
}

#[allow(clippy::too_many_arguments, reason = "one call site each; a struct would only rename them")]
fn seal_answer(
    context: &Context,
    tx: &Tx<'_>,
    peer: ParticipantCode,
    streams: &Streams,
    (answered, revision): (Mark, Option<u32>),
    purpose: Purpose,
    body: &[u8],
    now: Timestamp,
) -> Result<(), HubError> {
    let names = (answered.digest, revision);
    seal_body(context, tx, peer, streams, (answered.position, Some(names)), purpose, body, now).map(|_| ())
}

#[allow(clippy::too_many_arguments, reason = "as above")]
fn seal_body(
    context: &Context,
    tx: &Tx<'_>,
    peer: ParticipantCode,
    streams: &Streams,
    (position, answered): (Position, Option<(Digest, Option<u32>)>),
    purpose: Purpose,
    body: &[u8],
    now: Timestamp,
) -> Result<Sealed, HubError> {
    let mut writer = begin(context)?;
    writer.begin_member(MemberName::Answer)?;
    let mut records = 0;
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        writer.write_line(line)?;
        records += 1;
    }
    let outline = Outline {
        signing: context.signing(tx, peer, false)?,
        to: peer,
        purpose,
        position,
        previous: None,
        control: control(streams),
        state_digest: None,
    };
    let sealed = finish(context, writer, outline, now)?;
    tx.put_packet(&PacketRow {
        name: &sealed.name,
        direction: "out",
        peer,
        kind: sealed.kind.letters(),
        mark: Some(sealed.mark),
        state: "SEALED",
        reason: None,
        previous: None,
        part: None,
        answered,
        unconfirmed: false,
        at: &now.to_string(),
        records,
        sha256: Some(sealed.sha256),
    })?;
    Ok(sealed)
}
