//! Opening a file: envelope, ZIP, manifest, signature.

use std::{fs, path::Path};

use exchange_endpoint::archive;
use exchange_format::{
    error::PacketError,
    file_name::{FileName, PacketKind},
    packet::{UnverifiedPacket, VerifiedPacket, open_sealed},
    participant::ParticipantCode,
    stream::Control,
};

use crate::{
    database::answers::Place,
    edges::hub::{Context, HubError, at},
};

/// More than the header of any envelope has, bytes.
const ENVELOPE: u64 = 64 << 10;

/// Opens and verifies the file at `path`, whose name was checked to be of its directory's centre: with it the
/// five-way check is whole, for the signature proves the manifest's sender and the name agrees with it.
pub(super) fn open(
    context: &Context,
    path: &Path,
    name: &FileName,
) -> Result<VerifiedPacket<fs::File>, PacketError> {
    let file = fs::File::open(path)?;
    // before anything is read; an envelope adds a little: a header, and 16 bytes to each 64 KiB
    let (found, packet) = (file.metadata()?.len(), context.limits.packet_bytes);
    let limit = if name.sealed { packet + packet / 4096 + ENVELOPE } else { packet };
    if found > limit {
        return Err(PacketError::Oversize { what: "bytes of the file", limit, found });
    }
    let packet = if name.sealed {
        let spool = archive::nameless(&context.paths.archive)?;
        open_sealed(file, &context.keys.identities, spool, &context.limits)?
    } else {
        UnverifiedPacket::open(file, &context.limits)?
    };
    let ring = context.trust.ring(name.from).ok_or(PacketError::UnknownKey { from: name.from })?;
    ring.verify(packet, name)
}

/// Deletes from a centre's `out` what it has: our packets that its ack covers, our answers to what its echo
/// covers, and answers that a newer one has taken the place of. Of a revision the echo says nothing: the newest stays
/// until the centre's epoch is over. A request of ours stays while it is in force. Readers never delete there.
pub(in crate::edges) fn prune_out(
    context: &Context,
    centre: ParticipantCode,
    control: &Control,
    mut place: impl FnMut(PacketKind, &str) -> Result<Option<Place>, HubError>,
) -> Result<(), HubError> {
    let directory = context.paths.outbox(centre);
    for entry in fs::read_dir(&directory).map_err(at(&directory))? {
        let path = entry.map_err(at(&directory))?.path();
        let Some(text) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Ok(name) = text.parse::<FileName>() else { continue };
        let is_over = control.echo.is_some_and(|echo| name.position.epoch < echo.position.epoch);
        let is_read = control.echo.is_some_and(|echo| name.position <= echo.position);
        let covered = if name.kind.is_numbered() {
            control.acknowledges(name.position)
        } else {
            match place(name.kind, text)? {
                Some(Place::Superseded) => true,
                Some(Place::Revision) => is_over,
                Some(Place::First) | None => is_over || is_read,
            }
        };
        if covered {
            exchange_endpoint::durable_file::remove(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}
