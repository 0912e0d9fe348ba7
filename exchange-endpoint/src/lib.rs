//! What both daemons need at the edge.
//!
//! How a program speaks: [`output`] (results, errors, exit codes), [`messages`] (Russian and English), [`help`],
//! [`logging`]. What it reads at start: [`config`], [`instance`]. What it keeps: [`watermark`],
//! [`journal_table`], [`request_table`], [`protocol`], all written by way of [`durable_file`];
//! [`keys`] and [`trust`], outside the database; [`archive`] for files too large to hold. Where its packets go: [`mailbox`];
//! [`stray`] what is said of a file that is none. What people bring and take away: [`tables`].

pub mod archive;
pub mod config;
pub mod durable_file;
pub mod help;
pub mod instance;
pub mod journal_table;
pub mod keys;
pub mod logging;
pub mod mailbox;
pub mod messages;
pub mod output;
pub mod protocol;
pub mod request_table;
pub mod stray;
pub mod tables;
pub mod trust;
mod usage;
pub mod watermark;
