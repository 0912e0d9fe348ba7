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
    rules::{self, Around, Breach, Severity},
};

use super::{
    attached::{self, Folder},
    decided::{Decided, Decision},
    line_table::{self, LineTable, Lines},
    standing::{Standing, as_meant, person_of, resolve, standing},
    waiting::{Holders, Waiting, taken_by},
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
    /// The columns of the table.
    columns: Vec<Option<String>>,
    /// Which of them is the key.
    key: usize,
    reason: String,
    folder: Folder,
    lines: Option<LineTable>,
    seen: BTreeSet<String>,
    /// Rows of which another paper has the number.
    pub(super) waiting: Waiting,
}

/// A row of the table, and which record it is of.
pub struct Row {
    /// Its line.
    pub line: u64,
    values: Vec<String>,
    id: String,
    by_uid: bool,
    lines: Option<Lines>,
}

/// What is to be told of a row once it stays taken or refused.
#[derive(Default)]
pub struct Noted {
    /// Of each line of the record its line in their own table.
    places: Vec<u64>,
    /// Words that were read as codes, with their columns.
    read: Vec<(String, String)>,
    warned: Vec<Warned>,
    /// The record, if it stands or was drawn up.
    record: Option<RecordId>,
    /// Whether it is new; none if the row says what stands.
    is_new: Option<bool>,
}

