//! After this hub was put back from a copy: what is gone with the lost database. What each centre was told otherwise than this
//! database says, value by value; and what staff decided after the copy was made, as the hub's own stream in the archive has
//! it. For staff on their own terminal: values are personal data.

use std::{collections::BTreeMap, fs, path::Path};

use exchange_endpoint::{
    messages::{self, Lang},
    output::Failure,
    protocol::{Kind as ProtocolKind, Line, Protocol},
};
use exchange_format::{
    file_name::FileName,
    participant::ParticipantCode,
    record::{Body, Form, Kind, Record, RecordId},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    hub::{Context, HubError, at},
    operations::{
        history::{self, Event},
        table_file,
    },
    rebuild::archive::Archive,
    register::What,
    sealing::noted::ROWS,
};
use crate::database::Tx;

/// A field that a centre was told otherwise than this database says. Personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The field; of a line `[1].name`.
    pub field: String,
    /// What this database says.
    pub here: Option<String>,
    /// What the centre was told.
    pub there: Option<String>,
}

/// A record that a centre was told otherwise than this database says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its kind.
    pub kind: &'static str,
    /// Its key: of a person the uid.
    pub key: String,
    /// The case number of whom it is about, if that is known.
    pub case_number: Option<String>,
    /// How it differs.
    pub what: What,
    /// The version that this database has published; 0: none.
    pub here: u32,
    /// The version that the centre was told.
    pub there: u32,
    /// The fields that are otherwise.
    pub fields: Vec<String>,
    /// What stands in them: never written as JSON.
    #[serde(skip)]
    pub values: Vec<Value>,
}

/// What somebody decided after the copy was made.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    /// What, when, and by whom; the value is never written as JSON.
    #[serde(flatten)]
    pub event: Event,
    /// The case number of whom it is about, if this database knows that.
    pub case_number: Option<String>,
}

/// The difference `what` of `mirror`, the copy that `centre` keeps of a publication.
pub(super) fn difference(
    tx: &Tx<'_>,
    centre: ParticipantCode,
    mirror: &Record,
    what: What,
) -> Result<Difference, HubError> {
    let known = tx.publication(centre, mirror.kind, mirror.key)?;
    let live = |form: Form, body: Option<Body>| body.filter(|_| form != Form::Tombstone);
    let here =
        known.as_ref().and_then(|known| live(known.form, Body::from_xml(mirror.kind, &known.body).ok()));
    let there = live(mirror.form, mirror.read_body().ok());
    let id = |field: &str| {
        let body = there.as_ref().or(here.as_ref())?;
        body.stated(field)?.parse::<RecordId>().ok()
    };
    let person = match mirror.kind {
        Kind::Person => Some(mirror.key),
        Kind::Link => id("target"),
        _ => id("recipient"),
    };
    let case_number = match person.map(|uid| tx.person(uid)).transpose()?.flatten() {
        Some(person) => Some(person.case_number),
        None => there.as_ref().and_then(|body| body.stated("case_number")).map(str::to_owned),
    };
    let values = values(here.as_ref(), there.as_ref());
    Ok(Difference {
        kind: mirror.kind.name(),
        key: mirror.key.to_string(),
        case_number,
        what,
        here: known.map_or(0, |known| known.version),
        there: mirror.version,
        fields: values.iter().map(|value| value.field.clone()).collect(),
        values,
    })
}

fn values(here: Option<&Body>, there: Option<&Body>) -> Vec<Value> {
    let cells = |body: Option<&Body>| {
        let mut cells: BTreeMap<(usize, &'static str), String> = BTreeMap::new();
        for (no, line) in
            body.into_iter().flat_map(|body| [body.head()].into_iter().chain(body.lines())).enumerate()
        {
            cells.extend(line.iter().filter_map(|(field, text)| Some(((no, field.name), text?.to_owned()))));
        }
        cells
    };
    let (here, there) = (cells(here), cells(there));
    let mut places: Vec<_> = here.keys().chain(there.keys()).copied().collect();
    places.sort_unstable();
    places.dedup();
    let value = |place: (usize, &'static str)| {
        let (here, there) = (here.get(&place).cloned(), there.get(&place).cloned());
        let field = if place.0 == 0 { place.1.to_owned() } else { format!("[{}].{}", place.0, place.1) };
        (here != there).then_some(Value { field, here, there })
    };
    places.into_iter().filter_map(value).collect()
}

/// A record that the lost database had taken from a centre, and of which neither that nor this database knows any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The packet in the archive that bears it.
    pub packet: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its key.
    pub key: String,
    /// Its version.
    pub version: u32,
}

