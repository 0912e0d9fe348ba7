//! The hub's FTPS server: the border between the centres.
//!
//! Explicit TLS (RFC 4217), passive mode, a folder `in` that takes files and a folder `out` that gives them, for
//! each account. A file appears in `in` under its name whole, durable, and never in place of another; that is an
//! event ([`Uploaded`]), so nobody scans. Small on purpose: what is not listed in `command` is 502.
//!
//! The way of a connection: `control` reads lines through `wire`; `session` (with `commands/`) is the machine that
//! says what each line asks for, without sockets or files; `data` and `transfer` move bytes; `jail` holds the two
//! folders; `login_guard`, `password_checks` and `state` keep count over all sessions.

mod accounts;
mod command;
mod commands;
mod config;
mod control;
mod data;
mod files;
mod jail;
mod listing;
mod login_guard;
mod password_checks;
mod place;
mod reply;
mod session;
mod state;
mod tls;
mod transfer;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU16;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use password_checks::PasswordChecks;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub use accounts::{
    Account, Accounts, Binding, HashError, certificate_digest, hash_password, hash_password_with, is_password,
};
pub use config::{ClientCertificates, FtpsConfig};
pub use state::{Announcer, Uploaded};
pub use tls::{ServerIdentity, check_client_certificate};

/// Sessions have so long to say goodbye when the server stops.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum FtpsServerError {
    /// The address is taken or not ours.
    #[error("FTPS cannot listen on {address}: {source}. Next: free the port or change [ftps] listen")]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate and the key do not go together, or one cannot be read.
    #[error("FTPS cannot use its certificate: {0}. Next: remove pki/server.* to have them made again")]
    Certificate(#[from] rustls::Error),
}

/// A server that listens and is not yet run.
pub struct FtpsServer {
    listener: TcpListener,
    shared: Arc<state::Shared>,
    stop: watch::Sender<bool>,
}

impl FtpsServer {
    /// Opens the port. The receiver yields an event for each file that got its final name.
    pub async fn bind(
        config: FtpsConfig,
        identity: ServerIdentity,
        accounts: Arc<dyn Accounts>,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Uploaded>), FtpsServerError> {
        let tls = tls::ServerTls::new(identity)?;
        let address = config.listen;
        let listener =
            TcpListener::bind(address).await.map_err(|source| FtpsServerError::Listen { address, source })?;
        let (uploaded, events) = mpsc::unbounded_channel();
        let (stop, closing) = watch::channel(false);
        let delay = Duration::from_millis(config.failure_delay_ms);
        let guard = login_guard::LoginGuard::new(config.login_failures, config.lock(), delay);
        let shared = state::Shared {
            config,
            accounts,
            tls,
            guard: Mutex::new(guard),
            centres: Arc::default(),
            checks: PasswordChecks::new(),
            uploaded,
            closing,
            next_port: AtomicU16::new(0),
        };
        Ok((Self { listener, shared: Arc::new(shared), stop }, events))
    }

    /// The address that it listens on.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The handle through which the hub tells that a centre's `out` has gained a file.
    pub fn announcer(&self) -> Announcer {
        Announcer(self.shared.centres.clone())
    }

    /// Serves until `shutdown` is done; then says 421 to every session and ends. Uploads that it cuts stay as parts.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut sessions = JoinSet::new();
        let addresses = Arc::new(state::Addresses::default());
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = sessions.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let limit = self.shared.config.max_connections_per_address;
                        match addresses.sit(peer.ip().to_canonical(), limit) {
                            Some(seat) if sessions.len() < self.shared.config.max_connections => {
                                let session = control::serve(self.shared.clone(), stream, peer);
                                sessions.spawn(async move {
                                    session.await;
                                    drop(seat);
                                });
                            }
                            _ => tracing::warn!(address = %peer.ip(), "hung up: too many connections"),
                        }
                    }
                    Err(error) => {
                        // Out of file descriptors: some will be given back.
                        tracing::warn!("accepting failed: {error}");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
        drop(self.listener);
        self.stop.send_replace(true);
        let goodbyes = async { while sessions.join_next().await.is_some() {} };
        if tokio::time::timeout(GOODBYE, goodbyes).await.is_err() {
            sessions.shutdown().await;
        }
    }
}
