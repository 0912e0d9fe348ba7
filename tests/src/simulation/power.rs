//! Power cuts. A machine loses what it has written and not synced: its program's commits are synced, those of the centre's own
//! programs only with the next of these.

use std::{cell::Cell, io, path::PathBuf, rc::Rc};

use svod_spoke::edges::init::DATABASE;

use super::{
    centre::Turn,
    clerk::Rows,
    fate::Backup,
    history::City,
    mishap::{Mishap, Noting},
};

/// What of a centre's database is synced.
#[derive(Debug, Default)]
pub struct Synced {
    copy: Option<Backup>,
    /// What the clerk had written by then.
    rows: Rows,
}

impl City {
    /// A turn of the `n`th centre's program, from 0; in a history with power cuts an end is one.
    pub(super) fn centre_turn(&mut self, n: usize, turn: Turn, mishap: Mishap) -> Result<(), String> {
        if !self.kinds.power {
            return self.centres[n].turn(turn, mishap);
        }
        let synced = Rc::new(Cell::new(false));
        let (machine, dir) = (self.centres[n].dir().to_owned(), self.synced_dir(n));
        let noted = Rc::clone(&synced);
        let noting: Noting = Some(Box::new(move || {
            Backup::take(&machine, DATABASE, dir.clone(), false).expect("there is room for a copy");
            noted.set(true);
        }));
        self.centres[n].turn_noting(turn, mishap, noting)?;
        if synced.get() {
            let rows = self.clerks[n].memory.rows.clone();
            self.synced[n] = Synced { copy: Some(Backup::of(self.synced_dir(n))), rows };
        }
        if self.centres[n].crashed { self.cut(n).map_err(|error| format!("power: {error}")) } else { Ok(()) }
    }

    fn synced_dir(&self, n: usize) -> PathBuf {
        self.dir.join(format!("synced-{n}"))
    }

    /// The power goes: the database is as it was synced last.
    fn cut(&mut self, n: usize) -> io::Result<()> {
        let Synced { copy: Some(copy), rows } = &self.synced[n] else { return Ok(()) };
        let lost = self.clerks[n].memory.rows != *rows;
        self.trace.tell(&self.centres[n].name(), &format!("has no power, and loses rows: {lost}"));
        self.clerks[n].leave().map_err(io::Error::other)?;
        copy.put_back(self.centres[n].dir(), DATABASE)?;
        self.clerks[n].come_back(&self.centres[n].database(), rows.clone()).map_err(io::Error::other)
    }
}
