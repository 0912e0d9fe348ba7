//! Rows of the hub's database that were altered past its program: what is never signed, and how it comes right.

use exchange_format::{
    answer::{Request, SnapshotCause},
    packet::{Nonce, SnapshotBasis},
    position::Digest,
    record::{Kind, Record},
};
use svod_hub::{
    database::drawn::Drawn,
    edges::{hub::Hub, operations::status},
};

use super::{
    TestHub, anna,
    centre::now,
    record,
    requests::{incidents, published},
};

/// The hub's database, past its program.
pub(super) fn beside(hub: &TestHub, sql: &str) {
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
    db.execute_batch(sql).expect("written");
}

#[test]
fn a_number_that_a_centre_has_written_into_its_copy_is_not_taken_back() {
    for signed in [false, true] {
        let (mut hub, mut centre, read) = published();
        let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("a person");
        // its own sum of what it has published was damaged: it asks for the centre's copy
        beside(&hub, &format!("UPDATE stream SET sent_digest = '{}'", "0".repeat(64)));
        hub.hub.audit(centre.code, now()).expect("looked");
        hub.send();
        let asked = centre.read_out().requests;
        let [(id, Request::Snapshot { cause: SnapshotCause::Divergence, .. })] = asked[..] else {
            panic!("{asked:?}")
        };
        let written = Record { version: 7, ..person.clone() };
        let mirror = if signed { hub.signed(&centre, &written) } else { written };
        let parts = [vec![anna(1, 1, &[])]];
        for name in centre.snapshot_with(2, SnapshotBasis::Requested { request: id }, &parts, &[mirror]) {
            hub.take(&centre, &name);
        }
        let known =
            hub.hub.store.read(|tx| tx.publication(centre.code, Kind::Person, person.key)).expect("read");
        assert_eq!(known.expect("published").version, if signed { 7 } else { 1 });
        assert!(!incidents(&hub).contains(&"RESTORED".to_owned()));
    }
}

#[test]
fn what_cannot_be_sealed_for_one_centre_is_its_incident_and_ends_nothing() {
    let (mut hub, centre, read) = published();
    let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("a person");
    let (top, body) = (format!("version = {}", u32::MAX), "body = CAST(CAST(body AS TEXT) || ' ' AS BLOB)");
    for damage in [top.as_str(), body] {
        beside(
            &hub,
            &format!(
                "UPDATE publication SET state = 'pending', sealed_sha256 = '{}', {damage} WHERE kind = 'person'",
                "a".repeat(64)
            ),
        );
        centre.clear_out();
        assert!(hub.hub.seal(now()).is_err(), "{damage}");
        assert!(hub.hub.seal(now()).is_err(), "{damage}");
        assert_eq!(incidents(&hub), ["UNSEALED"], "{damage}");
        assert!(centre.read_out().records.is_empty());
        let body = person.body.clone();
        let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
        db.execute("UPDATE publication SET version = 1", []).expect("written");
        db.execute("UPDATE publication SET body = ?1 WHERE kind = 'person'", [body]).expect("written");
        hub.send();
        assert_eq!(incidents(&hub), [""; 0], "{damage}");
        let told = centre.read_out().records;
        assert_eq!(told.iter().map(|one| (one.kind, one.version)).collect::<Vec<_>>(), [(Kind::Person, 2)]);
    }
}

#[test]
fn a_service_whose_row_was_altered_is_found_and_goes_out_as_it_was_drawn_up() {
    let (mut hub, centre, _) = published();
    let service = record(Kind::Service, 61, 1, &[("code", "1.1"), ("name", "Бритьё")]);
    let body = service.read_body().expect("a body");
    let drawn = Drawn { key: service.key, id: "у1".into(), person: None, body };
    let Hub { store, context, .. } = &mut hub.hub;
    store.write(|tx| context.register(tx, "test", now()).draw(&drawn, "приказ")).expect("drawn up");
    hub.send();
    centre.clear_out();
    beside(
        &hub,
        "UPDATE publication SET body = CAST(replace(CAST(body AS TEXT), 'Бритьё', 'Стрижка') AS BLOB) WHERE kind = 'service'",
    );
    assert!(hub.hub.audit(centre.code, now()).expect("looked"));
    assert!(!hub.hub.audit(centre.code, now()).expect("looked"));
    // it was over in the moment in which it was found, and staff learn of it
    let over = status::status(&hub.config(), now()).expect("told").closed_incidents;
    assert_eq!(over.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["DIVERGED"]);
    let name = centre.ask(&Request::Snapshot { cause: SnapshotCause::Operator, seen: None }, Nonce([1; 16]));
    hub.take(&centre, &name);
    hub.send();
    let told = centre.read_out().records;
    let told = told.iter().find(|one| one.kind == Kind::Service).expect("told");
    assert_eq!((&told.body, told.version), (&service.body, 1));
}

#[test]
fn a_text_that_nothing_here_says_is_told_once_and_asked_for_once() {
    let (mut hub, mut centre, read) = published();
    let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("a person").clone();
    let damage =
        "body = CAST(CAST(body AS TEXT) || ' ' AS BLOB), person = '00000000-0000-4000-8000-000000000000'";
    beside(&hub, &format!("UPDATE publication SET {damage} WHERE kind = 'person'"));
    assert!(hub.hub.audit(centre.code, now()).expect("looked"));
    for _ in 0..3 {
        assert!(!hub.hub.audit(centre.code, now()).expect("looked"), "nothing new");
    }
    assert_eq!(incidents(&hub), ["UNSEALED"]);
    let told = status::status(&hub.config(), now()).expect("told").incidents;
    assert_eq!(told.iter().map(|one| one.times).collect::<Vec<_>>(), [1]);
    hub.send();
    let asked = centre.read_out().requests;
    let [(id, Request::Snapshot { cause: SnapshotCause::Divergence, .. })] = asked[..] else {
        panic!("{asked:?}")
    };
    let parts = [vec![anna(1, 1, &[])]];
    let mirror = [person.clone()];
    for name in centre.snapshot_with(2, SnapshotBasis::Requested { request: id }, &parts, &mirror) {
        hub.take(&centre, &name);
    }
    let known = hub.hub.store.read(|tx| tx.publication(centre.code, Kind::Person, person.key)).expect("read");
    assert_eq!(known.expect("published").body, person.body);
    assert_eq!(incidents(&hub), [""; 0]);
}

#[test]
fn text_and_hash_that_were_altered_together_are_found() {
    let (mut hub, centre, read) = published();
    let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("a person").clone();
    let body = String::from_utf8(person.body.clone()).expect("text").replace("Анна", "Алла");
    let hash = Digest::of(body.as_bytes());
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
    let sql = "UPDATE publication SET body = CAST(?1 AS BLOB), sha256 = ?2 WHERE kind = 'person'";
    assert_eq!(db.execute(sql, [&body, &hash.to_string()]).expect("written"), 1);
    assert!(hub.hub.audit(centre.code, now()).expect("looked"));
    let known = hub.hub.store.read(|tx| tx.publication(centre.code, Kind::Person, person.key)).expect("read");
    let known = known.expect("published");
    assert_eq!((known.body, known.version, known.is_pending), (person.body, 1, false));
}
