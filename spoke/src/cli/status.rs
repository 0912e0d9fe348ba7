//! `status`: how the exchange stands.

use std::{cell::RefCell, collections::BTreeSet, fmt::Write as _};

use exchange_endpoint::{
    config::Config,
    difference_table::{self, DifferenceTold},
    instance::{self, DAMAGED, Service},
    keys::OwnKeys,
    messages,
    output::{CommonArgs, Exit, Failure, Lang},
    overdue::{self, Overdue},
    request_table::OpenRequest,
    tables::headings,
};
use exchange_format::{answer::RecordReason, record::FieldProblem, rules};
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use crate::{
    database::{
        overdue::{last_at_work, waits_for, waits_for_people},
        own_records::is_anything_queued,
        report::{self, Counts, Incident, Listed, ProposalState, StreamState, Unanswered},
    },
    decisions::mapping::{NO_SUCH_ROW, UNREADABLE},
    edges::{
        SpokeError,
        config::{SpokeConfig, Staff},
        ranges, requests, resync,
        rotation::tellings,
        station,
    },
};

/// So many records are shown one by one as text.
const SHOWN: usize = 50;

#[derive(Debug, Default, Serialize)]
struct Status {
    code: String,
    hub: String,
    service: Option<Service>,
    /// Parts that could not be read, or not whole, because the file of the database is damaged; `database`: all of them.
    unreadable: BTreeSet<&'static str>,
    streams: Vec<StreamState>,
    rows: Counts,
    waiting: u64,
    unanswered: Vec<Unanswered>,
    records: Vec<Listed>,
    proposals: Vec<ProposalState>,
    overdue: Vec<Overdue>,
    requests: Vec<OpenRequest>,
    differences: Vec<DifferenceTold>,
    incidents: Vec<Incident>,
    closed_incidents: Vec<Incident>,
}

