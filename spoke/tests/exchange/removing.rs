//! Most of a table gone at once: nothing of it is sent until the rows are back or a person confirms it.

use exchange_format::record::{Form, Record};

use super::{
    centre::Centre,
    tampering::{harm, python},
};

/// A centre with 12 recipients of its own, each with a contact and a programme with one line, all sent.
fn centre() -> Centre {
    let mut centre = Centre::new();
    let rows = |sql: &str| (10..22).map(|n| sql.replace("{n}", &n.to_string())).collect::<String>();
    centre.sql(&format!(
        "BEGIN; {} {} {} {} COMMIT;",
        rows("INSERT INTO recipient (id, surname, given) VALUES ('r{n}', 'Своя {n}', 'Вера');"),
        rows(
            "INSERT INTO contact (id, recipient_id, type, value) VALUES ('c{n}', 'r{n}', 'phone', '+79{n}');"
        ),
        rows("INSERT INTO programme (id, recipient_id, number) VALUES ('p{n}', 'r{n}', '{n}');"),
        rows(
            "INSERT INTO programme_line (id, programme_id, no, name) VALUES ('l{n}', 'p{n}', '1', 'Уборка');"
        ),
    ));
    centre.settle();
    centre
}

fn sent(centre: &mut Centre) -> Vec<Record> {
    centre.sync();
    let packets = centre.hub.take_data();
    for packet in &packets {
        centre.hub.answer(packet, &[]);
    }
    centre.sync();
    packets.into_iter().flat_map(|packet| packet.records).collect()
}

fn open(centre: &Centre) -> String {
    centre.value(
        "SELECT coalesce(group_concat(subject), '') FROM (SELECT subject FROM svod_incident WHERE code = 'MANY_GONE' \
         AND closed_at IS NULL ORDER BY subject)",
    )
}

/// The keys of all records, by row.
fn keys(centre: &Centre) -> String {
    centre.value("SELECT group_concat(kind || id || key) FROM (SELECT * FROM svod_record ORDER BY kind, id)")
}

const LEFT: &str = "SELECT count(*) FROM svod_change WHERE kind = 'contact'";

