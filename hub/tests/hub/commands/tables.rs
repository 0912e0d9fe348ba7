//! `export`, `import`, `check`.

use std::fs;

use serde_json::{Value, json};

use exchange_format::record::{Body, Kind};

use super::city::{City, centre, done, key, refused};

fn import(city: &City, file: &str, more: &[&str]) -> (Option<i32>, Value) {
    let args = [&["import", "person", file, "--reason", "паспорт"], more].concat();
    let output = city.run(&args);
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code(), report.unwrap_or_else(|_| panic!("{output:?}")))
}

#[test]
fn the_register_and_what_centres_sent_go_into_files() {
    let city = City::new();
    city.with_a_question();
    let dir = city.dir.path().join("out");
    for (ending, magic) in [("csv", "\u{feff}".as_bytes()), ("xlsx", b"PK")] {
        let told = done(&city.run(&["export", "--out", dir.to_str().expect("UTF-8"), "--as", ending]));
        let rows = |table: &str| {
            let files = told["files"].as_array().expect("files").iter();
            files.clone().find(|one| one["table"] == table).map(|one| one["rows"].clone())
        };
        assert_eq!((rows("person"), rows("recipient_claim")), (Some(json!(2)), Some(json!(2))), "{told}");
        assert_eq!((rows("programme_line"), rows("proposal_line")), (Some(json!(0)), Some(json!(0))));
        let file = fs::read(dir.join(format!("person.{ending}"))).expect("written");
        assert!(file.starts_with(magic));
    }
    let file = dir.join("claims.csv");
    done(&city.run(&["export", "recipient_claim", "--out", file.to_str().expect("UTF-8"), "--lang", "en"]));
    let text = fs::read_to_string(&file).expect("UTF-8");
    assert!(text.starts_with("\u{feff}origin;key;version;outcome;surname;given;"), "{text}");
    assert!(text.contains(&format!("\r\n{};", centre(1))) && text.contains(";Белова;Анна;"), "{text}");
    let out = file.to_str().expect("UTF-8");
    assert_eq!(refused(&city.run(&["export", "dossier", "--out", out])), (3, "hub-no-table".into()));
    assert_eq!(refused(&city.run(&["export", "person", "--out", "/no/such/a.csv"])), (2, "hub-file".into()));
    assert_eq!(refused(&city.run(&["export", "person", "--out", "a.txt"])), (3, "table-line".into()));
}

#[test]
fn staff_s_values_come_in_by_a_file_as_by_person_set() {
    let city = City::new();
    city.with_a_question();
    let (one, other) = (city.uid(1), city.uid(2));
    let table = format!(
        "uid;Дата рождения;Место работы;СНИЛС\n{one};13.03.1945;;087-654-303 00\n{other};12.03.1958;Шахта;\n"
    );
    let file = city.file("people.csv", &table);
    let before = city.noted();
    assert_eq!(import(&city, &file, &["--dry-run"]).1["changed"], 1);
    assert_eq!(city.noted(), before, "a dry run writes nothing");
    let (exit, told) = import(&city, &file, &[]);
    assert_eq!((exit, &told["changed"], &told["unchanged"]), (Some(0), &json!(1), &json!(1)), "{told}");
    let protocol = told["protocols"][0].as_u64().expect("a protocol").to_string();
    let kept = done(&city.run(&["protocol", "show", &protocol]));
    assert_eq!(
        (&kept["kind"], kept["lines"].as_array().map(Vec::len)),
        (&json!("decision"), Some(2)),
        "{kept}"
    );
    let (events, actions) = city.noted();
    assert_eq!(actions.iter().filter(|action| *action == "entry").count(), 2, "one a field that differs");
    assert!(events.contains(&"person.entry".to_owned()));
    let shown = done(&city.run(&["person", "show", &one]));
    let field = |name: &str| {
        let fields = shown["fields"].as_array().expect("fields").iter();
        fields.clone().find(|field| field["field"] == name).map(|field| field["value"].clone())
    };
    assert_eq!(
        (field("birth_date"), field("snils"), field("workplace")),
        (Some(json!("1945-03-13")), Some(json!("08765430300")), Some(json!("Завод")))
    );
    assert_eq!(import(&city, &file, &[]).1["unchanged"], 2, "the same file again changes nothing");

    // what was exported comes in again as it is
    let out = city.dir.path().join("all.xlsx").to_str().expect("UTF-8").to_owned();
    done(&city.run(&["export", "person", "--out", &out]));
    let (exit, told) = import(&city, &out, &["--all-or-nothing"]);
    assert_eq!((exit, &told["unchanged"]), (Some(0), &json!(2)), "{told}");
}

