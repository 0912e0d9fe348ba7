//! What operators and scripts are told when something is not done: never what a record says.

use std::fs;

use serde_json::Value;

use super::centre::Centre;

/// A certificate, so that a mailbox over FTPS can be opened.
const CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIUWhR0gLilhR2c7lqZlCQeAKMok2YwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjIwNzAzMzlaGA8yMTI2MTAyOTA3MDMz
OVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFl3
xhNhjTlig8ip911Aji9N+LmR2cG0YJzZ2BKY28GE4xElZZ2upsVPcWwafyeg1KV/
jwflTBU+Dm1D21vPUrCjUzBRMB0GA1UdDgQWBBTpE9+AzyfwJ4iD+8wQwbZUZRPE
TTAfBgNVHSMEGDAWgBTpE9+AzyfwJ4iD+8wQwbZUZRPETTAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIDnm1ZqHpwwe3yoT/NnmFS7X+/gEZI3y2L2z
1C5DAxygAiBjBUxbKe98wKicDeBTq7UMIq7tcPX9ethSxqdzpH5lcw==
-----END CERTIFICATE-----
";

/// The error that a command said as JSON, and what it printed before.
fn error(centre: &Centre, args: &[&str], code: i32) -> (Value, Value) {
    let (out, error) = centre.ends(&[args, &["--format", "json"]].concat(), code);
    let read =
        |text: &str| if text.is_empty() { Value::Null } else { serde_json::from_str(text).expect(text) };
    (read(&out), read(&error)["error"].take())
}

#[test]
fn a_word_that_is_no_name_of_ours_is_told_by_place_and_length() {
    let centre = Centre::with_recipient();
    let file = |name: &str, text: &str| {
        let path = centre.path(name).to_string_lossy().into_owned();
        fs::write(&path, text).expect("written");
        path
    };
    let rows = file("rows.csv", "id;Кузьменкова;Анна\n2;Петров;Иван\n");
    let good = file("good.csv", "id;surname\n2;Петров\n");
    let twice = file("twice.csv", "id;surname;surname\n2;Тайна;Тайна\n");
    for (args, code, words) in [
        (&["import", "recipient", &rows, "--key", "id"][..], 3, "столбец 2 (знаков: 11)"),
        (&["import", "recipient", &good, "--key", "Кузьменкова"], 3, "--key (знаков: 11)"),
        (&["import", "Кузьменкова", &good, "--key", "id"], 3, "с таким именем нет (в нём знаков: 11)"),
        (&["import", "recipient", &good, "Кузьменкова", "--key", "id"], 2, "4-е слово, знаков: 11"),
        (&["import", "recipient", &twice, "--key", "id"], 3, "столбец 3 — снова surname"),
        (&["why", "recipient", "Кузьменкова"], 3, "с таким id (в нём знаков: 11)"),
        (&["why", "Кузьменкова", "r1"], 3, "с таким именем нет (в нём знаков: 11)"),
        (&["why", "recipient", "r1", "Кузьменкова"], 2, "4-е слово, знаков: 11"),
        (&["propose", "recipient", "r1", "Кузьменкова"], 2, "нужно СТОЛБЕЦ=ЗНАЧЕНИЕ"),
        (&["Кузьменкова"], 2, "неизвестная команда (1-е слово, знаков: 11)"),
        (&["status", "--Кузьменкова=Анна"], 2, "2-е слово, знаков: 13"),
        (&["check", "--table", "Кузьменкова"], 3, "знаков: 11"),
    ] {
        let (out, told) = centre.ends(args, code);
        assert!(told.contains(words), "{args:?}: {told}");
        for secret in ["Кузьменкова", "Анна", "Тайна", "Петров"] {
            assert!(!told.contains(secret) && !out.contains(secret), "{args:?}: {told}");
        }
    }
}

#[test]
fn a_wish_for_a_column_that_is_none_does_not_repeat_it() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(super::centre::uid(1), "r1", "Иванова");
    centre.sync();
    let (_, told) = centre.ends(&["propose", "recipient", "r1", "phone=+7", "Кузьменкова=1"], 3);
    assert!(told.contains("№ 2 (в имени знаков: 11)") && !told.contains("Кузьменкова"), "{told}");
    let (_, told) = centre.ends(&["propose", "recipient", "r1", "case_number=1"], 3);
    assert!(told.contains("case_number"), "{told}");
}

