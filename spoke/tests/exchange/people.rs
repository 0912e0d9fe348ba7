//! In and out for people: files of Excel and 1C into the tables, the tables into files, and what the hub has changed.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use exchange_endpoint::tables::{Encoding, Sink};
use exchange_format::record::{Body, Form, Kind};
use serde_json::{Value, json};

use super::centre::{Centre, person_body, uid};

impl Centre {
    /// A file of the centre's with these bytes.
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).expect("written");
        self.place(name)
    }

    fn place(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("UTF-8")
    }

    /// Imports what must be refused in part; its report.
    fn refused(&self, args: &[&str]) -> Value {
        let (out, _) = self.ends(&[&["import"], args, &["--format", "json"]].concat(), 3);
        serde_json::from_str(&out).expect("JSON")
    }

    /// What SQLite counts up when another connection has changed anything.
    fn changes<T>(&self, work: impl FnOnce() -> T) -> (bool, T) {
        let watcher = self.db();
        let version =
            || watcher.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).expect("told");
        let before = version();
        let result = work();
        (version() != before, result)
    }
}

const EXCEL: &str = "Код;Фамилия;Имя;Дата рождения;СНИЛС;Тел.\r\n\
    00017;Иванова;Анна;07.05.1941;087-654-303 00;'+79110000000\r\n\
    18;\"Петров; \"\"младший\"\"\";Иван;1950-01-02;;\"8 (911)\r\nдоб. 5\"\r\n";

#[test]
fn a_file_of_russian_excel_is_understood_without_a_map() {
    let centre = Centre::new();
    let (windows, ..) = encoding_rs::WINDOWS_1251.encode(EXCEL);
    let utf8 = ["\u{feff}", EXCEL].concat();
    for (name, bytes, new, unchanged) in
        [("a.csv", windows.to_vec(), 2, 0), ("b.csv", utf8.clone().into_bytes(), 0, 2)]
    {
        let report = centre.ok(&["import", "recipient", &centre.file(name, bytes)]);
        assert_eq!((&report["new"], &report["unchanged"]), (&json!(new), &json!(unchanged)), "{report}");
    }
    let row = "SELECT id || '|' || surname || '|' || birth_date || '|' || coalesce(snils, '-') || '|' || phone FROM recipient ORDER BY id";
    assert_eq!(centre.value(row), "00017|Иванова|1941-05-07|08765430300|+79110000000");
    assert_eq!(
        centre.value("SELECT surname || phone FROM recipient WHERE id = '18'"),
        "Петров; \"младший\"8 (911)\r\nдоб. 5"
    );
    assert_eq!(centre.value("SELECT count(*) FROM svod_change"), "2", "the second file changed nothing");
}

#[test]
fn the_same_file_twice_changes_nothing_in_the_database() {
    let centre = Centre::new();
    let path = centre.file("a.csv", EXCEL);
    let (changed, _) = centre.changes(|| centre.ok(&["import", "recipient", &path, "--dry-run"]));
    assert!(!changed, "a dry run writes nothing");
    assert_eq!(centre.value("SELECT count(*) FROM recipient"), "0");
    let (changed, _) = centre.changes(|| centre.ok(&["import", "recipient", &path]));
    assert!(changed);
    centre.sql("UPDATE recipient SET snils = '087 654 303 00', birth_date = '7.05.1941' WHERE id = '00017'");
    let (changed, report) = centre.changes(|| centre.ok(&["import", "recipient", &path]));
    assert!(!changed, "{report}");
    assert_eq!(report["unchanged"], 2, "the same in another form is the same");
    assert_eq!(centre.value("SELECT snils FROM recipient WHERE id = '00017'"), "087 654 303 00", "as typed");
}

