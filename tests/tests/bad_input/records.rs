//! Malformed records in a sound packet: each is refused alone, with its rule, and the others are applied; both
//! ends keep the same sum over all of them.

use std::collections::BTreeMap;

use exchange_endpoint::keys::OwnKeys;
use exchange_format::{
    answer::{PacketOutcome, PacketReason, RecordLine},
    packet::{
        Purpose,
        manifest::{SnapshotBasis, SnapshotPart},
    },
    position::Digest,
    record::{Body, Form, Kind, Record},
    signature::{RecordText, sign_record},
    stream::{Control, Part},
};
use fixtures::{
    packets,
    places::{centre_code, hub_code},
};
use serde_json::Value;
use svod_tests::world::{Programs, World, programs::Who};

use super::stage::{
    DEMO, Player, answered, count, done, drop_into, folder, line, mark, places_of, recipient, run, sum_of,
    wait_for, world,
};

type Members<'a> = Vec<(&'a str, Vec<Vec<u8>>)>;

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
    tagged(n, "version=\"1\" form=\"live\"", body)
}

fn tagged(n: u32, attributes: &str, body: &[u8]) -> Vec<u8> {
    let tag = format!("<record key=\"00000000-0000-4000-8000-{n:012}\" {attributes}>");
    [tag.as_bytes(), body, b"</record>"].concat()
}

