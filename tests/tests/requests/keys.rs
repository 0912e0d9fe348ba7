//! Both ends change their keys while they exchange: what comes in whatever order, and whatever is cut short, both go on,
//! and what was signed before is proven for ever (FORMAT.md §New keys).

use std::{
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::{keys::OwnKeys, trust::Trust};
use exchange_format::{
    card::{Card, CardContent},
    file_name::FileName,
    lists::Lists,
    packet::{Limits, UnverifiedPacket, open_sealed},
    participant::ParticipantCode,
    seal::Identity,
};
use fixtures::places::{centre_code, hub_code};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::Value;
use svod_packet::{
    cards::Cards,
    examination::{self, Found, Verdict},
    given::Given,
};
use svod_tests::world::{World, bring_up::centre_name};

use super::{count, merged, wait, wait_for, write};

/// Waits until a packet of this kind lies in `folder`; its path.
fn placed(world: &World, folder: &Path, kind: &str) -> PathBuf {
    wait_for(world, "a packet", || {
        let entries = fs::read_dir(folder).expect("listed").flatten().map(|entry| entry.path());
        entries.min_by_key(|path| (!is_kind(path, kind), path.clone())).filter(|path| is_kind(path, kind))
    })
}

fn is_kind(path: &Path, kind: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<FileName>().ok());
    name.is_some_and(|name| name.kind.letters() == kind)
}

fn fingerprint(dir: &Path, code: ParticipantCode) -> String {
    OwnKeys::load(&dir.join("keys"), code).expect("keys").card.fingerprint()
}

/// Every numbered packet in `archive` opens with `identities` and was signed by a card of `trust`; by how many cards.
fn proven(archive: &Path, identities: &[Identity], trust: &Path, from: ParticipantCode) -> usize {
    let (trust, auditors) =
        (&Trust::open(trust).expect("cards"), Cards::read(&[trust.into()]).expect("cards"));
    let mut signers = std::collections::BTreeSet::new();
    for entry in fs::read_dir(archive).expect("listed").flatten() {
        let Some(name) = entry.file_name().to_str().and_then(|name| name.parse::<FileName>().ok()) else {
            continue;
        };
        if name.from != from || !name.kind.is_numbered() {
            continue;
        }
        let file = fs::File::open(entry.path()).expect("opens");
        let spool = std::io::Cursor::new(Vec::new());
        let packet: UnverifiedPacket<_> =
            open_sealed(file, identities, spool, &Limits::default()).expect("sealed to a key that was kept");
        let cards = trust.card(from).into_iter().chain(trust.superseded(from));
        let keys: Vec<_> = cards.map(|card| card.content.signing_key.clone()).collect();
        let signer = packet.signer(&name, keys.iter()).expect("proven by a card of trust/");
        let ring = trust.ring(from).expect("cards");
        assert_eq!(*signer, ring.at(name.position).content.signing_key, "the key of its place");
        signers.insert(signer.to_string());
        let given = Given::read(&entry.path()).expect("a file");
        let report = examination::verify(&given, &auditors, identities, Lists::shipped()).expect("looked at");
        let place = report.checks.iter().find(|check| check.check == "place");
        assert_eq!(report.verdict, Verdict::Proven, "{report:?}");
        assert!(
            place.is_some_and(|check| check.result == Found::Proven),
            "an auditor sees it too: {report:?}"
        );
        assert!(
            packet.claims().members.iter().all(|member| member.streebog256.is_some()),
            "both digests, as it is configured"
        );
    }
    signers.len()
}

