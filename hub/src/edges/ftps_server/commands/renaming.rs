//! RNFR, RNTO, DELE: publishing an upload under its name, or giving it up.

use super::refuse;
use crate::edges::ftps_server::command::Command;
use crate::edges::ftps_server::place::is_part;
use crate::edges::ftps_server::session::{FileRef, FileTask, Pending, Session, Step};

impl Session {
    pub(in super::super) fn renaming(&mut self, command: Command, pending: Pending) -> Step {
        match command {
            Command::RenameFrom(path) => match self.own_part(&path) {
                Ok(part) => {
                    self.set_rename_from(part.clone());
                    Step::File(FileTask::Find(part))
                }
                Err(step) => step,
            },
            Command::Dele(path) => match self.own_part(&path) {
                Ok(part) => Step::File(FileTask::Delete(part)),
                Err(step) => step,
            },
            Command::RenameTo(path) => match (pending.rename_from, self.file(&path)) {
                (None, _) => refuse(503, "RNFR first"),
                (_, Err(step)) => step,
                (Some(part), Ok(FileRef::In(name))) if !is_part(&name) => {
                    Step::File(FileTask::Rename { part, name })
                }
                _ => refuse(553, "An upload gets its final name in in"),
            },
            _ => unreachable!("dispatch sends RNFR, RNTO and DELE here"),
        }
    }

    fn own_part(&self, path: &str) -> Result<String, Step> {
        match self.file(path)? {
            FileRef::In(name) if is_part(&name) => Ok(name),
            FileRef::In(_) => Err(refuse(550, "What has its name belongs to the receiver")),
            FileRef::Out(_) => Err(refuse(550, "out is read only")),
        }
    }
}
