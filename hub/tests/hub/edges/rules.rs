//! Rules of the exchange that were once broken here, each with the run that showed it.

use exchange_endpoint::messages::Lang;
use exchange_format::{
    answer::{RecordLine, RecordOutcome, RecordReason},
    record::{Body, Kind, Record},
};

use super::{
    DOUBTFUL, TestHub, anna,
    centre::{Read, TestCentre, now},
    id, record,
};
use svod_hub::edges::operations::{
    merge, people, questions,
    reviews::{self, Insist},
};

/// A centre whose initial load `records` is merged and published, its `out` read and cleared.
pub(super) fn merged(hub: &mut TestHub, unit: u16, records: Vec<Record>) -> TestCentre {
    merged_and_told(hub, unit, records).0
}

/// The same, and what it was told.
pub(super) fn merged_and_told(hub: &mut TestHub, unit: u16, records: Vec<Record>) -> (TestCentre, Read) {
    let mut centre = hub.centre(unit);
    for name in centre.snapshot(1, &[records]) {
        hub.take(&centre, &name);
    }
    merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged");
    hub.send();
    let read = centre.read_out();
    centre.clear_out();
    (centre, read)
}

/// Takes `records` of `centre` in one packet; the outcome of each that its PR lists.
pub(super) fn exchange(hub: &mut TestHub, centre: &mut TestCentre, records: &[Record]) -> Vec<RecordOutcome> {
    let name = centre.data(records);
    hub.take(centre, &name);
    hub.send();
    let read = centre.read_out();
    let lines = read.protocols.iter().flat_map(|(_, lines)| lines.iter().map(|line| line.outcome));
    lines.collect()
}

/// The answers in the centre's folder that took the place of earlier ones.
fn revised(hub: &mut TestHub, centre: &TestCentre) -> Vec<(u32, Vec<(RecordOutcome, RecordReason)>)> {
    hub.send();
    let revised = centre.read_out().protocols.into_iter().filter(|(head, _)| head.revision > 1);
    let told = |lines: Vec<RecordLine>| lines.iter().map(|line| (line.outcome, line.reason)).collect();
    revised.map(|(head, lines)| (head.revision, told(lines))).collect()
}

/// What staff decide about a proposal comes back, and is told again if they think better of it.
#[test]
fn a_proposal_gets_an_answer() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("open");
    let uid: String = db.query_row("SELECT uid FROM person", [], |row| row.get(0)).expect("one person");
    let mut body = Body::new(Kind::Proposal);
    for (field, value) in [("target_kind", "person"), ("target", &uid), ("based_on", "1")] {
        body.set(field, value).expect("text");
    }
    let line = body.add_line();
    for (field, value) in [("no", "1"), ("field", "phone"), ("value", "+79110000000")] {
        line.set(field, value).expect("text");
    }
    let proposal = Record::live(id(9), 1, &body);
    assert_eq!(exchange(&mut hub, &mut one, &[proposal]), [], "taken");
    one.clear_out();
    assert_eq!(answer_all(&hub, "отклонить"), Some(1));
    assert_eq!(revised(&mut hub, &one), [(2, vec![(RecordOutcome::Refused, RecordReason::Declined)])]);
}

pub(super) fn open_reviews(hub: &TestHub) -> Vec<questions::Question> {
    questions::list(&hub.config(), now()).expect("listed")
}

/// Answers all open questions; how many.
pub(super) fn answer_all(hub: &TestHub, decision: &str) -> Option<usize> {
    let open = open_reviews(hub);
    apply(hub, &table(&open, decision)).ok().map(|_| open.len())
}

/// A table that decides all of `open` alike.
pub(super) fn table(open: &[questions::Question], decision: &str) -> String {
    let lines = open.iter().map(|question| {
        let (one, other) = (&question.one.version, &question.other.version);
        format!("{};{one};{other};{decision};проверено\n", question.review)
    });
    lines.fold("review;version_1;version_2;decision;reason\n".to_owned(), |all, line| all + &line)
}

