//! Persons out of pairs: which claims of one connected component are one person. The result depends on the
//! set of claims, links and staff's decisions only, never on the order of their arrival.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::snils::Snils;

use super::Rule;

/// Staff's word about two claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// «один»: one person.
    Same,
    /// «разные»: two people.
    Different,
}

/// A connected component of claims. `C` names a claim.
#[derive(Debug, Clone)]
pub struct Component<C> {
    /// The claims, each with its valid СНИЛС.
    pub claims: BTreeMap<C, Option<Snils>>,
    /// Pairs that the linker links, the lesser claim first.
    pub links: BTreeMap<(C, C), Rule>,
    /// Staff's decisions about pairs, the lesser claim first, in the order of their taking.
    pub decisions: Vec<((C, C), Decision)>,
}

/// Who is one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persons<C> {
    /// The persons, each a set of claims; every claim is in exactly one.
    pub clusters: Vec<BTreeSet<C>>,
    /// Links that were not followed, because they would have chained people whom something keeps apart.
    pub contested: Vec<(C, C)>,
}

/// Makes persons of `component`.
///
/// Staff's decisions always win, later over earlier. Then claims with equal СНИЛС join by their links; these
/// groups are anchors. Of the rest, a group that reaches two anchors which contradict each other (two valid
/// СНИЛС, or «разные») joins neither: it would be a guess. Whatever else would chain a contradiction is left
/// out too. All of that is for staff.
pub fn persons<C: Copy + Ord>(component: &Component<C>) -> Persons<C> {
    let mut sets = Sets::new(component);
    let mut apart: BTreeSet<(C, C)> = BTreeSet::new();
    let mut same: Vec<(C, C)> = Vec::new();
    let mut last = BTreeMap::new();
    for (at, (pair, decision)) in component.decisions.iter().enumerate() {
        last.insert(*pair, (at, *decision));
    }
    let mut newest_first: Vec<_> = last.into_iter().collect();
    newest_first.sort_by_key(|(_, (at, _))| std::cmp::Reverse(*at));
    for (pair, (_, decision)) in newest_first {
        match decision {
            Decision::Different if sets.find(pair.0) != sets.find(pair.1) => {
                apart.insert(pair);
            }
            Decision::Same if !sets.kept_apart(pair, &apart) => {
                sets.union(pair);
                same.push(pair);
            }
            // an older decision that newer ones contradict
            _ => {}
        }
    }
    let mut links: Vec<((C, C), Rule)> = component.links.iter().map(|(pair, rule)| (*pair, *rule)).collect();
    links.sort_by_key(|(pair, rule)| (*rule, *pair));
    let (strong, weak): (Vec<_>, Vec<_>) =
        links.into_iter().partition(|(_, rule)| matches!(rule, Rule::SnilsBirth | Rule::SnilsNames));

    let mut contested = Vec::new();
    for links in [strong, weak] {
        let torn = sets.torn(&links, &apart);
        for (pair, _) in links {
            if sets.find(pair.0) == sets.find(pair.1) {
                continue;
            }
            let guess = torn.contains(&pair.0) || torn.contains(&pair.1);
            // two torn groups may join each other, only not an anchor
            let both = torn.contains(&pair.0) && torn.contains(&pair.1);
            if guess && !both || sets.contradict(pair, &apart) {
                contested.push(pair);
            } else {
                sets.union(pair);
            }
        }
    }
    contested.retain(|pair| sets.find(pair.0) != sets.find(pair.1) && !apart.contains(pair));
    contested.sort_unstable();
    Persons { clusters: sets.into_clusters(), contested }
}

/// Disjoint sets of claims with the СНИЛС of each set.
struct Sets<C> {
    parent: BTreeMap<C, C>,
    members: BTreeMap<C, BTreeSet<C>>,
    snils: BTreeMap<C, BTreeSet<Snils>>,
}

impl<C: Copy + Ord> Sets<C> {
    fn new(component: &Component<C>) -> Self {
        Self {
            parent: component.claims.keys().map(|claim| (*claim, *claim)).collect(),
            members: component.claims.keys().map(|claim| (*claim, BTreeSet::from([*claim]))).collect(),
            snils: component
                .claims
                .iter()
                .map(|(claim, snils)| (*claim, snils.iter().copied().collect()))
                .collect(),
        }
    }

    fn find(&self, claim: C) -> C {
        self.parent[&claim]
    }

