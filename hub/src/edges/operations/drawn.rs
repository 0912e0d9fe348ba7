//! Records that the hub's staff draw up, out of a file: one row a record, its lines in a file of their own. A record is
//! taken whole, by all rules that refuse, or not at all; what stood before then stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use exchange_endpoint::{
    config::Config,
    messages::{self, Told},
    output::{Failure, Lang},
    tables::{Column, Item, Layout, Map, Refused, Report, Sheet, TableError, Warned},
};
use exchange_format::{
    record::{Body, Field, Finding, Kind, Line, RecordId, Type},
    rules::{self, Around, Severity},
};

use super::{
    attached::{self, Folder},
    decided::{Decided, Decision},
    table_file::bad,
};
use crate::{
    database::drawn::Drawn,
    decisions::{
        audience::{self, View},
        drawn::{Draft, fields, is_document, mark},
        golden,
    },
    edges::{config::HubConfig, failure, register::Register},
};

/// The columns that name a record: what staff's files call it, or its key.
pub const KEYS: [&str; 2] = ["id", "uid"];
/// The column of attachments that names a file beside the table.
const FILE: &str = "file";
/// All lines of a file of lines are held: at most so many bytes of text.
const LARGEST_LINES: usize = 256 << 20;

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

fn line_fields(kind: Kind) -> &'static [Field] {
    kind.schema().lines.map_or(&[], |lines| lines.fields)
}

