//! New keys of the hub, and files of the quarantine to be judged again: what the daemon then does; incidents that a person ends.

use exchange_endpoint::{
    config::Config,
    journal_table::Event,
    keys::Secrets,
    keys_told::KeysTold,
    output::Failure,
    quarantine::Aside,
    rotation::{self, RotationError},
};
use exchange_format::{card::Card, participant::ParticipantCode, position::Digest};
use jiff::{Timestamp, tz::TimeZone};

use crate::edges::{
    config::HubConfig,
    hub::{Hub, HubError, open, open_store},
};

/// Makes the next keys; or, if a change is under way and somebody has refused them, has them told again (true).
pub fn rotate(config: &Config<HubConfig>, actor: &str, now: Timestamp) -> Result<(Card, bool), Failure> {
    let secrets = Secrets::generate().map_err(|error| Failure::bug(&error))?;
    rotate_to(&secrets, config, actor, now)
}

/// As [`rotate`], to keys of secrets that were made before.
pub fn rotate_to(
    secrets: &Secrets,
    config: &Config<HubConfig>,
    actor: &str,
    now: Timestamp,
) -> Result<(Card, bool), Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    let day = now.to_zoned(TimeZone::UTC).date();
    store.write(|tx| {
        let (keys, again) = match rotation::prepare_of(secrets, &context.keys_directory, context.code, day) {
            Ok(keys) => (keys, false),
            Err(RotationError::UnderWay) if tx.keys().forget_refused().map_err(HubError::from)? > 0 => {
                (context.keys.clone(), true)
            }
            Err(error) => return Err(error.into()),
        };
        let card = keys.next.map(|next| next.card).ok_or_else(|| Failure::from(RotationError::UnderWay))?;
        let (event, digests) = ("keys.made", [Digest::of(card.to_bytes())]);
        tx.journal(&Event {
            at: now,
            actor,
            event,
            subject: context.code.as_str(),
            rule: "",
            digests: &digests,
        })?;
        Ok((card, again))
    })
}

/// Whose keys count, and who was told of the next ones.
pub fn list(config: &Config<HubConfig>) -> Result<KeysTold, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| {
        let centres = tx.centres()?.into_iter().filter(|centre| centre.active);
        let peers: Vec<ParticipantCode> = centres.map(|centre| centre.code).collect();
        let told = KeysTold::of(&context.keys, &context.trust, &peers, |peer, print| {
            tx.keys().told(peer, print).map_err(HubError::from)
        })?;
        Ok(told)
    })
}

/// The files in quarantine.
pub fn quarantine(config: &Config<HubConfig>) -> Result<Vec<Aside>, Failure> {
    open_store(config)?.read(|tx| tx.quarantine().map_err(Failure::from))
}

/// Has the daemon judge these files again.
pub fn replay(
    config: &Config<HubConfig>,
    files: &[&Aside],
    actor: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    open_store(config)?.write(|tx| {
        for one in files {
            tx.set_replay(&one.row, true)?;
            let subject = &format!("{} {}", one.peer, one.file);
            tx.journal(&Event {
                at: now,
                actor,
                event: "quarantine.replay",
                subject,
                rule: &one.reason,
                digests: &[],
            })?;
        }
        Ok(())
    })
}

/// The open incidents: number and code.
pub fn incidents(config: &Config<HubConfig>) -> Result<Vec<(i64, String)>, Failure> {
    let open = open_store(config)?.read(|tx| tx.incidents().map_err(Failure::from))?;
    Ok(open.into_iter().map(|one| (one.n, one.code)).collect())
}

/// A person has looked into the incident `n`, a `code`.
pub fn close_incident(
    config: &Config<HubConfig>,
    (n, code): (i64, &str),
    actor: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    open_store(config)?.write(|tx| {
        tx.close_incident(n, &now.to_string())?;
        let (event, subject) = ("incident.closed", &n.to_string());
        Ok(tx.journal(&Event { at: now, actor, event, subject, rule: code, digests: &[] })?)
    })
}
