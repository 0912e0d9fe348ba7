//! Requests in a participant's database: those that it has made, until they are over, and the ids of those that it has
//! honoured, for ever. The hub's table is `request`, a centre's `svod_request`.

use exchange_format::{
    answer::Missing,
    packet::Nonce,
    participant::ParticipantCode,
    position::{Epoch, Mark, Position, Seq},
    stream::{Asked, Lack},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::messages::{self, Lang};

/// The hub's table.
pub const HUB_TABLE: &str = "request";
/// A centre's table.
pub const CENTRE_TABLE: &str = "svod_request";

/// Why a request was not kept or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The database.
    #[error("requests: {0}")]
    Database(#[from] rusqlite::Error),
    /// A value that this program cannot have written.
    #[error("requests: {0} cannot be read")]
    Damaged(&'static str),
}

/// The SQL script that makes `table`. For a fresh database; runs on SQLite 3.26 and later.
pub fn schema(table: &str) -> String {
    format!(
        "CREATE TABLE {table} (
  id TEXT PRIMARY KEY NOT NULL,  -- the nonce of the RQ
  direction TEXT NOT NULL,       -- out: made here · in: made by the peer
  peer TEXT NOT NULL,
  asks TEXT NOT NULL,            -- packets · snapshot · range_digests · range_reply; in also: restored, a snapshot for that
  epoch INTEGER, first INTEGER, last INTEGER,
  cause TEXT,                    -- of a snapshot; of ranges the digest of the packet after which they are compared
  attempts INTEGER NOT NULL DEFAULT 0,
  at TEXT NOT NULL,
  next_at TEXT,                  -- out: when it is placed (again); NULL when it is over
  packet TEXT,                   -- out: the name of its RQ
  opened INTEGER                 -- in: the epoch of the snapshot that it got, NULL as long as it waits; out, of cause restored: of the one that has come
) WITHOUT ROWID;
CREATE INDEX {table}_in_force ON {table} (peer) WHERE next_at IS NOT NULL;
"
    )
}

/// Requests of one database.
#[derive(Debug, Clone, Copy)]
pub struct Requests<'a> {
    db: &'a Connection,
    table: &'static str,
}

/// A request of ours that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// What and when.
    pub asked: Asked,
    /// The name of its RQ.
    pub packet: String,
}

/// A request of ours that is in force, for `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenRequest {
    /// Of whom.
    pub peer: String,
    /// `packets`, `snapshot` or `range_digests`.
    pub asks: String,
    /// Of packets, and of the packet after which ranges are compared.
    pub epoch: Option<u64>,
    /// The first packet.
    pub first: Option<u64>,
    /// The last.
    pub last: Option<u64>,
    /// Why a snapshot.
    pub cause: Option<String>,
    /// When it was asked.
    pub since: String,
    /// Seconds since then.
    pub age_s: u64,
    /// How often it was placed.
    pub attempts: u32,
    /// When it is asked again.
    pub next_at: String,
}

impl OpenRequest {
    /// A line of `status`.
    pub fn text(&self, lang: Lang) -> String {
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let args = [
            ("peer", self.peer.clone().into()),
            ("epoch", number(self.epoch).into()),
            ("first", number(self.first).into()),
            ("last", number(self.last).into()),
            ("since", messages::stored_moment(lang, &self.since).into()),
            ("minutes", (self.age_s / 60).into()),
            ("next", messages::stored_moment(lang, &self.next_at).into()),
        ];
        let id = match (self.asks.as_str(), self.first == self.last) {
            ("snapshot", _) => "request-snapshot",
            ("range_digests", _) => "request-ranges",
            (_, true) => "request-packet",
            _ => "request-packets",
        };
        messages::text(lang, id, &args)
    }
}

impl<'a> Requests<'a> {
    /// Those of `table` in `db`.
    pub fn new(db: &'a Connection, table: &'static str) -> Self {
        Self { db, table }
    }

