//! What was written is what is read; the same input gives the same bytes.

use std::io::{Cursor, Read as _, Seek as _, SeekFrom, Write as _};

use exchange_format::{
    error::PacketError,
    file_name::PacketKind,
    packet::{
        FORMAT, Header, Limits, LogEvidence, Manifest, Member, MemberName, Nonce, PacketWriter, Purpose,
        SnapshotBasis, SnapshotPart, UnverifiedPacket, WriteError,
    },
    position::{Digest, Mark},
    state_digest::StateDigest,
    stream::{Control, Part},
};
use fixtures::packets::{self, Forgery};
use proptest::prelude::*;

use crate::{key, read};

#[test]
fn a_packet_reads_back_and_is_the_same_every_time() {
    let (name, bytes) = packets::write(packets::small_header(), &packets::small_members());
    assert_eq!(read(&name, &bytes, &Limits::default()).unwrap(), packets::small_members());
    let again = packets::write(packets::small_header(), &packets::small_members());
    assert_eq!((name, bytes), again);
}

#[test]
fn an_independent_writer_of_the_same_rules_makes_the_same_bytes() {
    let (name, bytes) = packets::write(packets::small_header(), &packets::small_members());
    let forgery = Forgery::sound();
    assert_eq!(forgery.name(), name);
    assert_eq!(forgery.to_bytes(), bytes);
}

#[test]
fn any_zip_program_opens_a_packet() {
    let (_, bytes) = packets::write(packets::small_header(), &packets::small_members());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let expected = ["records/recipient_claim.xml", "records/contact.xml", "manifest.xml", "manifest.sig"]
        .map(String::from);
    assert_eq!(names, expected);
    for (name, lines) in packets::small_members() {
        let mut content = Vec::new();
        archive.by_name(&name.to_string()).unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content, packets::member_bytes(&name, &lines));
    }
}

#[test]
fn a_packet_can_begin_anywhere_in_its_file_and_be_larger_than_every_buffer() {
    let name = MemberName::records("contact").unwrap();
    let lines: Vec<_> = (0..20_000).map(|n| format!("<record>{n} {}</record>", n * n)).collect();
    let (file_name, bytes) = packets::write(packets::small_header(), &[(name.clone(), lines.clone())]);
    let mut output = Cursor::new(b"in front".to_vec());
    output.seek(SeekFrom::End(0)).unwrap();
    let mut writer = PacketWriter::new(output).unwrap();
    writer.begin_member(name.clone()).unwrap();
    for line in &lines {
        writer.write_line(line.as_bytes()).unwrap();
    }
    let content = packets::member_bytes(&name, &lines).len() - "</records>\n".len();
    assert_eq!((writer.content_lines(), writer.content_bytes()), (20_000, content as u64));
    let header = packets::small_header();
    let written = writer.finish(header.clone(), &packets::signing_key(header.from)).unwrap();
    assert_eq!(written.size, bytes.len() as u64);
    assert_eq!(written.output.into_inner()[8..], bytes);
    assert_eq!(read(&file_name, &bytes, &Limits::default()).unwrap(), vec![(name, lines)]);
}

#[test]
fn an_empty_packet_is_a_heartbeat() {
    let (name, bytes) = packets::write(packets::small_header(), &[]);
    assert_eq!(read(&name, &bytes, &Limits::default()).unwrap(), vec![]);
}

#[test]
fn an_answer_has_one_member_of_its_own_form() {
    let header = packets::header(Purpose::Protocol { answered: Digest::of(b"x"), revision: 2 }, 1, 2);
    assert_eq!(header.answered().unwrap().digest, Digest::of(b"x"));
    let members = vec![(MemberName::Answer, vec!["<pr>".to_owned(), "</pr>".to_owned()])];
    let (name, bytes) = packets::write(header, &members);
    assert_eq!(read(&name, &bytes, &Limits::default()).unwrap(), members);
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let begin = || {
        let mut writer = PacketWriter::new(Cursor::new(Vec::new())).unwrap();
        writer.begin_member(MemberName::records("contact").unwrap()).unwrap();
        writer
    };
    let header = packets::small_header();
    let key = packets::signing_key(header.from);
    for line in [&b"a\nb"[..], b"a\rb", b""] {
        assert!(matches!(begin().write_line(line), Err(WriteError::Line { line: 1, .. })));
    }
    let other = packets::signing_key(packets::centre(2));
    assert!(matches!(begin().finish(header.clone(), &other), Err(WriteError::OtherKey { .. })));
    let receipt = packets::header(Purpose::Receipt { answered: Digest::of(b"x") }, 1, 1);
    assert!(matches!(begin().finish(receipt, &key), Err(WriteError::Manifest(_))));
    let producer = String::new();
    assert!(matches!(begin().finish(Header { producer, ..header }, &key), Err(WriteError::Manifest(_))));
}

