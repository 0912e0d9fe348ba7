//! Tables that another program has made anew: alike, yet with a way past the locks (exchange §8, D10).

use super::{
    centre::{Centre, uid},
    tampering::{faults, harm, locked, python, snapshot},
};

/// The table with everything in it, made anew by a program that changes its text and then puts the triggers back.
fn rebuild(centre: &Centre, table: &str, from: &str, to: &str, then: &str) {
    let sql = centre.value(&format!("SELECT sql FROM sqlite_master WHERE name = '{table}'"));
    assert!(sql.contains(from), "{from}: {sql}");
    let mut made = sql.replacen(from, to, 1);
    if !made.contains("PRIMARY KEY") {
        made = made.replace("WITHOUT ROWID", "");
    }
    let indexes = centre.value(&format!(
        "SELECT coalesce(group_concat(sql, ';'), '') FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}'"
    ));
    harm(
        centre,
        &format!(
            "CREATE TEMP TABLE kept AS SELECT * FROM {table}; DROP TABLE {table}; {made}; \
             INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept; {indexes}; {then}"
        ),
        true,
    );
}

fn own_rows() -> Centre {
    let mut centre = locked();
    centre.sql(
        "INSERT INTO recipient (id, surname, given) VALUES ('r5', 'Своя', 'Вера');
         INSERT INTO programme (id, recipient_id, number) VALUES ('p5', 'r5', '5');
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('l5', 'p5', '1', 'Своя строка')",
    );
    centre.settle();
    centre
}

#[test]
fn a_table_made_anew_with_a_way_past_the_locks_is_found_and_made_ours_again() {
    let new_person = uid(2);
    // table, what stands in its text, what takes its place, the harm that no trigger sees, the fault
    let cases = [
        (
            "recipient",
            "surname TEXT",
            "surname TEXT UNIQUE",
            "INSERT OR REPLACE INTO recipient (id, surname) VALUES ('x', 'Новая'); DELETE FROM recipient WHERE id = 'x'"
                .to_owned(),
            "index-foreign",
        ),
        (
            "recipient",
            "WITHOUT ROWID",
            "",
            format!(
                "INSERT OR REPLACE INTO recipient (rowid, id, surname) SELECT rowid, 'x', 'Чужая' FROM recipient \
                 WHERE id = '{new_person}'; DELETE FROM recipient WHERE id = 'x'"
            ),
            "table-altered",
        ),
        (
            "recipient",
            "id TEXT PRIMARY KEY NOT NULL",
            "id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL",
            "INSERT OR REPLACE INTO recipient (id, surname) VALUES ('R1', 'Чужая'); DELETE FROM recipient WHERE id = 'R1'"
                .to_owned(),
            "table-altered",
        ),
        ("programme_line", "no TEXT", "no INTEGER", "SELECT 1".into(), "table-altered"),
        ("recipient", "CHECK (typeof(id) = 'text' AND id <> '')", "", "SELECT 1".into(), "table-altered"),
        ("recipient", "WITHOUT ROWID", "STRICT, WITHOUT ROWID", "SELECT 1".into(), "table-altered"),
        ("svod_record", "PRIMARY KEY (kind, id)", "PRIMARY KEY (kind, key)", "SELECT 1".into(), "table-altered"),
        ("svod_publication", "WITHOUT ROWID", "", "SELECT 1".into(), "table-altered"),
    ];
    let centre = own_rows();
    let honest = snapshot(&centre);
    for (table, from, to, then, fault) in cases {
        rebuild(&centre, table, from, to, "");
        python(&centre, &then);
        let found = faults(&centre);
        assert!(found.iter().any(|found| found == fault), "{table}, {to}, {then}: {found:?}");
        let report = centre.ok(&["verify", "--restore"]);
        assert_eq!(report["left"].as_array().map(Vec::len), Some(0), "{table}, {to}: {report}");
        let sorted = |lines: &[String]| {
            let mut lines: Vec<String> =
                lines.iter().filter(|line| !line.starts_with("svod_change")).cloned().collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&snapshot(&centre)), sorted(&honest), "{table}, {to}");
        assert_eq!(centre.ok(&["verify"])["whole"], true, "{table}, {to}");
        centre.db().execute("DELETE FROM recipient WHERE id = 'r1'", []).expect_err("locked again");
    }
}

