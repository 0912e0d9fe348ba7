//! The watermark: how far this participant has sealed and applied, kept beside the keys and outside the
//! database, so that a database put back from a copy is found out (exchange §7).
//!
//! It is raised before the file that goes with it is placed or answered; it never falls. Only the owner of the
//! [`InstanceLock`](crate::instance::InstanceLock) raises it. Whether a database is behind it is decided
//! elsewhere.
//!
//! ```text
//! svod watermark 3
//! 4200014 sealed 3 17
//! 4200014 applied 2 88
//! issued 129
//! journal 2 fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
//! sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//! One line a peer and direction, ordered: peer, direction, epoch, number. Then the highest serial of a case number that the hub
//! has given (0 at a centre): a hub put back from a copy gives none of them to anybody else. Then how long the journal was when a mark
//! was raised last, with the roots of the perfect subtrees of its RFC 6962 tree, the largest first: what was cut off
//! its end or altered since does not go unseen. The last line is the SHA-256 of all bytes above it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use exchange_format::{
    journal::Tree,
    participant::ParticipantCode,
    position::{Digest, Epoch, Position, Seq},
};
use jiff::Timestamp;

use crate::{
    durable_file,
    output::{Exit, Failure},
};

const HEADING: &str = "svod watermark 3";
const ISSUED: &str = "issued";
const JOURNAL: &str = "journal";

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
    issued: u64,
    journal: Tree,
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
        let watermark =
            Self { path: path.to_owned(), marks: Marks::new(), issued: 0, journal: Tree::default() };
        durable_file::create_new(path, watermark.text().as_bytes(), 0o600)
            .map_err(|source| watermark.io(source))?;
        Ok(watermark)
    }

    /// Reads the watermark at `path`.
    pub fn open(path: &Path) -> Result<Self, WatermarkError> {
        let bytes = fs::read(path).map_err(|source| WatermarkError::Io { path: path.to_owned(), source })?;
        let text = String::from_utf8_lossy(&bytes);
        let (marks, issued, journal) = parse(&text).map_err(|(line, fault)| WatermarkError::Damaged {
            path: path.to_owned(),
            line,
            fault,
        })?;
        Ok(Self { path: path.to_owned(), marks, issued, journal })
    }

    /// The watermark at `path` for who makes the database anew or puts it back; none if it is lost or damaged.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn open_if_sound(path: &Path) -> Result<Option<Self>, WatermarkError> {
        match Self::open(path) {
            Err(WatermarkError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(WatermarkError::Damaged { .. }) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Begins an empty one at `path` in the place of one that is lost or damaged: only with a database whose streams are stopped.
    /// A damaged one is moved aside, to where this returns.
    ///
    /// # Errors
    /// The files.
    pub fn begin_again(path: &Path, now: Timestamp) -> Result<Option<PathBuf>, WatermarkError> {
        let io = |source| WatermarkError::Io { path: path.to_owned(), source };
        let mut aside = None;
        if path.exists() {
            let mut name = path.as_os_str().to_owned();
            name.push(now.strftime(".damaged-%Y%m%dT%H%M%SZ").to_string());
            let name = PathBuf::from(name);
            fs::rename(path, &name).map_err(io)?;
            aside = Some(name);
        }
        Self::create(path)?;
        Ok(aside)
    }

    /// The highest position of `stream` with `peer`, if any.
    pub fn get(&self, peer: ParticipantCode, stream: Stream) -> Option<Position> {
        self.marks.get(&(peer, stream)).copied()
    }

    /// All highest positions, ordered by peer.
    pub fn all(&self) -> impl Iterator<Item = (ParticipantCode, Stream, Position)> {
        self.marks.iter().map(|((peer, stream), position)| (*peer, *stream, *position))
    }

    /// The highest serial that was given when a mark was raised last.
    pub fn issued(&self) -> u64 {
        self.issued
    }

    /// The journal as it was when a mark was raised last: a journal that does not begin so was cut or altered.
    pub fn journal(&self) -> &Tree {
        &self.journal
    }

    /// Raises the marks that `reached` passes, and the serial to `issued`; the others stay. `gained` gives the leaves of the journal from that
    /// number on. On the disk when this returns, by one write; without a write if none was passed. After an error
    /// nothing has changed.
    pub fn raise<E: From<WatermarkError>>(
        &mut self,
        reached: impl IntoIterator<Item = (ParticipantCode, Stream, Position)>,
        issued: u64,
        gained: impl FnOnce(u64) -> Result<Vec<Digest>, E>,
    ) -> Result<(), E> {
        let mut marks = self.marks.clone();
        for (peer, stream, position) in reached {
            let mark = marks.entry((peer, stream)).or_insert(position);
            *mark = position.max(*mark);
        }
        let issued = issued.max(self.issued);
        if (&marks, issued) == (&self.marks, self.issued) {
            return Ok(());
        }
        self.replace(marks, issued, gained)
    }

    /// Takes in what the journal has gained, though no mark is passed.
    pub fn raise_journal<E: From<WatermarkError>>(
        &mut self,
        gained: impl FnOnce(u64) -> Result<Vec<Digest>, E>,
    ) -> Result<(), E> {
        self.replace(self.marks.clone(), self.issued, gained)
    }

    /// The journal is that of a database put back from a copy from now on, whose leaves are these.
    pub fn begin_journal(&mut self, leaves: Vec<Digest>) -> Result<(), WatermarkError> {
        let before = std::mem::take(&mut self.journal);
        let done: Result<(), WatermarkError> = self.replace(self.marks.clone(), self.issued, |_| Ok(leaves));
        if done.is_err() {
            self.journal = before;
        }
        done
    }

    fn replace<E: From<WatermarkError>>(
        &mut self,
        marks: Marks,
        issued: u64,
        gained: impl FnOnce(u64) -> Result<Vec<Digest>, E>,
    ) -> Result<(), E> {
        let mut journal = self.journal.clone();
        for leaf in gained(journal.size())? {
            journal.push(leaf);
        }
        let next = Self { path: self.path.clone(), marks, issued, journal };
        durable_file::replace(&next.path, next.text().as_bytes(), 0o600).map_err(|source| self.io(source))?;
        *self = next;
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = format!("{HEADING}\n");
        for ((peer, stream), Position { epoch, seq }) in &self.marks {
            writeln!(text, "{peer} {} {epoch} {seq}", stream.word()).expect("a String takes any text");
        }
        writeln!(text, "{ISSUED} {}", self.issued).expect("a String takes any text");
        write!(text, "{JOURNAL} {}", self.journal.size()).expect("a String takes any text");
        for root in self.journal.frontier() {
            write!(text, " {root}").expect("a String takes any text");
        }
        text.push('\n');
        let digest = Digest::of(text.as_bytes());
        text + &format!("sha256 {digest}\n")
    }

    fn io(&self, source: io::Error) -> WatermarkError {
        WatermarkError::Io { path: self.path.clone(), source }
    }
}

/// The marks, the serial and the journal of `text`, or the line (from 1) and what is wrong with it.
fn parse(text: &str) -> Result<(Marks, u64, Tree), (usize, String)> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some((last, body)) = lines.split_last() else { return Err((1, "the file is empty".to_owned())) };
    if body.first().is_none_or(|first| *first != format!("{HEADING}\n")) {
        return Err((1, format!("expected “{HEADING}”")));
    }
    let sum = Digest::of(body.concat().as_bytes());
    if *last != format!("sha256 {sum}\n") {
        return Err((lines.len(), "the check sum does not fit the lines above it".to_owned()));
    }
    let journal = body.last().and_then(|line| parse_journal(line));
    let journal =
        journal.ok_or_else(|| (lines.len() - 1, "expected: journal, its length, roots".to_owned()))?;
    let number = body.len().checked_sub(2).and_then(|at| body[at].strip_prefix(ISSUED)?.strip_prefix(' '));
    let issued = number.and_then(|number| number.trim_end_matches('\n').parse().ok());
    let issued = issued.ok_or_else(|| (lines.len() - 2, "expected: issued, a serial".to_owned()))?;
    let mut marks = Marks::new();
    for (at, line) in body.iter().enumerate().take(body.len() - 2).skip(1) {
        let (key, position) = parse_line(line).map_err(|fault| (at + 1, fault))?;
        if marks.last_key_value().is_some_and(|(before, _)| *before >= key) {
            return Err((at + 1, "out of order".to_owned()));
        }
        marks.insert(key, position);
    }
    Ok((marks, issued, journal))
}

