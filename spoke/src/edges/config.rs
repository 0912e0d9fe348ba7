//! `svod-spoke.toml`. Relative paths are relative to the directory of the file.

use std::{path::PathBuf, time::Duration};

use exchange_endpoint::{mailbox::MailboxConfig, messages::Lang};
use exchange_format::{participant::ParticipantCode, stream::Timing};
use jiff::SignedDuration;
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
    /// The program's log.
    #[serde(default)]
    pub log: Log,
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
        }
    }
}

impl Exchange {
    /// The deadlines of our stream.
    pub fn timing(&self) -> Timing {
        let seconds = |n: u32| SignedDuration::from_secs(i64::from(n));
        Timing {
            receipt: seconds(self.receipt_s),
            protocol: seconds(self.protocol_s),
            retry: seconds(self.retry_s),
            cap: seconds(self.retry_cap_s),
            heartbeat: seconds(self.heartbeat_s),
        }
    }

    /// How often the database is asked whether somebody has written.
    pub fn watch(&self) -> Duration {
        Duration::from_millis(u64::from(self.watch_ms.clamp(10, 150)))
    }
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
}
