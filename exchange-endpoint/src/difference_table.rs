//! The records in which the two pictures of a stream were found to differ last, in a participant's database: for staff,
//! until the snapshot that mends it is here, and afterwards for who asks what it was. The hub's table is `difference`, a
//! centre's `svod_difference`.

use exchange_format::{
    answer::{Difference, Listed},
    participant::ParticipantCode,
};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::{
    messages::{self, Lang},
    request_table::RequestError,
};

/// The hub's table.
pub const HUB_TABLE: &str = "difference";
/// A centre's table.
pub const CENTRE_TABLE: &str = "svod_difference";
/// So many are kept.
const KEPT: usize = 1000;
/// So many are told.
const TOLD: u32 = 20;

/// The SQL script that makes `table`. For a fresh database; runs on SQLite 3.26 and later.
pub fn schema(table: &str) -> String {
    format!(
        "CREATE TABLE {table} (
  peer TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  here TEXT,                     -- version, form and 16 digits of the hash; NULL: it is not here
  there TEXT,
  at TEXT NOT NULL,
  PRIMARY KEY (peer, kind, key)
) WITHOUT ROWID;
"
    )
}

/// A record that the two ends did not hold alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferenceTold {
    /// The other end.
    pub peer: String,
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// `VERSION FORM HASH`, as it is here.
    pub here: Option<String>,
    /// As it is there.
    pub there: Option<String>,
}

impl DifferenceTold {
    fn text(&self, lang: Lang) -> String {
        let side = |side: &Option<String>| {
            side.clone().unwrap_or_else(|| messages::text(lang, "difference-none", &[]))
        };
        let args = [
            ("kind", messages::word(lang, "kind", &self.kind).into()),
            ("key", self.key.clone().into()),
            ("here", side(&self.here).into()),
            ("there", side(&self.there).into()),
        ];
        messages::text(lang, "difference-line", &args)
    }
}

/// Lines of `status` that tell `differences`.
pub fn lines(lang: Lang, differences: &[DifferenceTold]) -> Vec<String> {
    let mut lines = Vec::new();
    if !differences.is_empty() {
        lines.push(messages::text(lang, "difference-heading", &[("n", differences.len().into())]));
        lines.extend(differences.iter().map(|one| one.text(lang)));
    }
    lines
}

/// Differences of one database.
#[derive(Debug, Clone, Copy)]
pub struct Differences<'a> {
    db: &'a Connection,
    table: &'static str,
}

impl<'a> Differences<'a> {
    /// Those of `table` in `db`.
    pub fn new(db: &'a Connection, table: &'static str) -> Self {
        Self { db, table }
    }

    /// A new look at the pictures of `peer` begins.
    pub fn begin(&self, peer: ParticipantCode) -> Result<(), RequestError> {
        let sql = format!("DELETE FROM {} WHERE peer = ?1", self.table);
        self.db.prepare_cached(&sql)?.execute([peer.as_str()])?;
        Ok(())
    }

    /// Keeps the first of what was found.
    pub fn keep(
        &self,
        peer: ParticipantCode,
        found: &[Difference],
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let side = |listed: &Listed| {
            format!("{} {} {}", listed.version, listed.form, &listed.hash.to_string()[..16])
        };
        let sql = format!(
            "INSERT OR REPLACE INTO {} (peer, kind, key, here, there, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            self.table
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        for Difference { kind, key, own, theirs } in found.iter().take(KEPT) {
            let (here, there) = (own.as_ref().map(side), theirs.as_ref().map(side));
            let (key, at) = (key.to_string(), now.to_string());
            statement.execute(params![peer.as_str(), kind.name(), key, here, there, at])?;
        }
        Ok(())
    }

    /// The first of what was found with `peer`.
    pub fn told(&self, peer: &str) -> Result<Vec<DifferenceTold>, RequestError> {
        let sql = format!(
            "SELECT peer, kind, key, here, there FROM {} WHERE peer = ?1 ORDER BY kind, key LIMIT {TOLD}",
            self.table
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let found = statement.query_map([peer], |row| {
            Ok(DifferenceTold {
                peer: row.get(0)?,
                kind: row.get(1)?,
                key: row.get(2)?,
                here: row.get(3)?,
                there: row.get(4)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}
