//! Protocols in a participant's database. The transaction that does a thing puts its protocol there, so that there is
//! neither the one without the other; the files are made from it afterwards ([`crate::protocol::Protocols::keep_due`]). The
//! hub's table is `protocol`, a centre's `svod_protocol`.

use rusqlite::{Connection, OptionalExtension as _};

use crate::protocol::Protocol;
#[cfg(doc)]
use crate::protocol::Protocols;

/// The hub's table.
pub const HUB_TABLE: &str = "protocol";
/// A centre's table.
pub const CENTRE_TABLE: &str = "svod_protocol";

/// So many protocols that have their files stay in the table before they are cleared away all at once.
const STAY: u32 = 64;

/// The SQL script that makes `table`. For a fresh database; runs on SQLite 3.26 and later.
pub fn schema(table: &str) -> String {
    format!(
        "CREATE TABLE {table} (
  n INTEGER PRIMARY KEY NOT NULL, -- its number
  json BLOB                       -- NULL: nothing but the number, of a file that this database does not know
);
"
    )
}

/// The protocols of one database.
#[derive(Debug, Clone, Copy)]
pub struct KeptProtocols<'a> {
    db: &'a Connection,
    table: &'static str,
}

impl<'a> KeptProtocols<'a> {
    /// Those of `table` in `db`.
    pub fn new(db: &'a Connection, table: &'static str) -> Self {
        Self { db, table }
    }

    /// Numbers `protocol` and keeps it, within the transaction that does what it tells of; its number.
    pub fn put(&self, protocol: &mut Protocol) -> rusqlite::Result<u32> {
        debug_assert_eq!(protocol.miscounted(), None, "{:?} {:?}", protocol.packets, protocol.totals);
        protocol.number = self.newest()? + 1;
        let json = serde_json::to_vec(protocol).expect("plain values");
        let sql = format!("INSERT INTO {} (n, json) VALUES (?1, ?2)", self.table);
        self.db.prepare_cached(&sql)?.execute((protocol.number, json))?;
        Ok(protocol.number)
    }

    /// The first protocol after number `after`, as JSON.
    pub fn next(&self, after: u32) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql =
            format!("SELECT json FROM {} WHERE n > ?1 AND json IS NOT NULL ORDER BY n LIMIT 1", self.table);
        self.db.prepare_cached(&sql)?.query_row([after], |row| row.get(0)).optional()
    }

    /// Whether [`KeptProtocols::clear`] is wanted, files having reached as far as [`Protocols::reached`] says: much has its
    /// files by now, or the newest file is one that this database does not know. Then an older database was put back, and
    /// its numbers go on behind that file.
    pub fn is_to_clear(&self, (_, newest): (u32, u32)) -> rusqlite::Result<bool> {
        let sql = format!("SELECT count(*) FROM {}", self.table);
        let count: u32 = self.db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
        Ok(count > STAY || newest > self.newest()?)
    }

    /// Forgets what has its files; the number of the newest file stays known.
    pub fn clear(&self, (made, newest): (u32, u32)) -> rusqlite::Result<()> {
        let sql = format!("DELETE FROM {0} WHERE n <= ?1 AND n < (SELECT max(n) FROM {0})", self.table);
        self.db.prepare_cached(&sql)?.execute([made])?;
        if newest > self.newest()? {
            let sql = format!("INSERT INTO {} (n) VALUES (?1)", self.table);
            self.db.prepare_cached(&sql)?.execute([newest])?;
        }
        Ok(())
    }

    fn newest(&self) -> rusqlite::Result<u32> {
        let sql = format!("SELECT coalesce(max(n), 0) FROM {}", self.table);
        self.db.prepare_cached(&sql)?.query_row([], |row| row.get(0))
    }
}
