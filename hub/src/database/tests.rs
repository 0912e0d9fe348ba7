//! The store over real files.

use std::time::Duration;

use exchange_format::{
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark, Position, Seq},
    record::{Body, Form, Kind, RecordId},
    stream::Stop,
};

use super::{
    received::{Arrived, Standing},
    streams::Streams,
    *,
};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::create(&dir.path().join("hub.db")).expect("made");
    (dir, store)
}

fn centre() -> ParticipantCode {
    ParticipantCode::new(42, 1)
}

fn id(n: u8) -> RecordId {
    RecordId::from_random([n; 16])
}

fn body(surname: &str) -> Vec<u8> {
    let mut body = Body::new(Kind::RecipientClaim);
    body.set("surname", surname).expect("plain");
    body.to_xml()
}

fn arrived(version: u32, body: &[u8], keep_basis: bool) -> Arrived<'_> {
    Arrived {
        origin: centre(),
        kind: Kind::RecipientClaim,
        key: id(1),
        version,
        form: Form::Live,
        hash: Digest::of(body),
        body,
        outcome: "new",
        rule: None,
        packet: "P",
        standing: Standing::Applied,
        keep_basis,
    }
}

#[test]
fn a_transaction_that_fails_leaves_nothing() {
    let (_dir, mut store) = store();
    let failed: Result<()> = store.write(|tx| {
        tx.add_person(id(1), "42-32701000-000001-5", 1)?;
        Err(DatabaseError::Busy)
    });
    assert!(failed.is_err());
    let count = |store: &mut Store| store.read(|tx| tx.last_serial()).expect("read");
    assert_eq!(count(&mut store), 0);
    store.write(|tx| tx.add_person(id(1), "42-32701000-000001-5", 1)).expect("written");
    assert_eq!(count(&mut store), 1);
}

#[test]
fn a_newer_version_may_leave_the_basis_as_it_was() {
    let (_dir, mut store) = store();
    let (one, two, three) = (body("Белова"), body("Зуева"), body("Сизова"));
    let surname = |store: &mut Store| {
        let claim = store
            .read(|tx| tx.received_by_key(centre(), Kind::RecipientClaim, id(1)))
            .expect("read")
            .expect("there")
            .claim;
        (claim.version, claim.body.text("surname").map(str::to_owned))
    };
    let row =
        store.write(|tx| tx.store_received(None, &arrived(1, &one, false))).expect("stored").expect("new");
    let again = store.write(|tx| tx.store_received(None, &arrived(2, &two, false))).expect("no error");
    assert_eq!(again, None, "what is there is not stored as new");
    assert_eq!(surname(&mut store), (1, Some("Белова".into())));
    store.write(|tx| tx.store_received(Some(row), &arrived(2, &two, true))).expect("stored");
    store.write(|tx| tx.store_received(Some(row), &arrived(3, &three, true))).expect("stored");
    assert_eq!(surname(&mut store), (1, Some("Белова".into())));
    let known = store.read(|tx| tx.known(centre(), Kind::RecipientClaim, id(1))).expect("read");
    let known = known.expect("known");
    assert_eq!((known.id, known.version, known.basis_version), (row, 3, Some(1)));
    store.write(|tx| tx.accept_newest(row)).expect("accepted");
    assert_eq!(surname(&mut store), (3, Some("Сизова".into())));
}

#[test]
fn streams_read_back() {
    let (_dir, mut store) = store();
    let mark = |seq| Mark {
        position: Position { epoch: Epoch::FIRST, seq: Seq::new(seq).expect("small") },
        digest: Digest::of(&[1]),
    };
    let mut streams = Streams::default();
    store.write(|tx| tx.set_streams(centre(), &streams)).expect("stored");
    streams.outgoing.last = Some(mark(7));
    streams.outgoing.stop = Some(Stop::Restored);
    streams.outgoing.highest_epoch = Some(Epoch::FIRST);
    streams.incoming.last = Some(mark(3));
    streams.sent.add(&Digest::of(&[2]));
    store.write(|tx| tx.set_streams(centre(), &streams)).expect("stored");
    let read = store.read(|tx| tx.streams(centre())).expect("read");
    assert_eq!(read.outgoing, streams.outgoing);
    assert_eq!(read.incoming, streams.incoming);
    assert_eq!((read.sent, read.received), (streams.sent, streams.received));
}

