//! What a centre wishes otherwise: edits that raced a lock, proposals by hand, and what becomes of them.

use exchange_format::{
    answer::{RecordLine, RecordOutcome, RecordReason, Words},
    record::{Body, Form, Kind, RecordId},
};

use super::{
    applying::programme_of,
    centre::{Centre, person_body, uid},
};

fn proposals(centre: &Centre) -> Vec<serde_json::Value> {
    centre.ok(&["status"])["proposals"].as_array().expect("a list").clone()
}

fn state(centre: &Centre) -> String {
    let all = proposals(centre);
    assert_eq!(all.len(), 1, "{all:?}");
    all[0]["state"].as_str().expect("a state").to_owned()
}

/// A person as the hub publishes it, with a telephone number.
fn publish(centre: &mut Centre, surname: &str, phone: &str) {
    let mut body = person_body(surname);
    body.set("phone", phone).expect("text");
    let person = centre.hub.record(uid(1), Form::Live, &body);
    centre.hub.publish(&[person]);
    centre.sync();
}

/// A centre whose recipient `r1` is locked, with the surname Иванова and the number +79000000000.
fn locked() -> Centre {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Иванова");
    centre.sync();
    publish(&mut centre, "Иванова", "+79000000000");
    centre.hub.take();
    centre
}

