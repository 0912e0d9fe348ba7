//! hub.db: all SQL of the hub is below here, behind [`Store`] and [`Tx`], which take and give plain values,
//! so that another store can come.
//!
//! One file a group of tables: [`received`] what centres sent · [`linking`] the model, the index and pairs · [`counts`] what was counted · [`people`]
//! persons, documents, entries · [`publications`] · [`reviews`] and their [`signatures`] · [`streams`] packets and streams ·
//! [`strangers`] whether somebody else writes · [`drawn`] what staff draw up · [`requests`] · [`recovery`] after a restore · [`quarantine`] · [`inputs`] the hub's stream to itself · [`centres`] · [`journal`] · [`status`] · [`overdue`] what waits · [`draft`] long work beside
//! others · [`noted`] what is written, for the archive · [`rebuilt`] for a rebuild · [`content`] what is known, as one digest · [`exported`] everything of one kind, for files · [`filed`] what the archive must have.

pub mod answers;
pub mod centres;
pub mod content;
mod counts;
pub mod days;
pub mod draft;
pub mod drawn;
pub mod exported;
pub mod filed;
pub mod inputs;
pub mod journal;
pub mod linking;
pub mod noted;
pub mod overdue;
pub mod people;
pub mod publications;
pub mod quarantine;
pub mod rebuilt;
pub mod received;
pub mod recovery;
pub mod requests;
pub mod reviews;
pub mod signatures;
pub mod status;
mod strangers;
pub mod streams;

use std::{
    cell::{Cell, RefCell},
    cmp::Ordering,
    path::{Path, PathBuf},
    time::Duration,
};

use exchange_endpoint::{
    database_pages, difference_table, failpoint,
    journal_table::{self, JournalError},
    key_table,
    opened_file::{OpenedFile, Standing},
    protocol_table,
    request_table::{self, RequestError},
};
use rusqlite::{
    Connection, OpenFlags, Row, Transaction, TransactionBehavior, config::DbConfig, types::FromSql,
};

/// The schema that this program reads and writes (`PRAGMA user_version`).
pub const SCHEMA_VERSION: i64 = 16;

/// The schemas before it, which are converted when they are opened: SQL alone takes each over into the next.
const FORMER_SCHEMAS: [(i64, &str); 3] =
    [(13, include_str!("from_13.sql")), (14, include_str!("from_14.sql")), (15, include_str!("from_15.sql"))];

/// `PRAGMA application_id`: "SVDH", so that `file` and this program know a hub's database.
const APPLICATION_ID: i64 = 0x5356_4448;

/// Pages of the write-ahead log, 64 MiB of them, from which on whoever commits folds it into the database.
const LOG_PAGES: i64 = 16_384;

/// Why the database did not do what was asked. No variant holds a value of a record.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no such file.
    #[error("there is no database {0}")]
    Absent(PathBuf),
    /// The file exists already.
    #[error("the database {0} exists already")]
    Exists(PathBuf),
    /// The file is no database of a hub.
    #[error("{0} is not the database of a hub")]
    Foreign(PathBuf),
    /// The file or its directory cannot be written.
    #[error("the database or its directory cannot be written")]
    ReadOnly,
    /// It has a schema that this program no longer reads, or none of ours.
    #[error("{path} has schema {found}, this program reads {SCHEMA_VERSION}")]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
    },
    /// It was written by a newer program.
    #[error("{path} has schema {found}, this program knows up to {SCHEMA_VERSION}")]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
    },
    /// Another process held it for longer than the time-out.
    #[error("the database is busy: another command is writing to it")]
    Busy,
    /// A stranger has written into it, and its rows were not looked at since.
    #[error("somebody else has written into the database; its rows are looked at first")]
    Unlooked,
    /// SQLite says no.
    #[error("the database refused: {0}")]
    Sqlite(rusqlite::Error),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A stored value is not what this program writes.
    #[error("table {table} holds a value that this program does not write: column {column}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

impl DatabaseError {
    /// Whether the file of the database is damaged.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) | Self::Journal(JournalError::Database(error)) => {
                database_pages::is_damage(error)
            }
            _ => false,
        }
    }
}

impl From<RequestError> for DatabaseError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Database(error) => error.into(),
            RequestError::Damaged(column) => Self::Damaged { table: request_table::HUB_TABLE, column },
        }
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::Busy,
            Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen) => Self::ReadOnly,
            _ => Self::Sqlite(error),
        }
    }
}

/// What calls into the database give.
pub type Result<T, E = DatabaseError> = std::result::Result<T, E>;

/// An open hub.db: one connection.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    opened: OpenedFile,
    /// How long a transaction waits for that of another connection.
    patience: Duration,
    counts: RefCell<counts::Held>,
    /// If it watches for strangers.
    watch: Option<strangers::Watch>,
}