/// The numbered packets from `peer` in the archive that this database does not know, in order.
fn unknown_packets(context: &Context, tx: &Tx<'_>, peer: ParticipantCode) -> Result<Vec<String>, HubError> {
    let directory = context.paths.archive.join(peer.as_str());
    let mut names = Vec::new();
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(at(&directory))?,
    };
    for entry in entries {
        let text = entry.map_err(at(&directory))?.file_name().to_string_lossy().into_owned();
        let Ok(name) = text.parse::<FileName>() else { continue };
        if name.kind.is_numbered() && name.from == peer && !tx.knows_packet(&text)? {
            names.push((name.position, text));
        }
    }
    names.sort_unstable();
    Ok(names.into_iter().map(|(_, text)| text).collect())
}

/// What the lost database had taken from `centre` and nobody knows any more; `there`: the versions that the centre has. A file that
/// cannot be read is passed over, and told in the log.
pub(super) fn unknown(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    there: &BTreeMap<(Kind, RecordId), u32>,
) -> Result<Vec<Unknown>, HubError> {
    let mut found: BTreeMap<(Kind, RecordId), Unknown> = BTreeMap::new();
    let archive = Archive::new(context, &context.paths.archive, Vec::new(), context.paths.archive.clone());
    for text in unknown_packets(context, tx, centre)? {
        let mut each = |record: Record| -> Result<(), Failure> {
            let of = (record.kind, record.key);
            let here = tx.known(centre, record.kind, record.key)?.map_or(0, |known| known.version);
            if here.max(there.get(&of).copied().unwrap_or(0)) < record.version {
                let (packet, kind, key) = (text.clone(), record.kind.name(), record.key.to_string());
                found.insert(of, Unknown { packet, kind, key, version: record.version });
            }
            Ok(())
        };
        let read = archive
            .open(centre, &text, None)
            .and_then(|mut packet| archive.for_each_record((centre, &text), &mut packet, &mut each));
        if let Err(error) = read {
            tracing::warn!(file = text, "of what nobody knows any more: not read: {}", error.code());
        }
    }
    Ok(found.into_values().collect())
}

/// What staff decided after the copy was made: the inputs of the hub's own stream in the archive that this database does not
/// know. A file that cannot be read is passed over, and told in the log.
pub(super) fn decisions(context: &Context, tx: &Tx<'_>) -> Result<Vec<Decision>, HubError> {
    let names = unknown_packets(context, tx, context.code)?;
    let mut found: BTreeMap<RecordId, (usize, Decision)> = BTreeMap::new();
    let archive = Archive::new(context, &context.paths.archive, Vec::new(), context.paths.archive.clone());
    for text in names {
        let mut each = |record: Record| -> Result<(), Failure> {
            if record.kind != Kind::HubInput || tx.knows_input(record.key)? {
                return Ok(());
            }
            let Ok(body) = Body::from_xml(record.kind, &record.body) else { return Ok(()) };
            let is_ours = body.text("actor").is_none_or(|actor| actor == context.code.as_str());
            if is_ours || body.text("action") == Some(ROWS) {
                return Ok(());
            }
            let event = history::noted(&body, Some(text.clone()));
            let subject = event.subject.as_deref().and_then(|id| id.parse::<RecordId>().ok());
            let person = subject.map(|uid| tx.person(uid)).transpose()?.flatten();
            let case_number = person.map(|person| person.case_number);
            let n = found.len();
            found.entry(record.key).or_insert((n, Decision { event, case_number }));
            Ok(())
        };
        let read = archive
            .open(context.code, &text, None)
            .and_then(|mut packet| archive.for_each_record((context.code, &text), &mut packet, &mut each));
        if let Err(error) = read {
            tracing::warn!(file = text, "of what was decided after the copy: not read: {}", error.code());
        }
    }
    let mut found: Vec<(usize, Decision)> = found.into_values().collect();
    found.sort_by_key(|(n, _)| *n);
    Ok(found.into_iter().map(|(_, decision)| decision).collect())
}

/// Lists in a protocol what was decided after the copy and is gone: by ids and reasons, never values.
pub(super) fn tell_decisions(
    context: &Context,
    tx: &Tx<'_>,
    decisions: &[Decision],
    now: Timestamp,
) -> Result<(), HubError> {
    let mut protocol = Protocol::begin(ProtocolKind::Resync, context.lang, context.code, None, now);
    for Decision { event, case_number } in decisions {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "—".to_owned());
        let args = [
            ("at", messages::stored_moment(context.lang, &event.at).into()),
            ("who", text(&event.actor).into()),
            ("what", event.event.clone().into()),
            ("case", text(case_number).into()),
            ("field", text(&event.field).into()),
            ("centre", text(&event.centre).into()),
        ];
        protocol.tell(line(
            context.lang,
            (event.kind.as_deref().unwrap_or(Kind::HubInput.name()), event.subject.as_deref().unwrap_or("—")),
            "removed",
            ("hub-resync-gone", "hub-resync-gone-next", &args),
            event.reason.clone(),
        ));
    }
    put(tx, protocol)
}

