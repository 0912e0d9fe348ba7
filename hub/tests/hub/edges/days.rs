//! What the day alone changes, and what the region's lists alone.

use std::sync::Arc;

use exchange_endpoint::clock::MachineClock;
use exchange_format::record::{Kind, Record};
use fixtures::examples;
use jiff::{Timestamp, civil::date};
use svod_hub::edges::{event_loop::Daemon, hub, operations::people};

use super::{
    TestHub, anna,
    centre::now,
    documents::{fault_counts, unpublished},
    id,
    rebuild::{boris, derived, known, made_again_at, rows},
    record,
    rules::merged,
};

#[test]
fn what_was_ahead_and_has_become_right_is_published_and_a_rebuild_of_that_day_says_the_same() {
    let mut hub = TestHub::new();
    let of_anna = |status, day| {
        let known = [("snils", "112-233-445 95"), ("phone", "89061234567")];
        anna(1, 1, &[&known[..], &[("status", status), ("status_date", day)]].concat())
    };
    let paper = |key, of: u8, number, day, until| {
        let of = id(of).to_string();
        let fields = [("recipient", &*of), ("number", number), ("date", day), ("valid_until", until)];
        record(Kind::ProgrammeClaim, key, 1, &fields)
    };
    let load = vec![
        of_anna("left", "28.11.2026"),
        boris(1, &[]),
        paper(7, 1, "5", "26.11.2027", "26.11.2028"),
        paper(8, 2, "6", "01.06.2026", "26.11.2026"),
        paper(9, 2, "7", "20.11.2026", "20.11.2027"),
    ];
    let one = merged(&mut hub, 1, load);
    merged(&mut hub, 2, vec![of_anna("active", "01.01.2026")]);
    let db = hub.dir.path().join("hub.db");
    let people = rows(&db, "SELECT uid FROM person ORDER BY serial");
    for uid in &people {
        people::confirm(&hub.config(), one.code, uid, ("test", "слияние"), now()).expect("confirmed");
    }
    hub.send();
    let state = |db: &std::path::Path| {
        let told = "SELECT DISTINCT substr(b, instr(b, '<status>') + 8, 4) FROM (SELECT CAST(body AS TEXT) AS b, * FROM publication)
                    WHERE kind = 'person' AND b LIKE '%<status>%'";
        let asked = "SELECT reason FROM review WHERE state = 'open' AND kind = 'programme'";
        let programmes = "SELECT DISTINCT key FROM publication WHERE kind = 'programme' AND form = 'live'";
        (rows(db, told), rows(db, "SELECT rule FROM fault"), rows(db, asked), rows(db, programmes).len())
    };
    let (told, faults, asked, programmes) = state(&db);
    assert_eq!(
        (&told[..], &faults[..], &asked[..], programmes),
        (&["acti".to_owned()][..], &["G02".to_owned()][..], &["OVERLAP".to_owned()][..], 0)
    );
    assert!(!hub.hub.follow_day(now()).expect("followed"), "nothing is of that day");
    // a clock that is ahead, and is put right
    let ahead: Timestamp = "2036-11-23T00:00:00Z".parse().expect("a time");
    assert!(hub.hub.follow_day(ahead).expect("followed"));
    assert_eq!(state(&db).0, ["left"]);
    assert!(hub.hub.follow_day(now()).expect("followed"));
    assert!(!hub.hub.follow_day(now()).expect("followed"), "and once is enough");
    assert_eq!(state(&db).0, ["acti"]);
    let later: Timestamp = "2026-11-29T00:00:00Z".parse().expect("a time");
    assert!(hub.hub.follow_day(later).expect("followed"));
    assert!(!hub.hub.follow_day(later).expect("followed"), "and once is enough");
    let (told, faults, asked, programmes) = state(&db);
    assert_eq!(
        (&told[..], &faults[..], &asked[..], programmes),
        (&["left".to_owned()][..], &[][..], &[][..], 3)
    );
    hub.hub.seal(later).expect("sealed");
    hub.hub.place(later).expect("placed");
    let (before, followed) = (known(&mut hub), derived(&db));
    let archive = hub.dir.path().join("archive");
    let (_hub, rebuilt) =
        made_again_at(hub, &archive, None, later).unwrap_or_else(|(_, why)| panic!("{why:?}"));
    assert_eq!(rebuilt.content.tables, before.tables);
    let again = derived(&db);
    for what in ["publication", "fault", "day_ahead", "field_source"] {
        assert_eq!(again[what], followed[what], "{what}");
    }
}

