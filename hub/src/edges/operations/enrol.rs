//! Enrolment of centres: card and password in, folders made; a centre shut out (exchange §7, Keys, Revocation).

use std::{fs, path::Path};

use exchange_endpoint::{
    config::Config,
    journal_table::Event,
    output::{Exit, Failure},
    trust::{Added, Trust},
};
use exchange_format::{answer::PacketReason, card::Card, participant::ParticipantCode, position::Digest};
use jiff::{Timestamp, tz::TimeZone};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::{
    database::{
        Tx,
        centres::{Centre, ClientCertificate},
    },
    edges::{
        config::{HubConfig, check},
        failure::file,
        ftps_server::{hash_password, is_password},
        hub::{Context, Hub, HubError, open},
        register::Input,
    },
};

/// The shortest password taken.
const PASSWORD_LENGTH: usize = 8;

/// What `centre add` has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    /// The centre.
    pub code: ParticipantCode,
    /// What became of its card.
    pub card: Added,
    /// Whether the password is another than before.
    pub password_changed: bool,
}

/// Enrols the centre of the card in `card_file`, whose fingerprint was told on another way; again: takes a new
/// password or a new card.
pub fn add(
    config: &Config<HubConfig>,
    card_file: &Path,
    fingerprint: &str,
    password_file: &Path,
    actor: &str,
    now: Timestamp,
) -> Result<Enrolled, Failure> {
    let mut hub = open(config)?;
    let card = Trust::read_told(card_file, fingerprint)?;
    // the day of this place, as on the centre's machine that made the card
    card.check_valid_on(now.to_zoned(TimeZone::system()).date())?;
    let code = card.content.code;
    if code == hub.context.code {
        return Err(Failure::new(Exit::Refused, "centre-is-hub").told("file", card_file.display()));
    }
    // for whoever reads later the card with a certificate authority is the hub's
    if card.content.tls_ca.is_some() {
        return Err(Failure::new(Exit::Refused, "centre-like-hub").told("file", card_file.display()));
    }
    let password = read_password(password_file)?;
    let before = hub.store.read(|tx| tx.centre(code).map_err(Failure::from))?;
    let used = has_used(&hub.context.trust, &card, before.as_ref());
    if before.as_ref().is_some_and(|centre| !centre.active) && used {
        return Err(Failure::new(Exit::Refused, "centre-revoked").told("code", code));
    }
    let kept = before.as_ref().filter(|centre| is_password(&centre.password, password.expose_secret()));
    let password_changed = kept.is_none();
    let password = match kept {
        Some(centre) => centre.password.clone(),
        None => hash_password(password.expose_secret()).map_err(|error| Failure::bug(&error))?,
    };
    let print = card.fingerprint();
    let trust = &hub.context.trust;
    let known = before.as_ref().and_then(|centre| card_of(trust, centre));
    if known.is_none_or(|old| old.content.signing_key != card.content.signing_key) && used {
        return Err(Failure::new(Exit::Refused, "centre-card-superseded").told("code", code));
    }
    let other_keys = before.is_some() && known.is_none_or(|old| !same_keys(old, &card));
    hub.context.paths.make([code].into_iter())?;
    let is_known = before.as_ref().is_some_and(|centre| centre.fingerprint == print);
    hub.context.trust.add(card.clone())?;
    let before_name = before.as_ref().map(|centre| centre.name.clone());
    let added = match before {
        None => Added::New,
        Some(_) if is_known => Added::Known,
        Some(_) => Added::Supersedes,
    };
    let enrolled = Enrolled { code, card: added, password_changed };
    if before.is_some_and(|centre| centre.active) && is_known && !password_changed {
        return Ok(enrolled);
    }
    let centre = Centre {
        code,
        // one that is enrolled again, by a card without a name of its own, keeps the one that it had
        name: card
            .content
            .given_name()
            .map(str::to_owned)
            .or(before_name)
            .unwrap_or_else(|| card.content.name.clone()),
        card: format!("{code}.card"),
        fingerprint: print,
        password,
        certificate: ClientCertificate::None,
        active: true,
        merged: false,
    };
    let Hub { store, context, .. } = &mut hub;
    store.write(|tx| {
        tx.put_centre(&centre, &now.to_string())?;
        if other_keys {
            begin_anew(tx, code)?;
            tx.keys().forget(code).map_err(HubError::from)?;
            tx.replay_unknown_keys(code)?;
            tx.close_incidents(code, PacketReason::Clone.code(), &now.to_string())?;
        }
        let event = if added == Added::Known { "centre.password" } else { "centre.added" };
        note(tx, event, &centre, actor, now)?;
        let register = context.register(tx, actor, now);
        register.note(&Input {
            action: event,
            centre: Some(code),
            value: Some(&centre.fingerprint),
            ..Input::default()
        })?;
        register.publish_directory(code)?;
        Ok::<_, Failure>(())
    })?;
    Ok(enrolled)
}

/// A centre, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CentreTold {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// `active` or `disabled`.
    pub state: &'static str,
    /// Whether its initial load was merged.
    pub merged: bool,
    /// Of its card.
    pub fingerprint: String,
    /// SHA-256 of the client certificate that it must show, if it was given one.
    pub certificate: Option<String>,
    /// Whether it cannot log in because the one that it had was revoked.
    pub certificate_revoked: bool,
    /// The last day on which its card is valid.
    pub valid_until: Option<String>,
}

