//! `verify` of protocols of exchange: what contradicts itself is found, and nothing is called proven.

use std::{fs, path::PathBuf};

use exchange_endpoint::{
    messages::Lang,
    protocol::{Kind, Line, Protocol, Protocols},
};
use exchange_format::{position::Digest, record};
use fixtures::{
    examples,
    packets::{centre, hub},
};

use crate::desk::{Desk, from_centre};

/// A protocol of the hub as its program writes it, in `protocols/`.
fn protocol(desk: &Desk) -> PathBuf {
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    let mut protocol = Protocol::begin(Kind::Load, Lang::Ru, hub(), Some(centre(1)), at);
    let forgery = from_centre();
    protocol.packet(forgery.name().to_string(), Some(Digest::of(&forgery.manifest)), "APPLIED_PARTIAL");
    protocol.count("contact", "new", 2);
    protocol.tell(Line {
        kind: "contact".to_owned(),
        key: examples::key(record::Kind::Contact).to_string(),
        outcome: "refused".to_owned(),
        rule: "contact.type".to_owned(),
        reason: "INVALID".to_owned(),
        sentence: "Значение нарушает правило.".to_owned(),
        next: "Исправьте запись.".to_owned(),
    });
    Protocols::open(&desk.path("protocols")).unwrap().write(protocol).unwrap();
    desk.path("protocols/000001-load.json")
}

#[test]
fn a_protocol_that_agrees_with_itself_is_not_called_proven() {
    let desk = Desk::new();
    let file = protocol(&desk);
    let ended = desk.verify(&file);
    let json = ended.json();
    assert_eq!(
        (ended.code, &json["verdict"], &json["number"]),
        (0, &"consistent".into(), &1.into()),
        "{ended:?}"
    );
    for check in ["packets", "totals", "times", "page"] {
        assert_eq!(ended.check(check), "proven", "{check}");
    }
    let file = file.to_str().unwrap();
    let text = desk.run(&["verify", file, "--trust", "trust"]).out;
    assert!(text.contains("его подлинность не доказана") && text.contains("пакеты PR"), "{text}");
    assert!(
        desk.run(&["verify", file, "--trust", "trust", "--lang", "en"]).out.contains("bears no signature")
    );
}

#[test]
fn each_contradiction_is_found() {
    let desk = Desk::new();
    let file = protocol(&desk);
    let sound = fs::read_to_string(&file).unwrap();
    let digest = Digest::of(&from_centre().manifest).to_string();
    for (from, to, check) in [
        (digest.as_str(), "0".repeat(64).as_str(), "packets"),
        ("SVOD1_SN_4200000_4200018", "SVOD1_SN_4200000_4200026", "packets"),
        ("\"count\": 1", "\"count\": 0", "totals"),
        ("\"finished\": \"2026", "\"finished\": \"2025", "times"),
    ] {
        assert!(sound.contains(from), "{from}: {sound}");
        fs::write(&file, sound.replacen(from, to, 1)).unwrap();
        let ended = desk.verify(&file);
        assert_eq!((ended.code, ended.check(check).as_str()), (1, "false"), "{check}: {ended:?}");
    }
    fs::write(&file, sound.replacen("\"count\": 2", "\"count\": 3", 1)).unwrap();
    let ended = desk.verify(&file);
    assert_eq!((ended.code, ended.check("page").as_str()), (0, "unknown"), "the page beside it is another");
    fs::remove_file(desk.path("protocols/000001-load.html")).unwrap();
    assert_eq!(desk.verify(&file).check("page"), "unknown");
    for junk in ["{", "{}", &sound.replacen("svod.protocol/1", "svod.protocol/9", 1)] {
        let ended = desk.verify(&desk.put("junk.json", junk.as_bytes()));
        assert_eq!((ended.code, ended.error().as_str()), (3, "protocol-damaged"), "{junk}");
    }
}
