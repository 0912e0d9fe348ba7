//! Scenarios: small cities of real processes, on the loopback. All people are invented.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use fixtures::city::{City, CityPlan};
use serde_json::Value;
use svod_tests::world::{
    Programs, World, WorldError,
    bring_up::{Way, WorldPlan, centre_name},
    daemon::Daemons,
    documents, fill,
    programs::Who,
    read::Reader,
    settle::Expected,
    toml_edit::set_key,
    wait::{Look, until},
};

const DEMO: &str = env!("CARGO_BIN_EXE_svod-demo");
const PATIENCE: Duration = Duration::from_mins(3);

/// Runs the demonstration and returns its JSON, every fact of which held.
fn demo(args: &[&str]) -> Value {
    let output = Command::new(DEMO).args(args).args(["--format", "json"]).output().expect("the demo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {said}"));
    assert_eq!(report["schema"], "svod.demo/1");
    for fact in report["facts"].as_array().expect("facts") {
        assert_eq!(fact["held"], true, "{fact}");
    }
    assert!(output.status.success() && report["ok"] == true, "{said}");
    report
}

fn fact_ids(report: &Value) -> Vec<&str> {
    report["facts"].as_array().expect("facts").iter().filter_map(|fact| fact["id"].as_str()).collect()
}

const FACTS: [&str; 7] = [
    "records_at_hub_once",
    "only_own_people",
    "lock_refused",
    "contract_arrived",
    "correction_locked_twice",
    "foreign_quarantined",
    "tamper_restored",
];

#[test]
fn two_centres_exchange_through_a_folder() {
    let dir = tempfile::tempdir().expect("a directory");
    let kept = dir.path().join("city");
    let place = kept.to_str().expect("UTF-8");
    let report = demo(&[
        "--centres",
        "2",
        "--recipients",
        "200",
        "--mailbox",
        "directory",
        "--seed",
        "7",
        "--dir",
        place,
    ]);
    assert_eq!(fact_ids(&report), FACTS);
    let written = std::fs::read(kept.join("demo.json")).expect("it is kept");
    assert_eq!(serde_json::from_slice::<Value>(&written).expect("JSON")["facts"], report["facts"]);
    every_run_has_its_protocols(&kept);
    logs_and_protocols_know_nobody(&kept);
    documents::valid_ones(&kept.join("hub"));
    let counts = &report["counts"];
    assert_eq!(counts["records"], 400);
    assert!(counts["locked_rows"].as_u64() > Some(400), "{counts}");
    assert!(counts["wrong_links"].as_u64() < Some(3), "{counts}");
}

/// Of each run a protocol for programs, and beside it a page to print.
fn every_run_has_its_protocols(city: &Path) {
    for (who, kinds) in [("hub", ["load", "merge"]), ("centre-1", ["export", "load"])] {
        let names: Vec<String> =
            files(&city.join(who).join("protocols")).iter().map(|path| name(path)).collect();
        for kind in kinds {
            let json = names.iter().find(|name| name.ends_with(&format!("-{kind}.json")));
            let json = json.unwrap_or_else(|| panic!("{who} wrote no protocol of {kind}: {names:?}"));
            let page = json.replace(".json", ".html");
            assert!(names.contains(&page), "{who}: {json} has no page");
            let html = std::fs::read_to_string(city.join(who).join("protocols").join(page)).expect("UTF-8");
            assert!(html.contains("lang=\"ru\""), "a Russian page");
        }
    }
}

