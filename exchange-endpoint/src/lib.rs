//! What both daemons need at the edge.
//!
//! How a program speaks: [`output`] (results, errors, exit codes), [`messages`] (Russian and English), [`help`],
//! [`logging`]. Who uses it: [`account`]. What it reads at start: [`config`], [`instance`]; how much it may have open: [`open_files`]; whether that still has its name: [`opened_file`], and all its pages: [`database_pages`]. What it keeps: [`watermark`],
//! [`journal_table`], [`request_table`], [`difference_table`], [`protocol`] ([`protocol_table`]), all written by way of [`durable_file`];
//! [`keys`] and [`trust`] (outside the database), how they change ([`rotation`], [`key_table`]) and which of a peer's count where
//! ([`key_ring`]); [`archive`] for files too large to hold; [`backup`] and [`backup_told`] copies of the database. Where its packets go: [`mailbox`];
//! What a test may take into its own hands: [`clock`], [`chance`], each durable step ([`failpoint`]).
//! [`stray`] what is said of a file that is none, [`quarantine`] of one that was not accepted, [`incident`] how one ends by a person's word, [`keys_told`] of keys, [`overdue`] of what waits for too long. What people bring and take away: [`tables`].

pub mod account;
pub mod archive;
pub mod backup;
pub mod backup_told;
pub mod chance;
pub mod clear_copy;
pub mod clock;
pub mod config;
mod database_copy;
pub mod database_pages;
pub mod difference_table;
pub mod durable_file;
pub mod failpoint;
pub mod help;
pub mod incident;
pub mod instance;
pub mod journal_table;
pub mod key_ring;
pub mod key_table;
pub mod keys;
pub mod keys_told;
pub mod logging;
pub mod mailbox;
pub mod messages;
pub mod no_room;
pub mod open_files;
pub mod opened_file;
pub mod output;
pub mod overdue;
pub mod protocol;
pub mod protocol_table;
pub mod quarantine;
pub mod request_table;
pub mod rotation;
pub mod staging;
pub mod stray;
pub mod sum;
pub mod tables;
pub mod trust;
mod usage;
pub mod watermark;
