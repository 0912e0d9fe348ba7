//! Whether what is kept of a centre's stream is what was received, and putting it right: a disk fault or a hand in the database
//! alters rows, and no packet tells of that, for the sum that is compared with each goes on from the one before (exchange §4, S1).

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use exchange_format::{
    answer::{Difference, SnapshotCause},
    error::PacketError,
    file_name::FileName,
    packet::MemberName,
    participant::ParticipantCode,
    record::{Form, Kind, LineError, Record, RecordId},
    state_digest::StateDigest,
    stream::Edition,
};
use jiff::Timestamp;

use super::{
    apply, journal, open,
    published::{UNSEALED, close_unsealed, drop_strangers, say_again, say_all_again},
};
use crate::{
    database::{DatabaseError, Tx, publications::Altered, received::ClaimId, streams::Streams},
    edges::{
        hub::{Context, Hub, HubError, at},
        ranges, requests,
    },
};

/// The sums differ.
pub(super) const DIVERGED: &str = "DIVERGED";

/// What is not as it was left.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Rows whose body is not the one of their hash.
    altered: Vec<ClaimId>,
    /// The rows are not what their sum says.
    received: bool,
    /// Nor are those of our stream.
    sent: bool,
    /// Publications that say something else than they should.
    told: Vec<Altered>,
    /// Records of centres of which nobody can say where they stand.
    astray: Vec<ClaimId>,
}

impl Hub {
    /// Looks at everything that is kept of the streams with `centre`. What its rows have lost is taken out of its packets in the
    /// archive once more; where these do not come to the sum, the two sides find out what differs (`DIVERGED`). Whether
    /// anything was wrong.
    ///
    /// # Errors
    /// The database.
    pub fn audit(&mut self, centre: ParticipantCode, now: Timestamp) -> Result<bool, HubError> {
        let (found, strangers) =
            self.store.read(|tx| Ok::<_, HubError>((look(tx, centre)?, tx.strangers(centre)?)))?;
        if (&found, &strangers[..]) == (&Found::default(), &[]) {
            return self.settle_unsealed(centre, now).map(|()| false);
        }
        self.carry_out(|context, tx| {
            if !strangers.is_empty() {
                // whose rows these were has lost them: that is found out before anything is told anew
                for other in tx.centres()?.into_iter().filter(|other| other.active && other.code != centre) {
                    put_right(context, tx, other.code, now)?;
                }
            }
            drop_strangers(context, tx, centre, &strangers, now)?;
            Ok(put_right(context, tx, centre, now)? || !strangers.is_empty())
        })
    }

    /// Rows of which nothing could be signed are an incident until all of them are right.
    fn settle_unsealed(&mut self, centre: ParticipantCode, now: Timestamp) -> Result<(), HubError> {
        if self.store.read(|tx| tx.has_incident(centre, UNSEALED))? {
            self.store.write(|tx| close_unsealed(tx, centre, now))?;
        }
        Ok(())
    }
}

fn look(tx: &Tx<'_>, centre: ParticipantCode) -> Result<Found, HubError> {
    let streams = tx.streams(centre)?;
    // what differs already is being looked for, and after a restore nothing is compared
    if streams.outgoing.stop.is_some() || tx.has_incident(centre, DIVERGED)? {
        return Ok(Found::default());
    }
    // a row of which nobody can read the hash is no better than one that is gone
    let differs = |sum: Result<StateDigest, HubError>, kept| match sum {
        Err(HubError::Database(DatabaseError::Damaged { .. })) => Ok(true),
        other => other.map(|sum| sum != kept),
    };
    let (altered, begun) = (tx.received_altered(centre)?, streams.incoming.last.is_some());
    let received = begun && (!altered.is_empty() || differs(ranges::sum_of(tx, centre), streams.received)?);
    let sent = streams.outgoing.last.is_some() && differs(ranges::sum_of_sent(tx, centre), streams.sent)?;
    let (told, astray) = (tx.published_altered(centre)?, tx.received_astray(centre)?);
    Ok(Found { altered, received, sent, told, astray })
}

