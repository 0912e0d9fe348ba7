//! What is not taken: foreign, damaged, forked, out of order; and what a crash leaves.

// a method is of one lifetime of `Tx`, where a closure is of all
#![allow(clippy::redundant_closure_for_method_calls)]

use std::fs;

use exchange_format::{
    answer::{PacketOutcome, PacketReason, RecordOutcome, RecordReason},
    file_name::PacketKind,
    record::{Form, Kind, Record},
    state_digest::StateDigest,
};
use fixtures::examples;

use super::{
    DOUBTFUL, TestHub, anna,
    centre::now,
    decisions::uid,
    id, record,
    rules::{answer_all, exchange, merged},
};
use svod_hub::{
    database::drawn::Drawn,
    edges::{hub::Hub, intake::Taken, operations::status},
};

fn received(hub: &mut TestHub) -> u64 {
    let counts = hub.hub.store.read(|tx| tx.received_counts()).expect("read");
    counts.iter().map(|(.., count)| count).sum()
}

fn incidents(hub: &mut TestHub) -> Vec<String> {
    let all = hub.hub.store.read(|tx| tx.incidents()).expect("read");
    all.into_iter().map(|one| one.code).collect()
}

#[test]
fn another_centres_packet_is_foreign_and_nothing_of_it_is_applied() {
    let mut hub = TestHub::new();
    let (mut one, two) = (hub.centre(1), hub.centre(2));
    let name = one.snapshot(1, &[vec![anna(1, 1, &[])]]).remove(0);
    fs::rename(one.inbox.join(&name), two.inbox.join(&name)).expect("moved");
    assert_eq!(hub.take(&two, &name), Taken::Quarantined(PacketReason::Foreign));
    assert_eq!(received(&mut hub), 0);
    let row = |hub: &TestHub, name: &str| -> Option<(String, i64, i64, String)> {
        let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
        let sql = "SELECT peer, epoch, seq, state FROM packet WHERE name = ?1";
        db.query_one(sql, [name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).ok()
    };
    let quarantined = Some((two.code.to_string(), 1, 1, "QUARANTINED".to_owned()));
    assert_eq!(row(&hub, &name), quarantined);
    assert!(hub.hub.context.paths.quarantine.join(two.code.as_str()).join(&name).is_file(), "kept whole");
    // renamed to look like its own, it is still not
    let forged = name.replace(one.code.as_str(), two.code.as_str());
    fs::copy(hub.hub.context.paths.quarantine.join(two.code.as_str()).join(&name), two.inbox.join(&forged))
        .expect("copied");
    assert_eq!(hub.take(&two, &forged), Taken::Quarantined(PacketReason::Foreign));
    assert_eq!(received(&mut hub), 0);
    hub.send();
    assert!(two.read_out().kinds.is_empty(), "it gets no answer");
    let told = status::status(&hub.config(), now()).expect("told");
    assert_eq!(told.centres[1].quarantined, 2);
    // in its own folder it is what it is
    fs::copy(hub.hub.context.paths.quarantine.join(two.code.as_str()).join(&name), one.inbox.join(&name))
        .expect("copied");
    assert!(matches!(hub.take(&one, &name), Taken::Done(_)));
    assert_eq!(received(&mut hub), 1);
    // the genuine one has the name now
    assert_eq!(row(&hub, &name), Some((one.code.to_string(), 1, 1, "APPLIED".to_owned())));
    assert_eq!(row(&hub, &format!("quarantine/{}/{name}", two.code)), quarantined);
}

#[test]
fn a_file_larger_than_any_packet_is_oversize_whatever_is_in_it() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let name = one.snapshot(1, &[vec![anna(1, 1, &[])]]).remove(0);
    hub.hub.context.limits.packet_bytes = 1000;
    fs::write(one.inbox.join(&name), vec![0; 200_000]).expect("written");
    assert_eq!(hub.take(&one, &name), Taken::Quarantined(PacketReason::Oversize));
    fs::write(one.inbox.join(&name), vec![0; 900]).expect("written");
    assert_eq!(hub.take(&one, &name), Taken::Quarantined(PacketReason::CannotOpen));
}

