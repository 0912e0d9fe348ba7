//! What a determined owner of the file can do to it: found, told, put right (exchange §8, D10). Longer than 500 lines
//! because every way of harming it is tried here.

use std::fs;

use super::centre::{Centre, uid};

/// A centre with a locked person `r1`, a person the hub brought, and a locked programme with a line.
pub(super) fn locked() -> Centre {
    let mut centre = Centre::with_recipient();
    let mut programme = exchange_format::record::Body::new(exchange_format::record::Kind::Programme);
    for (field, value) in
        [("recipient", uid(1).to_string()), ("number", "12".into()), ("date", "2026-01-02".into())]
    {
        programme.set(field, &value).expect("text");
    }
    let line = programme.add_line();
    line.set("no", "1").expect("text");
    line.set("name", "Уборка").expect("text");
    let records = [
        centre.person(uid(1), "Иванова"),
        centre.person(uid(2), "Новая"),
        centre.hub.record(uid(3), exchange_format::record::Form::Live, &programme),
        centre.link(centre.key("recipient", "r1"), uid(1), true),
    ];
    centre.hub.publish(&records);
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    centre
}

/// Does `harm` with every trigger gone, and puts the triggers back unless `leave_triggers` says otherwise.
pub(super) fn harm(centre: &Centre, sql: &str, put_triggers_back: bool) {
    let db = centre.db();
    // at once, for a daemon that runs puts its triggers back
    let at_once = !sql.contains("ATTACH");
    if at_once {
        db.execute_batch("BEGIN IMMEDIATE").expect("begun");
    }
    harm_by(&db, sql, put_triggers_back);
    if at_once {
        db.execute_batch("COMMIT").expect("done");
    }
}

/// As [`harm`], by a connection that has begun its transaction.
pub(super) fn harm_by(db: &rusqlite::Connection, sql: &str, put_triggers_back: bool) {
    let triggers: Vec<(String, String)> = db
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        .expect("read")
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("read")
        .collect::<Result<_, _>>()
        .expect("read");
    for (name, _) in &triggers {
        db.execute_batch(&format!("DROP TRIGGER {name}")).expect("dropped");
    }
    db.execute_batch(sql).expect(sql);
    if put_triggers_back {
        for (_, sql) in &triggers {
            db.execute_batch(sql).expect("created");
        }
    }
}

pub(super) fn faults(centre: &Centre) -> Vec<String> {
    let (out, _) = centre.ends(&["verify", "--format", "json"], 1);
    let found: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let list = found["found"].as_array().expect("a list");
    let mut faults: Vec<String> =
        list.iter().filter_map(|d| d["fault"].as_str().map(str::to_owned)).collect();
    faults.dedup();
    faults
}

/// Rows and what is kept of them; of a publication not whether it was new or changed when it came.
pub(super) fn snapshot(centre: &Centre) -> Vec<String> {
    let tables = [
        ("recipient", "*"),
        ("programme", "*"),
        ("programme_line", "*"),
        ("svod_record", "*"),
        ("svod_publication", "kind, key, version, form, sha256, bytes, signature, packet, epoch, pending"),
        ("svod_link", "*"),
        ("svod_proposal", "*"),
        ("svod_change", "*"),
    ];
    let db = centre.db();
    let mut lines = Vec::new();
    for (table, columns) in tables {
        let mut statement = db.prepare(&format!("SELECT {columns} FROM {table}")).expect("read");
        let n = statement.column_count();
        let mut rows = statement.query([]).expect("read");
        while let Some(row) = rows.next().expect("read") {
            let value = |i| match row.get_ref(i).expect("read") {
                rusqlite::types::ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                rusqlite::types::ValueRef::Blob(bytes) => {
                    format!("{:?}", exchange_format::position::Digest::of(bytes))
                }
                other => format!("{other:?}"),
            };
            let values: Vec<String> = (0..n).map(value).collect();
            lines.push(format!("{table}: {}", values.join(" | ")));
        }
    }
    lines
}

