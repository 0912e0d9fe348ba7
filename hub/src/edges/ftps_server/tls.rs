//! The server's TLS. Each control connection gets its own session store and ticket key, so that a data connection
//! that resumes proves that it comes from the same client.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};

/// The certificate that the server shows, and whose client certificates it looks at.
#[derive(Debug)]
pub struct ServerIdentity {
    /// Certificate chain, the server's own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// The CA of the centres' client certificates; without one no client certificate is asked for.
    pub client_ca: Option<CertificateDer<'static>>,
}

/// The configuration that connections are given a copy of.
#[derive(Debug)]
pub(super) struct ServerTls(ServerConfig);

impl ServerTls {
    pub fn new(identity: ServerIdentity) -> Result<Self, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(rustls::ALL_VERSIONS)?;
        let builder = match identity.client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add(ca)?;
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|e| rustls::Error::General(e.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        Ok(Self(builder.with_single_cert(identity.chain, identity.key)?))
    }

    /// The configuration of one control connection and its data connections.
    pub fn for_connection(&self) -> Result<SessionTls, rustls::Error> {
        let mut config = self.0.clone();
        config.session_storage = ServerSessionMemoryCache::new(16);
        config.ticketer = ring::Ticketer::new()?;
        config.max_tls13_tickets = 8;
        let mut uploads = config.clone();
        uploads.send_tls13_tickets = 0;
        Ok(SessionTls { sending: Arc::new(config), receiving: Arc::new(uploads) })
    }
}

/// One client's TLS; both share one private ticket key.
#[derive(Debug, Clone)]
pub(super) struct SessionTls {
    /// For the control connection and for what the client reads.
    pub sending: Arc<ServerConfig>,
    /// For uploads. A client that only writes (lftp) never reads a ticket sent to it; closing a socket with unread
    /// bytes resets the connection and loses the end of the file. So tickets go there only on request (RFC 9149).
    pub receiving: Arc<ServerConfig>,
}
