//! Locks and capture in a centre's database, tried with programs that are not ours: Debian's `sqlite3` and
//! Python's `sqlite3` (exchange §8). What a lock must stand is a matrix: each write, by each
//! program. Longer than 500 lines because the whole matrix stands here.

#[path = "locks/former.rs"]
mod former;
#[path = "locks/lifted.rs"]
mod lifted;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use exchange_format::participant::ParticipantCode;
use rusqlite::Connection;
use svod_spoke::database::{self, DatabaseError, Identity, tables::tables, write};

/// The tables whose rows the hub publishes, with a text column of each.
const PUBLISHED: [(&str, &str); 4] = [
    ("recipient", "surname"),
    ("need_decision", "number"),
    ("programme", "number"),
    ("supplement", "number"),
];
const STATES: [&str; 3] = ["locked", "alias", "withdrawn"];

struct Centre {
    dir: tempfile::TempDir,
}

impl Centre {
    /// A centre with, in each published table, a row of its own called `own` where it may have one, and a
    /// row `<state>` in each locked state, the latter with lines.
    fn new() -> Self {
        let centre = Self { dir: tempfile::tempdir().expect("a directory") };
        let identity = Identity { own: ParticipantCode::new(42, 1), hub: ParticipantCode::new(42, 0) };
        let mut connection = database::create(&centre.path(), identity).expect("created");
        for (table, column) in PUBLISHED.into_iter().filter(|(table, _)| *table != "need_decision") {
            connection
                .execute(&format!("INSERT INTO {table} (id, {column}) VALUES ('own', 'Своя')"), [])
                .expect("an own row");
        }
        write::write::<_, DatabaseError>(&mut connection, write::Scope::Everything, |transaction| {
            for (table, column) in PUBLISHED {
                for state in STATES {
                    transaction.execute_batch(&format!(
                        "INSERT INTO {table} (id, {column}) VALUES ('{state}', 'Чужая');
                         INSERT INTO svod_record (kind, id, key, state) VALUES ('{table}', '{state}', lower(hex(randomblob(16))), '{state}');"
                    ))?;
                    if matches!(table, "programme" | "supplement") {
                        transaction.execute_batch(&format!(
                            "INSERT INTO {table}_line (id, {table}_id, no, name) VALUES ('{state}-1', '{state}', '1', 'Услуга');"
                        ))?;
                    }
                }
            }
            Ok(())
        })
        .expect("locked rows");
        connection
            .execute_batch(
                "INSERT INTO programme_line (id, programme_id, no, name) VALUES ('own-1', 'own', '1', 'Услуга');
                 INSERT INTO supplement_line (id, supplement_id, no, name) VALUES ('own-1', 'own', '1', 'Услуга');",
            )
            .expect("own lines");
        centre
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("centre.db")
    }

    fn open(&self) -> Connection {
        database::open(&self.path()).expect("opens").0
    }

    /// Everything in the domain tables and in `svod_record`, as text.
    fn content(&self) -> String {
        let names: Vec<&str> = tables()
            .iter()
            .flat_map(|table| [Some(table.name), table.lines.as_ref().map(|lines| lines.name)])
            .flatten()
            .chain(["svod_record"])
            .collect();
        let sql =
            names.iter().map(|name| format!("SELECT '{name}', * FROM {name};")).collect::<Vec<_>>().concat();
        sqlite3(&self.path(), &sql).expect("readable")
    }

    fn query(&self, sql: &str) -> String {
        sqlite3(&self.path(), sql).expect(sql).trim().to_owned()
    }
}

