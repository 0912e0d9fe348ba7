//! The daemon: one loop over what happens. A file got its name (the FTPS server tells), the folders are looked
//! through (other mailboxes, and what an event missed), a command has changed the database, something is due,
//! a signal says stop. Each step is synchronous: SQLite has one writer.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use exchange_endpoint::{
    clear_copy,
    clock::{Clock, MachineClock},
    config::Config,
    database_pages::Soundness,
    instance::InstanceLock,
    open_files,
    output::Failure,
    rotation,
    stray::loggable,
};
use exchange_format::participant::ParticipantCode;
use jiff::{Timestamp, civil::Date};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot},
    task::block_in_place,
    time::{MissedTickBehavior, interval},
};

use super::{
    centre_accounts::CentreAccounts,
    config::HubConfig,
    file_damage::FileDamage,
    ftps_server::{Announcer, ClientCertificates, FtpsServer, FtpsServerError, Uploaded},
    hub::{Hub, HubError},
    intake::{Applied, Taken},
    looks::Looks,
    older::{is_older, judge_watermark},
    operations::enrol::keep_shut_out,
    pki::{CityCa, PkiError},
    register::day,
};
use crate::database::{DatabaseError, Store};

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A step failed in a way that trying again will not mend.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The FTPS server.
    #[error(transparent)]
    Ftps(#[from] FtpsServerError),
    /// Certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The runtime.
    #[error("the runtime could not be started: {0}")]
    Runtime(std::io::Error),
}

/// Its socket, and the folders of its centre.
const FILES_PER_CONNECTION: u64 = 4;
/// Databases, logs, data connections.
const OTHER_FILES: u64 = 256;

/// Runs until a signal says stop.
///
/// # Errors
/// Another process owns the database, or nothing can be begun.
pub fn run(hub: Hub, config: &Config<HubConfig>) -> Result<(), Failure> {
    let database = config.path(&config.database);
    let mut lock = InstanceLock::acquire(&database)?;
    clear_copy::remove_leftovers(&database);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let done = runtime.block_on(serve(hub, config, database, &mut lock)).map_err(Failure::from);
    lock.tell(done.as_ref().err(), Timestamp::now());
    done
}

async fn serve(
    hub: Hub,
    config: &Config<HubConfig>,
    database: PathBuf,
    lock: &mut InstanceLock,
) -> Result<(), RunError> {
    let mut daemon = Daemon::new(hub, Arc::new(MachineClock::default()));
    daemon.start()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (mut events, server) = if config.ftps.enabled {
        let wanted = FILES_PER_CONNECTION * config.ftps.max_connections as u64 + OTHER_FILES;
        if let Some(allowed) = open_files::raise_limit().filter(|allowed| *allowed < wanted) {
            tracing::warn!(
                allowed,
                wanted,
                "this process may open fewer files than [ftps] max_connections take. Next: raise LimitNOFILE of the service, or lower max_connections"
            );
        }
        let ca = CityCa::open(&config.path(&config.pki))?;
        let identity = ca.issue_server(&config.path(&config.pki), &config.ftps.names)?;
        let store = Store::open(&database).map_err(HubError::from)?;
        let accounts = Arc::new(CentreAccounts {
            store: Mutex::new(store),
            ftp: daemon.hub.context.paths.ftp.clone(),
            quarantine: daemon.hub.context.paths.quarantine.clone(),
            required: config.ftps.client_certificates == ClientCertificates::Required,
            without_resumption: config.ftps.without_resumption.clone(),
        });
        let (server, events) = FtpsServer::bind(config.ftps.clone(), identity, accounts).await?;
        daemon.announcer = Some(server.announcer());
        let server = tokio::spawn(server.run(async {
            let _ = stopped.await; // a dropped sender says stop as well
        }));
        (events, Some(server))
    } else {
        (mpsc::unbounded_channel().1, None)
    };
    tracing::info!("running");
    let done = daemon.turn(config, &database, &mut events, lock).await;
    drop(stop);
    if let Some(server) = server {
        let _ = server.await;
    }
    tracing::info!("stopped");
    done
}

/// What the loop does and remembers between two events.
pub struct Daemon {
    hub: Hub,
    clock: Arc<dyn Clock>,
    announcer: Option<Announcer>,
    /// The database version that was looked at last.
    seen: Option<i64>,
    /// That of which is known that it is not behind the watermark unsaid.
    judged: Option<i64>,
    looks: Looks,
    /// The day of which nobody is left whom it touches.
    followed: Option<Date>,
    /// Why a file was not taken at the last look; why something was not sealed or placed.
    untaken: Option<Failure>,
    unsent: Option<Failure>,
    damage: FileDamage,
}

impl Daemon {
    /// A daemon that has not begun.
    pub fn new(hub: Hub, clock: Arc<dyn Clock>) -> Self {
        let damage = FileDamage::none(Arc::clone(&clock));
        Self {
            hub,
            clock,
            announcer: None,
            seen: None,
            judged: None,
            looks: Looks::default(),
            followed: None,
            untaken: None,
            unsent: None,
            damage,
        }
    }