/// Lists in a protocol what `centre` was told otherwise than this database says: by its fields, never values.
pub(super) fn tell_differences(
    context: &Context,
    tx: &Tx<'_>,
    centre: ParticipantCode,
    (differences, unknown): (&[Difference], &[Unknown]),
    now: Timestamp,
) -> Result<(), HubError> {
    let mut protocol = Protocol::begin(ProtocolKind::Resync, context.lang, context.code, Some(centre), now);
    for one in differences {
        let outcome = match one.what {
            What::Back | What::Renumbered => "new",
            What::Ahead => "changed",
            What::SentAgain => continue,
        };
        let args = [
            ("case", one.case_number.clone().unwrap_or_else(|| "—".to_owned()).into()),
            ("here", one.here.into()),
            ("there", one.there.into()),
            ("fields", one.fields.join(", ").into()),
        ];
        protocol.tell(line(
            context.lang,
            (one.kind, &one.key),
            outcome,
            ("hub-resync-told", "hub-resync-told-next", &args),
            None,
        ));
    }
    for one in unknown {
        let args = [("version", one.version.into()), ("packet", one.packet.clone().into())];
        let words = ("hub-resync-unknown-line", "hub-resync-unknown-next", &args[..]);
        protocol.tell(line(context.lang, (one.kind, &one.key), "removed", words, None));
    }
    put(tx, protocol)
}

fn line(
    lang: Lang,
    (kind, key): (&str, &str),
    outcome: &str,
    (id, next, args): (&str, &str, &[(&str, messages::Value<'_>)]),
    words: Option<String>,
) -> Line {
    Line {
        kind: kind.to_owned(),
        key: key.to_owned(),
        outcome: outcome.to_owned(),
        rule: String::new(),
        reason: String::new(),
        sentence: messages::text(lang, id, args),
        next: messages::text(lang, next, &[]),
        words,
    }
}

fn put(tx: &Tx<'_>, mut protocol: Protocol) -> Result<(), HubError> {
    if protocol.lines.is_empty() {
        return Ok(());
    }
    protocol.end();
    tx.put_protocol(&mut protocol)?;
    Ok(())
}

/// Writes all of it as a table: personal data.
pub fn write(
    path: &Path,
    differences: &[(String, &[Difference], &[Unknown])],
    decisions: &[Decision],
) -> Result<(), Failure> {
    const COLUMNS: [&str; 13] = [
        "centre",
        "kind",
        "key",
        "case_number",
        "what",
        "version_here",
        "version_there",
        "field",
        "here",
        "there",
        "at",
        "actor",
        "reason",
    ];
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for Decision { event, case_number } in decisions {
        let (kind, key) = (text(&event.kind), text(&event.subject));
        let (field, value) = (text(&event.field), text(&event.value));
        let head = [text(&event.centre), kind, key, text(case_number), event.event.clone()];
        let tail = [field, String::new(), value, event.at.clone(), text(&event.actor), text(&event.reason)];
        rows.push(head.into_iter().chain([String::new(), String::new()]).chain(tail).collect());
    }
    for (centre, all, unknown) in differences {
        for one in *unknown {
            let head = [centre.as_str(), one.kind, &one.key, "", "unknown", "", &one.version.to_string()];
            let rest = ["", "", "", "", "", &one.packet];
            rows.push(head.into_iter().chain(rest).map(str::to_owned).collect());
        }
        for one in *all {
            let mut row = |field: &str, here: String, there: String| {
                let head = [centre.as_str(), one.kind, &one.key].map(str::to_owned);
                let what = [text(&one.case_number), one.what.word().to_owned()];
                let cells = [one.here.to_string(), one.there.to_string(), field.to_owned(), here, there];
                let rest = std::iter::repeat_n(String::new(), 3);
                rows.push(head.into_iter().chain(what).chain(cells).chain(rest).collect());
            };
            if one.values.is_empty() {
                row("", String::new(), String::new());
            }
            for value in &one.values {
                row(&value.field, text(&value.here), text(&value.there));
            }
        }
    }
    table_file::write(path, &COLUMNS, &rows)
}
