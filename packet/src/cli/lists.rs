//! `schema` and `rules`: what records consist of and what they must keep, as the programs have it.

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure, Lang},
    tables::headings,
};
use exchange_format::{
    answer::{PacketReason, RecordReason, Text},
    record::{Field, Kind, Owner, Type},
    rules::{self, Rule, Severity},
    xsd,
};
use serde_json::{Value, json};

/// Of what.
#[derive(Debug, Args)]
pub struct Schema {
    /// A kind of record, or with --xsd also manifest or answer; without it, all are listed
    #[arg(value_name = "KIND")]
    document: Option<String>,
    /// The XML Schema (XSD 1.0) of the document
    #[arg(long, requires = "document")]
    xsd: bool,
}

impl Schema {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        match (&self.document, self.xsd) {
            (None, _) => kinds(common)?,
            (Some(name), true) => xml_schema(common, name)?,
            (Some(name), false) => fields_of(common, name)?,
        }
        Ok(Exit::Done)
    }
}

fn unknown(name: &str) -> Failure {
    Failure::new(Exit::Usage, "kind-unknown").with("length", name.chars().count())
}

fn kinds(common: &CommonArgs) -> Result<(), Failure> {
    let kinds: Vec<Value> = Kind::ALL
        .iter()
        .map(|kind| json!({"kind": kind.name(), "owner": owner(*kind), "table": kind.schema().table}))
        .collect();
    common.print(&json!({"kinds": kinds}), |lang| {
        let line = |kind: &Kind| format!("{}  {}", kind.name(), kind_word(lang, *kind));
        Kind::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

fn xml_schema(common: &CommonArgs, name: &str) -> Result<(), Failure> {
    let document = xsd::documents().into_iter().find(|one| one.name == name).ok_or_else(|| unknown(name))?;
    let value = json!({"document": name, "file": document.file(), "xsd": &document.text});
    common.print(&value, |_| document.text.trim_end().to_owned())
}

fn fields_of(common: &CommonArgs, name: &str) -> Result<(), Failure> {
    let kind: Kind = name.parse().map_err(|_| unknown(name))?;
    let schema = kind.schema();
    let lines = schema.lines.map_or(&[][..], |lines| lines.fields);
    let fields = |fields: &[Field]| fields.iter().map(field).collect::<Vec<Value>>();
    let value = json!({"kind": name, "owner": owner(kind), "table": schema.table,
        "fields": fields(schema.fields), "lines": fields(lines)});
    common.print(&value, |lang| {
        let mut text = vec![format!("{name}  {}", kind_word(lang, kind))];
        text.extend(schema.fields.iter().map(|field| field_line(lang, "", field)));
        text.extend(lines.iter().map(|field| field_line(lang, "line.", field)));
        text.join("\n")
    })
}

fn kind_word(lang: Lang, kind: Kind) -> String {
    messages::text(lang, &format!("kind-{kind}"), &[])
}

fn owner(kind: Kind) -> &'static str {
    match kind.owner() {
        Owner::Hub => "hub",
        Owner::Centre => "centre",
        Owner::HubOnly => "hub-only",
        Owner::Author => "author",
    }
}

fn type_word(ty: Type) -> String {
    let list = |codes: &[&str]| codes.join(" ");
    match ty {
        Type::Text(max) => format!("text {max}"),
        Type::Token => "token".to_owned(),
        Type::Code(codes) => format!("code {}", list(codes)),
        Type::Codes(codes) => format!("codes {}", list(codes)),
        Type::Date => "date".to_owned(),
        Type::Instant => "instant".to_owned(),
        Type::Whole(max) => format!("whole {max}"),
        Type::Flag => "flag".to_owned(),
        Type::Snils => "snils".to_owned(),
        Type::Digest => "digest".to_owned(),
        Type::Base64(max) => format!("base64 {max}"),
        Type::Id => "id".to_owned(),
        Type::Ids(max) => format!("ids {max}"),
        Type::Reference(kinds) => {
            format!("ref {}", list(&kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>()))
        }
    }
}

fn field(field: &Field) -> Value {
    json!({"name": field.name, "type": type_word(field.ty), "required": field.required})
}

fn field_line(lang: Lang, prefix: &str, field: &Field) -> String {
    let mark = if field.required { "*" } else { "" };
    let name = format!("  {prefix}{}{mark}", field.name);
    if lang == Lang::En {
        return format!("{name}  {}", type_word(field.ty));
    }
    let limit = match field.ty {
        Type::Text(max) | Type::Base64(max) => max.to_string(),
        Type::Whole(max) => max.to_string(),
        Type::Code(codes) | Type::Codes(codes) => codes.join(" "),
        Type::Reference(kinds) => kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    };
    let limit = if limit.is_empty() { limit } else { format!(" ({limit})") };
    format!("{name}  {}: {}{limit}", headings::field(lang, field.name), lang.of(field.ty.words()))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Warn => "warn",
        Severity::Refuse => "refuse",
    }
}

/// All rules of the domain, and the closed lists of reasons.
pub(super) fn rules(common: &CommonArgs) -> Result<Exit, Failure> {
    let rule = |rule: &Rule| {
        let applies: Vec<Value> = rule
            .applies
            .iter()
            .map(|(kind, how)| json!({"kind": kind.name(), "severity": severity(*how)}))
            .collect();
        json!({"code": rule.code, "applies": applies, "ru": rule.sentence.ru, "en": rule.sentence.en,
            "source": rule.source})
    };
    let rules: Vec<Value> = rules::all().map(rule).collect();
    let told: Vec<Value> = reasons().map(|(of, code, what, next)| {
        json!({"of": of, "code": code, "ru": what.ru, "en": what.en, "next_ru": next.ru, "next_en": next.en})
    }).collect();
    common.print(&json!({"rules": rules, "reasons": told}), |lang| {
        let mut lines = vec![messages::text(lang, "rules-of-records", &[])];
        lines.extend(rules::all().map(|rule| {
            let source = rule.source.replace("own", &messages::text(lang, "rules-own", &[]));
            format!("  {}  {} [{source}]", rule.code, lang.of(rule.sentence))
        }));
        lines.push(messages::text(lang, "rules-of-refusals", &[]));
        lines.extend(
            reasons().map(|(_, code, what, next)| format!("  {code}  {} → {}", lang.of(what), lang.of(next))),
        );
        lines.join("\n")
    })?;
    Ok(Exit::Done)
}

fn reasons() -> impl Iterator<Item = (&'static str, &'static str, Text, Text)> {
    let packet = PacketReason::ALL.iter().map(|r| ("packet", r.code(), r.sentence(), r.next_action()));
    packet.chain(RecordReason::ALL.iter().map(|r| ("record", r.code(), r.sentence(), r.next_action())))
}
