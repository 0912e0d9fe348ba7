//! Malformed files in the `out` of a centre: kept whole in its quarantine, nothing applied, no answer, and what
//! the hub sends is applied as ever.

use std::fs;

use exchange_format::{
    packet::{
        Purpose,
        manifest::{SnapshotBasis, SnapshotPart},
    },
    position::Digest,
    seal::{self, Identity},
    stream::{Control, Part},
};
use fixtures::{
    packets::{self, Forgery, RawMember},
    places::{centre_code, hub_code},
};
use svod_tests::world::{Programs, World, programs::Who};

use super::stage::{
    DEMO, count, done, drop_into, folder, line, names, never_told, places_of, run, wait_for, world_of,
};

const MARKER: &str = "Небывалова";

/// A hub that nobody knows, with as many different packets as wanted.
fn forged(n: u8) -> Forgery {
    let part = SnapshotPart {
        basis: SnapshotBasis::Initial,
        unconfirmed: false,
        part: Part::new(1, 1).expect("one part"),
    };
    let mut header = packets::header(Purpose::Snapshot(part), 1, 1);
    (header.to, header.from, header.previous) = (centre_code(1), hub_code(), None);
    header.control = Control::default();
    header.nonce = exchange_format::packet::Nonce([n; 16]);
    let name = exchange_format::packet::MemberName::records("person").expect("a kind");
    let person = line(1, &format!("<person><surname>{MARKER}</surname></person>"));
    Forgery::of(header, &[(name, vec![person])], packets::signing_key(hub_code()))
}

/// The same, signed by the hub.
fn by_hub(world: &World, n: u8) -> Forgery {
    let keys = exchange_endpoint::keys::OwnKeys::load(&world.layout.hub().join("keys"), hub_code());
    Forgery { key: keys.expect("the hub's keys").signing, ..forged(n) }
}

fn damaged(forgery: &Forgery, damage: impl FnOnce(&mut Vec<RawMember>)) -> Vec<u8> {
    let mut members = forgery.all_members();
    damage(&mut members);
    packets::zip(&members)
}

/// Name, bytes and reason.
fn all(world: &World) -> Vec<(String, Vec<u8>, &'static str)> {
    let named = |forgery: &Forgery, reason| (forgery.name().to_string(), forgery.to_bytes(), reason);
    let other = {
        let mut forgery = by_hub(world, 3);
        let (own, another) = (centre_code(1).to_string(), centre_code(2).to_string());
        forgery.header.to = centre_code(2);
        forgery.edit_manifest(&own, &another)
    };
    let with = |n: u8, damage: fn(&mut Vec<RawMember>)| {
        let forgery = by_hub(world, n);
        (forgery.name().to_string(), damaged(&forgery, damage), "CANNOT_OPEN")
    };
    let cut = by_hub(world, 7);
    let stranger = [Identity::generate().recipient()];
    let mut sealed = by_hub(world, 8).name();
    sealed.sealed = true;
    let envelope = seal::seal_all(&stranger, &mut &by_hub(world, 8).to_bytes()[..], Vec::new());
    let mut signature = by_hub(world, 9).all_members();
    let note = by_hub(world, 10).all_members().pop().expect("a signature");
    *signature.last_mut().expect("a signature") = note;
    vec![
        (format!("{MARKER} справка.pdf"), b"x".to_vec(), "BAD_NAME"),
        named(&forged(1), "UNKNOWN_KEY"),
        named(&other, "FOREIGN"),
        with(4, |members| members[0].name = b"../centre.db".to_vec()),
        with(5, |members| members.insert(1, members[0].clone())),
        with(6, |members| members[0].attributes = 0o120_777 << 16),
        (cut.name().to_string(), cut.to_bytes()[..200].to_vec(), "CANNOT_OPEN"),
        (sealed.to_string(), envelope.expect("sealed"), "CANNOT_OPEN"),
        (by_hub(world, 9).name().to_string(), packets::zip(&signature), "BAD_SIGNATURE"),
        named(&by_hub(world, 11).edit_manifest("fixtures 1", "&a;"), "SCHEMA"),
        named(
            &by_hub(world, 12).edit_manifest("?>\n<manifest", "?>\n<!DOCTYPE manifest><manifest"),
            "SCHEMA",
        ),
    ]
}

#[test]
fn nothing_of_them_is_applied_and_the_hubs_own_is() {
    let (_dir, world) = world_of(1, 40, &Programs::find(DEMO));
    let (config, db) = (world.layout.centre_config(1), world.layout.centre_db(1));
    let bad = all(&world);
    let outbox = folder(&world, "out");
    for (name, bytes, _) in &bad {
        drop_into(&outbox, name, bytes);
    }
    done(&run(&Programs::find(DEMO), Who::Spoke, &config, &["sync"]));
    let quarantine = world.layout.centre(1).join("quarantine");
    for (name, bytes, reason) in &bad {
        let kept = match *reason {
            "BAD_NAME" => format!("STRAY_{}.pdf", Digest::of(bytes).prefix()),
            _ => name.clone(),
        };
        let sql = format!("SELECT reason FROM svod_packet WHERE name = '{kept}' AND state = 'QUARANTINED'");
        assert_eq!(wait_for(&world, &db, &sql), *reason, "{name}");
        assert_eq!(&fs::read(quarantine.join(kept)).expect("kept"), bytes, "whole");
        assert!(outbox.join(name).exists(), "a reader never deletes");
    }
    assert_eq!(places_of(&db, MARKER), [""; 0]);
    assert_eq!(count(&db, "SELECT count(*) FROM svod_packet WHERE kind IN ('KV', 'PR')"), 0, "no answer");
    assert_eq!(names(&quarantine).len(), bad.len());
    never_told(&world.layout.centre(1), MARKER);

    world.start().expect("started");
    wait_for(
        &world,
        &world.layout.hub_db(),
        "SELECT max('all') FROM received WHERE kind = 'recipient_claim' HAVING count(*) = 40",
    );
    world.hub(&["merge"]).expect("merged");
    wait_for(
        &world,
        &db,
        "SELECT max('locked') FROM svod_record WHERE kind = 'recipient' AND state = 'locked' HAVING count(*) > 20",
    );
    assert_eq!(places_of(&db, MARKER), [""; 0]);
    assert_eq!(names(&quarantine).len(), bad.len(), "looked at again, kept once");
}
