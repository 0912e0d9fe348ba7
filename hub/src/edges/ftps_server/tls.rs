//! The server's TLS. Each control connection gets its own session store and ticket key, so that a data connection
//! that resumes proves that it comes from the same client.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};

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
        let builder =
            ServerConfig::builder_with_provider(provider).with_protocol_versions(rustls::ALL_VERSIONS)?;
        let builder = match identity.client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => builder.with_client_cert_verifier(Arc::new(KeyHolder::new(ca)?)),
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

/// Asks for a client certificate and proves that the client holds its key. Whose it is the login says, by exact
/// match; so a certificate of another issuer may be pinned as well. One of the city's CA must be good besides.
#[derive(Debug)]
struct KeyHolder(Arc<dyn ClientCertVerifier>);

impl KeyHolder {
    fn new(ca: CertificateDer<'static>) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(ca)?;
        let provider = Arc::new(ring::default_provider());
        let inner = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))?;
        Ok(Self(inner))
    }
}

impl ClientCertVerifier for KeyHolder {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: with hints a client would not show a certificate of another issuer.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        use CertificateError::{BadSignature, UnknownIssuer};
        match self.0.verify_client_cert(end_entity, intermediates, now) {
            // another issuer, perhaps under the name of this city's
            Err(rustls::Error::InvalidCertificate(UnknownIssuer | BadSignature)) => {
                Ok(ClientCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Whether the server would take `certificate` from a client at `now`: an end entity's, valid then.
pub fn check_client_certificate(
    ca: CertificateDer<'static>,
    certificate: &CertificateDer<'_>,
    now: UnixTime,
) -> Result<(), rustls::Error> {
    KeyHolder::new(ca)?.verify_client_cert(certificate, &[], now).map(drop)
}
