//! Files from the mailbox: what is new in `out` is brought here, one after the other, and admitted.

use std::{collections::BTreeMap, fs, mem, path::Path};

use exchange_endpoint::{
    mailbox::{Mailbox, MailboxError, Offered},
    stray::loggable,
};
use exchange_format::{
    file_name::{FileName, PacketKind},
    position::Digest,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    SpokeError,
    admit::{self, Admitted},
    answers,
    station::Station,
};
use crate::database::{
    book,
    write::{self, Scope},
};

/// What gathering files are called.
const GATHERING: &str = "fetch-";

/// When files are looked at again that were seen before: those that were not accepted may have been damaged on the way; of
/// those that were, the hub may not have our answers.
#[derive(Debug, Default)]
pub struct SecondLook {
    /// By name: when next, and how often it was seen.
    seen: BTreeMap<String, (Timestamp, u32)>,
    /// Whether what fetches that were cut short have left was looked through.
    swept: bool,
}

impl SecondLook {
    fn is_due(&self, name: &str, now: Timestamp) -> bool {
        // a clock that was set back keeps nothing waiting
        let longest = now.saturating_add(SignedDuration::from_mins(65)).unwrap_or(Timestamp::MAX);
        self.seen.get(name).is_none_or(|(at, _)| *at <= now || *at > longest)
    }

    fn later(&mut self, name: &str, now: Timestamp) {
        let (at, tries) = self.seen.entry(name.to_owned()).or_insert((now, 0));
        let minutes = 1_i64 << (*tries).min(6);
        *at = now.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX);
        *tries += 1;
    }

    /// Once: removes what a fetch left behind that was cut short, unless the file is still offered.
    fn sweep(&mut self, spool: &Path, offered: &[Offered]) -> Result<(), SpokeError> {
        if mem::replace(&mut self.swept, true) {
            return Ok(());
        }
        let wanted: Vec<String> = offered.iter().map(|file| gathering(&file.name)).collect();
        for entry in fs::read_dir(spool).map_err(SpokeError::io(spool))? {
            let entry = entry.map_err(SpokeError::io(spool))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(GATHERING) && !wanted.iter().any(|wanted| name.starts_with(wanted)) {
                fs::remove_file(entry.path()).map_err(SpokeError::io(entry.path()))?;
            }
        }
        Ok(())
    }
}

/// What a round of fetching did.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Each file and what became of it.
    pub files: Vec<(String, Admitted)>,
    /// Why the rest was not brought.
    pub failed: Option<MailboxError>,
}

/// Brings and admits what is new in `out`.
///
/// # Errors
/// The database or the disk. That the mailbox does not answer is in the result.
pub async fn fetch(
    station: &mut Station,
    mailbox: &dyn Mailbox,
    second_look: &mut SecondLook,
    now: Timestamp,
) -> Result<Fetched, SpokeError> {
    let mut result = Fetched::default();
    let offered = match mailbox.list_out().await {
        Ok(offered) => offered,
        Err(error) => {
            result.failed = Some(error);
            return Ok(result);
        }
    };
    second_look.seen.retain(|name, _| offered.iter().any(|file| file.name == *name));
    second_look.sweep(&station.spool(), &offered)?;
    let (mut names, mut known) = (Vec::new(), Vec::new());
    for name in offered.into_iter().map(|file| file.name).filter(|name| second_look.is_due(name, now)) {
        let is_request = || name.parse::<FileName>().is_ok_and(|name| name.kind == PacketKind::Request);
        match book::in_state(&station.connection, &name)?.as_deref() {
            None | Some("QUARANTINED") => names.push(name),
            // it stands there until the hub has what it asks for (S4)
            Some(_) if is_request() => names.push(name),
            Some(_) => known.push(name),
        }
    }
    answer_again(station, known, second_look, now)?;
    // By position, so that a stream that fell behind is applied in its order and nothing is held in vain; what is no
    // packet comes last.
    let place = |name: &String| name.parse::<FileName>().ok().map(|n| (n.position, n.kind));
    names.sort_by_key(|name| (place(name).is_none(), place(name)));
    for name in names {
        let path = station.spool().join(gathering(&name));
        if let Err(error) = mailbox.fetch(&name, &path).await {
            let dead = error.is_temporary();
            if place(&name).is_some() {
                tracing::warn!(file = name, %error, "not fetched");
                result.failed = Some(error);
            } else {
                // nothing of the hub's; and the error may repeat the name
                tracing::warn!(file = loggable(&name), "not fetched");
            }
            if dead {
                break;
            }
            continue;
        }
        let admitted = tokio::task::block_in_place(|| admit::admit(station, &name, &path, now));
        // It is in the archive or the quarantine now, or will be brought again.
        let _ = fs::remove_file(&path);
        let admitted = admitted?;
        second_look.later(&name, now);
        tracing::info!(file = loggable(&name), ?admitted, "admitted");
        result.files.push((name, admitted));
    }
    Ok(result)
}

/// Of packets that stand in `out` though they were taken, the hub lacks our answers: they were lost on the way, and the hub has
/// placed the packet again for them (F4). They are placed once more.
fn answer_again(
    station: &mut Station,
    known: Vec<String>,
    second_look: &mut SecondLook,
    now: Timestamp,
) -> Result<(), SpokeError> {
    let (hub, mut taken) = (station.hub(), Vec::new());
    for name in known {
        let Some(parsed) = name.parse::<FileName>().ok().filter(|name| name.kind.is_numbered()) else {
            continue;
        };
        let at = parsed.position;
        let same_place = book::received(&station.connection, hub, at.epoch, Some(at.seq))?;
        taken.extend(same_place.into_iter().find(|file| file.name == name).map(|file| file.arrival.mark));
        second_look.later(&name, now);
    }
    if taken.is_empty() {
        return Ok(());
    }
    write::write(&mut station.connection, Scope::Book, |transaction| {
        taken.iter().try_for_each(|mark| answers::repeat(transaction, *mark, now))
    })
}

/// Where a file gathers; by a digest of its name, so that a cut fetch continues with the same file.
fn gathering(name: &str) -> String {
    format!("{GATHERING}{}", Digest::of(name.as_bytes()).prefix())
}
