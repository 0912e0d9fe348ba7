//! `svod-spoke.toml`. Relative paths are relative to the directory of the file.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use exchange_endpoint::{
    config::{Config, ConfigError, Deadlines, LimitsConfig, ListsConfig},
    mailbox::MailboxConfig,
    messages::Lang,
};
use exchange_format::{participant::ParticipantCode, stream::Timing};
use serde::Deserialize;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpokeConfig {
    /// This centre's code.
    #[serde(deserialize_with = "code")]
    pub code: ParticipantCode,
    /// Its hub's code.
    #[serde(deserialize_with = "code")]
    pub hub: ParticipantCode,
    /// The database.
    #[serde(default = "database")]
    pub database: PathBuf,
    /// Where keys and the watermark lie.
    #[serde(default = "keys")]
    pub keys: PathBuf,
    /// Where the hub's card lies.
    #[serde(default = "trust")]
    pub trust: PathBuf,
    /// Sealed packets of ours.
    #[serde(default = "spool")]
    pub spool: PathBuf,
    /// Packets of the hub, as they came.
    #[serde(default = "archive")]
    pub archive: PathBuf,
    /// Files that were not accepted.
    #[serde(default = "quarantine")]
    pub quarantine: PathBuf,
    /// Protocols of exports and loads.
    #[serde(default = "protocols")]
    pub protocols: PathBuf,
    /// The language of protocols.
    #[serde(default)]
    pub lang: Lang,
    /// How packets travel.
    pub mailbox: MailboxConfig,
    /// Deadlines.
    #[serde(default)]
    pub exchange: Exchange,
    /// How much a packet may ask of its reader.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// The region's lists.
    #[serde(default)]
    pub lists: ListsConfig,
    /// The program's log.
    #[serde(default)]
    pub log: Log,
    /// How long people may take.
    #[serde(default)]
    pub staff: Staff,
}

/// `[staff]`: what waits for people for so many days is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Staff {
    /// The initial load, for its merge by the hub's staff.
    pub merge_days: u32,
    /// Proposals, for their decision by the hub's staff.
    pub proposal_days: u32,
    /// Files that were not accepted, for somebody who looks into it.
    pub quarantine_days: u32,
}

impl Default for Staff {
    fn default() -> Self {
        Self { merge_days: 14, proposal_days: 30, quarantine_days: 7 }
    }
}

/// `[exchange]`, in seconds unless the name says otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exchange {
    /// The longest silence: after it an empty packet goes.
    pub heartbeat_s: u32,
    /// From placing a packet until its receipt (KV) must have come.
    pub receipt_s: u32,
    /// From the receipt until the protocol (PR) must have come.
    pub protocol_s: u32,
    /// From a failed try until the next, doubled each time.
    pub retry_s: u32,
    /// No wait grows beyond this.
    pub retry_cap_s: u32,
    /// How often the database is asked whether somebody has written, milliseconds.
    pub watch_ms: u32,
    /// How often everything published is compared with what the hub signed, besides at start and on suspicion.
    pub audit_s: u32,
    /// How long a record of a kind with lines must have said the same before the daemon sends it, seconds.
    pub settle_s: u32,
    /// Whether packets bear ГОСТ Р 34.11-2012 beside SHA-256.
    pub streebog: bool,
}

impl Default for Exchange {
    fn default() -> Self {
        Self {
            heartbeat_s: 900,
            receipt_s: 120,
            protocol_s: 600,
            retry_s: 1,
            retry_cap_s: 900,
            watch_ms: 100,
            audit_s: 3600,
            settle_s: 2,
            streebog: false,
        }
    }
}

impl Exchange {
    fn deadlines(&self) -> Deadlines {
        let Self { heartbeat_s, receipt_s, protocol_s, retry_s, retry_cap_s, .. } = *self;
        Deadlines { heartbeat_s, receipt_s, protocol_s, retry_s, retry_cap_s }
    }

    /// The deadlines of our stream.
    pub fn timing(&self) -> Timing {
        self.deadlines().timing()
    }

    /// How often the database is asked whether somebody has written.
    pub fn watch(&self) -> Duration {
        Duration::from_millis(u64::from(self.watch_ms))
    }
}

