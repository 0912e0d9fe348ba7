//! Acts: what the demonstration does to the running city, so that the facts have something to show.
//!
//! An act leaves a note of what it did; [`super::facts`] reads from the databases what came of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::{config::Config, mailbox::MailboxConfig};
use exchange_format::participant::ParticipantCode;
use fixtures::places::CITY_DAY;
use rusqlite::Connection;
use serde::Deserialize;

use crate::world::{
    World, WorldError,
    bring_up::{centre_name, free_port},
    fill,
    programs::Who,
    read::Reader,
    toml_edit::set_table,
    wait::{Look, until},
};

/// The field that the hub corrects in the demonstration: one that the centres state.
pub const CORRECTED_FIELD: &str = "address_reg";
/// Its new value: invented.
pub const CORRECTED_VALUE: &str = "с. Выдуманное Кемеровской обл., ул. Первая, д. 1";

/// What was done.
#[derive(Debug)]
pub struct Acts {
    /// A contract concluded.
    pub contract: Contract,
    /// A correction at the hub.
    pub correction: Correction,
    /// A packet of one centre, loaded in the name of another.
    pub foreign: Foreign,
    /// A locked row changed behind the exchange's back.
    pub tampered: Tampered,
}

/// A contract concluded at a centre with a locked recipient.
#[derive(Debug)]
pub struct Contract {
    /// Number of the centre.
    pub centre: usize,
    /// Row in `contract`.
    pub id: String,
}

/// A person known to two centres, corrected at the hub.
#[derive(Debug)]
pub struct Correction {
    /// The person.
    pub uid: String,
    /// The centres, by number.
    pub centres: Vec<usize>,
}

/// A packet in the wrong hands.
#[derive(Debug)]
pub struct Foreign {
    /// Who was logged in.
    pub centre: ParticipantCode,
    /// Whose packet it was: its name.
    pub file: String,
    /// What it carried, of its owner; the hub had not yet seen it.
    pub contract: Contract,
    /// Whether the hub had any of it when the file lay in quarantine.
    pub applied: bool,
}

/// A row changed with its triggers dropped.
#[derive(Debug)]
pub struct Tampered {
    /// Number of the centre.
    pub centre: usize,
    /// Row in `recipient`.
    pub id: String,
    /// What stood in `surname` before.
    pub honest: String,
}

