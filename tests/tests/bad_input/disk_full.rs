//! A full disk: no file can grow beyond a limit. Whatever fails ends with exit 4 or leaves the packet where it
//! is; nothing is half applied; with room again everything converges.

use std::{fs, process::Stdio};

use svod_tests::world::{
    Programs, World,
    programs::Who,
    read::Reader,
    wait::{Look, until},
};

use super::stage::{
    DEMO, PATIENCE, Player, count, done, drop_into, failed, folder, limited, names, recipient, run, wait_for,
    world, world_of,
};

const RECIPIENTS: usize = 150;
/// Limits in KiB, from no byte at all to almost enough.
const LIMITS: [u64; 6] = [0, 8, 64, 256, 600, 1500];

fn whole(db: &std::path::Path) {
    let reader = Reader::open(db).expect("opens");
    let found = reader.one("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).expect("checked");
    assert_eq!(found.as_deref(), Some("ok"));
}

/// The exit code, which must be 0 or 4 with one JSON error.
fn ended(output: &std::process::Output) -> i32 {
    let code = output.status.code().expect("not by a signal");
    if code != 0 {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(code, 4, "{said}");
        let line = said.lines().last().unwrap_or_default();
        let error: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{said}"));
        assert!(error["error"]["next"].as_str().is_some_and(|next| !next.is_empty()), "{said}");
    }
    code
}

#[test]
fn a_centre_that_cannot_write_sends_nothing_half_and_everything_later() {
    let (dir, world) = world_of(1, RECIPIENTS, &Programs::find(DEMO));
    let (config, db) = (world.layout.centre_config(1), world.layout.centre_db(1));
    let mut failures = 0;
    for kib in LIMITS {
        let code = ended(&run(&limited(dir.path(), kib), Who::Spoke, &config, &["sync"]));
        failures += usize::from(code == 4);
        whole(&db);
        // what stands in the mailbox is in the database, and whole
        for name in names(&folder(&world, "in")).into_iter().filter(|name| !name.contains(".part")) {
            let sealed =
                format!("SELECT count(*) FROM svod_packet WHERE direction = 'out' AND name = '{name}'");
            assert_eq!(count(&db, &sealed), 1, "{name} was sealed");
            let spooled = world.layout.centre(1).join("spool").join(&name);
            assert_eq!(
                fs::read(spooled).expect("spooled"),
                fs::read(folder(&world, "in").join(&name)).expect("placed")
            );
        }
    }
    assert!(failures >= 3, "the small limits do not suffice: {failures}");
    world.start().expect("started");
    let all = format!(
        "SELECT max('all') FROM received WHERE kind = 'recipient_claim' HAVING count(*) = {RECIPIENTS}"
    );
    wait_for(&world, &world.layout.hub_db(), &all);
    assert_eq!(count(&world.layout.hub_db(), "SELECT count(*) FROM incident"), 0);
}

#[test]
fn a_hub_that_cannot_write_leaves_the_packet_where_it_is_and_takes_it_later() {
    let (dir, world) = world(1);
    let mut player = Player::of(&world);
    let lines: Vec<String> = (1..=400).map(|n| recipient(n, &format!("Фамилия{n}"))).collect();
    let packet = player.snapshot(&[("recipient_claim", lines)]);
    let (inbox, hub_db, name) = (folder(&world, "in"), world.layout.hub_db(), packet.name().to_string());
    drop_into(&inbox, &name, &packet.to_bytes());
    for kib in LIMITS {
        if names(&inbox).is_empty() {
            break;
        }
        // it either ends by itself with 4, or goes on and cannot take the packet
        let mut command = limited(dir.path(), kib).command(Who::Hub);
        command.args(["run", "--format", "json", "--config"]).arg(world.layout.hub_config());
        // a file would have the same limit
        let mut hub = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
        for _ in 0..30 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            if hub.try_wait().expect("ours").is_some() || names(&inbox).is_empty() {
                break;
            }
        }
        if hub.try_wait().expect("ours").is_none() {
            hub.kill().expect("ours");
            assert!(!hub.wait_with_output().expect("ends").stderr.windows(8).any(|said| said == b"panicked"));
        } else {
            assert_eq!(ended(&hub.wait_with_output().expect("ended")), 4, "at {kib} KiB");
        }
        whole(&hub_db);
        let (rows, there) = (count(&hub_db, "SELECT count(*) FROM received"), inbox.join(&name).exists());
        assert!(rows == 0 || rows == 400, "{rows} of 400 at {kib} KiB");
        assert!(there || rows == 400, "gone and not applied at {kib} KiB");
        assert_eq!(
            count(&hub_db, "SELECT count(*) FROM packet WHERE state = 'QUARANTINED'"),
            0,
            "the packet is not at fault"
        );
    }
    world.start_hub().expect("started");
    wait_for(&world, &hub_db, "SELECT max('all') FROM received HAVING count(*) = 400");
    wait_for(
        &world,
        &hub_db,
        &format!("SELECT name FROM packet WHERE name = '{name}' AND state = 'APPLIED'"),
    );
    until("in to be empty", PATIENCE, || {
        Ok(if names(&inbox).is_empty() { Look::Reached(()) } else { Look::NotYet(String::new()) })
    })
    .expect("taken");
    until("its PR", PATIENCE, || {
        let there = names(&folder(&world, "out")).iter().any(|name| name.contains("_PR_"));
        Ok(if there { Look::Reached(()) } else { Look::NotYet(String::new()) })
    })
    .expect("answered");
}

