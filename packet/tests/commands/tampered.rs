//! Packets with something wrong: each is told for what it is, and what is right in it all the same.

use std::fs;

use exchange_format::{
    packet::MemberName,
    record::{Kind, Record},
    signature::SigningKey,
};
use fixtures::{
    examples,
    packets::{self, Forgery, RawMember, centre, hub, signing_key},
};
use serde_json::Value;

use crate::desk::{Desk, card, claims, from_centre, members, snapshot};

/// Verifies and wants exit 1, `reason`, and `check` false.
#[track_caller]
fn told(desk: &Desk, name: &str, bytes: &[u8], reason: Option<&str>, check: &str) -> Value {
    let ended = desk.verify(&desk.put(name, bytes));
    assert_eq!((ended.code, ended.check(check).as_str()), (1, "false"), "{ended:?}");
    let json = ended.json();
    assert_eq!(json["reason"].as_str(), reason, "{ended:?}");
    assert_eq!(json["verdict"], "false");
    json
}

#[test]
fn a_name_that_is_not_the_packets() {
    let desk = Desk::new();
    let forgery = from_centre();
    let (name, bytes) = (forgery.name().to_string(), forgery.to_bytes());
    let other = |from: &str, to: &str| name.replacen(from, to, 1);
    told(&desk, &other("_20261121_", "_20261122_"), &bytes, Some("BAD_NAME"), "name");
    told(&desk, &other("4200018", centre(2).as_str()), &bytes, Some("FOREIGN"), "name");
    let digits = &name[name.len() - 20..name.len() - 4];
    told(&desk, &other(digits, "0123456789ABCDEF"), &bytes, Some("BAD_DIGEST"), "name");
    let json = told(&desk, "Иванова справка.zip", &bytes, Some("BAD_NAME"), "name");
    assert_eq!(json["file"], "(not a packet's name)");
    for right in ["form", "signature", "members", "records"] {
        let check = json["checks"].as_array().unwrap().iter().find(|check| check["check"] == right).unwrap();
        assert_eq!(check["result"], "proven", "{right}");
    }
}

#[test]
fn bytes_that_are_not_the_signed_ones() {
    let desk = Desk::new();
    let forgery = from_centre();
    let (name, bytes) = (forgery.name().to_string(), forgery.to_bytes());
    let changed = |damage: &dyn Fn(&mut Vec<RawMember>)| {
        let mut members = forgery.all_members();
        damage(&mut members);
        packets::zip(&members)
    };
    told(&desk, &name, &changed(&|m| m[0].data[9] ^= 1), Some("BAD_DIGEST"), "members");
    told(&desk, &name, &changed(&|m| drop(m.remove(1))), Some("SCHEMA"), "members");
    told(&desk, &name, &bytes[..bytes.len() / 2], Some("CANNOT_OPEN"), "form");
    told(&desk, &name, b"<html>", Some("CANNOT_OPEN"), "form");
    told(&desk, &format!("{name}.age"), &bytes, Some("CANNOT_OPEN"), "envelope");
    let note = packets::signing_key(hub()).sign_text("svod.exchange/manifest/v1\nx\ny\n");
    let other = changed(&|m| *m.last_mut().unwrap() = RawMember::stored("manifest.sig", &note));
    told(&desk, &name, &other, Some("BAD_SIGNATURE"), "signature");
    let sealed = desk.sealed(&forgery);
    let mut sealed_bytes = fs::read(&sealed).unwrap();
    let at = sealed_bytes.len() - 20;
    sealed_bytes[at] ^= 1;
    let name = sealed.file_name().unwrap().to_str().unwrap();
    told(&desk, name, &sealed_bytes, Some("CANNOT_OPEN"), "envelope");
    let file = desk.put(name, &sealed_bytes);
    let ended = desk.run(&["inspect", file.to_str().unwrap(), "--key", "age.key", "--format", "json"]);
    assert_eq!((ended.code, ended.error().as_str()), (3, "packet-refused"));
    assert!(
        ended.err.contains("Файл повреждён или обрезан") && !ended.err.contains("envelope"),
        "{}",
        ended.err
    );
    let ended =
        desk.run(&["verify", file.to_str().unwrap(), "--trust", "trust", "--key", "age.key", "--lang", "en"]);
    assert!(ended.out.contains("CANNOT_OPEN: The packet cannot be opened"), "{}", ended.out);
}

#[test]
fn a_key_or_card_that_does_not_fit() {
    let desk = Desk::new();
    let mut forgery = from_centre();
    forgery.key = SigningKey::from_seed(centre(1), &[7; 32]);
    told(&desk, &forgery.name().to_string(), &forgery.to_bytes(), Some("UNKNOWN_KEY"), "signature");
    forgery.key = signing_key(hub());
    told(&desk, &forgery.name().to_string(), &forgery.to_bytes(), Some("UNKNOWN_KEY"), "signature");
    desk.put("trust/4200018.card", card(&signing_key(centre(1)), (2027, 2028), false).to_bytes());
    let forgery = from_centre();
    let json = told(&desk, &forgery.name().to_string(), &forgery.to_bytes(), None, "card");
    assert_eq!(json["signer"]["valid_from"], "2027-01-01");
}

#[test]
fn a_sum_that_is_not_that_of_the_records() {
    let desk = Desk::new();
    let records = claims();
    let forgery =
        Forgery::of(snapshot(centre(1), hub(), &records[1..]), &members(&records), signing_key(centre(1)));
    told(&desk, &forgery.name().to_string(), &forgery.to_bytes(), None, "state");
}

#[test]
fn records_that_their_receiver_would_refuse() {
    let desk = Desk::new();
    let told = |records: &[Record], reason: &str, rule: &str| {
        let forgery =
            Forgery::of(snapshot(centre(1), hub(), records), &members(records), signing_key(centre(1)));
        let json = told(&desk, &forgery.name().to_string(), &forgery.to_bytes(), Some(reason), "records");
        let flaw = &json["records"]["flaws"][0];
        assert_eq!((&flaw["rule"], &flaw["reason"]), (&rule.into(), &reason.into()));
        assert_eq!(json["records"]["flawed"], 1);
    };
    let with = |kind: Kind, from: &str, to: &str| {
        let mut record = examples::record(kind);
        let body = String::from_utf8(record.body).unwrap();
        assert!(body.contains(from), "{body}");
        record.body = body.replacen(from, to, 1).into_bytes();
        record
    };
    told(&[examples::record(Kind::Person), examples::record(Kind::Contact)], "NOT_OWNER", "person.owner");
    told(&[with(Kind::Contact, "<contact>", "<contact> ")], "INVALID", "contact.canonical");
    told(&[with(Kind::Contact, "<recipient>", "<recipient>0")], "INVALID", "contact.recipient");
}

#[test]
fn members_that_hold_no_records() {
    let desk = Desk::new();
    let none = |kind: &str, line: &str| {
        let name = MemberName::records(kind).unwrap();
        let header = snapshot(centre(1), hub(), &[]);
        Forgery::of(header, &[(name, vec![line.to_owned()])], signing_key(centre(1)))
    };
    for forgery in [none("dossier", "<record/>"), none("contact", "<record/>")] {
        told(&desk, &forgery.name().to_string(), &forgery.to_bytes(), Some("SCHEMA"), "members");
    }
}
