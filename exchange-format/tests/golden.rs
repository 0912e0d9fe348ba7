//! The golden packets of `fixtures/packets`: each valid one is read with the hashes expected, each invalid one is refused by
//! just the reason that its directory is called after, and none is forgotten.
//!
//! `SVOD_WRITE_GOLDEN=1 cargo test -p exchange-format --test golden` makes them anew.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

use exchange_format::{
    answer::{PacketReason, ProtocolReader, Receipt, RecordReason, Request},
    card::Card,
    error::PacketError,
    file_name::{FileName, PacketKind},
    keys,
    packet::{Limits, Manifest, MemberName, UnverifiedPacket, open_sealed},
    record::{Form, Kind, Record},
    rules,
    signature::{RecordText, verify_record},
};
use fixtures::golden;

/// What a file turned out to be.
#[derive(Debug)]
struct Opened {
    manifest: Manifest,
    digest: String,
    records: Vec<Record>,
    /// Why records are refused alone.
    refused: Vec<&'static str>,
}

struct Reader {
    cards: Vec<Card>,
    limits: Limits,
}

impl Reader {
    fn of(trust: &Path) -> Self {
        let files = fs::read_dir(trust).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        Self {
            cards: files.map(|bytes| Card::from_bytes(&bytes).unwrap()).collect(),
            limits: Limits::default(),
        }
    }

    /// Every check that one file allows, in the order of FORMAT.md.
    fn read(&self, path: &Path) -> Result<Opened, PacketError> {
        let name: FileName = path.file_name().unwrap().to_str().unwrap().parse()?;
        let bytes = fs::read(path).unwrap();
        let identities = ["hub", "centre"].map(golden::identity);
        let packet = if name.sealed {
            open_sealed(&bytes[..], &identities, Cursor::new(Vec::new()), &self.limits)?
        } else {
            UnverifiedPacket::open(Cursor::new(bytes), &self.limits)?
        };
        let card = self.cards.iter().find(|card| card.content.code == packet.claims().header.from);
        let mut packet = packet.verify(&name, |_| card.map(|card| card.content.signing_key.clone()))?;
        let (manifest, digest) = (packet.manifest().clone(), packet.digest().to_string());
        let mut content = packet.check_members()?;
        let manifest_is_hubs = card.unwrap().content.tls_ca.is_some();
        let mut opened = Opened { manifest, digest, records: Vec::new(), refused: Vec::new() };
        for member in opened.manifest.members.clone() {
            if member.name == MemberName::Answer {
                let mut bytes = Vec::new();
                content.copy_member(&member.name, &mut bytes)?;
                read_answer(&opened.manifest, &bytes)?;
                continue;
            }
            if member.name == MemberName::Card {
                assert_ne!(keys::read_card(&mut content, card.unwrap())?, *card.unwrap());
                continue;
            }
            let schema =
                |line| PacketError::Line { member: member.name.to_string(), line, problem: "no record" };
            let mirror = member.name.mirrored();
            let kind = member.name.kind().or(mirror).unwrap();
            let kind: Kind = kind.parse().map_err(|_| schema(2))?;
            content.for_each_line(&member.name, |line| {
                let (record, flaw) = Record::read_line(kind, line).map_err(|_| schema(3))?;
                if mirror.is_some() {
                    assert!(flaw.is_none() && kind.owner().centre_writes() && manifest_is_hubs);
                    return Ok(());
                }
                let refused = flaw.is_some() || !is_sound(&record, &opened.manifest, card.unwrap());
                match (may_write(&record, &opened.manifest, card.unwrap()), refused) {
                    (false, _) => opened.refused.push(RecordReason::NotOwner.code()),
                    (true, true) => opened.refused.push(RecordReason::Invalid.code()),
                    (true, false) => {}
                }
                opened.records.push(record);
                Ok::<_, PacketError>(())
            })?;
        }
        Ok(opened)
    }
}

fn may_write(record: &Record, manifest: &Manifest, card: &Card) -> bool {
    let owner = record.kind.owner();
    match (manifest.header.from == manifest.header.to, card.content.tls_ca.is_some()) {
        (true, _) => !owner.hub_publishes() && !owner.centre_writes(),
        (false, true) => owner.hub_publishes(),
        (false, false) => owner.centre_writes(),
    }
}

