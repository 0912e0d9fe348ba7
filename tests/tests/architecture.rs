//! The rules of the house that matter, held by reading `cargo metadata` and the sources
//! (docs/ARCHITECTURE.md). Each rule is a function from what it looks at to the list of violations, and each
//! has a test that feeds it an offender, so that it can fail.

#[path = "architecture/crates.rs"]
mod crates;
#[path = "architecture/documents.rs"]
mod documents;
#[path = "architecture/source.rs"]
mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde::Deserialize;
use source::Source;

/// The crates that run in production; `fixtures` and `svod-tests` do not.
const PRODUCTION: [&str; 5] =
    ["exchange-format", "exchange-endpoint", "svod-hub", "svod-spoke", "svod-packet"];
const DAEMONS: [&str; 2] = ["svod-hub", "svod-spoke"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// What `cargo metadata` tells of this workspace. Read here and not by a library: the ones there are turn on features of
/// what the daemons use, so that every test run would build all of it anew.
#[derive(Deserialize)]
struct Metadata {
    /// The members of the workspace.
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or none for what production uses.
    kind: Option<String>,
}

static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    let told = Command::new(env!("CARGO"))
        // of the members alone: a build has not brought what other systems than this one need
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    serde_json::from_slice(&told.stdout).expect("cargo metadata of this workspace")
});

/// The directory of the member `name`.
fn directory(name: &str) -> PathBuf {
    let package = METADATA.packages.iter().find(|package| package.name == name).expect("a member");
    package.manifest_path.parent().expect("a directory").to_owned()
}

/// The sources of all production crates.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let found: Vec<Source> =
        PRODUCTION.iter().flat_map(|name| Source::read_package(name, &directory(name).join("src"))).collect();
    assert!(found.len() > 30, "the sources were found");
    found
});

/// Those that are not tests.
fn product() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| !source.is_test())
}

fn hold(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}

// --- purity --------------------------------------------------------------------------------------------

/// Where no input, output, clock or chance may be.
fn must_be_pure(source: &Source) -> bool {
    let format = source.package == "exchange-format" && source.layer() != "bin";
    format || (DAEMONS.contains(&source.package.as_str()) && source.layer() == "decisions")
}

fn impure(source: &Source) -> Vec<String> {
    const WORDS: &[&str] = &[
        "async",
        "await",
        "tokio",
        "rusqlite",
        "SystemTime",
        "HashMap",
        "HashSet",
        "getrandom",
        "new_v4",
        "thread_rng",
        "println",
        "eprintln",
        "dbg",
        "tracing",
        "exchange_endpoint",
    ];
    const CLOCKS: [[&str; 2]; 3] = [["Timestamp", "now"], ["Zoned", "now"], ["time", "Instant"]];
    const MODULES: [&str; 5] = ["fs", "net", "env", "process", "thread"];
    let offends = |path: &str| {
        let parts: Vec<&str> = path.split("::").collect();
        let clock = parts.windows(2).any(|pair| CLOCKS.contains(&[pair[0], pair[1]]));
        let module = parts[0] == "std" && parts.get(1).is_some_and(|part| MODULES.contains(part));
        clock || module || parts.iter().any(|part| WORDS.contains(part))
    };
    let paths = source.paths().into_iter().filter(|path| offends(path));
    paths.map(|path| format!("{}: {path}", source.place())).collect()
}

#[test]
fn decisions_and_format_are_pure() {
    let pure: Vec<&Source> = product().filter(|source| must_be_pure(source)).collect();
    for package in ["exchange-format", "svod-hub"] {
        assert!(pure.iter().any(|source| source.package == package), "{package} has pure sources");
    }
    let violations: Vec<String> = pure.into_iter().flat_map(impure).collect();
    hold("no input, output, clock, chance or unordered map in exchange-format and decisions/", &violations);
}

