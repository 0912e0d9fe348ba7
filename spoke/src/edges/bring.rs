//! A file of another program into a table of the centre's: by plain SQL, with locks in place and changes captured.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use exchange_endpoint::{
    messages::{Lang, Told},
    output::Failure,
    tables::{Column, Item, Layout, Map, Refused, Report, Sheet, TableError, Warned, codes, lost},
};
use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::{
    SpokeError,
    proposing::{Proposal, Refusal},
};
use crate::{
    database::{
        exported,
        import::{self, Done, Lack, Pair, Target},
        write::{self, Scope},
    },
    decisions::wishes::Wish,
};

/// For so long other programs wait; then the work is committed and they get their turn.
const HELD: Duration = Duration::from_millis(250);
/// How long their turn is: one that waits by SQLite's own busy handler looks every 100 ms.
const TURN: Duration = Duration::from_millis(150);
/// Progress is told after so many lines.
const TOLD: u64 = 5_000;
/// More proposals than this no import makes: the hub's staff decide each.
const PROPOSALS: usize = 1_000;

/// What is imported, and how.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Where rows go.
    pub target: &'a Target,
    /// The file.
    pub file: &'a Path,
    /// The column or heading that tells rows apart.
    pub key: Option<&'a str>,
    /// The file that says what other headings mean.
    pub map: Option<&'a Path>,
    /// Whether everything is taken back.
    pub dry_run: bool,
    /// Whether one refused line takes everything back.
    pub all_or_nothing: bool,
    /// Why locked values should be others, if wishes are to be made of them.
    pub propose: Option<&'a str>,
    /// Where refused lines are written.
    pub report: Option<&'a Path>,
    /// The language of that.
    pub lang: Lang,
    /// Is told how many lines were read, now and then.
    pub progress: &'a dyn Fn(u64),
}

/// What an import did.
pub struct Brought {
    /// Line by line.
    pub report: Report,
    /// Columns of the file that are not the file's to say.
    pub passed_over: Vec<String>,
    /// Whether anything was kept.
    pub kept: bool,
}

impl Order<'_> {
    /// Carries the import out.
    ///
    /// # Errors
    /// The file is no such table, or the database; what was committed before stays.
    pub fn carry_out(
        &self,
        connection: &mut Connection,
        own: ParticipantCode,
    ) -> Result<Brought, SpokeError> {
        let layout = layout(self.target);
        let map = self.map.map(|path| Map::read(path, &layout)).transpose()?.unwrap_or_default();
        let mut sheet = self.open(layout, &map)?;
        let passed_over = passed_over(&sheet, self.target);
        let report = Report::begin(self.file, self.report, self.lang)?;
        let (columns, key) = (sheet.columns.clone(), sheet.key);
        let whole = self.dry_run || self.all_or_nothing;
        let mut run = Run {
            order: self,
            connection,
            whole,
            columns: &columns,
            key,
            transaction: None,
            read: 0,
            report,
            wishes: Vec::new(),
        };
        import::begin(run.connection)?;
        sheet.for_each::<SpokeError>(|item| run.take(item))?;
        let (mut report, wishes, kept) = run.end()?;
        if kept {
            self.keep_wishes(connection, own, &wishes, &mut report)?;
        } else {
            report.proposed = wishes.len() as u64;
        }
        report.finish()?;
        Ok(Brought { report, passed_over, kept })
    }

    /// Without a word about the key it is `id`, or of lines without one the parent.
    fn open(&self, layout: Layout, map: &Map) -> Result<Sheet, SpokeError> {
        match (Sheet::open(self.file, layout.clone(), map, self.key, "id"), self.target.parent) {
            (Err(TableError::Key { .. }), Some(parent)) if self.key.or(map.key()).is_none() => {
                Ok(Sheet::open(self.file, layout, map, Some(parent), parent)?)
            }
            (opened, _) => Ok(opened?),
        }
    }

    fn keep_wishes(
        &self,
        connection: &mut Connection,
        own: ParticipantCode,
        wishes: &[Wished],
        report: &mut Report,
    ) -> Result<(), SpokeError> {
        let now = Timestamp::now();
        for one in wishes {
            let proposal = Proposal {
                table: self.target.table,
                named: self.target.name,
                id: &one.id,
                wishes: &one.wishes,
                reason: self.propose,
            };
            let kept = write::write::<_, Refusal>(connection, Scope::Book, |transaction| {
                proposal.keep(transaction, own, now)
            });
            match kept {
                Ok(_) => report.proposed += 1,
                Err(Refusal(failure)) => {
                    let why = Told::new(|lang| Failure::message(&failure, lang));
                    let column = one.wishes.first().map(|wish| wish.column.clone());
                    report.refuse(Refused { line: one.line, column, rule: "LOCKED", why })?;
                }
            }
        }
        Ok(())
    }
}

