//! After a restore (exchange §7): the daemon asks the hub for a snapshot; when it has come, `resync` shows how what the hub has
//! of this centre differs from what stands here; when a person has confirmed, the daemon takes back what was lost, opens a
//! new epoch, and goes on. What the hub publishes is shown as it comes: that is the hub's to say.

mod unreadable;

pub(super) use unreadable::renew;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    config::Config,
    durable_file,
    journal_table::{self, BEGUN_AGAIN, CENTRE_TABLE},
    key_ring::KeyRing,
    keys::OwnKeys,
    messages,
    protocol::{Kind as ProtocolKind, Line, Protocol},
};
use exchange_format::{
    answer::SnapshotCause,
    error::PacketError,
    file_name::FileName,
    packet::{Limits, manifest::SnapshotBasis},
    position::{Digest, Epoch, Position},
    record::{Record, RecordId},
    stream::{Lack, Stop},
};
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::{
    SpokeError,
    config::SpokeConfig,
    difference::{Difference, DifferenceTable},
    load::mirrored,
    packet_file::{self, Desk},
    reopen, requests,
    station::{self, Station, journal, new_key, put_protocol},
};
use crate::database::{
    self, book,
    returned::{self, What},
    write::{self, Scope},
};

/// The fact of `svod_meta` that a person has confirmed: the digest of the snapshot, and which of two stands.
const CONFIRMED: &str = "resync";
/// So many of the records that have moved apart, and of all that differ, are listed.
const LISTED: usize = 1000;

/// Which stands of a record that has moved apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// What stands here: the hub is told it as a newer version
    Mine,
    /// What the hub has: what stands here is gone
    Theirs,
}

impl Keep {
    const fn word(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Theirs => "theirs",
        }
    }
}

/// A record that has moved apart.
#[derive(Debug, Clone, Serialize)]
pub struct Conflict {
    /// Its table.
    pub table: &'static str,
    /// Its row; none if it was deleted here.
    pub id: Option<String>,
    /// Its record.
    pub key: String,
}

/// How a recovery stands.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Standing {
    /// Why data are stopped, if they are.
    pub stopped: Option<String>,
    /// `none`: nothing is to be done · `asked`: the hub's snapshot has not come · `ready`: it is to be confirmed ·
    /// `confirmed`: the daemon does it.
    pub stage: &'static str,
    /// The digest of the snapshot that this database is compared with.
    pub snapshot: Option<String>,
    /// A snapshot has come that none of the keys here opens, or that is damaged or gone: the daemon asks for another.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
    /// Records that differ, by table and what becomes of them.
    pub records: BTreeMap<&'static str, BTreeMap<What, u64>>,
    /// Records that have moved apart; the first of them are listed.
    pub moved: u64,
    /// The list.
    pub conflicts: Vec<Conflict>,
    /// All records that differ; the first of them are listed.
    pub differences: Vec<Difference>,
    /// Packets in the spool that the lost database has sent, of which neither side knows any more.
    pub unknown: Vec<String>,
    /// The file in which all of them stand, with their values, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// The hub's snapshot with which this database is compared.
struct Compared {
    digest: Digest,
    /// Our last packet that the hub had applied.
    ack: Option<Position>,
    parts: Vec<book::Received>,
}

fn compared(connection: &Connection, desk: &Desk<'_>) -> Result<Option<Compared>, SpokeError> {
    let Some(epoch) = requests::of(connection).compared_with(desk.hub)? else { return Ok(None) };
    let parts: Vec<book::Received> = book::received(connection, desk.hub, epoch, None)?
        .into_iter()
        .filter(|file| file.arrival.part.is_some() && file.state == "APPLIED")
        .collect();
    let last = parts.last().map(|file| file.arrival.mark.digest);
    Ok(last.map(|digest| Compared { digest, ack: None, parts }))
}

/// What is done with a record of the mirror.
type Each<'a> = dyn FnMut(&Record, Option<Position>) -> Result<(), SpokeError> + 'a;

/// Hands every record of ours that the hub has to `each`, with our last packet that it had applied.
fn for_each_mirrored(
    config: &Config<SpokeConfig>,
    desk: &Desk<'_>,
    compared: &mut Compared,
    each: &mut Each<'_>,
) -> Result<(), SpokeError> {
    for file in &compared.parts {
        let name: FileName = file.name.parse().map_err(PacketError::Name)?;
        let mut opened = desk.open(&config.path(Path::new(&file.file)), &name)?;
        let ack = opened.manifest().header.control.ack.map(|ack| ack.position);
        compared.ack = compared.ack.max(ack);
        let mut checked = opened.check_members()?;
        for member in checked.manifest().members.clone() {
            let Some(kind) = mirrored(&member.name) else { continue };
            checked.for_each_line::<SpokeError>(&member.name, |line| {
                let Ok(record) = Record::parse_line(kind, line) else { return Ok(()) };
                each(&record, ack)
            })?;
        }
    }
    Ok(())
}

