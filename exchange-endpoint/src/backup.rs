//! A copy of a participant's database: consistent beside a running daemon, signed by the participant, sealed to its own age
//! key and its archive key. Nothing of it is held in memory but a few buffers.
//!
//! Inside the envelope:
//! ```text
//! svod.exchange/backup/v1
//! participant: 4200171
//! made_at: 2026-11-22T18:04:05Z
//! bytes: 5368709120
//! sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//!
//! — svod.exchange/4200171 ASNFZ…
//! ```
//! an empty line, then the bytes of the database. The keys, the cards and the watermark are not in it: the keys are kept on
//! another medium, and by the watermark a participant finds out that its database was put back.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    archive,
    clear_copy::{Beside, beside},
    database_copy::{alone, check, copy_pages},
    database_pages,
    durable_file::{self, PartFile},
    keys::OwnKeys,
    messages::Told,
    no_room::NoRoom as _,
    output::{Exit, Failure},
    sum,
};
use exchange_format::{
    card::Card,
    participant::ParticipantCode,
    position::Digest,
    seal::{self, Identity, OpenError},
};
use jiff::Timestamp;

const HEADING: &str = "svod.exchange/backup/v1";
/// The head takes a few hundred bytes.
const HEAD_BYTES: u64 = 4096;
const BUFFER: usize = 256 * 1024;

/// What a copy says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Whose database it is.
    pub participant: ParticipantCode,
    /// When it was copied.
    pub made_at: Timestamp,
    /// How long the database is.
    pub bytes: u64,
    /// Of the database's bytes.
    pub sha256: Digest,
}

/// Why a copy was not made or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is there already.
    #[error("{0} is already there")]
    Exists(PathBuf),
    /// Another program has the database open: what it commits once another file stands there would be lost.
    #[error("{0} is open in another program")]
    InUse(PathBuf),
    /// Another copy of it is being made or put back.
    #[error("{0} is being copied or put back")]
    Another(PathBuf),
    /// The database refuses.
    #[error("the database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The copy is not what SQLite would have written: the database is damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The file cannot be opened.
    #[error("{path}: {source}")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: OpenError,
    },
    /// The file is no copy as this program writes it.
    #[error("{path} is no copy of a database")]
    NotOne {
        /// Which.
        path: PathBuf,
    },
    /// It is another participant's.
    #[error("the copy is of participant {found}, not of {expected}")]
    OtherParticipant {
        /// Whose.
        found: ParticipantCode,
        /// Who we are.
        expected: ParticipantCode,
    },
    /// No known card of this participant has signed it.
    #[error("the signature of the copy is of no card known here")]
    Unsigned,
}

impl Head {
    fn text(&self) -> String {
        let Self { participant, made_at, bytes, sha256 } = self;
        format!(
            "{HEADING}\nparticipant: {participant}\nmade_at: {made_at}\nbytes: {bytes}\nsha256: {sha256}\n"
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == HEADING).then_some(())?;
        let mut take = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
        let head = Self {
            participant: take("participant")?.parse().ok()?,
            made_at: take("made_at")?.parse().ok()?,
            bytes: take("bytes")?.parse().ok()?,
            sha256: take("sha256")?.parse().ok()?,
        };
        (head.text() == text).then_some(head)
    }
}

/// Copies `database` into the new file `target`, beside whoever works with it. `tell` is told of the pages done and of all.
///
/// # Errors
/// Whatever stands in the way; then there is no file at `target`.
pub fn make(
    database: &Path,
    keys: &OwnKeys,
    target: &Path,
    now: Timestamp,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Head, BackupError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        |source| BackupError::Io { path, source }
    };
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    // where the database lies in the clear already
    let beside = Beside::new(database)?;
    let clear = beside.path();
    copy_pages(database, &clear, tell)?;
    check(&clear)?;
    let (bytes, sha256) = sum::of_file(&clear).map_err(at(&clear))?;
    let head = Head { participant: keys.participant(), made_at: now, bytes, sha256 };
    let recipients = keys.recipients_for(&keys.card);
    let mut sealed = PartFile::create(target, 0o600).map_err(at(target))?;
    let mut envelope = seal::seal(&recipients, &mut sealed).map_err(at(target))?;
    let clear = File::open(&clear).map_err(at(&clear))?;
    envelope
        .write_all(&keys.signing.sign_text(&head.text()))
        .and_then(|()| envelope.write_all(b"\n"))
        .and_then(|()| io::copy(&mut BufReader::with_capacity(BUFFER, clear), &mut envelope))
        .and_then(|_| envelope.finish().map(|_| ()))
        .map_err(at(target))?;
    sealed.finish().map_err(at(target))?;
    Ok(head)
}

