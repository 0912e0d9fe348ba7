//! Drafts: long work over one unchanging state of the database. What it writes goes into tables of this
//! connection alone, and is taken over at once if nobody has changed meanwhile what it rests on. Until then
//! other connections read and write as they like.

use rusqlite::TransactionBehavior;

use super::{DatabaseError, Result, Store, Tx};

/// The tables that a draft may write, besides [`INPUTS`].
const TABLES: [&str; 17] = [
    "person",
    "person_record",
    "document",
    "person_source",
    "hub_entry",
    "service",
    "fault",
    "day_ahead",
    "model",
    "counted",
    "link_key",
    "link_key_late",
    "claim_keys",
    "claim_reading",
    "pair",
    "review",
    "publication",
];
/// Only ever added to and never read by a draft: its own begins empty.
const INPUTS: &str = "hub_input";

/// What a draft rests on, as one text: positions of the streams, the centres, staff's doings, what is published
/// and asked. Of the database itself, whatever a draft hides.
const BASIS: &str = "SELECT concat_ws('|',
    (SELECT group_concat(concat(peer, ' ', in_epoch, '/', in_seq, ' ', out_epoch, '/', out_seq, ' ', echo_epoch,
                                '/', echo_seq))
     FROM (SELECT * FROM main.stream WHERE peer IN (SELECT code FROM main.centre) ORDER BY peer)),
    (SELECT group_concat(concat(code, ' ', state, ' ', merged)) FROM (SELECT * FROM main.centre ORDER BY code)),
    (SELECT max(n) FROM main.hub_input), (SELECT max(n) FROM main.model), (SELECT lists FROM main.judged_by),
    (SELECT concat(count(*), ' ', max(n), ' ', sum(state = 'open')) FROM main.review),
    (SELECT concat(count(*), ' ', sum(version), ' ', sum(state = 'pending'), ' ', sum(state = 'sealed'), ' ', sum(state = 'refused'))
     FROM main.publication))";

/// The state of the database that a draft rests on.
#[derive(Debug, PartialEq, Eq)]
pub struct Basis(String);

impl Store {
    /// Runs `work` over one unchanging state; what it writes is seen by this connection only, until
    /// [`Store::adopt`] or [`Store::discard`].
    pub fn draft<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<(T, Basis), E> {
        self.discard()?;
        let done = self.transact((TransactionBehavior::Deferred, true, false), |tx| {
            let basis = tx.basis()?;
            tx.begin_draft()?;
            Ok((work(tx)?, basis))
        });
        if done.is_err() {
            self.discard()?;
        }
        done
    }

    /// Takes the draft over and does `also`, in one transaction, if what the draft rests on still stands as
    /// `basis` says; else `None`. The draft is gone in both cases.
    pub fn adopt<T, E: From<DatabaseError>>(
        &mut self,
        basis: &Basis,
        also: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let done = self.write(|tx| tx.take_draft_over(basis)?.then(|| also(tx)).transpose());
        self.discard()?;
        done
    }

    /// Forgets the draft, if there is one.
    pub fn discard(&mut self) -> Result<()> {
        for table in TABLES.iter().chain([&INPUTS]) {
            self.connection.execute_batch(&format!("DROP TABLE IF EXISTS temp.{table}"))?;
        }
        Ok(())
    }
}

impl Tx<'_> {
    fn basis(&self) -> Result<Basis> {
        Ok(Basis(self.value(BASIS, [])?.unwrap_or_default()))
    }

    /// Copies the tables that a draft may write into tables of this connection, under the same names: these
    /// hide those of the database.
    fn begin_draft(&self) -> Result<()> {
        self.db.execute_batch("PRAGMA temp.cache_size = -64000")?;
        for table in TABLES.iter().chain([&INPUTS]) {
            let sql = "SELECT sql FROM main.sqlite_schema WHERE tbl_name = ?1 AND sql IS NOT NULL
                       AND type IN ('table', 'index') ORDER BY type = 'index'";
            for made in self.rows(sql, [table], |row| Ok(row.get::<_, String>(0)?))? {
                let here = made.replacen("CREATE TABLE ", "CREATE TEMP TABLE ", 1).replacen(
                    "INDEX ",
                    "INDEX temp.",
                    1,
                );
                self.db.execute_batch(&here)?;
            }
            if *table != INPUTS {
                self.db.execute_batch(&format!("INSERT INTO temp.{table} SELECT * FROM main.{table}"))?;
            }
        }
        Ok(())
    }

    /// Writes the draft into the database and ends it; false, with nothing written, if its basis is gone.
    fn take_draft_over(&self, basis: &Basis) -> Result<bool> {
        let batch = |sql: String| self.db.execute_batch(&sql);
        let stands = self.basis()? == *basis;
        if stands {
            for table in TABLES {
                self.take_table_over(table)?;
            }
            batch(format!(
                "INSERT INTO main.{INPUTS}(key, at, action, body) SELECT key, at, action, body
                 FROM temp.{INPUTS} ORDER BY n"
            ))?;
        }
        // from here on plain names mean the database again
        for table in TABLES.iter().chain([&INPUTS]) {
            batch(format!("DROP TABLE temp.{table}"))?;
        }
        Ok(stands)
    }

    fn take_table_over(&self, table: &str) -> Result<()> {
        let batch = |sql: String| self.db.execute_batch(&sql);
        let empty = self.value::<i64>(&format!("SELECT 1 FROM main.{table} LIMIT 1"), [])?.is_none();
        if empty {
            return Ok(batch(format!("INSERT INTO main.{table} SELECT * FROM temp.{table}"))?);
        }
        let sql = "SELECT name FROM pragma_table_info(?1, 'main') WHERE pk > 0 ORDER BY pk";
        let same: Vec<String> = self.rows(sql, [table], |row| {
            let column: String = row.get(0)?;
            Ok(format!("d.{column} = m.{column}"))
        })?;
        batch(format!(
            "DELETE FROM main.{table} AS m
             WHERE NOT EXISTS (SELECT 1 FROM temp.{table} AS d WHERE {});
             INSERT OR REPLACE INTO main.{table}
             SELECT * FROM temp.{table} EXCEPT SELECT * FROM main.{table};",
            same.join(" AND ")
        ))?;
        Ok(())
    }
}
