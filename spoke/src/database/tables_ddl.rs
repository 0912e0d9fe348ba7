//! The text of the domain tables. Everything parses under SQLite 3.26.

use std::fmt::Write as _;

use crate::decisions::tables::{Column, LineTable, Table};

/// `CREATE TABLE` and the indexes of `table` and of its lines.
///
/// `WITHOUT ROWID`, because `INSERT OR REPLACE INTO t(rowid, …)` would delete a locked row that no trigger
/// sees. No unique constraint beside the key, because a REPLACE on it would do the same.
pub fn create(table: &Table) -> String {
    let mut sql = format!(
        "CREATE TABLE {} (\n  id TEXT PRIMARY KEY NOT NULL CHECK (typeof(id) = 'text' AND id <> '')",
        table.name
    );
    if table.has_uid {
        sql.push_str(",\n  uid TEXT");
    }
    push_columns(&mut sql, &table.columns);
    sql.push_str("\n) WITHOUT ROWID;\n");
    push_indexes(&mut sql, table.name, &table.columns);
    if let Some(lines) = &table.lines {
        create_lines(&mut sql, table.name, lines);
    }
    sql
}

fn create_lines(sql: &mut String, parent: &str, lines: &LineTable) {
    let _ = write!(
        sql,
        "CREATE TABLE {} (\n  id TEXT PRIMARY KEY NOT NULL CHECK (typeof(id) = 'text' AND id <> ''),\n  \
         {} TEXT NOT NULL REFERENCES {parent} (id) ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED",
        lines.name, lines.parent
    );
    push_columns(sql, &lines.columns);
    sql.push_str("\n) WITHOUT ROWID;\n");
    let _ = writeln!(sql, "CREATE INDEX {0}_{1} ON {0} ({1});", lines.name, lines.parent);
    push_indexes(sql, lines.name, &lines.columns);
}

fn push_columns(sql: &mut String, columns: &[Column]) {
    for column in columns {
        let _ = write!(sql, ",\n  {} TEXT", column.name);
        if let Some(table) = column.refers_to {
            let _ = write!(sql, " REFERENCES {table} (id) DEFERRABLE INITIALLY DEFERRED");
        }
    }
}

fn push_indexes(sql: &mut String, table: &str, columns: &[Column]) {
    for column in columns.iter().filter(|column| column.refers_to.is_some()) {
        let _ = writeln!(sql, "CREATE INDEX {table}_{0} ON {table} ({0});", column.name);
    }
}
