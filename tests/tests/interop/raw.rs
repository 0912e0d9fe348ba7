//! A client that says exactly what a test wants, wrong things too.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::{Resumption, TicketRequest};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use svod_hub::edges::pki::Issued;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::city::{City, LONG, PASSWORD};

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub struct Raw {
    stream: BufReader<Box<dyn Stream>>,
    address: SocketAddr,
    tls: Arc<ClientConfig>,
}

/// A TLS configuration with a session store of its own.
pub fn tls(city: &City, client: Option<&Issued>) -> Arc<ClientConfig> {
    tls_of(city, client, rustls::DEFAULT_VERSIONS)
}

/// The same with these versions only.
pub fn tls_of(
    city: &City,
    client: Option<&Issued>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(city.ca.der().clone()).expect("a CA");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(issued) => {
            let chain = vec![CertificateDer::from(issued.certificate_der.to_vec())];
            let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).expect("a key");
            builder.with_client_auth_cert(chain, key).expect("a client certificate")
        }
    };
    config.resumption = Resumption::in_memory_sessions(8);
    config.send_ticket_request = Some(TicketRequest { new_session_count: 2, resumption_count: 1 });
    Arc::new(config)
}

async fn handshake(tls: &Arc<ClientConfig>, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").expect("a name");
    timeout(LONG, TlsConnector::from(tls.clone()).connect(name, stream)).await.expect("in time")
}

impl Raw {
    /// Connects and reads the greeting; no TLS yet.
    pub async fn plain(city: &City) -> Self {
        let stream = TcpStream::connect(city.address).await.expect("connects");
        let stream: Box<dyn Stream> = Box::new(stream);
        let mut raw = Self { stream: BufReader::new(stream), address: city.address, tls: tls(city, None) };
        assert_eq!(raw.reply().await.0, 220);
        raw
    }

    /// Connects up to TLS, PBSZ and PROT P.
    pub async fn secure(city: &City, tls: Arc<ClientConfig>) -> std::io::Result<Self> {
        let mut stream = BufReader::new(TcpStream::connect(city.address).await?);
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        stream.write_all(b"AUTH TLS\r\n").await?;
        line.clear();
        stream.read_line(&mut line).await?;
        assert!(line.starts_with("234"), "{line}");
        let stream: Box<dyn Stream> = Box::new(handshake(&tls, stream.into_inner()).await?);
        let mut raw = Self { stream: BufReader::new(stream), address: city.address, tls };
        raw.expect("PBSZ 0", 200).await;
        raw.expect("PROT P", 200).await;
        Ok(raw)
    }

    pub async fn login(city: &City, user: &str) -> Self {
        let mut raw = Self::secure(city, tls(city, None)).await.expect("TLS");
        assert_eq!(raw.try_login(user, PASSWORD).await, 230);
        raw
    }

    pub async fn try_login(&mut self, user: &str, password: &str) -> u16 {
        self.expect(&format!("USER {user}"), 331).await;
        self.command(&format!("PASS {password}")).await.0
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("sent");
        self.stream.flush().await.expect("sent");
    }

    /// One reply: its code and all its text. Code 0 at the end of the stream.
    pub async fn reply(&mut self) -> (u16, String) {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            let read = timeout(LONG, self.stream.read_line(&mut line)).await.expect("a reply in time");
            if read.unwrap_or(0) == 0 {
                return (0, all);
            }
            all += &line;
            if line.as_bytes().get(3) == Some(&b' ') && line[..3].bytes().all(|b| b.is_ascii_digit()) {
                return (line[..3].parse().expect("digits"), all);
            }
        }
    }

    pub async fn command(&mut self, line: &str) -> (u16, String) {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    pub async fn expect(&mut self, line: &str, code: u16) -> String {
        let (seen, text) = self.command(line).await;
        assert_eq!(seen, code, "{line}: {text}");
        text
    }

    /// EPSV and the TCP connection to the port; no TLS yet.
    pub async fn data_port(&mut self) -> TcpStream {
        let text = self.expect("EPSV", 229).await;
        let port = text.split('|').nth(3).expect("a port").parse().expect("a number");
        TcpStream::connect((self.address.ip(), port)).await.expect("connects")
    }

    /// TLS on a data connection, resuming this control connection's session.
    pub async fn protect(&self, stream: TcpStream) -> TlsStream<TcpStream> {
        handshake(&self.tls, stream).await.expect("TLS")
    }

    /// TLS on a data connection as somebody else would make it.
    pub async fn protect_as_stranger(
        city: &City,
        stream: TcpStream,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        Self::protect_with(&tls(city, None), stream).await
    }

    /// TLS on a data connection by a client with these sessions.
    pub async fn protect_with(
        tls: &Arc<ClientConfig>,
        stream: TcpStream,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        handshake(tls, stream).await
    }

    /// A whole upload; the last reply's code.
    pub async fn store(&mut self, command: &str, bytes: &[u8]) -> u16 {
        let port = self.data_port().await;
        let (code, _) = self.command(command).await;
        if code != 150 {
            return code;
        }
        let mut data = self.protect(port).await;
        // A refusal on the way cuts the connection; the reply tells.
        let _ = data.write_all(bytes).await;
        let _ = data.shutdown().await;
        // Unread tickets would make the system reset the connection, and the next upload has none to resume with.
        let _ = data.read_to_end(&mut Vec::new()).await;
        drop(data);
        self.reply().await.0
    }
}
