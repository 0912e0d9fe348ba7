//! A new hub, and the centres that it knows.

use std::{fs, path::Path};

use exchange_endpoint::{
    config::Config,
    durable_file,
    journal_table::Event,
    keys::{CardWords, OwnKeys},
    output::{Exit, Failure},
    trust::Trust,
    watermark::Watermark,
};
use exchange_format::participant::ParticipantCode;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde::Serialize;

use super::{OperationError, operator};
use crate::{
    database::{Store, centres::Centre},
    edges::{
        config::{self, HubConfig},
        ftps_server::hash_password,
        hub::{Hub, HubError, WATERMARK, at},
        pki::CityCa,
        register::Input,
    },
};

/// Kemerovo: the municipality of the demonstration; a real hub says its own.
const OKTMO: &str = "32701000";

/// What a new hub is.
#[derive(Debug, Clone)]
pub struct NewHub<'a> {
    /// Where it is made.
    pub dir: &'a Path,
    /// Its code.
    pub code: ParticipantCode,
    /// Its name for people.
    pub name: &'a str,
    /// The municipality of case numbers.
    pub oktmo: Option<&'a str>,
    /// `address:port` of its FTPS server.
    pub listen: &'a str,
}

/// A participant's card, told.
#[derive(Debug, Clone, Serialize)]
pub struct CardTold {
    /// Whose it is.
    pub code: String,
    /// The name on it.
    pub name: String,
    /// The file.
    pub card: String,
    /// What is told on another way.
    pub fingerprint: String,
    /// The configuration file.
    pub config: String,
}

/// Makes a hub: configuration, keys, certificates, folders, database, card.
pub fn init(new: &NewHub<'_>, now: Timestamp) -> Result<CardTold, OperationError> {
    let NewHub { dir, code, .. } = *new;
    let path = dir.join("svod-hub.toml");
    if path.exists() {
        return Err(Failure::new(Exit::Usage, "hub-exists").told("file", path.display()).into());
    }
    for folder in ["trust", "ftp", "archive", "quarantine", "protocols"] {
        let folder = dir.join(folder);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    let ca = CityCa::open(&dir.join("pki"), today).map_err(|error| told(&dir.join("pki"), &error))?;
    let words = CardWords {
        name: new.name.to_owned(),
        valid_from: today,
        valid_until: today.checked_add(3.years()).unwrap_or(today),
        tls_ca: Some(ca.pem().to_owned()),
    };
    let keys = OwnKeys::create(&dir.join("keys"), code, words).map_err(Failure::from)?;
    Watermark::create(&dir.join("keys").join(WATERMARK)).map_err(HubError::from)?;
    let card = dir.join(format!("{code}.card"));
    durable_file::create_new(&card, keys.card.to_bytes(), 0o644).map_err(at(&card))?;
    Store::create(&dir.join("hub.db"))?;
    let text = config::template(code, new.name, new.oktmo.unwrap_or(OKTMO), new.listen);
    durable_file::create_new(&path, text.as_bytes(), 0o644).map_err(at(&path))?;
    Ok(CardTold {
        code: code.to_string(),
        name: new.name.to_owned(),
        card: card.display().to_string(),
        fingerprint: keys.card.fingerprint(),
        config: path.display().to_string(),
    })
}

fn told(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Temporary, "hub-file").told("file", path.display()).told("detail", error)
}

/// The hub's own card.
pub fn card(hub: &Hub, config: &Config<HubConfig>) -> CardTold {
    let card = &hub.context.keys.card;
    CardTold {
        code: card.content.code.to_string(),
        name: card.content.name.clone(),
        card: config.path(Path::new(&format!("{}.card", card.content.code))).display().to_string(),
        fingerprint: card.fingerprint(),
        config: config.file().display().to_string(),
    }
}

/// A centre, told.
#[derive(Debug, Clone, Serialize)]
pub struct CentreTold {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Whether it may exchange.
    pub active: bool,
    /// Whether its initial load was merged.
    pub merged: bool,
    /// Of its card.
    pub fingerprint: String,
}

impl From<Centre> for CentreTold {
    fn from(centre: Centre) -> Self {
        let Centre { code, name, fingerprint, active, merged, .. } = centre;
        Self { code: code.to_string(), name, active, merged, fingerprint }
    }
}

/// Takes a centre's card, checked against the fingerprint told on another way, and its FTPS password; makes
/// its folders.
pub fn add_centre(
    hub: &mut Hub,
    card: &Path,
    fingerprint: &str,
    password_file: &Path,
    now: Timestamp,
) -> Result<CentreTold, OperationError> {
    let card = Trust::read_told(card, fingerprint).map_err(Failure::from)?;
    card.check_valid_on(now.to_zoned(TimeZone::UTC).date()).map_err(Failure::from)?;
    let code = card.content.code;
    if code == hub.context.code {
        return Err(Failure::new(Exit::Refused, "centre-is-hub").told("code", code).into());
    }
    let password = fs::read_to_string(password_file).map_err(|error| {
        Failure::new(Exit::Usage, "password-file").told("file", password_file.display()).told("detail", error)
    })?;
    let password = password.trim_end_matches(['\n', '\r']);
    if password.chars().count() < 8 {
        return Err(Failure::new(Exit::Refused, "password-short")
            .told("file", password_file.display())
            .into());
    }
    let password = hash_password(password).map_err(|error| Failure::bug(&error))?;
    let centre = Centre {
        code,
        name: card.content.name.clone(),
        card: format!("{code}.card"),
        fingerprint: card.fingerprint(),
        password,
        active: true,
        merged: false,
    };
    for folder in [hub.context.paths.inbox(code), hub.context.paths.outbox(code)] {
        fs::create_dir_all(&folder).map_err(at(&folder))?;
    }
    hub.context.trust.add(card).map_err(Failure::from)?;
    note_centre(hub, &centre, "centre.add", now)?;
    Ok(centre.into())
}

/// Shuts a centre out: it cannot log in, and nothing is taken from it or sealed for it.
pub fn disable_centre(
    hub: &mut Hub,
    code: ParticipantCode,
    now: Timestamp,
) -> Result<CentreTold, OperationError> {
    let found = hub.store.read(|tx| tx.centre(code))?;
    let mut centre = found.ok_or_else(|| Failure::new(Exit::Refused, "centre-unknown").told("code", code))?;
    centre.active = false;
    note_centre(hub, &centre, "centre.disable", now)?;
    Ok(centre.into())
}

fn note_centre(hub: &mut Hub, centre: &Centre, action: &str, now: Timestamp) -> Result<(), OperationError> {
    let Hub { store, context, .. } = hub;
    let actor = operator();
    store.write(|tx| {
        if centre.active {
            tx.put_centre(centre, &now.to_string())?;
        } else {
            tx.set_centre_active(centre.code, false)?;
        }
        context.register(tx, &actor, now).note(&Input {
            action,
            centre: Some(centre.code),
            value: Some(&centre.fingerprint),
            ..Input::default()
        })?;
        let subject = centre.code.as_str();
        tx.journal(&Event { at: now, actor: &actor, event: action, subject, rule: "", digests: &[] })?;
        Ok::<_, OperationError>(())
    })
}

/// All centres.
pub fn centres(hub: &mut Hub) -> Result<Vec<CentreTold>, OperationError> {
    Ok(hub.store.read(|tx| tx.centres())?.into_iter().map(CentreTold::from).collect())
}