/// The columns of `target`: what only the exchange or the hub says is passed over.
fn layout(target: &Target) -> Layout {
    let hubs = if target.parent.is_none() { target.table.hub_columns() } else { Vec::new() };
    let fields = target.fields().iter().map(|column| column.name.as_str());
    let read = ["id"].into_iter().chain(target.parent).chain(fields).filter(|name| !hubs.contains(name));
    let exchanges = exported::FIRST.into_iter().filter(|name| *name != "id");
    let mut passed_over: Vec<String> = exchanges.chain(hubs.iter().copied()).map(str::to_owned).collect();
    passed_over.sort();
    passed_over.dedup();
    Layout { columns: read.map(Column::of).collect(), passed_over }
}

/// Which of them the file has.
fn passed_over(sheet: &Sheet, target: &Target) -> Vec<String> {
    let known = layout(target).passed_over;
    known.into_iter().filter(|name| sheet.passes_over(name)).collect()
}

/// Wishes about one row.
struct Wished {
    line: u64,
    id: String,
    wishes: Vec<Wish>,
}

/// An import on its way.
struct Run<'a> {
    order: &'a Order<'a>,
    connection: &'a Connection,
    /// Whether all is one transaction.
    whole: bool,
    columns: &'a [Option<String>],
    key: usize,
    /// With when it began.
    transaction: Option<(Transaction<'a>, Instant)>,
    read: u64,
    report: Report,
    wishes: Vec<Wished>,
}

