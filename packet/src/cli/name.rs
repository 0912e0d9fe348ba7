//! `name`: what a packet's name says. A name is a claim; `verify` proves it.

use clap::Args;
use exchange_endpoint::{
    messages::{self, Told},
    output::{CommonArgs, Exit, Failure},
};
use exchange_format::{answer::PacketReason, file_name::FileName};
use serde_json::json;

use crate::summary::NameParts;

/// The name.
#[derive(Debug, Args)]
pub struct Name {
    /// The name, without directory
    #[arg(value_name = "NAME")]
    name: String,
}

impl Name {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        match self.name.parse::<FileName>() {
            Ok(name) => {
                let parts = NameParts::of(&name);
                common.print(&json!({"valid": true, "name": &parts}), |lang| {
                    [parts.line(lang), messages::text(lang, "packet-name-is-a-claim", &[])].join("\n")
                })?;
                Ok(Exit::Done)
            }
            Err(error) => {
                let reason = PacketReason::BadName;
                let detail = Told::from(&error);
                let said = detail.in_lang(common.lang);
                common.print(&json!({"valid": false, "reason": reason.code(), "detail": said}), |lang| {
                    let args = [("detail", detail.in_lang(lang).into())];
                    [lang.of(reason.sentence()).to_owned(), messages::text(lang, "packet-detail", &args)]
                        .join("\n")
                })?;
                Ok(Exit::False)
            }
        }
    }
}
