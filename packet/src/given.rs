//! A file as it was handed over, and how it is opened.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    archive,
    messages::Told,
    output::{Exit, Failure},
    stray,
};
use exchange_format::{
    error::PacketError,
    file_name::{FileName, FileNameError},
    packet::{Limits, UnverifiedPacket, open_sealed},
    seal::{Identity, OpenError},
};

/// How an envelope of the first version begins.
const ENVELOPE: &[u8] = b"age-encryption.org/";

/// A file to be looked at. Nothing of it is believed.
#[derive(Debug)]
pub struct Given {
    path: PathBuf,
    /// What its name says, if it is a packet's.
    pub name: Result<FileName, FileNameError>,
    /// How the file may be called in what is written: a name that is no packet's may hold anything.
    pub label: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether it begins as an envelope does.
    pub in_envelope: bool,
    head: Vec<u8>,
}

impl Given {
    /// Looks at the file at `path`.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| unreadable(path, &error);
        let metadata = fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            let failure = Failure::new(Exit::Usage, "packet-file").told("file", path.display());
            return Err(failure.because("detail", Told::of("packet-no-file", &[])));
        }
        let mut head = Vec::new();
        File::open(path)
            .and_then(|file| file.take(ENVELOPE.len() as u64).read_to_end(&mut head))
            .map_err(failed)?;
        let label = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            path: path.to_owned(),
            name: label.parse(),
            label: stray::loggable(&label).to_owned(),
            bytes: metadata.len(),
            in_envelope: head == ENVELOPE,
            head,
        })
    }

    /// How it may be called in an error: a name that is no packet's is not repeated.
    pub fn called(&self) -> Told {
        if self.label == stray::UNNAMED { Told::of("packet-unnamed", &[]) } else { self.label.clone().into() }
    }

    /// Whether it is to be opened as sealed: as its name says, else as it looks.
    pub fn sealed(&self) -> bool {
        self.name.as_ref().map_or(self.in_envelope, |name| name.sealed)
    }

    /// Opens it. What is in an envelope goes in the clear into a file without a name, which is gone when closed.
    pub fn open(&self, identities: &[Identity]) -> Result<UnverifiedPacket<File>, PacketError> {
        let limits = Limits::default();
        let file = File::open(&self.path)?;
        if !self.sealed() {
            return UnverifiedPacket::open(file, &limits);
        }
        if identities.is_empty() && self.in_envelope {
            return Err(OpenError::NoIdentityMatches { tried: 0 }.into());
        }
        open_sealed(BufReader::new(file), identities, clear_file()?, &limits)
    }

    /// The whole file, if it is at most `limit` bytes.
    pub fn whole(&self, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        if self.bytes > limit {
            return Ok(None);
        }
        fs::read(&self.path).map(Some).map_err(|error| unreadable(&self.path, &error))
    }

    /// Whether its first byte is `byte`.
    pub fn begins_with(&self, byte: u8) -> bool {
        self.head.first() == Some(&byte)
    }

    /// The path with another ending.
    pub fn beside(&self, ending: &str) -> PathBuf {
        self.path.with_extension(ending)
    }

    /// What this machine could not do with it.
    pub fn failed(&self, error: &PacketError) -> Failure {
        match error {
            PacketError::Io(error) | PacketError::Open(OpenError::Io(error)) => unreadable(&self.path, error),
            other => Failure::bug(other),
        }
    }
}

/// A file without a name in the directory for temporary files.
pub fn clear_file() -> io::Result<File> {
    archive::nameless(&std::env::temp_dir())
}

/// `file` from its beginning.
pub fn rewound(mut file: File) -> io::Result<BufReader<File>> {
    file.seek(SeekFrom::Start(0))?;
    Ok(BufReader::new(file))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::of_io(error), "packet-file").told("file", path.display()).because("detail", error)
}