/// Why a row is not taken: its column, the rule, and what is wrong.
pub struct Fault(Option<String>, &'static str, Told);

/// A row is refused, or nothing can go on.
pub enum Stop {
    /// By a rule of files.
    Row(Fault),
    /// For what was found in its record.
    Found(Finding),
    /// For values of its lines that are not of their types.
    Untyped(Vec<Finding>),
    /// For lines of it, in their own table.
    Lines(Vec<Refused>),
    /// Another paper has the number and date to which this one, if it stands, is corrected.
    Taken {
        /// The record of the row.
        row: Option<RecordId>,
        /// The other one.
        by: RecordId,
    },
    /// The database's, the disk's.
    Failure(Failure),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

impl Stop {
    /// By a rule of files, whose words are the message `refused-<rule>`.
    pub fn by(column: impl Into<String>, rule: &'static str) -> Self {
        Self::Row(Fault(Some(column.into()), rule, Told::of(&format!("refused-{rule}"), &[])))
    }
}

impl Drawing {
    /// Records of `kind` from the table `file` with these `columns`, of which one is the `key`, and their `lines`.
    pub fn new(
        config: &Config<HubConfig>,
        kind: Kind,
        file: &Path,
        (columns, key): (Vec<Option<String>>, usize),
        lines: Option<LineTable>,
        reason: &str,
    ) -> Self {
        let (folder, reason) = (Folder::of(file, config), reason.to_owned());
        let (seen, waiting) = (BTreeSet::new(), Waiting::default());
        Self { kind, columns, key, reason, folder, lines, seen, waiting }
    }

    /// Takes in the record of the row at `line`, or refuses it; or lets it wait for the end of the file.
    pub(super) fn take(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        (line, values): (u64, Vec<String>),
        report: &mut Report,
    ) -> Result<(), Failure> {
        let row = match self.row(line, values) {
            Ok(row) => row,
            Err(stop) => return self.refuse(line, stop, &[], report),
        };
        let mut noted = Noted::default();
        let done = self.record(register, &row, (&[], Holders::All), &mut noted);
        if let Err(Stop::Taken { row: record, .. }) = done {
            self.waiting.push(row, record);
            return Ok(());
        }
        self.settle(decided, line, done, noted, report)
    }

    /// Tells what became of a row.
    pub(super) fn settle(
        &mut self,
        decided: &mut Decided,
        line: u64,
        done: Result<(), Stop>,
        noted: Noted,
        report: &mut Report,
    ) -> Result<(), Failure> {
        noted.read.iter().for_each(|(column, code)| report.read(column, code));
        noted.warned.into_iter().for_each(|warned| report.warn(warned));
        if let Some(record) = noted.record {
            self.waiting.named(record, line);
        }
        if let Err(stop) = done {
            return self.refuse(line, stop, &noted.places, report);
        }
        let (Some(record), Some(is_new)) = (noted.record, noted.is_new) else {
            report.unchanged += 1;
            return Ok(());
        };
        let (count, sentence) = if is_new {
            (&mut report.new, "decision-drawn-new")
        } else {
            (&mut report.changed, "decision-drawn-changed")
        };
        *count += 1;
        let sentence = messages::text(decided.lang(), sentence, &[]);
        let (kind, key, reason) = (self.kind.name(), record.to_string(), self.reason.as_str());
        decided.tell(Decision { kind, key, outcome: "entered", rule: "drawn", sentence, reason });
        Ok(())
    }

    /// Refuses the row at `line`, and the lines of its record for which it is; of these `places` says where they stand.
    fn refuse(&self, line: u64, stop: Stop, places: &[u64], report: &mut Report) -> Result<(), Failure> {
        let refused = match stop {
            Stop::Failure(failure) => return Err(failure),
            Stop::Row(Fault(column, rule, why)) => Err(Refused { line, column, rule, why }),
            Stop::Taken { by, .. } => {
                let at = self.waiting.line_of(by).unwrap_or_default();
                let why = [("uid", by.to_string().into()), ("line", at.into())];
                let why = Told::of("refused-number-taken", &why);
                Err(Refused { line, column: Some("number".to_owned()), rule: "number-taken", why })
            }
            Stop::Found(finding) => match finding.line.map(|n| (n, places.get(n - 1))) {
                Some((_, Some(at))) => Ok(vec![line_table::refused(*at, &finding)]),
                Some((n, None)) => {
                    let column = Some(format!("{}[{n}]", finding.field));
                    Err(Refused { column, ..line_table::refused(line, &finding) })
                }
                None => Err(line_table::refused(line, &finding)),
            },
            Stop::Untyped(found) => {
                let of_file = |finding: &Finding| {
                    let at = places.get(finding.line?.checked_sub(1)?)?;
                    Some(line_table::refused(*at, finding))
                };
                Ok(found.iter().filter_map(of_file).collect())
            }
            Stop::Lines(lines) => Ok(lines),
        };
        let of_lines: Vec<Refused> = match refused {
            Err(refused) => return report.refuse(refused).map_err(failure::table),
            Ok(of_lines) => of_lines,
        };
        of_lines.into_iter().try_for_each(|one| report.refuse_line(one)).map_err(failure::table)?;
        report.refuse(Refused::by(line, None, "lines-refused")).map_err(failure::table)
    }

    /// The lines that were left: of records that the table did not have, and those that are none.
    pub fn left(&mut self) -> Vec<Refused> {
        self.lines.as_mut().map(LineTable::left).unwrap_or_default()
    }

    /// Which record the row at `line` is of: by the key, or by the uid where files have no name of their own for it.
    fn row(&mut self, line: u64, values: Vec<String>) -> Result<Row, Stop> {
        let of = |at: usize| {
            let column = self.columns[at].clone().unwrap_or_else(|| KEYS[0].to_owned());
            (column, values[at].trim().to_owned())
        };
        let uid = self.columns.iter().position(|column| column.as_deref() == Some(KEYS[1]));
        let (named, id) = match (of(self.key), uid) {
            ((_, key), Some(uid)) if key.is_empty() && !values[uid].trim().is_empty() => of(uid),
            (named, _) => named,
        };
        if id.is_empty() {
            return Err(Stop::by(named, "key-empty"));
        }
        if lost::is_lost(&id) {
            return Err(Stop::by(named, "letters-lost"));
        }
        if !self.seen.insert(id.clone()) {
            return Err(Stop::by(named, "key-twice"));
        }
        let lines = self.lines.as_mut().map_or(Ok(None), |lines| lines.take(&id)).map_err(Stop::Lines)?;
        Ok(Row { line, values, id, by_uid: named == KEYS[1], lines })
    }

    /// Takes in the record of `row`. The first of `taken`, papers that leave their numbers, have these no longer when all is done;
    /// the second says whose others hold theirs.
    pub(super) fn record(
        &self,
        register: &Register<'_>,
        row: &Row,
        taken: (&[RecordId], Holders),
        noted: &mut Noted,
    ) -> Result<(), Stop> {
        let id = &row.id;
        let before = if row.by_uid {
            standing(register, self.kind, id)?
        } else {
            register.tx.drawn_by_id(self.kind, id)?.map(|drawn| as_meant(register, drawn)).transpose()?
        };
        if row.by_uid && before.is_none() {
            return Err(Stop::by(KEYS[1], "record-unknown"));
        }
        noted.record = before.as_ref().map(|stands| stands.key);
        if noted.record.and_then(|record| self.waiting.line_of(record)).is_some_and(|line| line != row.line) {
            noted.record = None;
            let column = if row.by_uid { KEYS[1] } else { KEYS[0] };
            let why = Told::of("refused-named-twice", &[]);
            return Err(Stop::Row(Fault(Some(column.to_owned()), "key-twice", why)));
        }
        let mut body = before.as_ref().map_or_else(|| Body::new(self.kind), |stands| stands.body.clone());
        self.state(register, &mut body, row, noted)?;
        if let Some(lines) = &row.lines {
            noted.places = lines.put(&mut body).map_err(Stop::Lines)?;
        }
        if before.as_ref().is_some_and(|stands| stands.body == body) {
            // whatever it says: it is not this file that says so
            return Ok(());
        }
        let draft = Draft { person: person_of(register, &body)?, body };
        let untyped = draft.body.findings();
        let of_lines = untyped.iter().all(|finding| finding.line.is_some());
        if !noted.places.is_empty() && untyped.len() > 1 && of_lines {
            return Err(Stop::Untyped(untyped));
        }
        check(register, &draft, before.as_ref(), row.line, &mut noted.warned)?;
        if let Some(by) = taken_by(register, &draft, before.as_ref(), taken)? {
            return Err(Stop::Taken { row: before.map(|stands| stands.key), by });
        }
        let key = match &before {
            Some(stands) => stands.key,
            None => register.new_key(&draft)?.ok_or_else(|| Stop::by("number", "number-several"))?,
        };
        if before.is_none() && self.is_taken(register, key, row.line, taken.1)? {
            return Err(Stop::Taken { row: None, by: key });
        }
        if stands_over(register, &draft, before.as_ref(), key)? {
            let (line, column) = (row.line, "number".to_owned());
            noted.warned.push(Warned {
                line,
                column,
                warning: "stands-over",
                table: None,
                n: None,
                rule: None,
            });
        }
        let id = before.as_ref().map_or_else(|| id.clone(), |stands| stands.id.clone());
        let drawn = Drawn { key, id, person: draft.person, body: draft.body };
        register.draw(&drawn, &self.reason)?;
        (noted.record, noted.is_new) = (Some(key), Some(before.is_none()));
        Ok(())
    }

    /// Whether the paper `key`, of which a new row at `line` has the number, is another's: staff have drawn it up, or a row names it,
    /// which may be about to leave its number; while rows are read, what centres have may be named yet.
    fn is_taken(
        &self,
        register: &Register<'_>,
        key: RecordId,
        line: u64,
        holders: Holders,
    ) -> Result<bool, Stop> {
        if self.waiting.line_of(key).is_some_and(|named| named != line) || register.tx.drawn(key)?.is_some() {
            return Ok(true);
        }
        Ok(holders == Holders::All && !register.tx.claims_of(key)?.is_empty())
    }

    /// What the row states: a column of the table says what the record says, also that it says nothing.
    fn state(
        &self,
        register: &Register<'_>,
        body: &mut Body,
        row: &Row,
        noted: &mut Noted,
    ) -> Result<(), Stop> {
        let mut file = None;
        for (column, text) in self.columns.iter().zip(&row.values) {
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
                        noted.read.push((column.clone(), code.clone()));
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

/// Whether `draft`, which gets this `key`, becomes one with a paper that centres alone have: by being new, or by its new number.
fn stands_over(
    register: &Register<'_>,
    draft: &Draft,
    before: Option<&Standing>,
    key: RecordId,
) -> Result<bool, Stop> {
    let (Some(person), true) = (draft.person, is_document(draft.body.kind())) else { return Ok(false) };
    if let Some(before) = before {
        let is_theirs = register.tx.drawn(key)?.map_or(Ok(true), |drawn| register.is_centres(&drawn))?;
        if is_theirs || DocumentKey::of(&before.body) == DocumentKey::of(&draft.body) {
            return Ok(false);
        }
    }
    let alone = register.of_centres_alone(person, &draft.body)?;
    Ok(if before.is_some() { alone.len() == 1 } else { alone.contains(&key) })
}

/// Whether the draft may be taken in place of what stood `before`, and what is to be known of it.
fn check(
    register: &Register<'_>,
    draft: &Draft,
    before: Option<&Standing>,
    line: u64,
    warned: &mut Vec<Warned>,
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
    // of two of one number one is refused, or a round is not done yet
    let is_told = |breach: &Breach| match breach.rule.code {
        "P05" => true,
        rules::DOUBLED => false,
        _ => breach.severity == Severity::Warn,
    };
    for doubt in rules::check(&draft.body, &around).into_iter().filter(is_told) {
        let column = doubt.place.field.to_owned();
        let rule = Some(doubt.rule.code);
        warned.push(Warned { line, column, warning: "doubt", table: None, n: None, rule });
    }
    Ok(())
}
