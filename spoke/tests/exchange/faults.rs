//! What once went wrong: a stray file, a crash between two epochs, a line under another's id, a held claim that
//! the hub then linked.

use std::fs;

use exchange_format::{
    answer::{RecordLine, RecordOutcome, RecordReason},
    record::{Body, Form, Kind, Record, RecordId},
};
use svod_spoke::database::{DatabaseError, own_records, write};

use super::{
    centre::{Centre, uid},
    tampering::{self, harm, locked},
};

/// Writes into the exchange's own tables as only the daemon can.
fn as_the_daemon(centre: &Centre, sql: &str) {
    write::write::<_, DatabaseError>(&mut centre.db(), write::Scope::Book, |transaction| {
        Ok(transaction.execute_batch(sql)?)
    })
    .expect(sql);
}

fn programme(centre: &Centre, key: RecordId, recipient: RecordId) -> Record {
    let mut body = Body::new(Kind::Programme);
    for (field, value) in
        [("recipient", recipient.to_string()), ("number", "12".into()), ("date", "2026-01-02".into())]
    {
        body.set(field, &value).expect("text");
    }
    for (no, name) in [("1", "Уборка"), ("2", "Прогулка")] {
        let line = body.add_line();
        line.set("no", no).expect("text");
        line.set("name", name).expect("text");
    }
    centre.hub.record(key, Form::Live, &body)
}

#[test]
fn a_stray_file_named_like_a_packet_of_ours_changes_nothing_of_it() {
    let mut centre = Centre::with_recipient();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Вторая')");
    centre.sync();
    let ours = centre.value("SELECT name FROM svod_packet WHERE state = 'PLACED' AND answers IS NULL");
    let row = format!("SELECT direction || state || digest || file FROM svod_packet WHERE name = '{ours}'");
    let before = centre.value(&row);
    fs::write(centre.hub.mailbox.join("out").join(&ours), "чужое").expect("written");
    for _ in 0..3 {
        centre.sync();
        assert_eq!(centre.value(&row), before);
        assert!(centre.path("spool").join(&ours).exists(), "its file is still to be placed again");
    }
    let stray =
        format!("SELECT count(*) || min(state) || min(reason) FROM svod_packet WHERE name = 'in/{ours}'");
    assert_eq!(centre.value(&stray), "1QUARANTINEDFOREIGN");
    fs::remove_file(centre.hub.mailbox.join("out").join(&ours)).expect("removed");
    centre.settle();
    assert_eq!(centre.value(&format!("SELECT state FROM svod_packet WHERE name = '{ours}'")), "APPLIED");
}

#[test]
fn a_snapshot_that_skips_epochs_is_applied_after_a_crash_and_what_older_ones_held_is_put_aside() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Первая");
    centre.sync();
    // A gap: the second packet never comes, the third is held.
    let out = centre.hub.mailbox.join("out");
    let record = centre.person(uid(2), "Вторая");
    let missing = centre.hub.publish(&[record]);
    fs::remove_file(out.join(missing)).expect("lost");
    let record = centre.person(uid(3), "Третья");
    let held = centre.hub.publish(&[record]);
    centre.sync();
    let state = |centre: &Centre, name: &str| {
        centre.value(&format!("SELECT state || coalesce(reason, '') FROM svod_packet WHERE name = '{name}'"))
    };
    assert_eq!(state(&centre, &held), "HELD");
    // The snapshot of the fourth epoch was archived and noted when the program was killed.
    let claim = centre.key("recipient", "r1");
    let records = [centre.person(uid(1), "Новая"), centre.link(claim, uid(1), true)];
    let records = records.map(|record| Record { version: 7, ..record });
    let records = records.map(|record| centre.hub.sign(record));
    let (snapshot, mark) = centre.hub.open_epoch(4, &records);
    fs::rename(out.join(&snapshot), centre.path("archive/in").join(&snapshot)).expect("archived");
    as_the_daemon(
        &centre,
        &format!(
            "INSERT INTO svod_packet (name, direction, peer, kind, epoch, seq, digest, state, at, part, parts, file) \
             VALUES ('{snapshot}', 'in', '{}', 'SN', 4, 1, '{}', 'HELD', '2026-11-21T10:00:00Z', 1, 1, \
             'archive/in/{snapshot}')",
            centre.hub.code, mark.digest
        ),
    );
    centre.sync();
    assert_eq!(state(&centre, &snapshot), "APPLIED");
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r1'"), "Новая");
    assert_eq!(centre.value("SELECT epoch FROM svod_stream WHERE direction = 'in'"), "4");
    assert_eq!(state(&centre, &held), "QUARANTINEDSTALE_EPOCH");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_held_packet_lost_from_the_archive_is_brought_again() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Первая");
    centre.sync();
    let out = centre.hub.mailbox.join("out");
    let record = centre.person(uid(1), "Вторая");
    let second = centre.hub.publish(&[record]);
    let aside = centre.dir.path().join(&second);
    fs::rename(out.join(&second), &aside).expect("late");
    let record = centre.person(uid(1), "Третья");
    centre.hub.publish(&[record]);
    centre.sync();
    fs::remove_dir_all(centre.path("archive")).expect("lost");
    fs::rename(&aside, out.join(&second)).expect("given");
    centre.sync();
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r1'"), "Третья");
    assert_eq!(centre.value("SELECT count(*) FROM svod_packet WHERE state = 'HELD'"), "0");
}

