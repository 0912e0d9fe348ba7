//! Programmes and supplements that are not published: who is told, and until when.

use exchange_format::{
    answer::{RecordOutcome, RecordReason},
    record::{Form, Kind, Record},
};
use fixtures::examples;

use super::{
    TestHub, anna,
    centre::{Read, now},
    decisions::uid,
    id, record,
    rules::{decide, merged, merged_and_told, open_reviews, table},
};
use svod_hub::{
    database::drawn::Drawn,
    decisions::drawn::Draft,
    edges::{
        hub::Hub,
        operations::{check, people, status, withdraw},
    },
};

/// A claim of a programme or supplement of the person with the key 1, with a line.
fn document(kind: Kind, key: u8, version: u32, fields: &[(&'static str, &str)]) -> Record {
    let recipient = id(1).to_string();
    let all: Vec<_> = [("recipient", recipient.as_str())].into_iter().chain(fields.iter().copied()).collect();
    let mut body = record(kind, key, version, &all).read_body().expect("canonical");
    let line: &[_] = match kind {
        Kind::ProgrammeClaim => &[("no", "1"), ("service_kind", "1"), ("name", "Уборка")],
        _ => &[("no", "1"), ("section", "4"), ("name", "Бритьё"), ("unit_minutes", "15"), ("mon", "2")],
    };
    let to = body.add_line();
    for (field, value) in line {
        to.set(field, value).expect("text");
    }
    Record::live(id(key), version, &body)
}

/// What `check` lists as not published: kind, rule, field, and the centre that is to mend it.
pub(super) fn unpublished(hub: &TestHub) -> Vec<(&'static str, &'static str, &'static str, bool)> {
    let found = check::check(&hub.config(), now()).expect("checked");
    let refused = found.faults.into_iter().filter(|fault| fault.refused);
    refused.map(|fault| (fault.kind, fault.rule, fault.field, fault.centre.is_some())).collect()
}

pub(super) fn fault_counts(hub: &TestHub) -> Vec<(String, u64)> {
    status::status(&hub.config(), now()).expect("read").faults.into_iter().collect()
}

#[test]
fn a_document_without_number_or_date_is_told_to_its_centre_and_to_staff_until_it_is_mended() {
    let mut hub = TestHub::new();
    // one in the initial load, before there is a person
    let loaded =
        document(Kind::ProgrammeClaim, 10, 1, &[("date", "2025-03-10"), ("valid_until", "2026-03-10")]);
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[]), loaded]);
    let programme = |version, number: Option<&'static str>, day| {
        let number = number.map(|number| ("number", number));
        let fields: Vec<_> = number.into_iter().chain([("date", day), ("valid_until", "10.03.27")]).collect();
        document(Kind::ProgrammeClaim, 11, version, &fields)
    };
    let supplement = |version, day| {
        let fields = [("number", "Д-1"), ("date", day), ("model", "demo-1"), ("care_level", "1")];
        document(Kind::SupplementClaim, 12, version, &fields)
    };
    let name = one.data(&[programme(1, None, "10.03.26"), supplement(1, "весной")]);
    hub.take(&one, &name);
    hub.send();
    let told = one.read_out();
    let lines: Vec<_> = told.protocols.iter().flat_map(|(_, lines)| lines).collect();
    let held: Vec<_> = lines.iter().map(|line| (line.outcome, line.reason, line.rule.as_str())).collect();
    let (outcome, reason) = (RecordOutcome::Held, RecordReason::Invalid);
    let codes = ["programme_claim.P14", "supplement_claim.P14"];
    assert_eq!(held, codes.map(|code| (outcome, reason, code)));
    let loaded = ("programme_claim", "P14", "number", true);
    assert_eq!(unpublished(&hub), [loaded, loaded, ("supplement_claim", "P14", "date", true)]);
    assert_eq!(fault_counts(&hub), [("P14".to_owned(), 3)]);
    let shown = people::show(&hub.config(), &uid(&hub), now()).expect("shown");
    let states: Vec<_> = shown.documents.iter().map(|one| (one.state, one.rule.as_deref())).collect();
    assert_eq!(states, [("unnamed", Some("P14")); 3]);
    one.clear_out();
    // mended: the fault goes, and the document is published
    let mended = document(
        Kind::ProgrammeClaim,
        10,
        2,
        &[("number", "6"), ("date", "2025-03-10"), ("valid_until", "2026-03-10")],
    );
    let name = one.data(&[mended, programme(2, Some("7"), "10.03.26")]);
    hub.take(&one, &name);
    hub.send();
    let told = one.read_out();
    assert!(told.protocols.iter().all(|(_, lines)| lines.is_empty()), "plainly taken");
    let published = told.records.iter().filter(|record| record.kind == Kind::Programme);
    let untils: std::collections::BTreeSet<_> = published
        .map(|record| record.read_body().expect("canonical").text("valid_until").map(str::to_owned))
        .collect();
    assert_eq!(untils, ["2026-03-10", "2027-03-10"].map(|day| Some(day.to_owned())).into());
    assert_eq!(unpublished(&hub), [("supplement_claim", "P14", "date", true)]);
    assert_eq!(fault_counts(&hub), [("P14".to_owned(), 1)]);
}

