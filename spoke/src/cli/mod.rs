//! The command line of `svod-spoke`.

mod check;
mod export;
mod gone;
mod import;
mod init;
mod keys;
mod propose;
mod resync;
mod run;
mod status;
mod verify;
mod why;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};
use exchange_endpoint::{
    account,
    backup_told::{BackupCommand, RestoreCommand},
    config::Config,
    durable_file::{self, SharedWith},
    incident::IncidentCommand,
    keys_told::KeysCommand,
    messages::{self, Lang},
    output::{self, CommandLine, CommonArgs, Exit, Failure},
    protocol::ProtocolCommand,
    quarantine::QuarantineCommand,
};
use jiff::Timestamp;

use crate::{
    database::report::{Incident, ProposalState},
    edges::{
        config::{self, SpokeConfig},
        copies,
    },
};

/// A centre's end of the exchange: it sees what any program changes in the centre's own database, sends it to
/// the coordination centre, and locks the records that come back.
///
/// A new centre: init with the hub's card, hand the card it makes to the coordination centre, import what there
/// is, then run (the daemon) or sync from a timetable. status says what waits and for whom, why explains a
/// locked row, verify proves every one. All commands but sync and verify --restore may be used while the daemon runs.
#[derive(Debug, Parser)]
#[command(name = "svod-spoke", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this centre's keys, card, database and configuration
    Init(init::Init),
    /// Read a CSV or XLSX file into a table; again is an update; absence deletes nothing
    Import(import::Import),
    /// Write tables, or what the hub has changed in them, into CSV or XLSX files
    Export(export::Export),
    /// Exchange until asked to end
    Run,
    /// One round of exchange now
    Sync(run::Sync),
    /// Streams, unanswered packets, refused and held records, proposals, incidents
    Status,
    /// After a restore: what the hub has otherwise than this database; --yes takes it back and goes on
    Resync(resync::Resync),
    Backup(BackupCommand),
    Restore(RestoreCommand),
    /// Compare everything published with what the hub signed
    Verify(verify::Verify),
    /// Check the centre's own rows by the rules of the domain (docs/RULES.md)
    Check(check::Check),
    /// Records held because most of their table is gone: were they deleted on purpose, or lost?
    Gone(gone::Gone),
    /// Whose a row is, since which packet, which fields, and whom to ask
    Why(why::Why),
    /// Wish that locked values of a row be changed: the hub's staff decide
    Propose(propose::Propose),
    /// Files that were not accepted
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// What was found wrong and has been looked into
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Own keys and the hub's
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Protocols of exports and loads
    #[command(subcommand)]
    Protocol(ProtocolCommand),
}

impl CommandLine for Cli {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs the command line `args`, the program's name first, and returns the exit code of docs/CLI_JSON.md.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    durable_file::make_private(SharedWith::Group);
    output::run_main::<Cli>(args, |cli| command(&cli))
}

fn command(cli: &Cli) -> Result<Exit, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Init(init) => init.run(common),
        Command::Import(import) => import.run(common),
        Command::Export(export) => export.run(common),
        Command::Run => run::run(common),
        Command::Sync(sync) => sync.run(common),
        Command::Status => status::run(common),
        Command::Resync(resync) => resync.run(common),
        Command::Backup(backup) => {
            let config = config(common)?;
            backup.run(common, &copies::place(&config), |head| Ok(copies::note(&config, head)?))
        }
        Command::Restore(restore) => {
            let config = config(common)?;
            restore.run(common, &copies::place(&config), |path, watermark| {
                Ok(copies::prepare(&config, path, watermark, Timestamp::now())?)
            })
        }
        Command::Verify(verify) => verify.run(common),
        Command::Check(check) => check.run(common),
        Command::Gone(gone) => gone.run(common),
        Command::Why(why) => why.run(common),
        Command::Propose(propose) => propose.run(common),
        Command::Quarantine(command) => keys::quarantine(common, command),
        Command::Incident(command) => keys::incident(common, command),
        Command::Keys(command) => keys::run(common, *command),
        Command::Protocol(command) => {
            let config = config(common)?;
            command.run(common, &config.path(&config.protocols))
        }
    }
}

/// A proposal in the text of a command.
fn proposal_line(lang: Lang, proposal: &ProposalState) -> String {
    let state = messages::word(lang, "proposal-state", &proposal.state);
    let problem = proposal.problem.as_deref().map(|kept| status::problem(lang, kept));
    let problem = problem.map_or_else(String::new, |(field, words)| format!(" ({field}: {words})"));
    let words = proposal.words.as_ref().map_or_else(String::new, |words| format!(" «{words}»"));
    format!("  {} {} {}: {state}{problem}{words}", proposal.table, proposal.id, proposal.key)
}

/// An incident in the text of a command.
fn incident_line(lang: Lang, one: &Incident) -> String {
    let moment = |at: &str| messages::stored_moment(lang, at);
    let end = one.closed_at.as_deref().zip(one.closed_how.as_deref());
    let end = end.map_or_else(String::new, |(at, how)| {
        format!(" → {} {}", moment(at), messages::word(lang, "closed", how))
    });
    let what = messages::reason(lang, &one.code);
    let next = if end.is_empty() { messages::reason_next(lang, &one.code) } else { String::new() };
    format!("  {}  {}  {} {}: {what}{next}{end}", one.n, moment(&one.at), one.code, one.subject)
}

/// The configuration that `--config` names.
fn config(common: &CommonArgs) -> Result<Config<SpokeConfig>, Failure> {
    let config = config::load(common.config_file()?)?;
    account::refuse_root_over(&config.path(&config.database))?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use exchange_endpoint::help;

    use super::*;

    #[test]
    fn help_is_whole_in_both_languages() {
        assert_eq!(help::faults(Cli::command()), Vec::<String>::new());
    }
}
