//! `review`: tables of questions, filled in.

use exchange_endpoint::account::acting;
use serde_json::Value;

use super::city::{City, done, key, refused, run};

#[test]
fn a_filled_in_table_is_applied_whole_once_and_in_any_form() {
    for (delimiter, encoding) in [(";", "utf-8"), (",", "utf-8"), (";", "windows-1251")] {
        let city = City::new();
        city.with_a_question();
        assert_eq!(city.persons(), 2);
        let (path, text) = city.review_file("out.csv");
        assert!(text.starts_with("\u{feff}Вопрос;Вид;Почему;Центр 1;Ключ 1;"), "{text}");
        assert!(text.contains(";две записи;родственники или один человек"), "{text}");
        assert!(text.contains("Белова;Белова;Анна;Анна") && text.ends_with(";;\r\n"), "{text}");
        assert_eq!(refused(&city.run(&["review", "list", "--out", &path])), (3, "hub-exists".into()));
        // as it was written, nothing filled in: nothing is decided
        let told = done(&city.run(&["review", "apply", &path]));
        assert_eq!((&told["decided"], &told["left"]), (&0.into(), &1.into()));
        let filled = text.replace(";;\r\n", ";Один;сёстры подтвердили\r\n").replace(';', delimiter);
        let bytes = match encoding {
            "utf-8" => filled.into_bytes(),
            _ => encoding_rs::WINDOWS_1251.encode(filled.trim_start_matches('\u{feff}')).0.into_owned(),
        };
        let filled = city.file("filled.csv", bytes);
        let told = done(&city.run(&["review", "apply", &filled]));
        assert_eq!((&told["decided"], &told["left"]), (&1.into(), &0.into()), "{delimiter} {encoding}");
        let decided = done(&city.run(&["protocol", "show", &told["protocol"].to_string()]));
        let line = &decided["lines"][0];
        assert_eq!((&line["outcome"], &line["words"]), (&"same".into(), &"сёстры подтвердили".into()));
        assert!(line["key"].as_str().is_some_and(|pair| pair.contains(&key(1).to_string())), "{line}");
        assert_eq!((city.persons(), city.uid(1)), (1, city.uid(2)));
        let again = done(&city.run(&["review", "apply", &filled]));
        assert_eq!((&again["unchanged"], &again["protocol"]), (&1.into(), &Value::Null));
        assert_eq!(done(&city.run(&["review", "list"]))["reviews"], serde_json::json!([]));

        let other = city.file("other.csv", "review;decision;reason\n1;разные;ошибка\n");
        let output = city.run(&["review", "apply", &other]);
        assert_eq!(refused(&output), (3, "table-line".into()));
        assert_eq!(done(&city.run(&["review", "apply", &other, "--revise"]))["decided"], 1);
        assert_eq!(city.persons(), 2);
    }
}

#[test]
fn two_who_apply_the_same_table_at_once_decide_once() {
    let city = City::new();
    city.with_a_question();
    let (_, text) = city.review_file("out.csv");
    let filled = city.file("filled.csv", text.replace(";;\r\n", ";один;сёстры подтвердили\r\n"));
    let told = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| done(&city.run(&["review", "apply", &filled]))));
        both.map(|one| one.join().expect("applied"))
    });
    let mut decided = told.map(|one| (one["decided"].as_u64(), one["unchanged"].as_u64()));
    decided.sort_unstable();
    assert_eq!(decided, [(Some(0), Some(1)), (Some(1), Some(0))]);
    assert_eq!(city.noted().0.iter().filter(|event| *event == "review.decided").count(), 1);
}

#[test]
fn every_bad_line_of_a_table_is_told_and_nothing_is_applied() {
    let city = City::new();
    city.with_a_question();
    let table = format!(
        "review;key_1;decision;reason\n1;{};один;да\n1;;разные;да\n7;;один;да\nx;;один;да\n1;;может быть;да\n1;;один;\n1;;принять;да\n;;;\n",
        key(9)
    );
    let path = city.file("bad.csv", table);
    let output = city.run(&["review", "apply", &path, "--lang", "en"]);
    let error: Value = serde_json::from_slice(&output.stderr).expect("JSON");
    let message = error["error"]["message"].as_str().expect("text").to_owned();
    assert_eq!(refused(&output), (3, "table-line".into()));
    let expected = [
        ":2: column key_1: not of this question",
        ":4: column review: there is no such question",
        ":5: column review: not a number",
        ":6: column decision: must be one of",
        ":7: column reason: a reason is required",
        ":8: column decision: of two records",
    ];
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{message}");
    for (line, part) in lines.iter().zip(expected) {
        assert!(line.contains(part), "{line} has no {part}");
    }
    assert_eq!(city.persons(), 2);
    let ragged = city.file("ragged.csv", "review;decision;reason\n1;один\n");
    assert_eq!(refused(&city.run(&["review", "apply", &ragged])), (3, "table-line".into()));
    assert_eq!(refused(&city.run(&["review", "apply", "/none.csv"])), (2, "hub-file".into()));
    assert!(!city.noted().0.contains(&"review.decided".to_owned()));
}

