//! What staff decide, and decide otherwise, comes back to the centre and is true.

use exchange_format::{
    answer::{Protocol, RecordLine, RecordOutcome, RecordReason, Words},
    record::{Body, Kind, Record},
};

use super::{
    TestHub, anna,
    centre::{TestCentre, now},
    id, record,
    rules::{answer_all, decide, exchange, merged, open_reviews, table},
};
use exchange_endpoint::messages::Lang;
use svod_hub::edges::operations::{
    certificates::{self, Wanted},
    people, question_table,
    reviews::Insist,
    single::{self, One},
    split, status,
};

/// The one person's uid.
pub(super) fn uid(hub: &TestHub) -> String {
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
    for more in [None, Some(anna(5, 1, &[("snils", "112-233-446 96")]))] {
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
            let words: Vec<_> = lines.iter().map(|line| line.words.as_ref().map(Words::as_str)).collect();
            assert_eq!(words, vec![Some("проверено"); listed], "why, in the words of staff");
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
    // what was declined and comes again is declined again, for the same reason
    for name in one.snapshot(3, &[vec![anna(1, 2, &[("workplace", "Вокзал")])]]) {
        hub.take(&one, &name);
    }
    hub.send();
    let read = one.read_out();
    let words: Vec<_> =
        read.protocols[0].1.iter().map(|line| line.words.as_ref().map(Words::as_str)).collect();
    assert_eq!(words, [Some("проверено")]);
}

/// The workplace that the one person has at the hub.
fn workplace(hub: &TestHub) -> Option<String> {
    let view = people::show(&hub.config(), &uid(hub), now()).expect("shown");
    view.fields.into_iter().find(|one| one.field == "workplace").and_then(|one| one.value)
}

fn enter(hub: &TestHub, workplace: &str) {
    let act = ("test", "по звонку");
    people::set(&hub.config(), &uid(hub), "workplace", workplace, act, now()).expect("entered");
}

#[test]
fn a_proposal_that_is_declined_after_all_leaves_what_stood_before() {
    for before in [None, Some("Завод")] {
        let mut hub = TestHub::new();
        let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
        if let Some(before) = before {
            enter(&hub, before);
        }
        let wish = proposal(&uid(&hub), 9, "Школа");
        exchange(&mut hub, &mut one, &[wish]);
        let asked = open_reviews(&hub);
        decide(&hub, &table(&asked, "принять"), false).expect("accepted");
        assert_eq!(workplace(&hub).as_deref(), Some("Школа"));
        decide(&hub, &table(&asked, "отклонить"), true).expect("declined");
        assert_eq!(workplace(&hub).as_deref(), before);
        // what a colleague entered since is hers
        decide(&hub, &table(&asked, "принять"), true).expect("accepted");
        enter(&hub, "Вокзал");
        decide(&hub, &table(&asked, "отклонить"), true).expect("declined");
        assert_eq!(workplace(&hub).as_deref(), Some("Вокзал"));
    }
}

#[test]
fn an_accepted_change_of_a_claim_cannot_be_declined_any_more() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    exchange(&mut hub, &mut one, &[anna(1, 2, &[("workplace", "Школа")])]);
    let asked = open_reviews(&hub);
    decide(&hub, &table(&asked, "принять"), false).expect("accepted");
    one.clear_out();
    let told = decide(&hub, &table(&asked, "отклонить"), true).expect_err("the earlier one is gone");
    assert!(told.contains(":2: this change is accepted already"), "{told}");
    assert_eq!(workplace(&hub).as_deref(), Some("Школа"));
    assert_eq!(revised(&mut hub, &one).iter().map(|(_, lines)| lines.len()).sum::<usize>(), 0);
}

#[test]
fn what_a_colleague_entered_meanwhile_is_not_overwritten_unseen() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let wish = proposal(&uid(&hub), 9, "Школа");
    exchange(&mut hub, &mut one, &[wish]);
    let stale = table(&open_reviews(&hub), "принять");
    enter(&hub, "Вокзал");
    let told = decide(&hub, &stale, false).expect_err("it has changed");
    assert!(told.contains("column version_1: this has changed"), "{told}");
    assert_eq!(workplace(&hub).as_deref(), Some("Вокзал"));
    assert_eq!(answer_all(&hub, "принять"), Some(1));
    assert_eq!(workplace(&hub).as_deref(), Some("Школа"));
}

