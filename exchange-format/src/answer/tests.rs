//! Answers read back as they were written, and nothing else reads.

use proptest::prelude::*;

use super::*;
use crate::{
    packet::Nonce,
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark, Position, Seq},
    record::{Form, Kind, RecordId},
    state_digest::StateDigest,
};

fn marks() -> impl Strategy<Value = Mark> {
    (1_u64..=9_999, 1_u64..=99_999_999, any::<[u8; 32]>()).prop_map(|(epoch, seq, digest)| Mark {
        position: Position {
            epoch: Epoch::new(epoch).expect("in range"),
            seq: Seq::new(seq).expect("in range"),
        },
        digest: Digest::from_bytes(digest),
    })
}

fn receipts() -> impl Strategy<Value = Receipt> {
    (marks(), 0_i64..4_000_000_000, 0_i32..1_000_000_000).prop_map(|(answered, seconds, nanos)| Receipt {
        answered,
        received_at: jiff::Timestamp::new(seconds, nanos).expect("in range"),
    })
}

fn record_lines() -> impl Strategy<Value = RecordLine> {
    const LISTED: &[RecordOutcome] = &[RecordOutcome::Proposed, RecordOutcome::Held, RecordOutcome::Refused];
    (
        prop::sample::select(LISTED),
        prop::sample::select(Kind::ALL.to_vec()),
        any::<[u8; 16]>(),
        1_u32..,
        "[A-Za-z0-9._-]{1,64}",
        prop::sample::select(RecordReason::ALL),
        prop::option::of("[^\\p{Cc}]{1,40}"),
    )
        .prop_map(|(outcome, kind, key, version, rule, reason, words)| RecordLine {
            outcome,
            kind,
            key: RecordId::from_random(key),
            version,
            rule: rule.parse().expect("a rule code"),
            reason,
            words: words.as_deref().and_then(Words::of),
        })
}

/// A PR of a packet that was not refused whole, with its lines.
fn protocols() -> impl Strategy<Value = (Protocol, Vec<RecordLine>)> {
    let lines = prop::collection::vec(record_lines(), 0..8);
    (marks(), 1_u32.., any::<[u32; 3]>(), lines).prop_map(|(answered, revision, plain, lines)| {
        let mut counts = Counts::default();
        counts.set(RecordOutcome::New, u64::from(plain[0]));
        counts.set(RecordOutcome::Changed, u64::from(plain[1]));
        counts.set(RecordOutcome::Unchanged, u64::from(plain[2]));
        for line in &lines {
            counts.add(line.outcome);
        }
        (Protocol { answered, revision, outcome: counts.packet_outcome(), counts }, lines)
    })
}

fn write(head: &Protocol, lines: &[RecordLine]) -> Vec<u8> {
    let mut writer = ProtocolWriter::new(Vec::new(), head).expect("consistent");
    for line in lines {
        writer.line(line).expect("counted");
    }
    writer.finish().expect("complete")
}

fn read(bytes: &[u8]) -> Result<(Protocol, Vec<RecordLine>), AnswerError> {
    let mut reader = ProtocolReader::new(bytes, 100)?;
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line()? {
        lines.push(line);
    }
    Ok((*reader.head(), lines))
}

