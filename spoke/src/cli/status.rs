//! `status`: how the exchange stands.

use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure, Lang},
};
use serde::Serialize;

use crate::{
    database::report::{self, Counts, Incident, Listed, ProposalState, StreamState, Unanswered},
    edges::{SpokeError, station},
};

#[derive(Debug, Serialize)]
struct Status {
    code: String,
    hub: String,
    streams: Vec<StreamState>,
    rows: Counts,
    waiting: u64,
    unanswered: Vec<Unanswered>,
    records: Vec<Listed>,
    proposals: Vec<ProposalState>,
    incidents: Vec<Incident>,
    closed_incidents: Vec<Incident>,
}

pub(super) fn run(common: &CommonArgs) -> Result<Exit, Failure> {
    let config = super::config(common)?;
    let connection = station::open_to_look(&config)?;
    let look = || -> Result<Status, SpokeError> {
        // One state of the database for all of it.
        let snapshot = connection.unchecked_transaction()?;
        Ok(Status {
            code: config.code.to_string(),
            hub: config.hub.to_string(),
            streams: report::streams(&snapshot)?,
            rows: report::rows_by_state(&snapshot)?,
            waiting: report::waiting(&snapshot)?,
            unanswered: report::unanswered(&snapshot)?,
            records: report::listed(&snapshot)?,
            proposals: report::proposals(&snapshot)?,
            incidents: report::incidents(&snapshot)?,
            closed_incidents: report::closed_incidents(&snapshot)?,
        })
    };
    let status = look()?;
    common.print(&status, |lang| text(lang, &status))?;
    Ok(Exit::Done)
}

fn text(lang: Lang, status: &Status) -> String {
    let say = |id: &str, args: &[(&str, messages::Value<'_>)]| messages::text(lang, id, args);
    let mut lines = vec![say(
        "spoke-status-heading",
        &[("code", status.code.clone().into()), ("hub", status.hub.clone().into())],
    )];
    for stream in &status.streams {
        let position = match (stream.epoch, stream.seq) {
            (Some(epoch), Some(seq)) => format!("{epoch}/{seq}"),
            _ => "—".to_owned(),
        };
        let stop = stream.stop.clone().map_or_else(String::new, |stop| format!(" [{stop}]"));
        let id = if stream.direction == "out" { "spoke-status-out" } else { "spoke-status-in" };
        lines.push(say(id, &[("position", (position + &stop).into())]));
    }
    let rows: Vec<String> = status.rows.iter().map(|(state, n)| format!("{state} {n}")).collect();
    lines.push(say("spoke-status-rows", &[("rows", rows.join(", ").into())]));
    lines.push(say("spoke-status-waiting", &[("n", status.waiting.into())]));
    lines.push(say("spoke-status-unanswered", &[("n", status.unanswered.len().into())]));
    for packet in &status.unanswered {
        let deadline = packet.deadline.as_deref().unwrap_or("—");
        lines.push(format!("  {}  {}  → {deadline}", packet.packet, packet.state));
    }
    lines.push(say("spoke-status-records", &[("n", status.records.len().into())]));
    for record in &status.records {
        let row = record.id.as_deref().unwrap_or(&record.key);
        lines.push(format!("  {} {row}: {} {} {}", record.kind, record.outcome, record.reason, record.rule));
    }
    lines.push(say("spoke-status-proposals", &[("n", status.proposals.len().into())]));
    for proposal in &status.proposals {
        lines.push(super::proposal_line(proposal));
    }
    lines.push(say("spoke-status-incidents", &[("n", status.incidents.len().into())]));
    lines.extend(status.incidents.iter().map(|one| super::incident_line(lang, one)));
    if !status.closed_incidents.is_empty() {
        lines.push(say("spoke-status-closed", &[("n", status.closed_incidents.len().into())]));
        lines.extend(status.closed_incidents.iter().map(|one| super::incident_line(lang, one)));
    }
    lines.join("\n")
}