fn apply(hub: &TestHub, table: &str) -> Result<reviews::Applied, String> {
    decide(hub, table, false)
}

pub(super) fn decide(hub: &TestHub, table: &str, revise: bool) -> Result<reviews::Applied, String> {
    let path = hub.dir.path().join("answers.csv");
    std::fs::write(&path, table).expect("written");
    let done = reviews::apply(&hub.config(), &path, Insist { revise, all: false }, Lang::En, "test", now());
    done.map_err(|failure| failure.to_string())
}

#[test]
fn an_answer_is_to_the_version_that_its_table_shows_and_to_none_that_came_since() {
    let mut hub = TestHub::new();
    let named = |key, version, surname: &'static str| {
        let fields = [("surname", surname), ("given", "Пётр"), ("birth_date", "01.02.1950")];
        record(Kind::RecipientClaim, key, version, &fields)
    };
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[]), named(3, 1, "Зуев")]);
    // a change of what is published, and another person under an old key
    exchange(&mut hub, &mut one, &[anna(1, 2, &[("workplace", "Вокзал")]), anna(3, 2, &[])]);
    let open = open_reviews(&hub);
    assert_eq!(open.len(), 2, "{:?}", open.iter().map(|one| &one.kind).collect::<Vec<_>>());
    let stale = table(&open, "принять");
    exchange(&mut hub, &mut one, &[anna(1, 3, &[("workplace", "Школа")])]);
    let told = apply(&hub, &stale).expect_err("a version that nobody saw");
    let line = 2 + open.iter().position(|one| one.one.key == id(1).to_string()).expect("asked");
    assert!(told.contains(&format!(":{line}: column version_2: this has changed since")), "{told}");
    assert_eq!(told.matches("column").count(), 1, "the other line is good: {told}");
    assert_eq!(open_reviews(&hub).len(), 2, "all lines or none");
    // nor is anything accepted of which no version is named
    let blind = stale.lines().map(|line| line.splitn(4, ';').collect::<Vec<_>>());
    let blind = blind.fold(String::new(), |all, cells| all + cells[0] + ";" + cells[3] + "\n");
    assert!(apply(&hub, &blind).expect_err("unseen").contains("version_2: the version"), "{blind}");
    assert_eq!(answer_all(&hub, "принять"), Some(2));
    hub.send();
    let known = |hub: &mut TestHub, key| {
        let of = one.code;
        hub.hub.store.read(|tx| tx.received_by_key(of, Kind::RecipientClaim, id(key))).expect("read")
    };
    assert_eq!(known(&mut hub, 1).expect("there").claim.version, 3);
    assert_eq!(known(&mut hub, 3).expect("there").claim.body.text("surname"), Some("Белова"));
}

#[test]
fn an_answer_about_two_records_is_to_the_records_that_its_table_shows() {
    let mut hub = TestHub::new();
    merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let mut two = merged(&mut hub, 2, Vec::new());
    exchange(&mut hub, &mut two, &[anna(2, 1, &[DOUBTFUL])]);
    let stale = table(&open_reviews(&hub), "один");
    two.clear_out();
    exchange(&mut hub, &mut two, &[anna(2, 2, &[DOUBTFUL, ("snils", "112-233-446 96")])]);
    assert!(apply(&hub, &stale).expect_err("it has changed").contains("column version_2"), "told");
    assert_eq!(answer_all(&hub, "один"), Some(1));
}

