//! Numbers of a configuration that must lie within a range, and those that both daemons share.

use std::ops::RangeInclusive;

use exchange_format::stream::Timing;
use jiff::SignedDuration;

use super::{Config, ConfigError};
use crate::messages::Told;

/// A key (as `exchange.retry_s`), its value, and where that may lie.
pub type Ranged = (&'static str, u64, RangeInclusive<u64>);

impl<T> Config<T> {
    /// Refuses the first of `values` that is outside its range.
    ///
    /// # Errors
    /// Names the key's place and its range.
    pub fn within(&self, values: impl IntoIterator<Item = Ranged>) -> Result<(), ConfigError> {
        let outside = values.into_iter().find(|(_, value, range)| !range.contains(value));
        outside.map_or(Ok(()), |(key, _, range)| {
            let args = [("from", range.start().to_string().into()), ("to", range.end().to_string().into())];
            Err(self.refuse(key, Told::of("config-range", &args)))
        })
    }
}

/// The deadlines of a stream in the `[exchange]` table of either daemon, seconds.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// The longest silence of a stream.
    pub heartbeat_s: u32,
    /// From placing to the KV.
    pub receipt_s: u32,
    /// From the KV to the PR.
    pub protocol_s: u32,
    /// First wait after a failure.
    pub retry_s: u32,
    /// Longest wait.
    pub retry_cap_s: u32,
}

impl Deadlines {
    /// What they may be: up to a week, and none of them nothing.
    pub fn ranges(self) -> [Ranged; 5] {
        const WEEK: u64 = 604_800;
        let [heartbeat, receipt, protocol, retry, cap] =
            [self.heartbeat_s, self.receipt_s, self.protocol_s, self.retry_s, self.retry_cap_s]
                .map(u64::from);
        [
            ("exchange.heartbeat_s", heartbeat, 1..=WEEK),
            ("exchange.receipt_s", receipt, 1..=WEEK),
            ("exchange.protocol_s", protocol, 1..=WEEK),
            ("exchange.retry_s", retry, 1..=WEEK),
            ("exchange.retry_cap_s", cap, retry..=WEEK),
        ]
    }

    /// As the streams take them.
    pub fn timing(self) -> Timing {
        let seconds = |s: u32| SignedDuration::from_secs(i64::from(s));
        Timing {
            receipt: seconds(self.receipt_s),
            protocol: seconds(self.protocol_s),
            retry: seconds(self.retry_s),
            cap: seconds(self.retry_cap_s),
            heartbeat: seconds(self.heartbeat_s),
        }
    }
}
