//! A hub that has lost its database is made again from its archive (exchange §7, Rebuild; ADR 24).
//!
//! [`archive`] every file proven · [`log`] the hub's own stream: what was noted, in its order · [`replay`] which is done again · [`beats`] what was empty ·
//! [`derived`] what follows from that. All in a file beside the place of the database, which takes that place when it is
//! whole: nobody ever finds a half of it, and what was ended on the way is begun anew. Then every stream goes on in a new
//! epoch.

pub(super) mod archive;
mod beats;
mod derived;
mod log;
mod replay;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    archive as kept,
    config::Config,
    durable_file,
    instance::InstanceLock,
    journal_table::{BEGUN_AGAIN, Event},
    keys,
    output::{Exit, Failure},
    protocol::{Kind as ProtocolKind, Protocol, Protocols},
    watermark::Watermark,
};
use exchange_format::{packet::manifest::SnapshotBasis, participant::ParticipantCode, stream::Stop};
use jiff::Timestamp;
use serde::Serialize;

use self::{
    archive::{Archive, Filed},
    beats::Beats,
    log::OwnStream,
    replay::Replay,
};
use super::{
    config::HubConfig,
    failure::file,
    hub::{Context, Hub, HubError, WATERMARK, context_of, open},
    older::judge_watermark,
    operations::copies::stop_all,
    sealing::{data::seal_anew, own},
};
use crate::database::{
    DatabaseError, Store, Tx,
    content::Content,
    noted::{MERGED, WEIGHED},
};

/// Entries that are done in one transaction.
const TOGETHER: u32 = 2000;

/// What is rebuilt from what.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The archive.
    pub from: &'a Path,
    /// The archive key, which opens what was sealed for the centres.
    pub archive_key: Option<&'a Path>,
    /// Who.
    pub actor: &'a str,
}

/// What was rebuilt.
#[derive(Debug, Serialize)]
pub struct Rebuilt {
    /// The database.
    pub database: PathBuf,
    /// The archive.
    pub archive: PathBuf,
    /// Packets of centres that were applied, and that were refused; packets that were sealed for them.
    pub applied: u64,
    /// See `applied`.
    pub refused: u64,
    /// See `applied`.
    pub sealed: u64,
    /// Packets of the hub's own stream, and the inputs in them.
    pub own: u64,
    /// See `own`.
    pub inputs: u64,
    /// Records taken from centres, each time they came.
    pub records: u64,
    /// Persons.
    pub persons: u64,
    /// Files that were proven, and that no packet needed: answers, and what was never taken.
    pub beside: u64,
    /// What the database knows.
    pub content: Content,
    /// The digest of the content as the old hub told it last; the same was found there.
    pub told: Option<String>,
    /// Centres with whom the stream stopped: something was exchanged of which the archive knows nothing.
    pub stopped: Vec<String>,
    /// The number of the protocol.
    pub protocol: Option<u32>,
}

/// Told how far it is: the stage, how many are done, of how many.
pub type Tell<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// Makes the database of the hub that `config` describes again.
pub fn rebuild(
    config: &Config<HubConfig>,
    order: Order<'_>,
    now: Timestamp,
    tell: Tell<'_>,
) -> Result<Rebuilt, Failure> {
    let database = config.path(&config.database);
    let mut lock = InstanceLock::acquire(&database)?;
    if database.exists() {
        return Err(Failure::new(Exit::Refused, "rebuild-exists").told("file", database.display()));
    }
    let watermark = Watermark::open_if_sound(&config.path(&config.keys).join(WATERMARK))?;
    let context = context_of(config, watermark.as_ref().map_or(0, Watermark::issued))?;
    let stage = Stage::beside(&database)?;
    let folder = database.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let archive =
        Archive::new(&context, order.from, archive_key(config, &context, order)?, folder.to_owned());
    let newest = Protocols::open(&config.path(&config.protocols)).map_err(HubError::from)?.reached().1;
    let mut rebuilt = make(&context, &archive, order, (watermark.as_ref(), newest), (&stage, now), tell)?;
    stage.put(&database)?;
    lock.sound();
    rebuilt.database = database;
    follow(config, watermark.is_none().then_some(now))?;
    Ok(rebuilt)
}

