//! Unpacks one member line by line and checks everything that the manifest says of it on the way.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use flate2::{Crc, bufread::DeflateDecoder};
use sha2::{Digest as _, Sha256};
use streebog::Streebog256;

use crate::{error::PacketError, position::Digest};

use super::{
    Limits, XML_DECLARATION,
    manifest::{Member, MemberName},
    zip::{self, Entry, Method, ZipProblem},
};

/// The hashes that a manifest gives of a member.
const PACKED: &str = "SHA-256 of the packed bytes";
const UNPACKED: &str = "SHA-256 of the unpacked bytes";
const STREEBOG: &str = "Streebog-256 of the unpacked bytes";

const BUFFER: usize = 64 * 1024;

/// The lines before the records of a member of this kind.
pub(super) fn opening(kind: &str) -> String {
    format!("{XML_DECLARATION}\n<records kind=\"{kind}\">\n")
}

/// The line after them.
pub(super) const CLOSING: &[u8] = b"</records>\n";

/// Hands each record of `member` (each line, if it is an answer) to `each`. What the manifest says of the
/// member is proved only when this returns `Ok`.
pub(super) fn read_lines<R, E>(
    input: &mut R,
    entry: &Entry,
    member: &Member,
    limits: &Limits,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E>
where
    R: Read + Seek,
    E: From<PacketError>,
{
    let mut proof = Proof::new(entry, member, limits);
    let mut line = Vec::new();
    let bytes = input.seek(SeekFrom::Start(entry.data_at())).map(|_| input.take(u64::from(entry.packed)));
    let mut packed = BufReader::with_capacity(BUFFER, bytes.map_err(PacketError::Io)?);
    let mut unpacked = BufReader::with_capacity(BUFFER, DeflateDecoder::new(&mut packed));
    drain(&mut unpacked, &mut proof, &mut line, &mut each)?;
    let rest = packed.fill_buf().map_err(PacketError::Io)?;
    let clean = rest.is_empty();
    proof.finish(clean, &line).map_err(E::from)
}

/// Proves that the packed bytes are the signed ones, before anything is unpacked.
pub(super) fn check_packed<R: Read + Seek>(
    input: &mut R,
    entry: &Entry,
    member: &Member,
) -> Result<(), PacketError> {
    input.seek(SeekFrom::Start(entry.data_at()))?;
    let mut packed = input.take(u64::from(entry.packed));
    let mut buffer = vec![0; BUFFER];
    let mut hash = Sha256::new();
    loop {
        match packed.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let (found, expected) = (Digest::from_bytes(hash.finalize().into()), member.packed_sha256);
    if found == expected {
        return Ok(());
    }
    Err(PacketError::MemberDigest { member: entry.name.clone(), what: PACKED, expected, found })
}

/// Reads a small member whole.
pub(super) fn read_whole<R: Read + Seek>(
    input: &mut R,
    entry: &Entry,
    limit: u64,
) -> Result<Vec<u8>, PacketError> {
    zip::oversize("bytes of manifest or signature", limit, u64::from(entry.size))?;
    let bad = |problem| Err(PacketError::Zip { at: u64::from(entry.at), problem });
    if entry.method != Method::Stored {
        return bad(ZipProblem::CentralHeader(entry.name.clone()));
    }
    input.seek(SeekFrom::Start(entry.data_at()))?;
    let mut bytes = vec![0; usize::try_from(entry.size).expect("a u32 fits")];
    input.read_exact(&mut bytes)?;
    let mut crc = Crc::new();
    crc.update(&bytes);
    if crc.sum() == entry.crc { Ok(bytes) } else { bad(ZipProblem::Crc(entry.name.clone())) }
}

fn drain<E: From<PacketError>>(
    input: &mut impl BufRead,
    proof: &mut Proof<'_>,
    line: &mut Vec<u8>,
    each: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let buffer = match input.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(proof.unpack_error(error).into()),
        };
        let count = buffer.len();
        proof.take(buffer)?;
        for piece in buffer.split_inclusive(|byte| *byte == b'\n') {
            let (text, whole) = piece.split_last().map_or((piece, false), |(last, text)| {
                if *last == b'\n' { (text, true) } else { (piece, false) }
            });
            proof.check_line_length(line.len() + text.len())?;
            if whole && line.is_empty() {
                proof.line(text, each)?;
            } else {
                line.extend_from_slice(text);
                if whole {
                    proof.line(line, each)?;
                    line.clear();
                }
            }
        }
        input.consume(count);
    }
}