#[test]
fn a_workbook_goes_in_and_out() {
    let centre = Centre::new();
    let book = centre.path("people.xlsx");
    let headings = ["id", "Фамилия", "Дата рождения"].map(str::to_owned);
    let mut sink = Sink::create(&book, &headings, Encoding::Utf8, 0o600).expect("begun");
    sink.write(["007", "=Иванова", "07.05.1941"].into_iter()).expect("written");
    sink.finish().expect("finished");
    assert_eq!(centre.ok(&["import", "recipient", &centre.place("people.xlsx")])["new"], 1);
    for out in ["out.xlsx", "out.csv"] {
        let path = centre.place(out);
        let told = centre.ok(&["export", "recipient", "--out", &path]);
        assert_eq!(told["files"], json!([{"table": "recipient", "file": path, "rows": 1}]));
        let report = centre.ok(&["import", "recipient", &path]);
        assert_eq!((&report["unchanged"], &report["refused_count"]), (&json!(1), &json!(0)), "{report}");
        assert_eq!(report["passed_over"], json!(["alias_of", "case_number", "state", "uid"]));
    }
    assert!(centre.text("out.csv").contains("\r\n'007;;своя;;;'=Иванова;"), "{}", centre.text("out.csv"));
}

#[test]
fn every_table_is_exported_and_imported_again_unchanged() {
    let mut centre = Centre::with_recipient();
    centre.sql(
        "INSERT INTO programme (id, recipient_id, number, date) VALUES ('p', 'r1', '17', '2026-01-12');
         INSERT INTO programme_line (id, programme_id, no, name, frequency) VALUES ('p:1', 'p', '1', 'Уборка', '2-3');
         INSERT INTO contract (id, recipient_id, number, start_date) VALUES ('k', 'r1', '0012', '01.02.2026')",
    );
    centre.publish_person(uid(7), "r1", "Иванова");
    centre.sync();
    for files in ["csv", "xlsx"] {
        let dir = centre.place(files);
        let told = centre.ok(&["export", "--out", &dir, "--as", files]);
        let files_of = told["files"].as_array().expect("files").clone();
        assert!(files_of.len() > 20, "every table and its lines: {told}");
        let (changed, ()) = centre.changes(|| {
            for one in &files_of {
                let (table, file) =
                    (one["table"].as_str().expect("a table"), one["file"].as_str().expect("a file"));
                let report = centre.ok(&["import", table, file]);
                assert_eq!(
                    (&report["unchanged"], &report["refused"]),
                    (&one["rows"], &json!([])),
                    "{report}"
                );
            }
        });
        assert!(!changed, "{files}");
    }
    assert!(
        centre.text("csv/programme_line.csv").contains(";'2-3;"),
        "{}",
        centre.text("csv/programme_line.csv")
    );
}

#[test]
fn letters_that_windows_1251_lacks_are_not_lost_when_the_file_comes_back() {
    let centre = Centre::new();
    centre.sql("INSERT INTO recipient (id, surname, given, phone) VALUES ('r1', 'Әминова', 'Гөлнара', '1')");
    let out = centre.place("out.csv");
    let (told, _) = centre
        .ends(&["export", "recipient", "--out", &out, "--encoding", "windows-1251", "--format", "json"], 3);
    assert_eq!(serde_json::from_str::<Value>(&told).expect("JSON")["files"][0]["unencodable_count"], 2);
    let row = || centre.value("SELECT concat_ws(' ', surname, given, phone) FROM recipient WHERE id = 'r1'");
    let text = fs::read(&out).expect("written");
    let text = encoding_rs::WINDOWS_1251.decode(&text).0.into_owned();
    assert!(text.contains(";¤минова;Г¤лнара;"), "{text}");
    let back = |text: &str| centre.file("back.csv", encoding_rs::WINDOWS_1251.encode(text).0);
    // as it was written it says nothing of the values; what else is changed in the row is taken
    assert_eq!(centre.ok(&["import", "recipient", &back(&text)])["unchanged"], 1);
    assert_eq!(row(), "Әминова Гөлнара 1");
    let told = centre.ok(&["import", "recipient", &back("id;Фамилия;Телефон\r\nr1;¤минова;2\r\n")]);
    assert_eq!((&told["changed"], row().as_str()), (&json!(1), "Әминова Гөлнара 2"));
    // anything else with the sign is no value: of this row, of a new one, and no id
    for file in
        ["id;Фамилия\r\nr1;¤мирова\r\n", "id;Фамилия\r\nr2;¤минова\r\n", "id;Фамилия\r\n¤1;Иванова\r\n"]
    {
        let told = centre.refused(&["recipient", &back(file)]);
        assert_eq!(told["refused"][0]["rule"], "letters-lost", "{told}");
        assert_eq!(row(), "Әминова Гөлнара 2");
    }
    assert_eq!(centre.value("SELECT count(*) FROM recipient"), "1");
    // what can be written is a value as ever, also none
    assert_eq!(centre.ok(&["import", "recipient", &back("id;Фамилия;Имя\r\nr1;Аминова;\r\n")])["changed"], 1);
    assert_eq!(row(), "Аминова 2");
}

