//! Sound packets: what is proven of them, and what is said of them in both languages.

use exchange_format::{
    packet::{Header, Purpose},
    record::{Kind, Record},
};
use fixtures::{
    examples,
    packets::{self, Forgery, centre, hub, signing_key},
};

use crate::desk::{Desk, answer, answered, card, from_centre, members, publications, signed, snapshot};

/// Values of the examples that are personal data.
fn personal() -> Vec<String> {
    let body = examples::body(Kind::RecipientClaim);
    let fields = ["surname", "given", "birth_date", "snils", "address_reg"];
    let values: Vec<String> = fields.iter().filter_map(|field| body.text(field).map(str::to_owned)).collect();
    assert!(values.len() > 3);
    values
}

#[test]
fn a_name_is_read() {
    let desk = Desk::new();
    let name = from_centre().name().to_string();
    let ended = desk.run(&["name", &name, "--format", "json"]);
    let json = ended.json();
    assert_eq!((ended.code, &json["valid"], &json["name"]["kind"]), (0, &true.into(), &"SN".into()));
    assert_eq!((&json["name"]["seq"], &json["name"]["sealed"]), (&1.into(), &false.into()));
    assert!(desk.run(&["name", &name]).out.contains("Часть снимка данных (SN): от 4200018 для 4200000"));
    assert!(desk.run(&["name", &name, "--lang", "en"]).out.contains("proves nothing"));
    let ended = desk.run(&["name", &name.to_lowercase(), "--format", "json"]);
    assert_eq!((ended.code, &ended.json()["reason"]), (1, &"BAD_NAME".into()));
    assert!(desk.run(&["name", "x"]).out.contains("Имя файла не является именем пакета обмена."));
    for (lang, said) in [("ru", "дата вида ГГГГММДД"), ("en", "a date YYYYMMDD")] {
        let name = name.replace("_2026", "_9999").replace("_9999", "_99X9");
        for format in ["text", "json"] {
            let told = desk.run(&["name", &name, "--lang", lang, "--format", format]).out;
            assert!(told.contains(said), "{told}");
        }
    }
}

#[test]
fn a_sealed_packet_of_a_centre_is_proven() {
    let desk = Desk::new();
    let forgery = from_centre();
    let file = desk.sealed(&forgery);
    let ended = desk.verify(&file);
    assert_eq!(ended.code, 0, "{ended:?}");
    let json = ended.json();
    assert_eq!(json["verdict"], "proven");
    assert_eq!((&json["signer"]["code"], &json["packet"]["from"]), (&"4200018".into(), &"4200018".into()));
    for check in ["name", "envelope", "form", "signature", "card", "members", "records", "state"] {
        assert_eq!(ended.check(check), "proven", "{check}");
    }
    assert_eq!((&json["records"]["total"], &json["records"]["flawed"]), (&3.into(), &0.into()));
    for limit in ["cards", "time", "truth", "chain", "received"] {
        assert!(json["not_proven"].as_array().unwrap().contains(&limit.into()), "{limit}");
    }
    let file = file.to_str().unwrap();
    for (lang, words) in [
        (
            "ru",
            [
                "ПОДТВЕРЖДЕНО: пакет подлинный и целый.",
                "Чего этот файл сам по себе не доказывает:",
                "по телефону",
            ],
        ),
        ("en", ["PROVEN: the packet is authentic and whole.", "does not prove", "by telephone"]),
    ] {
        let ended = desk.run(&["verify", file, "--trust", "trust", "--key", "age.key", "--lang", lang]);
        for words in words {
            assert!(ended.out.contains(words), "{words}: {}", ended.out);
        }
        assert!(!ended.out.contains("packet-"), "every message has its words: {}", ended.out);
        let seen = desk.run(&["inspect", file, "--key", "age.key", "--lang", lang]);
        for told in [&ended.out, &seen.out] {
            assert!(personal().iter().all(|value| !told.contains(value)), "{told}");
        }
    }
}