#[test]
fn every_harm_is_found_and_put_right() {
    let u2 = uid(2);
    let cases = [
        ("UPDATE recipient SET surname = 'Чужая' WHERE id = 'r1'".to_owned(), "row-altered"),
        (format!("DELETE FROM recipient WHERE id = '{u2}'"), "row-missing"),
        ("DELETE FROM recipient WHERE id = 'r1'".into(), "row-missing"),
        ("UPDATE programme_line SET name = 'Иное'".into(), "row-altered"),
        ("DELETE FROM programme_line".into(), "row-altered"),
        (
            format!("INSERT INTO programme_line (id, programme_id, no, name) VALUES ('x', '{}', '2', 'Лишняя')", uid(3)),
            "row-altered",
        ),
        ("UPDATE svod_record SET state = 'own' WHERE id = 'r1'".into(), "record-altered"),
        ("UPDATE svod_record SET state = 'own', uid = NULL, hub_bytes = NULL WHERE id = 'r1'".into(), "record-altered"),
        (format!("DELETE FROM svod_record WHERE id = '{u2}'"), "record-altered"),
        ("DELETE FROM svod_record WHERE id = 'r1'".into(), "not-captured"),
        ("UPDATE svod_record SET alias_of = 'r2' WHERE id = 'r1'".into(), "record-altered"),
        (
            "UPDATE recipient SET surname = 'Чужая' WHERE id = 'r1'; UPDATE svod_record SET hub_bytes = x'00' WHERE id = 'r1'"
                .into(),
            "record-altered",
        ),
        ("UPDATE svod_publication SET bytes = x'3c612f3e' WHERE kind = 'person'".into(), "publication-forged"),
        ("DELETE FROM svod_publication WHERE kind = 'person'".into(), "digest-differs"),
        ("DELETE FROM svod_link".into(), "record-forged"),
    ];
    let centre = locked();
    let honest = snapshot(&centre);
    for (sql, fault) in cases {
        harm(&centre, &sql, true);
        let found = faults(&centre);
        assert!(found.iter().any(|found| found == fault), "{sql}: {found:?}");
        let report = centre.ok(&["verify", "--restore"]);
        assert_eq!(report["left"].as_array().map(Vec::len), Some(0), "{sql}: {report}");
        assert_eq!(snapshot(&centre), honest, "{sql}");
        assert_eq!(centre.ok(&["verify"])["whole"], true, "{sql}");
    }
    let status = centre.ok(&["status"]);
    assert_eq!(status["incidents"].as_array().map(Vec::len), Some(0), "all is whole again: {status}");
    assert_ne!(status["closed_incidents"].as_array().map(Vec::len), Some(0), "{status}");
    assert_ne!(centre.value("SELECT count(*) FROM svod_journal WHERE event = 'database.restored'"), "0");
}

#[test]
fn dropped_triggers_come_back_and_what_was_done_meanwhile_is_not_lost() {
    let centre = locked();
    centre.hub.take();
    harm(
        &centre,
        "UPDATE recipient SET surname = 'Чужая' WHERE id = 'r1'; INSERT INTO recipient (id, surname) VALUES ('r7', 'Своя')",
        false,
    );
    let found = faults(&centre);
    for fault in ["trigger-missing", "row-altered", "not-captured"] {
        assert!(found.iter().any(|found| found == fault), "{found:?}");
    }
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r1'"), "Иванова");
    let sent = centre.hub.take_data();
    assert!(sent.iter().any(|packet| packet.records.iter().any(|r| r.key == centre.key("recipient", "r7"))));
    centre.db().execute("UPDATE recipient SET surname = 'x' WHERE id = 'r1'", []).expect_err("locked again");
}

