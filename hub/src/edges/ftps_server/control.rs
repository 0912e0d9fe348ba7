//! Driving one control connection: reading lines, carrying out the steps of the session machine.

mod login;
mod transferring;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use exchange_endpoint::stray::loggable;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::accounts::{self, Account};
use super::data::Gate;
use super::files;
use super::jail::Jail;
use super::reply::Reply;
use super::session::{FileTask, Session, Step};
use super::state::{Seat, Shared, Uploaded};
use super::tls::SessionTls;
use super::wire::{Wire, WireError};

/// The session is over.
struct Over;

impl From<WireError> for Over {
    fn from(_: WireError) -> Self {
        Self
    }
}

/// Serves one client until it leaves, idles, or the server stops.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    let Ok(tls) = shared.tls.for_connection() else { return };
    let mut session = Session::new();
    let start = Instant::now();
    let greeted = timeout(shared.config.login(), greet(&shared, &mut session, stream, &tls)).await;
    let Ok(Ok(wire)) = greeted else { return };
    session.secured();
    let mut control = Control {
        closing: shared.closing.clone(),
        shared,
        wire,
        session,
        tls,
        peer,
        start,
        login: None,
        gate: None,
        held: None,
    };
    let _over = control.run().await;
    let limit = control.shared.config.stall();
    control.wire.close(limit).await;
}

/// The plain-text beginning, up to TLS: nothing but AUTH TLS leads on.
async fn greet(
    shared: &Shared,
    session: &mut Session,
    stream: TcpStream,
    tls: &SessionTls,
) -> Result<Wire<TlsStream<TcpStream>>, Over> {
    let limit = shared.config.stall();
    stream.set_nodelay(true).map_err(|_| Over)?;
    let mut wire = Wire::new(stream);
    wire.send(&Reply::new(220, "Svod: AUTH TLS, please"), limit).await?;
    loop {
        let line = match wire.next_line().await {
            Ok(line) => line.ok_or(Over)?,
            Err(error) => {
                wire.send(&Reply::new(500, error.to_string()), limit).await?;
                return Err(Over);
            }
        };
        match session.handle(&line) {
            // What was sent in plain text behind AUTH would be taken for what came under TLS.
            Step::StartTls if wire.has_more() => {
                wire.send(&Reply::new(503, "Nothing may follow AUTH TLS before its answer"), limit).await?;
                return Err(Over);
            }
            Step::StartTls => {
                wire.send(&Reply::new(234, "Begin TLS"), limit).await?;
                let stream = TlsAcceptor::from(tls.control.clone()).accept(wire.into_stream()).await;
                return Ok(Wire::new(stream.map_err(|_| Over)?));
            }
            Step::Reply(reply) => wire.send(&reply, limit).await?,
            Step::Close(reply) => {
                wire.send(&reply, limit).await?;
                return Err(Over);
            }
            _ => wire.send(&Reply::new(530, "AUTH TLS first"), limit).await?,
        }
    }
}

/// A control connection under TLS.
struct Control {
    shared: Arc<Shared>,
    wire: Wire<TlsStream<TcpStream>>,
    session: Session,
    tls: SessionTls,
    peer: SocketAddr,
    start: Instant,
    login: Option<Login>,
    gate: Option<Gate>,
    /// A line that came during a transfer or a wait, to be taken next.
    held: Option<Vec<u8>>,
    closing: watch::Receiver<bool>,
}

/// What a login gives.
struct Login {
    account: Account,
    jail: Arc<Jail>,
    seat: Seat,
    news: watch::Receiver<u64>,
}

impl Control {
    async fn run(&mut self) -> Result<(), Over> {
        loop {
            let line = match self.held.take() {
                Some(line) => line,
                None => self.read_line().await?,
            };
            let step = self.session.handle(&line);
            if self.login.is_some() && !matches!(step, Step::Close(_)) && !self.is_still_welcome().await? {
                return self.no_longer_welcome().await;
            }
            match step {
                Step::Reply(reply) => self.say(&reply).await?,
                Step::Close(reply) => return self.end(reply).await,
                Step::StartTls => self.say(&Reply::new(503, "TLS is on already")).await?,
                Step::Login { user, password } => self.log_in(user, password).await?,
                Step::Passive { extended } => self.open_gate(extended).await?,
                Step::File(task) => self.file(task).await?,
                Step::Transfer(transfer) => self.transfer(transfer).await?,
                Step::Wait(at_most) => self.wait(at_most).await?,
            }
        }
    }

    async fn say(&mut self, reply: &Reply) -> Result<(), Over> {
        let limit = self.shared.config.stall();
        Ok(self.wire.send(reply, limit).await?)
    }

    async fn end(&mut self, reply: Reply) -> Result<(), Over> {
        self.say(&reply).await?;
        Err(Over)
    }

