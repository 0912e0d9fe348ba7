//! `init`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::city::{City, centre, done, init, refused, run};

#[test]
fn init_makes_a_hub_and_overwrites_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let hub = dir.path().join("hub");
    let told = done(&init(&hub));
    assert_eq!(told["fingerprint"].as_str().expect("text").len(), 64);
    assert_eq!(told["card"], hub.join(format!("{}.card", centre(0))).to_str().expect("UTF-8"));
    for name in
        ["svod-hub.toml", "hub.db", "pki/ca.pem", "pki/server.pem", "pki/server.key", "keys/watermark"]
    {
        assert!(hub.join(name).is_file(), "{name}");
    }
    for name in ["keys", "trust", "ftp", "archive", "quarantine", "protocols"] {
        assert!(hub.join(name).is_dir(), "{name}");
    }
    let mode = fs::metadata(hub.join("keys/signing.key")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(fs::read_to_string(hub.join("svod-hub.toml")).expect("text").contains("0.0.0.0:2121"));
    let config = hub.join("svod-hub.toml");
    let card = run(&["centre", "card", "--format", "json", "--config", config.to_str().expect("UTF-8")]);
    assert_eq!(done(&card)["fingerprint"], told["fingerprint"]);

    let files = |dir: &Path| fs::read_dir(dir).expect("a directory").count();
    let before = (files(&hub), fs::read(hub.join("keys/signing.key")).expect("read"));
    assert_eq!(refused(&init(&hub)), (3, "hub-exists".into()));
    assert_eq!((files(&hub), fs::read(hub.join("keys/signing.key")).expect("read")), before);
    // one thing that is in the way keeps everything from being made
    let other = dir.path().join("other");
    fs::create_dir_all(other.join("protocols")).expect("made");
    assert_eq!(refused(&init(&other)), (3, "hub-exists".into()));
    assert_eq!(files(&other), 1);
    assert_eq!(refused(&init(Path::new("/proc/none/hub"))), (2, "hub-file".into()));
}

#[test]
fn case_numbers_need_a_municipality() {
    let dir = tempfile::tempdir().expect("a directory");
    let hub = dir.path().join("hub");
    let code = centre(0).to_string();
    let init = ["init", "--dir", hub.to_str().expect("UTF-8"), "--code", &code, "--format", "json"];
    assert_eq!(refused(&run(&init)), (2, "oktmo-missing".into()));
    let zeros = run(&[&init[..], &["--oktmo", "00000000"]].concat());
    assert_eq!(refused(&zeros), (2, "hub-case-numbers".into()));
    assert!(!hub.exists(), "nothing is made");
}

/// Every file and directory below `dir` whose mode gives others than its owner anything.
fn shared(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("read") {
        let path = entry.expect("read").path();
        let metadata = fs::metadata(&path).expect("there");
        if metadata.permissions().mode() & 0o077 != 0 {
            found.push(path.clone());
        }
        if metadata.is_dir() {
            found.extend(shared(&path));
        }
    }
    found
}

#[test]
fn all_that_a_hub_makes_is_its_owners_alone() {
    let city = City::new();
    done(&city.add(&city.card(1), "long enough"));
    done(&city.run(&["merge"]));
    assert_eq!(shared(&city.hub()), Vec::<PathBuf>::new());
}
