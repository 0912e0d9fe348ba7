//! Making and opening `centre.db`.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use exchange_endpoint::{
    database_pages, difference_table,
    journal_table::{self, CENTRE_TABLE},
    key_table, protocol_table, request_table,
};
use exchange_format::participant::ParticipantCode;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, config::DbConfig};

use super::{DatabaseError, shape, tables::tables, tables_ddl, triggers, write};

/// `PRAGMA application_id`: "SVDC", so that `file` and this program know a centre's database.
const APPLICATION_ID: i32 = 0x5356_4443;
/// The version of the tables.
const TABLES_VERSION: &str = "14";
/// The version before: the same tables with other triggers, without the view [`triggers::QUEUE`].
const FORMER_VERSION: &str = "13";
/// How long a statement waits for another program's transaction.
const BUSY: Duration = Duration::from_secs(10);

/// SQLite's cache of pages: most of the memory that the daemon takes, however large the database is.
const CACHE_KIB: u32 = 32_000;
/// The same for a connection that reads everything once.
const SCAN_KIB: u32 = 4_000;

/// Who keeps this database, and with whom it exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// This centre.
    pub own: ParticipantCode,
    /// Its hub.
    pub hub: ParticipantCode,
}

/// The whole schema without triggers, as `init` writes it.
pub fn schema_sql() -> String {
    let domain: String = tables().iter().map(tables_ddl::create).collect();
    let (journal, requests) =
        (journal_table::schema(CENTRE_TABLE), request_table::schema(request_table::CENTRE_TABLE));
    let keys = key_table::schema(key_table::CENTRE_TABLE);
    let differences = difference_table::schema(difference_table::CENTRE_TABLE);
    let protocols = protocol_table::schema(protocol_table::CENTRE_TABLE);
    format!("{domain}\n{}\n{journal}{requests}{keys}{differences}{protocols}", include_str!("book.sql"))
}

/// Makes a new database at `path`.
///
/// # Errors
/// [`DatabaseError::Exists`] if something is there already, or SQLite's.
pub fn create(path: &Path, identity: Identity) -> Result<Connection, DatabaseError> {
    if path.exists() {
        return Err(DatabaseError::Exists(path.to_owned()));
    }
    // SQLite would make it 0644; its WAL takes the mode from it, and the centre's programs share a group.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o660).open(path);
    made.map_err(|source| DatabaseError::NotMade { path: path.to_owned(), source })?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection
        .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA journal_mode = WAL;"))?;
    settings(&connection)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(&schema_sql())?;
    meta(&transaction, "tables_version", TABLES_VERSION)?;
    meta(&transaction, "code", identity.own.as_str())?;
    meta(&transaction, "hub", identity.hub.as_str())?;
    for trigger in write::expected() {
        transaction.execute_batch(&trigger.sql)?;
    }
    transaction.commit()?;
    Ok(connection)
}

/// Does `work` while nobody else writes.
///
/// # Errors
/// SQLite's.
pub fn alone<T>(connection: &Connection, work: impl FnOnce() -> T) -> Result<T, DatabaseError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = work();
    connection.execute_batch("ROLLBACK")?;
    Ok(done)
}

fn meta(transaction: &Transaction<'_>, name: &str, value: &str) -> Result<(), DatabaseError> {
    transaction.execute("INSERT INTO svod_meta (name, value) VALUES (?1, ?2)", [name, value])?;
    Ok(())
}

