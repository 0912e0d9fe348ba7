//! The records of a packet: read and examined on a thread of their own, judged one by one, stored, taken into the register.

mod scans;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs::File,
    mem,
    sync::mpsc,
    thread,
};

use exchange_format::{
    answer::{Counts, RecordLine, RecordOutcome, RecordReason, Words},
    error::PacketError,
    packet::{CheckedPacket, MemberName},
    participant::ParticipantCode,
    record::{Form, Kind, LineError, Record, RecordId},
    state_digest::StateDigest,
    stream::{Edition, VersionVerdict},
};
use jiff::Timestamp;

use super::{audit::DIVERGED, fresh_standing, is_linked};
use crate::{
    database::{
        Tx,
        received::{Arrived, ClaimId, Known, Standing},
    },
    decisions::admission::{Admission, Examined, FINAL, Facts, Keep, admit, earlier, examine_line},
    edges::{
        hub::{Context, HubError},
        sealing::answers::{Now, Settled, refusable},
    },
};

/// What became of the records of one packet.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub counts: Counts,
    /// Those that the PR lists, and proposals.
    pub lines: Vec<RecordLine>,
    by_kind: BTreeMap<(Kind, RecordOutcome), u64>,
}

impl Outcome {
    /// Counts by kind and outcome.
    pub fn totals(&self) -> Vec<(&'static str, RecordOutcome, u64)> {
        self.by_kind.iter().map(|((kind, outcome), count)| (kind.name(), *outcome, *count)).collect()
    }

    /// A record of the packet that was held is applied now, or held for another reason, by another of the packet.
    fn settle(&mut self, one: &Settled) {
        let is_it =
            |line: &RecordLine| (line.kind, line.key, line.version) == (one.kind, one.key, one.version);
        let Some(at) = self.lines.iter().position(is_it) else { return };
        let (mut line, mut is) = (self.lines.remove(at), RecordOutcome::Changed);
        let said = line.outcome;
        if let Now::Listed(outcome, reason, rule) = &one.now {
            (line.outcome, line.reason, line.rule, is) = (*outcome, *reason, rule.clone(), *outcome);
            self.lines.insert(at, line);
        }
        self.counts.set(said, self.counts.get(said).saturating_sub(1));
        self.counts.add(is);
        if let Some(count) = self.by_kind.get_mut(&(one.kind, said)) {
            *count = count.saturating_sub(1);
        }
        *self.by_kind.entry((one.kind, is)).or_default() += 1;
    }
}

/// Records that go from the reading thread to the storing one at a time, and how many such lots may wait.
const LOT: usize = 128;
const LOTS: usize = 4;

/// Records that came again as they were and are noted together.
const AGAIN: usize = 4096;

/// Records remembered to be here.
const HERE: usize = 1 << 16;

/// A record looked at by itself, as the reading thread hands it over.
struct Looked {
    record: Record,
    edition: Edition,
    examined: Examined,
}

/// The intake of one or more packets of a centre in one transaction.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Intake<'a> {
    context: &'a Context,
    tx: &'a Tx<'a>,
    centre: ParticipantCode,
    merged: bool,
    now: Timestamp,
    /// Whether any record of this centre may be held, and come free by another.
    holds: bool,
    /// Nothing of this centre was stored before: what comes is new, unless it came in this intake.
    first: bool,
    /// Rows of this centre may be gone that the register knows.
    diverged: bool,
    /// Some of the records that are here, so that what refers to them finds them.
    here: HashSet<(Kind, RecordId)>,
    /// Records of the packet in hand that came again as they were, to be noted together.
    again: BTreeSet<ClaimId>,
    /// Changed recipient claims and document claims, for the register.
    recipients: Vec<ClaimId>,
    documents: Vec<ClaimId>,
    /// Records that were held, and are not any more, or for another reason.
    released: Vec<Settled>,
}

impl<'a> Intake<'a> {
    pub fn new(
        context: &'a Context,
        tx: &'a Tx<'a>,
        centre: ParticipantCode,
        now: Timestamp,
    ) -> Result<Self, HubError> {
        let merged = tx.centre(centre)?.is_some_and(|centre| centre.merged);
        let (holds, first) = (tx.holds(centre)?, !tx.has_received(centre)?);
        let diverged = tx.has_incident(centre, DIVERGED)?;
        let (here, recipients, documents) = (HashSet::new(), Vec::new(), Vec::new());
        let (again, released) = (BTreeSet::new(), Vec::new());
        Ok(Self {
            context,
            tx,
            centre,
            merged,
            now,
            holds,
            first,
            diverged,
            here,
            again,
            recipients,
            documents,
            released,
        })
    }

