//! The triggers on domain tables: locks, and the capture of changes by whatever program (exchange §8, §1).
//!
//! A lock is a literal RAISE that no value in the database can talk out of it: to write itself, the daemon
//! lets its own connection ask no trigger for one transaction (`super::write`, docs/adr/0020). So capture never
//! sees the daemon's writes either.

use std::fmt::Write as _;

use crate::decisions::tables::{LineTable, Table, tables};

/// A trigger by name, with the statement that creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name; all of ours begin with `svod_`.
    pub name: String,
    /// `CREATE TRIGGER …`, as it stands in `sqlite_master`.
    pub sql: String,
}

impl Trigger {
    pub(super) fn new(name: String, rest: &str) -> Self {
        let sql = format!("CREATE TRIGGER {name} {rest}");
        Self { name, sql }
    }

    /// The table that it stands on.
    pub fn table(&self) -> &str {
        stands_on(&self.sql)
    }
}

/// The table that a trigger or an index of ours stands on, by its text.
pub(super) fn stands_on(sql: &str) -> &str {
    let rest = sql.split_once(" ON ").map_or("", |(_, rest)| rest);
    rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

/// All triggers of `table` and of its lines.
pub fn triggers(table: &Table) -> Vec<Trigger> {
    let mut all = locks(table);
    if table.own.is_some() {
        all.extend(capture(table));
    } else {
        all.push(no_own_rows(table));
    }
    if let Some(lines) = &table.lines {
        all.extend(line_locks(table, lines));
        all.extend(line_capture(table, lines));
    }
    all
}

/// Whether the row of `table` whose id is `id` is the hub's. What is not plainly the centre's is locked.
fn is_locked(table: &str, id: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM svod_record WHERE kind = '{table}' AND id = {id} \
         AND state NOT IN ('own', 'provisional'))"
    )
}

fn refuse(table: &str, parent: &Table, command: &str) -> String {
    let wish = if parent.takes_proposals() {
        format!(" Предложить изменение: svod-spoke propose {} ID", parent.name)
    } else {
        String::new()
    };
    let parent = parent.name;
    format!(
        "SELECT RAISE(ABORT, 'Таблица {table}, команда {command}: строка закреплена координационным центром, \
         менять и удалять её нельзя. Чья она и к кому обратиться: svod-spoke why {parent} ID.{wish}');"
    )
}

fn list(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
}

/// A column that a centre has added for itself is not the exchange's and stays open: `UPDATE OF` ours only.
fn locks(table: &Table) -> Vec<Trigger> {
    let name = table.name;
    let columns = list(&table.all_columns());
    let (old, new) = (is_locked(name, "OLD.id"), is_locked(name, "NEW.id"));
    let lock = |verb: &str, event: &str, when: &str, command: &str| {
        let body = refuse(name, table, command);
        Trigger::new(
            format!("svod_lock_{name}_{verb}"),
            &format!("BEFORE {event} ON {name}\nWHEN {when}\nBEGIN\n  {body}\nEND"),
        )
    };
    let mut all = vec![
        // REPLACE deletes the row that was there without its DELETE triggers, so INSERT is guarded too.
        lock("insert", "INSERT", &new, "INSERT"),
        lock("update", &format!("UPDATE OF {columns}"), &format!("{old} OR {new}"), "UPDATE"),
        lock("delete", "DELETE", &old, "DELETE"),
    ];
    all.extend(hub_columns(table));
    all
}

/// The number of the hub is given by the hub: a row of the centre's own may not state it.
fn hub_columns(table: &Table) -> Vec<Trigger> {
    let columns = table.hub_columns();
    if columns.is_empty() || table.published.is_none() {
        return Vec::new();
    }
    let name = table.name;
    let when = columns.iter().map(|c| format!("NEW.\"{c}\" IS NOT NULL")).collect::<Vec<_>>().join(" OR ");
    let events = [("insert", "INSERT".to_owned()), ("update", format!("UPDATE OF {}", list(&columns)))];
    events
        .map(|(verb, event)| {
            let command = verb.to_uppercase();
            let body = format!(
                "SELECT RAISE(ABORT, 'Таблица {name}, команда {command}: поля {} заполняет координационный центр. \
                 Подробнее: svod-spoke why {name} ID');",
                columns.join(", ")
            );
            Trigger::new(
                format!("svod_hub_{name}_{verb}"),
                &format!("BEFORE {event} ON {name}\nWHEN {when}\nBEGIN\n  {body}\nEND"),
            )
        })
        .into()
}

