//! What is held: parts of a snapshot until all are here, and everything of a centre while this hub recovers.

use std::fs::File;

use exchange_format::{
    packet::{
        VerifiedPacket,
        manifest::{Purpose, SnapshotBasis, SnapshotPart},
    },
    position::Mark,
    stream::{Arrival, Facts, Ready, Verdict},
};

use super::{Applied, Step};
use crate::{
    database::{Tx, streams::Streams},
    edges::hub::HubError,
};

impl Step<'_> {
    /// What a snapshot says it is; that it is unconfirmed, if its sender was recovering when it sealed it: what it says of its
    /// own is not certain.
    pub(super) fn snapshot_of(&self, tx: &Tx<'_>, parts: &[Mark]) -> Result<Option<SnapshotPart>, HubError> {
        let Some(first) = parts.first() else { return Ok(None) };
        let packet = self.open_held(&self.held_row(tx, first)?)?;
        Ok(match &packet.manifest().header.purpose {
            Purpose::Snapshot(part) => Some(*part),
            _ => None,
        })
    }

    /// Whether a snapshot may be applied: one that ends its sender's recovery was compared with the last one that told the sender
    /// what it had lost, and nothing of it was applied since.
    pub(super) fn may_end_recovery(
        &self,
        tx: &Tx<'_>,
        streams: &Streams,
        parts: &[Mark],
    ) -> Result<bool, HubError> {
        let Some(SnapshotPart { basis: SnapshotBasis::Recovered { compared }, .. }) =
            self.snapshot_of(tx, parts)?
        else {
            return Ok(true);
        };
        let answered = match tx.requests().told_after_restore(self.centre)? {
            Some(epoch) => tx.last_part(self.centre, epoch)?,
            None => None,
        };
        Ok(streams.incoming.accepts_recovered(compared, answered))
    }

    /// Applies the parts of a snapshot that was held.
    pub fn apply_held(
        &self,
        tx: &Tx<'_>,
        streams: &mut Streams,
        parts: &[Mark],
    ) -> Result<Vec<Applied>, HubError> {
        self.apply_or_refuse(tx, streams, &Ready::Snapshot(parts.to_vec()))
    }

    /// Applies the next thing that is ready among what is held, of whatever epoch.
    pub fn apply_next_held(&self, tx: &Tx<'_>) -> Result<Option<Vec<Applied>>, HubError> {
        let mut streams = tx.streams(self.centre)?;
        for epoch in tx.held_epochs(self.centre)? {
            let held: Vec<Arrival> =
                tx.held(self.centre, epoch)?.into_iter().map(|row| row.arrival).collect();
            for arrival in &held {
                let others: Vec<Arrival> =
                    held.iter().filter(|other| *other != arrival && other.part.is_some()).copied().collect();
                let facts = Facts { known: false, other: None, parts: &others };
                if let Verdict::Ready(ready) = streams.incoming.judge(arrival, &facts) {
                    return self.apply_or_refuse(tx, &mut streams, &ready).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// The held packet or part `mark`, opened.
    pub fn opened(&self, tx: &Tx<'_>, mark: &Mark) -> Result<VerifiedPacket<File>, HubError> {
        self.open_held(&self.held_row(tx, mark)?)
    }
}
