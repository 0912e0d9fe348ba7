//! Every XML document of the packets that a city has exchanged, against the schemas of docs/schema.

use std::{
    collections::BTreeMap,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::Command,
};

use exchange_endpoint::keys;
use exchange_format::{
    file_name::FileName,
    packet::{Limits, MemberName, UnverifiedPacket, open_sealed},
    seal::Identity,
    xsd,
};

/// Hands all documents of the packets in the archive of the hub below `hub` to xmllint, those of one schema at once,
/// and says how many there were of each.
///
/// # Panics
/// If one is not as its schema has it, or a packet cannot be read.
pub fn valid_ones(hub: &Path) -> BTreeMap<String, usize> {
    let keys: Vec<Identity> = ["age.key", "archive.key"]
        .iter()
        .flat_map(|name| keys::read_identities(&hub.join("keys").join(name)).expect("the hub's keys"))
        .collect();
    let work = tempfile::tempdir().expect("a directory");
    let mut by_schema: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in entries(&hub.join("archive")).iter().flat_map(|peer| entries(peer)) {
        let Ok(name) = file.file_name().unwrap_or_default().to_string_lossy().parse::<FileName>() else {
            continue;
        };
        for (schema, bytes) in documents_of(&file, &name, &keys) {
            let files = by_schema.entry(schema.clone()).or_default();
            let path = work.path().join(format!("{schema}-{}.xml", files.len()));
            fs::write(&path, bytes).expect("written");
            files.push(path);
        }
    }
    for (schema, files) in &by_schema {
        lint(schema, files);
    }
    by_schema.into_iter().map(|(schema, files)| (schema, files.len())).collect()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.expect("readable").path()).collect()
}

/// The XML documents of a packet: which schema, and its bytes.
fn documents_of(file: &Path, name: &FileName, keys: &[Identity]) -> Vec<(String, Vec<u8>)> {
    let (bytes, limits) = (fs::read(file).expect("read"), Limits::default());
    let packet = if name.sealed {
        open_sealed(&bytes[..], keys, Cursor::new(Vec::new()), &limits).expect("sealed to the hub")
    } else {
        UnverifiedPacket::open(Cursor::new(bytes), &limits).expect("a packet")
    };
    let mut documents = vec![("manifest".to_owned(), packet.manifest_bytes().to_vec())];
    let members = packet.claims().members.clone();
    let mut packet = packet.without_sender();
    let mut content = packet.check_members().expect("whole");
    for member in members {
        let schema = match &member.name {
            MemberName::Records(kind) | MemberName::Mirror(kind) => kind,
            MemberName::Answer => "answer",
            MemberName::Card => continue,
        };
        let mut bytes = Vec::new();
        content.copy_member(&member.name, &mut bytes).expect("unpacked");
        documents.push((schema.to_owned(), bytes));
    }
    documents
}

/// Panics with what xmllint says of `files`, if it does not take them all.
fn lint(schema: &str, files: &[PathBuf]) {
    let document = xsd::documents().into_iter().find(|one| one.name == schema).expect("a schema");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema").join(document.file());
    let told = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(path)
        .args(files)
        .output()
        .expect("xmllint (libxml2-utils) is installed");
    let said = String::from_utf8_lossy(&told.stderr);
    let wrong: Vec<&str> = said.lines().filter(|line| !line.ends_with(" validates")).collect();
    assert!(told.status.success(), "{schema}: {}", wrong.join("\n"));
}
