//! An answer about two records of which one is one person with others by now.

use exchange_format::record::{Body, Kind};
use serde_json::{Value, json};

use super::city::{City, centre, done, key, refused, run};

/// One of them.
fn woman(given: &str) -> Body {
    let mut body = Body::new(Kind::RecipientClaim);
    for (field, value) in [
        ("surname", "Двойникова"),
        ("given", given),
        ("patronymic", "Петровна"),
        ("birth_date", "03.04.1950"),
        ("phone", "89111234567"),
    ] {
        body.set(field, value).expect("plain");
    }
    body
}

/// She is known to a centre of her own.
fn bring(city: &City, n: u16, given: &str) {
    done(&city.add(&city.card(n), "long enough"));
    city.receive(n, u8::try_from(n).expect("small"), &woman(given));
}

/// Women of one surname, born on one day, each known to a centre of her own, from the first on.
pub(super) fn born_together(given: &[&str]) -> City {
    let city = City::new();
    for (n, given) in (1..).zip(given) {
        bring(&city, n, given);
    }
    city
}

/// Анна and Алла, and «А.», who may be either; staff have said that «А.» is Анна.
fn twins() -> City {
    let city = born_together(&["Анна", "Алла", "А."]);
    let people = [1, 3].map(|unit| city.uid(unit));
    if people[0] != people[1] {
        let args = ["person", "join", &people[0], &people[1], "--reason", "карта", "--all"];
        assert_eq!(done(&city.run(&args))["decided"], 1);
    }
    assert_eq!((city.persons(), city.uid(1) == city.uid(3)), (2, true));
    city
}

/// The question that is asked of the two persons now, about «А.» and Алла.
fn asked(city: &City) -> Value {
    let listed = done(&city.run(&["review", "list"]));
    let open = listed["reviews"].as_array().expect("questions").clone();
    let keys = [key(2).to_string(), key(3).to_string()];
    let is_asked =
        |one: &&Value| ["one", "other"].iter().all(|side| keys.iter().any(|key| one[side]["key"] == **key));
    open.iter().find(is_asked).unwrap_or_else(|| panic!("{listed}")).clone()
}

