//! `check`: the register against the rules of the domain.

use clap::Args;
use exchange_endpoint::{
    messages::{self, word},
    output::{CommonArgs, Exit, Failure, Lang},
    tables::headings,
};
use exchange_format::rules;
use jiff::Timestamp;
use serde_json::json;

use super::config;
use crate::edges::operations::check::{self, Fault};

/// Which persons, documents and records that staff drew up break a rule, and which are not published because of it
#[derive(Debug, Args)]
pub struct Check {
    /// Only what is not published, or not as it is now
    #[arg(long)]
    refused: bool,
}

impl Check {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let mut found = check::check(&config(common)?, Timestamp::now())?;
        found.faults.retain(|fault| fault.refused || !self.refused);
        let lines: Vec<_> = found
            .faults
            .iter()
            .map(|fault| {
                let (ru, en) = (sentence(Lang::Ru, fault.rule), sentence(Lang::En, fault.rule));
                json!({"kind": fault.kind, "uid": fault.uid, "person": fault.person, "case_number": fault.case_number, "centre": fault.centre,
                       "rule": fault.rule, "refused": fault.refused, "field": fault.field, "line": fault.line,
                       "ru": ru, "en": en})
            })
            .collect();
        common.print(&json!({"records": found.records, "faults": lines}), |lang| {
            let sum = [("n", found.faults.len().into()), ("records", found.records.into())];
            let told = found.faults.iter().map(|fault| line(lang, fault));
            told.chain([messages::text(lang, "hub-check-sum", &sum)]).collect::<Vec<_>>().join("\n")
        })?;
        Ok(if found.faults.is_empty() { Exit::Done } else { Exit::False })
    }
}

/// What the rule says; of a field whose value is not of its type, which.
pub(super) fn sentence(lang: Lang, rule: &str) -> String {
    match rules::find(rule) {
        Some(found) => format!("{rule}: {}", lang.of(found.sentence)),
        None => messages::text(lang, "hub-check-type", &[("field", headings::field(lang, rule).into())]),
    }
}

fn line(lang: Lang, fault: &Fault) -> String {
    let place = fault.line.map_or_else(|| fault.field.to_owned(), |n| format!("{}[{n}]", fault.field));
    let args = [
        ("case", fault.case_number.clone().unwrap_or_default().into()),
        ("kind", word(lang, "kind", fault.kind).into()),
        ("uid", fault.uid.clone().into()),
        ("place", headings::field(lang, &place).into()),
        ("sentence", sentence(lang, fault.rule).into()),
    ];
    let told =
        messages::text(lang, if fault.refused { "hub-check-refused" } else { "hub-check-warned" }, &args);
    match &fault.centre {
        Some(centre) => {
            let by = messages::text(lang, "hub-check-centre", &[("centre", centre.clone().into())]);
            format!("{told} {by}")
        }
        None => told,
    }
}
