//! Questions to staff: both records side by side, told or written as a table to be filled in.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use exchange_endpoint::{
    config::Config,
    output::{Exit, Failure},
};
use exchange_format::record::{Body, Kind, Line, RecordId};
use jiff::Timestamp;
use serde::Serialize;

use super::table_file;
use crate::{
    database::{linking::ClaimName, reviews::Review},
    decisions::{golden, programme},
    edges::{
        config::HubConfig,
        hub::{Hub, open},
        register::Register,
    },
};

/// Fields of the two records that staff see, if either states one.
const SHOWN: [&str; 14] = [
    "surname",
    "given",
    "patronymic",
    "birth_date",
    "sex",
    "snils",
    "identity_doc_series",
    "identity_doc_number",
    "phone",
    "address_reg",
    "address_live",
    "number",
    "date",
    "valid_until",
];
/// What of a centre's a question can be about, besides a proposal.
pub(super) const CLAIMS: [Kind; 3] = [Kind::RecipientClaim, Kind::ProgrammeClaim, Kind::SupplementClaim];
/// Reviews are read in pages.
const PAGE: u32 = 500;

/// One question with both records. Personal data.
#[derive(Serialize)]
pub struct Question {
    /// Its number.
    pub review: i64,
    /// `pair`, `programme`, `held` or `proposal`.
    pub kind: String,
    /// Why staff are asked.
    pub why: String,
    /// The first record.
    pub one: Side,
    /// The second record; of one record twice: what its centre says now.
    pub other: Side,
    /// Of one record twice: each field that differs, with what stands and what its centre says.
    pub differences: Vec<Difference>,
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
    /// Whose it is; a programme is the hub's.
    pub centre: String,
    /// Its key.
    pub key: String,
    /// What it says.
    pub values: BTreeMap<&'static str, String>,
}

/// What waits for staff, oldest first.
pub fn list(config: &Config<HubConfig>, now: Timestamp) -> Result<Vec<Question>, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| open_questions(&context.register(tx, context.code.as_str(), now)))
}

/// What waits for staff in the register as it stands, oldest first.
pub(super) fn open_questions(register: &Register<'_>) -> Result<Vec<Question>, Failure> {
    let mut questions = Vec::new();
    let mut after = 0;
    loop {
        let page = register.tx.open_reviews(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(questions) };
        after = last.n;
        for review in page {
            questions.push(question(register, review)?);
        }
    }
}

fn question(register: &Register<'_>, review: Review) -> Result<Question, Failure> {
    let mut differences = Vec::new();
    let (one, other) = match review.kind.as_str() {
        "programme" => (programme(register, review.one)?, programme(register, review.other)?),
        "pair" => (claim(register, review.one)?, claim(register, review.other)?),
        _ => {
            let (stands, wanted) = newer(register, review.one)?;
            differences = stands
                .keys()
                .chain(wanted.keys())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .filter(|field| stands.get(*field) != wanted.get(*field))
                .map(|field| Difference {
                    field: field.clone(),
                    stands: stands.get(field).cloned(),
                    wanted: wanted.get(field).cloned(),
                })
                .collect();
            (only_shown(&stands), only_shown(&wanted))
        }
    };
    let side = |name: ClaimName, values| Side { centre: name.0.to_string(), key: name.1.to_string(), values };
    Ok(Question {
        one: side(review.one, one),
        other: side(review.other, other),
        differences,
        review: review.n,
        kind: review.kind,
        why: review.reason,
    })
}

fn only_shown(stated: &Stated) -> Values {
    SHOWN.iter().filter_map(|field| Some((*field, stated.get(*field)?.clone()))).collect()
}

/// Fields and what is stated in them.
type Stated = BTreeMap<String, String>;

fn stated(body: &Body) -> Stated {
    body.head().iter().filter_map(|(field, value)| Some((field.name.to_owned(), value?.to_owned()))).collect()
}

