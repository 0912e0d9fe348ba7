//! A wish that locked values of a row be changed, kept to be sent (exchange §8).

use exchange_endpoint::{
    messages::Told,
    output::{Exit, Failure},
    tables::{
        Column, Form, Layout,
        headings::{self, Headings},
    },
};
use exchange_format::{
    participant::ParticipantCode,
    record::{Record, RecordId},
};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::Connection;

use super::{
    SpokeError,
    station::{journal, new_key},
};
use crate::{
    database::{
        DatabaseError,
        proposals::{self, Undecided},
        publications, report,
        tables::{LineTable, Table},
    },
    decisions::wishes::{self, Amended, Unproposable, Wish},
};

/// Wishes about one row.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// The table.
    pub table: &'static Table,
    /// As whoever wishes calls it: the table, or its lines.
    pub named: &'a str,
    /// The row's id.
    pub id: &'a str,
    /// What should stand where.
    pub wishes: &'a [Wish],
    /// By what staff can see that it is so.
    pub reason: Option<&'a str>,
}

/// The wish in the table's own words: a column may be called by its heading, a day or an СНИЛС be written as people do.
fn understood(table: &Table, wish: &Wish) -> Wish {
    let columns = match (&wish.no, &table.lines) {
        (Some(_), Some(lines)) => &lines.columns,
        _ => &table.columns,
    };
    let columns = columns.iter().map(|column| Column::of(column.name.as_str())).collect();
    let headings = Headings::of(&Layout { columns, passed_over: Vec::new() });
    let column = headings.column(&wish.column).unwrap_or(&wish.column).to_owned();
    let value = Form::of(&column).kept(&wish.value).into_owned();
    Wish { column, value, ..wish.clone() }
}

impl Proposal<'_> {
    /// Keeps the proposal. Where one that is not decided yet is about the same, that one says the newer wish.
    ///
    /// # Errors
    /// The row is not locked, or the wish is not one that can be sent.
    pub fn keep(
        &self,
        connection: &Connection,
        own: ParticipantCode,
        now: Timestamp,
    ) -> Result<Kept, Refusal> {
        let table = self.table;
        let about = self.publication(connection)?;
        let shown = publications::read_body(&about)?;
        let (named, today) = ((about.key, about.version), now.to_zoned(TimeZone::system()).date());
        let wishes: Vec<Wish> = self.wishes.iter().map(|wish| understood(table, wish)).collect();
        let mut body = wishes::by_hand(table, &shown, named, &wishes, self.reason, today)
            .map_err(|error| self.unfit(error))?;
        let (mut same, mut replaced) = (None, Vec::new());
        for Undecided { key, body: open, is_declined } in proposals::undecided(connection, about.key)? {
            // a new wish takes the place of a declined one where it is about all that was declined, and another
            if is_declined && !wishes::replaces(&open, &body) {
                continue;
            }
            match wishes::amend(&open, &mut body) {
                Amended::Untouched => {}
                Amended::Same => same = Some(key),
                Amended::Replaced(newer) => {
                    proposals::replace(connection, key, &newer, &about)?;
                    journal(connection, own, now, "proposal.replaced", &key.to_string(), "by hand", &[])?;
                    replaced.push(key);
                }
            }
        }
        if body.lines().is_empty() {
            let changed = replaced.first().map(|key| (*key, "spoke-propose-replaced"));
            let known = changed.or(same.map(|key| (key, "spoke-propose-again")));
            let (key, message) = known.expect("each wish was taken by a proposal");
            return Ok(Kept { key, about, replaced, message });
        }
        let key = new_key();
        let (name, id) = (table.name, self.id);
        let new =
            proposals::New { key, table: name, id, about: &about, claim: None, body: &body, problem: None };
        proposals::add(connection, &new, now)?;
        journal(connection, own, now, "proposal.made", &key.to_string(), "by hand", &[])?;
        Ok(Kept { key, about, replaced, message: "spoke-propose-done" })
    }

    /// What the hub publishes in the row.
    fn publication(&self, connection: &Connection) -> Result<Record, Refusal> {
        let table = self.table;
        let refuse = |message| {
            Failure::new(Exit::Refused, message)
                .with("table", table.name)
                .with("id", self.id.to_owned())
                .with("length", self.id.chars().count())
        };
        let record = report::row_record(connection, table, self.id)?.ok_or_else(|| refuse("spoke-no-row"))?;
        let (Some(kind), Some(uid)) = (table.published, record.uid) else {
            return Err(refuse("spoke-propose-own").into());
        };
        let uid =
            uid.parse().map_err(|_| DatabaseError::Corrupt { table: "svod_record", what: "a record id" })?;
        let found = publications::find(connection, kind, uid)?;
        Ok(found.ok_or_else(|| refuse("spoke-propose-own"))?.record)
    }

    fn unfit(&self, error: Unproposable) -> Failure {
        let failure = |message| Failure::new(Exit::Refused, message).with("table", self.named.to_owned());
        match error {
            Unproposable::Table => failure("spoke-propose-table").with("id", self.id.to_owned()),
            Unproposable::Column(column) => {
                failure("spoke-propose-column").because("column", self.column(column))
            }
            Unproposable::Value(column, detail) => {
                failure("spoke-propose-value").because("column", called(&column)).because("detail", &detail)
            }
            Unproposable::Reason(finding) => {
                failure("spoke-propose-value").with("column", "--reason").because("detail", &finding.problem)
            }
            Unproposable::Rule(column, code, sentence) => failure("spoke-propose-rule")
                .because("column", called(&column))
                .because("rule", Told::new(|lang| format!("{code}: {}", lang.of(sentence)))),
            Unproposable::Stands => failure("spoke-propose-stands").with("id", self.id.to_owned()),
        }
    }
}

impl Proposal<'_> {
    /// A column as it is told: by its name; one that the table does not have by its place among the wishes.
    fn column(&self, column: String) -> Told {
        let table = self.table;
        let lines = table.lines.as_ref().map(LineTable::all_columns).unwrap_or_default();
        if table.all_columns().into_iter().chain(lines).any(|known| known == column) {
            return column.into();
        }
        let n = self.wishes.iter().position(|wish| wish.column == column).map_or(0, |n| n + 1);
        let args = [("n", n.into()), ("length", column.chars().count().into())];
        Told::of("spoke-propose-nth", &args)
    }
}

/// A column of ours, by its heading.
fn called(column: &str) -> Told {
    Told::new(|lang| headings::field(lang, column))
}

/// What became of the wishes.
#[derive(Debug)]
pub struct Kept {
    /// The proposal that says them.
    pub key: RecordId,
    /// What they are about.
    pub about: Record,
    /// Proposals that say a newer wish now.
    pub replaced: Vec<RecordId>,
    /// What happened: a message of the catalogue.
    pub message: &'static str,
}

/// Why nothing was proposed.
#[derive(Debug)]
pub struct Refusal(pub Failure);

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        Self(SpokeError::from(error).into())
    }
}

impl From<SpokeError> for Refusal {
    fn from(error: SpokeError) -> Self {
        Self(error.into())
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<Refusal> for Failure {
    fn from(Refusal(failure): Refusal) -> Self {
        failure
    }
}
