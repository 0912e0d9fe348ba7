//! `merge`: the initial loads.

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Failure, Lang},
};
use jiff::Timestamp;

use super::{config, word};
use crate::edges::{
    hub,
    operations::merge::{self, MergeReport},
};

/// Merge and publish the initial loads that wait
///
/// What the centres sent first is not published until this command says so; later packets are merged at once.
/// Every centre that has a person then counts as serving it.
#[derive(Debug, Args)]
pub struct Merge {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Merge {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let mut hub = hub::open(&config(common)?)?;
        let report = merge::merge(&mut hub, self.dry_run, Timestamp::now())?;
        common.print(&report, |lang| text(lang, &report))
    }
}

fn text(lang: Lang, report: &MergeReport) -> String {
    let heading = if report.dry_run {
        messages::text(lang, "hub-merge-tried", &[])
    } else {
        let number = report.protocol.unwrap_or_default();
        messages::text(lang, "hub-merge-done", &[("protocol", number.into())])
    };
    let counts = [
        ("claims", report.claims.into()),
        ("created", report.created.into()),
        ("persons", report.persons.into()),
        ("documents", report.documents.into()),
        ("confirmed", report.confirmed.into()),
    ];
    let mut lines = vec![heading, messages::text(lang, "hub-merge-counts", &counts)];
    lines.extend(report.by_rule.iter().map(|(rule, n)| format!("  {}: {n}", word(lang, "rule", rule))));
    if !report.reviews.is_empty() {
        lines.push(messages::text(lang, "hub-reviews-open", &[]));
        let reviews = report.reviews.iter();
        lines.extend(reviews.map(|(_, reason, n)| format!("  {}: {n}", word(lang, "review", reason))));
    }
    lines.join("\n")
}
