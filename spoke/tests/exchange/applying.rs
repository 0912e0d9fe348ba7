//! What the hub publishes: locks, aliases, raced edits, dangling references, splits, bad packets.

use std::fs;

use exchange_format::{
    answer::{PacketOutcome, RecordOutcome, RecordReason},
    file_name::PacketKind,
    record::{Body, Form, Kind, Record, RecordId},
};

use super::{
    centre::{Centre, person_body, uid},
    hub::protocol_of,
};

fn row(centre: &Centre, id: &str) -> (String, String, String) {
    let of = |sql: String| centre.value(&sql);
    (
        of(format!("SELECT surname FROM recipient WHERE id = '{id}'")),
        of(format!("SELECT state FROM svod_record WHERE kind = 'recipient' AND id = '{id}'")),
        of(format!("SELECT uid FROM recipient WHERE id = '{id}'")),
    )
}

#[test]
fn a_published_person_locks_the_row_and_is_answered() {
    let mut centre = Centre::with_recipient();
    let packet = centre.publish_person(uid(1), "r1", "Иванова-Петрова");
    centre.sync();
    assert_eq!(row(&centre, "r1"), ("Иванова-Петрова".into(), "locked".into(), uid(1).to_string()));
    assert!(centre.value("SELECT case_number FROM recipient").starts_with("42-"));
    assert_eq!(centre.value("SELECT phone FROM recipient"), "", "what the hub does not state is not shown");
    assert_eq!(centre.value("SELECT packet FROM svod_record"), packet);
    let refused = centre.db().execute("UPDATE recipient SET surname = 'x'", []).expect_err("locked");
    assert!(refused.to_string().contains("svod-spoke why recipient ID"), "{refused}");
    let answers = centre.hub.take();
    let kinds: Vec<PacketKind> = answers.iter().map(|answer| answer.name.kind).collect();
    assert!(kinds.contains(&PacketKind::Receipt) && kinds.contains(&PacketKind::Protocol), "{kinds:?}");
    let answer = answers.iter().find(|answer| answer.name.kind == PacketKind::Protocol).expect("a PR");
    let (head, lines) = protocol_of(answer);
    assert_eq!(
        (head.outcome, head.counts.get(RecordOutcome::New), lines.len()),
        (PacketOutcome::Applied, 2, 0)
    );
    assert_eq!(answer.manifest.header.control.ack, Some(head.answered));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    assert_eq!(centre.ok(&["status"])["incidents"].as_array().map(Vec::len), Some(0));
    let why = centre.ok(&["why", "recipient", "r1"]);
    assert_eq!((why["locked"].as_bool(), why["ask"].as_str()), (Some(true), Some("ТКЦ")));
}

