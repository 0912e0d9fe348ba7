//! What an XLSX file may be, looked at before any of it is parsed: a workbook is a ZIP that anybody can make, and what
//! parses it holds shared strings, and each piece of text, in memory.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
};

use zip::ZipArchive;

/// The parts of a workbook together, unpacked: four times what 200,000 people of our widest table take.
pub const UNPACKED: u64 = 4 << 30;
/// Every part but the sheets, unpacked: shared strings are held. 200,000 people of all different texts take half of it.
pub const HELD: u64 = 128 << 20;
/// Each shared string takes memory besides its letters.
const STRINGS: u64 = 3_000_000;
/// A piece of text between two marks: a cell has at most 32,767 characters, each written in at most 10 bytes.
pub const PIECE: usize = 1 << 20;
/// More parts than this no table of ours has.
const PARTS: usize = 1_000;

/// Why a file is not parsed.
#[derive(Debug)]
pub enum OutOfBounds {
    /// It cannot be read.
    Io(io::Error),
    /// It is no ZIP, or a damaged one.
    NoZip,
    /// It is, or unpacks to, more than is read.
    TooLarge,
}

impl From<io::Error> for OutOfBounds {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match error.kind() {
            // what the archive itself says of its damage
            InvalidData | InvalidInput | Other | UnexpectedEof => Self::NoZip,
            _ => Self::Io(error),
        }
    }
}

/// Unpacks every part of the workbook once, keeping nothing.
pub fn check(file: &File) -> Result<(), OutOfBounds> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|_| OutOfBounds::NoZip)?;
    if archive.len() > PARTS {
        return Err(OutOfBounds::TooLarge);
    }
    let (mut unpacked, mut held) = (0, 0);
    for n in 0..archive.len() {
        let part = archive.by_index(n).map_err(|_| OutOfBounds::NoZip)?;
        let name = part.name().map_err(|_| OutOfBounds::NoZip)?.to_ascii_lowercase();
        let is_sheet = name.contains("worksheets/sheet");
        let most = if is_sheet { UNPACKED - unpacked } else { (HELD - held).min(UNPACKED - unpacked) };
        let is_strings = name.ends_with("sharedstrings.xml");
        let length = pass_through(part.take(most + 1), most, is_strings)?;
        unpacked += length;
        held += if is_sheet { 0 } else { length };
    }
    Ok(())
}

/// The length of `part`; refused if it is more than `most`, or a piece of it is too long. Of shared strings, the count
/// that the part tells is taken at its word by what parses it: it must be able to be so.
fn pass_through(part: impl io::Read, most: u64, is_strings: bool) -> Result<u64, OutOfBounds> {
    let mut input = BufReader::with_capacity(1 << 16, part);
    let (mut length, mut piece, mut count) = (0_u64, 0_usize, ToldCount::default());
    let (mut tag, mut strings) = (Vec::new(), 0_u64);
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        if is_strings {
            count.look(chunk);
        }
        for part in chunk.split_inclusive(|byte| *byte == b'<') {
            piece += part.len();
            if piece > PIECE {
                return Err(OutOfBounds::TooLarge);
            }
            if is_strings {
                tag.extend_from_slice(&part[..part.len().min(TAG - tag.len())]);
            }
            if part.ends_with(b"<") {
                piece = 0;
                strings += u64::from(is_string(&tag));
                tag.clear();
            }
        }
        let used = chunk.len();
        input.consume(used);
        length += used as u64;
        if length > most {
            return Err(OutOfBounds::TooLarge);
        }
    }
    // a string takes at least `<si/>`
    let told = count.greatest();
    if told > length / 5 || told.max(strings) > STRINGS { Err(OutOfBounds::TooLarge) } else { Ok(length) }
}

/// So much of a mark is looked at.
const TAG: usize = 64;

/// Whether this is the mark with which a shared string begins, under whatever prefix.
fn is_string(tag: &[u8]) -> bool {
    let name =
        tag.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>')).next().unwrap_or(tag);
    name == b"si" || name.ends_with(b":si")
}

/// The greatest number that the word `uniqueCount` is followed by, wherever it stands.
#[derive(Default)]
struct ToldCount {
    unseen: Vec<u8>,
    greatest: u64,
}

impl ToldCount {
    const WORD: &[u8] = b"uniqueCount";
    /// The number stands within so many bytes.
    const REACH: usize = 64;

    fn look(&mut self, chunk: &[u8]) {
        self.unseen.extend_from_slice(chunk);
        self.look_until(self.unseen.len().saturating_sub(Self::WORD.len() + Self::REACH));
    }

    /// Looks for words that begin before `end`.
    fn look_until(&mut self, end: usize) {
        for at in 0..end {
            if self.unseen[at..].starts_with(Self::WORD) {
                let after = self.unseen[at + Self::WORD.len()..].iter().take(Self::REACH);
                let digits: String = after
                    .map(|byte| char::from(*byte))
                    .skip_while(|c| !c.is_ascii_digit())
                    .take_while(char::is_ascii_digit)
                    .collect();
                self.greatest = self.greatest.max(digits.parse().unwrap_or(u64::MAX));
            }
        }
        self.unseen.drain(..end);
    }

    fn greatest(mut self) -> u64 {
        self.look_until(self.unseen.len());
        self.greatest
    }
}