#[test]
fn a_line_of_two_persons_and_a_second_one_of_a_person_are_refused() {
    let city = City::new();
    city.with_a_question();
    let (one, other) = (city.uid(1), city.uid(2));
    let shown = done(&city.run(&["person", "show", &one]));
    let number = shown["case_number"].as_str().expect("a number");
    let lines = [
        format!("{one};{number};Завод 2"),
        format!("{other};{number};Шахта 2"),
        format!("{other};42-1;Шахта 2"),
        format!("{one};;Завод 3"),
        format!("{other};;Шахта 2"),
    ];
    let file = city.file("people.csv", format!("uid;case_number;workplace\n{}\n", lines.join("\n")));
    let (exit, told) = import(&city, &file, &[]);
    let refused: Vec<_> = told["refused"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["line"].as_u64(), one["column"].as_str(), one["rule"].as_str()))
        .collect();
    let number = |line| (Some(line), Some("case_number"), Some("other-person"));
    let twice = (Some(5), Some("uid"), Some("key-twice"));
    assert_eq!((exit, &told["changed"]), (Some(3), &json!(2)), "{told}");
    assert_eq!(refused, [number(3), number(4), twice]);
}

#[test]
fn a_line_that_breaks_a_rule_is_refused_by_line_column_and_rule() {
    let city = City::new();
    city.with_a_question();
    let (one, other) = (city.uid(1), city.uid(2));
    let table =
        format!("uid;snils;workplace\n{one};087-654-303 01;\nnobody;;Завод\n;;Завод\n{other};;Контора\n");
    let file = city.file("people.csv", &table);
    let refused_lines = json!([
        {"file": file, "line": 2, "column": "snils", "rule": "A04"},
        {"file": file, "line": 3, "column": "uid", "rule": "person-unknown"},
        {"file": file, "line": 4, "column": "uid", "rule": "key-empty"},
    ]);
    let lines = |told: &Value| -> Value {
        let refused = told["refused"].as_array().expect("a list").iter();
        refused.map(|one| json!({"file": one["file"], "line": one["line"], "column": one["column"], "rule": one["rule"]})).collect()
    };
    let before = city.noted();
    let (exit, told) = import(&city, &file, &["--all-or-nothing"]);
    assert_eq!((exit, &told["kept"], lines(&told)), (Some(3), &json!(false), refused_lines.clone()));
    assert_eq!(city.noted(), before, "nothing was taken");
    let (exit, told) = import(&city, &file, &[]);
    assert_eq!((exit, &told["changed"], lines(&told)), (Some(3), &json!(1), refused_lines), "{told}");
}

#[test]
fn a_table_that_is_not_the_hub_s_to_bring_in_is_refused_with_whose_it_is() {
    let city = City::new();
    let file = city.file("a.csv", "id;surname\n1;А\n");
    for (table, code) in [
        ("recipient_claim", "hub-import-claim-of-person"),
        ("programme_claim_line", "hub-import-claim-of-document"),
        ("programme_line", "hub-import-lines"),
        ("link", "hub-import-decided"),
        ("contract", "hub-import-not-ours"),
    ] {
        let told = refused(&city.run(&["import", table, &file, "--reason", "x"]));
        assert_eq!(told, (3, code.into()), "{table}");
    }
    assert_eq!(
        refused(&city.run(&["import", "dossier", &file, "--reason", "x"])),
        (3, "hub-no-table".into())
    );
    assert_eq!(refused(&city.run(&["import", "person", &file, "--reason", "x"])), (3, "table-line".into()));
    assert_eq!(
        refused(&city.run(&["import", "person", "/no/such.csv", "--reason", "x"])),
        (2, "hub-file".into())
    );
}