#[test]
fn one_question_is_shown_with_its_evidence_and_answered_by_one_command() {
    let city = City::new();
    city.with_a_question();
    let shown = done(&city.run(&["review", "show", "1"]));
    assert_eq!((&shown["state"], &shown["why"]), (&"open".into(), &"RELATIVES".into()));
    let field = |name: &str| {
        let mut fields = shown["fields"].as_array().expect("fields").iter();
        fields.find(|field| field["field"] == name).cloned().expect("stated")
    };
    let differ = ["surname", "birth_date"].map(|name| field(name)["differs"].as_bool());
    assert_eq!(differ, [Some(false), Some(true)]);
    let evidence = &shown["evidence"];
    let said = |kind: &str| {
        let mut said = evidence["said"].as_array().expect("fields").iter();
        let found = said.find(|said| said["kind"] == kind).expect("both state it");
        (found["level"].as_str().expect("a word").to_owned(), found["bits"].as_f64().expect("a weight"))
    };
    assert!(said("given").0 == "exact" && said("given").1 > 0.0, "{evidence}");
    assert!(said("date").0 == "day_month" && said("date").1 < -3.0, "{evidence}");
    assert_eq!(evidence["against"], "relative");
    let kinds = ["surname", "given", "patronymic", "date", "sex", "source"];
    let sum: f64 = kinds.map(|kind| said(kind).1).iter().sum();
    let (before, bits) = (evidence["before"].as_f64().expect("set"), evidence["bits"].as_f64().expect("set"));
    assert!(bits < sum + before + 0.5 && bits > sum + before - 1.5, "the sum of all: {evidence}");
    for (lang, told) in [("ru", "день и месяц те же, год другой"), ("en", "of another year")]
    {
        let config = city.hub().join("svod-hub.toml");
        let config = config.to_str().expect("UTF-8");
        let output = run(&["review", "show", "1", "--config", config, "--lang", lang]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(told) && text.contains('≠') && !text.contains('{'), "{text}");
        // what was compared, in the form in which it was
        assert!(text.contains(" (БЕЛОВА)\n"), "{text}");
    }
}

#[test]
fn of_two_clerks_one_decides_and_the_other_is_told() {
    let city = City::new();
    city.with_a_question();
    let answer =
        |what: &str, more: &[&str]| city.run(&[&["review", what, "1", "--reason", "сверено"], more].concat());
    assert_eq!(done(&answer("defer", &[]))["deferred"], true);
    for none in ["Ольга", "Иванова Мария", "", "olga nina"] {
        assert_eq!(refused(&answer("assign", &["--to", none])), (2, "review-assignee".into()), "{none}");
    }
    let given = done(&answer("assign", &["--to", "Olga.K-1"]));
    assert_eq!((&given["assigned"], &given["resumed"]), (&"Olga.K-1".into(), &true.into()), "it was put off");
    let given = done(&answer("assign", &["--to", "olga"]));
    assert_eq!((&given["assigned"], &given["resumed"]), (&"olga".into(), &false.into()));
    let listed = done(&city.run(&["review", "list"]))["reviews"][0].clone();
    assert_eq!((&listed["assigned"], &listed["deferred"]), (&"olga".into(), &false.into()));
    assert!(listed["urgency"].as_f64() > Some(0.0));
    // what olga has is none of ours until it is given back
    let ours = || done(&city.run(&["review", "list", "--mine"]))["reviews"].as_array().map(Vec::len);
    assert_eq!(ours(), Some(0));
    done(&answer("assign", &["--to", &acting()]));
    assert_eq!(ours(), Some(1));
    assert_eq!(city.persons(), 2);
    let decided = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| done(&answer("link", &[]))["decided"].as_u64()));
        both.map(|one| one.join().expect("decided"))
    });
    assert_eq!(decided.iter().flatten().sum::<u64>(), 1, "of two at once one decides: {decided:?}");
    assert_eq!((city.persons(), city.uid(1)), (1, city.uid(2)));
    // a colleague who says otherwise is told, and may insist
    let refusal = answer("separate", &["--lang", "en"]);
    assert_eq!(refused(&refusal), (3, "review-decided".into()));
    assert!(String::from_utf8_lossy(&refusal.stderr).contains(&acting()), "by whom");
    let last = done(&city.run(&["review", "show", "1"]))["last"].clone();
    assert_eq!((&last["decision"], &last["reason"]), (&"same".into(), &"сверено".into()));
    assert_eq!(done(&answer("separate", &["--revise"]))["decided"], 1);
    assert_eq!(city.persons(), 2);
    assert_eq!(refused(&city.run(&["review", "link", "9", "--reason", "да"])), (3, "review-unknown".into()));
    assert_eq!(refused(&city.run(&["review", "link", "1", "--reason", " "])), (2, "review-reason".into()));
    let events = city.noted().0;
    let of = |event: &str| events.iter().filter(|one| *one == event).count();
    assert_eq!((of("review.deferred"), of("review.assigned"), of("review.decided")), (1, 3, 2));
}
