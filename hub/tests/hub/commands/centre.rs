//! `centre`: enrolment, client certificates.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    process::Output,
};

use exchange_endpoint::trust::Trust;
use exchange_format::card::CardContent;
use serde_json::Value;

use super::city::{City, centre, done, refused};

#[test]
fn a_centre_is_enrolled_again_renewed_shut_out_and_returns_with_new_keys_only() {
    let city = City::new();
    let first = city.card(1);
    let added = |output: &Output| {
        let told = done(output);
        (told["card"].as_str().expect("text").to_owned(), told["password_changed"] == true)
    };
    assert_eq!(added(&city.add(&first, "long enough")), ("new".into(), true));
    assert_eq!(added(&city.add(&first, "long enough")), ("known".into(), false));
    assert_eq!(added(&city.add(&first, "another one")), ("known".into(), true));
    let code = centre(1).to_string();
    for name in [format!("ftp/{code}/in"), format!("ftp/{code}/out"), format!("quarantine/{code}")] {
        assert!(city.hub().join(&name).is_dir(), "{name}");
    }
    assert_eq!(added(&city.add(&city.card(1), "another one")), ("superseded".into(), false));
    assert_eq!(fs::read_dir(city.hub().join("trust")).expect("there").count(), 2, "the old card is kept");

    fs::write(city.hub().join(format!("ftp/{code}/out/x.zip")), b"x").expect("written");
    let told = done(&city.run(&["centre", "disable", &code, "--reason", "утрачен компьютер"]));
    assert_eq!((&told["changed"], &told["removed"]), (&true.into(), &1.into()));
    assert_eq!(done(&city.run(&["centre", "disable", &code, "--reason", "ещё раз"]))["changed"], false);
    assert_eq!(done(&city.run(&["centre", "list"]))["centres"][0]["state"], "disabled");
    assert_eq!(refused(&city.add(&first, "another one")), (3, "centre-revoked".into()));
    assert_eq!(added(&city.add(&city.card(1), "another one")), ("superseded".into(), false));
    assert_eq!(done(&city.run(&["centre", "list"]))["centres"][0]["state"], "active");
    let added = ["centre.added", "centre.password", "centre.added", "centre.disabled", "centre.added"];
    let (events, inputs) = city.noted();
    assert_eq!((&events[1..], &inputs[..]), (&added.map(str::to_owned)[..], &added.map(str::to_owned)[..]));
    assert_eq!(events[0], "hub.created");
}

#[test]
fn an_enrolment_that_was_cut_short_is_ended_by_the_next() {
    let city = City::new();
    let take_in = |(file, print): &(String, String)| {
        let card = Trust::read_told(file.as_ref(), print).expect("sound");
        Trust::open(&city.hub().join("trust")).expect("opened").add(card).expect("on the disk");
    };
    let added = |output: &Output| done(output)["card"].as_str().expect("text").to_owned();
    let anew = |city: &City| city.noted().0.iter().filter(|event| *event == "centre.added").count();
    let (first, second, third) = (city.card(1), city.card(1), city.card(1));
    take_in(&first);
    assert_eq!((added(&city.add(&first, "long enough")), anew(&city)), ("new".into(), 1));
    take_in(&second);
    assert_eq!((added(&city.add(&second, "long enough")), anew(&city)), ("superseded".into(), 2));
    let code = centre(1).to_string();
    done(&city.run(&["centre", "disable", &code, "--reason", "утрачен компьютер"]));
    take_in(&third);
    assert_eq!(refused(&city.add(&second, "long enough")), (3, "centre-revoked".into()));
    assert_eq!((added(&city.add(&third, "long enough")), anew(&city)), ("superseded".into(), 3));
}

#[test]
fn root_does_not_work_on_the_database_of_another() {
    let city = City::new();
    let database = city.hub().join("hub.db");
    if chown(&database, Some(990), None).is_ok() {
        assert_eq!(refused(&city.run(&["centre", "list"])), (2, "root-over-other".into()));
    }
}