/// Takes `rows` of `table` in: exit, the counts of new, changed and unchanged, and column and rule of each line refused.
pub fn draw(
    city: &City,
    table: &str,
    rows: &str,
    more: &[&str],
) -> (Option<i32>, [u64; 3], Vec<(String, String)>) {
    let file = city.file(&format!("{table}.csv"), rows);
    let output = city.run(&[&["import", table, &file, "--reason", "приказ"], more].concat());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let counts = ["new", "changed", "unchanged"].map(|name| told[name].as_u64().expect("a count"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let refused = told["refused"].as_array().expect("a list").iter();
    (output.status.code(), counts, refused.map(|one| (text(&one["column"]), text(&one["rule"]))).collect())
}

pub fn one(column: &str, rule: &str) -> Vec<(String, String)> {
    vec![(column.to_owned(), rule.to_owned())]
}

#[test]
fn the_directory_is_drawn_up_and_goes_to_every_centre_and_to_one_that_comes_later() {
    let city = City::new();
    done(&city.add(&city.card(1), "long enough"));
    let rows = "id;Код;Наименование;valid_until\nА;2.1;Услуги на дому;\nБ;2.1.08;Кормление;\nВ;2.1.08;Стрижка;\n;3;Бритьё;\n";
    let (exit, counts, refused) = draw(&city, "service", rows, &[]);
    assert_eq!((exit, counts), (Some(3), [2, 0, 0]));
    assert_eq!(refused, [one("code", "V02"), one("id", "key-empty")].concat());
    // a service that is retired frees its code; a child names its parent
    let rows = "id;code;name;parent_id;valid_from;valid_until\nБ;2.1.08;Кормление;А;01.01.2026;31.12.2026\n\
        В;2.1.08;Стрижка;А;01.01.2027;\nГ;2.1.09;Бритьё;нет такой;;\nД;2.1.10;Мытьё;;01.01.2027;01.01.2026\n";
    let (exit, counts, refused) = draw(&city, "service", rows, &[]);
    assert_eq!((exit, counts), (Some(3), [1, 1, 0]));
    assert_eq!(refused, [one("parent_id", "reference-unknown"), one("valid_until", "V01")].concat());
    done(&city.add(&city.card(2), "long enough"));
    let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
    for unit in [1, 2] {
        let sql =
            "SELECT count(*) FROM publication WHERE kind = 'service' AND state = 'pending' AND centre = ?1";
        let told: i64 = db.query_one(sql, [centre(unit).as_str()], |row| row.get(0)).expect("counted");
        assert_eq!(told, 3, "{unit}");
    }
    let (events, actions) = city.noted();
    assert_eq!(events.iter().filter(|event| *event == "record.drawn").count(), 4);
    assert_eq!(actions.iter().filter(|action| *action == "drawn").count(), 4);
    // what was exported comes in again as it is
    let out = city.dir.path().join("out.xlsx").to_str().expect("UTF-8").to_owned();
    done(&city.run(&["export", "service", "--out", &out]));
    let told = done(&city.run(&["import", "service", &out, "--reason", "x", "--all-or-nothing"]));
    assert_eq!(told["unchanged"], 3, "{told}");
    assert_eq!(refused_with(&city, &["--lines", &out]), (2, "hub-no-lines".into()));
    for (id, code) in [("Б", "directory-stays"), ("нет", "record-unknown")] {
        assert_eq!(not_withdrawn(&city, id), (3, code.into()));
    }
}

fn not_withdrawn(city: &City, id: &str) -> (i32, String) {
    refused(&city.run(&["withdraw", "service", id, "--reason", "x"]))
}

fn refused_with(city: &City, more: &[&str]) -> (i32, String) {
    let file = city.file("service.csv", "id;code\n");
    refused(&city.run(&[&["import", "service", &file, "--reason", "x"], more].concat()))
}

#[test]
fn a_record_that_breaks_a_rule_is_refused_whole_and_what_stood_stands() {
    let city = City::new();
    city.with_a_question();
    let (uid, other) = (city.uid(1), city.uid(2));
    let decision = |id: &str, uid: &str, outcome: &str| {
        format!(
            "id;recipient_id;number;date;outcome;form;grounds\n{id};{uid};1;05.03.2026;{outcome};home;15.1.1\n"
        )
    };
    let draw_decision = |rows: &str| draw(&city, "need_decision", rows, &[]);
    assert_eq!(draw_decision(&decision("Р", &uid, "recognised")), (Some(0), [1, 0, 0], vec![]));
    for (rows, column, rule) in [
        (decision("Р", &uid, "refused"), "grounds", "C03"),
        (decision("Р", &uid, "признал"), "outcome", "outcome"),
        (decision("Т", &uid, "recognised").replace(";1;05", ";б/н;05"), "number", "D06"),
        (decision("Т", &uid, "recognised").replace(";1;05", ";№ 01;05"), "number", "number-taken"),
        (decision("Р", &other, "recognised"), "recipient_id", "other-person"),
        (decision("Т", "42-00000000-000009-9", "recognised"), "recipient_id", "reference-unknown"),
    ] {
        assert_eq!(draw_decision(&rows), (Some(3), [0, 0, 0], one(column, rule)), "{rows}");
    }
    // nor is another corrected to its number
    let other_number =
        |number: &str| decision("У", &uid, "recognised").replace(";1;05", &format!(";{number};05"));
    assert_eq!(draw_decision(&other_number("2")).1, [1, 0, 0]);
    assert_eq!(draw_decision(&other_number("№ 1")), (Some(3), [0, 0, 0], one("number", "number-taken")));
    assert_eq!(draw_decision(&other_number("3")).1, [0, 1, 0]);
    for outcome in ["recognised", "Признана"] {
        assert_eq!(draw_decision(&decision("Р", &uid, outcome)).1, [0, 0, 1], "what stood stands");
    }
    let words = "id;Номер в реестре;full_name;forms\nП;1;Центр;На дому, стационарная\n";
    let codes = "id;register_number;full_name;forms\nП;1;Центр;home residential\n";
    assert_eq!(draw(&city, "provider", words, &[]), (Some(0), [1, 0, 0], vec![]));
    assert_eq!(draw(&city, "provider", codes, &[]).1, [0, 0, 1], "words mean codes");

    for (table, rows, column, rule) in [
        ("programme", format!("id;recipient_id;number;date\nО;{uid};-;05.03.2026\n"), "number", "D06"),
        ("service", "id;code;name\nО;-;Кормление\n".to_owned(), "code", "V05"),
    ] {
        assert_eq!(draw(&city, table, &rows, &[]), (Some(3), [0, 0, 0], one(column, rule)), "{rows}");
    }

    // a document has one name in staff's files
    let rows = format!("id;recipient_id;number;date\nП;{uid};7;05.03.2026\nР;{uid};7;2026-03-05\n");
    assert_eq!(draw(&city, "programme", &rows, &[]), (Some(3), [1, 0, 0], one("number", "number-taken")));

    // an assessment is judged with its answers
    let head = format!("id;recipient_id;litera;number;year;model;date\nА;{uid};Б;7;2026;demo-1;03.03.2026\n");
    assert_eq!(draw(&city, "assessment", &head, &[]).2.len(), 1);
    let answers = city.file("answers.csv", "assessment_id;no;block;question;answer\nНЕТ;1;1;1.1;2_2\n");
    let (exit, _, refused) = draw(&city, "assessment", &head, &["--lines", &answers, "--dry-run"]);
    assert_eq!((exit, refused.last()), (Some(3), one("assessment_id", "record-unknown").last()));

    // a file is attached once, and never changed
    city.file("scan.pdf", "скан");
    let scan = format!("id;recipient_id;title;file\nС;{uid};Паспорт;scan.pdf\nТ;{uid};Паспорт;нет.pdf\n");
    assert_eq!(draw(&city, "attachment", &scan, &[]), (Some(3), [1, 0, 0], one("file", "file-unread")));
    assert_eq!(draw(&city, "attachment", &scan, &[]).1, [0, 0, 1]);
    // and nothing is attached but what lies with the table: not the hub's keys, wherever they are
    for (link, to) in [("out.pdf", "hub/keys/signing.key"), ("up", "..")] {
        std::os::unix::fs::symlink(city.dir.path().join(to), city.dir.path().join(link)).expect("linked");
    }
    let key = city.hub().join("keys/signing.key");
    assert!(key.is_file());
    let absolute = city.dir.path().join("scan.pdf");
    let up = format!("../{}/scan.pdf", city.dir.path().file_name().expect("a name").to_string_lossy());
    for name in
        [&*absolute.to_string_lossy(), &up, &key.to_string_lossy(), "hub/keys/signing.key", "hub/hub.db"]
            .into_iter()
            .chain(["hub/../scan.pdf", "out.pdf", "up/scan.pdf", "."])
    {
        let row = format!("id;recipient_id;title;file\nХ;{uid};Паспорт;{name}\n");
        assert_eq!(
            draw(&city, "attachment", &row, &[]),
            (Some(3), [0; 3], one("file", "file-outside")),
            "{name}"
        );
    }
    city.file("scan.pdf", "другой скан");
    assert_eq!(draw(&city, "attachment", &scan, &[]).2[0], one("sha256", "attachment-final")[0]);
}

#[test]
fn the_register_is_checked_by_the_rules() {
    let city = City::new();
    city.with_a_question();
    let output = city.run(&["check"]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &told["records"]), (Some(1), &json!(2)), "{told}");
    let rules: Vec<&str> =
        told["faults"].as_array().expect("faults").iter().filter_map(|one| one["rule"].as_str()).collect();
    assert!(rules.contains(&"A04a") && rules.contains(&"A03"), "{told}");
    assert_eq!(done(&city.run(&["check", "--refused"]))["faults"], json!([]), "these only warn");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("Белова"), "no values");
}

