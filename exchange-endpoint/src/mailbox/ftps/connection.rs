//! One logged-in control connection: making it, its features, its replies.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{Resumption, TicketRequest};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::FileType;
use suppaftp::{FtpError, Mode, Status};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::FtpsSettings;
use super::fault::Fault;
use crate::mailbox::{MailboxError, Offered, local};
use crate::messages::{self, Told};

/// A warm connection unused for longer is tried with NOOP before it is trusted.
const FRESH: Duration = Duration::from_secs(3);

/// What the server says that it can (FEAT, RFC 2389).
#[derive(Debug, Default)]
pub(super) struct Features {
    pub hash: bool,
    pub mlsd: bool,
    pub site_wait: bool,
}

/// Makes connections to one server.
pub(super) struct Connector {
    settings: FtpsSettings,
    place: String,
    tls: ClientConfig,
    tls12: ClientConfig,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Connector {
    pub fn new(settings: FtpsSettings) -> Result<Self, MailboxError> {
        let place = format!("{}:{}", settings.host, settings.port);
        let config = |versions| {
            client_config(&settings, versions).map_err(|reason| MailboxError::Config {
                place: place.clone(),
                reason,
                next: "mailbox-next-pem",
            })
        };
        let tls = config(rustls::ALL_VERSIONS)?;
        let tls12 = config(&[&rustls::version::TLS12])?;
        Ok(Self { settings, place, tls, tls12 })
    }

    pub fn place(&self) -> &str {
        &self.place
    }

    /// Connects, secures, logs in, asks for features, sets TYPE I.
    pub async fn connect(&self, tls12_only: bool) -> Result<Connection, Fault> {
        let limit = self.settings.timeout;
        let mut tls = if tls12_only { self.tls12.clone() } else { self.tls.clone() };
        // A clone shares the store; four connections over one store break each other's resumption.
        tls.resumption = Resumption::in_memory_sessions(8);
        // A ticket is used once; each data connection must bring its successor, uploads too (RFC 9149).
        tls.send_ticket_request = Some(TicketRequest { new_session_count: 2, resumption_count: 1 });
        let connector = AsyncRustlsConnector::from(tokio_rustls::TlsConnector::from(Arc::new(tls)));

        let address = (self.settings.host.as_str(), self.settings.port);
        let stream =
            within(limit, async { TcpStream::connect(address).await.map_err(FtpError::ConnectionError) })
                .await?;
        stream.set_nodelay(true).map_err(FtpError::ConnectionError)?;
        let ftp = within(limit, AsyncRustlsFtpStream::connect_with_stream(stream)).await?;
        let ftp = within(limit, ftp.into_secure(connector, &self.settings.server_name)).await?;
        let mut ftp = ftp.passive_stream_builder(|address| {
            Box::pin(async move {
                let stream = TcpStream::connect(address).await.map_err(FtpError::ConnectionError)?;
                stream.set_nodelay(true).map_err(FtpError::ConnectionError)?;
                Ok(stream)
            })
        });
        ftp.set_mode(Mode::ExtendedPassive);
        let (user, password) = (self.settings.user.as_str(), self.settings.password.expose_secret());
        within(limit, ftp.login(user, password)).await.map_err(Fault::at_login)?;
        let features = within(limit, ftp.feat()).await.map(|f| Features {
            hash: f.get("HASH").is_some_and(|v| v.as_deref().unwrap_or("").contains("SHA-256")),
            mlsd: f.contains_key("MLST"),
            site_wait: f.get("SITE").is_some_and(|v| v.as_deref().unwrap_or("").contains("WAIT")),
        });
        let features = match features {
            Ok(features) => features,
            Err(fault) if fault.leaves_dialogue_in_step() => Features::default(),
            Err(fault) => return Err(fault),
        };
        within(limit, ftp.transfer_type(FileType::Binary)).await?;
        Ok(Connection { ftp, features, limit, used: Instant::now() })
    }
}

fn client_config(
    settings: &FtpsSettings,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<ClientConfig, Told> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(settings.ca_pem.as_bytes()) {
        let certificate = certificate.map_err(|e| unfit("mailbox-ca", &e))?;
        roots.add(certificate).map_err(|e| unfit("mailbox-ca", &e))?;
    }
    if roots.is_empty() {
        return Err(Told::of("mailbox-ca-empty", &[]));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|e| Told::from(&e))?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &settings.client else { return Ok(builder.with_no_client_auth()) };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| unfit("mailbox-client", &e))?;
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes())
        .map_err(|e| unfit("mailbox-client", &e))?;
    builder.with_client_auth_cert(chain, key).map_err(|e| unfit("mailbox-client", &e))
}

