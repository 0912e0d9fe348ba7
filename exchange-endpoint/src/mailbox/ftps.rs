//! A mailbox on an FTPS server (RFC 959, 4217): explicit TLS for login and data, one CA pinned.
//!
//! Two connections: one works, the other waits (`SITE WAIT`, where the server has it). Both are warm and made again
//! after any trouble. Each has a TLS session store of its own, because a data connection proves whose it is by
//! resuming the session of its control connection. Some servers cannot do that with TLS 1.3 (they answer 425 or
//! 522): such a peer is spoken to with TLS 1.2 from then on.

mod connection;
mod fault;
mod transfer;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::{Mailbox, MailboxError, Offered, Placed, local};
use crate::messages::Told;
use connection::{Connection, Connector};
use fault::Fault;

/// `SITE WAIT` is asked for this long at a time, seconds; below the server's limit of 60.
const WAIT_S: u64 = 50;
/// Where the server has no `SITE WAIT`, `out` is looked at this often.
const POLL: Duration = Duration::from_secs(10);

/// What an FTPS mailbox needs to know.
#[derive(Debug, Clone)]
pub struct FtpsSettings {
    /// Host name or address to connect to.
    pub host: String,
    /// Control port.
    pub port: u16,
    /// The name that the server's certificate must bear.
    pub server_name: String,
    /// Login.
    pub user: String,
    /// Password.
    pub password: SecretString,
    /// The only CA (or CAs) trusted, PEM.
    pub ca_pem: String,
    /// Client certificate chain and its private key, PEM.
    pub client: Option<(String, SecretString)>,
    /// Limit of each step: connecting, a handshake, a reply, a pause in a transfer.
    pub timeout: Duration,
}

/// A mailbox on an FTPS server.
#[derive(Debug)]
pub struct FtpsMailbox {
    connector: Connector,
    /// Whether this peer gets TLS 1.2 only.
    tls12_only: AtomicBool,
    work: Mutex<Option<Connection>>,
    waiting: Mutex<Option<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    connection: Connection,
    /// A `SITE WAIT` was sent and its reply not read, perhaps because the caller went away.
    asked: bool,
}

/// What the working connection is used for.
enum Job<'a> {
    List,
    Fetch { name: &'a str, dest: &'a Path },
    Put { source: &'a Path, name: &'a str },
}

enum Done {
    Listed(Vec<Offered>),
    Fetched(u64),
    Put(Placed),
}

impl Job<'_> {
    async fn run(&self, connection: &mut Connection) -> Result<Done, Fault> {
        match *self {
            Self::List => connection.list("out").await.map(Done::Listed),
            Self::Fetch { name, dest } => transfer::fetch(connection, name, dest).await.map(Done::Fetched),
            Self::Put { source, name } => transfer::put(connection, source, name).await.map(Done::Put),
        }
    }

    /// The action and the file, for an error.
    fn words(&self) -> (&'static str, &str) {
        match *self {
            Self::List => ("mailbox-listing", "out"),
            Self::Fetch { name, .. } => ("mailbox-fetching", name),
            Self::Put { name, .. } => ("mailbox-placing", name),
        }
    }
}

impl FtpsMailbox {
    /// Checks the certificates in `settings`; nothing is connected before the first verb.
    pub fn new(settings: FtpsSettings) -> Result<Self, MailboxError> {
        Ok(Self {
            connector: Connector::new(settings)?,
            tls12_only: AtomicBool::new(false),
            work: Mutex::new(None),
            waiting: Mutex::new(None),
        })
    }

