//! `status`.

use clap::Args;
use exchange_endpoint::{
    difference_table,
    instance::{self, DAMAGED},
    messages::{self, word},
    output::{CommonArgs, Exit, Failure, Lang},
    overdue,
};
use exchange_format::rules;
use jiff::Timestamp;
use serde_json::json;

use super::config;
use crate::{
    database::{status::Kept, streams::Incident},
    edges::operations::status::{self, CentreStatus},
};

/// Each centre's packets, quarantine, incidents, silence; persons; what waits for staff
#[derive(Debug, Args)]
pub struct Status {
    /// List the records that the hub keeps and does not go by: orphans (their centre's last snapshot did not name them)
    /// and those held, each with what it waits for
    #[arg(long)]
    kept: bool,
    /// List the persons of whom a centre is told its own values alone, until `service confirm`
    #[arg(long, conflicts_with = "kept")]
    unconfirmed: bool,
}

impl Status {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        if self.unconfirmed {
            return unconfirmed(common).map(|()| Exit::Done);
        }
        if !self.kept {
            return whole(common);
        }
        let kept = status::kept(&config(common)?)?;
        common.print(&json!({ "kept": kept }), |lang| {
            if kept.is_empty() {
                return messages::text(lang, "hub-kept-none", &[]);
            }
            kept.iter().map(|one| kept_line(lang, one)).collect::<Vec<_>>().join("\n")
        })?;
        Ok(Exit::Done)
    }
}

fn unconfirmed(common: &CommonArgs) -> Result<(), Failure> {
    let unconfirmed = status::unconfirmed(&config(common)?)?;
    common.print(&json!({ "unconfirmed": unconfirmed }), |lang| {
        if unconfirmed.is_empty() {
            return messages::text(lang, "hub-unconfirmed-none", &[]);
        }
        let lines = unconfirmed.iter().map(|one| format!("{}  {}  {}", one.centre, one.case_number, one.uid));
        lines.chain([messages::text(lang, "hub-unconfirmed-next", &[])]).collect::<Vec<_>>().join("\n")
    })
}

fn kept_line(lang: Lang, one: &Kept) -> String {
    let rule = one.rule.as_deref().and_then(|rule| messages::rule_words(lang, rule, "INVALID"));
    let is_unnamed = one.rule.as_deref().and_then(|rule| rule.rsplit('.').next());
    let is_unnamed = is_unnamed.is_some_and(|word| rules::UNPUBLISHED.contains(&word));
    let id = match (one.why.as_str(), one.waits_for.is_empty()) {
        ("held", _) if is_unnamed => "hub-kept-unnamed",
        ("orphan", true) => "hub-kept-orphan",
        ("orphan", false) => "hub-kept-orphan-waits",
        (_, true) => "hub-kept-held",
        (_, false) => "hub-kept-held-waits",
    };
    let args = [
        ("centre", one.centre.clone().into()),
        ("kind", word(lang, "kind", &one.kind).into()),
        ("key", one.key.clone().into()),
        ("waits", one.waits_for.join(", ").into()),
        ("rule", rule.unwrap_or_default().into()),
    ];
    messages::text(lang, id, &args)
}

fn whole(common: &CommonArgs) -> Result<Exit, Failure> {
    let status = status::status(&config(common)?, Timestamp::now())?;
    common.print(&status, |lang| text(lang, &status))?;
    Ok(if status.is_damaged() { Exit::False } else { Exit::Done })
}

