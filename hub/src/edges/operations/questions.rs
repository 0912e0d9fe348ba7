//! Questions to staff: both records side by side.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::{config::Config, output::Failure};
use exchange_format::{
    participant::ParticipantCode,
    position::Digest,
    record::{Body, Kind, Line, RecordId},
    rules,
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    others::{self, Against, Besides, Other},
    proposals,
    resolution::Resolution,
    signing::{self, Told},
    table_file::SHOWN,
    urgency,
};
use crate::{
    database::{linking::ClaimName, reviews::Review},
    decisions::{audience::View, golden, overlap::Name, programme, signing::is_of},
    edges::{
        config::HubConfig,
        hub::{Hub, open},
        register::Register,
    },
};

/// What of a centre's a question can be about, besides a proposal.
pub(super) const CLAIMS: [Kind; 3] = [Kind::RecipientClaim, Kind::ProgrammeClaim, Kind::SupplementClaim];
/// All that a question about one record can be about.
pub(super) const CHANGED: [Kind; 4] =
    [Kind::Proposal, Kind::RecipientClaim, Kind::ProgrammeClaim, Kind::SupplementClaim];
const NAMES: [&str; 3] = ["surname", "given", "patronymic"];
/// Reviews are read in pages.
const PAGE: u32 = 500;

/// One question with both records. Personal data.
#[derive(Serialize)]
pub struct Question {
    /// Its number.
    pub review: i64,
    /// `pair`, `programme`, `held`, `proposal` or `value`.
    pub kind: String,
    /// Why staff are asked.
    pub why: String,
    /// Harm times doubt: the higher, the sooner.
    pub urgency: f64,
    /// Who took it on.
    pub assigned: Option<String>,
    /// Whether it was put off.
    pub deferred: bool,
    /// Whom it is about; of a pair that is the question.
    pub person: Option<Whose>,
    /// Why the centre wants it otherwise, if it says so.
    pub centre_reason: Option<String>,
    /// Whether it is a proposal that can only be declined: it is about no person.
    pub only_decline: bool,
    /// What somebody has signed of it: with a second signature it is decided.
    pub signature: Option<Told>,
    /// Of two programmes that overlap: what is proposed, and why.
    pub resolution: Option<Resolution>,
    /// What may be answered: codes that `review apply` takes.
    pub answers: &'static [&'static str],
    /// The first record.
    pub one: Side,
    /// The second record; of one record twice: what its centre says now.
    pub other: Side,
    /// Of two records of people: of whom «один» would join besides the two that speak most against it.
    pub against: Option<Against>,
    /// Of one record twice: each field that differs, with what stands and what its centre says.
    pub differences: Vec<Difference>,
}

impl Question {
    /// Whether `actor` has it, or nobody.
    pub fn is_with(&self, actor: &str) -> bool {
        self.assigned.as_ref().is_none_or(|who| is_of(actor, who))
    }
}

/// The person of a question.
#[derive(Serialize)]
pub struct Whose {
    /// Its id.
    pub uid: String,
    /// Its case number.
    pub case_number: String,
    /// Surname, given name, patronymic.
    pub name: String,
}

/// A field that a centre wants otherwise.
#[derive(Serialize)]
pub struct Difference {
    /// The field.
    pub field: String,
    /// What stands.
    pub stands: Option<String>,
    /// What the centre says; `None`: that there is nothing.
    pub wanted: Option<String>,
}

/// One of the two records.
#[derive(Serialize)]
pub struct Side {
    /// Whose it is; of a programme the centres whose claims it is made of.
    pub centre: String,
    /// Its key.
    pub key: String,
    /// Which state of it is told here: its version and the first digits of its hash; of what stands of a proposal's
    /// target the hash only, of two documents that of both together.
    pub version: String,
    /// What it says.
    pub values: Values,
    /// Of a record of a person: those that are one person with it by now.
    pub others: Vec<Other>,
}

/// What waits for staff, the most urgent first.
pub fn list(config: &Config<HubConfig>, now: Timestamp) -> Result<Vec<Question>, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| open_questions(&context.register(tx, context.code.as_str(), now)))
}

