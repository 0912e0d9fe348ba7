//! What was noted is done again, in its order: rows are written as they were, packets bring their records. Nothing is
//! decided: what a record was taken for, what became of it and what was made of it is noted, or plain.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::{
    output::{Exit, Failure},
    sum,
};
use exchange_format::{
    file_name::PacketKind,
    packet::manifest::{Header, Purpose, SnapshotPart},
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark, Position, Seq},
    record::{Form, Kind, Record, RecordId},
    stream::{Edition, VersionVerdict},
};
use jiff::Timestamp;
use serde_json::Value;

use super::{archive::Archive, beats::Link};
use crate::{
    database::{
        Tx,
        content::Content,
        noted::{Again, MERGED, WEIGHED},
        received::{Arrived, ClaimId, Known, Standing},
        streams::PacketRow,
    },
    edges::{failure, hub::Context, intake::fresh_standing, sealing::noted::CONTENT},
};

/// The body that the hub goes by while a newer version is kept aside.
type Former = (u32, Vec<u8>);

/// A database in which the noted is done again.
pub struct Replay<'a> {
    pub context: &'a Context,
    pub archive: &'a Archive<'a>,
    /// The entry after which everything is counted anew for the last time.
    pub weighed: i64,
    /// The entry that tells the content's digest last.
    pub told_at: i64,
    pub now: Timestamp,
    tables: BTreeMap<&'static str, Again>,
    /// What records of the last packet said before.
    former: BTreeMap<(Kind, RecordId), Former>,
    /// Recipient claims that changed since everything was counted.
    pub changed: BTreeSet<ClaimId>,
    /// Digests of the packets that were noted, and how they follow each other.
    pub noted: BTreeSet<Digest>,
    pub links: Vec<Link>,
    /// Up to where each centre has what was sent to it.
    pub acknowledged: BTreeMap<ParticipantCode, Position>,
    /// Files that were read.
    pub read: BTreeSet<(ParticipantCode, String)>,
    /// The content's digest as it was told, and as it was found there.
    pub told: Option<(Digest, Content)>,
    /// Packets applied, refused, sealed; records taken.
    pub counts: [u64; 4],
}

impl<'a> Replay<'a> {
    /// Nothing is done yet. `weighed` and `told_at` are the last entries of these kinds.
    pub fn new(
        context: &'a Context,
        archive: &'a Archive<'a>,
        (weighed, told_at): (i64, i64),
        tables: BTreeMap<&'static str, Again>,
        now: Timestamp,
    ) -> Self {
        Self {
            context,
            archive,
            weighed,
            told_at,
            now,
            tables,
            former: BTreeMap::new(),
            changed: BTreeSet::new(),
            noted: BTreeSet::new(),
            links: Vec::new(),
            acknowledged: BTreeMap::new(),
            read: BTreeSet::new(),
            told: None,
            counts: [0; 4],
        }
    }

    /// Does what the entry `text` with the number `n` says.
    pub fn entry(&mut self, tx: &Tx<'_>, n: i64, text: &str) -> Result<(), Failure> {
        let entry: Value = serde_json::from_str(text).map_err(|_| unfit("json"))?;
        let table = entry["t"].as_str().unwrap_or_default().to_owned();
        let is = &entry["is"];
        if let Some(again) = self.tables.get(table.as_str()) {
            let done = tx.note_again(again, text, is.is_null());
            return done.map_err(|error| {
                tracing::error!("a row of {table} that was noted cannot be written: {error}");
                unfit(&table)
            });
        }
        match table.as_str() {
            "received" => self.outcome(tx, is),
            "packet" => self.packet(tx, is),
            "stream" => stream(tx, is),
            MERGED => {
                self.weigh(tx, n, true)?;
                tx.end_waiting()?;
                Ok(())
            }
            WEIGHED => self.weigh(tx, n, false),
            CONTENT => {
                if n == self.told_at {
                    let told = digest(is, "digest")?;
                    self.told = Some((told, tx.content()?));
                }
                Ok(())
            }
            other => Err(unfit(other)),
        }
    }

    fn weigh(&mut self, tx: &Tx<'_>, n: i64, waiting: bool) -> Result<(), Failure> {
        if n == self.weighed {
            self.context.register(tx, self.context.code.as_str(), self.now).index_all(waiting)?;
            self.changed.clear();
        }
        Ok(())
    }

