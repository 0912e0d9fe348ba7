//! `resync`: after a restore, what the hub has otherwise, and that it is taken back.

use std::path::PathBuf;

use clap::Args;
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Exit, Failure, Lang},
};
use jiff::Timestamp;

use crate::database::returned::What;
use crate::edges::{
    SpokeError,
    difference::{Difference, DifferenceTable},
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
    /// Write all that differs into this file, with the values here and there: personal data
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
}

/// So many records are shown.
const SHOWN: usize = 20;

impl Resync {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let looked = || -> Result<Standing, SpokeError> {
            let connection = station::open_to_look(&config)?;
            let mut table = self.out.as_deref().map(DifferenceTable::begin).transpose()?;
            let mut standing = resync::look(&config, &connection, &mut |one| {
                Ok(table.as_mut().map_or(Ok(()), |table| table.put(one))?)
            })?;
            if let Some(table) = table.filter(|_| standing.differing() > 0) {
                table.finish()?;
                standing.file.clone_from(&self.out);
            }
            Ok(standing)
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
    if standing.unreadable {
        lines.push(say("spoke-resync-unreadable"));
    }
    for (table, by_what) in &standing.records {
        for (what, n) in by_what {
            lines.push(format!("  {table}: {} — {n}", word(lang, "resync-what", what.word())));
        }
    }
    if !standing.differences.is_empty() {
        lines.push(say("spoke-resync-differences"));
    }
    // first what a person chooses
    let (moved, others): (Vec<&Difference>, Vec<&Difference>) =
        standing.differences.iter().partition(|one| one.what == What::Moved);
    for one in moved.into_iter().chain(others).take(SHOWN) {
        let what = word(lang, "resync-what", one.what.word());
        lines.push(format!("    {} {}: {what}", one.table, one.id.as_deref().unwrap_or(&one.key)));
        for value in &one.values {
            let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "—".to_owned());
            let args = [
                ("field", value.column.clone().into()),
                ("here", side(&value.here).into()),
                ("there", side(&value.there).into()),
            ];
            lines.push(format!("      {}", messages::text(lang, "spoke-resync-value", &args)));
        }
    }
    let more = standing.differing().saturating_sub(SHOWN as u64);
    let id = match &standing.file {
        Some(_) => Some("spoke-resync-file"),
        None => (more > 0).then_some("spoke-resync-more"),
    };
    if let Some(id) = id {
        let file = standing.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
        lines.push(format!("    {}", messages::text(lang, id, &[("n", more.into()), ("file", file.into())])));
    }
    if !standing.unknown.is_empty() {
        let n = [("n", standing.unknown.len().into())];
        lines.push(messages::text(lang, "spoke-resync-unknown", &n));
        lines.extend(standing.unknown.iter().take(SHOWN).map(|name| format!("    {name}")));
    }
    match (standing.stage, standing.moved) {
        ("ready", 0) => lines.push(say("spoke-resync-next")),
        ("ready", _) => lines.push(say("spoke-resync-choose-next")),
        _ => {}
    }
    lines.join("\n")
}
