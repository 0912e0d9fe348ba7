//! Versions of the format, with a made-up version 2.

use exchange_format::{
    packet::{
        Limits, Manifest,
        manifest::{ManifestError, check_readable_by},
    },
    record::{Body, Kind},
};
use fixtures::packets::{self, Forgery};

use crate::{read, refuse};

fn edited(from: &str, to: &str) -> Forgery {
    Forgery::sound().edit_manifest(from, to)
}

/// A packet of version 2, which says more than version 1 can.
fn of_version_2() -> Forgery {
    edited("format=\"1\" reads=\"1\"", "format=\"2\" reads=\"3\"")
        .edit_manifest("<members>", "<novelty a=\"1\"><b/></novelty><members c=\"\">")
}

#[test]
fn a_reader_refuses_what_is_newer_than_it_is_declared_to_read() {
    let forgery = of_version_2();
    let (reason, text) = refuse(&forgery.name(), &forgery.to_bytes());
    assert_eq!(reason, "SCHEMA");
    assert!(text.contains("version 2") && text.contains("1 is the highest"), "{text}");
    for (format, highest, readable) in
        [(1, 1, true), (1, 2, true), (2, 2, true), (2, 1, false), (9, 2, false)]
    {
        let told = check_readable_by(format, highest);
        assert_eq!(told, if readable { Ok(()) } else { Err(ManifestError::TooNew { format, highest }) });
    }
}

#[test]
fn a_reader_of_version_2_passes_over_what_it_does_not_know() {
    let (forgery, limits) = (of_version_2(), Limits { format: 2, ..Limits::default() });
    let lines = read(&forgery.name(), &forgery.to_bytes(), &limits).unwrap();
    assert_eq!(lines, packets::small_members());
    let manifest = Manifest::from_bytes(&forgery.manifest, &limits).unwrap();
    assert_eq!((manifest.header.format, manifest.header.reads), (2, 3));
    // what it lacks is not stated, and what it has is still held to its form
    assert_eq!((manifest.header.state_digest, manifest.header.control.echo), (None, None));
    for (from, to) in [("<epoch>1", "<epoch>0"), ("<to>", "<too>"), ("count=\"3\"", "count=\"x\"")] {
        let bytes = String::from_utf8(forgery.manifest.clone()).unwrap().replacen(from, to, 1);
        assert!(Manifest::from_bytes(bytes.as_bytes(), &limits).is_err(), "{to}");
    }
}

#[test]
fn version_1_stays_canonical_for_a_reader_of_version_2() {
    let limits = Limits { format: 2, ..Limits::default() };
    let sound = Forgery::sound();
    assert!(read(&sound.name(), &sound.to_bytes(), &limits).is_ok());
    for (from, to) in [("<members>", "<novelty/><members>"), ("<members>", "\n<members>")] {
        let forgery = edited(from, to);
        assert!(read(&forgery.name(), &forgery.to_bytes(), &limits).is_err(), "{to}");
    }
    for (from, to) in [("format=\"1\"", "format=\"0\""), ("reads=\"1\"", "reads=\"0\"")] {
        let forgery = edited(from, to);
        assert!(read(&forgery.name(), &forgery.to_bytes(), &limits).is_err(), "{to}");
    }
}

/// A field that its writer did not know, or did not state, is absent: nothing says that it is empty.
#[test]
fn what_a_record_does_not_say_is_not_stated() {
    let stated = Body::from_xml(Kind::Contact, b"<contact><recipient>x</recipient></contact>").unwrap();
    assert_eq!((stated.text("recipient"), stated.text("value")), (Some("x"), None));
    let mut emptied = stated.clone();
    emptied.set("value", "").unwrap();
    assert_eq!(emptied.to_xml(), stated.to_xml());
    assert!(
        Body::from_xml(Kind::Contact, b"<contact><recipient>x</recipient><value></value></contact>").is_err()
    );
}