/// F4: the hub places its packet again for as long as it has no protocol of it.
#[test]
fn answers_that_were_lost_on_the_way_come_again_while_their_packet_stands_in_out() {
    let mut centre = Centre::with_recipient();
    centre.publish_person(uid(1), "r1", "Первая");
    centre.sync();
    let inbox = centre.hub.mailbox.join("in");
    fs::remove_dir_all(&inbox).expect("lost");
    fs::create_dir(&inbox).expect("made");
    centre.sync();
    let kinds: Vec<_> = centre.hub.take().iter().map(|answer| answer.name.kind.letters()).collect();
    assert_eq!(kinds, ["KV", "PR"]);
    centre.sync();
    assert!(centre.hub.take().is_empty(), "what the hub has taken is not answered again");
}

#[test]
fn a_line_of_the_centres_own_under_the_id_of_a_published_one_stays() {
    let mut centre = Centre::with_recipient();
    let (key, line) = (uid(3), format!("{}:1", uid(3)));
    centre.sql(&format!(
        "INSERT INTO programme (id, recipient_id, number) VALUES ('p1', 'r1', '7'); \
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('{line}', 'p1', '1', 'Своя')"
    ));
    centre.settle();
    let records = [
        centre.person(uid(1), "Иванова"),
        programme(&centre, key, uid(1)),
        centre.link(centre.key("recipient", "r1"), uid(1), true),
    ];
    centre.hub.publish(&records);
    centre.sync();
    let own = format!("SELECT programme_id || name FROM programme_line WHERE id = '{line}'");
    assert_eq!(centre.value(&own), "p1Своя");
    let theirs = format!(
        "SELECT group_concat(name) FROM (SELECT name FROM programme_line WHERE programme_id = '{key}' ORDER BY no)"
    );
    assert_eq!(centre.value(&theirs), "Уборка,Прогулка");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    // Shown anew, it still keeps to its own lines.
    let again = programme(&centre, key, uid(1));
    centre.hub.publish(&[again]);
    centre.sync();
    assert_eq!((centre.value(&own), centre.value(&theirs)), ("p1Своя".into(), "Уборка,Прогулка".into()));
    assert_eq!(centre.value("SELECT count(*) FROM svod_change"), "0", "nothing of ours has changed");
}

#[test]
fn a_claim_that_was_held_is_held_no_longer_once_the_hub_has_linked_it() {
    let mut centre = Centre::new();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
    centre.sync();
    let key = centre.key("recipient", "r1");
    let line = RecordLine {
        outcome: RecordOutcome::Held,
        kind: Kind::RecipientClaim,
        key,
        version: 1,
        rule: "recipient_claim.identity_changed".parse().expect("a rule"),
        reason: RecordReason::Invalid,
        words: None,
    };
    for packet in centre.hub.take_data() {
        centre.hub.answer(&packet, std::slice::from_ref(&line));
    }
    centre.sync();
    let held = |centre: &Centre| centre.ok(&["status"])["records"].as_array().map(Vec::len);
    assert_eq!(held(&centre), Some(1));
    assert_eq!(centre.ok(&["why", "recipient", "r1"])["outcome"], "held");
    // A link that goes by an older version says nothing about this one.
    let mut older = Record { version: 1, ..centre.link(key, uid(1), true) };
    let text = String::from_utf8(older.body).expect("text");
    older.body = text.replace("<based_on>1<", "<based_on>0<").into_bytes();
    let older = centre.hub.sign(older);
    let person = centre.person(uid(1), "Иванова");
    centre.hub.publish(&[person, older]);
    centre.sync();
    assert_eq!(held(&centre), Some(1));
    let newer = centre.link(key, uid(1), true);
    centre.hub.publish(&[newer]);
    centre.sync();
    assert_eq!(held(&centre), Some(0));
    assert!(centre.ok(&["why", "recipient", "r1"])["outcome"].is_null());
}