/// What waits for staff in the register as it stands: the most urgent first, what was put off last.
pub(super) fn open_questions(register: &Register<'_>) -> Result<Vec<Question>, Failure> {
    let mut questions = Vec::new();
    let mut after = 0;
    loop {
        let page = register.tx.open_reviews(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.n;
        let mut besides = others::of(register, &page.iter().collect::<Vec<_>>(), false)?;
        for review in page {
            let besides = besides.remove(&review.n).unwrap_or_default();
            questions.push(question(register, review, besides)?);
        }
    }
    questions.sort_by(|x, y| {
        x.deferred.cmp(&y.deferred).then(y.urgency.total_cmp(&x.urgency)).then(x.review.cmp(&y.review))
    });
    Ok(questions)
}

pub(super) fn question(
    register: &Register<'_>,
    review: Review,
    besides: Besides,
) -> Result<Question, Failure> {
    let (mut differences, mut centre_reason, mut only_decline) = (Vec::new(), None, false);
    let mut names = None;
    let (person, one, other) = match review.kind.as_str() {
        "programme" => {
            let person = register.tx.person_of_document(review.one.1)?;
            let [one, other] = [programme(register, review.one)?, programme(register, review.other)?];
            names = one.1.zip(other.1);
            (person, one.0, other.0)
        }
        "value" => {
            let unread = unread(register, review.one)?;
            differences = unread.differences();
            (unread.person, only_shown(&unread.whose), only_shown(&unread.wanted))
        }
        "pair" => (None, claim(register, review.one)?, claim(register, review.other)?),
        _ => {
            let change = change(register, review.one)?;
            differences = change.differences();
            centre_reason = change.reason;
            only_decline = change.only_decline;
            let shown = |stated: Stated| {
                let mut all = change.whose.clone();
                all.extend(stated);
                only_shown(&all)
            };
            (change.person, shown(change.stands), shown(change.wanted))
        }
    };
    let [first, second] = versions(register, &review)?;
    let urgency = urgency::of(register, &review, person)?;
    let signature = signing::told(register, &review)?;
    let Besides { with: [with_one, with_other], against, .. } = besides;
    let side = |name: ClaimName, version, values, others| -> Result<Side, Failure> {
        let centre = match review.kind.as_str() {
            "programme" => claimants(register, name.1)?,
            _ => name.0.to_string(),
        };
        Ok(Side { centre, key: name.1.to_string(), version, values, others })
    };
    let (one, other) =
        (side(review.one, first, one, with_one)?, side(review.other, second, other, with_other)?);
    let proposed =
        |(name, other_name)| Resolution::of([&name, &other_name], [&one, &other], &register.hub.to_string());
    let resolution = names.map(proposed);
    Ok(Question {
        resolution,
        urgency,
        assigned: review.assigned,
        deferred: review.put_off,
        person: person.map(|uid| whose(register, uid)).transpose()?.flatten(),
        centre_reason,
        only_decline,
        answers: answers(&review.kind, only_decline, signature.as_ref()),
        signature,
        one,
        other,
        against: against.into_iter().next().map(|(_, against)| against),
        differences,
        review: review.n,
        kind: review.kind,
        why: review.reason,
    })
}

/// What may be answered to a question of `kind`.
fn answers(kind: &str, only_decline: bool, signature: Option<&Told>) -> &'static [&'static str] {
    match kind {
        "pair" if signature.is_some_and(Told::can_be_signed) => &["sign", "different"],
        "pair" | "programme" => &["same", "different"],
        "value" => &["keep"],
        _ if only_decline => &["decline"],
        _ => &["accept", "decline"],
    }
}

/// The centres whose claims the document `uid` is made of.
fn claimants(register: &Register<'_>, uid: RecordId) -> Result<String, Failure> {
    let mut centres = BTreeSet::new();
    for claim in register.tx.claims_of(uid)? {
        centres.extend(register.tx.name_of(claim)?.map(|(centre, ..)| centre.to_string()));
    }
    Ok(centres.into_iter().collect::<Vec<_>>().join(", "))
}

/// What state the two records of a question are in: an answer is to this state, and to no later one.
pub(super) fn versions(register: &Register<'_>, review: &Review) -> Result<[String; 2], Failure> {
    let tx = register.tx;
    let used = |name: ClaimName, kind| -> Result<String, Failure> {
        let found = tx.received_by_key(name.0, kind, name.1)?.map(|found| found.claim);
        Ok(found.map(|claim| edition(claim.version, &Digest::of(&claim.body.to_xml()))).unwrap_or_default())
    };
    // of both together: joining them or telling them apart moves claims and changes nothing that they say
    let documents = || -> Result<String, Failure> {
        let mut claims = tx.claims_of(review.one.1)?;
        claims.extend(tx.claims_of(review.other.1)?);
        claims.sort_unstable();
        claims.dedup();
        let (mut sum, mut text) = (0, String::new());
        for id in claims {
            let Some(claim) = tx.received(id)?.map(|found| found.claim) else { continue };
            sum += claim.version;
            text.push_str(&Digest::of(&claim.body.to_xml()).to_string());
        }
        Ok(edition(sum, &Digest::of(text.as_bytes())))
    };
    match review.kind.as_str() {
        "programme" => documents().map(|both| [both.clone(), both]),
        "pair" => Ok([used(review.one, Kind::RecipientClaim)?, used(review.other, Kind::RecipientClaim)?]),
        _ => {
            for kind in CHANGED {
                let Some(known) = tx.known(review.one.0, kind, review.one.1)? else { continue };
                let stands = if kind == Kind::Proposal {
                    let stands = change(register, review.one)?.stands;
                    edition(0, &Digest::of(format!("{stands:?}").as_bytes()))
                } else {
                    used(review.one, kind)?
                };
                return Ok([stands, edition(known.version, &known.hash)]);
            }
            Ok(Default::default())
        }
    }
}

