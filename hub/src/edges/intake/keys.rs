//! A centre's new keys (KY): taken as soon as its packet is verified, and what was set aside for its key is judged again.

use std::fs::File;

use exchange_endpoint::key_table::KyState;
use exchange_format::{
    answer::PacketOutcome,
    card::Card,
    error::PacketError,
    packet::{CheckedPacket, SnapshotBasis},
    participant::ParticipantCode,
    position::{Digest, Position},
};
use jiff::Timestamp;

use super::journal;
use crate::{
    database::Tx,
    edges::{
        hub::{Context, HubError},
        sealing::data::seal_anew,
    },
};

/// What a KY of `centre` tells; an error if it may not.
pub(super) fn read(
    context: &Context,
    centre: ParticipantCode,
    packet: &mut CheckedPacket<'_, File>,
) -> Result<Card, PacketError> {
    let ring = context.trust.ring(centre).ok_or(PacketError::UnknownKey { from: centre })?;
    ring.read_new(packet)
}

/// The keys of `card`, told at `position`, hold from here on: they are in `trust/` before the packet is in the database.
pub(super) fn take(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (card, position): (&Card, Position),
    now: Timestamp,
) -> Result<(), HubError> {
    context.trust.clone().succeed(card.clone(), position)?;
    tx.set_centre_card(centre, card.content.given_name(), &card.fingerprint())?;
    tx.replay_unknown_keys(centre)?;
    journal(tx, context.code, "keys.taken", centre.as_str(), "", &[Digest::of(card.to_bytes())], now)?;
    tracing::info!(centre = %centre, "it has new keys");
    Ok(())
}

/// Whether the keys of the KY at `position` hold.
pub(super) fn is_taken(context: &Context, centre: ParticipantCode, position: Position) -> bool {
    context.trust.ring(centre).is_some_and(|ring| ring.told_at(position))
}

/// The PR of our KY has come. Where it is refused the stream goes on with the present keys: what was signed by the next
/// ones since is told anew.
pub(super) fn answered(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (name, outcome): (&str, PacketOutcome),
    now: Timestamp,
) -> Result<(), HubError> {
    if outcome.reason().is_none() {
        return Ok(tx.keys().answered(name, KyState::Taken)?);
    }
    tx.keys().answered(name, KyState::Refused)?;
    journal(tx, context.code, "keys.refused", centre.as_str(), "", &[], now)?;
    if tx.streams(centre)?.outgoing.stop.is_none() {
        seal_anew(context, tx, centre, SnapshotBasis::Initial, now)?;
    }
    Ok(())
}
