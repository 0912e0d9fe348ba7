//! The commands, one small file a group: what each asks for, given the session's state.

mod facts;
mod folders;
mod parameters;
mod passive;
mod renaming;
mod security;
mod transfer;
mod wait;

use super::place::{Place, resolve};
use super::reply::Reply;
use super::session::{FileRef, Session, Step};

impl Session {
    /// The place that a path means here.
    fn place(&self, path: &str) -> Result<Place, Step> {
        resolve(self.folder, path).map_err(Step::Reply)
    }

    /// The file that a path means here.
    fn file(&self, path: &str) -> Result<FileRef, Step> {
        match self.place(path)? {
            Place::InFile(name) => Ok(FileRef::In(name)),
            Place::OutFile(name) => Ok(FileRef::Out(name)),
            Place::Folder(_) => Err(Step::Reply(Reply::new(550, "That is a folder"))),
        }
    }
}

fn refuse(code: u16, text: &'static str) -> Step {
    Step::Reply(Reply::new(code, text))
}
