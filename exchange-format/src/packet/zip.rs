//! The ZIP around a packet, in the one form that the format allows: no prefix, no gaps, nothing after the
//! end record, no extra fields, comments, encryption, ZIP64 or data descriptors, the date 1980-01-01.
//! So a header is checked by writing it again and comparing; no byte of it can lie.

use std::{
    collections::BTreeSet,
    fmt,
    io::{Read, Seek, SeekFrom},
};

use crate::error::PacketError;

use super::Limits;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const LOCAL_BYTES: u64 = 30;
const CENTRAL_BYTES: u64 = 46;
const END_BYTES: u64 = 22;
/// `records/` + 40 + `.xml`, and some.
const NAME_BYTES: usize = 64;
const VERSION_NEEDED: u16 = 20;
/// Made by version 2.0 under Unix.
const MADE_BY: u16 = 0x0314;
/// 1980-01-01, the first date that a ZIP can bear.
const DOS_DATE: u16 = 1 << 5 | 1;
/// An ordinary file that its owner alone reads and writes.
const ATTRIBUTES: u32 = 0o100_600 << 16;
/// Up to this unpacked size the ratio is not looked at: what a part of a snapshot holds at most. A blank page among the
/// attachments is packed a thousand times smaller.
const RATIO_FREE_BYTES: u64 = 16 << 20;

/// What is wrong with the ZIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZipProblem {
    /// The file does not end in an end record: cut short, or bytes after it, or no ZIP.
    NoEndRecord,
    /// The end record does not agree with the file's length: bytes in front, in between, or missing.
    EndRecord,
    /// The central directory is cut short or has other records.
    CentralDirectory,
    /// A member is encrypted in the ZIP's own way.
    Encrypted,
    /// A compression method other than stored and deflate.
    Method(u16),
    /// A member's name has other characters than `a–z _ . /`, or leaves the packet (`..`, `/`).
    MemberName,
    /// Two members with one name.
    Duplicate(String),
    /// The central header differs from the only form that it can have.
    CentralHeader(String),
    /// The local header differs from what the central directory calls for.
    LocalHeader(String),
    /// The members do not fill the space in front of the central directory.
    Gap,
    /// The compressed bytes are not deflate, or end too early.
    Deflate(String),
    /// The compressed bytes go on after their end, or unpack to another size than the header says.
    Size(String),
    /// The checksum is not that of the unpacked bytes.
    Crc(String),
}

impl fmt::Display for ZipProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEndRecord => f.write_str("no end record: cut short, bytes added, or not a ZIP"),
            Self::EndRecord => f.write_str("the end record does not fit the file: bytes added or missing"),
            Self::CentralDirectory => f.write_str("the central directory is damaged"),
            Self::Encrypted => f.write_str("a member is encrypted"),
            Self::Method(method) => write!(f, "compression method {method} is neither stored nor deflate"),
            Self::MemberName => f.write_str("a member has a name that no member can have"),
            Self::Duplicate(name) => write!(f, "{name} is there twice"),
            Self::CentralHeader(name) => {
                write!(f, "the central header of {name} is not in the one form allowed")
            }
            Self::LocalHeader(name) => {
                write!(f, "the local header of {name} differs from the central directory")
            }
            Self::Gap => f.write_str("there are bytes between the members and the central directory"),
            Self::Deflate(name) => write!(f, "{name} cannot be unpacked"),
            Self::Size(name) => write!(f, "{name} unpacks to another size than its header says"),
            Self::Crc(name) => write!(f, "the checksum of {name} is wrong"),
        }
    }
}

/// How a member is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflate,
}

/// One member as its headers describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: String,
    pub method: Method,
    pub crc: u32,
    pub packed: u32,
    pub size: u32,
    /// Where its local header is.
    pub at: u32,
}

impl Entry {
    /// Where its bytes begin.
    pub fn data_at(&self) -> u64 {
        u64::from(self.at) + LOCAL_BYTES + self.name.len() as u64
    }

    pub fn local_header(&self) -> Vec<u8> {
        let mut out = LOCAL.to_vec();
        self.put_common(&mut out);
        out.extend(0_u16.to_le_bytes()); // extra field
        out.extend(self.name.as_bytes());
        out
    }

