//! The `protocols/` directory: `NNNNNN-<kind>.json` and `.html`, numbered without gaps, never overwritten.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{HtmlError, Kind, Protocol, html};
use crate::{
    durable_file,
    output::{Exit, Failure},
};

/// The protocols of one participant.
#[derive(Debug)]
pub struct Protocols {
    dir: PathBuf,
    /// Up to this number all protocols of the database have their files.
    made: u32,
    /// The highest number of a file when it was last looked for.
    newest: u32,
}

/// A file that has been unfinished for so long has no writer any more, where nothing else tells.
const LEFT: Duration = Duration::from_hours(1);

/// Why a protocol cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A file or the directory cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not a protocol.
    #[error("{path}: not a protocol: {source}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// There is no protocol of this number.
    #[error("there is no protocol {0}")]
    Unknown(u32),
    /// The printable file could not be made.
    #[error(transparent)]
    Html(#[from] HtmlError),
}

impl Protocols {
    /// The protocols in `dir`, which is made if it is not there.
    pub fn open(dir: &Path) -> Result<Self, ProtocolError> {
        durable_file::make_directories(dir)
            .map_err(|source| ProtocolError::Io { path: dir.to_owned(), source })?;
        durable_file::remove_left(dir, LEFT)
            .map_err(|source| ProtocolError::Io { path: dir.to_owned(), source })?;
        let mut protocols = Self { dir: dir.to_owned(), made: 0, newest: 0 };
        protocols.newest = protocols.list_newest()?;
        Ok(protocols)
    }

    /// Makes the files of the protocols that the database has, as far as they are not there: `next` gives the first
    /// after a number, as JSON. Another process may do the same at the same time. What was made by an earlier call is
    /// not asked for again.
    pub fn keep_due<E: From<ProtocolError>>(
        &mut self,
        mut next: impl FnMut(u32) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), E> {
        while let Some(json) = next(self.made)? {
            let damaged = |source| ProtocolError::Damaged { path: self.dir.clone(), source };
            let protocol: Protocol = serde_json::from_slice(&json).map_err(damaged)?;
            let number = protocol.number;
            self.write(protocol)?;
            self.made = number;
        }
        Ok(())
    }

    /// Up to which number this process knows that all protocols of the database have their files; and the highest number
    /// of a file that it knows.
    pub fn reached(&self) -> (u32, u32) {
        (self.made, self.newest)
    }

    /// Keeps `protocol` under its number; if it has none, or another protocol has it, under the next one. A file of this
    /// protocol that somebody has altered is put aside. When this returns, both files are on the disk; another process may
    /// write into the same directory at the same time.
    pub fn write(&mut self, mut protocol: Protocol) -> Result<Protocol, ProtocolError> {
        if protocol.number == 0 {
            protocol.number = self.newest + 1;
        }
        loop {
            let path = self.file(protocol.number, protocol.kind, "json");
            let damaged = |source| ProtocolError::Damaged { path: path.clone(), source };
            let json = serde_json::to_vec_pretty(&protocol).map_err(damaged)?;
            match self.claim(&protocol, &path, &json) {
                Ok(true) => break,
                Ok(false) => protocol.number = self.list_newest()?.max(protocol.number) + 1,
                Err(source) => return Err(ProtocolError::Io { path, source }),
            }
        }
        self.newest = self.newest.max(protocol.number);
        self.make_page(&protocol)?;
        Ok(protocol)
    }

    /// Makes the printable file of `protocol` if it is not there.
    pub fn make_page(&self, protocol: &Protocol) -> Result<(), ProtocolError> {
        let path = self.printable(protocol);
        if path.exists() {
            return Ok(());
        }
        let page = html::render(protocol)?;
        durable_file::replace(&path, page.as_bytes(), 0o640)
            .map_err(|source| ProtocolError::Io { path, source })
    }

    /// Whether `protocol` has its number. That belongs to who takes it first, whatever the kind.
    fn claim(&self, protocol: &Protocol, path: &Path, json: &[u8]) -> io::Result<bool> {
        let lock = fs::File::open(&self.dir)?;
        lock.lock()?;
        let others = Kind::ALL.into_iter().filter(|kind| *kind != protocol.kind);
        if others.map(|kind| self.file(protocol.number, kind, "json")).any(|other| other.exists()) {
            return Ok(false);
        }
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(there) => match serde_json::from_slice::<Protocol>(&there) {
                // its maker may have been ended before the name was durable
                Ok(there) if there == *protocol => return durable_file::sync_directory(path).map(|()| true),
                // an older database was put back, and goes through its numbers again
                Ok(there) if (there.started, &there.actor) != (protocol.started, &protocol.actor) => {
                    return Ok(false);
                }
                _ => put_aside(path)?,
            },
        }
        durable_file::create_new(path, json, 0o640).map(|()| true)
    }

    /// The protocol `number`.
    pub fn read(&self, number: u32) -> Result<Protocol, ProtocolError> {
        let paths = Kind::ALL.map(|kind| self.file(number, kind, "json"));
        let path = paths.iter().find(|path| path.exists()).ok_or(ProtocolError::Unknown(number))?;
        let bytes = fs::read(path).map_err(|source| ProtocolError::Io { path: path.clone(), source })?;
        serde_json::from_slice(&bytes).map_err(|source| ProtocolError::Damaged { path: path.clone(), source })
    }

    /// The numbers of all protocols, oldest first.
    pub fn numbers(&self) -> Result<Vec<u32>, ProtocolError> {
        self.numbers_of(&Kind::ALL)
    }

    /// The numbers of the protocols of these kinds, oldest first.
    pub fn numbers_of(&self, kinds: &[Kind]) -> Result<Vec<u32>, ProtocolError> {
        let io = |source| ProtocolError::Io { path: self.dir.clone(), source };
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json")?.split_once('-'));
            let of_kind = number.filter(|(_, word)| kinds.iter().any(|kind| kind.word() == *word));
            numbers.extend(of_kind.and_then(|(number, _)| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The printable file of `protocol`.
    pub fn printable(&self, protocol: &Protocol) -> PathBuf {
        self.file(protocol.number, protocol.kind, "html")
    }

    fn list_newest(&self) -> Result<u32, ProtocolError> {
        Ok(self.numbers()?.last().copied().unwrap_or(0))
    }

    fn file(&self, number: u32, kind: Kind, extension: &str) -> PathBuf {
        self.dir.join(format!("{number:06}-{}.{extension}", kind.word()))
    }
}

/// Somebody has altered the protocol at `path` and what is printed from it: both stay, under names that no protocol has.
fn put_aside(path: &Path) -> io::Result<()> {
    for path in [path.to_owned(), path.with_extension("html")] {
        let mut n = 1;
        let mut aside = path.with_added_extension("altered-1");
        while aside.exists() {
            n += 1;
            aside = path.with_added_extension(format!("altered-{n}"));
        }
        match fs::rename(&path, &aside) {
            Ok(()) => tracing::error!(file = %aside.display(), "altered by another program, put aside"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl From<ProtocolError> for Failure {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Io { path, source } => Self::new(Exit::of_io(&source), "protocol-file")
                .told("file", path.display())
                .because("detail", source),
            ProtocolError::Damaged { path, source } => Self::new(Exit::Refused, "protocol-damaged")
                .told("file", path.display())
                .because("detail", &source),
            ProtocolError::Unknown(number) => {
                Self::new(Exit::Refused, "protocol-unknown").told("number", number)
            }
            ProtocolError::Html(error) => Self::bug(&error),
        }
    }
}