#[test]
fn staff_are_asked_about_each_newer_version_of_a_published_claim() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[("workplace", "Завод")])]);
    let said = exchange(&mut hub, &mut one, &[anna(1, 2, &[("workplace", "Вокзал")])]);
    assert_eq!(said, [RecordOutcome::Proposed]);
    one.clear_out();
    assert_eq!(answer_all(&hub, "отклонить"), Some(1));
    // their answer comes back to the centre, and stays in its folder whatever the centre sends
    assert_eq!(revised(&mut hub, &one), [(2, vec![(RecordOutcome::Refused, RecordReason::Declined)])]);
    one.control.echo = one.last;
    let name = one.data(&[anna(1, 3, &[("workplace", "Школа")])]);
    hub.take(&one, &name);
    assert_eq!(revised(&mut hub, &one), [(2, vec![(RecordOutcome::Refused, RecordReason::Declined)])]);
    one.clear_out();
    assert_eq!(open_reviews(&hub).len(), 1, "a proposal that nobody sees");
    // the centre takes it back: nothing is left to ask
    assert_eq!(exchange(&mut hub, &mut one, &[anna(1, 4, &[("workplace", "Завод")])]), []);
    assert!(open_reviews(&hub).is_empty());
}

#[test]
fn what_was_held_for_a_record_is_applied_when_a_corrected_version_of_that_record_comes() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let contact = |version, recipient: u8| {
        record(
            Kind::Contact,
            5,
            version,
            &[("recipient", &id(recipient).to_string()), ("type", "phone"), ("value", "112")],
        )
    };
    // a recipient without a surname is refused, and its contact waits
    let nameless = record(Kind::RecipientClaim, 2, 1, &[("given", "Пётр")]);
    let said = exchange(&mut hub, &mut one, &[nameless, contact(1, 2)]);
    assert_eq!(said, [RecordOutcome::Refused, RecordOutcome::Held]);
    one.clear_out();
    let named = record(Kind::RecipientClaim, 2, 2, &[("surname", "Зуев"), ("given", "Пётр")]);
    exchange(&mut hub, &mut one, &[named]);
    let corrected = revised(&mut hub, &one);
    one.clear_out();
    let code = one.code;
    let standing = |hub: &mut TestHub| {
        let known = hub.hub.store.read(|tx| tx.known(code, Kind::Contact, id(5))).expect("read");
        let known = known.expect("stored");
        (known.outcome, known.version, known.basis_version)
    };
    assert_eq!(standing(&mut hub), ("changed".to_owned(), 1, None));
    assert_eq!(corrected, [(2, vec![(RecordOutcome::Refused, RecordReason::Invalid)])], "held no longer");
    // a newer version of what is applied may wait as well: the older stands until its referent comes
    exchange(&mut hub, &mut one, &[contact(2, 3)]);
    one.clear_out();
    assert_eq!(standing(&mut hub), ("held".to_owned(), 2, Some(1)));
    exchange(&mut hub, &mut one, &[record(Kind::RecipientClaim, 3, 1, &[("surname", "Котов")])]);
    assert_eq!(standing(&mut hub), ("changed".to_owned(), 2, None));
}

/// The people published to a centre: what it was told and has not read yet.
fn told(hub: &mut TestHub, centre: &TestCentre) -> Vec<Kind> {
    hub.send();
    let kinds = centre.read_out().records.iter().map(|record| record.kind).collect();
    centre.clear_out();
    kinds
}

#[test]
fn w3_a_claim_that_may_be_another_person_stays_unpublished_until_staff_decide() {
    let mut hub = TestHub::new();
    let one = merged(&mut hub, 1, vec![anna(1, 1, &[("phone", "89061234567")])]);
    let mut two = merged(&mut hub, 2, Vec::new());
    // the same name, another year of birth: perhaps Anna, perhaps not
    assert_eq!(
        exchange(&mut hub, &mut two, &[anna(2, 1, &[DOUBTFUL])]),
        [],
        "doubt is no refusal, and told to nobody"
    );
    assert_eq!(told(&mut hub, &two), []);
    assert_eq!(told(&mut hub, &one), [], "what is published stays as it is");
    assert_eq!(open_reviews(&hub).len(), 1);
    let programme = |version, number: &str| {
        let recipient = id(2).to_string();
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "01.02.2026")];
        record(Kind::ProgrammeClaim, 12, version, &fields)
    };
    exchange(&mut hub, &mut two, &[programme(1, "77")]);
    two.clear_out();
    assert_eq!(told(&mut hub, &two), [], "its programme waits with it");
    assert_eq!(answer_all(&hub, "разные"), Some(1));
    assert_eq!(told(&mut hub, &two), [Kind::Person, Kind::Programme, Kind::Link, Kind::Link]);
    // asked and answered: a newer version of the claim asks nothing and is not held back
    exchange(&mut hub, &mut two, &[anna(2, 2, &[DOUBTFUL])]);
    assert!(open_reviews(&hub).is_empty());
}

