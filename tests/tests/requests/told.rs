//! Stuck is told: what does not run, what waits for people, what is gone stands in `status` with the step to take, until its cause is
//! over (docs/RELIABILITY.md).

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use exchange_format::card::Card;
use fixtures::places::centre_code;
use serde_json::Value;
use svod_tests::world::{
    World, WorldError,
    bring_up::centre_name,
    programs::Who,
    read::Reader,
    toml_edit::set_key,
    wait::{Look, until},
};

use super::{PATIENCE, correct_somebody, count, merged, unmerged, wait, wait_for, write};

pub(super) fn status(world: &World, who: Who) -> Value {
    let told = if who == Who::Hub { world.hub(&["status"]) } else { world.spoke(1, &["status"]) };
    told.expect("told")
}

/// The words of what waits for too long.
fn overdue(status: &Value) -> Vec<String> {
    let all = status["overdue"].as_array().expect("a list").iter();
    all.map(|one| one["what"].as_str().expect("a word").to_owned()).collect()
}

/// The code of the error that a program has `said`.
pub(super) fn code_of(said: &str) -> String {
    let mut error = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    error.next_back().and_then(|error| Some(error["error"]["code"].as_str()?.to_owned())).unwrap_or_default()
}

/// Runs a command; how it ends, and what it says.
pub(super) fn refused(world: &World, who: Who, args: &[&str]) -> (Option<i32>, String) {
    let config = if who == Who::Hub { world.layout.hub_config() } else { world.layout.centre_config(1) };
    let mut all: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    all.extend([OsStr::new("--format"), OsStr::new("json"), OsStr::new("--config"), config.as_os_str()]);
    let done = world.programs.output(who, &all).expect("runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.code(), said)
}

/// `status` says why the daemon of `who` did not begin, in both languages.
fn says_why(world: &World, who: Who, code: &str) {
    assert_eq!(refused(world, who, &["run"]).0, Some(2), "{code}");
    let service = status(world, who)["service"].clone();
    assert_eq!(
        (&service["running"], &service["hindered"]["code"]),
        (&false.into(), &code.into()),
        "{service}"
    );
    for lang in ["ru", "en"] {
        assert!(service["hindered"][lang].as_str().is_some_and(|words| words.len() > 10), "{service}");
    }
}

#[test]
fn a_daemon_that_does_not_begin_or_run_is_told_with_the_step() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let centre = world.layout.centre(1);
    world.daemons.stop_all().expect("stopped");
    let away = dir.path().join("away");
    for (what, code) in
        [("keys/watermark", "watermark-file"), ("trust", "spoke-no-hub-card"), ("keys", "keys-file")]
    {
        fs::rename(centre.join(what), &away).expect("away");
        says_why(&world, Who::Spoke, code);
        if centre.join(what).is_dir() {
            fs::remove_dir(centre.join(what)).expect("empty");
        }
        fs::rename(&away, centre.join(what)).expect("back");
    }
    let watermark = world.layout.hub().join("keys/watermark");
    fs::rename(&watermark, &away).expect("away");
    says_why(&world, Who::Hub, "watermark-file");
    fs::rename(&away, &watermark).expect("back");
    world.start().expect("started");
    for who in [Who::Hub, Who::Spoke] {
        wait_for(&world, "a daemon that runs", || {
            let service = status(&world, who)["service"].clone();
            (service["running"] == true && service["hindered"].is_null()).then_some(())
        });
    }

    // killed: nobody has said anything; that nothing is heard of others meanwhile says nothing of them
    for config in [world.layout.hub_config(), world.layout.centre_config(1)] {
        set_key(&config, "exchange", "heartbeat_s", "1").expect("set");
    }
    world.daemons.kill("hub");
    world.daemons.kill(&centre_name(1));
    for who in [Who::Hub, Who::Spoke] {
        let told = wait_for(&world, "the line", || {
            let status = status(&world, who);
            overdue(&status).contains(&"stopped".to_owned()).then_some(status)
        });
        assert_eq!(overdue(&told), ["stopped"], "{told}");
        if who == Who::Hub {
            assert!(told["centres"].as_array().expect("a list").iter().all(|one| one["late"] == false));
        }
    }
}

