//! Commands and their errors: import, configuration, missing files.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use exchange_format::card::Card;

use super::centre::Centre;

fn import(centre: &Centre, name: &str, bytes: &[u8], args: &[&str]) -> serde_json::Value {
    let path = centre.path(name);
    fs::write(&path, bytes).expect("written");
    let path = path.to_string_lossy().into_owned();
    centre.ok(&[&["import", "recipient", &path], args].concat())
}

#[test]
fn csv_of_each_encoding_and_delimiter_is_read() {
    let centre = Centre::new();
    let rows = "id;surname;given\n1;Ёлкина;Анна\n2;\"Петров; младший\";Иван\n";
    let (windows, ..) = encoding_rs::WINDOWS_1251.encode(rows);
    let variants: [(&str, Vec<u8>); 4] = [
        ("utf8.csv", rows.as_bytes().to_vec()),
        ("bom.csv", ["\u{feff}", &rows.replace('1', "11").replace('2', "12")].concat().into_bytes()),
        ("cp1251.csv", windows.into_owned()),
        ("tabs.csv", "id\tsurname\n31\tТаб\n".as_bytes().to_vec()),
    ];
    let new: Vec<u64> = variants
        .iter()
        .map(|(name, bytes)| {
            import(&centre, name, bytes, &["--key", "id"])["new"].as_u64().expect("a number")
        })
        .collect();
    assert_eq!(new, [2, 2, 0, 1], "the third is the first again, in another encoding");
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = '2'"), "Петров; младший");
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = '11'"), "Ёлкина");
    assert_eq!(centre.value("SELECT count(*) FROM svod_change"), "5");
}

#[test]
fn import_again_updates_and_absence_deletes_nothing() {
    let centre = Centre::new();
    import(&centre, "a.csv", "id,surname,phone\n1,А,+7\n2,Б,\n".as_bytes(), &["--key", "id"]);
    let dry = import(&centre, "b.csv", "id,surname\n2,В\n3,Г\n".as_bytes(), &["--key", "id", "--dry-run"]);
    assert_eq!((dry["new"].as_u64(), dry["changed"].as_u64()), (Some(1), Some(1)));
    assert_eq!(centre.value("SELECT count(*) FROM recipient"), "2");
    import(&centre, "b.csv", "id,surname\n2,В\n3,Г\n".as_bytes(), &["--key", "id"]);
    assert_eq!(centre.value("SELECT group_concat(surname, '') FROM recipient"), "АВГ");
    assert_eq!(centre.value("SELECT phone FROM recipient WHERE id = '1'"), "+7");
}

#[test]
fn other_headings_are_mapped_and_lines_go_by_their_parent() {
    let centre = Centre::new();
    fs::write(centre.path("map.toml"), "[columns]\n\"Фамилия\" = \"surname\"\n\"Пусто\" = \"\"\n")
        .expect("written");
    let map = centre.path("map.toml").to_string_lossy().into_owned();
    let csv = "Номер;Фамилия;Пусто\n7;Иванова;x\n";
    import(&centre, "c.csv", csv.as_bytes(), &["--key", "Номер", "--columns", &map]);
    assert_eq!(centre.value("SELECT id || surname FROM recipient"), "7Иванова");
    centre.sql("INSERT INTO programme (id, recipient_id) VALUES ('p', '7')");
    fs::write(centre.path("l.csv"), "programme_id,no,name\np,1,А\np,2,Б\n").expect("written");
    let lines = centre.path("l.csv").to_string_lossy().into_owned();
    for new in [2, 0] {
        let report = centre.ok(&["import", "programme_line", &lines, "--key", "programme_id"]);
        assert_eq!(report["new"], new);
    }
    assert_eq!(centre.value("SELECT group_concat(name, '') FROM programme_line"), "АБ");
}

#[test]
fn refused_lines_are_told_by_number_and_the_rest_is_taken() {
    let centre = Centre::new();
    let csv = "id,surname\n1,А\n,Б\n1,В\n2,Г,Д\n3,Е\n";
    fs::write(centre.path("a.csv"), csv).expect("written");
    let path = centre.path("a.csv").to_string_lossy().into_owned();
    let (out, _) = centre.ends(&["import", "recipient", &path, "--key", "id", "--format", "json"], 3);
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let lines: Vec<u64> =
        report["refused"].as_array().expect("a list").iter().filter_map(|r| r["line"].as_u64()).collect();
    assert_eq!(lines, [3, 4, 5]);
    assert_eq!(centre.value("SELECT count(*) FROM recipient"), "2");
}