/// Whether anything could be done.
fn put_right(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<bool, HubError> {
    // they come again
    tx.remove_astray(&look(tx, centre)?.astray)?;
    let found = look(tx, centre)?;
    let told = !found.told.is_empty() && say_again(context, tx, centre, &found.told, now)?;
    let streams = found.received || found.sent || !found.altered.is_empty();
    if streams {
        put_streams_right(context, tx, centre, &found, now)?;
    }
    Ok(told || streams)
}

fn put_streams_right(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    found: &Found,
    now: Timestamp,
) -> Result<(), HubError> {
    tracing::error!(
        centre = %centre,
        altered = found.altered.len(),
        received = found.received,
        sent = found.sent,
        "what is kept of the streams was altered in the database"
    );
    let (at, mut streams) = (now.to_string(), tx.streams(centre)?);
    let carried = found.received.then(|| Carried::of(context, tx, centre));
    if let (Some(Ok(carried)), true, false) = (&carried, found.altered.is_empty(), found.sent) {
        // where the packets say what the rows say, only the sum kept of them was not right
        if let Some(rows) = ranges::sum_of(tx, centre).ok().filter(|rows| *rows == carried.sum()) {
            streams.received = rows;
            journal(tx, context.code, "sum.mended", centre.as_str(), "", &[], now)?;
            return Ok(tx.set_streams(centre, &streams)?);
        }
    }
    tx.add_incident(centre, DIVERGED, None, &at)?;
    journal(tx, context.code, "received.altered", centre.as_str(), "", &[], now)?;
    let known = (streams.received, &found.altered[..]);
    let mended = carried.map_or(Ok(()), |carried| {
        carried.and_then(|carried| tx.attempt(|| take_again(context, tx, centre, (&carried, known), now)))
    });
    match mended {
        Ok(()) => {
            journal(tx, context.code, "received.mended", centre.as_str(), "", &[], now)?;
            if !found.sent {
                tx.close_incidents(centre, DIVERGED, &at)?;
            }
        }
        Err(error) => {
            tracing::error!(centre = %centre, "the archive does not say what was received; the centre is asked: {error}");
            put_back_or_forget(context, tx, centre, &found.altered, now)?;
            streams.received = ranges::sum_of(tx, centre)?;
            if let Some(last) = streams.incoming.last {
                ranges::look(context, tx, centre, last, now)?;
            }
        }
    }
    if found.sent {
        // what goes out after that follows from the register, not from rows of which one is not as it was sealed
        say_all_again(context, tx, centre, now)?;
        // its copy of what we have published comes with it, and shows what is gone here
        requests::want_snapshot(context, tx, centre, SnapshotCause::Divergence, now)?;
    }
    Ok(tx.set_streams(centre, &streams)?)
}

/// What packets bear, of those that were read.
#[derive(Default)]
struct Borne(BTreeMap<String, BTreeMap<(Kind, RecordId), Edition>>);

impl Borne {
    /// The row of a record of `centre`, if the packet that it names does not bear it, or is gone.
    fn row(
        &mut self,
        context: &Context,
        tx: &Tx<'_>,
        centre: ParticipantCode,
        of: (Kind, RecordId),
    ) -> Result<Option<ClaimId>, HubError> {
        let Some(known) = tx.known(centre, of.0, of.1)? else { return Ok(None) };
        let row = known.edition();
        let all = self.0.entry(known.packet).or_insert_with_key(|packet| {
            let mut all = BTreeMap::new();
            let read = for_each(context, centre, packet, &mut |record, _| {
                all.insert((record.kind, record.key), Edition::of(&record));
                Ok(())
            });
            if read.is_ok() { all } else { BTreeMap::new() }
        });
        Ok((all.get(&of) != Some(&row)).then_some(known.id))
    }
}

/// A packet of `centre` states the sum `told`, and the rows come to another: where its packets in the archive come to that, they say
/// what the rows have lost, and it is taken out of them. Whether it was.
///
/// # Errors
/// The database.
pub(super) fn out_of_archive(
    context: &Context,
    tx: &Tx<'_>,
    (centre, streams): (ParticipantCode, &mut Streams),
    told: StateDigest,
    now: Timestamp,
) -> Result<bool, HubError> {
    let altered = tx.received_altered(centre)?;
    let carried = Carried::of(context, tx, centre);
    let known = (told, &altered[..]);
    let mended = carried.and_then(|carried| {
        // a row that its own packet bears was not altered: then it is what the centre says that has changed (D9)
        let (lost, _) = tx.received_unlike(centre, &altered, &carried.last)?;
        let mut borne = Borne::default();
        for (kind, key) in lost.iter().filter(|(_, row)| row.is_some()).map(|(of, _)| *of) {
            // a row that nobody can read proves nothing
            let known = match tx.known(centre, kind, key) {
                Ok(Some(known)) => known,
                Ok(None) | Err(DatabaseError::Damaged { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let row = known.edition();
            let is_carried = carried.last[&(kind, key)].0 == row;
            if !is_carried && borne.row(context, tx, centre, (kind, key))?.is_none() {
                return Err(DatabaseError::Damaged { table: "received", column: "version" }.into());
            }
        }
        tx.attempt(|| take_again(context, tx, centre, (&carried, known), now))
    });
    if let Err(error) = mended {
        tracing::warn!(centre = %centre, "the archive does not say what differs; the centre is asked: {error}");
        return Ok(false);
    }
    streams.received = told;
    tx.set_streams(centre, streams)?;
    journal(tx, context.code, "received.mended", centre.as_str(), "", &[], now)?;
    tx.close_incidents(centre, DIVERGED, &now.to_string())?;
    Ok(true)
}

/// Of the records of `centre` that were found to differ: a row that the packet which it names does not bear proves nothing against
/// the centre. It says again what that packet bears, or the newest in the archive that has its record; of what is in none the
/// centre's next word counts.
///
/// # Errors
/// The database.
pub(in crate::edges) fn forget_unproven(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    differing: &[Difference],
    now: Timestamp,
) -> Result<(), HubError> {
    let (mut borne, mut unproven) = (Borne::default(), Vec::new());
    for one in differing.iter().filter(|one| one.own.is_some()) {
        unproven.extend(borne.row(context, tx, centre, (one.kind, one.key))?);
    }
    if unproven.is_empty() {
        return Ok(());
    }
    put_back_or_forget(context, tx, centre, &unproven, now)?;
    let mut streams = tx.streams(centre)?;
    streams.received = ranges::sum_of(tx, centre)?;
    Ok(tx.set_streams(centre, &streams)?)
}

/// Puts the rows `ids` back from the packets that they name, or from the newest in the archive that has their records. The version of
/// those that are in none is forgotten.
fn put_back_or_forget(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    ids: &[ClaimId],
    now: Timestamp,
) -> Result<(), HubError> {
    let mut lost: BTreeMap<(Kind, RecordId), (ClaimId, String)> = BTreeMap::new();
    let mut forgotten = Vec::new();
    for id in ids {
        match (tx.name_of(*id), tx.came_in(*id)?) {
            (Ok(Some((_, kind, key))), Some(packet)) => drop(lost.insert((kind, key), (*id, packet))),
            (Ok(_) | Err(DatabaseError::Damaged { .. }), _) => forgotten.push(*id),
            (Err(error), _) => return Err(error.into()),
        }
    }
    let mut packets = tx.applied_from(centre)?;
    // the newest first; the one that a row names is asked before all
    packets.reverse();
    let named: BTreeSet<String> = lost.values().map(|(_, packet)| packet.clone()).collect();
    let mut found: BTreeMap<(Kind, RecordId), (Record, String)> = BTreeMap::new();
    for (name, is_named) in named.iter().map(|one| (one, true)).chain(packets.iter().map(|one| (one, false)))
    {
        if found.len() == lost.len() {
            break;
        }
        let read = for_each(context, centre, name, &mut |record, _| {
            let of = (record.kind, record.key);
            let is_it = |(_, packet): &(ClaimId, String)| !is_named || packet == name;
            if lost.get(&of).is_some_and(is_it) && !found.contains_key(&of) {
                found.insert(of, (record, name.clone()));
            }
            Ok(())
        });
        if let Err(error) = read {
            tracing::warn!(centre = %centre, file = name, "not read for what was altered: {error}");
        }
    }
    let mut intake = apply::Intake::new(context, tx, centre, now)?;
    for (of, (id, _)) in &lost {
        match found.get(of) {
            Some((record, packet)) => {
                tx.put_back_received(*id, record, packet)?;
                intake.note_changed(record.kind, *id);
            }
            None => forgotten.push(*id),
        }
    }
    intake.finish()?;
    if !found.is_empty() {
        journal(tx, context.code, "received.mended", centre.as_str(), "", &[], now)?;
    }
    Ok(tx.forget_versions(&forgotten)?)
}

/// What the packets of the epoch of a centre carry, which the archive has.
struct Carried {
    packets: Vec<String>,
    /// The edition of each record that stands, and in which packet it came.
    last: BTreeMap<(Kind, RecordId), (Edition, usize)>,
}

impl Carried {
    fn of(context: &Context, tx: &Tx<'_>, centre: ParticipantCode) -> Result<Self, HubError> {
        let packets = match tx.streams(centre)?.incoming.last {
            Some(at_last) => tx.applied_in(centre, at_last.position.epoch)?,
            None => Vec::new(),
        };
        let mut last: BTreeMap<(Kind, RecordId), (Edition, usize)> = BTreeMap::new();
        for (n, name) in packets.iter().enumerate() {
            for_each(context, centre, name, &mut |record, _| {
                let (of, edition) = ((record.kind, record.key), Edition::of(&record));
                if edition.judge(last.get(&of).map(|(edition, _)| edition)).refusal().is_none() {
                    last.insert(of, (edition, n));
                }
                Ok(())
            })?;
        }
        Ok(Self { packets, last })
    }

    fn sum(&self) -> StateDigest {
        let mut sum = StateDigest::default();
        for ((kind, key), (one, _)) in self.last.iter().filter(|(_, (one, _))| one.form != Form::Tombstone) {
            sum.add(&StateDigest::term(*kind, *key, one.version, one.form, &one.hash));
        }
        sum
    }
}

/// Takes what the rows have lost out of the packets, which carry `all`: a row that is there gets its record back and stands where
/// it stood, one that is gone comes again. The packets must come to the sum `known`.
fn take_again(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (all, (known, altered)): (&Carried, (StateDigest, &[ClaimId])),
    now: Timestamp,
) -> Result<(), HubError> {
    let Carried { packets, last: carried } = all;
    if all.sum() != known {
        let what = io::Error::other("its packets come to another sum");
        return Err(at(&context.paths.archive.join(centre.as_str()))(what));
    }
    let (lost, foreign) = tx.received_unlike(centre, altered, carried)?;
    tx.orphan(&foreign)?;
    let mut intake = apply::Intake::new(context, tx, centre, now)?;
    for (n, name) in packets.iter().enumerate() {
        if !lost.keys().any(|of| carried[of].1 == n) {
            continue;
        }
        for_each(context, centre, name, &mut |record, flaw| {
            let of = (record.kind, record.key);
            let Some(row) = lost.get(&of).filter(|_| carried[&of] == (Edition::of(&record), n)) else {
                return Ok(());
            };
            match row {
                Some(id) => {
                    tx.put_back_received(*id, &record, name)?;
                    intake.note_changed(record.kind, *id);
                    Ok(())
                }
                None => intake.lost(name, record, flaw.as_ref()),
            }
        })?;
    }
    intake.finish()?;
    let gone = lost.iter().filter(|(_, row)| row.is_none());
    for ((kind, key), _) in gone {
        // a rebuild takes it as it came at first
        tx.note_outcomes(tx.known(centre, *kind, *key)?.map(|known| known.id).into_iter())?;
    }
    if ranges::sum_of(tx, centre)? == known {
        return Ok(());
    }
    Err(DatabaseError::Damaged { table: "received", column: "sha256" }.into())
}

/// Hands over the records of the packet `name`, with what is wrong in their lines.
fn for_each(
    context: &Context,
    centre: ParticipantCode,
    name: &str,
    each: &mut dyn FnMut(Record, Option<LineError>) -> Result<(), HubError>,
) -> Result<(), HubError> {
    let file: FileName = name.parse().map_err(PacketError::from)?;
    let mut packet = open::open(context, &context.paths.archived(centre, name), &file)?;
    let mut checked = packet.check_while_reading();
    let members: Vec<MemberName> = checked.manifest().members.iter().map(|one| one.name.clone()).collect();
    for member in members.iter().filter(|member| member.mirrored().is_none()) {
        let Some(kind) = member.kind().and_then(|kind| kind.parse::<Kind>().ok()) else { continue };
        checked.for_each_line::<HubError>(member, |line| {
            let (record, flaw) = Record::read_line(kind, line).map_err(|_| PacketError::Line {
                member: member.to_string(),
                line: 0,
                problem: "its key, version or form cannot be read",
            })?;
            each(record, flaw)
        })?;
    }
    Ok(())
}
