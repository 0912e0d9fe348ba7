//! A participant whose database is put back from an older copy: it stops, and goes on when a person has seen what differs.

use std::path::Path;

use serde_json::Value;

use super::*;

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn resync(world: &World, args: &[&str]) -> Value {
    world.spoke(1, &[&["resync"], args].concat()).expect("resync")
}

#[test]
fn a_restored_centre_sees_what_it_lost_takes_it_back_and_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let older = dir.path().join("older.age");
    write(
        &centre_db,
        "INSERT INTO event (id, recipient_id, type, date) SELECT 'e' || n.n, (SELECT min(id) FROM recipient), 'hospital', '2026-01-0' || n.n \
         FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) n",
    );
    wait(&world, &hub_db, "SELECT count(*) FROM received WHERE kind = 'event'", 3);
    wait(&world, &centre_db, UNANSWERED, 0);
    let copied = world.spoke(1, &["backup", path(&older)]).expect("copied beside the daemon");
    assert!(copied["bytes"].as_u64() > Some(100_000), "{copied}");

    // what is lost: a person and an event are new, one event is changed, one is deleted
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('lost', 'Утраченная')");
    write(
        &centre_db,
        "INSERT INTO event (id, recipient_id, type, date) VALUES ('e4', 'lost', 'move', '2026-02-01')",
    );
    write(&centre_db, "UPDATE event SET date = '2026-03-01' WHERE id = 'e1'");
    write(&centre_db, "DELETE FROM event WHERE id = 'e2'");
    write(&centre_db, "UPDATE event SET date = '2026-03-03' WHERE id = 'e3'");
    wait(&world, &hub_db, "SELECT count(*) FROM received WHERE kind = 'event' AND version = 2", 3);
    wait(&world, &hub_db, "SELECT count(*) FROM received WHERE kind = 'event'", 4);
    wait(&world, &centre_db, UNANSWERED, 0);
    not_put_back(&world, &older);
    let restored = world.spoke(1, &["restore", path(&older), "--replace"]).expect("put back");
    assert_eq!(restored["stopped"], true);
    assert!(Path::new(restored["before"].as_str().expect("a name")).is_file());
    write(&centre_db, "UPDATE event SET date = '2026-04-04' WHERE id = 'e3'");

    world.start_centre(1).expect("started");
    wait(
        &world,
        &centre_db,
        "SELECT count(*) FROM svod_incident WHERE code = 'RESTORED' AND closed_at IS NULL",
        1,
    );
    let told = wait_for(&world, "the hub's snapshot", || {
        let told = resync(&world, &[]);
        (told["stage"] == "ready").then_some(told)
    });
    assert_eq!(
        told["records"]["event"],
        serde_json::json!({"back": 1, "changed": 1, "ended": 1, "moved": 1})
    );
    assert_eq!(
        told["records"]["recipient"],
        serde_json::json!({"noted": 1}),
        "published, so its row is here"
    );
    shown_by_value(&world, &told, dir.path());
    assert_eq!(
        count(&hub_db, "SELECT count(*) FROM incident WHERE code = 'PEER_RESTORED' AND closed_at IS NULL"),
        1
    );
    assert_eq!(count(&centre_db, "SELECT count(*) FROM event WHERE date = '2026-02-01'"), 0, "nothing yet");
    world.daemons.kill(&centre_name(1));
    assert_eq!(resync(&world, &["--yes", "--keep", "mine"])["stage"], "confirmed");
    let status = world.spoke(1, &["status"]).expect("told");
    let overdue = status["overdue"].as_array().expect("a list");
    assert!(overdue.iter().any(|one| one["what"] == "decided"), "{overdue:?}");
    world.start_centre(1).expect("started");
    wait(
        &world,
        &centre_db,
        "SELECT count(*) FROM svod_incident WHERE code = 'RESTORED' AND closed_at IS NULL",
        0,
    );
    wait(
        &world,
        &hub_db,
        "SELECT count(*) FROM incident WHERE code = 'PEER_RESTORED' AND closed_at IS NULL",
        0,
    );
    let rows = Reader::open(&centre_db).expect("opens");
    let dates = "SELECT group_concat(date ORDER BY date) FROM event";
    let events: Option<String> = rows.one(dates, [], |row| row.get(0)).expect("read");
    assert_eq!(
        events.as_deref(),
        Some("2026-02-01,2026-03-01,2026-04-04"),
        "back, taken back, as it stands; one ended"
    );
    assert_eq!(
        count(
            &centre_db,
            "SELECT count(*) FROM event e JOIN recipient r ON r.id = e.recipient_id WHERE r.surname = 'Утраченная'"
        ),
        1
    );
    wait(&world, &hub_db, "SELECT count(*) FROM received WHERE kind = 'event' AND version = 3", 1);
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('later', 'Следующая')");
    wait(&world, &hub_db, "SELECT count(*) FROM received WHERE kind = 'recipient_claim'", 12);
    wait(&world, &centre_db, UNANSWERED, 0);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received WHERE in_digest = 0"), 0, "no orphan");
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received WHERE outcome = 'refused'"), 0);
    assert_eq!(world.spoke(1, &["verify"]).expect("verified")["whole"], true);
    assert_eq!(resync(&world, &[])["stage"], "none");
    replaced_is_listed(&world, &centre_db);
    drop(rows);
    once_more(&world, &older);
}

