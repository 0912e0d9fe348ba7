//! A trial merge: who is one person in tables of others, before anything is installed. No database, nothing kept but
//! the tables that are asked for.
//!
//! Longer than 500 lines because the table that staff read is made column by column beside what it is made of.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    durable_file,
    messages::{Lang, Told},
    output::{Exit, Failure},
    tables::{self, Column, Form, Item, Layout, Map, Sheet, TableError},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{model_file, trial_page, trial_review};
use crate::{
    decisions::merge::{
        Model, Register,
        clusters::{Edge, Outcome},
        compare::Kind,
        model::Field,
        reading::{Reading, first_day, joined},
    },
    edges::{
        cores,
        failure::{self, file},
        register::day,
    },
};

/// The headings of the column that names a record.
const RECORD: [&str; 2] = ["record_id", "id"];
/// Of the one that names the table it is from, where one file has several.
const CENTRE: &str = "centre";
/// Rows of which records are made together.
const LOT: usize = 1024;

/// A row of a table: its line, its values.
type Row = (u64, Vec<String>);

/// What is asked for.
#[derive(Debug)]
pub struct Order<'a> {
    /// The tables.
    pub files: &'a [PathBuf],
    /// Which of their headings mean what.
    pub map: Option<&'a Path>,
    /// The model; else the one for recipients that comes with the program.
    pub model: Option<&'a Path>,
    /// Where the person of each record is written.
    pub out: &'a Path,
    /// Where what is doubtful is written.
    pub review: Option<&'a Path>,
    /// Where the page for a director is written.
    pub page: Option<&'a Path>,
    /// When it is: nobody was born later.
    pub now: Timestamp,
    /// In which language the page and the evidence are.
    pub lang: Lang,
}

/// What a trial came to.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The model's name.
    pub model: String,
    /// Each file.
    pub files: Vec<FileReport>,
    /// Whether records are named `FILE:ID`, since tables have one id for different records.
    pub named_by_file: bool,
    /// Records in all.
    pub records: usize,
    /// Pairs that were compared.
    pub pairs: usize,
    /// Persons, if what is doubtful is decided by weight too.
    pub persons: usize,
    /// Persons, if only what is beyond doubt is one.
    pub persons_auto: usize,
    /// Records that are one person with another record, beyond doubt.
    pub linked: usize,
    /// Persons whom more than one table has, beyond doubt.
    pub shared: usize,
    /// Questions to staff.
    pub asked: usize,
    /// The same, by reason.
    pub questions: BTreeMap<&'static str, usize>,
    /// Each centre: the tables, or what their column `centre` says.
    pub centres: Vec<CentreReport>,
    /// How many persons two centres share, beyond doubt.
    pub shared_between: Vec<(String, String, usize)>,
}

/// What a centre has brought.
#[derive(Debug, Default, Serialize)]
pub struct CentreReport {
    /// Its table, or its name in the column `centre`.
    pub centre: String,
    /// Records.
    pub records: usize,
    /// Persons among them, beyond doubt.
    pub persons: usize,
    /// Records of a person of whom this centre has another one.
    pub repeated: usize,
    /// Persons whom another centre has too.
    pub shared: usize,
    /// How good its fields are, in the order of the model.
    pub fields: Vec<FieldQuality>,
}

/// How good a field of a centre is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FieldQuality {
    /// The field.
    pub field: String,
    /// Its kind.
    pub kind: &'static str,
    /// Records that say something there.
    pub stated: usize,
    /// Records whose value is understood, and is no placeholder.
    pub understood: usize,
    /// Of these numbers with a wrong check digit.
    pub wrong: usize,
}

/// A table that was read.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// The file.
    pub file: PathBuf,
    /// Records.
    pub records: u64,
    /// Lines that are none.
    pub refused: u64,
    /// The first of them.
    pub first_refused: Option<u64>,
    /// Why it is none: the rule's code.
    pub first_rule: Option<&'static str>,
    /// The same for people.
    #[serde(skip)]
    pub first_why: Option<Told>,
    /// Lines that repeat the heading or are totals: nobody's records.
    pub beside: u64,
    /// The fields of the model that it has.
    pub fields: Vec<String>,
    /// The columns, from 1, whose headings say nothing to the program.
    pub passed_over: Vec<usize>,
}

