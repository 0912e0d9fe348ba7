//! A verified DT, SN or KY: what the receiving machine says of it, and what follows.

use std::{collections::BTreeSet, fs::File};

use exchange_endpoint::archive;
use exchange_format::{
    answer::{Counts, PacketOutcome, PacketReason, Protocol, RecordReason, Severity},
    file_name::FileName,
    packet::{
        VerifiedPacket,
        manifest::{Purpose, SnapshotBasis},
    },
    participant::ParticipantCode,
    position::Mark,
    state_digest::StateDigest,
    stream::{Arrival, Facts, Ready, SnapshotReason, StateCheck, Stop, Verdict, check_state},
};
use jiff::Timestamp;

use super::{Applied, Taken, apply, audit, copied, journal, keys, open, put_protocol};
use crate::{
    database::{
        Tx,
        answers::Answer,
        streams::{AtPosition, PacketRow, Streams},
    },
    edges::{
        hub::{Context, Hub, HubError, at},
        ranges,
        register::Returned,
        requests,
        sealing::{answers, keys::is_ky},
    },
};

/// Takes a verified numbered packet, already archived.
pub(super) fn take(
    hub: &mut Hub,
    centre: ParticipantCode,
    name: &str,
    packet: &mut VerifiedPacket<File>,
    now: Timestamp,
) -> Result<Taken, HubError> {
    let header = &packet.manifest().header;
    let snapshot = match &header.purpose {
        Purpose::Snapshot(snapshot) => Some(*snapshot),
        _ => None,
    };
    let part = snapshot.map(|snapshot| snapshot.part);
    let arrival = Arrival { mark: packet.mark(), previous: header.previous, part };
    let (context, is_ky) = (&hub.context, header.purpose == Purpose::Keys);
    let step = Step { context, centre, now, returned: None };
    let mut news = None;
    let checked = packet.check_members().and_then(|mut checked| {
        news = if is_ky { Some(keys::read(context, centre, &mut checked)?) } else { None };
        Ok(())
    });
    let refusal = match checked {
        _ if !arrival.is_well_formed() => Some(PacketReason::Schema),
        Ok(()) => None,
        Err(error) => {
            let reason = error.reason().and_then(|reason| reason.code().parse().ok());
            Some(reason.ok_or(error)?)
        }
    };
    let mut taken = hub.store.write(|tx| {
        let (taken, holds) = step.judge(tx, name, (&arrival, snapshot.map(|one| one.basis)), refusal)?;
        if let Some(card) = news.as_ref().filter(|_| holds) {
            keys::take(context, tx, centre, (card, arrival.mark.position), now)?;
        }
        Ok::<_, HubError>(taken)
    })?;
    // what was held may be next now
    if let Taken::Done(applied) = &mut taken {
        while let Some(more) = hub.store.write(|tx| step.drain(tx))? {
            applied.push(more);
        }
    }
    Ok(taken)
}

/// Whether a centre takes part: what comes from one shut out stays where it is, without an answer.
pub(super) fn is_active(tx: &Tx<'_>, centre: ParticipantCode) -> Result<bool, HubError> {
    Ok(tx.centre(centre)?.is_some_and(|centre| centre.active))
}

/// What is done with a numbered packet of a centre.
pub(in crate::edges) struct Step<'a> {
    pub context: &'a Context,
    pub centre: ParticipantCode,
    pub now: Timestamp,
    /// After a restore: what the centre knows of what this hub had published.
    pub returned: Option<&'a Returned>,
}

