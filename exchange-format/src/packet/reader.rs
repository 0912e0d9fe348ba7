//! Reads a packet in three steps, each a type: see [`crate::packet`].

use std::io::{Read, Seek, SeekFrom, Write};

use crate::{
    error::PacketError,
    file_name::{DigestPrefix, FileName},
    participant::ParticipantCode,
    position::{Digest, Mark},
    seal::{self, Identity},
    signature::{self, VerifyingKey},
};

use super::{
    Limits, MANIFEST_NAME, SIGNATURE_NAME,
    manifest::{Manifest, MemberName},
    member_reader,
    zip::{self, Entry},
};

/// A signature note is a few hundred bytes.
const SIGNATURE_BYTES: u64 = 16 * 1024;

/// A well-formed ZIP with a readable manifest. Nothing it says is proved.
#[derive(Debug)]
pub struct UnverifiedPacket<R> {
    packet: Packet<R>,
    signature: Vec<u8>,
}

/// A packet whose name, manifest and signature agree. Its control block may be judged; its members are not
/// yet looked at.
#[derive(Debug)]
pub struct VerifiedPacket<R> {
    packet: Packet<R>,
}

/// A packet of which every byte has been seen to be the signed one, within the limits, or is seen to be while
/// it is read.
#[derive(Debug)]
pub struct CheckedPacket<'a, R> {
    packet: &'a mut Packet<R>,
}

/// A packet that agrees with its own manifest, whoever made it: to be looked at, never acted upon.
#[derive(Debug)]
pub struct UnprovenPacket<R> {
    packet: Packet<R>,
}

#[derive(Debug)]
struct Packet<R> {
    input: R,
    limits: Limits,
    /// Members first, in the manifest's order once verified; then manifest and signature.
    entries: Vec<Entry>,
    manifest: Manifest,
    manifest_bytes: Vec<u8>,
    digest: Digest,
}

/// Opens the envelope `sealed` with `identities` into `spool` (empty; read, write, seek; it will hold
/// personal data in the clear) and the packet in it.
pub fn open_sealed<S: Read, R: Read + Write + Seek>(
    sealed: S,
    identities: &[Identity],
    mut spool: R,
    limits: &Limits,
) -> Result<UnverifiedPacket<R>, PacketError> {
    seal::open(identities, sealed, &mut spool, limits.packet_bytes)?;
    spool.flush()?;
    spool.seek(SeekFrom::Start(0))?;
    UnverifiedPacket::open(spool, limits)
}

impl<R: Read + Seek> UnverifiedPacket<R> {
    /// Reads the ZIP's headers and the manifest; unpacks nothing.
    pub fn open(mut input: R, limits: &Limits) -> Result<Self, PacketError> {
        let entries = zip::read_entries(&mut input, limits)?;
        let [members @ .., manifest_entry, signature_entry] = &entries[..] else {
            return Err(unlisted(entries.len() + 1, Some(MANIFEST_NAME), None));
        };
        for (at, entry, name) in [
            (entries.len() - 1, manifest_entry, MANIFEST_NAME),
            (entries.len(), signature_entry, SIGNATURE_NAME),
        ] {
            if entry.name != name {
                return Err(unlisted(at, Some(name), Some(&entry.name)));
            }
        }
        zip::check_deflated(members)?;
        let manifest_bytes = member_reader::read_whole(&mut input, manifest_entry, limits.manifest_bytes)?;
        let signature = member_reader::read_whole(&mut input, signature_entry, SIGNATURE_BYTES)?;
        let manifest = Manifest::from_bytes(&manifest_bytes, limits)?;
        let digest = Digest::of(&manifest_bytes);
        let limits = limits.clone();
        Ok(Self { packet: Packet { input, limits, entries, manifest, manifest_bytes, digest }, signature })
    }

    /// What it says of itself, unproved: for the log of what is refused, never to act upon.
    pub fn claims(&self) -> &Manifest {
        &self.packet.manifest
    }

