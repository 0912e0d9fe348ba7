//! What a centre decides, without a database, a socket or a clock.
//!
//! [`tables`] which tables there are · [`mapping`] a row and the body of its record · [`picture`] which rows
//! show a publication · [`raced`] a local edit that raced a lock becomes a proposal · [`wishes`] proposals by hand ·
//! [`ddl`] the text of a table.

pub mod ddl;
pub mod mapping;
pub mod picture;
pub mod raced;
pub mod tables;
pub mod wishes;