#[test]
fn commands_that_cannot_write_change_nothing() {
    let (dir, world) = world_of(1, RECIPIENTS, &Programs::find(DEMO));
    loaded(&world);
    let (hub_config, hub_db) = (world.layout.hub_config(), world.layout.hub_db());
    let small = limited(dir.path(), 8);
    assert_eq!(ended(&run(&small, Who::Hub, &hub_config, &["merge"])), 4);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM person"), 0, "nobody is merged");
    whole(&hub_db);
    let table = dir.path().join("t.csv");
    let rows: Vec<String> = (1..=500).map(|n| format!("n{n},Имена\n")).collect();
    fs::write(&table, format!("id,surname\n{}", rows.concat())).expect("written");
    let import = ["import", "recipient", table.to_str().expect("UTF-8"), "--key", "id"];
    let (config, db) = (world.layout.centre_config(1), world.layout.centre_db(1));
    assert_eq!(ended(&run(&small, Who::Spoke, &config, &import)), 4);
    assert_eq!(count(&db, "SELECT count(*) FROM recipient WHERE surname = 'Имена'"), 0, "no row is taken");
    whole(&db);

    let programs = Programs::find(DEMO);
    assert!(done(&run(&programs, Who::Hub, &hub_config, &["merge"]))["persons"].as_u64() > Some(0));
    assert_eq!(done(&run(&programs, Who::Spoke, &config, &import))["new"], 500);

    // a workbook that finds no room: told as that, and what was there stays
    let book = dir.path().join("out.xlsx");
    fs::write(&book, "before").expect("written");
    let export = ["export", "recipient", "--out", book.to_str().expect("UTF-8")];
    let told =
        failed(&run(&limited(dir.path(), 64), Who::Spoke, &config, &export), 4, "spoke-csv-unreadable");
    assert!(told.contains("out.xlsx"), "{told}");
    assert_eq!(fs::read_to_string(&book).expect("there"), "before");
    assert!(names(dir.path()).iter().all(|name| !name.contains(".part")), "{:?}", names(dir.path()));
    done(&run(&programs, Who::Spoke, &config, &export));

    // the centre cannot apply what the hub has published, and does so when there is room
    world.start_hub().expect("started");
    let sealed = "SELECT packet FROM publication WHERE state = 'sealed' LIMIT 1";
    wait_for(&world, &hub_db, sealed);
    let locked = "SELECT count(*) FROM svod_record WHERE state = 'locked'";
    until("the packet in out", PATIENCE, || {
        let there = names(&folder(&world, "out")).iter().any(|name| name.contains("_SN_"));
        Ok(if there { Look::Reached(()) } else { Look::NotYet(String::new()) })
    })
    .expect("placed");
    for kib in [0, 8, 64] {
        assert_eq!(ended(&run(&limited(dir.path(), kib), Who::Spoke, &config, &["sync"])), 4);
        assert_eq!(count(&db, locked), 0, "nothing is half applied");
        whole(&db);
    }
    world.start_centre(1).expect("started");
    wait_for(
        &world,
        &db,
        "SELECT max('locked') FROM svod_record WHERE state = 'locked' AND kind = 'recipient' HAVING count(*) >= 100",
    );
    assert_eq!(count(&hub_db, "SELECT count(*) FROM incident"), 0);
}

/// Lets the centre send everything, and stops.
fn loaded(world: &World) {
    world.start().expect("started");
    let all = format!(
        "SELECT max('all') FROM received WHERE kind = 'recipient_claim' HAVING count(*) = {RECIPIENTS}"
    );
    wait_for(world, &world.layout.hub_db(), &all);
    world.daemons.stop_all().expect("stopped");
}

#[test]
fn a_result_that_cannot_be_written_is_told() {
    let (_dir, world) = world(1);
    let programs = Programs::find(DEMO);
    for (who, config) in [(Who::Hub, world.layout.hub_config()), (Who::Spoke, world.layout.centre_config(1))]
    {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let mut command = programs.command(who);
        command.args(["status", "--format", "json", "--config"]).arg(&config);
        let output = command.stdout(full).stderr(Stdio::piped()).output().expect("it ends");
        failed(&output, 4, "output");
    }
}