#[test]
fn keys_change_at_both_ends_whatever_comes_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let (code, centre) = (centre_code(1), centre_name(1));
    let (inbox, outbox) = (world.layout.mailbox(code, "in"), world.layout.mailbox(code, "out"));
    let first = fingerprint(&world.layout.centre(1), code);
    let known = count(&hub_db, "SELECT count(*) FROM received");

    let copy = dir.path().join("before.age");
    world.hub(&["backup", copy.to_str().expect("UTF-8")]).expect("copied");
    // the centre's KY is late: what it signs after it waits at the hub
    world.daemons.kill("hub");
    world.spoke(1, &["keys", "rotate"]).expect("made");
    let ky = placed(&world, &inbox, "KY");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('k1', 'Новая')");
    placed(&world, &inbox, "DT");
    let late = dir.path().join("late");
    fs::rename(&ky, &late).expect("held up");
    world.daemons.kill(&centre);
    world.start_hub().expect("started");
    wait(
        &world,
        &hub_db,
        "SELECT count(*) FROM packet WHERE state = 'QUARANTINED' AND reason = 'UNKNOWN_KEY'",
        1,
    );
    let listed = world.hub(&["quarantine", "list"]).expect("listed");
    assert_eq!(listed["files"][0]["reason"], "UNKNOWN_KEY", "{listed}");
    assert_eq!(listed["files"][0]["may_replay"], true);
    fs::rename(&late, &ky).expect("it comes");
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 1);
    wait(&world, &hub_db, "SELECT count(*) FROM packet WHERE state = 'REPLAYED'", 1);
    assert_eq!(world.hub(&["quarantine", "list"]).expect("listed")["files"], serde_json::json!([]));
    world.start_centre(1).expect("started");
    let directory = world.layout.centre(1);
    wait_for(&world, "the centre's keys to change", || {
        (fingerprint(&directory, code) != first).then_some(())
    });
    // the card is first, the key before it goes out of its file after that
    wait_for(&world, "the former key to leave its file", || {
        let keys = fs::read_to_string(directory.join("keys/signing.key")).expect("read");
        (keys.lines().count() == 1).then_some(())
    });

    // the hub's, and it is cut short twice
    let hub_first = fingerprint(&world.layout.hub(), hub_code());
    world.daemons.kill(&centre);
    world.hub(&["keys", "rotate"]).expect("made");
    let ky = placed(&world, &outbox, "KY");
    let telling = world.hub(&["keys", "list"]).expect("listed");
    assert_eq!(telling["telling"][0]["state"], "open", "{telling}");
    world.daemons.kill("hub");
    world.start_hub().expect("started");
    let uid = super::correct_somebody(&world, "Переподписанная");
    placed(&world, &outbox, "DT");
    fs::rename(&ky, &late).expect("held up");
    world.start_centre(1).expect("started");
    let unknown = "SELECT count(*) FROM svod_packet WHERE state = 'QUARANTINED' AND reason = 'UNKNOWN_KEY'";
    wait(&world, &centre_db, unknown, 1);
    world.daemons.kill("hub");
    fs::rename(&late, &ky).expect("it comes");
    wait(&world, &centre_db, "SELECT count(*) FROM recipient WHERE surname = 'Переподписанная'", 1);
    world.start_hub().expect("started");
    let hub_dir = world.layout.hub();
    wait_for(&world, "the hub's keys to change", || {
        (fingerprint(&hub_dir, hub_code()) != hub_first).then_some(())
    });
    let card = fs::read(world.layout.hub_card()).expect("read");
    assert_eq!(
        card,
        fs::read(hub_dir.join("keys/own.card")).expect("read"),
        "what is handed out is the new card"
    );

    // both go on, and all of it is proven
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('k2', 'Следующая')");
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 2);
    world.correct(&uid, "surname", "Последняя").expect("entered");
    wait(&world, &centre_db, "SELECT count(*) FROM recipient WHERE surname = 'Последняя'", 1);
    world.wait_settled(&mut |_| ()).expect("settled");
    assert_eq!(world.spoke(1, &["verify"]).expect("whole")["whole"], true, "rows of both keys");
    // what was set aside for its key was taken after all
    assert_eq!(count(&hub_db, "SELECT count(*) FROM incident WHERE closed_at IS NULL"), 0);
    world.daemons.stop_all().expect("stopped");
    let hub_keys = OwnKeys::load(&hub_dir.join("keys"), hub_code()).expect("keys");
    let centre_keys = OwnKeys::load(&directory.join("keys"), code).expect("keys");
    let archive = hub_dir.join("archive").join(code.as_str());
    assert_eq!(proven(&archive, &hub_keys.identities, &hub_dir.join("trust"), code), 2);
    let trust = directory.join("trust");
    assert_eq!(proven(&directory.join("archive/in"), &centre_keys.identities, &trust, hub_code()), 2);
    let trust = Trust::open(&trust).expect("cards");
    let own = trust.superseded(code).count() + usize::from(trust.card(code).is_some());
    assert_eq!(own, 2, "auditors find the centre's own cards beside the hub's");
    world.hub(&["restore", copy.to_str().expect("UTF-8"), "--replace"]).expect("signed by the former key");
}