#[test]
fn refused_lines_are_reported_whole_and_stop_nobody_unless_asked_to() {
    let centre = Centre::new();
    let path =
        centre.file("a.csv", "id;surname;given\r\n1;А;Б\r\n;В;Г\r\n1;Д;Е\r\n2;Ж\r\n3;\u{1}З;И\r\n4;К;Л\r\n");
    let report = centre.place("refused.csv");
    let told = centre.refused(&["recipient", &path, "--report", &report, "--all-or-nothing"]);
    assert_eq!((&told["kept"], &told["refused_count"]), (&json!(false), &json!(4)));
    assert_eq!(centre.value("SELECT count(*) FROM recipient"), "0");
    let told = centre.refused(&["recipient", &path, "--report", &report]);
    let rules: Vec<_> = told["refused"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            assert_eq!(one["file"], json!(path));
            (
                one["line"].as_u64(),
                one["column"].as_str().map(str::to_owned),
                one["rule"].as_str().map(str::to_owned),
            )
        })
        .collect();
    let line = |line, column: Option<&str>, rule: &str| {
        (Some(line), column.map(str::to_owned), Some(rule.to_owned()))
    };
    assert_eq!(
        rules,
        [
            line(3, Some("id"), "key-empty"),
            line(4, Some("id"), "key-twice"),
            line(5, None, "cells"),
            line(6, Some("surname"), "control")
        ]
    );
    assert_eq!(centre.value("SELECT group_concat(id) FROM recipient"), "1,4");
    let table = centre.text("refused.csv");
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(
        table.contains(&format!("{path};4;Номер в учёте;key-twice;такой ключ в файле уже был\r\n")),
        "{table}"
    );
}

#[test]
fn no_result_takes_the_place_of_its_source() {
    let centre = Centre::new();
    let source = centre.file("a.csv", EXCEL);
    let map = centre.file("map.toml", "");
    for (report, at) in [(&source, "a.csv"), (&map, "map.toml")] {
        let args = ["import", "recipient", &source, "--columns", &map, "--report", report];
        assert!(centre.ends(&args, 2).1.contains(at));
    }
    assert_eq!((centre.text("a.csv"), centre.text("map.toml")), (EXCEL.to_owned(), String::new()));
    assert_eq!(centre.value("SELECT count(*) FROM recipient"), "0", "nothing was done");
    let dir = centre.place("");
    centre.ends(&["sync", "--import", &dir, "--report", &dir], 2);
}

