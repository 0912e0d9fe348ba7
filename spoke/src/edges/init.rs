//! A new centre: keys, card, watermark, the hub's card, database, configuration last.

use std::{fs, path::Path};

use exchange_endpoint::{
    durable_file,
    keys::{CardWords, OwnKeys},
    output::Failure,
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

/// The years for which a new card is valid.
const YEARS: i64 = 2;

/// Makes the centre `code` called `name` in `dir`, of the hub whose card is `hub_card`; its card, which lies there too.
///
/// # Errors
/// Something cannot be made; there may be keys already.
pub fn init(
    dir: &Path,
    code: ParticipantCode,
    name: &str,
    hub_card: Card,
    today: Date,
) -> Result<Card, Failure> {
    for name in ["spool", "archive", "quarantine", "protocols"] {
        let directory = dir.join(name);
        fs::create_dir_all(&directory).map_err(SpokeError::io(&directory))?;
    }
    let words = CardWords {
        name: name.to_owned(),
        valid_from: today,
        valid_until: today.saturating_add(YEARS.years()),
        tls_ca: None,
    };
    let hub = hub_card.content.code;
    let keys_directory = dir.join("keys");
    let card = OwnKeys::create(&keys_directory, code, words)?.card;
    Watermark::create(&keys_directory.join(WATERMARK))?;
    Trust::open(&dir.join("trust"))?.add(hub_card)?;
    let card_file = dir.join(format!("{code}.card"));
    durable_file::replace(&card_file, card.to_bytes(), 0o644).map_err(SpokeError::io(&card_file))?;
    database::create(&dir.join(DATABASE), Identity { own: code, hub }).map_err(SpokeError::from)?;
    let (config_file, text) = (dir.join(FILE), config::template(code, hub));
    durable_file::create_new(&config_file, text.as_bytes(), 0o640).map_err(SpokeError::io(&config_file))?;
    Ok(card)
}
