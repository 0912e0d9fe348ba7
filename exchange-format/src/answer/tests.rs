//! Answers read back as they were written, and nothing else reads.

use proptest::prelude::*;

use super::*;
use crate::{
    position::{Digest, Epoch, Mark, Position, Seq},
    record::{Kind, RecordId},
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
    )
        .prop_map(|(outcome, kind, key, version, rule, reason)| RecordLine {
            outcome,
            kind,
            key: RecordId::from_random(key),
            version,
            rule: rule.parse().expect("a rule code"),
            reason,
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
    assert!(matches!(check("epoch", &"x".repeat(600)), AnswerError::Line { line: 2, .. }));
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
