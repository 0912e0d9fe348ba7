//! The command line of `svod-packet` (docs/CLI_JSON.md): one file a command.

mod inspect;
mod lists;
mod name;
mod unpack;
mod verify;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use exchange_endpoint::{
    keys,
    output::{self, CommandLine, CommonArgs, Exit, Failure, Lang},
};
use exchange_format::{error::PacketError, seal::Identity};

use crate::given::Given;

/// Looks into packets and protocols of the exchange, without network or database, and says what is proven and what is
/// not.
///
/// verify needs the cards of the participants (their trust/ directories, or single cards) and, for a sealed packet, a key
/// that it was sealed to: the receiver's age.key or the sender's archive.key. inspect and verify print no personal data;
/// unpack writes the records in the clear.
#[derive(Debug, Parser)]
#[command(name = "svod-packet", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What a packet's name says
    Name(name::Name),
    /// What a packet says of itself, believed or not; no content
    Inspect(inspect::Inspect),
    /// What of a packet or protocol is proven, and what is not
    Verify(verify::Verify),
    /// Write a packet's members into an empty directory; personal data in the clear
    Unpack(unpack::Unpack),
    /// The kinds of records, or the fields of one
    Schema(lists::Schema),
    /// The rules that records keep, and the reasons of refusals
    Rules,
}

impl CommandLine for Cli {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

pub(super) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    output::run_main::<Cli>(args, |cli| {
        let common = &cli.common;
        match &cli.command {
            Command::Name(name) => name.run(common),
            Command::Inspect(inspect) => inspect.run(common),
            Command::Verify(verify) => verify.run(common),
            Command::Unpack(unpack) => unpack.run(common),
            Command::Schema(schema) => schema.run(common),
            Command::Rules => lists::rules(common),
        }
    })
}

/// The keys of all files named.
fn identities(files: &[PathBuf]) -> Result<Vec<Identity>, Failure> {
    let mut identities = Vec::new();
    for file in files {
        identities.extend(keys::read_identities(file)?);
    }
    Ok(identities)
}

/// A packet that cannot be used: why, by the closed list of reasons.
fn refused(lang: Lang, given: &Given, error: &PacketError) -> Failure {
    use exchange_format::seal::OpenError;
    match error {
        PacketError::Open(OpenError::NoIdentityMatches { tried: 0 }) => {
            Failure::new(Exit::Refused, "packet-sealed").because("file", given.called())
        }
        PacketError::Open(OpenError::NoIdentityMatches { .. }) => {
            Failure::new(Exit::Refused, "packet-other-key").because("file", given.called())
        }
        _ => match error.reason() {
            None => given.failed(error),
            Some(reason) => Failure::new(Exit::Refused, "packet-refused")
                .because("file", given.called())
                .with("reason", reason.code())
                .with("sentence", lang.of(reason.sentence()))
                .because("detail", exchange_endpoint::messages::found_in(error)),
        },
    }
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
