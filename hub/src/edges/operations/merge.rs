//! The merge of initial loads: who is whom, who is served where, and the first publications.

use std::collections::BTreeMap;

use exchange_endpoint::{
    journal_table::Event,
    messages,
    output::Failure,
    protocol::{Kind as ProtocolKind, Line, Protocol, RuleTotal},
};
use exchange_format::{participant::ParticipantCode, record::Kind};
use jiff::Timestamp;
use serde::Serialize;

use super::operator;
use crate::{
    database::Tx,
    edges::{
        hub::{Context, Hub},
        register::{Affected, Input},
    },
};

/// Rows read at a time.
const PAGE: u32 = 1000;

/// What a merge does, or would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MergeReport {
    /// Whether it was only tried.
    pub dry_run: bool,
    /// Recipient claims taken in.
    pub claims: u64,
    /// Persons that are new.
    pub created: u64,
    /// Persons in all.
    pub persons: u64,
    /// Claims by the rule that tied them to their person.
    pub by_rule: BTreeMap<String, u64>,
    /// Programme and supplement claims taken in.
    pub documents: u64,
    /// Centre and person pairs confirmed.
    pub confirmed: u64,
    /// Open questions for staff: kind, reason, how many.
    pub reviews: Vec<(String, String, u64)>,
    /// The protocol's number.
    pub protocol: Option<u32>,
}

/// Merges what waits, or tries to.
pub fn merge(hub: &mut Hub, dry_run: bool, now: Timestamp) -> Result<MergeReport, Failure> {
    let Hub { store, context, .. } = hub;
    let actor = operator();
    let work = |tx: &Tx<'_>| run(context, tx, &actor, now);
    let mut report = if dry_run { store.rehearse(work)? } else { store.write(work)? };
    report.dry_run = dry_run;
    if !dry_run {
        report.protocol = Some(write_protocol(hub, &report, now)?);
    }
    Ok(report)
}

fn run(context: &Context, tx: &Tx<'_>, actor: &str, now: Timestamp) -> Result<MergeReport, Failure> {
    let register = context.register(tx, actor, now);
    let mut report = MergeReport::default();
    let claims = waiting(tx, Kind::RecipientClaim)?;
    report.claims = claims.len() as u64;
    for id in &claims {
        register.index(*id)?;
    }
    let settled = register.settle(&claims)?;
    let mut affected: Affected = settled.affected;
    report.created = settled.created;
    // programmes before supplements: these follow them
    for kind in [Kind::ProgrammeClaim, Kind::SupplementClaim] {
        for id in waiting(tx, kind)? {
            affected.extend(register.settle_document(id)?);
            report.documents += 1;
        }
    }
    // a claim may have gone over to another person, and its documents with it
    affected.extend(register.settle_documents_of(&affected.clone())?);
    tx.end_waiting()?;
    let begun: Vec<ParticipantCode> = begun_centres(tx)?;
    tx.set_centres_merged(&begun)?;
    for centre in &begun {
        register.note(&Input { action: "merge", centre: Some(*centre), ..Input::default() })?;
    }
    report.confirmed = register.confirm_all(&affected, "merge")?;
    for uid in &affected {
        register.republish(*uid)?;
    }
    report.persons = tx.person_count()?;
    report.by_rule = tx.links_by_rule()?;
    report.reviews = tx.review_counts()?;
    tx.journal(&Event {
        at: now,
        actor,
        event: "merge",
        subject: context.code.as_str(),
        rule: "",
        digests: &[],
    })?;
    Ok(report)
}

fn waiting(tx: &Tx<'_>, kind: Kind) -> Result<Vec<i64>, Failure> {
    let mut all = Vec::new();
    loop {
        let page = tx.waiting(kind, all.last().copied().unwrap_or(0), PAGE)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Centres whose snapshot has come: from now on what they send is merged at once.
fn begun_centres(tx: &Tx<'_>) -> Result<Vec<ParticipantCode>, Failure> {
    let mut begun = Vec::new();
    for centre in tx.centres()? {
        if tx.streams(centre.code)?.incoming.last.is_some() {
            begun.push(centre.code);
        }
    }
    Ok(begun)
}

/// The protocol of a merge: what came of the claims, by which rules, and a line for each question that staff
/// have to decide.
fn write_protocol(hub: &mut Hub, report: &MergeReport, now: Timestamp) -> Result<u32, Failure> {
    let lang = hub.context.lang;
    let mut protocol = Protocol::begin(ProtocolKind::Merge, lang, hub.context.code, None, now);
    let said = |group: &str, code: &str| {
        let id = format!("{group}-{}", code.to_lowercase().replace('_', "-"));
        messages::text(lang, &id, &[])
    };
    protocol.count(Kind::RecipientClaim.name(), "linked", report.claims.saturating_sub(report.created));
    protocol.count(Kind::RecipientClaim.name(), "new", report.created);
    for (rule, count) in &report.by_rule {
        let sentence = said("rule", rule);
        protocol.rules.push(RuleTotal { rule: rule.clone(), sentence, count: *count });
    }
    let mut after = 0;
    loop {
        let page = hub.store.read(|tx| tx.open_reviews(after, PAGE).map_err(Failure::from))?;
        let Some(last) = page.last() else { break };
        after = last.n;
        for review in &page {
            protocol.tell(Line {
                kind: review.kind.clone(),
                key: format!("{}:{} {}:{}", review.one.0, review.one.1, review.other.0, review.other.1),
                outcome: "review".to_owned(),
                rule: review.reason.clone(),
                reason: String::new(),
                sentence: said("review", &review.reason),
                next: messages::text(lang, "review-next", &[]),
            });
        }
    }
    protocol.finished = Timestamp::now().max(now);
    let written = hub.protocols.write(protocol)?;
    Ok(written.number)
}
