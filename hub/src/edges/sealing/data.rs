//! Publications of one centre: a snapshot opens the stream, changes follow. A snapshot that was asked for carries the mirror, too:
//! the centre's own records as they were last received.

use std::{collections::BTreeMap, fs::File};

use exchange_endpoint::{
    journal_table::Event,
    protocol::{Kind as ProtocolKind, Protocol},
};
use exchange_format::{
    answer::SnapshotCause,
    packet::{
        MemberName, PacketWriter,
        manifest::{Purpose, SnapshotBasis, SnapshotPart},
    },
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark},
    record::{Kind, Record, RecordId},
    signature::{RecordText, SigningKey, sign_record},
    state_digest::StateDigest,
    stream::{Lack, PacketState, Slot},
};
use jiff::Timestamp;

use super::{Outline, PACKET_BYTES, PACKET_RECORDS, Sealed, begin, control, finish, keys::is_ky};
use crate::{
    database::{
        DatabaseError, Tx,
        publications::Publication,
        streams::{PacketRow, Streams},
    },
    edges::{
        hub::{Context, HubError},
        ranges,
    },
};

/// What is asked for while the sums of a stream differ: the centre's copy of what was published to it comes with it.
const DOUBT: Lack = Lack::Snapshot(SnapshotCause::Divergence);

/// Publications are read from the database in pages.
const PAGE: u32 = 500;

/// What was sealed for a centre.
#[derive(Debug, Default)]
struct SealedFor {
    /// The packets in order, each with the number of its records.
    packets: Vec<(String, Mark, u64)>,
    /// Records by kind, and whether they are publications (`sent`) or the centre's own (`mirrored`).
    records: BTreeMap<(&'static str, &'static str), u64>,
}

impl SealedFor {
    fn count(&mut self, kind: Kind, outcome: &'static str) {
        *self.records.entry((kind.name(), outcome)).or_default() += 1;
    }

    /// The protocol of the export, if it has records.
    fn put_protocol(
        &self,
        context: &Context,
        tx: &Tx<'_>,
        centre: ParticipantCode,
        now: Timestamp,
    ) -> Result<(), HubError> {
        if self.records.is_empty() {
            return Ok(());
        }
        let mut protocol =
            Protocol::begin(ProtocolKind::Export, context.lang, context.code, Some(centre), now);
        for (name, mark, records) in &self.packets {
            protocol.packet(name, mark.digest, PacketState::Sealed.as_str(), *records);
        }
        for ((kind, outcome), count) in &self.records {
            protocol.count(kind, outcome, *count);
        }
        protocol.end();
        tx.put_protocol(&mut protocol)?;
        Ok(())
    }
}

/// Where reading of publications stands: kinds in the order of a packet's members, keys ascending.
struct Cursor {
    centre: ParticipantCode,
    all: bool,
    kinds: std::vec::IntoIter<Kind>,
    kind: Option<Kind>,
    page: std::vec::IntoIter<Publication>,
    after: Option<exchange_format::record::RecordId>,
}

impl Cursor {
    fn new(centre: ParticipantCode, all: bool) -> Self {
        let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.owner().hub_publishes()).collect();
        let mut kinds = kinds.into_iter();
        let kind = kinds.next();
        Self { centre, all, kinds, kind, page: Vec::new().into_iter(), after: None }
    }

    fn next(&mut self, tx: &Tx<'_>) -> Result<Option<Publication>, HubError> {
        while let Some(kind) = self.kind {
            if let Some(publication) = self.page.next() {
                self.after = Some(publication.key);
                return Ok(Some(publication));
            }
            self.page = tx.to_seal(self.centre, kind, self.after, self.all, PAGE)?.into_iter();
            if self.page.len() == 0 {
                (self.kind, self.after) = (self.kinds.next(), None);
            }
        }
        Ok(None)
    }
}

