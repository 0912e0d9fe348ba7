//! A whole file, or none: written beside its place, on the disk, then renamed.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{chance, failpoint};

/// Who besides the owner may use the files that a program makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedWith {
    /// Nobody.
    Nobody,
    /// The owner's group: the programs that work on the same database.
    Group,
}

/// From now on this process makes its files and directories for its owner and `others` only. Files with a mode of
/// their own, as keys have, never get more than that.
pub fn make_private(others: SharedWith) {
    #[cfg(unix)]
    {
        use rustix::{fs::Mode, process::umask};
        umask(match others {
            SharedWith::Nobody => Mode::RWXG | Mode::RWXO,
            SharedWith::Group => Mode::RWXO,
        });
    }
    #[cfg(not(unix))]
    let _ = others;
}

/// Puts `bytes` at `path` in place of what was there. After a crash the path holds the old bytes or the new
/// ones. `mode` is the file's permission bits.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (part, _lock) = write_part(path, bytes, mode)?;
    let rename = || fs::rename(&part, path).and_then(|()| sync_directory(path));
    failpoint::step("file", rename).inspect_err(|_| forget(&part))
}

/// A file younger than that may not be locked yet by who makes it.
const YOUNG: Duration = Duration::from_secs(10);

/// Removes what writers that were killed have left in `directory`: their unfinished files, at once, for a writer locks its own while
/// it lives; where files cannot be locked, those of `older` and more. Another process may be writing there.
pub fn remove_left(directory: &Path, older: Duration) -> io::Result<()> {
    remove_parts(directory, ".", older)
}

fn remove_parts(directory: &Path, begins: &str, older: Duration) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with(begins);
        let is_part = hidden && path.extension().is_some_and(|ending| ending == "part");
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        let is_left = |age: Duration| match File::open(&path).map(|file| file.try_lock()) {
            Ok(Ok(())) => age >= older.min(YOUNG),
            Ok(Err(TryLockError::WouldBlock)) => false,
            Ok(Err(TryLockError::Error(_))) | Err(_) => age >= older,
        };
        if is_part && age().is_some_and(is_left) {
            forget(&path);
        }
    }
    Ok(())
}

/// [`remove_left`] of what writers of the file at `path` have left beside it.
pub fn remove_left_of(path: &Path, older: Duration) -> io::Result<()> {
    let Some(name) = path.file_name() else { return Ok(()) };
    let begins = format!(".{}.", name.to_string_lossy());
    let beside = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    remove_parts(beside.unwrap_or(Path::new(".")), &begins, older)
}

/// Removes the file at `path`.
pub fn remove(path: &Path) -> io::Result<()> {
    failpoint::step("remove", || fs::remove_file(path))
}

/// Puts `bytes` at `path`, where nothing may be yet: [`io::ErrorKind::AlreadyExists`] otherwise.
pub fn create_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (part, _lock) = write_part(path, bytes, mode)?;
    // A hard link, unlike a rename, never replaces: of two writers one wins.
    let done = failpoint::step("file", || fs::hard_link(&part, path).and_then(|()| sync_directory(path)));
    forget(&part);
    done
}

fn write_part(path: &Path, bytes: &[u8], mode: u32) -> io::Result<(PathBuf, File)> {
    let (part, mut file) = new_part(path, mode)?;
    file.write_all(bytes).and_then(|()| failpoint::sync(&file)).inspect_err(|_| forget(&part))?;
    Ok((part, file))
}

fn new_part(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let part = path.with_file_name(format!(".{name}.{}.part", chance::letters()?));
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
    // says that its writer lives; where files cannot be locked its age has to
    let _ = file.try_lock();
    Ok((part, file))
}

/// A file that is too long to be held: written piece by piece beside its place, where it stands only when it is
/// whole. One that is dropped unfinished is gone.
#[derive(Debug)]
pub struct PartFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
    finished: bool,
}

impl PartFile {
    /// Begins the file that is to stand at `path`. `mode` is its permission bits.
    pub fn create(path: &Path, mode: u32) -> io::Result<Self> {
        let (part, file) = new_part(path, mode)?;
        Ok(Self { path: path.to_owned(), part, file, finished: false })
    }

    /// Puts it at its place, instead of what was there.
    pub fn finish(mut self) -> io::Result<()> {
        failpoint::sync(&self.file)?;
        failpoint::step("file", || {
            fs::rename(&self.part, &self.path)?;
            self.finished = true;
            sync_directory(&self.path)
        })
    }
}

