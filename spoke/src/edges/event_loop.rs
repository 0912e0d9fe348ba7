//! A centre's day: one loop over four things that happen. Somebody writes into the database; the mailbox has
//! something; a deadline is due; the process is asked to end.

use std::{sync::Arc, time::Duration};

use exchange_endpoint::{
    clock::Clock,
    database_pages::Soundness,
    durable_file,
    mailbox::{Mailbox, MailboxError},
    output::Failure,
};
use exchange_format::{file_name::FileName, stream::Evidence};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    SpokeError, answers, audit,
    error::mailbox_failure,
    export,
    fetch::{self, SecondLook},
    packet_file,
    place::{self, Lost},
    reopen, requests, resume, resync, rotation,
    station::Station,
};
use crate::database::{
    self, book, own_records,
    write::{self, Scope},
};

/// The longest that the mailbox is asked to wait for news at a time.
const MAILBOX_WAIT: Duration = Duration::from_secs(50);
/// After a dead line the mailbox is tried again after this long, doubled each time up to the last.
const LINE_RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));
/// The shortest time between two audits.
const AUDIT_PAUSE: Duration = Duration::from_secs(2);
/// How many times as long as an audit takes, nothing is audited after it: on suspicion; after writes that the triggers
/// have caught, beside which there may be one that they have not.
const AUDIT_REST: (u32, u32) = (10, 100);

