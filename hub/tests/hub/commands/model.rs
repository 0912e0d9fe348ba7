//! `model`: read, compared, put in force, made of data.

use std::fs;

use exchange_endpoint::account::acting;
use serde_json::{Value, json};

use super::city::{City, done, refused, run};

#[test]
fn a_model_changes_by_a_person_s_command_alone_and_nobody_is_joined_by_that() {
    let city = City::new();
    city.with_a_question();
    let shipped = done(&city.run(&["model", "show"]));
    assert_eq!((&shipped["shipped"], &shipped["history"]), (&json!(true), &json!([])));
    assert_eq!(
        done(&city.run(&["status"]))["model"],
        json!({"name": shipped["name"], "actor": null, "at": null})
    );
    let path = city.dir.path().join("model.toml").to_str().expect("UTF-8").to_owned();
    done(&city.run(&["model", "show", "--out", &path]));
    assert_eq!(refused(&city.run(&["model", "show", "--out", &path])), (3, "hub-exists".into()));
    let text = fs::read_to_string(&path).expect("written");
    let same = done(&city.run(&["model", "compare", &path]));
    assert_eq!((&same["changes"], &same["pairs"]), (&json!([]), &json!([])));

    // a region that links where the shipped model asks
    let bold = text
        .replace("name = \"recipients 2026-11-23\"", "name = \"Смелая 1\" # \\ и перенос")
        .replace("\n[pairs]", "variants = [[\"Айгуль\", \"Гуля\"]]\n\n[pairs]")
        .replace("auto = 7.0", "auto = 0.0")
        .replace("one = 2.0", "one = 0.0");
    assert_ne!(bold, text);
    let bold_file = city.file("bold.toml", &bold);
    let table = city.dir.path().join("pairs.csv").to_str().expect("UTF-8").to_owned();
    let told = done(&city.run(&["model", "compare", &bold_file, "--out", &table]));
    let change = json!({"before": "ask", "after": "link", "pairs": 1, "decided": 0});
    assert_eq!((&told["changes"], &told["now"]["links"]), (&json!([change]), &json!(0)), "{told}");
    assert_eq!((&told["then"]["persons"], &told["pairs"][0]["one_person"]), (&json!(1), &json!(false)));
    assert_eq!(fs::read_to_string(&table).expect("written").lines().count(), 2);
    assert_eq!(done(&city.run(&["model", "show"]))["shipped"], true, "comparing changes nothing");

    // a model of other tables would compare nobody here
    let strange = text.replace("columns = [\"snils\"]", "columns = [\"soc_sec_id\"]");
    assert_ne!(strange, text);
    let strange = city.file("strange.toml", &strange);
    for command in
        [&["model", "compare", &strange][..], &["model", "activate", &strange, "--reason", "проба"]]
    {
        let told = city.run(command);
        assert_eq!(refused(&told), (2, "model".into()));
        assert!(String::from_utf8_lossy(&told.stderr).contains("snils"), "{told:?}");
    }
    let activate = |reason: &str| city.run(&["model", "activate", &bold_file, "--reason", reason]);
    assert_eq!(refused(&activate("")), (2, "usage".into()));
    let told = done(&activate("решение комиссии"));
    assert_eq!(
        (&told["model"], &told["changed"], &told["questions"]),
        (&json!("Смелая 1"), &json!(true), &json!([1, 1]))
    );
    let protocol = done(&city.run(&["protocol", "show", &told["protocol"].to_string()]));
    assert_eq!(protocol["lines"][0]["words"], "решение комиссии");
    assert_eq!(city.persons(), 2, "who is one person stays as it was");
    let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
    let sql = "SELECT concat_ws(' ', p.code, r.reason) FROM pair p, review r WHERE r.kind = 'pair' AND r.state = 'open'";
    let why: String = db.query_one(sql, [], |row| row.get(0)).expect("asked");
    assert_eq!(why, "OTHERS OTHERS", "by the model in force");
    let status = done(&city.run(&["status"]));
    assert_eq!((&status["model"]["name"], &status["model"]["actor"]), (&json!("Смелая 1"), &json!(acting())));
    let shown = done(&city.run(&["model", "show"]));
    assert_eq!(shown["variants"], json!([["Айгуль", "Гуля"]]));
    let row = &shown["history"][0];
    assert_eq!((&row["name"], &row["reason"]), (&json!("Смелая 1"), &json!("решение комиссии")));
    assert_eq!(done(&activate("ещё раз"))["changed"], false);
    let (events, inputs) = city.noted();
    assert_eq!(events.iter().filter(|event| *event == "model.activated").count(), 1);
    assert_eq!(inputs.iter().filter(|action| *action == "model").count(), 1, "{inputs:?}");
}

