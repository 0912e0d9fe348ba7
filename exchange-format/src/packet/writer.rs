//! Writes a packet as a stream: the same input gives the same bytes, and memory does not grow with it.

use std::{
    io::{self, Seek, SeekFrom, Write},
    mem,
};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use sha2::{Digest as _, Sha256};
use streebog::Streebog256;

use crate::{
    file_name::FileName,
    participant::ParticipantCode,
    position::Digest,
    signature::{self, SigningKey},
};

use super::{
    MANIFEST_NAME, SIGNATURE_NAME,
    manifest::{Header, Manifest, ManifestError, Member, MemberName},
    member_reader,
    zip::{self, Entry, Method},
};

/// Input is handed to the packer in pieces of exactly this size, so that its bytes depend on nothing else.
const CHUNK: usize = 64 * 1024;

/// Why a packet was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Writing failed; what was written is to be thrown away.
    #[error("writing the packet: {0}")]
    Io(#[from] io::Error),
    /// A line has a line break or a carriage return in it, or is empty (of a card one is).
    #[error("{member}, line {line}: a line is not empty and has no line break in it")]
    Line {
        /// The member being written.
        member: String,
        /// Number of the line among those handed in, from 1.
        line: u64,
    },
    /// The header has a value that cannot be written, or does not go with the members.
    #[error("the manifest: {0}")]
    Manifest(#[from] ManifestError),
    /// Packets, and members, end at 4 GiB.
    #[error("a packet cannot be larger than 4 GiB: send it in parts")]
    TooLarge,
    /// The key is another participant's.
    #[error("the packet is from {from}, the key is of {key}")]
    OtherKey {
        /// The sender by the header.
        from: ParticipantCode,
        /// Whose key it is.
        key: ParticipantCode,
    },
}

/// A finished packet.
#[derive(Debug)]
pub struct WrittenPacket<W> {
    /// Its name without envelope (`sealed` is false).
    pub name: FileName,
    /// SHA-256 of the manifest: the packet's identity.
    pub digest: Digest,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The bytes of `manifest.xml`.
    pub manifest_bytes: Vec<u8>,
    /// Bytes of the ZIP.
    pub size: u64,
    /// Where it was written; the position is its end.
    pub output: W,
}

/// A packet being written.
///
/// ```
/// # use std::io::Cursor;
/// # use exchange_format::packet::{MemberName, PacketWriter};
/// let mut writer = PacketWriter::new(Cursor::new(Vec::new()))?;
/// writer.begin_member(MemberName::records("contact").expect("a kind"))?;
/// writer.write_line(br#"<record key="0" version="1" form="tombstone"></record>"#)?;
/// assert_eq!(writer.content_lines(), 1);
/// # Ok::<(), exchange_format::packet::WriteError>(())
/// ```
pub struct PacketWriter<W: Write + Seek> {
    output: W,
    /// Where the packet begins in `output`.
    base: u64,
    /// Bytes of the packet written so far.
    written: u64,
    entries: Vec<Entry>,
    members: Vec<Member>,
    open: Option<OpenMember>,
    /// While a member is open: a packet that waits for its end takes little memory.
    packer: Option<Compress>,
    input: Vec<u8>,
    packed: Vec<u8>,
    /// What was packed since the last lot ended, if the writer is asked for lots.
    lot: Option<Vec<u8>>,
    content: u64,
    streebog: bool,
}

struct OpenMember {
    name: MemberName,
    at: u64,
    count: u64,
    size: u64,
    hash: Sha256,
    packed_hash: Sha256,
    streebog: Option<Streebog256>,
    crc: Crc,
}

impl<W: Write + Seek> PacketWriter<W> {
    /// Begins a packet at the current position of `output`.
    pub fn new(mut output: W) -> Result<Self, WriteError> {
        let base = output.stream_position()?;
        Ok(Self {
            output,
            base,
            written: 0,
            entries: Vec::new(),
            members: Vec::new(),
            open: None,
            packer: None,
            input: Vec::new(),
            packed: Vec::new(),
            lot: None,
            content: 0,
            streebog: false,
        })
    }

    /// Makes a writer that gives Streebog-256 of each member beside SHA-256, where the participant is configured so.
    /// To be said before the first member.
    #[must_use]
    pub fn with_streebog(mut self, yes: bool) -> Self {
        self.streebog = yes;
        self
    }

    /// Makes a writer whose lines can be had packed, a lot at a time: see [`PacketWriter::end_lot`].
    #[must_use]
    pub fn in_lots(mut self) -> Self {
        self.lot = Some(Vec::new());
        self
    }

    /// Ends a lot of lines and gives its packed bytes, which [`lot::find`](super::lot::find) reads without those
    /// before: whoever keeps what it sends need not pack it again.
    ///
    /// # Panics
    /// If the writer is not [`in_lots`](PacketWriter::in_lots), or no member was begun.
    pub fn end_lot(&mut self) -> Result<Vec<u8>, WriteError> {
        self.pack(FlushCompress::Full)?;
        Ok(mem::take(self.lot.as_mut().expect("a writer in lots")))
    }

    /// Begins a member; ends the one before. Members are begun in the order of the format (`Kind::ALL`).
    pub fn begin_member(&mut self, name: MemberName) -> Result<(), WriteError> {
        self.end_member()?;
        let at = self.written;
        let placeholder = entry_of(&name.to_string(), Method::Deflate, at)?;
        self.put(&placeholder.local_header())?;
        self.packer = Some(Compress::new(Compression::new(1), false));
        if let Some(lot) = &mut self.lot {
            lot.clear();
        }
        self.input.reserve(CHUNK);
        self.packed.reserve(CHUNK);
        let prologue = name.framed().map(member_reader::opening);
        let (hash, packed_hash, crc) = (Sha256::new(), Sha256::new(), Crc::new());
        let streebog = self.streebog.then(Streebog256::new);
        self.open = Some(OpenMember { name, at, count: 0, size: 0, hash, packed_hash, streebog, crc });
        self.feed(prologue.unwrap_or_default().as_bytes())
    }

    /// Writes one record, or one line of an answer, without its line break. The bytes are taken as they are.
    ///
    /// # Panics
    /// If no member was begun.
    pub fn write_line(&mut self, line: &[u8]) -> Result<(), WriteError> {
        let open = self.open.as_mut().expect("a line belongs to a member that was begun");
        open.count += 1;
        let empty = line.is_empty() && open.name != MemberName::Card;
        if empty || line.iter().any(|b| matches!(b, b'\n' | b'\r')) {
            return Err(WriteError::Line { member: open.name.to_string(), line: open.count });
        }
        self.feed(line)?;
        self.feed(b"\n")
    }

    /// Ends the member, if one is begun.
    pub fn end_member(&mut self) -> Result<(), WriteError> {
        let Some(open) = &self.open else { return Ok(()) };
        if open.name.framed().is_some() {
            self.feed(member_reader::CLOSING)?;
        }
        self.pack(FlushCompress::Finish)?;
        self.packer = None;
        (self.input, self.packed) = (Vec::new(), Vec::new());
        let open = self.open.take().expect("checked above");
        let mut entry = entry_of(&open.name.to_string(), Method::Deflate, open.at)?;
        entry.crc = open.crc.sum();
        entry.size = u32::try_from(open.size).map_err(|_| WriteError::TooLarge)?;
        entry.packed = u32::try_from(self.written - entry.data_at()).map_err(|_| WriteError::TooLarge)?;
        self.output.seek(SeekFrom::Start(self.base + open.at))?;
        self.output.write_all(&entry.local_header())?;
        self.output.seek(SeekFrom::Start(self.base + self.written))?;
        self.entries.push(entry);
        self.members.push(Member {
            name: open.name,
            count: open.count,
            size: open.size,
            sha256: Digest::from_bytes(open.hash.finalize().into()),
            packed_sha256: Digest::from_bytes(open.packed_hash.finalize().into()),
            streebog256: open.streebog.map(|hash| Digest::from_bytes(hash.finalize().into())),
        });
        Ok(())
    }

    /// Unpacked bytes of all members so far: for the limit of a snapshot part.
    pub fn content_bytes(&self) -> u64 {
        self.content + self.input.len() as u64
    }

    /// Lines of all members so far.
    pub fn content_lines(&self) -> u64 {
        let open = self.open.as_ref().map_or(0, |open| open.count);
        self.members.iter().map(|member| member.count).sum::<u64>() + open
    }

    /// Ends the packet: manifest, signature, directory. Does not flush or sync `output`.
    pub fn finish(mut self, header: Header, key: &SigningKey) -> Result<WrittenPacket<W>, WriteError> {
        self.end_member()?;
        if header.from != key.participant() {
            return Err(WriteError::OtherKey { from: header.from, key: key.participant() });
        }
        let manifest = Manifest { header, members: mem::take(&mut self.members) };
        let manifest_bytes = manifest.to_bytes()?;
        let digest = Digest::of(&manifest_bytes);
        let name = manifest.header.file_name(&digest, false);
        let note = signature::sign_note(key, &name.stem(), &digest);
        self.store(MANIFEST_NAME, &manifest_bytes)?;
        self.store(SIGNATURE_NAME, &note)?;
        self.write_directory()?;
        Ok(WrittenPacket { name, digest, manifest, manifest_bytes, size: self.written, output: self.output })
    }

    fn write_directory(&mut self) -> Result<(), WriteError> {
        let directory_at = u32::try_from(self.written).map_err(|_| WriteError::TooLarge)?;
        let directory: Vec<u8> = self.entries.iter().flat_map(Entry::central_header).collect();
        self.put(&directory)?;
        let entries = u16::try_from(self.entries.len()).map_err(|_| WriteError::TooLarge)?;
        let bytes = u32::try_from(directory.len()).map_err(|_| WriteError::TooLarge)?;
        self.put(&zip::end_record(entries, bytes, directory_at))?;
        if self.written > u64::from(u32::MAX) { Err(WriteError::TooLarge) } else { Ok(()) }
    }

    /// Writes a small member unpacked, so that a reader finds it without unpacking.
    fn store(&mut self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let mut entry = entry_of(name, Method::Stored, self.written)?;
        let mut crc = Crc::new();
        crc.update(bytes);
        entry.crc = crc.sum();
        entry.size = u32::try_from(bytes.len()).map_err(|_| WriteError::TooLarge)?;
        entry.packed = entry.size;
        self.put(&entry.local_header())?;
        self.put(bytes)?;
        self.entries.push(entry);
        Ok(())
    }

    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), WriteError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.input.len()));
            self.input.extend_from_slice(now);
            if self.input.len() == CHUNK {
                self.pack(FlushCompress::None)?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Hashes and packs the input gathered; with `Finish` to the end of the member's deflate stream, with
    /// `Full` so that what follows can be unpacked by itself (RFC 1951: no reference reaches back).
    fn pack(&mut self, flush: FlushCompress) -> Result<(), WriteError> {
        let open = self.open.as_mut().expect("a member is open while input is gathered");
        open.hash.update(&self.input);
        if let Some(streebog) = &mut open.streebog {
            streebog.update(&self.input);
        }
        open.crc.update(&self.input);
        open.size += self.input.len() as u64;
        self.content += self.input.len() as u64;
        let packer = self.packer.as_mut().expect("a member is open while input is gathered");
        let mut rest = &self.input[..];
        loop {
            let before = packer.total_in();
            self.packed.clear();
            let status = packer.compress_vec(rest, &mut self.packed, flush).map_err(io::Error::other)?;
            let taken = usize::try_from(packer.total_in() - before).expect("at most what was given");
            rest = &rest[taken..];
            open.packed_hash.update(&self.packed);
            self.output.write_all(&self.packed)?;
            if let Some(lot) = &mut self.lot {
                lot.extend_from_slice(&self.packed);
            }
            self.written += self.packed.len() as u64;
            let done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => rest.is_empty() && self.packed.len() < self.packed.capacity(),
            };
            if done {
                break;
            }
        }
        self.input.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.output.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

/// An entry whose figures are not known yet.
fn entry_of(name: &str, method: Method, at: u64) -> Result<Entry, WriteError> {
    let at = u32::try_from(at).map_err(|_| WriteError::TooLarge)?;
    Ok(Entry { name: name.to_owned(), method, crc: 0, packed: 0, size: 0, at })
}
