//! A new hub: configuration, database, keys, certificates, directories, card. Everything is made in a directory
//! beside its place and moved there at the end, the configuration last; what is there is never overwritten.

use std::{
    fs::{self, DirBuilder},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    durable_file,
    journal_table::Event,
    keys::{CardWords, OwnKeys},
    output::{Exit, Failure},
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
    if let Some(there) = names.iter().map(|name| new.dir.join(name)).find(|path| path.exists()) {
        return Err(Failure::new(Exit::Refused, "hub-exists").told("file", there.display()));
    }
    fs::create_dir_all(new.dir).map_err(file(new.dir))?;
    let stage = Stage::new(new.dir)?;
    let card = make(new, &stage.0, &card_name, now)?;
    let mut moved = Vec::new();
    for name in &names {
        let (from, to) = (stage.0.join(name), new.dir.join(name));
        if let Err(error) = move_new(&from, &to) {
            for (from, to) in moved.iter().rev() {
                // back into the stage, which goes as a whole
                let _ = fs::rename(to, from);
            }
            return Err(file(&to)(error));
        }
        moved.push((from, to));
    }
    durable_file::sync_directory(&new.dir.join(FILE)).map_err(file(new.dir))?;
    Ok(card)
}

fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

/// Makes everything in `stage`.
fn make(new: &NewHub<'_>, stage: &Path, card_name: &str, now: Timestamp) -> Result<Card, Failure> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let pki = stage.join("pki");
    let ca = CityCa::open(&pki, today)?;
    let hosts: Vec<String> = new.host.iter().map(|host| (*host).to_owned()).collect();
    ca.issue_server(&pki, &hosts, today)?;
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

/// A directory that goes with its value.
struct Stage(PathBuf);

impl Stage {
    fn new(dir: &Path) -> Result<Self, Failure> {
        let stage = dir.join(format!(".init-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&stage).map_err(file(&stage))?;
        Ok(Self(stage))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // what cannot be removed lies under a name that nothing reads
        let _ = fs::remove_dir_all(&self.0);
    }
}