/// While a file is taken in, another program writes with a wait of five seconds as most have.
#[test]
fn other_programs_get_their_turn_while_a_file_is_taken_in() {
    let centre = Centre::new();
    let rows: Vec<String> = (0..4_000).map(|n| format!("n{n};Имена;Анна;07.05.1941\n")).collect();
    let path = centre.file("a.csv", format!("id;surname;given;birth_date\n{}", rows.concat()));
    let client = centre.db();
    client.busy_timeout(Duration::from_secs(5)).expect("set");
    let begun = Instant::now();
    let mut import =
        centre.command(&["import", "recipient", &path]).stdout(Stdio::null()).spawn().expect("started");
    let (mut written, mut midway) = (0, false);
    while import.try_wait().expect("ours").is_none() {
        let sql = "INSERT INTO contact (id, recipient_id, value) VALUES (?1, 'n1', '+7')";
        client.execute(sql, [written]).expect("its turn came");
        written += 1;
        let there: u32 =
            client.query_one("SELECT count(*) FROM recipient", [], |row| row.get(0)).expect("read");
        midway |= there > 0 && there < 4_000;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(import.wait().expect("ended").success());
    assert!(midway || begun.elapsed() < Duration::from_secs(1), "held to the end: {written} writes");
}

#[test]
fn what_breaks_a_rule_so_that_it_cannot_be_sent_is_told_with_its_line() {
    let centre = Centre::with_recipient();
    let long = "ж".repeat(500);
    let path = centre.file("c.csv", format!("id;recipient_id;value\n1;r1;+7\n2;r1;{long}\n"));
    let told = centre.ok(&["import", "contact", &path]);
    assert_eq!(told["warned"], json!([{"line": 3, "column": "value", "warning": "rule", "rule": "value"}]));
    assert_eq!(told["new"], 2);
    // a table with lines: what is wrong whatever they say; of the lines, when all are in
    let path = centre.file("a.csv", "id;recipient_id;number;date\na1;r1;1;вчера\na2;r1;2;01.02.2026\n");
    let told = centre.ok(&["import", "service_act", &path]);
    assert_eq!(told["warned"], json!([{"line": 2, "column": "date", "warning": "rule", "rule": "date"}]));
    let path = centre.file("l.csv", "service_act_id;no;quantity\na2;1;1\na2;2;много\na3;1;1\n");
    let told = centre.ok(&["import", "service_act_line", &path]);
    let warned: Vec<_> = told["warned"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["line"], &one["warning"]))
        .collect();
    assert_eq!(warned, [(&json!(2), &json!("rule")), (&json!(4), &json!("no-such-row"))], "{told}");
    let named = "service_act_id;no;name;quantity\na2;1;Уборка;1\na2;2;Стирка;много\n";
    let told = centre.ok(&["import", "service_act_line", &centre.file("l.csv", named)]);
    assert_eq!(
        told["warned"],
        json!([{"line": 3, "column": "quantity", "warning": "rule", "rule": "quantity"}]),
        "its own line"
    );
    // what only the hub brings, and lines of it
    let path = centre.file("s.csv", "id;code;name\ns1;1;Бритьё\n");
    let told = centre.refused(&["service", &path, "--lang", "en"]);
    assert_eq!((&told["refused"][0]["rule"], &told["new"]), (&json!("hubs-own"), &json!(0)), "{told}");
    assert!(told["refused"][0]["why"].as_str().is_some_and(str::is_ascii), "{told}");
    let path = centre.file("p.csv", "provider_id;no;part\nп1;1;licence\n");
    let told = centre.refused(&["provider_line", &path]);
    assert_eq!((&told["refused"][0]["rule"], &told["new"]), (&json!("hubs-own"), &json!(0)), "{told}");
    assert_eq!(centre.value("SELECT count(*) FROM provider_line"), "0");
}

#[test]
fn a_locked_row_is_refused_or_proposed_and_what_the_file_does_not_say_is_no_wish() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(7), "r1", "Иванова");
    centre.sync();
    let same = centre.file("same.csv", "id;surname;given;patronymic\nr1;Иванова;;\n");
    assert_eq!(centre.ok(&["import", "recipient", &same])["unchanged"], 1);
    let other = centre.file("other.csv", "id;given;surname\nr1;Анна;Петрова\n");
    let told = centre.refused(&["recipient", &other]);
    let one = &told["refused"][0];
    assert_eq!(
        (&one["rule"], &one["column"], &one["line"]),
        (&json!("LOCKED"), &json!("surname"), &json!(2))
    );
    assert_eq!(centre.value("SELECT count(*) FROM svod_proposal"), "0");
    let propose = ["import", "recipient", &other, "--propose", "смена фамилии"];
    assert_eq!(centre.ok(&[&propose[..], &["--dry-run"]].concat())["proposed"], 1);
    assert_eq!(centre.value("SELECT count(*) FROM svod_proposal"), "0");
    for _ in 0..2 {
        assert_eq!(centre.ok(&propose)["proposed"], 1);
        assert_eq!(
            centre.value("SELECT count(*) || state FROM svod_proposal"),
            "1open",
            "a wish made twice is one"
        );
    }
    assert_eq!(centre.value("SELECT surname FROM recipient"), "Иванова");
}

