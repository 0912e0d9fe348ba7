//! Malformed packets at the hub: put into quarantine whole, with their reason, and nothing of them anywhere else.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt as _};

use exchange_format::{
    file_name::FileName,
    packet::Purpose,
    position::Digest,
    seal::{self, Identity},
};
use fixtures::{
    packets::{self, Forgery, RawMember},
    places::{centre_code, hub_code},
};
use svod_tests::world::{World, toml_edit::set_key};

use super::stage::{
    Player, count, drop_into, folder, mark, names, never_told, places_of, recipient, wait_for, world,
};

/// In every malformed packet there is a person of this name, who must come up nowhere.
const MARKER: &str = "Небывалова";

/// A file as it is dropped, and why it is not taken.
struct Bad {
    case: &'static str,
    name: OsString,
    bytes: Vec<u8>,
    reason: &'static str,
}

fn bad(case: &'static str, name: impl Into<OsString>, bytes: Vec<u8>, reason: &'static str) -> Bad {
    Bad { case, name: name.into(), bytes, reason }
}

impl Bad {
    /// The name it is kept by: its own if that is a packet's, else one that tells nothing of it.
    fn kept(&self) -> String {
        let name = self.name.to_string_lossy().into_owned();
        if name.parse::<FileName>().is_ok() {
            return name;
        }
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let ending =
            if ["pdf", "txt", "zip"].contains(&ending) { format!(".{ending}") } else { String::new() };
        format!("STRAY_{}{ending}", Digest::of(&self.bytes).prefix())
    }
}

/// One more packet, sound until somebody spoils it.
fn sound(player: &mut Player) -> Forgery {
    player.snapshot(&[("recipient_claim", vec![recipient(1, MARKER)])])
}

fn named(case: &'static str, forgery: &Forgery, reason: &'static str) -> Bad {
    bad(case, forgery.name().to_string(), forgery.to_bytes(), reason)
}

/// Spoils the list of all members before the ZIP is made.
fn zipped(
    case: &'static str,
    player: &mut Player,
    reason: &'static str,
    damage: impl FnOnce(&mut Vec<RawMember>),
) -> Bad {
    let forgery = sound(player);
    let mut members = forgery.all_members();
    damage(&mut members);
    bad(case, forgery.name().to_string(), packets::zip(&members), reason)
}

fn bad_names(player: &mut Player) -> Vec<Bad> {
    let forgery = sound(player);
    let (name, bytes) = (forgery.name().to_string(), forgery.to_bytes());
    let (own, other) = (centre_code(1).to_string(), centre_code(2).to_string());
    let changed = |from: &str, to: &str| name.replacen(from, to, 1);
    let latin = OsString::from_vec(b"SVOD1_\xcf\xf0.zip".to_vec());
    let cases = [
        ("a stray file", OsString::from("notes.txt"), "BAD_NAME"),
        ("a person's name", OsString::from(format!("{MARKER} справка.pdf")), "BAD_NAME"),
        ("lower case", changed("SVOD1_SN", "svod1_SN").into(), "BAD_NAME"),
        ("a wrong check digit", changed(&own, "4200012").into(), "BAD_NAME"),
        ("a line break", changed("SVOD1", "SVOD1\n").into(), "BAD_NAME"),
        ("very long", "ж".repeat(120).into(), "BAD_NAME"),
        ("not text", latin, "BAD_NAME"),
        ("another number than inside", changed("_00000001_", "_00000002_").into(), "BAD_NAME"),
        ("another date than inside", changed("_20261121_", "_20261120_").into(), "BAD_NAME"),
        ("another centre's", changed(&own, &other).into(), "FOREIGN"),
        ("for another hub", changed(hub_code().as_str(), &other).into(), "FOREIGN"),
        (
            "another digest",
            {
                let digits = &name[name.len() - 20..name.len() - 4];
                changed(digits, "0123456789ABCDEF").into()
            },
            "BAD_DIGEST",
        ),
    ];
    // what has no packet's name is told apart by its bytes
    let bytes_of = |case: &str, name: &OsString| {
        let is_packets = name.to_str().is_some_and(|name| name.parse::<FileName>().is_ok());
        if is_packets { bytes.clone() } else { [&bytes[..], case.as_bytes()].concat() }
    };
    cases.map(|(case, name, reason)| bad(case, name.clone(), bytes_of(case, &name), reason)).into()
}