fn body(kind: Kind, fields: &[(&str, &str)]) -> Body {
    let mut body = Body::new(kind);
    for (field, value) in fields {
        body.set(field, value).expect("plain");
    }
    body
}

#[test]
fn what_the_hub_wrote_comes_in_again_unchanged_whatever_it_is() {
    let city = City::new();
    city.with_a_question();
    // what no rule lets staff enter, and what only centres say
    let person =
        [("surname", "Зуев"), ("given", "Пётр"), ("birth_date", "01.02.1938"), ("phone", "41-93-99")];
    city.receive(1, 7, &body(Kind::RecipientClaim, &person));
    let recipient = key(7).to_string();
    let of = ("recipient", recipient.as_str());
    let mut programme = body(Kind::ProgrammeClaim, &[of, ("number", "17"), ("date", "12.01.2026")]);
    for (no, name) in [("2", "Стирка"), ("1", "Уборка")] {
        let line = programme.add_line();
        for (field, value) in [("no", no), ("name", name)] {
            line.set(field, value).expect("plain");
        }
    }
    city.receive(1, 8, &programme);
    let sha256 = "ab".repeat(32);
    let scan = [
        of,
        ("title", "Скан "),
        ("media_type", "image/png"),
        ("size", "2"),
        ("sha256", &sha256),
        ("created", "1.2.2026"),
    ];
    city.receive(1, 9, &body(Kind::Attachment, &scan));
    let uid = city.uid(2);
    city.file("scan.pdf", "скан");
    let rows = format!("id;recipient_id;title;file\nС;{uid};Паспорт;scan.pdf\n");
    assert_eq!(draw(&city, "attachment", &rows, &[]).1, [1, 0, 0]);
    let lines = city.file("lines.csv", "provider_id;no;part;name\nП;1;licence;Лицензия\n");
    let rows = "id;register_number;full_name\nП;1;Центр\n";
    assert_eq!(draw(&city, "provider", rows, &["--lines", &lines]).1, [1, 0, 0]);

    let dir = city.dir.path().join("out");
    let at = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
    let export = || done(&city.run(&["export", "--out", &at("")]));
    let again = |table: &str, more: &[&str]| {
        let file = at(&format!("{table}.csv"));
        let args = [&["import", table, &file, "--reason", "x"], more].concat();
        done(&city.run(&args))["unchanged"].clone()
    };
    export();
    assert_eq!(again("person", &[]), 3);
    assert_eq!(
        (again("programme", &[]), again("programme", &["--lines", &at("programme_line.csv")])),
        (json!(1), json!(1))
    );
    assert_eq!(again("provider", &["--lines", &at("provider_line.csv")]), 1);
    assert_eq!(again("attachment", &[]), 2, "the centre's own among them");

    // one field changed: that is judged, and nothing else
    let change = |table: &str, from: &str, to: &str| {
        let text = fs::read_to_string(at(&format!("{table}.csv"))).expect("written");
        assert!(text.contains(from), "{text}");
        draw(&city, table, &text.replace(from, to), &[])
    };
    assert_eq!(change("person", "41-93-99", "41-93-98").2, one("phone", "R06"));
    assert_eq!(change("person", "Зуев", "Зуева"), (Some(0), [0, 1, 2], vec![]));
    assert_eq!(change("attachment", "Скан", "Снимок").2, one("sha256", "attachment-final"));
    assert_eq!(
        change("programme", ";17;", ";18;"),
        (Some(0), [0, 1, 0], vec![]),
        "over what the centre claims"
    );
    export();
    let text = fs::read_to_string(at("programme.csv")).expect("written");
    assert!(text.contains(";18;") && text.lines().count() == 2, "{text}");
    assert_eq!((again("person", &[]), again("programme", &[])), (json!(3), json!(1)));
}

