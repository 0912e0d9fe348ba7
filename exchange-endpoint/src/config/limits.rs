//! `[limits]` of either daemon: how much a packet may ask of its reader.

use exchange_format::packet::Limits;
use serde::Deserialize;

use super::Ranged;

/// `[limits]`: [`Limits`] that a region may need larger, or an operator smaller.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Bytes of the ZIP.
    pub packet_bytes: u64,
    /// Bytes of one member when unpacked.
    pub member_bytes: u64,
    /// Bytes of all members together when unpacked.
    pub total_bytes: u64,
    /// How many times larger a member may be unpacked than packed.
    pub ratio: u64,
    /// Records of a packet.
    pub records: u64,
    /// Bytes of one record.
    pub line_bytes: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let Limits { packet_bytes, member_bytes, total_bytes, ratio, records, line_bytes, .. } =
            Limits::default();
        Self { packet_bytes, member_bytes, total_bytes, ratio, records, line_bytes }
    }
}

impl LimitsConfig {
    /// What they may be. Below, one side could not read what the other's program sends: a part of a snapshot has
    /// 10,000 records or 16 MiB, a record as much as a line of 1 MiB; above, 4 GiB is what a ZIP can hold.
    pub fn ranges(&self) -> [Ranged; 6] {
        let Self { packet_bytes, member_bytes, total_bytes, ratio, records, line_bytes } = *self;
        let bytes = (64 << 20)..=u64::from(u32::MAX);
        [
            ("limits.packet_bytes", packet_bytes, bytes.clone()),
            ("limits.member_bytes", member_bytes, bytes.clone()),
            ("limits.total_bytes", total_bytes, (64 << 20)..=(64 << 32)),
            ("limits.ratio", ratio, 20..=2000),
            ("limits.records", records, 10_000..=100_000_000),
            ("limits.line_bytes", line_bytes as u64, (1 << 20)..=(64 << 20)),
        ]
    }

    /// As the packet reader takes them.
    pub fn limits(&self) -> Limits {
        let Self { packet_bytes, member_bytes, total_bytes, ratio, records, line_bytes } = *self;
        Limits { packet_bytes, member_bytes, total_bytes, ratio, records, line_bytes, ..Limits::default() }
    }
}