/// After something in the database that cannot be read, the next try waits this long.
const CONTENT_PAUSE: Duration = Duration::from_secs(5);
/// While another program holds the database, after SQLite has waited for it.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Runs until `ended` says so. What somebody has written into the database past this program is put right as far
/// as can be, and ends nothing; nor does a long transaction of another program.
///
/// # Errors
/// What no later try can mend: the disk, the configuration.
pub async fn run(
    station: &mut Station,
    mailbox: Arc<dyn Mailbox>,
    clock: &Arc<dyn Clock>,
    mut ended: tokio::sync::watch::Receiver<bool>,
) -> Result<(), SpokeError> {
    own_records::settle(&station.connection, station.config.exchange.settle_s)?;
    loop {
        let pause = match days(station, &mailbox, clock, &mut ended).await {
            Err(error) if error.is_of_content() => {
                tracing::error!(%error, "the database holds what this program cannot have written; it goes on");
                if let Err(error) = database::mend_schema(&station.connection) {
                    tracing::error!(%error, "the schema is not put right");
                }
                if let Err(error) = audit::audit(station, true, clock.now()) {
                    tracing::error!(%error, "not put right");
                }
                CONTENT_PAUSE
            }
            Err(error) if error.is_of_another_program() => {
                tracing::warn!(%error, "another program holds the database; it is waited for");
                station.tell_hindered(Some(&error.into()), clock.now());
                BUSY_PAUSE
            }
            other => return other,
        };
        tokio::select! {
            _ = ended.changed() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn days(
    station: &mut Station,
    mailbox: &Arc<dyn Mailbox>,
    clock: &Arc<dyn Clock>,
    ended: &mut tokio::sync::watch::Receiver<bool>,
) -> Result<(), SpokeError> {
    let mut day = Day::begin(station, Arc::clone(clock))?;
    let mut news = listen(Arc::clone(mailbox));
    let mut pages = Soundness::of(&station.config.path(&station.config.database), Some("svod_"));
    let mut watch = tokio::time::interval(station.config.exchange.watch());
    watch.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    day.work(station, &**mailbox).await?;
    loop {
        tokio::select! {
            _ = ended.changed() => break,
            _ = watch.tick() => day.look_at_database(station, &**mailbox).await?,
            Some(()) = news.recv() => day.fetch(station, &**mailbox).await?,
            () = tokio::time::sleep(day.until_due(station)?) => day.due(station, &**mailbox).await?,
        }
        station.look_at_pages(&mut pages);
        station.tell_hindered(day.hindrance().as_ref(), clock.now());
    }
    tracing::info!("asked to end: nothing is half done");
    Ok(())
}

/// One round: everything that has changed out, everything that has come in. What was not done is in the result.
///
/// # Errors
/// As [`run`].
pub async fn round(
    station: &mut Station,
    mailbox: &dyn Mailbox,
    clock: Arc<dyn Clock>,
) -> Result<Day, SpokeError> {
    let now = clock.now();
    let mut day = Day::begin(station, clock)?;
    // Somebody asks now: what waits for its next try does not wait any more.
    write::write(&mut station.connection, Scope::Book, |tx| {
        book::try_now(tx, now).map_err(SpokeError::from)
    })?;
    day.work(station, mailbox).await?;
    day.fetch(station, mailbox).await?;
    Ok(day)
}

/// What is done once at the start: was the database put back from a copy? Is something half done? How long the look at it
/// took.
fn begin(station: &mut Station, clock: &dyn Clock) -> Result<Duration, SpokeError> {
    let now = clock.now();
    if !audit::is_readable(station)? {
        audit::audit(station, true, now)?;
    }
    remove_unsealed(station)?;
    station.follow_journal()?;
    if let Some(evidence) = is_older(station)? {
        tell_restored(station, &evidence, now)?;
    }
    station.raise_watermark()?;
    let began = clock.running();
    let report = audit::audit(station, true, now)?;
    let audit_took = clock.running().saturating_sub(began);
    tracing::info!(publications = report.publications, whole = report.whole, "database looked at");
    resume::resume(station, now)?;
    Ok(audit_took)
}

/// What shows that the database is older than the watermark, if nobody has said so yet.
pub(super) fn is_older(station: &Station) -> Result<Option<Evidence>, SpokeError> {
    let stopped =
        || book::out_stream(&station.connection, station.hub()).map(|out| out.machine.stop.is_some());
    let evidence = Station::behind(&station.connection, station.hub(), &station.marks())?;
    Ok(if evidence.is_some() && stopped()? { None } else { evidence })
}

fn tell_restored(station: &mut Station, evidence: &Evidence, now: Timestamp) -> Result<(), SpokeError> {
    let sealed = station.marks().sealed;
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Book, |transaction| {
        answers::restored(transaction, &desk, evidence, now)?;
        // no epoch is opened twice
        let mut stream = book::out_stream(transaction, desk.hub)?;
        if let Some(sealed) = sealed {
            stream.machine.told_epoch(sealed.epoch);
        }
        Ok(book::set_out_stream(transaction, desk.hub, &stream)?)
    })
}

/// Removes packets whose sealing was never committed: no row names them, so nobody has seen them. Those up to the
/// watermark were committed: if no row names one, an older database was put back, and the file may be the only copy.
fn remove_unsealed(station: &Station) -> Result<(), SpokeError> {
    let (spool, sealed) = (station.spool(), station.marks().sealed);
    for entry in std::fs::read_dir(&spool).map_err(SpokeError::io(&spool))? {
        let entry = entry.map_err(SpokeError::io(&spool))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let was_committed = name.parse::<FileName>().is_ok_and(|name| {
            name.kind.is_numbered() && sealed.is_some_and(|sealed| name.position <= sealed)
        });
        if name.starts_with("SVOD1_") && !was_committed && !book::is_out_packet(&station.connection, &name)? {
            durable_file::remove(&entry.path()).map_err(SpokeError::io(entry.path()))?;
        }
    }
    Ok(())
}

/// Tells when `out` may have gained something. A dead line is tried again, more and more seldom.
fn listen(mailbox: Arc<dyn Mailbox>) -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut pause = LINE_RETRY.0;
        loop {
            match mailbox.wait(MAILBOX_WAIT).await {
                Ok(false) => pause = LINE_RETRY.0,
                Ok(true) => {
                    pause = LINE_RETRY.0;
                    if sender.send(()).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, retry_s = pause.as_secs(), "the mailbox does not answer");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LINE_RETRY.1);
                }
            }
            if sender.is_closed() {
                return;
            }
        }
    });
    receiver
}

