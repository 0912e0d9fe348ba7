//! Whether the database is older than the watermark file: a copy was put back (exchange §7, F21).

use exchange_endpoint::watermark::{Stream, Watermark};
use exchange_format::{
    participant::ParticipantCode,
    stream::{Evidence, Stop, Watermark as StoredWatermark},
};
use jiff::Timestamp;

use super::{hub::HubError, journal_look::ALTERED};
use crate::database::{Tx, streams::Streams};

/// Compares the database with the watermark file: a stream that is behind it stops. If the stream hub→hub is,
/// ids and numbers were given that this database does not know, and every stream stops. A journal that is not the
/// one of which the watermark tells is an incident, and stops nothing.
///
/// # Errors
/// The database's.
pub fn judge_watermark(
    tx: &Tx<'_>,
    watermark: &Watermark,
    hub: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    let older = older(tx, watermark, hub)?;
    for (peer, mut streams, evidence) in older.iter().cloned() {
        tracing::error!(peer = %peer, "this hub was restored: {evidence}");
        if streams.outgoing.stop.is_none() {
            another_life(tx, peer)?;
        }
        streams.outgoing.stop = Some(Stop::Restored);
        // no epoch is opened twice
        let sealed = counted(watermark, peer, &streams).sealed;
        if let Some(sealed) = sealed {
            streams.outgoing.told_epoch(sealed.epoch);
        }
        tx.add_incident(peer, "RESTORED", None, &now.to_string())?;
        tx.set_streams(peer, &streams)?;
    }
    // an older database has an older journal
    let journal = watermark.journal();
    if older.is_empty() && !tx.journal_begins_with(journal)? && !tx.journal_is_begun_again(journal)? {
        tracing::error!("the journal does not begin as the watermark says: it was cut or altered");
        tx.add_incident(hub, ALTERED, None, &now.to_string())?;
    }
    Ok(())
}

/// A copy was put back: what its requests have asked of `peer` may have been answered since, to a life that is over, and is asked
/// under new ids; what it was to be compared with is a matter of that life, too.
///
/// # Errors
/// The database's.
pub(super) fn another_life(tx: &Tx<'_>, peer: ParticipantCode) -> Result<(), HubError> {
    for one in tx.requests().in_force(peer)? {
        tx.requests().end(one.asked.id)?;
    }
    Ok(tx.requests().forget_compared(peer)?)
}

/// What of `watermark` counts for the streams with `peer`: what was exchanged with a machine that has left is no measure for the
/// one that has come after it; of an epoch that was closed nothing is applied any more.
fn counted(watermark: &Watermark, peer: ParticipantCode, streams: &Streams) -> StoredWatermark {
    let Streams { outgoing, incoming, .. } = streams;
    StoredWatermark {
        sealed: watermark
            .get(peer, Stream::Sealed)
            .filter(|at| outgoing.last.is_some() || Some(at.epoch) > outgoing.highest_epoch),
        applied: watermark.get(peer, Stream::Applied).filter(|at| Some(at.epoch) > incoming.closed),
    }
}

/// Whether `streams`, those with `peer`, are behind the watermark, and nobody has said so yet.
pub(super) fn goes_on_behind(watermark: &Watermark, peer: ParticipantCode, streams: &Streams) -> bool {
    streams.outgoing.stop.is_none() && behind(watermark, peer, streams).is_some()
}

/// What shows that `streams`, those with `peer`, are behind the watermark.
fn behind(watermark: &Watermark, peer: ParticipantCode, streams: &Streams) -> Option<Evidence> {
    counted(watermark, peer, streams).judge(&StoredWatermark {
        sealed: streams.outgoing.last.map(|mark| mark.position),
        applied: streams.incoming.last.map(|mark| mark.position),
    })
}

/// The streams that are behind the watermark, and by what; all of them, if the hub's own is.
fn older(
    tx: &Tx<'_>,
    watermark: &Watermark,
    hub: ParticipantCode,
) -> Result<Vec<(ParticipantCode, Streams, Evidence)>, HubError> {
    let centres = tx.centres()?.into_iter().map(|centre| centre.code);
    let (mut own, mut older) = (None, Vec::new());
    for peer in [hub].into_iter().chain(centres) {
        let streams = tx.streams(peer)?;
        let evidence = behind(watermark, peer, &streams).or(own);
        if peer == hub {
            own = evidence;
        }
        older.extend(evidence.map(|evidence| (peer, streams, evidence)));
    }
    Ok(older)
}

/// Whether the database is behind the watermark, and some stream goes on all the same.
pub(super) fn is_older(tx: &Tx<'_>, watermark: &Watermark, hub: ParticipantCode) -> Result<bool, HubError> {
    Ok(older(tx, watermark, hub)?.iter().any(|(_, streams, _)| streams.outgoing.stop.is_none()))
}
