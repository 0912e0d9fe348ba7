//! The thread: claim → packet → admit → merge → publish → answer; corrections; later intake.

use exchange_endpoint::output::Lang;
use exchange_format::{
    answer::{PacketOutcome, RecordOutcome, RecordReason},
    file_name::PacketKind,
    record::{Form, Kind, Record},
    stream::Control,
};

use super::{
    TestHub, anna,
    centre::{Read, TestCentre, now},
    id, record,
};
use svod_hub::edges::{
    intake::Taken,
    operations::{
        merge, people, questions,
        reviews::{self, Insist},
        status,
    },
};

fn person(read: &Read) -> &Record {
    let mut people = read.records.iter().filter(|record| record.kind == Kind::Person);
    people.next().expect("a person")
}

/// Two centres that both know Anna, merged; the packets in `out` answered and cleared.
fn merged_city(hub: &mut TestHub) -> (TestCentre, TestCentre) {
    let (mut one, mut two) = (hub.centre(1), hub.centre(2));
    let phone = [("phone", "8 906 123-45-67")];
    for name in one.snapshot(1, &[vec![anna(1, 1, &[phone[0], ("workplace", "Завод")])]]) {
        hub.take(&one, &name);
    }
    for name in two.snapshot(1, &[vec![anna(2, 1, &[("phone", "+79061234567"), ("workplace", "Шахта")])]])
    {
        hub.take(&two, &name);
    }
    hub.send();
    for centre in [&one, &two] {
        let read = centre.read_out();
        assert_eq!(read.kinds, [PacketKind::Receipt, PacketKind::Protocol], "nothing is published yet");
        assert_eq!(read.protocols[0].0.outcome, PacketOutcome::Applied);
        assert_eq!(read.protocols[0].0.counts.get(RecordOutcome::New), 1);
        centre.clear_out();
    }
    let before = status::status(&hub.config(), now()).expect("told");
    let tried = merge::rehearse(&mut hub.hub, now(), &mut |_, _, _| ()).expect("tried").0;
    assert_eq!((tried.created, tried.claims, tried.confirmed), (1, 2, 2));
    let after = status::status(&hub.config(), now()).expect("told");
    assert_eq!((after.persons, after.journal), (0, before.journal), "a dry run changes nothing");
    let report = merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged");
    assert_eq!((report.created, report.persons, report.protocol.is_some()), (1, 1, true));
    assert_eq!(report.by_rule.get("EVIDENCE"), Some(&2));
    hub.send();
    (one, two)
}

#[test]
fn two_centres_are_merged_and_each_gets_the_person_under_its_own_link() {
    let mut hub = TestHub::new();
    let (mut one, two) = merged_city(&mut hub);
    let (first, second) = (one.read_out(), two.read_out());
    assert_eq!(first.kinds, [PacketKind::Snapshot], "a stream begins with a snapshot");
    let (a, b) = (person(&first), person(&second));
    assert_eq!((a.key, &a.body), (b.key, &b.body));
    let body = a.read_body().expect("canonical");
    assert_eq!(body.findings(), []);
    assert_eq!(body.text("workplace"), Some("Завод"), "one each: the lowest code");
    let links: Vec<_> = first.records.iter().filter(|record| record.kind == Kind::Link).collect();
    assert_eq!((links.len(), links[0].key), (1, id(1)));
    // the centre's PR closes what the packet carried
    let mark = first.last.expect("a snapshot");
    one.control = Control { ack: Some(mark), echo: None };
    let name = one.confirm(mark, 2);
    assert_eq!(hub.take(&one, &name), Taken::Done(Vec::new()));
    let told = status::status(&hub.config(), now()).expect("told");
    assert_eq!(told.centres[0].publications, [("applied".to_owned(), 2)].into());
    assert_eq!((told.centres[0].unanswered, told.centres[1].unanswered), (0, 1));
    assert!(one.read_out().kinds.is_empty(), "what the ack covers is deleted from out");
}

