//! The mailbox: where a spoke leaves its packets and finds the hub's.
//!
//! A mailbox has two folders. `in` takes what the centre sends: a file appears there whole, under its final
//! name, or not at all. `out` holds what the hub has placed; readers never delete there (exchange §6).
//! [`DirectoryMailbox`] is a folder both sides can reach, [`FtpsMailbox`] the hub's FTPS server or another one.
//! Neither looks into the files: what a file is, the packet reader decides.

mod config;
mod directory;
mod ftps;
mod local;

use std::io;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

use crate::messages::{self, Told};
use crate::no_room::NoRoom as _;

pub use config::{FtpsConfig, MailboxConfig};
pub use directory::DirectoryMailbox;
pub use ftps::{FtpsMailbox, FtpsSettings};

/// A file offered in `out`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offered {
    /// Its name, one path component; not yet checked to be a packet's name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
}

/// How a file came to stand under its final name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// This call put it there.
    Now,
    /// It stood there already with the same length (exchange §5, scenario S10).
    Already,
}

/// What a spoke does with its mailbox. All verbs may be repeated; a repeated one continues where it was cut.
///
/// Every verb ends: each implementation has a time limit on each of its steps, but [`Mailbox::wait`] takes its
/// limit as a parameter.
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// Lists the finished files of `out`, by name.
    async fn list_out(&self) -> Result<Vec<Offered>, MailboxError>;

    /// Brings the file `name` of `out` to `dest` and returns its length. Bytes gather in `<dest>.part`, which
    /// survives a cut and is continued; `dest` appears whole and on disk, replacing an older one.
    async fn fetch(&self, name: &str, dest: &Path) -> Result<u64, MailboxError>;

    /// Places the file `source` in `in` as `name`, never over another file.
    async fn put(&self, source: &Path, name: &str) -> Result<Placed, MailboxError>;

    /// Returns `true` as soon as `out` may have gained a file since the last `wait`, `false` after `at_most`.
    /// The first call returns `true` at once: nobody knows what came before. May run beside the other verbs.
    async fn wait(&self, at_most: Duration) -> Result<bool, MailboxError>;
}

/// Why a verb of the mailbox was not done.
#[derive(Debug, thiserror::Error)]
#[error("{}", Told::from(self))]
pub enum MailboxError {
    /// The other side or the way to it is not well now; the same call later may do.
    Temporary {
        /// What was being done: a message of the catalogue.
        action: &'static str,
        /// Where: a folder or `host:port`.
        place: String,
        /// What was seen.
        reason: Told,
        /// What the operator should do if it stays so: a message of the catalogue.
        next: &'static str,
    },
    /// The other side understood and said no; the same call will be refused again.
    Refused {
        /// What was being done: a message of the catalogue.
        action: &'static str,
        /// Where: a folder or `host:port`.
        place: String,
        /// The file in question.
        name: String,
        /// What the other side said.
        reason: Told,
    },
    /// This mailbox cannot work as configured (login, certificate, folder); a person must act.
    Config {
        /// Where: a folder or `host:port`.
        place: String,
        /// What is wrong.
        reason: Told,
        /// What the operator should do: a message of the catalogue.
        next: &'static str,
    },
}

impl MailboxError {
    /// A file system has not done `action` at `place`.
    pub fn of_io(action: &'static str, place: String, error: io::Error) -> Self {
        let next = next_of_io(&error);
        Self::Temporary { action, place, reason: error.into(), next }
    }

    /// Whether trying again later, without anybody acting, makes sense.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary { .. })
    }

    /// What the operator should do.
    pub fn next(&self) -> Told {
        match self {
            Self::Config { next, .. } | Self::Temporary { next, .. } => Told::of(next, &[]),
            Self::Refused { .. } => Told::of("mailbox-next-line", &[]),
        }
    }
}

fn next_of_io(error: &io::Error) -> &'static str {
    if error.is_no_room() { "mailbox-next-room" } else { "mailbox-next-line" }
}

impl From<&MailboxError> for Told {
    fn from(error: &MailboxError) -> Self {
        let (id, action, place, name, reason) = match error {
            MailboxError::Temporary { action, place, reason, .. } => {
                ("mailbox-temporary", *action, place, "", reason)
            }
            MailboxError::Refused { action, place, name, reason } => {
                ("mailbox-refused", *action, place, name.as_str(), reason)
            }
            MailboxError::Config { place, reason, .. } => ("mailbox-unusable", "", place, "", reason),
        };
        Self::new(|lang| {
            let args = [
                ("action", messages::find(lang, action, &[]).unwrap_or_default().into()),
                ("place", place.as_str().into()),
                ("name", name.into()),
                ("reason", reason.in_lang(lang).into()),
            ];
            messages::text(lang, id, &args)
        })
    }
}
