//! Own records: snapshot, changes, tombstones, answers, idle rounds.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use exchange_format::{
    answer::{RecordLine, RecordOutcome, RecordReason},
    file_name::PacketKind,
    record::{Form, Kind, Record},
};

use super::centre::Centre;

#[test]
fn the_first_packet_is_a_snapshot_and_then_only_changes_go() {
    let mut centre = Centre::new();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова'), ('r2', 'Петров');
         INSERT INTO programme (id, recipient_id, number) VALUES ('p1', 'r1', '7');
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('l2', 'p1', '2', 'Б'), ('l1', 'p1', '1', 'А');",
    );
    centre.sync();
    let sent = centre.hub.take_data();
    let [first] = &sent[..] else { panic!("one packet, not {}", sent.len()) };
    assert_eq!(first.name.kind, PacketKind::Snapshot);
    assert_eq!(first.manifest.header.previous, None);
    let kinds: Vec<Kind> = first.records.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [Kind::RecipientClaim, Kind::RecipientClaim, Kind::ProgrammeClaim]);
    let programme = first.records[2].read_body().expect("a body");
    assert_eq!(programme.text("recipient"), Some(centre.key("recipient", "r1").to_string().as_str()));
    assert_eq!(programme.lines().iter().map(|l| l.text("name")).collect::<Vec<_>>(), [Some("А"), Some("Б")]);
    centre.hub.answer(first, &[]);
    centre.sql(
        "UPDATE recipient SET surname = 'Сидоров' WHERE id = 'r2'; DELETE FROM recipient WHERE id = 'r1'",
    );
    centre.sync();
    let second = centre.hub.take_data();
    let [second] = &second[..] else { panic!("one packet") };
    assert_eq!((second.name.kind, second.name.position.seq.get()), (PacketKind::Data, 2));
    assert_eq!(second.manifest.header.previous, Some(first.mark.digest));
    assert_eq!(second.manifest.header.control.echo, None, "sealed before the answer was read");
    let told: Vec<(Form, u32)> = second.records.iter().map(|record| (record.form, record.version)).collect();
    assert!(told.contains(&(Form::Tombstone, 2)) && told.contains(&(Form::Live, 2)), "{told:?}");
}

#[test]
fn a_large_snapshot_goes_in_parts_of_one_state() {
    let centre = Centre::new();
    centre.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10003)
         INSERT INTO recipient (id, surname) SELECT 'r' || i, 'Фамилия' FROM n;",
    );
    centre.sync();
    let parts = centre.hub.take_data();
    let counts: Vec<usize> = parts.iter().map(|part| part.records.len()).collect();
    assert_eq!(counts, [10_000, 3]);
    assert_eq!(parts[1].manifest.header.previous, Some(parts[0].mark.digest));
    let digests: Vec<bool> = parts.iter().map(|part| part.manifest.header.state_digest.is_some()).collect();
    assert_eq!(digests, [false, true]);
}

