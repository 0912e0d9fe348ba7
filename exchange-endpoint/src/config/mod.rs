//! Configuration files: TOML, read by serde, with errors that name file, line and key and say what to do.
//!
//! A configuration type derives `Deserialize` with `deny_unknown_fields`. Paths in it are relative to the
//! file that names them ([`Config::path`]).

mod limits;
mod lists;
mod locate;
mod ranges;

use std::{
    fmt, fs, io,
    ops::Deref,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

pub use self::{
    limits::LimitsConfig,
    lists::{ListsConfig, with_shipped},
    locate::{toml_fault, toml_told},
    ranges::{Deadlines, Ranged},
};
use crate::{
    messages::Told,
    output::{Exit, Failure},
};

/// A configuration that was read, and the file it was read from.
#[derive(Debug, Clone)]
pub struct Config<T> {
    value: T,
    file: PathBuf,
    text: String,
}

/// What is wrong with a configuration file, and where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{place}: {fault}")]
    Wrong {
        /// Where.
        place: Place,
        /// What.
        fault: Fault,
    },
}

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The key, as `ftps.port`; empty at the top of the file.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)?;
        if self.key.is_empty() { Ok(()) } else { write!(f, ": key {}", self.key) }
    }
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not TOML.
    #[error("column {column}: {said}")]
    Syntax {
        /// The place in the line, from 1.
        column: usize,
        /// What the reader says.
        said: String,
    },
    /// No such key.
    #[error("unknown key; known here: {}", known.join(", "))]
    UnknownKey {
        /// The known key that is most like it, if one is.
        nearest: Option<String>,
        /// All keys known here.
        known: Vec<String>,
    },
    /// A key that must be there is not.
    #[error("missing")]
    Missing,
    /// A value that the key cannot have.
    #[error("{0}")]
    Value(Told),
}

impl<T: DeserializeOwned> Config<T> {
    /// Reads `file`.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { file: file.to_owned(), source };
        // a pipe would wait for its writer, a device never end
        let kind = fs::metadata(file).map_err(unreadable)?;
        if !kind.is_file() && !kind.is_dir() {
            return Err(unreadable(io::ErrorKind::InvalidInput.into()));
        }
        let text = fs::read_to_string(file).map_err(unreadable)?;
        // Absolute, so that a daemon that changes its directory still finds its files.
        let file = std::path::absolute(file).map_err(unreadable)?;
        match toml::from_str(&text) {
            Ok(value) => Ok(Self { value, file, text }),
            Err(error) => {
                let (line, key, fault) = locate::fault(&text, &error);
                Err(ConfigError::Wrong { place: Place { file, line, key }, fault })
            }
        }
    }
}

impl<T> Config<T> {
    /// `path` as the configuration means it: relative to the directory of its file.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("/")).join(path)
    }

    /// The configuration without its file.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The file, as an absolute path.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The error for `key` (as `ftps.port`) whose value has the right type and is wrong all the same.
    pub fn refuse(&self, key: &str, why: impl Into<Told>) -> ConfigError {
        let place = Place {
            file: self.file.clone(),
            line: locate::line_of_key(&self.text, key),
            key: key.to_owned(),
        };
        ConfigError::Wrong { place, fault: Fault::Value(why.into()) }
    }
}

impl<T> Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let (place, fault) = match error {
            ConfigError::Unreadable { file, source } => {
                return Self::new(Exit::Usage, "config-unreadable")
                    .told("file", file.display())
                    .because("detail", source);
            }
            ConfigError::Wrong { place, fault } => (place, fault),
        };
        let (code, detail) = match fault {
            Fault::Syntax { column, said } => {
                return Self::new(Exit::Usage, "config-syntax")
                    .told("file", place.file.display())
                    .told("line", place.line)
                    .told("column", column)
                    .with("detail", said);
            }
            Fault::UnknownKey { nearest: Some(nearest), .. } => ("config-mistyped-key", nearest.into()),
            Fault::UnknownKey { nearest: None, known } => ("config-unknown-key", known.join(", ").into()),
            Fault::Missing => ("config-missing-key", String::new().into()),
            Fault::Value(detail) => ("config-value", detail),
        };
        Self::new(Exit::Usage, code)
            .told("file", place.file.display())
            .told("line", place.line)
            .with("key", place.key)
            .because("detail", detail)
    }
}