#[test]
fn what_the_hub_has_changed_since_a_protocol_is_exported_with_its_state() {
    let mut centre = Centre::with_recipient();
    centre.sql("INSERT INTO recipient (id, surname, given) VALUES ('r2', 'Петров', 'Иван'), ('r3', 'Сидоров', 'Пётр')");
    centre.settle();
    let dir = centre.place("to-1c");
    let export = ["export", "--out", &dir, "--changed-since", "last"];
    assert_eq!(centre.ok(&export)["files"], json!([]), "the hub has changed nothing yet");
    centre.publish_person(uid(7), "r1", "Иванова-Иная");
    centre.publish_person(uid(8), "r2", "Петров");
    centre.sync();
    let first = centre.ok(&export);
    let until = first["until"].as_u64().expect("a protocol");
    let file = format!("{dir}/recipient-{until:06}.csv");
    assert_eq!(first["files"], json!([{"table": "recipient", "file": file, "rows": 2}]));
    let text = fs::read_to_string(&file).expect("there");
    let row = format!("\r\nr1;{};закреплена;;", uid(7));
    assert!(text.contains(&row) && text.contains("Иванова-Иная"), "{text}");
    assert_eq!(centre.ok(&export)["files"], json!([]), "nothing twice");

    // withdrawn; ended by the hub, so that the row is the centre's again; and a person the centre never had, and loses
    let unknown = centre.person(uid(9), "Чужая");
    centre.hub.publish(&[unknown]);
    centre.sync();
    let withdrawn = centre.hub.record(uid(7), Form::Withdrawn, &person_body("Иванова-Иная"));
    let ended = |key, kind| centre.hub.record(key, Form::Tombstone, &Body::new(kind));
    let gone = [uid(8), uid(9)].map(|uid| ended(uid, Kind::Person));
    let unlinked = ended(centre.key("recipient", "r2"), Kind::Link);
    centre.hub.publish(&[vec![withdrawn, unlinked], gone.to_vec()].concat());
    centre.sync();
    let since = until.to_string();
    for again in 0..2 {
        let args = ["export", "recipient", "--out", &centre.place("since.csv"), "--changed-since", &since];
        assert_eq!(centre.ok(&args)["files"][0]["rows"], 3, "{again}");
    }
    let text = centre.text("since.csv");
    for row in [
        format!("\r\nr1;{};выведена;;", uid(7)),
        format!("\r\nr2;{};своя;;", uid(8)),
        format!("\r\n{0};{0};удалена;;", uid(9)),
    ] {
        assert!(text.contains(&row), "{row}: {text}");
    }
    assert!(!text.contains("r3"), "{text}");
    let one = ["export", "recipient", "--out", &centre.place("one.csv"), "--changed-since", "last"];
    assert!(centre.ends(&one, 2).1.contains("номер протокола"));
    let (_, error) = centre.ends(&["export", "--out", &dir, "--changed-since", "999"], 3);
    assert!(error.contains("999"), "{error}");
    let (_, error) = centre.ends(&["export", "--out", &dir, "--changed-since", "вчера"], 2);
    assert!(error.contains("номер протокола"), "{error}");
}

