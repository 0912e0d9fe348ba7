//! `init`: keys, card, database, configuration of a new centre.

use std::path::PathBuf;

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
    trust::Trust,
};
use exchange_format::{card::CardContent, participant::ParticipantCode};
use jiff::Zoned;
use serde_json::json;

use crate::edges::init;

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
        if hub_card.content.tls_ca.is_none() {
            return Err(Failure::new(Exit::Refused, "spoke-card-no-hub").told("code", hub));
        }
        let (config_file, database_file) = (self.dir.join(init::FILE), self.dir.join(init::DATABASE));
        let name = self.name.clone().unwrap_or_else(|| CardContent::nameless(self.code));
        let card = init::init(&self.dir, self.code, &name, hub_card, today)?;
        let (card_file, fingerprint) = (self.dir.join(format!("{}.card", self.code)), card.fingerprint());
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
