//! KV and PR: sealed in the transaction of what they answer.

use exchange_format::{
    answer::{Protocol, ProtocolWriter, Receipt, RecordLine},
    packet::{MemberName, manifest::Purpose},
    participant::ParticipantCode,
    position::Mark,
};
use jiff::Timestamp;

use super::{Outline, begin, control, finish};
use crate::{
    database::{
        Tx,
        streams::{PacketRow, Streams},
    },
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

/// Seals a PR.
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
    for line in lines {
        writer.line(line)?;
    }
    let body = writer.finish()?;
    let purpose = Purpose::Protocol { answered: head.answered.digest, revision: head.revision };
    seal_answer(context, tx, peer, streams, (head.answered, Some(head.revision)), purpose, &body, now)
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
    let mut writer = begin(context)?;
    writer.begin_member(MemberName::Answer)?;
    let mut records = 0;
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        writer.write_line(line)?;
        records += 1;
    }
    let outline = Outline {
        to: peer,
        purpose,
        position: answered.position,
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
        answered: Some((answered.digest, revision)),
        unconfirmed: false,
        at: &now.to_string(),
        records,
    })?;
    Ok(())
}
