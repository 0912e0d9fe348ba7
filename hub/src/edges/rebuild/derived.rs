//! What follows from what was noted: references, the index, sums, what is to be published, our answers as they lie in the
//! archive.

use std::{collections::BTreeMap, fs::File};

use exchange_endpoint::{output::Failure, sum};
use exchange_format::{
    packet::{VerifiedPacket, manifest::Purpose},
    participant::ParticipantCode,
    position::{Digest, Mark},
    state_digest::StateDigest,
};
use jiff::Timestamp;

use super::{
    archive::{Archive, Filed},
    replay::Replay,
};
use crate::{
    database::{
        Tx,
        received::{ClaimId, Standing},
        streams::PacketRow,
    },
    decisions::admission::examine,
    edges::{failure::file, hub::Context, ranges},
};

/// Rows read at a time, and claims that are compared with their likes at a time.
const PAGE: u32 = 2000;

/// References, the index and the sums of the streams.
pub fn make(context: &Context, tx: &Tx<'_>, replay: &Replay<'_>, now: Timestamp) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = tx.records_as_referring(after, PAGE)?;
        let Some((last, ..)) = page.last() else { break };
        after = *last;
        for (id, origin, record) in &page {
            let referents: Vec<_> = examine(record).references.iter().map(|(_, id, _)| *id).collect();
            tx.set_references(*origin, *id, &referents, true)?;
        }
    }
    let register = context.register(tx, context.code.as_str(), now);
    let mut changed: Vec<ClaimId> = Vec::new();
    for id in &replay.changed {
        // what waits is compared by its merge
        if tx.received(*id)?.is_none_or(|found| found.standing != Standing::Waiting) {
            changed.push(*id);
        }
    }
    for page in changed.chunks(PAGE as usize) {
        register.index(page)?;
    }
    for centre in tx.centres()? {
        let mut streams = tx.streams(centre.code)?;
        streams.received = ranges::sum_of(tx, centre.code)?;
        streams.sent = StateDigest::default();
        tx.set_streams(centre.code, &streams)?;
        if let Some(position) = replay.acknowledged.get(&centre.code) {
            tx.acknowledged(centre.code, *position)?;
        }
    }
    tx.settle_key_packets()?;
    Ok(())
}

/// What each centre should be told, of everybody and of the directory: what it was told already stays.
pub fn publish(context: &Context, tx: &Tx<'_>, now: Timestamp) -> Result<(), Failure> {
    let register = context.register(tx, context.code.as_str(), now);
    for uid in tx.all_people()? {
        register.republish(uid)?;
    }
    for centre in tx.centres()?.into_iter().filter(|centre| centre.active) {
        register.publish_directory(centre.code)?;
    }
    Ok(())
}

/// Our answers to packets that were taken: of each the last.
#[derive(Default)]
pub struct Answers(BTreeMap<(Digest, &'static str), Answer>);

struct Answer {
    peer: ParticipantCode,
    text: String,
    mark: Mark,
    revision: Option<u32>,
    at: Timestamp,
    answered: Digest,
}

impl Answers {
    /// Looks whether `packet` is one.
    pub fn look(&mut self, filed: &Filed, packet: &VerifiedPacket<File>) {
        let header = &packet.manifest().header;
        let (answered, revision) = match &header.purpose {
            Purpose::Receipt { answered } => (*answered, None),
            Purpose::Protocol { answered, revision } => (*answered, Some(*revision)),
            _ => return,
        };
        if header.from == filed.peer {
            return;
        }
        let (peer, text, mark, at) = (filed.peer, filed.text.clone(), packet.mark(), header.created_at);
        let answer = Answer { peer, text, mark, revision, at, answered };
        let place = (answered, header.kind().letters());
        if self.0.get(&place).is_none_or(|other| (other.revision, other.at) <= (revision, at)) {
            self.0.insert(place, answer);
        }
    }

    /// Whether there is a protocol of the packet.
    pub fn has(&self, digest: &Digest) -> bool {
        self.0.contains_key(&(*digest, "PR"))
    }

    /// Keeps those to packets of `taken`.
    pub fn put(
        &self,
        tx: &Tx<'_>,
        archive: &Archive<'_>,
        taken: impl Fn(&Digest) -> bool,
    ) -> Result<(), Failure> {
        for ((_, kind), answer) in self.0.iter().filter(|((digest, _), _)| taken(digest)) {
            let path = archive.path(answer.peer, &answer.text);
            let (_, sha256) = sum::of_file(&path).map_err(file(&path))?;
            tx.put_packet(&PacketRow {
                name: &answer.text,
                direction: "out",
                peer: answer.peer,
                kind,
                mark: Some(answer.mark),
                state: "PLACED",
                reason: None,
                previous: None,
                part: None,
                answered: Some((answer.answered, answer.revision)),
                unconfirmed: false,
                at: &answer.at.to_string(),
                records: 0,
                sha256: Some(sha256),
            })?;
        }
        Ok(())
    }
}
