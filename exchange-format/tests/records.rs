//! Canonical bytes of records: what is written reads back, one content has one form, and everything else is
//! refused with a precise error.

use exchange_format::{
    position::Digest,
    record::{Body, BodyError, FieldProblem, Form, Kind, LineError, Record, RecordId, Type},
    state_digest::StateDigest,
};
use proptest::prelude::*;

/// A body of `kind` with `texts`, over and over, in its fields and those of `lines` lines.
fn body(kind: Kind, texts: &[String], lines: usize) -> Body {
    let mut body = Body::new(kind);
    let fields = kind.schema().fields;
    for (field, text) in fields.iter().zip(texts.iter().cycle()) {
        body.set(field.name, text).expect("no control characters are generated");
    }
    if let Some(schema) = kind.schema().lines {
        for n in (1..=lines).rev() {
            let line = body.add_line();
            line.set("no", &n.to_string()).expect("a number");
            for (field, text) in schema.fields[1..].iter().zip(texts.iter().cycle().skip(n)) {
                line.set(field.name, text).expect("text");
            }
        }
    }
    body
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

fn shuffled(count: usize) -> impl Strategy<Value = Vec<usize>> {
    Just((0..count).collect::<Vec<_>>()).prop_shuffle()
}

/// A kind, and orders of its fields, of some lines if it has lines, and of their fields.
fn any_order() -> impl Strategy<Value = (Kind, Vec<usize>, Vec<usize>, Vec<usize>)> {
    any_kind().prop_flat_map(|kind| {
        let lines = kind.schema().lines.map_or(0, |lines| lines.fields.len());
        let count = if lines == 0 { 0 } else { 12 };
        (Just(kind), shuffled(kind.schema().fields.len()), shuffled(count), shuffled(lines))
    })
}

proptest! {
    #[test]
    fn write_read_write_gives_the_same_bytes(
        kind in any_kind(),
        texts in prop::collection::vec("[\\t\\n\\r -\u{7e}А-яёЁ\u{301}\u{1F600}]{0,20}", 1..20),
        lines in 0_usize..4,
    ) {
        let written = body(kind, &texts, lines).to_xml();
        prop_assert!(!written.contains(&b'\n'));
        let read = Body::from_xml(kind, &written).expect("what was written reads back");
        prop_assert_eq!(read.to_xml(), written);
    }

    #[test]
    fn any_order_of_fields_and_lines_gives_one_form((kind, heads, lines, cells) in any_order()) {
        let said = |kind: Kind, heads: &[usize], lines: &[usize], cells: &[usize]| {
            let mut body = Body::new(kind);
            for n in heads {
                body.set(kind.schema().fields[*n].name, &format!("т{n}")).expect("text");
            }
            for line in lines {
                let fields = kind.schema().lines.expect("lines").fields;
                let to = body.add_line();
                for n in cells {
                    let text = if *n == 0 { line.to_string() } else { format!("т{line}<{n}>") };
                    to.set(fields[*n].name, &text).expect("text");
                }
            }
            body.to_xml()
        };
        let straight = |order: &[usize]| (0..order.len()).collect::<Vec<_>>();
        let one = said(kind, &straight(&heads), &straight(&lines), &straight(&cells));
        let other = said(kind, &heads, &lines, &cells);
        prop_assert_eq!(&one, &other);
        let read = Body::from_xml(kind, &one).expect("canonical");
        prop_assert_eq!(read.to_xml(), one);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(kind in any_kind(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Body::from_xml(kind, &bytes);
        let _ = Record::parse_line(kind, &bytes);
    }

    #[test]
    fn a_changed_byte_is_found_or_is_another_record(at in 0_usize..500, bit in 0_u8..8) {
        let mut claim = Body::new(Kind::RecipientClaim);
        claim.set("surname", "Тестова").expect("text");
        claim.set("given", "Анна").expect("text");
        let record = Record::live(key(1), 3, &claim);
        let mut line = Vec::new();
        record.write_line(&mut line);
        let at = at % line.len();
        line[at] ^= 1 << bit;
        if let Ok(read) = Record::parse_line(Kind::RecipientClaim, &line) {
            prop_assert_ne!(read, record);
        }
    }
}

fn key(n: u8) -> RecordId {
    RecordId::from_random([n; 16])
}

fn refused(xml: &str) -> BodyError {
    Body::from_xml(Kind::Contact, xml.as_bytes()).expect_err(xml)
}

#[test]
fn what_the_format_does_not_use_is_refused() {
    let syntax = |xml: &str, expected: &str| match refused(xml) {
        BodyError::Syntax { what, .. } => assert_eq!(what, expected, "{xml}"),
        other => panic!("{xml}: {other:?}"),
    };
    syntax("<!DOCTYPE contact [<!ENTITY x \"y\">]><contact></contact>", "a DTD");
    syntax("<contact><value>&x;</value></contact>", "an entity that the format does not use");
    syntax("<contact><value>&#65;</value></contact>", "an entity that the format does not use");
    syntax("<contact><value><![CDATA[x]]></value></contact>", "only text may stand in a field");
    syntax("<contact><!-- x --></contact>", "a construct that the format does not use");
    syntax("<contact><?x y?></contact>", "a construct that the format does not use");
    syntax("<contact> <value>x</value></contact>", "text between elements");
    syntax("<contact a=\"b\"></contact>", "an attribute");
    syntax("<contact><value>x</value>", "the body ends too early");
    syntax("<contact><value>x</note></contact>", "not well-formed");
    syntax("<contact></contact>x", "something follows the body");
    syntax("<contact><value><a><a><a>x</a></a></a></value></contact>", "only text may stand in a field");
    assert!(matches!(refused("<person></person>"), BodyError::Element { .. }));
    assert!(matches!(refused("<contact><nickname>x</nickname></contact>"), BodyError::Element { .. }));
    assert!(matches!(refused("<contact><line></line></contact>"), BodyError::Element { .. }));
    let twice = "<contact><value>x</value><value>x</value></contact>";
    assert!(matches!(refused(twice), BodyError::Element { .. }));
    let order = "<contact><note>x</note><value>x</value></contact>";
    assert!(matches!(refused(order), BodyError::Element { .. }));
    assert_eq!(refused("<contact><value></value></contact>"), BodyError::NotCanonical);
    assert_eq!(refused("<contact ></contact>"), BodyError::NotCanonical);
    assert_eq!(refused("<contact><value>и\u{306}</value></contact>"), BodyError::NotCanonical);
    let latin = [b"<contact><value>".as_slice(), &[0xcf, 0xf0], b"</value></contact>"].concat();
    assert_eq!(
        Body::from_xml(Kind::Contact, &latin).expect_err("Windows-1251"),
        BodyError::Syntax { at: 16, what: "not UTF-8" }
    );
}

#[test]
fn a_line_reads_back_and_its_faults_are_told_apart() {
    let mut contact = Body::new(Kind::Contact);
    contact.set("value", "+7 900 000-00-00").expect("text");
    let mut record = Record::live(key(7), 12, &contact);
    record.signature = Some([9; 64]);
    let mut line = Vec::new();
    record.write_line(&mut line);
    assert_eq!(Record::parse_line(Kind::Contact, &line), Ok(record));

    let text = String::from_utf8(line).expect("UTF-8");
    let fails = |from: &str, to: &str| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        Record::parse_line(Kind::Contact, changed.as_bytes()).expect_err(&changed)
    };
    assert_eq!(fails("</record>", ""), LineError::Envelope);
    assert_eq!(fails("version=\"12\"", "version=\"012\""), LineError::Attribute("version"));
    assert_eq!(fails("version=\"12\"", "version=\"0\""), LineError::Attribute("version"));
    assert_eq!(fails("version=\"12\"", "version=\"4294967296\""), LineError::Attribute("version"));
    assert_eq!(fails("live", "alive"), LineError::Attribute("form"));
    assert_eq!(fails("live", "tombstone"), LineError::BodyAndForm);
    assert_eq!(fails("key=", "id="), LineError::Attribute("key"));
    assert_eq!(fails("07070707", "0707070X"), LineError::Attribute("key"));
    assert_eq!(fails("sig=\"", "sig=\"AA"), LineError::Attribute("sig"));
    let empty = Record::tombstone(Kind::Contact, key(7), 1);
    let mut line = Vec::new();
    empty.write_line(&mut line);
    assert_eq!(Record::parse_line(Kind::Contact, &line), Ok(empty));
}

/// Key, version and form are what a PR and the state digest need: with them a record is refused alone.
#[test]
fn a_line_with_a_flaw_is_a_record_as_long_as_key_version_and_form_are_read() {
    let text = |attributes: &str, body: &[u8]| {
        let tag = format!("<record key=\"{}\" version=\"2\" {attributes}>", key(7));
        [tag.as_bytes(), body, b"</record>"].concat()
    };
    let body = b"<contact></contact>".as_slice();
    let latin = [0xcf, 0xf0].as_slice();
    for (attributes, body, flaw) in [
        ("form=\"live\"", body, None),
        ("form=\"live\"", latin, None),
        ("form=\"live\" sig=\"AA\"", body, Some(LineError::Attribute("sig"))),
        ("form=\"live\" seal=\"AA\"", body, Some(LineError::Attribute("sig"))),
        ("form=\"live\"", b"".as_slice(), Some(LineError::BodyAndForm)),
        ("form=\"tombstone\"", body, Some(LineError::BodyAndForm)),
    ] {
        let line = text(attributes, body);
        let (record, found) = Record::read_line(Kind::Contact, &line).expect(attributes);
        assert_eq!((record.key, record.version, &record.body[..]), (key(7), 2, body), "{attributes}");
        assert_eq!((record.signature, &found), (None, &flaw), "{attributes}");
        assert_eq!(Record::parse_line(Kind::Contact, &line).err(), flaw, "{attributes}");
    }
    for broken in ["form=\"\"", "live", "sig=\"AA\" form=\"live\""] {
        Record::read_line(Kind::Contact, &text(broken, body)).expect_err(broken);
    }
    Record::read_line(Kind::Contact, &[text("form=\"live\"", body), vec![0xff]].concat()).expect_err("after");
}

#[test]
fn every_type_of_field_refuses_what_is_not_of_it() {
    let mut person = Body::new(Kind::Person);
    let mut state = |field: &str, text: &str| {
        person.set(field, text).expect("text");
        person.findings().into_iter().find(|finding| finding.field == field).map(|finding| finding.problem)
    };
    assert!(matches!(state("birth_date", "01.02.1950"), Some(FieldProblem::NotOfType { .. })));
    assert!(matches!(state("birth_date", "1950-02-30"), Some(FieldProblem::NotOfType { .. })));
    assert_eq!(state("birth_date", "1950-02-28"), None);
    assert!(matches!(state("snils", "112-233-445 95"), Some(FieldProblem::NotOfType { .. })));
    assert_eq!(state("snils", "11223344595"), None);
    assert!(matches!(state("sex", "M"), Some(FieldProblem::NotInList { .. })));
    assert_eq!(state("given", &"я".repeat(201)), Some(FieldProblem::TooLong { max: 200 }));
    assert_eq!(state("surname", ""), Some(FieldProblem::Missing));
    let bad = person.set("given", "а\u{0}").expect_err("NUL");
    assert_eq!(bad.problem, FieldProblem::IllegalCharacter);
}

#[test]
fn two_lines_of_one_number_are_found() {
    let mut programme = Body::new(Kind::ProgrammeClaim);
    for _ in 0..2 {
        programme.add_line().set("no", "1").expect("a number");
    }
    assert!(programme.findings().iter().any(|finding| finding.field == "no" && finding.line == Some(2)));
}

#[test]
fn schemas_are_sound() {
    for kind in Kind::ALL {
        let schema = kind.schema();
        assert_eq!(schema.kind, kind);
        assert_eq!(schema.name.parse(), Ok(kind));
        let groups = [Some(schema.fields), schema.lines.map(|lines| lines.fields)];
        for fields in groups.into_iter().flatten() {
            for (n, field) in fields.iter().enumerate() {
                assert!(fields[..n].iter().all(|other| other.column() != field.column()), "{}", field.name);
                assert!(field.name != "line" && field.name != "id", "{kind}: a reserved name");
            }
        }
        if let Some(lines) = schema.lines {
            assert!(matches!((lines.fields[0].name, lines.fields[0].ty), ("no", Type::Whole(_))));
        }
    }
}

#[test]
fn personal_data_does_not_print() {
    let mut claim = Body::new(Kind::RecipientClaim);
    claim.set("surname", "Секретова").expect("text");
    let record = Record::live(key(1), 1, &claim);
    for shown in [format!("{claim:?}"), format!("{record:?}")] {
        assert!(!shown.contains("Секретова"), "{shown}");
    }
}

#[test]
fn a_tombstone_adds_nothing_to_the_state_digest() {
    let contact = Record::live(key(1), 1, &Body::new(Kind::Contact));
    let hash = contact.hash();
    assert_eq!(Record::tombstone(Kind::Contact, key(1), 2).term(&hash), None);
    let expected = format!("contact\n{}\n1\nlive\n{hash}\n", key(1));
    assert_eq!(contact.term(&hash), Some(Digest::of(expected.as_bytes())));
    assert_eq!(contact.term(&hash), Some(StateDigest::term(Kind::Contact, key(1), 1, Form::Live, &hash)));
}

#[test]
fn a_claim_can_say_whatever_its_publication_says() {
    let pairs = [
        (Kind::RecipientClaim, Kind::Person, "case_number"),
        (Kind::ProgrammeClaim, Kind::Programme, ""),
        (Kind::SupplementClaim, Kind::Supplement, ""),
    ];
    let lines = |kind: Kind| kind.schema().lines.map_or(&[][..], |lines| lines.fields);
    for (claim, publication, given) in pairs {
        for (claimed, published) in
            [(claim.schema().fields, publication.schema().fields), (lines(claim), lines(publication))]
        {
            let names = |fields: &[exchange_format::record::Field]| -> Vec<_> {
                fields.iter().map(|field| field.name).filter(|name| *name != given).collect()
            };
            assert_eq!(names(claimed), names(published), "{claim} and {publication}");
        }
    }
}

#[test]
fn every_kind_has_a_sound_example() {
    for kind in Kind::ALL {
        let body = fixtures::examples::body(kind);
        assert_eq!(body.findings(), [], "{kind}");
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/data/examples");
    assert_eq!(
        std::fs::read_dir(folder).expect("a folder").count(),
        Kind::ALL.len(),
        "a file that is no kind's"
    );
}

#[test]
fn a_record_longer_than_a_line_of_a_packet_is_not_fit_to_be_sent() {
    let with_lines = |count: usize| {
        let mut body = Body::new(Kind::ProgrammeClaim);
        body.set("recipient", "00000000-0000-4000-8000-000000000001").expect("plain");
        for no in 1..=count {
            let line = body.add_line();
            line.set("no", &no.to_string()).expect("plain");
            line.set("name", &"щ".repeat(100)).expect("plain");
        }
        body.sort_lines();
        body
    };
    let (fit, unfit) = (with_lines(3000), with_lines(6000));
    assert!(fit.to_xml().len() < (1 << 20) - 1024 && unfit.to_xml().len() > (1 << 20) - 1024);
    assert_eq!(fit.findings(), []);
    assert_eq!(unfit.findings().iter().map(|finding| finding.field).collect::<Vec<_>>(), ["no"]);
}

#[test]
fn what_is_kept_of_a_problem_in_english_is_told_in_russian() {
    let mut seen = Vec::new();
    for kind in Kind::ALL {
        let schema = kind.schema();
        for field in schema.fields.iter().chain(schema.lines.map_or(&[][..], |lines| lines.fields)) {
            seen.extend([None, Some("\u{2014}"), Some("я")].into_iter().filter_map(|bad| field.problem(bad)));
        }
    }
    let mut twice = Body::new(Kind::UrgentAct);
    for _ in 0..2 {
        twice.add_line().set("no", "1").expect("text");
    }
    seen.extend(twice.findings().into_iter().map(|finding| finding.problem));
    assert!(seen.iter().any(|problem| matches!(problem, FieldProblem::Rule(_))), "of lines");
    assert!(seen.iter().any(|problem| matches!(problem, FieldProblem::NotInList { .. })), "of a list");
    for problem in seen {
        let told = FieldProblem::told_again(&problem.to_string(), |text| text.ru);
        assert_eq!(told, Some(problem.words(|text| text.ru)), "{problem}");
    }
}
