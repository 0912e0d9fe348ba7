//! `why TABLE ID`: whose a row is and whom to ask.

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
};
use serde_json::json;

use crate::{
    database::report,
    decisions::{picture::State, tables},
    edges::{SpokeError, station},
};

/// A question about a row.
#[derive(Debug, Args)]
pub struct Why {
    /// The table
    table: String,
    /// The row's id
    id: String,
}

impl Why {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let table = super::import::table_or_line(&self.table)?;
        let connection = station::open_to_look(&config)?;
        let id = self.id.as_str();
        let record = report::row_record(&connection, table, id).map_err(SpokeError::from)?;
        let Some(record) = record else {
            return Err(Failure::new(Exit::Refused, "spoke-no-row")
                .with("table", table.name)
                .with("id", self.id.clone()));
        };
        let proposals = report::proposals_of(&connection, table.name, id).map_err(SpokeError::from)?;
        let hub_name = station::hub_card(&config)?.content.name;
        let open = State::from_word(&record.state).is_some_and(State::is_open);
        let owner = if open { config.code.as_str() } else { config.hub.as_str() };
        let fields = if open { Vec::new() } else { locked_fields(table) };
        let answer = json!({
            "table": table.name, "id": id, "owner": owner, "locked": !open, "record": record, "fields": fields,
            "ask": if open { config.code.as_str() } else { hub_name.as_str() }, "outcome": record.outcome,
            "proposals": proposals,
        });
        common.print(&answer, |lang| {
            let none = || "—".to_owned();
            let args = [
                ("table", table.name.into()),
                ("id", id.into()),
                ("owner", owner.into()),
                ("state", record.state.clone().into()),
                ("uid", record.uid.clone().unwrap_or_else(none).into()),
                ("alias", record.alias_of.clone().unwrap_or_else(none).into()),
                ("version", record.version.map_or_else(none, |n| n.to_string()).into()),
                ("packet", record.packet.clone().unwrap_or_else(none).into()),
                ("since", record.since.clone().unwrap_or_else(none).into()),
                ("fields", fields.join(", ").into()),
                ("ask", hub_name.clone().into()),
            ];
            let id = match record.state.as_str() {
                "alias" => "spoke-why-alias",
                _ if open => "spoke-why-own",
                _ => "spoke-why-locked",
            };
            let mut lines = vec![messages::text(lang, id, &args)];
            if let Some(outcome) = &record.outcome {
                lines.push(messages::text(lang, "spoke-why-outcome", &[("outcome", outcome.clone().into())]));
            }
            if !proposals.is_empty() {
                lines.push(messages::text(lang, "spoke-status-proposals", &[("n", proposals.len().into())]));
                lines.extend(proposals.iter().map(super::proposal_line));
            }
            lines.join("\n")
        })?;
        Ok(Exit::Done)
    }
}

fn locked_fields(table: &tables::Table) -> Vec<&str> {
    table.all_columns().into_iter().chain(table.lines.as_ref().map(|lines| lines.name)).collect()
}
