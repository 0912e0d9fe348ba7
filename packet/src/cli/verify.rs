//! `verify`: what is proven, what is not, in words for somebody who is no programmer.

use std::path::PathBuf;

use clap::Args;
use exchange_endpoint::{
    config,
    messages::{self, Told, Value},
    output::{CommonArgs, Exit, Failure, Lang},
    stray::UNNAMED,
};
use exchange_format::answer::{PacketReason, RecordOutcome, RecordReason};

use crate::{
    cards::Cards,
    examination::{self, AnswerWords, Check, Found, KindCount, Report, RequestWords, SignerWords, Verdict},
    given::Given,
    protocol_check::{self, ProtocolReport},
};

/// So many records are listed in the text; the JSON has more.
const LISTED: usize = 20;

/// The file and what it is checked against.
#[derive(Debug, Args)]
pub struct Verify {
    /// The packet, or a protocol (JSON)
    file: PathBuf,
    /// A directory of cards, or one card, that you trust; may be repeated
    #[arg(long, value_name = "DIR", required = true)]
    trust: Vec<PathBuf>,
    /// A file of age keys that the packet may be sealed to; may be repeated
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// A list of care services or a questionnaire of the region, as the hub's [lists] names it; may be repeated
    #[arg(long, value_name = "FILE")]
    lists: Vec<PathBuf>,
}

impl Verify {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let cards = Cards::read(&self.trust)?;
        let identities = super::identities(&self.key)?;
        let lists = config::with_shipped(&self.lists)?;
        let given = Given::read(&self.file)?;
        if protocol_check::is_meant(&given) {
            let report = protocol_check::verify(&given)?;
            common.print(&report, |lang| protocol_text(lang, &given.label, &report))?;
            return Ok(if report.verdict == "false" { Exit::False } else { Exit::Done });
        }
        let report = examination::verify(&given, &cards, &identities, &lists)?;
        common.print(&report, |lang| text(lang, &report))?;
        match report.verdict {
            Verdict::Proven => Ok(Exit::Done),
            Verdict::False => Ok(Exit::False),
            Verdict::Unknown => Err(undecided(&report)),
        }
    }
}

/// What is missing to decide.
fn undecided(report: &Report) -> Failure {
    let code = match report.checks.iter().filter_map(|check| check.reason).find(|why| *why != "not-reached") {
        Some("no-key") => "packet-sealed",
        Some("other-key") => "packet-other-key",
        _ => "packet-no-card",
    };
    let file = Told::new(|lang| label(lang, &report.file));
    Failure::new(Exit::Refused, code).because("file", file)
}

fn say(lang: Lang, id: &str) -> String {
    messages::text(lang, id, &[])
}

pub(super) fn text(lang: Lang, report: &Report) -> String {
    let verdict = match report.verdict {
        Verdict::Proven => "packet-verdict-proven",
        Verdict::False => "packet-verdict-false",
        Verdict::Unknown => "packet-verdict-unknown",
    };
    let mut lines = vec![label(lang, &report.file), say(lang, verdict)];
    if let Some(packet) = &report.packet {
        lines.extend(packet.lines(lang));
    }
    if let Some(records) = &report.records {
        lines.extend(record_lines(lang, &records.kinds));
        if !records.mirror.is_empty() {
            lines.push(format!("  {}", say(lang, "packet-mirror")));
            lines.extend(record_lines(lang, &records.mirror));
        }
    }
    lines.extend(report.new_card.as_ref().map(|card| card_line(lang, card)));
    if let Some(answer) = &report.answer {
        lines.extend(answer_lines(lang, answer));
    }
    lines.extend(check_lines(lang, &report.checks, &|check| {
        let mut args = check.args.clone();
        if let Some(signer) = &report.signer {
            for (name, value) in [
                ("code", &signer.code),
                ("name", &signer.name),
                ("fingerprint", &signer.fingerprint),
                ("from", &messages::day(lang, &signer.valid_from)),
                ("until", &messages::day(lang, &signer.valid_until)),
            ] {
                args.push((name, value.clone().into()));
            }
        }
        args
    }));
    for flaw in report.records.iter().flat_map(|records| &records.flaws).take(LISTED) {
        let sentence = flaw.reason.parse::<RecordReason>().map_or("", |reason| lang.of(reason.sentence()));
        let rule = messages::rule_words(lang, &flaw.rule, flaw.reason).map(|rule| format!(" {rule}"));
        let (kind, rule) = (messages::word(lang, "kind", &flaw.kind), rule.unwrap_or_default());
        lines.push(format!("    {kind} {} v{}: {sentence}{rule}", flaw.key, flaw.version));
    }
    lines.extend(not_proven_lines(lang, &report.not_proven));
    lines.join("\n")
}

