//! What is lost or altered of what a centre keeps of what it sent: found by the journal's sums, said again, and the
//! hub's sum and ours agree afterwards (exchange §4, D10). Longer than 500 lines because every loss is tried here.

use std::{collections::BTreeMap, fs};

use exchange_format::{
    file_name::PacketKind,
    record::{Form, Kind, Record, RecordId},
    state_digest::StateDigest,
};

use super::{
    centre::{Centre, uid},
    hub::Opened,
    tampering::{faults, harm, harm_by, locked},
};

/// What a hub knows of the centre: it begins anew with each epoch.
#[derive(Default)]
struct Known {
    records: BTreeMap<(Kind, RecordId), Record>,
}

impl Known {
    /// Takes in what the centre has placed, and answers it. The sum that each packet states must be ours.
    fn settle(&mut self, centre: &mut Centre) -> Vec<Opened> {
        centre.sync();
        let packets = centre.hub.take_data();
        for packet in &packets {
            if packet.name.kind.letters() == "SN" && packet.mark.position.seq.get() == 1 {
                self.records.clear();
            }
            for record in &packet.records {
                self.records.insert((record.kind, record.key), record.clone());
            }
            let mut sum = StateDigest::default();
            for record in self.records.values() {
                if let Some(term) = record.term(&record.hash()) {
                    sum.add(&term);
                }
            }
            assert_eq!(packet.manifest.header.state_digest.unwrap_or(sum), sum, "{}", packet.name);
            centre.hub.answer(packet, &[]);
        }
        centre.sync();
        packets
    }
}

/// A centre with the locked row `r1`, rows of its own, and a contact that has ended.
fn centre() -> (Centre, Known) {
    let mut centre = Centre::new();
    let mut known = Known::default();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова'), ('r2', 'Вторая'), ('r3', 'Третья');
         INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r2', 'phone', '+7900'), \
         ('c2', 'r2', 'phone', '+7901')",
    );
    known.settle(&mut centre);
    centre.sql("DELETE FROM contact WHERE id = 'c2'");
    centre.publish_person(uid(1), "r1", "Опубликованная");
    known.settle(&mut centre);
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    (centre, known)
}

const EPOCH: &str = "SELECT epoch FROM svod_stream WHERE direction = 'out'";

#[test]
fn an_altered_sum_of_our_stream_is_found_and_set_right() {
    let (mut centre, mut known) = centre();
    for column in ["state_digest", "kept_digest"] {
        let sql = format!("UPDATE svod_stream SET {column} = '{}' WHERE direction = 'out'", "ab".repeat(32));
        harm(&centre, &sql, true);
        let (out, _) = centre.ends(&["verify", "--format", "json"], 1);
        let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(
            (&told["found"][0]["fault"], &told["found"][0]["table"], &told["found"][0]["columns"][0]),
            (&"sent-differs".into(), &"svod_stream".into(), &column.into()),
            "{out}"
        );
        centre.sql(&format!("UPDATE recipient SET surname = 'Иная {column}' WHERE id = 'r2'"));
        let packets = known.settle(&mut centre);
        assert!(packets.iter().any(|packet| packet.records.len() == 1), "and the sum agrees");
        assert_eq!(centre.ok(&["verify"])["whole"], true, "{column}");
    }
    assert_eq!(centre.value(EPOCH), "1", "the journal proves what was sent: nothing goes again");
}