/// No name and no number of a person in logs, protocols, or the names of files.
fn logs_and_protocols_know_nobody(city: &Path) {
    let mut texts = Vec::new();
    for who in ["hub", "centre-1", "centre-2"] {
        texts.extend(files(&city.join(who)));
        texts.extend(files(&city.join(who).join("protocols")));
    }
    texts.retain(|path| {
        ["log", "err", "json", "html"].map(|e| path.extension() == Some(e.as_ref())).contains(&true)
    });
    assert!(texts.len() > 10, "{texts:?}");
    let all: String = texts.iter().map(|path| std::fs::read_to_string(path).expect("UTF-8")).collect();
    let centre = &City::generate(CityPlan { seed: 7, centres: 2, recipients: 200 }).centres[0].tables[0];
    for row in 0..centre.rows.len() {
        for column in ["surname", "snils", "phone", "address_live"] {
            let value = centre.get(row, column).unwrap_or_default().trim();
            let told = value.chars().count() > 5 && all.contains(value);
            assert!(!told, "{column} of row {row} stands in a log or protocol");
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries.map(|entry| entry.expect("readable").path()).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn two_centres_exchange_over_ftps() {
    let report = demo(&["--centres", "2", "--recipients", "200", "--seed", "8"]);
    assert_eq!(fact_ids(&report), FACTS);
    assert_eq!(report["packets"]["quarantined"], 1, "only the packet in the wrong hands");
}

#[test]
fn six_centres_exchange_over_ftps() {
    let report = demo(&["--centres", "6", "--recipients", "60", "--seed", "9"]);
    assert_eq!(fact_ids(&report), FACTS);
    assert_eq!(report["centres"].as_array().map(Vec::len), Some(6));
}

#[test]
fn the_demo_refuses_a_directory_in_use_and_leaves_it_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("mine"), "precious").expect("a file");
    let output =
        Command::new(DEMO).args(["--format", "json", "--dir"]).arg(dir.path()).output().expect("starts");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    let error: Value = serde_json::from_str(said.lines().last().unwrap_or_default()).expect("one JSON error");
    assert_eq!(error["error"]["code"], "demo-not-empty");
    assert_eq!(std::fs::read_dir(dir.path()).expect("readable").count(), 1);
}

/// A filled world whose daemons run.
fn running(dir: &Path, way: Way) -> (World, Expected) {
    let city = CityPlan { seed: 11, centres: 2, recipients: 200 };
    let plan = WorldPlan { dir: dir.join("city"), city, way, patience: PATIENCE };
    let mut world = World::make(&plan, Programs::find(DEMO), Daemons::default()).expect("a world");
    let city = City::generate(city);
    world.fill(&city).expect("filled");
    world.start().expect("started");
    (world, Expected::of(&city))
}

/// What stands in a centre, apart from which packet brought it: each row's state, version and hash.
fn picture(world: &World, n: usize) -> Vec<(String, String, String, String)> {
    let db = world.layout.centre_db(n);
    let sql = "SELECT kind, key, state, coalesce(sha256, '') FROM svod_record ORDER BY kind, key";
    Reader::open(&db)
        .and_then(|reader| reader.all(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))))
        .expect("a readable database")
}

#[test]
fn everybody_killed_in_the_middle_converges_all_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let (world, expected) = running(dir.path(), Way::Ftps);
    kill_while(&world, Duration::from_millis(400));
    world.wait_loaded(&expected, &mut |_| ()).expect("loaded after the first cut");
    world.hub(&["merge"]).expect("merged");
    kill_while(&world, Duration::from_millis(150));
    kill_while(&world, Duration::from_millis(150));
    world.wait_settled(&mut |_| ()).expect("settled after the cuts");
    for (n, _) in world.centres() {
        let db = world.layout.centre_db(n);
        let rows = Reader::open(&db).expect("readable");
        let own =
            rows.count("SELECT count(*) FROM svod_record WHERE kind = 'recipient' AND state = 'own'", []);
        let shown =
            rows.count("SELECT count(*) FROM svod_record WHERE kind = 'recipient' AND state = 'locked'", []);
        assert!(shown.expect("counted") > 150, "most recipients of centre {n} are locked; own: {own:?}");
    }
    let before = [picture(&world, 1), picture(&world, 2)];
    for cut in 0..4 {
        for (n, _) in world.centres() {
            let sql =
                "INSERT INTO contract (id, recipient_id, number) SELECT ?1, id, ?1 FROM recipient LIMIT 1";
            let db = fill::open(&world.layout.centre_db(n)).expect("opens");
            db.execute(sql, [format!("cut-{cut}")]).expect("a row");
        }
        kill_while(&world, Duration::from_millis(60 * cut));
    }
    contract_comes_through(&world);
    let own_business = |rows: Vec<(String, String, String, String)>| -> Vec<_> {
        rows.into_iter().filter(|row| row.0 != "contract").collect()
    };
    for (n, before) in (1..).zip(before) {
        assert_eq!(
            own_business(picture(&world, n)),
            own_business(before),
            "a restart changes nothing at centre {n}"
        );
    }
    what_hinders_is_told(&world);
    world.daemons.stop_all().expect("stopped");
    assert_eq!(world.spoke(1, &["status"]).expect("told")["service"]["running"], false);
    whatever_was_committed_has_its_protocol(&world);
}

