//! What a manifest says, as data for programs and words for people. It holds codes, numbers and digests, no personal
//! data.

use exchange_endpoint::messages::{self, Lang};
use exchange_format::{
    file_name::FileName,
    packet::{Header, Manifest, Purpose, SnapshotBasis},
    position::{Digest, Mark},
    stream::SnapshotReason,
};
use serde::Serialize;

/// What a name claims.
#[derive(Debug, Serialize)]
pub struct NameParts {
    kind: &'static str,
    to: String,
    from: String,
    epoch: u16,
    seq: u32,
    date: String,
    digest: String,
    sealed: bool,
}

impl NameParts {
    /// Of `name`.
    pub fn of(name: &FileName) -> Self {
        Self {
            kind: name.kind.letters(),
            to: name.to.to_string(),
            from: name.from.to_string(),
            epoch: name.position.epoch.get(),
            seq: name.position.seq.get(),
            date: name.date.to_string(),
            digest: name.digest_prefix.as_str().to_owned(),
            sealed: name.sealed,
        }
    }

    /// In words.
    pub fn line(&self, lang: Lang) -> String {
        let envelope = if self.sealed { "sealed" } else { "open" };
        let args = [
            ("what", messages::text(lang, &format!("packet-kind-{}", self.kind), &[]).into()),
            ("from", self.from.clone().into()),
            ("to", self.to.clone().into()),
            ("epoch", self.epoch.to_string().into()),
            ("seq", self.seq.to_string().into()),
            ("date", messages::day(lang, &self.date).into()),
            ("envelope", messages::text(lang, &format!("packet-name-{envelope}"), &[]).into()),
        ];
        messages::text(lang, "packet-name-says", &args)
    }
}

/// What a manifest says.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// SHA-256 of the manifest: the packet's identity.
    pub digest: String,
    format: u16,
    reads: u16,
    kind: &'static str,
    to: String,
    from: String,
    epoch: u16,
    seq: u32,
    date: String,
    previous: Option<String>,
    created_at: String,
    producer: String,
    nonce: String,
    snapshot: Option<SnapshotWords>,
    answered: Option<Answered>,
    ack: Option<MarkWords>,
    echo: Option<MarkWords>,
    state_digest: Option<String>,
    members: Vec<MemberWords>,
}

#[derive(Debug, Serialize)]
struct SnapshotWords {
    reason: &'static str,
    request: Option<String>,
    compared: Option<String>,
    unconfirmed: bool,
    part: u32,
    of: u32,
}

#[derive(Debug, Serialize)]
struct Answered {
    digest: String,
    revision: Option<u32>,
}

#[derive(Debug, Serialize)]
struct MarkWords {
    epoch: u16,
    seq: u32,
    digest: String,
}

#[derive(Debug, Serialize)]
struct MemberWords {
    name: String,
    count: u64,
    size: u64,
    sha256: String,
}

impl MarkWords {
    fn of(mark: &Mark) -> Self {
        let (epoch, seq) = (mark.position.epoch.get(), mark.position.seq.get());
        Self { epoch, seq, digest: mark.digest.to_string() }
    }
}

fn snapshot(header: &Header) -> Option<SnapshotWords> {
    let Purpose::Snapshot(part) = &header.purpose else { return None };
    let (request, compared) = match part.basis {
        SnapshotBasis::Initial => (None, None),
        SnapshotBasis::Requested { request } => (Some(request.to_string()), None),
        SnapshotBasis::Recovered { compared } => (None, Some(compared.to_string())),
    };
    let known = SnapshotReason::ALL.iter().find(|(reason, _)| *reason == part.basis.reason());
    Some(SnapshotWords {
        reason: known.map_or("", |(_, word)| word),
        request,
        compared,
        unconfirmed: part.unconfirmed,
        part: part.part.k(),
        of: part.part.n(),
    })
}

fn answered(header: &Header) -> Option<Answered> {
    let (digest, revision) = match header.purpose {
        Purpose::Receipt { answered } => (answered, None),
        Purpose::Protocol { answered, revision } => (answered, Some(revision)),
        _ => return None,
    };
    Some(Answered { digest: digest.to_string(), revision })
}

impl Summary {
    /// Of `manifest`, whose SHA-256 is `digest`.
    pub fn of(manifest: &Manifest, digest: &Digest) -> Self {
        let header = &manifest.header;
        let member = |member: &exchange_format::packet::Member| MemberWords {
            name: member.name.to_string(),
            count: member.count,
            size: member.size,
            sha256: member.sha256.to_string(),
        };
        Self {
            digest: digest.to_string(),
            format: header.format,
            reads: header.reads,
            kind: header.kind().letters(),
            to: header.to.to_string(),
            from: header.from.to_string(),
            epoch: header.position.epoch.get(),
            seq: header.position.seq.get(),
            date: header.date.to_string(),
            previous: header.previous.map(|digest| digest.to_string()),
            created_at: header.created_at.to_string(),
            producer: header.producer.clone(),
            nonce: header.nonce.to_string(),
            snapshot: snapshot(header),
            answered: answered(header),
            ack: header.control.ack.as_ref().map(MarkWords::of),
            echo: header.control.echo.as_ref().map(MarkWords::of),
            state_digest: header.state_digest.map(|digest| digest.to_string()),
            members: manifest.members.iter().map(member).collect(),
        }
    }

    /// Whether it is one of several parts of a snapshot.
    pub fn is_part_of_several(&self) -> bool {
        self.snapshot.as_ref().is_some_and(|part| part.of > 1)
    }

    /// In words: a heading, what follows it indented by two.
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let text = |id: &str, args: &[(&str, messages::Value<'_>)]| messages::text(lang, id, args);
        let mut lines = vec![text(
            "packet-says",
            &[
                ("what", text(&format!("packet-kind-{}", self.kind), &[]).into()),
                ("from", self.from.clone().into()),
                ("to", self.to.clone().into()),
                ("epoch", self.epoch.to_string().into()),
                ("seq", self.seq.to_string().into()),
                ("at", messages::stored_moment(lang, &self.created_at).into()),
                ("producer", self.producer.clone().into()),
            ],
        )];
        lines.push(text("packet-says-digest", &[("digest", self.digest.clone().into())]));
        if let Some(s) = &self.snapshot {
            let reason = text(&format!("packet-snapshot-{}", s.reason), &[]);
            let args = [("part", s.part.into()), ("of", s.of.into()), ("reason", reason.into())];
            lines.push(text("packet-says-snapshot", &args));
        }
        if let Some(answered) = &self.answered {
            lines.push(text("packet-says-answered", &[("digest", answered.digest.clone().into())]));
        }
        for (id, mark) in [("packet-says-ack", &self.ack), ("packet-says-echo", &self.echo)] {
            if let Some(MarkWords { epoch, seq, digest }) = mark {
                let args = [
                    ("epoch", epoch.to_string().into()),
                    ("seq", seq.to_string().into()),
                    ("digest", digest.clone().into()),
                ];
                lines.push(text(id, &args));
            }
        }
        for MemberWords { name, count, size, .. } in &self.members {
            let kind = name.strip_prefix("records/").and_then(|name| name.strip_suffix(".xml"));
            let args = [("count", (*count).into()), ("bytes", (*size).into())];
            let figures =
                text(if kind.is_some() { "packet-says-records" } else { "packet-says-lines" }, &args);
            let known = kind.and_then(|kind| messages::find(lang, &format!("kind-{kind}"), &[]));
            lines
                .push(format!("  {name}{}: {figures}", known.map(|k| format!(" ({k})")).unwrap_or_default()));
        }
        lines
    }
}