proptest! {
    #[test]
    fn a_receipt_reads_back(receipt in receipts()) {
        let mut bytes = Vec::new();
        receipt.write(&mut bytes).expect("written");
        prop_assert_eq!(Receipt::read(&bytes[..]).expect("reads"), receipt);
    }

    #[test]
    fn a_protocol_reads_back((head, lines) in protocols()) {
        let (read_head, read_lines) = read(&write(&head, &lines)).expect("reads");
        prop_assert_eq!(read_head, head);
        prop_assert_eq!(read_lines, lines);
    }

    /// One document has one text: whatever still reads after a change is written as it was read.
    #[test]
    fn what_reads_is_canonical((head, lines) in protocols(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = write(&head, &lines);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok((head, lines)) = read(&bytes) {
            prop_assert_eq!(write(&head, &lines), bytes);
        }
    }

    #[test]
    fn a_protocol_cut_short_does_not_read((head, lines) in protocols(), at in any::<prop::sample::Index>()) {
        let bytes = write(&head, &lines);
        prop_assert!(read(&bytes[..at.index(bytes.len())]).is_err());
    }
}

fn refused() -> Protocol {
    let position = Position { epoch: Epoch::FIRST, seq: Seq::FIRST };
    let answered = Mark { position, digest: Digest::of(b"manifest") };
    let outcome = PacketOutcome::Refused(PacketReason::Fork);
    Protocol { answered, revision: 1, outcome, counts: Counts::default() }
}

#[test]
fn a_refusal_says_why_and_lists_nothing() {
    let bytes = write(&refused(), &[]);
    let digest = Digest::of(b"manifest");
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <protocol epoch=\"1\" seq=\"1\" digest=\"{digest}\" revision=\"1\" outcome=\"REFUSED\" reason=\"FORK\" \
         new=\"0\" changed=\"0\" unchanged=\"0\" proposed=\"0\" held=\"0\" refused=\"0\">\n</protocol>\n"
    );
    assert_eq!(String::from_utf8(bytes), Ok(text));
    let mut counts = Counts::default();
    counts.add(RecordOutcome::New);
    let wrong = Protocol { counts, ..refused() };
    assert!(matches!(ProtocolWriter::new(Vec::new(), &wrong), Err(AnswerError::Counts)));
}

#[test]
fn each_defect_is_found() {
    let good = String::from_utf8(write(&refused(), &[])).expect("ASCII");
    let check = |from: &str, to: &str| {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from:?} stands in the protocol");
        read(bad.as_bytes()).expect_err(to)
    };
    for (from, to) in [
        ("<?xml", "<!DOCTYPE a>\n<?xml"),
        ("UTF-8", "windows-1251"),
        ("\n", "\r\n"),
        (" seq", "  seq"),
        ("seq=\"1\"", "seq=\"01\""),
        ("seq=\"1\"", "seq=\"0\""),
        ("revision=\"1\"", "revision=\"0\""),
        ("FORK", "fork"),
        ("REFUSED", "APPLIED"),
        (" held=\"0\"", ""),
        (" refused=", " note=\"x\" refused="),
    ] {
        assert!(matches!(check(from, to), AnswerError::Line { .. }), "{to:?}");
    }
    assert!(matches!(check("new=\"0\"", "new=\"1\""), AnswerError::Counts));
    assert!(matches!(check("</protocol>\n", "</protocol>\n\n"), AnswerError::Line { line: 4, .. }));
    assert!(matches!(check("epoch", &"x".repeat(9000)), AnswerError::Line { line: 2, .. }));
}

#[test]
fn a_list_longer_than_allowed_is_refused_at_its_head() {
    let mut counts = Counts::default();
    counts.set(RecordOutcome::Refused, u64::MAX);
    let head = Protocol { outcome: counts.packet_outcome(), counts, ..refused() };
    let mut bytes = Vec::new();
    ProtocolWriter::new(&mut bytes, &head).expect("a head");
    assert!(matches!(ProtocolReader::new(&bytes[..], 100), Err(AnswerError::TooMany(100))));
}