#[test]
fn damaged_and_stray_files_are_put_aside_with_their_reason() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    fs::write(one.inbox.join("notes.txt"), "x").expect("written");
    assert_eq!(hub.take(&one, "notes.txt"), Taken::Quarantined(PacketReason::BadName));
    let name = one.snapshot(1, &[vec![anna(1, 1, &[])]]).remove(0);
    let whole = fs::read(one.inbox.join(&name)).expect("read");
    fs::write(one.inbox.join(&name), &whole[..whole.len() / 2]).expect("cut");
    assert_eq!(hub.take(&one, &name), Taken::Quarantined(PacketReason::CannotOpen));
    // the name is free again: the sender places the same bytes once more
    fs::write(one.inbox.join(&name), &whole).expect("written");
    assert!(matches!(hub.take(&one, &name), Taken::Done(_)));
    assert_eq!(received(&mut hub), 1);
    fs::write(one.inbox.join(format!("{name}.abc.part")), &whole).expect("written");
    assert_eq!(hub.take(&one, &format!("{name}.abc.part")), Taken::Nothing);
}

#[test]
fn the_same_bad_file_again_is_told_as_that_and_another_one_for_itself() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let name = one.snapshot(1, &[vec![anna(1, 1, &[])]]).remove(0);
    let whole = fs::read(one.inbox.join(&name)).expect("read");
    let later: jiff::Timestamp = "2026-11-22T00:00:00Z".parse().expect("a time");
    for (bytes, at) in [(&whole[..100], now()), (&whole[..100], later), (&whole[..200], later)] {
        fs::write(one.inbox.join(&name), bytes).expect("cut");
        hub.hub.take(one.code, &name, at).expect("judged");
    }
    let told = hub.hub.store.read(|tx| tx.incidents()).expect("read");
    let told: Vec<_> = told.iter().map(|one| (one.times, one.at.as_str(), one.last_at.as_str())).collect();
    let (first, last) = (now().to_string(), later.to_string());
    assert_eq!(told, [(2, first.as_str(), last.as_str()), (1, last.as_str(), last.as_str())]);
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
    let row = |sql: &str| -> (i64, String) {
        db.query_one(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("one row")
    };
    let when = "SELECT count(*), min(at) FROM packet WHERE state = 'QUARANTINED'";
    assert_eq!(row(when), (2, first), "when it came first is not forgotten");
}

#[test]
fn parts_wait_for_each_other_and_a_gap_for_what_is_missing() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let other = record(Kind::RecipientClaim, 2, 1, &[("surname", "Зуев")]);
    let parts = one.snapshot(1, &[vec![anna(1, 1, &[])], vec![other]]);
    let first = one.data(&[record(Kind::RecipientClaim, 3, 1, &[("surname", "Сизов")])]);
    let second = one.data(&[record(Kind::RecipientClaim, 4, 1, &[("surname", "Рябов")])]);
    for name in [&second, &parts[1], &first] {
        hub.take(&one, name);
        assert_eq!(received(&mut hub), 0, "nothing before the snapshot is whole");
    }
    let Taken::Done(applied) = hub.take(&one, &parts[0]) else { panic!("not applied") };
    let states: Vec<_> = applied.iter().map(|one| one.state).collect();
    assert_eq!(states, ["APPLIED"; 4]);
    assert_eq!(received(&mut hub), 4);
    assert!(hub.hub.store.read(|tx| tx.incidents()).expect("read").is_empty(), "the state digests agree");
    hub.send();
    let read = one.read_out();
    assert_eq!(read.protocols.len(), 4, "each has its PR");
    let receipts = read.kinds.iter().filter(|kind| **kind == PacketKind::Receipt).count();
    assert!(receipts >= 4);
}

