//! How the exchange stands, read at one moment: each centre, persons, what waits for staff.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    config::Config,
    difference_table::DifferenceTold,
    instance::{DAMAGED, Service},
    keys::OwnKeys,
    no_room::is_full,
    output::Failure,
    overdue::{self, Overdue},
    request_table::OpenRequest,
    trust::Trust,
};
use exchange_format::{
    participant::ParticipantCode,
    stream::{Wait, waits_beyond},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    database::{
        Tx,
        centres::Centre,
        linking::ModelRow,
        status::{Crowd, Kept, LastPacket, Unconfirmed},
        streams::Incident,
    },
    decisions::merge::{Model, candidates::LARGEST},
    edges::{
        config::{HubConfig, StaffConfig},
        hub::{HubError, open_store},
    },
};

/// How the whole stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The hub's code.
    pub code: String,
    /// The daemon, if one may see it.
    pub service: Option<Service>,
    /// What of this could not be read, or not whole, because the file of the database is damaged: names of parts below, or
    /// `database` for all of them.
    pub unreadable: BTreeSet<&'static str>,
    /// Folders of this hub on a disk without room: what centres send finds no place there, or what is kept.
    pub no_room: Vec<PathBuf>,
    /// Entries of the journal.
    pub journal: u64,
    /// Whether an initial load waits for `merge`.
    pub merge_waits: bool,
    /// Records that wait for it.
    pub waiting: u64,
    /// Persons.
    pub persons: u64,
    /// The model by which claims are weighed; before the first merge the one that comes with the program.
    pub model: ModelInForce,
    /// Open questions to staff.
    pub reviews: Vec<ReviewCount>,
    /// Signatures of staff that wait for a second.
    pub signatures: HalfSigned,
    /// Documents that are not published, or not as they are now, by the rule that they break.
    pub faults: BTreeMap<String, u64>,
    /// Inputs not sealed into the hub's own stream.
    pub inputs_unsealed: u64,
    /// Values that so many claims share that these were not compared by them (a number typed to fill a field).
    pub crowds: Vec<Crowd>,
    /// The centres, by code.
    pub centres: Vec<CentreStatus>,
    /// What waits for too long, with the step to take.
    pub overdue: Vec<Overdue>,
    /// What was asked of centres and has not come.
    pub requests: Vec<OpenRequest>,
    /// The first of the records in which the hub's picture of a stream differs from its sender's, while it does.
    pub differences: Vec<DifferenceTold>,
    /// Open incidents, oldest first.
    pub incidents: Vec<Incident>,
    /// The last ten that are over, the newest first.
    pub closed_incidents: Vec<Incident>,
}

/// A model in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelInForce {
    /// What it is called.
    pub name: String,
    /// Who put it in force; none before the first merge.
    pub actor: Option<String>,
    /// When.
    pub at: Option<String>,
}

impl ModelInForce {
    fn of(tx: &Tx<'_>) -> Result<Self, HubError> {
        let row = tx.models()?.into_iter().next();
        let of = |row: ModelRow| Self { name: row.name, actor: Some(row.actor), at: Some(row.at) };
        Ok(row.map_or_else(Self::default, of))
    }
}

impl Default for ModelInForce {
    fn default() -> Self {
        Self { name: Model::recipients().name, actor: None, at: None }
    }
}

/// Questions of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewCount {
    /// `pair`, `programme`, `held` or `proposal`.
    pub kind: String,
    /// Why staff are asked.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// Signatures of staff that wait for a second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HalfSigned {
    /// How many.
    pub waiting: u64,
    /// Since when the oldest, RFC 3339.
    pub since: Option<String>,
}