    /// Our requests to `peer` that are in force.
    pub fn in_force(&self, peer: ParticipantCode) -> Result<Vec<InForce>, RequestError> {
        let sql = format!(
            "SELECT * FROM {} WHERE peer = ?1 AND direction = 'out' AND next_at IS NOT NULL ORDER BY at, id",
            self.table
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query([peer.as_str()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(InForce { asked: asked(row)?, packet: row.get("packet")? });
        }
        Ok(found)
    }

    /// What is asked of everybody and has not come.
    pub fn open(&self, now: Timestamp) -> Result<Vec<OpenRequest>, RequestError> {
        let sql = format!(
            "SELECT peer, asks, epoch, first, last, cause, at, attempts, next_at FROM {}
             WHERE direction = 'out' AND next_at IS NOT NULL AND asks <> 'range_reply' ORDER BY at, id",
            self.table
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let since: String = row.get(6)?;
            let asked: Timestamp = since.parse().map_err(|_| RequestError::Damaged("at"))?;
            let asks: String = row.get(1)?;
            let cause: Option<String> = row.get(5)?;
            found.push(OpenRequest {
                peer: row.get(0)?,
                cause: cause.filter(|_| asks == "snapshot"),
                asks,
                epoch: row.get(2)?,
                first: row.get(3)?,
                last: row.get(4)?,
                age_s: now.duration_since(asked).as_secs().max(0).unsigned_abs(),
                since,
                attempts: row.get(7)?,
                next_at: row.get(8)?,
            });
        }
        Ok(found)
    }

    /// Keeps a request of ours, or where it stands now; `packet` is the name of its RQ.
    pub fn keep(
        &self,
        peer: ParticipantCode,
        asked: &Asked,
        packet: &str,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let at = |mark: Mark| {
            let Position { epoch, seq } = mark.position;
            (Missing::new(epoch, seq, seq), Some(mark.digest.to_string()))
        };
        let (asks, (missing, cause)) = match asked.lack {
            Lack::Packets(missing) => ("packets", (Some(missing), None)),
            Lack::Snapshot(cause) => ("snapshot", (None, Some(cause.to_string()))),
            Lack::Ranges(mark) => ("range_digests", at(mark)),
            Lack::Nothing(mark) => ("range_reply", at(mark)),
        };
        // each try for packets is a request of its own: what waits has waited since the first
        let since = format!(
            "(SELECT min(at) FROM {} WHERE direction = 'out' AND peer = ?2 AND asks = ?3 AND ?3 = 'packets' \
             AND epoch = ?4 AND first <= ?6 AND last >= ?5)",
            self.table
        );
        let sql = format!(
            "INSERT INTO {} (id, direction, peer, asks, epoch, first, last, cause, attempts, at, next_at, packet)
             VALUES (?1, 'out', ?2, ?3, ?4, ?5, ?6, ?7, ?8, coalesce({since}, ?9), ?10, ?11)
             ON CONFLICT (id) DO UPDATE SET attempts = excluded.attempts, next_at = excluded.next_at,
               packet = excluded.packet",
            self.table
        );
        self.db.prepare_cached(&sql)?.execute(params![
            asked.id.to_string(),
            peer.as_str(),
            asks,
            missing.map(|missing| missing.epoch().get()),
            missing.map(|missing| missing.first().get()),
            missing.map(|missing| missing.last().get()),
            cause,
            asked.attempts,
            now.to_string(),
            asked.next_at.to_string(),
            packet,
        ])?;
        Ok(())
    }

    /// The request `id` of ours is over.
    pub fn end(&self, id: Nonce) -> Result<(), RequestError> {
        let sql = format!("UPDATE {} SET next_at = NULL WHERE id = ?1 AND direction = 'out'", self.table);
        self.db.prepare_cached(&sql)?.execute([id.to_string()])?;
        Ok(())
    }

    /// Whether the peer's request `id` was honoured before; if by a snapshot, by that of which epoch.
    pub fn honoured(&self, peer: ParticipantCode, id: Nonce) -> Result<Option<Option<Epoch>>, RequestError> {
        let sql =
            format!("SELECT opened FROM {} WHERE id = ?1 AND peer = ?2 AND direction = 'in'", self.table);
        let mut statement = self.db.prepare_cached(&sql)?;
        let found: Option<Option<u64>> =
            statement.query_row([&id.to_string(), peer.as_str()], |row| row.get(0)).optional()?;
        let epoch = |number: u64| Epoch::new(number).map_err(|_| RequestError::Damaged("opened"));
        found.map(|number| number.map(epoch).transpose()).transpose()
    }

    /// The request of ours whose RQ is called `packet` is over.
    pub fn end_of(&self, packet: &str) -> Result<(), RequestError> {
        let sql = format!("UPDATE {} SET next_at = NULL WHERE packet = ?1 AND direction = 'out'", self.table);
        self.db.prepare_cached(&sql)?.execute([packet])?;
        Ok(())
    }

    /// Whether the RQ of ours called `packet` is of a request in force.
    pub fn is_in_force(&self, packet: &str) -> Result<bool, RequestError> {
        let sql =
            format!("SELECT EXISTS (SELECT 1 FROM {} WHERE packet = ?1 AND next_at IS NOT NULL)", self.table);
        Ok(self.db.prepare_cached(&sql)?.query_row([packet], |row| row.get(0))?)
    }

    /// The peer's snapshot of `epoch` has come, which names the request `id` of ours: it is over. False if `id` is none made after
    /// a restore.
    pub fn answered_after_restore(&self, id: Nonce, epoch: Epoch) -> Result<bool, RequestError> {
        let sql = format!(
            "UPDATE {} SET opened = ?2, next_at = NULL WHERE id = ?1 AND direction = 'out' AND cause = 'restored'",
            self.table
        );
        Ok(self.db.prepare_cached(&sql)?.execute(params![id.to_string(), epoch.get()])? > 0)
    }

    /// The epoch of the snapshot of `peer` with which this database is to be compared after a restore.
    pub fn compared_with(&self, peer: ParticipantCode) -> Result<Option<Epoch>, RequestError> {
        self.latest_opened("direction = 'out' AND cause = 'restored'", peer)
    }

    /// The epoch of the last snapshot that told `peer` what it had lost by a restore.
    pub fn told_after_restore(&self, peer: ParticipantCode) -> Result<Option<Epoch>, RequestError> {
        self.latest_opened("direction = 'in' AND asks = 'restored'", peer)
    }

    fn latest_opened(&self, which: &str, peer: ParticipantCode) -> Result<Option<Epoch>, RequestError> {
        let sql = format!("SELECT max(opened) FROM {} WHERE peer = ?1 AND {which}", self.table);
        let found: Option<u64> =
            self.db.prepare_cached(&sql)?.query_row([peer.as_str()], |row| row.get(0))?;
        found.map(|epoch| Epoch::new(epoch).map_err(|_| RequestError::Damaged("opened"))).transpose()
    }

    /// Whether the request `id` of ours is for a snapshot because the sums of a stream differ.
    pub fn is_of_divergence(&self, id: Nonce) -> Result<bool, RequestError> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {} WHERE id = ?1 AND direction = 'out' AND cause = 'divergence')",
            self.table
        );
        Ok(self.db.prepare_cached(&sql)?.query_row([id.to_string()], |row| row.get(0))?)
    }

    /// The requests of `peer` for a snapshot that are known and have got none yet.
    pub fn waiting(&self, peer: ParticipantCode) -> Result<Vec<Nonce>, RequestError> {
        let sql = format!(
            "SELECT id FROM {} WHERE peer = ?1 AND direction = 'in' AND asks = 'snapshot' AND opened IS NULL",
            self.table
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let found = statement.query_map([peer.as_str()], |row| row.get::<_, String>(0))?;
        found.map(|id| id?.parse().map_err(|()| RequestError::Damaged("id"))).collect()
    }

    /// What came of `peer` after a restore is compared: another restore is a matter of another snapshot.
    pub fn forget_compared(&self, peer: ParticipantCode) -> Result<(), RequestError> {
        let sql = format!(
            "UPDATE {} SET opened = NULL WHERE peer = ?1 AND direction = 'out' AND cause = 'restored'",
            self.table
        );
        self.db.prepare_cached(&sql)?.execute([peer.as_str()])?;
        Ok(())
    }

    /// Notes that the peer's request `id` is honoured, by the snapshot of the epoch `opened` if it asked for one; again, by another,
    /// where the former was superseded before it was answered.
    pub fn honour(
        &self,
        peer: ParticipantCode,
        id: Nonce,
        asks: &str,
        opened: Option<Epoch>,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let sql = format!(
            "INSERT INTO {} (id, direction, peer, asks, at, opened) VALUES (?1, 'in', ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET opened = coalesce(excluded.opened, opened)",
            self.table
        );
        let opened = opened.map(Epoch::get);
        let at = now.to_string();
        self.db.prepare_cached(&sql)?.execute(params![id.to_string(), peer.as_str(), asks, at, opened])?;
        Ok(())
    }
}