#[test]
fn what_was_served_stays_served_while_staff_are_asked_and_nothing_new_is() {
    let mut hub = TestHub::new();
    let programme = |recipient: u8, key, number: &str| {
        let recipient = id(recipient).to_string();
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "01.02.2026")];
        record(Kind::ProgrammeClaim, key, 1, &fields)
    };
    let phone = [("phone", "89061234567")];
    let first = vec![anna(1, 1, &phone), programme(1, 11, "77")];
    let mut one = merged(&mut hub, 1, first);
    let (mut two, mut three) = (merged(&mut hub, 2, Vec::new()), merged(&mut hub, 3, Vec::new()));
    // a namesake, perhaps the same; then Anna again, doubtful for the namesake, with another programme
    exchange(&mut hub, &mut three, &[anna(3, 1, &[DOUBTFUL])]);
    exchange(&mut hub, &mut two, &[anna(2, 1, &phone), programme(2, 12, "78")]);
    two.clear_out();
    let asked = |hub: &TestHub| -> Vec<String> {
        open_reviews(hub).into_iter().map(|question| question.kind).collect()
    };
    let mut kinds = asked(&hub);
    kinds.sort_unstable();
    assert_eq!(kinds, ["pair", "programme"], "of two persons they are asked once");
    assert_eq!(told(&mut hub, &one), [], "what is served stays as it is");
    // a third one, new: staff are asked, so nobody is told of it
    exchange(&mut hub, &mut one, &[programme(1, 13, "79")]);
    one.clear_out();
    assert_eq!(asked(&hub).iter().filter(|kind| *kind == "programme").count(), 3);
    let known = hub.hub.store.read(|tx| tx.known(one.code, Kind::RecipientClaim, id(1))).expect("read");
    let uid = hub.hub.store.read(|tx| tx.uid_of(known.expect("stored").id)).expect("read").expect("known");
    let said = people::confirm(&hub.config(), two.code, &uid.to_string(), ("test", "обслуживается"), now())
        .expect("confirmed");
    assert_eq!(said.centres, [one.code.to_string()], "only whom it reaches");
    let withheld: Vec<_> = said.withheld.iter().map(|one| (one.centre.as_str(), one.reviews.len())).collect();
    assert_eq!(withheld, [(two.code.as_str(), 1)]);
    let view = people::show(&hub.config(), &uid.to_string(), now()).expect("shown");
    assert_eq!((view.withheld, view.told.published_to), (said.withheld, vec![one.code.to_string()]));
    assert_eq!(told(&mut hub, &two), [], "still in doubt");
    let pairs: Vec<_> = open_reviews(&hub).into_iter().filter(|one| one.kind == "pair").collect();
    apply(&hub, &table(&pairs, "разные")).expect("applied");
    assert_eq!(told(&mut hub, &two), [Kind::Person, Kind::Link], "Anna it is, without the programme");
    assert_eq!(told(&mut hub, &one), [], "nothing is withdrawn, nothing flaps");
    let view = people::show(&hub.config(), &uid.to_string(), now()).expect("shown");
    assert_eq!(view.told.published_to, [one.code.to_string(), two.code.to_string()]);
    let states: Vec<_> = view.documents.iter().map(|one| (one.state, one.told.published_to.len())).collect();
    assert_eq!(states.iter().filter(|state| **state == ("asked", 1)).count(), 1, "{states:?}");
    assert_eq!(answer_all(&hub, "разные"), Some(3));
    assert!(told(&mut hub, &one).contains(&Kind::Programme));
    // the programme and the claim that ended are told as ended
    let gone = [
        Record::tombstone(Kind::ProgrammeClaim, id(12), 2),
        Record::tombstone(Kind::RecipientClaim, id(2), 2),
    ];
    exchange(&mut hub, &mut two, &gone);
    let view = people::show(&hub.config(), &uid.to_string(), now()).expect("shown");
    assert_eq!(view.told.withdrawn_from, [two.code.to_string()]);
    let ended = view.documents.iter().find(|one| one.state == "ended").expect("without a claim");
    assert_eq!((ended.claims, &ended.told.published_to), (0, &Vec::new()));
}

