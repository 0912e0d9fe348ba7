//! The session machine: (state, line) → what to do. No sockets, no files, no clock.
//!
//! The driver (`control`) feeds lines, carries out the [`Step`]s and tells the outcome of those that change the
//! state ([`Session::secured`], [`Session::logged_in`]). Before login no step touches an account's files: that is
//! decided here, in one place ([`Session::admit`]).

use std::time::Duration;

use secrecy::SecretString;

use super::command::{self, Command};
use super::place::Folder;
use super::reply::Reply;

/// What the driver is to do.
#[derive(Debug)]
pub(super) enum Step {
    Reply(Reply),
    /// Reply, then end the session.
    Close(Reply),
    /// Reply 234, then the TLS handshake; [`Session::secured`] follows.
    StartTls,
    /// Check the password; [`Session::logged_in`] follows if it is right.
    Login {
        user: String,
        password: SecretString,
    },
    /// Listen for a data connection.
    Passive {
        extended: bool,
    },
    /// Do something short with files and reply.
    File(FileTask),
    /// Move bytes over a data connection.
    Transfer(Transfer),
    /// Reply when `out` gains a file or the time is over.
    Wait(Duration),
}

/// Something short with files. Names are of `in` unless said otherwise.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileTask {
    Size(FileRef),
    Modified(FileRef),
    Facts(FileRef),
    Hash(FileRef),
    Sha256(FileRef),
    /// RNFR: is the part there?
    Find(String),
    Rename {
        part: String,
        name: String,
    },
    Delete(String),
}

/// A file and its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileRef {
    In(String),
    Out(String),
}

/// A transfer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    List {
        folder: Folder,
        style: Style,
    },
    Retrieve {
        name: String,
        offset: u64,
    },
    /// `offset` `None` appends.
    Store {
        name: String,
        offset: Option<u64>,
    },
}

/// How a folder is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Long,
    Names,
    Facts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Plain,
    Secured,
    Named(String),
    LoggedIn,
}

/// One control connection's state.
#[derive(Debug)]
pub(super) struct Session {
    stage: Stage,
    /// PROT P was given.
    pub(super) private_data: bool,
    /// PBSZ was given.
    pub(super) buffer_set: bool,
    pub(super) folder: Folder,
    /// Offset and part named by the command just before; each command takes them, so neither outlives the next. PASV and
    /// EPSV leave the offset for the transfer.
    rest: u64,
    rename_from: Option<String>,
}

/// What the command before this one left for it.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub rest: u64,
    pub rename_from: Option<String>,
}

impl Session {
    pub fn new() -> Self {
        Self {
            stage: Stage::Plain,
            private_data: false,
            buffer_set: false,
            folder: Folder::Root,
            rest: 0,
            rename_from: None,
        }
    }

    /// The TLS handshake of the control connection is done.
    pub fn secured(&mut self) {
        self.stage = Stage::Secured;
    }

    /// The password was right.
    pub fn logged_in(&mut self) {
        self.stage = Stage::LoggedIn;
    }

    /// What one line asks for.
    pub fn handle(&mut self, line: &[u8]) -> Step {
        let pending = Pending { rest: std::mem::take(&mut self.rest), rename_from: self.rename_from.take() };
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(reply) => return Step::Reply(reply),
        };
        if let Some(refusal) = self.admit(&command) {
            return Step::Reply(refusal);
        }
        self.dispatch(command, pending)
    }

    /// Which command may be given at which stage.
    fn admit(&self, command: &Command) -> Option<Reply> {
        let anytime = matches!(
            command,
            Command::Auth(_)
                | Command::Feat
                | Command::Noop
                | Command::Quit
                | Command::Syst
                | Command::Opts(_)
        );
        let names_user = matches!(command, Command::User(_) | Command::Pass(_));
        match &self.stage {
            _ if anytime => None,
            Stage::Plain if names_user => Some(Reply::new(534, "Login needs TLS: AUTH TLS first")),
            Stage::Plain => Some(Reply::new(530, "AUTH TLS first, then log in")),
            Stage::LoggedIn => names_user.then(|| Reply::new(503, "Already logged in")),
            _ if names_user || matches!(command, Command::Pbsz | Command::Prot(_)) => None,
            _ => Some(Reply::new(530, "Log in first")),
        }
    }

    fn dispatch(&mut self, command: Command, pending: Pending) -> Step {
        match command {
            Command::Auth(_) | Command::Pbsz | Command::Prot(_) => self.security(&command),
            Command::User(_) | Command::Pass(_) => self.login(command),
            Command::Quit => Step::Close(Reply::new(221, "Goodbye")),
            Command::Noop
            | Command::Feat
            | Command::Opts(_)
            | Command::Syst
            | Command::Type(_)
            | Command::Mode(_)
            | Command::Stru(_) => Self::parameters(&command),
            Command::Pwd | Command::Cwd(_) | Command::Cdup => self.folders(&command),
            Command::Pasv | Command::Epsv(_) => {
                // many clients give the offset before they ask for the port
                self.rest = pending.rest;
                Self::passive(&command)
            }
            Command::Rest(offset) => self.restart(&offset),
            Command::Abor => Step::Reply(Reply::new(226, "No transfer to abort")),
            Command::List(_) | Command::Nlst(_) | Command::Mlsd(_) => self.listing(command),
            Command::Stor(_) | Command::Appe(_) | Command::Retr(_) => self.transfer(command, &pending),
            Command::RenameFrom(_) | Command::RenameTo(_) | Command::Dele(_) => {
                self.renaming(command, pending)
            }
            Command::Mlst(_)
            | Command::Size(_)
            | Command::Mdtm(_)
            | Command::Hash(_)
            | Command::SiteSha256(_) => self.facts(command),
            Command::SiteWait(seconds) => Self::wait(&seconds),
        }
    }

    fn login(&mut self, command: Command) -> Step {
        match command {
            Command::User(user) if user.is_empty() || user.len() > 64 => {
                Step::Reply(Reply::new(501, "Not a login"))
            }
            Command::User(user) => {
                self.stage = Stage::Named(user);
                Step::Reply(Reply::new(331, "Password, please"))
            }
            Command::Pass(password) => match std::mem::replace(&mut self.stage, Stage::Secured) {
                Stage::Named(user) => Step::Login { user, password },
                _ => Step::Reply(Reply::new(503, "USER first")),
            },
            _ => unreachable!("dispatch sends USER and PASS here"),
        }
    }

    pub(super) fn set_rest(&mut self, offset: u64) {
        self.rest = offset;
    }

    pub(super) fn set_rename_from(&mut self, part: String) {
        self.rename_from = Some(part);
    }

    pub(super) fn is_secured(&self) -> bool {
        self.stage != Stage::Plain
    }
}

#[cfg(test)]
mod tests;
