//! `keys list`, `keys rotate`; `quarantine list`, `quarantine show`, `quarantine replay`; `incident close`.

use exchange_endpoint::{
    incident::IncidentCommand,
    keys::{OwnKeys, Secrets},
    keys_told::{KeysCommand, KeysTold, print_rotated},
    output::{CommonArgs, Exit, Failure},
    quarantine::{Aside, QuarantineCommand},
    trust::Trust,
};
use jiff::Timestamp;

use crate::{
    database::{
        book, report,
        write::{self, Scope},
    },
    edges::{SpokeError, new_keys, rotation::tellings, station},
};

pub(super) fn run(common: &CommonArgs, command: KeysCommand) -> Result<Exit, Failure> {
    match command {
        KeysCommand::List => list(common),
        KeysCommand::Rotate => rotate(common),
    }
}

fn list(common: &CommonArgs) -> Result<Exit, Failure> {
    let config = super::config(common)?;
    let connection = station::open_to_look(&config)?;
    let keys = OwnKeys::load(&config.path(&config.keys), config.code)?;
    let trust = Trust::open(&config.path(&config.trust))?;
    let told = |peer, print: &str| tellings(&connection).told(peer, print).map_err(SpokeError::from);
    KeysTold::of(&keys, &trust, &[config.hub], told)?.print(common)
}

fn rotate(common: &CommonArgs) -> Result<Exit, Failure> {
    let secrets = Secrets::generate().map_err(|error| Failure::bug(&error))?;
    let (card, again) = new_keys::begin(&super::config(common)?, &secrets, Timestamp::now())?;
    print_rotated(common, &card, again)
}

pub(super) fn quarantine(common: &CommonArgs, command: &QuarantineCommand) -> Result<Exit, Failure> {
    let config = super::config(common)?;
    let known = book::quarantine(&station::open_to_look(&config)?).map_err(SpokeError::from)?;
    command.run(common, &known, |files| {
        let mut connection = station::open_database(&config)?;
        let (now, own) = (Timestamp::now(), config.code);
        let mark = |transaction: &rusqlite::Connection, one: &Aside| {
            book::set_replay(transaction, &one.row, true)?;
            station::journal(transaction, own, now, "quarantine.replay", &one.file, &one.reason, &[])
        };
        write::write::<_, SpokeError>(&mut connection, Scope::Book, |transaction| {
            files.iter().try_for_each(|one| mark(transaction, one))
        })?;
        Ok(())
    })
}

pub(super) fn incident(common: &CommonArgs, command: &IncidentCommand) -> Result<Exit, Failure> {
    let config = super::config(common)?;
    let open = report::incidents(&station::open_to_look(&config)?).map_err(SpokeError::from)?;
    let open: Vec<(i64, String)> = open.into_iter().map(|one| (one.n, one.code)).collect();
    let IncidentCommand::Close { n } = *command;
    command.run(common, &open, |code| {
        let mut connection = station::open_database(&config)?;
        let now = Timestamp::now();
        write::write::<_, SpokeError>(&mut connection, Scope::Book, |transaction| {
            book::end_incident(transaction, n, "by staff", now)?;
            station::journal(transaction, config.code, now, "incident.closed", &n.to_string(), code, &[])
        })?;
        Ok(())
    })?;
    Ok(Exit::Done)
}
