//! Two persons of whom centres have been told become one when two members of staff have signed. Longer than 500 lines because
//! each way in which a signature ends or is carried out is shown on the same few people.

use std::fs;

use exchange_endpoint::{
    messages::Lang,
    output::{Exit, Failure},
    overdue,
};
use exchange_format::record::{Form, Kind, Record};
use jiff::SignedDuration;
use svod_hub::edges::{
    operations::{
        history, join, merge, people,
        questions::Question,
        reviews::{self, Applied, Insist},
        shown,
        signing::{self, Told},
        single::{self, One},
        split, status,
    },
    rebuild::{Order, rebuild},
};

use super::{
    DOUBTFUL, TestHub, anna,
    centre::{TestCentre, now},
    id, record,
    rules::{decide, exchange, merged, open_reviews, table},
};

const REVISE: Insist = Insist { revise: true, all: false };
const ANNA: &str = "anna.as.svod";
const OLGA: &str = "olga.as.svod";

fn setting(hub: &mut TestHub, on: bool) {
    let path = hub.dir.path().join("svod-hub.toml");
    let text = fs::read_to_string(&path).expect("read");
    let (from, to) = if on {
        ("#: second_signature = false", "second_signature = true")
    } else {
        ("second_signature = true", "#: second_signature = false")
    };
    assert!(text.contains(from));
    fs::write(&path, text.replace(from, to)).expect("written");
    hub.reopen();
}

fn zuev(key: u8, version: u32) -> Record {
    let fields = [("surname", "Зуев"), ("given", "Пётр"), ("birth_date", "01.02.1950")];
    record(Kind::RecipientClaim, key, version, &fields)
}

/// Two persons, each published to its centre, of whom staff are asked: the records under key 1 of the one and key 3 of the
/// other centre.
fn asked() -> (TestHub, TestCentre, TestCentre) {
    let mut hub = TestHub::new();
    setting(&mut hub, true);
    let one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let mut two = merged(&mut hub, 2, vec![zuev(3, 1)]);
    exchange(&mut hub, &mut two, &[anna(3, 2, &[DOUBTFUL])]);
    decide(&hub, &table(&open_reviews(&hub), "принять"), false).expect("accepted");
    let asked = open_reviews(&hub);
    assert_eq!(asked.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["pair"]);
    hub.send();
    (hub, one, two)
}

fn number(hub: &TestHub) -> i64 {
    open_reviews(hub).into_iter().find(|one| one.kind == "pair").expect("asked").review
}

fn act<'a>(n: i64, actor: &'a str, reason: &'a str) -> One<'a> {
    One { n, reason, actor, now: now() }
}

fn link(hub: &TestHub, n: i64, actor: &str) -> Result<Applied, Failure> {
    single::decide(&hub.config(), act(n, actor, "паспорт"), true, REVISE, Lang::En)
}

fn separate(hub: &TestHub, n: i64, actor: &str) -> Result<Applied, Failure> {
    single::decide(&hub.config(), act(n, actor, "две сестры"), false, REVISE, Lang::En)
}

fn sign(hub: &TestHub, n: i64, actor: &str) -> Result<Applied, Failure> {
    single::sign(&hub.config(), act(n, actor, "видела обе карточки"), false, Lang::En)
}

fn refused(done: Result<Applied, Failure>) -> (Exit, String) {
    let failure = done.expect_err("refused");
    (failure.exit(), failure.code().to_owned())
}

pub(super) fn column(hub: &TestHub, sql: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("opens");
    let mut select = db.prepare(sql).expect("good");
    let found = select.query_map([], |row| row.get::<_, String>(0)).expect("read");
    found.collect::<Result<_, _>>().expect("text")
}

fn persons(hub: &TestHub) -> usize {
    column(hub, "SELECT DISTINCT uid FROM person_record WHERE kind = 'recipient_claim'").len()
}

/// What the journal has of signatures and decisions about pairs.
fn journal(hub: &TestHub) -> Vec<String> {
    column(
        hub,
        "SELECT concat_ws(' ', actor, event, rule) FROM journal WHERE event GLOB 'review.*signed'
         OR event = 'review.decided' AND rule GLOB '*same' OR event = 'review.decided' AND rule GLOB '*different' ORDER BY n",
    )
}

