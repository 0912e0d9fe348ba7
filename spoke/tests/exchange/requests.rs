//! What has not come is asked for, once; what the hub lacks is placed again or told anew (FORMAT.md §Requests).

use std::{fs, time::Duration};

use exchange_format::{
    answer::{KeyPrefix, Listed, Missing, Range, RangeDigests, Request, SnapshotCause},
    file_name::PacketKind,
    packet::{SnapshotBasis, manifest::Purpose},
    position::{Digest, Epoch, Seq},
    record::{Form, Record, RecordId},
    state_digest::StateDigest,
};

use super::{
    centre::{Centre, uid},
    hub::Opened,
};

fn requests(packets: &[Opened]) -> Vec<(&Opened, Request)> {
    let of_kind = packets.iter().filter(|packet| packet.name.kind == PacketKind::Request);
    of_kind.map(|packet| (packet, packet.request())).collect()
}

fn missing(epoch: u64, first: u64, last: u64) -> Request {
    let (first, last) = (Seq::new(first).expect("small"), Seq::new(last).expect("small"));
    Request::Packets(Missing::new(Epoch::new(epoch).expect("small"), first, last).expect("some"))
}

fn basis(packet: &Opened) -> SnapshotBasis {
    let Purpose::Snapshot(part) = &packet.manifest.header.purpose else { panic!("{}", packet.name) };
    part.basis
}

/// A centre that has sent its one recipient, who is published; and what it sent.
fn sent_and_published() -> (Centre, Opened) {
    let mut centre = Centre::new();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
    centre.sync();
    let sent = centre.hub.take_data().remove(0);
    centre.hub.answer(&sent, &[]);
    centre.publish_person(uid(1), "r1", "Первая");
    centre.sync();
    centre.hub.take();
    (centre, sent)
}

/// A centre with a published person.
fn published() -> Centre {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Первая");
    centre.sync();
    centre.hub.take();
    centre
}

const IN_FORCE: &str = "SELECT count(*) FROM svod_request WHERE next_at IS NOT NULL AND direction = 'out'";
const INCIDENT: &str = "SELECT group_concat(code) FROM svod_incident WHERE closed_at IS NULL \
                        AND code IN ('DIVERGED', 'RESTORED')";

