//! `rebuild`: the database out of the archive; `content`: what the database knows, as one digest.

use std::{io::Write as _, path::PathBuf};

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Failure, Format, Lang},
};
use jiff::Timestamp;
use serde_json::json;

use super::config;
use crate::edges::{
    hub::open_store,
    operations::operator,
    rebuild::{self, Order, Rebuilt},
};

/// Make a lost database again, out of the archive
///
/// For a hub whose database is gone and has no copy; with one, restore is quicker. The daemon must be stopped, configuration, keys/ with the
/// watermark, trust/ and the archive key must be there, hub.db must not. Every file of the archive is proven first; if one is
/// missing, damaged or none of this hub's, it is named, and nothing is made. What was decided is not decided again. Then each
/// stream goes on in a new epoch. If more was exchanged than the archive knows of, the streams stop: resync shows how to go on.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// The archive: the folder archive/ of the hub, or a copy of it
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The archive key, if it does not lie in keys/archive.key: it opens what was sealed for the centres
    #[arg(long, value_name = "FILE")]
    archive_key: Option<PathBuf>,
}

/// The digest of all that this hub knows: two databases that know the same have the same
///
/// Of a hub and of the one that was rebuilt from its archive. Of each table too, so that one sees where two differ.
#[derive(Debug, Args)]
pub struct Content;

impl Rebuild {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let config = config(common)?;
        let actor = operator();
        let order = Order { from: &self.from, archive_key: self.archive_key.as_deref(), actor: &actor };
        let mut last = (String::new(), 0);
        let mut tell = |stage: &'static str, done: u64, all: u64| {
            let percent = done * 100 / all.max(1);
            // a program that reads JSON needs none
            if common.format == Format::Text && (last.0 != stage || percent >= last.1 + 10) {
                last = (stage.to_owned(), percent);
                let words = messages::text(
                    common.lang,
                    &format!("hub-rebuild-stage-{stage}"),
                    &[("percent", percent.into())],
                );
                // whoever closed standard error wants no progress
                let _ = writeln!(std::io::stderr(), "{words}");
            }
        };
        let rebuilt = rebuild::rebuild(&config, order, Timestamp::now(), &mut tell)?;
        common.print(&rebuilt, |lang| text(lang, &rebuilt))
    }
}

impl Content {
    pub(super) fn run(common: &CommonArgs) -> Result<(), Failure> {
        let content = open_store(&config(common)?)?.read(|tx| tx.content().map_err(Failure::from))?;
        common.print(&json!(content), |lang| {
            let whole = [("digest", content.digest.to_string().into())];
            let table = |one: &crate::database::content::Covered| {
                format!("  {:<16} {:>8}  {}", one.table, one.rows, one.digest)
            };
            let lines = [messages::text(lang, "hub-content", &whole)].into_iter();
            lines.chain(content.tables.iter().map(table)).collect::<Vec<_>>().join("\n")
        })
    }
}

fn text(lang: Lang, rebuilt: &Rebuilt) -> String {
    let args = [
        ("database", rebuilt.database.display().to_string().into()),
        ("applied", rebuilt.applied.into()),
        ("refused", rebuilt.refused.into()),
        ("sealed", rebuilt.sealed.into()),
        ("own", rebuilt.own.into()),
        ("beside", rebuilt.beside.into()),
        ("persons", rebuilt.persons.into()),
        ("digest", rebuilt.content.digest.to_string().into()),
        ("protocol", rebuilt.protocol.unwrap_or_default().into()),
    ];
    let mut lines: Vec<String> = ["hub-rebuild-done", "hub-rebuild-packets", "hub-rebuild-content"]
        .map(|id| messages::text(lang, id, &args))
        .into();
    lines.push(match &rebuilt.told {
        Some(told) => messages::text(lang, "hub-rebuild-told", &[("digest", told.clone().into())]),
        None => messages::text(lang, "hub-rebuild-untold", &[]),
    });
    lines.push(if rebuilt.stopped.is_empty() {
        messages::text(lang, "hub-rebuild-goes-on", &[])
    } else {
        let centres = [("centres", rebuilt.stopped.join(", ").into())];
        messages::text(lang, "hub-rebuild-stopped", &centres)
    });
    lines.join("\n")
}