/// Reads `file` and checks what must hold beyond its form.
///
/// # Errors
/// Names file, line and key of what is wrong.
pub fn load(file: &Path) -> Result<Config<SpokeConfig>, ConfigError> {
    let config: Config<SpokeConfig> = Config::load(file)?;
    let Exchange { watch_ms, audit_s, settle_s, .. } = config.exchange;
    config.within(config.exchange.deadlines().ranges())?;
    config.within([
        ("exchange.watch_ms", watch_ms.into(), 10..=150),
        ("exchange.audit_s", audit_s.into(), 1..=604_800),
        ("exchange.settle_s", settle_s.into(), 0..=60),
        ("staff.merge_days", config.staff.merge_days.into(), 1..=365),
        ("staff.proposal_days", config.staff.proposal_days.into(), 1..=365),
        ("staff.quarantine_days", config.staff.quarantine_days.into(), 1..=365),
    ])?;
    config.within(config.limits.ranges())?;
    config.lists.read(&config)?;
    if let MailboxConfig::Ftps(ftps) = &config.mailbox {
        config.within([
            ("mailbox.port", ftps.port.into(), 1..=65_535),
            ("mailbox.timeout_s", ftps.timeout_s, 1..=3600),
        ])?;
    }
    Ok(config)
}

/// `[log]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The file; standard error if empty.
    pub file: PathBuf,
    /// What is written, as `info` or `info,svod_spoke=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { file: PathBuf::from("spoke.log"), filter: "info".to_owned() }
    }
}

fn code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ParticipantCode, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

macro_rules! default_paths {
    ($($name:ident = $path:literal;)*) => {
        $(fn $name() -> PathBuf {
            PathBuf::from($path)
        })*
    };
}

default_paths! {
    database = "centre.db";
    keys = "keys";
    trust = "trust";
    spool = "spool";
    archive = "archive";
    quarantine = "quarantine";
    protocols = "protocols";
}

/// What `init` writes.
pub fn template(code: ParticipantCode, hub: ParticipantCode) -> String {
    include_str!("svod-spoke.toml").replace("{code}", code.as_str()).replace("{hub}", hub.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_reads_back_and_shows_the_defaults() {
        let (own, hub) = (ParticipantCode::new(42, 1), ParticipantCode::new(42, 0));
        let text = template(own, hub);
        let config: SpokeConfig = toml::from_str(&text).expect("the template is a configuration");
        assert_eq!((config.code, config.hub), (own, hub));
        // Each commented setting, when its mark is taken away, is accepted and changes nothing.
        let open: Vec<&str> = text
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .filter(|line| !line.starts_with('#'))
            .collect();
        let opened: SpokeConfig = toml::from_str(&open.join("\n")).expect("so are its comments");
        assert_eq!(format!("{opened:?}"), format!("{config:?}"));
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused_by_place_and_range() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("svod-spoke.toml");
        let text = template(ParticipantCode::new(42, 1), ParticipantCode::new(42, 0));
        std::fs::write(&file, &text).expect("written");
        load(&file).expect("good");
        let ftps = "kind = \"ftps\"\nhost = \"h\"\nuser = \"u\"\npassword_file = \"p\"\nca_file = \"c\"";
        let directory = "[mailbox]\nkind = \"directory\"\npath = \"mailbox\"";
        for (from, to, key) in [
            ("#: heartbeat_s = 900", "heartbeat_s = 0", "exchange.heartbeat_s"),
            ("#: receipt_s = 120", "receipt_s = 700000", "exchange.receipt_s"),
            ("#: protocol_s = 600", "protocol_s = 0", "exchange.protocol_s"),
            ("#: retry_s = 1", "retry_s = 0", "exchange.retry_s"),
            ("#: retry_s = 1", "retry_s = 1000", "exchange.retry_cap_s"),
            ("#: watch_ms = 100", "watch_ms = 151", "exchange.watch_ms"),
            ("#: audit_s = 3600", "audit_s = 0", "exchange.audit_s"),
            ("#: merge_days = 14", "merge_days = 0", "staff.merge_days"),
            ("#: proposal_days = 30", "proposal_days = 400", "staff.proposal_days"),
            ("#: quarantine_days = 7", "quarantine_days = 0", "staff.quarantine_days"),
            ("#: ratio = 200", "ratio = 1", "limits.ratio"),
            ("#: line_bytes = 1048576", "line_bytes = 100", "limits.line_bytes"),
            ("#: packet_bytes = 268435456", "packet_bytes = 1", "limits.packet_bytes"),
            (directory, &format!("[mailbox]\n{ftps}\ntimeout_s = 0"), "mailbox.timeout_s"),
            (directory, &format!("[mailbox]\n{ftps}\nport = 0"), "mailbox.port"),
        ] {
            assert!(text.contains(from), "{from}");
            std::fs::write(&file, text.replace(from, to)).expect("written");
            let error = load(&file).expect_err(to);
            let ConfigError::Wrong { place, .. } = &error else { panic!("{error}") };
            assert_eq!(place.key, key);
            assert!(place.line > 1 && error.to_string().contains("must be within"), "{error}");
        }
    }
}
