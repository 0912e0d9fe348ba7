//! The next keys of a centre are made, by a person's command; [`super::rotation`] then tells them.

use exchange_endpoint::{
    config::Config,
    keys::{OwnKeys, Secrets},
    output::Failure,
    rotation::{self, RotationError},
};
use exchange_format::{card::Card, position::Digest};
use jiff::{Timestamp, tz::TimeZone};

use super::{SpokeError, config::SpokeConfig, rotation::tellings, station};
use crate::database::write::{self, Scope};

/// Makes the next keys, of `secrets`; or, if a change is under way and the hub has refused them, has them told again
/// (true).
///
/// # Errors
/// A change is under way; a file or the database.
pub fn begin(
    config: &Config<SpokeConfig>,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(Card, bool), Failure> {
    let mut connection = station::open_database(config)?;
    let (own, directory) = (config.code, config.path(&config.keys));
    let day = now.to_zoned(TimeZone::UTC).date();
    write::write::<_, Refused>(&mut connection, Scope::Book, |transaction| {
        let (keys, again) = match rotation::prepare_of(secrets, &directory, own, day) {
            Ok(keys) => (keys, false),
            Err(RotationError::UnderWay)
                if tellings(transaction).forget_refused().map_err(SpokeError::from)? > 0 =>
            {
                (OwnKeys::load(&directory, own).map_err(SpokeError::from)?, true)
            }
            Err(error) => return Err(Refused(error.into())),
        };
        let card = keys.next.map(|next| next.card);
        let card = card.ok_or_else(|| Refused(RotationError::UnderWay.into()))?;
        let digests = [Digest::of(card.to_bytes())];
        station::journal(transaction, own, now, "keys.made", own.as_str(), "", &digests)?;
        Ok((card, again))
    })
    .map_err(|refused| refused.0)
}

/// What is told to the one who gave the command.
struct Refused(Failure);

impl<E: Into<SpokeError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into().into())
    }
}
