//! Every way in which a ZIP can be malformed.

use std::fs;

use exchange_format::{
    error::PacketError,
    packet::{Limits, UnverifiedPacket},
    position::Digest,
};
use fixtures::packets::{self, Forgery, RawMember};

use crate::{key, read, refuse};

/// Damages the list of all members (two of records, manifest, signature) before the ZIP is made of it.
fn with(damage: impl FnOnce(&mut Vec<RawMember>)) -> (&'static str, String) {
    let forgery = Forgery::sound();
    let mut members = forgery.all_members();
    damage(&mut members);
    refuse(&forgery.name(), &packets::zip(&members))
}

#[track_caller]
fn told((reason, text): (&'static str, String), expected: &str, words: &str) {
    assert_eq!(reason, expected, "{text}");
    assert!(text.contains(words), "{text:?} should speak of {words:?}");
}

#[test]
fn what_is_not_undamaged_is_accepted() {
    let forgery = Forgery::sound();
    assert_eq!(
        read(&forgery.name(), &forgery.to_bytes(), &Limits::default()).unwrap(),
        packets::small_members()
    );
}

#[test]
fn cut_short_anywhere() {
    let forgery = Forgery::sound();
    let bytes = forgery.to_bytes();
    for end in 0..bytes.len() {
        told(refuse(&forgery.name(), &bytes[..end]), "CANNOT_OPEN", "end record");
    }
}

#[test]
fn a_piece_missing_anywhere() {
    let forgery = Forgery::sound();
    let bytes = forgery.to_bytes();
    for at in 0..bytes.len() - 1 {
        let cut = [&bytes[..at], &bytes[at + 1..]].concat();
        assert_eq!(refuse(&forgery.name(), &cut).0, "CANNOT_OPEN", "without byte {at}");
    }
}

#[test]
fn bytes_added_in_front_between_or_behind() {
    let forgery = Forgery::sound();
    let bytes = forgery.to_bytes();
    let name = forgery.name();
    told(refuse(&name, &[b"MZ", &bytes[..]].concat()), "CANNOT_OPEN", "end record");
    told(refuse(&name, &[&bytes[..], b"x"].concat()), "CANNOT_OPEN", "end record");
    told(refuse(&name, &[&bytes[..], &bytes[..]].concat()), "CANNOT_OPEN", "end record does not fit");
    told(with(|members| members[1].data.push(0)), "CANNOT_OPEN", "between the members");
}

#[test]
fn a_name_that_leads_out_of_the_packet() {
    for name in [
        "../records/contact.xml",
        "/etc/passwd",
        "records/../../x",
        "records\\contact.xml",
        "c:x",
        ".x",
        "a//b",
    ] {
        told(with(|members| members[1].name = name.into()), "CANNOT_OPEN", "name that no member");
    }
    told(
        with(|members| members[1].name = b"records/\xd1\x8f.xml".to_vec()),
        "CANNOT_OPEN",
        "name that no member",
    );
}

#[test]
fn the_same_member_twice() {
    told(with(|members| members.insert(1, members[0].clone())), "CANNOT_OPEN", "twice");
    told(with(|members| members.push(members[2].clone())), "CANNOT_OPEN", "twice");
}

#[test]
fn members_that_the_manifest_does_not_list() {
    told(with(|members| members.insert(2, RawMember::deflated("run.exe", b"MZ"))), "SCHEMA", "member 3");
    told(with(|members| members.push(RawMember::stored("run.exe", b"MZ"))), "SCHEMA", "manifest.sig");
    told(with(|members| drop(members.remove(1))), "SCHEMA", "member 2 of the ZIP is none");
    told(with(|members| members.swap(0, 1)), "SCHEMA", "member 1");
    told(with(|members| members.swap(2, 3)), "SCHEMA", "manifest.sig");
    told(with(|members| drop(members.pop())), "SCHEMA", "manifest");
    told(with(|members| members.truncate(1)), "SCHEMA", "none");
    told(with(Vec::clear), "SCHEMA", "none");
}

#[test]
fn headers_in_another_form() {
    told(with(|members| members[0].flags = 1), "CANNOT_OPEN", "encrypted");
    told(with(|members| members[0].method = 12), "CANNOT_OPEN", "method 12");
    told(with(|members| members[0].method = 93), "CANNOT_OPEN", "method 93");
    let central: [fn(&mut RawMember); 6] = [
        |member| member.flags = 8,
        |member| member.flags = 1 << 11,
        |member| member.extra = vec![1, 0, 0, 0],
        |member| member.comment = b"hello".to_vec(),
        |member| member.time = [1, 2],
        |member| member.attributes = 0o120_777 << 16,
    ];
    let (name, lines) = packets::small_members().remove(0);
    let stored = RawMember::stored(&name.to_string(), &packets::member_bytes(&name, &lines));
    told(by_sender(|member| *member = stored), "CANNOT_OPEN", "central header");
    for change in central {
        told(with(|members| change(&mut members[0])), "CANNOT_OPEN", "central header");
    }
    told(
        with(|members| members[0].local_name = Some(b"records/person.xml.....tion".to_vec())),
        "CANNOT_OPEN",
        "local header",
    );
}

/// A sender that signs whatever it packed: its own damage is found when unpacking.
fn by_sender(damage: impl FnOnce(&mut RawMember)) -> (&'static str, String) {
    let mut member = Forgery::sound().members[0].clone();
    damage(&mut member);
    let forgery = Forgery::sound().with_member(0, member);
    refuse(&forgery.name(), &forgery.to_bytes())
}

#[test]
fn what_the_headers_promise_is_not_what_is_there() {
    told(with(|members| members[0].crc ^= 1), "CANNOT_OPEN", "checksum");
    told(with(|members| members[0].size += 1), "CANNOT_OPEN", "another size");
    told(with(|members| members[0].size -= 1), "CANNOT_OPEN", "another size");
    told(with(|members| members[2].crc ^= 1), "CANNOT_OPEN", "checksum of manifest.xml");
    told(by_sender(|member| member.data[0] = 0x07), "CANNOT_OPEN", "cannot be unpacked");
    let shorten = |member: &mut RawMember| {
        member.data.truncate(member.data.len() / 2);
        member.packed /= 2;
    };
    told(by_sender(shorten), "CANNOT_OPEN", "cannot be unpacked");
    let lengthen = |member: &mut RawMember| {
        member.data.push(0);
        member.packed += 1;
    };
    told(by_sender(lengthen), "CANNOT_OPEN", "another size");
}

#[test]
fn other_bytes_than_the_signed_ones() {
    told(with(|members| members[0].data[9] ^= 1), "BAD_DIGEST", "packed bytes");
    // the same content packed in another way
    let (name, lines) = packets::small_members().remove(0);
    let other = RawMember::bomb(&name.to_string(), &packets::member_bytes(&name, &lines));
    told(with(|members| members[0] = other), "BAD_DIGEST", "packed bytes");
    let name = "records/contact.xml";
    let (member, lines) = packets::small_members().remove(1);
    let replace = |lines: &[String]| {
        let bytes = packets::member_bytes(&member, lines);
        let forgery = Forgery::sound().with_member(1, RawMember::deflated(name, &bytes));
        refuse(&forgery.name(), &forgery.to_bytes())
    };
    told(replace(&[lines[0].replace("000009", "000008")]), "BAD_DIGEST", "unpacked bytes");
    told(replace(&[&lines[..], &lines[..]].concat()), "BAD_DIGEST", "size");
    told(replace(&[]), "BAD_DIGEST", "size");
    told(replace(&[lines[0].replacen(' ', "\n", 1)]), "BAD_DIGEST", "count");
}

#[test]
fn a_file_changed_after_it_was_verified() {
    let (forgery, file) = (Forgery::sound(), tempfile::NamedTempFile::new().unwrap());
    let mut bytes = forgery.to_bytes();
    fs::write(file.path(), &bytes).unwrap();
    let packet = UnverifiedPacket::open(file.reopen().unwrap(), &Limits::default()).unwrap();
    let mut packet = packet.verify(&forgery.name(), key).unwrap();
    bytes[60] ^= 1;
    fs::write(file.path(), &bytes).unwrap();
    let (name, mut handed_over) = (packet.manifest().members[0].name.clone(), 0);
    let read = packet.check_while_reading().for_each_line(&name, |_| {
        handed_over += 1;
        Ok::<_, PacketError>(())
    });
    assert!(
        matches!(read, Err(PacketError::MemberDigest { what: "SHA-256 of the packed bytes", .. }))
            && handed_over == 0
    );
}

#[test]
fn members_in_another_form() {
    let told_of = |content: &str, words: &str| {
        let (name, lines) = packets::small_members().remove(1);
        let old = packets::member_bytes(&name, &lines);
        let forgery = Forgery::sound()
            .with_member(1, RawMember::deflated("records/contact.xml", content.as_bytes()))
            .edit_manifest(&Digest::of(&old).to_string(), &Digest::of(content.as_bytes()).to_string())
            .edit_manifest(&format!("size=\"{}\"", old.len()), &format!("size=\"{}\"", content.len()));
        told(refuse(&forgery.name(), &forgery.to_bytes()), "SCHEMA", words);
    };
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<records kind=\"contact\">\n";
    told_of(&format!("\u{feff}{head}<record/>\n</records>\n"), "line 1: not the XML declaration");
    told_of(
        &format!("{}<record/>\n</records>\n", head.replace("contact", "link")),
        "line 2: not the opening",
    );
    told_of(&format!("{head}<record/>\n</records>\n<record/>\n"), "line 5: something after");
    told_of(&format!("{head}<record/>\r\n</records>\n"), "line 3: empty");
    told_of(&format!("{head}\n</records>\n"), "line 3: empty");
    told_of(&format!("{head}<record/>\n"), "without its last line");
    told_of(&format!("{head}<record/>\n</records>"), "without its last line");
    told_of(&format!("{head}<record/>\n</records>\nx"), "without its last line, or without a line break");
}

#[test]
fn a_bomb_that_tells_its_size() {
    let bomb = RawMember::bomb("records/recipient_claim.xml", &vec![b'a'; 17 << 20]);
    told(with(|members| members[0] = bomb), "OVERSIZE", "ratio");
}

#[test]
fn an_attachment_may_be_as_blank_as_a_white_page() {
    let line = format!("<record>{}</record>", "A".repeat(900_000));
    let name = exchange_format::packet::MemberName::records("attachment").unwrap();
    let (name, bytes) = packets::write(packets::small_header(), &[(name, vec![line])]);
    assert!(bytes.len() < 900_000 / 20);
    read(&name, &bytes, &Limits { ratio: 20, ..Limits::default() }).expect("within the limits");
}

/// Unpacking ends long before the bomb's end: at the first buffer over what the header says.
#[test]
fn a_bomb_that_hides_its_size() {
    let bomb = RawMember::bomb("records/recipient_claim.xml", &b"a\n".repeat(2 << 20));
    let forgery = Forgery::sound().with_member(0, RawMember { size: 600, ..bomb });
    told(refuse(&forgery.name(), &forgery.to_bytes()), "CANNOT_OPEN", "another size");
}

#[test]
fn each_limit_holds() {
    let forgery = Forgery::sound();
    let bytes = forgery.to_bytes();
    let generous = Limits::default();
    let cases: [(&str, Limits); 8] = [
        ("bytes of the packet", Limits { packet_bytes: bytes.len() as u64 - 1, ..generous.clone() }),
        ("unpacked bytes of a member", Limits { member_bytes: 100, ..generous.clone() }),
        ("unpacked bytes of all members", Limits { total_bytes: 700, ..generous.clone() }),
        ("members", Limits { members: 1, ..generous.clone() }),
        ("records", Limits { records: 3, ..generous.clone() }),
        ("bytes of a line", Limits { line_bytes: 60, ..generous.clone() }),
        ("bytes of manifest", Limits { manifest_bytes: 300, ..generous.clone() }),
        ("ratio", Limits { ratio: 5, ..generous.clone() }),
    ];
    for (words, limits) in cases {
        let (name, bytes) = if words == "ratio" {
            let lines = vec![format!("<record>{}</record>", "a".repeat(17 << 20))];
            let name = exchange_format::packet::MemberName::records("contact").unwrap();
            packets::write(packets::small_header(), &[(name, lines)])
        } else {
            (forgery.name(), bytes.clone())
        };
        let error = read(&name, &bytes, &limits).expect_err(words);
        assert_eq!(error.reason().unwrap().code(), "OVERSIZE", "{words}: {error}");
        assert!(error.to_string().contains(words), "{error} should speak of {words}");
    }
}
