//! Crash, restore and trouble on the way out, each with the run that showed what was wrong.

use exchange_format::{
    answer::RecordOutcome,
    file_name::{FileName, PacketKind},
    record::{Kind, Record},
};

use super::{
    TestHub, anna,
    centre::now,
    record,
    rules::{merged, merged_and_told},
};
use svod_hub::edges::operations::merge;

#[test]
fn one_centre_out_of_reach_holds_up_no_other_and_is_tried_again() {
    let mut hub = TestHub::new();
    let (mut one, mut two) = (merged(&mut hub, 1, Vec::new()), merged(&mut hub, 2, Vec::new()));
    for centre in [&mut one, &mut two] {
        let name = centre.data(&[record(Kind::RecipientClaim, 1, 1, &[("surname", "Котов")])]);
        hub.take(centre, &name);
    }
    std::fs::remove_dir(&one.outbox).expect("removed");
    std::fs::write(&one.outbox, "no folder").expect("written");
    hub.hub.seal(now()).expect("sealed");
    let placed = hub.hub.place(now()).expect("looked at");
    assert_eq!(placed.gained, [two.code]);
    assert!(placed.failed.is_some());
    assert!(!two.read_out().records.is_empty());
    std::fs::remove_file(&one.outbox).expect("removed");
    std::fs::create_dir(&one.outbox).expect("made");
    let later = now().saturating_add(jiff::SignedDuration::from_mins(10)).expect("in range");
    assert_eq!(hub.hub.place(later).expect("placed").gained, [one.code, two.code]);
}

#[test]
fn what_was_spoilt_in_out_is_placed_again_and_keeps_nothing_else_back() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, Vec::new());
    let name = one.data(&[record(Kind::RecipientClaim, 1, 1, &[("surname", "Котов")])]);
    hub.take(&one, &name);
    hub.send();
    let names: Vec<_> =
        std::fs::read_dir(&one.outbox).expect("listed").map(|e| e.expect("a file").path()).collect();
    assert!(names.len() > 2, "KV, PR, and what is published");
    for name in &names {
        std::fs::write(name, "spoilt").expect("written");
    }
    // the centre, which can read none of it, sends its packet again, and the hub's own is placed again when it is due
    let answers = |hub: &mut TestHub| {
        let again = hub.hub.store.read(|tx| tx.answers_to(one.code, one.last.expect("sent").digest));
        hub.hub.store.write(|tx| {
            again.expect("read").iter().try_for_each(|name| tx.set_packet_state(name, "SEALED", None))
        })
    };
    answers(&mut hub).expect("set");
    let later = now().saturating_add(jiff::SignedDuration::from_mins(30)).expect("in range");
    assert!(hub.hub.place(later).expect("placed").failed.is_none());
    let read = one.read_out();
    assert_eq!((read.protocols.len(), read.records.is_empty()), (1, false));
}

#[test]
fn what_is_spoilt_in_the_archive_is_never_placed_and_said_again_in_a_new_epoch() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, Vec::new());
    let name = one.data(&[record(Kind::RecipientClaim, 1, 1, &[("surname", "Котов")])]);
    hub.take(&one, &name);
    hub.send();
    let numbered = || -> Vec<FileName> {
        let listed = std::fs::read_dir(&one.outbox).expect("listed").map(|entry| entry.expect("a file"));
        let names = listed.filter_map(|entry| entry.file_name().to_str()?.parse::<FileName>().ok());
        names.filter(|name| name.kind.is_numbered()).collect()
    };
    let sent = numbered();
    assert!(!sent.is_empty());
    for name in &sent {
        let path = hub.hub.context.paths.archived(one.code, &name.to_string());
        let mut bytes = std::fs::read(&path).expect("kept");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).expect("spoilt");
    }
    let later = now().saturating_add(jiff::SignedDuration::from_mins(30)).expect("in range");
    hub.hub.place(later).expect("placed");
    hub.hub.place(later).expect("placed");
    let now = numbered();
    assert!(sent.iter().all(|name| now.contains(name)), "what stands there is right");
    let opened = sent.iter().map(|name| name.position.epoch).max();
    assert!(now.iter().any(|name| Some(name.position.epoch) > opened), "{now:?}");
    let open = hub.hub.store.read(|tx| tx.incidents().map(|open| open.len()));
    assert_eq!(open.expect("read"), 0, "told, and over");
}

#[test]
fn nothing_leaves_before_the_watermark_file_stands_where_the_database_does() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let file = hub.dir.path().join("keys").join(svod_hub::edges::hub::WATERMARK);
    let before = std::fs::read(&file).expect("read");
    let name = one.data(&[anna(1, 2, &[("phone", "112")])]);
    hub.take(&one, &name);
    // the crash: the transaction is committed, the file is not written
    std::fs::write(&file, before).expect("written");
    hub.reopen();
    hub.hub.place(now()).expect("placed");
    assert!(!one.read_out().protocols.is_empty());
    let applied = hub.hub.watermark.get(one.code, exchange_endpoint::watermark::Stream::Applied);
    assert_eq!(applied, one.last.map(|mark| mark.position));
}

