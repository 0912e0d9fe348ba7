//! Large files that must not be lost or half there: archived packets, spool files. Written as a stream beside
//! their place, on the disk, then given their name, which they never take from another file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::{chance, durable_file, failpoint};

const PART: &str = ".part";
const BUFFER: usize = 256 * 1024;

/// A file being written under a name of its own; gone when dropped before [`NewFile::commit`].
#[derive(Debug)]
pub struct NewFile {
    file: File,
    part: PathBuf,
}

/// Whether a file was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is there now.
    New,
    /// It was there already with the same bytes.
    Already,
}

/// Why a file was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Another file has that name; it was not touched.
    #[error("{path} is already there with other bytes")]
    Conflict {
        /// The name.
        path: PathBuf,
    },
    /// Reading or writing failed; nothing stands under the name.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl NewFile {
    /// Begins a file of mode 0600 in `directory`, readable and seekable. A directory that is gone is made again.
    pub fn create(directory: &Path) -> io::Result<Self> {
        durable_file::make_directories(directory)?;
        let part = directory.join(format!(".{}{PART}", chance::letters()?));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&part)?;
        Ok(Self { file, part })
    }

    /// Gives the file its name `path`, in the same file system, and makes both durable. The name may be taken
    /// only by the same bytes.
    pub fn commit(mut self, path: &Path) -> Result<Kept, KeepError> {
        failpoint::step("file", || self.commit_inner(path))
            .map_err(|source| KeepError::Io { path: path.to_owned(), source })?
            .ok_or_else(|| KeepError::Conflict { path: path.to_owned() })
    }

    fn commit_inner(&mut self, path: &Path) -> io::Result<Option<Kept>> {
        failpoint::sync(&self.file)?;
        // A hard link, unlike a rename, never replaces.
        match fs::hard_link(&self.part, path) {
            Ok(()) => durable_file::sync_directory(path).map(|()| Some(Kept::New)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.file.seek(SeekFrom::Start(0))?;
                let same = same_bytes(&mut self.file, &mut File::open(path)?)?;
                // The earlier one may not have reached the disk before a crash.
                failpoint::sync(&File::open(path)?)?;
                durable_file::sync_directory(path)?;
                Ok(same.then_some(Kept::Already))
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // What cannot be removed is a `.part` nobody reads; `remove_leftovers` takes it later.
        let _ = fs::remove_file(&self.part);
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for NewFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Keeps a durable copy of `source` at `path`, whose directory is made if need be.
pub fn keep(path: &Path, source: &mut impl Read) -> Result<Kept, KeepError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let failed = |source| KeepError::Io { path: path.to_owned(), source };
    let mut file = NewFile::create(directory).map_err(failed)?;
    io::copy(&mut BufReader::with_capacity(BUFFER, source), &mut file).map_err(failed)?;
    file.commit(path)
}

/// Keeps a durable copy of `source` in `directory` as `name` or, where other files have that name, as `name.2`,
/// `name.3` and so on; the name that it has there now. The same bytes are kept once.
pub fn keep_beside(
    directory: &Path,
    name: &str,
    source: &mut (impl Read + Seek),
) -> Result<String, KeepError> {
    let mut kept = name.to_owned();
    let mut copy = 1_u32;
    loop {
        let path = directory.join(&kept);
        source.seek(SeekFrom::Start(0)).map_err(|source| KeepError::Io { path: path.clone(), source })?;
        match keep(&path, source) {
            Ok(_) => return Ok(kept),
            Err(KeepError::Conflict { .. }) => {
                copy += 1;
                kept = format!("{name}.{copy}");
            }
            Err(error) => return Err(error),
        }
    }
}

/// Keeps the file at `path`, which nobody changes any more, in `directory` as [`keep_beside`] does; by another name for
/// it where one file system holds both, however long it is.
pub fn link_beside(directory: &Path, name: &str, path: &Path) -> Result<String, KeepError> {
    let kept = directory.join(name);
    let linked = failpoint::step("file", || {
        durable_file::make_directories(directory)?;
        failpoint::sync(&File::open(path)?)?;
        fs::hard_link(path, &kept).and_then(|()| durable_file::sync_directory(&kept))
    });
    if linked.is_ok() {
        return Ok(name.to_owned());
    }
    // its name is taken, or it lies elsewhere
    let mut source = File::open(path).map_err(|source| KeepError::Io { path: path.to_owned(), source })?;
    keep_beside(directory, name, &mut source)
}

/// A file without a name in `directory`, gone when closed: for a packet in the clear while it is read.
pub fn nameless(directory: &Path) -> io::Result<File> {
    let file = NewFile::create(directory)?;
    file.file.try_clone()
}

/// Removes what was being written here when the machine stopped. Only before anything is written.
pub fn remove_leftovers(directory: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let leftover = name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(PART));
        if leftover && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn same_bytes(one: &mut impl Read, other: &mut impl Read) -> io::Result<bool> {
    let (mut a, mut b) = (vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let (count, other_count) = (fill(one, &mut a)?, fill(other, &mut b)?);
        if a[..count] != b[..other_count] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names(directory: &Path) -> usize {
        fs::read_dir(directory).expect("listed").count()
    }

    #[test]
    fn a_copy_is_kept_once_and_never_overwritten() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("4200018/in/packet.zip.age");
        let bytes: Vec<u8> = (0..BUFFER + 10).map(|n| n.to_le_bytes()[0]).collect();
        assert_eq!(keep(&path, &mut &bytes[..]).expect("kept"), Kept::New);
        assert_eq!(keep(&path, &mut &bytes[..]).expect("kept"), Kept::Already);
        for other in [&bytes[1..], &bytes[..BUFFER], b""] {
            assert!(matches!(keep(&path, &mut &*other), Err(KeepError::Conflict { .. })));
        }
        assert_eq!(fs::read(&path).expect("read"), bytes);
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(names(path.parent().expect("a directory")), 1);
    }

    #[test]
    fn files_of_one_name_are_kept_beside_each_other_and_the_same_one_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let keep =
            |bytes: &[u8]| keep_beside(dir.path(), "x.zip", &mut io::Cursor::new(bytes)).expect("kept");
        assert_eq!(
            [keep(b"one"), keep(b"two"), keep(b"one"), keep(b"two")],
            ["x.zip", "x.zip.2"].repeat(2)[..]
        );
        assert_eq!(keep(b"three"), "x.zip.3");
        assert_eq!(
            (names(dir.path()), fs::read(dir.path().join("x.zip.2")).expect("read")),
            (3, b"two".to_vec())
        );
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the line broke"))
            }
        }
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("packet.zip");
        let broken = keep(&path, &mut b"half".chain(Failing));
        assert!(matches!(broken, Err(KeepError::Io { .. })));
        drop(NewFile::create(dir.path()).expect("begun"));
        assert_eq!(names(dir.path()), 0);
    }

    #[test]
    fn leftovers_of_a_crash_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let crashed = NewFile::create(dir.path()).expect("begun");
        std::mem::forget(crashed);
        fs::write(dir.path().join("packet.zip"), b"x").expect("written");
        fs::write(dir.path().join("SVOD1.0123.part"), b"x").expect("an upload, not ours");
        assert_eq!(remove_leftovers(dir.path()).expect("removed"), 1);
        assert_eq!(names(dir.path()), 2);
    }

    #[test]
    fn a_nameless_file_can_be_written_and_read_and_has_no_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut file = nameless(dir.path()).expect("made");
        assert_eq!(names(dir.path()), 0);
        file.write_all(b"in the clear").expect("written");
        file.seek(SeekFrom::Start(3)).expect("sought");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("read");
        assert_eq!(text, "the clear");
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        fs::write(&file, b"x").expect("written");
        let error = keep(&file.join("packet.zip"), &mut &b"x"[..]).expect_err("a file, not a directory");
        assert!(error.to_string().contains("packet.zip"), "{error}");
    }

    #[test]
    fn a_directory_that_is_gone_is_made_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let gone = dir.path().join("spool");
        drop(nameless(&gone).expect("made"));
        assert!(gone.is_dir());
    }
}