#[test]
fn a_publication_is_pending_only_while_it_differs_from_what_was_sealed() {
    let (_dir, mut store) = store();
    let publish = |store: &mut Store, text: &str| {
        let body = text.as_bytes();
        store
            .write(|tx| tx.publish(centre(), Kind::Person, id(1), Form::Live, body, id(1)))
            .expect("published")
    };
    assert!(publish(&mut store, "a"));
    store
        .write(|tx| {
            let found = tx.to_seal(centre(), Kind::Person, None, false, 10)?;
            assert_eq!(found.len(), 1);
            tx.publication_sealed(centre(), &found[0], 1, "P")
        })
        .expect("sealed");
    assert!(!publish(&mut store, "a"));
    assert!(publish(&mut store, "b"));
    assert!(!publish(&mut store, "a"), "changed back before it was sealed");
    // a PR closes exactly the version that the packet carried
    publish(&mut store, "c");
    let closed = store.write(|tx| tx.close_carried("P")).expect("closed");
    assert_eq!(closed, 0, "a newer one is on its way");
}

#[test]
fn what_was_never_sealed_is_forgotten_and_what_was_is_ended() {
    let (_dir, mut store) = store();
    let read = |tx: &Tx<'_>| tx.publication(centre(), Kind::Link, id(1));
    store
        .write(|tx| {
            tx.publish(centre(), Kind::Link, id(1), Form::Live, b"x", id(2))?;
            tx.unpublish(centre(), Kind::Link, id(1), Form::Tombstone)?;
            assert_eq!(read(tx)?, None);
            tx.publish(centre(), Kind::Link, id(1), Form::Live, b"x", id(2))?;
            let one = read(tx)?.expect("there");
            tx.publication_sealed(centre(), &one, 1, "P")?;
            tx.unpublish(centre(), Kind::Link, id(1), Form::Tombstone)?;
            let ended = read(tx)?.expect("there");
            assert_eq!((ended.form, ended.version, ended.body.len()), (Form::Tombstone, 1, 0));
            Ok::<(), DatabaseError>(())
        })
        .expect("done");
}

#[test]
fn another_connections_commit_changes_the_data_version() {
    let (dir, mut store) = store();
    let mut other = Store::open(&dir.path().join("hub.db")).expect("opened");
    let before = store.data_version().expect("read");
    store.write(|tx| tx.set_centres_merged(&[centre()])).expect("own");
    assert_eq!(store.data_version().expect("read"), before);
    other.write(|tx| tx.add_person(id(1), "42-32701000-000001-5", 1)).expect("other's");
    assert_ne!(store.data_version().expect("read"), before);
}

#[test]
fn bad_databases_are_told_apart() {
    let (dir, _store) = store();
    let path = dir.path().join("hub.db");
    assert!(matches!(Store::create(&path), Err(DatabaseError::Exists(_))));
    assert!(matches!(Store::open(&dir.path().join("none.db")), Err(DatabaseError::Absent(_))));
    rusqlite::Connection::open(&path)
        .and_then(|db| db.pragma_update(None, "user_version", 99))
        .expect("written");
    assert!(matches!(Store::open(&path), Err(DatabaseError::Newer { found: 99, .. })));
    rusqlite::Connection::open(&path)
        .and_then(|db| db.pragma_update(None, "user_version", 0))
        .expect("written");
    assert!(matches!(Store::open(&path), Err(DatabaseError::Older { found: 0, .. })));
}

