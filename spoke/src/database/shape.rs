//! Whether the tables are those that `init` made, and making them so again: ALTER, DROP and CREATE INDEX ask no
//! trigger (exchange §8, D10).

use std::{collections::BTreeSet, sync::LazyLock};

use exchange_format::record::Form;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::decisions::{
    mapping,
    tables::{Table, table, tables},
};

use super::{
    DatabaseError, open, own_records, publications, rows,
    verify::{Damage, Fault},
    write,
};

/// A table, an index or a view as `init` makes it.
struct Part {
    kind: String,
    name: String,
    sql: String,
    /// Of a table: its columns with what follows the name in `ALTER TABLE … ADD COLUMN`.
    columns: Vec<(String, String)>,
}

fn expected() -> &'static [Part] {
    static PARTS: LazyLock<Vec<Part>> = LazyLock::new(|| {
        let scratch = Connection::open_in_memory().expect("SQLite opens a database in memory");
        scratch.execute_batch(&open::schema_sql()).expect("the schema is tested");
        parts(&scratch).expect("sqlite_master is readable")
    });
    &PARTS
}

fn parts(connection: &Connection) -> Result<Vec<Part>, DatabaseError> {
    let mut statement = connection.prepare(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'index', 'view') AND sql IS NOT NULL \
         ORDER BY type = 'view', type = 'index', name",
    )?;
    let found = statement.query_map([], |row| {
        Ok(Part { kind: row.get(0)?, name: row.get(1)?, sql: row.get(2)?, columns: Vec::new() })
    })?;
    let mut parts: Vec<Part> = found.collect::<Result<_, _>>()?;
    for part in parts.iter_mut().filter(|part| part.kind == "table") {
        let mut statement =
            connection.prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1)")?;
        let columns = statement.query_map([&part.name], |row| {
            let (ty, required) = (row.get::<_, String>(1)?, row.get::<_, bool>(2)?);
            Ok((row.get(0)?, ty + if required { " NOT NULL DEFAULT ''" } else { "" }))
        })?;
        part.columns = columns.collect::<Result<_, _>>()?;
    }
    Ok(parts)
}

fn names(part: &Part) -> BTreeSet<&str> {
    part.columns.iter().map(|(name, _)| name.as_str()).collect()
}

/// What is not as `init` made it. Columns and plain indexes that a centre has added for itself are its own
/// matter; a unique index is not, for a REPLACE by it deletes a locked row that no trigger sees.
///
/// # Errors
/// SQLite's.
pub fn check(connection: &Connection) -> Result<Vec<Damage>, DatabaseError> {
    let there = parts(connection)?;
    let mut damages = Vec::new();
    for part in expected() {
        let found = there.iter().find(|found| found.kind == part.kind && found.name == part.name);
        match found {
            None if part.kind == "table" => damages.push(Damage::new(Fault::TableMissing, &part.name, "")),
            Some(found) if part.kind == "table" => {
                let (here, there) = (names(part), names(found));
                let missing: Vec<String> = here.difference(&there).map(|name| (*name).to_owned()).collect();
                if !missing.is_empty() {
                    damages.push(Damage::new(Fault::ColumnMissing, &part.name, "").of_columns(missing));
                }
            }
            Some(found) if found.sql == part.sql => {}
            _ => damages.push(Damage::new(Fault::IndexAltered, &part.name, "")),
        }
    }
    for part in expected().iter().filter(|part| part.kind == "table") {
        let mut statement = connection
            .prepare("SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1 AND origin = 'c'")?;
        let unique = statement.query_map([&part.name], |row| row.get::<_, String>(0))?;
        for name in unique {
            let name = name?;
            if expected().iter().all(|known| known.name != name) {
                damages.push(Damage::new(Fault::IndexForeign, &part.name, name));
            }
        }
    }
    Ok(damages)
}

/// Whether with `damage` the contents of the tables cannot be looked at.
pub fn blinds(damage: &Damage) -> bool {
    matches!(damage.fault, Fault::TableMissing | Fault::ColumnMissing | Fault::IndexAltered)
}