/// The hub is gone: `status` of a centre says so itself, as long as it lasts.
fn what_hinders_is_told(world: &World) {
    let service = || world.spoke(1, &["status"]).expect("told")["service"].take();
    let add = |id: &str| {
        let sql = "INSERT INTO contract (id, recipient_id, number) SELECT ?1, id, ?1 FROM recipient LIMIT 1";
        fill::open(&world.layout.centre_db(1)).expect("opens").execute(sql, [id]).expect("a row");
    };
    world.daemons.kill("hub");
    add("hindered");
    until("what hinders", PATIENCE, || {
        let told = service();
        let reached = told["running"] == true && told["hindered"]["code"] == "spoke-mailbox";
        Ok(if reached { Look::Reached(()) } else { Look::NotYet(told.to_string()) })
    })
    .expect("told");
    world.start_hub().expect("started");
    until("nothing hinders", PATIENCE, || {
        let told = service();
        Ok(if told["hindered"].is_null() { Look::Reached(()) } else { Look::NotYet(told.to_string()) })
    })
    .expect("over");
}

/// Each packet with records that was sealed or applied, and the merge, stand in one protocol, numbered without gaps, as JSON
/// and as a page: a cut between commit and file loses none and doubles none.
fn whatever_was_committed_has_its_protocol(world: &World) {
    let hub = [
        "SELECT name FROM packet WHERE direction = 'out' AND kind IN ('DT', 'SN') AND records > 0 \
         AND peer IN (SELECT code FROM centre)",
        "SELECT DISTINCT packet FROM received",
    ];
    let centre = [
        "SELECT name FROM svod_packet WHERE direction = 'out' AND kind IN ('DT', 'SN') AND records > 0",
        "SELECT DISTINCT packet FROM svod_publication",
    ];
    let (hub_db, hub_dir) = (world.layout.hub_db(), world.layout.hub());
    let centres = world.centres().map(|(n, _)| (world.layout.centre_db(n), world.layout.centre(n), centre));
    for (db, dir, queries) in [(hub_db, hub_dir, hub)].into_iter().chain(centres) {
        let (told, kinds) = protocols(&dir.join("protocols"));
        let merges = kinds.iter().filter(|kind| kind.as_str() == "merge").count();
        assert_eq!(merges, usize::from(queries == hub), "{}", dir.display());
        for sql in queries {
            let names = Reader::open(&db).and_then(|db| db.all(sql, [], |row| row.get::<_, String>(0)));
            for name in names.expect("readable") {
                let times = told.iter().filter(|one| **one == name).count();
                assert_eq!(times, 1, "{name} stands in so many protocols of {}", dir.display());
            }
        }
    }
}

/// The packets that the protocols of `dir` tell of, and what kind each is.
fn protocols(dir: &Path) -> (Vec<String>, Vec<String>) {
    let mut files = files(dir);
    files.sort();
    let json: Vec<_> = files.iter().filter(|path| path.extension() == Some("json".as_ref())).collect();
    let (mut told, mut kinds) = (Vec::new(), Vec::new());
    for (number, path) in (1..).zip(json) {
        let text = std::fs::read(path).expect("readable");
        let protocol: Value = serde_json::from_slice(&text).expect("whole");
        assert_eq!(protocol["number"], number, "{}", path.display());
        assert!(path.with_extension("html").is_file(), "{} has no page", path.display());
        let packets = protocol["packets"].as_array().expect("packets").iter();
        told.extend(packets.filter_map(|packet| packet["name"].as_str().map(str::to_owned)));
        kinds.extend(protocol["kind"].as_str().map(str::to_owned));
    }
    (told, kinds)
}

/// Kills hub and centres after a while (SIGKILL, as a power cut) and starts them again.
fn kill_while(world: &World, after: Duration) {
    std::thread::sleep(after);
    world.daemons.kill_all();
    world.start().expect("started again");
}