#[test]
fn a_draft_keeps_nobody_waiting_and_is_taken_over_whole_or_not_at_all() {
    let (dir, mut store) = store();
    let mut other = Store::open(&dir.path().join("hub.db")).expect("opened");
    other.connection.busy_timeout(Duration::from_millis(50)).expect("set");
    let serials = |store: &mut Store| -> Vec<(u64, Option<RecordId>)> {
        let person = |tx: &Tx<'_>, n| tx.person(id(n)).map(|p| p.map(|p| (p.serial, p.merged_into)));
        let read = |tx: &Tx<'_>| (1..=4).map(|n| person(tx, n)).collect::<Result<Vec<_>>>();
        store.read(read).expect("read").into_iter().flatten().collect()
    };
    let add = |tx: &Tx<'_>, n: u8| tx.add_person(id(n), &format!("42-32701000-00000{n}"), n.into());
    // into empty tables
    let draft = |tx: &Tx<'_>| add(tx, 1).and_then(|()| add(tx, 2));
    let ((), basis) = store.draft(draft).expect("drafted");
    assert_eq!((serials(&mut store).len(), serials(&mut other).len()), (2, 0));
    assert_eq!(store.adopt(&basis, |_| Ok::<_, DatabaseError>(7)).expect("adopted"), Some(7));
    assert_eq!(serials(&mut other), [(1, None), (2, None)]);
    // rows changed, added, and gone, while another connection holds the right to write
    other.write(|tx| tx.set_link_keys(&[(1, [7].into())].into())).expect("keys");
    let (drafted, basis) = other
        .write(|_| {
            let drafted = store.draft(|tx| {
                tx.set_merged_into(id(2), Some(id(1)))?;
                tx.set_link_keys(&[(1, [].into())].into())?;
                add(tx, 3)
            });
            Ok::<_, DatabaseError>(drafted)
        })
        .expect("the other writes on")
        .expect("drafted meanwhile");
    let () = drafted;
    assert_eq!(serials(&mut other), [(1, None), (2, None)]);
    store.adopt(&basis, |_| Ok::<_, DatabaseError>(())).expect("adopted").expect("the basis stands");
    assert_eq!(serials(&mut other), [(1, None), (2, Some(id(1))), (3, None)]);
    let keys = "SELECT (SELECT count(*) FROM link_key_late) + (SELECT count(*) FROM claim_keys)";
    assert_eq!(other.read(|tx| tx.value::<i64>(keys, [])).expect("read"), Some(0));
    // a packet came meanwhile
    let ((), basis) = store.draft(|tx| add(tx, 4)).expect("drafted");
    let mut streams = Streams::default();
    streams.outgoing.last = Some(Mark {
        position: Position { epoch: Epoch::FIRST, seq: Seq::new(1).expect("small") },
        digest: Digest::of(&[1]),
    });
    other.write(|tx| tx.put_centre(&known_centre(), "2026-11-22T00:00:00Z")).expect("a centre");
    other.write(|tx| tx.set_streams(centre(), &streams)).expect("stored");
    assert_eq!(store.adopt(&basis, |_| Ok::<_, DatabaseError>(())).expect("asked"), None);
    assert_eq!((serials(&mut store).len(), serials(&mut other).len()), (3, 3), "nothing is left of it");
    // one that fails leaves nothing either
    let failed: Result<((), _)> = store.draft(|tx| add(tx, 4).and(Err(DatabaseError::Busy)));
    assert!(failed.is_err());
    assert_eq!(serials(&mut store).len(), 3);
}

#[test]
fn what_is_kept_aside_is_listed_with_what_it_waits_for() {
    let (_dir, mut store) = store();
    let person = body("Белова");
    let contract = |key, referent, outcome| {
        let mut body = Body::new(Kind::Contract);
        body.set("recipient", &id(referent).to_string()).expect("plain");
        let bytes = body.to_xml();
        move |tx: &Tx<'_>| {
            let mut one = arrived(1, &bytes, false);
            (one.kind, one.key, one.outcome) = (Kind::Contract, id(key), outcome);
            one.rule = (outcome == "held").then_some("DANGLING_REF");
            let row = tx.store_received(None, &one)?.expect("new");
            tx.set_references(centre(), row, &[id(referent)], true)
        }
    };
    let known = store.write(|tx| tx.store_received(None, &arrived(1, &person, false))).expect("stored");
    store.write(contract(2, 1, "new")).expect("stored");
    store.write(contract(3, 9, "held")).expect("stored");
    let told = |store: &mut Store| -> Vec<(String, String, Vec<String>)> {
        let kept = store.read(|tx| tx.kept_aside(10)).expect("read");
        kept.into_iter().map(|one| (one.key, one.why, one.waits_for)).collect()
    };
    let waits = vec![id(9).to_string()];
    assert_eq!(told(&mut store), [(id(3).to_string(), "held".to_owned(), waits.clone())]);
    // a new epoch whose snapshot names the person only
    store.write(|tx| tx.orphan_all(centre())).expect("orphaned");
    store.write(|tx| tx.store_received(known, &arrived(1, &person, false))).expect("stored");
    let orphan = |key, waits| (id(key).to_string(), "orphan".to_owned(), waits);
    assert_eq!(told(&mut store), [orphan(2, vec![]), orphan(3, waits)]);
    let counts = store.read(|tx| tx.orphan_counts()).expect("read");
    assert_eq!(counts, [(centre().to_string(), 2)]);
}

