//! Own records into packets: first a snapshot of everything, then what has changed (exchange §5).

use exchange_endpoint::protocol::{Kind as ProtocolKind, Line, Protocol};
use exchange_format::{
    answer::RecordReason,
    file_name::PacketKind,
    packet::{MemberName, manifest::Purpose},
    position::Digest,
    record::{Form, Kind, Record},
    stream::{Control, SentPacket},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    SpokeError,
    packet_file::{self, Desk, Heading, SealedFile},
    removals, snapshot,
    station::{Station, journal, keep_out_stream, new_key, put_protocol},
};
use crate::database::{
    book::{self, OutPacket, OutStream},
    own_records::{self, Change, Sealable},
    returned,
    sums::{self, SEALED},
    write::{self, Scope},
};

/// The most that one packet holds (exchange §6).
pub(super) const RECORDS: u64 = 10_000;
pub(super) const BYTES: u64 = 16 << 20;

/// What an export did.
#[derive(Debug, Default)]
pub struct Exported {
    /// Names and digests of the packets sealed, and how many records each has.
    pub packets: Vec<(String, Digest, u64)>,
    /// How many records went, by kind and `new`, `changed`, `removed`.
    pub counts: Vec<(Kind, &'static str, u64)>,
    /// What could not go: kind on the wire, key, field and rule.
    pub problems: Vec<(Kind, String, &'static str)>,
}

impl Exported {
    pub(super) fn count(&mut self, record: &Record) {
        let outcome = match (record.form, record.version) {
            (Form::Tombstone, _) => "removed",
            (_, 1) => "new",
            _ => "changed",
        };
        self.count_as(record.kind, outcome);
    }

    pub(super) fn count_as(&mut self, kind: Kind, outcome: &'static str) {
        match self.counts.iter_mut().find(|(of, what, _)| *of == kind && *what == outcome) {
            Some((.., n)) => *n += 1,
            None => self.counts.push((kind, outcome, 1)),
        }
    }

    /// The protocol of the export, if it has records or what could not go.
    pub(super) fn put_protocol(
        &self,
        connection: &Connection,
        desk: &Desk<'_>,
        now: Timestamp,
    ) -> Result<(), SpokeError> {
        if self.counts.is_empty() && self.problems.is_empty() {
            return Ok(());
        }
        let lang = desk.lang;
        let mut protocol = Protocol::begin(ProtocolKind::Export, lang, desk.own, Some(desk.hub), now);
        for (name, digest, records) in &self.packets {
            protocol.packet(name.clone(), *digest, "sealed", *records);
        }
        for (kind, outcome, count) in &self.counts {
            protocol.count(kind.name(), outcome, *count);
        }
        let (sentence, next) = (RecordReason::Invalid.sentence(), RecordReason::Invalid.next_action());
        for (kind, key, field) in &self.problems {
            protocol.tell(Line {
                kind: kind.name().to_owned(),
                key: key.clone(),
                outcome: "refused".to_owned(),
                rule: format!("{kind}.{field}"),
                reason: RecordReason::Invalid.code().to_owned(),
                sentence: in_language(lang, sentence),
                next: in_language(lang, next),
                words: None,
            });
        }
        put_protocol(connection, protocol)
    }
}

/// Seals what has changed, at most one packet of it (call it until nothing more comes), or the snapshot that
/// begins the stream; an empty packet if the heartbeat is due. `None`: there was nothing to do, and nothing
/// was written.
///
/// # Errors
/// The database or the spool; then nothing is sealed.
pub fn export(station: &mut Station, now: Timestamp) -> Result<Option<Exported>, SpokeError> {
    let stream = book::out_stream(&station.connection, station.hub())?;
    if stream.machine.stop.is_some() {
        return Ok(None);
    }
    let timing = station.config.exchange.timing();
    let heartbeat = stream.machine.heartbeat_at(&timing, now).is_some_and(|at| at <= now);
    let begun = stream.machine.last.is_some();
    if begun && !heartbeat && !own_records::has_fresh_changes(&station.connection)? {
        return Ok(None);
    }
    let marks = station.marks();
    let (connection, desk) = packet_file::apart(station);
    let done = write::write_if(connection, Scope::Book, |transaction| {
        if Station::behind(transaction, desk.hub, &marks)?.is_some() {
            // a copy was put back this moment: no number is given twice, and the next look tells of it
            return Ok(None);
        }
        let exported = if begun {
            delta(transaction, &desk, heartbeat, now)?
        } else {
            Some(snapshot::seal(transaction, &desk, now)?)
        };
        if let Some(exported) = &exported {
            exported.put_protocol(transaction, &desk, now)?;
        }
        Ok::<_, SpokeError>(exported)
    })?;
    let Some(exported) = done else { return Ok(None) };
    station.raise_watermark()?;
    Ok(Some(exported))
}

pub(super) fn control(
    connection: &Connection,
    desk: &Desk<'_>,
    out: &OutStream,
) -> Result<Control, SpokeError> {
    Ok(Control { ack: book::in_stream(connection, desk.hub)?.machine.last, echo: out.machine.echo })
}

/// The next DT.
fn delta(
    connection: &Connection,
    desk: &Desk<'_>,
    heartbeat: bool,
    now: Timestamp,
) -> Result<Option<Exported>, SpokeError> {
    let mut stream = book::out_stream(connection, desk.hub)?;
    let mut exported = Exported::default();
    let held = removals::hold(connection, desk.own, now)?;
    let (mut records, dirty) = collect(connection, &mut stream, &mut exported)?;
    if records.is_empty() && !heartbeat {
        return Ok((dirty || held).then_some(exported));
    }
    records.sort_by_key(|(_, record)| (record.kind, record.key));
    let slot = stream.machine.next_slot()?;
    let heading = Heading {
        purpose: Purpose::Data,
        position: slot.position,
        previous: slot.previous,
        control: control(connection, desk, &stream)?,
        state_digest: Some(stream.state),
    };
    let sealed = desk.seal(heading, now, |writer| {
        let mut kind = None;
        for (_, record) in &records {
            if kind != Some(record.kind) {
                writer.begin_member(member(record.kind))?;
                kind = Some(record.kind);
            }
            let mut line = Vec::with_capacity(record.body.len() + 128);
            record.write_line(&mut line);
            writer.write_line(&line)?;
        }
        Ok(())
    })?;
    for (change, record) in &records {
        own_records::remember(connection, change, record, &record.hash(), slot.position, &sealed.name)?;
    }
    let mark = exchange_format::position::Mark { position: slot.position, digest: sealed.digest };
    stream.machine.sealed(mark, now);
    let sent = SentPacket::new(mark, false, false, now);
    enter(connection, desk, PacketKind::Data, &sealed, sent, records.len() as u64, now)?;
    keep_out_stream(connection, desk.own, desk.hub, &stream, now)?;
    exported.packets.push((sealed.name, sealed.digest, records.len() as u64));
    Ok(Some(exported))
}

pub(super) fn member(kind: Kind) -> MemberName {
    MemberName::records(kind.name()).expect("kinds have names of members")
}

/// Changes for one DT, with the digest of the stream brought up to them. True if the queue itself changed.
fn collect(
    connection: &Connection,
    stream: &mut OutStream,
    exported: &mut Exported,
) -> Result<(Vec<(Change, Record)>, bool), SpokeError> {
    let (mut records, mut dirty, mut bytes) = (Vec::new(), false, 0_u64);
    let mut after: Option<Change> = None;
    loop {
        let chunk = own_records::changes(connection, after.as_ref(), 1000)?;
        let Some(last) = chunk.last() else { return Ok((records, dirty)) };
        after = Some(last.clone());
        for change in chunk {
            if let Some(record) = weigh(connection, &change, exported, &mut dirty)? {
                sums::account(connection, stream, &record, &record.hash())?;
                bytes += record.body.len() as u64 + 100;
                exported.count(&record);
                records.push((change, record));
                if records.len() as u64 == RECORDS || bytes >= BYTES {
                    return Ok((records, true));
                }
            }
        }
    }
}

/// What `change` comes to; what comes to nothing leaves the queue, what is unfit is marked so once.
fn weigh(
    connection: &Connection,
    change: &Change,
    exported: &mut Exported,
    dirty: &mut bool,
) -> Result<Option<Record>, SpokeError> {
    match own_records::look_at(connection, change)? {
        Sealable::Version(record) => {
            let renewed = returned::renew_if_ended(connection, change, &record, &mut new_key)?;
            *dirty |= renewed;
            Ok((!renewed).then_some(record))
        }
        Sealable::Nothing => {
            own_records::note_sent(connection, change)?;
            own_records::forget(connection, change)?;
            *dirty = true;
            Ok(None)
        }
        Sealable::Problem(finding) => {
            let problem = finding.to_string();
            if change.problem.as_deref() != Some(&problem) {
                own_records::set_problem(connection, change, &problem)?;
                *dirty = true;
                let kind = change.wire_kind().unwrap_or(Kind::Proposal);
                exported.problems.push((kind, change.key.to_string(), finding.word()));
            }
            Ok(None)
        }
    }
}

pub(super) fn enter(
    connection: &Connection,
    desk: &Desk<'_>,
    kind: PacketKind,
    sealed: &SealedFile,
    sent: SentPacket,
    records: u64,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let packet = OutPacket {
        name: sealed.name.clone(),
        kind,
        sent,
        file: sealed.file.clone(),
        sha256: Some(sealed.sha256),
        records,
    };
    book::add_out_packet(connection, desk.hub, &packet, None, now)?;
    journal(connection, desk.own, now, SEALED, &sealed.name, "", &[sealed.digest])
}

/// `text` in the language of the protocols.
pub(super) fn in_language(
    lang: exchange_endpoint::messages::Lang,
    text: exchange_format::answer::Text,
) -> String {
    match lang {
        exchange_endpoint::messages::Lang::Ru => text.ru,
        exchange_endpoint::messages::Lang::En => text.en,
    }
    .to_owned()
}