#[test]
fn what_cannot_be_opened_is_not_called_false() {
    let desk = Desk::new();
    let file = desk.sealed(&from_centre());
    let file = file.to_str().unwrap();
    for (keys, code) in [(&[][..], "packet-sealed"), (&["--key", "other.key"], "packet-other-key")] {
        let ended = desk.run(&[&["verify", file, "--trust", "trust", "--format", "json"], keys].concat());
        assert_eq!((ended.code, ended.error().as_str()), (3, code));
        assert_eq!(
            (&ended.json()["verdict"], ended.check("envelope").as_str()),
            (&"unknown".into(), "unknown")
        );
        assert_eq!(ended.check("signature"), "unknown");
    }
    let text = desk.run(&["verify", file, "--trust", "trust"]);
    assert!(
        text.out.contains("файл зашифрован, а ключ не указан") && text.err.contains("→ Укажите --key"),
        "{text:?}"
    );
    let seen = desk.run(&["inspect", file, "--format", "json"]);
    assert_eq!(
        (seen.code, &seen.json()["packet"], &seen.json()["name"]["kind"]),
        (0, &().into(), &"SN".into())
    );
    let ended = desk.run(&["inspect", file, "--key", "other.key", "--format", "json"]);
    assert_eq!((ended.code, ended.error().as_str()), (3, "packet-other-key"));
}

#[test]
fn without_the_senders_card_the_rest_is_still_checked() {
    let desk = Desk::new();
    let file = desk.open(&from_centre());
    let hubs = format!("trust/{}.card", hub());
    let ended = desk.run(&["verify", file.to_str().unwrap(), "--trust", &hubs, "--format", "json"]);
    assert_eq!((ended.code, ended.error().as_str()), (3, "packet-no-card"));
    assert_eq!(ended.check("signature"), "unknown");
    for check in ["name", "form", "members", "records", "state"] {
        assert_eq!(ended.check(check), "proven", "{check}");
    }
    // a centre whose card says that it is a hub could sign publications
    let like_hub = card(&signing_key(centre(1)), (2026, 2027), true);
    let file_of_card = desk.path(format!("trust/{}.card", centre(1)));
    std::fs::write(file_of_card, like_hub.to_bytes()).unwrap();
    let ended = desk.run(&["verify", file.to_str().unwrap(), "--trust", "trust", "--format", "json"]);
    assert_eq!((ended.code, ended.error().as_str()), (3, "trust-two-hubs"));
}

#[test]
fn a_superseded_card_proves_what_it_signed() {
    let desk = Desk::new();
    let forgery = from_centre();
    let newer = exchange_format::signature::SigningKey::from_seed(centre(1), &[7; 32]);
    let old = std::fs::read(desk.path("trust/4200018.card")).unwrap();
    let print = exchange_format::position::Digest::of(&old).to_string();
    desk.put(&format!("trust/4200018_{}.card", &print[..16]), &old);
    desk.put("trust/4200018.card", card(&newer, (2026, 2028), false).to_bytes());
    let ended = desk.verify(&desk.open(&forgery));
    assert_eq!((ended.code, &ended.json()["signer"]["fingerprint"]), (0, &print.into()), "{ended:?}");
    assert_eq!(ended.check("place"), "none", "nobody says from where the newer counts");
}

#[test]
fn a_key_proves_nothing_after_the_one_that_has_followed_it() {
    let desk = Desk::new();
    let keys = [7, 8].map(|seed| exchange_format::signature::SigningKey::from_seed(centre(1), &[seed; 32]));
    let snapshot = from_centre();
    let mut trust = exchange_endpoint::trust::Trust::open(&desk.path("trust")).unwrap();
    for (key, seq) in keys.iter().zip([1, 3]) {
        let position = packets::header(Purpose::Data, 1, seq).position;
        trust.succeed(card(key, (2026, 2028), false), position).unwrap();
    }
    let ended = desk.verify(&desk.open(&snapshot));
    assert_eq!((ended.code, ended.check("place")), (0, "proven".into()), "{ended:?}");
    for (seq, key, place) in
        [(2, &keys[0], "proven"), (3, &keys[0], "proven"), (4, &keys[1], "proven"), (4, &keys[0], "false")]
    {
        let header = Header { from: centre(1), to: hub(), ..packets::header(Purpose::Data, 1, seq) };
        let ended = desk.verify(&desk.open(&Forgery::of(header, &members(&[]), key.clone())));
        assert_eq!(
            (ended.check("signature"), ended.check("place")),
            ("proven".into(), place.into()),
            "{seq}"
        );
        let json = ended.json();
        let expected = if place == "false" { (1, "UNKNOWN_KEY") } else { (0, "") };
        assert_eq!((ended.code, json["reason"].as_str().unwrap_or_default()), expected, "{ended:?}");
        let said = desk.run(&["verify", json["file"].as_str().unwrap(), "--trust", "trust", "--lang", "ru"]);
        assert!(said.out.contains("на этом месте потока"), "{said:?}");
    }
}

