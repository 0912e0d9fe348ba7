//! `svod-hub.toml`. Relative paths are relative to the directory of the file.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use exchange_endpoint::{
    config::{Config, ConfigError, Deadlines, LimitsConfig, ListsConfig},
    messages::Told,
    output::Lang,
};
use exchange_format::{
    lists::Lists,
    packet::Limits,
    participant::{ParticipantCode, ParticipantCodeError},
    stream::Timing,
};
use serde::Deserialize;

use super::{ftps_server::FtpsConfig, hub::Paths};
use crate::decisions::case_number::{CaseNumberError, CaseNumbering};

/// The hub's settings as they stand in the file; every key but the first three has a default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubConfig {
    /// This hub's code.
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// The municipality of case numbers, 8 digits.
    pub oktmo: String,
    /// The region of case numbers, 2 digits; that of the code if absent.
    pub region: Option<String>,
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
    /// How much a packet may ask of its reader.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// The region's lists.
    #[serde(default)]
    pub lists: ListsConfig,
    /// How persons are joined.
    #[serde(default)]
    pub merge: MergeConfig,
    /// How long staff may take.
    #[serde(default)]
    pub staff: StaffConfig,
}

/// `[staff]`: what waits for people for so many days is told.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StaffConfig {
    /// Initial loads, for their merge.
    pub merge_days: u32,
    /// Questions, for an answer; persons, for a confirmation that a centre serves them.
    pub review_days: u32,
    /// Files that were not accepted, for somebody who looks into it.
    pub quarantine_days: u32,
}

impl Default for StaffConfig {
    fn default() -> Self {
        Self { merge_days: 7, review_days: 14, quarantine_days: 7 }
    }
}

/// `[merge]`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MergeConfig {
    /// Whether two persons that are published both become one only when two members of staff have signed.
    pub second_signature: bool,
    /// A signature that waits for the second for so many days is told.
    pub signature_days: u32,
}

impl Default for MergeConfig {
    fn default() -> Self {
        Self { second_signature: false, signature_days: 3 }
    }
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
    /// A centre from which nothing came for so long is late, seconds.
    pub late_s: u32,
    /// How long a transaction waits for another's, seconds.
    pub busy_s: u32,
    /// Whether packets bear ГОСТ Р 34.11-2012 beside SHA-256.
    pub streebog: bool,
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
            late_s: 3600,
            busy_s: 30,
            streebog: false,
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
    fn deadlines(&self) -> Deadlines {
        let ExchangeConfig { heartbeat_s, receipt_s, protocol_s, retry_s, retry_cap_s, .. } = self.exchange;
        Deadlines { heartbeat_s, receipt_s, protocol_s, retry_s, retry_cap_s }
    }

    /// The deadlines of the streams.
    pub fn timing(&self) -> Timing {
        self.deadlines().timing()
    }

    /// How much a packet may ask of its reader.
    pub fn limits(&self) -> Limits {
        self.limits.limits()
    }

    /// How long a transaction waits for another's.
    pub fn busy(&self) -> Duration {
        Duration::from_secs(u64::from(self.exchange.busy_s))
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
    /// The region's lists.
    pub lists: Lists,
}

/// Checks the values of `config`.
pub fn check(config: &Config<HubConfig>) -> Result<Checked, ConfigError> {
    let code: ParticipantCode =
        config.code.parse().map_err(|error: ParticipantCodeError| config.refuse("code", &error))?;
    let region = config.region.as_deref().unwrap_or(code.region());
    let numbering = CaseNumbering::new(region, &config.oktmo).map_err(|error| {
        let key = if matches!(error, CaseNumberError::Region(_)) { "region" } else { "oktmo" };
        config.refuse(key, Told::of(&format!("config-{key}"), &[]))
    })?;
    let ExchangeConfig { watch_ms, scan_ms, late_s, busy_s, .. } = config.exchange;
    config.within(config.deadlines().ranges())?;
    config.within([
        ("exchange.watch_ms", watch_ms.into(), 10..=200),
        ("exchange.scan_ms", scan_ms.into(), 100..=60_000),
        ("exchange.late_s", late_s.into(), 1..=31_536_000),
        ("exchange.busy_s", busy_s.into(), 0..=3600),
        ("merge.signature_days", config.merge.signature_days.into(), 1..=365),
        ("staff.merge_days", config.staff.merge_days.into(), 1..=365),
        ("staff.review_days", config.staff.review_days.into(), 1..=365),
        ("staff.quarantine_days", config.staff.quarantine_days.into(), 1..=365),
    ])?;
    config.within(config.limits.ranges())?;
    config.within(config.ftps.ranges())?;
    let (first, last) = config.ftps.passive_ports;
    if first > last || (first == 0) != (last == 0) {
        return Err(config.refuse("ftps.passive_ports", Told::of("config-ports", &[])));
    }
    let mut codes = config.ftps.without_resumption.iter().map(|code| code.parse::<ParticipantCode>());
    if let Some(error) = codes.find_map(Result::err) {
        return Err(config.refuse("ftps.without_resumption", &error));
    }
    let paths = Paths {
        ftp: config.path(&config.ftp),
        archive: config.path(&config.archive),
        quarantine: config.path(&config.quarantine),
    };
    let lists = config.lists.read(config)?;
    Ok(Checked { code, numbering, paths, lists })
}

/// What `init` decides of a configuration; everything else has its default.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    /// The hub.
    pub code: ParticipantCode,
    /// What it is called.
    pub name: &'a str,
    /// Municipality of the case numbers.
    pub oktmo: &'a str,
    /// Address and port of the FTPS server.
    pub listen: SocketAddr,
    /// What the server is called from outside.
    pub host: Option<&'a str>,
}