fn asked(row: &Row<'_>) -> Result<Asked, RequestError> {
    let text = |column: &'static str| -> Result<String, RequestError> {
        row.get::<_, Option<String>>(column)?.ok_or(RequestError::Damaged(column))
    };
    let lack = match text("asks")?.as_str() {
        "packets" => Lack::Packets(missing(row)?),
        "snapshot" => Lack::Snapshot(text("cause")?.parse().map_err(|()| RequestError::Damaged("cause"))?),
        "range_digests" => Lack::Ranges(mark(row, &text("cause")?)?),
        "range_reply" => Lack::Nothing(mark(row, &text("cause")?)?),
        _ => return Err(RequestError::Damaged("asks")),
    };
    Ok(Asked {
        id: text("id")?.parse().map_err(|()| RequestError::Damaged("id"))?,
        lack,
        attempts: row.get("attempts")?,
        next_at: text("next_at")?.parse().map_err(|_| RequestError::Damaged("next_at"))?,
    })
}

fn mark(row: &Row<'_>, digest: &str) -> Result<Mark, RequestError> {
    let one = missing(row)?;
    let position = Position { epoch: one.epoch(), seq: one.first() };
    Ok(Mark { position, digest: digest.parse().map_err(|_| RequestError::Damaged("cause"))? })
}