#[test]
fn bad_input_is_told_precisely() {
    let centre = Centre::new();
    fs::write(centre.path("a.csv"), "id,family\n1,А\n").expect("written");
    let path = centre.path("a.csv").to_string_lossy().into_owned();
    let (_, error) = centre.ends(&["import", "recipient", &path, "--key", "id"], 3);
    assert!(error.contains("столбец 2 (знаков: 6)") && error.contains("surname"), "{error}");
    assert!(!error.contains("family"), "{error}");
    let (_, error) = centre.ends(&["status", "--config", "/nonexistent.toml"], 2);
    assert!(error.contains("/nonexistent.toml") || error.contains("config"), "{error}");
}

#[test]
fn each_way_for_a_centre_to_be_broken_has_its_error() {
    let centre = Centre::new();
    let config = centre.path("svod-spoke.toml");
    let good = fs::read_to_string(&config).expect("read");
    let with = |from: &str, to: &str| fs::write(&config, good.replace(from, to)).expect("written");
    with("[exchange]", "[exchange]\nheartbeat = 5");
    let (_, error) = centre.ends(&["sync"], 2);
    assert!(error.contains("svod-spoke.toml:") && error.contains("heartbeat_s"), "{error}");
    let other = exchange_format::participant::ParticipantCode::new(42, 9);
    with(&format!("code = \"{}\"", centre.hub.centre), &format!("code = \"{other}\""));
    let (_, error) = centre.ends(&["sync"], 2);
    assert!(error.contains("code"), "{error}");
    fs::write(&config, &good).expect("written");
    let rename = |from: &str, to: &str| fs::rename(centre.path(from), centre.path(to)).expect("renamed");
    for (file, needle) in [
        ("centre.db", "centre.db"),
        ("keys/watermark", "watermark"),
        ("keys/signing.key", "signing.key"),
        ("trust", "trust"),
    ] {
        rename(file, "aside");
        let (_, error) = centre.ends(&["sync"], 2);
        assert!(error.contains(needle), "{file}: {error}");
        if centre.path(file).exists() {
            let _ = fs::remove_dir_all(centre.path(file));
        }
        rename("aside", file);
    }
    centre.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    rename("centre.db", "aside");
    rusqlite::Connection::open(centre.path("centre.db"))
        .expect("made")
        .execute_batch("CREATE TABLE t (x)")
        .expect("made");
    let (_, error) = centre.ends(&["sync"], 2);
    assert!(error.contains("centre.db"), "{error}");
    fs::write(centre.path("centre.db"), "not a database at all, only some text that is long enough")
        .expect("written");
    let (_, error) = centre.ends(&["status"], 2);
    assert!(error.contains("centre.db"), "{error}");
    rename("aside", "centre.db");
    centre.sync();
    let hub_card = centre.dir.path().join("hub.card");
    let init_by = |hub_card: &Path, dir: &Path, fingerprint: &str| {
        let (code, dir, card) =
            (centre.hub.centre.as_str(), dir.to_string_lossy(), hub_card.to_string_lossy());
        let place =
            ["init", "--code", code, "--dir", &dir, "--hub-card", &card, "--hub-fingerprint", fingerprint];
        centre.ends(&place, 3).1
    };
    let init = |dir: &Path, fingerprint: &str| init_by(&hub_card, dir, fingerprint);
    let own = centre.path(&format!("{}.card", centre.hub.centre));
    let own_print = Card::from_bytes(&fs::read(&own).expect("read")).expect("a card").fingerprint();
    let error = init_by(&own, &centre.dir.path().join("third"), &own_print);
    assert!(error.contains("не координационного центра"), "{error}");
    let error = init(&centre.path(""), "00");
    assert!(error.contains("не совпадает с названным (в нём знаков: 2)"), "{error}");
    // one thing that is in the way keeps everything from being made
    let print = Card::from_bytes(&fs::read(&hub_card).expect("read")).expect("a card").fingerprint();
    let other = centre.dir.path().join("other");
    fs::create_dir_all(other.join("protocols")).expect("made");
    for place in [&other, &centre.path("")] {
        assert!(init(place, &print).contains("уже существует"), "{}", place.display());
    }
    assert_eq!(fs::read_dir(&other).expect("a directory").count(), 1);
}