fn bad_zips(player: &mut Player) -> Vec<Bad> {
    let zip = "CANNOT_OPEN";
    let mut all = vec![
        zipped("a name that leads out", player, zip, |m| m[0].name = b"../../hub.db".to_vec()),
        zipped("an absolute name", player, zip, |m| m[0].name = b"/etc/passwd".to_vec()),
        zipped("a member twice", player, zip, |m| m.insert(1, m[0].clone())),
        zipped("an encrypted member", player, zip, |m| m[0].flags = 1),
        zipped("a symbolic link", player, zip, |m| m[0].attributes = 0o120_777 << 16),
        zipped("a member more", player, "SCHEMA", |m| m.insert(1, RawMember::deflated("run.exe", b"MZ"))),
        zipped("a member not deflated", player, zip, |m| m.insert(1, RawMember::stored("run.exe", b"MZ"))),
        zipped("a flipped bit", player, "BAD_DIGEST", |m| m[0].data[9] ^= 1),
        zipped("no signature", player, "SCHEMA", |m| drop(m.pop())),
    ];
    let forgery = sound(player);
    let bytes = forgery.to_bytes();
    all.push(bad("cut short", forgery.name().to_string(), bytes[..bytes.len() / 2].to_vec(), zip));
    all.push(bad("empty", sound(player).name().to_string(), Vec::new(), zip));
    all.push(bad("not a ZIP", sound(player).name().to_string(), b"<html>504</html>".to_vec(), zip));
    all
}

fn bad_manifests(player: &mut Player) -> Vec<Bad> {
    let dtd = "?>\n<!DOCTYPE manifest [<!ENTITY a \"aaaaaaaaaa\">]><manifest";
    let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
    let mut all: Vec<Bad> = [
        ("a DTD", "?>\n<manifest", dtd),
        ("an entity", "fixtures 1", "&a;"),
        ("too deep", "fixtures 1", &deep),
        ("another encoding told", "UTF-8", "UTF-16"),
        ("an unknown field", "<members>", "<novelty/><members>"),
        ("a field missing", "<producer>fixtures 1</producer>", ""),
        ("a number out of range", "<epoch>1", "<epoch>0"),
    ]
    .into_iter()
    .map(|(case, from, to)| named(case, &sound(player).edit_manifest(from, to), "SCHEMA"))
    .collect();
    let mut latin = sound(player);
    let at = latin.manifest.windows(8).position(|bytes| bytes == b"fixtures").expect("the producer");
    latin.manifest[at] = 0xcf;
    all.push(named("not UTF-8", &latin, "SCHEMA"));
    all
}

fn bad_signatures(world: &World, player: &mut Player) -> Vec<Bad> {
    let mut other_key = sound(player);
    other_key.key = packets::signing_key(centre_code(1));
    let mut other_centre = sound(player);
    let keys = world.layout.centre(2).join("keys");
    other_centre.key = exchange_endpoint::keys::OwnKeys::load(&keys, centre_code(2)).expect("keys").signing;
    let spoil = |m: &mut Vec<RawMember>| {
        let note = m.pop().expect("the signature");
        let at = note.data.len() - 10;
        let mut bytes = note.data;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        m.push(RawMember::stored("manifest.sig", &bytes));
    };
    let mut all = vec![
        named("a key that nobody knows", &other_key, "UNKNOWN_KEY"),
        named("another centre's key", &other_centre, "UNKNOWN_KEY"),
        zipped("a changed signature", player, "BAD_SIGNATURE", spoil),
    ];
    let (signed, wanted) = (sound(player), sound(player));
    let note = signed.all_members().pop().expect("the signature");
    let mut members = wanted.all_members();
    *members.last_mut().expect("the signature") = note;
    all.push(bad("another packet's", wanted.name().to_string(), packets::zip(&members), "BAD_SIGNATURE"));
    all
}

