//! The snapshot that begins the stream (exchange §5): everything, in parts, all of one state of the database.
//!
//! Three threads pass records on in small lots, so that memory does not grow with the database: one reads rows
//! and makes bodies, over a connection of its own; the one with the transaction remembers them; one packs.

use std::{
    fs::File,
    io::BufWriter,
    mem,
    path::Path,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread,
};

use exchange_format::{
    file_name::PacketKind,
    packet::{
        PacketWriter,
        manifest::{Purpose, SnapshotBasis, SnapshotPart},
    },
    position::{Digest, Epoch, Position, Seq},
    record::{Form, Kind, Record},
    state_digest::StateDigest,
    stream::SentPacket,
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError,
    export::{BYTES, Exported, RECORDS, control, enter, member},
    packet_file::{Desk, Heading},
    station::keep_out_stream,
};
use crate::database::{
    self, book,
    sent::{self, Kept},
    snapshot::{self, OwnRow, Run, Unfit},
    sums,
};

/// Records passed on at a time, and how many such lots may wait.
const LOT: usize = 128;
const LOTS: usize = 4;

/// A record on its way into part `part`, counted from 0, and lot `lot`.
struct Parcel {
    part: usize,
    lot: i64,
    record: Record,
    hash: Digest,
}

type Writer = PacketWriter<BufWriter<File>>;

/// Seals the snapshot.
///
/// # Errors
/// The database or the spool; then nothing is sealed.
pub(super) fn seal(connection: &Connection, desk: &Desk<'_>, now: Timestamp) -> Result<Exported, SpokeError> {
    let mut exported = Exported::default();
    let mut stream = book::out_stream(connection, desk.hub)?;
    let basis = SnapshotBasis::Initial;
    let epoch = stream.machine.open_epoch(1, basis.reason())?.epoch();
    let first_lot = sent::next_lot(connection)?;
    let (cut, parts, state) = gather(connection, desk, epoch, first_lot, &mut exported)?;
    sent::drop_lots_before(connection, first_lot)?;
    (stream.state, stream.kept) = (state, sums::of_sent(connection)?.kept);
    let count = u32::try_from(parts.len()).expect("parts are counted in thousands");
    let mut opening = stream.machine.open_epoch(count, basis.reason())?;
    let (mut unsealed, mut books) = (Vec::new(), Vec::new());
    for writer in parts {
        let slot = opening.next_part().expect("as many parts as were planned");
        let part = slot.part.expect("a snapshot has parts");
        let heading = Heading {
            purpose: Purpose::Snapshot(SnapshotPart { basis, unconfirmed: opening.unconfirmed(), part }),
            position: slot.position,
            previous: slot.previous,
            control: control(connection, desk, &stream)?,
            state_digest: (part.k() == part.n()).then_some(state),
        };
        let records = writer.content_lines();
        let packet = desk.finish(heading, now, writer)?;
        let mark = opening.sealed(packet.digest).expect("the part was there to be sealed");
        books.push((SentPacket::new(mark, true, false, now), records));
        unsealed.push(packet);
    }
    let names: Vec<String> = unsealed.iter().map(|packet| packet.name.clone()).collect();
    let sealed = thread::scope(|scope| {
        let sealing = scope.spawn(|| {
            unsealed.into_iter().map(|packet| desk.enclose(packet)).collect::<Result<Vec<_>, SpokeError>>()
        });
        for run in &cut.runs {
            snapshot::carried_by(connection, run, &names[run.part])?;
        }
        let news = snapshot::leave_in_queue(connection, &cut.unfit)?;
        exported.problems.extend(news.iter().map(|one| (one.kind, one.key.to_string(), one.field)));
        sealing.join().expect("sealing does not panic")
    })?;
    for (enclosed, (sent, records)) in sealed.into_iter().zip(books) {
        // what becomes durable does so in this thread, which may be watched
        let sealed = desk.keep(enclosed)?;
        enter(connection, desk, PacketKind::Snapshot, &sealed, sent, records, now)?;
        exported.packets.push((sealed.name, sealed.digest, records));
    }
    let opened = opening.epoch();
    stream.machine = opening.finish(now).expect("every part was sealed");
    book::supersede_before(connection, opened, now)?;
    keep_out_stream(connection, desk.own, desk.hub, &stream, now)?;
    Ok(exported)
}

/// How the snapshot was cut, and what did not go.
struct Cut {
    runs: Vec<Run>,
    /// What the last run is of; none if it ended.
    run_of: Option<(usize, Kind)>,
    part: usize,
    /// Records and bytes of the part.
    records: u64,
    bytes: u64,
    lot: i64,
    /// What the lot is of, and how many records.
    lot_of: Option<(usize, Kind)>,
    in_lot: usize,
    unfit: Vec<Unfit>,
}

impl Cut {
    fn new(first_lot: i64) -> Self {
        let (runs, unfit) = (Vec::new(), Vec::new());
        Self {
            runs,
            run_of: None,
            part: 0,
            records: 0,
            bytes: 0,
            lot: first_lot - 1,
            lot_of: None,
            in_lot: 0,
            unfit,
        }
    }

    /// A row that does not go: no run reaches over it.
    fn leave(&mut self, unfit: Unfit) {
        self.unfit.push(unfit);
        self.run_of = None;
    }

