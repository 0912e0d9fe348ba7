//! Keys and cards that are not the right ones, or not fit for use.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use exchange_endpoint::keys::{CardWords, OwnKeys};
use fixtures::places::{centre_code, hub_code};
use jiff::civil::{Date, date};
use svod_tests::world::{Programs, programs::Who};

use super::stage::{DEMO, count, failed, names, run, wait_for, world};

fn keys(dir: &Path, n: usize, from: Date, until: Date) -> OwnKeys {
    let words = CardWords { name: "ЦСОН".to_owned(), valid_from: from, valid_until: until, tls_ca: None };
    OwnKeys::create(dir, centre_code(n), words).expect("made")
}

#[test]
fn a_card_that_is_not_the_one_told_of_or_not_valid_enrols_nobody() {
    let (dir, world) = world(1);
    let programs = Programs::find(DEMO);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let (card, password) = (path("x.card"), path("password"));
    fs::write(&password, "long enough\n").expect("written");
    let add = |fingerprint: &str, password: &str| {
        let args =
            ["centre", "add", "--card", &card, "--fingerprint", fingerprint, "--password-file", password];
        run(&programs, Who::Hub, &world.layout.hub_config(), &args)
    };
    failed(&add("00", &password), 2, "trust-file");
    let good = keys(&dir.path().join("k2"), 2, date(2020, 1, 1), date(2099, 1, 1)).card;
    let past = keys(&dir.path().join("k3"), 3, date(2020, 1, 1), date(2021, 1, 1)).card;
    let coming = keys(&dir.path().join("k4"), 4, date(2098, 1, 1), date(2099, 1, 1)).card;
    fs::write(&card, good.to_bytes()).expect("written");
    failed(&add(&past.fingerprint(), &password), 3, "card-fingerprint");
    failed(&add(&good.fingerprint(), &path("no-such")), 2, "password-file");
    fs::write(path("short"), "1234\n").expect("written");
    failed(&add(&good.fingerprint(), &path("short")), 3, "password-short");
    for not_valid in [&past, &coming] {
        fs::write(&card, not_valid.to_bytes()).expect("written");
        failed(&add(&not_valid.fingerprint(), &password), 3, "card-not-valid");
    }
    let mut bytes = good.to_bytes().to_vec();
    bytes[60] ^= 1;
    fs::write(&card, bytes).expect("written");
    failed(&add(&good.fingerprint(), &password), 3, "card-malformed");
    assert_eq!(count(&world.layout.hub_db(), "SELECT count(*) FROM centre"), 1, "nobody was enrolled");
    let trust = world.layout.hub().join("trust");
    assert_eq!(names(&trust), [format!("{}.card", centre_code(1))]);

    fs::write(&card, good.to_bytes()).expect("written");
    assert_eq!(add(&good.fingerprint(), &password).status.code(), Some(0), "the right one is taken");
}

#[test]
fn a_hub_card_that_is_not_the_one_told_of_makes_no_centre() {
    let (dir, world) = world(0);
    let programs = Programs::find(DEMO);
    let centre = dir.path().join("new");
    let card = world.layout.hub_card();
    let init = |card: &Path, fingerprint: &str| {
        let words = [
            "init",
            "--dir",
            centre.to_str().expect("UTF-8"),
            "--code",
            centre_code(1).as_str(),
            "--hub-card",
            card.to_str().expect("UTF-8"),
            "--hub-fingerprint",
            fingerprint,
            "--format",
            "json",
        ]
        .map(str::to_owned);
        programs.output(Who::Spoke, &words).expect("it ends")
    };
    failed(&init(&card, &"0".repeat(64)), 3, "card-fingerprint");
    failed(&init(&dir.path().join("none.card"), "00"), 2, "trust-file");
    let old = keys(&dir.path().join("old"), 9, date(2020, 1, 1), date(2021, 1, 1)).card;
    let expired = dir.path().join("expired.card");
    fs::write(&expired, old.to_bytes()).expect("written");
    failed(&init(&expired, &old.fingerprint()), 3, "card-not-valid");
    assert!(!centre.exists(), "nothing was made");
}

#[test]
fn keys_that_others_may_read_that_are_gone_or_another_participants_are_not_used() {
    let (_dir, world) = world(1);
    let programs = Programs::find(DEMO);
    let cases =
        [(Who::Hub, world.layout.hub_config(), "hub"), (Who::Spoke, world.layout.centre_config(1), "centre")];
    for (who, config, name) in cases {
        let keys = config.parent().expect("a directory").join("keys");
        let start = || run(&programs, who, &config, &["run"]);
        for file in ["signing.key", "age.key"] {
            let path = keys.join(file);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("opened");
            let message = failed(&start(), 2, "keys-exposed");
            assert!(message.contains(file) && message.contains("0644"), "{name}: {message}");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("closed");
            let aside = keys.join("aside");
            fs::rename(&path, &aside).expect("taken away");
            assert!(failed(&start(), 2, "keys-file").contains(file));
            fs::rename(&aside, &path).expect("put back");
        }
        let sound = fs::read(keys.join("signing.key")).expect("read");
        fs::write(keys.join("signing.key"), "no key\n").expect("written");
        assert!(!failed(&start(), 2, "keys-malformed").contains("no key"), "no key is repeated");
        fs::write(keys.join("signing.key"), sound).expect("put back");
        let watermark = keys.join("watermark");
        let marks = fs::read(&watermark).expect("read");
        fs::remove_file(&watermark).expect("removed");
        failed(&start(), 2, "watermark-file");
        fs::write(&watermark, "svod watermark 1\n").expect("written");
        failed(&start(), 3, "watermark-damaged");
        fs::write(&watermark, marks).expect("put back");
    }
    // another participant's keys in the place of the centre's
    let (ours, hubs) = (world.layout.centre(1).join("keys"), world.layout.hub().join("keys"));
    let aside = world.layout.root().join("aside");
    fs::rename(&ours, &aside).expect("taken away");
    fs::create_dir(&ours).expect("made");
    for file in ["signing.key", "age.key", "own.card", "watermark"] {
        fs::copy(hubs.join(file), ours.join(file)).expect("copied");
    }
    let config = world.layout.centre_config(1);
    let message = failed(&run(&programs, Who::Spoke, &config, &["run"]), 2, "keys-other");
    assert!(message.contains(hub_code().as_str()), "{message}");
    fs::remove_dir_all(&ours).expect("removed");
    fs::rename(&aside, &ours).expect("put back");
    world.start().expect("started");
    wait_for(&world, &world.layout.hub_db(), "SELECT name FROM packet WHERE state = 'APPLIED'");
}