#[test]
fn what_a_claim_states_is_judged_and_no_sum_or_silence_takes_its_place() {
    let mut hub = TestHub::new();
    let ended = [("number", "7"), ("date", "10.03.2026"), ("valid_until", "10.03.2025")];
    let supplement = |key, number, minutes| {
        let fields = [
            ("number", number),
            ("date", "10.03.2026"),
            ("weekly_minutes", minutes),
            ("valid_until", "2027-03-01"),
        ];
        document(Kind::SupplementClaim, key, 1, &fields)
    };
    let load =
        vec![anna(1, 1, &[]), document(Kind::ProgrammeClaim, 11, 1, &ended), supplement(12, "Д-1", "31")];
    merged(&mut hub, 1, load);
    let rules: Vec<_> = unpublished(&hub).into_iter().map(|(kind, rule, ..)| (kind, rule)).collect();
    assert!(rules.contains(&("programme", "P02")) && rules.contains(&("supplement", "C07")), "{rules:?}");
    assert!(fault_counts(&hub).contains(&("P02".to_owned(), 1)), "{:?}", fault_counts(&hub));
}

/// A claim of a programme whose line says `part`.
fn of_part(version: u32, part: &str) -> Record {
    let fields = [("number", "7"), ("date", "10.03.2026"), ("valid_until", "10.03.2027")];
    let mut body = document(Kind::ProgrammeClaim, 11, version, &fields).read_body().expect("canonical");
    let line = body.add_line();
    for (field, value) in [("no", "2"), ("part", part), ("name", "Стрижка")] {
        line.set(field, value).expect("text");
    }
    Record::live(id(11), version, &body)
}

#[test]
fn a_line_of_which_nobody_can_tell_what_it_is_keeps_its_programme_from_being_published() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let name = one.data(&[of_part(1, "отказано ли")]);
    hub.take(&one, &name);
    hub.send();
    let told = one.read_out();
    let lines: Vec<_> = told.protocols.iter().flat_map(|(_, lines)| lines).collect();
    let held: Vec<_> = lines.iter().map(|line| (line.outcome, line.reason, line.rule.as_str())).collect();
    assert_eq!(held, [(RecordOutcome::Held, RecordReason::Invalid, "programme_claim.P17")]);
    assert!(told.records.iter().all(|record| record.kind != Kind::Programme));
    assert_eq!(unpublished(&hub), [("programme_claim", "P17", "part", true)]);
    assert_eq!(fault_counts(&hub), [("P17".to_owned(), 1)]);
    let shown = people::show(&hub.config(), &uid(&hub), now()).expect("shown");
    assert_eq!((shown.documents[0].state, shown.documents[0].rule.as_deref()), ("unread", Some("P17")));
    one.clear_out();
    // mended, it is published as what it is; broken again, it is a change that staff can only decline
    let name = one.data(&[of_part(2, "отказ")]);
    hub.take(&one, &name);
    hub.send();
    let told = one.read_out();
    let published = told.records.iter().find(|record| record.kind == Kind::Programme).expect("published");
    let body = published.read_body().expect("canonical");
    assert_eq!(body.lines()[1].text("part"), Some("refusal"));
    assert_eq!(unpublished(&hub), []);
    one.clear_out();
    let name = one.data(&[of_part(3, "??")]);
    hub.take(&one, &name);
    let asked = open_reviews(&hub);
    let wrong = decide(&hub, &table(&asked, "принять"), false).expect_err("nobody could publish it");
    assert!(wrong.contains("P17"), "{wrong}");
    decide(&hub, &table(&asked, "отклонить"), false).expect("declined");
}