fn signature(hub: &TestHub, n: i64) -> Option<Told> {
    shown::show(&hub.config(), n, now()).expect("shown").question.signature
}

fn changes(hub: &TestHub, n: i64) -> Vec<(String, &'static str)> {
    let told = signature(hub, n).expect("signed");
    told.changed.into_iter().map(|one| (one.what, one.how)).collect()
}

#[test]
fn one_signs_another_carries_it_out_and_an_auditor_reads_who() {
    let (mut hub, one, two) = asked();
    let n = number(&hub);
    let first = link(&hub, n, ANNA).expect("signed");
    assert_eq!((first.signed, first.decided, first.waiting.len(), first.joined.len()), (1, 0, 1, 0));
    assert_eq!((first.waiting[0].first.actor.as_str(), first.waiting[0].review), (ANNA, n));
    assert!(first.protocol.is_some());
    assert_eq!(persons(&hub), 2, "nothing is merged");
    hub.send();
    for centre in [&one, &two] {
        let told = centre.read_out().records;
        assert!(told.iter().all(|record| record.kind != Kind::Link || record.form == Form::Live), "{told:?}");
        centre.clear_out();
    }
    // it waits, in the queue, with who, when and why
    let question: Question =
        open_reviews(&hub).into_iter().find(|one| one.review == n).expect("in the queue");
    let told = question.signature.expect("signed");
    assert_eq!((told.first.actor.as_str(), told.first.reason.as_str()), (ANNA, "паспорт"));
    assert_eq!((told.changed.len(), told.second), (0, None));
    assert_eq!(question.answers, ["sign", "different"]);
    let counted = status::status(&hub.config(), now()).expect("read");
    assert_eq!((counted.signatures.waiting, counted.overdue.len()), (1, 0));
    let late = now() + SignedDuration::from_hours(24 * 4);
    let late = status::status(&hub.config(), late).expect("read").overdue;
    assert_eq!(late.iter().filter(|one| one.what == "signature" && one.count == 1).count(), 1, "{late:?}");

    for lang in [Lang::Ru, Lang::En] {
        let told = overdue::lines(lang, &late).join("\n");
        assert!(told.contains("review sign") && !told.contains("overdue-"), "{told}");
    }

    // again by the same: it waits already; by her under another name: nobody else; a colleague is told how
    let again = link(&hub, n, ANNA).expect("said");
    assert_eq!((again.signed, again.unchanged, again.waiting.len(), again.protocol), (0, 1, 1, None));
    for same in [ANNA, "anna", "svod"] {
        assert_eq!(refused(sign(&hub, n, same)), (Exit::Refused, "review-sign-same".into()), "{same}");
    }
    assert_eq!(refused(link(&hub, n, OLGA)), (Exit::Refused, "review-signed".into()));
    assert_eq!(persons(&hub), 2);

    let done = sign(&hub, n, OLGA).expect("signed");
    assert_eq!((done.decided, done.joined.len(), persons(&hub)), (1, 1, 1));
    let again = sign(&hub, n, OLGA).expect("done already");
    assert_eq!((again.decided, again.unchanged), (0, 1));
    let told = signature(&hub, n).expect("kept");
    assert_eq!((told.first.actor.as_str(), told.second.expect("signed").actor.as_str()), (ANNA, OLGA));
    let counted = status::status(&hub.config(), now()).expect("read");
    assert_eq!((counted.signatures.waiting, counted.signatures.since), (0, None));

    let why = column(&hub, &format!("SELECT reason FROM review WHERE n = {n}"))[0].clone();
    assert_eq!(
        journal(&hub),
        [
            format!("{ANNA} review.signed {why} same"),
            format!("{OLGA} review.countersigned {ANNA}"),
            format!("{OLGA} review.decided {why} same"),
        ]
    );
    let given = column(&hub, "SELECT digests FROM journal WHERE event GLOB 'review.*signed' ORDER BY n");
    assert_eq!((given[0].len(), &given[0]), (64, &given[1]), "both to the same");
    let uid = column(&hub, "SELECT uid FROM person_record WHERE kind = 'recipient_claim'")[0].clone();
    let events = history::history(&hub.config(), &uid).expect("read").events;
    let of = |event: &str| events.iter().find(|one| one.event == event).map(|one| one.actor.clone());
    assert_eq!(of("sign.pair").flatten().as_deref(), Some(ANNA));
    assert_eq!(of("decide.pair").flatten().as_deref(), Some(OLGA));
}

