//! Sealing what is pending and placing what is sealed. What to place follows database rows, never a directory
//! listing (exchange §5).

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek as _},
};

use exchange_endpoint::{
    archive::{self, KeepError},
    durable_file, sum,
    watermark::Stream,
};
use exchange_format::{
    file_name::FileName,
    packet::manifest::SnapshotBasis,
    participant::ParticipantCode,
    stream::{PacketState, Placing},
};
use jiff::Timestamp;

use super::{
    hub::{Context, Hub, HubError, at},
    intake::{UNSEALED, close_unsealed, journal, random, release_moved},
    older::goes_on_behind,
    requests,
    sealing::{
        answers,
        data::{seal_anew, seal_for},
        own::seal_inputs,
    },
};
use crate::database::{DatabaseError, Tx};

/// What placing did.
#[derive(Debug, Default)]
pub struct Placed {
    /// The centres whose `out` gained a file.
    pub gained: Vec<ParticipantCode>,
    /// Why a centre did not get what is due; the others got theirs.
    pub failed: Option<HubError>,
}

impl Hub {
    /// Seals everything pending, for centres and for ourselves; a heartbeat where one is due. The watermark
    /// file is raised before anything may be placed.
    pub fn seal(&mut self, now: Timestamp) -> Result<(), HubError> {
        let Self { store, context, .. } = &mut *self;
        let (pending, inputs) = store.read(|tx| {
            let mut pending: BTreeMap<ParticipantCode, bool> = BTreeMap::new();
            let waiting = tx.centres_with_pending()?;
            for centre in tx.centres()?.into_iter().filter(|centre| centre.active) {
                let outgoing = tx.streams(centre.code)?.outgoing;
                let due = outgoing.heartbeat_at(&context.timing, now).is_some_and(|beat| beat <= now);
                // who has come again on another machine is told everything, though nothing has changed since
                let anew = outgoing.last.is_none() && outgoing.highest_epoch.is_some();
                if due || anew || waiting.contains(&centre.code) {
                    pending.insert(centre.code, due);
                }
            }
            Ok::<_, HubError>((pending, !tx.unsealed_inputs(1)?.is_empty()))
        })?;
        if inputs {
            // before anybody is told of an id that was given
            self.seal_own(now)?;
        }
        self.change_keys(now)?;
        let mut failed = self.ask(now);
        for (centre, applied) in self.resync(now)? {
            tracing::info!(centre = %centre, packets = applied.len(), "applied after a recovery");
        }
        for (centre, due) in pending {
            let sealed = self.seal_one(centre, due, now);
            self.tell_unsealed(centre, &sealed, now)?;
            if let Err(error) = sealed {
                if !error.is_damage() {
                    tracing::error!(centre = %centre, "not sealed: {error}");
                }
                failed = Err(error);
            }
        }
        self.keep_protocols();
        if self.store.read(|tx| tx.has_changes())? {
            self.seal_own(now)?;
        }
        failed
    }

    /// Rows from which nothing can be sealed for `centre` are an incident of that centre, which ends when something is.
    fn tell_unsealed(
        &mut self,
        centre: ParticipantCode,
        sealed: &Result<(), HubError>,
        now: Timestamp,
    ) -> Result<(), HubError> {
        let is_damaged = matches!(sealed, Err(HubError::Database(DatabaseError::Damaged { .. })));
        let is_told = self.store.read(|tx| tx.has_incident(centre, UNSEALED))?;
        let at = now.to_string();
        if is_damaged && !is_told {
            self.store.write(|tx| tx.add_incident(centre, UNSEALED, None, &at))?;
            self.is_to_audit = true;
        } else if is_told && sealed.is_ok() {
            self.store.write(|tx| close_unsealed(tx, centre, now))?;
        }
        Ok(())
    }

    fn seal_own(&mut self, now: Timestamp) -> Result<(), HubError> {
        let Self { store, context, watermark, .. } = self;
        store.write(|tx| {
            // a copy was put back this moment: no number is given twice, and the next look tells of it
            if goes_on_behind(watermark, context.code, &tx.streams(context.code)?) {
                return Ok(());
            }
            seal_inputs(context, tx, now).map(drop)
        })?;
        self.raise_watermark(self.context.code)
    }

