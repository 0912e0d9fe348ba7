//! The spoke: a centre's end of the exchange, over the centre's own SQLite database.
//!
//! Any program works in the plain tables of `centre.db` ([`database`]); what changes there goes to the hub,
//! and what the hub publishes is shown there, locked ([`decisions`]). [`edges::event_loop`] is a centre's day.

pub mod cli;
pub mod database;
pub mod decisions;
pub mod edges;

/// Runs the command line `args` and returns the exit code of docs/CLI_JSON.md.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
    cli::run(args)
}