#[test]
fn what_came_since_the_last_merge_is_found_beside_what_it_weighed() {
    let (_dir, mut store) = store();
    let body = body("Белова");
    let found = |tx: &Tx<'_>, claim, keys: &[i64], limit| -> Result<Vec<i64>> {
        let wanted = [(claim, keys.iter().copied().collect())].into();
        let other = |(a, b): (i64, i64)| if a == claim { b } else { a };
        let mut others: Vec<i64> = tx.candidates(&wanted, limit)?.into_iter().map(other).collect();
        others.sort_unstable();
        Ok(others)
    };
    let done: Result<()> = store.write(|tx| {
        assert_eq!(tx.store_received(None, &arrived(1, &body, false))?, Some(1));
        let merged = [(1, [5, 6].into()), (2, [6, 7].into())];
        tx.set_all_link_keys(merged.into_iter().map(Ok::<_, DatabaseError>))?;
        tx.set_link_keys(&[(3, [5, 7].into())].into())?;
        assert_eq!(found(tx, 3, &[5, 7], 9)?, [1, 2]);
        assert_eq!(found(tx, 1, &[5, 6], 9)?, [2, 3]);
        assert_eq!(found(tx, 9, &[7], 1)?, [0; 0], "too many, of both tables together");
        // who says something else is no longer found by what it said
        tx.set_link_keys(&[(1, [6, 8].into())].into())?;
        tx.set_link_keys(&[(3, [6, 8].into())].into())?;
        assert_eq!((found(tx, 9, &[5], 9)?, found(tx, 9, &[7], 9)?), (vec![], vec![2]));
        assert_eq!((found(tx, 9, &[8], 9)?, found(tx, 9, &[6], 9)?), (vec![1, 3], vec![1, 2, 3]));
        let crowds = |limit| tx.crowds(limit).map(|all| all.iter().map(|one| one.claims).collect::<Vec<_>>());
        assert_eq!((crowds(2)?, crowds(3)?), (vec![3], vec![]));
        // who has gone is not found either
        tx.set_link_keys(&[(1, [].into())].into())?;
        assert_eq!((found(tx, 9, &[6], 9)?, found(tx, 9, &[8], 9)?), (vec![2, 3], vec![3]));
        // the next merge has all in its table
        tx.set_all_link_keys([(3, [6].into())].into_iter().map(Ok::<_, DatabaseError>))?;
        assert_eq!(found(tx, 9, &[6, 7, 8], 9)?, [3]);
        let late = tx.value::<i64>("SELECT count(*) FROM link_key_late", [])?;
        assert_eq!(late, Some(0));
        Ok(())
    });
    done.expect("done");
}

fn known_centre() -> centres::Centre {
    centres::Centre {
        code: centre(),
        name: "ЦСОН".into(),
        card: "c.card".into(),
        fingerprint: "f".into(),
        password: "p".into(),
        certificate: centres::ClientCertificate::None,
        active: true,
        merged: false,
    }
}

#[test]
fn a_busy_database_is_told() {
    let (dir, mut store) = store();
    let mut other = Store::open(&dir.path().join("hub.db")).expect("opened");
    other.connection.busy_timeout(Duration::from_millis(50)).expect("set");
    let told = store.write(|tx| {
        tx.add_person(id(1), "42-32701000-000001-5", 1)?;
        Ok::<_, DatabaseError>(other.write(|tx| tx.last_serial()))
    });
    assert!(matches!(told, Ok(Err(DatabaseError::Busy))));
}