#[test]
fn a_record_that_is_not_the_hubs_to_write_is_refused_shown_nowhere_and_still_in_the_sum() {
    let mut centre = Centre::with_recipient();
    let mut contact = Body::new(Kind::Contact);
    for (field, value) in
        [("recipient", uid(1).to_string()), ("type", "phone".into()), ("value", "112".into())]
    {
        contact.set(field, &value).expect("text");
    }
    let foreign = centre.hub.record(uid(9), Form::Live, &contact);
    let person = centre.person(uid(1), "Иванова");
    let link = centre.link(centre.key("recipient", "r1"), uid(1), true);
    centre.hub.publish(&[foreign, person, link]);
    centre.sync();
    assert_eq!(centre.value("SELECT count(*) FROM contact"), "0");
    assert_eq!(centre.value("SELECT surname FROM recipient"), "Иванова", "the rest of the packet goes on");
    let status = centre.ok(&["status"]);
    let codes: Vec<_> =
        status["incidents"].as_array().expect("a list").iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["NOT_OWNER"], "and no DIVERGED: the sums agree");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

/// What waits in the mailbox is to be placed again now.
fn try_again(centre: &Centre) {
    as_the_daemon(
        centre,
        "UPDATE svod_packet SET next_at = '2026-01-01T00:00:00Z' WHERE next_at IS NOT NULL AND answers IS NULL",
    );
    centre.sync();
}

const OUT_EPOCH: &str = "SELECT epoch FROM svod_stream WHERE direction = 'out'";

#[test]
fn a_packet_damaged_in_the_spool_is_as_good_as_lost() {
    let centre = Centre::with_recipient();
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r2', 'Вторая')");
    centre.sync();
    centre.hub.take();
    try_again(&centre);
    assert_eq!(centre.value(OUT_EPOCH), "1", "a sound one is placed again");
    let name = centre.value("SELECT name FROM svod_packet WHERE state = 'PLACED' AND answers IS NULL");
    let file = fs::OpenOptions::new().write(true).open(centre.path("spool").join(&name)).expect("there");
    file.set_len(100).expect("cut");
    centre.hub.take();
    try_again(&centre);
    assert_eq!(centre.value(OUT_EPOCH), "2");
    let records: usize = centre.hub.take_data().iter().map(|packet| packet.records.len()).sum();
    assert_eq!(records, 2, "all is sent again");
    let told = format!("SELECT count(*) FROM svod_incident WHERE code = 'SPOOL_LOST' AND subject = '{name}'");
    assert_eq!(centre.value(&told), "1");
}