#[test]
fn w3_a_doubt_ends_with_the_likeness_that_raised_it() {
    let mut hub = TestHub::new();
    merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let mut two = merged(&mut hub, 2, Vec::new());
    exchange(&mut hub, &mut two, &[anna(2, 1, &[DOUBTFUL])]);
    two.clear_out();
    let other = [("surname", "Зуева"), ("given", "Мария"), ("birth_date", "01.02.1950")];
    exchange(&mut hub, &mut two, &[record(Kind::RecipientClaim, 2, 2, &other)]);
    assert!(open_reviews(&hub).is_empty());
    assert!(two.read_out().records.iter().any(|record| record.kind == Kind::Person));
}

#[test]
fn a_proposal_is_about_what_was_published_to_its_centre() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let mut two = merged(&mut hub, 2, Vec::new());
    let row = hub.hub.store.read(|tx| tx.known(one.code, Kind::RecipientClaim, id(1))).expect("read");
    let row = row.expect("stored").id;
    let uid = hub.hub.store.read(|tx| tx.uid_of(row)).expect("read").expect("a person");
    let proposal = |field: &str, value: &str| {
        let mut body = exchange_format::record::Body::new(Kind::Proposal);
        body.set("target_kind", "person").expect("plain");
        body.set("target", &uid.to_string()).expect("plain");
        body.set("reason", "по справке").expect("plain");
        let line = body.add_line();
        for (name, text) in [("no", "1"), ("field", field), ("value", value)] {
            line.set(name, text).expect("plain");
        }
        body
    };
    let said = exchange(&mut hub, &mut two, &[Record::live(id(21), 1, &proposal("workplace", "Чужая"))]);
    assert_eq!(said, [RecordOutcome::Held], "nothing of that person was published to it");
    assert!(open_reviews(&hub).is_empty());
    exchange(&mut hub, &mut one, &[Record::live(id(22), 1, &proposal("workplace", "Школа"))]);
    one.clear_out();
    let asked = open_reviews(&hub).pop().expect("one");
    let whose = asked.person.as_ref().expect("of a person");
    assert_eq!(
        (whose.uid.as_str(), whose.name.as_str()),
        (uid.to_string().as_str(), "Белова Анна Ильинична")
    );
    assert!(whose.case_number.starts_with("42-32701000-"));
    assert_eq!(asked.centre_reason.as_deref(), Some("по справке"));
    assert_eq!(asked.differences[0].words(Lang::En), "workplace: — → Школа");
    assert_eq!([&asked.one, &asked.other].map(|side| side.values["surname"].as_str()), ["Белова"; 2]);
    assert_eq!(answer_all(&hub, "принять"), Some(1));
    hub.send();
    let read = one.read_out();
    let person = read.records.iter().find(|record| record.kind == Kind::Person).expect("told");
    assert_eq!(person.read_body().expect("canonical").text("workplace"), Some("Школа"));
    one.clear_out();
    // what is no field of a person, or no value of it, is not entered
    exchange(&mut hub, &mut one, &[Record::live(id(23), 1, &proposal("case_number", "1"))]);
    let unfit = apply(&hub, &table(&open_reviews(&hub), "принять")).expect_err("no value of a person");
    assert!(unfit.contains("case_number cannot be published"), "{unfit}");
    assert_eq!(answer_all(&hub, "отклонить"), Some(1));
    one.clear_out();
    exchange(&mut hub, &mut one, &[Record::live(id(24), 1, &proposal("email", "anna@example.org"))]);
    let asked = open_reviews(&hub).pop().expect("one");
    assert_eq!(asked.other.values["email"], "anna@example.org");
}