const AHEAD: &str = "2999-01-01T00:00:00Z";
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// Carries out `sql` at a table of the centre's program, which no other may write, and leaves its guards as they were.
fn unguarded(db: &Path, table: &str, sql: &str) {
    let guards = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?1";
    let guards = Reader::open(db)
        .expect("opens")
        .all(guards, [table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .expect("read");
    let dropped: Vec<String> = guards.iter().map(|(name, _)| format!("DROP TRIGGER \"{name}\";")).collect();
    let made: Vec<String> = guards.into_iter().map(|(_, sql)| sql + ";").collect();
    write(db, &format!("BEGIN IMMEDIATE; {} {sql}; {} COMMIT", dropped.concat(), made.concat()));
}

#[test]
fn what_came_while_the_clock_was_ahead_is_no_sign_of_health() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    for (who, config) in [(Who::Hub, world.layout.hub_config()), (Who::Spoke, world.layout.centre_config(1))]
    {
        set_key(&config, "exchange", "heartbeat_s", "1").expect("set");
        if who == Who::Hub {
            set_key(&config, "exchange", "late_s", "1").expect("set");
        }
    }
    world.daemons.kill(&centre_name(1));
    write(&hub_db, &format!("UPDATE packet SET at = '{AHEAD}' WHERE direction = 'in'"));
    let told = status(&world, Who::Hub);
    let silence = told["overdue"].as_array().expect("a list").iter().find(|one| one["what"] == "silence");
    let silence = silence.expect("nothing comes");
    assert_eq!(
        (&silence["since"], &silence["age_s"], &silence["is_ahead"]),
        (&AHEAD.into(), &0.into(), &true.into())
    );
    assert_eq!(told["centres"][0]["late"], true, "{told}");

    world.start_centre(1).expect("started");
    wait_for(&world, "the centre", || {
        (status(&world, Who::Spoke)["service"]["running"] == true).then_some(())
    });
    world.daemons.kill("hub");
    unguarded(
        &centre_db,
        "svod_packet",
        &format!("UPDATE svod_packet SET at = '{AHEAD}' WHERE direction = 'in'"),
    );
    wait_for(&world, "the line", || {
        overdue(&status(&world, Who::Spoke)).contains(&"silence".to_owned()).then_some(())
    });
}

/// The first file of the archive that a centre has sent, and one of the hub's own.
fn archived(world: &World) -> [PathBuf; 2] {
    let code = centre_code(1);
    let db = world.layout.hub_db();
    let reader = Reader::open(&db).expect("opens");
    ["in", "out"].map(|way| {
        let sql = "SELECT name FROM packet WHERE peer = ?1 AND direction = ?2 AND kind = 'SN' ORDER BY name LIMIT 1";
        let name: String = reader.one(sql, [code.as_str(), way], |row| row.get(0)).expect("read").expect("a packet");
        world.layout.hub().join("archive").join(code.as_str()).join(name)
    })
}

fn gaps(world: &World) -> u64 {
    count(
        &world.layout.hub_db(),
        "SELECT count(*) FROM incident WHERE code = 'ARCHIVE_GAP' AND closed_at IS NULL",
    )
}

#[test]
fn what_the_archive_has_lost_is_told_before_a_rebuild_needs_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let away = dir.path().join("away");
    let [gone, damaged] = archived(&world);
    world.daemons.kill("hub");
    fs::rename(&gone, &away).expect("away");
    let mut bytes = fs::read(&damaged).expect("read");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&damaged, &bytes).expect("written");
    world.start_hub().expect("started");
    wait_for(&world, "both to be told", || (gaps(&world) == 2).then_some(()));
    let told = status(&world, Who::Hub);
    let incidents = told["incidents"].as_array().expect("a list");
    for path in [&gone, &damaged] {
        let name = path.file_name().and_then(OsStr::to_str).expect("text");
        assert!(incidents.iter().any(|one| one["code"] == "ARCHIVE_GAP" && one["packet"] == name), "{told}");
    }
    // it lasts: nobody can say that it is over
    let n = incidents[0]["n"].to_string();
    let (exit, said) = refused(&world, Who::Hub, &["incident", "close", &n]);
    assert!(exit == Some(3) && said.contains("incident-lasts"), "{said}");
    world.daemons.kill("hub");
    fs::rename(&away, &gone).expect("back");
    bytes[last] ^= 1;
    fs::write(&damaged, &bytes).expect("written");
    world.start_hub().expect("started");
    wait_for(&world, "it is over", || (gaps(&world) == 0).then_some(()));
}

