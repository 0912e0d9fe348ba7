//! SIZE, MDTM, MLST (RFC 3659), HASH (draft-bryan-ftpext-hash), SITE SHA256: what is known of one file.

use super::refuse;
use crate::edges::ftps_server::command::Command;
use crate::edges::ftps_server::place::{Folder, Place};
use crate::edges::ftps_server::reply::Reply;
use crate::edges::ftps_server::session::{FileRef, FileTask, Session, Step};

impl Session {
    pub(in super::super) fn facts(&self, command: Command) -> Step {
        let task = |file: Result<FileRef, Step>, make: fn(FileRef) -> FileTask| match file {
            Ok(file) => Step::File(make(file)),
            Err(step) => step,
        };
        match command {
            Command::Size(path) => task(self.file(&path), FileTask::Size),
            Command::Mdtm(path) => task(self.file(&path), FileTask::Modified),
            Command::Hash(path) => task(self.file(&path), FileTask::Hash),
            Command::SiteSha256(path) => task(self.file(&path), FileTask::Sha256),
            Command::Mlst(path) => match self.place(&path) {
                Ok(Place::Folder(folder)) => Step::Reply(folder_facts(folder)),
                _ => task(self.file(&path), FileTask::Facts),
            },
            _ => refuse(502, "Command not implemented"),
        }
    }
}

fn folder_facts(folder: Folder) -> Reply {
    let perm = match folder {
        Folder::In => "ce",
        Folder::Root | Folder::Out => "el",
    };
    Reply::with_lines(250, "Facts", vec![format!("type=dir;perm={perm}; {}", folder.path())])
}