/// All centres, by code.
pub fn list(config: &Config<HubConfig>) -> Result<Vec<CentreTold>, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    let centres = store.read(|tx| tx.centres().map_err(Failure::from))?;
    let told = centres.into_iter().map(|centre| CentreTold {
        code: centre.code.to_string(),
        name: centre.name,
        state: if centre.active { "active" } else { "disabled" },
        merged: centre.merged,
        fingerprint: centre.fingerprint,
        certificate: centre.certificate.digest().map(|digest| digest.to_string()),
        certificate_revoked: centre.certificate == ClientCertificate::Revoked,
        valid_until: context.trust.card(centre.code).map(|card| card.content.valid_until.to_string()),
    });
    Ok(told.collect())
}

/// Shuts a centre out: it cannot log in, and finds nothing. Returns how many files its `out` held, and whether
/// it was active before.
pub fn disable(
    config: &Config<HubConfig>,
    code: ParticipantCode,
    reason: &str,
    actor: &str,
    now: Timestamp,
) -> Result<(u64, bool), Failure> {
    let mut hub = open(config)?;
    let Hub { store, context, .. } = &mut hub;
    let was_active = store.write(|tx| {
        let centre = tx.centre(code)?.ok_or_else(|| unknown(code))?;
        if centre.active {
            // first: it holds in a database put back from a copy as well
            context.trust.revoke(code, &centre.fingerprint)?;
            shut_out(context, tx, &centre, (actor, reason), now)?;
        }
        Ok::<_, Failure>(centre.active)
    })?;
    // again if it was cut short before
    Ok((empty(&context.paths.outbox(code))?, was_active))
}

fn shut_out(
    context: &Context,
    tx: &Tx<'_>,
    centre: &Centre,
    (actor, reason): (&str, &str),
    now: Timestamp,
) -> Result<(), HubError> {
    tx.set_centre_active(centre.code, false)?;
    note(tx, "centre.disabled", centre, actor, now)?;
    context.register(tx, actor, now).note(&Input {
        action: "centre.disabled",
        centre: Some(centre.code),
        reason: Some(reason),
        ..Input::default()
    })?;
    Ok(())
}

/// Shuts out again whom a database that was put back from a copy knows as active, and who was shut out since.
///
/// # Errors
/// The database, or a file of `trust/`.
pub fn keep_shut_out(context: &Context, tx: &Tx<'_>, now: Timestamp) -> Result<(), HubError> {
    for centre in tx.centres()?.into_iter().filter(|centre| centre.active) {
        if context.trust.is_revoked(centre.code, &centre.fingerprint)? {
            tracing::error!(centre = %centre.code, "was shut out after this database was copied: it is shut out again");
            shut_out(context, tx, &centre, (context.code.as_str(), "trust/CODE.revoked"), now)?;
        }
    }
    Ok(())
}

/// The code of the hub itself.
pub fn own_code(config: &Config<HubConfig>) -> Result<ParticipantCode, Failure> {
    Ok(check(config)?.code)
}

/// The error for a centre that is not enrolled.
pub fn unknown(code: ParticipantCode) -> Failure {
    Failure::new(Exit::Refused, "centre-unknown").told("code", code)
}

fn note(tx: &Tx<'_>, event: &str, centre: &Centre, actor: &str, now: Timestamp) -> Result<(), HubError> {
    let digests: Vec<Digest> = centre.fingerprint.parse().into_iter().collect();
    tx.journal(&Event { at: now, actor, event, subject: centre.code.as_str(), rule: "", digests: &digests })?;
    Ok(())
}

/// A machine with other keys has nothing of what was sent to the one before, and has sent nothing: our stream opens a
/// new epoch, and the epochs of the one before are closed, so that the centre's snapshot opens one after them.
fn begin_anew(tx: &Tx<'_>, code: ParticipantCode) -> Result<(), HubError> {
    let mut streams = tx.streams(code)?;
    streams.outgoing.begin_anew();
    streams.incoming.begin_anew();
    tx.set_streams(code, &streams)?;
    Ok(())
}

/// The card by which the database knows `centre`. That of `trust/` may be a newer one: who took it in was ended before
/// the database had it.
fn card_of<'a>(trust: &'a Trust, centre: &Centre) -> Option<&'a Card> {
    let mut cards = trust.card(centre.code).into_iter().chain(trust.superseded(centre.code));
    cards.find(|card| card.fingerprint() == centre.fingerprint)
}

/// Whether the centre of `card`, which the database knows as `before`, has used the card's signing key before, by any
/// card of it.
fn has_used(trust: &Trust, card: &Card, before: Option<&Centre>) -> bool {
    let code = card.content.code;
    let current = trust.card(code).filter(|old| before.is_some_and(|it| it.fingerprint == old.fingerprint()));
    let mut earlier = current.into_iter().chain(trust.superseded(code));
    earlier.any(|old| old.content.signing_key == card.content.signing_key)
}

fn same_keys(one: &Card, other: &Card) -> bool {
    one.content.signing_key == other.content.signing_key
        && one.content.age_recipient == other.content.age_recipient
}

/// The first line of the file.
fn read_password(path: &Path) -> Result<SecretString, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::Usage, "password-file").told("file", path.display()).because("detail", error)
    })?;
    let text = SecretString::from(text);
    let line = text.expose_secret().lines().next().unwrap_or_default();
    if line.chars().count() < PASSWORD_LENGTH || line.chars().any(char::is_control) {
        return Err(Failure::new(Exit::Refused, "password-short")
            .told("file", path.display())
            .with("length", PASSWORD_LENGTH));
    }
    Ok(SecretString::from(line))
}

fn empty(directory: &Path) -> Result<u64, Failure> {
    let mut removed = 0;
    for entry in fs::read_dir(directory).map_err(file(directory))? {
        let path = entry.map_err(file(directory))?.path();
        if path.is_file() {
            fs::remove_file(&path).map_err(file(&path))?;
            removed += 1;
        }
    }
    Ok(removed)
}