#[test]
fn what_is_wrong_with_an_enrolment_is_told() {
    let city = City::new();
    let (card, other) = (city.card(1), city.card(2));
    assert_eq!(refused(&city.add(&(card.0.clone(), other.1), "long enough")), (3, "card-fingerprint".into()));
    assert_eq!(refused(&city.add(&card, "short")), (3, "password-short".into()));
    let own = city.hub().join(format!("{}.card", centre(0))).to_str().expect("UTF-8").to_owned();
    let print = done(&city.run(&["centre", "card"]))["fingerprint"].as_str().expect("text").to_owned();
    assert_eq!(refused(&city.add(&(own, print), "long enough")), (3, "centre-is-hub".into()));
    let authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let like_hub = city.card_with(3, Some(authority));
    assert_eq!(refused(&city.add(&like_hub, "long enough")), (3, "centre-like-hub".into()));
    let garbage = (city.file("garbage", "no card"), card.1.clone());
    assert_eq!(refused(&city.add(&garbage, "long enough")), (3, "card-malformed".into()));
    let missing =
        city.run(&["centre", "add", "--card", &card.0, "--fingerprint", &card.1, "--password-file", "/none"]);
    assert_eq!(refused(&missing), (2, "password-file".into()));
    let unknown = centre(9).to_string();
    assert_eq!(
        refused(&city.run(&["centre", "disable", &unknown, "--reason", "x"])),
        (3, "centre-unknown".into())
    );
    assert_eq!(refused(&city.run(&["centre", "disable", "4200001", "--reason", "x"])), (2, "usage".into()));
    assert_eq!(refused(&city.run(&["centre", "disable", &unknown, "--reason", " "])), (2, "usage".into()));
    assert_eq!(done(&city.run(&["centre", "list"]))["centres"], serde_json::json!([]));
    assert_eq!(city.noted().0, ["hub.created"]);
}

#[test]
fn a_centre_is_given_a_client_certificate_another_and_none() {
    let city = City::new();
    let card = city.card(1);
    done(&city.add(&card, "long enough"));
    let code = centre(1).to_string();
    let none = city.run(&["centre", "certificate", &code, "--revoke"]);
    assert_eq!(refused(&none), (3, "no-client-certificate".into()));
    let out = city.dir.path().join("handed over");
    let out = out.to_str().expect("UTF-8");
    let issue = ["centre", "certificate", &code, "--out", out];
    let told = done(&city.run(&issue));
    let (certificate, key) = (told["certificate_file"].as_str(), told["key_file"].as_str());
    let (certificate, key) = (certificate.expect("a path"), key.expect("a path"));
    let mode = fs::metadata(key).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(fs::read_to_string(key).expect("text").contains("PRIVATE KEY"));
    let listed = |city: &City| done(&city.run(&["centre", "list"]))["centres"][0]["certificate"].clone();
    assert_eq!(listed(&city), told["certificate"]);
    assert_eq!(told["certificate"].as_str().expect("a digest").len(), 64);
    assert_eq!(refused(&city.run(&issue)), (3, "hub-exists".into()), "a key is never overwritten");
    assert_eq!(listed(&city), told["certificate"]);
    // a new card or password does not take it away
    done(&city.add(&card, "another one"));
    assert_eq!(listed(&city), told["certificate"]);

    let revoke = ["centre", "certificate", &code, "--revoke"];
    let revoked =
        |city: &City| done(&city.run(&["centre", "list"]))["centres"][0]["certificate_revoked"].clone();
    assert_eq!(revoked(&city), false);
    assert_eq!((&done(&city.run(&revoke))["changed"], listed(&city)), (&true.into(), Value::Null));
    assert_eq!(revoked(&city), true, "it is shut out until it has another");
    assert_eq!(done(&city.run(&revoke))["changed"], false);
    let pin = |file: &str| city.run(&["centre", "certificate", &code, "--cert", file]);
    assert_eq!(refused(&pin(certificate)), (3, "client-certificate-revoked".into()));
    let again = city.dir.path().join("again");
    let again = done(&city.run(&["centre", "certificate", &code, "--out", again.to_str().expect("UTF-8")]));
    assert_ne!(again["certificate"], told["certificate"]);
    let another = again["certificate_file"].as_str().expect("a path");
    assert_eq!(done(&pin(another))["changed"], false);
    assert_eq!(revoked(&city), false);
    let ca = city.hub().join("pki/ca.pem");
    let rubbish = city.file("rubbish.pem", "rubbish");
    for file in [ca.to_str().expect("UTF-8"), &rubbish, key] {
        assert_eq!(refused(&pin(file)), (3, "client-certificate".into()), "{file}");
    }
    assert_eq!(refused(&pin("/none.pem")), (2, "hub-file".into()));
    let what = city.run(&["centre", "certificate", &code]);
    assert_eq!(refused(&what), (2, "client-certificate-what".into()));
    let both = city.run(&["centre", "certificate", &code, "--revoke", "--cert", certificate]);
    assert_eq!(refused(&both), (2, "client-certificate-what".into()));
    let nobody = city.run(&["centre", "certificate", centre(7).as_str(), "--revoke"]);
    assert_eq!(refused(&nobody), (3, "centre-unknown".into()));
    let (events, inputs) = city.noted();
    let given = ["centre.certificate", "centre.certificate.revoked", "centre.certificate"];
    let of = |all: Vec<String>| -> Vec<String> {
        all.into_iter().filter(|one| one.starts_with("centre.certificate")).collect()
    };
    assert_eq!(
        (of(events), of(inputs)),
        (given.map(str::to_owned).to_vec(), given.map(str::to_owned).to_vec())
    );
}

