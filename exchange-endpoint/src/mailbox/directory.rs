//! A mailbox that is a folder with `in` and `out`: the hub's own `ftp/<code>`, a share, a test's temp folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Mailbox, MailboxError, Offered, Placed, local};
use crate::messages::Told;
use crate::sum;

/// How often [`Mailbox::wait`] looks into `out`.
const POLL: Duration = Duration::from_millis(100);

/// A folder with `in` and `out`.
#[derive(Debug)]
pub struct DirectoryMailbox {
    root: PathBuf,
    told: Mutex<Option<BTreeSet<Offered>>>,
}

impl DirectoryMailbox {
    /// Opens the folder `root`, which must hold `in` and `out`.
    pub fn open(root: &Path) -> Result<Self, MailboxError> {
        for folder in ["in", "out"] {
            if !root.join(folder).is_dir() {
                return Err(MailboxError::Config {
                    place: root.display().to_string(),
                    reason: Told::of("mailbox-no-folder", &[("folder", folder.into())]),
                    next: "mailbox-next-folder",
                });
            }
        }
        Ok(Self { root: root.to_owned(), told: Mutex::new(None) })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(PathBuf) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let root = self.root.clone();
        let result = tokio::task::spawn_blocking(move || work(root)).await.expect("file work does not panic");
        let place = self.root.display().to_string();
        result.map_err(|trouble| match trouble {
            Trouble::Io(error) => MailboxError::of_io(action, place, error),
            Trouble::Refused { name, reason } => MailboxError::Refused { action, place, name, reason },
        })
    }
}

enum Trouble {
    Io(std::io::Error),
    Refused { name: String, reason: Told },
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

fn check(name: &str) -> Result<(), Trouble> {
    if local::is_plain_name(name) {
        return Ok(());
    }
    Err(Trouble::Refused { name: name.escape_debug().to_string(), reason: Told::of("mailbox-no-name", &[]) })
}

fn list(root: &Path) -> Result<Vec<Offered>, Trouble> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("out"))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !local::is_plain_name(&name) || local::is_part(&name) {
            continue;
        }
        match entry.metadata() {
            Ok(meta) if meta.is_file() => found.push(Offered { name, size: meta.len() }),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    found.sort();
    Ok(found)
}

fn fetch(root: &Path, name: &str, dest: &Path) -> Result<u64, Trouble> {
    check(name)?;
    let part = local::part_path(dest);
    match local::copy_durably(&root.join("out").join(name), &part) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Trouble::Refused { name: name.to_owned(), reason: Told::of("mailbox-no-file", &[]) })
        }
        Err(error) => Err(error.into()),
        Ok(length) => {
            local::replace(&part, dest)?;
            Ok(length)
        }
    }
}

fn put(root: &Path, source: &Path, name: &str) -> Result<Placed, Trouble> {
    check(name)?;
    let inbox = root.join("in");
    let target = inbox.join(name);
    let (length, digest) = sum::of_file(source)?;
    let part = inbox.join(local::part_name(name, &digest));
    if !target.exists() {
        local::copy_durably(source, &part)?;
        match local::publish(&part, &target) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::remove_file(&part)?,
            other => return Ok(other.map(|()| Placed::Now)?),
        }
    }
    let there = match fs::metadata(&target) {
        // the hub has just taken it; once more is a duplicate to it
        Err(error) if error.kind() == ErrorKind::NotFound => return put(root, source, name),
        found => found?.len(),
    };
    if there == length {
        return Ok(Placed::Already);
    }
    let reason = Told::of("mailbox-taken", &[("there", there.into()), ("ours", length.into())]);
    Err(Trouble::Refused { name: name.to_owned(), reason })
}

#[async_trait]
impl Mailbox for DirectoryMailbox {
    async fn list_out(&self) -> Result<Vec<Offered>, MailboxError> {
        self.blocking("mailbox-listing", |root| list(&root)).await
    }

    async fn fetch(&self, name: &str, dest: &Path) -> Result<u64, MailboxError> {
        let (name, dest) = (name.to_owned(), dest.to_owned());
        self.blocking("mailbox-fetching", move |root| fetch(&root, &name, &dest)).await
    }

    async fn put(&self, source: &Path, name: &str) -> Result<Placed, MailboxError> {
        let (source, name) = (source.to_owned(), name.to_owned());
        self.blocking("mailbox-placing", move |root| put(&root, &source, &name)).await
    }

