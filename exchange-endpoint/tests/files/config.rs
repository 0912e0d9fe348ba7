//! Each way for a configuration file to be wrong, and what is said of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    config::*,
    messages::Lang,
    output::{Exit, Failure},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Daemon {
    database: PathBuf,
    ftps: Ftps,
    #[serde(default)]
    centre: Vec<Centre>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ftps {
    port: u16,
    #[serde(default)]
    stall_s: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Centre {
    #[expect(dead_code, reason = "only its type matters here")]
    code: String,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Place {
    Folder {
        #[expect(dead_code, reason = "only its type matters here")]
        path: PathBuf,
    },
}

#[derive(Debug, Deserialize)]
struct Tagged {
    #[expect(dead_code, reason = "only its type matters here")]
    mailbox: Place,
}

#[test]
fn inside_a_tagged_table_the_key_is_found_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("svod-spoke.toml");
    fs::write(&file, "[mailbox]\nkind = \"folder\"\npth = \"x\"\n").expect("written");
    let failure = Failure::from(Config::<Tagged>::load(&file).expect_err("refused"));
    assert_eq!(failure.code(), "config-mistyped-key");
    assert!(failure.to_string().contains("svod-spoke.toml:3: key mailbox.pth"), "{failure}");
}

fn read(text: &str) -> Result<Config<Daemon>, ConfigError> {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("svod-hub.toml");
    fs::write(&file, text).expect("written");
    Config::load(&file)
}

/// Line, key and fault of the file `text`, which is wrong.
fn wrong(text: &str) -> (usize, String, Fault) {
    match read(text).expect_err("refused") {
        ConfigError::Wrong { place, fault } => (place.line, place.key, fault),
        ConfigError::Unreadable { source, .. } => panic!("{source}"),
    }
}

#[test]
fn paths_are_relative_to_the_file() {
    let config = read("database = \"data/hub.db\"\n[ftps]\nport = 2121\n").expect("good");
    assert_eq!(config.ftps.port, 2121);
    assert_eq!((config.ftps.stall_s, config.centre.len()), (0, 0));
    let resolved = config.path(&config.database);
    assert!(resolved.is_absolute() && resolved.ends_with("data/hub.db"));
    assert_eq!(resolved.parent().and_then(Path::parent), config.file().parent());
    assert_eq!(config.path(Path::new("/var/hub.db")), Path::new("/var/hub.db"));
}

#[test]
fn a_mistyped_key_gets_the_nearest_known_one() {
    let (line, key, fault) = wrong("database = \"hub.db\"\n\n[ftps]\nprot = 2121\n");
    assert_eq!((line, key.as_str()), (4, "ftps.prot"));
    assert_eq!(
        fault,
        Fault::UnknownKey { nearest: Some("port".into()), known: vec!["port".into(), "stall_s".into()] }
    );
}

#[test]
fn a_key_like_no_other_gets_the_list() {
    let (line, key, fault) = wrong("colour = 1\ndatabase = \"hub.db\"\nftps = { port = 1 }\n");
    assert_eq!((line, key.as_str()), (1, "colour"));
    assert!(matches!(fault, Fault::UnknownKey { nearest: None, known } if known.len() == 3));
}

#[test]
fn a_value_of_the_wrong_kind_or_size_is_named() {
    let (line, key, fault) = wrong("database = \"hub.db\"\n[ftps]\nstall_s = 5\nport = \"many\"\n");
    assert_eq!((line, key.as_str()), (4, "ftps.port"));
    assert!(matches!(fault, Fault::Value(detail) if detail.to_string().contains("expected u16")));
    let (line, key, fault) = wrong("database = \"hub.db\"\n[ftps]\nport = 70000\n");
    assert_eq!((line, key.as_str()), (3, "ftps.port"));
    assert!(matches!(fault, Fault::Value(detail) if detail.to_string().contains("70000")));
}

#[test]
fn a_missing_key_is_named_with_its_table() {
    let (line, key, fault) = wrong("database = \"hub.db\"\n[ftps]\nstall_s = 5\n");
    assert_eq!((line, key.as_str(), fault), (2, "ftps.port", Fault::Missing));
    let (_, key, fault) = wrong("[ftps]\nport = 1\n");
    assert_eq!((key.as_str(), fault), ("database", Fault::Missing));
}

#[test]
fn an_element_of_a_list_is_told_by_its_place() {
    let text = "database = \"h\"\nftps = { port = 1 }\n[[centre]]\ncode = \"1\"\n[[centre]]\ncode = 2\n";
    let (line, key, _) = wrong(text);
    assert_eq!((line, key.as_str()), (6, "centre[2].code"));
}

#[test]
fn what_is_not_toml_is_told_by_its_line() {
    let (line, _, fault) = wrong("database = \"hub.db\"\nftps = [\n");
    assert!(matches!(fault, Fault::Syntax { .. }));
    assert!((2..=3).contains(&line));
    let (line, _, fault) = wrong("database = \"a\"\ndatabase = \"b\"\n");
    assert!(matches!(fault, Fault::Syntax { .. }), "{fault}");
    assert_eq!(line, 2);
}

#[test]
fn a_value_refused_later_is_found_again() {
    let config = read("database = \"hub.db\"\n[ftps]\nport = 0\n").expect("good so far");
    let failure = Failure::from(config.refuse("ftps.port", "must not be 0".to_owned()));
    assert_eq!((failure.code(), failure.exit()), ("config-value", Exit::Usage));
    let told = failure.message(Lang::Ru);
    assert!(told.contains("svod-hub.toml:3: ключ ftps.port: must not be 0"), "{told}");
}

#[test]
fn every_fault_reaches_the_operator_with_file_line_and_key() {
    for text in ["database = 1", "data = \"hub.db\"", "[ftps]\nport = 1", "x ="] {
        let failure = Failure::from(read(text).expect_err("refused"));
        assert_eq!(failure.exit(), Exit::Usage);
        for lang in [Lang::Ru, Lang::En] {
            assert!(failure.message(lang).contains("svod-hub.toml:1"), "{}", failure.message(lang));
            assert!(!failure.next(lang).is_empty());
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::<Daemon>::load(Path::new("/nonexistent/svod-hub.toml")).expect_err("missing");
    let failure = Failure::from(error);
    assert_eq!((failure.code(), failure.exit()), ("config-unreadable", Exit::Usage));
    assert!(failure.message(Lang::En).contains("/nonexistent/svod-hub.toml"));
}