fn parse_journal(line: &str) -> Option<Tree> {
    let mut words = line.trim_end_matches('\n').split(' ');
    let size = words.next().filter(|word| *word == JOURNAL).and_then(|_| words.next()?.parse().ok())?;
    Tree::from_parts(size, words.map(str::parse).collect::<Result<_, _>>().ok()?)
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

    #[expect(clippy::unnecessary_wraps, reason = "it stands for what reads a database")]
    fn nothing(_: u64) -> Result<Vec<Digest>, WatermarkError> {
        Ok(Vec::new())
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
            .raise(
                [
                    (peer(2), Stream::Applied, position(1, 9)),
                    (peer(1), Stream::Sealed, position(2, 1)),
                    (peer(1), Stream::Sealed, position(1, 500)),
                ],
                0,
                nothing,
            )
            .expect("raised");
        watermark.raise([(peer(2), Stream::Applied, position(1, 8))], 0, nothing).expect("stays");
        let read = Watermark::open(&path).expect("read");
        assert_eq!(read.get(peer(1), Stream::Sealed), Some(position(2, 1)));
        assert_eq!(read.get(peer(2), Stream::Applied), Some(position(1, 9)));
        assert_eq!(read.get(peer(1), Stream::Applied), None);
        assert_eq!(read.all().collect::<Vec<_>>(), watermark.all().collect::<Vec<_>>());
        for (issued, stands) in [(129, 129), (7, 129)] {
            watermark.raise([], issued, nothing).expect("raised");
            assert_eq!(Watermark::open(&path).expect("read").issued(), stands);
        }
    }

    #[test]
    fn the_journal_rises_with_a_mark_or_by_itself() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("watermark");
        let mut watermark = Watermark::create(&path).expect("created");
        let leaves = [b"a", b"b", b"c"].map(|text| exchange_format::journal::leaf_hash(text));
        let gained =
            |from: u64| Ok::<_, WatermarkError>(leaves[usize::try_from(from).expect("few")..].to_vec());
        let reached = [(peer(1), Stream::Sealed, position(1, 1))];
        watermark.raise(reached, 0, |from| gained(from).map(|leaves| leaves[..2].to_vec())).expect("raised");
        watermark
            .raise(reached, 0, |_| panic!("no mark is passed") as Result<_, WatermarkError>)
            .expect("stays");
        watermark.raise_journal(gained).expect("raised");
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(leaf);
        }
        assert_eq!(Watermark::open(&path).expect("read").journal(), &tree);
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
    fn a_damaged_one_is_moved_aside_and_begun_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("watermark");
        assert!(Watermark::open_if_sound(&path).expect("lost").is_none());
        assert_eq!(Watermark::begin_again(&path, Timestamp::UNIX_EPOCH).expect("begun"), None);
        assert!(Watermark::open_if_sound(&path).expect("sound").is_some());
        for damaged in [b"".as_slice(), b"svod watermark 3\n42000", b"\xff\xfe"] {
            fs::write(&path, damaged).expect("written");
            assert!(Watermark::open_if_sound(&path).expect("damaged").is_none(), "{damaged:?}");
            let aside = Watermark::begin_again(&path, Timestamp::UNIX_EPOCH).expect("begun").expect("aside");
            assert_eq!(aside, dir.path().join("watermark.damaged-19700101T000000Z"));
            assert_eq!(fs::read(&aside).expect("kept"), damaged);
            Watermark::open(&path).expect("begun again");
        }
    }

    #[test]
    fn what_was_not_reached_is_not_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("watermark");
        let mut watermark = Watermark::create(&path).expect("created");
        watermark.raise([(peer(1), Stream::Sealed, position(1, 1))], 0, nothing).expect("raised");
        fs::remove_dir_all(dir.path()).expect("removed");
        watermark.raise([(peer(1), Stream::Sealed, position(1, 1))], 0, nothing).expect("nothing to write");
        watermark
            .raise([(peer(1), Stream::Sealed, position(1, 2))], 0, nothing)
            .expect_err("nowhere to write");
        assert_eq!(watermark.get(peer(1), Stream::Sealed), Some(position(1, 1)));
    }

    #[test]
    fn any_changed_byte_is_found() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("watermark");
        let mut watermark = Watermark::create(&path).expect("created");
        watermark.raise([(peer(1), Stream::Sealed, position(3, 17))], 0, nothing).expect("raised");
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
        assert_eq!(told("svod watermark 1\n").0, 1);
        for journal in ["", "journal\n", "journal 1\n", "journal 2 00\n"] {
            assert_eq!(
                told(&format!("{HEADING}\nissued 0\n{journal}")).1,
                "expected: journal, its length, roots"
            );
        }
        assert_eq!(told(&format!("{HEADING}\n{one} sealed 1\nissued 0\njournal 0\n")).0, 2);
        assert_eq!(
            told(&format!("{HEADING}\n{one} sent 1 1\nissued 0\njournal 0\n")).1,
            "expected “sealed” or “applied”"
        );
        assert_eq!(
            told(&format!("{HEADING}\n{one} sealed 0 1\nissued 0\njournal 0\n")).1,
            "epoch 0 is outside 1–9999"
        );
        assert_eq!(
            told(&format!("{HEADING}\nissued x\njournal 0\n")),
            (2, "expected: issued, a serial".to_owned())
        );
        let twice = format!("{HEADING}\n{one} sealed 1 1\n{one} sealed 1 2\nissued 0\njournal 0\n");
        assert_eq!(told(&twice), (3, "out of order".to_owned()));
        assert!(
            told(&format!("{HEADING}\n4200010 sealed 1 1\nissued 0\njournal 0\n")).1.contains("check digit")
        );
    }
}