/// Rows of this table come from the hub only.
fn no_own_rows(table: &Table) -> Trigger {
    let name = table.name;
    let body = format!(
        "SELECT RAISE(ABORT, 'Таблица {name}, команда INSERT: записи сюда вносит только координационный центр. \
         Подробнее: svod-spoke why {name} ID');"
    );
    Trigger::new(format!("svod_hub_{name}_insert"), &format!("BEFORE INSERT ON {name}\nBEGIN\n  {body}\nEND"))
}

fn line_locks(table: &Table, lines: &LineTable) -> Vec<Trigger> {
    let (name, parent) = (lines.name, &lines.parent);
    let of = |id: &str| is_locked(table.name, id);
    // A REPLACE by the line's own id would remove the line of another parent.
    let displaced = of(&format!("(SELECT {parent} FROM {name} WHERE id = NEW.id)"));
    let (old, new) = (of(&format!("OLD.{parent}")), of(&format!("NEW.{parent}")));
    let columns = list(&lines.all_columns());
    let lock = |verb: &str, event: &str, when: &str, command: &str| {
        let body = refuse(name, table, command);
        Trigger::new(
            format!("svod_lock_{name}_{verb}"),
            &format!("BEFORE {event} ON {name}\nWHEN {when}\nBEGIN\n  {body}\nEND"),
        )
    };
    vec![
        lock("insert", "INSERT", &format!("{new} OR {displaced}"), "INSERT"),
        lock("update", &format!("UPDATE OF {columns}"), &format!("{old} OR {new} OR {displaced}"), "UPDATE"),
        lock("delete", "DELETE", &old, "DELETE"),
    ]
}

/// The view through which the triggers below queue records: what is inserted into it as (table, row id) goes into the queue. One
/// text for all, because every program reads all triggers when it opens the database.
pub const QUEUE: &str = "svod_queue";

/// Queues the record of the row that is inserted into [`QUEUE`], if it is the centre's own, and lets one that was unfit be
/// looked at again; one of a kind with lines says when. `NOT EXISTS` and no `OR IGNORE`: inside a trigger the conflict rule
/// of the outer statement would take its place.
pub fn queue_trigger() -> Trigger {
    let lined: Vec<String> = tables()
        .iter()
        .filter(|table| table.lines.is_some())
        .map(|table| format!("'{}'", table.name))
        .collect();
    let is_lined = format!("NEW.kind IN ({})", lined.join(", "));
    let at = format!("CASE WHEN {is_lined} THEN julianday('now') END");
    Trigger::new(
        "svod_capture_queue".to_owned(),
        &format!(
            "INSTEAD OF INSERT ON {QUEUE}\nBEGIN\n  INSERT INTO svod_change (kind, key, at, since) SELECT r.kind, r.key, {at}, {at} \
             FROM svod_record r WHERE r.kind = NEW.kind AND r.id = NEW.id AND r.state IN ('own', 'provisional') AND NOT EXISTS \
             (SELECT 1 FROM svod_change c WHERE c.kind = r.kind AND c.key = r.key);\n  UPDATE svod_change SET problem = NULL, at = {at} \
             WHERE kind = NEW.kind AND key = (SELECT key FROM svod_record WHERE kind = NEW.kind AND id = NEW.id) AND \
             (problem IS NOT NULL OR {is_lined});\nEND"
        ),
    )
}

/// Queues the record of the row `id` of `table`.
fn queue(table: &Table, id: &str) -> String {
    format!("INSERT INTO {QUEUE} VALUES ('{}', {id});", table.name)
}

/// Queues the records of the centre's rows that name one of the rows `ids` of `table`: it has another key now, or none.
fn queue_referrers(table: &Table, ids: &[&str]) -> Vec<String> {
    let of = |other: &Table| {
        let name = other.name;
        let naming = other.columns.iter().filter(|column| column.refers_to == Some(table.name));
        // one by one: two ids in one condition are not looked up by the index
        let by =
            |column: &str, id: &&str| format!("SELECT '{name}', id FROM {name} WHERE \"{column}\" = {id}");
        let rows: Vec<String> = naming.flat_map(|c| ids.iter().map(|id| by(&c.name, id))).collect();
        (!rows.is_empty()).then(|| format!("INSERT INTO {QUEUE} {};", rows.join(" UNION ")))
    };
    tables().iter().filter(|other| other.own.is_some()).filter_map(of).collect()
}

