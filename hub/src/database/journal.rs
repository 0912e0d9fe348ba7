//! The hub's journal: one entry for everything that happened, in the transaction in which it happened.

use exchange_endpoint::journal_table::{self, Event, HUB_TABLE};

use exchange_format::{journal::Tree, position::Digest};

use super::{Result, Tx};

impl Tx<'_> {
    /// Enters `event`.
    pub fn journal(&self, event: &Event<'_>) -> Result<()> {
        journal_table::append(&self.db, HUB_TABLE, event)?;
        Ok(())
    }

    /// The leaves of the entries from `from` on.
    pub fn journal_leaves(&self, from: u64) -> Result<Vec<Digest>> {
        Ok(journal_table::leaves_from(&self.db, HUB_TABLE, from)?)
    }

    /// Whether the journal begins with the entries of `tree`.
    pub fn journal_begins_with(&self, tree: &Tree) -> Result<bool> {
        Ok(journal_table::begins_with(&self.db, HUB_TABLE, tree)?)
    }

    /// How many entries there are.
    pub fn journal_size(&self) -> Result<u64> {
        Ok(self.value("SELECT coalesce(max(n) + 1, 0) FROM journal", [])?.unwrap_or(0))
    }
}