#[test]
fn supplements_are_judged_by_the_lists_of_the_region_as_soon_as_the_hub_has_them() {
    let mut hub = TestHub::new();
    let paper = |kind, key, of: u8, number, model: Option<&str>| {
        let (mut body, of, programme) = (examples::body(kind), id(of).to_string(), id(of + 6).to_string());
        let mut set = |field, value: &str| body.set(field, value).expect("plain");
        set("recipient", &of);
        set("number", number);
        if let Some(model) = model {
            set("programme", &programme);
            set("model", model);
        }
        Record::live(id(key), 1, &body)
    };
    let programme = |of| paper(Kind::ProgrammeClaim, of + 6, of, "5", None);
    let supplement = |of, model| paper(Kind::SupplementClaim, of + 10, of, "Д-1", Some(model));
    let boris = boris(1, &[("snils", "112-233-445 95"), ("phone", "89061234567")]);
    let load = vec![
        anna(1, 1, &[]),
        boris.clone(),
        programme(1),
        programme(2),
        supplement(1, "region-42"),
        supplement(2, "region-42"),
    ];
    let one = merged(&mut hub, 1, load);
    merged(&mut hub, 2, vec![boris, programme(2), supplement(2, "demo-1")]);
    let db = hub.dir.path().join("hub.db");
    for uid in &rows(&db, "SELECT uid FROM person ORDER BY serial") {
        people::confirm(&hub.config(), one.code, uid, ("test", "слияние"), now()).expect("confirmed");
    }
    hub.hub.follow_lists().expect("followed");
    while hub.hub.follow_day(now()).expect("followed") {}
    let models = || {
        let sql = format!(
            "SELECT key || CAST(body AS TEXT) FROM publication
             WHERE kind = 'supplement' AND form = 'live' AND centre = '{}'",
            one.code
        );
        let all = rows(&db, &sql).into_iter();
        let model = |body: String| Some(body.split("<model>").nth(1)?.split('<').next()?.to_owned());
        let mut all: Vec<_> = all.filter_map(model).collect();
        all.sort();
        all
    };
    let s10 = |hub: &TestHub| unpublished(hub).iter().filter(|(_, rule, ..)| *rule == "S10").count();
    assert_eq!(models(), ["demo-1"]);
    assert_eq!((s10(&hub), fault_counts(&hub)), (1, vec![("S10".to_owned(), 1)]));
    assert!(!hub.hub.follow_lists().expect("followed"), "the same as before");
    // the region's own, beside the demonstration
    let demo = include_str!("../../../../exchange-format/data/care_services.demo-1.toml");
    let config = hub.dir.path().join("svod-hub.toml");
    let text = std::fs::read_to_string(&config).expect("read");
    let named = text.replace("#: care = []", "care = [\"demo.toml\", \"own.toml\"]");
    for (name, text) in
        [("demo.toml", demo), ("own.toml", &demo.replace("demo-1", "region-42")), ("svod-hub.toml", &named)]
    {
        std::fs::write(hub.dir.path().join(name), text).expect("written");
    }
    hub.reopen();
    assert!(hub.hub.follow_lists().expect("followed"));
    while hub.hub.follow_day(now()).expect("followed") {}
    assert_eq!(models(), ["region-42"; 2]);
    assert_eq!((s10(&hub), fault_counts(&hub)), (0, Vec::new()));
    // and what stands by them stands, told, when they are gone
    std::fs::write(&config, &text).expect("written");
    hub.reopen();
    assert!(hub.hub.follow_lists().expect("followed"));
    while hub.hub.follow_day(now()).expect("followed") {}
    assert_eq!((s10(&hub), fault_counts(&hub)), (1, vec![("S10".to_owned(), 1)]));
    // a command reads a file that is edited, and edited back before anybody starts with it: the daemon judges by its own again
    std::fs::write(&config, &named).expect("written");
    for uid in &rows(&db, "SELECT uid FROM person ORDER BY serial") {
        people::set(&hub.config(), uid, "workplace", "Шахта 7", ("test", "звонок"), now()).expect("entered");
    }
    assert_eq!(fault_counts(&hub), []);
    std::fs::write(&config, text).expect("written");
    while hub.hub.follow_day(now()).expect("followed") {}
    assert_eq!((s10(&hub), fault_counts(&hub)), (1, vec![("S10".to_owned(), 1)]));
    assert!(!hub.hub.follow_lists().expect("followed"));
}

#[test]
fn the_daemon_looks_again_for_those_whose_day_has_come_when_a_command_was_given() {
    let mut hub = TestHub::new();
    merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let opened = hub::open(&hub.config()).expect("opened");
    let mut daemon = Daemon::new(opened, Arc::new(MachineClock::default()));
    assert!(daemon.changed());
    while daemon.follow_day() {}
    let person = rows(&hub.dir.path().join("hub.db"), "SELECT uid FROM person")[0].parse().expect("an id");
    hub.hub.store.write(|tx| tx.set_day_ahead(person, Some(date(2026, 1, 1)))).expect("written");
    assert!(daemon.changed() && daemon.follow_day());
    assert!(!daemon.follow_day());
}