/// How far a trial is: the stage, and how much of it.
pub type Tell<'a> = &'a dyn Fn(&'static str, usize);

/// Reads the tables, decides who is one person, writes the answer.
pub fn trial(order: &Order<'_>, tell: Tell<'_>) -> Result<Report, Failure> {
    let sources = order.files.iter().map(PathBuf::as_path).chain(order.map).chain(order.model);
    tables::apart(sources, [order.out].into_iter().chain(order.review).chain(order.page))?;
    let model = model_file::model(order.model)?;
    let name = model.name.clone();
    let mut records = Records::by(model, order.now);
    let mut files = Vec::new();
    for path in order.files {
        files.push(records.read(path, order.map)?);
        tell("read", records.ids.len());
    }
    let Records { mut ids, mut register, centres, quality, .. } = records;
    let counts: Vec<u64> = files.iter().map(|file| file.records).collect();
    let named_by_file = told_apart(&mut ids, order.files, &counts)?;
    register.close();
    let pairs = cores::candidates(&register).pairs;
    tell("compare", pairs.len());
    let outcome = register.decide(cores::weighed(&register, &pairs));
    write(order.out, clusters_table(&ids, &outcome))?;
    if let Some(path) = order.review {
        write(path, trial_review::table(&ids, &register, &outcome.doubts, order.lang))?;
    }
    let mut report = report(name, files, &register, pairs.len(), &outcome);
    report.named_by_file = named_by_file;
    (report.centres, report.shared_between) = by_centre(&register, &outcome, &centres, quality);
    if let Some(path) = order.page {
        let page =
            trial_page::render(&report, order.lang, order.now).map_err(|error| Failure::bug(&error))?;
        durable_file::replace(path, page.as_bytes(), 0o640).map_err(file(path))?;
    }
    Ok(report)
}

/// The records of tables by their ids, read by `model` and counted.
pub(super) fn closed(
    files: &[PathBuf],
    map: Option<&Path>,
    model: Model,
    now: Timestamp,
) -> Result<(Vec<String>, Register), Failure> {
    let mut records = Records::by(model, now);
    let counts = files.iter().map(|path| records.read(path, map).map(|told| told.records));
    let counts: Vec<u64> = counts.collect::<Result<_, _>>()?;
    told_apart(&mut records.ids, files, &counts)?;
    records.register.close();
    Ok((records.ids, records.register))
}

/// The records of tables by their ids, and the pairs that anybody could care about: for whoever decides in several ways.
pub fn weighed(
    files: &[PathBuf],
    model: Model,
    now: Timestamp,
) -> Result<(Vec<String>, Register, Vec<Edge>), Failure> {
    let (ids, register) = closed(files, None, model, now)?;
    let edges = cores::weighed(&register, &cores::candidates(&register).pairs);
    Ok((ids, register, edges))
}

/// The records read so far.
struct Records {
    ids: Vec<String>,
    register: Register,
    /// The tables that records are from, by name.
    centres: BTreeMap<String, u32>,
    /// How good their fields are, by the numbers of the tables.
    quality: Vec<Vec<FieldQuality>>,
    /// The day, as `YYYYMMDD`: nobody was born later.
    today: u32,
}

impl Records {
    fn by(model: Model, now: Timestamp) -> Self {
        let (ids, centres, quality) = (Vec::new(), BTreeMap::new(), Vec::new());
        let today = first_day(&day(now).to_string());
        Self { ids, register: Register::new(model), centres, quality, today }
    }

    fn read(&mut self, path: &Path, map: Option<&Path>) -> Result<FileReport, Failure> {
        let layout = layout(&self.register.model);
        let map =
            map.map_or_else(|| Ok(Map::default()), |map| Map::read(map, &layout)).map_err(failure::table)?;
        let mut sheet = Sheet::of_others(path, layout, &map).map_err(failure::table)?;
        let places = Places::of(&self.register.model, &sheet.columns);
        let stem = stem_of(path);
        let fields = self.register.model.fields.iter().zip(&places.fields);
        let fields: Vec<String> =
            fields.filter(|(_, columns)| !columns.is_empty()).map(|(field, _)| field.name.clone()).collect();
        // without anybody's name there is nobody to be told from others
        let is_name = |field: &&Field| matches!(field.kind, Kind::Surname | Kind::Given | Kind::Name);
        let mut names = self.register.model.fields.iter().filter(is_name).peekable();
        if fields.is_empty() || names.peek().is_some() && !names.any(|field| fields.contains(&field.name)) {
            let known = layout_names(&self.register.model);
            return Err(Failure::new(Exit::Refused, "trial-columns")
                .told("file", path.display())
                .because("known", known));
        }
        let passed_over = places.passed_over(&self.register.model, &sheet.columns);
        let (first_refused, first_rule, first_why) = (None, None, None);
        let mut told = FileReport {
            file: path.to_owned(),
            records: 0,
            refused: 0,
            first_refused,
            first_rule,
            first_why,
            beside: 0,
            fields,
            passed_over,
        };
        let (model, today) = (self.register.model.clone(), self.today);
        let is_heading = sheet.heading_test();
        let produce = |give: &mut dyn FnMut(Vec<Row>)| {
            let mut lot = Vec::with_capacity(LOT);
            sheet.for_each(|item| {
                match item {
                    Item::Refused(refused, _) => {
                        told.refused += 1;
                        told.first_refused.get_or_insert(refused.line);
                        told.first_rule.get_or_insert(refused.rule);
                        told.first_why.get_or_insert(refused.why);
                    }
                    Item::Row(_, values) if is_heading(&values) || is_total(&values) => told.beside += 1,
                    Item::Row(line, values) => {
                        told.records += 1;
                        lot.push((line, values));
                    }
                }
                if lot.len() == LOT {
                    give(std::mem::replace(&mut lot, Vec::with_capacity(LOT)));
                }
                Ok::<_, TableError>(())
            })?;
            give(lot);
            Ok(())
        };
        let read = |lot: Vec<Row>| -> Vec<(Reading, Vec<bool>, Row)> {
            let reading = |row: Row| {
                let (reading, stated) = places.reading(&model, today, &row.1);
                (reading, stated, row)
            };
            lot.into_iter().map(reading).collect()
        };
        let take = |lot: Vec<(Reading, Vec<bool>, Row)>| {
            for (reading, stated, row) in lot {
                self.take(&reading, &stated, row, &places, &stem);
            }
        };
        cores::in_turn(produce, read, take).map_err(failure::table)?;
        Ok(told)
    }

    /// Makes a record of a row that says this.
    fn take(
        &mut self,
        reading: &Reading,
        stated: &[bool],
        (line, mut values): Row,
        places: &Places,
        stem: &str,
    ) {
        let id = places.record.map(|at| std::mem::take(&mut values[at])).filter(|id| !id.is_empty());
        self.ids.push(id.unwrap_or_else(|| format!("{stem}:{line}")));
        let centre = places.centre.map_or(stem, |at| values[at].as_str());
        let next = u32::try_from(self.centres.len()).expect("fewer tables than records");
        let source = match self.centres.get(centre) {
            Some(source) => *source,
            None => *self.centres.entry(centre.to_owned()).or_insert(next),
        };
        self.count(source as usize, reading, stated);
        self.register.add(source, reading);
    }

    fn count(&mut self, source: usize, reading: &Reading, stated: &[bool]) {
        if source == self.quality.len() {
            let fields = self.register.model.fields.iter();
            let none = |field: &Field| FieldQuality {
                field: field.name.clone(),
                kind: field.kind.word(),
                ..FieldQuality::default()
            };
            self.quality.push(fields.map(none).collect());
        }
        for (at, of) in self.quality[source].iter_mut().enumerate() {
            let (understood, wrong) = reading.understood(at);
            of.stated += usize::from(stated[at]);
            of.understood += usize::from(understood);
            of.wrong += usize::from(wrong);
        }
    }
}

/// Where in the rows of a file the fields of the model stand.
struct Places {
    record: Option<usize>,
    centre: Option<usize>,
    /// Of each field its columns, in the order of the model.
    fields: Vec<Vec<usize>>,
    /// The columns by name.
    named: BTreeMap<String, usize>,
}

impl Places {
    fn of(model: &Model, columns: &[Option<String>]) -> Self {
        let place = |name: &str| columns.iter().position(|column| column.as_deref() == Some(name));
        let of_field = |names: &Vec<String>| names.iter().filter_map(|name| place(name)).collect();
        Self {
            record: RECORD.iter().find_map(|name| place(name)),
            centre: place(CENTRE),
            fields: model.fields.iter().map(|field| of_field(&field.columns)).collect(),
            named: (0..).zip(columns).filter_map(|(at, name)| Some((name.clone()?, at))).collect(),
        }
    }

    /// The numbers of the columns that nothing is read out of. A heading is not told: without a heading line the values of
    /// the first row stand there.
    fn passed_over(&self, model: &Model, columns: &[Option<String>]) -> Vec<usize> {
        let is_life = |name: &String| model.life.columns().any(|column| column == name);
        let is_read = |at: usize| {
            self.record == Some(at)
                || self.centre == Some(at)
                || self.fields.iter().flatten().any(|column| *column == at)
                || columns[at].as_ref().is_some_and(is_life)
        };
        (0..columns.len()).filter(|at| !is_read(*at)).map(|at| at + 1).collect()
    }

    /// What a row says, and which fields say anything at all. A day of birth that is after `today` is none.
    fn reading(&self, model: &Model, today: u32, values: &[String]) -> (Reading, Vec<bool>) {
        let field = |(kind, columns): (Kind, &Vec<usize>)| {
            joined(kind, columns.iter().map(|at| values[*at].as_str()))
        };
        let kinds = model.fields.iter().map(|field| field.kind);
        let mut row: Vec<Cow<'_, str>> = kinds.zip(&self.fields).map(field).collect();
        let stated = row.iter().map(|text| !text.is_empty()).collect();
        if let Some(at) = model.of_kind(Kind::Date).filter(|at| first_day(&row[*at]) > today) {
            row[at] = Cow::Borrowed("");
        }
        let reading =
            Reading::of(model, &row).living(model, |column| Some(values[*self.named.get(column)?].as_str()));
        (reading, stated)
    }
}

/// Whether a line says nothing but a total.
fn is_total(values: &[String]) -> bool {
    let mut said = values.iter().map(|value| value.trim()).filter(|value| !value.is_empty());
    let (Some(word), None) = (said.next(), said.next()) else { return false };
    let word = word.to_lowercase();
    ["итого", "всего", "total"].iter().any(|total| word.starts_with(total))
}

/// The columns that are understood.
fn layout(model: &Model) -> Layout {
    let names = model.fields.iter().flat_map(|field| &field.columns).chain(model.life.columns());
    let column = |name: &str| Column { name: name.to_owned(), form: Form::Text };
    Layout {
        columns: RECORD.into_iter().chain([CENTRE]).chain(names.map(String::as_str)).map(column).collect(),
        passed_over: Vec::new(),
    }
}

fn layout_names(model: &Model) -> Told {
    layout(model).known()
}

/// Where tables have one id for different records (each numbers its own from 1), every record is named `FILE:ID`; whether that was
/// so. Two of one table, or of two tables of one name, are refused. `files` brought as many records as `counts` says.
fn told_apart(ids: &mut [String], files: &[PathBuf], counts: &[u64]) -> Result<bool, Failure> {
    if is_twice(ids).is_none() {
        return Ok(false);
    }
    let of_files = files.iter().zip(counts);
    let of_records = of_files.flat_map(|(file, count)| (1..=*count).map(move |nth| (file, nth)));
    for (id, (file, _)) in ids.iter_mut().zip(of_records.clone()) {
        let named = format!("{}:", stem_of(file));
        if !id.starts_with(&named) {
            id.insert_str(0, &named);
        }
    }
    let Some((file, nth)) = is_twice(ids).and_then(|at| of_records.clone().nth(at)) else { return Ok(true) };
    Err(Failure::new(Exit::Refused, "trial-ids").told("file", file.display()).with("nth", nth))
}

/// The place of the first id that another has too.
fn is_twice(ids: &[String]) -> Option<usize> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.iter().position(|id| !seen.insert(id.as_str()))
}