#[test]
fn a_centre_enrolled_again_by_a_card_without_a_name_keeps_its_own() {
    let city = City::new();
    let name = |city: &City| done(&city.run(&["centre", "list"]))["centres"][0]["name"].clone();
    let nameless = CardContent::nameless(centre(1));
    done(&city.add(&city.card_called(1, &nameless, None), "long enough"));
    assert_eq!(name(&city), nameless.as_str(), "nothing better is known");
    done(&city.add(&city.card(1), "long enough"));
    assert_eq!(name(&city), "ЦСОН 1");
    done(&city.add(&city.card_called(1, &nameless, None), "long enough"));
    assert_eq!(name(&city), "ЦСОН 1");
}

#[test]
fn a_lost_certificate_authority_is_made_anew_by_command_only() {
    let city = City::new();
    let card = city.card(1);
    done(&city.add(&card, "long enough"));
    assert_eq!(refused(&city.run(&["centre", "authority"])), (3, "hub-authority-there".into()));
    let (pki, certificate) = (city.hub().join("pki"), city.hub().join("pki/ca.pem"));
    let former = fs::read(&certificate).expect("read");
    for (lost, left) in [("", None), ("ca.pem", Some("ca.key")), ("ca.key", Some("ca.pem"))] {
        match lost {
            "" => fs::remove_dir_all(&pki).expect("lost"),
            file => fs::remove_file(pki.join(file)).expect("lost"),
        }
        let out = city.dir.path().join("out");
        let issue = city.run(&[
            "centre",
            "certificate",
            &centre(1).to_string(),
            "--out",
            out.to_str().expect("UTF-8"),
        ]);
        assert_eq!(refused(&issue), (2, "hub-authority-lost".into()), "{lost}");
        let running = city.run(&["run"]);
        assert_eq!(running.status.code(), Some(2), "{lost}: {running:?}");
        assert!(String::from_utf8_lossy(&running.stderr).contains("centre authority"), "{running:?}");
        let there = ["ca.pem", "ca.key"].into_iter().find(|file| pki.join(file).exists());
        assert_eq!(there, left, "nothing was made");
        let told = done(&city.run(&["centre", "authority"]));
        assert_eq!(told["certificate_file"], certificate.to_str().expect("UTF-8"));
        assert_ne!(fs::read(&certificate).expect("made"), former);
        let kept = fs::read_dir(&pki).expect("there").filter(|entry| {
            entry.as_ref().expect("an entry").file_name().to_string_lossy().contains("before-")
        });
        assert!(left.is_none() || kept.count() > 0, "{lost}: what was left is kept");
        let mode = fs::metadata(pki.join("ca.key")).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(city.noted().0.iter().filter(|event| *event == "authority.made").count(), 3);
}
