//! Client certificates of the centres: issued by the city's CA or brought along, compared whole at login.

use std::{
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    config::Config,
    durable_file,
    journal_table::Event,
    messages::Told,
    output::{Exit, Failure},
};
use exchange_format::{participant::ParticipantCode, position::Digest, record::Body};
use jiff::{Timestamp, tz::TimeZone};
use rustls::pki_types::{CertificateDer, UnixTime, pem::PemObject as _};

use super::{enrol::unknown, init::private_directory};
use crate::{
    database::{Tx, centres::ClientCertificate},
    edges::{
        config::HubConfig,
        failure::file,
        ftps_server::check_client_certificate,
        hub::{Hub, open},
        pki::{CityCa, PkiError},
        register::Input,
    },
};

/// What is to become of a centre's client certificate.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// A new key and certificate, written into this directory.
    Issued(&'a Path),
    /// The certificate in this file (PEM), whose key the centre has.
    Pinned(&'a Path),
    /// The one that it has counts no more; until it is given another it cannot log in.
    Revoked,
}

/// What has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The digest that is compared from now on.
    pub certificate: Option<Digest>,
    /// The files that were written: certificate and key.
    pub files: Option<(PathBuf, PathBuf)>,
    /// Whether anything is other than before.
    pub changed: bool,
}

/// Gives the centre `code` a client certificate, or revokes the one that it has. The running server goes by it at
/// once, in open sessions too. A centre that never had one has none to be revoked; one that was revoked is not taken again.
pub fn set(
    config: &Config<HubConfig>,
    code: ParticipantCode,
    wanted: Wanted<'_>,
    actor: &str,
    now: Timestamp,
) -> Result<Done, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    let centre = store.read(|tx| tx.centre(code).map_err(Failure::from))?.ok_or_else(|| unknown(code))?;
    let (certificate, files) = match wanted {
        Wanted::Issued(dir) => {
            let (digest, files) = issue(config, code, dir, now)?;
            (ClientCertificate::Known(digest), Some(files))
        }
        Wanted::Pinned(path) => {
            let digest = read(config, path, now)?;
            if store.read(|tx| was_revoked(tx, code, digest))? {
                let failure = Failure::new(Exit::Refused, "client-certificate-revoked");
                return Err(failure.told("code", code).told("file", path.display()));
            }
            (ClientCertificate::Known(digest), None)
        }
        Wanted::Revoked if centre.certificate == ClientCertificate::None => {
            return Err(Failure::new(Exit::Refused, "no-client-certificate").told("code", code));
        }
        Wanted::Revoked => (ClientCertificate::Revoked, None),
    };
    let changed = centre.certificate != certificate;
    if changed {
        let revoked = certificate == ClientCertificate::Revoked;
        let event = if revoked { "centre.certificate.revoked" } else { "centre.certificate" };
        let digest = certificate.digest().or(centre.certificate.digest());
        let shown = digest.map(|digest| digest.to_string());
        store.write(|tx| {
            tx.set_certificate(code, certificate)?;
            let digests: Vec<Digest> = digest.into_iter().collect();
            tx.journal(&Event {
                at: now,
                actor,
                event,
                subject: code.as_str(),
                rule: "",
                digests: &digests,
            })?;
            context.register(tx, actor, now).note(&Input {
                action: event,
                centre: Some(code),
                value: shown.as_deref(),
                ..Input::default()
            })?;
            Ok::<_, Failure>(())
        })?;
    }
    Ok(Done { certificate: certificate.digest(), files, changed })
}

/// Makes the city's CA anew where it is lost, with the certificate that every centre is to be given: its file, its digest. What is
/// left of the former is kept beside it; one that is there is left alone, and that is refused.
pub fn make_authority(
    config: &Config<HubConfig>,
    actor: &str,
    now: Timestamp,
) -> Result<(PathBuf, Digest), Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    let dir = config.path(&config.pki);
    let [certificate, key] = CityCa::files(&dir);
    match CityCa::open(&dir) {
        Err(PkiError::Lost { .. }) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => {
            return Err(
                Failure::new(Exit::Refused, "hub-authority-there").told("file", certificate.display())
            );
        }
    }
    for name in [&certificate, &key] {
        if name.exists() {
            let kept = name.with_extension(format!("before-{}", now.strftime("%Y%m%dT%H%M%SZ")));
            fs::rename(name, &kept).map_err(file(name))?;
        }
    }
    if !dir.is_dir() {
        private_directory(&dir)?;
    }
    let made = Digest::of(CityCa::make(&dir, now.to_zoned(TimeZone::UTC).date())?.der());
    store.write(|tx| {
        let (event, subject, digests) = ("authority.made", context.code.as_str(), [made]);
        tx.journal(&Event { at: now, actor, event, subject, rule: "", digests: &digests })?;
        Ok::<_, Failure>(())
    })?;
    Ok((certificate, made))
}

/// Makes key and certificate in `dir`. Written before the hub goes by them: a crash between leaves files that
/// nobody knows, never a centre that has none.
fn issue(
    config: &Config<HubConfig>,
    code: ParticipantCode,
    dir: &Path,
    now: Timestamp,
) -> Result<(Digest, (PathBuf, PathBuf)), Failure> {
    let (certificate, key) = (dir.join(format!("{code}.client.pem")), dir.join(format!("{code}.client.key")));
    if let Some(there) = [&certificate, &key].into_iter().find(|path| path.exists()) {
        return Err(Failure::new(Exit::Refused, "hub-exists").told("file", there.display()));
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    let issued = CityCa::open(&config.path(&config.pki))?.issue_client(code.as_str(), today)?;
    if !dir.is_dir() {
        private_directory(dir)?;
    }
    durable_file::create_new(&key, issued.key_pem.as_bytes(), 0o600).map_err(file(&key))?;
    durable_file::create_new(&certificate, issued.certificate_pem.as_bytes(), 0o644)
        .map_err(file(&certificate))?;
    Ok((Digest::of(&issued.certificate_der), (certificate, key)))
}

/// Whether the certificate of `digest` was taken from the centre `code` by a revocation.
fn was_revoked(tx: &Tx<'_>, code: ParticipantCode, digest: Digest) -> Result<bool, Failure> {
    let (code, digest) = (code.to_string(), digest.to_string());
    let is_it = |input: &Body| {
        input.text("centre") == Some(code.as_str()) && input.text("value") == Some(digest.as_str())
    };
    Ok(tx.inputs_of(&["centre.certificate.revoked"])?.iter().any(is_it))
}

/// The digest of the one certificate in the file, which the server must be able to take.
fn read(config: &Config<HubConfig>, path: &Path, now: Timestamp) -> Result<Digest, Failure> {
    let unfit = |why: Told| {
        Failure::new(Exit::Refused, "client-certificate").told("file", path.display()).because("detail", why)
    };
    let text = fs::read(path).map_err(file(path))?;
    let certificate = CertificateDer::from_pem_slice(&text).map_err(|error| unfit((&error).into()))?;
    let ca = CityCa::open(&config.path(&config.pki))?.der().clone();
    let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.as_second().unsigned_abs()));
    check_client_certificate(ca, &certificate, moment).map_err(|error| unfit((&error).into()))?;
    Ok(Digest::of(&certificate))
}
