//! Keys change at either end, nobody else can change them, and what was set aside is judged again (FORMAT.md §New keys).

use std::{fs, process::Command};

use exchange_endpoint::keys::OwnKeys;
use exchange_format::{
    answer::{PacketOutcome, PacketReason},
    card::{Card, CardContent},
    file_name::PacketKind,
    seal::Identity,
    signature::SigningKey,
};

use super::{
    centre::{Centre, uid},
    hub::{Opened, protocol_of},
};

fn published() -> Centre {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Первая");
    centre.sync();
    centre.hub.take();
    centre
}

/// The hub's card with another signing key.
fn next(centre: &Centre, seed: u8) -> (Card, SigningKey) {
    let signing = SigningKey::from_seed(centre.hub.code, &[seed; 32]);
    let content =
        CardContent { signing_key: signing.verifying_key(), ..centre.hub.keys.card.content.clone() };
    (Card::sign(content, &signing).expect("signed"), signing)
}

fn outcomes(packets: &[Opened]) -> Vec<PacketOutcome> {
    let protocols = packets.iter().filter(|packet| packet.name.kind == PacketKind::Protocol);
    protocols.map(|packet| protocol_of(packet).0.outcome).collect()
}

fn surname(centre: &Centre) -> String {
    centre.value("SELECT surname FROM recipient")
}

fn own(centre: &Centre) -> OwnKeys {
    OwnKeys::load(&centre.path("keys"), centre.hub.centre).expect("keys")
}

#[test]
fn the_hubs_new_key_is_taken_from_the_hub_alone() {
    let mut centre = published();
    let mine = centre.hub.keys.clone();
    let (new, signing) = next(&centre, 7);
    // signed by the key that it brings: nobody knows it
    centre.hub.keys.signing = signing.clone();
    let before = centre.hub.mark();
    centre.hub.tell_keys(&new);
    centre.sync();
    assert!(outcomes(&centre.hub.take()).is_empty(), "a stranger is told nothing");
    let listed = centre.ok(&["quarantine", "list"]);
    assert_eq!(
        (&listed["files"][0]["reason"], &listed["files"][0]["kind"]),
        (&"UNKNOWN_KEY".into(), &"KY".into())
    );
    let file = listed["files"][0]["file"].as_str().expect("a name").to_owned();
    assert_eq!(centre.ok(&["quarantine", "show", &file])["files"], listed["files"]);
    assert_eq!(centre.ok(&["quarantine", "replay", &file])["replayed"], serde_json::json!([file]));
    centre.sync();
    assert_eq!(centre.ok(&["quarantine", "list"])["files"], listed["files"], "judged again, and as before");
    centre.ends(&["quarantine", "show", "x"], 3);
    // by the hub's key, but its own card again: refused, the number is consumed
    centre.hub.set_mark(before);
    centre.hub.keys.signing = mine.signing;
    centre.hub.tell_keys(&mine.card);
    centre.sync();
    assert_eq!(outcomes(&centre.hub.take()), [PacketOutcome::Refused(PacketReason::Schema)]);
    // what is signed by the new key comes before it is told
    let (mark, state) = (centre.hub.mark(), centre.hub.keys.signing.clone());
    let ky = centre.hub.tell_keys(&new);
    let place = centre.hub.mailbox.join("out").join(&ky);
    let held_up = fs::read(&place).expect("placed");
    fs::remove_file(&place).expect("held up");
    assert!(mark.is_some() && state.verifying_key() != signing.verifying_key());
    centre.hub.keys.signing = signing;
    centre.hub.publish(&[centre.person(uid(1), "Вторая")]);
    centre.sync();
    assert_eq!(surname(&centre), "Первая");
    fs::write(&place, held_up).expect("it comes");
    centre.sync();
    assert_eq!(surname(&centre), "Вторая", "taken by itself");
    assert_eq!(outcomes(&centre.hub.take()), [PacketOutcome::Applied, PacketOutcome::Applied]);
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    let peers = centre.ok(&["keys", "list"])["peers"].clone();
    let states: Vec<_> = peers.as_array().expect("cards").iter().map(|card| card["state"].clone()).collect();
    assert_eq!(states, ["current", "former"]);
}

#[test]
fn what_the_next_key_says_again_is_no_harm() {
    let mut centre = Centre::with_recipient();
    let link = centre.link(centre.key("recipient", "r1"), uid(1), true);
    let records = [centre.person(uid(1), "Первая"), link];
    centre.hub.publish(&records);
    centre.sync();
    let (new, signing) = next(&centre, 7);
    centre.hub.tell_keys(&new);
    centre.hub.keys.signing = signing;
    let again = records.map(|record| centre.hub.sign(record));
    centre.hub.open_epoch(2, &again);
    centre.sync();
    assert_eq!(surname(&centre), "Первая");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    assert_eq!(centre.value("SELECT count(*) FROM svod_incident"), "0");
}

