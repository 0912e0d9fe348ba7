//! `centre.db`: the centre's own database, in which any program reads and writes plain tables (contract v1).
//!
//! The file: `open`, [`tables`] and `tables_ddl` the domain's, `book.sql` the exchange's own · [`triggers`]
//! locks and capture · [`guards`] who may write the exchange's tables · [`write`](mod@write) the daemon's
//! transactions. Out: [`own_records`] what has changed · [`snapshot`] everything · [`removals`] what of it is held, [`sent`] what was sent, [`sums`] over it, [`lost`] of it, [`returned`] after a restore. In: [`publications`] what came ·
//! [`showing`] the rows that show it, `standing` which they are · [`proposals`] what the centre wishes otherwise · [`verify`] whether they still do · `unseen` what no trigger saw, [`foreign`] what we cannot have written, [`bound`] whose keys are no longer theirs · [`shape`] whether
//! the tables are still those, `indexes` which others have made, `vanished` where one may be that is gone. [`rows`], `row_id` · [`book`] streams and packets ·
//! [`report`] what operators ask, [`overdue`] what waits · [`import`] rows of files, [`exported`] rows for files.

pub mod book;
pub mod bound;
mod error;
pub mod exported;
pub mod faults;
pub mod foreign;
pub mod guards;
pub mod import;
mod indexes;
pub mod links;
pub mod lost;
mod open;
pub mod overdue;
pub mod own_records;
pub mod proposals;
pub mod publications;
pub mod ranges;
pub mod removals;
pub mod report;
pub mod returned;
mod row_id;
pub mod rows;
pub mod sent;
pub mod shape;
pub mod showing;
pub mod snapshot;
mod standing;
pub mod sums;
pub use crate::decisions::tables;
mod tables_ddl;
pub mod triggers;
pub mod unseen;
mod vanished;
pub mod verify;
pub mod write;

pub use self::{
    error::DatabaseError,
    open::{
        Identity, alone, create, fold_log, keep_log, malformed, mend_schema, open, open_read_only,
        open_to_scan, read_meta, schema_sql,
    },
};
