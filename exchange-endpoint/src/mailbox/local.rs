//! Files on this machine, as both mailboxes need them: durable, whole, never over another.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use exchange_format::position::Digest;

/// Copies and reads go by this many bytes.
pub(super) const BUFFER: usize = 256 * 1024;

/// Whether `name` may be a file of a mailbox: one visible path component without control characters.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && !name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | ':' | '"' | '*' | '?'))
}

/// Whether `name` is that of an upload in progress.
pub(super) fn is_part(name: &str) -> bool {
    name.strip_suffix(".part").is_some()
}

/// The name under which `name` is uploaded: `<stem>.<tag>.part`. The tag is of the file's bytes, so that a part
/// with this name, after any interruption, is the beginning of exactly this file and can be continued.
pub(super) fn part_name(name: &str, digest: &Digest) -> String {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    format!("{stem}.{}.part", hex::encode(&digest.as_bytes()[..8]))
}

/// `<dest>.part`: where a fetched file gathers.
pub(super) fn part_path(dest: &Path) -> PathBuf {
    let mut name = dest.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Copies `source` into a fresh file `part`, on disk when this returns. An older `part` is unlinked, not
/// truncated: after a crash between link and unlink it is the finished file under another name.
pub(super) fn copy_durably(source: &Path, part: &Path) -> io::Result<u64> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut to = OpenOptions::new().write(true).create_new(true).open(part)?;
    let length = io::copy(&mut File::open(source)?, &mut to)?;
    to.sync_all()?;
    Ok(length)
}

/// Gives `part` the name `target`, failing with `AlreadyExists` if that is taken; durable.
pub(super) fn publish(part: &Path, target: &Path) -> io::Result<()> {
    fs::hard_link(part, target)?;
    fs::remove_file(part)?;
    sync_parent(target)
}

/// Gives `part` the name `target`, replacing what is there; durable.
pub(super) fn replace(part: &Path, target: &Path) -> io::Result<()> {
    fs::rename(part, target)?;
    sync_parent(target)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Windows cannot open a directory as a file; there the rename is durable with the volume's journal.
    if cfg!(unix) { File::open(parent)?.sync_all() } else { Ok(()) }
}