/// A version and the beginning of its hash, in a form that no office program takes for a number or a date.
pub(super) fn edition(version: u32, hash: &Digest) -> String {
    format!("v{version}-{}", &hash.to_string()[..8])
}

fn whose(register: &Register<'_>, uid: RecordId) -> Result<Option<Whose>, Failure> {
    let Some(file) = register.file(uid)? else { return Ok(None) };
    let body = golden::person(&file.case_number, &file.claims, &file.entries, file.today).body;
    let name: Vec<&str> = NAMES.iter().filter_map(|field| body.text(field)).collect();
    Ok(Some(Whose { uid: uid.to_string(), case_number: file.case_number, name: name.join(" ") }))
}

fn only_shown(stated: &Stated) -> Values {
    SHOWN.iter().filter_map(|field| Some((*field, stated.get(*field)?.clone()))).collect()
}

/// Fields and what is stated in them.
type Stated = BTreeMap<String, String>;

fn stated(body: &Body) -> Stated {
    body.head().iter().filter_map(|(field, value)| Some((field.name.to_owned(), value?.to_owned()))).collect()
}

/// A record that its centre wants otherwise.
#[derive(Default)]
struct Change {
    /// Whose it is.
    person: Option<RecordId>,
    /// Names and birth date of the person, where the record itself says nothing of them.
    whose: Stated,
    /// What stands: of a proposal the wished fields of its target, of a claim the whole.
    stands: Stated,
    /// What the centre says.
    wanted: Stated,
    /// Why.
    reason: Option<String>,
    /// Whether it can only be declined.
    only_decline: bool,
}

impl Change {
    fn differences(&self) -> Vec<Difference> {
        let fields: BTreeSet<&String> = self.stands.keys().chain(self.wanted.keys()).collect();
        let differ = fields.into_iter().filter(|field| self.stands.get(*field) != self.wanted.get(*field));
        differ
            .map(|field| Difference {
                field: field.clone(),
                stands: self.stands.get(field).cloned(),
                wanted: self.wanted.get(field).cloned(),
            })
            .collect()
    }
}

fn change(register: &Register<'_>, name: ClaimName) -> Result<Change, Failure> {
    let tx = register.tx;
    if let Some(found) = tx.received_by_key(name.0, Kind::Proposal, name.1)? {
        return proposal(register, name.0, &found.claim.body);
    }
    for kind in CLAIMS {
        let Some(found) = tx.received_by_key(name.0, kind, name.1)? else { continue };
        let mut person = tx.uid_of(found.id)?;
        if kind != Kind::RecipientClaim {
            person = person.map(|document| tx.person_of_document(document)).transpose()?.flatten();
        }
        return Ok(Change {
            whose: if kind == Kind::RecipientClaim { Stated::new() } else { named(register, person)? },
            person,
            stands: stated(&found.claim.body),
            wanted: tx.newest_body(found.id)?.as_ref().map(stated).unwrap_or_default(),
            reason: None,
            only_decline: false,
        });
    }
    Ok(Change::default())
}

/// What nobody can read in the claim `name`, and whose claim that is.
fn unread(register: &Register<'_>, name: ClaimName) -> Result<Change, Failure> {
    let tx = register.tx;
    for kind in CLAIMS {
        let Some(found) = tx.received_by_key(name.0, kind, name.1)? else { continue };
        let (mut person, body) = (tx.uid_of(found.id)?, &found.claim.body);
        let mut wanted = stated(body);
        if kind == Kind::RecipientClaim {
            let fields: BTreeSet<&str> = golden::unreadable(body).collect();
            wanted.retain(|field, _| fields.contains(field.as_str()));
        } else {
            person = person.map(|document| tx.person_of_document(document)).transpose()?.flatten();
            let strict = if kind == Kind::ProgrammeClaim { Kind::Programme } else { Kind::Supplement };
            let fields = programme::unreadable(strict, body);
            wanted.retain(|field, _| fields.contains(&field.as_str()));
            for line in programme::unreadable_lines(strict, body) {
                wanted.extend(of_line(line));
            }
        }
        let whose = named(register, person)?;
        return Ok(Change { person, whose, wanted, ..Change::default() });
    }
    Ok(Change::default())
}