    pub fn central_header(&self) -> Vec<u8> {
        let mut out = CENTRAL.to_vec();
        out.extend(MADE_BY.to_le_bytes());
        self.put_common(&mut out);
        out.extend([0; 8]); // extra field, comment, disk, internal attributes
        out.extend(ATTRIBUTES.to_le_bytes());
        out.extend(self.at.to_le_bytes());
        out.extend(self.name.as_bytes());
        out
    }

    /// The fields that both headers have, from the version needed to the name's length.
    fn put_common(&self, out: &mut Vec<u8>) {
        let method: u16 = if self.method == Method::Deflate { 8 } else { 0 };
        let name_bytes = u16::try_from(self.name.len()).expect("member names are short");
        for field in [VERSION_NEEDED, 0, method, 0, DOS_DATE] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.crc, self.packed, self.size] {
            out.extend(field.to_le_bytes());
        }
        out.extend(name_bytes.to_le_bytes());
    }
}

/// The record at the end of the file.
pub(super) fn end_record(entries: u16, directory_bytes: u32, directory_at: u32) -> Vec<u8> {
    let mut out = END.to_vec();
    out.extend([0; 4]);
    out.extend(entries.to_le_bytes());
    out.extend(entries.to_le_bytes());
    out.extend(directory_bytes.to_le_bytes());
    out.extend(directory_at.to_le_bytes());
    out.extend([0; 2]);
    out
}

/// Reads and checks all headers of the ZIP; no member is unpacked.
pub(super) fn read_entries<R: Read + Seek>(
    input: &mut R,
    limits: &Limits,
) -> Result<Vec<Entry>, PacketError> {
    let length = input.seek(SeekFrom::End(0))?;
    oversize("bytes of the packet", limits.packet_bytes.min(u64::from(u32::MAX)), length)?;
    let bad = |at, problem| Err(PacketError::Zip { at, problem });
    let Some(end_at) = length.checked_sub(END_BYTES) else {
        return bad(length, ZipProblem::NoEndRecord);
    };
    let end = read_at(input, end_at, END_BYTES)?;
    if end[..4] != END {
        return bad(end_at, ZipProblem::NoEndRecord);
    }
    let (count, bytes, at) = (u16_at(&end, 10), u32_at(&end, 12), u32_at(&end, 16));
    if end != end_record(count, bytes, at) || u64::from(at) + u64::from(bytes) != end_at {
        return bad(end_at, ZipProblem::EndRecord);
    }
    oversize("members", limits.members as u64 + 2, u64::from(count))?;
    if u64::from(bytes) > u64::from(count) * (CENTRAL_BYTES + NAME_BYTES as u64) {
        return bad(u64::from(at), ZipProblem::CentralDirectory);
    }
    let directory = read_at(input, u64::from(at), u64::from(bytes))?;
    let entries = parse_directory(&directory, count, u64::from(at))?;
    check_local_headers(input, &entries, u64::from(at))?;
    check_sizes(&entries, limits)?;
    Ok(entries)
}

fn parse_directory(directory: &[u8], count: u16, at: u64) -> Result<Vec<Entry>, PacketError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut names = BTreeSet::new();
    let mut rest = directory;
    for _ in 0..count {
        let here = at + (directory.len() - rest.len()) as u64;
        let (entry, after) = parse_central(rest).map_err(|problem| PacketError::Zip { at: here, problem })?;
        if !names.insert(entry.name.clone()) {
            return Err(PacketError::Zip { at: here, problem: ZipProblem::Duplicate(entry.name) });
        }
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() {
        return Ok(entries);
    }
    let here = at + (directory.len() - rest.len()) as u64;
    Err(PacketError::Zip { at: here, problem: ZipProblem::CentralDirectory })
}

