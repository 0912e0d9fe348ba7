//! Which peers were told our next keys, in a participant's database. The hub's table is `key_told`, a centre's
//! `svod_key_told`.

use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::request_table::RequestError;

/// The hub's table.
pub const HUB_TABLE: &str = "key_told";
/// A centre's table.
pub const CENTRE_TABLE: &str = "svod_key_told";

/// The SQL script that makes `table`. For a fresh database; runs on SQLite 3.26 and later.
pub fn schema(table: &str) -> String {
    format!(
        "CREATE TABLE {table} (
  peer TEXT NOT NULL,
  fingerprint TEXT NOT NULL,     -- of the card that it was told
  packet TEXT NOT NULL,          -- the name of the KY
  at TEXT NOT NULL,
  answer TEXT,                   -- taken · refused; NULL while there is none
  PRIMARY KEY (peer, fingerprint)
) WITHOUT ROWID;
"
    )
}

/// What became of a KY of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KyState {
    /// It has no PR.
    Open,
    /// The peer has the new keys.
    Taken,
    /// The peer goes on with the old ones.
    Refused,
}

impl KyState {
    /// Its word in databases and `--format json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Taken => "taken",
            Self::Refused => "refused",
        }
    }
}

/// Who was told, of one database.
#[derive(Debug, Clone, Copy)]
pub struct KeysTellings<'a> {
    db: &'a Connection,
    table: &'static str,
}

impl<'a> KeysTellings<'a> {
    /// Those of `table` in `db`.
    pub fn new(db: &'a Connection, table: &'static str) -> Self {
        Self { db, table }
    }

    /// Notes that the KY called `packet` tells `peer` the card of this fingerprint.
    pub fn tell(
        &self,
        peer: ParticipantCode,
        fingerprint: &str,
        packet: &str,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let sql =
            format!("INSERT INTO {} (peer, fingerprint, packet, at) VALUES (?1, ?2, ?3, ?4)", self.table);
        self.db.prepare_cached(&sql)?.execute(params![
            peer.as_str(),
            fingerprint,
            packet,
            now.to_string()
        ])?;
        Ok(())
    }

    /// What became of the KY that told `peer` the card of this fingerprint, and its name; `None` if it was not told.
    pub fn told(
        &self,
        peer: ParticipantCode,
        fingerprint: &str,
    ) -> Result<Option<(KyState, String)>, RequestError> {
        let sql = format!("SELECT answer, packet FROM {} WHERE peer = ?1 AND fingerprint = ?2", self.table);
        let found: Option<(Option<String>, String)> = self
            .db
            .prepare_cached(&sql)?
            .query_row([peer.as_str(), fingerprint], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((answer, packet)) = found else { return Ok(None) };
        let state = match answer.as_deref() {
            None => KyState::Open,
            Some("taken") => KyState::Taken,
            Some("refused") => KyState::Refused,
            Some(_) => return Err(RequestError::Damaged("answer")),
        };
        Ok(Some((state, packet)))
    }

    /// The PR of our KY called `packet` has come.
    pub fn answered(&self, packet: &str, state: KyState) -> Result<(), RequestError> {
        let sql = format!("UPDATE {} SET answer = ?2 WHERE packet = ?1", self.table);
        self.db.prepare_cached(&sql)?.execute([packet, state.word()])?;
        Ok(())
    }

    /// How many peers have refused the card of this fingerprint, and since when the first of them was told it.
    ///
    /// # Errors
    /// SQLite's.
    pub fn refused(&self, fingerprint: &str) -> Result<(u64, Option<String>), RequestError> {
        let sql = format!(
            "SELECT count(*), min(at) FROM {} WHERE answer = 'refused' AND fingerprint = ?1",
            self.table
        );
        let found =
            self.db.prepare_cached(&sql)?.query_row([fingerprint], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found)
    }

    /// What was refused is to be told again; how many peers.
    pub fn forget_refused(&self) -> Result<usize, RequestError> {
        let sql = format!("DELETE FROM {} WHERE answer = 'refused'", self.table);
        Ok(self.db.prepare_cached(&sql)?.execute([])?)
    }

    /// `peer` was enrolled anew: what was told before was told to another machine.
    pub fn forget(&self, peer: ParticipantCode) -> Result<(), RequestError> {
        let sql = format!("DELETE FROM {} WHERE peer = ?1", self.table);
        self.db.prepare_cached(&sql)?.execute([peer.as_str()])?;
        Ok(())
    }
}
