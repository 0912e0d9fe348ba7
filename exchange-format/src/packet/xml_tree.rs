//! A small XML document as a tree, read strictly: UTF-8, no DTD, no entities but the five and character
//! references, no comments, no processing instructions, no CDATA, no namespaces, under limits.

use quick_xml::{Reader, XmlVersion, events::BytesStart, events::Event};

use super::{Limits, XML_DECLARATION, manifest::ManifestError};

/// More attributes than this are in no element of the format.
const ATTRIBUTES: usize = 16;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

/// Reads `bytes`: the declaration, a line break, one element, a line break.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Element, ManifestError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| ManifestError::Encoding { at: error.valid_up_to() })?;
    let body = text
        .strip_prefix(XML_DECLARATION)
        .and_then(|rest| rest.strip_prefix('\n'))
        .ok_or(ManifestError::Declaration)?;
    let mut reader = Reader::from_str(body);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let at = text.len() - body.len() + usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = reader.read_event().map_err(|_| ManifestError::NotWellFormed { at })?;
        let closed = match event {
            Event::Start(tag) => {
                check_place(&open, root.as_ref(), at)?;
                if open.len() >= limits.depth {
                    return Err(ManifestError::Depth { at, limit: limits.depth });
                }
                open.push(element(&tag, limits, at)?);
                None
            }
            Event::Empty(tag) => {
                check_place(&open, root.as_ref(), at)?;
                Some(element(&tag, limits, at)?)
            }
            Event::End(_) => open.pop(),
            Event::Text(piece) => {
                add_text(&mut open, &piece, limits, at)?;
                None
            }
            Event::GeneralRef(reference) => {
                let piece = format!("&{};", &*reference);
                add_text(&mut open, &unescape(&piece, at)?, limits, at)?;
                None
            }
            Event::DocType(_) => return Err(ManifestError::Forbidden { what: "a DTD", at }),
            Event::Comment(_) => return Err(ManifestError::Forbidden { what: "a comment", at }),
            Event::PI(_) | Event::Decl(_) => {
                return Err(ManifestError::Forbidden { what: "a processing instruction", at });
            }
            Event::CData(_) => return Err(ManifestError::Forbidden { what: "CDATA", at }),
            Event::Eof if open.is_empty() => return root.ok_or(ManifestError::NotWellFormed { at }),
            Event::Eof => return Err(ManifestError::NotWellFormed { at }),
        };
        match (closed, open.last_mut()) {
            (Some(element), Some(parent)) => parent.children.push(element),
            (Some(element), None) => root = Some(element),
            (None, _) => {}
        }
    }
}

/// There is one outermost element.
fn check_place(open: &[Element], root: Option<&Element>, at: usize) -> Result<(), ManifestError> {
    if open.is_empty() && root.is_some() { Err(ManifestError::NotWellFormed { at }) } else { Ok(()) }
}

fn element(tag: &BytesStart<'_>, limits: &Limits, at: usize) -> Result<Element, ManifestError> {
    let mut element = Element { name: tag.name().into_inner().to_owned(), ..Element::default() };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| ManifestError::Attribute { at })?;
        let value = attribute.normalized_value(XmlVersion::Explicit1_0);
        let value = value.map_err(|_| ManifestError::Entity { at })?.into_owned();
        if element.attributes.len() >= ATTRIBUTES || value.len() > limits.text_bytes {
            return Err(ManifestError::TooLong { at });
        }
        element.attributes.push((attribute.key.into_inner().to_owned(), value));
    }
    Ok(element)
}

fn add_text(open: &mut [Element], piece: &str, limits: &Limits, at: usize) -> Result<(), ManifestError> {
    let Some(element) = open.last_mut() else {
        // After the outermost element only the last line break may stand; canonical form pins it down.
        return if piece == "\n" { Ok(()) } else { Err(ManifestError::NotWellFormed { at }) };
    };
    if element.text.len() + piece.len() > limits.text_bytes {
        return Err(ManifestError::TooLong { at });
    }
    element.text.push_str(piece);
    Ok(())
}

fn unescape(piece: &str, at: usize) -> Result<String, ManifestError> {
    quick_xml::escape::unescape(piece)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ManifestError::Entity { at })
}
