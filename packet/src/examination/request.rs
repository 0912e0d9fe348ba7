//! What a request (RQ) asks for.

use exchange_format::{
    answer::{Range, Request},
    position::Mark,
};
use serde::Serialize;

/// What it asks for.
#[derive(Debug, Serialize)]
#[serde(tag = "asks", rename_all = "snake_case")]
pub enum RequestWords {
    /// Packets of the receiver's stream.
    Packets {
        /// Their epoch.
        epoch: u16,
        /// The first number.
        first: u32,
        /// The last.
        last: u32,
    },
    /// A snapshot of the receiver's stream.
    Snapshot {
        /// One of FORMAT.md's list.
        cause: String,
        /// The last packet of it that the sender holds.
        seen: Option<String>,
    },
    /// Sums over the records of a stream.
    RangeDigests {
        /// Whose stream.
        of: String,
        /// After which packet.
        at: String,
        /// The id of the request that it refines.
        re: Option<String>,
        /// Sums.
        ranges: usize,
        /// Records listed one by one.
        listed: usize,
    },
}

impl RequestWords {
    /// Of `request`.
    pub fn of(request: &Request) -> Self {
        match request {
            Request::Packets(missing) => Self::Packets {
                epoch: missing.epoch().get(),
                first: missing.first().get(),
                last: missing.last().get(),
            },
            Request::Snapshot { cause, seen } => {
                Self::Snapshot { cause: cause.to_string(), seen: seen.as_ref().map(mark) }
            }
            Request::RangeDigests(digests) => {
                let listed = |range: &Range| range.records.as_ref().map_or(0, Vec::len);
                Self::RangeDigests {
                    of: digests.of.to_string(),
                    at: mark(&digests.at),
                    re: digests.re.map(|nonce| nonce.to_string()),
                    ranges: digests.ranges.len(),
                    listed: digests.ranges.iter().map(listed).sum(),
                }
            }
        }
    }
}

/// `epoch/seq digest`.
fn mark(mark: &Mark) -> String {
    format!("{}/{} {}", mark.position.epoch, mark.position.seq, mark.digest)
}
