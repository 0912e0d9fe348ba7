//! What no program can read as text, and yet stands in the centre's rows: told by its place, and in nobody's way.

use super::{
    centre::Centre,
    tampering::{faults, harm, locked, snapshot},
};

/// Ids and outcomes of what `status` lists.
fn listed(centre: &Centre) -> Vec<(String, String)> {
    let status = centre.ok(&["status"]);
    let text = |one: &serde_json::Value, name: &str| one[name].as_str().expect("text").to_owned();
    let records = status["records"].as_array().expect("a list");
    let mut all: Vec<_> = records.iter().map(|one| (text(one, "id"), text(one, "rule"))).collect();
    all.sort();
    all
}

#[test]
fn rows_that_cannot_be_read_are_listed_and_stop_nothing() {
    let mut centre = Centre::new();
    // as a script in another encoding writes them, and one past the condition on ids
    let unreadable = "INSERT INTO recipient (id, surname) VALUES (CAST(x'C8E22D31' AS TEXT), 'Проба'); \
         INSERT INTO recipient (id, surname) VALUES ('r3', CAST(x'C8E22D31' AS TEXT)); \
         PRAGMA ignore_check_constraints = ON; \
         INSERT INTO contact (id, recipient_id, type, value) VALUES (x'00FF', 'r1', 'phone', '+7900')";
    centre.sql("INSERT INTO recipient (id, surname) VALUES ('r1', 'Иванова')");
    centre.sql(unreadable);
    let problem = |field: &str| format!("field {field}: cannot be read: it is no text in UTF-8");
    let wrong = [("r3", problem("surname")), ("x'00FF'", problem("id")), ("x'C8E22D31'", problem("id"))];
    let wrong = wrong.map(|(id, problem)| (id.to_owned(), problem));
    for round in ["first", "next"] {
        centre.sync();
        let packets = centre.hub.take_data();
        let sent: Vec<_> = packets.iter().flat_map(|packet| &packet.records).collect();
        assert_eq!(sent.len(), 1, "{round}: {sent:?}");
        assert_eq!(listed(&centre), wrong, "{round}");
        assert_eq!(centre.ok(&["verify"])["whole"], true, "{round}");
        for packet in &packets {
            centre.hub.answer(packet, &[]);
        }
        centre.sql("UPDATE recipient SET surname = 'Петрова' WHERE id = 'r1'");
    }
    let (text, _) = centre.ends(&["status"], 0);
    assert!(
        text.contains(
            "строка x'C8E22D31', поле «Номер в учёте»: не читается: это не текст в кодировке UTF-8."
        ),
        "{text}"
    );
    let (text, _) = centre.ends(&["why", "recipient", "x'C8E22D31'"], 0);
    assert!(text.contains("поле «Номер в учёте»: не читается"), "{text}");
    assert_eq!(centre.ok(&["why", "contact", "x'00FF'"])["problem"], problem("id").as_str());
    let (out, _) = centre.ends(&["check", "--format", "json"], 1);
    let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let found = told["faults"].as_array().expect("a list");
    let places: Vec<_> = found.iter().map(|one| (one["id"].as_str(), one["field"].as_str())).collect();
    for place in [("r3", "surname"), ("x'C8E22D31'", "id"), ("x'00FF'", "id")] {
        assert!(places.contains(&(Some(place.0), Some(place.1))), "{place:?}: {out}");
    }
    centre.sync();
    centre.hub.take();
    centre.sql(
        "UPDATE recipient SET id = 'r2' WHERE id = CAST(x'C8E22D31' AS TEXT); \
         UPDATE recipient SET surname = 'Третья' WHERE id = 'r3'; UPDATE contact SET id = 'c1' WHERE id = x'00FF'",
    );
    centre.sync();
    let sent: usize = centre.hub.take_data().iter().map(|packet| packet.records.len()).sum();
    assert_eq!((sent, listed(&centre).len()), (3, 0), "what was put right is sent");
}

#[test]
fn what_cannot_be_read_is_captured_later_and_is_no_lock() {
    let centre = locked();
    let honest = snapshot(&centre);
    harm(&centre, "UPDATE svod_record SET id = CAST(x'C8' AS TEXT) WHERE id = 'r1'", true);
    assert!(faults(&centre).contains(&"record-forged".to_owned()));
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    assert_eq!(snapshot(&centre), honest);
    harm(&centre, "INSERT INTO recipient (id, surname) VALUES (CAST(x'C8E2' AS TEXT), 'Проба')", true);
    assert!(faults(&centre).contains(&"not-captured".to_owned()));
    assert_eq!(centre.ok(&["verify", "--restore"])["left"].as_array().map(Vec::len), Some(0));
    centre.sync();
    assert_eq!(listed(&centre).len(), 1);
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}
