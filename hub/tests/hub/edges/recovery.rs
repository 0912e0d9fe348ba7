//! A hub whose database was put back from a copy: it holds what comes, and goes on when a person has seen what differs.

use std::{fs, path::Path};

use exchange_endpoint::instance::InstanceLock;
use exchange_format::{
    answer::{Request, SnapshotCause},
    file_name::PacketKind,
    packet::manifest::SnapshotBasis,
    record::{Kind, Record},
    stream::Control,
};
use jiff::{SignedDuration, Timestamp};
use svod_hub::{
    database::{Store, linking::Act},
    edges::{
        hub::Hub,
        intake::Taken,
        older::judge_watermark,
        operations::{
            enrol::{disable, keep_shut_out},
            status,
        },
        resync,
    },
};

use super::{TestHub, anna, centre::now, record, rules::merged_and_told};

fn boris(version: u32) -> Record {
    let fields =
        [("surname", "Громов"), ("given", "Борис"), ("patronymic", "Петрович"), ("birth_date", "01.02.1950")];
    record(Kind::RecipientClaim, 2, version, &fields)
}

fn vera() -> Record {
    let fields =
        [("surname", "Ясная"), ("given", "Вера"), ("patronymic", "Олеговна"), ("birth_date", "05.06.1939")];
    record(Kind::RecipientClaim, 3, 1, &fields)
}

fn copy(dir: &Path) {
    let db = rusqlite::Connection::open(dir.join("hub.db")).expect("opens");
    db.execute("VACUUM INTO ?1", [dir.join("older.db").to_str().expect("UTF-8")]).expect("copied");
}

/// The hub, its database put back from the copy, as a daemon begins.
fn put_back(hub: TestHub) -> TestHub {
    let TestHub { dir, hub } = hub;
    drop(hub);
    fs::rename(dir.path().join("older.db"), dir.path().join("hub.db")).expect("put back");
    let mut hub = TestHub { hub: TestHub::opened(dir.path()), dir };
    let Hub { store, context, watermark, .. } = &mut hub.hub;
    store.keep_log().expect("set");
    store.write(|tx| judge_watermark(tx, watermark, context.code, now())).expect("judged");
    hub
}

fn overdue(hub: &TestHub, at: Timestamp) -> Vec<&'static str> {
    let config = hub.config();
    let _runs = InstanceLock::acquire(&config.path(&config.database)).expect("free");
    status::status(&hub.config(), at).expect("told").overdue.into_iter().map(|one| one.what).collect()
}

