//! The merge of initial loads: who is whom, who is served where, and the first publications.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::{
    journal_table::Event,
    messages,
    output::Failure,
    protocol::{Kind as ProtocolKind, Line, Protocol, RuleTotal},
};
use exchange_format::{
    participant::ParticipantCode,
    record::{Kind, RecordId},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    operator,
    questions::{Question, open_questions},
};
use crate::{
    database::{Tx, received::ClaimId},
    edges::{
        hub::{Context, Hub},
        register::{Affected, Input, Register},
    },
};

/// Rows read at a time.
const PAGE: u32 = 1000;

/// What a merge does, or would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MergeReport {
    /// Whether it was only tried.
    pub dry_run: bool,
    /// Whether no initial load waited: then nothing was done, and no protocol written.
    pub nothing: bool,
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
    /// By rule, how many documents are not published because of it.
    pub faults: BTreeMap<String, u64>,
    /// Centre and person pairs confirmed.
    pub confirmed: u64,
    /// Open questions for staff: kind, reason, how many.
    pub reviews: Vec<(String, String, u64)>,
    /// Persons of whom centres were told already and who are more than one by it, by the number that each had.
    pub parted: Vec<Moved>,
    /// Persons of whom centres were told already and who are one by it, by the number that they have.
    pub joined: Vec<Moved>,
    /// The protocol's number.
    pub protocol: Option<u32>,
}

/// A published person whom a merge has parted, or made of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The case number: of the person parted, or of the one made.
    pub case_number: String,
    /// Those of the persons whom the records are now, or were.
    pub others: Vec<String>,
}

/// How often the work is begun anew beside packets that come meanwhile, before it keeps them waiting.
const ATTEMPTS: u32 = 3;
/// Progress is told after so many.
const TOLD: u64 = 500;

/// Told how far a merge is: the stage, how many are done, of how many.
pub type Tell<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// Merges what waits. Everything is worked out beside the others who use the database, and then written at once;
/// only if packets come again and again meanwhile are they kept waiting.
pub fn merge(hub: &mut Hub, now: Timestamp, tell: Tell<'_>) -> Result<MergeReport, Failure> {
    if let Some(report) = hub.store.read(nothing_to_do)? {
        return Ok(report);
    }
    let actor = operator();
    let Hub { store, context, .. } = &mut *hub;
    let mut done = None;
    for _ in 0..ATTEMPTS {
        let (report, basis) = store.draft(|tx| work_out(&context.register(tx, &actor, now), tell))?;
        tell("write", 0, 0);
        done = store.adopt(&basis, |tx| conclude(context, &context.register(tx, &actor, now), report))?;
        if done.is_some() {
            break;
        }
    }
    let report = match done {
        Some(report) => report,
        None => store.write(|tx| {
            let register = context.register(tx, &actor, now);
            let report = work_out(&register, tell)?;
            conclude(context, &register, report)
        })?,
    };
    hub.keep_protocols();
    Ok(report)
}

/// What a merge would do, and what it would ask staff. Writes nothing and keeps nobody waiting.
pub fn rehearse(
    hub: &mut Hub,
    now: Timestamp,
    tell: Tell<'_>,
) -> Result<(MergeReport, Vec<Question>), Failure> {
    if let Some(report) = hub.store.read(nothing_to_do)? {
        return Ok((MergeReport { dry_run: true, ..report }, Vec::new()));
    }
    let actor = operator();
    let Hub { store, context, .. } = hub;
    let ((mut report, questions), _) = store.draft(|tx| {
        let register = context.register(tx, &actor, now);
        Ok::<_, Failure>((work_out(&register, tell)?, open_questions(&register)?))
    })?;
    store.discard()?;
    report.dry_run = true;
    Ok((report, questions))
}

/// What there is to say if no initial load waits for a merge.
fn nothing_to_do(tx: &Tx<'_>) -> Result<Option<MergeReport>, Failure> {
    let begun = begun_centres(tx)?;
    if tx.centres()?.iter().any(|centre| !centre.merged && begun.contains(&centre.code)) {
        return Ok(None);
    }
    Ok(Some(MergeReport {
        nothing: true,
        persons: tx.person_count()?,
        by_rule: tx.links_by_rule()?,
        reviews: tx.review_counts()?,
        ..MergeReport::default()
    }))
}