fn contract_comes_through(world: &World) {
    let (db, hub_db) = (world.layout.centre_db(2), world.layout.hub_db());
    let sql = "INSERT INTO contract (id, recipient_id, number) SELECT 'after-cut', id, 'ПОСЛЕ/1' FROM recipient LIMIT 1";
    fill::open(&db).expect("opens").execute(sql, []).expect("a row");
    let count =
        "SELECT count(*) FROM received WHERE kind = 'contract' AND instr(body, CAST('ПОСЛЕ/1' AS BLOB)) > 0";
    until("a contract after the restart", PATIENCE, || -> Result<Look<()>, WorldError> {
        world.daemons.check()?;
        let there = Reader::open(&hub_db)?.count(count, [])? == 1;
        Ok(if there { Look::Reached(()) } else { Look::NotYet("not there".to_owned()) })
    })
    .expect("it comes through");
}

#[test]
fn two_daemons_never_work_on_one_database() {
    let dir = tempfile::tempdir().expect("a directory");
    let (world, expected) = running(dir.path(), Way::Directory);
    world.wait_loaded(&expected, &mut |_| ()).expect("loaded");
    for (who, config) in [(Who::Hub, world.layout.hub_config()), (Who::Spoke, world.layout.centre_config(1))]
    {
        let output = world.programs.output(who, &["run".as_ref(), "--config".as_ref(), config.as_os_str()]);
        let output = output.expect("it ends");
        assert_eq!(output.status.code(), Some(5), "{who:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let sync = [
        "sync".as_ref(),
        "--config".as_ref(),
        world.layout.centre_config(2).as_os_str().to_owned().as_os_str(),
    ]
    .map(std::ffi::OsStr::to_owned);
    assert_eq!(world.programs.output(Who::Spoke, &sync).expect("it ends").status.code(), Some(5));
    world.daemons.check().expect("the first ones still run");
    assert!(world.daemons.pid("hub").is_some() && world.daemons.pid(&centre_name(1)).is_some());
}

/// What a program has logged.
fn log(file: PathBuf) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

fn wait_for(what: &str, world: &World, mut held: impl FnMut() -> bool) {
    until(what, PATIENCE, || -> Result<Look<()>, WorldError> {
        world.daemons.check()?;
        Ok(if held() { Look::Reached(()) } else { Look::NotYet("not yet".to_owned()) })
    })
    .expect("it comes to pass");
}

#[test]
fn where_client_certificates_are_required_only_their_owners_exchange() {
    let dir = tempfile::tempdir().expect("a directory");
    let plan = CityPlan { seed: 12, centres: 2, recipients: 40 };
    let world = WorldPlan { dir: dir.path().join("city"), city: plan, way: Way::Ftps, patience: PATIENCE };
    let mut world = World::make(&world, Programs::find(DEMO), Daemons::default()).expect("a world");
    world.fill(&City::generate(plan)).expect("filled");
    let layout = world.layout.clone();
    set_key(&layout.hub_config(), "ftps", "client_certificates", "\"required\"").expect("set");
    // the refused one tries again and again, and is to be heard each time
    set_key(&layout.hub_config(), "ftps", "login_failures", "1000").expect("set");
    let certificate = |n: usize| -> (String, String) {
        let code = fixtures::places::centre_code(n).to_string();
        let out = dir.path().join(format!("handover-{n}"));
        let told = world.hub(&["centre", "certificate", &code, "--out", out.to_str().expect("UTF-8")]);
        let told = told.expect("issued");
        let file = |key: &str| format!("{:?}", told[key].as_str().expect("a path"));
        (file("certificate_file"), file("key_file"))
    };
    let give = |n: usize, (certificate, key): &(String, String)| {
        set_key(&layout.centre_config(n), "mailbox", "certificate_file", certificate).expect("set");
        set_key(&layout.centre_config(n), "mailbox", "key_file", key).expect("set");
    };
    let first = certificate(1);
    give(1, &first);
    world.start().expect("started");
    let received = |n: usize| {
        let code = fixtures::places::centre_code(n);
        let sql = "SELECT count(*) FROM received WHERE origin = ?1";
        Reader::open(&layout.hub_db()).and_then(|hub| hub.count(sql, [code.as_str()])).expect("readable")
    };
    wait_for("the records of the one with a certificate", &world, || received(1) > 0);
    // the second has none, and the hub knows none of it
    let hub_log = || log(layout.hub().join("hub.log"));
    let spoke_log = || log(layout.centre(2).join("spoke.log"));
    let mut own = None;
    for (told, why) in [
        ("knows no client certificate of this centre", None),
        ("a client certificate is required", Some(None)),
        ("not the client certificate of this centre", Some(Some(&first))),
    ] {
        if let Some(shown) = why {
            world.daemons.kill(&centre_name(2));
            if shown.is_none() {
                own = Some(certificate(2));
            }
            if let Some(shown) = shown {
                give(2, shown);
            }
            world.start_centre(2).expect("started");
        }
        wait_for(told, &world, || hub_log().contains(told) && spoke_log().contains(told));
        assert_eq!(received(2), 0, "{told}");
    }
    // a round by hand says so too, instead of having done nothing
    world.daemons.kill(&centre_name(2));
    let mut sync = Programs::find(DEMO).command(Who::Spoke);
    sync.args(["sync", "--format", "json", "--config"]).arg(layout.centre_config(2));
    let refused = sync.output().expect("run");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("spoke-mailbox") && said.contains("not the client certificate"), "{said}");
    // with its own it exchanges
    give(2, &own.expect("issued"));
    world.start_centre(2).expect("started");
    wait_for("the records of the second", &world, || received(2) > 0);
    // a file that no listing can name rightly is nothing of the hub's: it fails no round, and nobody repeats its name
    world.daemons.kill(&centre_name(2));
    let out = layout.mailbox(fixtures::places::centre_code(2), "out");
    std::fs::write(out.join(" Клеркова"), "x").expect("written");
    let done = sync.output().expect("run");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && !said.contains("Клеркова"), "{said}");
    assert!(!spoke_log().contains("Клеркова") && spoke_log().contains("not a packet's name"));
}