#[test]
fn what_others_have_given_a_table_and_what_was_not_sent_yet_stay() {
    let centre = own_rows();
    centre.sql(
        "ALTER TABLE recipient ADD COLUMN shelf TEXT DEFAULT 'A'; CREATE INDEX by_surname ON recipient (surname, shelf);
         CREATE TABLE note (id TEXT); CREATE VIEW mine AS SELECT id, shelf FROM recipient;
         CREATE TRIGGER noted AFTER UPDATE OF shelf ON recipient BEGIN INSERT INTO note VALUES (NEW.id); END;",
    );
    assert_eq!(centre.ok(&["verify"])["whole"], true, "all that is the centre's own matter");
    centre.sql(
        "UPDATE recipient SET surname = 'Иная', shelf = 'B' WHERE id = 'r5'; DELETE FROM note;
         UPDATE programme_line SET name = 'Иное' WHERE id = 'l5'",
    );
    rebuild(&centre, "recipient", "WITHOUT ROWID", "", "");
    python(&centre, "ALTER TABLE recipient DROP COLUMN given");
    rebuild(&centre, "programme_line", "no TEXT", "no INTEGER", "");
    python(&centre, "ALTER TABLE programme_line RENAME TO lines");
    centre.ok(&["verify", "--restore"]);
    assert_eq!(
        centre.value("SELECT surname || ' ' || given || ' ' || shelf FROM recipient WHERE id = 'r5'"),
        "Иная Вера B"
    );
    assert_eq!(
        centre.value("SELECT id || ' ' || no || ' ' || name FROM programme_line WHERE id = 'l5'"),
        "l5 1 Иное"
    );
    assert_eq!(centre.value("SELECT given FROM recipient WHERE id = 'r1'"), "Анна");
    assert_eq!(centre.value("SELECT count(*) FROM note"), "0", "what is restored is nobody's edit");
    centre.sql("UPDATE recipient SET shelf = 'C' WHERE id = 'r1'");
    assert_eq!(centre.value("SELECT group_concat(id) FROM note"), "r1");
    assert_eq!(centre.value("SELECT shelf FROM mine WHERE id = 'r1'"), "C");
    assert_eq!(centre.value("SELECT count(*) FROM sqlite_master WHERE name = 'by_surname'"), "1");
    centre.sync();
    let sent = centre.hub.take_data();
    let bodies: Vec<u8> =
        sent.iter().flat_map(|packet| &packet.records).flat_map(|r| r.body.clone()).collect();
    let said = String::from_utf8(bodies).expect("UTF-8");
    assert!(said.contains("Иная") && said.contains("Вера") && said.contains("Иное"), "{said}");
    assert_eq!(centre.value("SELECT count(*) FROM sqlite_master WHERE name LIKE 'former%'"), "0");
}