/// What stands of a record that its centre wants otherwise, and what the centre says now: of a proposal the
/// wished fields of its target, of a claim the whole.
fn newer(register: &Register<'_>, name: ClaimName) -> Result<(Stated, Stated), Failure> {
    let tx = register.tx;
    if let Some(found) = tx.received_by_key(name.0, Kind::Proposal, name.1)? {
        let wishes = wishes(&found.claim.body);
        let mut stands = BTreeMap::new();
        if let Some(person) = target(&found.claim.body)
            && let Some(file) = register.file(person)?
        {
            stands = stated(&golden::person(&file.case_number, &file.claims, &file.entries).body);
            stands.retain(|field, _| wishes.contains_key(field));
        }
        return Ok((stands, wishes.into_iter().filter(|(_, value)| !value.is_empty()).collect()));
    }
    for kind in CLAIMS {
        if let Some(found) = tx.received_by_key(name.0, kind, name.1)? {
            let newest = tx.newest_body(found.id)?;
            return Ok((stated(&found.claim.body), newest.as_ref().map(stated).unwrap_or_default()));
        }
    }
    Ok(Default::default())
}

/// The person that a proposal is about.
pub(super) fn target(proposal: &Body) -> Option<RecordId> {
    (proposal.text("target_kind") == Some("person")).then(|| proposal.text("target")?.parse().ok())?
}

/// The wishes of a proposal: field → value, empty where there should be none.
pub(super) fn wishes(proposal: &Body) -> BTreeMap<String, String> {
    let text = |line: &Line, field| line.text(field).unwrap_or_default().to_owned();
    proposal.lines().iter().map(|line| (text(line, "field"), text(line, "value"))).collect()
}

type Values = BTreeMap<&'static str, String>;

fn shown(body: &Body) -> Values {
    only_shown(&stated(body))
}

/// A recipient's claim as the hub goes by it.
fn claim(register: &Register<'_>, name: ClaimName) -> Result<Values, Failure> {
    let found = register.tx.received_by_key(name.0, Kind::RecipientClaim, name.1)?;
    Ok(found.map(|found| shown(&found.claim.body)).unwrap_or_default())
}

/// A programme, with the person whose it is.
fn programme(register: &Register<'_>, name: ClaimName) -> Result<Values, Failure> {
    let Some(person) = register.tx.person_of_document(name.1)? else { return Ok(Values::new()) };
    let Some(file) = register.file(person)? else { return Ok(Values::new()) };
    let mut values = file.claims.first().map(|claim| shown(&claim.body)).unwrap_or_default();
    let document = file.documents.iter().find(|document| document.uid == name.1);
    let body = document.and_then(|document| {
        programme::published(document.kind, &document.claims, person, document.programme(&document.claims))
    });
    if let Some((body, ..)) = body {
        values.extend(shown(&body));
    }
    Ok(values)
}

/// Writes `questions` as a table with empty columns `decision` and `reason`. Those of a dry run have no number:
/// nobody was asked yet, and `review apply` takes no answer to them.
pub fn write(path: &Path, questions: &[Question], numbered: bool) -> Result<(), Failure> {
    let mut heading: Vec<String> =
        ["review", "kind", "why", "centre_1", "key_1", "centre_2", "key_2"].map(str::to_owned).to_vec();
    heading.extend(SHOWN.iter().flat_map(|field| [format!("{field}_1"), format!("{field}_2")]));
    heading.extend(["differences", "decision", "reason"].map(str::to_owned));
    let rows: Vec<Vec<String>> = questions
        .iter()
        .map(|question| {
            let Question { review, kind, why, one, other, differences } = question;
            let differ = |one: &Difference| {
                let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".to_owned());
                format!("{}: {} → {}", one.field, text(&one.stands), text(&one.wanted))
            };
            let mut row = vec![
                if numbered { review.to_string() } else { String::new() },
                kind.clone(),
                why.clone(),
                one.centre.clone(),
                one.key.clone(),
                other.centre.clone(),
                other.key.clone(),
            ];
            let value = |side: &Side, field: &str| side.values.get(field).cloned().unwrap_or_default();
            row.extend(SHOWN.iter().flat_map(|field| [value(one, field), value(other, field)]));
            row.push(differences.iter().map(differ).collect::<Vec<_>>().join("; "));
            row.extend([String::new(), String::new()]);
            row
        })
        .collect();
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    table_file::write(path, &heading, &rows)
}

/// The error for a file that `review list` is to write and that is there already.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Err(Failure::new(Exit::Refused, "hub-exists").told("file", path.display()));
    }
    Ok(())
}