#[test]
fn sync_says_on_standard_error_what_it_could_not_do() {
    let centre = Centre::new();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
    let config = centre.path("svod-spoke.toml");
    let sound = fs::read_to_string(&config).expect("read");
    // placing fails, fetching does not
    let (inbox, aside) = (centre.hub.mailbox.join("in"), centre.dir.path().join("aside"));
    fs::rename(&inbox, &aside).expect("moved");
    std::os::unix::fs::symlink("/proc", &inbox).expect("a directory where nobody can make a file");
    let (told, failed) = error(&centre, &["sync"], 4);
    assert_eq!((&failed["code"], &told["unanswered"]), (&"spoke-mailbox".into(), &1.into()), "{failed}");
    assert!(failed["message"].as_str().is_some_and(|text| text.contains("отправка файла")), "{failed}");
    assert!(failed["next"].as_str().is_some_and(|text| !text.is_empty()), "{failed}");
    fs::remove_file(&inbox).expect("removed");
    fs::rename(&aside, &inbox).expect("back");
    // nobody listens at the port of the mailbox
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("free").port();
    fs::write(centre.path("ca.pem"), CA).expect("written");
    fs::write(centre.path("keys/ftps.password"), "long enough\n").expect("written");
    let (before, _) = sound.split_once("[mailbox]").expect("a mailbox");
    let after = sound.split_once("[mailbox]").expect("a mailbox").1;
    let after = after.find("\n[").map_or("", |at| &after[at..]);
    let ftps = format!(
        "[mailbox]\nkind = \"ftps\"\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"x\"\n\
         password_file = \"keys/ftps.password\"\nca_file = \"ca.pem\"\n"
    );
    fs::write(&config, [before, &ftps, after].concat()).expect("written");
    let (told, failed) = error(&centre, &["sync"], 4);
    assert_eq!((&failed["code"], &told["line_is_dead"]), (&"spoke-mailbox".into(), &true.into()), "{failed}");
    let (told, failed) = centre.ends(&["sync"], 4);
    assert!(
        told.contains("Папка обмена недоступна") && failed.starts_with("Ошибка: Папка обмена: "),
        "{told} {failed}"
    );
    fs::write(&config, &sound).expect("back");
    centre.sync();
}

#[test]
fn a_row_whose_parent_is_not_there_is_kept_and_warned_of() {
    let centre = Centre::with_recipient();
    let path = centre.path("contracts.csv").to_string_lossy().into_owned();
    fs::write(&path, "id;recipient_id;number\nk1;r1;1\nk2;NOPE;2\n").expect("written");
    let args = ["import", "contract", &path, "--key", "id"];
    for dry in [true, false] {
        let report = centre.ok(&[&args[..], if dry { &["--dry-run"] } else { &[] }].concat());
        let warned = &report["warned"];
        assert_eq!(warned.as_array().map(Vec::len), Some(1), "{report}");
        let said = serde_json::json!({"line": 3, "column": "recipient_id", "warning": "no-such-row", "table": "recipient"});
        assert_eq!((&warned[0], &report["new"]), (&said, &2.into()));
    }
    let (text, _) = centre.ends(&args, 0);
    assert!(text.contains("contracts.csv:3: столбец «Получатель (id)»") && !text.contains("NOPE"), "{text}");
    assert_eq!(centre.value("SELECT count(*) FROM contract"), "2");
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('NOPE', 'Петров')");
    assert_eq!(centre.ok(&args)["warned"], serde_json::json!([]), "the parent has come");
}

#[test]
fn lines_of_a_parent_that_has_others_are_warned_of() {
    let centre = Centre::with_recipient();
    centre.sql(
        "INSERT INTO programme (id, recipient_id) VALUES ('p', 'r1');
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('a', 'p', '1', 'А'), ('b', 'p', '2', 'Б')",
    );
    let path = centre.path("lines.csv").to_string_lossy().into_owned();
    fs::write(&path, "programme_id;no;name\np;1;А\np;2;Б\nq;1;В\n").expect("written");
    let report = centre.ok(&["import", "programme_line", &path, "--key", "programme_id", "--dry-run"]);
    let warned = serde_json::json!([
        {"line": 2, "column": "no", "warning": "rule", "rule": "no"},
        {"line": 2, "column": "programme_id", "warning": "other-lines", "table": "programme", "n": 2},
        {"line": 4, "column": "programme_id", "warning": "no-such-row", "table": "programme"},
    ]);
    assert_eq!((&report["warned"], &report["new"]), (&warned, &3.into()));
    fs::write(&path, "id;programme_id;no;name\na;p;1;А\nb;p;2;В\n").expect("written");
    let report = centre.ok(&["import", "programme_line", &path, "--key", "id"]);
    assert_eq!((&report["warned"], &report["changed"]), (&serde_json::json!([]), &1.into()));
}

#[test]
fn what_is_wrong_with_a_table_is_said_in_russian() {
    let centre = Centre::new();
    let path = centre.path("a.csv").to_string_lossy().into_owned();
    for (text, words) in [
        ("id;surname\n1;\"Анна\n", "строка 2: значение в кавычках не закончено"),
        ("id;surname\n1;\"Ан\"на\n", "строка 2: после закрывающей кавычки идёт текст"),
        ("id;surname\n1;А\u{1}\n", "управляющий знак в столбце 2"),
        ("id;surname\n1;А;Б\n", "значений 3, а столбцов 2"),
    ] {
        fs::write(&path, text).expect("written");
        let (out, told) = centre.ends(&["import", "recipient", &path, "--key", "id"], 3);
        assert!(told.contains(words) || out.contains(words), "{out} {told}");
    }
    fs::remove_file(&path).expect("removed");
    let (_, told) = error(&centre, &["import", "recipient", &path, "--key", "id"], 2);
    assert_eq!(told["code"], "spoke-csv-unreadable", "somebody must put it right first");
}

#[test]
fn verify_restore_beside_the_daemon_says_what_to_do() {
    let centre = Centre::new();
    let lock = exchange_endpoint::instance::InstanceLock::acquire(&centre.path("centre.db")).expect("taken");
    let (_, told) = error(&centre, &["verify", "--restore"], 5);
    assert_eq!(told["code"], "instance-owned");
    assert!(told["next"].as_str().is_some_and(|next| next.contains("исправляет базу сама")), "{told}");
    let (_, told) = error(&centre, &["sync"], 5);
    assert!(told["next"].as_str().is_some_and(|next| next.contains("Дождитесь")), "{told}");
    centre.ok(&["verify"]);
    drop(lock);
}