    async fn read_line(&mut self) -> Result<Vec<u8>, Over> {
        let limit = match self.login {
            Some(_) => self.shared.config.idle(),
            None => self.shared.config.login().saturating_sub(self.start.elapsed()),
        };
        let last = tokio::select! {
            line = timeout(limit, self.wire.next_line()) => match line {
                Ok(Ok(Some(line))) => return Ok(line),
                Ok(Ok(None)) => return Err(Over),
                Ok(Err(error)) => Reply::new(500, error.to_string()),
                Err(_) => Reply::new(421, "Too long without a command"),
            },
            () = stopping(&mut self.closing) => Reply::new(421, "The server stops"),
        };
        self.say(&last).await?;
        Err(Over)
    }

    /// A centre disabled while it is logged in, or whose password or certificate no longer counts, does nothing more.
    async fn is_still_welcome(&self) -> Result<bool, Over> {
        let then = self.login.as_ref().ok_or(Over)?.account.clone();
        let (accounts, shown) = (self.shared.accounts.clone(), self.certificate());
        let asked = tokio::task::spawn_blocking(move || {
            let now = accounts.account(&then.centre);
            accounts::may_go_on(&then, now.as_ref(), shown.as_ref().map(AsRef::as_ref))
        });
        Ok(asked.await.expect("a look at the accounts does not panic"))
    }

    async fn no_longer_welcome(&mut self) -> Result<(), Over> {
        tracing::warn!(address = %self.peer.ip(), "a session ends: its login is no longer valid");
        self.end(Reply::new(421, "This login is no longer valid")).await
    }

    /// The client certificate that the TLS handshake has shown; who shows it has its key.
    fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.wire.get_ref().get_ref().1.peer_certificates().and_then(|chain| chain.first()).cloned()
    }

    async fn open_gate(&mut self, extended: bool) -> Result<(), Over> {
        let local = self.wire.get_ref().get_ref().0.local_addr().map_err(|_| Over)?.ip().to_canonical();
        let opened =
            Gate::open(&self.shared, local).await.and_then(|gate| Ok((gate.address()?.port(), gate)));
        let (port, gate) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::warn!("no port for a data connection: {error}");
                return self.say(&Reply::new(421, "No port is free for data")).await;
            }
        };
        let shown = self.shared.config.passive_address.map_or(local, Into::into);
        let reply = match (extended, shown) {
            (true, _) => Reply::new(229, format!("Extended passive mode (|||{port}|)")),
            (false, std::net::IpAddr::V4(address)) => {
                let [a, b, c, d] = address.octets();
                Reply::new(227, format!("Passive mode ({a},{b},{c},{d},{},{})", port >> 8, port & 255))
            }
            (false, _) => return self.say(&Reply::new(425, "EPSV, please: this is IPv6")).await,
        };
        self.gate = Some(gate);
        self.say(&reply).await
    }

    async fn file(&mut self, task: FileTask) -> Result<(), Over> {
        let Some(login) = &self.login else { return Err(Over) };
        let claim = match &task {
            FileTask::Rename { part, .. } | FileTask::Delete(part) => match login.seat.0.claim(part) {
                Some(claim) => Some(claim),
                None => return self.say(&Reply::new(450, "This part is being written")).await,
            },
            _ => None,
        };
        let published = match &task {
            FileTask::Rename { name, .. } => Some(name.clone()),
            _ => None,
        };
        let jail = login.jail.clone();
        let done = tokio::task::spawn_blocking(move || files::perform(&jail, &task));
        let reply = done.await.expect("file work does not panic");
        drop(claim);
        if let Some(name) = published.filter(|_| reply.code == 250) {
            self.announce(name);
        }
        self.say(&reply).await
    }

    /// The event goes out before the reply: who has the reply may rely on it.
    fn announce(&self, name: String) {
        let Some(login) = &self.login else { return };
        let centre = login.account.centre.clone();
        tracing::info!(centre, file = loggable(&name), "uploaded");
        // Nobody listens when the hub is stopping; the file is found at its next start.
        let _ = self.shared.uploaded.send(Uploaded { centre, name });
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), Over> {
        let Some(login) = &mut self.login else { return Err(Over) };
        let reply = tokio::select! {
            changed = login.news.changed() => match changed {
                Ok(()) => Reply::new(250, "out has gained a file"),
                Err(_) => Reply::new(421, "The server stops"),
            },
            () = sleep(at_most) => Reply::new(200, "Nothing new"),
            line = self.wire.next_line() => {
                self.held = Some(line?.ok_or(Over)?);
                Reply::new(200, "Nothing new so far")
            }
            () = stopping(&mut self.closing) => Reply::new(421, "The server stops"),
        };
        self.say(&reply).await
    }
}

/// Ends when the server stops.
async fn stopping(closing: &mut watch::Receiver<bool>) {
    // An error means that the server is gone already.
    let _ = closing.wait_for(|closing| *closing).await;
}
