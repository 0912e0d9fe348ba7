//! `protocol list` and `protocol show`, the same at the hub and at a centre.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use super::{Protocol, ProtocolError, Protocols, html, one, word};
use crate::{
    messages::{self, Lang},
    output::{CommonArgs, Exit, Failure, print},
};

/// What can be asked of the protocols.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ProtocolCommand {
    /// The protocols, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 20, value_name = "N")]
        last: usize,
    },
    /// One protocol, whole
    Show {
        /// Its number
        number: u32,
        /// As the page for printing
        #[arg(long)]
        html: bool,
    },
}

impl ProtocolCommand {
    /// Carries the command out over the directory `dir`.
    pub fn run(&self, common: &CommonArgs, dir: &Path) -> Result<Exit, Failure> {
        let protocols = Protocols::open(dir)?;
        match self {
            Self::List { last } => list(common, &protocols, *last)?,
            Self::Show { number, html: true } => page(&protocols.read(*number)?)?,
            Self::Show { number, html: false } => show(common, &protocols, *number)?,
        }
        Ok(Exit::Done)
    }
}

fn page(protocol: &Protocol) -> Result<(), Failure> {
    print(html::render(protocol).map_err(ProtocolError::from)?.trim_end())
}

fn list(common: &CommonArgs, protocols: &Protocols, last: usize) -> Result<(), Failure> {
    let numbers = protocols.numbers()?;
    let newest: Vec<Protocol> =
        numbers.iter().rev().take(last).map(|number| protocols.read(*number)).collect::<Result<_, _>>()?;
    let entries: Vec<_> = newest
        .iter()
        .map(|p| {
            json!({"number": p.number, "kind": p.kind, "heading": p.heading, "peer": p.peer,
                "started": p.started, "finished": p.finished, "records": p.records(),
                "outcomes": p.by_outcome(), "lines": p.lines.len(), "printable": protocols.printable(p)})
        })
        .collect();
    common.print(&json!({"protocols": entries}), |lang| {
        if newest.is_empty() {
            return messages::text(lang, "protocol-none", &[]);
        }
        newest.iter().map(|p| summary(lang, p)).collect::<Vec<_>>().join("\n")
    })
}

fn show(common: &CommonArgs, protocols: &Protocols, number: u32) -> Result<(), Failure> {
    let protocol = protocols.read(number)?;
    if let Err(error) = protocols.make_page(&protocol) {
        // who may only read is shown what there is
        tracing::warn!(%error, "the printable page could not be made");
    }
    common.print(&protocol, |lang| {
        let mut text = vec![summary(lang, &protocol)];
        for packet in &protocol.packets {
            text.push(format!("  {}  {}", packet.name, word(lang, "packet-state", &packet.state)));
            if let Some((what, next)) = packet.why(lang) {
                text.push(format!("    {what}\n    → {next}"));
            }
        }
        for total in &protocol.totals {
            let outcome = word(lang, "outcome", protocol.called(&total.outcome));
            let kind = word(lang, "kind", &total.kind);
            text.push(format!("  {kind}: {outcome}: {}", total.count));
        }
        for line in &protocol.lines {
            let kind = word(lang, "kind", &line.kind);
            let outcome = one(lang, protocol.called(&line.outcome));
            text.push(format!("  {kind} {}: {outcome}", line.key));
            text.push(format!("    {}", line.sentence));
            text.extend(line.rule_words(lang).map(|rule| format!("    {rule}")));
            text.extend(line.words.iter().map(|words| format!("    «{words}»")));
            text.extend(Some(&line.next).filter(|next| !next.is_empty()).map(|next| format!("    → {next}")));
        }
        let file = protocols.printable(&protocol).display().to_string();
        text.push(messages::text(lang, "protocol-printable", &[("file", file.into())]));
        text.join("\n")
    })
}

fn summary(lang: Lang, protocol: &Protocol) -> String {
    let outcomes: Vec<String> = protocol
        .by_outcome()
        .iter()
        .map(|(outcome, n)| format!("{} {n}", word(lang, "outcome", protocol.called(outcome))))
        .chain(protocol.packets.iter().filter(|packet| packet.why(lang).is_some()).map(|packet| {
            messages::text(lang, "protocol-not-taken", &[("code", packet.state.clone().into())])
        }))
        .collect();
    format!(
        "{:06}  {}  {}{}  {}",
        protocol.number,
        messages::moment(lang, protocol.started),
        messages::text(lang, &format!("protocol-heading-{}", protocol.kind.word()), &[]),
        protocol.peer.as_ref().map(|peer| format!(" ({peer})")).unwrap_or_default(),
        outcomes.join(", ")
    )
}