/// Key and configuration are there: now everything is done in `stage`.
fn make(
    context: &Context,
    archive: &Archive<'_>,
    order: Order<'_>,
    (watermark, newest): (Option<&Watermark>, u32),
    (stage, now): (&Stage, Timestamp),
    tell: Tell<'_>,
) -> Result<Rebuilt, Failure> {
    let files = archive.files()?;
    let stream = log::read(archive, &files, context.code)?;
    let mut store = Store::create_unnoted(&stage.0)?;
    let inputs = log::put(archive, &stream, &mut store, context.code, tell)?;
    let mut replay = store.read(|tx| {
        let last = (tx.last_change(&[MERGED, WEIGHED])?, tx.last_change(&[super::sealing::noted::CONTENT])?);
        Ok::<_, Failure>(Replay::new(context, archive, last, tx.noted_again()?, now))
    })?;
    again(&mut replay, &mut store, tell)?;
    if let Some((told, found)) = replay.told.as_ref().filter(|(told, found)| *told != found.digest) {
        let failure = Failure::new(Exit::Refused, "rebuild-differs").told("told", told);
        return Err(failure.told("found", found.digest));
    }
    let beside = prove_rest(archive, &files, &replay, &mut store, context.code, tell)?;
    keep_files(context, order.from, &files)?;
    tell("derive", 0, 0);
    let (knows, persons) = store.write(|tx| {
        derived::make(context, tx, &replay, now)?;
        // the files of the lost database's protocols are there: the numbers go on behind them
        tx.clear_protocols((0, newest))?;
        tx.forget_changes(i64::MAX)?;
        Ok::<_, Failure>((tx.content()?, tx.person_count()?))
    })?;
    tell("epochs", 0, 0);
    let mut rebuilt = Rebuilt {
        database: PathBuf::new(),
        archive: order.from.to_owned(),
        applied: replay.counts[0],
        refused: replay.counts[1],
        sealed: replay.counts[2],
        own: stream.packets.len() as u64,
        inputs,
        records: replay.counts[3],
        persons,
        beside,
        told: replay.told.as_ref().map(|(told, _)| told.to_string()),
        content: knows,
        stopped: Vec::new(),
        protocol: None,
    };
    store.write(|tx| {
        tx.begin_noting()?;
        derived::publish(context, tx, now)?;
        rebuilt.stopped = go_on(context, tx, &stream, watermark, (order.actor, &rebuilt.content), now)?;
        rebuilt.protocol = Some(tx.put_protocol(&mut protocol(context, &stream, &rebuilt, order, now))?);
        Ok::<_, Failure>(())
    })?;
    store.close()?;
    Ok(rebuilt)
}

/// Does again what was noted.
fn again(replay: &mut Replay<'_>, store: &mut Store, tell: Tell<'_>) -> Result<(), Failure> {
    // what is noted while this goes on is none of it
    let (mut after, last) = (0, store.read(|tx| tx.last_change(&[]))?);
    while after < last {
        tell("replay", after.unsigned_abs(), last.unsigned_abs());
        store.write(|tx| {
            for (n, entry) in tx.changes_after(after, TOGETHER)?.into_iter().filter(|(n, _)| *n <= last) {
                replay.entry(tx, n, &entry)?;
                after = n;
            }
            Ok::<_, Failure>(())
        })?;
    }
    Ok(())
}

/// Proves the files that nothing was taken from, and takes our answers from them: they are placed again if asked for.
fn prove_rest(
    archive: &Archive<'_>,
    files: &[Filed],
    replay: &Replay<'_>,
    store: &mut Store,
    hub: ParticipantCode,
    tell: Tell<'_>,
) -> Result<u64, Failure> {
    let rest: Vec<&Filed> = files
        .iter()
        .filter(|one| one.peer != hub && !replay.read.contains(&(one.peer, one.text.clone())))
        .collect();
    let (mut done, mut answers, mut beats) = (0, derived::Answers::default(), Beats::default());
    for filed in &rest {
        if done % 500 == 0 {
            tell("prove", done, rest.len() as u64);
        }
        done += 1;
        let packet = match archive.open(filed.peer, &filed.text, None) {
            // one that is missing is made again when it is asked for; so is one that nobody can read
            Err(failure) if !filed.name.kind.is_numbered() && failure.code() == "rebuild-damaged" => {
                tracing::warn!(
                    file = filed.text,
                    "an answer that is damaged; nothing is lost with it: {failure}"
                );
                continue;
            }
            opened => opened?,
        };
        answers.look(filed, &packet);
        beats.look(filed, &packet);
    }
    store.write(|tx| {
        for centre in tx.centres()? {
            // no epoch is opened twice, also none of which a transaction came to nothing
            let sent = files.iter().filter(|one| one.peer == centre.code && one.name.from == hub);
            let mut streams = tx.streams(centre.code)?;
            sent.filter(|one| one.name.kind.is_numbered())
                .for_each(|one| streams.outgoing.told_epoch(one.name.position.epoch));
            tx.set_streams(centre.code, &streams)?;
        }
        let links = (&replay.links[..], &replay.noted);
        let empty = beats.put(tx, archive, links, |digest| answers.has(digest))?;
        answers.put(tx, archive, |digest| replay.noted.contains(digest) || empty.contains(digest))
    })?;
    Ok(done)
}

/// The archive that the hub goes on with has every file.
fn keep_files(context: &Context, from: &Path, files: &[Filed]) -> Result<(), Failure> {
    let to = &context.paths.archive;
    if fs::canonicalize(from).ok() == fs::canonicalize(to).ok() {
        return Ok(());
    }
    for one in files {
        let path = from.join(one.peer.as_str()).join(&one.text);
        let mut source = File::open(&path).map_err(file(&path))?;
        kept::keep(&context.paths.archived(one.peer, &one.text), &mut source).map_err(HubError::from)?;
    }
    Ok(())
}

