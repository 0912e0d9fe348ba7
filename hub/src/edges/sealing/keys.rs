//! Our next keys, told to each stream by a KY of its own: signed by the present key, and the last packet there that is
//! (FORMAT.md §New keys).

use exchange_endpoint::{durable_file, key_table::KyState, rotation};
use exchange_format::{
    file_name::{FileName, PacketKind},
    keys::{check_successor, lines},
    packet::{MemberName, manifest::Purpose},
    participant::ParticipantCode,
    position::Digest,
};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    Outline, begin, control,
    data::{note_sealed, seal_for},
    finish,
};
use crate::{
    database::Tx,
    edges::{
        hub::{Context, Hub, HubError, at},
        intake::journal,
    },
};

/// Whether the packet called `name` is a KY.
pub(in crate::edges) fn is_ky(name: &str) -> bool {
    name.parse::<FileName>().is_ok_and(|name| name.kind == PacketKind::Keys)
}

impl Hub {
    /// Tells the next keys where they are not told yet; when every stream has taken them they take the place of the
    /// present ones.
    pub(in crate::edges) fn change_keys(&mut self, now: Timestamp) -> Result<(), HubError> {
        let Some(next) = &self.context.keys.next else { return Ok(()) };
        let print = next.card.fingerprint();
        let Self { store, context, .. } = self;
        let centres = store.read(|tx| tx.centres())?.into_iter().filter(|centre| centre.active);
        let peers: Vec<_> = centres.map(|centre| centre.code).chain([context.code]).collect();
        let (mut told, mut waits) = (Vec::new(), false);
        for peer in peers {
            let state = store.read(|tx| tx.keys().told(peer, &print).map_err(HubError::from))?;
            waits |= match state {
                Some((KyState::Taken, _)) => false,
                Some(_) => true,
                None => {
                    told.push(peer);
                    store.write(|tx| tell(context, tx, peer, now))?
                }
            };
        }
        for peer in told {
            self.raise_watermark(peer)?;
        }
        if waits { Ok(()) } else { self.end_change(now) }
    }

    /// The next keys are everywhere in force.
    fn end_change(&mut self, now: Timestamp) -> Result<(), HubError> {
        let Self { store, context, .. } = self;
        let Some(next) = &context.keys.next else { return Ok(()) };
        context.trust.follow(&context.keys.card, &next.card)?;
        durable_file::replace(&context.card_file, next.card.to_bytes(), 0o644)
            .map_err(at(&context.card_file))?;
        let code = context.code;
        store.write(|tx| {
            // within the transaction: a command that makes new keys waits
            let keys = rotation::finish(&context.keys_directory, code)?;
            let digests = [Digest::of(keys.card.to_bytes())];
            journal(tx, code, "keys.changed", code.as_str(), "", &digests, now)
        })?;
        tracing::info!("the new keys are in force");
        self.context.reload()
    }
}

/// Tells `peer` the next keys; whether that waits for an answer, or for its stream.
fn tell(context: &Context, tx: &Tx<'_>, peer: ParticipantCode, now: Timestamp) -> Result<bool, HubError> {
    let Some(next) = &context.keys.next else { return Ok(false) };
    let day = now.to_zoned(TimeZone::UTC).date();
    if let Err(error) = check_successor(&context.keys.card, &next.card, day) {
        tracing::error!(peer = %peer, %error, "the new keys cannot be told");
        return Ok(true);
    }
    let is_own = peer == context.code;
    let mut streams = tx.streams(peer)?;
    if streams.outgoing.stop.is_some() {
        return Ok(true);
    }
    if streams.outgoing.last.is_none() {
        if is_own {
            return Ok(false); // nothing there is signed by the present key
        }
        seal_for(context, tx, peer, true, now)?;
        streams = tx.streams(peer)?;
    }
    let slot = streams.outgoing.next_slot()?;
    let mut writer = begin(context)?;
    writer.begin_member(MemberName::Card)?;
    for line in lines(&next.card) {
        writer.write_line(line)?;
    }
    let outline = Outline {
        signing: &context.keys.signing,
        to: peer,
        purpose: Purpose::Keys,
        position: slot.position,
        previous: slot.previous,
        control: control(&streams),
        state_digest: Some(streams.sent),
    };
    let sealed = finish(context, writer, outline, now)?;
    note_sealed(context, tx, peer, &sealed, slot.previous, &Purpose::Keys, 0, now)?;
    tx.keys().tell(peer, &next.card.fingerprint(), &sealed.name, now)?;
    if is_own {
        tx.keys().answered(&sealed.name, KyState::Taken)?;
    }
    streams.outgoing.sealed(sealed.mark, now);
    tx.set_streams(peer, &streams)?;
    let digests = [Digest::of(next.card.to_bytes())];
    journal(tx, context.code, "keys.told", peer.as_str(), "", &digests, now)?;
    tracing::info!(peer = %peer, packet = sealed.name, "the new keys are told");
    Ok(!is_own)
}