#[test]
fn a_centres_new_keys_are_in_force_when_the_hub_has_taken_them() {
    let mut centre = published();
    let before = own(&centre);
    let made = centre.ok(&["keys", "rotate"]);
    centre.ends(&["keys", "rotate"], 3);
    centre.sync();
    assert_eq!(centre.ok(&["keys", "list"])["telling"][0]["state"], "open");
    let told = centre.hub.take_data();
    let [ky] = &told[..] else { panic!("{told:?}") };
    assert_eq!(ky.name.kind, PacketKind::Keys);
    // sealed to the old key still, and read
    centre.hub.publish(&[centre.person(uid(1), "Вторая")]);
    centre.sync();
    assert_eq!(surname(&centre), "Вторая");
    centre.hub.take();
    centre.hub.answer(ky, &[]);
    centre.sync();
    let after = own(&centre);
    assert_eq!(made["card"]["fingerprint"], after.card.fingerprint());
    assert_ne!(after.card, before.card);
    assert!(after.next.is_none());
    assert_eq!(
        fs::read(centre.path(&format!("{}.card", centre.hub.centre))).expect("read"),
        after.card.to_bytes()
    );
    // from here on by the new ones, both ways
    let card = centre.path("new.card");
    fs::write(&card, after.card.to_bytes()).expect("written");
    centre.hub.enrol(&card);
    centre.hub.publish(&[centre.person(uid(1), "Третья")]);
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Новая')");
    centre.sync();
    assert_eq!(centre.hub.take_data().len(), 1, "opened with the new key");
    assert_eq!(centre.value("SELECT count(*) FROM recipient WHERE surname = 'Третья'"), "1");
}

#[test]
fn what_could_not_be_opened_is_taken_when_the_key_is_back() {
    let mut centre = published();
    let (keys, lost) = (own(&centre), Identity::generate());
    let content = CardContent { age_recipient: lost.recipient(), ..keys.card.content.clone() };
    let (card, old) = (centre.path("lost.card"), centre.path("old.card"));
    fs::write(&card, Card::sign(content, &keys.signing).expect("signed").to_bytes()).expect("written");
    fs::write(&old, keys.card.to_bytes()).expect("written");
    centre.hub.enrol(&card);
    let name = centre.hub.publish(&[centre.person(uid(1), "Вторая")]);
    centre.sync();
    let listed = centre.ok(&["quarantine", "list"]);
    assert_eq!(listed["files"][0]["reason"], "CANNOT_OPEN");
    centre.hub.enrol(&old);
    fs::remove_file(centre.hub.mailbox.join("out").join(name)).expect("the mailbox was emptied");
    let age = centre.path("keys/age.key");
    let text = fs::read_to_string(&age).expect("read") + &lost.to_secret_text() + "\n";
    fs::write(&age, text).expect("put back");
    centre.sync();
    assert_eq!(surname(&centre), "Первая", "nobody has asked for it");
    centre.ok(&["quarantine", "replay", "--all"]);
    centre.sync();
    assert_eq!(surname(&centre), "Вторая");
    assert_eq!(centre.ok(&["quarantine", "list"])["files"], serde_json::json!([]));
    assert_eq!(centre.ok(&["quarantine", "replay", "--all"])["replayed"], serde_json::json!([]));
}

#[test]
fn a_recovery_that_waits_goes_on_with_new_keys() {
    let stage = |centre: &Centre| centre.ok(&["resync"])["stage"].as_str().map(str::to_owned);
    for decided in [false, true] {
        let mut centre = published();
        let old = centre.dir.path().join("old.db");
        centre.sql(&format!("VACUUM INTO '{}'", old.display()));
        centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Новая')");
        centre.sync();
        let mirror: Vec<_> =
            centre.hub.take_data().iter().flat_map(|packet| packet.records.clone()).collect();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(centre.path(&format!("centre.db{suffix}")));
        }
        fs::copy(&old, centre.path("centre.db")).expect("put back");
        centre.sync();
        let asked = |centre: &Centre| {
            let came = centre.hub.take();
            let request = came.iter().rfind(|packet| packet.name.kind == PacketKind::Request);
            request.expect("asked").manifest.header.nonce
        };
        let (request, person) = (asked(&centre), centre.person(uid(1), "Первая"));
        centre.hub.answer_request(request, 2, std::slice::from_ref(&person), &mirror);
        centre.sync();
        assert_eq!(stage(&centre).as_deref(), Some("ready"));
        if decided {
            centre.ok(&["resync", "--yes"]);
        }

        centre.hub.take();

        // new keys, as OPERATING says: made elsewhere, put in the place of the old ones
        let made = Command::new(env!("CARGO_BIN_EXE_svod-spoke"))
            .args(["init", "--code", centre.hub.centre.as_str(), "--dir"])
            .arg(centre.dir.path().join("new"))
            .arg("--hub-card")
            .arg(centre.dir.path().join("hub.card"))
            .args(["--hub-fingerprint", &centre.hub.keys.card.fingerprint()])
            .output()
            .expect("ran");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::rename(centre.path("keys"), centre.path("keys.old")).expect("put aside");
        fs::rename(centre.dir.path().join("new/keys"), centre.path("keys")).expect("put in place");
        let card = centre.path("keys/own.card");
        centre.hub.enrol(&card);
        let told = centre.ok(&["resync"]);
        assert_eq!(
            (&told["stage"], &told["unreadable"]),
            (&"asked".into(), &true.into()),
            "{decided}: {told}"
        );
        let verified = centre.ok(&["verify"]);
        assert_eq!(verified["digest"]["why"], "no key here opens the archived packet", "{verified}");
        centre.ends(&["resync", "--yes"], 4);
        centre.sync();
        assert_eq!(stage(&centre).as_deref(), Some("asked"), "{decided}");
        let request = asked(&centre);
        centre.hub.answer_request(request, 3, std::slice::from_ref(&person), &mirror);
        centre.sync();
        assert_eq!(stage(&centre).as_deref(), Some("ready"), "{decided}: to be seen and decided anew");
        centre.ok(&["resync", "--yes"]);
        centre.ok(&["sync"]);
        assert_eq!(stage(&centre).as_deref(), Some("none"), "{decided}");
        assert_eq!(centre.value("SELECT count(*) FROM recipient WHERE surname = 'Новая'"), "1", "{decided}");
    }
}
