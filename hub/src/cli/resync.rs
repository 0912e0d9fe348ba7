//! `resync`: after a restore, what differs from each centre, and that the exchange may go on.

use std::path::PathBuf;

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
        gone::{self, Decision, Difference, Unknown},
        operations::{
            operator,
            table_file::{heading_of, shown},
        },
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
    /// Write all that differs, and all that was decided after the copy, into this file, with the values: personal data
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
}

/// So many records are shown of each centre, and so many decisions; so many are in the JSON.
const SHOWN: usize = 20;
const LISTED: usize = 1000;

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
        let decisions = resync::decisions(&config)?;
        if let Some(path) = &self.out {
            let differences: Vec<_> = all
                .iter()
                .map(|one| (one.centre.clone(), one.differences.as_slice(), one.unknown.as_slice()))
                .collect();
            gone::write(path, &differences, &decisions)?;
        }
        let told =
            json!({ "centres": without_values(&all), "decisions": decisions_without_values(&decisions) });
        common.print(&told, |lang| {
            let mut lines = vec![text(lang, &all)];
            lines.extend(lost(lang, &decisions));
            let file = self.out.as_ref().map(|path| path.display().to_string());
            let is_long = |one: &Standing| one.differences.len() > SHOWN || one.unknown.len() > SHOWN;
            let is_more = decisions.len() > SHOWN || all.iter().any(is_long);
            match file {
                Some(file) => lines.push(messages::text(lang, "hub-resync-file", &[("file", file.into())])),
                None if is_more => lines.push(messages::text(lang, "hub-resync-more", &[])),
                None => {}
            }
            if all.iter().any(|one| one.stage == "ready") {
                lines.push(messages::text(lang, "hub-resync-next", &[]));
            }
            lines.join("\n")
        })?;
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
                lines.push(counts("resync-published", kind, what.word(), *n));
            }
        }
        for (kind, by_what) in &one.records {
            lines.extend(by_what.iter().map(|(what, n)| counts("resync-record", kind, what, *n)));
        }
        lines.extend(differences(lang, &one.differences));
        lines.extend(unknown(lang, &one.unknown));
    }
    lines.join("\n")
}

/// The first of what differs, a line a record and one a value.
fn differences(lang: Lang, all: &[Difference]) -> impl Iterator<Item = String> {
    all.iter().take(SHOWN).flat_map(move |one| {
        let args = [
            ("kind", word(lang, "kind", one.kind).into()),
            ("key", one.key.clone().into()),
            ("case", one.case_number.clone().unwrap_or_else(|| "—".to_owned()).into()),
            ("what", word(lang, "resync-published", one.what.word()).into()),
            ("here", one.here.into()),
            ("there", one.there.into()),
        ];
        let head = format!("    {}", messages::text(lang, "hub-resync-difference", &args));
        let values = one.values.iter().map(move |value| {
            let side = |side: &Option<String>| side.as_deref().map(|text| shown(lang, &value.field, text));
            let side = |text: &Option<String>| side(text).unwrap_or_else(|| "—".to_owned());
            let args = [
                ("field", heading_of(lang, &value.field).into()),
                ("here", side(&value.here).into()),
                ("there", side(&value.there).into()),
            ];
            format!("      {}", messages::text(lang, "hub-resync-value", &args))
        });
        std::iter::once(head).chain(values).collect::<Vec<_>>()
    })
}

/// The first of what the lost database had taken and nobody knows any more.
fn unknown(lang: Lang, all: &[Unknown]) -> Vec<String> {
    if all.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec![format!("  {}", messages::text(lang, "hub-resync-unknown", &[("n", all.len().into())]))];
    for one in all.iter().take(SHOWN) {
        let args = [("version", one.version.into()), ("packet", one.packet.clone().into())];
        let said = messages::text(lang, "hub-resync-unknown-line", &args);
        lines.push(format!("    {} {}: {said}", word(lang, "kind", one.kind), one.key));
    }
    lines
}

/// The first of what staff decided after the copy was made.
fn lost(lang: Lang, decisions: &[Decision]) -> Vec<String> {
    if decisions.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![messages::text(lang, "hub-resync-decisions", &[("n", decisions.len().into())])];
    for Decision { event, case_number } in decisions.iter().take(SHOWN) {
        let at = messages::stored_moment(lang, &event.at);
        let who = event.actor.clone().unwrap_or_default();
        let subject = event.subject.clone().unwrap_or_default();
        let whose = case_number.clone().unwrap_or(subject);
        let why = event.reason.as_ref().map_or_else(String::new, |why| format!("  «{why}»"));
        lines.push(format!("  {at}  {who}  {whose}: {}{why}", super::person::decided_so(lang, event)));
    }
    lines
}

/// The first of what differs; values are never written as JSON.
fn without_values(all: &[Standing]) -> Vec<Standing> {
    let mut all = all.to_vec();
    for one in &mut all {
        one.differences.truncate(LISTED);
        one.unknown.truncate(LISTED);
    }
    all
}

fn decisions_without_values(all: &[Decision]) -> Vec<Decision> {
    let mut all: Vec<Decision> = all.iter().take(LISTED).cloned().collect();
    for one in &mut all {
        one.event.value = None;
    }
    all
}
