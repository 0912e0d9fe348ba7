//! docs/schema holds the XML Schemas of every document, and they are true: xmllint takes everything that the golden packets
//! hold, and nothing that breaks a type. `SVOD_WRITE_DOCS=1 cargo test -p exchange-format --test schema_files` writes them anew.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use exchange_format::{
    file_name::FileName,
    packet::{Limits, MemberName, UnverifiedPacket, open_sealed},
    record::{Kind, Record},
    xsd,
};
use fixtures::{examples, golden};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schema")
}

/// The schemas below `directory`, as paths from it.
fn committed(directory: &Path) -> BTreeSet<String> {
    let names = |below: &str| {
        let entries = fs::read_dir(directory.join(below)).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains(".xsd")).map(|name| format!("{below}{name}")).collect::<Vec<_>>()
    };
    names("").into_iter().chain(names("records/")).collect()
}

#[test]
fn the_schemas_are_those_of_the_format() {
    let write = std::env::var_os("SVOD_WRITE_DOCS").is_some();
    let mut expected = BTreeSet::new();
    for document in xsd::documents() {
        let path = directory().join(document.file());
        if write {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &document.text).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert!(text == document.text, "{} is not the format's; run with SVOD_WRITE_DOCS=1", document.file());
        expected.insert(document.file());
    }
    assert_eq!(committed(&directory()), expected, "one of each, and no other");
}

/// What xmllint says of these files by the schema of `document`, if it does not take them all.
fn lint(document: &str, files: &[PathBuf]) -> Option<String> {
    let file = xsd::documents().into_iter().find(|one| one.name == document).unwrap().file();
    let Output { status, stderr, .. } = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(directory().join(file))
        .args(files)
        .output()
        .expect("xmllint (libxml2-utils) is installed");
    (!status.success()).then(|| String::from_utf8_lossy(&stderr).into_owned())
}

/// The XML documents of a golden packet: which schema, and its bytes.
fn documents_of(file: &Path) -> Vec<(String, Vec<u8>)> {
    let name: FileName = file.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let (bytes, limits) = (fs::read(file).unwrap(), Limits::default());
    let keys = ["hub", "centre"].map(golden::identity);
    let packet = if name.sealed {
        open_sealed(&bytes[..], &keys, Cursor::new(Vec::new()), &limits).unwrap()
    } else {
        UnverifiedPacket::open(Cursor::new(bytes), &limits).unwrap()
    };
    let mut documents = vec![("manifest".to_owned(), packet.manifest_bytes().to_vec())];
    let members = packet.claims().members.clone();
    let mut packet = packet.without_sender();
    let mut content = packet.check_members().unwrap();
    for member in members {
        let of = match &member.name {
            MemberName::Records(kind) | MemberName::Mirror(kind) => kind,
            MemberName::Answer => "answer",
            MemberName::Card => continue,
        };
        let mut bytes = Vec::new();
        content.copy_member(&member.name, &mut bytes).unwrap();
        documents.push((of.to_owned(), bytes));
    }
    documents
}

#[test]
fn xmllint_takes_everything_that_the_golden_packets_hold() {
    let dir = tempfile::tempdir().unwrap();
    let mut by_schema: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for part in ["valid", "by_version/1"] {
        for entry in fs::read_dir(golden::root().join(part)).unwrap() {
            let file = entry.unwrap().path();
            if !file.file_name().unwrap().to_str().unwrap().starts_with("SVOD1_") {
                continue;
            }
            for (document, bytes) in documents_of(&file) {
                let files = by_schema.entry(document.clone()).or_default();
                let path = dir.path().join(format!("{document}-{}{}.xml", part.len(), files.len()));
                fs::write(&path, bytes).unwrap();
                files.push(path);
            }
        }
    }
    for (document, files) in &by_schema {
        assert_eq!(lint(document, files), None, "{document}");
    }
    let all: Vec<&str> = xsd::documents().iter().map(|document| document.name).collect();
    assert_eq!(all.len(), by_schema.len(), "each schema was tried: {:?}", by_schema.keys());
}

#[test]
fn xmllint_refuses_what_breaks_a_type() {
    let dir = tempfile::tempdir().unwrap();
    let member = |kind: Kind, from: &str, to: &str| {
        let mut line = Vec::new();
        let record: Record = examples::record(kind);
        record.write_line(&mut line);
        let line = String::from_utf8(line).unwrap();
        assert!(line.contains(from), "{line}");
        let path = dir.path().join(format!("{kind}.xml"));
        let line = line.replacen(from, to, 1);
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        fs::write(&path, format!("{head}\n<records kind=\"{kind}\">\n{line}\n</records>\n")).unwrap();
        lint(kind.name(), &[path])
    };
    assert_eq!(member(Kind::Contact, "<value>", "<value>"), None);
    for (kind, from, to) in [
        (Kind::Contact, "version=\"1\"", "version=\"0\""),
        (Kind::Contact, "form=\"live\"", "form=\"dead\""),
        (Kind::Contact, "key=\"", "key=\"0"),
        (Kind::Contact, "<recipient>", "<recipient>0"),
        (Kind::Contact, "</contact>", "<novelty>1</novelty></contact>"),
        (Kind::Person, "<birth_date>", "<birth_date>x"),
        (Kind::Person, "<sex>", "<sex>x"),
        (Kind::Person, "<snils>", "<snils>1"),
        (Kind::NeedDecision, "<grounds>", "<grounds>9 "),
        (Kind::Programme, "<no>1</no>", "<no>2</no>"),
        (Kind::Programme, "<no>1</no>", "<no>01</no>"),
        (Kind::Attachment, "<sha256>", "<sha256>0"),
    ] {
        let told = member(kind, from, to).unwrap_or_else(|| panic!("{kind}: {to} was taken"));
        assert!(told.contains("Schemas validity error"), "{told}");
    }
}
