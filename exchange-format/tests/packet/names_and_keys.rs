//! The name, the manifest and the signature must be of one packet and one sender.

use std::io::Cursor;

use exchange_format::{
    error::PacketError,
    file_name::{FileName, PacketKind},
    packet::{Limits, UnverifiedPacket},
    position::{Digest, Epoch, Seq},
    signature,
};
use fixtures::packets::{self, Forgery};
use jiff::civil::date;

use crate::{key, refuse};

fn small() -> (FileName, Vec<u8>) {
    packets::write(packets::small_header(), &packets::small_members())
}

#[test]
fn each_field_of_the_name_against_the_manifest() {
    let (name, bytes) = small();
    let other: FileName = {
        let (other, _) = packets::write(packets::header(exchange_format::packet::Purpose::Data, 1, 3), &[]);
        other
    };
    let changes: [(&str, &str, FileName); 7] = [
        ("FOREIGN", "from", FileName { from: packets::centre(2), ..name.clone() }),
        ("FOREIGN", "to", FileName { to: packets::centre(2), ..name.clone() }),
        ("BAD_DIGEST", "digest", FileName { digest_prefix: other.digest_prefix, ..name.clone() }),
        ("BAD_NAME", "kind", FileName { kind: PacketKind::Snapshot, ..name.clone() }),
        ("BAD_NAME", "date", FileName { date: date(2026, 11, 22), ..name.clone() }),
        ("BAD_NAME", "epoch", {
            let mut name = name.clone();
            name.position.epoch = Epoch::new(2).unwrap();
            name
        }),
        ("BAD_NAME", "seq", {
            let mut name = name.clone();
            name.position.seq = Seq::new(3).unwrap();
            name
        }),
    ];
    for (expected, field, name) in changes {
        let (reason, text) = refuse(&name, &bytes);
        assert_eq!(reason, expected, "{text}");
        assert!(text.contains(&format!("the name says {field} ")), "{text}");
    }
}

#[test]
fn the_envelope_is_no_part_of_what_is_signed() {
    let (name, bytes) = small();
    let sealed = FileName { sealed: true, ..name };
    assert!(crate::read(&sealed, &bytes, &Limits::default()).is_ok());
}

#[test]
fn a_name_that_is_none() {
    let error = PacketError::from("Message_FROM_TO.xml".parse::<FileName>().unwrap_err());
    assert_eq!(error.reason().unwrap().code(), "BAD_NAME");
}

#[test]
fn keys_that_are_not_the_sender_s() {
    let (name, bytes) = small();
    let open = || UnverifiedPacket::open(Cursor::new(&bytes), &Limits::default()).unwrap();
    let reason = |error: PacketError| error.reason().unwrap().code();
    assert_eq!(reason(open().verify(&name, |_| None).unwrap_err()), "UNKNOWN_KEY");
    // The trust store must not give one participant's key for another.
    let others = open().verify(&name, |_| key(packets::centre(2))).unwrap_err();
    assert_eq!(reason(others), "UNKNOWN_KEY");
    let newer = signature::SigningKey::from_seed(packets::centre(1), &[9; 32]).verifying_key();
    assert_eq!(reason(open().verify(&name, |_| Some(newer.clone())).unwrap_err()), "UNKNOWN_KEY");
}

/// Another participant's packet under a name of its own: whoever signs, the claim `from` decides.
#[test]
fn signed_by_somebody_else() {
    let mut forgery = Forgery::sound();
    forgery.key = packets::signing_key(packets::centre(2));
    let (reason, text) = refuse(&forgery.name(), &forgery.to_bytes());
    assert_eq!(reason, "UNKNOWN_KEY", "{text}");
}

#[test]
fn signatures_of_something_else() {
    let forgery = Forgery::sound();
    let digest = Digest::of(&forgery.manifest);
    let stem = forgery.name().stem();
    let note = signature::sign_note(&forgery.key, &stem, &digest);
    let line = String::from_utf8(note.clone()).unwrap().lines().last().unwrap().to_owned();
    let notes = [
        ("another text", signature::sign_note(&forgery.key, &stem.replace("_DT_", "_SN_"), &digest)),
        ("another text", signature::sign_note(&forgery.key, &stem, &Digest::of(b"another"))),
        ("another text", forgery.key.sign_text(&format!("svod.exchange/card/v1\n{stem}\n{digest}\n"))),
        ("not a signed note", note[..note.len() - 1].to_vec()),
        ("not a signed note", note[..note.len() - 8].to_vec()),
        ("not a signed note", [&note[..], line.as_bytes(), b"\n"].concat()),
        ("not a signed note", Vec::new()),
        ("not a signed note", vec![b'\n'; 10_000]),
    ];
    for (words, note) in notes {
        let mut members = forgery.all_members();
        *members.last_mut().unwrap() = packets::RawMember::stored("manifest.sig", &note);
        let (reason, text) = refuse(&forgery.name(), &packets::zip(&members));
        assert_eq!(reason, "BAD_SIGNATURE", "{text}");
        assert!(text.contains(words), "{text} should speak of {words}");
    }
}
