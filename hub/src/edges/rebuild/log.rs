//! The hub's own stream, as the archive has it: which of its packets count, and what they say.

use std::collections::BTreeMap;

use exchange_endpoint::{
    messages::Told,
    output::{Exit, Failure},
};
use exchange_format::{
    file_name::PacketKind,
    packet::manifest::Purpose,
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark, Position, Seq},
    record::Body,
    stream::Part,
};
use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::archive::{Archive, Filed};
use crate::{
    database::{Store, Tx, streams::PacketRow},
    edges::sealing::noted::ROWS,
};

/// A packet of the hub to itself.
#[derive(Debug, Clone)]
pub struct Own {
    /// Its file.
    pub text: String,
    kind: PacketKind,
    /// Its place and digest.
    pub mark: Mark,
    previous: Option<Digest>,
    part: Option<Part>,
    created_at: Timestamp,
}

/// The stream, as far as it is whole.
pub struct OwnStream {
    /// Its packets from the beginning of its last epoch on.
    pub packets: Vec<Own>,
    /// The highest epoch of which there is a file.
    pub highest: Epoch,
}

/// Reads the stream in `archive`. A file may be left of a transaction that came to nothing: what counts is the chain. Of two
/// files at its end the newer one counts; that has what the older one has.
pub fn read(archive: &Archive<'_>, files: &[Filed], hub: ParticipantCode) -> Result<OwnStream, Failure> {
    let mut by_epoch: BTreeMap<Epoch, Vec<Own>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.peer == hub && file.name.kind.is_numbered()) {
        let packet = archive.open(hub, &file.text, None)?;
        let header = &packet.manifest().header;
        let part = if let Purpose::Snapshot(snapshot) = &header.purpose { Some(snapshot.part) } else { None };
        by_epoch.entry(file.name.position.epoch).or_default().push(Own {
            text: file.text.clone(),
            kind: file.name.kind,
            mark: packet.mark(),
            previous: header.previous,
            part,
            created_at: header.created_at,
        });
    }
    let Some(highest) = by_epoch.keys().next_back().copied() else {
        return Err(Failure::new(Exit::Refused, "rebuild-no-stream").told("code", hub));
    };
    for (position, packets) in by_epoch.values().rev().enumerate() {
        let is_oldest = position + 1 == by_epoch.len();
        let chain = chain(archive, hub, packets)?;
        let first = chain.first().and_then(|first| first.part);
        let is_whole = first.is_some_and(|part| part.k() == 1 && chain.len() >= part.n() as usize);
        if is_whole || is_oldest {
            return Ok(OwnStream { packets: chain, highest });
        }
        // the opening of an epoch that came to nothing: its transaction was ended
    }
    unreachable!("the oldest epoch was looked at")
}

/// The place before `position` in its epoch.
pub fn before_of(position: Position) -> Position {
    let seq = Seq::new(u64::from(position.seq.get()).saturating_sub(1)).unwrap_or(position.seq);
    Position { seq, ..position }
}

/// The packets of one epoch that follow each other, from the first to the last.
fn chain(archive: &Archive<'_>, hub: ParticipantCode, packets: &[Own]) -> Result<Vec<Own>, Failure> {
    let last = packets.iter().max_by_key(|one| (one.mark.position, one.created_at));
    let mut chain: Vec<Own> = last.into_iter().cloned().collect();
    while let Some(after) = chain.last().filter(|one| one.mark.position.seq.get() > 1) {
        let before = packets.iter().find(|one| Some(one.mark.digest) == after.previous);
        let Some(before) = before else {
            let at = before_of(after.mark.position);
            let digest = after.previous.unwrap_or(after.mark.digest);
            let place = archive.called(hub, false, at, &digest);
            let args = [("position", at.to_string().into()), ("peer", hub.to_string().into())];
            let what = Told::of("rebuild-lost-own", &args);
            return Err(Failure::new(Exit::Refused, "rebuild-missing")
                .told("file", place)
                .because("lost", what));
        };
        chain.push(before.clone());
    }
    chain.reverse();
    Ok(chain)
}

/// Puts what the stream says into `store`: the inputs, and in its order what was noted, to be replayed.
pub fn put(
    archive: &Archive<'_>,
    stream: &OwnStream,
    store: &mut Store,
    hub: ParticipantCode,
    tell: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<u64, Failure> {
    let (mut text, mut inputs, all) = (String::new(), 0, stream.packets.len() as u64);
    for (done, own) in (0..).zip(&stream.packets) {
        tell("log", done, all);
        inputs += store.write(|tx| put_packet(archive, own, tx, hub, &mut text))?;
    }
    if text.is_empty() {
        return Ok(inputs);
    }
    let last = stream.packets.last().map(|own| own.text.clone()).unwrap_or_default();
    Err(archive.damaged(hub, &last, Told::of("rebuild-cut-short", &[])))
}

fn put_packet(
    archive: &Archive<'_>,
    own: &Own,
    tx: &Tx<'_>,
    hub: ParticipantCode,
    text: &mut String,
) -> Result<u64, Failure> {
    let mut packet = archive.open(hub, &own.text, Some(own.mark.digest))?;
    let mut inputs = 0;
    let unreadable = || archive.damaged(hub, &own.text, Told::of("rebuild-unreadable", &[]));
    archive.for_each_record((hub, &own.text), &mut packet, |record| {
        let body = Body::from_xml(record.kind, &record.body).map_err(|_| unreadable())?;
        let (at, action) = (body.text("at").unwrap_or_default(), body.text("action").unwrap_or_default());
        tx.add_input(&record, at, action)?;
        tx.input_sealed(record.key, &own.text)?;
        if action == ROWS {
            text.push_str(body.text("value").unwrap_or_default());
        }
        inputs += 1;
        Ok(())
    })?;
    let whole = entries(text).map_err(|_| unreadable())?;
    for entry in &whole.1 {
        tx.put_change(&text[entry.clone()])?;
    }
    text.drain(..whole.0);
    tx.put_packet(&PacketRow {
        name: &own.text,
        direction: "out",
        peer: hub,
        kind: own.kind.letters(),
        mark: Some(own.mark),
        state: "APPLIED",
        reason: None,
        previous: own.previous,
        part: own.part,
        answered: None,
        unconfirmed: false,
        at: &own.created_at.to_string(),
        records: inputs,
        sha256: None,
    })?;
    Ok(inputs)
}

/// Where the whole JSON objects at the beginning of `text` are, and where they end.
fn entries(text: &str) -> serde_json::Result<(usize, Vec<std::ops::Range<usize>>)> {
    let mut found = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut all, mut end) = (Vec::new(), 0);
    loop {
        match found.next() {
            Some(Ok(_)) => {
                all.push(end..found.byte_offset());
                end = found.byte_offset();
            }
            Some(Err(error)) if !error.is_eof() => return Err(error),
            Some(Err(_)) | None => return Ok((end, all)),
        }
    }
}