/// Seals what is pending for `centre`; with `heartbeat` an empty packet if nothing is. Opens the stream with a
/// snapshot if it has not begun (F11).
pub fn seal_for(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    heartbeat: bool,
    now: Timestamp,
) -> Result<(), HubError> {
    let mut streams = tx.streams(centre)?;
    let mut done = SealedFor::default();
    if streams.outgoing.stop.is_some() {
        return Ok(());
    }
    if streams.outgoing.last.is_none() {
        seal_snapshot(context, tx, centre, SnapshotBasis::Initial, &mut streams, now, &mut done)?;
    } else {
        let signing = context.signing(tx, centre, true)?;
        let mut cursor = Cursor::new(centre, false);
        // while it is not known whether our rows have lost what was published, nothing gets a number that was given already
        let mut next = if is_in_doubt(tx, centre, &streams)? { None } else { cursor.next(tx)? };
        let mut beat = heartbeat;
        while next.is_some() || beat {
            beat = false;
            let slot = streams.outgoing.next_slot()?;
            let (purpose, limit) = (Purpose::Data, PACKET_RECORDS);
            let packet = Packet { context, tx, signing, centre, now, slot, purpose, limit };
            let mut sum = streams.sent;
            let sealed = packet.seal(&mut cursor, &mut next, &streams, &mut sum, true, &mut done)?;
            streams.sent = sum;
            streams.outgoing.sealed(sealed.mark, now);
        }
    }
    tx.set_streams(centre, &streams)?;
    done.put_protocol(context, tx, centre, now)
}

/// Whether the copy that `centre` keeps is waited for because our rows may have lost what was published to it.
fn is_in_doubt(tx: &Tx<'_>, centre: ParticipantCode, streams: &Streams) -> Result<bool, HubError> {
    Ok(tx.requests().in_force(centre)?.iter().any(|one| one.asked.lack == DOUBT)
        && (!tx.requests().waiting(centre)?.is_empty() || ranges::sum_of_sent(tx, centre)? != streams.sent))
}

/// Opens a new epoch of the stream to `centre`; which.
pub(in crate::edges) fn seal_anew(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    basis: SnapshotBasis,
    now: Timestamp,
) -> Result<Epoch, HubError> {
    let mut streams = tx.streams(centre)?;
    let mut done = SealedFor::default();
    seal_snapshot(context, tx, centre, basis, &mut streams, now, &mut done)?;
    tx.set_streams(centre, &streams)?;
    done.put_protocol(context, tx, centre, now)?;
    Ok(streams.outgoing.last.expect("a part was sealed").position.epoch)
}

/// Opens an epoch with everything that the stream carries; of a hub that is recovering with the mirror alone.
fn seal_snapshot(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    basis: SnapshotBasis,
    streams: &mut Streams,
    now: Timestamp,
    done: &mut SealedFor,
) -> Result<(), HubError> {
    let unconfirmed = streams.outgoing.is_unconfirmed(basis.reason());
    let mut plan = if unconfirmed { Vec::new() } else { plan_parts(tx, centre)? };
    let mirror = match basis {
        SnapshotBasis::Requested { .. } => plan_mirror(tx, centre)?,
        SnapshotBasis::Initial | SnapshotBasis::Recovered { .. } => Vec::new(),
    };
    if plan.is_empty() && mirror.is_empty() {
        plan.push(0);
    }
    let parts = u32::try_from(plan.len() + mirror.len()).expect("a snapshot of fewer than 4 billion parts");
    let mut opening = streams.outgoing.open_epoch(parts, basis.reason())?;
    for (name, mut open) in tx.open_packets(centre)? {
        // nothing but a KY tells new keys
        if !unconfirmed && !is_ky(&name) && open.supersede(opening.epoch()) {
            tx.set_sent_packet(&name, &open)?;
        }
    }
    let signing = context.signing(tx, centre, true)?;
    let mut cursor = Cursor::new(centre, true);
    let mut next = cursor.next(tx)?;
    let mut sum = StateDigest::default();
    let contents = plan.into_iter().map(Content::Records).chain(mirror.into_iter().map(Content::Mirror));
    for content in contents {
        let slot = opening.next_part().expect("as many as planned");
        let part = slot.part.expect("a snapshot's slot is a part");
        let purpose = Purpose::Snapshot(SnapshotPart { basis, unconfirmed, part });
        let last = part.k() == part.n();
        let packet = |limit| Packet { context, tx, signing, centre, now, slot, purpose, limit };
        let sealed = match content {
            Content::Records(limit) => {
                packet(limit).seal(&mut cursor, &mut next, streams, &mut sum, last, done)?
            }
            Content::Mirror(keys) => packet(0).seal_mirror(&keys, streams, last.then_some(sum), done)?,
        };
        opening.sealed(sealed.mark.digest).expect("a part was left");
    }
    streams.sent = sum;
    streams.outgoing = opening.finish(now).expect("every part is sealed");
    Ok(())
}

