//! `run`, until asked to end; `sync`, one round.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use exchange_endpoint::{
    clock::{Clock, MachineClock},
    config::Config,
    instance, logging,
    mailbox::Mailbox,
    messages,
    output::{CommonArgs, Exit, Failure},
    tables::{self, Encoding, Files, Written},
};
use jiff::Timestamp;
use serde_json::json;
use tokio::{runtime::Runtime, sync::watch, time::Instant};

use crate::{
    database::{book, report},
    edges::{SpokeError, config::SpokeConfig, event_loop, station::Station},
};

/// How often `sync` looks for answers while it waits.
const LOOK: Duration = Duration::from_millis(100);

/// One round of exchange.
#[derive(Debug, Args)]
pub struct Sync {
    /// Wait so many seconds for the answers to what was sent
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    wait: u64,
    /// First import TABLE.csv or TABLE.xlsx of each table from this directory (map: TABLE.toml)
    #[arg(long, value_name = "DIR")]
    import: Option<PathBuf>,
    /// Then export what the hub has changed since the last time into this directory
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// What the exported files are
    #[arg(long = "as", value_enum, default_value_t, requires = "export")]
    files: Files,
    /// How the letters of exported CSV are written
    #[arg(long, value_enum, default_value_t, requires = "export")]
    encoding: Encoding,
    /// Write every refused line of the import into TABLE.csv in this directory
    #[arg(long, value_name = "DIR", requires = "import")]
    report: Option<PathBuf>,
}

/// Opens everything; why that cannot be is told here, and by `status`.
fn open(common: &CommonArgs) -> Result<(Station, Arc<dyn Mailbox>), Failure> {
    let config = super::config(common)?;
    let database = config.path(&config.database);
    open_of(config).inspect_err(|failure| instance::keep_failure(&database, failure, Timestamp::now()))
}

fn open_of(config: Config<SpokeConfig>) -> Result<(Station, Arc<dyn Mailbox>), Failure> {
    let log = config.log.clone();
    let base = config.file().parent().unwrap_or(Path::new("/")).to_owned();
    let file = config.path(&log.file);
    let station = Station::open(config)?;
    let mailbox = station.config.mailbox.open(&base).map_err(SpokeError::from)?;
    logging::start(&log.filter, (!log.file.as_os_str().is_empty()).then_some(file.as_path()))?;
    Ok((station, mailbox))
}

fn runtime() -> Result<Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().map_err(|error| Failure::bug(&error))
}

pub(super) fn run(common: &CommonArgs) -> Result<Exit, Failure> {
    let (mut station, mailbox) = open(common)?;
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let ended = signals()?;
        tracing::info!(code = %station.own(), hub = %station.hub(), "exchange begins");
        let clock: Arc<dyn Clock> = Arc::new(MachineClock::default());
        event_loop::run(&mut station, mailbox, &clock, ended).await
    });
    // A mailbox that waits for news on a dead line does not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Err(error) = &result {
        tracing::error!(%error, "exchange ends");
    }
    let result = result.map_err(Failure::from);
    station.tell_hindered(result.as_ref().err(), Timestamp::now());
    result.map(|()| Exit::Done)
}

/// Tells when the process is asked to end: SIGINT or SIGTERM.
fn signals() -> Result<watch::Receiver<bool>, SpokeError> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(SpokeError::io("signals"));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // Nobody listens any more if the loop has ended by itself.
        let _ = sender.send(true);
        std::future::pending::<()>().await;
    });
    Ok(receiver)
}

impl Sync {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let reports = self.report.as_deref();
        if let Some(reports) = reports {
            fs::create_dir_all(reports).map_err(SpokeError::io(reports))?;
        }
        // what goes out is no table that comes in
        tables::apart(self.import.as_deref(), reports.into_iter().chain(self.export.as_deref()))?;
        let (mut station, mailbox) = open(common)?;
        let own = station.own();
        let dir = self.import.as_deref();
        let imported =
            dir.map(|dir| super::import::directory(dir, reports, &mut station.connection, own, common));
        let imported = imported.unwrap_or_default();
        let runtime = runtime()?;
        let done = runtime.block_on(self.round(&mut station, &*mailbox));
        runtime.shutdown_timeout(Duration::from_secs(1));
        let day = done?;
        let line_is_dead = day.line_is_dead();
        let failed = day.failed().map(|error| Failure::from(SpokeError::from(error)));
        if let Some(failure) = &failed
            && failure.exit() == Exit::Usage
        {
            return Err(failure.clone());
        }
        let exported = self.export.as_deref();
        let exported = exported
            .map(|dir| super::export::changes(dir, (self.files, self.encoding), &station.config, common))
            .transpose()?;
        let open = report::unanswered(&station.connection).map_err(SpokeError::from)?.len();
        let machine = book::out_stream(&station.connection, station.hub()).map_err(SpokeError::from)?.machine;
        let stopped = machine.stop.map(|stop| stop.to_string());
        let mut answer = json!({"unanswered": open, "line_is_dead": line_is_dead, "stopped": stopped});
        if self.import.is_some() {
            answer["import"] = imported.iter().map(|(report, ..)| report.clone()).collect();
        }
        if let Some(exported) = &exported {
            answer["export"] = json!(exported);
        }
        common.print(&answer, |lang| {
            let id = match (&stopped, line_is_dead, &failed) {
                (Some(_), ..) => "spoke-sync-stopped",
                (None, true, _) => "spoke-sync-no-line",
                (None, false, Some(_)) => "spoke-sync-in-part",
                (None, false, None) => "spoke-sync-done",
            };
            let code = stopped.clone().unwrap_or_default();
            let sync = messages::text(lang, id, &[("n", open.into()), ("code", code.into())]);
            let exported = exported.as_ref().map(|exported| super::export::text(lang, exported));
            let imported = imported.iter().map(|(_, text, _)| text.clone());
            imported.chain([sync]).chain(exported).collect::<Vec<_>>().join("\n")
        })?;
        match failed {
            Some(failure) => Err(failure),
            None if stopped.is_some() => Ok(Exit::Refused),
            None => {
                let exported = exported.map_or(Exit::Done, |exported| Written::exit(&exported.files));
                let imported = super::import::end(&imported);
                Ok(if imported == Exit::Done { exported } else { imported })
            }
        }
    }

    async fn round(
        &self,
        station: &mut Station,
        mailbox: &dyn Mailbox,
    ) -> Result<event_loop::Day, SpokeError> {
        let until = Instant::now() + Duration::from_secs(self.wait);
        let mut day = event_loop::round(station, mailbox, Arc::new(MachineClock::default())).await?;
        while Instant::now() < until && !report::unanswered(&station.connection)?.is_empty() {
            tokio::time::sleep(LOOK).await;
            day.fetch(station, mailbox).await?;
        }
        Ok(day)
    }
}