#[test]
fn without_the_lots_of_what_was_sent_the_exchange_goes_on() {
    let mut centre = Centre::new();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова'), ('r2', 'Вторая'); \
         INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r2', 'phone', '+7900')",
    );
    centre.settle();
    centre.publish_person(uid(1), "r1", "Иванова");
    centre.settle();
    harm(&centre, "DELETE FROM svod_lot", true);
    assert_eq!(tampering::faults(&centre), ["evidence-missing"]);
    centre.settle();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    centre.sql("UPDATE contact SET value = '+7901' WHERE id = 'c1'");
    centre.sync();
    centre.hub.take();
    let name = centre.value("SELECT name FROM svod_packet WHERE state = 'PLACED' AND answers IS NULL");
    fs::remove_file(centre.path("spool").join(name)).expect("lost");
    try_again(&centre);
    assert_eq!(centre.value(OUT_EPOCH), "2");
    let mut kinds: Vec<(Kind, u32)> = Vec::new();
    for packet in centre.hub.take_data() {
        kinds.extend(packet.records.iter().map(|record| (record.kind, record.version)));
        centre.hub.answer(&packet, &[]);
    }
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [(Kind::RecipientClaim, 1), (Kind::RecipientClaim, 2), (Kind::Contact, 2)],
        "the claim of the locked row as the row stands"
    );
    centre.sync();
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn no_program_and_no_trigger_of_the_centres_own_chooses_a_key() {
    let mut centre = locked();
    centre.sql("INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r1', 'phone', '+7900')");
    centre.settle();
    let key = centre.key("contact", "c1");
    centre.sql("DELETE FROM contact WHERE id = 'c1'");
    centre.settle();
    centre.sql(&format!(
        "CREATE TRIGGER a AFTER INSERT ON contact BEGIN INSERT INTO svod_record (kind, id, key, state) \
         VALUES ('contact', NEW.id, '{key}', 'own'); END; \
         CREATE TRIGGER b AFTER INSERT ON recipient BEGIN INSERT INTO svod_record (kind, id, key, state) \
         VALUES ('recipient', NEW.id, NEW.id, 'own'); END;"
    ));
    for sql in [
        "INSERT INTO contact (id, recipient_id, type, value) VALUES ('c2', 'r1', 'phone', '+7901')"
            .to_owned(),
        format!("INSERT INTO recipient (id, surname) VALUES ('{}', 'Своя')", uid(1)),
    ] {
        centre.db().execute_batch(&sql).expect_err(&sql);
    }
    // nor one that nobody has had
    let unused = "00000000-0000-4000-8000-000000000001";
    let choose = [
        format!(
            "INSERT INTO svod_record (kind, id, key, state) VALUES ('recipient', NEW.id, '{unused}', 'own')"
        ),
        format!("UPDATE svod_record SET key = '{unused}' WHERE id = NEW.id"),
        format!("INSERT INTO svod_replaced (kind, id, key) VALUES ('recipient', NEW.id, '{unused}')"),
        format!("UPDATE svod_replaced SET key = '{unused}'"),
    ];
    centre.sql("DROP TRIGGER a; DROP TRIGGER b");
    let insert = "INSERT INTO recipient (id, surname) VALUES ('r7', 'Своя')";
    let replace = "INSERT OR REPLACE INTO recipient (id, surname) VALUES ('r7', 'Иная')";
    for (n, choice) in choose.iter().enumerate() {
        for (when, on) in [("AFTER", "recipient"), ("BEFORE", "recipient"), ("AFTER", "svod_record")] {
            let db = centre.db();
            db.execute_batch(&format!(
                "PRAGMA recursive_triggers = ON; CREATE TRIGGER c {when} INSERT ON {on} BEGIN {choice}; END"
            ))
            .expect("made");
            let _ = db.execute_batch(insert);
            let _ = db.execute_batch(replace);
            db.execute_batch("DROP TRIGGER c").expect("dropped");
            let chosen = format!("SELECT count(*) FROM svod_record WHERE key = '{unused}' OR key = ''");
            assert_eq!(centre.value(&chosen), "0", "{n} {when} {on}");
            centre.sql("DELETE FROM recipient WHERE id = 'r7'");
        }
    }
    let db = centre.db();
    db.execute_batch(&format!("PRAGMA recursive_triggers = ON; {insert}")).expect("a row");
    let key = centre.key("recipient", "r7");
    db.execute_batch(replace).expect("replaced");
    assert_eq!(centre.key("recipient", "r7"), key, "a REPLACE keeps the key of its place");
    assert_eq!(centre.value("SELECT count(*) FROM svod_replaced"), "0");
}

#[test]
fn what_is_changed_past_the_triggers_reaches_the_hub_and_what_is_gone_comes_back() {
    let mut centre = locked();
    centre.sql(
        "INSERT INTO recipient (id, surname) VALUES ('r5', 'Своя'); \
         INSERT INTO contact (id, recipient_id, type, value) VALUES ('c1', 'r5', 'phone', '+7900'), \
         ('c2', 'r5', 'phone', '+7901')",
    );
    centre.settle();
    let gone = centre.key("contact", "c2");
    harm(
        &centre,
        "UPDATE contact SET recipient_id = 'r1' WHERE id = 'c1'; DELETE FROM contact WHERE id = 'c2'; \
         DELETE FROM svod_record WHERE kind = 'contact' AND id = 'c2'",
        true,
    );
    assert_eq!(tampering::faults(&centre), ["not-captured"]);
    centre.sync();
    let records: Vec<Record> = centre.hub.take_data().into_iter().flat_map(|packet| packet.records).collect();
    assert_eq!(records.len(), 1, "{records:?}");
    // nobody knows its id any more
    let back = format!("SELECT value FROM contact WHERE id = '{gone}'");
    assert_eq!(centre.value(&back), "+7901");
    assert_eq!(centre.key("contact", &gone.to_string()), gone);
    assert!(records.iter().any(|record| record.key == centre.key("contact", "c1") && record.version == 2));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_record_that_never_settles_goes_all_the_same() {
    let centre = Centre::with_recipient();
    let (db, _) = svod_spoke::database::open(&centre.path("centre.db")).expect("opens");
    own_records::settle(&db, 60).expect("set");
    centre.sql("INSERT INTO programme (id, recipient_id, number) VALUES ('p1', 'r1', '7')");
    centre.sql("UPDATE svod_change SET since = since - 500.0 / 86400");
    centre.sql("UPDATE programme SET number = '8'");
    assert!(!own_records::has_fresh_changes(&db).expect("read"));
    centre.sql("UPDATE svod_change SET since = since - 101.0 / 86400");
    centre.sql("UPDATE programme SET number = '9'");
    assert!(own_records::has_fresh_changes(&db).expect("read"));
}
