//! Reading records against the bare events of quick-xml over the same bytes: ours yields checked values (envelope, order of
//! fields, canonical form, NFC), the peer only tells that there are tags and texts. The members that a centre of that size sends.

use std::{hint::black_box, time::Instant};

use exchange_format::record::{Body, Kind, Record, RecordId, Type};
use fixtures::{
    city::{City, CityPlan},
    table::Table,
};
use quick_xml::{Reader, events::Event};

use super::{Measured, measure};
use crate::world::WorldError;

/// The tables, the kinds as which a centre sends their rows, and the tables of their lines.
const MEMBERS: [(&str, Kind); 4] = [
    ("recipient", Kind::RecipientClaim),
    ("programme", Kind::ProgrammeClaim),
    ("supplement", Kind::SupplementClaim),
    ("contract", Kind::Contract),
];

/// Measures `runs` interleaved runs.
///
/// # Errors
/// The peer cannot read what ours reads.
pub fn measure(recipients: usize, runs: usize) -> Result<Measured, WorldError> {
    let city = City::generate(CityPlan { seed: 1, centres: 1, recipients });
    let members: Vec<(Kind, String)> =
        MEMBERS.iter().map(|(table, kind)| (*kind, member(*kind, table, &city.centres[0].tables))).collect();
    let bytes: usize = members.iter().map(|(_, text)| text.len()).sum();
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let begun = Instant::now();
        let stated: usize = members.iter().map(|(kind, text)| values(*kind, text)).sum();
        ours.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let mut texts = 0;
        for (_, text) in &members {
            texts += events(text).map_err(|error| unread(&error))?;
        }
        peer.push(begun.elapsed().as_secs_f64());
        assert_eq!(stated, texts, "both have seen every value");
    }
    let mut measured = Measured::new("parse", recipients, ours, peer);
    measured.peak_rss_kb = measure::peak_rss_kb(std::process::id());
    measured.bytes = Some(bytes as u64);
    Ok(measured)
}

/// Reads a member as whoever admits it: how many values its records state.
fn values(kind: Kind, text: &str) -> usize {
    let lines = text.lines().filter(|line| line.starts_with("<record "));
    lines
        .map(|line| {
            let record = Record::parse_line(kind, line.as_bytes()).expect("a line of ours");
            let body = record.read_body().expect("a body of ours");
            let stated =
                |line: &exchange_format::record::Line| line.iter().filter(|(_, text)| text.is_some()).count();
            stated(body.head()) + body.lines().iter().map(stated).sum::<usize>()
        })
        .sum()
}

/// Lets quick-xml read the same bytes: how many texts it tells of.
fn events(text: &str) -> Result<usize, quick_xml::Error> {
    let (mut reader, mut texts, mut inside) = (Reader::from_str(text), 0, false);
    loop {
        match black_box(reader.read_event()?) {
            Event::Start(_) => inside = true,
            Event::End(_) => {
                texts += usize::from(inside);
                inside = false;
            }
            Event::Eof => return Ok(texts),
            _ => {}
        }
    }
}

fn unread(error: &quick_xml::Error) -> WorldError {
    let command = "quick-xml".to_owned();
    WorldError::Command { command, exit: error.to_string(), stderr: String::new() }
}

/// The rows of `table` and of its lines as a member of `kind`.
fn member(kind: Kind, table: &str, tables: &[Table]) -> String {
    let named = |name: &str| tables.iter().find(|table| table.name == name);
    let head = named(table).expect("a table of a centre");
    let lines = named(&format!("{table}_line"));
    let mut after = 0;
    let mut text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<records kind=\"{kind}\">\n");
    for row in 0..head.rows.len() {
        let mut body = Body::new(kind);
        for field in kind.schema().fields {
            if let Type::Reference(_) = field.ty {
                body.set(field.name, &key(row).to_string()).expect("an id");
            } else if head.columns.contains(&field.name) {
                body.set(field.name, head.get(row, field.name).unwrap_or_default()).expect("text");
            }
        }
        let fields = kind.schema().lines.map_or(&[][..], |lines| lines.fields);
        while let Some(lines) = lines.filter(|lines| after < lines.rows.len()) {
            // the lines of a row follow each other, as their rows do
            if lines.get(after, &format!("{table}_id")) != head.get(row, "id") {
                break;
            }
            let line = body.add_line();
            for field in fields.iter().filter(|field| lines.columns.contains(&field.name)) {
                line.set(field.name, lines.get(after, field.name).unwrap_or_default()).expect("text");
            }
            after += 1;
        }
        let mut line = Vec::new();
        Record::live(key(row), 1, &body).write_line(&mut line);
        text += &String::from_utf8(line).expect("UTF-8");
        text.push('\n');
    }
    text + "</records>\n"
}

fn key(n: usize) -> RecordId {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
    RecordId::from_random(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readers_see_every_value_of_every_member() {
        let measured = measure(60, 1).expect("measured");
        assert!(measured.bytes > Some(60_000) && measured.ratio_median > Some(0.0), "{measured:?}");
    }
}
