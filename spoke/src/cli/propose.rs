//! `propose TABLE ID COLUMN=VALUE…`: a wish that locked values of a row be changed.

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
};
use exchange_format::record::Record;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;

use crate::{
    database::{
        DatabaseError, proposals, publications, report,
        tables::Table,
        write::{self, Scope},
    },
    decisions::wishes::{self, Unproposable, Wish},
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
        let key = new_key();
        let now = Timestamp::now();
        let about = write::write::<_, Refusal>(&mut connection, Scope::Book, |transaction| {
            let about = self.publication(transaction, table)?;
            let shown = publications::read_body(&about)?;
            let named = (about.key, about.version);
            let body = wishes::by_hand(table, &shown, named, &self.wishes, self.reason.as_deref())
                .map_err(|error| self.unfit(error))?;
            let (table, id) = (table.name, self.id.as_str());
            let new =
                proposals::New { key, table, id, about: &about, claim: None, body: &body, problem: None };
            proposals::add(transaction, &new, now)?;
            journal(transaction, config.code, now, "proposal.made", &key.to_string(), "by hand", &[])?;
            Ok(about)
        })?;
        let answer = json!({
            "proposal": key.to_string(), "table": table.name, "id": self.id, "target": about.key.to_string(),
            "based_on": about.version,
        });
        common.print(&answer, |lang| {
            messages::text(lang, "spoke-propose-done", &[("key", key.to_string().into())])
        })?;
        Ok(Exit::Done)
    }

    /// What the hub publishes in the row.
    fn publication(&self, connection: &Connection, table: &'static Table) -> Result<Record, Refusal> {
        let refuse = |message| {
            Failure::new(Exit::Refused, message).with("table", table.name).with("id", self.id.clone())
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

    fn unfit(&self, error: Unproposable) -> Failure {
        let failure = |message| Failure::new(Exit::Refused, message).with("table", self.table.clone());
        match error {
            Unproposable::Column(column) => failure("spoke-propose-column").with("column", column),
            Unproposable::Value(column, detail) => {
                failure("spoke-propose-value").with("column", column).with("detail", detail)
            }
            Unproposable::Reason(finding) => failure("spoke-propose-value")
                .with("column", "--reason")
                .with("detail", finding.problem.to_string()),
            Unproposable::Stands => failure("spoke-propose-stands").with("id", self.id.clone()),
        }
    }
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