#[test]
fn the_claim_of_a_locked_row_goes_again_when_its_note_is_gone() {
    let (mut centre, mut known) = centre();
    let key = centre.key("recipient", "r1");
    harm(&centre, &format!("DELETE FROM svod_sent WHERE key = '{key}'"), true);
    assert_eq!(faults(&centre), ["evidence-missing", "sent-differs"]);
    let packets = known.settle(&mut centre);
    assert_eq!(centre.value(EPOCH), "2", "all goes again");
    let claim = packets.iter().flat_map(|packet| &packet.records).find(|record| record.key == key);
    let claim = claim.expect("its claim too");
    assert!(claim.version > 1 && claim.form == Form::Live, "above whatever it had: {}", claim.version);
    let body = claim.read_body().expect("a body");
    assert_eq!(body.text("surname"), Some("Опубликованная"), "as the row stands");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    assert_eq!(centre.value("SELECT count(*) FROM svod_change"), "0");
    centre.sql("UPDATE recipient SET surname = 'Иная' WHERE id = 'r2'");
    assert_eq!(known.settle(&mut centre).len(), 1);
}

#[test]
fn a_record_of_which_nothing_is_left_is_found_by_the_sum() {
    let (mut centre, mut known) = centre();
    let key = centre.key("recipient", "r3");
    harm(
        &centre,
        &format!(
            "DELETE FROM recipient WHERE id = 'r3'; DELETE FROM svod_record WHERE id = 'r3'; \
             DELETE FROM svod_sent WHERE key = '{key}'"
        ),
        true,
    );
    assert_eq!(faults(&centre), ["sent-differs"]);
    // the hub has it: to say all again without it would be to take it back
    let packets = known.settle(&mut centre);
    assert_eq!((packets.len(), centre.value(EPOCH).as_str()), (0, "1"));
    assert_eq!(centre.ok(&["status"])["incidents"][0]["code"], "RESTORED");
    let asked = "SELECT count(*) FROM svod_request WHERE direction = 'out' AND next_at IS NOT NULL";
    assert_eq!(centre.value(asked), "1");
    let told = "SELECT count(*) FROM svod_incident WHERE code = 'TAMPERED' AND detail = 'sent-differs'";
    assert_eq!(centre.value(told), "1");
}

#[test]
fn a_lost_tombstone_is_told() {
    let (mut centre, mut known) = centre();
    harm(&centre, "DELETE FROM svod_sent WHERE form = 'tombstone'", true);
    assert_eq!(faults(&centre), ["sent-differs"]);
    assert!(
        known.settle(&mut centre).is_empty(),
        "the hub knows that it has ended, and nothing that lives is lost"
    );
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    assert_eq!(centre.value("SELECT count(*) FROM svod_incident WHERE detail = 'sent-differs'"), "1");
}

#[test]
fn a_note_that_says_another_version_is_not_believed() {
    let (mut centre, mut known) = centre();
    let key = centre.key("recipient", "r2");
    harm(&centre, &format!("UPDATE svod_sent SET version = 7 WHERE key = '{key}'"), true);
    assert_eq!(faults(&centre), ["record-altered", "sent-differs"]);
    let packets = known.settle(&mut centre);
    let sent: Vec<u32> = packets
        .iter()
        .flat_map(|packet| &packet.records)
        .filter(|record| record.key == key)
        .map(|record| record.version)
        .collect();
    assert_eq!(sent, [8]);
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    // The other way round the sum proves the note.
    harm(&centre, "UPDATE svod_record SET version = 3 WHERE id = 'r2'", true);
    assert_eq!(faults(&centre), ["record-altered"]);
    assert!(known.settle(&mut centre).is_empty());
    assert_eq!(centre.value("SELECT version FROM svod_record WHERE id = 'r2'"), "8");
}

