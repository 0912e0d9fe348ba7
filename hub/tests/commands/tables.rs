//! `export`, `import person`.

use std::fs;

use serde_json::{Value, json};

use super::city::{City, centre, done, refused};

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
    assert_eq!(
        refused(&city.run(&["export", "person", "--out", "/no/such/a.csv"])),
        (2, "table-line".into())
    );
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
    for table in ["recipient_claim", "programme", "contract", "service"] {
        let told = refused(&city.run(&["import", table, &file, "--reason", "x"]));
        assert_eq!(told, (3, "hub-import-not-ours".into()), "{table}");
    }
    assert_eq!(
        refused(&city.run(&["import", "dossier", &file, "--reason", "x"])),
        (3, "hub-no-table".into())
    );
    assert_eq!(refused(&city.run(&["import", "person", &file, "--reason", "x"])), (3, "table-line".into()));
    assert_eq!(
        refused(&city.run(&["import", "person", "/no/such.csv", "--reason", "x"])),
        (2, "table-line".into())
    );
}
