//! The watermark: how far this participant has sealed and applied, kept beside the keys and outside the
//! database, so that a database put back from a copy is found out (exchange §7).
//!
//! It is raised before the file that goes with it is placed or answered; it never falls. Only the owner of the
//! [`InstanceLock`](crate::instance::InstanceLock) raises it. Whether a database is behind it is decided
//! elsewhere.
//!
//! ```text
//! svod watermark 1
//! 4200014 sealed 3 17
//! 4200014 applied 2 88
//! sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//! One line a peer and direction, ordered: peer, direction, epoch, number. The last line is the SHA-256 of all
//! bytes above it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use exchange_format::{
    participant::ParticipantCode,
    position::{Digest, Epoch, Position, Seq},
};

use crate::{
    durable_file,
    output::{Exit, Failure},
};

const HEADING: &str = "svod watermark 1";

/// Which of the two streams with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Ours to the peer: what we have sealed.
    Sealed,
    /// The peer's to us: what we have applied.
    Applied,
}

impl Stream {
    const fn word(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Applied => "applied",
        }
    }
}

type Marks = BTreeMap<(ParticipantCode, Stream), Position>;

/// The watermark file, read.
#[derive(Debug)]
pub struct Watermark {
    path: PathBuf,
    marks: Marks,
}

/// Why the watermark cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum WatermarkError {
    /// The file cannot be read or written.
    #[error("watermark {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what this program wrote.
    #[error("watermark {path}, line {line}: {fault}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: String,
    },
}

impl Watermark {
    /// Begins an empty watermark at `path`, where none may be yet (initialisation only: to begin again over a
    /// lost one is to forget whether the database was restored).
    pub fn create(path: &Path) -> Result<Self, WatermarkError> {
        let watermark = Self { path: path.to_owned(), marks: Marks::new() };
        durable_file::create_new(path, watermark.text().as_bytes(), 0o600)
            .map_err(|source| watermark.io(source))?;
        Ok(watermark)
    }

    /// Reads the watermark at `path`.
    pub fn open(path: &Path) -> Result<Self, WatermarkError> {
        let text = fs::read_to_string(path)
            .map_err(|source| WatermarkError::Io { path: path.to_owned(), source })?;
        let marks = parse(&text).map_err(|(line, fault)| WatermarkError::Damaged {
            path: path.to_owned(),
            line,
            fault,
        })?;
        Ok(Self { path: path.to_owned(), marks })
    }

    /// The highest position of `stream` with `peer`, if any.
    pub fn get(&self, peer: ParticipantCode, stream: Stream) -> Option<Position> {
        self.marks.get(&(peer, stream)).copied()
    }

    /// All highest positions, ordered by peer.
    pub fn all(&self) -> impl Iterator<Item = (ParticipantCode, Stream, Position)> {
        self.marks.iter().map(|((peer, stream), position)| (*peer, *stream, *position))
    }

