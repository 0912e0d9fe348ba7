//! A hub made of the exchange format alone: it opens what the centre places and places what it is told to.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufReader, Cursor, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use exchange_endpoint::keys::{CardWords, OwnKeys};
use exchange_format::{
    answer::{
        Counts, Listed, Protocol, ProtocolReader, ProtocolWriter, RangeDigests, RecordLine, RecordOutcome,
        Request,
    },
    card::Card,
    file_name::{FileName, PacketKind},
    packet::{
        FORMAT, Header, Limits, MemberName, PacketWriter,
        manifest::{LogEvidence, Manifest, Nonce, Purpose, SnapshotBasis, SnapshotPart},
        open_sealed,
    },
    participant::ParticipantCode,
    position::{Epoch, Mark, Position, Seq},
    record::{Body, Form, Kind, Record, RecordId},
    seal,
    signature::{self, RecordText},
    state_digest::StateDigest,
    stream::{Control, Part},
};
use jiff::{Timestamp, civil::date};

/// What makes a card the hub's.
const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// A packet of the centre's, opened.
#[derive(Debug)]
pub struct Opened {
    pub name: FileName,
    pub manifest: Manifest,
    pub mark: Mark,
    pub records: Vec<Record>,
    pub mirror: Vec<Record>,
    pub answer: Vec<u8>,
}

impl Opened {
    /// What an RQ of the centre's asks for.
    pub fn request(&self) -> Request {
        let request = Request::read(&self.answer[..]).expect("a request");
        request.check_goes_with(&self.manifest.header).expect("it goes with its manifest");
        request
    }
}

pub struct Hub {
    pub code: ParticipantCode,
    pub centre: ParticipantCode,
    pub mailbox: PathBuf,
    pub keys: OwnKeys,
    centre_card: Option<Card>,
    last: Option<Mark>,
    state: StateDigest,
    published: Vec<Record>,
    nonce: u8,
    unconfirmed: bool,
    /// The last packet of the centre's that was applied.
    acked: Option<Mark>,
}

impl Hub {
    pub fn new(dir: &Path) -> Self {
        let (code, centre) = (ParticipantCode::new(42, 0), ParticipantCode::new(42, 1));
        let mailbox = dir.join("mailbox");
        for folder in ["in", "out"] {
            fs::create_dir_all(mailbox.join(folder)).expect("made");
        }
        let words = CardWords {
            name: "ТКЦ".into(),
            valid_from: date(2020, 1, 1),
            valid_until: date(2099, 1, 1),
            tls_ca: Some(AUTHORITY.to_owned()),
        };
        let keys = OwnKeys::create(&dir.join("hub-keys"), code, words).expect("keys");
        fs::write(dir.join("hub.card"), keys.card.to_bytes()).expect("card");
        Self {
            code,
            centre,
            mailbox,
            keys,
            centre_card: None,
            last: None,
            state: StateDigest::default(),
            published: Vec::new(),
            nonce: 0,
            unconfirmed: false,
            acked: None,
        }
    }

    pub fn enrol(&mut self, card: &Path) {
        let bytes = fs::read(card).expect("the centre's card");
        self.centre_card = Some(Card::from_bytes(&bytes).expect("a card"));
    }

    fn centre_card(&self) -> &Card {
        self.centre_card.as_ref().expect("enrolled")
    }

    /// Opens and removes everything that the centre has placed, in the order of positions; what it has answered for
    /// good stands in `out` no longer.
    pub fn take(&self) -> Vec<Opened> {
        let mut opened: Vec<Opened> = fs::read_dir(self.mailbox.join("in"))
            .expect("in")
            .map(|entry| entry.expect("an entry").path())
            // what is still being placed has another name
            .filter(|path| path.extension().is_none_or(|extension| extension != "part"))
            .map(|path| {
                let opened = self.open(&path);
                fs::remove_file(&path).expect("taken");
                opened
            })
            .collect();
        opened.sort_by_key(|packet| {
            (packet.name.kind.is_numbered(), packet.name.position, packet.name.kind.letters())
        });
        for answer in opened.iter().filter(|packet| packet.name.kind == PacketKind::Protocol) {
            let (head, _) = protocol_of(answer);
            if head.outcome.word() != "QUARANTINED" {
                self.clear(head.answered.position);
            }
        }
        opened
    }

