//! Files that are missing or another's, directories that cannot be written, a port in use, two daemons.

use std::{fs, net::TcpListener, path::Path};

use rusqlite::Connection;
use svod_tests::world::{Programs, World, programs::Who, toml_edit::set_key};

use super::stage::{DEMO, done, failed, run, wait_for, world};

struct Side {
    who: Who,
    config: std::path::PathBuf,
    db: std::path::PathBuf,
}

fn sides(world: &World) -> [Side; 2] {
    let layout = &world.layout;
    [
        Side { who: Who::Hub, config: layout.hub_config(), db: layout.hub_db() },
        Side { who: Who::Spoke, config: layout.centre_config(1), db: layout.centre_db(1) },
    ]
}

/// Both daemons exchange after all that.
fn all_is_well(world: &World) {
    world.start().expect("started");
    wait_for(
        world,
        &world.layout.hub_db(),
        "SELECT name FROM packet WHERE direction = 'in' AND state = 'APPLIED'",
    );
}

#[test]
fn a_database_that_is_missing_or_not_ours_is_named_and_left_alone() {
    let (_dir, world) = world(1);
    let programs = Programs::find(DEMO);
    for Side { who, config, db } in sides(&world) {
        let name = |hub: &'static str, spoke: &'static str| if who == Who::Hub { hub } else { spoke };
        let aside = db.with_extension("aside");
        fs::rename(&db, &aside).expect("moved");
        let put = |bytes: &[u8]| fs::write(&db, bytes).expect("written");
        for command in ["run", "status"] {
            let message = failed(
                &run(&programs, who, &config, &[command]),
                2,
                name("hub-no-database", "spoke-database-missing"),
            );
            assert!(message.contains(&db.display().to_string()), "{message}");
            assert!(!db.exists(), "none is made in its place");
        }
        let foreign = name("hub-database-foreign", "spoke-database-foreign");
        let text = b"this is a letter, and a long one, so that it is longer than any header of a database. "
            .repeat(20);
        put(&text);
        let message = failed(&run(&programs, who, &config, &["run"]), 2, foreign);
        assert!(message.contains(&db.display().to_string()), "{message}");
        assert_eq!(fs::read(&db).expect("there"), text, "it is left alone");
        fs::remove_file(&db).expect("removed");
        let other = Connection::open(&db).expect("made");
        other.execute_batch("CREATE TABLE person(uid TEXT); PRAGMA user_version = 1").expect("made");
        drop(other);
        let before = fs::read(&db).expect("read");
        failed(&run(&programs, who, &config, &["run"]), 2, foreign);
        assert_eq!(fs::read(&db).expect("there"), before, "another program's database is left alone");
        fs::remove_file(&db).expect("removed");
        fs::rename(&aside, &db).expect("put back");

        let newer = Connection::open(&db).expect("opens");
        let (up, old, down) = match who {
            Who::Hub => {
                let stood: u32 =
                    newer.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a version");
                (
                    "PRAGMA user_version = 999".to_owned(),
                    "PRAGMA user_version = 1".to_owned(),
                    format!("PRAGMA user_version = {stood}"),
                )
            }
            Who::Spoke => {
                let sql = "SELECT value FROM svod_meta WHERE name = 'tables_version'";
                let stood: String = newer.query_row(sql, [], |row| row.get(0)).expect("a version");
                (version_set(&newer, "999"), version_set(&newer, "1"), version_set(&newer, &stood))
            }
        };
        newer.execute_batch(&up).expect("set");
        let message =
            failed(&run(&programs, who, &config, &["run"]), 2, name("hub-newer", "spoke-database-version"));
        assert!(message.contains("999"), "{message}");
        newer.execute_batch(&old).expect("set");
        let output = run(&programs, who, &config, &["status"]);
        failed(&output, 2, name("hub-older", "spoke-database-version"));
        let next = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            next.contains("Верните") || next.contains("верните"),
            "it is not the program that is old: {next}"
        );
        newer.execute_batch(&down).expect("set back");
    }
    // each other's databases
    let [hub, centre] = sides(&world);
    let aside = hub.db.with_extension("aside");
    fs::rename(&hub.db, &aside).expect("moved");
    fs::copy(&centre.db, &hub.db).expect("copied");
    failed(&run(&programs, Who::Hub, &hub.config, &["status"]), 2, "hub-database-foreign");
    fs::rename(&aside, &hub.db).expect("put back");
    all_is_well(&world);
}

/// Sets the version of a centre's tables past the triggers that guard it.
fn version_set(centre: &Connection, version: &str) -> String {
    let mut guards = centre
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'svod_meta'")
        .expect("SQL");
    let guards: Vec<(String, String)> = guards
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .expect("triggers");
    let dropped: Vec<String> = guards.iter().map(|(name, _)| format!("DROP TRIGGER \"{name}\";\n")).collect();
    let made: Vec<String> = guards.iter().map(|(_, sql)| format!("{sql};\n")).collect();
    let (dropped, made) = (dropped.concat(), made.concat());
    format!(
        "BEGIN;\n{dropped}UPDATE svod_meta SET value = '{version}' WHERE name = 'tables_version';\n{made}COMMIT;"
    )
}

