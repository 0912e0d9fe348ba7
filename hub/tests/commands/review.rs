//! `review`: tables of questions, filled in.

use serde_json::Value;

use super::city::{City, done, key, refused};

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