#[test]
fn a_forged_lock_is_no_lock() {
    let centre = locked();
    harm(
        &centre,
        "INSERT INTO recipient (id, surname) VALUES ('r8', 'Подложная');
         INSERT INTO svod_record (kind, id, key, state, uid, version, form, sha256, hub_bytes, hub_signature, epoch)
         SELECT 'recipient', 'r8', '00000000-0000-4000-8000-000000000008', 'locked', uid, version, form, sha256, hub_bytes,
         hub_signature, epoch FROM svod_record WHERE id = 'r1';
         INSERT INTO need_decision (id, number) VALUES ('d1', '1');",
        true,
    );
    assert!(faults(&centre).contains(&"record-forged".to_owned()));
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    centre.sql("UPDATE recipient SET surname = 'Своя' WHERE id = 'r8'");
    assert_eq!(centre.value("SELECT count(*) FROM need_decision"), "0");
}

#[test]
fn an_edited_file_is_found() {
    let centre = locked();
    centre.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let path = centre.path("centre.db");
    let bytes = fs::read(&path).expect("read");
    let (from, to) = ("Новая".as_bytes(), "Иная!".as_bytes());
    let mut edited = bytes.clone();
    let mut at = 0;
    while let Some(found) = edited[at..].windows(from.len()).position(|window| window == from) {
        let place = at + found;
        // Only in the row: the signed bytes have the element around it.
        if edited[place - 1] != b'>' {
            edited[place..place + to.len()].copy_from_slice(to);
            edited[place + to.len()..place + from.len()].fill(b' ');
        }
        at = place + from.len();
    }
    assert_ne!(edited, bytes);
    fs::write(&path, edited).expect("written");
    assert_eq!(faults(&centre), ["row-altered"]);
    centre.ok(&["verify", "--restore"]);
    assert_eq!(centre.value(&format!("SELECT surname FROM recipient WHERE id = '{}'", uid(2))), "Новая");
}

#[test]
fn an_old_row_put_back_with_its_old_signature_is_found_and_mended() {
    let mut centre = locked();
    let old = centre.dir.path().join("old.db");
    centre.sql(&format!("VACUUM INTO '{}'", old.display()));
    let record = centre.person(uid(1), "Иванова-Петрова");
    centre.hub.publish(&[record]);
    centre.sync();
    let honest = snapshot(&centre);
    harm(
        &centre,
        &format!(
            "ATTACH '{}' AS old;
             INSERT OR REPLACE INTO recipient SELECT * FROM old.recipient WHERE id = 'r1';
             INSERT OR REPLACE INTO svod_record SELECT * FROM old.svod_record WHERE id = 'r1';
             INSERT OR REPLACE INTO svod_publication SELECT * FROM old.svod_publication WHERE kind = 'person';",
            old.display()
        ),
        true,
    );
    assert_eq!(faults(&centre), ["digest-differs"]);
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    assert_eq!(snapshot(&centre), honest);
}

#[test]
fn an_old_database_put_back_is_found_by_the_watermark() {
    let mut centre = locked();
    let old = centre.dir.path().join("old.db");
    centre.sql(&format!("VACUUM INTO '{}'", old.display()));
    let record = centre.person(uid(1), "Иванова-Петрова");
    centre.hub.publish(&[record]);
    centre.sync();
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(centre.path(&format!("centre.db{suffix}")));
    }
    fs::copy(&old, centre.path("centre.db")).expect("put back");
    assert_eq!(faults(&centre), ["behind-watermark"]);
    centre.sync();
    let status = centre.ok(&["status"]);
    assert_eq!(status["incidents"][0]["code"], "RESTORED");
    assert!(centre.ends(&["sync"], 3).0.contains("поток остановлен"));
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r5', 'Новая')");
    centre.hub.take();
    centre.sync();
    assert!(centre.hub.take_data().is_empty(), "data stop");
}

/// Runs `script` with Python's sqlite3 on the centre's database, statement by statement.
pub(super) fn python(centre: &Centre, script: &str) {
    const PROGRAM: &str = "
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2].split(';'):
    connection.execute(statement)
