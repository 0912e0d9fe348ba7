//! Whether somebody who is not Svod has written into the database (ADR 31). SQLite tells a connection that another one has committed.
//! Each transaction of ours that writes counts itself in `written`, but for those of the connection that watches: where another
//! one has committed and the count stands still, it was a stranger.

use rusqlite::Connection;

use super::{DatabaseError, Result, Store};

/// What the connection that watches has seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watch {
    version: i64,
    written: i64,
    /// Somebody has written since it was last asked to [trust](Store::trust).
    is_strange: bool,
}

impl Watch {
    fn begin(db: &Connection) -> Result<Self> {
        Ok(Self { version: data_version(db)?, written: written(db)?, is_strange: false })
    }

    /// Looks at the state that the transaction of `db` has; whether a stranger has had a hand in it.
    fn look(&mut self, db: &Connection) -> Result<bool> {
        let version = data_version(db)?;
        if version != self.version {
            let written = written(db)?;
            // an older count is that of a copy
            self.is_strange |= written <= self.written;
            (self.version, self.written) = (version, written);
        }
        Ok(self.is_strange)
    }
}

/// Changes whenever another connection has committed, never by this one's own commits.
pub(super) fn data_version(db: &Connection) -> Result<i64> {
    Ok(db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

fn written(db: &Connection) -> Result<i64> {
    Ok(db.prepare_cached("SELECT coalesce(max(n), 0) FROM written")?.query_row([], |row| row.get(0))?)
}

/// A transaction of ours writes.
fn count(db: &Connection) -> Result<()> {
    let sql = "INSERT INTO written(one, n) VALUES(1, 1) ON CONFLICT(one) DO UPDATE SET n = n + 1";
    db.prepare_cached(sql)?.execute([])?;
    Ok(())
}

impl Store {
    /// From now on this connection watches: as soon as a stranger has written, its transactions that are to write fail with
    /// [`DatabaseError::Unlooked`], until [`Store::trust`].
    pub fn watch(&mut self) -> Result<()> {
        self.watch = Some(Watch::begin(&self.connection)?);
        Ok(())
    }

    /// Whether this connection watches, and a stranger has written.
    pub fn is_strange(&mut self) -> Result<bool> {
        self.watch.as_mut().map_or(Ok(false), |watch| watch.look(&self.connection))
    }

    /// What stands here is being looked at.
    pub fn trust(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.is_strange = false;
        }
    }
}

/// What a transaction that is to write begins with.
pub(super) fn admit(watch: &mut Option<Watch>, db: &Connection) -> Result<()> {
    match watch {
        None => count(db),
        Some(watch) => {
            if watch.look(db)? {
                Err(DatabaseError::Unlooked)
            } else {
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use exchange_format::record::RecordId;

    use super::*;

    #[test]
    fn a_stranger_is_told_from_our_own_and_stops_what_watches_until_it_has_looked() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("hub.db");
        let mut store = Store::create(&path).expect("made");
        let add = |store: &mut Store, n: u8| {
            store.write(|tx| {
                tx.add_person(
                    RecordId::from_random([n; 16]),
                    &format!("42-32701000-00000{n}-5"),
                    u64::from(n),
                )
            })
        };
        let stranger = || {
            let db = rusqlite::Connection::open(&path).expect("opened");
            db.execute("UPDATE person SET serial = serial + 100", []).expect("altered");
        };
        let mut ours = Store::open(&path).expect("opened");
        store.watch().expect("watches");
        add(&mut store, 1).expect("its own");
        add(&mut ours, 2).expect("a command's");
        store
            .read(|tx| tx.add_person(RecordId::from_random([3; 16]), "42-32701000-000003-5", 3))
            .expect("given up");
        store.checkpoint().expect("folded");
        assert!(!store.is_strange().expect("looked"));
        add(&mut store, 3).expect("goes on");

        stranger();
        assert!(matches!(add(&mut store, 4), Err(DatabaseError::Unlooked)));
        add(&mut ours, 4).expect("a command does not watch");
        assert!(store.is_strange().expect("looked"), "whoever of ours has written since");
        store.trust();
        add(&mut store, 5).expect("looked at");
        assert!(!store.is_strange().expect("looked"));
        stranger();
        assert!(store.is_strange().expect("looked"), "again");
    }
}