#[test]
fn what_was_signed_is_carried_out_and_nothing_else() {
    let (mut hub, mut one, mut two) = asked();
    let n = number(&hub);
    let uids = column(&hub, "SELECT uid FROM person_record WHERE kind = 'recipient_claim' ORDER BY key");
    let by = ("test", "по звонку");
    let recipient = id(1).to_string();
    let fields = [("recipient", recipient.as_str()), ("number", "77"), ("date", "2026-01-10")];
    let programme = record(Kind::ProgrammeClaim, 11, 1, &fields);
    let anew = |hub: &TestHub, (first, second): (&str, &str), what: &str, how: &str| {
        let found = changes(hub, n);
        assert_eq!(found, [(what.to_owned(), how)], "{how}");
        let failure = sign(hub, n, second).expect_err("changed");
        assert_eq!((failure.exit(), failure.code()), (Exit::Refused, "review-sign-changed"));
        let told = failure.message(Lang::En);
        assert!(told.contains(first) && told.contains(": new") | told.contains(": changed"), "{told}");
        // whoever looks again signs anew, as the first
        assert_eq!(link(hub, n, second).expect("anew").signed, 1);
        assert_eq!(refused(link(hub, n, first)).1, "review-signed");
        assert_eq!(changes(hub, n), []);
    };
    // what concerns neither of the two is no hindrance
    link(&hub, n, ANNA).expect("signed");
    exchange(&mut hub, &mut one, &[zuev(9, 1)]);
    assert_eq!(changes(&hub, n), []);
    exchange(&mut hub, &mut one, &[programme]);
    anew(&hub, (ANNA, OLGA), "document", "new");
    people::set(&hub.config(), &uids[0], "workplace", "Музей", by, now()).expect("entered");
    anew(&hub, (OLGA, ANNA), "entry", "new");
    // a record says something else, which the hub goes by only when that is accepted
    exchange(&mut hub, &mut two, &[anna(3, 3, &[DOUBTFUL, ("workplace", "Вокзал")])]);
    assert_eq!(changes(&hub, n), []);
    let held: Vec<_> = open_reviews(&hub).into_iter().filter(|one| one.kind != "pair").collect();
    decide(&hub, &table(&held, "принять"), false).expect("accepted");
    anew(&hub, (ANNA, OLGA), "claim", "changed");
    let replaced = journal(&hub).iter().filter(|one| one.ends_with(" review.unsigned replaced")).count();
    assert_eq!(replaced, 3, "none is left without its end");
    let before = persons(&hub);
    assert_eq!(sign(&hub, n, ANNA).expect("carried out").decided, 1);
    assert_eq!(persons(&hub), before - 1);
}

