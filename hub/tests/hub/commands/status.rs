//! `status`, `merge`, and what hinders a command.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use exchange_endpoint::{
    output::Lang, protocol::Kind as ProtocolKind, protocol::Protocol, protocol::Protocols,
};
use jiff::Timestamp;
use serde_json::Value;

use super::city::{City, centre, done, refused, run};

#[test]
fn status_and_protocols_answer_in_json_and_in_words() {
    let city = City::new();
    let (card, code) = (city.card(1), centre(1).to_string());
    done(&city.add(&card, "long enough"));
    let status = done(&city.run(&["status"]));
    assert_eq!((&status["merge_waits"], &status["waiting"]), (&false.into(), &0.into()));
    let one = &status["centres"][0];
    assert_eq!(
        (&one["code"], &one["last_in"], &one["unanswered"]),
        (&code.as_str().into(), &Value::Null, &0.into())
    );
    let config = city.hub().join("svod-hub.toml");
    let words = run(&["status", "--config", config.to_str().expect("UTF-8")]);
    assert!(String::from_utf8(words.stdout).expect("UTF-8").contains(&code));
    assert_eq!(done(&city.run(&["protocol", "list"]))["protocols"], serde_json::json!([]));
    assert_eq!(refused(&city.run(&["protocol", "show", "1"])), (3, "protocol-unknown".into()));
    // nothing to merge: said, and nothing written
    for merge in [&["merge", "--dry-run"][..], &["merge"]] {
        let told = done(&city.run(merge));
        assert_eq!((&told["nothing"], &told["protocol"]), (&true.into(), &Value::Null));
    }
    assert_eq!(done(&city.run(&["protocol", "list"]))["protocols"], serde_json::json!([]));
    assert_eq!(city.noted().0, ["hub.created", "centre.added"]);
    let mut protocols = Protocols::open(&city.hub().join("protocols")).expect("opened");
    let protocol = Protocol::begin(ProtocolKind::Merge, Lang::Ru, centre(0), None, Timestamp::now());
    protocols.write(protocol).expect("written");
    assert_eq!(done(&city.run(&["protocol", "show", "1"]))["kind"], "merge");
    let page = run(&["protocol", "show", "1", "--html", "--config", config.to_str().expect("UTF-8")]);
    assert!(String::from_utf8(page.stdout).expect("UTF-8").contains("<html"));
}

#[test]
fn what_hinders_a_command_is_told_with_its_exit_code() {
    let city = City::new();
    assert_eq!(refused(&run(&["status", "--format", "json"])), (2, "config-not-named".into()));
    let config = city.hub().join("svod-hub.toml");
    let good = fs::read_to_string(&config).expect("read");
    fs::write(&config, good.replace("#: busy_s = 30", "busy_s = 0")).expect("written");
    let db = city.hub().join("hub.db");
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer.execute_batch("BEGIN IMMEDIATE").expect("begun");
    done(&city.run(&["status"])); // a reader is not hindered
    assert_eq!(refused(&city.add(&city.card(1), "long enough")), (4, "hub-busy".into()));
    drop(writer);
    fs::write(&config, good.replace("[exchange]", "[exchange]\nheart = 1")).expect("written");
    let output = city.run(&["status"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("exchange.heart"), "{output:?}");
    assert_eq!(refused(&output), (2, "config-unknown-key".into()));
    fs::write(&config, &good).expect("written");
    let keys = city.hub().join("keys/signing.key");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(refused(&city.run(&["merge"])), (2, "keys-exposed".into()));
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).expect("set");
    fs::write(&db, "not a database, but long enough to look at").expect("written");
    assert_eq!(refused(&city.run(&["status"])), (2, "hub-database-foreign".into()));
    fs::remove_file(&db).expect("removed");
    assert_eq!(refused(&city.run(&["status"])), (2, "hub-no-database".into()));
}

#[test]
fn a_full_disk_of_the_hubs_own_is_told() {
    let city = City::new();
    let code = centre(1).to_string();
    done(&city.add(&city.card(1), "long enough"));
    assert_eq!(done(&city.run(&["status"]))["no_room"], serde_json::json!([]));
    let folder = city.hub().join(format!("ftp/{code}/in"));
    let config = city.hub().join("svod-hub.toml");
    let full = "mount -t tmpfs -o size=64k tmpfs \"$1\" && { head -c 65536 /dev/zero > \"$1/fill\"; shift; exec \"$@\"; }";
    let status = |format: &str| {
        Command::new("unshare")
            .args(["-rm", "sh", "-c", full, "sh"])
            .arg(&folder)
            .arg(env!("CARGO_BIN_EXE_svod-hub"))
            .args(["status", "--format", format, "--config"])
            .arg(&config)
            .output()
    };
    let Ok(told) = status("json") else { return };
    if String::from_utf8_lossy(&told.stderr).contains("unshare") {
        return; // this machine lets nobody mount
    }
    let told = done(&told);
    assert_eq!(told["no_room"], serde_json::json!([folder]), "{told}");
    let words = String::from_utf8(status("text").expect("started").stdout).expect("UTF-8");
    assert!(words.contains("Диск координационного центра заполнен"), "{words}");
}
