//! The rule on what nobody sees in numbers and codes.

use super::{Place, Rule, Severity, text};
use crate::{
    invisible,
    record::{Kind, Line},
};

use Severity::{Refuse, Warn};

/// The code of the rule on characters that nobody sees; rows' ids break it too.
pub const INVISIBLE: &str = "I01";

/// The fields by which records, papers, people and services are told apart.
const NAMES: [&str; 9] = [
    "number",
    "code",
    "service_code",
    "register_number",
    "identity_doc_series",
    "identity_doc_number",
    "oms_policy",
    "inn",
    "ogrn",
];

pub(super) static RULES: &[Rule] = &[Rule {
    code: INVISIBLE,
    applies: &[
        (Kind::RecipientClaim, Warn),
        (Kind::ProgrammeClaim, Warn),
        (Kind::SupplementClaim, Warn),
        (Kind::Contract, Warn),
        (Kind::CompletionMark, Warn),
        (Kind::Event, Warn),
        (Kind::PlanReport, Warn),
        (Kind::ServiceAct, Warn),
        (Kind::UrgentAct, Warn),
        (Kind::Service, Refuse),
        (Kind::Provider, Refuse),
        (Kind::NeedDecision, Refuse),
        (Kind::Assessment, Refuse),
        (Kind::Programme, Refuse),
        (Kind::Supplement, Refuse),
    ],
    sentence: text(
        "В номере или коде есть невидимый знак или необычный пробел: с виду он как другой, а программы их различают.",
        "A number or code has an invisible character or an unusual space: it looks like another one, and programs tell them apart.",
    ),
    source: "own",
    check: |c| {
        let first = |line: &Line| {
            let mut named = line.iter().filter(|(field, _)| NAMES.contains(&field.name));
            named
                .find(|(_, text)| text.is_some_and(|text| invisible::find(text).is_some()))
                .map(|(field, _)| field.name)
        };
        let of_head = first(c.typed.head()).map(|field| Place { field, line: None });
        of_head.or_else(|| {
            let mut lines = (1..).zip(c.typed.lines());
            lines.find_map(|(n, line)| Some(Place { field: first(line)?, line: Some(n) }))
        })
    },
}];