/// The card of `dir`'s keys, valid until `until` as its participant and `knows`, who trusts it, have it.
fn made_valid_until(dir: &Path, code: ParticipantCode, until: Date, knows: &Path) {
    let own = OwnKeys::load(&dir.join("keys"), code).expect("keys");
    let content = CardContent {
        valid_from: until.saturating_sub(730.days()),
        valid_until: until,
        ..own.card.content.clone()
    };
    let card = Card::sign(content, &own.signing).expect("signed");
    let name = format!("{code}.card");
    for file in [dir.join("keys/own.card"), dir.join(&name), knows.join("trust").join(&name)] {
        assert!(file.exists(), "{}", file.display());
        fs::write(&file, card.to_bytes()).expect("written");
    }
}

/// What `status` tells of keys that run out: the word, whose, and the last day.
fn running_out(status: &Value) -> Vec<(String, String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let all = status["overdue"].as_array().expect("a list").iter();
    let keys = all.filter(|one| text(one, "what").ends_with("keys"));
    keys.map(|one| (text(one, "what"), text(one, "peer"), text(one, "until"))).collect()
}

#[test]
fn keys_that_run_out_are_told_and_change_though_they_have_run_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (code, hub) = (centre_code(1), hub_code());
    let (hub_dir, centre_dir) = (world.layout.hub(), world.layout.centre(1));
    let (hub_db, known) =
        (world.layout.hub_db(), count(&world.layout.hub_db(), "SELECT count(*) FROM received"));
    for n in [1, 2] {
        let status = if n == 1 { world.hub(&["status"]) } else { world.spoke(1, &["status"]) };
        assert_eq!(running_out(&status.expect("told")), [], "both count for two years");
    }
    world.daemons.stop_all().expect("stopped");
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    // soon, and long ago
    let (soon, over) = (today.saturating_add(59.days()), today.saturating_sub(20.days()));
    made_valid_until(&hub_dir, hub, soon, &centre_dir);
    made_valid_until(&centre_dir, code, over, &hub_dir);
    let told = |what: &str, code: ParticipantCode, until: Date| {
        (what.to_owned(), code.to_string(), until.to_string())
    };
    let at_hub = running_out(&world.hub(&["status"]).expect("told"));
    assert_eq!(at_hub, [told("keys", hub, soon), told("peer_keys", code, over)]);
    assert_eq!(running_out(&world.spoke(1, &["status"]).expect("told")), [told("keys", code, over)]);

    world.start().expect("started");
    world.spoke(1, &["keys", "rotate"]).expect("made, though the card has run out");
    wait_for(&world, "the centre's keys to change", || {
        let card = OwnKeys::load(&centre_dir.join("keys"), code).ok()?.card;
        (card.content.valid_until > today).then_some(())
    });
    world.hub(&["keys", "rotate"]).expect("made");
    wait_for(&world, "the hub's keys to change", || {
        let card = OwnKeys::load(&hub_dir.join("keys"), hub).ok()?.card;
        (card.content.valid_until > soon).then_some(())
    });
    write(&world.layout.centre_db(1), "INSERT INTO recipient (id, surname) VALUES ('k9', 'Новая')");
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 1);
    for status in [world.hub(&["status"]), world.spoke(1, &["status"])] {
        assert_eq!(running_out(&status.expect("told")), []);
    }
    assert_eq!(count(&hub_db, "SELECT count(*) FROM incident WHERE closed_at IS NULL"), 0);
    world.daemons.stop_all().expect("stopped");
}
