//! Crates: which may know which, and what they may bring with them.

use std::fs;

use super::{METADATA, Metadata, directory, hold, root, source::Source};

/// (crate, crate it depends on, whether only its tests do), both of the workspace.
type Edge = (String, String, bool);

fn edges(metadata: &Metadata) -> Vec<Edge> {
    let is_member = |name: &str| metadata.packages.iter().any(|package| package.name == name);
    let edges = metadata.packages.iter().flat_map(|package| {
        let ours = package.dependencies.iter().filter(|dependency| is_member(&dependency.name));
        ours.map(|d| (package.name.clone(), d.name.clone(), d.kind.as_deref() == Some("dev")))
    });
    edges.collect()
}

fn misdirected(edges: &[Edge]) -> Vec<String> {
    let may = |from: &str| -> &[&str] {
        match from {
            "exchange-endpoint" | "fixtures" => &["exchange-format"],
            "svod-hub" | "svod-spoke" | "svod-packet" => &["exchange-format", "exchange-endpoint"],
            _ => &[],
        }
    };
    edges
        .iter()
        .filter(|(from, to, tests_only)| {
            let for_tests = *tests_only && to == "fixtures";
            !(from == "svod-tests" || may(from).contains(&to.as_str()) || for_tests)
        })
        .map(|(from, to, tests_only)| format!("{from} -> {to}{}", if *tests_only { " (tests)" } else { "" }))
        .collect()
}

#[test]
fn crates_depend_one_way_down() {
    let edges = edges(&METADATA);
    assert!(edges.iter().any(|(from, to, _)| from == "svod-hub" && to == "exchange-endpoint"));
    hold(
        "exchange-format <- exchange-endpoint <- hub, spoke, packet; fixtures in tests only",
        &misdirected(&edges),
    );
}

#[test]
fn a_misdirected_crate_would_be_found() {
    let edge = |from: &str, to: &str, tests| (from.to_owned(), to.to_owned(), tests);
    for bad in [
        edge("svod-hub", "svod-spoke", false),
        edge("svod-spoke", "svod-hub", true),
        edge("exchange-format", "exchange-endpoint", false),
        edge("svod-hub", "fixtures", false),
        edge("fixtures", "exchange-endpoint", false),
        edge("exchange-endpoint", "svod-tests", true),
    ] {
        assert_eq!(misdirected(std::slice::from_ref(&bad)).len(), 1, "{bad:?}");
    }
    assert!(misdirected(&[edge("svod-hub", "fixtures", true)]).is_empty());
}

/// Libraries of the edge that `exchange-format` must not even be able to reach.
fn impure_dependencies(names: &[&str]) -> Vec<String> {
    const EDGE: [&str; 8] =
        ["tokio", "async-trait", "rusqlite", "rustls", "suppaftp", "tracing", "clap", "cap-std"];
    names.iter().filter(|name| EDGE.contains(name)).map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_format_knows_no_library_of_the_edge() {
    let format = METADATA.packages.iter().find(|p| p.name == "exchange-format").expect("a member");
    let normal = format.dependencies.iter().filter(|d| d.kind.is_none());
    let names: Vec<&str> = normal.map(|d| d.name.as_str()).collect();
    assert!(names.contains(&"sha2"));
    hold("exchange-format has no library of the edge", &impure_dependencies(&names));
    assert_eq!(impure_dependencies(&["sha2", "tokio"]), ["tokio"]);
}

/// The dependencies (names as in code) that `package` declares and no word of its sources or tests names.
fn idle(declared: &[String], sources: &[Source]) -> Vec<String> {
    let named = |name: &String| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        sources.iter().any(|source| source.raw.split(|c| !word(c)).any(|token| token == name))
    };
    declared.iter().filter(|name| !named(name)).cloned().collect()
}

#[test]
fn every_dependency_is_used() {
    let mut violations = Vec::new();
    for package in &METADATA.packages {
        let directory = directory(&package.name);
        let parts = ["src", "tests", "benches"].map(|part| directory.join(part));
        let sources: Vec<Source> = parts
            .iter()
            .filter(|part| part.exists())
            .flat_map(|part| Source::read_package(&package.name, part))
            .collect();
        let declared: Vec<String> = package.dependencies.iter().map(|d| d.name.replace('-', "_")).collect();
        violations.extend(idle(&declared, &sources).iter().map(|name| format!("{}: {name}", package.name)));
    }
    hold("every declared dependency is named in the code", &violations);
}

#[test]
fn an_idle_dependency_would_be_found() {
    let source = Source::new("svod-hub", "lib.rs", "use serde_json::json;");
    let declared = ["serde_json".to_owned(), "serde".to_owned()];
    assert_eq!(idle(&declared, &[source]), ["serde"]);
}

#[test]
fn there_is_one_tls_library() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock"); // of all systems
    let versions = |name: &str| lock.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
    assert_eq!(versions("rustls"), 1);
    for other in ["openssl", "native-tls", "aws-lc-rs"] {
        assert_eq!(versions(other), 0, "{other}");
    }
}
