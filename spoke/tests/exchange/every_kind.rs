//! Whatever kinds the format has: rows of the centre's tables are captured and sent, publications are shown and
//! locked. Nothing here names a kind that has no rule of its own.

use std::collections::BTreeSet;

use exchange_format::record::{Body, Field, Form, Kind, Line, Type};
use fixtures::examples;
use svod_spoke::database::own_records;

use super::centre::Centre;

/// The kinds with a table whose records a centre writes.
fn written() -> Vec<Kind> {
    Kind::ALL
        .into_iter()
        .filter(|kind| kind.owner().centre_writes() && kind.schema().table.is_some())
        .collect()
}

fn table(kind: Kind) -> &'static str {
    kind.schema().table.expect("a table")
}

/// What a column says of a value: a reference names the row `e` of its table.
fn cell(field: &Field, text: &str) -> String {
    if matches!(field.ty, Type::Reference(_)) { "e".to_owned() } else { text.to_owned() }
}

/// Columns and values of the stated fields.
fn cells(line: &Line) -> Vec<(String, String)> {
    line.iter().filter_map(|(field, text)| Some((field.column(), cell(field, text?)))).collect()
}

fn insert(centre: &Centre, table: &str, cells: &[(String, String)]) {
    let list =
        |each: &dyn Fn(&(String, String)) -> String| cells.iter().map(each).collect::<Vec<_>>().join(", ");
    let names = list(&|(name, _)| format!("\"{name}\""));
    let values = list(&|(_, value)| format!("'{}'", value.replace('\'', "''")));
    centre.sql(&format!("INSERT INTO {table} ({names}) VALUES ({values})"));
}

/// Writes the example of `kind` into its table, as a program of the centre would.
fn write(centre: &Centre, kind: Kind) {
    let body = examples::body(kind);
    let id = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    insert(centre, table(kind), &[vec![id("id", "e")], cells(body.head())].concat());
    for (n, line) in body.lines().iter().enumerate() {
        let name = kind.schema().lines.and_then(|lines| lines.table).expect("a table of lines");
        let parent = id(&format!("{}_id", table(kind)), "e");
        insert(centre, name, &[vec![id("id", &format!("e{n}")), parent], cells(line)].concat());
    }
}

/// The example of `kind` as the centre's own: references name the records of its rows.
fn expected(centre: &Centre, kind: Kind) -> Body {
    let mut body = examples::body(kind);
    for field in kind.schema().fields {
        if let (Type::Reference(kinds), Some(_)) = (field.ty, body.text(field.name)) {
            let key = centre.key(table(kinds[0]), "e").to_string();
            body.set(field.name, &key).expect("a key");
        }
    }
    body
}

#[test]
fn rows_of_every_kind_that_a_centre_writes_are_captured_and_sent() {
    let mut centre = Centre::new();
    for kind in written() {
        write(&centre, kind);
    }
    centre.settle();
    let status = centre.ok(&["status"]);
    assert_eq!(status["records"].as_array().map(Vec::len), Some(0), "{status}");
    // a change of a line is a change of its record
    centre.sql("UPDATE plan_report_line SET reason = 'болезнь' WHERE no = '1'");
    centre.sync();
    let changed = centre.hub.take_data();
    let kinds: Vec<Kind> = changed.iter().flat_map(|one| &one.records).map(|record| record.kind).collect();
    assert_eq!(kinds, [Kind::PlanReport]);
    for kind in written() {
        let key = centre.key(table(kind), "e");
        let sent = own_records::sent(&centre.db(), kind, key);
        let sent = sent.expect("kept as it was sent").expect("sent").record;
        if kind != Kind::PlanReport {
            assert!(sent.read_body().expect("canonical") == expected(&centre, kind), "{kind}");
        }
    }
}

