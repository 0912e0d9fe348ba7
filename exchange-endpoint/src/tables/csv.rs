//! Records of a CSV file (RFC 4180, any delimiter, LF or CRLF), one at a time and with the line on which each begins.
//!
//! Bytes are read as they are: a delimiter, a quote and a line end are the same byte in UTF-8 and in Windows-1251, so
//! that a file can be looked through before its encoding is known, and none of it is held.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use encoding_rs::{Encoding, UTF_8, WINDOWS_1251};

use super::{LARGEST_COLUMNS, LARGEST_ROW, TableError};
use crate::{
    messages::{self, Told},
    output::Exit,
};

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// How a workbook of Excel before 2007 begins.
const XLS: &[u8] = b"\xD0\xCF\x11\xE0";
/// What is told of such a workbook.
const OLD_BOOK: &str = "import-xls";
/// The heading is looked for the delimiter so far.
const HEADING: u64 = 1 << 20;

/// What the letters of a file that is no UTF-8 show of its encoding. A file of KOI8-R or CP866 read as Windows-1251 would
/// give names that no one can read, and nothing in its form is wrong.
#[derive(Default)]
struct Letters {
    /// Pairs of letters as Windows-1251 has them: a large one before a small one; a small one before a large one, as
    /// nobody writes and as KOI8-R shows itself.
    falling: u64,
    rising: u64,
    /// Letters of Windows-1251.
    all: u64,
    /// Bytes that it has for signs, and CP866 for most of its letters.
    signs: u64,
}

/// Whether `bytes`, which are no UTF-8, were Russian letters of it before some were damaged: more than two thirds of
/// them stand in pairs that Windows-1251 has for `Р` and `С` with a sign behind.
fn was_utf8(bytes: &[u8]) -> bool {
    let is_pair = |pair: &&[u8]| matches!(pair, [0xD0 | 0xD1, 0x80..=0xBF]);
    let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    3 * bytes.windows(2).filter(is_pair).count() > high
}

impl Letters {
    fn look(&mut self, text: &[u8]) {
        for pair in text.windows(2) {
            match pair {
                [0xC0..=0xDF, 0xE0..=0xFF] => self.falling += 1,
                [0xE0..=0xFF, 0xC0..=0xDF] => self.rising += 1,
                _ => {}
            }
        }
        // but for quotation marks, dashes, the no-break space, № and Ё
        let is_sign = |byte: u8| {
            matches!(byte, 0x80..=0xB7 | 0xBA..=0xBF)
                && !matches!(byte, 0x84 | 0x85 | 0x91..=0x97 | 0xA0 | 0xA8 | 0xAB | 0xBB)
        };
        self.all += text.iter().filter(|byte| **byte >= 0xC0).count() as u64;
        self.signs += text.iter().filter(|byte| is_sign(**byte)).count() as u64;
    }

    /// What the file is in, if not in Windows-1251.
    fn another(&self) -> Option<&'static str> {
        if self.signs > 8 && 2 * self.signs > self.all {
            Some("the letters are those of CP866")
        } else if self.rising > 4 && self.rising > 2 * self.falling {
            Some("the letters are those of KOI8-R")
        } else {
            None
        }
    }
}

