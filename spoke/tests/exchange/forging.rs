//! What somebody writes into the exchange's own tables: the centre goes on, and it is put right (exchange §8, D10).

use std::process::Stdio;

use super::{
    centre::uid,
    sending::wait_until,
    tampering::{faults, harm, locked, snapshot},
};

/// A row that is called the hub's, in words that no program of ours writes.
const FORGED: &str = "INSERT INTO recipient (id, uid, case_number, surname) VALUES ('fk', 'fk-uid', '1', 'Ф');
     INSERT INTO svod_record (kind, id, key, state, uid, version) VALUES ('recipient', 'fk', 'fk-uid', 'locked', 'fk-uid', 1);
     INSERT INTO svod_change (kind, key) VALUES ('recipient', 'no key')";

#[test]
fn a_forged_row_that_cannot_be_read_is_told_and_put_right() {
    let centre = locked();
    centre.hub.take();
    harm(&centre, FORGED, true);
    assert!(faults(&centre).contains(&"record-forged".to_owned()));
    let report = centre.ok(&["verify", "--restore"]);
    assert_eq!(report["left"].as_array().map(Vec::len), Some(0), "{report}");
    assert_eq!(
        centre.value(
            "SELECT surname || ' ' || (uid IS NULL) || (case_number IS NULL) FROM recipient WHERE id = 'fk'"
        ),
        "Ф 11"
    );
    assert_ne!(centre.key("recipient", "fk"), centre.key("recipient", "r1"));
    assert_eq!(centre.value("SELECT state FROM svod_record WHERE id = 'fk'"), "own");
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_running_daemon_goes_on_past_what_it_cannot_read() {
    let centre = locked();
    centre.hub.take();
    let mut daemon =
        centre.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r7', 'Первая')");
    wait_until("the daemon to begin", || centre.value("SELECT count(*) FROM svod_change") == "0");
    harm(&centre, FORGED, true);
    harm(&centre, "UPDATE svod_publication SET version = 'x', pending = 1 WHERE kind = 'person'", true);
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r8', 'Вторая')");
    let sent = || {
        centre
            .value("SELECT count(*) FROM svod_sent WHERE key = (SELECT key FROM svod_record WHERE id = 'r8')")
    };
    wait_until("the row to be sealed", || sent() == "1");
    wait_until("the row to be put right", || {
        centre.value("SELECT count(*) FROM recipient WHERE id = 'fk' AND uid IS NOT NULL") == "0"
    });
    assert!(daemon.try_wait().expect("asked").is_none(), "it runs");
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_version_forged_in_both_places_is_restored_from_the_archive() {
    let centre = locked();
    let honest = snapshot(&centre);
    harm(
        &centre,
        "UPDATE svod_record SET version = 9 WHERE id = 'r1'; UPDATE svod_publication SET version = 9 WHERE kind = 'person'",
        true,
    );
    assert!(faults(&centre).contains(&"publication-forged".to_owned()));
    let report = centre.ok(&["verify", "--restore"]);
    assert_eq!(report["left"].as_array().map(Vec::len), Some(0), "{report}");
    assert_eq!(snapshot(&centre), honest);
}

#[test]
fn a_locked_row_under_another_id_is_no_second_claim() {
    let centre = locked();
    let honest = snapshot(&centre);
    centre.hub.take();
    harm(&centre, "UPDATE recipient SET id = 'renamed' WHERE id = 'r1'", true);
    assert!(faults(&centre).contains(&"row-missing".to_owned()));
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    assert_eq!(snapshot(&centre), honest);
    // One that says something else is a row of the centre's own, without what only the hub gives.
    harm(
        &centre,
        &format!(
            "INSERT INTO recipient (id, uid, case_number, surname) SELECT 'copy', uid, case_number, 'Иная' FROM recipient \
             WHERE id = '{}'",
            uid(2)
        ),
        true,
    );
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    assert_eq!(
        centre.value(
            "SELECT surname || ' ' || (uid IS NULL) || (case_number IS NULL) FROM recipient WHERE id = 'copy'"
        ),
        "Иная 11"
    );
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn evidence_that_is_gone_is_told() {
    let mut centre = locked();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r5', 'Своя');
         INSERT INTO programme (id, recipient_id, number) VALUES ('p5', 'r5', '5');
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('l5', 'p5', '1', 'Уборка')",
    );
    centre.settle();
    for (sql, fault, table, said) in [
        ("UPDATE recipient SET surname = 'Иная' WHERE id = 'r5'", "not-captured", "recipient", "Иная"),
        (
            "UPDATE programme_line SET name = 'Прогулка' WHERE id = 'l5'",
            "not-captured",
            "programme",
            "Прогулка",
        ),
        (
            "DELETE FROM svod_sent WHERE key = (SELECT key FROM svod_record WHERE id = 'r5')",
            "evidence-missing",
            "svod_sent",
            "Иная",
        ),
    ] {
        harm(&centre, sql, true);
        let (out, _) = centre.ends(&["verify", "--format", "json"], 1);
        let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(
            (&told["found"][0]["fault"], &told["found"][0]["table"]),
            (&fault.into(), &table.into()),
            "{sql}: {out}"
        );
        assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0), "{sql}");
        centre.sync();
        let packets = centre.hub.take_data();
        let records: Vec<_> = packets.iter().flat_map(|packet| &packet.records).collect();
        assert_eq!(records.len(), 1, "{sql}: it is sent");
        assert!(records[0].version > 1, "{sql}: as another version");
        assert!(String::from_utf8_lossy(&records[0].body).contains(said), "{sql}");
        for packet in &packets {
            centre.hub.answer(packet, &[]);
        }
        centre.sync();
        assert_eq!(centre.ok(&["verify"])["whole"], true, "{sql}");
    }
    harm(&centre, "DELETE FROM recipient WHERE id = 'r5'", true);
    assert_eq!(faults(&centre), ["not-captured"]);
    centre.ok(&["verify", "--restore"]);
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r5'"), "Иная");
    centre.sync();
    assert!(centre.hub.take_data().is_empty(), "absence is no deletion");
    harm(&centre, "DELETE FROM svod_packet WHERE direction = 'in' AND kind = 'SN'", true);
    assert!(faults(&centre).contains(&"evidence-missing".to_owned()));
}

