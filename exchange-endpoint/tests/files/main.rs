//! The files that operators write and read: configuration, protocols, tables.

mod config;
mod protocol;
mod tables;
