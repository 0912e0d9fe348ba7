//! What staff decide, and decide otherwise, comes back to the centre and is true.

use exchange_format::{
    answer::{Protocol, RecordLine, RecordOutcome, RecordReason},
    record::{Body, Kind, Record},
};

use super::{
    TestHub, anna,
    centre::TestCentre,
    id,
    rules::{answer_all, decide, exchange, merged, open_reviews, table},
};

/// The one person's uid.
fn uid(hub: &TestHub) -> String {
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("open");
    db.query_row("SELECT uid FROM person", [], |row| row.get(0)).expect("one person")
}

/// A wish for another workplace.
fn proposal(uid: &str, key: u8, workplace: &str) -> Record {
    let mut body = Body::new(Kind::Proposal);
    for (field, value) in [("target_kind", "person"), ("target", uid), ("based_on", "1")] {
        body.set(field, value).expect("text");
    }
    let line = body.add_line();
    for (field, value) in [("no", "1"), ("field", "workplace"), ("value", workplace)] {
        line.set(field, value).expect("text");
    }
    Record::live(id(key), 1, &body)
}

/// The answers in the centre's folder that took the place of earlier ones; the folder is cleared.
fn revised(hub: &mut TestHub, centre: &TestCentre) -> Vec<(Protocol, Vec<RecordLine>)> {
    hub.send();
    let read = centre.read_out().protocols.into_iter().filter(|(head, _)| head.revision > 1).collect();
    centre.clear_out();
    read
}

#[test]
fn an_answer_given_again_counts_just_the_records_of_its_packet() {
    for more in [None, Some(anna(5, 1, &[("snils", "112-233-445 95")]))] {
        let mut hub = TestHub::new();
        let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
        let mut records = vec![proposal(&uid(&hub), 9, "Школа")];
        records.extend(more);
        exchange(&mut hub, &mut one, &records);
        one.clear_out();
        let asked: Vec<_> = open_reviews(&hub).into_iter().filter(|one| one.kind == "proposal").collect();
        for (n, (decision, listed)) in (2..).zip([("отклонить", 1), ("принять", 0), ("отклонить", 1)])
        {
            decide(&hub, &table(&asked, decision), true).expect("decided");
            let told = revised(&mut hub, &one);
            let [(head, lines)] = &told[..] else { panic!("{told:?}") };
            assert_eq!((head.revision, lines.len()), (n, listed), "{decision}");
            assert_eq!(head.counts.total(), records.len() as u64, "{decision}");
            assert_eq!(head.counts.get(RecordOutcome::Refused), listed as u64, "{decision}");
        }
    }
}

#[test]
fn a_decision_answers_the_packet_that_carried_the_record_last() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let records = vec![proposal(&uid(&hub), 9, "Школа"), anna(1, 2, &[("workplace", "Вокзал")])];
    exchange(&mut hub, &mut one, &records);
    for name in one.snapshot(2, &[records]) {
        hub.take(&one, &name);
    }
    hub.send();
    one.clear_out();
    one.control.echo = None;
    assert_eq!(answer_all(&hub, "отклонить"), Some(2));
    let told = revised(&mut hub, &one);
    let [(head, lines)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((head.answered.position.epoch.get(), head.counts.total()), (2, 2));
    let why: Vec<_> = lines.iter().map(|line| (line.outcome, line.reason)).collect();
    assert_eq!(why, [(RecordOutcome::Refused, RecordReason::Declined); 2]);
}