#[test]
fn a_gap_is_asked_for_once_and_again_only_by_its_own_back_off() {
    let mut centre = published();
    let lost = centre.hub.publish(&[centre.person(uid(1), "Вторая")]);
    let place = centre.hub.mailbox.join("out").join(&lost);
    let kept = fs::read(&place).expect("there");
    fs::remove_file(&place).expect("lost");
    centre.hub.publish(&[centre.person(uid(1), "Третья")]);
    centre.sync();
    assert!(requests(&centre.hub.take()).is_empty(), "packets overtake each other: it waits a little");
    std::thread::sleep(Duration::from_millis(1100));
    centre.sync();
    let packets = centre.hub.take();
    let asked = requests(&packets);
    assert_eq!(asked.iter().map(|(_, request)| request).collect::<Vec<_>>(), [&missing(1, 2, 2)]);
    let first = asked[0].0.manifest.header.nonce;
    centre.sync();
    assert!(requests(&centre.hub.take()).is_empty(), "once");
    centre.sql("UPDATE svod_request SET next_at = '2020-01-01T00:00:00Z'");
    centre.sync();
    let packets = centre.hub.take();
    let asked = requests(&packets);
    assert_eq!((asked.len(), asked[0].1 == missing(1, 2, 2)), (1, true));
    assert_ne!(asked[0].0.manifest.header.nonce, first, "another request");
    assert_eq!(centre.value("SELECT max(attempts) FROM svod_request"), "2");
    fs::write(&place, kept).expect("placed again");
    centre.sync();
    assert_eq!(centre.value("SELECT surname FROM recipient"), "Третья");
    centre.sync();
    assert_eq!(centre.value(IN_FORCE), "0");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_divergence_is_narrowed_to_records_and_then_asks_for_one_snapshot_which_mends_it() {
    let mut centre = published();
    let own = centre.key("recipient", "r1");
    centre.hub.spoil_sum();
    centre.hub.publish(&[centre.person(uid(1), "Вторая")]);
    centre.sync();
    assert_eq!(centre.value(INCIDENT), "DIVERGED");
    let packets = centre.hub.take();
    let asked = requests(&packets);
    let [(packet, Request::RangeDigests(digests))] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((digests.at.position.seq.get(), digests.re), (2, None), "the packet that showed it");
    // the hub says that it has published another person as well
    centre.hub.reply_ranges(packet.manifest.header.nonce, digests, uid(9));
    centre.sync();
    let status = centre.ok(&["status"]);
    assert_eq!(status["differences"][0]["key"], uid(9).to_string(), "{status}");
    assert_eq!(
        (&status["differences"][0]["here"], &status["requests"][0]["asks"]),
        (&serde_json::Value::Null, &"snapshot".into())
    );
    centre.hub.publish(&[centre.person(uid(1), "Третья")]);
    centre.sync();
    let packets = centre.hub.take();
    let asked = requests(&packets);
    assert_eq!(asked.len(), 1, "one request in force");
    let Request::Snapshot { cause: SnapshotCause::Divergence, seen: Some(seen) } = &asked[0].1 else {
        panic!("{:?}", asked[0].1)
    };
    assert_eq!(seen.position.seq.get(), 2, "the packet that showed it");
    let id = asked[0].0.manifest.header.nonce;
    let records = [centre.person(uid(1), "Четвёртая"), centre.link(own, uid(1), true)];
    centre.hub.answer_request(id, 2, &records, &[]);
    centre.sync();
    assert_eq!(centre.value(INCIDENT), "", "the sums agree again");
    assert_eq!(centre.value(IN_FORCE), "0", "its snapshot was applied");
    assert_eq!(centre.value("SELECT surname FROM recipient"), "Четвёртая");
    let packets = centre.hub.take();
    assert!(requests(&packets).is_empty());
    assert!(packets.iter().any(|packet| packet.name.kind == PacketKind::Protocol));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn of_a_snapshot_that_is_not_confirmed_only_the_mirror_counts() {
    let (mut centre, sent) = sent_and_published();
    for (epoch, version, stop) in [(2, 1, ""), (3, 2, "RESTORED")] {
        let records = [centre.person(uid(1), "Чужая")];
        let mirror = Record { version, ..sent.records[0].clone() };
        centre.hub.recovering(epoch, &records, &[mirror]);
        centre.sync();
        assert_eq!(centre.value("SELECT surname FROM recipient"), "Первая", "nothing of it is applied");
        assert_eq!(centre.value("SELECT stop FROM svod_stream WHERE direction = 'out'"), stop);
        assert!(
            centre.hub.take().iter().any(|packet| packet.name.kind == PacketKind::Protocol),
            "it is answered"
        );
    }
    centre.hub.publish(&[centre.person(uid(1), "Вторая")]);
    centre.sync();
    assert_eq!(centre.value("SELECT surname FROM recipient"), "Вторая", "the stream goes on where it was");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_centre_that_is_recovering_sends_no_data_and_the_mirror_alone_unconfirmed() {
    let (mut centre, first) = sent_and_published();
    centre.hub.recovering(2, &[], &[Record { version: 2, ..first.records[0].clone() }]);
    centre.sync();
    centre.hub.take();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Вторая')");
    let request = |cause| Request::Snapshot { cause, seen: None };
    let id = centre.hub.ask(&request(SnapshotCause::Restored), false);
    centre.sync();
    let sent = centre.hub.take_data();
    let [packet] = &sent[..] else { panic!("{}", sent.len()) };
    let Purpose::Snapshot(part) = &packet.manifest.header.purpose else { panic!("{}", packet.name) };
    assert_eq!((part.unconfirmed, part.basis), (true, SnapshotBasis::Requested { request: id }));
    let mut mirror: Vec<_> = packet.mirror.iter().map(|one| (one.kind.name(), one.version)).collect();
    mirror.sort_unstable();
    assert_eq!(mirror, [("link", 1), ("person", 1)]);
    assert!(packet.records.is_empty(), "what it says of its own is not certain");
    let place = centre.path("spool").join(packet.name.to_string());
    let kept = fs::read(&place).expect("there");
    centre.hub.ask(&request(SnapshotCause::Missing), true);
    centre.sync();
    assert_eq!(centre.hub.take_data()[0].mark, packet.mark, "the same again while it is not answered");
    fs::remove_file(&place).expect("lost");
    centre.hub.ask(&request(SnapshotCause::Divergence), true);
    centre.sync();
    let lost = "SELECT count(*) FROM svod_incident WHERE code = 'SPOOL_LOST' AND closed_at IS NULL";
    assert_eq!((centre.value(lost), centre.hub.take_data().len()), ("1".into(), 0), "it is given up");
    fs::write(&place, kept).expect("put back");
    centre.hub.answer(packet, &[]);
    centre.sync();
    assert_eq!(centre.value("SELECT state FROM svod_packet WHERE unconfirmed"), "APPLIED");
    let stream = "SELECT echo_epoch || ' ' || stop FROM svod_stream WHERE direction = 'out'";
    assert_eq!(centre.value(stream), "1 RESTORED", "the hub has consumed nothing");
    assert_eq!(centre.value("SELECT count(*) FROM svod_sent"), "1", "the second waits");
    let verified = centre.ok(&["verify"]);
    assert_eq!(verified["left"], serde_json::json!([]), "{verified}");
}

#[test]
fn a_mirror_that_is_ahead_shows_that_the_database_was_restored() {
    for (version, stop) in [(1, ""), (2, "RESTORED")] {
        let mut centre = Centre::new();
        centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
        centre.sync();
        let sent = centre.hub.take_data().remove(0);
        centre.hub.answer(&sent, &[]);
        centre.publish_person(uid(1), "r1", "Первая");
        centre.sync();
        let own = centre.key("recipient", "r1");
        let records = [centre.person(uid(1), "Вторая"), centre.link(own, uid(1), true)];
        let mirror = Record { version, ..sent.records[0].clone() };
        centre.hub.answer_request(exchange_format::packet::Nonce([9; 16]), 2, &records, &[mirror]);
        centre.sync();
        assert_eq!(centre.value("SELECT surname FROM recipient"), "Вторая", "what is the hub's is applied");
        assert_eq!(centre.value("SELECT stop FROM svod_stream WHERE direction = 'out'"), stop);
        assert_eq!(centre.value(INCIDENT), stop);
    }
}

#[test]
fn packets_that_the_hub_misses_are_placed_again_and_lost_ones_told_anew() {
    let mut centre = published();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Вторая')");
    centre.sync();
    let sent = centre.hub.take_data();
    assert_eq!(sent.last().expect("a packet").mark.position.seq.get(), 2);
    centre.sync();
    assert!(centre.hub.take_data().is_empty(), "it is not due yet");
    centre.hub.ask(&missing(1, 2, 7), false);
    centre.sync();
    let again = centre.hub.take_data();
    assert_eq!(again.len(), 1, "what was never sealed is not missing");
    assert_eq!(again[0].mark, sent[0].mark, "the same packet");
    let spool = centre.path("spool").join(sent[0].name.to_string());
    fs::remove_file(spool).expect("lost");
    centre.hub.ask(&missing(1, 2, 2), false);
    centre.sync();
    let anew = centre.hub.take_data();
    assert_eq!(
        (anew.len(), anew[0].mark.position.epoch.get(), basis(&anew[0])),
        (1, 2, SnapshotBasis::Initial)
    );
    assert_eq!(anew[0].records.len(), 2, "all that was ever said");
    centre.hub.ask(&missing(1, 2, 2), false);
    centre.sync();
    assert!(centre.hub.take_data().is_empty(), "an older epoch was told anew");
    // what the hub has answered it does not lack; one that asks for it has lost it, and is told all
    centre.hub.answer(&anew[0], &[]);
    centre.hub.ask(&missing(2, 1, 1), false);
    centre.sync();
    assert_eq!(centre.hub.take_data()[0].mark.position.epoch.get(), 3);
}

#[test]
fn a_snapshot_is_sent_once_a_request_with_the_mirror_of_what_the_hub_has_published() {
    let mut centre = published();
    let seen = None;
    let request = Request::Snapshot { cause: SnapshotCause::Operator, seen };
    let id = centre.hub.ask(&request, false);
    centre.sync();
    let sent = centre.hub.take_data();
    assert_eq!(sent.iter().map(basis).collect::<Vec<_>>(), [SnapshotBasis::Requested { request: id }; 2]);
    assert_eq!(sent[0].records.len(), 1, "all that was ever said");
    let mut mirror: Vec<_> =
        sent[1].mirror.iter().map(|one| (one.kind.name(), one.version, one.form)).collect();
    mirror.sort_unstable();
    assert_eq!(mirror, [("link", 1, Form::Live), ("person", 1, Form::Live)]);
    assert!(sent[1].mirror.iter().all(|one| one.signature.is_some()));
    assert_eq!(sent[0].manifest.header.state_digest, None, "only the last part bears the sum");
    assert!(sent[1].manifest.header.state_digest.is_some());
    // the same request again: the same snapshot, and when it was answered, nothing
    let same = Request::Snapshot { cause: SnapshotCause::Missing, seen };
    assert_eq!(centre.hub.ask(&same, true), id);
    centre.sync();
    let again = centre.hub.take_data();
    assert_eq!(again.iter().map(|packet| packet.mark).collect::<Vec<_>>(), [sent[0].mark, sent[1].mark]);
    for packet in &sent {
        centre.hub.answer(packet, &[]);
    }
    centre.sync();
    centre.hub.take();
    let request = Request::Snapshot { cause: SnapshotCause::Altered, seen };
    assert_ne!(centre.hub.ask(&request, false), id);
    centre.sync();
    assert_eq!(centre.hub.take_data()[0].mark.position.epoch.get(), 3, "another request, another snapshot");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_request_that_cannot_be_read_is_put_aside() {
    let mut centre = published();
    let broken = Request::Snapshot { cause: SnapshotCause::Operator, seen: None };
    centre.hub.ask_at(&broken, 7);
    centre.sync();
    assert!(centre.hub.take_data().is_empty());
    let aside = "SELECT reason FROM svod_packet WHERE kind = 'RQ' AND state = 'QUARANTINED'";
    assert_eq!(centre.value(aside), "SCHEMA");
}

#[test]
fn streebog_stands_beside_sha_256_when_it_is_configured() {
    let centre = Centre::new();
    let config = centre.path("svod-spoke.toml");
    let text = fs::read_to_string(&config).expect("read");
    fs::write(&config, text.replace("[exchange]\n", "[exchange]\nstreebog = true\n")).expect("written");
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
    centre.sync();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Вторая')");
    centre.sync();
    // opening them compares it with the bytes
    let sent = centre.hub.take_data();
    assert_eq!(sent.len(), 2);
    for packet in sent {
        assert!(packet.manifest.members.iter().all(|member| member.streebog256.is_some()), "{}", packet.name);
    }
}

#[test]
fn a_fork_ends_when_another_epoch_has_told_all_anew() {
    const FORKS: &str = "SELECT count(*) FROM svod_incident WHERE code = 'FORK' AND closed_at IS NULL";
    let mut centre = published();
    // a hub that was put back numbers from where its copy stands
    let fork = |centre: &mut Centre, first: &str, second: &str| {
        let before = centre.hub.mark();
        centre.hub.publish(&[centre.person(uid(1), first)]);
        centre.sync();
        centre.hub.set_mark(before);
        centre.hub.publish(&[centre.person(uid(1), second)]);
        centre.sync();
    };
    fork(&mut centre, "Вторая", "Иная");
    assert_eq!(centre.value(FORKS), "1");
    let all = [centre.person(uid(1), "Третья")];
    centre.hub.open_epoch(2, &all);
    centre.sync();
    assert_eq!(centre.value(FORKS), "0", "the new epoch says it all");
    assert_eq!(centre.value("SELECT closed_how FROM svod_incident WHERE code = 'FORK'"), "told anew");
    // one of the present epoch is not over
    fork(&mut centre, "Четвертая", "Пятая");
    assert_eq!(centre.value(FORKS), "1");
}

#[test]
fn a_record_that_the_hub_has_of_us_and_that_was_never_sent_is_asked_for_before_all_is_told_without_it() {
    let (mut centre, sent) = sent_and_published();
    let claim = &sent.records[0];
    let known = Listed { key: claim.key, version: claim.version, form: claim.form, hash: claim.hash() };
    let other = |key: RecordId| Listed { key, hash: Digest::of(b"another record"), ..known };
    for (records, told) in
        [(vec![known], ""), (vec![other(claim.key)], ""), (vec![known, other(uid(9))], "RESTORED")]
    {
        let mut sum = StateDigest::default();
        for one in &records {
            sum.add(&StateDigest::term(claim.kind, one.key, one.version, one.form, &one.hash));
        }
        let mut records = records;
        records.sort_by_key(|one| one.key);
        let (prefix, count) = (KeyPrefix::default(), records.len() as u64);
        let ranges = vec![Range { kind: claim.kind, prefix, count, sum, records: Some(records) }];
        let (of, at) = (centre.hub.centre, sent.mark);
        centre.hub.ask(&Request::RangeDigests(RangeDigests { of, at, re: None, ranges }), false);
        centre.sync();
        assert_eq!(centre.value(INCIDENT), told);
    }
    centre.hub.take();
    let cause = SnapshotCause::Divergence;
    centre.hub.ask(&Request::Snapshot { cause, seen: Some(sent.mark) }, false);
    centre.sync();
    let packets = centre.hub.take_data();
    assert!(packets.iter().all(|packet| packet.records.is_empty()), "nothing is told that names less");
}
