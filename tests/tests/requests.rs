//! A hub and a centre as they run: what is lost on the way is asked for and comes; where the two do not hold the same, a
//! snapshot sets it right (FORMAT.md §Requests).

#[path = "requests/damaged.rs"]
mod damaged;
#[path = "requests/keys.rs"]
mod keys;
#[path = "requests/rebuild.rs"]
mod rebuild;
#[path = "requests/resync.rs"]
mod resync;
#[path = "requests/told.rs"]
mod told;

use std::{fs, path::Path, time::Duration};

use exchange_format::file_name::FileName;
use fixtures::{
    city::{City, CityPlan},
    places::{centre_code, hub_code},
};
use svod_tests::world::{
    Programs, World, WorldError,
    bring_up::{Way, WorldPlan, centre_name},
    daemon::Daemons,
    documents, fill,
    read::Reader,
    settle::Expected,
    toml_edit::set_key,
    wait::{Look, until},
};

const DEMO: &str = env!("CARGO_BIN_EXE_svod-demo");
const PATIENCE: Duration = Duration::from_mins(2);

fn count(db: &Path, sql: &str) -> u64 {
    Reader::open(db).expect("opens").count(sql, []).expect("counted")
}

/// Waits until `sql` counts `expected`.
fn wait(world: &World, db: &Path, sql: &str, expected: u64) {
    until(sql, PATIENCE, || -> Result<Look<()>, WorldError> {
        world.daemons.check()?;
        let found = Reader::open(db)?.count(sql, [])?;
        Ok(if found == expected { Look::Reached(()) } else { Look::NotYet(found.to_string()) })
    })
    .expect("it comes about");
}

/// Waits until `look` finds something.
fn wait_for<T>(world: &World, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until(what, PATIENCE, || -> Result<Look<T>, WorldError> {
        world.daemons.check()?;
        Ok(look().map_or_else(|| Look::NotYet("no".to_owned()), Look::Reached))
    })
    .expect("it comes about")
}

/// Waits until a data packet lies in `folder`, and takes it away.
fn lose(world: &World, folder: &Path) -> String {
    let name = data_in(world, folder);
    fs::remove_file(folder.join(&name)).expect("lost");
    name
}

fn data_in(world: &World, folder: &Path) -> String {
    until("a data packet", PATIENCE, || -> Result<Look<String>, WorldError> {
        world.daemons.check()?;
        let names = fs::read_dir(folder).expect("listed").filter_map(|entry| {
            let name = entry.expect("an entry").file_name().into_string().ok()?;
            let parsed: FileName = name.parse().ok()?;
            (parsed.kind.letters() == "DT").then_some(name)
        });
        Ok(names.min().map_or_else(|| Look::NotYet("none".to_owned()), Look::Reached))
    })
    .expect("it is placed")
}

/// Corrects a person whom the centre is shown with all that is known: one that it is confirmed to serve, and that is
/// published (a person without a birth date that can be read is not).
fn correct_somebody(world: &World, surname: &str) -> String {
    let uid =
        "SELECT uid FROM service JOIN publication USING (centre) WHERE kind = 'person' AND key = uid LIMIT 1";
    let db = world.layout.hub_db();
    let reader = Reader::open(&db).expect("opens");
    let uid: String = reader.one(uid, [], |row| row.get(0)).expect("read").expect("a person");
    world.correct(&uid, "surname", surname).expect("entered");
    uid
}

fn write(db: &Path, sql: &str) {
    fill::open(db).expect("opens").execute_batch(sql).expect(sql);
}

/// A centre of 10 people and its hub, at rest and merged.
fn merged(dir: &Path) -> World {
    let world = unmerged(dir);
    world.hub(&["merge"]).expect("merged");
    world.wait_settled(&mut |_| ()).expect("settled");
    world
}