#[test]
fn impurity_would_be_found() {
    for bad in [
        "use std::{collections::BTreeMap, fs};",
        "use std::collections::HashMap;",
        "fn f() -> jiff::Timestamp { jiff::Timestamp::now() }",
        "async fn f() {}",
        "fn f() { std::thread::sleep(d); }",
        "use std::time::{Duration, Instant};",
        "use rusqlite::Connection;",
        "fn f() { let id = Uuid::new_v4(); }",
    ] {
        let source = Source::new("svod-hub", "decisions/link.rs", bad);
        assert!(must_be_pure(&source) && impure(&source).len() == 1, "{bad}: {:?}", impure(&source));
    }
    let good = Source::new("svod-hub", "decisions/link.rs", "use std::{fmt, time::Duration}; // std::fs\n");
    assert!(impure(&good).is_empty());
    assert!(!must_be_pure(&Source::new("svod-hub", "edges/event_loop.rs", "")));
}

// --- layers inside a daemon ----------------------------------------------------------------------------

fn out_of_layer(source: &Source) -> Vec<String> {
    let forbidden: &[&str] = match source.layer() {
        "decisions" => &["crate::cli", "crate::edges", "crate::database"],
        "database" => &["crate::cli", "crate::edges"],
        "edges" => &["crate::cli"],
        _ => &[],
    };
    let offends = |path: &String| {
        forbidden.iter().any(|layer| {
            path.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    };
    source.paths().into_iter().filter(offends).map(|path| format!("{}: {path}", source.place())).collect()
}

#[test]
fn layers_look_down_only() {
    let daemons = SOURCES.iter().filter(|source| DAEMONS.contains(&source.package.as_str()));
    hold("cli -> edges -> {decisions, database}", &daemons.flat_map(out_of_layer).collect::<Vec<_>>());
}

#[test]
fn a_look_upwards_would_be_found() {
    for (path, bad) in [
        ("decisions/link.rs", "use crate::{database::Store, decisions::x};"),
        ("decisions/link.rs", "use crate::edges;"),
        ("database/store.rs", "fn f() { crate::edges::wake() }"),
        ("edges/event_loop.rs", "use crate::cli::Arguments;"),
    ] {
        assert_eq!(out_of_layer(&Source::new("svod-hub", path, bad)).len(), 1, "{path}: {bad}");
    }
    let good = Source::new("svod-hub", "edges/event_loop.rs", "use crate::{database, decisions};");
    assert!(out_of_layer(&good).is_empty());
}

// --- standard output -----------------------------------------------------------------------------------

fn speaks(source: &Source) -> Vec<String> {
    let allowed = matches!(source.layer(), "cli" | "bin")
        || (source.package == "exchange-endpoint" && source.path == "output.rs");
    let words = ["println", "print_stdout", "stdout"];
    let paths = source.paths().into_iter();
    paths
        .filter(|path| !allowed && path.split("::").any(|part| words.contains(&part)))
        .map(|path| format!("{}: {path}", source.place()))
        .collect()
}

#[test]
fn standard_output_is_the_result_of_a_command() {
    let violations: Vec<String> = product().flat_map(speaks).collect();
    hold("standard output is written by cli/ and output.rs only", &violations);
}

#[test]
fn a_stray_print_would_be_found() {
    for bad in ["fn f() { println!(); }", "#[allow(clippy::print_stdout)] fn f() {}", "use std::io::stdout;"]
    {
        assert_eq!(speaks(&Source::new("svod-spoke", "edges/x.rs", bad)).len(), 1, "{bad}");
        assert!(speaks(&Source::new("svod-spoke", "cli/x.rs", bad)).is_empty());
    }
}

// --- SQL -----------------------------------------------------------------------------------------------

/// Whether `text` is SQL: a statement's first word and one more that only a statement has.
fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty()).collect();
    let second = |marks: &[&str]| words.iter().skip(1).any(|word| marks.contains(word));
    match words.first() {
        Some(&"PRAGMA" | &"SAVEPOINT") => true,
        Some(&"SELECT") => second(&["FROM", "WHERE", "RAISE", "AS"]),
        Some(&"INSERT" | &"REPLACE") => second(&["INTO"]),
        Some(&"UPDATE") => second(&["SET"]),
        Some(&"DELETE") => second(&["FROM"]),
        Some(&"CREATE" | &"DROP" | &"ALTER") => second(&["TABLE", "TRIGGER", "INDEX", "VIEW"]),
        Some(&"BEGIN") => second(&["IMMEDIATE", "EXCLUSIVE", "SELECT"]),
        _ => false,
    }
}

