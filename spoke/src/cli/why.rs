//! `why TABLE ID`: whose a row is and whom to ask.

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure, Lang},
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
                .with("length", self.id.chars().count()));
        };
        let proposals = report::proposals_of(&connection, table.name, id).map_err(SpokeError::from)?;
        let supersedes = report::superseded(&connection, &record.key).map_err(SpokeError::from)?;
        let hub_name = station::hub_card(&config)?.content.name;
        let open = State::from_word(&record.state).is_some_and(State::is_open);
        let owner = if open { config.code.as_str() } else { config.hub.as_str() };
        let fields = if open { Vec::new() } else { locked_fields(table) };
        let answer = json!({
            "table": table.name, "id": id, "owner": owner, "locked": !open, "record": record, "fields": fields,
            "ask": if open { config.code.as_str() } else { hub_name.as_str() }, "outcome": record.outcome,
            "problem": record.problem, "words": record.words, "proposals": proposals, "supersedes": supersedes,
        });
        common.print(&answer, |lang| {
            let none = || "—".to_owned();
            let of_lines = |of: &tables::LineTable| {
                messages::text(lang, "spoke-why-lines", &[("table", of.name.into())])
            };
            let lines = table.lines.as_ref().map(of_lines).unwrap_or_default();
            let args = [
                ("table", table.name.into()),
                ("id", id.into()),
                ("owner", owner.into()),
                ("state", messages::word(lang, "row-is", &record.state).into()),
                ("uid", record.uid.clone().unwrap_or_else(none).into()),
                ("alias", record.alias_of.clone().unwrap_or_else(none).into()),
                ("version", record.version.map_or_else(none, |n| n.to_string()).into()),
                ("packet", record.packet.clone().unwrap_or_else(none).into()),
                ("since", since(lang, record.since.as_deref()).into()),
                ("lines", lines.into()),
                ("ask", hub_name.clone().into()),
            ];
            let id = match record.state.as_str() {
                "alias" => "spoke-why-alias",
                _ if open && record.packet.is_none() => "spoke-why-never-sent",
                _ if open => "spoke-why-own",
                _ if table.takes_proposals() => "spoke-why-locked",
                _ => "spoke-why-locked-only",
            };
            let mut lines = vec![messages::text(lang, id, &args)];
            lines.extend(
                supersedes
                    .iter()
                    .map(|uid| messages::text(lang, "spoke-why-supersedes", &[("uid", uid.clone().into())])),
            );
            if let Some(kept) = record.problem.as_deref().filter(|kept| kept.starts_with("field ")) {
                lines.push(super::status::unsendable(lang, table.name, &self.id, kept));
            }
            if let Some(outcome) = &record.outcome {
                let word = messages::find(lang, &format!("outcome-{outcome}.one"), &[]);
                let outcome = word.unwrap_or_else(|| outcome.clone());
                lines.push(messages::text(lang, "spoke-why-outcome", &[("outcome", outcome.into())]));
            }
            lines.extend(record.words.iter().map(|words| format!("  «{words}»")));
            if !proposals.is_empty() {
                lines.push(messages::text(lang, "spoke-status-proposals", &[("n", proposals.len().into())]));
                lines.extend(proposals.iter().map(|one| super::proposal_line(lang, one)));
            }
            lines.join("\n")
        })?;
        Ok(Exit::Done)
    }
}

fn since(lang: Lang, at: Option<&str>) -> String {
    at.map_or_else(|| "—".to_owned(), |at| messages::stored_moment(lang, at))
}

fn locked_fields(table: &tables::Table) -> Vec<&str> {
    table.all_columns().into_iter().chain(table.lines.as_ref().map(|lines| lines.name)).collect()
}
