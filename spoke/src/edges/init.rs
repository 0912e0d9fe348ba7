//! A new centre: keys, card, watermark, the hub's card, database, configuration last.

use std::{fs, path::Path};

use exchange_endpoint::{
    durable_file,
    keys::{CardWords, OwnKeys},
    output::Failure,
    staging::Plan,
    trust::Trust,
    watermark::Watermark,
};
use exchange_format::{card::Card, participant::ParticipantCode};
use jiff::{ToSpan as _, civil::Date};

use super::{SpokeError, config, station::WATERMARK};
use crate::database::{self, Identity};

/// The configuration.
pub const FILE: &str = "svod-spoke.toml";
/// The database.
pub const DATABASE: &str = "centre.db";

/// Directories that are empty at first; their names are the defaults of the configuration.
const DIRECTORIES: [&str; 4] = ["spool", "archive", "quarantine", "protocols"];

/// The years for which a new card is valid.
const YEARS: i64 = 2;

/// Makes the centre `code` called `name` in `dir`, of the hub whose card is `hub_card`; its card, which lies there too.
///
/// # Errors
/// Something is there already, or cannot be made: then nothing of it is there.
pub fn init(
    dir: &Path,
    code: ParticipantCode,
    name: &str,
    hub_card: Card,
    today: Date,
) -> Result<Card, Failure> {
    let card_name = format!("{code}.card");
    // keys first, the configuration last: without it the directory is no centre
    let names = [&["keys", "trust"][..], &DIRECTORIES, &[DATABASE, &card_name, FILE]].concat();
    let plan = Plan {
        dir,
        names: &names,
        exists: "spoke-exists",
        failed: |path, error| SpokeError::io(path)(error).into(),
    };
    plan.carry_out(|stage| make(stage, (code, name), hub_card, today))
}

fn make(
    stage: &Path,
    (code, name): (ParticipantCode, &str),
    hub_card: Card,
    today: Date,
) -> Result<Card, Failure> {
    for name in DIRECTORIES {
        let directory = stage.join(name);
        fs::create_dir(&directory).map_err(SpokeError::io(&directory))?;
    }
    let words = CardWords {
        name: name.to_owned(),
        valid_from: today,
        valid_until: today.saturating_add(YEARS.years()),
        tls_ca: None,
    };
    let hub = hub_card.content.code;
    let keys_directory = stage.join("keys");
    let card = OwnKeys::create(&keys_directory, code, words)?.card;
    Watermark::create(&keys_directory.join(WATERMARK))?;
    Trust::open(&stage.join("trust"))?.add(hub_card)?;
    database::create(&stage.join(DATABASE), Identity { own: code, hub }).map_err(SpokeError::from)?;
    let put = |name: &str, bytes: &[u8], mode| {
        let path = stage.join(name);
        durable_file::create_new(&path, bytes, mode).map_err(SpokeError::io(path))
    };
    put(&format!("{code}.card"), card.to_bytes(), 0o644)?;
    put(FILE, config::template(code, hub).as_bytes(), 0o640)?;
    Ok(card)
}