/// What is wrong with the form of a file.
#[derive(Debug)]
enum Broken {
    Io(io::Error),
    /// From this line on.
    Form(u64, &'static str),
    /// It is no CSV: a message of the catalogue.
    Other(&'static str),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// One record: the bytes of its values, one after another.
#[derive(Debug, Default)]
struct Record {
    /// The line, from 1, on which it begins.
    line: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// It is longer or wider than a row may be, by this rule; then nothing of it is held.
    excess: Option<&'static str>,
}

impl Record {
    fn begin(&mut self, line: u64) {
        (self.line, self.excess) = (line, None);
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.excess.is_some() {
        } else if self.bytes.len() + bytes.len() > LARGEST_ROW {
            self.give_up("row-long");
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn give_up(&mut self, rule: &'static str) {
        (self.bytes, self.ends, self.excess) = (Vec::new(), Vec::new(), Some(rule));
    }

    fn values(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    /// Whether nothing stands in it: an empty line, or one of delimiters alone.
    fn is_blank(&self) -> bool {
        self.bytes.is_empty() && self.excess.is_none()
    }
}

/// Where in a value the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Begin,
    Plain,
    Quoted,
    /// After a quote inside a quoted value: its end, or the first of a pair.
    Quote,
}

/// Reads records off a stream.
struct Records<R> {
    input: R,
    delimiter: u8,
    line: u64,
}

impl<R: BufRead> Records<R> {
    /// Puts the next record that is not blank into `record`; false at the end.
    fn next(&mut self, record: &mut Record) -> Result<bool, Broken> {
        while self.any(record)? {
            if !record.is_blank() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn any(&mut self, record: &mut Record) -> Result<bool, Broken> {
        record.begin(self.line);
        let (mut at, mut opened, mut begun) = (At::Begin, self.line, false);
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                if at == At::Quoted {
                    return Err(Broken::Form(opened, "a quoted value does not end"));
                }
                record.end_line(at);
                return Ok(begun);
            }
            begun = true;
            let mut used = 0;
            let mut ended = false;
            while let Some(&byte) = chunk.get(used) {
                if at == At::Plain {
                    // nothing but these ends a value that is not quoted
                    let ends = |byte: &u8| *byte == self.delimiter || *byte == b'\n';
                    let plain = &chunk[used..];
                    let plain = &plain[..plain.iter().position(ends).unwrap_or(plain.len())];
                    if !plain.is_empty() {
                        record.push(plain);
                        used += plain.len();
                        continue;
                    }
                }
                used += 1;
                self.line += u64::from(byte == b'\n');
                if at == At::Quoted {
                    if byte == b'"' { at = At::Quote } else { record.push(&[byte]) }
                } else if byte == b'"' && at == At::Begin {
                    (at, opened) = (At::Quoted, self.line);
                } else if byte == b'"' && at == At::Quote {
                    record.push(&[byte]);
                    at = At::Quoted;
                } else if byte == self.delimiter {
                    record.end_value();
                    at = At::Begin;
                } else if byte == b'\n' {
                    record.end_line(at);
                    ended = true;
                    break;
                } else if at == At::Quote && byte != b'\r' {
                    return Err(Broken::Form(opened, "text follows the closing quote of a value"));
                } else if at != At::Quote {
                    record.push(&[byte]);
                    at = At::Plain;
                }
            }
            self.input.consume(used);
            if ended {
                return Ok(true);
            }
        }
    }
}

impl Record {
    fn end_value(&mut self) {
        if self.excess.is_some() {
        } else if self.ends.len() == LARGEST_COLUMNS {
            self.give_up("row-wide");
        } else {
            self.ends.push(self.bytes.len());
        }
    }

    /// Ends the last value, `at` whose end the reader is. The CR of a CRLF belongs to none, but if it is quoted.
    fn end_line(&mut self, at: At) {
        if at == At::Plain && self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        self.end_value();
    }
}

/// A CSV file that was looked through: its form is sound.
pub struct CsvFile {
    file: File,
    /// The byte and the line on which its records begin.
    begin: (u64, u64),
    delimiter: u8,
    encoding: &'static Encoding,
    /// The values of its first record, and the line on which it stands.
    pub heading: (u64, Vec<String>),
}

impl CsvFile {
    /// Looks through the file at `path`, whose quotes go together.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let failure = |broken| {
            let (exit, cause) = match broken {
                Broken::Io(error) => (Exit::of_io(&error), error.into()),
                Broken::Form(line, what) => (Exit::Refused, at_line(line, what)),
                Broken::Other(id) => (Exit::Refused, Told::of(id, &[])),
            };
            TableError::File { file: path.to_owned(), exit, cause }
        };
        Self::look_through(path).map_err(failure)
    }

    fn look_through(path: &Path) -> Result<Self, Broken> {
        let file = File::open(path)?;
        let mut first = Vec::new();
        BufReader::new(&file).take(HEADING).read_until(b'\n', &mut first)?;
        if let Some(other) = no_csv(&first) {
            let encrypted = other == OLD_BOOK && is_encrypted(File::open(path)?)?;
            return Err(Broken::Other(if encrypted { "import-xlsx-encrypted" } else { other }));
        }
        let begin = if first.starts_with(BOM) { BOM.len() } else { 0 };
        let (begin, delimiter) = match told_delimiter(&first[begin..]) {
            Some(told) => ((first.len() as u64, 2), told),
            None => ((begin as u64, 1), delimiter(&first[begin..])),
        };
        let mut this = Self { file, begin, delimiter, encoding: UTF_8, heading: (begin.1, Vec::new()) };
        let mut records = this.records()?;
        let mut record = Record::default();
        let mut heading = None;
        // what says of itself that it is UTF-8 is no other
        let (mut is_utf8, mut no_utf8, mut is_mixed) = (first.starts_with(BOM), None, false);
        let mut letters = Letters::default();
        while records.next(&mut record)? {
            if let Ok(text) = std::str::from_utf8(&record.bytes) {
                // three letters that are UTF-8 by chance are no text in windows-1251
                is_utf8 = is_utf8 || text.chars().filter(|c| !c.is_ascii()).nth(3).is_some();
            } else {
                no_utf8 = no_utf8.or(Some(record.line));
                is_utf8 |= was_utf8(&record.bytes);
                record.values().for_each(|value| letters.look(value));
            }
            is_mixed |= is_utf8 && no_utf8.is_some();
            if let (None, Some(rule)) = (&heading, record.excess) {
                let wide = rule == "row-wide";
                return Err(Broken::Other(if wide { "refused-row-wide" } else { "refused-row-long" }));
            }
            heading.get_or_insert_with(|| {
                (record.line, record.values().map(<[u8]>::to_vec).collect::<Vec<_>>())
            });
        }
        drop(records);
        if let (true, Some(line)) = (is_mixed, no_utf8) {
            return Err(Broken::Form(line, "this line is in another encoding than others"));
        }
        if let (Some(line), Some(another)) = (no_utf8, letters.another()) {
            return Err(Broken::Form(line, another));
        }
        this.encoding = if no_utf8.is_none() { UTF_8 } else { WINDOWS_1251 };
        if let Some((line, values)) = heading {
            let mut headings: Vec<String> = values.iter().map(|value| this.text(value)).collect();
            // of a sheet that was once wider
            headings.truncate(
                headings.iter().rposition(|heading| !heading.trim().is_empty()).map_or(0, |n| n + 1),
            );
            this.heading = (line, headings);
        }
        Ok(this)
    }

    fn records(&self) -> Result<Records<BufReader<&File>>, io::Error> {
        let mut file = &self.file;
        let (byte, line) = self.begin;
        file.seek(SeekFrom::Start(byte))?;
        Ok(Records { input: BufReader::with_capacity(1 << 16, file), delimiter: self.delimiter, line })
    }

    fn text(&self, bytes: &[u8]) -> String {
        self.encoding.decode_without_bom_handling(bytes).0.into_owned()
    }

    /// Hands every record after the heading to `each`: its line, and its values or the rule by which they are none.
    pub fn for_each<E>(
        &mut self,
        mut each: impl FnMut(u64, Result<Vec<String>, &'static str>) -> Result<(), E>,
        failure: impl Fn(io::Error) -> E,
    ) -> Result<(), E> {
        let mut records = self.records().map_err(&failure)?;
        let mut record = Record::default();
        let mut is_heading = true;
        loop {
            match records.next(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(Broken::Io(error)) => return Err(failure(error)),
                // it was sound when it was looked through: somebody is writing it
                Err(Broken::Form(..) | Broken::Other(_)) => {
                    return Err(failure(io::ErrorKind::ResourceBusy.into()));
                }
            }
            if !std::mem::take(&mut is_heading) {
                let width = self.heading.1.len();
                let values = || {
                    let mut values: Vec<String> = record.values().map(|value| self.text(value)).collect();
                    while values.len() > width && values.last().is_some_and(String::is_empty) {
                        values.pop();
                    }
                    values
                };
                each(record.line, record.excess.map_or_else(|| Ok(values()), Err))?;
            }
        }
    }
}

fn at_line(line: u64, what: &'static str) -> Told {
    Told::new(|lang| {
        let what = messages::word(lang, "import", what);
        messages::text(lang, "import-line", &[("line", line.into()), ("what", what.into())])
    })
}

/// What a file that begins with `first` is, if it is no CSV: a message of the catalogue.
fn no_csv(first: &[u8]) -> Option<&'static str> {
    let ends = first.iter().position(|byte| *byte == b'\r').is_some_and(|at| at + 1 < first.len());
    if first.starts_with(XLS) {
        Some(OLD_BOOK)
    } else if first.starts_with(b"\xFF\xFE") || first.starts_with(b"\xFE\xFF") || first.contains(&0) {
        Some("import-utf16")
    } else if ends && !first.contains(&b'\n') {
        Some("import-cr")
    } else {
        None
    }
}

/// Whether `file`, which begins as a workbook of old Excel does, holds an encrypted one of today's: it is a stream of that name in
/// such a file.
fn is_encrypted(mut file: File) -> io::Result<bool> {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (mut held, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(false);
        }
        held.extend_from_slice(&piece[..read]);
        if held.windows(name.len()).any(|part| part == name) {
            return Ok(true);
        }
        held.drain(..held.len().saturating_sub(name.len()));
    }
}

/// The delimiter that the first line tells, as Excel understands it: `sep=;`.
fn told_delimiter(line: &[u8]) -> Option<u8> {
    let said = line.trim_ascii_end();
    let said = said.strip_prefix(b"\"").and_then(|said| said.strip_suffix(b"\"")).unwrap_or(said);
    // a tab would have been trimmed
    let said = if said.len() == 4 { line.get(..5).unwrap_or(said) } else { said };
    match said {
        [s, e, p, b'=', told] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") && !b"\r\n\"".contains(told) => {
            Some(*told)
        }
        _ => None,
    }
}

/// The delimiter of the heading `line`: of `;`, tab and `,` the one that occurs most outside quotes, and `,` in a
/// file with one column. Of two that occur as often the earlier: a comma stands in texts too.
fn delimiter(line: &[u8]) -> u8 {
    let count = |wanted: u8| {
        let mut quoted = false;
        line.iter()
            .filter(|byte| {
                quoted ^= **byte == b'"';
                !quoted && **byte == wanted
            })
            .count()
    };
    [b',', b'\t', b';']
        .into_iter()
        .map(|byte| (count(byte), byte))
        .filter(|(n, _)| *n > 0)
        .max_by_key(|(n, _)| *n)
        .map_or(b',', |(_, byte)| byte)
}

#[cfg(test)]
mod tests;