#[test]
fn a_merge_works_beside_one_who_writes_meanwhile_and_is_done_at_last() {
    let mut hub = TestHub::new();
    let (mut one, mut two) = (hub.centre(1), hub.centre(2));
    for (centre, key, birth) in [(&mut one, 1, "12.03.1945"), (&mut two, 2, "весной")] {
        let fields =
            [("surname", "Белова"), ("given", "Анна"), ("birth_date", birth), ("snils", "112-233-446 96")];
        for name in centre.snapshot(1, &[vec![record(Kind::RecipientClaim, key, 1, &fields)]]) {
            hub.take(centre, &name);
        }
    }
    // a daemon that takes a file whenever the merge tells how far it is
    let other = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opened");
    other.busy_timeout(std::time::Duration::ZERO).expect("set");
    let (mut told, mut written) = (0, 0);
    let mut write = |_: &'static str, _, _| {
        let sql = "INSERT INTO review(kind, reason, origin_1, key_1, origin_2, key_2, state, opened_at)
                   VALUES('held', '', '', hex(randomblob(8)), '', '', 'gone', '')";
        told += 1;
        written += u32::from(other.execute(sql, []).is_ok());
    };
    let report = merge::merge(&mut hub.hub, now(), &mut write).expect("merged");
    assert_eq!((report.created, report.claims, report.protocol), (1, 2, Some(3)));
    // three drafts are for nothing; then the others wait
    assert!(written >= 3 && written < told, "{written} of {told}");
    hub.send();
    for centre in [&one, &two] {
        let person = person(&centre.read_out()).read_body().expect("canonical");
        assert_eq!(person.text("birth_date"), Some("1945-03-12"));
    }
}

#[test]
fn a_correction_goes_to_all_centres_that_serve_the_person() {
    let mut hub = TestHub::new();
    let (one, two) = merged_city(&mut hub);
    let uid = person(&one.read_out()).key.to_string();
    one.clear_out();
    two.clear_out();
    let done = people::set(&hub.config(), &uid, "birth_date", "13.03.1945", ("test", "паспорт"), now())
        .expect("entered");
    assert_eq!((done.changed, done.centres.len()), (true, 2));
    hub.send();
    for centre in [&one, &two] {
        let read = centre.read_out();
        assert_eq!(read.kinds, [PacketKind::Data]);
        let person = person(&read);
        assert_eq!(person.version, 2);
        assert_eq!(person.read_body().expect("canonical").text("birth_date"), Some("1945-03-13"));
    }
    let shown = people::show(&hub.config(), &uid, now()).expect("shown");
    let birth = shown.fields.iter().find(|field| field.field == "birth_date").expect("stated");
    assert_eq!((birth.source, birth.centre.as_deref()), (Some("hub"), None));
    assert_eq!(birth.entry.as_ref().map(|entry| entry.reason.as_str()), Some("паспорт"));
    assert_eq!(birth.losing[0].value, "1945-03-12");
    let refused = people::set(&hub.config(), &uid, "snils", "112-233-446 97", ("test", "x"), now());
    assert!(refused.is_err(), "a bad check number is not entered");
}

#[test]
fn a_later_person_is_numbered_and_locked_at_once_with_its_own_values_only() {
    let mut hub = TestHub::new();
    let (_one, mut two) = merged_city(&mut hub);
    let mut third = hub.centre(3);
    two.clear_out();
    let name = two.data(&[record(Kind::RecipientClaim, 9, 1, &[("surname", "Зуев"), ("given", "Пётр")])]);
    hub.take(&two, &name);
    hub.send();
    let read = two.read_out();
    let zuev = person(&read).read_body().expect("canonical");
    assert_eq!(zuev.text("surname"), Some("Зуев"));
    assert!(zuev.text("case_number").is_some_and(|number| number.starts_with("42-32701000-000002-")));
    // a centre enrolled later waits for a merge of its own, and then is confirmed in bulk
    for name in third.snapshot(1, &[vec![anna(3, 1, &[("phone", "89061234567")])]]) {
        hub.take(&third, &name);
    }
    hub.send();
    assert!(third.read_out().records.is_empty());
    merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged");
    hub.send();
    let read = third.read_out();
    let all: Vec<u8> = read.records.iter().flat_map(|record| record.body.clone()).collect();
    let all = String::from_utf8(all).expect("UTF-8");
    assert!(all.contains("Завод"), "the merge confirms");
    assert!(!all.contains(&id(1).to_string()) && !all.contains("4200015"));
}

