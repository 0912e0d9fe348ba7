//! Power cuts. A machine loses what was written on it and not synced: of its [files](super::disk), and of a centre's database
//! what others than its program have written, for these are synced only with the program's next commit. A commit of the
//! programs that SQLite does not sync at once breaks the history.

use std::{
    cell::{Cell, RefCell},
    io,
    path::Path,
    rc::Rc,
};

use exchange_endpoint::failpoint::Step;
use svod_spoke::edges::init::DATABASE;

use super::{
    centre::{Centre, Turn},
    clerk::Rows,
    disk::Disk,
    fate::Backup,
    history::City,
    hub,
    mishap::{Mishap, Noting},
};

/// `PRAGMA synchronous` of a connection whose commits are on the disk when they are done.
const FULL: i64 = 2;

/// What of a machine is synced.
#[derive(Debug)]
pub struct Synced {
    disk: Rc<RefCell<Disk>>,
    /// The program has committed since others have written, or nobody else has written.
    all: Rc<Cell<bool>>,
    /// The database before that.
    copy: Option<Backup>,
    /// What the clerk had written by then.
    rows: Rows,
}

impl Synced {
    /// Everything that there is of the machine in `dir`, with its `database`.
    fn of(dir: &Path, database: &'static str) -> io::Result<Self> {
        let disk = Rc::new(RefCell::new(Disk::of(dir, database)?));
        Ok(Self { disk, all: Rc::new(Cell::new(true)), copy: None, rows: Rows::new() })
    }

    /// Notes what a program of this machine syncs.
    fn noting(&self) -> Box<dyn FnMut(Step<'_>, bool)> {
        let (disk, all) = (Rc::clone(&self.disk), Rc::clone(&self.all));
        Box::new(move |Step { name, file, database }, before| match (name, file, database) {
            ("sync", Some(file), _) if !before => {
                disk.borrow_mut().synced(file).expect("what is synced is there");
            }
            ("commit", _, Some(database)) => {
                let level: i64 = database
                    .pragma_query_value(None, "synchronous", |row| row.get(0))
                    .expect("every connection tells it");
                assert!(level >= FULL, "a commit that is not synced");
            }
            ("commit", ..) if !before => all.set(true),
            _ => {}
        })
    }
}

impl City {
    /// From now on an end is a power cut.
    pub(super) fn watch_disks(&mut self) -> io::Result<()> {
        let centres = self.centres.iter().map(|centre| Synced::of(centre.dir(), DATABASE));
        self.synced = centres.chain([Synced::of(self.hub.dir(), hub::DATABASE)]).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Notes what is synced on the machine of the `n`th centre, from 0, or the hub's after the last; nothing in a history
    /// without power cuts.
    pub(super) fn noting(&self, n: usize) -> Noting {
        self.synced.get(n).map(Synced::noting)
    }

    /// The clerk of the `n`th centre, from 0, is about to write what nothing syncs.
    pub(super) fn before_clerk(&mut self, n: usize) -> Result<(), String> {
        let dir = self.dir.join(format!("synced-{n}"));
        if let Some(synced) = self.synced.get_mut(n).filter(|synced| synced.all.get()) {
            let copy = Backup::take(self.centres[n].dir(), DATABASE, dir, false);
            synced.copy = Some(copy.map_err(|error| format!("power: {error}"))?);
            synced.rows.clone_from(&self.clerks[n].memory.rows);
            synced.all.set(false);
        }
        Ok(())
    }

    /// A turn of the `n`th centre's program, from 0.
    pub(super) fn centre_turn(&mut self, n: usize, turn: Turn, mishap: Mishap) -> Result<(), String> {
        let noting = self.noting(n);
        self.centres[n].turn_noting(turn, mishap, noting)?;
        if self.centres[n].crashed { self.cut(n) } else { Ok(()) }
    }

    /// A turn of the hub's daemon.
    pub(super) fn hub_turn(&mut self, mishap: Mishap) -> Result<(), String> {
        let noting = self.noting(self.centres.len());
        self.hub.turn_noting(mishap, noting)?;
        if self.hub.crashed { self.cut(self.centres.len()) } else { Ok(()) }
    }

    /// A command of the hub's staff.
    pub(super) fn staff_turn(&mut self, mishap: Mishap) -> Result<(), String> {
        let (centres, noting) = (self.centres.len(), self.noting(self.centres.len()));
        let few = u16::try_from(centres).expect("few");
        self.hub.staff(&mut self.dice, few, mishap, noting)?;
        if self.hub.crashed { self.cut(centres) } else { Ok(()) }
    }

    /// The power goes at the `n`th centre, from 0, or at the hub after the last, in a history with power cuts.
    pub(super) fn cut(&mut self, n: usize) -> Result<(), String> {
        self.lose(n).map_err(|error| format!("power: {error}"))
    }

    fn lose(&mut self, n: usize) -> io::Result<()> {
        let Some(synced) = self.synced.get(n) else { return Ok(()) };
        let name = self.centres.get(n).map_or_else(|| "hub".to_owned(), Centre::name);
        let copy = synced.copy.as_ref().filter(|_| !synced.all.get());
        if n == self.centres.len() {
            self.hub.stop();
        } else {
            self.centres[n].stop();
        }
        if let Some(copy) = copy {
            let clerk = &mut self.clerks[n];
            let lost = clerk.memory.rows != synced.rows;
            self.trace.tell(&name, &format!("has no power, and loses rows: {lost}"));
            clerk.leave().map_err(io::Error::other)?;
            copy.put_back(self.centres[n].dir(), DATABASE)?;
            clerk.come_back(&self.centres[n].database(), synced.rows.clone()).map_err(io::Error::other)?;
        }
        synced.all.set(true);
        let lost = synced.disk.borrow_mut().cut(&mut self.dice)?;
        let lost: Vec<String> = lost.iter().map(told).collect();
        self.trace.tell(&name, &format!("has no power, and loses in: {}", lost.join(" ")));
        Ok(())
    }
}

/// A directory in a trace.
fn told(directory: impl AsRef<Path>) -> String {
    let directory = directory.as_ref();
    if directory.as_os_str().is_empty() { ".".to_owned() } else { directory.display().to_string() }
}