#[test]
fn what_the_hub_cannot_read_stays_in_its_locked_row_as_typed() {
    let mut centre = Centre::with_recipient();
    let (key, phone) = (centre.key("recipient", "r1"), || "SELECT phone FROM recipient WHERE id = 'r1'");
    let mut link = centre.link(key, uid(1), true).read_body().expect("canonical");
    link.set("as_typed", "phone snils").expect("text");
    let person = centre.person(uid(1), "Иванова");
    let link = centre.hub.record(key, Form::Live, &link);
    centre.hub.publish(&[person, link]);
    centre.sync();
    assert_eq!(row(&centre, "r1").1, "locked");
    assert_eq!(centre.value(phone()), "+7900");
    assert!(centre.db().execute("UPDATE recipient SET phone = 'x'", []).is_err(), "locked as the rest");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    super::tampering::harm(&centre, "UPDATE recipient SET phone = 'x'", true);
    assert_eq!(super::tampering::faults(&centre), ["row-altered"]);
    centre.ok(&["verify", "--restore"]);
    assert_eq!(centre.value(phone()), "+7900");
    // the hub has a value now
    let mut person = person_body("Иванова");
    person.set("phone", "+79001234567").expect("text");
    let person = centre.hub.record(uid(1), Form::Live, &person);
    let link = centre.link(key, uid(1), true);
    centre.hub.publish(&[person, link]);
    centre.sync();
    assert_eq!(centre.value(phone()), "+79001234567");
    // and takes it away
    let person = centre.person(uid(1), "Иванова");
    centre.hub.publish(&[person]);
    centre.sync();
    assert_eq!(centre.value(phone()), "");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn an_edit_that_raced_the_lock_becomes_a_proposal() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Иванова");
    // The edit must not be sealed before the publication is applied, so a stopped stream keeps it back.
    let put_stop = |centre: &Centre, stop: &str| {
        svod_spoke::database::write::write::<_, svod_spoke::database::DatabaseError>(
            &mut centre.db(),
            svod_spoke::database::write::Scope::Book,
            |transaction| {
                transaction
                    .execute(&format!("UPDATE svod_stream SET stop = {stop} WHERE direction = 'out'"), [])?;
                Ok(())
            },
        )
        .expect("set");
    };
    put_stop(&centre, "'RESTORED'");
    centre.sql("UPDATE recipient SET phone = '+7911' WHERE id = 'r1'");
    centre.sync();
    assert_eq!(row(&centre, "r1").1, "locked");
    assert_eq!(centre.value("SELECT phone FROM recipient"), "");
    assert_eq!(centre.value("SELECT count(*) FROM svod_proposal"), "1");
    assert_eq!(centre.value("SELECT count(*) FROM svod_change WHERE kind = 'recipient'"), "0");
    put_stop(&centre, "NULL");
    centre.sync();
    let sent = centre.hub.take_data();
    let proposal =
        sent.iter().flat_map(|packet| &packet.records).find(|r| r.kind == Kind::Proposal).expect("sent");
    let body = proposal.read_body().expect("a body");
    assert_eq!(body.text("target"), Some(uid(1).to_string().as_str()));
    let lines: Vec<_> = body.lines().iter().map(|line| (line.text("field"), line.text("value"))).collect();
    assert_eq!(lines, [(Some("phone"), Some("+7911"))]);
    assert_eq!(centre.value("SELECT state FROM svod_proposal"), "sent");
}

