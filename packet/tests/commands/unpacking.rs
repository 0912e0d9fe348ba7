//! `unpack`: whole, in its directory only, over nothing, and no bombs.

use std::{fs, os::unix::fs::PermissionsExt as _};

use exchange_format::position::Digest;
use fixtures::packets::{Forgery, RawMember, member_bytes};

use crate::desk::{Desk, claims, from_centre, members};

#[test]
fn the_members_come_out_as_they_are() {
    let desk = Desk::new();
    let file = desk.sealed(&from_centre());
    let file = file.to_str().unwrap();
    let out = desk.path("out");
    let run =
        |extra: &[&str]| desk.run(&[&["unpack", file, "--out", "out", "--format", "json"], extra].concat());
    let ended = run(&[]);
    assert_eq!((ended.code, ended.error().as_str(), out.exists()), (3, "packet-sealed", false));
    let ended = run(&["--key", "other.key"]);
    assert_eq!((ended.code, ended.error().as_str(), out.exists()), (3, "packet-other-key", false));
    let ended = run(&["--key", "age.key", "--trust", "trust"]);
    assert_eq!((ended.code, &ended.json()["proven"]), (0, &true.into()), "{ended:?}");
    for (name, lines) in members(&claims()) {
        let path = out.join(name.to_string());
        assert_eq!(fs::read(&path).unwrap(), member_bytes(&name, &lines));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o700);
    let manifest = fs::read(out.join("manifest.xml")).unwrap();
    assert_eq!(ended.json()["digest"], Digest::of(&manifest).to_string());
    assert!(out.join("manifest.sig").exists());
    let again = run(&["--key", "age.key"]);
    assert_eq!((again.code, again.error().as_str()), (3, "unpack-not-empty"));
    let text = desk.run(&["unpack", file, "--out", "second", "--key", "age.key"]).out;
    assert!(text.contains("Записано 5 файлов") && text.contains("укажите --trust"), "{text}");
}

#[test]
fn nothing_is_overwritten_and_no_link_is_followed() {
    let desk = Desk::new();
    let file = desk.open(&from_centre());
    let file = file.to_str().unwrap();
    let elsewhere = desk.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(desk.path("out")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, desk.path("out/records")).unwrap();
    let ended = desk.run(&["unpack", file, "--out", "out", "--format", "json"]);
    assert_eq!((ended.code, ended.error().as_str()), (3, "unpack-not-empty"));
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    for (out, code) in [("age.key", 2), ("no/such/place", 2)] {
        let ended = desk.run(&["unpack", file, "--out", out, "--format", "json"]);
        assert_eq!((ended.code, ended.error().as_str()), (code, "unpack-file"), "{out}");
    }
}

#[test]
fn what_is_not_whole_leaves_nothing() {
    let desk = Desk::new();
    let bomb = RawMember::bomb("records/contact.xml", &vec![b'a'; 4 << 20]);
    let mut forgery = from_centre();
    let place = forgery.members.len() - 1;
    forgery = forgery.with_member(place, bomb);
    let damaged = {
        let mut members = from_centre().all_members();
        members[1].data[9] ^= 1;
        fixtures::packets::zip(&members)
    };
    let name = from_centre().name().to_string();
    for (bytes, reason) in [(forgery.to_bytes(), "OVERSIZE"), (damaged, "BAD_DIGEST")] {
        let file = desk.put(&name, &bytes);
        let ended =
            desk.run(&["unpack", file.to_str().unwrap(), "--out", "out", "--lang", "en", "--format", "json"]);
        assert_eq!((ended.code, ended.error().as_str()), (3, "packet-refused"));
        assert!(ended.err.contains(reason), "{}", ended.err);
        assert!(!desk.path("out").exists());
    }
}

#[test]
fn with_cards_only_what_they_prove_is_unpacked() {
    let desk = Desk::new();
    let mut forgery: Forgery = from_centre();
    forgery.key = fixtures::packets::signing_key(fixtures::packets::hub());
    let file = desk.open(&forgery);
    let file = file.to_str().unwrap();
    let ended = desk.run(&["unpack", file, "--out", "out", "--trust", "trust", "--format", "json"]);
    assert_eq!(
        (ended.code, ended.error().as_str(), desk.path("out").exists()),
        (3, "unpack-not-proven", false)
    );
    let ended = desk.run(&["unpack", file, "--out", "out", "--format", "json"]);
    assert_eq!((ended.code, &ended.json()["proven"]), (0, &false.into()));
}