#[test]
fn an_unfit_edit_that_raced_the_lock_is_kept_with_what_is_wrong_with_it() {
    let mut centre = Centre::with_recipient();
    centre.sql("UPDATE recipient SET surname = NULL, phone = x'37' || char(7) || '911', given = 'Ольга' WHERE id = 'r1'");
    centre.sync();
    assert!(centre.hub.take_data().is_empty(), "it is not fit to be sent");
    centre.publish_person(uid(1), "r1", "Иванова");
    centre.sync();
    assert_eq!(centre.value("SELECT surname FROM recipient"), "Иванова");
    let all = proposals(&centre);
    assert_eq!((all.len(), all[0]["state"].as_str()), (1, Some("unfit")), "{all:?}");
    assert!(all[0]["problem"].as_str().is_some_and(|told| told.starts_with("field ")), "{all:?}");
    assert!(!all[0].to_string().contains("Ольга"), "{all:?}");
    let body: Vec<u8> =
        centre.db().query_row("SELECT body FROM svod_proposal", [], |row| row.get(0)).expect("kept");
    let body = String::from_utf8(body).expect("XML");
    for value in ["<value>Ольга</value>", "<value>7\u{FFFD}911</value>", "<field>surname</field></line>"]
    {
        assert!(body.contains(value), "{value}: {body}");
    }
    let why = centre.ok(&["why", "recipient", "r1"]);
    assert_eq!(why["proposals"][0]["state"], "unfit");
    // It cannot be sent, so nothing waits for ever.
    assert_eq!(centre.value("SELECT count(*) FROM svod_change"), "0");
    assert!(centre.hub.take_data().iter().all(|packet| packet.records.is_empty()));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_proposal_by_hand_is_sent_and_accepted_by_what_the_hub_publishes() {
    let mut centre = locked();
    let made = centre.ok(&["propose", "recipient", "r1", "Телефон=+79110000000", "--reason", "по телефону"]);
    assert_eq!(state(&centre), "open");
    centre.sync();
    let sent = centre.hub.take_data();
    let record = sent.iter().flat_map(|p| &p.records).find(|r| r.kind == Kind::Proposal).expect("sent");
    assert_eq!(made["proposal"], record.key.to_string());
    let body = record.read_body().expect("a body");
    assert_eq!(body.findings(), []);
    assert_eq!(
        (body.text("target"), body.text("based_on"), body.text("reason")),
        (Some(uid(1).to_string().as_str()), Some("2"), Some("по телефону"))
    );
    assert_eq!(state(&centre), "sent");
    // Another correction of the same person is no answer.
    publish(&mut centre, "Петрова", "+79000000000");
    assert_eq!(state(&centre), "sent");
    publish(&mut centre, "Петрова", "+79110000000");
    assert_eq!(state(&centre), "accepted");
    let told = &proposals(&centre)[0];
    assert_eq!(told["decided_by"], centre.value("SELECT packet FROM svod_record WHERE kind = 'recipient'"));
    assert_eq!(centre.ok(&["why", "recipient", "r1"])["proposals"][0]["state"], "accepted");
    assert_eq!(centre.value("SELECT count(*) FROM svod_journal WHERE event = 'proposal.accepted'"), "1");
    // What was decided stays decided.
    publish(&mut centre, "Петрова", "+79220000000");
    assert_eq!(state(&centre), "accepted");
}

#[test]
fn a_proposal_is_declined_by_another_value_and_refused_by_an_answer() {
    let mut centre = locked();
    centre.ok(&["propose", "recipient", "r1", "phone=+79110000000"]);
    centre.settle();
    publish(&mut centre, "Иванова", "+79330000000");
    assert_eq!(state(&centre), "declined");
    // Staff may come to it later all the same.
    publish(&mut centre, "Петрова", "+79330000000");
    assert_eq!(state(&centre), "declined");
    publish(&mut centre, "Петрова", "+79110000000");
    assert_eq!(state(&centre), "accepted");
    for event in ["proposal.declined", "proposal.accepted"] {
        assert_eq!(centre.value(&format!("SELECT count(*) FROM svod_journal WHERE event = '{event}'")), "1");
    }

    let mut centre = locked();
    centre.ok(&["propose", "recipient", "r1", "phone="]);
    centre.sync();
    for packet in centre.hub.take_data() {
        let line = |key: RecordId| RecordLine {
            outcome: RecordOutcome::Refused,
            kind: Kind::Proposal,
            key,
            version: 1,
            rule: "proposal.target".parse().expect("a rule"),
            reason: RecordReason::Invalid,
            words: None,
        };
        let lines: Vec<RecordLine> = packet.records.iter().map(|record| line(record.key)).collect();
        centre.hub.answer(&packet, &lines);
    }
    centre.sync();
    assert_eq!(state(&centre), "refused");
}

#[test]
fn what_cannot_be_proposed_is_refused_precisely_and_without_the_value() {
    let centre = locked();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Своя')");
    let cases: [(&[&str], i32, &str); 9] = [
        (&["recipient", "r1", "birth_date=2.1.1950"], 3, "error.spoke-propose-value"),
        (&["recipient", "r1", "phone=абв"], 3, "правило R06:"),
        (&["recipient", "r1", "email=anna"], 3, "правило R06a:"),
        (&["recipient", "r1", "case_number=1"], 3, "error.spoke-propose-column"),
        (&["recipient", "r1", "nothing=1"], 3, "error.spoke-propose-column"),
        (&["recipient", "r1", "surname=Иванова"], 3, "error.spoke-propose-stands"),
        (&["recipient", "r2", "surname=Иванова"], 3, "error.spoke-propose-own"),
        (&["recipient", "r9", "surname=Иванова"], 3, "error.spoke-no-row"),
        (&["recipient", "r1", "surname"], 2, ""),
    ];
    for (args, code, expected) in cases {
        let (out, error) = centre.ends(&[&["propose"], args, &["--format", "json"]].concat(), code);
        assert!(
            error.contains(expected.trim_start_matches("error.")) && out.is_empty(),
            "{args:?}: {out} {error}"
        );
        assert!(!error.contains("1950"), "{error}");
    }
    assert_eq!(centre.value("SELECT count(*) FROM svod_proposal"), "0");
    centre.ok(&["propose", "recipient", "r1", "Дата рождения=08.05.1941"]);
    let kept = "SELECT instr(CAST(body AS TEXT), '<value>1941-05-08</value>') > 0 FROM svod_proposal";
    assert_eq!(centre.value(kept), "1");
    super::tampering::harm(&centre, "DELETE FROM svod_proposal", true);
    for lang in ["ru", "en"] {
        let (out, _) = centre.ends(&["propose", "recipient", "r1", "phone=", "--lang", lang], 0);
        assert!(out.contains(&centre.value("SELECT max(key) FROM svod_proposal")) || lang == "en", "{out}");
    }
}

#[test]
fn nobody_is_advised_to_propose_what_no_proposal_can_be_about() {
    let mut centre = locked();
    let service = centre.hub.record(uid(5), Form::Live, &fixtures::examples::body(Kind::Service));
    centre.hub.publish(&[service]);
    centre.sync();
    let id = centre.value("SELECT id FROM service");
    for (lang, said) in [("ru", "ведёт только координационный центр"), ("en", "coordination centre's alone")]
    {
        let (out, error) = centre.ends(&["propose", "service", &id, "name=Уборка", "--lang", lang], 3);
        assert!(
            error.contains(said) && error.contains("svod-spoke why service") && out.is_empty(),
            "{error}"
        );
        let (why, _) = centre.ends(&["why", "service", &id, "--lang", lang], 0);
        assert!(!why.contains("svod-spoke propose"), "{why}");
        let (why, _) = centre.ends(&["why", "recipient", "r1", "--lang", lang], 0);
        assert!(why.contains("svod-spoke propose recipient r1"), "{why}");
    }
    let refused = |sql: &str| centre.db().execute(sql, []).expect_err("locked").to_string();
    let told = refused("UPDATE service SET name = 'Уборка'");
    assert!(told.contains("svod-spoke why service") && !told.contains("propose"), "{told}");
    assert!(refused("UPDATE recipient SET surname = 'Другая'").contains("svod-spoke propose recipient"));
    let file = centre.path("service.csv");
    std::fs::write(&file, format!("id;name\n{id};Уборка\n")).expect("written");
    let file = file.to_str().expect("a path");
    let (told, _) = centre.ends(&["import", "service", file, "--propose", "опечатка"], 3);
    assert!(told.contains("строку ведёт только координационный центр"), "{told}");
    assert_eq!(centre.value("SELECT count(*) FROM svod_proposal"), "0");
}

#[test]
fn a_wish_made_twice_is_one_proposal_and_a_newer_one_takes_its_place() {
    let mut centre = locked();
    let wish =
        |centre: &Centre, wishes: &[&str]| centre.ok(&[&["propose", "recipient", "r1"], wishes].concat());
    let first = wish(&centre, &["phone=+79110000000"]);
    let again = wish(&centre, &["phone=+79110000000", "--reason", "ещё раз"]);
    assert_eq!((&again["proposal"], &again["new"]), (&first["proposal"], &false.into()));
    let newer = wish(&centre, &["phone=+79220000000"]);
    assert_eq!((&newer["proposal"], &newer["replaced"][0]), (&first["proposal"], &first["proposal"]));
    assert_eq!(proposals(&centre).len(), 1);
    centre.sync();
    let said = |centre: &Centre| -> Vec<(u32, String)> {
        let packets = centre.hub.take_data();
        let records = packets.iter().flat_map(|packet| &packet.records).filter(|r| r.kind == Kind::Proposal);
        records
            .map(|record| {
                let body = record.read_body().expect("a body");
                (record.version, body.lines()[0].text("value").unwrap_or_default().to_owned())
            })
            .collect()
    };
    assert_eq!(said(&centre), [(1, "+79220000000".to_owned())]);
    assert_eq!(state(&centre), "sent");
    // One that the hub has already gets another version; what else is wished is another proposal.
    let newest = wish(&centre, &["phone=+79330000000", "email=anna@example.ru"]);
    assert_eq!(newest["replaced"][0], first["proposal"]);
    assert_ne!(newest["proposal"], first["proposal"]);
    centre.sync();
    let mut sent = said(&centre);
    sent.sort();
    assert_eq!(sent, [(1, "anna@example.ru".to_owned()), (2, "+79330000000".to_owned())]);
    assert_eq!(centre.value("SELECT count(*) FROM svod_journal WHERE event = 'proposal.replaced'"), "2");
    publish(&mut centre, "Иванова", "+79330000000");
    let states: Vec<_> =
        proposals(&centre).iter().map(|one| one["state"].as_str().map(str::to_owned)).collect();
    assert_eq!(states, [Some("accepted".to_owned()), Some("sent".to_owned())]);
    // What is decided is over: the same wish again is a new one.
    let another = wish(&centre, &["phone=+79110000000"]);
    assert_eq!(another["new"], true);
    assert_ne!(another["proposal"], first["proposal"]);
}

#[test]
fn what_staff_decide_comes_back_in_a_revised_answer() {
    let line = |outcome, kind, key, version, reason| RecordLine {
        outcome,
        kind,
        key,
        version,
        rule: "recipient_claim.published".parse().expect("a rule"),
        reason,
        words: Words::of("номер дочери, <не> её"),
    };
    let mut centre = locked();
    centre.ok(&["propose", "recipient", "r1", "phone=+79110000000"]);
    centre.sync();
    let sent = centre.hub.take_data();
    let key = sent[0].records[0].key;
    centre.hub.answer(&sent[0], &[]);
    centre.sync();
    assert_eq!(state(&centre), "sent");
    let declined = line(RecordOutcome::Refused, Kind::Proposal, key, 1, RecordReason::Declined);
    centre.hub.revise(&sent[0], 2, &[declined]);
    centre.sync();
    assert_eq!(state(&centre), "declined");
    let by = centre.value("SELECT decided_by FROM svod_proposal");
    assert!(by.contains("_PR_"), "{by}");
    // why is told to whoever asks about this row, and to no monitoring
    let why = centre.ok(&["why", "recipient", "r1"]);
    assert_eq!(why["proposals"][0]["words"], "номер дочери, <не> её");
    assert!(!centre.ok(&["status"]).to_string().contains("дочери"));
    let log = std::fs::read_to_string(centre.path("spoke.log")).unwrap_or_default();
    assert!(!log.contains("дочери"));
    // ... which is not the last word either
    publish(&mut centre, "Иванова", "+79110000000");
    assert_eq!(state(&centre), "accepted");

    // an edit of a row that is not locked yet, taken as a proposal
    let mut centre = Centre::with_recipient();
    centre.sync();
    centre.sql("UPDATE recipient SET phone = '+79220000000'");
    centre.sync();
    let sent = centre.hub.take_data().pop().expect("a packet");
    let (key, version) = (sent.records[0].key, sent.records[0].version);
    let about = |outcome, reason| line(outcome, Kind::RecipientClaim, key, version, reason);
    let told = |centre: &Centre| {
        let status = centre.ok(&["status"]);
        let records = status["records"].as_array().expect("a list");
        records.iter().map(|one| format!("{} {}", one["outcome"], one["reason"])).collect::<Vec<_>>()
    };
    centre.hub.answer(&sent, &[about(RecordOutcome::Proposed, RecordReason::Locked)]);
    centre.sync();
    assert_eq!(told(&centre), ["\"proposed\" \"LOCKED\""]);
    centre.hub.revise(&sent, 2, &[about(RecordOutcome::Refused, RecordReason::Declined)]);
    centre.sync();
    assert_eq!(told(&centre), ["\"refused\" \"DECLINED\""]);
    // staff have thought better of it
    centre.hub.revise(&sent, 3, &[]);
    centre.sync();
    assert_eq!(told(&centre), [""; 0]);
    // an older revision that comes late says nothing
    centre.hub.revise(&sent, 2, &[about(RecordOutcome::Refused, RecordReason::Declined)]);
    centre.sync();
    assert_eq!(told(&centre), [""; 0]);
}

#[test]
fn only_what_the_hub_says_after_it_has_a_proposal_declines_it() {
    let mut centre = locked();
    let wish =
        |centre: &Centre, wishes: &[&str]| centre.ok(&[&["propose", "recipient", "r1"], wishes].concat());
    let first = wish(&centre, &["phone=+79110000000"]);
    centre.settle();
    // Replaced while the line is dead, and the hub accepts what it has.
    wish(&centre, &["phone=+79220000000"]);
    publish(&mut centre, "Иванова", "+79110000000");
    assert_eq!(state(&centre), "sent", "nobody has heard of the newer wish");
    publish(&mut centre, "Петрова", "+79110000000");
    assert_eq!(state(&centre), "sent", "nor does another correction decline it");
    for packet in centre.hub.take_data() {
        centre.hub.answer(&packet, &[]);
    }
    publish(&mut centre, "Петрова", "+79110000000");
    assert_eq!(state(&centre), "sent", "the field stands as it stood");
    publish(&mut centre, "Петрова", "+79330000000");
    assert_eq!(state(&centre), "declined");
    // A newer wish about the same takes its place: the hub could still accept the older one.
    let newer = wish(&centre, &["phone=+79440000000"]);
    assert_eq!((&newer["proposal"], &newer["replaced"][0]), (&first["proposal"], &first["proposal"]));
    centre.sync();
    let packets = centre.hub.take_data();
    let versions: Vec<u32> = packets
        .iter()
        .flat_map(|p| &p.records)
        .filter(|r| r.kind == Kind::Proposal)
        .map(|r| r.version)
        .collect();
    assert_eq!(versions, [3]);
}

fn propose<'a>(id: &'a str, wishes: &[&'a str]) -> Vec<&'a str> {
    [&["propose", "programme", id], wishes].concat()
}

#[test]
fn a_new_line_of_a_locked_programme_can_be_wished_for() {
    let mut centre = super::tampering::locked();
    let id = uid(3).to_string();
    centre.hub.take();
    for (wishes, message) in [
        (&["2.name=Прогулка"][..], "spoke-propose-column"),
        (&["+1.name=Прогулка"], "spoke-propose-column"),
        (&["+два.name=Прогулка"], "spoke-propose-column"),
        (&["+2.nothing=x"], "spoke-propose-column"),
    ] {
        let (_, error) = centre.ends(&[propose(&id, wishes), vec!["--format", "json"]].concat(), 3);
        assert!(error.contains(message), "{wishes:?}: {error}");
    }
    centre.ok(&propose(&id, &["+2.name=Прогулка", "1.name=Уборка и стирка"]));
    centre.sync();
    let packets = centre.hub.take_data();
    let record = packets.iter().flat_map(|p| &p.records).find(|r| r.kind == Kind::Proposal).expect("sent");
    let body = record.read_body().expect("a body");
    let said: Vec<_> =
        body.lines().iter().map(|l| (l.text("field"), l.text("line_no"), l.text("value"))).collect();
    assert_eq!(
        said,
        [
            (Some("no"), Some("2"), Some("2")),
            (Some("name"), Some("2"), Some("Прогулка")),
            (Some("name"), Some("1"), Some("Уборка и стирка")),
        ]
    );
    for packet in &packets {
        centre.hub.answer(packet, &[]);
    }
    let mut programme = exchange_format::record::Body::new(Kind::Programme);
    for (field, value) in
        [("recipient", uid(1).to_string()), ("number", "12".into()), ("date", "2026-01-02".into())]
    {
        programme.set(field, &value).expect("text");
    }
    for (no, name) in [("1", "Уборка и стирка"), ("2", "Прогулка")] {
        let line = programme.add_line();
        line.set("no", no).expect("text");
        line.set("name", name).expect("text");
    }
    let programme = centre.hub.record(uid(3), Form::Live, &programme);
    centre.hub.publish(&[programme]);
    centre.sync();
    assert_eq!(state(&centre), "accepted");
}

/// The hub locked a programme while its person was being deleted here, and then heard of that and took both back: the programme
/// is the centre's again, and names the hub's row of the person, for its own is gone.
#[test]
fn a_programme_that_comes_back_to_its_centre_without_its_person_is_sent_as_it_stands() {
    let mut centre = Centre::with_recipient();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r4', 'Белова');
         INSERT INTO programme (id, recipient_id, number, date, conditions) VALUES ('i0', 'r4', '1', '2026-10-01', 'Своё')",
    );
    centre.settle();
    let (person, claim) = (centre.key("recipient", "r4"), centre.key("programme", "i0"));
    centre.sql("DELETE FROM recipient WHERE id = 'r4'");
    centre.settle();
    let mut link = centre.link(claim, uid(5), true).read_body().expect("canonical");
    link.set("claim_kind", "programme_claim").expect("a kind");
    let published = [
        centre.person(uid(2), "Белова"),
        centre.link(person, uid(2), true),
        programme_of(&centre, uid(5), uid(2)),
        centre.hub.record(claim, Form::Live, &link),
    ];
    centre.hub.publish(&published);
    centre.sync();
    let shown = uid(2).to_string();
    assert_eq!(centre.value("SELECT recipient_id FROM programme WHERE id = 'i0'"), shown);
    let taken_back = published.map(|record| match record.kind {
        Kind::Link => centre.hub.record(record.key, Form::Tombstone, &Body::new(Kind::Link)),
        _ => centre.hub.record(record.key, Form::Withdrawn, &record.read_body().expect("canonical")),
    });
    centre.hub.publish(&taken_back);
    centre.sync();
    let row = "SELECT recipient_id || ' ' || number || ' ' || conditions FROM programme WHERE id = 'i0'";
    assert_eq!(centre.value(row), format!("{shown} 1 Своё"));
    assert_eq!(centre.ok(&["verify"])["whole"], true, "it is known to say something else than was sent");
    centre.settle();
    let sent = format!("SELECT version FROM svod_sent WHERE key = '{claim}'");
    assert_eq!(centre.value(&sent), "2", "and goes to the hub as it stands");
    assert_eq!(centre.value("SELECT count(*) FROM svod_change"), "0");
}