fn bad_envelopes(player: &mut Player) -> Vec<Bad> {
    let stranger = [Identity::generate().recipient()];
    let mut one = |case, bytes: &dyn Fn(&[u8]) -> Vec<u8>| {
        let forgery = sound(player);
        let mut name = forgery.name();
        name.sealed = true;
        bad(case, name.to_string(), bytes(&forgery.to_bytes()), "CANNOT_OPEN")
    };
    let seal = |zip: &[u8]| seal::seal_all(&stranger, &mut &zip[..], Vec::new()).expect("sealed");
    vec![
        one("sealed to somebody else", &seal),
        one("no envelope", &<[u8]>::to_vec),
        one("an envelope cut short", &|zip| seal(zip)[..100].to_vec()),
    ]
}

/// Authentic, and yet not to be read: they get an answer.
fn bad_members(player: &mut Player) -> Vec<Bad> {
    let claims = "recipient_claim";
    let replaced = |player: &mut Player, bytes: &[u8], member: RawMember| {
        let forgery = sound(player);
        let old = packets::member_bytes(
            &exchange_format::packet::MemberName::records(claims).expect("a kind"),
            &[recipient(1, MARKER)],
        );
        forgery
            .with_member(0, member)
            .edit_manifest(&Digest::of(&old).to_string(), &Digest::of(bytes).to_string())
            .edit_manifest(&format!("size=\"{}\"", old.len()), &format!("size=\"{}\"", bytes.len()))
    };
    let name = "records/recipient_claim.xml";
    let bomb = format!("{}\n", recipient(1, &MARKER.repeat(1_000_000)));
    let html = format!("<html>{MARKER}</html>\n");
    let claimed = packets::member_bytes(
        &exchange_format::packet::MemberName::records("contact").expect("a kind"),
        &[recipient(1, MARKER)],
    );
    let not_ours = recipient(1, MARKER).replace("key=", "id=");
    let dossier = player.snapshot(&[("dossier", vec![recipient(1, MARKER)])]);
    vec![
        named(
            "a bomb",
            &replaced(player, bomb.as_bytes(), RawMember::bomb(name, bomb.as_bytes())),
            "OVERSIZE",
        ),
        named(
            "not XML",
            &replaced(player, html.as_bytes(), RawMember::deflated(name, html.as_bytes())),
            "SCHEMA",
        ),
        named("another kind", &replaced(player, &claimed, RawMember::deflated(name, &claimed)), "SCHEMA"),
        named("no record", &player.snapshot(&[(claims, vec![not_ours])]), "SCHEMA"),
        named("a kind that is none", &dossier, "SCHEMA"),
    ]
}

/// Drops all and looks at what became of each.
fn drop_and_check(world: &World, all: &[Bad]) {
    let (inbox, hub_db) = (folder(world, "in"), world.layout.hub_db());
    let quarantine = world.layout.hub().join("quarantine").join(centre_code(1).as_str());
    for one in all {
        drop_into(&inbox, &one.name, &one.bytes);
        let (name, kept) = (one.name.to_string_lossy(), one.kept());
        let sql = format!(
            "SELECT coalesce(reason, '') FROM packet WHERE direction = 'in' AND state = 'QUARANTINED' \
             AND (name = '{kept}' OR name LIKE '%/{kept}')"
        );
        assert_eq!(wait_for(world, &hub_db, &sql), one.reason, "{}", one.case);
        // moved after its row is written
        wait_gone(world, &inbox.join(&*name));
        assert_eq!(fs::read(quarantine.join(&kept)).expect(one.case), one.bytes, "{}: whole", one.case);
    }
    assert_eq!(names(&inbox), [""; 0], "nothing is left lying");
    assert_eq!(places_of(&hub_db, MARKER), [""; 0], "and nothing is in any table");
    never_told(&world.layout.hub(), MARKER);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received"), 0);
}

fn wait_gone(world: &World, path: &std::path::Path) {
    use svod_tests::world::{
        WorldError,
        wait::{Look, until},
    };
    until("a file to be moved", super::stage::PATIENCE, || -> Result<Look<()>, WorldError> {
        world.daemons.check()?;
        Ok(if path.exists() { Look::NotYet("there".to_owned()) } else { Look::Reached(()) })
    })
    .expect("moved");
}

