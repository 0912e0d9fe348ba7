//! A protocol of exchange (`protocols/NNNNNN-<kind>.json`), as far as it can be checked: against itself and the page beside
//! it. It bears no signature; what proves an outcome is the signed answer (PR) of the peer.

use std::{collections::BTreeMap, fs};

use exchange_endpoint::{
    messages::Told,
    output::{Exit, Failure},
    protocol::{self, Packet, Protocol, SCHEMA},
};
use exchange_format::{answer::PacketReason, file_name::FileName, position::Digest};
use serde::Serialize;

use crate::{
    examination::{Check, Found},
    given::Given,
};

/// A protocol of a hundred thousand lines has some 50 MiB.
const LIMIT: u64 = 256 << 20;
/// What is kept of a file that was no packet.
const STRAY: &str = "STRAY_";

/// What was found.
#[derive(Debug, Serialize)]
pub struct ProtocolReport {
    schema: &'static str,
    /// `consistent` or `false`.
    pub verdict: &'static str,
    /// The protocol's number.
    pub number: u32,
    /// What was done.
    pub kind: &'static str,
    /// Who drew it up.
    pub participant: String,
    /// The other side.
    pub peer: Option<String>,
    /// When the run began and ended, RFC 3339.
    pub started: String,
    /// When it ended.
    pub finished: String,
    /// The packets it names.
    pub packets: Vec<Packet>,
    /// `packets`, `totals`, `times`, `page`.
    pub checks: Vec<Check>,
    /// Always the same: what a protocol cannot show.
    pub not_proven: [&'static str; 3],
}

/// Whether the file looks like JSON, so that it can be a protocol and no packet.
pub fn is_meant(given: &Given) -> bool {
    given.begins_with(b'{')
}

/// Checks the protocol in `given`.
///
/// # Errors
/// It cannot be read, or is no protocol.
pub fn verify(given: &Given) -> Result<ProtocolReport, Failure> {
    let damaged = |why: Told| {
        Failure::new(Exit::Refused, "protocol-damaged").because("file", given.called()).because("detail", why)
    };
    let bytes = given
        .whole(LIMIT)?
        .ok_or_else(|| damaged(Told::of("protocol-too-large", &[("limit", LIMIT.into())])))?;
    let protocol: Protocol = serde_json::from_slice(&bytes).map_err(|error| damaged((&error).into()))?;
    if protocol.schema != SCHEMA {
        return Err(damaged(Told::of("protocol-other-schema", &[("schema", SCHEMA.into())])));
    }
    let checks = vec![packets(&protocol), totals(&protocol), times(&protocol), page(given, &protocol)?];
    let wrong = checks.iter().any(|check| check.result == Found::False);
    Ok(ProtocolReport {
        schema: "svod.packet.protocol/1",
        verdict: if wrong { "false" } else { "consistent" },
        number: protocol.number,
        kind: protocol.kind.word(),
        participant: protocol.participant,
        peer: protocol.peer,
        started: protocol.started.to_string(),
        finished: protocol.finished.to_string(),
        packets: protocol.packets,
        checks,
        not_proven: ["author", "unchanged", "outcome"],
    })
}

fn result(check: &'static str, wrong: Option<String>) -> Check {
    wrong.map_or_else(|| Check::proven(check), |detail| Check::wrong_because(check, detail))
}

/// Each packet's name is one, of this pair of participants, and bears the digits of the digest beside it.
fn packets(protocol: &Protocol) -> Check {
    let wrong = protocol.packets.iter().enumerate().find_map(|(at, packet)| {
        if packet.name.starts_with(STRAY) {
            return None;
        }
        let Ok(name) = packet.name.parse::<FileName>() else {
            return Some(format!("packet {}: no name", at + 1));
        };
        // what was not taken may be anybody's
        let is_foreign = packet.state == PacketReason::Foreign.code();
        let known =
            |code: &str| is_foreign || code == protocol.participant || Some(code) == protocol.peer.as_deref();
        if protocol.peer.is_some() && !(known(name.from.as_str()) && known(name.to.as_str())) {
            return Some(format!("packet {}: of other participants", at + 1));
        }
        let digest = packet.digest.as_ref()?;
        let same =
            digest.parse::<Digest>().is_ok_and(|digest| digest.prefix() == name.digest_prefix.as_str());
        (!same).then(|| format!("packet {}: name and digest differ", at + 1))
    });
    result("packets", wrong).with("n", protocol.packets.len())
}

/// No more lines of a kind and outcome are told than were counted, and as many records were counted as the packets have.
fn totals(protocol: &Protocol) -> Check {
    let mut left: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for total in &protocol.totals {
        *left.entry((&total.kind, &total.outcome)).or_default() += total.count;
    }
    let wrong = protocol.lines.iter().enumerate().find_map(|(at, line)| {
        let known = left.get_mut(&(line.kind.as_str(), line.outcome.as_str())).filter(|left| **left > 0);
        known.map_or_else(
            || Some(format!("line {} is not among the records counted", at + 1)),
            |left| {
                *left -= 1;
                None
            },
        )
    });
    let apart = || protocol.miscounted().map(|apart| format!("{apart:+} records against the packets"));
    result("totals", wrong.or_else(apart)).with("n", protocol.records())
}

fn times(protocol: &Protocol) -> Check {
    let wrong = protocol.finished < protocol.started;
    result("times", wrong.then(|| "it ended before it began".to_owned()))
}

/// Whether the page for printing beside it is the one that this program makes of it, or at least says the same: another
/// version of the program may have made it in other words.
fn page(given: &Given, protocol: &Protocol) -> Result<Check, Failure> {
    let Ok(page) = fs::read(given.beside("html")) else { return Ok(Check::unknown("page", "absent")) };
    let made = protocol::render(protocol).map_err(|error| Failure::bug(&error))?;
    let page = String::from_utf8_lossy(&page);
    let (said, says) = (facts(&made), facts(&page));
    Ok(if page == made {
        Check::proven("page")
    } else if let Some(at) = (0..said.len().max(says.len())).find(|at| said.get(*at) != says.get(*at)) {
        Check::wrong_because("page", format!("number, code or mark {} of the page", at + 1))
    } else {
        Check::unknown("page", "differs")
    })
}

/// What a page says in whatever words: its numbers, its codes (names, digests, keys), the marks of outcomes, in order.
fn facts(page: &str) -> Vec<&str> {
    let body = page.split_once("<body>").map_or(page, |(_, body)| body);
    let cells = body.split('<').filter_map(|part| {
        let (tag, text) = part.split_once('>')?;
        let text = text.trim();
        let is_number = tag.starts_with("td class=\"n") && text.bytes().all(|byte| byte.is_ascii_digit());
        if tag.starts_with("span class=\"mark ") {
            return Some(tag);
        }
        (is_number || tag.starts_with("code")).then_some(text)
    });
    cells.filter(|text| !text.is_empty()).collect()
}