/// Every stream goes on in a new epoch, but those of which the watermark knows more than the archive; their centres.
fn go_on(
    context: &Context,
    tx: &Tx<'_>,
    stream: &OwnStream,
    watermark: Option<&Watermark>,
    (actor, all): (&str, &Content),
    now: Timestamp,
) -> Result<Vec<String>, Failure> {
    let mut own = tx.streams(context.code)?;
    own.outgoing.last = stream.packets.last().map(|last| last.mark);
    own.outgoing.told_epoch(stream.highest);
    tx.set_streams(context.code, &own)?;
    if let Some(known) = watermark.map(Watermark::journal).filter(|journal| journal.size() > 0) {
        let (size, digests) = (known.size().to_string(), known.frontier());
        tx.journal(&Event { at: now, actor, event: BEGUN_AGAIN, subject: &size, rule: "", digests })?;
    }
    let digests: Vec<_> = [all.digest].into_iter().chain(own.outgoing.last.map(|mark| mark.digest)).collect();
    let subject = context.code.as_str();
    tx.journal(&Event { at: now, actor, event: "hub.rebuilt", subject, rule: "", digests: &digests })?;
    match watermark {
        Some(known) => judge_watermark(tx, known, context.code, now)?,
        None => stop_all(tx, now)?,
    }
    let mut stopped = Vec::new();
    for centre in tx.centres()?.into_iter().filter(|centre| centre.active) {
        let outgoing = tx.streams(centre.code)?.outgoing;
        if outgoing.stop.is_some() {
            stopped.push(centre.code.to_string());
        } else if outgoing.last.is_some() {
            seal_anew(context, tx, centre.code, SnapshotBasis::Initial, now)?;
        }
    }
    if tx.streams(context.code)?.outgoing.stop != Some(Stop::Restored) {
        own::seal_whole(context, tx, now)?;
    }
    Ok(stopped)
}

fn protocol(
    context: &Context,
    stream: &OwnStream,
    rebuilt: &Rebuilt,
    order: Order<'_>,
    now: Timestamp,
) -> Protocol {
    let mut protocol = Protocol::begin(ProtocolKind::Rebuild, context.lang, context.code, None, now);
    protocol.actor = Some(order.actor.to_owned());
    if let Some(last) = stream.packets.last() {
        protocol.packet(&last.text, last.mark.digest, "APPLIED", rebuilt.inputs);
    }
    protocol.count("hub_input", "new", rebuilt.inputs);
    protocol.end();
    protocol
}

/// What opens everything that this hub has sealed: the archive key, where it is said or where it was made.
fn archive_key(
    config: &Config<HubConfig>,
    context: &Context,
    order: Order<'_>,
) -> Result<Vec<exchange_format::seal::Identity>, Failure> {
    let usual = config.path(&config.keys).join(keys::ARCHIVE);
    let path = order.archive_key.map_or(usual, Path::to_owned);
    let wanted = &context.keys.card.content.archive_recipient;
    let lacks = || Failure::new(Exit::Usage, "rebuild-archive-key").told("file", path.display());
    if order.archive_key.is_none() && !path.is_file() {
        return Err(lacks());
    }
    let identities = keys::read_identities(&path)?;
    if identities.iter().any(|one| one.recipient() == *wanted) { Ok(identities) } else { Err(lacks()) }
}

/// The watermark follows the new database, and the protocol gets its files. What is not done is done when the hub starts.
fn follow(config: &Config<HubConfig>, begins: Option<Timestamp>) -> Result<(), Failure> {
    if let Some(now) = begins {
        Watermark::begin_again(&config.path(&config.keys).join(WATERMARK), now)?;
    }
    let mut hub: Hub = open(config)?;
    hub.follow_journal()?;
    let code = hub.context.code;
    for centre in hub.store.read(|tx| tx.centres())? {
        hub.raise_watermark(centre.code)?;
    }
    Ok(hub.raise_watermark(code)?)
}

/// The database that is being made, beside the place where it will stand.
struct Stage(PathBuf);

impl Stage {
    /// Begins anew, whatever was left there.
    fn beside(database: &Path) -> Result<Self, Failure> {
        let stage = Self(named(database, ".rebuilding"));
        stage.clear();
        if stage.0.exists() {
            return Err(DatabaseError::ReadOnly.into());
        }
        Ok(stage)
    }

    fn clear(&self) {
        for suffix in ["", "-wal", "-shm"] {
            // what cannot be removed lies under a name that nothing reads
            let _ = fs::remove_file(named(&self.0, suffix));
        }
    }

    /// Takes the place of the database. The log of the lost one would spoil it.
    fn put(self, database: &Path) -> Result<(), Failure> {
        File::open(&self.0).and_then(|it| it.sync_all()).map_err(file(&self.0))?;
        for suffix in ["-wal", "-shm"] {
            let left = named(database, suffix);
            match fs::remove_file(&left) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file(&left)(error)),
                _ => {}
            }
        }
        fs::rename(&self.0, database).map_err(file(database))?;
        durable_file::sync_directory(database).map_err(file(database))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.clear();
    }
}

fn named(base: &Path, suffix: &str) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