/// A copy that was opened and proven, beside the database.
pub struct Proven {
    /// What it says.
    pub head: Head,
    file: Beside,
}

/// Opens the copy `sealed` with one of `identities` beside `database`, and proves it: signed by a card of `cards`, whole, and
/// sound. Nothing stands in the place of the database yet.
///
/// # Errors
/// It is not what it should be, or a file.
pub fn open(
    sealed: &Path,
    identities: &[Identity],
    (participant, cards): (ParticipantCode, &[Card]),
    database: &Path,
) -> Result<Proven, BackupError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        |source| BackupError::Io { path, source }
    };
    let not_one = || BackupError::NotOne { path: sealed.to_owned() };
    let directory = database.parent().unwrap_or(Path::new("."));
    let mut clear = archive::nameless(directory).map_err(at(directory))?;
    let input = BufReader::with_capacity(BUFFER, File::open(sealed).map_err(at(sealed))?);
    seal::open(identities, input, &mut clear, u64::MAX)
        .map_err(|source| BackupError::Open { path: sealed.to_owned(), source })?;
    io::Seek::rewind(&mut clear).map_err(at(directory))?;
    let mut clear = BufReader::with_capacity(BUFFER, clear);
    let note = read_note(&mut clear).map_err(at(sealed))?.ok_or_else(not_one)?;
    let text = std::str::from_utf8(&note).ok().and_then(|note| note.split_once("\n\n"));
    let head = text.and_then(|(text, _)| Head::parse(&format!("{text}\n"))).ok_or_else(not_one)?;
    if head.participant != participant {
        return Err(BackupError::OtherParticipant { found: head.participant, expected: participant });
    }
    let is_signed = |card: &Card| card.content.signing_key.verify_text(&head.text(), &note).is_ok();
    if !cards.iter().any(is_signed) {
        return Err(BackupError::Unsigned);
    }
    let file = Beside::new(database)?;
    let mut out = PartFile::create(&file.path(), 0o600).map_err(at(directory))?;
    let found = sum::pass(&mut clear, &mut out).map_err(at(directory))?;
    if found != (head.bytes, head.sha256) {
        return Err(not_one());
    }
    out.finish().map_err(at(directory))?;
    check(&file.path())?;
    Ok(Proven { head, file })
}

/// The signed head, up to the empty line after it.
fn read_note(from: &mut impl io::BufRead) -> io::Result<Option<Vec<u8>>> {
    let (mut note, mut blank) = (Vec::new(), 0);
    let mut from = from.take(HEAD_BYTES);
    while blank < 2 {
        let before = note.len();
        if from.read_until(b'\n', &mut note)? == 0 {
            return Ok(None);
        }
        blank += u32::from(note[before..] == *b"\n");
    }
    note.pop();
    Ok(Some(note))
}

impl Proven {
    /// Where it lies until it is put in its place.
    pub fn path(&self) -> PathBuf {
        self.file.path()
    }

    /// Puts it in the place of `database`. What stood there stays beside it, under the name that this returns.
    ///
    /// # Errors
    /// Another program has the database open, or a file; then what stood there stands there.
    pub fn put(self, database: &Path, mode: u32, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
        let _alone = alone(database)?;
        self.change(database, mode, now)
            .map_err(|source| BackupError::Io { path: database.to_owned(), source })
    }

