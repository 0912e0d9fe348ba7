//! Every way in which `manifest.xml` can be malformed, signed as it stands by the right key.

use exchange_format::packet::{Limits, Manifest, Purpose};
use fixtures::packets::{self, Forgery};

use crate::refuse;

#[track_caller]
fn told(forgery: &Forgery, words: &str) {
    let (reason, text) = refuse(&forgery.name(), &forgery.to_bytes());
    assert_eq!(reason, "SCHEMA", "{text}");
    assert!(text.contains(words), "{text:?} should speak of {words:?}");
}

fn edited(from: &str, to: &str) -> Forgery {
    Forgery::sound().edit_manifest(from, to)
}

#[test]
fn xml_that_the_format_does_not_have() {
    let dtd = "?>\n<!DOCTYPE manifest [<!ENTITY a \"aaaaaaaaaa\">]><manifest";
    told(&edited("?>\n<manifest", dtd), "a DTD");
    told(&edited("?>\n<manifest", "?>\n<!DOCTYPE manifest SYSTEM \"file:///etc/passwd\"><manifest"), "a DTD");
    told(&edited("fixtures 1", "&a;"), "entity");
    told(&edited("fixtures 1", "&#0;"), "entity");
    told(&edited("fixtures 1", "&#xD800;"), "entity");
    told(&edited("count=\"3\"", "count=\"&a;\""), "entity");
    told(&edited("fixtures 1", "fixtures <!-- x -->1"), "a comment");
    told(&edited("fixtures 1", "<![CDATA[fixtures]]>"), "CDATA");
    told(&edited("fixtures 1", "<?php ?>"), "processing instruction");
    told(&edited("?>\n<manifest", "?>\n<?xml-stylesheet href=\"x\"?><manifest"), "processing instruction");
}

#[test]
fn not_well_formed() {
    for (from, to) in [
        ("</manifest>\n", ""),
        ("</manifest>\n", "</manifest>\n<manifest/>"),
        ("</manifest>\n", "</manifest>\nx"),
        ("</manifest>\n", "</manifest></manifest>\n"),
        ("</producer>", "</consumer>"),
        ("<producer>", "<producer"),
        ("fixtures 1", "a & b"),
    ] {
        told(&edited(from, to), "byte");
    }
    told(&edited("<member name", "<member count=\"3\" name"), "given twice");
    told(&edited("count=\"3\"", "count=3"), "attribute");
}

#[test]
fn members_in_another_order() {
    let [first, second] = ["records/recipient_claim.xml", "records/contact.xml"];
    let swapped = edited(first, "@").edit_manifest(second, first).edit_manifest("@", second);
    told(&swapped, "order of the members");
}