    fn clear(&self, answered: Position) {
        for entry in fs::read_dir(self.mailbox.join("out")).expect("out") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            if name.is_some_and(|name: FileName| name.kind.is_numbered() && name.position == answered) {
                fs::remove_file(&path).expect("answered");
            }
        }
    }

    /// As [`take`](Self::take), numbered packets only.
    pub fn take_data(&self) -> Vec<Opened> {
        self.take().into_iter().filter(|packet| packet.name.kind.is_numbered()).collect()
    }

    fn open(&self, path: &Path) -> Opened {
        let name: FileName =
            path.file_name().and_then(|n| n.to_str()).expect("a name").parse().expect("good");
        let limits = Limits::default();
        let file = BufReader::new(File::open(path).expect("opens"));
        let unverified =
            open_sealed(file, &self.keys.identities, Cursor::new(Vec::new()), &limits).expect("sealed to us");
        let key = self.centre_card().content.signing_key.clone();
        let mut verified =
            unverified.verify(&name, |code| (code == self.centre).then(|| key.clone())).expect("signed");
        let mark = verified.mark();
        let mut checked = verified.check_members().expect("whole");
        let manifest = checked.manifest().clone();
        let (mut records, mut mirror, mut answer) = (Vec::new(), Vec::new(), Vec::new());
        for member in &manifest.members {
            checked
                .for_each_line::<exchange_format::error::PacketError>(&member.name, |line| {
                    if let Some(kind) = member.name.kind() {
                        let kind = kind.parse().expect("a kind");
                        records.push(Record::parse_line(kind, line).expect("a record"));
                    } else if let Some(kind) = member.name.mirrored() {
                        let kind = kind.parse().expect("a kind");
                        mirror.push(Record::parse_line(kind, line).expect("a record"));
                    } else {
                        answer.extend_from_slice(line);
                        answer.push(b'\n');
                    }
                    Ok(())
                })
                .expect("read");
        }
        Opened { name, manifest, mark, records, mirror, answer }
    }

    /// Answers a packet of the centre's: everything applied but `lines`.
    pub fn answer(&mut self, packet: &Opened, lines: &[RecordLine]) {
        self.revise(packet, 1, lines);
    }

    /// As [`Hub::answer`], in that revision.
    pub fn revise(&mut self, packet: &Opened, revision: u32, lines: &[RecordLine]) {
        if self.acked.is_none_or(|acked| acked.position < packet.mark.position) {
            self.acked = Some(packet.mark);
        }
        let mut counts = Counts::default();
        counts.set(RecordOutcome::New, (packet.records.len() - lines.len()) as u64);
        for line in lines {
            counts.add(line.outcome);
        }
        let (answered, outcome) = (packet.mark, counts.packet_outcome());
        let head = Protocol { answered, revision, outcome, counts };
        let mut writer = ProtocolWriter::new(Vec::new(), &head).expect("a head");
        for line in lines {
            writer.line(line).expect("a line");
        }
        let body = writer.finish().expect("a protocol");
        let purpose = Purpose::Protocol { answered: answered.digest, revision };
        self.place(purpose, answered.position, None, None, |writer| {
            writer.begin_member(MemberName::Answer).expect("begun");
            for line in body.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                writer.write_line(line).expect("written");
            }
        });
    }

    /// A record of ours for the centre, signed; its version is one above the last of its key.
    pub fn record(&self, key: RecordId, form: Form, body: &Body) -> Record {
        let kind = body.kind();
        let known = self.published.iter().filter(|known| known.kind == kind && known.key == key);
        let version = known.map(|known| known.version).max().unwrap_or(0) + 1;
        let bytes = if form == Form::Tombstone { Vec::new() } else { body.to_xml() };
        self.sign(Record { kind, key, version, form, body: bytes, signature: None })
    }

    /// Signs `record` for the centre.
    pub fn sign(&self, mut record: Record) -> Record {
        let hash = record.hash();
        let text = RecordText::of(self.centre, &record, &hash);
        record.signature = Some(signature::sign_record(&self.keys.signing, &text));
        record
    }

    /// Publishes `records`: the first time as a snapshot, then as data. Returns the file's name.
    pub fn publish(&mut self, records: &[Record]) -> String {
        let position = self.last.map_or(Position { epoch: Epoch::FIRST, seq: Seq::FIRST }, |last| Position {
            seq: last.position.seq.next().expect("a number"),
            ..last.position
        });
        let basis = self.last.is_none().then_some(SnapshotBasis::Initial);
        self.publish_at(position, basis, records, &[]).0
    }

    /// Opens `epoch` with a snapshot of `records` in one part. Returns the file's name and its mark.
    pub fn open_epoch(&mut self, epoch: u64, records: &[Record]) -> (String, Mark) {
        self.state = StateDigest::default();
        self.published.clear();
        let epoch = Epoch::new(epoch).expect("an epoch");
        self.publish_at(Position { epoch, seq: Seq::FIRST }, Some(SnapshotBasis::Initial), records, &[])
    }

    /// The snapshot that `request` asks for, with the mirror of the centre's own records.
    pub fn answer_request(&mut self, request: Nonce, epoch: u64, records: &[Record], mirror: &[Record]) {
        self.state = StateDigest::default();
        self.published.clear();
        let epoch = Epoch::new(epoch).expect("an epoch");
        let basis = SnapshotBasis::Requested { request };
        self.publish_at(Position { epoch, seq: Seq::FIRST }, Some(basis), records, mirror);
    }

    /// The snapshot of a hub that recovers: what it says of its own records is not certain.
    pub fn recovering(&mut self, epoch: u64, records: &[Record], mirror: &[Record]) {
        let before = (self.last, self.state, self.published.clone());
        self.unconfirmed = true;
        self.answer_request(Nonce([9; 16]), epoch, records, mirror);
        self.unconfirmed = false;
        (self.last, self.state, self.published) = before;
    }

    /// Asks the centre, under the id of the packet before if it is to be the `same`; the id.
    pub fn ask(&mut self, request: &Request, same: bool) -> Nonce {
        if same {
            self.nonce -= 1;
        }
        let mut body = Vec::new();
        request.write(&mut body).expect("written");
        self.place_request(request.position(), &body);
        Nonce([self.nonce; 16])
    }

    /// As [`Hub::ask`], under a number that the request is not of.
    pub fn ask_at(&mut self, request: &Request, seq: u64) {
        let mut body = Vec::new();
        request.write(&mut body).expect("written");
        let seq = Seq::new(seq).expect("a number");
        self.place_request(Position { seq, ..request.position() }, &body);
    }

    fn place_request(&mut self, position: Position, body: &[u8]) {
        self.place(Purpose::Request, position, None, None, |writer| {
            writer.begin_member(MemberName::Answer).expect("begun");
            for line in body.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                writer.write_line(line).expect("written");
            }
        });
    }

    /// Replies to the sums of the centre's request `id` with those of what was published and the person `ghost`.
    pub fn reply_ranges(&mut self, id: Nonce, asked: &RangeDigests, ghost: RecordId) {
        let mut own: BTreeMap<(Kind, RecordId), Listed> = BTreeMap::new();
        for one in &self.published {
            let Record { key, version, form, .. } = *one;
            own.insert((one.kind, key), Listed { key, version, form, hash: one.hash() });
        }
        let hash = exchange_format::position::Digest::of(b"a person");
        own.insert((Kind::Person, ghost), Listed { key: ghost, version: 1, form: Form::Live, hash });
        let refined = asked.refine(true, |kind, prefix, each| {
            let within = own.iter().filter(|((of, key), _)| *of == kind && prefix.covers(*key));
            within.for_each(|(_, listed)| each(*listed));
            Ok::<_, std::convert::Infallible>(())
        });
        let ranges = refined.expect("compared").ranges;
        self.ask(&Request::RangeDigests(RangeDigests { re: Some(id), ranges, ..asked.clone() }), false);
    }

    /// The last packet.
    pub fn mark(&self) -> Option<Mark> {
        self.last
    }

    /// Goes on after this packet, as if none had come since.
    pub fn set_mark(&mut self, last: Option<Mark>) {
        self.last = last;
    }

    /// Tells `card` by a KY, signed by the present key. Returns the file's name.
    pub fn tell_keys(&mut self, card: &Card) -> String {
        let last = self.last.expect("begun");
        let position = Position { seq: last.position.seq.next().expect("a number"), ..last.position };
        let state = Some(self.state);
        let (name, mark) = self.place(Purpose::Keys, position, Some(last.digest), state, |writer| {
            writer.begin_member(MemberName::Card).expect("begun");
            for line in exchange_format::keys::lines(card) {
                writer.write_line(line).expect("written");
            }
        });
        self.last = Some(mark);
        name
    }

    /// Makes the sum that the next packets state another than that of their records.
    pub fn spoil_sum(&mut self) {
        self.state.add(&exchange_format::position::Digest::of(b"a record that nobody has"));
    }

    fn publish_at(
        &mut self,
        position: Position,
        basis: Option<SnapshotBasis>,
        records: &[Record],
        mirror: &[Record],
    ) -> (String, Mark) {
        for record in records {
            let before =
                self.published.iter().rposition(|known| known.kind == record.kind && known.key == record.key);
            if let Some(term) = before.and_then(|at| self.published[at].term(&self.published[at].hash())) {
                self.state.remove(&term);
            }
            if let Some(term) = record.term(&record.hash()) {
                self.state.add(&term);
            }
            self.published.push(record.clone());
        }
        let part = Part::new(1, 1).expect("one");
        let purpose = basis.map_or(Purpose::Data, |basis| {
            Purpose::Snapshot(SnapshotPart { basis, unconfirmed: self.unconfirmed, part })
        });
        let previous = self.last.map(|last| last.digest);
        let mut sorted: Vec<&Record> = records.iter().collect();
        sorted.sort_by_key(|record| (record.kind, record.key));
        let (name, mark) = self.place(purpose, position, previous, Some(self.state), |writer| {
            let mut kind: Option<Kind> = None;
            for record in sorted {
                if kind != Some(record.kind) {
                    kind = Some(record.kind);
                    writer
                        .begin_member(MemberName::records(record.kind.name()).expect("a member"))
                        .expect("begun");
                }
                let mut line = Vec::new();
                record.write_line(&mut line);
                writer.write_line(&line).expect("written");
            }
            kind = None;
            for record in mirror {
                if kind != Some(record.kind) {
                    kind = Some(record.kind);
                    let member = MemberName::mirror(record.kind.name()).expect("a member");
                    writer.begin_member(member).expect("begun");
                }
                let mut line = Vec::new();
                record.write_line(&mut line);
                writer.write_line(&line).expect("written");
            }
        });
        self.last = Some(mark);
        (name, mark)
    }

    fn place(
        &mut self,
        purpose: Purpose,
        position: Position,
        previous: Option<exchange_format::position::Digest>,
        state_digest: Option<StateDigest>,
        fill: impl FnOnce(&mut PacketWriter<Cursor<Vec<u8>>>),
    ) -> (String, Mark) {
        self.nonce += 1;
        let mut writer = PacketWriter::new(Cursor::new(Vec::new())).expect("begun");
        fill(&mut writer);
        let header = Header {
            format: FORMAT,
            reads: FORMAT,
            purpose,
            to: self.centre,
            from: self.code,
            position,
            date: date(2026, 11, 21),
            previous,
            created_at: Timestamp::now(),
            producer: "a hub of the tests".into(),
            nonce: Nonce([self.nonce; 16]),
            control: Control { ack: self.acked, echo: None },
            state_digest,
            log: LogEvidence::default(),
        };
        let written = writer.finish(header, &self.keys.signing).expect("written");
        let mut clear = written.output;
        clear.seek(SeekFrom::Start(0)).expect("sought");
        let recipients = self.keys.recipients_for(self.centre_card());
        let bytes = seal::seal_all(&recipients, &mut clear, Vec::new()).expect("sealed");
        let mut name = written.name;
        name.sealed = true;
        let out = self.mailbox.join("out");
        fs::write(out.join("x.part"), bytes).expect("written");
        fs::rename(out.join("x.part"), out.join(name.to_string())).expect("placed");
        (name.to_string(), Mark { position, digest: written.digest })
    }
}

/// What a PR of the centre's says.
pub fn protocol_of(packet: &Opened) -> (Protocol, Vec<RecordLine>) {
    assert_eq!(packet.name.kind, PacketKind::Protocol);
    let mut reader = ProtocolReader::new(&packet.answer[..], 1000).expect("a protocol");
    let head = *reader.head();
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line().expect("lines") {
        lines.push(line);
    }
    (head, lines)
}