    /// SHA-256 of its manifest.
    pub fn digest(&self) -> Digest {
        self.packet.digest
    }

    /// The bytes of `manifest.sig`, unproved.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The bytes of `manifest.xml`, unproved.
    pub fn manifest_bytes(&self) -> &[u8] {
        &self.packet.manifest_bytes
    }

    /// Whether each part of `name` is what the manifest says.
    pub fn check_name(&self, name: &FileName) -> Result<(), PacketError> {
        check_name(name, &self.packet.manifest, &self.packet.digest)
    }

    /// Which of `keys` signed it under `name`, if one of them did.
    pub fn signer<'k>(
        &self,
        name: &FileName,
        mut keys: impl Iterator<Item = &'k VerifyingKey>,
    ) -> Option<&'k VerifyingKey> {
        let stem = name.stem();
        keys.find(|key| signature::verify_note(key, &stem, &self.packet.digest, &self.signature).is_ok())
    }

    /// Gives up the question who made it: what is left to ask is whether it agrees with itself.
    pub fn without_sender(self) -> UnprovenPacket<R> {
        UnprovenPacket { packet: self.packet }
    }

    /// Proves that the packet is what `name` says and signed by its sender, whose key `key` knows, to the last
    /// byte: what was damaged on the way is found here, before anything is unpacked. That the name belongs to the login or directory, and `to` is this participant, is the caller's to check.
    pub fn verify(
        self,
        name: &FileName,
        key: impl Fn(ParticipantCode) -> Option<VerifyingKey>,
    ) -> Result<VerifiedPacket<R>, PacketError> {
        self.check_name(name)?;
        let Packet { manifest, digest, .. } = &self.packet;
        let from = manifest.header.from;
        let key =
            key(from).filter(|key| key.participant() == from).ok_or(PacketError::UnknownKey { from })?;
        signature::verify_note(&key, &name.stem(), digest, &self.signature)?;
        let mut packet = self.packet;
        packet.check_packed()?;
        Ok(VerifiedPacket { packet })
    }
}

impl<R: Read + Seek> UnprovenPacket<R> {
    /// Compares list, packed bytes, size, count and SHA-256 of the members with the manifest, within the limits.
    pub fn check_members(&mut self) -> Result<CheckedPacket<'_, R>, PacketError> {
        self.packet.check_packed()?;
        self.packet.check_members()
    }
}

/// Each part of the name against the manifest; participants first, so that a foreign packet is called so.
fn check_name(name: &FileName, manifest: &Manifest, digest: &Digest) -> Result<(), PacketError> {
    let header = &manifest.header;
    let (position, own) = (name.position, header.position);
    let prefix = DigestPrefix::of(digest);
    let parts = [
        ("from", name.from.to_string(), header.from.to_string()),
        ("to", name.to.to_string(), header.to.to_string()),
        ("digest", name.digest_prefix.as_str().to_owned(), prefix.as_str().to_owned()),
        ("kind", name.kind.to_string(), header.kind().to_string()),
        ("epoch", position.epoch.to_string(), own.epoch.to_string()),
        ("seq", position.seq.to_string(), own.seq.to_string()),
        ("date", name.date.to_string(), header.date.to_string()),
    ];
    match parts.into_iter().find(|(_, name, manifest)| name != manifest) {
        Some((field, name, manifest)) => Err(PacketError::NameMismatch { field, name, manifest }),
        None => Ok(()),
    }
}

fn unlisted(place: usize, expected: Option<&str>, found: Option<&str>) -> PacketError {
    PacketError::MemberList {
        place,
        expected: expected.map(ToOwned::to_owned),
        found: found.map(ToOwned::to_owned),
    }
}