#[test]
fn a_signature_ends_with_what_it_was_given_to() {
    let unsigned = |hub: &TestHub| -> Vec<String> {
        column(hub, "SELECT concat(actor, ' ', rule) FROM journal WHERE event = 'review.unsigned' ORDER BY n")
    };
    // a record goes, and the question with it
    let (mut hub, _one, mut two) = asked();
    let n = number(&hub);
    link(&hub, n, ANNA).expect("signed");
    let gone = Record { form: Form::Tombstone, version: 9, body: Vec::new(), ..anna(3, 9, &[]) };
    exchange(&mut hub, &mut two, &[gone]);
    assert_eq!(refused(sign(&hub, n, OLGA)).1, "review-gone");
    assert_eq!((signature(&hub, n), unsigned(&hub).len()), (None, 1));
    assert!(unsigned(&hub)[0].ends_with(" gone"), "{:?}", unsigned(&hub));
    let nothing = status::status(&hub.config(), now()).expect("read").signatures;
    assert_eq!(nothing.waiting, 0);

    // the two are two people after all, says whoever
    let (hub, ..) = asked();
    let n = number(&hub);
    link(&hub, n, ANNA).expect("signed");
    assert_eq!(separate(&hub, n, OLGA).expect("decided").decided, 1);
    assert_eq!((signature(&hub, n), unsigned(&hub)), (None, vec![format!("{OLGA} separated")]));
    assert_eq!(refused(sign(&hub, n, OLGA)).1, "review-not-signed");
    // that is changed by two as well; until both have signed it stands, and it waits in the queue all the same
    assert_eq!(link(&hub, n, ANNA).expect("signed").signed, 1);
    assert_eq!((persons(&hub), number(&hub)), (2, n));
    assert_eq!(shown::show(&hub.config(), n, now()).expect("shown").state, "decided");
    // the second says it again: two people
    assert_eq!(separate(&hub, n, OLGA).expect("decided").decided, 1);
    assert!(open_reviews(&hub).is_empty());
    assert_eq!(link(&hub, n, ANNA).expect("signed").signed, 1);
    assert_eq!(sign(&hub, n, OLGA).expect("signed").joined.len(), 1);
    assert_eq!(persons(&hub), 1);
    // and taken back by one: a person that is two harms while it lasts
    assert_eq!(separate(&hub, n, ANNA).expect("decided").decided, 1);
    assert_eq!((persons(&hub), signature(&hub, n)), (2, None));

    // not signed, or taken back: the question is as it was
    for who in [OLGA, ANNA] {
        let (hub, ..) = asked();
        let n = number(&hub);
        let refuse = || signing::refuse(&hub.config(), act(n, who, "не уверена"));
        assert_eq!(refuse().expect_err("nothing is signed").code(), "review-not-signed");
        link(&hub, n, ANNA).expect("signed");
        assert!(refuse().expect("refused").is_some());
        assert_eq!((signature(&hub, n), unsigned(&hub)), (None, vec![format!("{who} refused")]));
        assert_eq!((number(&hub), persons(&hub)), (n, 2));
        let again = open_reviews(&hub).into_iter().find(|one| one.review == n).expect("asked");
        assert_eq!(again.answers, ["same", "different"]);
    }
}

#[test]
fn the_table_signs_first_and_second() {
    let (hub, ..) = asked();
    let n = number(&hub);
    let apply = |text: &str, actor: &str| {
        let path = hub.dir.path().join("answers.csv");
        fs::write(&path, text).expect("written");
        let done = reviews::apply(&hub.config(), &path, Insist::default(), Lang::En, actor, now());
        done.map_err(|failure| failure.to_string())
    };
    let filled = |word: &str| table(&open_reviews(&hub), word);
    assert!(apply(&filled("sign"), OLGA).expect_err("nobody has").contains("nobody has signed"));
    let one = filled("один");
    assert_eq!(apply(&one, ANNA).map(|done| (done.signed, done.decided)), Ok((1, 0)));
    assert_eq!(apply(&one, ANNA).map(|done| (done.signed, done.unchanged)), Ok((0, 1)));
    let told = apply(&one, OLGA).expect_err("she has not seen that it is signed");
    assert!(told.contains(":2: ") && told.contains(ANNA) && told.contains("sign"), "{told}");
    assert!(
        apply(&filled("подписать"), ANNA).expect_err("the same").contains("not shown to be somebody else")
    );
    let blind = format!("review;decision;reason\n{n};sign;да\n");
    assert!(apply(&blind, OLGA).expect_err("unseen").contains("version_2"));
    let done = apply(&filled("подписать"), OLGA).expect("signed");
    assert_eq!((done.decided, done.joined.len(), persons(&hub)), (1, 1, 1));
    assert_eq!(
        apply(&format!("review;decision;reason\n{n};sign;да\n"), OLGA).map(|done| done.unchanged),
        Ok(1)
    );
}

#[test]
fn switched_off_with_decisions_waiting_one_decides_or_the_second_signs() {
    let (mut hub, ..) = asked();
    let n = number(&hub);
    link(&hub, n, ANNA).expect("signed");
    setting(&mut hub, false);
    assert_eq!(persons(&hub), 2, "nothing happens by itself");
    assert_eq!(signature(&hub, n).expect("still there").first.actor, ANNA);
    assert_eq!(sign(&hub, n, OLGA).expect("signed").decided, 1);
    assert_eq!(persons(&hub), 1);

    let (mut hub, ..) = asked();
    let n = number(&hub);
    link(&hub, n, ANNA).expect("signed");
    setting(&mut hub, false);
    assert_eq!(link(&hub, n, ANNA).expect("decided").decided, 1);
    assert_eq!((persons(&hub), signature(&hub, n)), (1, None));
    assert_eq!(journal(&hub)[1], format!("{ANNA} review.unsigned decided"));
}

