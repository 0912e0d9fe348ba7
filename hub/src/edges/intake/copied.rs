//! What our own rows have lost of what was published to a centre, or say otherwise than it was sealed: taken back from the copy
//! that the centre keeps, when the sums of a stream differ. That shows no restore: of a hub that was put back the control
//! block of the same file names packets that it has not sealed (exchange §7).

use std::{collections::BTreeSet, fs::File};

use exchange_format::{
    packet::{
        VerifiedPacket,
        manifest::{Purpose, SnapshotBasis, SnapshotPart},
    },
    position::Mark,
    record::{Form, Kind, Record, RecordId},
    stream::Stop,
};

use super::{Applied, Step, audit::DIVERGED, journal, published::close_unsealed};
use crate::{
    database::{
        Tx,
        publications::Publication,
        streams::{AtPosition, Streams},
    },
    edges::{hub::HubError, ranges, register::What, requests, resync, sealing::data::seal_anew},
};

/// Whether this hub has asked for a snapshot because the sums of a stream differ, and this is it.
pub(super) fn is_for_divergence(tx: &Tx<'_>, part: &SnapshotPart) -> Result<bool, HubError> {
    match part.basis {
        SnapshotBasis::Requested { request } => Ok(tx.requests().is_of_divergence(request)?),
        SnapshotBasis::Initial | SnapshotBasis::Recovered { .. } => Ok(false),
    }
}

