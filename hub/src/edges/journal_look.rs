//! Looking through the journal, slowly, beside everything else, round and round: each entry against its leaf, and the leaves against
//! the watermark. Entries that were altered past the program are told of (`JOURNAL_ALTERED`) as long as they are not right.

use exchange_format::{journal::Tree, stream::Stop};
use jiff::Timestamp;

use super::hub::{Hub, HubError};

/// The journal is not what was entered.
pub(super) const ALTERED: &str = "JOURNAL_ALTERED";
/// Entries that are looked at in a step.
const STEP: u32 = 2_000;

/// How far a round is.
#[derive(Debug)]
pub struct JournalLook {
    /// The entry that is looked at next.
    next: u64,
    /// The entries before that.
    tree: Tree,
    /// What the watermark knew of the journal when the round began.
    known: Tree,
    is_right: bool,
}

impl JournalLook {
    /// A round of `hub`'s journal.
    pub fn begin(hub: &Hub) -> Self {
        let known = hub.watermark.journal().clone();
        Self { next: 0, tree: Tree::default(), is_right: known.size() == 0, known }
    }

    /// Does the next step; whether the round is over.
    ///
    /// # Errors
    /// The database.
    pub fn step(&mut self, hub: &mut Hub, now: Timestamp) -> Result<bool, HubError> {
        let Self { next, tree, known, is_right } = self;
        let altered = hub.store.read(|tx| {
            tx.journal_altered(*next, STEP, |leaf| {
                tree.push(leaf);
                *is_right |= tree.size() == known.size() && tree == known;
            })
        })?;
        let reached = tree.size();
        let is_over = altered.is_some() || reached < *next + u64::from(STEP);
        *next = reached;
        if let Some(n) = altered {
            tracing::error!(n, "an entry of the journal was altered, or is gone");
        }
        if is_over {
            let is_whole = altered.is_none();
            let is_right =
                is_whole && (*is_right || hub.store.read(|tx| tx.journal_is_begun_again(known))?);
            tell(hub, is_right, is_whole, now)?;
        }
        Ok(is_over)
    }
}

/// The incident that the journal is not right begins, or ends. A journal that is whole, and not as the watermark knows it, is that of
/// an older database, where one was put back: until it is begun again that is said by `RESTORED`.
fn tell(hub: &mut Hub, is_right: bool, is_whole: bool, now: Timestamp) -> Result<(), HubError> {
    let code = hub.context.code;
    let (is_told, is_older) = hub.store.read(|tx| {
        let mut is_older = tx.streams(code)?.outgoing.stop.is_some();
        for centre in tx.centres()? {
            is_older |= tx.streams(centre.code)?.outgoing.stop == Some(Stop::Restored);
        }
        Ok::<_, HubError>((tx.has_incident(code, ALTERED)?, is_older))
    })?;
    let (at, is_excused) = (now.to_string(), is_right || is_whole && is_older);
    if is_right && is_told {
        hub.store.write(|tx| tx.close_incidents(code, ALTERED, &at).map(drop))?;
    } else if !is_excused && !is_told {
        hub.store.write(|tx| tx.add_incident(code, ALTERED, None, &at))?;
    }
    Ok(())
}