#[test]
fn after_a_refused_first_snapshot_the_next_epoch_is_admitted_and_what_was_held_is_put_aside() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let parts = [one.spoilt_part(1, 1), one.spoilt_part(1, 2)];
    let early = one.data(&[anna(1, 1, &[])]);
    let kept = std::fs::read(one.inbox.join(&parts[1])).expect("read");
    for name in [&early, &parts[0], &parts[1]] {
        hub.take(&one, name);
    }
    hub.send();
    let read = one.read_out();
    let refused: Vec<_> = read.protocols.iter().map(|(head, _)| head.outcome).collect();
    assert_eq!(refused, [PacketOutcome::Refused(PacketReason::Schema); 2], "both parts, and only they");
    one.clear_out();
    // the sender learns of it and opens the next epoch, its records in order
    let opened = one.snapshot(
        2,
        &[vec![anna(1, 1, &[])], vec![record(Kind::RecipientClaim, 2, 1, &[("surname", "Зуев")])]],
    );
    hub.take(&one, &opened[0]);
    let Taken::Done(applied) = hub.take(&one, &opened[1]) else { panic!("not applied") };
    assert_eq!(applied.iter().map(|one| one.state).collect::<Vec<_>>(), ["APPLIED"; 2]);
    assert_eq!(received(&mut hub), 2);
    assert_eq!(incidents(&mut hub), ["SCHEMA"; 2], "told: refused; what was held is in the snapshot");
    let next = one.data(&[anna(1, 2, &[("workplace", "Завод")])]);
    assert!(matches!(hub.take(&one, &next), Taken::Done(applied) if applied.len() == 1));
    // the refused part once more: the same answer, nothing else
    one.clear_out();
    std::fs::write(one.inbox.join(&parts[1]), kept).expect("placed again");
    assert_eq!(hub.take(&one, &parts[1]), Taken::Done(Vec::new()));
    hub.send();
    assert!(one.read_out().protocols.iter().any(|(head, _)| head.outcome == refused[1]));
    assert_eq!(received(&mut hub), 2);
}

#[test]
fn the_same_packet_again_gets_the_same_answers() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let name = one.snapshot(1, &[vec![anna(1, 1, &[])]]).remove(0);
    let bytes = fs::read(one.inbox.join(&name)).expect("read");
    hub.take(&one, &name);
    hub.send();
    let answers = one.read_out().names;
    one.clear_out();
    fs::write(one.inbox.join(&name), bytes).expect("again");
    assert_eq!(hub.take(&one, &name), Taken::Done(Vec::new()));
    hub.send();
    assert_eq!(one.read_out().names, answers);
    assert_eq!(received(&mut hub), 1);
}

#[test]
fn two_packets_under_one_number_are_a_fork() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    for name in one.snapshot(1, &[vec![anna(1, 1, &[])]]) {
        hub.take(&one, &name);
    }
    let before = (one.last, one.sum);
    let name = one.data(&[anna(1, 2, &[("workplace", "Завод")])]);
    hub.take(&one, &name);
    (one.last, one.sum) = before;
    let other = one.data(&[anna(1, 2, &[("workplace", "Шахта")])]);
    assert_eq!(hub.take(&one, &other), Taken::Quarantined(PacketReason::Fork));
    hub.send();
    let refused = one.read_out().protocols.into_iter().map(|(head, _)| head.outcome);
    assert!(refused.into_iter().any(|outcome| outcome == PacketOutcome::Refused(PacketReason::Fork)));
}

#[test]
fn a_bad_record_is_refused_alone_and_one_without_its_referent_is_held() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let contact = record(Kind::Contact, 5, 1, &[("recipient", &id(6).to_string()), ("value", "+7")]);
    let foreign = record(Kind::Person, 7, 1, &[("surname", "Белова")]);
    let bad = record(Kind::RecipientClaim, 8, 1, &[("given", "Анна")]);
    for name in one.snapshot(1, &[vec![foreign, anna(1, 1, &[]), bad, contact]]) {
        hub.take(&one, &name);
    }
    hub.send();
    let (answer, lines) = one.read_out().protocols.remove(0);
    assert_eq!(answer.outcome, PacketOutcome::AppliedPartial);
    assert_eq!(answer.counts.get(RecordOutcome::New), 1);
    let told: Vec<_> = lines.iter().map(|line| (line.outcome, line.reason)).collect();
    let refused = RecordOutcome::Refused;
    assert_eq!(
        told,
        [
            (refused, RecordReason::NotOwner),
            (refused, RecordReason::Invalid),
            (RecordOutcome::Held, RecordReason::DanglingRef)
        ]
    );
    // the referent comes, and the contact is applied by itself
    let name = one.data(&[record(Kind::RecipientClaim, 6, 1, &[("surname", "Зуев")])]);
    hub.take(&one, &name);
    let contact = hub.hub.store.read(|tx| tx.known(one.code, Kind::Contact, id(5))).expect("read");
    assert_eq!(contact.expect("kept").outcome, "changed");
    assert_eq!(incidents(&mut hub), ["NOT_OWNER"], "and no DIVERGED: the sum covers refused ones");
}