#[test]
fn protocols_are_listed_shown_and_printable() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(super::centre::uid(1), "r1", "Иванова");
    centre.sync();
    let list = centre.ok(&["protocol", "list"]);
    let kinds: Vec<&str> =
        list["protocols"].as_array().expect("a list").iter().filter_map(|p| p["kind"].as_str()).collect();
    assert_eq!(kinds, ["load", "export"]);
    assert_eq!(centre.ok(&["protocol", "show", "1"])["totals"][0]["kind"], "recipient_claim");
    let (page, _) = centre.ends(&["protocol", "show", "2", "--html"], 0);
    assert!(page.contains("<html") && !page.contains("Иванова"), "a page without personal data");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

/// Everything below `dir`.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("read") {
        let path = entry.expect("read").path();
        if path.is_dir() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}

#[test]
fn a_centre_s_group_works_with_the_database_and_nobody_else_reads_anything() {
    let centre = Centre::with_recipient();
    let log = centre.db();
    log.execute_batch("PRAGMA user_version").expect("its WAL stays while it is open");
    for path in below(&centre.path("")) {
        assert_eq!(mode(&path) & 0o007, 0, "{}", path.display());
    }
    for name in ["centre.db", "centre.db-wal", "centre.db-shm"] {
        assert_eq!(mode(&centre.path(name)), 0o660, "{name}");
    }
    assert_eq!(mode(&centre.path("")), 0o770);
    assert_eq!(mode(&centre.path("keys")), 0o700);
    for path in below(&centre.path("keys")) {
        assert_eq!(mode(&path) & 0o037, 0, "{}", path.display());
    }
}

#[test]
fn status_tells_a_new_centre_and_a_row_that_cannot_be_sent_in_words() {
    let centre = Centre::new();
    let (text, _) = centre.ends(&["status"], 0);
    assert!(text.contains("Строк ещё нет"), "{text}");
    centre.sql("INSERT INTO contract (id, recipient_id, number) VALUES ('k9', 'nobody', '1')");
    let (text, _) = centre.ends(&["why", "contract", "k9"], 0);
    assert!(text.contains("Ещё не отправлялась") && !text.contains('—'), "{text}");
    centre.sync();
    let (text, _) = centre.ends(&["status"], 0);
    assert!(text.contains("Таблица contract, строка k9, поле «Получатель (id)»: "), "{text}");
    assert!(text.contains("Строка не отправляется"), "{text}");
    for raw in ["unsendable", "INVALID", "field", "own ", "names a row"] {
        assert!(!text.contains(raw), "{raw}: {text}");
    }
}

#[test]
fn a_wrong_map_of_columns_is_told_as_the_map_s_fault() {
    let centre = Centre::new();
    let csv = centre.path("a.csv").to_string_lossy().into_owned();
    fs::write(&csv, "Номер;Фамилия\n1;Иванова\n").expect("written");
    let map = centre.path("map.toml").to_string_lossy().into_owned();
    for (text, words) in [
        (
            "[columns]\n\"Фамилия\" = \"surnam\"\n",
            "строка 2: назначен столбец, которого в таблице нет (в имени знаков: 6)",
        ),
        ("[colums]\n", "строка 1, столбец 2: здесь нужно другое имя"),
        (
            "[columns]\n\"Тайна\" = Тайна\n",
            "строка 2, столбец 11: запись не по правилам TOML; подробности для специалиста: ",
        ),
    ] {
        fs::write(&map, text).expect("written");
        let args = ["import", "recipient", &csv, "--key", "Номер", "--columns", &map];
        let (_, error) = centre.ends(&args, 3);
        assert!(error.contains("map.toml") && error.contains(words), "{error}");
        assert!(!error.contains("a.csv") && !error.contains("Тайна"), "{error}");
    }
}

#[test]
fn sync_by_hand_does_not_wait_for_the_next_try() {
    let centre = Centre::new();
    let config = centre.path("svod-spoke.toml");
    let text = fs::read_to_string(&config).expect("read");
    fs::write(&config, text.replace("#: retry_s = 1\n", "retry_s = 900\n")).expect("written");
    let (inbox, aside) = (centre.hub.mailbox.join("in"), centre.dir.path().join("aside"));
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
    fs::rename(&inbox, &aside).expect("moved");
    std::os::unix::fs::symlink("/proc", &inbox).expect("a directory where nobody can make a file");
    let (told, error) = centre.ends(&["sync"], 4);
    assert!(
        told.contains("не полностью") && error.contains("Папка обмена: отправка файла"),
        "{told} {error}"
    );
    let sealed = "SELECT count(*) FROM svod_packet WHERE state = 'SEALED'";
    assert_eq!(centre.value(sealed), "1");
    fs::remove_file(&inbox).expect("removed");
    fs::rename(&aside, &inbox).expect("back");
    centre.sync();
    assert_eq!(centre.value(sealed), "0");
}
