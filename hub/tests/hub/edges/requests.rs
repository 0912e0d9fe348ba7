//! What has not come from a centre is asked for, once; what a centre lacks is placed again or told anew.

use std::fs;

use exchange_format::{
    answer::{KeyPrefix, Listed, Missing, RangeDigests, Request, SnapshotCause},
    file_name::PacketKind,
    packet::{Nonce, manifest::SnapshotBasis},
    position::{Epoch, Seq},
    record::{Kind, Record},
    stream::Control,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    TestHub, anna,
    centre::{Read, TestCentre, now},
    damage::beside,
    rules::merged_and_told,
    signing::column,
};
use svod_hub::edges::{intake::Taken, operations::status};

fn missing(epoch: u64, first: u64, last: u64) -> Request {
    let (first, last) = (Seq::new(first).expect("small"), Seq::new(last).expect("small"));
    Request::Packets(Missing::new(Epoch::new(epoch).expect("small"), first, last).expect("some"))
}

/// The requests that lie in `out`.
fn asked(centre: &TestCentre) -> Vec<Request> {
    centre.read_out().requests.into_iter().map(|(_, request)| request).collect()
}

fn send_at(hub: &mut TestHub, at: Timestamp) {
    hub.hub.seal(at).expect("sealed");
    hub.hub.place(at).expect("placed");
}

