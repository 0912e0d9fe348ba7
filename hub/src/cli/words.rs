//! Results as text for people.

use std::path::Path;

use exchange_endpoint::messages::{Lang, Value, find, stored_moment, text};

use crate::edges::operations::{
    enrol::{CardTold, CentreTold},
    merge::MergeReport,
    people::{Changed, PersonTold},
    reviews::{Decided, ReviewTold},
    status::{CentreStatus, Status},
};

fn say(lang: Lang, id: &str, args: &[(&str, Value<'_>)]) -> String {
    text(lang, id, args)
}

/// The catalogue's words for a code of a rule, reason or state; the code itself if it has none.
fn word(lang: Lang, group: &str, code: &str) -> String {
    let id = format!("{group}-{}", code.to_lowercase().replace('_', "-"));
    find(lang, &id, &[]).unwrap_or_else(|| code.to_owned())
}

fn yes_no(lang: Lang, yes: bool) -> String {
    if yes { say(lang, "hub-yes", &[]) } else { say(lang, "hub-no", &[]) }
}

pub(super) fn card(lang: Lang, told: &CardTold) -> String {
    say(
        lang,
        "hub-card",
        &[
            ("code", told.code.as_str().into()),
            ("name", told.name.as_str().into()),
            ("card", told.card.as_str().into()),
            ("fingerprint", told.fingerprint.as_str().into()),
            ("config", told.config.as_str().into()),
        ],
    )
}

pub(super) fn centre(lang: Lang, told: &CentreTold) -> String {
    say(
        lang,
        "hub-centre",
        &[
            ("code", told.code.as_str().into()),
            ("name", told.name.as_str().into()),
            ("active", yes_no(lang, told.active).into()),
            ("merged", yes_no(lang, told.merged).into()),
        ],
    )
}

pub(super) fn centres(lang: Lang, all: &[CentreTold]) -> String {
    if all.is_empty() {
        return say(lang, "hub-no-centres", &[]);
    }
    all.iter().map(|one| centre(lang, one)).collect::<Vec<_>>().join("\n")
}

pub(super) fn merge(lang: Lang, report: &MergeReport) -> String {
    let heading = if report.dry_run {
        say(lang, "hub-merge-tried", &[])
    } else {
        let number = report.protocol.unwrap_or_default();
        say(lang, "hub-merge-done", &[("protocol", number.into())])
    };
    let mut lines = vec![
        heading,
        say(
            lang,
            "hub-merge-counts",
            &[
                ("claims", report.claims.into()),
                ("created", report.created.into()),
                ("persons", report.persons.into()),
                ("documents", report.documents.into()),
                ("confirmed", report.confirmed.into()),
            ],
        ),
    ];
    lines.extend(
        report.by_rule.iter().map(|(rule, count)| format!("  {}: {count}", word(lang, "rule", rule))),
    );
    if !report.reviews.is_empty() {
        lines.push(say(lang, "hub-reviews-open", &[]));
        lines.extend(review_counts(lang, &report.reviews));
    }
    lines.join("\n")
}

fn review_counts(lang: Lang, counts: &[(String, String, u64)]) -> impl Iterator<Item = String> {
    counts.iter().map(move |(_, reason, count)| format!("  {}: {count}", word(lang, "review", reason)))
}

pub(super) fn status(lang: Lang, status: &Status) -> String {
    let mut lines = vec![say(
        lang,
        "hub-status",
        &[
            ("code", status.code.as_str().into()),
            ("persons", status.persons.into()),
            ("journal", status.journal.into()),
        ],
    )];
    lines.extend(status.centres.iter().map(|centre| centre_status(lang, centre)));
    if !status.reviews.is_empty() {
        lines.push(say(lang, "hub-reviews-open", &[]));
        lines.extend(review_counts(lang, &status.reviews));
    }
    if !status.incidents.is_empty() {
        lines.push(say(lang, "hub-incidents", &[]));
        for (at, peer, code, packet) in &status.incidents {
            let at = stored_moment(lang, at);
            lines.push(
                format!("  {at} {peer} {code} {}", packet.as_deref().unwrap_or_default())
                    .trim_end()
                    .to_owned(),
            );
        }
    }
    lines.join("\n")
}

fn centre_status(lang: Lang, centre: &CentreStatus) -> String {
    let last = centre.last_heard.as_deref().map_or_else(|| "—".to_owned(), |at| stored_moment(lang, at));
    let mut line = say(
        lang,
        "hub-status-centre",
        &[
            ("code", centre.code.as_str().into()),
            ("name", centre.name.as_str().into()),
            ("last", last.into()),
            ("unanswered", centre.unanswered.into()),
            ("refused", centre.not_applied.into()),
            ("quarantined", centre.quarantined.into()),
        ],
    );
    for (mark, id) in [
        (centre.late, "hub-status-late"),
        (!centre.active, "hub-status-disabled"),
        (centre.active && !centre.merged, "hub-status-unmerged"),
        (centre.stopped.is_some(), "hub-status-stopped"),
    ] {
        if mark {
            line.push_str(" · ");
            line.push_str(&text(lang, id, &[]));
        }
    }
    line
}

pub(super) fn person(lang: Lang, told: &PersonTold) -> String {
    let mut lines = vec![format!("{}  {}", told.case_number, told.uid)];
    if let Some(into) = &told.merged_into {
        lines.push(say(lang, "hub-person-merged", &[("uid", into.as_str().into())]));
    }
    for field in &told.fields {
        let value = field.value.as_deref().unwrap_or("—");
        lines.push(format!("  {}: {value}  [{}]", field.field, field.origin.as_deref().unwrap_or("—")));
        lines.extend(field.others.iter().map(|(value, origin)| format!("      ≠ {value}  [{origin}]")));
    }
    for (origin, key, rule) in &told.claims {
        lines.push(format!("  {origin} {key}: {}", word(lang, "rule", rule)));
    }
    for (kind, uid, number, date) in &told.documents {
        lines.push(format!("  {kind} {uid}: № {number}, {date}"));
    }
    let served = if told.served_by.is_empty() { "—".to_owned() } else { told.served_by.join(", ") };
    lines.push(say(lang, "hub-person-served", &[("centres", served.into())]));
    lines.join("\n")
}

pub(super) fn changed(lang: Lang, done: &Changed) -> String {
    let uid = [("uid", done.uid.as_str().into())];
    if done.changed { say(lang, "hub-changed", &uid) } else { say(lang, "hub-unchanged", &uid) }
}

pub(super) fn reviews(lang: Lang, all: &[ReviewTold]) -> String {
    if all.is_empty() {
        return say(lang, "hub-no-reviews", &[]);
    }
    let line = |one: &ReviewTold| {
        let sides: Vec<String> = one.sides.iter().map(|side| side[..4].join(" ").trim().to_owned()).collect();
        let words = word(lang, "review", &one.question);
        format!("{}  {words}: {} {}", one.number, sides.join(" | "), one.detail).trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(super) fn review_file(lang: Lang, count: usize, path: &Path) -> String {
    say(lang, "hub-review-file", &[("count", count.into()), ("file", path.display().to_string().into())])
}

pub(super) fn decided(lang: Lang, done: &Decided) -> String {
    say(lang, "hub-decided", &[("decided", done.decided.into()), ("passed", done.passed_over.into())])
}
