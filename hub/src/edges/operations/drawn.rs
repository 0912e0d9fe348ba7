//! Records that the hub's staff draw up, out of a file: one row a record, its lines in a file of their own. A record is
//! taken whole, by all rules that refuse, or not at all; what stood before then stands.

use std::{collections::BTreeSet, path::Path};

use exchange_endpoint::{
    config::Config,
    messages::{self, Told},
    output::Failure,
    tables::{Column, Form, Layout, Refused, Report, Warned, codes, lost},
};
use exchange_format::{
    record::{Body, Field, Finding, Kind, RecordId, Type},
    rules::{self, Around, Severity},
};

use super::{
    attached::{self, Folder},
    decided::{Decided, Decision},
    line_table::{self, LineTable},
};
use crate::{
    database::drawn::Drawn,
    decisions::{
        audience::{self, View},
        document_key::DocumentKey,
        drawn::{Draft, fields, is_document, mark},
        golden,
    },
    edges::{config::HubConfig, failure, register::Register},
};

/// The columns that name a record: what staff's files call it, or its key.
pub const KEYS: [&str; 2] = ["id", "uid"];
/// The column of attachments that names a file beside the table.
const FILE: &str = "file";

/// The columns of the table of `kind`.
pub fn layout(kind: Kind) -> Layout {
    let file = (kind == Kind::Attachment).then(|| FILE.to_owned());
    let columns = KEYS.map(str::to_owned).into_iter().chain(fields(kind).map(Field::column)).chain(file);
    let others = kind.schema().fields.iter().map(Field::column);
    let exported = ["origin", "key", "version", "outcome"].map(str::to_owned);
    let columns: Vec<Column> = columns.map(Column::of).collect();
    let passed = |name: &String| columns.iter().all(|column| column.name != *name);
    let passed_over = others.chain(exported).filter(passed).collect();
    Layout { columns, passed_over }
}

/// The column of a table of lines that names the record.
pub fn parent(kind: Kind) -> String {
    format!("{}_id", kind.name())
}

/// Records of one kind that are being taken in.
pub struct Drawing {
    kind: Kind,
    folder: Folder,
    lines: Option<LineTable>,
    seen: BTreeSet<String>,
}

/// A row of the table.
pub struct Row<'a> {
    /// Its line.
    pub line: u64,
    /// The columns of the table.
    pub columns: &'a [Option<String>],
    /// Which of them is the key.
    pub key: usize,
    /// The values.
    pub values: &'a [String],
}

/// What stands, for a row that names it.
struct Standing {
    key: RecordId,
    /// What staff's files call it.
    id: String,
    person: Option<RecordId>,
    body: Body,
}