/// The patience of who has not said how long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A transaction: everything done through it is committed together or not at all.
#[derive(Debug)]
pub struct Tx<'a> {
    db: Transaction<'a>,
    /// Whether what a damaged file does not give is left out, instead of being an error; and whether it was.
    spares: bool,
    lacked: Cell<bool>,
    /// What the connection holds of what was counted.
    counts: &'a RefCell<counts::Held>,
}

impl Store {
    /// Makes a new database at `path`.
    pub fn create(path: &Path) -> Result<Self> {
        let mut store = Self::create_unnoted(path)?;
        store.write(|tx| tx.begin_noting())?;
        Ok(store)
    }

    /// A new database at `path` in which nothing is noted until [`Tx::begin_noting`].
    pub fn create_unnoted(path: &Path) -> Result<Self> {
        if path.exists() {
            return Err(DatabaseError::Exists(path.to_owned()));
        }
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let store = Self::configured(connection, path)?;
        store.connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {} {} PRAGMA application_id = {APPLICATION_ID}; \
             PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;",
            include_str!("schema.sql"),
            journal_table::schema(journal_table::HUB_TABLE)
                + &request_table::schema(request_table::HUB_TABLE)
                + &key_table::schema(key_table::HUB_TABLE)
                + &difference_table::schema(difference_table::HUB_TABLE)
                + &protocol_table::schema(protocol_table::HUB_TABLE),
        ))?;
        Ok(store)
    }

    /// Opens the database at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Err(DatabaseError::Absent(path.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        // the first look into the file: one that is no database is found out here
        match connection.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0)) {
            Ok(APPLICATION_ID) => {}
            Err(error)
                if error.sqlite_error_code() != Some(rusqlite::ErrorCode::NotADatabase)
                    || database_pages::has_lost_its_head(path) =>
            {
                return Err(error.into());
            }
            _ => return Err(DatabaseError::Foreign(path.to_owned())),
        }
        let mut store = Self::configured(connection, path)?;
        let mut found = store.schema()?;
        if FORMER_SCHEMAS.iter().any(|(schema, _)| *schema == found) {
            found = store.convert()?;
        }
        match found.cmp(&SCHEMA_VERSION) {
            Ordering::Equal => Ok(store),
            Ordering::Greater => Err(DatabaseError::Newer { path: path.to_owned(), found }),
            Ordering::Less => Err(DatabaseError::Older { path: path.to_owned(), found }),
        }
    }

    fn schema(&self) -> Result<i64> {
        Ok(self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
    }

    /// Takes a database of one of [`FORMER_SCHEMAS`] over into this one, whole or not at all; its schema then.
    fn convert(&mut self) -> Result<i64> {
        let db = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (schema, sql) in FORMER_SCHEMAS {
            // another process may have done it meanwhile
            let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if found == schema {
                db.execute_batch(sql)?;
            }
        }
        failpoint::commit(db)?;
        self.schema()
    }

    /// Sets how long a transaction waits for that of another connection.
    pub fn wait_for_others(&mut self, patience: Duration) -> Result<()> {
        self.connection.busy_timeout(patience)?;
        self.patience = patience;
        Ok(())
    }

    /// Opens the database that stands under the name of the opened one, if that is another file. Whether it is.
    ///
    /// # Errors
    /// There is none, or it is no hub's.
    pub fn follow_file(&mut self) -> Result<bool> {
        let fold = || {
            let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
            busy.is_ok_and(|busy: i64| busy == 0)
        };
        let path = self.opened.path();
        match self.opened.leave(fold).map_err(|_| DatabaseError::ReadOnly)? {
            Standing::Same => return Ok(false),
            Standing::Gone => return Err(DatabaseError::Absent(path.to_owned())),
            Standing::Other => {}
        }
        tracing::error!(
            database = %path.display(),
            "another file was put in the place of the database while this program had it open. Next: see OPERATING, section 8"
        );
        let (patience, watches) = (self.patience, self.watch.is_some());
        let opened = Self::open(path)?;
        *self = opened;
        if watches {
            self.watch()?;
        }
        self.wait_for_others(patience)?;
        Ok(true)
    }

    fn configured(connection: Connection, path: &Path) -> Result<Self> {
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // the daemon folds the log into the database when nothing is to be done; a transaction waits for that only where it has
        // grown beyond this
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        // bounded: the page cache is most of this process's memory
        connection.pragma_update(None, "cache_size", -32_000)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // a plan is made once, from the text: SQLite would else make one with every value for some statements
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(128);
        let counts = RefCell::default();
        Ok(Self { connection, opened: OpenedFile::of(path), patience: PATIENCE, counts, watch: None })
    }

    /// Runs `work` in one transaction that may write; commits if it succeeds.
    pub fn write<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact((TransactionBehavior::Immediate, true, false), work)
    }

    /// Runs `work` over one unchanging state of the database; nothing that it writes stays.
    pub fn read<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact((TransactionBehavior::Deferred, false, false), work)
    }

    /// [`read`](Self::read) for who tells how a database stands whose file may be damaged: rows that it does not give are left out,
    /// and [`Tx::has_lacked`] says so.
    pub fn read_what_is_left<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact((TransactionBehavior::Deferred, false, true), work)
    }

    fn transact<T, E: From<DatabaseError>>(
        &mut self,
        (behavior, commit, spares): (TransactionBehavior, bool, bool),
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let db = self.connection.transaction_with_behavior(behavior).map_err(DatabaseError::from)?;
        if matches!(behavior, TransactionBehavior::Immediate) {
            strangers::admit(&mut self.watch, &db)?;
        }
        self.counts.get_mut().distrust();
        let tx = Tx { db, spares, lacked: Cell::new(false), counts: &self.counts };
        let done = work(&tx)?; // dropped uncommitted: rolled back
        if commit {
            failpoint::commit(tx.db).map_err(DatabaseError::from)?;
        }
        Ok(done)
    }

    /// Changes whenever another connection has committed, never by this one's own commits.
    pub fn data_version(&self) -> Result<i64> {
        strangers::data_version(&self.connection)
    }

    /// The database has its log in a file beside it, so that readers and the writer do not wait for each other: a copy has none.
    pub fn keep_log(&self) -> Result<()> {
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        Ok(())
    }

    /// Closes the database: nothing of it stands beside the file any more.
    pub fn close(self) -> Result<()> {
        self.connection.close().map_err(|(_, error)| error.into())
    }

    /// For who fills a database and can do so again: until it is opened anew nothing is durable, and so many KiB of pages are
    /// held.
    pub fn hurry(&self, cache_kib: u32) -> Result<()> {
        self.connection.pragma_update(None, "synchronous", "OFF")?;
        self.connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
        Ok(())
    }

    /// Folds the write-ahead log into the database file as far as nobody reads what it has; keeps nobody waiting who reads.
    pub fn checkpoint(&self) -> Result<()> {
        self.connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)")?;
        Ok(())
    }
}