#[test]
fn bodies_that_are_lost_are_said_again_in_the_very_snapshot_of_a_new_epoch() {
    let centre = locked();
    let claim = centre.key("recipient", "r1");
    // Nobody has looked since: the bodies are gone when the packet turns out to be.
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r6', 'Шестая')");
    centre.sync();
    centre.hub.take();
    harm(&centre, "UPDATE svod_sent SET body = x'00', lot = NULL WHERE kind = 'recipient_claim'", true);
    std::fs::remove_dir_all(centre.path("spool")).expect("lost");
    let due = "UPDATE svod_packet SET next_at = '2026-01-01T00:00:00Z' WHERE next_at IS NOT NULL AND answers IS NULL";
    harm(&centre, due, true);
    centre.sync();
    // found by the first look, the claim goes in a packet of the old epoch too
    let packets = centre.hub.take_data().into_iter().filter(|packet| packet.name.kind.letters() == "SN");
    let records: Vec<Record> = packets.flat_map(|packet| packet.records).collect();
    assert_eq!(records.len(), 2, "{records:?}");
    let again = records.iter().find(|record| record.key == claim).expect("the claim of the locked row");
    assert_eq!(again.version, 2);
    let own = records.iter().find(|record| record.key != claim).expect("the other one");
    assert_eq!(own.version, 1, "its row says what was sent");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_cut_tail_of_the_journal_is_found_by_the_watermark() {
    let (centre, _) = centre();
    let entries = || centre.value("SELECT count(*) FROM svod_journal").parse::<u64>().expect("a number");
    harm(&centre, &format!("DELETE FROM svod_journal WHERE n >= {}", entries() - 12), true);
    assert!(faults(&centre).contains(&"journal-cut".to_owned()));
    let words = centre.ends(&["verify"], 1).0;
    assert!(words.contains("короче"), "{words}");
    centre.sync();
    assert_eq!(centre.ok(&["status"])["incidents"][0]["detail"], "journal-cut");
    // Grown again it is as long, and another.
    for n in 0..20 {
        centre.sql(&format!("UPDATE recipient SET surname = 'Иная {n}' WHERE id = 'r2'"));
        centre.sync();
    }
    assert!(faults(&centre).contains(&"journal-altered".to_owned()));
}

#[test]
fn lost_and_damaged_answers_are_sealed_again_and_hold_nothing_up() {
    let mut centre = locked();
    centre.hub.take();
    let again = |centre: &Centre| {
        let due = "UPDATE svod_packet SET state = 'SEALED', next_at = '2026-01-01T00:00:00Z' WHERE answers IS NOT NULL \
                   AND state = 'PLACED'";
        harm(centre, due, true);
    };
    let name = |kind: &str| {
        centre.value(&format!(
            "SELECT name FROM svod_packet WHERE answers IS NOT NULL AND kind = '{kind}' AND state = 'PLACED'"
        ))
    };
    let (receipt, protocol) = (name("KV"), name("PR"));
    std::fs::remove_file(centre.path("spool").join(&receipt)).expect("gone");
    std::fs::write(centre.path("spool").join(&protocol), "damaged").expect("written");
    again(&centre);
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r7', 'Седьмая')");
    centre.sync();
    let placed = centre.hub.take();
    let kinds: Vec<&str> = placed.iter().map(|packet| packet.name.kind.letters()).collect();
    assert_eq!(kinds, ["KV", "PR", "DT"]);
    let (head, lines) = super::hub::protocol_of(&placed[1]);
    assert_eq!((head.revision, head.outcome.word(), lines.len()), (1, "APPLIED", 0));
    assert_eq!(head.counts.get(exchange_format::answer::RecordOutcome::New), 4);
    assert_eq!(centre.value(EPOCH), "1", "an answer is no packet of the stream");
    for (old, how) in [(&receipt, "gone from%"), (&protocol, "damaged in%")] {
        let told = format!(
            "SELECT count(*) FROM svod_incident WHERE code = 'SPOOL_LOST' AND subject = '{old}' AND detail LIKE '{how}' \
             AND closed_how LIKE 'sealed again as SVOD1_%'"
        );
        assert_eq!(centre.value(&told), "1");
    }
    for packet in placed.iter().filter(|packet| packet.name.kind.is_numbered()) {
        centre.hub.answer(packet, &[]);
    }
    centre.sync();
    assert!(centre.hub.take().is_empty(), "all stands where it should");
    // What nobody can say any more stays an incident, once.
    harm(&centre, "UPDATE svod_packet SET body = NULL", true);
    again(&centre);
    std::fs::remove_dir_all(centre.path("spool")).expect("gone");
    for _ in 0..2 {
        centre.sync();
        let open = "SELECT count(*) FROM svod_incident WHERE code = 'SPOOL_LOST' AND closed_at IS NULL";
        assert_eq!(centre.value(open), "2");
    }
    assert_eq!(centre.value("SELECT count(*) FROM svod_journal WHERE event = 'packet.lost'"), "4");
}

#[test]
fn what_is_written_behind_the_daemons_first_look_is_looked_into() {
    let mut centre = locked();
    // The snapshot of another epoch was archived and noted when the program was killed: applying it waits for the lock.
    let (snapshot, mark) = {
        let records = [centre.person(uid(1), "Новейшая")];
        let records = records.map(|record| Record { version: 7, ..record });
        let records = records.map(|record| centre.hub.sign(record));
        centre.hub.open_epoch(4, &records)
    };
    let archived = centre.path("archive/in").join(&snapshot);
    std::fs::rename(centre.hub.mailbox.join("out").join(&snapshot), archived).expect("archived");
    let held = format!(
        "INSERT INTO svod_packet (name, direction, peer, kind, epoch, seq, digest, state, at, part, parts, file) \
         VALUES ('{snapshot}', 'in', '{}', 'SN', 4, 1, '{}', 'HELD', '2026-11-21T10:00:00Z', 1, 1, 'archive/in/{snapshot}')",
        centre.hub.code, mark.digest
    );
    harm(&centre, &held, true);
    let looks = || {
        let log = std::fs::read_to_string(centre.path("spoke.log")).unwrap_or_default();
        log.matches("database looked at").count()
    };
    let (before, db) = (looks(), centre.db());
    db.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let mut daemon = centre.command(&["run"]).stdout(std::process::Stdio::null()).spawn().expect("starts");
    super::sending::wait_until("the first look", || looks() > before);
    harm_by(&db, &format!("UPDATE recipient SET surname = 'Чужая' WHERE id = '{}'", uid(2)), true);
    db.execute_batch("COMMIT").expect("done");
    let surname = format!("SELECT surname FROM recipient WHERE id = '{}'", uid(2));
    super::sending::wait_until("the row to be put right", || centre.value(&surname) == "Новая");
    daemon.kill().expect("ended");
    daemon.wait().expect("reaped");
}

/// A centre with the locked row `r1`, of whose telephone the hub says nothing, and its claim.
fn as_typed() -> (Centre, Record, [Record; 2]) {
    let mut centre = Centre::new();
    centre.sql("INSERT INTO recipient (id, surname, given, phone) VALUES ('r1', 'Иванова', 'Анна', '+7900')");
    centre.sync();
    let packets = centre.hub.take_data();
    for packet in &packets {
        centre.hub.answer(packet, &[]);
    }
    let claim = packets[0].records[0].clone();
    let mut link = centre.link(claim.key, uid(1), true).read_body().expect("canonical");
    link.set("as_typed", "phone").expect("text");
    let (person, link) = (centre.person(uid(1), "Иванова"), centre.hub.record(claim.key, Form::Live, &link));
    centre.hub.publish(&[person.clone(), link.clone()]);
    centre.sync();
    centre.hub.take();
    (centre, claim, [person, link])
}

const PHONE: &str = "SELECT phone FROM recipient WHERE id = 'r1'";

#[test]
fn what_only_the_claim_says_is_asked_for_and_never_taken_from_the_row() {
    let (mut centre, claim, records) = as_typed();
    for (epoch, (body, key)) in [(2, ("NULL", "recipient_claim")), (3, ("x'00'", "recipient_claim"))] {
        let forged = format!(
            "UPDATE svod_sent SET body = {body}, lot = NULL WHERE kind = '{key}'; UPDATE recipient SET phone = '+7666'"
        );
        harm(&centre, &forged, true);
        assert!(faults(&centre).contains(&"evidence-missing".to_owned()), "{body}");
        centre.sync();
        assert_eq!(centre.value(PHONE), "", "{body}: nobody proves it");
        let packets = centre.hub.take();
        assert!(packets.iter().all(|packet| packet.records.is_empty()), "{body}: nothing of it is told");
        let asked = packets.iter().find(|packet| packet.name.kind.letters() == "RQ").expect("a request");
        let nonce = asked.manifest.header.nonce;
        assert!(!centre.ok(&["status"])["incidents"].as_array().expect("a list").is_empty());
        centre.hub.answer_request(nonce, epoch, &records, std::slice::from_ref(&claim));
        centre.sync();
        assert_eq!(centre.value(PHONE), "+7900", "{body}: the hub's copy has the hash that was noted");
        assert_eq!(centre.ok(&["verify"])["whole"], true, "{body}");
        assert!(centre.hub.take_data().iter().all(|packet| packet.records.is_empty()), "{body}");
    }
    // in a lot, too
    let lot = "UPDATE svod_sent SET body = NULL, lot = 77; INSERT INTO svod_lot VALUES (77, x'00')";
    harm(&centre, lot, true);
    assert!(faults(&centre).contains(&"evidence-missing".to_owned()));
}

#[test]
fn a_claim_of_which_nothing_is_noted_goes_again_with_what_its_row_alone_says() {
    let (centre, claim, _) = as_typed();
    let key = claim.key;
    let forged = "UPDATE recipient SET surname = 'Иная' WHERE id = 'r1'";
    harm(
        &centre,
        &format!("DELETE FROM svod_sent WHERE key = '{key}'; DELETE FROM svod_lot; {forged}"),
        true,
    );
    assert!(faults(&centre).contains(&"evidence-missing".to_owned()));
    centre.sync();
    let records: Vec<Record> = centre.hub.take_data().into_iter().flat_map(|packet| packet.records).collect();
    let body =
        records.iter().find(|record| record.key == key).expect("said again").read_body().expect("a body");
    assert_eq!((body.text("phone"), body.text("surname")), (Some("+7900"), Some("Иванова")));
    assert_eq!(centre.value(PHONE), "+7900");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_packet_that_an_older_database_does_not_know_stays_in_the_spool() {
    let centre = Centre::with_recipient();
    let old = centre.dir.path().join("old.db");
    centre.sql(&format!("VACUUM INTO '{}'", old.display()));
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Новая')");
    centre.sync();
    let packet =
        centre.path(&centre.value("SELECT file FROM svod_packet WHERE direction = 'out' AND kind = 'DT'"));
    assert!(packet.exists());
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(centre.path(&format!("centre.db{suffix}")));
    }
    fs::copy(&old, centre.path("centre.db")).expect("put back");
    for _ in 0..2 {
        centre.sync();
        assert_eq!(centre.ok(&["status"])["incidents"][0]["code"], "RESTORED");
        assert!(packet.exists(), "the only copy");
    }
}

/// A copy put back with the watermark beside the log of a program that was killed: of some tables the pages of the log. Of the newer
/// database `newer` says which rows are there.
fn mixed(newer: impl Fn(&Centre) -> String) -> (Centre, Known) {
    let (mut centre, mut known) = centre();
    let (old, watermark) = (centre.dir.path().join("old.db"), centre.path("keys/watermark"));
    centre.sql(&format!("VACUUM INTO '{}'", old.display()));
    let mark = fs::read(&watermark).expect("a watermark");
    centre.sql("INSERT INTO contact (id, recipient_id, type, value) VALUES ('c3', 'r2', 'phone', '+7902')");
    assert_eq!(known.settle(&mut centre).len(), 1, "the hub has it");
    let newer = newer(&centre);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(centre.path(&format!("centre.db{suffix}")));
    }
    fs::copy(&old, centre.path("centre.db")).expect("put back");
    fs::write(watermark, mark).expect("put back");
    harm(&centre, &newer, true);
    (centre, known)
}