impl Run<'_> {
    fn take(&mut self, item: Item) -> Result<(), SpokeError> {
        if self.transaction.is_none() {
            let immediate = TransactionBehavior::Immediate;
            let transaction = Transaction::new_unchecked(self.connection, immediate)?;
            self.transaction = Some((transaction, Instant::now()));
        }
        match item {
            Item::Refused(refused, _) => self.report.refuse(refused)?,
            Item::Row(line, values) => self.row(line, &values)?,
        }
        self.read += 1;
        let is_long = self.transaction.as_ref().is_some_and(|(_, begun)| begun.elapsed() >= HELD);
        if is_long && !self.whole {
            self.commit()?;
            thread::sleep(TURN);
        }
        if self.read.is_multiple_of(TOLD) {
            (self.order.progress)(self.read);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), SpokeError> {
        Ok(self.transaction.take().map_or(Ok(()), |(transaction, _)| transaction.commit())?)
    }

    fn row(&mut self, line: u64, values: &[String]) -> Result<(), SpokeError> {
        let id = self.id(values);
        let lost = lost::is_lost(&id);
        if id.is_empty() || lost || !import::name(self.connection, &id, line)? {
            let rule = if id.is_empty() { "key-empty" } else { "key-twice" };
            let rule = if lost { "letters-lost" } else { rule };
            let column = self.columns[self.key].clone();
            return Ok(self.report.refuse(Refused::by(line, column, rule))?);
        }
        let (columns, target) = (self.columns, self.order.target);
        let own = |column: &str| target.field(target.table.own?, column);
        let coded =
            columns.iter().zip(values).map(|(column, value)| codes::coded(own(column.as_deref()?)?, value));
        let coded: Vec<Option<String>> = coded.collect();
        for (column, code) in columns.iter().zip(&coded) {
            if let (Some(column), Some(code)) = (column, code) {
                self.report.read(column, code);
            }
        }
        let pairs: Vec<Pair<'_>> = columns
            .iter()
            .zip(values.iter().zip(&coded))
            .filter_map(|(column, (value, code))| {
                Some((column.as_deref()?, code.as_ref().unwrap_or(value).as_str()))
            })
            .filter(|(column, _)| *column != "id")
            .map(|(column, value)| (column, Some(value).filter(|value| !value.is_empty())))
            .collect();
        let count = match import::put(self.connection, target, &id, &pairs) {
            Ok(Done::New) => &mut self.report.new,
            Ok(Done::Changed) => &mut self.report.changed,
            Ok(Done::Unchanged) => {
                self.report.unchanged += 1;
                return Ok(());
            }
            Ok(Done::Lost(column)) => {
                return Ok(self.report.refuse(Refused::by(line, Some(column), "letters-lost"))?);
            }
            Ok(Done::Foreign) => {
                let column = target.parent.map(str::to_owned);
                return Ok(self.report.refuse(Refused::by(line, column, "hubs-own"))?);
            }
            Ok(Done::MovedUnderLock) => {
                let column = target.parent.map(str::to_owned);
                return Ok(self.report.refuse(Refused::by(line, column, "LOCKED"))?);
            }
            Ok(Done::Locked(columns)) => return self.locked(line, id, &columns, &pairs),
            Err(rusqlite::Error::SqliteFailure(error, Some(why)))
                if error.code == ErrorCode::ConstraintViolation =>
            {
                let refused = Refused { line, column: None, rule: "trigger", why: why.into() };
                return Ok(self.report.refuse(refused)?);
            }
            Err(error) => return Err(error.into()),
        };
        *count += 1;
        if let Some((column, rule)) = import::unsendable(self.connection, target, &id)? {
            let column = column.to_owned();
            self.report.warn(Warned {
                line,
                column,
                warning: "rule",
                table: None,
                n: None,
                rule: Some(rule),
            });
        }
        Ok(())
    }

    /// The row's id: the key's value; for lines told apart by their parent, the parent's id and the number.
    fn id(&self, values: &[String]) -> String {
        let value = values[self.key].trim();
        let key = self.columns[self.key].as_deref();
        if value.is_empty() || key.is_none() || key != self.order.target.parent {
            return value.to_owned();
        }
        let no = self.columns.iter().position(|column| column.as_deref() == Some("no"));
        format!("{value}:{}", no.map_or("", |no| values[no].trim()))
    }

    /// A row of the hub's says something else in these columns: a wish, if wishes are to be made, else refused.
    fn locked(
        &mut self,
        line: u64,
        id: String,
        columns: &[String],
        pairs: &[Pair<'_>],
    ) -> Result<(), SpokeError> {
        let target = self.order.target;
        let refused = Refused::by(line, columns.first().cloned(), "LOCKED");
        if !target.table.takes_proposals() {
            let why = Told::of("refused-locked-only", &[]);
            return Ok(self.report.refuse(Refused { why, ..refused })?);
        }
        if self.order.propose.is_none() || columns.is_empty() || self.wishes.len() == PROPOSALS {
            return Ok(self.report.refuse(refused)?);
        }
        let (row, no) = match target.parent {
            None => (id, None),
            Some(parent) => {
                let of = pairs.iter().find(|(column, _)| *column == parent).and_then(|(_, value)| *value);
                match (of, import::line_no(self.connection, target, &id)?) {
                    (Some(row), Some(no)) => (row.to_owned(), Some(no)),
                    _ => return Ok(self.report.refuse(refused)?),
                }
            }
        };
        let said = |column: &String| {
            let value = pairs.iter().find(|(name, _)| name == column).and_then(|(_, value)| *value);
            value.unwrap_or_default().to_owned()
        };
        let wish = |column: &String| Wish {
            no: no.clone(),
            is_new: false,
            column: column.clone(),
            value: said(column),
        };
        self.wishes.push(Wished { line, id: row, wishes: columns.iter().map(wish).collect() });
        Ok(())
    }

    /// Warns, and keeps or takes back.
    fn end(mut self) -> Result<(Report, Vec<Wished>, bool), SpokeError> {
        let columns: Vec<&str> = self.columns.iter().filter_map(Option::as_deref).collect();
        let target = self.order.target;
        let report = &mut self.report;
        let mut warn = |warning, (line, column, table, n): Lack| {
            let n = (n > 0).then_some(n);
            let column = column.to_owned();
            report.warn(Warned { line, column, warning, table: Some(table), n, rule: None });
            Ok::<_, SpokeError>(())
        };
        import::missing(self.connection, target, &columns, |lack| warn("no-such-row", lack))?;
        import::others(self.connection, target, |lack| warn("other-lines", lack))?;
        import::broken_by_lines(self.connection, target, |line, column, rule| {
            let (column, rule) = (column.to_owned(), Some(rule));
            report.warn(Warned { line, column, warning: "rule", table: None, n: None, rule });
            Ok::<_, SpokeError>(())
        })?;
        let kept = !(self.order.dry_run || self.order.all_or_nothing && self.report.refused() > 0);
        if kept {
            self.commit()?;
        } else if let Some((transaction, _)) = self.transaction.take() {
            transaction.rollback()?;
        }
        Ok((self.report, self.wishes, kept))
    }
}
