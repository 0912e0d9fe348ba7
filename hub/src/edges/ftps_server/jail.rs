//! One account's two folders, opened once at login as capabilities: no path leaves them, links are not followed.
//!
//! Everything here blocks; the driver calls it off its threads.

use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions};
use exchange_endpoint::no_room::NoRoom as _;
use exchange_endpoint::sum;

use super::place::is_part;
use super::reply::Reply;
use super::session::FileRef;

/// Files are read and written by so many bytes.
pub(super) const BUFFER: usize = 256 * 1024;

/// The two folders.
#[derive(Debug)]
pub(super) struct Jail {
    inbox: Dir,
    out: Dir,
    /// Not for the centre: it only takes of its room. None if there is no such folder yet.
    quarantine: Option<Dir>,
}

/// Why a file operation was not done.
#[derive(Debug)]
pub(super) enum JailError {
    Absent,
    /// Another file has the name.
    Taken,
    /// REST beyond the end of the file.
    Offset,
    Io(io::Error),
}

impl From<io::Error> for JailError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent,
            _ => Self::Io(error),
        }
    }
}

impl JailError {
    /// What the client is told: nothing of this machine.
    pub fn reply(&self) -> Reply {
        match self {
            Self::Absent => Reply::new(550, "No such file"),
            Self::Taken => Reply::new(553, "Another file has this name"),
            Self::Offset => Reply::new(554, "REST is beyond the end of the file"),
            // an upload to a final name has a longer one until it is whole
            Self::Io(error) if error.kind() == io::ErrorKind::InvalidFilename => {
                Reply::new(553, "The name is too long")
            }
            Self::Io(error) => {
                tracing::warn!("a file operation failed: {error}");
                if error.is_no_room() {
                    return Reply::new(452, "No room on the server's disk");
                }
                Reply::new(451, "The server's disk refused; its log says why")
            }
        }
    }
}

/// Length and time of last change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub size: u64,
    pub modified: SystemTime,
}

impl Facts {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        Ok(Self { size: metadata.len(), modified: metadata.modified()?.into_std() })
    }
}

