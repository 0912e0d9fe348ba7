//! The archive as a rebuild reads it: every file is proven before anything is taken from it. By which card is no question of
//! places in a stream here: the hub's own stream names the digest of each packet that counts.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    archive,
    messages::Told,
    output::{Exit, Failure},
};
use exchange_format::{
    error::PacketError,
    file_name::{DigestPrefix, FileName},
    packet::{MemberName, UnverifiedPacket, VerifiedPacket, open_sealed},
    participant::ParticipantCode,
    position::{Digest, Position},
    record::{Kind, Record},
    seal::Identity,
    signature::VerifyingKey,
};

use crate::edges::{failure, hub::Context};

/// More than the header of any envelope has, bytes.
const ENVELOPE: u64 = 64 << 10;

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// The participant in whose folder it lies.
    pub peer: ParticipantCode,
    /// Its name, read.
    pub name: FileName,
    /// Its name.
    pub text: String,
}

/// The archive of a hub that is to be rebuilt.
pub struct Archive<'a> {
    context: &'a Context,
    directory: &'a Path,
    identities: Vec<Identity>,
    keys: BTreeMap<ParticipantCode, Vec<VerifyingKey>>,
    /// What is being read lies here in the clear, without a name.
    spool: PathBuf,
}

impl<'a> Archive<'a> {
    /// The archive in `directory`, opened with the hub's keys and with `more`.
    pub fn new(context: &'a Context, directory: &'a Path, more: Vec<Identity>, spool: PathBuf) -> Self {
        let mut identities = context.keys.identities.clone();
        identities.extend(more);
        let next = context.keys.next.iter().map(|next| &next.card);
        let own = [&context.keys.card].into_iter().chain(next);
        let mut keys: BTreeMap<ParticipantCode, Vec<VerifyingKey>> = BTreeMap::new();
        for card in own.chain(context.trust.all()) {
            keys.entry(card.content.code).or_default().push(card.content.signing_key.clone());
        }
        Self { context, directory, identities, keys, spool }
    }

    /// All its files, by folder and name; what is none of this hub's is refused.
    pub fn files(&self) -> Result<Vec<Filed>, Failure> {
        let mut files = Vec::new();
        for folder in listed(self.directory)? {
            let code = folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            let (Some(peer), true) = (code, folder.is_dir()) else { return Err(foreign(&folder)) };
            for path in listed(&folder)? {
                let text = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
                let name: FileName = text.parse().map_err(|_| foreign(&path))?;
                let hub = self.context.code;
                let is_ours = (name.from, name.to) == (hub, peer) || (name.from, name.to) == (peer, hub);
                if !is_ours || !self.keys.contains_key(&peer) {
                    return Err(foreign(&path));
                }
                files.push(Filed { peer, name, text });
            }
        }
        Ok(files)
    }

    /// Where the file `text` of `peer` lies.
    pub fn path(&self, peer: ParticipantCode, text: &str) -> PathBuf {
        self.directory.join(peer.as_str()).join(text)
    }

    /// What the numbered packet at `position` is called, and where it lies; `*` for what only its own name says.
    pub fn called(
        &self,
        peer: ParticipantCode,
        received: bool,
        position: Position,
        digest: &Digest,
    ) -> String {
        let hub = self.context.code;
        let (to, from) = if received { (hub, peer) } else { (peer, hub) };
        let (epoch, seq) = (position.epoch.get(), position.seq.get());
        let digest = DigestPrefix::of(digest);
        let name = format!("SVOD1_*_{to}_{from}_{epoch:04}_{seq:08}_*_{}.zip.age", digest.as_str());
        self.path(peer, &name).display().to_string()
    }

    /// The proven packet in the file `text` of `peer`; with `digest` that very one.
    pub fn open(
        &self,
        peer: ParticipantCode,
        text: &str,
        digest: Option<Digest>,
    ) -> Result<VerifiedPacket<File>, Failure> {
        let path = self.path(peer, text);
        let name: FileName = text.parse().map_err(|_| foreign(&path))?;
        if !path.is_file() {
            return Err(of_packet("rebuild-missing", &path, peer, &name));
        }
        let damaged =
            |error: &PacketError| of_packet("rebuild-damaged", &path, peer, &name).because("detail", error);
        let packet = self.prove(&path, &name).map_err(|error| match error {
            PacketError::Io(source) => failure::file(&path)(source),
            PacketError::UnknownKey { .. } => foreign(&path),
            error => damaged(&error),
        })?;
        if digest.is_some_and(|digest| digest != packet.digest()) {
            return Err(of_packet("rebuild-other", &path, peer, &name));
        }
        Ok(packet)
    }

