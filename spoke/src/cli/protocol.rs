//! `protocol list`, `protocol show N [--html]`.

use clap::Subcommand;
use exchange_endpoint::{
    output::{CommonArgs, Exit, Failure, print},
    protocol::{ProtocolCommand, Protocols, render},
};

/// What can be asked of the protocols.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The protocols, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 20, value_name = "N")]
        last: usize,
    },
    /// One protocol, whole
    Show {
        /// Its number
        number: u32,
        /// As a page for printing
        #[arg(long)]
        html: bool,
    },
}

impl Command {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let directory = config.path(&config.protocols);
        match self {
            Self::Show { number, html: true } => {
                let protocol = Protocols::open(&directory)?.read(*number)?;
                print(&render(&protocol).map_err(|error| Failure::bug(&error))?)?;
                Ok(Exit::Done)
            }
            Self::Show { number, html: false } => {
                ProtocolCommand::Show { number: *number }.run(common, &directory)
            }
            Self::List { last } => ProtocolCommand::List { last: *last }.run(common, &directory),
        }
    }
}