/// The rows of `table` that are so, to be put into another database.
fn rows(centre: &Centre, table: &str, are: &str) -> String {
    let columns = centre.value(&format!(
        "SELECT group_concat('quote(\"' || name || '\")', ' || '', '' || ') FROM pragma_table_info('{table}')"
    ));
    centre.value(&format!(
        "SELECT group_concat('INSERT OR REPLACE INTO {table} VALUES (' || {columns} || ');', ' ') FROM {table} WHERE {are}"
    ))
}

#[test]
fn a_copy_put_back_beside_a_newer_log_asks_the_hub_and_takes_nothing_back() {
    let stream = |centre: &Centre| rows(centre, "svod_stream", "1") + &rows(centre, "svod_packet", "1");
    // the journal too, but for a page of it: its beginning is of the copy
    let with_journal = |centre: &Centre| {
        stream(centre) + &rows(centre, "svod_journal", "n > (SELECT max(n) - 4 FROM svod_journal)")
    };
    let cases: [&dyn Fn(&Centre) -> String; 2] = [&stream, &with_journal];
    for (n, newer) in cases.into_iter().enumerate() {
        let (mut centre, mut known) = mixed(newer);
        for _ in 0..2 {
            assert_eq!(
                (known.settle(&mut centre).len(), centre.value(EPOCH).as_str()),
                (0, "1"),
                "{n}: nothing goes"
            );
            let open = "SELECT count(*) FROM svod_incident WHERE code = 'RESTORED' AND closed_at IS NULL";
            assert_eq!(centre.value(open), "1", "{n}");
        }
        let asked = "SELECT count(*) FROM svod_request WHERE direction = 'out' AND next_at IS NOT NULL";
        assert_eq!(centre.value(asked), "1", "{n}: the hub is asked");
    }
}

