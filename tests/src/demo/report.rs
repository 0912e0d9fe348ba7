//! The demonstration's result: `svod.demo/1` for programs, a page of text for people.

use std::fmt::Write as _;

use exchange_endpoint::messages::{self, Lang, Value};
use fixtures::places::hub_code;
use serde::Serialize;
use serde_json::json;

use super::{
    counts::{Counts, Packets},
    facts::Fact,
};
use crate::world::World;

/// What the demonstration found (docs/CLI_JSON.md §Demo).
#[derive(Debug, Serialize)]
pub struct Report {
    schema: &'static str,
    /// Whether every fact held.
    pub ok: bool,
    seed: u64,
    dir: String,
    hub: serde_json::Value,
    centres: Vec<serde_json::Value>,
    /// What the databases hold.
    pub counts: Counts,
    /// What travelled.
    pub packets: Packets,
    /// What held.
    pub facts: Vec<Fact>,
    /// Seconds of each stage: not a benchmark.
    pub stages_s: Vec<(&'static str, f64)>,
}

impl Report {
    /// Puts together what was read.
    pub fn new(world: &World, seed: u64, counts: Counts, packets: Packets, facts: Vec<Fact>) -> Self {
        let layout = &world.layout;
        let centre = |(n, code): (usize, exchange_format::participant::ParticipantCode)| json!({"code": code.as_str(), "config": layout.centre_config(n), "db": layout.centre_db(n)});
        Self {
            schema: "svod.demo/1",
            ok: !facts.is_empty() && facts.iter().all(|fact| fact.held),
            seed,
            dir: layout.root().to_string_lossy().into_owned(),
            hub: json!({
                "code": hub_code().as_str(), "config": layout.hub_config(), "db": layout.hub_db(),
                "ftps_port": world.ftps_port,
            }),
            centres: world.centres().map(centre).collect(),
            counts,
            packets,
            facts,
            stages_s: Vec::new(),
        }
    }

    /// The summary for people.
    pub fn text(&self, lang: Lang, kept: bool) -> String {
        let say = |id: &str, args: &[(&str, Value<'_>)]| messages::text(lang, id, args);
        let mut text = say(
            "demo-title",
            &[("centres", self.centres.len().into()), ("seed", self.seed.to_string().into())],
        );
        text.push('\n');
        let counts = &self.counts;
        for (id, value) in [
            ("demo-records", counts.records as u64),
            ("demo-people", counts.people_true as u64),
            ("demo-persons", counts.persons),
            ("demo-wrong-links", counts.wrong_links),
            ("demo-missed-pairs", counts.missed_pairs),
            ("demo-review", counts.review),
            ("demo-locked", counts.locked_rows),
            ("demo-aliases", counts.aliases),
        ] {
            let _ = writeln!(text, "{value:>9}  {}", say(id, &[]));
        }
        let p = &self.packets;
        let packets =
            [("SN", p.sn), ("DT", p.dt), ("KV", p.kv), ("PR", p.pr)].map(|(kind, n)| format!("{kind} {n}"));
        let _ = writeln!(
            text,
            "{}: {}; {}: {}",
            say("demo-packets", &[]),
            packets.join(", "),
            say("demo-quarantined", &[]),
            p.quarantined
        );
        for fact in &self.facts {
            let mark = if fact.held { '✓' } else { '✗' };
            let _ =
                writeln!(text, "  {mark} {}", say(&format!("demo-fact-{}", fact.id.replace('_', "-")), &[]));
            if !fact.held {
                let _ = writeln!(text, "    {}", fact.evidence);
            }
        }
        text.push_str(&say(if self.ok { "demo-ok" } else { "demo-not-ok" }, &[]));
        if kept {
            text.push('\n');
            text.push_str(&say("demo-kept", &[("dir", self.dir.clone().into())]));
        }
        text
    }
}
