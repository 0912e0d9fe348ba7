//! Malformed records in a sound packet: each is refused alone, with its rule, and the others are applied.

use serde_json::Value;

use super::stage::{Player, count, drop_into, folder, line, places_of, recipient, wait_for, world};

/// Record number, body, outcome and rule that the hub must come to.
fn bad_claims() -> Vec<(u32, Vec<u8>, &'static str)> {
    let claim = |inner: &str| format!("<recipient_claim>{inner}</recipient_claim>").into_bytes();
    let latin =
        [b"<recipient_claim><surname>".as_slice(), &[0xcf, 0xf0], b"</surname></recipient_claim>"].concat();
    let deep = format!("<surname>{}x{}</surname>", "<a>".repeat(500), "</a>".repeat(500));
    let long = format!("<surname>{}</surname>", "Ы".repeat(201));
    let canonical = "recipient_claim.canonical";
    vec![
        (11, claim("<surname>Небывалова</surname><nickname>x</nickname>"), canonical),
        (12, claim("<surname>&boom;</surname>"), canonical),
        (13, b"<!DOCTYPE a [<!ENTITY b \"c\">]><recipient_claim></recipient_claim>".to_vec(), canonical),
        (14, claim(&deep), canonical),
        (15, latin, canonical),
        (16, claim("<surname>Небыва\u{1}лова</surname>"), canonical),
        (17, claim("<surname>Небывалова</surname><surname>Дважды</surname>"), canonical),
        (18, claim("<given>Небывала</given>"), "recipient_claim.surname"),
        (19, claim(&long), "recipient_claim.surname"),
        (20, b"<contact></contact>".to_vec(), canonical),
        (21, claim("<surname>Небывалова"), canonical),
    ]
}

fn raw(n: u32, body: &[u8]) -> Vec<u8> {
    let whole = line(n, "|");
    let (before, after) = whole.split_once('|').expect("the place of the body");
    [before.as_bytes(), body, after.as_bytes()].concat()
}

#[test]
fn each_is_refused_alone_and_the_rest_is_applied() {
    let (_dir, world) = world(1);
    let mut player = Player::of(&world);
    let bad = bad_claims();
    let mut claims: Vec<Vec<u8>> = bad.iter().map(|(n, body, _)| raw(*n, body)).collect();
    claims.push(recipient(1, "Настоящая").into_bytes());
    let person = line(31, "<person><surname>Небывалова</surname></person>");
    let dangling =
        "<programme_claim><recipient>00000000-0000-4000-8000-000000000099</recipient></programme_claim>";
    let no_id = "<programme_claim><recipient>1</recipient></programme_claim>";
    let no_number = "<programme_claim><recipient>00000000-0000-4000-8000-000000000001</recipient>\
                     <line><no>первая</no></line></programme_claim>";
    let packet = player.snapshot(&[
        ("person", vec![person.into_bytes()]),
        ("recipient_claim", claims),
        (
            "programme_claim",
            [(41, dangling), (42, no_id), (43, no_number)].map(|(n, b)| raw(n, b.as_bytes())).to_vec(),
        ),
    ]);
    world.start_hub().expect("started");
    drop_into(&folder(&world, "in"), packet.name().to_string(), &packet.to_bytes());
    let hub_db = world.layout.hub_db();
    wait_for(
        &world,
        &hub_db,
        &format!("SELECT name FROM packet WHERE name = '{}' AND state = 'APPLIED'", packet.name()),
    );

    let protocol = loaded(&world);
    let mut expected: Vec<(u32, &str, &str, &str)> =
        bad.iter().map(|(n, _, rule)| (*n, "refused", "INVALID", *rule)).collect();
    expected.push((31, "refused", "NOT_OWNER", "person.owner"));
    expected.push((41, "held", "DANGLING_REF", "programme_claim.recipient"));
    expected.push((42, "refused", "INVALID", "programme_claim.recipient"));
    expected.push((43, "refused", "INVALID", "programme_claim.no"));
    let lines = protocol["lines"].as_array().expect("lines");
    for (n, outcome, reason, rule) in &expected {
        let key = format!("00000000-0000-4000-8000-{n:012}");
        let told = lines.iter().find(|line| line["key"] == key.as_str());
        let told = told.unwrap_or_else(|| panic!("{n} is not in {protocol}"));
        let words = ["outcome", "reason", "rule"].map(|name| told[name].as_str().unwrap_or_default());
        assert_eq!(words, [*outcome, *reason, *rule], "record {n}");
        assert!(!told["sentence"].as_str().unwrap_or_default().is_empty() && told["next"].is_string());
    }
    assert_eq!(lines.len(), expected.len());
    assert!(!protocol.to_string().contains("Небыва"), "a protocol repeats no value");

    world.hub(&["merge"]).expect("merged");
    assert_eq!(count(&hub_db, "SELECT count(*) FROM person"), 1, "the sound one");
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received WHERE outcome = 'new'"), 1);
    for found in places_of(&hub_db, "Небыва") {
        assert_eq!(
            found, "received.body",
            "what was refused is kept as received, for the sum, and nowhere used"
        );
    }
    let used = "SELECT count(*) FROM received WHERE state NOT IN ('refused', 'held') AND outcome <> 'new'";
    assert_eq!(count(&hub_db, used), 0);
    assert_eq!(
        count(&hub_db, "SELECT count(*) FROM incident"),
        0,
        "the state digest covers refused ones too"
    );
}

/// The newest protocol of a load.
fn loaded(world: &svod_tests::world::World) -> Value {
    let list = world.hub(&["protocol", "list"]).expect("listed");
    let newest = list["protocols"].as_array().and_then(|all| all.iter().find(|one| one["kind"] == "load"));
    let number = newest.expect("a load")["number"].to_string();
    world.hub(&["protocol", "show", &number]).expect("shown")
}
