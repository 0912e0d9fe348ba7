//! Which members a packet of each kind has; the card of a KY; Streebog-256 beside SHA-256.

use std::io::Cursor;

use exchange_format::{
    card::{Card, CardContent},
    error::PacketError,
    keys::{self, KeysError},
    packet::{
        Header, Limits, MemberName, Nonce, PacketWriter, Purpose, SnapshotBasis, SnapshotPart,
        UnverifiedPacket,
    },
    position::Digest,
    seal::Identity,
    signature::SigningKey,
    stream::Part,
};
use fixtures::packets::{self, Forgery, centre, hub};
use jiff::civil::date;

use crate::{key, read, refuse};

fn snapshot(basis: SnapshotBasis) -> Header {
    let part = SnapshotPart { basis, unconfirmed: false, part: Part::new(1, 1).unwrap() };
    packets::header(Purpose::Snapshot(part), 1, 1)
}

fn one(name: MemberName) -> (MemberName, Vec<String>) {
    let line = r#"<record key="00000000-0000-4000-8000-000000000001" version="1" form="tombstone"></record>"#;
    (name, vec![line.to_owned()])
}

#[test]
fn each_kind_of_packet_has_its_own_members() {
    let names = || [MemberName::records("contact"), MemberName::mirror("contact"), Some(MemberName::Card)];
    let requested = snapshot(SnapshotBasis::Requested { request: Nonce([3; 16]) });
    let allowed = |header: &Header| -> Vec<String> {
        let names = names().into_iter().flatten().chain([MemberName::Answer]);
        let taken = names.filter(|name| {
            let mut writer = PacketWriter::new(Cursor::new(Vec::new())).unwrap();
            writer.begin_member(name.clone()).unwrap();
            writer.write_line(b"a line").unwrap();
            writer.finish(header.clone(), &packets::signing_key(header.from)).is_ok()
        });
        taken.map(|name| name.to_string()).collect()
    };
    assert_eq!(allowed(&packets::small_header()), ["records/contact.xml"]);
    assert_eq!(allowed(&snapshot(SnapshotBasis::Initial)), ["records/contact.xml"]);
    assert_eq!(allowed(&requested), ["records/contact.xml", "mirror/contact.xml"]);
    assert_eq!(allowed(&packets::header(Purpose::Keys, 1, 2)), ["new.card"]);
    let request = Header { previous: None, ..packets::header(Purpose::Request, 1, 2) };
    assert_eq!(allowed(&request), ["answer.xml"]);

    let records = || one(MemberName::records("proposal").unwrap());
    let mirror = || one(MemberName::mirror("contact").unwrap());
    let (name, bytes) = packets::write(requested.clone(), &[records(), mirror()]);
    assert_eq!(read(&name, &bytes, &Limits::default()).unwrap(), [records(), mirror()]);
    let swapped = Forgery::of(requested.clone(), &[records(), mirror()], packets::signing_key(centre(1)));
    let swapped = swapped
        .edit_manifest("records/proposal.xml", "@")
        .edit_manifest("mirror/contact.xml", "records/proposal.xml")
        .edit_manifest("@", "mirror/contact.xml");
    assert_eq!(refuse(&swapped.name(), &swapped.to_bytes()).0, "SCHEMA");
    for header in [request, packets::header(Purpose::Keys, 1, 2)] {
        let writer = PacketWriter::new(Cursor::new(Vec::new())).unwrap();
        assert!(writer.finish(header, &packets::signing_key(centre(1))).is_err(), "its member is missing");
    }
}

fn card(of: u16, seed: u8, change: impl FnOnce(&mut CardContent)) -> Card {
    let code = if of == 0 { hub() } else { centre(of) };
    let key = SigningKey::from_seed(code, &[seed; 32]);
    let recipient = Identity::generate().recipient();
    let mut content = CardContent {
        code,
        name: "ЦСОН".to_owned(),
        signing_key: key.verifying_key(),
        age_recipient: recipient.clone(),
        archive_recipient: recipient,
        valid_from: date(2026, 1, 1),
        valid_until: date(2027, 1, 1),
        tls_ca: None,
    };
    change(&mut content);
    Card::sign(content, &key).unwrap()
}

/// A KY of centre 1 that tells `lines`.
fn ky(lines: Vec<Vec<u8>>) -> Forgery {
    Forgery::of(
        packets::header(Purpose::Keys, 1, 2),
        &[(MemberName::Card, lines)],
        packets::signing_key(centre(1)),
    )
}

