//! `person show`, `person history`, `person set`, `person split`, `person join`.

use clap::Subcommand;
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Failure, Lang},
};
use exchange_format::{participant::ParticipantCode, record::RecordId};
use jiff::Timestamp;

use super::{config, joined, reason};
use crate::edges::operations::{
    decided,
    history::{self, Event, History},
    join, operator,
    people::{self, EntryView, FieldView, PersonView, ToldView},
    reviews::Insist,
    split::{self, Split},
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
    /// What has happened to a person: claims, links, decisions, corrections, publications; who, when, why, in which protocol and
    /// packet; personal data
    History {
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
    /// Take claims out of a person that is two: each goes back to whose it was, with its programmes, supplements and
    /// contracts, and the centres get the correction
    ///
    /// «Different people» is kept for each of these claims with each that stays: neither a later packet nor a merge joins
    /// them again. What the hub's staff entered or drew up stays with the person and its number. `review link --revise` undoes
    /// it.
    #[command(visible_alias = "unlink")]
    Split {
        /// uid or case number
        person: String,
        /// The claims, as person show names them: centre and key, with a colon between them
        #[arg(required = true, value_name = "CLAIM", value_parser = claim)]
        claims: Vec<(ParticipantCode, RecordId)>,
        /// Why; kept for ever
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
    },
    /// Two persons are one, though no question asks it: decided as by `review link`
    ///
    /// They keep the older number, and the centres of both are told of the whole. Taken back by `review separate --revise` or
    /// `person split`. Two records that are never linked without asking (another valid СНИЛС, a generation apart, twins, another sex, a
    /// death before the other applied), and of which nobody has said that they are one, are joined with --all only. Where two have to sign ([merge] second_signature), this is the first signature.
    Join {
        /// uid or case number
        person: String,
        /// uid or case number of the other
        #[arg(value_name = "PERSON")]
        other: String,
        /// Why; kept for ever
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
        /// Change what was decided before
        #[arg(long)]
        revise: bool,
        /// All of their records are of one person, also two that are never linked without asking (twins, another СНИЛС …)
        #[arg(long)]
        all: bool,
    },
}

/// A claim as `CENTRE:KEY`.
fn claim(text: &str) -> Result<(ParticipantCode, RecordId), String> {
    let parsed =
        text.split_once(':').and_then(|(centre, key)| Some((centre.parse().ok()?, key.parse().ok()?)));
    parsed.ok_or_else(|| "usage-claim".to_owned()) // a message of the catalogue
}

impl Person {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let (config, now) = (config(common)?, Timestamp::now());
        match self {
            Self::Show { person } => {
                let view = people::show(&config, person, now)?;
                common.print(&view, |lang| text(lang, &view))
            }
            Self::History { person } => {
                let history = history::history(&config, person)?;
                common.print(&history, |lang| told_of(lang, &history))
            }
            Self::Set { person, field, value, reason } => {
                let done = people::set(&config, person, field, value, (&operator(), reason), now)?;
                common.print(&done, |lang| said(lang, &done))
            }
            Self::Join { person, other, reason, revise, all } => {
                let insist = Insist { revise: *revise, all: *all };
                let (people, actor, lang) = ([person.as_str(), other.as_str()], operator(), common.lang);
                let done = join::join(&config, people, (&actor, reason), insist, now, lang)?;
                common.print(&done, |lang| super::review::applied(lang, &done))
            }
            Self::Split { person, claims, reason } => {
                let done = split::split(&config, person, claims, (&operator(), reason), now)?;
                common.print(&done, |lang| parted(lang, &done))
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
    lines.extend(withheld(lang, &done.withheld, "hub-said-unfit"));
    if !done.emptied.is_empty() {
        let fields: Vec<String> = done.emptied.iter().map(|field| label(lang, field)).collect();
        lines.push(messages::text(lang, "hub-said-emptied", &[("fields", joined(&fields).into())]));
    }
    lines.extend(decided::told(lang, done.protocol));
    lines.join("\n")
}

/// Which centres are not told yet, and what it waits for: `unfit` if that is no question.
fn withheld<'a>(
    lang: Lang,
    withheld: &'a [people::Withheld],
    unfit: &'static str,
) -> impl Iterator<Item = String> + use<'a> {
    withheld.iter().map(move |one| {
        let reviews: Vec<String> = one.reviews.iter().map(ToString::to_string).collect();
        let id = if reviews.is_empty() { unfit } else { "hub-said-withheld" };
        let args = [("centre", one.centre.clone().into()), ("reviews", joined(&reviews).into())];
        messages::find(lang, id, &args).unwrap_or_default()
    })
}

fn told_of(lang: Lang, history: &History) -> String {
    let mut lines = vec![format!("{}  {}", history.case_number, history.uid)];
    lines.extend(
        history
            .also
            .iter()
            .map(|uid| messages::text(lang, "hub-person-asked", &[("uid", uid.clone().into())])),
    );
    for event in &history.events {
        let at = messages::stored_moment(lang, &event.at);
        let who = event.actor.as_deref().map(|who| format!("  {who}")).unwrap_or_default();
        lines.push(format!("{at}{who}  {}", happened(lang, history, event)));
        let protocol = event.protocol.and_then(|n| decided::told(lang, Some(n)));
        let notes: Vec<String> = event
            .reason
            .iter()
            .map(|why| format!("«{why}»"))
            .chain(protocol)
            .chain(event.packet.clone())
            .collect();
        if !notes.is_empty() {
            lines.push(format!("    {}", notes.join("  ")));
        }
    }
    lines.join("\n")
}

/// What somebody decided, in a sentence.
pub(super) fn decided_so(lang: Lang, event: &Event) -> String {
    let uid = event.subject.clone().unwrap_or_default();
    let (case_number, also, events) = (String::new(), Vec::new(), Vec::new());
    happened(lang, &History { uid, case_number, also, events }, event)
}

/// One event in a sentence; a word that a later version writes by its code.
fn happened(lang: Lang, history: &History, event: &Event) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "—".to_owned());
    let value = match event.event.as_str() {
        "link" => word(lang, "rule", &text(&event.value)),
        "entry" => {
            event.field.as_deref().map_or_else(|| text(&event.value), |f| shown(lang, f, &text(&event.value)))
        }
        "unsign.pair" => word(lang, "unsigned", &text(&event.value)),
        decided if decided.starts_with("decide.") => word(lang, "outcome", &text(&event.value)),
        _ => text(&event.value),
    };
    let away = event.event == "link" && !event.other.as_deref().is_some_and(|uid| history.is(uid));
    let id = format!("history-{}", event.event.replace('.', "-"));
    let args = [
        (
            "kind",
            event.kind.as_deref().map_or_else(|| "—".to_owned(), |kind| word(lang, "kind", kind)).into(),
        ),
        ("subject", text(&event.subject).into()),
        ("other", text(&event.other).into()),
        ("centre", text(&event.centre).into()),
        ("field", event.field.as_deref().map_or_else(|| "—".to_owned(), |field| label(lang, field)).into()),
        ("value", value.into()),
        ("engine", text(&event.engine).into()),
        ("version", event.version.map_or_else(|| "—".to_owned(), |n| n.to_string()).into()),
    ];
    let id = if away { "history-link-away" } else { &id };
    messages::find(lang, id, &args).unwrap_or_else(|| event.event.clone())
}