    /// Asks the centres for what has not come from them.
    fn ask(&mut self, now: Timestamp) -> Result<(), HubError> {
        let Self { store, context, .. } = self;
        let mut due = Vec::new();
        for centre in store.read(|tx| tx.centres())?.into_iter().filter(|centre| centre.active) {
            let next = store.read(|tx| requests::next_due(context, tx, centre.code, now))?;
            let over = store.read(|tx| requests::is_over(tx, centre.code))?;
            due.extend((over || next.is_some_and(|next| next <= now)).then_some(centre.code));
        }
        // one centre's rows never hold up the others
        let mut failed = Ok(());
        for centre in due {
            if let Err(error) = store.write(|tx| requests::ask(context, tx, centre, now)) {
                if !error.is_damage() {
                    tracing::error!(centre = %centre, "not asked for what has not come: {error}");
                }
                failed = Err(error);
            }
        }
        failed
    }

    fn seal_one(&mut self, centre: ParticipantCode, due: bool, now: Timestamp) -> Result<(), HubError> {
        let Self { store, context, watermark, .. } = self;
        store.write(|tx| {
            if goes_on_behind(watermark, centre, &tx.streams(centre)?) {
                return Ok(());
            }
            let judged = release_moved(context, tx, centre, now)?;
            answers::tell_released(context, tx, centre, judged, now)?;
            seal_for(context, tx, centre, due, now)
        })?;
        self.raise_watermark(centre)
    }

    /// The watermark file follows the database: to be called after a commit, and before anything is placed.
    pub(super) fn raise_watermark(&mut self, peer: ParticipantCode) -> Result<(), HubError> {
        let (streams, issued) =
            self.store.read(|tx| Ok::<_, HubError>((tx.streams(peer)?, tx.last_serial()?)))?;
        let reached = [(Stream::Sealed, streams.outgoing.last), (Stream::Applied, streams.incoming.last)];
        let reached = reached.into_iter().filter_map(|(stream, mark)| Some((peer, stream, mark?.position)));
        let store = &mut self.store;
        let gained = |from| store.read(|tx| Ok::<_, HubError>(tx.journal_leaves(from)?));
        self.watermark.raise(reached, issued, gained)?;
        self.context.issued = self.watermark.issued();
        Ok(())
    }

    /// Places what is due in the `out` of each centre.
    pub fn place(&mut self, now: Timestamp) -> Result<Placed, HubError> {
        let mut gained = Vec::new();
        let mut failed = None;
        for centre in self.store.read(|tx| tx.centres())?.into_iter().filter(|centre| centre.active) {
            match self.place_for(centre.code, now) {
                Ok(true) => gained.push(centre.code),
                Ok(false) => {}
                // one centre's folder or row never holds up the others
                Err(error) => {
                    if !error.is_damage() {
                        tracing::error!(centre = %centre.code, "not placed: {error}");
                    }
                    failed = Some(error);
                }
            }
        }
        Ok(Placed { gained, failed })
    }