/// The text of the configuration, with its comments.
impl fmt::Display for Template<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let names = self.host.map(quoted).unwrap_or_default();
        let text = include_str!("svod-hub.toml")
            .replace("{code}", self.code.as_str())
            .replace("{region}", self.code.region())
            .replace("{oktmo}", self.oktmo)
            .replace("{listen}", &self.listen.to_string())
            .replace("{names}", &names)
            .replace("{name}", &quoted(self.name));
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use exchange_endpoint::config::Fault;

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
        let template = Template {
            code: ParticipantCode::new(42, 0),
            name: "ТКЦ \"Кузбасс\"",
            oktmo: "32701000",
            listen: "0.0.0.0:2121".parse().expect("an address"),
            host: Some("hub.example.org"),
        };
        template.to_string()
    }

    #[test]
    fn the_template_is_read_and_its_comments_show_the_defaults() {
        let (config, checked) = load(&text()).expect("good");
        assert_eq!(config.name, "ТКЦ \"Кузбасс\"");
        assert_eq!(checked.code, ParticipantCode::new(42, 0));
        let (shown, _) = load(&text().replace("#: ", "")).expect("good with every default written out");
        let whole = format!("{:?}", *shown).replace("region: Some(\"42\")", "region: None");
        assert_eq!(whole, format!("{:?}", *config));
        assert_eq!(config.ftps.names, ["hub.example.org"]);
        assert!(text().lines().filter(|line| line.starts_with("#: ")).count() > 35);
    }

    #[test]
    fn wrong_values_are_refused_by_key() {
        for (from, to, key) in [
            ("oktmo = \"32701000\"", "oktmo = \"327\"", "oktmo"),
            ("#: watch_ms = 100", "watch_ms = 5000", "exchange.watch_ms"),
            ("code = \"42", "code = \"43", "code"),
            ("#: region = \"42\"", "region = \"4\"", "region"),
            ("#: passive_ports = [0, 0]", "passive_ports = [50, 40]", "ftps.passive_ports"),
            ("#: stall_s = 15", "stal_s = 15", "ftps.stal_s"),
            ("#: idle_s = 60", "idle_s = \"long\"", "ftps.idle_s"),
            ("#: enabled = true", "enabled = 1", "ftps.enabled"),
            ("#: retry_s = 1", "retry_s = 1000", "exchange.retry_cap_s"),
            ("#: records = ", "records = -", "limits.records"),
            ("#: heartbeat_s = 900", "heartbeat_s = 0", "exchange.heartbeat_s"),
            ("#: ratio = 200", "ratio = 1", "limits.ratio"),
            ("#: line_bytes = 1048576", "line_bytes = 100", "limits.line_bytes"),
            ("#: stall_s = 15", "stall_s = 0", "ftps.stall_s"),
            ("#: max_connections = 1024", "max_connections = 0", "ftps.max_connections"),
            ("#: part_days = 7", "part_days = 0", "ftps.part_days"),
            ("#: questionnaires = []", "questionnaire = []", "lists.questionnaire"),
            ("#: second_signature = false", "second_signature = \"yes\"", "merge.second_signature"),
            ("#: signature_days = 3", "signature_days = 0", "merge.signature_days"),
            ("#: merge_days = 7", "merge_days = 0", "staff.merge_days"),
            ("#: review_days = 14", "review_days = 0", "staff.review_days"),
            ("#: quarantine_days = 7", "quarantine_days = 366", "staff.quarantine_days"),
        ] {
            let Err(ConfigError::Wrong { place, .. }) = load(&text().replace(from, to)) else {
                panic!("{key} should be refused")
            };
            assert_eq!(place.key, key);
        }
        for (from, to) in [("#: scan_ms", "scan"), ("#: stall_s", "stal_s"), ("[exchange]", "[exchang]")] {
            let Err(ConfigError::Wrong { place, fault: Fault::UnknownKey { .. } }) =
                load(&text().replace(from, to))
            else {
                panic!("{to} should be unknown")
            };
            assert!(place.line > 1 && !place.key.is_empty(), "{place}");
        }
    }
}
