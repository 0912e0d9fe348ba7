//! Tables of the centre's into files: all of them, or what the hub has changed since a protocol.

use std::{
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    config::Config,
    durable_file,
    messages::{Lang, Told},
    output::Exit,
    protocol::{Kind as ProtocolKind, Protocols},
    tables::{self, Encoding, Files, Sink, TableError, Written},
};
use exchange_format::file_name::FileName;
use rusqlite::TransactionBehavior;
use serde::{Deserialize, Serialize};

use super::{SpokeError, config::SpokeConfig, station};
use crate::{
    database::exported::Rows,
    decisions::tables::{Table, tables as all_tables},
};

/// Beside the files of an export into a directory: up to where it goes.
const NOTE: &str = "svod-export.json";
/// The centre's programs share a group.
const MODE: u32 = 0o660;

/// From where on changes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Whatever the hub has changed after the run that this protocol is about; 0: ever.
    Protocol(u32),
    /// After the last export into the same directory.
    Last,
}

impl std::str::FromStr for Since {
    type Err = &'static str;

    /// Reads a number or `last`; the error is a message of the catalogue.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "last" => Ok(Self::Last),
            number => number.parse().map(Self::Protocol).map_err(|_| "usage-since"),
        }
    }
}

/// What is exported, and how.
pub struct Order<'a> {
    /// One table or table of lines into one file; else all into a directory.
    pub table: Option<(&'static Table, &'a str)>,
    /// The file, or the directory.
    pub to: &'a Path,
    /// Of a directory: what the files are.
    pub files: Files,
    /// How the letters of CSV are written.
    pub encoding: Encoding,
    /// Only what has changed.
    pub since: Option<Since>,
    /// The language of headings and days.
    pub lang: Lang,
    /// Is told how many rows of a table were written, now and then.
    pub progress: &'a dyn Fn(u64),
}

/// What an export did. In a directory it is kept beside the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOut {
    /// The files.
    pub files: Vec<Written>,
    /// The protocol after which changes were wanted.
    pub since: Option<u32>,
    /// The last protocol whose run the files are after: what to name next time.
    pub until: u32,
}

impl Order<'_> {
    /// Writes the files.
    ///
    /// # Errors
    /// The protocol is unknown, the database or a file cannot be read or written.
    pub fn carry_out(&self, config: &Config<SpokeConfig>) -> Result<HandedOut, SpokeError> {
        let protocols = Protocols::open(&config.path(&config.protocols))?;
        // before the rows are read: what comes meanwhile is exported again
        let until = protocols.numbers()?.last().copied().unwrap_or(0);
        let since = match self.since {
            None => None,
            Some(Since::Protocol(number)) => Some(number),
            Some(Since::Last) => Some(self.last()?),
        };
        let place = since.map(|number| place(&protocols, number)).transpose()?;
        let mut connection = station::open_to_look(config)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let mut files = Vec::new();
        for (rows, to) in self.wanted(place, until)? {
            files.extend(self.write(&transaction, rows, &to)?);
        }
        let done = HandedOut { files, since, until };
        if self.table.is_none() {
            let text = serde_json::to_vec_pretty(&done).expect("plain values");
            let note = self.to.join(NOTE);
            durable_file::replace(&note, &text, MODE).map_err(SpokeError::io(note))?;
        }
        Ok(done)
    }

    /// Up to where the last export into the directory went.
    fn last(&self) -> Result<u32, SpokeError> {
        if self.table.is_some() {
            let (exit, cause) = (Exit::Usage, Told::of("table-last", &[]));
            return Err(TableError::File { file: self.to.to_owned(), exit, cause }.into());
        }
        let note = self.to.join(NOTE);
        let text = match fs::read(&note) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            read => read.map_err(SpokeError::io(&note))?,
        };
        let last: HandedOut = serde_json::from_slice(&text).map_err(|_| TableError::File {
            file: note,
            exit: Exit::Refused,
            cause: Told::of("table-note", &[]),
        })?;
        Ok(last.until)
    }

    /// Which rows go into which file.
    fn wanted(&self, since: Option<(u16, u32)>, until: u32) -> Result<Vec<(Rows, PathBuf)>, SpokeError> {
        if let Some((table, name)) = self.table {
            return Ok(vec![(Rows { table, lines: table.name != name, since }, self.to.to_owned())]);
        }
        fs::create_dir_all(self.to).map_err(SpokeError::io(self.to))?;
        let ending = self.files.ending();
        // what was not taken away since the last export stays beside what is new
        let number = if since.is_some() { format!("-{until:06}") } else { String::new() };
        let both = |table: &'static Table| {
            let of = |lines| Rows { table, lines, since };
            [Some(of(false)), table.lines.is_some().then(|| of(true))].into_iter().flatten()
        };
        let file = |rows: Rows| (rows, self.to.join(format!("{}{number}.{ending}", rows.name())));
        Ok(all_tables().iter().flat_map(both).map(file).collect())
    }

    /// Writes the rows into the file `to`; of changes, only if there are any.
    fn write(
        &self,
        connection: &rusqlite::Connection,
        rows: Rows,
        to: &Path,
    ) -> Result<Option<Written>, SpokeError> {
        let columns = rows.columns();
        let kept = tables::kept(to, &columns);
        let create = || Sink::of_columns(to, &columns, self.lang, self.encoding, MODE);
        let everything = rows.since.is_none() || self.table.is_some();
        let mut sink = everything.then(create).transpose()?;
        rows.for_each::<SpokeError>(connection, |values| {
            let sink = match &mut sink {
                Some(sink) => sink,
                none => none.insert(create()?),
            };
            sink.put(&kept, values, self.lang)?;
            if u64::from(sink.rows()).is_multiple_of(tables::TOLD) {
                (self.progress)(sink.rows().into());
            }
            Ok(())
        })?;
        let Some(sink) = sink else { return Ok(None) };
        Ok(Some(sink.written(rows.name().to_owned())?))
    }
}

/// The place in the hub's stream of the last packet that was loaded when the protocol `number` was written.
fn place(protocols: &Protocols, number: u32) -> Result<(u16, u32), SpokeError> {
    let numbers = protocols.numbers()?;
    if number > 0 && !numbers.contains(&number) {
        return Err(exchange_endpoint::protocol::ProtocolError::Unknown(number).into());
    }
    for earlier in numbers.iter().rev().filter(|earlier| **earlier <= number) {
        let protocol = protocols.read(*earlier)?;
        let loaded = protocol.packets.iter().filter(|_| protocol.kind == ProtocolKind::Load);
        let names = loaded.filter_map(|packet| packet.name.parse::<FileName>().ok());
        let places = names.map(|name| (name.position.epoch.get(), name.position.seq.get()));
        if let Some(last) = places.max() {
            return Ok(last);
        }
    }
    Ok((0, 0))
}