";
    let done = std::process::Command::new("python3")
        .args(["-c", PROGRAM])
        .arg(centre.path("centre.db"))
        .arg(script)
        .status()
        .expect("python3 is installed");
    assert!(done.success(), "{script}");
}

#[test]
fn what_no_trigger_sees_is_found_by_its_place_and_put_right() {
    let (u2, u3) = (uid(2), uid(3));
    // script, fault, its table, a column that is named
    let cases = [
        ("ALTER TABLE recipient RENAME TO x", "table-missing", "recipient", None),
        ("ALTER TABLE programme_line RENAME TO x", "table-missing", "programme_line", None),
        ("ALTER TABLE svod_record RENAME TO x", "table-missing", "svod_record", None),
        ("ALTER TABLE svod_publication RENAME TO x", "table-missing", "svod_publication", None),
        ("ALTER TABLE svod_packet RENAME TO x", "table-missing", "svod_packet", None),
        ("ALTER TABLE recipient RENAME COLUMN surname TO x", "column-missing", "recipient", Some("surname")),
        ("ALTER TABLE recipient DROP COLUMN given", "column-missing", "recipient", Some("given")),
        ("ALTER TABLE programme_line DROP COLUMN name", "column-missing", "programme_line", Some("name")),
        ("DROP TABLE programme_line", "table-missing", "programme_line", None),
        ("DROP TABLE recipient", "table-missing", "recipient", None),
        ("DROP INDEX svod_record_key", "index-altered", "svod_record_key", None),
        ("DROP INDEX svod_publication_held", "index-altered", "svod_publication_held", None),
        ("DROP VIEW recipient_resolved", "index-altered", "recipient_resolved", None),
        (
            "CREATE UNIQUE INDEX mine ON recipient (surname); INSERT OR REPLACE INTO recipient (id, surname) VALUES ('own', \
             'Новая'); DELETE FROM recipient WHERE id = 'own'",
            "row-missing",
            "recipient",
            None,
        ),
        ("CREATE UNIQUE INDEX mine ON programme_line (name)", "index-foreign", "programme_line", None),
        (
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'recipient'",
            "trigger-missing",
            "svod_lock_recipient_update",
            None,
        ),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'NOT IN', 'IN') \
             WHERE name = 'svod_lock_recipient_update'",
            "trigger-altered",
            "svod_lock_recipient_update",
            None,
        ),
    ];
    let mut centre = locked();
    centre.sql(
        "INSERT INTO recipient (id, surname, given) VALUES ('r5', 'Своя', 'Вера');
         INSERT INTO programme (id, recipient_id, number) VALUES ('p5', 'r5', '5');
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('p5:1', 'p5', '1', 'Своя строка')",
    );
    centre.settle();
    let honest = snapshot(&centre);
    for (script, fault, table, column) in cases {
        python(&centre, script);
        let (out, _) = centre.ends(&["verify", "--format", "json"], 1);
        for personal in ["Новая", "Иванова", "Вера", "Своя"] {
            assert!(!out.contains(personal), "{script}: {out}");
        }
        let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let found = told["found"].as_array().expect("a list");
        let named = |damage: &&serde_json::Value| {
            damage["fault"] == fault
                && damage["table"] == table
                && column.is_none_or(|column| {
                    damage["columns"].as_array().is_some_and(|c| c.contains(&column.into()))
                })
        };
        assert!(found.iter().any(|damage| named(&damage)), "{script}: {out}");
        let report = centre.ok(&["verify", "--restore"]);
        assert_eq!(report["left"].as_array().map(Vec::len), Some(0), "{script}: {report}");
        let mut now = snapshot(&centre);
        // What a renamed column held stays in it, behind the others.
        if script.contains("RENAME COLUMN") {
            centre.sql("ALTER TABLE recipient DROP COLUMN x");
            now = snapshot(&centre);
        }
        let sorted = |lines: &[String]| -> Vec<String> {
            let words = |line: &String| {
                let mut words: Vec<&str> = line.split(" | ").collect();
                words.sort_unstable();
                words.join(" | ")
            };
            // What came and went of our own may still stand in the queue; it comes to nothing when looked at.
            lines.iter().filter(|line| !line.starts_with("svod_change")).map(words).collect()
        };
        assert_eq!(sorted(&now), sorted(&honest), "{script}");
        centre.sync();
        assert!(centre.hub.take_data().is_empty(), "{script}: nothing of ours has changed");
        for sql in [
            "UPDATE recipient SET surname = 'x' WHERE id = 'r1'".to_owned(),
            format!("DELETE FROM recipient WHERE id = '{u2}'"),
            format!("DELETE FROM programme_line WHERE programme_id = '{u3}'"),
            "UPDATE svod_record SET state = 'own'".into(),
        ] {
            centre.db().execute(&sql, []).expect_err(script);
        }
    }
}