#[test]
fn a_later_claim_of_a_known_person_gets_only_its_own_values_until_confirmed() {
    let mut hub = TestHub::new();
    let (one, two) = merged_city(&mut hub);
    let mut third = hub.centre(3);
    for name in third.snapshot(1, &[Vec::new()]) {
        hub.take(&third, &name);
    }
    merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged: nothing waits");
    let name = third.data(&[anna(3, 1, &[("phone", "89061234567"), ("workplace", "Школа")])]);
    hub.take(&third, &name);
    hub.send();
    let read = third.read_out();
    let own = person(&read);
    assert_eq!(own.key, person(&one.read_out()).key, "it is the same person");
    assert_eq!(own.read_body().expect("canonical").text("workplace"), Some("Школа"));
    let all: Vec<u8> = read.records.iter().flat_map(|record| record.body.clone()).collect();
    let all = String::from_utf8(all).expect("UTF-8");
    for foreign in
        ["Завод", "Шахта", one.code.as_str(), two.code.as_str(), &id(1).to_string(), &id(2).to_string()]
    {
        assert!(!all.contains(foreign), "{foreign} leaked");
    }
    third.clear_out();
    // nor does the merge of a newcomer's load confirm what others have claimed since theirs
    let mut fourth = hub.centre(4);
    for name in fourth.snapshot(1, &[vec![anna(4, 1, &[("phone", "89061234567"), ("workplace", "Порт")])]])
    {
        hub.take(&fourth, &name);
    }
    let report = merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged");
    assert_eq!((report.created, report.confirmed), (0, 1), "the newcomer alone");
    hub.send();
    assert_eq!(third.read_out().records, [], "nothing is disclosed to it");
    assert_eq!(person(&fourth.read_out()).key, own.key);
    people::confirm(&hub.config(), third.code, &own.key.to_string(), ("test", "обслуживается"), now())
        .expect("confirmed");
    hub.send();
    assert_eq!(person(&third.read_out()).read_body().expect("canonical").text("workplace"), Some("Завод"));
    two.clear_out();
}

/// A merge may part and join what centres have been told of (ADR 17): whom, it says, and its dry run before it.
#[test]
fn a_merge_names_the_persons_known_to_centres_whom_it_parts() {
    let mut hub = TestHub::new();
    let known = |key, more: &[(&'static str, &'static str)]| {
        let of_all = [("surname", "Сухоборцихина"), ("patronymic", "Евгеньевна"), ("sex", "Ж")];
        record(Kind::RecipientClaim, key, 1, &[&of_all, more].concat())
    };
    let load = |hub: &mut TestHub, unit, claim: Record| {
        let mut centre = hub.centre(unit);
        for name in centre.snapshot(1, &[vec![claim]]) {
            hub.take(&centre, &name);
        }
        let tried = merge::rehearse(&mut hub.hub, now(), &mut |_, _, _| ()).expect("tried").0;
        let report = merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged");
        hub.send();
        assert_eq!((&tried.parted, &tried.joined), (&report.parted, &report.joined));
        (report.persons, report.parted, report.joined)
    };
    let whole = [
        ("given", "Арина"),
        ("birth_date", "11.08.2023"),
        ("address_live", "г. Заречный, ул. Кутузова, д. 8, кв. 26"),
    ];
    let with = |snils| [&whole[..], &[("snils", snils)]].concat();
    assert_eq!(load(&mut hub, 1, known(1, &with("14468379903"))), (1, vec![], vec![]));
    assert_eq!(load(&mut hub, 2, known(2, &with("07839783940"))), (1, vec![], vec![]));
    // a poor record with the number of the first, which is none of the second's without a date
    let poor = [("given", "Арин"), ("snils", "14468379903"), ("address_live", "Гутузова ул., 8")];
    let (persons, parted, joined) = load(&mut hub, 3, known(3, &poor));
    assert_eq!((persons, parted.len(), parted[0].others.len(), joined), (3, 1, 1, vec![]), "{parted:?}");
}

