//! `keys list`, `keys rotate`; `quarantine list`, `quarantine show`, `quarantine replay`; `incident close`.

use exchange_endpoint::{
    incident::IncidentCommand,
    keys_told::{KeysCommand, print_rotated},
    output::{CommonArgs, Exit, Failure},
    quarantine::QuarantineCommand,
};
use jiff::Timestamp;

use super::config;
use crate::edges::operations::{keys, operator};

pub(super) fn run(common: &CommonArgs, command: KeysCommand) -> Result<Exit, Failure> {
    let config = config(common)?;
    match command {
        KeysCommand::List => keys::list(&config)?.print(common),
        KeysCommand::Rotate => {
            let (card, again) = keys::rotate(&config, &operator(), Timestamp::now())?;
            print_rotated(common, &card, again)
        }
    }
}

pub(super) fn quarantine(common: &CommonArgs, command: &QuarantineCommand) -> Result<Exit, Failure> {
    let config = config(common)?;
    let known = keys::quarantine(&config)?;
    command.run(common, &known, |files| keys::replay(&config, files, &operator(), Timestamp::now()))
}

pub(super) fn incident(common: &CommonArgs, command: &IncidentCommand) -> Result<(), Failure> {
    let config = config(common)?;
    let IncidentCommand::Close { n } = *command;
    command.run(common, &keys::incidents(&config)?, |code| {
        keys::close_incident(&config, (n, code), &operator(), Timestamp::now())
    })
}