impl<R> Packet<R> {
    /// The ZIP has the manifest's members, in its order, and no others.
    fn check_list(&self) -> Result<(), PacketError> {
        let found = &self.entries[..self.entries.len() - 2];
        for place in 0..found.len().max(self.manifest.members.len()) {
            let expected = self.manifest.members.get(place).map(|member| member.name.to_string());
            let found = found.get(place).map(|entry| &entry.name);
            if expected.as_ref() != found {
                return Err(unlisted(place + 1, expected.as_deref(), found.map(String::as_str)));
            }
        }
        let records =
            self.manifest.members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.count));
        zip::oversize("records", self.limits.records, records)
    }
}

impl<R: Read + Seek> Packet<R> {
    /// The members are the manifest's, and stand in the ZIP as it says.
    fn check_packed(&mut self) -> Result<(), PacketError> {
        self.check_list()?;
        for (member, entry) in self.manifest.members.iter().zip(&self.entries) {
            member_reader::check_packed(&mut self.input, entry, member)?;
        }
        Ok(())
    }

    /// Unpacks each member once and compares size, count and SHA-256 with the manifest, within the limits.
    fn check_members(&mut self) -> Result<CheckedPacket<'_, R>, PacketError> {
        let Packet { input, limits, entries, manifest, .. } = self;
        for (member, entry) in manifest.members.iter().zip(&*entries) {
            member_reader::read_lines(input, entry, member, limits, |_| Ok::<_, PacketError>(()))?;
        }
        Ok(CheckedPacket { packet: self })
    }
}

impl<R: Read + Seek> VerifiedPacket<R> {
    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.packet.manifest
    }

    /// The signed bytes of `manifest.xml`.
    pub fn manifest_bytes(&self) -> &[u8] {
        &self.packet.manifest_bytes
    }

    /// SHA-256 of its manifest: its identity.
    pub fn digest(&self) -> Digest {
        self.packet.digest
    }

    /// Its position and digest.
    pub fn mark(&self) -> Mark {
        Mark { position: self.packet.manifest.header.position, digest: self.packet.digest }
    }

    /// Unpacks each member once and compares size, count and SHA-256 with the manifest, within the limits: what
    /// is wrong now was signed by its sender. To be done before anything is applied.
    pub fn check_members(&mut self) -> Result<CheckedPacket<'_, R>, PacketError> {
        self.packet.check_members()
    }

    /// The members to be proved while they are read, for a caller whose transaction is rolled back if
    /// [`CheckedPacket::for_each_line`] ends in an error: a packet that was checked before and comes from the
    /// archive needs no reading of its own.
    pub fn check_while_reading(&mut self) -> CheckedPacket<'_, R> {
        CheckedPacket { packet: &mut self.packet }
    }
}

impl<R: Read + Seek> CheckedPacket<'_, R> {
    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.packet.manifest
    }

    /// Hands each record of `member` (each line, if it is the answer) to `each`, without its line break.
    ///
    /// The bytes, packed and unpacked, are checked again on the way: if the file was changed meanwhile, this
    /// ends in an error, and
    /// the transaction in which the records were applied is to be rolled back.
    pub fn for_each_line<E: From<PacketError>>(
        &mut self,
        member: &MemberName,
        each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Packet { input, limits, entries, manifest, .. } = &mut *self.packet;
        let mut pairs = manifest.members.iter().zip(&*entries);
        let Some((member, entry)) = pairs.find(|(listed, _)| listed.name == *member) else {
            return Err(PacketError::NoMember(member.to_string()).into());
        };
        member_reader::check_packed(input, entry, member)?;
        member_reader::read_lines(input, entry, member, limits, each)
    }

    /// Writes the unpacked bytes of `member`; what was written is to be thrown away if this ends in an error.
    pub fn copy_member(&mut self, member: &MemberName, out: &mut impl Write) -> Result<(), PacketError> {
        if let Some(kind) = member.framed() {
            out.write_all(member_reader::opening(kind).as_bytes())?;
        }
        self.for_each_line(member, |line| {
            out.write_all(line)?;
            out.write_all(b"\n").map_err(PacketError::from)
        })?;
        if member.framed().is_some() {
            out.write_all(member_reader::CLOSING)?;
        }
        Ok(())
    }
}