#[test]
fn a_row_replaced_by_itself_is_nobodys_harm() {
    let (mut centre, mut known) = centre();
    for (value, records) in [("+7900", 0), ("+7999", 1)] {
        centre.sql(&format!(
            "PRAGMA recursive_triggers = ON; \
             INSERT OR REPLACE INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r2', 'phone', '{value}')"
        ));
        assert_eq!(centre.ok(&["verify"])["whole"], true, "{value}");
        let packets = known.settle(&mut centre);
        assert_eq!(packets.iter().map(|packet| packet.records.len()).sum::<usize>(), records, "{value}");
        let version = centre.ok(&["why", "contact", "c1"])["record"]["version"].clone();
        assert_eq!(version, 1 + records, "it tells what was sent");
    }
    assert_eq!(centre.value("SELECT count(*) FROM svod_incident"), "0");
}

#[test]
fn verification_beside_a_running_daemon_takes_no_newer_watermark_for_a_restored_database() {
    let (centre, _) = centre();
    let keys = centre.path("keys-beside");
    std::fs::create_dir(&keys).expect("made");
    for entry in std::fs::read_dir(centre.path("keys")).expect("keys") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), keys.join(entry.file_name())).expect("copied");
    }
    let gate = keys.join("watermark");
    std::fs::remove_file(&gate).expect("a watermark");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().expect("ran").success());
    let config = std::fs::read_to_string(centre.path("svod-spoke.toml")).expect("read");
    let (default, other) = ("#: keys = \"keys\"", "keys = \"keys-beside\"");
    assert!(config.contains(default), "{config}");
    let beside = centre.path("beside.toml");
    std::fs::write(&beside, config.replace(default, other)).expect("written");
    let looking = std::process::Command::new(env!("CARGO_BIN_EXE_svod-spoke"))
        .args(["verify", "--format", "json", "--config"])
        .arg(&beside)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    // it opens when somebody reads: then the daemon goes on
    let mut open = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::custom_flags(open.write(true), 0o4000); // O_NONBLOCK
    let mut watermark = None;
    super::sending::wait_until("the watermark to be asked for", || {
        watermark = open.open(&gate).ok();
        watermark.is_some()
    });
    let mut watermark = watermark.expect("opened");
    centre.sql("UPDATE recipient SET surname = 'Иная' WHERE id = 'r2'");
    centre.sync();
    let newer = std::fs::read(centre.path("keys/watermark")).expect("read");
    std::io::Write::write_all(&mut watermark, &newer).expect("written");
    drop(watermark);
    let output = looking.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_deleted_row_that_comes_back_past_the_triggers_is_another_record() {
    let (mut centre, mut known) = centre();
    let key = centre.key("contact", "c1");
    let row = rows(&centre, "contact", "id = 'c1'") + &rows(&centre, "svod_record", "id = 'c1'");
    centre.sql("DELETE FROM contact WHERE id = 'c1'");
    assert_eq!(known.settle(&mut centre).len(), 1, "its end is sent");
    harm(&centre, &row, true);
    let packets = known.settle(&mut centre);
    let records: Vec<_> = packets.iter().flat_map(|packet| &packet.records).collect();
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((record.form, record.version), (Form::Live, 1));
    assert_ne!(record.key, key, "an end is for good");
    assert_eq!(record.key, centre.key("contact", "c1"), "the row has kept its id");
    assert_eq!(centre.value(&format!("SELECT form FROM svod_sent WHERE key = '{key}'")), "tombstone");
    assert!(known.settle(&mut centre).is_empty());
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_record_that_was_sent_after_its_end_is_ended_by_one_resync() {
    for (keep, rows) in [("mine", "1"), ("theirs", "0")] {
        let (mut centre, mut known) = centre();
        for value in ["+7902", "+7903"] {
            centre.sql(&format!("UPDATE contact SET value = '{value}' WHERE id = 'c1'"));
            known.settle(&mut centre);
        }
        let old = centre.dir.path().join("old.db");
        centre.sql(&format!("VACUUM INTO '{}'", old.display()));
        centre.sql("UPDATE recipient SET surname = 'Иная' WHERE id = 'r2'");
        known.settle(&mut centre);
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(centre.path(&format!("centre.db{suffix}")));
        }
        fs::copy(&old, centre.path("centre.db")).expect("put back");
        centre.sync();
        let came = centre.hub.take();
        let request = came.iter().rfind(|packet| packet.name.kind == PacketKind::Request).expect("asked");
        let key = centre.key("contact", "c1");
        known.records.insert((Kind::Contact, key), Record::tombstone(Kind::Contact, key, 2));
        let mirror: Vec<_> = known.records.values().cloned().collect();
        let published = [
            centre.person(uid(1), "Опубликованная"),
            centre.link(centre.key("recipient", "r1"), uid(1), true),
        ];
        centre.hub.answer_request(request.manifest.header.nonce, 2, &published, &mirror);
        centre.sync();
        let told = centre.ok(&["resync"]);
        assert_eq!(told["records"]["contact"], serde_json::json!({"moved": 1}), "{told}");
        centre.ok(&["resync", "--yes", "--keep", keep]);
        centre.ok(&["sync"]);
        assert_eq!(centre.value("SELECT count(*) FROM contact WHERE id = 'c1'"), rows, "{keep}");
        let packets = centre.hub.take_data();
        let contacts =
            packets.iter().flat_map(|packet| &packet.records).filter(|one| one.kind == Kind::Contact);
        let live: Vec<_> = contacts.filter(|one| one.form == Form::Live).map(|one| one.key).collect();
        assert_eq!((live.len().to_string().as_str(), live.contains(&key)), (rows, false), "{keep}");
    }
}