    fn change(self, database: &Path, mode: u32, now: Timestamp) -> io::Result<Option<PathBuf>> {
        use std::os::unix::fs::PermissionsExt as _;
        let clear = self.path();
        fs::set_permissions(&clear, fs::Permissions::from_mode(mode))?;
        File::open(&clear)?.sync_all()?;
        let mut before = None;
        if database.exists() {
            let day = now.strftime("%Y%m%dT%H%M%SZ");
            let mut aside = beside(database, &format!(".before-{day}"));
            for n in 2..=u8::MAX {
                if !aside.exists() {
                    break;
                }
                aside = beside(database, &format!(".before-{day}-{n}"));
            }
            if aside.exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            // of a damaged one, whose log could not be folded in. The log first: without it the database is older, with a foreign one it is another
            for suffix in ["-wal", "-shm"] {
                match fs::rename(beside(database, suffix), beside(&aside, suffix)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            fs::rename(database, &aside)?;
            before = Some(aside);
        }
        fs::rename(&clear, database)?;
        durable_file::sync_directory(database)?;
        Ok(before)
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Io { path, source } if source.is_no_room() => {
                Self::new(Exit::Temporary, "backup-no-room")
                    .because("detail", Told::at(&path.display(), source))
            }
            BackupError::Io { path, source } => Self::new(Exit::of_io(&source), "backup-file")
                .told("file", path.display())
                .because("detail", source),
            BackupError::Exists(path) => {
                Self::new(Exit::Refused, "backup-exists").told("file", path.display())
            }
            BackupError::Another(path) => {
                Self::new(Exit::Temporary, "backup-another").told("file", path.display())
            }
            BackupError::InUse(path) => {
                Self::new(Exit::Temporary, "restore-in-use").told("file", path.display())
            }
            BackupError::Database(error) if database_pages::is_damage(&error) => {
                Self::new(Exit::Refused, "backup-damaged").because("detail", &error)
            }
            BackupError::Database(error) if error.is_no_room() => {
                Self::new(Exit::Temporary, "backup-no-room").because("detail", &error)
            }
            BackupError::Database(error) => {
                Self::new(Exit::Temporary, "backup-database").because("detail", &error)
            }
            BackupError::Damaged(told) => Self::new(Exit::Refused, "backup-damaged").with("detail", told),
            BackupError::Open { path, source: OpenError::NoIdentityMatches { .. } } => {
                Self::new(Exit::Refused, "backup-other-key").told("file", path.display())
            }
            BackupError::Open { path, source: OpenError::Io(source) } => {
                Self::new(Exit::of_io(&source), "backup-file")
                    .told("file", path.display())
                    .because("detail", source)
            }
            BackupError::Open { path, .. } | BackupError::NotOne { path } => {
                Self::new(Exit::Refused, "backup-not-one").told("file", path.display())
            }
            BackupError::OtherParticipant { found, expected } => {
                Self::new(Exit::Refused, "backup-other").told("found", found).told("expected", expected)
            }
            BackupError::Unsigned => Self::new(Exit::Refused, "backup-unsigned"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use rusqlite::Connection;

    use super::*;
    use crate::{clear_copy::remove_leftovers, keys::CardWords};

    fn keys(directory: &Path, unit: u16) -> OwnKeys {
        let words = CardWords {
            name: "Центр".to_owned(),
            valid_from: date(2026, 1, 1),
            valid_until: date(2028, 1, 1),
            tls_ca: None,
        };
        OwnKeys::create(directory, ParticipantCode::new(42, unit), words).expect("keys")
    }

    #[test]
    fn a_copy_beside_a_writer_is_one_state_and_comes_back_proven_only() {
        let dir = tempfile::tempdir().expect("a directory");
        let (own, other) = (keys(&dir.path().join("own"), 1), keys(&dir.path().join("other"), 2));
        let database = dir.path().join("centre.db");
        let db = Connection::open(&database).expect("made");
        db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(n INTEGER PRIMARY KEY, x TEXT);")
            .expect("made");
        for n in 0..2000 {
            db.execute("INSERT INTO t VALUES (?1, hex(randomblob(2000)))", [n]).expect("written");
        }
        let target = dir.path().join("copy.age");
        let mut told = 0;
        let head = make(&database, &own, &target, Timestamp::UNIX_EPOCH, &mut |_, _| {
            told += 1;
            db.execute("UPDATE t SET x = 'written meanwhile'", []).expect("written");
        })
        .expect("copied");
        assert!(told > 0);
        assert!(matches!(
            make(&database, &own, &target, Timestamp::UNIX_EPOCH, &mut |_, _| ()),
            Err(BackupError::Exists(_))
        ));
        let sealed = fs::read(&target).expect("read");
        assert!(!sealed.windows(6).any(|window| window == b"SQLite"));

        let of = |keys: &OwnKeys| (keys.participant(), vec![keys.card.clone()]);
        let (code, cards) = of(&own);
        let proven = open(&target, &own.identities, (code, &cards), &database).expect("proven");
        assert_eq!(proven.head, head);
        let in_use = proven
            .put(&database, 0o660, Timestamp::UNIX_EPOCH)
            .expect_err("somebody would lose what he writes");
        assert!(matches!(in_use, BackupError::InUse(_)));
        drop(db);
        let (code, cards) = of(&own);
        let proven = open(&target, &own.identities, (code, &cards), &database).expect("proven");
        let before =
            proven.put(&database, 0o660, Timestamp::UNIX_EPOCH).expect("put").expect("one stood there");
        let (code, cards) = of(&own);
        let again = open(&target, &own.identities, (code, &cards), &database).expect("proven");
        let second =
            again.put(&database, 0o660, Timestamp::UNIX_EPOCH).expect("put").expect("one stood there");
        assert!(
            second != before && before.is_file() && second.is_file(),
            "what stood there is never overwritten"
        );
        let count = |path: &Path| {
            let db = Connection::open(path).expect("opens");
            db.query_row("SELECT count(*) FROM t WHERE x = 'written meanwhile'", [], |row| {
                row.get::<_, u64>(0)
            })
            .expect("counted")
        };
        assert_eq!((count(&database), count(&before)), (0, 2000));

        let (other_code, other_cards) = of(&other);
        let fails = |identities: &[Identity], of: (ParticipantCode, &[Card])| {
            open(&target, identities, of, &database).err().expect("refused").to_string()
        };
        fails(&other.identities, (code, &cards));
        assert!(fails(&own.identities, (other_code, &other_cards)).contains("not of"));
        assert!(fails(&own.identities, (code, &other_cards)).contains("no card"));
        for at in [sealed.len() / 2, sealed.len() - 1] {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            fs::write(&target, &bad).expect("written");
            fails(&own.identities, (code, &cards));
        }
        let killed = beside(&database, ".copying");
        fs::create_dir(&killed).expect("made");
        fs::write(killed.join("clear.db"), "left").expect("written");
        let another = Beside::new(&database).expect("the lock of a killed one is gone");
        assert_eq!(fs::read_dir(&killed).expect("listed").count(), 0, "and what it left");
        assert!(matches!(Beside::new(&database), Err(BackupError::Another(_))));
        remove_leftovers(&database);
        assert!(killed.is_dir(), "a copy that is being made is left alone");
        drop(another);
        let left = fs::read_dir(dir.path()).expect("listed").flatten().map(|entry| entry.file_name());
        assert!(
            left.into_iter().all(|name| !name.to_string_lossy().contains(".copying")),
            "nothing is left beside"
        );
    }

    #[test]
    fn the_head_is_read_as_it_is_written() {
        let head = Head {
            participant: ParticipantCode::new(42, 1),
            made_at: Timestamp::UNIX_EPOCH,
            bytes: 4096,
            sha256: Digest::of(b"x"),
        };
        assert_eq!(Head::parse(&head.text()), Some(head.clone()));
        assert_eq!(Head::parse(&head.text().replace("bytes: ", "bytes:  ")), None);
        assert_eq!(Head::parse(&format!("{}more\n", head.text())), None);
    }
}