fn is_sound(record: &Record, manifest: &Manifest, card: &Card) -> bool {
    let header = &manifest.header;
    if card.content.tls_ca.is_some() && header.to != header.from {
        let hash = record.hash();
        let text = RecordText::of(header.to, record, &hash);
        let holds = |signature| verify_record(&card.content.signing_key, &text, signature).is_ok();
        if !record.signature.as_ref().is_some_and(holds) {
            return false;
        }
    }
    let body = || record.read_body().ok();
    record.form == Form::Tombstone || body().is_some_and(|body| rules::first_fault(&body).is_none())
}

/// An answer of a golden packet is sound, and goes with its manifest.
fn read_answer(manifest: &Manifest, bytes: &[u8]) -> Result<(), PacketError> {
    let answered = manifest.header.answered();
    if manifest.header.kind() == PacketKind::Receipt {
        assert_eq!(Some(Receipt::read(bytes).unwrap().answered), answered);
        return Ok(());
    }
    if manifest.header.kind() == PacketKind::Request {
        return Ok(Request::read(bytes)?.check_goes_with(&manifest.header)?);
    }
    let mut reader = ProtocolReader::new(bytes, 1000).unwrap();
    assert_eq!(Some(reader.head().answered), answered);
    while reader.next_line().unwrap().is_some() {}
    Ok(())
}

/// The files below `directory`, but those that are no packets.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_none_or(|ending| ending != "json" && ending != "card") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `{"<file>": {"digest", "records": [[kind, key, version, form, sha256]]}}`, a record a line.
fn expected(packets: &BTreeMap<String, Opened>) -> String {
    let packet = |(name, opened): (&String, &Opened)| {
        let row = |record: &Record| {
            let Record { kind, key, version, form, .. } = record;
            format!("   [\"{kind}\", \"{key}\", {version}, \"{form}\", \"{}\"]", record.hash())
        };
        let rows: Vec<String> = opened.records.iter().map(row).collect();
        format!(" \"{name}\": {{\"digest\": \"{}\", \"records\": [\n{}]}}", opened.digest, rows.join(",\n"))
    };
    format!("{{\n{}\n}}\n", packets.iter().map(packet).collect::<Vec<_>>().join(",\n"))
}

fn read_all(directory: &Path, reader: &Reader) -> BTreeMap<String, Opened> {
    let read = |path: PathBuf| {
        let opened = reader.read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(opened.refused, [""; 0], "{}", path.display());
        (path.file_name().unwrap().to_str().unwrap().to_owned(), opened)
    };
    files(directory).into_iter().map(read).collect()
}

/// Makes the collection anew, if that is asked for.
fn write_if_asked() {
    if std::env::var_os("SVOD_WRITE_GOLDEN").is_none() {
        return;
    }
    let root = golden::root();
    let keys = root.join("keys");
    for name in ["hub", "centre"] {
        let path = keys.join(format!("{name}.age.key"));
        if !path.exists() {
            let key = exchange_format::seal::Identity::generate().to_secret_text();
            fs::write(path, format!("{key}\n")).unwrap();
        }
    }
    for directory in ["valid", "invalid", "trust"] {
        let _ = fs::remove_dir_all(root.join(directory));
    }
    let cards = golden::cards();
    let cards =
        cards.iter().map(|card| (format!("trust/{}.card", card.content.code), card.to_bytes().to_vec()));
    let valid = golden::valid().into_iter().map(|(name, bytes)| (format!("valid/{name}"), bytes));
    let invalid = golden::invalid().into_iter().map(|(name, bytes)| (format!("invalid/{name}"), bytes));
    let cases = [("invalid/cases.json".to_owned(), cases().into_bytes())];
    for (name, bytes) in cards.chain(valid).chain(invalid).chain(cases) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(!path.exists(), "{} twice", path.display());
        fs::write(path, bytes).unwrap();
    }
    let reader = Reader::of(&root.join("trust"));
    for directory in ["valid", "by_version/1"] {
        let packets = read_all(&root.join(directory), &trusting(directory, &reader));
        fs::write(root.join(directory).join("expected.json"), expected(&packets)).unwrap();
    }
}

