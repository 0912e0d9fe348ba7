//! `init`: keys, card, database, configuration of a new centre.

use std::{fs, path::PathBuf};

use clap::Args;
use exchange_endpoint::{
    durable_file,
    keys::{CardWords, OwnKeys},
    messages,
    output::{CommonArgs, Exit, Failure},
    trust::Trust,
    watermark::Watermark,
};
use exchange_format::participant::ParticipantCode;
use jiff::{ToSpan as _, Zoned};
use serde_json::json;

use crate::{
    database::{self, Identity},
    edges::{SpokeError, config, station::WATERMARK},
};

/// The years for which a new card is valid.
const YEARS: i64 = 2;

/// What a new centre is told.
#[derive(Debug, Args)]
pub struct Init {
    /// The centre's directory; made if need be
    #[arg(long, value_name = "D")]
    dir: PathBuf,
    /// The centre's code, 7 digits
    #[arg(long, value_name = "CODE")]
    code: ParticipantCode,
    /// The centre's name for people
    #[arg(long)]
    name: Option<String>,
    /// The hub's card
    #[arg(long, value_name = "FILE")]
    hub_card: PathBuf,
    /// The fingerprint of the hub's card, told on another way
    #[arg(long, value_name = "HEX")]
    hub_fingerprint: String,
}

impl Init {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        // Everything that can be refused is refused before anything is made.
        let hub_card = Trust::read_told(&self.hub_card, &self.hub_fingerprint)?;
        let hub = hub_card.content.code;
        let today = Zoned::now().date();
        hub_card.check_valid_on(today)?;
        let config_file = self.dir.join("svod-spoke.toml");
        let database_file = self.dir.join("centre.db");
        for path in [&config_file, &database_file] {
            if path.exists() {
                return Err(Failure::new(Exit::Refused, "spoke-exists").told("file", path.display()));
            }
        }
        for name in ["spool", "archive", "quarantine", "protocols"] {
            let directory = self.dir.join(name);
            fs::create_dir_all(&directory).map_err(SpokeError::io(&directory))?;
        }
        let words = CardWords {
            name: self.name.clone().unwrap_or_else(|| format!("Центр {}", self.code)),
            valid_from: today,
            valid_until: today.saturating_add(YEARS.years()),
            tls_ca: None,
        };
        let keys_directory = self.dir.join("keys");
        let keys = OwnKeys::create(&keys_directory, self.code, words)?;
        Watermark::create(&keys_directory.join(WATERMARK))?;
        Trust::open(&self.dir.join("trust"))?.add(hub_card)?;
        let card_file = self.dir.join(format!("{}.card", self.code));
        durable_file::replace(&card_file, keys.card.to_bytes(), 0o644).map_err(SpokeError::io(&card_file))?;
        let identity = Identity { own: self.code, hub };
        database::create(&database_file, identity).map_err(SpokeError::from)?;
        let text = config::template(self.code, hub);
        durable_file::create_new(&config_file, text.as_bytes(), 0o640)
            .map_err(SpokeError::io(&config_file))?;
        let fingerprint = keys.card.fingerprint();
        let answer = json!({
            "code": self.code.as_str(), "hub": hub.as_str(), "config": config_file, "database": database_file,
            "card": card_file, "fingerprint": fingerprint,
        });
        common.print(&answer, |lang| {
            let args = [
                ("config", config_file.display().to_string().into()),
                ("card", card_file.display().to_string().into()),
                ("fingerprint", fingerprint.clone().into()),
            ];
            messages::text(lang, "spoke-init-done", &args)
        })?;
        Ok(Exit::Done)
    }
}
