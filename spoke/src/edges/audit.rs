//! Whether the database is as the hub and we have left it, and putting it right (exchange §8, D10).

use std::path::{Path, PathBuf};

use exchange_endpoint::{
    config::Config,
    journal_table::CENTRE_TABLE,
    key_ring::KeyRing,
    keys::OwnKeys,
    watermark::{Stream, Watermark},
};
use exchange_format::{
    answer::SnapshotCause,
    error::PacketError,
    file_name::FileName,
    journal::Tree,
    participant::ParticipantCode,
    position::{Digest, Position},
    record::Record,
    seal::OpenError,
    state_digest::StateDigest,
    stream::{self, Evidence},
};
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::{
    SpokeError, answers,
    audit_sent::{self, Outcome, SENT, Told},
    config::SpokeConfig,
    load::as_digest,
    packet_file::{self, Desk},
    reopen, requests, reread,
    station::{self, Station, WATERMARK, is_signed, journal, keep_out_stream, new_key},
};
use crate::database::{
    book::{self, InStream},
    bound, foreign, links, removals,
    report::{self, Incident},
    shape,
    sums::{self, Sums},
    tables, unseen,
    verify::{self, Damage, Fault},
    write::{self, Scope},
};

/// What an audit found and did.
#[derive(Debug, Default, Serialize)]
pub struct Audit {
    /// Nothing was wrong.
    pub whole: bool,
    /// Publications checked.
    pub publications: u64,
    /// What their sum was compared with.
    pub digest: Proof,
    /// What was wrong when it was looked at.
    pub found: Vec<Damage>,
    /// What is still wrong, if it was to be put right.
    pub left: Vec<Damage>,
    /// Whether anything was put right.
    pub restored: bool,
    /// Incidents that are open, of whatever cause.
    pub incidents: Vec<Incident>,
}

/// The code of an incident: somebody has altered the database past the locks.
pub(super) const TAMPERED: &str = "TAMPERED";

/// The code of an incident: rows stand in another table and found no place in theirs. It ends when that table is gone.
const BESIDE: &str = "ROWS_BESIDE";

/// What the sum of all publications was compared with.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Proof {
    /// `signed`: with the manifest that the hub signed; `kept`: only with what the database keeps of it, which
    /// nobody signed; `none`: with nothing.
    pub proven: &'static str,
    /// The packet of that manifest.
    pub packet: Option<String>,
    /// Why no more is proven.
    pub why: Option<String>,
}

/// With what the whole is compared.
struct Measure<'a> {
    own: ParticipantCode,
    hub: ParticipantCode,
    keys: KeyRing,
    /// Of the watermark file.
    marks: stream::Watermark,
    journal: Tree,
    /// What opens the archived packets.
    desk: Option<Desk<'a>>,
    /// Where a file that the database names is.
    file: &'a dyn Fn(&str) -> PathBuf,
}

/// Looks at the whole database as any program may that can read it, the archive and the keys.
///
/// # Errors
/// SQLite's, the configuration. What is found is no error.
pub fn look_only(config: &Config<SpokeConfig>, connection: &Connection) -> Result<Audit, SpokeError> {
    // before the database: a daemon beside raises it after what it has committed
    let watermark = Watermark::open(&config.path(&config.keys).join(WATERMARK))?;
    let snapshot = connection.unchecked_transaction()?;
    look_at_once(config, &snapshot, &watermark)
}