/// The reader with the cards of a version, if it has its own.
fn trusting(directory: &str, usual: &Reader) -> Reader {
    let own = golden::root().join(directory).join("trust");
    if own.exists() {
        Reader::of(&own)
    } else {
        Reader { cards: usual.cards.clone(), limits: Limits::default() }
    }
}

/// One test: the collection is written before it is read.
#[test]
fn golden_packets() {
    write_if_asked();
    let root = golden::root();
    let usual = Reader::of(&root.join("trust"));
    for directory in ["valid", "by_version/1"] {
        let packets = read_all(&root.join(directory), &trusting(directory, &usual));
        let committed = fs::read_to_string(root.join(directory).join("expected.json")).unwrap();
        assert!(committed == expected(&packets), "{directory}: the hashes are those of expected.json");
        if directory == "valid" {
            complete(&packets);
        }
    }
    let listed = fs::read_to_string(root.join("invalid/cases.json")).unwrap();
    assert!(listed == cases(), "invalid/cases.json lists what fixtures/src/golden_invalid.rs makes");
    let mut found: Cases = BTreeMap::new();
    let mut reasons = BTreeSet::new();
    for path in files(&root.join("invalid")) {
        let below = path.strip_prefix(root.join("invalid")).unwrap();
        let reason = below.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        match usual.read(&path) {
            Err(error) => assert_eq!(error.reason().unwrap().code(), reason, "{}: {error}", below.display()),
            Ok(opened) => assert_eq!(opened.refused, [reason.as_str()], "{}", below.display()),
        }
        assert_eq!(below.components().count(), 3, "{}: one file a case", below.display());
        let case = below.components().nth(1).unwrap().as_os_str().to_str().unwrap().to_owned();
        assert!(
            found.entry(reason.clone()).or_default().insert(case),
            "{}: one file a case",
            below.display()
        );
        reasons.insert(reason);
    }
    assert_eq!(found, made(), "none is lost, none is there that nobody makes");
    assert_eq!(reasons, reasons_of_files());
}

/// Invalid cases by reason.
type Cases = BTreeMap<String, BTreeSet<String>>;

/// What `fixtures` makes.
fn made() -> Cases {
    let mut cases = Cases::new();
    for (name, _) in golden::invalid() {
        let mut parts = name.split('/').map(str::to_owned);
        cases.entry(parts.next().unwrap()).or_default().insert(parts.next().unwrap());
    }
    cases
}

/// The list of the invalid cases, for other readers.
fn cases() -> String {
    let of = |(reason, cases): (&String, &BTreeSet<String>)| {
        let cases: Vec<String> = cases.iter().map(|case| format!("  \"{case}\"")).collect();
        format!(" \"{reason}\": [\n{}]", cases.join(",\n"))
    };
    format!("{{\n{}\n}}\n", made().iter().map(of).collect::<Vec<_>>().join(",\n"))
}

/// Every kind of record, every form, every kind of packet that the format describes; sealed and not.
fn complete(packets: &BTreeMap<String, Opened>) {
    let records = || packets.values().flat_map(|opened| &opened.records);
    for kind in Kind::ALL {
        assert!(records().any(|record| record.kind == kind), "no golden {kind}");
    }
    for form in [Form::Live, Form::Withdrawn, Form::Tombstone] {
        assert!(records().any(|record| record.form == form), "no golden record {form}");
    }
    for letters in ["DT", "SN", "KY", "KV", "PR", "RQ"] {
        assert!(packets.keys().any(|name| name.contains(&format!("_{letters}_"))), "no golden {letters}");
    }
    for sealed in [true, false] {
        let is = |name: &String| name.parse::<FileName>().unwrap().sealed == sealed;
        assert!(packets.keys().any(is));
    }
}

/// What the reader of one file can refuse it, or one of its records, for: every reason but those of streams and of what a
/// receiver knows besides.
fn reasons_of_files() -> BTreeSet<String> {
    use PacketReason::{Clone, Fork, StaleEpoch};
    use RecordReason::{Invalid, NotOwner};
    let of_files = PacketReason::ALL.iter().filter(|reason| !matches!(reason, Fork | Clone | StaleEpoch));
    let packets = of_files.map(|reason| reason.code().to_owned());
    packets.chain([Invalid, NotOwner].map(|reason| reason.code().to_owned())).collect()
}
