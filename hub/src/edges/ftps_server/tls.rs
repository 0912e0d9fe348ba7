//! The server's TLS. Each control connection gets its own session store and ticket key, so that a data connection
//! that resumes proves that it comes from the same client. One that does not is refused inside the handshake, by the
//! check of client certificates, which a resumed session does not come to: once a handshake is whole, its client has
//! a ticket, and would pass for the owner the next time.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};

use super::accounts::certificate_digest;

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
pub(super) struct ServerTls {
    config: ServerConfig,
    holder: Option<Arc<KeyHolder>>,
}

impl ServerTls {
    pub fn new(identity: ServerIdentity) -> Result<Self, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider).with_protocol_versions(rustls::ALL_VERSIONS)?;
        let holder = identity.client_ca.map(KeyHolder::new).transpose()?.map(Arc::new);
        let builder = match &holder {
            None => builder.with_no_client_auth(),
            Some(holder) => builder.with_client_cert_verifier(holder.clone()),
        };
        Ok(Self { config: builder.with_single_cert(identity.chain, identity.key)?, holder })
    }

    /// The configuration of one control connection and its data connections.
    pub fn for_connection(&self) -> Result<SessionTls, rustls::Error> {
        let mut config = self.config.clone();
        config.session_storage = ServerSessionMemoryCache::new(16);
        config.ticketer = ring::Ticketer::new()?;
        config.max_tls13_tickets = 8;
        Ok(SessionTls { control: Arc::new(config), holder: self.holder.clone() })
    }
}

/// The TLS of one control connection.
#[derive(Debug, Clone)]
pub(super) struct SessionTls {
    /// For the control connection itself.
    pub control: Arc<ServerConfig>,
    holder: Option<Arc<KeyHolder>>,
}

/// Whose data connection is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// That which resumes the session of the control connection.
    Session,
    /// That too, and one that shows the certificate with this SHA-256.
    Certificate([u8; 32]),
    /// Any.
    Address,
}

/// The TLS of the data connections of one control connection; all share its private ticket key.
#[derive(Debug, Clone)]
pub(super) struct DataTls {
    /// For what the client reads.
    pub sending: Arc<ServerConfig>,
    /// For uploads. A client that only writes (lftp) never reads a ticket sent to it; closing a socket with unread
    /// bytes resets the connection and loses the end of the file. So tickets go there only on request (RFC 9149).
    pub receiving: Arc<ServerConfig>,
}

impl SessionTls {
    /// The configuration of data connections.
    pub fn data(&self, proof: Proof) -> Result<DataTls, rustls::Error> {
        let sending = match proof {
            Proof::Address => (*self.control).clone(),
            Proof::Session => self.wanting(None)?,
            Proof::Certificate(digest) => self.wanting(Some(digest))?,
        };
        let mut receiving = sending.clone();
        receiving.send_tls13_tickets = 0;
        Ok(DataTls { sending: Arc::new(sending), receiving: Arc::new(receiving) })
    }

    /// As the control connection's, but that a full handshake needs the certificate `wanted`.
    fn wanting(&self, wanted: Option<[u8; 32]>) -> Result<ServerConfig, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = OwnerOnly {
            wanted: wanted.zip(self.holder.clone()),
            schemes: provider.signature_verification_algorithms.supported_schemes(),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(self.control.cert_resolver.clone());
        config.session_storage = self.control.session_storage.clone();
        config.ticketer = self.control.ticketer.clone();
        config.max_tls13_tickets = self.control.max_tls13_tickets;
        Ok(config)
    }
}

/// Ends each full handshake that does not show the certificate wanted, before its client has a ticket.
#[derive(Debug)]
struct OwnerOnly {
    wanted: Option<([u8; 32], Arc<KeyHolder>)>,
    schemes: Vec<SignatureScheme>,
}

impl OwnerOnly {
    fn holder(&self) -> Result<&KeyHolder, rustls::Error> {
        let refused = rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        self.wanted.as_ref().map(|(_, holder)| &**holder).ok_or(refused)
    }
}

impl ClientCertVerifier for OwnerOnly {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let holder = self.holder()?;
        if self.wanted.as_ref().is_some_and(|(digest, _)| certificate_digest(end_entity) == *digest) {
            return holder.verify_client_cert(end_entity, intermediates, now);
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.holder()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.holder()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
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