fn look_at_once(
    config: &Config<SpokeConfig>,
    connection: &Connection,
    watermark: &Watermark,
) -> Result<Audit, SpokeError> {
    if !unseen::is_sound(connection)? {
        let found = vec![Damage::new(Fault::DatabaseDamaged, "centre.db", "")];
        let why = Some("the file is damaged".to_owned());
        let digest = Proof { proven: "none", packet: None, why };
        return Ok(Audit { left: found.clone(), found, digest, ..Audit::default() });
    }
    let hub_keys = station::hub_keys(config)?;
    let keys = OwnKeys::load(&config.path(&config.keys), config.code);
    let limits = config.limits.limits();
    let measure = Measure {
        own: config.code,
        hub: config.hub,
        keys: hub_keys.clone(),
        marks: stream::Watermark {
            sealed: watermark.get(config.hub, Stream::Sealed),
            applied: watermark.get(config.hub, Stream::Applied),
        },
        journal: watermark.journal().clone(),
        desk: keys.as_ref().ok().map(|keys| Desk::new(config, keys, &hub_keys, &limits)),
        file: &|name| config.path(Path::new(name)),
    };
    let (found, publications, digest) = look(connection, &measure)?;
    let (whole, left) = (found.is_empty(), found.clone());
    let blind = found.iter().any(shape::blinds);
    let incidents = if blind { Vec::new() } else { report::incidents(connection)? };
    Ok(Audit { whole, publications, digest, found, left, restored: false, incidents })
}

fn look(connection: &Connection, measure: &Measure<'_>) -> Result<(Vec<Damage>, u64, Proof), SpokeError> {
    let (own, hub) = (measure.own, measure.hub);
    // The tables themselves come first: without them nothing can be read.
    let blind = shape::check(connection)?.iter().any(shape::blinds);
    let stream = if blind { InStream::default() } else { book::in_stream(connection, hub)? };
    let epoch = stream.machine.last.map(|mark| mark.position.epoch.get());
    let signed = |record: &Record| is_signed(&measure.keys, own, record);
    let look = verify::look(connection, epoch, measure.journal.size(), &signed)?;
    let mut damages = look.damages;
    if look.blind {
        let why = Some("tables are missing or altered".to_owned());
        return Ok((damages, 0, Proof { proven: "none", packet: None, why }));
    }
    let (proof, told) = proof(connection, measure, &stream)?;
    if told.is_some_and(|told| told != look.digest) {
        damages.push(Damage::new(Fault::DigestDiffers, "svod_publication", ""));
    }
    if proof.proven == "signed" && told != kept(&stream) {
        let column = vec!["told_digest".to_owned()];
        damages.push(Damage::new(Fault::DigestDiffers, "svod_stream", "").of_columns(column));
    }
    let out = book::out_stream(connection, hub)?;
    let database = stream::Watermark {
        sealed: out.machine.last.map(|mark| mark.position),
        applied: stream.machine.last.map(|mark| mark.position),
    };
    let place = |position: Position| (position.epoch.get(), u64::from(position.seq.get()));
    damages.extend(unseen::check_packets(
        connection,
        [("out", database.sealed.map(place)), ("in", database.applied.map(place))],
    )?);
    let is_older = Station::behind(connection, hub, &measure.marks)?.is_some();
    if is_older {
        damages.push(Damage::new(Fault::BehindWatermark, "svod_stream", ""));
    }
    let cut = check_journal(&measure.journal, look.journal.as_ref(), is_older);
    let told = look.journal.as_ref().filter(|_| cut.is_none());
    let told = told.map(|_| Told { sums: look.sums, sealed: look.sealed });
    damages.extend(cut.map(|fault| Damage::new(fault, CENTRE_TABLE, "")));
    damages.extend(audit_sent::check(connection, &out, told.as_ref())?);
    Ok((damages, look.publications, proof))
}

/// Whether the journal `found`, which is sound in itself, begins as the watermark `knows`. In an older database it is
/// older too.
fn check_journal(knows: &Tree, found: Option<&Tree>, is_older: bool) -> Option<Fault> {
    match found {
        Some(found) if found.size() < knows.size() => (!is_older).then_some(Fault::JournalCut),
        Some(found) => (found != knows).then_some(Fault::JournalAltered),
        None => None,
    }
}

fn kept(stream: &InStream) -> Option<StateDigest> {
    stream.told.and_then(|digest| digest.to_string().parse().ok())
}

