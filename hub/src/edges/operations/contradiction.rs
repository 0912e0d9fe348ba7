//! Answers about people that cannot all be true.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::output::Failure;

use super::word::Problem;
use crate::{
    database::{Tx, linking::ClaimName, reviews::Review},
    decisions::merge::staff::Decision,
};

type Pair = (ClaimName, ClaimName);

/// The questions whose answers contradict that `pair` is so: one person must not be two.
pub(super) fn of(tx: &Tx<'_>, pair: Pair, decision: Decision) -> Result<Vec<Review>, Failure> {
    let (near, far) = (around(tx, pair.0, pair)?, around(tx, pair.1, pair)?);
    let against: BTreeSet<Pair> = match decision {
        Decision::Same => {
            let parted = near.parted.iter().chain(&far.parted);
            let whole = |one: &ClaimName| near.same.contains(one) || far.same.contains(one);
            parted.filter(|(one, other)| whole(one) && whole(other)).copied().collect()
        }
        Decision::Different if near.same.contains(&pair.1) => near.joined,
        Decision::Different => BTreeSet::new(),
    };
    let mut questions = Vec::new();
    for (one, other) in against {
        questions.extend(tx.review_about("pair", one, other)?);
    }
    Ok(questions)
}

/// The claims that staff have called one with either of `pair`, these two among them.
pub(super) fn tied(tx: &Tx<'_>, pair: Pair) -> Result<BTreeSet<ClaimName>, Failure> {
    let mut tied = around(tx, pair.0, pair)?.same;
    tied.extend(around(tx, pair.1, pair)?.same);
    Ok(tied)
}

/// What is said of `decision`, which contradicts the answers to `questions`.
pub(super) fn problem(decision: Decision, questions: &[Review]) -> Problem {
    let numbers: Vec<String> = questions.iter().map(|review| review.n.to_string()).collect();
    (
        "table-contradicts",
        vec![("decision", decision.code().into()), ("questions", numbers.join(", ").into())],
    )
}

/// The claims that staff have called one with another, and what they said of them.
#[derive(Default)]
struct Around {
    same: BTreeSet<ClaimName>,
    joined: BTreeSet<Pair>,
    parted: BTreeSet<Pair>,
}

fn around(tx: &Tx<'_>, start: ClaimName, but: Pair) -> Result<Around, Failure> {
    let (mut around, mut open) = (Around::default(), vec![start]);
    while let Some(name) = open.pop() {
        if !around.same.insert(name) {
            continue;
        }
        let mut last = BTreeMap::new();
        for (_, said) in tx.staff_decisions("pair", name)? {
            last.insert((said.one, said.other), said.decision);
        }
        for (pair, decision) in last.into_iter().filter(|(pair, _)| *pair != but) {
            if decision == Decision::Same {
                around.joined.insert(pair);
                open.push(if pair.0 == name { pair.1 } else { pair.0 });
            } else {
                around.parted.insert(pair);
            }
        }
    }
    Ok(around)
}