#[test]
fn two_claims_of_one_person_are_one_row_and_its_alias() {
    let mut centre = Centre::with_recipient();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Ивонова')");
    centre.settle();
    let records = [
        centre.person(uid(1), "Иванова"),
        centre.link(centre.key("recipient", "r1"), uid(1), true),
        centre.link(centre.key("recipient", "r2"), uid(1), false),
    ];
    centre.hub.publish(&records);
    centre.sync();
    assert_eq!(row(&centre, "r2"), ("Иванова".into(), "alias".into(), uid(1).to_string()));
    assert_eq!(centre.value("SELECT resolved_id FROM recipient_resolved WHERE id = 'r2'"), "r1");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    // The other row becomes the first: what names the person names that row.
    let programme = programme_of(&centre, uid(5), uid(1));
    centre.hub.publish(&[programme]);
    centre.sync();
    assert_eq!(centre.value("SELECT recipient_id FROM programme"), "r1");
    let swapped = [
        centre.link(centre.key("recipient", "r1"), uid(1), false),
        centre.link(centre.key("recipient", "r2"), uid(1), true),
    ];
    centre.hub.publish(&swapped);
    centre.sync();
    assert_eq!(centre.value("SELECT recipient_id FROM programme"), "r2");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    // The hub finds that they are two: each side from its own claims (W2).
    let split = [centre.person(uid(2), "Ивонова"), centre.link(centre.key("recipient", "r2"), uid(2), true)];
    centre.hub.publish(&split);
    centre.sync();
    assert_eq!(row(&centre, "r1").1, "locked");
    assert_eq!(row(&centre, "r2"), ("Ивонова".into(), "locked".into(), uid(2).to_string()));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

/// Two rows were one person, the second of them the first; the hub takes them apart again. Whichever of the two is shown first,
/// a programme goes back to the row of the person whose it is.
#[test]
fn a_programme_goes_back_to_the_row_of_its_person_when_two_are_parted() {
    for other in [uid(0), uid(2)] {
        let mut centre = Centre::with_recipient();
        centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Ивонова')");
        centre.settle();
        let links = |centre: &Centre, second: RecordId, first_of_all: bool| {
            [
                centre.link(centre.key("recipient", "r1"), uid(1), first_of_all),
                centre.link(centre.key("recipient", "r2"), second, true),
            ]
        };
        let apart = |centre: &Centre| {
            let people = [centre.person(uid(1), "Иванова"), centre.person(other, "Ивонова")];
            people.into_iter().chain(links(centre, other, true)).collect::<Vec<_>>()
        };
        let records = apart(&centre);
        centre.hub.publish(&records);
        let programme = programme_of(&centre, uid(5), uid(1));
        centre.hub.publish(&[programme]);
        centre.sync();
        assert_eq!(centre.value("SELECT recipient_id FROM programme"), "r1");
        let one = links(&centre, uid(1), false);
        centre.hub.publish(&one);
        centre.sync();
        assert_eq!(centre.value("SELECT recipient_id FROM programme"), "r2");
        let records = apart(&centre);
        centre.hub.publish(&records);
        centre.sync();
        assert_eq!(row(&centre, "r2"), ("Ивонова".into(), "locked".into(), other.to_string()));
        assert_eq!(centre.value("SELECT recipient_id FROM programme"), "r1", "{other}");
        assert_eq!(centre.ok(&["verify"])["whole"], true);
    }
}

/// A programme was taken back before the hub found that its person is another than whom the row's claim is: it is none of the other's.
#[test]
fn what_was_withdrawn_under_a_row_does_not_stay_there_when_the_row_is_somebody_else() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Иванова");
    let withdrawn = |centre: &Centre, record: &Record| {
        centre.hub.record(record.key, Form::Withdrawn, &record.read_body().expect("canonical"))
    };
    let programme = programme_of(&centre, uid(5), uid(1));
    centre.hub.publish(std::slice::from_ref(&programme));
    centre.sync();
    let programme = withdrawn(&centre, &programme);
    centre.hub.publish(&[programme]);
    centre.sync();
    assert_eq!(centre.value("SELECT recipient_id FROM programme"), "r1");
    // whatever names it is told of, but a scan of it
    let named = format!("'{}'", uid(5));
    centre.sql(&format!(
        "INSERT INTO contract (id, recipient_id, programme_id, number) VALUES ('k', 'r1', {named}, '1');
         INSERT INTO event (id, recipient_id, programme_id) VALUES ('e', 'r1', {named});
         INSERT INTO completion_mark (id, recipient_id, programme_id) VALUES ('m', 'r1', {named});
         INSERT INTO attachment (id, recipient_id, programme_id, title) VALUES ('a', 'r1', {named}, 'Скан')"
    ));
    let (told, _) = centre.ends(&["check", "--format", "json"], 1);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let of = told["faults"].as_array().expect("a list").iter().filter(|one| one["rule"] == "W01");
    let of: Vec<_> = of.filter_map(|one| Some((one["table"].as_str()?, one["field"].as_str()?))).collect();
    assert_eq!(of, ["contract", "completion_mark", "event"].map(|table| (table, "programme")), "{told}");
    centre
        .sql("DELETE FROM contract; DELETE FROM event; DELETE FROM completion_mark; DELETE FROM attachment");
    let link = centre.link(centre.key("recipient", "r1"), uid(2), true);
    let mut body = link.read_body().expect("canonical");
    body.set("supersedes", &uid(1).to_string()).expect("an id");
    let link = centre.hub.record(link.key, Form::Live, &body);
    let person = withdrawn(&centre, &centre.person(uid(1), "Иванова"));
    let records = [centre.person(uid(2), "Ивонова"), person, link];
    centre.hub.publish(&records);
    centre.sync();
    assert_eq!(row(&centre, "r1"), ("Ивонова".into(), "locked".into(), uid(2).to_string()));
    assert_eq!(centre.value("SELECT count(*) FROM programme"), "0", "it was never this person's");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_link_taken_back_gives_the_centre_its_row_as_it_last_sent_it() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Иванова-Петрова");
    centre.sync();
    let claim = centre.key("recipient", "r1");
    let ended = centre.hub.record(claim, Form::Tombstone, &Body::new(Kind::Link));
    centre.hub.publish(&[ended]);
    centre.sync();
    assert_eq!(row(&centre, "r1"), ("Иванова".into(), "own".into(), String::new()));
    assert_eq!(centre.value("SELECT phone FROM recipient WHERE id = 'r1'"), "+7900");
    // The person is still published to this centre, and shows in a row of its own.
    assert_eq!(row(&centre, &uid(1).to_string()).1, "locked");
    centre.sql("UPDATE recipient SET surname = 'Сидорова' WHERE id = 'r1'");
}