fn unfit(id: &str, cause: impl Into<Told>) -> Told {
    let cause = cause.into();
    Told::new(|lang| messages::text(lang, id, &[("detail", cause.in_lang(lang).into())]))
}

/// A control connection, logged in.
pub(super) struct Connection {
    pub ftp: AsyncRustlsFtpStream,
    pub features: Features,
    /// Limit of each step.
    pub limit: Duration,
    used: Instant,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("features", &self.features).finish_non_exhaustive()
    }
}

impl Connection {
    /// Whether this warm connection can be used; servers close idle ones.
    pub async fn is_alive(&mut self) -> bool {
        let fresh = self.used.elapsed() < FRESH;
        let alive = fresh || within(self.limit, self.ftp.noop()).await.is_ok();
        self.used = Instant::now();
        alive
    }

    /// The length of `path`, `None` if the server knows no such file.
    pub async fn size(&mut self, path: &str) -> Result<Option<u64>, Fault> {
        match within(self.limit, self.ftp.size(path)).await {
            Ok(size) => Ok(Some(size as u64)),
            Err(fault) if matches!(fault.code(), Some(550 | 553)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// SHA-256 of `path` as the server sees it, 64 lower-case hex digits. May take long for a large file.
    pub async fn hash(&mut self, path: &str) -> Result<String, Fault> {
        let asked = self.ftp.custom_command(format!("HASH {path}"), &[Status::File]);
        let reply = within(self.limit * 4, asked).await?;
        let text = String::from_utf8_lossy(&reply.body);
        let is_hash = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
        text.split_ascii_whitespace()
            .find(is_hash)
            .map(str::to_ascii_lowercase)
            .ok_or(Fault::Ftp(FtpError::BadResponse))
    }

    /// The files of `folder`, without parts, by name.
    pub async fn list(&mut self, folder: &str) -> Result<Vec<Offered>, Fault> {
        let mut found = Vec::new();
        if self.features.mlsd {
            let lines = within(self.limit * 4, self.ftp.mlsd(Some(folder))).await?;
            found.extend(lines.iter().filter_map(|line| parse_mlsd(line)));
        } else {
            for path in within(self.limit * 4, self.ftp.nlst(Some(folder))).await? {
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                if let Some(size) = self.size(&format!("{folder}/{name}")).await? {
                    found.push(Offered { name, size });
                }
            }
        }
        found.retain(|f| local::is_plain_name(&f.name) && !local::is_part(&f.name));
        found.sort();
        Ok(found)
    }

    /// Sends `SITE WAIT seconds`; the reply as in [`Self::wait_reply`]. If the caller gives up, the reply is still
    /// to be read.
    pub async fn wait_ask(&mut self, seconds: u64) -> Result<bool, Fault> {
        let expected = [Status::CommandOk, Status::RequestedFileActionOk];
        let asked = self.ftp.custom_command(format!("SITE WAIT {seconds}"), &expected);
        let reply = within(self.limit + Duration::from_secs(seconds), asked).await?;
        Ok(reply.status == Status::RequestedFileActionOk)
    }

    /// Reads the reply to an earlier `SITE WAIT`: `true` if `out` gained a file.
    pub async fn wait_reply(&mut self) -> Result<bool, Fault> {
        let expected = [Status::CommandOk, Status::RequestedFileActionOk];
        let limit = self.limit + Duration::from_secs(super::WAIT_S);
        let reply = within(limit, self.ftp.read_response_in(&expected)).await?;
        Ok(reply.status == Status::RequestedFileActionOk)
    }
}

/// One line of MLSD (RFC 3659 §7) that is a file: `type=file;size=5; NAME`.
fn parse_mlsd(line: &str) -> Option<Offered> {
    let (facts, name) = line.split_once(' ')?;
    let fact = |wanted: &str| {
        let mut pairs = facts.split(';').filter_map(|f| f.split_once('='));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let is_file = fact("type").is_some_and(|t| t.eq_ignore_ascii_case("file"));
    is_file.then(|| Some(Offered { name: name.to_owned(), size: fact("size")?.parse().ok()? }))?
}

/// Runs one step of the dialogue under its limit.
pub(super) async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, FtpError>>,
) -> Result<T, Fault> {
    match timeout(limit, step).await {
        Ok(result) => result.map_err(Fault::Ftp),
        Err(_) => Err(Fault::Silent(limit)),
    }
}
