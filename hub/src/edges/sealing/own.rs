//! The stream hub→hub: inputs and generated values, sealed into the archive, from which a hub is rebuilt.

use exchange_format::{
    packet::{
        MemberName,
        manifest::{Purpose, SnapshotBasis, SnapshotPart},
    },
    position::Mark,
    record::{Kind, Record},
    state_digest::StateDigest,
    stream::{Slot, SnapshotReason},
};
use jiff::Timestamp;

use super::{Outline, PACKET_RECORDS, begin, control, data::note_sealed, finish, noted};
use crate::{
    database::{Tx, streams::Streams},
    edges::hub::{Context, HubError},
};

/// Seals all inputs not sealed yet, and what was noted, in the order in which they were made: a rebuild applies them in the
/// order of the lines. How many; none while the stream is stopped.
pub fn seal_inputs(context: &Context, tx: &Tx<'_>, now: Timestamp) -> Result<u64, HubError> {
    if tx.streams(context.code)?.outgoing.stop.is_some() {
        return Ok(0);
    }
    noted::make_inputs(context, tx, now)?;
    let mut sealed = 0;
    loop {
        let inputs = tx.unsealed_inputs(u32::try_from(PACKET_RECORDS).expect("small"))?;
        if inputs.is_empty() {
            return Ok(sealed);
        }
        seal_packet(context, tx, &inputs, now)?;
        sealed += inputs.len() as u64;
    }
}

/// After a restore of this hub: the stream goes on in a new epoch, with every input that it knows.
pub(in crate::edges) fn begin_again(context: &Context, tx: &Tx<'_>, now: Timestamp) -> Result<(), HubError> {
    let mut streams = tx.streams(context.code)?;
    if streams.outgoing.stop.take().is_none() {
        return Ok(());
    }
    tx.set_streams(context.code, &streams)?;
    tx.close_incidents(context.code, "RESTORED", &now.to_string())?;
    if streams.outgoing.last.is_none() {
        return Ok(());
    }
    seal_whole(context, tx, now)
}

/// Opens a new epoch with every input, in the order in which they were made.
pub(in crate::edges) fn seal_whole(context: &Context, tx: &Tx<'_>, now: Timestamp) -> Result<(), HubError> {
    noted::make_inputs(context, tx, now)?;
    let mut streams = tx.streams(context.code)?;
    let mut lots = Vec::new();
    let mut after = 0;
    loop {
        let page = tx.inputs_after(after, u32::try_from(PACKET_RECORDS).expect("small"))?;
        let Some((last, _)) = page.last() else { break };
        let before = std::mem::replace(&mut after, *last);
        lots.push(before);
    }
    if lots.is_empty() {
        lots.push(0);
    }
    let parts = u32::try_from(lots.len()).expect("few");
    let mut opening = streams.outgoing.open_epoch(parts, SnapshotReason::Initial)?;
    streams.sent = StateDigest::default();
    for before in lots {
        let page = tx.inputs_after(before, u32::try_from(PACKET_RECORDS).expect("small"))?;
        let inputs: Vec<Record> = page.into_iter().map(|(_, record)| record).collect();
        let slot = opening.next_part().expect("as many as planned");
        let part = slot.part.expect("a snapshot's slot is a part");
        let last = part.k() == part.n();
        let basis = SnapshotBasis::Initial;
        let purpose = Purpose::Snapshot(SnapshotPart { basis, unconfirmed: false, part });
        let mark = write_packet(context, tx, &inputs, &mut streams, (slot, purpose, last), now)?;
        opening.sealed(mark.digest).expect("a part was left");
    }
    streams.outgoing = opening.finish(now).expect("every part is sealed");
    tx.set_streams(context.code, &streams)?;
    Ok(())
}

fn seal_packet(context: &Context, tx: &Tx<'_>, inputs: &[Record], now: Timestamp) -> Result<(), HubError> {
    let mut streams = tx.streams(context.code)?;
    let mut opening = None;
    let (slot, purpose) = if streams.outgoing.last.is_none() {
        let begun = streams.outgoing.open_epoch(1, SnapshotReason::Initial)?;
        let slot = begun.next_part().expect("one part");
        let part = slot.part.expect("a snapshot's slot is a part");
        opening = Some(begun);
        let basis = SnapshotBasis::Initial;
        (slot, Purpose::Snapshot(SnapshotPart { basis, unconfirmed: false, part }))
    } else {
        (streams.outgoing.next_slot()?, Purpose::Data)
    };
    let mark = write_packet(context, tx, inputs, &mut streams, (slot, purpose, true), now)?;
    match opening {
        Some(mut opening) => {
            opening.sealed(mark.digest).expect("one part was left");
            streams.outgoing = opening.finish(now).expect("the one part is sealed");
        }
        None => streams.outgoing.sealed(mark, now),
    }
    tx.set_streams(context.code, &streams)?;
    Ok(())
}

/// Writes and notes one packet of `inputs`; it tells the sum of all that were sent, if `tells`.
fn write_packet(
    context: &Context,
    tx: &Tx<'_>,
    inputs: &[Record],
    streams: &mut Streams,
    (slot, purpose, tells): (Slot, Purpose, bool),
    now: Timestamp,
) -> Result<Mark, HubError> {
    let mut writer = begin(context)?;
    writer.begin_member(MemberName::records(Kind::HubInput.name()).expect("a kind's name"))?;
    let mut line = Vec::new();
    for record in inputs {
        line.clear();
        record.write_line(&mut line);
        writer.write_line(&line)?;
        if let Some(term) = record.term(&record.hash()) {
            streams.sent.add(&term);
        }
    }
    let outline = Outline {
        signing: context.signing(tx, context.code, true)?,
        to: context.code,
        purpose: purpose.clone(),
        position: slot.position,
        previous: slot.previous,
        control: control(streams),
        state_digest: tells.then_some(streams.sent),
    };
    let sealed = finish(context, writer, outline, now)?;
    for record in inputs {
        tx.input_sealed(record.key, &sealed.name)?;
    }
    note_sealed(context, tx, context.code, &sealed, slot.previous, &purpose, inputs.len() as u64, now)?;
    Ok(sealed.mark)
}
