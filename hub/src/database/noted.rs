//! What is written is noted: every row of the register as it then stands, in the transaction that writes it and
//! whoever does, by triggers. Sealed into the stream hub→hub ([`own`](crate::edges::sealing::own)) it is, with the packets
//! in the archive, what a hub is rebuilt from (ADR 24).
//!
//! An entry is a JSON object: `t` the table, `is` the row, or `gone` the key of one that was deleted. Of `received`,
//! `stream` and `packet` a part is noted (`noted.sql`): the rest is in the packets.

use std::collections::BTreeMap;

use rusqlite::params;
use serde_json::Value;

use super::{DatabaseError, Result, Tx};

/// The tables of which every row is noted whole.
pub const WHOLE: [&str; 14] = [
    "centre",
    "person",
    "person_record",
    "document",
    "hub_entry",
    "drawn",
    "service",
    "model",
    "staff_decision",
    "review",
    "signature",
    "answer",
    "answer_line",
    "key_told",
];

/// The entry that says that all initial loads which waited were merged, and everything was counted anew.
pub const MERGED: &str = "merged";
/// The entry that says that everything but what waits was counted anew, by another model.
pub const WEIGHED: &str = "weighed";

/// The statements by which rows of one table are written and deleted as an entry says.
#[derive(Debug)]
pub struct Again {
    write: String,
    delete: String,
}

/// A column of a table that is noted whole.
struct Column {
    name: String,
    is_bytes: bool,
    is_key: bool,
}

impl Column {
    /// Its value in `row`, `OLD` or `NEW`, as JSON takes it.
    fn pair(&self, row: &str) -> String {
        let Self { name, .. } = self;
        if self.is_bytes {
            format!("'{name}', CAST({row}.{name} AS TEXT)")
        } else {
            format!("'{name}', {row}.{name}")
        }
    }

    /// Its value in the `part` of the entry `?1`.
    fn of_entry(&self, part: &str) -> String {
        let value = format!("json_extract(?1, '$.{part}.{}')", self.name);
        if self.is_bytes { format!("CAST({value} AS BLOB)") } else { value }
    }
}

fn pairs(columns: &[Column], row: &str, wanted: impl Fn(&Column) -> bool) -> String {
    let all: Vec<String> = columns.iter().filter(|one| wanted(one)).map(|one| one.pair(row)).collect();
    all.join(", ")
}

