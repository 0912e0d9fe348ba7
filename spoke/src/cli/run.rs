//! `run`, until asked to end; `sync`, one round.

use std::{path::Path, sync::Arc, time::Duration};

use clap::Args;
use exchange_endpoint::{
    logging,
    mailbox::Mailbox,
    messages,
    output::{CommonArgs, Exit, Failure},
};
use serde_json::json;
use tokio::{runtime::Runtime, sync::watch, time::Instant};

use crate::{
    database::report,
    edges::{SpokeError, event_loop, station::Station},
};

/// How often `sync` looks for answers while it waits.
const LOOK: Duration = Duration::from_millis(100);

/// One round of exchange.
#[derive(Debug, Args)]
pub struct Sync {
    /// Wait so many seconds for the answers to what was sent
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    wait: u64,
}

fn open(common: &CommonArgs) -> Result<(Station, Arc<dyn Mailbox>), Failure> {
    let config = super::config(common)?;
    let log = config.log.clone();
    let base = config.file().parent().unwrap_or(Path::new("/")).to_owned();
    let file = config.path(&log.file);
    let mailbox = config.mailbox.open(&base).map_err(SpokeError::from)?;
    let station = Station::open(config)?;
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
        event_loop::run(&mut station, mailbox, ended).await
    });
    // A mailbox that waits for news on a dead line does not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Err(error) = &result {
        tracing::error!(%error, "exchange ends");
    }
    result?;
    Ok(Exit::Done)
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
        let (mut station, mailbox) = open(common)?;
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
        let open = report::unanswered(&station.connection).map_err(SpokeError::from)?.len();
        let answer = json!({"unanswered": open, "line_is_dead": line_is_dead});
        common.print(&answer, |lang| {
            let id = match (line_is_dead, &failed) {
                (true, _) => "spoke-sync-no-line",
                (false, Some(_)) => "spoke-sync-in-part",
                (false, None) => "spoke-sync-done",
            };
            messages::text(lang, id, &[("n", open.into())])
        })?;
        failed.map_or(Ok(Exit::Done), Err)
    }

    async fn round(
        &self,
        station: &mut Station,
        mailbox: &dyn Mailbox,
    ) -> Result<event_loop::Day, SpokeError> {
        let until = Instant::now() + Duration::from_secs(self.wait);
        let mut day = event_loop::round(station, mailbox).await?;
        while Instant::now() < until && !report::unanswered(&station.connection)?.is_empty() {
            tokio::time::sleep(LOOK).await;
            day.fetch(station, mailbox).await?;
        }
        Ok(day)
    }
}
