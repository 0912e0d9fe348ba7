//! Where two pictures of one stream differ: sums over ranges of keys go back and forth until each record that differs is
//! known; staff are told, and a snapshot mends it (FORMAT.md §Requests).

use exchange_format::{
    answer::{Difference, RangeDigests, Refined, Request, SnapshotCause},
    packet::Nonce,
    participant::ParticipantCode,
    position::Mark,
    state_digest::StateDigest,
    stream::Lack,
};
use jiff::Timestamp;

use super::{
    hub::{Context, HubError},
    intake::{forget_unproven, journal},
    requests::{end, send, want_snapshot},
};
use crate::database::Tx;

/// So many of the records that differ are entered into the journal.
const ENTERED: usize = 100;

/// The sum over what is kept of `centre`, made anew.
pub(super) fn sum_of(tx: &Tx<'_>, centre: ParticipantCode) -> Result<StateDigest, HubError> {
    Ok(RangeDigests::sum(|kind, prefix, each| tx.received_range(centre, kind, prefix, each))?)
}

/// The sum over what was published to `centre`, made anew.
pub(super) fn sum_of_sent(tx: &Tx<'_>, centre: ParticipantCode) -> Result<StateDigest, HubError> {
    Ok(RangeDigests::sum(|kind, prefix, each| tx.published_range(centre, kind, prefix, each))?)
}

/// So often a stream that goes on is asked about: a centre has nothing to say of a packet that is its last no more.
const PURSUED: usize = 3;

/// Asks `centre` where its picture of its stream differs from ours, as it was after the packet `at`.
pub(super) fn look(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    at: Mark,
    now: Timestamp,
) -> Result<(), HubError> {
    let in_force = tx.requests().in_force(centre)?;
    let is_asked = |lack: Lack| matches!(lack, Lack::Snapshot(_)) || lack == Lack::Ranges(at);
    let earlier = in_force.iter().filter(|one| matches!(one.asked.lack, Lack::Ranges(_))).count();
    if earlier == PURSUED || in_force.iter().any(|one| is_asked(one.asked.lack)) {
        return Ok(());
    }
    tx.differences().begin(centre)?;
    let ranges = RangeDigests::whole(|kind, prefix, each| tx.received_range(centre, kind, prefix, each))?;
    let request = Request::RangeDigests(RangeDigests { of: centre, at, re: None, ranges });
    send(context, tx, centre, (Lack::Ranges(at), 0), &request, now)
}

/// Takes the sums of `centre`, which came as the request `id`.
pub(super) fn take(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (id, theirs): (Nonce, &RangeDigests),
    now: Timestamp,
) -> Result<(), HubError> {
    if theirs.of == context.code {
        reply(context, tx, centre, (id, theirs), now)
    } else {
        narrow(context, tx, centre, (id, theirs), now)
    }
}

/// The centre asks about our stream. About another packet than its last there is nothing to say.
fn reply(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (id, theirs): (Nonce, &RangeDigests),
    now: Timestamp,
) -> Result<(), HubError> {
    if tx.streams(centre)?.outgoing.last != Some(theirs.at) {
        return Ok(());
    }
    let Refined { ranges, differences } =
        theirs.refine(true, |kind, prefix, each| tx.published_range(centre, kind, prefix, each))?;
    enter(context, tx, centre, &differences, now)?;
    if ranges.is_empty() {
        return Ok(());
    }
    let own = RangeDigests { re: Some(id), ranges, ..theirs.clone() };
    send(context, tx, centre, (Lack::Nothing(theirs.at), 0), &Request::RangeDigests(own), now)
}

/// The centre replies to what we have asked about its stream.
fn narrow(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (id, theirs): (Nonce, &RangeDigests),
    now: Timestamp,
) -> Result<(), HubError> {
    let in_force = tx.requests().in_force(centre)?;
    let asked = |lack| lack == Lack::Ranges(theirs.at);
    let Some(one) = in_force.iter().find(|one| Some(one.asked.id) == theirs.re && asked(one.asked.lack))
    else {
        return Ok(());
    };
    end(context, tx, centre, Some(one.asked.id), now)?;
    let streams = tx.streams(centre)?;
    if streams.incoming.last == Some(theirs.at) {
        let Refined { ranges, differences } =
            theirs.refine(false, |kind, prefix, each| tx.received_range(centre, kind, prefix, each))?;
        enter(context, tx, centre, &differences, now)?;
        forget_unproven(context, tx, centre, &differences, now)?;
        if !ranges.is_empty() {
            let own = RangeDigests { re: Some(id), ranges, ..theirs.clone() };
            let lack = (Lack::Ranges(theirs.at), one.asked.attempts);
            return send(context, tx, centre, lack, &Request::RangeDigests(own), now);
        }
    }
    // each record is known, or the stream has gone on and the sums are of another moment
    want_snapshot(context, tx, centre, SnapshotCause::Divergence, now)
}

/// Tells staff of records that differ: keys and versions, never values.
fn enter(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    found: &[Difference],
    now: Timestamp,
) -> Result<(), HubError> {
    tx.differences().keep(centre, found, now)?;
    for one in found.iter().take(ENTERED) {
        let subject = format!("{centre} {} {}", one.kind, one.key);
        journal(tx, context.code, "record.differs", &subject, "", &[], now)?;
    }
    Ok(())
}