impl Step<'_> {
    /// Judges an arrival and carries the verdict out, in one transaction; and whether its keys hold, if it is a KY: as soon
    /// as it is verified, also if it waits, but not of a fork, an ended epoch, or one that came before.
    fn judge(
        &self,
        tx: &Tx<'_>,
        name: &str,
        (arrival, basis): (&Arrival, Option<SnapshotBasis>),
        refusal: Option<PacketReason>,
    ) -> Result<(Taken, bool), HubError> {
        if !is_active(tx, self.centre)? {
            return Ok((Taken::Nothing, false));
        }
        let mut streams = tx.streams(self.centre)?;
        let rows = tx.packets_at("in", self.centre, arrival.mark.position)?;
        let history: Vec<_> =
            rows.iter().map(|row| (row.arrival.mark.digest, row.state != "QUARANTINED")).collect();
        // a DT of the new epoch may be held as well, if it came before the last part
        let held: Vec<Arrival> = tx
            .held(self.centre, arrival.mark.position.epoch)?
            .into_iter()
            .map(|row| row.arrival)
            .filter(|arrival| arrival.part.is_some())
            .collect();
        let verdict = streams.incoming.judge(arrival, &Facts::of(arrival, &history, &held));
        let holds = matches!(verdict, Verdict::Gap(_) | Verdict::Ready(_));
        let taken = match verdict {
            Verdict::Duplicate => {
                for answer in tx.answers_to(self.centre, arrival.mark.digest)? {
                    tx.set_packet_state(&answer, "SEALED", None)?;
                }
                Ok(Taken::Done(Vec::new()))
            }
            Verdict::Fork(breach) => {
                tracing::error!(centre = %self.centre, file = name, "fork: {breach}");
                streams.incoming.fork(arrival.mark.position.epoch);
                tx.set_streams(self.centre, &streams)?;
                self.refuse(tx, name, arrival, &streams, PacketReason::Fork, "QUARANTINED")?;
                Ok(Taken::Quarantined(PacketReason::Fork))
            }
            Verdict::StaleEpoch => {
                self.refuse(tx, name, arrival, &streams, PacketReason::StaleEpoch, "QUARANTINED")?;
                Ok(Taken::Quarantined(PacketReason::StaleEpoch))
            }
            _ if refusal.is_some_and(|_| arrival.part.is_some() || !arrival.is_well_formed()) => {
                // a snapshot refused opens nothing; the stream waits for its sender's next epoch
                let reason = refusal.expect("checked in the guard");
                self.refuse(tx, name, arrival, &streams, reason, "QUARANTINED")?;
                Ok(Taken::Quarantined(reason))
            }
            Verdict::Gap(_) | Verdict::Incomplete { .. } => {
                self.row(tx, name, arrival, "HELD", None, 0)?;
                answers::receipt(self.context, tx, self.centre, &streams, arrival.mark, self.now)?;
                Ok(Taken::Done(Vec::new()))
            }
            Verdict::Ready(_) if streams.outgoing.stop == Some(Stop::Restored) => {
                // what is new to a hub that was put back from a copy may be known to it by another name: a person decides first
                self.row(tx, name, arrival, "HELD", None, 0)?;
                if let Some(SnapshotBasis::Requested { request }) = basis {
                    tx.requests().answered_after_restore(request, arrival.mark.position.epoch)?;
                }
                answers::receipt(self.context, tx, self.centre, &streams, arrival.mark, self.now)?;
                Ok(Taken::Done(Vec::new()))
            }
            Verdict::Ready(ready) => {
                self.row(tx, name, arrival, "HELD", None, 0)?;
                self.apply_or_refuse(tx, &mut streams, &ready).map(Taken::Done)
            }
        };
        taken.map(|taken| (taken, holds))
    }

    /// Applies the packet held at the next number, if there is one.
    fn drain(&self, tx: &Tx<'_>) -> Result<Option<Applied>, HubError> {
        let mut streams = tx.streams(self.centre)?;
        if streams.outgoing.stop == Some(Stop::Restored) {
            return Ok(None);
        }
        let Some(next) = streams.incoming.next() else { return Ok(None) };
        let rows = tx.packets_at("in", self.centre, next)?;
        let Some(held) = rows.into_iter().find(|row| row.state == "HELD") else { return Ok(None) };
        match streams.incoming.judge_held(&held.arrival) {
            Verdict::Ready(ready) => {
                let applied = self.apply_or_refuse(tx, &mut streams, &ready)?;
                Ok(applied.into_iter().next())
            }
            Verdict::Fork(_) => {
                streams.incoming.fork(next.epoch);
                tx.set_streams(self.centre, &streams)?;
                let reason = PacketReason::Fork;
                self.refuse(tx, &held.name, &held.arrival, &streams, reason, "QUARANTINED")?;
                tx.add_incident(self.centre, reason.code(), Some(&held.name), &self.now.to_string())?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Applies what is ready, or refuses it whole: then nothing of it stays but its rows, its PR and an incident.
    pub(super) fn apply_or_refuse(
        &self,
        tx: &Tx<'_>,
        streams: &mut Streams,
        ready: &Ready,
    ) -> Result<Vec<Applied>, HubError> {
        if let Ready::Snapshot(parts) = ready
            && !self.may_end_recovery(tx, streams, parts)?
        {
            // what its sender does next is compared anew
            for part in parts {
                streams.incoming.close(part.position.epoch);
            }
            tx.set_streams(self.centre, streams)?;
            return self.refuse_ready(tx, streams, ready, PacketReason::StaleEpoch);
        }
        let mut after = streams.clone();
        let applied = match tx.attempt(|| self.carry_out(tx, &mut after, ready)) {
            Ok(applied) => {
                *streams = after;
                applied
            }
            Err(HubError::Packet(error)) => {
                let reason = error.reason().and_then(|reason| reason.code().parse().ok());
                self.refuse_ready(tx, streams, ready, reason.ok_or(error)?)?
            }
            Err(error) => return Err(error),
        };
        put_protocol(self.context, tx, self.centre, &applied, self.now)?;
        Ok(applied)
    }

    fn refuse_ready(
        &self,
        tx: &Tx<'_>,
        streams: &mut Streams,
        ready: &Ready,
        reason: PacketReason,
    ) -> Result<Vec<Applied>, HubError> {
        let (marks, state) = match ready {
            // its number is consumed; its changes stay registered with the sender
            Ready::Data(mark) => {
                streams.incoming.consume(ready);
                tx.set_streams(self.centre, streams)?;
                (vec![*mark], "REFUSED")
            }
            // opens nothing: the stream waits for its sender's next epoch
            Ready::Snapshot(parts) => (parts.clone(), "QUARANTINED"),
        };
        let mut refused = Vec::new();
        for mark in marks {
            let row = self.held_row(tx, &mark)?;
            self.refuse(tx, &row.name, &row.arrival, streams, reason, state)?;
            tx.add_incident(self.centre, reason.code(), Some(&row.name), &self.now.to_string())?;
            self.enter(tx, "packet.refused", &row, reason.code())?;
            let (counts, totals, lines) = (Counts::default(), Vec::new(), Vec::new());
            refused.push(Applied { name: row.name, mark, state, counts, totals, lines });
        }
        Ok(refused)
    }

    /// Puts an archived packet into quarantine as well, where staff look for what was not taken. Before its row
    /// says so: if that comes to nothing, the next try finds the same bytes there.
    fn set_aside(&self, name: &str) -> Result<(), HubError> {
        let archived = self.context.paths.archived(self.centre, name);
        let directory = self.context.paths.quarantine.join(self.centre.as_str());
        let mut source = File::open(&archived).map_err(at(&archived))?;
        archive::keep_beside(&directory, name, &mut source)?;
        Ok(())
    }

    /// Enters what became of a packet into the journal.
    pub(super) fn enter(
        &self,
        tx: &Tx<'_>,
        event: &str,
        row: &AtPosition,
        rule: &str,
    ) -> Result<(), HubError> {
        let digests = [row.arrival.mark.digest];
        journal(tx, self.context.code, event, &row.name, rule, &digests, self.now)
    }

    /// Applies what is ready: one packet, or all parts of a snapshot.
    fn carry_out(&self, tx: &Tx<'_>, streams: &mut Streams, ready: &Ready) -> Result<Vec<Applied>, HubError> {
        let (marks, snapshot) = match ready {
            Ready::Data(mark) => (vec![*mark], false),
            Ready::Snapshot(parts) => (parts.clone(), true),
        };
        let part = if snapshot { self.snapshot_of(tx, &marks)? } else { None };
        if let Some(part) = part.filter(|part| part.unconfirmed) {
            return self.look_at_mirror(tx, streams, &part, &marks);
        }
        if snapshot {
            // the snapshot replaces the picture of the stream; what it does not name becomes an orphan
            tx.orphan_all(self.centre)?;
            streams.received = StateDigest::default();
        }
        let mut intake = apply::Intake::new(self.context, tx, self.centre, self.now)?;
        let mut all = Vec::new();
        let mut told = None;
        for mark in &marks {
            let row = self.held_row(tx, mark)?;
            let (applied, stated) = self.apply_one(tx, &mut intake, &row, streams)?;
            all.push(applied);
            told = stated;
        }
        if let Some(returned) = self.returned {
            self.context
                .register(tx, self.context.code.as_str(), self.now)
                .link_back(self.centre, returned)?;
        }
        let released = intake.finish()?;
        let superseded = streams.incoming.consume(ready);
        tx.set_streams(self.centre, streams)?;
        let diverged = tx.has_incident(self.centre, "DIVERGED")?;
        requests::no_twin(tx, self.centre, self.now)?;
        if snapshot {
            requests::snapshot_applied(self.context, tx, self.centre, self.now)?;
        }
        if part.is_some_and(|part| part.basis.reason() == SnapshotReason::Recovered) {
            requests::peer_recovered(self.context, tx, self.centre, self.now)?;
        }
        if let Some(at) = streams.incoming.last.filter(|_| diverged) {
            // where the packets come to what the centre states, it is the rows that are wrong
            let mended = match told {
                Some(told) => {
                    audit::out_of_archive(self.context, tx, (self.centre, streams), told, self.now)?
                }
                None => false,
            };
            if !mended {
                ranges::look(self.context, tx, self.centre, at, self.now)?;
            }
        }
        if let Some(part) = part
            && copied::is_for_divergence(tx, &part)?
        {
            self.publications_back(tx, streams, &marks)?;
        }
        for applied in &all {
            self.answer(tx, streams, applied)?;
        }
        answers::revise(self.context, tx, self.centre, &released, self.now)?;
        if let Some(epoch) = superseded {
            let reason = PacketReason::StaleEpoch.code();
            // the sender has heard that its epoch was over, and has opened this one
            tx.close_incidents(self.centre, reason, &self.now.to_string())?;
            // what could not be read or judged of the epochs before is said anew
            tx.close_incidents_of_former(self.centre, epoch, &self.now.to_string())?;
            for held in tx.held_below(self.centre, epoch)? {
                if is_ky(&held.name) && keys::is_taken(self.context, self.centre, held.arrival.mark.position)
                {
                    // it has done its work, and its sender waits for the word
                    tx.set_packet_state(&held.name, "APPLIED", None)?;
                    self.answer(tx, streams, &Applied::nothing(&held.name, held.arrival.mark))?;
                    continue;
                }
                // no incident: the snapshot says what it said, or something newer
                self.set_aside(&held.name)?;
                tx.set_packet_state(&held.name, "QUARANTINED", Some(reason))?;
                self.enter(tx, "packet.quarantined", &held, reason)?;
            }
        }
        Ok(all)
    }

    pub(super) fn open_held(&self, row: &AtPosition) -> Result<VerifiedPacket<File>, HubError> {
        let name: FileName = row.name.parse().map_err(exchange_format::error::PacketError::from)?;
        Ok(open::open(self.context, &self.context.paths.archived(self.centre, &row.name), &name)?)
    }

    pub(super) fn held_row(&self, tx: &Tx<'_>, mark: &Mark) -> Result<AtPosition, HubError> {
        let rows = tx.packets_at("in", self.centre, mark.position)?;
        let found = rows.into_iter().find(|row| row.arrival.mark == *mark);
        found.ok_or_else(|| {
            crate::database::DatabaseError::Damaged { table: "packet", column: "digest" }.into()
        })
    }

    fn apply_one(
        &self,
        tx: &Tx<'_>,
        intake: &mut apply::Intake<'_>,
        row: &AtPosition,
        streams: &mut Streams,
    ) -> Result<(Applied, Option<StateDigest>), HubError> {
        let mut packet = self.open_held(row)?;
        let told = packet.manifest().header.state_digest;
        // before its records: so it is noted
        let members = packet.manifest().members.iter().filter(|member| member.name.mirrored().is_none());
        tx.packet_applied(&row.name, members.map(|member| member.count).sum())?;
        let outcome = if packet.manifest().header.purpose == Purpose::Keys {
            keys::read(self.context, self.centre, &mut packet.check_while_reading())?;
            apply::Outcome::default()
        } else {
            intake.packet(&row.name, packet.check_while_reading(), &mut streams.received)?
        };
        self.judge_mirror(tx, streams, row, &mut packet)?;
        let at = self.now.to_string();
        if let Some(told) = told.filter(|told| *told != streams.received)
            && ranges::sum_of(tx, self.centre)? == told
        {
            // the records are right, only the sum kept of them was not
            tracing::error!(centre = %self.centre, file = row.name, "the sum of what was received was wrong");
            streams.received = told;
            self.enter(tx, "sum.mended", row, "")?;
        }
        match check_state(told.as_ref(), &streams.received, false) {
            StateCheck::Diverged => {
                tracing::error!(centre = %self.centre, file = row.name, "the state digests differ");
                tx.add_incident(self.centre, "DIVERGED", Some(&row.name), &at)?;
            }
            StateCheck::Agrees => {
                // what records said of former times is over, too
                for code in ["DIVERGED", RecordReason::Older.code(), RecordReason::Collision.code()] {
                    if tx.close_incidents(self.centre, code, &at)? > 0 {
                        self.enter(tx, "incident.closed", row, code)?;
                    }
                }
            }
            StateCheck::NotCompared => {}
        }
        let grave = outcome.lines.iter().filter(|line| line.reason.severity() == Severity::Incident);
        for code in grave.map(|line| line.reason.code()).collect::<BTreeSet<_>>() {
            tx.add_incident(self.centre, code, Some(&row.name), &self.now.to_string())?;
        }
        self.enter(tx, "packet.applied", row, "")?;
        let (name, mark, totals) = (row.name.clone(), row.arrival.mark, outcome.totals());
        let (counts, lines) = (outcome.counts, outcome.lines);
        Ok((Applied { name, mark, state: "APPLIED", counts, totals, lines }, told))
    }

    /// KV and PR of an applied packet.
    pub(super) fn answer(&self, tx: &Tx<'_>, streams: &Streams, applied: &Applied) -> Result<(), HubError> {
        answers::receipt(self.context, tx, self.centre, streams, applied.mark, self.now)?;
        let (counts, outcome) = (applied.counts, applied.counts.packet_outcome());
        let head = Protocol { answered: applied.mark, revision: 1, outcome, counts };
        answers::protocol(self.context, tx, self.centre, streams, &head, &applied.lines, self.now)?;
        if !applied.lines.is_empty() {
            tx.keep_answer(&applied.name, &Answer { revision: 1, counts, lines: applied.lines.clone() })?;
        }
        Ok(())
    }

    /// Refuses an authentic packet whole: its file, a row, a PR.
    fn refuse(
        &self,
        tx: &Tx<'_>,
        name: &str,
        arrival: &Arrival,
        streams: &Streams,
        reason: PacketReason,
        state: &str,
    ) -> Result<(), HubError> {
        if state == "QUARANTINED" {
            self.set_aside(name)?;
        }
        self.row(tx, name, arrival, state, Some(reason.code()), 0)?;
        let outcome = PacketOutcome::Refused(reason);
        let head = Protocol { answered: arrival.mark, revision: 1, outcome, counts: Counts::default() };
        answers::protocol(self.context, tx, self.centre, streams, &head, &[], self.now)
    }

    fn row(
        &self,
        tx: &Tx<'_>,
        name: &str,
        arrival: &Arrival,
        state: &str,
        reason: Option<&str>,
        records: u64,
    ) -> Result<(), HubError> {
        let kind = name.parse::<FileName>().map_or("DT", |name| name.kind.letters());
        tx.put_packet(&PacketRow {
            name,
            direction: "in",
            peer: self.centre,
            kind,
            mark: Some(arrival.mark),
            state,
            reason,
            previous: arrival.previous,
            part: arrival.part,
            answered: None,
            unconfirmed: false,
            at: &self.now.to_string(),
            records,
            sha256: None,
        })?;
        Ok(())
    }
}