#[test]
fn a_held_record_is_exported_when_it_is_shown_and_not_when_it_came() {
    let mut centre = Centre::with_recipient();
    let mut decision = Body::new(Kind::NeedDecision);
    for (field, value) in [
        ("recipient", uid(7).to_string()),
        ("number", "5".to_owned()),
        ("date", "2026-01-12".to_owned()),
        ("outcome", "recognised".to_owned()),
        ("form", "home".to_owned()),
        ("grounds", "15.1.1".to_owned()),
    ] {
        decision.set(field, &value).expect("text");
    }
    let decision = centre.hub.record(uid(20), Form::Live, &decision);
    centre.hub.publish(&[decision]);
    centre.sync();
    let dir = centre.place("to-1c");
    let export = ["export", "--out", &dir, "--changed-since", "last"];
    assert_eq!(centre.ok(&export)["files"], json!([]), "it waits for its person");
    centre.publish_person(uid(7), "r1", "Иванова");
    centre.sync();
    let told = centre.ok(&export);
    let tables: Vec<&str> =
        told["files"].as_array().expect("files").iter().filter_map(|one| one["table"].as_str()).collect();
    assert_eq!(tables, ["recipient", "need_decision"], "{told}");
}

#[test]
fn one_command_takes_from_1c_exchanges_and_gives_back() {
    let mut centre = Centre::with_recipient();
    let (from, to) = (centre.place("from-1c"), centre.place("to-1c"));
    fs::create_dir(&from).expect("made");
    let put = |name: &str, text: &str| fs::write(centre.path("from-1c").join(name), text).expect("written");
    put("recipient.csv", "Ссылка;Фамилия\r\nr1;Иванова\r\nr9;Новая\r\n");
    put("recipient.toml", "key = \"Ссылка\"\n");
    put("contract.csv", "id;recipient_id;number\r\nk1;r9;0017\r\n");
    let command = ["sync", "--import", &from, "--export", &to];
    let told = centre.ok(&command);
    let new: Vec<_> =
        told["import"].as_array().expect("reports").iter().map(|one| (&one["table"], &one["new"])).collect();
    assert_eq!(new, [(&json!("recipient"), &json!(1)), (&json!("contract"), &json!(1))]);
    assert_eq!(told["export"]["files"], json!([]));
    for packet in centre.hub.take_data() {
        centre.hub.answer(&packet, &[]);
    }
    centre.publish_person(uid(7), "r9", "Новая-Иная");
    let told = centre.ok(&command);
    let until = told["export"]["until"].as_u64().expect("a protocol");
    let text = fs::read_to_string(format!("{to}/recipient-{until:06}.csv")).expect("exported");
    assert!(text.contains(&format!("r9;{};закреплена;;", uid(7))) && text.contains("Новая-Иная"), "{text}");
    // 1C has not taken it in yet, and says what it said: refused by line, and the exchange goes on
    let (out, _) = centre.ends(&[&command[..], &["--format", "json"]].concat(), 3);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    let refused = &told["import"][0]["refused"];
    assert_eq!((&refused[0]["line"], &refused[0]["rule"]), (&json!(3), &json!("LOCKED")), "{told}");
    // then it has, and gives back what it took
    fs::write(centre.path("from-1c").join("recipient.csv"), text).expect("written");
    fs::remove_file(centre.path("from-1c").join("recipient.toml")).expect("removed");
    let told = centre.ok(&command);
    assert_eq!(
        (&told["import"][0]["unchanged"], &told["export"]["files"]),
        (&json!(1), &json!([])),
        "{told}"
    );
}

