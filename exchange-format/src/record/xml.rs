//! The canonical bytes of a body, and the strict way back (FORMAT.md §Canonical bytes).
//!
//! One line, fixed order of elements, no insignificant white space, NFC, absent fields left out:
//! two records that say the same have the same bytes.

use quick_xml::{Reader, events::Event};

use super::{Body, Field, Finding, Kind, body::Line, canonical};

/// Why bytes are not a canonical body. Never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not well-formed XML, or a construct that the format does not use (DTD, comment, processing
    /// instruction, CDATA, attribute, entity other than the predefined ones).
    #[error("byte {at}: {what}")]
    Syntax {
        /// Offset in the body.
        at: u64,
        /// What is there.
        what: &'static str,
    },
    /// An element that this kind does not have, has elsewhere, or has once only.
    #[error("byte {at}: the element does not belong here in a {kind}")]
    Element {
        /// Offset in the body.
        at: u64,
        /// The kind being read.
        kind: Kind,
    },
    /// A value that cannot stand in its field.
    #[error(transparent)]
    Value(Finding),
    /// Well-formed and complete, but not the canonical bytes of what it says.
    #[error("the bytes are not in canonical form (order, white space, escapes, NFC)")]
    NotCanonical,
}

impl Body {
    /// The canonical bytes: `<kind><field>text</field>…<line>…</line></kind>`.
    pub fn to_xml(&self) -> Vec<u8> {
        let mut sorted;
        let body = if self.is_sorted() {
            self
        } else {
            sorted = self.clone();
            sorted.sort_lines();
            &sorted
        };
        let name = body.kind().name();
        let mut out = Vec::with_capacity(1024);
        open(&mut out, name);
        write_fields(&mut out, body.head());
        for line in body.lines() {
            open(&mut out, "line");
            write_fields(&mut out, line);
            close(&mut out, "line");
        }
        close(&mut out, name);
        out
    }

    /// Reads canonical bytes of a `kind` back. Values are not judged here: see [`Body::findings`].
    ///
    /// # Errors
    /// Anything but canonical bytes; the record is then refused alone, as INVALID.
    pub fn from_xml(kind: Kind, bytes: &[u8]) -> Result<Self, BodyError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| BodyError::Syntax { at: error.valid_up_to() as u64, what: "not UTF-8" })?;
        if let Some(body) = canonical::read(kind, text) {
            return Ok(body);
        }
        let body = BodyReader { reader: Reader::from_str(text), kind }.read()?;
        if body.to_xml() == bytes { Ok(body) } else { Err(BodyError::NotCanonical) }
    }
}

fn open(out: &mut Vec<u8>, name: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

fn close(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

fn write_fields(out: &mut Vec<u8>, line: &Line) {
    for (field, value) in line.iter() {
        if let Some(text) = value {
            open(out, field.name);
            escape(out, text);
            close(out, field.name);
        }
    }
}

/// Escapes `& < >` and, so that a record stays on its line, tab and line breaks.
fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) =
        rest.iter().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'\t' | b'\n' | b'\r'))
    {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(match rest[at] {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'\t' => b"&#9;",
            b'\n' => b"&#10;",
            _ => b"&#13;",
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// The character that `&name;` stands for; only what [`escape`] writes has one.
pub(super) fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "#9" => Some('\t'),
        "#10" => Some('\n'),
        "#13" => Some('\r'),
        _ => None,
    }
}

struct BodyReader<'a> {
    reader: Reader<&'a [u8]>,
    kind: Kind,
}

impl BodyReader<'_> {
    fn read(mut self) -> Result<Body, BodyError> {
        let mut body = Body::new(self.kind);
        if self.next_tag()?.as_deref() != Some(self.kind.name()) {
            return Err(self.misplaced());
        }
        let schema = self.kind.schema();
        let mut next = 0;
        while let Some(name) = self.next_tag()? {
            if name == "line" {
                let Some(lines) = schema.lines else { return Err(self.misplaced()) };
                let line = self.read_line(lines.fields)?;
                *body.add_line() = line;
            } else if body.lines().is_empty() {
                self.read_field(&name, schema.fields, &mut next, body.head_mut())?;
            } else {
                return Err(self.misplaced());
            }
        }
        match self.event()? {
            Event::Eof => Ok(body),
            _ => Err(self.syntax("something follows the body")),
        }
    }

    fn read_line(&mut self, fields: &'static [Field]) -> Result<Line, BodyError> {
        let mut line = Line::new(fields);
        let mut next = 0;
        while let Some(name) = self.next_tag()? {
            self.read_field(&name, fields, &mut next, &mut line)?;
        }
        Ok(line)
    }

    /// Reads the text of the element `name`, which must be one of `fields` from `next` on.
    fn read_field(
        &mut self,
        name: &str,
        fields: &'static [Field],
        next: &mut usize,
        into: &mut Line,
    ) -> Result<(), BodyError> {
        let Some(index) = (*next..fields.len()).find(|&i| fields[i].name == name) else {
            return Err(self.misplaced());
        };
        *next = index + 1;
        let text = self.read_text()?;
        into.set_at(index, &text).map_err(BodyError::Value)
    }

    fn read_text(&mut self) -> Result<String, BodyError> {
        let mut text = String::new();
        loop {
            match self.event()? {
                Event::Text(part) => text.push_str(&part),
                Event::GeneralRef(reference) => {
                    let resolved = character(&reference);
                    text.push(resolved.ok_or_else(|| self.syntax("an entity that the format does not use"))?);
                }
                Event::End(_) => return Ok(text),
                _ => return Err(self.syntax("only text may stand in a field")),
            }
        }
    }

    /// The next start tag's name, or `None` at the end tag of the enclosing element.
    fn next_tag(&mut self) -> Result<Option<String>, BodyError> {
        match self.event()? {
            Event::Start(tag) if tag.attributes().next().is_none() => {
                Ok(Some(tag.name().as_ref().to_owned()))
            }
            Event::Start(_) => Err(self.syntax("an attribute")),
            Event::End(_) => Ok(None),
            Event::Text(_) => Err(self.syntax("text between elements")),
            Event::DocType(_) => Err(self.syntax("a DTD")),
            Event::Eof => Err(self.syntax("the body ends too early")),
            _ => Err(self.syntax("a construct that the format does not use")),
        }
    }

    fn event(&mut self) -> Result<Event<'static>, BodyError> {
        self.reader.read_event().map(Event::into_owned).map_err(|_| self.syntax("not well-formed"))
    }

    fn syntax(&self, what: &'static str) -> BodyError {
        BodyError::Syntax { at: self.reader.buffer_position(), what }
    }

    fn misplaced(&self) -> BodyError {
        BodyError::Element { at: self.reader.buffer_position(), kind: self.kind }
    }
}