    /// What became of a record that was not plainly taken.
    fn outcome(&mut self, tx: &Tx<'_>, is: &Value) -> Result<(), Failure> {
        let (origin, key) = (code(is, "origin")?, text(is, "key")?.parse().map_err(|_| unfit("received"))?);
        let kind: Kind = text(is, "kind")?.parse().map_err(|_| unfit("received"))?;
        let basis = is["basis_version"].as_u64();
        let former = self.former.get(&(kind, key));
        let former =
            former.filter(|(version, _)| Some(u64::from(*version)) == basis).map(|(_, body)| &body[..]);
        tx.write_noted_outcome(is, former).map_err(|_| unfit("received"))?;
        if kind == Kind::RecipientClaim {
            self.changed.extend(tx.known(origin, kind, key)?.map(|known| known.id));
        }
        Ok(())
    }

    fn packet(&mut self, tx: &Tx<'_>, is: &Value) -> Result<(), Failure> {
        let (peer, name) = (code(is, "peer")?, text(is, "name")?);
        let received = text(is, "direction")? == "in";
        let mut packet = self.archive.open(peer, name, Some(digest(is, "digest")?))?;
        self.read.insert((peer, name.to_owned()));
        let (header, mark) = (packet.manifest().header.clone(), packet.mark());
        let snapshot = if let Purpose::Snapshot(part) = &header.purpose { Some(*part) } else { None };
        let refused = text(is, "state")? == "REFUSED";
        let unconfirmed = snapshot.is_some_and(|part| part.unconfirmed);
        let opens = !unconfirmed && !refused && snapshot.is_some_and(|snapshot| snapshot.part.k() == 1);
        let mut records = 0;
        self.noted.insert(mark.digest);
        let certain = header.kind() == PacketKind::Data && !refused;
        self.links.extend(header.previous.map(|previous| Link { peer, received, mark, previous, certain }));
        if received {
            self.acknowledged.extend(header.control.ack.map(|ack| (peer, ack.position)));
            if opens {
                tx.orphan_all(peer)?;
            }
        } else if opens {
            tx.forget_publications(peer)?;
        }
        if !refused && !unconfirmed {
            records = if received {
                self.take(tx, (peer, name), &mut packet)?
            } else {
                let mut records = 0;
                self.archive.for_each_record((peer, name), &mut packet, |record| {
                    records += 1;
                    Ok(tx.publication_was_sealed(peer, &record, person_of(&record), name)?)
                })?;
                records
            };
        }
        self.counts[if received { usize::from(refused) } else { 2 }] += 1;
        self.row(tx, (peer, name), (&header, mark, snapshot), is, records)?;
        stand(tx, peer, received, (mark, header.created_at), unconfirmed)
    }

    /// The row of a packet.
    fn row(
        &self,
        tx: &Tx<'_>,
        (peer, name): (ParticipantCode, &str),
        (header, mark, snapshot): (&Header, Mark, Option<SnapshotPart>),
        is: &Value,
        records: u64,
    ) -> Result<(), Failure> {
        let received = header.from == peer;
        let path = self.archive.path(peer, name);
        let sealed = (!received).then(|| sum::of_file(&path)).transpose().map_err(failure::file(&path))?;
        tx.put_packet(&PacketRow {
            name,
            direction: text(is, "direction")?,
            peer,
            kind: header.kind().letters(),
            mark: Some(mark),
            // what was sent is sent again in a new epoch
            state: if received { text(is, "state")? } else { "PLACED" },
            reason: is["reason"].as_str(),
            previous: header.previous,
            part: snapshot.map(|snapshot| snapshot.part),
            answered: None,
            unconfirmed: snapshot.is_some_and(|part| part.unconfirmed),
            at: text(is, "at")?,
            records,
            sha256: sealed.map(|(_, sha256)| sha256),
        })?;
        Ok(())
    }

