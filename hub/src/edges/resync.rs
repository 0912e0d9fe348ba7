//! After this hub was put back from a copy (exchange §7): the daemon asks each centre for a snapshot, and holds what comes; when
//! that is here, `resync` shows how the two differ; when a person has confirmed, the daemon takes back what it had published,
//! applies the centre's snapshot, and opens a new epoch. What staff decided after the copy was made is in the archive alone.

use std::collections::BTreeMap;

use exchange_endpoint::{config::Config, journal_table::BEGUN_AGAIN, output::Failure};
use exchange_format::{
    packet::{MemberName, manifest::SnapshotBasis},
    participant::ParticipantCode,
    position::{Digest, Mark},
    record::{Kind, Record},
    stream::{Edition, Stop, VersionVerdict},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    config::HubConfig,
    gone::{self, Decision, Difference, Unknown},
    hub::{Context, Hub, HubError, open},
    intake::{Applied, Step, journal},
    register::{Register, Returned, What},
    sealing::{data::seal_anew, own},
};
use crate::database::{Tx, linking::Act, received::Known, streams::Streams};

/// How the recovery of the streams with one centre stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The centre.
    pub centre: String,
    /// `asked`: its snapshot has not come · `ready`: it is to be confirmed · `confirmed`: the daemon does it.
    pub stage: &'static str,
    /// The digest of its snapshot.
    pub snapshot: Option<String>,
    /// What the hub had published to it, by kind and by how that differs.
    pub published: BTreeMap<&'static str, BTreeMap<What, u64>>,
    /// What it has sent, by kind and whether the hub does not know it (`new`), knows something older (`changed`) or something
    /// newer (`older`).
    pub records: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// What it was told otherwise than this database says, one by one.
    pub differences: Vec<Difference>,
    /// What the lost database had taken from it, and nobody knows any more.
    pub unknown: Vec<Unknown>,
}

/// What staff decided after the copy was made, while a stream is stopped by a restore.
pub fn decisions(config: &Config<HubConfig>) -> Result<Vec<Decision>, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| if stopped(tx)?.is_empty() { Ok(Vec::new()) } else { Ok(gone::decisions(&context, tx)?) })
}

/// How the recovery of each stream that a restore has stopped stands, and what it would change.
pub fn look(config: &Config<HubConfig>) -> Result<Vec<Standing>, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| {
        let mut all = Vec::new();
        for centre in stopped(tx)? {
            let step = Step { context: &context, centre, now: Timestamp::now(), returned: None };
            let mut standing = Standing { centre: centre.to_string(), stage: "asked", ..Standing::default() };
            if let Some(parts) = compared(tx, centre)? {
                let digest = digest_of(&parts);
                standing.snapshot = Some(digest.to_string());
                let confirmed = tx.confirmed_resync(centre)?.is_some_and(|(known, _)| known == digest);
                standing.stage = if confirmed { "confirmed" } else { "ready" };
                compare(&step, tx, &parts, &mut standing)?;
            }
            all.push(standing);
        }
        Ok::<_, Failure>(all)
    })
}

/// Active centres whose streams a restore has stopped.
fn stopped(tx: &Tx<'_>) -> Result<Vec<ParticipantCode>, HubError> {
    let mut stopped = Vec::new();
    for centre in tx.centres()?.into_iter().filter(|centre| centre.active) {
        if tx.streams(centre.code)?.outgoing.stop == Some(Stop::Restored) {
            stopped.push(centre.code);
        }
    }
    Ok(stopped)
}

/// The parts of the snapshot of `centre` with which this hub is compared.
fn compared(tx: &Tx<'_>, centre: ParticipantCode) -> Result<Option<Vec<Mark>>, HubError> {
    let Some(epoch) = tx.requests().compared_with(centre)? else { return Ok(None) };
    let held = tx.held(centre, epoch)?.into_iter().filter(|row| row.arrival.part.is_some());
    let parts: Vec<Mark> = held.map(|row| row.arrival.mark).collect();
    Ok(Some(parts).filter(|parts| !parts.is_empty()))
}

/// By its last part a whole snapshot is known: each part names the one before it.
fn digest_of(parts: &[Mark]) -> Digest {
    parts.last().expect("a snapshot has parts").digest
}