    fn union(&mut self, (a, b): (C, C)) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (root, other) = (a.min(b), a.max(b));
        let moved = self.members.remove(&other).expect("a root has members");
        for claim in &moved {
            self.parent.insert(*claim, root);
        }
        self.members.get_mut(&root).expect("a root has members").extend(moved);
        let numbers = self.snils.remove(&other).expect("a root has a set");
        self.snils.get_mut(&root).expect("a root has a set").extend(numbers);
    }

    /// Whether staff keep the sets of the two apart.
    fn kept_apart(&self, (a, b): (C, C), apart: &BTreeSet<(C, C)>) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        apart.iter().any(|(x, y)| {
            let (x, y) = (self.find(*x), self.find(*y));
            (x, y) == (a, b) || (y, x) == (a, b)
        })
    }

    /// Whether joining the two would put two valid СНИЛС, or two people by staff's word, into one person.
    fn contradict(&self, (a, b): (C, C), apart: &BTreeSet<(C, C)>) -> bool {
        let (one, other) = (&self.snils[&self.find(a)], &self.snils[&self.find(b)]);
        let conflict = !one.is_empty() && !other.is_empty() && one != other;
        conflict || self.kept_apart((a, b), apart)
    }

    /// The claims of groups that `links` tie to two sets which contradict each other.
    fn torn(&self, links: &[((C, C), Rule)], apart: &BTreeSet<(C, C)>) -> BTreeSet<C> {
        let roots: BTreeSet<C> =
            links.iter().flat_map(|((a, b), _)| [self.find(*a), self.find(*b)]).collect();
        let mut edges: BTreeMap<C, BTreeSet<C>> = BTreeMap::new();
        for ((a, b), _) in links {
            let (a, b) = (self.find(*a), self.find(*b));
            edges.entry(a).or_default().insert(b);
            edges.entry(b).or_default().insert(a);
        }
        // an anchor is what contradicts something else in reach
        let anchor = |root: &C| {
            !self.snils[root].is_empty()
                || apart.iter().any(|(x, y)| self.find(*x) == *root || self.find(*y) == *root)
        };
        let mut torn = BTreeSet::new();
        let mut seen: BTreeSet<C> = BTreeSet::new();
        for start in roots.iter().filter(|root| !anchor(root)) {
            if !seen.insert(*start) {
                continue;
            }
            let (mut group, mut anchors, mut open) = (vec![*start], BTreeSet::new(), vec![*start]);
            while let Some(root) = open.pop() {
                for next in &edges[&root] {
                    if anchor(next) {
                        anchors.insert(*next);
                    } else if seen.insert(*next) {
                        group.push(*next);
                        open.push(*next);
                    }
                }
            }
            let anchors: Vec<C> = anchors.into_iter().collect();
            let pairs = (0..anchors.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
            if pairs.into_iter().any(|(i, j)| self.contradict((anchors[i], anchors[j]), apart)) {
                torn.extend(group.iter().flat_map(|root| self.members[root].iter().copied()));
            }
        }
        torn
    }

    fn into_clusters(self) -> Vec<BTreeSet<C>> {
        self.members.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: [u32; 3] = [112_233_445, 223_344_556, 334_455_667];

    fn component(
        snils: &[(u32, usize)],
        claims: u32,
        links: &[(u32, u32, Rule)],
        decisions: &[((u32, u32), Decision)],
    ) -> Component<u32> {
        let number = |claim| {
            let found = snils.iter().find(|(of, _)| *of == claim);
            found.map(|(_, which)| Snils::from_number(S[*which]))
        };
        Component {
            claims: (0..claims).map(|claim| (claim, number(claim))).collect(),
            links: links.iter().map(|(a, b, rule)| ((*a, *b), *rule)).collect(),
            decisions: decisions.to_vec(),
        }
    }

    fn sets(persons: &Persons<u32>) -> Vec<Vec<u32>> {
        persons.clusters.iter().map(|set| set.iter().copied().collect()).collect()
    }

    #[test]
    fn links_chain() {
        let found = persons(&component(
            &[(0, 0), (1, 0)],
            4,
            &[(0, 1, Rule::SnilsBirth), (1, 2, Rule::NameBirthDocument), (2, 3, Rule::NameBirthPhone)],
            &[],
        ));
        assert_eq!(sets(&found), [vec![0, 1, 2, 3]]);
        assert_eq!(found.contested, []);
    }

    #[test]
    fn a_claim_between_two_snils_joins_neither() {
        let links = [(0, 1, Rule::NameBirthDocument), (1, 2, Rule::NameBirthPhone)];
        let found = persons(&component(&[(0, 0), (2, 1)], 3, &links, &[]));
        assert_eq!(sets(&found), [vec![0], vec![1], vec![2]]);
        assert_eq!(found.contested, [(0, 1), (1, 2)]);
        // staff's word takes it to one side, and the other link stays contested
        let decided = [((0, 1), Decision::Same)];
        let found = persons(&component(&[(0, 0), (2, 1)], 3, &links, &decided));
        assert_eq!(sets(&found), [vec![0, 1], vec![2]]);
        assert_eq!(found.contested, [(1, 2)]);
    }

    #[test]
    fn staff_always_win() {
        let links = [(0, 1, Rule::SnilsBirth)];
        let different = [((0, 1), Decision::Different)];
        let found = persons(&component(&[(0, 0), (1, 0)], 2, &links, &different));
        assert_eq!(sets(&found), [vec![0], vec![1]]);
        assert_eq!(found.contested, [], "already decided");
        let same = [((0, 1), Decision::Same)];
        assert_eq!(sets(&persons(&component(&[(0, 0), (1, 1)], 2, &[], &same))), [vec![0, 1]]);
        let changed = [((0, 1), Decision::Same), ((0, 1), Decision::Different)];
        assert_eq!(sets(&persons(&component(&[], 2, &[], &changed))), [vec![0], vec![1]]);
    }

    #[test]
    fn the_newest_of_contradicting_decisions_stands() {
        let decisions = [((0, 2), Decision::Different), ((0, 1), Decision::Same), ((1, 2), Decision::Same)];
        assert_eq!(sets(&persons(&component(&[], 3, &[], &decisions))), [vec![0, 1, 2]]);
    }

    #[test]
    fn different_is_not_chained_through_a_third() {
        let links = [(0, 1, Rule::NameBirthPhone), (1, 2, Rule::NameBirthPhone)];
        let found = persons(&component(&[], 3, &links, &[((0, 2), Decision::Different)]));
        assert_eq!(sets(&found), [vec![0], vec![1], vec![2]]);
        assert_eq!(found.contested, [(0, 1), (1, 2)]);
    }

    proptest! {
        /// However the claims are named, the same people come out, and no person has two СНИЛС.
        #[test]
        fn no_person_has_two_snils(
            numbers in prop::collection::vec(0_usize..5, 7),
            pairs in prop::collection::btree_set((0_u32..7, 0_u32..7), 0..14),
        ) {
            let snils: Vec<(u32, usize)> =
                (0_u32..).zip(numbers).filter(|(_, which)| *which < 3).collect();
            let number = |claim: u32| snils.iter().find(|(of, _)| *of == claim).map(|(_, which)| *which);
            let links: Vec<(u32, u32, Rule)> = pairs
                .into_iter()
                .filter(|(a, b)| a < b)
                .filter_map(|(a, b)| match (number(a), number(b)) {
                    (Some(x), Some(y)) if x != y => None,
                    (Some(_), Some(_)) => Some((a, b, Rule::SnilsBirth)),
                    _ => Some((a, b, Rule::NameBirthPhone)),
                })
                .collect();
            let found = persons(&component(&snils, 7, &links, &[]));
            for cluster in &found.clusters {
                let numbers: BTreeSet<usize> = cluster.iter().filter_map(|claim| number(*claim)).collect();
                prop_assert!(numbers.len() <= 1);
            }
            let all: usize = found.clusters.iter().map(BTreeSet::len).sum();
            prop_assert_eq!(all, 7);
            // names reversed: the same partition
            let turned: Vec<_> = links.iter().map(|(a, b, rule)| (6 - b, 6 - a, *rule)).collect();
            let turned_snils: Vec<_> = snils.iter().map(|(claim, which)| (6 - claim, *which)).collect();
            let other = persons(&component(&turned_snils, 7, &turned, &[]));
            let back: BTreeSet<BTreeSet<u32>> =
                other.clusters.iter().map(|set| set.iter().map(|claim| 6 - claim).collect()).collect();
            prop_assert_eq!(back, found.clusters.into_iter().collect::<BTreeSet<_>>());
        }
    }
}