fn parted(lang: Lang, done: &Split) -> String {
    let args = [("case", done.case_number.clone().into()), ("uid", done.uid.clone().into())];
    let mut lines = vec![messages::text(lang, "hub-split", &args)];
    for one in &done.parted {
        let args = [
            ("claims", one.claims.join(", ").into()),
            ("case", one.case_number.clone().into()),
            ("uid", one.uid.clone().into()),
            ("centres", joined(&one.centres).into()),
        ];
        lines.push(messages::text(lang, "hub-split-to", &args));
        let undo = one.review.map(|n| [("review", n.to_string().into())]);
        lines.extend(undo.map(|args| messages::text(lang, "hub-split-undo", &args)));
    }
    if done.entered > 0 {
        lines.push(messages::text(lang, "hub-split-entered", &[("n", done.entered.into())]));
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
            let whose = losing.entry.as_ref().map_or_else(
                || losing.centre.clone().unwrap_or_else(|| "—".to_owned()),
                |entry| of_entry(lang, entry),
            );
            lines.push(format!("      ≠ {value}  [{whose}{}]", by_document(lang, losing.documented)));
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
    lines.extend(withheld(lang, &view.withheld, "hub-person-unfit"));
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
        (Some(entry), _) => of_entry(lang, entry),
        (None, Some(centre)) => format!("{centre}{}", by_document(lang, field.documented)),
        (None, None) => "—".to_owned(),
    }
}

fn of_entry(lang: Lang, entry: &EntryView) -> String {
    let args = [("actor", entry.actor.clone().into()), ("reason", entry.reason.clone().into())];
    messages::text(lang, "hub-entry", &args)
}

fn by_document(lang: Lang, documented: bool) -> String {
    if documented { format!(", {}", messages::text(lang, "hub-documented", &[])) } else { String::new() }
}