#[test]
fn every_kind_that_a_centre_writes_is_admitted_and_stored_as_it_came() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    // a proposal is about something published
    let kinds =
        || Kind::ALL.into_iter().filter(|kind| kind.owner().centre_writes() && *kind != Kind::Proposal);
    let records: Vec<Record> = kinds().map(fixtures::examples::record).collect();
    assert_eq!(exchange(&mut hub, &mut one, &records), []);
    for record in &records {
        let found =
            hub.hub.store.read(|tx| tx.received_by_key(one.code, record.kind, record.key)).expect("read");
        let body = found.expect("stored").claim.body;
        assert_eq!(body.to_xml(), record.body, "{}", record.kind);
    }
    // and what is the hub's is not a centre's to write
    let foreign: Vec<Record> = Kind::ALL
        .into_iter()
        .filter(|kind| !kind.owner().centre_writes())
        .map(fixtures::examples::record)
        .collect();
    one.clear_out();
    let said = exchange(&mut hub, &mut one, &foreign);
    assert_eq!(said, vec![RecordOutcome::Refused; foreign.len()]);
}

#[test]
fn answers_that_contradict_each_other_are_refused_by_number() {
    let mut hub = TestHub::new();
    merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    for (unit, birth) in [(2, "12.03.1958"), (3, "12.03.1971")] {
        let mut centre = merged(&mut hub, unit, Vec::new());
        exchange(
            &mut hub,
            &mut centre,
            &[anna(u8::try_from(unit).expect("small"), 1, &[("birth_date", birth)])],
        );
    }
    let open = open_reviews(&hub);
    assert_eq!(open.len(), 3, "each with each");
    let parted = |one: &questions::Question| {
        (&one.one.key, &one.other.key) == (&id(1).to_string(), &id(3).to_string())
    };
    let (apart, same): (Vec<_>, Vec<_>) = open.into_iter().partition(parted);
    let number = apart[0].review;
    let table_of_all = |first: &[questions::Question], words: [&str; 2], then: &[questions::Question]| {
        let (first, then) = (table(first, words[0]), table(then, words[1]));
        then.lines().skip(1).fold(first, |all, line| all + line + "\n")
    };
    // first two, then one; and the other way round
    let told =
        apply(&hub, &table_of_all(&apart, ["разные", "один"], &same)).expect_err("not all can be true");
    assert!(told.contains(&format!("questions {number};")), "{told}");
    let told =
        apply(&hub, &table_of_all(&same, ["один", "разные"], &apart)).expect_err("not all can be true");
    assert!(same.iter().all(|one| told.contains(&one.review.to_string())), "{told}");
    assert_eq!(open_reviews(&hub).len(), 3, "nothing is decided");
    // these two are a generation apart: what is said of others is not said of them
    let told = apply(&hub, &table(&same, "один")).expect_err("nobody has said it of these two");
    assert!(told.contains(&format!("question {number} is about them")), "{told}");
    assert_eq!(open_reviews(&hub).len(), 3, "nothing is decided");
    let done = apply(&hub, &table_of_all(&same, ["один"; 2], &apart)).expect("said of each two");
    assert_eq!((done.decided + done.gone, done.over.len()), (3, 0));
}
