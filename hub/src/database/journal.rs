//! The hub's journal: one entry for everything that happened, in the transaction in which it happened; so are the
//! protocols.

use exchange_endpoint::{
    journal_table::{self, Event, HUB_TABLE},
    protocol::Protocol,
    protocol_table::{self, KeptProtocols},
};

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

    /// Hands the leaves of `limit` entries from `from` on, as the entries have them, to `each`, up to the first that was altered or is
    /// missing before others; which.
    pub fn journal_altered(&self, from: u64, limit: u32, each: impl FnMut(Digest)) -> Result<Option<u64>> {
        Ok(journal_table::altered(&self.db, HUB_TABLE, (from, limit), each)?)
    }

    /// Whether the journal begins with the entries of `tree`.
    pub fn journal_begins_with(&self, tree: &Tree) -> Result<bool> {
        Ok(journal_table::begins_with(&self.db, HUB_TABLE, tree)?)
    }

    /// Whether the journal says that it goes on after `tree`, as another.
    pub fn journal_is_begun_again(&self, tree: &Tree) -> Result<bool> {
        Ok(journal_table::is_begun_again(&self.db, HUB_TABLE, tree)?)
    }

    /// Numbers `protocol` and keeps it; its number.
    pub fn put_protocol(&self, protocol: &mut Protocol) -> Result<u32> {
        Ok(self.protocols().put(protocol)?)
    }

    /// The first protocol after number `after`, as JSON.
    pub fn next_protocol(&self, after: u32) -> Result<Option<Vec<u8>>> {
        Ok(self.protocols().next(after)?)
    }

    /// Whether [`Tx::clear_protocols`] is wanted.
    pub fn has_protocols_to_clear(&self, reached: (u32, u32)) -> Result<bool> {
        Ok(self.protocols().is_to_clear(reached)?)
    }

    /// Forgets the protocols that have their files.
    pub fn clear_protocols(&self, reached: (u32, u32)) -> Result<()> {
        Ok(self.protocols().clear(reached)?)
    }

    fn protocols(&self) -> KeptProtocols<'_> {
        KeptProtocols::new(&self.db, protocol_table::HUB_TABLE)
    }

    /// How many entries there are.
    pub fn journal_size(&self) -> Result<u64> {
        Ok(self.value("SELECT coalesce(max(n) + 1, 0) FROM journal", [])?.unwrap_or(0))
    }
}