#[test]
fn publications_are_proven_one_by_one() {
    let desk = Desk::new();
    let records = publications(centre(1));
    let forgery = |to, records: &[Record]| {
        Forgery::of(snapshot(hub(), to, records), &members(records), signing_key(hub()))
    };
    let ended = desk.verify(&desk.open(&forgery(centre(1), &records)));
    assert_eq!((ended.code, &ended.json()["records"]["signed"]), (0, &3.into()), "{ended:?}");
    // signed for another centre
    let ended = desk.verify(&desk.open(&forgery(centre(2), &records)));
    let json = ended.json();
    assert_eq!((ended.code, &json["reason"], &json["records"]["flawed"]), (1, &"INVALID".into(), &3.into()));
    assert_eq!(json["records"]["flaws"][0]["rule"], "person.sig");
    assert_eq!(ended.check("signature"), "proven", "the packet is the hub's all the same");
}

#[test]
fn what_rests_on_a_list_that_is_not_given_is_told_and_else_checked() {
    let desk = Desk::new();
    let list = include_str!("../../../exchange-format/data/care_services.demo-1.toml");
    let list = desk.put("care.toml", list.replace("model = \"demo-1\"", "model = \"kuz-1\"").as_bytes());
    let packet = |model: &str, lacks: &str| {
        let mut record = examples::record(Kind::Supplement);
        let body = String::from_utf8(record.body).unwrap();
        assert!(body.contains(lacks));
        record.body = body.replace("demo-1", model).replace(lacks, "").into_bytes();
        let records = [signed(centre(1), record)];
        desk.open(&Forgery::of(snapshot(hub(), centre(1), &records), &members(&records), signing_key(hub())))
    };
    let verify = |file: &std::path::Path, lists: &[&str]| {
        let file = file.to_str().unwrap();
        let ended = desk.run(&[&["verify", file, "--trust", "trust", "--format", "json"], lists].concat());
        let json = ended.json();
        let told = json["not_proven"].as_array().unwrap().iter().any(|code| code == "lists");
        (ended.code, json["records"]["unlisted"] == 1, told, json["records"]["flaws"][0]["rule"].clone())
    };
    let own = ["--lists", list.to_str().unwrap()];
    let short = "<line><no>32</no><section>6</section><service_code>30</service_code>\
                 <name>Замена моче- и (или) калоприёмника</name></line>";
    let none = serde_json::Value::Null;
    assert_eq!(verify(&packet("demo-1", ""), &[]), (0, false, false, none.clone()), "as shipped");
    assert_eq!(verify(&packet("kuz-1", short), &[]), (0, true, true, none.clone()));
    assert_eq!(verify(&packet("kuz-1", ""), &own), (0, false, false, none));
    assert_eq!(verify(&packet("kuz-1", short), &own), (1, false, false, "supplement.C06".into()));
}

