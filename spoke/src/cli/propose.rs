//! `propose TABLE ID COLUMN=VALUE…`: a wish that locked values of a row be changed.

use clap::Args;
use exchange_endpoint::{
    messages::{self, Told},
    output::{CommonArgs, Exit, Failure},
};
use exchange_format::{
    participant::ParticipantCode,
    record::{Record, RecordId},
};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::Connection;
use serde_json::json;

use crate::{
    database::{
        DatabaseError, proposals, publications, report,
        tables::{LineTable, Table},
        write::{self, Scope},
    },
    decisions::wishes::{self, Amended, Unproposable, Wish},
    edges::{
        SpokeError,
        station::{self, journal, new_key},
    },
};

/// A proposal.
#[derive(Debug, Args)]
pub struct Propose {
    /// The table
    table: String,
    /// The row's id
    id: String,
    /// What should stand where; of a line: NO.COLUMN=VALUE; nothing after = wishes the value away
    #[arg(value_name = "COLUMN=VALUE", required = true)]
    wishes: Vec<Wish>,
    /// By what staff can see that it is so
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Propose {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let table = super::import::table_or_line(&self.table)?;
        let mut connection = station::open_database(&config)?;
        let now = Timestamp::now();
        let kept = write::write::<_, Refusal>(&mut connection, Scope::Book, |transaction| {
            self.keep(transaction, config.code, table, now)
        })?;
        let answer = json!({
            "proposal": kept.key.to_string(), "table": table.name, "id": self.id, "target": kept.about.key.to_string(),
            "based_on": kept.about.version, "new": kept.message == "spoke-propose-done",
            "replaced": kept.replaced.iter().map(RecordId::to_string).collect::<Vec<_>>(),
        });
        common.print(&answer, |lang| {
            messages::text(lang, kept.message, &[("key", kept.key.to_string().into())])
        })?;
        Ok(Exit::Done)
    }

    /// Keeps the proposal. Where one that is not decided yet is about the same, that one says the newer wish.
    fn keep(
        &self,
        connection: &Connection,
        own: ParticipantCode,
        table: &'static Table,
        now: Timestamp,
    ) -> Result<Kept, Refusal> {
        let about = self.publication(connection, table)?;
        let shown = publications::read_body(&about)?;
        let (named, today) = ((about.key, about.version), now.to_zoned(TimeZone::UTC).date());
        let mut body = wishes::by_hand(table, &shown, named, &self.wishes, self.reason.as_deref(), today)
            .map_err(|error| self.unfit(table, error))?;
        let (mut same, mut replaced) = (None, Vec::new());
        for (key, open) in proposals::undecided(connection, about.key)? {
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
        let (name, id) = (table.name, self.id.as_str());
        let new =
            proposals::New { key, table: name, id, about: &about, claim: None, body: &body, problem: None };
        proposals::add(connection, &new, now)?;
        journal(connection, own, now, "proposal.made", &key.to_string(), "by hand", &[])?;
        Ok(Kept { key, about, replaced, message: "spoke-propose-done" })
    }

    /// What the hub publishes in the row.
    fn publication(&self, connection: &Connection, table: &'static Table) -> Result<Record, Refusal> {
        let refuse = |message| {
            Failure::new(Exit::Refused, message)
                .with("table", table.name)
                .with("id", self.id.clone())
                .with("length", self.id.chars().count())
        };
        let record =
            report::row_record(connection, table, &self.id)?.ok_or_else(|| refuse("spoke-no-row"))?;
        let (Some(kind), Some(uid)) = (table.published, record.uid) else {
            return Err(refuse("spoke-propose-own").into());
        };
        let uid =
            uid.parse().map_err(|_| DatabaseError::Corrupt { table: "svod_record", what: "a record id" })?;
        let found = publications::find(connection, kind, uid)?;
        Ok(found.ok_or_else(|| refuse("spoke-propose-own"))?.record)
    }

    fn unfit(&self, table: &Table, error: Unproposable) -> Failure {
        let failure = |message| Failure::new(Exit::Refused, message).with("table", self.table.clone());
        match error {
            Unproposable::Column(column) => {
                failure("spoke-propose-column").because("column", self.column(table, column))
            }
            Unproposable::Value(column, detail) => {
                failure("spoke-propose-value").with("column", column).because("detail", &detail)
            }
            Unproposable::Reason(finding) => {
                failure("spoke-propose-value").with("column", "--reason").because("detail", &finding.problem)
            }
            Unproposable::Rule(column, code, sentence) => failure("spoke-propose-rule")
                .with("column", column)
                .because("rule", Told::new(|lang| format!("{code}: {}", lang.of(sentence)))),
            Unproposable::Stands => failure("spoke-propose-stands").with("id", self.id.clone()),
        }
    }
}

impl Propose {
    /// A column as it is told: by its name; one that the table does not have by its place among the wishes.
    fn column(&self, table: &Table, column: String) -> Told {
        let lines = table.lines.as_ref().map(LineTable::all_columns).unwrap_or_default();
        if table.all_columns().into_iter().chain(lines).any(|known| known == column) {
            return column.into();
        }
        let n = self.wishes.iter().position(|wish| wish.column == column).map_or(0, |n| n + 1);
        let args = [("n", n.into()), ("length", column.chars().count().into())];
        Told::of("spoke-propose-nth", &args)
    }
}

/// What became of the wishes.
struct Kept {
    key: RecordId,
    about: Record,
    replaced: Vec<RecordId>,
    message: &'static str,
}

/// Why nothing was proposed.
struct Refusal(Failure);

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
