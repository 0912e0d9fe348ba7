//! What a receipt (KV), protocol (PR) or request (RQ) says, and whether it is of the form of one and goes with its manifest.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, Write as _},
};

use exchange_format::{
    answer::{AnswerError, ProtocolReader, Receipt, RecordOutcome, Request},
    error::PacketError,
    packet::{CheckedPacket, Header, MemberName, Purpose},
};
use serde::Serialize;

use super::{Check, RequestWords};
use crate::given;

/// An answer lists no more records than a packet has.
const LINES: u64 = 2_000_000;
/// So many are told one by one.
const TOLD: usize = 1000;

/// What an answer says.
#[derive(Debug, Serialize)]
pub struct AnswerWords {
    /// KV: when it was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
    /// PR: `APPLIED`, `APPLIED_PARTIAL`, `REFUSED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// PR: why all was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// PR: how many records had each outcome.
    pub counts: BTreeMap<&'static str, u64>,
    /// RQ: what it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestWords>,
    /// PR: the first 1000 records that were not plainly applied.
    pub records: Vec<AnswerLine>,
}

/// A record that was not plainly applied.
#[derive(Debug, Serialize)]
pub struct AnswerLine {
    /// What became of it.
    pub outcome: &'static str,
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub key: String,
    version: u32,
    /// By which rule.
    pub rule: String,
    /// Why.
    pub reason: &'static str,
    /// Why, in the words of whoever decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// Reads the answer of `packet`, which is a KV, PR or RQ.
///
/// # Errors
/// Reading failed; a malformed answer is the packet's fault.
pub fn read(packet: &mut CheckedPacket<'_, File>) -> Result<AnswerWords, PacketError> {
    let header = packet.manifest().header.clone();
    let mut file = given::clear_file()?;
    packet.copy_member(&MemberName::Answer, &mut file)?;
    file.flush()?;
    Ok(parse(given::rewound(file)?, &header)?)
}

/// The check of an answer, and what it says.
pub(super) fn judge(
    packet: &mut CheckedPacket<'_, File>,
) -> Result<(Check, Option<AnswerWords>), PacketError> {
    let asks = packet.manifest().header.purpose == Purpose::Request;
    let check = if asks { "request" } else { "answer" };
    match read(packet) {
        Ok(words) => Ok((Check::proven(check), Some(words))),
        Err(error) if error.reason().is_none() => Err(error),
        Err(error) => Ok((Check::wrong(check, &error), None)),
    }
}

fn parse(input: impl BufRead, header: &Header) -> Result<AnswerWords, AnswerError> {
    let other = || AnswerError::Line { line: 2, what: "it answers another packet than its manifest says" };
    let mut words = AnswerWords {
        received: None,
        outcome: None,
        reason: None,
        counts: BTreeMap::new(),
        request: None,
        records: Vec::new(),
    };
    if header.purpose == Purpose::Request {
        let request = Request::read(input)?;
        request.check_goes_with(header)?;
        words.request = Some(RequestWords::of(&request));
        return Ok(words);
    }
    if matches!(header.purpose, Purpose::Receipt { .. }) {
        let receipt = Receipt::read(input)?;
        if Some(receipt.answered) != header.answered() {
            return Err(other());
        }
        words.received = Some(receipt.received_at.to_string());
        return Ok(words);
    }
    let mut reader = ProtocolReader::new(input, LINES)?;
    let head = *reader.head();
    let revision = matches!(header.purpose, Purpose::Protocol { revision, .. } if revision == head.revision);
    if Some(head.answered) != header.answered() || !revision {
        return Err(other());
    }
    words.outcome = Some(head.outcome.word());
    words.reason = head.outcome.reason().map(exchange_format::answer::PacketReason::code);
    words.counts =
        RecordOutcome::ALL.iter().map(|(outcome, word)| (*word, head.counts.get(*outcome))).collect();
    while let Some(line) = reader.next_line()? {
        if words.records.len() < TOLD {
            words.records.push(AnswerLine {
                outcome: line.outcome.word(),
                kind: line.kind.to_string(),
                key: line.key.to_string(),
                version: line.version,
                rule: line.rule.to_string(),
                reason: line.reason.code(),
                words: line.words.map(|words| words.as_str().to_owned()),
            });
        }
    }
    Ok(words)
}
