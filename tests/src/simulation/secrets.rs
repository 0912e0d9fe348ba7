//! Keys of simulated participants: the same in every run, for anybody to know.

use exchange_endpoint::keys::Secrets;
use exchange_format::{participant::ParticipantCode, position::Digest, seal::Identity};

/// The secrets of `code` after `changes` changes of its keys.
pub fn secrets_of(code: ParticipantCode, changes: u32) -> Secrets {
    let of = |what: &str| *Digest::of(format!("{code} {changes} {what}").as_bytes()).as_bytes();
    let identity = |what| age_key(&of(what)).parse::<Identity>().expect("thirty-two bytes in Bech32");
    Secrets { seed: of("signs"), identity: identity("opens"), archive: identity("keeps") }
}

/// `bytes` as the text of an age key: Bech32 (BIP 173), in capitals.
fn age_key(bytes: &[u8; 32]) -> String {
    const LETTERS: &[u8; 32] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    const PREFIX: &str = "age-secret-key-";
    let mut fives = Vec::new();
    let (mut held, mut bits) = (0u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            fives.push(held >> bits & 31);
        }
        held &= (1 << bits) - 1;
    }
    fives.push(held << (5 - bits) & 31);
    let prefix = PREFIX.bytes().map(|byte| u32::from(byte >> 5)).chain([0]);
    let all = prefix.chain(PREFIX.bytes().map(|byte| u32::from(byte & 31))).chain(fives.clone());
    let sum = checksum(all.chain([0; 6])) ^ 1;
    fives.extend((0..6).map(|at| sum >> (5 * (5 - at)) & 31));
    let letters = fives.into_iter().map(|five| char::from(LETTERS[five as usize]));
    format!("{}1{}", PREFIX.to_uppercase(), letters.collect::<String>())
}

fn checksum(values: impl Iterator<Item = u32>) -> u32 {
    const STEPS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let next = (sum & 0x1ff_ffff) << 5 ^ value;
        STEPS
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(next, |sum, (_, step)| sum ^ step)
    })
}
