//! The spoke: a centre's end of the exchange, over the centre's own SQLite database.

pub mod database;

/// Runs the command line `args` and returns the exit code of docs/CLI_JSON.md.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
    let _ = args.into_iter().count();
    std::process::ExitCode::SUCCESS
}
