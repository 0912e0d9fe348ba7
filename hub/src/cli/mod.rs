//! The command line of `svod-hub` (docs/CLI_JSON.md): arguments in, operations of `edges` carried out, their
//! results told as text or JSON. One file a noun.

mod centre;
mod check;
mod init;
mod keys;
mod merge;
mod model;
mod person;
mod rebuild;
mod resync;
mod review;
mod run;
mod service;
mod status;
mod tables;
mod trial;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};
use exchange_endpoint::{
    account,
    backup_told::{BackupCommand, RestoreCommand},
    config::Config,
    durable_file::{self, SharedWith},
    incident::IncidentCommand,
    keys_told::KeysCommand,
    output::{CommandLine, CommonArgs, Exit, Failure, run_main},
    protocol::ProtocolCommand,
    quarantine::QuarantineCommand,
};

use jiff::Timestamp;

use crate::edges::{
    config::{self, HubConfig},
    operations::{copies, operator},
};

/// The hub of a city's exchange: it takes what the centres send, finds out who is one person, and publishes
/// each person to the centres that serve it.
///
/// A new hub: init, then centre add for each centre, then run (the daemon). When the first packets have come:
/// merge --dry-run, then merge; review list and review apply for what is doubtful. All commands may be used
/// while the daemon runs.
#[derive(Debug, Parser)]
#[command(name = "svod-hub", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    /// Enrol centres, list them, shut one out; show the hub's own card
    #[command(subcommand)]
    Centre(centre::Centre),
    /// Run the daemon until SIGTERM or SIGINT
    Run,
    Merge(merge::Merge),
    Status(status::Status),
    Resync(resync::Resync),
    Backup(BackupCommand),
    Restore(RestoreCommand),
    Rebuild(rebuild::Rebuild),
    Content(rebuild::Content),
    Check(check::Check),
    /// By what two records are taken for one person
    #[command(subcommand)]
    Model(model::Model),
    /// Look at a person, correct one
    #[command(subcommand)]
    Person(person::Person),
    /// Who serves whom
    #[command(subcommand)]
    Service(service::Service),
    /// Questions to staff, and their answers
    #[command(subcommand)]
    Review(review::Review),
    Export(tables::Export),
    Import(tables::Import),
    Withdraw(tables::Withdraw),
    /// Files that were not accepted
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// What was found wrong and has been looked into
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Own keys and those of the centres
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Protocols of loads, exports and merges
    #[command(subcommand)]
    Protocol(ProtocolCommand),
}

impl CommandLine for Cli {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs the command line `args` (the program's name first).
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    durable_file::make_private(SharedWith::Nobody);
    run_main::<Cli>(args, |cli| carry_out(&cli))
}

fn carry_out(cli: &Cli) -> Result<Exit, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Init(init) => init.run(common),
        Command::Centre(centre) => centre.run(common),
        Command::Run => run::run(common),
        Command::Merge(merge) => return merge.run(common),
        Command::Status(status) => return status.run(common),
        Command::Resync(resync) => return resync.run(common),
        Command::Backup(backup) => {
            let config = config(common)?;
            return backup
                .run(common, &copies::place(&config)?, |head| copies::note(&config, head, &operator()));
        }
        Command::Restore(restore) => {
            let config = config(common)?;
            return restore.run(common, &copies::place(&config)?, |path, watermark| {
                copies::prepare(&config, path, watermark, Timestamp::now())
            });
        }
        Command::Rebuild(rebuild) => rebuild.run(common),
        Command::Content(_) => rebuild::Content::run(common),
        Command::Check(check) => return check.run(common),
        Command::Model(model) => model.run(common),
        Command::Person(person) => person.run(common),
        Command::Service(service) => service.run(common),
        Command::Review(review) => review.run(common),
        Command::Export(export) => return export.run(common),
        Command::Import(import) => return import.run(common),
        Command::Withdraw(withdraw) => withdraw.run(common),
        Command::Quarantine(command) => return keys::quarantine(common, command),
        Command::Incident(command) => keys::incident(common, command),
        Command::Keys(command) => return keys::run(common, *command),
        Command::Protocol(protocol) => {
            let config = config(common)?;
            return protocol.run(common, &config.path(&config.protocols));
        }
    }
    .map(|()| Exit::Done)
}

/// The configuration that `--config` names, checked.
fn config(common: &CommonArgs) -> Result<Config<HubConfig>, Failure> {
    let config = Config::load(common.config_file()?)?;
    config::check(&config)?;
    account::refuse_root_over(&config.path(&config.database))?;
    Ok(config)
}

/// A reason, as journals and inputs take it.
fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 1000 || text.chars().any(char::is_control) {
        return Err("usage-reason".to_owned()); // a message of the catalogue
    }
    Ok(text.to_owned())
}

/// `values`, or a dash.
fn joined(values: &[String]) -> String {
    if values.is_empty() { "—".to_owned() } else { values.join(", ") }
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