/// How many records each part takes: at most 10,000, and about 15 MiB.
fn plan_parts(tx: &Tx<'_>, centre: ParticipantCode) -> Result<Vec<u64>, HubError> {
    let mut cursor = Cursor::new(centre, true);
    let mut plan = vec![0];
    let mut bytes = 0_u64;
    while let Some(publication) = cursor.next(tx)? {
        let last = plan.last_mut().expect("never empty");
        if *last >= PACKET_RECORDS || bytes >= PACKET_BYTES {
            plan.push(0);
            bytes = 0;
        }
        *plan.last_mut().expect("never empty") += 1;
        bytes += publication.body.len() as u64 + 256;
    }
    Ok(plan)
}

/// What a part of a snapshot holds: so many publications, or the mirror of these records.
enum Content {
    Records(u64),
    Mirror(Vec<(Kind, RecordId)>),
}

/// The centre's own records, cut into parts.
fn plan_mirror(tx: &Tx<'_>, centre: ParticipantCode) -> Result<Vec<Vec<(Kind, RecordId)>>, HubError> {
    let mut parts: Vec<Vec<(Kind, RecordId)>> = Vec::new();
    let mut bytes = 0;
    for (kind, key, length) in tx.mirrored(centre)? {
        let full = |part: &Vec<_>| part.len() as u64 >= PACKET_RECORDS || bytes >= PACKET_BYTES;
        if parts.last().is_none_or(full) {
            parts.push(Vec::new());
            bytes = 0;
        }
        parts.last_mut().expect("never empty").push((kind, key));
        bytes += length + 256;
    }
    Ok(parts)
}

/// One packet to be sealed.
struct Packet<'a> {
    context: &'a Context,
    tx: &'a Tx<'a>,
    signing: &'a SigningKey,
    centre: ParticipantCode,
    now: Timestamp,
    slot: Slot,
    purpose: Purpose,
    limit: u64,
}