/// The same, loaded and not merged.
fn unmerged(dir: &Path) -> World {
    let city = CityPlan { seed: 11, centres: 1, recipients: 10 };
    let plan = WorldPlan { dir: dir.join("city"), city, way: Way::Directory, patience: PATIENCE };
    let mut world = World::make(&plan, Programs::find(DEMO), Daemons::default()).expect("a world");
    let made = City::generate(city);
    world.fill(&made).expect("filled");
    for config in [world.layout.hub_config(), world.layout.centre_config(1)] {
        set_key(&config, "exchange", "streebog", "true").expect("set");
    }
    world.start().expect("started");
    world.wait_loaded(&Expected::of(&made), &mut |_| ()).expect("loaded");
    world
}

const REQUESTS_OVER: &str = "SELECT count(*) FROM request WHERE direction = 'out' AND next_at IS NULL";

#[test]
fn what_is_lost_on_the_way_is_asked_for_and_a_divergence_is_mended() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let code = centre_code(1);

    // the centre's packet is lost while the hub is away
    let known = count(&hub_db, "SELECT count(*) FROM received");
    world.daemons.kill("hub");
    let inbox = world.layout.mailbox(code, "in");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('x1', 'Потерянная')");
    let lost = lose(&world, &inbox);
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('x2', 'Следующая')");
    assert_ne!(data_in(&world, &inbox), lost);
    world.start_hub().expect("started");
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 2);
    wait(&world, &hub_db, REQUESTS_OVER, 1);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM request WHERE asks = 'packets' AND attempts = 1"), 1);
    assert_eq!(count(&centre_db, "SELECT count(*) FROM svod_request WHERE direction = 'in'"), 1);

    // the hub's packet is lost while the centre is away
    world.wait_settled(&mut |_| ()).expect("settled");
    world.daemons.kill(&centre_name(1));
    let outbox = world.layout.mailbox(code, "out");
    let uid = correct_somebody(&world, "Первая");
    lose(&world, &outbox);
    world.correct(&uid, "surname", "Вторая").expect("entered");
    data_in(&world, &outbox);
    world.start_centre(1).expect("started");
    wait(&world, &centre_db, "SELECT count(*) FROM recipient WHERE surname = 'Вторая'", 1);
    assert!(
        count(&centre_db, "SELECT count(*) FROM svod_packet WHERE kind = 'RQ' AND direction = 'out'") > 0
    );
    assert_eq!(count(&hub_db, "SELECT count(*) FROM request WHERE direction = 'in' AND asks = 'packets'"), 1);

    // of what the hub has received only the sum is wrong: it is made anew
    world.daemons.kill("hub");
    let zeros = format!("UPDATE stream SET received_digest = '{}' WHERE peer = '{code}'", "0".repeat(64));
    write(&hub_db, &zeros);
    world.start_hub().expect("started");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('x3', 'Третья')");
    wait(&world, &hub_db, "SELECT count(*) FROM journal WHERE event = 'sum.mended'", 1);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM incident WHERE code = 'DIVERGED'"), 0);

    // a record is lost at the hub: both find out which, and a snapshot brings it back
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 3);
    world.wait_settled(&mut |_| ()).expect("settled");
    world.daemons.kill("hub");
    let lost = "SELECT key FROM received WHERE kind = 'contract' AND form = 'live' ORDER BY key LIMIT 1";
    let lost: String = Reader::open(&hub_db)
        .expect("opens")
        .one(lost, [], |row| row.get(0))
        .expect("read")
        .expect("a contract");
    write(&hub_db, &format!("DELETE FROM received WHERE key = '{lost}'; {zeros}"));
    lose_archive(&world);
    world.start_hub().expect("started");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('x4', 'Четвёртая')");
    wait(&world, &hub_db, &format!("SELECT count(*) FROM stream WHERE peer = '{code}' AND in_epoch = 2"), 1);
    let over =
        "SELECT count(*) FROM request WHERE direction = 'out' AND asks = 'snapshot' AND next_at IS NULL";
    wait(&world, &hub_db, over, 1);
    let found = format!(
        "SELECT count(*) FROM difference WHERE key = '{lost}' AND here IS NULL AND there IS NOT NULL"
    );
    assert_eq!(count(&hub_db, &found), 1, "staff were told which");
    assert_eq!(count(&hub_db, "SELECT count(*) FROM difference"), 1);
    let replied = "SELECT count(*) FROM svod_request WHERE direction = 'out' AND asks = 'range_reply'";
    assert_eq!(count(&centre_db, replied), 1, "the centre has replied");
    assert_eq!(count(&hub_db, &format!("SELECT count(*) FROM received WHERE key = '{lost}'")), 1);
    let open = "SELECT count(*) FROM incident WHERE closed_at IS NULL AND code IN ('DIVERGED', 'RESTORED')";
    assert_eq!(count(&hub_db, open), 0);
    // by the hub's own look at its rows, and by the centre's next packet, whichever came first
    let told = count(&hub_db, "SELECT count(*) FROM incident WHERE code = 'DIVERGED'");
    assert!((1..=2).contains(&told), "{told}");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('x5', 'Пятая')");
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 5);
    world.wait_settled(&mut |_| ()).expect("settled");
    world.verify(1).expect("the centre is whole");
    a_declined_proposal_is_told_by_a_revision(&world, &uid);
    a_restored_centre_tells_the_mirror_alone(&world, &dir.path().join("copy.db"));
    world.daemons.stop_all().expect("stopped");
    documents::valid_ones(&world.layout.hub());
}

