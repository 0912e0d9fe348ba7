//! One participant of the simulation, as a daemon would keep and drive it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    answer::{PacketOutcome, PacketReason, RecordReason},
    position::{Digest, Epoch, Mark, Position},
    record::Form,
    stream::*,
};

/// Records by key.
pub(super) type Records = BTreeMap<u8, Edition>;

/// A file in the mailbox. Its bytes, control block and all, never change once it is made.
#[derive(Debug, Clone)]
pub(super) struct File {
    control: Control,
    content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Numbered(Arrival, Records),
    Receipt(Mark),
    /// With the reason of a record that was refused.
    Protocol(Mark, PacketOutcome, Option<RecordReason>),
}

/// What became of a received packet.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fate {
    Held,
    Consumed(Option<RecordReason>),
    Quarantined(PacketReason),
    Superseded,
}

/// A packet received, with the answers that it got.
#[derive(Debug, Clone)]
pub(super) struct Received {
    arrival: Arrival,
    records: Records,
    pub(super) fate: Fate,
    answers: Vec<File>,
}

/// A packet sealed, and its file.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) packet: SentPacket,
    pub(super) carried: Records,
    file: File,
}

/// Everything that a participant keeps for one peer.
#[derive(Debug, Clone, Default)]
pub(super) struct Party {
    pub(super) life: u32,
    pub(super) now: i64,
    pub(super) outgoing: Outgoing,
    pub(super) records: Records,
    pub(super) told: Records,
    pub(super) registered: BTreeMap<u8, u32>,
    pub(super) sent: BTreeMap<Position, Sent>,
    pub(super) incoming: Incoming,
    pub(super) received: BTreeMap<Mark, Received>,
    pub(super) copies: Records,
    pub(super) orphans: u32,
    pub(super) applied: BTreeMap<(u8, u32), u32>,
    pub(super) outbox: Vec<File>,
}

pub(super) const TIMING: Timing = Timing {
    receipt: SignedDuration::from_secs(10),
    protocol: SignedDuration::from_secs(20),
    retry: SignedDuration::from_secs(1),
    cap: SignedDuration::from_secs(100),
    heartbeat: SignedDuration::from_secs(1_000),
};

