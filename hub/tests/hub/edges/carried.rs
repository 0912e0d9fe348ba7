//! A word of staff: it outlives the record by which it was said, and says of whoever may be either whose she is.

use std::collections::BTreeMap;

use exchange_endpoint::{messages::Lang, output::Exit};
use exchange_format::record::{Kind, Record};
use svod_hub::edges::operations::{
    join,
    reviews::{Applied, Insist},
    single::{self, One},
};

use super::{
    TestHub, anna,
    centre::now,
    id,
    rebuild::{known, made_again_at},
    record,
    rules::{exchange, merged},
};

type Said = (&'static str, &'static str);

/// Her whom staff know to be Anna, under another name, with another date and number.
fn zoya(key: u8) -> Record {
    let fields: [Said; 5] = [
        ("surname", "Кочергина"),
        ("given", "Зоя"),
        ("patronymic", "Ильинична"),
        ("birth_date", "21.11.1952"),
        ("phone", "+79234475561"),
    ];
    record(Kind::RecipientClaim, key, 1, &fields)
}

/// Of each claim of a recipient, by the last byte of its key, which person it is.
fn people(hub: &TestHub) -> BTreeMap<String, String> {
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("open");
    let sql = "SELECT substr(key, -2), uid FROM person_record WHERE kind = 'recipient_claim'";
    let mut select = db.prepare(sql).expect("good");
    let found = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("read");
    found.collect::<Result<_, _>>().expect("text")
}

fn who(hub: &TestHub, key: u8) -> Option<String> {
    let name = id(key).to_string();
    people(hub).remove(&name[name.len() - 2..])
}

/// The numbers of the answers «один», in order.
fn joined(hub: &TestHub) -> Vec<i64> {
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("open");
    let sql = "SELECT n FROM review WHERE kind = 'pair' AND decision = 'same' ORDER BY n";
    let mut select = db.prepare(sql).expect("good");
    let found = select.query_map([], |row| row.get(0)).expect("read");
    found.collect::<Result<_, _>>().expect("numbers")
}

fn separate(hub: &TestHub, n: i64) -> Result<Applied, exchange_endpoint::output::Failure> {
    let one = One { n, reason: "две", actor: "olga", now: now() };
    single::decide(&hub.config(), one, false, Insist { revise: true, all: false }, Lang::Ru)
}

#[test]
fn one_that_was_said_of_a_record_holds_its_person_when_that_record_is_withdrawn() {
    let phone: Said = ("phone", "+79110000001");
    let mut hub = TestHub::new();
    let mut first = merged(&mut hub, 1, vec![anna(1, 1, &[phone])]);
    let _second = merged(&mut hub, 2, vec![anna(2, 1, &[phone])]);
    let _third = merged(&mut hub, 3, vec![zoya(3)]);
    let (annas, zoyas) = (who(&hub, 1).expect("there"), who(&hub, 3).expect("there"));
    assert_eq!((who(&hub, 2).as_deref(), annas == zoyas), (Some(&*annas), false));
    let insist = Insist { revise: false, all: true };
    let act = ("olga", "сменила имя");
    join::join(&hub.config(), [&annas, &zoyas], act, insist, now(), Lang::Ru).expect("joined");
    let [said] = joined(&hub)[..] else { panic!("one answer") };
    assert_eq!(who(&hub, 3).as_deref(), Some(&*annas));
    // the record that the word names, which is the first of Anna's, is withdrawn
    exchange(&mut hub, &mut first, &[Record::tombstone(Kind::RecipientClaim, id(1), 2)]);
    assert_eq!((who(&hub, 1), who(&hub, 2) == who(&hub, 3)), (None, true));
    let [_, carried] = joined(&hub)[..] else { panic!("the answer is carried") };
    let refused = separate(&hub, said).expect_err("one is withdrawn");
    assert_eq!((refused.exit(), refused.code()), (Exit::Refused, "review-withdrawn"));
    let told = format!("{refused} {:?}", refused.next(Lang::Ru));
    assert!(told.contains(&carried.to_string()) && told.contains("person split"), "{told}");
    // a merge does not part them, nor a rebuild
    let _fourth = merged(&mut hub, 4, vec![anna(4, 1, &[("surname", "Дроздова"), ("given", "Пелагея")])]);
    assert_eq!((who(&hub, 2), who(&hub, 3)), (Some(annas.clone()), Some(annas.clone())));
    hub.send();
    let archive = hub.dir.path().join("archive");
    let content = known(&mut hub);
    let (mut hub, rebuilt) =
        made_again_at(hub, &archive, None, now()).unwrap_or_else(|(_, why)| panic!("{why:?}"));
    assert_eq!(rebuilt.content.digest, content.digest);
    assert_eq!((who(&hub, 2), who(&hub, 3)), (Some(annas.clone()), Some(annas.clone())));
    // and it is taken back whole by the question that has it
    let done = separate(&hub, carried).expect("parted");
    assert_eq!(done.decided, 1);
    assert_eq!((who(&hub, 2), who(&hub, 3)), (Some(annas.clone()), Some(zoyas.clone())));
    let _fifth = merged(&mut hub, 5, vec![anna(5, 1, &[("surname", "Синицына"), ("given", "Ия")])]);
    assert_eq!((who(&hub, 2), who(&hub, 3)), (Some(annas), Some(zoyas)));
    let none = separate(&hub, said).expect_err("one is withdrawn");
    assert_eq!((none.exit(), none.code()), (Exit::Refused, "review-withdrawn"));
}

/// One of two born together, or whoever may be either.
fn twin(key: u8, given: &'static str) -> Record {
    let fields: [Said; 5] = [
        ("surname", "Двойникова"),
        ("given", given),
        ("patronymic", "Петровна"),
        ("birth_date", "03.04.1950"),
        ("phone", "+79111234568"),
    ];
    record(Kind::RecipientClaim, key, 1, &fields)
}

#[test]
fn who_may_be_either_of_two_who_are_one_is_theirs_unless_a_merge_has_confirmed_her_centre() {
    for is_of_load in [true, false] {
        let mut hub = TestHub::new();
        let mut first = merged(&mut hub, 1, vec![twin(1, "Анна")]);
        let _second = merged(&mut hub, 2, vec![twin(2, "Алла")]);
        if is_of_load {
            merged(&mut hub, 3, vec![twin(3, "А.")]);
        } else {
            exchange(&mut hub, &mut first, &[twin(3, "А.")]);
        }
        let [one, other, either] = [1, 2, 3].map(|key| who(&hub, key).expect("there"));
        assert!(one != other && one != either && other != either);
        let asked = |key: u8, of: u8| {
            let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("open");
            let sql =
                "SELECT max(n) FROM review WHERE kind = 'pair' AND state = 'open' AND ?1 IN (key_1, key_2)
                       AND ?2 IN (key_1, key_2)";
            let names = [id(key).to_string(), id(of).to_string()];
            db.query_row(sql, names, |row| row.get::<_, Option<i64>>(0)).expect("read")
        };
        let question = asked(1, 2).expect("whether the two are one");
        let said = One { n: question, reason: "карта", actor: "olga", now: now() };
        single::decide(&hub.config(), said, true, Insist::default(), Lang::Ru).expect("answered");
        assert_eq!(who(&hub, 1), who(&hub, 2));
        let is_theirs = who(&hub, 3) == who(&hub, 1);
        assert_eq!((is_theirs, asked(3, 3).is_none()), (!is_of_load, !is_of_load));
    }
}