/// Everything that a merge does to persons and publications.
fn work_out(register: &Register<'_>, tell: Tell<'_>) -> Result<MergeReport, Failure> {
    let tx = register.tx;
    let mut report = MergeReport::default();
    let claims = waiting(tx, Kind::RecipientClaim)?;
    report.claims = claims.len() as u64;
    tell("index", 0, report.claims);
    let published = tx.published_claims()?;
    register.first_model()?;
    let weighing = register.index_all(true)?;
    tell("settle", 0, report.claims);
    let settled = register.settle(weighing.ids(), Some(&weighing))?;
    let mut affected: Affected = settled.affected;
    report.created = settled.created;
    // programmes before supplements: these follow them
    let documents = [waiting(tx, Kind::ProgrammeClaim)?, waiting(tx, Kind::SupplementClaim)?].concat();
    report.documents = documents.len() as u64;
    tell("documents", 0, report.documents);
    for id in documents {
        affected.extend(register.settle_document(id)?);
    }
    // a claim may have gone over to another person, and its documents with it
    affected.extend(register.settle_documents_of(&affected.clone())?);
    for centre in begun_centres(tx)? {
        register.note(&Input { action: "merge", centre: Some(centre), ..Input::default() })?;
    }
    // those whose initial load this is; what a centre has claimed later waits for `service confirm` (L1)
    let loaded = tx.centres()?.into_iter().filter(|centre| !centre.merged).map(|centre| centre.code);
    report.confirmed = register.confirm_all(&affected, &loaded.collect(), "merge")?;
    for (done, uid) in (0..).zip(&affected) {
        if done % TOLD == 0 {
            tell("publish", done, affected.len() as u64);
        }
        register.republish(*uid)?;
    }
    (report.parted, report.joined) = moved(tx, &published)?;
    report.persons = tx.person_count()?;
    report.by_rule = tx.links_by_rule()?;
    report.reviews = tx.review_counts()?;
    report.faults = tx.fault_counts()?.into_iter().collect();
    Ok(report)
}

/// Of the persons who were `published`, with their claims: who is parted by now, and who is one.
fn moved(
    tx: &Tx<'_>,
    published: &BTreeMap<RecordId, Vec<ClaimId>>,
) -> Result<(Vec<Moved>, Vec<Moved>), Failure> {
    let (mut parted, mut of) = (Vec::new(), BTreeMap::<RecordId, BTreeSet<RecordId>>::new());
    let number = |uid: &RecordId| -> Result<String, Failure> {
        Ok(tx.person(*uid)?.map(|person| person.case_number).unwrap_or_default())
    };
    let told = |uid: &RecordId, others: &BTreeSet<RecordId>| -> Result<Moved, Failure> {
        let others = others.iter().filter(|other| *other != uid).map(number).collect::<Result<_, _>>()?;
        Ok(Moved { case_number: number(uid)?, others })
    };
    for (uid, claims) in published {
        let mut now = BTreeSet::new();
        for claim in claims {
            now.extend(tx.uid_of(*claim)?);
        }
        for person in &now {
            of.entry(*person).or_default().insert(*uid);
        }
        if now.len() > 1 {
            parted.push(told(uid, &now)?);
        }
    }
    let joined = of.iter().filter(|(_, were)| were.len() > 1).map(|(uid, were)| told(uid, were));
    Ok((parted, joined.collect::<Result<_, _>>()?))
}

/// From now on what the centres send is merged at once. The report, with its protocol's number.
fn conclude(context: &Context, register: &Register<'_>, report: MergeReport) -> Result<MergeReport, Failure> {
    let tx = register.tx;
    tx.end_waiting()?;
    tx.set_centres_merged(&begun_centres(tx)?)?;
    register.end_signatures()?;
    tx.journal(&Event {
        at: register.now,
        actor: register.actor,
        event: "merge",
        subject: register.hub.as_str(),
        rule: "",
        digests: &[],
    })?;
    let number = tx.put_protocol(&mut protocol(context, register, &report)?)?;
    Ok(MergeReport { protocol: Some(number), ..report })
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
fn protocol(context: &Context, register: &Register<'_>, report: &MergeReport) -> Result<Protocol, Failure> {
    let (lang, now) = (context.lang, register.now);
    let mut protocol = Protocol::begin(ProtocolKind::Merge, lang, context.code, None, now);
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
        let page = register.tx.open_reviews(after, PAGE)?;
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
                words: None,
            });
        }
    }
    protocol.actor = Some(register.actor.to_owned());
    protocol.end();
    Ok(protocol)
}