/// A new row gets its key from the guards; a row that takes another's place by REPLACE keeps the key of that place; a deleted
/// row's key is never given again.
fn capture(table: &Table) -> Vec<Trigger> {
    let name = table.name;
    let here = |id: &str| format!("kind = '{name}' AND id = {id}");
    let exists = |id: &str| format!("EXISTS (SELECT 1 FROM svod_record WHERE {})", here(id));
    let columns = list(&table.all_columns());
    let trigger = |verb: &str, head: &str, statements: &[String]| {
        let mut rest = format!("{head}\nBEGIN");
        for statement in statements {
            let _ = write!(rest, "\n  {statement}");
        }
        rest.push_str("\nEND");
        Trigger::new(format!("svod_capture_{name}_{verb}"), &rest)
    };
    let new_record = format!(
        "INSERT INTO svod_record (kind, id, key, state) SELECT '{name}', NEW.id, coalesce((SELECT key FROM \
         svod_replaced WHERE {}), ''), 'own' WHERE NOT {};",
        here("NEW.id"),
        exists("NEW.id")
    );
    let forget_replaced = format!("DELETE FROM svod_replaced WHERE {};", here("NEW.id"));
    let end_old = format!("DELETE FROM svod_record WHERE {};", here("OLD.id"));
    vec![
        // With recursive_triggers a REPLACE fires the DELETE triggers: the place remembers its key meanwhile.
        trigger(
            "replace",
            &format!("BEFORE INSERT ON {name}"),
            &[
                forget_replaced.clone(),
                format!(
                    "INSERT INTO svod_replaced (kind, id, key) SELECT kind, id, key FROM svod_record WHERE {};",
                    here("NEW.id")
                ),
            ],
        ),
        trigger(
            "insert",
            &format!("AFTER INSERT ON {name}"),
            &[new_record.clone(), forget_replaced, queue(table, "NEW.id")],
        ),
        trigger(
            "update",
            &format!("AFTER UPDATE OF {columns} ON {name} WHEN OLD.id = NEW.id"),
            &[new_record.clone(), queue(table, "NEW.id")],
        ),
        // UPDATE OR REPLACE onto another row's id is an update of that row and the end of this one.
        trigger(
            "rename",
            &format!("AFTER UPDATE OF id ON {name} WHEN OLD.id <> NEW.id"),
            &[
                vec![
                    queue(table, "OLD.id"),
                    format!(
                        "UPDATE svod_record SET id = NEW.id WHERE {} AND NOT {};",
                        here("OLD.id"),
                        exists("NEW.id")
                    ),
                    end_old.clone(),
                    new_record,
                    queue(table, "NEW.id"),
                ],
                queue_referrers(table, &["OLD.id", "NEW.id"]),
            ]
            .concat(),
        ),
        // what names the row names nothing now, or the row that takes its id: a new one is a new record
        trigger(
            "delete",
            &format!("AFTER DELETE ON {name}"),
            &[vec![queue(table, "OLD.id"), end_old], queue_referrers(table, &["OLD.id"])].concat(),
        ),
    ]
}

/// A line's change is its parent's.
fn line_capture(table: &Table, lines: &LineTable) -> Vec<Trigger> {
    if table.own.is_none() {
        return Vec::new();
    }
    let (name, parent) = (lines.name, &lines.parent);
    let of = |side: &str| queue(table, &format!("{side}.{parent}"));
    let trigger = |verb: &str, body: &str| {
        let event = verb.to_uppercase();
        Trigger::new(
            format!("svod_capture_{name}_{verb}"),
            &format!("AFTER {event} ON {name}\nBEGIN\n  {body}\nEND"),
        )
    };
    // A line may be moved by REPLACE from under another parent: `displaced` queues that one before.
    let displaced = Trigger::new(
        format!("svod_capture_{name}_replace"),
        &format!(
            "BEFORE INSERT ON {name}\nBEGIN\n  {}\nEND",
            queue(table, &format!("(SELECT {parent} FROM {name} WHERE id = NEW.id)"))
        ),
    );
    let displaced_by_update = Trigger::new(
        format!("svod_capture_{name}_displace"),
        &format!(
            "BEFORE UPDATE ON {name} WHEN OLD.id <> NEW.id\nBEGIN\n  {}\nEND",
            queue(table, &format!("(SELECT {parent} FROM {name} WHERE id = NEW.id)"))
        ),
    );
    vec![
        displaced,
        displaced_by_update,
        trigger("insert", &of("NEW")),
        trigger("update", &format!("{}\n  {}", of("OLD"), of("NEW"))),
        trigger("delete", &of("OLD")),
    ]
}
