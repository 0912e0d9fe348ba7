//! REST, STOR, APPE, RETR: `in` is written, `out` is read, never the other way.

use super::refuse;
use crate::edges::ftps_server::command::Command;
use crate::edges::ftps_server::place::is_part;
use crate::edges::ftps_server::reply::Reply;
use crate::edges::ftps_server::session::{FileRef, Pending, Session, Step, Transfer};

impl Session {
    /// REST holds for the very next command, which alone may use it (RFC 3659 §5), but for PASV and EPSV between.
    pub(in super::super) fn restart(&mut self, offset: &str) -> Step {
        let digits = !offset.is_empty() && offset.bytes().all(|b| b.is_ascii_digit());
        match offset.parse() {
            Ok(offset) if digits => {
                self.set_rest(offset);
                Step::Reply(Reply::new(350, format!("The next transfer starts at {offset}")))
            }
            _ => refuse(501, "REST needs a number of bytes"),
        }
    }

    pub(in super::super) fn transfer(&self, command: Command, pending: &Pending) -> Step {
        let offset = pending.rest;
        match command {
            Command::Retr(path) => match self.file(&path) {
                Ok(FileRef::Out(name)) => self.over_data(Transfer::Retrieve { name, offset }),
                Ok(FileRef::In(_)) => refuse(550, "in takes files only: nothing is read from it"),
                Err(step) => step,
            },
            Command::Stor(path) => match self.file(&path) {
                Ok(FileRef::In(name)) if offset > 0 && !is_part(&name) => {
                    refuse(554, "Only an upload named .part can be continued")
                }
                Ok(FileRef::In(name)) => self.over_data(Transfer::Store { name, offset: Some(offset) }),
                Ok(FileRef::Out(_)) => refuse(553, "out is read only"),
                Err(step) => step,
            },
            Command::Appe(path) => match self.file(&path) {
                Ok(FileRef::In(name)) if !is_part(&name) => {
                    refuse(553, "Only an upload named .part can be continued")
                }
                Ok(FileRef::In(name)) => self.over_data(Transfer::Store { name, offset: None }),
                Ok(FileRef::Out(_)) => refuse(553, "out is read only"),
                Err(step) => step,
            },
            _ => unreachable!("dispatch sends STOR, APPE and RETR here"),
        }
    }

    /// No data moves before PROT P.
    pub(super) fn over_data(&self, transfer: Transfer) -> Step {
        if self.private_data {
            Step::Transfer(transfer)
        } else {
            refuse(521, "PROT P first: data travel under TLS")
        }
    }
}