#[test]
fn a_database_of_the_schema_before_is_taken_over() {
    let (dir, store) = store();
    store
        .connection
        .execute_batch(
            "DROP TABLE written; DROP TABLE day_ahead; DROP TABLE judged_by; DROP TABLE claim_reading; DROP TABLE publication; DROP VIEW field_source; DROP TABLE person_source;
             DROP INDEX person_record_uid; DROP INDEX person_record_claim;
             CREATE TABLE publication(centre TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
               version INTEGER NOT NULL DEFAULT 0, sha256 TEXT NOT NULL, packet TEXT, state TEXT NOT NULL,
               form TEXT NOT NULL, body BLOB NOT NULL, sealed_form TEXT, sealed_sha256 TEXT, person TEXT NOT NULL,
               PRIMARY KEY(centre, kind, key)) WITHOUT ROWID;
             CREATE INDEX publication_pending ON publication(centre, kind, key) WHERE state = 'pending';
             CREATE INDEX publication_person ON publication(person);
             CREATE TABLE field_source(uid TEXT NOT NULL, field TEXT NOT NULL, origin TEXT NOT NULL, key TEXT NOT NULL,
               PRIMARY KEY(uid, field)) WITHOUT ROWID;
             CREATE INDEX person_record_uid ON person_record(uid);
             CREATE INDEX person_record_claim ON person_record(claim);
             INSERT INTO publication VALUES
               ('c', 'person', 'k', 3, 'h', 'p', 'sealed', 'live', x'3c', 'live', 'h', 'u'),
               ('c', 'link', 'k', 0, 'g', NULL, 'pending', 'live', x'3e', NULL, NULL, 'u');
             INSERT INTO field_source VALUES
               ('u', 'surname', 'c', '1'), ('u', 'name', 'd', '2'), ('u', 'birth_date', 'c', '1'), ('v', 'name', 'c', '3');
             PRAGMA user_version = 13;",
        )
        .expect("as it was");
    let rows = |store: &Store, sql: &str| -> Vec<String> {
        let mut select = store.connection.prepare(sql).expect("good");
        let found = select.query_map([], |row| row.get(0)).expect("read");
        found.collect::<std::result::Result<_, _>>().expect("text")
    };
    let published = "SELECT concat_ws(' ', centre, kind, key, version, sha256, packet, state, form, hex(body), sealed_form,
                       sealed_sha256, person) FROM publication ORDER BY 1";
    let sources = "SELECT concat_ws(' ', uid, field, origin, key) FROM field_source ORDER BY 1";
    let before = [rows(&store, published), rows(&store, sources)];
    store.close().expect("closed");
    let store = Store::open(&dir.path().join("hub.db")).expect("taken over");
    assert_eq!([rows(&store, published), rows(&store, sources)], before);
    assert_eq!((before[0].len(), before[1].len()), (2, 4));
    let schema =
        "SELECT concat_ws(' ', type, name, replace(replace(sql, '\"', ''), char(10), '')) FROM sqlite_schema
                  WHERE name NOT LIKE 'publication' AND sql NOT LIKE '%--%' ORDER BY 1";
    let fresh = Store::create(&dir.path().join("fresh.db")).expect("created");
    assert_eq!(rows(&store, schema), rows(&fresh, schema), "as one that is made new");
    let index =
        "EXPLAIN QUERY PLAN SELECT rowid FROM publication WHERE centre = 'c' AND kind = 'k' AND key = 'k'";
    assert!(store.connection.prepare(index).is_ok(), "with a rowid");
    drop(store);
    Store::open(&dir.path().join("hub.db")).expect("once is enough");
}