#[test]
fn a_running_round_mends_its_own_tables_first() {
    let mut centre = locked();
    python(&centre, "ALTER TABLE svod_packet RENAME TO x; ALTER TABLE svod_change RENAME TO y");
    centre.sql("CREATE TABLE note (id TEXT)");
    let record = centre.person(uid(1), "Иванова-Петрова");
    centre.hub.publish(&[record]);
    centre.sync();
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r1'"), "Иванова-Петрова");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    assert_ne!(centre.ok(&["status"])["closed_incidents"].as_array().map(Vec::len), Some(0));
}

#[test]
fn the_sum_is_compared_with_the_manifest_that_the_hub_signed() {
    let mut centre = locked();
    let record = centre.person(uid(2), "Новейшая");
    let packet = centre.hub.publish(&[record]);
    centre.sync();
    let digest = |centre: &Centre| centre.ok(&["verify"])["digest"].clone();
    assert_eq!(
        (digest(&centre)["proven"].as_str(), digest(&centre)["packet"].as_str()),
        (Some("signed"), Some(packet.as_str()))
    );
    let honest = snapshot(&centre);
    let sum = centre.value("SELECT told_digest FROM svod_stream WHERE direction = 'in'");
    // An older state of a record together with a sum that agrees with it: only the signed packet tells.
    let old = centre.dir.path().join("old.db");
    centre.sql(&format!("VACUUM INTO '{}'", old.display()));
    let record = centre.person(uid(2), "Самая новая");
    centre.hub.publish(&[record]);
    centre.sync();
    let newest = snapshot(&centre);
    harm(
        &centre,
        &format!(
            "ATTACH '{}' AS old;
             INSERT OR REPLACE INTO recipient SELECT * FROM old.recipient;
             INSERT OR REPLACE INTO svod_record SELECT * FROM old.svod_record;
             INSERT OR REPLACE INTO svod_publication SELECT * FROM old.svod_publication;
             UPDATE svod_stream SET told_digest = '{sum}' WHERE direction = 'in'",
            old.display()
        ),
        true,
    );
    assert_eq!(snapshot(&centre), honest);
    let (out, _) = centre.ends(&["verify", "--format", "json"], 1);
    let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(told["found"][0]["fault"], "digest-differs", "{out}");
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    assert_eq!(snapshot(&centre), newest);
    // The sum alone, altered.
    harm(&centre, &format!("UPDATE svod_stream SET told_digest = '{sum}' WHERE direction = 'in'"), true);
    let (out, _) = centre.ends(&["verify", "--format", "json"], 1);
    let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (&told["found"][0]["table"], &told["found"][0]["columns"][0]),
        (&"svod_stream".into(), &"told_digest".into())
    );
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    // Without the archive nothing signed says what the whole is; the result says so.
    fs::remove_dir_all(centre.path("archive")).expect("gone");
    let report = centre.ok(&["verify"]);
    assert_eq!((report["whole"].as_bool(), report["digest"]["proven"].as_str()), (Some(true), Some("kept")));
    assert!(report["digest"]["why"].as_str().is_some_and(|why| why.contains("archive")), "{report}");
    let (out, _) = centre.ends(&["verify"], 0);
    assert!(out.contains("подписи под ней нет"), "{out}");
}

