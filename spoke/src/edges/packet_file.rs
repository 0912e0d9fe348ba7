//! Packets as files: sealed ones of ours in the spool, opened ones of the hub.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    archive::{self, NewFile},
    config::Config,
    key_ring::KeyRing,
    key_table::KyState,
    keys::OwnKeys,
    messages::Lang,
    sum,
};
use exchange_format::{
    error::PacketError,
    file_name::FileName,
    packet::{
        FORMAT, Header, Limits, MemberName, PacketWriter, VerifiedPacket,
        manifest::{LogEvidence, Nonce, Purpose},
        open_sealed,
    },
    participant::ParticipantCode,
    position::{Digest, Position},
    seal,
    state_digest::StateDigest,
    stream::Control,
};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    SpokeError,
    config::SpokeConfig,
    station::{Station, random_bytes},
};

/// What seals and opens, apart from the database, so that a transaction may be open beside it.
pub(super) struct Desk<'a> {
    pub own: ParticipantCode,
    pub hub: ParticipantCode,
    /// The language of protocols.
    pub lang: Lang,
    keys: &'a OwnKeys,
    told: Option<KyState>,
    pub hub_keys: &'a KeyRing,
    limits: &'a Limits,
    spool: PathBuf,
    spool_name: &'a Path,
    streebog: bool,
}

/// A packet of ours in the spool.
#[derive(Debug)]
pub(super) struct SealedFile {
    pub name: String,
    pub digest: Digest,
    /// Relative to the directory of the configuration.
    pub file: String,
    /// Of the file as it was written.
    pub sha256: Digest,
    pub nonce: Nonce,
}

/// A packet of ours, signed, not yet in its envelope.
pub(super) struct UnsealedFile {
    /// The name that it will have.
    pub name: String,
    pub digest: Digest,
    nonce: Nonce,
    clear: File,
}

/// A packet of ours in its envelope, which has no name in the spool yet.
pub(super) struct EnclosedFile {
    name: String,
    digest: Digest,
    nonce: Nonce,
    file: NewFile,
    sha256: Digest,
}

/// What a packet says besides its members.
pub(super) struct Heading {
    pub purpose: Purpose,
    pub position: Position,
    pub previous: Option<Digest>,
    pub control: Control,
    pub state_digest: Option<StateDigest>,
}

/// The station as its database and the rest, which can be used beside one another.
pub(super) fn apart(station: &mut Station) -> (&mut rusqlite::Connection, Desk<'_>) {
    let Station { config, connection, keys, told, hub_keys, limits, .. } = station;
    (connection, Desk { told: *told, ..Desk::new(config, keys, hub_keys, limits) })
}

impl<'a> Desk<'a> {
    /// The desk of the centre of `config`, its keys not changing.
    pub fn new(
        config: &'a Config<SpokeConfig>,
        keys: &'a OwnKeys,
        hub_keys: &'a KeyRing,
        limits: &'a Limits,
    ) -> Self {
        let spool = config.path(&config.spool);
        let (own, hub, streebog) = (config.code, config.hub, config.exchange.streebog);
        let (spool_name, lang) = (&config.spool, config.lang);
        Self { own, hub, lang, keys, told: None, hub_keys, limits, spool, spool_name, streebog }
    }

    /// Writes, signs and seals a packet; on the disk when this returns.
    pub fn seal(
        &self,
        heading: Heading,
        now: Timestamp,
        write: impl FnOnce(&mut PacketWriter<BufWriter<File>>) -> Result<(), SpokeError>,
    ) -> Result<SealedFile, SpokeError> {
        let mut writer = self.begin()?;
        write(&mut writer)?;
        self.keep(self.enclose(self.finish(heading, now, writer)?)?)
    }

    /// Begins a packet in the clear.
    pub fn begin(&self) -> Result<PacketWriter<BufWriter<File>>, SpokeError> {
        Ok(PacketWriter::new(BufWriter::new(self.nameless()?))?.with_streebog(self.streebog))
    }

    /// A file of the spool without a name, for a packet in the clear.
    pub fn nameless(&self) -> Result<File, SpokeError> {
        archive::nameless(&self.spool).map_err(|source| self.failed(source))
    }

