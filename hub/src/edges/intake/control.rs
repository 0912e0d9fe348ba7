//! The control block, judged as soon as a file is verified, whatever else becomes of it.

use exchange_format::{
    file_name::PacketKind,
    participant::ParticipantCode,
    position::Mark,
    stream::{Control, OwnHistory, Stop, judge_control},
};
use jiff::Timestamp;

use super::{journal, prune_out};
use crate::{
    database::Tx,
    edges::hub::{Hub, HubError},
};

/// Judges `control` of a file of `centre`: evidence that this hub was restored stops our stream to it; what the
/// centre has is deleted from its `out`.
pub(super) fn judge(
    hub: &mut Hub,
    centre: ParticipantCode,
    control: &Control,
    now: Timestamp,
) -> Result<(), HubError> {
    let code = hub.context.code;
    let evidence = hub.store.read(|tx| {
        let streams = tx.streams(centre)?;
        let epoch = |mark: Option<Mark>| mark.map(|mark| mark.position.epoch);
        let own = OwnHistory {
            sending: streams.outgoing.epoch(),
            sealed_at_ack: digest_at(tx, "out", centre, control.ack)?,
            receiving: epoch(streams.incoming.last),
            consumed_at_echo: digest_at(tx, "in", centre, control.echo)?,
        };
        Ok::<_, HubError>(judge_control(control, &own))
    })?;
    let news = hub.store.read(|tx| {
        let known = tx.streams(centre)?.outgoing.highest_epoch;
        Ok::<_, HubError>(control.ack.map(|ack| ack.position.epoch).filter(|told| Some(*told) > known))
    })?;
    if evidence.is_some() || news.is_some() {
        hub.store.write(|tx| {
            let mut streams = tx.streams(centre)?;
            if let Some(told) = news {
                streams.outgoing.told_epoch(told);
            }
            if let Some(evidence) = evidence {
                tracing::error!(centre = %centre, "this hub was restored: {evidence}");
                streams.outgoing.stop = Some(Stop::Restored);
                tx.add_incident(centre, "RESTORED", None, &now.to_string())?;
                journal(tx, code, "incident.restored", centre.as_str(), "", &[], now)?;
            }
            tx.set_streams(centre, &streams)?;
            Ok::<_, HubError>(())
        })?;
    }
    let Hub { store, context, .. } = hub;
    prune_out(context, centre, control, |kind, name| {
        Ok(store.read(|tx| match kind {
            PacketKind::Request => tx.place_of_request(name).map(Some),
            _ => tx.place_of_answer(centre, name),
        })?)
    })
}

/// The digest that stands at a mark's position in our history: the mark's own, if it is there.
fn digest_at(
    tx: &Tx<'_>,
    direction: &str,
    centre: ParticipantCode,
    mark: Option<Mark>,
) -> Result<Option<exchange_format::position::Digest>, HubError> {
    let Some(mark) = mark else { return Ok(None) };
    let rows = tx.packets_at(direction, centre, mark.position)?;
    let consumed = |state: &str| direction == "out" || matches!(state, "APPLIED" | "REFUSED");
    let mut digests = rows.iter().filter(|row| consumed(&row.state)).map(|row| row.arrival.mark.digest);
    let first = digests.clone().next();
    Ok(digests.find(|digest| *digest == mark.digest).or(first))
}