#[test]
fn what_cannot_be_authenticated_gets_no_answer_and_what_follows_is_applied() {
    let (_dir, world) = world(2);
    let mut player = Player::of(&world);
    world.start_hub().expect("started");
    let mut all = bad_names(&mut player);
    all.extend(bad_zips(&mut player));
    all.extend(bad_manifests(&mut player));
    all.extend(bad_signatures(&world, &mut player));
    all.extend(bad_envelopes(&mut player));
    drop_and_check(&world, &all);
    let outbox = folder(&world, "out");
    assert!(!names(&outbox).iter().any(|name| name.contains("_KV_") || name.contains("_PR_")), "no answer");
    let status = world.hub(&["status"]).expect("told");
    assert_eq!(status["centres"][0]["quarantined"], all.len() as u64);
    assert_eq!(status["incidents"].as_array().map(Vec::len), Some(all.len()), "each is told to staff");

    let members = bad_members(&mut player);
    drop_and_check(&world, &members);
    // a bomb is seen in the ZIP's own figures, before any signature is read
    for one in members.iter().filter(|one| one.reason != "OVERSIZE") {
        let digest = one.name.to_string_lossy()[48..64].to_owned();
        let sql = format!(
            "SELECT a.name FROM packet a JOIN packet p ON a.answered = p.digest \
             WHERE a.kind = 'PR' AND upper(substr(p.digest, 1, 16)) = '{digest}'"
        );
        let answer = wait_for(&world, &world.layout.hub_db(), &sql);
        assert!(answer.contains("_PR_"), "{} is authentic and is answered", one.case);
    }
    good_ones_follow(&world, &mut player);
}

/// A snapshot and a packet, written by a centre whose clock is decades off in either direction: dates are
/// advisory. Between them an authentic packet that is refused whole; its number is consumed.
fn good_ones_follow(world: &World, player: &mut Player) {
    let (inbox, hub_db) = (folder(world, "in"), world.layout.hub_db());
    let mut first = player.snapshot(&[("recipient_claim", vec![recipient(7, "Первая")])]).header;
    first.created_at = "1998-01-01T00:00:00Z".parse().expect("a time");
    first.date = "1998-01-01".parse().expect("a date");
    let first = player.forge(first, &[("recipient_claim", vec![recipient(7, "Первая")])]);
    drop_into(&inbox, first.name().to_string(), &first.to_bytes());
    applied(world, &first);

    let header = player.header(Purpose::Data, 2, Some(mark(&first).digest));
    let refused = player.forge(header, &[("dossier", vec![recipient(8, MARKER)])]);
    drop_into(&inbox, refused.name().to_string(), &refused.to_bytes());
    let sql = format!("SELECT reason FROM packet WHERE name = '{}' AND state = 'REFUSED'", refused.name());
    assert_eq!(wait_for(world, &hub_db, &sql), "SCHEMA");

    let mut header = player.header(Purpose::Data, 3, Some(mark(&refused).digest));
    header.created_at = "2199-12-31T23:59:59Z".parse().expect("a time");
    header.date = "2199-12-31".parse().expect("a date");
    let last = player.forge(header, &[("recipient_claim", vec![recipient(9, "Вторая")])]);
    drop_into(&inbox, last.name().to_string(), &last.to_bytes());
    applied(world, &last);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received WHERE outcome = 'new'"), 2);
    assert_eq!(places_of(&hub_db, MARKER), [""; 0]);
    let mark = mark(&last);
    let seq = format!("SELECT CAST(in_seq AS TEXT) FROM stream WHERE in_digest = '{}'", mark.digest);
    assert_eq!(wait_for(world, &hub_db, &seq), "3");
}

fn applied(world: &World, forgery: &Forgery) {
    let sql = format!("SELECT name FROM packet WHERE name = '{}' AND state = 'APPLIED'", forgery.name());
    wait_for(world, &world.layout.hub_db(), &sql);
}