#[test]
fn a_file_that_is_no_table_stops_neither_the_others_nor_the_exchange() {
    let mut centre = Centre::with_recipient();
    let (from, to, told_in) = (centre.place("from-1c"), centre.place("to-1c"), centre.place("refused"));
    fs::create_dir(&from).expect("made");
    let put =
        |name: &str, bytes: &[u8]| fs::write(centre.path("from-1c").join(name), bytes).expect("written");
    put("recipient.csv", "id;Неизвестно\r\nr9;Новая\r\n".as_bytes());
    put("programme.xlsx", b"PK\x03\x04 half written");
    put("contract.csv", "id;recipient_id;number\r\nk1;r1;0017\r\n;r1;0018\r\n".as_bytes());
    let more = ["--encoding", "windows-1251", "--report", &told_in, "--format", "json"];
    let command = [&["sync", "--import", &from, "--export", &to], &more[..]].concat();
    let (out, _) = centre.ends(&command, 3);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    let of = |n: usize, what: &str| told["import"][n][what].clone();
    assert_eq!(
        (of(0, "table"), of(1, "table"), of(2, "new")),
        (json!("recipient"), json!("programme"), json!(1))
    );
    for n in [0, 1] {
        let error = &told["import"][n]["error"];
        assert!(error["code"].as_str().is_some_and(|code| code.starts_with("spoke-csv-")), "{told}");
        assert!(error["next"].as_str().is_some_and(|next| !next.is_empty()), "{told}");
    }
    assert!(centre.text("refused/contract.csv").contains(";key-empty;"), "the refused line is in the report");
    assert!(!centre.hub.take_data().is_empty(), "the round went on");
    centre.publish_person(uid(7), "r1", "Иная");
    let (out, _) = centre.ends(&command, 3);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    let file = told["export"]["files"][0]["file"].as_str().unwrap_or_else(|| panic!("{told}"));
    let bytes = fs::read(file).expect("exported");
    assert!(encoding_rs::WINDOWS_1251.decode(&bytes).0.contains("Иная"), "as 1C asked for it");
    // a letter that 1C's encoding lacks keeps nothing else back, and the next export goes on behind it
    centre.publish_person(uid(7), "r1", "Әлия");
    fs::remove_dir_all(&from).expect("removed");
    fs::create_dir(&from).expect("made");
    let (out, _) = centre.ends(&command, 3);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(told["export"]["files"][0]["unencodable"], json!([{"row": 2, "column": "surname"}]), "{told}");
    let (out, _) = centre.ends(&command, 0);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(told["export"]["files"], json!([]), "{told}");
}

