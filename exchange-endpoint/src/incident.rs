//! `incident close` of both daemons: a person has looked into an incident that nothing else ends.

use clap::Subcommand;
use serde_json::json;

use crate::{
    messages,
    output::{CommonArgs, Exit, Failure},
};

/// What can be done with incidents.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum IncidentCommand {
    /// Say that an incident was looked into: it is told no more, and the journal has who said so
    ///
    /// Of files that were not accepted, and of what has happened once. What lasts (a stopped stream, records that differ, a
    /// damaged place) ends by itself when it is mended, and cannot be closed.
    Close {
        /// Its number, of status
        #[arg(value_name = "NUMBER")]
        n: i64,
    },
}

/// Incidents that are states: they last as long as their cause, and end with it.
const LASTING: [&str; 12] = [
    "RESTORED",
    "PEER_RESTORED",
    "DIVERGED",
    "CLONE",
    "TAMPERED",
    "MANY_GONE",
    "ROW_TAKEN",
    "ROWS_BESIDE",
    "ARCHIVE_GAP",
    "SPOOL_LOST",
    "UNSEALED",
    "JOURNAL_ALTERED",
];

impl IncidentCommand {
    /// Carries the command out: `open` are the numbers of what is open with their codes, `close` ends one.
    ///
    /// # Errors
    /// It is not open, or ends by itself.
    pub fn run(
        &self,
        common: &CommonArgs,
        open: &[(i64, String)],
        close: impl FnOnce(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Self::Close { n } = self;
        let found = open.iter().find(|(one, _)| one == n);
        let (_, code) = found.ok_or_else(|| Failure::new(Exit::Refused, "incident-unknown").told("n", n))?;
        if LASTING.contains(&code.as_str()) {
            return Err(Failure::new(Exit::Refused, "incident-lasts").told("code", code));
        }
        close(code)?;
        common.print(&json!({ "closed": n, "code": code }), |lang| {
            messages::text(
                lang,
                "incident-closed",
                &[("n", n.to_string().into()), ("code", code.clone().into())],
            )
        })
    }
}