    /// The hub.
    pub fn hub(&mut self) -> &mut Hub {
        &mut self.hub
    }

    /// What a crash may have left: parts in the archive; answers and packets sealed and not placed; files in
    /// `in`. And whether the database was put back from a copy.
    ///
    /// # Errors
    /// The database, the disk or the watermark: it cannot begin.
    pub fn start(&mut self) -> Result<(), HubError> {
        self.hub.store.watch()?;
        self.hub.follow_journal()?;
        let Hub { store, context, watermark, .. } = &mut self.hub;
        let centres = store.read(|tx| tx.centres())?;
        context.paths.make(centres.iter().filter(|centre| centre.active).map(|centre| centre.code))?;
        context.paths.remove_leftovers(centres.iter().map(|centre| centre.code))?;
        store.write(|tx| {
            if rotation::is_left_over(&context.keys_directory, context.code)? {
                rotation::finish(&context.keys_directory, context.code)?;
            }
            keep_shut_out(context, tx, self.clock.now())?;
            judge_watermark(tx, watermark, context.code, self.clock.now())
        })?;
        self.hub.know_quarantine(self.clock.now())?;
        self.hub.follow_lists()?;
        let store = &self.hub.store;
        self.judged = Some(store.data_version()?);
        self.followed = None;
        self.looks.begin();
        match self.look_first() {
            // the loop goes on where this ends
            Err(error) if error.has_to_wait() => return Ok(()),
            looked => looked?,
        }
        self.scan();
        self.replay();
        self.send();
        Ok(())
    }

    fn look_first(&mut self) -> Result<(), HubError> {
        self.looks.first(&mut self.hub, &*self.clock, &mut self.damage)
    }

    /// Begins again if a copy of the database was put back while this program runs: under its name, as another file, or into it; if
    /// a stranger has written into it, looks at all that is kept. To be called before anything is done.
    ///
    /// # Errors
    /// There is no database any more, or it is no hub's; what hinders a beginning; that look has to wait.
    pub fn stand(&mut self) -> Result<(), HubError> {
        let Hub { store, context, watermark, .. } = &mut self.hub;
        let replaced = store.follow_file()?;
        let version = store.data_version()?;
        if replaced {
            self.damage.forget();
        }
        let is_judged = !replaced && self.judged == Some(version);
        if !is_judged && (replaced || store.read(|tx| is_older(tx, watermark, context.code))?) {
            self.seen = None;
            self.reload();
            return self.start();
        }
        self.judged = Some(version);
        self.look_first()
    }