#[test]
fn what_waits_for_people_is_told_after_its_days() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = unmerged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    for who in [Who::Hub, Who::Spoke] {
        assert_eq!(overdue(&status(&world, who)), [""; 0]);
    }
    let told =
        "SELECT count(*) > 0 FROM svod_packet WHERE kind = 'SN' AND direction = 'out' AND state = 'APPLIED'";
    wait(&world, &centre_db, told, 1);
    write(&hub_db, &format!("UPDATE packet SET at = '{LONG_AGO}'"));
    unguarded(&centre_db, "svod_packet", &format!("UPDATE svod_packet SET at = '{LONG_AGO}'"));
    let waits = |who, what: &str| {
        let told = status(&world, who);
        let one = told["overdue"].as_array().expect("a list").iter().find(|one| one["what"] == what).cloned();
        one.unwrap_or_else(|| panic!("{what}: {}", told["overdue"]))
    };
    let one = waits(Who::Hub, "merge");
    assert!(
        one["count"].as_u64().is_some_and(|n| n > 0) && one["age_s"].as_u64().is_some_and(|s| s > 86_400),
        "{one}"
    );
    let one = waits(Who::Spoke, "first_merge");
    assert!(one["count"].as_u64().is_some_and(|n| n > 0), "{one}");
    world.hub(&["merge"]).expect("merged");
    world.wait_settled(&mut |_| ()).expect("settled");
    for (who, what) in [(Who::Hub, "merge"), (Who::Spoke, "first_merge")] {
        assert!(!overdue(&status(&world, who)).contains(&what.to_owned()), "{what}");
    }
    // persons whose service nobody has confirmed, a question, a proposal
    let uid = correct_somebody(&world, "Первая");
    let row = format!("SELECT id FROM recipient WHERE uid = '{uid}'");
    let id: Option<String> =
        Reader::open(&centre_db).expect("opens").one(&row, [], |row| row.get(0)).expect("read");
    wait(&world, &centre_db, "SELECT count(*) FROM recipient WHERE surname = 'Первая'", 1);
    let wish = ["propose", "recipient", &id.expect("a row"), "surname=Иная", "--reason", "по телефону"];
    world.spoke(1, &wish).expect("kept");
    wait(&world, &hub_db, "SELECT count(*) FROM review WHERE state = 'open' AND kind = 'proposal'", 1);
    write(&hub_db, &format!("DELETE FROM service WHERE uid = '{uid}'"));
    assert_eq!(waits(Who::Hub, "service")["count"], 1);
    let open = count(&hub_db, "SELECT count(*) FROM review WHERE state = 'open'");
    write(&hub_db, &format!("UPDATE review SET opened_at = '{LONG_AGO}'"));
    assert_eq!(waits(Who::Hub, "review")["count"], open);
    unguarded(&centre_db, "svod_proposal", &format!("UPDATE svod_proposal SET at = '{LONG_AGO}'"));
    assert_eq!(waits(Who::Spoke, "proposal")["count"], 1);

    // a file that is no packet: a person has to look, and says so
    fs::write(world.layout.mailbox(centre_code(1), "in").join("отчёт.pdf"), "no packet").expect("written");
    wait(&world, &hub_db, "SELECT count(*) FROM packet WHERE state = 'QUARANTINED'", 1);
    write(&hub_db, &format!("UPDATE incident SET at = '{LONG_AGO}'"));
    assert_eq!(waits(Who::Hub, "quarantine")["count"], 1);
    // a database that knows nothing of it, as one that was made again, learns of it
    world.daemons.kill("hub");
    write(&hub_db, "DELETE FROM packet WHERE state = 'QUARANTINED'; DELETE FROM incident");
    world.start_hub().expect("started");
    wait(&world, &hub_db, "SELECT count(*) FROM incident WHERE code = 'FOUND_ASIDE'", 1);
    let listed = world.hub(&["quarantine", "list"]).expect("listed");
    assert_eq!(listed["files"][0]["reason"], "FOUND_ASIDE", "{listed}");
    let n = status(&world, Who::Hub)["incidents"][0]["n"].to_string();
    assert_eq!(refused(&world, Who::Hub, &["incident", "close", "77"]).0, Some(3), "there is none");
    world.hub(&["incident", "close", &n]).expect("closed");
    let told = status(&world, Who::Hub);
    assert_eq!(told["incidents"], serde_json::json!([]));
    assert!(!overdue(&told).contains(&"quarantine".to_owned()));
    assert_eq!(count(&hub_db, "SELECT count(*) FROM journal WHERE event = 'incident.closed'"), 1);
    world.daemons.kill("hub");
    world.start_hub().expect("started");
    wait_for(&world, "the hub", || (status(&world, Who::Hub)["service"]["running"] == true).then_some(()));
    assert_eq!(status(&world, Who::Hub)["incidents"], serde_json::json!([]), "it is known now");
    world.daemons.stop_all().expect("stopped");
}