/// What the loop remembers between two events. Times are of the clock's [`running`](Clock::running).
pub struct Day {
    clock: Arc<dyn Clock>,
    data_version: i64,
    /// Of the schema that was looked at: what this program does every day leaves it.
    schema_version: i64,
    second_look: SecondLook,
    /// Somebody has written what no trigger has seen.
    suspicious: bool,
    /// Somebody has written since the last audit.
    written: bool,
    /// Records wait until nothing more comes to them.
    settling: bool,
    last_audit: Duration,
    audit_took: Duration,
    /// The mailbox failed: placing waits until then.
    line_dead_until: Option<Duration>,
    line_pause: Duration,
    /// Why what was to be placed last is not there.
    unplaced: Option<MailboxError>,
    /// Why something was not brought the last time.
    unfetched: Option<MailboxError>,
    /// When it is to be asked (again) for what has not come.
    ask_at: Option<Timestamp>,
}

impl Day {
    /// Begins: was the database put back from a copy, is it whole, is something half done?
    ///
    /// # Errors
    /// As [`run`].
    pub fn begin(station: &mut Station, clock: Arc<dyn Clock>) -> Result<Self, SpokeError> {
        let version = pragma(station, "data_version")?;
        let audit_took = begin(station, &*clock)?;
        let (last_audit, data_version) = (clock.running(), pragma(station, "data_version")?);
        // a command may have made new keys since they were read; one that makes them from here on is noticed
        if let Err(error) = station.reload() {
            tracing::error!(%error, "keys and cards could not be read again");
        }
        Ok(Self {
            clock,
            data_version,
            schema_version: pragma(station, "schema_version")?,
            second_look: SecondLook::default(),
            // written after the first look, or beside it
            suspicious: data_version != version,
            written: false,
            settling: false,
            last_audit,
            audit_took,
            line_dead_until: None,
            line_pause: LINE_RETRY.0,
            unplaced: None,
            unfetched: None,
            ask_at: None,
        })
    }

    /// Why not all was placed and brought the last time; before all else what a person must put right: a login
    /// refused, a wrong certificate.
    pub fn failed(self) -> Option<MailboxError> {
        let failed = [self.unplaced, self.unfetched].into_iter().flatten();
        failed.min_by_key(|error| !matches!(error, MailboxError::Config { .. }))
    }

    /// [`failed`](Self::failed), to be told while the day goes on.
    fn hindrance(&self) -> Option<Failure> {
        let failed = [&self.unplaced, &self.unfetched].into_iter().flatten();
        failed.min_by_key(|error| !matches!(error, MailboxError::Config { .. })).map(mailbox_failure)
    }

    /// Whether the line was dead when it was last used.
    pub fn line_is_dead(&self) -> bool {
        self.line_dead_until.is_some()
    }

    /// Looks whether others have written since the last look. What the triggers have caught of it waits in the
    /// queue or has been `sealed`; a write that they have not caught, or one to the triggers themselves, is
    /// looked into. The queue says so as long as nobody has emptied it, so this comes before every sealing.
    fn notice(&mut self, station: &mut Station, sealed: bool) -> Result<(), SpokeError> {
        let replaced = station.follow_file()?;
        let version = pragma(station, "data_version")?;
        if replaced || version != self.data_version {
            (self.data_version, self.written) = (version, true);
            if let Err(error) = station.reload() {
                tracing::error!(%error, "keys and cards could not be read again");
            }
            if replaced || is_older(station)?.is_some() {
                // a copy was put back while this program ran: everything is looked at as at a start
                return self.begin_again(station);
            }
            let caught = sealed || own_records::is_anything_queued(&station.connection)?;
            self.suspicious |= !caught || pragma(station, "schema_version")? != self.schema_version;
        }
        Ok(())
    }

