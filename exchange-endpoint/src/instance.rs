//! One daemon a database: an exclusive lock on `<database>.lock`, held by the kernel for as long as the
//! process lives, so that a crash never leaves it behind.
//!
//! Its first line is the process, for whoever comes second. Its second says what hinders the daemon or why it has ended, its third
//! that the file of the database is damaged, each if it is so: `status` reads it there, because a daemon without a disk or a
//! database could write it nowhere else.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    messages::{self, Told},
    output::{Exit, Failure, Lang},
};

/// What hinders a daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hindrance {
    /// The code of the error.
    pub code: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// In Russian.
    pub ru: String,
    /// In English.
    pub en: String,
}

impl Hindrance {
    /// `failure`, since `now`.
    pub fn new(failure: &Failure, now: Timestamp) -> Self {
        let code = failure.code().to_owned();
        let said = |lang| failure.message(lang);
        Self { code, since: now.to_string(), ru: said(Lang::Ru), en: said(Lang::En) }
    }
}

/// How the daemon of a database is, for `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Whether a daemon, or `sync`, owns the database now.
    pub running: bool,
    /// What hinders it; if it does not run, why it has ended, if not in order.
    pub hindered: Option<Hindrance>,
    /// Damage of the database's file that a daemon has met or found, until one has found all of it sound or it was put back.
    pub damaged: Option<Hindrance>,
}

/// The codes of errors that tell of a damaged file of a database.
pub const DAMAGED: [&str; 2] = ["hub-database-damaged", "spoke-database-damaged"];

impl Service {
    /// The daemon of `database`; `None` for who may not see that.
    pub fn of(database: &Path) -> Option<Self> {
        let mut file = match File::open(lock_path(database)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Some(Self { running: false, hindered: None, damaged: None });
            }
            opened => opened.ok()?,
        };
        let running = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        let [hindered, damaged] = read_told(&mut file);
        Some(Self { running, hindered, damaged })
    }

    /// Whether a daemon has told of a damaged file.
    pub fn is_damaged(service: Option<&Self>) -> bool {
        service.is_some_and(|service| service.damaged.is_some())
    }

    /// The lines of `status`; `scheduled`: where `sync` by a schedule may take the place of the daemon.
    pub fn lines(&self, lang: Lang, scheduled: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.running && self.hindered.is_none() {
            let id = if scheduled { "service-stopped-scheduled" } else { "service-stopped" };
            lines.push(messages::text(lang, id, &[]));
        }
        // of a running one that is hindered by just that, one line says it
        let is_said = |one: &&Hindrance| self.running && DAMAGED.contains(&one.code.as_str());
        if let Some(one) = self.hindered.as_ref().filter(|one| self.damaged.is_none() || !is_said(one)) {
            let what = if lang == Lang::Ru { &one.ru } else { &one.en };
            let args =
                [("since", messages::stored_moment(lang, &one.since).into()), ("what", what.clone().into())];
            let id = if self.running { "service-hindered" } else { "service-ended" };
            lines.push(messages::text(lang, id, &args));
        }
        if let Some(one) = &self.damaged {
            let what = if lang == Lang::Ru { &one.ru } else { &one.en };
            let args =
                [("since", messages::stored_moment(lang, &one.since).into()), ("what", what.clone().into())];
            lines.push(messages::text(lang, "service-damaged", &args));
            let next = messages::text(lang, &format!("error-{}.next", one.code), &[]);
            lines.push(format!("→ {next}"));
        }
        lines
    }
}

/// The lines of `status` about the `parts` of it that could not be read, or not whole, of a database that is damaged; with the step
/// that the error `code` tells, unless `service` has told it.
pub fn unreadable(
    lang: Lang,
    code: &str,
    parts: &BTreeSet<&'static str>,
    service: Option<&Service>,
) -> Vec<String> {
    if parts.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = parts.iter().map(|part| messages::word(lang, "status-part", part)).collect();
    let mut lines = vec![messages::text(lang, "status-unreadable", &[("parts", names.join(", ").into())])];
    if !Service::is_damaged(service) {
        let next = messages::text(lang, &format!("error-{code}.next"), &[]);
        lines.push(format!("→ {next}"));
    }
    lines
}

/// What stands in a lock file: what hinders the daemon, and that the database's file is damaged.
fn read_told(file: &mut File) -> [Option<Hindrance>; 2] {
    let mut text = String::new();
    if file.read_to_string(&mut text).is_err() {
        return [None, None];
    }
    [1, 2].map(|line| serde_json::from_str(text.lines().nth(line)?).ok())
}