fn text(lang: Lang, status: &status::Status) -> String {
    let heading = [
        ("code", status.code.clone().into()),
        ("persons", status.persons.into()),
        ("journal", status.journal.into()),
    ];
    let mut lines = vec![messages::text(lang, "hub-status", &heading)];
    lines.extend(status.service.iter().flat_map(|service| service.lines(lang, false)));
    lines.extend(instance::unreadable(lang, DAMAGED[0], &status.unreadable, status.service.as_ref()));
    lines.extend(status.no_room.iter().map(|folder| {
        messages::text(lang, "hub-status-no-room", &[("folder", folder.display().to_string().into())])
    }));
    if status.merge_waits {
        lines.push(messages::text(lang, "hub-status-merge-waits", &[("n", status.waiting.into())]));
    }
    lines.push(model(lang, &status.model));
    lines.extend(status.centres.iter().map(|centre| line(lang, centre)));
    if !status.reviews.is_empty() {
        lines.push(messages::text(lang, "hub-reviews-open", &[]));
        let counts = status.reviews.iter();
        lines.extend(counts.map(|one| format!("  {}: {}", word(lang, "review", &one.reason), one.count)));
    }
    if status.signatures.waiting > 0 {
        let since = messages::stored_moment(lang, status.signatures.since.as_deref().unwrap_or_default());
        let args = [("n", status.signatures.waiting.into()), ("since", since.into())];
        lines.push(messages::text(lang, "hub-status-signatures", &args));
    }
    if !status.faults.is_empty() {
        lines.push(messages::text(lang, "hub-status-faults", &[]));
        let counts = status.faults.iter();
        lines.extend(counts.map(|(rule, n)| format!("  {}: {n}", super::check::sentence(lang, rule))));
    }
    for crowd in &status.crowds {
        let (centre, key) = crowd.first.clone();
        let args = [("n", crowd.claims.into()), ("centre", centre.into()), ("key", key.into())];
        lines.push(messages::text(lang, "hub-status-crowd", &args));
    }
    lines.extend(overdue::lines(lang, &status.overdue));
    if !status.requests.is_empty() {
        lines.push(messages::text(lang, "request-heading", &[]));
        lines.extend(status.requests.iter().map(|one| one.text(lang)));
    }
    lines.extend(difference_table::lines(lang, &status.differences));
    if !status.incidents.is_empty() {
        lines.push(messages::text(lang, "hub-incidents", &[]));
        lines.extend(
            status.incidents.iter().map(|one| incident(lang, one) + &messages::reason_next(lang, &one.code)),
        );
    }
    if !status.closed_incidents.is_empty() {
        let n = status.closed_incidents.len();
        lines.push(messages::text(lang, "hub-incidents-closed", &[("n", n.into())]));
        lines.extend(status.closed_incidents.iter().map(|one| incident(lang, one)));
    }
    lines.join("\n")
}

fn incident(lang: Lang, one: &Incident) -> String {
    let at = messages::stored_moment(lang, &one.at);
    let packet = one.packet.as_deref().unwrap_or_default();
    let what = messages::reason(lang, &one.code);
    let line = format!("  {}  {at}  {}  {}: {what} {packet}", one.n, one.centre, one.code);
    let mut line = line.trim_end().to_owned();
    if one.times > 1 {
        let last = messages::stored_moment(lang, &one.last_at);
        let args = [("n", one.times.into()), ("last", last.into())];
        line.extend([" (", &messages::text(lang, "hub-incident-again", &args), ")"]);
    }
    line
}

fn model(lang: Lang, model: &status::ModelInForce) -> String {
    let name = ("model", model.name.clone().into());
    match (&model.at, &model.actor) {
        (Some(at), Some(who)) => {
            let at = messages::stored_moment(lang, at);
            let args = [name, ("at", at.into()), ("who", who.clone().into())];
            messages::text(lang, "hub-status-model", &args)
        }
        _ => messages::text(lang, "hub-status-model-shipped", &[name]),
    }
}

fn line(lang: Lang, centre: &CentreStatus) -> String {
    let packet = |packet: &Option<crate::database::status::LastPacket>| {
        packet.as_ref().map_or_else(
            || "—".to_owned(),
            |packet| {
                let state = word(lang, "packet-state", &packet.state);
                format!("{} ({state})", messages::stored_moment(lang, &packet.at))
            },
        )
    };
    let mut text = messages::text(
        lang,
        "hub-status-centre",
        &[
            ("code", centre.code.clone().into()),
            ("name", centre.name.clone().into()),
            ("in", packet(&centre.last_in).into()),
            ("out", packet(&centre.last_out).into()),
            ("unanswered", centre.unanswered.into()),
            ("held", centre.held.into()),
            ("refused", (centre.refused + centre.publications.get("refused").copied().unwrap_or(0)).into()),
            ("waiting", (centre.not_applied - centre.refused).into()),
            ("quarantined", centre.quarantined.into()),
            ("incidents", centre.incidents.into()),
        ],
    );
    if centre.orphans > 0 {
        text += " · ";
        text += &messages::text(lang, "hub-status-orphans", &[("n", centre.orphans.into())]);
    }
    if centre.unconfirmed > 0 {
        text += " · ";
        text += &messages::text(lang, "hub-status-unconfirmed", &[("n", centre.unconfirmed.into())]);
    }
    for (holds, id) in [
        (centre.state == "disabled", "hub-state-disabled"),
        (centre.late, "hub-status-late"),
        (centre.state == "active" && !centre.merged, "hub-state-unmerged"),
        (centre.stopped.is_some(), "hub-status-stopped"),
    ] {
        if holds {
            text += " · ";
            text += &messages::find(lang, id, &[]).unwrap_or_default();
        }
    }
    text
}