#[test]
fn a_directory_that_cannot_be_written_stops_the_start_and_nothing_is_lost() {
    let (_dir, world) = world(1);
    let programs = Programs::find(DEMO);
    for Side { who, config, .. } in sides(&world) {
        let dir = config.parent().expect("a directory").to_owned();
        for folder in ["archive", "quarantine", "protocols", "trust"] {
            let path = dir.join(folder);
            blocked(&path, || {
                let output = run(&programs, who, &config, &["run"]);
                let code = match (folder, who) {
                    ("trust", _) => "trust-file",
                    ("protocols", _) => "protocol-file",
                    (_, Who::Hub) => "hub-file",
                    (_, Who::Spoke) => "spoke-file",
                };
                assert!(failed(&output, 2, code).contains(folder), "{who:?} {folder}");
            });
        }
    }
    let layout = &world.layout;
    blocked(&layout.mailbox(fixtures::places::centre_code(1), "in"), || {
        let config = layout.centre_config(1);
        let message = failed(&run(&programs, Who::Spoke, &config, &["run"]), 2, "spoke-mailbox");
        assert!(message.contains("in"), "{message}");
    });
    set_key(&layout.centre_config(1), "log", "file", "\"no/such/dir/spoke.log\"").expect("set");
    assert!(
        failed(&run(&programs, Who::Spoke, &layout.centre_config(1), &["run"]), 2, "log-file")
            .contains("no/such/dir")
    );
    set_key(&layout.centre_config(1), "log", "file", "\"spoke.log\"").expect("set");
    // a new participant where no directory can be made
    let file = layout.root().join("a-file");
    fs::write(&file, "x").expect("written");
    let inside = file.join("hub");
    let words = [
        "init",
        "--dir",
        inside.to_str().expect("UTF-8"),
        "--code",
        "4200001",
        "--oktmo",
        "32701000",
        "--format",
        "json",
    ];
    let code = fixtures::places::centre_code(5).to_string();
    let words = words.map(|word| if word == "4200001" { code.clone() } else { word.to_owned() });
    assert!(failed(&programs.output(Who::Hub, &words).expect("it ends"), 2, "hub-file").contains("a-file"));
    all_is_well(&world);
}

/// Puts a file in the place of a directory: not even root can write into that.
fn blocked(directory: &Path, during: impl FnOnce()) {
    let aside = directory.with_extension("aside");
    fs::rename(directory, &aside).expect("moved away");
    fs::write(directory, "").expect("a file in its place");
    during();
    fs::remove_file(directory).expect("removed");
    fs::rename(&aside, directory).expect("put back");
}

#[test]
fn files_of_an_ftps_mailbox_that_are_missing_are_named() {
    let (dir, world) = world(1);
    let programs = Programs::find(DEMO);
    let config = world.layout.centre_config(1);
    let file = |name: &str| dir.path().join(name).display().to_string();
    let mailbox = |password: &str, ca: &str| {
        let lines = [
            "kind = \"ftps\"".to_owned(),
            "host = \"127.0.0.1\"".to_owned(),
            "user = \"x\"".to_owned(),
            format!("password_file = {password:?}"),
            format!("ca_file = {ca:?}"),
        ];
        svod_tests::world::toml_edit::set_table(&config, "mailbox", &lines).expect("set");
    };
    fs::write(dir.path().join("password"), "long enough\n").expect("written");
    fs::write(dir.path().join("ca.pem"), "no certificate\n").expect("written");
    for (password, ca, named) in
        [("no-password", "ca.pem", "no-password"), ("password", "no-ca", "no-ca"), ("password", "ca.pem", "")]
    {
        mailbox(&file(password), &file(ca));
        let message = failed(&run(&programs, Who::Spoke, &config, &["run"]), 2, "spoke-mailbox");
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn a_port_in_use_is_named_and_the_hub_starts_when_it_is_free() {
    let (_dir, world) = world(1);
    let programs = Programs::find(DEMO);
    let taken = TcpListener::bind(("127.0.0.1", world.ftps_port)).expect("free until now");
    let message = failed(&run(&programs, Who::Hub, &world.layout.hub_config(), &["run"]), 4, "hub-start");
    assert!(
        message.contains(&world.ftps_port.to_string()) && message.contains("listen в разделе [ftps]"),
        "{message}"
    );
    drop(taken);
    all_is_well(&world);
}

#[test]
fn the_second_daemon_on_a_database_is_told_who_has_it() {
    let (_dir, world) = world(1);
    let programs = Programs::find(DEMO);
    all_is_well(&world);
    for (Side { who, config, db }, name, command) in
        sides(&world).into_iter().zip(["hub", "centre-1"]).flat_map(|(side, name)| {
            let commands: &[&'static str] = if name == "hub" { &["run"] } else { &["run", "sync"] };
            commands.iter().map(move |command| {
                (Side { who: side.who, config: side.config.clone(), db: side.db.clone() }, name, *command)
            })
        })
    {
        let pid = world.daemons.pid(name).expect("it runs").to_string();
        let message = failed(&run(&programs, who, &config, &[command]), 5, "instance-owned");
        assert!(message.contains(&pid) && message.contains(&db.display().to_string()), "{message}");
        done(&run(&programs, who, &config, &["status"]));
    }
    world.daemons.check().expect("the first ones still run");
}

#[test]
fn a_demonstration_in_a_directory_that_is_not_empty_says_only_the_error() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("letter"), "x").expect("written");
    for format in ["json", "text"] {
        let mut demo = std::process::Command::new(DEMO);
        let output = demo.args(["--format", format, "--dir"]).arg(dir.path()).output().expect("ran");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty() && said.contains(&dir.path().display().to_string()), "{said}");
        let lines = if format == "json" { 1 } else { 2 };
        assert_eq!(said.lines().count(), lines, "no step was begun: {said}");
    }
}
