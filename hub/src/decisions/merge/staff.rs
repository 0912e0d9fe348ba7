//! Persons by evidence and by what staff have decided. The result depends on the set of records, links and
//! decisions only, never on the order of their arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    clusters::Said,
    groups::{Groups, Rule},
    model::Cut,
};

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
    /// Records that are one person as it is known to centres: nothing but staff parts them, or joins them to another
    /// such person.
    pub standing: Vec<Vec<u32>>,
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

/// The persons of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persons {
    /// Each a list of records; every record is in exactly one.
    pub records: Vec<Vec<u32>>,
    /// Links that would have made more records one person than one has: staff are asked of them.
    pub crowded: BTreeSet<Two>,
}

/// Makes persons of `component`. `says` weighs any two.
///
/// Staff's decisions always win: «разные» over «один», and of these the later over the earlier. Then what stands stays
/// as it is. Another record that links tie to two standing persons joins neither: that would be a guess.
pub fn persons(component: &Component, cut: Cut, says: &dyn Fn(u32, u32) -> Said) -> Persons {
    let mut groups = Groups::new(component.size);
    let (parted, joined): (Vec<_>, Vec<_>) = last_words(&component.decisions)
        .into_iter()
        .partition(|(_, decision)| *decision == Decision::Different);
    let parted: BTreeSet<Two> = parted.into_iter().map(|(pair, _)| pair).collect();
    let unless_parted = |groups: &mut Groups, a: u32, b: u32| {
        if !kept_apart(&parted, groups, a, b) {
            groups.union(a, b);
        }
    };
    for ((a, b), _) in joined {
        unless_parted(&mut groups, a, b);
    }
    let standing: Vec<Vec<u32>> =
        component.standing.iter().flat_map(|person| parts(person, &parted)).collect();
    for (a, b) in standing.iter().flat_map(|person| person.windows(2)).map(|two| (two[0], two[1])) {
        unless_parted(&mut groups, a, b);
    }
    let stands: BTreeSet<u32> = standing.into_iter().flatten().collect();
    let mut links = component.links.clone();
    links.sort_by(|(x, weight), (y, other)| other.total_cmp(weight).then(x.cmp(y)));
    let pairs: Vec<Two> = links.iter().map(|(pair, _)| *pair).collect();
    let said = links.iter().map(|((a, b), weight)| (*a, *b, *weight));
    let is_person =
        |groups: &Groups, group: u32| groups.members(group).iter().any(|one| stands.contains(one));
    let torn = torn(&pairs, &groups, &is_person);
    let apart = |groups: &Groups, a: u32, b: u32| {
        let is_torn = |group: u32| groups.members(group).iter().any(|one| torn.contains(one));
        let (one, other) = (is_person(groups, a), is_person(groups, b));
        one && (other || is_torn(b)) || other && is_torn(a) || kept_apart(&parted, groups, a, b)
    };
    let (least, most, largest) = (cut.auto, cut.most, cut.largest);
    let rule = Rule { least, most, largest, bridges: false, says, apart: &apart };
    // who may be somebody else too is not given to whom is published for being so
    let undecided = groups.undecided(said.clone(), rule);
    let said = said.filter(|(a, b, _)| !undecided.contains(&(*a.min(b), *a.max(b))));
    // who is like a standing person is not drawn to another by a third
    let direct = said.clone().filter(|(a, b, _)| stands.contains(a) != stands.contains(b));
    groups.join(direct, rule);
    groups.join(said, rule);
    let is_crowded = |(a, b): &Two| groups.find(*a) != groups.find(*b) && groups.are_crowded(*a, *b);
    let crowded = pairs.into_iter().filter(is_crowded).collect();
    Persons { records: groups.into_groups(), crowded }
}