#[test]
fn a_paper_that_has_scans_is_not_given_to_another_person_before_they_are_taken_back() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let zuev = record(Kind::RecipientClaim, 7, 1, &[("surname", "Зуев")]);
    let contract = |version, of: u8, number| {
        let of = id(of).to_string();
        record(Kind::Contract, 6, version, &[("recipient", of.as_str()), ("number", number)])
    };
    let (of, sum) = (id(6).to_string(), "a".repeat(64));
    let fields = [
        ("contract", of.as_str()),
        ("title", "Договор"),
        ("media_type", "image/png"),
        ("size", "1"),
        ("sha256", &sum),
        ("location", "шкаф 3"),
    ];
    let scan = record(Kind::Attachment, 5, 1, &fields);
    for name in one.snapshot(1, &[vec![anna(1, 1, &[]), zuev, contract(1, 1, "1"), scan.clone()]]) {
        hub.take(&one, &name);
    }
    let mut told = |hub: &mut TestHub, sent: &[Record]| {
        let name = one.data(sent);
        hub.take(&one, &name);
        hub.send();
        let (_, lines) = one.read_out().protocols.pop().expect("answered");
        lines.into_iter().map(|line| line.rule.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut hub, &[contract(2, 7, "1")]), ["contract.final"]);
    assert!(told(&mut hub, &[contract(3, 1, "2")]).is_empty(), "its number may be put right");
    let gone = Record { form: Form::Tombstone, version: 2, body: Vec::new(), ..scan };
    assert!(told(&mut hub, &[gone]).is_empty());
    assert!(told(&mut hub, &[contract(4, 7, "2")]).is_empty());
}

#[test]
fn a_paper_that_waits_to_be_another_persons_goes_when_its_scans_have_gone_or_the_two_are_one() {
    let mut hub = TestHub::new();
    let contract = |key, version, of: u8| {
        let of = id(of).to_string();
        record(Kind::Contract, key, version, &[("recipient", of.as_str()), ("number", "1")])
    };
    let scan = |key: u8, of: u8| {
        let (of, sum) = (id(of).to_string(), format!("{key:x}").repeat(64));
        let what = [("contract", of.as_str()), ("title", "Договор"), ("media_type", "image/png")];
        let fields = [&what[..], &[("size", "1"), ("sha256", &sum), ("location", "шкаф 3")]].concat();
        record(Kind::Attachment, key, 1, &fields)
    };
    let gone = |key, of| Record { form: Form::Tombstone, version: 2, body: Vec::new(), ..scan(key, of) };
    let load = vec![
        anna(1, 1, &[("phone", "89061234567")]),
        anna(8, 1, &[DOUBTFUL]),
        record(Kind::RecipientClaim, 7, 1, &[("surname", "Зуев")]),
        contract(6, 1, 1),
        scan(5, 6),
        contract(9, 1, 1),
        scan(10, 9),
    ];
    let mut one = merged(&mut hub, 1, load);
    let code = one.code;
    let outcomes = |hub: &mut TestHub, all: &[(Kind, u8)]| -> Vec<String> {
        let known = |(kind, key): &(Kind, u8)| hub.hub.store.read(|tx| tx.known(code, *kind, id(*key)));
        all.iter().map(known).map(|known| known.expect("read").expect("known").outcome).collect()
    };
    let mut told = |hub: &mut TestHub, records: &[Record]| {
        let outcomes = exchange(hub, &mut one, records);
        one.clear_out();
        outcomes
    };
    let held = RecordOutcome::Held;
    // its scan goes in the same packet, and it gets a new one
    assert_eq!(told(&mut hub, &[contract(6, 2, 7), gone(5, 6), scan(11, 6)]), []);
    let moved = [(Kind::Contract, 6), (Kind::Attachment, 11)];
    assert_eq!(outcomes(&mut hub, &moved), ["changed"; 2]);
    // it goes in a later one; a new scan waits with its paper
    assert_eq!(told(&mut hub, &[contract(6, 3, 1), scan(12, 6)]), [held; 2]);
    assert_eq!(told(&mut hub, &[gone(11, 6)]), []);
    let back = [(Kind::Contract, 6), (Kind::Attachment, 12)];
    assert_eq!(outcomes(&mut hub, &back), ["changed"; 2]);
    // the two turn out to be one
    assert_eq!(told(&mut hub, &[contract(9, 2, 8)]), [held]);
    assert!(answer_all(&hub, "один").is_some_and(|asked| asked > 0));
    hub.send();
    assert_eq!(outcomes(&mut hub, &[(Kind::Contract, 9)]), ["changed"]);
}