fn proposal(register: &Register<'_>, centre: ParticipantCode, body: &Body) -> Result<Change, Failure> {
    let tx = register.tx;
    let wishes = wishes(body);
    let asked: Option<RecordId> = body.text("target").and_then(|text| text.parse().ok());
    let (mut person, mut stands) = (None, Stated::new());
    if let Some(asked) = target(body) {
        person = tx.person(asked)?.map(|row| row.merged_into.unwrap_or(row.uid));
        if let Some(file) = person.map(|uid| register.file(uid)).transpose()?.flatten() {
            stands = stated(&golden::person(&file.case_number, &file.claims, &file.entries, file.today).body);
        }
    } else if let Some(asked) = asked {
        person = tx.person_of_document(asked)?;
        let kind = body.text("target_kind").and_then(|kind| kind.parse::<Kind>().ok());
        let told = kind.map(|kind| tx.publication(centre, kind, asked)).transpose()?.flatten();
        if let Some(told) = told.and_then(|told| Body::from_xml(told.kind, &told.body).ok()) {
            stands = stated(&told);
            stands.extend(told.lines().iter().flat_map(of_line));
        }
    }
    let emptied = proposals::emptied(register, body)?;
    stands.retain(|field, _| wishes.contains_key(field) || emptied.contains(&field.as_str()));
    Ok(Change {
        whose: named(register, person)?,
        person,
        stands,
        wanted: wishes.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        reason: body.text("reason").map(str::to_owned),
        only_decline: target(body).is_none(),
    })
}

/// Names and birth date of `person`, as published.
fn named(register: &Register<'_>, person: Option<RecordId>) -> Result<Stated, Failure> {
    let file = person.map(|uid| register.file(uid)).transpose()?.flatten();
    let mut named = file
        .map(|file| stated(&golden::person(&file.case_number, &file.claims, &file.entries, file.today).body))
        .unwrap_or_default();
    named.retain(|field, _| NAMES.contains(&field.as_str()) || field == "birth_date");
    Ok(named)
}

/// The person that a proposal is about.
pub(super) fn target(proposal: &Body) -> Option<RecordId> {
    (proposal.text("target_kind") == Some("person")).then(|| proposal.text("target")?.parse().ok())?
}

/// The wishes of a proposal: field → value, empty where there should be none. A field of a line bears its number.
pub(super) fn wishes(proposal: &Body) -> BTreeMap<String, String> {
    let text = |line: &Line, field| line.text(field).unwrap_or_default().to_owned();
    let name = |line: &Line| match line.text("line_no") {
        Some(no) => in_line(&text(line, "field"), no),
        None => text(line, "field"),
    };
    proposal.lines().iter().map(|line| (name(line), text(line, "value"))).collect()
}

/// What a line states, each field with the line's number.
fn of_line(line: &Line) -> impl Iterator<Item = (String, String)> {
    let no = line.text("no").unwrap_or_default();
    let stated = line.iter().filter_map(|(field, value)| Some((field, value?)));
    stated.map(move |(field, value)| (in_line(field.name, no), value.to_owned()))
}

fn in_line(field: &str, no: &str) -> String {
    format!("{no}.{field}")
}

/// Fields and what is said in them.
pub type Values = BTreeMap<&'static str, String>;

fn shown(body: &Body) -> Values {
    only_shown(&stated(body))
}

/// A recipient's claim as the hub goes by it.
pub(super) fn claim(register: &Register<'_>, name: ClaimName) -> Result<Values, Failure> {
    let found = register.tx.received_by_key(name.0, Kind::RecipientClaim, name.1)?;
    Ok(found.map(|found| shown(&found.claim.body)).unwrap_or_default())
}

/// A programme, with the person whose it is; and what it is called.
fn programme(register: &Register<'_>, name: ClaimName) -> Result<(Values, Option<Name>), Failure> {
    let Some(person) = register.tx.person_of_document(name.1)? else { return Ok(Default::default()) };
    let Some(file) = register.file(person)? else { return Ok(Default::default()) };
    let mut values = file.claims.first().map(|claim| shown(&claim.body)).unwrap_or_default();
    let document = file.documents.iter().find(|document| document.uid == name.1);
    let mut called = None;
    if let Some(body) = document.and_then(|document| document.published(View::Everything, person)) {
        values.extend(shown(&body));
        called = rules::document_name(&body);
    }
    Ok((values, called))
}