/// The sum that the hub last told, from the archived packet that it signed if that can be read.
fn proof(
    connection: &Connection,
    measure: &Measure<'_>,
    stream: &InStream,
) -> Result<(Proof, Option<StateDigest>), SpokeError> {
    let Some(last) = stream.machine.last else {
        let why = Some("nothing has come from the hub".to_owned());
        return Ok((Proof { proven: "none", packet: None, why }, None));
    };
    let files = book::received(connection, measure.hub, last.position.epoch, None)?;
    let file = files
        .into_iter()
        .filter(|file| file.state == "APPLIED")
        .max_by_key(|file| file.arrival.mark.position);
    let only_kept = |packet, why: &str| {
        let proof = Proof { proven: "kept", packet, why: Some(why.to_owned()) };
        Ok((proof, kept(stream)))
    };
    let Some(file) = file else { return only_kept(None, "no packet is noted as applied") };
    let Some(desk) = &measure.desk else {
        return only_kept(Some(file.name), "the keys that open the archived packet cannot be read");
    };
    let path = (measure.file)(&file.file);
    if !path.exists() {
        return only_kept(Some(file.name), "the packet is gone from the archive");
    }
    let opened = file.name.parse::<FileName>().map_err(PacketError::Name);
    let opened = opened.and_then(|name| desk.open(&path, &name));
    if let Err(PacketError::Open(OpenError::NoIdentityMatches { .. })) = opened {
        return only_kept(Some(file.name), "no key here opens the archived packet");
    }
    let Some(mut verified) = opened.ok().filter(|verified| verified.mark() == file.arrival.mark) else {
        return only_kept(Some(file.name), "the archived file is not the packet that was applied");
    };
    let told = verified.check_while_reading().manifest().header.state_digest;
    if told.is_none() {
        return only_kept(Some(file.name), "the packet states no sum");
    }
    Ok((Proof { proven: "signed", packet: Some(file.name), why: None }, told))
}

fn look_at(station: &mut Station) -> Result<(Vec<Damage>, u64, Proof), SpokeError> {
    with_measure(station, |connection, measure| {
        // of one state, whatever others write meanwhile
        look(&*connection.unchecked_transaction()?, measure)
    })
}

