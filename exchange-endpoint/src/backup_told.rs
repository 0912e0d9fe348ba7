//! `backup` and `restore`, as both daemons tell them.

use std::path::{Path, PathBuf};

use clap::Args;
use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    backup::{self, Head},
    instance::InstanceLock,
    keys::{self, OwnKeys},
    messages,
    output::{self, CommonArgs, Exit, Failure, Format},
    trust::Trust,
    watermark::Watermark,
};

/// Copies the database, beside a running daemon: signed, and sealed to this participant's own and archive keys
///
/// Keys, cards and the watermark are not in the copy, nor are archive/ and spool/: they are files that do not change.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct BackupCommand {
    /// The new file
    file: PathBuf,
}

/// Puts a copy in the place of the database, once it is proven; what stood there stays beside it
///
/// The daemon must be stopped. It will know that its database was put back, and stop: resync shows how to go on.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RestoreCommand {
    /// The copy
    file: PathBuf,
    /// A key that opens it, if keys/age.key does not: archive.key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// There is a database: put the copy in its place
    #[arg(long)]
    replace: bool,
}

/// Where a participant's files lie.
#[derive(Debug)]
pub struct Place {
    /// Who.
    pub code: ParticipantCode,
    /// The database.
    pub database: PathBuf,
    /// The directory of its keys.
    pub keys: PathBuf,
    /// The directory of cards, former own ones too.
    pub trust: PathBuf,
    /// The watermark file.
    pub watermark: PathBuf,
    /// Permission bits of the database.
    pub mode: u32,
}

impl BackupCommand {
    /// Copies; `note` enters it into the journal.
    ///
    /// # Errors
    /// The database, the keys or a file.
    pub fn run(
        &self,
        common: &CommonArgs,
        place: &Place,
        note: impl FnOnce(&Head) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        let keys = OwnKeys::load(&place.keys, place.code)?;
        let now = Timestamp::now();
        let mut last = 0;
        let mut tell = |done: u64, all: u64| {
            let percent = done * 100 / all.max(1);
            if common.format == Format::Text && percent >= last + 10 && percent < 100 {
                last = percent;
                output::note(&format!("{percent} %"));
            }
        };
        let head = backup::make(&place.database, &keys, &self.file, now, &mut tell)?;
        note(&head)?;
        let answer = json!({"file": self.file, "made_at": head.made_at.to_string(), "bytes": head.bytes, "sha256": head.sha256.to_string()});
        common.print(&answer, |lang| {
            messages::text(lang, "backup-done", &[("file", self.file.display().to_string().into())])
        })?;
        Ok(Exit::Done)
    }
}

impl RestoreCommand {
    /// Puts the copy back. `prepare` looks whether the database in the file that it is given is this participant's, and stops its
    /// streams if something was exchanged since, or if there is no watermark to tell that by; whether they are.
    ///
    /// # Errors
    /// The copy is not proven, a daemon runs, or a file.
    pub fn run(
        &self,
        common: &CommonArgs,
        place: &Place,
        prepare: impl FnOnce(&Path, Option<&Watermark>) -> Result<bool, Failure>,
    ) -> Result<Exit, Failure> {
        let mut lock = InstanceLock::acquire(&place.database)?;
        if place.database.exists() && !self.replace {
            return Err(Failure::new(Exit::Refused, "restore-exists").told("file", place.database.display()));
        }
        let own = OwnKeys::load(&place.keys, place.code)?;
        let mut identities = own.identities.clone();
        if let Some(file) = &self.key {
            identities.extend(keys::read_identities(file)?);
        }
        let trust = Trust::open(&place.trust)?;
        let mut cards = vec![own.card.clone()];
        cards.extend(trust.card(place.code).into_iter().chain(trust.superseded(place.code)).cloned());
        let proven = backup::open(&self.file, &identities, (place.code, &cards), &place.database)?;
        let watermark = Watermark::open_if_sound(&place.watermark)?;
        let stopped = prepare(&proven.path(), watermark.as_ref())?;
        let made_at = proven.head.made_at.to_string();
        let now = Timestamp::now();
        let before = proven.put(&place.database, place.mode, now)?;
        lock.sound();
        let mut aside = None;
        if watermark.is_none() {
            // not before: over an empty one nobody would see that something was exchanged since
            aside = Watermark::begin_again(&place.watermark, now)?;
        }
        let answer = json!({"database": place.database, "made_at": made_at, "before": before, "stopped": stopped, "watermark_before": aside});
        common.print(&answer, |lang| {
            let args = [("at", messages::stored_moment(lang, &made_at).into())];
            let mut lines = vec![messages::text(lang, "restore-done", &args)];
            if let Some(before) = &before {
                let args = [("file", before.display().to_string().into())];
                lines.push(messages::text(lang, "restore-before", &args));
            }
            if let Some(aside) = &aside {
                let args = [("file", aside.display().to_string().into())];
                lines.push(messages::text(lang, "restore-watermark", &args));
            }
            lines.push(messages::text(
                lang,
                if stopped { "restore-stopped" } else { "restore-goes-on" },
                &[],
            ));
            lines.join("\n")
        })?;
        Ok(Exit::Done)
    }
}