#[test]
fn a_paper_that_waited_for_its_scans_and_is_held_for_another_reason_says_which() {
    let mut hub = TestHub::new();
    let paper = |version, of: u8| {
        let of = id(of).to_string();
        let days = [("date", "2025-03-10"), ("valid_until", "2026-03-10")];
        record(Kind::ProgrammeClaim, 6, version, &[&[("recipient", of.as_str())], &days[..]].concat())
    };
    let scan = |key: u8| {
        let (of, sum) = (id(6).to_string(), format!("{key:x}").repeat(64));
        let what = [("programme", of.as_str()), ("title", "ИППСУ"), ("media_type", "image/png")];
        let fields = [&what[..], &[("size", "1"), ("sha256", &sum), ("location", "шкаф 3")]].concat();
        record(Kind::Attachment, key, 1, &fields)
    };
    let gone = |key| Record { form: Form::Tombstone, version: 2, body: Vec::new(), ..scan(key) };
    let load = vec![
        anna(1, 1, &[("phone", "89061234567")]),
        anna(8, 1, &[DOUBTFUL]),
        record(Kind::RecipientClaim, 7, 1, &[("surname", "Зуев")]),
        paper(1, 1),
        scan(5),
    ];
    let mut one = merged(&mut hub, 1, load);
    let mut told = |hub: &mut TestHub, records: &[Record]| {
        if !records.is_empty() {
            let name = one.data(records);
            hub.take(&one, &name);
        }
        hub.send();
        let told = one.read_out();
        one.clear_out();
        let lines = told.protocols.into_iter().flat_map(|(_, lines)| lines);
        let held = lines.filter(|line| line.outcome == RecordOutcome::Held);
        held.map(|line| (line.version, line.rule.as_str().to_owned())).collect::<Vec<_>>()
    };
    let says = |version, word: &str| vec![(version, format!("programme_claim.{word}"))];
    // its scan goes in a later packet
    assert_eq!(told(&mut hub, &[paper(2, 7)]), says(2, "final"));
    assert_eq!(told(&mut hub, &[gone(5)]), says(2, "P14"), "its packet is answered again");
    assert_eq!(told(&mut hub, &[]), []);
    // in the same one
    assert_eq!(told(&mut hub, &[scan(11)]), []);
    assert_eq!(told(&mut hub, &[paper(3, 1), gone(11)]), says(3, "P14"));
    // the two turn out to be one
    assert_eq!(told(&mut hub, &[scan(12)]), []);
    assert_eq!(told(&mut hub, &[paper(4, 8)]), says(4, "final"));
    assert!(answer_all(&hub, "один").is_some_and(|asked| asked > 0));
    assert_eq!(told(&mut hub, &[]), says(4, "P14"));
}

#[test]
fn a_scan_that_was_sent_stays_what_it_was() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let zuev = || record(Kind::RecipientClaim, 7, 1, &[("surname", "Зуев")]);
    let scan = |version, sum: &str, title| {
        let (sum, of) = (sum.repeat(64), id(1).to_string());
        let of = if title == "Чужая" { id(7).to_string() } else { of };
        let what = [("recipient", of.as_str()), ("title", title), ("media_type", "image/png"), ("size", "1")];
        let fields = [what.as_slice(), &[("sha256", &sum), ("location", "шкаф 3")]].concat();
        record(Kind::Attachment, 5, version, &fields)
    };
    for name in one.snapshot(1, &[vec![anna(1, 1, &[]), zuev(), scan(1, "a", "Справка")]]) {
        hub.take(&one, &name);
    }
    let mut told = |hub: &mut TestHub, version, sum: &str, title| {
        let name = one.data(&[scan(version, sum, title)]);
        hub.take(&one, &name);
        hub.send();
        let (_, lines) = one.read_out().protocols.pop().expect("answered");
        lines.into_iter().map(|line| (line.reason, line.rule.as_str().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut hub, 2, "b", "Справка"), [(RecordReason::Invalid, "attachment.final".to_owned())]);
    let in_force = |hub: &mut TestHub| {
        let stated =
            hub.hub.store.read(|tx| tx.stated_after(Kind::Attachment, 0, 9)).expect("read").remove(0);
        let sum = stated.body.and_then(|body| body.text("sha256").map(str::to_owned)).unwrap_or_default();
        (stated.version, stated.outcome, sum)
    };
    assert_eq!(
        in_force(&mut hub),
        (1, "refused".to_owned(), "a".repeat(64)),
        "files are of what is in force"
    );
    assert_eq!(told(&mut hub, 3, "a", "Чужая"), [(RecordReason::Invalid, "attachment.final".to_owned())]);
    assert!(told(&mut hub, 4, "a", "Справка об инвалидности").is_empty(), "its title may be put right");
    let bodies: String = {
        let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
        db.query_one("SELECT CAST(body AS TEXT) FROM received WHERE kind = 'attachment'", [], |row| {
            row.get(0)
        })
        .expect("one")
    };
    assert!(bodies.contains(&"a".repeat(64)) && !bodies.contains(&"b".repeat(64)));
}

