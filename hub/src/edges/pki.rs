//! The city's certificates: one CA, made once, whose certificate the centres pin; the server's certificate, made
//! anew at each start; client certificates for centres that want them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use exchange_endpoint::{durable_file, messages::Told};
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ftps_server::ServerIdentity;

/// Private keys are their owner's alone.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// The CA's certificate and its key.
const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

/// What may go wrong with certificates.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The city's CA is not there.
    #[error("{path} is gone")]
    Lost {
        /// Its certificate or its key.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not what its name says.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: Told,
    },
    /// A certificate could not be made.
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
}

/// What is no certificate or key, in words of ours and those of who reads it.
fn unfit(error: &rcgen::Error) -> Told {
    Told::of("pki-unfit", &[("said", error.to_string().into())])
}

/// A certificate and its private key, PEM. Not printed.
pub struct Issued {
    /// The certificate.
    pub certificate_pem: String,
    /// The private key.
    pub key_pem: String,
    /// The certificate, DER: what an account's `client_certificate` is the digest of.
    pub certificate_der: CertificateDer<'static>,
}

/// The city's CA, loaded from `pki/ca.pem` and `pki/ca.key`.
pub struct CityCa {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
}

impl CityCa {
    /// The certificate and the key of the CA in `dir`.
    pub fn files(dir: &Path) -> [PathBuf; 2] {
        [CERTIFICATE, KEY].map(|name| dir.join(name))
    }

    /// Makes a CA in `dir`, valid for twenty years from `today`, in the place of what is there.
    pub fn make(dir: &Path, today: Date) -> Result<Self, PkiError> {
        fs::create_dir_all(dir).map_err(|source| PkiError::File { path: dir.to_owned(), source })?;
        let pair = KeyPair::generate()?;
        let made = ca_params(today).self_signed(&pair)?;
        let [certificate, key] = Self::files(dir);
        write(&key, &pair.serialize_pem(), SECRET)?;
        write(&certificate, &made.pem(), PUBLIC)?;
        Self::open(dir)
    }

    /// The CA of `dir`. One that is lost is never made anew unasked: every centre pins the one that it was given.
    pub fn open(dir: &Path) -> Result<Self, PkiError> {
        if let Some(path) = Self::files(dir).into_iter().find(|path| !path.exists()) {
            return Err(PkiError::Lost { path });
        }
        let [certificate, key] = Self::files(dir);
        let (pem, key_pem) = (read(&certificate)?, read(&key)?);
        let bad = |path: &Path| {
            let path = path.to_owned();
            move |error: rcgen::Error| PkiError::Content { path, reason: unfit(&error) }
        };
        let pair = KeyPair::from_pem(&key_pem).map_err(bad(&key))?;
        let issuer = Issuer::from_ca_cert_pem(&pem, pair).map_err(bad(&certificate))?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|e| PkiError::Content { path: certificate, reason: (&e).into() })?;
        Ok(Self { pem, issuer, der })
    }

    /// The CA's certificate, PEM: what centres pin.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The CA's certificate, DER: what client certificates are checked against.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// A client certificate for the centre `code`, valid for two years from `today`.
    pub fn issue_client(&self, code: &str, today: Date) -> Result<Issued, PkiError> {
        let mut params = leaf_params(code, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)?;
        valid(&mut params, today, 2.years());
        self.issue(&params)
    }

    /// The server's certificate for `localhost`, `127.0.0.1` and `names`, valid as long as the CA is (RFC 5280, 4.1.2.5: no
    /// end of its own), whatever the clock says today, written to `dir/server.pem` and `dir/server.key`.
    pub fn issue_server(&self, dir: &Path, names: &[String]) -> Result<ServerIdentity, PkiError> {
        let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        all.extend(names.iter().filter(|n| !matches!(n.as_str(), "localhost" | "127.0.0.1")).cloned());
        let mut params = leaf_params("svod-hub", all, ExtendedKeyUsagePurpose::ServerAuth)?;
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(9999, 12, 31));
        let issued = self.issue(&params)?;
        write(&dir.join("server.key"), &issued.key_pem, SECRET)?;
        write(&dir.join("server.pem"), &issued.certificate_pem, PUBLIC)?;
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes())
            .map_err(|e| PkiError::Content { path: dir.join("server.key"), reason: (&e).into() })?;
        Ok(ServerIdentity { chain: vec![issued.certificate_der], key, client_ca: Some(self.der.clone()) })
    }

    fn issue(&self, params: &CertificateParams) -> Result<Issued, PkiError> {
        let pair = KeyPair::generate()?;
        let certificate: Certificate = params.signed_by(&pair, &self.issuer)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            key_pem: pair.serialize_pem(),
            certificate_der: certificate.der().clone(),
        })
    }
}

fn ca_params(today: Date) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Svod city CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, today, 20.years());
    params
}

fn leaf_params(
    name: &str,
    subject_names: Vec<String>,
    usage: ExtendedKeyUsagePurpose,
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::new(subject_names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// From the day before, since clocks differ.
fn valid(params: &mut CertificateParams, today: Date, term: Span) {
    let moment = |date: Date| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        date_time_ymd(date.year().into(), month, day)
    };
    params.not_before = moment(today.saturating_sub(1.day()));
    params.not_after = moment(today.saturating_add(term));
}

fn read(path: &Path) -> Result<String, PkiError> {
    fs::read_to_string(path).map_err(|source| PkiError::File { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), PkiError> {
    durable_file::replace(path, text.as_bytes(), mode)
        .map_err(|source| PkiError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use jiff::tz::TimeZone;
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        pki_types::UnixTime,
    };

    use super::*;

    #[test]
    fn the_ca_is_made_once_and_its_key_is_kept_secret() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("temp dir");
        let today = jiff::civil::date(2026, 11, 22);
        let first = CityCa::make(dir.path(), today).expect("made").pem().to_owned();
        let again = CityCa::open(dir.path()).expect("loaded");
        assert_eq!(first, again.pem());
        let server = again.issue_server(dir.path(), &["hub.example".into()]).expect("issued");
        for name in ["ca.key", "server.key"] {
            let mode = fs::metadata(dir.path().join(name)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        // a hub that was started long ago, or with a wrong clock, is believed as long as the CA is
        let mut roots = RootCertStore::empty();
        roots.add(again.der().clone()).expect("a CA");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let verifier = verifier.expect("a verifier");
        let name = "hub.example".try_into().expect("a name");
        for years in [0, 19] {
            let moment = today.saturating_add(years.years()).to_zoned(TimeZone::UTC).expect("a moment");
            let since = u64::try_from(moment.timestamp().as_second()).expect("after 1970");
            let at = UnixTime::since_unix_epoch(Duration::from_secs(since));
            let answer = verifier.verify_server_cert(&server.chain[0], &[], &name, &[], at);
            assert!(answer.is_ok(), "{years}: {answer:?}");
        }
    }

    #[test]
    fn a_damaged_ca_is_named() {
        let dir = tempfile::tempdir().expect("temp dir");
        let today = jiff::civil::date(2026, 11, 22);
        CityCa::make(dir.path(), today).expect("made");
        fs::write(dir.path().join("ca.key"), "rubbish").expect("written");
        let error = CityCa::open(dir.path()).err().expect("refused");
        assert!(error.to_string().contains("ca.key"), "{error}");
    }
}
