//! The envelope: opened by its receivers only, and never when damaged.

use std::io::{self, Cursor, Read};

use exchange_format::{
    error::PacketError,
    packet::{Limits, open_sealed},
    seal::{self, Identity, OpenError},
};
use fixtures::packets;
use proptest::prelude::*;

use crate::key;

fn sealed_to(identities: &[&Identity], content: &[u8]) -> Vec<u8> {
    let recipients: Vec<_> = identities.iter().map(|identity| identity.recipient()).collect();
    seal::seal_all(&recipients, &mut &content[..], Vec::new()).unwrap()
}

fn open(identity: &Identity, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut content = Vec::new();
    let count = seal::open(std::slice::from_ref(identity), sealed, &mut content, 1 << 20)?;
    assert_eq!(count, content.len() as u64);
    Ok(content)
}

#[test]
fn a_sealed_packet_is_read_by_each_of_its_receivers() {
    let (hub, archive) = (Identity::generate(), Identity::generate());
    let (name, bytes) = packets::write(packets::small_header(), &packets::small_members());
    let sealed = sealed_to(&[&hub, &archive], &bytes);
    for identity in [&hub, &archive] {
        let old = Identity::generate();
        let held = [old, identity.clone()];
        let packet = open_sealed(&sealed[..], &held, Cursor::new(Vec::new()), &Limits::default()).unwrap();
        packet.verify(&name, key).unwrap().check_members().unwrap();
    }
}

#[test]
fn each_reason_why_it_cannot_be_opened() {
    let (mine, other) = (Identity::generate(), Identity::generate());
    let sealed = sealed_to(&[&other], b"content");
    assert!(matches!(open(&mine, &sealed), Err(OpenError::NoIdentityMatches { tried: 1 })));
    assert!(matches!(open(&mine, b"PK\x03\x04 a plain ZIP"), Err(OpenError::NotAge)));
    assert!(matches!(open(&mine, b"age-encryption.org/v2\n"), Err(OpenError::NotAge)));
    assert!(matches!(open(&mine, b""), Err(OpenError::Truncated { opened: 0 })));
    let endless = [&b"age-encryption.org/v1\n"[..], &b"-> X25519 a\n".repeat(100_000)].concat();
    assert!(matches!(open(&mine, &endless), Err(OpenError::NotAge)));
    let large = vec![1; (1 << 20) + 1];
    let error = open(&mine, &sealed_to(&[&mine], &large)).unwrap_err();
    assert!(matches!(error, OpenError::TooLarge { limit: 0x10_0000 }));
    assert_eq!(PacketError::from(error).reason().unwrap().code(), "OVERSIZE");
    let error = PacketError::from(OpenError::NotAge);
    assert_eq!(error.reason().unwrap().code(), "CANNOT_OPEN");
}

#[test]
fn cut_short_it_is_never_opened() {
    let mine = Identity::generate();
    let content = vec![7; 64 * 1024 + 100];
    let sealed = sealed_to(&[&mine], &content);
    let body = sealed.len() - content.len() - 2 * 16;
    let ends = (0..body + 20).chain([body + 64 * 1024, body + 64 * 1024 + 16, sealed.len() - 1]);
    for end in ends {
        let error = open(&mine, &sealed[..end]).expect_err("cut short");
        assert!(matches!(error, OpenError::Truncated { .. } | OpenError::Damaged { .. }), "{end}: {error}");
    }
    let whole_chunk = open(&mine, &sealed[..body + 64 * 1024 + 16]).unwrap_err();
    assert!(matches!(whole_chunk, OpenError::Truncated { .. }), "{whole_chunk}");
}

#[test]
fn every_changed_bit_of_an_envelope_is_noticed() {
    let mine = Identity::generate();
    let sealed = sealed_to(&[&mine], b"a short content");
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut bytes = sealed.clone();
            bytes[at] ^= 1 << bit;
            let error = open(&mine, &bytes).expect_err("damaged");
            assert!(PacketError::from(error).reason().is_some(), "byte {at}, bit {bit}");
        }
    }
    assert!(open(&mine, &[&sealed[..], b"x"].concat()).is_err());
}

/// A disk that fails says nothing about the packet.
#[test]
fn a_failing_disk_is_not_the_packet_s_fault() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk failed")),
                count => Ok(count),
            }
        }
    }
    let mine = Identity::generate();
    let sealed = sealed_to(&[&mine], &vec![1; 200_000]);
    for end in [10, 100, 1000, 150_000] {
        let error =
            seal::open(std::slice::from_ref(&mine), Failing(&sealed[..end]), &mut io::sink(), u64::MAX);
        let error = PacketError::from(error.unwrap_err());
        assert_eq!(error.reason(), None, "{end}: {error}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let mine = Identity::generate();
    assert_eq!(format!("{mine:?}"), "Identity([redacted])");
    assert_eq!(mine.to_secret_text().parse::<Identity>().unwrap().recipient(), mine.recipient());
    assert!("AGE-SECRET-KEY-1QQQ".parse::<Identity>().unwrap_err().to_string().contains("AGE-SECRET-KEY-1…"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_length_is_opened_whole(length in prop_oneof![0..300_usize, 65_500..65_600_usize, 131_000..131_100_usize]) {
        let mine = Identity::generate();
        let content: Vec<u8> = (0..length).map(|n| n.to_le_bytes()[0]).collect();
        prop_assert_eq!(open(&mine, &sealed_to(&[&mine], &content)).unwrap(), content);
    }
}