    fn place_for(&mut self, centre: ParticipantCode, now: Timestamp) -> Result<bool, HubError> {
        // a crash may have come between a commit and the watermark file: nothing leaves before it is raised
        self.raise_watermark(centre)?;
        let Self { store, context, .. } = self;
        let (stop, packets, answers) = store.read(|tx| {
            let stop = tx.streams(centre)?.outgoing.stop;
            Ok::<_, HubError>((stop, tx.open_packets(centre)?, tx.answers_to_place(centre)?))
        })?;
        let (mut placed, mut told, mut lost, mut failed) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut put = |name: &str| -> Result<(), HubError> {
            if store.read(|tx| is_whole(context, tx, centre, name))? {
                return put(context, centre, name);
            }
            lost.push(name.to_owned());
            Ok(())
        };
        for (name, mut packet) in packets {
            if packet.placing(stop, now, &context.timing) == Placing::Now {
                match put(&name) {
                    Ok(()) => packet.placed(now, &context.timing, random()),
                    Err(error) => {
                        tracing::warn!(centre = %centre, file = name, "not placed: {error}");
                        packet.placing_failed(now, &context.timing, random());
                    }
                }
                placed.push((name, packet));
            }
        }
        for name in &answers {
            match put(name) {
                Ok(()) => told.push(name),
                Err(error) => failed = Some(error),
            }
        }
        if placed.is_empty() && told.is_empty() {
            return failed.map_or(Ok(false), Err);
        }
        store.write(|tx| {
            for (name, packet) in &placed {
                tx.set_sent_packet(name, packet)?;
            }
            for name in &told {
                tx.set_packet_state(name, PacketState::Placed.as_str(), None)?;
            }
            if lost.is_empty() { Ok(()) } else { tell_lost(context, tx, centre, &lost, now) }
        })?;
        failed.map_or(Ok(true), Err)
    }

    /// When something is due by itself: a heartbeat, or a packet to be placed again.
    pub fn next_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, HubError> {
        let Self { store, context, .. } = self;
        store.read(|tx| {
            let mut due: Option<Timestamp> = None;
            for centre in tx.centres()?.into_iter().filter(|centre| centre.active) {
                let streams = tx.streams(centre.code)?;
                let open = tx.open_packets(centre.code)?;
                let packets = open.iter().filter_map(|(_, packet)| {
                    match packet.placing(streams.outgoing.stop, now, &context.timing) {
                        Placing::Now => Some(now),
                        Placing::At(when) => Some(when),
                        Placing::Never => None,
                    }
                });
                let asking = requests::next_due(context, tx, centre.code, now)?;
                let heartbeat = streams.outgoing.heartbeat_at(&context.timing, now);
                due = packets.chain(heartbeat).chain(asking).chain(due).min();
            }
            Ok(due)
        })
    }
}

/// Whether the archive has our packet `name` as it was sealed.
pub(super) fn is_whole(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    name: &str,
) -> Result<bool, HubError> {
    let path = context.paths.archived(centre, name);
    match sum::of_file(&path) {
        Ok((_, found)) => Ok(tx.sealed_file(name)?.is_none_or(|sealed| sealed == found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(&path)(error)),
    }
}

fn put(context: &Context, centre: ParticipantCode, name: &str) -> Result<(), HubError> {
    let source = context.paths.archived(centre, name);
    let mut file = File::open(&source).map_err(at(&source))?;
    let path = context.paths.outbox(centre).join(name);
    match archive::keep(&path, &mut file) {
        Err(KeepError::Conflict { .. }) => {
            // the folder is ours: what has its name and other bytes was spoilt there, and nobody could read it
            durable_file::remove(&path).map_err(at(&path))?;
            file.rewind().map_err(at(&source))?;
            archive::keep(&path, &mut file)?;
        }
        kept => drop(kept?),
    }
    Ok(())
}

/// The archive has `lost` no more, or not as they were sealed. What packets said is said again in a new epoch; an answer is
/// nowhere else.
fn tell_lost(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    lost: &[String],
    now: Timestamp,
) -> Result<(), HubError> {
    let (at, code) = (now.to_string(), "ARCHIVE_LOST");
    let is_numbered = |name: &String| name.parse::<FileName>().is_ok_and(|name| name.kind.is_numbered());
    for name in lost {
        tracing::error!(centre = %centre, file = name, "gone from the archive, or damaged there, before it was answered");
        tx.add_incident(centre, code, Some(name), &at)?;
        journal(tx, context.code, "packet.lost", name, code, &[], now)?;
    }
    if lost.iter().any(is_numbered) && tx.streams(centre)?.outgoing.stop.is_none() {
        seal_anew(context, tx, centre, SnapshotBasis::Initial, now)?;
        if lost.iter().all(is_numbered) {
            tx.close_incidents(centre, code, &at)?;
        }
    }
    Ok(())
}
