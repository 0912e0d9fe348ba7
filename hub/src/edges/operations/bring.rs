//! A file of the hub's staff into the register: their own values of persons, each an entry as `person set` makes it, or
//! records that they draw up ([`drawn`]). Everything else the centres send, or it follows from that.

use std::{collections::BTreeSet, path::Path};

use exchange_endpoint::{
    config::Config,
    messages,
    output::{Exit, Failure, Lang},
    protocol::Protocols,
    tables::{self, Column, Form, Item, Layout, Map, Refused, Report, Sheet, TableError, lost},
};
use exchange_format::record::{Body, Field, Kind, RecordId};
use jiff::{Timestamp, civil::Date};

use super::{
    decided::Decided,
    drawn::{self, Drawing},
    line_table::{self, LineTable},
    people::{enter, find, good_value},
};
use crate::{
    database::{DatabaseError, Store, people::PersonRow},
    decisions::golden,
    edges::{
        config::HubConfig,
        failure,
        hub::{Context, Hub, keep_protocols, open},
        register::Register,
    },
};

/// The work is committed after so many lines, and the daemon gets its turn.
const CHUNK: usize = 200;
/// Progress is told after so many lines.
const TOLD: u64 = 5_000;
/// The columns that name a person.
const KEYS: [&str; 2] = ["uid", "case_number"];

/// What is imported, and how.
pub struct Order<'a> {
    /// Persons; or the kind that is drawn up.
    pub kind: Kind,
    /// The file.
    pub file: &'a Path,
    /// The file with the lines of the records.
    pub lines: Option<&'a Path>,
    /// The column or heading that names the person (a uid or a case number), or the record.
    pub key: Option<&'a str>,
    /// The file that says what other headings mean.
    pub map: Option<&'a Path>,
    /// Who acts, and why.
    pub act: (&'a str, &'a str),
    /// Whether everything is taken back.
    pub dry_run: bool,
    /// Whether one refused line takes everything back.
    pub all_or_nothing: bool,
    /// Where refused lines are written.
    pub report: Option<&'a Path>,
    /// The language of that.
    pub lang: Lang,
    /// Is told how many lines were read, now and then.
    pub progress: &'a dyn Fn(u64),
}

/// The fields that staff may enter.
fn fields() -> impl Iterator<Item = &'static Field> {
    Kind::Person.schema().fields.iter().filter(|field| field.name != "case_number")
}

fn layout(kind: Kind) -> Layout {
    if kind != Kind::Person {
        return drawn::layout(kind);
    }
    let columns = KEYS.into_iter().chain(fields().map(|field| field.name)).map(Column::of).collect();
    Layout { columns, passed_over: vec!["served_by".to_owned()] }
}

/// An import on its way.
struct Run<'a> {
    order: &'a Order<'a>,
    context: &'a Context,
    drawing: Option<Drawing>,
    columns: Vec<Option<String>>,
    key: usize,
    now: Timestamp,
    today: Date,
    report: Report,
    protocols: Protocols,
    numbers: Vec<u32>,
    read: u64,
    /// The persons of whom a line was read.
    seen: BTreeSet<RecordId>,
}

/// What an import did.
pub struct Brought {
    /// Line by line.
    pub report: Report,
    /// The protocols of what was entered.
    pub protocols: Vec<u32>,
    /// Whether anything was kept.
    pub kept: bool,
}

/// Why a transaction is not committed.
enum Stop {
    Failure(Failure),
    TakeBack,
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

/// Carries the import out.
pub fn import(config: &Config<HubConfig>, order: &Order<'_>, now: Timestamp) -> Result<Brought, Failure> {
    tables::apart([order.file].into_iter().chain(order.lines).chain(order.map), order.report)?;
    let layout = layout(order.kind);
    let of_lines = order.lines.map(|_| line_table::layout(order.kind));
    let maps = order.map.map(|path| Map::read_both(path, &layout, of_lines.as_ref()));
    let (map, map_of_lines) = maps.transpose().map_err(failure::table)?.unwrap_or_default();
    let open_by = |key| Sheet::open(order.file, layout.clone(), &map, order.key, key);
    let keys = if order.kind == Kind::Person { KEYS } else { drawn::KEYS };
    let mut sheet = match open_by(keys[0]) {
        Err(TableError::Key { .. }) if order.key.or(map.key()).is_none() => open_by(keys[1]),
        opened => opened,
    }
    .map_err(failure::table)?;
    let lines = order.lines.map(|lines| LineTable::read(order.kind, lines, &map_of_lines, order.lang));
    let lines = lines.transpose()?;
    let read = lines.as_ref().map(|lines| lines.read.clone()).unwrap_or_default();
    let columns = (sheet.columns.clone(), sheet.key);
    let draw = || Drawing::new(config, order.kind, order.file, columns, lines, order.act.1);
    let drawing = (order.kind != Kind::Person).then(draw);
    let report = Report::begin(order.file, order.report, order.lang).map_err(failure::table)?;
    let mut report = report.with_lines(order.lines);
    report.read_all(&read);
    let Hub { mut store, context, protocols, .. } = open(config)?;
    let mut run = Run {
        order,
        context: &context,
        drawing,
        columns: sheet.columns.clone(),
        key: sheet.key,
        now,
        today: crate::edges::register::day(now),
        report,
        protocols,
        numbers: Vec::new(),
        read: 0,
        seen: BTreeSet::new(),
    };
    let kept = if order.dry_run || order.all_or_nothing {
        run.whole(&mut store, &mut sheet)?
    } else {
        run.in_chunks(&mut store, &mut sheet)?;
        true
    };
    run.refuse_left()?;
    run.report.finish().map_err(failure::table)?;
    Ok(Brought { report: run.report, protocols: run.numbers, kept })
}

/// An error of the file, or of what is done with its lines.
enum Broken {
    Table(TableError),
    Failure(Failure),
}

impl From<TableError> for Broken {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Table(error) => failure::table(error),
            Broken::Failure(failure) => failure,
        }
    }
}