#[test]
fn two_programmes_are_joined_and_told_apart_again_by_one_table() {
    let mut hub = TestHub::new();
    let programme = |key, number: &str| {
        let recipient = id(1).to_string();
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "01.02.2026")];
        record(Kind::ProgrammeClaim, key, 1, &fields)
    };
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[]), programme(11, "77")]);
    exchange(&mut hub, &mut one, &[programme(12, "78")]);
    let asked = open_reviews(&hub);
    assert_eq!(asked.len(), 1);
    let blind = format!("review;decision;reason\n{};один;да\n", asked[0].review);
    assert!(decide(&hub, &blind, false).expect_err("unseen").contains("column version_2"));
    for decision in ["один", "разные", "один"] {
        decide(&hub, &table(&asked, decision), true).expect(decision);
    }
}

#[test]
fn a_certificate_is_revoked_where_there_is_one_and_for_good() {
    let mut hub = TestHub::new();
    let centre = hub.centre(1);
    let set = |wanted| certificates::set(&hub.config(), centre.code, wanted, "test", now());
    assert_eq!(set(Wanted::Revoked).expect_err("none").code(), "no-client-certificate");
    let dir = hub.dir.path().join("handed over");
    let (file, _) = set(Wanted::Issued(&dir)).expect("issued").files.expect("written");
    assert!(set(Wanted::Revoked).expect("revoked").changed);
    let told = set(Wanted::Pinned(&file)).expect_err("revoked");
    assert_eq!(told.code(), "client-certificate-revoked");
}

#[test]
fn a_birth_date_that_nobody_can_read_stays_in_its_row_until_it_is_corrected() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, Vec::new());
    let born = |version, date: &str| {
        let fields = [("surname", "Белова"), ("given", "Анна"), ("birth_date", date)];
        record(Kind::RecipientClaim, 1, version, &fields)
    };
    for _ in 0..2 {
        let name = one.data(&[born(1, "32.13.1940")]);
        hub.take(&one, &name);
        hub.send();
        let read = one.read_out();
        let line = &read.protocols[0].1[0];
        assert_eq!((line.outcome, line.reason), (RecordOutcome::Held, RecordReason::Invalid));
        assert_eq!(line.rule.as_str(), "recipient_claim.birth_date.unreadable");
        assert!(read.records.is_empty(), "nothing locks the row");
        one.clear_out();
    }
    assert_eq!(exchange(&mut hub, &mut one, &[born(2, "30.12.1940")]), []);
    let person = one.read_out().records.into_iter().find(|one| one.kind == Kind::Person).expect("published");
    assert_eq!(person.read_body().expect("canonical").text("birth_date"), Some("1940-12-30"));
    one.clear_out();
    // or until staff know better
    let other = record(Kind::RecipientClaim, 2, 1, &[("surname", "Зуев"), ("given", "Пётр"), ("sex", "да")]);
    exchange(&mut hub, &mut one, &[other]);
    one.clear_out();
    let id = hub.hub.store.read(|tx| tx.known(one.code, Kind::RecipientClaim, id(2))).expect("read");
    let uid = hub.hub.store.read(|tx| tx.uid_of(id.expect("stored").id)).expect("read").expect("linked");
    people::set(&hub.config(), &uid.to_string(), "sex", "М", ("test", "паспорт"), now()).expect("entered");
    hub.send();
    let sex = |centre: &TestCentre| {
        let person = centre.read_out().records.into_iter().find(|record| record.kind == Kind::Person);
        person.expect("published").read_body().expect("canonical").text("sex").map(str::to_owned)
    };
    assert_eq!(
        sex(&one),
        None,
        "what staff entered is for centres that are confirmed; the row shows what was typed"
    );
    let told = revised(&mut hub, &one);
    let [(head, lines)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (head.revision, head.counts.get(RecordOutcome::Changed), lines.len()),
        (2, 1, 0),
        "held no longer"
    );
    hub.send();
    assert_eq!(revised(&mut hub, &one), [], "and told once");
    one.clear_out();
    let waits = status::unconfirmed(&hub.config()).expect("listed");
    assert!(waits.iter().any(|one| one.uid == uid.to_string()), "{waits:?}");
    people::confirm(&hub.config(), one.code, &uid.to_string(), ("test", "договор"), now())
        .expect("confirmed");
    hub.send();
    assert!(sex(&one).is_some());
    let waits = status::unconfirmed(&hub.config()).expect("listed");
    assert!(waits.iter().all(|one| one.uid != uid.to_string()), "{waits:?}");
}

