//! Packets without a record: nothing is noted of them, for nothing follows from them. The chain of each stream says which of
//! them belong to it, and whether a packet is missing that does say something.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
};

use exchange_endpoint::{
    messages::Told,
    output::{Exit, Failure},
    sum,
};
use exchange_format::{
    packet::{VerifiedPacket, manifest::Purpose},
    participant::ParticipantCode,
    position::{Digest, Mark},
};
use jiff::Timestamp;

use super::{
    archive::{Archive, Filed},
    log::before_of,
};
use crate::{
    database::{Tx, streams::PacketRow},
    edges::failure::file,
};

/// A packet that was noted names the one before it.
#[derive(Debug)]
pub struct Link {
    pub peer: ParticipantCode,
    pub received: bool,
    pub mark: Mark,
    pub previous: Digest,
    /// The one before it was taken or sealed, too: it is here.
    pub certain: bool,
}

/// A packet without a record.
struct Beat {
    peer: ParticipantCode,
    text: String,
    received: bool,
    mark: Mark,
    previous: Option<Digest>,
    at: Timestamp,
}

/// All of them, by their digests.
#[derive(Default)]
pub struct Beats(BTreeMap<Digest, Beat>);

impl Beats {
    /// Looks whether `packet` is one.
    pub fn look(&mut self, filed: &Filed, packet: &VerifiedPacket<File>) {
        let (manifest, mark) = (packet.manifest(), packet.mark());
        let header = &manifest.header;
        if header.purpose == Purpose::Data && manifest.members.iter().all(|member| member.count == 0) {
            let (peer, text, received) = (filed.peer, filed.text.clone(), header.from == filed.peer);
            let (previous, at) = (header.previous, header.created_at);
            self.0.insert(mark.digest, Beat { peer, text, received, mark, previous, at });
        }
    }

    /// Puts those that belong to the streams in their places; their digests. `noted` are those of the other packets;
    /// `answered` those to which there is a protocol.
    pub fn put(
        &self,
        tx: &Tx<'_>,
        archive: &Archive<'_>,
        (links, noted): (&[Link], &BTreeSet<Digest>),
        answered: impl Fn(&Digest) -> bool,
    ) -> Result<BTreeSet<Digest>, Failure> {
        let mut put = BTreeSet::new();
        for link in links {
            let (mut wanted, mut after) = (link.previous, link.mark);
            while !noted.contains(&wanted) && !put.contains(&wanted) {
                let beat =
                    self.0.get(&wanted).filter(|it| (it.peer, it.received) == (link.peer, link.received));
                let Some(beat) = beat else {
                    // what came before an epoch need not have come
                    if link.certain && after.position.seq.get() > 1 {
                        return Err(missing(archive, link, (after, &wanted)));
                    }
                    break;
                };
                row(tx, archive, beat)?;
                put.insert(wanted);
                after = beat.mark;
                let Some(before) = beat.previous else { break };
                wanted = before;
            }
        }
        for centre in tx.centres()? {
            let mut streams = tx.streams(centre.code)?;
            let last = [(true, &mut streams.incoming.last), (false, &mut streams.outgoing.last)];
            for (received, last) in last {
                let follows = |beat: &&Beat, last: Mark| {
                    (beat.peer, beat.received, beat.previous) == (centre.code, received, Some(last.digest))
                        && beat.mark.position.epoch == last.position.epoch
                        && (!received || answered(&beat.mark.digest))
                };
                while let Some(beat) = last.and_then(|last| self.0.values().find(|beat| follows(beat, last)))
                {
                    row(tx, archive, beat)?;
                    put.insert(beat.mark.digest);
                    *last = Some(beat.mark);
                }
            }
            tx.set_streams(centre.code, &streams)?;
        }
        Ok(put)
    }
}

fn row(tx: &Tx<'_>, archive: &Archive<'_>, beat: &Beat) -> Result<(), Failure> {
    let path = archive.path(beat.peer, &beat.text);
    let sealed = if beat.received { None } else { Some(sum::of_file(&path).map_err(file(&path))?.1) };
    tx.put_packet(&PacketRow {
        name: &beat.text,
        direction: if beat.received { "in" } else { "out" },
        peer: beat.peer,
        kind: "DT",
        mark: Some(beat.mark),
        state: if beat.received { "APPLIED" } else { "PLACED" },
        reason: None,
        previous: beat.previous,
        part: None,
        answered: None,
        unconfirmed: false,
        at: &beat.at.to_string(),
        records: 0,
        sha256: sealed,
    })?;
    Ok(())
}

/// A packet before `after` is missing, or is another than the chain says.
fn missing(archive: &Archive<'_>, link: &Link, (after, wanted): (Mark, &Digest)) -> Failure {
    let at = before_of(after.position);
    let args = [("peer", link.peer.to_string().into()), ("position", at.to_string().into())];
    let what = Told::of(if link.received { "rebuild-lost-received" } else { "rebuild-lost-sent" }, &args);
    let place = archive.called(link.peer, link.received, at, wanted);
    Failure::new(Exit::Refused, "rebuild-missing").told("file", place).because("lost", what)
}