    async fn wait(&self, at_most: Duration) -> Result<bool, MailboxError> {
        let mut told = self.told.lock().await;
        let deadline = Instant::now() + at_most;
        loop {
            let now: BTreeSet<Offered> = self.list_out().await?.into_iter().collect();
            let gained = told.as_ref().is_none_or(|before| !now.is_subset(before));
            *told = Some(now);
            if gained {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            tokio::time::sleep(left.min(POLL)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city() -> (tempfile::TempDir, DirectoryMailbox) {
        let dir = tempfile::tempdir().expect("temp dir");
        fs::create_dir(dir.path().join("in")).expect("in");
        fs::create_dir(dir.path().join("out")).expect("out");
        let mailbox = DirectoryMailbox::open(dir.path()).expect("opens");
        (dir, mailbox)
    }

    #[tokio::test]
    async fn a_put_file_stands_whole_under_its_name_and_again_is_already() {
        let (dir, mailbox) = city();
        let source = dir.path().join("source");
        fs::write(&source, b"bytes").expect("written");
        assert_eq!(mailbox.put(&source, "A.zip.age").await.expect("placed"), Placed::Now);
        assert_eq!(mailbox.put(&source, "A.zip.age").await.expect("placed"), Placed::Already);
        let names: Vec<_> = fs::read_dir(dir.path().join("in")).expect("in").collect();
        assert_eq!(names.len(), 1, "no part is left");
        assert_eq!(fs::read(dir.path().join("in/A.zip.age")).expect("read"), b"bytes");
    }

    #[tokio::test]
    async fn a_put_file_never_replaces_another() {
        let (dir, mailbox) = city();
        let source = dir.path().join("source");
        fs::write(&source, b"mine").expect("written");
        fs::write(dir.path().join("in/A.zip"), b"another's").expect("written");
        let error = mailbox.put(&source, "A.zip").await.expect_err("refused");
        assert!(matches!(error, MailboxError::Refused { .. }), "{error}");
        assert_eq!(fs::read(dir.path().join("in/A.zip")).expect("read"), b"another's");
    }

    #[tokio::test]
    async fn a_part_left_linked_to_its_target_by_a_crash_does_not_harm_the_target() {
        let (dir, mailbox) = city();
        let source = dir.path().join("source");
        fs::write(&source, b"bytes").expect("written");
        mailbox.put(&source, "A.zip").await.expect("placed");
        let (_, digest) = sum::of_file(&source).expect("read");
        let part = dir.path().join("in").join(local::part_name("A.zip", &digest));
        fs::hard_link(dir.path().join("in/A.zip"), &part).expect("as after a crash");
        local::copy_durably(&dir.path().join("nothing"), &part).expect_err("source is missing");
        assert_eq!(fs::read(dir.path().join("in/A.zip")).expect("read"), b"bytes");
    }

    #[tokio::test]
    async fn fetch_brings_the_file_and_list_hides_parts() {
        let (dir, mailbox) = city();
        fs::write(dir.path().join("out/B.zip"), b"from the hub").expect("written");
        fs::write(dir.path().join("out/C.zip.1.part"), b"half").expect("written");
        assert_eq!(mailbox.list_out().await.expect("listed"), [Offered { name: "B.zip".into(), size: 12 }]);
        let dest = dir.path().join("B.fetched");
        assert_eq!(mailbox.fetch("B.zip", &dest).await.expect("fetched"), 12);
        assert_eq!(fs::read(&dest).expect("read"), b"from the hub");
        let escape = mailbox.fetch("../in/x", &dest).await.expect_err("refused");
        assert!(matches!(escape, MailboxError::Refused { .. }));
    }

    #[tokio::test]
    async fn wait_tells_a_new_file_once() {
        let (dir, mailbox) = city();
        assert!(mailbox.wait(Duration::ZERO).await.expect("waited"), "what came before is not known");
        assert!(!mailbox.wait(Duration::ZERO).await.expect("waited"));
        let out = dir.path().join("out/B.zip");
        let (woken, ()) = tokio::join!(mailbox.wait(Duration::from_secs(30)), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            fs::write(&out, b"new").expect("written");
        });
        assert!(woken.expect("waited"));
        fs::remove_file(&out).expect("removed");
        assert!(!mailbox.wait(Duration::ZERO).await.expect("waited"), "a deletion is no news");
    }

    #[test]
    fn of_a_full_disk_the_step_is_to_make_room() {
        let next = |kind: ErrorKind| MailboxError::of_io("mailbox-put", "in".to_owned(), kind.into()).next();
        assert!(next(ErrorKind::StorageFull).to_string().contains("Make room"));
        assert!(!next(ErrorKind::TimedOut).to_string().contains("room"));
    }

    #[test]
    fn a_folder_without_in_or_out_is_a_configuration_error() {
        let dir = tempfile::tempdir().expect("temp dir");
        let error = DirectoryMailbox::open(dir.path()).expect_err("not a mailbox");
        assert!(matches!(error, MailboxError::Config { .. }));
    }
}
