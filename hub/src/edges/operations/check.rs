//! The register against the rules of the domain: everything that is broken, not the first fault only, with the records
//! that a rule needs beside it.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::{config::Config, output::Failure};
use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind, RecordId},
    rules::{self, Around, Severity},
};
use jiff::Timestamp;

use crate::{
    decisions::{
        audience::{self, PersonFile, View, Wanted, programme_of},
        golden::Claim,
    },
    edges::{
        config::HubConfig,
        hub::{Hub, open},
        register::{Register, RegisterError},
    },
};

/// So many persons are looked at between two questions to the database.
const PAGE: u32 = 500;

/// A fault of a record. Bears no value: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of the record.
    pub kind: &'static str,
    /// Its id.
    pub uid: String,
    /// Whose it is.
    pub person: String,
    /// That person's case number.
    pub case_number: Option<String>,
    /// Whose claim it is: of a record that only its centre can put right.
    pub centre: Option<String>,
    /// The rule, or the field whose value is not of its type.
    pub rule: &'static str,
    /// Whether it is not published because of it.
    pub refused: bool,
    /// The field.
    pub field: &'static str,
    /// Which line, counted from 1, if it is a line's field.
    pub line: Option<usize>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// How many records were looked at.
    pub records: u64,
    /// Their faults.
    pub faults: Vec<Fault>,
}

/// Looks at every person, its documents, and what staff drew up about it.
pub fn check(config: &Config<HubConfig>, now: Timestamp) -> Result<Found, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| {
        let register = context.register(tx, context.code.as_str(), now);
        let (mut found, mut after) = (Found::default(), String::new());
        loop {
            let page = tx.people_after(&after, PAGE)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = last.to_string();
            for uid in page {
                let Some(file) = register.file(uid)? else { continue };
                if !file.claims.is_empty() {
                    look(&register, &file, &mut found)?;
                }
            }
        }
    })
}

fn look(register: &Register<'_>, file: &PersonFile, found: &mut Found) -> Result<(), RegisterError> {
    let records = audience::whole(file, register.lists);
    let by_key: BTreeMap<RecordId, &Body> = records.iter().map(|one| (one.key, &one.body)).collect();
    for one in &records {
        found.records += 1;
        let others: Vec<Body> =
            records.iter().filter(|other| beside(file, one, other)).map(|o| o.body.clone()).collect();
        let directory = register.directory(&one.body)?;
        let around = Around {
            today: Some(register.today()),
            others: &others,
            person: by_key.get(&file.uid).copied(),
            programme: programme_of(&one.body).and_then(|programme| by_key.get(&programme).copied()),
            lists: Some(register.lists),
            directory: &directory,
            ..Around::nothing()
        };
        let of = (one.body.kind().name(), one.key, None);
        let mut tell = |rule, refused, field, line| {
            found.faults.push(fault(file, of, (rule, refused, field, line)));
        };
        for finding in one.body.findings() {
            tell(finding.word(), true, finding.field, finding.line);
        }
        for breach in rules::check(&one.body, &around) {
            let refused = breach.severity == Severity::Refuse;
            tell(breach.rule.code, refused, breach.place.field, breach.place.line);
        }
    }
    let all = audience::documents(file, View::Everything, register.lists);
    let stranded: BTreeSet<(ParticipantCode, RecordId)> = audience::stranded(file, &all)
        .flat_map(|one| &one.claims)
        .map(|claim| (claim.origin, claim.key))
        .collect();
    for one in audience::stranded(file, &all).filter(|one| one.claims.is_empty()) {
        // drawn up by staff
        let of = (one.kind.name(), one.uid, None);
        found.faults.push(fault(file, of, (rules::STRANDED, true, "programme", None)));
    }
    for claim in file.claims.iter().chain(&register.sent_about(file)?) {
        let mut more = Vec::new();
        if stranded.contains(&(claim.origin, claim.key)) {
            more.push((rules::STRANDED, true, "programme", None));
        } else if claim.body.kind() != Kind::RecipientClaim
            && let Some(field) = register.stray(claim)?
        {
            more.push((rules::STRANDED, false, field, None));
        }
        look_at_claim(file, claim, more, found);
    }
    Ok(())
}

/// What of a record of a centre's nobody can read: it has no line among what is published, and only its centre can mend it.
fn look_at_claim(file: &PersonFile, claim: &Claim, more: Vec<Told>, found: &mut Found) {
    let unpublished = rules::unpublished_document(&claim.body);
    let refused = unpublished.iter().map(|finding| (finding.word(), true, finding.field, finding.line));
    let unread = rules::unread(&claim.body);
    let unread = unread.iter().map(|one| (one.rule.code, false, one.place.field, one.place.line));
    let faults: Vec<_> = refused.chain(unread).chain(more).collect();
    found.records += u64::from(!faults.is_empty());
    let of = (claim.body.kind().name(), claim.key, Some(claim.origin));
    found.faults.extend(faults.into_iter().map(|told| fault(file, of, told)));
}

/// By which rule a record is wrong, whether it is not published for it, and in which field of which line.
type Told = (&'static str, bool, &'static str, Option<usize>);

fn fault(
    file: &PersonFile,
    (kind, key, centre): (&'static str, RecordId, Option<ParticipantCode>),
    (rule, refused, field, line): Told,
) -> Fault {
    Fault {
        kind,
        uid: key.to_string(),
        person: file.uid.to_string(),
        case_number: Some(file.case_number.clone()),
        centre: centre.map(|centre| centre.to_string()),
        rule,
        refused,
        field,
        line,
    }
}

/// Whether `other` is a record of the kind that a rule may look at beside `one`: not the other of two programmes that
/// staff have let stand side by side.
fn beside(file: &PersonFile, one: &Wanted, other: &Wanted) -> bool {
    let pair = (one.key.min(other.key), one.key.max(other.key));
    let kind = one.body.kind();
    kind != Kind::Person && kind == other.body.kind() && one.key != other.key && !file.allowed.contains(&pair)
}