#[test]
fn a_damaged_page_is_told_as_such() {
    let centre = locked();
    centre.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let page: usize = centre
        .value("SELECT rootpage FROM sqlite_master WHERE name = 'svod_publication'")
        .parse()
        .expect("a page");
    let path = centre.path("centre.db");
    let mut bytes = std::fs::read(&path).expect("read");
    bytes[(page - 1) * 4096..page * 4096].fill(0);
    std::fs::write(&path, bytes).expect("written");
    for args in [&["verify", "--format", "json"][..], &["verify", "--restore", "--format", "json"]] {
        let (out, _) = centre.ends(args, 1);
        assert!(out.contains("database-damaged"), "{out}");
    }
    let (out, _) = centre.ends(&["verify"], 1);
    assert!(out.contains("верните базу из копии"), "{out}");
}

#[test]
fn links_that_the_hub_did_not_sign_are_found_and_read_anew() {
    let mut centre = locked();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Вторая')");
    centre.settle();
    let records = [centre.person(uid(5), "Вторая"), centre.link(centre.key("recipient", "r2"), uid(5), true)];
    centre.hub.publish(&records);
    centre.sync();
    let honest = snapshot(&centre);
    let hubs = "uid, version, form, sha256, hub_bytes, hub_signature, packet, epoch";
    let swap = |table: &str, columns: &str, kind: &str| {
        format!(
            "CREATE TEMP TABLE t AS SELECT * FROM {table}; \
             UPDATE {table} SET ({columns}) = (SELECT {columns} FROM temp.t WHERE t.id = \
             CASE {table}.id WHEN 'r1' THEN 'r2' ELSE 'r1' END {kind}) WHERE id IN ('r1', 'r2') {kind}; DROP TABLE temp.t;"
        )
    };
    let (a, b) = (centre.key("recipient", "r1"), centre.key("recipient", "r2"));
    let swapped = format!(
        "{} {} UPDATE svod_link SET target = CASE claim WHEN '{a}' THEN '{}' ELSE '{}' END WHERE claim IN ('{a}', '{b}'); \
         UPDATE programme SET recipient_id = 'r2' WHERE recipient_id = 'r1'",
        swap("recipient", "uid, case_number, surname, given", ""),
        swap("svod_record", hubs, "AND kind = 'recipient'"),
        uid(5),
        uid(1)
    );
    harm(&centre, &swapped, true);
    assert!(faults(&centre).contains(&"record-altered".to_owned()));
    centre.ok(&["verify", "--restore"]);
    assert_eq!(snapshot(&centre), honest);
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    let invented =
        format!("INSERT INTO svod_link VALUES ('{}', 'recipient_claim', '{}', 0, 1, NULL)", uid(8), uid(1));
    harm(&centre, &invented, true);
    assert!(faults(&centre).contains(&"record-forged".to_owned()));
    centre.sync();
    assert_eq!(snapshot(&centre), honest);
}