fn stray_sql(source: &Source) -> Vec<String> {
    let allowed = match source.package.as_str() {
        "svod-hub" | "svod-spoke" => source.layer() == "database",
        "exchange-endpoint" => {
            matches!(
                source.path.as_str(),
                "journal_table.rs"
                    | "request_table.rs"
                    | "key_table.rs"
                    | "difference_table.rs"
                    | "protocol_table.rs"
            ) || source.path.starts_with("database")
        }
        _ => false,
    };
    if allowed {
        return Vec::new();
    }
    let texts = source.texts.iter().filter(|(_, text)| is_sql(text));
    texts
        .map(|(at, text)| {
            format!("{}:{}: {}", source.place(), source.line(*at), text.trim().lines().next().unwrap_or(""))
        })
        .collect()
}

#[test]
fn sql_stays_in_the_database_layer() {
    let violations: Vec<String> = product().flat_map(stray_sql).collect();
    hold("SQL is in database/ only", &violations);
}

#[test]
fn stray_sql_would_be_found() {
    for sql in ["SELECT n FROM journal", "  UPDATE t SET x = 1", "PRAGMA data_version", "BEGIN IMMEDIATE"] {
        let raw = format!("fn f() {{ db.execute(\"{sql}\") }}");
        assert_eq!(stray_sql(&Source::new("svod-hub", "edges/x.rs", &raw)).len(), 1, "{sql}");
        assert!(stray_sql(&Source::new("svod-hub", "database/x.rs", &raw)).is_empty());
    }
    for words in ["UPDATE refused", "SELECTED from the list", "DELETE"] {
        assert!(!is_sql(words), "{words}");
    }
}

// --- files ---------------------------------------------------------------------------------------------

const LONGEST: usize = 500;

fn untidy(source: &Source) -> Vec<String> {
    let mut violations = Vec::new();
    if !source.raw.starts_with("//! ") {
        violations.push(format!("{}: has no header that says what lives there", source.place()));
    }
    let lines = source.raw.lines().count();
    let header = source.raw.lines().take_while(|line| line.starts_with("//!"));
    if lines > LONGEST && !header.into_iter().any(|line| line.contains("Longer than")) {
        violations
            .push(format!("{}: {lines} lines, and no “Longer than … because” in its header", source.place()));
    }
    violations
}

#[test]
fn every_file_says_what_lives_there_and_is_not_long() {
    let other: Vec<Source> = ["fixtures", "svod-tests"]
        .iter()
        .flat_map(|name| ["src", "tests"].map(|part| (name, directory(name).join(part))))
        .filter(|(_, directory)| directory.exists())
        .flat_map(|(name, directory)| Source::read_package(name, &directory))
        .collect();
    let all = SOURCES.iter().chain(&other);
    assert!(other.iter().any(|source| source.path == "architecture.rs"));
    hold("every file has a header and at most 500 lines", &all.flat_map(untidy).collect::<Vec<_>>());
}

#[test]
fn an_untidy_file_would_be_found() {
    let long = "fn f() {}\n".repeat(LONGEST);
    let untidy = |raw: &str| untidy(&Source::new("svod-hub", "lib.rs", raw)).len();
    assert_eq!(untidy("fn f() {}\n"), 1);
    assert_eq!(untidy(&format!("//! All.\n{long}")), 1);
    assert_eq!(untidy(&format!("//! All. Longer than 500 lines because it is one table.\n{long}")), 0);
}

// --- people --------------------------------------------------------------------------------------------

/// The surnames of the synthetic city. Given names are not looked for: the hub knows their variants.
fn surnames() -> BTreeSet<String> {
    let list = fs::read_to_string(root().join("fixtures/data/names_ru_top.tsv")).expect("the list of names");
    let surnames = list.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        (columns.next()? == "surname").then_some(())?;
        columns.nth(1).map(str::to_owned)
    });
    surnames.collect()
}

fn names_people<'a>(texts: impl Iterator<Item = &'a str>, surnames: &BTreeSet<String>) -> Vec<String> {
    let words = texts.flat_map(|text| text.split(|c: char| !c.is_alphabetic()));
    words.filter(|word| surnames.contains(*word)).map(str::to_owned).collect()
}