#[test]
fn a_change_after_publication_is_a_proposal_that_staff_accept() {
    let mut hub = TestHub::new();
    let (mut one, _two) = merged_city(&mut hub);
    one.clear_out();
    let name = one.data(&[anna(1, 2, &[("phone", "8 906 123-45-67"), ("workplace", "Вокзал")])]);
    hub.take(&one, &name);
    hub.send();
    let read = one.read_out();
    let (head, lines) = &read.protocols[0];
    assert_eq!(head.outcome, PacketOutcome::AppliedPartial);
    assert_eq!((lines[0].outcome, lines[0].reason), (RecordOutcome::Proposed, RecordReason::Locked));
    assert!(read.records.is_empty(), "what is published stands");
    let open = questions::list(&hub.config(), now()).expect("listed");
    assert_eq!((open.len(), open[0].kind.as_str()), (1, "proposal"));
    let wanted = open[0].differences.iter().find(|one| one.field == "workplace").expect("it differs");
    assert_eq!(wanted.wanted.as_deref(), Some("Вокзал"));
    one.clear_out();
    let table = hub.dir.path().join("answers.csv");
    let (before, after) = (&open[0].one.version, &open[0].other.version);
    let answer = format!("{};{before};{after};принять;справка\n", open[0].review);
    std::fs::write(&table, format!("review;version_1;version_2;decision;reason\n{answer}")).expect("written");
    let apply =
        |hub: &TestHub| reviews::apply(&hub.config(), &table, Insist::default(), Lang::Ru, "test", now());
    let done = apply(&hub).expect("applied");
    assert_eq!((done.decided, done.unchanged), (1, 0));
    hub.send();
    let body = person(&one.read_out()).read_body().expect("canonical");
    assert_eq!(body.text("workplace"), Some("Вокзал"));
    assert_eq!(apply(&hub).expect("again").unchanged, 1);
}

#[test]
fn a_deleted_claim_takes_its_person_out_of_the_centres_scope() {
    let mut hub = TestHub::new();
    let (mut one, two) = merged_city(&mut hub);
    one.clear_out();
    two.clear_out();
    let name = one.data(&[Record::tombstone(Kind::RecipientClaim, id(1), 2)]);
    // what the centre no longer holds is outside its sum
    one.sum = exchange_format::state_digest::StateDigest::default();
    hub.take(&one, &name);
    hub.send();
    let forms: Vec<(Kind, Form)> =
        one.read_out().records.iter().map(|record| (record.kind, record.form)).collect();
    assert_eq!(forms, [(Kind::Person, Form::Withdrawn), (Kind::Link, Form::Tombstone)]);
    let body = person(&two.read_out()).read_body().expect("canonical");
    assert_eq!(body.text("workplace"), Some("Шахта"));
}

#[test]
fn every_input_is_sealed_into_the_stream_to_itself() {
    let mut hub = TestHub::new();
    merged_city(&mut hub);
    let own = hub.hub.context.paths.archive.join(hub.hub.context.code.as_str());
    let packets = std::fs::read_dir(own).expect("an archive of its own").count();
    assert!(packets >= 2, "the snapshot of the enrolments, then the merge");
    let left = hub.hub.store.read(|tx| tx.unsealed_inputs(10)).expect("read");
    assert!(left.is_empty());
}
