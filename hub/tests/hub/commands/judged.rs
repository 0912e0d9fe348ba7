//! What staff draw up is judged whatever it leaves out, by closed codes and the region's own lists.

use serde_json::{Value, json};

use super::{
    city::{City, done, refused},
    tables::{draw, one},
};

const SUPPLEMENT: &str =
    "id;recipient_id;number;date;model;care_level;weekly_minutes;days_per_week;valid_from;valid_until\n";
const GRID: &str = "supplement_id;no;section;service_code;name;unit_minutes;mon;tue;wed;thu;fri;sat;sun\n";

#[test]
fn what_says_less_does_not_evade_a_rule_and_codes_are_closed() {
    let city = City::new();
    city.with_a_question();
    let uid = city.uid(1);
    let supplement = |said: &str, grid: &str| {
        let lines = city.file("grid.csv", format!("{GRID}{grid}"));
        draw(
            &city,
            "supplement",
            &format!("{SUPPLEMENT}Д;{uid};1;05.03.2026;{said};;\n"),
            &["--lines", &lines],
        )
        .2
    };
    let much = "Д;1;4;01;Приготовление;200;3;3;3;3;3;3;3\nД;2;4;02;Помощь;60;3;3;3;3;3;3;3\n";
    assert_eq!(supplement(";1;;", much), one("weekly_minutes", "S01"), "by the grid's own sum");
    let little = "Д;1;4;01;Приготовление;60;1;;;;;;\n";
    for (said, column, rule) in [
        (";1;60;1", "model", "S09"),
        ("demo-1;;60;1", "care_level", "S09"),
        ("demo-1;1;;1", "weekly_minutes", "S09"),
        ("demo-1;1;60;", "days_per_week", "S09"),
        ("demo-7;1;60;1", "model", "S10"),
        ("demo-1;1;60;1", "service_code", "C06"),
    ] {
        assert_eq!(supplement(said, little), one(column, rule), "{said}");
    }

    let assessment = |model: &str, said: &str| {
        let head = "id;recipient_id;litera;number;year;model;date;level;total;weekly_minutes";
        draw(&city, "assessment", &format!("{head}\nА;{uid};Б;7;2026;{model};03.03.2026;{said}\n"), &[]).2
    };
    assert_eq!(assessment("demo-2", "0;0;10080"), one("weekly_minutes", "C05"));
    assert_eq!(assessment("demo-2", "0;0;"), one("model", "B13"));

    let decision = |date: &str, form: &str| {
        let head = "id;recipient_id;number;date;outcome;form;grounds";
        draw(&city, "need_decision", &format!("{head}\nР;{uid};1;{date};recognised;{form};15.1.1\n"), &[]).2
    };
    assert_eq!(decision("09.03.2099", "home"), one("date", "G01"));
    assert_eq!(decision("05.03.2026", "курорт"), one("form", "form"));
    assert_eq!(decision("05.03.2026", "Полустационарная"), vec![]);

    let person =
        |field: &str, value: &str| draw(&city, "person", &format!("uid;{field}\n{uid};{value}\n"), &[]);
    for (field, unknown, known) in [
        ("capacity", "абракадабра", "Ограничена в дееспособности"),
        ("status", "живёт", "на обслуживании"),
        ("disability_group", "77", "II группа"),
    ] {
        assert_eq!(person(field, unknown).2, one(field, "type"));
        assert_eq!(person(field, known), (Some(0), [0, 1, 0], vec![]), "{known}");
    }
    let shown = done(&city.run(&["person", "show", &uid]));
    let fields = shown["fields"].as_array().expect("fields").iter();
    let coded = ["capacity", "disability_group", "status"];
    let mut values: Vec<&Value> = fields
        .filter(|one| coded.iter().any(|code| one["field"] == *code))
        .map(|one| &one["value"])
        .collect();
    values.sort_by_key(ToString::to_string);
    assert_eq!(values, [&json!("2"), &json!("active"), &json!("ограничен")]);
}

#[test]
fn a_supplement_is_judged_by_the_regions_own_list() {
    let city = City::new();
    city.with_a_question();
    let uid = city.uid(1);
    let config = city.hub().join("svod-hub.toml");
    let list = "model = \"kuz-1\"\nofficial = true\nnote = \"\"\n\
        [[service]]\ncode = \"1\"\nname = \"Кормление\"\nminutes = 20\naction = \"feed\"\n\
        [[service]]\ncode = \"2\"\nname = \"Бритьё\"\nminutes = 20\naction = \"shave\"\n";
    std::fs::write(city.hub().join("care.toml"), list).expect("written");
    let rows = |model: &str| format!("{SUPPLEMENT}Д;{uid};1;05.03.2026;{model};1;20;1;;\n");
    let grid = "Д;1;4.2;;Посещение;;1;;;;;;\nД;2;4;1;Кормление;20;1;;;;;;\n";
    let lines = city.file("grid.csv", format!("{GRID}{grid}Д;3;6;2;Бритьё;;;;;;;;\n"));
    let whole = ["--lines", &lines];
    assert_eq!(draw(&city, "supplement", &rows("kuz-1"), &whole).2, one("model", "S10"));
    let text = std::fs::read_to_string(&config).expect("read");
    std::fs::write(&config, text.replace("#: care = []", "care = [\"care.toml\"]")).expect("written");
    assert_eq!(draw(&city, "supplement", &rows("demo-1"), &whole).2, one("model", "S10"), "a demonstration");
    let short = city.file("short.csv", format!("{GRID}{grid}"));
    assert_eq!(
        draw(&city, "supplement", &rows("kuz-1"), &["--lines", &short]).2,
        one("service_code", "C06"),
        "by the region's list"
    );
    assert_eq!(draw(&city, "supplement", &rows("kuz-1"), &whole), (Some(0), [1, 0, 0], vec![]));
    std::fs::write(city.hub().join("care.toml"), list.replace("code = \"2\"", "code = \"1\""))
        .expect("written");
    let output = city.run(&["check"]);
    assert_eq!(refused(&output), (2, "config-value".into()));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("care.toml") && told.contains("service[2].code"), "{told}");
}
