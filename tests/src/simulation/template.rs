//! A city that has just been set up: a hub and its enrolled centres, made once and copied for each history.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    config::Config,
    keys::{CardWords, OwnKeys},
    output::Failure,
};
use exchange_format::{card::Card, participant::ParticipantCode};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rusqlite::Connection;
use svod_hub::edges::{
    config::HubConfig,
    operations::{enrol, init as hub_init},
};

use super::{
    past::{self, Past},
    secrets::secrets_of,
    time::beginning,
};
use crate::world::{WorldError, copy_dir};

/// The region of all codes.
const REGION: u8 = 42;
/// The password of every centre; nobody logs in.
const PASSWORD: &str = "not a secret here\n";
/// Deadlines, so that a day of the exchange has few steps.
const EXCHANGE: &str = "[exchange]\nheartbeat_s = 7200\nreceipt_s = 120\nprotocol_s = 600\nretry_s = 10\n";

/// A city on the disk.
#[derive(Debug)]
pub struct Template {
    dir: PathBuf,
    /// How many centres it has.
    pub centres: u16,
    /// What people remember of what has happened, if it has exchanged already.
    pub past: Option<Past>,
}

impl Template {
    /// Makes it in `dir`.
    ///
    /// # Errors
    /// A file or database.
    pub fn make(dir: &Path, centres: u16) -> Result<Self, Failure> {
        let (now, hub) = (beginning(), dir.join("hub"));
        let new = hub_init::NewHub {
            dir: &hub,
            code: hub_code(),
            name: "ТКЦ",
            host: None,
            port: 0,
            oktmo: "32701000",
            actor: "sim",
        };
        hub_init::init(&new, now)?;
        let card = known_keys(&hub, hub_code(), "ТКЦ", 0)?;
        let config_file = hub.join(hub_init::FILE);
        set_exchange(&config_file)?;
        let config = Config::load(&config_file)?;
        for n in 1..=centres {
            new_centre(&centre_dir(dir, n), n, 0, card.clone(), &config, now)?;
        }
        fold(&hub.join("hub.db"))?;
        Ok(Self { dir: dir.to_owned(), centres, past: None })
    }

    /// The same city in `dir` after its first load: everybody has sent, is merged, published, at rest and stopped.
    ///
    /// # Errors
    /// What went wrong, though nothing was to go wrong.
    pub fn settled(&self, dir: &Path) -> Result<Self, Failure> {
        let past = past::settle(self, dir).map_err(|error| Failure::bug(&io::Error::other(error)))?;
        fold(&dir.join("hub/hub.db"))?;
        for n in 1..=self.centres {
            fold(&centre_dir(dir, n).join(svod_spoke::edges::init::DATABASE))?;
        }
        Ok(Self { dir: dir.to_owned(), centres: self.centres, past: Some(past) })
    }

    /// A copy of it in `to`.
    ///
    /// # Errors
    /// A file cannot be copied.
    pub fn copy(&self, to: &Path) -> Result<(), WorldError> {
        copy_dir(&self.dir, to)
    }
}

/// The cities that histories begin from.
#[derive(Debug)]
pub struct Templates {
    fresh: Template,
    settled: Template,
}

impl Templates {
    /// Makes them in `dir`.
    ///
    /// # Errors
    /// As [`Template::make`].
    pub fn make(dir: &Path, centres: u16) -> Result<Self, Failure> {
        let fresh = Template::make(&dir.join("fresh"), centres)?;
        let settled = fresh.settled(&dir.join("settled"))?;
        Ok(Self { fresh, settled })
    }

    /// The one from which the history of `seed` begins: for a quarter of them nobody has sent anything yet.
    pub fn of(&self, seed: u64) -> &Template {
        if (seed / 16).is_multiple_of(4) { &self.fresh } else { &self.settled }
    }
}

/// The hub.
pub fn hub_code() -> ParticipantCode {
    ParticipantCode::new(REGION, 0)
}

/// The `n`th centre, from 1.
pub fn centre_code(n: u16) -> ParticipantCode {
    ParticipantCode::new(REGION, n)
}

/// Where it lies.
pub fn centre_dir(city: &Path, n: u16) -> PathBuf {
    city.join(format!("centre-{n}"))
}

/// Makes the `n`th centre in `dir`, with its keys after so many changes, and enrols it with the hub of `config`.
pub fn new_centre(
    dir: &Path,
    n: u16,
    changes: u32,
    hub: Card,
    config: &Config<HubConfig>,
    now: Timestamp,
) -> Result<(), Failure> {
    let (code, name) = (centre_code(n), format!("ЦСОН {n}"));
    svod_spoke::edges::init::init(dir, code, &name, hub, now.to_zoned(TimeZone::UTC).date())?;
    set_exchange(&dir.join(svod_spoke::edges::init::FILE))?;
    let own = known_keys(dir, code, &name, changes)?;
    let (file, password) = (dir.join(format!("{code}.card")), dir.join("password"));
    fs::write(&password, PASSWORD).map_err(WorldError::file(&password))?;
    enrol::add(config, &file, &own.fingerprint(), &password, "sim", now)?;
    Ok(fold(&dir.join(svod_spoke::edges::init::DATABASE))?)
}

/// Puts keys in the place of those that `init` has made that are the same in every run.
fn known_keys(dir: &Path, code: ParticipantCode, name: &str, changes: u32) -> Result<Card, Failure> {
    let (keys, today) = (dir.join("keys"), beginning().to_zoned(TimeZone::UTC).date());
    for entry in fs::read_dir(&keys).map_err(WorldError::file(&keys))? {
        let path = entry.map_err(WorldError::file(&keys))?.path();
        if path.file_name().is_some_and(|name| name != "watermark") {
            fs::remove_file(&path).map_err(WorldError::file(&path))?;
        }
    }
    let (valid_from, valid_until) = (today.saturating_sub(20.years()), today.saturating_add(20.years()));
    let words = CardWords { name: name.to_owned(), valid_from, valid_until, tls_ca: None };
    let card = OwnKeys::create_of(&secrets_of(code, changes), &keys, code, words)?.card;
    let file = dir.join(format!("{code}.card"));
    fs::write(&file, card.to_bytes()).map_err(WorldError::file(&file))?;
    Ok(card)
}

fn set_exchange(config: &Path) -> Result<(), WorldError> {
    let text = fs::read_to_string(config).map_err(WorldError::file(config))?;
    let text = text.replace("[exchange]\n", EXCHANGE);
    fs::write(config, text).map_err(WorldError::file(config))
}

/// Folds the write-ahead log into its database, so that there is one file to copy.
fn fold(database: &Path) -> Result<(), WorldError> {
    let fold = || {
        let connection = Connection::open(database)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    };
    fold().map_err(WorldError::sql(database))
}
