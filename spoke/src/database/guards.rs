//! The triggers on the `svod_*` tables: any program reads them, only the daemon writes them.
//!
//! `svod_record` and `svod_change` are also written by the capture triggers, which no guard can tell from a
//! client's own statement. So those two let pass exactly what capture does, for rows of the centre's own;
//! what passes can neither open a lock, nor lose a record, nor choose its key. `svod_replaced` is the triggers' own.

use super::{
    standing,
    tables::{Table, tables},
    triggers::Trigger,
};

/// Tables that only the daemon writes.
pub const CLOSED: [&str; 13] = [
    "svod_sent",
    "svod_lot",
    "svod_link",
    "svod_shown",
    "svod_publication",
    "svod_proposal",
    "svod_packet",
    "svod_key_told",
    "svod_stream",
    "svod_meta",
    "svod_incident",
    "svod_journal",
    "svod_protocol",
];

/// All guards.
pub fn guards() -> Vec<Trigger> {
    let mut all: Vec<Trigger> = CLOSED.iter().flat_map(|table| closed(table)).collect();
    all.extend(record_guards());
    all.extend(replaced_guards());
    all.extend(change_guards());
    all
}

fn guard(table: &str, event: &str, when: &str) -> Trigger {
    let verb = event.to_lowercase();
    Trigger::new(
        format!("svod_guard_{}_{verb}", table.trim_start_matches("svod_")),
        &format!(
            "BEFORE {event} ON {table}{when}\nBEGIN\n  SELECT RAISE(ABORT, 'Таблица {table}, команда {event}: \
             её ведёт только программа обмена svod-spoke. Состояние обмена: svod-spoke status');\nEND"
        ),
    )
}

fn closed(table: &str) -> [Trigger; 3] {
    ["INSERT", "UPDATE", "DELETE"].map(|event| guard(table, event, ""))
}

/// `side`'s row stands in its domain table. Of tables in which a centre has rows of its own.
fn row_exists(side: &str) -> String {
    let of = |table: &Table| {
        let name = table.name;
        format!("({side}.kind = '{name}' AND EXISTS (SELECT 1 FROM {name} WHERE id = {side}.id))")
    };
    let all: Vec<String> = tables().iter().filter(|table| table.own.is_some()).map(of).collect();
    format!("({})", all.join(" OR "))
}

const NO_HUB_PART: &str = "NEW.alias_of IS NULL AND NEW.uid IS NULL AND NEW.version IS NULL AND NEW.form IS NULL \
     AND NEW.sha256 IS NULL AND NEW.hub_bytes IS NULL AND NEW.hub_signature IS NULL AND NEW.packet IS NULL \
     AND NEW.epoch IS NULL";

/// A record begins with its row, moves with its row's id, and ends with its row; only the centre's own do. Its key is
/// drawn here: whoever enters it leaves that empty, but for the key that a REPLACE keeps for its place.
fn record_guards() -> [Trigger; 4] {
    let table = "svod_record";
    let begins = format!(
        "NEW.state = 'own' AND {NO_HUB_PART} AND {} AND (NEW.key = '' OR EXISTS (SELECT 1 FROM svod_replaced WHERE \
         kind = NEW.kind AND id = NEW.id AND key = NEW.key)) AND NOT EXISTS (SELECT 1 FROM svod_record WHERE kind = NEW.kind \
         AND id = NEW.id) AND NOT EXISTS (SELECT 1 FROM svod_record WHERE kind = NEW.kind AND key = NEW.key)",
        row_exists("NEW")
    );
    let same = |columns: &[&str]| {
        columns.iter().map(|c| format!("NEW.{c} IS OLD.{c}")).collect::<Vec<_>>().join(" AND ")
    };
    let rest: Vec<&str> = ["kind", "key"].into_iter().chain(standing::COLUMNS).collect();
    let all_but_key: Vec<&str> = ["kind", "id"].into_iter().chain(standing::COLUMNS).collect();
    let is_drawn = format!("OLD.key = '' AND NEW.key <> '' AND {}", same(&all_but_key));
    let moves = format!(
        "{is_drawn} OR OLD.state IN ('own', 'provisional') AND {} AND {} AND NOT {} AND NOT EXISTS (SELECT 1 FROM svod_record \
         WHERE kind = NEW.kind AND id = NEW.id)",
        same(&rest),
        row_exists("NEW"),
        row_exists("OLD")
    );
    let ends = format!("OLD.state IN ('own', 'provisional') AND NOT {}", row_exists("OLD"));
    let unless = |allowed: &str| format!("\nWHEN ({allowed}) IS NOT 1");
    [
        guard(table, "INSERT", &unless(&begins)),
        guard(table, "UPDATE", &unless(&moves)),
        guard(table, "DELETE", &unless(&ends)),
        // without asking whether it is empty still: had another trigger chosen one, this would be refused
        Trigger::new(
            "svod_guard_record_key".to_owned(),
            &format!(
                "AFTER INSERT ON {table} WHEN NEW.key = ''\nBEGIN\n  UPDATE {table} SET key = {NEW_KEY} WHERE kind = NEW.kind \
                 AND id = NEW.id;\nEND"
            ),
        ),
    ]
}

/// Where a REPLACE is putting a row stands the key of that place, and no other.
fn replaced_guards() -> [Trigger; 2] {
    let table = "svod_replaced";
    let known = "SELECT 1 FROM svod_record WHERE kind = NEW.kind AND id = NEW.id AND key = NEW.key";
    [guard(table, "INSERT", &format!("\nWHEN NOT EXISTS ({known})")), guard(table, "UPDATE", "")]
}

/// 128 random bits as a version 4 UUID.
const NEW_KEY: &str = "lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || \
     substr(lower(hex(randomblob(2))), 2) || '-' || substr('89ab', (random() & 3) + 1, 1) || \
     substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6)))";

/// Anybody may ask that a record of the centre's be looked at again; nobody may make it forgotten.
fn change_guards() -> [Trigger; 3] {
    let table = "svod_change";
    let known = "NEW.problem IS NULL AND NEW.confirmed = 0 AND EXISTS (SELECT 1 FROM svod_record WHERE kind = NEW.kind AND key = NEW.key \
         AND state IN ('own', 'provisional')) AND NOT EXISTS (SELECT 1 FROM svod_change WHERE kind = NEW.kind \
         AND key = NEW.key)";
    [
        guard(table, "INSERT", &format!("\nWHEN ({known}) IS NOT 1")),
        guard(
            table,
            "UPDATE",
            "\nWHEN (NEW.kind = OLD.kind AND NEW.key = OLD.key AND NEW.problem IS NULL AND NEW.confirmed = OLD.confirmed) \
             IS NOT 1",
        ),
        guard(table, "DELETE", ""),
    ]
}
