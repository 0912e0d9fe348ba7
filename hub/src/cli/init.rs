//! `init`: a new hub.

use std::path::{Path, PathBuf};

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
};
use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;
use serde_json::json;

use crate::edges::operations::{
    init::{FILE, NewHub, init},
    operator,
};

/// Make a hub: configuration, database, keys, certificates, folders, card. Nothing is overwritten
///
/// Then hand the card to every centre, and tell its fingerprint on another way (read it out over the telephone).
#[derive(Debug, Args)]
pub struct Init {
    /// The hub's directory; made if need be
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The hub's code: region (2 digits), unit (4), check digit
    #[arg(long, value_name = "CODE")]
    code: ParticipantCode,
    /// Its name for people
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What the centres call the FTPS server: a host name or address. Without it only this machine is served
    #[arg(long, value_name = "HOST")]
    ftps_host: Option<String>,
    /// The control port of the FTPS server
    #[arg(long, value_name = "PORT", default_value_t = 2121)]
    ftps_port: u16,
    /// ОКТМО of the municipality, 8 digits: part of every case number, which never changes once given out.
    /// Required
    #[arg(long, value_name = "OKTMO")]
    oktmo: Option<String>,
}

impl Init {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        // asked for here and not by the parser: the error says why it is needed
        let oktmo = self.oktmo.as_deref().ok_or_else(|| Failure::new(Exit::Usage, "oktmo-missing"))?;
        let default = format!("Координационный центр {}", self.code);
        let new = NewHub {
            dir: &self.dir,
            code: self.code,
            name: self.name.as_deref().unwrap_or(&default),
            host: self.ftps_host.as_deref(),
            port: self.ftps_port,
            oktmo,
            actor: &operator(),
        };
        let card = init(&new, Timestamp::now())?;
        let path = |name: &str| absolute(&self.dir.join(name));
        let (config, card_file) = (path(FILE), path(&format!("{}.card", self.code)));
        let fingerprint = card.fingerprint();
        let told = json!({
            "code": self.code.as_str(), "name": new.name, "config": config, "database": path("hub.db"),
            "card": card_file, "fingerprint": fingerprint, "valid_until": card.content.valid_until,
        });
        common.print(&told, |lang| {
            let args = [
                ("config", config.display().to_string().into()),
                ("card", card_file.display().to_string().into()),
                ("fingerprint", fingerprint.clone().into()),
            ];
            messages::text(lang, "hub-init-done", &args)
        })
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
