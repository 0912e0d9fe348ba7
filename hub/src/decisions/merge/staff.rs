//! Persons by evidence and by what staff have decided. The result depends on the set of records, links and
//! decisions only, never on the order of their arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::{groups::Groups, model::Cut};

/// Staff's word about two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// «один»: one person.
    Same,
    /// «разные»: two people.
    Different,
}

/// Two records, the lesser first.
pub type Two = (u32, u32);

/// Records that links or staff's decisions tie to each other, numbered from 0 in an order that does not hang on
/// their arrival.
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// How many there are.
    pub size: usize,
    /// Pairs that are beyond doubt, with their weight in bits.
    pub links: Vec<(Two, f64)>,
    /// Staff's decisions, in the order of their taking.
    pub decisions: Vec<(Two, Decision)>,
}

/// The last word of staff about each pair, the newest first.
fn last_words(decisions: &[(Two, Decision)]) -> Vec<(Two, Decision)> {
    let mut last = BTreeMap::new();
    for (at, (pair, decision)) in decisions.iter().enumerate() {
        last.insert(*pair, (at, *decision));
    }
    let mut words: Vec<_> = last.into_iter().collect();
    words.sort_by_key(|(_, (at, _))| std::cmp::Reverse(*at));
    words.into_iter().map(|(pair, (_, decision))| (pair, decision)).collect()
}

/// Makes persons of `component`: each a list of records; every record is in exactly one. `bits` weighs any two.
///
/// Staff's decisions always win, later over earlier.
pub fn persons(component: &Component, cut: Cut, bits: &dyn Fn(u32, u32) -> f64) -> Vec<Vec<u32>> {
    let mut groups = Groups::new(component.size);
    let mut parted: BTreeSet<Two> = BTreeSet::new();
    for ((a, b), decision) in last_words(&component.decisions) {
        match decision {
            Decision::Different if groups.find(a) != groups.find(b) => {
                parted.insert((a, b));
            }
            Decision::Same if !kept_apart(&parted, &groups, a, b) => groups.union(a, b),
            // an older decision that newer ones contradict
            _ => {}
        }
    }
    let mut links = component.links.clone();
    links.sort_by(|(x, weight), (y, other)| other.total_cmp(weight).then(x.cmp(y)));
    let pairs = links.into_iter().map(|(pair, _)| pair);
    groups.join(pairs, cut.auto, cut.most, bits, &|groups, a, b| kept_apart(&parted, groups, a, b));
    groups.into_groups()
}

/// Whether staff keep the groups of the two apart.
fn kept_apart(parted: &BTreeSet<Two>, groups: &Groups, a: u32, b: u32) -> bool {
    let (a, b) = (groups.find(a), groups.find(b));
    parted.iter().any(|(x, y)| {
        let (x, y) = (groups.find(*x), groups.find(*y));
        (x, y) == (a, b) || (y, x) == (a, b)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::merge::Model;

    fn made(size: usize, links: &[(u32, u32, f64)], decisions: &[(Two, Decision)]) -> Vec<Vec<u32>> {
        let links: Vec<(Two, f64)> = links.iter().map(|(a, b, bits)| ((*a, *b), *bits)).collect();
        let component = Component { size, links: links.clone(), decisions: decisions.to_vec() };
        let bits =
            |a: u32, b: u32| links.iter().find(|(pair, _)| *pair == (a, b)).map_or(-3.0, |(_, bits)| *bits);
        persons(&component, Model::recipients().cut, &bits)
    }

    #[test]
    fn links_chain_unless_the_whole_speaks_against_it() {
        assert_eq!(made(3, &[(0, 1, 12.0), (1, 2, 11.0), (0, 2, 3.0)], &[]), [vec![0, 1, 2]]);
        assert_eq!(made(3, &[(0, 1, 12.0), (1, 2, 11.0)], &[]), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn staff_always_win() {
        use Decision::{Different, Same};
        assert_eq!(made(2, &[(0, 1, 30.0)], &[((0, 1), Different)]), [vec![0], vec![1]]);
        assert_eq!(made(2, &[], &[((0, 1), Same)]), [vec![0, 1]]);
        assert_eq!(made(2, &[], &[((0, 1), Same), ((0, 1), Different)]), [vec![0], vec![1]]);
        // what they parted is not chained through a third
        let links = [(0, 1, 12.0), (1, 2, 11.0), (0, 2, 10.0)];
        assert_eq!(made(3, &links, &[((0, 2), Different)]), [vec![0, 1], vec![2]]);
        // of decisions that contradict each other the newest stand
        let decisions = [((0, 2), Different), ((0, 1), Same), ((1, 2), Same)];
        assert_eq!(made(3, &[], &decisions), [vec![0, 1, 2]]);
    }
}