    /// Judges and stores the records of `packet`; `sum` becomes the state digest after them.
    pub fn packet(
        &mut self,
        name: &str,
        packet: CheckedPacket<'_, File>,
        sum: &mut StateDigest,
    ) -> Result<Outcome, HubError> {
        let mut outcome = Outcome::default();
        thread::scope(|scope| {
            let (sender, lots) = mpsc::sync_channel(LOTS);
            let reading = scope.spawn(move || read(packet, &sender));
            for lot in lots {
                for looked in lot {
                    self.record(name, &looked, sum, &mut outcome)?;
                }
            }
            reading.join().expect("reading does not panic")
        })?;
        self.note_again(name)?;
        self.release_moved()?;
        let (settled, before) = mem::take(&mut self.released).into_iter().partition(|one| one.packet == name);
        self.released = before;
        for one in &settled {
            outcome.settle(one);
        }
        Ok(outcome)
    }

    fn record(
        &mut self,
        packet: &str,
        looked: &Looked,
        sum: &mut StateDigest,
        outcome: &mut Outcome,
    ) -> Result<(), HubError> {
        let Looked { record, edition, .. } = looked;
        let guessed = if self.first { self.judge(packet, looked, None)? } else { None };
        let (known, admission) = if let Some(admission) = guessed {
            (None, admission)
        } else {
            let mut known = self.tx.known(self.centre, record.kind, record.key)?;
            for known in known.iter_mut().filter(|known| self.again.contains(&known.id)) {
                known.in_digest = true;
            }
            let judged = self.judge(packet, looked, known.as_ref())?;
            (known, judged.expect("what is not known can be added"))
        };
        if self.diverged && known.is_none() {
            self.as_linked(record.kind, record.key)?;
        }
        let told = known.as_ref().map(Known::edition);
        if edition.judge(told.as_ref()).refusal().is_none() {
            Self::count(record, edition, known.as_ref(), sum);
        }
        outcome.counts.add(admission.outcome);
        *outcome.by_kind.entry((record.kind, admission.outcome)).or_default() += 1;
        let (kind, key, version, said) = (record.kind, record.key, record.version, admission.outcome);
        if let Some((reason, rule)) = admission.why {
            let why =
                if reason == RecordReason::Declined { self.tx.why_declined(self.centre, key)? } else { None };
            let words = why.as_deref().and_then(Words::of);
            outcome.lines.push(RecordLine { outcome: said, kind, key, version, rule, reason, words });
        } else if kind == Kind::Proposal && record.form == Form::Live {
            // plainly taken at first; what staff decide is told by this line
            outcome.lines.push(refusable(kind, key, version, said));
        }
        Ok(())
    }

    /// Decides about a record and stores it accordingly. `None`, and nothing is done, if it is known after all.
    fn judge(
        &mut self,
        packet: &str,
        looked: &Looked,
        known: Option<&Known>,
    ) -> Result<Option<Admission>, HubError> {
        let Looked { record, edition, examined } = looked;
        let facts = self.facts(record, examined, known, edition)?;
        let admission = admit(record.kind, edition, examined, &facts);
        let stored = self.store(packet, record, edition, known, &admission, examined)?;
        Ok(stored.then_some(admission))
    }

    fn facts(
        &mut self,
        record: &Record,
        examined: &Examined,
        known: Option<&Known>,
        edition: &Edition,
    ) -> Result<Facts, HubError> {
        let mut facts = Facts { known: known.map(Known::edition), ..Facts::default() };
        if let Some(known) = known {
            facts.earlier = earlier(&known.outcome, known.rule.as_deref());
        }
        let verdict = edition.judge(facts.known.as_ref());
        let waited =
            facts.earlier.as_ref().is_some_and(|(_, reason, _)| *reason == RecordReason::DanglingRef);
        if let Some(known) = known
            && (verdict == VersionVerdict::Changed || verdict == VersionVerdict::Unchanged && waited)
            && matches!(known.standing, Standing::Applied | Standing::Waiting)
        {
            facts.basis = self.tx.received(known.id)?.map(|found| found.claim.body);
            let link = self.tx.publication(self.centre, Kind::Link, record.key)?;
            facts.published = link.is_some_and(|link| link.version > 0 && link.form == Form::Live);
        }
        if let Some(basis) = facts.basis.as_ref().filter(|_| record.kind == Kind::Attachment) {
            facts.moved = self.is_moved(basis, examined)?;
        }
        if let Some(basis) = facts.basis.as_ref().filter(|_| scans::BEARERS.contains(&record.kind)) {
            facts.moved = self.is_moved_with_scans(record, basis, examined)?;
        }
        for (field, id, kinds) in &examined.references {
            let is_missing = facts.missing.is_none() && {
                let is_new_scan = record.kind == Kind::Attachment && facts.basis.is_none();
                !self.is_here(*id, kinds)? || is_new_scan && self.waits_to_move(*id, kinds)?
            };
            if is_missing {
                facts.missing = Some(field);
            }
        }
        Ok(facts)
    }