/// Hands every record of the snapshot to `each`, and whether it is of the mirror.
pub(super) fn for_each(
    step: &Step<'_>,
    tx: &Tx<'_>,
    parts: &[Mark],
    each: &mut dyn FnMut(&Record, bool) -> Result<(), HubError>,
) -> Result<(), HubError> {
    for mark in parts {
        let mut opened = step.opened(tx, mark)?;
        let mut checked = opened.check_members()?;
        let members: Vec<MemberName> =
            checked.manifest().members.iter().map(|member| member.name.clone()).collect();
        for member in members {
            let mirrored = member.mirrored();
            let kind = mirrored.or(member.kind()).and_then(|kind| kind.parse::<Kind>().ok());
            let (Some(kind), is_mirror) = (kind, mirrored.is_some()) else { continue };
            checked.for_each_line::<HubError>(&member, |line| {
                let Ok(record) = Record::parse_line(kind, line) else { return Ok(()) };
                // what this hub has not signed shows nothing of what it has published
                if is_mirror && !step.context.has_signed(step.centre, &record) {
                    tracing::warn!(centre = %step.centre, kind = %kind, key = %record.key, "not as this hub has signed it: passed over");
                    return Ok(());
                }
                each(&record, is_mirror)
            })?;
        }
    }
    Ok(())
}

fn compare(step: &Step<'_>, tx: &Tx<'_>, parts: &[Mark], standing: &mut Standing) -> Result<(), HubError> {
    let register = register(step, tx);
    let mut there = BTreeMap::new();
    for_each(step, tx, parts, &mut |record, is_mirror| {
        if !is_mirror {
            there.insert((record.kind, record.key), record.version);
        }
        if is_mirror {
            if let Some(what) = register.differs(step.centre, record)? {
                *standing.published.entry(record.kind.name()).or_default().entry(what).or_default() += 1;
                standing.differences.push(gone::difference(tx, step.centre, record, what)?);
            }
            return Ok(());
        }
        let known = tx.known(step.centre, record.kind, record.key)?;
        let told = known.as_ref().map(Known::edition);
        let word = match Edition::of(record).judge(told.as_ref()) {
            VersionVerdict::New => "new",
            VersionVerdict::Changed => "changed",
            VersionVerdict::Unchanged => return Ok(()),
            VersionVerdict::Older | VersionVerdict::Collision => "older",
        };
        *standing.records.entry(record.kind.name()).or_default().entry(word).or_default() += 1;
        Ok(())
    })?;
    standing.unknown = gone::unknown(step.context, tx, step.centre, &there)?;
    Ok(())
}

fn register<'a>(step: &Step<'a>, tx: &'a Tx<'a>) -> Register<'a> {
    step.context.register(tx, step.context.code.as_str(), step.now)
}

/// A person has seen how the snapshots in `seen` differ: the daemon goes on. Those that are something else by now are left.
pub fn confirm(
    config: &Config<HubConfig>,
    seen: &[Standing],
    act: Act<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.write(|tx| {
        for one in seen {
            let (Ok(centre), Some(Ok(digest))) =
                (one.centre.parse(), one.snapshot.as_ref().map(|text| text.parse()))
            else {
                continue;
            };
            tx.confirm_resync(centre, digest, act)?;
            journal(tx, context.code, "resync.confirmed", centre.as_str(), act.actor, &[digest], now)?;
        }
        Ok::<_, Failure>(())
    })
}

impl Hub {
    /// After a recovery the journal is that of the older database, which says so: the watermark follows it.
    pub(super) fn follow_journal(&mut self) -> Result<(), HubError> {
        let known = self.watermark.journal().clone();
        let leaves = self.store.read(|tx| {
            let follows =
                known.size() > 0 && tx.journal_is_begun_again(&known)? && !tx.journal_begins_with(&known)?;
            Ok::<_, HubError>(if follows { Some(tx.journal_leaves(0)?) } else { None })
        })?;
        leaves.map_or(Ok(()), |leaves| Ok(self.watermark.begin_journal(leaves)?))
    }

