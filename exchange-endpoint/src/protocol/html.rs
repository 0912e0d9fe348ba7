//! The printable page: one self-contained A4 document, no script and nothing fetched from elsewhere.

use askama::Template;
use jiff::Timestamp;

use super::{Kind, Line, Protocol, word};
use crate::messages::{self, Lang, Value};

/// The page could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the protocol's page: {0}")]
pub struct HtmlError(#[from] askama::Error);

/// The page of `protocol`, in its language.
pub fn render(protocol: &Protocol) -> Result<String, HtmlError> {
    Ok(Page { protocol, outcomes: outcomes(protocol), kinds: kinds(protocol) }.render()?)
}

/// How every page that is printed looks (CSS).
pub const STYLE: &str = include_str!("../../templates/page.css");

#[derive(Template)]
#[template(path = "protocol.html")]
struct Page<'a> {
    protocol: &'a Protocol,
    /// The columns of the totals.
    outcomes: Vec<&'a str>,
    /// The rows of the totals.
    kinds: Vec<&'a str>,
}

impl Page<'_> {
    fn t(&self, id: &str) -> String {
        messages::text(self.protocol.lang, &format!("protocol-{id}"), &[])
    }

    /// A text that is another one in the protocol of a decision.
    fn of_kind(&self, id: &str) -> String {
        if self.protocol.kind == Kind::Decision { self.t(&format!("{id}-decision")) } else { self.t(id) }
    }

    fn word(&self, group: &str, data: &str) -> String {
        word(self.protocol.lang, group, data)
    }

    fn outcome(&self, outcome: &str) -> String {
        self.word("outcome", self.protocol.called(outcome))
    }

    /// The outcome of one record: in Russian a word of another form than that of many.
    fn one(&self, outcome: &str) -> String {
        super::one(self.protocol.lang, self.protocol.called(outcome))
    }

    fn rule(&self, line: &Line) -> String {
        line.rule_words(self.protocol.lang).unwrap_or_default()
    }

    fn tag(&self) -> &'static str {
        match self.protocol.lang {
            Lang::Ru => "ru",
            Lang::En => "en",
        }
    }

    fn number(&self) -> String {
        format!("{:06}", self.protocol.number)
    }

    fn count(&self, kind: &str, outcome: &str) -> u64 {
        let totals = self.protocol.totals.iter();
        totals.filter(|t| t.kind == kind && t.outcome == outcome).map(|t| t.count).sum()
    }

    fn row_sum(&self, kind: &str) -> u64 {
        self.protocol.totals.iter().filter(|t| t.kind == kind).map(|t| t.count).sum()
    }

    fn column_sum(&self, outcome: &str) -> u64 {
        self.protocol.totals.iter().filter(|t| t.outcome == outcome).map(|t| t.count).sum()
    }

    fn records(&self) -> String {
        let n = Value::from(self.protocol.records());
        messages::text(self.protocol.lang, "protocol-records", &[("n", n)])
    }

    fn time(&self, at: &Timestamp) -> String {
        messages::moment(self.protocol.lang, *at)
    }
}

fn outcomes(protocol: &Protocol) -> Vec<&str> {
    const ORDER: [&str; 6] = ["new", "changed", "unchanged", "proposed", "held", "refused"];
    let rank = |outcome: &str| ORDER.iter().position(|known| *known == outcome);
    let mut outcomes = unique(protocol.totals.iter().map(|total| total.outcome.as_str()));
    // Those of other runs (sent, linked, …) come after, as they were counted.
    outcomes.sort_by_key(|outcome| rank(outcome).unwrap_or(ORDER.len()));
    outcomes
}

fn kinds(protocol: &Protocol) -> Vec<&str> {
    unique(protocol.totals.iter().map(|total| total.kind.as_str()))
}

fn unique<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for word in words {
        if !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen
}