/// What a file is called: a name that is no packet's is not repeated.
pub(super) fn label(lang: Lang, file: &str) -> String {
    if file == UNNAMED { say(lang, "packet-unnamed") } else { file.to_owned() }
}

/// The checks under their three headings.
fn check_lines(
    lang: Lang,
    checks: &[Check],
    args: &dyn Fn(&Check) -> Vec<(&'static str, Value<'static>)>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (found, word) in [(Found::Proven, "proven"), (Found::False, "false"), (Found::Unknown, "unknown")] {
        let these: Vec<&Check> = checks.iter().filter(|check| check.result == found).collect();
        if these.is_empty() {
            continue;
        }
        lines.push(say(lang, &format!("packet-heading-{word}")));
        for check in these {
            let why = check
                .reason
                .filter(|_| found == Found::Unknown)
                .map(|why| format!("-{why}"))
                .unwrap_or_default();
            let id = format!("packet-check-{}-{word}{why}", check.check);
            let id = if messages::find(lang, &id, &args(check)).is_some() {
                id
            } else {
                format!("packet-check-{}-{word}", check.check)
            };
            lines.push(format!("  {}", messages::text(lang, &id, &args(check))));
            if found == Found::False {
                lines.extend(why_lines(lang, check));
            }
        }
    }
    lines
}

/// The reason in words and, for a specialist, what was found.
fn why_lines(lang: Lang, check: &Check) -> Vec<String> {
    let reason: Option<PacketReason> = check.reason.and_then(|code| code.parse().ok());
    let sentence = reason.map(|reason| format!("    {}: {}", reason.code(), lang.of(reason.sentence())));
    let detail = check.detail.as_ref().map(|detail| {
        format!("    {}", messages::text(lang, "packet-detail", &[("detail", detail.clone().into())]))
    });
    sentence.into_iter().chain(detail).collect()
}

fn not_proven_lines(lang: Lang, codes: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    if !codes.is_empty() {
        lines.push(say(lang, "packet-heading-limits"));
    }
    lines.extend(codes.iter().map(|code| format!("  {}", say(lang, &format!("packet-not-proven-{code}")))));
    lines
}

pub(super) fn record_lines(lang: Lang, kinds: &[KindCount]) -> Vec<String> {
    kinds
        .iter()
        .map(|count| {
            let known = messages::find(lang, &format!("kind-{}", count.kind), &[]);
            let (live, withdrawn, tombstones) = count.forms();
            let args = [
                ("kind", known.unwrap_or_else(|| count.kind.clone()).into()),
                ("live", live.into()),
                ("withdrawn", withdrawn.into()),
                ("tombstones", tombstones.into()),
            ];
            format!("  {}", messages::text(lang, "packet-records-of-kind", &args))
        })
        .collect()
}