#[test]
fn everybody_of_a_database_in_which_no_day_was_followed_is_looked_at_once() {
    let (dir, mut store) = store();
    store.write(|tx| tx.add_person(id(1), "42-32701000-000001-5", 1)).expect("added");
    store
        .connection
        .execute_batch(
            "DROP TABLE written; DROP TABLE day_ahead; DROP TABLE judged_by; DROP TABLE claim_reading; PRAGMA user_version = 14;",
        )
        .expect("as it was");
    store.close().expect("closed");
    let mut store = Store::open(&dir.path().join("hub.db")).expect("taken over");
    let touched = |tx: &Tx<'_>| tx.touched_by(jiff::civil::date(2026, 11, 23), 10);
    assert_eq!(store.read(touched).expect("read"), [id(1)]);
    store.write(|tx| tx.set_day_ahead(id(1), Some(jiff::civil::date(2026, 11, 24)))).expect("written");
    assert_eq!(store.read(touched).expect("read"), []);
}

#[test]
fn everybody_is_looked_at_again_when_a_clock_that_was_ahead_is_put_right() {
    let (_dir, mut store) = store();
    store.write(|tx| tx.add_person(id(1), "42-32701000-000001-5", 1)).expect("added");
    let day = |day| jiff::civil::date(2026, 11, day);
    let touched = |tx: &Tx<'_>| tx.touched_by(day(1), 10);
    let mut judge = |on| store.write(|tx| tx.judge_on(on)).expect("noted");
    // by a second over midnight and back nothing changes that the next day does not
    assert_eq!([day(1), day(2), day(1)].map(&mut judge), [false; 3]);
    assert_eq!([day(9), day(1), day(1)].map(&mut judge), [false, true, false]);
    assert_eq!(store.read(touched).expect("read"), [id(1)]);
}

/// docs/adr/0024: a new table needs a place there, or a hub that is made again lacks it.
#[test]
fn every_table_is_noted_or_follows_from_what_is() {
    let follow = "received packet stream publication counted hub_input reference link_key link_key_late claim_keys claim_reading pair person_source fault day_ahead";
    let left =
        "journal protocol incident carried resync request difference content_told change judged_by written";
    let mut known: Vec<&str> =
        noted::WHOLE.into_iter().chain(follow.split(' ')).chain(left.split(' ')).collect();
    known.sort_unstable();
    let (_dir, mut store) = store();
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let tables = store.read(|tx| tx.rows(sql, [], |row| Ok(row.get::<_, String>(0)?))).expect("read");
    assert_eq!(tables, known);
}

#[test]
fn what_was_counted_is_held_and_is_what_stands_in_the_table() {
    let (dir, mut store) = store();
    // so many that they come to be held, with what nobody has counted between them
    let count = |store: &mut Store, times: u32| {
        store.write(|tx| tx.set_counted((0..5000).map(|key| (2 * key, times)))).expect("counted");
    };
    let all = |tx: &Tx<'_>| (0..10_000).map(|key| tx.counted(key).expect("read")).collect::<Vec<_>>();
    let once = |times: u32| (0..10_000).map(|key| if key % 2 == 0 { times } else { 0 }).collect::<Vec<_>>();
    assert_eq!(store.read(|tx| Ok::<_, DatabaseError>(all(tx))).expect("read"), once(0));
    for times in [1, 7] {
        count(&mut store, times);
        for _ in 0..2 {
            assert_eq!(store.read(|tx| Ok::<_, DatabaseError>(all(tx))).expect("read"), once(times));
        }
    }
    // another connection counts anew
    count(&mut Store::open(&dir.path().join("hub.db")).expect("opened"), 3);
    assert_eq!(store.read(|tx| Ok::<_, DatabaseError>(all(tx))).expect("read"), once(3));
    // what is rolled back was never counted, of a transaction or of a part of one
    let undone: Result<()> = store.write(|tx| {
        let part: Result<()> = tx.attempt(|| {
            tx.set_counted((0..5000).map(|key| (2 * key, 8)))?;
            assert_eq!(all(tx), once(8));
            Err(DatabaseError::Busy)
        });
        assert!(part.is_err());
        assert_eq!(all(tx), once(3));
        tx.set_counted((0..5000).map(|key| (2 * key, 9)))?;
        assert_eq!(all(tx), once(9));
        Err(DatabaseError::Busy)
    });
    assert!(undone.is_err());
    assert_eq!(store.read(|tx| Ok::<_, DatabaseError>(all(tx))).expect("read"), once(3));
}