/// The value of `column`, parsed from its text.
fn parsed<T: std::str::FromStr>(row: &Row<'_>, table: &'static str, column: &'static str) -> Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| DatabaseError::Damaged { table, column })
}

/// [`parsed`] for a column that may be NULL.
fn parsed_optional<T: std::str::FromStr>(
    row: &Row<'_>,
    table: &'static str,
    column: &'static str,
) -> Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| DatabaseError::Damaged { table, column })).transpose()
}

impl Tx<'_> {
    /// Runs `work`; if it fails, nothing of it stays, and the transaction goes on.
    pub fn attempt<T, E: From<DatabaseError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let batch = |sql| self.db.execute_batch(sql).map_err(DatabaseError::from);
        batch("SAVEPOINT attempt")?;
        let done = work();
        if done.is_err() {
            self.counts.borrow_mut().distrust();
        }
        batch(if done.is_ok() { "RELEASE attempt" } else { "ROLLBACK TO attempt; RELEASE attempt" })?;
        done
    }

    /// Runs a statement; the number of rows it changed.
    fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize> {
        Ok(self.db.prepare_cached(sql)?.execute(parameters)?)
    }

    /// Whether rows were left out since this was asked last, because the file is damaged.
    pub fn has_lacked(&self) -> bool {
        self.lacked.take()
    }

    /// `read`, or nothing where rows may be left out.
    fn spared<T>(&self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Err(error) if self.spares && error.is_damage() => {
                self.lacked.set(true);
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// The first column of the first row, if there is one.
    fn value<T: FromSql>(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<T>> {
        self.row(sql, parameters, |row| Ok(row.get(0)?))
    }

    /// Every row, read by `read`.
    fn rows<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        let all = || {
            let mut statement = self.db.prepare_cached(sql)?;
            let mut rows = statement.query(parameters)?;
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(())
        };
        self.spared(all())?;
        Ok(found)
    }

    /// The first row, read by `read`.
    fn row<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let first = || {
            let mut statement = self.db.prepare_cached(sql)?;
            let mut rows = statement.query(parameters)?;
            rows.next()?.map(read).transpose()
        };
        Ok(self.spared(first())?.flatten())
    }
}

#[cfg(test)]
mod tests;