/// What a running centre is measured by.
fn with_measure<T>(station: &mut Station, work: impl FnOnce(&Connection, &Measure<'_>) -> T) -> T {
    let (own, hub, marks) = (station.own(), station.hub(), station.marks());
    let keys = station.hub_keys.clone();
    let journal = station.watermark.journal().clone();
    let directory = station.file("");
    let file = |name: &str| directory.join(name);
    let (connection, desk) = packet_file::apart(station);
    work(connection, &Measure { own, hub, keys, marks, journal, desk: Some(desk), file: &file })
}

/// Whether the tables are there to be looked at.
///
/// # Errors
/// SQLite's.
pub fn is_readable(station: &Station) -> Result<bool, SpokeError> {
    Ok(!shape::check(&station.connection)?.iter().any(shape::blinds))
}

/// Looks; puts right what is wrong, if it is to, with an entry in the journal and an incident, which closes when
/// another look finds the place whole.
///
/// # Errors
/// The database.
pub fn audit(station: &mut Station, restore: bool, now: Timestamp) -> Result<Audit, SpokeError> {
    let (found, publications, digest) = look_at(station)?;
    let (whole, left) = (found.is_empty(), found.clone());
    let mut audit = Audit { whole, publications, digest, found, left, ..Audit::default() };
    if restore && !whole {
        put_right(station, &mut audit, now)?;
    }
    if !audit.left.iter().any(shape::blinds) {
        if restore {
            close_incidents(station, &audit, now)?;
        }
        audit.incidents = report::incidents(&station.connection)?;
    }
    Ok(audit)
}

fn put_right(station: &mut Station, audit: &mut Audit, now: Timestamp) -> Result<(), SpokeError> {
    for damage in &audit.found {
        tracing::error!(fault = ?damage.fault, table = damage.table, "the database was altered");
    }
    let mut wrong = audit.found.clone();
    if wrong.iter().any(shape::is_of_tables) {
        let beside = shape::mend(&mut station.connection)?;
        wrong = look_at(station)?.0;
        if wrong.iter().any(shape::blinds) {
            audit.left = wrong;
            return Ok(());
        }
        note_seen(&mut audit.found, &wrong);
        write::write(&mut station.connection, Scope::Book, |transaction| {
            let mut opened =
                beside.iter().map(|table| book::open_incident(transaction, BESIDE, table, "", now));
            opened.try_for_each(|one| one.map(drop))
        })?;
    }
    if wrong.iter().any(|damage| damage.table == links::TABLE) {
        // rows are judged by the links
        let (connection, _) = packet_file::apart(station);
        write::write(connection, Scope::Book, |transaction| links::rebuild(transaction))?;
        wrong = look_at(station)?.0;
        note_seen(&mut audit.found, &wrong);
    }
    if wrong.iter().any(bound::is_unbound) {
        // no sum proves which record a row is: what it shows does
        let (connection, _) = packet_file::apart(station);
        write::write(connection, Scope::Book, |transaction| bound::settle_keys(transaction))?;
        wrong = look_at(station)?.0;
        note_seen(&mut audit.found, &wrong);
    }
    let missing = |damage: &Damage| {
        matches!(damage.fault, Fault::DigestDiffers | Fault::PublicationForged | Fault::RecordForged)
    };
    let (connection, _) = packet_file::apart(station);
    write::write(connection, Scope::Everything, |transaction| foreign::remove_unreadable(transaction))?;
    if wrong.iter().any(missing) {
        // What the hub has signed comes first: rows are then judged by it.
        reread::read_again(station, now)?;
        wrong = look_at(station)?.0;
    }
    restore(station, &wrong, &audit.found, now)?;
    if audit_sent::judge(&wrong) == Outcome::SayAllAgain {
        reopen::say_all_again(station, now)?;
    }
    audit.restored = true;
    (audit.left, audit.publications, audit.digest) = look_at(station)?;
    let later: Vec<Damage> = audit.left.iter().filter(|one| !audit.found.contains(one)).cloned().collect();
    if !later.is_empty() && !later.iter().any(shape::blinds) {
        // what looked right beside what was wrong
        restore(station, &later, &later, now)?;
        audit.found.extend(later);
        (audit.left, audit.publications, audit.digest) = look_at(station)?;
    }
    if audit.left.iter().any(|damage| damage.fault == Fault::EvidenceMissing && damage.table == SENT) {
        // nobody here can prove what it said: the hub has it
        let timing = station.config.exchange.timing();
        let (connection, desk) = packet_file::apart(station);
        write::write(connection, Scope::Book, |transaction| {
            requests::want_snapshot(transaction, &desk, &timing, SnapshotCause::Altered, now)
        })?;
    }
    Ok(())
}

/// Puts right what is `wrong`, and tells what was `found`.
fn restore(
    station: &mut Station,
    wrong: &[Damage],
    found: &[Damage],
    now: Timestamp,
) -> Result<(), SpokeError> {
    let (own, hub) = (station.own(), station.hub());
    let told = signed_sum(station)?;
    let (connection, _) = packet_file::apart(station);
    write::make_anew(connection, |transaction| {
        verify::restore(transaction, wrong, now, &mut new_key)?;
        write::restore_journal_triggers(transaction)?;
        if let Some(told) = told {
            let mut stream = book::in_stream(transaction, hub)?;
            stream.told = Some(told);
            book::set_in_stream(transaction, hub, &stream)?;
        }
        // in one step with what hides the reason
        let gone = audit_sent::judge(wrong) == Outcome::Gone;
        if gone {
            answers::stop_restored(transaction, (own, hub), &Evidence::SentGone, now)?;
        }
        if wrong.iter().any(|damage| damage.table == SENT || damage.fault == Fault::SentDiffers) {
            // what is lost is sent again as another version, in the place of nothing
            let mut stream = book::out_stream(transaction, hub)?;
            Sums { state: stream.state, kept: stream.kept } = sums::of_sent(transaction)?;
            keep_out_stream(transaction, own, hub, &stream, now)?;
        }
        if let Some(untold) = bound::untold(transaction)? {
            journal(transaction, own, now, bound::BOUND, hub.as_str(), "", &[untold])?;
        }
        super::removals::hold_unseen(transaction, own, now)?;
        // of a database that is behind its watermark RESTORED tells
        let restored = book::out_stream(transaction, hub)?.machine.stop == Some(stream::Stop::Restored);
        for damage in found.iter().filter(|one| !(restored && one.fault == Fault::BehindWatermark)) {
            let fault = fault_code(damage.fault);
            // A centre's own row ids may be anything; the journal takes a digest of them.
            let id = Digest::of(damage.id.as_bytes()).prefix();
            let place = format!("{} {id}", plain(&damage.table));
            if book::open_incident(transaction, TAMPERED, &subject(damage), &fault, now)? {
                journal(transaction, own, now, "database.altered", &place, &fault, &[])?;
            }
        }
        Ok::<_, SpokeError>(Some(()))
    })?;
    station.raise_journal()
}

/// Adds to `found` what could not be seen before other things were put right.
fn note_seen(found: &mut Vec<Damage>, wrong: &[Damage]) {
    let seen: Vec<Damage> = wrong.iter().filter(|damage| !found.contains(damage)).cloned().collect();
    found.extend(seen);
}

/// Closes the incidents whose place is whole again: another harm there is another incident.
fn close_incidents(station: &mut Station, audit: &Audit, now: Timestamp) -> Result<(), SpokeError> {
    let still = |one: &Incident| {
        audit
            .left
            .iter()
            .any(|damage| subject(damage) == one.subject && fault_code(damage.fault) == one.detail)
    };
    let waits = |one: &Incident| {
        // no longer wrong, and not right again: a person has to say what became of the row
        let table = one.subject.split(' ').next().and_then(tables::table);
        let is_gone = one.detail == fault_code(Fault::NotCaptured);
        table
            .filter(|_| is_gone)
            .map_or(Ok(false), |table| removals::waits_unseen(&station.connection, table))
    };
    let mut over = Vec::new();
    for one in report::incidents(&station.connection)? {
        if match one.code.as_str() {
            TAMPERED => !still(&one) && !waits(&one)?,
            BESIDE => !station.connection.table_exists(None, one.subject.as_str())?,
            _ => false,
        } {
            over.push(one);
        }
    }
    if over.is_empty() {
        return Ok(());
    }
    let how = if audit.restored { "restored" } else { "found whole" };
    let own = station.own();
    write::write(&mut station.connection, Scope::Book, |transaction| {
        for one in &over {
            book::close_incident(transaction, &one.code, &one.subject, &one.detail, how, now)?;
            let place = format!("incident {}", one.n);
            journal(transaction, own, now, "database.restored", &place, &one.detail, &[])?;
        }
        Ok(())
    })
}

/// The sum that the hub signed last, if it can be read from the archive.
fn signed_sum(station: &mut Station) -> Result<Option<Digest>, SpokeError> {
    let stream = book::in_stream(&station.connection, station.hub())?;
    let (proof, told) = with_measure(station, |connection, measure| proof(connection, measure, &stream))?;
    Ok(told.filter(|_| proof.proven == "signed").map(|told| as_digest(&told)))
}

fn subject(damage: &Damage) -> String {
    plain(format!("{} {}", damage.table, damage.id).trim_end()).chars().take(90).collect()
}

/// `text` on one line, whatever somebody has put there.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The word of a fault, as in JSON.
pub fn fault_code(fault: Fault) -> String {
    serde_json::to_value(fault).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