    /// Raises the marks that `reached` passes; the others stay. On the disk when this returns, by one write;
    /// without a write if none was passed. After an error nothing has changed.
    pub fn raise(
        &mut self,
        reached: impl IntoIterator<Item = (ParticipantCode, Stream, Position)>,
    ) -> Result<(), WatermarkError> {
        let before = self.marks.clone();
        for (peer, stream, position) in reached {
            let mark = self.marks.entry((peer, stream)).or_insert(position);
            *mark = position.max(*mark);
        }
        if self.marks == before {
            return Ok(());
        }
        durable_file::replace(&self.path, self.text().as_bytes(), 0o600).map_err(|source| {
            self.marks = before;
            self.io(source)
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{HEADING}\n");
        for ((peer, stream), Position { epoch, seq }) in &self.marks {
            writeln!(text, "{peer} {} {epoch} {seq}", stream.word()).expect("a String takes any text");
        }
        let digest = Digest::of(text.as_bytes());
        text + &format!("sha256 {digest}\n")
    }

    fn io(&self, source: io::Error) -> WatermarkError {
        WatermarkError::Io { path: self.path.clone(), source }
    }
}

/// The marks of `text`, or the line (from 1) and what is wrong with it.
fn parse(text: &str) -> Result<Marks, (usize, String)> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some((last, body)) = lines.split_last() else { return Err((1, "the file is empty".to_owned())) };
    if body.first().is_none_or(|first| *first != format!("{HEADING}\n")) {
        return Err((1, format!("expected “{HEADING}”")));
    }
    let sum = Digest::of(body.concat().as_bytes());
    if *last != format!("sha256 {sum}\n") {
        return Err((lines.len(), "the check sum does not fit the lines above it".to_owned()));
    }
    let mut marks = Marks::new();
    for (at, line) in body.iter().enumerate().skip(1) {
        let (key, position) = parse_line(line).map_err(|fault| (at + 1, fault))?;
        if marks.last_key_value().is_some_and(|(before, _)| *before >= key) {
            return Err((at + 1, "out of order".to_owned()));
        }
        marks.insert(key, position);
    }
    Ok(marks)
}

fn parse_line(line: &str) -> Result<((ParticipantCode, Stream), Position), String> {
    let words: Vec<&str> = line.trim_end_matches('\n').split(' ').collect();
    let [peer, stream, epoch, seq] = words[..] else {
        return Err("expected: peer, sealed or applied, epoch, number".to_owned());
    };
    let peer = peer.parse::<ParticipantCode>().map_err(|error| error.to_string())?;
    let stream = [Stream::Sealed, Stream::Applied]
        .into_iter()
        .find(|known| known.word() == stream)
        .ok_or("expected “sealed” or “applied”")?;
    let number = |word: &str| word.parse::<u64>().map_err(|error| error.to_string());
    let epoch = Epoch::new(number(epoch)?).map_err(|error| error.to_string())?;
    let seq = Seq::new(number(seq)?).map_err(|error| error.to_string())?;
    Ok(((peer, stream), Position { epoch, seq }))
}

impl From<WatermarkError> for Failure {
    fn from(error: WatermarkError) -> Self {
        match error {
            WatermarkError::Io { path, source } => {
                let exit = Exit::of_io(&source);
                Self::new(exit, "watermark-file").told("file", path.display()).because("detail", source)
            }
            WatermarkError::Damaged { path, line, fault } => Self::new(Exit::Refused, "watermark-damaged")
                .told("file", path.display())
                .told("line", line)
                .with("detail", fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(epoch: u64, seq: u64) -> Position {
        Position { epoch: Epoch::new(epoch).expect("epoch"), seq: Seq::new(seq).expect("seq") }
    }

    fn peer(unit: u16) -> ParticipantCode {
        ParticipantCode::new(42, unit)
    }

    #[test]
    fn marks_rise_and_never_fall() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("watermark");
        let mut watermark = Watermark::create(&path).expect("created");
        watermark
            .raise([
                (peer(2), Stream::Applied, position(1, 9)),
                (peer(1), Stream::Sealed, position(2, 1)),
                (peer(1), Stream::Sealed, position(1, 500)),
            ])
            .expect("raised");
        watermark.raise([(peer(2), Stream::Applied, position(1, 8))]).expect("stays");
        let read = Watermark::open(&path).expect("read");
        assert_eq!(read.get(peer(1), Stream::Sealed), Some(position(2, 1)));
        assert_eq!(read.get(peer(2), Stream::Applied), Some(position(1, 9)));
        assert_eq!(read.get(peer(1), Stream::Applied), None);
        assert_eq!(read.all().collect::<Vec<_>>(), watermark.all().collect::<Vec<_>>());
    }

    #[test]
    fn it_is_begun_once_and_its_loss_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("watermark");
        assert!(matches!(Watermark::open(&path), Err(WatermarkError::Io { .. })));
        Watermark::create(&path).expect("created");
        assert!(matches!(Watermark::create(&path), Err(WatermarkError::Io { .. })));
    }

    #[test]
    fn what_was_not_reached_is_not_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("watermark");
        let mut watermark = Watermark::create(&path).expect("created");
        watermark.raise([(peer(1), Stream::Sealed, position(1, 1))]).expect("raised");
        fs::remove_dir_all(dir.path()).expect("removed");
        watermark.raise([(peer(1), Stream::Sealed, position(1, 1))]).expect("nothing to write");
        watermark.raise([(peer(1), Stream::Sealed, position(1, 2))]).expect_err("nowhere to write");
        assert_eq!(watermark.get(peer(1), Stream::Sealed), Some(position(1, 1)));
    }

    #[test]
    fn any_changed_byte_is_found() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("watermark");
        let mut watermark = Watermark::create(&path).expect("created");
        watermark.raise([(peer(1), Stream::Sealed, position(3, 17))]).expect("raised");
        let good = fs::read(&path).expect("read");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).expect("written");
            assert!(matches!(Watermark::open(&path), Err(WatermarkError::Damaged { .. })), "byte {at}");
        }
        for length in 0..good.len() {
            fs::write(&path, &good[..length]).expect("written");
            assert!(matches!(Watermark::open(&path), Err(WatermarkError::Damaged { .. })), "{length} bytes");
        }
    }

    #[test]
    fn each_fault_names_its_line() {
        let told = |body: &str| {
            let text = format!("{body}sha256 {}\n", Digest::of(body.as_bytes()));
            parse(&text).expect_err("refused")
        };
        let one = peer(1);
        assert_eq!(parse(""), Err((1, "the file is empty".to_owned())));
        assert_eq!(told("svod watermark 2\n").0, 1);
        assert_eq!(told(&format!("{HEADING}\n{one} sealed 1\n")).0, 2);
        assert_eq!(told(&format!("{HEADING}\n{one} sent 1 1\n")).1, "expected “sealed” or “applied”");
        assert_eq!(told(&format!("{HEADING}\n{one} sealed 0 1\n")).1, "epoch 0 is outside 1–9999");
        let twice = format!("{HEADING}\n{one} sealed 1 1\n{one} sealed 1 2\n");
        assert_eq!(told(&twice), (3, "out of order".to_owned()));
        assert!(told(&format!("{HEADING}\n4200010 sealed 1 1\n")).1.contains("check digit"));
    }
}