/// What is read of a database whose file may be damaged: the parts of [`Status`] that are not there, or not whole.
#[derive(Default)]
struct Look(RefCell<BTreeSet<&'static str>>);

impl Look {
    /// What was `read`, of `part`; nothing, if the file does not give it.
    fn part<T: Default, E: Into<SpokeError>>(
        &self,
        part: &'static str,
        read: Result<T, E>,
    ) -> Result<T, SpokeError> {
        match read.map_err(Into::into) {
            Err(error) if error.is_damage() => {
                self.0.borrow_mut().insert(part);
                Ok(T::default())
            }
            other => other,
        }
    }
}

pub(super) fn run(common: &CommonArgs) -> Result<Exit, Failure> {
    let config = super::config(common)?;
    let service = Service::of(&config.path(&config.database));
    let status = match station::open_to_look(&config) {
        Ok(connection) => look(&config, &connection, service)?,
        Err(error) if error.is_damage() => {
            let (code, hub) = (config.code.to_string(), config.hub.to_string());
            Status { code, hub, service, unreadable: BTreeSet::from(["database"]), ..Status::default() }
        }
        Err(error) => return Err(error.into()),
    };
    common.print(&status, |lang| text(lang, &status))?;
    let is_damaged = !status.unreadable.is_empty() || Service::is_damaged(status.service.as_ref());
    Ok(if is_damaged { Exit::False } else { Exit::Done })
}

fn look(
    config: &Config<SpokeConfig>,
    connection: &Connection,
    service: Option<Service>,
) -> Result<Status, SpokeError> {
    // One state of the database for all of it.
    let snapshot = connection.unchecked_transaction()?;
    let (look, now) = (Look::default(), Timestamp::now());
    let status = Status {
        code: config.code.to_string(),
        hub: config.hub.to_string(),
        overdue: late(&look, &snapshot, config, service.as_ref(), now)?,
        service,
        unreadable: BTreeSet::new(),
        streams: look.part("streams", report::streams(&snapshot))?,
        rows: look.part("rows", report::rows_by_state(&snapshot))?,
        waiting: look.part("waiting", report::waiting(&snapshot))?,
        unanswered: look.part("unanswered", report::unanswered(&snapshot))?,
        records: look.part("records", report::listed(&snapshot))?,
        proposals: look.part("proposals", report::proposals(&snapshot))?,
        requests: look.part("requests", requests::of(&snapshot).open(now))?,
        differences: look.part("differences", told_differences(&snapshot, config.hub.as_str()))?,
        incidents: look.part("incidents", report::incidents(&snapshot))?,
        closed_incidents: look.part("closed_incidents", report::closed_incidents(&snapshot))?,
    };
    Ok(Status { unreadable: look.0.take(), ..status })
}

/// What waits for too long.
fn late(
    look: &Look,
    connection: &Connection,
    config: &Config<SpokeConfig>,
    service: Option<&Service>,
    now: Timestamp,
) -> Result<Vec<Overdue>, SpokeError> {
    let (own, hub, timing) = (config.code.as_str(), config.hub.as_str(), config.exchange.timing());
    let compared = look.part("overdue", requests::of(connection).compared_with(config.hub))?.is_some();
    let decided = look.part("overdue", resync::is_decided(connection))?;
    let waiting = look.part("overdue", waits_for(connection, config.hub, (compared, decided), now))?;
    let queued = look.part("overdue", is_anything_queued(connection))?;
    let last = (look.part("overdue", last_at_work(connection, now))?, false, queued);
    let of_machines = overdue::overdue(hub, waiting, now, &timing);
    let mut all = overdue::while_stopped(of_machines, (own, service), last, (now, &timing));
    let Staff { merge_days, proposal_days, quarantine_days } = config.staff;
    for (what, waits) in look.part("overdue", waits_for_people(connection))? {
        let (peer, days) = match what {
            "first_merge" => (hub, merge_days),
            "proposal" => (hub, proposal_days),
            _ => (own, quarantine_days),
        };
        all.extend(Overdue::of_people(what, peer, waits, now, days));
    }
    // where files are missing the daemon says so
    if let Ok(keys) = OwnKeys::load(&config.path(&config.keys), config.code) {
        all.extend(look.part("overdue", Overdue::of_own_keys(&keys, tellings(connection), now))?);
    }
    Ok(all)
}

/// Where the pictures differ, while they do.
fn told_differences(connection: &Connection, hub: &str) -> Result<Vec<DifferenceTold>, SpokeError> {
    let open = report::incidents(connection)?.iter().any(|one| one.code == "DIVERGED");
    if open { Ok(ranges::differences(connection).told(hub)?) } else { Ok(Vec::new()) }
}

fn text(lang: Lang, status: &Status) -> String {
    let say = |id: &str, args: &[(&str, messages::Value<'_>)]| messages::text(lang, id, args);
    let mut lines = vec![say(
        "spoke-status-heading",
        &[("code", status.code.clone().into()), ("hub", status.hub.clone().into())],
    )];
    lines.extend(status.service.iter().flat_map(|service| service.lines(lang, true)));
    lines.extend(instance::unreadable(lang, DAMAGED[1], &status.unreadable, status.service.as_ref()));
    for stream in &status.streams {
        let position = match (stream.epoch, stream.seq) {
            (Some(epoch), Some(seq)) => {
                let args = [("epoch", epoch.to_string().into()), ("seq", seq.to_string().into())];
                say("spoke-status-position", &args)
            }
            _ => "—".to_owned(),
        };
        let stop = stream.stop.as_deref().map(|stop| messages::word(lang, "stream-stop", stop));
        let stop = stop.map_or_else(String::new, |stop| format!(" ({stop})"));
        let id = if stream.direction == "out" { "spoke-status-out" } else { "spoke-status-in" };
        lines.push(say(id, &[("position", (position + &stop).into())]));
    }
    let count = |(state, n): (&String, &u64)| format!("{} {n}", messages::word(lang, "row-state", state));
    let rows: Vec<String> = status.rows.iter().map(count).collect();
    lines.push(if rows.is_empty() {
        say("spoke-status-no-rows", &[])
    } else {
        say("spoke-status-rows", &[("rows", rows.join(", ").into())])
    });
    lines.push(say("spoke-status-waiting", &[("n", status.waiting.into())]));
    lines.push(say("spoke-status-unanswered", &[("n", status.unanswered.len().into())]));
    for packet in &status.unanswered {
        let state = messages::word(lang, "packet-state", &packet.state);
        let due = packet.deadline.as_deref().map(|at| {
            let at = messages::stored_moment(lang, at);
            format!(", {}", say("spoke-status-deadline", &[("at", at.into())]))
        });
        lines.push(format!("  {}: {state}{}", packet.packet, due.unwrap_or_default()));
    }
    lines.push(say("spoke-status-records", &[("n", status.records.len().into())]));
    lines.extend(status.records.iter().take(SHOWN).map(|record| format!("  {}", listed(lang, record))));
    if let Some(more) = status.records.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("  {}", say("spoke-status-more", &[("n", more.into())])));
    }
    lines.push(say("spoke-status-proposals", &[("n", status.proposals.len().into())]));
    for proposal in &status.proposals {
        lines.push(super::proposal_line(lang, proposal));
    }
    lines.extend(overdue::lines(lang, &status.overdue));
    if !status.requests.is_empty() {
        lines.push(say("request-heading", &[]));
        lines.extend(status.requests.iter().map(|one| one.text(lang)));
    }
    lines.extend(difference_table::lines(lang, &status.differences));
    lines.push(say("spoke-status-incidents", &[("n", status.incidents.len().into())]));
    lines.extend(status.incidents.iter().map(|one| super::incident_line(lang, one)));
    if !status.closed_incidents.is_empty() {
        lines.push(say("spoke-status-closed", &[("n", status.closed_incidents.len().into())]));
        lines.extend(status.closed_incidents.iter().map(|one| super::incident_line(lang, one)));
    }
    lines.join("\n")
}

/// A record that needs somebody's attention: where it is, what is wrong, what to do.
fn listed(lang: Lang, record: &Listed) -> String {
    let row = record.id.as_deref().unwrap_or(&record.key);
    if record.outcome == "unsendable" {
        return unsendable(lang, &record.kind, row, &record.rule);
    }
    let outcome = messages::find(lang, &format!("outcome-{}.one", record.outcome), &[]);
    let outcome = outcome.unwrap_or_else(|| record.outcome.clone());
    let kind = messages::word(lang, "kind", &record.kind);
    let mut told = format!("{kind}, {row}: {outcome}.");
    if let Ok(reason) = record.reason.parse::<RecordReason>() {
        let _ = write!(told, " {} {}", lang.of(reason.sentence()), lang.of(reason.next_action()));
    } else if !record.reason.is_empty() {
        let _ = write!(told, " {}", messages::reason(lang, &record.reason));
    }
    told.extend(messages::rule_words(lang, &record.rule, &record.reason).map(|rule| format!(" {rule}")));
    told
}

/// Why the row `id` of `table` is not sent, by what is kept of it.
pub(super) fn unsendable(lang: Lang, table: &str, id: &str, kept: &str) -> String {
    let (field, problem) = problem(lang, kept);
    let args =
        [("table", table.into()), ("id", id.into()), ("field", field.into()), ("problem", problem.into())];
    messages::text(lang, "spoke-status-unsendable", &args)
}

/// Field and problem of what is kept of a row that cannot be sent: `field recipient of line 2: must be stated`.
pub(super) fn problem(lang: Lang, kept: &str) -> (String, String) {
    let Some((place, words)) = kept.strip_prefix("field ").and_then(|rest| rest.split_once(": ")) else {
        return ("—".to_owned(), kept.to_owned());
    };
    let place = place.split_once(" of line ").map_or_else(|| place.to_owned(), |(f, n)| format!("{f}[{n}]"));
    let rule = words.split_once(": ").and_then(|(code, _)| rules::find(code));
    let told = rule.map(|rule| format!("{} ({})", lang.of(rule.sentence), rule.code));
    let ours = [NO_SUCH_ROW, UNREADABLE].into_iter().find(|rule| words == rule.en).map(FieldProblem::Rule);
    let ours = ours.map(|problem| problem.words(|text| lang.of(text)));
    let known = || ours.or_else(|| FieldProblem::told_again(words, |text| lang.of(text)));
    let told = told.or_else(|| known().map(|told| told + "."));
    (headings::field(lang, &place), told.unwrap_or_else(|| format!("{words}.")))
}