pub(super) fn answer_lines(lang: Lang, answer: &AnswerWords) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(received) = &answer.received {
        let at = messages::stored_moment(lang, received);
        lines.push(format!("  {}", messages::text(lang, "packet-answer-received", &[("at", at.into())])));
    }
    if let Some(outcome) = answer.outcome {
        let word = say(lang, &format!("packet-state-{}", outcome.to_lowercase()));
        lines.push(format!(
            "  {}",
            messages::text(lang, "packet-answer-outcome", &[("outcome", word.into())])
        ));
    }
    if let Some(reason) = answer.reason.and_then(|reason| reason.parse::<PacketReason>().ok()) {
        lines.push(format!("    {}: {}", reason.code(), lang.of(reason.sentence())));
    }
    for (_, word) in RecordOutcome::ALL {
        if let Some(count) = answer.counts.get(word).filter(|count| **count > 0) {
            lines.push(format!("    {}: {count}", say(lang, &format!("outcome-{word}"))));
        }
    }
    lines.extend(answer.request.as_ref().map(|request| format!("  {}", request_line(lang, request))));
    for line in answer.records.iter().take(LISTED) {
        let outcome = say(lang, &format!("outcome-{}.one", line.outcome));
        let sentence = line.reason.parse::<RecordReason>().map_or("", |reason| lang.of(reason.sentence()));
        let rule = messages::rule_words(lang, &line.rule, line.reason).map(|rule| format!(" {rule}"));
        let (kind, rule) = (messages::word(lang, "kind", &line.kind), rule.unwrap_or_default());
        lines.push(format!("    {kind} {}: {outcome}: {sentence}{rule}", line.key));
        lines.extend(line.words.iter().map(|words| format!("      «{words}»")));
    }
    lines
}

pub(super) fn card_line(lang: Lang, card: &SignerWords) -> String {
    let args = [
        ("code", card.code.clone().into()),
        ("name", card.name.clone().into()),
        ("fingerprint", card.fingerprint.clone().into()),
        ("from", messages::day(lang, &card.valid_from).into()),
        ("until", messages::day(lang, &card.valid_until).into()),
    ];
    format!("  {}", messages::text(lang, "packet-new-card", &args))
}

fn request_line(lang: Lang, request: &RequestWords) -> String {
    match request {
        RequestWords::Packets { epoch, first, last } => {
            let [epoch, first, last] = [u32::from(*epoch), *first, *last].map(|n| n.to_string().into());
            messages::text(lang, "packet-asks-packets", &[("epoch", epoch), ("first", first), ("last", last)])
        }
        RequestWords::Snapshot { cause, .. } => {
            let cause = say(lang, &format!("packet-cause-{cause}"));
            messages::text(lang, "packet-asks-snapshot", &[("cause", cause.into())])
        }
        RequestWords::RangeDigests { of, at, ranges, listed, .. } => {
            let args = [
                ("of", of.clone().into()),
                ("at", at.clone().into()),
                ("ranges", (*ranges).into()),
                ("listed", (*listed).into()),
            ];
            messages::text(lang, "packet-asks-ranges", &args)
        }
    }
}

fn protocol_text(lang: Lang, file: &str, report: &ProtocolReport) -> String {
    let args = [
        ("number", report.number.to_string().into()),
        ("heading", say(lang, &format!("protocol-heading-{}", report.kind)).into()),
        ("participant", report.participant.clone().into()),
        ("peer", report.peer.clone().unwrap_or_else(|| "—".to_owned()).into()),
        ("started", messages::stored_moment(lang, &report.started).into()),
        ("finished", messages::stored_moment(lang, &report.finished).into()),
    ];
    let mut lines = vec![
        label(lang, file),
        say(lang, &format!("packet-protocol-{}", report.verdict)),
        messages::text(lang, "packet-protocol-says", &args),
    ];
    lines.extend(report.packets.iter().map(|packet| {
        let state = messages::word(lang, "packet-state", &packet.state);
        format!("  {} {state}", packet.name)
    }));
    lines.extend(check_lines(lang, &report.checks, &|check| check.args.clone()));
    lines.extend(not_proven_lines(lang, &report.not_proven));
    lines.join("\n")
}
