//! Intake: one file that stands finished in a centre's `in`, from its name to its answers.
//!
//! [`open`] the five-way check, envelope, signature, digests · [`numbered`] what the stream machine says of it
//! and what follows · [`held`] what waits · [`apply`] its records · [`keys`] a centre's new keys · [`answers`] KV and PR about our own packets · [`control`] the
//! control block · [`asked`] which requests are one asking · [`copied`] what its copy of our publications shows · [`replay`] what was set aside, once more. What cannot be authenticated goes to quarantine whole, and nothing of it is applied.

mod answers;
mod apply;
mod asked;
mod audit;
mod control;
mod copied;
mod held;
mod keys;
mod numbered;
mod open;
mod published;
mod replay;

use std::{fs, path::Path};

use exchange_endpoint::{
    archive::{self, KeepError},
    durable_file,
    journal_table::Event,
    protocol::{Kind as ProtocolKind, Line, Protocol},
    stray::Stray,
};
use exchange_format::{
    answer::{Counts, PacketReason, RecordLine, RecordOutcome},
    error::PacketError,
    file_name::{FileName, PacketKind},
    participant::ParticipantCode,
    position::Mark,
    record::Kind,
};
use jiff::Timestamp;

use super::{
    hub::{Context, Hub, HubError, at},
    older::goes_on_behind,
    sealing::answers::Settled,
};
use crate::database::{Tx, received::Standing, streams::Unproven};

pub(super) use answers::random;
pub(super) use asked::Beside;
pub(in crate::edges) use audit::forget_unproven;
pub(in crate::edges) use numbered::Step;
pub(in crate::edges) use open::prune_out;
pub(in crate::edges) use published::{UNSEALED, close_unsealed};

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It was gone already, or is no finished file.
    Nothing,
    /// Judged; this became of it.
    Done(Vec<Applied>),
    /// Put into quarantine.
    Quarantined(PacketReason),
}

/// A file that goes into quarantine.
struct Aside<'a> {
    /// The name it is kept by, if no other file has it.
    kept: &'a str,
    /// What log and journal say of it.
    told: &'a str,
    reason: PacketReason,
    /// Its mark, if it is an authentic numbered packet: then its row was written with its verdict, and a copy
    /// stands in quarantine already.
    mark: Option<Mark>,
}

/// A packet that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its file name.
    pub name: String,
    /// Its mark.
    pub mark: Mark,
    /// The state word of its row.
    pub state: &'static str,
    /// What became of its records.
    pub counts: Counts,
    /// Counts by kind and outcome.
    pub totals: Vec<(&'static str, RecordOutcome, u64)>,
    /// Records that were not plainly applied.
    pub lines: Vec<RecordLine>,
}

impl Applied {
    /// A packet of no records.
    fn nothing(name: &str, mark: Mark) -> Self {
        let (counts, totals, lines) = (Counts::default(), Vec::new(), Vec::new());
        Self { name: name.to_owned(), mark, state: "APPLIED", counts, totals, lines }
    }
}

