//! A database of which the disk has lost a page, and a watermark that is damaged: told in `status` with the step, and the step
//! helps (docs/OPERATING.md, section 8).

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    process::Stdio,
};

use serde_json::Value;

use super::{
    told::{code_of, refused, status},
    *,
};
use svod_tests::world::programs::Who;

/// The middle leaf of `table` in the database `db` is lost.
fn lose_page(db: &Path, table: &str) {
    write(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    let sql = "SELECT pgoffset, pgsize FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY pageno";
    let place = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, usize>(1)?));
    let leaves = Reader::open(db).expect("opens").all(sql, [table], place).expect("read");
    let (at, size) = leaves[leaves.len() / 2];
    let mut file = OpenOptions::new().write(true).open(db).expect("opened");
    file.seek(SeekFrom::Start(at)).expect("there");
    file.write_all(&vec![0; size]).expect("lost");
}

/// What `status` prints though it ends with 1.
fn damaged(world: &World, who: Who) -> Value {
    let (exit, said) = refused(world, who, &["status"]);
    assert_eq!(exit, Some(1), "{said}");
    serde_json::from_str(&said).expect("JSON alone")
}

fn unreadable(status: &Value) -> Vec<&str> {
    status["unreadable"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_lost_page_is_told_by_what_is_left_and_the_step_helps() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let copies = [Who::Hub, Who::Spoke].map(|who| {
        let copy = dir.path().join(format!("{who:?}.copy"));
        let (exit, said) = refused(&world, who, &["backup", copy.to_str().expect("UTF-8")]);
        assert_eq!(exit, Some(0), "{said}");
        (who, copy)
    });
    world.daemons.stop_all().expect("stopped");
    let dbs = [(Who::Hub, world.layout.hub_db()), (Who::Spoke, world.layout.centre_db(1))];
    for ((who, db), tables) in dbs.iter().zip([["publication", "incident"], ["svod_sent", "svod_incident"]]) {
        let sound = status(&world, *who);
        assert_eq!((&sound["service"]["damaged"], unreadable(&sound)), (&Value::Null, vec![]), "{sound}");
        for table in tables {
            lose_page(db, table);
        }
    }

    // nobody has met it yet but `status` itself, which tells the rest
    let told = damaged(&world, Who::Hub);
    assert_eq!(unreadable(&told), ["centres", "closed_incidents", "incidents", "overdue"], "{told}");
    let centre = &told["centres"][0];
    assert!(centre["last_in"]["name"].is_string() && told["persons"].as_u64() > Some(0), "{told}");
    let told = damaged(&world, Who::Spoke);
    assert_eq!(unreadable(&told), ["closed_incidents", "differences", "incidents", "overdue"], "{told}");
    assert!(told["rows"].as_object().is_some_and(|rows| !rows.is_empty()), "{told}");
    for (who, code) in [(Who::Hub, "hub-database-damaged"), (Who::Spoke, "spoke-database-damaged")] {
        let lang = ["status", "--lang", "en", "--format", "text"];
        let config = if who == Who::Hub { world.layout.hub_config() } else { world.layout.centre_config(1) };
        let args: Vec<_> = lang.iter().map(std::ffi::OsStr::new).collect();
        let args = [&args[..], &["--config".as_ref(), config.as_os_str()]].concat();
        let text = world.programs.output(who, &args).expect("runs").stdout;
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(text.contains("restore FILE --replace") && text.contains("is damaged"), "{text}");
        let (exit, said) = refused(&world, who, &["incident", "close", "1"]);
        assert_eq!((exit, code_of(&said)), (Some(3), code.to_owned()), "{said}");
        let copy = dir.path().join("of-the-damaged");
        let (exit, said) = refused(&world, who, &["backup", copy.to_str().expect("UTF-8")]);
        assert_eq!((exit, code_of(&said)), (Some(3), "backup-damaged".to_owned()), "{said}");
    }

    // the hub's daemon goes on, the centre's may end; both have told it outside of the database
    world.start_hub().expect("started");
    let found = until("what the daemon says", PATIENCE, || -> Result<Look<Value>, WorldError> {
        let told = damaged(&world, Who::Hub)["service"].clone();
        Ok(if told["damaged"].is_null() { Look::NotYet(told.to_string()) } else { Look::Reached(told) })
    });
    let found = found.expect("found");
    assert_eq!(found["damaged"]["code"], "hub-database-damaged", "{found}");
    assert_eq!(refused(&world, Who::Spoke, &["run"]).0, Some(3));
    let found = damaged(&world, Who::Spoke)["service"].clone();
    assert_eq!(found["damaged"]["code"], "spoke-database-damaged", "{found}");
    world.daemons.kill("hub");
    assert_eq!(damaged(&world, Who::Hub)["service"]["damaged"]["code"], "hub-database-damaged", "it is kept");
    let log = fs::read_to_string(world.layout.hub().join("hub.log")).expect("read");
    let lines = log.lines().filter(|line| line.contains("file of the database is damaged")).count();
    let malformed = log.lines().filter(|line| line.contains("malformed") && !line.contains("Next:")).count();
    assert!((1..=3).contains(&lines) && malformed == 0, "{lines} {malformed}: {log}");

    for (who, copy) in &copies {
        let (exit, said) = refused(&world, *who, &["restore", "--replace", copy.to_str().expect("UTF-8")]);
        assert_eq!(exit, Some(0), "{said}");
        assert_eq!(status(&world, *who)["service"]["damaged"], Value::Null, "it is another file");
    }
    world.start().expect("started");
    wait_for(&world, "both daemons", || {
        let runs = |who| status(&world, who)["service"]["running"] == true;
        (runs(Who::Hub) && runs(Who::Spoke)).then_some(())
    });
    world.daemons.stop_all().expect("stopped");

    // nothing of it is left: the first page
    for (who, db) in &dbs {
        // whatever the log has is folded in
        write(db, "PRAGMA wal_checkpoint(TRUNCATE)");
        let mut file = OpenOptions::new().write(true).open(db).expect("opened");
        file.write_all(&[0; 4096]).expect("lost");
        let told = damaged(&world, *who);
        assert_eq!(unreadable(&told), ["database"], "{told}");
        let (exit, said) = refused(&world, *who, &["run"]);
        assert_eq!(exit, Some(3), "{said}");
        assert!(code_of(&said).ends_with("-database-damaged"), "{said}");
    }
}

/// So many pages of each database are lost, one at a time.
const PAGES: usize = 40;
/// With each so-manieth of them the daemon is started, too.
const STARTED: usize = 8;

/// What is said of the people of a centre: nothing of it may be told.
fn secrets(db: &Path) -> Vec<String> {
    let all = "SELECT surname FROM recipient UNION SELECT given FROM recipient UNION SELECT patronymic FROM recipient \
               UNION SELECT snils FROM recipient UNION SELECT phone FROM recipient UNION SELECT value FROM contact";
    let all = Reader::open(db).expect("opens").all(all, [], |row| row.get::<_, Option<String>>(0));
    all.expect("read").into_iter().flatten().filter(|text| text.chars().count() > 3).collect()
}

fn tells_nothing_of_people(secrets: &[String], told: &str, whose: &str) {
    let found = secrets.iter().position(|secret| told.contains(secret.as_str()));
    assert_eq!(found, None, "{whose}: it tells of a person");
}

/// As a daemon that is started over the damaged file tells it: at work, or by its end.
fn told_by_daemon(world: &World, who: Who, page: usize) -> Value {
    let config = if who == Who::Hub { world.layout.hub_config() } else { world.layout.centre_config(1) };
    let mut run = world.programs.command(who);
    run.args(["run", "--config"]).arg(config).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = run.spawn().expect("started");
    let told = until("what the daemon says", PATIENCE, || -> Result<Look<Value>, WorldError> {
        let ended = child.try_wait().expect("asked");
        if let Some(ended) = ended {
            assert!(matches!(ended.code(), Some(1..=5)), "{who:?} page {page}: {ended}");
        }
        let (_, said) = refused(world, who, &["status"]);
        let told: Value =
            said.lines().next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        let told = if told.is_null() { serde_json::from_str(&said).unwrap_or_default() } else { told };
        let service = &told["service"];
        let is_told = !service["damaged"].is_null() || (ended.is_some() && !service["hindered"].is_null());
        Ok(if is_told { Look::Reached(told) } else { Look::NotYet(format!("page {page}: {said}")) })
    });
    let _ = child.kill();
    child.wait().expect("reaped");
    told.expect("told")
}

#[test]
fn whichever_page_is_lost_it_is_told_and_nothing_of_a_person_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    world.daemons.stop_all().expect("stopped");
    let secrets = secrets(&world.layout.centre_db(1));
    assert!(secrets.len() > 20, "{}", secrets.len());
    let dbs =
        [(Who::Hub, world.layout.hub_db(), "hub.log"), (Who::Spoke, world.layout.centre_db(1), "spoke.log")];
    for (who, db, log) in dbs {
        write(&db, "PRAGMA wal_checkpoint(TRUNCATE)");
        let (size, of_trees) = {
            let reader = Reader::open(&db).expect("opens");
            let size: Option<usize> = reader.one("PRAGMA page_size", [], |row| row.get(0)).expect("read");
            let place = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
            let pages = reader.all("SELECT pageno, name, pagetype FROM dbstat", [], place).expect("read");
            (size.expect("a size"), pages.into_iter().collect::<BTreeMap<usize, (String, String)>>())
        };
        let before = fs::read(&db).expect("read");
        let pages = before.len() / size;
        for (n, page) in (1..=pages).step_by(pages.div_ceil(PAGES)).enumerate() {
            for suffix in ["-wal", "-shm", ".lock"] {
                let _ = fs::remove_file(format!("{}{suffix}", db.display()));
            }
            let mut damaged = before.clone();
            damaged[(page - 1) * size..page * size].fill(0);
            fs::write(&db, damaged).expect("lost");
            let whose = format!("{who:?} page {page} of {pages}");
            let look = |args: &[&str], exits: &[i32]| {
                let (exit, said) = refused(&world, who, args);
                assert!(exit.is_some_and(|exit| exits.contains(&exit)), "{whose} {args:?}: {exit:?} {said}");
                assert!(!said.contains("panicked"), "{whose} {args:?}: {said}");
                tells_nothing_of_people(&secrets, &said, &whose);
                (exit, said)
            };
            let (exit, said) = look(&["status"], &[0, 1]);
            let told: Value =
                serde_json::from_str(&said).unwrap_or_else(|_| panic!("{whose}: no JSON alone: {said}"));
            assert_eq!(exit == Some(0), unreadable(&told).is_empty(), "{whose}: {said}");
            let (verified, _) = look(if who == Who::Hub { &["check"] } else { &["verify"] }, &[0, 1, 3]);
            let copy = dir.path().join("copy");
            match of_trees.get(&page) {
                // SQLite keeps no sum of what goes over the line; a centre has the hub's signature and what it sent
                Some((table, kind)) if kind == "overflow" => {
                    assert!(who == Who::Hub || verified == Some(1), "{whose} of {table}: {verified:?}");
                }
                Some((table, _)) => {
                    let (_, said) = look(&["backup", copy.to_str().expect("UTF-8")], &[3]);
                    assert!(code_of(&said).ends_with("-damaged"), "{whose} of {table}: {said}");
                    if n % STARTED == 0 {
                        let told = told_by_daemon(&world, who, page);
                        tells_nothing_of_people(&secrets, &told.to_string(), &whose);
                    }
                }
                // nothing stands on it
                None => {}
            }
        }
        let home = db.parent().expect("a directory");
        let told = fs::read_to_string(home.join(log)).expect("read");
        assert!(!told.contains("panicked"), "{who:?}");
        tells_nothing_of_people(&secrets, &told, log);
    }
}

