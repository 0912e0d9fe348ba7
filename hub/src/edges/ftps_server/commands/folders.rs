//! PWD, CWD, CDUP and the listings. There are three folders; `in` cannot be listed, it takes only.

use super::refuse;
use crate::edges::ftps_server::command::Command;
use crate::edges::ftps_server::place::{Folder, Place};
use crate::edges::ftps_server::reply::Reply;
use crate::edges::ftps_server::session::{Session, Step, Style, Transfer};

impl Session {
    pub(in super::super) fn folders(&mut self, command: &Command) -> Step {
        let path = match command {
            Command::Pwd => {
                return Step::Reply(Reply::new(
                    257,
                    format!("\"{}\" is the current folder", self.folder.path()),
                ));
            }
            Command::Cwd(path) => path.as_str(),
            // At the root CDUP stays there, as a shell's `cd ..` does.
            _ if self.folder == Folder::Root => "/",
            _ => "..",
        };
        match self.place(path) {
            Ok(Place::Folder(folder)) => {
                self.folder = folder;
                refuse(250, "Folder changed")
            }
            Ok(_) => refuse(550, "That is not a folder"),
            Err(step) => step,
        }
    }

    pub(in super::super) fn listing(&self, command: Command) -> Step {
        let (style, argument) = match command {
            Command::List(argument) => (Style::Long, argument),
            Command::Nlst(argument) => (Style::Names, argument),
            Command::Mlsd(argument) => (Style::Facts, argument),
            _ => unreachable!("dispatch sends listings here"),
        };
        // Clients add options of ls.
        let path: String = if style == Style::Facts {
            argument
        } else {
            argument.split(' ').filter(|word| !word.starts_with('-')).collect::<Vec<_>>().join(" ")
        };
        match self.place(&path) {
            Ok(Place::Folder(Folder::In)) => refuse(550, "in takes files only: it is not listed"),
            Ok(Place::Folder(folder)) => self.over_data(Transfer::List { folder, style }),
            Ok(_) => refuse(501, "A folder, please; MLST shows one file"),
            Err(step) => step,
        }
    }
}
