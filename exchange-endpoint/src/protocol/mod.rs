//! The protocol of one run (протокол обмена): what staff and auditors read of an export, a load or a merge
//! (exchange §9). It bears identifiers, rules and reasons, never personal data; of a decision also the reason that whoever
//! took it gave.
//!
//! A run begins one ([`Protocol::begin`]), counts and notes as it goes, and puts it into the database with what it has
//! done ([`KeptProtocols::put`](crate::protocol_table::KeptProtocols::put), which numbers it). [`Protocols`] keeps it in files, twice: as JSON for programs, as one
//! printable HTML file for people.

mod commands;
mod html;
mod store;

use std::collections::BTreeMap;

use exchange_format::{
    answer::{PacketReason, RecordLine},
    participant::ParticipantCode,
    position::Digest,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::messages::{self, Lang};

pub use commands::ProtocolCommand;
pub use html::{HtmlError, STYLE, render};
pub use store::{ProtocolError, Protocols};

/// The schema's name in the JSON file. Fields may be added under the same name.
pub const SCHEMA: &str = "svod.protocol/1";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Own records were sealed into packets for the peer.
    Export,
    /// The peer's packets were judged and applied.
    Load,
    /// The hub linked claims to persons and published.
    Merge,
    /// The hub's staff decided something.
    Decision,
    /// The hub's database was made again out of its archive.
    Rebuild,
    /// What a restore had lost was taken back, and what of the older database is gone by that.
    Resync,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Export, Self::Load, Self::Merge, Self::Decision, Self::Rebuild, Self::Resync];

    /// The word in file names and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Load => "load",
            Self::Merge => "merge",
            Self::Decision => "decision",
            Self::Rebuild => "rebuild",
            Self::Resync => "resync",
        }
    }
}

/// A packet that the run made or read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// Its file name.
    pub name: String,
    /// SHA-256 of its manifest, which identifies it; absent if it could not be opened.
    pub digest: Option<String>,
    /// What became of it: a word of the catalogue (`packet-state-<word>`) or the code of a
    /// [`PacketReason`].
    pub state: String,
    /// How many of its records the totals count; absent if none could be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}

impl Packet {
    /// Why it was not taken and what to do, if its state is a reason.
    fn why(&self, lang: Lang) -> Option<(&'static str, &'static str)> {
        let reason: PacketReason = self.state.parse().ok()?;
        Some((lang.of(reason.sentence()), lang.of(reason.next_action())))
    }
}

/// A record that was not plainly applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Record kind, as on the wire.
    pub kind: String,
    /// The record's key, or the person's uid.
    pub key: String,
    /// What became of it (`held`, `refused`, `proposed`…).
    pub outcome: String,
    /// The rule that decided.
    pub rule: String,
    /// The reason code, as `LOCKED`; empty if there is none.
    pub reason: String,
    /// What happened, for staff.
    pub sentence: String,
    /// What to do about it, for staff.
    pub next: String,
    /// Why, in the words of whoever decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// How many records of one kind had one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Record kind, as on the wire.
    pub kind: String,
    /// What became of them.
    pub outcome: String,
    /// How many.
    pub count: u64,
}

/// The document of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// [`SCHEMA`].
    pub schema: String,
    /// Its number at this participant, from 1; 0 until it is kept.
    pub number: u32,
    /// What was done.
    pub kind: Kind,
    /// The language its sentences are in.
    pub lang: Lang,
    /// What it is called.
    pub heading: String,
    /// The code of the participant whose run it was.
    pub participant: String,
    /// The code of the other side; none in a merge or a decision.
    pub peer: Option<String>,
    /// Who gave the command, as the system names the account; none where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The packets, in order.
    pub packets: Vec<Packet>,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Totals in the order in which kind and outcome were first counted.
    pub totals: Vec<Total>,
    /// By which rules, in a merge; absent in protocols of older programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleTotal>,
    /// What was not plainly applied.
    pub lines: Vec<Line>,
}

/// How many records a rule decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTotal {
    /// The rule's code.
    pub rule: String,
    /// What it says, for staff.
    pub sentence: String,
    /// How many.
    pub count: u64,
}

impl Line {
    /// The rule in words, where the sentence does not say it.
    fn rule_words(&self, lang: Lang) -> Option<String> {
        messages::rule_words(lang, &self.rule, &self.reason)
    }