/// Is told of each record that differs.
pub type Tell<'a> = dyn FnMut(&Difference) -> Result<(), SpokeError> + 'a;

fn difference(found: &returned::Differs, key: RecordId, values: Vec<returned::Value>) -> Difference {
    let fields = values.iter().map(|value| value.column.clone()).collect();
    let (table, what, id, key) = (found.table, found.what, found.id.clone(), key.to_string());
    Difference { table, id, key, what, fields, values }
}

/// Compares this database with the snapshot that has come.
fn compare(
    connection: &Connection,
    config: &Config<SpokeConfig>,
    desk: &Desk<'_>,
    of: &mut Compared,
    tell: &mut Tell<'_>,
) -> Result<Standing, SpokeError> {
    let mut standing = Standing { snapshot: Some(of.digest.to_string()), ..Standing::default() };
    let mut known = BTreeSet::new();
    for_each_mirrored(config, desk, of, &mut |record, ack| {
        known.insert((record.kind, record.key));
        let Some(found) = returned::differs(connection, record, ack)? else { return Ok(()) };
        let values = returned::values(connection, record, &found)?;
        let one = difference(&found, record.key, values);
        tell(&one)?;
        standing.count(one);
        if found.what == What::Moved {
            standing.moved += 1;
            if standing.conflicts.len() < LISTED {
                let key = record.key.to_string();
                standing.conflicts.push(Conflict { table: found.table, id: found.id, key });
            }
        }
        Ok(())
    })?;
    for (found, key) in returned::unknown_there(connection, &known)? {
        let one = difference(&found, key, Vec::new());
        tell(&one)?;
        standing.count(one);
    }
    standing.unknown = unknown_packets(connection, config, of.ack)?;
    Ok(standing)
}

/// The numbered packets of ours in the spool that this database does not know, and that the hub had not applied either, `ack` being the
/// last that it had; in order.
fn unknown_packets(
    connection: &Connection,
    config: &Config<SpokeConfig>,
    ack: Option<Position>,
) -> Result<Vec<String>, SpokeError> {
    let (spool, mut found) = (config.path(&config.spool), Vec::new());
    for entry in fs::read_dir(&spool).map_err(SpokeError::io(&spool))? {
        let text = entry.map_err(SpokeError::io(&spool))?.file_name().to_string_lossy().into_owned();
        let Ok(name) = text.parse::<FileName>() else { continue };
        let is_ours = name.kind.is_numbered() && name.from == config.code && Some(name.position) > ack;
        if is_ours && !book::is_out_packet(connection, &text)? {
            found.push((name.position, text));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, text)| text).collect())
}

impl Standing {
    fn count(&mut self, one: Difference) {
        *self.records.entry(one.table).or_default().entry(one.what).or_default() += 1;
        if self.differences.len() < LISTED {
            self.differences.push(one);
        }
    }

    /// How many records differ.
    pub fn differing(&self) -> u64 {
        self.records.values().flat_map(BTreeMap::values).sum()
    }
}

/// How the recovery stands, and what it would change: `tell` is told of each record.
///
/// # Errors
/// The database, the keys, or the archive.
pub fn look(
    config: &Config<SpokeConfig>,
    connection: &Connection,
    tell: &mut Tell<'_>,
) -> Result<Standing, SpokeError> {
    let (keys, hub_keys, limits) = files(config)?;
    let desk = Desk::new(config, &keys, &hub_keys, &limits);
    let snapshot = connection.unchecked_transaction()?;
    let stop = book::out_stream(&snapshot, config.hub)?.machine.stop;
    let mut standing = match compared(&snapshot, &desk)?.filter(|_| stop == Some(Stop::Restored)) {
        Some(of) if unreadable::cannot_be_opened(config, &desk, &of)? => {
            Standing { unreadable: true, ..Standing::default() }
        }
        Some(mut of) => compare(&snapshot, config, &desk, &mut of, tell)?,
        None => Standing::default(),
    };
    standing.stopped = stop.map(|stop| stop.to_string());
    let confirmed = confirmed(&snapshot)?.map(|(digest, _)| digest);
    standing.stage = match (stop, &standing.snapshot) {
        (Some(Stop::Restored), None) => "asked",
        (Some(Stop::Restored), Some(digest)) if confirmed.as_ref() == Some(digest) => "confirmed",
        (Some(Stop::Restored), Some(_)) => "ready",
        (Some(Stop::Clone) | None, _) => "none",
    };
    Ok(standing)
}