#[test]
fn a_clock_that_was_set_back_keeps_no_packet_and_no_heartbeat_waiting() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let name = one.data(&[anna(2, 1, &[("phone", "112")])]);
    hub.take(&one, &name);
    let ahead = now().saturating_add(jiff::SignedDuration::from_hours(24 * 400)).expect("in range");
    hub.hub.seal(ahead).expect("sealed");
    hub.hub.place(ahead).expect("placed");
    let data = |kinds: &[PacketKind]| kinds.iter().filter(|kind| kind.is_numbered()).count();
    let sent = data(&one.read_out().kinds);
    one.clear_out();
    assert!(hub.hub.next_due(now()).expect("told").is_some_and(|due| due <= now()));
    hub.send();
    assert_eq!(data(&one.read_out().kinds), sent + 1, "the same again, and a heartbeat");
    one.clear_out();
    hub.send();
    assert_eq!(data(&one.read_out().kinds), 0, "and no more than that");
    assert!(hub.hub.next_due(now()).expect("told").is_some_and(|due| due > now()));
}

#[test]
fn f21_a_database_behind_its_own_stream_stops_every_stream_but_no_answer() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let code = hub.hub.context.code;
    let own = hub.hub.store.read(|tx| tx.streams(code)).expect("read").outgoing.last.expect("begun");
    let next = exchange_format::position::Position {
        seq: own.position.seq.next().expect("a next one"),
        ..own.position
    };
    let sealed = exchange_endpoint::watermark::Stream::Sealed;
    hub.hub
        .watermark
        .raise([(code, sealed, next)], 0, |_| Ok::<_, exchange_endpoint::watermark::WatermarkError>(vec![]))
        .expect("raised");
    let svod_hub::edges::hub::Hub { store, watermark, .. } = &mut hub.hub;
    store.write(|tx| svod_hub::edges::older::judge_watermark(tx, watermark, code, now())).expect("judged");
    let name = one.data(&[record(Kind::RecipientClaim, 9, 1, &[("surname", "Котов")])]);
    hub.take(&one, &name);
    hub.send();
    let read = one.read_out();
    assert_eq!((read.records.len(), read.protocols.len()), (0, 0), "data do not go on, what comes is held");
    assert!(read.kinds.contains(&PacketKind::Receipt), "and has its receipt");
    assert!(read.requests.len() == 1, "the centre is asked for what this hub is compared with");
    let stop = hub.hub.store.read(|tx| tx.streams(one.code)).expect("read").outgoing.stop;
    assert_eq!(stop, Some(exchange_format::stream::Stop::Restored));
}

#[test]
fn a_stop_that_is_not_understood_is_an_error_not_leave_to_go_on() {
    let mut hub = TestHub::new();
    let one = merged(&mut hub, 1, Vec::new());
    let database = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
    database.execute("UPDATE stream SET stop = 'LATER' WHERE peer = ?1", [one.code.as_str()]).expect("set");
    assert!(hub.hub.store.read(|tx| tx.streams(one.code)).is_err());
}

#[test]
fn inputs_are_sealed_in_the_order_in_which_they_were_made() {
    let mut hub = TestHub::new();
    let many: Vec<Record> =
        (1..20).map(|key| record(Kind::RecipientClaim, key, 1, &[("surname", "Котов")])).collect();
    let mut centre = hub.centre(1);
    for name in centre.snapshot(1, &[many]) {
        hub.take(&centre, &name);
    }
    hub.send();
    merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged");
    let inputs = hub.hub.store.read(|tx| tx.unsealed_inputs(1000)).expect("read");
    let mut made = std::collections::BTreeSet::new();
    for input in &inputs {
        let body = input.read_body().expect("canonical");
        let (subject, other) = (body.text("subject").map(str::to_owned), body.text("other"));
        match body.text("action").expect("stated") {
            "person.new" => assert!(made.insert(subject.expect("a person"))),
            "link" => assert!(made.contains(other.expect("a person")), "linked before it was made"),
            _ => {}
        }
    }
    assert_eq!(made.len(), 19);
    assert!(
        inputs
            .iter()
            .any(|input| { input.read_body().is_ok_and(|body| body.text("action") == Some("merge")) })
    );
}

#[test]
fn r12_a_centre_that_knows_a_newer_version_shows_that_the_hub_was_restored() {
    let mut hub = TestHub::new();
    let (mut one, read) = merged_and_told(&mut hub, 1, vec![anna(1, 1, &[])]);
    let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("told");
    let line = exchange_format::answer::RecordLine {
        outcome: RecordOutcome::Refused,
        kind: Kind::Person,
        key: person.key,
        version: person.version,
        rule: "person.version".parse().expect("a code"),
        reason: exchange_format::answer::RecordReason::Older,
        words: None,
    };
    let name = one.answer(read.last.expect("a packet"), 1, &[line]);
    hub.take(&one, &name);
    let stop = hub.hub.store.read(|tx| tx.streams(one.code)).expect("read").outgoing.stop;
    assert_eq!(stop, Some(exchange_format::stream::Stop::Restored));
}
