//! Programmes and supplements as `person show` tells them.

use exchange_format::rules;
use serde::Serialize;

use super::people::ToldView;
use crate::{
    database::publications::Told,
    decisions::{audience::Document, golden::Claim},
};

/// A programme or supplement.
#[derive(Serialize)]
pub struct DocumentView {
    /// `programme` or `supplement`.
    pub kind: &'static str,
    /// Its id; of what is `unnamed` or `unread` the key of the claim.
    pub uid: String,
    /// Its number.
    pub number: Option<String>,
    /// Its date.
    pub date: Option<String>,
    /// How many claims are this document.
    pub claims: usize,
    /// `stands`; `asked`: staff are asked about it; `faulty`: it breaks `rule` and is not published as it is; `ended`: no
    /// centre claims it any more; `unnamed`: a claim alone, for nobody can read its number or date; `unread`: a claim alone, for
    /// nobody can read what a line of it means.
    pub state: &'static str,
    /// The rule that it breaks.
    pub rule: Option<String>,
    /// Who is told of it.
    #[serde(flatten)]
    pub told: ToldView,
}

/// A claim that is no document because of `rule`.
pub(super) fn unpublished_view(claim: &Claim, rule: &str) -> DocumentView {
    let text = |field: &str| claim.body.text(field).map(str::to_owned);
    DocumentView {
        kind: claim.body.kind().name(),
        uid: claim.key.to_string(),
        number: text("number"),
        date: text("date"),
        claims: 1,
        state: if rules::document_name(&claim.body).is_none() { "unnamed" } else { "unread" },
        rule: Some(rule.to_owned()),
        told: ToldView::default(),
    }
}

/// A document of a person, of which staff are `asked` or which breaks `rule`.
pub(super) fn document_view(
    document: &Document,
    asked: bool,
    rule: Option<String>,
    told: &[Told],
) -> DocumentView {
    let first = document.drawn.as_ref().or_else(|| document.claims.first().map(|claim| &claim.body));
    let text = |field: &str| first.and_then(|body| body.text(field)).map(str::to_owned);
    DocumentView {
        kind: document.kind.name(),
        uid: document.uid.to_string(),
        number: text("number"),
        date: text("date"),
        claims: document.claims.len(),
        state: match document.claims.len() {
            0 if document.drawn.is_none() => "ended",
            _ if asked => "asked",
            _ if rule.is_some() => "faulty",
            _ => "stands",
        },
        rule,
        told: ToldView::of(told, document.uid),
    }
}
