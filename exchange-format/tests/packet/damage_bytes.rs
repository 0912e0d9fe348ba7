//! A packet in which one byte is another is never accepted.

use exchange_format::packet::Limits;
use fixtures::packets::Forgery;

use crate::read;

/// Every byte; of the last byte of each packed member, which deflate pads with idle bits, every bit.
#[test]
fn every_changed_byte_is_noticed() {
    let forgery = Forgery::sound();
    let (name, sound) = (forgery.name(), forgery.to_bytes());
    let last_bytes: Vec<_> = forgery
        .members
        .iter()
        .map(|member| {
            let from = sound.windows(member.data.len()).position(|bytes| bytes == member.data).unwrap();
            from + member.data.len() - 1
        })
        .collect();
    for at in 0..sound.len() {
        let bits = if last_bytes.contains(&at) { 0..8 } else { at % 8..at % 8 + 1 };
        for bit in bits {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << bit;
            let error = read(&name, &bytes, &Limits::default()).expect_err(&format!("byte {at}, bit {bit}"));
            assert!(error.reason().is_some(), "byte {at}: {error}");
        }
    }
}