    /// Whether a record may refer to `id`: a claim of this centre, or something published to it.
    fn is_here(&mut self, id: RecordId, kinds: &[Kind]) -> Result<bool, HubError> {
        if kinds.iter().any(|kind| self.here.contains(&(*kind, id))) {
            return Ok(true);
        }
        for kind in kinds {
            if self.tx.goes_by(self.centre, *kind, id)? {
                return Ok(true);
            }
        }
        Ok(self.tx.is_published(self.centre, kinds, id)?)
    }

    /// Keeps the state digest: over what was received, whatever its outcome.
    fn count(record: &Record, edition: &Edition, known: Option<&Known>, sum: &mut StateDigest) {
        if let Some(known) = known.filter(|known| known.in_digest && known.form != Form::Tombstone) {
            sum.remove(&StateDigest::term(record.kind, record.key, known.version, known.form, &known.hash));
        }
        if let Some(term) = record.term(&edition.hash) {
            sum.add(&term);
        }
    }

    /// False, and nothing is done, if the record is not `known` and is there all the same.
    fn store(
        &mut self,
        packet: &str,
        record: &Record,
        edition: &Edition,
        known: Option<&Known>,
        admission: &Admission,
        examined: &Examined,
    ) -> Result<bool, HubError> {
        if admission.keep == Keep::Nothing {
            if let Some(known) = known.filter(|known| known.edition() == *edition) {
                self.again.insert(known.id);
                if self.again.len() >= AGAIN {
                    self.note_again(packet)?;
                }
            }
            return Ok(true);
        }
        let stood = known
            .map(|known| known.standing)
            .filter(|standing| matches!(standing, Standing::Applied | Standing::Waiting));
        let fresh = fresh_standing(self.merged, record.kind);
        let (standing, keep_basis) = match admission.keep {
            Keep::Nothing | Keep::Use => (fresh, false),
            Keep::Aside => (stood.unwrap_or(fresh), true),
            // what was good before stays in force
            Keep::Refused => (stood.unwrap_or(Standing::Refused), stood.is_some()),
            Keep::Hold => (stood.unwrap_or(Standing::Held), stood.is_some()),
            Keep::End => (Standing::Gone, false),
        };
        let arrived = Arrived {
            origin: self.centre,
            kind: record.kind,
            key: record.key,
            version: record.version,
            form: record.form,
            hash: edition.hash,
            body: &record.body,
            outcome: admission.outcome.word(),
            rule: admission.why.as_ref().map(|(_, rule)| rule.as_str()),
            packet,
            standing,
            keep_basis,
        };
        let Some(id) = self.tx.store_received(known.map(|known| known.id), &arrived)? else {
            return Ok(false);
        };
        self.note_here(record, standing);
        // a paper that waits to be another person's is still the one's
        let is_moved = admission.keep == Keep::Hold && admission.says(FINAL);
        if !examined.references.is_empty() && matches!(admission.keep, Keep::Use | Keep::Hold) && !is_moved {
            let referents: Vec<RecordId> = examined.references.iter().map(|(_, id, _)| *id).collect();
            self.tx.set_references(self.centre, id, &referents, known.is_none())?;
        }
        self.follow(record, id, admission)?;
        Ok(true)
    }

    /// Notes the records that came again in `packet` as they were.
    fn note_again(&mut self, packet: &str) -> Result<(), HubError> {
        if !self.again.is_empty() {
            self.tx.came_again(&mem::take(&mut self.again), packet)?;
        }
        Ok(())
    }

    /// Remembers that a record is here, as long as there is room, or that it is not.
    fn note_here(&mut self, record: &Record, standing: Standing) {
        let name = (record.kind, record.key);
        if !matches!(standing, Standing::Applied | Standing::Waiting) {
            self.here.remove(&name);
        } else if self.here.len() < HERE && is_linked(record.kind) {
            self.here.insert(name);
        }
    }