    /// The part and the lot that row `id` with so long a body goes into.
    fn add(&mut self, kind: Kind, id: String, body: usize) -> (usize, i64) {
        // The envelope of a record takes about 100 bytes.
        let bytes = body as u64 + 100;
        if self.records == RECORDS || (self.records > 0 && self.bytes + bytes > BYTES) {
            self.part += 1;
            (self.records, self.bytes) = (0, 0);
        }
        self.records += 1;
        self.bytes += bytes;
        let of = Some((self.part, kind));
        match self.runs.last_mut() {
            Some(run) if self.run_of == of => run.last = id,
            _ => self.runs.push(Run { part: self.part, kind, first: id.clone(), last: id }),
        }
        self.run_of = of;
        if self.lot_of != of || self.in_lot == LOT {
            (self.lot, self.lot_of, self.in_lot) = (self.lot + 1, of, 0);
        }
        self.in_lot += 1;
        (self.part, self.lot)
    }
}

/// Keeps everything that there is to send as sent in `epoch`, and packs it.
fn gather(
    connection: &Connection,
    desk: &Desk<'_>,
    epoch: Epoch,
    first_lot: i64,
    exported: &mut Exported,
) -> Result<(Cut, Vec<Writer>, StateDigest), SpokeError> {
    let path = connection.path().map(Path::new).expect("the database is a file").to_owned();
    thread::scope(|scope| {
        let (found, rows) = sync_channel(LOTS);
        let reading = scope.spawn(move || read(&path, &found));
        let (parcels, packed) = sync_channel(LOTS);
        // without a limit, or the two would wait for each other; there are no more than parcels on their way
        let (full, lots) = channel();
        let packing = scope.spawn(move || pack(desk, &packed, &full));
        let mut cut = Cut::new(first_lot);
        for lot in rows {
            let mut parcel = Vec::with_capacity(LOT);
            for row in lot {
                parcel.extend(remember(connection, &mut cut, row, epoch, exported)?);
            }
            if parcels.send(parcel).is_err() {
                break; // packing has failed and says so itself
            }
            for (n, packed) in lots.try_iter() {
                sent::keep_lot(connection, n, &packed)?;
            }
        }
        drop(parcels);
        for (n, packed) in lots {
            sent::keep_lot(connection, n, &packed)?;
        }
        let (parts, state) = packing.join().expect("packing does not panic")?;
        reading.join().expect("reading does not panic")?;
        Ok((cut, parts, state))
    })
}

/// Reads every row of ours from the state that the open transaction began with: it keeps all others from
/// writing, and has not touched what is read here.
fn read(path: &Path, lots: &SyncSender<Vec<OwnRow>>) -> Result<(), SpokeError> {
    let connection = database::open_to_scan(path)?;
    let reading = connection.unchecked_transaction().map_err(database::DatabaseError::from)?;
    let mut lot = Vec::with_capacity(LOT);
    for kind in Kind::ALL.into_iter().filter(|kind| kind.owner().centre_writes()) {
        snapshot::for_each_of::<SpokeError>(&reading, kind, |row| {
            lot.push(row);
            if lot.len() == LOT {
                // nobody takes them any more if keeping them has failed, which says so itself
                let _ = lots.send(mem::replace(&mut lot, Vec::with_capacity(LOT)));
            }
            Ok(())
        })?;
    }
    let _ = lots.send(lot);
    Ok(())
}

/// Keeps `row` as sent, or notes why it cannot be.
fn remember(
    connection: &Connection,
    cut: &mut Cut,
    row: OwnRow,
    epoch: Epoch,
    exported: &mut Exported,
) -> Result<Option<Parcel>, SpokeError> {
    let OwnRow { kind, id, key, body } = row;
    let body = match body {
        Ok(body) => body,
        Err(finding) => {
            cut.leave(Unfit { kind, key, field: finding.word(), problem: finding.to_string() });
            return Ok(None);
        }
    };
    let record = Record { kind, key, version: 1, form: Form::Live, body, signature: None };
    let hash = record.hash();
    let sha256 = hash.to_string();
    let (part, lot) = cut.add(kind, id, record.body.len());
    let seq = Seq::new(part as u64 + 1).map_err(exchange_format::stream::CannotSeal::from)?;
    sent::keep(connection, &record, &sha256, Position { epoch, seq }, Kept::InLot(lot))?;
    exported.count(&record);
    Ok(Some(Parcel { part, lot, record, hash }))
}

/// Packs parcels into parts, of which there is at least one, hands on each lot that is full, and sums up the
/// digest of the stream.
fn pack(
    desk: &Desk<'_>,
    parcels: &Receiver<Vec<Parcel>>,
    full: &Sender<(i64, Vec<u8>)>,
) -> Result<(Vec<Writer>, StateDigest), SpokeError> {
    let mut parts = vec![begin(desk)?];
    let (mut state, mut kind, mut line, mut open) = (StateDigest::default(), None, Vec::new(), None);
    let end_lot = |writer: &mut Writer, open: Option<i64>| -> Result<(), SpokeError> {
        if let Some(lot) = open {
            // nobody takes them any more if keeping them has failed, which says so itself
            let _ = full.send((lot, writer.end_lot()?));
        }
        Ok(())
    };
    for Parcel { part, lot, record, hash } in parcels.iter().flatten() {
        if open != Some(lot) {
            end_lot(parts.last_mut().expect("never empty"), open.replace(lot))?;
        }
        if part == parts.len() {
            parts.last_mut().expect("never empty").end_member()?;
            parts.push(begin(desk)?);
            kind = None;
        }
        let writer = parts.last_mut().expect("never empty");
        if kind != Some(record.kind) {
            writer.begin_member(member(record.kind))?;
            kind = Some(record.kind);
        }
        line.clear();
        record.write_line(&mut line);
        writer.write_line(&line)?;
        if let Some(term) = record.term(&hash) {
            state.add(&term);
        }
    }
    let last = parts.last_mut().expect("never empty");
    end_lot(last, open)?;
    last.end_member()?;
    Ok((parts, state))
}

fn begin(desk: &Desk<'_>) -> Result<Writer, SpokeError> {
    Ok(desk.begin()?.in_lots())
}