    async fn turn(
        &mut self,
        config: &Config<HubConfig>,
        database: &Path,
        events: &mut mpsc::UnboundedReceiver<Uploaded>,
        lock: &mut InstanceLock,
    ) -> Result<(), RunError> {
        let mut watch = interval(Duration::from_millis(u64::from(config.exchange.watch_ms)));
        let mut scan = interval(Duration::from_millis(u64::from(config.exchange.scan_ms)));
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        scan.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Runtime)?;
        let mut due: Option<Timestamp> = None;
        let mut is_folded = false;
        let mut soundness = Soundness::of(database, None);
        loop {
            let worked = tokio::select! {
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                Some(uploaded) = events.recv() => self.standing(|daemon| daemon.uploaded(&uploaded))?,
                _ = watch.tick() => self.standing(|daemon| daemon.changed() || daemon.is_due(due) || daemon.follow_day() || daemon.audit())?,
                _ = scan.tick() => self.standing(Self::scan)?,
            };
            if worked {
                let sent = block_in_place(|| self.send());
                due = block_in_place(|| self.hub.next_due(self.clock.now())).unwrap_or_else(|error| {
                    self.damage
                        .unless(&error, |error| tracing::warn!("what is due next is not known: {error}"));
                    None
                });
                if !sent {
                    // whatever else is due: it is tried then, and not at each look
                    due = Some(
                        self.clock
                            .now()
                            .saturating_add(self.hub.context.timing.retry)
                            .unwrap_or(Timestamp::MAX),
                    );
                }
            } else if !is_folded && let Err(error) = block_in_place(|| self.hub.store.checkpoint()) {
                tracing::warn!("the database's log could not be folded into it: {error}");
            }
            is_folded = !worked;
            self.damage.look(&mut soundness, lock);
            let hindered = self.untaken.as_ref().or(self.unsent.as_ref());
            lock.tell(self.damage.failure().or(hindered), self.clock.now());
        }
    }

    /// Looks at some of the archive and of the journal, and at what is kept of the streams with one centre; whether anything was
    /// wrong with a stream.
    pub fn audit(&mut self) -> bool {
        self.looks.step(&mut self.hub, &*self.clock, &mut self.damage)
    }

    /// Publishes anew some of those whom the day touches, until nobody is left of it; whether there was anybody.
    pub fn follow_day(&mut self) -> bool {
        let now = self.clock.now();
        if self.followed == Some(day(now)) {
            return false;
        }
        match self.hub.follow_day(now) {
            Ok(true) => return true,
            Ok(false) => self.followed = Some(day(now)),
            Err(error) => {
                if error.is_damage() {
                    // it is tried again with the next beginning
                    self.followed = Some(day(now));
                }
                self.damage.unless(&error, |error| {
                    tracing::warn!("what the day changes could not be published: {error}");
                });
            }
        }
        false
    }

    /// Does `work` if the database [stands](Self::stand); whether something has happened. While another program holds the
    /// database, nothing has.
    fn standing(&mut self, work: impl FnOnce(&mut Self) -> bool) -> Result<bool, HubError> {
        block_in_place(|| match self.stand() {
            Ok(()) => Ok(work(self)),
            Err(HubError::Database(DatabaseError::Busy)) => {
                tracing::warn!("another program holds the database; it is waited for");
                Ok(false)
            }
            Err(HubError::Database(error @ DatabaseError::Unlooked)) => {
                self.untaken = Some(error.into());
                Ok(false)
            }
            Err(error) => Err(error),
        })
    }

    /// Whether that time has come; or was so far off that the clock must have been set back since.
    fn is_due(&self, due: Option<Timestamp>) -> bool {
        let now = self.clock.now();
        due.is_some_and(|due| self.hub.context.timing.due_any(due, now) <= now)
    }

    fn uploaded(&mut self, uploaded: &Uploaded) -> bool {
        uploaded.centre.parse().is_ok_and(|centre| self.take(centre, &uploaded.name))
    }

    /// Whether a command has changed the database since it was looked at last.
    pub fn changed(&mut self) -> bool {
        match self.hub.store.data_version() {
            Ok(version) => {
                let changed = self.seen.replace(version) != Some(version);
                if changed {
                    self.followed = None;
                    self.reload();
                    self.replay();
                }
                changed
            }
            Err(error) => {
                self.damage.unless(&error.into(), |error| {
                    tracing::warn!("the database could not be looked at: {error}");
                });
                false
            }
        }
    }

    /// Cards may have come with `centre add`, next keys with `keys rotate`.
    fn reload(&mut self) {
        if let Err(error) = self.hub.context.reload() {
            tracing::error!("keys and cards could not be read again: {error}");
        }
    }

    /// Judges again what a command or a centre's new keys let out of quarantine.
    fn replay(&mut self) {
        match self.hub.replay(self.clock.now()) {
            Ok(taken) => taken.iter().for_each(|(centre, applied)| tell(*centre, applied)),
            Err(error) => self.damage.unless(&error, |error| {
                tracing::error!("the quarantine could not be looked through: {error}");
            }),
        }
    }

    /// Takes every finished file of every active centre; whether there was one.
    pub fn scan(&mut self) -> bool {
        let centres = match self.hub.store.read(|tx| tx.centres()) {
            Ok(centres) => centres,
            Err(error) => {
                self.damage.unless(&error.into(), |error| {
                    tracing::warn!("the folders could not be looked through: {error}");
                });
                return false;
            }
        };
        let mut found = false;
        self.untaken = None;
        for centre in centres.into_iter().filter(|centre| centre.active) {
            for name in self.hub.context.paths.left_by(centre.code) {
                found |= self.take(centre.code, &name);
            }
        }
        found
    }

    /// Takes one file; whether something has happened.
    fn take(&mut self, centre: ParticipantCode, name: &str) -> bool {
        match self.hub.take(centre, name, self.clock.now()) {
            Ok(Taken::Nothing) => false,
            Ok(Taken::Done(applied)) => {
                tell(centre, &applied);
                self.replay();
                true
            }
            Ok(Taken::Quarantined(_)) => true,
            Err(error) => {
                // the file is where it was; the next scan takes it again
                self.damage.unless(&error, |error| {
                    tracing::error!(centre = %centre, file = loggable(name), "not taken: {error}");
                });
                self.untaken = Some(error.into());
                false
            }
        }
    }

    /// Seals what is pending and places what is due. False if something is left to be tried again: what could
    /// not be sealed never keeps what is sealed, answers above all, from being placed.
    pub fn send(&mut self) -> bool {
        let now = self.clock.now();
        let sealed = self.hub.seal(now);
        let sealed = sealed
            .inspect_err(|error| self.damage.unless(error, |error| tracing::error!("not sealed: {error}")));
        let placed = self.hub.place(now);
        let placed = placed
            .inspect_err(|error| self.damage.unless(error, |error| tracing::error!("not placed: {error}")));
        let failed = match (sealed, placed) {
            (sealed, Ok(placed)) => {
                if let Some(error) = &placed.failed {
                    self.damage.unless(error, |_| {});
                }
                if let Some(announcer) = &self.announcer {
                    for centre in &placed.gained {
                        announcer.announce(centre.as_str());
                    }
                }
                sealed.err().or(placed.failed)
            }
            (_, Err(error)) => Some(error),
        };
        self.unsent = failed.map(Failure::from);
        self.unsent.is_none()
    }
}

fn tell(centre: ParticipantCode, applied: &[Applied]) {
    for one in applied {
        tracing::info!(centre = %centre, file = one.name, state = one.state, records = one.counts.total(), "taken");
    }
}