#[test]
fn a_merge_cut_short_leaves_all_or_nothing_and_the_daemon_works_beside_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (world, expected) = running(dir.path(), Way::Directory);
    world.wait_loaded(&expected, &mut |_| ()).expect("loaded");
    let hub_db = world.layout.hub_db();
    let stands = || {
        let hub = Reader::open(&hub_db).expect("readable");
        let count = |sql: &str| hub.count(sql, []).expect("counted");
        (
            count("SELECT count(*) FROM received WHERE state = 'waiting'"),
            count("SELECT count(*) FROM person"),
            count("SELECT count(*) FROM publication"),
            count("SELECT count(*) FROM journal WHERE event = 'merge'"),
        )
    };
    let before = stands();
    assert!(before.0 > 400 && (before.1, before.2, before.3) == (0, 0, 0), "{before:?}");
    for cut in 0..8 {
        let mut command = world.programs.command(Who::Hub);
        command.arg("merge").arg("--config").arg(world.layout.hub_config()).arg("--format").arg("json");
        let mut merge = command.stdout(std::process::Stdio::null()).spawn().expect("started");
        std::thread::sleep(Duration::from_millis(60 * cut));
        merge.kill().expect("killed");
        let ended = merge.wait().expect("ended");
        let now = stands();
        let whole = now.0 == 0 && now.1 > 150 && now.2 > now.1 && now.3 == 1;
        assert!(now == before || whole, "half a merge after {ended:?}: {now:?}");
        if whole {
            break;
        }
    }
    // what a dry run needs nobody else's leave for: another writer holds the database all the while
    let writer = fill::open(&hub_db).expect("opens");
    writer.execute_batch("BEGIN IMMEDIATE").expect("the right to write");
    let tried = world.hub(&["merge", "--dry-run"]).expect("worked out beside the writer");
    assert_eq!(tried["dry_run"], true);
    writer.execute_batch("ROLLBACK").expect("given back");
    world.hub(&["merge"]).expect("merged");
    world.wait_settled(&mut |_| ()).expect("settled");
    assert_eq!(stands().0, 0);
    world.daemons.stop_all().expect("stopped");
    whatever_was_committed_has_its_protocol(&world);
}