/// Does everything, one after another.
///
/// # Errors
/// An act could not be done, or nothing came of it in time.
pub fn act(world: &World, say: &mut dyn FnMut(&'static str)) -> Result<Acts, WorldError> {
    say("demo-step-contract");
    let contract = conclude_contract(world)?;
    say("demo-step-correction");
    let correction = correct(world)?;
    say("demo-step-foreign");
    let foreign = load_foreign(world)?;
    say("demo-step-tamper");
    let tampered = tamper(world)?;
    Ok(Acts { contract, correction, foreign, tampered })
}

/// A locked recipient of the `n`th centre: row and surname.
fn locked(world: &World, n: usize) -> Result<(String, String), WorldError> {
    let db = world.layout.centre_db(n);
    let sql = "SELECT r.id, r.surname FROM recipient r JOIN svod_record s ON s.kind = 'recipient' AND s.id = r.id \
               WHERE s.state = 'locked' ORDER BY r.id LIMIT 1";
    let row = Reader::open(&db)?.one(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    row.ok_or(WorldError::Lacking("locked recipient"))
}

fn conclude_contract(world: &World) -> Result<Contract, WorldError> {
    let contract = enter_contract(world, "demo-1", "ДЕМО/1")?;
    arrived(world, &contract)?;
    Ok(contract)
}

/// A contract in the database of the first centre.
fn enter_contract(world: &World, id: &str, number: &str) -> Result<Contract, WorldError> {
    let (recipient, _) = locked(world, 1)?;
    let db = world.layout.centre_db(1);
    let sql = "INSERT INTO contract (id, recipient_id, number, date, start_date, status) VALUES (?1, ?2, ?3, ?4, ?4, 'active')";
    fill::open(&db)?
        .execute(sql, [id, &recipient, number, &CITY_DAY.to_string()])
        .map_err(WorldError::sql(&db))?;
    Ok(Contract { centre: 1, id: id.to_owned() })
}

fn arrived(world: &World, contract: &Contract) -> Result<(), WorldError> {
    until("the contract at the hub", world.patience, || {
        world.daemons.check()?;
        Ok(match contract_packet(world, contract)? {
            Some(_) => Look::Reached(()),
            None => Look::NotYet("not there".to_owned()),
        })
    })
}

/// The packet in which a contract came to the hub.
///
/// # Errors
/// A database cannot be read.
pub fn contract_packet(world: &World, contract: &Contract) -> Result<Option<String>, WorldError> {
    let (centre_db, hub_db) = (world.layout.centre_db(contract.centre), world.layout.hub_db());
    let key = Reader::open(&centre_db)?.one(
        "SELECT key FROM svod_record WHERE kind = 'contract' AND id = ?1",
        [&contract.id],
        |row| row.get::<_, String>(0),
    )?;
    let Some(key) = key else { return Ok(None) };
    let code = fixtures::places::centre_code(contract.centre);
    Reader::open(&hub_db)?.one(
        "SELECT packet FROM received WHERE origin = ?1 AND kind = 'contract' AND key = ?2",
        [code.as_str(), &key],
        |row| row.get(0),
    )
}

fn correct(world: &World) -> Result<Correction, WorldError> {
    let hub_db = world.layout.hub_db();
    // somebody of whom a centre states the field that is to be corrected, and who is published to two
    let sql = "SELECT key FROM publication WHERE kind = 'person' AND form = 'live' \
               AND key IN (SELECT uid FROM field_source WHERE field = ?1) \
               GROUP BY key HAVING count(*) = 2 ORDER BY key LIMIT 1";
    let hub = Reader::open(&hub_db)?;
    let uid = hub.one(sql, [CORRECTED_FIELD], |row| row.get::<_, String>(0))?;
    let uid = uid.ok_or(WorldError::Lacking("person linked at two centres"))?;
    let origins =
        hub.all("SELECT centre FROM publication WHERE kind = 'person' AND key = ?1", [&uid], |row| {
            row.get::<_, String>(0)
        })?;
    let centres =
        world.centres().filter(|(_, code)| origins.contains(&code.to_string())).map(|(n, _)| n).collect();
    let correction = Correction { uid, centres };
    world.correct(&correction.uid, CORRECTED_FIELD, CORRECTED_VALUE)?;
    until("the correction at both centres", world.patience, || {
        world.daemons.check()?;
        let packets = correction_packets(world, &correction)?;
        let reached = packets.iter().all(Option::is_some);
        Ok(if reached { Look::Reached(()) } else { Look::NotYet(format!("{packets:?}")) })
    })?;
    Ok(correction)
}

/// For each centre of a correction the packet that brought it, if its value stands there, locked.
///
/// # Errors
/// A database cannot be read.
pub fn correction_packets(world: &World, correction: &Correction) -> Result<Vec<Option<String>>, WorldError> {
    let sql = format!(
        "SELECT s.packet FROM recipient r JOIN svod_record s ON s.kind = 'recipient' AND s.id = r.id \
         WHERE r.uid = ?1 AND r.{CORRECTED_FIELD} = ?2 AND s.state = 'locked'"
    );
    let packet = |n: &usize| {
        let db = world.layout.centre_db(*n);
        Reader::open(&db)?.one(&sql, [correction.uid.as_str(), CORRECTED_VALUE], |row| row.get(0))
    };
    correction.centres.iter().map(packet).collect()
}

/// Of a centre's configuration only where its mailbox is.
#[derive(Debug, Deserialize)]
struct MailboxOnly {
    mailbox: MailboxConfig,
}

/// Logs in as the second centre and uploads a packet of the first: a good one that the hub has never seen.
fn load_foreign(world: &World) -> Result<Foreign, WorldError> {
    let (contract, source) = seal_only(world)?;
    let foreign = upload_as_another(world, &source, contract);
    // the owner goes on, and places the packet himself
    world.start_centre(1)?;
    let foreign = foreign?;
    arrived(world, &foreign.contract)?;
    Ok(foreign)
}

/// A contract of the first centre in a packet that is sealed and lies in its spool: while it was sealed, the centre
/// had no line to the hub. Its daemon does not run afterwards.
fn seal_only(world: &World) -> Result<(Contract, PathBuf), WorldError> {
    world.daemons.kill(&centre_name(1));
    let contract = enter_contract(world, "demo-2", "ДЕМО/2")?;
    let before = sealed_packets(world, 1);
    let offline = world.layout.centre(1).join("offline.toml");
    fs::copy(world.layout.centre_config(1), &offline).map_err(WorldError::file(&offline))?;
    let (password, ca) = (world.layout.centre_password(1), world.layout.hub().join("pki").join("ca.pem"));
    let mailbox = [
        "kind = \"ftps\"".to_owned(),
        "host = \"127.0.0.1\"".to_owned(),
        format!("port = {}", free_port()?),
        "user = \"nobody\"".to_owned(),
        format!("password_file = {:?}", password.to_string_lossy()),
        format!("ca_file = {:?}", ca.to_string_lossy()),
    ];
    set_table(&offline, "mailbox", &mailbox)?;
    let output =
        world.programs.output(Who::Spoke, &["sync".as_ref(), "--config".as_ref(), offline.as_os_str()])?;
    fs::remove_file(&offline).map_err(WorldError::file(&offline))?;
    let sealed = sealed_packets(world, 1).into_iter().find(|(name, _)| !before.contains_key(name));
    let (_, source) = sealed.ok_or_else(|| WorldError::Command {
        command: "sync without a line".to_owned(),
        exit: output.status.to_string(),
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })?;
    Ok((contract, source))
}

/// Uploads the packet at `source`, of the first centre, with the login of the second.
fn upload_as_another(world: &World, source: &Path, contract: Contract) -> Result<Foreign, WorldError> {
    let thief = fixtures::places::centre_code(2);
    let file = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let config_file = world.layout.centre_config(2);
    let refused = |error: &dyn std::fmt::Display| WorldError::Command {
        command: format!("upload {file} as {thief}"),
        exit: "an error".to_owned(),
        stderr: error.to_string(),
    };
    let config = Config::<MailboxOnly>::load(&config_file).map_err(|error| refused(&error))?;
    let base = world.layout.centre(2);
    let mailbox = config.mailbox.open(&base).map_err(|error| refused(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(WorldError::file(&base))?;
    runtime.block_on(mailbox.put(source, &file)).map_err(|error| refused(&error))?;
    let mut foreign = Foreign { centre: thief, file, contract, applied: true };
    until("the foreign packet in quarantine", world.patience, || {
        world.daemons.check()?;
        Ok(match quarantined(world, &foreign)? {
            Some(reason) => Look::Reached(reason),
            None => Look::NotYet("not there".to_owned()),
        })
    })?;
    foreign.applied = contract_packet(world, &foreign.contract)?.is_some();
    Ok(foreign)
}

/// The data packets that the `n`th centre has sealed and not yet placed or keeps in its archive: name and path.
fn sealed_packets(world: &World, n: usize) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let from = fixtures::places::centre_code(n);
    let mut folders = vec![world.layout.centre(n).join("archive"), world.layout.centre(n).join("spool")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.starts_with("SVOD1_DT_") && name.split('_').nth(3) == Some(from.as_str()) {
                found.insert(name, path);
            }
        }
    }
    found
}

/// Why the hub put a foreign file aside, if it did.
///
/// # Errors
/// A database cannot be read.
pub fn quarantined(world: &World, foreign: &Foreign) -> Result<Option<String>, WorldError> {
    let hub_db = world.layout.hub_db();
    Reader::open(&hub_db)?.one(
        "SELECT reason FROM packet WHERE peer = ?1 AND state = 'QUARANTINED' AND instr(name, ?2) > 0",
        [foreign.centre.as_str(), &foreign.file],
        |row| row.get(0),
    )
}

fn tamper(world: &World) -> Result<Tampered, WorldError> {
    let n = world.centres().count();
    let (id, honest) = locked(world, n)?;
    let db = world.layout.centre_db(n);
    change_locked_row(&fill::open(&db)?, &id).map_err(WorldError::sql(&db))?;
    let tampered = Tampered { centre: n, id, honest };
    world.verify(n)?;
    until("the tampered row restored", world.patience, || {
        world.daemons.check()?;
        let surname = surname(world, &tampered)?;
        let restored = surname.as_ref() == Some(&tampered.honest);
        Ok(if restored { Look::Reached(()) } else { Look::NotYet("still changed".to_owned()) })
    })?;
    Ok(tampered)
}

/// What a determined owner of the file can do: drop the triggers, then write.
fn change_locked_row(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'recipient'";
    let triggers: Vec<String> =
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for trigger in triggers {
        connection.execute_batch(&format!("DROP TRIGGER \"{trigger}\""))?;
    }
    connection.execute("UPDATE recipient SET surname = 'Подменённый' WHERE id = ?1", [id])?;
    connection.execute_batch("COMMIT")
}

/// The surname that now stands in a row that was tampered with.
///
/// # Errors
/// A database cannot be read.
pub fn surname(world: &World, tampered: &Tampered) -> Result<Option<String>, WorldError> {
    let db = world.layout.centre_db(tampered.centre);
    Reader::open(&db)?.one("SELECT surname FROM recipient WHERE id = ?1", [&tampered.id], |row| row.get(0))
}
