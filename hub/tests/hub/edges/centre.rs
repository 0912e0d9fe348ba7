//! A centre for tests: it seals packets as the format says and opens what the hub sends.

use std::{fs, io::Cursor, path::PathBuf};

use exchange_endpoint::keys::{CardWords, OwnKeys};
use exchange_format::{
    answer::{Counts, Protocol, ProtocolReader, ProtocolWriter, RecordLine, Request},
    card::{Card, CardContent},
    file_name::{FileName, PacketKind},
    packet::{
        FORMAT, Limits, MemberName, PacketWriter,
        manifest::{Header, LogEvidence, Nonce, Purpose, SnapshotBasis, SnapshotPart},
        open_sealed,
    },
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark, Position, Seq},
    record::{Kind, Record},
    seal,
    signature::{RecordText, SigningKey, verify_record},
    state_digest::StateDigest,
    stream::{Control, Part},
};
use jiff::{Timestamp, civil::date};

/// What a centre has found in its `out`.
#[derive(Debug, Default)]
pub struct Read {
    pub records: Vec<Record>,
    pub protocols: Vec<(Protocol, Vec<RecordLine>)>,
    pub kinds: Vec<PacketKind>,
    pub names: Vec<String>,
    pub requests: Vec<(Nonce, Request)>,
    pub snapshots: Vec<SnapshotBasis>,
    /// How many of them are not confirmed.
    pub unconfirmed: usize,
    pub mirror: Vec<Record>,
    pub last: Option<Mark>,
}

pub struct TestCentre {
    pub code: ParticipantCode,
    pub keys: OwnKeys,
    pub hub: Card,
    pub inbox: PathBuf,
    pub outbox: PathBuf,
    pub last: Option<Mark>,
    pub sum: StateDigest,
    pub control: Control,
    _dir: tempfile::TempDir,
}

