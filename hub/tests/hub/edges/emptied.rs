//! A proposal of the first part of a fact, accepted: the other parts that stood are of another fact.

use exchange_endpoint::messages::Lang;
use exchange_format::record::{Body, Kind, Record};
use svod_hub::edges::operations::{
    people,
    reviews::{self, Insist},
};

use super::{
    TestHub, anna,
    centre::now,
    decisions::uid,
    id,
    rules::{exchange, merged, open_reviews, table},
};

/// A wish that these fields of the person `uid` be these.
fn wished(uid: &str, wishes: &[(&str, &str)]) -> Record {
    let mut body = Body::new(Kind::Proposal);
    for (field, value) in [("target_kind", "person"), ("target", uid), ("based_on", "1")] {
        body.set(field, value).expect("text");
    }
    for (no, (field, value)) in ["1", "2"].into_iter().zip(wishes) {
        let line = body.add_line();
        for (name, text) in [("no", no), ("field", field), ("value", value)] {
            line.set(name, text).expect("text");
        }
    }
    Record::live(id(9), 1, &body)
}

#[test]
fn a_proposal_of_the_first_part_of_a_fact_says_which_parts_it_leaves_empty() {
    let parts = [("representative_kind", "опекун"), ("representative_document", "решение 1")];
    let stands = [&[("representative", "Петров Иван")][..], &parts].concat();
    let first = ("representative", "Сидорова Мария");
    // the first part alone; with another of its parts; and one of another fact
    for (wishes, emptied) in [
        (vec![first], vec!["representative_document", "representative_kind"]),
        (vec![first, ("representative_kind", "попечитель")], vec!["representative_document"]),
        (vec![first, ("representative_kind", "")], vec!["representative_document"]),
        (vec![("workplace", "Школа")], vec![]),
    ] {
        let mut hub = TestHub::new();
        let mut one = merged(&mut hub, 1, vec![anna(1, 1, &stands)]);
        let uid = uid(&hub);
        exchange(&mut hub, &mut one, &[wished(&uid, &wishes)]);
        let asked = open_reviews(&hub);
        let lost = asked[0].differences.iter().filter(|one| one.stands.is_some() && one.wanted.is_none());
        let lost: Vec<&str> = lost.map(|one| one.field.as_str()).collect();
        let is_wished = |field: &str| wishes.iter().any(|(wished, _)| *wished == field);
        assert_eq!(
            lost.iter().filter(|field| !is_wished(field)).collect::<Vec<_>>(),
            emptied.iter().collect::<Vec<_>>()
        );
        let path = hub.dir.path().join("answers.csv");
        std::fs::write(&path, table(&asked, "принять")).expect("written");
        let done = reviews::apply(&hub.config(), &path, Insist::default(), Lang::Ru, "test", now());
        let mut told: Vec<_> = done.expect("accepted").emptied;
        let fields = told.pop().map(|mut one| {
            one.fields.sort_unstable();
            assert_eq!(one.review, asked[0].review);
            one.fields
        });
        assert_eq!((fields.unwrap_or_default(), told), (emptied.clone(), vec![]), "{wishes:?}");
        let view = people::show(&hub.config(), &uid, now()).expect("shown");
        let empty = |field: &str| view.fields.iter().all(|one| one.field != field || one.value.is_none());
        assert!(emptied.iter().all(|field| empty(field)), "{wishes:?}");
    }
}