impl Tx<'_> {
    /// From now on what is written is noted.
    pub fn begin_noting(&self) -> Result<()> {
        for table in WHOLE {
            let columns = self.columns(table)?;
            let (new, key) = (pairs(&columns, "NEW", |_| true), pairs(&columns, "OLD", |one| one.is_key));
            let differs: Vec<String> =
                columns.iter().map(|Column { name, .. }| format!("OLD.{name} IS NOT NEW.{name}")).collect();
            let differs = differs.join(" OR ");
            self.db.execute_batch(&format!(
                "CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN
                   INSERT INTO change(entry) VALUES(json_object('t', '{table}', 'is', json_object({new}))); END;
                 CREATE TRIGGER {table}_changed AFTER UPDATE ON {table} WHEN {differs} BEGIN
                   INSERT INTO change(entry) VALUES(json_object('t', '{table}', 'is', json_object({new}))); END;
                 CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN
                   INSERT INTO change(entry) VALUES(json_object('t', '{table}', 'gone', json_object({key}))); END;",
            ))?;
        }
        Ok(self.db.execute_batch(include_str!("noted.sql"))?)
    }

    /// The columns of `table` that are noted: a claim is named by its origin, kind and key, not by its row here.
    fn columns(&self, table: &str) -> Result<Vec<Column>> {
        let sql =
            "SELECT name, type, pk FROM pragma_table_info(?1, 'main') WHERE name <> 'claim' ORDER BY cid";
        self.rows(sql, [table], |row| {
            let (ty, pk): (String, i64) = (row.get(1)?, row.get(2)?);
            Ok(Column { name: row.get(0)?, is_bytes: ty == "BLOB", is_key: pk > 0 })
        })
    }

    /// Notes something that is no row.
    pub fn note_change(&self, what: &str, said: &Value) -> Result<()> {
        let entry = format!("{{\"t\":\"{what}\",\"is\":{said}}}");
        self.run("INSERT INTO change(entry) VALUES(?1)", [entry])?;
        Ok(())
    }

    /// What was noted and is in no input yet: number and entry, in order, at most `limit`.
    pub fn changes(&self, limit: u32) -> Result<Vec<(i64, String)>> {
        self.rows("SELECT n, entry FROM change ORDER BY n LIMIT ?1", [limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// Whether something was noted that is in no input yet.
    pub fn has_changes(&self) -> Result<bool> {
        Ok(self.value::<i64>("SELECT 1 FROM change LIMIT 1", [])?.is_some())
    }

    /// Forgets what was noted up to the number `n`: it is in an input.
    pub fn forget_changes(&self, n: i64) -> Result<()> {
        self.run("DELETE FROM change WHERE n <= ?1", [n])?;
        Ok(())
    }

    /// How entries of the tables that are noted whole are done again.
    pub fn noted_again(&self) -> Result<BTreeMap<&'static str, Again>> {
        let mut all = BTreeMap::new();
        for table in WHOLE {
            let columns = self.columns(table)?;
            let joined =
                |between: &str, each: &dyn Fn(&Column) -> String, wanted: &dyn Fn(&Column) -> bool| {
                    columns.iter().filter(|one| wanted(one)).map(each).collect::<Vec<_>>().join(between)
                };
            let names = joined(", ", &|one| one.name.clone(), &|_| true);
            let values = joined(", ", &|one| one.of_entry("is"), &|_| true);
            let keys = joined(", ", &|one| one.name.clone(), &|one| one.is_key);
            let others =
                joined(", ", &|Column { name, .. }| format!("{name} = excluded.{name}"), &|one| !one.is_key);
            let same = joined(" AND ", &|one| format!("{} IS {}", one.name, one.of_entry("gone")), &|one| {
                one.is_key
            });
            let (claim, of_claim) = if table == "person_record" { (", claim", CLAIM) } else { ("", "") };
            let write = format!(
                "INSERT INTO {table}({names}{claim}) VALUES({values}{of_claim})
                 ON CONFLICT({keys}) DO UPDATE SET {others}"
            );
            let delete = format!("DELETE FROM {table} WHERE {same}");
            all.insert(table, Again { write, delete });
        }
        Ok(all)
    }

    /// Does `entry` of a table that is noted whole again. Only where nothing is noted: in a rebuild.
    ///
    /// # Errors
    /// The row does not fit this database: what it refers to is not here.
    pub fn note_again(&self, again: &Again, entry: &str, gone: bool) -> Result<()> {
        self.run(if gone { &again.delete } else { &again.write }, [entry])?;
        Ok(())
    }

    /// What became of a received record, as it was noted; `former` is the body of the version that the hub goes by, where
    /// that is not the newest. As [`note_again`](Self::note_again).
    pub fn write_noted_outcome(&self, is: &Value, former: Option<&[u8]>) -> Result<()> {
        let written = self.run(
            "UPDATE received SET outcome = json_extract(?1, '$.outcome'), rule = json_extract(?1, '$.rule'),
               state = json_extract(?1, '$.state'), basis_version = json_extract(?1, '$.basis_version'),
               basis = CASE WHEN json_extract(?1, '$.basis_version') IS NULL THEN NULL ELSE coalesce(?2, basis) END
             WHERE origin = json_extract(?1, '$.origin') AND kind = json_extract(?1, '$.kind')
               AND key = json_extract(?1, '$.key') AND version = json_extract(?1, '$.version')
               AND sha256 = json_extract(?1, '$.sha256')",
            params![is.to_string(), former],
        )?;
        if written == 1 {
            Ok(())
        } else {
            Err(DatabaseError::Damaged { table: "received", column: "version" })
        }
    }
}

/// The row of the claim that an entry of `person_record` names.
const CLAIM: &str = ", (SELECT id FROM received WHERE origin = json_extract(?1, '$.is.origin')
  AND kind = json_extract(?1, '$.is.kind') AND key = json_extract(?1, '$.is.key'))";