#[test]
fn an_index_or_another_name_costs_no_edit_that_was_not_sent_yet() {
    let mut centre = Centre::with_recipient();
    centre.sql(
        "INSERT INTO programme (id, recipient_id, number) VALUES ('p5', 'r1', '5');
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('l5', 'p5', '1', 'Уборка')",
    );
    centre.settle();
    for (script, name) in [
        ("CREATE UNIQUE INDEX mine ON programme_line (programme_id, no)", "Прогулка"),
        ("ALTER TABLE programme_line RENAME TO x", "Чтение"),
    ] {
        centre.sql(&format!("UPDATE programme_line SET name = '{name}' WHERE id = 'l5'"));
        python(&centre, script);
        centre.ok(&["verify", "--restore"]);
        assert_eq!(centre.value("SELECT id || ' ' || name FROM programme_line"), format!("l5 {name}"));
        centre.sync();
        let sent = centre.hub.take_data();
        let bodies: Vec<&[u8]> =
            sent.iter().flat_map(|packet| &packet.records).map(|r| &r.body[..]).collect();
        let said = String::from_utf8(bodies.concat()).expect("UTF-8");
        assert!(said.contains(name), "it is sent: {said}");
    }
}

#[test]
fn ordinary_rounds_leave_the_schema_alone_and_a_dropped_guard_is_told_of() {
    let mut centre = locked();
    let cookie = "PRAGMA schema_version";
    let before = centre.value(cookie);
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r8', 'Своя')");
    centre.settle();
    let record = centre.person(uid(1), "Иванова-Петрова");
    centre.hub.publish(&[record]);
    centre.sync();
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r1'"), "Иванова-Петрова");
    assert_eq!(centre.value(cookie), before);

    let log = || fs::read_to_string(centre.path("spoke.log")).unwrap_or_default();
    let looks = log().matches("database looked at").count();
    let mut daemon = centre.command(&["run"]).stdout(std::process::Stdio::null()).spawn().expect("starts");
    super::sending::wait_until("the first look", || log().matches("database looked at").count() > looks);
    // with an edit, so that the daemon writes into its book before it looks at the whole
    centre.sql(
        "BEGIN IMMEDIATE; DROP TRIGGER svod_guard_meta_delete; INSERT INTO recipient (id, surname) VALUES ('r9', 'Своя'); COMMIT",
    );
    super::sending::wait_until("the guard to be missed", || {
        centre.value("SELECT count(*) FROM svod_incident WHERE code = 'TAMPERED' AND subject = 'svod_guard_meta_delete'") == "1"
    });
    centre.db().execute("DELETE FROM svod_meta", []).expect_err("guarded again");
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
}

#[test]
fn an_edit_that_was_caught_hides_none_that_was_not() {
    let centre = locked();
    let log = || fs::read_to_string(centre.path("spoke.log")).unwrap_or_default();
    let before = log().matches("database looked at").count();
    let mut daemon = centre.command(&["run"]).stdout(std::process::Stdio::null()).spawn().expect("starts");
    super::sending::wait_until("the first look", || log().matches("database looked at").count() > before);
    let db = centre.db();
    let triggers = |on| db.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, on);
    db.execute_batch("BEGIN IMMEDIATE").expect("begun");
    triggers(false).expect("set");
    db.execute_batch("UPDATE recipient SET surname = 'Чужая' WHERE id = 'r1'").expect("past the locks");
    triggers(true).expect("set");
    db.execute_batch("INSERT INTO recipient (id, surname) VALUES ('r9', 'Своя'); COMMIT").expect("caught");
    super::sending::wait_until("the row to be put right", || {
        centre.value("SELECT surname FROM recipient WHERE id = 'r1'") == "Иванова"
    });
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
}
