//! `check`: the centre's own rows against the rules of the domain.

use std::collections::BTreeMap;

use clap::Args;
use exchange_endpoint::{
    messages::{self, Lang},
    output::{CommonArgs, Exit, Failure},
    tables::headings,
};
use exchange_format::rules;
use jiff::Zoned;
use serde_json::json;

use crate::{
    database::faults::{self, Fault},
    edges::{SpokeError, station},
};

/// What is checked.
#[derive(Debug, Args)]
pub struct Check {
    /// One table only
    #[arg(long)]
    table: Option<String>,
}

impl Check {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let table = self.table.as_deref().map(super::import::table_or_line).transpose()?;
        let connection = station::open_to_look(&config)?;
        let lists = config.lists.read(&config)?;
        let (mut found, mut sums) = (Vec::new(), BTreeMap::<&str, u64>::new());
        let rows = faults::faults(&connection, table, Zoned::now().date(), &lists, |fault| {
            *sums.entry(fault.rule).or_default() += 1;
            found.push(fault);
        })
        .map_err(SpokeError::from)?;
        let lines: Vec<_> = found
            .iter()
            .map(|fault| {
                let Fault { table, id, rule, refused, field, line } = fault;
                let (ru, en) = (sentence(Lang::Ru, rule), sentence(Lang::En, rule));
                json!({"table": table, "id": id, "rule": rule, "refused": refused, "field": field, "line": line,
                       "ru": ru, "en": en})
            })
            .collect();
        common.print(&json!({"rows": rows, "faults": lines, "rules": sums}), |lang| {
            let mut told: Vec<String> = found.iter().map(|fault| line(lang, fault)).collect();
            let sum = [("rows", rows.into()), ("n", found.len().into())];
            told.push(messages::text(lang, "spoke-check-sum", &sum));
            told.join("\n")
        })?;
        Ok(if found.is_empty() { Exit::Done } else { Exit::False })
    }
}

/// What the rule says; of a field whose value is not of its type, that.
fn sentence(lang: Lang, rule: &str) -> String {
    rules::find(rule).map_or_else(
        || messages::text(lang, "spoke-check-type", &[]),
        |rule| lang.of(rule.sentence).to_owned(),
    )
}

fn line(lang: Lang, fault: &Fault) -> String {
    let place = fault.line.map_or_else(|| fault.field.to_owned(), |n| format!("{}[{n}]", fault.field));
    let rule = rules::find(fault.rule).map(|rule| format!("{} — ", rule.code)).unwrap_or_default();
    let args = [
        ("table", fault.table.into()),
        ("id", fault.id.clone().into()),
        ("place", headings::field(lang, &place).into()),
        ("rule", rule.into()),
        ("sentence", sentence(lang, fault.rule).into()),
    ];
    messages::text(lang, if fault.refused { "spoke-check-refused" } else { "spoke-check-warned" }, &args)
}
