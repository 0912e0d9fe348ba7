//! What of a machine's files is on its disk: the content that was synced last, and the names that stood in each directory
//! when that was synced last. Whatever else a power cut finds, it keeps or loses as the seed has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    os::{
        fd::AsRawFd as _,
        unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    time::SystemTime,
};

use fixtures::dice::Dice;

/// What a name in a directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Directory,
    /// A file, whatever it is called: its number, and when it was made, for a number may be given again.
    File(u64, Option<SystemTime>),
}

/// The names in a directory.
type Names = BTreeMap<OsString, Node>;

/// The disk of one machine. The files of its database are none of it, nor is what the virtual FTP keeps.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    database: &'static str,
    /// By the path below the root.
    names: BTreeMap<PathBuf, Names>,
    contents: BTreeMap<Node, Vec<u8>>,
}

impl Disk {
    /// The disk of the machine in `root`, of which everything is durable.
    ///
    /// # Errors
    /// A file.
    pub fn of(root: &Path, database: &'static str) -> io::Result<Self> {
        let (names, contents) = (BTreeMap::new(), BTreeMap::new());
        let mut disk = Self { root: root.to_owned(), database, names, contents };
        disk.settle()?;
        Ok(disk)
    }

    /// Everything is durable as it is.
    fn settle(&mut self) -> io::Result<()> {
        (self.names, self.contents) = (BTreeMap::new(), BTreeMap::new());
        for directory in self.directories()? {
            let names = self.present(&directory)?;
            for (name, node) in names.iter().filter(|(_, node)| **node != Node::Directory) {
                self.contents.insert(*node, fs::read(self.root.join(&directory).join(name))?);
            }
            self.names.insert(directory, names);
        }
        Ok(())
    }

    /// `file` is synced, which may be a directory, or a file of another machine.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn synced(&mut self, file: &File) -> io::Result<()> {
        let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        let Ok(below) = path.strip_prefix(&self.root) else { return Ok(()) };
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            let names = self.present(below)?;
            self.names.insert(below.to_owned(), names);
        } else {
            // by its name, for it may be open for writing alone
            self.contents.insert(Node::of(&metadata), fs::read(path)?);
        }
        Ok(())
    }

    /// The power goes: what was not synced is as the disk happens to have it. Which directories have lost something.
    ///
    /// # Errors
    /// A file.
    pub fn cut(&mut self, dice: &mut Dice) -> io::Result<BTreeSet<PathBuf>> {
        let mut lost = BTreeSet::new();
        let directories = self.directories()?;
        for directory in &directories {
            let files = self.present(directory)?.into_iter().filter(|(_, node)| *node != Node::Directory);
            let mut unsynced = Vec::new();
            for (name, node) in files {
                let path = self.root.join(directory).join(name);
                let durable = self.contents.get(&node).map_or(&[][..], Vec::as_slice);
                if fs::read(&path)? != durable {
                    unsynced.push((path, durable));
                }
            }
            // of one directory all or none, for the order of names is not the seed's
            if !unsynced.is_empty() && dice.chance(500) {
                unsynced.into_iter().try_for_each(|(path, bytes)| write(&path, bytes))?;
                lost.insert(directory.clone());
            }
        }
        for directory in directories {
            let durable = self.names.get(&directory).cloned().unwrap_or_default();
            // one above may be gone; the names of one directory come to the disk together
            if self.root.join(&directory).is_dir() && self.present(&directory)? != durable && dice.chance(500)
            {
                self.put_back(&directory, &durable)?;
                lost.insert(directory);
            }
        }
        self.settle()?;
        Ok(lost)
    }

    /// All directories, below the root, each before those in it.
    fn directories(&self) -> io::Result<BTreeSet<PathBuf>> {
        let (mut found, mut left) = (BTreeSet::new(), vec![PathBuf::new()]);
        while let Some(directory) = left.pop() {
            let names = self.present(&directory)?;
            let below = names.into_iter().filter(|(_, node)| *node == Node::Directory);
            left.extend(below.map(|(name, _)| directory.join(name)));
            found.insert(directory);
        }
        Ok(found)
    }

    /// The names of `directory` are those of `durable` again.
    fn put_back(&self, directory: &Path, durable: &Names) -> io::Result<()> {
        let present = self.present(directory)?;
        let path = |name| self.root.join(directory).join(name);
        for (name, _) in present.iter().filter(|(name, node)| durable.get(*name) != Some(node)) {
            if present[name] == Node::Directory {
                fs::remove_dir_all(path(name))?;
            } else {
                fs::remove_file(path(name))?;
            }
        }
        for (name, node) in durable.iter().filter(|(name, node)| present.get(*name) != Some(node)) {
            if *node == Node::Directory {
                fs::create_dir(path(name))?;
                let below = directory.join(name);
                self.put_back(&below, self.names.get(&below).unwrap_or(&Names::new()))?;
            } else {
                write(&path(name), self.contents.get(node).map_or(&[], Vec::as_slice))?;
            }
        }
        Ok(())
    }

    /// The names that stand in a directory now.
    fn present(&self, directory: &Path) -> io::Result<Names> {
        let mut names = Names::new();
        for entry in fs::read_dir(self.root.join(directory))? {
            let entry = entry?;
            let name = entry.file_name();
            let is_apart = name == "ftp" || name.to_string_lossy().starts_with(self.database);
            if !(directory.as_os_str().is_empty() && is_apart) {
                names.insert(name, Node::of(&entry.metadata()?));
            }
        }
        Ok(names)
    }
}

