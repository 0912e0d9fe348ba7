//! Sealing: what is to be told becomes packets. One transaction seals: changes taken, number, chain and the
//! archived file; the file is on the disk before the transaction commits (exchange §5, D11).
//!
//! [`data`] publications of a centre · [`keys`] KY · [`own`] the stream hub→hub, with what was [`noted`] · [`answers`] KV, PR and RQ.

pub mod answers;
pub mod data;
pub mod keys;
pub mod noted;
pub mod own;

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
};

use exchange_endpoint::{
    archive::{self, NewFile},
    chance, durable_file, sum,
};
use exchange_format::{
    file_name::PacketKind,
    packet::{
        FORMAT, PacketWriter,
        manifest::{Header, LogEvidence, Nonce, Purpose},
    },
    participant::ParticipantCode,
    position::{Digest, Mark, Position},
    seal,
    signature::SigningKey,
    state_digest::StateDigest,
    stream::Control,
};
use jiff::{Timestamp, tz::TimeZone};

use super::hub::{Context, HubError, at};
use crate::database::streams::Streams;

/// Records of one packet at most (exchange §4).
const PACKET_RECORDS: u64 = 10_000;
/// Unpacked bytes after which a packet takes no more records; the rest of 16 MiB is for the last one.
const PACKET_BYTES: u64 = 15 << 20;

/// What a packet is, besides its members.
pub(super) struct Outline<'a> {
    pub signing: &'a SigningKey,
    pub to: ParticipantCode,
    pub purpose: Purpose,
    pub position: Position,
    pub previous: Option<Digest>,
    pub control: Control,
    pub state_digest: Option<StateDigest>,
}

/// A packet that is written, sealed and archived.
pub(super) struct Sealed {
    pub name: String,
    pub kind: PacketKind,
    pub mark: Mark,
    pub nonce: Nonce,
    /// Of the file as it was written.
    pub sha256: Digest,
}

/// The control block of a file to a peer with these streams.
pub(super) fn control(streams: &Streams) -> Control {
    Control { ack: streams.incoming.last, echo: streams.outgoing.echo }
}

/// A writer over a nameless file in the archive.
pub(super) fn begin(context: &Context) -> Result<PacketWriter<File>, HubError> {
    let directory = &context.paths.archive;
    let spool = archive::nameless(directory).map_err(at(directory))?;
    Ok(PacketWriter::new(spool)?.with_streebog(context.streebog))
}

/// Ends the packet, seals it to its receiver and to our archive key, and archives it. For ourselves
/// (hub→hub) the receiver is this hub.
pub(super) fn finish(
    context: &Context,
    writer: PacketWriter<File>,
    outline: Outline<'_>,
    now: Timestamp,
) -> Result<Sealed, HubError> {
    let mut nonce = [0; 16];
    chance::fill(&mut nonce).map_err(super::register::RegisterError::Random)?;
    let header = Header {
        format: FORMAT,
        reads: FORMAT,
        purpose: outline.purpose,
        to: outline.to,
        from: context.code,
        position: outline.position,
        date: now.to_zoned(TimeZone::UTC).date(),
        previous: outline.previous,
        created_at: now,
        producer: concat!("svod-hub ", env!("CARGO_PKG_VERSION")).to_owned(),
        nonce: Nonce(nonce),
        control: outline.control,
        state_digest: outline.state_digest,
        log: LogEvidence::default(),
    };
    let kind = header.kind();
    let mut written = writer.finish(header, outline.signing)?;
    let mut name = written.name.clone();
    name.sealed = true;
    let name = name.to_string();
    let card = if outline.to == context.code {
        &context.keys.card
    } else {
        context.trust.card(outline.to).ok_or(HubError::NoCard(outline.to))?
    };
    let path = context.paths.archived(outline.to, &name);
    let directory = path.parent().expect("a folder a peer");
    durable_file::make_directories(directory).map_err(at(directory))?;
    let mut file = NewFile::create(directory).map_err(at(&path))?;
    written.output.seek(SeekFrom::Start(0)).map_err(at(&path))?;
    seal::seal_all(&context.keys.recipients_for(card), &mut written.output, &mut file).map_err(at(&path))?;
    file.flush().map_err(at(&path))?;
    file.commit(&path)?;
    let mark = Mark { position: outline.position, digest: written.digest };
    let (_, sha256) = sum::of_file(&path).map_err(at(&path))?;
    Ok(Sealed { name, kind, mark, nonce: Nonce(nonce), sha256 })
}