impl io::Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.finished {
            forget(&self.part);
        }
    }
}

/// Makes `directory` and what is missing above it, each name durable: what is kept in a directory is lost with its name.
pub fn make_directories(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        make_directories(parent)?;
    }
    match fs::create_dir(directory) {
        // another may have made it at the same moment; a file that lies there is no directory
        Err(error) if !directory.is_dir() => Err(error),
        _ => sync_directory(directory),
    }
}

/// Makes the names in the directory of `path` durable.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    failpoint::sync(&File::open(directory.unwrap_or(Path::new(".")))?)
}

fn forget(part: &Path) {
    // What cannot be removed is a `.part` nobody reads; the first error is the one to tell.
    let _ = fs::remove_file(part);
}

#[cfg(test)]
mod tests {
    use std::{fs::FileTimes, os::unix::fs::PermissionsExt as _, time::SystemTime};

    use super::*;

    #[test]
    fn replaces_whole_and_leaves_nothing_beside() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("marks");
        replace(&path, b"one", 0o600).expect("written");
        replace(&path, b"two", 0o600).expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1);
    }

    #[test]
    fn what_a_killed_writer_left_goes_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        for name in [".000001-load.json.abcdef.part", "000001-load.json", "notes.part"] {
            fs::write(dir.path().join(name), "x").expect("written");
        }
        remove_left(dir.path(), Duration::from_hours(1)).expect("looked");
        remove_left_of(&dir.path().join("000001"), Duration::ZERO).expect("looked");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 3, "it may be being written");
        remove_left(dir.path(), Duration::ZERO).expect("looked");
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).expect("listed").map(|one| one.expect("one").file_name()).collect();
        left.sort();
        assert_eq!(left, ["000001-load.json", "notes.part"]);
    }

    #[test]
    fn what_is_being_written_stays_however_old_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("person.csv");
        let being_written = PartFile::create(&path, 0o600).expect("begun");
        let left = dir.path().join(".person.csv.abcdef.part");
        for file in [&being_written.part, &left] {
            let file = OpenOptions::new().append(true).create(true).open(file).expect("opened");
            let before = SystemTime::now() - Duration::from_mins(5);
            file.set_times(FileTimes::new().set_modified(before)).expect("set");
        }
        remove_left_of(&path, Duration::from_hours(1)).expect("looked");
        assert!(being_written.part.exists() && !left.exists());
        being_written.finish().expect("put there");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1);
    }

    #[test]
    fn never_overwrites_what_is_new() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("000001.json");
        create_new(&path, b"one", 0o640).expect("written");
        let second = create_new(&path, b"two", 0o640).expect_err("taken");
        assert_eq!(second.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("read"), b"one");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1);
    }

    #[test]
    fn an_unfinished_file_leaves_what_was_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("table.csv");
        replace(&path, b"one", 0o600).expect("written");
        let mut part = PartFile::create(&path, 0o600).expect("begun");
        part.write_all(b"tw").expect("written");
        drop(part);
        assert_eq!(fs::read(&path).expect("read"), b"one");
        let mut part = PartFile::create(&path, 0o600).expect("begun");
        part.write_all(b"two").expect("written");
        part.finish().expect("finished");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1);
    }

    #[test]
    fn the_name_of_a_new_directory_is_synced_where_it_stands() {
        use std::{cell::RefCell, os::unix::fs::MetadataExt as _, rc::Rc};

        let dir = tempfile::tempdir().expect("a directory");
        let synced: Rc<RefCell<Vec<u64>>> = Rc::default();
        let noted = Rc::clone(&synced);
        let watched = failpoint::watch(Box::new(move |step, before| {
            let file = step.file.filter(|_| !before);
            noted.borrow_mut().extend(file.map(|file| file.metadata().expect("open").ino()));
            Ok(())
        }));
        make_directories(&dir.path().join("archive/4200018")).expect("made");
        make_directories(&dir.path().join("archive/4200018")).expect("there already");
        fs::write(dir.path().join("a-file"), "x").expect("written");
        for path in ["a-file", "a-file/4200018"] {
            make_directories(&dir.path().join(path)).expect_err("it is no directory");
        }
        drop(watched);
        let number = |path: &Path| fs::metadata(path).expect("there").ino();
        assert_eq!(*synced.borrow(), [number(dir.path()), number(&dir.path().join("archive"))]);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(replace(&dir.path().join("no/such"), b"x", 0o600).is_err());
    }
}