impl Jail {
    /// Opens `home/in` and `home/out`.
    pub fn open(home: &Path, quarantine: &Path) -> io::Result<Self> {
        let home = Dir::open_ambient_dir(home, ambient_authority())?;
        let quarantine = match Dir::open_ambient_dir(quarantine, ambient_authority()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened?),
        };
        Ok(Self { inbox: home.open_dir("in")?, out: home.open_dir("out")?, quarantine })
    }

    fn find<'a>(&'a self, file: &'a FileRef) -> Result<(&'a Dir, &'a str, Metadata), JailError> {
        let (dir, name) = match file {
            FileRef::In(name) => (&self.inbox, name),
            FileRef::Out(name) => (&self.out, name),
        };
        if matches!(file, FileRef::Out(name) if is_part(name)) {
            return Err(JailError::Absent);
        }
        let metadata = dir.symlink_metadata(name)?;
        // A link, a folder or a device is no file of the exchange.
        if metadata.is_file() { Ok((dir, name, metadata)) } else { Err(JailError::Absent) }
    }

    pub fn facts(&self, file: &FileRef) -> Result<Facts, JailError> {
        let (_, _, metadata) = self.find(file)?;
        Ok(Facts::of(&metadata)?)
    }

    /// The finished files of `out`, by name.
    pub fn list_out(&self) -> Result<Vec<(String, Facts)>, JailError> {
        let mut found = Vec::new();
        for entry in self.out.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') || is_part(&name) {
                continue;
            }
            // The hub may delete what it listed a moment ago.
            if let Ok(facts) = self.facts(&FileRef::Out(name.clone())) {
                found.push((name, facts));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// Length and SHA-256 (lower-case hex).
    pub fn hash(&self, file: &FileRef) -> Result<(u64, String), JailError> {
        let (dir, name, _) = self.find(file)?;
        let (length, digest) = sum::pass(&mut dir.open(name)?, &mut io::sink())?;
        Ok((length, digest.to_string()))
    }

    /// A file of `out`, positioned at `offset`.
    pub fn open_out(&self, name: &str, offset: u64) -> Result<std::fs::File, JailError> {
        let file = FileRef::Out(name.to_owned());
        let (dir, name, metadata) = self.find(&file)?;
        if offset > metadata.len() {
            return Err(JailError::Offset);
        }
        let mut file = dir.open(name)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(file.into_std())
    }

    /// A part of `in` to write from `offset` on; `None` appends. What lay beyond the offset is gone.
    pub fn open_part(&self, part: &str, offset: Option<u64>) -> Result<std::fs::File, JailError> {
        let there = match self.find(&FileRef::In(part.to_owned())) {
            // A crash between link and unlink left the part as a second name of a finished file.
            Ok((_, _, metadata)) if metadata.nlink() > 1 => {
                self.inbox.remove_file(part)?;
                None
            }
            Ok((_, _, metadata)) => Some(metadata.len()),
            Err(JailError::Absent) => None,
            Err(error) => return Err(error),
        };
        let (start, mut options) = (offset.or(there).unwrap_or(0), OpenOptions::new());
        if start > there.unwrap_or(0) {
            return Err(JailError::Offset);
        }
        options.write(true).create_new(there.is_none());
        let mut file = self.inbox.open_with(part, &options)?;
        file.set_len(start)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file.into_std())
    }

    /// Gives a part its final name, durably, never over another file. The same bytes under that name are success:
    /// the reply to an earlier attempt was lost.
    pub fn publish(&self, part: &str, name: &str) -> Result<(), JailError> {
        self.find(&FileRef::In(part.to_owned()))?;
        match self.inbox.hard_link(part, &self.inbox, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !self.same_bytes(part, name)? {
                    return Err(JailError::Taken);
                }
            }
            other => other?,
        }
        self.inbox.remove_file(part)?;
        Ok(self.inbox.open(".")?.sync_all()?)
    }

    fn same_bytes(&self, part: &str, name: &str) -> Result<bool, JailError> {
        let (part, name) = (FileRef::In(part.to_owned()), FileRef::In(name.to_owned()));
        Ok(self.facts(&part)?.size == self.facts(&name)?.size && self.hash(&part)? == self.hash(&name)?)
    }

    pub fn delete_part(&self, part: &str) -> Result<(), JailError> {
        self.find(&FileRef::In(part.to_owned()))?;
        Ok(self.inbox.remove_file(part)?)
    }

    /// Removes the parts that nobody has written to since `before`: what their upload was for has long been sent
    /// under another name, and they would count against the centre's room for ever.
    pub fn sweep(&self, before: SystemTime) -> Result<usize, JailError> {
        let mut swept = 0;
        for entry in self.inbox.entries()? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            let old = |facts: Facts| facts.modified < before;
            if is_part(&name) && self.facts(&FileRef::In(name.clone())).is_ok_and(old) {
                self.inbox.remove_file(&name)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Bytes that `in` and the centre's quarantine hold, and the number of files in `in`.
    pub fn usage(&self) -> Result<(u64, usize), JailError> {
        let (held, files) = sum(&self.inbox)?;
        let aside = self.quarantine.as_ref().map_or(Ok((0, 0)), sum)?;
        Ok((held + aside.0, files))
    }
}

fn sum(directory: &Dir) -> Result<(u64, usize), JailError> {
    let (mut bytes, mut files) = (0, 0);
    for entry in directory.entries()? {
        match entry?.metadata() {
            Ok(metadata) => bytes += metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        }
        files += 1;
    }
    Ok((bytes, files))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn jail() -> (tempfile::TempDir, Jail) {
        let dir = tempfile::tempdir().expect("temp dir");
        for folder in ["in", "out"] {
            fs::create_dir(dir.path().join(folder)).expect("folder");
        }
        let jail = Jail::open(dir.path(), &dir.path().join("quarantine")).expect("opens");
        (dir, jail)
    }

    fn store(jail: &Jail, part: &str, offset: Option<u64>, bytes: &[u8]) {
        jail.open_part(part, offset).expect("opens").write_all(bytes).expect("written");
    }

    #[test]
    fn publishing_never_replaces_and_the_same_bytes_are_success() {
        let (dir, jail) = jail();
        store(&jail, "a.part", Some(0), b"one");
        jail.publish("a.part", "A").expect("published");
        store(&jail, "b.part", Some(0), b"one");
        jail.publish("b.part", "A").expect("the same again");
        store(&jail, "c.part", Some(0), b"two");
        assert!(matches!(jail.publish("c.part", "A"), Err(JailError::Taken)));
        assert_eq!(fs::read(dir.path().join("in/A")).expect("read"), b"one");
        assert!(!dir.path().join("in/b.part").exists());
    }

    #[test]
    fn a_part_goes_on_from_its_offset_and_never_beyond_its_end() {
        let (dir, jail) = jail();
        store(&jail, "a.part", Some(0), b"12345");
        store(&jail, "a.part", Some(3), b"x");
        store(&jail, "a.part", None, b"y");
        assert_eq!(fs::read(dir.path().join("in/a.part")).expect("read"), b"123xy");
        assert!(matches!(jail.open_part("a.part", Some(6)), Err(JailError::Offset)));
        assert!(matches!(jail.open_part("new.part", Some(1)), Err(JailError::Offset)));
        store(&jail, "a.part", Some(0), b"z");
        assert_eq!(fs::read(dir.path().join("in/a.part")).expect("read"), b"z");
    }

    #[test]
    fn after_a_crash_between_link_and_unlink_a_new_upload_leaves_the_finished_file_alone() {
        let (dir, jail) = jail();
        store(&jail, "a.part", Some(0), b"whole");
        fs::hard_link(dir.path().join("in/a.part"), dir.path().join("in/A")).expect("as after a crash");
        assert!(matches!(jail.open_part("a.part", Some(3)), Err(JailError::Offset)));
        store(&jail, "a.part", Some(0), b"other");
        assert_eq!(fs::read(dir.path().join("in/A")).expect("read"), b"whole");
    }

    #[test]
    fn only_old_parts_are_swept() {
        let (dir, jail) = jail();
        let now = SystemTime::now();
        for (name, days) in [("old.part", 8), ("new.part", 6), ("A.zip", 8)] {
            let file = fs::File::create(dir.path().join("in").join(name)).expect("made");
            file.set_modified(now - std::time::Duration::from_hours(days * 24)).expect("dated");
        }
        assert_eq!(jail.sweep(now - std::time::Duration::from_hours(7 * 24)).expect("swept"), 1);
        assert!(!dir.path().join("in/old.part").exists());
        assert_eq!(jail.usage().expect("measured").1, 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_a_file_nor_is_what_the_hub_is_writing() {
        let (dir, jail) = jail();
        fs::write(dir.path().join("secret"), b"s").expect("written");
        std::os::unix::fs::symlink("../secret", dir.path().join("out/link")).expect("linked");
        std::os::unix::fs::symlink("/etc/hostname", dir.path().join("out/far")).expect("linked");
        fs::write(dir.path().join("out/half.part"), b"h").expect("written");
        for name in ["link", "far", "half.part"] {
            assert!(matches!(jail.open_out(name, 0), Err(JailError::Absent)));
            assert!(matches!(jail.hash(&FileRef::Out(name.into())), Err(JailError::Absent)));
        }
        assert_eq!(jail.list_out().expect("listed").len(), 0);
    }
}
