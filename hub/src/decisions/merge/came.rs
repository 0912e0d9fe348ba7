//! Who was one person before staff joined persons: what is given back when a join is taken back.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    groups::Groups,
    staff::{Component, Decision, Two, last_words},
};

/// Who was one person before staff joined persons, by what is known of a component.
pub(super) struct Came {
    /// The persons as they came.
    units: Groups,
    /// And with all of whom staff ever said «один».
    pub(super) spoken: Groups,
}

impl Came {
    /// `near` are ties that are no links.
    pub(super) fn of(component: &Component, parted: &BTreeSet<Two>, near: &[(u32, u32, f64)]) -> Self {
        let mut person = vec![None; component.size];
        for (n, records) in component.standing.iter().chain(&component.held).enumerate() {
            for one in records {
                person[*one as usize] = Some(n);
            }
        }
        let mut class = vec![None; component.size];
        for (n, records) in component.came.iter().enumerate() {
            for one in records {
                class[*one as usize] = Some(n);
            }
        }
        let mut units = Groups::new(component.size);
        let mut first = BTreeMap::new();
        for (one, (person, class)) in (0..).zip(person.iter().zip(&class)) {
            if person.is_some() {
                units.union(*first.entry((*person, *class)).or_insert(one), one);
            }
        }
        let mut spoken = units.clone();
        let ever_same = component.decisions.iter().filter(|(_, decision)| *decision == Decision::Same);
        ever_same.for_each(|((a, b), _)| spoken.union(*a, *b));
        // who may be either of two whom staff have parted goes with neither
        let links = component.links.iter().map(|((a, b), _)| (*a, *b));
        let ties = links.chain(near.iter().map(|(a, b, _)| (*a, *b)));
        let mut beside: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (a, b) in ties.flat_map(|(a, b)| [(a, b), (b, a)]) {
            let is_of_one = person[a as usize].is_some() && person[a as usize] == person[b as usize];
            if is_of_one && spoken.find(a) != spoken.find(b) {
                beside.entry(units.find(a)).or_default().insert(units.find(b));
            }
        }
        let is_parted = |of: &BTreeSet<u32>| {
            parted.iter().any(|(a, b)| of.contains(&units.find(*a)) && of.contains(&units.find(*b)))
        };
        let either: BTreeSet<u32> =
            beside.into_iter().filter(|(_, of)| is_parted(of)).map(|(unit, _)| unit).collect();
        let either: Vec<bool> =
            (0..).take(component.size).map(|one| either.contains(&units.find(one))).collect();
        // whom staff never joined evidence has
        let by_evidence = component.links.iter().map(|(pair, _)| *pair).filter(|(a, b)| {
            let (one, other) = (person[*a as usize], person[*b as usize]);
            one.is_some_and(|n| n < component.standing.len())
                && one == other
                && spoken.find(*a) != spoken.find(*b)
                && !parted.contains(&(*a, *b))
                && !either[*a as usize]
                && !either[*b as usize]
        });
        by_evidence.for_each(|(a, b)| units.union(a, b));
        Self { units, spoken }
    }

    /// The records of `person` as they came.
    pub(super) fn within(&self, person: &[u32]) -> Vec<Vec<u32>> {
        let mut units: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for one in person {
            units.entry(self.units.find(*one)).or_default().push(*one);
        }
        units.into_values().collect()
    }

    /// What stands of a person that stood: the whole, or what staff have taken apart, each as it came. What nothing but
    /// the persons taken apart tied to each other is not one for that.
    pub(super) fn stands(&self, person: &[u32], parted: &BTreeSet<Two>) -> Vec<Vec<u32>> {
        let has_parted =
            |records: &[u32]| parted.iter().any(|(a, b)| records.contains(a) && records.contains(b));
        if !has_parted(person) {
            return vec![person.to_vec()];
        }
        let apart = |one: &[u32], other: &[u32]| {
            let spoken = self.spoken.find(one[0]) == self.spoken.find(other[0]);
            let mut pairs = one.iter().flat_map(|a| other.iter().map(move |b| (*a.min(b), *a.max(b))));
            spoken || pairs.any(|pair| parted.contains(&pair))
        };
        let mut tied: Vec<Vec<Vec<u32>>> = Vec::new();
        for unit in self.within(person) {
            let with = |units: &Vec<Vec<u32>>| units.iter().any(|other| !apart(&unit, other));
            let (with, rest): (Vec<_>, Vec<_>) = tied.into_iter().partition(with);
            tied = rest;
            tied.push(with.into_iter().flatten().chain([unit]).collect());
        }
        let mut stands = Vec::new();
        for units in tied {
            let whole = units.concat();
            if has_parted(&whole) {
                stands.extend(units.iter().flat_map(|unit| parts(unit, parted)));
            } else {
                stands.push(whole);
            }
        }
        stands
    }
}

/// The words «один» of a component, by their places among its decisions, that are to be taken back with the word about `pair`: said
/// of two who were one person by then, for nobody to be asked about them, and who are not without that word. In order.
pub fn taken_back_with(component: &Component, pair: Two) -> Vec<usize> {
    let parted = last_words(&component.decisions).into_iter();
    let parted: BTreeSet<Two> = parted
        .filter(|(_, decision)| *decision == Decision::Different)
        .map(|(pair, _)| pair)
        .chain([pair])
        .collect();
    let came = Came::of(component, &parted, &[]);
    let with = |words: &BTreeSet<Two>| {
        let mut groups = came.units.clone();
        for (a, b) in words {
            groups.union(*a, *b);
        }
        groups
    };
    let (mut joining, mut besides) = (BTreeSet::new(), BTreeMap::new());
    for (at, (said, decision)) in component.decisions.iter().enumerate() {
        if *decision == Decision::Different {
            joining.remove(said);
            besides.remove(said);
        } else if !joining.contains(said) {
            let groups = with(&joining);
            if groups.find(said.0) == groups.find(said.1) {
                besides.insert(*said, at);
            } else {
                joining.insert(*said);
            }
        }
    }
    joining.remove(&pair);
    let groups = with(&joining);
    let is_between = |(a, b): &Two| groups.find(*a) != groups.find(*b);
    let back = besides.into_iter().filter(|(said, _)| *said != pair && is_between(said));
    let mut back: Vec<usize> = back.map(|(_, at)| at).collect();
    back.sort_unstable();
    back
}

/// What is left of a person that came as one: the whole, or the parts into which staff have taken it. What they have parted
/// without saying to which side the others belong is left to the evidence.
pub(super) fn parts(person: &[u32], parted: &BTreeSet<Two>) -> Vec<Vec<u32>> {
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