/// How the exchange with a centre stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CentreStatus {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// `active` or `disabled`.
    pub state: &'static str,
    /// Whether its initial load was merged.
    pub merged: bool,
    /// The last packet from it.
    pub last_in: Option<LastPacket>,
    /// The last packet to it.
    pub last_out: Option<LastPacket>,
    /// When the last authentic file of any kind came from it.
    pub last_heard: Option<String>,
    /// Whether that is longer ago than `late_s`.
    pub late: bool,
    /// Packets to it without a protocol.
    pub unanswered: u64,
    /// Its records that were refused or are held.
    pub not_applied: u64,
    /// Those of them that were refused.
    pub refused: u64,
    /// Packets from it that wait for earlier ones.
    pub held: u64,
    /// Files in its quarantine.
    pub quarantined: u64,
    /// Open incidents.
    pub incidents: u64,
    /// Its records that its last snapshot did not name: kept, and listed by `status --kept`.
    pub orphans: u64,
    /// Persons of whom it is told its own values alone, until staff confirm that it serves them; listed by
    /// `status --unconfirmed`.
    pub unconfirmed: u64,
    /// Records of it by state.
    pub records: BTreeMap<String, u64>,
    /// What is published to it, by state.
    pub publications: BTreeMap<String, u64>,
    /// Why our stream to it is stopped.
    pub stopped: Option<String>,
}

/// Counts that are made of all centres at once.
struct Counts {
    orphans: BTreeMap<String, u64>,
    unconfirmed: BTreeMap<String, u64>,
    packets: Vec<(String, String, String, String, u64)>,
    received: Vec<(String, String, String, u64)>,
    publications: Vec<(String, String, u64)>,
    incidents: Vec<Incident>,
}

/// What is read of a database whose file may be damaged.
struct Look<'a> {
    tx: &'a Tx<'a>,
    /// The parts that are not there, or not whole.
    unreadable: RefCell<BTreeSet<&'static str>>,
}

impl Look<'_> {
    /// What was `read`, of `part`: as much as there is of it.
    fn part<T: Default, E: Into<HubError>>(
        &self,
        part: &'static str,
        read: Result<T, E>,
    ) -> Result<T, HubError> {
        let (is_lost, read) = match read.map_err(Into::into) {
            Err(error) if error.is_damage() => (true, Ok(T::default())),
            other => (false, other),
        };
        if self.tx.has_lacked() | is_lost {
            self.unreadable.borrow_mut().insert(part);
        }
        read
    }
}

impl Status {
    /// Whether the file of the database is damaged, as far as is known.
    pub fn is_damaged(&self) -> bool {
        !self.unreadable.is_empty() || Service::is_damaged(self.service.as_ref())
    }
}

/// Reads how everything stands; of a database whose file is damaged, what is left.
pub fn status(config: &Config<HubConfig>, now: Timestamp) -> Result<Status, Failure> {
    let service = Service::of(&config.path(&config.database));
    let mut store = match open_store(config) {
        Ok(store) => store,
        Err(failure) if DAMAGED.contains(&failure.code()) => {
            let unreadable = BTreeSet::from(["database"]);
            return Ok(Status { code: config.code.clone(), service, unreadable, ..Status::default() });
        }
        Err(failure) => return Err(failure),
    };
    let read = store.read_what_is_left(|tx| {
        let look = Look { tx, unreadable: RefCell::default() };
        let status = read(&look, config, service, now)?;
        Ok::<_, HubError>(Status { unreadable: look.unreadable.take(), ..status })
    });
    read.map_err(Failure::from)
}

