//! Who was one person before staff joined persons: what is given back when a join is taken back.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    clusters::Said,
    groups::Groups,
    model::Cut,
    staff::{Component, Decision, Two, last_words},
};

/// Who was one person before staff joined persons, by what is known of a component.
pub(super) struct Came {
    /// The persons as they came.
    units: Groups,
    /// And with all of whom staff ever said «один».
    pub(super) spoken: Groups,
    /// Of each record whether it is nobody's but for a word about others.
    open: Vec<bool>,
}

impl Came {
    /// `near` are ties that are no links. Of two persons whom nothing but a word holds together somebody is clearly like one if so
    /// many bits more, `least`, speak for that.
    pub(super) fn of(
        component: &Component,
        parted: &BTreeSet<Two>,
        near: &[(u32, u32, f64)],
        least: f64,
    ) -> Self {
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
        let is_said = |one: u32| {
            spoken.members(spoken.find(one)).iter().any(|other| units.find(*other) != units.find(one))
        };
        let joined: BTreeSet<usize> =
            (0..).zip(&person).filter(|(one, _)| is_said(*one)).filter_map(|(_, n)| *n).collect();
        let is_open = |(one, person): (u32, &Option<usize>)| {
            component.new.contains(&one) && !is_said(one) && person.is_some_and(|n| joined.contains(&n))
        };
        let open: Vec<bool> = (0..).zip(&person).map(is_open).collect();
        let links = component.links.iter().map(|((a, b), bits)| (*a, *b, *bits));
        let mut beside: BTreeMap<u32, BTreeMap<u32, f64>> = BTreeMap::new();
        for (a, b, bits) in
            links.chain(near.iter().copied()).flat_map(|(a, b, bits)| [(a, b, bits), (b, a, bits)])
        {
            let is_of_one = person[a as usize].is_some() && person[a as usize] == person[b as usize];
            if is_of_one && spoken.find(a) != spoken.find(b) {
                let most = beside.entry(units.find(a)).or_default().entry(units.find(b)).or_insert(bits);
                *most = most.max(bits);
            }
        }
        // who may be either of two whom only a word holds together goes with neither
        let is_clear = |one: u32, other: u32| {
            let (of, unit) = (&beside[&units.find(one)], units.find(other));
            let mut others =
                of.iter().filter(|(at, _)| **at != unit && spoken.find(**at) == spoken.find(unit));
            others.all(|(_, bits)| bits + least <= of[&unit])
        };
        // whom staff never joined evidence has
        let by_evidence = component.links.iter().map(|(pair, _)| *pair).filter(|(a, b)| {
            let (one, other) = (person[*a as usize], person[*b as usize]);
            one.is_some_and(|n| n < component.standing.len())
                && one == other
                && spoken.find(*a) != spoken.find(*b)
                && !parted.contains(&(*a, *b))
                && !open[*a as usize]
                && !open[*b as usize]
                && is_clear(*a, *b)
                && is_clear(*b, *a)
        });
        let mut as_came = units.clone();
        by_evidence.for_each(|(a, b)| as_came.union(a, b));
        Self { units: as_came, spoken, open }
    }

    /// Whether the record came to a joined person, and is nobody's but for that: what it is evidence says, again and again.
    pub(super) fn is_open(&self, one: u32) -> bool {
        self.open[one as usize]
    }

    /// Each two of whom nothing but a word makes one person.
    pub(super) fn said(&self) -> Vec<Two> {
        let mut units: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for one in 0..u32::try_from(self.open.len()).expect("fewer than 2^32 records") {
            units.entry(self.spoken.find(one)).or_default().insert(self.units.find(one));
        }
        let each_two = |of: &BTreeSet<u32>| -> Vec<Two> {
            of.iter().flat_map(|a| of.range(a + 1..).map(move |b| (*a, *b))).collect()
        };
        units.values().flat_map(each_two).collect()
    }

    /// What would stand of a person that stands if staff had never said «один».
    pub(super) fn unsaid(&self, person: &[u32], parted: &BTreeSet<Two>) -> Vec<Vec<u32>> {
        let units = self.within(person);
        let spoken: BTreeSet<u32> = units.iter().map(|unit| self.spoken.find(unit[0])).collect();
        if spoken.len() == units.len() {
            return self.stands(person, parted);
        }
        let came = units.iter().filter(|unit| !self.is_open(unit[0]));
        came.flat_map(|unit| parts(unit, parted)).collect()
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
    /// the persons taken apart tied to each other is not one for that, and who came to them stands with nobody.
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
        for unit in self.within(person).into_iter().filter(|unit| !self.is_open(unit[0])) {
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

/// `component` as it would be if staff had never said «один», and who is one by that stood each by itself.
pub(super) fn unsaid(component: &Component, cut: Cut, says: &dyn Fn(u32, u32) -> Said) -> Component {
    let (parted, _) = said(component);
    let came = Came::of(component, &parted, &near(component, says), cut.auto);
    let standing = component.standing.iter().flat_map(|person| came.unsaid(person, &parted)).collect();
    let two = parted.into_iter().chain(came.said());
    let decisions = two.map(|pair| (pair, Decision::Different)).collect();
    Component { decisions, standing, now: Vec::new(), ..component.clone() }
}

/// Whom staff keep apart, and of whom they say «один», the latest word first.
pub(super) fn said(component: &Component) -> (BTreeSet<Two>, Vec<Two>) {
    let (parted, joined): (Vec<_>, Vec<_>) = last_words(&component.decisions)
        .into_iter()
        .partition(|(_, decision)| *decision == Decision::Different);
    let pairs = |words: Vec<(Two, Decision)>| words.into_iter().map(|(pair, _)| pair);
    (pairs(parted).collect(), pairs(joined).collect())
}

/// The ties of `component` that are no links. What is for staff whatever its weight is nobody whom a record may be by evidence.
pub(super) fn near(component: &Component, says: &dyn Fn(u32, u32) -> Said) -> Vec<(u32, u32, f64)> {
    let near = component.near.iter().map(|((a, b), bits)| (*a, *b, *bits));
    near.filter(|(a, b, _)| !says(*a, *b).barred).collect()
}

/// Who of a component whose records are one person came to it as like to one of two as to another: nobody can tell whose they are.
pub fn open_to_either(component: &Component) -> BTreeSet<u32> {
    let came = Came::of(component, &BTreeSet::new(), &[], 0.0);
    (0..).zip(came.open).filter_map(|(one, is_open)| is_open.then_some(one)).collect()
}

/// The words «один» of a component, by their places among its decisions, that are to be taken back with the word about `pair`: said
/// of two who were one person by then, for nobody to be asked about them, and who are not without that word. In order. `least` as the model's `auto`.
pub fn taken_back_with(component: &Component, pair: Two, least: f64) -> Vec<usize> {
    // also whom «один» was said of since: such a word may be one of those that are to be taken back
    let parted = component.decisions.iter().filter(|(_, decision)| *decision == Decision::Different);
    let parted: BTreeSet<Two> = parted.map(|(pair, _)| *pair).chain([pair]).collect();
    let came = Came::of(component, &parted, &[], least);
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