#[test]
fn other_encodings() {
    let mut forgery = Forgery::sound();
    let text = String::from_utf8(forgery.manifest.clone()).unwrap();
    for manifest in [
        text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
        [&b"\xff\xfe"[..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat(),
    ] {
        forgery.manifest = manifest;
        let (reason, _) = refuse(&forgery.name(), &forgery.to_bytes());
        assert_eq!(reason, "SCHEMA");
    }
    forgery.manifest = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    told(&forgery, "first line");
    forgery.manifest = text.replace("fixtures 1", "\u{0}").into_bytes();
    told(&forgery, "producer");
    forgery.manifest = text.into_bytes();
    let at = forgery.manifest.windows(8).position(|bytes| bytes == b"fixtures").unwrap();
    forgery.manifest[at] = 0xcf; // Windows-1251
    told(&forgery, &format!("not UTF-8 at byte {at}"));
    told(&edited("UTF-8", "UTF-16"), "first line");
    told(&edited("1.0", "1.1"), "first line");
}

#[test]
fn too_deep_too_long_too_many() {
    told(&edited("fixtures 1", &format!("{}{}", "<a>".repeat(30), "</a>".repeat(30))), "levels");
    told(&edited("fixtures 1", &"a".repeat(70_000)), "limit");
    told(&edited("fixtures 1", &"a".repeat(101)), "producer");
    let attributes = (0..30).fold(String::new(), |text, n| text + &format!(" a{n}=\"\""));
    told(&edited("<members>", &format!("<members{attributes}>")), "limit");
    told(&edited("<members>", &format!("<members>{}", "<member/>".repeat(3))), "name is missing");
}

#[test]
fn each_field_missing_unknown_or_wrong() {
    let sound = String::from_utf8(Forgery::sound().manifest).unwrap();
    for field in ["kind", "to", "from", "epoch", "seq", "date", "created_at", "producer", "nonce", "members"]
    {
        let begin = sound.find(&format!("<{field}>")).unwrap();
        let end = sound.find(&format!("</{field}>")).unwrap() + field.len() + 3;
        told(&edited(&sound[begin..end], ""), field);
        if field != "members" {
            told(&edited(&sound[begin..end], &format!("<{field}>?\n</{field}>")), field);
        }
    }
    for (from, to, words) in [
        (" format=\"1\"", "", "format is missing"),
        (" reads=\"1\"", "", "reads is missing"),
        ("reads=\"1\"", "reads=\"0\"", "reads"),
        ("format=\"1\"", "format=\"0\"", "format"),
        ("<members>", "<novelty/><members>", "novelty"),
        ("<members>", "<members novelty=\"1\">", "novelty"),
        ("<epoch>1", "<epoch a=\"1\">1", "\"a\""),
        ("<epoch>1", "<epoch>0", "epoch"),
        ("<epoch>1", "<epoch>10000", "epoch"),
        ("<seq>2", "<seq>02", "canonical"),
        ("<seq>2", "<seq>-2", "seq"),
        ("count=\"3\"", "count=\"99999999999999999999\"", "count"),
        ("count=\"3\"", "count=\"+3\"", "canonical"),
        ("records/contact.xml", "records/../contact.xml", "member name"),
        ("records/contact.xml", "records/recipient_claim.xml", "member name"),
        ("records/contact.xml", "answer.xml", "does not go with"),
        ("<kind>DT", "<kind>XX", "kind"),
        ("<kind>DT", "<kind>SN", "snapshot does not go with"),
        ("<kind>DT", "<kind>PR", "answered does not go with"),
        ("<kind>DT", "<kind>RQ", "previous does not go with"),
        ("created_at>2026", "created_at>2O26", "created_at"),
        ("<ack ", "<ack extra=\"\" ", "extra"),
    ] {
        told(&edited(from, to), words);
    }
}

#[test]
fn the_same_in_other_bytes() {
    for (from, to) in [
        ("<members>", "<members >"),
        ("<members>", "\n<members>"),
        ("fixtures", "&#102;ixtures"),
        ("<members>", "<members><!--"),
        ("/></members>", "></member></members>"),
        ("\"1\"", "'1'"),
        ("<date>2026-11-21", "<date>20261121"),
        ("</manifest>\n", "</manifest>"),
    ] {
        let forgery = edited(from, to);
        assert_eq!(refuse(&forgery.name(), &forgery.to_bytes()).0, "SCHEMA", "{from:?} → {to:?}");
    }
}

#[test]
fn an_answer_says_what_it_answers() {
    let header = packets::header(
        Purpose::Protocol { answered: exchange_format::position::Digest::of(b"x"), revision: 1 },
        1,
        1,
    );
    let members = vec![(exchange_format::packet::MemberName::Answer, vec!["a line"])];
    let forgery = Forgery::of(header, &members, packets::signing_key(packets::centre(1)));
    let text = String::from_utf8(forgery.manifest).unwrap();
    assert!(Manifest::from_bytes(text.as_bytes(), &Limits::default()).is_ok());
    for (from, to) in [
        (" revision=\"1\"", ""),
        (" revision=\"1\"", " revision=\"0\""),
        ("digest=\"", "digest=\"0"),
        ("answered", "anwsered"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        assert!(Manifest::from_bytes(changed.as_bytes(), &Limits::default()).is_err(), "{from} → {to}");
    }
}
