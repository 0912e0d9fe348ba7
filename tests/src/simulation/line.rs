//! The virtual FTP: a centre's mailbox on the way to the hub's folders, and what befalls files there. It loses,
//! repeats, delays, cuts, swaps and misplaces them, does not tell that it has done what it did, and is out for hours.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use exchange_endpoint::{
    failpoint,
    mailbox::{Mailbox, MailboxError, Offered, Placed},
    messages::Told,
};
use fixtures::dice::Dice;

use super::{
    template::centre_code,
    time::Time,
    trace::{Trace, short},
};

/// The most files that are remembered to come again.
const REMEMBERED: usize = 12;

/// The server of all centres.
#[derive(Debug)]
pub struct Server {
    ftp: PathBuf,
    centres: u16,
    dice: Dice,
    time: Time,
    trace: Trace,
    /// Nothing befalls anything any more.
    calm: bool,
    /// Until when each centre has no line.
    out_until: Vec<i64>,
    /// Files that are under way: when they arrive, where, and their bytes.
    late: Vec<(i64, PathBuf, Vec<u8>)>,
    /// Files that were here once.
    before: Vec<(PathBuf, Vec<u8>)>,
}

/// A centre's way to the server.
#[derive(Debug, Clone)]
pub struct Line {
    n: u16,
    server: Arc<Mutex<Server>>,
}

impl Line {
    /// The way of the `n`th centre.
    pub fn new(n: u16, server: Arc<Mutex<Server>>) -> Self {
        Self { n, server }
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// A server over the hub's `ftp` folder.
    pub fn new(ftp: PathBuf, centres: u16, dice: Dice, time: Time, trace: Trace) -> Self {
        let out_until = vec![0; usize::from(centres) + 1];
        Self { ftp, centres, dice, time, trace, calm: false, out_until, late: Vec::new(), before: Vec::new() }
    }

    /// From now on nothing befalls anything; what is late arrives.
    ///
    /// # Errors
    /// A file.
    pub fn calm_down(&mut self) -> io::Result<()> {
        self.calm = true;
        self.out_until.fill(0);
        self.deliver(i64::MAX)
    }

    /// What is due arrives, and something may befall a file.
    ///
    /// # Errors
    /// A file.
    pub fn turn(&mut self) -> io::Result<()> {
        self.deliver(self.time.passed())?;
        if self.calm {
            return Ok(());
        }
        match self.dice.below(60) {
            0 => {
                let n = 1 + self.dice.below(usize::from(self.centres));
                self.out_until[n] = self.time.passed() + 60_000 * i64::from(self.dice.between(1, 300));
                self.trace.tell("ftp", &format!("centre {n} has no line"));
                Ok(())
            }
            1..5 => self.befall(),
            _ => Ok(()),
        }
    }

    fn deliver(&mut self, until: i64) -> io::Result<()> {
        let (due, late) = self.late.drain(..).partition(|(at, ..)| *at <= until);
        self.late = late;
        for (_, path, bytes) in due as Vec<(i64, PathBuf, Vec<u8>)> {
            self.tell("arrives late", &path);
            write(&path, &bytes)?;
        }
        Ok(())
    }

    /// Something befalls one of the files that stand there.
    fn befall(&mut self) -> io::Result<()> {
        let n = self.centre();
        let side = if self.dice.chance(300) { "in" } else { "out" };
        let folder = self.folder(n, side);
        let names = names(&folder)?;
        if names.is_empty() {
            return Ok(());
        }
        let path = folder.join(self.dice.pick(&names));
        match self.dice.below(6) {
            0 => {
                self.tell("is lost", &path);
                fs::remove_file(&path)
            }
            1 => {
                self.tell("is cut", &path);
                let bytes = fs::read(&path)?;
                fs::write(&path, cut(&bytes))
            }
            2 => {
                let other = folder.join(self.dice.pick(&names));
                self.tell("changes places with", &path);
                self.tell("this one", &other);
                let (one, two) = (fs::read(&path)?, fs::read(&other)?);
                fs::write(&path, two)?;
                fs::write(&other, one)
            }
            3 => {
                let (to, side) = (self.centre(), if self.dice.chance(500) { "in" } else { "out" });
                self.tell("is misplaced", &path);
                let to = self.folder(to, side).join(path.file_name().expect("a file"));
                if to.exists() { Ok(()) } else { fs::copy(&path, to).map(|_| ()) }
            }
            4 if !self.before.is_empty() => {
                let at = self.dice.below(self.before.len());
                let (path, bytes) = self.before[at].clone();
                self.tell("comes again", &path);
                if path.exists() { Ok(()) } else { write(&path, &bytes) }
            }
            _ => {
                let name = format!("заметка {}.txt", self.dice.below(3));
                self.trace.tell("ftp", "a stray file");
                write(&folder.join(name), b"not a packet")
            }
        }
    }

    fn centre(&mut self) -> u16 {
        1 + u16::try_from(self.dice.below(usize::from(self.centres))).expect("small")
    }

    fn folder(&self, n: u16, side: &str) -> PathBuf {
        self.ftp.join(centre_code(n).as_str()).join(side)
    }

    fn tell(&self, what: &str, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = path.parent().and_then(|folder| folder.strip_prefix(&self.ftp).ok());
        let folder = folder.unwrap_or(Path::new("?")).display();
        self.trace.tell("ftp", &format!("{folder} {} {what}", short(&name)));
    }

    fn is_out(&self, n: u16) -> bool {
        self.time.passed() < self.out_until[usize::from(n)]
    }

    fn remember(&mut self, path: &Path, bytes: &[u8]) {
        if self.before.len() == REMEMBERED {
            self.before.remove(0);
        }
        self.before.push((path.to_owned(), bytes.to_owned()));
    }

    fn put(&mut self, n: u16, source: &Path, name: &str) -> Result<Placed, MailboxError> {
        let bytes = fs::read(source).map_err(temporary)?;
        let path = self.folder(n, "in").join(name);
        if let Ok(there) = fs::read(&path) {
            // as by HASH: lengths differ from run to run, by what age puts into its header to keep readers tolerant
            return if there == bytes {
                Ok(Placed::Already)
            } else {
                Err(refused(name, "another file has this name"))
            };
        }
        self.remember(&path, &bytes);
        let luck = if self.calm { 99 } else { self.dice.below(30) };
        let told = ["line breaks", "placed, not told", "is lost", "arrives cut", "is misplaced", "is late"];
        if let Some(told) = told.get(luck) {
            self.tell(told, &path);
        }
        match luck {
            0 => return Err(broken()),
            1 => {
                write(&path, &bytes).map_err(temporary)?;
                return Err(broken());
            }
            2 => {}
            3 => write(&path, cut(&bytes)).map_err(temporary)?,
            4 => {
                let other = self.centre();
                let path = self.folder(other, "in").join(name);
                write(&path, &bytes).map_err(temporary)?;
            }
            5 => {
                let at = self.time.passed() + 1000 * i64::from(self.dice.between(1, 20_000));
                self.late.push((at, path, bytes));
            }
            _ => write(&path, &bytes).map_err(temporary)?,
        }
        Ok(Placed::Now)
    }

    fn fetch(&mut self, n: u16, name: &str, dest: &Path) -> Result<u64, MailboxError> {
        let path = self.folder(n, "out").join(name);
        let mut bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(refused(name, "no such file")),
            bytes => bytes.map_err(temporary)?,
        };
        self.remember(&path, &bytes);
        let luck = if self.calm { 99 } else { self.dice.below(25) };
        if let Some(told) = ["breaks off", "is brought cut", "is another's"].get(luck) {
            self.tell(told, &path);
        }
        match luck {
            0 => return Err(broken()),
            1 => bytes.truncate(cut(&bytes).len()),
            2 if !self.before.is_empty() => bytes = self.dice.pick(&self.before).1.clone(),
            _ => {}
        }
        fs::write(dest, &bytes).map_err(temporary)?;
        Ok(bytes.len() as u64)
    }

