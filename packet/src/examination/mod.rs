//! Every check of a packet that its file allows, each with its result: proven, false, or unknown. A check that fails does
//! not end the examination: what can still be said is said.

mod answer;
mod records;
mod report;
mod request;

use std::fs::File;

use exchange_endpoint::output::Failure;
use exchange_format::{
    card::Card,
    error::PacketError,
    file_name::PacketKind,
    lists::Lists,
    packet::{CheckedPacket, Header, UnverifiedPacket},
    seal::{Identity, OpenError},
};
use jiff::tz::TimeZone;

use crate::{
    cards::{Cards, Signer},
    given::Given,
    summary::Summary,
};

pub use answer::{AnswerWords, read as read_answer};
pub use records::{Flaw, KindCount, Records, new_card};
pub use report::{Check, Found, Report, SignerWords, Verdict};
pub use request::RequestWords;

/// The checks, in their order.
pub const CHECKS: [&str; 12] = [
    "name",
    "envelope",
    "form",
    "signature",
    "card",
    "place",
    "members",
    "records",
    "keys",
    "answer",
    "request",
    "state",
];

/// Examines the packet in `given`; what names a model, by `lists`.
///
/// # Errors
/// This machine could not read it; nothing is said of it then.
pub fn verify(
    given: &Given,
    cards: &Cards,
    identities: &[Identity],
    lists: &Lists,
) -> Result<Report, Failure> {
    let mut report = Report::new(given.label.clone());
    if let Err(error) = &given.name {
        report.add(Check::wrong("name", &PacketError::from(error.clone())));
    }
    let packet = match given.open(identities) {
        Ok(packet) => packet,
        Err(error) if error.reason().is_none() => return Err(given.failed(&error)),
        Err(error) => {
            not_opened(&mut report, given, &error);
            return Ok(report.finished());
        }
    };
    if given.sealed() {
        report.add(Check::proven("envelope"));
    }
    report.add(Check::proven("form"));
    opened(&mut report, given, packet, (cards, lists))?;
    Ok(report.finished())
}

/// The records of a packet by kind and form, unjudged.
///
/// # Errors
/// A line is no record, or reading failed.
pub fn count_kinds(packet: &mut CheckedPacket<'_, File>) -> Result<Vec<KindCount>, PacketError> {
    Ok(records::count(packet, None, None)?.kinds)
}

/// Which check an error of opening is of.
fn not_opened(report: &mut Report, given: &Given, error: &PacketError) {
    match error {
        PacketError::Open(OpenError::NoIdentityMatches { tried: 0 }) => {
            report.add(Check::unknown("envelope", "no-key"));
        }
        PacketError::Open(OpenError::NoIdentityMatches { .. }) => {
            report.add(Check::unknown("envelope", "other-key"));
        }
        PacketError::Open(_) => report.add(Check::wrong("envelope", error)),
        _ => {
            if given.sealed() {
                report.add(Check::proven("envelope"));
            }
            report.add(Check::wrong("form", error));
        }
    }
}

fn opened(
    report: &mut Report,
    given: &Given,
    packet: UnverifiedPacket<File>,
    (cards, lists): (&Cards, &Lists),
) -> Result<(), Failure> {
    let (header, digest) = (packet.claims().header.clone(), packet.digest());
    report.packet = Some(Summary::of(packet.claims(), &digest));
    if let Ok(name) = &given.name {
        report.add(
            packet
                .check_name(name)
                .map_or_else(|error| Check::wrong("name", &error), |()| Check::proven("name")),
        );
    }
    let day = header.created_at.to_zoned(TimeZone::UTC).date();
    let stem = header.file_name(&digest, false).stem();
    let signer = cards.signer(header.from, (&stem, &digest, packet.signature()), day);
    let card = judge_signer(report, &header, signer);
    if let Some(card) = card {
        report.signer = Some(SignerWords::of(card));
        report.add(match card.check_valid_on(day) {
            Ok(()) => Check::proven("card"),
            Err(error) => Check::wrong_because("card", error.to_string()),
        });
        if header.kind().is_numbered()
            && let Some(is_right) = cards.signs_at(card, header.position)
        {
            let other = PacketError::UnknownKey { from: header.from };
            report.add(if is_right { Check::proven("place") } else { Check::wrong("place", &other) });
        }
    }
    let from_hub = card.is_some_and(|card| card.content.tls_ca.is_some());
    let ends = Ends { header: &header, card, from_hub, lists };
    let result = match card {
        Some(card) => {
            // the way that the daemons go
            let name = header.file_name(&digest, false);
            packet.verify(&name, |_| Some(card.content.signing_key.clone())).and_then(|mut packet| {
                packet.check_members().and_then(|mut content| records::content(report, &mut content, &ends))
            })
        }
        None => packet
            .without_sender()
            .check_members()
            .and_then(|mut content| records::content(report, &mut content, &ends)),
    };
    match result {
        Err(error) if error.reason().is_none() => return Err(given.failed(&error)),
        Err(error) => report.add(Check::wrong("members", &error)),
        Ok(()) => {}
    }
    report.not_proven = not_proven(report, &header);
    Ok(())
}

/// Between whom the packet went, as its records are judged.
#[derive(Debug)]
struct Ends<'a> {
    header: &'a Header,
    card: Option<&'a Card>,
    from_hub: bool,
    lists: &'a Lists,
}

fn judge_signer<'a>(report: &mut Report, header: &Header, signer: Signer<'a>) -> Option<&'a Card> {
    match signer {
        Signer::Card(card) => {
            report.add(Check::proven("signature"));
            Some(card)
        }
        Signer::Another(why) => {
            report.add(Check::wrong("signature", &why.into()));
            None
        }
        Signer::NoCard => {
            report.add(Check::unknown("signature", "no-card").with("code", header.from.to_string()));
            None
        }
    }
}

/// What this file alone cannot show, whatever was proven.
fn not_proven(report: &Report, header: &Header) -> Vec<&'static str> {
    let kind = header.kind();
    let numbered = kind.is_numbered();
    let several = report.packet.as_ref().is_some_and(Summary::is_part_of_several);
    let has_control = header.control.ack.is_some() || header.control.echo.is_some();
    let open = header.state_digest.is_some() && !report.checks.iter().any(|check| check.check == "state");
    [
        ("cards", report.signer.is_some()),
        ("time", true),
        ("truth", !matches!(kind, PacketKind::Receipt)),
        ("chain", numbered),
        ("parts", several),
        ("received", numbered),
        ("answered", matches!(kind, PacketKind::Receipt | PacketKind::Protocol)),
        ("control", has_control),
        ("state", open),
        ("lists", report.records.as_ref().is_some_and(|records| records.unlisted > 0)),
        ("keys", matches!(kind, PacketKind::Keys)),
    ]
    .into_iter()
    .filter_map(|(code, applies)| applies.then_some(code))
    .collect()
}
