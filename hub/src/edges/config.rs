//! svod-hub.toml.

use std::path::PathBuf;

use exchange_endpoint::{
    config::{Config, ConfigError},
    output::Lang,
};
use exchange_format::{participant::ParticipantCode, stream::Timing};
use jiff::SignedDuration;
use serde::Deserialize;

use super::{ftps_server::FtpsConfig, hub::Paths};
use crate::decisions::case_number::CaseNumbering;

/// The hub's settings as they stand in the file; every key but the first three has a default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubConfig {
    /// This hub's code.
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// The municipality of case numbers.
    pub oktmo: String,
    /// hub.db.
    #[serde(default = "database")]
    pub database: PathBuf,
    /// Own keys.
    #[serde(default = "keys")]
    pub keys: PathBuf,
    /// Cards of the centres.
    #[serde(default = "trust")]
    pub trust: PathBuf,
    /// Certificates of the FTPS server.
    #[serde(default = "pki")]
    pub pki: PathBuf,
    /// Folders of the centres.
    #[serde(default = "ftp")]
    pub ftp: PathBuf,
    /// Every packet, both directions.
    #[serde(default = "archive")]
    pub archive: PathBuf,
    /// What was not accepted.
    #[serde(default = "quarantine")]
    pub quarantine: PathBuf,
    /// Protocols.
    #[serde(default = "protocols")]
    pub protocols: PathBuf,
    /// The language of protocols.
    #[serde(default)]
    pub lang: Lang,
    /// Deadlines and intervals.
    #[serde(default)]
    pub exchange: ExchangeConfig,
    /// The log.
    #[serde(default)]
    pub log: LogConfig,
    /// The FTPS server.
    #[serde(default)]
    pub ftps: FtpsConfig,
}

/// `[exchange]`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeConfig {
    /// The longest silence of a stream, seconds.
    pub heartbeat_s: u32,
    /// From placing to the KV, seconds.
    pub receipt_s: u32,
    /// From the KV to the PR, seconds.
    pub protocol_s: u32,
    /// First wait after a failure, seconds.
    pub retry_s: u32,
    /// Longest wait, seconds.
    pub retry_cap_s: u32,
    /// How often the database is looked at for changes by commands, milliseconds.
    pub watch_ms: u32,
    /// How often the folders are looked through, milliseconds.
    pub scan_ms: u32,
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self {
            heartbeat_s: 900,
            receipt_s: 120,
            protocol_s: 600,
            retry_s: 1,
            retry_cap_s: 900,
            watch_ms: 100,
            scan_ms: 1000,
        }
    }
}

/// `[log]`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// The file.
    pub file: PathBuf,
    /// What is logged, as `info,svod_hub=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { file: "hub.log".into(), filter: "info".into() }
    }
}

macro_rules! defaults {
    ($($name:ident = $value:literal),*) => { $(fn $name() -> PathBuf { $value.into() })* };
}
defaults!(
    database = "hub.db",
    keys = "keys",
    trust = "trust",
    pki = "pki",
    ftp = "ftp",
    archive = "archive",
    quarantine = "quarantine",
    protocols = "protocols"
);

impl HubConfig {
    /// The deadlines of the streams.
    pub fn timing(&self) -> Timing {
        let seconds = |s: u32| SignedDuration::from_secs(i64::from(s));
        Timing {
            receipt: seconds(self.exchange.receipt_s),
            protocol: seconds(self.exchange.protocol_s),
            retry: seconds(self.exchange.retry_s),
            cap: seconds(self.exchange.retry_cap_s),
            heartbeat: seconds(self.exchange.heartbeat_s),
        }
    }
}

/// What of a configuration must hold beyond its form.
pub struct Checked {
    /// This hub.
    pub code: ParticipantCode,
    /// How persons are numbered.
    pub numbering: CaseNumbering,
    /// Directories.
    pub paths: Paths,
}

/// Checks the values of `config`.
pub fn check(config: &Config<HubConfig>) -> Result<Checked, ConfigError> {
    let code: ParticipantCode = config.code.parse().map_err(|error| config.refuse("code", &error))?;
    let numbering =
        CaseNumbering::new(code.region(), &config.oktmo).map_err(|error| config.refuse("oktmo", &error))?;
    let exchange = &config.exchange;
    for (key, value, range) in [
        ("exchange.watch_ms", exchange.watch_ms, 10..=200),
        ("exchange.scan_ms", exchange.scan_ms, 100..=60_000),
        ("exchange.heartbeat_s", exchange.heartbeat_s, 1..=604_800),
        ("exchange.receipt_s", exchange.receipt_s, 1..=604_800),
        ("exchange.protocol_s", exchange.protocol_s, 1..=604_800),
        ("exchange.retry_s", exchange.retry_s, 1..=604_800),
        ("exchange.retry_cap_s", exchange.retry_cap_s, 1..=604_800),
    ] {
        if !range.contains(&value) {
            let why = format!("must be within {}–{}", range.start(), range.end());
            return Err(config.refuse(key, &why));
        }
    }
    let paths = Paths {
        ftp: config.path(&config.ftp),
        archive: config.path(&config.archive),
        quarantine: config.path(&config.quarantine),
    };
    Ok(Checked { code, numbering, paths })
}

/// The commented configuration of a new hub.
pub fn template(code: ParticipantCode, name: &str, oktmo: &str, listen: &str) -> String {
    include_str!("svod-hub.toml")
        .replace("{code}", code.as_str())
        .replace("{name}", &toml::Value::String(name.to_owned()).to_string())
        .replace("{oktmo}", oktmo)
        .replace("{listen}", listen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<(Config<HubConfig>, Checked), ConfigError> {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("svod-hub.toml");
        std::fs::write(&file, text).expect("written");
        let config = Config::load(&file)?;
        let checked = check(&config)?;
        Ok((config, checked))
    }

    fn text() -> String {
        template(ParticipantCode::new(42, 0), "ТКЦ \"Кузбасс\"", "32701000", "127.0.0.1:2121")
    }

    #[test]
    fn the_template_is_read_and_its_comments_show_the_defaults() {
        let (config, checked) = load(&text()).expect("good");
        assert_eq!(config.name, "ТКЦ \"Кузбасс\"");
        assert_eq!(checked.code, ParticipantCode::new(42, 0));
        let (shown, _) = load(&text().replace("#: ", "")).expect("good with every default written out");
        assert_eq!(format!("{:?}", shown.exchange), format!("{:?}", config.exchange));
        assert_eq!(format!("{:?}", shown.ftps), format!("{:?}", config.ftps));
        assert_eq!((&shown.database, &shown.log.file), (&config.database, &config.log.file));
    }

    #[test]
    fn wrong_values_are_refused_by_key() {
        for (from, to, key) in [
            ("oktmo = \"32701000\"", "oktmo = \"327\"", "oktmo"),
            ("#: watch_ms = 100", "watch_ms = 5000", "exchange.watch_ms"),
            ("code = \"42", "code = \"43", "code"),
            ("#: stall_s = 15", "stal_s = 15", "ftps.stal_s"),
            ("#: idle_s = 60", "idle_s = \"long\"", "ftps.idle_s"),
            ("#: enabled = true", "enabled = 1", "ftps.enabled"),
        ] {
            let Err(ConfigError::Wrong { place, .. }) = load(&text().replace(from, to)) else {
                panic!("{key} should be refused")
            };
            assert_eq!(place.key, key);
        }
        assert!(load(&text().replace("#: scan_ms", "scan")).is_err());
    }
}