    fn list(&mut self, n: u16) -> Result<Vec<Offered>, MailboxError> {
        let folder = self.folder(n, "out");
        let mut offered = Vec::new();
        for name in names(&folder).map_err(temporary)? {
            let size = fs::metadata(folder.join(&name)).map_err(temporary)?.len();
            offered.push(Offered { name, size });
        }
        Ok(offered)
    }
}

/// The beginning of a file. As long in every run: what is wrong with it is the same.
fn cut(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(100)]
}

/// The files of a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_part = Path::new(&name).extension().is_some_and(|extension| extension == "part");
        if !name.starts_with('.') && !is_part {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A file stands whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("upload.part");
    fs::write(&part, bytes)?;
    fs::rename(part, path)
}

fn broken() -> MailboxError {
    MailboxError::Temporary {
        action: "mailbox-placing",
        place: "ftp".into(),
        reason: Told::from("the line broke".to_owned()),
        next: "mailbox-next-line",
    }
}

fn temporary(error: io::Error) -> MailboxError {
    MailboxError::of_io("mailbox-placing", "ftp".into(), error)
}

fn refused(name: &str, why: &str) -> MailboxError {
    let (place, name) = ("ftp".into(), name.to_owned());
    MailboxError::Refused { action: "mailbox-placing", place, name, reason: Told::from(why.to_owned()) }
}

#[async_trait]
impl Mailbox for Line {
    async fn list_out(&self) -> Result<Vec<Offered>, MailboxError> {
        let mut server = self.server();
        if server.is_out(self.n) { Err(broken()) } else { server.list(self.n) }
    }

    async fn fetch(&self, name: &str, dest: &Path) -> Result<u64, MailboxError> {
        failpoint::step("fetch", || {
            let mut server = self.server();
            if server.is_out(self.n) { Err(Failed(broken())) } else { Ok(server.fetch(self.n, name, dest)?) }
        })
        .map_err(|Failed(error)| error)
    }

    async fn put(&self, source: &Path, name: &str) -> Result<Placed, MailboxError> {
        failpoint::step("put", || {
            let mut server = self.server();
            if server.is_out(self.n) { Err(Failed(broken())) } else { Ok(server.put(self.n, source, name)?) }
        })
        .map_err(|Failed(error)| error)
    }

    async fn wait(&self, _: Duration) -> Result<bool, MailboxError> {
        Ok(true)
    }
}

/// A failure of the line, or of the step that it is.
struct Failed(MailboxError);

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(temporary(error))
    }
}

impl From<MailboxError> for Failed {
    fn from(error: MailboxError) -> Self {
        Self(error)
    }
}
