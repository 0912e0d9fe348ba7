//! A packet: a deterministic ZIP of one member a record kind, then `manifest.xml`, then `manifest.sig`
//! (FORMAT.md §Packet). Its identity is the SHA-256 of its manifest.
//!
//! Writing: [`PacketWriter`]. Reading, one step a type, so that nothing is used before it is proved:
//! [`UnverifiedPacket`] (the ZIP is well formed, the manifest says so) → [`VerifiedPacket`] (name, signature
//! and manifest agree) → [`CheckedPacket`] (every byte of every member is the signed one).

pub mod limits;
pub mod lot;
pub mod manifest;
mod manifest_xml;
mod member_name;
mod member_reader;
pub mod reader;
pub mod writer;
mod xml_tree;
pub mod zip;

pub use limits::Limits;
pub use manifest::{
    Header, LogEvidence, Manifest, Member, MemberName, Nonce, Purpose, SnapshotBasis, SnapshotPart,
};
pub use reader::{CheckedPacket, UnprovenPacket, UnverifiedPacket, VerifiedPacket, open_sealed};
pub use writer::{PacketWriter, WriteError, WrittenPacket};

/// The version of the format that this library writes, and the highest that it reads.
pub const FORMAT: u16 = 1;

pub(crate) const MANIFEST_NAME: &str = "manifest.xml";
pub(crate) const SIGNATURE_NAME: &str = "manifest.sig";
pub(crate) const XML_DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
