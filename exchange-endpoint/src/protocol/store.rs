//! The `protocols/` directory: `NNNNNN-<kind>.json` and `.html`, numbered without gaps, never overwritten.

use std::{
    fs, io,
    path::{Path, PathBuf},
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
    last: u32,
}

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
        let io = |source| ProtocolError::Io { path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(io)?;
        let mut protocols = Self { dir: dir.to_owned(), last: 0 };
        protocols.last = protocols.newest()?;
        Ok(protocols)
    }

    /// Numbers `protocol` and keeps it. When this returns, both files are on the disk; another process may
    /// write into the same directory at the same time.
    pub fn write(&mut self, mut protocol: Protocol) -> Result<Protocol, ProtocolError> {
        debug_assert_eq!(protocol.miscounted(), None, "{:?} {:?}", protocol.packets, protocol.totals);
        loop {
            protocol.number = self.last + 1;
            let path = self.file(protocol.number, protocol.kind, "json");
            let damaged = |source| ProtocolError::Damaged { path: path.clone(), source };
            let json = serde_json::to_vec_pretty(&protocol).map_err(damaged)?;
            match self.claim(protocol.number, &path, &json) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.last = self.newest()?.max(protocol.number);
                }
                Err(source) => return Err(ProtocolError::Io { path, source }),
            }
        }
        self.last = protocol.number;
        let path = self.file(protocol.number, protocol.kind, "html");
        let page = html::render(&protocol)?;
        durable_file::replace(&path, page.as_bytes(), 0o640)
            .map_err(|source| ProtocolError::Io { path, source })?;
        Ok(protocol)
    }

    /// The number belongs to who takes it first, whatever the kind.
    fn claim(&self, number: u32, path: &Path, json: &[u8]) -> io::Result<()> {
        let lock = fs::File::open(&self.dir)?;
        lock.lock()?;
        if Kind::ALL.iter().any(|kind| self.file(number, *kind, "json").exists()) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        durable_file::create_new(path, json, 0o640)
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
        let io = |source| ProtocolError::Io { path: self.dir.clone(), source };
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json")?.split_once('-'));
            numbers.extend(number.and_then(|(number, _)| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The printable file of `protocol`.
    pub fn printable(&self, protocol: &Protocol) -> PathBuf {
        self.file(protocol.number, protocol.kind, "html")
    }

    fn newest(&self) -> Result<u32, ProtocolError> {
        Ok(self.numbers()?.last().copied().unwrap_or(0))
    }

    fn file(&self, number: u32, kind: Kind, extension: &str) -> PathBuf {
        self.dir.join(format!("{number:06}-{}.{extension}", kind.word()))
    }
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
