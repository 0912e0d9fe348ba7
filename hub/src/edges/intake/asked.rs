//! Requests that are one asking: a centre that was put back while this hub was off has asked under several ids, and all of these
//! stand in its `in` (FORMAT.md §Requests).

use std::fs;

use exchange_format::{
    answer::{Request, SnapshotCause},
    file_name::{FileName, PacketKind},
    packet::{Header, Nonce},
    participant::ParticipantCode,
};
use jiff::Timestamp;

use super::{answers, open};
use crate::edges::hub::{Context, HubError, at};

/// The other requests of the same asking that stand beside one.
#[derive(Debug, Default)]
pub(in crate::edges) struct Beside {
    /// The newest of those that were made after it: that is the one to honour.
    pub newer: Option<Nonce>,
    /// Those made before it.
    pub older: Vec<Nonce>,
}

/// What stands in the `in` of `centre` beside its RQ `name`, of this header and body, and asks the same: after a restore, and of
/// a centre that has seen the same of our stream. What cannot be opened is judged when it is taken itself.
pub(super) fn beside(
    context: &Context,
    centre: ParticipantCode,
    name: &str,
    (header, body): (&Header, &[u8]),
) -> Result<Beside, HubError> {
    let mut found = Beside::default();
    if header.kind() != PacketKind::Request {
        return Ok(found);
    }
    let asking = Request::read(body).ok().filter(is_after_restore);
    let Some(asking) = asking else { return Ok(found) };
    let inbox = context.paths.inbox(centre);
    let mut newest = made(header);
    for entry in fs::read_dir(&inbox).map_err(at(&inbox))? {
        let path = entry.map_err(at(&inbox))?.path();
        let Some(text) = path.file_name().and_then(|text| text.to_str()) else { continue };
        let Ok(other) = text.parse::<FileName>() else { continue };
        let is_like = (other.kind, other.position, other.from, other.to)
            == (PacketKind::Request, header.position, header.from, header.to);
        if text == name || !is_like {
            continue;
        }
        let Ok(mut packet) = open::open(context, &path, &other) else { continue };
        let other = packet.manifest().header.clone();
        let asks = answers::body(&mut packet).ok().and_then(|body| Request::read(&*body).ok());
        if asks.as_ref() != Some(&asking) || other.nonce == header.nonce {
            continue;
        }
        if made(&other) < made(header) {
            found.older.push(other.nonce);
        } else if made(&other) > newest {
            newest = made(&other);
            found.newer = Some(other.nonce);
        }
    }
    Ok(found)
}

fn is_after_restore(request: &Request) -> bool {
    matches!(request, Request::Snapshot { cause: SnapshotCause::Restored, .. })
}

/// When a request was made; two of one second are told apart by their ids, the same at every look.
fn made(header: &Header) -> (Timestamp, [u8; 16]) {
    (header.created_at, header.nonce.0)
}