impl Hub {
    /// Takes the file `name` from the `in` of `centre`. After an error the file is where it was, and may be
    /// taken again.
    pub fn take(&mut self, centre: ParticipantCode, name: &str, now: Timestamp) -> Result<Taken, HubError> {
        let path = self.context.paths.inbox(centre).join(name);
        if name.starts_with('.')
            || Path::new(name).extension().is_some_and(|e| e == "part")
            || !path.is_file()
            || !self.store.read(|tx| numbered::is_active(tx, centre))?
        {
            return Ok(Taken::Nothing);
        }
        let Self { store, watermark, .. } = &mut *self;
        if store.read(|tx| Ok::<_, HubError>(goes_on_behind(watermark, centre, &tx.streams(centre)?)))? {
            // a copy was put back this moment: the next look tells of it
            return Ok(Taken::Nothing);
        }
        let Ok(file_name) = name.parse::<FileName>() else {
            return self.put_stray_aside(centre, name, now);
        };
        if replay::is_foreign(&file_name, centre, self.context.code) {
            return self.quarantine(centre, name, PacketReason::Foreign, None, now);
        }
        let mut opened = open::open(&self.context, &path, &file_name);
        let is_unknown = |error: &PacketError| error.reason() == Some(PacketReason::UnknownKey);
        if opened.as_ref().is_err_and(is_unknown) && self.context.reload().is_ok() {
            // its card may have come by a command this moment, and the daemon has not looked at it yet
            opened = open::open(&self.context, &path, &file_name);
        }
        let mut packet = match opened {
            Ok(packet) => packet,
            Err(error) => {
                let reason = error.reason().and_then(|reason| reason.code().parse().ok());
                let reason: PacketReason = reason.ok_or(error)?;
                return self.quarantine(centre, name, reason, None, now);
            }
        };
        let (mark, manifest) = (packet.mark(), packet.manifest().header.clone());
        control::judge(self, centre, &manifest.control, now)?;
        self.archive(centre, name, &file_name, mark)?;
        let taken = match file_name.kind {
            PacketKind::Data | PacketKind::Snapshot | PacketKind::Keys => {
                numbered::take(self, centre, name, &mut packet, now)?
            }
            PacketKind::Receipt | PacketKind::Protocol | PacketKind::Request => {
                answers::take(self, centre, name, &mut packet, now)?
            }
        };
        if matches!(taken, Taken::Nothing) {
            return Ok(taken);
        }
        if file_name.kind == PacketKind::Keys {
            self.context.reload()?;
        }
        if let Taken::Quarantined(reason) = taken {
            // an answer has no row yet, a numbered packet got its row with its verdict
            let mark = file_name.kind.is_numbered().then_some(mark);
            return self.quarantine(centre, name, reason, mark, now);
        }
        self.raise_watermark(centre)?;
        durable_file::remove(&path).map_err(at(&path))?;
        self.keep_protocols();
        Ok(taken)
    }

    /// Keeps a copy for ever. The envelope may be another than that of the copy kept before: the packet is the same
    /// (FORMAT.md §Sealing).
    fn archive(
        &self,
        centre: ParticipantCode,
        name: &str,
        file_name: &FileName,
        mark: Mark,
    ) -> Result<(), HubError> {
        let path = self.context.paths.inbox(centre).join(name);
        let archived = self.context.paths.archived(centre, name);
        let mut source = fs::File::open(&path).map_err(at(&path))?;
        match archive::keep(&archived, &mut source) {
            Err(KeepError::Conflict { .. })
                if open::open(&self.context, &archived, file_name).is_ok_and(|kept| kept.mark() == mark) =>
            {
                Ok(())
            }
            kept => Ok(kept.map(|_| ())?),
        }
    }

    /// Puts a packet's file aside, whole; its name is free again. It gets no answer unless it was authentic.
    fn quarantine(
        &mut self,
        centre: ParticipantCode,
        name: &str,
        reason: PacketReason,
        mark: Option<Mark>,
        now: Timestamp,
    ) -> Result<Taken, HubError> {
        let aside = Aside { kept: name, told: name, reason, mark };
        self.put_aside(centre, &self.context.paths.inbox(centre).join(name), &aside, now)
    }

    /// Puts a file aside whose name is no packet's; nobody is told of that name.
    fn put_stray_aside(
        &mut self,
        centre: ParticipantCode,
        name: &str,
        now: Timestamp,
    ) -> Result<Taken, HubError> {
        let inbox = self.context.paths.inbox(centre);
        let path = inbox.join(name);
        let stray = Stray::of(name, &path).map_err(at(&inbox))?;
        let (kept, told) = (&stray.name, &stray.to_string());
        let aside = Aside { kept, told, reason: PacketReason::BadName, mark: None };
        self.put_aside(centre, &path, &aside, now)
    }