#[test]
fn a_scan_may_name_its_person_by_the_number_that_the_hub_gave() {
    let mut hub = TestHub::new();
    let scan = |version, of: &str| {
        let sum = "a".repeat(64);
        let fields = [("recipient", of), ("title", "Справка"), ("media_type", "image/png"), ("size", "1")];
        let fields = [fields.as_slice(), &[("sha256", sum.as_str()), ("location", "шкаф 3")]].concat();
        record(Kind::Attachment, 5, version, &fields)
    };
    let zuev = record(Kind::RecipientClaim, 7, 1, &[("surname", "Зуев")]);
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[]), scan(1, &id(1).to_string())]);
    let uid = uid(&hub);
    assert_eq!(exchange(&mut hub, &mut one, &[scan(2, &uid)]), [], "that is the same person");
    one.clear_out();
    assert_eq!(exchange(&mut hub, &mut one, &[zuev, scan(3, &id(7).to_string())]), [RecordOutcome::Refused]);
    // by what it names instead of the person, or besides, it would become another's as well
    let programme = |key, of: u8, number| {
        let of = id(of).to_string();
        let fields =
            [("recipient", &*of), ("number", number), ("date", "01.03.2026"), ("valid_until", "01.03.2028")];
        record(Kind::ProgrammeClaim, key, 1, &fields)
    };
    let of = |version, stated: &[(&str, &str)]| {
        let sum = "a".repeat(64);
        let what = [("title", "Справка"), ("media_type", "image/png"), ("size", "1")];
        let fields = [stated, &what, &[("sha256", sum.as_str()), ("location", "шкаф 3")]].concat();
        record(Kind::Attachment, 5, version, &fields)
    };
    let (own, others, contract) = (id(8).to_string(), id(9).to_string(), id(10).to_string());
    let zuevs = id(7).to_string();
    let signed = [("recipient", &*zuevs), ("number", "К-1"), ("date", "2026-03-01"), ("form", "home")];
    let papers = [programme(8, 1, "8"), programme(9, 7, "9"), record(Kind::Contract, 10, 1, &signed)];
    one.clear_out();
    assert_eq!(exchange(&mut hub, &mut one, &papers), []);
    for (version, stated, outcomes) in [
        (4, vec![("programme", &*others)], vec![RecordOutcome::Refused]),
        (5, vec![("recipient", &*uid), ("programme", &*others)], vec![RecordOutcome::Refused]),
        (6, vec![("recipient", &*uid), ("programme", &*own)], vec![]),
        (
            7,
            vec![("recipient", &*uid), ("programme", &*own), ("contract", &*contract)],
            vec![RecordOutcome::Refused],
        ),
    ] {
        one.clear_out();
        assert_eq!(exchange(&mut hub, &mut one, &[of(version, &stated)]), outcomes, "{version}");
    }
}