/// Opens the database for reading and writing. One with the tables of the version before is brought up to this one.
///
/// # Errors
/// It is missing, is no centre's database, or has another version of the tables.
pub fn open(path: &Path) -> Result<(Connection, Identity), DatabaseError> {
    open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens the database for reading only.
///
/// # Errors
/// As [`open`].
pub fn open_read_only(path: &Path) -> Result<(Connection, Identity), DatabaseError> {
    open_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Opens the database for one long reading pass beside another connection of this process, with little memory.
///
/// # Errors
/// As [`open`].
pub fn open_to_scan(path: &Path) -> Result<Connection, DatabaseError> {
    let (connection, _) = open_read_only(path)?;
    connection.execute_batch(&format!("PRAGMA cache_size = -{SCAN_KIB};"))?;
    Ok(connection)
}

fn open_with(path: &Path, flags: OpenFlags) -> Result<(Connection, Identity), DatabaseError> {
    if !path.exists() {
        return Err(DatabaseError::Missing(path.to_owned()));
    }
    let mut connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    let may_write = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
    if may_write {
        mend_schema(&connection)?;
    } else {
        // whoever only looks reads what there is of a schema that somebody has altered; past a page of it that is lost SQLite would
        // then read as if nothing had stood there
        if let Err(error) = connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
            && error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt)
            && database_pages::is_damage(&error)
        {
            return Err(error.into());
        }
        connection.execute_batch("PRAGMA writable_schema = ON")?;
    }
    let not_ours = || DatabaseError::NotOurs { path: path.to_owned() };
    let application = settings(&connection).and_then(|()| {
        Ok(connection.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))?)
    });
    match application {
        Ok(APPLICATION_ID) => {}
        Err(DatabaseError::Sqlite(error))
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase)
                && !database_pages::has_lost_its_head(path) =>
        {
            return Err(not_ours());
        }
        Err(error) => return Err(error),
        Ok(_) => return Err(not_ours()),
    }
    let mut found = read_meta(&connection, "tables_version")?.ok_or_else(not_ours)?;
    if found == FORMER_VERSION {
        if may_write {
            bring_up(&mut connection)?;
        } else {
            drop(open(path)?);
        }
        found = read_meta(&connection, "tables_version")?.ok_or_else(not_ours)?;
    }
    if found != TABLES_VERSION {
        return Err(DatabaseError::Version { path: path.to_owned(), found, expected: TABLES_VERSION });
    }
    let code = |name: &str| -> Result<ParticipantCode, DatabaseError> {
        read_meta(&connection, name)?.and_then(|text| text.parse().ok()).ok_or_else(not_ours)
    };
    let identity = Identity { own: code("code")?, hub: code("hub")? };
    Ok((connection, identity))
}

/// Makes of [`FORMER_VERSION`] the present one: another set of triggers, and a view. In one transaction; whoever else has it open
/// goes on with the new ones.
fn bring_up(connection: &mut Connection) -> Result<(), DatabaseError> {
    let done = write::make_anew(connection, |transaction| {
        if read_meta(transaction, "tables_version")?.as_deref() != Some(FORMER_VERSION) {
            return Ok(None);
        }
        write::drop_all(transaction)?;
        let made = shape::expected().iter().filter(|part| part.name == triggers::QUEUE);
        made.into_iter().try_for_each(|view| transaction.execute_batch(&view.sql))?;
        let set = "UPDATE svod_meta SET value = ?1 WHERE name = 'tables_version'";
        transaction.execute(set, [TABLES_VERSION])?;
        Ok::<_, DatabaseError>(Some(()))
    })?;
    if done.is_some() {
        tracing::info!(from = FORMER_VERSION, to = TABLES_VERSION, "the tables are of this version now");
    }
    Ok(())
}

/// What of the schema SQLite cannot read, if `error` says so.
pub fn malformed(error: &rusqlite::Error) -> Option<String> {
    let text = error.to_string();
    let (_, rest) = text.split_once("malformed database schema (")?;
    rest.split_once(')').map(|(name, _)| name.to_owned())
}

/// Takes away triggers and views that somebody has written into `sqlite_master` so that SQLite reads the schema no more.
/// The next audit finds and makes again what of them was ours.
///
/// # Errors
/// SQLite's.
pub fn mend_schema(connection: &Connection) -> Result<(), DatabaseError> {
    let read = || connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, u64>(0));
    while let Some(name) = read().err().as_ref().and_then(malformed) {
        connection.execute_batch("PRAGMA writable_schema = ON")?;
        let taken = connection
            .execute("DELETE FROM sqlite_master WHERE name = ?1 AND type IN ('trigger', 'view')", [&name]);
        connection.execute_batch("PRAGMA writable_schema = RESET")?;
        if taken? == 0 {
            break;
        }
        tracing::error!(
            name,
            "somebody has altered the schema so that nobody could read it; this of it is taken away"
        );
    }
    Ok(())
}

/// SQLite here is built with foreign keys on; applying a packet is not the place to enforce them.
fn settings(connection: &Connection) -> Result<(), DatabaseError> {
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL; PRAGMA cache_size = -{CACHE_KIB};"
    ))?;
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS svod_settle AS SELECT 0 AS seconds; -- see super::own_records::settle",
    )?;
    connection.set_prepared_statement_cache_capacity(200);
    // A plan is made once, from the text: SQLite would else make one with every value for some statements.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The database has its log in a file beside it, so that readers and the writer do not wait for each other: a copy has none.
///
/// # Errors
/// SQLite's.
pub fn keep_log(connection: &Connection) -> Result<(), DatabaseError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(())
}

/// Folds the log into the database, so that nothing of it stands beside the file any more; false while somebody reads it.
///
/// # Errors
/// SQLite's.
pub fn fold_log(connection: &Connection) -> Result<bool, DatabaseError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))? == 0)
}

/// A fact of `svod_meta`.
///
/// # Errors
/// SQLite's.
pub fn read_meta(connection: &Connection, name: &str) -> Result<Option<String>, DatabaseError> {
    let mut statement = connection.prepare_cached("SELECT value FROM svod_meta WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}