impl Run<'_> {
    /// All in one transaction; whether it was kept.
    fn whole(&mut self, store: &mut Store, sheet: &mut Sheet) -> Result<bool, Failure> {
        let (context, actor) = (self.context, self.order.act.0);
        let done = store.write(|tx| {
            let register = context.register(tx, actor, self.now);
            let mut decided = Decided::by(context, &register);
            sheet
                .for_each::<Broken>(|item| self.take(&register, &mut decided, item).map_err(Broken::Failure))
                .map_err(|broken| Stop::Failure(broken.into()))?;
            self.judge_waiting(&register, &mut decided, usize::MAX)?;
            self.refuse_left()?;
            if self.order.dry_run || self.report.refused() > 0 {
                return Err(Stop::TakeBack);
            }
            self.numbers.extend(decided.keep(tx)?);
            Ok(())
        });
        keep_protocols(store, &mut self.protocols);
        match done {
            Ok(()) => Ok(true),
            Err(Stop::TakeBack) => Ok(false),
            Err(Stop::Failure(failure)) => Err(failure),
        }
    }

    fn in_chunks(&mut self, store: &mut Store, sheet: &mut Sheet) -> Result<(), Failure> {
        let mut chunk = Vec::with_capacity(CHUNK);
        sheet
            .for_each::<Broken>(|item| {
                chunk.push(item);
                if chunk.len() == CHUNK {
                    self.chunk(store, &mut chunk).map_err(Broken::Failure)
                } else {
                    Ok(())
                }
            })
            .map_err(Failure::from)?;
        self.chunk(store, &mut chunk)?;
        while !self.part(store, |run, register, decided| run.judge_waiting(register, decided, CHUNK))? {}
        Ok(())
    }

    fn chunk(&mut self, store: &mut Store, chunk: &mut Vec<Item>) -> Result<(), Failure> {
        let items = std::mem::take(chunk);
        self.part(store, |run, register, decided| {
            items.into_iter().try_for_each(|item| run.take(register, decided, item))
        })
    }

    /// A part of the work, in a transaction.
    fn part<T>(
        &mut self,
        store: &mut Store,
        work: impl FnOnce(&mut Self, &Register<'_>, &mut Decided) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (context, actor) = (self.context, self.order.act.0);
        let done = store.write(|tx| {
            let register = context.register(tx, actor, self.now);
            let mut decided = Decided::by(context, &register);
            let done = work(self, &register, &mut decided)?;
            self.numbers.extend(decided.keep(tx)?);
            Ok::<_, Failure>(done)
        })?;
        keep_protocols(store, &mut self.protocols);
        Ok(done)
    }

    /// Judges rows that wait for the end of the file; whether none waits any more.
    fn judge_waiting(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        rows: usize,
    ) -> Result<bool, Failure> {
        let Some(drawing) = &mut self.drawing else { return Ok(true) };
        drawing.judge_waiting(register, decided, rows, &mut self.report)
    }

    fn take(&mut self, register: &Register<'_>, decided: &mut Decided, item: Item) -> Result<(), Failure> {
        let refused = match item {
            Item::Refused(refused, _) => Some(refused),
            Item::Row(line, values) => match &mut self.drawing {
                Some(drawing) => {
                    drawing.take(register, decided, (line, values), &mut self.report)?;
                    None
                }
                None => self.row(register, decided, line, &values)?,
            },
        };
        if let Some(refused) = refused {
            self.report.refuse(refused).map_err(failure::table)?;
        }
        self.read += 1;
        if self.read.is_multiple_of(TOLD) {
            (self.order.progress)(self.read);
        }
        Ok(())
    }

    /// Lines of records that the file does not have are refused.
    fn refuse_left(&mut self) -> Result<(), Failure> {
        let left = self.drawing.as_mut().map(Drawing::left).unwrap_or_default();
        left.into_iter().try_for_each(|refused| self.report.refuse_line(refused)).map_err(failure::table)
    }

    /// Enters what the line says otherwise than the register; an empty cell says nothing.
    fn row(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        line: u64,
        values: &[String],
    ) -> Result<Option<Refused>, Failure> {
        let who = values[self.key].trim();
        let refuse = |rule| Ok(Some(Refused::by(line, self.columns[self.key].clone(), rule)));
        if who.is_empty() {
            return refuse("key-empty");
        }
        let Ok((person, _)) = find(register.tx, who) else { return refuse("person-unknown") };
        let Some(file) = register.file(person.uid)? else { return refuse("person-unknown") };
        for (column, also) in self.columns.iter().zip(values) {
            let names = column.as_deref().is_some_and(|column| KEYS.contains(&column));
            let same = |(other, _): (PersonRow, _)| other.uid == person.uid;
            if names && !also.trim().is_empty() && !find(register.tx, also).is_ok_and(same) {
                return Ok(Some(Refused::by(line, column.clone(), "other-person")));
            }
        }
        if !self.seen.insert(person.uid) {
            return refuse("key-twice");
        }
        // what a fact is known by goes first: beside another one other parts stand
        let (mut entries, mut differing) = (file.entries.clone(), Vec::new());
        let mut stands = golden::person(&file.case_number, &file.claims, &entries, file.today).body;
        for is_first in [true, false] {
            for (column, text) in self.columns.iter().zip(values) {
                let field = column.as_deref().and_then(|name| fields().find(|field| field.name == name));
                let Some(field) = field.filter(|field| golden::begins_a_fact(field.name) == is_first) else {
                    continue;
                };
                match self.otherwise(field, text, &stands) {
                    Ok(None) => {}
                    Ok(Some(value)) => differing.push((field, value)),
                    Err((rule, why)) => {
                        return Ok(Some(Refused { line, column: column.clone(), rule, why }));
                    }
                }
            }
            if is_first && !differing.is_empty() {
                entries.extend(differing.iter().map(|(field, value)| (field.name.to_owned(), value.clone())));
                stands = golden::person(&file.case_number, &file.claims, &entries, file.today).body;
            }
        }
        let mut changed = false;
        for (field, value) in &differing {
            changed |= enter(register, decided, person.uid, (field, Some(value)), self.order.act.1)?;
        }
        if changed {
            register.republish(person.uid)?;
            self.report.changed += 1;
        } else {
            self.report.unchanged += 1;
        }
        Ok(None)
    }

    /// The value of `field` that the cell `text` says otherwise than it `stands`, if it does, or why it is none.
    fn otherwise(
        &self,
        field: &'static Field,
        text: &str,
        stands: &Body,
    ) -> Result<Option<String>, (&'static str, messages::Told)> {
        let standing = stands.text(field.name).unwrap_or_default();
        let kept = Form::of(field.name).kept(standing);
        if text.trim() == standing || *text == kept || lost::is_written_of(text, &kept) {
            // whatever it says: it is not this file that says so
            return Ok(None);
        }
        if lost::is_lost(text) {
            return Err(("letters-lost", messages::Told::of("refused-letters-lost", &[])));
        }
        let value = good_value(field, text, self.today).map_err(|unfit| (unfit.rule, unfit.why))?;
        Ok(value.filter(|value| value != standing))
    }
}