fn in_text(city: &City, lang: &str, args: &[&str]) -> String {
    let config = city.hub().join("svod-hub.toml");
    let output = run(&[args, &["--config", config.to_str().expect("UTF-8"), "--lang", lang]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_question_names_all_whom_one_would_join_and_what_speaks_against_that() {
    let city = twins();
    let question = asked(&city);
    let number = question["review"].to_string();
    let shown = done(&city.run(&["review", "show", &number]));
    for told in [&question, &shown] {
        let (side, alone) =
            if told["one"]["key"] == key(3).to_string() { ("one", "other") } else { ("other", "one") };
        let others = told[side]["others"].as_array().expect("others");
        assert_eq!(others.len(), 1, "{told}");
        assert_eq!(
            (&others[0]["key"], &others[0]["values"]["given"]),
            (&key(1).to_string().into(), &"Анна".into())
        );
        assert_eq!(told[alone]["others"], serde_json::json!([]));
        let against = &told["against"];
        let two =
            [1, 2].map(|n| Value::from(format!("{}:{}", centre(n), key(u8::try_from(n).expect("small")))));
        assert_eq!([&against["one"], &against["other"]], [&two[0], &two[1]]);
        assert_eq!(against["barred"], "TWINS");
    }
    for (lang, bar) in [("ru", "близнецы"), ("en", "twins or one person")] {
        let text = in_text(&city, lang, &["review", "show", &number]);
        assert!(
            text.contains("Двойникова Анна Петровна") && text.contains(bar) && !text.contains('{'),
            "{text}"
        );
    }
    let (_, table) = city.review_file("out.csv");
    let heading = table.lines().next().expect("a heading");
    assert!(heading.contains(";Уже вместе с записью 1;Уже вместе с записью 2;Что против;"), "{heading}");
    assert!(table.contains("Двойникова Анна Петровна") && table.contains("близнецы"), "{table}");
}

#[test]
fn one_about_two_records_joins_no_other_two_that_are_never_joined_without_asking_unless_it_says_so() {
    let city = twins();
    let number = asked(&city)["review"].to_string();
    let link = |more: &[&str]| city.run(&[&["review", "link", &number, "--reason", "карта"], more].concat());
    for lang in ["ru", "en"] {
        let refusal = link(&["--lang", lang]);
        assert_eq!(refused(&refusal), (3, "review-barred".into()));
        let told = String::from_utf8_lossy(&refusal.stderr).into_owned();
        assert!([1, 2].iter().all(|n| told.contains(&key(*n).to_string())), "{told}");
        assert!(!told.contains("Двойникова") && told.contains("--all"), "{told}");
    }
    let (path, table) = city.review_file("out.csv");
    let filled = city.file("filled.csv", table.replace(";;\r\n", ";один;карта\r\n"));
    assert_eq!(refused(&city.run(&["review", "apply", &filled])), (3, "table-line".into()), "{path}");
    let (one, other) = (city.uid(1), city.uid(2));
    let join = ["person", "join", &one, &other, "--reason", "карта"];
    assert_eq!(refused(&city.run(&join)), (3, "review-barred".into()));
    assert_eq!(
        (city.persons(), asked(&city)["review"].to_string()),
        (2, number.clone()),
        "nothing has changed"
    );
    let told = done(&link(&["--all"]));
    assert_eq!((&told["decided"], &told["over"][0]["barred"]), (&1.into(), &"TWINS".into()));
    let protocol = done(&city.run(&["protocol", "show", &told["protocol"].to_string()]));
    let rules: Vec<&str> = protocol["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(|line| line["rule"].as_str())
        .collect();
    assert!(rules.contains(&"TWINS"), "{protocol}");
    assert_eq!((city.persons(), city.uid(1)), (1, city.uid(2)));
    // each of the two is answered by now: nothing is asked, and no merge takes them apart
    assert_eq!(done(&city.run(&["review", "list"]))["reviews"], serde_json::json!([]));
    let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
    let sql = "SELECT count(*) FROM staff_decision WHERE decision = 'same' AND key_1 = ?1 AND key_2 = ?2";
    let said: u32 =
        db.query_one(sql, [key(1).to_string(), key(2).to_string()], |row| row.get(0)).expect("counted");
    assert_eq!(said, 1);
}

#[test]
fn two_whom_nobody_has_looked_at_are_joined_over_what_bars_them_only_if_it_is_said() {
    let city = born_together(&["Анна", "Алла"]);
    let (anna, alla) = (city.uid(1), city.uid(2));
    let join =
        |more: &[&str]| city.run(&[&["person", "join", &anna, &alla, "--reason", "карта"], more].concat());
    assert_eq!(refused(&join(&[])), (3, "review-barred".into()));
    assert_eq!(done(&join(&["--all"]))["over"][0]["barred"], "TWINS");
}

/// Which person each record is, and which it was before that one turned out to be another.
fn homes(db: &rusqlite::Connection) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', key, uid, home) FROM person_record ORDER BY 1";
    let mut select = db.prepare(sql).expect("good");
    let found = select.query_map([], |row| row.get(0)).expect("read");
    found.collect::<Result<_, _>>().expect("text")
}

#[test]
fn what_was_joined_over_a_bar_goes_back_to_whose_it_was_when_the_one_answer_is_taken_back() {
    let city = born_together(&["Анна", "Алла", "Анна", "Алла"]);
    let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
    let count = |sql: &str| -> u32 { db.query_one(sql, [], |row| row.get(0)).expect("counted") };
    assert_eq!((city.persons(), city.uid(1)), (2, city.uid(3)), "each is known twice");
    let (anna, alla) = (city.uid(1), city.uid(2));
    for uid in [&anna, &alla] {
        // staff have worked on both: they stand
        done(&city.run(&["person", "set", uid, "phone", "+79111234567", "--reason", "звонок"]));
    }
    let before = homes(&db);
    let join = ["person", "join", &anna, &alla, "--reason", "ошибка", "--all"];
    assert!(done(&city.run(&join))["over"].as_array().is_some_and(|over| over.len() >= 3));
    assert_eq!(city.persons(), 1);
    // the first that was said is the answer, the others are what it said of those who came with the two
    let number = count(
        "SELECT r.n FROM staff_decision s JOIN review r ON r.key_1 = s.key_1 AND r.key_2 = s.key_2 ORDER BY s.n LIMIT 1",
    )
    .to_string();
    done(&city.run(&["review", "separate", &number, "--reason", "назад", "--revise"]));
    assert_eq!(homes(&db), before, "as they were");
    let same = "SELECT count(*) FROM staff_decision WHERE decision = 'same' AND n > 1";
    assert_eq!(count(same), 0, "nobody means it any more");
    // and once more
    done(&city.run(&[&join[..], &["--revise"]].concat()));
    assert_eq!(city.persons(), 1);
    done(&city.run(&["review", "separate", &number, "--reason", "назад", "--revise"]));
    assert_eq!(homes(&db), before);
}

#[test]
fn of_three_joined_one_after_the_other_each_join_goes_back_by_itself_in_any_order() {
    for (order, with_anna) in [([0, 1], 4), ([1, 0], 2)] {
        let city = born_together(&["Анна", "Алла", "Анна", "Инна"]);
        let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
        assert_eq!((city.persons(), city.uid(1)), (3, city.uid(3)), "Анна is known twice");
        for n in [1, 2, 4] {
            done(&city.run(&["person", "set", &city.uid(n), "phone", "+79111234567", "--reason", "звонок"]));
        }
        let before = homes(&db);
        let acts = [([1, 2], "первое"), ([4, 1], "второе")].map(|(two, reason)| {
            let two = two.map(|n| city.uid(n));
            done(&city.run(&["person", "join", &two[0], &two[1], "--reason", reason, "--all"]));
            let sql =
                "SELECT r.n FROM staff_decision s JOIN review r ON r.key_1 = s.key_1 AND r.key_2 = s.key_2
                       WHERE s.reason = ?1 ORDER BY s.n LIMIT 1";
            let n: i64 = db.query_one(sql, [reason], |row| row.get(0)).expect("the answer");
            n.to_string()
        });
        assert_eq!(city.persons(), 1);
        let back = |at: usize| {
            done(&city.run(&["review", "separate", &acts[at], "--reason", "назад", "--revise"]));
        };
        back(order[0]);
        // whom the other answer joined are one, and nobody else; Анна is whole
        let one = [1, 3, with_anna].map(|n| city.uid(n));
        assert!(one.iter().all(|uid| *uid == one[0]), "{one:?}");
        assert_eq!(city.persons(), 2);
        back(order[1]);
        assert_eq!(homes(&db), before, "as they were");
    }
}

#[test]
fn a_merge_tears_nobody_from_whom_staff_have_joined_and_gives_them_nobody_who_is_unlike_one_of_them() {
    let city = born_together(&["Анна", "Алла", "Анна"]);
    let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
    for n in [1, 2] {
        done(&city.run(&["person", "set", &city.uid(n), "phone", "+79111234567", "--reason", "звонок"]));
    }
    let before = homes(&db);
    done(&city.run(&["person", "join", &city.uid(1), &city.uid(2), "--reason", "карта", "--all"]));
    let joined = homes(&db);
    done(&city.run(&["merge"]));
    assert_eq!((homes(&db), city.persons()), (joined, 1));
    // whoever is like to one of the two is not given to one who is both
    bring(&city, 4, "Алла");
    assert_eq!((city.persons(), city.uid(1) == city.uid(4)), (2, false));
    done(&city.run(&["merge"]));
    assert_eq!((city.persons(), city.uid(1) == city.uid(4)), (2, false));
    done(&city.run(&["person", "join", &city.uid(4), &city.uid(2), "--reason", "она", "--all"]));
    assert_eq!(city.persons(), 1);
    let sql = "SELECT r.n FROM staff_decision s JOIN review r ON r.key_1 = s.key_1 AND r.key_2 = s.key_2 ORDER BY s.n LIMIT 1";
    let answer: i64 = db.query_one(sql, [], |row| row.get(0)).expect("the answer");
    done(&city.run(&["review", "separate", &answer.to_string(), "--reason", "назад", "--revise"]));
    let newcomer = key(4).to_string();
    assert_eq!(homes(&db).into_iter().filter(|one| !one.starts_with(&newcomer)).collect::<Vec<_>>(), before);
    assert_eq!((city.uid(4), city.persons()), (city.uid(2), 2));
}

#[test]
fn who_came_to_twins_that_were_one_by_mistake_is_asked_about_when_the_mistake_is_taken_back() {
    for merges in [false, true] {
        let city = born_together(&["Анна", "Алла"]);
        let twins = [1, 2].map(|n| city.uid(n));
        for uid in &twins {
            done(&city.run(&["person", "set", uid, "phone", "+79111234567", "--reason", "звонок"]));
        }
        let listed = done(&city.run(&["review", "list"]));
        let question = listed["reviews"][0]["review"].to_string();
        done(&city.run(&["review", "link", &question, "--reason", "ошибка"]));
        bring(&city, 3, "А.");
        assert_eq!(city.persons(), 1, "whoever she is, she is the one");
        if merges {
            done(&city.run(&["merge"]));
            assert_eq!(city.persons(), 1);
        }
        done(&city.run(&["review", "separate", &question, "--reason", "назад", "--revise"]));
        assert_eq!(([1, 2].map(|n| city.uid(n)), city.persons()), (twins, 3));
        asked(&city);
        done(&city.run(&["merge"]));
        assert_eq!(city.persons(), 3);
        asked(&city);
    }
}

#[test]
fn a_split_parts_nobody_from_who_came_while_the_two_were_one_unless_it_names_her() {
    for with_her in [false, true] {
        let city = born_together(&["Анна", "Алла"]);
        let twins = [1, 2].map(|n| city.uid(n));
        let listed = done(&city.run(&["review", "list"]));
        let question = listed["reviews"][0]["review"].to_string();
        done(&city.run(&["review", "link", &question, "--reason", "ошибка"]));
        bring(&city, 3, "А.");
        bring(&city, 4, "А.");
        assert_eq!(city.persons(), 1);
        let whole = city.uid(1);
        let record = |n: u16| format!("{}:{}", centre(n), key(u8::try_from(n).expect("small")));
        let mut split = vec!["person", "split", &whole];
        let out: Vec<String> = [2, 3, 4].into_iter().take(if with_her { 3 } else { 1 }).map(record).collect();
        split.extend(out.iter().map(String::as_str));
        done(&city.run(&[&split[..], &["--reason", "разные"]].concat()));
        assert_eq!([1, 2].map(|n| city.uid(n)), twins);
        assert_eq!(city.uid(3), city.uid(4), "one as before");
        let open = done(&city.run(&["review", "list"]))["reviews"].as_array().map(Vec::len);
        // named too, she is not asked about with whom the clerk has parted her from
        assert_eq!((city.persons(), open), (3, Some(if with_her { 1 } else { 2 })));
    }
}

#[test]
fn who_may_be_either_of_two_by_a_likeness_that_is_no_link_is_given_to_neither() {
    let city = born_together(&["Анна", "Алла"]);
    // of the centre that has Алла, and so nearer to her
    city.receive(2, 3, &woman(""));
    let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
    let sql = "SELECT group_concat(link, ' ') FROM (SELECT link FROM pair ORDER BY bits DESC)";
    let links: String = db.query_one(sql, [], |row| row.get(0)).expect("weighed");
    assert_eq!((links.as_str(), city.persons()), ("1 0 0", 3));
}

#[test]
fn an_old_table_joins_nobody_whom_its_line_does_not_show() {
    let city = born_together(&["Анна", "Алла"]);
    done(&city.add(&city.card(3), "long enough"));
    let mut body = Body::new(Kind::RecipientClaim);
    for (field, value) in [("surname", "Зуева"), ("given", "Вера"), ("birth_date", "05.06.1938")] {
        body.set(field, value).expect("plain");
    }
    city.receive(3, 3, &body);
    // the question about Анна and Алла, answered
    let answered = |name: &str| {
        let (_, text) = city.review_file(&format!("listed-{name}"));
        let filled = text.replace(";;\r\n", ";один;паспорт\r\n");
        assert!(text.lines().count() == 2 && filled != text, "{text}");
        city.file(name, filled)
    };
    let old = answered("old.csv");
    let people = [1, 3].map(|unit| city.uid(unit));
    done(&city.run(&["person", "join", &people[0], &people[1], "--reason", "вышла замуж", "--all"]));
    let output = city.run(&["review", "apply", &old, "--all", "--lang", "en"]);
    assert_eq!(refused(&output), (3, "table-line".into()));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("column others_") && told.contains("one person with others by now"), "{told}");
    assert_eq!(city.persons(), 2);
    let itself = [people[0].as_str(), &people[0]];
    let output = city.run(&["person", "join", itself[0], itself[1], "--reason", "карта"]);
    assert_eq!(refused(&output), (2, "person-join-self".into()));
    let new = answered("new.csv");
    assert_eq!(done(&city.run(&["review", "apply", &new, "--all"]))["decided"], 1);
    assert_eq!(city.persons(), 1);
    let listed = in_text(&city, "en", &["protocol", "list"]);
    assert!(listed.contains("Decisions of staff") && !listed.contains("Решения"), "{listed}");
}

#[test]
fn another_representative_stands_without_the_decision_about_the_former_and_staff_are_told() {
    let city = City::new();
    done(&city.add(&city.card(1), "long enough"));
    let mut body = woman("Анна");
    for (field, value) in [
        ("representative", "Петров Иван"),
        ("representative_kind", "опекун"),
        ("representative_document", "решение 1"),
    ] {
        body.set(field, value).expect("plain");
    }
    city.receive(1, 1, &body);
    let uid = city.uid(1);
    let set = |value: &str| city.run(&["person", "set", &uid, "representative", value, "--reason", "суд"]);
    let stands = || {
        let shown = done(&city.run(&["person", "show", &uid]));
        let fields = shown["fields"].as_array().expect("fields").clone();
        ["representative", "representative_kind", "representative_document"].map(|name| {
            let field = fields.iter().find(|field| field["field"] == name);
            field.and_then(|field| field["value"].as_str().map(str::to_owned))
        })
    };
    let said = |values: [&str; 3]| values.map(|value| Some(value.to_owned()));
    assert_eq!(
        done(&set("Сидорова Мария"))["emptied"],
        json!(["representative_kind", "representative_document"])
    );
    assert_eq!(stands(), [Some("Сидорова Мария".to_owned()), None, None]);
    assert_eq!(done(&set(""))["emptied"], json!([]));
    assert_eq!(stands(), said(["Петров Иван", "опекун", "решение 1"]));
    // what a file says of the whole stands whole, and the same file again changes nothing
    let row = format!(
        "uid;representative_kind;representative_document;representative\n{uid};опекун;решение 2;Сидорова Мария\n"
    );
    let file = city.file("people.csv", &row);
    let import = || done(&city.run(&["import", "person", &file, "--reason", "суд"]));
    assert_eq!(import()["changed"], 1);
    assert_eq!(stands(), said(["Сидорова Мария", "опекун", "решение 2"]));
    assert_eq!(import()["unchanged"], 1);
}

/// The numbers of all questions.
fn numbers(city: &City) -> Vec<String> {
    let listed = done(&city.run(&["review", "list"]));
    let listed = listed["reviews"].as_array().expect("questions");
    listed.iter().map(|question| question["review"].to_string()).collect()
}

#[test]
fn three_who_were_said_to_be_three_become_one_again_if_it_is_said_of_all() {
    for by_table in [false, true] {
        let city = born_together(&["Анна", "Алла", "Инна"]);
        let asked = numbers(&city);
        assert_eq!((city.persons(), asked.len()), (3, 3));
        let (path, table) = city.review_file("one.csv");
        for n in &asked {
            done(&city.run(&["review", "separate", n, "--reason", "тройня"]));
        }
        let one = |insist: &[&str]| -> Vec<_> {
            if by_table {
                let filled = table.replace(";;\r\n", ";один;карта\r\n");
                std::fs::write(&path, filled).expect("written");
                return vec![city.run(&[&["review", "apply", &*path], insist].concat())];
            }
            let link = |n: &String| city.run(&[&["review", "link", n, "--reason", "карта"], insist].concat());
            asked.iter().map(link).collect()
        };
        let answers = one(&["--revise"]);
        let last = answers.last().expect("an answer");
        assert_eq!(refused(last).1, if by_table { "table-line" } else { "review-contradicts" });
        assert_eq!(city.persons(), if by_table { 3 } else { 2 });
        let revised: Vec<Value> =
            one(&["--revise", "--all"]).iter().map(|answer| done(answer)["revised"].clone()).collect();
        assert_eq!(
            revised.iter().filter(|revised| revised.as_array().is_some_and(|n| n.len() == 1)).count(),
            1,
            "{revised:?}"
        );
        assert_eq!((city.persons(), numbers(&city)), (1, Vec::new()));
    }
}

#[test]
fn two_of_whom_nothing_says_that_they_are_one_are_joined_only_if_it_is_said_of_all() {
    let city = born_together(&["Анна"]);
    done(&city.add(&city.card(2), "long enough"));
    let mut man = Body::new(Kind::RecipientClaim);
    let said = [("surname", "Чащин"), ("given", "Семён"), ("birth_date", "05.06.1938"), ("sex", "м")];
    for (field, value) in said {
        man.set(field, value).expect("plain");
    }
    city.receive(2, 2, &man);
    let people = [1, 2].map(|unit| city.uid(unit));
    let join = |more: &[&str]| {
        city.run(&[&["person", "join", &people[0], &people[1], "--reason", "номер"], more].concat())
    };
    assert_eq!((refused(&join(&[])), city.persons()), ((3, "review-barred".into()), 2));
    done(&join(&["--all"]));
    assert_eq!(city.persons(), 1);
}