/// What differs is told by row and field, and with the values in a table.
fn shown_by_value(world: &World, told: &Value, directory: &Path) {
    assert_eq!(told["conflicts"][0]["id"], "e3");
    assert!(!told.to_string().contains("2026-0"), "no values: {told}");
    let apart = serde_json::json!({"table": "event", "id": "e3", "key": told["conflicts"][0]["key"], "what": "moved", "fields": ["date"]});
    let differences = told["differences"].as_array().expect("a list");
    assert!(differences.contains(&apart) && differences.len() == 5, "{differences:?}");
    let all = directory.join("all.csv");
    assert_eq!(resync(world, &["--out", path(&all)])["file"], path(&all));
    let all = std::fs::read_to_string(&all).expect("written");
    for line in [
        ";moved;date;2026-04-04;2026-03-03",
        ";changed;date;2026-01-01;2026-03-01",
        ";ended;date;2026-01-02;",
        ";back;date;;2026-02-01",
    ] {
        assert!(all.contains(line), "{line}: {all}");
    }
    let refused = world.spoke(1, &["resync", "--yes"]).expect_err("somebody has to choose").to_string();
    assert!(refused.contains("resync-choose"), "{refused}");
}

/// What was replaced or dropped is listed: in a protocol without values, and with them beside the database.
fn replaced_is_listed(world: &World, centre_db: &Path) {
    let listed = world.spoke(1, &["protocol", "list"]).expect("listed").to_string();
    assert!(listed.contains("resync"), "{listed}");
    let beside = std::fs::read_dir(centre_db.parent().expect("a directory")).expect("read");
    let files: Vec<_> = beside
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().contains("resync-"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let text = std::fs::read_to_string(&files[0]).expect("read");
    for line in [";changed;date;2026-01-01;2026-03-01", ";ended;date;2026-01-02;"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("moved"), "what stands here was kept: {text}");
}

/// A database is not put aside beside a daemon, without being told to, or while a program has it open.
fn not_put_back(world: &World, older: &Path) {
    let owned = world.spoke(1, &["restore", path(older), "--replace"]).expect_err("a daemon runs");
    assert!(owned.to_string().contains("instance-owned"), "{owned}");
    world.daemons.kill(&centre_name(1));
    let living = world.spoke(1, &["restore", path(older)]).expect_err("there is a database");
    assert!(living.to_string().contains("restore-exists"), "{living}");
    let centre_db = world.layout.centre_db(1);
    let form = Reader::open(&centre_db).expect("a program that has the database open");
    form.count("SELECT count(*) FROM event", []).expect("read");
    let in_use = world.spoke(1, &["restore", path(older), "--replace"]).expect_err("it would write on");
    assert!(in_use.to_string().contains("restore-in-use"), "{in_use}");
    drop(form);
}

/// Restored again within a week: staff of the hub are told that two machines may be at work.
fn once_more(world: &World, older: &Path) {
    assert_eq!(count(&world.layout.hub_db(), TWIN), 0);
    world.daemons.kill(&centre_name(1));
    world.spoke(1, &["restore", path(older), "--replace"]).expect("put back");
    world.start_centre(1).expect("started");
    wait_for(world, "the hub's snapshot", || (resync(world, &[])["stage"] == "ready").then_some(()));
    resync(world, &["--yes", "--keep", "theirs"]);
    wait(world, &world.layout.hub_db(), TWIN, 1);
}

const TWIN: &str = "SELECT count(*) FROM incident WHERE code = 'CLONE' AND closed_at IS NULL";

#[test]
fn a_restored_hub_knows_again_whom_it_had_published_and_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let older = dir.path().join("older.age");
    world.hub(&["backup", path(&older)]).expect("copied beside the daemon");

    // what is lost: a person, whom the centre knows by an id and a number
    write(
        &centre_db,
        "INSERT INTO recipient (id, surname, given, birth_date) VALUES ('lost', 'Утраченная', 'Анна', '1941-02-03')",
    );
    wait(&world, &centre_db, "SELECT count(*) FROM recipient WHERE id = 'lost' AND uid IS NOT NULL", 1);
    wait(&world, &centre_db, UNANSWERED, 0);
    let of = |db: &Path, sql: &str| -> String {
        Reader::open(db).expect("opens").one(sql, [], |row| row.get(0)).expect("read").expect("one")
    };
    let number = of(&centre_db, "SELECT uid || ' ' || case_number FROM recipient WHERE id = 'lost'");
    let uid = number.split(' ').next().expect("a uid").to_owned();
    // who came after the first load is told more than its own when staff have said that it is served
    let code = fixtures::places::centre_code(1);
    world.hub(&["service", "confirm", code.as_str(), &uid, "--reason", "договор"]).expect("confirmed");
    world
        .hub(&["person", "set", &uid, "surname", "Исправленная", "--reason", "паспорт показан"])
        .expect("corrected");
    wait(&world, &centre_db, "SELECT count(*) FROM recipient WHERE surname = 'Исправленная'", 1);
    wait(&world, &hub_db, "SELECT count(*) FROM hub_input WHERE packet IS NULL", 0);
    world.daemons.kill("hub");
    let restored = world.hub(&["restore", path(&older), "--replace"]).expect("put back");
    assert_eq!(restored["stopped"], true);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM person"), 10);

    world.start_hub().expect("started");
    let told = wait_for(&world, "the centre's snapshot", || {
        let told = world.hub(&["resync"]).expect("told");
        (told["centres"][0]["stage"] == "ready").then_some(told)
    });
    assert_eq!(told["centres"][0]["published"]["person"], serde_json::json!({"back": 1}));
    let lost = told["decisions"].as_array().expect("a list");
    let entry = lost.iter().find(|one| one["event"] == "entry").unwrap_or_else(|| panic!("{told}"));
    assert_eq!((&entry["subject"], &entry["field"]), (&uid.as_str().into(), &"surname".into()), "{entry}");
    assert_eq!(
        (&entry["reason"], &entry["value"]),
        (&"паспорт показан".into(), &Value::Null),
        "no value: {entry}"
    );
    let of_person = |one: &&Value| one["key"] == uid.as_str() && one["what"] == "back";
    let differs = told["centres"][0]["differences"].as_array().expect("a list").iter().find(of_person);
    assert!(differs.is_some_and(|one| one["case_number"].is_string()), "{told}");
    let all = dir.path().join("gone.csv");
    world.hub(&["resync", "--out", path(&all)]).expect("written");
    let all = std::fs::read_to_string(&all).expect("read");
    assert!(all.contains(&uid) && all.contains("паспорт показан") && all.contains("Исправленная"), "{all}");
    assert_eq!(told["centres"][0]["records"], serde_json::json!({"recipient_claim": {"new": 1}}));
    let overdue = world.hub(&["status"]).expect("told")["overdue"].to_string();
    assert!(overdue.contains("recovery"), "{overdue}");
    assert_eq!(count(&hub_db, "SELECT count(*) FROM person"), 10, "nothing yet");
    world.hub(&["resync", "--yes"]).expect("confirmed");
    wait(&world, &hub_db, "SELECT count(*) FROM incident WHERE code = 'RESTORED' AND closed_at IS NULL", 0);
    wait(
        &world,
        &centre_db,
        "SELECT count(*) FROM svod_incident WHERE code = 'PEER_RESTORED' AND closed_at IS NULL",
        0,
    );
    wait(&world, &hub_db, "SELECT count(*) FROM person", 11);
    assert_eq!(
        of(&hub_db, &format!("SELECT uid || ' ' || case_number FROM person WHERE uid = '{}'", &number[..36])),
        number
    );
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('later', 'Следующая')");
    wait(&world, &hub_db, "SELECT count(*) FROM received WHERE kind = 'recipient_claim'", 12);
    wait(&world, &centre_db, UNANSWERED, 0);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received WHERE in_digest = 0 OR outcome = 'refused'"), 0);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM person"), 12, "nobody twice");
    assert_eq!(world.spoke(1, &["verify"]).expect("verified")["whole"], true);
    assert!(world.hub(&["resync"]).expect("told")["centres"].as_array().is_some_and(Vec::is_empty));
}

const UNANSWERED: &str = "SELECT (SELECT count(*) FROM svod_packet WHERE direction = 'out' AND kind IN ('DT', 'SN') \
     AND state IN ('SEALED', 'PLACED', 'RECEIVED')) + (SELECT count(*) FROM svod_change)";