impl TestCentre {
    pub fn new(unit: u16, hub: &super::TestHub) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let code = ParticipantCode::new(42, unit);
        let words = CardWords {
            name: format!("ЦСОН {unit}"),
            valid_from: date(2020, 1, 1),
            valid_until: date(2099, 1, 1),
            tls_ca: None,
        };
        let keys = OwnKeys::create(&dir.path().join("keys"), code, words).expect("keys");
        Self {
            code,
            keys,
            hub: hub.hub.context.keys.card.clone(),
            inbox: hub.hub.context.paths.inbox(code),
            outbox: hub.hub.context.paths.outbox(code),
            last: None,
            sum: StateDigest::default(),
            control: Control::default(),
            _dir: dir,
        }
    }

    fn header(&self, purpose: Purpose, position: Position, previous: Option<Digest>) -> Header {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).expect("randomness");
        Header {
            format: FORMAT,
            reads: FORMAT,
            purpose,
            to: self.hub.content.code,
            from: self.code,
            position,
            date: date(2026, 11, 21),
            previous,
            created_at: "2026-11-21T00:00:00Z".parse().expect("a time"),
            producer: "test".into(),
            nonce: Nonce(nonce),
            control: self.control,
            state_digest: None,
            log: LogEvidence::default(),
        }
    }

    /// Seals a packet and places it; its name and mark.
    fn place(&self, header: Header, members: &[(MemberName, Vec<Vec<u8>>)]) -> (String, Mark) {
        let position = header.position;
        let mut writer = PacketWriter::new(Cursor::new(Vec::new())).expect("begun");
        for (name, lines) in members {
            writer.begin_member(name.clone()).expect("begun");
            for line in lines {
                writer.write_line(line).expect("written");
            }
        }
        let written = writer.finish(header, &self.keys.signing).expect("finished");
        let mut name = written.name.clone();
        name.sealed = true;
        let mut plain = Cursor::new(written.output.into_inner());
        let recipients = self.keys.recipients_for(&self.hub);
        let bytes = seal::seal_all(&recipients, &mut plain, Vec::new()).expect("sealed");
        fs::write(self.inbox.join(name.to_string()), bytes).expect("placed");
        (name.to_string(), Mark { position, digest: written.digest })
    }

    /// The snapshot that opens epoch `epoch`, in `parts` (each a list of records).
    pub fn snapshot(&mut self, epoch: u64, parts: &[Vec<Record>]) -> Vec<String> {
        self.snapshot_as(epoch, SnapshotBasis::Initial, parts)
    }

    /// The same, on another ground.
    pub fn snapshot_as(&mut self, epoch: u64, basis: SnapshotBasis, parts: &[Vec<Record>]) -> Vec<String> {
        self.snapshot_with(epoch, basis, parts, &[])
    }

    /// The same, with a mirror in the last part.
    pub fn snapshot_with(
        &mut self,
        epoch: u64,
        basis: SnapshotBasis,
        parts: &[Vec<Record>],
        mirror: &[Record],
    ) -> Vec<String> {
        self.sum = StateDigest::default();
        let n = u32::try_from(parts.len()).expect("few");
        let mut names = Vec::new();
        for (k, records) in (1..).zip(parts) {
            let part = Part::new(k, n).expect("a part");
            let purpose = Purpose::Snapshot(SnapshotPart { basis, unconfirmed: false, part });
            let position = Position {
                epoch: Epoch::new(epoch).expect("small"),
                seq: Seq::new(u64::from(k)).expect("small"),
            };
            let mirror = if k == n { mirror } else { &[] };
            names.push(self.send(purpose, position, records, mirror, k == n));
        }
        names
    }

    /// The snapshot of a centre that recovers: what it says of its own records is not certain.
    pub fn unconfirmed(
        &mut self,
        epoch: u64,
        request: Nonce,
        records: &[Record],
        mirror: &[Record],
    ) -> String {
        let part = Part::new(1, 1).expect("a part");
        let basis = SnapshotBasis::Requested { request };
        let purpose = Purpose::Snapshot(SnapshotPart { basis, unconfirmed: true, part });
        let position = Position { epoch: Epoch::new(epoch).expect("small"), seq: Seq::FIRST };
        self.send(purpose, position, records, mirror, true)
    }

    /// Part `k` of a snapshot of two that opens epoch `epoch`, with a line that is no record: it is refused whole.
    pub fn spoilt_part(&mut self, epoch: u64, k: u32) -> String {
        let part = Part::new(k, 2).expect("a part");
        let purpose =
            Purpose::Snapshot(SnapshotPart { basis: SnapshotBasis::Initial, unconfirmed: false, part });
        let position = Position {
            epoch: Epoch::new(epoch).expect("small"),
            seq: Seq::new(u64::from(k)).expect("small"),
        };
        let mut header = self.header(purpose, position, self.last.map(|mark| mark.digest));
        header.state_digest = (k == 2).then_some(self.sum);
        let member = MemberName::records(Kind::RecipientClaim.name()).expect("a kind");
        let (name, mark) = self.place(header, &[(member, vec![b"<record>no key</record>".to_vec()])]);
        self.last = Some(mark);
        name
    }

    /// The next DT.
    pub fn data(&mut self, records: &[Record]) -> String {
        let last = self.last.expect("begun").position;
        let position = Position { epoch: last.epoch, seq: last.seq.next().expect("a next one") };
        self.send(Purpose::Data, position, records, &[], true)
    }

    /// Tells `card` by a KY, and goes on with `next`, its keys.
    pub fn change_keys(&mut self, card: &Card, next: Option<&SigningKey>) -> String {
        let last = self.last.expect("begun");
        let position =
            Position { epoch: last.position.epoch, seq: last.position.seq.next().expect("a next one") };
        let mut header = self.header(Purpose::Keys, position, Some(last.digest));
        header.state_digest = Some(self.sum);
        let lines = exchange_format::keys::lines(card).map(<[u8]>::to_vec).collect();
        let (name, mark) = self.place(header, &[(MemberName::Card, lines)]);
        self.last = Some(mark);
        if let Some(next) = next {
            self.keys.signing = next.clone();
        }
        name
    }

    /// The card of this centre with another signing key.
    pub fn next_card(&self, seed: u8) -> (Card, SigningKey) {
        let signing = SigningKey::from_seed(self.code, &[seed; 32]);
        let signing_key = signing.verifying_key();
        let content = CardContent { signing_key, ..self.keys.card.content.clone() };
        (Card::sign(content, &signing).expect("signed"), signing)
    }

    /// Asks the hub, under the id `nonce`.
    pub fn ask(&self, request: &Request, nonce: Nonce) -> String {
        self.ask_at(request, request.position().seq.get().into(), nonce)
    }

    /// The same, under the number `seq`.
    pub fn ask_at(&self, request: &Request, seq: u64, nonce: Nonce) -> String {
        self.ask_on(request, seq, Header { nonce, ..self.header(Purpose::Request, request.position(), None) })
    }

    /// The same, made at `created_at`.
    pub fn ask_made(&self, request: &Request, nonce: Nonce, created_at: Timestamp) -> String {
        let position = request.position();
        let header = Header { nonce, created_at, ..self.header(Purpose::Request, position, None) };
        self.ask_on(request, position.seq.get().into(), header)
    }

    fn ask_on(&self, request: &Request, seq: u64, header: Header) -> String {
        let mut body = Vec::new();
        request.write(&mut body).expect("written");
        let lines: Vec<Vec<u8>> =
            body.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
        let position = Position { seq: Seq::new(seq).expect("small"), ..request.position() };
        self.place(Header { position, ..header }, &[(MemberName::Answer, lines)]).0
    }

    fn send(
        &mut self,
        purpose: Purpose,
        position: Position,
        records: &[Record],
        mirror: &[Record],
        tell: bool,
    ) -> String {
        let mut members: Vec<(MemberName, Vec<Vec<u8>>)> = Vec::new();
        for kind in Kind::ALL {
            let of_kind: Vec<&Record> = records.iter().filter(|record| record.kind == kind).collect();
            if !of_kind.is_empty() {
                let lines = of_kind.iter().map(|record| {
                    let mut line = Vec::new();
                    record.write_line(&mut line);
                    line
                });
                members.push((MemberName::records(kind.name()).expect("a kind"), lines.collect()));
            }
        }
        for kind in Kind::ALL {
            let of_kind: Vec<Vec<u8>> = mirror
                .iter()
                .filter(|record| record.kind == kind)
                .map(|record| {
                    let mut line = Vec::new();
                    record.write_line(&mut line);
                    line
                })
                .collect();
            if !of_kind.is_empty() {
                members.push((MemberName::mirror(kind.name()).expect("a kind"), of_kind));
            }
        }
        for record in records {
            if let Some(term) = record.term(&record.hash()) {
                self.sum.add(&term);
            }
        }
        let mut header = self.header(purpose, position, self.last.map(|mark| mark.digest));
        header.state_digest = tell.then_some(self.sum);
        let (name, mark) = self.place(header, &members);
        self.last = Some(mark);
        name
    }

    /// Answers a packet of the hub: all applied.
    pub fn confirm(&mut self, answered: Mark, records: u64) -> String {
        self.answer(answered, records, &[])
    }

    /// Answers a packet of the hub: `applied` records, and those of `lines`.
    pub fn answer(&mut self, answered: Mark, applied: u64, lines: &[RecordLine]) -> String {
        let mut counts = Counts::default();
        counts.set(exchange_format::answer::RecordOutcome::New, applied);
        for line in lines {
            counts.add(line.outcome);
        }
        let head = Protocol { answered, revision: 1, outcome: counts.packet_outcome(), counts };
        let mut writer = ProtocolWriter::new(Vec::new(), &head).expect("begun");
        for line in lines {
            writer.line(line).expect("written");
        }
        let body = writer.finish().expect("written");
        let lines: Vec<Vec<u8>> =
            body.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
        let purpose = Purpose::Protocol { answered: answered.digest, revision: 1 };
        let header = self.header(purpose, answered.position, None);
        self.place(header, &[(MemberName::Answer, lines)]).0
    }

    /// Opens everything in `out`, verified; publications by the hub's record signature too.
    pub fn read_out(&self) -> Read {
        let mut names: Vec<FileName> = fs::read_dir(&self.outbox)
            .expect("listed")
            .filter_map(|entry| entry.expect("an entry").file_name().to_str()?.parse().ok())
            .collect();
        names.sort();
        let mut read = Read::default();
        for name in names {
            let bytes = fs::read(self.outbox.join(name.to_string())).expect("read");
            let spool = Cursor::new(Vec::new());
            let packet = open_sealed(&bytes[..], &self.keys.identities, spool, &Limits::default())
                .expect("sealed to this centre");
            let key = self.hub.content.signing_key.clone();
            let mut packet = packet.verify(&name, |_| Some(key.clone())).expect("the hub's");
            let mark = packet.mark();
            let mut checked = packet.check_members().expect("whole");
            let members: Vec<MemberName> =
                checked.manifest().members.iter().map(|one| one.name.clone()).collect();
            let mut body = Vec::new();
            for member in members {
                checked
                    .for_each_line(&member, |line| {
                        if let Some(kind) = member.kind() {
                            let kind: Kind = kind.parse().expect("known");
                            let record = Record::parse_line(kind, line).expect("a record");
                            let signature = record.signature.expect("signed");
                            let hash = record.hash();
                            let text = RecordText::of(self.code, &record, &hash);
                            verify_record(&key, &text, &signature).expect("signed for this centre");
                            read.records.push(record);
                        } else if let Some(kind) = member.mirrored() {
                            let kind: Kind = kind.parse().expect("known");
                            read.mirror.push(Record::parse_line(kind, line).expect("a record"));
                        } else {
                            body.extend_from_slice(line);
                            body.push(b'\n');
                        }
                        Ok::<_, exchange_format::error::PacketError>(())
                    })
                    .expect("read");
            }
            let header = checked.manifest().header.clone();
            if name.kind == PacketKind::Request {
                let request = Request::read(Cursor::new(&body)).expect("a request");
                request.check_goes_with(&header).expect("it goes with its manifest");
                read.requests.push((header.nonce, request));
            }
            if let Purpose::Snapshot(part) = &header.purpose {
                read.snapshots.push(part.basis);
                read.unconfirmed += usize::from(part.unconfirmed);
            }
            if name.kind == PacketKind::Protocol {
                let mut reader = ProtocolReader::new(Cursor::new(body), 1000).expect("a protocol");
                let mut lines = Vec::new();
                while let Some(line) = reader.next_line().expect("a line") {
                    lines.push(line);
                }
                read.protocols.push((*reader.head(), lines));
            }
            if name.kind.is_numbered() {
                read.last = Some(mark);
            }
            read.kinds.push(name.kind);
            read.names.push(name.to_string());
        }
        read
    }

    /// Deletes what was read, as if it had been acknowledged.
    pub fn clear_out(&self) {
        for entry in fs::read_dir(&self.outbox).expect("listed") {
            fs::remove_file(entry.expect("an entry").path()).expect("removed");
        }
    }
}

/// A time to act at.
pub fn now() -> Timestamp {
    "2026-11-21T00:00:00Z".parse().expect("a time")
}
