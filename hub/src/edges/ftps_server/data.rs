//! A data connection: a port opened by PASV or EPSV, one client taken, its TLS and its right to be here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::accounts::{Account, Binding};
use super::reply::Reply;
use super::state::Shared;
use super::tls::{DataTls, Proof, SessionTls};

/// An open port.
#[derive(Debug)]
pub(super) struct Gate(TcpListener);

/// Whose data connection is expected.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub address: IpAddr,
    pub tls: DataTls,
}

impl Owner {
    pub fn new(account: &Account, address: IpAddr, tls: &SessionTls) -> Result<Self, rustls::Error> {
        let proof = match (account.binding, account.client_certificate) {
            (Binding::ResumedSession, _) => Proof::Session,
            (Binding::SameAddress, Some(digest)) => Proof::Certificate(digest),
            (Binding::SameAddress, None) => Proof::Address,
        };
        Ok(Self { address, tls: tls.data(proof)? })
    }
}

impl Gate {
    /// Opens a port on `address`, within the configured range.
    pub async fn open(shared: &Shared, address: IpAddr) -> io::Result<Self> {
        let (first, last) = shared.config.passive_ports;
        if first == 0 || last < first {
            return TcpListener::bind((address, 0)).await.map(Self);
        }
        let count = u32::from(last - first) + 1;
        let start = u32::from(shared.next_port.fetch_add(1, Ordering::Relaxed));
        let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
        for n in 0..count {
            let port = u32::from(first) + (start + n) % count;
            let port = u16::try_from(port).expect("a port between two ports");
            match TcpListener::bind((address, port)).await {
                Ok(listener) => return Ok(Self(listener)),
                Err(error) => taken = error,
            }
        }
        Err(taken)
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Takes the owner's connection; each step has `limit` of time, and a bad one is an answer, not a hang.
    pub async fn admit(
        self,
        owner: &Owner,
        tls: &Arc<ServerConfig>,
        limit: Duration,
    ) -> Result<TlsStream<TcpStream>, Reply> {
        let accept = async {
            loop {
                match self.0.accept().await {
                    // Strangers are hung up on; the owner may still be on its way.
                    Ok((stream, peer)) if peer.ip().to_canonical() == owner.address.to_canonical() => {
                        return Ok(stream);
                    }
                    Ok(_) => {}
                    Err(error) => return Err(error),
                }
            }
        };
        let Ok(Ok(stream)) = timeout(limit, accept).await else {
            return Err(Reply::new(425, "No data connection came"));
        };
        let failed = || Reply::new(522, "TLS did not come about on the data connection");
        stream.set_nodelay(true).map_err(|_| failed())?;
        let handshake = TlsAcceptor::from(tls.clone()).accept(stream);
        timeout(limit, handshake).await.map_err(|_| failed())?.map_err(|error| {
            if !is_strangers(&error) {
                return failed();
            }
            tracing::warn!(address = %owner.address, "a data connection did not prove whose it is");
            Reply::new(522, "The data connection must resume the TLS session of the control connection")
        })
    }
}

/// Whether a full handshake was refused.
fn is_strangers(error: &io::Error) -> bool {
    use rustls::Error::{InvalidCertificate, NoCertificatesPresented};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(NoCertificatesPresented | InvalidCertificate(_)))
}