fn files(config: &Config<SpokeConfig>) -> Result<(OwnKeys, KeyRing, Limits), SpokeError> {
    let keys = OwnKeys::load(&config.path(&config.keys), config.code)?;
    Ok((keys, station::hub_keys(config)?, config.limits.limits()))
}

/// Whether a person has decided what the daemon takes back.
///
/// # Errors
/// The database.
pub fn is_decided(connection: &Connection) -> Result<bool, SpokeError> {
    Ok(confirmed(connection)?.is_some())
}

fn confirmed(connection: &Connection) -> Result<Option<(String, Option<Keep>)>, SpokeError> {
    let Some(text) = database::read_meta(connection, CONFIRMED)? else { return Ok(None) };
    let (digest, word) = text.split_once(' ').unwrap_or((&text, ""));
    let keep = [Keep::Mine, Keep::Theirs].into_iter().find(|keep| keep.word() == word);
    Ok(Some((digest.to_owned(), keep)))
}

/// A person has seen how this database differs from the snapshot `digest`: the daemon goes on.
///
/// # Errors
/// The database.
pub fn confirm(
    connection: &mut Connection,
    own: exchange_format::participant::ParticipantCode,
    digest: &str,
    keep: Option<Keep>,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let word = keep.map_or("", Keep::word);
    write::write(connection, Scope::Book, |transaction| {
        book::set_fact(transaction, CONFIRMED, Some(&format!("{digest} {word}")))?;
        journal(transaction, own, now, "resync.confirmed", own.as_str(), word, &[])
    })
}

/// Asks the hub for the snapshot with which a restored database is compared, unless it has come or is asked for.
pub(super) fn ask(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    let hub = station.hub();
    if book::out_stream(&station.connection, hub)?.machine.stop != Some(Stop::Restored)
        || requests::of(&station.connection).compared_with(hub)?.is_some()
    {
        return Ok(());
    }
    let in_force = requests::of(&station.connection).in_force(hub)?;
    let whole = |lack| matches!(lack, Lack::Snapshot(_) | Lack::Ranges(_));
    if in_force.iter().any(|one| one.asked.lack == Lack::Snapshot(SnapshotCause::Restored)) {
        return Ok(());
    }
    let timing = station.config.exchange.timing();
    let spool = station.spool();
    durable_file::make_directories(&spool).map_err(SpokeError::io(&spool))?;
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        for one in in_force.iter().filter(|one| whole(one.asked.lack)) {
            requests::end(transaction, &desk, one.asked.id, now)?;
        }
        requests::want_snapshot(transaction, &desk, &timing, SnapshotCause::Restored, now)
    })
}

/// Takes back what was lost, if a person has confirmed that, and opens the epoch in which the stream goes on. Which; `None` if
/// there is nothing to be done, or not yet.
pub(super) fn carry_out(station: &mut Station, now: Timestamp) -> Result<Option<Epoch>, SpokeError> {
    let Some((digest, keep)) = confirmed(&station.connection)? else { return Ok(None) };
    let hub = station.hub();
    let stopped = book::out_stream(&station.connection, hub)?.machine.stop == Some(Stop::Restored);
    let spool = station.spool();
    durable_file::make_directories(&spool).map_err(SpokeError::io(&spool))?;
    let (config, known) = (station.config.clone(), station.watermark.journal().clone());
    let (connection, desk) = packet_file::apart(station);
    let opened = write::write(connection, Scope::Everything, |transaction| {
        book::set_fact(transaction, CONFIRMED, None)?;
        let of = compared(transaction, &desk)?.filter(|of| stopped && of.digest.to_string() == digest);
        let Some(mut of) = of else {
            tracing::warn!("what was confirmed is not what has come since; nothing is done");
            return Ok(None);
        };
        let mut lost = Vec::new();
        let standing = compare(transaction, &config, &desk, &mut of, &mut |one| {
            lost.extend(is_listed(one, keep).then(|| one.clone()));
            Ok(())
        })?;
        if standing.moved > 0 && keep.is_none() {
            tracing::warn!(moved = standing.moved, "records have moved apart since; somebody has to choose");
            return Ok(None);
        }
        for name in &standing.unknown {
            journal(transaction, desk.own, now, "packet.unknown", name, "", &[])?;
        }
        tell_lost(transaction, &config, &desk, (&of, &lost), now)?;
        take_back(transaction, &config, &desk, &mut of, keep == Some(Keep::Mine), now)?;
        let basis = SnapshotBasis::Recovered { compared: of.digest };
        let opened = reopen::seal(transaction, &desk, basis, now)?;
        requests::of(transaction).forget_compared(desk.hub)?;
        book::close_incidents(transaction, "RESTORED", "resynced", now)?;
        let rule = keep.map_or("", Keep::word);
        journal(transaction, desk.own, now, "resync.done", desk.hub.as_str(), rule, &[of.digest])?;
        if !journal_table::begins_with(transaction, CENTRE_TABLE, &known)? {
            let size = known.size().to_string();
            journal(transaction, desk.own, now, BEGUN_AGAIN, &size, "", known.frontier())?;
        }
        tracing::info!(epoch = opened.get(), "what was lost is taken back; the exchange goes on");
        Ok::<_, SpokeError>(Some(opened))
    })?;
    station.follow_journal()?;
    station.raise_watermark()?;
    Ok(opened)
}

