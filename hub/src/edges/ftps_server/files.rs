//! Carrying out a [`FileTask`]: short work with one file, and the reply to it. Blocks.

use super::jail::{Jail, JailError};
use super::listing;
use super::reply::Reply;
use super::session::{FileRef, FileTask};

/// Does `task` and says so.
pub(super) fn perform(jail: &Jail, task: &FileTask) -> Reply {
    attempt(jail, task).unwrap_or_else(|error| error.reply())
}

fn attempt(jail: &Jail, task: &FileTask) -> Result<Reply, JailError> {
    Ok(match task {
        FileTask::Size(file) => Reply::new(213, jail.facts(file)?.size.to_string()),
        FileTask::Modified(file) => Reply::new(213, listing::stamp(&jail.facts(file)?)),
        FileTask::Facts(file) => {
            let (name, perm) = match file {
                FileRef::In(name) => (name, "aw"),
                FileRef::Out(name) => (name, "r"),
            };
            Reply::with_lines(250, "Facts", vec![listing::one(name, jail.facts(file)?, perm)])
        }
        FileTask::Hash(file) => {
            let (length, hash) = jail.hash(file)?;
            let (FileRef::In(name) | FileRef::Out(name)) = file;
            Reply::new(213, format!("SHA-256 0-{length} {hash} {name}"))
        }
        FileTask::Sha256(file) => Reply::new(213, jail.hash(file)?.1),
        FileTask::Find(part) => {
            jail.facts(&FileRef::In(part.clone()))?;
            Reply::new(350, "Its new name, please")
        }
        FileTask::Rename { part, name } => {
            jail.publish(part, name)?;
            Reply::new(250, "The file has its name and is on the disk")
        }
        FileTask::Delete(part) => {
            jail.delete_part(part)?;
            Reply::new(250, "Deleted")
        }
    })
}
