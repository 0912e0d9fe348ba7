//! The file that a row of attachments names. It lies beside the table or below: a table is anybody's, and what is attached is
//! published. Nothing else of this machine is read, and the hub's own secrets are not even there.

use std::{
    fs,
    io::{self, ErrorKind, Read as _},
    path::{Component, Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cap_std::{ambient_authority, fs::Dir};
use exchange_endpoint::config::Config;
use exchange_format::{
    position::Digest,
    record::{Body, Finding},
};

use crate::edges::config::HubConfig;

/// The largest file that is attached.
const LARGEST: u64 = 256 << 20;
/// The largest content that travels in the record itself.
const CARRIED: usize = 393_216;

/// Where the files of a table lie.
pub struct Folder {
    directory: PathBuf,
    /// Nothing below these is attached.
    secret: Vec<PathBuf>,
}

impl Folder {
    /// The directory of the table `file`.
    pub fn of(file: &Path, config: &Config<HubConfig>) -> Self {
        let directory = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let secret = [&config.keys, &config.pki, &config.database].map(|path| config.path(path));
        let secret = secret.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
        Self { directory: directory.to_owned(), secret }
    }

    /// The bytes of the file `name`, or the rule by which it is not read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, &'static str> {
        let is_plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_plain {
            return Err("file-outside");
        }
        match self.bytes(name) {
            Ok(Some(bytes)) => Ok(bytes),
            // a link that leads out: no error of the system's
            Err(error) if error.kind() == ErrorKind::PermissionDenied && error.raw_os_error().is_none() => {
                Err("file-outside")
            }
            Ok(None) => Err("file-outside"),
            Err(_) => Err("file-unread"),
        }
    }

    /// `None`: it is one of the hub's secrets.
    fn bytes(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let dir = Dir::open_ambient_dir(&self.directory, ambient_authority())?;
        let path = dir.canonicalize(name)?;
        let whole = fs::canonicalize(&self.directory)?.join(&path);
        if self.secret.iter().any(|secret| whole.starts_with(secret)) {
            return Ok(None);
        }
        let fits = |meta: cap_std::fs::Metadata| meta.is_file() && meta.len() <= LARGEST;
        // before it is opened: a pipe would wait for its writer
        if !fits(dir.metadata(&path)?) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        dir.open(&path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST { Err(ErrorKind::FileTooLarge.into()) } else { Ok(Some(bytes)) }
    }
}

/// States size, hash and, if it is small enough, content of the file `name` with these `bytes`, and what it is if nobody says
/// that.
pub fn state(body: &mut Body, name: &str, bytes: &[u8]) -> Result<(), Finding> {
    let content = if bytes.len() <= CARRIED { STANDARD.encode(bytes) } else { String::new() };
    let ending = Path::new(name).extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let media_type = match ending.as_deref() {
        Some("pdf") => "application/pdf",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("tif" | "tiff") => "image/tiff",
        Some("txt") => "text/plain",
        _ => "application/octet-stream",
    };
    let media_type = body.text("media_type").unwrap_or(media_type).to_owned();
    let (size, digest) = (bytes.len().to_string(), Digest::of(bytes).to_string());
    for (field, value) in
        [("size", &size), ("sha256", &digest), ("content", &content), ("media_type", &media_type)]
    {
        body.set(field, value)?;
    }
    Ok(())
}
