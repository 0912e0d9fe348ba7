//! The auditor's tool: says of a packet or a protocol what is proven and what is not, without network, database or
//! daemon.
//!
//! `cli` what somebody types and reads · [`given`] a file and how it is opened · [`cards`] the participants that the
//! auditor trusts · [`examination`] every check, each with its result · [`summary`] what a manifest says ·
//! [`protocol_check`] protocols of exchange · [`unpacking`] the members as files.

pub mod cards;
mod cli;
pub mod examination;
pub mod given;
pub mod protocol_check;
pub mod summary;
pub mod unpacking;

/// Runs the command line `args` and returns the exit code of docs/CLI_JSON.md.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
    cli::run(args)
}
