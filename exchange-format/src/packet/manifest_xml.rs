//! `manifest.xml` in its canonical form: fixed order, no insignificant white space.

use std::{collections::VecDeque, fmt::Write as _, str::FromStr};

use jiff::{Timestamp, civil::Date};

use crate::{
    file_name::PacketKind,
    position::{Digest, Epoch, Mark, Position, Seq},
    stream::{Control, Part},
};

use super::{
    Limits, XML_DECLARATION,
    manifest::{
        Header, LogEvidence, Manifest, ManifestError, Member, Purpose, SnapshotBasis, SnapshotPart,
        check_readable_by,
    },
    xml_tree::{self, Element},
};

type Result<T> = std::result::Result<T, ManifestError>;

const INSTANT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// The canonical bytes.
pub(super) fn write(manifest: &Manifest) -> Vec<u8> {
    let mut out = String::with_capacity(2048);
    let header = &manifest.header;
    let _ =
        write!(out, "{XML_DECLARATION}\n<manifest format=\"{}\" reads=\"{}\">", header.format, header.reads);
    let mut leaf = |name: &str, text: &str| {
        let _ = write!(out, "<{name}>{}</{name}>", escape(text));
    };
    leaf("kind", header.kind().letters());
    leaf("to", header.to.as_str());
    leaf("from", header.from.as_str());
    leaf("epoch", &header.position.epoch.to_string());
    leaf("seq", &header.position.seq.to_string());
    leaf("date", &header.date.to_string());
    if let Some(previous) = &header.previous {
        leaf("previous", &previous.to_string());
    }
    leaf("created_at", &header.created_at.strftime(INSTANT).to_string());
    leaf("producer", &header.producer);
    leaf("nonce", &header.nonce.to_string());
    write_purpose(&mut out, &header.purpose);
    write_mark(&mut out, "ack", header.control.ack);
    write_mark(&mut out, "echo", header.control.echo);
    let log = &header.log;
    let state_digest = header.state_digest.map(|digest| digest.to_string());
    for (name, text) in [
        ("state_digest", &state_digest),
        ("checkpoint", &log.checkpoint),
        ("proof", &log.proof),
        ("cosignature", &log.cosignature),
    ] {
        if let Some(text) = text {
            let _ = write!(out, "<{name}>{}</{name}>", escape(text));
        }
    }
    out.push_str("<members>");
    for Member { name, count, size, sha256, packed_sha256, streebog256 } in &manifest.members {
        let _ = write!(out, r#"<member name="{name}" count="{count}" size="{size}" sha256="{sha256}""#);
        let _ = write!(out, r#" packed_sha256="{packed_sha256}""#);
        if let Some(digest) = streebog256 {
            let _ = write!(out, r#" streebog256="{digest}""#);
        }
        out.push_str("/>");
    }
    out.push_str("</members></manifest>\n");
    out.into_bytes()
}

fn write_purpose(out: &mut String, purpose: &Purpose) {
    let _ = match purpose {
        Purpose::Snapshot(SnapshotPart { basis, unconfirmed, part }) => {
            let (word, basis) = match basis {
                SnapshotBasis::Initial => ("initial", String::new()),
                SnapshotBasis::Requested { request } => ("requested", format!(r#" request="{request}""#)),
                SnapshotBasis::Recovered { compared } => ("recovered", format!(r#" compared="{compared}""#)),
            };
            let unconfirmed = if *unconfirmed { r#" unconfirmed="true""# } else { "" };
            write!(
                out,
                r#"<snapshot reason="{word}"{basis}{unconfirmed} part="{}" of="{}"/>"#,
                part.k(),
                part.n()
            )
        }
        Purpose::Receipt { answered } => write!(out, r#"<answered digest="{answered}"/>"#),
        Purpose::Protocol { answered, revision } => {
            write!(out, r#"<answered digest="{answered}" revision="{revision}"/>"#)
        }
        Purpose::Data | Purpose::Keys | Purpose::Request => Ok(()),
    };
}

fn write_mark(out: &mut String, name: &str, mark: Option<Mark>) {
    if let Some(Mark { position: Position { epoch, seq }, digest }) = mark {
        let _ = write!(out, r#"<{name} epoch="{epoch}" seq="{seq}" digest="{digest}"/>"#);
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push_str("&#10;"),
            c => out.push(c),
        }
    }
    out
}

/// Reads the elements in their order. Canonical form is compared by the caller.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Manifest> {
    let mut root = Fields::new(xml_tree::read(bytes, limits)?);
    if root.name != "manifest" {
        return Err(ManifestError::Missing("manifest"));
    }
    let format: u16 = root.required("format")?;
    check_readable_by(format, limits.format)?;
    let reads = root.required("reads")?;
    let newer = format > super::FORMAT;
    let kind: PacketKind = root.leaf("kind")?;
    let to = root.leaf("to")?;
    let from = root.leaf("from")?;
    let position =
        Position { epoch: root.leaf::<Wire<Epoch>>("epoch")?.0, seq: root.leaf::<Wire<Seq>>("seq")?.0 };
    let date: Date = root.leaf("date")?;
    let previous = root.optional_leaf("previous")?;
    let created_at: Timestamp = root.leaf("created_at")?;
    let producer = root.leaf("producer")?;
    let nonce = root.leaf("nonce")?;
    let purpose = read_purpose(kind, &mut root, newer)?;
    let control =
        Control { ack: read_mark(&mut root, "ack", newer)?, echo: read_mark(&mut root, "echo", newer)? };
    let state_digest = root.optional_leaf("state_digest")?;
    let log = LogEvidence {
        checkpoint: root.optional_leaf("checkpoint")?,
        proof: root.optional_leaf("proof")?,
        cosignature: root.optional_leaf("cosignature")?,
    };
    let members = read_members(&mut root, limits, newer)?;
    root.end(newer)?;
    let header = Header {
        format,
        reads,
        purpose,
        to,
        from,
        position,
        date,
        previous,
        created_at,
        producer,
        nonce,
        control,
        state_digest,
        log,
    };
    Ok(Manifest { header, members })
}

fn read_purpose(kind: PacketKind, root: &mut Fields, newer: bool) -> Result<Purpose> {
    Ok(match kind {
        PacketKind::Data => Purpose::Data,
        PacketKind::Keys => Purpose::Keys,
        PacketKind::Request => Purpose::Request,
        PacketKind::Snapshot => {
            let mut element =
                root.child("snapshot").ok_or(ManifestError::Kind { field: "snapshot", kind })?;
            let part = read_snapshot(&mut element)?;
            element.end(newer)?;
            Purpose::Snapshot(part)
        }
        PacketKind::Receipt | PacketKind::Protocol => {
            let mut element =
                root.child("answered").ok_or(ManifestError::Kind { field: "answered", kind })?;
            let answered = element.required("digest")?;
            let purpose = if kind == PacketKind::Receipt {
                Purpose::Receipt { answered }
            } else {
                Purpose::Protocol { answered, revision: element.required("revision")? }
            };
            element.end(newer)?;
            purpose
        }
    })
}

fn read_snapshot(element: &mut Fields) -> Result<SnapshotPart> {
    let basis = match element.required::<String>("reason")?.as_str() {
        "initial" => SnapshotBasis::Initial,
        "requested" => SnapshotBasis::Requested { request: element.required("request")? },
        "recovered" => SnapshotBasis::Recovered { compared: element.required("compared")? },
        _ => return Err(ManifestError::Value { field: "reason" }),
    };
    let unconfirmed = element.optional("unconfirmed")?.unwrap_or(false);
    let part = Part::new(element.required("part")?, element.required("of")?)
        .map_err(|_| ManifestError::Value { field: "snapshot part" })?;
    Ok(SnapshotPart { basis, unconfirmed, part })
}

fn read_mark(root: &mut Fields, name: &'static str, newer: bool) -> Result<Option<Mark>> {
    let Some(mut element) = root.child(name) else { return Ok(None) };
    let position = Position {
        epoch: element.required::<Wire<Epoch>>("epoch")?.0,
        seq: element.required::<Wire<Seq>>("seq")?.0,
    };
    let mark = Mark { position, digest: element.required("digest")? };
    element.end(newer)?;
    Ok(Some(mark))
}

fn read_members(root: &mut Fields, limits: &Limits, newer: bool) -> Result<Vec<Member>> {
    let mut list = root.child("members").ok_or(ManifestError::Missing("members"))?;
    let mut members = Vec::new();
    while let Some(mut element) = list.child("member") {
        if members.len() >= limits.members {
            return Err(ManifestError::Value { field: "number of members" });
        }
        let name = element.required::<String>("name")?;
        members.push(Member {
            name: name.parse().map_err(|()| ManifestError::Value { field: "member name" })?,
            count: element.required("count")?,
            size: element.required("size")?,
            sha256: element.required("sha256")?,
            packed_sha256: element.required("packed_sha256")?,
            streebog256: element.optional::<Digest>("streebog256")?,
        });
        element.end(newer)?;
    }
    list.end(newer)?;
    Ok(members)
}

/// An element that is taken apart; what is left over at the end is unknown.
struct Fields {
    name: String,
    attributes: VecDeque<(String, String)>,
    children: VecDeque<Element>,
    text: String,
}

impl Fields {
    fn new(element: Element) -> Self {
        let Element { name, attributes, children, text } = element;
        Self { name, attributes: attributes.into(), children: children.into(), text }
    }

    fn optional<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>> {
        let Some(at) = self.attributes.iter().position(|(key, _)| key == name) else { return Ok(None) };
        let (_, value) = self.attributes.remove(at).expect("it was just found");
        value.parse().map(Some).map_err(|_| ManifestError::Value { field: name })
    }

    fn required<T: FromStr>(&mut self, name: &'static str) -> Result<T> {
        self.optional(name)?.ok_or(ManifestError::Missing(name))
    }

    /// The first child of this name. Its place is not looked at: canonical form pins it down, and a newer
    /// format may have put something before it.
    fn child(&mut self, name: &str) -> Option<Self> {
        let at = self.children.iter().position(|child| child.name == name)?;
        self.children.remove(at).map(Self::new)
    }

    fn optional_leaf<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>> {
        let Some(child) = self.child(name) else { return Ok(None) };
        if let Some((unknown, _)) = child.attributes.front() {
            return Err(ManifestError::Unknown(shorten(unknown)));
        }
        if let Some(unknown) = child.children.front() {
            return Err(ManifestError::Unknown(shorten(&unknown.name)));
        }
        child.text.parse().map(Some).map_err(|_| ManifestError::Value { field: name })
    }

    fn leaf<T: FromStr>(&mut self, name: &'static str) -> Result<T> {
        self.optional_leaf(name)?.ok_or(ManifestError::Missing(name))
    }

    /// Only a newer format may have more than what was taken.
    fn end(&self, newer: bool) -> Result<()> {
        let child = self.children.front().map(|child| &child.name);
        let attribute = self.attributes.front().map(|(name, _)| name);
        match child.or(attribute) {
            Some(unknown) if !newer => Err(ManifestError::Unknown(shorten(unknown))),
            None if !self.text.trim().is_empty() && !newer => Err(ManifestError::Unknown("text".to_owned())),
            _ => Ok(()),
        }
    }
}

fn shorten(name: &str) -> String {
    name.chars().take(40).collect()
}

/// Numbers whose type has no text form of its own.
struct Wire<T>(T);

impl FromStr for Wire<Epoch> {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        text.parse().ok().and_then(|value| Epoch::new(value).ok()).map(Self).ok_or(())
    }
}

impl FromStr for Wire<Seq> {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        text.parse().ok().and_then(|value| Seq::new(value).ok()).map(Self).ok_or(())
    }
}