/// Keeps why the daemon of `database` did not begin, where `status` finds it without the daemon. If the database is another
/// process's, that one runs, and there is nothing to tell; a place that cannot be written is told by the error itself.
pub fn keep_failure(database: &Path, failure: &Failure, now: Timestamp) {
    if failure.exit() != Exit::Owned
        && let Ok(mut lock) = InstanceLock::acquire(database)
    {
        lock.tell(Some(failure), now);
    }
}

/// Held while this process owns the database.
#[derive(Debug)]
pub struct InstanceLock {
    file: File,
    hindered: Option<Hindrance>,
    damaged: Option<Hindrance>,
}

/// Another process looks at the lock for a moment only.
const LOOKERS: (u32, Duration) = (5, Duration::from_millis(30));

/// The lock is that of the file itself, by whatever symbolic link it is named.
fn lock_path(database: &Path) -> PathBuf {
    let file = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    let mut path = file.into_os_string();
    path.push(".lock");
    PathBuf::from(path)
}

/// Why the database is not ours.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Another process owns it.
    #[error("{database} is owned by another process (pid {pid})")]
    Owned {
        /// The database.
        database: PathBuf,
        /// What the other wrote into the lock file; `?` where it has not yet.
        pid: String,
    },
    /// The lock file cannot be made or locked.
    #[error("cannot lock {path}: {source}")]
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl InstanceLock {
    /// Takes the database for this process, at once or not at all. What was told of a damaged file stays told.
    pub fn acquire(database: &Path) -> Result<Self, InstanceError> {
        let path = lock_path(database);
        let io = |source| InstanceError::Io { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        let mut tries = 1;
        let taken = loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if tries < LOOKERS.0 => {
                    tries += 1;
                    std::thread::sleep(LOOKERS.1);
                }
                other => break other,
            }
        };
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Only for the message: the lock itself is the kernel's.
                let _ = file.take(20).read_to_string(&mut pid);
                let pid = pid.lines().next().unwrap_or_default().trim();
                let pid = if pid.is_empty() { "?".to_owned() } else { pid.to_owned() };
                return Err(InstanceError::Owned { database: database.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let [_, damaged] = read_told(&mut file);
        let mut lock = Self { file, hindered: None, damaged };
        lock.write().map_err(io)?;
        Ok(lock)
    }

    /// Lets `status` know what hinders this process from now on; `None`: nothing. That the file of the database is damaged stays
    /// told until it is [sound](Self::sound).
    pub fn tell(&mut self, failure: Option<&Failure>, now: Timestamp) {
        let next = failure.map(|failure| Hindrance::new(failure, now));
        let same = |one: &Hindrance, other: &Hindrance| (&one.code, &one.ru) == (&other.code, &other.ru);
        let is_told = match (&self.hindered, &next) {
            (Some(told), Some(next)) => same(told, next),
            (told, next) => told.is_none() && next.is_none(),
        };
        if !is_told {
            if let Some(damage) = next.as_ref().filter(|next| DAMAGED.contains(&next.code.as_str())) {
                let since = self.damaged.take().map_or_else(|| damage.since.clone(), |known| known.since);
                self.damaged = Some(Hindrance { since, ..damage.clone() });
            }
            self.hindered = next;
            // the log has it as well
            let _ = self.write();
        }
    }

    /// The file of the database is not damaged: all of it was looked through, or it is another one.
    pub fn sound(&mut self) {
        if self.damaged.take().is_some() {
            let _ = self.write();
        }
    }

    /// Over what stands there, and cut only then: on a full disk the room that the file has stays its own.
    fn write(&mut self) -> std::io::Result<()> {
        let mut text = format!("{}\n", std::process::id());
        for one in [&self.hindered, &self.damaged] {
            text += &one.as_ref().and_then(|one| serde_json::to_string(one).ok()).unwrap_or_default();
            text.push('\n');
        }
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}

impl From<InstanceError> for Failure {
    fn from(error: InstanceError) -> Self {
        match error {
            InstanceError::Owned { database, pid } => Self::new(Exit::Owned, "instance-owned")
                .told("database", database.display())
                .with("pid", pid)
                .because("todo", Told::of("instance-next", &[])),
            InstanceError::Io { path, source } => {
                let exit = Exit::of_io(&source);
                Self::new(exit, "instance-lock").told("file", path.display()).because("detail", source)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing_told(running: bool) -> Service {
        Service { running, hindered: None, damaged: None }
    }

    #[test]
    fn that_the_file_is_damaged_stays_told_until_it_is_sound() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("hub.db");
        let damaged = |what: &str| Failure::new(Exit::Refused, DAMAGED[0]).with("detail", what.to_owned());
        let mut lock = InstanceLock::acquire(&database).expect("free");
        lock.tell(Some(&damaged("one")), Timestamp::UNIX_EPOCH);
        let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(5);
        lock.tell(Some(&damaged("two")), later);
        assert_eq!(
            Service::of(&database).expect("seen").lines(Lang::En, false).len(),
            2,
            "what, and the step"
        );
        lock.tell(None, later);
        drop(lock);
        let other = Failure::new(Exit::Temporary, "backup-another").told("file", "hub.db");
        keep_failure(&database, &other, later);
        let service = Service::of(&database).expect("seen");
        let told = service.damaged.as_ref().expect("told");
        assert_eq!((told.code.as_str(), told.since.as_str()), (DAMAGED[0], "1970-01-01T00:00:00Z"));
        assert!(told.en.contains("two") && Service::is_damaged(Some(&service)));
        for lang in [Lang::Ru, Lang::En] {
            let lines = service.lines(lang, false);
            assert!(lines.len() == 3 && lines[2].contains("restore"), "{lines:?}");
        }
        let mut lock = InstanceLock::acquire(&database).expect("free");
        lock.sound();
        assert_eq!(Service::of(&database), Some(nothing_told(true)));
    }

    #[test]
    fn the_second_is_told_who_owns_it_and_may_have_it_afterwards() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("hub.db");
        let first = InstanceLock::acquire(&database).expect("free");
        let error = InstanceLock::acquire(&database).expect_err("owned");
        let failure = Failure::from(error);
        assert_eq!(failure.exit(), Exit::Owned);
        assert!(failure.to_string().contains(&std::process::id().to_string()), "{failure}");
        drop(first);
        InstanceLock::acquire(&database).expect("free again");
    }

    #[test]
    fn what_hinders_it_is_seen_by_others_and_outlives_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("hub.db");
        assert_eq!(Service::of(&database), Some(nothing_told(false)));
        let mut lock = InstanceLock::acquire(&database).expect("free");
        assert_eq!(Service::of(&database), Some(nothing_told(true)));
        let failure = Failure::new(Exit::Temporary, "backup-another").told("file", "hub.db");
        lock.tell(Some(&failure), Timestamp::UNIX_EPOCH);
        let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(5);
        lock.tell(Some(&failure), later);
        let told = Service::of(&database).and_then(|one| one.hindered).expect("told");
        assert_eq!((told.code.as_str(), told.since), ("backup-another", Timestamp::UNIX_EPOCH.to_string()));
        drop(lock);
        let after = Service::of(&database).expect("seen");
        assert!(!after.running && after.hindered.is_some() && after.lines(Lang::Ru, true).len() == 1);
        let mut lock = InstanceLock::acquire(&database).expect("free");
        lock.tell(None, later);
        assert_eq!(Service::of(&database), Some(nothing_told(true)));
    }

    #[test]
    fn why_a_daemon_did_not_begin_is_kept_until_one_does() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = dir.path().join("centre.db");
        let failure = Failure::new(Exit::Usage, "keys-file").told("file", "keys").with("detail", "none");
        keep_failure(&database, &failure, Timestamp::UNIX_EPOCH);
        let told = Service::of(&database).expect("seen");
        assert!(!told.running);
        assert_eq!(told.hindered.as_ref().map(|one| one.code.as_str()), Some("keys-file"));
        assert!(told.lines(Lang::Ru, true).len() == 1 && told.lines(Lang::En, false).len() == 1);
        // one that runs says itself how it is
        let running = InstanceLock::acquire(&database).expect("free");
        keep_failure(&database, &failure, Timestamp::UNIX_EPOCH);
        assert_eq!(Service::of(&database), Some(nothing_told(true)));
        drop(running);
        assert_eq!(Service::of(&database), Some(nothing_told(false)));
        let lines = |lang| {
            [true, false].map(|scheduled| Service::of(&database).expect("seen").lines(lang, scheduled))
        };
        for [of_centre, of_hub] in [Lang::Ru, Lang::En].map(lines) {
            assert!(of_centre[0].contains("sync") && !of_hub[0].contains("sync"), "{of_hub:?}");
        }
    }

    #[test]
    fn a_link_to_a_database_is_that_database() {
        let dir = tempfile::tempdir().expect("a directory");
        let (database, link) = (dir.path().join("hub.db"), dir.path().join("link.db"));
        std::fs::write(&database, "").expect("written");
        std::os::unix::fs::symlink(&database, &link).expect("linked");
        let _first = InstanceLock::acquire(&link).expect("free");
        assert!(matches!(InstanceLock::acquire(&database), Err(InstanceError::Owned { .. })));
    }

    #[test]
    fn an_unwritable_place_is_a_configuration_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let error = InstanceLock::acquire(&dir.path().join("no/hub.db")).expect_err("no directory");
        assert_eq!(Failure::from(error).exit(), Exit::Usage);
    }
}