    /// Does `job` on the working connection; once more with TLS 1.2 if the server cannot bind data connections.
    async fn work(&self, job: &Job<'_>) -> Result<Done, MailboxError> {
        let mut slot = self.work.lock().await;
        let legacy = self.tls12_only.load(Ordering::Relaxed);
        let mut result = self.attempt(&mut slot, legacy, job).await;
        if let (Err(fault), false) = (&result, legacy)
            && fault.is_about_data_binding()
        {
            *slot = None;
            let again = self.attempt(&mut slot, true, job).await;
            if again.is_ok() {
                tracing::info!(server = %self.connector.place(), "TLS 1.2 from now on: {fault}");
                self.tls12_only.store(true, Ordering::Relaxed);
                result = again;
            }
        }
        let (action, name) = job.words();
        result.map_err(|fault| fault.into_error(action, self.connector.place(), name))
    }

    /// The connection is out of its slot while it works: whoever abandons the future leaves no half-done
    /// dialogue behind.
    async fn attempt(
        &self,
        slot: &mut Option<Connection>,
        tls12_only: bool,
        job: &Job<'_>,
    ) -> Result<Done, Fault> {
        let mut warm = slot.take();
        if let Some(connection) = warm.as_mut()
            && !connection.is_alive().await
        {
            warm = None;
        }
        let mut connection = match warm {
            Some(connection) => connection,
            None => self.connector.connect(tls12_only).await?,
        };
        let result = job.run(&mut connection).await;
        if result.as_ref().err().is_none_or(Fault::leaves_dialogue_in_step) {
            *slot = Some(connection);
        }
        result
    }

    async fn await_news(&self, waiting: &mut Waiting, until: Instant) -> Result<bool, Fault> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let answered = if waiting.asked {
                timeout(left, waiting.connection.wait_reply()).await
            } else {
                waiting.asked = true;
                timeout(left, waiting.connection.wait_ask(WAIT_S)).await
            };
            let Ok(reply) = answered else { return Ok(false) };
            waiting.asked = false;
            if reply? {
                return Ok(true);
            }
        }
    }
}

#[async_trait]
impl Mailbox for FtpsMailbox {
    async fn list_out(&self) -> Result<Vec<Offered>, MailboxError> {
        match self.work(&Job::List).await? {
            Done::Listed(files) => Ok(files),
            _ => unreachable!("a list job lists"),
        }
    }

    async fn fetch(&self, name: &str, dest: &Path) -> Result<u64, MailboxError> {
        check(name, self.connector.place())?;
        match self.work(&Job::Fetch { name, dest }).await? {
            Done::Fetched(length) => Ok(length),
            _ => unreachable!("a fetch job fetches"),
        }
    }

    async fn put(&self, source: &Path, name: &str) -> Result<Placed, MailboxError> {
        check(name, self.connector.place())?;
        match self.work(&Job::Put { source, name }).await? {
            Done::Put(placed) => Ok(placed),
            _ => unreachable!("a put job puts"),
        }
    }

    async fn wait(&self, at_most: Duration) -> Result<bool, MailboxError> {
        let until = Instant::now() + at_most;
        let mut slot = self.waiting.lock().await;
        let mut trouble = None;
        if let Some(waiting) = slot.as_mut() {
            if !waiting.connection.features.site_wait {
                tokio::time::sleep(at_most.min(POLL)).await;
                return Ok(true);
            }
            match self.await_news(waiting, until).await {
                Ok(news) => return Ok(news),
                Err(fault) => trouble = Some(fault),
            }
        }
        *slot = None;
        if let Some(fault) = trouble {
            tracing::debug!(server = %self.connector.place(), "connecting again to wait: {fault}");
        }
        let legacy = self.tls12_only.load(Ordering::Relaxed);
        match self.connector.connect(legacy).await {
            Ok(connection) => *slot = Some(Waiting { connection, asked: false }),
            Err(fault) => return Err(fault.into_error("mailbox-waiting", self.connector.place(), "out")),
        }
        Ok(true)
    }
}

fn check(name: &str, place: &str) -> Result<(), MailboxError> {
    if local::is_plain_name(name) {
        return Ok(());
    }
    Err(MailboxError::Refused {
        action: "mailbox-placing",
        place: place.to_owned(),
        name: name.escape_debug().to_string(),
        reason: Told::of("mailbox-no-name", &[]),
    })
}
