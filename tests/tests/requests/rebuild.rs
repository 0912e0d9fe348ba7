//! A hub whose database is lost without a copy: the archive makes it again, and its centre goes on as if nothing had been.

use std::{process::Command, thread};

use super::*;

#[test]
fn a_hub_made_again_out_of_its_archive_goes_on_with_its_centre() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let uid = correct_somebody(&world, "Исправленная");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('x1', 'Последняя')");
    wait(&world, &centre_db, "SELECT count(*) FROM recipient WHERE surname = 'Исправленная'", 1);
    wait(&world, &hub_db, "SELECT count(*) FROM received WHERE kind = 'recipient_claim'", 11);
    world.wait_settled(&mut |_| ()).expect("settled");
    let unsealed =
        "SELECT (SELECT count(*) FROM change) + (SELECT count(*) FROM hub_input WHERE packet IS NULL)";
    wait(&world, &hub_db, unsealed, 0);
    let known = world.hub(&["content"]).expect("told");
    let of = |sql: &str| -> String {
        Reader::open(&hub_db).expect("opens").one(sql, [], |row| row.get(0)).expect("read").expect("one")
    };
    let password = of("SELECT password FROM centre");
    let (code, inbox) = (centre_code(1), world.layout.mailbox(centre_code(1), "in"));
    fs::write(inbox.join("чужой.pdf"), "no packet").expect("written");
    let unread = format!("SVOD1_DT_{}_{code}_0009_00000001_20261123_0123456789ABCDEF.zip.age", hub_code());
    fs::write(inbox.join(unread), "no envelope").expect("written");
    // a packet of another centre
    let foreign =
        format!("SVOD1_DT_{}_{}_0001_00000009_20261123_0123456789ABCDEF.zip.age", hub_code(), centre_code(2));
    fs::write(inbox.join(&foreign), "no envelope").expect("written");
    wait(&world, &hub_db, "SELECT count(*) FROM packet WHERE state = 'QUARANTINED'", 3);

    world.daemons.kill("hub");
    // an answer that nobody can read any more: nothing is lost with it
    let answers =
        fs::read_dir(world.layout.hub().join("archive").join(centre_code(1).as_str())).expect("listed");
    let mut answers = answers.map(|entry| entry.expect("an entry").path());
    let answer = answers.find(|path| path.to_string_lossy().contains("_KV_")).expect("a KV");
    fs::write(&answer, "no envelope").expect("damaged");
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let _ = fs::remove_file(world.layout.hub().join(name));
    }
    // ended on the way it leaves nothing that stands in the way, and no half of a database
    let (config, archive) = (world.layout.hub_config(), world.layout.hub().join("archive"));
    for after in [5, 20, 60] {
        let mut rebuild = Command::new(DEMO);
        rebuild.args(["hub", "rebuild", "--from"]).arg(&archive).arg("--config").arg(&config);
        let mut child = rebuild.stderr(std::process::Stdio::null()).spawn().expect("started");
        thread::sleep(Duration::from_millis(after));
        child.kill().expect("killed");
        child.wait().expect("ended");
        if hub_db.exists() {
            // it was quicker: lost once more
            fs::remove_file(&hub_db).expect("lost");
        }
    }
    let archive = archive.to_str().expect("UTF-8");
    let rebuilt = world.hub(&["rebuild", "--from", archive]).expect("made again");
    assert_eq!(rebuilt["content"], known, "{rebuilt}");
    assert_eq!(rebuilt["stopped"], serde_json::json!([]));
    assert!(rebuilt["told"].is_string() && rebuilt["protocol"].is_u64(), "{rebuilt}");
    assert_eq!(of("SELECT password FROM centre"), password);
    assert!(
        world.hub(&["rebuild", "--from", archive]).expect_err("there").to_string().contains("rebuild-exists")
    );

    world.start_hub().expect("started");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('x2', 'Следующая')");
    wait(&world, &hub_db, "SELECT count(*) FROM received WHERE kind = 'recipient_claim'", 12);
    world.correct(&uid, "surname", "Ещё").expect("entered");
    wait(&world, &centre_db, "SELECT count(*) FROM recipient WHERE surname = 'Ещё'", 1);
    world.wait_settled(&mut |_| ()).expect("settled");
    assert_eq!(world.spoke(1, &["verify"]).expect("verified")["whole"], true);
    // what lies in quarantine is known again
    let listed = world.hub(&["quarantine", "list"]).expect("listed");
    let files = listed["files"].as_array().expect("a list");
    let (known, unknown): (Vec<_>, Vec<_>) = files.iter().partition(|one| one["file"] == foreign.as_str());
    assert_eq!((known.len(), &known[0]["reason"]), (1, &"FOREIGN".into()), "{listed}");
    assert!(unknown.len() == 2 && unknown.iter().all(|one| one["reason"] == "FOUND_ASIDE"), "{listed}");
    // what was never for us to take from its folder is judged by its name; the others wait for a person
    let told = "SELECT group_concat(code, ' ') FROM (SELECT code FROM incident WHERE closed_at IS NULL ORDER BY code)";
    assert_eq!(of(told), "FOREIGN FOUND_ASIDE FOUND_ASIDE");
    // judged again, it is told why, and once
    let open = "SELECT count(*) FROM incident WHERE closed_at IS NULL AND code";
    world.hub(&["quarantine", "replay", "--all"]).expect("noted");
    wait(&world, &hub_db, &format!("{open} <> 'FOUND_ASIDE'"), 2);
    wait(&world, &hub_db, &format!("{open} = 'FOUND_ASIDE'"), 1);
    let listed = world.hub(&["quarantine", "list"]).expect("listed");
    assert_eq!(listed["count"], 3, "{listed}");
    // of a file that staff have taken away nothing is told
    world.daemons.kill("hub");
    fs::remove_dir_all(world.layout.hub().join("quarantine").join(code.as_str())).expect("taken away");
    world.start_hub().expect("started");
    wait(&world, &hub_db, &format!("{open} = 'FOUND_ASIDE'"), 0);
    assert_eq!(count(&centre_db, "SELECT count(*) FROM svod_incident"), 0);
}