/// What a table is called.
fn stem_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// `record_id,cluster_id,auto_cluster_id`: persons numbered from 1 in the order of their first records.
fn clusters_table<'a>(ids: &'a [String], outcome: &'a Outcome) -> impl Iterator<Item = [Cow<'a, str>; 3]> {
    let number = |person: &u32| Cow::Owned((u64::from(*person) + 1).to_string());
    let persons = outcome.one.iter().zip(&outcome.auto);
    let row = move |(id, (one, auto)): (&'a String, _)| [id.as_str().into(), number(one), number(auto)];
    let heading = ["record_id", "cluster_id", "auto_cluster_id"].map(Cow::Borrowed);
    [heading].into_iter().chain(ids.iter().zip(persons).map(row))
}

/// Writes a table as scripts read it: UTF-8, commas, LF.
pub(super) fn write<T: AsRef<str>>(
    path: &Path,
    rows: impl IntoIterator<Item = impl IntoIterator<Item = T>>,
) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        for value in row {
            writer.write_field(value.as_ref()).map_err(|error| Failure::bug(&error))?;
        }
        writer.write_record(None::<&[u8]>).map_err(|error| Failure::bug(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::bug(&error))?;
    durable_file::replace(path, &bytes, 0o600).map_err(file(path))
}

fn report(
    model: String,
    files: Vec<FileReport>,
    register: &Register,
    pairs: usize,
    outcome: &Outcome,
) -> Report {
    let count = |of: &[u32]| of.iter().zip(0..).filter(|(person, record)| *person == record).count();
    let mut sizes = vec![0_u32; outcome.auto.len()];
    let mut sources: Vec<Option<u32>> = vec![None; outcome.auto.len()];
    let mut shared = vec![false; outcome.auto.len()];
    for (person, entry) in outcome.auto.iter().zip(register.entries()) {
        let person = *person as usize;
        sizes[person] += 1;
        let first = *sources[person].get_or_insert(entry.source);
        shared[person] |= first != entry.source;
    }
    let mut questions = BTreeMap::new();
    for doubt in &outcome.doubts {
        *questions.entry(doubt.reason.code()).or_insert(0) += 1;
    }
    Report {
        named_by_file: false,
        model,
        files,
        records: register.len(),
        pairs,
        persons: count(&outcome.one),
        persons_auto: count(&outcome.auto),
        linked: outcome.auto.iter().filter(|person| sizes[**person as usize] > 1).count(),
        shared: shared.into_iter().filter(|shared| *shared).count(),
        asked: outcome.doubts.len(),
        questions,
        centres: Vec::new(),
        shared_between: Vec::new(),
    }
}

/// What each centre has brought, and whom any two share.
fn by_centre(
    register: &Register,
    outcome: &Outcome,
    centres: &BTreeMap<String, u32>,
    quality: Vec<Vec<FieldQuality>>,
) -> (Vec<CentreReport>, Vec<(String, String, usize)>) {
    let mut names = vec![String::new(); centres.len()];
    for (name, source) in centres {
        names[*source as usize].clone_from(name);
    }
    // of each person its centres, and how many records each of them has
    let sources = register.entries().map(|entry| entry.source);
    let mut people: Vec<(u32, u32)> = outcome.auto.iter().copied().zip(sources).collect();
    people.sort_unstable();
    let mut reports: Vec<CentreReport> = names
        .iter()
        .zip(quality)
        .map(|(name, fields)| CentreReport { centre: name.clone(), fields, ..CentreReport::default() })
        .collect();
    let mut between: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for person in people.chunk_by(|one, other| one.0 == other.0) {
        let has: Vec<(u32, usize)> =
            person.chunk_by(|one, other| one == other).map(|of| (of[0].1, of.len())).collect();
        for (at, (centre, records)) in has.iter().enumerate() {
            let report = &mut reports[*centre as usize];
            report.records += records;
            report.persons += 1;
            report.repeated += records - 1;
            report.shared += usize::from(has.len() > 1);
            for (other, _) in &has[at + 1..] {
                *between.entry((*centre, *other)).or_default() += 1;
            }
        }
    }
    let name = |centre: u32| names[centre as usize].clone();
    let between = between.into_iter().map(|((one, other), n)| (name(one), name(other), n));
    (reports, between.collect())
}