    fn put_aside(
        &mut self,
        centre: ParticipantCode,
        path: &Path,
        aside: &Aside<'_>,
        now: Timestamp,
    ) -> Result<Taken, HubError> {
        let Aside { kept, told, reason, mark } = *aside;
        let parsed = kept.parse::<FileName>().ok();
        let directory = self.context.paths.quarantine.join(centre.as_str());
        let mut kept = kept.to_owned();
        if mark.is_none() {
            // kept before its row says so, on whatever file system; an authentic one was set aside with its verdict
            kept = archive::link_beside(&directory, &kept, path)?;
        }
        self.carry_out(|context, tx| {
            if mark.is_none() {
                tx.put_unproven(&Unproven {
                    centre,
                    name: aside.kept,
                    kept: &kept,
                    kind: parsed.as_ref().map_or("??", |name| name.kind.letters()),
                    position: parsed.map(|name| name.position),
                    reason: reason.code(),
                    at: &now.to_string(),
                })?;
            }
            tx.add_incident(centre, reason.code(), Some(&kept), &now.to_string())?;
            let mut protocol = load_protocol(context, centre, now);
            protocol.file(&kept, mark.map(|mark| mark.digest), reason.code());
            tx.put_protocol(&mut protocol)?;
            let digests: Vec<_> = mark.iter().map(|mark| mark.digest).collect();
            journal(tx, context.code, "packet.quarantined", told, reason.code(), &digests, now)
        })?;
        durable_file::remove(path).map_err(at(&directory))?;
        tracing::warn!(centre = %centre, file = told, reason = reason.code(), "quarantined");
        Ok(Taken::Quarantined(reason))
    }
}

fn load_protocol(context: &Context, centre: ParticipantCode, now: Timestamp) -> Protocol {
    Protocol::begin(ProtocolKind::Load, context.lang, context.code, Some(centre), now)
}

/// One protocol for what was applied together, if it brought records.
fn put_protocol(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    applied: &[Applied],
    now: Timestamp,
) -> Result<(), HubError> {
    if applied.iter().all(|one| one.counts.total() == 0 && one.state == "APPLIED") {
        return Ok(());
    }
    let mut protocol = load_protocol(context, centre, now);
    for one in applied {
        protocol.packet(&one.name, one.mark.digest, one.state, one.counts.total());
        for (kind, outcome, count) in &one.totals {
            if outcome.is_plain() {
                protocol.count(kind, outcome.word(), *count);
            }
        }
        for line in one.lines.iter().filter(|line| !line.outcome.is_plain()) {
            protocol.tell(Line::of_answer(context.lang, line));
        }
    }
    protocol.end();
    tx.put_protocol(&mut protocol)?;
    Ok(())
}

/// Where a record stands that is plainly taken, of a centre whose initial load is `merged`, or is not.
pub(in crate::edges) fn fresh_standing(merged: bool, kind: Kind) -> Standing {
    if merged || !is_linked(kind) { Standing::Applied } else { Standing::Waiting }
}

/// Kinds that the register makes publications of.
fn is_linked(kind: Kind) -> bool {
    matches!(kind, Kind::RecipientClaim | Kind::ProgrammeClaim | Kind::SupplementClaim)
}

/// Enters what happened to a file.
pub(in crate::edges) fn journal(
    tx: &Tx<'_>,
    actor: ParticipantCode,
    event: &str,
    subject: &str,
    rule: &str,
    digests: &[exchange_format::position::Digest],
    now: Timestamp,
) -> Result<(), HubError> {
    tx.journal(&Event { at: now, actor: actor.as_str(), event, subject, rule, digests })?;
    Ok(())
}

impl Context {
    /// Whether a file name is one that a peer's upload still writes.
    pub fn is_part(name: &str) -> bool {
        name.starts_with('.') || Path::new(name).extension().is_some_and(|extension| extension == "part")
    }
}

/// Takes the papers of `centre` that waited to be another person's and need not any more: the two have turned out to be one. Of
/// these and of those that are held for another reason now the centre is to be told.
pub(in crate::edges) fn release_moved(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<Vec<Settled>, HubError> {
    if tx.held_as_moved(centre)?.is_empty() {
        return Ok(Vec::new());
    }
    let mut intake = apply::Intake::new(context, tx, centre, now)?;
    intake.release_moved()?;
    intake.finish()
}