impl Step<'_> {
    /// Takes nothing but the mirror from a snapshot: the stream stays where it is, its epoch does not begin.
    pub(super) fn look_at_mirror(
        &self,
        tx: &Tx<'_>,
        streams: &mut Streams,
        part: &SnapshotPart,
        parts: &[Mark],
    ) -> Result<Vec<Applied>, HubError> {
        let mut all = Vec::new();
        for mark in parts {
            let row = self.held_row(tx, mark)?;
            self.judge_mirror(tx, streams, &row, &mut self.open_held(&row)?)?;
            tx.set_packet_state(&row.name, "APPLIED", None)?;
            self.enter(tx, "snapshot.unconfirmed", &row, "")?;
            all.push(Applied::nothing(&row.name, *mark));
        }
        tx.set_streams(self.centre, streams)?;
        if is_for_divergence(tx, part)? {
            self.publications_back(tx, streams, parts)?;
        }
        all.iter().try_for_each(|applied| self.answer(tx, streams, applied))?;
        Ok(all)
    }

    /// A centre's copy of our publications that is ahead of them shows that this hub was restored.
    pub(super) fn judge_mirror(
        &self,
        tx: &Tx<'_>,
        streams: &mut Streams,
        row: &AtPosition,
        packet: &mut VerifiedPacket<File>,
    ) -> Result<(), HubError> {
        let is_looked_for = match &packet.manifest().header.purpose {
            Purpose::Snapshot(part) => is_for_divergence(tx, part)?,
            _ => false,
        };
        let is_evidence = |record: &Record| {
            let is_ours = self.context.has_signed(self.centre, record);
            Ok(is_ours && (!is_looked_for || self.lost_of(tx, record)?.is_none()))
        };
        let checked = &mut packet.check_while_reading();
        let mirror = requests::judge_mirror_of(tx, self.centre, checked, is_evidence)?;
        if let Some(evidence) = mirror {
            tracing::error!(centre = %self.centre, "this hub was restored: {evidence}");
            streams.outgoing.stop = Some(Stop::Restored);
            tx.add_incident(self.centre, "RESTORED", Some(&row.name), &self.now.to_string())?;
        }
        Ok(())
    }

    /// Of whom this hub had published what `record` of a centre's copy says, if our row has lost that or says otherwise, and it is
    /// of somebody or something that is known here: else it is no damage to rows, but another database.
    pub(super) fn lost_of(&self, tx: &Tx<'_>, record: &Record) -> Result<Option<RecordId>, HubError> {
        let register = self.context.register(tx, self.context.code.as_str(), self.now);
        if !matches!(register.differs(self.centre, record)?, Some(What::Back | What::Ahead)) {
            return Ok(None);
        }
        if let Some(told) = tx.publication_person(self.centre, record.kind, record.key)? {
            return Ok(Some(told));
        }
        file_of(tx, record)
    }

    /// Puts back the text of a publication that was altered, as `record` of the centre's copy has it, if it is the one that was sealed
    /// last; of whose file it is.
    fn text_back(&self, tx: &Tx<'_>, record: &Record) -> Result<Option<RecordId>, HubError> {
        let (kind, key) = (record.kind, record.key);
        let Some(row) = tx.publication(self.centre, kind, key)?.filter(Publication::is_altered) else {
            return Ok(None);
        };
        if (row.version, row.sealed) != (record.version, Some((record.form, record.hash()))) {
            return Ok(None);
        }
        let file = file_of(tx, record)?.unwrap_or(key);
        tx.put_back_text(self.centre, record, file)?;
        Ok(Some(file))
    }

    /// Takes back what the centre's copy in the snapshot `parts` shows and our rows do not, under the version that the centre
    /// knows, and lets whom that touches be told anew above it; then the centre gets the snapshots that wait for this.
    pub(super) fn publications_back(
        &self,
        tx: &Tx<'_>,
        streams: &mut Streams,
        parts: &[Mark],
    ) -> Result<(), HubError> {
        let (mut people, mut found) = (BTreeSet::new(), 0_u64);
        resync::for_each(self, tx, parts, &mut |record, is_mirror| {
            if !is_mirror {
                return Ok(());
            }
            if let Some(uid) = self.lost_of(tx, record)? {
                found += 1;
                tx.told_before(self.centre, record, uid)?;
                people.insert(uid);
            } else if let Some(uid) = self.text_back(tx, record)? {
                found += 1;
                people.insert(uid);
            }
            Ok(())
        })?;
        if found > 0 {
            tracing::error!(centre = %self.centre, found, "publications were lost or altered in the database; they are taken back");
            let register = self.context.register(tx, self.context.code.as_str(), self.now);
            for uid in people.into_iter().filter(|uid| tx.person(*uid).is_ok_and(|known| known.is_some())) {
                register.republish(tx.person_meant(uid)?)?;
            }
            let at = self.now.to_string();
            tx.add_incident(self.centre, DIVERGED, None, &at)?;
            tx.close_incidents(self.centre, DIVERGED, &at)?;
            let code = self.context.code;
            journal(tx, code, "publication.mended", self.centre.as_str(), "", &[], self.now)?;
        }
        close_unsealed(tx, self.centre, self.now)?;
        streams.sent = ranges::sum_of_sent(tx, self.centre)?;
        tx.set_streams(self.centre, streams)?;
        for id in tx.requests().waiting(self.centre)? {
            let basis = SnapshotBasis::Requested { request: id };
            let opened = seal_anew(self.context, tx, self.centre, basis, self.now)?;
            tx.requests().honour(self.centre, id, "snapshot", Some(opened), self.now)?;
        }
        *streams = tx.streams(self.centre)?;
        Ok(())
    }
}

/// Of whose file what `record` says is, if that is of somebody or something that is known here.
fn file_of(tx: &Tx<'_>, record: &Record) -> Result<Option<RecordId>, HubError> {
    let body = (record.form != Form::Tombstone).then(|| record.read_body().ok()).flatten();
    let id = |field: &str| body.as_ref().and_then(|body| body.stated(field)?.parse::<RecordId>().ok());
    let person = match record.kind {
        Kind::Person => Some(record.key),
        Kind::Link => id("target"),
        Kind::Programme | Kind::Supplement => tx.person_of_document(record.key)?,
        // of nobody, or of somebody that a tombstone does not name
        _ if id("recipient").is_none() => return Ok(Some(record.key)),
        _ => id("recipient"),
    };
    Ok(match person {
        Some(uid) if tx.person(uid)?.is_some() => Some(uid),
        _ => None,
    })
}