#[test]
fn what_cannot_be_sent_is_told_and_goes_when_it_is_mended() {
    let mut centre = Centre::new();
    centre.settle();
    centre.sql("INSERT INTO recipient (id, given) VALUES ('r1', 'Анна'); INSERT INTO contact (id, recipient_id) VALUES ('c', 'nobody')");
    centre.sync();
    assert!(centre.hub.take_data().is_empty());
    let records = centre.ok(&["status"])["records"].clone();
    let outcomes: Vec<&str> =
        records.as_array().expect("a list").iter().filter_map(|r| r["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["unsendable", "unsendable"]);
    centre.sql(
        "UPDATE recipient SET surname = 'Иванова' WHERE id = 'r1'; UPDATE contact SET recipient_id = 'r1'",
    );
    centre.sync();
    let sent = centre.hub.take_data();
    assert_eq!(sent[0].records.len(), 2);
    assert_eq!(centre.ok(&["status"])["records"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_refused_record_stays_listed_until_it_changes() {
    let mut centre = Centre::new();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова'), ('r2', 'Петров')");
    centre.sync();
    let packet = centre.hub.take_data().remove(0);
    let line = |id: &str, outcome, reason| RecordLine {
        outcome,
        kind: Kind::RecipientClaim,
        key: centre.key("recipient", id),
        version: 1,
        rule: "recipient_claim.surname".parse().expect("a rule"),
        reason,
        words: None,
    };
    let lines = [
        line("r1", RecordOutcome::Refused, RecordReason::Invalid),
        line("r2", RecordOutcome::Held, RecordReason::DanglingRef),
    ];
    centre.hub.answer(&packet, &lines);
    centre.sync();
    let status = centre.ok(&["status"]);
    assert_eq!(status["unanswered"].as_array().map(Vec::len), Some(0));
    assert_eq!(status["records"].as_array().map(Vec::len), Some(2));
    assert_eq!(centre.value("SELECT state FROM svod_record WHERE id = 'r2'"), "provisional");
    centre.sql("UPDATE recipient SET surname = 'Иванова-Петрова' WHERE id = 'r1'");
    centre.settle();
    let status = centre.ok(&["status"]);
    assert_eq!(status["records"].as_array().map(Vec::len), Some(1), "{status}");
}

#[test]
fn a_held_contract_is_plainly_the_centres_own_again_when_the_hub_has_taken_it() {
    let mut centre = Centre::new();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова');
         INSERT INTO contract (id, recipient_id, number) VALUES ('k', 'r1', '1')",
    );
    centre.sync();
    let packet = centre.hub.take_data().remove(0);
    let line = RecordLine {
        outcome: RecordOutcome::Held,
        kind: Kind::Contract,
        key: centre.key("contract", "k"),
        version: 1,
        rule: "contract.final".parse().expect("a rule"),
        reason: RecordReason::DanglingRef,
        words: None,
    };
    centre.hub.answer(&packet, std::slice::from_ref(&line));
    centre.sync();
    let state = |centre: &Centre| centre.value("SELECT state FROM svod_record WHERE id = 'k'");
    assert_eq!(state(&centre), "provisional");
    centre.hub.revise(&packet, 2, &[]);
    centre.sync();
    assert_eq!(state(&centre), "own");
    assert_eq!(centre.ok(&["status"])["records"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_lost_packet_is_placed_again_with_the_same_bytes() {
    let centre = Centre::new();
    let config = centre.path("svod-spoke.toml");
    let text =
        std::fs::read_to_string(&config).expect("read").replace("[exchange]", "[exchange]\nreceipt_s = 1");
    std::fs::write(&config, text).expect("written");
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
    centre.sync();
    let first = centre.hub.take_data().remove(0);
    let mut again = Vec::new();
    wait_until("the packet to be placed again", || {
        centre.sync();
        again = centre.hub.take_data();
        !again.is_empty()
    });
    let again = again.remove(0);
    assert_eq!((again.mark, &again.name), (first.mark, &first.name));
}

#[test]
fn nothing_changed_nothing_written() {
    let mut centre = Centre::with_recipient();
    let uid = super::centre::uid(1);
    centre.publish_person(uid, "r1", "Иванова");
    centre.settle();
    let watcher = centre.db();
    let mut daemon =
        centre.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let log = centre.path("spoke.log");
    let began = |needle: &str| std::fs::read_to_string(&log).is_ok_and(|text| text.contains(needle));
    wait_until("the daemon to begin", || began("database looked at"));
    let version =
        || watcher.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).expect("read");
    // Past its first round, which may still acknowledge something.
    let mut stable = version();
    let mut quiet_since = Instant::now();
    wait_until("the first round to end", || {
        let now = version();
        if now != stable {
            (stable, quiet_since) = (now, Instant::now());
        }
        quiet_since.elapsed() > Duration::from_millis(500)
    });
    let packets = centre.hub.take().len();
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(160));
        assert_eq!(version(), stable);
    }
    assert!(centre.hub.take().is_empty(), "no packet either, after the first {packets}");
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
}

pub(super) fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < Duration::from_mins(1), "waited for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_row_of_any_program_goes_at_once_and_the_daemon_ends_when_asked() {
    let mut centre = Centre::new();
    centre.settle();
    let mut daemon = centre.command(&["run"]).stdout(Stdio::null()).spawn().expect("starts");
    let status = std::process::Command::new("/usr/bin/sqlite3")
        .arg(centre.path("centre.db"))
        .arg(".timeout 10000")
        .arg("INSERT INTO recipient (id, surname) VALUES ('r9', 'Новикова')")
        .status()
        .expect("sqlite3");
    assert!(status.success());
    let mut sent = Vec::new();
    wait_until("the row to be sent", || {
        sent.extend(centre.hub.take_data());
        sent.iter().any(|packet| !packet.records.is_empty())
    });
    let (_, error) = centre.ends(&["sync"], 5);
    assert!(error.contains("centre.db"), "{error}");
    let killed = std::process::Command::new("kill").args(["-TERM", &daemon.id().to_string()]).status();
    assert!(killed.expect("kill").success());
    assert!(daemon.wait().expect("ended").success());
}

#[test]
fn what_is_written_while_the_daemon_seals_costs_few_audits() {
    let mut centre = Centre::with_recipient();
    let mut daemon =
        centre.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let path = centre.path("spoke.log");
    let log = || std::fs::read_to_string(&path).unwrap_or_default();
    let before = log().matches("database looked at").count();
    wait_until("the daemon to begin", || log().matches("database looked at").count() > before);
    let writer = centre.db();
    // Longer than the shortest time between two audits on suspicion.
    let began = Instant::now();
    let mut n = 0;
    while began.elapsed() < Duration::from_secs(4) {
        n += 1;
        writer
            .execute("INSERT INTO recipient (id, surname) VALUES ('n' || ?1, 'Новикова')", [n])
            .expect("written");
        // a packet that comes makes the daemon seal besides looking
        if n % 5 == 0 {
            centre.hub.publish(&[]);
        }
        std::thread::sleep(Duration::from_millis(17));
    }
    writer.execute("INSERT INTO recipient (id, surname) VALUES ('last', 'Новикова')", []).expect("written");
    let queue = "SELECT count(*) FROM svod_change";
    wait_until("all to be sealed", || centre.value(queue) == "0");
    std::thread::sleep(Duration::from_secs(1));
    let audits = || log().matches("audited").count();
    let few = audits();
    assert!(few <= 3, "{}", log());
    // The count counts: what no trigger sees is looked into.
    writer.execute_batch("CREATE TABLE note (id TEXT)").expect("made");
    wait_until("an audit", || audits() > few);
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
}

#[test]
fn a_packet_gone_from_the_spool_unanswered_is_told_and_all_is_sent_again_in_a_new_epoch() {
    let mut centre = Centre::with_recipient();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Вторая'), ('r3', 'Третья')");
    centre.settle();
    centre
        .sql("UPDATE recipient SET surname = 'Иная' WHERE id = 'r2'; DELETE FROM recipient WHERE id = 'r3'");
    let config = centre.path("svod-spoke.toml");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    assert!(text.contains("#: receipt_s = 120"), "{text}");
    std::fs::write(&config, text.replace("#: receipt_s = 120", "receipt_s = 1")).expect("written");
    centre.sync();
    assert!(!centre.hub.take_data().is_empty(), "it is lost on its way, too");
    let lost = centre.value("SELECT name FROM svod_packet WHERE kind = 'DT' AND state = 'PLACED'");
    std::fs::remove_dir_all(centre.path("spool")).expect("gone");
    centre.sql("UPDATE recipient SET surname = 'Первая' WHERE id = 'r1'");
    wait_until("the packet to be due again", || {
        centre.sync();
        centre.value("SELECT count(*) FROM svod_incident WHERE code = 'SPOOL_LOST'") == "1"
    });
    let sent = centre.hub.take_data();
    let snapshot = sent.iter().find(|packet| packet.name.kind.letters() == "SN").expect("a snapshot");
    assert_eq!((snapshot.mark.position.epoch.get(), snapshot.mark.position.seq.get()), (2, 1));
    let mut said: Vec<(u32, bool)> =
        snapshot.records.iter().map(|r| (r.version, r.body.is_empty())).collect();
    said.sort_unstable();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said.contains(&(2, false)) && said.contains(&(2, true)), "versions go on: {said:?}");
    let status = centre.ok(&["status"]);
    let told = &status["closed_incidents"][0];
    assert_eq!((&told["code"], &told["subject"]), (&"SPOOL_LOST".into(), &lost.clone().into()), "{status}");
    assert_eq!(centre.value("SELECT count(*) FROM svod_journal WHERE event = 'packet.lost'"), "1");
    assert_eq!(centre.value(&format!("SELECT state FROM svod_packet WHERE name = '{lost}'")), "SUPERSEDED");
    for packet in sent {
        centre.hub.answer(&packet, &[]);
    }
    centre.sync();
    assert_eq!(centre.ok(&["status"])["unanswered"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_record_whose_lines_come_one_by_one_goes_when_it_has_settled() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(super::centre::uid(1), "r1", "Иванова");
    centre.settle();
    let mut daemon =
        centre.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Первая')");
    let mut sent = Vec::new();
    wait_until("the daemon to send", || {
        sent.extend(centre.hub.take_data());
        sent.iter().any(|packet| !packet.records.is_empty())
    });
    centre.sql("INSERT INTO programme (id, recipient_id, number) VALUES ('p1', 'r1', '7')");
    for (no, name) in [(1, "Уборка"), (2, "Прогулка")] {
        std::thread::sleep(Duration::from_millis(700));
        centre.sql(&format!(
            "INSERT INTO programme_line (id, programme_id, no, name) VALUES ('l{no}', 'p1', '{no}', '{name}')"
        ));
    }
    // a kind without lines does not wait
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r3', 'Вторая')");
    let mut records = Vec::new();
    wait_until("the programme to be sent", || {
        records.extend(centre.hub.take_data().into_iter().flat_map(|packet| packet.records));
        records.iter().any(|record: &Record| record.kind == Kind::ProgrammeClaim)
    });
    let kinds: Vec<Kind> = records.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [Kind::RecipientClaim, Kind::ProgrammeClaim], "each once, in this order");
    assert_eq!((records[1].version, records[1].read_body().expect("a body").lines().len()), (1, 2));
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
    // One round waits for nothing.
    centre.sql("INSERT INTO programme (id, recipient_id, number) VALUES ('p2', 'r1', '8')");
    centre.sync();
    let round = centre.hub.take_data();
    assert!(
        round.iter().flat_map(|packet| &packet.records).any(|record| record.kind == Kind::ProgrammeClaim)
    );
}

#[test]
fn what_names_a_row_whose_key_has_changed_goes_again() {
    let mut centre = Centre::new();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова'), ('r2', 'Петров'), ('r3', 'Сидоров');
         INSERT INTO contract (id, recipient_id, number, date) VALUES ('d1', 'r1', '1', '2026-01-02');
         INSERT INTO plan_report (id, recipient_id, contract_id, year, month) VALUES ('p1', 'r1', 'd1', '2026', '1');
         INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r1', 'phone', '+7901'), \
         ('c2', 'r2', 'phone', '+7902'), ('c3', 'r3', 'phone', '+7903')",
    );
    centre.settle();
    assert_eq!(centre.value("SELECT count(*) FROM svod_change"), "0");
    let named = |centre: &mut Centre, kind: Kind, field: &str| -> Vec<(String, String)> {
        centre.sync();
        let packets = centre.hub.take_data();
        for packet in &packets {
            centre.hub.answer(packet, &[]);
        }
        let of = packets.into_iter().flat_map(|packet| packet.records);
        let of = of.filter(|record| record.kind == kind && record.form == Form::Live);
        let said = of.map(|record| {
            let body = record.read_body().expect("a body");
            (record.key.to_string(), body.text(field).expect("a reference").to_owned())
        });
        said.collect()
    };
    let key = |centre: &Centre, table: &str, id: &str| centre.key(table, id).to_string();
    // an edit keeps the key
    centre.sql("UPDATE recipient SET surname = 'Иная' WHERE id = 'r1'");
    assert_eq!(centre.value("SELECT count(*) FROM svod_change"), "1");
    // saved anew
    centre.sql(
        "BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM contract; DELETE FROM contract WHERE id = 'd1';
         INSERT INTO contract SELECT * FROM kept; COMMIT",
    );
    let told = named(&mut centre, Kind::PlanReport, "contract");
    assert_eq!(told, [(key(&centre, "plan_report", "p1"), key(&centre, "contract", "d1"))]);
    // numbers exchanged
    centre.sql(
        "UPDATE recipient SET id = 'tmp' WHERE id = 'r2'; UPDATE recipient SET id = 'r2' WHERE id = 'r3';
         UPDATE recipient SET id = 'r3' WHERE id = 'tmp'",
    );
    let mut told = named(&mut centre, Kind::Contact, "recipient");
    let mut expected =
        [("c2", "r2"), ("c3", "r3")].map(|(c, r)| (key(&centre, "contact", c), key(&centre, "recipient", r)));
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    // past the queue
    centre.sql(
        "BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM recipient; DELETE FROM recipient WHERE id = 'r3';
         INSERT INTO recipient SELECT * FROM kept WHERE id = 'r3'; COMMIT",
    );
    super::tampering::harm(&centre, "DELETE FROM svod_change WHERE kind = 'contact'", true);
    assert_eq!(super::tampering::faults(&centre), ["not-captured"]);
    let told = named(&mut centre, Kind::Contact, "recipient");
    assert_eq!(told, [(key(&centre, "contact", "c3"), key(&centre, "recipient", "r3"))]);
}

#[test]
fn a_long_transaction_of_another_program_is_waited_for() {
    let mut centre = Centre::new();
    centre.settle();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
    let other = centre.db();
    other.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let mut daemon =
        centre.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let log = || std::fs::read_to_string(centre.path("spoke.log")).unwrap_or_default();
    wait_until("the daemon to wait", || log().contains("another program holds the database"));
    other.execute_batch("COMMIT").expect("ended");
    wait_until("the row to be sealed", || centre.value("SELECT count(*) FROM svod_change") == "0");
    assert!(daemon.try_wait().expect("asked").is_none(), "it runs: {}", log());
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
}