#[test]
fn a_volume_that_is_stated_and_not_read_is_not_replaced_by_the_grids_sum() {
    let mut hub = TestHub::new();
    let supplement = |key, number, minutes| {
        let fields = [
            ("number", number),
            ("date", "10.03.2026"),
            ("model", "demo-1"),
            ("care_level", "1"),
            ("weekly_minutes", minutes),
        ];
        document(Kind::SupplementClaim, key, 1, &fields)
    };
    let load = vec![anna(1, 1, &[]), supplement(12, "Д-1", "30 мин"), supplement(13, "Д-2", "20000")];
    merged(&mut hub, 1, load);
    let held = ("supplement_claim", "P17", "weekly_minutes", true);
    assert_eq!(unpublished(&hub), [held, held]);
}

#[test]
fn a_contract_that_nobody_can_read_is_told_to_staff() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let recipient = id(1).to_string();
    let fields = [("recipient", recipient.as_str()), ("number", "1"), ("date", "весной")];
    let name = one.data(&[record(Kind::Contract, 14, 1, &fields)]);
    hub.take(&one, &name);
    let found = check::check(&hub.config(), now()).expect("checked").faults;
    let of_contracts: Vec<_> = found.iter().filter(|one| one.kind == "contract").collect();
    let told: Vec<_> =
        of_contracts.iter().map(|one| (one.rule, one.field, one.refused, one.centre.is_some())).collect();
    assert_eq!(told, [("K08", "date", false, true)]);
}

#[test]
fn two_papers_of_one_centre_under_one_number_and_date_stand_apart_where_they_say_two_things() {
    let mut hub = TestHub::new();
    let paper = |key, status, until: &str| {
        let fields = [("number", "№ 1"), ("date", "10.03.2026"), ("status", status), ("valid_until", until)];
        document(Kind::ProgrammeClaim, key, 1, &fields)
    };
    let load = vec![
        anna(1, 1, &[]),
        paper(11, "завершена", "10.09.2026"),
        paper(12, "действует", "10.03.2027"),
        paper(13, "действует", "10.03.27"),
    ];
    let (_, told) = merged_and_told(&mut hub, 1, load);
    let programmes = told.records.iter().filter(|record| record.kind == Kind::Programme);
    let untils: Vec<_> = programmes
        .map(|record| record.read_body().expect("canonical").text("valid_until").map(str::to_owned))
        .collect();
    let mut untils: Vec<_> = untils.into_iter().flatten().collect();
    untils.sort();
    assert_eq!(untils, ["2026-09-10", "2027-03-10"], "the second and the third say the same");
}

