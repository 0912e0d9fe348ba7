//! A database of the version before: whoever opens it brings it up to this one, and nothing that stands in it changes.

use std::{io::Read as _, path::Path, thread};

use flate2::read::GzDecoder;
use rusqlite::Connection;
use svod_spoke::database::{self, shape, write};

use super::{python, sqlite3};

/// A centre of version 13 as `.dump` of Debian's `sqlite3` writes it: two locked rows that its hub has published, four of its own
/// that wait, a trigger of its own.
const FORMER: &[u8] = include_bytes!("former-13.sql.gz");

/// It, in `dir`.
fn former(dir: &Path) -> std::path::PathBuf {
    let (path, mut text) = (dir.join("centre.db"), String::new());
    GzDecoder::new(FORMER).read_to_string(&mut text).expect("unpacked");
    let made = Connection::open(&path).expect("made");
    made.execute_batch(&text).expect("its SQL");
    made.execute_batch("PRAGMA application_id = 0x53564443; PRAGMA journal_mode = WAL").expect("set");
    path
}

/// All rows of all tables but the version, and what is not ours.
fn content(path: &Path) -> String {
    let names =
        sqlite3(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").expect("names");
    let of = |name: &str| format!("SELECT '{name}', * FROM {name} WHERE '{name}' <> 'svod_meta';");
    let tables: String = names.lines().map(of).collect();
    let theirs = "SELECT sql FROM sqlite_master WHERE name = 'theirs'";
    let others = "SELECT * FROM svod_meta WHERE name <> 'tables_version';";
    sqlite3(path, &format!("{tables}{others}{theirs}")).expect("readable")
}

fn one(path: &Path, sql: &str) -> String {
    sqlite3(path, sql).expect(sql).trim().to_owned()
}

#[test]
fn whoever_opens_it_brings_it_up_and_its_rows_stay() {
    for reads_only in [false, true] {
        let dir = tempfile::tempdir().expect("a directory");
        let path = former(dir.path());
        let before = content(&path);
        assert!(before.contains("theirs"), "{before}");
        assert_eq!(one(&path, "SELECT count(*) FROM svod_change"), "3");
        let (opened, identity) =
            if reads_only { database::open_read_only(&path) } else { database::open(&path) }.expect("opens");
        assert_eq!(identity.own.as_str(), "4200018");
        assert_eq!(write::altered_triggers(&opened).expect("read"), []);
        assert_eq!(shape::check(&opened).expect("read"), []);
        assert_eq!(content(&path), before);
        let cookie = one(&path, "PRAGMA schema_version");
        drop(opened);
        drop(database::open(&path).expect("opens again"));
        assert_eq!(one(&path, "PRAGMA schema_version"), cookie, "it is brought up once");
    }
}

#[test]
fn capture_and_locks_go_on_in_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = former(dir.path());
    let client = Connection::open(&path).expect("a program that has it open meanwhile");
    client
        .execute("UPDATE recipient SET phone = '1' WHERE id = 'own'", [])
        .expect("written by the former triggers");
    drop(database::open(&path).expect("opens"));
    client.execute("UPDATE recipient SET surname = 'x' WHERE id = 'r1'", []).expect_err("locked");
    client.execute("INSERT INTO contact (id, recipient_id) VALUES ('c2', 'own')", []).expect("captured");
    let told = python(&path, &["UPDATE programme_line SET name = 'Стирка' WHERE id = 'p1-1'".to_owned()]);
    assert_eq!(told, ["done"]);
    assert_eq!(
        one(&path, "SELECT kind || ' ' || id FROM svod_queue ORDER BY kind, id"),
        "contact c1\ncontact c2\nprogramme p1\nrecipient own"
    );
}

#[test]
fn it_is_brought_up_once_by_whoever_comes_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = former(dir.path());
    let before = content(&path);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| database::open(&path).expect("opens"));
        }
    });
    assert_eq!(write::altered_triggers(&database::open(&path).expect("opens").0).expect("read"), []);
    assert_eq!(content(&path), before);
}
