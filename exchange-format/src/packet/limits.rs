//! How much a packet may ask of its reader. An explicit parameter of every read.

/// The limits of one read. What exceeds one is refused as OVERSIZE (a manifest's depth, and its version: SCHEMA) at the first
/// byte too many, before anything is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The highest version of the format that the reader is declared to read.
    pub format: u16,
    /// Bytes of the ZIP.
    pub packet_bytes: u64,
    /// Bytes of one member when unpacked.
    pub member_bytes: u64,
    /// Bytes of all members together when unpacked.
    pub total_bytes: u64,
    /// How many times larger a member may be unpacked than packed; of at most 16 MiB any.
    pub ratio: u64,
    /// Members, without manifest and signature.
    pub members: usize,
    /// Lines (records) of all members together.
    pub records: u64,
    /// Bytes of one line without its line break.
    pub line_bytes: usize,
    /// Bytes of `manifest.xml`.
    pub manifest_bytes: u64,
    /// Levels of elements in `manifest.xml`, the outermost being 1.
    pub depth: usize,
    /// Bytes of one text or attribute of `manifest.xml`.
    pub text_bytes: usize,
}

impl Default for Limits {
    /// Enough for a snapshot part (10,000 records or 16 MiB) and for a day's changes of a large region.
    fn default() -> Self {
        Self {
            format: super::FORMAT,
            packet_bytes: 256 << 20,
            member_bytes: 1 << 30,
            total_bytes: 2 << 30,
            ratio: 200,
            members: 64,
            records: 2_000_000,
            line_bytes: 1 << 20,
            manifest_bytes: 256 << 10,
            depth: 8,
            text_bytes: 64 << 10,
        }
    }
}