#[test]
fn answers_are_read() {
    let desk = Desk::new();
    let (digest, head) = (answered(), r#"<?xml version="1.0" encoding="UTF-8"?>"#);
    let protocol = format!(
        "<protocol epoch=\"1\" seq=\"1\" digest=\"{digest}\" revision=\"1\" outcome=\"APPLIED_PARTIAL\" new=\"2\" \
         changed=\"0\" unchanged=\"0\" proposed=\"0\" held=\"0\" refused=\"1\">"
    );
    let line = format!(
        "<record outcome=\"refused\" kind=\"contact\" key=\"{}\" version=\"1\" rule=\"contact.type\" reason=\"INVALID\"/>",
        examples::key(Kind::Contact)
    );
    let lines = [head, &protocol, &line, "</protocol>"];
    let ended = desk.verify(&desk.open(&answer(Purpose::Protocol { answered: digest, revision: 1 }, &lines)));
    let json = ended.json();
    assert_eq!((ended.code, &json["answer"]["counts"]["new"]), (0, &2.into()), "{ended:?}");
    assert_eq!(json["answer"]["records"][0]["rule"], "contact.type");
    let other = answer(Purpose::Protocol { answered: digest, revision: 2 }, &lines);
    let file = desk.open(&other);
    let ended = desk.verify(&file);
    assert_eq!((ended.code, ended.check("answer").as_str()), (1, "false"), "another revision: {ended:?}");
    let receipt =
        format!("<receipt epoch=\"1\" seq=\"1\" digest=\"{digest}\" received=\"2026-11-22T02:16:38Z\"/>");
    let file = desk.open(&answer(Purpose::Receipt { answered: digest }, &[head, &receipt]));
    assert_eq!(desk.verify(&file).code, 0);
    let seen = desk.run(&["inspect", file.to_str().unwrap()]).out;
    assert!(seen.contains("Получено 22.11.2026 02:16:38 UTC") && seen.contains("команда verify"), "{seen}");
}

#[test]
fn kinds_and_rules_are_listed() {
    let desk = Desk::new();
    let kinds = desk.run(&["schema", "--format", "json"]).json();
    assert_eq!(kinds["kinds"].as_array().unwrap().len(), Kind::ALL.len());
    let person = desk.run(&["schema", "person", "--format", "json"]).json();
    assert_eq!((&person["owner"], &person["fields"][1]["name"]), (&"hub".into(), &"surname".into()));
    let ended = desk.run(&["schema", "dossier", "--format", "json"]);
    assert_eq!((ended.code, ended.error().as_str()), (2, "kind-unknown"));
    assert!(
        desk.run(&["schema", "contact", "--lang", "en"])
            .out
            .contains("recipient*  ref recipient_claim person")
    );
    let xsd = desk.run(&["schema", "manifest", "--xsd"]);
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema/manifest.xsd");
    assert_eq!((xsd.code, xsd.out), (0, std::fs::read_to_string(committed).unwrap()));
    let xsd = desk.run(&["schema", "contact", "--xsd", "--format", "json"]).json();
    assert_eq!(xsd["file"], "records/contact.xsd");
    let rules = desk.run(&["rules", "--format", "json"]).json();
    assert!(rules["rules"].as_array().unwrap().iter().any(|rule| rule["code"] == "A04"));
    assert!(rules["reasons"].as_array().unwrap().iter().any(|reason| reason["code"] == "FOREIGN"));
    assert!(desk.run(&["rules"]).out.contains("442-ФЗ"));
}

#[test]
fn what_is_missing_is_usage_and_a_full_disk_is_temporary() {
    let desk = Desk::new();
    let file = desk.open(&from_centre());
    let file = file.to_str().unwrap();
    for (args, code) in [
        (&["verify", file][..], "usage"),
        (&["inspect"], "usage"),
        (&["verify", "nothing.zip", "--trust", "trust"], "packet-file"),
        (&["verify", "trust", "--trust", "trust"], "packet-file"),
        (&["verify", file, "--trust", "nothing"], "trust-file"),
        (&["verify", file, "--trust", "trust", "--key", "nothing"], "keys-file"),
        (&["verify", file, "--trust", "trust", "--key", file], "keys-file"),
        (&["verify", file, "--trust", "trust", "--key", "trust/4200018.card"], "keys-malformed"),
    ] {
        let ended = desk.run(&[args, &["--format", "json"]].concat());
        assert_eq!((ended.code, ended.error().as_str()), (2, code), "{args:?}");
    }
    let ended = desk.run(&["inspect", "trust", "--lang", "ru"]);
    assert!(ended.code == 2 && ended.err.contains("это папка"), "{}", ended.err);
    let ended = desk.run(&["verify", file, "--trust", "age.key", "--format", "json"]);
    assert_eq!((ended.code, ended.error().as_str()), (3, "card-malformed"));
    assert!(ended.err.contains("age.key") || ended.out.contains("age.key"), "of many files the one is named");
    assert_eq!(desk.run_into_full_disk(&["verify", file, "--trust", "trust"]), 4);
}