impl Party {
    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::from_second(self.now).expect("in range")
    }

    pub(super) fn edit(&mut self, key: u8) {
        let version = self.records.get(&key).map_or(1, |known| known.version + 1);
        let hash = Digest::of(format!("{key} {version} {}", self.life).as_bytes());
        self.records.insert(key, Edition { version, form: Form::Live, hash });
        self.registered.insert(key, version);
    }

    /// Seals what is pending (or a heartbeat); the first packet is a snapshot.
    pub(super) fn seal(&mut self, parts: u32) {
        if self.outgoing.last.is_none() {
            return self.open(parts, SnapshotReason::Initial);
        }
        let Ok(slot) = self.outgoing.next_slot() else { return };
        let changes = self.pending();
        let mark = Mark { position: slot.position, digest: self.digest(slot.position) };
        self.outgoing.sealed(mark, self.clock());
        self.keep(mark, slot, changes, false);
    }

    /// Registered changes that no packet carries yet.
    pub(super) fn pending(&self) -> Records {
        let registered = self.registered.keys().map(|key| (*key, self.records[key]));
        registered.filter(|(key, edition)| self.told.get(key) != Some(edition)).collect()
    }

    pub(super) fn open(&mut self, parts: u32, reason: SnapshotReason) {
        let Ok(mut opening) = self.outgoing.open_epoch(parts, reason) else { return };
        while let Some(slot) = opening.next_part() {
            let mark = opening.sealed(self.digest(slot.position)).expect("a part is left");
            let part = slot.part.expect("a part").k() - 1;
            let of_part = |key: &&u8| u32::from(**key) % parts == part;
            let records = self.records.keys().filter(of_part).map(|key| (*key, self.records[key])).collect();
            self.keep(mark, slot, records, true);
        }
        let opened = opening.epoch();
        for sent in self.sent.values_mut() {
            sent.packet.supersede(opened);
        }
        self.outgoing = opening.finish(self.clock()).expect("all parts are sealed");
    }

    /// A manifest has a nonce: two lives never seal the same digest.
    fn digest(&self, position: Position) -> Digest {
        Digest::of(format!("{position} {}", self.life).as_bytes())
    }

    fn keep(&mut self, mark: Mark, slot: Slot, carried: Records, snapshot: bool) {
        self.told.extend(&carried);
        let arrival = Arrival { mark, previous: slot.previous, part: slot.part };
        let packet = SentPacket::new(mark, snapshot, false, self.clock());
        let file = self.file(Content::Numbered(arrival, carried.clone()));
        self.sent.insert(mark.position, Sent { packet, carried, file });
    }

    fn file(&self, content: Content) -> File {
        File { control: Control { ack: self.incoming.last, echo: self.outgoing.echo }, content }
    }

    /// Everything due now: answers, then packets.
    pub(super) fn place(&mut self, random: u32) -> Vec<File> {
        let now = self.clock();
        let mut files = std::mem::take(&mut self.outbox);
        for Sent { packet, file, .. } in self.sent.values_mut() {
            if packet.placing(self.outgoing.stop, now, &TIMING) == Placing::Now {
                packet.placed(now, &TIMING, random);
                files.push(file.clone());
            }
        }
        files
    }

    pub(super) fn take(&mut self, file: &File, random: u32) {
        let sealed = |mark: Mark| self.sent.get(&mark.position).map(|sent| sent.packet.mark.digest);
        let consumed = |mark: Mark| {
            let mut at = self.received.iter().filter(|(other, _)| other.position == mark.position);
            at.find(|(_, received)| matches!(received.fate, Fate::Consumed(_))).map(|(other, _)| other.digest)
        };
        let own = OwnHistory {
            sending: self.outgoing.epoch(),
            sealed_at_ack: file.control.ack.and_then(sealed),
            receiving: self.incoming.last.map(|last| last.position.epoch),
            consumed_at_echo: file.control.echo.and_then(consumed),
        };
        let evidence = judge_control(&file.control, &own);
        if let Some(ack) = file.control.ack {
            self.outgoing.told_epoch(ack.position.epoch);
        }
        self.stop_on(evidence);
        match &file.content {
            Content::Numbered(arrival, records) => self.arrive(arrival, records),
            Content::Receipt(mark) => self.answered(mark, None, random),
            Content::Protocol(mark, outcome, refused) => {
                self.answered(mark, Some((*outcome, *refused)), random);
            }
        }
    }

    fn stop_on(&mut self, evidence: Option<Evidence>) {
        if evidence.is_some() {
            self.outgoing.stop = Some(Stop::Restored);
        }
    }

    fn answered(&mut self, mark: &Mark, outcome: Option<(PacketOutcome, Option<RecordReason>)>, random: u32) {
        self.outgoing.told_epoch(mark.position.epoch);
        let now = self.clock();
        let row = self.sent.get_mut(&mark.position);
        let sealed = row.as_ref().map(|sent| sent.packet.mark.digest);
        match (judge_own_mark(mark, sealed, self.outgoing.epoch()), row, outcome) {
            (Named::Unknown, ..) => self.stop_on(Some(Evidence::Answered(*mark))),
            (Named::Ours, Some(sent), None) => {
                sent.packet.receipt(mark, now, &TIMING, random);
            }
            (Named::Ours, Some(sent), Some((outcome, refused))) => {
                match self.outgoing.protocol(&mut sent.packet, mark, 1, outcome) {
                    AnswerEffect::Close => {
                        let open = |key: &u8, version: u32| {
                            sent.carried.get(key).is_none_or(|answered| !clears(version, answered.version))
                        };
                        self.registered.retain(|key, version| open(key, *version));
                        let behind = refused.filter(|reason| reason.proves_restore());
                        let evidence = |reason| Evidence::RecordBehind { packet: *mark, reason };
                        self.stop_on(behind.map(evidence));
                    }
                    AnswerEffect::Restored(evidence) => self.stop_on(Some(evidence)),
                    AnswerEffect::Nothing | AnswerEffect::Refused { .. } => {}
                }
            }
            (Named::FormerLife, ..) | (Named::Ours, None, _) => {}
        }
    }

    fn arrive(&mut self, arrival: &Arrival, records: &Records) {
        let mark = arrival.mark;
        let counts = |received: &Received| matches!(received.fate, Fate::Held | Fate::Consumed(_));
        let all = || self.received.iter().filter(|(other, _)| other.position.epoch == mark.position.epoch);
        let at: Vec<(Digest, bool)> = all()
            .filter(|(other, _)| other.position == mark.position)
            .map(|(other, received)| (other.digest, counts(received)))
            .collect();
        let parts: Vec<Arrival> = all()
            .filter(|(_, received)| received.fate == Fate::Held && received.arrival.part.is_some())
            .map(|(_, received)| received.arrival)
            .collect();
        let facts = Facts::of(arrival, &at, &parts);
        let verdict = self.incoming.judge(arrival, &facts);
        if verdict == Verdict::Duplicate {
            let stored = self.received[&mark].answers.clone();
            return self.outbox.extend(stored);
        }
        let fate = Fate::Held;
        let (arrival, records) = (*arrival, records.clone());
        self.received.insert(mark, Received { arrival, records, fate, answers: Vec::new() });
        self.answer(mark, Content::Receipt(mark));
        self.act(mark, verdict);
    }

    fn act(&mut self, mark: Mark, verdict: Verdict) {
        match verdict {
            Verdict::Fork(_) => {
                self.incoming.fork(mark.position.epoch);
                self.quarantine(mark, PacketReason::Fork);
            }
            Verdict::StaleEpoch => self.quarantine(mark, PacketReason::StaleEpoch),
            Verdict::Duplicate | Verdict::Gap(_) | Verdict::Incomplete { .. } => {}
            Verdict::Ready(ready) => {
                let marks = match &ready {
                    Ready::Data(mark) => vec![*mark],
                    Ready::Snapshot(parts) => parts.clone(),
                };
                let opened = self.incoming.consume(&ready);
                for mark in &marks {
                    self.apply(*mark);
                }
                if let Some(opened) = opened {
                    self.leave_orphans(&marks);
                    self.supersede_held(opened);
                }
                self.drain();
            }
        }
    }

    fn apply(&mut self, mark: Mark) {
        let mut refused = None;
        for (key, edition) in self.received[&mark].records.clone() {
            match edition.judge(self.copies.get(&key)) {
                VersionVerdict::New | VersionVerdict::Changed => {
                    self.copies.insert(key, edition);
                    *self.applied.entry((key, edition.version)).or_default() += 1;
                }
                other => refused = refused.or(other.refusal()),
            }
        }
        let outcome = refused.map_or(PacketOutcome::Applied, |_| PacketOutcome::AppliedPartial);
        self.received.get_mut(&mark).expect("received").fate = Fate::Consumed(refused);
        self.answer(mark, Content::Protocol(mark, outcome, refused));
    }

    /// A snapshot replaces the picture of the stream: what it lacks is kept apart and listed for staff (D6).
    fn leave_orphans(&mut self, parts: &[Mark]) {
        let told: Vec<u8> =
            parts.iter().flat_map(|mark| self.received[mark].records.keys().copied()).collect();
        let before = self.copies.len();
        self.copies.retain(|key, _| told.contains(key));
        self.orphans += u32::try_from(before - self.copies.len()).expect("small");
    }

    fn drain(&mut self) {
        let Some(next) = self.incoming.next() else { return };
        let mut at = self.received.values().filter(|received| received.arrival.mark.position == next);
        if let Some(arrival) = at.find(|received| received.fate == Fate::Held).map(|held| held.arrival) {
            let verdict = self.incoming.judge_held(&arrival);
            self.act(arrival.mark, verdict);
        }
    }

    fn supersede_held(&mut self, opened: Epoch) {
        let old = self.received.iter_mut().filter(|(mark, _)| mark.position.epoch < opened);
        for (_, received) in old.filter(|(_, received)| received.fate == Fate::Held) {
            received.fate = Fate::Superseded;
        }
    }

    fn quarantine(&mut self, mark: Mark, reason: PacketReason) {
        self.received.get_mut(&mark).expect("received").fate = Fate::Quarantined(reason);
        self.answer(mark, Content::Protocol(mark, PacketOutcome::Refused(reason), None));
    }

    /// Makes an answer, keeps it for duplicates and sends it.
    fn answer(&mut self, mark: Mark, content: Content) {
        let file = self.file(content);
        self.received.get_mut(&mark).expect("received").answers.push(file.clone());
        self.outbox.push(file);
    }
}
