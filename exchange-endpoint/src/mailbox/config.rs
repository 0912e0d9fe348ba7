//! The `[mailbox]` table of a spoke's configuration, and opening what it describes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use serde::Deserialize;

use super::{DirectoryMailbox, FtpsMailbox, FtpsSettings, Mailbox, MailboxError};

/// `[mailbox]`: `kind = "directory"` or `kind = "ftps"`. Relative paths are relative to the configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum MailboxConfig {
    /// A folder with `in` and `out`, reachable by both sides.
    Directory {
        /// The folder.
        path: PathBuf,
    },
    /// An FTPS server (RFC 4217, explicit TLS).
    Ftps(FtpsConfig),
}

/// The keys of an FTPS mailbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FtpsConfig {
    /// Host name or address to connect to.
    pub host: String,
    /// Control port.
    #[serde(default = "default_port")]
    pub port: u16,
    /// The name that the server's certificate must bear; `host` if absent.
    #[serde(default)]
    pub server_name: Option<String>,
    /// Login: the centre's participant code at our hub.
    pub user: String,
    /// File whose first line is the password.
    pub password_file: PathBuf,
    /// PEM file of the only CA that is trusted.
    pub ca_file: PathBuf,
    /// PEM file of this centre's client certificate, if the server wants one.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// PEM file of its private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Limit of each step (connect, handshake, reply, a pause in a transfer), seconds.
    #[serde(default = "default_timeout")]
    pub timeout_s: u64,
}

fn default_port() -> u16 {
    21
}

fn default_timeout() -> u64 {
    30
}

impl MailboxConfig {
    /// Opens the mailbox; `base` is the folder of the configuration file. Nothing is connected yet.
    pub fn open(&self, base: &Path) -> Result<Arc<dyn Mailbox>, MailboxError> {
        match self {
            Self::Directory { path } => Ok(Arc::new(DirectoryMailbox::open(&base.join(path))?)),
            Self::Ftps(config) => Ok(Arc::new(FtpsMailbox::new(config.settings(base)?)?)),
        }
    }
}

impl FtpsConfig {
    /// Reads the files that the configuration names.
    pub fn settings(&self, base: &Path) -> Result<FtpsSettings, MailboxError> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(base.join(path)).map_err(|error| MailboxError::Config {
                place: format!("{}:{}", self.host, self.port),
                reason: format!("{}: {error}", base.join(path).display()),
                next: "put the file there or correct its path under [mailbox]",
            })
        };
        let password = read(&self.password_file)?;
        let client = match (&self.certificate_file, &self.key_file) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, SecretString::from(read(key)?))),
            (None, None) => None,
            _ => {
                return Err(MailboxError::Config {
                    place: format!("{}:{}", self.host, self.port),
                    reason: "certificate_file and key_file go together".into(),
                    next: "give both under [mailbox], or neither",
                });
            }
        };
        Ok(FtpsSettings {
            host: self.host.clone(),
            port: self.port,
            server_name: self.server_name.clone().unwrap_or_else(|| self.host.clone()),
            user: self.user.clone(),
            password: SecretString::from(password.lines().next().unwrap_or_default().to_owned()),
            ca_pem: read(&self.ca_file)?,
            client,
            timeout: std::time::Duration::from_secs(self.timeout_s.max(1)),
        })
    }
}
