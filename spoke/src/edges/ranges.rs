//! Where two pictures of one stream differ: sums over ranges of keys go back and forth until each record that differs is
//! known; staff are told, and a snapshot mends it (FORMAT.md §Requests).

use exchange_endpoint::difference_table::{CENTRE_TABLE, Differences};
use exchange_format::{
    answer::{Difference, RangeDigests, Refined, Request, SnapshotCause},
    packet::Nonce,
    position::Mark,
    stream::{Evidence, Lack, Timing},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError, answers,
    packet_file::Desk,
    requests::{end, of, send, want_snapshot},
    station::journal,
};
use crate::database::{book, ranges, sent};

/// So many of the records that differ are entered into the journal.
const ENTERED: usize = 100;

/// Where pictures were found to differ.
pub fn differences(connection: &Connection) -> Differences<'_> {
    Differences::new(connection, CENTRE_TABLE)
}

/// Asks the hub where its picture of its stream differs from ours, as it was after the packet `at`.
pub(super) fn look(
    connection: &Connection,
    desk: &Desk<'_>,
    timing: &Timing,
    at: Mark,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let is_asked = |lack| matches!(lack, Lack::Snapshot(_) | Lack::Ranges(_));
    if of(connection).in_force(desk.hub)?.iter().any(|one| is_asked(one.asked.lack)) {
        return Ok(());
    }
    differences(connection).begin(desk.hub)?;
    let ranges = RangeDigests::whole(|kind, prefix, each| {
        ranges::received(connection, at.position.epoch, kind, prefix, each)
    })?;
    let request = Request::RangeDigests(RangeDigests { of: desk.hub, at, re: None, ranges });
    send(connection, desk, timing, (Lack::Ranges(at), 0), &request, now)
}

/// Takes the sums of the hub, which came as the request `id`.
pub(super) fn take(
    connection: &Connection,
    desk: &Desk<'_>,
    timing: &Timing,
    (id, theirs): (Nonce, &RangeDigests),
    now: Timestamp,
) -> Result<(), SpokeError> {
    if theirs.of == desk.own {
        reply(connection, desk, timing, (id, theirs), now)
    } else {
        narrow(connection, desk, timing, (id, theirs), now)
    }
}

/// The hub asks about our stream. About another packet than its last there is nothing to say.
fn reply(
    connection: &Connection,
    desk: &Desk<'_>,
    timing: &Timing,
    (id, theirs): (Nonce, &RangeDigests),
    now: Timestamp,
) -> Result<(), SpokeError> {
    if book::out_stream(connection, desk.hub)?.machine.last != Some(theirs.at) {
        return Ok(());
    }
    let epoch = theirs.at.position.epoch;
    let Refined { ranges, differences } =
        theirs.refine(true, |kind, prefix, each| ranges::sent(connection, epoch, kind, prefix, each))?;
    enter(connection, desk, &differences, now)?;
    if let Some(evidence) = never_sent(connection, &differences)? {
        answers::restored(connection, desk, &evidence, now)?;
    }
    if ranges.is_empty() {
        return Ok(());
    }
    let own = Request::RangeDigests(RangeDigests { re: Some(id), ranges, ..theirs.clone() });
    send(connection, desk, timing, (Lack::Nothing(theirs.at), 0), &own, now)
}

/// A record that the hub has of us after the same packet, and of which nothing here says that it was ever sent: to say all
/// again without it would be to take it back.
fn never_sent(connection: &Connection, found: &[Difference]) -> Result<Option<Evidence>, SpokeError> {
    for one in found.iter().filter(|one| one.own.is_none()) {
        if let Some(theirs) = &one.theirs
            && sent::last(connection, one.kind, one.key)?.is_none()
        {
            let (kind, key, version) = (one.kind, one.key, theirs.version);
            return Ok(Some(Evidence::Mirrored { kind, key, version, sent: None }));
        }
    }
    Ok(None)
}

/// The hub replies to what we have asked about its stream.
fn narrow(
    connection: &Connection,
    desk: &Desk<'_>,
    timing: &Timing,
    (id, theirs): (Nonce, &RangeDigests),
    now: Timestamp,
) -> Result<(), SpokeError> {
    let in_force = of(connection).in_force(desk.hub)?;
    let mut ours = in_force.iter().filter(|one| one.asked.lack == Lack::Ranges(theirs.at));
    let Some(one) = ours.find(|one| Some(one.asked.id) == theirs.re) else { return Ok(()) };
    end(connection, desk, one.asked.id, now)?;
    if book::in_stream(connection, desk.hub)?.machine.last == Some(theirs.at) {
        let epoch = theirs.at.position.epoch;
        let Refined { ranges, differences } = theirs
            .refine(false, |kind, prefix, each| ranges::received(connection, epoch, kind, prefix, each))?;
        enter(connection, desk, &differences, now)?;
        if !ranges.is_empty() {
            let own = Request::RangeDigests(RangeDigests { re: Some(id), ranges, ..theirs.clone() });
            let lack = (Lack::Ranges(theirs.at), one.asked.attempts);
            return send(connection, desk, timing, lack, &own, now);
        }
    }
    // each record is known, or the stream has gone on and the sums are of another moment
    want_snapshot(connection, desk, timing, SnapshotCause::Divergence, now)
}

/// Tells staff of records that differ: keys and versions, never values.
fn enter(
    connection: &Connection,
    desk: &Desk<'_>,
    found: &[Difference],
    now: Timestamp,
) -> Result<(), SpokeError> {
    differences(connection).keep(desk.hub, found, now)?;
    for one in found.iter().take(ENTERED) {
        let subject = format!("{} {}", one.kind, one.key);
        journal(connection, desk.own, now, "record.differs", &subject, "", &[])?;
    }
    Ok(())
}
