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
    protocol.packet(forgery.name().to_string(), Digest::of(&forgery.manifest), "APPLIED_PARTIAL", 3);
    // what was not taken may be of anybody
    let foreign = from_centre().name();
    let foreign = exchange_format::file_name::FileName { from: centre(7), ..foreign };
    protocol.file(foreign.to_string(), None, "FOREIGN");
    protocol.count("contact", "new", 2);
    protocol.tell(Line {
        kind: "contact".to_owned(),
        key: examples::key(record::Kind::Contact).to_string(),
        outcome: "refused".to_owned(),
        rule: "contact.type".to_owned(),
        reason: "INVALID".to_owned(),
        sentence: "Значение нарушает правило.".to_owned(),
        next: "Исправьте запись.".to_owned(),
        words: None,
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
    // a count altered alone, with the number of records of its packet, and on the page
    let altered = sound.replacen("\"count\": 2", "\"count\": 3", 1);
    fs::write(&file, &altered).unwrap();
    let ended = desk.verify(&file);
    assert_eq!(
        (ended.code, ended.check("totals").as_str(), ended.check("page").as_str()),
        (1, "false", "false")
    );
    fs::write(&file, altered.replacen("\"records\": 3", "\"records\": 4", 1)).unwrap();
    let ended = desk.verify(&file);
    let found = (ended.code, ended.check("totals"), ended.check("page"));
    assert_eq!(found, (1, "proven".to_owned(), "false".to_owned()), "the page says otherwise");
    fs::write(&file, &sound).unwrap();
    let beside = desk.path("protocols/000001-load.html");
    let page = fs::read_to_string(&beside).unwrap();
    for (from, to) in [(">2</td>", ">1</td>"), ("mark refused", "mark held"), (&digest[..8], "00000000")] {
        assert!(page.contains(from), "{from}");
        fs::write(&beside, page.replacen(from, to, 1)).unwrap();
        assert_eq!(desk.verify(&file).check("page"), "false", "{from}");
    }
    // other words for the same: another version of the program
    fs::write(&beside, page.replace("Итоги", "Подсчёт")).unwrap();
    let ended = desk.verify(&file);
    assert_eq!((ended.code, ended.check("page").as_str()), (0, "unknown"));
    fs::remove_file(desk.path("protocols/000001-load.html")).unwrap();
    assert_eq!(desk.verify(&file).check("page"), "unknown");
    for junk in ["{", "{}", &sound.replacen("svod.protocol/1", "svod.protocol/9", 1)] {
        let ended = desk.verify(&desk.put("junk.json", junk.as_bytes()));
        assert_eq!((ended.code, ended.error().as_str()), (3, "protocol-damaged"), "{junk}");
    }
}