#[test]
fn publications_of_every_kind_are_shown_and_locked() {
    let mut centre = Centre::new();
    centre.settle();
    let published: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| kind.owner().hub_publishes() && kind.schema().table.is_some())
        .collect();
    let records: Vec<_> = published
        .iter()
        .map(|kind| {
            let mut body = examples::body(*kind);
            for field in kind.schema().fields {
                // the hub refers to what it publishes
                if let (Type::Reference(kinds), Some(_)) = (field.ty, body.text(field.name)) {
                    match kinds.iter().find(|kind| kind.owner().hub_publishes()) {
                        Some(kind) => {
                            body.set(field.name, &examples::key(*kind).to_string()).expect("a key");
                        }
                        None => body.head_mut().clear(field.name),
                    }
                }
            }
            centre.hub.record(examples::key(*kind), Form::Live, &body)
        })
        .collect();
    centre.hub.publish(&records);
    centre.sync();
    let mut tables = BTreeSet::new();
    for kind in published {
        let (table, key) = (table(kind), examples::key(kind).to_string());
        tables.insert(table);
        let state =
            centre.value(&format!("SELECT state FROM svod_record WHERE kind = '{table}' AND id = '{key}'"));
        assert_eq!(state, "locked", "{kind}");
        for sql in [
            format!("UPDATE {table} SET id = 'x' WHERE id = '{key}'"),
            format!("DELETE FROM {table} WHERE id = '{key}'"),
        ] {
            assert!(centre.db().execute(&sql, []).is_err(), "{sql}");
        }
    }
    assert!(tables.is_superset(&BTreeSet::from(["service", "provider", "assessment", "attachment"])));
    assert_eq!(centre.ok(&["verify"])["whole"], true);
}

#[test]
fn check_tells_every_fault_of_the_centres_own_rows_and_no_value() {
    let centre = Centre::new();
    for kind in written() {
        write(&centre, kind);
    }
    assert_eq!(centre.ok(&["check"])["faults"].as_array().map(Vec::len), Some(0));
    centre.sql(
        "UPDATE recipient SET snils = '112-233-445 96', sex = 'М'; UPDATE service_act SET total = '1', date = 'вчера'; \
         UPDATE contract SET end_date = '2026-01-01'",
    );
    let (told, _) = centre.ends(&["check", "--format", "json"], 1);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let faults: BTreeSet<(&str, &str, bool)> = told["faults"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|fault| {
            let text = |name: &str| fault[name].as_str().expect("text");
            (text("table"), text("rule"), fault["refused"].as_bool().expect("a flag"))
        })
        .collect();
    let expected = BTreeSet::from([
        ("contract", "K01", true),
        ("contract", "K05", false),
        ("plan_report", "T05", false),
        ("recipient", "A04", false),
        ("recipient", "A06", false),
        ("service_act", "N01", true),
        ("service_act", "date", true),
    ]);
    assert_eq!(faults, expected);
    let (one, _) = centre.ends(&["check", "--table", "recipient", "--lang", "ru"], 1);
    assert!(one.contains("A04") && !one.contains("service_act") && !one.contains("112-233"), "{one}");
    // what is refused is not sent, and status names the rule's sentence
    centre.sync();
    let sent: BTreeSet<Kind> =
        centre.hub.take_data().iter().flat_map(|one| &one.records).map(|record| record.kind).collect();
    assert!(!sent.contains(&Kind::Contract) && !sent.contains(&Kind::ServiceAct), "{sent:?}");
    assert!(sent.contains(&Kind::RecipientClaim));
}

#[test]
fn check_judges_a_row_beside_those_that_it_names_and_those_that_may_be_the_same() {
    let centre = Centre::new();
    for kind in written() {
        write(&centre, kind);
    }
    centre.sql(
        "UPDATE supplement SET valid_until = '2035-01-01'; UPDATE contract SET end_date = '2035-01-01'; \
         INSERT INTO programme (id, recipient_id, number, date) VALUES ('e2', 'e', '9', '01.06.2026'); \
         INSERT INTO recipient (id, surname, snils) SELECT 'e2', 'Чужая', snils FROM recipient; \
         INSERT INTO programme (id, recipient_id, number, date) VALUES ('w', 'e2', '9', '01.06.2020'); \
         INSERT INTO supplement (id, recipient_id, programme_id, number, date) VALUES ('w', 'e', 'w', '9', '01.06.2026'); \
         INSERT INTO contract (id, recipient_id, programme_id, number) VALUES ('w', 'e', 'w', '9'), ('w2', 'e2', 'w', '9')",
    );
    let (told, _) = centre.ends(&["check", "--format", "json"], 1);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let faults = told["faults"].as_array().expect("a list");
    for (table, rule, ids) in [
        ("supplement", "S07", vec!["e"]),
        ("contract", "K05", vec!["e"]),
        ("programme", "P05", vec!["e", "e2"]),
        ("recipient", "A05a", vec!["e", "e2"]),
        ("supplement", "W01", vec!["w"]),
        ("contract", "W01", vec!["w"]),
        ("service_act", "W01", vec![]),
    ] {
        let of = faults.iter().filter(|one| one["table"] == table && one["rule"] == rule);
        assert_eq!(of.filter_map(|one| one["id"].as_str()).collect::<Vec<_>>(), ids, "{rule}: {told}");
    }
}