/// The kind whose table `name` is, if staff bring it in.
pub fn kind_of(name: &str) -> Result<Kind, Failure> {
    let ours = || [Kind::Person].into_iter().chain(crate::decisions::drawn::KINDS);
    if let Some(kind) = ours().find(|kind| kind.name() == name) {
        return Ok(kind);
    }
    if let Some(kind) =
        ours().find(|kind| kind.schema().lines.is_some_and(|_| format!("{kind}_line") == name))
    {
        return Err(Failure::new(Exit::Refused, "hub-import-lines").with("table", kind.name()));
    }
    let is_known = super::hand_out::is_known(name);
    let code = match name.strip_suffix("_line").unwrap_or(name) {
        "recipient_claim" => "hub-import-claim-of-person",
        "programme_claim" | "supplement_claim" => "hub-import-claim-of-document",
        "proposal" | "link" => "hub-import-decided",
        _ if is_known => "hub-import-not-ours",
        _ => "hub-no-table",
    };
    let known: Vec<&str> = ours().map(Kind::name).collect();
    let failure = Failure::new(Exit::Refused, code).with("length", name.chars().count());
    Err(failure
        .with("known", known.join(", "))
        .with("table", if is_known { name.to_owned() } else { String::new() }))
}

/// The database's own errors pass through as they are.
impl From<DatabaseError> for Broken {
    fn from(error: DatabaseError) -> Self {
        Self::Failure(error.into())
    }
}
