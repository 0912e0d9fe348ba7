//! What is published to a centre, where its rows were altered past the program: worked out anew, asked for, or dropped, and never signed as
//! it stands there.

use std::collections::BTreeSet;

use exchange_format::{answer::SnapshotCause, participant::ParticipantCode, record::RecordId};
use jiff::Timestamp;

use super::{audit::DIVERGED, journal};
use crate::{
    database::{Tx, publications::Altered},
    decisions::drawn::DIRECTORY,
    edges::{
        hub::{Context, Hub, HubError},
        register::{Register, day},
        requests,
    },
};

/// What is to be told to a centre cannot be sealed: rows of it are damaged.
pub(in crate::edges) const UNSEALED: &str = "UNSEALED";

/// The incident [`UNSEALED`] of `centre` ends if nothing that it may be told of is damaged any more.
pub(in crate::edges) fn close_unsealed(
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    if tx.published_altered(centre)?.is_empty() && tx.strangers(centre)?.is_empty() {
        tx.close_incidents(centre, UNSEALED, &now.to_string())?;
    }
    Ok(())
}

/// Forgets rows of what is published to `centre` that stand there by damage alone, and works out anew what it should be told of whom
/// they are about.
pub(super) fn drop_strangers(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    strangers: &[Altered],
    now: Timestamp,
) -> Result<(), HubError> {
    let register = context.register(tx, context.code.as_str(), now);
    strangers.iter().try_for_each(|one| register.drop_stranger(centre, one.kind, one.key))?;
    say_anew(&register, strangers.iter().map(|one| one.person).collect())
}

/// What publications should say that were `altered` is worked out anew. What does not follow from anything that stands here any more,
/// such as one that was withdrawn, is never signed as it is: the centre's copy is asked for, once, which shows as what it was signed;
/// meanwhile, and if the copy shows nothing, that is an incident. Whether anything could be done.
pub(super) fn say_again(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    altered: &[Altered],
    now: Timestamp,
) -> Result<bool, HubError> {
    let register = context.register(tx, context.code.as_str(), now);
    altered.iter().try_for_each(|one| tx.forget_published(centre, one.kind, one.key))?;
    say_anew(&register, altered.iter().map(|one| one.person).collect())?;
    if altered.iter().any(|one| DIRECTORY.contains(&one.kind)) {
        register.publish_directory(centre)?;
    }
    let (left, at) = (tx.published_altered(centre)?.len(), now.to_string());
    let is_some_right = left < altered.len();
    if is_some_right {
        tell_mended(context, tx, centre, now)?;
    }
    if left == 0 {
        close_unsealed(tx, centre, now)?;
        return Ok(is_some_right);
    }
    if !tx.has_incident(centre, UNSEALED)? {
        tx.add_incident(centre, UNSEALED, None, &at)?;
    }
    let is_to_ask = !tx.has_asked_since(centre, UNSEALED)?;
    if is_to_ask {
        tracing::error!(centre = %centre, left, "publications were altered in the database, and nothing here says what they should be; the centre is asked");
        journal(tx, context.code, "publication.damaged", centre.as_str(), "", &[], now)?;
        requests::want_snapshot(context, tx, centre, SnapshotCause::Divergence, now)?;
    }
    Ok(is_some_right || is_to_ask)
}

/// What is published of those of `people` who are persons is worked out anew.
fn say_anew(register: &Register<'_>, people: BTreeSet<RecordId>) -> Result<(), HubError> {
    for uid in people {
        if register.tx.person(uid)?.is_some() {
            register.republish(register.tx.person_meant(uid)?)?;
        }
    }
    Ok(())
}

/// Everything that `centre` is told is worked out anew.
pub(super) fn say_all_again(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    let register = context.register(tx, context.code.as_str(), now);
    say_anew(&register, tx.people_told(centre)?)?;
    Ok(register.publish_directory(centre)?)
}

impl Hub {
    /// Works out anew what is to be sealed: a text that waits and was altered together with the hash beside it shows by nothing else,
    /// nor does one that waited and is gone. What comes to something else was altered: it is told, and says again what it should.
    ///
    /// # Errors
    /// The database, or the register.
    pub fn draw_again(&mut self, now: Timestamp) -> Result<(), HubError> {
        let is_any = |tx: &Tx<'_>| {
            Ok::<_, HubError>(!tx.centres_with_pending()?.is_empty() || !tx.untold()?.is_empty())
        };
        if self.store.read(is_any)? {
            self.carry_out(|context, tx| draw_again(context, tx, now))?;
        }
        Ok(())
    }
}

fn draw_again(context: &Context, tx: &Tx<'_>, now: Timestamp) -> Result<(), HubError> {
    let register = context.register(tx, context.code.as_str(), now);
    let before = tx.waiting_to_be_sealed()?;
    // of them the day has something else to be told
    let of_the_day: BTreeSet<RecordId> = tx.touched_by(day(now), u32::MAX)?.into_iter().collect();
    say_anew(&register, before.iter().map(|one| one.person).chain(tx.untold()?).collect())?;
    let of_directory = before.iter().filter(|one| DIRECTORY.contains(&one.kind));
    for centre in of_directory.map(|one| one.centre).collect::<BTreeSet<_>>() {
        register.publish_directory(centre)?;
    }
    let after = tx.waiting_to_be_sealed()?;
    let differ = before.symmetric_difference(&after).filter(|one| !of_the_day.contains(&one.person));
    for centre in differ.map(|one| one.centre).collect::<BTreeSet<_>>() {
        tell_mended(context, tx, centre, now)?;
    }
    Ok(())
}

/// Publications to `centre` were altered, and say again what they should.
fn tell_mended(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    now: Timestamp,
) -> Result<(), HubError> {
    tracing::error!(centre = %centre, "publications were altered in the database; they say again what they should");
    let at = now.to_string();
    tx.add_incident(centre, DIVERGED, None, &at)?;
    tx.close_incidents(centre, DIVERGED, &at)?;
    journal(tx, context.code, "publication.mended", centre.as_str(), "", &[], now)
}