impl Node {
    fn of(metadata: &Metadata) -> Self {
        if metadata.is_dir() { Self::Directory } else { Self::File(metadata.ino(), metadata.created().ok()) }
    }
}

/// Makes or fills a file as private as all are that the programs make.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in `disk` after a power cut, over many of them.
    fn after_cuts(work: impl Fn(&Path, &mut Disk)) -> BTreeSet<Vec<(String, String)>> {
        let after = |seed| {
            let dir = tempfile::tempdir().expect("a directory");
            fs::write(dir.path().join("old"), "old").expect("written");
            fs::write(dir.path().join("centre.db"), "apart").expect("written");
            let mut disk = Disk::of(dir.path(), "centre.db").expect("read");
            work(dir.path(), &mut disk);
            disk.cut(&mut Dice::new(seed, 0)).expect("cut");
            let names = disk.present(Path::new("")).expect("read").into_keys();
            let names = names.map(|name| name.into_string().expect("text"));
            names
                .map(|name| (name.clone(), fs::read_to_string(dir.path().join(name)).expect("read")))
                .collect()
        };
        (0..40).map(after).collect()
    }

    fn states(states: &[&[(&str, &str)]]) -> BTreeSet<Vec<(String, String)>> {
        let state = |state: &&[(&str, &str)]| {
            state.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        states.iter().map(state).collect()
    }

    #[test]
    fn what_was_not_synced_is_kept_or_lost() {
        let nothing = after_cuts(|_, _| ());
        assert_eq!(nothing, states(&[&[("old", "old")]]));
        let neither = after_cuts(|dir, _| fs::write(dir.join("new"), "new").expect("written"));
        let (old, new) = (("old", "old"), ("new", "new"));
        assert_eq!(neither, states(&[&[old], &[new, old], &[("new", ""), old]]));
        let name_only = after_cuts(|dir, disk| {
            fs::write(dir.join("new"), "new").expect("written");
            disk.synced(&File::open(dir).expect("opened")).expect("synced");
        });
        assert_eq!(name_only, states(&[&[new, old], &[("new", ""), old]]));
        let content_only = after_cuts(|dir, disk| {
            fs::write(dir.join("new"), "new").expect("written");
            disk.synced(&File::open(dir.join("new")).expect("opened")).expect("synced");
        });
        assert_eq!(content_only, states(&[&[old], &[new, old]]));
        let removed = after_cuts(|dir, _| fs::remove_file(dir.join("old")).expect("removed"));
        assert_eq!(removed, states(&[&[], &[old]]));
    }
}