/// The lines of a record: of each its fields.
type Lines = Vec<Vec<(&'static str, String)>>;

/// Records of one kind that are being taken in.
pub struct Drawing {
    kind: Kind,
    folder: Folder,
    /// Of each record the line of the file on which its lines begin, and they.
    lines: BTreeMap<String, (u64, Lines)>,
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

/// Why a row is not taken: its column, the rule, and what is wrong.
struct Fault(Option<String>, &'static str, Told);

/// A row is refused, or nothing can go on.
enum Stop {
    Row(Fault),
    Failure(Failure),
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

    fn found(finding: &Finding) -> Self {
        let column = match finding.line {
            Some(n) => format!("{}[{n}]", finding.field),
            None => finding.field.to_owned(),
        };
        Self::Row(Fault(Some(column), finding.word(), (&finding.problem).into()))
    }
}

impl Drawing {
    /// Records of `kind` from the table `file`; their lines from `lines`, which is read now.
    pub fn new(
        config: &Config<HubConfig>,
        kind: Kind,
        file: &Path,
        lines: Option<&Path>,
        lang: Lang,
    ) -> Result<Self, Failure> {
        let folder = Folder::of(file, config);
        let lines = lines.map(|lines| read_lines(kind, lines, lang)).transpose()?.unwrap_or_default();
        Ok(Self { kind, folder, lines, seen: BTreeSet::new() })
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
        match self.record(register, decided, row, reason, report) {
            Ok(()) => Ok(None),
            Err(Stop::Row(Fault(column, rule, why))) => {
                Ok(Some(Refused { line: row.line, column, rule, why }))
            }
            Err(Stop::Failure(failure)) => Err(failure),
        }
    }

    /// The lines of records that the table did not have.
    pub fn left(&mut self) -> Vec<Refused> {
        let parent = parent(self.kind);
        let left = std::mem::take(&mut self.lines).into_values();
        left.map(|(line, _)| Refused::by(line, Some(parent.clone()), "record-unknown")).collect()
    }

    fn record(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        row: &Row<'_>,
        reason: &str,
        report: &mut Report,
    ) -> Result<(), Stop> {
        let named = row.columns[row.key].clone().unwrap_or_else(|| KEYS[0].to_owned());
        let id = row.values[row.key].trim();
        if id.is_empty() {
            return Err(Stop::by(named, "key-empty"));
        }
        if !self.seen.insert(id.to_owned()) {
            return Err(Stop::by(named, "key-twice"));
        }
        let lines = self.lines.remove(id);
        let by_uid = named == KEYS[1];
        let before =
            if by_uid { by_key(register, self.kind, id)? } else { register.tx.drawn_by_id(self.kind, id)? };
        if by_uid && before.is_none() {
            return Err(Stop::by(named, "record-unknown"));
        }
        let mut body = before.as_ref().map_or_else(|| Body::new(self.kind), |drawn| drawn.body.clone());
        self.state(register, &mut body, row)?;
        if let Some((_, lines)) = lines {
            body.clear_lines();
            for values in lines {
                let line = body.add_line();
                set_all(line, &values)?;
            }
            body.sort_lines();
        }
        let draft = Draft { person: person_of(register, &body)?, body };
        if before.as_ref().is_some_and(|drawn| drawn.body == draft.body) {
            report.unchanged += 1;
            return Ok(());
        }
        check(register, &draft, before.as_ref(), row.line, report)?;
        let key = match &before {
            Some(drawn) => drawn.key,
            None => register.new_key(&draft)?,
        };
        if before.is_none() && register.tx.drawn(key)?.is_some() {
            return Err(Stop::by("number", "number-taken"));
        }
        let id = before.as_ref().map_or_else(|| id.to_owned(), |drawn| drawn.id.clone());
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
    fn state(&self, register: &Register<'_>, body: &mut Body, row: &Row<'_>) -> Result<(), Stop> {
        let mut file = None;
        for (column, text) in row.columns.iter().zip(row.values) {
            let (Some(column), text) = (column, text.trim()) else { continue };
            if column == FILE && !text.is_empty() {
                file = Some(text);
            }
            let Some(field) = fields(self.kind).find(|field| field.column() == *column) else { continue };
            let value = match field.ty {
                Type::Reference(kinds) if !text.is_empty() => resolve(register, kinds, text)?
                    .ok_or_else(|| Stop::by(column.clone(), "reference-unknown"))?
                    .to_string(),
                _ => stated(field, text),
            };
            let of_file = ["size", "sha256", "content"].contains(&field.name) && value.is_empty();
            if !of_file {
                body.set(field.name, &value).map_err(|finding| Stop::found(&finding))?;
            }
        }
        let Some(file) = file else { return Ok(()) };
        let bytes = self.folder.read(file).map_err(|rule| Stop::by(FILE, rule))?;
        attached::state(body, file, &bytes).map_err(|finding| Stop::found(&finding))
    }
}

/// What `text` states in `field`: of a code itself, or the word that staff have for it (messages `code-<code>`, with `|`
/// between several), of some codes each, with commas between the words.
fn stated(field: &Field, text: &str) -> String {
    let meant = |codes: &[&'static str], text: &str| {
        let said = text.trim().to_lowercase();
        let is_meant = |code: &&&str| {
            let words = messages::find(Lang::Ru, &format!("code-{code}"), &[]);
            words.is_some_and(|words| words.split('|').any(|word| word.trim() == said))
        };
        codes.iter().find(is_meant).map_or_else(|| text.trim().to_owned(), |code| (*code).to_owned())
    };
    match field.ty {
        Type::Code(codes) => meant(codes, text),
        Type::Codes(codes) => {
            text.split(',').map(|text| meant(codes, text)).collect::<Vec<_>>().join(" ").trim().to_owned()
        }
        _ => text.to_owned(),
    }
}

fn set_all(line: &mut Line, values: &[(&'static str, String)]) -> Result<(), Stop> {
    values
        .iter()
        .try_for_each(|(field, value)| line.set(field, value))
        .map_err(|finding| Stop::found(&finding))
}

/// Reads a table of lines whole.
fn read_lines(kind: Kind, path: &Path, lang: Lang) -> Result<BTreeMap<String, (u64, Lines)>, Failure> {
    let parent = parent(kind);
    let columns = [parent.clone()].into_iter().chain(line_fields(kind).iter().map(Field::column));
    let columns: Vec<Column> = columns.map(Column::of).collect();
    let layout = Layout { columns, passed_over: vec![KEYS[0].to_owned()] };
    let mut sheet = Sheet::open(path, layout, &Map::default(), None, &parent).map_err(failure::table)?;
    let (columns, key, mut bytes) = (sheet.columns.clone(), sheet.key, 0);
    let mut lines: BTreeMap<String, (u64, Lines)> = BTreeMap::new();
    let each = |item| {
        let (line, values) = match item {
            Item::Row(line, values) => (line, values),
            Item::Refused(refused, _) => {
                return Err(Unread(bad(path, refused.line, refused.why.in_lang(lang))));
            }
        };
        bytes += values.iter().map(String::len).sum::<usize>();
        if bytes > LARGEST_LINES {
            return Err(Unread(bad(path, line, &messages::text(lang, "table-too-large", &[]))));
        }
        let stated = columns.iter().zip(&values).filter_map(|(column, text)| {
            let field = line_fields(kind).iter().find(|field| Some(field.column()) == *column)?;
            Some((field.name, stated(field, text.trim())))
        });
        let of_record = lines.entry(values[key].trim().to_owned()).or_insert((line, Vec::new()));
        of_record.1.push(stated.collect());
        Ok(())
    };
    sheet.for_each(each).map_err(|Unread(failure)| failure)?;
    Ok(lines)
}

/// Why lines are not read.
struct Unread(Failure);

impl From<TableError> for Unread {
    fn from(error: TableError) -> Self {
        Self(failure::table(error))
    }
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
    before: Option<&Drawn>,
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
        person = Some(golden::person(&file.case_number, &file.claims, &file.entries).body);
        documents = audience::documents(&file, View::Everything);
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
        return Err(Stop::found(&finding));
    }
    let doubts = rules::check(&draft.body, &around).into_iter();
    for doubt in doubts.filter(|breach| breach.severity == Severity::Warn) {
        let column = doubt.place.field.to_owned();
        let rule = Some(doubt.rule.code);
        report.warn(Warned { line, column, warning: "doubt", table: None, n: None, rule });
    }
    Ok(())
}