fn read(
    look: &Look<'_>,
    config: &Config<HubConfig>,
    service: Option<Service>,
    now: Timestamp,
) -> Result<Status, HubError> {
    let tx = look.tx;
    let late = SignedDuration::from_secs(i64::from(config.exchange.late_s));
    let counts = Counts {
        packets: look.part("centres", tx.packet_counts())?,
        received: look.part("centres", tx.received_counts())?,
        publications: look.part("centres", tx.publication_counts())?,
        incidents: look.part("incidents", tx.incidents())?,
        orphans: look.part("centres", tx.orphan_counts())?.into_iter().collect(),
        unconfirmed: look.part("centres", tx.unconfirmed_counts())?.into_iter().collect(),
    };
    let mut centres = Vec::new();
    let (timing, mut late_ones) = (config.timing(), Vec::new());
    let mut no_room = full_folders(config);
    for centre in look.part("centres", tx.centres())? {
        let own_in = config.path(&config.ftp).join(centre.code.as_str()).join("in");
        let is_full = centre.active && is_full(&own_in);
        if centre.active {
            let mut waiting = look.part("overdue", tx.waits_for(centre.code, now))?;
            // what it says finds no place here: that nothing comes says nothing of it
            waiting.retain(|one| !(is_full && OF_SILENCE.contains(&one.what)));
            late_ones.extend(overdue::overdue(centre.code.as_str(), waiting, now, &timing));
        }
        let told = centre_status(look, centre, &counts, now, late)?;
        centres.push(CentreStatus { late: told.late && !is_full, ..told });
        no_room.extend(is_full.then_some(own_in));
    }
    if service.as_ref().is_some_and(|service| !service.running) {
        // nobody listens: that nothing was heard says nothing of them
        for centre in &mut centres {
            centre.late = false;
        }
        let pending = look.part("overdue", tx.centres_with_pending())?;
        let queued = !pending.is_empty() || !look.part("overdue", tx.unsealed_inputs(1))?.is_empty();
        let last = (look.part("overdue", tx.last_at_work(now))?, true, queued);
        let by_whom = (config.code.as_str(), service.as_ref());
        late_ones = overdue::while_stopped(late_ones, by_whom, last, (now, &timing));
    }
    let waiting = look.part("waiting", tx.standing_count("waiting"))?;
    let (half, since) = look.part("signatures", tx.half_signed_count())?;
    let signatures = HalfSigned { waiting: half, since };
    late_ones.extend(of_people(look, config, (counts.unconfirmed.values().sum(), &signatures), now)?);
    late_ones.extend(of_keys(look, config, now)?);
    let mut differences = Vec::new();
    for one in counts.incidents.iter().filter(|one| one.code == "DIVERGED") {
        differences.extend(look.part("differences", tx.differences().told(&one.centre))?);
    }
    let reviews = look.part("reviews", tx.review_counts())?.into_iter();
    Ok(Status {
        code: config.code.clone(),
        service,
        unreadable: BTreeSet::new(),
        no_room,
        journal: look.part("journal", tx.journal_size())?,
        merge_waits: waiting > 0,
        waiting,
        persons: look.part("persons", tx.person_count())?,
        model: look.part("model", ModelInForce::of(tx))?,
        reviews: reviews.map(|(kind, reason, count)| ReviewCount { kind, reason, count }).collect(),
        signatures,
        faults: look.part("faults", tx.fault_counts())?.into_iter().collect(),
        crowds: look.part("crowds", tx.crowds(LARGEST))?,
        inputs_unsealed: look.part("inputs_unsealed", tx.unsealed_input_count())?,
        centres,
        overdue: late_ones,
        requests: look.part("requests", tx.requests().open(now))?,
        differences,
        incidents: counts.incidents,
        closed_incidents: look.part("closed_incidents", tx.closed_incidents())?,
    })
}

/// What a centre does not do as long as nothing of it can be put here.
const OF_SILENCE: [Wait; 4] = [Wait::Receipt, Wait::Protocol, Wait::Asked, Wait::Silence];

/// The hub's own folders on a disk without room, besides those of the centres.
fn full_folders(config: &Config<HubConfig>) -> Vec<PathBuf> {
    let database = config.path(&config.database);
    let folders = [
        database.parent().map(Path::to_owned).unwrap_or_default(),
        config.path(&config.archive),
        config.path(&config.quarantine),
        config.path(&config.protocols),
    ];
    folders.into_iter().filter(|folder| is_full(folder)).collect()
}

/// What waits for staff for too long.
fn of_people(
    look: &Look<'_>,
    config: &Config<HubConfig>,
    (unconfirmed, signatures): (u64, &HalfSigned),
    now: Timestamp,
) -> Result<Vec<Overdue>, HubError> {
    let tx = look.tx;
    let StaffConfig { merge_days, review_days, quarantine_days } = config.staff;
    let since = look.part("overdue", tx.unconfirmed_since())?;
    let all = [
        ("merge", look.part("overdue", tx.waits_for_merge())?, merge_days),
        ("review", look.part("overdue", tx.waits_for_answers())?, review_days),
        ("service", (unconfirmed, since), review_days),
        ("signature", (signatures.waiting, signatures.since.clone()), config.merge.signature_days),
        ("quarantine", look.part("overdue", tx.waits_in_quarantine())?, quarantine_days),
    ];
    let judge = |(what, waits, days)| Overdue::of_people(what, &config.code, waits, now, days);
    Ok(all.into_iter().filter_map(judge).collect())
}