fn parse_central(bytes: &[u8]) -> Result<(Entry, &[u8]), ZipProblem> {
    let Some((head, rest)) = bytes.split_at_checked(usize::try_from(CENTRAL_BYTES).expect("46")) else {
        return Err(ZipProblem::CentralDirectory);
    };
    if head[..4] != CENTRAL {
        return Err(ZipProblem::CentralDirectory);
    }
    if u16_at(head, 8) & 1 != 0 {
        return Err(ZipProblem::Encrypted);
    }
    let method = match u16_at(head, 10) {
        0 => Method::Stored,
        8 => Method::Deflate,
        other => return Err(ZipProblem::Method(other)),
    };
    let name_bytes = usize::from(u16_at(head, 28));
    let (name, rest) = rest.split_at_checked(name_bytes).ok_or(ZipProblem::CentralDirectory)?;
    let entry = Entry {
        name: member_name(name).ok_or(ZipProblem::MemberName)?,
        method,
        crc: u32_at(head, 16),
        packed: u32_at(head, 20),
        size: u32_at(head, 24),
        at: u32_at(head, 42),
    };
    let same = entry.central_header() == bytes[..bytes.len() - rest.len()];
    let stored_alike = entry.method == Method::Deflate || entry.packed == entry.size;
    if same && stored_alike { Ok((entry, rest)) } else { Err(ZipProblem::CentralHeader(entry.name)) }
}

/// A name that no file system can be led astray with.
fn member_name(bytes: &[u8]) -> Option<String> {
    let plain = |b: &u8| b.is_ascii_lowercase() || matches!(b, b'_' | b'.' | b'/');
    let name = std::str::from_utf8(bytes).ok().filter(|_| bytes.iter().all(plain))?;
    let good = |part: &str| !part.is_empty() && !part.starts_with('.');
    (name.len() <= NAME_BYTES && name.split('/').all(good)).then(|| name.to_owned())
}

/// The members must stand one after another from the first byte to the central directory.
fn check_local_headers<R: Read + Seek>(
    input: &mut R,
    entries: &[Entry],
    directory_at: u64,
) -> Result<(), PacketError> {
    let mut at = 0;
    for entry in entries {
        let header = entry.local_header();
        if u64::from(entry.at) != at || at + header.len() as u64 + u64::from(entry.packed) > directory_at {
            return Err(PacketError::Zip { at, problem: ZipProblem::Gap });
        }
        if read_at(input, at, header.len() as u64)? != header {
            return Err(PacketError::Zip { at, problem: ZipProblem::LocalHeader(entry.name.clone()) });
        }
        at = entry.data_at() + u64::from(entry.packed);
    }
    if at == directory_at { Ok(()) } else { Err(PacketError::Zip { at, problem: ZipProblem::Gap }) }
}

/// What the headers promise must be within the limits; that they tell the truth is seen when unpacking.
fn check_sizes(entries: &[Entry], limits: &Limits) -> Result<(), PacketError> {
    let mut total = 0;
    for entry in entries {
        let (size, packed) = (u64::from(entry.size), u64::from(entry.packed));
        oversize("unpacked bytes of a member", limits.member_bytes, size)?;
        if size > RATIO_FREE_BYTES {
            oversize("ratio of unpacked to packed bytes", limits.ratio, size / packed.max(1))?;
        }
        total += size;
    }
    oversize("unpacked bytes of all members", limits.total_bytes, total)
}

/// Members are deflated: one packet has one form.
pub(super) fn check_deflated(members: &[Entry]) -> Result<(), PacketError> {
    members.iter().find(|entry| entry.method != Method::Deflate).map_or(Ok(()), |entry| {
        let problem = ZipProblem::CentralHeader(entry.name.clone());
        Err(PacketError::Zip { at: u64::from(entry.at), problem })
    })
}

/// An error if `found` is over `limit`.
pub(super) fn oversize(what: &'static str, limit: u64, found: u64) -> Result<(), PacketError> {
    if found > limit { Err(PacketError::Oversize { what, limit, found }) } else { Ok(()) }
}

fn read_at<R: Read + Seek>(input: &mut R, at: u64, bytes: u64) -> Result<Vec<u8>, PacketError> {
    input.seek(SeekFrom::Start(at))?;
    let mut out = vec![0; usize::try_from(bytes).expect("headers are small")];
    input.read_exact(&mut out)?;
    Ok(out)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