#[test]
fn lines_and_counts_must_agree() {
    let line = RecordLine {
        outcome: RecordOutcome::Held,
        kind: Kind::Contract,
        key: RecordId::from_random([7; 16]),
        version: 2,
        rule: "contract.recipient".parse().expect("a rule code"),
        reason: RecordReason::DanglingRef,
        words: None,
    };
    let mut counts = Counts::default();
    counts.add(RecordOutcome::Held);
    let head = Protocol { outcome: PacketOutcome::AppliedPartial, counts, ..refused() };
    assert!(matches!(
        ProtocolWriter::new(Vec::new(), &head).expect("a head").finish(),
        Err(AnswerError::Counts)
    ));
    let mut writer = ProtocolWriter::new(Vec::new(), &head).expect("a head");
    writer.line(&line).expect("counted");
    assert!(matches!(writer.line(&line), Err(AnswerError::Counts)));
    let text = String::from_utf8(writer.finish().expect("complete")).expect("ASCII");
    let listed = text.lines().nth(2).expect("a record").to_owned();
    assert!(matches!(read(text.replace(&format!("{listed}\n"), "").as_bytes()), Err(AnswerError::Counts)));
    assert!(matches!(
        read(text.replace(&listed, &format!("{listed}\n{listed}")).as_bytes()),
        Err(AnswerError::Counts)
    ));
}

#[test]
fn a_rule_code_has_no_room_for_personal_data() {
    for bad in ["", "Иванов", "a b", "a\"b", &"x".repeat(65)] {
        let error = bad.parse::<Rule>().expect_err("not a code");
        assert!(bad.is_empty() || !error.to_string().contains(bad));
    }
}

fn requests() -> impl Strategy<Value = Request> {
    let causes = prop::sample::select(SnapshotCause::ALL.map(|(cause, _)| cause).to_vec());
    let packets = (marks(), 0_u64..50).prop_map(|(mark, more)| {
        let Position { epoch, seq } = mark.position;
        let last = Seq::new((u64::from(seq.get()) + more).min(99_999_999)).expect("in range");
        Request::Packets(Missing::new(epoch, seq, last).expect("not empty"))
    });
    let listed = (any::<[u8; 16]>(), 1_u32.., any::<bool>(), any::<[u8; 32]>()).prop_map(
        |(key, version, live, hash)| Listed {
            key: RecordId::from_random(key),
            version,
            form: if live { Form::Live } else { Form::Withdrawn },
            hash: Digest::from_bytes(hash),
        },
    );
    let listed = (prop::sample::select(Kind::ALL.to_vec()), prop::collection::vec(listed, 0..5));
    let ranges = prop::collection::vec(listed, 0..6).prop_map(|lists| {
        let mut ranges: Vec<Range> = lists
            .into_iter()
            .map(|(kind, mut records)| {
                records.sort_by_key(|listed| listed.key);
                let mut sum = StateDigest::default();
                for Listed { key, version, form, hash } in &records {
                    sum.add(&StateDigest::term(kind, *key, *version, *form, hash));
                }
                let (prefix, count) = (KeyPrefix::default(), records.len() as u64);
                Range { kind, prefix, count, sum, records: Some(records).filter(|_| count % 2 == 0) }
            })
            .collect();
        ranges.sort_by_key(|range| range.kind);
        ranges.dedup_by_key(|range| range.kind);
        ranges
    });
    let digests = (marks(), prop::option::of(any::<[u8; 16]>()), ranges).prop_map(|(at, re, ranges)| {
        Request::RangeDigests(RangeDigests { of: ParticipantCode::new(42, 1), at, re: re.map(Nonce), ranges })
    });
    prop_oneof![
        packets,
        (causes, prop::option::of(marks())).prop_map(|(cause, seen)| Request::Snapshot { cause, seen }),
        digests,
    ]
}

fn written(request: &Request) -> String {
    let mut bytes = Vec::new();
    request.write(&mut bytes).expect("memory");
    String::from_utf8(bytes).expect("ASCII")
}

