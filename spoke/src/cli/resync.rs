//! `resync`: after a restore, what the hub has otherwise, and that it is taken back.

use clap::Args;
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Exit, Failure, Lang},
};
use jiff::Timestamp;

use crate::edges::{
    SpokeError,
    resync::{self, Keep, Standing},
    station,
};

/// After a restore.
#[derive(Debug, Args)]
pub struct Resync {
    /// Take back what was lost, as shown, and let the exchange go on
    #[arg(long)]
    yes: bool,
    /// Of a record that has changed both here and in what was lost: which of the two stands
    #[arg(long, value_enum, value_name = "WHICH")]
    keep: Option<Keep>,
}

impl Resync {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let looked = || -> Result<Standing, SpokeError> {
            let connection = station::open_to_look(&config)?;
            resync::look(&config, &connection)
        };
        let mut standing = looked()?;
        if self.yes {
            match (standing.stage, &standing.snapshot) {
                ("asked", _) => return Err(Failure::new(Exit::Temporary, "resync-not-yet")),
                ("ready" | "confirmed", Some(_)) if standing.moved > 0 && self.keep.is_none() => {
                    return Err(Failure::new(Exit::Refused, "resync-choose").with("n", standing.moved));
                }
                ("ready" | "confirmed", Some(digest)) => {
                    let mut connection = station::open_database(&config)?;
                    resync::confirm(&mut connection, config.code, digest, self.keep, Timestamp::now())?;
                    standing.stage = "confirmed";
                }
                _ => {}
            }
        }
        common.print(&standing, |lang| text(lang, &standing))?;
        Ok(Exit::Done)
    }
}

fn text(lang: Lang, standing: &Standing) -> String {
    let say = |id: &str| messages::text(lang, id, &[]);
    let mut lines = vec![say(match standing.stage {
        "asked" => "spoke-resync-asked",
        "ready" => "spoke-resync-ready",
        "confirmed" => "spoke-resync-confirmed",
        _ => "resync-none",
    })];
    for (table, by_what) in &standing.records {
        for (what, n) in by_what {
            let code = serde_json::to_value(what).ok().and_then(|word| word.as_str().map(str::to_owned));
            let what = word(lang, "resync-what", &code.unwrap_or_default());
            lines.push(format!("  {table}: {what} — {n}"));
        }
    }
    if standing.moved > 0 {
        lines.push(say("spoke-resync-moved"));
        for one in &standing.conflicts {
            lines.push(format!("    {} {}", one.table, one.id.as_deref().unwrap_or(&one.key)));
        }
    }
    match (standing.stage, standing.moved) {
        ("ready", 0) => lines.push(say("spoke-resync-next")),
        ("ready", _) => lines.push(say("spoke-resync-choose-next")),
        _ => {}
    }
    lines.join("\n")
}