/// What the centre has sent is gone from the archive: from there nothing comes again.
fn lose_archive(world: &World) {
    let code = centre_code(1);
    let sent = format!("_{}_{code}_", hub_code());
    let archive = world.layout.hub().join("archive").join(code.as_str());
    for file in fs::read_dir(archive).expect("read") {
        let path = file.expect("read").path();
        if path.to_string_lossy().contains(&sent) {
            fs::remove_file(path).expect("removed");
        }
    }
}

/// A proposal was counted as new; what staff decide of it comes later, in a PR of a higher revision.
fn a_declined_proposal_is_told_by_a_revision(world: &World, uid: &str) {
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let reader = Reader::open(&centre_db).expect("opens");
    let row = format!("SELECT id FROM recipient WHERE uid = '{uid}'");
    let id: String = reader.one(&row, [], |row| row.get(0)).expect("read").expect("a row");
    world.spoke(1, &["propose", "recipient", &id, "surname=Иная", "--reason", "по телефону"]).expect("kept");
    let review = wait_for(world, "the question", || {
        let listed = world.hub(&["review", "list"]).expect("listed");
        let reviews = listed["reviews"].as_array().expect("a list").clone();
        reviews.into_iter().find(|one| one["kind"] == "proposal").map(|one| one["review"].clone())
    });
    let answer = world.layout.hub().join("answer.csv");
    fs::write(&answer, format!("review;decision;reason\n{review};отклонить;в паспорте иначе\n"))
        .expect("written");
    world.hub(&["review", "apply", answer.to_str().expect("UTF-8")]).expect("declined");
    let told = "SELECT count(*) FROM svod_proposal WHERE state = 'declined' AND words = 'в паспорте иначе'";
    wait(world, &centre_db, told, 1);
    let revised = "SELECT count(*) > 0 FROM packet WHERE kind = 'PR' AND direction = 'out' AND revision > 1";
    assert_eq!(count(&hub_db, revised), 1);
}