#[test]
fn a_programme_beside_one_in_force_is_taken_with_a_word_of_it() {
    let city = City::new();
    city.with_a_question();
    let (uid, recipient) = (city.uid(1), key(1).to_string());
    let claim = [("recipient", recipient.as_str()), ("number", "17"), ("date", "12.01.2026")];
    city.receive(1, 8, &body(Kind::ProgrammeClaim, &claim));
    let warned = |number: &str| {
        let rows = format!(
            "id;recipient_id;number;date;valid_until\n{number};{uid};{number};12.01.2026;12.01.2027\n"
        );
        let file = city.file("programme.csv", rows);
        let told = done(&city.run(&["import", "programme", &file, "--reason", "x"]));
        let warned = told["warned"].as_array().expect("a list").iter();
        warned.filter_map(|one| one["rule"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(warned("17"), ["P04"], "it takes the place of the claim");
    city.receive(1, 9, &body(Kind::ProgrammeClaim, &[claim[0], ("number", "18"), claim[2]]));
    let lines = city.file("lines.csv", "programme_id;no;name\n17;1;Уборка\n");
    let file = city.file(
        "programme.csv",
        format!("id;recipient_id;number;date;valid_until\n17;{uid};17;12.01.2026;12.02.2027\n"),
    );
    let told = done(&city.run(&["import", "programme", &file, "--lines", &lines, "--reason", "x"]));
    assert_eq!(
        (&told["warned"][0]["warning"], &told["warned"][0]["rule"]),
        (&json!("doubt"), &json!("P05")),
        "{told}"
    );
}

#[test]
fn a_bad_line_keeps_its_own_record_out_and_is_told_by_its_own_file() {
    let city = City::new();
    let lines = city.file(
        "lines.csv",
        "Карточка;№ п/п;Раздел;Год\nА;1;licence;2020\nБ;1;licence;20\u{1}20\nБ;2;licence;2020\nВ;1;licence;2020\nВ;два;licence;2020\n\
         Г;1;licence;давно\nГ;2;licence;\nГ;три;licence;2020\nД;1;licence;2020\n",
    );
    let map = city.file(
        "map.toml",
        "[lines]\n\"Карточка\" = \"provider_id\"\n\"№ п/п\" = \"no\"\n\"Раздел\" = \"part\"\n",
    );
    let row = |id: &str| format!("{id};{id}1;Центр {id}\n");
    let rows = format!("id;register_number;full_name\n{}", ["А", "Б", "В", "Г"].map(row).concat());
    let heads = city.file("provider.csv", rows);
    let report = city.dir.path().join("report.csv").to_str().expect("UTF-8").to_owned();
    let args = [
        "import",
        "provider",
        &heads,
        "--lines",
        &lines,
        "--columns",
        &map,
        "--reason",
        "x",
        "--report",
        &report,
    ];
    let output = city.run(&args);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!((output.status.code(), &told["new"]), (Some(3), &json!(1)), "{told}");
    let refused = told["refused"].as_array().expect("a list").iter();
    let refused: Vec<_> =
        refused.map(|one| json!([one["file"], one["line"], one["column"], one["rule"]])).collect();
    let no_column = Value::Null;
    assert_eq!(
        refused,
        [
            json!([heads, 3, no_column, "lines-refused"]),
            json!([heads, 4, no_column, "lines-refused"]),
            json!([heads, 5, no_column, "lines-refused"]),
            json!([lines, 3, "year", "control"]),
            json!([lines, 6, "no", "no"]),
            json!([lines, 7, "year", "year"]),
            json!([lines, 9, "no", "no"]),
            json!([lines, 10, "provider_id", "record-unknown"]),
        ]
    );
    let text = fs::read_to_string(&report).expect("written");
    assert!(text.contains(&format!("{lines};3;Год;control;")) && text.lines().count() == 9, "{text}");
    let wrong = city.file("map.toml", "[lines]\n\"Карточка\" = \"surname\"\n");
    let output =
        city.run(&["import", "provider", &heads, "--lines", &lines, "--columns", &wrong, "--reason", "x"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("map.toml:2"), "{output:?}");
}

#[test]
fn what_was_drawn_up_about_a_programme_that_is_another_now_comes_in_again_unchanged() {
    let city = City::new();
    city.with_a_question();
    let recipient = key(1).to_string();
    let claim = |number| {
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "12.01.2026")];
        body(Kind::ProgrammeClaim, &fields)
    };
    city.receive(1, 8, &claim("17"));
    city.receive(1, 9, &claim("18"));
    let dir = city.dir.path().join("out");
    let at = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
    let export = || done(&city.run(&["export", "--out", &at("")]));
    export();
    let programmes = fs::read_to_string(at("programme.csv")).expect("written");
    let uids: Vec<&str> = programmes.lines().skip(1).filter_map(|line| line.split(';').next()).collect();
    assert_eq!(uids.len(), 2, "{programmes}");
    city.file("scan.pdf", "скан");
    for (n, uid) in uids.iter().enumerate() {
        let rows = format!("id;programme_id;title;file\nС{n};{uid};Программа;scan.pdf\n");
        assert_eq!(draw(&city, "attachment", &rows, &[]).1, [1, 0, 0]);
    }
    let (_, text) = city.review_file("asked.csv");
    let filled = city.file("filled.csv", text.replace(";;\r\n", ";Один;проверено\r\n"));
    assert_eq!(done(&city.run(&["review", "apply", &filled]))["decided"], 2);
    export();
    let told = done(&city.run(&["import", "attachment", &at("attachment.csv"), "--reason", "x"]));
    assert_eq!((&told["unchanged"], &told["changed"]), (&json!(2), &json!(0)), "{told}");
}

#[test]
fn words_for_codes_are_read_and_told() {
    let city = City::new();
    let rows = "id;code;name;forms;variant;action\nу1;1.1;Бритьё;на дому, стационар;замещающая;shave\n";
    let file = city.file("service.csv", rows);
    let told = done(&city.run(&["import", "service", &file, "--reason", "приказ"]));
    let read = json!([{"column": "forms", "code": "home residential", "n": 1}, {"column": "variant", "code": "replace", "n": 1}]);
    assert_eq!((&told["new"], &told["read"]), (&json!(1), &read), "{told}");
    let rows = "id;code;name\nу\u{feff}1;1.2;Стрижка\n";
    assert_eq!(draw(&city, "service", rows, &[]).2, one("id", "id-invisible"));
    let rows = "id;code;name\nу2;1.2\u{200b};Стрижка\n";
    assert_eq!(draw(&city, "service", rows, &[]).2, one("code", "I01"));
}

#[test]
fn a_programme_that_is_taken_back_names_the_supplements_that_fall_with_it_and_check_lists_them() {
    let city = City::new();
    city.with_a_question();
    let (uid, recipient) = (city.uid(1), key(1).to_string());
    let rows = format!("id;recipient_id;number;date;valid_until\nП;{uid};17;12.01.2026;12.01.2027\n");
    assert_eq!(draw(&city, "programme", &rows, &[]).1, [1, 0, 0]);
    let shown = || done(&city.run(&["person", "show", &uid]));
    let document = |kind: &str| {
        let shown = shown();
        let documents = shown["documents"].as_array().expect("documents").clone();
        let found = documents.into_iter().find(|one| one["kind"] == kind).expect(kind);
        found["uid"].as_str().expect("text").to_owned()
    };
    let programme = document("programme");
    let claim = [
        ("recipient", recipient.as_str()),
        ("programme", &programme),
        ("number", "Д-1"),
        ("date", "12.01.2026"),
    ];
    city.receive(1, 8, &body(Kind::SupplementClaim, &claim));
    let supplement = document("supplement");
    let told = done(&city.run(&["withdraw", "programme", "П", "--reason", "ошибка"]));
    assert_eq!(told["supplements"], json!([supplement]));
    let output = city.run(&["check", "--refused"]);
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let faults = found["faults"].as_array().expect("faults");
    let told: Vec<_> = faults.iter().map(|one| (&one["kind"], &one["rule"], &one["field"])).collect();
    assert_eq!(told, [(&json!("supplement_claim"), &json!("W01"), &json!("programme"))], "{found}");
}

#[test]
fn of_two_papers_of_one_number_the_hubs_own_is_the_one_that_says_the_same() {
    let city = City::new();
    city.with_a_question();
    let (uid, recipient) = (city.uid(1), key(1).to_string());
    for (n, issuer) in [(8, "МБУ А"), (9, "МБУ Б")] {
        let claim =
            [("recipient", recipient.as_str()), ("number", "17"), ("date", "12.01.2026"), ("issuer", issuer)];
        city.receive(1, n, &body(Kind::ProgrammeClaim, &claim));
    }
    let rows = |issuer: &str| format!("id;recipient_id;number;date;issuer\nП;{uid};17;12.01.2026;{issuer}\n");
    assert_eq!(
        draw(&city, "programme", &rows("МБУ В"), &[]),
        (Some(3), [0, 0, 0], one("number", "number-several"))
    );
    assert_eq!(draw(&city, "programme", &rows("МБУ Б"), &[]).1, [1, 0, 0]);
    let shown = done(&city.run(&["person", "show", &uid]));
    assert_eq!(shown["documents"].as_array().map(Vec::len), Some(2), "{shown}");
}
