//! The `[mailbox]` table of a spoke's configuration, and opening what it describes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use serde::Deserialize;

use super::{DirectoryMailbox, FtpsMailbox, FtpsSettings, Mailbox, MailboxError};
use crate::messages::Told;

/// `[mailbox]`: `kind = "directory"` or `kind = "ftps"`. Relative paths are relative to the configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Table")]
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
#[derive(Debug, Clone)]
pub struct FtpsConfig {
    /// Host name or address to connect to.
    pub host: String,
    /// Control port.
    pub port: u16,
    /// The name that the server's certificate must bear; `host` if absent.
    pub server_name: Option<String>,
    /// Login: the centre's participant code at our hub.
    pub user: String,
    /// File whose first line is the password.
    pub password_file: PathBuf,
    /// PEM file of the only CA that is trusted.
    pub ca_file: PathBuf,
    /// PEM file of this centre's client certificate, if the server wants one.
    pub certificate_file: Option<PathBuf>,
    /// PEM file of its private key.
    pub key_file: Option<PathBuf>,
    /// Limit of each step (connect, handshake, reply, a pause in a transfer), seconds.
    pub timeout_s: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Directory,
    Ftps,
}

/// The keys of both kinds, as they stand. An enum tagged by `kind` would lose, for what is wrong inside it, the
/// place in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: Way,
    path: Option<PathBuf>,
    host: Option<String>,
    port: Option<u16>,
    server_name: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    timeout_s: Option<u64>,
}

/// In serde's words, which [`crate::config`] turns into file, line and key.
const FTPS_KEYS: &str = "`kind`, `host`, `port`, `server_name`, `user`, `password_file`, `ca_file`, \
                         `certificate_file`, `key_file`, `timeout_s`";

impl TryFrom<Table> for MailboxConfig {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let missing = |key: &str| format!("missing field `{key}`");
        match table.kind {
            Way::Directory => match table.foreign_to_directory() {
                Some(key) => Err(format!("unknown field `{key}`, expected one of `kind`, `path`")),
                None => Ok(Self::Directory { path: table.path.ok_or_else(|| missing("path"))? }),
            },
            Way::Ftps if table.path.is_some() => {
                Err(format!("unknown field `path`, expected one of {FTPS_KEYS}"))
            }
            Way::Ftps => Ok(Self::Ftps(FtpsConfig {
                host: table.host.ok_or_else(|| missing("host"))?,
                port: table.port.unwrap_or(21),
                server_name: table.server_name,
                user: table.user.ok_or_else(|| missing("user"))?,
                password_file: table.password_file.ok_or_else(|| missing("password_file"))?,
                ca_file: table.ca_file.ok_or_else(|| missing("ca_file"))?,
                certificate_file: table.certificate_file,
                key_file: table.key_file,
                timeout_s: table.timeout_s.unwrap_or(30),
            })),
        }
    }
}

impl Table {
    /// The first key that only an FTPS mailbox has.
    fn foreign_to_directory(&self) -> Option<&'static str> {
        let given = [
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("server_name", self.server_name.is_some()),
            ("user", self.user.is_some()),
            ("password_file", self.password_file.is_some()),
            ("ca_file", self.ca_file.is_some()),
            ("certificate_file", self.certificate_file.is_some()),
            ("key_file", self.key_file.is_some()),
            ("timeout_s", self.timeout_s.is_some()),
        ];
        given.into_iter().find_map(|(key, given)| given.then_some(key))
    }
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
                reason: Told::at(&base.join(path).display(), error),
                next: "mailbox-next-file",
            })
        };
        let password = read(&self.password_file)?;
        let client = match (&self.certificate_file, &self.key_file) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, SecretString::from(read(key)?))),
            (None, None) => None,
            _ => {
                return Err(MailboxError::Config {
                    place: format!("{}:{}", self.host, self.port),
                    reason: Told::of("mailbox-client-half", &[]),
                    next: "mailbox-next-client",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigError, Fault};

    #[derive(Debug, Deserialize)]
    struct Daemon {
        mailbox: MailboxConfig,
    }

    fn read(text: &str) -> Result<Config<Daemon>, ConfigError> {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("svod-spoke.toml");
        std::fs::write(&file, text).expect("written");
        Config::load(&file)
    }

    #[test]
    fn each_kind_has_its_keys() {
        let config = read("[mailbox]\npath = \"x\"\nkind = \"directory\"\n").expect("good");
        assert!(matches!(&config.mailbox, MailboxConfig::Directory { path } if path == Path::new("x")));
        let text =
            "[mailbox]\nkind = \"ftps\"\nhost = \"h\"\nuser = \"u\"\npassword_file = \"p\"\nca_file = \"c\"";
        let config = read(text).expect("good");
        let MailboxConfig::Ftps(ftps) = &config.mailbox else { panic!("not FTPS") };
        assert_eq!((ftps.port, ftps.timeout_s, ftps.server_name.as_deref()), (21, 30, None));
    }

    #[test]
    fn what_is_wrong_is_told_by_line_and_key() {
        for (text, line, key) in [
            ("[mailbox]\nkind = \"directory\"\npath = 5\n", 3, "mailbox.path"),
            ("[mailbox]\nkind = \"ftps\"\nhost = \"h\"\nport = \"21\"\n", 4, "mailbox.port"),
            ("[mailbox]\nkind = \"post\"\n", 2, "mailbox.kind"),
            ("[mailbox]\npath = \"x\"\n", 1, "mailbox.kind"),
            ("\n[mailbox]\nkind = \"directory\"\n", 2, "mailbox.path"),
            ("[mailbox]\nkind = \"directory\"\npath = \"x\"\nhost = \"h\"\n", 4, "mailbox.host"),
            ("[mailbox]\nkind = \"ftps\"\npath = \"x\"\nhost = \"h\"\n", 3, "mailbox.path"),
            ("[mailbox]\nkind = \"directory\"\npth = \"x\"\n", 3, "mailbox.pth"),
        ] {
            let Err(ConfigError::Wrong { place, .. }) = read(text) else { panic!("{text}") };
            assert_eq!((place.line, place.key.as_str()), (line, key), "{text}");
        }
        let Err(ConfigError::Wrong { fault, .. }) = read("[mailbox]\nkind = \"ftps\"\nhots = \"h\"\n") else {
            panic!("not refused")
        };
        assert!(matches!(fault, Fault::UnknownKey { nearest: Some(key), .. } if key == "host"));
    }
}