#[test]
fn of_whom_no_centre_was_told_one_decides() {
    let mut hub = TestHub::new();
    setting(&mut hub, true);
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    exchange(&mut hub, &mut one, &[anna(2, 1, &[DOUBTFUL])]);
    let n = number(&hub);
    assert_eq!(link(&hub, n, ANNA).expect("decided").decided, 1);
    assert_eq!(persons(&hub), 1);
}

#[test]
fn no_merge_of_a_later_load_joins_what_two_have_to_sign() {
    for on in [false, true] {
        let mut hub = TestHub::new();
        setting(&mut hub, true);
        if !on {
            setting(&mut hub, false);
        }
        let snils = ("snils", "112-233-446 96");
        merged(&mut hub, 1, vec![anna(1, 1, &[snils])]);
        let mut two = merged(&mut hub, 2, vec![zuev(3, 1)]);
        exchange(&mut hub, &mut two, &[anna(3, 2, &[snils])]);
        decide(&hub, &table(&open_reviews(&hub), "принять"), false).expect("accepted");
        assert_eq!(persons(&hub), 2, "what is published no packet joins");
        let mut three = hub.centre(3);
        for name in three.snapshot(1, &[vec![zuev(5, 1)]]) {
            hub.take(&three, &name);
        }
        let report = merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged");
        assert_eq!(report.persons, if on { 3 } else { 2 }, "{on}");
        let asked = open_reviews(&hub).iter().filter(|one| one.kind == "pair").count();
        assert_eq!(asked, usize::from(on), "staff are asked instead");
    }
}

#[test]
fn two_published_persons_are_not_chained_over_a_record_that_waits_for_its_merge() {
    let (mut hub, ..) = asked();
    let n = number(&hub);
    let mut three = hub.centre(3);
    for name in three.snapshot(1, &[vec![anna(5, 1, &[DOUBTFUL])]]) {
        hub.take(&three, &name);
    }
    // staff have called the waiting record one with either
    hub.hub
        .store
        .write(|tx| {
            let review = tx.review(n)?.expect("asked");
            let (a, b) = (review.one, review.other);
            let x = (three.code, id(5));
            for name in [a, b] {
                tx.open_review("pair", "NAMESAKES", name.min(x), name.max(x), &now().to_string())?;
            }
            Ok::<_, Failure>(())
        })
        .expect("asked");
    let numbers: Vec<i64> =
        column(&hub, "SELECT concat(n) FROM review WHERE kind = 'pair' AND state = 'open'")
            .iter()
            .map(|text| text.parse().expect("a number"))
            .filter(|one| *one != n)
            .collect();
    assert_eq!(link(&hub, numbers[0], ANNA).expect("one is not published").decided, 1);
    assert_eq!(link(&hub, numbers[1], ANNA).expect("that would chain two that are").signed, 1);
    assert_eq!(persons(&hub), 2);
    assert_eq!(sign(&hub, numbers[1], OLGA).expect("signed").decided, 1);
    merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged");
    assert_eq!(persons(&hub), 1);
}

#[test]
fn no_one_clerk_gives_a_record_to_another_person_by_a_word_said_while_two_were_one() {
    let (mut hub, one, two) = asked();
    let n = number(&hub);
    let three = merged(&mut hub, 3, vec![anna(5, 1, &[])]);
    let uid = |hub: &TestHub, centre: &TestCentre| {
        let of = centre.code.as_str();
        let sql = "SELECT uid FROM person_record WHERE kind = 'recipient_claim' AND origin = ";
        column(hub, &format!("{sql}'{of}'")).pop().expect("a person")
    };
    assert_eq!(uid(&hub, &three), uid(&hub, &one), "alike in all");
    let before = [&one, &two, &three].map(|centre| uid(&hub, centre));
    link(&hub, n, ANNA).expect("signed");
    sign(&hub, n, OLGA).expect("signed");
    assert_eq!(persons(&hub), 1);
    // the third is called one with the second, while it is so in any case
    let (a, b) = ((two.code, id(3)), (three.code, id(5)));
    let asked = hub.hub.store.write(|tx| {
        tx.open_review("pair", "NAMESAKES", a.min(b), a.max(b), &now().to_string())?;
        Ok::<_, Failure>(tx.review_of("pair", a.min(b), a.max(b))?.expect("asked"))
    });
    let told = link(&hub, asked.expect("asked"), ANNA).expect("signed");
    assert_eq!((told.signed, told.decided), (1, 0), "two persons of whom centres were told");
    assert_eq!(separate(&hub, n, ANNA).expect("what is wrongly one harms").decided, 1);
    assert_eq!([&one, &two, &three].map(|centre| uid(&hub, centre)), before);
}