fn after(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

/// The codes of open incidents.
pub(super) fn incidents(hub: &TestHub) -> Vec<String> {
    status::status(&hub.config(), now()).expect("told").incidents.into_iter().map(|one| one.code).collect()
}

#[test]
fn a_gap_is_asked_for_once_and_again_only_after_a_growing_wait() {
    let mut hub = TestHub::new();
    let mut centre = hub.centre(1);
    for name in centre.snapshot(1, &[vec![anna(1, 1, &[])]]) {
        hub.take(&centre, &name);
    }
    let lost = centre.data(&[anna(2, 1, &[("phone", "1")])]);
    let held = centre.data(&[anna(3, 1, &[("phone", "2")])]);
    assert_eq!(hub.take(&centre, &held), Taken::Done(Vec::new()));
    hub.send();
    assert_eq!(asked(&centre), [], "packets overtake each other: it waits a little");
    assert!(hub.hub.next_due(now()).expect("told").is_some_and(|due| due < after(1)));
    send_at(&mut hub, after(1));
    assert_eq!(asked(&centre), [missing(1, 2, 2)]);
    send_at(&mut hub, after(1));
    assert_eq!(asked(&centre).len(), 1, "once");
    let due = hub.hub.next_due(after(1)).expect("told").expect("it asks again");
    assert!(due > after(1));
    send_at(&mut hub, after(10));
    let read = centre.read_out();
    assert_eq!(read.requests.len(), 2, "the second has another id");
    assert_ne!(read.requests[0].0, read.requests[1].0);
    let Taken::Done(applied) = hub.take(&centre, &lost) else { panic!("taken") };
    assert_eq!(applied.len(), 2);
    send_at(&mut hub, after(11));
    hub.store_is_quiet(&centre);
    // the centre's next file lets the hub tidy up
    centre.control = Control { ack: None, echo: centre.last };
    let beat = centre.data(&[]);
    hub.take(&centre, &beat);
    assert_eq!(asked(&centre), [], "what is over is deleted from out");
}

/// A centre that thinks it has sent Olga, too, so that its sum is another than the hub's.
fn diverged() -> (TestHub, TestCentre, Record, Nonce, RangeDigests) {
    let mut hub = TestHub::new();
    let mut centre = hub.centre(1);
    for name in centre.snapshot(1, &[vec![anna(1, 1, &[])]]) {
        hub.take(&centre, &name);
    }
    let olga = anna(9, 1, &[]);
    centre.sum.add(&olga.term(&olga.hash()).expect("live"));
    let name = centre.data(&[anna(1, 2, &[("phone", "1")])]);
    hub.take(&centre, &name);
    hub.send();
    let mut read = centre.read_out();
    let Some((id, Request::RangeDigests(digests))) = read.requests.pop() else {
        panic!("{:?}", read.requests)
    };
    assert_eq!((digests.of, Some(digests.at), digests.re), (centre.code, centre.last, None));
    assert!(read.requests.is_empty() && incidents(&hub).contains(&"DIVERGED".to_owned()));
    (hub, centre, olga, id, digests)
}

fn snapshots(centre: &TestCentre) -> Vec<(Nonce, Request)> {
    let requests = centre.read_out().requests.into_iter();
    requests
        .filter(|(_, one)| matches!(one, Request::Snapshot { cause: SnapshotCause::Divergence, .. }))
        .collect()
}

#[test]
fn a_divergence_is_narrowed_to_records_and_then_asks_for_one_snapshot_which_mends_it() {
    let (mut hub, mut centre, olga, id, asked) = diverged();
    let records = [anna(1, 2, &[("phone", "1")]), olga.clone()];
    let own = |kind, prefix: &KeyPrefix, each: &mut dyn FnMut(Listed)| {
        for one in records.iter().filter(|one| one.kind == kind && prefix.covers(one.key)) {
            each(Listed { key: one.key, version: one.version, form: one.form, hash: one.hash() });
        }
        Ok::<_, std::convert::Infallible>(())
    };
    let ranges = asked.refine(true, own).expect("compared").ranges;
    let reply = Request::RangeDigests(RangeDigests { re: Some(id), ranges, ..asked });
    let name = centre.ask(&reply, Nonce([7; 16]));
    assert_eq!(hub.take(&centre, &name), Taken::Done(Vec::new()));
    let told = status::status(&hub.config(), now()).expect("told");
    let found: Vec<_> = told
        .differences
        .iter()
        .map(|one| (one.key.as_str(), one.here.is_none(), one.there.is_some()))
        .collect();
    assert_eq!(found, [(olga.key.to_string().as_str(), true, true)], "staff are told which record");
    assert_eq!(told.requests.iter().map(|one| one.asks.as_str()).collect::<Vec<_>>(), ["snapshot"]);
    hub.take(&centre, &centre.ask(&reply, Nonce([8; 16])));
    let name = centre.data(&[]);
    hub.take(&centre, &name);
    hub.send();
    let [(id, Request::Snapshot { seen: Some(seen), .. })] = &snapshots(&centre)[..] else {
        panic!("one, once")
    };
    assert_eq!(seen.position.seq.get(), 2);
    let basis = SnapshotBasis::Requested { request: *id };
    for name in centre.snapshot_as(2, basis, &[records.to_vec()]) {
        hub.take(&centre, &name);
    }
    hub.store_is_quiet(&centre);
    let told = status::status(&hub.config(), now()).expect("told");
    assert!(
        told.incidents.is_empty() && told.differences.is_empty(),
        "the sums agree again: {:?}",
        told.incidents
    );
}

#[test]
fn without_a_reply_and_when_the_stream_has_gone_on_the_snapshot_is_asked_for_at_once() {
    let (mut hub, centre, ..) = diverged();
    send_at(&mut hub, after(1));
    assert!(snapshots(&centre).is_empty(), "not yet");
    send_at(&mut hub, after(10));
    assert_eq!(snapshots(&centre).len(), 1);
    let (mut hub, mut centre, _, id, asked) = diverged();
    let name = centre.data(&[anna(1, 3, &[("phone", "2")])]);
    hub.take(&centre, &name);
    let reply = Request::RangeDigests(RangeDigests { re: Some(id), ..asked });
    hub.take(&centre, &centre.ask(&reply, Nonce([7; 16])));
    hub.send();
    assert_eq!(snapshots(&centre).len(), 1);
}

#[test]
fn a_wrong_sum_over_right_records_is_made_anew() {
    let mut hub = TestHub::new();
    let mut centre = hub.centre(1);
    for name in centre.snapshot(1, &[vec![anna(1, 1, &[])]]) {
        hub.take(&centre, &name);
    }
    let code = centre.code;
    let spoilt = hub.hub.store.write(|tx| {
        let mut streams = tx.streams(code)?;
        streams.received.add(&exchange_format::position::Digest::of(b"nothing"));
        tx.set_streams(code, &streams)
    });
    spoilt.expect("written");
    let name = centre.data(&[anna(2, 1, &[("phone", "1")])]);
    hub.take(&centre, &name);
    hub.send();
    assert_eq!((incidents(&hub), asked(&centre)), (vec![], vec![]));
}

/// A hub that has published Anna to centre 1.
pub(super) fn published() -> (TestHub, TestCentre, Read) {
    let mut hub = TestHub::new();
    let (centre, read) = merged_and_told(&mut hub, 1, vec![anna(1, 1, &[])]);
    assert!(read.kinds.contains(&PacketKind::Snapshot));
    (hub, centre, read)
}

#[test]
fn packets_that_a_centre_misses_are_placed_again_and_lost_ones_told_anew() {
    let (mut hub, mut centre, read) = published();
    let mark = read.last.expect("a snapshot");
    hub.send();
    assert!(centre.read_out().kinds.is_empty(), "it is not due yet");
    let ask = |hub: &mut TestHub, centre: &TestCentre, request: &Request, id: u8| {
        let name = centre.ask(request, Nonce([id; 16]));
        assert_eq!(hub.take(centre, &name), Taken::Done(Vec::new()));
        hub.send();
    };
    ask(&mut hub, &centre, &missing(1, 1, 9), 1);
    let again = centre.read_out();
    assert_eq!((again.last, again.kinds), (Some(mark), vec![PacketKind::Snapshot]), "the same packet");
    centre.clear_out();
    ask(&mut hub, &centre, &missing(1, 1, 8), 1);
    assert!(centre.read_out().kinds.is_empty(), "an id is honoured once");
    let name = read.names.iter().find(|name| name.contains("_SN_")).expect("the snapshot");
    fs::remove_file(hub.hub.context.paths.archived(centre.code, name)).expect("lost");
    ask(&mut hub, &centre, &missing(1, 1, 1), 2);
    let anew = centre.read_out();
    assert_eq!(anew.last.expect("a packet").position.epoch.get(), 2);
    assert_eq!(anew.snapshots, [SnapshotBasis::Initial]);
    assert_eq!(anew.records.len(), read.records.len(), "all that was published");
    centre.clear_out();
    ask(&mut hub, &centre, &missing(1, 1, 1), 3);
    assert!(centre.read_out().kinds.is_empty(), "an older epoch was told anew");
    let confirmed = centre.confirm(anew.last.expect("a packet"), 2);
    centre.control = Control { ack: anew.last, echo: None };
    hub.take(&centre, &confirmed);
    ask(&mut hub, &centre, &missing(2, 1, 1), 4);
    assert_eq!(centre.read_out().last.expect("a packet").position.epoch.get(), 3, "what was answered, too");
}

#[test]
fn a_snapshot_is_sent_once_a_request_with_the_mirror_of_what_the_centre_has_sent() {
    let (mut hub, centre, read) = published();
    let request = Request::Snapshot { cause: SnapshotCause::Operator, seen: read.last };
    let id = Nonce([5; 16]);
    let name = centre.ask(&request, id);
    hub.take(&centre, &name);
    hub.send();
    let sent = centre.read_out();
    assert_eq!(sent.snapshots, [SnapshotBasis::Requested { request: id }; 2]);
    assert_eq!(sent.records.len(), read.records.len(), "all that was published, in the versions told before");
    assert!(sent.records.iter().all(|record| record.version == 1));
    let claim = anna(1, 1, &[]);
    assert_eq!(sent.mirror, [claim]);
    centre.clear_out();
    let other = Request::Snapshot { cause: SnapshotCause::Missing, seen: read.last };
    let name = centre.ask(&other, id);
    hub.take(&centre, &name);
    hub.send();
    let again = centre.read_out();
    assert_eq!((again.last, again.kinds.len()), (sent.last, 2), "the same snapshot");
}

#[test]
fn machines_of_which_each_ends_the_others_recovery_are_told_of() {
    let (mut hub, centre, read) = published();
    let request = Request::Snapshot { cause: SnapshotCause::Restored, seen: read.last };
    // asked again before one has ended: by a machine put back once more, or by two that know nothing of each other
    for (asked, is_told) in [(1, false), (2, false), (3, true)] {
        let name = centre.ask(&request, Nonce([asked; 16]));
        hub.take(&centre, &name);
        hub.send();
        assert_eq!(incidents(&hub).contains(&"CLONE".to_owned()), is_told, "{asked}");
    }
}

#[test]
fn requests_that_have_gathered_while_the_hub_was_off_are_one_asking() {
    let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
    // the ids are in no order, as they are drawn
    let id = |nth: i64| Nonce([[0, 7, 3, 5][usize::try_from(nth).expect("small")]; 16]);
    for order in orders {
        let (mut hub, centre, read) = published();
        let request = Request::Snapshot { cause: SnapshotCause::Restored, seen: read.last };
        let names = [1, 2, 3].map(|nth| centre.ask_made(&request, id(nth), after(nth * 60)));
        // what asks something else is no part of it
        let other = Request::Snapshot { cause: SnapshotCause::Operator, seen: read.last };
        let other = centre.ask_made(&other, Nonce([9; 16]), after(-60));
        for nth in order {
            assert_eq!(hub.take(&centre, &names[nth - 1]), Taken::Done(Vec::new()));
        }
        hub.send();
        let sent = centre.read_out();
        assert_eq!(sent.last.expect("a snapshot").position.epoch.get(), 2, "{order:?}: one snapshot");
        assert!(sent.snapshots.iter().all(|one| *one == SnapshotBasis::Requested { request: id(3) }));
        let told = status::status(&hub.config(), now()).expect("told").incidents;
        let told: Vec<_> = told.iter().map(|one| (one.code.as_str(), one.times)).collect();
        assert_eq!(told, [("PEER_RESTORED", 1)], "{order:?}: put back once");
        let passed = "SELECT rule FROM journal WHERE event = 'request.passed_over'";
        assert_eq!(column(&hub, passed), [id(3).to_string(), id(3).to_string()], "{order:?}");
        // one that is put back again, or another machine, asks anew, and is heard
        centre.clear_out();
        let again = centre.ask_made(&request, Nonce([8; 16]), after(240));
        hub.take(&centre, &again);
        hub.take(&centre, &other);
        hub.send();
        let told = status::status(&hub.config(), now()).expect("told").incidents;
        assert!(told.iter().any(|one| (one.code.as_str(), one.times) == ("PEER_RESTORED", 2)), "{order:?}");
        assert_eq!(centre.read_out().last.expect("a snapshot").position.epoch.get(), 4, "{order:?}");
    }
}

#[test]
fn of_a_snapshot_that_is_not_confirmed_only_the_mirror_counts() {
    let (mut hub, mut centre, read) = published();
    let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("published").clone();
    let before = (centre.last, centre.sum);
    for (epoch, version, restored) in [(2, person.version, false), (3, person.version + 1, true)] {
        let mirror = hub.signed(&centre, &Record { version, ..person.clone() });
        let name = centre.unconfirmed(epoch, Nonce([3; 16]), &[anna(5, 1, &[])], &[mirror]);
        let Taken::Done(applied) = hub.take(&centre, &name) else { panic!("taken") };
        assert_eq!(applied[0].counts.total(), 0);
        let known = hub.hub.store.read(|tx| tx.mirrored(centre.code)).expect("read");
        assert_eq!(known.len(), 1 + usize::from(restored), "nothing of it is applied");
        assert_eq!(incidents(&hub).contains(&"RESTORED".to_owned()), restored);
        if !restored {
            // the stream goes on where it was
            (centre.last, centre.sum) = before;
            let name = centre.data(&[anna(2, 1, &[])]);
            let Taken::Done(applied) = hub.take(&centre, &name) else { panic!("taken") };
            assert_eq!(applied[0].state, "APPLIED");
        }
    }
    hub.send();
    assert!(centre.read_out().protocols.iter().any(|(head, _)| head.answered.position.epoch.get() == 2));
    assert!(!incidents(&hub).contains(&"DIVERGED".to_owned()));
}

#[test]
fn a_hub_that_is_recovering_sends_no_data_and_the_mirror_alone_unconfirmed() {
    let (mut hub, mut centre, read) = published();
    let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("published").clone();
    let ahead = hub.signed(&centre, &Record { version: person.version + 1, ..person });
    let before = (centre.last, centre.sum);
    let name = centre.unconfirmed(2, Nonce([3; 16]), &[], &[ahead]);
    hub.take(&centre, &name);
    (centre.last, centre.sum) = before;
    assert!(incidents(&hub).contains(&"RESTORED".to_owned()));
    let name = centre.data(&[anna(1, 2, &[("phone", "1")])]);
    assert_eq!(hub.take(&centre, &name), Taken::Done(Vec::new()), "held until a person has looked");
    hub.send();
    assert!(!centre.read_out().kinds.contains(&PacketKind::Data), "data stop");
    centre.clear_out();
    let id = Nonce([6; 16]);
    let request = Request::Snapshot { cause: SnapshotCause::Restored, seen: read.last };
    let name = centre.ask(&request, id);
    hub.take(&centre, &name);
    hub.send();
    let sent = centre.read_out();
    let told: Vec<_> = sent.kinds.iter().filter(|kind| kind.is_numbered()).collect();
    assert_eq!((told.len(), sent.unconfirmed), (1, 1));
    assert_eq!(sent.snapshots, [SnapshotBasis::Requested { request: id }]);
    assert!(sent.records.is_empty(), "what it says of its own is not certain");
    assert_eq!(sent.mirror, [anna(1, 1, &[])]);
    let mark = sent.last.expect("the snapshot");
    let answer = centre.confirm(mark, 0);
    centre.clear_out();
    hub.take(&centre, &answer);
    let code = centre.code;
    let (streams, packet) = hub
        .hub
        .store
        .read(|tx| {
            Ok::<_, svod_hub::database::DatabaseError>((tx.streams(code)?, tx.sent_packet(code, &mark)?))
        })
        .expect("read");
    assert_eq!(packet.expect("known").1.state.as_str(), "APPLIED");
    assert_ne!(streams.outgoing.echo, Some(mark), "the centre has consumed nothing");
    let name = centre.ask(&request, id);
    hub.take(&centre, &name);
    hub.send();
    assert!(!centre.read_out().kinds.iter().any(|kind| kind.is_numbered()), "an id is honoured once");
}

#[test]
fn a_mirror_that_is_ahead_shows_that_this_hub_was_restored() {
    for (version, signed, restored) in [(1, true, false), (2, true, true), (2, false, false)] {
        let (mut hub, mut centre, read) = published();
        let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("a person");
        // a line that this hub has not signed shows nothing
        let written = Record { version, ..person.clone() };
        let mirror = if signed { hub.signed(&centre, &written) } else { written };
        let basis = SnapshotBasis::Requested { request: Nonce([8; 16]) };
        let parts = [vec![anna(1, 1, &[])]];
        for name in centre.snapshot_with(2, basis, &parts, &[mirror]) {
            hub.take(&centre, &name);
        }
        let (found, person) = (incidents(&hub), anna(1, 1, &[]));
        assert_eq!(found.contains(&"RESTORED".to_owned()), restored, "{found:?} {person:?}");
    }
}

#[test]
fn a_request_that_cannot_be_read_is_put_aside() {
    let (mut hub, centre, _) = published();
    let name = centre.ask_at(&missing(1, 1, 1), 7, Nonce([1; 16]));
    assert!(matches!(hub.take(&centre, &name), Taken::Quarantined(_)));
}

#[test]
fn what_does_not_come_is_asked_for_by_the_same_request_four_times_and_then_under_a_new_id() {
    let (mut hub, centre, _) = published();
    beside(&hub, &format!("UPDATE stream SET sent_digest = '{}'", "0".repeat(64)));
    hub.hub.audit(centre.code, now()).expect("looked");
    let mut asked = Vec::new();
    for days in 0..7 {
        send_at(&mut hub, after(days * 2 * 24 * 60));
        asked.extend(centre.read_out().requests.into_iter().map(|(id, _)| id));
        centre.clear_out();
    }
    assert_eq!(asked.len(), 7, "each time");
    assert!(asked[..4].iter().all(|id| *id == asked[0]), "{asked:?}");
    assert!(asked[4..].iter().all(|id| *id == asked[4] && *id != asked[0]), "{asked:?}");
}