#[test]
fn a_scan_of_an_assessment_stays_that_persons() {
    let mut hub = TestHub::new();
    let zuev = record(Kind::RecipientClaim, 7, 1, &[("surname", "Зуев"), ("birth_date", "01.02.1938")]);
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[]), zuev]);
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
    let sql = "SELECT uid FROM person_record WHERE key = ?1";
    let uid: String = db.query_one(sql, [id(1).to_string()], |row| row.get(0)).expect("a person");
    let mut body = examples::body(Kind::Assessment);
    body.set("recipient", &uid).expect("plain");
    let drawn = Drawn { key: id(60), id: "А".into(), person: uid.parse().ok(), body };
    let Hub { store, context, .. } = &mut hub.hub;
    store.write(|tx| context.register(tx, "test", now()).draw(&drawn, "оценка")).expect("drawn up");
    hub.send();
    one.clear_out();
    let scan = |version, of: Option<u8>| {
        let (assessment, of, sum) = (id(60).to_string(), of.map(|of| id(of).to_string()), "a".repeat(64));
        let mut fields = vec![("assessment", assessment.as_str())];
        fields.extend(of.as_deref().map(|of| ("recipient", of)));
        fields.extend([("title", "Анкета"), ("media_type", "image/png"), ("size", "1")]);
        fields.extend([("sha256", sum.as_str()), ("location", "шкаф 3")]);
        record(Kind::Attachment, 5, version, &fields)
    };
    for (version, of, outcomes) in
        [(1, None, vec![]), (2, Some(7), vec![RecordOutcome::Refused]), (3, Some(1), vec![])]
    {
        one.clear_out();
        assert_eq!(exchange(&mut hub, &mut one, &[scan(version, of)]), outcomes, "{version}");
    }
}

#[test]
fn an_older_version_is_not_applied() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    for name in one.snapshot(1, &[vec![anna(1, 5, &[])]]) {
        hub.take(&one, &name);
    }
    let name = one.data(&[anna(1, 4, &[("workplace", "Завод")])]);
    hub.take(&one, &name);
    hub.send();
    let protocols = one.read_out().protocols;
    let reasons: Vec<_> = protocols.iter().flat_map(|(_, lines)| lines).map(|line| line.reason).collect();
    assert_eq!(reasons, [RecordReason::Older]);
}

#[test]
fn a_colliding_record_never_enters_the_sum_of_its_epoch() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    for name in one.snapshot(1, &[vec![anna(1, 1, &[])]]) {
        hub.take(&one, &name);
    }
    for name in one.snapshot(2, &[vec![anna(1, 1, &[("workplace", "Завод")])]]) {
        hub.take(&one, &name);
    }
    assert_eq!(incidents(&mut hub), ["DIVERGED", "COLLISION"]);
    // its next version is the first that this epoch has carried, on both sides
    one.sum = StateDigest::default();
    let name = one.data(&[anna(1, 2, &[])]);
    hub.take(&one, &name);
    assert_eq!(incidents(&mut hub), [""; 0], "the sums agree again: nothing is left to be done");
}

#[test]
fn a_crash_before_the_commit_leaves_the_file_and_after_it_the_answers() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let name = one.snapshot(1, &[vec![anna(1, 1, &[])]]).remove(0);
    let bytes = fs::read(one.inbox.join(&name)).expect("read");
    // the archive cannot be written: nothing is applied, the file stays
    let archive = hub.hub.context.paths.archive.clone();
    let aside = archive.with_extension("aside");
    fs::rename(&archive, &aside).expect("moved");
    fs::write(&archive, "").expect("in its place");
    assert!(hub.hub.take(one.code, &name, now()).is_err());
    assert_eq!(received(&mut hub), 0);
    assert!(one.inbox.join(&name).is_file());
    fs::remove_file(&archive).expect("removed");
    fs::rename(&aside, &archive).expect("moved back");
    // applied and committed, but the machine stops before the answers are placed and the file is deleted
    hub.take(&one, &name);
    fs::write(one.inbox.join(&name), bytes).expect("still there");
    hub.reopen();
    assert_eq!(hub.take(&one, &name), Taken::Done(Vec::new()), "a duplicate");
    hub.send();
    assert_eq!(one.read_out().kinds, [PacketKind::Receipt, PacketKind::Protocol]);
    assert_eq!(received(&mut hub), 1);
}

#[test]
fn a_snapshot_that_names_less_deletes_nothing() {
    let mut hub = TestHub::new();
    let mut one = hub.centre(1);
    let other = record(Kind::RecipientClaim, 2, 1, &[("surname", "Зуев")]);
    for name in one.snapshot(1, &[vec![anna(1, 1, &[]), other]]) {
        hub.take(&one, &name);
    }
    for name in one.snapshot(2, &[vec![anna(1, 1, &[])]]) {
        hub.take(&one, &name);
    }
    assert_eq!(received(&mut hub), 2, "an orphan is kept");
    assert!(hub.hub.store.read(|tx| tx.incidents()).expect("read").is_empty(), "and is outside the sum");
    let end = one.data(&[Record::tombstone(Kind::RecipientClaim, id(1), 2)]);
    assert!(matches!(hub.take(&one, &end), Taken::Done(_)));
}