/// Makes the tables again what they were: a renamed one gets its name back, a domain table that is gone is made
/// anew, a column that is gone comes back; the centre's own rows say again what was last sent of them. What
/// the hub published is put right afterwards, from what it signed. One of the exchange's own tables that is
/// gone stays so: nothing but a copy of the database can bring it back.
///
/// # Errors
/// SQLite's; then nothing has happened.
pub fn mend(connection: &mut Connection, damages: &[Damage]) -> Result<(), DatabaseError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Renamed tables take their triggers along, so all of ours go, wherever they are.
    write::drop_all(&transaction)?;
    let mut made_anew = BTreeSet::new();
    for damage in damages {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let part = expected().iter().find(|part| part.name == damage.table);
        match (damage.fault, part) {
            (Fault::TableMissing, Some(part)) => {
                made_anew.extend(bring_back(&transaction, part)?.then_some(&part.name));
            }
            (Fault::IndexForeign, _) => {
                transaction.execute_batch(&format!("DROP INDEX {}", quoted(&damage.id)))?;
            }
            (Fault::ColumnMissing, Some(part)) => {
                for (name, rest) in part.columns.iter().filter(|(name, _)| damage.columns.contains(name)) {
                    transaction.execute_batch(&format!(
                        "ALTER TABLE {} ADD COLUMN {} {rest}",
                        part.name,
                        quoted(name)
                    ))?;
                }
            }
            _ => {}
        }
    }
    // Indexes and the view last: they need their columns.
    for part in check(&transaction)?.iter().filter(|damage| damage.fault == Fault::IndexAltered) {
        let Some(part) = expected().iter().find(|known| known.name == part.table) else { continue };
        transaction.execute_batch(&format!("DROP {} IF EXISTS {}; {}", part.kind, part.name, part.sql))?;
    }
    if check(&transaction)?.iter().any(blinds) {
        return Ok(());
    }
    for damage in damages {
        // what only got its name back, or lost an index, still says what was typed: also what was not sent yet
        let lost = damage.fault == Fault::ColumnMissing || made_anew.contains(&damage.table);
        if let Some(table) = table_of(&damage.table).filter(|_| lost || damage.fault == Fault::IndexForeign) {
            say_again(&transaction, table, damage, lost)?;
        }
    }
    for trigger in write::expected(write::Scope::Everything) {
        transaction.execute_batch(&trigger.sql)?;
    }
    Ok(transaction.commit()?)
}

/// The table called `name`, or the one whose lines are called so.
fn table_of(name: &str) -> Option<&'static Table> {
    let lines = || tables().iter().find(|table| table.lines.as_ref().is_some_and(|lines| lines.name == name));
    table(name).or_else(lines)
}

/// Whether the table had to be made anew, empty.
fn bring_back(connection: &Connection, part: &Part) -> Result<bool, DatabaseError> {
    let there = parts(connection)?;
    let is_stray = |other: &&Part| expected().iter().all(|known| known.name != other.name);
    let mut renamed = there.iter().filter(is_stray).filter(|other| names(other) == names(part));
    match (renamed.next(), renamed.next()) {
        (Some(other), None) => {
            let other = other.name.replace('"', "\"\"");
            connection.execute_batch(&format!("ALTER TABLE \"{other}\" RENAME TO {}", part.name))?;
            Ok(false)
        }
        _ if table_of(&part.name).is_some() => {
            connection.execute_batch(&part.sql)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// The centre's own rows of `table` say again in the columns that came back, or as a whole where they are
/// gone, what was last sent of them. Unless something of them was `lost`, only those that are gone without a
/// trigger having seen it: deleted by REPLACE through an index that is not ours.
fn say_again(
    connection: &Connection,
    table: &Table,
    damage: &Damage,
    lost: bool,
) -> Result<(), DatabaseError> {
    let Some(kind) = table.own else { return Ok(()) };
    let mut statement = connection.prepare(
        "SELECT id, key FROM svod_record AS r WHERE kind = ?1 AND state IN ('own', 'provisional') \
         AND (?2 OR NOT EXISTS (SELECT 1 FROM svod_change AS c WHERE c.kind = r.kind AND c.key = r.key))",
    )?;
    let found = statement.query_map(params![table.name, lost], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let own: Vec<(String, String)> = found.collect::<Result<_, _>>()?;
    for (id, key) in own {
        let key = rows::record_id("svod_record", &key)?;
        let Some(sent) = own_records::sent(connection, kind, key)? else { continue };
        if sent.record.form != Form::Live {
            continue;
        }
        let claim = mapping::row(table, &publications::read_body(&sent.record)?);
        let Some(said) = rows::resolve(connection, table, &claim)? else { continue };
        let row = match rows::as_it_stands(connection, table, &id)? {
            None => said,
            Some(_) if !lost => continue,
            Some(row) => merged(table, row, said, damage),
        };
        rows::write(connection, table, &id, None, &row)?;
    }
    Ok(())
}

/// `row` with what came back taken from `said`: the lines as a whole, for nothing else tells them apart.
fn merged(table: &Table, mut row: mapping::Row, said: mapping::Row, damage: &Damage) -> mapping::Row {
    if damage.table != table.name {
        row.lines = said.lines;
        return row;
    }
    for ((column, value), said) in table.columns.iter().zip(&mut row.values).zip(said.values) {
        if damage.columns.contains(&column.name) {
            *value = said;
        }
    }
    row
}