fn told(forgery: &Forgery, old: &Card) -> Result<Card, PacketError> {
    let packet = UnverifiedPacket::open(Cursor::new(forgery.to_bytes()), &Limits::default())?;
    let mut packet = packet.verify(&forgery.name(), key)?;
    keys::read_card(&mut packet.check_members()?, old)
}

#[test]
fn a_ky_tells_the_card_that_follows() {
    let old = card(1, 1, |_| {});
    let lines = |card: &Card| keys::lines(card).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let new = card(1, 2, |_| {});
    assert_eq!(told(&ky(lines(&new)), &old).unwrap(), new);
    let mut writer = PacketWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.begin_member(MemberName::Card).unwrap();
    keys::lines(&new).for_each(|line| writer.write_line(line).unwrap());
    let header = packets::header(Purpose::Keys, 1, 2);
    let written = writer.finish(header, &packets::signing_key(centre(1))).unwrap();
    assert_eq!(written.output.into_inner(), ky(lines(&new)).to_bytes());

    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (new, words) in [
        (card(2, 2, |_| {}), "another participant's"),
        (card(1, 1, |content| content.name = "ЦСОН 2".to_owned()), "the one that it should follow"),
        (card(1, 2, |content| content.tls_ca = Some(pem.to_owned())), "tls_ca"),
        (card(1, 2, |content| content.valid_from = date(2026, 12, 1)), "not on 2026-11-18"),
    ] {
        let error = told(&ky(lines(&new)), &old).unwrap_err();
        assert_eq!(error.reason().unwrap().code(), "SCHEMA");
        assert!(error.to_string().contains(words), "{error}");
    }
    let mut forged = new.to_bytes().to_vec();
    let at = forged.iter().position(|byte| *byte == b'2').unwrap();
    forged[at] = b'3';
    let lines_of = |bytes: &[u8]| {
        bytes.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
    };
    let error = told(&ky(lines_of(&forged)), &old).unwrap_err();
    assert!(matches!(error, PacketError::Keys(KeysError::Card(_))), "{error}");
    let long = vec![vec![b'a'; 70_000]];
    assert!(matches!(told(&ky(long), &old), Err(PacketError::Keys(KeysError::Card(_)))));
}

/// The example of ГОСТ Р 34.11-2012, А.2.2, as bytes go.
const VECTOR: (&str, &str) = (
    "012345678901234567890123456789012345678901234567890123456789012",
    "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
);

#[test]
fn streebog_is_given_when_asked_for_and_checked_when_given() {
    let packet = |yes| {
        let mut writer = PacketWriter::new(Cursor::new(Vec::new())).unwrap().with_streebog(yes);
        writer.begin_member(MemberName::Answer).unwrap();
        writer.write_line(&VECTOR.0.as_bytes()[..62]).unwrap();
        let header = Header { previous: None, ..packets::header(Purpose::Request, 1, 2) };
        writer.finish(header, &packets::signing_key(centre(1))).unwrap()
    };
    assert_eq!(packet(false).manifest.members[0].streebog256, None);
    let told = packet(true).manifest.members[0].streebog256.unwrap();
    assert_eq!(told.to_string(), streebog(format!("{}\n", &VECTOR.0[..62]).as_bytes()));
    assert_eq!(streebog(VECTOR.0.as_bytes()), VECTOR.1);
    let packet = packet(true);
    assert!(read(&packet.name, packet.output.get_ref(), &Limits::default()).is_ok());

    let small = Forgery::sound();
    let with = |digest: &str| {
        let as_packed = Digest::of(&small.members[0].data).to_string();
        let forgery = small.clone();
        forgery
            .edit_manifest(&format!("\"{as_packed}\""), &format!("\"{as_packed}\" streebog256=\"{digest}\""))
    };
    let (name, lines) = &packets::small_members()[0];
    let right = with(&streebog(&packets::member_bytes(name, lines)));
    assert!(read(&right.name(), &right.to_bytes(), &Limits::default()).is_ok());
    let wrong = with(VECTOR.1);
    let (reason, words) = refuse(&wrong.name(), &wrong.to_bytes());
    assert_eq!(reason, "BAD_DIGEST");
    assert!(words.contains("Streebog-256"), "{words}");
}

fn streebog(bytes: &[u8]) -> String {
    use streebog::Digest as _;
    hex::encode(streebog::Streebog256::digest(bytes))
}