    /// What a stored record asks of the register and of staff.
    fn follow(&mut self, record: &Record, id: ClaimId, admission: &Admission) -> Result<(), HubError> {
        self.holds |= admission.keep == Keep::Hold;
        let (name, at) = ((self.centre, record.key), self.now.to_string());
        let earlier = is_linked(record.kind) && admission.outcome != RecordOutcome::New;
        match admission.keep {
            Keep::Aside => self.tx.open_review("proposal", "LOCKED", name, name, &at)?,
            Keep::Hold if record.kind == Kind::RecipientClaim => {
                self.tx.open_review("held", "IDENTITY_CHANGED", name, name, &at)?;
            }
            Keep::Use if record.kind == Kind::Proposal => {
                self.tx.open_review("proposal", "PROPOSAL", name, name, &at)?;
            }
            Keep::Use | Keep::End => {
                // what staff were asked about an earlier version has answered itself
                for kind in ["held", "proposal", "value"].into_iter().filter(|_| earlier) {
                    self.tx.close_review(kind, name, name, &at)?;
                }
                self.note_changed(record.kind, id);
                if self.holds {
                    self.release(record.key)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a record that came in `packet` and whose row is gone.
    pub fn lost(&mut self, packet: &str, record: Record, flaw: Option<&LineError>) -> Result<(), HubError> {
        let (kind, key) = (record.kind, record.key);
        self.record(packet, &Looked::at(record, flaw), &mut StateDigest::default(), &mut Outcome::default())?;
        self.as_linked(kind, key)
    }

    /// A record whose row was gone gets the number that the register knows it by.
    fn as_linked(&mut self, kind: Kind, key: RecordId) -> Result<(), HubError> {
        if let Some(known) = self.tx.known(self.centre, kind, key)? {
            let former = self.tx.number_as_linked(known.id)?;
            let noted = self.recipients.iter_mut().chain(&mut self.documents);
            noted.filter(|id| **id == known.id).for_each(|id| *id = former);
        }
        Ok(())
    }

    /// The register is to look at a claim again.
    pub fn note_changed(&mut self, kind: Kind, id: ClaimId) {
        match kind {
            // the register takes nothing in before the merge
            _ if !self.merged => {}
            Kind::RecipientClaim => self.recipients.push(id),
            Kind::ProgrammeClaim | Kind::SupplementClaim => self.documents.push(id),
            _ => {}
        }
    }

    /// Judges again the records that were held because `key` had not come.
    fn release(&mut self, key: RecordId) -> Result<(), HubError> {
        self.judge_again(self.tx.held_for(self.centre, key)?)
    }

    /// Judges again what was held, each record with its packet.
    fn judge_again(&mut self, held: Vec<(Record, String)>) -> Result<(), HubError> {
        for (record, packet) in held {
            let known = self.tx.known(self.centre, record.kind, record.key)?;
            let looked = Looked::at(record, None);
            let admission = self.judge(&packet, &looked, known.as_ref())?;
            let Some(admission) = admission else { continue };
            let now = match admission.why {
                _ if admission.outcome.is_plain() => Some(Now::Applied),
                Some((reason, rule)) => {
                    let is_said = known.is_some_and(|known| {
                        known.outcome == admission.outcome.word()
                            && known.rule.as_deref() == Some(rule.as_str())
                    });
                    (!is_said).then_some(Now::Listed(admission.outcome, reason, rule))
                }
                None => None,
            };
            let Record { kind, key, version, .. } = looked.record;
            self.released.extend(now.map(|now| Settled { packet, kind, key, version, now }));
        }
        Ok(())
    }

    /// Takes what has changed into the register, unless its initial load still waits. Gives back what is not held any more, or not for what it was.
    pub fn finish(self) -> Result<Vec<Settled>, HubError> {
        if self.merged {
            let register = self.context.register(self.tx, self.context.code.as_str(), self.now);
            register.take_in(&self.recipients, &self.documents)?;
        }
        Ok(self.released)
    }
}

impl Looked {
    fn at(record: Record, flaw: Option<&LineError>) -> Self {
        let (edition, examined) = (Edition::of(&record), examine_line(&record, flaw));
        Self { record, edition, examined }
    }
}

/// Reads the records of `packet`, examines each, hands them over in lots. If nobody takes them, storing has failed and says so.
fn read(mut packet: CheckedPacket<'_, File>, lots: &mpsc::SyncSender<Vec<Looked>>) -> Result<(), HubError> {
    let members: Vec<MemberName> = packet.manifest().members.iter().map(|one| one.name.clone()).collect();
    let mut lot = Vec::with_capacity(LOT);
    for member in members {
        if member.mirrored().is_some() {
            continue; // the centre's copy of our own records: compared, not applied
        }
        let kind: Kind = member
            .kind()
            .and_then(|kind| kind.parse().ok())
            .ok_or_else(|| PacketError::NoMember(member.to_string()))?;
        let mut number = 2; // the declaration and the opening tag come before
        packet.for_each_line::<HubError>(&member, |line| {
            number += 1;
            let (record, flaw) = Record::read_line(kind, line).map_err(|_| PacketError::Line {
                member: member.to_string(),
                line: number,
                problem: "its key, version or form cannot be read",
            })?;
            lot.push(Looked::at(record, flaw.as_ref()));
            if lot.len() == LOT {
                let _ = lots.send(mem::replace(&mut lot, Vec::with_capacity(LOT)));
            }
            Ok(())
        })?;
    }
    let _ = lots.send(lot);
    Ok(())
}