/// Lines that say key, version and form, and are flawed elsewhere.
fn flawed() -> [(u32, Vec<u8>, &'static str); 4] {
    let body = "<recipient_claim><surname>Небывалова</surname></recipient_claim>".as_bytes();
    let live = "version=\"1\" form=\"live\"";
    [
        (22, tagged(22, &format!("{live} sig=\"AAAA\""), body), "recipient_claim.sig"),
        (23, tagged(23, &format!("{live} note=\"x\""), body), "recipient_claim.sig"),
        (24, tagged(24, live, b""), "recipient_claim.body"),
        (25, tagged(25, "version=\"1\" form=\"tombstone\"", body), "recipient_claim.body"),
    ]
}

/// What a PR or a protocol must list: outcome, reason and rule by record number.
type Expected = BTreeMap<u32, [String; 3]>;

fn expect(all: &mut Expected, n: u32, words: [&str; 3]) {
    all.insert(n, words.map(str::to_owned));
}

/// What the PR in `folder` says of the packet whole, and what it lists.
fn listed(
    world: &World,
    folder: &std::path::Path,
    packet: &packets::Forgery,
    to_hub: bool,
) -> (PacketOutcome, Expected) {
    let hub = OwnKeys::load(&world.layout.hub().join("keys"), hub_code()).expect("keys");
    let centre = OwnKeys::load(&world.layout.centre(1).join("keys"), centre_code(1)).expect("keys");
    let (reader, sender) = if to_hub { (&centre, &hub) } else { (&hub, &centre) };
    let number = |key: &str| key.rsplit('-').next().and_then(|n| n.parse().ok()).expect("a number");
    let (head, lines) = answered(folder, &mark(packet), reader, sender);
    let words = |line: &RecordLine| {
        [line.outcome.word().to_owned(), line.reason.code().to_owned(), line.rule.to_string()]
    };
    (head.outcome, lines.iter().map(|line| (number(&line.key.to_string()), words(line))).collect())
}

const PARTIAL: PacketOutcome = PacketOutcome::AppliedPartial;

fn applied_at_hub(world: &World, packet: &packets::Forgery) {
    drop_into(&folder(world, "in"), packet.name().to_string(), &packet.to_bytes());
    let sql = format!("SELECT name FROM packet WHERE name = '{}' AND state = 'APPLIED'", packet.name());
    wait_for(world, &world.layout.hub_db(), &sql);
}

#[test]
fn each_is_refused_alone_and_the_rest_is_applied() {
    let (_dir, world) = world(1);
    let mut player = Player::of(&world);
    let bad = bad_claims();
    let mut claims: Vec<Vec<u8>> = bad.iter().map(|(n, body, _)| raw(*n, body)).collect();
    claims.extend(flawed().into_iter().map(|(_, line, _)| line));
    claims.push(recipient(1, "Настоящая").into_bytes());
    let person = line(31, "<person><surname>Небывалова</surname></person>").into_bytes();
    let dangling =
        "<programme_claim><recipient>00000000-0000-4000-8000-000000000099</recipient></programme_claim>";
    let no_id = "<programme_claim><recipient>1</recipient></programme_claim>";
    let no_number = "<programme_claim><recipient>00000000-0000-4000-8000-000000000001</recipient>\
                     <line><no>первая</no></line></programme_claim>";
    let programmes = [(41, dangling), (42, no_id), (43, no_number)].map(|(n, b)| raw(n, b.as_bytes()));
    let members: Members<'_> =
        vec![("person", vec![person]), ("recipient_claim", claims), ("programme_claim", programmes.to_vec())];
    let mut header = player.snapshot(&members).header;
    header.state_digest = Some(sum_of(&members));
    let packet = player.forge(header, &members);
    world.start_hub().expect("started");
    applied_at_hub(&world, &packet);

    let mut expected = Expected::new();
    for (n, rule) in bad.iter().map(|(n, _, rule)| (*n, *rule)).chain(flawed().map(|(n, _, rule)| (n, rule)))
    {
        expect(&mut expected, n, ["refused", "INVALID", rule]);
    }
    expect(&mut expected, 31, ["refused", "NOT_OWNER", "person.owner"]);
    expect(&mut expected, 41, ["held", "DANGLING_REF", "programme_claim.recipient"]);
    expect(&mut expected, 42, ["refused", "INVALID", "programme_claim.recipient"]);
    expect(&mut expected, 43, ["refused", "INVALID", "programme_claim.no"]);
    assert_eq!(listed(&world, &folder(&world, "out"), &packet, true), (PARTIAL, expected.clone()), "the PR");
    told_to_staff(&world, &expected);
    let hub_db = world.layout.hub_db();
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received WHERE outcome = 'new'"), 1, "the sound one");
    later_ones(&world, &mut player, &packet, members);
}

/// A packet between snapshots: what was good before a refused version stays in force.
fn later_ones(world: &World, player: &mut Player, snapshot: &packets::Forgery, mut all: Members<'_>) {
    let hub_db = world.layout.hub_db();
    let second = tagged(1, "version=\"2\" form=\"live\"", b"<recipient_claim><a/></recipient_claim>");
    let good = recipient(2, "Вторая").into_bytes();
    let members: Members<'_> = vec![("recipient_claim", vec![second.clone(), good.clone()])];
    all[1].1.retain(|line| !line.starts_with(b"<record key=\"00000000-0000-4000-8000-000000000001\""));
    all.push(("recipient_claim", vec![second, good]));
    let mut header = player.header(Purpose::Data, 2, Some(mark(snapshot).digest));
    header.state_digest = Some(sum_of(&all));
    let packet = player.forge(header, &members);
    applied_at_hub(world, &packet);
    let mut expected = Expected::new();
    expect(&mut expected, 1, ["refused", "INVALID", "recipient_claim.canonical"]);
    assert_eq!(listed(world, &folder(world, "out"), &packet, true), (PARTIAL, expected.clone()), "the PR");

    world.hub(&["merge"]).expect("merged");
    assert_eq!(count(&hub_db, "SELECT count(*) FROM person"), 2, "both sound ones");
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received WHERE outcome = 'new'"), 1);
    for found in places_of(&hub_db, "Небыва") {
        assert_eq!(
            found, "received.body",
            "what was refused is kept as received, for the sum, and nowhere used"
        );
    }
    let used = "SELECT count(*) FROM received WHERE state NOT IN ('refused', 'held')";
    assert_eq!(count(&hub_db, used), 2);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM incident WHERE code = 'NOT_OWNER'"), 1);
    assert_eq!(
        count(&hub_db, "SELECT count(*) FROM incident WHERE code = 'DIVERGED'"),
        0,
        "the state digest covers refused ones too"
    );
}

/// The protocol of the load says the same as the PR, in words, and repeats no value.
fn told_to_staff(world: &World, expected: &Expected) {
    let protocol = loaded(world);
    let lines = protocol["lines"].as_array().expect("lines");
    assert_eq!(lines.len(), expected.len());
    for (n, words) in expected {
        let key = format!("00000000-0000-4000-8000-{n:012}");
        let told = lines.iter().find(|line| line["key"] == key.as_str());
        let told = told.unwrap_or_else(|| panic!("{n} is not in {protocol}"));
        assert_eq!(["outcome", "reason", "rule"].map(|name| told[name].as_str().unwrap_or_default()), *words);
        assert!(!told["sentence"].as_str().unwrap_or_default().is_empty() && told["next"].is_string());
    }
    assert!(!protocol.to_string().contains("Небыва"), "a protocol repeats no value");
}

/// A record as the hub signs it for the centre.
fn signed(hub: &OwnKeys, kind: Kind, n: u32, version: u32, form: Form, body: &[u8]) -> Record {
    let key = format!("00000000-0000-4000-8000-{n:012}").parse().expect("an id");
    let mut record = Record { kind, key, version, form, body: body.to_vec(), signature: None };
    let hash = record.hash();
    record.signature = Some(sign_record(&hub.signing, &RecordText::of(centre_code(1), &record, &hash)));
    record
}

/// The body of a person that nothing is wrong with.
fn person(surname: &str) -> Vec<u8> {
    let mut body = Body::new(Kind::Person);
    body.set("surname", surname).expect("a field");
    let fits = (0..10).any(|digit| {
        body.set("case_number", &format!("42-32701000-000001-{digit}")).expect("a field");
        body.findings().is_empty()
    });
    assert!(fits, "a check digit");
    body.to_xml()
}

fn written(record: &Record) -> Vec<u8> {
    let mut line = Vec::new();
    record.write_line(&mut line);
    line
}

/// Publications with what is wrong with them, and the rule by which the centre refuses each.
fn bad_publications(hub: &OwnKeys) -> Vec<(u32, Kind, Vec<u8>, &'static str)> {
    let sound = person("Небывалова");
    let live = |n, body: &[u8]| signed(hub, Kind::Person, n, 1, Form::Live, body);
    let mut other = live(52, &sound);
    other.signature = live(51, &sound).signature;
    let unsigned = Record { signature: None, ..live(53, &sound) };
    let attributes = "version=\"1\" form=\"live\" sig=\"AAAA\"";
    let latin = [b"<person><surname>".as_slice(), &[0xcf, 0xf0], b"</surname></person>"].concat();
    let dtd = b"<!DOCTYPE a [<!ENTITY b \"c\">]><person></person>";
    let kind = Kind::Person;
    vec![
        (52, kind, written(&other), "person.signature"),
        (53, kind, written(&unsigned), "person.signature"),
        (54, kind, tagged(54, attributes, &sound), "person.signature"),
        (55, kind, written(&signed(hub, kind, 55, 1, Form::Tombstone, &sound)), "person.body"),
        (56, kind, written(&live(56, b"")), "person.body"),
        (57, kind, written(&live(57, &latin)), "person.canonical"),
        (58, kind, written(&live(58, dtd)), "person.canonical"),
        (59, kind, written(&live(59, b"<person><surname>x</surname></person>")), "person.case_number"),
        (60, Kind::Contact, raw(60, b"<contact></contact>"), "contact.owner"),
    ]
}

/// A packet of the hub, played.
fn published(
    hub: &OwnKeys,
    seq: u64,
    previous: Option<Digest>,
    members: &Members<'_>,
    sum: &Members<'_>,
) -> packets::Forgery {
    let part = Part::new(1, 1).expect("one part");
    let part = SnapshotPart { basis: SnapshotBasis::Initial, unconfirmed: false, part };
    let purpose = if seq == 1 { Purpose::Snapshot(part) } else { Purpose::Data };
    let mut header = packets::header(purpose, 1, seq);
    (header.to, header.from, header.previous) = (centre_code(1), hub_code(), previous);
    (header.control, header.state_digest) = (Control::default(), Some(sum_of(sum)));
    let named = members.iter().map(|(kind, lines)| {
        (exchange_format::packet::MemberName::records(kind).expect("a kind"), lines.clone())
    });
    packets::Forgery::of(header, &named.collect::<Vec<_>>(), hub.signing.clone())
}

#[test]
fn a_centre_refuses_each_alone_too_and_its_rows_stay() {
    let (_dir, world) = world(1);
    let hub = OwnKeys::load(&world.layout.hub().join("keys"), hub_code()).expect("keys");
    let (config, db) = (world.layout.centre_config(1), world.layout.centre_db(1));
    let sync = || done(&run(&Programs::find(DEMO), Who::Spoke, &config, &["sync"]));
    let whole = || done(&run(&Programs::find(DEMO), Who::Spoke, &config, &["verify"]));
    let send = |packet: &packets::Forgery| {
        drop_into(&folder(&world, "out"), packet.name().to_string(), &packet.to_bytes());
        sync();
        let sql = format!("SELECT state FROM svod_packet WHERE name = '{}'", packet.name());
        assert_eq!(wait_for(&world, &db, &sql), "APPLIED");
    };
    let bad = bad_publications(&hub);
    let of =
        |kind: Kind| bad.iter().filter(move |(_, one, ..)| *one == kind).map(|(_, _, line, _)| line.clone());
    let first = written(&signed(&hub, Kind::Person, 51, 1, Form::Live, &person("Настоящая")));
    let mut persons: Vec<Vec<u8>> = of(Kind::Person).collect();
    let sound = persons.len();
    persons.push(first);
    let members: Members<'_> = vec![("person", persons), ("contact", of(Kind::Contact).collect())];
    let snapshot = published(&hub, 1, None, &members, &members);
    send(&snapshot);
    let mut expected = Expected::new();
    for (n, kind, _, rule) in &bad {
        let reason = if *kind == Kind::Contact { "NOT_OWNER" } else { "INVALID" };
        expect(&mut expected, *n, ["refused", reason, rule]);
    }
    assert_eq!(listed(&world, &folder(&world, "in"), &snapshot, false), (PARTIAL, expected), "the PR");
    let row = "SELECT group_concat(surname) FROM recipient";
    assert_eq!(wait_for(&world, &db, row), "Настоящая");
    assert_eq!(whole()["whole"], true);

    // a later version that is refused leaves the row as it was; the next one that is sound is shown
    let mut all = members.clone();
    let mut previous = mark(&snapshot).digest;
    for (seq, body, shown) in
        [(2_u32, b"<person><a/></person>".to_vec(), "Настоящая"), (3, person("Новая"), "Новая")]
    {
        let next = written(&signed(&hub, Kind::Person, 51, seq, Form::Live, &body));
        all[0].1[sound] = next.clone();
        let packet = published(&hub, seq.into(), Some(previous), &vec![("person", vec![next])], &all);
        previous = mark(&packet).digest;
        send(&packet);
        let (_, told) = listed(&world, &folder(&world, "in"), &packet, false);
        assert_eq!(told.len(), usize::from(seq == 2), "{told:?}");
        assert_eq!(wait_for(&world, &db, row), shown);
        assert_eq!(whole()["whole"], true);
    }
    assert_eq!(count(&db, "SELECT count(*) FROM svod_journal WHERE event LIKE 'incident%'"), 0);
    assert_eq!(
        places_of(&db, "Небывалова"),
        vec!["svod_publication.bytes"; 4],
        "kept for the sum, nowhere shown"
    );
}

/// A line without a readable key: nobody could answer for that record alone.
#[test]
fn a_packet_that_cannot_be_read_is_refused_whole_and_the_next_is_applied() {
    let (_dir, world) = world(1);
    let hub = OwnKeys::load(&world.layout.hub().join("keys"), hub_code()).expect("keys");
    let (config, db) = (world.layout.centre_config(1), world.layout.centre_db(1));
    let send = |packet: &packets::Forgery, state: &str| {
        drop_into(&folder(&world, "out"), packet.name().to_string(), &packet.to_bytes());
        done(&run(&Programs::find(DEMO), Who::Spoke, &config, &["sync"]));
        let sql = format!("SELECT state FROM svod_packet WHERE name = '{}'", packet.name());
        assert_eq!(wait_for(&world, &db, &sql), state);
        let archived = world.layout.centre(1).join("archive/in").join(packet.name().to_string());
        assert_eq!(std::fs::read(archived).expect("kept"), packet.to_bytes());
    };
    let live = |n, surname| written(&signed(&hub, Kind::Person, n, 1, Form::Live, &person(surname)));
    let mut all: Members<'_> = vec![("person", vec![live(51, "Первая")])];
    let snapshot = published(&hub, 1, None, &all, &all);
    send(&snapshot, "APPLIED");
    let broken = [&live(52, "Небывалова")[..], b"<record key=\"1\"></record>"].map(<[u8]>::to_vec).to_vec();
    let broken = published(&hub, 2, Some(mark(&snapshot).digest), &vec![("person", broken)], &all);
    send(&broken, "REFUSED");
    let refused = PacketOutcome::Refused(PacketReason::Schema);
    let told = listed(&world, &folder(&world, "in"), &broken, false);
    assert_eq!(told, (refused, Expected::new()), "the PR");
    let other = packets::RawMember::deflated("records/person.xml", b"<html>504</html>\n");
    let other = published(&hub, 3, Some(mark(&broken).digest), &all, &all).with_member(0, other);
    send(&other, "REFUSED");
    let (outcome, _) = listed(&world, &folder(&world, "in"), &other, false);
    assert!(matches!(outcome, PacketOutcome::Refused(_)), "{outcome:?}");
    let next = live(53, "Вторая");
    all[0].1.push(next.clone());
    let next = published(&hub, 4, Some(mark(&other).digest), &vec![("person", vec![next])], &all);
    send(&next, "APPLIED");
    let rows = "SELECT group_concat(surname) FROM (SELECT surname FROM recipient ORDER BY surname)";
    assert_eq!(wait_for(&world, &db, rows), "Вторая,Первая");
    assert_eq!(places_of(&db, "Небывалова"), [""; 0], "nothing is half applied");
    assert_eq!(done(&run(&Programs::find(DEMO), Who::Spoke, &config, &["verify"]))["whole"], true);
}

/// The newest protocol of a load.
fn loaded(world: &svod_tests::world::World) -> Value {
    let list = world.hub(&["protocol", "list"]).expect("listed");
    let newest = list["protocols"].as_array().and_then(|all| all.iter().find(|one| one["kind"] == "load"));
    let number = newest.expect("a load")["number"].to_string();
    world.hub(&["protocol", "show", &number]).expect("shown")
}