/// Whether a value that stands here is replaced or dropped, or a row comes back.
fn is_listed(one: &Difference, keep: Option<Keep>) -> bool {
    match one.what {
        What::Back | What::Changed | What::Ended => true,
        What::Moved => keep == Some(Keep::Theirs),
        What::Noted | What::SentAgain => false,
    }
}

/// Lists what is replaced or dropped: by its record and columns in a protocol, with the values in a file beside the database.
fn tell_lost(
    connection: &Connection,
    config: &Config<SpokeConfig>,
    desk: &Desk<'_>,
    (of, lost): (&Compared, &[Difference]),
    now: Timestamp,
) -> Result<(), SpokeError> {
    if lost.is_empty() {
        return Ok(());
    }
    let at = now.strftime("%Y%m%dT%H%M%SZ");
    let file = config.path(&config.database).with_extension(format!("resync-{at}.csv"));
    let mut table = DifferenceTable::begin(&file)?;
    let mut protocol = Protocol::begin(ProtocolKind::Resync, desk.lang, desk.own, Some(desk.hub), now);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for part in &of.parts {
        protocol.file(&part.name, Some(part.arrival.mark.digest), "APPLIED");
    }
    let words = |one: &Difference| {
        let id = one.id.as_deref().unwrap_or("—");
        let args = [("id", id.into()), ("fields", one.fields.join(", ").into())];
        messages::text(desk.lang, "spoke-resync-line", &args)
    };
    for one in lost {
        table.put(one)?;
        let outcome = match one.what {
            What::Back => "new",
            What::Ended => "removed",
            _ => "changed",
        };
        protocol.tell(Line {
            kind: one.table.to_owned(),
            key: one.key.clone(),
            outcome: outcome.to_owned(),
            rule: String::new(),
            reason: String::new(),
            sentence: words(one),
            next: messages::text(desk.lang, "spoke-resync-line-next", &[("file", name.clone().into())]),
            words: None,
        });
    }
    table.finish()?;
    tracing::info!(file = %file.display(), records = lost.len(), "what is replaced or dropped is listed there");
    put_protocol(connection, protocol)
}

fn take_back(
    connection: &Connection,
    config: &Config<SpokeConfig>,
    desk: &Desk<'_>,
    of: &mut Compared,
    keep_own: bool,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let mut key: Box<dyn FnMut() -> RecordId> = Box::new(new_key);
    for_each_mirrored(config, desk, of, &mut |record, ack| {
        let differs = returned::differs(connection, record, ack)?;
        if differs.is_some_and(|one| matches!(one.what, What::Moved | What::Changed | What::Ended)) {
            // what is replaced or dropped is listed, by its key
            let subject = format!("{} {}", record.kind, record.key);
            journal(connection, desk.own, now, "record.resynced", &subject, "", &[record.hash()])?;
        }
        Ok(returned::take_back(connection, record, ack, keep_own, &mut *key)?)
    })
}

/// Whether a snapshot that came names the request that this centre made after a restore: then it is compared with that.
pub(super) fn note_answer(
    connection: &Connection,
    basis: SnapshotBasis,
    epoch: Epoch,
) -> Result<(), SpokeError> {
    if let SnapshotBasis::Requested { request } = basis {
        requests::of(connection).answered_after_restore(request, epoch)?;
    }
    Ok(())
}

/// Whether the snapshot that ends the hub's recovery, compared with `compared`, may be applied: it was compared with the last
/// one that this centre has sent it for that, and nothing of the hub's was applied since.
pub(super) fn accepts_recovered(
    connection: &Connection,
    desk: &Desk<'_>,
    compared: Digest,
) -> Result<bool, SpokeError> {
    let incoming = book::in_stream(connection, desk.hub)?.machine;
    let told = requests::of(connection).told_after_restore(desk.hub)?;
    let answered = match told {
        Some(epoch) => book::last_part(connection, desk.hub, epoch)?,
        None => None,
    };
    Ok(incoming.accepts_recovered(compared, answered))
}