#[test]
fn of_answers_given_again_the_newest_alone_stays_in_the_folder() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let wish = proposal(&uid(&hub), 9, "Школа");
    exchange(&mut hub, &mut one, &[wish]);
    let (asked, answered) = (open_reviews(&hub), one.last.expect("sent"));
    for decision in ["отклонить", "принять", "отклонить"] {
        decide(&hub, &table(&asked, decision), true).expect("decided");
        hub.send();
    }
    one.control.echo = None;
    let name = one.data(&[]);
    hub.take(&one, &name);
    hub.send();
    let revisions = |centre: &TestCentre| -> Vec<u32> {
        let told = centre.read_out().protocols.into_iter().filter(|(head, _)| head.answered == answered);
        told.map(|(head, _)| head.revision).collect()
    };
    assert_eq!(revisions(&one), [4]);
    // the packet comes again, as after a crash: the newest answer is the answer
    one.clear_out();
    let again = hub.hub.context.paths.archived(one.code, &archived(&hub, &one, answered));
    std::fs::copy(&again, one.inbox.join(again.file_name().expect("a name"))).expect("placed again");
    hub.take(&one, again.file_name().and_then(|name| name.to_str()).expect("UTF-8"));
    hub.send();
    assert_eq!(revisions(&one), [4]);
}

/// The name of the packet of `centre` at `mark`.
fn archived(hub: &TestHub, centre: &TestCentre, mark: exchange_format::position::Mark) -> String {
    let folder = hub.hub.context.paths.archived(centre.code, "");
    let names = std::fs::read_dir(folder).expect("listed").map(|entry| entry.expect("an entry").file_name());
    let digits = mark.digest.prefix();
    names.filter_map(|name| name.into_string().ok()).find(|name| name.contains(&digits)).expect("archived")
}

#[test]
fn a_proposal_about_a_programme_is_listed_as_one_that_can_only_be_declined() {
    let mut hub = TestHub::new();
    let recipient = id(1).to_string();
    let fields = [("recipient", recipient.as_str()), ("number", "77"), ("date", "01.02.2026")];
    let programme = record(Kind::ProgrammeClaim, 11, 1, &fields);
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[]), programme]);
    let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("open");
    let told: String = db.query_row("SELECT uid FROM document", [], |row| row.get(0)).expect("one programme");
    let person = proposal(&uid(&hub), 8, "Школа");
    let mut body = proposal(&told, 9, "Школа").read_body().expect("canonical");
    body.set("target_kind", "programme").expect("text");
    exchange(&mut hub, &mut one, &[person, Record::live(id(9), 1, &body)]);
    let asked = open_reviews(&hub);
    let (can, cannot): (Vec<_>, Vec<_>) = asked.into_iter().partition(|one| !one.only_decline);
    assert_eq!((can.len(), cannot.len()), (1, 1));
    let both: Vec<_> = cannot.into_iter().chain(can).collect();
    let told = decide(&hub, &table(&both, "принять"), false).expect_err("no entry can fulfil it");
    assert!(told.contains(":2: ") && !told.contains(":3: "), "{told}");
    assert_eq!(workplace(&hub), None, "all or none");
}

/// What the links published to a centre leave as typed.
fn as_typed(hub: &mut TestHub, centre: &TestCentre) -> Vec<Option<String>> {
    hub.send();
    let links = centre.read_out().records.into_iter().filter(|record| record.kind == Kind::Link);
    let told = links.map(|link| link.read_body().expect("canonical").text("as_typed").map(str::to_owned));
    let told = told.collect();
    centre.clear_out();
    told
}

