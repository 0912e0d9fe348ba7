//! `export [TABLE] --out PATH`: the centre's tables into files for Excel and 1C.

use std::path::{Path, PathBuf};

use clap::Args;
use exchange_endpoint::{
    config::Config,
    messages::{self, Lang},
    output::{CommonArgs, Exit, Failure},
    tables::{self, Encoding, Files, Written},
};

use crate::edges::{
    config::SpokeConfig,
    hand_out::{HandedOut, Order, Since},
};

/// An export.
#[derive(Debug, Args)]
pub struct Export {
    /// One table, or a table of lines; without it all of them
    table: Option<String>,
    /// The file, .csv or .xlsx; of all tables the directory
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Of all tables: what the files are
    #[arg(long = "as", value_enum, default_value_t)]
    files: Files,
    /// How the letters of CSV are written
    #[arg(long, value_enum, default_value_t)]
    encoding: Encoding,
    /// Only rows that the hub has changed after this protocol; last: after the last export into the same directory
    #[arg(long, value_name = "PROTOCOL")]
    changed_since: Option<Since>,
}

impl Export {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let found = |name| Ok::<_, Failure>((super::import::table_or_line(name)?, name));
        let order = Order {
            table: self.table.as_deref().map(found).transpose()?,
            to: &self.out,
            files: self.files,
            encoding: self.encoding,
            since: self.changed_since,
            lang: common.lang,
            progress: &tables::progress(common),
        };
        let done = order.carry_out(&config)?;
        common.print(&done, |lang| text(lang, &done))?;
        Ok(Written::exit(&done.files))
    }
}

/// What the hub has changed since the last time, into `dir`.
pub(super) fn changes(
    dir: &Path,
    (files, encoding): (Files, Encoding),
    config: &Config<SpokeConfig>,
    common: &CommonArgs,
) -> Result<HandedOut, Failure> {
    let (lang, progress) = (common.lang, &tables::progress(common));
    let order = Order { table: None, to: dir, files, encoding, since: Some(Since::Last), lang, progress };
    Ok(order.carry_out(config)?)
}

/// The files and their rows, and where the next export begins.
pub(super) fn text(lang: Lang, done: &HandedOut) -> String {
    let id = if done.files.is_empty() { "spoke-export-nothing" } else { "spoke-export-until" };
    let end = messages::text(lang, id, &[("until", done.until.into())]);
    done.files.iter().map(|file: &Written| file.text(lang)).chain([end]).collect::<Vec<_>>().join("\n")
}