/// Why a row is not taken: its column, the rule, and what is wrong.
struct Fault(Option<String>, &'static str, Told);

/// A row is refused, or nothing can go on.
enum Stop {
    Row(Fault),
    /// For what was found in its record.
    Found(Finding),
    /// For values of its lines that are not of their types.
    Untyped(Vec<Finding>),
    /// For lines of it, in their own table.
    Lines(Vec<Refused>),
    Failure(Failure),
}

impl Row<'_> {
    /// Which record it is, and by which column: by the key, or by the uid where files have no name of their own for it.
    fn name(&self) -> (String, &str) {
        let of = |at: usize| {
            (self.columns[at].clone().unwrap_or_else(|| KEYS[0].to_owned()), self.values[at].trim())
        };
        let uid = self.columns.iter().position(|column| column.as_deref() == Some(KEYS[1]));
        match (of(self.key), uid) {
            ((_, ""), Some(uid)) if !self.values[uid].trim().is_empty() => of(uid),
            (named, _) => named,
        }
    }
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

impl Stop {
    /// By a rule of files, whose words are the message `refused-<rule>`.
    fn by(column: impl Into<String>, rule: &'static str) -> Self {
        Self::Row(Fault(Some(column.into()), rule, Told::of(&format!("refused-{rule}"), &[])))
    }
}

impl Drawing {
    /// Records of `kind` from the table `file`, and their `lines`.
    pub fn new(config: &Config<HubConfig>, kind: Kind, file: &Path, lines: Option<LineTable>) -> Self {
        Self { kind, folder: Folder::of(file, config), lines, seen: BTreeSet::new() }
    }

    /// Takes in the record of `row`; `Some` if it is refused.
    pub(super) fn take(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        row: &Row<'_>,
        reason: &str,
        report: &mut Report,
    ) -> Result<Option<Refused>, Failure> {
        let mut places = Vec::new();
        let stop = match self.record(register, decided, row, reason, report, &mut places) {
            Ok(()) => return Ok(None),
            Err(stop) => stop,
        };
        let lines = match stop {
            Stop::Failure(failure) => return Err(failure),
            Stop::Row(Fault(column, rule, why)) => {
                return Ok(Some(Refused { line: row.line, column, rule, why }));
            }
            Stop::Found(finding) => match finding.line.map(|n| (n, places.get(n - 1))) {
                Some((_, Some(at))) => vec![line_table::refused(*at, &finding)],
                Some((n, None)) => {
                    let column = Some(format!("{}[{n}]", finding.field));
                    return Ok(Some(Refused { column, ..line_table::refused(row.line, &finding) }));
                }
                None => return Ok(Some(line_table::refused(row.line, &finding))),
            },
            Stop::Untyped(found) => {
                let of_file = |finding: &Finding| {
                    let at = places.get(finding.line?.checked_sub(1)?)?;
                    Some(line_table::refused(*at, finding))
                };
                found.iter().filter_map(of_file).collect()
            }
            Stop::Lines(lines) => lines,
        };
        for line in lines {
            report.refuse_line(line).map_err(failure::table)?;
        }
        Ok(Some(Refused::by(row.line, None, "lines-refused")))
    }

    /// The lines that were left: of records that the table did not have, and those that are none.
    pub fn left(&mut self) -> Vec<Refused> {
        self.lines.as_mut().map(LineTable::left).unwrap_or_default()
    }

    fn record(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        row: &Row<'_>,
        reason: &str,
        report: &mut Report,
        places: &mut Vec<u64>,
    ) -> Result<(), Stop> {
        let (named, id) = row.name();
        if id.is_empty() {
            return Err(Stop::by(named, "key-empty"));
        }
        if lost::is_lost(id) {
            return Err(Stop::by(named, "letters-lost"));
        }
        if !self.seen.insert(id.to_owned()) {
            return Err(Stop::by(named, "key-twice"));
        }
        let lines = self.lines.as_mut().map_or(Ok(None), |lines| lines.take(id)).map_err(Stop::Lines)?;
        let by_uid = named == KEYS[1];
        let before = if by_uid {
            standing(register, self.kind, id)?
        } else {
            register.tx.drawn_by_id(self.kind, id)?.map(|drawn| as_meant(register, drawn)).transpose()?
        };
        if by_uid && before.is_none() {
            return Err(Stop::by(named, "record-unknown"));
        }
        let mut body = before.as_ref().map_or_else(|| Body::new(self.kind), |stands| stands.body.clone());
        self.state(register, &mut body, row, report)?;
        if let Some(lines) = lines {
            *places = lines.put(&mut body).map_err(|refused| Stop::Lines(vec![refused]))?;
        }
        if before.as_ref().is_some_and(|stands| stands.body == body) {
            // whatever it says: it is not this file that says so
            report.unchanged += 1;
            return Ok(());
        }
        let draft = Draft { person: person_of(register, &body)?, body };
        let untyped = draft.body.findings();
        if !places.is_empty() && untyped.len() > 1 && untyped.iter().all(|finding| finding.line.is_some()) {
            return Err(Stop::Untyped(untyped));
        }
        check(register, &draft, before.as_ref(), row.line, report)?;
        let key = match &before {
            Some(stands) => stands.key,
            None => register.new_key(&draft)?.ok_or_else(|| Stop::by("number", "number-several"))?,
        };
        let is_taken = match &before {
            None => register.tx.drawn(key)?.is_some() || is_decided(register, &draft, key)?,
            Some(stands) => {
                is_decided(register, &draft, key)?
                    && rules::document_name(&stands.body) != rules::document_name(&draft.body)
            }
        };
        if is_taken {
            return Err(Stop::by("number", "number-taken"));
        }
        let id = before.as_ref().map_or_else(|| id.to_owned(), |stands| stands.id.clone());
        register.draw(&Drawn { key, id, person: draft.person, body: draft.body }, reason)?;
        let (count, sentence) = match before {
            None => (&mut report.new, "decision-drawn-new"),
            Some(_) => (&mut report.changed, "decision-drawn-changed"),
        };
        *count += 1;
        let sentence = messages::text(decided.lang(), sentence, &[]);
        let (kind, key) = (self.kind.name(), key.to_string());
        decided.tell(Decision { kind, key, outcome: "entered", rule: "drawn", sentence, reason });
        Ok(())
    }

    /// What the row states: a column of the table says what the record says, also that it says nothing.
    fn state(
        &self,
        register: &Register<'_>,
        body: &mut Body,
        row: &Row<'_>,
        report: &mut Report,
    ) -> Result<(), Stop> {
        let mut file = None;
        for (column, text) in row.columns.iter().zip(row.values) {
            let (Some(column), text) = (column, text.trim()) else { continue };
            if column == FILE && !text.is_empty() {
                file = Some(text);
            }
            let Some(field) = fields(self.kind).find(|field| field.column() == *column) else { continue };
            let stands = body.text(field.name).unwrap_or_default().trim();
            let kept = Form::of(column).kept(stands);
            if stands == text || kept == text || lost::is_written_of(text, &kept) {
                continue;
            }
            if lost::is_lost(text) {
                return Err(Stop::by(column.clone(), "letters-lost"));
            }
            let value = match field.ty {
                Type::Reference(kinds) if !text.is_empty() => resolve(register, kinds, text)?
                    .ok_or_else(|| Stop::by(column.clone(), "reference-unknown"))?
                    .to_string(),
                _ => match codes::coded(field, text) {
                    Some(code) => {
                        report.read(column, &code);
                        code
                    }
                    None => text.to_owned(),
                },
            };
            let of_file = ["size", "sha256", "content"].contains(&field.name) && value.is_empty();
            if !of_file {
                body.set(field.name, &value).map_err(Stop::Found)?;
            }
        }
        let Some(file) = file else { return Ok(()) };
        let bytes = self.folder.read(file).map_err(|rule| Stop::by(FILE, rule))?;
        attached::state(body, file, &bytes).map_err(Stop::Found)
    }
}

/// Whether staff have drawn up a decision of this number and date about the person, other than that of the key `itself`.
fn is_decided(register: &Register<'_>, draft: &Draft, itself: RecordId) -> Result<bool, Stop> {
    let (Some(person), Kind::NeedDecision) = (draft.person, draft.body.kind()) else { return Ok(false) };
    let name = rules::document_name(&draft.body);
    let all = register.tx.drawn_of(person)?.into_iter().filter(|one| one.body.kind() == Kind::NeedDecision);
    let mut others = all.filter(|one| one.key != itself);
    Ok(others.any(|one| name.is_some() && rules::document_name(&one.body) == name))
}

/// `drawn` with what it refers to as that is meant now: its person may have turned out to be another, and its programme may have
/// been joined into one.
fn as_meant(register: &Register<'_>, mut drawn: Drawn) -> Result<Standing, Stop> {
    let stated: Vec<_> =
        drawn.body.head().iter().filter_map(|(field, text)| Some((field, text?.to_owned()))).collect();
    for (field, text) in stated {
        let Type::Reference(kinds) = field.ty else { continue };
        let Ok(key) = text.parse() else { continue };
        let meant = if kinds.contains(&Kind::Person) {
            register.tx.person_meant(key)?
        } else if kinds.iter().any(|kind| is_document(*kind)) {
            register.tx.document_meant(key)?
        } else {
            continue;
        };
        drawn.body.set(field.name, &meant.to_string()).map_err(Stop::Found)?;
    }
    Ok(Standing { key: drawn.key, id: drawn.id, person: drawn.person, body: drawn.body })
}

/// What stands under the key `text`: a record that staff drew up, a document as it follows from what centres claim, or
/// an attachment of a centre's.
fn standing(register: &Register<'_>, kind: Kind, text: &str) -> Result<Option<Standing>, Stop> {
    if let Some(drawn) = by_key(register, kind, text)? {
        return Ok(Some(as_meant(register, drawn)?));
    }
    let Ok(key) = text.to_lowercase().parse::<RecordId>() else { return Ok(None) };
    let of = |key, person, body| Standing { key, id: text.to_owned(), person, body };
    if is_document(kind) {
        let (Some(person), key) = (register.tx.person_of_document(key)?, register.tx.document_meant(key)?)
        else {
            return Ok(None);
        };
        let Some(file) = register.file(person)? else { return Ok(None) };
        let body = audience::documents(&file, View::Everything, register.lists).remove(&key);
        return Ok(body.filter(|body| body.kind() == kind).map(|body| of(key, Some(person), body)));
    }
    if kind.owner().centre_writes() {
        for centre in register.tx.centres()? {
            if let Some(one) = register.tx.received_by_key(centre.code, kind, key)? {
                return Ok(Some(of(key, None, one.claim.body)));
            }
        }
    }
    Ok(None)
}

/// The record of `kind` under this key.
fn by_key(register: &Register<'_>, kind: Kind, text: &str) -> Result<Option<Drawn>, Stop> {
    let Ok(key) = text.to_lowercase().parse::<RecordId>() else { return Ok(None) };
    Ok(register.tx.drawn(key)?.filter(|drawn| drawn.body.kind() == kind))
}

/// The record that `text` means, of one of `kinds`: a person by uid or case number, another by what staff's files call
/// it or by its key.
fn resolve(register: &Register<'_>, kinds: &[Kind], text: &str) -> Result<Option<RecordId>, Stop> {
    for kind in kinds.iter().copied().filter(|kind| kind.owner().hub_publishes()) {
        let found = match kind {
            Kind::Person => person(register, text)?,
            _ => match register.tx.drawn_by_id(kind, text)? {
                Some(drawn) => Some(drawn.key),
                None if is_document(kind) => document(register, text)?,
                None => by_key(register, kind, text)?.map(|drawn| drawn.key),
            },
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn person(register: &Register<'_>, text: &str) -> Result<Option<RecordId>, Stop> {
    let found = match text.to_lowercase().parse::<RecordId>() {
        Ok(uid) => register.tx.person(uid)?,
        Err(_) => register.tx.person_by_case(text)?,
    };
    Ok(found.map(|person| person.merged_into.unwrap_or(person.uid)))
}

fn document(register: &Register<'_>, text: &str) -> Result<Option<RecordId>, Stop> {
    let Ok(key) = text.to_lowercase().parse::<RecordId>() else { return Ok(None) };
    match register.tx.person_of_document(key)? {
        Some(_) => Ok(Some(register.tx.document_meant(key)?)),
        None => Ok(None),
    }
}

/// Whose record `body` is. What it refers to must be the same person's.
fn person_of(register: &Register<'_>, body: &Body) -> Result<Option<RecordId>, Stop> {
    let mut person = None;
    for (field, text) in body.head().iter() {
        let (Type::Reference(_), Some(key)) = (field.ty, text.and_then(|text| text.parse().ok())) else {
            continue;
        };
        let whose = match field.name {
            "recipient" => Some(register.tx.person_meant(key)?),
            "programme" | "supplement" => register.tx.person_of_document(key)?,
            _ => match register.tx.drawn(key)?.and_then(|drawn| drawn.person) {
                Some(whose) => Some(register.tx.person_meant(whose)?),
                None => None,
            },
        };
        if person.is_some() && whose.is_some() && person != whose {
            return Err(Stop::by(field.column(), "other-person"));
        }
        person = person.or(whose);
    }
    Ok(person)
}

/// Whether the draft may be taken in place of what stood `before`, and what is to be known of it.
fn check(
    register: &Register<'_>,
    draft: &Draft,
    before: Option<&Standing>,
    line: u64,
    report: &mut Report,
) -> Result<(), Stop> {
    if let Some(before) = before {
        if draft.body.kind() == Kind::Attachment {
            return Err(Stop::by("sha256", "attachment-final"));
        }
        let stood = before.person.map(|person| register.tx.person_meant(person)).transpose()?;
        if stood != draft.person {
            return Err(Stop::by("recipient_id", "other-person"));
        }
    }
    let itself = before.map(|before| before.key);
    let mut others: Vec<Body> = Vec::new();
    if let Some(mark) = mark(&draft.body) {
        let marked = register.tx.drawn_by_mark(draft.body.kind(), &mark)?.into_iter();
        others.extend(marked.filter(|one| Some(one.key) != itself).map(|one| one.body));
    }
    let (mut person, mut documents) = (None, audience::Documents::new());
    if let Some(uid) = draft.person
        && let Some(file) = register.file(uid)?
    {
        person = Some(golden::person(&file.case_number, &file.claims, &file.entries, file.today).body);
        documents = audience::documents(&file, View::Everything, register.lists);
        let of_kind = file.drawn.into_iter().filter(|one| one.body.kind() == draft.body.kind());
        others.extend(of_kind.filter(|one| Some(one.key) != itself).map(|one| one.body));
    }
    let directory = register.directory(&draft.body)?;
    let around = Around {
        today: Some(register.today()),
        others: &others,
        person: person.as_ref(),
        programme: audience::programme_of(&draft.body).and_then(|programme| documents.get(&programme)),
        lists: Some(register.lists),
        directory: &directory,
        ..Around::nothing()
    };
    if let Some(finding) = rules::fault_within(&draft.body, &around) {
        return Err(Stop::Found(finding));
    }
    // a programme beside one that follows from claims is drawn up, and waits until staff say which is in force
    let mut in_force = Vec::new();
    if draft.body.kind() == Kind::Programme {
        let same = DocumentKey::of(&draft.body);
        let besides = documents.iter().filter(|(uid, body)| {
            body.kind() == Kind::Programme && Some(**uid) != itself && DocumentKey::of(body) != same
        });
        in_force.extend(besides.map(|(_, body)| body.clone()));
    }
    let around = Around { others: if in_force.is_empty() { &others } else { &in_force }, ..around };
    let doubts = rules::check(&draft.body, &around).into_iter();
    for doubt in doubts.filter(|breach| breach.severity == Severity::Warn || breach.rule.code == "P05") {
        let column = doubt.place.field.to_owned();
        let rule = Some(doubt.rule.code);
        report.warn(Warned { line, column, warning: "doubt", table: None, n: None, rule });
    }
    Ok(())
}
