//! What a failure on a connection means: try again, refused, or a person must act.

use std::io;
use std::time::Duration;

use suppaftp::FtpError;
use suppaftp::types::Response;

use crate::{
    mailbox::{MailboxError, next_of_io},
    messages::{self, Told},
};

/// What went wrong on a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{}", describe(.0))]
    Ftp(FtpError),
    /// The server ended a transfer half-way, with this reply.
    #[error("{}", words(.0))]
    Cut(Response),
    #[error("no answer for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the login was refused: {0}")]
    Login(String),
    #[error("a file here: {0}")]
    Local(io::Error),
    /// The server's copy differs from ours; the part has been removed.
    #[error("{0}")]
    Damaged(Told),
    /// The name is taken by another file, or there is no such file.
    #[error("{0}")]
    Refused(Told),
}

impl From<FtpError> for Fault {
    fn from(error: FtpError) -> Self {
        Self::Ftp(error)
    }
}

fn describe(error: &FtpError) -> String {
    match error {
        FtpError::UnexpectedResponse(reply) => words(reply),
        other => other.to_string(),
    }
}

fn words(reply: &Response) -> String {
    let body = String::from_utf8_lossy(&reply.body);
    let seen = |c: char| if matches!(c, '\'' | '"') { c.to_string() } else { c.escape_debug().to_string() };
    body.trim().chars().map(seen).collect()
}

fn reply_code(reply: &Response) -> Option<u16> {
    std::str::from_utf8(reply.body.get(..3)?).ok()?.parse().ok()
}

impl Fault {
    /// The reply code, where the server replied. 522 is unknown to the library: the reply itself is read.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Ftp(FtpError::UnexpectedResponse(reply)) | Self::Cut(reply) => reply_code(reply),
            _ => None,
        }
    }

    pub fn at_login(self) -> Self {
        match self.code() {
            Some(430 | 530..=539) => Self::Login(self.to_string()),
            _ => self,
        }
    }

    /// Whether a server says that it cannot tell whose the data connection is.
    pub fn is_about_data_binding(&self) -> bool {
        matches!(self.code(), Some(425 | 522))
    }

    /// Whether the connection can be used for the next command.
    pub fn leaves_dialogue_in_step(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::Refused(_) => true,
            Self::Cut(_) => false,
            _ => matches!(self.code(), Some(450 | 452 | 500..=504 | 550..=554)),
        }
    }

    /// What happened, for staff; what the server said stays in its words.
    fn told(&self) -> Told {
        let said = |id, words: String| Told::of(id, &[("said", words.into())]);
        match self {
            Self::Ftp(FtpError::ConnectionError(error)) => error.into(),
            Self::Ftp(FtpError::SecureError(words)) => said("mailbox-tls", words.clone()),
            Self::Ftp(FtpError::UnexpectedResponse(reply)) | Self::Cut(reply) => {
                said("mailbox-server-said", words(reply))
            }
            Self::Ftp(other) => other.to_string().into(),
            Self::Silent(limit) => Told::of("mailbox-silent", &[("seconds", limit.as_secs().into())]),
            Self::Login(reply) => said("mailbox-login", reply.clone()),
            Self::Local(error) => {
                let cause = Told::from(error);
                Told::new(|lang| {
                    messages::text(lang, "mailbox-local", &[("detail", cause.in_lang(lang).into())])
                })
            }
            Self::Damaged(told) | Self::Refused(told) => told.clone(),
        }
    }

    /// What helps if the same is seen again and again.
    fn next(&self) -> &'static str {
        match (self, self.code()) {
            (Self::Local(error), _) => next_of_io(error),
            (_, Some(452 | 552)) => "mailbox-next-server-room",
            _ => "mailbox-next-line",
        }
    }

    pub fn into_error(self, action: &'static str, place: &str, name: &str) -> MailboxError {
        let place = place.to_owned();
        let reason = self.told();
        let config = |next| MailboxError::Config { place: place.clone(), reason: reason.clone(), next };
        match &self {
            Self::Login(_) => config("mailbox-next-login"),
            Self::Ftp(FtpError::SecureError(text))
                if text.contains("not valid yet") || text.contains("expired") =>
            {
                config("mailbox-next-clock")
            }
            Self::Ftp(FtpError::SecureError(text)) if text.contains("certificate") => {
                config("mailbox-next-ca")
            }
            Self::Refused(_) => MailboxError::Refused { action, place, name: name.to_owned(), reason },
            // 552, no room, passes when the receiver has taken files away.
            _ if self.code().is_some_and(|code| code >= 500 && code != 552) => {
                MailboxError::Refused { action, place, name: name.to_owned(), reason }
            }
            _ => MailboxError::Temporary { action, place, reason, next: self.next() },
        }
    }
}

#[cfg(test)]
mod tests {
    use suppaftp::Status;

    use super::*;

    #[test]
    fn whose_disk_is_full_says_the_step() {
        let next = |fault: Fault| fault.into_error("mailbox-put", "hub:990", "A.zip").next().to_string();
        let says = |words: &str| FtpError::UnexpectedResponse(Response::new(Status::Unknown, words.into()));
        assert!(next(Fault::Local(io::ErrorKind::StorageFull.into())).contains("of this centre"));
        assert!(next(Fault::Ftp(says("452 No room"))).contains("ask the coordination centre"));
        assert!(next(Fault::Cut(Response::new(Status::Unknown, b"552 Quota".to_vec()))).contains("ask"));
        assert!(next(Fault::Ftp(says("421 Going down"))).contains("Check the line"));
    }
}