#[test]
fn a_file_that_changes_after_it_was_checked_is_noticed() {
    let mut file = tempfile::tempfile().unwrap();
    let (name, bytes) = packets::write(packets::small_header(), &packets::small_members());
    file.write_all(&bytes).unwrap();
    let mut other = file.try_clone().unwrap();
    let packet = UnverifiedPacket::open(file, &Limits::default()).unwrap();
    let mut packet = packet.verify(&name, key).unwrap();
    let mut packet = packet.check_members().unwrap();
    other.seek(SeekFrom::Start(60)).unwrap();
    other.write_all(&[!bytes[60]]).unwrap();
    let member = MemberName::records("recipient_claim").unwrap();
    let result = packet.for_each_line(&member, |_| Ok::<_, PacketError>(()));
    assert!(result.is_err());
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn mark() -> impl Strategy<Value = Mark> {
    (1..=9_999_u64, 1..=99_999_999_u64, digest()).prop_map(|(epoch, seq, digest)| Mark {
        position: packets::header(Purpose::Data, epoch, seq).position,
        digest,
    })
}

fn purpose() -> impl Strategy<Value = Purpose> {
    let basis = prop_oneof![
        Just(SnapshotBasis::Initial),
        any::<[u8; 16]>().prop_map(|bytes| SnapshotBasis::Requested { request: Nonce(bytes) }),
        digest().prop_map(|compared| SnapshotBasis::Recovered { compared }),
    ];
    let part = (1..500_u32).prop_map(|n| Part::new(n, n).unwrap());
    let snapshot = (basis, any::<bool>(), part)
        .prop_map(|(basis, unconfirmed, part)| Purpose::Snapshot(SnapshotPart { basis, unconfirmed, part }));
    prop_oneof![
        Just(Purpose::Data),
        snapshot,
        Just(Purpose::Keys),
        digest().prop_map(|answered| Purpose::Receipt { answered }),
        (digest(), 1..=u32::MAX).prop_map(|(answered, revision)| Purpose::Protocol { answered, revision }),
        Just(Purpose::Request),
    ]
}

fn header() -> impl Strategy<Value = Header> {
    let log_text = || proptest::option::of("[ -~Ёа-я—<>&\"'\n]{1,80}");
    let log = (log_text(), log_text(), log_text()).prop_map(|(checkpoint, proof, cosignature)| LogEvidence {
        checkpoint,
        proof,
        cosignature,
    });
    let control = (proptest::option::of(mark()), proptest::option::of(mark()))
        .prop_map(|(ack, echo)| Control { ack, echo });
    let state = proptest::option::of(digest()).prop_map(|digest| {
        digest.map(|term| {
            let mut sum = StateDigest::default();
            sum.add(&term);
            sum
        })
    });
    (purpose(), mark(), "[ -~]{1,100}", any::<[u8; 16]>(), 0..4_000_000_000_i64, (log, control, state))
        .prop_map(|(purpose, mark, producer, nonce, second, (log, control, state_digest))| Header {
            position: mark.position,
            producer,
            nonce: Nonce(nonce),
            created_at: jiff::Timestamp::from_second(second).unwrap(),
            control,
            state_digest,
            log,
            ..packets::header(purpose, 1, 1)
        })
}

fn members(kind: PacketKind) -> impl Strategy<Value = Vec<Member>> {
    let entry = (any::<u64>(), any::<u64>(), digest(), digest(), proptest::option::of(digest()));
    let counts = if matches!(kind, PacketKind::Data | PacketKind::Snapshot) { 0..4 } else { 1..2 };
    proptest::collection::vec(entry, counts).prop_map(move |entries| {
        let names =
            ["person", "link", "contact", "recipient_claim"].map(|kind| MemberName::records(kind).unwrap());
        let names: Vec<_> = match kind {
            PacketKind::Keys => vec![MemberName::Card],
            PacketKind::Data | PacketKind::Snapshot => names.to_vec(),
            _ => vec![MemberName::Answer],
        };
        names
            .into_iter()
            .zip(entries)
            .map(|(name, (count, size, sha256, packed_sha256, streebog256))| Member {
                packed_sha256,
                name,
                count,
                size,
                sha256,
                streebog256,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn every_manifest_reads_back(
        manifest in header().prop_flat_map(|header| {
            members(header.kind()).prop_map(move |members| Manifest { header: header.clone(), members })
        })
    ) {
        let bytes = manifest.to_bytes().unwrap();
        prop_assert_eq!(Manifest::from_bytes(&bytes, &Limits::default()), Ok(manifest));
    }

    #[test]
    fn every_list_of_lines_reads_back(lines in proptest::collection::vec("[^\r\n]{1,200}", 0..50)) {
        let members = vec![(MemberName::records("contact").unwrap(), lines)];
        // A line that is the closing one would be taken for it; no record looks like that.
        prop_assume!(members[0].1.iter().all(|line| line != "</records>"));
        let (name, bytes) = packets::write(packets::small_header(), &members);
        prop_assert_eq!(read(&name, &bytes, &Limits::default()).unwrap(), members);
    }

    #[test]
    fn an_edited_manifest_is_refused_or_canonical(at in 0..700_usize, cut in 0..40_usize, put in "[ -~]{0,12}") {
        let mut bytes = Forgery::sound().manifest;
        let at = at.min(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, put.into_bytes());
        if let Ok(manifest) = Manifest::from_bytes(&bytes, &Limits::default()) {
            prop_assert!(manifest.header.format > FORMAT || manifest.to_bytes() == Ok(bytes));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(UnverifiedPacket::open(Cursor::new(&bytes), &Limits::default()).is_err());
        prop_assert!(Manifest::from_bytes(&bytes, &Limits::default()).is_err());
    }
}
