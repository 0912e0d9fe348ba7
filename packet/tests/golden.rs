//! The auditor's tool on the golden packets: each valid one is proven, each invalid one is false for the reason that its
//! directory is called after.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use fixtures::golden;
use serde_json::Value;

fn packets(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|ending| ending.to_str()) {
            _ if path.is_dir() => found.extend(packets(&path)),
            Some("json" | "card") => {}
            _ => found.push(path),
        }
    }
    found
}

fn verify(file: &Path, trust: &Path) -> (i32, Value) {
    let keys = golden::root().join("keys");
    let Output { status, stdout, .. } = Command::new(env!("CARGO_BIN_EXE_svod-packet"))
        .args(["verify", "--format", "json", "--trust"])
        .arg(trust)
        .arg("--key")
        .arg(keys.join("hub.age.key"))
        .arg(file)
        .output()
        .unwrap();
    (status.code().unwrap(), serde_json::from_slice(&stdout).unwrap())
}

#[test]
fn valid_ones_are_proven() {
    let root = golden::root();
    for (directory, trust) in [("valid", "trust"), ("by_version/1", "by_version/1/trust")] {
        let packets = packets(&root.join(directory));
        assert!(packets.len() > 2);
        for file in packets {
            let (code, told) = verify(&file, &root.join(trust));
            assert_eq!((code, &told["verdict"]), (0, &"proven".into()), "{}: {told}", file.display());
        }
    }
}

#[test]
fn invalid_ones_are_false_for_their_reason() {
    let root = golden::root();
    let invalid = root.join("invalid");
    let packets = packets(&invalid);
    assert!(packets.len() > 80);
    for file in packets {
        let below = file.strip_prefix(&invalid).unwrap();
        let reason = below.components().next().unwrap().as_os_str().to_str().unwrap();
        let (code, told) = verify(&file, &root.join("trust"));
        // what cannot be opened with these keys, or is of a stranger, is not false: it is not decided
        let undecided = ["envelope-to-somebody-else", "no-card"]
            .iter()
            .any(|case| below.to_str().unwrap().contains(case));
        if undecided {
            assert_eq!((code, &told["verdict"]), (3, &"unknown".into()), "{}: {told}", below.display());
        } else {
            assert_eq!((code, told["reason"].as_str()), (1, Some(reason)), "{}: {told}", below.display());
        }
    }
}