/// What is gathered while a member is read.
struct Proof<'a> {
    entry: &'a Entry,
    member: &'a Member,
    limits: &'a Limits,
    hash: Sha256,
    /// If the manifest gives it.
    streebog: Option<Streebog256>,
    crc: Crc,
    size: u64,
    /// Lines of the file.
    lines: u64,
    /// Records, or lines of an answer.
    count: u64,
    ended: bool,
}

impl<'a> Proof<'a> {
    fn new(entry: &'a Entry, member: &'a Member, limits: &'a Limits) -> Self {
        let (hash, crc) = (Sha256::new(), Crc::new());
        let streebog = member.streebog256.map(|_| Streebog256::new());
        Self { entry, member, limits, hash, streebog, crc, size: 0, lines: 0, count: 0, ended: false }
    }

    fn zip(&self, problem: fn(String) -> ZipProblem) -> PacketError {
        PacketError::Zip { at: u64::from(self.entry.at), problem: problem(self.entry.name.clone()) }
    }

    /// The decoder reports bad deflate as `InvalidInput`, `InvalidData` or an early end; the rest is the disk.
    fn unpack_error(&self, error: io::Error) -> PacketError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match error.kind() {
            InvalidData | InvalidInput | UnexpectedEof => self.zip(ZipProblem::Deflate),
            _ => PacketError::Io(error),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), PacketError> {
        self.size += bytes.len() as u64;
        if self.size > u64::from(self.entry.size) {
            return Err(self.zip(ZipProblem::Size));
        }
        self.hash.update(bytes);
        if let Some(streebog) = &mut self.streebog {
            streebog.update(bytes);
        }
        self.crc.update(bytes);
        Ok(())
    }

    fn check_line_length(&self, length: usize) -> Result<(), PacketError> {
        zip::oversize("bytes of a line", self.limits.line_bytes as u64, length as u64)
    }

    fn bad_line(&self, problem: &'static str) -> PacketError {
        PacketError::Line { member: self.entry.name.clone(), line: self.lines, problem }
    }

    fn line<E: From<PacketError>>(
        &mut self,
        line: &[u8],
        each: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.lines += 1;
        let problem = match (self.member.name.framed(), self.lines) {
            _ if line.is_empty() && self.member.name != MemberName::Card || line.contains(&b'\r') => {
                "empty, or with a carriage return"
            }
            _ if self.ended => "something after the end of the records",
            (Some(_), 1) if line == XML_DECLARATION.as_bytes() => return Ok(()),
            (Some(_), 1) => "not the XML declaration",
            (Some(kind), 2) if line == format!("<records kind=\"{kind}\">").as_bytes() => return Ok(()),
            (Some(_), 2) => "not the opening of the records of this kind",
            (Some(_), _) if line == b"</records>" => {
                self.ended = true;
                return Ok(());
            }
            _ => {
                self.count += 1;
                return each(line);
            }
        };
        Err(self.bad_line(problem).into())
    }

    fn finish(mut self, clean: bool, unfinished: &[u8]) -> Result<(), PacketError> {
        if !clean || self.size != u64::from(self.entry.size) {
            return Err(self.zip(ZipProblem::Size));
        }
        if self.crc.sum() != self.entry.crc {
            return Err(self.zip(ZipProblem::Crc));
        }
        let name = || self.entry.name.clone();
        for (what, expected, found) in
            [("size", self.member.size, self.size), ("count", self.member.count, self.count)]
        {
            if expected != found {
                return Err(PacketError::MemberFigure { member: name(), what, expected, found });
            }
        }
        let sha256 = Digest::from_bytes(std::mem::take(&mut self.hash).finalize().into());
        let streebog = self.streebog.take().map(|hash| Digest::from_bytes(hash.finalize().into()));
        let hashes = [
            (UNPACKED, Some(self.member.sha256), Some(sha256)),
            (STREEBOG, self.member.streebog256, streebog),
        ];
        for (what, expected, found) in hashes {
            if let (Some(expected), Some(found)) = (expected, found)
                && expected != found
            {
                return Err(PacketError::MemberDigest { member: name(), what, expected, found });
            }
        }
        if !unfinished.is_empty() || (self.member.name.framed().is_some() && !self.ended) {
            return Err(self.bad_line("it ends without its last line, or without a line break"));
        }
        Ok(())
    }
}
