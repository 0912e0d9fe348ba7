//! `inspect`: what a packet says of itself. Nothing is proven here but that it agrees with itself.

use std::path::PathBuf;

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure, Lang},
};
use exchange_format::{error::PacketError, packet::Purpose, seal::Identity};
use serde::Serialize;

use super::verify::{answer_lines, card_line, label, record_lines};
use crate::{
    examination::{self, AnswerWords, KindCount, SignerWords},
    given::Given,
    summary::{NameParts, Summary},
};

/// The file.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The packet
    file: PathBuf,
    /// A file of age keys that the packet may be sealed to; may be repeated
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Seen {
    schema: &'static str,
    file: String,
    bytes: u64,
    sealed: bool,
    name: Option<NameParts>,
    packet: Option<Summary>,
    /// Whether the members are what the manifest says.
    whole: Option<bool>,
    records: Option<Vec<KindCount>>,
    new_card: Option<SignerWords>,
    answer: Option<AnswerWords>,
}

impl Inspect {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let identities = super::identities(&self.key)?;
        let given = Given::read(&self.file)?;
        let mut seen = Seen {
            schema: "svod.packet.inspect/1",
            file: given.label.clone(),
            bytes: given.bytes,
            sealed: given.in_envelope,
            name: given.name.as_ref().ok().map(NameParts::of),
            packet: None,
            whole: None,
            records: None,
            new_card: None,
            answer: None,
        };
        if !(given.in_envelope && identities.is_empty()) {
            look(&given, &identities, &mut seen)
                .map_err(|error| super::refused(common.lang, &given, &error))?;
        }
        common.print(&seen, |lang| text(lang, &seen))?;
        Ok(Exit::Done)
    }
}

fn look(given: &Given, identities: &[Identity], seen: &mut Seen) -> Result<(), PacketError> {
    let packet = given.open(identities)?;
    let header = packet.claims().header.clone();
    seen.packet = Some(Summary::of(packet.claims(), &packet.digest()));
    let mut packet = packet.without_sender();
    let result = packet.check_members().and_then(|mut content| {
        if header.purpose == Purpose::Keys {
            seen.new_card = Some(examination::new_card(&mut content)?);
        } else if header.kind().is_numbered() {
            seen.records = Some(examination::count_kinds(&mut content)?);
        } else {
            seen.answer = Some(examination::read_answer(&mut content)?);
        }
        Ok(())
    });
    seen.whole = Some(result.is_ok());
    match result {
        Err(error) if error.reason().is_none() => Err(error),
        _ => Ok(()),
    }
}

fn text(lang: Lang, seen: &Seen) -> String {
    let mut lines = vec![label(lang, &seen.file)];
    match (&seen.packet, &seen.name) {
        (Some(packet), _) => lines.extend(packet.lines(lang)),
        (None, Some(name)) => lines.push(name.line(lang)),
        (None, None) => {}
    }
    if seen.packet.is_none() {
        lines.push(messages::text(lang, "packet-sealed-unseen", &[]));
    }
    if let Some(kinds) = &seen.records {
        lines.extend(record_lines(lang, kinds));
    }
    lines.extend(seen.new_card.as_ref().map(|card| card_line(lang, card)));
    if let Some(answer) = &seen.answer {
        lines.extend(answer_lines(lang, answer));
    }
    if let Some(whole) = seen.whole {
        let id = if whole { "packet-inspect-whole" } else { "packet-inspect-damaged" };
        lines.push(messages::text(lang, id, &[]));
    }
    lines.push(messages::text(lang, "packet-inspect-unproven", &[]));
    lines.join("\n")
}