#[test]
fn a_number_that_nobody_can_read_stays_in_its_row_and_staff_are_asked() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, Vec::new());
    let typed = [("snils", "112-233-446 97"), ("identity_doc_issued", "01.01.1900")];
    let name = one.data(&[anna(1, 1, &typed)]);
    hub.take(&one, &name);
    assert_eq!(as_typed(&mut hub, &one), [Some("snils identity_doc_issued".to_owned())]);
    let asked = open_reviews(&hub);
    let [question] = &asked[..] else { panic!("{} questions", asked.len()) };
    assert_eq!((question.kind.as_str(), question.why.as_str()), ("value", "UNREADABLE"));
    let told: Vec<_> = question.differences.iter().map(|one| (one.field.as_str(), &one.wanted)).collect();
    assert_eq!(told, [("snils", &Some("112-233-446 97".to_owned()))]);
    let wrong = decide(&hub, &table(&asked, "принять"), false).expect_err("there is nothing to accept");
    assert!(wrong.contains(":2: "), "{wrong}");
    decide(&hub, &table(&asked, "оставить"), false).expect("kept");
    assert!(open_reviews(&hub).is_empty());
    // staff find out the number after all
    people::confirm(&hub.config(), one.code, &uid(&hub), ("test", "обслуживается"), now())
        .expect("confirmed");
    people::set(&hub.config(), &uid(&hub), "snils", "112-233-446 96", ("test", "по звонку"), now())
        .expect("entered");
    assert_eq!(as_typed(&mut hub, &one), [Some("identity_doc_issued".to_owned())]);
    // what they said of one number they did not say of the next
    people::set(&hub.config(), &uid(&hub), "snils", "", ("test", "ошиблись"), now()).expect("taken back");
    assert_eq!(open_reviews(&hub).len(), 1);
}

#[test]
fn what_of_a_programme_nobody_can_read_stays_in_its_row_and_staff_are_asked() {
    let mut hub = TestHub::new();
    let recipient = id(1).to_string();
    let fields = [
        ("recipient", recipient.as_str()),
        ("number", "77"),
        ("date", "01.02.2026"),
        ("valid_until", "летом"),
    ];
    let mut programme = record(Kind::ProgrammeClaim, 11, 1, &fields).read_body().expect("canonical");
    for (no, kind) in [("1", "бытовые"), ("2", "прочее")] {
        let line = programme.add_line();
        for (field, value) in [("no", no), ("service_kind", kind), ("name", "Уборка")] {
            line.set(field, value).expect("text");
        }
    }
    let mut one = merged(&mut hub, 1, Vec::new());
    let name = one.data(&[anna(1, 1, &[]), Record::live(id(11), 1, &programme)]);
    hub.take(&one, &name);
    let told = as_typed(&mut hub, &one);
    assert!(told.contains(&Some("valid_until lines".to_owned())) && told.contains(&None), "{told:?}");
    let asked = open_reviews(&hub);
    let fields: Vec<_> =
        asked.iter().flat_map(|one| &one.differences).map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["2.name", "2.no", "2.service_kind", "valid_until"]);
}

#[test]
fn a_question_about_two_programmes_names_the_centres_that_claim_them() {
    let mut hub = TestHub::new();
    let recipient = id(1).to_string();
    let programme = |key, number: &str| {
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "01.02.2026")];
        record(Kind::ProgrammeClaim, key, 1, &fields)
    };
    let one = merged(&mut hub, 1, vec![anna(1, 1, &[]), programme(11, "77"), programme(12, "78")]);
    let asked = open_reviews(&hub);
    let centres = [&asked[0].one.centre, &asked[0].other.centre];
    assert_eq!(centres, [&one.code.to_string(); 2]);
    let file = "review;centre_1;centre_2;version_1;version_2;decision;reason\n".to_owned();
    let versions = format!("{};{}", asked[0].one.version, asked[0].other.version);
    let line = format!("{};{};{1};{versions};разные;обе\n", asked[0].review, one.code);
    decide(&hub, &(file + &line), false).expect("its own table is taken");
}

#[test]
fn of_two_programmes_that_overlap_an_answer_is_proposed_and_nothing_decided() {
    for (number, date, rule, answer, words) in [
        ("78", "01.02.2026", "SAME_DATE", "same", "дата одна"),
        ("77", "11.02.2026", "SAME_NUMBER", "same", "номер один"),
        ("9", "01.03.2026", "LATER", "different", "с последним днём 28.02.2026"),
    ] {
        let mut hub = TestHub::new();
        let recipient = id(1).to_string();
        let programme = |key, number: &str, date: &str| {
            let fields = [("recipient", recipient.as_str()), ("number", number), ("date", date)];
            record(Kind::ProgrammeClaim, key, 1, &fields)
        };
        let both = vec![anna(1, 1, &[]), programme(11, "77", "01.02.2026"), programme(12, number, date)];
        let mut one = merged(&mut hub, 1, both);
        let asked = open_reviews(&hub);
        let proposed = asked[0].resolution.as_ref().expect("proposed");
        assert_eq!((proposed.rule, proposed.answer), (rule, answer));
        let told = proposed.words(Lang::Ru);
        assert!(told.contains(words) && !told.contains('{'), "{told}");
        let file = hub.dir.path().join("asked.csv");
        question_table::write(&file, &asked, true, Lang::Ru).expect("written");
        let table = std::fs::read_to_string(&file).expect("there");
        assert!(table.contains(";Предлагаемое решение;") && table.contains(words), "{table}");
        let Some(ends) = proposed.ends.clone() else { continue };
        assert_eq!((ends.date.as_str(), ends.replaced_by.as_str()), ("2026-02-01", "2026-03-01"));
        assert_eq!((ends.centre, ends.until.as_str()), (one.code.to_string(), "2026-02-28"));
        let earlier = [&asked[0].one, &asked[0].other].into_iter().find(|side| side.key == ends.key);
        assert_eq!(earlier.and_then(|side| side.values.get("number")).map(String::as_str), Some("77"));
        // its centre does as it is asked to
        let ended = [
            ("recipient", recipient.as_str()),
            ("number", "77"),
            ("date", "01.02.2026"),
            ("valid_until", ends.until.as_str()),
        ];
        exchange(&mut hub, &mut one, &[record(Kind::ProgrammeClaim, 11, 2, &ended)]);
        assert!(open_reviews(&hub).iter().all(|one| one.kind != "programme"), "it has answered itself");
    }
}

