//! The daemon's own transactions: the only place where locks and guards are lifted.

use std::{collections::BTreeMap, sync::LazyLock};

use exchange_endpoint::{
    failpoint,
    journal_table::{self, CENTRE_TABLE},
};
use rusqlite::{
    Connection, Transaction, TransactionBehavior,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
};

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

/// All triggers of ours but the journal's.
pub fn expected() -> &'static [Trigger] {
    static TRIGGERS: LazyLock<Vec<Trigger>> = LazyLock::new(|| {
        let of_tables = tables().iter().flat_map(triggers::triggers);
        guards::guards().into_iter().chain([triggers::queue_trigger()]).chain(of_tables).collect()
    });
    &TRIGGERS
}

/// Runs `work` in one immediate transaction in which this connection asks no trigger: neither ours nor those that the
/// centre has put on the same tables, so that nothing rides along. Every other connection asks them as ever, and so
/// does this one when the transaction has ended, however it ends. What `scope` does not name stays closed, and so
/// does the past of the journal. If `work` fails, nothing has happened.
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
    let mut lifted = Lifted::of(connection)?;
    lifted.guards(scope)?;
    let transaction = lifted.begin()?;
    let Some(result) = work(&transaction)? else { return Ok(None) };
    failpoint::commit(transaction).map_err(DatabaseError::from)?;
    Ok(Some(result))
}

/// As [`write_if`], over the whole schema, with all triggers dropped and made anew: what of ours was dropped or altered
/// is as it should be afterwards, and what the centre has put on the same tables is there again.
///
/// # Errors
/// What `work` returns, or SQLite's.
pub fn make_anew<T, E: From<DatabaseError>>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let mut lifted = Lifted::of(connection)?;
    let transaction = lifted.begin()?;
    let aside = set_aside(&transaction)?;
    let Some(result) = work(&transaction)? else { return Ok(None) };
    put_back(&transaction, &aside)?;
    failpoint::commit(transaction).map_err(DatabaseError::from)?;
    Ok(Some(result))
}

/// A connection that is not refused what others are: by conditions that the centre has put on columns of its own, and by
/// triggers. It is refused again when this is dropped.
struct Lifted<'c>(&'c mut Connection);

impl<'c> Lifted<'c> {
    fn of(connection: &'c mut Connection) -> Result<Self, DatabaseError> {
        let lifted = Self(connection);
        lifted.0.pragma_update(None, "ignore_check_constraints", true)?;
        Ok(lifted)
    }

    /// Asks no trigger. What these would refuse outside of `scope` is refused when a statement is prepared.
    fn guards(&mut self, scope: Scope) -> Result<(), DatabaseError> {
        self.0.authorizer(Some(move |asked: AuthContext<'_>| judge(scope, &asked)))?;
        self.0.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        Ok(())
    }

    fn begin(&mut self) -> Result<Transaction<'_>, DatabaseError> {
        Ok(self.0.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    fn end(&mut self) -> rusqlite::Result<()> {
        // first, what cannot fail
        self.0.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
        self.0.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        self.0.pragma_update(None, "ignore_check_constraints", false)
    }
}

impl Drop for Lifted<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "a connection is refused less than it should be");
        }
    }
}

/// What a statement of ours may do in `scope`: in [`Scope::Book`] write into the exchange's own tables; nowhere change or
/// cut the journal.
fn judge(scope: Scope, asked: &AuthContext<'_>) -> Authorization {
    use AuthAction::{Delete, Insert, Update};
    let (Insert { table_name } | Update { table_name, .. } | Delete { table_name }) = asked.action else {
        return Authorization::Allow;
    };
    let is_past = table_name == CENTRE_TABLE && !matches!(asked.action, Insert { .. });
    let is_outside =
        scope == Scope::Book && asked.database_name == Some("main") && !table_name.starts_with("svod_");
    if is_past || is_outside { Authorization::Deny } else { Authorization::Allow }
}

/// Drops every trigger on our tables and returns those that are not ours.
fn set_aside(connection: &Connection) -> Result<Vec<Trigger>, DatabaseError> {
    let mut foreign = Vec::new();
    let domain: Vec<&str> = tables()
        .iter()
        .flat_map(|table| [Some(table.name), table.lines.as_ref().map(|lines| lines.name)])
        .flatten()
        .collect();
    for (name, table, sql) in stored(connection)? {
        // The journal's own guards let through what is in order, from us too.
        let is_book = table.starts_with("svod_") && !name.starts_with("svod_journal_");
        if !is_book && !domain.contains(&table.as_str()) {
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

fn put_back(connection: &Connection, foreign: &[Trigger]) -> Result<(), DatabaseError> {
    for trigger in expected().iter().chain(foreign) {
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
    let stored: BTreeMap<&str, (&str, &str)> =
        stored.iter().map(|(name, table, sql)| (name.as_str(), (table.as_str(), sql.as_str()))).collect();
    let altered = expected().iter().chain(journal_triggers()).filter_map(|trigger| {
        let found = stored.get(trigger.name.as_str());
        let is_ours = found.is_some_and(|(table, sql)| *sql == trigger.sql && *table == trigger.table());
        (!is_ours).then(|| AlteredTrigger { name: trigger.name.clone(), missing: found.is_none() })
    });
    Ok(altered.collect())
}

fn stored(connection: &Connection) -> Result<Vec<(String, String, String)>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Creates the journal's own triggers anew if they are absent or altered; all others come back by [`make_anew`].
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