#[test]
fn a_hub_that_is_made_again_knows_who_signed() {
    let (mut hub, ..) = asked();
    let n = number(&hub);
    link(&hub, n, ANNA).expect("signed");
    hub.send();
    let mut hub = made_again(hub);
    assert_eq!(signature(&hub, n).expect("waits").first.actor, ANNA);
    assert_eq!(changes(&hub, n), []);
    assert_eq!(refused(sign(&hub, n, ANNA)).1, "review-sign-same");
    assert_eq!(sign(&hub, n, OLGA).expect("signed").decided, 1);
    assert_eq!(persons(&hub), 1);
    hub.send();
    let hub = made_again(hub);
    let told = signature(&hub, n).expect("kept");
    assert_eq!((told.first.actor.as_str(), told.second.expect("kept").actor.as_str()), (ANNA, OLGA));
    assert_eq!(persons(&hub), 1);
}

/// The hub out of its archive.
fn made_again(mut hub: TestHub) -> TestHub {
    let before = hub.hub.store.read(|tx| Ok::<_, Failure>(tx.content()?)).expect("read");
    let TestHub { dir, hub } = hub;
    drop(hub);
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let _ = fs::remove_file(dir.path().join(name));
    }
    let config = exchange_endpoint::config::Config::load(&dir.path().join("svod-hub.toml")).expect("read");
    let archive = dir.path().join("archive");
    let order = Order { from: &archive, archive_key: None, actor: "test" };
    let rebuilt = rebuild(&config, order, now(), &mut |_, _, _| ()).expect("made");
    assert_eq!(rebuilt.content.tables, before.tables);
    TestHub { hub: TestHub::opened(dir.path()), dir }
}

#[test]
fn taken_apart_meanwhile_it_is_not_what_was_signed() {
    let (hub, one, two) = asked();
    let n = number(&hub);
    link(&hub, n, ANNA).expect("signed");
    sign(&hub, n, OLGA).expect("signed");
    let uid = column(&hub, "SELECT uid FROM person_record WHERE kind = 'recipient_claim'")[0].clone();
    let act = ("test", "два паспорта");
    split::split(&hub.config(), &uid, &[(two.code, id(3))], act, now()).expect("split");
    assert_eq!((persons(&hub), signature(&hub, n)), (2, None), "two signatures are under nothing any more");
    assert_eq!(link(&hub, n, ANNA).expect("signed").signed, 1);
    people::confirm(&hub.config(), one.code, &uid, act, now()).expect("confirmed");
    assert_eq!(
        sign(&hub, n, OLGA).map_err(|failure| failure.code().to_owned()).map(|done| done.decided),
        Ok(1)
    );
}