/// Keys that run out, own ones and those of active centres. Where files are missing the daemon says so.
fn of_keys(look: &Look<'_>, config: &Config<HubConfig>, now: Timestamp) -> Result<Vec<Overdue>, HubError> {
    let (tx, mut all) = (look.tx, Vec::new());
    if let Some(own) =
        config.code.parse().ok().and_then(|code| OwnKeys::load(&config.path(&config.keys), code).ok())
    {
        all.extend(look.part("overdue", Overdue::of_own_keys(&own, tx.keys(), now))?);
    }
    if let Ok(trust) = Trust::open(&config.path(&config.trust)) {
        let centres = look.part("overdue", tx.centres())?.into_iter().filter(|centre| centre.active);
        let cards = centres.filter_map(|centre| trust.card(centre.code));
        all.extend(cards.filter_map(|card| Overdue::of_card("peer_keys", card, now)));
    }
    Ok(all)
}

/// Told by [`kept`] and [`unconfirmed`] at most.
const KEPT: u32 = 10_000;

/// Records that the hub keeps and does not go by: orphans, and those held until what they name comes or staff decide.
pub fn kept(config: &Config<HubConfig>) -> Result<Vec<Kept>, Failure> {
    open_store(config)?.read(|tx| tx.kept_aside(KEPT).map_err(Failure::from))
}

/// What waits for `service confirm`.
pub fn unconfirmed(config: &Config<HubConfig>) -> Result<Vec<Unconfirmed>, Failure> {
    open_store(config)?.read(|tx| tx.unconfirmed(KEPT).map_err(Failure::from))
}

fn centre_status(
    look: &Look<'_>,
    centre: Centre,
    counts: &Counts,
    now: Timestamp,
    late: SignedDuration,
) -> Result<CentreStatus, HubError> {
    let (tx, code): (_, ParticipantCode) = (look.tx, centre.code);
    let packets = |direction: &str, states: &[&str]| -> u64 {
        let of = counts.packets.iter().filter(|(peer, way, kind, state, _)| {
            peer == code.as_str()
                && way == direction
                && states.contains(&state.as_str())
                && (direction == "in" || matches!(kind.as_str(), "DT" | "SN" | "KY"))
        });
        of.map(|(.., count)| count).sum()
    };
    let publications = counts.publications.iter().filter(|(to, ..)| to == code.as_str());
    let last_heard = look.part("centres", tx.last_heard(code, &now.to_string()))?;
    let heard: Option<Timestamp> = last_heard.as_deref().and_then(|at| at.parse().ok());
    let refused = look.part("centres", tx.outcome_count(code, "refused"))?;
    let waiting = look.part("centres", tx.outcome_count(code, "held"))?;
    let mut records = BTreeMap::new();
    for (_, _, state, count) in counts.received.iter().filter(|(origin, ..)| origin == code.as_str()) {
        *records.entry(state.clone()).or_default() += count;
    }
    Ok(CentreStatus {
        code: code.to_string(),
        name: centre.name,
        state: if centre.active { "active" } else { "disabled" },
        merged: centre.merged,
        last_in: look.part("centres", tx.last_packet(code, "in"))?,
        last_out: look.part("centres", tx.last_packet(code, "out"))?,
        late: centre.active && heard.is_some_and(|heard| waits_beyond(heard, now, late).is_some()),
        last_heard,
        unanswered: packets("out", &["SEALED", "PLACED", "RECEIVED"]),
        not_applied: refused + waiting,
        refused,
        held: packets("in", &["HELD"]),
        quarantined: packets("in", &["QUARANTINED"]),
        incidents: counts.incidents.iter().filter(|one| one.centre == code.as_str()).count() as u64,
        orphans: counts.orphans.get(code.as_str()).copied().unwrap_or(0),
        unconfirmed: counts.unconfirmed.get(code.as_str()).copied().unwrap_or(0),
        records,
        publications: publications.map(|(_, state, count)| (state.clone(), *count)).collect(),
        stopped: look.part("centres", tx.streams(code))?.outgoing.stop.map(|stop| stop.to_string()),
    })
}
