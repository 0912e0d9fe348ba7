//! `person show`, `person set`.

use clap::Subcommand;
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Failure, Lang},
};
use jiff::Timestamp;

use super::{config, joined, reason};
use crate::edges::operations::{
    decided, operator,
    people::{self, FieldView, PersonView, ToldView},
    table_file::shown,
};

/// What can be done with a person.
#[derive(Debug, Subcommand)]
pub enum Person {
    /// Every value, whose it is, what lost; the claims that are this person, and by which rule
    Show {
        /// uid or case number
        person: String,
    },
    /// Enter the hub's own value: it stands over all claims, and is published to the centres that serve the person
    Set {
        /// uid or case number
        person: String,
        /// The field, as person show names it
        field: String,
        /// The value; an empty one ("") takes the hub's entry back
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// Why; kept for ever
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
    },
}

impl Person {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let (config, now) = (config(common)?, Timestamp::now());
        match self {
            Self::Show { person } => {
                let view = people::show(&config, person, now)?;
                common.print(&view, |lang| text(lang, &view))
            }
            Self::Set { person, field, value, reason } => {
                let done = people::set(&config, person, field, value, (&operator(), reason), now)?;
                common.print(&done, |lang| said(lang, &done))
            }
        }
    }
}

pub(super) fn said(lang: Lang, done: &people::Said) -> String {
    let args = [
        ("uid", done.uid.clone().into()),
        ("case", done.case_number.clone().into()),
        ("centres", joined(&done.centres).into()),
    ];
    let id = if done.changed { "hub-said" } else { "hub-said-before" };
    let mut lines = vec![messages::find(lang, id, &args).unwrap_or_default()];
    if done.centres.is_empty() && done.withheld.is_empty() {
        lines.push(messages::text(lang, "hub-said-nobody", &[]));
    }
    for one in &done.withheld {
        let reviews: Vec<String> = one.reviews.iter().map(ToString::to_string).collect();
        let id = if reviews.is_empty() { "hub-said-unfit" } else { "hub-said-withheld" };
        let args = [("centre", one.centre.clone().into()), ("reviews", joined(&reviews).into())];
        lines.push(messages::find(lang, id, &args).unwrap_or_default());
    }
    lines.extend(decided::told(lang, done.protocol));
    lines.join("\n")
}

fn text(lang: Lang, view: &PersonView) -> String {
    let mut lines = vec![format!("{}  {}", view.case_number, view.uid)];
    if let Some(asked) = &view.asked {
        lines.push(messages::text(lang, "hub-person-asked", &[("uid", asked.clone().into())]));
    }
    for field in &view.fields {
        lines.push(format!(
            "  {}: {}  [{}]",
            label(lang, field.field),
            field.value.as_deref().map_or_else(|| "—".to_owned(), |value| shown(lang, field.field, value)),
            source(lang, field)
        ));
        for losing in &field.losing {
            let value = shown(lang, field.field, &losing.value);
            lines.push(format!("      ≠ {value}  [{}]", losing.centre.as_deref().unwrap_or("—")));
        }
    }
    for claim in &view.claims {
        lines.push(format!("  {} {}: {}", claim.centre, claim.key, word(lang, "rule", &claim.rule)));
    }
    for document in &view.documents {
        let kind = messages::find(lang, &format!("kind-{}", document.kind), &[]);
        let kind = kind.unwrap_or_else(|| document.kind.to_owned());
        let [number, date] = [&document.number, &document.date].map(|text| text.as_deref().unwrap_or("—"));
        lines.push(format!("  {kind} {}: № {number}, {}", document.uid, messages::day(lang, date)));
        let rule =
            document.rule.as_deref().map(|rule| super::check::sentence(lang, rule)).unwrap_or_default();
        let state =
            messages::find(lang, &format!("hub-document-{}", document.state), &[("rule", rule.into())]);
        lines.extend(state.into_iter().chain(told(lang, &document.told)).map(|text| format!("      {text}")));
    }
    lines.extend(told(lang, &view.told));
    lines.push(messages::text(lang, "hub-person-served", &[("centres", joined(&view.served_by).into())]));
    lines.join("\n")
}

/// To whom a record is published, and from whom it was withdrawn.
fn told(lang: Lang, told: &ToldView) -> impl Iterator<Item = String> {
    [("hub-published-to", &told.published_to), ("hub-withdrawn-from", &told.withdrawn_from)]
        .into_iter()
        .filter(|(_, centres)| !centres.is_empty())
        .map(move |(id, centres)| messages::text(lang, id, &[("centres", joined(centres).into())]))
}

/// The field's name for staff, and the one that `person set` takes.
fn label(lang: Lang, field: &str) -> String {
    match messages::find(lang, &format!("column-{field}"), &[]) {
        Some(label) if label != field => format!("{label} ({field})"),
        _ => field.to_owned(),
    }
}

fn source(lang: Lang, field: &FieldView) -> String {
    match (&field.entry, &field.centre) {
        (Some(entry), _) => {
            let args = [("actor", entry.actor.clone().into()), ("reason", entry.reason.clone().into())];
            messages::text(lang, "hub-entry", &args)
        }
        (None, Some(centre)) => centre.clone(),
        (None, None) => "—".to_owned(),
    }
}