#[test]
fn who_waited_for_an_answer_about_others_is_published_when_another_model_asks_nothing() {
    let city = super::others::born_together(&["Анна", "Алла", "А."]);
    let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
    let published = || -> u32 {
        let sql = "SELECT count(*) FROM publication WHERE kind = 'person' AND form = 'live'";
        db.query_one(sql, [], |row| row.get(0)).expect("counted")
    };
    let listed = done(&city.run(&["review", "list"]));
    assert_eq!(
        (listed["reviews"].as_array().map(Vec::len), published()),
        (Some(1), 1),
        "about the two alone, of whom one came first"
    );
    let path = city.dir.path().join("model.toml").to_str().expect("UTF-8").to_owned();
    done(&city.run(&["model", "show", "--out", &path]));
    let mut text =
        fs::read_to_string(&path).expect("written").replace("name = \"recipients", "name = \"strict");
    for (cut, of) in [("auto", "7.0"), ("one", "2.0"), ("ask", "0.0")] {
        let line = format!("\n{cut} = {of}");
        assert!(text.contains(&line), "{cut}");
        text = text.replace(&line, &format!("\n{cut} = 90.0"));
    }
    let strict = city.file("strict.toml", &text);
    done(&city.run(&["model", "activate", &strict, "--reason", "проба"]));
    assert_eq!((done(&city.run(&["review", "list"]))["reviews"].clone(), published()), (json!([]), 3));
}

#[test]
fn a_model_is_made_of_tables_and_can_be_tried_and_of_the_register() {
    let city = City::new();
    city.with_a_question();
    let table = |name: &str| {
        let row = |n: usize| {
            let surname = ["Абрамова", "Белова", "Волкова", "Гусева", "Ершова"][n % 5];
            let given = ["Анна", "Вера", "Нина", "Софья"][n % 4];
            format!("{name}{n},{surname},{given},Ильинична,{:02}.03.{},ж\n", n % 27 + 1, 1930 + n % 40)
        };
        let rows: String = (0..100).map(row).collect();
        city.file(
            &format!("{name}.csv"),
            "record_id,surname,name,patronymic,birth_date,sex\n".to_owned() + &rows,
        )
    };
    let people = [table("a"), table("b")];
    let path = |name: &str| city.dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let made = done(&run(&[
        "model",
        "train",
        &people[0],
        &people[1],
        "--name",
        "Пробная",
        "--out",
        &path("m.toml"),
        "--format",
        "json",
    ]));
    assert_eq!((&made["model"], &made["records"]), (&json!("Пробная"), &json!(200)));
    assert!(made["same"].as_f64().is_some_and(|same| same >= 80.0), "each stands in both: {made}");
    let view = done(&run(&["model", "show", &path("m.toml"), "--format", "json"]));
    let exact = |view: &Value| view["fields"][0]["levels"][0]["chances"][0].as_f64().expect("a chance");
    let shipped = done(&city.run(&["model", "show"]));
    assert!(exact(&view) > exact(&shipped), "surnames are typed better here than in the shipped model");
    let args = [
        "merge",
        "trial",
        &people[0],
        &people[1],
        "--model",
        &path("m.toml"),
        "--out",
        &path("out.csv"),
        "--format",
        "json",
    ];
    assert_eq!(done(&run(&args))["model"], "Пробная");
    let made = done(&city.run(&["model", "train", "--name", "Своя", "--out", &path("own.toml")]));
    assert_eq!(made["records"], 2);
    let unnamed = run(&["model", "train", "--name", "x", "--out", &path("x.toml"), "--format", "json"]);
    assert_eq!(refused(&unnamed), (2, "config-not-named".into()));
}