/// A programme of `person` with one line.
pub fn programme_of(centre: &Centre, key: RecordId, person: RecordId) -> Record {
    let mut programme = Body::new(Kind::Programme);
    for (field, value) in
        [("recipient", person.to_string()), ("number", "12".into()), ("date", "2026-01-02".into())]
    {
        programme.set(field, &value).expect("text");
    }
    let line = programme.add_line();
    line.set("no", "1").expect("text");
    line.set("name", "Уборка").expect("text");
    centre.hub.record(key, Form::Live, &programme)
}

#[test]
fn a_record_that_names_an_unknown_one_waits_for_it() {
    let mut centre = Centre::with_recipient();
    let programme = programme_of(&centre, uid(5), uid(1));
    centre.hub.publish(&[programme]);
    centre.sync();
    assert_eq!(centre.value("SELECT count(*) FROM programme"), "0");
    let answers = centre.hub.take();
    let answer = answers.iter().find(|a| a.name.kind == PacketKind::Protocol).expect("a PR");
    let (head, lines) = protocol_of(answer);
    assert_eq!(head.outcome, PacketOutcome::AppliedPartial);
    assert_eq!((lines[0].outcome, lines[0].reason), (RecordOutcome::Held, RecordReason::DanglingRef));
    centre.publish_person(uid(1), "r1", "Иванова");
    centre.sync();
    assert_eq!(centre.value("SELECT recipient_id FROM programme"), "r1");
    assert_eq!(centre.value("SELECT name FROM programme_line"), "Уборка");
    assert_eq!(centre.value("SELECT state FROM svod_record WHERE kind = 'programme'"), "locked");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_withdrawn_person_freezes_and_an_ended_one_goes_unless_something_points_to_it() {
    let mut centre = Centre::with_recipient();
    let persons = [centre.person(uid(1), "Первая"), centre.person(uid(2), "Вторая")];
    centre.hub.publish(&persons);
    centre.sync();
    assert_eq!(row(&centre, &uid(1).to_string()).1, "locked");
    centre.sql(&format!("INSERT INTO contact (id, recipient_id, value) VALUES ('c', '{}', '+7')", uid(1)));
    let withdrawn = centre.hub.record(uid(1), Form::Withdrawn, &person_body("Первая"));
    centre.hub.publish(&[withdrawn]);
    centre.sync();
    assert_eq!(row(&centre, &uid(1).to_string()).1, "withdrawn");
    let ended: Vec<_> = [1, 2]
        .iter()
        .map(|n| centre.hub.record(uid(*n), Form::Tombstone, &Body::new(Kind::Person)))
        .collect();
    centre.hub.publish(&ended);
    centre.sync();
    assert_eq!(centre.value(&format!("SELECT count(*) FROM recipient WHERE id = '{}'", uid(2))), "0");
    assert_eq!(row(&centre, &uid(1).to_string()).1, "withdrawn");
}

#[test]
fn what_the_hub_takes_back_of_a_row_of_the_centres_own_is_its_own_again_and_may_be_put_right() {
    let mut centre = Centre::with_recipient();
    let typed = centre.value("SELECT surname FROM recipient WHERE id = 'r1'");
    centre.publish_person(uid(7), "r1", "Иная");
    centre.sync();
    assert_eq!(
        (row(&centre, "r1").1.as_str(), centre.value("SELECT surname FROM recipient").as_str()),
        ("locked", "Иная")
    );
    // the publication and the link, whichever is shown first
    let key = centre.key("recipient", "r1");
    let withdrawn = centre.hub.record(uid(7), Form::Withdrawn, &person_body("Иная"));
    let link = centre.link(key, uid(7), true);
    let unlinked = centre.hub.record(key, Form::Withdrawn, &link.read_body().expect("a body"));
    centre.hub.publish(&[withdrawn]);
    centre.sync();
    assert_eq!(row(&centre, "r1").1, "withdrawn");
    centre.hub.publish(&[unlinked]);
    centre.sync();
    assert_eq!(row(&centre, "r1").1, "own");
    assert_eq!(centre.value("SELECT surname FROM recipient"), typed, "and no row beside it");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    centre.sql("UPDATE recipient SET surname = 'Исправленная' WHERE id = 'r1'");
    centre.hub.take_data();
    centre.sync();
    assert!(!centre.hub.take_data().is_empty(), "what is put right is sent");
    // and published again
    centre.publish_person(uid(7), "r1", "Исправленная");
    centre.sync();
    assert_eq!(row(&centre, "r1").1, "locked");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_record_without_the_hubs_signature_is_refused_alone() {
    let mut centre = Centre::with_recipient();
    let good = centre.person(uid(1), "Добрая");
    let mut bad = centre.person(uid(2), "Худая");
    bad.signature = good.signature;
    centre.hub.publish(&[good, bad]);
    centre.sync();
    assert_eq!(centre.value("SELECT count(*) FROM svod_record WHERE state = 'locked'"), "1");
    let answers = centre.hub.take();
    let (head, lines) =
        protocol_of(answers.iter().find(|a| a.name.kind == PacketKind::Protocol).expect("a PR"));
    assert_eq!(head.counts.get(RecordOutcome::Refused), 1);
    assert_eq!(lines[0].rule.as_str(), "person.signature");
}

#[test]
fn what_comes_out_of_order_is_held_and_then_applied() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Первая");
    centre.sync();
    let second = {
        let record = centre.person(uid(1), "Вторая");
        centre.hub.publish(&[record])
    };
    let aside = centre.dir.path().join(&second);
    fs::rename(centre.hub.mailbox.join("out").join(&second), &aside).expect("kept back");
    let record = centre.person(uid(1), "Третья");
    centre.hub.publish(&[record]);
    centre.sync();
    assert_eq!(row(&centre, "r1").0, "Первая");
    fs::rename(&aside, centre.hub.mailbox.join("out").join(&second)).expect("given");
    centre.sync();
    assert_eq!(row(&centre, "r1").0, "Третья");
}

#[test]
fn files_that_are_not_for_us_or_damaged_are_put_aside() {
    let mut centre = Centre::with_recipient();
    let name = centre.publish_person(uid(1), "r1", "Первая");
    let out = centre.hub.mailbox.join("out");
    let bytes = fs::read(out.join(&name)).expect("read");
    fs::write(out.join(&name), &bytes[..bytes.len() / 2]).expect("cut");
    fs::write(out.join("readme.txt"), "x").expect("written");
    let foreign = name.replace(&format!("SN_{}", centre.hub.centre), "SN_4200026");
    let foreign = if foreign.parse::<exchange_format::file_name::FileName>().is_ok() {
        foreign
    } else {
        let other = exchange_format::participant::ParticipantCode::new(42, 2);
        name.replace(&format!("SN_{}", centre.hub.centre), &format!("SN_{other}"))
    };
    fs::write(out.join(&foreign), &bytes).expect("written");
    // what a fetch that was killed has left of a file that is gone since
    let left =
        ["fetch-0123456789ABCDEF", "fetch-0123456789ABCDEF.part"].map(|left| centre.path("spool").join(left));
    for left in &left {
        fs::write(left, "x").expect("written");
    }
    centre.sync();
    assert!(left.iter().all(|left| !left.exists()));
    let told = centre.ok(&["protocol", "list"])["protocols"].as_array().expect("a list").len();
    assert_eq!(told, 1 + 3, "the export, and each file that was not accepted");
    let reason = |name: &str| centre.value(&format!("SELECT reason FROM svod_packet WHERE name = '{name}'"));
    assert_eq!(reason(&name), "CANNOT_OPEN");
    assert_eq!(reason("STRAY_2D711642B726B044.txt"), "BAD_NAME");
    assert_eq!(reason(&foreign), "FOREIGN");
    assert_eq!(row(&centre, "r1").1, "provisional");
    // The whole file comes after all.
    fs::write(out.join(&name), &bytes).expect("mended");
    centre.sync();
    assert_eq!(row(&centre, "r1").1, "locked");
}

#[test]
fn a_row_of_the_centres_own_that_bears_the_number_of_a_publication_is_kept() {
    let mut centre = Centre::with_recipient();
    let (taken, other) = (uid(5), uid(6));
    centre.sql(&format!("INSERT INTO recipient (id, surname, given) VALUES ('{taken}', 'Своя', 'Вера')"));
    centre.settle();
    let person = centre.person(taken, "Чужая");
    centre.hub.publish(&[person]);
    centre.sync();
    let row = format!("SELECT surname || ' ' || given FROM recipient WHERE id = '{taken}'");
    assert_eq!(centre.value(&row), "Своя Вера");
    let status = centre.ok(&["status"]);
    assert_eq!(status["incidents"][0]["code"], "ROW_TAKEN", "{status}");
    assert_eq!(status["incidents"][0]["subject"], format!("recipient {taken}"), "{status}");
    let held = status["records"].as_array().expect("a list");
    assert!(held.iter().any(|one| one["outcome"] == "held" && one["rule"] == "person.row"), "{status}");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    centre.sql(&format!("UPDATE recipient SET surname = 'Новая' WHERE id = '{taken}'"));
    // What was linked to another row shows there; the centre's own stays its own.
    let link = centre.link(centre.key("recipient", "r1"), taken, true);
    centre.hub.publish(&[link]);
    centre.sync();
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r1'"), "Чужая");
    assert_eq!(centre.value(&row), "Новая Вера");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    // Another one is shown as soon as the row has gone to another id.
    centre.sql(&format!("INSERT INTO recipient (id, surname) VALUES ('{other}', 'Вторая')"));
    let person = centre.person(other, "Пришедшая");
    centre.hub.publish(&[person]);
    centre.sync();
    centre.sql(&format!("UPDATE recipient SET id = 'r6' WHERE id = '{other}'"));
    centre.hub.publish(&[]);
    centre.sync();
    assert_eq!(centre.value(&format!("SELECT surname FROM recipient WHERE id = '{other}'")), "Пришедшая");
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r6'"), "Вторая");
    let status = centre.ok(&["status"]);
    assert_eq!(status["incidents"].as_array().map(Vec::len), Some(0), "{status}");
    assert_eq!(status["closed_incidents"][0]["closed_how"], "shown", "{status}");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_line_that_is_locked_keeps_its_id_and_what_the_centre_has_put_beside_it() {
    let mut centre = Centre::with_recipient();
    centre.sql(
        "ALTER TABLE programme_line ADD COLUMN mine TEXT;
         INSERT INTO programme (id, recipient_id, number, date) VALUES ('p1', 'r1', '7', '2026-01-02');
         INSERT INTO programme_line (id, programme_id, no, name, mine) VALUES ('a', 'p1', '1', 'Уборка', 'x'), \
         ('b', 'p1', '2', 'Стирка', 'y'), ('c', 'p1', '3', 'Готовка', 'z')",
    );
    centre.settle();
    let mut programme = Body::new(Kind::Programme);
    for (field, value) in
        [("recipient", uid(1).to_string()), ("number", "7".into()), ("date", "2026-01-02".into())]
    {
        programme.set(field, &value).expect("text");
    }
    for (no, name) in [("1", "Уборка"), ("2", "Стирка и глажение"), ("4", "Прогулки")]
    {
        let line = programme.add_line();
        line.set("no", no).expect("text");
        line.set("name", name).expect("text");
    }
    let claim = centre.key("programme", "p1");
    let mut link = centre.link(claim, uid(3), true).read_body().expect("canonical");
    link.set("claim_kind", "programme_claim").expect("text");
    let records = [
        centre.person(uid(1), "Иванова"),
        centre.link(centre.key("recipient", "r1"), uid(1), true),
        centre.hub.record(uid(3), Form::Live, &programme),
        centre.hub.record(claim, Form::Live, &link),
    ];
    centre.hub.publish(&records);
    centre.sync();
    assert_eq!(centre.value("SELECT state FROM svod_record WHERE id = 'p1'"), "locked");
    let lines = "SELECT group_concat(id || ' ' || no || ' ' || name || ' ' || coalesce(mine, '-'), '; ') FROM \
                 (SELECT * FROM programme_line ORDER BY no)";
    assert_eq!(centre.value(lines), "a 1 Уборка x; b 2 Стирка и глажение y; p1:4 4 Прогулки -");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}
