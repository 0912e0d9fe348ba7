//! `propose TABLE ID COLUMN=VALUE…`: a wish that locked values of a row be changed.

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
};
use exchange_format::record::RecordId;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    database::write::{self, Scope},
    decisions::wishes::Wish,
    edges::{
        proposing::{Proposal, Refusal},
        station,
    },
};

/// A proposal.
#[derive(Debug, Args)]
pub struct Propose {
    /// The table
    table: String,
    /// The row's id
    id: String,
    /// What should stand where; of a line: NO.COLUMN=VALUE, of a new one: +NO.COLUMN=VALUE; nothing after = wishes the value away
    #[arg(value_name = "COLUMN=VALUE", required = true)]
    wishes: Vec<Wish>,
    /// By what staff can see that it is so
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Propose {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let table = super::import::table_or_line(&self.table)?;
        let mut connection = station::open_database(&config)?;
        let now = Timestamp::now();
        let (named, id, reason) = (self.table.as_str(), self.id.as_str(), self.reason.as_deref());
        let proposal = Proposal { table, named, id, wishes: &self.wishes, reason };
        let kept = write::write::<_, Refusal>(&mut connection, Scope::Book, |transaction| {
            proposal.keep(transaction, config.code, now)
        })?;
        let answer = json!({
            "proposal": kept.key.to_string(), "table": table.name, "id": self.id, "target": kept.about.key.to_string(),
            "based_on": kept.about.version, "new": kept.message == "spoke-propose-done",
            "replaced": kept.replaced.iter().map(RecordId::to_string).collect::<Vec<_>>(),
        });
        common.print(&answer, |lang| {
            messages::text(lang, kept.message, &[("key", kept.key.to_string().into())])
        })?;
        Ok(Exit::Done)
    }
}
