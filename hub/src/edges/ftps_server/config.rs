//! The `[ftps]` table of the hub's configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use exchange_endpoint::config::Ranged;
use serde::Deserialize;

/// Of whom client certificates are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// Of the centres that were given one (`centre certificate`).
    #[default]
    Optional,
    /// Of every centre: one without cannot log in.
    Required,
}

/// Where the FTPS server listens and what it lets a centre do. Every key has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FtpsConfig {
    /// Whether a centre needs a client certificate besides its password.
    pub client_certificates: ClientCertificates,
    /// The codes of centres whose clients cannot resume a TLS session: their data connections are known by their address
    /// and, if the centre has one, its client certificate ([`super::Binding::SameAddress`]).
    pub without_resumption: Vec<String>,
    /// Whether the server runs at all.
    pub enabled: bool,
    /// Address and port of the control connection; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names and addresses, besides `localhost` and `127.0.0.1`, that the server's certificate bears.
    pub names: Vec<String>,
    /// What PASV tells a client behind network address translation; the control connection's address if absent.
    pub passive_address: Option<Ipv4Addr>,
    /// First and last port of data connections; `[0, 0]` takes any free one.
    pub passive_ports: (u16, u16),
    /// A transfer in which no byte moves for so long ends with 426, seconds.
    pub stall_s: u64,
    /// A session without a command for so long ends with 421, seconds.
    pub idle_s: u64,
    /// From connection to login, seconds.
    pub login_s: u64,
    /// So many wrong passwords lock an account for the address they came from.
    pub login_failures: u32,
    /// For so long, seconds; a failure is also forgotten after that.
    pub lock_s: u64,
    /// Each failure delays its answer by this times the failures so far, milliseconds.
    pub failure_delay_ms: u64,
    /// Control connections of all clients together.
    pub max_connections: usize,
    /// Control connections from one address, logged in or not; centres behind one translated address share it.
    pub max_connections_per_address: usize,
    /// Control connections of one centre.
    pub max_connections_per_centre: usize,
    /// Bytes that a centre's `in` and its quarantine may hold.
    pub max_bytes_per_centre: u64,
    /// Files that a centre's `in` may hold.
    pub max_files_per_centre: usize,
    /// An upload that nobody has continued for so long is removed at the centre's next login, days.
    pub part_days: u64,
}

impl Default for FtpsConfig {
    fn default() -> Self {
        Self {
            client_certificates: ClientCertificates::default(),
            without_resumption: Vec::new(),
            enabled: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 2121)),
            names: Vec::new(),
            passive_address: None,
            passive_ports: (0, 0),
            stall_s: 15,
            idle_s: 60,
            login_s: 20,
            login_failures: 5,
            lock_s: 900,
            failure_delay_ms: 250,
            max_connections: 1024,
            max_connections_per_address: 64,
            max_connections_per_centre: 8,
            max_bytes_per_centre: 8 << 30,
            max_files_per_centre: 10_000,
            part_days: 7,
        }
    }
}

impl FtpsConfig {
    /// What the numbers may be.
    pub(in crate::edges) fn ranges(&self) -> [Ranged; 12] {
        const DAY: u64 = 86_400;
        let files = self.max_files_per_centre as u64;
        [
            ("ftps.stall_s", self.stall_s, 1..=3600),
            ("ftps.idle_s", self.idle_s, 1..=DAY),
            ("ftps.login_s", self.login_s, 1..=3600),
            ("ftps.login_failures", self.login_failures.into(), 1..=1000),
            ("ftps.lock_s", self.lock_s, 1..=7 * DAY),
            ("ftps.failure_delay_ms", self.failure_delay_ms, 0..=60_000),
            ("ftps.max_connections", self.max_connections as u64, 1..=100_000),
            ("ftps.max_connections_per_address", self.max_connections_per_address as u64, 1..=100_000),
            ("ftps.max_connections_per_centre", self.max_connections_per_centre as u64, 1..=100_000),
            ("ftps.max_bytes_per_centre", self.max_bytes_per_centre, (64 << 20)..=(1 << 50)),
            ("ftps.max_files_per_centre", files, 10..=10_000_000),
            ("ftps.part_days", self.part_days, 1..=3650),
        ]
    }

    pub(super) fn stall(&self) -> Duration {
        Duration::from_secs(self.stall_s.max(1))
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_s.max(1))
    }

    pub(super) fn login(&self) -> Duration {
        Duration::from_secs(self.login_s.max(1))
    }

    pub(super) fn part_age(&self) -> Duration {
        Duration::from_secs(self.part_days.saturating_mul(86_400))
    }

    pub(super) fn lock(&self) -> Duration {
        Duration::from_secs(self.lock_s)
    }
}
