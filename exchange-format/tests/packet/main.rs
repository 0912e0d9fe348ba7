//! Packets, whole: written, read back, sealed, and damaged in every way that is known.
#![allow(clippy::unwrap_used)]

mod cards;
mod damage_bytes;
mod damage_manifest;
mod damage_zip;
mod members;
mod names_and_keys;
mod round_trip;
mod sealed;
mod versions;

use std::io::Cursor;

use exchange_format::{
    error::PacketError,
    file_name::FileName,
    packet::{Limits, MemberName, UnverifiedPacket},
    participant::ParticipantCode,
    signature::VerifyingKey,
};
use fixtures::packets;

type Lines = Vec<(MemberName, Vec<String>)>;

/// The keys of everybody.
#[allow(clippy::unnecessary_wraps)] // the form that `verify` asks for
fn key(code: ParticipantCode) -> Option<VerifyingKey> {
    Some(packets::signing_key(code).verifying_key())
}

/// Reads a packet through all its steps and gives what it holds.
fn read(name: &FileName, bytes: &[u8], limits: &Limits) -> Result<Lines, PacketError> {
    let packet = UnverifiedPacket::open(Cursor::new(bytes), limits)?;
    let mut packet = packet.verify(name, key)?;
    let mut packet = packet.check_members()?;
    let names: Vec<_> = packet.manifest().members.iter().map(|member| member.name.clone()).collect();
    let mut all = Lines::new();
    for name in names {
        let mut lines = Vec::new();
        packet.for_each_line(&name, |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
            Ok::<_, PacketError>(())
        })?;
        all.push((name, lines));
    }
    Ok(all)
}

/// Reads what must not be accepted: the code of the reason, and the error in words.
fn refuse(name: &FileName, bytes: &[u8]) -> (&'static str, String) {
    let error = read(name, bytes, &Limits::default()).expect_err("must not be accepted");
    (error.reason().expect("the packet is at fault").code(), error.to_string())
}
