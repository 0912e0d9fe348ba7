//! The hub daemon: claims of the centres come in, persons are made of them, publications go out.
//!
//! `cli` what staff type · [`edges`] files, sockets, time, and the main path in [`edges::event_loop`] ·
//! [`decisions`] every rule, without input or output · [`database`] hub.db and all its SQL.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the path of a method of Tx is not general enough over its lifetime"
)]

mod cli;
pub mod database;
pub mod decisions;
pub mod edges;

/// Runs the command line `args` and returns the exit code of docs/CLI_JSON.md.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
    cli::run(args)
}
