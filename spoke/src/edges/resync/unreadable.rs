//! A snapshot that came for a recovery, and that cannot be read any more.

use std::{io, path::Path};

use exchange_endpoint::config::Config;
use exchange_format::{error::PacketError, file_name::FileName, position::Digest, stream::Stop};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{CONFIRMED, Compared, compared};
use crate::{
    database::{
        book,
        write::{self, Scope},
    },
    edges::{
        SpokeError,
        config::SpokeConfig,
        packet_file::{self, Desk},
        requests,
        station::{Station, journal},
    },
};

/// What a snapshot that is compared cannot be read for: none of our keys opens it, as when a centre has been given new keys while
/// its recovery waited; it is damaged, or gone.
fn is_unreadable(error: &PacketError) -> bool {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    error.reason().is_some() || matches!(error, PacketError::Io(error) if gone(error))
}

/// Whether a part of the snapshot that is compared cannot be read; looks at the heads of the files alone.
pub(super) fn cannot_be_opened(
    config: &Config<SpokeConfig>,
    desk: &Desk<'_>,
    of: &Compared,
) -> Result<bool, SpokeError> {
    for file in &of.parts {
        let name: FileName = file.name.parse().map_err(PacketError::Name)?;
        match desk.opens(&config.path(Path::new(&file.file)), &name) {
            Err(error) if is_unreadable(&error) => return Ok(true),
            other => other?,
        }
    }
    Ok(false)
}

/// A snapshot that waits for a person, and that cannot be read any more, is forgotten, and what was decided of it: then
/// another is [asked](ask) for.
pub(in crate::edges) fn renew(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    if book::out_stream(&station.connection, station.hub())?.machine.stop != Some(Stop::Restored) {
        return Ok(());
    }
    let config = station.config.clone();
    let (connection, desk) = packet_file::apart(station);
    match compared(connection, &desk)? {
        Some(of) if cannot_be_opened(&config, &desk, &of)? => forget(connection, &desk, of.digest, now),
        _ => Ok(()),
    }
}

fn forget(
    connection: &mut Connection,
    desk: &Desk<'_>,
    digest: Digest,
    now: Timestamp,
) -> Result<(), SpokeError> {
    tracing::error!(%digest, "the snapshot that is compared cannot be read with the keys that are here; another is asked for");
    write::write(connection, Scope::Book, |transaction| {
        book::set_fact(transaction, CONFIRMED, None)?;
        requests::of(transaction).forget_compared(desk.hub)?;
        journal(transaction, desk.own, now, "resync.unreadable", desk.hub.as_str(), "", &[digest])
    })
}