/// What is wrong in a model file is told by line, column and key, in the language of who asks, and nothing of the file is printed that
/// a terminal would obey.
#[test]
fn an_unfit_model_file_is_told_by_its_place_and_what_to_do() {
    let dir = tempfile::tempdir().expect("a directory");
    let shipped = svod_hub::decisions::merge::Model::RECIPIENTS;
    let name = shipped.lines().find(|line| line.starts_with("name = ")).expect("named");
    let named = |to: &str| shipped.replacen(name, &format!("name = {to}"), 1);
    let changed = |from: &str, to: &str| {
        assert!(shipped.contains(from), "{from}");
        shipped.replacen(from, to, 1)
    };
    for (text, said) in [
        (changed("format = 1", "format = "), "строка 3, столбец"),
        (changed("\none = ", "\none = \"x\" #"), "ключ cut.one: нужно число без кавычек"),
        (changed("\nblock = ", "\nblok = "), "ключа search.blok нет; известные здесь: block, split, keys"),
        (changed("kind = \"sex\"", "kind = \"sexx\""), "такого значения нет; известные: surname"),
        (shipped.replacen(name, "", 1), "не задан ключ name"),
        (named("\"а\\u001B[31mб\\u000Aв\""), "до 200 знаков в одну строку"),
        (named(&format!("\"{}\"", "я".repeat(100_000))), "до 200 знаков в одну строку"),
        (changed("columns = [\"snils\"", "columns = [\"snils\\u001B\""), "управляющие знаки"),
        (changed("\none = ", &format!("\none = \"{}\" #", "x".repeat(100_000))), "ключ cut.one"),
    ] {
        let path = dir.path().join("model.toml");
        fs::write(&path, text).expect("written");
        for lang in ["ru", "en"] {
            let told = run(&["model", "show", path.to_str().expect("UTF-8"), "--lang", lang]);
            let words = String::from_utf8(told.stderr).expect("UTF-8");
            assert_eq!(told.status.code(), Some(2), "{words}");
            let is_clean = !words.chars().any(|c| c.is_control() && c != '\n');
            assert!(is_clean && words.len() < 3000 && words.contains("recipients.toml"), "{said}: {words:?}");
            assert!(
                lang == "en" || words.contains(said) && !words.contains("TOML parse error"),
                "{said}: {words}"
            );
        }
    }
    let path = dir.path().join("model.toml");
    for (bytes, said) in [(&b"\x7fELF\xff\xfe"[..], "это не текст"), (&b"name = \"\0\""[..], "TOML")]
    {
        fs::write(&path, bytes).expect("written");
        let told = run(&["model", "show", path.to_str().expect("UTF-8"), "--lang", "ru"]);
        let words = String::from_utf8(told.stderr).expect("UTF-8");
        assert!(told.status.code() == Some(2) && words.contains(said), "{words}");
    }
    // nor is one made that could not be read again
    let table = dir.path().join("a.csv");
    fs::write(&table, "id,surname\n1,Белова\n").expect("written");
    let out = dir.path().join("out.toml");
    for name in ["", "а\u{1b}б"] {
        let words = ["model", "train", table.to_str().expect("UTF-8"), "--name", name, "--out"];
        let told = run(&[&words[..], &[out.to_str().expect("UTF-8")]].concat());
        assert_eq!((told.status.code(), out.exists()), (Some(2), false), "{told:?}");
    }
}
