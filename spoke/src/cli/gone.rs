//! `gone TABLE`: what is to become of records that ended many at once, most of a table.

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    database::{
        removals,
        write::{self, Scope},
    },
    edges::{SpokeError, removals::decided, station},
};

/// Records that are held because most of their table is gone.
#[derive(Debug, Args)]
pub struct Gone {
    /// The table
    table: String,
    /// They were deleted on purpose: send it
    #[arg(long, conflicts_with = "restore")]
    confirm: bool,
    /// They were lost: put the rows back as they were sent last
    #[arg(long)]
    restore: bool,
}

impl Gone {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let table = super::import::table_or_line(&self.table)?;
        let mut connection = station::open_database(&config)?;
        let (now, own) = (Timestamp::now(), config.code);
        let (scope, event) = match (self.confirm, self.restore) {
            (true, _) => (Scope::Book, "removal.confirmed"),
            (false, true) => (Scope::Everything, "removal.undone"),
            (false, false) => (Scope::Book, ""),
        };
        let (done, left) = write::write::<_, SpokeError>(&mut connection, scope, |transaction| {
            let done = match (self.confirm, self.restore) {
                (true, _) => removals::confirm(transaction, table)?,
                (false, true) => removals::put_back(transaction, table)?,
                (false, false) => 0,
            };
            let left = removals::count(transaction, table)?;
            if done > 0 && left == 0 {
                decided(transaction, own, table.name, event, now)?;
            }
            Ok((done, left))
        })?;
        let word = match event {
            "removal.confirmed" => "spoke-gone-confirmed",
            "removal.undone" => "spoke-gone-restored",
            _ if left == 0 => "spoke-gone-none",
            _ => "spoke-gone-held",
        };
        common.print(&json!({"table": table.name, "done": done, "held": left}), |lang| {
            let args = [("table", table.name.into()), ("done", done.into()), ("held", left.into())];
            messages::text(lang, word, &args)
        })?;
        Ok(if left == 0 { Exit::Done } else { Exit::False })
    }
}