#[test]
fn rows_that_do_not_fit_are_kept_beside() {
    let centre = own_rows();
    rebuild(
        &centre,
        "recipient",
        "TEXT PRIMARY KEY NOT NULL CHECK (typeof(id) = 'text' AND id <> '')",
        "TEXT",
        "",
    );
    python(
        &centre,
        "PRAGMA recursive_triggers = OFF; INSERT INTO recipient (id, surname) VALUES ('r5', 'Вторая')",
    );
    centre.ok(&["verify", "--restore"]);
    assert_eq!(centre.value("SELECT count(*) FROM recipient WHERE id = 'r5'"), "1");
    let all = "SELECT group_concat(surname, ' ') FROM (SELECT surname FROM recipient WHERE id = 'r5' UNION ALL \
               SELECT surname FROM former_recipient ORDER BY 1)";
    assert_eq!(centre.value(all), "Вторая Своя");
    let report = centre.ok(&["verify"]);
    assert_eq!(report["whole"], true);
    let told = &report["incidents"][0];
    assert_eq!(
        (&told["code"], &told["subject"]),
        (&"ROWS_BESIDE".into(), &"former_recipient".into()),
        "{report}"
    );
    centre.sql("DROP TABLE former_recipient");
    centre.sync();
    assert_eq!(centre.ok(&["status"])["incidents"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_copy_of_a_table_that_is_gone_does_not_take_its_place() {
    let mut centre = own_rows();
    centre.sql("INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r5', 'phone', '+7900')");
    centre.settle();
    centre.sql("CREATE TABLE contact_october AS SELECT * FROM contact; UPDATE contact SET value = '+7999'");
    centre.settle();
    let value = || centre.value("SELECT group_concat(value) FROM contact");
    let incidents = || centre.ok(&["status"])["incidents"].clone();
    centre.sql("DROP TABLE contact");
    centre.sync();
    assert_eq!(value(), "+7999");
    assert_eq!(centre.value("SELECT value FROM contact_october"), "+7900");
    assert!(centre.hub.take_data().is_empty(), "nothing has changed");
    assert_eq!(incidents().as_array().map(Vec::len), Some(0));
    // what was not sent yet may stand there
    centre.sql("UPDATE contact SET value = '+7000'; DROP TABLE contact");
    centre.sync();
    assert_eq!(value(), "+7999");
    assert_eq!(incidents()[0]["subject"], "contact_october");
    // a copy that says all that was sent is the table
    centre.sql("DROP TABLE contact_october; CREATE TABLE mine AS SELECT * FROM contact; DROP TABLE contact");
    centre.sync();
    assert_eq!(value(), "+7999");
    assert_eq!(centre.value("SELECT count(*) FROM sqlite_master WHERE name = 'mine'"), "0");
    assert_eq!(incidents().as_array().map(Vec::len), Some(0));
    assert!(centre.hub.take_data().is_empty());
}

#[test]
fn rows_of_a_table_that_was_made_anew_with_numbers_stay() {
    let mut centre = own_rows();
    centre.sql(
        "INSERT INTO contact (id, recipient_id, type, value) VALUES ('1', 'r5', 'phone', '+7901'), \
         ('2', 'r5', 'phone', '+7902')",
    );
    centre.settle();
    let columns = "SELECT group_concat(name, ', ') FROM pragma_table_info('contact') WHERE name <> 'id'";
    let columns = centre.value(columns);
    harm(
        &centre,
        &format!(
            "CREATE TABLE cc AS SELECT * FROM contact; DROP TABLE contact; \
             CREATE TABLE contact (id INTEGER PRIMARY KEY, {columns}); \
             INSERT INTO contact SELECT CAST(id AS INTEGER), {columns} FROM cc; DROP TABLE cc; \
             UPDATE contact SET value = '+7999' WHERE id = 2; \
             INSERT INTO contact (recipient_id, type, value) VALUES ('r5', 'phone', '+7903')"
        ),
        false,
    );
    centre.sync();
    let said = "SELECT group_concat(id || value, ' ') FROM (SELECT id, value FROM contact ORDER BY id)";
    assert_eq!(centre.value(said), "1+7901 2+7999 3+7903");
    assert_eq!(centre.value("SELECT count(*) FROM sqlite_master WHERE name LIKE 'former%'"), "0");
    let sent: usize = centre.hub.take_data().iter().map(|packet| packet.records.len()).sum();
    assert_eq!(sent, 2, "the edit and the new row");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn an_index_that_only_another_program_can_write_is_told_and_dropped() {
    let centre = own_rows();
    centre.sql(
        "CREATE INDEX my_rus ON recipient (surname COLLATE NOCASE); PRAGMA writable_schema = ON; \
         UPDATE sqlite_master SET sql = replace(sql, 'NOCASE', 'RUS') WHERE name = 'my_rus'",
    );
    centre.db().execute("UPDATE recipient SET surname = 'x' WHERE id = 'r5'", []).expect_err("no collation");
    assert_eq!(faults(&centre), ["index-unusable"]);
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    let closed = centre.ok(&["status"])["closed_incidents"].clone();
    assert_eq!(closed[0]["detail"], "index-unusable", "{closed}");
    centre.sql("UPDATE recipient SET surname = 'Иная' WHERE id = 'r5'");
}

#[test]
fn a_view_in_the_place_of_a_table_is_found_and_taken_away() {
    let centre = own_rows();
    let honest = snapshot(&centre);
    python(&centre, "ALTER TABLE recipient RENAME TO x; CREATE VIEW recipient AS SELECT * FROM x");
    assert!(
        faults(&centre).contains(&"table-altered".to_owned())
            || faults(&centre).contains(&"table-missing".to_owned())
    );
    centre.ok(&["verify", "--restore"]);
    assert_eq!(snapshot(&centre), honest);
}

#[test]
fn a_second_harm_to_the_same_row_is_another_incident() {
    let centre = locked();
    let tampered = "UPDATE recipient SET surname = 'Чужая' WHERE id = 'r1'";
    for n in 1..=2_u64 {
        harm(&centre, tampered, true);
        centre.sync();
        let status = centre.ok(&["status"]);
        assert_eq!(status["incidents"].as_array().map(Vec::len), Some(0), "{status}");
        let closed = status["closed_incidents"].as_array().expect("a list");
        assert_eq!(closed.len() as u64, n, "{status}");
        assert!(
            closed.iter().all(|one| one["closed_how"] == "restored" && one["code"] == "TAMPERED"),
            "{status}"
        );
        for event in ["database.altered", "database.restored"] {
            let sql =
                format!("SELECT count(*) FROM svod_journal WHERE event = '{event}' AND rule = 'row-altered'");
            assert_eq!(centre.value(&sql), n.to_string(), "{event}");
        }
    }
    // What cannot be put right stays open, and is told by both commands.
    harm(&centre, "UPDATE svod_journal SET event = 'x' WHERE n = 0", true);
    centre.sync();
    for report in [
        centre.ok(&["status"]),
        serde_json::from_str(&centre.ends(&["verify", "--format", "json"], 1).0).expect("JSON"),
    ] {
        assert_eq!(report["incidents"][0]["detail"], "journal-altered", "{report}");
    }
    let (out, _) = centre.ends(&["verify"], 1);
    assert!(out.contains("TAMPERED svod_journal"), "{out}");
    centre.hub.take();
}

#[test]
fn a_renamed_column_keeps_what_was_typed_and_not_sent() {
    let mut centre = own_rows();
    centre.sql(
        "INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r5', 'phone', '+7900'), \
         ('c2', 'r5', 'phone', '+7901')",
    );
    centre.settle();
    // the rounds before have looked too: the daemon's own first look is waited for
    let looks = || fs_log(&centre).matches("database looked at").count();
    let before = looks();
    let daemon = centre.command(&["run"]).stdout(std::process::Stdio::null()).spawn().expect("starts");
    let mut daemon = Daemon(daemon);
    wait_for(|| looks() > before);
    centre.sql(
        "BEGIN IMMEDIATE; UPDATE contact SET value = '+7902' WHERE id = 'c1'; \
         INSERT INTO contact (id, recipient_id, type, value) VALUES ('c3', 'r5', 'phone', '+7903'); \
         ALTER TABLE contact RENAME COLUMN value TO val; COMMIT",
    );
    let mended = "SELECT count(*) FROM pragma_table_info('contact') WHERE name = 'value'";
    wait_for(|| centre.value(mended) == "1");
    let said = "SELECT group_concat(id || value, ' ') FROM (SELECT id, value FROM contact ORDER BY id)";
    assert_eq!(centre.value(said), "c1+7902 c2+7901 c3+7903");
    wait_for(|| centre.value("SELECT count(*) FROM svod_change") == "0");
    assert!(daemon.0.try_wait().expect("asked").is_none(), "it goes on: {}", fs_log(&centre));
}

#[test]
fn a_renamed_table_comes_back_beside_a_broken_view() {
    let centre = own_rows();
    centre.sql(
        "ALTER TABLE contact RENAME TO contact_2025; CREATE VIEW my_report AS SELECT * FROM no_such_table",
    );
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

struct Daemon(std::process::Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn fs_log(centre: &Centre) -> String {
    std::fs::read_to_string(centre.path("spoke.log")).unwrap_or_default()
}

fn wait_for(mut ready: impl FnMut() -> bool) {
    for _ in 0..300 {
        if ready() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("it did not happen");
}

#[test]
fn conditions_and_computed_columns_of_the_centres_own_stay() {
    let mut centre = own_rows();
    centre.sql(
        "ALTER TABLE recipient ADD COLUMN shelf TEXT DEFAULT 'A' CHECK (surname <> 'Запретная' OR shelf = 'B');
         ALTER TABLE recipient ADD COLUMN full TEXT GENERATED ALWAYS AS (surname || ' ' || coalesce(given, '')) VIRTUAL",
    );
    assert_eq!(centre.ok(&["verify"])["whole"], true, "the centre's own matter");
    let sql = centre.value("SELECT sql FROM sqlite_master WHERE name = 'recipient'");
    let own = ", code TEXT UNIQUE NOT NULL DEFAULT (hex(randomblob(8))), CHECK (shelf <> 'C'))";
    let made = sql.replace(") WITHOUT ROWID", own).replace("VIRTUAL", "STORED");
    assert!(made.contains("code TEXT UNIQUE"), "{made}");
    let columns = "id, uid, case_number, surname, given, phone, shelf";
    harm(
        &centre,
        &format!(
            "CREATE TEMP TABLE kept AS SELECT * FROM recipient; DROP TABLE recipient; {made}; \
             INSERT INTO recipient ({columns}) SELECT {columns} FROM kept; DROP TABLE kept"
        ),
        true,
    );
    assert_eq!(faults(&centre)[0], "table-altered");
    let codes = || centre.value("SELECT group_concat(code) FROM (SELECT code FROM recipient ORDER BY id)");
    let before = codes();
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    assert_eq!(centre.value("SELECT full FROM recipient WHERE id = 'r5'"), "Своя Вера");
    assert_eq!(codes(), before);
    centre.sql("UPDATE recipient SET surname = 'Иная' WHERE id = 'r5'");
    assert_eq!(centre.value("SELECT full FROM recipient WHERE id = 'r5'"), "Иная Вера", "computed still");
    for refused in ["surname = 'Запретная'", "shelf = 'C'", "code = NULL"] {
        let sql = format!("UPDATE recipient SET {refused} WHERE id = 'r5'");
        centre.db().execute(&sql, []).expect_err(refused);
    }
    centre.sql("UPDATE recipient SET code = 'x'");
    assert_eq!(centre.value("SELECT count(*) FROM sqlite_master WHERE name LIKE 'former%'"), "0");
    // What the hub brings is not asked.
    let record = centre.person(uid(2), "Запретная");
    centre.hub.publish(&[record]);
    centre.sync();
    assert_eq!(centre.value(&format!("SELECT surname FROM recipient WHERE id = '{}'", uid(2))), "Запретная");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn killed_at_any_moment_a_repair_has_happened_or_not() {
    let centre = own_rows();
    centre.sql(
        "INSERT INTO contact (id, recipient_id, type, value) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n \
         WHERE n < 20000) SELECT 'c' || n, 'r5', 'phone', '+7' || n FROM n",
    );
    rebuild(&centre, "contact", "WITHOUT ROWID", "", "");
    let mut killed = 0;
    for pause in (1..).map(|n: u64| n * 15) {
        let mut repair = Daemon(
            centre
                .command(&["verify", "--restore"])
                .stdout(std::process::Stdio::null())
                .spawn()
                .expect("starts"),
        );
        std::thread::sleep(std::time::Duration::from_millis(pause));
        if repair.0.try_wait().expect("asked").is_some() {
            break;
        }
        drop(repair);
        killed += 1;
        assert_eq!(centre.value("SELECT count(*) FROM contact WHERE value LIKE '+7%'"), "20000");
        assert_eq!(centre.value("SELECT count(*) FROM sqlite_master WHERE name LIKE 'former%'"), "0");
        assert_eq!(centre.value("PRAGMA quick_check"), "ok");
        centre.db().execute("DELETE FROM recipient WHERE id = 'r1'", []).expect_err("locked all the while");
    }
    assert!(killed > 3, "{killed}");
    centre.ok(&["verify", "--restore"]);
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    assert_eq!(centre.value("SELECT count(*) FROM svod_record WHERE kind = 'contact'"), "20000");
}
