//! `resync`: after a restore, what differs from each centre, and that the exchange may go on.

use clap::Args;
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Exit, Failure, Lang},
};
use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;
use serde_json::json;

use super::config;
use crate::{
    database::linking::Act,
    edges::{
        operations::operator,
        resync::{self, Standing},
    },
};

/// After this hub was put back from a copy: what differs from each centre; --yes lets the exchange go on
#[derive(Debug, Args)]
pub struct Resync {
    /// This centre only
    centre: Option<ParticipantCode>,
    /// Take back what was lost, as shown, and go on. What staff have decided since the copy has to be decided again
    #[arg(long)]
    yes: bool,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT", default_value = "resync", value_parser = super::reason)]
    reason: String,
}

impl Resync {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = config(common)?;
        let chosen = |one: &Standing| self.centre.is_none_or(|code| code.as_str() == one.centre);
        let mut all: Vec<Standing> = resync::look(&config)?.into_iter().filter(chosen).collect();
        if self.yes {
            let ready: Vec<Standing> = all.iter().filter(|one| one.stage == "ready").cloned().collect();
            if ready.is_empty() && all.iter().any(|one| one.stage == "asked") {
                return Err(Failure::new(Exit::Temporary, "resync-not-yet"));
            }
            let (now, actor) = (Timestamp::now(), operator());
            let act = Act { actor: &actor, reason: &self.reason, at: &now.to_string() };
            resync::confirm(&config, &ready, act, now)?;
            all.iter_mut().filter(|one| one.stage == "ready").for_each(|one| one.stage = "confirmed");
        }
        common.print(&json!({ "centres": all }), |lang| text(lang, &all))?;
        Ok(Exit::Done)
    }
}

fn text(lang: Lang, all: &[Standing]) -> String {
    if all.is_empty() {
        return messages::text(lang, "resync-none", &[]);
    }
    let mut lines = Vec::new();
    for one in all {
        let args = [("centre", one.centre.clone().into())];
        lines.push(messages::text(lang, &format!("hub-resync-{}", one.stage), &args));
        let counts = |group: &str, kind: &str, what: &str, n: u64| {
            format!("  {}: {} — {n}", word(lang, "kind", kind), word(lang, group, what))
        };
        for (kind, by_what) in &one.published {
            for (what, n) in by_what {
                let what = serde_json::to_value(what).ok().and_then(|word| word.as_str().map(str::to_owned));
                lines.push(counts("resync-published", kind, &what.unwrap_or_default(), *n));
            }
        }
        for (kind, by_what) in &one.records {
            lines.extend(by_what.iter().map(|(what, n)| counts("resync-record", kind, what, *n)));
        }
    }
    if all.iter().any(|one| one.stage == "ready") {
        lines.push(messages::text(lang, "hub-resync-next", &[]));
    }
    lines.join("\n")
}