/// What stands of a person that stood: the whole, or the parts into which staff have taken it. What they have parted
/// without saying to which side the others belong is left to the evidence.
fn parts(person: &[u32], parted: &BTreeSet<Two>) -> Vec<Vec<u32>> {
    let apart = |a: u32, b: u32| parted.contains(&(a.min(b), a.max(b)));
    let mut parts: Vec<Vec<u32>> = Vec::new();
    for one in person {
        let tied = |part: &Vec<u32>| part.iter().any(|other| !apart(*one, *other));
        let (with, rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(tied);
        parts = rest;
        parts.push(with.into_iter().flatten().chain([*one]).collect());
    }
    parts.retain(|part| !parted.iter().any(|(a, b)| part.contains(a) && part.contains(b)));
    parts
}

/// The records that do not stand and that `links` tie to more than one standing person.
fn torn(links: &[Two], groups: &Groups, is_person: &dyn Fn(&Groups, u32) -> bool) -> BTreeSet<u32> {
    let mut ties: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (a, b) in links.iter().map(|(a, b)| (groups.find(*a), groups.find(*b))) {
        match (is_person(groups, a), is_person(groups, b)) {
            (true, false) => ties.entry(b).or_default().insert(a),
            (false, true) => ties.entry(a).or_default().insert(b),
            _ => continue,
        };
    }
    ties.into_iter()
        .filter(|(_, people)| people.len() > 1)
        .flat_map(|(group, _)| groups.members(group).iter().copied())
        .collect()
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

    const fn likely(bits: f64) -> Said {
        Said { bits, barred: false }
    }

    fn made(size: usize, links: &[(u32, u32, f64)], decisions: &[(Two, Decision)]) -> Vec<Vec<u32>> {
        let links: Vec<(Two, f64)> = links.iter().map(|(a, b, bits)| ((*a, *b), *bits)).collect();
        let component =
            Component { size, links: links.clone(), decisions: decisions.to_vec(), standing: Vec::new() };
        let bits = |a: u32, b: u32| {
            likely(links.iter().find(|(pair, _)| *pair == (a, b)).map_or(-3.0, |(_, bits)| *bits))
        };
        persons(&component, Model::recipients().cut, &bits).records
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
        // of decisions that contradict each other «разные» stands, and the newer «один»
        let decisions = [((0, 2), Different), ((0, 1), Same), ((1, 2), Same)];
        assert_eq!(made(3, &[], &decisions), [vec![0], vec![1, 2]]);
    }

    #[test]
    fn what_stands_is_neither_joined_nor_broken_up_by_evidence() {
        let made = |links: &[(Two, f64)], decisions: &[(Two, Decision)]| {
            let standing = vec![vec![0, 1], vec![2]];
            let component =
                Component { size: 5, links: links.to_vec(), decisions: decisions.to_vec(), standing };
            persons(&component, Model::recipients().cut, &|_, _| likely(8.0)).records
        };
        // nothing ties 0 and 1 any more; 2 is like them; 3 is like both persons, and 4 like 3; or 3 like one of them
        assert_eq!(made(&[((1, 2), 30.0)], &[]), [vec![0, 1], vec![2], vec![3], vec![4]]);
        let bridge = [((1, 3), 20.0), ((2, 3), 9.0), ((3, 4), 8.0)];
        assert_eq!(made(&bridge, &[]), [vec![0, 1], vec![2], vec![3, 4]]);
        assert_eq!(made(&[((1, 3), 20.0)], &[]), [vec![0, 1, 3], vec![2], vec![4]]);
        // each goes to whom it is like, though they are more alike to each other
        let chain = [((1, 3), 20.0), ((2, 4), 9.0), ((3, 4), 30.0)];
        assert_eq!(made(&chain, &[]), [vec![0, 1, 3], vec![2, 4]]);
        // staff may
        assert_eq!(made(&bridge, &[((1, 2), Decision::Same)]), [vec![0, 1, 2, 3, 4]]);
        assert_eq!(made(&[], &[((0, 1), Decision::Different)])[..2], [vec![0], vec![1]]);
        // of three that stood together staff took one out: the others stay together, and it joins nobody by evidence
        let component = |decisions: &[(Two, Decision)]| Component {
            size: 4,
            links: vec![((0, 2), 30.0), ((2, 3), 30.0)],
            decisions: decisions.to_vec(),
            standing: vec![vec![0, 1, 2], vec![3]],
        };
        let made_of = |decisions: &[(Two, Decision)]| {
            persons(&component(decisions), Model::recipients().cut, &|_, _| likely(8.0)).records
        };
        let out = [((0, 2), Decision::Different), ((1, 2), Decision::Different)];
        assert_eq!(made_of(&out), [vec![0, 1], vec![2], vec![3]]);
        // of whom they have not said to which side it belongs evidence speaks: nothing ties it
        assert_eq!(made_of(&out[..1]), [vec![0], vec![1], vec![2, 3]]);
        // 3 is said to be of the second person: the first is still another
        assert_eq!(made(&bridge, &[((2, 3), Decision::Same)]), [vec![0, 1], vec![2, 3, 4]]);
        // 1 is like 0, who stands, and like 2, who is somebody else and not published yet
        let links = vec![((0, 1), 10.0), ((1, 2), 10.0)];
        let component = Component { size: 3, links, standing: vec![vec![0]], ..Component::default() };
        let twins = |a: u32, b: u32| {
            if (a, b) == (0, 2) { Said { bits: -5.0, barred: true } } else { likely(10.0) }
        };
        let made = persons(&component, Model::recipients().cut, &twins).records;
        assert_eq!(made, [vec![0], vec![1], vec![2]]);
    }
}