    /// The line of a record that an answer (PR) tells of.
    pub fn of_answer(lang: Lang, line: &RecordLine) -> Self {
        Self {
            kind: line.kind.name().to_owned(),
            key: line.key.to_string(),
            outcome: line.outcome.word().to_owned(),
            rule: line.rule.to_string(),
            reason: line.reason.code().to_owned(),
            sentence: lang.of(line.reason.sentence()).to_owned(),
            next: lang.of(line.reason.next_action()).to_owned(),
            words: None,
        }
    }
}

impl Protocol {
    /// The empty protocol of a run that begins at `started`.
    pub fn begin(
        kind: Kind,
        lang: Lang,
        participant: ParticipantCode,
        peer: Option<ParticipantCode>,
        started: Timestamp,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            number: 0,
            kind,
            lang,
            heading: messages::text(lang, &format!("protocol-heading-{}", kind.word()), &[]),
            participant: participant.to_string(),
            peer: peer.map(|code| code.to_string()),
            actor: None,
            packets: Vec::new(),
            started,
            finished: started,
            totals: Vec::new(),
            rules: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// The run ends now; by a clock that was set back meanwhile, when it began.
    pub fn end(&mut self) {
        self.finished = Timestamp::now().max(self.started);
    }

    /// Names a file of the run that nobody could take anything from, and what became of it.
    pub fn file(&mut self, name: impl Into<String>, digest: Option<Digest>, state: impl Into<String>) {
        let digest = digest.map(|digest| digest.to_string());
        self.packets.push(Packet { name: name.into(), digest, state: state.into(), records: None });
    }

    /// Names a packet of the run, what became of it, and how many of its records the totals count.
    pub fn packet(
        &mut self,
        name: impl Into<String>,
        digest: Digest,
        state: impl Into<String>,
        records: u64,
    ) {
        self.file(name, Some(digest), state);
        self.packets.last_mut().expect("just added").records = Some(records);
    }

    /// Counts `count` records of `kind` with `outcome`.
    pub fn count(&mut self, kind: &str, outcome: &str, count: u64) {
        let known = self.totals.iter_mut().find(|total| total.kind == kind && total.outcome == outcome);
        match known {
            Some(total) => total.count += count,
            None => self.totals.push(Total { kind: kind.to_owned(), outcome: outcome.to_owned(), count }),
        }
    }

    /// Counts a record and tells of it in a line of its own.
    pub fn tell(&mut self, line: Line) {
        self.count(&line.kind, &line.outcome, 1);
        self.lines.push(line);
    }

    /// How many records were counted.
    pub fn records(&self) -> u64 {
        self.totals.iter().map(|total| total.count).sum()
    }

    /// How many records the totals count too many or too few for the packets listed; `None` where that is not to be
    /// known. What could not be sent is told beside the packets of an export.
    pub fn miscounted(&self) -> Option<i128> {
        let packets = self.packets.iter().filter(|packet| packet.state.parse::<PacketReason>().is_err());
        let carried = packets.map(|packet| packet.records).sum::<Option<u64>>()?;
        let is_carried = |total: &&Total| self.kind == Kind::Load || total.outcome != "refused";
        let counted: u64 = self.totals.iter().filter(is_carried).map(|total| total.count).sum();
        let apart = i128::from(counted) - i128::from(carried);
        (matches!(self.kind, Kind::Load | Kind::Export) && apart != 0).then_some(apart)
    }

    /// The outcome as it is called here: what an export refuses was never sent.
    fn called<'a>(&self, outcome: &'a str) -> &'a str {
        if self.kind == Kind::Export && outcome == "refused" { "unsendable" } else { outcome }
    }

    /// How many records had each outcome, whatever their kind.
    pub fn by_outcome(&self) -> BTreeMap<&str, u64> {
        let mut sums = BTreeMap::new();
        for total in &self.totals {
            *sums.entry(total.outcome.as_str()).or_default() += total.count;
        }
        sums
    }
}

/// The catalogue's word for a data word such as a record kind or `APPLIED`; the data word itself if the
/// catalogue, being older than the data, has none.
fn word(lang: Lang, group: &str, word: &str) -> String {
    let id = format!("{group}-{}", word.to_ascii_lowercase());
    messages::find(lang, &id, &[]).unwrap_or_else(|| word.to_owned())
}

/// The word for the outcome of one record.
fn one(lang: Lang, outcome: &str) -> String {
    messages::find(lang, &format!("outcome-{outcome}.one"), &[]).unwrap_or_else(|| outcome.to_owned())
}