#[test]
fn tables_dropped_made_anew_and_loaded_again_end_nothing() {
    let mut centre = centre();
    let before = keys(&centre);
    let tables = ["recipient", "contact", "programme_line"];
    let made = |table: &str| centre.value(&format!("SELECT sql FROM sqlite_master WHERE name = '{table}'"));
    let made = tables.map(made);
    for (table, made) in tables.iter().zip(&made) {
        centre.sql(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
        centre.sql(&format!("DROP TABLE {table}; {made}"));
    }
    assert!(sent(&mut centre).is_empty(), "nothing is sent of it");
    assert_eq!(open(&centre), "contact,programme,recipient");
    assert!(centre.run(&["status"]).stdout.windows(9).any(|window| window == b"MANY_GONE"));
    assert_eq!(centre.ok(&["verify"])["whole"], true, "what waits is known");
    assert_eq!(centre.ok(&["status"])["records"].as_array().map(Vec::len), Some(0));
    // The reload comes in a later transaction, with one change.
    centre.sql("UPDATE kept_recipient SET given = 'Надежда' WHERE id = 'r10'");
    for table in tables {
        centre.sql(&format!("INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"));
    }
    let records = sent(&mut centre);
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!((records[0].key, records[0].version), (centre.key("recipient", "r10"), 2));
    assert_eq!((keys(&centre), open(&centre)), (before, String::new()));
    assert_eq!(centre.value(LEFT), "0");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_table_emptied_and_filled_again_by_statements_keeps_its_records() {
    let mut centre = centre();
    let before = keys(&centre);
    let again = |table: &str| {
        format!(
            "CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}; DELETE FROM {table}; \
             INSERT INTO {table} SELECT * FROM kept_{table};"
        )
    };
    // in one transaction
    centre.sql(&format!("BEGIN; {} {} COMMIT", again("contact"), again("recipient")));
    assert_ne!(keys(&centre), before, "the triggers gave new ones");
    assert!(sent(&mut centre).is_empty());
    assert_eq!((keys(&centre), open(&centre)), (before.clone(), String::new()));
    // in two, with a round between
    centre.sql("CREATE TABLE kept AS SELECT * FROM contact; DELETE FROM contact");
    assert!(sent(&mut centre).is_empty());
    assert_eq!(open(&centre), "contact");
    centre.sql("INSERT INTO contact SELECT * FROM kept");
    assert!(sent(&mut centre).is_empty());
    assert_eq!((keys(&centre), open(&centre)), (before, String::new()));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn a_person_says_whether_they_were_deleted_or_lost() {
    let mut centre = centre();
    for table in ["contact", "recipient"] {
        // a few of many are what somebody meant
        centre.sql(&format!("DELETE FROM {table} WHERE id LIKE '%21'"));
    }
    assert_eq!(sent(&mut centre).iter().filter(|record| record.form == Form::Tombstone).count(), 2);
    let held = |args: &[&str]| {
        let (out, _) = centre.ends(&[&["gone"], args, &["--format", "json"]].concat(), 1);
        serde_json::from_str::<serde_json::Value>(&out).expect("JSON")["held"].as_u64()
    };
    centre.sql("DELETE FROM contact");
    harm(&centre, "DELETE FROM recipient", true);
    centre.sync();
    assert!(centre.hub.take_data().is_empty());
    assert_eq!((held(&["contact"]), held(&["recipient"])), (Some(11), Some(11)));
    let (out, _) = centre.ends(&["gone", "contact"], 1);
    assert!(out.contains("--confirm") && out.contains("11"), "{out}");
    for table in ["contact", "recipient"] {
        assert_eq!(centre.ok(&["gone", table, "--restore"])["done"], 11);
    }
    assert_eq!(open(&centre), "");
    assert!(sent(&mut centre).is_empty(), "they say what was sent");
    assert_eq!(centre.value("SELECT surname FROM recipient WHERE id = 'r10'"), "Своя 10");
    assert_eq!(centre.value("SELECT recipient_id FROM contact WHERE value = '+7910'"), "r10");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    centre.sql("DELETE FROM contact");
    centre.sync();
    assert_eq!(centre.ok(&["gone", "contact", "--confirm"])["done"], 11);
    let records = sent(&mut centre);
    assert_eq!(records.iter().filter(|record| record.form == Form::Tombstone).count(), 11);
    assert_eq!((open(&centre), centre.value(LEFT)), (String::new(), "0".into()));
    assert_eq!(centre.ok(&["gone", "contact"])["held"], 0);
}

#[test]
fn rows_deleted_one_after_the_other_are_many_too() {
    let mut centre = centre();
    let mut ended = 0;
    for round in 0..4 {
        for n in 0..3 {
            centre.sql(&format!("DELETE FROM contact WHERE id = 'c{}'", 10 + round * 3 + n));
        }
        ended += sent(&mut centre).len();
    }
    assert_eq!(ended, 9, "the tenth is most of the table");
    assert_eq!(open(&centre), "contact");
    let guarded = centre.db().execute("UPDATE svod_change SET confirmed = 1, problem = NULL", []);
    guarded.expect_err("no program but ours says so");
}

#[test]
fn lines_gone_from_most_rows_are_held() {
    let mut centre = centre();
    centre.sql("CREATE TABLE kept AS SELECT * FROM programme_line");
    python(&centre, "DELETE FROM programme_line");
    assert!(sent(&mut centre).is_empty());
    assert_eq!(open(&centre), "programme");
    centre.sql("INSERT INTO programme_line SELECT * FROM kept WHERE id <> 'l10'");
    let records = sent(&mut centre);
    assert_eq!(records.len(), 1, "one has lost its line, which may be meant");
    assert_eq!((records[0].key, open(&centre)), (centre.key("programme", "p10"), String::new()));
    centre.sql("DELETE FROM programme_line");
    centre.sync();
    assert_eq!(centre.ok(&["gone", "programme", "--restore"])["done"], 11);
    assert_eq!(centre.value("SELECT count(*) FROM programme_line WHERE name = 'Уборка'"), "11");
    assert!(sent(&mut centre).is_empty());
}

#[test]
fn rows_that_went_past_the_triggers_come_back_or_wait_for_a_word() {
    let mut centre = centre();
    let before = keys(&centre);
    harm(&centre, "DELETE FROM contact WHERE id IN ('c10', 'c11')", true);
    assert!(sent(&mut centre).is_empty(), "nobody has said that they end");
    assert_eq!(keys(&centre), before);
    assert_eq!(centre.value("SELECT recipient_id || value FROM contact WHERE id = 'c11'"), "r11+7911");
    let told = "SELECT group_concat(subject || closed_how, ' ') FROM (SELECT * FROM svod_incident WHERE code = 'TAMPERED' \
                ORDER BY subject)";
    assert_eq!(centre.value(told), "contact c10restored contact c11restored");
    // it names a row that ends meanwhile, and not past the triggers
    harm(&centre, "DELETE FROM contact WHERE id = 'c12'", true);
    centre.sql(
        "BEGIN; DELETE FROM programme_line WHERE id = 'l12'; DELETE FROM programme WHERE id = 'p12'; \
         DELETE FROM recipient WHERE id = 'r12'; COMMIT",
    );
    let ended = |records: Vec<Record>| -> Vec<String> {
        assert!(records.iter().all(|record| record.form == Form::Tombstone), "{records:?}");
        records.into_iter().map(|record| record.kind.name().to_owned()).collect()
    };
    assert_eq!(ended(sent(&mut centre)), ["recipient_claim", "programme_claim"]);
    assert_eq!(open(&centre), "contact");
    let tampered = "SELECT count(*) FROM svod_incident WHERE code = 'TAMPERED' AND closed_at IS NULL";
    assert_eq!(centre.value(tampered), "1", "it was not put right");
    let (out, _) = centre.ends(&["gone", "contact"], 1);
    assert!(out.contains("--confirm"), "{out}");
    assert_eq!(centre.ok(&["gone", "contact", "--confirm"])["done"], 1);
    assert_eq!(centre.value(tampered), "0", "with the word, not with the next look");
    assert_eq!(ended(sent(&mut centre)), ["contact"]);
    assert_eq!((open(&centre), centre.value(LEFT)), (String::new(), "0".into()));
    assert_eq!(centre.value(tampered), "0");
    assert_eq!(centre.ok(&["verify"])["whole"], true);
    // most of a table
    harm(&centre, "DELETE FROM contact", true);
    assert!(sent(&mut centre).is_empty() && open(&centre) == "contact");
    assert_ne!(centre.value(tampered), "0");
    assert_eq!(centre.ok(&["gone", "contact", "--restore"])["held"], 0);
    assert_eq!((centre.value(tampered), open(&centre)), ("0".into(), String::new()));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}