fn missing(row: &Row<'_>) -> Result<Missing, RequestError> {
    let number = |column: &'static str| row.get::<_, Option<u64>>(column).map(Option::unwrap_or_default);
    let (epoch, first, last) = (number("epoch")?, number("first")?, number("last")?);
    let found = Epoch::new(epoch).ok().zip(Seq::new(first).ok()).zip(Seq::new(last).ok());
    found
        .and_then(|((epoch, first), last)| Missing::new(epoch, first, last))
        .ok_or(RequestError::Damaged("epoch, first, last"))
}

#[cfg(test)]
mod tests {
    use exchange_format::{answer::SnapshotCause, position::Digest};

    use super::*;

    #[test]
    fn a_request_is_in_force_until_it_is_over_and_is_honoured_once() {
        let db = Connection::open_in_memory().expect("memory");
        db.execute_batch(&schema(HUB_TABLE)).expect("made");
        let requests = Requests::new(&db, HUB_TABLE);
        let (peer, other) = (ParticipantCode::new(42, 1), ParticipantCode::new(42, 2));
        let (epoch, seq) = (Epoch::FIRST, Seq::new(4).expect("small"));
        let gap = Lack::Packets(Missing::new(epoch, seq, seq).expect("one"));
        let now = Timestamp::UNIX_EPOCH;
        let mut first = Asked::new(Nonce([1; 16]), gap, now);
        let second = Asked::new(Nonce([2; 16]), Lack::Snapshot(SnapshotCause::Divergence), now);
        requests.keep(peer, &first, "a name", now).expect("kept");
        requests.keep(peer, &second, "another", now).expect("kept");
        first.attempts = 1;
        requests.keep(peer, &first, "a name", now).expect("kept");
        let later = now + jiff::SignedDuration::from_mins(3);
        let told: Vec<String> =
            requests.open(later).expect("told").iter().map(|one| one.text(Lang::En)).collect();
        assert!(told[0].contains("1/4") && told[0].contains("3 min"), "{told:?}");
        assert_eq!(told.len(), 2);
        // the next try is another request for what is still missing
        let again = Asked::new(Nonce([9; 16]), gap, later);
        requests.keep(peer, &again, "the next", later).expect("kept");
        requests.end(first.id).expect("over");
        let open = requests.open(later).expect("told");
        assert_eq!(
            open.iter().filter(|one| one.asks == "packets" && one.age_s == 180).count(),
            1,
            "{open:?}"
        );
        requests.end(again.id).expect("over");
        requests.keep(peer, &first, "a name", now).expect("kept");
        let mark = Mark { position: Position { epoch, seq }, digest: Digest::of(b"a manifest") };
        for (id, lack) in [([5; 16], Lack::Ranges(mark)), ([6; 16], Lack::Nothing(mark))] {
            let asked = Asked::new(Nonce(id), lack, now);
            requests.keep(other, &asked, "ranges", now).expect("kept");
            assert!(
                requests
                    .in_force(other)
                    .expect("read")
                    .contains(&InForce { asked, packet: "ranges".to_owned() })
            );
        }
        assert_eq!(requests.open(later).expect("told").len(), 3, "a reply asks nothing");
        requests.end_of("ranges").expect("over");
        let found = requests.in_force(peer).expect("read");
        assert_eq!(
            found,
            [
                InForce { asked: first, packet: "a name".to_owned() },
                InForce { asked: second, packet: "another".to_owned() }
            ]
        );
        assert_eq!(requests.in_force(other).expect("read"), []);
        requests.end(first.id).expect("ended");
        assert_eq!(requests.in_force(peer).expect("read").len(), 1);
        assert_eq!(
            ["a name", "another"].map(|name| requests.is_in_force(name).expect("read")),
            [false, true]
        );
        requests.end_of("another").expect("ended");
        assert_eq!(requests.in_force(peer).expect("read"), []);

        let id = Nonce([3; 16]);
        assert_eq!(requests.honoured(peer, id).expect("read"), None);
        requests.honour(peer, id, "snapshot", Some(epoch), now).expect("noted");
        assert_eq!(requests.honoured(peer, id).expect("read"), Some(Some(epoch)));
        assert_eq!(requests.honoured(other, id).expect("read"), None);
    }

