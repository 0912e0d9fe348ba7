//! Which share of the true pairs the keys found at all: what no key finds is never weighed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{candidates::Pair, register::Register};

/// What the keys found where the truth is known. Shares are of 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recall {
    /// Pairs of one person, by the truth.
    pub pairs_true: usize,
    /// Of them those that some key found.
    pub found: usize,
    /// Their share.
    pub recall: f64,
    /// Each key of the model, in its order.
    pub keys: Vec<OfKey>,
}

/// What one key found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfKey {
    /// The key, as the model says it.
    pub key: String,
    /// Pairs that it brings together, true or not.
    pub pairs: usize,
    /// True pairs among them.
    pub found: usize,
    /// Their share of all true pairs.
    pub recall: f64,
    /// True pairs that no other key found.
    pub alone: usize,
}

#[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^52")]
fn share(of: usize, all: usize) -> f64 {
    if all == 0 { 1.0 } else { (of as f64 / all as f64 * 1e5).round() / 1e5 }
}

impl Register {
    /// What each key finds of the pairs of one person; `truth` says the person of each record.
    ///
    /// # Panics
    /// If the truth is not of the records of this register.
    pub fn recall(&self, truth: &[u32]) -> Recall {
        assert_eq!(truth.len(), self.len(), "of the same records");
        let all = true_pairs(truth);
        // of each true pair how many keys found it, and the last of them
        let mut found_by = vec![(0_u32, 0_usize); all.len()];
        let mut keys = Vec::new();
        for (no, key) in self.model.search.keys.iter().enumerate() {
            let pairs = self.candidates_by(no);
            let mut found = 0;
            for (pair, (times, last)) in all.iter().zip(&mut found_by) {
                if pairs.binary_search(pair).is_ok() {
                    found += 1;
                    (*times, *last) = (*times + 1, no);
                }
            }
            let recall = share(found, all.len());
            keys.push(OfKey { key: key.clone(), pairs: pairs.len(), found, recall, alone: 0 });
        }
        for (_, last) in found_by.iter().filter(|(times, _)| *times == 1) {
            keys[*last].alone += 1;
        }
        let found = found_by.iter().filter(|(times, _)| *times > 0).count();
        Recall { pairs_true: all.len(), found, recall: share(found, all.len()), keys }
    }
}

/// All pairs of one person, the smaller number first, in order.
fn true_pairs(truth: &[u32]) -> Vec<Pair> {
    let mut people: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (n, person) in (0..).zip(truth) {
        people.entry(*person).or_default().push(n);
    }
    let pairs_of = |of: &Vec<u32>| -> Vec<Pair> {
        of.iter().enumerate().flat_map(|(at, a)| of[at + 1..].iter().map(|b| (*a, *b))).collect()
    };
    let mut pairs: Vec<Pair> = people.values().flat_map(pairs_of).collect();
    pairs.sort_unstable();
    pairs
}
