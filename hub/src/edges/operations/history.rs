//! `person history`: what has happened to a person, and by whose word.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::{
    config::Config,
    output::Failure,
    protocol::{Kind as ProtocolKind, Protocols},
};
use exchange_format::record::{Body, Kind, RecordId};
use jiff::Timestamp;
use serde::Serialize;

use super::people::find;
use crate::{
    database::inputs::Carried,
    edges::{
        config::HubConfig,
        hub::{Hub, open},
    },
};

/// What has happened to a person. Personal data: values that staff entered.
#[derive(Debug, Serialize)]
pub struct History {
    /// The person's id.
    pub uid: String,
    /// The case number.
    pub case_number: String,
    /// Other ids that are this person: they turned out to be it.
    pub also: Vec<String>,
    /// In the order of time.
    pub events: Vec<Event>,
}

/// One thing that has happened. What is `None` does not concern it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Event {
    /// When, RFC 3339.
    pub at: String,
    /// Who: an account, or the hub itself; none for what came or went by packets.
    pub actor: Option<String>,
    /// What: the action of a hub's input (`link`, `entry`, `decide.pair` …), `received`, `published` or `withdrawn`.
    pub event: String,
    /// The kind of record that it is about.
    pub kind: Option<String>,
    /// Which record.
    pub subject: Option<String>,
    /// The other id that is involved.
    pub other: Option<String>,
    /// Which centre.
    pub centre: Option<String>,
    /// Which field.
    pub field: Option<String>,
    /// The value entered or generated, the decision, the rule of a link.
    pub value: Option<String>,
    /// Why, in the words of who decided.
    pub reason: Option<String>,
    /// The model by which claims were linked.
    pub engine: Option<String>,
    /// The version that was received or published last.
    pub version: Option<u32>,
    /// The protocol of the decision.
    pub protocol: Option<u32>,
    /// The packet that brought it, took it, or has it in the hub's own stream.
    pub packet: Option<String>,
}

/// The history of the person `who`.
pub fn history(config: &Config<HubConfig>, who: &str) -> Result<History, Failure> {
    let Hub { mut store, protocols, .. } = open(config)?;
    let numbers = by_time(&protocols)?;
    store.read(|tx| {
        let (person, _) = find(tx, who)?;
        let also = tx.merged_into(person.uid)?;
        let people: BTreeSet<RecordId> = also.iter().copied().chain([person.uid]).collect();
        let mut ids = people.clone();
        let mut events = Vec::new();
        for uid in &people {
            for carried in tx.carried_of(*uid)? {
                ids.extend((carried.received || is_document(&carried.kind)).then_some(carried.key));
                events.extend(carried_event(carried));
            }
        }
        for (document, _) in tx.documents_of(person.uid)? {
            ids.insert(document);
            let claims = tx.carried_of(document)?.into_iter().filter(|carried| carried.received);
            events.extend(claims.filter_map(carried_event));
        }
        let first = |event: &Event| event.field.as_deref().is_none_or(|field| field.starts_with("1."));
        let noted = tx.inputs_about(&ids)?.into_iter().map(|(body, packet)| noted(&body, packet));
        // what was drawn up is noted in pieces
        events.extend(noted.filter(|event| event.event != "drawn" || first(event)));
        for event in &mut events {
            event.protocol = moment(&event.at).and_then(|at| numbers.get(&at).copied());
        }
        events.sort_by_key(|event| moment(&event.at));
        Ok(History {
            uid: person.uid.to_string(),
            case_number: person.case_number,
            also: also.iter().map(ToString::to_string).collect(),
            events,
        })
    })
}

fn is_document(kind: &str) -> bool {
    [Kind::Programme, Kind::Supplement].iter().any(|one| one.name() == kind)
}

fn moment(at: &str) -> Option<Timestamp> {
    at.parse().ok()
}

/// The protocols of decisions and merges by the moment at which everything in them was done.
fn by_time(protocols: &Protocols) -> Result<BTreeMap<Timestamp, u32>, Failure> {
    let mut numbers = BTreeMap::new();
    for number in protocols.numbers_of(&[ProtocolKind::Decision, ProtocolKind::Merge])? {
        numbers.insert(protocols.read(number)?.started, number);
    }
    Ok(numbers)
}

fn carried_event(carried: Carried) -> Option<Event> {
    if carried.kind == Kind::Link.name() {
        return None;
    }
    let event = match (carried.received, carried.live) {
        (true, _) => "received",
        (false, true) => "published",
        (false, false) => "withdrawn",
    };
    Some(Event {
        at: carried.at?,
        event: event.to_owned(),
        kind: Some(carried.kind),
        subject: Some(carried.key.to_string()),
        centre: Some(carried.centre),
        version: Some(carried.version),
        packet: Some(carried.packet),
        ..Event::default()
    })
}

/// What an input of the hub's own stream says, which is in `packet`.
pub(in crate::edges) fn noted(body: &Body, packet: Option<String>) -> Event {
    let text = |field: &str| body.text(field).map(str::to_owned);
    Event {
        at: text("at").unwrap_or_default(),
        actor: text("actor"),
        event: text("action").unwrap_or_default(),
        kind: text("subject_kind"),
        subject: text("subject"),
        other: text("other"),
        centre: text("centre"),
        field: text("field"),
        value: text("value").filter(|_| body.text("action") != Some("drawn")),
        reason: text("reason"),
        engine: text("engine"),
        version: None,
        protocol: None,
        packet,
    }
}

impl History {
    /// Whether `uid` is this person.
    pub fn is(&self, uid: &str) -> bool {
        self.uid == uid || self.also.iter().any(|also| also == uid)
    }
}
