//! `keys list`, `keys rotate`; `quarantine list`, `quarantine show`, `quarantine replay`.

use exchange_endpoint::{
    keys::OwnKeys,
    keys_told::{KeysCommand, KeysTold, print_rotated},
    output::{CommonArgs, Exit, Failure},
    quarantine::{Aside, QuarantineCommand},
    rotation::{self, RotationError},
    trust::Trust,
};
use exchange_format::position::Digest;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    database::{
        book,
        write::{self, Scope},
    },
    edges::{SpokeError, rotation::tellings, station},
};

pub(super) fn run(common: &CommonArgs, command: KeysCommand) -> Result<Exit, Failure> {
    match command {
        KeysCommand::List => list(common),
        KeysCommand::Rotate => rotate(common),
    }
}

fn list(common: &CommonArgs) -> Result<Exit, Failure> {
    let config = super::config(common)?;
    let connection = station::open_to_look(&config)?;
    let keys = OwnKeys::load(&config.path(&config.keys), config.code)?;
    let trust = Trust::open(&config.path(&config.trust))?;
    let told = |peer, print: &str| tellings(&connection).told(peer, print).map_err(SpokeError::from);
    KeysTold::of(&keys, &trust, &[config.hub], told)?.print(common)
}

fn rotate(common: &CommonArgs) -> Result<Exit, Failure> {
    let config = super::config(common)?;
    let mut connection = station::open_database(&config)?;
    let (now, own, directory) = (Timestamp::now(), config.code, config.path(&config.keys));
    let day = now.to_zoned(TimeZone::UTC).date();
    let (card, again) = write::write::<_, Refused>(&mut connection, Scope::Book, |transaction| {
        let (keys, again) = match rotation::prepare(&directory, own, day) {
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
    .map_err(|refused| refused.0)?;
    print_rotated(common, &card, again)
}

pub(super) fn quarantine(common: &CommonArgs, command: &QuarantineCommand) -> Result<Exit, Failure> {
    let config = super::config(common)?;
    let known = book::quarantine(&station::open_to_look(&config)?).map_err(SpokeError::from)?;
    command.run(common, &known, |files| {
        let mut connection = station::open_database(&config)?;
        let (now, own) = (Timestamp::now(), config.code);
        let mark = |transaction: &rusqlite::Connection, one: &Aside| {
            book::set_replay(transaction, &one.row, true)?;
            station::journal(transaction, own, now, "quarantine.replay", &one.file, &one.reason, &[])
        };
        write::write::<_, SpokeError>(&mut connection, Scope::Book, |transaction| {
            files.iter().try_for_each(|one| mark(transaction, one))
        })?;
        Ok(())
    })
}

/// What is told to the one who gave the command.
struct Refused(Failure);

impl<E: Into<SpokeError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into().into())
    }
}
