//! Participant cards: one form, signed by themselves, told by their fingerprint.

use exchange_format::{
    card::{Card, CardContent, CardError},
    seal::Identity,
    signature::SigningKey,
};
use fixtures::packets;
use jiff::civil::date;

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\nAAAA\n-----END CERTIFICATE-----\n";

fn key() -> SigningKey {
    packets::signing_key(packets::hub())
}

fn content() -> CardContent {
    CardContent {
        code: packets::hub(),
        name: "Координационный центр".to_owned(),
        signing_key: key().verifying_key(),
        age_recipient: Identity::generate().recipient(),
        archive_recipient: Identity::generate().recipient(),
        valid_from: date(2026, 1, 1),
        valid_until: date(2027, 12, 31),
        tls_ca: Some(PEM.to_owned()),
    }
}

fn card() -> Card {
    Card::sign(content(), &key()).unwrap()
}

/// A card's text changed and signed again by `key`.
fn signed(from: &str, to: &str, key: &SigningKey) -> Result<Card, CardError> {
    resigned(&card(), from, to, key)
}

fn resigned(card: &Card, from: &str, to: &str, key: &SigningKey) -> Result<Card, CardError> {
    let bytes = String::from_utf8(card.to_bytes().to_vec()).unwrap();
    let (text, _) = bytes.rsplit_once("\n\n").unwrap();
    assert!(text.contains(from), "the card has no {from}");
    Card::from_bytes(&key.sign_text(&(text.replacen(from, to, 1) + "\n")))
}

#[test]
fn a_card_reads_back_with_and_without_certificate() {
    for tls_ca in [None, Some(PEM.to_owned()), Some(PEM.repeat(2))] {
        let card = Card::sign(CardContent { tls_ca, ..content() }, &key()).unwrap();
        let again = Card::from_bytes(card.to_bytes()).unwrap();
        assert_eq!(again, card);
        assert_eq!(again.fingerprint(), card.fingerprint());
        assert_eq!(card.fingerprint().len(), 64);
    }
}

#[test]
fn validity_is_asked_for_a_day() {
    let card = card();
    for (day, valid) in [
        (date(2025, 12, 31), false),
        (date(2026, 1, 1), true),
        (date(2027, 12, 31), true),
        (date(2028, 1, 1), false),
    ] {
        assert_eq!(card.check_valid_on(day).is_ok(), valid, "{day}");
    }
}

#[test]
fn the_fingerprint_tells_two_cards_apart() {
    let (card, other) = (card(), card());
    let told = card.fingerprint();
    let by_phone =
        told.to_uppercase().as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":");
    assert_eq!(card.check_fingerprint(&by_phone), Ok(()));
    assert!(matches!(other.check_fingerprint(&told), Err(CardError::Fingerprint { .. })));
    assert!(matches!(card.check_fingerprint(&told[..16]), Err(CardError::Fingerprint { .. })));
    assert!(matches!(card.check_fingerprint(""), Err(CardError::Fingerprint { .. })));
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let bytes = card().to_bytes().to_vec();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(Card::from_bytes(&changed).is_err(), "byte {at}");
        assert!(Card::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn each_line_missing_or_out_of_order() {
    let card = card();
    let text = String::from_utf8(card.to_bytes().to_vec()).unwrap();
    for (at, line) in text.lines().take(8).enumerate() {
        let line = format!("{line}\n");
        for (to, told) in [(String::new(), at + 1), (line.repeat(2), at + 2)] {
            let result = resigned(&card, &line, &to, &key());
            assert!(
                matches!(result, Err(CardError::Line { line, .. }) if line == told),
                "{line}: {result:?}"
            );
        }
    }
    assert!(matches!(signed("tls_ca:\n", "tls_cb:\n", &key()), Err(CardError::Line { line: 9, .. })));
}

#[test]
fn each_value_that_its_field_cannot_have() {
    let value = |from: &str, to: &str| match signed(from, to, &key()) {
        Err(CardError::Value { field, .. }) => field,
        other => panic!("{from:?} → {to:?}: {other:?}"),
    };
    assert_eq!(value("2026-01-01", "2026-01-32"), "valid_from");
    assert_eq!(value("2026-01-01", "20260101"), "valid_from");
    assert_eq!(value("2026-01-01", "2028-01-01"), "valid_until");
    assert_eq!(value("age_recipient: age1", "age_recipient: AGE1"), "age_recipient");
    assert_eq!(value("archive_recipient: age1", "archive_recipient: age2"), "archive_recipient");
    assert_eq!(value("Координационный центр", ""), "name");
    assert_eq!(value("Координационный центр", &"я".repeat(201)), "name");
    assert_eq!(value("Координационный центр", " центр"), "name");
    assert_eq!(value("AAAA\n", "AA*A\n"), "tls_ca");
    assert_eq!(value("AAAA\n-----END CERTIFICATE-----", "AAAA"), "tls_ca");
    assert_eq!(value("-----END CERTIFICATE-----", "-----END-----"), "tls_ca");
}

#[test]
fn the_key_is_the_participant_s_own() {
    let other = packets::signing_key(packets::centre(1));
    let theirs = other.verifying_key().to_string();
    let mine = key().verifying_key().to_string();
    assert!(matches!(signed(&mine, &theirs, &other), Err(CardError::OtherKey { .. })));
    assert!(matches!(signed("2026", "2025", &other), Err(CardError::Signature(_))));
    assert!(matches!(signed(&mine, &mine.replace("svod", "svot"), &key()), Err(CardError::Key(_))));
    let code = format!("code: {}", packets::hub());
    assert!(matches!(signed(&code, "code: 4200001", &key()), Err(CardError::Code(_))));
    assert!(matches!(Card::sign(content(), &other), Err(CardError::OtherKey { .. })));
    assert!(matches!(Card::from_bytes(&vec![b'a'; 70_000]), Err(CardError::NotACard)));
}