    /// Ends and signs a packet.
    pub fn finish(
        &self,
        heading: Heading,
        now: Timestamp,
        writer: PacketWriter<BufWriter<File>>,
    ) -> Result<UnsealedFile, SpokeError> {
        let header = self.header(heading, now);
        let signing = self.keys.signing_for(self.told, header.kind().is_numbered());
        let written = writer.finish(header, signing)?;
        let mut clear = written.output.into_inner().map_err(|refused| self.failed(refused.into_error()))?;
        clear.seek(SeekFrom::Start(0)).map_err(|source| self.failed(source))?;
        let mut name = written.name;
        name.sealed = true;
        let nonce = written.manifest.header.nonce;
        Ok(UnsealedFile { name: name.to_string(), digest: written.digest, nonce, clear })
    }

    /// Puts a finished packet into its envelope, in a file without its name yet. Any thread may do it.
    pub fn enclose(&self, packet: UnsealedFile) -> Result<EnclosedFile, SpokeError> {
        let UnsealedFile { name, digest, nonce, clear } = packet;
        let failed = |source| self.failed(source);
        let file = NewFile::create(&self.spool).map_err(failed)?;
        let recipients = self.keys.recipients_for(self.hub_keys.current());
        let file =
            seal::seal_all(&recipients, &mut BufReader::new(clear), BufWriter::new(file)).map_err(failed)?;
        let mut file = file.into_inner().map_err(|refused| failed(refused.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let (_, sha256) = sum::pass(&mut file, &mut io::sink()).map_err(failed)?;
        Ok(EnclosedFile { name, digest, nonce, file, sha256 })
    }

    /// Gives an envelope its name in the spool; on the disk when this returns.
    pub fn keep(&self, packet: EnclosedFile) -> Result<SealedFile, SpokeError> {
        let EnclosedFile { name, digest, nonce, file, sha256 } = packet;
        file.commit(&self.spool.join(&name))?;
        let file = self.spool_name.join(&name).to_string_lossy().into_owned();
        Ok(SealedFile { name, digest, file, sha256, nonce })
    }

    fn failed(&self, source: std::io::Error) -> SpokeError {
        SpokeError::Io { path: self.spool.clone(), source }
    }

    fn header(&self, heading: Heading, now: Timestamp) -> Header {
        Header {
            format: FORMAT,
            reads: FORMAT,
            purpose: heading.purpose,
            to: self.hub,
            from: self.own,
            position: heading.position,
            date: now.to_zoned(TimeZone::UTC).date(),
            previous: heading.previous,
            created_at: now,
            producer: concat!("svod-spoke ", env!("CARGO_PKG_VERSION")).to_owned(),
            nonce: Nonce(random_bytes()),
            control: heading.control,
            state_digest: heading.state_digest,
            log: LogEvidence::default(),
        }
    }

    /// Whether the file at `path`, called `name`, is there and is sealed to a key of ours, or to none.
    pub fn opens(&self, path: &Path, name: &FileName) -> Result<(), PacketError> {
        let file = File::open(path)?;
        if name.sealed {
            seal::check_opens(&self.keys.identities, BufReader::new(file))?;
        }
        Ok(())
    }

    /// Opens the file at `path` as the packet `name` of the hub and proves that it is.
    pub fn open(&self, path: &Path, name: &FileName) -> Result<VerifiedPacket<File>, PacketError> {
        let file = File::open(path)?;
        let unverified = if name.sealed {
            let clear = archive::nameless(&self.spool)?;
            open_sealed(BufReader::new(file), &self.keys.identities, clear, self.limits)?
        } else {
            exchange_format::packet::UnverifiedPacket::open(file, self.limits)?
        };
        self.hub_keys.verify(unverified, name)
    }
}

/// Writes the bytes of an `answer.xml` as the one member of an answer.
pub(super) fn write_answer(
    writer: &mut PacketWriter<BufWriter<File>>,
    body: &[u8],
) -> Result<(), SpokeError> {
    writer.begin_member(MemberName::Answer)?;
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        writer.write_line(line)?;
    }
    Ok(())
}