#[test]
fn two_of_whom_nobody_was_asked_are_joined_by_staff_and_by_two_where_two_sign() {
    for on in [false, true] {
        let mut hub = TestHub::new();
        setting(&mut hub, true);
        if !on {
            setting(&mut hub, false);
        }
        let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
        merged(&mut hub, 2, vec![zuev(3, 1)]);
        let uids = column(&hub, "SELECT uid FROM person_record WHERE kind = 'recipient_claim' ORDER BY key");
        let join = |hub: &TestHub, actor: &str, revise| {
            let people = [uids[0].as_str(), uids[1].as_str()];
            join::join(
                &hub.config(),
                people,
                (actor, "сменил всё"),
                Insist { revise, all: true },
                now(),
                Lang::En,
            )
        };
        assert!(open_reviews(&hub).is_empty());
        let done = join(&hub, ANNA, false).expect("said");
        assert_eq!(
            (done.signed, done.decided, persons(&hub)),
            (u64::from(on), u64::from(!on), 1 + usize::from(on))
        );
        if on {
            let question = open_reviews(&hub).remove(0);
            assert_eq!((question.why.as_str(), question.answers), ("STAFF", &["sign", "different"][..]));
            // what comes of the one, and is no likeness of the other, takes the question from nobody
            exchange(&mut hub, &mut one, &[anna(7, 1, &[DOUBTFUL])]);
            let n = question.review;
            signing::refuse(&hub.config(), act(n, OLGA, "не видно")).expect("refused");
            assert!(open_reviews(&hub).iter().any(|one| one.review == n), "it is asked on");
            assert_eq!(
                refused(join(&hub, OLGA, false).and_then(|_| join(&hub, ANNA, false))).1,
                "review-signed"
            );
            assert_eq!(sign(&hub, n, ANNA).expect("signed").decided, 1);
        }
        assert_eq!(join(&hub, ANNA, false).expect("one already").unchanged, 1);
        let n: i64 =
            column(&hub, "SELECT concat(n) FROM review WHERE reason = 'STAFF'")[0].parse().expect("a number");
        let before = persons(&hub);
        assert_eq!(separate(&hub, n, OLGA).expect("decided").decided, 1);
        assert_eq!(persons(&hub), before + 1);
        let now_are =
            column(&hub, "SELECT uid FROM person_record WHERE kind = 'recipient_claim' ORDER BY key");
        assert!(uids.iter().all(|uid| now_are.contains(uid)), "under their own numbers");
        assert_eq!(refused(join(&hub, ANNA, false)).1, "review-decided");
        let again = join(&hub, ANNA, true).expect("revised");
        assert_eq!((again.signed, again.decided), (u64::from(on), u64::from(!on)));
    }
}

#[test]
fn both_who_sign_say_that_all_are_one_where_two_are_never_joined_without_asking() {
    let mut hub = TestHub::new();
    setting(&mut hub, true);
    let of =
        |key, version, given: &'static str| anna(key, version, &[("given", given), ("phone", "89111234567")]);
    merged(&mut hub, 1, vec![of(1, 1, "Анна")]);
    // told of as somebody else, and found to be a twin
    let mut two = merged(&mut hub, 2, vec![zuev(3, 1)]);
    exchange(&mut hub, &mut two, &[of(3, 2, "Алла")]);
    decide(&hub, &table(&open_reviews(&hub), "принять"), false).expect("accepted");
    merged(&mut hub, 3, vec![of(5, 1, "А.")]);
    let uids = column(&hub, "SELECT uid FROM person_record WHERE kind = 'recipient_claim' ORDER BY key");
    assert_eq!(persons(&hub), 3);
    let join = |hub: &TestHub, other: usize, all| {
        let people = [uids[0].as_str(), uids[other].as_str()];
        join::join(&hub.config(), people, (ANNA, "карта"), Insist { revise: false, all }, now(), Lang::En)
    };
    let signed = |hub: &TestHub| -> i64 {
        let open = open_reviews(hub);
        open.into_iter().find(|one| one.signature.is_some()).expect("signed").review
    };
    let sign =
        |hub: &TestHub, all| single::sign(&hub.config(), act(signed(hub), OLGA, "видела"), all, Lang::En);
    // nobody has been told of the third, who may be either: one decides
    assert_eq!(join(&hub, 2, true).expect("decided").decided, 1);
    assert_eq!(persons(&hub), 2);
    let barred = (Exit::Refused, "review-barred".to_owned());
    assert_eq!(refused(join(&hub, 1, false)), barred);
    let done = join(&hub, 1, true).expect("signed");
    assert_eq!((done.signed, done.decided, done.over.len(), persons(&hub)), (1, 0, 0, 2));
    assert_eq!(refused(sign(&hub, false)), barred);
    assert_eq!(persons(&hub), 2);
    let done = sign(&hub, true).expect("decided");
    assert_eq!((done.over.len(), persons(&hub)), (1, 1));
    assert_eq!(done.over[0].barred, Some("TWINS"));
}