#[test]
fn no_person_of_the_fixtures_is_in_the_product() {
    let surnames = surnames();
    assert!(surnames.len() > 100 && surnames.contains("Иванов"));
    let mut violations = Vec::new();
    for source in product() {
        let texts = source.texts.iter().map(|(_, text)| text.as_str());
        violations
            .extend(names_people(texts, &surnames).iter().map(|name| format!("{}: {name}", source.place())));
    }
    let words = catalogue();
    violations.extend(names_people(words.values().map(String::as_str), &surnames));
    hold("no surname of the synthetic city in a text of the product", &violations);
    assert_eq!(names_people(["дело: Иванов"].into_iter(), &surnames), ["Иванов"]);
}

// --- words ---------------------------------------------------------------------------------------------

/// The Russian messages by id. That the English ones have the same ids is a test of exchange-endpoint.
fn catalogue() -> BTreeMap<String, String> {
    let directory = root().join("exchange-endpoint/src/messages/ru");
    let mut messages = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("the catalogue") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("UTF-8");
        let ids = text.lines().filter(|line| !line.starts_with([' ', '#']));
        messages.extend(
            ids.filter_map(|l| l.split_once(" =")).map(|(id, text)| (id.to_owned(), text.to_owned())),
        );
    }
    messages
}

/// The ids that `source` asks the catalogue for by name: errors by code, messages by id.
fn asked_for(source: &Source) -> Vec<String> {
    let mut ids = Vec::new();
    for (call, first, prefix) in [("new(", "Exit::", "error-"), ("messages::text(", "", "")] {
        for (at, _) in source.code.match_indices(call) {
            let arguments = at + call.len();
            if !source.code[arguments..].trim_start().starts_with(first) {
                continue;
            }
            // The id is the second argument, if it is written out.
            let Some(comma) = source.code[arguments..].find(',') else { continue };
            let argument = source.raw[arguments + comma + 1..].trim_start();
            let id = argument.strip_prefix('"').and_then(|text| text.split('"').next());
            ids.extend(id.map(|id| format!("{prefix}{id}")));
        }
    }
    ids
}

fn untold(source: &Source, catalogue: &BTreeMap<String, String>) -> Vec<String> {
    let ids = asked_for(source).into_iter().filter(|id| !catalogue.contains_key(id));
    ids.map(|id| format!("{}: {id}", source.place())).collect()
}

/// The programs that show the product speak too.
static SHOWN: LazyLock<Vec<Source>> =
    LazyLock::new(|| Source::read_package("svod-tests", &directory("svod-tests").join("src")));

/// The errors of `catalogue` whose code stands in no text of `speakers`.
fn unsaid<'a>(
    catalogue: &BTreeMap<String, String>,
    speakers: impl Iterator<Item = &'a Source>,
) -> Vec<String> {
    let said: BTreeSet<&str> =
        speakers.flat_map(|source| &source.texts).map(|(_, text)| text.as_str()).collect();
    let codes = catalogue.keys().filter_map(|id| id.strip_prefix("error-"));
    codes.filter(|code| !said.contains(code)).map(str::to_owned).collect()
}

#[test]
fn every_message_asked_for_is_in_the_catalogue_and_every_error_there_can_happen() {
    let catalogue = catalogue();
    let speakers = || product().chain(SHOWN.iter());
    assert!(speakers().map(|source| asked_for(source).len()).sum::<usize>() > 10);
    let untold: Vec<String> = speakers().flat_map(|source| untold(source, &catalogue)).collect();
    hold("every error code and message asked for has its words", &untold);
    hold("every error of the catalogue is one that can happen", &unsaid(&catalogue, speakers()));
}

#[test]
fn a_message_without_words_would_be_found() {
    let catalogue = BTreeMap::from([("error-known".to_owned(), String::new())]);
    let raw = "fn f() { Failure::new(Exit::Usage, \"known\"); Failure::new(\n    Exit::Usage,\n    \"new\",\n); \
               messages::text(lang, &format!(\"x-{y}\"), &[]) }";
    let calls = Source::new("svod-hub", "cli/x.rs", raw);
    assert_eq!(untold(&calls, &catalogue), ["svod-hub/src/cli/x.rs: error-new"]);
    assert!(unsaid(&catalogue, [calls].iter()).is_empty());
    let silent = Source::new("svod-hub", "cli/x.rs", "fn f() {}");
    assert_eq!(unsaid(&catalogue, [silent].iter()), ["known"]);
}