/// The centre's database is put back from a copy, and the hub lacks a record of it: data stop, and what the hub asks for
/// comes unconfirmed. The mirror is compared, nothing else is taken.
fn a_restored_centre_tells_the_mirror_alone(world: &World, copy: &Path) {
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let code = centre_code(1);
    let known = count(&hub_db, "SELECT count(*) FROM received");
    write(&centre_db, &format!("VACUUM INTO '{}'", copy.display()));
    world.daemons.kill("hub");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('x6', 'Забытая')");
    data_in(world, &world.layout.mailbox(code, "in"));
    world.daemons.kill(&centre_name(1));
    for log in ["centre.db-wal", "centre.db-shm"] {
        let _ = fs::remove_file(centre_db.with_file_name(log));
    }
    fs::copy(copy, &centre_db).expect("put back");
    let lost = "DELETE FROM received WHERE kind = 'contract' AND key = (SELECT min(key) FROM received
                WHERE kind = 'contract' AND form = 'live')";
    write(&hub_db, &format!("{lost}; UPDATE stream SET received_digest = '{}'", "0".repeat(64)));
    lose_archive(world);
    world.start_hub().expect("started");
    wait(world, &hub_db, "SELECT count(*) FROM received", known);
    let asked = |what| format!("SELECT count(*) FROM request WHERE asks = '{what}' AND next_at NOTNULL");
    wait(world, &hub_db, &asked("range_digests"), 1);
    // nobody replies
    world.daemons.kill("hub");
    write(&hub_db, "UPDATE request SET next_at = '2020-01-01T00:00:00Z' WHERE next_at NOTNULL");
    world.start_hub().expect("started");
    wait(world, &hub_db, &asked("snapshot"), 1);
    world.start_centre(1).expect("started");
    let told = "SELECT count(*) > 0 FROM svod_packet WHERE kind = 'SN' AND unconfirmed AND state = 'APPLIED'";
    wait(world, &centre_db, told, 1);
    let looked = "SELECT count(*) > 0 FROM journal WHERE event = 'snapshot.unconfirmed'";
    assert_eq!(count(&hub_db, looked), 1);
    let stopped = "SELECT count(*) FROM svod_stream WHERE direction = 'out' AND stop = 'RESTORED'";
    assert_eq!(count(&centre_db, stopped), 1);
    let at = format!("SELECT count(*) FROM stream WHERE peer = '{code}' AND in_epoch = 2 AND stop ISNULL");
    assert_eq!(count(&hub_db, &at), 1, "its epoch does not begin, and the hub was not restored");
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received"), known, "nothing of it is applied");
    assert_eq!(count(&hub_db, &asked("snapshot")), 1, "until a confirmed one comes");
}

const LOCKED: &str = "SELECT count(*) FROM svod_record WHERE state = 'locked'";

#[test]
fn a_centre_returns_on_another_machine_with_other_keys() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = merged(dir.path());
    let (hub_db, centre_db) = (world.layout.hub_db(), world.layout.centre_db(1));
    let code = centre_code(1);
    let known = count(&hub_db, "SELECT count(*) FROM received");
    let locked = count(&centre_db, LOCKED);
    world.daemons.kill(&centre_name(1));
    world.replace_machine(1).expect("replaced");
    write(&centre_db, "INSERT INTO recipient (id, surname) VALUES ('n1', 'Новая'), ('n2', 'Другая')");
    // a hub that starts finds its watermark where the former machine has left it
    world.daemons.kill("hub");
    world.start_hub().expect("started");
    world.start_centre(1).expect("started");
    let epoch = format!("SELECT count(*) FROM stream WHERE peer = '{code}' AND in_epoch = 2");
    wait(&world, &hub_db, &epoch, 1);
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 2);
    world.hub(&["merge"]).expect("merged");
    // what the centre writes goes on, whether the lock of the row has come already or not
    write(
        &centre_db,
        "INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'n1', 'phone', '+7 900')",
    );
    wait(&world, &hub_db, "SELECT count(*) FROM received", known + 3);
    world.wait_settled(&mut |_| ()).expect("settled");
    // and what was published to the centre before has come back with them
    wait(&world, &centre_db, LOCKED, locked + 2);
    let incidents =
        "SELECT group_concat(code || coalesce(' ' || packet, '')) FROM incident WHERE closed_at IS NULL";
    let open =
        Reader::open(&hub_db).expect("opens").one(incidents, [], |row| row.get::<_, Option<String>>(0));
    assert_eq!(open.expect("read").flatten(), None);
    assert_eq!(count(&centre_db, "SELECT count(*) FROM svod_incident WHERE closed_at IS NULL"), 0);
    assert_eq!(
        count(&hub_db, &format!("SELECT count(*) FROM stream WHERE peer = '{code}' AND stop IS NULL")),
        1
    );
    world.daemons.stop_all().expect("stopped");
}