    #[test]
    fn a_request_after_a_restore_is_remembered_until_it_is_compared() {
        let db = Connection::open_in_memory().expect("memory");
        db.execute_batch(&schema(CENTRE_TABLE)).expect("made");
        let requests = Requests::new(&db, CENTRE_TABLE);
        let (peer, now) = (ParticipantCode::new(42, 1), Timestamp::UNIX_EPOCH);
        let epoch = |n| Epoch::new(n).expect("small");
        for (id, cause) in [([1; 16], SnapshotCause::Restored), ([2; 16], SnapshotCause::Operator)] {
            requests.keep(peer, &Asked::new(Nonce(id), Lack::Snapshot(cause), now), "rq", now).expect("kept");
        }
        assert!(!requests.answered_after_restore(Nonce([2; 16]), epoch(3)).expect("noted"));
        assert_eq!(requests.compared_with(peer).expect("read"), None);
        assert!(requests.answered_after_restore(Nonce([1; 16]), epoch(3)).expect("noted"));
        assert_eq!(requests.compared_with(peer).expect("read"), Some(epoch(3)));
        assert_eq!(requests.in_force(peer).expect("read").len(), 1);
        requests.forget_compared(peer).expect("forgotten");
        assert_eq!(requests.compared_with(peer).expect("read"), None);
        assert_eq!(requests.told_after_restore(peer).expect("read"), None);
        requests.honour(peer, Nonce([4; 16]), "restored", Some(epoch(5)), now).expect("noted");
        requests.honour(peer, Nonce([5; 16]), "snapshot", Some(epoch(6)), now).expect("noted");
        assert_eq!(requests.told_after_restore(peer).expect("read"), Some(epoch(5)));
    }
}