#[test]
fn a_directory_that_is_not_there_and_files_called_as_no_table_are_told() {
    let centre = Centre::with_recipient();
    let (from, nowhere) = (centre.place("from-1c"), centre.place("nowhere"));
    fs::create_dir(&from).expect("made");
    let sync = |from: &str, exit| {
        let (out, _) = centre.ends(&["sync", "--import", from, "--format", "json"], exit);
        serde_json::from_str::<Value>(&out).expect("JSON")["import"].clone()
    };
    let told = sync(&nowhere, 2);
    assert_eq!((&told[0]["file"], &told[0]["error"]["code"]), (&json!(nowhere), &json!("spoke-file")));
    let put = |name: &str, text: &[u8]| fs::write(centre.path("from-1c").join(name), text).expect("written");
    put("Recipient.CSV", "id;Фамилия\r\nr9;Новая\r\n".as_bytes());
    put("~$recipient.xlsx", b"open in Excel");
    assert_eq!(sync(&from, 0)[0]["new"], 1);
    put("recipients.csv", b"id\r\n1\r\n");
    put("contract.XLS", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    let told = sync(&from, 3);
    let codes: Vec<_> = (0..3).map(|n| told[n]["error"]["code"].as_str().unwrap_or_default()).collect();
    assert_eq!(codes, ["", "spoke-csv-unreadable", "spoke-no-table"], "{told}");
    centre.ends(&["sync", "--import", &from, "--export", &from], 2);
}

#[test]
fn words_for_codes_are_read_told_and_sent() {
    let mut centre = Centre::with_recipient();
    let path = centre.file(
        "e.csv",
        "id;recipient_id;type;date\n1;r1;Смерть;01.02.2026\n2;r1;Переезд;02.02.2026\n3;r1;move;02.02.2026\n",
    );
    for (new, unchanged) in [(3, 0), (0, 3)] {
        let told = centre.ok(&["import", "event", &path]);
        assert_eq!((&told["new"], &told["unchanged"]), (&json!(new), &json!(unchanged)), "{told}");
        let read =
            json!([{"column": "type", "code": "death", "n": 1}, {"column": "type", "code": "move", "n": 1}]);
        assert_eq!((&told["read"], &told["warned"]), (&read, &json!([])), "{told}");
    }
    let (out, _) = centre.ends(&["import", "event", &path], 0);
    assert!(out.contains("«Тип»: прочитано как death: 1"), "{out}");
    assert_eq!(
        centre.value("SELECT group_concat(type) FROM (SELECT type FROM event ORDER BY id)"),
        "death,move,move"
    );
    let path = centre.file("f.csv", "id;date;form;total;free\n1;01.02.2026;на дому;3;1\n");
    assert_eq!(centre.ok(&["import", "free_places", &path])["read"][0]["code"], "home");
    let path = centre.file("x.csv", "id;recipient_id;type;date\n4;r1;свадьба;01.02.2026\n");
    let told = centre.ok(&["import", "event", &path]);
    assert_eq!((&told["read"], &told["warned"][0]["rule"]), (&json!([]), &json!("type")), "{told}");
    centre.settle();
    assert_eq!(centre.value("SELECT count(*) FROM svod_sent WHERE kind IN ('event', 'free_places')"), "4");
}

#[test]
fn an_id_with_a_sign_that_nobody_sees_is_refused_at_import_and_told_of_a_row() {
    let centre = Centre::with_recipient();
    let rows = "id;surname;given\nr\u{feff}2;Петров;Иван\nr3\u{200b};Сидоров;Пётр\nr4;Ким\u{200b};Анна\n";
    let told = centre.refused(&["recipient", &centre.file("a.csv", rows), "--lang", "en"]);
    assert_eq!((&told["new"], &told["refused_count"]), (&json!(1), &json!(2)), "{told}");
    let one = &told["refused"][0];
    assert_eq!((&one["rule"], &one["column"]), (&json!("id-invisible"), &json!("id")), "{told}");
    assert!(one["why"].as_str().is_some_and(|why| why.contains("U+FEFF")), "{told}");
    let rows = "id;recipient_id;value\n1;r\u{2060}1;+7\n";
    let told = centre.refused(&["contact", &centre.file("c.csv", rows)]);
    assert_eq!(told["refused"][0]["column"], "recipient_id", "{told}");
    centre.sql("INSERT INTO recipient (id, surname, given) VALUES ('r' || char(160) || '9', 'Ли', 'Анна')");
    let (out, _) = centre.ends(&["check", "--table", "recipient", "--format", "json"], 1);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    let of_id = told["faults"].as_array().expect("a list").iter().filter(|one| one["field"] == "id");
    let of_id: Vec<_> = of_id.map(|one| (&one["rule"], &one["refused"])).collect();
    assert_eq!(of_id, [(&json!("I01"), &json!(false))], "{told}");
}

#[test]
fn a_line_is_not_moved_under_a_row_of_the_hubs_and_why_is_told_in_the_language_asked_for() {
    let mut centre = Centre::with_recipient();
    centre.sql(
        "INSERT INTO programme (id, recipient_id, number, date) VALUES ('p1', 'r1', '1', '2026-01-12');
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('a', 'p1', '1', 'Уборка')",
    );
    centre.publish_person(uid(7), "r1", "Иванова");
    centre.sync();
    let programme = super::applying::programme_of(&centre, uid(8), uid(7));
    centre.hub.publish(&[programme]);
    centre.sync();
    assert_eq!(
        centre.value("SELECT count(*) FROM svod_record WHERE kind = 'programme' AND state = 'locked'"),
        "1"
    );
    let path = centre.file("l.csv", format!("id;programme_id;no;name\na;{};2;Уборка\n", uid(8)));
    let told = centre.refused(&["programme_line", &path, "--lang", "en"]);
    let one = &told["refused"][0];
    assert_eq!((&one["rule"], &one["column"]), (&json!("LOCKED"), &json!("programme_id")), "{told}");
    assert!(one["why"].as_str().is_some_and(str::is_ascii), "{told}");
    assert_eq!(centre.value("SELECT programme_id FROM programme_line WHERE id = 'a'"), "p1");
}