#[test]
fn a_restored_hub_holds_what_comes_and_knows_again_whom_it_had_published() {
    let mut hub = TestHub::new();
    let (mut centre, told) = merged_and_told(&mut hub, 1, vec![anna(1, 1, &[])]);
    centre.control = Control { ack: told.last, echo: None };
    copy(hub.dir.path());
    // what is lost: a person, known to the centre by an id and a number
    let name = centre.data(&[boris(1)]);
    hub.take(&centre, &name);
    hub.send();
    let lost = centre.read_out();
    centre.clear_out();
    let person = lost.records.iter().find(|record| record.kind == Kind::Person).expect("published").clone();

    let mut hub = put_back(hub);
    hub.send();
    let [(id, Request::Snapshot { cause: SnapshotCause::Restored, .. })] = centre.read_out().requests[..]
    else {
        panic!("it asks for what it is compared with")
    };
    assert_eq!(overdue(&hub, now()), [""; 0]);
    assert_eq!(overdue(&hub, now() + SignedDuration::from_hours(3)), ["comparison", "silence"]);
    centre.clear_out();
    let mirror: Vec<Record> = told.records.iter().chain(&lost.records).cloned().collect();
    let parts = [vec![anna(1, 1, &[]), boris(1), vera()]];
    for name in centre.snapshot_with(2, SnapshotBasis::Requested { request: id }, &parts, &mirror) {
        assert_eq!(hub.take(&centre, &name), Taken::Done(Vec::new()), "held");
    }
    hub.send();
    assert_eq!(centre.read_out().kinds, [PacketKind::Receipt]);
    let known = |hub: &mut TestHub| hub.hub.store.read(|tx| tx.person(person.key)).expect("read");
    assert!(known(&mut hub).is_none());
    assert_eq!(overdue(&hub, now()), ["recovery"]);

    let seen = resync::look(&hub.config()).expect("looked");
    let told = serde_json::to_value(&seen).expect("JSON");
    assert_eq!(told[0]["stage"], "ready");
    assert_eq!(told[0]["published"], serde_json::json!({"person": {"back": 1}, "link": {"back": 1}}));
    assert_eq!(told[0]["records"], serde_json::json!({"recipient_claim": {"new": 2}}));
    let act = Act { actor: "test", reason: "checked", at: &now().to_string() };
    resync::confirm(&hub.config(), &seen, act, now()).expect("confirmed");
    centre.clear_out();
    hub.send();
    let read = centre.read_out();
    let compared = centre.last.expect("sealed").digest;
    assert_eq!(read.snapshots, [SnapshotBasis::Recovered { compared }]);
    let people: Vec<&Record> = read.records.iter().filter(|record| record.kind == Kind::Person).collect();
    assert_eq!(people.len(), 3, "nobody twice");
    let again = people.iter().find(|one| one.key == person.key).expect("the same id");
    assert_eq!((again.version, &again.body), (person.version, &person.body), "and the same number");
    assert_eq!(read.protocols.len(), 1, "the snapshot has its protocol");
    let after = status::status(&hub.config(), now()).expect("told");
    assert_eq!((after.incidents, after.overdue), (Vec::new(), Vec::new()));
    assert_eq!(after.centres[0].stopped, None);
    // the watermark follows the journal of the older database
    assert!(hub.hub.store.read(|tx| tx.journal_begins_with(hub.hub.watermark.journal())).expect("read"));
    let name = centre.data(&[boris(2)]);
    assert!(matches!(hub.take(&centre, &name), Taken::Done(applied) if applied.len() == 1));
}

#[test]
fn who_was_shut_out_after_the_copy_stays_out() {
    let mut hub = TestHub::new();
    let (centre, _) = merged_and_told(&mut hub, 1, vec![anna(1, 1, &[])]);
    copy(hub.dir.path());
    disable(&hub.config(), centre.code, "утрачен компьютер", "test", now()).expect("shut out");
    let mut hub = put_back(hub);
    let Hub { store, context, .. } = &mut hub.hub;
    let is_active = |store: &mut Store| {
        store.read(|tx| tx.centre(centre.code)).expect("read").is_some_and(|centre| centre.active)
    };
    assert!(is_active(store), "the copy does not know");
    store.write(|tx| keep_shut_out(context, tx, now())).expect("shut out again");
    assert!(!is_active(store));
}

#[test]
fn what_waits_for_too_long_is_told() {
    let mut hub = TestHub::new();
    let (mut centre, told) = merged_and_told(&mut hub, 1, vec![anna(1, 1, &[])]);
    centre.data(&[anna(1, 2, &[("phone", "1")])]);
    let held = centre.data(&[anna(1, 3, &[("phone", "2")])]);
    hub.take(&centre, &held);
    let later = now() + SignedDuration::from_mins(1);
    hub.hub.seal(later).expect("sealed");
    let hours = |n| now() + SignedDuration::from_hours(n);
    assert_eq!(overdue(&hub, now() + SignedDuration::from_mins(10)), [""; 0]);
    let late = ["receipt", "held", "asked", "silence"];
    assert_eq!(
        overdue(&hub, hours(1)),
        late,
        "the hub's snapshot lies there, a packet is missing, nothing comes"
    );
    // the centre was restored, and does not recover
    let request = Request::Snapshot { cause: SnapshotCause::Restored, seen: told.last };
    let name = centre.ask(&request, exchange_format::packet::Nonce([7; 16]));
    hub.take(&centre, &name);
    assert!(overdue(&hub, hours(50)).contains(&"peer_recovery"));
    let name = centre.data(&[anna(1, 4, &[("phone", "3")])]);
    assert!(matches!(hub.take(&centre, &name), Taken::Quarantined(_)), "of its former life nothing counts");
}