proptest! {
    #[test]
    fn every_request_reads_back_and_ends_where_it_ends(request in requests(), cut in 1_usize..40) {
        let text = written(&request);
        prop_assert_eq!(&Request::read(text.as_bytes()).expect("sound"), &request);
        prop_assert!(Request::read(&text.as_bytes()[..text.len().saturating_sub(cut)]).is_err());
        let more = format!("{text}\n");
        prop_assert!(Request::read(more.as_bytes()).is_err());
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let (key, zero) = ("0b7e6a2c-5d14-4c8e-8f21-9a3b7c6d5e4f", "0".repeat(64));
    let ranges = |lines: &str| {
        let mark = format!("epoch=\"1\" seq=\"2\" digest=\"{zero}\"");
        format!("<range_digests of=\"4200018\" {mark}>\n{lines}</range_digests>\n")
    };
    let range = |name: &str, kind: &str, prefix: &str, count: u8| {
        format!("<{name} kind=\"{kind}\" prefix=\"{prefix}\" count=\"{count}\" sum=\"{zero}\"/>\n")
    };
    let record =
        format!("<record kind=\"contact\" key=\"{key}\" version=\"1\" form=\"live\" hash=\"{zero}\"/>\n");
    let read = |body: &str| Request::read(format!("{head}{body}").as_bytes());
    let contacts = |prefix: &str| range("range", "contact", prefix, 0);
    for sound in
        [ranges(""), ranges(&(contacts("0") + &contacts("1"))), ranges(&range("listed", "contact", "a", 0))]
    {
        assert!(read(&sound).is_ok(), "{sound}");
    }
    for broken in [
        "<packets epoch=\"1\" first=\"3\" last=\"2\"/>\n".to_owned(),
        "<packets epoch=\"1\" first=\"03\" last=\"3\"/>\n".to_owned(),
        "<packets epoch=\"1\" first=\"3\" last=\"3\" why=\"x\"/>\n".to_owned(),
        "<snapshot cause=\"whim\"/>\n".to_owned(),
        "<snapshot cause=\"fork\" epoch=\"1\"/>\n".to_owned(),
        ranges(&(contacts("1") + &contacts("0"))),
        ranges(&(contacts("1") + &contacts("1f"))),
        ranges(&(contacts("1") + &contacts("1"))),
        ranges(&(contacts("") + &range("range", "person", "", 0))),
        ranges(&contacts("G")),
        ranges(&range("listed", "contact", "0", 1)),
        ranges(&(range("listed", "contact", "0", 1) + &record)),
        ranges(&(range("range", "contact", "0", 1) + &record)),
        ranges(&record),
    ] {
        assert!(read(&broken).is_err(), "{broken}");
    }
}

#[test]
fn words_are_one_line_and_have_one_form() {
    let words = |text: &str| Words::of(text).map(|words| words.as_str().to_owned());
    assert_eq!(words("  не та\r\n Мария\t<b> & \u{7}co ").as_deref(), Some("не та Мария <b> & co"));
    assert_eq!(words(" \u{1} "), None);
    assert_eq!(words(&"ы".repeat(2000)).map(|text| text.chars().count()), Some(Words::LIMIT));
    assert_eq!(format!("{:?}", Words::of("Мария")), "Some([redacted])");
    let line = |text: &str| {
        let mut counts = Counts::default();
        counts.add(RecordOutcome::Refused);
        let head = Protocol { outcome: PacketOutcome::AppliedPartial, counts, ..refused() };
        let line = RecordLine {
            outcome: RecordOutcome::Refused,
            kind: Kind::Proposal,
            key: RecordId::from_random([7; 16]),
            version: 1,
            rule: "proposal.declined".parse().expect("a rule code"),
            reason: RecordReason::Declined,
            words: Words::of("A"),
        };
        let good = String::from_utf8(write(&head, &[line])).expect("UTF-8");
        assert!(good.contains("reason=\"DECLINED\">A</record>\n"), "{good}");
        let read = read(good.replacen(">A<", &format!(">{text}<"), 1).as_bytes());
        read.map(|(_, lines)| lines[0].words.clone().expect("words").as_str().to_owned())
    };
    let longest = "&amp;".repeat(Words::LIMIT);
    assert_eq!(line(&longest).expect("fits"), "&".repeat(Words::LIMIT));
    for bad in ["", " a", "a  b", "a<b/>", "a>b", "a&b", "&#65;", "a\tb", &"a".repeat(1001)] {
        assert!(matches!(line(bad), Err(AnswerError::Line { line: 3, .. })), "{bad}");
    }
}