#[test]
fn a_row_of_ones_own_with_the_head_of_a_locked_one_and_other_lines_stays() {
    let centre = locked();
    centre.hub.take();
    let columns = "recipient_id, number, date";
    let copy = |id: &str, line: &str| {
        format!(
            "INSERT INTO programme (id, {columns}) SELECT '{id}', {columns} FROM programme WHERE id = '{}'; \
             INSERT INTO programme_line (id, programme_id, no, name) VALUES ('{id}-1', '{id}', '1', '{line}')",
            uid(3)
        )
    };
    harm(&centre, &[copy("own", "Стирка"), copy("same", "Уборка")].join(";"), true);
    centre.sync();
    assert_eq!(centre.value("SELECT group_concat(id) FROM programme WHERE id IN ('own', 'same')"), "own");
    let key = centre.key("programme", "own");
    assert!(centre.hub.take_data().iter().any(|packet| packet.records.iter().any(|r| r.key == key)));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_schema_that_nobody_can_read_is_found_and_put_right() {
    let centre = locked();
    let broken = "PRAGMA writable_schema = ON; UPDATE sqlite_master SET tbl_name = 'programme', sql = \
                   replace(sql, 'BEFORE DELETE', 'BEFORE NOTHING') WHERE name = 'svod_lock_recipient_delete'";
    centre.sql(broken);
    assert!(faults(&centre).contains(&"trigger-altered".to_owned()));
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    centre.db().execute("DELETE FROM recipient WHERE id = 'r1'", []).expect_err("locked again");
    // the table that a trigger says it is on, alone
    let altered = "PRAGMA writable_schema = ON; UPDATE sqlite_master SET tbl_name = 'programme' WHERE \
                   name = 'svod_lock_recipient_delete'";
    centre.sql(altered);
    assert!(faults(&centre).contains(&"trigger-altered".to_owned()));
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    centre.db().execute("DELETE FROM recipient WHERE id = 'r1'", []).expect_err("locked again");
    // beside the daemon, which sees it by the version of the schema
    let log = || std::fs::read_to_string(centre.path("spoke.log")).unwrap_or_default();
    let begun = log().matches("exchange begins").count();
    let mut daemon = centre.command(&["run"]).stdout(Stdio::null()).spawn().expect("starts");
    wait_until("the daemon to begin", || log().matches("exchange begins").count() > begun);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let db = centre.db();
    db.execute_batch(&format!("{broken}; PRAGMA schema_version = 100000")).expect("altered");
    db.close().expect("closed");
    let back =
        "SELECT 1 FROM sqlite_master WHERE name = 'svod_lock_recipient_delete' AND tbl_name = 'recipient'";
    wait_until("the trigger to be back", || centre.db().query_row(back, [], |_| Ok(())).is_ok());
    assert!(daemon.try_wait().expect("asked").is_none(), "it runs: {}", log());
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
}

#[test]
fn a_key_that_is_not_its_rows_makes_nobody_another_person() {
    let mut centre = locked();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r2', 'Вторая'); \
         INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r1', 'phone', '+7901'), ('c2', 'r2', 'phone', '+7902')",
    );
    centre.settle();
    let records = [centre.person(uid(5), "Вторая"), centre.link(centre.key("recipient", "r2"), uid(5), true)];
    centre.hub.publish(&records);
    centre.sync();
    centre.hub.take();
    let honest = snapshot(&centre);
    let swap = |columns: &str, one: &str, other: &str| {
        format!(
            "CREATE TEMP TABLE t AS SELECT * FROM svod_record WHERE kind = 'recipient' AND id IN ('{one}', '{other}'); \
             UPDATE svod_record SET key = '~' || id WHERE kind = 'recipient' AND id IN ('{one}', '{other}'); \
             UPDATE svod_record SET ({columns}) = (SELECT {columns} FROM temp.t WHERE t.id <> svod_record.id) \
             WHERE kind = 'recipient' AND id IN ('{one}', '{other}'); DROP TABLE temp.t"
        )
    };
    let all = "key, uid, version, form, sha256, hub_bytes, hub_signature, packet, epoch";
    let brought = uid(2).to_string();
    for (columns, other) in [("key", "r2"), (all, "r2"), ("key", brought.as_str())] {
        let shown = "UPDATE svod_shown SET uid = '0' WHERE kind = 'recipient'";
        harm(&centre, &format!("{}; {shown}", swap(columns, "r1", other)), true);
        assert!(faults(&centre).contains(&"record-altered".to_owned()), "{columns} {other}");
        centre.sync();
        assert_eq!(snapshot(&centre), honest, "{columns} {other}");
        let sent = centre.hub.take_data();
        assert!(sent.iter().all(|packet| packet.records.is_empty()), "{columns} {other}: {sent:?}");
        assert_eq!(centre.ok(&["verify"])["whole"], true, "{columns} {other}");
    }
}

#[test]
fn a_name_of_two_lines_is_no_way_to_stop_the_exchange() {
    let centre = locked();
    let honest = snapshot(&centre);
    harm(
        &centre,
        &format!(
            "INSERT INTO svod_record (kind, id, key, state) VALUES ('con' || char(10) || 'tact', 'a' || char(10), '{}', 'own'), \
             ('x' || char(10), 'b', 'no key', 'locked'); \
             INSERT INTO svod_publication (kind, key, version, form, sha256, bytes, packet, epoch, outcome, pending) \
             VALUES ('p' || char(10), 'k' || char(10), 1, 'live', '', x'', '', 1, 'new', 0)",
            uid(7)
        ),
        true,
    );
    assert!(faults(&centre).contains(&"record-forged".to_owned()));
    centre.sync();
    assert_eq!(snapshot(&centre), honest);
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}