/// Runs `sql` with Debian's sqlite3; the error text if it failed.
fn sqlite3(path: &Path, sql: &str) -> Result<String, String> {
    let output = Command::new("/usr/bin/sqlite3")
        .args(["-batch", "-bail"])
        .arg(path)
        .arg(sql)
        .stdin(Stdio::null())
        .output()
        .expect("Debian's sqlite3 is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Runs each of `scripts` with Python's sqlite3, each in its own connection; one result line a script.
fn python(path: &Path, scripts: &[String]) -> Vec<String> {
    const PROGRAM: &str = "
import sqlite3, sys, json
for script in json.load(sys.stdin):
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    try:
        for statement in script.split(';;'):
            connection.execute(statement)
        print('done')
    except sqlite3.Error as error:
        print(type(error).__name__, str(error).replace('\\n', ' '))
    connection.close()
";
    use std::io::Write as _;
    let mut child = Command::new("python3")
        .args(["-c", PROGRAM])
        .arg(path)
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let quoted: Vec<String> =
        scripts.iter().map(|script| format!("{script:?}").replace("\\'", "'")).collect();
    let input = format!("[{}]", quoted.join(","));
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ended");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// What must be refused of row `id` of `table`, each with the command that the refusal must name.
/// Statements of one script are separated by `;;`.
fn attacks(table: &str, column: &str, id: &str) -> Vec<(String, &'static str)> {
    let mut all = vec![
        (format!("UPDATE {table} SET {column} = 'x' WHERE id = '{id}'"), "UPDATE"),
        (format!("UPDATE {table} SET {column} = {column} WHERE id = '{id}'"), "UPDATE"),
        (format!("UPDATE {table} SET {column} = 'x'"), "UPDATE"),
        (format!("UPDATE OR REPLACE {table} SET {column} = 'x' WHERE id = '{id}'"), "UPDATE"),
        (format!("UPDATE OR IGNORE {table} SET {column} = NULL WHERE id = '{id}'"), "UPDATE"),
        (format!("UPDATE {table} SET id = 'moved' WHERE id = '{id}'"), "UPDATE"),
        (format!("DELETE FROM {table} WHERE id = '{id}'"), "DELETE"),
        (format!("DELETE FROM {table}"), "DELETE"),
        (format!("INSERT OR REPLACE INTO {table} (id, {column}) VALUES ('{id}', 'x')"), "INSERT"),
        (format!("REPLACE INTO {table} (id) VALUES ('{id}')"), "INSERT"),
        (
            format!(
                "INSERT INTO {table} (id, {column}) VALUES ('{id}', 'x') ON CONFLICT (id) DO UPDATE SET {column} = 'x'"
            ),
            "INSERT",
        ),
        (format!("PRAGMA recursive_triggers = ON;;REPLACE INTO {table} (id) VALUES ('{id}')"), "INSERT"),
        (format!("PRAGMA foreign_keys = ON;;DELETE FROM {table} WHERE id = '{id}'"), "DELETE"),
        (format!("PRAGMA ignore_check_constraints = ON;;DELETE FROM {table} WHERE id = '{id}'"), "DELETE"),
        (format!("PRAGMA writable_schema = ON;;UPDATE {table} SET id = 'moved' WHERE id = '{id}'"), "UPDATE"),
        (
            format!("CREATE TEMP TABLE svod_record (kind, id, state);;DELETE FROM {table} WHERE id = '{id}'"),
            "DELETE",
        ),
        // A cascade: the statement is on a table of the centre's, the damage would be here.
        (
            format!(
                "CREATE TEMP TABLE mine (id);;CREATE TEMP TRIGGER cascade AFTER INSERT ON mine BEGIN DELETE FROM \
                 {table} WHERE id = NEW.id; END;;INSERT INTO mine VALUES ('{id}')"
            ),
            "DELETE",
        ),
    ];
    if table != "need_decision" {
        all.push((format!("UPDATE OR REPLACE {table} SET id = '{id}' WHERE id = 'own'"), "UPDATE"));
    }
    all
}

/// What must be refused of the lines of row `id` of `table`.
fn line_attacks(table: &str, id: &str) -> Vec<(String, &'static str)> {
    let lines = format!("{table}_line");
    let parent = format!("{table}_id");
    vec![
        (format!("INSERT INTO {lines} (id, {parent}, no, name) VALUES ('new', '{id}', '2', 'x')"), "INSERT"),
        (format!("UPDATE {lines} SET name = 'x' WHERE id = '{id}-1'"), "UPDATE"),
        (format!("UPDATE {lines} SET {parent} = 'own' WHERE id = '{id}-1'"), "UPDATE"),
        (format!("UPDATE {lines} SET {parent} = '{id}' WHERE id = 'own-1'"), "UPDATE"),
        (format!("UPDATE OR REPLACE {lines} SET id = '{id}-1' WHERE id = 'own-1'"), "UPDATE"),
        (format!("UPDATE {lines} SET id = 'moved' WHERE id = '{id}-1'"), "UPDATE"),
        (format!("DELETE FROM {lines} WHERE id = '{id}-1'"), "DELETE"),
        (
            format!("INSERT OR REPLACE INTO {lines} (id, {parent}, no) VALUES ('{id}-1', 'own', '1')"),
            "INSERT",
        ),
        (
            format!(
                "INSERT INTO {lines} (id, {parent}, no) VALUES ('{id}-1', 'own', '1') ON CONFLICT (id) DO UPDATE \
                 SET name = 'x'"
            ),
            "INSERT",
        ),
        (format!("PRAGMA foreign_keys = ON;;UPDATE {table} SET id = 'moved' WHERE id = '{id}'"), "UPDATE"),
    ]
}

/// The whole matrix: (script, table that the refusal names, command that it names, table of the command why).
fn matrix() -> Vec<(String, String, &'static str, &'static str)> {
    let mut all = Vec::new();
    for (table, column) in PUBLISHED {
        for state in STATES {
            for (script, command) in attacks(table, column, state) {
                all.push((script, table.to_owned(), command, table));
            }
            if matches!(table, "programme" | "supplement") {
                for (script, command) in line_attacks(table, state) {
                    let named = if script.starts_with("PRAGMA foreign_keys") {
                        table.to_owned()
                    } else {
                        format!("{table}_line")
                    };
                    all.push((script, named, command, table));
                }
            }
        }
    }
    all
}

fn assert_refusal(told: &str, script: &str, table: &str, command: &str, why: &str) {
    let expected = format!("Таблица {table}, команда {command}: ");
    assert!(told.contains(&expected), "{script}\n  should be refused with {expected:?}, was: {told}");
    assert!(told.contains(&format!("svod-spoke why {why} ID")), "{script}: {told}");
}

#[test]
fn debians_sqlite3_changes_nothing_that_is_locked() {
    let centre = Centre::new();
    let before = centre.content();
    for (script, table, command, why) in matrix() {
        let told = sqlite3(&centre.path(), &script.replace(";;", ";\n")).expect_err(&script);
        assert_refusal(&told, &script, &table, command, why);
    }
    assert_eq!(centre.content(), before);
}

#[test]
fn pythons_sqlite3_changes_nothing_that_is_locked() {
    let centre = Centre::new();
    let before = centre.content();
    let matrix = matrix();
    let scripts: Vec<String> = matrix.iter().map(|(script, ..)| script.clone()).collect();
    let told = python(&centre.path(), &scripts);
    assert_eq!(told.len(), matrix.len());
    for ((script, table, command, why), told) in matrix.iter().zip(told) {
        assert_refusal(&told, script, table, command, why);
    }
    assert_eq!(centre.content(), before);
}

#[test]
fn nobody_opens_a_lock_by_the_tables_of_the_exchange() {
    let centre = Centre::new();
    let before = centre.content();
    let mut scripts = vec![
        "UPDATE svod_record SET state = 'own'".to_owned(),
        "UPDATE svod_record SET state = 'own' WHERE id = 'locked'".into(),
        "UPDATE OR REPLACE svod_record SET id = 'locked' WHERE id = 'own'".into(),
        "UPDATE svod_record SET id = 'other' WHERE id = 'locked'".into(),
        "UPDATE svod_record SET key = 'x' WHERE id = 'own'".into(),
        "UPDATE svod_record SET kind = 'contract' WHERE id = 'locked'".into(),
        "DELETE FROM svod_record".into(),
        "DELETE FROM svod_record WHERE id = 'locked'".into(),
        "DELETE FROM svod_record WHERE id = 'own'".into(),
        "INSERT OR REPLACE INTO svod_record (kind, id, key, state) VALUES ('recipient', 'locked', 'k', 'own')".into(),
        "INSERT INTO svod_record (kind, id, key, state) VALUES ('recipient', 'locked', 'k', 'own') ON CONFLICT DO UPDATE SET state = 'own'".into(),
        "INSERT INTO svod_record (kind, id, key, state) VALUES ('recipient', 'absent', 'k', 'own')".into(),
        "INSERT INTO svod_record (kind, id, key, state) VALUES ('recipient', 'absent', 'k', 'locked')".into(),
        "INSERT INTO svod_change (kind, key) VALUES ('recipient', 'unknown')".into(),
        "DELETE FROM svod_change".into(),
        "UPDATE svod_change SET key = 'x'".into(),
    ];
    for table in database::guards::CLOSED {
        scripts.push(format!("DELETE FROM {table} WHERE 1"));
    }
    let tried = scripts.clone();
    let told = python(&centre.path(), &scripts);
    for (script, told) in tried.iter().zip(told) {
        let harmless = script.contains("DELETE FROM svod_") && told == "done" && !script.contains("record");
        assert!(told.contains("Таблица svod_") || harmless, "{script}: {told}");
    }
    assert_eq!(centre.content(), before);
    assert_eq!(centre.query("SELECT count(*) FROM svod_meta"), "3");
    sqlite3(&centre.path(), "DELETE FROM svod_meta").expect_err("guarded");
}

#[test]
fn no_unique_index_pragma_or_other_database_gets_past_the_guards() {
    let centre = Centre::new();
    let before = centre.content();
    let other = centre.dir.path().join("other.db");
    sqlite3(&other, "CREATE TABLE v (id TEXT, v TEXT); INSERT INTO v VALUES ('locked', 'x')").expect("made");
    let attach = format!("ATTACH '{}' AS other", other.display());
    let columns = "kind, id, key, state";
    // Through each unique index of svod_record: its primary key and (kind, key).
    let by_key = "SELECT kind, 'own', key, 'own' FROM svod_record WHERE kind = 'recipient' AND id = 'locked'";
    let by_id = "SELECT 'recipient', 'locked', 'k', 'own'";
    let mut scripts = Vec::new();
    for source in [by_key, by_id] {
        scripts.push(format!("INSERT OR REPLACE INTO svod_record ({columns}) {source}"));
        scripts.push(format!("REPLACE INTO svod_record ({columns}) {source}"));
        scripts.push(format!(
            "INSERT INTO svod_record ({columns}) {source} ON CONFLICT (kind, key) DO UPDATE SET state = 'own'"
        ));
        scripts.push(format!(
            "INSERT INTO svod_record ({columns}) {source} ON CONFLICT (kind, id) DO UPDATE SET state = 'own'"
        ));
    }
    scripts.extend([
        "UPDATE OR REPLACE svod_record SET key = (SELECT key FROM svod_record WHERE id = 'locked' AND kind = 'recipient') WHERE id = 'own'".to_owned(),
        "UPDATE OR REPLACE svod_record SET id = 'locked' WHERE id = 'own' AND kind = 'recipient'".into(),
        "UPDATE recipient SET surname = x.v FROM (SELECT 'locked' AS id, 'x' AS v) AS x WHERE x.id = recipient.id".into(),
        "UPDATE programme_line SET name = 'x' FROM (SELECT 'locked-1' AS id) AS x WHERE x.id = programme_line.id".into(),
        "UPDATE svod_record SET state = 'own' FROM (SELECT 'locked' AS id) AS x WHERE x.id = svod_record.id".into(),
        "UPDATE recipient_resolved SET resolved_id = 'x'".into(),
        "DELETE FROM recipient_resolved".into(),
        "INSERT INTO recipient_resolved VALUES ('a', 'b')".into(),
        "UPDATE svod_queue SET id = 'locked'".into(),
        "DELETE FROM svod_queue".into(),
        "ALTER TABLE svod_record DROP COLUMN state".into(),
        format!("{attach};;UPDATE recipient SET surname = v.v FROM other.v AS v WHERE v.id = recipient.id"),
        format!("{attach};;INSERT OR REPLACE INTO recipient (id, surname) SELECT id, v FROM other.v"),
        format!("ATTACH '{}' AS main2;;UPDATE main2.recipient SET surname = 'x' WHERE id = 'locked'", centre.path().display()),
    ]);
    let pragmas = [
        "",
        "PRAGMA recursive_triggers = ON;;",
        "PRAGMA foreign_keys = ON;;",
        "PRAGMA recursive_triggers = ON;;PRAGMA foreign_keys = ON;;",
    ];
    let scripts: Vec<String> = pragmas
        .iter()
        .flat_map(|pragma| scripts.iter().map(move |script| format!("{pragma}{script}")))
        .collect();
    for (script, told) in scripts.iter().zip(python(&centre.path(), &scripts)) {
        assert_ne!(told, "done", "{script}");
    }
    for script in &scripts {
        sqlite3(&centre.path(), &script.replace(";;", ";\n")).expect_err(script);
    }
    assert_eq!(centre.content(), before);
}

#[test]
fn own_rows_stay_open_beside_locked_ones() {
    let centre = Centre::new();
    for (table, column) in PUBLISHED.into_iter().filter(|(table, _)| *table != "need_decision") {
        for script in [
            format!("UPDATE {table} SET {column} = 'Новая' WHERE id = 'own'"),
            format!("REPLACE INTO {table} (id, {column}) VALUES ('own', 'Новая')"),
            format!("INSERT INTO {table} (id, {column}) VALUES ('second', 'Новая')"),
            format!("UPDATE {table} SET id = 'third' WHERE id = 'second'"),
            format!("DELETE FROM {table} WHERE id = 'third'"),
        ] {
            sqlite3(&centre.path(), &script).expect(&script);
        }
    }
    sqlite3(&centre.path(), "UPDATE programme_line SET name = 'Другая' WHERE id = 'own-1'")
        .expect("own line");
    sqlite3(&centre.path(), "INSERT INTO contact (id, recipient_id, value) VALUES ('c', 'locked', '+7')")
        .expect("a contact of a locked recipient");
}

#[test]
fn a_column_of_the_centres_own_stays_open_on_a_locked_row() {
    let centre = Centre::new();
    sqlite3(&centre.path(), "ALTER TABLE recipient ADD COLUMN our_note TEXT").expect("added");
    sqlite3(&centre.path(), "UPDATE recipient SET our_note = 'позвонить' WHERE id = 'locked'").expect("open");
    sqlite3(&centre.path(), "UPDATE recipient SET our_note = 'x', surname = 'x' WHERE id = 'locked'")
        .expect_err("locked with it");
}

#[test]
fn the_hubs_columns_and_tables_are_the_hubs() {
    let centre = Centre::new();
    for script in [
        "UPDATE recipient SET uid = 'x' WHERE id = 'own'",
        "UPDATE recipient SET case_number = 'x' WHERE id = 'own'",
        "INSERT INTO recipient (id, surname, uid) VALUES ('new', 'Новая', 'x')",
        "INSERT INTO need_decision (id, number) VALUES ('new', '1')",
    ] {
        let told = sqlite3(&centre.path(), script).expect_err(script);
        assert!(told.contains("координационный центр"), "{script}: {told}");
    }
}

fn key(centre: &Centre, table: &str, id: &str) -> String {
    centre.query(&format!("SELECT key FROM svod_record WHERE kind = '{table}' AND id = '{id}'"))
}

fn is_queued(centre: &Centre, key: &str) -> bool {
    centre.query(&format!("SELECT count(*) FROM svod_change WHERE key = '{key}'")) == "1"
}

/// Empties the queue, as sealing does.
fn sealed(centre: &Centre) {
    write::write::<_, DatabaseError>(&mut centre.open(), write::Scope::Book, |transaction| {
        transaction.execute("DELETE FROM svod_change", [])?;
        Ok(())
    })
    .expect("emptied");
}

#[test]
fn every_programs_changes_are_captured_under_one_key() {
    let centre = Centre::new();
    let first = key(&centre, "recipient", "own");
    assert_eq!(first.len(), 36, "{first}");
    assert!(first.parse::<exchange_format::record::RecordId>().is_ok(), "{first}");
    assert!(is_queued(&centre, &first));
    for script in [
        "UPDATE recipient SET surname = 'А' WHERE id = 'own'",
        "REPLACE INTO recipient (id, surname) VALUES ('own', 'Б')",
        "INSERT INTO recipient (id, surname) VALUES ('own', 'В') ON CONFLICT (id) DO UPDATE SET surname = 'Г'",
        "PRAGMA recursive_triggers = ON;;REPLACE INTO recipient (id, surname) VALUES ('own', 'Д')",
    ] {
        sealed(&centre);
        let told = python(&centre.path(), &[script.to_owned()]);
        assert_eq!(told, ["done"], "{script}");
        assert_eq!(key(&centre, "recipient", "own"), first, "{script}");
        assert!(is_queued(&centre, &first), "{script}");
    }
}

#[test]
fn into_the_queue_comes_nothing_but_own_rows() {
    let centre = Centre::new();
    sealed(&centre);
    let before = centre.content();
    let rows: Vec<String> = STATES
        .into_iter()
        .chain(["nobody"])
        .flat_map(|id| {
            PUBLISHED
                .map(|(table, _)| format!("INSERT OR REPLACE INTO svod_queue VALUES ('{table}', '{id}')"))
        })
        .chain(["INSERT INTO svod_queue VALUES (NULL, x'00')".to_owned()])
        .collect();
    assert!(python(&centre.path(), &rows).iter().all(|told| told == "done"));
    assert_eq!(centre.query("SELECT count(*) FROM svod_change"), "0");
    sqlite3(&centre.path(), "INSERT INTO svod_queue VALUES ('recipient', 'own'), ('recipient', 'own')")
        .expect("asked");
    assert_eq!(centre.query("SELECT kind, id FROM svod_queue"), "recipient|own");
    assert_eq!(centre.content(), before);
}

#[test]
fn a_program_counts_the_rows_that_it_wrote_itself() {
    let centre = Centre::new();
    let contacts =
        "INSERT INTO contact (id, recipient_id) VALUES ('c1', 'own'), ('c2', 'own'), ('c3', 'own')";
    for pragma in ["", "PRAGMA recursive_triggers = ON;"] {
        for (script, count) in [
            (contacts, "3"),
            ("UPDATE contact SET value = '8' WHERE id <> 'c3'", "2"),
            ("REPLACE INTO contact (id, recipient_id) VALUES ('c3', 'own')", "1"),
            ("UPDATE recipient SET id = 'other' WHERE id = 'own'", "1"),
            ("UPDATE recipient SET id = 'own' WHERE id = 'other'", "1"),
            ("DELETE FROM contact", "3"),
        ] {
            let counted = centre.query(&format!("{pragma}{script}; SELECT changes()"));
            assert_eq!(counted, count, "{pragma}{script}");
        }
    }
}

#[test]
fn what_names_a_row_is_queued_when_the_row_gets_another_id_or_goes() {
    let centre = Centre::new();
    let insert = "INSERT INTO contact (id, recipient_id) VALUES ('c', 'own');
        INSERT INTO contract (id, recipient_id) VALUES ('k', 'own'), ('other', 'locked');
        INSERT INTO contact (id, recipient_id) VALUES ('stays', 'locked')";
    sqlite3(&centre.path(), insert).expect("inserted");
    for script in [
        "UPDATE recipient SET id = 'new' WHERE id = 'own'",
        "UPDATE contact SET recipient_id = 'new' WHERE id = 'c'; UPDATE contract SET recipient_id = 'new' WHERE id = 'k'",
        "DELETE FROM recipient WHERE id = 'new'",
    ] {
        sealed(&centre);
        sqlite3(&centre.path(), script).expect(script);
        let queued = centre
            .query("SELECT kind || ' ' || id FROM svod_queue WHERE kind LIKE 'cont%' ORDER BY kind, id");
        assert_eq!(queued, "contact c\ncontract k", "{script}");
    }
}

#[test]
fn a_delete_ends_the_key_and_an_insert_begins_another() {
    let centre = Centre::new();
    let first = key(&centre, "recipient", "own");
    sealed(&centre);
    // A stale trace of an ignored REPLACE must not bring the key back.
    sqlite3(&centre.path(), "INSERT OR IGNORE INTO recipient (id, surname) VALUES ('own', 'Е')")
        .expect("ignored");
    sealed(&centre);
    sqlite3(&centre.path(), "DELETE FROM recipient WHERE id = 'own'").expect("deleted");
    assert_eq!(key(&centre, "recipient", "own"), "");
    assert!(is_queued(&centre, &first));
    sqlite3(&centre.path(), "INSERT INTO recipient (id, surname) VALUES ('own', 'Ж')").expect("inserted");
    let second = key(&centre, "recipient", "own");
    assert_ne!(second, first);
    assert!(is_queued(&centre, &first) && is_queued(&centre, &second));
}

#[test]
fn a_renamed_row_keeps_its_key_and_a_replaced_one_its_place() {
    let centre = Centre::new();
    sqlite3(&centre.path(), "INSERT INTO recipient (id, surname) VALUES ('two', 'Вторая')")
        .expect("inserted");
    let (own, two) = (key(&centre, "recipient", "own"), key(&centre, "recipient", "two"));
    sealed(&centre);
    sqlite3(&centre.path(), "UPDATE recipient SET id = 'renamed' WHERE id = 'own'").expect("renamed");
    assert_eq!(key(&centre, "recipient", "renamed"), own);
    assert!(is_queued(&centre, &own));
    sealed(&centre);
    sqlite3(&centre.path(), "UPDATE OR REPLACE recipient SET id = 'two' WHERE id = 'renamed'")
        .expect("replaced");
    assert_eq!(key(&centre, "recipient", "two"), two);
    assert_eq!(key(&centre, "recipient", "renamed"), "");
    assert!(is_queued(&centre, &own) && is_queued(&centre, &two));
}

#[test]
fn a_lines_change_queues_its_parents() {
    let centre = Centre::new();
    sqlite3(&centre.path(), "INSERT INTO programme (id, number) VALUES ('two', '2')").expect("inserted");
    let (own, two) = (key(&centre, "programme", "own"), key(&centre, "programme", "two"));
    for (script, queued) in [
        ("UPDATE programme_line SET name = 'x' WHERE id = 'own-1'", [true, false]),
        ("INSERT INTO programme_line (id, programme_id, no) VALUES ('two-1', 'two', '1')", [false, true]),
        ("UPDATE programme_line SET programme_id = 'two' WHERE id = 'own-1'", [true, true]),
        ("REPLACE INTO programme_line (id, programme_id, no) VALUES ('two-1', 'own', '1')", [true, true]),
        ("UPDATE OR REPLACE programme_line SET id = 'own-1' WHERE id = 'two-1'", [true, true]),
        ("DELETE FROM programme_line WHERE programme_id = 'own'", [true, false]),
    ] {
        sealed(&centre);
        sqlite3(&centre.path(), script).expect(script);
        assert_eq!([is_queued(&centre, &own), is_queued(&centre, &two)], queued, "{script}");
    }
}

#[test]
fn the_daemons_writes_are_not_captured_and_leave_the_triggers_as_they_were() {
    let centre = Centre::new();
    sqlite3(
        &centre.path(),
        "CREATE TABLE audit (id); CREATE TRIGGER ours AFTER UPDATE ON recipient BEGIN INSERT INTO audit VALUES (NEW.id); END",
    )
    .expect("a trigger of the centre's own");
    sealed(&centre);
    let triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name";
    let before = centre.query(triggers);
    let cookie = centre.query("PRAGMA schema_version");
    write::write::<_, DatabaseError>(&mut centre.open(), write::Scope::Everything, |transaction| {
        transaction.execute("UPDATE recipient SET surname = 'Х' WHERE id IN ('own', 'locked')", [])?;
        Ok(())
    })
    .expect("written");
    assert_eq!(centre.query("SELECT count(*) FROM svod_change"), "0");
    assert_eq!(centre.query("SELECT count(*) FROM audit"), "0");
    assert_eq!(centre.query(triggers), before);
    assert_eq!(write::altered_triggers(&centre.open()).expect("read"), []);
    let failed =
        write::write::<(), DatabaseError>(&mut centre.open(), write::Scope::Everything, |transaction| {
            transaction.execute("DELETE FROM recipient", [])?;
            Err(DatabaseError::Corrupt { table: "recipient", what: "a made-up fault" })
        });
    assert!(failed.is_err());
    assert_eq!(centre.query("SELECT count(*) FROM recipient"), "4");
    assert_eq!(centre.query(triggers), before);
    assert_eq!(centre.query("PRAGMA schema_version"), cookie);
}

#[test]
fn a_dropped_or_edited_trigger_is_seen() {
    let centre = Centre::new();
    sqlite3(&centre.path(), "DROP TRIGGER svod_lock_recipient_delete").expect("nobody can forbid it");
    sqlite3(
        &centre.path(),
        "DROP TRIGGER svod_guard_meta_update; CREATE TRIGGER svod_guard_meta_update BEFORE UPDATE ON svod_meta BEGIN SELECT 1; END",
    )
    .expect("nor that");
    let altered = write::altered_triggers(&centre.open()).expect("read");
    let told: Vec<(&str, bool)> = altered.iter().map(|t| (t.name.as_str(), t.missing)).collect();
    assert_eq!(told, [("svod_guard_meta_update", false), ("svod_lock_recipient_delete", true)]);
}
