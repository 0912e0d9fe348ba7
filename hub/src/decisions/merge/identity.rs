//! Which id a person keeps when claims come, go and change sides.

use std::collections::{BTreeMap, BTreeSet};

/// What becomes of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned<U> {
    /// The id that it keeps; `None`: it gets a new one.
    pub uid: Option<U>,
    /// Ids that turned out to be this person too.
    pub absorbed: Vec<U>,
}

/// Ids for `clusters`, given which id each claim had (`known`) and how old each id is (`age`, lower is older).
/// An id stays with the cluster that has most of its claims, among equals the one with fewest other ids, then the one
/// with the least claim; a cluster that so gets several keeps the oldest.
pub fn assign<C: Copy + Ord, U: Copy + Ord>(
    clusters: &[BTreeSet<C>],
    known: &BTreeMap<C, U>,
    age: &BTreeMap<U, u64>,
) -> Vec<Assigned<U>> {
    let mut shares: BTreeMap<U, BTreeMap<usize, usize>> = BTreeMap::new();
    for (at, cluster) in clusters.iter().enumerate() {
        for uid in cluster.iter().filter_map(|claim| known.get(claim)) {
            *shares.entry(*uid).or_default().entry(at).or_default() += 1;
        }
    }
    let mut ids = vec![0_usize; clusters.len()];
    for at in shares.values().flat_map(BTreeMap::keys) {
        ids[*at] += 1;
    }
    let mut assigned = vec![Assigned { uid: None, absorbed: Vec::new() }; clusters.len()];
    let mut by_age: Vec<(&U, &BTreeMap<usize, usize>)> = shares.iter().collect();
    by_age.sort_by_key(|(uid, _)| (age.get(uid).copied().unwrap_or(u64::MAX), **uid));
    for (uid, shares) in by_age {
        let holder = shares
            .iter()
            .min_by_key(|(at, count)| {
                (std::cmp::Reverse(**count), ids[**at], clusters[**at].first().copied())
            })
            .map(|(at, _)| *at)
            .expect("an id in shares has a claim");
        let person = &mut assigned[holder];
        if person.uid.is_none() {
            person.uid = Some(*uid);
        } else {
            person.absorbed.push(*uid);
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(claims: &[u8]) -> BTreeSet<u8> {
        claims.iter().copied().collect()
    }

    #[test]
    fn a_merge_keeps_the_oldest_id() {
        let known = BTreeMap::from([(1, 'b'), (2, 'a')]);
        let age = BTreeMap::from([('b', 1), ('a', 2)]);
        let found = assign(&[set(&[1, 2, 3])], &known, &age);
        assert_eq!(found, [Assigned { uid: Some('b'), absorbed: vec!['a'] }]);
    }

    #[test]
    fn a_split_leaves_the_id_with_most_of_its_claims() {
        let known = BTreeMap::from([(1, 'a'), (2, 'a'), (3, 'a')]);
        let age = BTreeMap::from([('a', 1)]);
        let found = assign(&[set(&[1]), set(&[2, 3])], &known, &age);
        assert_eq!(found[0], Assigned { uid: None, absorbed: vec![] });
        assert_eq!(found[1], Assigned { uid: Some('a'), absorbed: vec![] });
        let halves = assign(&[set(&[2]), set(&[1])], &BTreeMap::from([(1, 'a'), (2, 'a')]), &age);
        assert_eq!(halves[1].uid, Some('a'), "of equal parts the one with the least claim");
    }

    #[test]
    fn a_new_person_gets_a_new_id() {
        let found = assign::<u8, char>(&[set(&[1])], &BTreeMap::new(), &BTreeMap::new());
        assert_eq!(found, [Assigned { uid: None, absorbed: vec![] }]);
    }
}