    /// Takes the records of a packet of a centre, plainly.
    fn take(
        &mut self,
        tx: &Tx<'_>,
        (peer, name): (ParticipantCode, &str),
        packet: &mut exchange_format::packet::VerifiedPacket<std::fs::File>,
    ) -> Result<u64, Failure> {
        self.former.clear();
        let merged = tx.centre(peer)?.is_some_and(|centre| centre.merged);
        let (mut again, mut records) = (BTreeSet::new(), 0);
        let (former, changed) = (&mut self.former, &mut self.changed);
        self.archive.for_each_record((peer, name), packet, |record| {
            records += 1;
            let (known, edition) = (tx.known(peer, record.kind, record.key)?, Edition::of(&record));
            let told = known.as_ref().map(Known::edition);
            match edition.judge(told.as_ref()) {
                VersionVerdict::Older | VersionVerdict::Collision => return Ok(()),
                VersionVerdict::Unchanged => {
                    again.extend(known.map(|known| known.id));
                    return Ok(());
                }
                VersionVerdict::New | VersionVerdict::Changed => {}
            }
            if let Some(known) = &known {
                former.extend(tx.goes_by_bytes(known.id)?.map(|it| ((record.kind, record.key), it)));
            }
            let ended = record.form == Form::Tombstone;
            let standing = if ended { Standing::Gone } else { fresh_standing(merged, record.kind) };
            let stored = tx.store_received(
                known.as_ref().map(|known| known.id),
                &Arrived {
                    origin: peer,
                    kind: record.kind,
                    key: record.key,
                    version: record.version,
                    form: record.form,
                    hash: edition.hash,
                    body: &record.body,
                    outcome: if known.is_some() { "changed" } else { "new" },
                    rule: None,
                    packet: name,
                    standing,
                    keep_basis: false,
                },
            )?;
            if record.kind == Kind::RecipientClaim {
                changed.extend(stored);
            }
            Ok(())
        })?;
        tx.came_again(&again, name)?;
        self.counts[3] += records;
        Ok(records)
    }
}

/// Whose file a published record belongs to, by what it says.
fn person_of(record: &Record) -> RecordId {
    let body = record.read_body().ok();
    let id = |field: &str| body.as_ref().and_then(|body| body.text(field)?.parse().ok());
    let named = match record.kind {
        Kind::Link => id("target"),
        Kind::Programme | Kind::Supplement | Kind::NeedDecision | Kind::Assessment => id("recipient"),
        _ => None,
    };
    named.unwrap_or(record.key)
}

/// The stream stands at `mark`.
fn stand(
    tx: &Tx<'_>,
    peer: ParticipantCode,
    received: bool,
    (mark, at): (Mark, Timestamp),
    unconfirmed: bool,
) -> Result<(), Failure> {
    let mut streams = tx.streams(peer)?;
    let last = if received { &mut streams.incoming.last } else { &mut streams.outgoing.last };
    if last.is_none_or(|last| last.position < mark.position) && !(received && unconfirmed) {
        *last = Some(mark);
    }
    if !received {
        streams.outgoing.sealed_at = Some(at);
        streams.outgoing.told_epoch(mark.position.epoch);
    }
    Ok(tx.set_streams(peer, &streams)?)
}

/// A stream stands as `is` says.
fn stream(tx: &Tx<'_>, is: &Value) -> Result<(), Failure> {
    let wrong = || unfit("stream");
    let peer = code(is, "peer")?;
    let mut streams = tx.streams(peer)?;
    let epoch = |field: &str| -> Result<Option<Epoch>, Failure> {
        is[field].as_u64().map(|n| Epoch::new(n).map_err(|_| wrong())).transpose()
    };
    let mark = |of: &str| -> Result<Option<Mark>, Failure> {
        let (Some(epoch), Some(seq)) = (epoch(&format!("{of}_epoch"))?, is[format!("{of}_seq")].as_u64())
        else {
            return Ok(None);
        };
        let seq = Seq::new(seq).map_err(|_| wrong())?;
        Ok(Some(Mark { position: Position { epoch, seq }, digest: digest(is, &format!("{of}_digest"))? }))
    };
    streams.outgoing.stop = is["stop"].as_str().map(|stop| stop.parse().map_err(|_| wrong())).transpose()?;
    streams.outgoing.highest_epoch = epoch("highest_epoch")?;
    (streams.outgoing.last, streams.incoming.last) = (mark("out")?, mark("in")?);
    streams.incoming.stopped = epoch("stopped_epoch")?;
    streams.incoming.closed = epoch("closed_epoch")?;
    Ok(tx.set_streams(peer, &streams)?)
}

fn text<'v>(is: &'v Value, field: &'static str) -> Result<&'v str, Failure> {
    is[field].as_str().ok_or_else(|| unfit(field))
}

fn code(is: &Value, field: &'static str) -> Result<ParticipantCode, Failure> {
    text(is, field)?.parse().map_err(|_| unfit(field))
}

fn digest(is: &Value, field: &str) -> Result<Digest, Failure> {
    is[field].as_str().and_then(|text| text.parse().ok()).ok_or_else(|| unfit(field))
}

/// What was noted does not fit what is here: the stream is of another hub or a newer program, or something is missing in it.
fn unfit(what: &str) -> Failure {
    Failure::new(Exit::Refused, "rebuild-unfit").told("what", what)
}