#[test]
fn a_damaged_watermark_is_put_aside_by_the_step_that_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    world.daemons.stop_all().expect("stopped");
    for (who, home) in [(Who::Hub, world.layout.hub()), (Who::Spoke, world.layout.centre(1))] {
        let watermark = home.join("keys/watermark");
        let whole = fs::read(&watermark).expect("read");
        for (n, cut) in [0, 40].into_iter().enumerate() {
            fs::write(&watermark, &whole[..cut]).expect("written");
            let (exit, said) = refused(&world, who, &["run"]);
            assert_eq!((exit, code_of(&said)), (Some(3), "watermark-damaged".to_owned()), "{said}");
            let copy = dir.path().join(format!("{who:?}-{n}"));
            let copy = copy.to_str().expect("UTF-8");
            let (exit, said) = refused(&world, who, &["backup", copy]);
            assert_eq!(exit, Some(0), "{said}");
            let (exit, said) = refused(&world, who, &["restore", "--replace", copy]);
            assert_eq!(exit, Some(0), "{said}");
            let told: Value = serde_json::from_str(&said).expect("JSON");
            assert_eq!(told["stopped"], true, "{told}");
            let aside = told["watermark_before"].as_str().expect("a name");
            assert_eq!(fs::read(aside).expect("kept"), whole[..cut]);
        }
    }
    world.start().expect("started");
    wait_for(&world, "the centre's snapshot at the hub", || {
        (world.hub(&["resync"]).ok()?["centres"][0]["stage"] == "ready").then_some(())
    });
    wait_for(&world, "the hub's snapshot", || {
        (world.spoke(1, &["resync"]).ok()?["stage"] == "ready").then_some(())
    });
    world.hub(&["resync", "--yes"]).expect("decided");
    world.spoke(1, &["resync", "--yes", "--keep", "mine"]).expect("decided");
    wait(&world, &world.layout.hub_db(), "SELECT count(*) FROM incident WHERE closed_at IS NULL", 0);
    wait(&world, &world.layout.centre_db(1), "SELECT count(*) FROM svod_incident WHERE closed_at IS NULL", 0);
    world.daemons.stop_all().expect("stopped");
}
