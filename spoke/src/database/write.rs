//! The daemon's own transactions: the only place where locks and guards are lifted.

use std::sync::LazyLock;

use exchange_endpoint::{
    failpoint,
    journal_table::{self, CENTRE_TABLE},
};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{DatabaseError, guards, tables::tables, triggers, triggers::Trigger};

/// What a transaction is going to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only the exchange's own `svod_*` tables.
    Book,
    /// The domain tables too.
    Everything,
}

/// A trigger that is not as this program made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlteredTrigger {
    /// Its name.
    pub name: String,
    /// Absent, or present with another text.
    pub missing: bool,
}

/// All triggers of ours on the tables of `scope`.
pub fn expected(scope: Scope) -> Vec<Trigger> {
    let mut all = guards::guards();
    if scope == Scope::Everything {
        all.extend(tables().iter().flat_map(triggers::triggers));
    }
    all
}

/// Runs `work` in one immediate transaction with the triggers of `scope` set aside, and puts them back.
///
/// Nobody else sees the database without them: dropping and creating are part of the transaction. Triggers
/// that the centre has put on the same tables are set aside as well, so that nothing rides along while the
/// locks are open. If `work` fails, nothing has happened.
///
/// # Errors
/// What `work` returns, or SQLite's.
pub fn write<T, E: From<DatabaseError>>(
    connection: &mut Connection,
    scope: Scope,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    write_if(connection, scope, |transaction| work(transaction).map(Some))
        .map(|result| result.expect("the work always gives a result"))
}

/// As [`write`]; if `work` returns `None`, nothing has happened either: nobody sees that we looked.
///
/// # Errors
/// What `work` returns, or SQLite's.
pub fn write_if<T, E: From<DatabaseError>>(
    connection: &mut Connection,
    scope: Scope,
    work: impl FnOnce(&Transaction<'_>) -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    // a condition that the centre has put on a column of its own refuses nothing that the exchange brings
    let ask = |connection: &Connection, on: bool| {
        connection.pragma_update(None, "ignore_check_constraints", !on).map_err(DatabaseError::from)
    };
    ask(connection, false)?;
    let done = write_unasked(connection, scope, work);
    ask(connection, true)?;
    done
}

fn write_unasked<T, E: From<DatabaseError>>(
    connection: &mut Connection,
    scope: Scope,
    work: impl FnOnce(&Transaction<'_>) -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(DatabaseError::from)?;
    let aside = set_aside(&transaction, scope)?;
    let Some(result) = work(&transaction)? else { return Ok(None) };
    put_back(&transaction, scope, &aside)?;
    failpoint::commit(transaction).map_err(DatabaseError::from)?;
    Ok(Some(result))
}

/// Drops every trigger on the tables of `scope` and returns those that are not ours.
fn set_aside(connection: &Connection, scope: Scope) -> Result<Vec<Trigger>, DatabaseError> {
    let mut foreign = Vec::new();
    let domain: Vec<&str> = tables()
        .iter()
        .flat_map(|table| [Some(table.name), table.lines.as_ref().map(|lines| lines.name)])
        .flatten()
        .collect();
    for (name, table, sql) in stored(connection)? {
        let is_domain = domain.contains(&table.as_str());
        // The journal's own guards let through what is in order, from us too.
        let is_book = table.starts_with("svod_") && !name.starts_with("svod_journal_");
        if !(is_book || scope == Scope::Everything && is_domain) {
            continue;
        }
        connection.execute_batch(&format!("DROP TRIGGER \"{}\"", name.replace('"', "\"\"")))?;
        if !name.starts_with("svod_") {
            foreign.push(Trigger { name, sql });
        }
    }
    Ok(foreign)
}

/// Drops every trigger of ours but the journal's, on whatever table it is.
pub(super) fn drop_all(connection: &Connection) -> Result<(), DatabaseError> {
    let ours = |name: &str| name.starts_with("svod_") && !name.starts_with("svod_journal_");
    for (name, ..) in stored(connection)?.into_iter().filter(|(name, ..)| ours(name)) {
        connection.execute_batch(&format!("DROP TRIGGER \"{}\"", name.replace('"', "\"\"")))?;
    }
    Ok(())
}

fn put_back(connection: &Connection, scope: Scope, foreign: &[Trigger]) -> Result<(), DatabaseError> {
    for trigger in expected(scope).iter().chain(foreign) {
        connection.execute_batch(&trigger.sql)?;
    }
    Ok(())
}

/// The triggers that keep the journal append-only, as SQLite stores them.
fn journal_triggers() -> &'static [Trigger] {
    static TRIGGERS: LazyLock<Vec<Trigger>> = LazyLock::new(|| {
        let scratch = Connection::open_in_memory().expect("SQLite opens a database in memory");
        scratch.execute_batch(&journal_table::schema(CENTRE_TABLE)).expect("the journal's schema is tested");
        let stored = stored(&scratch).expect("sqlite_master is readable");
        stored.into_iter().map(|(name, _, sql)| Trigger { name, sql }).collect()
    });
    &TRIGGERS
}

/// Which of our triggers, of all scopes, are absent or have another text.
///
/// # Errors
/// SQLite's.
pub fn altered_triggers(connection: &Connection) -> Result<Vec<AlteredTrigger>, DatabaseError> {
    let stored = stored(connection)?;
    let journal = journal_triggers().iter().cloned();
    let altered = expected(Scope::Everything).into_iter().chain(journal).filter_map(|trigger| {
        match stored.iter().find(|(name, ..)| *name == trigger.name) {
            None => Some(AlteredTrigger { name: trigger.name, missing: true }),
            Some((_, table, sql)) if *sql != trigger.sql || table != trigger.table() => {
                Some(AlteredTrigger { name: trigger.name, missing: false })
            }
            Some(_) => None,
        }
    });
    Ok(altered.collect())
}

fn stored(connection: &Connection) -> Result<Vec<(String, String, String)>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Creates the journal's own triggers anew if they are absent or altered; all others come back at the end of
/// every transaction of [`write`].
///
/// # Errors
/// SQLite's.
pub fn restore_journal_triggers(connection: &Connection) -> Result<(), DatabaseError> {
    for trigger in journal_triggers() {
        connection.execute_batch(&format!("DROP TRIGGER IF EXISTS {}", trigger.name))?;
        connection.execute_batch(&trigger.sql)?;
    }
    Ok(())
}