    /// Hands each record of `packet`, which is `text` of `peer`, to `each`, in its order; not those of a mirror.
    pub fn for_each_record(
        &self,
        (peer, text): (ParticipantCode, &str),
        packet: &mut VerifiedPacket<File>,
        mut each: impl FnMut(Record) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut checked = packet.check_while_reading();
        let members: Vec<MemberName> =
            checked.manifest().members.iter().map(|member| member.name.clone()).collect();
        for member in members.iter().filter(|member| member.mirrored().is_none()) {
            let Some(kind) = member.kind().and_then(|kind| kind.parse::<Kind>().ok()) else { continue };
            let read = checked.for_each_line::<Stop>(member, |line| {
                let (record, _) = Record::read_line(kind, line).map_err(|_| PacketError::Line {
                    member: member.to_string(),
                    line: 0,
                    problem: "its key, version or form cannot be read",
                })?;
                each(record).map_err(Stop::Failure)
            });
            read.map_err(|stop| match stop {
                Stop::Packet(error) => self.damaged(peer, text, &error),
                Stop::Failure(failure) => failure,
            })?;
        }
        Ok(())
    }

    /// That the file `text` of `peer` is damaged, as `error` says, which came up while it was read.
    pub fn damaged(&self, peer: ParticipantCode, text: &str, error: impl Into<Told>) -> Failure {
        let path = self.path(peer, text);
        match text.parse() {
            Ok(name) => of_packet("rebuild-damaged", &path, peer, &name).because("detail", error),
            Err(_) => foreign(&path),
        }
    }

    fn prove(&self, path: &Path, name: &FileName) -> Result<VerifiedPacket<File>, PacketError> {
        let file = File::open(path)?;
        let (found, packet) = (file.metadata()?.len(), self.context.limits.packet_bytes);
        let limit = if name.sealed { packet + packet / 4096 + ENVELOPE } else { packet };
        if found > limit {
            return Err(PacketError::Oversize { what: "bytes of the file", limit, found });
        }
        let packet = if name.sealed {
            open_sealed(file, &self.identities, archive::nameless(&self.spool)?, &self.context.limits)?
        } else {
            UnverifiedPacket::open(file, &self.context.limits)?
        };
        let unknown = || PacketError::UnknownKey { from: name.from };
        let keys = self.keys.get(&name.from).ok_or_else(unknown)?;
        let key = packet.signer(name, keys.iter()).unwrap_or(&keys[0]);
        packet.verify(name, |code| (code == key.participant()).then(|| key.clone()))
    }
}

/// Why reading ends.
enum Stop {
    Packet(PacketError),
    Failure(Failure),
}

impl From<PacketError> for Stop {
    fn from(error: PacketError) -> Self {
        Self::Packet(error)
    }
}

/// What lies in `directory`, by name; not what was being written when a machine stopped.
fn listed(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(failure::file(directory))? {
        let path = entry.map_err(failure::file(directory))?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// A file that is none of this hub's archive.
fn foreign(path: &Path) -> Failure {
    Failure::new(Exit::Refused, "rebuild-foreign").told("file", path.display())
}

/// A packet without which something is lost: what, follows from its place.
fn of_packet(code: &'static str, path: &Path, peer: ParticipantCode, name: &FileName) -> Failure {
    let lost = match name {
        name if name.from == name.to => "rebuild-lost-own",
        name if name.from == peer => "rebuild-lost-received",
        _ => "rebuild-lost-sent",
    };
    let args = [("peer", peer.to_string().into()), ("position", name.position.to_string().into())];
    Failure::new(Exit::Refused, code).told("file", path.display()).because("lost", Told::of(lost, &args))
}
