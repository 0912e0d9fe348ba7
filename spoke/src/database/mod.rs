//! `centre.db`: the centre's own database, in which any program reads and writes plain tables (contract v1).
//!
//! [`tables`] which tables there are · `tables_ddl`, `book.sql` their text · [`triggers`] locks and capture ·
//! [`guards`] who may write the exchange's own tables · [`write`](mod@write) the daemon's transactions.

pub mod book;
mod error;
pub mod guards;
mod open;
pub mod own_records;
pub mod publications;
pub mod report;
pub mod rows;
pub use crate::decisions::tables;
mod tables_ddl;
pub mod triggers;
pub mod verify;
pub mod write;

pub use self::{
    error::DatabaseError,
    open::{Identity, create, open, open_read_only, schema_sql},
};