    /// Does what a person has confirmed: takes back what was published to a centre, applies its snapshot, opens a new epoch.
    /// What was applied, by centre.
    pub fn resync(&mut self, now: Timestamp) -> Result<Vec<(ParticipantCode, Vec<Applied>)>, HubError> {
        let mut due = Vec::new();
        for centre in self.store.read(stopped)? {
            if self.store.read(|tx| Ok::<_, HubError>(tx.confirmed_resync(centre)?.is_some()))? {
                due.push(centre);
            }
        }
        if !due.is_empty() {
            let Self { store, context, .. } = self;
            store.write(|tx| persons_back(context, tx, now))?;
        }
        let mut done = Vec::new();
        for centre in due {
            let Self { store, context, .. } = self;
            let known = self.watermark.journal().clone();
            let mut applied = store.write(|tx| {
                let applied = carry_out(context, tx, centre, now)?;
                if !tx.journal_begins_with(&known)? {
                    let size = known.size().to_string();
                    journal(tx, context.code, BEGUN_AGAIN, &size, "", known.frontier(), now)?;
                }
                Ok::<_, HubError>(applied)
            })?;
            // what was held behind the snapshot
            let step = Step { context, centre, now, returned: None };
            while let Some(more) = store.write(|tx| step.apply_next_held(tx))? {
                applied.extend(more);
            }
            self.follow_journal()?;
            self.raise_watermark(self.context.code)?;
            self.raise_watermark(centre)?;
            done.push((centre, applied));
        }
        Ok(done)
    }
}

/// The persons that any centre's snapshot shows, before a claim is numbered: what one has been told is not given to another. And
/// whom staff have parted since is parted before anything is published.
fn persons_back(context: &Context, tx: &Tx<'_>, now: Timestamp) -> Result<(), HubError> {
    if tx.streams(context.code)?.outgoing.stop == Some(Stop::Restored) {
        gone::tell_decisions(context, tx, &gone::decisions(context, tx)?, now)?;
    }
    own::begin_again(context, tx, now)?;
    let register = context.register(tx, context.code.as_str(), now);
    let mut links = BTreeMap::new();
    for centre in stopped(tx)? {
        let step = Step { context, centre, now, returned: None };
        for_each(&step, tx, &compared(tx, centre)?.unwrap_or_default(), &mut |record, is_mirror| {
            if is_mirror {
                register.take_back_person(record)?;
                links.extend(register.later_link(centre, record)?);
            }
            Ok(())
        })?;
    }
    Ok(register.part_back(&links)?)
}

fn carry_out(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<Vec<Applied>, HubError> {
    let confirmed = tx.confirmed_resync(centre)?;
    tx.forget_resync(centre)?;
    let parts = compared(tx, centre)?.unwrap_or_default();
    let Some((digest, actor)) =
        confirmed.filter(|(known, _)| parts.last().is_some_and(|last| last.digest == *known))
    else {
        tracing::warn!(centre = %centre, "what was confirmed is not what has come since; nothing is done");
        return Ok(Vec::new());
    };
    own::begin_again(context, tx, now)?;
    let step = Step { context, centre, now, returned: None };
    let mut standing = Standing::default();
    compare(&step, tx, &parts, &mut standing)?;
    gone::tell_differences(context, tx, centre, (&standing.differences, &standing.unknown), now)?;
    let register = register(&step, tx);
    let mut returned = Returned::default();
    // persons before what names them: members stand in the order of the kinds
    for_each(&step, tx, &parts, &mut |record, is_mirror| {
        if is_mirror { Ok(register.take_back_published(centre, record, &mut returned)?) } else { Ok(()) }
    })?;
    let mut streams = tx.streams(centre)?;
    streams.outgoing.stop = None;
    tx.set_streams(centre, &streams)?;
    let step = Step { returned: Some(&returned), ..step };
    let applied = step.apply_held(tx, &mut streams, &parts)?;
    for uid in &returned.affected {
        register.republish(*uid)?;
    }
    end(tx, centre, now)?;
    seal_anew(context, tx, centre, SnapshotBasis::Recovered { compared: digest }, now)?;
    journal(tx, context.code, "resync.done", centre.as_str(), &actor, &[digest], now)?;
    tracing::info!(centre = %centre, "what was lost is taken back; the exchange goes on");
    Ok(applied)
}

/// The recovery of the streams with `centre` is over.
fn end(tx: &Tx<'_>, centre: ParticipantCode, now: Timestamp) -> Result<(), HubError> {
    let at = now.to_string();
    tx.requests().forget_compared(centre)?;
    tx.close_incidents(centre, "RESTORED", &at)?;
    // a mirror that was judged before it was taken back
    let mut streams: Streams = tx.streams(centre)?;
    streams.outgoing.stop = None;
    tx.set_streams(centre, &streams)?;
    Ok(())
}
