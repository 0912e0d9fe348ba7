//! What was noted ([`crate::database::noted`]) becomes inputs: one text of JSON objects, cut into pieces as long as the
//! field of an input takes, in the order of the inputs.

use std::fmt::Write as _;

use exchange_format::record::{Body, Kind, Record};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    database::Tx,
    edges::{
        hub::{Context, HubError},
        register::new_id,
    },
};

/// The action of the inputs that carry it.
pub const ROWS: &str = "rows";
/// The entry that tells the digest of all content, as it is after what was noted before.
pub const CONTENT: &str = "content";
/// So many characters are in one input: as many as its field takes.
const PIECE: usize = 4000;
/// Entries read at a time.
const PAGE: u32 = 1000;
/// The content's digest is told again after so long, hours. It costs the reading of everything.
const TOLD_AGAIN: i64 = 24;

/// Makes inputs of all that was noted; now and then it tells the digest of the content first.
pub(super) fn make_inputs(context: &Context, tx: &Tx<'_>, now: Timestamp) -> Result<(), HubError> {
    let told = tx.content_told()?.and_then(|at| at.parse::<Timestamp>().ok());
    if told.is_none_or(|at| now.duration_since(at).as_hours().abs() >= TOLD_AGAIN) {
        tx.note_change(CONTENT, &json!({"digest": tx.content()?.digest.to_string()}))?;
        tx.set_content_told(&now.to_string())?;
    }
    let mut text = String::new();
    loop {
        let page = tx.changes(PAGE)?;
        let Some((last, _)) = page.last() else { break };
        tx.forget_changes(*last)?;
        for (_, entry) in &page {
            write_plain(&mut text, entry);
            while text.len() >= PIECE {
                let rest = text.split_off(text.floor_char_boundary(PIECE));
                put(context, tx, &std::mem::replace(&mut text, rest), now)?;
            }
        }
    }
    if text.is_empty() { Ok(()) } else { put(context, tx, &text, now) }
}

fn put(context: &Context, tx: &Tx<'_>, piece: &str, now: Timestamp) -> Result<(), HubError> {
    let mut body = Body::new(Kind::HubInput);
    let at = now.to_string();
    for (field, text) in
        [("at", at.as_str()), ("actor", context.code.as_str()), ("action", ROWS), ("value", piece)]
    {
        body.set(field, text).expect("an entry is plain text");
    }
    Ok(tx.add_input(&Record::live(new_id()?, 1, &body), &at, ROWS)?)
}

/// `json` with every character escaped that canonical XML would carry otherwise, or not at all.
fn write_plain(out: &mut String, json: &str) {
    for c in json.chars() {
        if matches!(c, ' '..='~' | 'Ѐ'..='я' | 'ё' | '«' | '»' | '—' | '–' | '№') {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}").expect("a text takes everything");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_through_an_input_as_it_was() {
        let said = "  \"ё\u{308}\u{301}é\u{85}\u{feff}\n\t\\ 😀 и\u{306} <&>  ".to_owned();
        let mut written = String::new();
        write_plain(&mut written, &json!({ "t": said }).to_string());
        for cut in (0..written.len()).filter(|at| written.is_char_boundary(*at)) {
            let pieces = [&written[..cut], &written[cut..]];
            let carried = pieces.map(|piece| {
                let mut body = Body::new(Kind::HubInput);
                body.set("value", piece).expect("plain");
                let back = Body::from_xml(Kind::HubInput, &body.to_xml()).expect("canonical");
                back.text("value").unwrap_or_default().to_owned()
            });
            let read: serde_json::Value = serde_json::from_str(&carried.concat()).expect("JSON");
            assert_eq!(read["t"], said);
        }
    }
}
