//! docs/FORMAT.md lists every kind with every field as the schemas have them: the document cannot drift.
//! `SVOD_WRITE_DOCS=1 cargo test -p exchange-format --test format_document` writes the tables anew.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

use exchange_format::record::{Field, Kind, LineError, Owner, Type};

const BEGIN: &str = "<!-- records: written by exchange-format/tests/format_document.rs -->\n";
const END: &str = "<!-- /records -->";

fn words(ty: Type) -> String {
    let quoted = |list: &[&str]| list.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(" ");
    match ty {
        Type::Text(max) => format!("text {max}"),
        Type::Token => "token".into(),
        Type::Code(list) => format!("code {}", quoted(list)),
        Type::Codes(list) => format!("codes {}", quoted(list)),
        Type::Date => "date".into(),
        Type::Instant => "instant".into(),
        Type::Whole(max) => format!("whole {max}"),
        Type::Flag => "flag".into(),
        Type::Snils => "СНИЛС".into(),
        Type::Digest => "digest".into(),
        Type::Base64(max) => format!("base64 {max}"),
        Type::Id => "id".into(),
        Type::Ids(max) => format!("ids {max}"),
        Type::Reference(kinds) => {
            format!("ref {}", kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" "))
        }
    }
}

fn row(out: &mut String, prefix: &str, field: &Field) {
    let name = if field.required { format!("**{}**", field.name) } else { field.name.to_owned() };
    writeln!(out, "| {prefix}{name} | {} |", words(field.ty)).expect("writing to a string");
}

fn tables() -> String {
    let mut out = String::new();
    for kind in Kind::ALL {
        let schema = kind.schema();
        let owner = match schema.owner {
            Owner::Hub => "the hub",
            Owner::Centre => "the centre",
            Owner::HubOnly => "the hub, to itself",
            Owner::Author => "its author, the centre or the hub",
        };
        write!(out, "\n### `{kind}`\n\nOwner: {owner}.").expect("writing to a string");
        if let Some(table) = schema.table {
            write!(out, " Table at a centre: `{table}`.").expect("writing to a string");
        }
        out.push_str("\n\n| field | type |\n|---|---|\n");
        schema.fields.iter().for_each(|field| row(&mut out, "", field));
        if let Some(lines) = schema.lines {
            lines.fields.iter().for_each(|field| row(&mut out, "line: ", field));
        }
    }
    out.push('\n');
    out
}

#[test]
fn the_document_lists_every_field_of_every_kind() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/FORMAT.md");
    let document = fs::read_to_string(&path).expect("docs/FORMAT.md");
    let (before, rest) = document.split_once(BEGIN).expect("the opening mark");
    let (written, after) = rest.split_once(END).expect("the closing mark");
    let expected = tables();
    if std::env::var_os("SVOD_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("writing docs/FORMAT.md");
        return;
    }
    assert!(written == expected, "docs/FORMAT.md does not list the schemas; run with SVOD_WRITE_DOCS=1");
}

/// The words after the kind in the rules of answers, besides codes and fields, as the programs write them.
fn rule_words() -> BTreeSet<String> {
    let source = |path: &str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        let text = fs::read_to_string(path).expect("a source");
        text.split_once("mod tests").map_or(text.clone(), |(before, _)| before.to_owned())
    };
    let quoted_after = |text: &str, before: &str, end: char| -> BTreeSet<String> {
        let rest = text.split(before).skip(1).filter_map(|rest| rest.split_once(end));
        rest.filter_map(|(rest, _)| Some(rest.split('"').nth(1)?.to_owned())).collect()
    };
    let hub = source("hub/src/decisions/admission.rs");
    let mut words = quoted_after(&hub, "rule(&[", ']');
    words.extend(quoted_after(&hub, ": &str =", ';'));
    words.extend([LineError::Envelope, LineError::BodyAndForm].map(|flaw| flaw.word().to_owned()));
    let at_centres = [
        ("spoke/src/database/publications.rs", "Told::refused(\""),
        ("spoke/src/database/showing.rs", "=> (\""),
    ];
    for (path, before) in at_centres {
        let text = source(path);
        let rest = text.split(before).skip(1).filter_map(|rest| rest.split_once('"'));
        words.extend(rest.map(|(word, _)| word.to_owned()));
    }
    words
}

#[test]
fn every_word_of_a_rule_stands_in_the_table_of_words() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/FORMAT.md");
    let document = fs::read_to_string(&path).expect("docs/FORMAT.md");
    let is_listed =
        |word: &str| ["", "<field>."].iter().any(|of| document.contains(&format!("\n| `{of}{word}` |")));
    let words = rule_words();
    assert!(words.len() > 12 && words.contains("final") && words.contains("row"), "{words:?}");
    let missing: Vec<&String> = words.iter().filter(|word| !is_listed(word)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "not told in docs/FORMAT.md");
    let schemas = Kind::ALL.into_iter().map(Kind::schema);
    let fields = schemas
        .flat_map(|schema| schema.fields.iter().chain(schema.lines.map_or(&[][..], |lines| lines.fields)));
    let fields: BTreeSet<&str> = fields.map(|field| field.name).collect();
    let both: Vec<&String> = words.iter().filter(|word| fields.contains(word.as_str())).collect();
    assert_eq!(both, Vec::<&String>::new(), "a reader takes it for the field of that name");
}

#[test]
fn the_table_of_owners_names_every_kind_once_in_its_row() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/FORMAT.md");
    let document = fs::read_to_string(&path).expect("docs/FORMAT.md");
    let (_, section) = document.split_once("## Ownership\n").expect("the section");
    let (table, _) = section.split_once("\n## ").expect("the next section");
    for kind in Kind::ALL {
        let rows: Vec<&str> = table.lines().filter(|line| line.contains(&format!("`{kind}`"))).collect();
        let owner = match kind.owner() {
            Owner::Hub => "| the hub |",
            Owner::Centre => "| the centre |",
            Owner::HubOnly => "| the hub, to itself |",
            Owner::Author => "| its author, the centre or the hub |",
        };
        assert!(rows.len() == 1 && rows[0].contains(owner), "{kind}: {rows:?}");
    }
}
