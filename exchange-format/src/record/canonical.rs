//! The quick way to read a body: takes canonical bytes and nothing else, in one pass, without writing them
//! again to compare. What it does not take is read by [`super::xml`], which says what is wrong with it.

use super::{Body, Field, Kind, body::Line, body::is_plain, xml::character};

/// The body, if `text` is the canonical bytes of one; `None` says nothing about why not.
pub(super) fn read(kind: Kind, text: &str) -> Option<Body> {
    let (name, schema) = (kind.name(), kind.schema());
    let mut rest = after_tag(text, name)?;
    let mut body = Body::new(kind);
    rest = read_fields(rest, schema.fields, body.head_mut())?;
    if let Some(lines) = schema.lines {
        while let Some(inner) = after_tag(rest, "line") {
            rest = read_fields(inner, lines.fields, body.add_line())?.strip_prefix("</line>")?;
        }
    }
    let ended = rest.strip_prefix("</")?.strip_prefix(name)? == ">";
    (ended && body.is_sorted()).then_some(body)
}

fn after_tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix('<')?.strip_prefix(name)?.strip_prefix('>')
}

/// Reads elements as long as they are fields, each further on in the schema than the one before.
fn read_fields<'a>(mut text: &'a str, fields: &'static [Field], into: &mut Line) -> Option<&'a str> {
    let mut next = 0;
    loop {
        let name = text.strip_prefix('<')?.split_once('>')?.0;
        let Some(index) = (next..fields.len()).find(|&i| fields[i].name == name) else { return Some(text) };
        next = index + 1;
        let (value, rest) = text[name.len() + 2..].split_once('<')?;
        text = rest.strip_prefix('/')?.strip_prefix(name)?.strip_prefix('>')?;
        into.put(index, unescape(value)?);
    }
}

/// The text that `value` is the one escape of, if it is one and may stand in a record as it is.
fn unescape(value: &str) -> Option<Box<str>> {
    if value.is_empty() {
        return None;
    }
    if !value.contains('&') {
        return is_plain(value, |c| c < ' ' || c == '>').then(|| value.into());
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, escape)) = rest.split_once('&') {
        let (name, after) = escape.split_once(';')?;
        if before.contains(|c| c < ' ' || c == '>') {
            return None;
        }
        text.push_str(before);
        text.push(character(name)?);
        rest = after;
    }
    text.push_str(rest);
    let bare = rest.contains(|c| c < ' ' || c == '>');
    (!bare && is_plain(&text, |_| false)).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[ -~а-яё]{0,9}", "[<>&;\t\n\r#x0-9a\u{301}е\u{439}\u{e9}]{0,6}", "[1-9][0-9]?"]
    }

    /// Any kind with any texts: at first as the program writes it, then with a piece put in, out or elsewhere.
    fn bytes() -> impl Strategy<Value = (Kind, Vec<u8>)> {
        let lines = prop::collection::vec(prop::collection::vec(text(), 3), 0..4);
        let kind = prop::sample::select(Kind::ALL.to_vec());
        (kind, prop::collection::vec(text(), 5), lines).prop_map(|(kind, head, lines)| {
            let mut body = Body::new(kind);
            let fill = |line: &mut Line, fields: &'static [Field], texts: &[String]| {
                for (field, text) in fields.iter().zip(texts) {
                    let _ = line.set(field.name, text);
                }
            };
            fill(body.head_mut(), kind.schema().fields, &head);
            if let Some(schema) = kind.schema().lines {
                for line in &lines {
                    fill(body.add_line(), schema.fields, line);
                }
            }
            (kind, body.to_xml())
        })
    }

    /// The same body through the door that brings texts into their one form.
    fn restated(body: &Body) -> Body {
        let restate = |from: &Line, to: &mut Line| {
            for (field, text) in from.iter() {
                to.set(field.name, text.unwrap_or_default()).expect("was read");
            }
        };
        let mut again = Body::new(body.kind());
        restate(body.head(), again.head_mut());
        for line in body.lines() {
            restate(line, again.add_line());
        }
        again
    }

    proptest! {
        #[test]
        fn it_takes_what_the_program_writes((kind, bytes) in bytes()) {
            let text = std::str::from_utf8(&bytes).expect("UTF-8");
            let body = read(kind, text).expect("canonical");
            prop_assert_eq!(body.to_xml(), bytes);
        }

        #[test]
        fn it_takes_nothing_that_is_not_canonical(
            (kind, mut bytes) in bytes(),
            at in any::<prop::sample::Index>(),
            other in any::<prop::sample::Index>(),
            piece in prop::sample::select(vec![
                "", " ", "\n", "\t", ">", "&", "&#9;", "&#x9;", "&quot;", "&amp;", "\u{301}", "\u{7f}", "\u{1}", "<line></line>",
                "<no>1</no>", "<no></no>", "<!---->", "\u{212b}", "\u{fffe}",
            ]),
        ) {
            let (at, other) = (at.index(bytes.len() + 1), other.index(bytes.len() + 1));
            bytes.splice(at.min(other)..at.min(other) + usize::from(at > other), piece.bytes());
            if let Some(body) = std::str::from_utf8(&bytes).ok().and_then(|text| read(kind, text)) {
                prop_assert_eq!(restated(&body).to_xml(), bytes);
            }
        }
    }
}