impl Packet<'_> {
    /// Writes records from `next` and `cursor` up to the limits, seals, and notes everything. `sum` becomes the
    /// state digest after them; it is told if `tell` (not in the earlier parts of a snapshot).
    fn seal(
        self,
        cursor: &mut Cursor,
        next: &mut Option<Publication>,
        streams: &Streams,
        sum: &mut StateDigest,
        tell: bool,
        done: &mut SealedFor,
    ) -> Result<Sealed, HubError> {
        let fresh = self.slot.part.is_some();
        let mut writer = begin(self.context)?;
        let (mut member, mut line, mut carried) = (None, Vec::new(), Vec::new());
        while let Some(publication) = next.take() {
            let count = carried.len() as u64;
            if count >= self.limit || (!fresh && writer.content_bytes() >= PACKET_BYTES) {
                *next = Some(publication);
                break;
            }
            if member != Some(publication.kind) {
                writer.begin_member(MemberName::records(publication.kind.name()).expect("a kind's name"))?;
                member = Some(publication.kind);
            }
            let version = self.write_record(&publication, &mut writer, &mut line, sum, fresh)?;
            done.count(publication.kind, "sent");
            carried.push((Publication { body: Vec::new(), ..publication }, version));
            *next = cursor.next(self.tx)?;
        }
        let outline = Outline {
            signing: self.signing,
            to: self.centre,
            purpose: self.purpose.clone(),
            position: self.slot.position,
            previous: self.slot.previous,
            control: control(streams),
            state_digest: tell.then_some(*sum),
        };
        let sealed = finish(self.context, writer, outline, self.now)?;
        for (publication, version) in &carried {
            self.tx.publication_sealed(self.centre, publication, *version, &sealed.name)?;
        }
        let records = carried.len() as u64;
        note_sealed(
            self.context,
            self.tx,
            self.centre,
            &sealed,
            self.slot.previous,
            &self.purpose,
            records,
            self.now,
        )?;
        done.packets.push((sealed.name.clone(), sealed.mark, records));
        Ok(sealed)
    }

    /// Writes the mirror of these records of the centre, seals, and notes it.
    fn seal_mirror(
        self,
        keys: &[(Kind, RecordId)],
        streams: &Streams,
        state_digest: Option<StateDigest>,
        done: &mut SealedFor,
    ) -> Result<Sealed, HubError> {
        let mut writer = begin(self.context)?;
        let (mut member, mut line, mut records) = (None, Vec::new(), 0);
        for (kind, key) in keys {
            let Some(record) = self.tx.mirror(self.centre, *kind, *key)? else { continue };
            if member != Some(*kind) {
                writer.begin_member(MemberName::mirror(kind.name()).expect("a kind's name"))?;
                member = Some(*kind);
            }
            line.clear();
            record.write_line(&mut line);
            writer.write_line(&line)?;
            done.count(*kind, "mirrored");
            records += 1;
        }
        let Slot { position, previous, .. } = self.slot;
        let (signing, to) = (self.signing, self.centre);
        let (purpose, control) = (self.purpose.clone(), control(streams));
        let outline = Outline { signing, to, purpose, position, previous, control, state_digest };
        let sealed = finish(self.context, writer, outline, self.now)?;
        note_sealed(self.context, self.tx, self.centre, &sealed, previous, &self.purpose, records, self.now)?;
        done.packets.push((sealed.name.clone(), sealed.mark, records));
        Ok(sealed)
    }

    fn write_record(
        &self,
        publication: &Publication,
        writer: &mut PacketWriter<File>,
        line: &mut Vec<u8>,
        sum: &mut StateDigest,
        fresh: bool,
    ) -> Result<u32, HubError> {
        let damaged = |column| HubError::from(DatabaseError::Damaged { table: "publication", column });
        if publication.is_altered() {
            return Err(damaged("body"));
        }
        if self.tx.is_stranger(self.centre, publication.kind, publication.key)? {
            return Err(damaged("centre"));
        }
        let hash = Digest::of(&publication.body);
        let same = publication.sealed == Some((publication.form, hash));
        let above = publication.version.checked_add(1);
        let version = if same { Some(publication.version) } else { above };
        let version = version.ok_or_else(|| damaged("version"))?;
        let mut record = Record {
            kind: publication.kind,
            key: publication.key,
            version,
            form: publication.form,
            body: publication.body.clone(),
            signature: None,
        };
        record.signature = Some(sign_record(self.signing, &RecordText::of(self.centre, &record, &hash)));
        if let (Some((form, hash)), false) = (publication.sealed, fresh) {
            let told = Record { version: publication.version, form, ..record.clone() };
            if let Some(term) = told.term(&hash) {
                sum.remove(&term);
            }
        }
        if let Some(term) = record.term(&hash) {
            sum.add(&term);
        }
        line.clear();
        record.write_line(line);
        writer.write_line(line)?;
        Ok(version)
    }
}

/// Notes a sealed numbered packet in the tables and the journal.
#[allow(clippy::too_many_arguments, reason = "one row's columns")]
pub(super) fn note_sealed(
    context: &Context,
    tx: &Tx<'_>,
    peer: ParticipantCode,
    sealed: &Sealed,
    previous: Option<Digest>,
    purpose: &Purpose,
    records: u64,
    now: Timestamp,
) -> Result<(), HubError> {
    let part = if let Purpose::Snapshot(part) = purpose { Some(part) } else { None };
    tx.put_packet(&PacketRow {
        name: &sealed.name,
        direction: "out",
        peer,
        kind: sealed.kind.letters(),
        mark: Some(sealed.mark),
        state: if peer == context.code { "APPLIED" } else { "SEALED" },
        reason: None,
        previous,
        part: part.map(|snapshot| snapshot.part),
        answered: None,
        unconfirmed: part.is_some_and(|snapshot| snapshot.unconfirmed),
        at: &now.to_string(),
        records,
        sha256: Some(sealed.sha256),
    })?;
    tx.journal(&Event {
        at: now,
        actor: context.code.as_str(),
        event: "packet.sealed",
        subject: &sealed.name,
        rule: "",
        digests: &[sealed.mark.digest],
    })?;
    Ok(())
}