/// A person of three records out of whom one was taken is whole again by one answer, and nobody was torn off meanwhile.
#[test]
fn one_answer_takes_a_split_back() {
    let mut hub = TestHub::new();
    let centres =
        [1, 2, 3].map(|unit| merged(&mut hub, unit, vec![anna(1, 1, &[("phone", "+79110000001")])]));
    let rows = |hub: &TestHub, sql: &str| -> Vec<String> {
        let db = rusqlite::Connection::open(hub.dir.path().join("hub.db")).expect("open");
        let mut select = db.prepare(sql).expect("good");
        let found = select.query_map([], |row| row.get(0)).expect("read");
        found.collect::<Result<_, _>>().expect("text")
    };
    let known = |hub: &TestHub| {
        let links =
            "SELECT concat(origin, uid) FROM person_record WHERE kind = 'recipient_claim' ORDER BY origin";
        let told =
            "SELECT concat(centre, kind, key, body) FROM publication WHERE form = 'live' AND kind <> 'link'
                    ORDER BY centre, kind, key";
        (rows(hub, links), rows(hub, told))
    };
    hub.send();
    let before = known(&hub);
    let whole = uid(&hub);
    let act = ("test", "разные паспорта");
    split::split(&hub.config(), &whole, &[(centres[0].code, id(1))], act, now()).expect("split");
    hub.send();
    let parted = rows(&hub, "SELECT DISTINCT uid FROM person_record WHERE kind = 'recipient_claim'");
    assert_eq!(parted.len(), 2);
    let asked = rows(&hub, "SELECT concat(n) FROM review WHERE reason = 'SPLIT' ORDER BY n");
    assert_eq!(asked.len(), 2, "with either of the two others");
    let one =
        One { n: asked[0].parse().expect("a number"), reason: "ошиблись", actor: "test", now: now() };
    let done = single::decide(&hub.config(), one, true, Insist { revise: true, all: false }, Lang::En)
        .expect("revised");
    assert_eq!((done.decided, done.joined.len()), (1, 1));
    hub.send();
    assert_eq!(known(&hub), before);
    let answers = || rows(&hub, "SELECT decision FROM review WHERE reason = 'SPLIT'");
    assert_eq!(answers(), ["same", "same"]);
    // taken back, no word is left of what was said besides, by which the two would be one again some day
    let insist = Insist { revise: true, all: false };
    single::decide(&hub.config(), one, false, insist, Lang::En).expect("revised");
    assert_eq!(answers(), ["different", "different"]);
    let again = rows(&hub, "SELECT DISTINCT uid FROM person_record WHERE kind = 'recipient_claim'");
    assert_eq!(again, parted);
    // nothing of what was to be sealed and never was leaves a trace: no centre is told otherwise, nobody that a row is damaged
    hub.send();
    let links = || {
        rows(
            &hub,
            "SELECT concat(centre, version, body) FROM publication WHERE kind = 'link' ORDER BY key, centre",
        )
    };
    let told = links();
    for same in [true, false] {
        single::decide(&hub.config(), one, same, insist, Lang::En).expect("revised");
    }
    assert_eq!(links(), told);
    assert_eq!(rows(&hub, "SELECT code FROM incident"), Vec::<String>::new());
}
