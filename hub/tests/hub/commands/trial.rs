//! `merge trial`, `merge evaluate`: tables of others, without a hub.

use std::{fs, path::Path, process::Output};

use encoding_rs::WINDOWS_1251;
use serde_json::{Value, json};

use super::city::{done, refused, run};

const ONE: &str = "record_id,surname,name,patronymic,birth_date,sex,snils,passport,address,phone\n\
    a1,Соловьёва,Наталья,Юрьевна,12.03.1945,ж,112-233-446 96,3204 123456,\"ул. Ленина, д. 30, кв. 5\",8 906 123-45-67\n\
    a2,Кротов,Пётр,Олегович,01.02.1950,м,,,,\n";
/// As a Russian Excel writes it, with a heading that only the map explains, one that nobody asked for, and series
/// and number of the passport apart.
const OTHER: &str = "Номер;Фамилия;Имя;Отчество;Дата рождения;Серия паспорта;Номер паспорта;Примечание\r\n\
    b1;СОЛОВЬЕВА;Наталия;Юриевна;1945-03-12;3204;123456;была\r\n\
    b2;Сковородников;Илья;Ильич;05.06.1971;;;\r\n\
    b3;Сковородников;Илья\r\n";

fn file(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = dir.join(name);
    fs::write(&path, bytes).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

fn trial(files: &[&str], dir: &Path, more: &[&str]) -> Output {
    let (out, review) = (dir.join("out.csv"), dir.join("review.csv"));
    let to = ["--out", out.to_str().expect("UTF-8"), "--review", review.to_str().expect("UTF-8")];
    run(&[&["merge", "trial", "--format", "json"], files, &to, more].concat())
}

#[test]
fn tables_of_any_form_are_tried_together() {
    let dir = tempfile::tempdir().expect("a directory");
    let one = file(dir.path(), "one.csv", ONE);
    let other = file(dir.path(), "other.csv", WINDOWS_1251.encode(OTHER).0);
    let map = file(
        dir.path(),
        "map.toml",
        "[columns]\n\"Номер\" = \"record_id\"\n\"Серия паспорта\" = \"identity_doc_series\"\n",
    );
    let page = dir.path().join("page.html");
    let report = ["--report", page.to_str().expect("UTF-8")];
    let output = trial(&[&one, &other], dir.path(), &[&["--columns", &map], &report[..]].concat());
    assert_eq!(output.status.code(), Some(3), "a line of one file is none: {output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let of = |n: usize, what: &str| told["files"][n][what].clone();
    assert_eq!((of(0, "records"), of(1, "records")), (json!(2), json!(2)));
    assert_eq!((of(1, "refused"), of(1, "first_refused")), (json!(1), json!(4)));
    assert_eq!((of(1, "first_rule"), of(0, "first_rule")), (json!("cells"), json!(null)));
    assert_eq!((of(0, "passed_over"), of(1, "passed_over")), (json!([]), json!([8])));
    assert_eq!((&told["records"], &told["persons_auto"], &told["shared"]), (&json!(4), &json!(3), &json!(1)));
    let centre = |n: usize| told["centres"][n].clone();
    assert_eq!(
        (&centre(0)["centre"], &centre(0)["persons"], &centre(0)["shared"]),
        (&json!("one"), &json!(2), &json!(1))
    );
    let snils = json!({"field": "snils", "kind": "snils", "stated": 1, "understood": 1, "wrong": 0});
    assert!(centre(0)["fields"].as_array().is_some_and(|fields| fields.contains(&snils)), "{told}");
    assert_eq!(told["shared_between"], json!([["one", "other", 1]]));
    // for a director: counts, and nobody's name
    let page = fs::read_to_string(page).expect("written");
    for words in [
        "Пробное объединение",
        "<strong>3</strong>людей без сомнений",
        "50 %",
        "Чего этот отчёт не доказывает",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for name in ["Соловь", "СОЛОВЬ", "Кротов", "112-233", "3204"] {
        assert!(!page.contains(name), "{name} in the page");
    }
    let rows = fs::read_to_string(dir.path().join("out.csv")).expect("written");
    let lines: Vec<&str> = rows.lines().collect();
    assert_eq!(lines, ["record_id,cluster_id,auto_cluster_id", "a1,1,1", "a2,2,2", "b1,1,1", "b2,4,4"]);
    let review = fs::read_to_string(dir.path().join("review.csv")).expect("written");
    assert_eq!(review, "record_id_1,record_id_2,score,reason,rival,for,against\n");

    let truth = file(dir.path(), "truth.csv", "record_id,entity_id\na1,7\na2,8\nb1,7\nb2,8\n");
    let out = dir.path().join("out.csv");
    let out = out.to_str().expect("UTF-8");
    let figures = done(&run(&["merge", "evaluate", out, "--truth", &truth, "--format", "json"]));
    assert_eq!((&figures["pairs_true"], &figures["tp"], &figures["fp"]), (&json!(2), &json!(1), &json!(0)));
    assert_eq!(
        (&figures["records_absent_from_pred"], &figures["records_unknown_to_truth"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(figures["candidates"], Value::Null);
    let tables = ["--tables", &one, &other, "--columns", &map];
    let evaluate =
        |more: &[&str]| run(&[&["merge", "evaluate", out, "--truth", &truth], more, &tables].concat());
    let found = done(&evaluate(&["--format", "json"]))["candidates"].clone();
    assert_eq!(
        (&found["pairs_true"], &found["found"], &found["recall"]),
        (&json!(2), &json!(1), &json!(0.5))
    );
    let key = |name: &str| {
        let keys = found["keys"].as_array().expect("keys").clone();
        keys.into_iter().find(|key| key["key"] == name).expect("a key of the shipped model")
    };
    let birth = json!({"key": "surname birth", "pairs": 1, "found": 1, "recall": 0.5, "alone": 0});
    assert_eq!((key("surname birth"), &key("snils")["found"]), (birth, &json!(0)));
    let text = evaluate(&["--lang", "en"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("Of 2 true pairs 1 (50.00 %)") && text.contains("\n  surname birth: 50.00 %"),
        "{text}"
    );
    let wrong = run(&["merge", "evaluate", out, "--truth", &truth, "--model", &one, "--format", "json"]);
    assert_eq!(refused(&wrong), (2, "usage".into()));
    let other = file(dir.path(), "other_truth.csv", "record_id,entity_id\na1,7\nb1,7\nz9,8\n");
    let figures = done(&run(&["merge", "evaluate", out, "--truth", &other, "--format", "json"]));
    assert_eq!((&figures["records"], &figures["records_absent_from_pred"]), (&json!(3), &json!(1)));
    assert_eq!(figures["records_unknown_to_truth"], 2, "a2 and b2");
    let text = run(&["merge", "evaluate", out, "--truth", &other, "--lang", "en"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("only the truth has: 1 ") && text.contains("not judged: 2"), "{text}");
    // what is told of nothing, or twice, is no praise
    let twice = fs::read_to_string(&truth).expect("there").repeat(2);
    for (text, code) in [("record_id,entity_id\nz9,8\n", "evaluate-nothing"), (&*twice, "evaluate-ids")] {
        let wrong = file(dir.path(), "wrong_truth.csv", text);
        let wrong = run(&["merge", "evaluate", out, "--truth", &wrong, "--format", "json"]);
        assert_eq!(refused(&wrong), (3, code.into()));
    }
    let text = run(&["merge", "evaluate", out, "--truth", &truth, "--column", "auto_cluster_id"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("полнота 50.00 %"), "{text:?}");
    let wrong = run(&["merge", "evaluate", out, "--truth", &truth, "--column", "x", "--format", "json"]);
    assert_eq!(refused(&wrong), (3, "trial-no-column".into()));
}

#[test]
fn incomplete_dates_are_read_as_what_they_say() {
    let dir = tempfile::tempdir().expect("a directory");
    let heading = "record_id,surname,name,patronymic,birth_date,sex,phone\n";
    let anna = |id: &str, day: &str| format!("{id},Соловьёва,Анна,Юрьевна,{day},ж,8 906 123-45-67\n");
    let one =
        file(dir.path(), "one.csv", format!("{heading}{}{}", anna("a1", "12.03.1945"), anna("a2", "1971")));
    let other =
        file(dir.path(), "other.csv", format!("{heading}{}{}", anna("b1", "00.03.1945"), anna("b2", "?")));
    let told = done(&trial(&[&one, &other], dir.path(), &[]));
    let birth = |n: usize| {
        let fields = told["centres"][n]["fields"].as_array().expect("fields").clone();
        fields.into_iter().find(|field| field["field"] == "birth").expect("it has")["understood"].clone()
    };
    assert_eq!((birth(0), birth(1)), (json!(2), json!(1)));
    let rows = fs::read_to_string(dir.path().join("out.csv")).expect("written");
    let person = |id: &str| rows.lines().find(|row| row.starts_with(id)).map(|row| row[3..].to_owned());
    assert_eq!(person("a1"), person("b1"));
    assert_ne!(person("a1"), person("a2"));
}

#[test]
fn nobody_is_born_after_the_day_of_the_trial() {
    let dir = tempfile::tempdir().expect("a directory");
    let ahead =
        jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(3)).strftime("%d.%m.%Y").to_string();
    let rows = [("a1", &*ahead), ("a2", "2049"), ("a3", "12.03.1945"), ("a4", "2020")];
    let rows = rows.map(|(id, day)| format!("{id},Соловьёва,Анна,Юрьевна,{day},ж,\n"));
    let table = format!("record_id,surname,name,patronymic,birth_date,sex,phone\n{}", rows.concat());
    let told = done(&trial(&[&file(dir.path(), "one.csv", table)], dir.path(), &[]));
    let fields = told["centres"][0]["fields"].as_array().expect("fields");
    let birth = fields.iter().find(|field| field["field"] == "birth").expect("it has");
    assert_eq!(
        (&birth["stated"], &birth["understood"]),
        (&json!(4), &json!(2)),
        "as others that are not understood"
    );
}

#[test]
fn each_question_of_a_trial_bears_the_evidence_for_and_against() {
    let dir = tempfile::tempdir().expect("a directory");
    let street = format!("ул. {}, д. 5, кв. 7", "Освобождения".repeat(6));
    let heading = "record_id,surname,name,patronymic,birth_date,sex,snils,passport,phone,address\n";
    let table = |id: &str, day: &str, snils: &str| {
        let row =
            format!("{id},Соловьёва,Анна,Юрьевна,{day},ж,{snils},3204 123456,8 906 128-45-67,\"{street}\"\n");
        format!("{heading}{row}")
    };
    let one = file(dir.path(), "one.csv", table("a1", "12.03.1945", "112-233-446 96"));
    let other = file(dir.path(), "other.csv", table("b1", "13.03.1945", "087-654-303 00"));
    for (lang, telephone, number) in [
        ("ru", "Телефон: совпадает (79061284567)", "СНИЛС: разные (11223344696 / 08765430300)"),
        ("en", "telephone: the same (79061284567)", "СНИЛС: different (11223344696 / 08765430300)"),
    ] {
        assert_eq!(done(&trial(&[&one, &other], dir.path(), &["--lang", lang]))["asked"], 1);
        let review = fs::read(dir.path().join("review.csv")).expect("written");
        let mut review = csv::Reader::from_reader(review.as_slice());
        let row = review.records().next().expect("a question").expect("a row");
        let cells: Vec<&str> = row.iter().collect();
        assert_eq!((cells.len(), &cells[..2], cells[3]), (7, &["a1", "b1"][..], "OTHER_SNILS"));
        assert!(["twin", "relative", "stranger"].contains(&cells[4]), "{cells:?}");
        let parts = |cell: usize| cells[cell].split(" | ").collect::<Vec<_>>();
        let (told, against) = (parts(5), parts(6));
        assert!(told.iter().any(|part| part.starts_with(telephone)), "{told:?}");
        assert!(against.iter().any(|part| part.starts_with(number)), "{against:?}");
        let bits = |parts: &[&str]| -> Vec<f64> {
            let last = |part: &&str| part.rsplit(' ').next().and_then(|bits| bits.parse().ok());
            parts.iter().map(|part| last(part).expect("a number")).collect()
        };
        let (plus, minus) = (bits(&told), bits(&against));
        assert!(plus.iter().all(|bits| *bits >= 0.0) && minus.iter().all(|bits| *bits < 0.0), "{cells:?}");
        assert!(plus.is_sorted_by(|x, y| x >= y), "the weightiest first: {plus:?}");
        let (sum, score) =
            (plus.iter().chain(&minus).sum::<f64>(), cells[2].parse::<f64>().expect("a number"));
        assert!(score < sum + 0.6 && score > sum - 1.6, "{score} is not the sum of {cells:?}");
        let all = [told, against].concat();
        assert!(all.iter().any(|part| part.contains('…')), "{all:?}");
        assert!(all.iter().all(|part| part.chars().count() < 200), "{all:?}");
    }
    // what a spreadsheet would run is text there; the table for programs has the id as it is
    let one = file(dir.path(), "one.csv", table("=1+1", "12.03.1945", "112-233-446 96"));
    assert_eq!(done(&trial(&[&one, &other], dir.path(), &[]))["asked"], 1);
    let written = |name: &str| fs::read_to_string(dir.path().join(name)).expect("written");
    assert!(written("review.csv").contains("\n'=1+1,b1,"), "{}", written("review.csv"));
    assert!(written("out.csv").contains("\n=1+1,"), "{}", written("out.csv"));
}

#[test]
fn no_result_takes_the_place_of_a_table() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, out) = (file(dir.path(), "one.csv", ONE), dir.path().join("out.csv"));
    let out = out.to_str().expect("UTF-8");
    for more in [
        ["--out", out, "--report", &one],
        ["--out", &one, "--review", out],
        ["--out", out, "--review", &one],
        ["--out", out, "--review", out],
    ] {
        let output = run(&[&["merge", "trial", "--format", "json", &one], &more[..]].concat());
        assert_eq!(refused(&output), (2, "same-file".into()), "{more:?}");
    }
    assert_eq!(fs::read_to_string(&one).expect("there"), ONE);
    assert!(!dir.path().join("out.csv").exists());
}

#[test]
fn a_whole_name_and_a_whole_document_in_one_column_are_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let one = file(dir.path(), "one.csv", ONE);
    let other = "id;Ф.И.О.;Год рождения;Паспорт\r\nb1;Соловьева Наталия Юрьевна;1945;3204 123456\r\n";
    let other = file(dir.path(), "other.csv", other);
    let told = done(&trial(&[&one, &other], dir.path(), &[]));
    assert_eq!(told["files"][1]["fields"], json!(["surname", "birth", "passport"]));
    assert_eq!((&told["persons_auto"], &told["files"][1]["passed_over"]), (&json!(2), &json!([])));
    // beside a surname a whole name says nothing new
    let both = file(dir.path(), "both.csv", "id;ФИО;Фамилия\r\nc1;Соловьева Наталия;Соловьева\r\n");
    let told = done(&trial(&[&one, &both], dir.path(), &[]));
    assert_eq!(told["files"][1]["passed_over"], json!([2]));
    // whom nobody named is nobody
    let nobody = file(dir.path(), "nobody.csv", "id;Дата рождения\r\nd1;12.03.1945\r\n");
    assert_eq!(refused(&trial(&[&one, &nobody], dir.path(), &[])), (3, "trial-columns".into()));
}

#[test]
fn without_an_id_a_record_is_called_by_file_and_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let one = file(dir.path(), "one.csv", ONE.replace("record_id,", "remark,"));
    assert_eq!(done(&trial(&[&one], dir.path(), &[]))["records"], 2);
    let rows = fs::read_to_string(dir.path().join("out.csv")).expect("written");
    assert!(rows.ends_with("one:2,1,1\none:3,2,2\n"), "{rows}");
}

#[test]
fn tables_that_number_their_records_alike_are_told_apart_by_their_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let table = "id;Фамилия;Имя;Дата рождения\n1;Чащин;Иван;05.06.1940\n";
    let files = ["one.csv", "two.csv"].map(|name| file(dir.path(), name, table));
    assert_eq!(done(&trial(&[&files[0], &files[1]], dir.path(), &[]))["named_by_file"], true);
    let rows = fs::read_to_string(dir.path().join("out.csv")).expect("written");
    assert!(rows.ends_with("one:1,1,1\ntwo:1,1,1\n"), "{rows}");
}

#[test]
fn a_heading_on_every_page_and_a_total_are_nobody() {
    let dir = tempfile::tempdir().expect("a directory");
    let heading = "Фамилия;Имя;Дата рождения";
    let page = format!("{heading}\nЧащин;Иван;05.06.1940\n{heading}\nИтогов;;1950\nИтого: 2;;\n");
    let one = file(dir.path(), "one.csv", page);
    let told = done(&trial(&[&one], dir.path(), &[]));
    assert_eq!((&told["records"], &told["files"][0]["beside"]), (&2.into(), &2.into()), "{told}");
}

#[test]
fn what_cannot_be_tried_is_told_and_nothing_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let one = file(dir.path(), "one.csv", ONE);
    let plain = file(dir.path(), "plain.csv", "x,y\n1,2\n");
    let broken = file(dir.path(), "broken.toml", "format = 1\nname = ");
    let fields = "[[field]]\nname = \"n\"\nkind = \"sex\"\ncolumns = []\n[field.level]\n";
    let unfit = format!(
        "format = 1\nname = \"x\"\n[pairs]\nsame = 1.0\n[cut]\none = 1\nauto = 2\nask = 0\nmost = 8\n[search]\nblock = 60\nsplit = []\nkeys = []\n{fields}"
    );
    let unfit = file(dir.path(), "unfit.toml", unfit);
    for (files, more, exit, code) in [
        (vec![&*plain], vec![], 3, "trial-columns"),
        (vec![&*one, &*one], vec![], 3, "trial-ids"),
        (vec!["/no/such.csv"], vec![], 2, "hub-file"),
        (vec![&*one], vec!["--model", "/no/such.toml"], 2, "hub-file"),
        (vec![&*one], vec!["--model", &*broken], 2, "model"),
        (vec![&*one], vec!["--model", &*unfit], 2, "model"),
    ] {
        assert_eq!(refused(&trial(&files, dir.path(), &more)), (exit, code.to_owned()));
        assert!(!dir.path().join("out.csv").exists());
    }
}