#[test]
fn a_spool_that_is_gone_is_made_again_and_a_packet_out_of_place_lists_no_records() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let known = count(&hub_db, "SELECT count(*) FROM received");
    fs::remove_dir_all(world.layout.centre(1).join("spool")).expect("gone");
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
                INSERT INTO recipient (id, surname) SELECT 's' || i, 'Новая' FROM n";
    write(&centre_db, rows);
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 60);
    world.wait_settled(&mut |_| ()).expect("settled");
    world.daemons.stop_all().expect("stopped");

    let refuse = |reason: &str| {
        let sql = "UPDATE svod_packet SET state = 'REFUSED', reason = ";
        unguarded(
            &centre_db,
            "svod_packet",
            &format!("{sql}'{reason}' WHERE direction = 'out' AND kind = 'DT'"),
        );
        status(&world, Who::Spoke)["records"].as_array().expect("a list").len()
    };
    // refused for what it is, each of its records needs somebody; for its place in the stream none does
    assert!(refuse("OVERSIZE") > 50);
    let config = world.layout.centre_config(1);
    let args = [
        OsStr::new("--lang"),
        OsStr::new("en"),
        OsStr::new("status"),
        OsStr::new("--config"),
        config.as_os_str(),
    ];
    let text = world.programs.output(Who::Spoke, &args).expect("runs").stdout;
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(text.lines().filter(|line| line.contains("refused.")).count(), 50, "{text}");
    assert!(text.contains("more: --format json"), "{text}");
    assert_eq!(refuse("STALE_EPOCH"), 0);
}

/// A centre whose stream has stopped looks at what differs and goes on; what it has not sent comes to the hub.
fn goes_on_by_resync(world: &World, received: u64) {
    world.start_centre(1).expect("started");
    until("the snapshot", PATIENCE, || -> Result<Look<()>, WorldError> {
        world.daemons.check()?;
        let told = world.spoke(1, &["resync"]);
        let is_ready = told.as_ref().is_ok_and(|told| told["stage"] == "ready");
        Ok(if is_ready { Look::Reached(()) } else { Look::NotYet(format!("{told:?}")) })
    })
    .expect("it comes about");
    world.spoke(1, &["resync", "--yes", "--keep", "mine"]).expect("decided");
    wait(world, &world.layout.hub_db(), "SELECT count(*) FROM received", received);
    let open = "SELECT count(*) FROM svod_incident WHERE code = 'RESTORED' AND closed_at IS NULL";
    wait(world, &world.layout.centre_db(1), open, 0);
}

#[test]
fn a_centre_that_has_lost_its_keys_or_its_watermark_goes_on_as_the_guide_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db, centre) =
        (world.layout.hub_db(), world.layout.centre_db(1), world.layout.centre(1));
    let known = count(&hub_db, "SELECT count(*) FROM received");
    world.daemons.kill(&centre_name(1));
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('l1', 'Первая')");

    // the watermark alone
    fs::remove_file(centre.join("keys/watermark")).expect("lost");
    let copy = dir.path().join("copy.age");
    let copy = copy.to_str().expect("UTF-8");
    world.spoke(1, &["backup", copy]).expect("copied");
    world.spoke(1, &["restore", copy, "--replace"]).expect("put back");
    goes_on_by_resync(&world, known + 1);

    // all keys
    world.daemons.kill(&centre_name(1));
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('l2', 'Вторая')");
    fs::rename(centre.join("keys"), dir.path().join("lost")).expect("lost");
    let (code, new) = (centre_code(1), dir.path().join("new"));
    let hub_card = world.layout.hub_card();
    let told = Card::from_bytes(&fs::read(&hub_card).expect("read")).expect("a card").fingerprint();
    let init: [&OsStr; 9] = [
        "init".as_ref(),
        "--dir".as_ref(),
        new.as_ref(),
        "--code".as_ref(),
        code.as_str().as_ref(),
        "--hub-card".as_ref(),
        hub_card.as_ref(),
        "--hub-fingerprint".as_ref(),
        told.as_ref(),
    ];
    let made = world.programs.json(Who::Spoke, &init).expect("made");
    fs::rename(new.join("keys"), centre.join("keys")).expect("in its place");
    let card = world.layout.centre_card(1);
    fs::copy(new.join(card.file_name().expect("a name")), &card).expect("in its place");
    let (card, password) = (card.to_string_lossy(), world.layout.centre_password(1));
    let mut file = fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(&password).expect("made");
    writeln!(file, "another-password-of-the-mailbox").expect("written");
    let add =
        ["centre", "add", "--card", &card, "--fingerprint", made["fingerprint"].as_str().expect("text")];
    world.hub(&[&add[..], &["--password-file", &password.to_string_lossy()]].concat()).expect("taken");
    goes_on_by_resync(&world, known + 2);
    world.wait_settled(&mut |_| ()).expect("settled");
    assert_eq!(world.spoke(1, &["verify"]).expect("verified")["whole"], true);
    world.daemons.stop_all().expect("stopped");
}
