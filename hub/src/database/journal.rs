//! The hub's journal: one entry for everything that happened, in the transaction in which it happened.

use exchange_endpoint::journal_table::{self, Event, HUB_TABLE};

use super::{Result, Tx};

impl Tx<'_> {
    /// Enters `event`.
    pub fn journal(&self, event: &Event<'_>) -> Result<()> {
        journal_table::append(&self.db, HUB_TABLE, event)?;
        Ok(())
    }

    /// How many entries there are.
    pub fn journal_size(&self) -> Result<u64> {
        Ok(self.value("SELECT coalesce(max(n) + 1, 0) FROM journal", [])?.unwrap_or(0))
    }
}