    fn begin_again(&mut self, station: &mut Station) -> Result<(), SpokeError> {
        let clock = Arc::clone(&self.clock);
        let day = tokio::task::block_in_place(|| Self::begin(station, clock))?;
        // what is known of the line stays
        (self.data_version, self.schema_version) = (day.data_version, day.schema_version);
        (self.suspicious, self.written, self.ask_at) = (day.suspicious, false, None);
        (self.last_audit, self.audit_took) = (day.last_audit, day.audit_took);
        Ok(())
    }

    /// Seals everything that has changed, and places everything that is due.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn work(&mut self, station: &mut Station, mailbox: &dyn Mailbox) -> Result<(), SpokeError> {
        let now = self.clock.now();
        let mut sealed = false;
        self.notice(station, false)?;
        tokio::task::block_in_place(|| rotation::replay(station, now))?;
        tokio::task::block_in_place(|| rotation::step(station, now))?;
        tokio::task::block_in_place(|| resync::renew(station, now))?;
        tokio::task::block_in_place(|| resync::carry_out(station, now))?;
        tokio::task::block_in_place(|| resync::ask(station, now))?;
        loop {
            self.notice(station, sealed)?;
            let exported = tokio::task::block_in_place(|| export::export(station, now))?;
            let Some(exported) = exported else { break };
            // a packet without records is a heartbeat; without a packet, the queue came to nothing
            sealed |= exported.packets.is_empty() || !exported.counts.is_empty();
            for (name, digest, _) in &exported.packets {
                tracing::info!(packet = name, %digest, "sealed");
            }
        }
        self.settling = own_records::is_anything_queued(&station.connection)?;
        self.ask_at = tokio::task::block_in_place(|| requests::ask(station, self.clock.now()))?;
        tokio::task::block_in_place(|| station.keep_protocols());
        self.place(station, mailbox).await
    }

    async fn place(&mut self, station: &mut Station, mailbox: &dyn Mailbox) -> Result<(), SpokeError> {
        if self.line_dead_until.is_some_and(|until| self.clock.running() < until) {
            return Ok(());
        }
        let mut placed = place::place(station, mailbox, self.clock.now()).await?;
        if !placed.lost.is_empty() {
            tokio::task::block_in_place(|| seal_again(station, &placed.lost, self.clock.now()))?;
            placed = place::place(station, mailbox, self.clock.now()).await?;
        }
        self.line(placed.failed.as_ref(), placed.placed > 0);
        if placed.failed.is_some() || placed.placed > 0 {
            self.unplaced = placed.failed;
        }
        Ok(())
    }

    /// Remembers whether the line is dead; it is left alone for a while that grows. So is a mailbox that
    /// refuses the login, or it would soon be locked. One file refused says nothing of the line.
    fn line(&mut self, failed: Option<&MailboxError>, alive: bool) {
        if failed.is_some_and(|error| !matches!(error, MailboxError::Refused { .. })) {
            self.line_dead_until = Some(self.clock.running() + self.line_pause);
            self.line_pause = (self.line_pause * 2).min(LINE_RETRY.1);
        } else if alive {
            self.line_dead_until = None;
            self.line_pause = LINE_RETRY.0;
        }
    }

    /// Brings and admits what is new, and places the answers.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn fetch(&mut self, station: &mut Station, mailbox: &dyn Mailbox) -> Result<(), SpokeError> {
        self.notice(station, false)?;
        if pragma(station, "schema_version")? != self.schema_version {
            // somebody has been at the locks: what a packet shows anew would hide what was altered past them
            self.audit(station)?;
        }
        let fetched = fetch::fetch(station, mailbox, &mut self.second_look, self.clock.now()).await?;
        self.line(fetched.failed.as_ref(), true);
        self.unfetched = fetched.failed;
        // A raced edit has become a proposal, answers are to be placed.
        self.work(station, mailbox).await
    }

    /// Has anybody written? Then whatever the triggers have caught is sealed at once.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn look_at_database(
        &mut self,
        station: &mut Station,
        mailbox: &dyn Mailbox,
    ) -> Result<(), SpokeError> {
        let news = station.is_replaced() || pragma(station, "data_version")? != self.data_version;
        if news || self.settling && own_records::has_fresh_changes(&station.connection)? {
            self.work(station, mailbox).await?;
        }
        let rest = self.audit_took * if self.suspicious { AUDIT_REST.0 } else { AUDIT_REST.1 };
        if (self.suspicious || self.written) && self.since_audit() > AUDIT_PAUSE.max(rest) {
            self.audit(station)?;
            self.work(station, mailbox).await?;
        }
        Ok(())
    }

    fn audit(&mut self, station: &mut Station) -> Result<(), SpokeError> {
        (self.suspicious, self.written) = (false, false);
        let (began, now) = (self.clock.running(), self.clock.now());
        self.schema_version = pragma(station, "schema_version")?;
        let report = tokio::task::block_in_place(|| audit::audit(station, true, now))?;
        if !report.whole {
            tracing::error!(
                found = report.found.len(),
                left = report.left.len(),
                "the database was put right"
            );
        }
        self.last_audit = self.clock.running();
        self.audit_took = self.last_audit.saturating_sub(began);
        tracing::info!(whole = report.whole, took_ms = self.audit_took.as_millis(), "audited");
        if report.restored {
            // it is nobody's but ours
            self.schema_version = pragma(station, "schema_version")?;
        }
        Ok(())
    }

    fn since_audit(&self) -> Duration {
        self.clock.running().saturating_sub(self.last_audit)
    }

    /// How long until something is due by the clock.
    ///
    /// # Errors
    /// The database.
    pub fn until_due(&self, station: &Station) -> Result<Duration, SpokeError> {
        let now = self.clock.now();
        let stream = book::out_stream(&station.connection, station.hub())?.machine;
        let timing = station.config.exchange.timing();
        let heartbeat = stream.heartbeat_at(&timing, now);
        let stopped = stream.stop.is_some();
        let placing = book::next_due(&station.connection, stopped, &|at| timing.due_again(at, now))?;
        let wait = |at: Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
        let audit_s = Duration::from_secs(u64::from(station.config.exchange.audit_s));
        let audit = audit_s.saturating_sub(self.since_audit());
        let line = self.line_dead_until.map(|until| until.saturating_sub(self.clock.running()));
        // While the line is dead, a packet that is due waits for it.
        let placing = placing.map(|at| line.map_or(wait(at), |line| wait(at).max(line)));
        let asking = self.ask_at.map(wait);
        let due = [Some(audit), heartbeat.map(wait), placing, asking].into_iter().flatten().min();
        Ok(due.unwrap_or(audit_s).max(Duration::from_millis(20)))
    }

    /// Does what is due by the clock.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn due(&mut self, station: &mut Station, mailbox: &dyn Mailbox) -> Result<(), SpokeError> {
        let audit_s = Duration::from_secs(u64::from(station.config.exchange.audit_s));
        if self.since_audit() >= audit_s && !station.is_replaced() {
            self.audit(station)?;
        }
        self.work(station, mailbox).await
    }
}

/// What the spool has lost is made again: answers each by itself, of packets everything.
fn seal_again(station: &mut Station, lost: &[Lost], now: Timestamp) -> Result<(), SpokeError> {
    let (packets, answers): (Vec<&Lost>, Vec<&Lost>) = lost.iter().partition(|one| one.is_numbered);
    if !answers.is_empty() {
        reopen::answer_again(station, &answers, now)?;
    }
    if packets.is_empty() { Ok(()) } else { reopen::reopen(station, &packets, now) }
}

fn pragma(station: &Station, name: &str) -> Result<i64, SpokeError> {
    Ok(station.connection.pragma_query_value(None, name, |row| row.get(0))?)
}
