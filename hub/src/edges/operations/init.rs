//! A new hub: configuration, database, keys, certificates, directories, card.

use std::{
    fs::DirBuilder,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use exchange_endpoint::{
    durable_file,
    journal_table::Event,
    keys::{CardWords, OwnKeys},
    output::{Exit, Failure},
    staging::Plan,
    watermark::Watermark,
};
use exchange_format::{card::Card, participant::ParticipantCode, position::Digest};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::{
    database::{DatabaseError, Store},
    decisions::case_number::CaseNumbering,
    edges::{config::Template, failure::file, hub::WATERMARK, pki::CityCa},
};

/// The configuration.
pub const FILE: &str = "svod-hub.toml";

/// Years that a hub's card is valid.
const CARD_YEARS: i64 = 5;
/// Directories that are empty at first; their names are the defaults of the configuration.
const DIRECTORIES: [&str; 5] = ["trust", "ftp", "archive", "quarantine", "protocols"];

/// What a new hub is.
#[derive(Debug, Clone)]
pub struct NewHub<'a> {
    /// Its directory; made if it is not there.
    pub dir: &'a Path,
    /// Its code.
    pub code: ParticipantCode,
    /// What it is called.
    pub name: &'a str,
    /// What its FTPS server is called from outside.
    pub host: Option<&'a str>,
    /// The control port of its FTPS server.
    pub port: u16,
    /// Municipality of the case numbers.
    pub oktmo: &'a str,
    /// The operator.
    pub actor: &'a str,
}

/// Makes a hub and gives back its card.
pub fn init(new: &NewHub<'_>, now: Timestamp) -> Result<Card, Failure> {
    CaseNumbering::new(new.code.region(), new.oktmo)
        .map_err(|error| Failure::new(Exit::Usage, "hub-case-numbers").because("detail", &error))?;
    if new.name.trim().is_empty() || new.name.chars().count() > 200 || new.name.chars().any(char::is_control)
    {
        return Err(Failure::new(Exit::Usage, "hub-name-unfit"));
    }
    let card_name = format!("{}.card", new.code);
    // keys first, the configuration last: without it the directory is no hub
    let mut names = vec!["keys", "pki"];
    names.extend(DIRECTORIES);
    names.extend(["hub.db", &card_name, FILE]);
    let plan =
        Plan { dir: new.dir, names: &names, exists: "hub-exists", failed: |path, error| file(path)(error) };
    plan.carry_out(|stage| make(new, stage, &card_name, now))
}

/// Makes everything in `stage`.
fn make(new: &NewHub<'_>, stage: &Path, card_name: &str, now: Timestamp) -> Result<Card, Failure> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let pki = stage.join("pki");
    let ca = CityCa::make(&pki, today)?;
    let hosts: Vec<String> = new.host.iter().map(|host| (*host).to_owned()).collect();
    ca.issue_server(&pki, &hosts)?;
    let words = CardWords {
        name: new.name.to_owned(),
        valid_from: today.saturating_sub(1.day()),
        valid_until: today.saturating_add(CARD_YEARS.years()),
        tls_ca: Some(ca.pem().to_owned()),
    };
    let keys = stage.join("keys");
    let card = OwnKeys::create(&keys, new.code, words)?.card;
    Watermark::create(&keys.join(WATERMARK))?;
    for name in DIRECTORIES {
        private_directory(&stage.join(name))?;
    }
    let put = |name: &str, bytes: &[u8]| {
        let path = stage.join(name);
        durable_file::create_new(&path, bytes, 0o644).map_err(file(&path))
    };
    put(card_name, card.to_bytes())?;
    let mut store = Store::create(&stage.join("hub.db"))?;
    store.write(|tx| {
        tx.journal(&Event {
            at: now,
            actor: new.actor,
            event: "hub.created",
            subject: new.code.as_str(),
            rule: "",
            digests: &[Digest::of(card.to_bytes())],
        })?;
        Ok::<_, DatabaseError>(())
    })?;
    drop(store);
    let template = Template {
        code: new.code,
        name: new.name,
        oktmo: new.oktmo,
        listen: listen(new.host, new.port),
        host: new.host,
    };
    put(FILE, template.to_string().as_bytes())?;
    Ok(card)
}

/// A server that has a name outside listens everywhere; one without, or named as this machine, on loopback.
fn listen(host: Option<&str>, port: u16) -> SocketAddr {
    let inside = |host: &str| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let address = if host.is_none_or(inside) { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    SocketAddr::from((address, port))
}

/// A directory of mode 0700, and those above it.
pub(super) fn private_directory(path: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(file(path))
}
