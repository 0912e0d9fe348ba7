//! docs/FORMAT.md lists every kind with every field as the schemas have them: the document cannot drift.
//! `SVOD_WRITE_DOCS=1 cargo test -p exchange-format --test format_document` writes the tables anew.

use std::{fmt::Write as _, fs, path::PathBuf};

use exchange_format::record::{Field, Kind, Owner, Type};

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