#[test]
fn a_foreign_file_of_the_same_name_takes_nothing_from_the_genuine_one() {
    let (_dir, world) = world(2);
    let mut player = Player::of(&world);
    set_key(&world.layout.hub_config(), "limits", "ratio", "20").expect("set");
    world.start_hub().expect("started");
    let (hub_db, layout) = (world.layout.hub_db(), &world.layout);
    let genuine = player.snapshot(&[("recipient_claim", vec![recipient(1, "Настоящая")])]);
    let (name, bytes) = (genuine.name().to_string(), genuine.to_bytes());
    let row = format!("SELECT state || seq || digest FROM packet WHERE name = '{name}'");
    let stands = || {
        let digest = Digest::of(&genuine.manifest);
        assert_eq!(wait_for(&world, &hub_db, &row), format!("APPLIED1{digest}"));
        let archived = layout.hub().join("archive").join(centre_code(1).as_str()).join(&name);
        assert_eq!(fs::read(archived).expect("archived"), bytes);
    };
    let foreign = |folder: usize, bytes: &[u8], copy: &str, reason: &str, first: bool| {
        let code = centre_code(folder);
        drop_into(&layout.mailbox(code, "in"), &name, bytes);
        let kept = format!("quarantine/{code}/{name}{copy}");
        let named = if first { &name } else { &kept };
        let sql = format!("SELECT reason FROM packet WHERE name = '{named}' AND state = 'QUARANTINED'");
        assert_eq!(wait_for(&world, &hub_db, &sql), reason);
        wait_gone(&world, &layout.mailbox(code, "in").join(&name));
        assert_eq!(fs::read(layout.hub().join(kept)).expect("kept"), bytes);
    };
    // another centre is first with it, and comes again with other bytes; so does somebody in its own folder
    foreign(2, &bytes, "", "FOREIGN", true);
    assert_eq!(count(&hub_db, "SELECT count(*) FROM received"), 0);
    drop_into(&folder(&world, "in"), &name, &bytes);
    applied(&world, &genuine);
    stands();
    let given_up = format!("quarantine/{}/{name}", centre_code(2));
    assert_eq!(count(&hub_db, &format!("SELECT count(*) FROM packet WHERE name = '{given_up}'")), 1);
    foreign(2, b"garbage", ".2", "FOREIGN", false);
    stands();
    foreign(1, &bytes[..100], "", "CANNOT_OPEN", false);
    stands();
    let header = player.header(Purpose::Data, 2, Some(mark(&genuine).digest));
    let next = player.forge(header, &[("recipient_claim", vec![recipient(2, "Вторая")])]);
    drop_into(&folder(&world, "in"), next.name().to_string(), &next.to_bytes());
    applied(&world, &next);
    stands();
    too_large_until_the_limit_is_raised(&world, &mut player, &next);
}

/// What is larger than the hub's limits allow waits in quarantine, unanswered, until staff raise them and let it in.
fn too_large_until_the_limit_is_raised(world: &World, player: &mut Player, last: &Forgery) {
    let hub_db = world.layout.hub_db();
    let header = player.header(Purpose::Data, 3, Some(mark(last).digest));
    let mut lines = vec![recipient(3, "Третья")];
    lines.extend((10..30).map(|n| recipient(n, &"я".repeat(450_000))));
    let large = player.forge(header, &[("recipient_claim", lines)]);
    let name = large.name().to_string();
    drop_into(&folder(world, "in"), &name, &large.to_bytes());
    let sql = format!("SELECT reason FROM packet WHERE name = '{name}' AND state = 'QUARANTINED'");
    assert_eq!(wait_for(world, &hub_db, &sql), "OVERSIZE");
    let answers = format!("SELECT count(*) FROM packet WHERE answered = '{}'", mark(&large).digest);
    assert_eq!(count(&hub_db, &answers), 0);
    world.daemons.kill("hub");
    set_key(&world.layout.hub_config(), "limits", "ratio", "200").expect("set");
    world.start_hub().expect("started");
    world.hub(&["quarantine", "replay", &name]).expect("let in");
    applied(world, &large);
    let taken = "SELECT count(*) FROM received WHERE key LIKE '%-000000000003' AND outcome = 'new'";
    assert_eq!(count(&hub_db, taken), 1);
}