#[test]
fn a_supplement_waits_with_the_programme_that_it_names() {
    let mut hub = TestHub::new();
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    let programme = id(11).to_string();
    let supplement = document(
        Kind::SupplementClaim,
        12,
        1,
        &[("programme", &programme), ("number", "Д-1"), ("date", "10.03.2026")],
    );
    let of = |version, number: &[(&'static str, &str)]| {
        let fields: Vec<_> =
            [("date", "10.03.2026"), ("valid_until", "10.03.2027")].iter().chain(number).copied().collect();
        document(Kind::ProgrammeClaim, 11, version, &fields)
    };
    let known = |hub: &TestHub| {
        let shown = people::show(&hub.config(), &uid(hub), now()).expect("shown");
        let found = check::check(&hub.config(), now()).expect("checked").faults;
        (shown.documents.len(), found.iter().any(|one| one.kind == "supplement"))
    };
    let name = one.data(&[of(1, &[]), supplement]);
    hub.take(&one, &name);
    assert!(!known(&hub).1, "it is no document to be published yet");
    let name = one.data(&[of(2, &[("number", "7")])]);
    hub.take(&one, &name);
    assert!(known(&hub).1, "now it is, and is judged");
}

/// Вера, another person than Анна, and a programme of hers.
fn vera() -> [Record; 2] {
    let fields = [("surname", "Чужова"), ("given", "Вера"), ("birth_date", "01.05.1950"), ("sex", "Ж")];
    let person = record(Kind::RecipientClaim, 2, 1, &fields);
    let recipient = id(2).to_string();
    let fields = [
        ("recipient", recipient.as_str()),
        ("number", "9"),
        ("date", "10.03.2026"),
        ("valid_until", "10.03.2027"),
    ];
    [person, record(Kind::ProgrammeClaim, 21, 1, &fields)]
}

#[test]
fn what_names_another_persons_programme_is_told_and_a_supplement_is_published_when_it_is_mended() {
    let mut hub = TestHub::new();
    let own = [("number", "7"), ("date", "10.03.2026"), ("valid_until", "10.03.2027")];
    let supplement = |version, programme: u8| {
        let mut body = examples::body(Kind::SupplementClaim);
        let (recipient, programme) = (id(1).to_string(), id(programme).to_string());
        for (field, value) in [("recipient", recipient.as_str()), ("programme", &programme)] {
            body.set(field, value).expect("plain");
        }
        Record::live(id(12), version, &body)
    };
    let [person, programme] = vera();
    let load = vec![
        anna(1, 1, &[]),
        document(Kind::ProgrammeClaim, 11, 1, &own),
        person,
        programme,
        supplement(1, 21),
    ];
    let (mut one, told) = merged_and_told(&mut hub, 1, load);
    assert!(told.records.iter().all(|record| record.kind != Kind::Supplement));
    assert_eq!(unpublished(&hub), [("supplement_claim", "W01", "programme", true)]);
    assert_eq!(fault_counts(&hub), [("W01".to_owned(), 1)]);
    // the centre's own business is told of, and no more
    let (recipient, programme) = (id(1).to_string(), id(21).to_string());
    let mut mark = examples::body(Kind::CompletionMark);
    for (field, value) in [("recipient", recipient.as_str()), ("programme", &programme)] {
        mark.set(field, value).expect("plain");
    }
    let name = one.data(&[supplement(2, 11), Record::live(id(14), 1, &mark)]);
    hub.take(&one, &name);
    hub.send();
    let told = one.read_out();
    assert!(told.protocols.iter().all(|(_, lines)| lines.is_empty()), "plainly taken");
    assert!(told.records.iter().any(|record| record.kind == Kind::Supplement), "mended");
    assert!(fault_counts(&hub).iter().all(|(rule, _)| rule != "W01"), "{:?}", fault_counts(&hub));
    let found = check::check(&hub.config(), now()).expect("checked").faults;
    let strays: Vec<_> = found.iter().filter(|one| one.rule == "W01").collect();
    let told: Vec<_> = strays.iter().map(|one| (one.kind, one.field, one.refused)).collect();
    assert_eq!(told, [("completion_mark", "programme", false)]);
    one.clear_out();
}

/// The supplement with the key 12 of the person with the key 1, under the programme with the key `under`.
fn supplement_under(under: u8, version: u32) -> Record {
    let mut body = examples::body(Kind::SupplementClaim);
    let (recipient, under) = (id(1).to_string(), id(under).to_string());
    for (field, value) in [("recipient", recipient.as_str()), ("programme", &under), ("number", "Д-1")] {
        body.set(field, value).expect("plain");
    }
    Record::live(id(12), version, &body)
}

#[test]
fn of_a_supplement_whose_programme_was_taken_back_its_centre_names_another_as_of_a_claim_of_its_own() {
    let mut hub = TestHub::new();
    let fields = [("number", "18"), ("date", "2026-01-10"), ("status", "завершена")];
    let own = document(Kind::ProgrammeClaim, 14, 1, &fields);
    let mut one = merged(&mut hub, 1, vec![anna(1, 1, &[]), own]);
    let person = uid(&hub);
    let fields = [("recipient", person.as_str()), ("number", "17"), ("date", "2026-01-12")];
    let body = record(Kind::Programme, 60, 1, &fields).read_body().expect("canonical");
    let drawn = Draft { person: person.parse().ok(), body };
    let Hub { store, context, .. } = &mut hub.hub;
    let done = store.write(|tx| {
        let register = context.register(tx, "test", now());
        let key = register.new_key(&drawn)?.expect("one");
        let drawn = Drawn { key, id: "П".into(), person: drawn.person, body: drawn.body };
        register.draw(&drawn, "составлена").map(|()| key)
    });
    let programme = done.expect("drawn up");
    let under = |programme: &str, version| {
        let mut body = supplement_under(14, version).read_body().expect("canonical");
        body.set("programme", programme).expect("plain");
        Record::live(id(12), version, &body)
    };
    let forms = |told: Read| {
        let of_it = |record: &Record| {
            record.kind == Kind::Supplement || record.kind == Kind::Link && record.key == id(12)
        };
        told.records.into_iter().filter(of_it).map(|record| record.form).collect::<Vec<_>>()
    };
    let mut sent = |hub: &mut TestHub, record| {
        one.clear_out();
        let name = one.data(&[record]);
        hub.take(&one, &name);
        hub.send();
        let told = one.read_out();
        assert!(told.protocols.iter().all(|(_, lines)| lines.is_empty()), "taken, and not proposed");
        let forms = forms(told);
        one.clear_out();
        forms
    };
    hub.send();
    assert_eq!(sent(&mut hub, under(&programme.to_string(), 1)), [Form::Live; 2]);
    let (of, named) = (id(1).to_string(), programme.to_string());
    let naming = [("recipient", of.as_str()), ("programme", &named)];
    let contract = record(Kind::Contract, 31, 1, &[&naming[..], &[("number", "1")]].concat());
    let mark = [&naming[..], &[("date", "2026-04-30"), ("mark", "done")]].concat();
    let event = [&naming[..], &[("date", "2026-04-30"), ("type", "hospital")]].concat();
    for record in [contract, record(Kind::CompletionMark, 32, 1, &mark), record(Kind::Event, 33, 1, &event)] {
        sent(&mut hub, record);
    }
    let strays = |hub: &TestHub| {
        let found = check::check(&hub.config(), now()).expect("checked").faults.into_iter();
        let warned = found.filter(|fault| fault.rule == "W01" && !fault.refused);
        warned.map(|fault| (fault.kind, fault.field)).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(strays(&hub), [].into());
    withdraw::withdraw(&hub.config(), Kind::Programme, "П", ("test", "ошибка"), now()).expect("taken back");
    hub.send();
    assert_eq!(unpublished(&hub), [("supplement_claim", "W01", "programme", true)]);
    let naming = ["completion_mark", "contract", "event"].map(|kind| (kind, "programme"));
    assert_eq!(strays(&hub), naming.into());
    assert_eq!(sent(&mut hub, under(&id(14).to_string(), 2)), [Form::Live; 2], "it is no wish");
    assert_eq!(unpublished(&hub), []);
}

#[test]
fn a_supplement_that_one_centre_puts_under_a_wrong_programme_is_published_under_that_of_the_other() {
    // another person's; one that is no document before its centre has given it a number
    for (wrong, rule) in [(13, "W01"), (14, "P14")] {
        let mut hub = TestHub::new();
        let programme = |key, number| {
            document(Kind::ProgrammeClaim, key, 1, &[("number", number), ("date", "2026-01-10")])
        };
        let zuev = [("surname", "Зуев"), ("birth_date", "01.02.1940"), ("sex", "М")];
        let zuev = record(Kind::RecipientClaim, 2, 1, &zuev);
        let of_zuev = [("recipient", &*id(2).to_string()), ("number", "5"), ("date", "2026-01-10")];
        let of_zuev = record(Kind::ProgrammeClaim, 13, 1, &of_zuev);
        let load = vec![anna(1, 1, &[]), zuev, of_zuev, programme(14, "б/н"), supplement_under(wrong, 1)];
        let wrongs = merged(&mut hub, 1, load).code;
        let load = vec![anna(1, 1, &[]), programme(11, "17"), supplement_under(11, 1)];
        let (_, told) = merged_and_told(&mut hub, 2, load);
        let published = told.records.into_iter().filter(|record| record.kind == Kind::Supplement);
        assert_eq!(published.map(|record| record.form).collect::<Vec<_>>(), [Form::Live], "{rule}");
        // and the centre that was wrong is named
        let found = check::check(&hub.config(), now()).expect("checked");
        let mut faults = found.faults.iter().filter(|fault| fault.centre == Some(wrongs.to_string()));
        assert!(faults.any(|fault| fault.rule == rule), "{rule}: {:?}", found.faults);
    }
}
